//! A firm's own log: made-up days written as FIX messages give what their CSV gives, byte for byte.

mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use support::{Bench, stderr, stdout};

/// A resting order: where, whose, which side, its limit and what remains of it.
#[derive(Clone)]
struct Order {
    name: String,
    session: String,
    side: &'static str,
    price: String,
    quantity: u64,
    client: u64,
}

/// Writes execution reports; each session counts its own messages.
struct Log {
    separator: &'static str,
    numbers: BTreeMap<String, u64>,
    text: String,
    clients: u64,
}

impl Log {
    fn report(&mut self, order: &Order, issue: &str, time: &str, kind: &str, more: &str) {
        let number = self.numbers.entry(order.session.clone()).or_default();
        *number += 1;
        let fields = format!(
            "8=FIX.4.4|9=100|35=8|34={number}|49=TSE|56={}|52=20240101-00:00:00|37={}|11=C{}|150={kind}|55={issue}|54={}|\
             60={time}|151={}|{more}10=000|",
            order.session, order.name, order.client, order.side, order.quantity
        );
        let prefix = if number.is_multiple_of(2) { "20240301-00:00:00.000000000 : " } else { "" };
        writeln!(self.text, "{prefix}{}", fields.replace('|', self.separator)).expect("writing to a string");
    }

    fn client(&mut self) -> u64 {
        self.clients += 1;
        self.clients
    }
}

/// The same day twice: as CSV without what FIX does not tell (phases; a clear as cancels), and as a log.
fn both(csv: &str, separator: &'static str) -> (String, String) {
    let mut lines = csv.lines();
    let mut kept = format!("{}\n", lines.next().expect("a header"));
    let mut log = Log { separator, numbers: BTreeMap::new(), text: String::new(), clients: 0 };
    let mut live: BTreeMap<(String, String), Order> = BTreeMap::new();
    let mut sequence = 0;
    let mut names = 0;
    let mut keep = |kept: &mut String, rest: &str| {
        sequence += 1;
        writeln!(kept, "{sequence},{rest}").expect("writing to a string");
    };
    for line in lines {
        let cells: Vec<&str> = line.split(',').collect();
        let [_, time, issue, event, order, contra, server, side, price, quantity, condition, _] = cells[..] else {
            panic!("twelve columns: {line}");
        };
        // Local time is nine hours ahead; the day's continuous time lies in one date of UTC.
        let hour: i32 = time[11..13].parse::<i32>().expect("an hour") - 9;
        let utc = if hour < 0 {
            format!("20240229-{:02}{}", hour + 24, &time[13..26])
        } else {
            format!("20240301-{hour:02}{}", &time[13..26])
        };
        let key = |order: &str| (issue.to_owned(), order.to_owned());
        let rest = |cells: &[&str]| cells[1..].join(",");
        match event {
            "phase" => {}
            "clear" => {
                let gone: Vec<(String, String)> =
                    live.keys().filter(|(of, _)| issue == "*" || of == issue).cloned().collect();
                for key in gone {
                    let mut order = live.remove(&key).expect("just found");
                    keep(&mut kept, &format!("{time},{},cancel,{},,,,,,,", key.0, key.1));
                    order.quantity = 0;
                    log.report(&order, &key.0, &utc, "4", "");
                }
            }
            "add" => {
                names += 1;
                let session = if server.is_empty() { "-" } else { server };
                let new = Order {
                    name: format!("O{names}"),
                    session: session.to_owned(),
                    side: if side == "B" { "1" } else { "2" },
                    price: price.to_owned(),
                    quantity: quantity.parse().expect("a quantity"),
                    client: log.client(),
                };
                let kind = if price.is_empty() { "40=1|".to_owned() } else { format!("40=2|44={price}00|") };
                let force = match condition {
                    "on_open" => "59=2|",
                    "on_close" => "59=7|",
                    "ioc" => "59=3|",
                    _ => "",
                };
                // A decimal point where the price has one; zeros behind it mean nothing.
                let kind = if price.contains('.') { kind } else { kind.replace("00|", "|") };
                let kind = if price.contains('.') || price.is_empty() { kind } else { format!("40=2|44={price}.0|") };
                log.report(&new, issue, &utc, "0", &format!("{kind}{force}"));
                live.insert(key(order), new);
                let named = if server.is_empty() { String::new() } else { format!("TSE/{server}") };
                keep(&mut kept, &format!("{time},{issue},add,{order},,{named},{side},{price},{quantity},{condition},"));
            }
            "replace" => {
                let mut changed = live.remove(&key(order)).expect("a live order");
                let old = changed.client;
                changed.client = log.client();
                if !price.is_empty() {
                    changed.price = price.to_owned();
                }
                if !quantity.is_empty() {
                    changed.quantity = quantity.parse().expect("a quantity");
                }
                let limit =
                    if changed.price.is_empty() { "40=1|".to_owned() } else { format!("44={}|", changed.price) };
                log.report(&changed, issue, &utc, "5", &format!("41=C{old}|{limit}"));
                live.insert(key(if contra.is_empty() { order } else { contra }), changed);
                keep(&mut kept, &rest(&cells));
            }
            "reduce" | "trade" => {
                let filled: u64 = quantity.parse().expect("a quantity");
                for name in [order, contra].into_iter().filter(|name| !name.is_empty()) {
                    let reduced = live.get_mut(&key(name)).expect("a live order");
                    reduced.quantity -= filled;
                    let limit = if price.is_empty() { reduced.price.clone() } else { price.to_owned() };
                    let (kind, more) = match event {
                        "reduce" => ("D", String::new()),
                        _ => ("F", format!("31={limit}|32={quantity}|")),
                    };
                    let reduced = reduced.clone();
                    log.report(&reduced, issue, &utc, kind, &more);
                    if reduced.quantity == 0 {
                        live.remove(&key(name));
                    }
                }
                keep(&mut kept, &rest(&cells));
            }
            "cancel" => {
                let mut gone = live.remove(&key(order)).expect("a live order");
                gone.quantity = 0;
                log.report(&gone, issue, &utc, "4", "");
                keep(&mut kept, &rest(&cells));
            }
            other => panic!("{other}"),
        }
    }
    (kept, log.text)
}

/// A made-up day in a folder: `day.csv`, `day.log`, and a registry whose servers are sessions.
fn made_up(bench: &Bench, seed: &str, separator: &'static str) {
    let generate = bench.run(&["generate", "--events", "3000", "--seed", seed, "--out", "made"]);
    assert_eq!(generate.status.code(), Some(0), "{}", stderr(&generate));
    let (csv, log) = both(&bench.read("made/2024-03-01.csv"), separator);
    bench.write("made/day.csv", csv.as_bytes());
    bench.write("made/day.log", log.as_bytes());
    let servers = bench.read("made/registry/virtual_servers.csv");
    let (header, rows) = servers.split_once('\n').expect("a header");
    let rows: Vec<String> = rows.lines().map(|row| format!("TSE/{row}")).collect();
    bench.write("made/registry/virtual_servers.csv", format!("{header}\n{}\n", rows.join("\n")).as_bytes());
}

#[test]
fn made_up_days_as_logs_give_what_their_csv_gives() {
    for (seed, separator) in [("3", "\u{1}"), ("4", "|"), ("5", "^A")] {
        let bench = Bench::new();
        made_up(&bench, seed, separator);
        for (file, out) in [("made/day.csv", "csv"), ("made/day.log", "log")] {
            let output = bench.run(&["replay", "--registry", "made/registry", "--out", out, file]);
            assert_eq!(output.status.code(), Some(0), "{file}: {}", stderr(&output));
        }
        for name in ["daily.csv", "breaches.csv"] {
            assert_eq!(bench.read(&format!("log/{name}")), bench.read(&format!("csv/{name}")), "{seed}: {name}");
        }
        assert!(bench.read("log/daily.csv").lines().count() > 4);
    }
}

#[test]
fn a_damaged_log_stops_or_is_set_aside() {
    let bench = Bench::new();
    made_up(&bench, "3", "|");
    let log = bench.read("made/day.log");
    let line = log.lines().position(|line| line.contains("|150=F|")).expect("a fill");
    let damaged: Vec<String> = log
        .lines()
        .enumerate()
        .map(|(position, text)| if position == line { text.replace("|32=", "|32=x") } else { text.to_owned() })
        .collect();
    bench.write("made/bad.log", damaged.join("\n").as_bytes());
    let strict = bench.run(&["replay", "--registry", "made/registry", "--out", "strict", "made/bad.log"]);
    assert_eq!(strict.status.code(), Some(1));
    let expected = format!("line {}: 32: found \"x", line + 1);
    assert!(stderr(&strict).contains(&expected), "{}", stderr(&strict));
    let lenient = bench.run(&["replay", "--registry", "made/registry", "--lenient", "--out", "out", "made/bad.log"]);
    assert_eq!(lenient.status.code(), Some(3), "{}", stderr(&lenient));
    assert!(bench.read("out/rejects.csv").contains(&format!("line {}", line + 1)));
    // A message of a session left out: every issue is in doubt; with --allow-gaps nobody minds.
    let shorter: Vec<&str> =
        log.lines().enumerate().filter(|(position, _)| *position != line).map(|(_, text)| text).collect();
    bench.write("made/gap.log", shorter.join("\n").as_bytes());
    let strict = bench.run(&["replay", "--registry", "made/registry", "made/gap.log"]);
    assert_eq!(strict.status.code(), Some(1));
    assert!(stderr(&strict).contains("records are missing"), "{}", stderr(&strict));
}

#[test]
fn other_commands_take_a_log_too() {
    let bench = Bench::new();
    made_up(&bench, "3", "|");
    let convert = bench.run(&["convert", "made/day.log", "made/again.csv"]);
    assert_eq!(convert.status.code(), Some(0), "{}", stderr(&convert));
    for (file, out) in [("made/again.csv", "again"), ("made/day.log", "log")] {
        let output = bench.run(&["replay", "--registry", "made/registry", "--out", out, file]);
        assert_eq!(output.status.code(), Some(0), "{file}: {}", stderr(&output));
    }
    assert_eq!(bench.read("again/daily.csv"), bench.read("log/daily.csv"));
    let daily = bench.read("log/daily.csv");
    let row: Vec<&str> = daily.lines().nth(1).expect("a row").split(',').collect();
    let explain =
        ["explain", "--registry", "made/registry", "--market-maker", row[1], "--issue", row[2], "made/day.log"];
    let explain = bench.run(&explain);
    assert_eq!(explain.status.code(), Some(0), "{}", stderr(&explain));
    assert!(stdout(&explain).contains(row[2]));
}

#[test]
fn a_drop_copy_of_trades_alone_is_refused_with_the_reason() {
    let bench = Bench::new();
    let fill =
        "8=FIX.4.4|35=8|34=1|49=TSE|56=MM1|52=20240301-00:10:00|37=O1|150=F|55=1306|54=1|31=100|32=1|151=0|10=000|\n";
    bench.write("trades.log", fill.as_bytes());
    for more in [&[][..], &["--lenient"]] {
        let output = bench.replay(&[more, &["trades.log"]].concat());
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        assert!(stderr(&output).contains("a drop copy of trades alone cannot be measured"), "{}", stderr(&output));
        assert!(fs::metadata(bench.path("out")).is_err());
    }
}
