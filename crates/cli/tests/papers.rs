//! The papers of a month: each recipient's folder holds its own figures alone, and the same bytes every time.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use support::{Bench, stderr};

/// Every file below a folder, by path.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).expect("a folder") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.insert(path.strip_prefix(folder).expect("below it").to_owned(), fs::read(&path).expect("a file"));
            }
        }
    }
    files
}

// clause: ST1/performance-report, ST1/asset-manager-report
#[test]
fn every_folder_holds_its_recipients_figures_alone_and_comes_out_the_same_again() {
    let bench = Bench::new();
    let month = support::repository("replay-data/month").canonicalize().expect("it is there");
    let mut days: Vec<PathBuf> =
        fs::read_dir(&month).expect("a folder").map(|entry| entry.expect("readable").path()).collect();
    days.retain(|path| support::is_day(path));
    let run = |arguments: &[&str], days: &[PathBuf]| {
        let mut command = bench.command(arguments);
        command.arg("--registry").arg(month.join("registry")).args(days);
        let output = command.output().expect("the binary runs");
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    };
    run(&["replay", "--db", "march.db"], &days);
    let report = ["report", "--db", "march.db", "--month", "2024-03", "--out", "out"];
    run(&report, &[]);
    let out = bench.path("out");
    let first = files(&out);
    fs::create_dir_all(out.join("tm-2/GONE")).expect("a folder of an earlier recipient");
    run(&report, &[]);
    assert!(files(&out) == first && !out.join("tm-2/GONE").exists(), "the same bytes, and nobody who is gone");
    let makers = ["MM01", "MM02", "MM03"];
    let participants = ["11000", "11001", "11010", "11020", "11021"];
    let managers = ["AM-NORTH", "AM-EAST", "AM-SOUTH", "AM-WEST"];
    let mut searched = 0;
    for (path, bytes) in first.iter().filter(|(path, _)| path.extension().is_some_and(|of| of != "xlsx")) {
        let parts: Vec<&str> = path.iter().filter_map(|part| part.to_str()).collect();
        let others: Vec<&str> = match parts[0] {
            "tm-2" => makers.iter().chain(&managers).filter(|name| **name != parts[1]).copied().collect(),
            "tm-2-participant" => {
                let parties = makers.iter().chain(&managers).chain(&participants);
                parties.filter(|name| !parts.contains(name)).copied().collect()
            }
            "ta-1" => managers.iter().filter(|name| **name != parts[1]).copied().collect(),
            _ => continue,
        };
        searched += 1;
        let text = String::from_utf8_lossy(bytes);
        for name in others {
            // A participant's code may stand inside a longer number: it has to stand alone to be a code.
            let is_alone = |(at, _): (usize, &str)| {
                let digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
                !digit(bytes.get(at.wrapping_sub(1))) && !digit(bytes.get(at + name.len()))
            };
            assert!(!text.match_indices(name).any(is_alone), "{} names {name}", path.display());
        }
    }
    assert!(searched > 50, "{searched} files");
    let mut quiet = report.to_vec();
    quiet.push("--no-documents");
    run(&quiet, &[]);
    assert!(!out.join("tm-2").exists() && !out.join("ta-1").exists());
}
