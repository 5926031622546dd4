//! A feed served by one process and measured by another, and what its replay comes to.
#![allow(clippy::unwrap_used, reason = "helpers are part of the tests")]

use super::repository;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What equality is about.
pub const TABLES: [&str; 4] = ["results", "breaches", "turnovers", "market_turnovers"];

/// A process that has said that it is ready.
pub struct Running {
    pub child: Child,
    pub ready: serde_json::Value,
}

impl Running {
    pub fn start(folder: &Path, arguments: &[&str]) -> Running {
        Running::start_with(folder, arguments, Stdio::null())
    }

    /// The same, with something on standard input.
    pub fn start_with(folder: &Path, arguments: &[&str], stdin: Stdio) -> Running {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("quoteclock"));
        command.current_dir(folder).args(arguments).stdin(stdin).stdout(Stdio::piped());
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

    pub fn address(&self, name: &str) -> String {
        self.ready[name].as_str().unwrap_or_else(|| panic!("{name} in {}", self.ready)).to_owned()
    }

    /// Waits for its own end, a minute at most.
    pub fn wait(mut self) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(started.elapsed() < Duration::from_secs(300), "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Asks it to end, and waits.
    pub fn stop(self) -> ExitStatus {
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
pub struct Day {
    pub folder: TempDir,
    pub file: PathBuf,
    pub registry: PathBuf,
    /// What the replay adds to the arguments.
    pub date: Option<&'static str>,
    pub expected: Vec<(String, Vec<String>)>,
    pub code: i32,
}

impl Day {
    pub fn new(file: PathBuf, registry: PathBuf, date: Option<&'static str>) -> Day {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("quoteclock"));
        command.current_dir(folder.path()).args(["replay", "--lenient", "--db", "replayed.db", "--registry"]);
        command.arg(&registry).arg(&file).stdout(Stdio::null()).stderr(Stdio::null());
        assert!(matches!(command.status().unwrap().code(), Some(0 | 3)));
        let expected = tables(&folder.path().join("replayed.db"));
        let unknown = rusqlite::Connection::open(folder.path().join("replayed.db")).unwrap();
        let unknown: i64 =
            unknown.query_row("SELECT coalesce(sum(unknown_us), 0) FROM results", [], |row| row.get(0)).unwrap();
        Day { folder, file, registry, date, expected, code: if unknown == 0 { 0 } else { 3 } }
    }

    pub fn text(path: &Path) -> &str {
        path.to_str().unwrap()
    }

    pub fn publish(&self, listen: &str, more: &[&str]) -> Running {
        let mut arguments = vec!["publish", "--listen", listen];
        arguments.extend(more);
        arguments.push(Day::text(&self.file));
        Running::start(self.folder.path(), &arguments)
    }

    pub fn serve(&self, name: &str, feed: &str, more: &[&str]) -> Running {
        self.serve_from(name, feed, more, Stdio::null())
    }

    /// The same, with something on standard input.
    pub fn serve_from(&self, name: &str, feed: &str, more: &[&str], stdin: Stdio) -> Running {
        let arguments = self.serve_arguments(name, feed, more);
        Running::start_with(self.folder.path(), &arguments.iter().map(String::as_str).collect::<Vec<_>>(), stdin)
    }

    /// Publishes it over TCP and measures it; asserts that this is its replay.
    pub fn assert_served_by_tcp(&self, payload: &str) {
        let publisher = self.publish("soup://127.0.0.1:0", &["--speed", "max", "--payload", payload]);
        let feed = format!("soup://{}", publisher.address("listen"));
        let name = format!("tcp-{payload}");
        let code = self.serve(&name, &feed, &["--payload", payload]).wait().code();
        assert_eq!(code, Some(self.code), "{} {name}", self.file.display());
        self.assert_equal(&name);
        assert_eq!(publisher.stop().code(), Some(0));
    }

    /// The same by datagrams on a bad line.
    pub fn assert_served_by_datagrams(&self, payload: &str) {
        let request = free_port();
        let name = format!("datagrams-{payload}");
        let feed = format!("mold://127.0.0.1:0?request=127.0.0.1:{request}");
        let server = self.serve(&name, &feed, &["--payload", payload]);
        let line = BadLine::to(server.address("listen"));
        let listen = format!("mold://{}?request=127.0.0.1:{request}", line.address);
        let publisher = self.publish(&listen, &["--speed", "max", "--payload", payload]);
        assert_eq!(server.wait().code(), Some(self.code), "{} {name}", self.file.display());
        self.assert_equal(&name);
        assert_eq!(publisher.stop().code(), Some(0));
    }

    pub fn serve_arguments(&self, name: &str, feed: &str, more: &[&str]) -> Vec<String> {
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
    pub fn assert_equal(&self, name: &str) {
        self.assert_equal_to(&self.folder.path().join(format!("{name}.db")));
    }

    pub fn assert_equal_to(&self, db: &Path) {
        for ((table, found), (_, expected)) in tables(db).iter().zip(&self.expected) {
            assert_eq!(found.len(), expected.len(), "{}: rows of {table}", db.display());
            assert!(found == expected, "{}: {table} differs", db.display());
        }
    }
}

/// The rows of the tables that are to be equal.
pub fn tables(db: &Path) -> Vec<(String, Vec<String>)> {
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

pub fn tse_small(name: &str) -> Day {
    let folder = repository("replay-data/tse-small").canonicalize().unwrap();
    Day::new(folder.join(name), folder.join("registry"), None)
}

/// A generated day, small enough for a test and large enough to be cut anywhere.
pub fn generated(events: &str, load: &str, form: &str) -> (TempDir, Day) {
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

/// A line on which datagrams are lost, doubled and held back, between a publisher and a receiver.
pub struct BadLine {
    pub address: String,
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl BadLine {
    pub fn to(receiver: String) -> BadLine {
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
pub fn free_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// What a plain HTTP/1.1 server answers: the status, and the body.
pub fn ask(address: &str, method: &str, path: &str, token: &str, body: &str) -> (u16, String) {
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

/// The files of checkpoints beside the journal that `name` writes, also of those that are being made.
pub fn checkpoints(day: &Day, name: &str) -> Vec<String> {
    let entries = fs::read_dir(day.folder.path().join(format!("{name}.journal"))).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(".qcp")).collect()
}

/// Whether a checkpoint beside that journal is made.
pub fn has_checkpoint(day: &Day, name: &str) -> bool {
    checkpoints(day, name).iter().any(|name| !name.ends_with(".new.qcp"))
}

/// Waits until the log of a server says something.
pub fn wait_for(day: &Day, text: &str) {
    let started = Instant::now();
    let log = || fs::read_to_string(day.folder.path().join("serve.log")).unwrap();
    while !log().contains(text) {
        assert!(started.elapsed() < Duration::from_secs(60), "{text:?} is not in the log: {}", log());
        std::thread::sleep(Duration::from_millis(20));
    }
}
