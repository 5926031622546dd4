//! `quoteclock etf` as a user runs it: the worked folders byte for byte, exit codes, and candidates in a registry.

mod support;

use std::fs;
use std::path::Path;
use std::process::Output;
use support::{Bench, day_text, repository, stderr, stdout};

/// The rule sets, each with what is asked of its worked folder, the files that it writes, and the exit code.
const WORKED: [(&str, &[&str], &[&str], i32); 4] = [
    ("stock-connect", &["--review", "2024-06"], &["dates.csv", "review.csv"], 3),
    ("licences", &[], &["decisions.csv"], 3),
    ("inclusion", &["--allocation", "quota", "--date", "2017-06-30"], &["allocations.csv", "weights.csv"], 0),
    ("feeders", &["--year", "2024"], &["candidates.csv", "pairs.csv"], 0),
];

fn folder(rules: &str) -> String {
    repository(&format!("replay-data/etf/{rules}")).display().to_string()
}

fn etf(bench: &Bench, rules: &str, data: &str, more: &[&str]) -> Output {
    bench.run(&[&["etf", rules, "--data", data], more].concat())
}

#[test]
fn worked_folders_come_out_byte_for_byte() {
    let bench = Bench::new();
    for (rules, asked, files, code) in WORKED {
        let out = bench.path(rules).display().to_string();
        let output = etf(&bench, rules, &folder(rules), &[asked, &["--out", &out]].concat());
        assert_eq!(output.status.code(), Some(code), "{rules}: {}", stderr(&output));
        let mut written: Vec<String> =
            fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        written.sort();
        assert_eq!(written, files);
        for file in files {
            let expected = fs::read_to_string(Path::new(&folder(rules)).join("expected").join(file)).unwrap();
            assert_eq!(bench.read(&format!("{rules}/{file}")), expected, "{rules}/{file}");
        }
    }
}

#[test]
fn a_document_has_the_names_and_columns_of_the_files_and_the_readings() {
    let bench = Bench::new();
    for (rules, asked, files, code) in WORKED {
        let output = etf(&bench, rules, &folder(rules), &[asked, &["--json"]].concat());
        assert_eq!(output.status.code(), Some(code));
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        for file in files {
            let list = document[file.trim_end_matches(".csv")].as_array().unwrap();
            let csv = fs::read_to_string(Path::new(&folder(rules)).join("expected").join(file)).unwrap();
            assert_eq!(list.len(), csv.lines().count() - 1, "{rules}/{file}");
            let columns: Vec<&str> = csv.lines().next().unwrap().split(',').collect();
            let row = list[0].as_object().unwrap();
            assert!(row.len() == columns.len() && columns.iter().all(|column| row.contains_key(*column)), "{file}");
        }
        assert!(document["interpretations"].as_object().is_some_and(|readings| !readings.is_empty()));
        let printed = etf(&bench, rules, &folder(rules), asked);
        assert!(stdout(&printed).contains("\ninterpretations: "), "{rules}");
    }
}

#[test]
fn candidates_are_accepted_in_a_registry_and_exempt_the_day() {
    // clause: FEED/target-closed
    let bench = Bench::new();
    let quotes =
        day_text("2024-10-01", &["09:00:00,1306,add,1,,VS1,B,100,10,,", "09:00:00,1306,add,2,,VS1,S,101,10,,"]);
    bench.write("day.csv", quotes.as_bytes());
    let available = |out: &str| {
        let output = bench.run(&["replay", "--registry", "registry", "--out", out, "day.csv"]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        bench.read(&format!("{out}/daily.csv"))
    };
    assert_eq!(
        available("before").lines().nth(1),
        Some("2024-10-01,MM1,1306,general,3600000000,3600000000,0,100.0000")
    );
    etf(&bench, "feeders", &folder("feeders"), &["--year", "2024", "--out", "feeders"]);
    fs::copy(bench.path("feeders/candidates.csv"), bench.path("registry/exemptions.csv")).unwrap();
    let check = bench.run(&["check", "--registry", "registry"]);
    assert_eq!(check.status.code(), Some(0), "{}", stdout(&check));
    let after = available("after");
    assert_eq!(after.lines().nth(1), Some("2024-10-01,MM1,1306,general,0,0,0,"));
    assert_eq!(after.lines().nth(2), Some("2024-10-01,MM1,1321,general,3600000000,0,0,0.0000"));
}

#[test]
fn usage_is_told_from_input() {
    let bench = Bench::new();
    let code = |arguments: &[&str]| bench.run(&[&["etf"], arguments].concat()).status.code();
    let (stock_connect, inclusion, feeders) = (folder("stock-connect"), folder("inclusion"), folder("feeders"));
    for review in ["2024-07", "2024", "2024-6", "june"] {
        assert_eq!(code(&["stock-connect", "--data", &stock_connect, "--review", review]), Some(2), "{review}");
    }
    for allocation in ["all", "custom:100%", "quota"] {
        assert_eq!(code(&["inclusion", "--data", &inclusion, "--allocation", allocation]), Some(2), "{allocation}");
    }
    let dated = ["inclusion", "--data", &inclusion, "--allocation", "quota", "--date", "2017-6-30"];
    assert_eq!(code(&dated), Some(2));
    for asked in [&[][..], &["--year", "24"], &["--date", "2024-02-30"], &["--date", "2024-02-29", "--year", "2024"]] {
        assert_eq!(code(&[&["feeders", "--data", feeders.as_str()], asked].concat()), Some(2), "{asked:?}");
    }
    assert_eq!(code(&["licences", "--data", "nowhere"]), Some(1));
    // A folder of another rule set: every fault with file, line and column, and nothing written.
    let output = etf(&bench, "licences", &stock_connect, &["--out", "out"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("indices.csv: line 1, column launched: unknown column"), "{}", stderr(&output));
    assert!(stderr(&output).contains("applications.csv: the file is missing"), "{}", stderr(&output));
    assert!(!bench.path("out").exists());
}

#[cfg(unix)]
#[test]
fn an_output_that_is_an_input_is_refused() {
    let bench = Bench::new();
    fs::create_dir(bench.path("data")).unwrap();
    bench.write("data/feeders.csv", b"market,issue,target_market,target,programme\n");
    std::os::unix::fs::symlink(bench.path("data/feeders.csv"), bench.path("data/pairs.csv")).unwrap();
    let output = etf(&bench, "feeders", "data", &["--year", "2024", "--out", "data"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert_eq!(bench.read("data/feeders.csv"), "market,issue,target_market,target,programme\n");
}
