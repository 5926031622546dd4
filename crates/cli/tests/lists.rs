//! `list` and `init`: who is market maker of what, and a registry to start from.

mod support;

use std::fs;
use support::{Bench, stderr};

fn bench() -> Bench {
    let bench = Bench::new();
    let folder = bench.path("own");
    fs::create_dir(&folder).expect("it works");
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).expect("it works");
    write(
        "issues.csv",
        "issue,type,tick_table,leveraged_inverse,from,to\n1306,A,01,,,\n1570,B,01,true,,\n1301,C,01,,,2024-02-29\n1699,C,01,,,\n",
    );
    write("market_makers.csv", "market_maker\nMM1\nMM2\n");
    write("virtual_servers.csv", "server,market_maker\nVS1,MM1\nVS2,MM2\n");
    write(
        "signups.csv",
        "market_maker,issue,participant,from,to\nMM2,1306,11000,2024-03-01,2024-03-31\nMM1,1570,,,\n\
         MM1,1306,,2024-03-02,\nMM1,1301,,,\n",
    );
    bench
}

fn list(bench: &Bench, date: &str, more: &[&str]) -> String {
    let mut arguments = vec!["list", "--registry", "own", "--date", date];
    arguments.extend(more);
    let output = bench.run(&arguments);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    String::from_utf8(output.stdout).expect("it works")
}

#[test]
fn whoever_is_signed_up_on_the_date_is_listed_and_nobody_of_an_etf_that_is_gone() {
    // clause: ST1/short-selling
    let bench = bench();
    let header = "date,market_maker,issue,participant,from,to\n";
    let first = "2024-03-01,MM1,1570,,,\n2024-03-01,MM2,1306,11000,2024-03-01,2024-03-31\n";
    assert_eq!(list(&bench, "2024-03-01", &[]), format!("{header}{first}"));
    let second = "2024-04-01,MM1,1306,,2024-03-02,\n2024-04-01,MM1,1570,,,\n";
    assert_eq!(list(&bench, "2024-04-01", &[]), format!("{header}{second}"));
    let pairs = "date,market_maker,issue\n2024-03-01,MM1,1570\n2024-03-01,MM2,1306\n";
    assert_eq!(list(&bench, "2024-03-01", &["--short-selling"]), pairs, "leveraged ETFs, too");
    let json = list(&bench, "2024-03-01", &["--json"]);
    assert!(
        json.contains(r#""list":[{"date":"2024-03-01","market_maker":"MM1","issue":"1570","participant":null"#),
        "{json}"
    );
}

#[test]
fn what_is_announced_names_no_market_maker() {
    // clause: ST1/announcement
    let bench = bench();
    let expected = "date,issue,has_market_maker\n2024-03-01,1306,yes\n2024-03-01,1570,yes\n2024-03-01,1699,no\n";
    assert_eq!(list(&bench, "2024-03-01", &["--public"]), expected);
    assert!(list(&bench, "2024-02-29", &["--public"]).contains("2024-02-29,1301,yes"));
    assert!(!list(&bench, "2024-03-01", &["--public", "--json"]).contains("MM"));
    // Nothing is announced of an ETF before its first day.
    let issues = fs::read_to_string(bench.path("own/issues.csv")).expect("it works");
    let issues = issues.replace("from,to\n", "listed,from,to\n").replace(",,2024-02-29", ",,,2024-02-29");
    let issues = issues.replace("1306,A,01,,,", "1306,A,01,,2024-03-02,,").replace("true,,", "true,2024-03-01,,");
    fs::write(bench.path("own/issues.csv"), issues.replace("1699,C,01,,,", "1699,C,01,,,,")).expect("it works");
    let expected = "date,issue,has_market_maker\n2024-03-01,1570,yes\n2024-03-01,1699,no\n";
    assert_eq!(list(&bench, "2024-03-01", &["--public"]), expected);
    assert!(list(&bench, "2024-03-02", &["--public"]).contains("2024-03-02,1306,yes"));
}

#[test]
fn a_registry_to_start_from_has_neither_error_nor_warning() {
    let bench = Bench::new();
    let output = bench.run(&["init", "new/registry"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let output = bench.run(&["check", "--registry", "new/registry"]);
    let text = String::from_utf8(output.stdout).expect("it works");
    assert!(output.status.success() && text.ends_with("0 errors, 0 warnings\n"), "{text}");
    let output = bench.run(&["init", "new/registry"]);
    assert_eq!(output.status.code(), Some(2), "a folder that is in use is left alone");
    let names: Vec<String> = fs::read_dir(bench.path("new/registry"))
        .expect("it works")
        .map(|entry| entry.expect("it works").file_name().into_string().expect("it works"))
        .collect();
    assert_eq!(names.len(), 13, "11 files, the README and the templates: {names:?}");
}

#[test]
fn the_examples_of_the_readme_are_a_registry_in_order() {
    let bench = Bench::new();
    assert!(bench.run(&["init", "own"]).status.success());
    let readme = fs::read_to_string(bench.path("own/README.md")).expect("it works");
    let mut count = 0;
    for section in readme.split("\n**").skip(1) {
        let (Some((name, rest)), true) = (section.split_once("**"), section.contains("```\n")) else { continue };
        let example = rest.split("```\n").nth(1).expect("it works");
        // As the exchange's rules have it, an example is a whole file but for holidays.
        fs::write(bench.path("own").join(name), example).expect("it works");
        count += 1;
    }
    assert_eq!(count, 9);
    let output = bench.run(&["check", "--registry", "own"]);
    let text = String::from_utf8(output.stdout).expect("it works");
    assert!(output.status.success(), "{text}");
    // One ETF is fewer than five, and no index of the example is that of the matching fund.
    assert!(text.ends_with("0 errors, 3 warnings\n"), "{text}");
}
