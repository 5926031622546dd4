//! What an input does not support of its figures is named; and days that are measured in part.

mod support;

use serde_json::{Value, json};
use support::{Bench, GOOD, HEADER, day_text, stderr, stdout};

/// A day of both issues that supports everything.
const WHOLE: [&str; 6] = [
    "08:00:00,*,phase,,,,,,,,continuous",
    "09:00:01,1306,add,1,,VS1,B,1000,10,,",
    "09:00:01,1306,add,2,,VS1,S,1003,10,,",
    "09:00:01,1321,add,1,,VS1,B,1000,10,,",
    "09:30:00,1321,cancel,1,,,,,,,",
    "10:00:00,1306,cancel,1,,,,,,,",
];

/// The findings of `replay --json`, without their date.
fn findings(bench: &Bench, more: &[&str]) -> Vec<Value> {
    let output = bench.run(&[&["replay", "--registry", "registry", "--json"], more].concat());
    let document: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stderr(&output)));
    let mut findings = document["coverage"].as_array().expect("a list").clone();
    for finding in &mut findings {
        let finding = finding.as_object_mut().expect("an object");
        assert_eq!(finding.remove("date"), Some(json!("2024-03-01")));
        finding.retain(|_, value| !value.is_null());
    }
    findings
}

/// A day of `records`, and what it is found to lack; the same of every form, and leniently.
fn found(bench: &Bench, records: &[&str]) -> Vec<Value> {
    bench.day("day.csv", records);
    let expected = findings(bench, &["day.csv"]);
    assert_eq!(bench.run(&["convert", "day.csv", "day.qcev"]).status.code(), Some(0));
    for more in
        [&["--threads", "2", "day.csv"][..], &["--lenient", "day.csv"], &["day.qcev"], &["--threads", "2", "day.qcev"]]
    {
        assert_eq!(findings(bench, more), expected, "{more:?}");
    }
    expected
}

#[test]
fn a_day_that_supports_everything_says_nothing() {
    let bench = Bench::new();
    assert_eq!(found(&bench, &WHOLE), Vec::<Value>::new());
    let output = bench.run(&["replay", "--registry", "registry", "--strict-coverage", "day.csv"]);
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
    assert!(!stdout(&output).contains("2024-03-01: "), "{}", stdout(&output));
}

#[test]
fn what_a_day_lacks_is_named_everywhere() {
    let bench = Bench::new();
    let records = [
        "09:00:01,1306,add,1,,VS9,B,1000,10,,",
        "09:00:01,1306,add,2,,VS9,S,1003,10,,",
        "09:10:00,9999,add,1,,VS8,S,1003,10,,",
        "09:59:59.999999,9999,cancel,1,,,,,,,",
    ];
    let expected = json!([
        { "finding": "ends_early", "last": "2024-03-01T09:59:59.999999+09:00",
          "session_end": "2024-03-01T10:00:00.000000+09:00" },
        { "finding": "no_phase" },
        { "finding": "unknown_server", "name": "VS8", "orders": 1 },
        { "finding": "unknown_server", "name": "VS9", "orders": 2 },
        { "finding": "silent_server", "name": "VS1" },
        { "finding": "silent_issue", "name": "1321" },
        { "finding": "unknown_issue", "name": "9999" },
    ]);
    assert_eq!(json!(found(&bench, &records)), expected);
    let output = bench.run(&["replay", "--registry", "registry", "--db", "days.db", "day.csv"]);
    assert_eq!(output.status.code(), Some(0));
    for line in [
        "2024-03-01: the input ends at 09:59:59, before the session does at 10:00:00, and no phase has closed the market",
        "2024-03-01: the input has no phase event",
        "2024-03-01: 2 servers that no registry row knows: VS8 (1 order), VS9 (2 orders)",
        "2024-03-01: 1 registered server without an order: VS1",
        "2024-03-01: 1 signed-up issue without an event: 1321",
        "2024-03-01: 1 issue that the registry does not know: 9999",
    ] {
        assert!(stderr(&output).contains(&format!("warning: {line}\n")), "{}", stderr(&output));
        // The table has a row of an issue without an event, unfulfilled.
        assert_eq!(stdout(&output).contains(line), !line.contains("1321"), "{}", stdout(&output));
    }
    let days: Value = serde_json::from_slice(&bench.run(&["days", "--db", "days.db", "--json"]).stdout).unwrap();
    assert_eq!(days["days"][0]["coverage"].as_array().map(Vec::len), Some(7), "{days}");
    let output = bench.run(&["replay", "--registry", "registry", "--strict-coverage", "day.csv"]);
    assert_eq!(output.status.code(), Some(3));
}

#[test]
fn a_closing_phase_ends_a_day_before_its_session_does() {
    let bench = Bench::new();
    let mut records = WHOLE[..5].to_vec();
    assert_eq!(found(&bench, &records)[0]["finding"], "ends_early");
    records.push("09:30:00,*,phase,,,,,,,,closed");
    assert_eq!(found(&bench, &records), Vec::<Value>::new());
    records.push("09:31:00,*,phase,,,,,,,,continuous");
    assert_eq!(found(&bench, &records)[0]["finding"], "ends_early", "it has opened again");
    // Just before the session's end, and at it.
    records = WHOLE.to_vec();
    records[5] = "09:59:59.999999,1306,cancel,1,,,,,,,";
    assert_eq!(found(&bench, &records).len(), 1);
    assert_eq!(found(&bench, &WHOLE).len(), 0);
}

#[test]
fn a_day_with_nothing_to_measure_says_so() {
    let bench = Bench::new();
    bench.write("day.csv", HEADER.as_bytes());
    let found = findings(&bench, &["--date", "2024-03-01", "day.csv"]);
    assert_eq!(found[0]["finding"], "nothing_to_measure", "{found:?}");
    bench.write("registry/signups.csv", b"market_maker,issue\n");
    bench.day("day.csv", &WHOLE);
    let found = findings(&bench, &["day.csv"]);
    assert_eq!((found.len(), &found[0]["finding"]), (1, &json!("nothing_to_measure")), "{found:?}");
}

#[test]
fn where_the_feed_tells_the_sessions_a_market_left_open_is_a_day_cut_off() {
    let bench = Bench::new();
    let scheme = bench.read("registry/scheme.toml").replace("timezone", "phase_source = \"feed\"\ntimezone");
    bench.write("registry/scheme.toml", scheme.split("[[sessions]]").next().unwrap().as_bytes());
    let rest = "[types.T]\nmax_spread_bps = 100\nmax_spread_ticks = 3\nmin_value = 300\n[tick_tables]\nyen = [[\"above\", \"1\"]]\n";
    bench.write("registry/scheme.toml", (bench.read("registry/scheme.toml") + rest).as_bytes());
    let open = found(&bench, &WHOLE);
    assert_eq!(json!(open), json!([{ "finding": "ends_early", "last": "2024-03-01T10:00:00.000000+09:00" }]));
    assert_eq!(found(&bench, &[&WHOLE[..], &["10:00:00,*,phase,,,,,,,,closed"]].concat()), Vec::<Value>::new());
}

/// The day of one form measured up to `until`: the rows of `daily.csv`.
fn daily_until(bench: &Bench, until: &str, more: &[&str]) -> String {
    let output = bench.replay(&[&["--until", until], more].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    bench.read("out/daily.csv").lines().skip(1).map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_day_is_measured_up_to_a_time_and_nothing_after_it_is_judged() {
    let bench = Bench::new();
    // What comes at half past nine or later would be an error: it is not read.
    let records = [&WHOLE[..5], &["09:30:00,1321,cancel,7,,,,,,,", "09:00:00,rubbish,,,,,,,,,"]].concat();
    bench.day("day.csv", &records[..5]);
    assert_eq!(bench.run(&["convert", "day.csv", "day.qcev"]).status.code(), Some(0));
    bench.day("bad.csv", &records);
    let half = "2024-03-01,MM1,1306,general,1800000000,1799000000,0,99.9444\n\
                2024-03-01,MM1,1321,general,1800000000,0,0,0.0000\n";
    for until in ["09:30", "09:30:00", "2024-03-01T09:30:00+09:00", "2024-03-01T00:30:00Z"] {
        for more in
            [&["day.csv"][..], &["bad.csv"], &["--lenient", "bad.csv"], &["day.qcev"], &["--threads", "2", "bad.csv"]]
        {
            assert_eq!(daily_until(&bench, until, more), half, "{until} {more:?}");
        }
    }
    let later = bench.replay(&["--until", "09:30:00.000001", "bad.csv"]);
    assert_eq!(later.status.code(), Some(1), "a microsecond later the bad record is read");
    assert_eq!(daily_until(&bench, "09:00:01", &["day.csv"]).matches(",1000000,0,0,").count(), 2);
    assert_eq!(daily_until(&bench, "09:00:01.000001", &["day.csv"]).matches(",1000001,1,0,").count(), 1);
    // A day that ends before is measured up to then all the same.
    assert!(daily_until(&bench, "09:45", &["day.csv"]).contains(",2700000000,2699000000,"));
    assert!(bench.read("out/breaches.csv").contains("2024-03-01T09:45:00.000000+09:00,"));
    for wrong in ["9:30 am", "2024-03-02T09:30:00+09:00", "00:00"] {
        let output = bench.replay(&["--until", wrong, "day.csv"]);
        assert!(matches!(output.status.code(), Some(1 | 2)), "{wrong}");
        assert!(stderr(&output).contains("expected"), "{wrong}: {}", stderr(&output));
    }
}

#[test]
fn of_several_days_each_is_measured_up_to_that_time() {
    let bench = Bench::new();
    bench.day("1.csv", &WHOLE);
    bench.write("2.csv", day_text("2024-03-04", &WHOLE).as_bytes());
    let daily = daily_until(&bench, "09:30", &["1.csv", "2.csv"]);
    assert_eq!(daily.matches(",1800000000,").count(), 4, "{daily}");
}

#[test]
fn a_day_stored_in_part_is_marked_and_its_rest_is_to_come() {
    let bench = Bench::new();
    bench.day("day.csv", &WHOLE);
    let replay = ["replay", "--registry", "registry", "--db", "days.db", "day.csv"];
    let until = [&replay[..], &["--until", "09:30"]].concat();
    let output = bench.run(&until);
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
    assert!(stdout(&output).contains("2024-03-01: measured up to 09:30:00.000000"), "{}", stdout(&output));
    let month = ["--registry", "registry", "--db", "days.db", "--month", "2024-03"];
    let days = stdout(&bench.run(&["days", "--registry", "registry", "--db", "days.db"]));
    assert!(days.contains("until 2024-03-01T09:30:00.000000+09:00"), "{days}");
    let unaided = bench.run(&["days", "--db", "days.db"]);
    assert!(stdout(&unaided).contains("until 2024-03-01T09:30:00.000000+09:00"), "{}", stdout(&unaided));
    let status = |bench: &Bench| -> Value {
        serde_json::from_slice(&bench.run(&[&["status", "--json"][..], &month].concat()).stdout).unwrap()
    };
    let part = status(&bench);
    assert_eq!(part["days_partial"], json!(["2024-03-01"]));
    let output = bench.run(&[&["report"][..], &month].concat());
    assert_eq!(output.status.code(), Some(3));
    let note = "NOT COMPLETE: measured in part: 2024-03-01 (up to 09:30:00.000000)";
    assert!(stdout(&output).contains(note) && stderr(&output).contains(note), "{}", stdout(&output));
    assert_eq!(bench.run(&replay).status.code(), Some(0));
    let whole = status(&bench);
    assert_eq!(whole["days_partial"], json!([]));
    let remaining = |status: &Value| status["status"][0]["remaining_us"].as_u64();
    assert_eq!(
        remaining(&part).zip(remaining(&whole)).map(|(part, whole)| part - whole),
        Some(1_800_000_000),
        "{part}"
    );
}

#[test]
fn explain_takes_a_day_up_to_a_time() {
    let bench = Bench::new();
    bench.day("bad.csv", &[&WHOLE[..5], &["09:30:00,1306,cancel,7,,,,,,,"]].concat());
    let explain =
        ["explain", "--registry", "registry", "--market-maker", "MM1", "--issue", "1306", "bad.csv", "--until"];
    let output = bench.run(&[&explain[..], &["09:30"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("99.9444 %: 0:29:59 of 0:30:00 available"), "{}", stdout(&output));
    assert_eq!(bench.run(&[&explain[..], &["09:31"]].concat()).status.code(), Some(1));
    // It says that it is partial, and ends where it is not measured any more.
    let partial = "partial: measured up to 09:30:00.000000 only";
    assert!(stdout(&output).contains(partial), "{}", stdout(&output));
    let output = bench.run(&[&explain[..], &["09:30", "--at", "09:29:59"]].concat());
    let text = stdout(&output);
    assert!(text.contains(partial) && text.contains("to 09:30:00.000000,"), "{text}");
    assert!(text.contains("the day is measured up to here only") && !text.contains("24:00"), "{text}");
    let several = ["explain", "--registry", "registry", "--market-maker", "MM1", "bad.csv", "--until", "09:30"];
    for more in [&[][..], &["--at", "09:10"]] {
        let text = stdout(&bench.run(&[&several[..], more].concat()));
        assert!(text.contains(partial), "{text}");
    }
    let json = stdout(&bench.run(&[&explain[..], &["09:30", "--json"]].concat()));
    assert!(json.contains(r#""until": "2024-03-01T09:30:00.000000+09:00""#), "{json}");
    let page = bench.run(&[&explain[..], &["09:30", "--html", "page.html"]].concat());
    assert!(page.status.code() == Some(0) && bench.read("page.html").contains(partial));
    // An instant beyond is refused with the reason.
    for at in ["09:30", "09:45:00.5", "2024-03-01T09:45:00+09:00"] {
        let output = bench.run(&[&explain[..], &["09:30", "--at", at]].concat());
        assert_eq!(output.status.code(), Some(2), "{at}");
        let message = stderr(&output);
        let expected = "the day is measured up to 2024-03-01T09:30:00.000000+09:00 only (--until)";
        assert!(message.contains(expected) && !message.contains("date of the file"), "{message}");
    }
}

#[test]
fn a_short_day_names_what_it_lacks() {
    let bench = Bench::new();
    bench.day("day.csv", &GOOD);
    let output = bench.replay(&["day.csv"]);
    assert_eq!(stderr(&output).lines().count(), 3, "{}", stderr(&output));
}

/// A server's name is the feed's: it is kept as it is, and shown so that it turns no line of a terminal round.
#[test]
fn a_name_in_the_feed_steers_no_terminal() {
    let bench = Bench::new();
    bench.day("day.csv", &[&WHOLE[..], &["10:30:00,1306,add,9,,ab\u{202e}c,B,1000,10,,"]].concat());
    let output = bench.run(&["replay", "--registry", "registry", "--json", "day.csv"]);
    assert!(stdout(&output).contains("ab\u{202e}c"), "{}", stdout(&output));
    let output = bench.run(&["replay", "--registry", "registry", "day.csv"]);
    for text in [stdout(&output), stderr(&output)] {
        assert!(text.contains(r"ab\u{202e}c (1 order)"), "{text}");
        assert!(!text.contains('\u{202e}'), "{text:?}");
    }
}

/// As in the registry, so in the feed: 1 to 128 characters, none of which breaks a line or commands a terminal.
#[test]
fn a_name_in_the_feed_that_is_none_is_a_bad_record() {
    let bench = Bench::new();
    let long = "é".repeat(128);
    bench.day("day.csv", &[&WHOLE[..], &[&format!("10:30:00,1306,add,9,,{long},B,1000,10,,")]].concat());
    assert_eq!(bench.replay(&["day.csv"]).status.code(), Some(0), "as long as names may be");
    for form in ["day.qcev", "again.csv"] {
        let source = if form == "day.qcev" { "day.csv" } else { "day.qcev" };
        assert_eq!(bench.run(&["convert", source, form]).status.code(), Some(0), "{form}");
        assert_eq!(bench.replay(&[form]).status.code(), Some(0), "{form}");
    }
    for name in [format!("{long}e"), "a\x1b[31mb".to_owned(), "a\u{7f}".to_owned(), "a\u{2028}b".to_owned()] {
        let record = format!("10:30:00,1306,add,9,,{name},B,1000,10,,");
        bench.day("day.csv", &[&WHOLE[..], &[&record]].concat());
        let strict = bench.replay(&["day.csv"]);
        assert_eq!(strict.status.code(), Some(1), "{name:?}");
        let expected = "expected the name of a virtual server: UTF-8, at most 128 characters, none a control character";
        assert!(
            stderr(&strict).contains("line 8: server: ") && stderr(&strict).contains(expected),
            "{}",
            stderr(&strict)
        );
        let lenient = bench.replay(&["--lenient", "day.csv"]);
        assert_eq!(lenient.status.code(), Some(3), "{name:?}");
        assert!(bench.read("out/rejects.csv").contains("day.csv,line 8,1306,"), "{}", bench.read("out/rejects.csv"));
    }
}
