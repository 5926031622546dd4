//! A running feed for as long as is asked, with event streams that are read all the while: whether memory stays flat, and whether
//! every day is the replayed one. `just soak [SECONDS [EVENTS_A_SECOND [SESSIONS [STREAMS]]]]`: an hour, 200,000, 4 and 50.
//!
//! One `serve` follows one session of `publish` after the other, each the same day of `tse-etf` at a speed that makes it last its
//! part of the time; so the disk holds one session at once, and what a session leaves behind is seen in the next. A quarter of an
//! hour at 200,000 a second takes 22 GB while it lasts. Streams are the exchange's, market makers' and asset managers'.

use quoteclock_benches::process::{bound, held, run};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

/// Memory may be higher by so much in the last session than in the one before, and by a tenth: what is kept for streams that go on
/// later fills up in the first.
const MEMORY_SLACK_KIB: u64 = 16 << 10;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let program: PathBuf = arguments.next().expect("the path of quoteclock, such as target/release/quoteclock").into();
    let mut number =
        |default: u64| arguments.next().map_or(default, |text| text.parse().expect("seconds, or another number"));
    let (seconds, rate, sessions, streams) = (number(3600), number(200_000), number(4), number(50));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let soak = Soak { program, folder: folder.path().to_owned() };

    // All days of the load are as long.
    let day_s = soak.length_of_day();
    let speed = day_s.div_ceil(seconds / sessions);
    let (lasts_s, events) = (day_s / speed, rate * day_s / speed);
    println!(
        "{sessions} sessions of {events} events, {lasts_s} s each at {speed} times the day's speed, {streams} event streams"
    );
    let day = soak.generate(events);
    let (input, registry) = (day.join("2024-03-01.qcev"), day.join("registry"));
    let replay = ["replay", "--quiet", "--lenient", "--db", "replayed.db", "--registry"];
    run(soak.command(&replay).arg(&registry).arg(&input));
    let tokens = soak.tokens(&registry);

    let mut publish = soak.publish(&input, "soup://127.0.0.1:0", 1, speed);
    let listens = bound(&mut publish.0, "listen");
    let mut serve = soak.serve(&registry, &format!("soup://{listens}"));
    let http = bound(&mut serve.0, "http");
    let (told, stored) = mpsc::channel();
    let stderr = serve.0.stderr.take().expect("its logs");
    thread::spawn(move || tell_stored_days(BufReader::new(stderr), &told));

    let (stop, counts) = (Arc::new(AtomicBool::new(false)), Arc::new(Counts::default()));
    let readers: Vec<_> = (0..streams)
        .map(|place| {
            let tokens = &tokens.onlookers;
            let token = tokens[usize::try_from(place).expect("a small number") % tokens.len()].clone();
            let (http, stop, counts) = (http.clone(), Arc::clone(&stop), Arc::clone(&counts));
            thread::spawn(move || read_events(&http, &token, &stop, &counts))
        })
        .collect();

    let sample_every = Duration::from_secs((seconds / 5).clamp(1, 60));
    let mut most = Vec::new();
    for session in 1..=sessions {
        if session != 1 {
            publish = soak.publish(&input, &format!("soup://{listens}"), session, speed);
            bound(&mut publish.0, "listen");
        }
        let (started, mut memory) = (Instant::now(), Vec::new());
        let end = loop {
            match stored.recv_timeout(sample_every) {
                Ok(records) => break records,
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => panic!("serve has ended: {:?}", serve.0.wait()),
            }
            memory.push(held(serve.0.id()));
            let [open, events, ended] = counts.now();
            let metrics = get(&http, "/metrics", &tokens.operator);
            println!(
                "session {session}, {:4} s: {:6} KiB; {open} streams, {events} events told, {ended} ended; latency {}",
                started.elapsed().as_secs(),
                held(serve.0.id()),
                latency(&metrics)
            );
            assert!(started.elapsed().as_secs() < 3 * lasts_s + 600, "the session does not end");
        };
        let took = started.elapsed();
        assert_eq!(end, events, "records of session {session}");
        publish.0.kill().and_then(|()| publish.0.wait()).expect("a child");
        run(&mut soak.command(&["compare", "served.db", "replayed.db"]));
        println!("session {session}: stored after {took:.1?}, and its day is the replayed one");
        most.extend(memory.into_iter().max());
    }
    stop.store(true, Ordering::Relaxed);
    let [_, events, ended] = counts.now();
    run(Command::new("kill").args(["-TERM", &serve.0.id().to_string()]));
    assert!(serve.0.wait().expect("a child").success(), "serve ends well");
    readers.into_iter().for_each(|reader| reader.join().expect("a reader that has found nothing wrong"));
    println!("{events} events were read in order; {ended} streams ended before their time");
    println!("most memory of each session: {most:?} KiB");
    assert!(events != 0 && ended == 0, "every stream is told something, and none is put out");
    if let [.., before, last] = most[..] {
        assert!(last <= before + before / 10 + MEMORY_SLACK_KIB, "memory has grown from session to session");
    }
}

struct Soak {
    program: PathBuf,
    folder: PathBuf,
}

/// Tokens of everybody who may open a stream, and the operator's.
struct Tokens {
    onlookers: Vec<String>,
    operator: String,
}

impl Soak {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.program.canonicalize().expect("the program"));
        command.current_dir(&self.folder).args(arguments);
        command
    }

    /// Seconds from the first record of a day to its last.
    fn length_of_day(&self) -> u64 {
        let small = ["generate", "--load", "tse-etf", "--form", "csv", "--events", "20000", "--out", "-"];
        let text = run(&mut self.command(&small));
        let time = |line: &str| -> jiff::Timestamp {
            let fields = line.split(',').find(|field| field.contains('T') && field.contains(':'));
            fields.expect("a time").parse().expect("a time")
        };
        let mut lines = text.lines().skip(1);
        let (first, last) = (lines.next().expect("a record"), lines.last().expect("a record"));
        u64::try_from(time(last).as_second() - time(first).as_second()).expect("time goes on")
    }

    fn generate(&self, events: u64) -> PathBuf {
        let events = events.to_string();
        let all = ["generate", "--load", "tse-etf", "--form", "binary", "--events", &events, "--out", "day"];
        run(&mut self.command(&all));
        self.folder.join("day")
    }

    /// The exchange, every market maker and every asset manager of the registry; written into the file of tokens.
    fn tokens(&self, registry: &Path) -> Tokens {
        let makers = column(&registry.join("market_makers.csv"), "market_maker");
        let managers = column(&registry.join("issues.csv"), "asset_manager");
        let mut rows = "sha256,role,party,name,expires\n".to_owned();
        let mut token = |role: &str, party: &str| {
            let expires = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(48)).to_string();
            let mut command = self.command(&["token", "--role", role, "--name", "soak", "--expires", &expires]);
            if !party.is_empty() {
                command.args(["--party", party]);
            }
            let said = run(&mut command);
            let (token, row) = said.trim_end().split_once('\n').expect("a token and its row");
            rows.push_str(&format!("{row}\n"));
            token.to_owned()
        };
        let mut onlookers = vec![token("exchange", "")];
        onlookers.extend(makers.iter().map(|name| token("market_maker", name)));
        onlookers.extend(managers.iter().map(|name| token("asset_manager", name)));
        let operator = token("operator", "");
        fs::write(self.folder.join("tokens.csv"), rows).expect("the file of tokens");
        Tokens { onlookers, operator }
    }

    fn publish(&self, input: &Path, at: &str, session: u64, speed: u64) -> Ended {
        let (session, speed) = (format!("SOAK{session}"), speed.to_string());
        let mut command = self.command(&["publish", "--listen", at, "--payload", "binary"]);
        command.args(["--session", &session, "--speed", &speed]).arg(input);
        Ended(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the program runs"))
    }

    /// Journals of days that are stored are not kept.
    fn serve(&self, registry: &Path, feed: &str) -> Ended {
        let mut command = self.command(&["serve", "--feed", feed, "--http", "127.0.0.1:0", "--tokens", "tokens.csv"]);
        command.args(["--db", "served.db", "--journal", "journal", "--keep-days", "0", "--registry"]).arg(registry);
        command.env("QUOTECLOCK_LOG", "json").stdout(Stdio::piped()).stderr(Stdio::piped());
        Ended(command.spawn().expect("the program runs"))
    }
}

/// A process that ends with the benchmark, however that ends.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What stands in a column of a small file without quotes, each once.
fn column(file: &Path, name: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(file).expect("a file of the registry");
    let mut lines = text.lines();
    let head: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let place = head.iter().position(|column| *column == name).expect("the column");
    lines.filter_map(|line| line.split(',').nth(place)).filter(|cell| !cell.is_empty()).map(str::to_owned).collect()
}

/// Tells how many records each stored day has.
fn tell_stored_days(logs: impl BufRead, told: &mpsc::Sender<u64>) {
    for line in logs.lines().map_while(Result::ok) {
        let Ok(record) = serde_json::from_str::<Value>(&line) else { continue };
        let fields = if record["fields"].is_object() { &record["fields"] } else { &record };
        if fields["message"] == "the day is stored" {
            let records = fields["records"].as_u64().expect("a number");
            assert_eq!(fields["set_aside"], 0, "records are set aside");
            if told.send(records).is_err() {
                return;
            }
        } else if record["level"] == "ERROR" {
            eprintln!("{line}");
        }
    }
}

/// What the readers have come to.
#[derive(Debug, Default)]
struct Counts {
    open: AtomicU64,
    events: AtomicU64,
    ended: AtomicU64,
}

impl Counts {
    fn now(&self) -> [u64; 3] {
        [&self.open, &self.events, &self.ended].map(|count| count.load(Ordering::Relaxed))
    }
}

/// Reads one event stream to the end, and opens another where it ended before its time. Numbers have no holes.
fn read_events(http: &str, token: &str, stop: &AtomicBool, counts: &Counts) {
    let mut last: Option<u64> = None;
    while !stop.load(Ordering::Relaxed) {
        let after = last.map_or(String::new(), |id| format!("Last-Event-ID: {id}\r\n"));
        let mut stream = TcpStream::connect(http).expect("loopback");
        let head =
            format!("GET /api/v1/events HTTP/1.1\r\nHost: {http}\r\nAuthorization: Bearer {token}\r\n{after}\r\n");
        stream.write_all(head.as_bytes()).expect("loopback");
        let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
        let status = lines.next().unwrap_or_default();
        assert!(status.contains(" 200 ") || stop.load(Ordering::Relaxed), "an event stream: {status:?}");
        counts.open.fetch_add(1, Ordering::Relaxed);
        for line in lines {
            if line == "event: reset" {
                last = None;
            }
            let Some(id) = line.strip_prefix("id: ").map(|id| id.parse::<u64>().expect("a number")) else { continue };
            assert!(last.is_none_or(|last| last + 1 == id), "event {id} after {last:?}");
            last = Some(id);
            counts.events.fetch_add(1, Ordering::Relaxed);
        }
        counts.open.fetch_sub(1, Ordering::Relaxed);
        if !stop.load(Ordering::Relaxed) {
            counts.ended.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The body of an answer.
fn get(http: &str, path: &str, token: &str) -> String {
    let mut stream = TcpStream::connect(http).expect("loopback");
    let head =
        format!("GET {path} HTTP/1.1\r\nHost: {http}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).expect("loopback");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("text");
    text
}

/// Half of the messages, 99 %, 99.9 % and all were measured within.
fn latency(metrics: &str) -> String {
    let values = metrics.lines().filter(|line| line.starts_with("quoteclock_latency_seconds{"));
    values.filter_map(|line| line.rsplit(' ').next()).collect::<Vec<_>>().join(" / ") + " s"
}
