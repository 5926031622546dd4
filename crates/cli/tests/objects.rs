//! Inputs, registries and outputs that are objects, against real servers on this machine: S3 (PyPI `moto`), and Python's own web
//! server; behind a line that breaks, and killed in the middle. Skipped, saying so, where Python or `moto` is not there.
#![cfg(all(feature = "objects", feature = "parquet", unix))]
#![allow(clippy::unwrap_used, reason = "helpers are part of the tests")]

mod support;

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use support::{Bench, day_text, stderr, stdout};

fn python() -> String {
    std::env::var("QUOTECLOCK_PYTHON").unwrap_or_else(|_| "python3".to_owned())
}

/// A server that is ended with its test.
struct Server {
    child: Child,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn skipped(why: &str) {
    let _ = std::io::stderr().write_fmt(format_args!("skipped: {why}\n"));
}

/// Starts a server that `arguments` tell, which take a port; `None`, having said so, where it is not there.
fn serve(arguments: &[&str], bench: &Bench, what: &str) -> Option<Server> {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let arguments = arguments.iter().map(|argument| argument.replace("PORT", &port.to_string()));
    let mut command = Command::new(python());
    command.current_dir(bench.path(".")).args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
    let Ok(child) = command.spawn() else {
        skipped("Python is not there");
        return None;
    };
    let mut server = Server { child, port };
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(60) {
        if server.child.try_wait().unwrap().is_some() {
            break;
        }
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Some(server);
        }
        thread::sleep(Duration::from_millis(50));
    }
    skipped(&format!("{what} is not there"));
    None
}

fn s3(bench: &Bench) -> Option<Server> {
    serve(&["-m", "moto.server", "-H", "127.0.0.1", "-p", "PORT"], bench, "PyPI moto")
}

/// Runs Python with an S3 client of Amazon's own.
fn boto(bench: &Bench, port: u16, script: &str) -> String {
    let head = format!(
        "import boto3, os\ns3 = boto3.client('s3', endpoint_url='http://127.0.0.1:{port}', region_name='us-east-1', \
         aws_access_key_id='key', aws_secret_access_key='secret')\n"
    );
    let output = Command::new(python()).current_dir(bench.path(".")).args(["-c", &(head + script)]).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    stdout(&output)
}

/// The program with what the environment says of the store.
fn command(bench: &Bench, port: u16, arguments: &[&str]) -> Command {
    let mut command = bench.command(arguments);
    command.envs([
        ("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}").as_str()),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    ]);
    command
}

fn run(bench: &Bench, port: u16, arguments: &[&str]) -> Output {
    command(bench, port, arguments).output().unwrap()
}

fn done(output: &Output) {
    assert_eq!(output.status.code(), Some(0), "{}", stderr(output));
}

/// A day with so many breaches.
fn long_day(breaches: usize) -> String {
    let clock = |number: usize| {
        let micros = number * 2_000 + 1_000_000;
        format!("09:{:02}:{:02}.{:06}", micros / 60_000_000, micros / 1_000_000 % 60, micros % 1_000_000)
    };
    let mut records = vec![
        "09:00:00,1306,add,1,,VS1,B,1000,10,,".to_owned(),
        "09:00:00,1306,add,2,,VS1,S,1003,10,,".to_owned(),
        "09:00:00,1321,add,1,,VS1,S,1003,10,,".to_owned(),
    ];
    for number in 0..breaches {
        records.push(format!("{},1306,cancel,2,,,,,,,", clock(2 * number)));
        records.push(format!("{},1306,add,2,,VS1,S,1003,10,,", clock(2 * number + 1)));
    }
    day_text("2024-03-01", &records.iter().map(String::as_str).collect::<Vec<_>>())
}

/// A line to a port: each connection takes its share of `budget` bytes of what comes back, and breaks when there is none; with
/// `slow`, what is sent goes at that many bytes a second.
fn line(to: u16, of_each: Option<u64>, slow: Option<u64>) -> (u16, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let sent = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&sent);
    thread::spawn(move || {
        for client in listener.incoming() {
            let (Ok(client), Ok(server)) = (client, TcpStream::connect(("127.0.0.1", to))) else { return };
            let (from_client, to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            let count = Arc::clone(&count);
            thread::spawn(move || forward(from_client, to_server, u64::MAX, slow, Some(&count)));
            thread::spawn(move || forward(server, client, of_each.unwrap_or(u64::MAX), None, None));
        }
    });
    (port, sent)
}

fn forward(mut from: TcpStream, mut to: TcpStream, limit: u64, slow: Option<u64>, count: Option<&AtomicU64>) {
    let mut buffer = [0; 1 << 13];
    let mut passed = 0;
    while let Ok(length) = from.read(&mut buffer) {
        if length == 0 || limit <= passed || to.write_all(&buffer[..length]).is_err() {
            break;
        }
        passed += length as u64;
        if let Some(count) = count {
            count.fetch_add(length as u64, Ordering::Relaxed);
        }
        if let Some(slow) = slow {
            thread::sleep(Duration::from_micros(length as u64 * 1_000_000 / slow));
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

/// A bench with a long day, and a bucket with the day and the registry.
fn market(breaches: usize) -> Option<(Bench, Server)> {
    let bench = Bench::new();
    bench.write("2024-03-01.csv", long_day(breaches).as_bytes());
    let server = s3(&bench)?;
    let script = "s3.create_bucket(Bucket='market')\n\
        s3.upload_file('2024-03-01.csv', 'market', '2024-03-01.csv')\n\
        for name in os.listdir('registry'): s3.upload_file('registry/' + name, 'market', 'registry/' + name)\n";
    boto(&bench, server.port, script);
    Some((bench, server))
}

/// Every object below a prefix, as a file below a folder.
fn download(bench: &Bench, port: u16, prefix: &str, folder: &str) -> Vec<String> {
    let script = format!(
        "found = s3.list_objects_v2(Bucket='market', Prefix='{prefix}/').get('Contents', [])\n\
         for it in found:\n    name = '{folder}' + it['Key'][len('{prefix}'):]\n    \
         os.makedirs(os.path.dirname(name), exist_ok=True)\n    s3.download_file('market', it['Key'], name)\n    print(name)\n"
    );
    boto(bench, port, &script).lines().map(str::to_owned).collect()
}

#[test]
fn a_day_is_measured_from_a_store_and_into_it() {
    let Some((bench, server)) = market(200) else { return };
    let port = server.port;
    done(&bench.run(&["replay", "--registry", "registry", "--out", "out", "--db", "whole.db", "2024-03-01.csv"]));
    let remote = ["replay", "--registry", "s3://market/registry", "s3://market/2024-03-01.csv"];
    let output = run(
        &bench,
        port,
        &[&remote[..], &["--out", "s3://market/out", "--parquet-dataset", "s3://market/measured"]].concat(),
    );
    done(&output);
    assert!(stdout(&output).contains("written to s3://market/out: daily.csv"), "{}", stdout(&output));
    assert_eq!(download(&bench, port, "out", "got").len(), 3);
    for name in ["daily.csv", "breaches.csv", "outages.csv"] {
        assert_eq!(bench.read(&format!("got/{name}")), bench.read(&format!("out/{name}")), "{name}");
    }
    assert_eq!(download(&bench, port, "measured", "dataset").len(), 5);
    let report = |from: &[&str]| {
        stdout(&bench.run(&[&["report", "--registry", "registry", "--month", "2024-03"], from].concat()))
    };
    assert_eq!(report(&["--from-dataset", "dataset"]), report(&["--db", "whole.db"]));
    // Shards on machines that share nothing but the store.
    for shard in ["0/2", "1/2"] {
        let part = format!("s3://market/parts/{}.db", &shard[..1]);
        done(&run(&bench, port, &[&remote[..], &["--shard", shard, "--db", &part]].concat()));
    }
    let parts = ["s3://market/parts/0.db", "s3://market/parts/1.db"];
    done(&run(&bench, port, &[&["merge", "--db", "merged.db"], &parts[..]].concat()));
    assert_eq!(report(&["--db", "merged.db"]), report(&["--db", "whole.db"]));
    let output = run(&bench, port, &["merge", "--db", "gap.db", parts[1]]);
    assert!(stderr(&output).contains("no part of shard 0/2"), "{}", stderr(&output));
    // What is not there, and what is none.
    let output = run(&bench, port, &["replay", "--registry", "registry", "s3://market/absent.csv"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("s3://market/absent.csv: cannot be read"), "{}", stderr(&output));
    let output = run(&bench, port, &[&remote[..], &["--db", "s3://market/days.db"]].concat());
    assert_eq!(output.status.code(), Some(2), "a database is a file");
    let output =
        run(&bench, port, &["replay", "--registry", "registry", "--out", "s3://market", "s3://market/daily.csv"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("is to be read and to be written"), "{}", stderr(&output));
}

#[test]
fn a_line_that_breaks_changes_nothing() {
    let Some((bench, server)) = market(12_000) else { return };
    let size = fs::metadata(bench.path("2024-03-01.csv")).unwrap().len();
    done(&bench.run(&["replay", "--registry", "registry", "--out", "out", "2024-03-01.csv"]));
    let (port, _) = line(server.port, Some(300_000), None);
    assert!(4 * 300_000 < size, "{size}: it breaks several times");
    let remote = ["replay", "--registry", "registry", "--out", "got", "s3://market/2024-03-01.csv"];
    done(&run(&bench, port, &remote));
    // Python's web server cannot begin in the middle: what was read is passed over.
    let Some(web) = serve(&["-m", "http.server", "--bind", "127.0.0.1", "PORT"], &bench, "Python's web server") else {
        return;
    };
    let url = format!("http://127.0.0.1:{}/2024-03-01.csv", web.port);
    done(&bench.run(&["replay", "--registry", "registry", "--out", "web", &url]));
    for name in ["daily.csv", "breaches.csv"] {
        assert_eq!(bench.read(&format!("got/{name}")), bench.read(&format!("out/{name}")), "{name}");
        assert_eq!(bench.read(&format!("web/{name}")), bench.read(&format!("out/{name}")), "{name}");
    }
    let output = bench.run(&["replay", "--registry", "registry", "http://example.com/2024-03-01.csv"]);
    assert_eq!(output.status.code(), Some(2), "not over a network in the clear");
}

#[test]
fn an_upload_killed_in_the_middle_leaves_what_was_there() {
    let Some((bench, server)) = market(100_000) else { return };
    let arguments = ["replay", "--registry", "registry", "--out", "s3://market/out", "2024-03-01.csv"];
    let (port, sent) = line(server.port, None, Some(2_000_000));
    let there = |text: &str| {
        boto(
            &bench,
            server.port,
            &format!(
                "print([it['Size'] for it in s3.list_objects_v2(Bucket='market', Prefix='out/{text}').get('Contents', [])])"
            ),
        )
    };
    let mut child = command(&bench, port, &arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let started = Instant::now();
    while sent.load(Ordering::Relaxed) < 3_000_000 && started.elapsed() < Duration::from_secs(120) {
        thread::sleep(Duration::from_millis(10));
        assert!(child.try_wait().unwrap().is_none(), "it has ended before it was killed");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(there("breaches.csv").trim(), "[]", "half of it is nobody's");
    done(&run(&bench, server.port, &arguments));
    done(&bench.run(&["replay", "--registry", "registry", "--out", "out", "2024-03-01.csv"]));
    let size = fs::metadata(bench.path("out/breaches.csv")).unwrap().len();
    assert!(8 << 20 < size, "{size}: it goes in parts");
    assert_eq!(there("breaches.csv").trim(), format!("[{size}]"));
    download(&bench, server.port, "out", "got");
    assert!(fs::read(bench.path("got/breaches.csv")).unwrap() == fs::read(bench.path("out/breaches.csv")).unwrap());
}
