//! The generators, and what must hold of every day they make.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use crate::{Case, Outcome, generate, measure};

/// `daily.csv` and `breaches.csv` as rows of fields, without their headers.
struct Measured {
    daily: Vec<Vec<String>>,
    breaches: Vec<Vec<String>>,
    rejects: Vec<u64>,
}

fn measured(case: &Case) -> Option<Measured> {
    let rows = |text: &str| text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect();
    match measure(case) {
        Outcome::Refused { .. } => None,
        Outcome::Measured { daily, breaches, rejects } => {
            Some(Measured { daily: rows(&daily), breaches: rows(&breaches), rejects })
        }
    }
}

/// The durations of an obligation's breaches add up to available minus fulfilled.
fn assert_sums(measured: &Measured) {
    for row in &measured.daily {
        let number = |at: usize| row[at].parse::<i64>().unwrap();
        let own = measured.breaches.iter().filter(|breach| breach[..4] == row[..4]);
        let breached: i64 = own.map(|breach| breach[6].parse::<i64>().unwrap()).sum();
        assert_eq!(number(4), number(5) + breached, "{row:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_generated_day_is_valid_and_its_times_add_up(case in generate::day()) {
        let strict = measured(&Case { lenient: false, ..case.clone() }).expect("a valid day is measured");
        prop_assert_eq!(&strict.rejects, &Vec::<u64>::new());
        assert_sums(&strict);
        prop_assert!(strict.daily.iter().all(|row| row[6] == "0"), "unknown time on an undamaged day");
        prop_assert_eq!(measure(&case), measure(&Case { lenient: !case.lenient, ..case.clone() }));
    }

    #[test]
    fn a_damaged_day_is_refused_at_the_first_line_that_a_lenient_run_sets_aside(case in generate::damaged_day()) {
        let strict = measure(&Case { lenient: false, ..case.clone() });
        match measured(&Case { lenient: true, ..case.clone() }) {
            // No date to be found: a strict run stops at the first record, if there is one.
            None => {
                let refused = [None, Some(2)].map(|line| Outcome::Refused { line }).contains(&strict);
                prop_assert!(refused);
            }
            Some(lenient) => {
                assert_sums(&lenient);
                prop_assert!(lenient.rejects.is_sorted_by(|a, b| a < b));
                match strict {
                    Outcome::Refused { line } => prop_assert_eq!(line, lenient.rejects.first().copied()),
                    Outcome::Measured { .. } => prop_assert!(lenient.rejects.is_empty()),
                }
            }
        }
    }
}

/// So many cases from a fixed seed.
fn sample(strategy: impl Strategy<Value = Case>, count: usize) -> Vec<Case> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

/// How often each thing was seen.
#[derive(Default)]
struct Tally(BTreeMap<String, usize>);

impl Tally {
    fn add(&mut self, what: impl Into<String>, seen: bool) {
        *self.0.entry(what.into()).or_default() += usize::from(seen);
    }

    fn assert_at_least(&self, what: &str, count: usize) {
        let seen = self.0.get(what).copied().unwrap_or(0);
        assert!(seen >= count, "{what}: {seen}, expected at least {count}");
    }
}

#[test]
fn generated_days_are_interesting() {
    let mut tally = Tally::default();
    for case in sample(generate::day(), 300) {
        let found = measured(&Case { lenient: false, ..case.clone() }).unwrap();
        let number = |row: &Vec<String>, at: usize| row[at].parse::<i64>().unwrap();
        tally.add("days with a line", !found.daily.is_empty());
        tally.add("days partly fulfilled", found.daily.iter().any(|r| number(r, 5) > 0 && number(r, 5) < number(r, 4)));
        for row in &found.daily {
            let kind = row[3].split(':').next().unwrap();
            tally.add(format!("lines {kind}"), true);
            tally.add("lines of a criterion", row[3].starts_with("general:"));
            tally.add("lines partly fulfilled", number(row, 5) > 0 && number(row, 5) < number(row, 4));
            tally.add("lines unavailable", number(row, 4) == 0);
            tally.add("lines never fulfilled", number(row, 4) > 0 && number(row, 5) == 0);
        }
        for reason in found.breaches.iter().map(|row| &row[7]).collect::<BTreeSet<_>>() {
            tally.add(format!("reason {reason}"), true);
        }
        let header = case.events.lines().next().unwrap().trim_start_matches('\u{feff}').to_owned();
        let event_at = header.split(',').position(|c| c == "event").unwrap();
        for line in case.events.lines().skip(1) {
            tally.add(format!("event {}", line.split(',').nth(event_at).unwrap()), true);
        }
        tally.add("days with seq", header.contains("seq"));
        tally.add("BOM", case.events.starts_with('\u{feff}'));
        tally.add("CRLF", case.events.contains("\r\n"));
        for (name, _) in &case.registry {
            tally.add(name.clone(), true);
        }
    }
    // About half of what was seen when this was written.
    let expected = [
        ("days with a line", 140),
        ("days partly fulfilled", 70),
        ("lines partly fulfilled", 160),
        ("lines never fulfilled", 200),
        ("lines unavailable", 100),
        ("lines general", 400),
        ("lines of a criterion", 60),
        ("lines sponsored", 100),
        ("lines matching", 150),
        ("reason no_bid", 30),
        ("reason no_offer", 30),
        ("reason no_bid+no_offer", 60),
        ("reason bid_size", 30),
        ("reason offer_size", 30),
        ("reason bid_size+offer_size", 30),
        ("reason no_bid+offer_size", 15),
        ("reason bid_size+no_offer", 15),
        ("reason spread", 50),
        ("reason size_balance", 5),
        ("reason resting", 5),
        ("event add", 2_000),
        ("event replace", 300),
        ("event reduce", 100),
        ("event cancel", 500),
        ("event trade", 200),
        ("event phase", 200),
        ("event clear", 70),
        ("days with seq", 90),
        ("BOM", 10),
        ("CRLF", 10),
        ("scheme.toml", 100),
        ("exemptions.csv", 90),
        ("fast_market.csv", 70),
    ];
    for (what, count) in expected {
        tally.assert_at_least(what, count);
    }
}

#[test]
fn damaged_days_are_interesting() {
    let mut tally = Tally::default();
    for case in sample(generate::damaged_day(), 300) {
        tally.add("lenient", case.lenient);
        match measured(&Case { lenient: true, ..case.clone() }) {
            None => {}
            Some(found) => {
                let number = |row: &Vec<String>, at: usize| row[at].parse::<i64>().unwrap();
                tally.add("some rejects", !found.rejects.is_empty());
                tally.add("known and unknown", found.daily.iter().any(|r| number(r, 4) > 0 && number(r, 6) > 0));
                tally.add("fulfilled and unknown", found.daily.iter().any(|r| number(r, 5) > 0 && number(r, 6) > 0));
                tally.add("all unknown", found.daily.iter().any(|r| number(r, 4) == 0 && number(r, 6) > 0));
            }
        }
    }
    let expected = [
        ("lenient", 150),
        ("some rejects", 200),
        ("known and unknown", 50),
        ("fulfilled and unknown", 40),
        ("all unknown", 20),
    ];
    for (what, count) in expected {
        tally.assert_at_least(what, count);
    }
}
