//! Whatever ends a run, the database has all of its days or none: killed at any moment, out of room, or beside others.
#![allow(clippy::unwrap_used, reason = "helpers are part of the tests")]

mod support;

use quoteclock_store::Store;
use std::collections::BTreeSet;
use std::fs;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use support::{Bench, day_text, stderr};

const DAYS: usize = 3;

/// Days with many breaches, whose number of records tells which `version` of them it is.
fn write_days(bench: &Bench, version: usize) -> Vec<String> {
    let day = |day: usize| {
        let toggles = (0..300 + version).flat_map(|number| {
            let clock = format!("09:{:02}:{:02}", number / 60 % 60, number % 60);
            [format!("{clock},1306,cancel,2,,,,,,,"), format!("{clock}.5,1306,add,2,,VS1,S,1003,10,,")]
        });
        let quotes =
            ["09:00:00,1306,add,1,,VS1,B,1000,10,,", "09:00:00,1306,add,2,,VS1,S,1003,10,,"].map(str::to_owned);
        let records: Vec<String> = quotes.into_iter().chain(toggles).collect();
        let records: Vec<&str> = records.iter().map(String::as_str).collect();
        let name = format!("v{version}-{day}.csv");
        bench.write(&name, day_text(&format!("2024-03-0{day}"), &records).as_bytes());
        name
    };
    (1..=DAYS).map(day).collect()
}

fn spawn(bench: &Bench, files: &[String]) -> Child {
    let mut command = bench.command(&["replay", "--registry", "registry", "--db", "market.db", "--threads", "2"]);
    command.args(files).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary runs")
}

/// The inputs of the stored days, after a look at the file as a whole.
fn stored(bench: &Bench) -> BTreeSet<String> {
    let store = Store::open(&bench.path("market.db")).expect("the file can be opened");
    assert_eq!(store.integrity_problems().expect("readable"), Vec::<String>::new());
    let days = store.days(jiff::civil::Date::MIN..=jiff::civil::Date::MAX).expect("readable");
    let mut breaches = 0;
    store.breaches(jiff::civil::Date::MIN..=jiff::civil::Date::MAX, |_| breaches += 1).expect("readable");
    assert_eq!(breaches == 0, days.is_empty());
    days.into_iter().map(|day| day.input).collect()
}

#[test]
fn a_run_killed_at_any_moment_is_stored_whole_or_not_at_all() {
    let bench = Bench::new();
    let versions = [write_days(&bench, 0), write_days(&bench, 1)];
    let started = Instant::now();
    assert!(spawn(&bench, &versions[0]).wait().unwrap().success());
    let whole_run = started.elapsed();
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let (mut killed, mut seen) = (0, BTreeSet::new());
    for run in 1..=100_u32 {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let files = &versions[run as usize % 2];
        let before = stored(&bench);
        let mut child = spawn(&bench, files);
        // Most of the time in the later half, where storing is.
        let share = u32::try_from(random % 1000).unwrap();
        let share = if run % 4 == 0 { share } else { 500 + share / 2 };
        std::thread::sleep(whole_run * share / 900);
        child.kill().expect("it can be killed, ended or not");
        killed += u32::from(!child.wait().unwrap().success());
        let after = stored(&bench);
        let new: BTreeSet<String> = files.iter().cloned().collect();
        assert!(after == before || after == new, "run {run}: {after:?}");
        seen.insert(after == before);
    }
    println!("{killed} of 100 runs were killed before their end; a whole run takes {whole_run:?}");
    assert!(0 < killed, "no run was killed before its end");
    // What it left behind does not hinder the next one.
    assert!(spawn(&bench, &versions[0]).wait().unwrap().success());
    assert_eq!(stored(&bench), versions[0].iter().cloned().collect());
}

#[test]
fn a_database_that_is_made_when_the_run_is_killed_can_be_used() {
    for delay in 0..30 {
        let bench = Bench::new();
        let files = write_days(&bench, 0);
        let mut child = spawn(&bench, &files);
        std::thread::sleep(Duration::from_millis(10 + delay * 5));
        child.kill().expect("it can be killed, ended or not");
        child.wait().unwrap();
        if bench.path("market.db").exists() {
            assert!([0, DAYS].contains(&stored(&bench).len()));
        }
        if delay % 10 == 0 {
            assert!(spawn(&bench, &files).wait().unwrap().success());
            assert_eq!(stored(&bench).len(), DAYS);
        }
    }
}

#[cfg(unix)]
#[test]
fn a_run_without_room_leaves_the_old_state() {
    let bench = Bench::new();
    let versions = [write_days(&bench, 0), write_days(&bench, 1)];
    assert!(spawn(&bench, &versions[0]).wait().unwrap().success());
    let old: BTreeSet<String> = versions[0].iter().cloned().collect();
    let program = assert_cmd::cargo::cargo_bin!("quoteclock");
    let mut refused = 0;
    // In blocks of 512 or 1,024 bytes, from room for nothing to room for all.
    for blocks in [0, 8, 16, 32, 48, 64, 96, 128, 160, 192, 224, 256, 288, 320, 384, 512, 1_024, 4_096] {
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
        let mut command = std::process::Command::new("sh");
        command.current_dir(bench.path(".")).args(["-c", &script, "sh"]).arg(program);
        command.args(["replay", "--registry", "registry", "--db", "market.db"]).args(&versions[1]);
        let output = command.output().expect("a shell");
        if output.status.success() {
            assert_eq!(stored(&bench), versions[1].iter().cloned().collect());
            assert!(spawn(&bench, &versions[0]).wait().unwrap().success());
        } else {
            refused += 1;
            assert_eq!(output.status.code(), Some(1), "{blocks}: {}", stderr(&output));
            assert_eq!(stored(&bench), old, "{blocks}: {}", stderr(&output));
        }
    }
    assert!((1..18).contains(&refused), "{refused} of 18 limits were too small");
}

#[test]
fn runs_at_the_same_time_lose_nothing() {
    let bench = Bench::new();
    let files: Vec<String> = (0..6).map(|version| write_days(&bench, version)[version % DAYS].clone()).collect();
    // Three pairs for three dates: of each date the last one stays, whichever that is.
    let children: Vec<Child> = files.iter().map(|file| spawn(&bench, std::slice::from_ref(file))).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let after = stored(&bench);
    assert_eq!(after.len(), DAYS);
    for day in 0..DAYS {
        assert_eq!(after.iter().filter(|name| [&files[day], &files[day + DAYS]].contains(name)).count(), 1);
    }
    let left: Vec<_> = fs::read_dir(bench.path(".")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with(".quoteclock-")), "{left:?}");
}
