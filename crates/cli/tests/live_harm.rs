//! What is done to a running feed, and that nothing is lost or guessed by it: killed at any moment, journals damaged, disks that
//! are full, messages that nobody has any more.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod support;

use std::fs;
use std::io::Write;
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use support::live::{Day, checkpoints, generated, has_checkpoint, tables, tse_small};
use support::{Bench, skipped};

/// How often the process is killed: `QUOTECLOCK_KILLS` for more than a quick look.
fn kills() -> usize {
    std::env::var("QUOTECLOCK_KILLS").ok().and_then(|count| count.parse().ok()).unwrap_or(5)
}

/// A server that makes checkpoints many times a second: a day of a second has none every ten.
fn often(day: &Day, name: &str, feed: &str, log: &str) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("quoteclock"));
    command.current_dir(day.folder.path()).args(day.serve_arguments(name, feed, &[]));
    let log = fs::File::create(day.folder.path().join(log)).unwrap();
    command.env("QUOTECLOCK_CHECKPOINT_MS", "20").stdout(Stdio::null()).stderr(log);
    command
}

#[test]
fn killed_at_any_moment_it_comes_to_the_same() {
    let (_folder, day) = generated("150k", "small", "csv");
    let mut state = 17_u32;
    for round in 0..kills() {
        let publisher = day.publish("soup://127.0.0.1:0", &["--speed", "max", "--payload", "binary"]);
        let feed = format!("soup://{}", publisher.address("listen"));
        let name = format!("killed-{round}");
        for _ in 0..1 + round % 3 {
            let mut server = often(&day, &name, &feed, "killed.log").spawn().unwrap();
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            std::thread::sleep(Duration::from_micros(u64::from(state >> 12) % 900_000));
            server.kill().unwrap();
            let _ = server.wait();
        }
        assert_eq!(often(&day, &name, &feed, "last.log").status().unwrap().code(), Some(day.code), "round {round}");
        day.assert_equal(&name);
        assert_eq!(checkpoints(&day, &name), [] as [String; 0], "of a stored day no checkpoint is left");
    }
}

#[test]
fn killed_after_a_checkpoint_it_goes_on_from_there() {
    let (_folder, day) = generated("150k", "small", "csv");
    // Six hours and a half in a minute and a half: far more than a checkpoint takes.
    let publish = |speed: &str| {
        let publisher =
            day.publish("soup://127.0.0.1:0", &["--session", "S1", "--speed", speed, "--payload", "binary"]);
        let feed = format!("soup://{}", publisher.address("listen"));
        (publisher, feed)
    };
    let (slow, feed) = publish("260");
    let mut server = often(&day, "killed", &feed, "killed.log").spawn().unwrap();
    let started = Instant::now();
    while !has_checkpoint(&day, "killed") {
        assert!(started.elapsed() < Duration::from_secs(60), "no checkpoint is made");
        std::thread::sleep(Duration::from_millis(5));
    }
    server.kill().unwrap();
    let _ = server.wait();
    drop(slow);
    let (_fast, feed) = publish("max");
    assert_eq!(often(&day, "killed", &feed, "last.log").status().unwrap().code(), Some(day.code));
    let log = fs::read_to_string(day.folder.path().join("last.log")).unwrap();
    assert!(log.contains("measuring from a checkpoint on"), "{log}");
    day.assert_equal("killed");
    assert_eq!(checkpoints(&day, "killed"), [] as [String; 0], "of a stored day no checkpoint is left");
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

/// What a process says when it is given this script, with `$QC` for the command, and its exit code.
fn shell(day: &Day, script: &str, unshared: bool) -> Option<i32> {
    let program: &[&str] = if unshared { &["unshare", "-rm", "sh", "-c", script] } else { &["sh", "-c", script] };
    let mut command = Command::new(program[0]);
    command.current_dir(day.folder.path()).args(&program[1..]);
    command.env("QC", assert_cmd::cargo::cargo_bin!("quoteclock")).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().unwrap().code()
}

#[test]
fn a_journal_that_may_not_grow_stops_it_and_a_later_start_ends_the_same() {
    let (_folder, day) = generated("20k", "small", "csv");
    let publisher = day.publish("soup://127.0.0.1:0", &["--speed", "max"]);
    let feed = format!("soup://{}", publisher.address("listen"));
    // The limit counts in units of 512 bytes; whoever comes to it is told, and not killed.
    for units in [500, 900, 1300] {
        let name = format!("limited-{units}");
        let arguments = day.serve_arguments(&name, &feed, &[]);
        let quoted = arguments.iter().map(|argument| format!("'{argument}'")).collect::<Vec<_>>().join(" ");
        let script = format!("trap '' XFSZ; ulimit -f {units} || exit 77; exec \"$QC\" {quoted} 2>{name}.log");
        assert_eq!(shell(&day, &script, false), Some(1), "{name}");
        let log = fs::read_to_string(day.folder.path().join(format!("{name}.log"))).unwrap();
        assert!(log.contains("File too large"), "{log}");
        assert_eq!(tables(&day.folder.path().join(format!("{name}.db")))[0].1, [] as [String; 0], "nothing half");
        assert_eq!(day.serve(&name, &feed, &[]).wait().code(), Some(day.code), "{name}");
        day.assert_equal(&name);
    }
}

#[test]
fn a_full_disk_stops_it_and_a_later_start_with_room_ends_the_same() {
    let (_folder, day) = generated("20k", "small", "csv");
    // A small disk of its own, which nobody else sees.
    if shell(&day, "mkdir -p probe && mount -t tmpfs -o size=64k none probe", true) != Some(0) {
        return skipped("no disk may be mounted here");
    }
    let publisher = day.publish("soup://127.0.0.1:0", &["--speed", "max"]);
    let feed = format!("soup://{}", publisher.address("listen"));
    let mut full = 0;
    for (on_it, sizes) in [("journal", [64, 256, 512]), ("db", [128, 192, 256])] {
        for size in sizes {
            let name = format!("{on_it}-{size}");
            let mut arguments = day.serve_arguments(&name, &feed, &[]);
            let at = 1 + arguments.iter().position(|argument| *argument == format!("--{on_it}")).unwrap();
            arguments[at] = format!("disk/{name}.{on_it}");
            let serve = arguments.iter().map(|argument| format!("'{argument}'")).collect::<Vec<_>>().join(" ");
            let script = format!(
                "mkdir -p disk && mount -t tmpfs -o size={size}k none disk || exit 77\n\
                 \"$QC\" {serve} >{name}.out 2>{name}.log; echo $? >{name}.code\n\
                 mount -o remount,size=256m disk || exit 77\n\
                 \"$QC\" {serve} 2>>{name}.log; code=$?\n\
                 [ {on_it} = journal ] || cp disk/{name}.db .\n\
                 exit $code"
            );
            assert_eq!(shell(&day, &script, true), Some(day.code), "{name}");
            let first = fs::read_to_string(day.folder.path().join(format!("{name}.code"))).unwrap();
            let log = fs::read_to_string(day.folder.path().join(format!("{name}.log"))).unwrap();
            match first.trim() {
                "0" => {}
                "1" => {
                    full += 1;
                    assert!(
                        log.contains("No space left") || log.contains("disk is full") || log.contains("disk I/O error"),
                        "{name}: {log}"
                    );
                }
                other => panic!("{name}: exit code {other}: {log}"),
            }
            day.assert_equal(&name);
        }
    }
    assert!(4 <= full, "{full} of 6 disks were full");
}

/// A day of two issues, in which the fourth and fifth record will be lost, without numbers of the source's own: those of the
/// session take their place.
fn day_with_a_gap(bench: &Bench) -> (Day, Vec<String>) {
    let records = [
        "09:00:00,1306,add,1,,VS1,B,1000,10,,",
        "09:00:00,1306,add,2,,VS1,S,1003,10,,",
        "09:10:00,1321,add,3,,VS1,B,1000,10,,",
        "09:20:00,1321,add,4,,VS1,S,1003,10,,",
        "09:30:00,1306,cancel,1,,,,,,,",
        "09:40:00,*,clear,,,,,,,,",
    ];
    let day = Day::new(bench.day("day.csv", &records), bench.path("registry"), None);
    let text = fs::read_to_string(&day.file).unwrap();
    let lines = text.lines().map(|line| line.split_once(',').unwrap().1.to_owned()).collect();
    (day, lines)
}

/// Asserts that the time from the last record before the gap on, 09:00, up to the clear at 09:40 is unknown: 40 minutes of each
/// issue; and that the journal comes to the same.
fn assert_gap_is_unknown(day: &Day, name: &str) {
    let db = rusqlite::Connection::open(day.folder.path().join(format!("{name}.db"))).unwrap();
    let mut statement = db.prepare("SELECT unknown_us FROM results").unwrap();
    let unknown: Vec<i64> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(unknown, [2_400_000_000, 2_400_000_000], "{name}");
    let journals = fs::read_dir(day.folder.path().join(format!("{name}.journal"))).unwrap();
    let mut journals = journals.map(|entry| entry.unwrap().path());
    let journal = journals.find(|path| path.extension().is_some_and(|ending| ending == "qcj")).unwrap();
    let again = format!("{name}-again.db");
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("quoteclock"));
    command.current_dir(day.folder.path()).args(["replay", "--lenient", "--db", &again, "--registry"]);
    command.arg(&day.registry).arg(&journal).stdout(Stdio::null()).stderr(Stdio::null());
    assert_eq!(command.status().unwrap().code(), Some(3));
    let stored = |file: &str| tables(&day.folder.path().join(file));
    assert_eq!(stored(&again), stored(&format!("{name}.db")));
}

/// Serves SoupBinTCP: three messages, then for ever a session whose next message is the sixth. Counts logins.
fn forgetful_server(lines: Vec<String>) -> (String, Arc<AtomicUsize>) {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, logins) = (listener.local_addr().unwrap().to_string(), Arc::default());
    let count: Arc<AtomicUsize> = Arc::clone(&logins);
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
    let (day, lines) = day_with_a_gap(&bench);
    let (address, logins) = forgetful_server(lines);
    assert_eq!(day.serve("gap", &format!("soup://{address}"), &[]).wait().code(), Some(3));
    // One gets three messages, one sees the gap, three ask for it again.
    assert_eq!(logins.load(Ordering::SeqCst), 5);
    assert_gap_is_unknown(&day, "gap");
}

/// Sends MoldUDP64 to `receiver` until it is stopped, without messages 4 and 5, which its request server does not have either.
/// Counts how often it is asked for them.
struct ForgetfulLine {
    asked: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl ForgetfulLine {
    fn start(requests: UdpSocket, receiver: String, lines: Vec<String>) -> ForgetfulLine {
        let (asked, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (counted, told) = (Arc::clone(&asked), Arc::clone(&stop));
        requests.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let packet = move |first: usize, last: usize, count: u16| {
            let mut bytes = b"S1        ".to_vec();
            bytes.extend(u64::try_from(first).unwrap().to_be_bytes());
            bytes.extend(count.to_be_bytes());
            for line in &lines[first - 1..last] {
                bytes.extend(u16::try_from(line.len()).unwrap().to_be_bytes());
                bytes.extend(line.as_bytes());
            }
            (bytes, lines.len())
        };
        let thread = std::thread::spawn(move || {
            let line = UdpSocket::bind("127.0.0.1:0").unwrap();
            let (_, count) = packet(1, 0, 0);
            let mut request = [0; 64];
            while !told.load(Ordering::Relaxed) {
                for (first, last) in [(1, 3), (6, count)] {
                    let messages = u16::try_from(last + 1 - first).unwrap();
                    let _ = line.send_to(&packet(first, last, messages).0, &receiver);
                }
                let _ = line.send_to(&packet(count + 1, count, u16::MAX).0, &receiver);
                let Ok((20, from)) = requests.recv_from(&mut request) else { continue };
                match usize::try_from(u64::from_be_bytes(request[10..18].try_into().unwrap())).unwrap() {
                    4 | 5 => drop(counted.fetch_add(1, Ordering::Relaxed)),
                    first => {
                        let last = if first < 4 { 3 } else { count };
                        let messages = u16::try_from(last + 1 - first).unwrap();
                        let _ = requests.send_to(&packet(first, last, messages).0, from);
                    }
                }
            }
        });
        ForgetfulLine { asked, stop, thread: Some(thread) }
    }
}

impl Drop for ForgetfulLine {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().unwrap().join();
    }
}

#[test]
fn datagrams_that_no_request_brings_back_are_a_gap() {
    let bench = Bench::new();
    let (day, lines) = day_with_a_gap(&bench);
    let requests = UdpSocket::bind("127.0.0.1:0").unwrap();
    let feed = format!("mold://127.0.0.1:0?request={}", requests.local_addr().unwrap());
    let server = day.serve("datagrams", &feed, &[]);
    let started = Instant::now();
    let line = ForgetfulLine::start(requests, server.address("listen"), lines);
    assert_eq!(server.wait().code(), Some(3));
    // The source is asked first, and again; what it does not bring within three seconds is a gap.
    assert!(1 < line.asked.load(Ordering::Relaxed) && Duration::from_secs(3) <= started.elapsed());
    assert_gap_is_unknown(&day, "datagrams");
}

/// Waits until the only journal of a folder holds something.
fn wait_for_journal(folder: &Path, text: &str) {
    let started = Instant::now();
    let holds = |path: &Path| String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).contains(text);
    while !fs::read_dir(folder).into_iter().flatten().flatten().any(|entry| holds(&entry.path())) {
        assert!(started.elapsed() < Duration::from_secs(30), "{text:?} does not come into the journal");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn what_a_pipe_has_lost_is_a_gap_and_what_it_brings_again_is_not_taken_twice() {
    let bench = Bench::new();
    let (day, lines) = day_with_a_gap(&bench);
    let text = |lines: &[String]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    // `tail -F LOG` begins somewhere, `tail -F -n +1 LOG` at the beginning.
    for (name, second, code) in [("lost", &lines[5..], 3), ("again", &lines[..], 0)] {
        let mut first = day.serve_from(name, "-", &[], Stdio::piped());
        first.child.stdin.as_mut().unwrap().write_all(text(&lines[..3]).as_bytes()).unwrap();
        wait_for_journal(&day.folder.path().join(format!("{name}.journal")), &lines[2]);
        first.signal("-KILL");
        let _ = first.wait();
        let mut later = day.serve_from(name, "-", &[], Stdio::piped());
        later.child.stdin.take().unwrap().write_all(text(second).as_bytes()).unwrap();
        assert_eq!(later.wait().code(), Some(code), "{name}");
    }
    assert_gap_is_unknown(&day, "lost");
    day.assert_equal("again");
}
