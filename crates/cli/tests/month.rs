//! The month as users get it: `replay --db`, `days`, `report`, `status`.
#![allow(clippy::unwrap_used, reason = "helpers are part of the tests")]

mod support;

use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fs;
use support::{Bench, day_text, stderr, stdout};

/// Replays files into `market.db`.
fn store(bench: &Bench, files: &[&str]) {
    let mut arguments = vec!["replay", "--registry", "registry", "--db", "market.db"];
    arguments.extend(files);
    let output = bench.run(&arguments);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

fn report_with(bench: &Bench, more: &[&str]) -> std::process::Output {
    let mut arguments =
        vec!["report", "--registry", "registry", "--db", "market.db", "--month", "2024-03", "--out", "report"];
    arguments.extend(more);
    bench.run(&arguments)
}

/// The rows of `monthly.csv` by market maker, issue and obligation: the columns from `available_us` on.
fn monthly(bench: &Bench) -> BTreeMap<String, String> {
    let output = report_with(bench, &[]);
    assert!(matches!(output.status.code(), Some(0 | 3)), "{}", stderr(&output));
    rows(&bench.read("report/monthly.csv"))
}

fn rows(text: &str) -> BTreeMap<String, String> {
    let columns = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        (fields[1..4].join(" "), fields[4..].join(","))
    };
    text.lines().skip(1).map(columns).collect()
}

/// A day on which MM1 quotes 1306 from 09:00 to `until`, at `bid` and `offer`.
fn quoted(bench: &Bench, date: &str, until: &str, bid: &str, offer: &str) -> String {
    let name = format!("{date}.csv");
    let records = [
        format!("09:00:00,1306,add,1,,VS1,B,{bid},10,,"),
        format!("09:00:00,1306,add,2,,VS1,S,{offer},10,,"),
        format!("{until},1306,cancel,1,,,,,,,"),
    ];
    let records: Vec<&str> = records.iter().map(String::as_str).collect();
    bench.write(&name, day_text(date, &records).as_bytes());
    name
}

// clause: ST1/time-share
#[test]
fn eighty_percent_of_the_month_is_enough_and_a_microsecond_less_is_not() {
    for (until, status) in [("09:36:00", "fulfilled,OK"), ("09:35:59.999999", "not_fulfilled,NG")] {
        let bench = Bench::new();
        // One hour and 36 minutes of two hours are 80 %; the mean of the days is too, but neither day alone.
        let days = [
            quoted(&bench, "2024-03-01", "10:00:00", "1000", "1003"),
            quoted(&bench, "2024-03-04", until, "1000", "1003"),
        ];
        store(&bench, &[&days[0], &days[1]]);
        let rows = monthly(&bench);
        let row = &rows["MM1 1306 general"];
        assert!(row.ends_with(&format!(",80,{status},2,21,yes")), "{row}");
        assert!(row.contains(",80.0000,"), "what people read is rounded: {row}");
        assert_eq!(rows["MM1 1321 general"], "7200000000,0,0,0.0000,80,not_fulfilled,NG,2,21,yes");
    }
}

// clause: ST1/fast-market
#[test]
fn a_month_adds_up_days_of_every_multiplier() {
    let bench = Bench::new();
    // 3 ticks, 6 and 12: at the limit of x1, x2 and x4, the last one tick beyond.
    bench.write("registry/fast_market.csv", b"from,to,multiplier\n2024-03-05,2024-03-05,2\n2024-03-06,2024-03-07,4\n");
    let days = [
        quoted(&bench, "2024-03-04", "10:00:00", "100", "103"),
        quoted(&bench, "2024-03-05", "10:00:00", "100", "106"),
        quoted(&bench, "2024-03-06", "10:00:00", "100", "112"),
        quoted(&bench, "2024-03-07", "10:00:00", "100", "113"),
    ];
    store(&bench, &days.each_ref().map(String::as_str));
    let row = &monthly(&bench)["MM1 1306 general"];
    assert_eq!(row, "14400000000,10800000000,0,75.0000,80,not_fulfilled,NG,4,21,yes");
}

// clause: ST1/system-status
#[test]
fn sign_ups_and_types_that_change_in_mid_month_count_for_their_days() {
    let bench = Bench::new();
    bench.write(
        "registry/scheme.toml",
        b"name = \"test\"\nversion = \"1\"\n[[sessions]]\nfrom = \"2015-01-01\"\ncontinuous = [\"09:00-10:00\"]\n\
          [types.T]\nmax_spread_ticks = 3\nmin_value = 300\n[types.W]\nmax_spread_ticks = 5\nmin_value = 300\n\
          [tick_tables]\nyen = [[\"above\", \"1\"]]\n",
    );
    bench.write(
        "registry/issues.csv",
        b"issue,type,tick_table,leveraged_inverse,from,to\n1306,T,yen,true,,2024-03-04\n1306,W,yen,true,2024-03-05,\n\
          1321,T,yen,false,,\n",
    );
    bench.write("registry/signups.csv", b"market_maker,issue,from,to\nMM1,1306,,\nMM1,1321,2024-03-05,2024-03-07\n");
    bench.write("registry/holidays.csv", b"date,name\n2024-03-06,Made up\n");
    let days = [
        quoted(&bench, "2024-03-04", "10:00:00", "100", "105"),
        quoted(&bench, "2024-03-05", "10:00:00", "100", "105"),
        quoted(&bench, "2024-03-07", "10:00:00", "100", "105"),
        quoted(&bench, "2024-03-08", "10:00:00", "100", "105"),
        quoted(&bench, "2024-03-11", "10:00:00", "100", "105"),
    ];
    store(&bench, &days.each_ref().map(String::as_str));
    let rows = monthly(&bench);
    // 5 ticks are too many for the first type; 4 of 5 days are 80 %, and less than the system asks of a leveraged ETF.
    assert_eq!(rows["MM1 1306 general"], "18000000000,14400000000,0,80.0000,80,fulfilled,NG,5,20,yes");
    assert_eq!(rows["MM1 1321 general"], "7200000000,0,0,0.0000,80,not_fulfilled,NG,2,2,yes");
    assert!(
        bench.read("report/market_makers.csv").ends_with("2024-03,MM1,0,5,no,0,1,,0\n"),
        "leveraged ETFs do not count"
    );
}

// clause: ST1/number-of-etfs
// clause: ST1/free-servers
// clause: ST1/participant
#[test]
fn market_makers_qualify_with_five_etfs_and_get_servers_with_twenty() {
    let bench = Bench::new();
    let codes: Vec<String> = (0..20).map(|number| format!("13{number:02}")).collect();
    let issues: String = codes.iter().map(|code| format!("{code},T,yen\n")).collect();
    bench.write("registry/issues.csv", format!("issue,type,tick_table\n{issues}").as_bytes());
    bench.write("registry/market_makers.csv", b"market_maker\nMM1\nMM2\nMM3\n");
    let sign_ups = |maker: &str, count: usize| -> String {
        codes[..count].iter().zip(0..).map(|(code, n)| format!("{maker},{code},P{}\n", 9 - n % 3)).collect()
    };
    let sign_ups = sign_ups("MM1", 20) + &sign_ups("MM2", 19) + &sign_ups("MM3", 4);
    bench.write("registry/signups.csv", format!("market_maker,issue,participant\n{sign_ups}").as_bytes());
    bench.write(
        "registry/virtual_servers.csv",
        b"server,market_maker,from,to\nA1,MM1,,\nA2,MM1,2024-04-01,\nA3,MM1,,2024-03-01\nA4,MM1,,2024-02-29\nB1,MM2,,\nC1,MM3,,\n",
    );
    let records: Vec<String> = codes
        .iter()
        .flat_map(|code| [("A1", 1), ("B1", 3), ("C1", 5)].map(|(server, order)| (code, server, order)))
        .flat_map(|(code, server, order)| {
            let add = |order, side, price| format!("08:00:00,{code},add,{order},,{server},{side},{price},10,,");
            [add(order, "B", 1000), add(order + 1, "S", 1003)]
        })
        .collect();
    let records: Vec<&str> = records.iter().map(String::as_str).collect();
    bench.write("day.csv", day_text("2024-03-01", &records).as_bytes());
    store(&bench, &["day.csv"]);
    monthly(&bench);
    assert_eq!(
        bench.read("report/market_makers.csv"),
        "month,market_maker,etfs_fulfilled,etfs_required,qualifies,free_servers,servers_registered,server_participant,\
         server_waiver_jpy\n\
         2024-03,MM1,20,5,yes,2,2,P7,180000\n\
         2024-03,MM2,19,5,yes,0,1,P7,0\n\
         2024-03,MM3,4,5,no,0,1,P7,0\n"
    );
}

#[test]
fn a_registry_that_would_alter_a_day_stops_the_report_and_one_that_would_not_does_not() {
    let bench = Bench::new();
    let days = [
        quoted(&bench, "2024-03-04", "10:00:00", "100", "106"),
        quoted(&bench, "2024-03-05", "10:00:00", "100", "106"),
    ];
    store(&bench, &days.each_ref().map(String::as_str));
    assert_eq!(monthly(&bench)["MM1 1306 general"], "7200000000,0,0,0.0000,80,not_fulfilled,NG,2,21,yes");
    // Nothing of these days: a name, a server of nobody signed up, a date that is not stored, an exemption after hours.
    bench.write("registry/market_makers.csv", b"market_maker,name\nMM1,Renamed\nMM9,New\n");
    bench.write("registry/fast_market.csv", b"from,to,multiplier\n2024-03-06,2024-03-29,4\n");
    bench.write(
        "registry/exemptions.csv",
        b"issue,market_maker,from,to,reason\n*,,2024-03-04T10:00:00+09:00,2024-03-05T09:00:00+09:00,night\n",
    );
    assert_eq!(report_with(&bench, &[]).status.code(), Some(3), "only incomplete");
    for (file, text) in [
        ("fast_market.csv", "from,to,multiplier\n2024-03-05,2024-03-29,2\n"),
        (
            "exemptions.csv",
            "issue,market_maker,from,to,reason\n1306,MM1,2024-03-05T09:59:59.999999+09:00,2024-03-05T10:00:00+09:00,\n",
        ),
    ] {
        let file = format!("registry/{file}");
        let before = fs::read(bench.path(&file)).unwrap();
        bench.write(&file, text.as_bytes());
        let output = report_with(&bench, &[]);
        assert_eq!(output.status.code(), Some(1));
        let message = stderr(&output);
        assert!(message.contains("2024-03-05") && !message.contains("2024-03-04"), "{message}");
        assert!(message.contains("--as-measured"), "{message}");
        let list = stdout(&bench.run(&["days", "--db", "market.db", "--registry", "registry"]));
        assert_eq!(list.matches(" changed: ").count(), 1, "{list}");
        let why = if file.contains("fast") { "x1 to x2" } else { "exemption MM1/1306" };
        assert!(list.contains(why) && message.contains(why), "{list}{message}");
        assert_eq!(
            bench.run(&["status", "--registry", "registry", "--db", "market.db", "--month", "2024-03"]).status.code(),
            Some(1),
            "nobody is called safe on what would be measured otherwise"
        );
        let output = report_with(&bench, &["--as-measured"]);
        assert_eq!(output.status.code(), Some(3));
        assert!(stdout(&output).contains("AS MEASURED") && bench.read("report/report.txt").contains("AS MEASURED"));
        assert!(rows(&bench.read("report/monthly.csv"))["MM1 1306 general"].starts_with("7200000000,0,0,"));
        bench.write(&file, &before);
    }
    bench.write("registry/fast_market.csv", b"from,to,multiplier\n2024-03-05,2024-03-29,2\n");
    store(&bench, &[&days[1]]);
    assert_eq!(monthly(&bench)["MM1 1306 general"], "7200000000,3600000000,0,50.0000,80,not_fulfilled,NG,2,21,yes");
}

#[test]
fn the_required_share_is_that_of_the_registry_now_and_needs_no_replay() {
    let bench = Bench::new();
    let day = quoted(&bench, "2024-03-01", "09:51:00", "1000", "1003");
    store(&bench, &[&day]);
    assert!(monthly(&bench)["MM1 1306 general"].contains(",85.0000,80,fulfilled,"));
    let scheme = bench.read("registry/scheme.toml");
    bench.write(
        "registry/scheme.toml",
        scheme.replace("version = \"1\"", "version = \"1\"\nrequired_pct = 85.5").as_bytes(),
    );
    assert!(monthly(&bench)["MM1 1306 general"].contains(",85.0000,85.5,not_fulfilled,NG,"));
}

#[test]
fn status_tells_how_much_longer_an_obligation_may_be_off() {
    let bench = Bench::new();
    // 21 trading days of an hour, 20 per cent of which are 4.2 hours; the last day is half exempt: 20.5 hours, 4.1.
    bench.write(
        "registry/exemptions.csv",
        b"issue,market_maker,from,to,reason\n1306,,2024-03-29T09:30:00+09:00,2024-03-29T10:00:00+09:00,\n",
    );
    let days = [
        quoted(&bench, "2024-03-01", "09:30:00", "1000", "1003"),
        quoted(&bench, "2024-03-04", "10:00:00", "1000", "1003"),
    ];
    store(&bench, &days.each_ref().map(String::as_str));
    let arguments = ["status", "--registry", "registry", "--db", "market.db", "--month", "2024-03", "--json"];
    let output = bench.run(&arguments);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let row = &document["status"][0];
    assert_eq!((row["outlook"].as_str(), row["days_remaining"].as_u64()), (Some("at_risk"), Some(19)));
    // 4.1 hours less the half hour that is gone.
    assert_eq!(row["may_be_off_us"].as_u64(), Some(12_960_000_000), "{row}");
    assert_eq!(row["remaining_us"].as_u64(), Some(66_600_000_000));
    let table = stdout(&bench.run(&arguments[..7]));
    assert!(table.contains("3:36:00") && table.contains("at risk"), "{table}");
    // 1321 was never quoted: 2 of 4.2 hours are gone.
    assert_eq!(document["status"][1]["may_be_off_us"].as_u64(), Some(7_920_000_000));
    // A sign-up that ends after the fourth day: 2 hours of 4 off cannot be made good.
    bench.write("registry/signups.csv", b"market_maker,issue,from,to\nMM1,1306,,\nMM1,1321,,2024-03-06\n");
    let document: serde_json::Value = serde_json::from_slice(&bench.run(&arguments).stdout).unwrap();
    let row = &document["status"][1];
    assert_eq!((row["outlook"].as_str(), row["short_us"].as_u64()), (Some("lost"), Some(4_320_000_000)), "{row}");
}

#[test]
fn days_lists_what_is_stored_and_what_is_missing() {
    let bench = Bench::new();
    bench.write("registry/holidays.csv", b"date,name\n2024-03-20,Vernal Equinox Day\n");
    let day = quoted(&bench, "2024-03-01", "10:00:00", "1000", "1003");
    store(&bench, &[&day]);
    let list = |more: &[&str]| {
        let output = bench.run(&[&["days", "--db", "market.db", "--json"], more].concat());
        assert_eq!(output.status.code(), Some(3), "days are missing: {}", stderr(&output));
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let document = list(&["--registry", "registry"]);
    assert_eq!(document["days"][0]["date"], "2024-03-01");
    assert_eq!(document["days"][0]["changed"], false);
    assert_eq!(document["missing"].as_array().unwrap().len(), 19, "a holiday is no trading day");
    assert_eq!(list(&[])["missing"].as_array().unwrap().len(), 20, "without a registry there are no holidays");
    let document = list(&["--month", "2024-02"]);
    assert_eq!((document["days"].as_array().unwrap().len(), document["missing"].as_array().unwrap().len()), (0, 21));
    let sha256 = document_sha256(&bench, &day);
    assert_eq!(list(&[])["days"][0]["input_sha256"], sha256);
}

/// What the system's own tool says, where there is one.
fn document_sha256(bench: &Bench, name: &str) -> String {
    quoteclock_store::Digest::of(&fs::read(bench.path(name)).unwrap()).to_string()
}

#[test]
fn the_digest_is_of_the_bytes_as_stored_also_behind_damage() {
    let bench = Bench::new();
    let text = day_text("2024-03-01", &["09:00:00,1306,add,1,,VS1,B,1000,10,,"]);
    let mut frame = zstd::encode_all(text.as_bytes(), 3).unwrap();
    bench.write("good.csv.zst", &frame);
    let middle = frame.len() / 2;
    frame[middle] ^= 0xff;
    frame.extend(vec![7; 1_000_000]);
    bench.write("bad.csv.zst", &frame);
    for name in ["good.csv.zst", "bad.csv.zst"] {
        let arguments =
            ["replay", "--registry", "registry", "--db", "market.db", "--lenient", "--date", "2024-03-01", name];
        let output = bench.run(&arguments);
        assert!(matches!(output.status.code(), Some(0 | 3)), "{}", stderr(&output));
        let list = stdout(&bench.run(&["days", "--db", "market.db", "--json"]));
        assert!(list.contains(&document_sha256(&bench, name)), "{list}");
    }
}

#[test]
fn a_month_without_all_its_days_says_so_and_a_whole_one_does_not() {
    let bench = Bench::new();
    bench.write("registry/holidays.csv", b"date\n2024-03-20\n");
    let dates: Vec<String> = (1..=31).map(|day| format!("2024-03-{day:02}")).collect();
    let weekdays =
        dates.iter().filter(|date| !matches!(date[8..].parse::<u32>().unwrap() % 7, 2 | 3) && *date != "2024-03-20");
    let files: Vec<String> = weekdays.map(|date| quoted(&bench, date, "10:00:00", "1000", "1003")).collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    assert_eq!(files.len(), 20);
    store(&bench, &files[1..]);
    let output = report_with(&bench, &[]);
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains("2024-03-01") && stdout(&output).contains("NOT COMPLETE"));
    store(&bench, &files[..1]);
    let output = report_with(&bench, &[]);
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
    let json = report_with(&bench, &["--json"]);
    let document: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(document["days_measured"].as_array().unwrap().len(), 20);
    for (list, file) in [("monthly", "report/monthly.csv"), ("market_makers", "report/market_makers.csv")] {
        let text = bench.read(file);
        let columns: Vec<&str> = text.lines().next().unwrap().split(',').collect();
        let row = document[list][0].as_object().unwrap();
        assert_eq!(row.len(), columns.len());
        assert!(columns.iter().all(|column| row.contains_key(*column)), "{row:?}");
    }
}

#[test]
fn a_failed_run_leaves_the_database_and_the_files_as_they_were() {
    let bench = Bench::new();
    let good = quoted(&bench, "2024-03-01", "10:00:00", "1000", "1003");
    bench.write("bad.csv", day_text("2024-03-04", &["09:00:00,1306,cancel,7,,,,,,,"]).as_bytes());
    let arguments = ["replay", "--registry", "registry", "--db", "market.db", "--out", "out", &good, "bad.csv"];
    assert_eq!(bench.run(&arguments).status.code(), Some(1));
    assert!(!bench.path("market.db").exists() && !bench.path("out").exists());
    store(&bench, &[&good]);
    let before = stdout(&bench.run(&["days", "--db", "market.db", "--json"]));
    assert_eq!(bench.run(&arguments).status.code(), Some(1));
    assert_eq!(stdout(&bench.run(&["days", "--db", "market.db", "--json"])), before);
    // Two files of one date are bad usage with a database too.
    assert_eq!(
        bench.run(&["replay", "--registry", "registry", "--db", "market.db", &good, &good]).status.code(),
        Some(2)
    );
}

#[test]
fn files_that_are_no_database_of_ours_are_refused_before_anything_is_measured() {
    let bench = Bench::new();
    let day = quoted(&bench, "2024-03-01", "10:00:00", "1000", "1003");
    bench.write("letter.txt", "Dear Sir or Madam, ".repeat(100).as_bytes());
    for (db, expected) in [("letter.txt", "not a database of quoteclock"), ("no/such/folder.db", "not a folder")] {
        let output = bench.run(&["replay", "--registry", "registry", "--db", db, "--out", "out", &day]);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
        assert!(!bench.path("out").exists());
    }
    let output = bench.run(&["report", "--registry", "registry", "--db", "absent.db", "--month", "2024-03"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("absent.db: no such file"), "{}", stderr(&output));
    assert!(!bench.path("absent.db").exists(), "reading makes no file");
}

/// The month of the bundled days in `folder`, against its `expected` folder; `UPDATE_GOLDEN=1` writes what the command
/// says instead. Days are stored backwards: their order does not matter.
fn check_bundled_month(folder: &str, exit_code: i32) {
    let folder = support::repository(folder).canonicalize().unwrap();
    let files = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let mut days: Vec<_> = files.filter(|path| support::is_day(path)).collect();
    days.sort();
    days.reverse();
    let bench = Bench::new();
    let run = |arguments: &[&str], files: &[std::path::PathBuf]| {
        let mut command = bench.command(arguments);
        command.arg("--registry").arg(folder.join("registry")).args(files);
        command.output().expect("the binary runs")
    };
    let output = run(&["replay", "--db", "market.db"], &days);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let output = run(&["report", "--db", "market.db", "--month", "2024-03", "--out", "report"], &[]);
    assert_eq!(output.status.code(), Some(exit_code), "{}", stderr(&output));
    for name in [
        "monthly.csv",
        "market_makers.csv",
        "incentives.csv",
        "conditions.csv",
        "tiers.csv",
        "recommendations.csv",
        "payments.csv",
    ] {
        let (found, expected) = (bench.path("report").join(name), folder.join("expected").join(name));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::copy(&found, &expected).unwrap();
        }
        assert_eq!(fs::read_to_string(found).unwrap(), fs::read_to_string(expected).unwrap());
    }
}

#[test]
fn a_bundled_month_with_missing_days_comes_out_as_expected_and_incomplete() {
    check_bundled_month("replay-data/tse-small", 3);
}

#[test]
fn a_bundled_whole_month_comes_out_as_expected() {
    check_bundled_month("replay-data/month", 0);
}

#[test]
fn help_has_examples_and_wrong_months_are_bad_usage() {
    let bench = Bench::new();
    for command in ["report", "status", "days"] {
        let help = stdout(&bench.run(&[command, "--help"]));
        assert!(help.contains("Examples:\n  quoteclock"), "{help}");
        let output = bench.run(&[command, "--registry", "registry", "--db", "x.db", "--month", "March"]);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains("2024-03"), "{}", stderr(&output));
    }
}

/// What a month of `daily.csv` rows comes to, worked out plainly.
fn plain_month(daily: &str) -> BTreeMap<String, String> {
    let mut sums: BTreeMap<String, (u128, u128, u128, u32)> = BTreeMap::new();
    for line in daily.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let number = |at: usize| fields[at].parse::<u128>().unwrap();
        let sum = sums.entry(fields[1..4].join(" ")).or_default();
        *sum = (sum.0 + number(4), sum.1 + number(5), sum.2 + number(6), sum.3 + 1);
    }
    let row = |(available, fulfilled, unknown, days): (u128, u128, u128, u32)| {
        let (display, status) = match available {
            0 => (String::new(), "not_applicable,"),
            _ => {
                let units = (fulfilled * 2_000_000 + available) / (2 * available);
                let status = if fulfilled * 5 >= available * 4 { "fulfilled,OK" } else { "not_fulfilled,NG" };
                (format!("{}.{:04}", units / 10_000, units % 10_000), status)
            }
        };
        format!("{available},{fulfilled},{unknown},{display},80,{status},{days},21,yes")
    };
    sums.into_iter().map(|(key, sum)| (key, row(sum))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Days of quotes at random, in any order, with exempt and halted time: the month is that of the daily rows, and the
    /// order in which days were stored does not show.
    #[test]
    fn a_month_is_the_sum_of_its_daily_rows(
        days in proptest::collection::btree_map(
            1..=29_u32,
            (0..3600_u32, 0..=3_u32, prop::option::of((0..3600_u32, 0..3600_u32))),
            1..6,
        ),
        exempt in prop::option::of(1..=29_u32),
    ) {
        let bench = Bench::new();
        bench.write("registry/market_makers.csv", b"market_maker\nMM1\nMM2\n");
        bench.write("registry/virtual_servers.csv", b"server,market_maker\nVS1,MM1\nVS2,MM2\n");
        bench.write("registry/signups.csv", b"market_maker,issue\nMM1,1306\nMM1,1321\nMM2,1306\n");
        bench.write("registry/sponsored.csv", b"condition,issue,max_spread_ticks,min_value_jpy\nX,1306,1,1000\n");
        if let Some(day) = exempt {
            let row = format!("1321,,2024-03-{day:02}T00:00:00+09:00,2024-03-{day:02}T23:00:00+09:00,");
            bench.write("registry/exemptions.csv", format!("issue,market_maker,from,to,reason\n{row}\n").as_bytes());
        }
        let clock = |second: u32| format!("09:{:02}:{:02}", second / 60, second % 60);
        let mut files = Vec::new();
        for (day, (from, ticks, halt)) in &days {
            let (from, offer) = (clock(*from), 1000 + ticks);
            let mut records = vec![
                (from.clone(), "1306,add,1,,VS1,B,1000,10,,".to_owned()),
                (from.clone(), format!("1306,add,2,,VS1,S,{offer},10,,")),
                (from, format!("1306,add,3,,VS2,B,{},1,,", 999 - ticks)),
            ];
            if let Some((start, end)) = halt {
                records.push((clock(*start), "1306,phase,,,,,,,,halt".to_owned()));
                records.push((clock(*start.max(end)), "1306,phase,,,,,,,,continuous".to_owned()));
            }
            records.sort_by(|a, b| a.0.cmp(&b.0));
            let records: Vec<String> = records.into_iter().map(|(clock, rest)| format!("{clock},{rest}")).collect();
            let records: Vec<&str> = records.iter().map(String::as_str).collect();
            let name = format!("{day}.csv");
            bench.write(&name, day_text(&format!("2024-03-{day:02}"), &records).as_bytes());
            files.push(name);
        }
        let names: Vec<&str> = files.iter().map(String::as_str).collect();
        let output = bench.replay(&[&["--db", "market.db"], &names[..]].concat());
        prop_assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let expected = plain_month(&bench.read("out/daily.csv"));
        prop_assert_eq!(&monthly(&bench), &expected);
        let whole = bench.read("report/monthly.csv");
        // One by one, backwards, the first of them twice.
        fs::remove_file(bench.path("market.db")).unwrap();
        for name in names.iter().rev().chain(&names[..1]) {
            store(&bench, &[name]);
        }
        monthly(&bench);
        prop_assert_eq!(bench.read("report/monthly.csv"), whole);
    }
}

#[test]
fn the_page_of_a_month_shows_what_its_files_say() {
    let bench = Bench::new();
    let kept = quoted(&bench, "2024-03-01", "09:36:00", "2000", "2002");
    let lost = quoted(&bench, "2024-03-04", "09:12:00", "2000", "2002");
    store(&bench, &[&kept, &lost]);
    let output = report_with(&bench, &["--html", "month.html"]);
    assert_eq!(output.status.code(), Some(3), "most days are missing: {}", stderr(&output));
    let page = bench.read("month.html");
    assert!(page.contains("2024-03: quote display time so far</h1>"), "{page}");
    let row = rows(&bench.read("report/monthly.csv")).remove("MM1 1306 general").unwrap();
    let percent = row.split(',').nth(3).unwrap();
    assert!(page.contains(&format!("{percent} % of 80 % required")), "{percent} {page}");
    for date in ["2024-03-01", "2024-03-04"] {
        assert!(page.contains(&format!("<td class=\"t\">{date}</td>")), "its days, and what they rest on: {date}");
    }
    // The same rows give the same bytes.
    assert_eq!(report_with(&bench, &["--html", "again.html"]).status.code(), Some(3));
    assert!(bench.read("again.html") == page);
}

#[test]
fn days_of_the_page_lead_to_the_pages_of_explain_that_are_there() {
    let bench = Bench::new();
    let lost = quoted(&bench, "2024-03-04", "09:12:00", "2000", "2002");
    store(&bench, &[&lost]);
    fs::create_dir(bench.path("day pages")).unwrap();
    let page = "day pages/2024-03-04-MM1-1306-general.html";
    let question =
        ["explain", "--registry", "registry", "--market-maker", "MM1", "--issue", "1306", "--html", page, &lost];
    let output = bench.run(&question);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let output = report_with(&bench, &["--html", "month.html", "--day-pages", "day pages"]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let month = bench.read("month.html");
    assert!(month.contains("<a href=\"day%20pages/2024-03-04-MM1-1306-general.html\">2024-03-04</a>"), "{month}");
    let missing = "without a page in day pages, and not linked: 1 day, such as 2024-03-04-MM1-1321-general.html";
    assert!(stderr(&output).contains(missing), "{}", stderr(&output));
    assert_eq!(
        report_with(&bench, &["--day-pages", "day pages"]).status.code(),
        Some(2),
        "there is no page to link from"
    );
}
