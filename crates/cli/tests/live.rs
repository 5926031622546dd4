//! A feed served equals its replay: every payload, both transports, with datagrams lost, doubled and out of order.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod support;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use support::live::{Day, Running, ask, free_port, generated, tse_small, wait_for};
use support::{Bench, GOOD, day_text, is_day, real_data, repository, skipped};

/// The bundled days of a folder, which its registry is for.
fn bundled(name: &str) -> Vec<Day> {
    let folder = repository("replay-data").canonicalize().unwrap().join(name);
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| is_day(file));
    files.sort();
    assert!(!files.is_empty(), "{name} has days");
    files.into_iter().map(|file| Day::new(file, folder.join("registry"), None)).collect()
}

#[test]
fn bundled_days_equal_their_replay_over_both_transports() {
    for day in bundled("tse-small").iter().chain(&bundled("payments")) {
        for payload in ["csv", "binary"] {
            day.assert_served_by_tcp(payload);
            day.assert_served_by_datagrams(payload);
        }
    }
}

#[test]
fn what_itch_cannot_say_is_not_published_as_itch() {
    let day = tse_small("2024-03-01.csv");
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("quoteclock"));
    command.args(["publish", "--listen", "soup://127.0.0.1:0", "--payload", "itch"]).arg(&day.file);
    let output = command.output().unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("cannot be published") && told.contains("ITCH 5.0 cannot hold"), "{told}");
}

#[test]
fn a_generated_day_of_itch_equals_its_replay_in_every_payload_over_both_transports() {
    let (_folder, day) = generated("40k", "us-market", "itch");
    for payload in ["itch", "binary", "csv"] {
        day.assert_served_by_tcp(payload);
        day.assert_served_by_datagrams(payload);
    }
}

#[test]
fn the_premarket_of_nasdaq_equals_its_replay_in_every_payload_over_both_transports() {
    let Some(folder) = real_data("nasdaq-itch50") else { return };
    let files = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let file = files.into_iter().find(|path| path.is_file() && path.to_string_lossy().contains("premarket"));
    let Some(file) = file else {
        return skipped(format_args!("no ITCH file in {}", folder.display()));
    };
    let registry = repository("replay-data/itch-nasdaq/registry").canonicalize().unwrap();
    let day = Day::new(file, registry, Some("2019-12-30"));
    for payload in ["itch", "binary", "csv"] {
        day.assert_served_by_tcp(payload);
        day.assert_served_by_datagrams(payload);
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

/// A day that takes an hour at its own pace: whoever follows it is there until it is asked to end.
fn an_hour(bench: &Bench) -> Day {
    let records = ["09:00:01,1306,add,1,,VS1,B,1000,10,,", "09:59:01,1306,add,2,,VS1,S,1003,10,,"];
    Day::new(bench.day("day.csv", &records), bench.path("registry"), None)
}

#[test]
fn one_journal_is_written_by_one_process_and_a_stored_day_is_not_asked_for_again() {
    let bench = Bench::new();
    let day = an_hour(&bench);
    let slow = day.publish("soup://127.0.0.1:0", &["--session", "S1"]);
    let feed = format!("soup://{}", slow.address("listen"));
    let server = day.serve("one", &feed, &[]);
    let second = |feed: &str| {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("quoteclock"));
        command.current_dir(day.folder.path()).args(day.serve_arguments("one", feed, &[]));
        command.stderr(Stdio::null()).output().unwrap()
    };
    let refused = second(&feed);
    assert_eq!((refused.status.code(), refused.stdout.len()), (Some(2), 0));
    assert_eq!(server.stop().code(), Some(3));
    drop(slow);
    let fast = day.publish("soup://127.0.0.1:0", &["--session", "S1", "--speed", "max"]);
    let feed = format!("soup://{}", fast.address("listen"));
    assert_eq!(day.serve("one", &feed, &[]).wait().code(), Some(0));
    day.assert_equal("one");
    drop(fast);
    // Nobody is there to be asked.
    let again = second(&feed);
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
    let day = an_hour(&bench);
    let slow = day.publish("soup://127.0.0.1:0", &["--session", "S1"]);
    let server = day.serve("day", &format!("soup://{}", slow.address("listen")), &[]);
    wait_for(&day, "writing a journal");
    let asked = Instant::now();
    assert_eq!(server.stop().code(), Some(3));
    assert!(asked.elapsed() < Duration::from_secs(60));
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
    let text = fs::read_to_string(&day.file).unwrap();
    let (first, last) = text.split_at(text.trim_end().rfind('\n').unwrap() + 1);
    let mut server = day.serve_from("day", "-", &[], Stdio::piped());
    server.child.stdin.as_mut().unwrap().write_all(first.as_bytes()).unwrap();
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
    server.child.stdin.take().unwrap().write_all(last.as_bytes()).unwrap();
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
fn orders_are_carried_out_while_there_is_no_source_and_when_the_day_is_over() {
    let bench = Bench::new();
    let day = Day::new(bench.day("day.csv", &GOOD), bench.path("registry"), None);
    let run = |feed: &str, stdin: Stdio| {
        let mut arguments = day.serve_arguments("day", feed, &["--http", "127.0.0.1:0"]);
        arguments.retain(|argument| argument != "--once");
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        Running::start_with(day.folder.path(), &arguments, stdin)
    };
    for (feed, stdin, before) in [
        ("soup://127.0.0.1:1", Stdio::null(), "the source cannot be reached"),
        ("-", fs::File::open(&day.file).unwrap().into(), "the day is stored"),
    ] {
        let server = run(feed, stdin);
        wait_for(&day, before);
        server.signal("-HUP");
        wait_for(&day, "the registry has been read again");
        let asked = Instant::now();
        assert_eq!(server.stop().code(), Some(0));
        assert!(asked.elapsed() < Duration::from_secs(60));
    }
}

#[test]
fn a_day_that_runs_is_measured_again_beside_it_and_goes_on() {
    let day = tse_small("2024-03-04.csv");
    let bytes = fs::read(&day.file).unwrap();
    let half = bytes.len() / 2;
    let start = |more: &[&str]| {
        let mut server = day.serve_from("day", "-", more, Stdio::piped());
        server.child.stdin.as_mut().unwrap().write_all(&bytes[..half]).unwrap();
        server
    };
    let first = start(&[]);
    wait_for(&day, "writing a journal");
    assert_eq!(first.stop().code(), Some(3));
    let mut again = start(&["--replay"]);
    wait_for(&day, "measuring the day again beside the running one: it was asked for");
    wait_for(&day, "the day measured again has taken over");
    again.child.stdin.take().unwrap().write_all(&bytes[half..]).unwrap();
    assert_eq!(again.wait().code(), Some(day.code));
    day.assert_equal("day");
}

#[test]
fn a_doubt_that_reaches_back_is_applied_beside_the_running_engine() {
    let bench = Bench::new();
    let records = [
        "09:00:00,1306,add,1,,VS1,B,1000,10,,",
        "09:00:00,1306,add,2,,VS1,S,1003,10,,",
        "09:20:00,1306,reduce,1,,,,,1,,",
        "09:10:00,1306,reduce,1,,,,,1,,",
        "09:40:00,1306,clear,,,,,,,,",
    ];
    let day = Day::new(bench.day("day.csv", &records), bench.path("registry"), None);
    let text = fs::read_to_string(&day.file).unwrap();
    let (first, last) = text.split_at(text.trim_end().rfind('\n').unwrap() + 1);
    let mut server = day.serve_from("day", "-", &[], Stdio::piped());
    server.child.stdin.as_mut().unwrap().write_all(first.as_bytes()).unwrap();
    wait_for(&day, "measuring the day again beside the running one: a bad record has put earlier time in doubt");
    wait_for(&day, "the day measured again has taken over");
    server.child.stdin.take().unwrap().write_all(last.as_bytes()).unwrap();
    assert_eq!((server.wait().code(), day.code), (Some(3), 3));
    day.assert_equal("day");
    let db = rusqlite::Connection::open(day.folder.path().join("day.db")).unwrap();
    let unknown = "SELECT unknown_us FROM results WHERE issue = '1306'";
    assert_eq!(db.query_row(unknown, [], |row| row.get::<_, i64>(0)).unwrap(), 1_800_000_000, "09:10 to 09:40");
}

#[test]
fn what_is_served_by_multicast_equals_its_replay() {
    // A network of its own, in which groups reach nobody else.
    let allowed = Command::new("unshare").args(["-rn", "ip", "link", "set", "lo", "up"]).stderr(Stdio::null()).status();
    if !allowed.is_ok_and(|status| status.success()) {
        return skipped("no network namespace may be made here");
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
    skipped(format_args!(
        "{program} has no SoupBinTCP (npm soupbintcp by NODE_PATH, PyPI nasdaq-protocols by QUOTECLOCK_PYTHON)"
    ));
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
