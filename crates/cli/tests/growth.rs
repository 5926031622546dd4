//! No input is quadratic: for the shapes that were, or could be, twice as many records cost about twice as much.
//!
//! What is counted are instructions, by valgrind, of the command itself; a machine's load does not matter. The steps from
//! n to 2n and from 2n to 4n are compared, so that what a run costs before its first record falls out.

mod support;

use std::fmt::Write;
use std::process::Command;
use support::{Bench, skipped};

const HEADER: &str = "time,issue,event,order,server,side,price,quantity,phase\n";

/// How much the second step may cost in percent of the first, which is half as long: 200 would be a line, 400 a square.
const GROWTH_MAX: u64 = 270;

/// The issues of [`over_issues`], and how many of them are measured.
const ISSUES: usize = 10_000;
const MEASURED: usize = 100;

/// The smallest input of a shape, in records.
const RECORDS: usize = 1_000;

/// Instructions of `quoteclock` with these arguments; `None` without valgrind.
fn instructions(bench: &Bench, arguments: &[&str]) -> Option<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"])
        .arg(assert_cmd::cargo::cargo_bin!("quoteclock"))
        .args(arguments)
        .current_dir(bench.path(""))
        .output()
        .ok()?;
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(matches!(output.status.code(), Some(0 | 3)), "{arguments:?}: {error}");
    let count = error.lines().find_map(|line| line.split_once("refs:")).expect("valgrind counts instructions").1;
    Some(count.trim().replace(',', "").parse().expect("a number"))
}

/// A time so many microseconds after nine.
fn at(micros: usize) -> String {
    let seconds = micros / 1_000_000;
    format!("2024-03-01T09:{:02}:{:02}.{:06}+09:00", seconds / 60, seconds % 60, micros % 1_000_000)
}

fn add(text: &mut String, micros: usize, order: usize, side: char, price: &str, shares: u64) {
    writeln!(text, "{},1306,add,{order},VS1,{side},{price},{shares},", at(micros)).expect("a string");
}

fn cancel(text: &mut String, micros: usize, order: usize) {
    writeln!(text, "{},1306,cancel,{order},,,,,", at(micros)).expect("a string");
}

/// An order that comes and goes after `levels`, at a price, with the largest quantity.
fn come_and_go(text: &mut String, levels: usize, price: &str) {
    for k in 0..levels {
        match k % 2 {
            0 => add(text, levels + k, 1_000_000 + k, 'B', price, 1_000_000_000_000),
            _ => cancel(text, levels + k, 1_000_000 + k - 1),
        }
    }
}

/// Many own levels, and below all of them an order that makes the minimum.
fn bottom(count: usize) -> String {
    let mut text = HEADER.to_owned();
    (0..count / 2).for_each(|k| add(&mut text, k, k, 'B', &format!("{}", k + 2), 1));
    add(&mut text, count / 2 - 1, 2_000_000, 'S', &format!("{}", count + 10), 1_000_000_000);
    come_and_go(&mut text, count / 2, "1");
    text
}

/// The same with sums that 64 bits do not hold.
fn beyond(count: usize) -> String {
    let mut text = HEADER.to_owned();
    (0..count / 2).for_each(|k| add(&mut text, k, k, 'B', &format!("{}.{:04}", 1 + k / 10_000, k % 10_000), 1));
    add(&mut text, count / 2 - 1, 2_000_000, 'B', "0.0001", 1_000_000_000_000);
    come_and_go(&mut text, count / 2, "1000000000");
    text
}

/// The minimum is never reached; the best level comes and goes.
fn top(count: usize) -> String {
    let mut text = HEADER.to_owned();
    (0..count / 2).for_each(|k| add(&mut text, k, k, 'B', &format!("{}", k + 1), 1));
    for k in 0..count / 2 {
        match k % 2 {
            0 => add(&mut text, count / 2 + k, 1_000_000 + k, 'B', &format!("{}", count), 1),
            _ => cancel(&mut text, count / 2 + k, 1_000_000 + k - 1),
        }
    }
    text
}

/// Order numbers that differ in their highest bits only.
fn numbers(count: usize) -> String {
    let mut text = HEADER.to_owned();
    for k in 0..count {
        let order = (k as u64) << 40;
        writeln!(text, "{},1306,add,{order},,B,100,1,", at(k)).expect("a string");
    }
    text
}

/// A book that is emptied again and again.
fn clears(count: usize) -> String {
    let mut text = HEADER.to_owned();
    for k in 0..count / 2 {
        add(&mut text, k, k, 'B', "100", 1);
        writeln!(text, "{},*,clear,,,,,,", at(k)).expect("a string");
    }
    text
}

/// The market halts and goes on.
fn phases(count: usize) -> String {
    let mut text = HEADER.to_owned();
    for k in 0..count {
        let phase = if k % 2 == 0 { "halt" } else { "continuous" };
        writeln!(text, "{},*,phase,,,,,,{phase}", at(k)).expect("a string");
    }
    text
}

/// The market halts and goes on over ten thousand issues, of which a hundred are measured, and each of which is touched
/// now and then.
fn over_issues(count: usize) -> String {
    let mut text = HEADER.to_owned();
    for issue in 0..ISSUES {
        writeln!(text, "{},{issue:05},add,1,VS1,B,100,10,", at(0)).expect("a string");
    }
    for k in 0..count / 2 {
        let phase = if k % 2 == 0 { "halt" } else { "continuous" };
        writeln!(text, "{},*,phase,,,,,,{phase}", at(k)).expect("a string");
        writeln!(text, "{},{:05},add,{},VS1,S,101,10,", at(k), k * 7 % ISSUES, k + 2).expect("a string");
    }
    text
}

/// As many issues as phases: what they cost is their sum, not their product.
fn issues_and_phases(count: usize) -> String {
    let mut text = HEADER.to_owned();
    (0..count / 3).for_each(|k| writeln!(text, "{},N{k},add,1,,B,100,10,", at(0)).expect("a string"));
    (0..count / 3).for_each(|k| writeln!(text, "{},*,phase,,,,,,halt", at(k)).expect("a string"));
    (0..count / 3).for_each(|k| writeln!(text, "{},N{k},cancel,1,,,,,", at(count)).expect("a string"));
    text
}

/// Every order by a server of its own and of an issue of its own, none of which the registry knows: all are named.
fn strangers(count: usize) -> String {
    let mut text = HEADER.to_owned();
    (0..count).for_each(|k| writeln!(text, "{},N{k},add,1,S{k},B,100,10,", at(k)).expect("a string"));
    text
}

/// Nothing but line ends.
fn blank_lines(count: usize) -> String {
    format!("{HEADER}{},1306,add,1,VS1,B,100,1,\n{}", at(0), "\n".repeat(8 * count))
}

/// All at one time.
fn instant(count: usize) -> String {
    let mut text = HEADER.to_owned();
    for k in 0..count {
        add(&mut text, 0, k, if k % 2 == 0 { 'B' } else { 'S' }, &format!("{}", 100 + k), 1_000);
    }
    text
}

/// Every second record belongs to time that has been measured already, and names no issue: known to be unknown only in a
/// second pass.
fn late(count: usize) -> String {
    let mut text = HEADER.to_owned();
    for k in 0..count / 2 {
        writeln!(text, "{},1306,phase,,,,,,continuous", at(10 * k + 5)).expect("a string");
        writeln!(text, "{},,cancel,7,,,,,", at(10 * k + 3)).expect("a string");
        writeln!(text, "{},*,clear,,,,,,", at(10 * k + 6)).expect("a string");
    }
    text
}

fn check(name: &str, text: fn(usize) -> String, arguments: &[&str]) {
    let bench = Bench::new();
    // More obligations than one, so that each of them would be walked.
    let sponsored = "condition,issue,max_spread_bps,min_value_jpy\nC0,1306,20,1000\nC1,1306,21,100000\n";
    bench.write("registry/sponsored.csv", sponsored.as_bytes());
    let count = if name == "over_issues" { MEASURED } else { 0 };
    let measured = |row: fn(usize) -> String| (0..count).map(row).collect::<String>();
    let issues = measured(|issue| format!("{issue:05},T,yen\n"));
    let sign_ups = measured(|issue| format!("MM1,{issue:05}\n"));
    bench.write("registry/issues.csv", format!("issue,type,tick_table\n1306,T,yen\n1321,T,yen\n{issues}").as_bytes());
    bench.write("registry/signups.csv", format!("market_maker,issue\nMM1,1306\nMM1,1321\n{sign_ups}").as_bytes());
    let mut said = String::new();
    // Order numbers are hashed under a key drawn at random, and once in a while one is unlucky: never three times.
    for _ in 0..3 {
        let mut counts = Vec::new();
        for factor in [1, 2, 4] {
            bench.write("day.csv", text(RECORDS * factor).as_bytes());
            match instructions(&bench, &[arguments, &["--lenient", "day.csv"]].concat()) {
                Some(count) => counts.push(count),
                None => return skipped("no valgrind to count instructions with"),
            }
        }
        let [first, second, third] = counts[..] else { unreachable!("three inputs") };
        let (one, other) = (second.saturating_sub(first), third.saturating_sub(second));
        let growth = other * 100 / one.max(1);
        said = format!("{name} {arguments:?}: {first} {second} {third}, growth {growth} %");
        println!("{said}");
        if growth < GROWTH_MAX {
            return;
        }
    }
    panic!("grows faster than its input: {said}");
}

const REPLAY: &[&str] = &["replay", "--threads", "1", "--registry", "registry"];
const EXPLAIN: &[&str] = &["explain", "--registry", "registry", "--market-maker", "MM1", "--issue", "1306"];

macro_rules! shapes {
    ($($shape:ident $replay:ident $explain:ident,)*) => {
        $(
            #[test]
            fn $replay() {
                check(stringify!($shape), $shape, REPLAY);
            }

            #[test]
            fn $explain() {
                check(stringify!($shape), $shape, EXPLAIN);
            }
        )*
    };
}

shapes! {
    bottom replay_of_levels_above_the_minimum explain_of_levels_above_the_minimum,
    beyond replay_of_sums_beyond_64_bits explain_of_sums_beyond_64_bits,
    top replay_of_levels_that_reach_no_minimum explain_of_levels_that_reach_no_minimum,
    numbers replay_of_a_flood_of_order_numbers explain_of_a_flood_of_order_numbers,
    clears replay_of_a_storm_of_clears explain_of_a_storm_of_clears,
    phases replay_of_a_storm_of_phases explain_of_a_storm_of_phases,
    over_issues replay_of_a_storm_of_phases_over_issues explain_of_a_storm_of_phases_over_issues,
    issues_and_phases replay_of_as_many_issues_as_phases explain_of_as_many_issues_as_phases,
    strangers replay_of_servers_and_issues_of_nobody explain_of_servers_and_issues_of_nobody,
    blank_lines replay_of_blank_lines explain_of_blank_lines,
    instant replay_of_a_storm_at_one_instant explain_of_a_storm_at_one_instant,
    late replay_of_time_found_out_late explain_of_time_found_out_late,
}
