//! Compares instruction counts, as `benches/instructions.rs` prints them in JSON, with the baseline: `just instructions`, or
//! `just instructions-accept` to write the baseline anew. Of several counts of a stage the lowest is taken.
//!
//! The baseline belongs to a compiler, too: the same source comes to other counts under another one.

use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::Read;
use std::process::{Command, ExitCode};

/// How much a count may rise, in thousandths.
const RISE_MAX: i64 = 30;

const BASELINE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/instructions.toml");

fn main() -> ExitCode {
    let mut printed = String::new();
    std::io::stdin().read_to_string(&mut printed).expect("text on standard input");
    let mut counts: BTreeMap<String, i64> = BTreeMap::new();
    for (stage, count) in printed.lines().map(count) {
        counts.entry(stage).and_modify(|lowest| *lowest = count.min(*lowest)).or_insert(count);
    }
    assert!(!counts.is_empty(), "no counts on standard input");
    let compiler = compiler();
    if std::env::args().any(|argument| argument == "--accept") {
        std::fs::write(BASELINE, baseline(&compiler, &counts)).expect("the baseline can be written");
        return ExitCode::SUCCESS;
    }
    let text = std::fs::read_to_string(BASELINE).expect("the baseline can be read");
    let baseline: toml::Table = text.parse().expect("the baseline is TOML");
    let mut good = true;
    for stage in baseline["instructions"].as_table().expect("a table").keys() {
        if !counts.contains_key(stage) {
            println!("{stage:20} is in the baseline and was not counted");
            good = false;
        }
    }
    for (stage, &count) in &counts {
        let Some(before) = baseline["instructions"].get(stage).and_then(toml::Value::as_integer) else {
            println!("{stage:20} {count:>12}  is not in the baseline");
            good = false;
            continue;
        };
        let change = (count - before) * 1000 / before;
        let verdict = match change {
            _ if RISE_MAX < change => "ABOVE THE LIMIT",
            _ if change < -RISE_MAX => "faster: accept it, so that it stays so",
            _ => "",
        };
        let (sign, size) = (if change < 0 { '-' } else { '+' }, change.abs());
        println!("{stage:20} {count:>12}  baseline {before:>12}  {sign}{}.{} %  {verdict}", size / 10, size % 10);
        good &= change <= RISE_MAX;
    }
    let of_baseline = baseline["compiler"].as_str().expect("a string");
    if of_baseline != compiler {
        println!("the baseline is of {of_baseline}, and this is {compiler}: counts differ between compilers");
    }
    if good {
        return ExitCode::SUCCESS;
    }
    println!("If the rise is meant, `just instructions-accept` writes it to the baseline: say why in the commit.");
    ExitCode::FAILURE
}

/// The stage and the count in one line.
fn count(line: &str) -> (String, i64) {
    let summary: Value = serde_json::from_str(line).expect("a summary in JSON");
    let stage = summary["id"].as_str().expect("an id").to_owned();
    let count = instructions(&summary).unwrap_or_else(|| panic!("no count of instructions: {line}"));
    (stage, count)
}

/// The count of this run, wherever it stands: an earlier one may stand beside it.
fn instructions(value: &Value) -> Option<i64> {
    match value {
        Value::Object(fields) => match fields.get("Ir") {
            Some(counts) => counts["values"]["new"].as_i64(),
            None => fields.values().find_map(instructions),
        },
        Value::Array(values) => values.iter().find_map(instructions),
        _ => None,
    }
}

fn compiler() -> String {
    let output = Command::new("rustc").arg("--version").output().expect("rustc can be run");
    let version = String::from_utf8(output.stdout).expect("a version is text");
    version.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

fn baseline(compiler: &str, counts: &BTreeMap<String, i64>) -> String {
    let mut text = format!(
        "# Instructions of the main stages at their small size. Written by `just instructions-accept`.\n\
         compiler = \"{compiler}\"\n\n[instructions]\n"
    );
    for (stage, count) in counts {
        writeln!(text, "{stage} = {count}").expect("writing to a string");
    }
    text
}
