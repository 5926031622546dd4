//! How long the papers of a large month take, and how much memory:
//! `cargo run --release -p quoteclock-benches --example papers -- target/release/quoteclock [ISSUES [MARKET_MAKERS]]`.
//!
//! The month's rows are made up directly (350 ETFs, 20 market makers, a participant and a half each, 20 asset managers, 20
//! days, ten breaches an obligation and day), stored, and reported by the program given, as its users run it. The clock
//! runs from its start to its end; processors' time and the most memory held are as Linux says.

use jiff::civil::date;
use quoteclock_benches::process::{most_held, processor_time};
use quoteclock_ledger::OpenLedger;
use quoteclock_model::{Amount, DayTurnover, Executed, Interval, Reason, SideFault, State, Timestamp, Turnover};
use quoteclock_obligation::{IntervalSink, ObligationIndex};
use quoteclock_rules::{DayPlan, Registry, SourceFile};
use quoteclock_store::{DayBatch, DayToStore, Digest, Provenance, Store};
use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Breaches of an obligation on a day.
const BREACHES: i64 = 10;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let program = arguments.next().expect("the path of quoteclock, such as target/release/quoteclock");
    let mut number = |default: u32| arguments.next().map_or(default, |text| text.parse().expect("a number"));
    let (issues, makers) = (number(350), number(20));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let registry = folder.path().join("registry");
    std::fs::create_dir(&registry).expect("a new folder");
    let files = files(issues, makers);
    files.iter().for_each(|file| std::fs::write(registry.join(&file.name), &file.bytes).expect("room on the disk"));
    let loaded = Registry::load(&files).registry.expect("a registry without faults");
    let database = folder.path().join("month.db");
    let start = Instant::now();
    let days = store(&loaded, &database, &folder.path().join("batch.db"));
    println!("{issues} ETFs, {makers} market makers, {days} days stored in {:.1?}", start.elapsed());

    let start = Instant::now();
    let mut child = Command::new(program)
        .args(["report", "--month", "2024-03", "--registry"])
        .arg(&registry)
        .arg("--db")
        .arg(&database)
        .arg("--out")
        .arg(folder.path().join("out"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program runs");
    let (mut held, mut busy) = (0, Duration::ZERO);
    let status = loop {
        held = held.max(most_held(child.id()));
        busy = busy.max(processor_time(child.id()));
        match child.try_wait().expect("a child") {
            Some(status) => break status,
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    };
    let took = start.elapsed();
    let (count, bytes) = size(&folder.path().join("out"));
    let size = bytes >> 20;
    println!(
        "{status}: {count} files, {size} MiB, in {took:.1?}, {busy:.1?} of processors, at most {} MiB held",
        held >> 10
    );
}

/// Files below a folder, and their bytes.
fn size(folder: &Path) -> (u64, u64) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.fold((0, 0), |(count, bytes), entry| {
        let path = entry.path();
        let (more, size) = if path.is_dir() { size(&path) } else { (1, entry.metadata().map_or(0, |of| of.len())) };
        (count + more, bytes + size)
    })
}

fn files(issues: u32, makers: u32) -> Vec<SourceFile> {
    let mut texts = [
        ("issues.csv", "issue,type,tick_table,tier,asset_manager\n".to_owned()),
        ("market_makers.csv", "market_maker\n".to_owned()),
        ("virtual_servers.csv", "server,market_maker\n".to_owned()),
        ("signups.csv", "market_maker,issue,participant\n".to_owned()),
        (
            "sponsored.csv",
            "condition,issue,max_spread_bps,min_value_jpy,coverage_pct,asset_manager,total_jpy,max_makers\n".to_owned(),
        ),
        ("holidays.csv", "date,name\n2024-03-20,Vernal Equinox Day\n".to_owned()),
    ];
    let mut add = |file: usize, line: String| writeln!(texts[file].1, "{line}").expect("a string takes it");
    for issue in 0..issues {
        let code = 1300 + issue;
        add(0, format!("{code},B,01,{},AM{:02}", ["I", "II", "III", "IV"][issue as usize % 4], issue % 20));
        if issue % 10 == 0 {
            add(4, format!("S{code},{code},20,1000000,80,AM{:02},300000,2", issue % 20));
        }
    }
    for maker in 0..makers {
        add(1, format!("MM{maker:02}"));
        add(2, format!("VS{maker:02},MM{maker:02}"));
        for issue in 0..issues {
            add(3, format!("MM{maker:02},{},P{:02}{}", 1300 + issue, maker, issue % (1 + maker % 2)));
        }
    }
    texts.map(|(name, text)| SourceFile { name: name.to_owned(), bytes: text.into_bytes() }).to_vec()
}

/// Stores the days of March 2024.
fn store(registry: &Registry, database: &Path, batch: &Path) -> usize {
    let mut days = DayBatch::create(batch).expect("room on the disk");
    let first = date(2024, 3, 1);
    let month = first.series(jiff::Span::new().days(1)).take_while(|date| date.month() == 3);
    let weekdays = month.filter(|date| date.weekday().to_monday_one_offset() <= 5 && date.day() != 20);
    let mut count = 0;
    for date in weekdays {
        let plan = registry.plan(date).expect("a date of the calendar");
        let (ledger, turnover) = made_up(&plan);
        let provenance = Provenance {
            input: format!("{date}.csv"),
            input_sha256: Digest::of(date.to_string().as_bytes()),
            registry_sha256: Digest::of(b"registry"),
            scheme: registry.scheme().name().to_owned(),
            scheme_version: registry.scheme().version().to_owned(),
            interpretations: Vec::new(),
            record_count: 150_000_000,
            reject_count: 0,
            coverage: "[]".to_owned(),
            servers_heard: Vec::new(),
            until: None,
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
            program_commit: String::new(),
            options: String::new(),
            journal: None,
            measured_at: Timestamp::from_micros(0),
        };
        let (ledger, turnover) = (&ledger.close(), &turnover);
        days.add(DayToStore { plan: &plan, ledger, turnover, provenance: &provenance }).expect("room on the disk");
        count += 1;
    }
    Store::create(database).and_then(|mut store| store.replace_days(days, || ())).expect("room on the disk");
    count
}

/// Every obligation of a plan with ten breaches of some seconds, spread over the sessions.
fn made_up(plan: &DayPlan) -> (OpenLedger, DayTurnover) {
    let mut ledger = OpenLedger::new(plan);
    let count: usize = plan.sign_ups.iter().map(|sign_up| sign_up.obligations.len()).sum();
    let reasons = [Reason::Spread, Reason::Bid(SideFault::NoQuote)];
    for index in (0..).map(ObligationIndex).take(count) {
        let seed = i64::from(index.0) * 7_919 + i64::from(plan.date.day()) * 104_729;
        for session in plan.sessions().iter() {
            let (start, end) = (session.start.as_micros(), session.end.as_micros());
            let (parts, mut at) = (BREACHES / 2, start);
            let mut tell = |from: i64, to: i64, state| {
                let (start, end) = (Timestamp::from_micros(from), Timestamp::from_micros(to));
                ledger.interval(index, Interval { start, end, state });
            };
            for part in 1..=parts {
                let breach = start + (end - start) / (parts + 1) * part + seed % 30_000_000;
                let long = 1_000_000 + seed * part % 240_000_000;
                tell(at, breach, State::Fulfilled);
                tell(breach, breach + long, State::Breach(reasons[usize::from(part % 2 == 0)]));
                at = breach + long;
            }
            tell(at, end, State::Fulfilled);
        }
    }
    let executed =
        |number: usize| Executed { value: Amount(number as u128 * 12_345_678_901), quantity: number as u128 };
    let sign_up = |number: usize| {
        let mut turnover = Turnover { order_count: number as u64 * 10, ..Turnover::default() };
        turnover.continuous.other = executed(number);
        turnover.auction.other = executed(number / 3);
        turnover
    };
    let turnover = DayTurnover { sign_ups: (0..plan.sign_ups.len()).map(sign_up).collect(), ..DayTurnover::default() };
    (ledger, turnover)
}
