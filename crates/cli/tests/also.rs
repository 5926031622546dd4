//! Several sources of one date: what they come to together, and what is said of each.

mod support;

use std::io::Write as _;
use std::process::Stdio;
use support::{Bench, GOOD, HEADER, stderr, stdout};

const REPLAY: [&str; 3] = ["replay", "--registry", "registry"];

fn run(bench: &Bench, code: i32, more: &[&str]) -> String {
    let output = bench.run(&[&REPLAY[..], more].concat());
    assert_eq!(output.status.code(), Some(code), "{more:?}: {}", stderr(&output));
    stderr(&output)
}

/// Those lines of a day that `is_wanted` takes, numbered anew.
fn part(csv: &str, is_wanted: impl Fn(&[&str]) -> bool) -> String {
    let mut text = format!("{HEADER}\n");
    let lines = csv.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
    for (number, cells) in (1..).zip(lines.filter(|cells| is_wanted(cells))) {
        text.push_str(&format!("{number},{}\n", cells[1..].join(",")));
    }
    text
}

#[test]
fn sources_merged_by_time_are_the_day_that_they_are_parts_of() {
    for seed in ["3", "4"] {
        let bench = Bench::new();
        let generate = bench.run(&["generate", "--events", "3000", "--seed", seed, "--out", "made"]);
        assert_eq!(generate.status.code(), Some(0), "{}", stderr(&generate));
        let csv = bench.read("made/2024-03-01.csv");
        let is_phase = |cells: &[&str]| cells[3] == "phase";
        bench.write("orders.csv", part(&csv, |cells| !is_phase(cells)).as_bytes());
        bench.write("phases.csv", part(&csv, is_phase).as_bytes());
        let is_odd = |cells: &[&str]| cells[2].bytes().last().is_some_and(|digit| digit % 2 == 1);
        bench.write("odd.csv", part(&csv, |cells| !is_phase(cells) && is_odd(cells)).as_bytes());
        bench.write("even.csv", part(&csv, |cells| is_phase(cells) || !is_odd(cells)).as_bytes());
        let measure = |out: &str, more: &[&str]| {
            let output = bench.run(&[&["replay", "--registry", "made/registry", "--out", out], more].concat());
            assert_eq!(output.status.code(), Some(0), "{more:?}: {}", stderr(&output));
        };
        measure("whole", &["made/2024-03-01.csv"]);
        for (out, more) in [
            ("a", ["orders.csv", "--also", "phases.csv"].as_slice()),
            ("b", &["phases.csv", "--also", "orders.csv"]),
            ("c", &["orders.csv", "--also", "made/2024-03-01.csv:phases"]),
            ("d", &["phases.csv", "--also", "made/2024-03-01.csv:orders"]),
            ("e", &["odd.csv", "--also", "even.csv"]),
            ("f", &["--lenient", "odd.csv", "--also", "even.csv:orders", "--also", "phases.csv:phases"]),
        ] {
            measure(out, more);
            for name in ["daily.csv", "breaches.csv"] {
                assert_eq!(bench.read(&format!("{out}/{name}")), bench.read(&format!("whole/{name}")), "{more:?}");
            }
        }
    }
}

/// A firm's log without phases, and the exchange's day with a halt.
fn two(bench: &Bench) {
    bench.day("own.csv", &GOOD);
    let halt =
        ["09:00:00,9999,add,1,,,B,5,1,,", "09:20:00,1306,phase,,,,,,,,halt", "09:30:00,1306,phase,,,,,,,,continuous"];
    bench.day("exchange.csv", &halt);
}

fn available(bench: &Bench, folder: &str) -> Vec<String> {
    let daily = bench.read(&format!("{folder}/daily.csv"));
    daily.lines().skip(1).map(|line| line.split(',').nth(4).unwrap_or_default().to_owned()).collect()
}

#[test]
fn phases_of_the_exchange_hold_for_a_firms_own_log() {
    let bench = Bench::new();
    two(&bench);
    run(&bench, 0, &["--out", "alone", "own.csv"]);
    let text = run(&bench, 0, &["--out", "both", "own.csv", "--also", "exchange.csv:phases"]);
    assert_eq!(available(&bench, "alone"), ["3600000000", "3600000000"]);
    assert_eq!(available(&bench, "both"), ["3000000000", "3600000000"], "ten minutes of a halt");
    assert!(!text.contains("9999"), "what is not taken is not in the coverage: {text}");
    let of = ["explain", "--registry", "registry", "--market-maker", "MM1", "--issue", "1306", "--json"];
    let output = bench.run(&[&of[..], &["--also", "exchange.csv:phases", "own.csv"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("3000000000"), "{}", stdout(&output));
    for form in [&of[..], &of[..of.len() - 1]] {
        let output = bench.run(&[form, &["--at", "09:25", "--also", "exchange.csv:phases", "own.csv"]].concat());
        assert!(stdout(&output).contains("line 3 of exchange.csv"), "{}", stdout(&output));
    }
}

#[test]
fn orders_of_one_issue_from_two_sources_are_bad_usage() {
    let bench = Bench::new();
    two(&bench);
    bench.day("more.csv", &["09:05:00,1306,add,77,,,B,900,1,,"]);
    let text = run(&bench, 2, &["own.csv", "--also", "more.csv"]);
    assert!(text.contains("more.csv: has orders of issue 1306, of which own.csv has some, expected"), "{text}");
    assert!(text.contains("FILE:phases"), "{text}");
    run(&bench, 2, &["--lenient", "own.csv", "--also", "more.csv"]);
    run(&bench, 0, &["own.csv", "--also", "more.csv:phases"]);
    run(&bench, 2, &["own.csv", "own.csv", "--also", "more.csv"]);
    run(&bench, 2, &["-", "--also", "-"]);
}

#[test]
fn each_source_has_its_own_sequence_and_its_own_name_in_what_is_said() {
    let bench = Bench::new();
    two(&bench);
    let gap = bench.read("exchange.csv").replace("\n3,", "\n5,");
    bench.write("gap.csv", gap.as_bytes());
    let text = run(&bench, 1, &["own.csv", "--also", "gap.csv:phases"]);
    assert!(text.contains("gap.csv: line 4: seq: found 5, expected 3"), "{text}");
    run(&bench, 0, &["--allow-gaps", "own.csv", "--also", "gap.csv:phases"]);
    run(&bench, 3, &["--lenient", "--out", "out", "own.csv", "--also", "gap.csv:phases"]);
    let rejects = bench.read("out/rejects.csv");
    assert!(rejects.contains("gap.csv,line 4,"), "{rejects}");
    // What may be missing was sent since the last record of that source, and nothing mends it.
    let daily = bench.read("out/daily.csv");
    let unknown: Vec<&str> = daily.lines().skip(1).filter_map(|line| line.split(',').nth(6)).collect();
    assert_eq!(unknown, ["1800000000", "2400000000"], "from 09:20 on, and 1306 was halted until 09:30: {daily}");
    // A record that does not fit its book is of the source that has the issue's orders.
    let bad = format!("{}3,2024-03-01T09:10:00+09:00,1306,cancel,99,,,,,,,\n", bench.read("own.csv"));
    bench.write("bad.csv", bad.as_bytes());
    let text = run(&bench, 1, &["exchange.csv", "--also", "bad.csv"]);
    assert!(text.contains("bad.csv: line 4: order 99 is not in the issue's book"), "{text}");
    bench.write("bad.csv", bad.replace("cancel,99", "cancel,x").as_bytes());
    run(&bench, 3, &["--lenient", "--out", "out", "exchange.csv", "--also", "bad.csv"]);
    assert!(bench.read("out/rejects.csv").contains("bad.csv,line 4,1306,"), "{}", bench.read("out/rejects.csv"));
    bench.write("bad.csv", b"no header\n");
    let text = run(&bench, 1, &["own.csv", "--also", "bad.csv"]);
    assert!(text.contains("bad.csv: line 1:"), "{text}");
}

#[test]
fn a_source_empties_its_own_books_only() {
    let bench = Bench::new();
    bench.day("own.csv", &GOOD);
    bench.day("other.csv", &["09:10:00,1321,add,1,,VS1,B,1000,10,,", "09:20:00,*,clear,,,,,,,,"]);
    run(&bench, 0, &["--out", "out", "own.csv", "--also", "other.csv"]);
    let daily = bench.read("out/daily.csv");
    let fulfilled: Vec<&str> = daily.lines().skip(1).filter_map(|line| line.split(',').nth(5)).collect();
    assert_eq!(fulfilled, ["3599000000", "0"], "{daily}");
}

#[test]
fn standard_input_may_be_one_of_them() {
    let bench = Bench::new();
    two(&bench);
    run(&bench, 0, &["--out", "files", "own.csv", "--also", "exchange.csv:phases"]);
    for (out, more, input) in [
        ("a", ["-", "--also", "exchange.csv:phases"], "own.csv"),
        ("b", ["own.csv", "--also", "-:phases"], "exchange.csv"),
    ] {
        let mut command = bench.command(&[&REPLAY[..], &["--lenient", "--out", out], &more].concat());
        let mut child =
            command.stdin(Stdio::piped()).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().expect("it runs");
        child.stdin.take().expect("piped").write_all(bench.read(input).as_bytes()).expect("it reads");
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert_eq!(bench.read(&format!("{out}/daily.csv")), bench.read("files/daily.csv"));
    }
}

#[test]
fn a_stored_day_is_measured_again_with_what_it_was_measured_with() {
    let bench = Bench::new();
    two(&bench);
    let unnamed = bench.read("own.csv").replace("VS1", "");
    bench.write("unnamed.csv", unnamed.as_bytes());
    bench.write("my orders.csv", b"order,server\n1,VS1\n2,VS1\n");
    let with = ["--own-orders", "my orders.csv", "--also", "exchange.csv:phases"];
    run(&bench, 0, &[&["--db", "market.db", "unnamed.csv"], &with[..]].concat());
    bench.write("registry/signups.csv", b"market_maker,issue\nMM1,1306\n");
    let again = bench.run(&[&REPLAY[..], &["--db", "market.db", "--changed", "--json"]].concat());
    assert_eq!(again.status.code(), Some(0), "{}", stderr(&again));
    let fresh = bench.run(&[&REPLAY[..], &["--json", "unnamed.csv"], &with[..]].concat());
    let daily = |text: &str| text.split("\"breaches\"").next().unwrap_or_default().to_owned();
    assert_eq!(daily(&stdout(&again)), daily(&stdout(&fresh)));
    let explain =
        ["explain", "--registry", "registry", "--market-maker", "MM1", "--db", "market.db", "--date", "2024-03-01"];
    let explain = bench.run(&explain);
    assert_eq!(explain.status.code(), Some(0), "{}", stderr(&explain));
    // Other bytes are not what it was measured with.
    bench.write("registry/signups.csv", b"market_maker,issue\nMM1,1321\n");
    bench.write("my orders.csv", b"order,server\n1,VS1\n");
    let text = run(&bench, 1, &["--db", "market.db", "--changed"]);
    assert!(text.contains("my orders.csv: expected the SHA-256"), "{text}");
}

#[test]
fn what_several_sources_become_when_they_are_converted_measures_as_they_do() {
    let bench = Bench::new();
    let generate = bench.run(&["generate", "--events", "3000", "--seed", "5", "--out", "made"]);
    assert_eq!(generate.status.code(), Some(0), "{}", stderr(&generate));
    let csv = bench.read("made/2024-03-01.csv");
    let is_phase = |cells: &[&str]| cells[3] == "phase";
    let unnamed = |row: &str| {
        let mut cells: Vec<&str> = row.split(',').collect();
        if cells[3] == "add" {
            cells[6] = "";
        }
        cells.join(",") + "\n"
    };
    bench.write("orders.csv", part(&csv, |cells| !is_phase(cells)).lines().map(unnamed).collect::<String>().as_bytes());
    bench.write("phases.csv", part(&csv, is_phase).as_bytes());
    let mut own = "issue,order,server\n".to_owned();
    for cells in csv.lines().map(|line| line.split(',').collect::<Vec<_>>()) {
        if cells[3] == "add" && !cells[6].is_empty() {
            own.push_str(&format!("{},{},{}\n", cells[2], cells[4], cells[6]));
        }
    }
    bench.write("my.csv", own.as_bytes());
    let with = ["--own-orders", "my.csv", "--also", "phases.csv:phases", "orders.csv"];
    let of = |more: &[&str]| {
        let output = bench.run(&[&["replay", "--registry", "made/registry"], more].concat());
        assert_eq!(output.status.code(), Some(0), "{more:?}: {}", stderr(&output));
    };
    of(&[&["--out", "together"], &with[..]].concat());
    of(&["--out", "whole", "made/2024-03-01.csv"]);
    assert_eq!(bench.read("together/daily.csv"), bench.read("whole/daily.csv"));
    for name in ["merged.csv", "merged.qcev", "merged.csv.zst"] {
        let output = bench.run(&[&["convert"], &with[..], &[name]].concat());
        assert_eq!((output.status.code(), &*stderr(&output)), (Some(0), ""), "{name}");
        of(&["--out", "converted", name]);
        for table in ["daily.csv", "breaches.csv"] {
            assert_eq!(bench.read(&format!("converted/{table}")), bench.read(&format!("together/{table}")), "{name}");
        }
    }
    let numbers = bench.read("merged.csv");
    let numbers = numbers.lines().skip(1).map(|line| line.split(',').next().unwrap_or_default().parse::<usize>());
    assert!(numbers.zip(1..).all(|(found, expected)| found == Ok(expected)), "numbered anew");
}

#[test]
fn a_conversion_of_several_sources_hides_nothing() {
    let bench = Bench::new();
    two(&bench);
    let convert = |code: i32, more: &[&str]| {
        let output = bench.run(&[&["convert"], more].concat());
        assert_eq!(output.status.code(), Some(code), "{more:?}: {}", stderr(&output));
        stderr(&output)
    };
    bench.write("gap.csv", bench.read("exchange.csv").replace("\n3,", "\n5,").as_bytes());
    let text = convert(1, &["--also", "gap.csv:phases", "own.csv", "out.csv"]);
    assert!(text.contains("gap.csv: line 4: seq: found 5, expected 3: records are missing"), "{text}");
    assert!(!bench.path("out.csv").exists());
    convert(0, &["--allow-gaps", "--also", "gap.csv:phases", "own.csv", "out.csv"]);
    bench.write("gap.csv", bench.read("exchange.csv").replace("\n3,", "\n2,").as_bytes());
    let text = convert(1, &["--allow-gaps", "--also", "gap.csv:phases", "own.csv", "out.csv"]);
    assert!(text.contains("gap.csv: line 4: seq: found 2, expected a number above 2"), "{text}");
    bench.day("more.csv", &["09:05:00,1306,add,77,,,B,900,1,,"]);
    let text = convert(2, &["--also", "more.csv", "own.csv", "out.csv"]);
    assert!(text.contains("more.csv: has orders of issue 1306, of which own.csv has some, expected"), "{text}");
    bench.write("bad.csv", bench.read("more.csv").replace(",77,", ",x,").as_bytes());
    let text = convert(1, &["--also", "bad.csv", "own.csv", "out.csv"]);
    assert!(text.contains("bad.csv: line 2: order: found \"x\""), "{text}");
    bench.write(
        "late.csv",
        format!("{}2,2024-03-01T09:00:00+09:00,1321,clear,,,,,,,,\n", bench.read("more.csv")).as_bytes(),
    );
    let text = convert(1, &["--also", "late.csv:phases", "own.csv", "out.csv"]);
    assert!(text.contains("late.csv: line 3: time:"), "{text}");
    for own in ["exchange.csv", "own.csv", "my.csv"] {
        bench.write("my.csv", b"order,server\n1,VS1\n4711,VS2\n");
        convert(2, &["--also", "exchange.csv:phases", "--own-orders", "my.csv", "own.csv", own]);
    }
    let text = convert(0, &["--own-orders", "my.csv", "own.csv", "out.csv"]);
    assert!(text.contains("1 own order that the input does not have: 4711"), "{text}");
    bench.write("my.csv", b"order,server\n1,VS1\n1,VS2\n");
    let text = convert(1, &["--own-orders", "my.csv", "own.csv", "out.csv"]);
    assert!(text.contains("my.csv: line 3, column order: order 1 is there twice"), "{text}");
    convert(2, &["--also", "-", "-", "out.csv"]);
    convert(2, &["--allow-gaps", "own.csv", "out.csv"]);
}

#[test]
fn an_excerpt_of_several_sources_begins_with_what_rests() {
    let bench = Bench::new();
    two(&bench);
    let from = ["--from", "2024-03-01T09:25:00+09:00", "--issue", "1306"];
    let output = bench.run(&[&["convert"], &from[..], &["--also", "exchange.csv:phases", "own.csv", "-"]].concat());
    let text = stdout(&output);
    assert!(text.contains("1306,phase,,,,,,,,halt\n") && text.contains("1306,add,1,,VS1,B,"), "{text}");
    assert!(
        text.lines().skip(1).all(|line| line.contains("T09:2") || line.contains("T09:3") || line.contains("T1")),
        "{text}"
    );
}
