//! Small inputs that failed once, each with its whole kind tested elsewhere: here the very case, by the command.
#![allow(clippy::unwrap_used, reason = "helpers are part of the tests")]

mod support;

use std::fs;
use std::process::Output;
use support::{Bench, repository, stderr, stdout};

/// Five funds, the last one leveraged, quoted by MM1 all day.
const ISSUES: &str = "issue,type,tick_table,leveraged_inverse\n1001,B,01,false\n1002,B,01,false\n1003,B,01,false\n\
     1004,B,01,false\n1005,B,01,true\n";
const SIGN_UPS: &str = "market_maker,issue\nMM1,1001\nMM1,1002\nMM1,1003\nMM1,1004\nMM1,1005\n";
const HEADER: &str = "time,issue,event,order,contra,server,side,price,quantity\n";

/// A registry under the built-in scheme.
fn tse(files: &[(&str, &str)]) -> Bench {
    let bench = Bench::new();
    fs::remove_dir_all(bench.path("registry")).unwrap();
    fs::create_dir(bench.path("registry")).unwrap();
    for (name, text) in files {
        bench.write(&format!("registry/{name}"), text.as_bytes());
    }
    bench
}

/// One fund of type C, and one market maker with one server.
fn one_fund() -> Bench {
    tse(&[
        ("issues.csv", "issue,type,tick_table\nA1,C,01\n"),
        ("market_makers.csv", "market_maker\nM\n"),
        ("virtual_servers.csv", "server,market_maker\nV,M\n"),
        ("signups.csv", "market_maker,issue\nM,A1\n"),
    ])
}

/// The five funds, in a month of one trading day, 2024-03-01.
fn five_funds(last_record: &str) -> Bench {
    let bench = tse(&[
        ("issues.csv", ISSUES),
        ("market_makers.csv", "market_maker\nMM1\n"),
        ("virtual_servers.csv", "server,market_maker\nVS1,MM1\n"),
        ("signups.csv", SIGN_UPS),
    ]);
    let holidays: String = (4..=29).map(|day| format!("2024-03-{day:02}\n")).collect();
    bench.write("registry/holidays.csv", format!("date\n{holidays}").as_bytes());
    let mut text = HEADER.to_owned();
    for (order, issue) in (1..).zip(1001..=1005) {
        let at = "2024-03-01T08:30:00+09:00";
        text.push_str(&format!("{at},{issue},add,{order},,VS1,B,999,20000\n"));
        text.push_str(&format!("{at},{issue},add,{},,VS1,S,1000,20000\n", order + 10));
    }
    bench.write("2024-03-01.csv", format!("{text}{last_record}\n").as_bytes());
    bench
}

fn replay(bench: &Bench, more: &[&str]) -> Output {
    bench.run(&[&["replay", "--registry", "registry", "--db", "m.db", "2024-03-01.csv"], more].concat())
}

fn report(bench: &Bench, out: &str, more: &[&str]) -> Output {
    let report = ["report", "--registry", "registry", "--db", "m.db", "--month", "2024-03", "--out", out];
    bench.run(&[&report[..], more].concat())
}

/// Columns of the only row of a table.
fn stored<T: rusqlite::types::FromSql>(bench: &Bench, column: &str) -> T {
    let connection = rusqlite::Connection::open(bench.path("m.db")).unwrap();
    connection.query_row(&format!("SELECT {column} FROM turnovers"), [], |row| row.get(0)).unwrap()
}

// clause: ST1/system-status
#[test]
fn as_measured_remembers_what_was_leveraged() {
    let bench = five_funds("2024-03-01T14:59:00+09:00,1005,cancel,5,,,,,");
    assert_eq!(replay(&bench, &[]).status.code(), Some(0));
    assert_eq!(report(&bench, "then", &[]).status.code(), Some(0), "nobody qualifies, so no tier is needed");
    let [monthly, makers] = ["monthly.csv", "market_makers.csv"].map(|name| bench.read(&format!("then/{name}")));
    assert!(monthly.ends_with("99.6667,80,fulfilled,NG,1,1,yes\n"), "{monthly}");
    assert!(makers.ends_with("2024-03,MM1,4,5,no,0,1,,0\n"), "{makers}");
    // The leveraged fund leaves the registry.
    bench.write("registry/issues.csv", ISSUES.replace("1005,B,01,true\n", "").as_bytes());
    bench.write("registry/signups.csv", SIGN_UPS.replace("MM1,1005\n", "").as_bytes());
    assert_eq!(report(&bench, "now", &[]).status.code(), Some(1));
    assert_eq!(report(&bench, "now", &["--as-measured"]).status.code(), Some(0));
    assert_eq!(bench.read("now/market_makers.csv"), makers);
    assert_eq!(bench.read("now/monthly.csv"), monthly);
}

// clause: ST1/quote-display-time
#[test]
fn a_report_tells_unknown_time() {
    let bench = five_funds("2024-03-01T09:10:00+09:00,1001,garbage,,,,,,");
    let output = replay(&bench, &["--lenient"]);
    assert_eq!(output.status.code(), Some(3));
    let output = report(&bench, "r", &[]);
    assert_eq!(output.status.code(), Some(3));
    let monthly = bench.read("r/monthly.csv");
    assert!(
        monthly.contains("1001,general,600000000,600000000,17400000000,100.0000,80,fulfilled,OK,1,1,no\n"),
        "{monthly}"
    );
    let note = "2024-03-01: 1 record set aside, 4:50:00 unknown";
    assert!(stdout(&output).contains(note) && bench.read("r/report.txt").contains(note), "{}", stdout(&output));
    report(&bench, "r", &["--html", "r.html"]);
    let page = bench.read("r.html");
    assert!(page.contains(note) && page.contains("NOT CERTAIN"), "a page tells it at its top");
    let status = bench.run(&["status", "--registry", "registry", "--db", "m.db", "--month", "2024-03"]);
    assert_eq!(status.status.code(), Some(3));
    let text = stdout(&status);
    let line = text.lines().find(|line| line.contains("1001")).unwrap();
    assert!(text.contains(note) && line.contains("uncertain") && !line.contains("safe"), "{text}");
}

#[test]
fn a_suggestion_is_in_whole_trading_units() {
    let bench = Bench::new();
    let small = repository("replay-data/tse-small");
    let registry = small.join("registry").to_str().unwrap().to_owned();
    let day = small.join("2024-03-01.csv").to_str().unwrap().to_owned();
    let explain = ["explain", "--market-maker", "MM1", "--issue", "1306", "--at", "10:16", "--registry"];
    let text = stdout(&bench.run(&[&explain[..], &[&registry, &day]].concat()));
    let line = text.lines().find(|line| line.contains("would have")).unwrap_or_else(|| panic!("{text}"));
    assert!(line.contains("2,640") && !line.contains("2,631"), "{line}");
}

// clause: ST1/quote-display-time
#[test]
fn a_gap_of_hours_is_unknown_from_the_record_before_it() {
    let bench = one_fund();
    let text = "seq,time,issue,event,order,contra,server,side,price,quantity\n\
                1,2024-03-01T08:59:00+09:00,A1,add,1,,V,B,1000,6000\n\
                2,2024-03-01T08:59:01+09:00,A1,add,2,,V,S,1002,6000\n\
                900000,2024-03-01T14:59:00+09:00,A1,add,3,,X,S,1010,100\n";
    bench.write("2024-03-01.csv", text.as_bytes());
    assert_eq!(replay(&bench, &["--lenient", "--out", "q"]).status.code(), Some(3));
    assert!(bench.read("q/daily.csv").ends_with("2024-03-01,M,A1,general,0,0,18000000000,\n"));
    assert_eq!(bench.read("q/breaches.csv").lines().count(), 1);
}

// clause: ST1/access-fee
#[test]
fn orders_sent_again_after_a_clear_are_not_counted_twice() {
    let bench = one_fund();
    let text = "2024-03-01T08:59:00+09:00,A1,add,1,,V,B,1000,6000\n2024-03-01T08:59:01+09:00,A1,add,2,,V,S,1002,6000\n\
                2024-03-01T10:00:00+09:00,*,clear,,,,,,\n2024-03-01T10:00:00+09:00,A1,add,1,,V,B,1000,6000\n\
                2024-03-01T10:00:00+09:00,A1,add,2,,V,S,1002,6000\n";
    bench.write("2024-03-01.csv", format!("{HEADER}{text}").as_bytes());
    assert_eq!(replay(&bench, &[]).status.code(), Some(0));
    assert_eq!(stored::<i64>(&bench, "order_count"), 2);
}

// clause: QC/self_trades
#[test]
fn a_trade_with_itself_is_one_with_a_market_maker() {
    let bench = one_fund();
    let text = "2024-03-01T09:59:00+09:00,A1,add,1,,V,B,1000,100\n2024-03-01T09:59:01+09:00,A1,add,2,,V,S,1000,100\n\
                2024-03-01T10:00:00+09:00,A1,trade,1,2,,,1000,100\n";
    bench.write("2024-03-01.csv", format!("{HEADER}{text}").as_bytes());
    assert_eq!(replay(&bench, &[]).status.code(), Some(0));
    assert_eq!(stored::<i64>(&bench, "continuous_market_maker_shares"), 200);
    assert_eq!(stored::<i64>(&bench, "continuous_market_maker_value_e4"), 2_000_000_000);
    assert_eq!(stored::<i64>(&bench, "continuous_other_shares"), 0);
}

#[test]
fn check_names_every_contradiction_of_the_rules() {
    let bench = tse(&[
        (
            "issues.csv",
            "issue,name,type,leveraged_inverse,active,index,tick_table,tier,diversified,from,to\n\
             1001,TOPIX as B,B,false,false,TOPIX,01,,false,,\n1002,foreign as A,A,false,false,S&P 500,01,,false,,\n\
             1003,active as A,A,false,true,,01,,false,,\n1004,leveraged tier I,B,true,false,Nikkei 225,01,I,true,,\n\
             1005,second TOPIX,A,false,false,TOPIX,01,,true,,\n1006,x,B,false,false,,01,,false,,\n",
        ),
        ("market_makers.csv", "market_maker,name,kind\nMM1,a,agency\n"),
        ("virtual_servers.csv", "server,market_maker\nV,MM1\n"),
        (
            "signups.csv",
            "market_maker,issue,participant\nMM1,1001,\nMM1,1002,\nMM1,1003,\nMM1,1004,\nMM1,1005,\nMM1,1006,\n",
        ),
        (
            "matching_funds.csv",
            "condition,issue,index,max_spread_bps,max_spread_ticks,min_value_jpy,coverage_pct,from,to,total_jpy,payment,\
             max_makers,max_issues\nM1,,TOPIX,20,2,100000000,80,2024-03-01,2024-12-31,300000,proportional,2,1\n",
        ),
    ]);
    let output = bench.run(&["check", "--registry", "registry"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = format!("{}{}", stdout(&output), stderr(&output));
    for (place, word) in [
        ("issues.csv: line 2, column type", "an ETF of TOPIX, expected A"),
        ("issues.csv: line 3, column type", "an ETF of S&P 500, expected C"),
        ("issues.csv: line 4, column type", "an actively managed ETF, expected B"),
        ("issues.csv: line 5, column tier", "expected V"),
        ("issues.csv: line 5, column diversified", "leveraged or inverse"),
        ("issues.csv: line 6, column diversified", "not among the indices"),
        ("signups.csv: line 2, column participant", "an agency"),
        ("matching_funds.csv: line 2, column max_issues", "2 issues have"),
        ("matching_funds.csv: line 2, column payment", "found proportional"),
        ("matching_funds.csv: line 2, column to", "expected six months"),
    ] {
        let found = text.lines().any(|line| line.contains("warning") && line.contains(place) && line.contains(word));
        assert!(found, "{place} {word}:\n{text}");
    }
}

// clause: ST1/system-status
#[test]
fn a_sponsored_condition_of_a_leveraged_fund_is_judged_by_its_own_share() {
    let bench = five_funds("2024-03-01T14:59:00+09:00,1005,cancel,5,,,,,");
    let sponsored = "condition,issue,max_spread_bps,max_spread_ticks,min_value_jpy,coverage_pct,from,to\n\
                     S1,1005,50,3,10000000,80,2024-03-01,2024-05-31\n";
    bench.write("registry/sponsored.csv", sponsored.as_bytes());
    assert_eq!(replay(&bench, &[]).status.code(), Some(0));
    report(&bench, "r", &[]);
    let monthly = bench.read("r/monthly.csv");
    let of = |obligation: &str| monthly.lines().find(|line| line.contains(&format!("1005,{obligation}"))).unwrap();
    assert!(of("general").contains("99.6667,80,fulfilled,NG"), "{monthly}");
    assert!(of("sponsored:S1").contains("99.6667,80,fulfilled,OK"), "{monthly}");
}

#[test]
fn a_name_of_any_length_is_refused_before_it_pads_a_table() {
    let bench = one_fund();
    let name = "x".repeat(60_000);
    bench.write("registry/market_makers.csv", format!("market_maker\nM\n{name}\n").as_bytes());
    bench.write("2024-03-01.csv", HEADER.as_bytes());
    let output = replay(&bench, &["--date", "2024-03-01"]);
    assert_eq!(output.status.code(), Some(1));
    let message = stderr(&output);
    assert!(message.contains("line 3") && message.contains("128") && message.len() < 2_000, "{}", message.len());
    assert!(!bench.path("m.db").exists());
}

#[test]
#[cfg(unix)]
fn a_registry_file_is_a_regular_one_of_bounded_size() {
    let bench = one_fund();
    let check = || {
        let output = bench.run(&["check", "--registry", "registry"]);
        (output.status.code(), format!("{}{}", stdout(&output), stderr(&output)))
    };
    let holidays = bench.path("registry/holidays.csv");
    fs::File::create(&holidays).unwrap().set_len((256 << 20) + 1).unwrap();
    let (code, text) = check();
    assert!(code == Some(1) && text.contains("holidays.csv") && text.contains("256 MiB"), "{text}");
    fs::remove_file(&holidays).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &holidays).unwrap();
    let (code, text) = check();
    assert!(code == Some(1) && text.contains("holidays.csv"), "{text}");
    fs::remove_file(&holidays).unwrap();
    if std::process::Command::new("mkfifo").arg(&holidays).status().is_ok_and(|status| status.success()) {
        let (code, text) = check();
        assert!(code == Some(1) && text.contains("holidays.csv"), "{text}");
    }
}

#[test]
#[cfg(unix)]
fn every_registry_file_that_cannot_be_read_is_found_at_once() {
    let bench = one_fund();
    for (name, target) in [("holidays.csv", "gone.csv"), ("issues.csv", "nowhere/issues.csv"), ("exemptions.csv", ".")]
    {
        let _ = fs::remove_file(bench.path(&format!("registry/{name}")));
        std::os::unix::fs::symlink(target, bench.path(&format!("registry/{name}"))).unwrap();
    }
    bench.write("registry/signups.csv", b"market_maker,issue\nM,A1\nN,A1\n");
    let check = bench.run(&["check", "--registry", "registry"]);
    let expected = "error: exemptions.csv: is not a regular file, expected one\n\
                    error: holidays.csv: is a link to gone.csv, which is not there, expected a file\n\
                    error: issues.csv: is a link to nowhere/issues.csv, which is not there, expected a file\n\
                    error: signups.csv: line 3, column market_maker: ";
    assert_eq!(check.status.code(), Some(1));
    assert!(
        stdout(&check).starts_with(expected) && stdout(&check).ends_with("4 errors, 0 warnings\n"),
        "{}",
        stdout(&check)
    );
    bench.write("2024-03-01.csv", HEADER.as_bytes());
    let output = replay(&bench, &["--date", "2024-03-01"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("registry/holidays.csv: is a link to gone.csv"), "{}", stderr(&output));
    // Nothing is said of issues that rests on a scheme which could not be read.
    std::os::unix::fs::symlink("gone.toml", bench.path("registry/scheme.toml")).unwrap();
    let text = stdout(&bench.run(&["check", "--registry", "registry"]));
    assert!(text.contains("scheme.toml: is a link") && !text.contains("signups.csv"), "{text}");
}
