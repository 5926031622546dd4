//! The systemd unit of `docs/LIVE.md`: systemd finds nothing wrong with it, and its command runs as it stands there.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod support;

use std::fs;
use std::process::Command;
use support::live::Running;
use support::{Bench, repository, skipped};

/// The unit, as it stands in the document.
fn unit() -> String {
    let text = fs::read_to_string(repository("docs/LIVE.md")).unwrap();
    let (_, unit) = text.split_once("```ini\n").unwrap();
    unit.split_once("```").unwrap().0.to_owned()
}

#[test]
fn systemd_finds_nothing_wrong_with_the_unit() {
    let bench = Bench::new();
    let binary = assert_cmd::cargo::cargo_bin!("quoteclock").to_str().unwrap();
    let file = bench.write("quoteclock.service", unit().replace("/usr/local/bin/quoteclock", binary).as_bytes());
    let verified = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&file).output();
    let Ok(verified) = verified else {
        return skipped("there is no systemd-analyze here");
    };
    let said = String::from_utf8_lossy(&verified.stderr);
    // What the system's own units lack is not the unit's fault.
    let of_it: Vec<&str> = said.lines().filter(|line| line.contains("quoteclock")).collect();
    assert!(verified.status.success() && of_it.is_empty(), "{said}");
    bench.write("quoteclock.service", unit().replace("/usr/local/bin/", "/nowhere/").as_bytes());
    let absent = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&file).output().unwrap();
    assert!(!absent.status.success(), "a command that is not there is found");
}

#[test]
fn the_command_of_the_unit_runs() {
    let bench = Bench::new();
    bench.write("password", b"secret\n");
    bench.write("tokens.csv", b"sha256,role,party,name,expires\n");
    let text = unit().replace("\\\n", " ");
    let line = text.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let here = line.replace("/var/lib/quoteclock/", "").replace("%d/", "").replace("feed.example:9000", "127.0.0.1:1");
    let here = here.replace("127.0.0.1:8600", "127.0.0.1:0");
    let mut words = here.split_ascii_whitespace();
    assert_eq!(words.next(), Some("/usr/local/bin/quoteclock"));
    let server = Running::start(bench.path("registry").parent().unwrap(), &words.collect::<Vec<_>>());
    assert!(server.address("http").starts_with("127.0.0.1:"));
    server.signal("-HUP");
    assert_eq!(server.stop().code(), Some(0));
}
