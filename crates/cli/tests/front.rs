//! Processes with a shard of the market each, shown as one by a front: what it says is what one process for the whole market says
//! to the same caller, and what of it is away is said.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod support;

use serde_json::Value;
use std::fs;
use std::time::{Duration, Instant};
use support::desk::{Answer, Desk, Events, RECORDS, ROLES, ask, bench};
use support::live::Running;
use tempfile::TempDir;

/// One process for the whole market, two that have a shard each, and the front of those; all know the same tokens.
struct Market {
    whole: Desk,
    shards: Vec<Desk>,
    _folder: TempDir,
    front: Running,
}

impl Market {
    fn start() -> Market {
        let mut whole = Desk::running(&[]);
        let tokens = fs::read(whole.bench.path("tokens.csv")).unwrap();
        let mut shards: Vec<Desk> =
            ["0/2", "1/2"].map(|shard| Desk::start_quietly(bench(), &["--shard", shard])).into();
        for shard in &mut shards {
            fs::write(shard.bench.path("tokens.csv"), &tokens).unwrap();
            assert_eq!(shard.ask("POST", "/api/v1/registry/reload", Some(&shard.tokens[0]), "").status, 200);
            shard.tokens.clone_from(&whole.tokens);
            shard.send(&RECORDS);
        }
        whole.tokens.truncate(ROLES.len());
        let folder = tempfile::tempdir().unwrap();
        let urls: Vec<String> = shards.iter().map(|shard| format!("http://{}", shard.http)).collect();
        let arguments = ["serve", "--join", &urls[0], "--join", &urls[1], "--http", "127.0.0.1:0"];
        let front = Running::start(folder.path(), &arguments);
        Market { whole, shards, _folder: folder, front }
    }

    fn ask(&self, method: &str, path: &str, token: Option<&str>, body: &str) -> Answer {
        ask(&self.front.address("http"), method, path, token, body)
    }

    fn get(&self, path: &str, role: usize) -> Answer {
        self.ask("GET", path, Some(&self.whole.tokens[role]), "")
    }
}

/// Without what depends on the clock on the wall, and where the feed stands.
fn timeless(answer: &Answer) -> Value {
    let mut value = answer.json();
    let fields = value.as_object_mut().unwrap();
    ["now", "feed", "shards"].iter().for_each(|name| drop(fields.remove(*name)));
    value
}

/// The head of an answer without the length of its body, which is right: what depends on the clock may be longer by a word.
fn unmeasured(answer: &Answer) -> String {
    let length = format!("\ncontent-length: {}", answer.body.len());
    assert!(answer.head.contains(&length), "{answer:?}");
    answer.head.replace(&length, "")
}

#[test]
fn a_front_says_to_everybody_what_one_process_for_the_market_says() {
    let market = Market::start();
    for (role, (name, party)) in ROLES.into_iter().enumerate() {
        let whole = market.whole.get("/api/v1/state", role);
        let joined = market.get("/api/v1/state", role);
        assert_eq!(joined.status, whole.status, "{name} {party}");
        if role == 5 {
            assert_eq!(joined, whole, "an operator sees nothing of the market");
            continue;
        }
        assert_eq!(timeless(&joined), timeless(&whole), "{name} {party}");
        let state = joined.json();
        let shards: Vec<&str> =
            state["shards"].as_array().unwrap().iter().map(|one| one["state"].as_str().unwrap()).collect();
        assert_eq!(shards, ["ok", "ok"]);
        assert_eq!(state.get("feed").is_some(), role == 0, "only the exchange sees where feeds stand");
        assert_eq!(state["shards"][0].get("feed").is_some(), role == 0);
        for file in ["daily.csv", "breaches.csv"] {
            let path = format!("/api/v1/days/2024-03-04/{file}");
            assert_eq!(market.get(&path, role), market.whole.get(&path, role), "{path} for {name} {party}");
        }
        for (issue, maker) in [("1306", "MM1"), ("1321", "MM1"), ("1306", "MM2"), ("1321", "MM2"), ("9999", "MM1")] {
            let path = format!("/api/v1/issues/{issue}/market-makers/{maker}");
            let (joined, whole) = (market.get(&path, role), market.whole.get(&path, role));
            if whole.status == 200 {
                assert_eq!(unmeasured(&joined), unmeasured(&whole), "{path} for {name} {party}");
                assert_eq!(timeless(&joined), timeless(&whole), "{path} for {name} {party}");
            } else {
                assert_eq!(joined, whole, "{path} for {name} {party}");
            }
        }
    }
    // A market maker sees its own, and no other's name anywhere.
    let own = market.get("/api/v1/state", 2).body;
    assert!(own.contains("\"MM2\"") && !own.contains("\"MM1\""), "{own}");
    for path in [
        "/api/v1/state",
        "/api/v1/days/2024-03-04/daily.csv",
        "/api/v1/events",
        "/api/v1/acknowledgements",
        "/api/v1/none",
    ] {
        for token in [None, Some("")] {
            assert_eq!(market.ask("GET", path, token, ""), market.whole.ask("GET", path, token, ""), "{path}");
        }
    }
    let unknown = market.ask("GET", "/api/v1/state", Some("qc_wrong"), "");
    assert_eq!(unknown, market.whole.ask("GET", "/api/v1/state", Some("qc_wrong"), ""));
    assert_eq!(market.get("/api/v1/days/2024-03-01/daily.csv", 0).status, 404);
    for path in ["/", "/page.js", "/page.css", "/healthz", "/readyz", "/api/v1/openapi.json"] {
        assert_eq!(market.ask("GET", path, None, ""), market.whole.ask("GET", path, None, ""), "{path}");
    }
}

#[test]
fn what_is_said_to_a_front_reaches_whom_it_is_for() {
    let market = Market::start();
    let remark = |role: usize, issue: &str, maker: &str| {
        let body = format!(
            "{{\"issue\":\"{issue}\",\"market_maker\":\"{maker}\",\"obligation\":\"general\",\"remark\":\"seen\"}}"
        );
        market.ask("POST", "/api/v1/acknowledgements", Some(&market.whole.tokens[role]), &body).status
    };
    assert_eq!([remark(1, "1321", "MM1"), remark(0, "1306", "MM2"), remark(2, "1306", "MM1")], [201, 201, 404]);
    let seen = |role: usize| {
        let all = market.get("/api/v1/acknowledgements", role).json();
        let issue = |one: &Value| one["issue"].as_str().unwrap().to_owned();
        all["acknowledgements"].as_array().unwrap().iter().map(issue).collect::<Vec<String>>()
    };
    assert_eq!(seen(0).len(), 2);
    assert_eq!((seen(1), seen(2)), (vec!["1321".to_owned()], vec!["1306".to_owned()]));
    // The exchange declares a Fast Market in every shard; nobody else does in any.
    let declare =
        |role: usize| market.ask("POST", "/api/v1/fast-market", Some(&market.whole.tokens[role]), "{\"multiplier\":2}");
    assert_eq!(declare(1).status, 404);
    assert_eq!(declare(0).status, 200);
    for shard in &market.shards {
        // What is shown is looked at a few times a second.
        shard.wait("the Fast Market", |shard| shard.get("/api/v1/state", 0).json()["fast_market"]["multiplier"] == 2);
    }
    assert_eq!(market.get("/api/v1/state", 0).json()["fast_market"]["multiplier"], 2);
    // A page of somebody else's makes no browser do that.
    let http = market.front.address("http");
    let token = &market.whole.tokens[0];
    let head = format!(
        "POST /api/v1/fast-market HTTP/1.1\r\nHost: {http}\r\nOrigin: http://evil.example\r\nAuthorization: Bearer {token}\r\n"
    );
    assert_eq!(market.whole.send_head(&head.replace(&http, &market.whole.http), "{\"multiplier\":1}").status, 404);
    let mut foreign = std::net::TcpStream::connect(&http).unwrap();
    let body = "{\"multiplier\":1}";
    let text = format!("{head}Connection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    std::io::Write::write_all(&mut foreign, text.as_bytes()).unwrap();
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut foreign, &mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
}

#[test]
fn a_shard_that_is_away_is_said_and_one_that_is_there_again_too() {
    let mut market = Market::start();
    let http = market.front.address("http");
    let mut events = Events::open(&http, &market.whole.tokens[0], None);
    market.shards[1].push(&["09:50:00,1321,cancel,3,,,,,,,"]);
    let (id, told) = events.next_of("state");
    assert_eq!((told["issue"].as_str(), told["state"].as_str()), (Some("1321"), Some("breach")));
    assert!(id.starts_with("-.") || id.contains('.'), "{id} has both shards' numbers");
    let gone = market.shards.remove(1);
    drop(gone);
    let (_, told) = events.next_of("shard");
    assert_eq!((told["shard"].as_u64(), told["state"].as_str()), (Some(1), Some("away")));
    for role in 0..5 {
        let state = market.get("/api/v1/state", role).json();
        assert_eq!(state["shards"][1]["state"], "away");
        assert_eq!(state["now"]["feed"], "silent");
        let issues: Vec<&str> =
            state["obligations"].as_array().unwrap().iter().map(|one| one["issue"].as_str().unwrap()).collect();
        assert!(issues.iter().all(|issue| *issue == "1306"), "{issues:?}");
    }
    // A file has no place to say it, and what is not found may be in the shard that is away.
    let away = market.get("/api/v1/days/2024-03-04/daily.csv", 0);
    assert_eq!((away.status, away.body.trim()), (503, "{\"error\":\"a shard is away\"}"));
    assert_eq!(market.get("/api/v1/issues/1306/market-makers/MM1", 0).status, 200);
    for issue in ["1321", "9999"] {
        assert_eq!(market.get(&format!("/api/v1/issues/{issue}/market-makers/MM1"), 0), away);
    }
    assert_eq!(market.ask("GET", "/readyz", None, "").status, 503);
    let declared = market.ask("POST", "/api/v1/fast-market", Some(&market.whole.tokens[0]), "{\"multiplier\":2}");
    let said = declared.json();
    assert_eq!(
        (declared.status, &said["shards"][0]["status"], &said["shards"][1]["status"]),
        (502, &200.into(), &Value::Null)
    );
    drop(market.shards.pop());
    let started = Instant::now();
    while market.get("/api/v1/state", 0).status != 503 {
        assert!(started.elapsed() < Duration::from_secs(60), "the front does not say that all are away");
    }
}

#[test]
fn a_front_that_makes_no_sense_is_refused_before_anything_is_bound() {
    let bench = bench();
    for (arguments, expected) in [
        (&["--join", "ftp://127.0.0.1:1", "--http", "127.0.0.1:0"][..], "expected http://HOST:PORT"),
        (&["--join", "http://127.0.0.1:1/x", "--http", "127.0.0.1:0"], "expected http://HOST:PORT"),
        (&["--join", "http://192.0.2.1:1", "--http", "127.0.0.1:0"], "in the clear"),
        (&["--join", "http://127.0.0.1:1", "--http", "0.0.0.0:0"], "beyond loopback without TLS"),
        (&["--join", "http://127.0.0.1:1", "--join", "http://127.0.0.1:1", "--http", "127.0.0.1:0"], "twice"),
        (&["--join", "http://127.0.0.1:1"], "--http"),
        (&["--join", "http://127.0.0.1:1", "--http", "127.0.0.1:0", "--db", "x.db"], "cannot be used with"),
    ] {
        let output = bench.run(&[&["serve"], arguments].concat());
        let text = support::stderr(&output);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{arguments:?}: {text}");
        assert!(text.contains(expected), "{arguments:?}: {text}");
    }
}
