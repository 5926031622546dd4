//! A market divided among processes that follow a stream of a NATS server: each has its shard, and merged they are the day, with
//! server, publisher and those who follow killed in turn.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod support;

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use support::live::{Day, Running, generated, tse_small};
use support::nats::NatsServer;

fn quoteclock(day: &Day, arguments: &[&str]) -> std::process::Output {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("quoteclock"));
    command.current_dir(day.folder.path()).args(arguments).output().unwrap()
}

/// Merges the parts that `names` have stored, and asserts that they are the replayed day: rows, files, and what is known of both.
fn assert_merged(day: &Day, names: &[String]) {
    let parts: Vec<String> = names.iter().map(|name| format!("{name}.db")).collect();
    let registry = Day::text(&day.registry);
    let mut arguments = vec!["merge", "--db", "merged.db", "--registry", registry, "--out", "merged"];
    arguments.extend(parts.iter().map(String::as_str));
    let merged = quoteclock(day, &arguments);
    assert!(matches!(merged.status.code(), Some(0 | 3)), "{}", String::from_utf8_lossy(&merged.stderr));
    day.assert_equal("merged");
    let replayed =
        quoteclock(day, &["replay", "--lenient", "--registry", registry, "--out", "whole", Day::text(&day.file)]);
    assert!(matches!(replayed.status.code(), Some(0 | 3)));
    for file in ["daily.csv", "breaches.csv", "outages.csv"] {
        let read = |folder: &str| fs::read(day.folder.path().join(folder).join(file)).unwrap();
        assert!(read("merged") == read("whole"), "{file} differs");
    }
    let facts = |db: &str| {
        let db = rusqlite::Connection::open(day.folder.path().join(db)).unwrap();
        let sql = "SELECT record_count, reject_count, plan_sha256, multiplier, coverage FROM days";
        let row = |row: &rusqlite::Row<'_>| Ok((0..5).map(|at| format!("{:?}", row.get_ref(at).unwrap())).collect());
        db.query_row(sql, [], row).unwrap()
    };
    let (found, expected): (Vec<String>, Vec<String>) = (facts("merged.db"), facts("replayed.db"));
    assert_eq!(found, expected);
}

#[test]
fn a_stream_equals_its_replay_in_every_payload() {
    let Some(server) = NatsServer::start(&[]) else { return };
    for name in ["2024-03-01.csv", "2024-03-04.csv"] {
        let day = tse_small(name);
        for payload in ["csv", "binary"] {
            let stream = server.stream(&format!("QC-{}-{payload}", &name[8..10]));
            let publisher = day.publish(&stream, &["--speed", "max", "--payload", payload]);
            assert_eq!(day.serve(payload, &stream, &[]).wait().code(), Some(day.code), "{name} {payload}");
            day.assert_equal(payload);
            let db = rusqlite::Connection::open(day.folder.path().join(format!("{payload}.db"))).unwrap();
            let input: String = db.query_row("SELECT input FROM days", [], |row| row.get(0)).unwrap();
            assert_eq!(input, stream);
            assert_eq!(publisher.stop().code(), Some(0));
            // The stream has all of it, for whoever comes when the publisher has gone.
            assert_eq!(day.serve(&format!("{payload}-late"), &stream, &[]).wait().code(), Some(day.code));
            day.assert_equal(&format!("{payload}-late"));
        }
    }
}

#[test]
fn shards_of_a_stream_merge_to_the_replayed_day() {
    let Some(server) = NatsServer::start(&[]) else { return };
    let generated = [generated("60k", "us-market", "itch"), generated("40k", "small", "csv")];
    let bundled = ["2024-03-01.csv", "2024-03-04.csv"].map(tse_small);
    for (number, day) in generated.iter().map(|(_, day)| day).chain(&bundled).enumerate() {
        let stream = server.stream(&format!("MARKET{number}"));
        let publisher = day.publish(&stream, &["--speed", "max", "--shards", "3"]);
        let names: Vec<String> = (0..3).map(|index| format!("part-{index}")).collect();
        let serving = |(index, name): (usize, &String)| day.serve(name, &stream, &["--shard", &format!("{index}/3")]);
        let serving: Vec<Running> = names.iter().enumerate().map(serving).collect();
        // One part at least has what is in doubt where the day has it.
        let codes: Vec<Option<i32>> = serving.into_iter().map(|serving| serving.wait().code()).collect();
        assert_eq!(codes.iter().max(), Some(&Some(day.code)), "{codes:?}");
        assert_merged(day, &names);
        drop(publisher);
        let other = quoteclock(day, &["merge", "--db", "other.db", "part-0.db", "part-2.db"]);
        assert_eq!(other.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&other.stderr).contains("no part of shard 1/3"));
    }
}

#[test]
fn a_shard_of_any_feed_is_measured_as_replay_measures_it() {
    let day = tse_small("2024-03-04.csv");
    let publisher = day.publish("soup://127.0.0.1:0", &["--speed", "max"]);
    let feed = format!("soup://{}", publisher.address("listen"));
    let names = ["part-0".to_owned(), "part-1".to_owned()];
    for (index, name) in names.iter().enumerate() {
        let shard = format!("{index}/2");
        let code = day.serve(name, &feed, &["--shard", &shard]).wait().code();
        assert!(matches!(code, Some(0 | 3)), "{code:?}");
        let again = quoteclock(&day, &["days", "--db", &format!("{name}.db")]);
        assert_eq!(again.status.code(), Some(1), "parts are no days");
    }
    let registry = Day::text(&day.registry);
    let merged = quoteclock(&day, &["merge", "--db", "merged.db", "part-0.db", "part-1.db"]);
    assert!(matches!(merged.status.code(), Some(0 | 3)), "{}: {registry}", String::from_utf8_lossy(&merged.stderr));
    day.assert_equal("merged");
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_done() {
    let day = tse_small("2024-03-01.csv");
    let file = Day::text(&day.file);
    let refused = |arguments: &[&str], expected: &str| {
        let output = quoteclock(&day, arguments);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{arguments:?}: {text}");
        assert!(text.contains(expected), "{text}");
    };
    refused(&["publish", "--listen", "soup://127.0.0.1:0", "--shards", "2", file], "expected nats://HOST/STREAM");
    refused(
        &["publish", "--listen", "nats://127.0.0.1:1/A", "--shards", "2", "--payload", "csv", file],
        "expected binary",
    );
    refused(&["publish", "--listen", "nats://192.0.2.1/A", file], "expected a --user");
    refused(&["publish", "--listen", "nats://127.0.0.1/A.B", file], "expected HOST[:PORT]/STREAM");
    // Whoever gets a shard could not tell that a record is not in its place.
    let text = fs::read_to_string(&day.file).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines.remove(lines.len() / 2);
    fs::write(day.folder.path().join("gap.csv"), lines.join("\n")).unwrap();
    let output = quoteclock(&day, &["publish", "--listen", "nats://127.0.0.1:1/A", "--shards", "2", "gap.csv"]);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(text.contains("does not follow the one before"), "{text}");
}

#[test]
fn the_journal_of_one_shard_is_not_gone_on_with_by_another() {
    let Some(server) = NatsServer::start(&[]) else { return };
    let (_folder, day) = generated("20k", "small", "csv");
    let stream = server.stream("MARKET");
    let _publisher = day.publish(&stream, &["--speed", "500", "--shards", "2"]);
    let running = day.serve("part", &stream, &["--shard", "0/2"]);
    let open = || fs::read_dir(day.folder.path().join("part.journal")).unwrap().count();
    let started = Instant::now();
    while open() < 2 {
        assert!(started.elapsed() < Duration::from_secs(30), "no journal");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(running.stop().code(), Some(3));
    let arguments = day.serve_arguments("part", &stream, &["--shard", "1/2", "--db", "other.db"]);
    let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    // The database is named twice now: the first goes.
    let at = arguments.iter().position(|&argument| argument == "--db").unwrap();
    arguments.drain(at..at + 2);
    let refused = quoteclock(&day, &arguments);
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2), "{text}");
    assert!(text.contains("MARKET?shard=0/2, expected") && text.contains("MARKET?shard=1/2"), "{text}");
}

#[test]
fn a_server_that_asks_for_a_user_gets_one() {
    let Some(server) = NatsServer::start(&["--user", "market", "--pass", "a longer secret"]) else { return };
    let day = tse_small("2024-03-01.csv");
    fs::write(day.folder.path().join("password"), "a longer secret\n").unwrap();
    let stream = server.stream("QC");
    let credentials = ["--user", "market", "--password-file", "password"];
    let _publisher = day.publish(&stream, &[&["--speed", "max"][..], &credentials].concat());
    assert_eq!(day.serve("day", &stream, &credentials).wait().code(), Some(0));
    day.assert_equal("day");
    assert_eq!(day.serve("none", &stream, &[]).wait().code(), Some(1), "refused at the first login");
}

/// How often a process is killed: `QUOTECLOCK_KILLS` for more than a quick look.
fn kills() -> u32 {
    std::env::var("QUOTECLOCK_KILLS").ok().and_then(|count| count.parse().ok()).unwrap_or(4)
}

#[test]
fn killed_in_turn_nothing_is_lost_and_nothing_counted_twice() {
    let Some(mut server) = NatsServer::start(&[]) else { return };
    let (_folder, day) = generated("150k", "small", "csv");
    let stream = server.stream("MARKET");
    // Six hours and a half in six seconds for each kill, which outlast the killing; then as fast as they come.
    let speed = (23_400 / (kills() * 6)).to_string();
    let publish = |speed: &str| day.publish(&stream, &["--speed", speed, "--shards", "2"]);
    let names = ["part-0".to_owned(), "part-1".to_owned()];
    let serve = |index: usize| {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("quoteclock"));
        let arguments = day.serve_arguments(&names[index], &stream, &["--shard", &format!("{index}/2")]);
        let log = fs::File::options().create(true).append(true).open(day.folder.path().join(format!("{index}.log")));
        command.current_dir(day.folder.path()).args(arguments).env("QUOTECLOCK_CHECKPOINT_MS", "200");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log.unwrap()).spawn().unwrap()
    };
    let mut publisher = Some(publish(&speed));
    let mut serving = [serve(0), serve(1)];
    let mut state = 29_u32;
    let mut in_time = 0;
    for round in 0..kills() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        std::thread::sleep(Duration::from_millis(100 + u64::from(state >> 12) % 1400));
        in_time += u32::from(serving.iter_mut().any(|serving| serving.try_wait().unwrap().is_none()));
        match round % 4 {
            0 => server.kill_and_start(),
            2 => {
                drop(publisher.take());
                publisher = Some(publish(&speed));
            }
            other => {
                let index = usize::from(other == 3);
                serving[index].kill().unwrap();
                serving[index].wait().unwrap();
                serving[index] = serve(index);
            }
        }
    }
    assert_eq!(in_time, kills(), "the day was over before the last was killed");
    drop(publisher.take());
    let _publisher = publish("max");
    for (index, serving) in serving.iter_mut().enumerate() {
        let started = Instant::now();
        let status = loop {
            if let Some(status) = serving.try_wait().unwrap() {
                break status;
            }
            let log = || fs::read_to_string(day.folder.path().join(format!("{index}.log"))).unwrap();
            assert!(started.elapsed() < Duration::from_secs(120), "it does not end: {}", log());
            std::thread::sleep(Duration::from_millis(20));
        };
        let log = fs::read_to_string(day.folder.path().join(format!("{index}.log"))).unwrap();
        assert_eq!(status.code(), Some(day.code), "{log}");
        assert!(!log.contains("a gap"), "{log}");
    }
    assert_merged(&day, &names);
    eprintln!("killed {} times", kills());
}
