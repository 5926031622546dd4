//! What a changed registry does to stored days, end to end: which are named, `replay --changed`, and what it has changed.
#![allow(clippy::unwrap_used, reason = "helpers are part of the tests")]

mod support;

use rusqlite::Connection;
use std::fs::{self, File};
use std::process::Output;
use support::{Bench, GOOD, day_text, stderr, stdout};

const CHANGED: [&str; 6] = ["replay", "--registry", "registry", "--db", "days.db", "--changed"];

/// Two days in `march/`: the first one strict, the second with a gap and a bad record, up to 09:50.
fn with_days() -> Bench {
    let bench = Bench::new();
    fs::create_dir(bench.path("march")).unwrap();
    bench.write("march/2024-03-01.csv", day_text("2024-03-01", &GOOD).as_bytes());
    let bad = day_text("2024-03-04", &[&GOOD[..], &["09:30:00,1321,cancel,7,,,,,,,"]].concat()).replace("\n3,", "\n9,");
    bench.write("march/2024-03-04.csv", bad.as_bytes());
    let store = ["replay", "--registry", "registry", "--db", "days.db"];
    let output = bench.run(&[&store[..], &["march/2024-03-01.csv"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let options = ["--lenient", "--allow-gaps", "--until", "09:50", "march/2024-03-04.csv"];
    assert_eq!(bench.run(&[&store[..], &options].concat()).status.code(), Some(3));
    bench
}

/// Frees MM1 from 1321 on a date.
fn exempt(bench: &Bench, date: &str) {
    let row =
        format!("issue,market_maker,from,to,reason\n1321,MM1,{date}T09:00:00+09:00,{date}T10:00:00+09:00,storm\n");
    bench.write("registry/exemptions.csv", row.as_bytes());
}

/// Rows of a query, joined by `|`.
fn query(bench: &Bench, sql: &str) -> Vec<String> {
    let connection = Connection::open(bench.path("days.db")).unwrap();
    let mut statement = connection.prepare(sql).unwrap();
    let columns = statement.column_count();
    let text = |row: &rusqlite::Row<'_>| {
        let cell = |column| -> String {
            match row.get::<_, rusqlite::types::Value>(column).unwrap() {
                rusqlite::types::Value::Text(text) => text,
                rusqlite::types::Value::Integer(number) => number.to_string(),
                other => format!("{other:?}"),
            }
        };
        Ok((0..columns).map(cell).collect::<Vec<_>>().join("|"))
    };
    statement.query_map([], text).unwrap().map(Result::unwrap).collect()
}

const RESULTS: &str = "SELECT date, issue, available_us, fulfilled_us, unknown_us FROM results ORDER BY date, issue";

fn changed_dates(bench: &Bench) -> Vec<String> {
    let output = bench.run(&["days", "--db", "days.db", "--registry", "registry", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    let days = document["days"].as_array().unwrap().iter();
    days.filter(|day| day["changed"] == true).map(|day| day["date"].as_str().unwrap().to_owned()).collect()
}

/// Nothing is replaced, exit 1, and the message.
fn refused(bench: &Bench, more: &[&str]) -> String {
    let before = (query(bench, RESULTS), query(bench, "SELECT count(*) FROM measurements"));
    let output = bench.run(&[&CHANGED[..], more].concat());
    assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
    assert_eq!((query(bench, RESULTS), query(bench, "SELECT count(*) FROM measurements")), before);
    stderr(&output)
}

fn done(bench: &Bench, code: i32, more: &[&str]) -> Output {
    let output = bench.run(&[&CHANGED[..], more].concat());
    assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
    output
}

#[test]
fn exactly_the_days_that_the_registry_alters_are_measured_again_as_they_were() {
    let bench = with_days();
    assert_eq!(
        stdout(&done(&bench, 0, &[])),
        "the registry would measure every stored day as it was measured; nothing was replaced\n"
    );
    exempt(&bench, "2024-03-04");
    assert_eq!(changed_dates(&bench), ["2024-03-04"]);
    let report = ["report", "--registry", "registry", "--db", "days.db", "--month", "2024-03"];
    assert!(stderr(&bench.run(&report)).contains("replay --db FILE --changed"));
    let text = stdout(&done(&bench, 3, &[]));
    assert!(text.contains("replaced 2024-03-04: 1 result differs, 1 changes status:\n"), "{text}");
    assert!(text.contains("  MM1 1321 general: 0.0000 %, now not applicable\n"), "{text}");
    assert!(!text.contains("replaced 2024-03-01"), "{text}");
    assert_eq!(
        query(&bench, RESULTS),
        [
            "2024-03-01|1306|3600000000|3599000000|0",
            "2024-03-01|1321|3600000000|0|0",
            "2024-03-04|1306|3000000000|2999000000|0",
            "2024-03-04|1321|0|0|0",
        ]
    );
    let measurements = "SELECT date, options, results_differing, statuses_differing FROM measurements ORDER BY number";
    assert_eq!(
        query(&bench, measurements),
        [
            "2024-03-01||0|0",
            "2024-03-04|--allow-gaps --lenient --until 09:50:00|0|0",
            "2024-03-04|--allow-gaps --lenient --until 09:50:00|1|1",
        ]
    );
    assert_eq!(changed_dates(&bench), Vec::<String>::new());
    let document: serde_json::Value = serde_json::from_str(&stdout(&done(&bench, 0, &["--json"]))).unwrap();
    assert_eq!(document["daily"], serde_json::json!([]));
}

#[test]
fn an_input_is_sought_where_it_was_beside_the_database_and_in_folders_that_are_named() {
    let bench = with_days();
    fs::create_dir_all(bench.path("archive/march")).unwrap();
    for (date, place, more) in [
        ("2024-03-01", "2024-03-01.csv", &[][..]),
        ("2024-03-02", "archive/2024-03-01.csv", &["--inputs", "absent", "--inputs", "archive"]),
        ("2024-03-01", "archive/march/2024-03-01.csv", &["--inputs=archive/march"]),
    ] {
        exempt(&bench, date);
        if changed_dates(&bench).is_empty() {
            continue;
        }
        let from = bench.path(&query(&bench, "SELECT input FROM days WHERE date = '2024-03-01'")[0]);
        fs::rename(from, bench.path(place)).unwrap();
        if !more.is_empty() {
            let message = refused(&bench, &[]);
            assert!(message.contains("the input of 1 changed day is not to be had as it was measured"), "{message}");
            assert!(message.contains("2024-03-01.csv: no such file"), "{message}");
        }
        // The second day's bytes under the first one's name are not taken for it.
        let other = bench.write("march/2024-03-01.csv", b"something else");
        let text = stdout(&done(&bench, 0, more));
        assert!(text.contains("replaced 2024-03-01: 1 result differs"), "{text}");
        fs::remove_file(other).unwrap();
        assert!(query(&bench, "SELECT input FROM days WHERE date = '2024-03-01'")[0].ends_with(place));
    }
}

#[test]
fn inputs_that_are_missing_or_others_are_named_and_nothing_is_replaced() {
    let bench = with_days();
    bench.write("registry/fast_market.csv", b"from,to,multiplier\n2024-03-01,2024-03-29,2\n");
    assert_eq!(changed_dates(&bench), ["2024-03-01", "2024-03-04"]);
    fs::remove_file(bench.path("march/2024-03-04.csv")).unwrap();
    let message = refused(&bench, &[]);
    assert!(message.contains("2024-03-04: march/2024-03-04.csv: no such file"), "{message}");
    assert!(!message.contains("2024-03-01:") && message.contains("nothing was replaced"), "{message}");
    bench.write("march/2024-03-01.csv", day_text("2024-03-01", &GOOD[..1]).as_bytes());
    let message = refused(&bench, &[]);
    assert!(message.contains("the inputs of 2 changed days are not to be had"), "{message}");
    assert!(message.contains("march/2024-03-01.csv: expected the SHA-256 "), "{message}");
    for more in [&["--lenient"][..], &["--out", "out"], &["march/2024-03-01.csv"], &["--date", "2024-03-01"]] {
        assert_eq!(bench.run(&[&CHANGED[..], more].concat()).status.code(), Some(2), "{more:?}");
    }
    let without = bench.run(&["replay", "--registry", "registry", "--changed"]);
    assert_eq!(without.status.code(), Some(2));
}

#[test]
fn a_day_of_a_feed_is_measured_again_from_its_journal() {
    let bench = Bench::new();
    bench.day("day.csv", &GOOD);
    let serve = ["serve", "--registry", "registry", "--db", "days.db", "--journal", "journal", "--feed", "-", "--once"];
    let output = bench.command(&serve).stdin(File::open(bench.path("day.csv")).unwrap()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let facts = "SELECT input, hex(input_sha256), options FROM days";
    let before = query(&bench, facts);
    exempt(&bench, "2024-03-01");
    assert!(refused(&bench, &[]).contains("2024-03-01: standard input: no such file"));
    let text = stdout(&done(&bench, 0, &["--inputs", "journal"]));
    assert!(text.contains("replaced 2024-03-01: 1 result differs, 1 changes status:"), "{text}");
    assert_eq!(query(&bench, facts), before, "the feed, and the hash of its messages");
    assert_eq!(changed_dates(&bench), Vec::<String>::new());
}

#[test]
fn servers_without_an_order_alter_no_day() {
    let bench = with_days();
    let servers = |rows: &str| {
        bench.write("registry/virtual_servers.csv", format!("server,market_maker\n{rows}").as_bytes());
    };
    servers("VS1,MM1\nVS7,MM1\nVS8,MM1\n");
    assert_eq!(changed_dates(&bench), Vec::<String>::new(), "nobody has sent through them");
    servers("VS7,MM1\n");
    assert_eq!(changed_dates(&bench), ["2024-03-01", "2024-03-04"], "VS1 has sent");
    // One that has sent, and that the registry did not know.
    bench.write("march/2024-03-01.csv", day_text("2024-03-01", &GOOD).replace("VS1", "VS7").as_bytes());
    servers("VS1,MM1\n");
    let store = ["replay", "--registry", "registry", "--db", "days.db", "march/2024-03-01.csv"];
    assert_eq!(bench.run(&store).status.code(), Some(0));
    servers("VS1,MM1\nVS7,MM1\n");
    assert_eq!(changed_dates(&bench), ["2024-03-01"]);
}

#[test]
fn a_replacement_tells_what_differs_and_what_does_not() {
    let bench = with_days();
    let again = |more: &[&str]| {
        let output = bench.run(&[&["replay", "--registry", "registry", "--db", "days.db"], more].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        stdout(&output)
    };
    assert!(again(&["march/2024-03-01.csv"]).ends_with("replaced 2024-03-01: no result differs\n"));
    // Half a second less: a figure, and no status.
    bench.write(
        "other.csv",
        day_text("2024-03-01", &[&GOOD[..], &["09:59:59.500000,1306,cancel,1,,,,,,,"]].concat()).as_bytes(),
    );
    let text = again(&["other.csv"]);
    assert!(text.ends_with("replaced 2024-03-01: 1 result differs, none changes status\n"), "{text}");
    bench.write("registry/signups.csv", b"market_maker,issue\nMM1,1306\n");
    let text = again(&["march/2024-03-01.csv"]);
    assert!(text.contains("replaced 2024-03-01: 2 results differ, 1 changes status:\n"), "{text}");
    assert!(text.contains("  MM1 1321 general: 0.0000 %, now not measured\n"), "{text}");
    let document: serde_json::Value = serde_json::from_str(&again(&["--json", "march/2024-03-01.csv"])).unwrap();
    let replaced = serde_json::json!([{"date": "2024-03-01", "results_differing": 0, "statuses_differing": 0}]);
    assert_eq!(document["replaced"], replaced);
}

#[test]
fn a_share_that_is_asked_for_and_not_met_exits_with_4() {
    let bench = with_days();
    let status = |more: &[&str]| {
        let status = ["status", "--registry", "registry", "--db", "days.db", "--month", "2024-03"];
        bench.run(&[&status[..], more].concat())
    };
    let output = status(&["--fail-under", "80"]);
    assert_eq!(output.status.code(), Some(4), "1321 is never quoted: {}", stderr(&output));
    bench.write("registry/signups.csv", b"market_maker,issue\nMM1,1306\n");
    assert_eq!(bench.run(&CHANGED).status.code(), Some(3));
    let output = status(&["--fail-under", "80"]);
    assert_ne!(output.status.code(), Some(4), "{}", stdout(&output));
    assert_eq!(status(&["--fail-under", "99.99"]).status.code(), Some(4), "99.97 % of the first day");
}
