//! The ready schemes at their bounds: what is quoted, and whether it fulfils. The tables stand beside the schemes; each row is
//! measured twice, by the fast path and by the slow reference. Their months are in `crates/incentive/tests/schemes.rs`.

mod support;

use quoteclock_rules::{READY_SCHEMES, ReadyScheme};
use quoteclock_testkit::{Case, Outcome};
use std::fs;
use std::path::Path;

/// The rows of a scheme's table: kind, what, what is expected.
fn rows(scheme: &ReadyScheme) -> Vec<[String; 3]> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../schemes/{}.cases", scheme.name));
    let text = fs::read_to_string(file).expect("a table of cases beside the scheme");
    let rows = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let fields = |line: &str| -> [String; 3] {
        let fields: Vec<String> = line.split('|').map(|field| field.trim().to_owned()).collect();
        fields.try_into().unwrap_or_else(|_| panic!("{}: {line}", scheme.name))
    };
    rows.map(fields).collect()
}

/// A registry of one issue under the scheme.
fn registry(scheme: &ReadyScheme, columns: &str, cells: &str) -> Vec<(String, String)> {
    [
        ("issues.csv", format!("issue,tick_table,{columns}\nX,01,{cells}\n")),
        ("market_makers.csv", "market_maker\nMM1\n".to_owned()),
        ("virtual_servers.csv", "server,market_maker\nVS1,MM1\n".to_owned()),
        ("signups.csv", "market_maker,issue\nMM1,X\n".to_owned()),
        ("scheme.toml", scheme.text.to_owned()),
    ]
    .map(|(name, text)| (name.to_owned(), text))
    .to_vec()
}

const HEADER: &str = "time,issue,event,order,server,side,price,quantity,phase\n";

fn measured(case: &Case) -> (String, String) {
    let outcome = support::measure(case, usize::MAX);
    assert_eq!(outcome, quoteclock_testkit::measure(case), "the reference agrees");
    let Outcome::Measured { daily, breaches, .. } = outcome else { panic!("{outcome:?}: {}", case.events) };
    (daily, breaches)
}

/// For ten minutes the market is in a phase and rests what is quoted; the reasons of the breaches of each obligation.
fn verdicts(registry: &[(String, String)], at: &str, phase: &str, quotes: &str) -> Vec<String> {
    let (date, clock) = (&at[..10], &at[10..]);
    let later = clock.replace("12:00", "12:10");
    let mut events = format!("{date}{},*,phase,,,,,,closed\n", clock.replace("12:00", "02:00"));
    events += &format!("{at},*,phase,,,,,,{phase}\n");
    for (number, quote) in quotes.split(',').map(str::trim).filter(|quote| !quote.is_empty()).enumerate() {
        let fields: Vec<&str> = quote.split_whitespace().collect();
        let [side, price, "x", quantity] = fields[..] else { panic!("{quote}") };
        events += &format!("{at},X,add,{number},VS1,{side},{price},{quantity},\n");
    }
    events += &format!("{date}{later},*,phase,,,,,,closed\n");
    let date = Some(date.to_owned());
    let events = format!("{HEADER}{events}");
    let (daily, breaches) =
        measured(&Case { registry: registry.to_vec(), events, date, lenient: false, allow_gaps: false });
    let fields = |row: &str| row.split(',').map(str::to_owned).collect::<Vec<String>>();
    let quoting = |row: &&Vec<String>| row[4].contains("T12:");
    let breaches: Vec<Vec<String>> = breaches.lines().skip(1).map(fields).collect();
    let obligations = daily.lines().skip(1).map(fields).filter(|row| row[4] != "0");
    let verdict = |row: Vec<String>| {
        let reasons: Vec<&str> = breaches
            .iter()
            .filter(quoting)
            .filter(|breach| breach[3] == row[3])
            .map(|breach| breach[7].as_str())
            .collect();
        let verdict = reasons.first().copied().unwrap_or("fulfilled");
        if row[3] == "general" {
            verdict.to_owned()
        } else {
            format!("{} {verdict}", row[3].trim_start_matches("general:"))
        }
    };
    obligations.map(verdict).collect()
}

// clause: XETRA/criteria, XETRA/quantity-of-value, XETRA/stress, RTS8/comparable-size, BUX/days-below, TWSE/spread-of-offer, TWSE/units-or-value, BIT/limits-of-the-issue
#[test]
fn every_scheme_holds_at_its_bounds_and_not_beyond() {
    for scheme in READY_SCHEMES {
        let (mut files, mut at, mut checked) = (Vec::new(), String::new(), 0);
        for [kind, what, expected] in rows(scheme) {
            match kind.as_str() {
                "issue" => files = registry(scheme, &what, &expected),
                "at" => at = what,
                "stress" => {
                    let text = format!("from,to,spread_multiplier\n{what}\n");
                    files.push(("fast_market.csv".to_owned(), text));
                }
                "available" => {
                    let events = HEADER.to_owned();
                    let case =
                        Case { registry: files.clone(), events, date: Some(what), lenient: false, allow_gaps: false };
                    let (daily, _) = measured(&case);
                    let row = daily.lines().nth(1).expect("a row");
                    assert_eq!(row.split(',').nth(4), Some(format!("{expected}000000").as_str()), "{}", scheme.name);
                }
                "quotes" => {
                    let (phase, quotes) = what.split_once(':').unwrap_or(("continuous", &what));
                    let found = verdicts(&files, &at, phase, quotes).join(", ");
                    assert_eq!(found, expected, "{}: {what}", scheme.name);
                    checked += 1;
                }
                "month" | "together" | "excluded" => {}
                _ => panic!("{}: {kind}", scheme.name),
            }
        }
        assert!(4 <= checked, "{}", scheme.name);
    }
}
