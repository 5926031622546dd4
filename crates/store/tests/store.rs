//! What is stored comes back as it was, replaces what was there, and is there whole or not at all.
#![allow(clippy::unwrap_used, reason = "helpers are part of the tests")]

use jiff::civil::{Date, date};
use quoteclock_ledger::{DayLedger, DayRow, OpenLedger, Total};
use quoteclock_model::{
    Amount, DayTurnover, Executed, Interval, IssueCode, Micros, Reason, State, Timestamp, Turnover,
};
use quoteclock_obligation::{IntervalSink, ObligationIndex};
use quoteclock_rules::{DayPlan, Registry, SourceFile};
use quoteclock_store::{
    BreachRow, Change, DayBatch, DayToStore, Digest, MeasurementRow, Provenance, Store, StoreError, StoredJournal,
};
use std::path::Path;

fn registry() -> Registry {
    let files = [
        ("issues.csv", "issue,type,tick_table\n1306,A,04\n1321,A,01\n"),
        ("market_makers.csv", "market_maker\nMM1\nMM2\n"),
        ("virtual_servers.csv", "server,market_maker\nVS1,MM1\n"),
        ("signups.csv", "market_maker,issue\nMM1,1306\nMM2,1306\nMM2,1321\n"),
        ("sponsored.csv", "condition,issue,max_spread_bps,min_value_jpy\nX,1306,20,1000\n"),
        ("fast_market.csv", "from,to,multiplier\n2024-03-04,2024-03-04,2\n"),
    ];
    let source = |(name, text): (&str, &str)| SourceFile { name: name.to_owned(), bytes: text.as_bytes().to_vec() };
    Registry::load(&files.map(source)).registry.expect("a registry without faults")
}

/// A day on which every obligation is fulfilled for `fulfilled` microseconds of 10 seconds.
fn measured(date: Date, fulfilled: i64) -> (DayPlan, DayLedger, DayTurnover) {
    let plan = registry().plan(date).unwrap();
    let mut ledger = OpenLedger::new(&plan);
    let at = Timestamp::from_micros;
    let midnight = plan.day.start.as_micros();
    let count: usize = plan.sign_ups.iter().map(|sign_up| sign_up.obligations.len()).sum();
    for index in (0..).map(ObligationIndex).take(count) {
        let (start, end) = (at(midnight), at(midnight + fulfilled));
        ledger.interval(index, Interval { start, end, state: State::Fulfilled });
        let (start, end) = (end, at(midnight + 10_000_000));
        ledger.interval(index, Interval { start, end, state: State::Breach(Reason::Spread) });
    }
    let mut turnover = DayTurnover { sign_ups: vec![Turnover::default(); 3], ..DayTurnover::default() };
    turnover.sign_ups[1].order_count = fulfilled.unsigned_abs();
    turnover.sign_ups[1].auction.unnamed = Executed { value: Amount(u128::MAX), quantity: u128::from(u64::MAX) };
    turnover.sign_ups[2].continuous.market_maker = Executed { value: Amount(7), quantity: 1 };
    turnover.issues.entry(IssueCode::new(b"1306").unwrap()).or_default().continuous =
        Executed { value: Amount(123), quantity: 45 };
    (plan, ledger.close(), turnover)
}

fn provenance() -> Provenance {
    Provenance {
        journal: Some(StoredJournal { name: "2024-03-01.S1.qcj".to_owned(), sha256: Digest([7; 32]) }),
        input: "day.csv".to_owned(),
        input_sha256: Digest::of(b"day"),
        registry_sha256: Digest::of(b"registry"),
        scheme: "TSE".to_owned(),
        scheme_version: "4.3".to_owned(),
        interpretations: vec![("b".to_owned(), "1".to_owned()), ("a".to_owned(), "2".to_owned())],
        record_count: 9,
        reject_count: 2,
        coverage: "[]".to_owned(),
        servers_heard: vec!["VS1".to_owned()],
        until: None,
        program_version: "0.1.0".to_owned(),
        program_commit: "unknown".to_owned(),
        options: String::new(),
        measured_at: quoteclock_model::Timestamp::from_micros(0),
    }
}

fn store_days(store: &mut Store, folder: &Path, days: &[(Date, i64)]) -> Result<(), StoreError> {
    let file = tempfile::Builder::new().tempfile_in(folder).unwrap().into_temp_path().to_path_buf();
    let mut batch = DayBatch::create(&file)?;
    for &(date, fulfilled) in days {
        let (plan, ledger, turnover) = measured(date, fulfilled);
        batch.add(DayToStore { plan: &plan, ledger: &ledger, turnover: &turnover, provenance: &provenance() })?;
    }
    store.replace_days(batch, || {}).map(|_| ())
}

const ALL: std::ops::RangeInclusive<Date> = Date::MIN..=Date::MAX;

fn results(store: &Store) -> Vec<DayRow> {
    let mut rows = Vec::new();
    store.results(ALL, |row| rows.push(row)).unwrap();
    rows
}

#[test]
fn a_day_comes_back_as_it_was_measured() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::create(&folder.path().join("days.db")).unwrap();
    store_days(&mut store, folder.path(), &[(date(2024, 3, 4), 4_000_000), (date(2024, 3, 1), 1_000_000)]).unwrap();
    let days = store.days(ALL).unwrap();
    assert_eq!(days.iter().map(|day| day.date).collect::<Vec<_>>(), [date(2024, 3, 1), date(2024, 3, 4)]);
    let (plan, ledger, turnover) = measured(date(2024, 3, 4), 4_000_000);
    let day = &days[1];
    assert_eq!((day.multiplier, day.record_count, day.reject_count), (2, 9, 2));
    assert_eq!((day.input_sha256, day.plan_sha256), (Digest::of(b"day"), Digest::of_plan(&plan)));
    let sorted = [("a", "2"), ("b", "1")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(day.interpretations, sorted);
    let rows = results(&store);
    assert_eq!(rows.len(), 10);
    let total = Total { available: Micros(10_000_000), fulfilled: Micros(4_000_000), unknown: Micros(0) };
    assert_eq!(
        (rows[6].obligation.to_string().as_str(), rows[6].total, rows[6].required_pct),
        ("sponsored:X", total, 800_000)
    );
    let mut breaches: Vec<BreachRow> = Vec::new();
    store.breaches(date(2024, 3, 4)..=date(2024, 3, 4), |row| breaches.push(row)).unwrap();
    assert_eq!(breaches.len(), 5);
    assert_eq!(breaches[0].span, ledger.breaches(ObligationIndex(0))[0].span);
    assert_eq!(breaches[0].reason, "spread");
    let mut turnovers = Vec::new();
    store.turnovers(date(2024, 3, 4)..=date(2024, 3, 31), |row| turnovers.push(row.turnover)).unwrap();
    assert_eq!(turnovers, turnover.sign_ups);
    let mut markets = Vec::new();
    store.market_turnovers(date(2024, 3, 4)..=date(2024, 3, 4), |row| markets.push((row.issue, row.turnover))).unwrap();
    assert_eq!(markets, turnover.issues.into_iter().collect::<Vec<_>>());
    assert_eq!(store.integrity_problems().unwrap(), Vec::<String>::new());
}

#[test]
fn a_day_stored_again_replaces_itself_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::create(&folder.path().join("days.db")).unwrap();
    let (first, second) = (date(2024, 3, 1), date(2024, 3, 4));
    store_days(&mut store, folder.path(), &[(first, 1_000_000), (second, 2_000_000)]).unwrap();
    let before = results(&store);
    store_days(&mut store, folder.path(), &[(second, 2_000_000)]).unwrap();
    assert_eq!(results(&store), before, "replaying a day changes nothing");
    store_days(&mut store, folder.path(), &[(second, 3_000_000)]).unwrap();
    let after = results(&store);
    assert_eq!(after[..5], before[..5]);
    assert!(after[5..].iter().all(|row| row.total.fulfilled == Micros(3_000_000)));
    assert_eq!((after.len(), store.integrity_problems().unwrap()), (10, Vec::new()));
}

#[test]
fn what_a_replacement_changes_is_told_and_every_measurement_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::create(&folder.path().join("days.db")).unwrap();
    let day = date(2024, 3, 4);
    let mut replace = |fulfilled| {
        let file = tempfile::Builder::new().tempfile_in(folder.path()).unwrap().into_temp_path().to_path_buf();
        let mut batch = DayBatch::create(&file).unwrap();
        let (plan, ledger, turnover) = measured(day, fulfilled);
        batch.add(DayToStore { plan: &plan, ledger: &ledger, turnover: &turnover, provenance: &provenance() }).unwrap();
        store.replace_days(batch, || {}).unwrap()
    };
    assert_eq!(replace(8_000_000), [], "nothing was stored before");
    assert_eq!(replace(8_000_000)[0].changes, []);
    let replaced = replace(7_999_999);
    let changes = &replaced[0].changes;
    assert_eq!((replaced[0].date, changes.len()), (day, 5));
    assert!(changes.iter().all(Change::turns_status), "80 % of the day are enough, a microsecond less is not");
    let [before, after] = [&changes[0].before, &changes[0].after].map(|row| row.as_ref().unwrap().total.fulfilled);
    assert_eq!((before, after), (Micros(8_000_000), Micros(7_999_999)));
    assert!(!replace(7_000_000)[0].changes[0].turns_status());
    let kept = store.measurements(ALL).unwrap();
    let sums = |row: &MeasurementRow| (row.before.map(|total| total.fulfilled.0), row.total.fulfilled.0);
    assert_eq!(
        kept.iter().map(|row| (row.results_differing, row.statuses_differing)).collect::<Vec<_>>(),
        [(0, 0), (0, 0), (5, 5), (5, 0)]
    );
    assert_eq!(
        kept.iter().map(sums).collect::<Vec<_>>(),
        [
            (None, 40_000_000),
            (Some(40_000_000), 40_000_000),
            (Some(40_000_000), 39_999_995),
            (Some(39_999_995), 35_000_000)
        ]
    );
    let connection = rusqlite::Connection::open(folder.path().join("days.db")).unwrap();
    for sql in ["UPDATE measurements SET input = ''", "DELETE FROM measurements"] {
        let error = connection.execute(sql, []).unwrap_err().to_string();
        assert!(error.contains("measurements are added, never"), "{error}");
    }
}

/// All that a report is made of, as text.
fn everything(file: &Path) -> Result<String, StoreError> {
    let store = Store::open(file)?;
    store.begin_snapshot()?;
    let (march, mut text) = (date(2024, 3, 1)..=date(2024, 3, 31), String::new());
    text.push_str(&format!("{:?}", store.days(march.clone())?));
    store.results(march.clone(), |row| text.push_str(&format!("{row:?}")))?;
    store.breaches(march.clone(), |row| text.push_str(&format!("{row:?}")))?;
    store.turnovers(march.clone(), |row| text.push_str(&format!("{row:?}")))?;
    store.market_turnovers(march, |row| text.push_str(&format!("{row:?}")))?;
    Ok(text)
}

#[test]
fn a_changed_byte_is_refused_or_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("days.db");
    let mut store = Store::create(&file).unwrap();
    store_days(&mut store, folder.path(), &[(date(2024, 3, 1), 1_000_000), (date(2024, 3, 4), 2_000_000)]).unwrap();
    drop(store);
    let expected = everything(&file).unwrap();
    let whole = std::fs::read(&file).unwrap();
    let damaged = folder.path().join("damaged.db");
    let (mut refused, mut harmless) = (0, 0);
    // Bytes that are zero hold nothing in most places; of them a few are changed, of all others every ninth.
    let places = (0..whole.len()).filter(|&at| if whole[at] == 0 { at % 97 == 0 } else { at % 9 == 0 });
    for (turn, at) in places.enumerate() {
        let mut bytes = whole.clone();
        bytes[at] ^= [0x01, 0x80, 0x20, 0xff, 0x04][turn % 5];
        for suffix in ["-wal", "-shm", "-journal"] {
            let _ = std::fs::remove_file(folder.path().join(format!("damaged.db{suffix}")));
        }
        std::fs::write(&damaged, &bytes).unwrap();
        match everything(&damaged) {
            Err(_) => refused += 1,
            Ok(found) => {
                assert_eq!(found, expected, "byte {at} changed from {:#04x} to {:#04x}", whole[at], bytes[at]);
                harmless += 1;
            }
        }
    }
    assert!(100 < refused && 50 < harmless, "{refused} refused, {harmless} harmless");
}

/// Alters a stored file by hand.
fn alter(file: &Path, sql: &str) {
    rusqlite::Connection::open(file).unwrap().execute_batch(sql).unwrap();
}

#[test]
fn a_checksum_that_has_gone_is_refused_as_a_wrong_one_is() {
    const COLUMNS: [&str; 6] = [
        "day_sha256",
        "interpretations_sha256",
        "results_sha256",
        "breaches_sha256",
        "turnovers_sha256",
        "market_turnovers_sha256",
    ];
    let folder = tempfile::tempdir().unwrap();
    let stored = || {
        let file = folder.path().join("days.db");
        let _ = std::fs::remove_file(&file);
        let mut store = Store::create(&file).unwrap();
        store_days(&mut store, folder.path(), &[(date(2024, 3, 1), 1_000_000), (date(2024, 3, 4), 2_000_000)]).unwrap();
        file
    };
    for column in COLUMNS {
        // Whoever does not know of the day's own checksum is told of that one.
        for also in ["", ", day_sha256 = NULL"] {
            let file = stored();
            alter(&file, &format!("UPDATE days SET {column} = NULL{also} WHERE date = '2024-03-04'"));
            let error = everything(&file).unwrap_err();
            let gone = column == "day_sha256" || !also.is_empty();
            let is_told = matches!(error, StoreError::Unsummed { .. }) && gone;
            assert!(is_told || matches!(error, StoreError::Damaged { .. }) && !gone, "{column}{also}: {error}");
            assert!(error.to_string().contains("2024-03-04"), "{error}");
        }
    }
    let all: String = COLUMNS.iter().map(|column| format!("{column} = NULL, ")).collect();
    let file = stored();
    alter(&file, &format!("UPDATE days SET {all} options = NULL, plan = NULL"));
    assert!(matches!(everything(&file), Err(StoreError::Unsummed { .. })), "it is among the measurements");
    // Days of earlier versions have neither.
    let file = stored();
    alter(
        &file,
        &format!(
            "DROP TRIGGER measurements_are_not_removed; DELETE FROM measurements;
             UPDATE days SET {all} options = NULL, plan = NULL; UPDATE results SET fulfilled_us = 7"
        ),
    );
    assert!(everything(&file).unwrap().contains("Micros(7)"));
}

#[test]
fn a_full_file_keeps_what_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::create(&folder.path().join("days.db")).unwrap();
    store_days(&mut store, folder.path(), &[(date(2024, 3, 1), 1_000_000)]).unwrap();
    let before = results(&store);
    store.limit_pages(1).unwrap();
    let many: Vec<(Date, i64)> = (1..=28).map(|day| (date(2024, 3, day), 5_000_000)).collect();
    let error = store_days(&mut store, folder.path(), &many).unwrap_err();
    assert!(matches!(error, StoreError::Full { .. }), "{error}");
    assert_eq!(results(&store), before);
    assert_eq!(store.integrity_problems().unwrap(), Vec::<String>::new());
    store.limit_pages(1_000_000).unwrap();
    store_days(&mut store, folder.path(), &many).unwrap();
    assert_eq!(results(&store).len(), 28 * 5);
}

#[test]
fn several_who_store_at_once_wait_for_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("days.db");
    std::thread::scope(|scope| {
        for day in 1..=8 {
            let (folder, file) = (folder.path(), &file);
            scope.spawn(move || {
                let mut store = Store::create(file).unwrap();
                store_days(&mut store, folder, &[(date(2024, 3, day), 1_000_000)]).unwrap();
            });
        }
    });
    assert_eq!(Store::open(&file).unwrap().days(ALL).unwrap().len(), 8);
}

#[test]
fn a_reader_sees_one_moment() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("days.db");
    let mut writer = Store::create(&file).unwrap();
    store_days(&mut writer, folder.path(), &[(date(2024, 3, 1), 1_000_000)]).unwrap();
    let reader = Store::open(&file).unwrap();
    reader.begin_snapshot().unwrap();
    store_days(&mut writer, folder.path(), &[(date(2024, 3, 4), 1_000_000)]).unwrap();
    assert_eq!((reader.days(ALL).unwrap().len(), results(&reader).len()), (1, 5));
    assert_eq!(writer.days(ALL).unwrap().len(), 2);
}
