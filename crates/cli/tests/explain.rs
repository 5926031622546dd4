//! `quoteclock explain`: the bundled days, errors, damaged input, and the page in a real browser.

mod support;

use serde_json::Value;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use support::{Bench, GOOD, day_text, repository, skipped, stderr, stdout};

/// Explains on a bundled day.
fn tse(day: &str, arguments: &[&str]) -> Output {
    let folder = repository("replay-data/tse-small");
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("quoteclock"));
    command.current_dir(folder).args(["explain", "--registry", "registry"]).args(arguments).arg(day);
    command.env("TZ", "America/Lima").output().expect("the binary runs")
}

const FRIDAY: &str = "2024-03-01.csv";
const MONDAY: &str = "2024-03-04.csv";

fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", stderr(output));
    serde_json::from_slice(&output.stdout).expect("one JSON document")
}

fn golden(name: &str, found: &str) {
    let path = repository("replay-data/tse-small/expected").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, found).expect("a writable repository");
    }
    assert_eq!(found, fs::read_to_string(&path).expect("the expected text"), "{name}");
}

#[test]
fn the_breach_worked_out_by_hand_reads_as_in_the_readme() {
    // clause: ST1/minimum-value, ST1/spread-of-mid, ST1/spread-ticks
    let who = ["--market-maker", "MM1", "--issue", "1306"];
    golden("explain-MM1-1306.txt", &stdout(&tse(FRIDAY, &who)));
    let at = [&who[..], &["--at", "10:16"]].concat();
    let text = stdout(&tse(FRIDAY, &at));
    golden("explain-MM1-1306-at-1016.txt", &text);
    let readme = fs::read_to_string(repository("README.md")).expect("the README");
    assert!(readme.contains(&text), "README.md shows another text");
}

#[test]
fn an_instant_shows_levels_sums_spread_limits_and_what_would_have_sufficed() {
    let who = ["--market-maker", "MM1", "--issue", "1306", "--json", "--at"];
    let at = |time: &str| json(&tse(FRIDAY, &[&who[..], &[time]].concat()));
    let spread = at("2024-03-01T01:15:30.370000Z");
    let moment = &spread["moment"];
    assert_eq!((moment["state"].as_str(), moment["reason"].as_str()), (Some("breach"), Some("spread")));
    assert_eq!(moment["stretch"]["duration_us"], 212_435_417);
    assert_eq!(moment["stretch"]["start"], "2024-03-01T10:15:30.370000+09:00");
    assert_eq!(moment["stretch"]["end"], "2024-03-01T10:19:02.805417+09:00");
    let began = &moment["stretch"]["began"][0];
    assert_eq!((began["kind"].as_str(), began["place"].as_str()), (Some("add"), Some("line 65")));
    assert_eq!(began["seq"], 64);
    let ended = &moment["stretch"]["ended"][0];
    assert_eq!((ended["kind"].as_str(), ended["seq"].as_u64()), (Some("replace"), Some(66)));
    let scene = &moment["scene"];
    let running = |side: &str| -> Vec<u64> {
        let levels = scene[side]["levels"].as_array().expect("levels");
        levels.iter().map(|level| level["value_running"].as_u64().expect("a whole value")).collect()
    };
    assert_eq!(running("bid"), [11_276_000, 33_812_000]);
    assert_eq!(running("offer"), [22_576_000, 33_868_000]);
    assert_eq!(scene["bid"]["obligation_price"], 2817);
    assert_eq!(scene["offer"]["obligation_price"], 2823);
    assert_eq!(scene["spread"]["ticks"], 6);
    assert_eq!(scene["spread"]["bps"].to_string(), "21.2766");
    assert_eq!(scene["spread"]["bps_fraction"].to_string(), "[120000,5640]");
    assert_eq!(scene["market"]["best_bid"], 2820);
    let change = &scene["would_have_sufficed"]["changes"][0];
    assert_eq!((change["side"].as_str(), change["price"].as_u64()), (Some("offer"), Some(2822)));
    assert_eq!((change["instead_of"].as_u64(), change["shares"].as_u64()), (Some(2823), Some(2640)));

    let size = at("10:15:30.2");
    assert_eq!(size["moment"]["reason"], "bid_size");
    assert_eq!(size["moment"]["scene"]["bid"]["value_missing"], 18_724_000);
    assert_eq!(size["moment"]["stretch"]["began"][0]["kind"], "trade");
    let last_before = at("10:15:30.119999");
    assert_eq!(last_before["moment"]["state"], "fulfilled");
    assert_eq!(last_before["moment"]["scene"]["would_have_sufficed"], Value::Null);
    assert_eq!(at("10:19:02.805417")["moment"]["state"], "fulfilled");
}

#[test]
fn why_no_quote_was_required_is_said() {
    // clause: ST1/exemption, ST1/halts-and-special-quotes, ST1/continuous-auction
    for (maker, issue, time, why) in [
        ("MM2", "1306", "13:45", "exempt from 13:40:00.000000 to 13:50:00.000000: Line to the exchange cut"),
        ("MM1", "1306", "12:00", "outside the continuous windows (09:00:00-11:30:00, 12:30:00-15:00:00)"),
        ("MM1", "1306", "12:00", "the market's phase is closed"),
        ("MM1", "1655", "14:05", "the issue's phase is halt"),
        ("MM1", "1615", "09:01", "the issue's phase is special_quote"),
    ] {
        let output = tse(FRIDAY, &["--market-maker", maker, "--issue", issue, "--at", time]);
        let text = stdout(&output);
        assert!(text.contains("not available") && text.contains(why), "{text}{}", stderr(&output));
    }
    let sequential = stdout(&tse(FRIDAY, &["--market-maker", "MM1", "--issue", "1321", "--at", "14:30:10"]));
    assert!(sequential.contains("not fulfilled: no_offer"), "a sequential quote is available time: {sequential}");
}

#[test]
fn a_fast_market_is_named_and_widens_the_limits_shown() {
    // clause: ST1/fast-market
    let text = stdout(&tse(MONDAY, &["--market-maker", "MM1", "--issue", "1306", "--at", "10:16"]));
    assert!(text.contains("at most 40 bps or 4 ticks, whichever is wider (Fast Market x2 applied)"), "{text}");
    assert!(text.contains("21.43 bps (limit 40, within); limits x2, Fast Market"), "{text}");
    let sponsored = ["--market-maker", "MM1", "--issue", "1655", "--obligation", "sponsored:MINAMI-1655"];
    let text = stdout(&tse(MONDAY, &sponsored));
    assert!(text.contains("at most 20 bps (no Fast Market for a sponsored condition)"), "{text}");
}

#[test]
fn the_day_is_the_one_that_replay_measures() {
    let rows = fs::read_to_string(repository("replay-data/tse-small/expected/daily.csv")).expect("expected");
    for row in rows.lines().skip(1) {
        let row: Vec<&str> = row.split(',').collect();
        let [date, maker, issue, obligation, available, fulfilled, unknown, percent] = row[..] else {
            panic!("{row:?}")
        };
        let arguments = ["--market-maker", maker, "--issue", issue, "--obligation", obligation, "--json"];
        let day = json(&tse(&format!("{date}.csv"), &[&arguments[..], &["--limit", "1000"]].concat()));
        let figures = ["available_us", "fulfilled_us", "unknown_us"].map(|name| day[name].to_string());
        assert_eq!(figures, [available, fulfilled, unknown]);
        assert_eq!(day["display_pct"].as_f64().map(|found| format!("{found:.4}")), Some(percent.to_owned()));
        let breaches = day["breaches"].as_array().expect("breaches");
        let lengths: Vec<u64> = breaches.iter().map(|breach| breach["duration_us"].as_u64().expect("µs")).collect();
        assert!(lengths.is_sorted_by(|longer, shorter| longer >= shorter));
        let sum: u64 = lengths.iter().sum();
        assert_eq!(sum, day["available_us"].as_u64().expect("µs") - day["fulfilled_us"].as_u64().expect("µs"));
    }
}

#[test]
fn a_question_without_an_answer_says_what_there_is() {
    for (arguments, expected) in [
        (&["--market-maker", "MM9", "--issue", "1306"][..], "expected one of MM1, MM2, MM3"),
        (
            &["--market-maker", "MM1", "--issue", "9999"],
            "issue 9999 is not in issues.csv; sign-ups of MM1 on 2024-03-01: 1306, 1321, 1615, 1655",
        ),
        (&["--market-maker", "MM1", "--issue", "1678"], "signups.csv has no sign-up of it"),
        (&["--market-maker", "MM1", "--issue", "130A"], "in force from 2024-03-04 to further notice"),
        (
            &["--market-maker", "MM1", "--issue", "1655", "--obligation", "sponsored"],
            "expected one of general, sponsored:MINAMI-1655",
        ),
        (
            &["--market-maker", "MM1", "--issue", "1306", "--at", "2024-03-04T10:00:00+09:00"],
            "not on 2024-03-01, the date of the file",
        ),
        (&["--market-maker", "MM1", "--issue", "1306", "--at", "noon"], "expected a local clock time"),
    ] {
        let output = tse(FRIDAY, arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
        assert_eq!(stdout(&output), "");
    }
}

#[test]
fn standard_input_is_a_file() {
    let bench = Bench::new();
    for more in [&["--at", "09:00:00.5"][..], &[]] {
        let mut arguments = vec!["explain", "--registry", "registry", "--market-maker", "MM1", "--issue", "1306", "-"];
        arguments.extend(more);
        let mut child =
            bench.command(&arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the binary runs");
        let text = day_text("2024-03-01", &GOOD);
        child.stdin.take().expect("piped").write_all(text.as_bytes()).expect("it reads");
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success() && stdout(&output).contains("no_bid+no_offer"), "{}", stdout(&output));
    }
}

/// A day whose third record names an order that is not there.
fn damaged(bench: &Bench) -> PathBuf {
    let records = [GOOD[0], GOOD[1], "09:10:00,1306,cancel,99,,,,,,,", "09:20:00,1306,clear,,,,,,,,"];
    bench.day("damaged.csv", &records)
}

#[test]
fn unknown_time_names_the_bad_record_and_the_whole_file_is_checked() {
    let bench = Bench::new();
    damaged(&bench);
    let ask = |more: &[&str]| {
        let who = ["explain", "--registry", "registry", "--market-maker", "MM1", "--issue", "1306", "damaged.csv"];
        bench.run(&[&who[..], more].concat())
    };
    let strict = ask(&["--at", "09:05"]);
    assert_eq!(strict.status.code(), Some(1));
    assert!(stderr(&strict).contains("line 4: order 99 is not in the issue's book"), "{}", stderr(&strict));
    let lenient = ask(&["--at", "09:15", "--lenient"]);
    assert_eq!(lenient.status.code(), Some(3));
    let text = stdout(&lenient);
    assert!(text.contains("unknown") && text.contains("in doubt because of line 4 (seq 3) at 09:10:00"), "{text}");
    assert!(text.contains("ended 09:20:00.000000 line 5 (seq 4), clear: the book is emptied"), "{text}");
}

#[test]
fn time_that_a_late_record_puts_in_doubt_names_that_record() {
    let bench = Bench::new();
    let records = [GOOD[0], GOOD[1], "09:30:00,1306,cancel,2,,,,,,,", "09:10:00,1306,cancel,1,,,,,,,"];
    bench.day("late.csv", &records);
    let who = ["explain", "--registry", "registry", "--market-maker", "MM1", "--issue", "1306", "late.csv"];
    let text = stdout(&bench.run(&[&who[..], &["--lenient", "--at", "09:15"]].concat()));
    assert!(text.contains("in doubt because of line 5 (seq 4)"), "{text}");
    assert!(text.contains("began 09:10:00.000000 from here on a later bad record leaves in doubt"), "{text}");
}

#[test]
fn a_record_of_the_next_midnight_leaves_in_doubt_what_came_after_the_record_before_it() {
    let bench = Bench::new();
    let records = day_text("2024-03-01", &[GOOD[0], GOOD[1], "09:30:00,1306,cancel,2,,,,,,,"]);
    let mut lines: Vec<&str> = records.lines().collect();
    lines.insert(2, "1,2024-03-02T00:00:00+09:00,1306,cancel,1,,,,,,,");
    let renumbered: Vec<String> =
        lines[1..].iter().zip(1..).map(|(line, seq)| format!("{seq}{}", &line[1..])).collect();
    bench.write("day.csv", format!("{}\n{}\n", lines[0], renumbered.join("\n")).as_bytes());
    let who = ["explain", "--registry", "registry", "--market-maker", "MM1", "--issue", "1306", "day.csv"];
    let output = bench.run(&[&who[..], &["--lenient", "--at", "09:40"]].concat());
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.contains("unknown") && text.contains("in doubt because of line 3 (seq 2)"), "{text}");
}

/// A page of a bundled day.
fn page(bench: &Bench, name: &str, arguments: &[&str]) -> PathBuf {
    let path = bench.path(name);
    let path_text = path.to_str().expect("UTF-8").to_owned();
    let output = tse(FRIDAY, &[arguments, &["--html", &path_text]].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    path
}

#[test]
fn the_page_needs_nothing_else_and_hides_no_breach() {
    let bench = Bench::new();
    let page = page(&bench, "page.html", &["--market-maker", "MM1", "--issue", "1321", "--at", "10:40:05.3192"]);
    let html = fs::read_to_string(page).expect("the page");
    for absent in ["<script", "http-equiv=\"refresh\"", "src=", "@import", "url(http", "<link"] {
        assert!(!html.contains(absent), "{absent}");
    }
    // Five breaches of 300 µs to 21 s in a day of six hours: at two places, each at least a pixel wide.
    assert!(3 <= html.matches("<rect class=\"breach\"").count(), "one of them in the legend");
    for number in 1..=5 {
        assert!(
            html.contains(&format!("id=\"breach-{number}\"")) && html.contains(&format!("href=\"#breach-{number}\""))
        );
    }
    for shown in ["ST1/minimum-value", "ticks_across_bands", "<desc", "<title>MM1 1321 general, 2024-03-01</title>"] {
        assert!(html.contains(shown), "{shown}");
    }
}

#[test]
fn names_are_text_on_the_page_whatever_they_hold() {
    let bench = Bench::new();
    let evil = "<img src=x onerror=alert(1)>&";
    bench.write("registry/issues.csv", format!("issue,type,tick_table,name\n1306,T,yen,{evil}\n").as_bytes());
    bench.write("registry/market_makers.csv", b"market_maker\n<b>MM1\n");
    bench.write("registry/virtual_servers.csv", b"server,market_maker\n<i>VS1,<b>MM1\n");
    bench.write("registry/signups.csv", b"market_maker,issue\n<b>MM1,1306\n");
    let records = GOOD.map(|record| record.replace("VS1", "<i>VS1"));
    bench.day("day.csv", &[&records[0], &records[1]]);
    let who = ["explain", "--registry", "registry", "--market-maker", "<b>MM1", "--issue", "1306", "day.csv"];
    let output = bench.run(&[&who[..], &["--html", "page.html"]].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    let html = bench.read("page.html");
    for raw in ["<img", "<b>MM1", "<i>VS1"] {
        assert!(!html.contains(raw), "{raw}");
    }
}

#[test]
fn a_day_of_many_changes_keeps_the_page_small_and_its_breaches_visible() {
    let bench = Bench::new();
    let mut records = GOOD.map(str::to_owned).to_vec();
    // One breach of a microsecond in a busy hour.
    for count in 0..40_000_u32 {
        let (minute, micros) = (1 + count / 800, count % 800 * 70_000);
        let clock = format!("09:{minute:02}:{:02}.{:06}", micros / 1_000_000, micros % 1_000_000);
        records.push(format!("{clock},1306,replace,1,,,,{},,,", 1000 + count % 3));
    }
    records.push("09:55:00,1306,replace,1,,,,900,,,".to_owned());
    records.push("09:55:00.000001,1306,replace,1,,,,1000,,,".to_owned());
    let records: Vec<&str> = records.iter().map(String::as_str).collect();
    bench.day("day.csv", &records);
    let who = ["explain", "--registry", "registry", "--market-maker", "MM1", "--issue", "1306", "day.csv"];
    let output = bench.run(&[&who[..], &["--html", "page.html"]].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    let html = bench.read("page.html");
    assert!(html.len() < 1 << 20, "{} bytes", html.len());
    let drawn = html.matches("<rect class=\"breach\"").count() - 1;
    assert_eq!(drawn, 2, "the first second, and the microsecond");
}

/// A headless Chromium; says that the test is skipped where there is none.
fn chromium() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .flat_map(|folder| names.map(|name| folder.join(name)))
        .find(|program| program.is_file());
    if found.is_none() {
        skipped("no Chromium on the PATH to open the page in");
    }
    found
}

fn browse(chromium: &Path, profile: &Path, arguments: &[&str], page: &Path) -> Output {
    let mut command = Command::new(chromium);
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1400,1800"]);
    command.arg(format!("--user-data-dir={}", profile.display())).args(arguments);
    command.arg(format!("file://{}", page.display())).output().expect("the browser runs")
}

#[test]
fn a_real_browser_renders_the_page() {
    let Some(chromium) = chromium() else { return };
    let bench = Bench::new();
    let page = page(&bench, "page.html", &["--market-maker", "MM1", "--issue", "1306", "--at", "10:16"]);
    let profile = bench.path("profile");
    let dom = stdout(&browse(&chromium, &profile, &["--dump-dom"], &page));
    for shown in
        ["98.8184 %", "not fulfilled: spread", "33,812,000", "21.28 bps", "class=\"own-bid\"", "id=\"breach-2\""]
    {
        assert!(dom.contains(shown), "{shown} is not in what the browser made of the page");
    }
    let picture = bench.path("page.png");
    let argument = format!("--screenshot={}", picture.display());
    browse(&chromium, &profile, &[&argument], &page);
    let bytes = fs::read(&picture).expect("a screenshot");
    assert!(bytes.starts_with(b"\x89PNG"));
    let side = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    assert_eq!((side(16), side(20)), (1400, 1800));
    // A blank page of this size compresses to a few kilobytes; text, lines and bands do not.
    assert!(50_000 < bytes.len(), "{} bytes: the page looks blank", bytes.len());
}

/// The answer for every row of the bundled days, from one form of the input, without the places of its records.
fn answers(folder: &Path, file: &str, date: &str) -> Vec<String> {
    let rows = fs::read_to_string(repository("replay-data/tse-small/expected/daily.csv")).expect("expected");
    let of_date = rows.lines().filter(|row| row.starts_with(date));
    let answer = |row: &str| {
        let row: Vec<&str> = row.split(',').collect();
        let arguments = ["--market-maker", row[1], "--issue", row[2], "--obligation", row[3], "--json"];
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("quoteclock"));
        command.current_dir(folder).args(["explain", "--limit", "1000", "--at", "10:16", "--registry"]);
        let registry = repository("replay-data/tse-small/registry");
        let output = command.arg(registry).args(arguments).arg(file).output().expect("the binary runs");
        let text = stdout(&output);
        assert!(output.status.success(), "{}", stderr(&output));
        let lines = text.lines().filter(|line| !["\"place\":", "\"input\":"].iter().any(|key| line.contains(key)));
        lines.collect::<Vec<_>>().join("\n")
    };
    of_date.map(answer).collect()
}

#[test]
fn every_form_is_explained_alike_and_the_binary_one_by_its_index() {
    let bench = Bench::new();
    for date in ["2024-03-01", "2024-03-04"] {
        let csv = repository(&format!("replay-data/tse-small/{date}.csv"));
        let csv = csv.to_str().expect("UTF-8");
        for form in ["day.qcev", "day.qcev.zst", "day.csv.gz"] {
            let converted = bench.run(&["convert", csv, form]);
            assert!(converted.status.success(), "{}", stderr(&converted));
        }
        let expected = answers(&bench.path(""), csv, date);
        assert!(!expected.is_empty());
        for form in ["day.qcev", "day.qcev.zst", "day.csv.gz"] {
            assert_eq!(answers(&bench.path(""), form, date), expected, "{form}");
            fs::remove_file(bench.path(form)).expect("it is there");
        }
    }
}

#[test]
fn a_fault_of_the_own_issue_is_told_as_replay_tells_it_whatever_the_form() {
    let bench = Bench::new();
    bench.day("own.csv", &[GOOD[0], GOOD[1], "09:10:00,1306,cancel,99,,,,,,,"]);
    bench.day("other.csv", &[GOOD[0], GOOD[1], "09:10:00,1321,cancel,99,,,,,,,"]);
    for name in ["own", "other"] {
        let converted = bench.run(&["convert", &format!("{name}.csv"), &format!("{name}.qcev")]);
        assert!(converted.status.success(), "{}", stderr(&converted));
        for form in ["csv", "qcev"] {
            let file = format!("{name}.{form}");
            let who = ["explain", "--registry", "registry", "--market-maker", "MM1", "--issue", "1306", &file];
            let (explained, replayed) = (bench.run(&who), bench.replay(&[&file]));
            assert_eq!(replayed.status.code(), Some(1));
            if name == "own" {
                assert_eq!(explained.status.code(), Some(1), "{file}");
                let told = stderr(&replayed);
                let told = told.lines().next().expect("an error");
                assert!(stderr(&explained).contains(told), "{told}\n{}", stderr(&explained));
            } else {
                // The book of another issue is not looked at.
                assert_eq!(explained.status.code(), Some(0), "{file}: {}", stderr(&explained));
            }
        }
    }
}

#[test]
fn own_orders_that_do_not_count_are_named_with_the_reason() {
    // clause: ST1/participant, ST1/virtual-server-measuring, QC/on_close_orders
    let bench = Bench::new();
    bench.write(
        "registry/virtual_servers.csv",
        b"server,market_maker,participant,from,to\nVS1,MM1,P1,,\nVS2,MM1,P2,,\nVS3,MM1,P1,,2024-02-29\n",
    );
    bench.write("registry/signups.csv", b"market_maker,issue,participant\nMM1,1306,P1\n");
    bench.day(
        "day.csv",
        &[
            "08:59:00,1306,add,1,,VS1,B,100,10,,",
            "08:59:00,1306,add,2,,VS2,B,100,11,,",
            "08:59:00,1306,add,3,,VS3,S,101,12,,",
            "08:59:00,1306,add,4,,VS1,S,101,13,on_close,",
            "08:59:00,1306,add,5,,VS1,S,,14,,",
            "08:59:00,1306,add,6,,,S,101,15,,",
            "09:30:00,1306,cancel,2,,,,,,,",
        ],
    );
    let who = ["explain", "--registry", "registry", "--market-maker", "MM1", "--issue", "1306", "day.csv"];
    let text = stdout(&bench.run(&[&who[..], &["--at", "09:10"]].concat()));
    for line in [
        "own orders that do not count: 4",
        "bid 2 (VS2), 11 at 100: its server is of participant P2, the sign-up of P1",
        "offer 3 (VS3), 12 at 101: no row of its server is in force on the date",
        "offer 4 (VS1), 13 at 101: for an auction only (on_close)",
        "offer 5 (VS1), 14 at market: a market order has no price",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    let later = json(&bench.run(&[&who[..], &["--at", "09:40", "--json"]].concat()));
    let uncounted = &later["moment"]["scene"]["uncounted"];
    let orders: Vec<u64> =
        uncounted.as_array().expect("a list").iter().map(|order| order["order"].as_u64().expect("a number")).collect();
    assert_eq!((orders, later["moment"]["scene"]["uncounted_count"].as_u64()), (vec![3, 4, 5], Some(3)));
    assert_eq!(
        (uncounted[0]["why"].as_str(), uncounted[1]["condition"].as_str()),
        (Some("server_not_in_force"), Some("on_close"))
    );
}

#[test]
fn a_stored_day_is_found_and_a_month_tells_where_its_lost_time_is() {
    let bench = Bench::new();
    let days = ["2024-03-01", "2024-03-04"].map(|date| repository(&format!("replay-data/tse-small/{date}.csv")));
    let registry = repository("replay-data/tse-small/registry");
    let [registry, first, second] = [&registry, &days[0], &days[1]].map(|path| path.to_str().expect("UTF-8"));
    let stored = bench.run(&["replay", "--registry", registry, "--db", "market.db", first, second]);
    assert!(stored.status.success(), "{}", stderr(&stored));
    let ask = |more: &[&str]| {
        let who = ["explain", "--registry", registry, "--market-maker", "MM1"];
        bench.run(&[&who[..], more].concat())
    };
    let by_date = ask(&["--issue", "1306", "--db", "market.db", "--date", "2024-03-01"]);
    // What has been measured before is known to be good in all of its records.
    let by_file = stdout(&ask(&["--issue", "1306", first]));
    let note = "\nRecords of other issues were not judged in full: quoteclock replay does that.\n";
    assert_eq!(Some(stdout(&by_date).as_str()), by_file.strip_suffix(note), "{}", stderr(&by_date));
    let of_day = |arguments: &[&str]| json(&ask(&[arguments, &["--json"]].concat()));
    let days = [first, second].map(|day| of_day(&[day]));
    let month = of_day(&["--db", "market.db", "--month", "2024-03"]);
    assert_eq!((month["schema"].as_u64(), month["period"].as_str()), (Some(1), Some("2024-03")));
    let us = |value: &Value| value.as_u64().expect("a number of microseconds");
    assert_eq!(us(&month["lost"]["total_us"]), days.iter().map(|day| us(&day["lost"]["total_us"])).sum::<u64>());
    for (part, key) in [("by_reason", "reason"), ("by_hour", "hour"), ("by_day", "date")] {
        for row in month["lost"][part].as_array().expect("a list") {
            let of_days = days.iter().flat_map(|day| day["lost"][part].as_array().expect("a list"));
            let same = of_days.filter(|other| other[key] == row[key]);
            assert_eq!(us(&row["lost_us"]), same.map(|other| us(&other["lost_us"])).sum::<u64>(), "{row}");
        }
    }
    let sum = |field: &str, document: &Value| -> u64 {
        document["obligations"].as_array().expect("a list").iter().map(|row| us(&row[field])).sum()
    };
    for field in ["outages", "breaches", "lost_us", "available_us", "fulfilled_us"] {
        assert_eq!(sum(field, &month), days.iter().map(|day| sum(field, day)).sum::<u64>(), "{field}");
    }
    let text = stdout(&ask(&["--db", "market.db", "--month", "2024-03"]));
    assert!(text.contains("09:00 to 10:00") && text.contains("main reason"), "{text}");
    for (arguments, expected) in [
        (&["--db", "market.db", "--date", "2024-03-05"][..], "2024-03-05 is not stored"),
        (&["--db", "market.db", "--month", "2024-03", "--issue", "9999"], "no stored result"),
        (&["--db", "market.db"], "expected a FILE of events, or --db with --date or --month"),
        (&["--html", "page.html", first], "--issue"),
    ] {
        let refused = ask(arguments);
        assert_ne!(refused.status.code(), Some(0), "{arguments:?}");
        assert!(stderr(&refused).contains(expected), "{}", stderr(&refused));
    }
    // Another input under the name of the first is not taken for it.
    let copy = bench.path("copy.csv");
    fs::copy(first, &copy).expect("a copy");
    assert!(bench.run(&["replay", "--registry", registry, "--db", "market.db", "copy.csv"]).status.success());
    let text = fs::read_to_string(&copy).expect("the copy");
    let other = text.replace(",2817,", ",2816,");
    assert_ne!(other, text);
    fs::write(&copy, other).expect("another day");
    let refused = ask(&["--db", "market.db", "--date", "2024-03-01"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("expected the SHA-256"), "{}", stderr(&refused));
}

#[test]
fn all_issues_at_once_are_what_each_is() {
    let together = json(&tse(FRIDAY, &["--market-maker", "MM1", "--json"]));
    let explanations = together["explanations"].as_array().expect("a list");
    assert_eq!(explanations.len(), 6);
    for explanation in explanations {
        let [issue, obligation] = ["issue", "obligation"].map(|name| explanation[name].as_str().expect("text"));
        let who = ["--market-maker", "MM1", "--issue", issue, "--obligation", obligation, "--json"];
        assert_eq!(*explanation, json(&tse(FRIDAY, &who)));
    }
    let text = stdout(&tse(FRIDAY, &["--market-maker", "MM1"]));
    assert!(text.contains("lost 0:30:59.240457 in 10 outages of 6 obligations"), "{text}");
    let at = stdout(&tse(FRIDAY, &["--market-maker", "MM1", "--at", "10:16"]));
    assert!(at.contains("not fulfilled: spread") && at.contains("MINAMI-1655"), "{at}");
}

#[test]
fn a_clock_reading_that_names_two_instants_or_none_is_refused_with_what_would_name_one() {
    let bench = Bench::new();
    let scheme = fs::read_to_string(bench.path("registry/scheme.toml")).expect("the scheme");
    bench.write("registry/scheme.toml", scheme.replace("Asia/Tokyo", "America/New_York").as_bytes());
    // The clock goes back at 02:00 on the 3rd of November, and forward at 02:00 on the 10th of March.
    for (date, at, code, says) in [
        (
            "2024-11-03",
            "1:30",
            2,
            "on 2024-11-03 the clock shows 01:30:00 twice, expected one of them: \
          2024-11-03T01:30:00-04 or 2024-11-03T01:30:00-05",
        ),
        ("2024-11-03", "2024-11-03T01:30:00-05:00", 0, ""),
        ("2024-11-03", "0:59:59.999999", 0, ""),
        ("2024-11-03", "2:00", 0, ""),
        ("2024-03-10", "2:30", 2, "on 2024-03-10 the clock never shows 02:30:00"),
        ("2024-03-10", "1:59:59.999999", 0, ""),
        ("2024-03-10", "3:00", 0, ""),
    ] {
        let header = "time,issue,event,order,server,side,price,quantity\n";
        bench.write("day.csv", format!("{header}{date}T12:00:00Z,1306,add,1,VS1,B,2000,10\n").as_bytes());
        let arguments = ["explain", "--registry", "registry", "--market-maker", "MM1", "--issue", "1306", "--at", at];
        let output = bench.run(&[&arguments[..], &["day.csv"]].concat());
        assert_eq!(output.status.code(), Some(code), "{date} {at}: {}", stderr(&output));
        assert!(stderr(&output).contains(says), "{date} {at}: {}", stderr(&output));
    }
}
