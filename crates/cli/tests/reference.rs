//! `docs/REFERENCE.md` is what code and tests cite: what they cite is there, and what there is stands in it.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn reference() -> String {
    fs::read_to_string(root().join("docs/REFERENCE.md")).expect("docs/REFERENCE.md can be read")
}

/// Sources, tests and documents of the repository, each with its text.
fn texts() -> Vec<(PathBuf, String)> {
    let mut texts = Vec::new();
    let mut folders: Vec<PathBuf> =
        ["crates", "docs", "benches", "fuzz", "replay-data"].iter().map(|folder| root().join(folder)).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the repository") {
            let path = entry.expect("an entry of a folder").path();
            let is_text = path.extension().is_some_and(|extension| extension == "rs" || extension == "md");
            if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
                folders.push(path);
            } else if is_text {
                let text = fs::read_to_string(&path).expect("a text of the repository");
                texts.push((path, text));
            }
        }
    }
    texts
}

#[test]
fn every_section_that_is_cited_is_there() {
    let reference = reference();
    let mut cites = 0;
    for (path, text) in texts() {
        for word in ["REFERENCE section ", "REFERENCE sections "] {
            for (position, _) in text.match_indices(word) {
                let Some(number) = text[position + word.len()..].chars().next().filter(char::is_ascii_digit) else {
                    continue;
                };
                cites += 1;
                assert!(reference.contains(&format!("\n## {number}. ")), "{}: section {number}", path.display());
            }
        }
    }
    assert!(10 < cites, "{cites} cites were found");
}

#[test]
fn every_command_and_interpretation_stands_in_it() {
    let reference = reference();
    let help = std::process::Command::new(assert_cmd::cargo::cargo_bin!("quoteclock")).arg("--help").output();
    let help = String::from_utf8(help.expect("quoteclock runs").stdout).expect("its help is text");
    let commands = help.split_once("Commands:\n").expect("help lists the commands").1;
    let commands = commands.lines().take_while(|line| !line.is_empty());
    let names = commands.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    for command in names.filter(|command| !matches!(*command, "" | "help")) {
        assert!(reference.contains(&format!("`{command}")), "{command}");
    }
    let registry =
        quoteclock::Registry::open(root().join("replay-data/tse-small/registry")).expect("the bundled registry");
    for (name, value) in registry.interpretations() {
        assert!(reference.contains(&format!("| `{name}` | `{value}` |")), "{name} = {value}");
    }
}
