//! What the desk tells of causes and counts is what `explain` and `report` make of the same records.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod support;

use serde_json::Value;
use support::desk::{Desk, RECORDS, ROLES, bench};

/// The outages of one obligation, with what they began and ended with.
fn outages(desk: &Desk, role: usize, [market_maker, issue, obligation]: [&str; 3]) -> Vec<Value> {
    let name = obligation.replace(':', "%3A");
    let path = format!("/api/v1/issues/{issue}/market-makers/{market_maker}?causes={name}");
    let answer = desk.get(&path, role).json();
    let all = answer["obligations"].as_array().unwrap();
    // The others are as without the question.
    let is_other = |one: &&Value| one["obligation"] != obligation;
    let untold = all.iter().filter(is_other).flat_map(|one| one["outages"].as_array().unwrap());
    untold.into_iter().for_each(|outage| assert!(outage.get("began").is_none() && outage.get("ended").is_none()));
    let one = all.iter().find(|one| one["obligation"] == obligation).unwrap();
    one["outages"].as_array().unwrap().clone()
}

#[test]
fn outages_began_and_ended_with_what_explain_tells_of_them() {
    let mut desk = Desk::running(&[]);
    // A trade, a halt, two events of one time and an order changed: each ends or begins something. What begins with the last record
    // has no length yet.
    let more = [
        "09:41:00,1306,add,11,,VS1,B,10000,10,,",
        "09:42:00,1306,trade,11,,,,10000,10,,",
        "09:43:00,1306,add,12,,VS1,B,9000,20,,",
        "09:44:00,1306,replace,12,13,,,10020,,,",
        "09:45:00,1306,phase,,,,,,,,halt",
        "09:46:00,1306,phase,,,,,,,,continuous",
        "09:47:00,1321,reduce,3,,,,,10,,",
        "09:47:00,1321,add,14,,VS1,B,10000,1,,",
        "09:48:00,1306,cancel,13,,,,,,,",
    ];
    desk.send(&more);
    let records: Vec<&str> = RECORDS.iter().chain(&more).copied().collect();
    desk.bench.write("2024-03-04.csv", support::day_text("2024-03-04", &records).as_bytes());
    let (mut compared, mut running) = (0, 0);
    let all = [
        ["MM1", "1306", "general"],
        ["MM1", "1306", "sponsored:S1"],
        ["MM1", "1321", "general"],
        ["MM2", "1306", "general"],
        ["MM2", "1306", "sponsored:S1"],
    ];
    for key @ [market_maker, issue, obligation] in all {
        let explain = ["explain", "--registry", "registry", "--market-maker", market_maker, "--issue", issue];
        let more = ["--obligation", obligation, "--until", "09:48:00.000001", "--json", "2024-03-04.csv"];
        let explained = desk.bench.run(&[&explain[..], &more].concat());
        let explained: Value = serde_json::from_str(&support::stdout(&explained)).unwrap();
        let explained = explained["outages"].as_array().unwrap();
        let seen = outages(&desk, 0, key);
        assert_eq!(seen.len(), explained.len() - usize::from(key[..2] == ["MM1", "1306"]), "{key:?}");
        for outage in &seen {
            let other = explained.iter().find(|other| other["start"] == outage["start"]).unwrap();
            assert_eq!(without_words(&outage["began"]), other["began"], "{key:?} {outage}");
            if outage["end"].is_null() {
                assert!(outage.get("ended").is_none());
                running += 1;
            } else {
                assert_eq!(without_words(&outage["ended"]), other["ended"], "{key:?} {outage}");
            }
            compared += 1;
        }
        // The market maker itself is told the same, but not where a record stands among those of others.
        let own = ROLES.iter().position(|role| *role == ("market_maker", market_maker)).unwrap();
        for (mine, outage) in outages(&desk, own, key).iter().zip(&seen) {
            for name in ["began", "ended"] {
                let (mine, causes) = (mine.get(name), outage.get(name));
                assert_eq!(mine.is_some(), causes.is_some());
                let pairs = mine
                    .into_iter()
                    .zip(causes)
                    .flat_map(|(mine, causes)| mine.as_array().unwrap().iter().zip(causes.as_array().unwrap()));
                for (mine, cause) in pairs {
                    let mut hidden = cause.clone();
                    (hidden["place"], hidden["seq"]) = (Value::Null, Value::Null);
                    assert_eq!(*mine, hidden);
                }
            }
        }
    }
    assert!(8 <= compared && 1 <= running, "{compared} {running}");
    let words: Vec<String> = outages(&desk, 0, all[0])
        .iter()
        .flat_map(|outage| outage["began"].as_array().unwrap())
        .map(|cause| cause["text"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        words,
        ["trade: 10 at 10,000 with own bid 11 (VS1), 10 at 10,000, all of it", "cancel: own bid 1 (VS1), 10 at 10,000"]
    );
    // What is not there, or not the caller's, answers as ever.
    let not_there = desk.get("/api/v1/nowhere", 0);
    for (role, path) in [
        (0, "/api/v1/issues/1306/market-makers/MM1?causes=sponsored%3AS9"),
        (0, "/api/v1/issues/1306/market-makers/MM1?causes="),
        (2, "/api/v1/issues/1306/market-makers/MM1?causes=general"),
        (5, "/api/v1/issues/1306/market-makers/MM1?causes=general"),
    ] {
        assert_eq!(desk.get(path, role), not_there, "{path}");
    }
}

/// Causes as `explain` writes them.
fn without_words(causes: &Value) -> Value {
    let mut causes = causes.clone();
    causes.as_array_mut().unwrap().iter_mut().for_each(|cause| drop(cause.as_object_mut().unwrap().remove("text")));
    causes
}

#[test]
fn a_bad_record_is_told_to_the_exchange_alone() {
    let mut desk = Desk::running(&[]);
    // Somebody cancels what is not there: 1306 is unknown until its book is sent again.
    desk.send(&[
        "09:41:00,1306,cancel,77,,,,,,,",
        "09:42:00,1306,clear,,,,,,,,",
        "09:43:00,1306,add,21,,VS1,B,10000,10,,",
        "09:43:00,1306,add,22,,VS1,S,10050,10,,",
    ]);
    let ended = |role: usize| {
        let all = outages(&desk, role, ["MM1", "1306", "general"]);
        let of_gap = all.iter().find(|outage| outage["start"].as_str().unwrap().contains("T09:40:00")).unwrap().clone();
        of_gap["ended"][0].clone()
    };
    let (exchange, own) = (ended(0), ended(1));
    assert_eq!((&exchange["kind"], &exchange["seq"]), (&"bad_record".into(), &10.into()));
    assert!(exchange["fault"].as_str().unwrap().contains("77"), "{exchange}");
    assert_eq!((&own["kind"], &own["text"], &own["seq"]), (&"bad_record".into(), &"bad record".into(), &Value::Null));
    assert!(own.get("fault").is_none() && !own.to_string().contains("77"), "{own}");
}

/// ETFs met, by market maker, as the page's header has it.
fn met(desk: &Desk) -> Vec<(String, u64)> {
    let state = desk.get("/api/v1/state", 0).json();
    let makers = state["market_makers"].as_array().unwrap().iter();
    makers.map(|row| (row["market_maker"].as_str().unwrap().to_owned(), row["etfs_met"].as_u64().unwrap())).collect()
}

#[test]
fn etfs_met_are_those_of_a_report_however_the_month_is_judged() {
    // A day of which MM1 makes nothing in 1306 and all in 1321, and the running one the other way round.
    let before = ["09:00:00,1321,add,1,,VS1,B,10000,10,,", "09:00:00,1321,add,2,,VS1,S,10050,10,,"];
    let today = [
        "09:00:00,1306,add,1,,VS1,B,10000,10,,",
        "09:00:00,1306,add,2,,VS1,S,10050,10,,",
        "09:30:00,1306,phase,,,,,,,,continuous",
    ];
    let excluded =
        |more: &str| format!("date,issue,market_maker,reason,only_if_failed\n2024-03-01,1306,MM1,test,{more}\n");
    for (aggregate, excluded, expected) in [
        // 30 of 90 minutes in 1306, 60 of 90 in 1321; half is required.
        ("", String::new(), 1),
        ("[aggregate]\nmonth = \"days\"\ndays_pct = 50\n", String::new(), 2),
        ("[aggregate]\nmonth = \"days\"\ndays_pct = 51\n", String::new(), 0),
        ("[aggregate]\nmonth = \"mean_of_days\"\n", String::new(), 2),
        ("[aggregate]\nmonth = \"days\"\ndays_pct = 50\nmax_days_below = 0\n", String::new(), 0),
        ("", excluded("false"), 2),
        ("", excluded("true"), 2),
        ("", excluded("true").replace("2024-03-01", "2024-03-04"), 1),
        ("", excluded("false").replace("2024-03-01", "2024-03-04"), 1),
    ] {
        let bench = bench();
        let scheme = bench.read("registry/scheme.toml");
        let scheme = scheme.replacen("[[sessions]]", "required_pct = 50\n[[sessions]]", 1) + aggregate;
        bench.write("registry/scheme.toml", scheme.as_bytes());
        if !excluded.is_empty() {
            bench.write("registry/excluded_days.csv", excluded.as_bytes());
        }
        let replay = |date: &str, records: &[&str], more: &[&str]| {
            let file = format!("{date}.csv");
            bench.write(&file, support::day_text(date, records).as_bytes());
            let all = ["replay", "--registry", "registry", "--db", "market.db", "--date", date];
            let output = bench.run(&[&all[..], more, &[&file]].concat());
            assert!(output.status.success(), "{}", support::stderr(&output));
        };
        replay("2024-03-01", &before, &[]);
        std::fs::copy(bench.path("market.db"), bench.path("served.db")).unwrap();
        // What a report of the same records counts.
        replay("2024-03-04", &today, &["--until", "09:30:00"]);
        let report = ["report", "--registry", "registry", "--db", "market.db", "--month", "2024-03", "--out", "month"];
        assert_eq!(bench.run(&report).status.code(), Some(3), "days are missing");
        let makers = bench.read("month/market_makers.csv");
        let reported: Vec<(String, u64)> = makers
            .lines()
            .skip(1)
            .map(|line| line.split(',').collect::<Vec<_>>())
            .map(|fields| (fields[1].to_owned(), fields[2].parse().unwrap()))
            .collect();
        std::fs::rename(bench.path("served.db"), bench.path("market.db")).unwrap();
        let mut desk = Desk::start(bench, "2024-03-04", &[]);
        desk.send(&today);
        assert_eq!(met(&desk), reported, "{aggregate}{excluded}");
        assert_eq!(reported[0], ("MM1".to_owned(), expected), "{aggregate}{excluded}");
    }
}
