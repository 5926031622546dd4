//! The database at the edges: places where nothing may be written, names with a meaning, other programs that hold it.
#![cfg(unix)]

mod support;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use support::{Bench, GOOD, notes, skipped, stderr, stdout};

const REPLAY: [&str; 4] = ["replay", "--registry", "registry", "--db"];

fn with_days(name: &str) -> Bench {
    let bench = Bench::new();
    bench.day("day.csv", &GOOD);
    let output = bench.run(&[&REPLAY[..], &[name, "day.csv"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    bench
}

/// The commands that read, of the database `name`.
fn readers(name: &str) -> [Vec<&str>; 3] {
    let month = ["--registry", "registry", "--month", "2024-03"];
    let command = |command| [&[command, "--db", name][..], &month].concat();
    [vec!["days", "--db", name], command("status"), command("report")]
}

/// Runs the program as a user to whom the modes of files mean something; `None`, having said so, where that cannot be.
fn as_anybody(bench: &Bench, arguments: &[&str]) -> Option<Output> {
    let is_root = bench.path("registry").metadata().expect("a folder").uid() == 0;
    if !is_root {
        return Some(bench.run(arguments));
    }
    fs::set_permissions(bench.path("."), PermissionsExt::from_mode(0o755)).expect("our own folder");
    let program = bench.path("quoteclock");
    if !program.exists() {
        fs::copy(bench.command(&[]).get_program(), &program).expect("room for the program");
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "./quoteclock"]).args(arguments);
    let output = command.current_dir(bench.path(".")).output().ok();
    if output.is_none() {
        skipped("setpriv is not there");
    }
    output
}

#[test]
fn a_database_is_read_where_nothing_may_be_written() {
    let bench = Bench::new();
    bench.day("day.csv", &GOOD);
    fs::create_dir(bench.path("kept")).unwrap();
    assert_eq!(bench.run(&[&REPLAY[..], &["kept/month.db", "day.csv"]].concat()).status.code(), Some(0));
    let before = fs::read(bench.path("kept/month.db")).unwrap();
    let expected = readers("kept/month.db").map(|arguments| stdout(&bench.run(&arguments)));
    fs::set_permissions(bench.path("kept/month.db"), PermissionsExt::from_mode(0o444)).unwrap();
    fs::set_permissions(bench.path("kept"), PermissionsExt::from_mode(0o555)).unwrap();
    for (arguments, expected) in readers("kept/month.db").iter().zip(&expected) {
        let Some(output) = as_anybody(&bench, arguments) else { return };
        assert!(!expected.is_empty());
        assert_eq!(&stdout(&output), expected, "{arguments:?}: {}", stderr(&output));
    }
    let output = as_anybody(&bench, &[&REPLAY[..], &["kept/month.db", "day.csv"]].concat()).expect("it ran before");
    assert_eq!(output.status.code(), Some(1));
    let message = stderr(&output);
    assert!(
        message.contains("kept/month.db: cannot be written") && message.matches("readonly").count() < 2,
        "{message}"
    );
    // Without the right to read it, or to look for it, that is what is said.
    for (name, mode) in [("kept/month.db", 0o400), ("kept", 0o600)] {
        let before = bench.path(name).metadata().unwrap().permissions();
        fs::set_permissions(bench.path(name), PermissionsExt::from_mode(mode)).unwrap();
        let output = as_anybody(&bench, &["days", "--db", "kept/month.db"]).expect("it ran before");
        let is_owner = bench.path("registry").metadata().unwrap().uid() != 0;
        let message = stderr(&output);
        let expected = "kept/month.db: cannot be read, expected a file that may be: Permission denied";
        assert!(message.contains(expected) || is_owner && mode == 0o400, "{message}");
        fs::set_permissions(bench.path(name), before).unwrap();
    }
    // What a running program has stored is in its log, which cannot be read without writing.
    fs::set_permissions(bench.path("kept"), PermissionsExt::from_mode(0o755)).unwrap();
    fs::write(bench.path("kept/month.db-wal"), "something").unwrap();
    fs::set_permissions(bench.path("kept"), PermissionsExt::from_mode(0o555)).unwrap();
    let output = as_anybody(&bench, &["days", "--db", "kept/month.db"]).expect("it ran before");
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("kept/month.db-wal holds what a program"), "{}", stderr(&output));
    // Neither by another name, nor where it is the log of a file that was being made.
    fs::set_permissions(bench.path("kept"), PermissionsExt::from_mode(0o755)).unwrap();
    std::os::unix::fs::symlink("kept/month.db", bench.path("link.db")).unwrap();
    for log in ["month.db-wal", "month.db-journal"] {
        let [wal, journal] = ["wal", "journal"].map(|ending| bench.path(&format!("kept/month.db-{ending}")));
        let _ = (fs::remove_file(wal), fs::remove_file(journal));
        fs::write(bench.path(&format!("kept/{log}")), "something").unwrap();
        fs::set_permissions(bench.path("kept"), PermissionsExt::from_mode(0o555)).unwrap();
        let output = as_anybody(&bench, &["days", "--db", "link.db"]).expect("it ran before");
        assert_eq!(output.status.code(), Some(1), "{log}");
        assert!(stderr(&output).contains(&format!("{log} holds what a program")), "{}", stderr(&output));
        fs::set_permissions(bench.path("kept"), PermissionsExt::from_mode(0o755)).unwrap();
    }
    assert_eq!(fs::read(bench.path("kept/month.db")).unwrap(), before);
}

#[test]
fn an_empty_file_has_no_days_and_stays_empty() {
    let bench = Bench::new();
    bench.write("empty.db", b"");
    let output = bench.run(&["days", "--db", "empty.db"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("stored: 0 days"), "{}", stdout(&output));
    assert_eq!(bench.path("empty.db").metadata().unwrap().len(), 0);
    assert_eq!(bench.names(), ["empty.db"]);
    bench.day("day.csv", &GOOD);
    let output = bench.run(&[&REPLAY[..], &["empty.db", "day.csv"]].concat());
    assert_eq!(output.status.code(), Some(0), "an empty file may become a database: {}", stderr(&output));
}

#[test]
fn names_that_mean_something_to_sqlite_are_names_of_files() {
    for name in [":memory:", "file:x.db?mode=memory", "file:x.db", "file::memory:", "50% #?.db"] {
        let bench = with_days(name);
        assert!(bench.path(name).is_file(), "{name}: {:?}", bench.names());
        assert_eq!(bench.names().len(), 2, "{name}: {:?}", bench.names());
        for arguments in readers(name) {
            let output = bench.run(&arguments);
            assert!(matches!(output.status.code(), Some(0 | 3)), "{arguments:?}: {}", stderr(&output));
        }
        assert!(stdout(&bench.run(&["days", "--db", name])).contains("stored: 1 day"));
    }
}

#[test]
fn a_folder_whose_name_is_no_text_works() {
    let bench = Bench::new();
    bench.day("day.csv", &GOOD);
    let folder = bench.path(".").join(OsStr::from_bytes(b"caf\xe9 %41"));
    fs::create_dir(&folder).unwrap();
    let mut command = bench.command(&REPLAY);
    let output =
        command.arg(folder.join("days.db")).args(["--out"]).arg(folder.join("out")).arg("day.csv").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(folder.join("days.db").is_file() && folder.join("out/daily.csv").is_file());
    let output = bench.command(&["days", "--db"]).arg(folder.join("days.db")).output().unwrap();
    assert!(stdout(&output).contains("stored: 1 day"), "{}", stderr(&output));
}

#[test]
fn waiting_for_another_program_is_told_after_a_second() {
    let bench = with_days("days.db");
    let other = rusqlite::Connection::open(bench.path("days.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut command = bench.command(&[&REPLAY[..], &["days.db", "day.csv"]].concat());
    let log = fs::File::create(bench.path("log")).unwrap();
    let child = command.stdout(Stdio::null()).stderr(log).spawn().unwrap();
    let began = Instant::now();
    while !bench.read("log").contains("waiting") {
        assert!(began.elapsed() < Duration::from_secs(60), "nothing is told: {}", bench.read("log"));
        std::thread::sleep(Duration::from_millis(20));
    }
    // It is told once, however long it takes.
    std::thread::sleep(Duration::from_millis(500));
    other.execute_batch("COMMIT").unwrap();
    let mut output = child.wait_with_output().unwrap();
    output.stderr = fs::read(bench.path("log")).unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(notes(&output), "warning: waiting for another program that is writing to the database\n");
}

#[test]
fn what_is_no_database_is_told_once() {
    let bench = Bench::new();
    bench.day("day.csv", &GOOD);
    bench.write("letter.txt", "Dear Sir or Madam, ".repeat(100).as_bytes());
    fs::create_dir(bench.path("folder.db")).unwrap();
    for (name, expected) in
        [("letter.txt", "is not a database of quoteclock"), ("folder.db", "is not a database of quoteclock")]
    {
        for arguments in [vec!["days", "--db", name], [&REPLAY[..], &[name, "day.csv"]].concat()] {
            let output = bench.run(&arguments);
            assert_eq!(output.status.code(), Some(1), "{arguments:?}");
            let message = stderr(&output);
            assert_eq!(message.matches(expected).count(), 1, "{message}");
        }
    }
}
