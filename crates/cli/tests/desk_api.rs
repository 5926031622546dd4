//! The API against its description, and alerts as their receivers see them.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod support;

use serde_json::Value;
use std::collections::BTreeSet;
use support::desk::{Desk, RECORDS, bench, receiver};

/// What of `value` is not as a schema of `description` says; nothing if all is.
fn differs(description: &Value, schema: &Value, value: &Value, at: &str) -> Option<String> {
    if let Some(name) = schema["$ref"].as_str() {
        let schema = &description["components"]["schemas"][name.rsplit('/').next().unwrap()];
        return differs(description, schema, value, at);
    }
    if let Some(any) = schema["anyOf"].as_array() {
        let all: Vec<String> = any.iter().filter_map(|schema| differs(description, schema, value, at)).collect();
        return (all.len() == any.len()).then(|| all.join(" and "));
    }
    let is_a = |name: &str| match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("{other}"),
    };
    let types = match &schema["type"] {
        Value::String(name) => vec![name.as_str()],
        Value::Array(names) => names.iter().map(|name| name.as_str().unwrap()).collect(),
        other => panic!("{other} at {at}"),
    };
    if !types.iter().any(|name| is_a(name)) {
        return Some(format!("{at} is {value}, expected {types:?}"));
    }
    if let Some(values) = schema["enum"].as_array()
        && !values.contains(value)
    {
        return Some(format!("{at} is {value}, expected one of {values:?}"));
    }
    if let Some(fields) = value.as_object() {
        let properties = schema["properties"].as_object();
        if let Some(missing) = schema["required"]
            .as_array()
            .and_then(|all| all.iter().find(|name| !fields.contains_key(name.as_str().unwrap())))
        {
            return Some(format!("{at} lacks {missing}"));
        }
        return fields.iter().find_map(|(name, value)| match properties.and_then(|all| all.get(name)) {
            Some(schema) => differs(description, schema, value, &format!("{at}.{name}")),
            None if schema["additionalProperties"] == false => Some(format!("{at} has {name}")),
            None => None,
        });
    }
    let items = value.as_array()?;
    items.iter().find_map(|item| differs(description, &schema["items"], item, &format!("{at}[]")))
}

#[test]
fn answers_are_as_the_description_says() {
    let desk = Desk::running(&[]);
    let description = desk.ask("GET", "/api/v1/openapi.json", None, "").json();
    let said = |remark: &str| {
        serde_json::json!({ "market_maker": "MM1", "issue": "1306", "obligation": "general", "remark": remark })
            .to_string()
    };
    let (fast, bad) = ("{\"multiplier\": 2}", "{\"multiplier\": 3}");
    let depth = "/api/v1/issues/{issue}/market-makers/{market_maker}";
    let mut seen = BTreeSet::new();
    for (method, path, role, body) in [
        ("get", "/api/v1/state", Some(0), ""),
        ("get", "/api/v1/state", Some(1), ""),
        ("get", "/api/v1/state", Some(3), ""),
        ("get", "/api/v1/state", Some(5), ""),
        ("get", "/api/v1/state", None, ""),
        ("get", depth, Some(0), ""),
        ("get", depth, Some(4), ""),
        ("post", "/api/v1/acknowledgements", Some(1), &said("x")),
        ("post", "/api/v1/acknowledgements", Some(1), &said("")),
        ("get", "/api/v1/acknowledgements", Some(0), ""),
        ("post", "/api/v1/fast-market", Some(0), fast),
        ("post", "/api/v1/fast-market", Some(0), bad),
        ("post", "/api/v1/registry/reload", Some(0), ""),
        ("get", "/healthz", None, ""),
        ("get", "/readyz", None, ""),
        ("get", "/metrics", Some(5), ""),
        ("get", "/api/v1/days/{date}/daily.csv", Some(0), ""),
        ("get", "/api/v1/days/{date}/breaches.csv", Some(0), ""),
        ("get", "/", None, ""),
    ] {
        let address = path.replace("{issue}", "1306").replace("{market_maker}", "MM1").replace("{date}", "2024-03-04");
        let answer =
            desk.ask(&method.to_uppercase(), &address, role.map(|role: usize| desk.tokens[role].as_str()), body);
        let described = &description["paths"][path][method]["responses"][answer.status.to_string()];
        assert!(described.is_object(), "{method} {path}: {}", answer.status);
        let (kind, content) = described["content"].as_object().unwrap().iter().next().unwrap();
        assert!(answer.head.contains(&format!("content-type: {kind}")), "{kind}: {}", answer.head);
        if kind == "application/json" {
            let problem = differs(&description, &content["schema"], &answer.json(), path);
            assert_eq!(problem, None, "{method} {path} {}: {}", answer.status, answer.body);
        }
        seen.insert(format!("{path} {}", answer.status));
    }
    assert!(seen.contains("/api/v1/fast-market 400") && seen.contains("/api/v1/acknowledgements 201"), "{seen:?}");
}

#[test]
fn alerts_are_told_once_and_ended_to_whom_they_concern() {
    use std::os::unix::fs::PermissionsExt;
    let bench = bench();
    let (address, messages) = receiver(2);
    let rules = format!(
        "[[rule]]\nname = \"first\"\nparty = \"MM1\"\nurl = \"{address}\"\nsecret = \"0123456789abcdef\"\nbreach_for_s = 60\n\
         [[rule]]\nname = \"burning\"\nburn = [{{ short = \"5m\", long = \"1h\", rate = 2 }}]\n"
    );
    bench.write("alerts.toml", rules.as_bytes());
    let mut desk = Desk::start(bench, "2024-03-04", &["--alerts", "alerts.toml", "--alert-log", "alerts.log"]);
    // MM1 quotes 1306, and 1321 on one side alone: of that a breach, and of the sponsored condition, whose spread is too wide.
    desk.send(&RECORDS[..3]);
    desk.send(&["09:02:00,1306,phase,,,,,,,,continuous"]);
    let next = || messages.recv_timeout(std::time::Duration::from_secs(30)).unwrap();
    let told: Vec<Value> = (0..2).map(|_| next().2).collect();
    let of = |message: &Value| {
        ["event", "alert", "market_maker", "issue", "obligation"]
            .map(|name| message[name].as_str().unwrap().to_owned())
            .join(" ")
    };
    assert_eq!(
        told.iter().map(of).collect::<Vec<_>>(),
        ["begin breach MM1 1306 sponsored:S1", "begin breach MM1 1321 general"]
    );
    assert_eq!((&told[1]["standing"]["reason"], &told[1]["rule"]), (&Value::from("no_offer"), &Value::from("first")));
    assert!(told.iter().all(|message| !message.to_string().contains("MM2")));
    // It shows on the page of whom it concerns, and of nobody else.
    let alerts = |role: usize| desk.get("/api/v1/state", role).json()["alerts"].as_array().unwrap().len();
    assert_eq!((alerts(1), alerts(2)), (2, 0));
    desk.send(&["09:05:00,1321,add,4,,VS1,S,10050,10,,"]);
    assert_eq!(of(&next().2), "end breach MM1 1321 general");
    // Another reason is the same event: nothing more is told of it.
    desk.send(&["09:06:00,1306,cancel,1,,,,,,,", "09:06:30,1306,phase,,,,,,,,continuous"]);
    desk.send(&["09:08:00,1306,phase,,,,,,,,continuous"]);
    assert_eq!(of(&next().2), "begin breach MM1 1306 general");
    desk.end_of_day();
    let ended: BTreeSet<String> = (0..2).map(|_| of(&next().2)).collect();
    assert_eq!(
        ended.into_iter().collect::<Vec<_>>(),
        ["end breach MM1 1306 general", "end breach MM1 1306 sponsored:S1"]
    );
    let log = desk.bench.path("alerts.log");
    assert_eq!(log.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let lines: Vec<Value> =
        desk.bench.read("alerts.log").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.iter().filter(|line| line["rule"] == "first").count(), 6);
    assert!(
        lines.iter().any(|line| line["alert"] == "burn" && line["event"] == "begin" && line["limit"]["rate"] == "2.00")
    );
    let sent = "quoteclock_alerts_total{outcome=\"sent\"} 6\n";
    desk.wait("six messages sent", |desk| desk.get("/metrics", 5).body.contains(sent));
    assert!(!desk.log().contains("MM1") && !desk.log().contains(&address));
}

#[test]
fn a_feed_that_is_silent_and_a_budget_that_is_low_are_told_and_ended() {
    let bench = bench();
    let rules = "[[rule]]\nname = \"silent\"\nfeed_silent_s = 2\n\
        [[rule]]\nname = \"low\"\nparty = \"MM1\"\nbudget_below_s = 100000000\n\
        [[rule]]\nname = \"enough\"\nparty = \"MM1\"\nbudget_below_s = 1\n";
    bench.write("alerts.toml", rules.as_bytes());
    let mut desk = Desk::start(bench, "2024-03-04", &["--alerts", "alerts.toml", "--alert-log", "alerts.log"]);
    let lines = |desk: &Desk| -> Vec<Value> {
        desk.bench.read("alerts.log").lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let count = |desk: &Desk, rule: &str, event: &str| {
        lines(desk).iter().filter(|line| line["rule"] == rule && line["event"] == event).count()
    };
    desk.send(&RECORDS[..3]);
    desk.wait("silence and a low budget are told", |desk| {
        count(desk, "silent", "begin") == 1 && 1 < count(desk, "low", "begin")
    });
    let told = lines(&desk);
    let silent = told.iter().find(|line| line["rule"] == "silent").unwrap();
    assert_eq!(silent["alert"], "feed_silent");
    assert!(silent.get("market_maker").is_none_or(Value::is_null), "{silent}");
    let is_of_mm1 = |line: &Value| line["alert"] == "budget" && line["market_maker"] == "MM1";
    assert!(told.iter().filter(|line| line["rule"] == "low").all(is_of_mm1), "{told:?}");
    desk.send(&["09:02:00,1306,phase,,,,,,,,continuous"]);
    desk.wait("the end of the silence is told", |desk| count(desk, "silent", "end") == 1);
    assert_eq!(count(&desk, "enough", "begin"), 0, "more than a second is left of every budget");
}

#[test]
fn a_run_that_ends_with_its_day_tells_the_end_of_its_alerts() {
    let bench = bench();
    let (address, messages) = receiver(0);
    let rules =
        format!("[[rule]]\nname = \"first\"\nurl = \"{address}\"\nsecret = \"0123456789abcdef\"\nbreach_for_s = 60\n");
    bench.write("alerts.toml", rules.as_bytes());
    let mut desk = Desk::start(bench, "2024-03-04", &["--alerts", "alerts.toml", "--once"]);
    desk.send(&RECORDS[..4]);
    let next = || messages.recv_timeout(std::time::Duration::from_secs(30)).unwrap().2;
    // The condition of MM1, whose spread is too wide, and both obligations of MM2, which sends nothing.
    let begun: Vec<Value> = (0..3).map(|_| next()).collect();
    assert!(begun.iter().all(|message| message["event"] == "begin"), "{begun:?}");
    desk.end_of_day();
    let ended: Vec<Value> = (0..begun.len()).map(|_| next()).collect();
    assert!(ended.iter().all(|message| message["event"] == "end"), "{ended:?}");
}
