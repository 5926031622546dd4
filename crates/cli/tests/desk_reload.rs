//! What a running desk reads again on HUP: a bad file is refused, and all of the old stays.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod support;

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use support::desk::{Desk, RECORDS, bench, receiver};
use support::{Bench, skipped};

const REFUSED: &str = "the registry is not taken, the old one stays";
const TAKEN: &str = "the registry has been read again";

/// Sends HUP, and waits until the log says something so many times.
fn hang_up(desk: &Desk, what: &str, times: usize) {
    assert!(Command::new("kill").args(["-HUP", &desk.id().to_string()]).status().unwrap().success());
    desk.wait(what, |desk| desk.log().matches(what).count() == times);
}

/// A certificate for a name, and its key; says that the test is skipped where no `openssl` makes one.
fn certificate(bench: &Bench, host: &str, certificate: &str, key: &str) -> bool {
    let (subject, name) = (format!("/CN={host}"), format!("subjectAltName=DNS:{host}"));
    let mut command = Command::new("openssl");
    command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]);
    command.args(["-subj", &subject, "-addext", &name]);
    command.arg("-keyout").arg(bench.path(key)).arg("-out").arg(bench.path(certificate));
    let is_made = command.stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    if !is_made {
        skipped("no openssl to make a certificate with");
    }
    is_made
}

/// Asks over TLS, and trusts nothing but the certificate of a file, for the name `server`: status and body.
fn ask(desk: &Desk, (trusted, server): (&str, &str), host: &str, line: &str) -> (String, String) {
    let mut command = Command::new("openssl");
    command.args(["s_client", "-quiet", "-verify_return_error", "-verify_hostname", server, "-servername", server]);
    command.arg("-CAfile").arg(desk.bench.path(trusted)).args(["-connect", &desk.http]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let head = format!("{line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: 0\r\n");
    // One that does not trust what it is shown may have gone.
    let _ = child
        .stdin
        .take()
        .unwrap()
        .write_all(format!("{head}Authorization: Bearer {}\r\n\r\n", desk.tokens[0]).as_bytes());
    let mut text = String::new();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    let _ = child.wait();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    (head.split(' ').nth(1).unwrap_or("none").to_owned(), body.to_owned())
}

#[test]
fn over_tls_only_names_of_the_certificate_are_ours_and_another_takes_its_place() {
    let bench = bench();
    if !certificate(&bench, "desk.example", "cert.pem", "key.pem") {
        return;
    }
    bench.write("other.pem", b"no certificate\n");
    let serve =
        ["serve", "--registry", "registry", "--db", "x.db", "--journal", "x", "--feed", "-", "--http", "0.0.0.0:0"];
    for (certificate, key, code) in
        [("absent", "key.pem", 2), ("other.pem", "key.pem", 1), ("cert.pem", "other.pem", 1)]
    {
        let output = bench.run(&[&serve[..], &["--tls-cert", certificate, "--tls-key", key]].concat());
        assert_eq!((output.status.code(), output.stdout.len()), (Some(code), 0), "{certificate} {key}");
    }
    let desk = Desk::start_quietly(bench, &["--tls-cert", "cert.pem", "--tls-key", "key.pem"]);
    std::fs::copy(desk.bench.path("cert.pem"), desk.bench.path("first.pem")).unwrap();
    let first = ("first.pem", "desk.example");
    assert_eq!(
        ask(&desk, first, "desk.example", "GET /healthz"),
        ("200".to_owned(), "{\"status\":\"ok\"}\n".to_owned())
    );
    assert_eq!(ask(&desk, first, "desk.example", "GET /api/v1/state").0, "200");
    assert_eq!(ask(&desk, first, "desk.example", "POST /api/v1/registry/reload").0, "200");
    assert_eq!(ask(&desk, first, "evil.example", "POST /api/v1/registry/reload").0, "404");
    // Without TLS nothing is said.
    assert_eq!(desk.ask("GET", "/healthz", None, "").status, 0);
    // A key that is none, or not the certificate's, is refused with what is wrong, and the old pair stays.
    let key = desk.bench.read("key.pem");
    desk.bench.write("key.pem", b"no key\n");
    hang_up(&desk, REFUSED, 1);
    assert!(desk.log().contains("key.pem: expected a private key as PEM"), "{}", desk.log());
    desk.bench.write("key.pem", key.as_bytes());
    assert!(certificate(&desk.bench, "new.example", "new.pem", "new.key"));
    let second = ("new.pem", "new.example");
    desk.bench.write("cert.pem", desk.bench.read("new.pem").as_bytes());
    hang_up(&desk, REFUSED, 2);
    assert!(desk.log().contains("expected a certificate and its key"), "{}", desk.log());
    assert_eq!(ask(&desk, first, "desk.example", "GET /healthz").0, "200");
    // A whole pair takes its place, and its names are ours then.
    desk.bench.write("key.pem", desk.bench.read("new.key").as_bytes());
    hang_up(&desk, TAKEN, 2);
    assert_eq!(ask(&desk, second, "new.example", "GET /healthz").0, "200");
    assert_eq!(ask(&desk, first, "desk.example", "GET /healthz").0, "none");
    assert_eq!(ask(&desk, second, "new.example", "POST /api/v1/registry/reload").0, "200");
    assert_eq!(ask(&desk, second, "desk.example", "POST /api/v1/registry/reload").0, "404");
}

#[test]
fn alerts_read_again_end_what_no_rule_is_left_of_and_begin_by_the_new_ones() {
    let bench = bench();
    let ((one, of_one), (other, of_other)) = (receiver(0), receiver(0));
    let rule = |name: &str, url: &str, more: &str| {
        format!("[[rule]]\nname = \"{name}\"\nurl = \"{url}\"\nsecret = \"0123456789abcdef\"\n{more}\n")
    };
    let (mine, all) = ("party = \"MM1\"\nbreach_for_s = 60", "breach_for_s = 60");
    let kept = rule("kept", &other, "party = \"MM2\"\nbreach_for_s = 60");
    bench.write("alerts.toml", (rule("first", &one, mine) + &kept).as_bytes());
    let mut desk = Desk::start(bench, "2024-03-04", &["--alerts", "alerts.toml", "--alert-log", "alerts.log"]);
    desk.send(&RECORDS[..3]);
    desk.send(&["09:02:00,1306,phase,,,,,,,,continuous"]);
    let next = |of: &std::sync::mpsc::Receiver<support::desk::Delivered>| {
        let message = of.recv_timeout(std::time::Duration::from_secs(30)).unwrap().2;
        ["event", "rule", "market_maker", "issue", "obligation"].map(|name| message[name].as_str().unwrap().to_owned())
    };
    let begun: Vec<_> = (0..2).map(|_| next(&of_one)).collect();
    assert_eq!(begun[0], ["begin", "first", "MM1", "1306", "sponsored:S1"]);
    assert_eq!(begun[1], ["begin", "first", "MM1", "1321", "general"]);
    let told: Vec<_> = (0..2).map(|_| next(&of_other)).collect();
    assert!(told.iter().all(|message| message[..3] == ["begin", "kept", "MM2"]), "{told:?}");
    // What cannot be is refused with where it is wrong, and nothing that stands there.
    desk.bench.write("alerts.toml", (rule("first", &one, "party = \"MM1\"\nbreech_for_s = 60") + &kept).as_bytes());
    hang_up(&desk, REFUSED, 1);
    let log = desk.log();
    assert!(log.contains("alerts.toml: line 6: unknown field `breech_for_s`") && !log.contains("MM1"), "{log}");
    assert!(!log.contains("hook"), "{log}");
    // A rule that is gone ends what it has begun; one that is there as before begins nothing again; a new one begins.
    desk.bench.write("alerts.toml", (kept + &rule("second", &one, all)).as_bytes());
    hang_up(&desk, TAKEN, 1);
    let mut after: Vec<_> = (0..6).map(|_| next(&of_one)).collect();
    after.sort();
    let begins = |market_maker: &str, issue: &str, obligation: &str| {
        ["begin", "second", market_maker, issue, obligation].map(str::to_owned)
    };
    let ends = |issue: &str, obligation: &str| ["end", "first", "MM1", issue, obligation].map(str::to_owned);
    let expected = [
        begins("MM1", "1306", "sponsored:S1"),
        begins("MM1", "1321", "general"),
        begins("MM2", "1306", "general"),
        begins("MM2", "1306", "sponsored:S1"),
        ends("1306", "sponsored:S1"),
        ends("1321", "general"),
    ];
    assert_eq!(after, expected);
    // What stood of the rule that was kept ends once.
    desk.end_of_day();
    let ended: Vec<_> = (0..2).map(|_| next(&of_other)).collect();
    assert!(ended.iter().all(|message| message[..3] == ["end", "kept", "MM2"]), "{ended:?}");
    assert!(of_other.recv_timeout(std::time::Duration::from_millis(300)).is_err());
}

#[test]
fn what_is_wrong_with_a_registry_is_told_by_its_place_alone() {
    let mut desk = Desk::running(&[]);
    let good = desk.bench.read("registry/signups.csv");
    desk.bench.write("registry/signups.csv", format!("{good}MM1,QQQQ\nMM7,1306\n").as_bytes());
    hang_up(&desk, REFUSED, 1);
    let log = desk.log();
    for place in ["signups.csv: line 5, column issue", "signups.csv: line 6, column market_maker"] {
        assert!(log.contains(place), "{place} in {log}");
    }
    for name in ["MM7", "QQQQ", "MM1"] {
        assert!(!log.contains(name), "{name} in {log}");
    }
    let answer = desk.ask("POST", "/api/v1/registry/reload", Some(&desk.tokens[0]), "");
    assert_eq!(answer.status, 422);
    // The old one stays.
    desk.send(&["09:41:00,1321,cancel,3,,,,,,,"]);
    assert_eq!(desk.get("/api/v1/state", 0).json()["obligations"].as_array().unwrap().len(), 5);
}
