//! A running feed over loopback, from `publish` to verdict: how fast, how late, how much memory, and whether the day is the
//! replayed one: `cargo run --release -p quoteclock-benches --example live -- target/release/quoteclock [EVENTS [PACE]]`.
//!
//! A day of `tse-etf` with fixed seed is published by the program given and served by it, as its users run it; then it is
//! replayed, and both databases are compared. `PACE` is `max`, or a number: so many times as fast as the day was, its own
//! bursts included (its closing auction has thirty times the mean); or `500000/s`: so many events each second, evenly.
//! Meanwhile an echo goes over loopback a thousand times a second, which says what the machine itself takes.

use hdrhistogram::Histogram;
use quoteclock_benches::Records;
use quoteclock_benches::process::{bound, held, processor_time, run};
use quoteclock_feed::binary::{BinaryDecoder, BinaryWriter};
use quoteclock_feed::{EventWriter, RawRecord, Receiver, Sequence, Stop};
use quoteclock_model::{IssueCode, IssueIndex, Record, ServerIndex, Timestamp};
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Bytes of an echo: about those of a message.
const ECHO_BYTES: usize = 40;
const ECHO_EVERY: Duration = Duration::from_millis(1);
/// How many times as fast as its clock an evenly spread day is published: 30 million events at 500,000 a second are eight hours.
const EVEN_SPEED: u32 = 500;
/// More than a binary file says of itself before its events.
const HEADER_BYTES_MAX: usize = 1 << 12;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let program = arguments.next().expect("the path of quoteclock, such as target/release/quoteclock");
    let events = arguments.next().unwrap_or_else(|| "60M".to_owned());
    let pace = arguments.next().unwrap_or_else(|| "max".to_owned());
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| folder.path().join(name);
    let day = at("day");
    run(Command::new(&program)
        .args(["generate", "--load", "tse-etf", "--form", "binary", "--events", &events, "--out"])
        .arg(&day));
    let (input, registry) = (day.join("2024-03-01.qcev"), day.join("registry"));
    let speed = match pace.strip_suffix("/s") {
        Some(rate) => {
            let gap = u64::from(EVEN_SPEED) * 1_000_000 / rate.parse::<u64>().expect("events a second");
            spread(&input, i64::try_from(gap).expect("events a second"));
            EVEN_SPEED.to_string()
        }
        None => pace,
    };

    let mut publish = Command::new(&program)
        .args(["publish", "--listen", "soup://127.0.0.1:0", "--payload", "binary", "--speed", &speed])
        .arg(&input)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program runs");
    let feed = format!("soup://{}", bound(&mut publish, "listen"));
    let stop = Arc::new(AtomicBool::new(false));
    let echo = thread::spawn({
        let stop = Arc::clone(&stop);
        move || echo(&stop)
    });
    let start = Instant::now();
    let mut serve = Command::new(&program)
        .args(["serve", "--once", "--feed", &feed, "--registry"])
        .arg(&registry)
        .arg("--db")
        .arg(at("served.db"))
        .arg("--journal")
        .arg(at("journal"))
        .env("QUOTECLOCK_LOG", "json")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let logs = thread::spawn({
        let stderr = serve.stderr.take().expect("its logs");
        move || latencies(BufReader::new(stderr), start)
    });
    let (mut memory, mut busy) = (Vec::new(), Duration::ZERO);
    let status = loop {
        // Nothing is held by what has ended, and not been waited for.
        memory.extend(Some(held(serve.id()) >> 10).filter(|held| *held != 0));
        busy = busy.max(processor_time(serve.id()));
        match serve.try_wait().expect("a child") {
            Some(status) => break status,
            None => thread::sleep(Duration::from_millis(100)),
        }
    };
    let published = processor_time(publish.id());
    publish.kill().and_then(|()| publish.wait()).expect("a child");
    stop.store(true, Ordering::Relaxed);
    let echo = echo.join().expect("echoes");
    let (took, figures, stops) = logs.join().expect("logs").expect("the log tells of latencies");
    assert!(status.success(), "serve: {status}");

    let messages = figures["messages"].as_u64().expect("a number");
    let rate = u128::from(messages) * 1_000_000 / took.as_micros().max(1);
    println!(
        "{messages} messages in {took:.1?} until the last verdict: {rate} a second; {published:.1?} and {busy:.1?} of processors"
    );
    println!(
        "socket to verdict: p50 {} us, p99 {} us, p99.9 {} us, max {} us",
        figures["p50_us"], figures["p99_us"], figures["p999_us"], figures["max_us"]
    );
    println!("longest stop for each of {} checkpoints: {stops:?} us", stops.len());
    let of = |quantile| echo.value_at_quantile(quantile);
    println!("bare echo: p50 {} us, p99 {} us, p99.9 {} us, max {} us", of(0.5), of(0.99), of(0.999), echo.max());
    // A fifth of the time, and the end: what grows is seen.
    let memory: Vec<u64> = (1..=5).map(|part| memory[(memory.len() * part / 5).max(1) - 1]).collect();
    println!("memory of serve after each fifth: {memory:?} MiB");

    run(Command::new(&program)
        .args(["replay", "--quiet", "--lenient", "--registry"])
        .arg(&registry)
        .arg("--db")
        .arg(at("replayed.db"))
        .arg(&input));
    run(Command::new(&program).arg("compare").arg(at("served.db")).arg(at("replayed.db")));
    println!("the served day is the replayed one");
    let journal = size(&at("journal"));
    println!("journal: {} MiB", journal >> 20);
}

/// Writes a day's events anew, one every `gap` microseconds.
fn spread(path: &Path, gap: i64) {
    let bytes = std::fs::read(path).expect("the day");
    let mut begun = BinaryDecoder::default();
    begun.push(&bytes[..bytes.len().min(HEADER_BYTES_MAX)], &mut Records::default()).expect("a good day");
    let file = BufWriter::new(File::create(path).expect("the day"));
    let writer = BinaryWriter::new(file, begun.header().expect("what the day says of itself"));
    let mut spread = Spread { writer, gap, next: None };
    let mut decoder = BinaryDecoder::default();
    decoder.push(&bytes, &mut spread).and_then(|()| decoder.finish(&mut spread)).expect("a good day");
    spread.writer.finish().expect("the day");
}

struct Spread<W: Write> {
    writer: BinaryWriter<W>,
    gap: i64,
    /// When the next event is; the first is when it was.
    next: Option<Timestamp>,
}

impl<W: Write> Receiver for Spread<W> {
    fn issue(&mut self, index: IssueIndex, code: &IssueCode) {
        self.writer.issue(index, code).expect("the day");
    }

    fn server(&mut self, index: ServerIndex, name: &str) {
        self.writer.server(index, name).expect("the day");
    }

    fn record(&mut self, record: &RawRecord<'_>) -> Result<(), Stop> {
        let (Some(was), Sequence::Given(sequence), Ok(event)) = (record.ts_event, record.sequence, &record.event)
        else {
            return Err(Stop);
        };
        let ts_event = self.next.unwrap_or(was);
        self.next = Some(Timestamp::from_micros(ts_event.as_micros() + self.gap));
        self.writer.event(Some(sequence), &Record { ts_event, event: *event }).map_err(|_| Stop)
    }

    fn rest(&mut self, _: &[u8]) -> Result<(), Stop> {
        Err(Stop)
    }
}

/// When the last verdict was there, and what `serve` says of latencies, and of the longest stop for each checkpoint.
fn latencies(logs: impl BufRead, start: Instant) -> Option<(Duration, Value, Vec<u64>)> {
    let (mut last, mut stops) = (None, Vec::new());
    for line in logs.lines().map_while(Result::ok) {
        let Ok(record) = serde_json::from_str::<Value>(&line) else { continue };
        let fields = if record["fields"].is_object() { &record["fields"] } else { &record };
        stops.extend(fields["longest_stop_us"].as_u64());
        if fields["p999_us"].is_u64() {
            last = Some((start.elapsed(), fields.clone()));
        }
    }
    last.map(|(took, fields)| (took, fields, stops))
}

/// Microseconds there and back over loopback, between two threads that do nothing else.
fn echo(stop: &AtomicBool) -> Histogram<u64> {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        let mut message = [0; ECHO_BYTES];
        while stream.read_exact(&mut message).is_ok() && stream.write_all(&message).is_ok() {}
    });
    let mut stream = TcpStream::connect(address).expect("loopback");
    stream.set_nodelay(true).expect("a socket");
    let mut times = Histogram::new_with_bounds(1, 60_000_000, 2).expect("bounds");
    let mut message = [0; ECHO_BYTES];
    while !stop.load(Ordering::Relaxed) {
        let start = Instant::now();
        stream.write_all(&message).and_then(|()| stream.read_exact(&mut message)).expect("an echo");
        times.saturating_record(u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX));
        thread::sleep(ECHO_EVERY);
    }
    times
}

fn size(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.metadata().ok()).map(|of| of.len()).sum()
}
