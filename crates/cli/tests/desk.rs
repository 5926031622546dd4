//! Who sees what of a running day, and that what is seen is what files and other commands say.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod support;

use serde_json::Value;
use std::collections::BTreeSet;
use support::desk::{Desk, RECORDS, ROLES, bench};

/// The obligations of an answer, as `MARKET_MAKER ISSUE OBLIGATION`.
fn obligations(answer: &Value) -> BTreeSet<String> {
    let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    let rows = answer["obligations"].as_array().unwrap().iter();
    rows.map(|row| ["market_maker", "issue", "obligation"].map(|name| text(row, name)).join(" ")).collect()
}

#[test]
fn everyone_sees_their_own_and_what_they_may_not_see_is_as_what_is_not_there() {
    let desk = Desk::running(&[]);
    let (mine, my_condition, other, second) =
        ("MM1 1306 general", "MM1 1306 sponsored:S1", "MM1 1321 general", "MM2 1306 general");
    let second_condition = "MM2 1306 sponsored:S1";
    let expected: [&[&str]; 5] = [
        &[mine, my_condition, other, second, second_condition],
        &[mine, my_condition, other],
        &[second, second_condition],
        &[mine, my_condition, second, second_condition],
        &[other],
    ];
    let not_there = desk.get("/api/v1/nowhere", 0);
    assert_eq!((not_there.status, not_there.body.as_str()), (404, "{\"error\":\"not found\"}\n"));
    let refused = desk.ask("GET", "/api/v1/state", None, "");
    assert_eq!((refused.status, refused.body.as_str()), (401, "{\"error\":\"a valid token is required\"}\n"));
    let lines = |role: usize| -> BTreeSet<String> {
        let csv = desk.get("/api/v1/days/2024-03-04/daily.csv", role).body;
        let keys = csv.lines().skip(1).map(|line| line.split(',').skip(1).take(3).collect::<Vec<_>>().join(" "));
        keys.collect()
    };
    for (role, expected) in expected.iter().enumerate() {
        let expected: BTreeSet<String> = expected.iter().map(|&text| text.to_owned()).collect();
        let state = desk.get("/api/v1/state", role).json();
        assert_eq!(obligations(&state), expected, "{:?}", ROLES[role]);
        assert_eq!(lines(role), expected, "{:?}", ROLES[role]);
        // Where the feed stands is for the exchange alone; the others see a word.
        assert_eq!(state.get("feed").is_some(), role == 0);
        assert_eq!(state["now"]["feed"], "ok");
        for (issue, market_maker) in
            [("1306", "MM1"), ("1321", "MM1"), ("1306", "MM2"), ("1321", "MM2"), ("9999", "MM1"), ("1306", "MM9")]
        {
            let answer = desk.get(&format!("/api/v1/issues/{issue}/market-makers/{market_maker}"), role);
            let sees = expected.contains(&format!("{market_maker} {issue} general"));
            if sees {
                let all = answer.json()["obligations"].as_array().unwrap().len();
                assert_eq!((answer.status, all), (200, if issue == "1306" { 2 } else { 1 }));
            } else {
                assert_eq!(answer, not_there, "{:?} {issue} {market_maker}", ROLES[role]);
            }
        }
    }
}

/// Every route there is, and what it is asked with: method, path, body, and who is answered otherwise than that there is nothing.
const ROUTES: [(&str, &str, &str, &[usize]); 12] = [
    ("GET", "/api/v1/state", "", &[0, 1, 2, 3, 4]),
    ("GET", "/api/v1/issues/1306/market-makers/MM1", "", &[0, 1, 3]),
    ("GET", "/api/v1/issues/1321/market-makers/MM1", "", &[0, 1, 4]),
    ("GET", "/api/v1/issues/1306/market-makers/MM2", "", &[0, 2, 3]),
    ("GET", "/api/v1/days/2024-03-04/daily.csv", "", &[0, 1, 2, 3, 4]),
    ("GET", "/api/v1/days/2024-03-04/breaches.csv", "", &[0, 1, 2, 3, 4]),
    ("GET", "/api/v1/days/2024-03-01/daily.csv", "", &[]),
    ("GET", "/metrics", "", &[5]),
    ("GET", "/api/v1/acknowledgements", "", &[0, 1, 2]),
    ("POST", "/api/v1/acknowledgements", "{}", &[0, 1, 2]),
    ("POST", "/api/v1/fast-market", "{}", &[0]),
    ("POST", "/api/v1/registry/reload", "", &[0]),
];

/// Whether a text has a word anywhere but in the digits of its times and counts.
fn names(text: &str, word: &str) -> bool {
    let without_counts =
        |line: &str| line.rsplit_once(' ').filter(|(_, last)| last.parse::<f64>().is_ok()).map(|(of, _)| of.to_owned());
    let is_part = |next: Option<char>| next.is_some_and(|next| next.is_ascii_alphanumeric());
    text.lines().map(|line| without_counts(line).unwrap_or_else(|| line.to_owned())).any(|line| {
        let found = line.match_indices(word);
        found
            .into_iter()
            .any(|(at, _)| !is_part(line[..at].chars().next_back()) && !is_part(line[at + word.len()..].chars().next()))
    })
}

#[test]
fn every_route_answers_whom_it_is_for_and_nobody_else() {
    let desk = Desk::running(&[]);
    let not_there = desk.get("/api/v1/nowhere", 0);
    let refused = desk.ask("GET", "/api/v1/state", None, "");
    for (method, path, body, seen_by) in ROUTES {
        for token in [None, Some("qc_wrong"), Some("")] {
            assert_eq!(desk.ask(method, path, token, body), refused, "{path} with {token:?}");
        }
        for (role, token) in desk.tokens.iter().enumerate() {
            let answer = desk.ask(method, path, Some(token), body);
            let is_there = answer.status != 404;
            assert_eq!(is_there, seen_by.contains(&role), "{method} {path} {:?}: {answer:?}", ROLES[role]);
            if !is_there {
                assert_eq!(answer, not_there, "{method} {path} {:?}", ROLES[role]);
            }
            let wrong = match (method, path) {
                (_, "/api/v1/acknowledgements") => "DELETE",
                ("GET", _) => "POST",
                _ => "GET",
            };
            assert_eq!(desk.ask(wrong, path, Some(token), body), not_there, "{wrong} {path}");
        }
    }
    // A token is taken from its header alone.
    let token = &desk.tokens[0];
    for head in [
        format!("GET /api/v1/state?token={token} HTTP/1.1\r\nHost: {}\r\n", desk.http),
        format!("GET /api/v1/state HTTP/1.1\r\nHost: {}\r\nCookie: token={token}\r\n", desk.http),
    ] {
        assert_eq!(desk.send_head(&head, ""), refused);
    }
    for path in ["/", "/page.css", "/page.js", "/healthz", "/readyz", "/api/v1/openapi.json"] {
        assert_eq!(desk.ask("GET", path, None, "").status, 200, "{path}");
    }
    // Neither a name nor a code, nor a token, is in the log, or among the metrics.
    let log = desk.log() + &desk.get("/metrics", 5).body;
    assert!(
        log.contains("/api/v1/issues/{issue}/market-makers/{market_maker}")
            && log.contains("quoteclock_obligations 5\n"),
        "{log}"
    );
    for secret in
        ["MM1", "MM2", "First", "Second", "AM1", "AM2", "Ann Other", "1306", "1321"].iter().chain(&[token.as_str()])
    {
        assert!(!names(&log, secret), "{secret} in {log}");
    }
}

#[test]
fn what_is_too_large_too_often_or_foreign_is_refused() {
    let desk = Desk::running(&[]);
    let token = &desk.tokens[0];
    let head = |host: &str, more: &str| {
        format!("POST /api/v1/registry/reload HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n{more}")
    };
    let not_there = desk.get("/api/v1/nowhere", 0);
    let own = desk.http.as_str();
    assert_eq!(desk.send_head(&head(own, &format!("Origin: http://{own}\r\n")), "").status, 200);
    assert_eq!(desk.send_head(&head("evil.example", ""), ""), not_there);
    assert_eq!(desk.send_head(&head("evil.example", "Origin: http://evil.example\r\n"), ""), not_there);
    assert_eq!(desk.send_head(&head(own, "Origin: http://evil.example\r\n"), ""), not_there);
    // 8 KiB of head, 64 KiB of body.
    let padded = |bytes: usize| {
        let head = format!("GET /api/v1/state HTTP/1.1\r\nHost: {own}\r\nAuthorization: Bearer {token}\r\nX-Padding: ");
        format!("{head}{}\r\n", "x".repeat(bytes))
    };
    assert_eq!(desk.send_head(&padded(7_000), "").status, 200);
    assert!(matches!(desk.send_head(&padded(9_000), "").status, 431 | 0));
    let post = |bytes: usize| desk.ask("POST", "/api/v1/fast-market", Some(token), &" ".repeat(bytes)).status;
    assert_eq!((post(64 << 10), post((64 << 10) + 1)), (400, 413));
    // The holder of one token is slowed down; another is not.
    let asked = desk.get_at_once("/api/v1/nowhere", 1, 400);
    assert!(asked.contains(&429) && asked[..100].iter().all(|&status| status == 404), "{asked:?}");
    assert_eq!(desk.get("/api/v1/nowhere", 2).status, 404);
}

#[test]
fn a_stream_tells_its_own_and_ends_with_its_token() {
    let mut desk = Desk::running(&[]);
    let (mut first, mut second, mut manager) = (desk.events(1, None), desk.events(2, None), desk.events(4, None));
    desk.send(&["09:45:00,1306,cancel,7,,,,,,,", "09:45:00,1306,cancel,5,,,,,,,", "09:46:00,1321,cancel,3,,,,,,,"]);
    let (id, told) = second.next_state().unwrap();
    assert_eq!((&told["market_maker"], &told["issue"]), (&Value::from("MM2"), &Value::from("1306")));
    let (mine, told) = first.next_state().unwrap();
    let expected = serde_json::json!({
        "market_maker": "MM1", "issue": "1321", "obligation": "general", "state": "breach", "reason": "no_bid",
        "since": "2024-03-04T09:46:00.000000+09:00",
    });
    assert_eq!(told, expected);
    assert_eq!(manager.next_state().unwrap().1, expected);
    // Numbers count for each recipient; of the feed something may have been told before.
    assert!(mine <= 2 && id <= 2, "{mine} {id}");
    // A later stream goes on where it is asked to.
    assert_eq!(desk.events(1, Some(mine - 1)).next_state().unwrap(), (mine, expected));
    // A token that is removed ends its streams, and those of others go on.
    let tokens = desk.bench.read("tokens.csv");
    let left: Vec<&str> = tokens.lines().filter(|line| !line.contains("MM2")).collect();
    desk.bench.write("tokens.csv", (left.join("\n") + "\n").as_bytes());
    assert_eq!(desk.ask("POST", "/api/v1/registry/reload", Some(&desk.tokens[0]), "").status, 200);
    while second.next().is_some() {}
    assert_eq!(desk.get("/api/v1/state", 2).status, 401);
    desk.send(&["09:47:00,1321,add,9,,VS1,B,10000,10,,"]);
    assert_eq!(first.next_state().unwrap().1["state"], "fulfilled");
}

/// A running day with so many who open an event stream and never read; what measuring the rest of it takes of a processor, in
/// hundredths of a second (nothing where the system does not tell).
fn cost_beside(silent: usize) -> u64 {
    use std::io::Write;
    let mut desk = Desk::running(&[]);
    let mut idle = Vec::new();
    for number in 0..silent {
        let mut stream = std::net::TcpStream::connect(&desk.http).unwrap();
        let token = &desk.tokens[number % 5];
        let head = format!("GET /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        idle.push(stream);
    }
    // All places are taken by now. What comes is measured, and the day is stored.
    let flicker: Vec<String> = (0..20_000)
        .flat_map(|number| {
            let clock = format!("09:{}:{:02}.{:03}", 41 + number / 1_200, number / 20 % 60, number % 20);
            [
                format!("{clock},1306,add,{},,VS1,B,10000,10,,", 1000 + number),
                format!("{clock},1306,cancel,{},,,,,,,", 1000 + number),
            ]
        })
        .collect();
    let before = desk.processor_time("engine");
    desk.push(&flicker.iter().map(String::as_str).collect::<Vec<_>>());
    let mut last = before;
    desk.end_of_day();
    let started = std::time::Instant::now();
    while !desk.log().contains("the day is stored") {
        last = last.max(desk.processor_time("engine"));
        assert!(started.elapsed() < std::time::Duration::from_secs(60), "{}", desk.log());
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    drop(idle);
    desk.wait("an answer", |desk| desk.get("/api/v1/days/2024-03-04/daily.csv", 0).status == 200);
    last - before
}

#[test]
fn five_hundred_who_never_read_cost_the_feed_nothing_that_is_measured() {
    let (alone, beside) = (cost_beside(0), cost_beside(500));
    assert!(beside <= alone + alone / 4 + 10, "{beside} hundredths of a second instead of {alone}");
}

#[test]
fn what_is_acknowledged_is_kept_with_who_and_when() {
    let desk = Desk::running(&[]);
    let path = "/api/v1/acknowledgements";
    let body = |market_maker: &str, issue: &str, remark: &str| {
        serde_json::json!({ "market_maker": market_maker, "issue": issue, "obligation": "general", "remark": remark })
            .to_string()
    };
    let post = |role: usize, body: &str| desk.ask("POST", path, Some(&desk.tokens[role]), body);
    let not_there = desk.get("/api/v1/nowhere", 0);
    assert_eq!(post(1, &body("MM1", "1306", "a line is down")).status, 201);
    assert_eq!(post(0, &body("MM1", "1306", "called <b>them</b>")).status, 201);
    assert_eq!(post(0, &body("MM2", "1306", "seen")).status, 201);
    for (role, market_maker, issue) in [
        (1, "MM2", "1306"),
        (2, "MM1", "1306"),
        (0, "MM2", "1321"),
        (0, "MM9", "1306"),
        (3, "MM1", "1306"),
        (5, "MM1", "1306"),
    ] {
        assert_eq!(post(role, &body(market_maker, issue, "x")), not_there, "{role} {market_maker} {issue}");
    }
    let long = "x".repeat(1001);
    for remark in ["", "  ", "two\nlines", long.as_str()] {
        assert_eq!(post(0, &body("MM1", "1306", remark)).status, 400);
    }
    assert_eq!(post(0, "{").status, 400);
    let said = |role: usize| -> Vec<(String, Option<String>)> {
        let answer = desk.get(path, role).json();
        let rows = answer["acknowledgements"].as_array().unwrap().iter();
        rows.map(|row| (row["remark"].as_str().unwrap().to_owned(), row["name"].as_str().map(str::to_owned))).collect()
    };
    let ann = || Some("Ann Other".to_owned());
    let (down, called, seen) = ("a line is down".to_owned(), "called <b>them</b>".to_owned(), "seen".to_owned());
    assert_eq!(said(0), [(down.clone(), ann()), (called.clone(), ann()), (seen.clone(), ann())]);
    // Who it was at the exchange is not told to others.
    assert_eq!(said(1), [(down, ann()), (called, None)]);
    assert_eq!(said(2), [(seen, None)]);
    assert_eq!((desk.get(path, 3), desk.get(path, 5)), (not_there.clone(), not_there));
}

/// The row of one obligation.
fn row<'a>(rows: &'a Value, key: [&str; 3]) -> &'a Value {
    let names = ["market_maker", "issue", "obligation"];
    let rows = rows.as_array().unwrap().iter();
    let mut found = rows.filter(|row| names.iter().zip(key).all(|(name, value)| row[*name] == value));
    found.next().unwrap_or_else(|| panic!("{key:?} is not there"))
}

#[test]
fn the_figures_are_those_of_status_explain_and_daily_csv() {
    // Three days of the month are stored: one good, one without quotes, one of which some is not known.
    let bench = bench();
    let good: Vec<&str> = RECORDS[..6].to_vec();
    let gap: Vec<&str> = [&RECORDS[..2], &["09:30:00,1306,cancel,99,,,,,,,", "09:45:00,*,clear,,,,,,,,"]].concat();
    for (date, records) in [("2024-03-01", &good), ("2024-03-05", &gap), ("2024-03-06", &Vec::new())] {
        let file = format!("{date}.csv");
        bench.write(&file, support::day_text(date, records).as_bytes());
        let replay = ["replay", "--lenient", "--registry", "registry", "--db", "market.db", "--date", date, &file];
        let output = bench.run(&replay);
        assert!(matches!(output.status.code(), Some(0 | 3)), "{}", support::stderr(&output));
    }
    std::fs::copy(bench.path("market.db"), bench.path("replayed.db")).unwrap();
    let mut desk = Desk::start(bench, "2024-03-04", &[]);
    for (end, as_of) in [(4, "09:05:00"), (7, "09:20:00"), (9, "09:40:00")] {
        desk.send(&RECORDS[desk_sent(end)..end]);
        let state = desk.get("/api/v1/state", 0).json();
        // The same records, replayed up to the time of the last.
        let bench = &desk.bench;
        bench.write("2024-03-04.csv", support::day_text("2024-03-04", &RECORDS[..end]).as_bytes());
        let replay = ["replay", "--registry", "registry", "--db", "replayed.db", "--out", "out", "--until", as_of];
        let output = bench.run(&[&replay[..], &["2024-03-04.csv"]].concat());
        assert!(output.status.success(), "{}", support::stderr(&output));
        for name in ["daily.csv", "breaches.csv"] {
            let served = desk.get(&format!("/api/v1/days/2024-03-04/{name}"), 0).body;
            assert_eq!(served, bench.read(&format!("out/{name}")), "{name} at {as_of}");
        }
        let status =
            ["status", "--registry", "registry", "--db", "replayed.db", "--month", "2024-03", "--json", "--exact"];
        let status: Value = serde_json::from_str(&support::stdout(&bench.run(&status))).unwrap();
        let mut compared = 0;
        for line in bench.read("out/daily.csv").lines().skip(1) {
            let fields: Vec<&str> = line.split(',').collect();
            let key = [fields[1], fields[2], fields[3]];
            let (seen, month) = (row(&state["obligations"], key), row(&status["status"], key));
            for (name, value) in ["available_us", "fulfilled_us", "unknown_us"].iter().zip(&fields[4..]) {
                assert_eq!(seen["today"][*name].to_string(), *value, "{key:?} {name} at {as_of}");
                assert_eq!(seen["month"][*name], month[*name], "{key:?} {name} of the month at {as_of}");
            }
            let days = [("days_measured", "days_measured"), ("days_to_come", "days_remaining")];
            days.iter().for_each(|(name, other)| assert_eq!(seen["month"][*name], month[*other], "{key:?} {name}"));
            assert_eq!(seen["today"]["display_pct"].as_str().unwrap_or(""), fields[7]);
            assert_eq!(seen["month"]["display_pct"], display_pct(&month["display_pct"]), "{key:?}");
            for (name, other) in [
                ("prospect", "outlook"),
                ("slack_us", "may_be_off_us"),
                ("remaining_us", "remaining_us"),
                ("short_us", "short_us"),
            ] {
                assert_eq!(seen["budget"][name], month[other], "{key:?} {name} at {as_of}: {month}");
            }
            compared += 1;
        }
        assert_eq!(compared, 5);
        // Level by level, as the explanation of that instant has it.
        for (market_maker, issue, obligation) in
            [("MM1", "1306", "general"), ("MM2", "1306", "sponsored:S1"), ("MM1", "1321", "general")]
        {
            let explain = ["explain", "--registry", "registry", "--market-maker", market_maker, "--issue", issue];
            let more = ["--obligation", obligation, "--at", as_of, "--json", "2024-03-04.csv"];
            let explained: Value =
                serde_json::from_str(&support::stdout(&desk.bench.run(&[&explain[..], &more].concat()))).unwrap();
            let depth = desk.get(&format!("/api/v1/issues/{issue}/market-makers/{market_maker}"), 0).json();
            let depth = row(&depth["obligations"], [market_maker, issue, obligation]);
            let (moment, scene) = (&explained["moment"], &explained["moment"]["scene"]);
            assert_eq!(
                (&depth["state"], &depth["reason"]),
                (&moment["state"], &moment["reason"]),
                "{market_maker} {issue}"
            );
            assert_eq!(depth["since"], moment["stretch"]["start"], "{market_maker} {issue} at {as_of}");
            for name in ["bid", "offer", "spread"] {
                assert_eq!(depth["quotes"][name], scene[name], "{market_maker} {issue} {name} at {as_of}");
            }
        }
    }
}

// clause: ST1/time-share
#[test]
fn what_is_left_of_the_month_is_told_to_the_instant() {
    // 21 trading days of an hour, of which 40 minutes have gone by: 1,260 minutes, 1,220 of them to come.
    let desk = Desk::running(&[]);
    let state = desk.get("/api/v1/state", 0).json();
    let minutes = |count: u64| Value::from(count * 60_000_000);
    let of = |key| &row(&state["obligations"], key)["budget"];
    // Met so far: 40 and 1,220 minutes less 80 % of all are 252; off from now on, 20 today, 60 a day, and 52 on the fourth.
    let good = of(["MM1", "1306", "general"]);
    assert_eq!(
        (&good["prospect"], &good["slack_us"], &good["remaining_us"]),
        (&"open".into(), &minutes(252), &minutes(1_220))
    );
    assert_eq!(good["lost_after"], "2024-03-08T09:52:00.000000+09:00");
    // Off for 20 of 40 minutes, none of the last five: two and a half times as fast as 20 % allow.
    let burn = |key, at: usize| {
        let burn = &of(key)["burn"][at];
        ["window", "off_us", "required_us", "rate", "month_end_pct"].map(|name| burn[name].clone())
    };
    let second = ["MM2", "1306", "general"];
    let expected = |window: &str, off, required, rate: f64, end: &str| {
        [Value::from(window), minutes(off), minutes(required), Value::from(rate), Value::from(end)]
    };
    assert_eq!(burn(second, 0), expected("5m", 0, 5, 0.0, "98.4127"));
    assert_eq!(burn(second, 1), expected("1h", 20, 40, 2.5, "50.0000"));
    assert_eq!(burn(second, 2), expected("day", 20, 40, 2.5, "50.0000"));
    assert_eq!(burn(["MM1", "1321", "general"], 2), expected("day", 5, 40, 0.63, "87.5000"));
    // Too wide from the beginning: 1,220 minutes less 90 % of all are 86; 20 today, 60 tomorrow, and six.
    let wide = of(["MM1", "1306", "sponsored:S1"]);
    assert_eq!((&wide["prospect"], &wide["slack_us"]), (&"at_risk".into(), &minutes(86)));
    assert_eq!(wide["lost_after"], "2024-03-06T09:06:00.000000+09:00");
    assert_eq!(burn(["MM1", "1306", "sponsored:S1"], 0), expected("5m", 5, 5, 10.0, "0.0000"));
}

/// Where the records of the stage that ends so begin.
fn desk_sent(end: usize) -> usize {
    match end {
        4 => 0,
        7 => 4,
        _ => 7,
    }
}

/// A percentage of a JSON document as the CSV files write it.
fn display_pct(value: &Value) -> Value {
    match value.as_f64() {
        None => Value::Null,
        Some(percent) => Value::String(format!("{percent:.4}")),
    }
}
