//! What Linux says of a running process; nothing elsewhere.

use std::time::Duration;

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
