//! `quoteclock replay` as users run it: the binary, its files, its exit codes.

mod support;

use std::fs;
use std::io::Write;
use std::process::Stdio;
use support::{Bench, GOOD, HEADER, day_text, notes, real_data, repository, stderr, stdout};

const DAILY: &str = "date,market_maker,issue,obligation,available_us,fulfilled_us,unknown_us,display_pct\n\
     2024-03-01,MM1,1306,general,3600000000,3599000000,0,99.9722\n\
     2024-03-01,MM1,1321,general,3600000000,0,0,0.0000\n";

const BREACHES: &str = "date,market_maker,issue,obligation,start,end,duration_us,reason\n\
     2024-03-01,MM1,1306,general,2024-03-01T09:00:00.000000+09:00,2024-03-01T09:00:01.000000+09:00,1000000,no_bid+no_offer\n\
     2024-03-01,MM1,1321,general,2024-03-01T09:00:00.000000+09:00,2024-03-01T10:00:00.000000+09:00,3600000000,no_bid+no_offer\n";

const OUTAGES: &str = "date,market_maker,issue,obligation,start,end,duration_us,reasons\n\
     2024-03-01,MM1,1306,general,2024-03-01T09:00:00.000000+09:00,2024-03-01T09:00:01.000000+09:00,1000000,no_bid+no_offer:1000000\n\
     2024-03-01,MM1,1321,general,2024-03-01T09:00:00.000000+09:00,2024-03-01T10:00:00.000000+09:00,3600000000,no_bid+no_offer:3600000000\n";

#[test]
fn a_good_day_gives_its_files_and_a_table() {
    let bench = Bench::new();
    bench.day("day.csv", &GOOD);
    let output = bench.replay(&["day.csv"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(bench.read("out/daily.csv"), DAILY);
    assert_eq!(bench.read("out/breaches.csv"), BREACHES);
    assert_eq!(bench.read("out/outages.csv"), OUTAGES);
    assert_eq!(fs::read_dir(bench.path("out")).unwrap().count(), 3, "nothing else is left");
    let table = stdout(&output);
    assert!(table.contains("MM1") && table.contains("99.9722"), "{table}");
    assert!(table.contains("09:00:00 for 0:00:01 no_bid+no_offer"), "{table}");
    assert!(table.contains("sequential_quote = \"available\""), "interpretations are printed: {table}");
}

#[test]
fn compression_is_recognised_by_content_and_standard_input_by_a_dash() {
    let bench = Bench::new();
    let text = day_text("2024-03-01", &GOOD);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(text.as_bytes()).unwrap();
    let zstd = zstd::encode_all(text.as_bytes(), 3).unwrap();
    // Two members or frames, one after the other, are one stream.
    let (head, tail) = text.as_bytes().split_at(100);
    let two_frames = [zstd::encode_all(head, 3).unwrap(), zstd::encode_all(tail, 3).unwrap()].concat();
    for bytes in [text.clone().into_bytes(), gzip.finish().unwrap(), zstd, two_frames] {
        bench.write("misleading.txt", &bytes);
        assert_eq!(bench.replay(&["misleading.txt"]).status.code(), Some(0));
        assert_eq!(bench.read("out/daily.csv"), DAILY);
        for more in [&["-"][..], &["--lenient", "-"]] {
            let mut arguments = vec!["replay", "--registry", "registry", "--json"];
            arguments.extend(more);
            let mut child = bench
                .command(&arguments)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .expect("the binary runs");
            child.stdin.take().unwrap().write_all(&bytes).unwrap();
            let output = child.wait_with_output().unwrap();
            assert!(stdout(&output).contains("\"fulfilled_us\":3599000000"), "{}", stdout(&output));
        }
    }
}

#[test]
fn json_has_the_names_and_columns_of_the_files() {
    let bench = Bench::new();
    bench.day("day.csv", &GOOD);
    let output = bench.replay(&["--json", "day.csv"]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
    for (name, file) in [("daily", DAILY), ("breaches", BREACHES)] {
        let mut lines = file.lines();
        let columns: Vec<&str> = lines.next().unwrap().split(',').collect();
        let rows = document[name].as_array().expect("a list");
        assert_eq!(rows.len(), file.lines().count() - 1);
        for (row, line) in rows.iter().zip(lines) {
            assert_eq!(row.as_object().unwrap().len(), columns.len());
            for (column, text) in columns.iter().zip(line.split(',')) {
                let value = &row[column];
                let number = text.parse::<f64>().ok().filter(|_| value.is_number());
                assert!(value.as_str() == Some(text) || number == value.as_f64(), "{column}: {value} and {text}");
            }
        }
    }
    assert_eq!(document["scheme"]["interpretations"]["yen_rounding"], "down");
}

#[test]
fn days_come_out_the_same_in_any_order_on_any_number_of_threads() {
    let bench = Bench::new();
    let days: Vec<String> = (1..=4)
        .map(|day| {
            let name = format!("{day}.csv");
            bench.write(&name, day_text(&format!("2024-03-0{day}"), &GOOD[..day % 3]).as_bytes());
            name
        })
        .collect();
    // A day without records has no date of its own.
    bench.write("3.csv", day_text("2024-03-03", &GOOD[..1]).as_bytes());
    let mut seen: Option<(String, String)> = None;
    for (order, threads) in [([0, 1, 2, 3], "1"), ([3, 1, 0, 2], "2"), ([2, 3, 1, 0], "7")] {
        let mut arguments = vec!["--threads", threads];
        arguments.extend(order.map(|position: usize| days[position].as_str()));
        let output = bench.replay(&arguments);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let files = (bench.read("out/daily.csv"), bench.read("out/breaches.csv"));
        assert_eq!(files.0.lines().count(), 9);
        assert_eq!(seen.get_or_insert_with(|| files.clone()), &files);
    }
}

#[test]
fn of_several_days_all_output_is_written_or_none() {
    let bench = Bench::new();
    bench.day("good.csv", &GOOD);
    bench.write("bad.csv", day_text("2024-03-02", &["09:00:00,1306,cancel,7,,,,,,,"]).as_bytes());
    let output = bench.replay(&["good.csv", "bad.csv"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("bad.csv: line 2: order 7 is not in the issue's book"), "{}", stderr(&output));
    assert_eq!(stdout(&output), "");
    assert_eq!(bench.names(), ["bad.csv", "good.csv"], "no output, and nothing beside it");
}

#[test]
fn a_failed_run_leaves_earlier_output_as_it_was() {
    let bench = Bench::new();
    bench.day("good.csv", &GOOD);
    bench.day("bad.csv", &["09:00:00,1306,cancel,7,,,,,,,"]);
    bench.replay(&["good.csv"]);
    assert_eq!(bench.replay(&["bad.csv"]).status.code(), Some(1));
    assert_eq!(bench.read("out/daily.csv"), DAILY);
}

#[test]
fn a_strict_run_takes_away_the_rejects_of_an_earlier_lenient_one() {
    let bench = Bench::new();
    bench.day("good.csv", &GOOD);
    bench.day("bad.csv", &["09:00:00,1306,cancel,7,,,,,,,"]);
    assert_eq!(bench.replay(&["--lenient", "bad.csv"]).status.code(), Some(3));
    assert!(bench.path("out/rejects.csv").exists());
    assert_eq!(bench.replay(&["good.csv"]).status.code(), Some(0));
    assert!(!bench.path("out/rejects.csv").exists());
}

#[test]
fn a_day_without_records_needs_its_date() {
    let bench = Bench::new();
    bench.write("empty.csv", HEADER.as_bytes());
    let output = bench.replay(&["empty.csv"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("empty.csv: no record with a readable time"), "{}", stderr(&output));
    let output = bench.replay(&["--date", "2024-03-01", "empty.csv"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(bench.read("out/daily.csv").contains("2024-03-01,MM1,1306,general,3600000000,0,0,0.0000\n"));
}

#[test]
fn a_date_that_the_records_contradict_is_refused() {
    let bench = Bench::new();
    bench.day("day.csv", &GOOD);
    let output = bench.replay(&["--date", "2024-03-02", "day.csv"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("line 2: time: found 2024-03-01T09:00:01"), "{}", stderr(&output));
}

#[test]
fn wrong_usage_exits_with_2_and_says_what_is_right() {
    let bench = Bench::new();
    bench.day("a.csv", &GOOD);
    bench.day("b.csv", &GOOD);
    for (arguments, expected) in [
        (&["replay", "--registry", "registry", "a.csv", "b.csv"][..], "both of 2024-03-01"),
        (&["replay", "--registry", "registry", "-", "-"], "standard input (-) is given twice"),
        (&["replay", "--registry", "registry"], "FILE"),
        (&["replay", "a.csv"], "--registry"),
        (&["replay", "--registry", "registry", "--date", "1.3.2024", "a.csv"], "--date"),
        (&["replay", "--registry", "registry", "--threads", "0", "a.csv"], "--threads"),
        (&["replay", "--registry", "registry", "--no-such-flag", "a.csv"], "--no-such-flag"),
        (&["no-such-command"], "no-such-command"),
        (&[], "Usage"),
    ] {
        let output = bench.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(expected), "{arguments:?}: {}", stderr(&output));
        assert_eq!(stdout(&output), "");
    }
}

#[test]
fn help_has_examples() {
    let bench = Bench::new();
    for command in ["replay", "check"] {
        let help = stdout(&bench.run(&[command, "--help"]));
        assert!(help.contains("Examples:\n  quoteclock"), "{help}");
    }
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let bench = Bench::new();
    for (file, expected) in
        [("absent.csv", "absent.csv: cannot be read"), ("registry", "registry: cannot be read: is a folder")]
    {
        let output = bench.replay(&[file]);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
    }
    let output = bench.run(&["replay", "--registry", "nowhere", "x.csv"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("registry nowhere: not a folder"), "{}", stderr(&output));
}

#[test]
fn a_registry_with_errors_is_refused_and_all_of_them_are_named() {
    let bench = Bench::new();
    bench.day("day.csv", &GOOD);
    bench.write("registry/signups.csv", b"market_maker,issue\nMM1,9999\nMM7,1306\n");
    bench.write("registry/issues.csv", b"issue,type,tick_table,colour\n1306,T,yen,red\n");
    for arguments in [&["replay", "--registry", "registry", "day.csv"][..], &["check", "--registry", "registry"]] {
        let output = bench.run(arguments);
        assert_eq!(output.status.code(), Some(1));
        let text = stdout(&output) + &stderr(&output);
        assert!(text.contains("issues.csv: line 1, column colour"), "{text}");
        assert!(text.contains("signups.csv: line 3, column market_maker"), "{text}");
    }
}

#[test]
fn a_misspelt_registry_file_is_not_passed_over_in_silence() {
    let bench = Bench::new();
    bench.day("day.csv", &GOOD);
    bench.write("registry/fast-market.csv", b"from,to,multiplier\n2024-03-01,,2\n");
    for arguments in [&["replay", "--registry", "registry", "day.csv"][..], &["check", "--registry", "registry"]] {
        let output = bench.run(arguments);
        assert_eq!(output.status.code(), Some(0));
        let text = stdout(&output) + &stderr(&output);
        assert!(text.contains("fast-market.csv: is not a file of a registry"), "{text}");
    }
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let bench = Bench::new();
    bench.day("day.csv", &GOOD);
    let mut child = bench
        .command(&["replay", "--registry", "registry", "day.csv"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), notes(&output).as_str()), (Some(0), ""));
}

/// Every folder of `replay-data` with an `expected` folder: what the command says of it, byte for byte.
/// `UPDATE_GOLDEN=1` writes what it says instead.
#[test]
fn bundled_days_come_out_as_expected() {
    let mut count = 0;
    for entry in fs::read_dir(repository("replay-data")).expect("bundled days") {
        let folder = entry.expect("readable").path();
        let expected = folder.join("expected");
        if !expected.is_dir() {
            continue;
        }
        count += 1;
        let files = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        let days: Vec<_> = files.filter(|path| support::is_day(path)).collect();
        let bench = Bench::new();
        let mut command = bench.command(&["replay", "--out", "out", "--registry"]);
        let output = command.arg(folder.join("registry")).args(&days).output().expect("the binary runs");
        assert_eq!(output.status.code(), Some(0), "{}: {}", folder.display(), stderr(&output));
        for name in ["daily.csv", "breaches.csv", "outages.csv"] {
            if std::env::var_os("UPDATE_GOLDEN").is_some() {
                fs::copy(bench.path("out").join(name), expected.join(name)).unwrap();
            }
            assert_eq!(bench.read(&format!("out/{name}")), fs::read_to_string(expected.join(name)).unwrap());
        }
    }
    assert!(0 < count, "no bundled day has expected results");
}

#[test]
fn real_itch_replays_strictly_from_its_beginning_and_leniently_from_its_middle() {
    let Some(folder) = real_data("nasdaq-itch50") else { return };
    let bench = Bench::new();
    let replay = |file: &str, more: &[&str]| {
        let registry = repository("replay-data/itch-nasdaq/registry").canonicalize().expect("the bundled registry");
        let mut command = bench.command(&["replay", "--out", "out", "--registry"]);
        command.arg(registry).args(more).arg(folder.join(file)).output().expect("the binary runs")
    };
    let output = replay("12302019-premarket.NASDAQ_ITCH50.gz", &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let slice = "12302019-open-slice.NASDAQ_ITCH50.gz";
    let output = replay(slice, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("byte 0: order 4851694 is not in the issue's book"), "{}", stderr(&output));
    assert_eq!(replay(slice, &["--date", "2019-12-31"]).status.code(), Some(1), "the name says another date");
    let output = replay(slice, &["--lenient"]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert_eq!(bench.read("out/rejects.csv").lines().count(), 1 + 399);
    let daily = bench.read("out/daily.csv");
    // From the first message on, orders of stocks are named whose symbols never come: any issue may be meant.
    let rows: Vec<&str> = daily.lines().skip(1).collect();
    assert!(rows.iter().all(|row| row.ends_with(",general,0,0,52199999925,")), "{daily}");
    assert!(rows.len() == 6 && rows.contains(&"2019-12-30,GSCO,VOE,general,0,0,52199999925,"), "{daily}");
}

#[test]
fn a_real_day_comes_out_as_computed_independently() {
    let Some(folder) = real_data("b3-petr4f-2015-11-03") else { return };
    let bench = Bench::new();
    let mut command = bench.command(&["replay", "--out", "out", "--registry"]);
    let output = command.arg(folder.join("registry")).arg(folder.join("events.csv")).output().expect("the binary runs");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let daily = bench.read("out/daily.csv");
    let fulfilled = |maker| match maker {
        "BRK120" => 15_224_496_000_u64,
        "BRK3" => 583_308_000,
        "BRK72" => 219_205_000,
        "BRK386" => 105_829_000,
        _ => 0,
    };
    assert_eq!(daily.lines().count(), 9);
    for line in daily.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        assert_eq!((fields[2], fields[4], fields[6]), ("PETR4F", "21300000000", "0"));
        assert_eq!(fields[5], fulfilled(fields[1]).to_string(), "{line}");
    }
    assert!(daily.contains("15224496000,0,71.4765\n"));
    assert_eq!(bench.read("out/breaches.csv").lines().count(), 1 + 295);
}
