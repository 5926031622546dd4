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

/// A report of the exchange to MM1, at a time of UTC, of an issue.
fn report(number: u32, time: &str, issue: &str, rest: &str) -> String {
    format!(
        "8=FIX.4.4|9=1|35=8|34={number}|49=TSE|56=MM1|52=20240301-{time}|55={issue}|60=20240301-{time}|{rest}|10=0|"
    )
}

/// Both sides of two issues from 09:00 on, what stands in the sixth place at 09:10, and a good report at 09:20.
fn log_with(what: &str) -> String {
    let mut lines = vec!["8=FIX.4.4|9=1|35=A|34=1|49=TSE|56=MM1|52=20240301-00:00:00|108=30|10=0|".to_owned()];
    for (number, issue, side, price) in
        [(2, "1306", 1, 1000), (3, "1306", 2, 1003), (4, "1321", 1, 1000), (5, "1321", 2, 1003)]
    {
        let order = format!("37=O{number}|11=C{number}|150=0|54={side}|44={price}|151=10");
        lines.push(report(number, "00:00:00", issue, &order));
    }
    lines.push(what.to_owned());
    lines.push(report(7, "00:20:00", "1306", "37=O2|11=C2|150=D|54=1|44=1000|151=9"));
    lines.join("\n").replace('|', "\u{1}") + "\n"
}

#[test]
fn every_kind_of_damage_stops_a_strict_run_and_leaves_a_lenient_one_in_doubt() {
    let bench = Bench::new();
    bench.write("registry/virtual_servers.csv", b"server,market_maker\nTSE/MM1,MM1\n");
    let of = |rest: &str| report(6, "00:10:00", "1306", rest);
    let fill = "37=O2|11=C2|150=F|54=1|31=1000|32=4|151=6";
    let quote = |rest: &str| {
        format!(
            "8=FIX.4.4|9=1|35=S|34=1|49=MM1|56=TSE|52=20240301-00:10:00|117=Q|55=1306|{rest}|10=0|\n{}",
            of("150=A|37=O9")
        )
    };
    let rest_of_hour = 3_000_000_000_u64;
    let hour = 3_600_000_000_u64;
    let both = |micros: u64| [micros, micros];
    // What is wrong, the message, what is said of it, and what is unknown of each issue: its own, or both where it names none;
    // from its time on, or from the last good one where that cannot be read or is another day's.
    let damage: [(&str, String, &str, [u64; 2]); 17] = [
        ("a quantity", of(&fill.replace("32=4", "32=x")), "32: found \"x\"", [rest_of_hour, 0]),
        ("a price", of(&fill.replace("31=1000", "31=1000.00001")), "31: found \"1000.00001\"", [rest_of_hour, 0]),
        ("no remaining quantity", of(&fill.replace("|151=6", "")), "151: found nothing", [rest_of_hour, 0]),
        ("a side", of("37=O6|150=0|54=9|44=1000|151=1"), "54: found \"9\"", [rest_of_hour, 0]),
        ("no order", of(&fill.replace("37=O2|", "")), "37: found nothing", [rest_of_hour, 0]),
        ("a kind", of(&fill.replace("150=F", "150=?")), "150: found \"?\"", [rest_of_hour, 0]),
        ("an unknown order", of("37=O8|11=C8|150=F|54=1|31=1000|32=4|151=6"), "37: found \"O8\"", [rest_of_hour, 0]),
        ("more than remains", of(&fill.replace("32=4", "32=11")), "11", [rest_of_hour, 0]),
        (
            "an order that is there",
            of("37=O2|150=0|54=1|44=1000|151=10|11=C9"),
            "is already in the issue's book",
            [rest_of_hour, 0],
        ),
        ("a quote's price", quote("132=x|134=1"), "132: found \"x\"", [rest_of_hour, 0]),
        ("no issue", of(fill).replace("55=1306", "55="), "55: found nothing", both(rest_of_hour)),
        ("a time", of(fill).replace("60=20240301-00:1", "60=20240301-00:x"), "60: found", [hour, 0]),
        ("another day", of(fill).replace("60=20240301", "60=20240302"), "date", [hour, 0]),
        ("an earlier time", of(fill).replace("60=20240301-00:10:00", "60=20240229-23:59:00"), "time", [hour, 0]),
        ("a line that breaks off", of(fill)[..60].to_owned(), "record: found", both(hour)),
        ("a number left out", String::new(), "records are missing", both(hour)),
        ("a number twice", [of(fill), of(fill)].join("\n"), "34: found \"6\"", [rest_of_hour, 0]),
    ];
    for (what, line, said, unknown) in damage {
        bench.write("bad.log", log_with(&line).as_bytes());
        let strict = bench.replay(&["bad.log"]);
        assert_eq!(strict.status.code(), Some(1), "{what}: {}", stderr(&strict));
        assert!(
            stderr(&strict).contains("bad.log: line ") && stderr(&strict).contains(said),
            "{what}: {}",
            stderr(&strict)
        );
        assert!(!bench.path("out").exists(), "{what}: nothing is written");
        let lenient = bench.replay(&["--lenient", "bad.log"]);
        assert_eq!(lenient.status.code(), Some(3), "{what}: {}", stderr(&lenient));
        let daily = bench.read("out/daily.csv");
        let found: Vec<&str> = daily.lines().skip(1).filter_map(|row| row.split(',').nth(6)).collect();
        assert_eq!(found, unknown.map(|micros| micros.to_string()), "{what}: {}", bench.read("out/rejects.csv"));
        fs::remove_dir_all(bench.path("out")).expect("it was written");
    }
    // What is no damage: a message sent again, data that holds a message, a gap that nobody minds.
    let again = report(5, "00:00:00", "1321", "43=Y|37=O5|11=C5|150=0|54=2|44=1003|151=10");
    let inner = "8=FIX.4.4|35=8|37=O9|10=1|";
    let data = of(&format!("{fill}|95={}|96={inner}", inner.len()));
    for (what, line, more) in [
        ("again", format!("{again}\n{}", of(fill)), &[][..]),
        ("data", data, &[]),
        ("a gap", String::new(), &["--allow-gaps"]),
        ("the firm's own direction", quote("35=x").replace("35=S", "35=D"), &[]),
    ] {
        bench.write("good.log", log_with(&line).as_bytes());
        let output = bench.replay(&[more, &["good.log"]].concat());
        assert_eq!(output.status.code(), Some(0), "{what}: {}", stderr(&output));
    }
}
