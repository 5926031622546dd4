//! A running day with two market makers and two asset managers, fed by a pipe that stays open, and whoever asks about it.
#![allow(clippy::unwrap_used, reason = "helpers are part of the tests")]

use super::chromium::Chromium;
use super::{Bench, HEADER};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// Who may ask.
pub const ROLES: [(&str, &str); 6] = [
    ("exchange", ""),
    ("market_maker", "MM1"),
    ("market_maker", "MM2"),
    ("asset_manager", "AM1"),
    ("asset_manager", "AM2"),
    ("operator", ""),
];

/// The day so far: MM1 in both issues, once too far apart; MM2 in 1306 alone, and away for a while.
pub const RECORDS: [&str; 9] = [
    "09:00:00,1306,add,1,,VS1,B,10000,10,,",
    "09:00:00,1306,add,2,,VS1,S,10050,10,,",
    "09:00:10,1321,add,3,,VS1,B,10000,10,,",
    "09:05:00,1321,add,4,,VS1,S,10050,10,,",
    "09:10:00,1306,add,5,,VS2,B,9990,10,,",
    "09:10:00,1306,add,6,,VS2,S,10060,10,,",
    "09:20:00,1306,cancel,6,,,,,,,",
    "09:30:00,1306,add,7,,VS2,S,10060,10,,",
    "09:40:00,1306,cancel,1,,,,,,,",
];

/// A registry of two market makers, two asset managers and a condition.
pub fn bench() -> Bench {
    let bench = Bench::new();
    for (name, text) in [
        ("issues.csv", "issue,name,type,tick_table,asset_manager\n1306,Topix,T,yen,AM1\n1321,Nikkei,T,yen,AM2\n"),
        ("market_makers.csv", "market_maker,name\nMM1,First Securities\nMM2,Second Securities\n"),
        ("virtual_servers.csv", "server,market_maker\nVS1,MM1\nVS2,MM2\n"),
        ("signups.csv", "market_maker,issue\nMM1,1306\nMM1,1321\nMM2,1306\n"),
        (
            "sponsored.csv",
            "condition,issue,max_spread_bps,min_value_jpy,coverage_pct,asset_manager\nS1,1306,30,300,90,AM1\n",
        ),
    ] {
        bench.write(&format!("registry/{name}"), text.as_bytes());
    }
    bench
}

/// A running `serve`, and a token of each of [`ROLES`].
pub struct Desk {
    pub bench: Bench,
    pub http: String,
    pub tokens: Vec<String>,
    child: Child,
    input: Option<std::process::ChildStdin>,
    date: String,
    sent: usize,
}

impl Desk {
    /// Starts it on a bench, for a date.
    pub fn start(bench: Bench, date: &str, more: &[&str]) -> Desk {
        Desk::start_with(bench, date, &ROLES, more)
    }

    /// The same with tokens of these roles.
    pub fn start_with(bench: Bench, date: &str, roles: &[(&str, &str)], more: &[&str]) -> Desk {
        let (rows, tokens) = tokens(&bench, roles);
        bench.write("tokens.csv", rows.as_bytes());
        let mut arguments = vec!["serve", "--registry", "registry", "--db", "market.db", "--journal", "journal"];
        arguments.extend(["--feed", "-", "--http", "127.0.0.1:0", "--tokens", "tokens.csv"]);
        arguments.extend(more);
        let log = fs::File::create(bench.path("serve.log")).unwrap();
        let mut command = bench.command(&arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let log = || fs::read_to_string(bench.path("serve.log")).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("not ready: {}", log()));
        let http = ready["http"].as_str().unwrap().to_owned();
        let input = child.stdin.take();
        Desk { bench, http, tokens, child, input, date: date.to_owned(), sent: 0 }
    }

    /// A running day as far as [`RECORDS`] go.
    pub fn running(more: &[&str]) -> Desk {
        let mut desk = Desk::start(bench(), "2024-03-04", more);
        desk.send(&RECORDS);
        desk
    }

    /// The same without a record, for what asks it otherwise.
    pub fn start_quietly(bench: Bench, more: &[&str]) -> Desk {
        Desk::start(bench, "2024-03-04", more)
    }

    /// Sends records.
    pub fn push(&mut self, records: &[&str]) -> String {
        let text = self.text(records);
        self.input.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
        text
    }

    /// Sends text as it stands.
    pub fn feed(&mut self, text: &str) {
        self.input.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// Sends records, and waits until they are measured.
    pub fn send(&mut self, records: &[&str]) {
        let text = self.push(records);
        let last = text.lines().last().unwrap().split(',').nth(1).unwrap().to_owned();
        let clock = &last[..19];
        self.wait(&format!("the state as of {clock}"), |desk| {
            let state = desk.get("/api/v1/state", 0).json();
            state["as_of"].as_str().is_some_and(|as_of| as_of.starts_with(clock))
        });
    }

    /// The text of records that follow those that have been sent.
    fn text(&mut self, records: &[&str]) -> String {
        let mut text = if self.sent == 0 { format!("{HEADER}\n") } else { String::new() };
        for record in records {
            let (clock, rest) = record.split_once(',').unwrap();
            self.sent += 1;
            text.push_str(&format!("{},{}T{clock}+09:00,{rest}\n", self.sent, self.date));
        }
        text
    }

    /// Waits until something holds.
    pub fn wait(&self, what: &str, holds: impl Fn(&Desk) -> bool) {
        let started = Instant::now();
        while !holds(self) {
            let log = || fs::read_to_string(self.bench.path("serve.log")).unwrap();
            assert!(started.elapsed() < Duration::from_secs(60), "waited for {what}: {}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Asks as one of [`ROLES`].
    pub fn get(&self, path: &str, role: usize) -> Answer {
        self.ask("GET", path, Some(&self.tokens[role]), "")
    }

    /// Asks so many times without waiting for an answer, on one connection; gives the statuses.
    pub fn get_at_once(&self, path: &str, role: usize, count: usize) -> Vec<u16> {
        let head =
            format!("GET {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n", self.http, self.tokens[role]);
        let last = format!("{head}Connection: close\r\n\r\n");
        let mut stream = TcpStream::connect(&self.http).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream.write_all((format!("{head}\r\n").repeat(count - 1) + &last).as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text.split("HTTP/1.1 ").skip(1).map(|answer| answer[..3].parse().unwrap()).collect()
    }

    pub fn ask(&self, method: &str, path: &str, token: Option<&str>, body: &str) -> Answer {
        ask(&self.http, method, path, token, body)
    }

    /// Sends a head that lacks its end.
    pub fn send_head(&self, head: &str, body: &str) -> Answer {
        send_head(&self.http, head, body)
    }

    /// Opens an event stream, and gives its events as they come.
    pub fn events(&self, role: usize, after: Option<u64>) -> Events {
        let after = after.map(|after| after.to_string());
        Events::open(&self.http, &self.tokens[role], after.as_deref())
    }

    /// Its log so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.bench.path("serve.log")).unwrap()
    }

    /// Ends the input, and with it the day.
    pub fn end_of_day(&mut self) {
        drop(self.input.take());
    }

    /// What a thread of it has taken of a processor so far, in hundredths of a second; nothing where the system does not tell.
    pub fn processor_time(&self, thread: &str) -> u64 {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.id())).into_iter().flatten().flatten();
        let time = |task: fs::DirEntry| {
            let stat = fs::read_to_string(task.path().join("stat")).ok()?;
            let (name, rest) = stat.split_once('(')?.1.split_once(')')?;
            let ticks = |at: usize| rest.split_whitespace().nth(at)?.parse::<u64>().ok();
            (name == thread).then(|| ticks(11)?.checked_add(ticks(12)?)).flatten()
        };
        tasks.filter_map(time).sum()
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks whoever answers at an address.
pub fn ask(http: &str, method: &str, path: &str, token: Option<&str>, body: &str) -> Answer {
    let token = token.map_or(String::new(), |token| format!("Authorization: Bearer {token}\r\n"));
    send_head(http, &format!("{method} {path} HTTP/1.1\r\nHost: {http}\r\n{token}"), body)
}

fn send_head(http: &str, head: &str, body: &str) -> Answer {
    let mut stream = TcpStream::connect(http).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let head = format!("{head}Connection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    // Who is refused early may find the connection closed.
    let _ = stream.write_all(head.as_bytes());
    let mut text = Vec::new();
    let _ = stream.read_to_end(&mut text);
    Answer::of(&String::from_utf8_lossy(&text))
}

/// An open event stream.
pub struct Events {
    stream: BufReader<TcpStream>,
}

impl Events {
    /// Opens the stream of whoever has a token.
    pub fn open(http: &str, token: &str, after: Option<&str>) -> Events {
        let mut stream = TcpStream::connect(http).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let after = after.map_or(String::new(), |id| format!("Last-Event-ID: {id}\r\n"));
        let head = format!("GET /api/v1/events HTTP/1.1\r\nHost: {http}\r\n{after}");
        stream.write_all(format!("{head}Authorization: Bearer {token}\r\n\r\n").as_bytes()).unwrap();
        let mut events = Events { stream: BufReader::new(stream) };
        assert!(events.line().unwrap().contains(" 200 "));
        while events.line().unwrap().trim() != ": here" {}
        events
    }

    /// The next lines up to an event of a kind: the last id before it, and its data.
    pub fn next_of(&mut self, wanted: &str) -> (String, Value) {
        let (mut id, mut kind) = (String::new(), String::new());
        loop {
            let line = self.line().unwrap_or_else(|| panic!("no {wanted}"));
            let line = line.trim();
            if let Some(text) = line.strip_prefix("id: ") {
                id = text.to_owned();
            } else if let Some(text) = line.strip_prefix("event: ") {
                kind = text.to_owned();
            } else if let Some(text) = line.strip_prefix("data: ")
                && kind == wanted
            {
                return (id, serde_json::from_str(text).unwrap());
            }
        }
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        (self.stream.read_line(&mut line).unwrap() != 0).then_some(line)
    }

    /// The next event: its number, kind and data; `None` at the end of the stream.
    pub fn next(&mut self) -> Option<(u64, String, Value)> {
        let (mut id, mut kind) = (0, String::new());
        loop {
            let line = self.line()?;
            let line = line.trim();
            if line == "0" {
                return None;
            } else if let Some(text) = line.strip_prefix("id: ") {
                id = text.parse().unwrap();
            } else if let Some(text) = line.strip_prefix("event: ") {
                kind = text.to_owned();
            } else if let Some(text) = line.strip_prefix("data: ") {
                return Some((id, kind, serde_json::from_str(text).unwrap()));
            }
        }
    }

    /// The next event that tells a state.
    pub fn next_state(&mut self) -> Option<(u64, Value)> {
        loop {
            match self.next()? {
                (id, kind, data) if kind == "state" => return Some((id, data)),
                _ => {}
            }
        }
    }
}

/// What was answered: the date apart, everything.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    fn of(text: &str) -> Answer {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        let lines = head.lines().filter(|line| !line.to_ascii_lowercase().starts_with("date:"));
        Answer { status, head: lines.collect::<Vec<_>>().join("\n"), body: body.to_owned() }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// The file of tokens with one of each role, and the tokens.
fn tokens(bench: &Bench, roles: &[(&str, &str)]) -> (String, Vec<String>) {
    let expires = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1)).to_string();
    let mut rows = "sha256,role,party,name,expires\n".to_owned();
    let tokens = roles.iter().map(|&(role, party)| {
        let mut arguments = vec!["token", "--role", role, "--name", "Ann Other", "--expires", &expires];
        if !party.is_empty() {
            arguments.extend(["--party", party]);
        }
        let text = String::from_utf8(bench.run(&arguments).stdout).unwrap();
        let (token, row) = text.trim_end().split_once('\n').unwrap();
        rows.push_str(&format!("{row}\n"));
        token.to_owned()
    });
    let tokens = tokens.collect();
    (rows, tokens)
}

/// A message of an alert: its delivery, its signature, its body.
pub type Delivered = (String, String, Value);

/// Takes messages of alerts: refuses the first few, and keeps the others with their signature.
pub fn receiver(refused: usize) -> (String, std::sync::mpsc::Receiver<Delivered>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/hook", listener.local_addr().unwrap());
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut count = 0;
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let (mut length, mut signature, mut delivery) = (0, String::new(), String::new());
            loop {
                let mut line = String::new();
                if stream.read_line(&mut line).unwrap() == 0 || line.trim().is_empty() {
                    break;
                }
                let (name, value) = line.trim().split_once(':').unwrap_or((&line, ""));
                match name.to_ascii_lowercase().as_str() {
                    "content-length" => length = value.trim().parse().unwrap(),
                    "x-quoteclock-signature-256" => signature = value.trim().to_owned(),
                    "x-quoteclock-delivery" => delivery = value.trim().to_owned(),
                    _ => {}
                }
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            count += 1;
            let status = if count <= refused { "503 Not Now" } else { "204 No Content" };
            let _ = stream
                .get_mut()
                .write_all(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").as_bytes());
            if refused < count {
                assert_eq!(signature, hmac(b"0123456789abcdef", &body));
                if sender.send((delivery, signature, serde_json::from_slice(&body).unwrap())).is_err() {
                    return;
                }
            }
        }
    });
    (address, receiver)
}

/// HMAC-SHA-256 by its definition.
fn hmac(key: &[u8], message: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    let pad = |byte: u8| -> Vec<u8> { (0..64).map(|at| key.get(at).copied().unwrap_or(0) ^ byte).collect() };
    let inner = Sha256::digest([&pad(0x36), message].concat());
    let outer = Sha256::digest([&pad(0x5c)[..], &inner].concat());
    "sha256=".to_owned() + &outer.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
}

/// Enters a role's token on the page by typing it.
pub fn enter(browser: &mut Chromium, desk: &Desk, role: usize) {
    browser.go(&format!("http://{}/", desk.http));
    browser.evaluate("document.getElementById('token').focus()");
    browser.type_text(&desk.tokens[role]);
    browser.press("Enter");
    browser.wait("document.querySelectorAll('#grid td[data-key]').length > 0");
}
