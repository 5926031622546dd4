//! Ready schemes by name: listed, printed, and taken wherever a registry is read.

mod support;

use support::{Bench, repository, stderr, stdout};

/// A registry under `twse` without a scheme.toml, and a day: both sides from 09:10 on, 3 % of the offer apart.
fn bench() -> Bench {
    let bench = Bench::new();
    std::fs::remove_file(bench.path("registry/scheme.toml")).expect("it was there");
    bench.write("registry/issues.csv", b"issue,type,tick_table\n2330,STOCK,01\n");
    bench.write("registry/signups.csv", b"market_maker,issue\nMM1,2330\n");
    let text = "time,issue,event,order,server,side,price,quantity\n\
                2024-03-01T09:10:00+08:00,2330,add,1,VS1,B,97,5000\n2024-03-01T09:10:00+08:00,2330,add,2,VS1,S,100,5000\n";
    bench.write("day.csv", text.as_bytes());
    bench
}

#[test]
fn schemes_are_listed_and_printed() {
    let bench = Bench::new();
    let list = stdout(&bench.run(&["schemes"]));
    for name in ["borsaitaliana", "bux", "rts8", "six", "twse", "wiener"] {
        assert!(list.lines().any(|line| line.starts_with(&format!("{name} "))), "{list}");
        let file = std::fs::read_to_string(repository(&format!("schemes/{name}.toml"))).expect("the file");
        assert_eq!(stdout(&bench.run(&["schemes", name])), file);
    }
    assert!(list.lines().all(|line| line.chars().count() <= 80), "{list}");
    for label in ["  source:", "  left out:", "  to enter:"] {
        assert_eq!(list.matches(label).count(), list.lines().filter(|line| !line.starts_with(' ')).count(), "{list}");
    }
    let document = stdout(&bench.run(&["schemes", "--json"]));
    assert!(document.contains("\"name\": \"rts8\"") && document.contains("\"to_enter\""), "{document}");
    let unknown = bench.run(&["schemes", "tokyo"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(stderr(&unknown).contains("expected one of b"), "{}", stderr(&unknown));
}

#[test]
fn a_scheme_is_taken_by_name_wherever_a_registry_is() {
    let bench = bench();
    assert_eq!(bench.run(&["check", "--registry", "registry"]).status.code(), Some(1), "no type STOCK is built in");
    let check = bench.run(&["check", "--registry", "registry", "--scheme", "twse"]);
    assert_eq!(check.status.code(), Some(0), "{}", stdout(&check));
    assert!(stdout(&check).starts_with("TWSE stock market making: 1 issue"), "{}", stdout(&check));
    let replay = bench.replay(&["--scheme", "twse", "--db", "m.db", "day.csv"]);
    assert_eq!(replay.status.code(), Some(0), "{}", stderr(&replay));
    // From 09:05 on a quote is required, and from 09:10 on it is there.
    let daily = "2024-03-01,MM1,2330,general,15900000000,15600000000,0,98.1132";
    assert_eq!(bench.read("out/daily.csv").lines().nth(1), Some(daily));
    let breach = "2024-03-01T09:05:00.000000+08:00,2024-03-01T09:10:00.000000+08:00,300000000,no_bid+no_offer";
    assert!(bench.read("out/breaches.csv").contains(breach));
    let month = ["--registry", "registry", "--scheme", "twse", "--db", "m.db", "--month", "2024-03"];
    let report = stdout(&bench.run(&[&["report", "--json"], &month[..]].concat())).replace(' ', "");
    assert!(report.contains("\"status\":\"fulfilled\""), "{report}");
    let status = bench.run(&[&["status"], &month[..]].concat());
    assert!(stdout(&status).contains("by days"), "{}", stdout(&status));
    let maker = ["--registry", "registry", "--scheme", "twse", "--market-maker", "MM1", "--issue", "2330", "day.csv"];
    let explain = bench.run(&[&["explain", "--at", "10:00"], &maker[..]].concat());
    let text = stdout(&explain).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("at most 300 bps of the offer; at least 200,000 or 5,000 shares on each side"), "{text}");
    assert!(text.contains("300.00 bps (limit 300, within) bps = (100 - 97) x 10,000 / 100,"), "{text}");
    assert!(stdout(&bench.run(&[&["explain", "--json"], &maker[..]].concat())).contains("basis points of the offer"));
    assert_eq!(bench.run(&[&["explain", "--html", "page.html"], &maker[..]].concat()).status.code(), Some(0));
    for clause in ["TWSE/spread-of-offer", "TWSE/units-or-value"] {
        assert!(bench.read("page.html").contains(clause), "{clause}");
    }
    // The folder's own scheme gives way; one that is not known is bad usage.
    bench.write("registry/scheme.toml", b"nonsense");
    assert_eq!(bench.run(&["check", "--registry", "registry", "--scheme", "twse"]).status.code(), Some(0));
    assert_eq!(bench.run(&["check", "--registry", "registry", "--scheme", "tokyo"]).status.code(), Some(2));
}

#[test]
fn a_registry_begins_under_a_ready_scheme() {
    let bench = Bench::new();
    let init = bench.run(&["init", "new", "--scheme", "wiener"]);
    assert_eq!(init.status.code(), Some(0), "{}", stderr(&init));
    let file = std::fs::read_to_string(repository("schemes/wiener.toml")).expect("the file");
    assert_eq!(bench.read("new/scheme.toml"), file);
    assert_eq!(bench.read("new/excluded_days.csv"), "date,issue,market_maker,reason,only_if_failed\n");
    assert_eq!(bench.run(&["check", "--registry", "new"]).status.code(), Some(0));
}
