//! A registry and days small enough to stand in a test, and the binary to run over them.
#![allow(dead_code, reason = "each test file uses its part")]

pub mod chromium;
pub mod dbn;
pub mod desk;
pub mod live;
pub mod nats;
pub mod worked;

use std::fmt::Display;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// A folder with a registry of one market maker, type `T` (100 bps or 3 ticks, 300 a side), and room for files.
pub struct Bench {
    folder: TempDir,
}

pub const HEADER: &str = "seq,time,issue,event,order,contra,server,side,price,quantity,condition,phase";

impl Bench {
    /// A folder with the registry and some days of `replay-data/tse-small`.
    pub fn of_small(days: &[&str]) -> Bench {
        let bench = Bench::new();
        fs::remove_dir_all(bench.path("registry")).expect("a registry");
        fs::create_dir(bench.path("registry")).expect("a temporary folder");
        let from = repository("replay-data/tse-small");
        for entry in fs::read_dir(from.join("registry")).expect("the bundled registry") {
            let entry = entry.expect("a file");
            fs::copy(entry.path(), bench.path("registry").join(entry.file_name())).expect("a copy");
        }
        for day in days {
            fs::copy(from.join(day), bench.path(day)).expect("a bundled day");
        }
        bench
    }

    pub fn new() -> Bench {
        let bench = Bench { folder: tempfile::tempdir().expect("a temporary folder") };
        fs::create_dir(bench.path("registry")).expect("a new folder");
        for (name, text) in [
            (
                "scheme.toml",
                "name = \"test\"\nversion = \"1\"\ntimezone = \"Asia/Tokyo\"\n[[sessions]]\nfrom = \"2015-01-01\"\n\
                 continuous = [\"09:00-10:00\"]\n[types.T]\nmax_spread_bps = 100\nmax_spread_ticks = 3\nmin_value = 300\n\
                 [tick_tables]\nyen = [[\"above\", \"1\"]]\n",
            ),
            ("issues.csv", "issue,type,tick_table\n1306,T,yen\n1321,T,yen\n"),
            ("market_makers.csv", "market_maker\nMM1\n"),
            ("virtual_servers.csv", "server,market_maker\nVS1,MM1\n"),
            ("signups.csv", "market_maker,issue\nMM1,1306\nMM1,1321\n"),
        ] {
            bench.write(&format!("registry/{name}"), text.as_bytes());
        }
        bench
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).expect("a writable temporary folder");
        path
    }

    /// Writes records of 2024-03-01, each `HH:MM:SS,rest`, with sequence numbers, in one issue after another.
    pub fn day(&self, name: &str, records: &[&str]) -> PathBuf {
        self.write(name, day_text("2024-03-01", records).as_bytes())
    }

    /// Runs `replay` with the registry, `--out out` and `more`.
    pub fn replay(&self, more: &[&str]) -> Output {
        let mut arguments = vec!["replay", "--registry", "registry", "--out", "out"];
        arguments.extend(more);
        self.run(&arguments)
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the binary runs")
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("quoteclock"));
        command.current_dir(self.folder.path()).args(arguments).env("TZ", "America/Lima");
        command
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Names of everything in the folder but the registry, sorted.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).expect("the folder is there");
        let mut names: Vec<String> =
            entries.map(|entry| entry.expect("readable").file_name().into_string().expect("UTF-8")).collect();
        names.retain(|name| name != "registry");
        names.sort();
        names
    }
}

/// The text of a day: each record is `HH:MM:SS,rest of the line`.
pub fn day_text(date: &str, records: &[&str]) -> String {
    let mut text = format!("{HEADER}\n");
    for (seq, record) in (1..).zip(records) {
        let (clock, rest) = record.split_once(',').expect("a clock and the rest");
        text.push_str(&format!("{seq},{date}T{clock}+09:00,{rest}\n"));
    }
    text
}

/// A day on which MM1 quotes 1306 from 09:00:01 on, and never 1321.
pub const GOOD: [&str; 2] = ["09:00:01,1306,add,1,,VS1,B,1000,10,,", "09:00:01,1306,add,2,,VS1,S,1003,10,,"];

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

/// What standard error says of other things than what a short day lacks.
pub fn notes(output: &Output) -> String {
    let lacks = ["the input ", " server", " issue", " that no registry row"];
    let of_a_day = |line: &str| line.starts_with("warning: 20") && lacks.iter().any(|lack| line.contains(lack));
    stderr(output).lines().filter(|line| !of_a_day(line)).map(|line| format!("{line}\n")).collect()
}

/// A path of the repository.
pub fn repository(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)
}

/// Says that a test, or a part of it, is skipped, so that `just test` repeats it in the end. Straight to standard error:
/// of `eprintln!` in a test that passes nobody sees anything.
pub fn skipped(why: impl Display) {
    let _ = writeln!(io::stderr(), "skipped: {why}");
}

/// A folder of real exchange data beside the checkout; says that the test is skipped where there is none.
pub fn real_data(name: &str) -> Option<PathBuf> {
    let root = repository(".").canonicalize().expect("the repository is there");
    let folder = root.ancestors().map(|folder| folder.join("shared/data").join(name)).find(|folder| folder.is_dir());
    if folder.is_none() {
        skipped(format_args!("no real exchange data ({name}) beside the checkout"));
    }
    folder
}

/// Whether a file of `replay-data` is a day of events.
pub fn is_day(path: &Path) -> bool {
    path.is_file() && path.file_name().is_some_and(|name| name.to_string_lossy().contains(".csv"))
}
