//! A running feed that names nobody, with the numbers of one's own orders beside it.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod support;

use std::fmt::Write as _;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use support::live::{Day, has_checkpoint, tables, tse_small, wait_for};

/// A bundled day whose orders name no server, and what it comes to where they do; the sheet of its servers is `own.csv`.
fn unnamed(name: &str) -> Day {
    let mut day = tse_small(name);
    let (mut events, mut own) = (String::new(), "issue,order,server\n".to_owned());
    for line in fs::read_to_string(&day.file).unwrap().lines() {
        let mut cells: Vec<&str> = line.split(',').collect();
        if cells[3] == "add" && !cells[6].is_empty() {
            writeln!(own, "{},{},{}", cells[2], cells[4], cells[6]).unwrap();
            cells[6] = "";
        }
        writeln!(events, "{}", cells.join(",")).unwrap();
    }
    day.file = day.folder.path().join("unnamed.csv");
    fs::write(&day.file, events).unwrap();
    fs::write(day.folder.path().join("own.csv"), own).unwrap();
    day
}

fn stored(day: &Day, db: &str, column: &str) -> String {
    let db = rusqlite::Connection::open(day.folder.path().join(db)).unwrap();
    db.query_row(&format!("SELECT {column} FROM days"), [], |row| row.get(0)).unwrap()
}

#[test]
fn ones_own_orders_have_their_servers_whatever_brings_them() {
    let day = unnamed("2024-03-01.csv");
    let with = ["--own-orders", "own.csv"];
    for payload in ["csv", "binary"] {
        let publisher = day.publish("soup://127.0.0.1:0", &["--speed", "max", "--payload", payload]);
        let feed = format!("soup://{}", publisher.address("listen"));
        assert_eq!(day.serve(payload, &feed, &with).wait().code(), Some(day.code), "{payload}");
        day.assert_equal(payload);
    }
    let input = fs::File::open(&day.file).unwrap();
    assert_eq!(day.serve_from("pipe", "-", &with, input.into()).wait().code(), Some(day.code));
    day.assert_equal("pipe");
    let options = stored(&day, "pipe.db", "options");
    assert!(options.starts_with("--lenient --own-orders own.csv#"), "{options}");
    // Without the sheet nobody has quoted.
    let input = fs::File::open(&day.file).unwrap();
    assert_eq!(day.serve_from("nobody", "-", &[], input.into()).wait().code(), Some(day.code));
    let nobody = rusqlite::Connection::open(day.folder.path().join("nobody.db")).unwrap();
    let fulfilled: i64 = nobody.query_row("SELECT sum(fulfilled_us) FROM results", [], |row| row.get(0)).unwrap();
    assert_eq!(fulfilled, 0);
}

#[test]
fn the_day_is_measured_again_with_its_sheet_and_what_it_did_not_have_is_named() {
    let day = unnamed("2024-03-01.csv");
    let sheet = day.folder.path().join("own.csv");
    fs::write(&sheet, fs::read_to_string(&sheet).unwrap() + ",4711,VS101\n").unwrap();
    let input = fs::File::open(&day.file).unwrap();
    assert_eq!(day.serve_from("day", "-", &["--own-orders", "own.csv"], input.into()).wait().code(), Some(day.code));
    day.assert_equal("day");
    let coverage = stored(&day, "day.db", "coverage");
    assert!(coverage.contains("unseen_order") && coverage.contains("4711"), "{coverage}");
    // Under another registry it is measured from its journal, with the sheet that it was measured with.
    let registry = day.folder.path().join("registry");
    fs::create_dir(&registry).unwrap();
    for entry in fs::read_dir(&day.registry).unwrap().map(Result::unwrap) {
        let text = fs::read_to_string(entry.path()).unwrap();
        let kept = text.lines().filter(|line| !line.starts_with("MM2,1306,")).map(|line| format!("{line}\n"));
        fs::write(registry.join(entry.file_name()), kept.collect::<String>()).unwrap();
    }
    let run = |arguments: &[&str]| {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("quoteclock"));
        let output = command.current_dir(day.folder.path()).args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let again = run(&["replay", "--registry", "registry", "--db", "day.db", "--changed", "--inputs", "day.journal"]);
    assert_eq!(again.0, Some(0), "{}", again.1);
    let beside = ["--own-orders", "own.csv", "unnamed.csv"];
    let fresh = run(&[&["replay", "--registry", "registry", "--lenient", "--db", "fresh.db"][..], &beside].concat());
    assert_eq!(fresh.0, Some(0), "{}", fresh.1);
    let compared = run(&["compare", "day.db", "fresh.db"]);
    assert_eq!(compared.0, Some(0), "{}", compared.1);
    // Other bytes are not what it was measured with.
    fs::write(&sheet, "order,server\n1,VS101\n").unwrap();
    fs::write(registry.join("signups.csv"), "market_maker,issue\nMM1,1306\n").unwrap();
    let refused = run(&["replay", "--registry", "registry", "--db", "day.db", "--changed", "--inputs", "day.journal"]);
    assert!(refused.0 == Some(1) && refused.1.contains("own.csv: expected the SHA-256"), "{}", refused.1);
}

#[test]
fn a_sheet_read_again_holds_for_the_whole_day_and_a_bad_one_is_refused() {
    let day = unnamed("2024-03-04.csv");
    let sheet = day.folder.path().join("own.csv");
    let whole = fs::read_to_string(&sheet).unwrap();
    // So far half of the numbers are known.
    let half: String = whole.lines().step_by(2).map(|line| format!("{line}\n")).collect();
    fs::write(&sheet, half).unwrap();
    let mut server = day.serve_from("day", "-", &["--own-orders", "own.csv"], Stdio::piped());
    let mut input = server.child.stdin.take().unwrap();
    let bytes = fs::read(&day.file).unwrap();
    let (first, rest) = bytes.split_at(bytes.len() * 2 / 3);
    std::io::Write::write_all(&mut input, first).unwrap();
    wait_for(&day, "writing a journal");
    fs::write(&sheet, "order,server\nx,VS101\n").unwrap();
    server.signal("-HUP");
    wait_for(&day, "the registry is not taken, the old one stays");
    fs::write(&sheet, &whole).unwrap();
    server.signal("-HUP");
    wait_for(&day, "the day measured again has taken over");
    std::io::Write::write_all(&mut input, rest).unwrap();
    drop(input);
    assert_eq!(server.wait().code(), Some(day.code));
    day.assert_equal("day");
}

#[test]
fn the_journal_of_a_day_is_merged_with_what_was_recorded_elsewhere() {
    let day = unnamed("2024-03-01.csv");
    let text = fs::read_to_string(&day.file).unwrap();
    // Without numbers: those of a part would have gaps.
    let part = |name: &str, is_taken: &dyn Fn(&str) -> bool| {
        let rows = text.lines().enumerate().filter(|(at, line)| *at == 0 || is_taken(line));
        let rows = rows.map(|(_, line)| format!("{}\n", line.split_once(',').unwrap().1));
        fs::write(day.folder.path().join(name), rows.collect::<String>()).unwrap();
    };
    part("phases.csv", &|line| line.contains(",phase,"));
    part("orders.csv", &|line| !line.contains(",phase,"));
    let orders = fs::File::open(day.folder.path().join("orders.csv")).unwrap();
    let code = day.serve_from("day", "-", &["--own-orders", "own.csv"], orders.into()).wait().code();
    assert_eq!(code, Some(day.code));
    let journal = format!("day.journal/{}", stored(&day, "day.db", "journal"));
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("quoteclock"));
    command.current_dir(day.folder.path()).args(["replay", "--db", "merged.db", "--registry"]).arg(&day.registry);
    command.args(["--own-orders", "own.csv", "--also", "phases.csv:phases", &journal]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    day.assert_equal("merged");
    // They are part of the figure.
    assert_ne!(tables(&day.folder.path().join("day.db")), day.expected);
}

/// Waits a second at most until there is a checkpoint.
fn is_there_within_a_second(day: &Day) -> bool {
    (0..200).any(|_| {
        let is_there = has_checkpoint(day, "day");
        if !is_there {
            std::thread::sleep(Duration::from_millis(5));
        }
        is_there
    })
}

#[test]
fn killed_it_is_measured_from_the_beginning_of_its_journal() {
    let day = unnamed("2024-03-01.csv");
    let text = fs::read_to_string(&day.file).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let start = |more: &[&str]| {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("quoteclock"));
        command.current_dir(day.folder.path()).args(day.serve_arguments("day", "-", more));
        command.env("QUOTECLOCK_CHECKPOINT_MS", "5").stdin(Stdio::piped()).stdout(Stdio::null());
        let log = fs::File::create(day.folder.path().join("serve.log")).unwrap();
        command.stderr(log).spawn().unwrap()
    };
    let write = |child: &mut Child, line: &str| {
        std::io::Write::write_all(child.stdin.as_mut().unwrap(), format!("{line}\n").as_bytes()).unwrap();
    };
    // A start without the sheet leaves checkpoints in which the orders are nobody's. One is begun when something comes.
    let mut nobody = start(&[]);
    let (half, rest) = lines.split_at(lines.len() / 2);
    half.iter().for_each(|line| write(&mut nobody, line));
    for line in rest {
        if is_there_within_a_second(&day) {
            break;
        }
        write(&mut nobody, line);
    }
    assert!(is_there_within_a_second(&day), "no checkpoint is made");
    nobody.kill().unwrap();
    nobody.wait().unwrap();
    let mut with_sheet = start(&["--own-orders", "own.csv"]);
    wait_for(&day, "going on with a journal");
    for line in half {
        write(&mut with_sheet, line);
        std::thread::sleep(Duration::from_millis(5));
    }
    with_sheet.kill().unwrap();
    with_sheet.wait().unwrap();
    let input = fs::File::open(&day.file).unwrap();
    let last = day.serve_from("day", "-", &["--own-orders", "own.csv"], input.into());
    assert_eq!(last.wait().code(), Some(day.code));
    day.assert_equal("day");
    let log = fs::read_to_string(day.folder.path().join("serve.log")).unwrap();
    assert!(log.contains("going on with a journal") && !log.contains("from a checkpoint on"), "{log}");
}

#[test]
fn a_sheet_that_cannot_be_is_refused_before_anything_is_bound() {
    let day = unnamed("2024-03-01.csv");
    fs::write(day.folder.path().join("bad.csv"), "order,server\n1,VS101\n1,VS102\n").unwrap();
    for (sheet, code, told) in [("absent.csv", 2, "absent.csv: cannot be read"), ("bad.csv", 1, "line 3, column order")]
    {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("quoteclock"));
        command.current_dir(day.folder.path()).args(day.serve_arguments("day", "-", &["--own-orders", sheet]));
        let output = command.stdin(Stdio::null()).output().unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(code), 0), "{sheet}");
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains(told), "{text}");
    }
}
