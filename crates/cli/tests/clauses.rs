//! Every rule that the program acts on has an entry in `docs/CLAUSES.md`, and every entry is cited by code and by a test.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use support::repository;

/// Where a clause is cited.
#[derive(Default)]
struct Citations {
    code: bool,
    test: bool,
}

#[test]
fn every_clause_is_listed_and_every_listed_one_is_cited_by_code_and_by_a_test() {
    let document = fs::read_to_string(repository("docs/CLAUSES.md")).expect("the clauses");
    let rows = document.lines().filter(|line| line.starts_with("| `"));
    let listed: BTreeSet<String> = rows.flat_map(|row| ids_in(row).into_iter().next()).collect();
    let mut cited: BTreeMap<String, Citations> = BTreeMap::new();
    read_folder(&repository("crates"), &mut cited);
    let unlisted: Vec<&String> = cited.keys().filter(|id| !listed.contains(*id)).collect();
    assert!(unlisted.is_empty(), "cited, but not in docs/CLAUSES.md: {unlisted:?}");
    // An interpretation that a later capability acts on is a setting all the same: it stands in the list of settings.
    let settings = fs::read_to_string(repository("crates/rules/src/interpretations.rs")).expect("the settings");
    let is_setting = |id: &str| id.strip_prefix("QC/").is_some_and(|name| settings.contains(&format!("\"{name}\"")));
    let without_code: Vec<&String> =
        listed.iter().filter(|id| !cited.get(*id).is_some_and(|at| at.code) && !is_setting(id)).collect();
    assert!(without_code.is_empty(), "no code cites {without_code:?}");
    let without_test: Vec<&String> =
        listed.iter().filter(|id| !id.starts_with("QC/") && !cited.get(*id).is_some_and(|at| at.test)).collect();
    assert!(without_test.is_empty(), "no test cites {without_test:?}");
    println!("{} clauses, all cited", listed.len());
}

fn read_folder(folder: &Path, cited: &mut BTreeMap<String, Citations>) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            read_folder(&path, cited);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests/clauses.rs") {
            let text = fs::read_to_string(&path).expect("UTF-8");
            let in_tests = path.components().any(|part| part.as_os_str() == "tests") || path.ends_with("tests.rs");
            for line in text.lines() {
                for id in ids_in(line) {
                    let at = cited.entry(id).or_default();
                    at.test |= in_tests || line.contains("// clause:");
                    at.code |= !in_tests && !line.contains("// clause:");
                }
            }
        }
    }
}

/// The documents that clauses are of, and our own readings.
const PREFIXES: [&str; 13] =
    ["ST1/", "QC/", "SC/", "LIC/", "INC/", "FEED/", "RTS8/", "XETRA/", "TWSE/", "BIT/", "WBAG/", "BUX/", "SIX/"];

/// The ids in a line: a prefix and small letters, `-`, `_` and `/`.
fn ids_in(line: &str) -> Vec<String> {
    let mut ids = Vec::new();
    for prefix in PREFIXES {
        for (start, _) in line.match_indices(prefix) {
            let name: String = line[start + prefix.len()..]
                .chars()
                .take_while(|&letter| letter.is_ascii_lowercase() || "-_/".contains(letter))
                .collect();
            // `CSC/2025` is a calendar's year, and `SC/eligible/…` a family of clauses.
            let is_word_before = line[..start].ends_with(|letter: char| letter.is_ascii_alphanumeric());
            if !is_word_before && !name.is_empty() && !name.ends_with('/') {
                ids.push(format!("{prefix}{name}"));
            }
        }
    }
    ids
}
