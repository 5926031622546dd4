//! Damaged input, kind by kind: strict runs stop and say where, lenient ones set aside and say what is in doubt.

mod support;

use proptest::prelude::*;
use std::fs;
use std::io::Write;
use support::{Bench, GOOD, HEADER, day_text, stderr, stdout};

/// Every kind of bad record of REFERENCE section 2: the records after [`GOOD`], which one is bad, what is said of it, and what
/// is unknown of issues 1306 and 1321 in a lenient run, in seconds of the hour.
const KINDS: &[(&[&str], usize, &str, u64, u64)] = &[
    (&["09:10:00,1306,add,3,,VS1,B,10.00001,1,,"], 4, "price: found \"10.00001\"", 3000, 0),
    (&["09:10:00,1306,add,3,,VS1,B,1,0,,"], 4, "quantity: found \"0\"", 3000, 0),
    (&["09:10:00,1306,add,3,,VS1,X,1,1,,"], 4, "side: found \"X\"", 3000, 0),
    (&["09:10:00,1306,add,3,,VS1,B,1,1,gtc,"], 4, "condition: found \"gtc\"", 3000, 0),
    (&["09:10:00,1306,modify,3,,,,,,,"], 4, "event: found \"modify\"", 3000, 0),
    (&["09:10:00,1306,phase,,,,,,,,lunch"], 4, "phase: found \"lunch\"", 3000, 0),
    (&["09:10:60,1306,cancel,1,,,,,,,"], 4, "time: found \"2024-03-01T09:10:60+09:00\"", 3599, 0),
    (&["09:10:00,,cancel,1,,,,,,,"], 4, "issue: found nothing", 3000, 3000),
    (&["09:10:00,*,cancel,1,,,,,,,"], 4, "issue: found \"*\"", 3000, 3000),
    (&["09:10:00,1306,cancel,1"], 4, "record: found a record of 5 fields", 3599, 3599),
    (&["09:10:00,1306,add,1,,VS1,B,1,1,,"], 4, "order 1 is already in the issue's book", 3000, 0),
    (&["09:10:00,1306,replace,1,2,,,,,,"], 4, "order 2 is already in the issue's book", 3000, 0),
    (&["09:10:00,1306,replace,7,8,,,1,1,,"], 4, "order 7 is not in the issue's book", 3000, 0),
    (&["09:10:00,1306,cancel,7,,,,,,,"], 4, "order 7 is not in the issue's book", 3000, 0),
    (&["09:10:00,1321,cancel,1,,,,,,,"], 4, "order 1 is not in the issue's book", 0, 3000),
    (&["09:10:00,1306,reduce,1,,,,,11,,"], 4, "11 shares are taken off order 1, expected at most the 10", 3000, 0),
    (&["09:10:00,1306,trade,1,2,,,1,11,,"], 4, "11 shares are taken off order 1", 3000, 0),
    (&["09:10:00,1306,trade,1,1,,,1,1,,"], 4, "contra: found \"1\"", 3000, 0),
    // Time backwards: the time between is in doubt too, though it was measured before.
    (
        &["09:20:00,1321,phase,,,,,,,,continuous", "09:10:00,1306,cancel,1,,,,,,,"],
        5,
        "time: found 2024-03-01T09:10:00.000000+09:00, expected 2024-03-01T09:20:00.000000+09:00",
        3000,
        0,
    ),
    // In doubt until the next clear of the issue.
    (
        &["09:10:00,1306,cancel,7,,,,,,,", "09:20:00,1321,clear,,,,,,,,", "09:30:00,1306,clear,,,,,,,,"],
        4,
        "order 7 is not in the issue's book",
        1200,
        0,
    ),
    (&["09:10:00,,cancel,7,,,,,,,", "09:30:00,*,clear,,,,,,,,"], 4, "issue: found nothing", 1200, 1200),
    // In doubt and closed at once: only what would have been available is unknown.
    (&["09:10:00,1306,cancel,7,,,,,,,", "09:15:00,1306,phase,,,,,,,,halt"], 4, "order 7", 300, 0),
];

fn good_and(more: &[&str]) -> Vec<u8> {
    let records: Vec<&str> = GOOD.iter().chain(more).copied().collect();
    day_text("2024-03-01", &records).into_bytes()
}

#[test]
fn a_strict_run_stops_at_every_kind_of_bad_record() {
    for (records, line, message, ..) in KINDS {
        let bench = Bench::new();
        bench.write("day.csv", &good_and(records));
        let output = bench.replay(&["day.csv"]);
        let error = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{records:?}: {error}");
        assert!(error.starts_with(&format!("error: day.csv: line {line}: ")), "{records:?}: {error}");
        assert!(error.contains(message) && error.contains("expected"), "{records:?}: {error}");
        assert_eq!((stdout(&output).as_str(), bench.names()), ("", vec!["day.csv".to_owned()]));
    }
}

#[test]
fn a_lenient_run_sets_every_kind_of_bad_record_aside_and_knows_what_is_in_doubt() {
    for (records, line, message, unknown_1306, unknown_1321) in KINDS {
        let bench = Bench::new();
        let text = good_and(records);
        bench.write("day.csv", &text);
        let output = bench.replay(&["--lenient", "day.csv"]);
        assert_eq!(output.status.code(), Some(3), "{records:?}: {}", stderr(&output));
        let rejects = bench.read("out/rejects.csv");
        let row = rejects.lines().nth(1).expect("a reject");
        assert!(row.starts_with(&format!("day.csv,line {line},")), "{row}");
        assert!(row.replace("\"\"", "\"").contains(message), "{message}: {row}");
        let bad = std::str::from_utf8(&text).unwrap().lines().nth(line - 1).unwrap();
        assert!(row.ends_with(&format!("\"{}\"", bad.replace('"', "\"\""))), "the record stands there whole: {row}");
        for (issue, unknown) in [("1306", unknown_1306), ("1321", unknown_1321)] {
            let daily = bench.read("out/daily.csv");
            let found = daily.lines().find(|line| line.contains(issue)).expect("a row for each issue");
            assert_eq!(
                found.split(',').nth(6),
                Some((unknown * 1_000_000).to_string().as_str()),
                "{records:?}: {found}"
            );
        }
    }
}

#[test]
fn sequence_gaps_and_repeats_are_found() {
    let text = |numbers: [u64; 3]| {
        let [a, b, c] = numbers;
        format!(
            "{HEADER}\n{a},2024-03-01T09:00:00+09:00,1306,add,1,,VS1,B,1000,10,,\n\
             {b},2024-03-01T09:00:00+09:00,1306,add,2,,VS1,S,1003,10,,\n\
             {c},2024-03-01T09:30:00+09:00,1306,reduce,1,,,,,1,,\n"
        )
    };
    let daily_of_1306 = |bench: &Bench| bench.read("out/daily.csv").lines().nth(1).map(str::to_owned);
    for (numbers, message, lenient) in [
        // The record after the gap is applied, and every issue is unknown since the record before it, at nine.
        ([5, 6, 8], "seq: found 8, expected 7: records are missing", "0,0,3600000000,"),
        ([5, 6, 6], "seq: found 6, expected a number above 6", "1800000000,1800000000,1800000000,100.0000"),
        ([5, 6, 1], "seq: found 1, expected a number above 6", "1800000000,1800000000,1800000000,100.0000"),
    ] {
        let bench = Bench::new();
        bench.write("day.csv", text(numbers).as_bytes());
        let output = bench.replay(&["day.csv"]);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains(&format!("day.csv: line 4: {message}")), "{}", stderr(&output));
        assert_eq!(bench.replay(&["--lenient", "day.csv"]).status.code(), Some(3));
        assert_eq!(daily_of_1306(&bench), Some(format!("2024-03-01,MM1,1306,general,{lenient}")));
        let gaps_allowed = bench.replay(&["--allow-gaps", "day.csv"]).status.code();
        assert_eq!(gaps_allowed, Some(if numbers == [5, 6, 8] { 0 } else { 1 }));
    }
    let bench = Bench::new();
    bench.write("day.csv", text([u64::MAX - 2, u64::MAX - 1, u64::MAX]).as_bytes());
    assert_eq!(bench.replay(&["day.csv"]).status.code(), Some(0), "numbers may start anywhere");
}

#[test]
fn a_second_trading_date_is_refused() {
    let bench = Bench::new();
    let text = good_and(&[]);
    let next_day = "3,2024-03-02T09:00:00+09:00,1306,cancel,1,,,,,,,\n";
    bench.write("day.csv", &[&text[..], next_day.as_bytes()].concat());
    let output = bench.replay(&["day.csv"]);
    assert_eq!(output.status.code(), Some(1));
    let expected = "day.csv: line 4: time: found 2024-03-02T09:00:00.000000+09:00, expected a time of 2024-03-01";
    assert!(stderr(&output).contains(expected), "{}", stderr(&output));
    assert_eq!(bench.replay(&["--lenient", "day.csv"]).status.code(), Some(3));
    assert!(
        bench.read("out/daily.csv").contains("1306,general,1000000,0,3599000000,0.0000"),
        "it may have come at any time since the last record: {}",
        bench.read("out/daily.csv")
    );
}

#[test]
fn headers_that_are_not_of_events_are_refused_leniently_too() {
    let bench = Bench::new();
    for (text, expected) in [
        ("", "line 1: header: found nothing"),
        ("seq,time,issue,event,order,server,side,price,quantity,color\n", "column \"color\""),
        ("time,issue,event,order,server,side,price\n", "no column \"quantity\""),
        ("<html>", "column \"<html>\""),
    ] {
        bench.write("day.csv", text.as_bytes());
        for more in [&["day.csv"][..], &["--lenient", "day.csv"]] {
            let output = bench.replay(more);
            assert_eq!(output.status.code(), Some(1));
            assert!(stderr(&output).contains(expected), "{}", stderr(&output));
            assert_eq!(bench.names(), ["day.csv"]);
        }
    }
}

#[test]
fn a_line_of_ten_million_characters_is_one_bad_record_in_bounded_memory() {
    let bench = Bench::new();
    let mut text = good_and(&[]);
    let long = vec![b'7'; 10_000_000];
    text.extend_from_slice(&long);
    text.extend_from_slice(b"\n4,2024-03-01T09:30:00+09:00,1306,reduce,1,,,,,1,,\n");
    bench.write("day.csv", &text);
    let run = |more: &str| {
        let binary = assert_cmd::cargo::cargo_bin!("quoteclock");
        let script =
            // Room for the program and a few threads, each of which takes a lot of addresses and little memory.
            format!("ulimit -v 400000; exec {} replay --registry registry --out out {more} day.csv", binary.display());
        let shell = std::process::Command::new("sh").arg("-c").arg(script).current_dir(bench.path("")).output();
        shell.expect("a shell")
    };
    let output = run("");
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("day.csv: line 4: record: found a longer line, expected a line of at most 1 MiB"));
    assert!(stderr(&output).len() < 400, "the line itself is not printed");
    let output = run("--lenient");
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let rejects = fs::read(bench.path("out/rejects.csv")).unwrap();
    let count = rejects.iter().filter(|&&byte| byte == b'7').count();
    assert_eq!(count, long.len(), "the record is set aside whole");
    assert_eq!(bench.read("out/rejects.csv").lines().count(), 2);
}

// 124 bytes a blank line: without a limit a small file of them fills a disk.
#[test]
fn of_very_many_bad_records_of_one_kind_so_many_are_listed() {
    let bench = Bench::new();
    let mut text = good_and(&[]);
    let good_lines = text.iter().filter(|&&byte| byte == b'\n').count();
    text.extend_from_slice(&[b'\n'; 12_000]);
    text.extend_from_slice(b"9,2024-03-01T09:59:00+09:00,1306,cancel,777,,,,,,,\n");
    bench.write("day.csv", &gzip(&text));
    for (more, listed) in [(&[][..], 10_000), (&["--rejects", "3"], 3), (&["--rejects", "0"], 0)] {
        let output = bench.replay(&[&["--lenient", "day.csv"], more].concat());
        assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
        let rejects = bench.read("out/rejects.csv");
        // Of another kind there is one, listed unless none is, and last in the input.
        let rows: Vec<&str> = rejects.lines().skip(1).collect();
        let (blank, rest) = rows.split_at(listed);
        assert!(
            blank.iter().zip(good_lines + 1..).all(|(row, line)| row.starts_with(&format!("day.csv,line {line},")))
        );
        let more_of_it = format!("day.csv,and {} more,,record: expected ", 12_000 - listed);
        match rest {
            [unknown, blank] if 0 < listed => {
                assert!(unknown.contains("order 777 is not in"), "{unknown}");
                assert!(blank.starts_with(&more_of_it) && blank.ends_with(','), "{blank}");
            }
            [blank, unknown] => {
                assert!(blank.starts_with(&more_of_it), "{blank}");
                assert!(
                    unknown.starts_with("day.csv,and 1 more,,\"an order is not in the issue's book, "),
                    "{unknown}"
                );
            }
            _ => panic!("{rest:?}"),
        }
    }
    assert_eq!(bench.replay(&["--rejects", "3", "day.csv"]).status.code(), Some(2), "only where records are set aside");
}

#[cfg(unix)]
#[test]
fn what_needs_a_second_pass_may_come_through_a_pipe() {
    let bench = Bench::new();
    // Damage that says it belongs to time already measured.
    let late =
        String::from_utf8(good_and(&["09:30:00,1306,reduce,1,,,,,1,,", "09:10:00,1306,cancel,2,,,,,,,"])).unwrap();
    bench.write("late.csv", late.as_bytes());
    let binary = assert_cmd::cargo::cargo_bin!("quoteclock");
    let daily = |command: &str| {
        let _ = fs::remove_dir_all(bench.path("out"));
        let script =
            command.replace("REPLAY", &format!("{} replay --lenient --registry registry --out out", binary.display()));
        let shell = std::process::Command::new("sh").args(["-c", &script]).current_dir(bench.path("")).output();
        let output = shell.expect("a shell");
        assert_eq!(output.status.code(), Some(3), "{command}: {}", stderr(&output));
        bench.read("out/daily.csv")
    };
    let expected = daily("REPLAY late.csv");
    for command in [
        "cat late.csv | REPLAY -",
        "cat late.csv | REPLAY /dev/stdin",
        "REPLAY /dev/stdin < late.csv",
        "mkfifo fifo; cat late.csv > fifo & REPLAY fifo",
    ] {
        assert_eq!(daily(command), expected, "{command}");
    }
    let explain = "explain --lenient --registry registry --market-maker MM1 --issue 1306 --at 09:15";
    let script = format!("cat late.csv | {} {explain} /dev/stdin", binary.display());
    let shell = std::process::Command::new("sh").args(["-c", &script]).current_dir(bench.path("")).output();
    let output = shell.expect("a shell");
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(stdout(&output).contains("unknown"), "{}", stdout(&output));
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).expect("writing to memory");
    encoder.finish().expect("writing to memory")
}

fn zstd_checked(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 3).expect("a level");
    encoder.include_checksum(true).expect("a setting");
    encoder.write_all(bytes).expect("writing to memory");
    encoder.finish().expect("writing to memory")
}

#[test]
fn a_compressed_file_that_breaks_off_is_refused_or_unknown_from_there() {
    let more: Vec<String> =
        (0..20_000).map(|n| format!("09:30:{:02},1321,add,{n},,,B,{},1,,", n / 400, 1 + n % 977)).collect();
    let text = good_and(&more.iter().map(String::as_str).collect::<Vec<_>>());
    for (format, whole) in [("gzip", gzip(&text)), ("zstd", zstd_checked(&text))] {
        let bench = Bench::new();
        bench.write("day.csv", &whole);
        assert_eq!(bench.replay(&["day.csv"]).status.code(), Some(0));
        fs::remove_dir_all(bench.path("out")).unwrap();
        bench.write("day.csv", &whole[..whole.len() - whole.len() / 4]);
        let output = bench.replay(&["day.csv"]);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains(&format!("the {format} stream ends early")), "{}", stderr(&output));
        assert_eq!(bench.names(), ["day.csv"]);
        assert_eq!(bench.replay(&["--lenient", "day.csv"]).status.code(), Some(3));
        let daily = bench.read("out/daily.csv");
        let row: Vec<&str> = daily.lines().nth(1).unwrap().split(',').collect();
        let unknown: u64 = row[6].parse().unwrap();
        assert!((1_750_000_000..=1_800_000_000).contains(&unknown), "unknown from the last good time on: {daily}");
    }
}

#[test]
fn a_compressed_file_whose_checksum_is_wrong_is_refused_or_unknown_altogether() {
    let text = good_and(&[]);
    let (mut gzip, mut zstd) = (gzip(&text), zstd_checked(&text));
    let checksum = gzip.len() - 8;
    gzip[checksum] ^= 1;
    *zstd.last_mut().unwrap() ^= 1;
    for (format, bytes) in [("gzip", gzip), ("zstd", zstd)] {
        let bench = Bench::new();
        bench.write("day.csv", &bytes);
        let output = bench.replay(&["day.csv"]);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains(&format!("the {format} stream is corrupted")), "{}", stderr(&output));
        let output = bench.replay(&["--lenient", "day.csv"]);
        // Where nothing was given out before the checksum, not even the date is known.
        match output.status.code() {
            Some(3) => assert!(bench.read("out/daily.csv").contains("1306,general,0,0,3600000000,\n")),
            code => assert_eq!((code, bench.names()), (Some(1), vec!["day.csv".to_owned()])),
        }
    }
}

#[test]
fn many_blank_lines_come_to_what_each_of_them_does() {
    let bench = Bench::new();
    let head = good_and(&[]);
    let tail = b"4,2024-03-01T09:30:00+09:00,1306,reduce,1,,,,,1,,\n";
    let replay = |rejects: &str, blank: usize| {
        bench.write("day.csv", &[&head[..], &vec![b'\n'; blank], tail].concat());
        let output = bench.replay(&["--lenient", "--rejects", rejects, "day.csv"]);
        assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
        assert!(stderr(&output).contains(&format!("{blank} bad records were set aside")), "{}", stderr(&output));
        (bench.read("out/daily.csv"), bench.read("out/rejects.csv"))
    };
    // So that none, a few and all of them are listed.
    for blank in [2, 65, 20_000] {
        let (daily, rejects) = replay("3", blank);
        let (daily_of_all, rejects_of_all) = replay("1000000", blank);
        assert_eq!(daily, daily_of_all);
        let first: Vec<&str> = rejects_of_all.lines().take(4).collect();
        assert!(rejects.starts_with(&first.join("\n")), "{rejects}");
        assert_eq!(rejects_of_all.lines().count(), 1 + blank);
        assert_eq!(rejects.contains(&format!(",and {} more,", blank.saturating_sub(3))), 3 < blank, "{rejects}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Real processes on really damaged files: an exit code and a message, never a panic, and output only when whole.
    #[test]
    fn flipped_and_cut_files_end_well(flips in prop::collection::vec((any::<prop::sample::Index>(), 0..8_u8), 0..4),
                                      cut in any::<prop::sample::Index>(), form in 0..3, lenient: bool) {
        let bench = Bench::new();
        let text = good_and(&["09:10:00,1306,trade,1,2,,,1001,3,,", "09:20:00,*,phase,,,,,,,,halt"]);
        let mut bytes = match form { 0 => text, 1 => gzip(&text), _ => zstd_checked(&text) };
        for (position, bit) in flips {
            let position = position.index(bytes.len());
            bytes[position] ^= 1 << bit;
        }
        bytes.truncate(cut.index(bytes.len() * 2).min(bytes.len()));
        bench.write("day.csv", &bytes);
        let output = bench.replay(if lenient { &["--lenient", "day.csv"] } else { &["day.csv"] });
        let error = stderr(&output);
        prop_assert!(!error.contains("panicked"), "{}", error);
        match output.status.code() {
            Some(0 | 3) => prop_assert!(bench.path("out/daily.csv").exists()),
            Some(1) => prop_assert!(error.starts_with("error: day.csv") && bench.names() == ["day.csv"], "{}", error),
            code => prop_assert!(false, "{:?}: {}", code, error),
        }
    }
}

/// A message of an ITCH file: its type, its locate, its time in nanoseconds, and the rest, behind its length.
fn itch(kind: u8, locate: u16, at: u64, rest: &[u8]) -> Vec<u8> {
    let message = [&[kind][..], &locate.to_be_bytes(), &[0, 0], &at.to_be_bytes()[2..], rest].concat();
    let length = u16::try_from(message.len()).expect("a short message");
    [&length.to_be_bytes()[..], &message].concat()
}

/// Of an order that nobody has entered, half an hour after nine.
fn itch_delete(locate: u16, seconds: u64) -> Vec<u8> {
    itch(b'D', locate, (34_200 + seconds) * 1_000_000_000, &77_u64.to_be_bytes())
}

#[test]
fn a_bad_record_names_its_issue_though_the_symbol_comes_later() {
    let bench = Bench::new();
    let directory = [&b"1306    Q N"[..], &[0, 0, 0, 100], b"NC  P N 1N", &[0, 0, 0, 0], b"N"].concat();
    for later in [0, 60] {
        let named = itch(b'R', 7, (34_200 + later) * 1_000_000_000, &directory[..28]);
        let stream = [itch_delete(7, 0), itch_delete(8, 0), named, itch_delete(7, 60)].concat();
        bench.write("03012024.NASDAQ_ITCH50", &stream);
        let output = bench.replay(&["--lenient", "--json", "03012024.NASDAQ_ITCH50"]);
        assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
        let rejects = bench.read("out/rejects.csv");
        let issues: Vec<&str> = rejects.lines().skip(1).map(|line| line.split(',').nth(2).unwrap()).collect();
        assert_eq!(issues, ["1306", "", "1306"], "a locate that never gets a symbol names no issue: {rejects}");
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let listed = json["rejects"].as_array().unwrap().iter().map(|row| row["issue"].as_str().unwrap_or_default());
        assert_eq!(listed.collect::<Vec<_>>(), issues);
    }
}
