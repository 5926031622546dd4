//! A feed served equals its replay: every payload, both transports, with datagrams lost, doubled and out of order, and
//! with the process killed at any moment.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod support;

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use support::{Bench, GOOD, day_text, real_data, repository};
use tempfile::TempDir;

/// What equality is about.
const TABLES: [&str; 4] = ["results", "breaches", "turnovers", "market_turnovers"];

/// A process that has said that it is ready.
struct Running {
    child: Child,
    ready: serde_json::Value,
}

impl Running {
    fn start(folder: &Path, arguments: &[&str]) -> Running {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("quoteclock"));
        command.current_dir(folder).args(arguments).stdin(Stdio::null()).stdout(Stdio::piped());
        let log = fs::File::create(folder.join(format!("{}.log", arguments[0]))).unwrap();
        let mut child = command.stderr(log).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready = serde_json::from_str(&line).unwrap_or_else(|_| {
            let log = fs::read_to_string(folder.join(format!("{}.log", arguments[0]))).unwrap();
            panic!("{arguments:?} is not ready: {log}")
        });
        Running { child, ready }
    }

    fn address(&self, name: &str) -> String {
        self.ready[name].as_str().unwrap_or_else(|| panic!("{name} in {}", self.ready)).to_owned()
    }

    /// Waits for its own end, a minute at most.
    fn wait(mut self) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(started.elapsed() < Duration::from_secs(300), "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Asks it to end, and waits.
    fn stop(self) -> ExitStatus {
        self.signal("-TERM");
        self.wait()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A day to be served, with its replay.
struct Day {
    folder: TempDir,
    file: PathBuf,
    registry: PathBuf,
    /// What the replay adds to the arguments.
    date: Option<&'static str>,
    expected: Vec<(String, Vec<String>)>,
    code: i32,
}

impl Day {
    fn new(file: PathBuf, registry: PathBuf, date: Option<&'static str>) -> Day {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("quoteclock"));
        command.current_dir(folder.path()).args(["replay", "--lenient", "--db", "replayed.db", "--registry"]);
        command.arg(&registry).arg(&file).stdout(Stdio::null()).stderr(Stdio::null());
        assert!(matches!(command.status().unwrap().code(), Some(0 | 3)));
        let expected = tables(&folder.path().join("replayed.db"));
        let unknown = rusqlite::Connection::open(folder.path().join("replayed.db")).unwrap();
        let unknown: i64 = unknown.query_row("SELECT sum(unknown_us) FROM results", [], |row| row.get(0)).unwrap();
        Day { folder, file, registry, date, expected, code: if unknown == 0 { 0 } else { 3 } }
    }

    fn text(path: &Path) -> &str {
        path.to_str().unwrap()
    }

    fn publish(&self, listen: &str, more: &[&str]) -> Running {
        let mut arguments = vec!["publish", "--listen", listen];
        arguments.extend(more);
        arguments.push(Day::text(&self.file));
        Running::start(self.folder.path(), &arguments)
    }

    fn serve(&self, name: &str, feed: &str, more: &[&str]) -> Running {
        Running::start(
            self.folder.path(),
            &self.serve_arguments(name, feed, more).iter().map(String::as_str).collect::<Vec<_>>(),
        )
    }

    fn serve_arguments(&self, name: &str, feed: &str, more: &[&str]) -> Vec<String> {
        let (db, journal) = (format!("{name}.db"), format!("{name}.journal"));
        let mut arguments = vec!["serve", "--registry", Day::text(&self.registry), "--db", &db, "--journal", &journal];
        arguments.extend(["--feed", feed, "--once"]);
        if let Some(date) = self.date {
            arguments.extend(["--date", date]);
        }
        arguments.extend(more);
        arguments.into_iter().map(str::to_owned).collect()
    }

    /// Asserts that what `name` has stored is what the replay has.
    fn assert_equal(&self, name: &str) {
        self.assert_equal_to(&self.folder.path().join(format!("{name}.db")));
    }

    fn assert_equal_to(&self, db: &Path) {
        for ((table, found), (_, expected)) in tables(db).iter().zip(&self.expected) {
            assert_eq!(found.len(), expected.len(), "{}: rows of {table}", db.display());
            assert!(found == expected, "{}: {table} differs", db.display());
        }
    }
}

/// The rows of the tables that are to be equal.
fn tables(db: &Path) -> Vec<(String, Vec<String>)> {
    let db = rusqlite::Connection::open(db).unwrap();
    let rows = |table: &str| {
        let mut statement = db.prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2, 3, 4, 5")).unwrap();
        let columns = statement.column_count();
        let row = |row: &rusqlite::Row<'_>| {
            Ok((0..columns).map(|at| format!("{:?}", row.get_ref(at).unwrap())).collect::<Vec<_>>().join("|"))
        };
        statement.query_map([], row).unwrap().map(Result::unwrap).collect::<Vec<String>>()
    };
    TABLES.iter().map(|table| ((*table).to_owned(), rows(table))).collect()
}

fn tse_small(name: &str) -> Day {
    let folder = repository("replay-data/tse-small").canonicalize().unwrap();
    Day::new(folder.join(name), folder.join("registry"), None)
}

/// A generated day, small enough for a test and large enough to be cut anywhere.
fn generated(events: &str, load: &str, form: &str) -> (TempDir, Day) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("quoteclock"));
    command.args(["generate", "--load", load, "--events", events, "--form", form, "--date", "2024-03-01", "--out"]);
    assert!(command.arg(folder.path()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success());
    let entries = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let file = entries.into_iter().find(|path| path.is_file()).unwrap();
    let registry = folder.path().join("registry");
    let date = (form == "itch").then_some("2024-03-01");
    let day = Day::new(file, registry, date);
    (folder, day)
}

#[test]
fn what_is_served_over_tcp_equals_its_replay() {
    for name in ["2024-03-01.csv", "2024-03-04.csv"] {
        let day = tse_small(name);
        for payload in ["csv", "binary"] {
            let publisher = day.publish("soup://127.0.0.1:0", &["--speed", "max", "--payload", payload]);
            let feed = format!("soup://{}", publisher.address("listen"));
            let status = day.serve(payload, &feed, &["--payload", payload]).wait();
            assert_eq!(status.code(), Some(day.code), "{name} {payload}");
            day.assert_equal(payload);
            assert_eq!(publisher.stop().code(), Some(0));
        }
    }
}

#[test]
fn a_generated_day_of_itch_equals_its_replay_in_every_payload() {
    let (_folder, day) = generated("60k", "us-market", "itch");
    for payload in ["itch", "binary", "csv"] {
        let publisher = day.publish("soup://127.0.0.1:0", &["--speed", "max", "--payload", payload]);
        let feed = format!("soup://{}", publisher.address("listen"));
        let status = day.serve(payload, &feed, &["--payload", payload]).wait();
        assert_eq!(status.code(), Some(0), "{payload}");
        day.assert_equal(payload);
    }
}

#[test]
fn the_premarket_of_nasdaq_equals_its_replay() {
    let Some(folder) = real_data("nasdaq-itch50") else { return };
    let files = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let file = files.into_iter().find(|path| path.is_file() && path.to_string_lossy().contains("premarket"));
    let Some(file) = file else {
        eprintln!("skipped: no ITCH file in {}", folder.display());
        return;
    };
    let registry = repository("replay-data/itch-nasdaq/registry").canonicalize().unwrap();
    let day = Day::new(file, registry, Some("2019-12-30"));
    let publisher = day.publish("soup://127.0.0.1:0", &["--speed", "max"]);
    let feed = format!("soup://{}", publisher.address("listen"));
    assert_eq!(day.serve("itch", &feed, &["--payload", "itch"]).wait().code(), Some(day.code));
    day.assert_equal("itch");
}

/// A line on which datagrams are lost, doubled and held back, between a publisher and a receiver.
struct BadLine {
    address: String,
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl BadLine {
    fn to(receiver: String) -> BadLine {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let (address, stop) = (socket.local_addr().unwrap().to_string(), Arc::new(AtomicBool::new(false)));
        let told = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let (mut bytes, mut held) = (vec![0; 1 << 16], Vec::new());
            let mut state = 0x9E37_79B9_u32;
            while !told.load(Ordering::Relaxed) {
                let Ok(count) = socket.recv(&mut bytes) else { continue };
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let copies: u32 = match state >> 24 {
                    0..50 => 0,
                    50..90 => 2,
                    90..140 => {
                        held.push(bytes[..count].to_vec());
                        0
                    }
                    _ => 1,
                };
                for _ in 0..copies {
                    let _ = socket.send_to(&bytes[..count], &receiver);
                }
                if state.is_multiple_of(3) {
                    for late in held.drain(..) {
                        let _ = socket.send_to(&late, &receiver);
                    }
                }
            }
        });
        BadLine { address, stop, thread: Some(thread) }
    }
}

impl Drop for BadLine {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().unwrap().join();
    }
}

/// A port that nobody has at the moment.
fn free_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn what_is_served_over_a_bad_line_of_datagrams_equals_its_replay() {
    let (_folder, day) = generated("20k", "us-market", "itch");
    for payload in ["csv", "binary", "itch"] {
        let request = free_port();
        let feed = format!("mold://127.0.0.1:0?request=127.0.0.1:{request}");
        let server = day.serve(payload, &feed, &["--payload", payload]);
        let line = BadLine::to(server.address("listen"));
        let listen = format!("mold://{}?request=127.0.0.1:{request}", line.address);
        let publisher = day.publish(&listen, &["--speed", "max", "--payload", payload]);
        assert_eq!(server.wait().code(), Some(day.code), "{payload}");
        day.assert_equal(payload);
        assert_eq!(publisher.stop().code(), Some(0));
    }
}

#[test]
fn whoever_joins_late_gets_all_of_it() {
    let day = tse_small("2024-03-01.csv");
    let (group, request) = (free_port(), free_port());
    let address = format!("mold://127.0.0.1:{group}?request=127.0.0.1:{request}");
    let publisher = day.publish(&address, &["--speed", "max"]);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(day.serve("late", &address, &[]).wait().code(), Some(0));
    day.assert_equal("late");
    drop(publisher);
}

#[test]
fn a_pipe_equals_its_replay_in_both_forms() {
    let day = tse_small("2024-03-04.csv");
    let binary = day.folder.path().join("day.qcev");
    let converted =
        Command::new(assert_cmd::cargo::cargo_bin!("quoteclock")).arg("convert").arg(&day.file).arg(&binary).status();
    assert!(converted.unwrap().success());
    for (name, file) in [("csv", &day.file), ("binary", &binary)] {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("quoteclock"));
        command.current_dir(day.folder.path()).args(day.serve_arguments(name, "-", &[]));
        command.stdin(fs::File::open(file).unwrap()).stdout(Stdio::null()).stderr(Stdio::null());
        assert_eq!(command.status().unwrap().code(), Some(day.code), "{name}");
        day.assert_equal(name);
    }
}

/// How often the process is killed: `QUOTECLOCK_KILLS` for more than a quick look.
fn kills() -> usize {
    std::env::var("QUOTECLOCK_KILLS").ok().and_then(|count| count.parse().ok()).unwrap_or(5)
}

#[test]
fn killed_at_any_moment_it_comes_to_the_same() {
    let (_folder, day) = generated("150k", "small", "csv");
    let (mut state, mut from_checkpoints) = (17_u32, 0);
    // A day of a second has no checkpoint every ten of them.
    let often = ("QUOTECLOCK_CHECKPOINT_MS", "20");
    for round in 0..kills() {
        let publisher = day.publish("soup://127.0.0.1:0", &["--speed", "max", "--payload", "binary"]);
        let feed = format!("soup://{}", publisher.address("listen"));
        let name = format!("killed-{round}");
        for _ in 0..1 + round % 3 {
            let mut command = Command::new(assert_cmd::cargo::cargo_bin!("quoteclock"));
            command.current_dir(day.folder.path()).args(day.serve_arguments(&name, &feed, &[]));
            command.env(often.0, often.1);
            let mut server = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            std::thread::sleep(Duration::from_micros(u64::from(state >> 12) % 900_000));
            server.kill().unwrap();
            let _ = server.wait();
        }
        let arguments = day.serve_arguments(&name, &feed, &[]);
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("quoteclock"));
        command.current_dir(day.folder.path()).args(&arguments).stdout(Stdio::null()).env(often.0, often.1);
        let log = day.folder.path().join("last.log");
        let status = command.stderr(fs::File::create(&log).unwrap()).status().unwrap();
        assert_eq!(status.code(), Some(day.code), "round {round}");
        from_checkpoints += usize::from(fs::read_to_string(&log).unwrap().contains("measuring from a checkpoint on"));
        day.assert_equal(&name);
        // Of a stored day no checkpoint is left.
        let left = fs::read_dir(day.folder.path().join(format!("{name}.journal"))).unwrap();
        assert!(left.into_iter().all(|entry| entry.unwrap().path().extension().is_none_or(|ending| ending != "qcp")));
    }
    eprintln!("{from_checkpoints} of {} rounds went on from a checkpoint", kills());
    assert!(0 < from_checkpoints, "no round went on from a checkpoint");
}

#[test]
fn a_damaged_journal_is_used_up_to_the_damage_and_the_rest_is_asked_for() {
    let day = tse_small("2024-03-04.csv");
    let publisher = day.publish("soup://127.0.0.1:0", &["--speed", "max"]);
    let feed = format!("soup://{}", publisher.address("listen"));
    assert_eq!(day.serve("whole", &feed, &[]).wait().code(), Some(day.code));
    let journals = day.folder.path().join("whole.journal");
    let entries = fs::read_dir(&journals).unwrap().map(|entry| entry.unwrap().path());
    let whole = entries.into_iter().find(|path| path.extension().is_some_and(|ending| ending == "qcj")).unwrap();
    let session = whole.file_name().unwrap().to_str().unwrap().split('.').nth(1).unwrap().to_owned();
    let bytes = fs::read(&whole).unwrap();
    for (number, damage) in [600, bytes.len() / 2, bytes.len() - 1, bytes.len() + 1].into_iter().enumerate() {
        let name = format!("damaged-{number}");
        let folder = day.folder.path().join(format!("{name}.journal"));
        fs::create_dir(&folder).unwrap();
        let mut damaged = bytes.clone();
        match damaged.get_mut(damage) {
            Some(byte) => *byte ^= 0x10,
            None => damaged.extend_from_slice(b"torn"),
        }
        fs::write(folder.join(format!("{session}.open.qcj")), damaged).unwrap();
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("quoteclock"));
        command.current_dir(day.folder.path()).args(day.serve_arguments(&name, &feed, &[])).stdout(Stdio::null());
        assert_eq!(command.stderr(Stdio::null()).status().unwrap().code(), Some(day.code), "{name}");
        day.assert_equal(&name);
    }
}

#[test]
fn the_journal_of_a_day_is_an_input_and_nobody_else_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let day = tse_small("2024-03-01.csv");
    let publisher = day.publish("soup://127.0.0.1:0", &["--speed", "max", "--payload", "binary"]);
    let feed = format!("soup://{}", publisher.address("listen"));
    assert_eq!(day.serve("day", &feed, &[]).wait().code(), Some(0));
    let entries = fs::read_dir(day.folder.path().join("day.journal")).unwrap().map(|entry| entry.unwrap().path());
    let journal = entries.into_iter().find(|path| path.extension().is_some_and(|ending| ending == "qcj")).unwrap();
    assert_eq!(journal.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("quoteclock"));
    command.current_dir(day.folder.path()).args(["replay", "--db", "again.db", "--registry"]).arg(&day.registry);
    assert!(command.arg(&journal).stdout(Stdio::null()).status().unwrap().success());
    day.assert_equal("again");
}

#[test]
fn one_journal_is_written_by_one_process_and_a_stored_day_is_not_asked_for_again() {
    let bench = Bench::new();
    let file = bench.day("day.csv", &GOOD);
    let day = Day::new(file, bench.path("registry"), None);
    let publisher = day.publish("soup://127.0.0.1:0", &["--speed", "1"]);
    let feed = format!("soup://{}", publisher.address("listen"));
    let server = day.serve("one", &feed, &[]);
    let second = || {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("quoteclock"));
        command.current_dir(day.folder.path()).args(day.serve_arguments("one", &feed, &[]));
        command.stderr(Stdio::null()).output().unwrap()
    };
    let refused = second();
    assert_eq!((refused.status.code(), refused.stdout.len()), (Some(2), 0));
    assert_eq!(server.wait().code(), Some(0));
    day.assert_equal("one");
    drop(publisher);
    // Nobody is there to be asked.
    let again = second();
    assert_eq!((again.status.code(), again.stdout.len()), (Some(0), 0));
}

#[test]
fn a_day_of_a_month_whose_report_has_gone_out_is_stored_and_that_is_said() {
    let day = tse_small("2024-03-01.csv");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("quoteclock"));
        command.current_dir(day.folder.path()).args(arguments).arg("--registry").arg(&day.registry).output().unwrap()
    };
    let served = |name: &str| {
        let publisher = day.publish("soup://127.0.0.1:0", &["--speed", "max"]);
        let feed = format!("soup://{}", publisher.address("listen"));
        assert_eq!(day.serve(name, &feed, &[]).wait().code(), Some(day.code));
        fs::read_to_string(day.folder.path().join("serve.log")).unwrap()
    };
    let said = "the report of 2024-03 has gone out (revision 1 of 20";
    assert!(!served("first").contains(said));
    let closed = run(&["report", "--db", "first.db", "--month", "2024-03", "--out", "out", "--close"]);
    assert!(matches!(closed.status.code(), Some(0 | 3)), "{}", String::from_utf8_lossy(&closed.stderr));
    fs::copy(day.folder.path().join("first.db"), day.folder.path().join("again.db")).unwrap();
    let log = served("again");
    assert!(log.contains(said) && log.contains("2024-03-01 is of it stored anew"), "{log}");
}

#[test]
fn asked_to_end_it_ends_and_a_later_start_goes_on() {
    let bench = Bench::new();
    let file = bench.day("day.csv", &["09:00:01,1306,add,1,,VS1,B,1000,10,,", "09:59:01,1306,add,2,,VS1,S,1003,10,,"]);
    let day = Day::new(file, bench.path("registry"), None);
    let slow = day.publish("soup://127.0.0.1:0", &["--session", "S1"]);
    let server = day.serve("day", &format!("soup://{}", slow.address("listen")), &[]);
    std::thread::sleep(Duration::from_millis(300));
    let asked = Instant::now();
    assert_eq!(server.stop().code(), Some(3));
    assert!(asked.elapsed() < Duration::from_secs(5));
    drop(slow);
    let fast = day.publish("soup://127.0.0.1:0", &["--session", "S1", "--speed", "max"]);
    assert_eq!(day.serve("day", &format!("soup://{}", fast.address("listen")), &[]).wait().code(), Some(0));
    day.assert_equal("day");
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_bound() {
    let bench = Bench::new();
    bench.write("day.csv", day_text("2024-03-01", &GOOD).as_bytes());
    bench.write("bad.csv", b"this,is,no,header\n");
    bench.write("password", b"longer than ten\n");
    let serve = ["serve", "--registry", "registry", "--db", "days.db", "--journal", "journal", "--feed"];
    for (arguments, code) in [
        (&["http://127.0.0.1:1"][..], 2),
        (&["soup://127.0.0.1:1", "--once", "--payload", "itch"], 2),
        (&["soup://127.0.0.1:1", "--date", "2024-03-01"], 2),
        (&["soup://127.0.0.1:1", "--http", "0.0.0.0:0"], 2),
        (&["soup://127.0.0.1:1", "--user", "u", "--password-file", "absent"], 2),
        (&["soup://127.0.0.1:1", "--user", "u", "--password-file", "password"], 2),
        (&["-", "--session", "S1"], 2),
    ] {
        let output = bench.run(&[&serve[..], arguments].concat());
        assert_eq!((output.status.code(), output.stdout.len()), (Some(code), 0), "{arguments:?}");
    }
    let publish = ["publish", "--listen"];
    for (arguments, code) in [
        (&["tcp://127.0.0.1:0", "day.csv"][..], 2),
        (&["soup://0.0.0.0:0", "day.csv"], 2),
        (&["soup://127.0.0.1:0", "absent.csv"], 2),
        (&["soup://127.0.0.1:0", "bad.csv"], 1),
        (&["soup://127.0.0.1:0", "--session", "12345678901", "day.csv"], 2),
        (&["soup://127.0.0.1:0", "--speed", "0", "day.csv"], 2),
    ] {
        let output = bench.run(&[&publish[..], arguments].concat());
        assert_eq!((output.status.code(), output.stdout.len()), (Some(code), 0), "{arguments:?}");
    }
    assert_eq!(bench.names(), ["bad.csv", "day.csv", "password"]);
}

/// What a plain HTTP/1.1 server answers: the status, and the body.
fn ask(address: &str, method: &str, path: &str, token: &str, body: &str) -> (u16, String) {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let length = body.len();
    let head =
        format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n");
    stream.write_all(format!("{head}Authorization: Bearer {token}\r\n\r\n{body}").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

#[test]
fn a_fast_market_holds_for_the_whole_day_at_once_and_a_replay_gives_the_same() {
    let bench = Bench::new();
    // 50 ticks apart on 10,000: too far, and near enough twice as wide.
    let records = [
        "09:00:00,1306,add,1,,VS1,B,10000,10,,",
        "09:00:00,1306,add,2,,VS1,S,10150,10,,",
        "09:59:59,1321,phase,,,,,,,,continuous",
    ];
    let day = Day::new(bench.day("day.csv", &records), bench.path("registry"), None);
    let mut tokens = "sha256,role,party,name,expires\n".to_owned();
    let mut token = |role: &str, party: &[&str]| {
        let expires = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1)).to_string();
        let output =
            bench.run(&[&["token", "--role", role, "--name", "test", "--expires", &expires][..], party].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        let (token, row) = text.trim_end().split_once('\n').unwrap();
        tokens.push_str(&format!("{row}\n"));
        token.to_owned()
    };
    let (exchange, maker) = (token("exchange", &[]), token("market_maker", &["--party", "MM1"]));
    let file = bench.write("tokens.csv", tokens.as_bytes());
    let publisher = day.publish("soup://127.0.0.1:0", &["--speed", "60"]);
    let more = ["--http", "127.0.0.1:0", "--tokens", Day::text(&file)];
    let server = day.serve("day", &format!("soup://{}", publisher.address("listen")), &more);
    let http = server.address("http");
    let state = || ask(&http, "GET", "/api/v1/state", &maker, "").1;
    let started = Instant::now();
    while !state().contains("\"date\":\"2024-03-01\"") {
        assert!(started.elapsed() < Duration::from_secs(30), "no day runs");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(ask(&http, "GET", "/api/v1/state", "qc_wrong", "").0, 401);
    let order = "{\"multiplier\": 2}";
    assert_eq!(ask(&http, "POST", "/api/v1/fast-market", &maker, order), ask(&http, "GET", "/nowhere", &maker, ""));
    assert_eq!(ask(&http, "POST", "/api/v1/fast-market", &exchange, order).0, 200);
    let entered = fs::read_to_string(bench.path("registry/fast_market.csv")).unwrap();
    assert_eq!(entered, "from,to,multiplier\n2024-03-01,2024-03-01,2\n");
    // The rest of the day as fast as it comes: a later start goes on.
    assert_eq!(server.stop().code(), Some(3));
    drop(publisher);
    let publisher = day.publish("soup://127.0.0.1:0", &["--speed", "max"]);
    assert_eq!(day.serve("day", &format!("soup://{}", publisher.address("listen")), &[]).wait().code(), Some(0));
    Day::new(day.file.clone(), day.registry.clone(), None).assert_equal_to(&day.folder.path().join("day.db"));
}

/// Waits until the log of a server says something.
fn wait_for(day: &Day, text: &str) {
    let started = Instant::now();
    let log = || fs::read_to_string(day.folder.path().join("serve.log")).unwrap();
    while !log().contains(text) {
        assert!(started.elapsed() < Duration::from_secs(60), "{text:?} is not in the log: {}", log());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_registry_read_again_while_the_day_runs_comes_to_its_replay() {
    let bench = Bench::new();
    let records = [
        "09:00:00,1306,add,1,,VS1,B,10000,10,,",
        "09:00:00,1306,add,2,,VS1,S,10150,10,,",
        "09:00:00,1321,add,3,,VS1,B,10000,10,,",
        "09:30:00,1321,add,4,,VS1,S,10050,10,,",
        "09:59:59,1321,phase,,,,,,,,continuous",
    ];
    let day = Day::new(bench.day("day.csv", &records), bench.path("registry"), None);
    let publisher = day.publish("soup://127.0.0.1:0", &["--speed", "180"]);
    let server = day.serve("day", &format!("soup://{}", publisher.address("listen")), &[]);
    wait_for(&day, "writing a journal");
    // A bad one is refused, and the old one stays.
    let good = fs::read(bench.path("registry/signups.csv")).unwrap();
    bench.write("registry/signups.csv", b"market_maker,issue\nMM1,9999\n");
    server.signal("-HUP");
    wait_for(&day, "the registry is not taken, the old one stays");
    // One that exempts time to come, or declares a Fast Market, is taken as the day stands.
    bench.write("registry/signups.csv", &good);
    bench.write("registry/fast_market.csv", b"from,to,multiplier\n2024-03-01,,2\n");
    bench.write(
        "registry/exemptions.csv",
        b"issue,market_maker,from,to,reason\n1306,MM1,2024-03-01T09:58:00+09:00,2024-03-01T09:59:00+09:00,a test\n",
    );
    server.signal("-HUP");
    wait_for(&day, "the registry has been read again");
    let log = fs::read_to_string(day.folder.path().join("serve.log")).unwrap();
    assert!(!log.contains("measuring the day again"), "{log}");
    // One that requires something else of what is past is taken from the journal.
    let scheme = bench.read("registry/scheme.toml").replace("max_spread_bps = 100", "max_spread_bps = 40");
    bench.write("registry/scheme.toml", scheme.as_bytes());
    server.signal("-HUP");
    wait_for(&day, "the day measured again has taken over");
    assert_eq!(server.wait().code(), Some(0));
    Day::new(day.file.clone(), day.registry.clone(), None).assert_equal_to(&day.folder.path().join("day.db"));
}

#[test]
fn a_day_is_measured_again_from_its_journal_and_the_database_names_that() {
    let day = tse_small("2024-03-04.csv");
    let publisher = day.publish("soup://127.0.0.1:0", &["--speed", "max"]);
    let feed = format!("soup://{}", publisher.address("listen"));
    assert_eq!(day.serve("day", &feed, &[]).wait().code(), Some(day.code));
    drop(publisher);
    // Another figure comes into the database; nobody is there to be asked, and none is needed.
    let file = day.folder.path().join("day.db");
    let names = |sql: &str| {
        let db = rusqlite::Connection::open(&file).unwrap();
        db.query_row(sql, [], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?))).unwrap()
    };
    let before = names("SELECT journal, journal_sha256 FROM days");
    let journal = day.folder.path().join("day.journal").join(&before.0);
    assert_eq!(before.1, <sha2::Sha256 as sha2::Digest>::digest(fs::read(&journal).unwrap()).as_slice());
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("quoteclock"));
    command.current_dir(day.folder.path()).args(day.serve_arguments("day", &feed, &["--replay"]));
    assert_eq!(command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().code(), Some(day.code));
    day.assert_equal("day");
    assert_eq!(names("SELECT journal, journal_sha256 FROM days"), before);
    let db = rusqlite::Connection::open(&file).unwrap();
    let count: i64 = db.query_row("SELECT count(*) FROM measurements", [], |row| row.get(0)).unwrap();
    assert_eq!(count, 2, "it was measured twice");
}

#[test]
fn what_is_served_by_multicast_equals_its_replay() {
    // A network of its own, in which groups reach nobody else.
    let allowed = Command::new("unshare").args(["-rn", "ip", "link", "set", "lo", "up"]).stderr(Stdio::null()).status();
    if !allowed.is_ok_and(|status| status.success()) {
        eprintln!("skipped: no network namespace may be made here");
        return;
    }
    let day = tse_small("2024-03-04.csv");
    let feed = "mold://239.1.2.3:9001?request=127.0.0.1:9002&b=239.1.2.4:9001&interface=127.0.0.1";
    let script = format!(
        "ip link set lo up multicast on && ip route add 224.0.0.0/4 dev lo || exit 77\n\
         \"$QC\" {} > ready & serving=$!\n\
         while ! [ -s ready ]; do sleep 0.1; done\n\
         \"$QC\" publish --listen '{feed}' --speed max '{}' > publishing & publisher=$!\n\
         wait $serving; code=$?; kill $publisher; wait $publisher; exit $code",
        day.serve_arguments("group", &format!("'{feed}'"), &[]).join(" "),
        day.file.display(),
    );
    let mut command = Command::new("unshare");
    command.current_dir(day.folder.path()).args(["-rn", "sh", "-c", &script]);
    command.env("QC", assert_cmd::cargo::cargo_bin!("quoteclock")).stderr(Stdio::null());
    assert_eq!(command.status().unwrap().code(), Some(day.code));
    day.assert_equal("group");
}

/// An implementation of SoupBinTCP that is not ours: what runs its scripts in `tests/peers`; `None` where it is absent.
fn peer(ending: &str) -> Option<String> {
    let (program, probe) = match ending {
        "js" => ("node".to_owned(), "require('soupbintcp')"),
        _ => (std::env::var("QUOTECLOCK_PYTHON").unwrap_or("python3".to_owned()), "import nasdaq_protocols"),
    };
    let flag = if ending == "js" { "-e" } else { "-c" };
    let found = Command::new(&program).args([flag, probe]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if found.is_ok_and(|status| status.success()) {
        return Some(program);
    }
    eprintln!(
        "skipped: {program} has no SoupBinTCP (npm soupbintcp by NODE_PATH, PyPI nasdaq-protocols by QUOTECLOCK_PYTHON)"
    );
    None
}

#[test]
fn other_implementations_of_the_session_serve_and_are_served() {
    let day = tse_small("2024-03-01.csv");
    let text = fs::read_to_string(&day.file).unwrap();
    let count = text.lines().count().to_string();
    for ending in ["js", "py"] {
        let Some(program) = peer(ending) else { continue };
        let script = |side: &str| {
            let mut command = Command::new(&program);
            command.arg(repository("crates/cli/tests/peers").canonicalize().unwrap().join(format!("{side}.{ending}")));
            command.stdout(Stdio::piped()).stderr(Stdio::null());
            command
        };
        let mut server = script("server").arg(&day.file).spawn().unwrap();
        let mut port = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut port).unwrap();
        let status = day.serve(ending, &format!("soup://127.0.0.1:{}", port.trim()), &[]).wait();
        server.kill().unwrap();
        let _ = server.wait();
        assert_eq!(status.code(), Some(day.code), "{ending}");
        day.assert_equal(ending);
        fs::write(day.folder.path().join("password"), "secret").unwrap();
        let publisher =
            day.publish("soup://127.0.0.1:0", &["--speed", "max", "--user", "QC", "--password-file", "password"]);
        let address = publisher.address("listen");
        let output = script("client").args([address.rsplit(':').next().unwrap(), &count]).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), text, "{ending}");
    }
}

/// Serves SoupBinTCP: three messages, then for ever a session whose next message is the sixth. Counts logins.
fn forgetful_server(lines: Vec<String>) -> (String, Arc<std::sync::atomic::AtomicUsize>) {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, logins) = (listener.local_addr().unwrap().to_string(), Arc::default());
    let count: Arc<std::sync::atomic::AtomicUsize> = Arc::clone(&logins);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut login = [0; 49];
            if stream.read_exact(&mut login).is_err() {
                continue;
            }
            let number = count.fetch_add(1, Ordering::SeqCst);
            let packet = |kind: u8, body: &[u8]| {
                let length = u16::try_from(body.len() + 1).unwrap().to_be_bytes();
                [&length[..], &[kind], body].concat()
            };
            let (first, end) = if number == 0 { (1, 3) } else { (6, lines.len()) };
            let mut bytes = packet(b'A', format!("{:>10}{first:>20}", "S1").as_bytes());
            lines[first - 1..end].iter().for_each(|line| bytes.extend(packet(b'S', line.as_bytes())));
            if number != 0 {
                bytes.extend(packet(b'Z', b""));
            }
            // Who has seen the gap has gone.
            let _ = stream.write_all(&bytes);
            let _ = stream.set_read_timeout(Some(Duration::from_secs(1)));
            let _ = stream.read(&mut [0; 64]);
        }
    });
    (address, logins)
}

#[test]
fn what_the_source_does_not_have_any_more_is_asked_for_three_times_and_then_unknown() {
    let bench = Bench::new();
    let records = [
        "09:00:00,1306,add,1,,VS1,B,1000,10,,",
        "09:00:00,1306,add,2,,VS1,S,1003,10,,",
        "09:10:00,1321,add,3,,VS1,B,1000,10,,",
        "09:20:00,1321,add,4,,VS1,S,1003,10,,",
        "09:30:00,1306,cancel,1,,,,,,,",
        "09:40:00,*,clear,,,,,,,,",
    ];
    let day = Day::new(bench.day("day.csv", &records), bench.path("registry"), None);
    // Without numbers of the source's own: the session's take their place.
    let text = fs::read_to_string(&day.file).unwrap();
    let lines = text.lines().map(|line| line.split_once(',').unwrap().1.to_owned()).collect();
    let (address, logins) = forgetful_server(lines);
    assert_eq!(day.serve("gap", &format!("soup://{address}"), &[]).wait().code(), Some(3));
    let logins = logins.load(Ordering::SeqCst);
    // One gets three messages, one sees the gap, three ask for it again.
    assert_eq!(logins, 5);
    // From the last record before the gap on, 09:00, up to the clear at 09:40: 40 minutes of each issue.
    let db = rusqlite::Connection::open(day.folder.path().join("gap.db")).unwrap();
    let mut statement = db.prepare("SELECT unknown_us FROM results").unwrap();
    let unknown: Vec<i64> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(unknown, [2_400_000_000, 2_400_000_000]);
    // The journal of the day comes to the same.
    let journal = fs::read_dir(day.folder.path().join("gap.journal")).unwrap().map(|entry| entry.unwrap().path());
    let journal = journal.into_iter().find(|path| path.extension().is_some_and(|ending| ending == "qcj")).unwrap();
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("quoteclock"));
    command.current_dir(day.folder.path()).args(["replay", "--lenient", "--db", "again.db", "--registry"]);
    command.arg(&day.registry).arg(&journal).stdout(Stdio::null()).stderr(Stdio::null());
    assert_eq!(command.status().unwrap().code(), Some(3));
    assert_eq!(tables(&day.folder.path().join("again.db")), tables(&day.folder.path().join("gap.db")));
}
