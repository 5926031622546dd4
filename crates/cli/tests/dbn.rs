//! A venue's days as Databento's own encoder writes them give what their CSV gives, byte for byte; the orders are one's own by a
//! sheet of their numbers.

mod support;

use dbn::encode::EncodeRecord;
use dbn::{FlagSet, MboMsg, RecordHeader, StatusAction, UNDEF_PRICE, UNDEF_TIMESTAMP, rtype};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use support::dbn::{MIDNIGHT, Writer, text_bytes};
use support::{Bench, GOOD, day_text, real_data, stderr, stdout};

/// A resting order: its number in DBN, its limit as written, and what remains.
struct Order {
    number: u64,
    side: u8,
    price: i64,
    left: u32,
}

/// A day twice: as CSV without what DBN does not tell, and as DBN with the sheet of whose orders are whose.
struct Twin {
    csv: String,
    dbn: Vec<u8>,
    own_orders: String,
}

fn nanos(time: &str) -> u64 {
    let number = |range: std::ops::Range<usize>| time[range].parse::<u64>().expect("digits");
    let seconds = number(11..13) * 3600 + number(14..16) * 60 + number(17..19);
    // What is finer than a microsecond is floored.
    MIDNIGHT + seconds * 1_000_000_000 + number(20..26) * 1000 + 999
}

fn units(price: &str) -> i64 {
    let (whole, decimals) = price.split_once('.').unwrap_or((price, ""));
    format!("{whole}{decimals:0<9}").parse().expect("digits")
}

fn twin(csv: &str, version: u8) -> Twin {
    let rows: Vec<Vec<&str>> = csv.lines().skip(1).map(|line| line.split(',').collect()).collect();
    let mut issues: Vec<String> = rows.iter().map(|row| row[2].to_owned()).filter(|issue| issue != "*").collect();
    issues.sort_unstable();
    issues.dedup();
    let number_of =
        |issue: &str| u32::try_from(1 + issues.iter().position(|one| one == issue).expect("known")).expect("few");
    let mut writer = Writer::new(version, &issues);
    let mut kept = "time,issue,event,order,contra,server,side,price,quantity,phase\n".to_owned();
    let mut own_orders = "issue,order,server\n".to_owned();
    let mut live: BTreeMap<(String, String), Order> = BTreeMap::new();
    let mut orders = 0;
    for row in &rows {
        let [_, time, issue, event, order, contra, server, side, price, quantity, _, phase] = row[..] else {
            panic!("twelve columns: {row:?}");
        };
        writer.now = nanos(time);
        let key = |order: &str| (issue.to_owned(), order.to_owned());
        let mut is_kept = true;
        match event {
            "phase" => {
                let action = match phase {
                    "continuous" => Some(StatusAction::Trading),
                    "special_quote" => Some(StatusAction::Quoting),
                    "halt" => Some(StatusAction::Halt),
                    "auction" => Some(StatusAction::PreOpen),
                    "closed" => Some(StatusAction::Close),
                    _ => None,
                };
                is_kept = issue != "*" && action.is_some();
                if let (true, Some(action)) = (is_kept, action) {
                    writer.status(number_of(issue), action);
                }
            }
            "clear" => {
                live.retain(|(of, _), _| issue != "*" && of != issue);
                for (number, _) in (1..).zip(&issues).filter(|(_, one)| issue == "*" || *one == issue) {
                    writer.order(number, b'R', b'N', 0, (UNDEF_PRICE, 0), true);
                }
            }
            "add" => {
                orders += 1;
                let new = Order {
                    number: orders,
                    side: if side == "B" { b'B' } else { b'A' },
                    price: if price.is_empty() { UNDEF_PRICE } else { units(price) },
                    left: quantity.parse().expect("a quantity"),
                };
                if !server.is_empty() {
                    writeln!(own_orders, "{},{orders},{server}", if orders.is_multiple_of(2) { issue } else { "" })
                        .expect("memory");
                }
                writer.order(number_of(issue), b'A', new.side, new.number, (new.price, new.left), true);
                live.insert(key(order), new);
            }
            "replace" => {
                let mut changed = live.remove(&key(order)).expect("a live order");
                if !price.is_empty() {
                    changed.price = units(price);
                }
                if !quantity.is_empty() {
                    changed.left = quantity.parse().expect("a quantity");
                }
                let limit = if price.is_empty() { UNDEF_PRICE } else { changed.price };
                writer.order(number_of(issue), b'M', changed.side, changed.number, (limit, changed.left), true);
                live.insert(key(if contra.is_empty() { order } else { contra }), changed);
            }
            "reduce" | "cancel" => {
                let reduced = live.get_mut(&key(order)).expect("a live order");
                let size = if event == "cancel" { reduced.left } else { quantity.parse().expect("a quantity") };
                reduced.left -= size;
                writer.order(number_of(issue), b'C', reduced.side, reduced.number, (reduced.price, size), true);
                live.retain(|_, order| 0 < order.left);
            }
            "trade" => {
                let size: u32 = quantity.parse().expect("a quantity");
                let names: Vec<&str> = [order, contra].into_iter().filter(|name| !name.is_empty()).collect();
                let limit = if price.is_empty() { live[&key(names[0])].price } else { units(price) };
                let number = number_of(issue);
                writer.order(number, b'T', b'N', 0, (limit, size), names.is_empty());
                for name in &names {
                    let filled = &live[&key(name)];
                    writer.order(number, b'F', filled.side, filled.number, (limit, size), false);
                }
                for (position, name) in names.iter().enumerate() {
                    let filled = live.get_mut(&key(name)).expect("a live order");
                    filled.left -= size;
                    let is_last = position + 1 == names.len();
                    // An order that remains is told with its values, or by what is taken off it.
                    if 0 < filled.left && size.is_multiple_of(2) {
                        writer.order(number, b'M', filled.side, filled.number, (filled.price, filled.left), is_last);
                    } else {
                        writer.order(number, b'C', filled.side, filled.number, (filled.price, size), is_last);
                    }
                }
                live.retain(|_, order| 0 < order.left);
            }
            other => panic!("{other}"),
        }
        if is_kept {
            let cells = [time, issue, event, order, contra, server, side, price, quantity, phase];
            writeln!(kept, "{}", cells.join(",")).expect("writing to a string");
        }
    }
    Twin { csv: kept, dbn: writer.encoder.get_ref().clone(), own_orders }
}

/// A made-up day of these seeds in a folder: `day.csv`, `day.dbn` and `own.csv`.
fn made_up(bench: &Bench, seed: &str, version: u8) -> Twin {
    let generate = bench.run(&["generate", "--events", "3000", "--seed", seed, "--out", "made"]);
    assert_eq!(generate.status.code(), Some(0), "{}", stderr(&generate));
    let twin = twin(&bench.read("made/2024-03-01.csv"), version);
    bench.write("made/day.csv", twin.csv.as_bytes());
    let plain = version == 2;
    let stored = if plain { twin.dbn.clone() } else { zstd::encode_all(&twin.dbn[..], 3).expect("memory") };
    bench.write("made/day.dbn", &stored);
    bench.write("made/own.csv", twin.own_orders.as_bytes());
    twin
}

const REPLAY: [&str; 3] = ["replay", "--registry", "made/registry"];

fn run(bench: &Bench, code: i32, more: &[&str]) -> String {
    let output = bench.run(more);
    assert_eq!(output.status.code(), Some(code), "{more:?}: {}", stderr(&output));
    stderr(&output)
}

#[test]
fn made_up_days_as_dbn_give_what_their_csv_gives() {
    for (seed, version) in [("3", 1), ("4", 2), ("5", 3), ("6", 3)] {
        let bench = Bench::new();
        made_up(&bench, seed, version);
        run(&bench, 0, &[&REPLAY[..], &["--out", "csv", "made/day.csv"]].concat());
        run(&bench, 0, &[&REPLAY[..], &["--out", "dbn", "--own-orders", "made/own.csv", "made/day.dbn"]].concat());
        for name in ["daily.csv", "breaches.csv"] {
            assert_eq!(bench.read(&format!("dbn/{name}")), bench.read(&format!("csv/{name}")), "{seed}: {name}");
        }
        assert!(bench.read("dbn/breaches.csv").lines().count() > 4, "something is measured");
        // In a lenient run, too, and converted.
        let lenient = ["--lenient", "--out", "lenient", "--own-orders", "made/own.csv", "made/day.dbn"];
        run(&bench, 0, &[&REPLAY[..], &lenient].concat());
        assert_eq!(bench.read("lenient/daily.csv"), bench.read("csv/daily.csv"));
    }
}

#[test]
fn an_explanation_and_a_conversion_take_dbn_too() {
    let bench = Bench::new();
    made_up(&bench, "4", 2);
    run(&bench, 0, &["convert", "made/day.dbn", "made/again.csv"]);
    for (file, out) in [("made/again.csv", "again"), ("made/day.dbn", "dbn")] {
        run(&bench, 0, &[&REPLAY[..], &["--out", out, file]].concat());
    }
    assert_eq!(bench.read("again/daily.csv"), bench.read("dbn/daily.csv"));
    let daily = bench.read("dbn/daily.csv");
    let row: Vec<&str> = daily.lines().nth(1).expect("a row").split(',').collect();
    let of = ["explain", "--registry", "made/registry", "--market-maker", row[1], "--issue", row[2]];
    let explain = |more: &[&str]| {
        let output = bench.run(&[&of[..], more].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        stdout(&output)
    };
    let csv = explain(&["made/day.csv"]);
    let dbn = explain(&["--own-orders", "made/own.csv", "made/day.dbn"]);
    let share = |text: &str| text.lines().find(|line| line.contains('%')).map(str::to_owned);
    assert_eq!(share(&dbn), share(&csv));
    assert!(share(&dbn).is_some(), "{dbn}");
}

#[test]
fn orders_that_the_input_does_not_have_are_named() {
    let bench = Bench::new();
    let twin = made_up(&bench, "4", 2);
    bench.write("made/more.csv", format!("{}1306,99999999,VS\n,99999998,VS\n", twin.own_orders).as_bytes());
    let with = ["--own-orders", "made/more.csv", "made/day.dbn"];
    let text = run(&bench, 0, &[&REPLAY[..], &with].concat());
    assert!(text.contains("2 own orders that the input does not have: 99999998, 99999999 of 1306"), "{text}");
    run(&bench, 3, &[&REPLAY[..], &["--strict-coverage"], &with].concat());
    let json = bench.run(&[&REPLAY[..], &["--json"], &with].concat());
    assert!(stdout(&json).contains("\"unseen_order\""), "{}", stderr(&json));
}

#[test]
fn a_sheet_of_orders_is_refused_with_all_that_is_wrong() {
    let bench = Bench::new();
    bench.day("day.csv", &GOOD);
    bench.write("own.csv", b"issue,order,server\n1306,x,VS1\n,7,\n1306,1,VS1\n1306,1,VS2\n\"a,b\",2,VS1\n");
    let output = bench.replay(&["--own-orders", "own.csv", "day.csv"]);
    assert_eq!(output.status.code(), Some(1));
    let text = stderr(&output);
    for expected in [
        "own.csv: line 2, column order: found \"x\", expected an order's number",
        "own.csv: line 3, column server: it is empty",
        "own.csv: line 5, column order: order 1 is there twice, in line 4 first",
        "own.csv: line 6, column issue: found \"a,b\", expected an issue's code",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    bench.write("own.csv", b"number,server\n1,VS1\n");
    let output = bench.replay(&["--own-orders", "own.csv", "day.csv"]);
    assert!(stderr(&output).contains("own.csv: line 1, column number: unknown column"), "{}", stderr(&output));
    let output = bench.replay(&["--own-orders", "absent.csv", "day.csv"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let output = bench.replay(&["--own-orders", "own.csv", "day.csv", "day.csv"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
}

#[test]
fn an_order_that_replaces_ones_own_keeps_its_server() {
    let bench = Bench::new();
    let named: Vec<String> = GOOD
        .iter()
        .map(|line| (*line).to_owned())
        .chain(["09:10:00,1306,replace,1,11,,,999,12,,".to_owned()])
        .collect();
    let named: Vec<&str> = named.iter().map(String::as_str).collect();
    bench.day("named.csv", &named);
    let unnamed: Vec<String> = named.iter().map(|line| line.replace("VS1", "")).collect();
    bench.day("unnamed.csv", &unnamed.iter().map(String::as_str).collect::<Vec<_>>());
    bench.write("own.csv", b"order,server\n1,VS1\n2,VS1\n11,VS1\n");
    for (out, more) in [("a", ["named.csv"].as_slice()), ("b", &["--own-orders", "own.csv", "unnamed.csv"])] {
        let text = run(&bench, 0, &[&["replay", "--registry", "registry", "--out", out], more].concat());
        assert!(!text.contains("own order"), "{text}");
    }
    assert_eq!(bench.read("a/daily.csv"), bench.read("b/daily.csv"));
    assert!(bench.read("b/breaches.csv").lines().count() > 1);
}

/// What is done to a file.
type Damage<'a> = &'a dyn Fn(&mut Vec<u8>);

#[test]
fn damaged_dbn_stops_or_is_set_aside() {
    let bench = Bench::new();
    let twin = made_up(&bench, "4", 2);
    let records = twin.dbn.len() - 2000 * 56;
    let first = twin.dbn[records..].windows(2).position(|pair| pair == [14, 0xa0]).expect("a record") + records;
    let damage: [(&str, Damage<'_>, &str); 4] = [
        ("an action", &|bytes| bytes[first + 38] = b'?', "action: found \"?\""),
        ("a length", &|bytes| bytes[first] = 3, "record: found"),
        ("noise", &|bytes| drop(bytes.splice(first..first, *b"noise")), "record: found \"noise\" (5 bytes)"),
        ("the end", &|bytes| bytes.truncate(bytes.len() - 20), "record: found"),
    ];
    for (what, damage, problem) in damage {
        let mut bytes = twin.dbn.clone();
        damage(&mut bytes);
        bench.write("made/bad.dbn", &bytes);
        let text = run(&bench, 1, &[&REPLAY[..], &["--out", "out", "made/bad.dbn"]].concat());
        assert!(
            text.contains("made/bad.dbn: byte ") && text.contains(problem.trim_end_matches(" (5 bytes)")),
            "{what}: {text}"
        );
        assert!(!bench.path("out").exists(), "nothing is written");
        run(&bench, 3, &[&REPLAY[..], &["--lenient", "--out", "lenient", "made/bad.dbn"]].concat());
        let rejects = bench.read("lenient/rejects.csv");
        assert!(rejects.lines().nth(1).is_some_and(|line| line.starts_with("made/bad.dbn,byte ")), "{what}: {rejects}");
        let daily = bench.read("lenient/daily.csv");
        let is_unknown = daily.lines().skip(1).any(|line| line.split(',').nth(6) != Some("0"));
        // What names no issue puts all in doubt; the end of the file comes after that of the session.
        assert!(is_unknown || !matches!(what, "a length" | "noise"), "{what}: {daily}");
        fs::remove_dir_all(bench.path("lenient")).expect("it was written");
    }
    let compressed = zstd::encode_all(&twin.dbn[..], 3).expect("memory");
    bench.write("made/bad.dbn", &compressed[..compressed.len() - 9]);
    let text = run(&bench, 1, &[&REPLAY[..], &["made/bad.dbn"]].concat());
    assert!(text.contains("the zstd stream ends early"), "{text}");
    bench.write("made/bad.dbn", &twin.dbn[..100]);
    for command in [&["convert", "made/bad.dbn", "-"][..], &[&REPLAY[..], &["made/bad.dbn"]].concat()] {
        let text = run(&bench, 1, command);
        assert!(text.contains("made/bad.dbn: byte 0: head: found nothing, expected the whole"), "{text}");
    }
    let mut other_schema = twin.dbn.clone();
    other_schema[24] = 4;
    bench.write("made/bad.dbn", &other_schema);
    let text = run(&bench, 1, &[&REPLAY[..], &["--lenient", "made/bad.dbn"]].concat());
    assert!(text.contains("schema: found \"4\", expected schema mbo"), "{text}");
}

#[test]
fn the_publishers_own_files_are_read_in_each_version() {
    let Some(folder) = real_data("dbn") else { return };
    let mut read = 0;
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("readable").path();
        let bench = Bench::new();
        let file = path.to_str().expect("UTF-8");
        // Both records are of orders from before the file begins.
        let output = bench.replay(&[file]);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains("order 647784973705 is not in the issue's book"), "{}", stderr(&output));
        let convert = bench.run(&["convert", file, "-"]);
        let csv = stdout(&convert);
        assert_eq!(csv.lines().count(), 3, "{}{csv}", stderr(&convert));
        assert!(csv.lines().nth(1).is_some_and(|line| line.contains(",ESH1,reduce,647784973705,")), "{csv}");
        read += 1;
    }
    assert_eq!(read, 4);
}

#[test]
fn a_snapshot_with_orders_of_earlier_days_is_of_its_own_day() {
    let mut writer = Writer::new(3, &["1306".to_owned()]);
    let bench = Bench::new();
    let snapshot = FlagSet::empty().set_snapshot();
    let last_of_it = FlagSet::empty().set_snapshot().set_last();
    let at = MIDNIGHT + 9 * 3_600_000_000_000;
    let mut record = MboMsg {
        hd: RecordHeader::new::<MboMsg>(rtype::MBO, 1, 1, UNDEF_TIMESTAMP),
        order_id: 0,
        price: UNDEF_PRICE,
        size: 0,
        flags: snapshot,
        channel_id: 0,
        action: text_bytes("R")[0],
        side: text_bytes("N")[0],
        ts_recv: at,
        ts_in_delta: 0,
        sequence: 0,
    };
    writer.encoder.encode_record(&record).expect("memory");
    for (order, side, price) in [(1, "B", 1000), (2, "A", 1003)] {
        record.hd.ts_event = at - 86_400_000_000_000 * 3;
        (record.order_id, record.price, record.size) = (order, price * 1_000_000_000, 10);
        (record.action, record.side) = (text_bytes("A")[0], text_bytes(side)[0]);
        record.flags = if order == 2 { last_of_it } else { snapshot };
        writer.encoder.encode_record(&record).expect("memory");
    }
    bench.write("day.dbn", writer.encoder.get_ref());
    bench.write("own.csv", b"order,server\n1,VS1\n2,VS1\n");
    run(&bench, 0, &["replay", "--registry", "registry", "--out", "dbn", "--own-orders", "own.csv", "day.dbn"]);
    let rows =
        ["09:00:00,1306,clear,,,,,,,,", "09:00:00,1306,add,1,,VS1,B,1000,10,,", "09:00:00,1306,add,2,,VS1,S,1003,10,,"];
    bench.write("day.csv", day_text("2024-03-01", &rows).as_bytes());
    run(&bench, 0, &["replay", "--registry", "registry", "--out", "csv", "day.csv"]);
    assert_eq!(bench.read("dbn/daily.csv"), bench.read("csv/daily.csv"));
}

/// What a served pipe stores is what a lenient replay of its bytes does.
fn served_as_replayed(bench: &Bench, registry: &str, file: &str, beside: &[&str]) {
    let stdin = fs::File::open(bench.path(file)).expect("just written");
    let serve = ["serve", "--registry", registry, "--db", "served.db", "--journal", "journal", "--feed", "-", "--once"];
    let output = bench.command(&[&serve, beside].concat()).stdin(stdin).output().expect("the binary runs");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    run(bench, 0, &[&["replay", "--registry", registry, "--lenient", "--db", "replayed.db", file], beside].concat());
    run(bench, 0, &["compare", "served.db", "replayed.db"]);
}

#[test]
fn a_pipe_may_carry_dbn_or_a_log() {
    let bench = Bench::new();
    made_up(&bench, "4", 2);
    served_as_replayed(&bench, "made/registry", "made/day.dbn", &[]);
    let bench = Bench::new();
    made_up(&bench, "4", 2);
    served_as_replayed(&bench, "made/registry", "made/day.dbn", &["--own-orders", "made/own.csv"]);
    let bench = Bench::new();
    bench.write("registry/virtual_servers.csv", b"server,market_maker\nTSE/MM1,MM1\n");
    let order = |number: u32, side: u32, price: u32| {
        format!(
            "20240301-00:00:0{number}.000 : 8=FIX.4.4\u{1}9=1\u{1}35=8\u{1}34={number}\u{1}49=TSE\u{1}56=MM1\u{1}\
             52=20240301-00:00:0{number}\u{1}37=O{number}\u{1}150=0\u{1}55=1306\u{1}54={side}\u{1}44={price}\u{1}151=10\u{1}\
             10=000\u{1}\n"
        )
    };
    bench.write("messages.log", [order(1, 1, 1000), order(2, 2, 1003)].concat().as_bytes());
    served_as_replayed(&bench, "registry", "messages.log", &[]);
}
