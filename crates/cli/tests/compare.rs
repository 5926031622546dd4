//! `quoteclock compare`: rows that differ, by how much, and what they rest on.

mod support;

use serde_json::Value;
use support::{Bench, GOOD, stderr, stdout};

/// Two runs over one date into `a` and `b` and their databases: in the second MM1 stops quoting 1306 half an hour early.
fn bench() -> Bench {
    let bench = Bench::new();
    bench.day("first.csv", &GOOD);
    bench.day("second.csv", &[GOOD[0], GOOD[1], "09:30:00,1306,cancel,1,,,,,,,"]);
    for (side, day) in [("a", "first.csv"), ("b", "second.csv")] {
        let db = format!("{side}.db");
        let output = bench.run(&["replay", "--registry", "registry", "--out", side, "--db", &db, day]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    }
    bench
}

fn compare(bench: &Bench, a: &str, b: &str) -> (Option<i32>, Value) {
    let output = bench.run(&["compare", a, b, "--json"]);
    let document = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stderr(&output)));
    (output.status.code(), document)
}

#[test]
fn results_that_are_the_same_exit_with_0_in_whatever_form() {
    let bench = bench();
    for (a, b) in [("a", "a"), ("a.db", "a.db"), ("a", "a.db"), ("b.db", "b")] {
        let (code, document) = compare(&bench, a, b);
        assert_eq!((code, &document["same"]), (Some(0), &Value::from(true)), "{a} {b} {document}");
        assert_eq!((&document["rows"]["daily"], &document["schema"]), (&Value::from(2), &Value::from(1)));
        assert_eq!(document["rows"]["breaches"], 2, "one row for each obligation that has any");
    }
}

#[test]
fn rows_that_differ_are_told_with_their_difference_and_exit_with_4() {
    let bench = bench();
    for (a, b) in [("a", "b"), ("a.db", "b.db"), ("a", "b.db")] {
        let (code, document) = compare(&bench, a, b);
        assert_eq!(code, Some(4), "{document}");
        let differences = document["differences"].as_array().expect("a list");
        assert_eq!(differences.len(), 2, "{document}");
        let daily = &differences[0];
        assert_eq!((&daily["table"], &daily["how"]), (&Value::from("daily"), &Value::from("differs")));
        let key = "{\"date\":\"2024-03-01\",\"issue\":\"1306\",\"market_maker\":\"MM1\",\"obligation\":\"general\"}";
        assert_eq!(daily["key"].to_string(), key);
        let fulfilled = &daily["values"][0];
        assert_eq!(fulfilled["column"], "fulfilled_us");
        assert_eq!(fulfilled["difference"], -1_800_000_000_i64, "{document}");
        assert_eq!(differences[1]["values"][0]["difference"], 1, "one breach more");
    }
    let (_, document) = compare(&bench, "a.db", "b.db");
    let rests_on: Vec<&str> = document["rests_on"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| row["what"].as_str().expect("a word"))
        .collect();
    assert_eq!(rests_on, ["input", "input_sha256", "records"], "the registry is the same");
    let text = stdout(&bench.run(&["compare", "a.db", "b.db"]));
    assert!(text.contains("daily: 2 rows, 1 differ, 0 only in A, 0 only in B\n"), "{text}");
    assert!(
        text.contains("(-1800000000)") && text.contains("2024-03-01 input: first.csv in A, second.csv in B"),
        "{text}"
    );
}

#[test]
fn a_row_of_one_side_is_told_and_what_is_no_result_is_refused() {
    let bench = bench();
    let daily = bench.read("a/daily.csv");
    std::fs::create_dir(bench.path("c")).expect("a new folder");
    let short: Vec<&str> = daily.lines().take(2).collect();
    bench.write("c/daily.csv", format!("{}\n", short.join("\n")).as_bytes());
    let (code, document) = compare(&bench, "a", "c");
    assert_eq!((code, &document["differences"][0]["how"]), (Some(4), &Value::from("only_a")), "{document}");
    assert_eq!(document["only_a"][0], "breaches", "a table that one side has is named and not compared");
    bench.write("c/daily.csv", format!("{daily}{}\n", short[1]).as_bytes());
    let output = bench.run(&["compare", "a", "c"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("c/daily.csv: line 4: found the key of another row"), "{}", stderr(&output));
    for other in ["registry", "first.csv", "nowhere"] {
        let output = bench.run(&["compare", "a", other]);
        assert_eq!(output.status.code(), Some(1), "{other}");
        assert!(stderr(&output).contains(other), "{}", stderr(&output));
    }
}
