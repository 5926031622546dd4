//! Every form of events says the same: converted back and forth, replayed, cut into excerpts.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use support::{Bench, GOOD, day_text, real_data, repository, stderr, stdout};

/// Generates a day into `out`, and gives the path of its events.
fn generate(bench: &Bench, out: &str, arguments: &[&str], file: &str) -> PathBuf {
    let output = bench.run(&[&["generate", "--out", out], arguments].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    bench.path(out).join(file)
}

fn convert(bench: &Bench, arguments: &[&str]) {
    let output = bench.run(&[&["convert"], arguments].concat());
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", stderr(&output));
}

/// The two files that a replay writes.
fn outputs(bench: &Bench, registry: &Path, file: &str) -> (String, String) {
    let mut command = bench.command(&["replay", "--out", "out", file, "--registry"]);
    let output = command.arg(registry).output().expect("the binary runs");
    assert_eq!(output.status.code(), Some(0), "{file}: {}", stderr(&output));
    (bench.read("out/daily.csv"), bench.read("out/breaches.csv"))
}

#[test]
fn canonical_csv_to_binary_and_back_gives_the_same_bytes() {
    let bench = Bench::new();
    generate(&bench, "day", &["--events", "20000"], "2024-03-01.csv");
    convert(&bench, &["day/2024-03-01.csv", "day.qcev"]);
    convert(&bench, &["day.qcev", "back.csv"]);
    assert!(fs::read(bench.path("day/2024-03-01.csv")).unwrap() == fs::read(bench.path("back.csv")).unwrap());
    // By way of compressed files and standard output, too.
    convert(&bench, &["day.qcev", "day.csv.zst"]);
    convert(&bench, &["day.csv.zst", "again.qcev.gz"]);
    convert(&bench, &["again.qcev.gz", "again.qcev"]);
    assert!(fs::read(bench.path("day.qcev")).unwrap() == fs::read(bench.path("again.qcev")).unwrap());
    let output = bench.run(&["convert", "again.qcev", "-"]);
    assert!(output.stdout == fs::read(bench.path("back.csv")).unwrap());
}

#[test]
fn a_replay_of_any_form_writes_the_same_files() {
    let bench = Bench::new();
    for (out, arguments, file) in [
        ("tokyo", &["--events", "20000"][..], "2024-03-01.csv"),
        ("itch", &["--events", "20000", "--form", "itch"], "03012024.NASDAQ_ITCH50"),
    ] {
        generate(&bench, out, arguments, file);
        let source = format!("{out}/{file}");
        let zone = ["--timezone", "Asia/Tokyo"];
        convert(&bench, &[&zone[..], &[&source, "day.csv"]].concat());
        convert(&bench, &[&zone[..], &[&source, "day.qcev"]].concat());
        convert(&bench, &["day.csv", "from-csv.qcev"]);
        let registry = bench.path(out).join("registry");
        let expected = outputs(&bench, &registry, &source);
        assert!(1_000 < expected.1.len(), "there is something to compare");
        for form in ["day.csv", "day.qcev", "from-csv.qcev"] {
            assert!(outputs(&bench, &registry, form) == expected, "{source} as {form}");
        }
    }
}

#[test]
fn an_excerpt_from_mid_day_replays_strictly_and_measures_what_the_whole_day_does() {
    let bench = Bench::new();
    generate(&bench, "day", &["--events", "20000"], "2024-03-01.csv");
    let registry = bench.path("day/registry");
    let (_, whole) = outputs(&bench, &registry, "day/2024-03-01.csv");
    let from = "2024-03-01T13:00:00.000000+09:00";
    for (more, issue) in [(&[][..], None), (&["--issue", "1310"], Some("1310"))] {
        convert(&bench, &[more, &["--from", from, "day/2024-03-01.csv", "excerpt.qcev"]].concat());
        let (_, excerpt) = outputs(&bench, &registry, "excerpt.qcev");
        let later = |text: &str| -> Vec<String> {
            let rows = text.lines().skip(1).filter(|row| {
                let fields: Vec<&str> = row.split(',').collect();
                from < fields[4] && issue.is_none_or(|issue| issue == fields[2])
            });
            rows.map(str::to_owned).collect()
        };
        let expected = later(&whole);
        assert!(20 < expected.len(), "there is something to compare");
        assert_eq!(later(&excerpt), expected);
    }
}

#[test]
fn an_excerpt_ends_where_it_is_told() {
    let bench = Bench::new();
    bench.day("day.csv", &[GOOD[0], GOOD[1], "09:00:02,1306,cancel,1,,,,,,,", "09:00:03,1321,add,1,,,B,1000,1,,"]);
    let lines = |arguments: &[&str]| {
        let output = bench.run(&[&["convert"], arguments, &["day.csv", "-"]].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        stdout(&output).lines().skip(1).map(|line| line.split(',').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(lines(&[]), ["1", "2", "3", "4"]);
    assert_eq!(lines(&["--limit", "3"]), ["1", "2", "3"]);
    assert_eq!(lines(&["--to", "2024-03-01T09:00:02+09:00"]), ["1", "2"]);
    assert_eq!(lines(&["--to", "2024-03-01T09:00:02.000001+09:00"]), ["1", "2", "3"]);
    assert_eq!(lines(&["--issue", "1321"]), ["1"], "numbers start anew");
    assert_eq!(
        lines(&["--from", "2024-03-01T09:00:02+09:00"]),
        ["1", "2", "3", "4"],
        "two orders rest, two events follow"
    );
    assert_eq!(lines(&["--from", "2024-03-01T09:00:02.5+09:00"]), ["1", "2"], "one order rests, one event follows");
    assert_eq!(lines(&["--from", "2024-03-01T10:00:00+09:00"]), ["1", "2"], "after the last event two orders rest");
}

#[test]
fn real_events_survive_conversion() {
    let bench = Bench::new();
    if let Some(folder) = real_data("b3-petr4f-2015-11-03") {
        let events = folder.join("events.csv");
        let mut command = bench.command(&["convert"]);
        assert!(command.arg(&events).arg("b3.qcev").status().expect("the binary runs").success());
        convert(&bench, &["b3.qcev", "b3.csv"]);
        let registry = folder.join("registry");
        let expected = outputs(&bench, &registry, events.to_str().expect("UTF-8"));
        assert!(outputs(&bench, &registry, "b3.qcev") == expected);
        assert!(outputs(&bench, &registry, "b3.csv") == expected);
        assert!(bench.read("b3.csv").contains("2015-11-03T11:00:17.055000-02:00"), "times keep their offset");
    }
    if let Some(folder) = real_data("nasdaq-itch50") {
        let registry = repository("replay-data/itch-nasdaq/registry").canonicalize().expect("the bundled registry");
        let itch = folder.join("12302019-premarket.NASDAQ_ITCH50.gz");
        for name in ["itch.qcev", "itch.csv.gz"] {
            let status = bench.command(&["convert"]).arg(&itch).arg(name).status().expect("the binary runs");
            assert!(status.success());
        }
        let expected = outputs(&bench, &registry, itch.to_str().expect("UTF-8"));
        assert!(outputs(&bench, &registry, "itch.qcev") == expected);
        assert!(outputs(&bench, &registry, "itch.csv.gz") == expected);
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_one_others() {
    let bench = Bench::new();
    let day = |seed: &str| bench.run(&["generate", "--events", "5000", "--seed", seed, "--out", "-"]).stdout;
    let first = day("7");
    assert_eq!(first.iter().filter(|&&byte| byte == b'\n').count(), 5_001);
    assert!(first == day("7") && first != day("8"));
}

#[test]
fn a_generated_month_is_measured_in_one_run() {
    let bench = Bench::new();
    let output =
        bench.run(&["generate", "--month", "2024-03", "--holiday", "2024-03-20", "--events", "2000", "--out", "month"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let mut days: Vec<String> = fs::read_dir(bench.path("month"))
        .unwrap()
        .map(|entry| format!("month/{}", entry.unwrap().file_name().into_string().unwrap()))
        .filter(|name| name.ends_with(".csv"))
        .collect();
    days.sort();
    assert_eq!(days.len(), 20);
    assert!(!days.contains(&"month/2024-03-20.csv".to_owned()));
    let arguments: Vec<&str> = ["replay", "--registry", "month/registry", "--out", "out"]
        .into_iter()
        .chain(days.iter().map(String::as_str))
        .collect();
    let output = bench.run(&arguments);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("Fast Market x"), "one day of the month is a Fast Market day");
}

#[test]
fn what_cannot_be_converted_is_refused_and_nothing_is_written() {
    let bench = Bench::new();
    bench.day("bad.csv", &[GOOD[0], "09:00:01,1306,add,2,,VS1,S,-1,10,,"]);
    bench.write(
        "backwards.csv",
        day_text("2024-03-01", &["09:00:02,1306,clear,,,,,,,,", "09:00:01,1306,clear,,,,,,,,"]).as_bytes(),
    );
    let binary = {
        bench.day("good.csv", &GOOD);
        convert(&bench, &["good.csv", "good.qcev"]);
        fs::read(bench.path("good.qcev")).unwrap()
    };
    let mut newer = binary.clone();
    newer[8] = 9;
    bench.write("newer.qcev", &newer);
    bench.write("cut.qcev", &binary[..binary.len() - 70]);
    for (input, expected) in [
        ("bad.csv", "bad.csv: line 3: price: found \"-1\""),
        ("backwards.csv", "backwards.csv: line 3: time:"),
        ("absent.csv", "absent.csv: cannot be read"),
        ("newer.qcev", "version"),
        ("cut.qcev", "cut.qcev: byte"),
    ] {
        for target in ["out.csv", "out.qcev"] {
            let output = bench.run(&["convert", input, target]);
            assert_eq!(output.status.code(), Some(1), "{input}: {}", stderr(&output));
            assert!(stderr(&output).contains(expected), "{input}: {}", stderr(&output));
            assert!(!bench.path(target).exists());
        }
    }
    assert!(bench.names().iter().all(|name| !name.starts_with(".quoteclock")), "{:?}", bench.names());
    for (arguments, expected) in [
        (&["convert", "good.csv", "out.txt"][..], "expected .csv or .qcev"),
        (&["convert", "good.csv", "out.csv", "--issue", "13 06"], "--issue"),
        (&["convert", "good.csv", "out.csv", "--timezone", "Mars/Olympus"], "--timezone"),
        (&["convert", "good.csv"], "OUT"),
        (&["generate", "--out", "x", "--events", "12x"], "--events"),
        (&["generate", "--out", "x", "--load", "nyse"], "--load"),
        (&["generate", "--out", "x", "--load", "us-market", "--form", "csv"], "--form itch or binary"),
        (&["generate", "--out", "-", "--month", "2024-03"], "--out - takes one day"),
        (&["generate", "--out", "x", "--events", "10"], "expected"),
    ] {
        let output = bench.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(expected), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn a_damaged_binary_file_is_refused_or_unknown_from_there() {
    let bench = Bench::new();
    bench.day("good.csv", &GOOD);
    convert(&bench, &["good.csv", "good.qcev"]);
    let binary = fs::read(bench.path("good.qcev")).unwrap();
    for position in (0..binary.len()).step_by(7) {
        let mut damaged = binary.clone();
        damaged[position] ^= 0x10;
        bench.write("bad.qcev", &damaged);
        let output = bench.replay(&["bad.qcev"]);
        assert_eq!(output.status.code(), Some(1), "byte {position}: {}", stdout(&output));
        assert!(stderr(&output).contains("bad.qcev"), "{}", stderr(&output));
    }
    // The slots of 1306, which end before the lists of names and blocks: all of the issue is in doubt.
    let slots = binary.windows(4).position(|bytes| bytes == b"QNAM").expect("the list of names") - 8;
    let mut damaged = binary.clone();
    damaged[slots] ^= 0x10;
    bench.write("bad.qcev", &damaged);
    assert_eq!(bench.replay(&["--lenient", "bad.qcev"]).status.code(), Some(3));
    assert!(bench.read("out/daily.csv").contains("1306,general,0,0,3600000000,\n"), "{}", bench.read("out/daily.csv"));
}

#[test]
fn a_binary_day_without_records_tells_its_date_itself() {
    let bench = Bench::new();
    bench.write("empty.csv", support::HEADER.as_bytes());
    convert(&bench, &["--date", "2024-03-01", "empty.csv", "empty.qcev"]);
    let output = bench.replay(&["empty.qcev"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(bench.read("out/daily.csv").contains("2024-03-01,MM1,1306,general,3600000000,0,0,0.0000\n"));
}
