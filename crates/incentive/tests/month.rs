//! What of a month follows from the registry and not from its sums: issues that change their kind, sessions that no schedule
//! tells, sign-ups that are gone by now.
#![allow(clippy::unwrap_used, reason = "helpers are part of the tests")]

use jiff::civil::{Date, date};
use quoteclock_incentive::{Month, MonthAccounts, makers, outlooks};
use quoteclock_ledger::{DayRow, Total};
use quoteclock_model::{IssueCode, Micros, ObligationId};
use quoteclock_rules::{Registry, SourceFile};
use std::collections::BTreeMap;

const FILES: [(&str, &str); 4] = [
    ("issues.csv", "issue,type,tick_table\n1306,B,01\n"),
    ("market_makers.csv", "market_maker\nMM1\nMM2\n"),
    ("virtual_servers.csv", "server,market_maker\nVS1,MM1\n"),
    ("signups.csv", "market_maker,issue\nMM1,1306\n"),
];

fn registry(changes: &[(&str, &str)]) -> Registry {
    let kept = FILES.iter().filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    let files = kept.chain(changes).map(|(name, text)| SourceFile { name: (*name).to_owned(), bytes: (*text).into() });
    let loaded = Registry::load(&files.collect::<Vec<_>>());
    loaded.registry.unwrap_or_else(|| panic!("{:?}", loaded.findings))
}

/// A day of MM1 in 1306: so many microseconds available, half of them fulfilled; unknown, a tenth.
fn row(day: Date, available: u64) -> DayRow {
    DayRow {
        date: day,
        market_maker: "MM1".to_owned(),
        issue: IssueCode::new(b"1306").unwrap(),
        obligation: ObligationId::General(None),
        required_pct: 800_000,
        leveraged_inverse: None,
        total: Total {
            available: Micros(available),
            fulfilled: Micros(available / 2),
            unknown: Micros(available / 10),
        },
    }
}

fn accounts(rows: &[DayRow]) -> MonthAccounts {
    let mut accounts = MonthAccounts::new(Month::of(date(2024, 3, 1)));
    rows.iter().for_each(|row| accounts.add(row.clone()));
    accounts
}

// clause: ST1/system-status
#[test]
fn an_issue_is_leveraged_as_of_the_last_measured_date() {
    let issues =
        "issue,type,tick_table,leveraged_inverse,from,to\n1306,B,01,false,,2024-03-15\n1306,B,01,true,2024-03-16,\n";
    let registry = registry(&[("issues.csv", issues)]);
    for (days, expected) in [(&[1, 15][..], false), (&[1, 18], true), (&[18, 1], true)] {
        let rows: Vec<DayRow> = days.iter().map(|&day| row(date(2024, 3, day), 1_000)).collect();
        assert_eq!(accounts(&rows).lines(&registry)[0].leveraged_inverse, expected, "{days:?}");
    }
}

#[test]
fn where_the_feed_tells_the_sessions_a_day_to_come_is_as_long_as_the_last() {
    let scheme = "name = \"x\"\nversion = \"1\"\nphase_source = \"feed\"\n";
    let registry = registry(&[("scheme.toml", scheme)]);
    let measured: BTreeMap<Date, _> = [(date(2024, 3, 28), None)].into();
    // The 29th is a trading day, and every one before the 28th, which is not measured either: 21 in all.
    let outlook = outlooks(&accounts(&[row(date(2024, 3, 28), 1_000)]), &measured, &registry).unwrap().remove(0);
    assert_eq!(outlook.remaining, Micros(u64::from(outlook.days_remaining) * 1_100), "unknown time was required, too");
    assert_eq!(outlook.days_remaining, 20);
}

// clause: ST1/number-of-etfs
#[test]
fn a_market_maker_whose_sign_ups_are_gone_has_a_line_as_long_as_it_was_measured() {
    let registry = registry(&[("signups.csv", "market_maker,issue\nMM2,1306\n")]);
    let lines = accounts(&[row(date(2024, 3, 1), 1_000)]).lines(&registry);
    let names: Vec<String> =
        makers(Month::of(date(2024, 3, 1)), &lines, &registry).into_iter().map(|maker| maker.market_maker).collect();
    assert_eq!(names, ["MM1", "MM2"], "measured, and signed up");
}
