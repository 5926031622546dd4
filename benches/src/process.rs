//! Processes that a benchmark runs: to their good end, until they listen, and what Linux says of them (elsewhere nothing).

use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command};
use std::time::Duration;

/// Runs a command to its good end.
///
/// # Panics
/// If it cannot be run, or ends otherwise.
pub fn run(command: &mut Command) -> String {
    let output = command.output().expect("the program runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{said}{errors}", output.status);
    said
}

/// The address that `serve` or `publish`, whose output is a pipe, says it has bound: `http` or `listen`.
///
/// # Panics
/// If it ends before it is ready.
pub fn bound(child: &mut Child, name: &str) -> String {
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
    let ready: Value = serde_json::from_str(&line).expect("one JSON line, when it is ready");
    ready[name].as_str().expect("an address").to_owned()
}

/// Time of all processors so far, which Linux counts in hundredths of a second.
pub fn processor_time(process: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |position: usize| fields.get(position).and_then(|text| text.parse::<u64>().ok()).unwrap_or_default();
    Duration::from_millis((ticks(11) + ticks(12)) * 10)
}

/// KiB that it has held at most.
pub fn most_held(process: u32) -> u64 {
    kib(process, "VmHWM:")
}

/// KiB that it holds.
pub fn held(process: u32) -> u64 {
    kib(process, "VmRSS:")
}

fn kib(process: u32, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}
