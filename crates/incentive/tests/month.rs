//! What of a month follows from the registry and not from its sums: issues that change their kind, sessions that no schedule
//! tells, sign-ups that are gone by now.
#![allow(clippy::unwrap_used, reason = "helpers are part of the tests")]

use jiff::civil::{Date, date};
use quoteclock_incentive::{Month, MonthAccounts, MonthLine, MonthStock, Outlook, Trading, makers, outlooks};
use quoteclock_ledger::{DayRow, Total};
use quoteclock_model::{Amount, ByCounterparty, Executed, IssueCode, Micros, ObligationId, Timestamp, Turnover};
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
fn the_last_measured_date_says_whether_an_issue_is_leveraged_or_the_registry_has_to() {
    let day = |day, leveraged_inverse| DayRow { leveraged_inverse, ..row(date(2024, 3, day), 1_000) };
    for (days, by_registry) in [([day(1, Some(true)), day(4, None)], 1), ([day(1, None), day(4, Some(true))], 0)] {
        assert_eq!(accounts(&days).leveraged_by_registry().count(), by_registry, "{days:?}");
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

/// `lines` of so many trading days, by market maker and obligation.
fn trading_days(accounts: &MonthAccounts, registry: &Registry) -> Vec<(String, String, u32)> {
    let of = |line: MonthLine| (line.key.market_maker, line.key.obligation.to_string(), line.trading_days);
    accounts.lines(registry).into_iter().map(of).collect()
}

#[test]
fn a_day_that_was_measured_is_within_what_it_was_measured_for_and_another_within_what_is_registered() {
    // March 2024 has 21 days from Monday to Friday. MM1 was measured on the 1st and the 4th, MM2 on the 1st alone.
    let registry = registry(&[("signups.csv", "market_maker,issue\nMM1,1306\nMM2,1306\n")]);
    let [first, fourth] = [1, 4].map(|day| row(date(2024, 3, day), 1_000));
    let of_other = DayRow { market_maker: "MM2".to_owned(), ..first.clone() };
    let expected = [("MM1", 21), ("MM2", 20)].map(|(maker, days)| (maker.to_owned(), "general".to_owned(), days));
    assert_eq!(trading_days(&accounts(&[first, fourth, of_other]), &registry), expected);
}

#[test]
fn a_condition_is_within_the_days_of_its_own_rows() {
    // Until Friday the 15th there are 11 days from Monday to Friday; the row of another issue is in force all month.
    let sponsored = "condition,issue,max_spread_bps,min_value_jpy,coverage_pct,from,to\n\
                     S,1306,50,1000,80,2024-03-01,2024-03-15\nS,1308,50,1000,80,2024-03-01,2024-03-31\n";
    let registry =
        registry(&[("sponsored.csv", sponsored), ("issues.csv", "issue,type,tick_table\n1306,B,01\n1308,B,01\n")]);
    let general = row(date(2024, 3, 1), 1_000);
    let of_condition = DayRow { obligation: ObligationId::Sponsored("S".to_owned()), ..general.clone() };
    let expected = [("general", 21), ("sponsored:S", 11)].map(|(of, days)| ("MM1".to_owned(), of.to_owned(), days));
    assert_eq!(trading_days(&accounts(&[general, of_condition]), &registry), expected);
}

// clause: WBAG/days-left-out
#[test]
fn a_day_is_left_out_in_any_case_or_where_it_fails() {
    // The 1st is met (half, where half is required), the 4th is not.
    let mut rows = [1, 4].map(|day| row(date(2024, 3, day), 1_000));
    rows.iter_mut().for_each(|row| row.required_pct = 500_000);
    rows[1].total.fulfilled = Micros(499);
    for (excluded, (measured, within), (available, counts)) in [
        // By the sum alone nothing is kept of single days.
        ("", (2, 21), (2_000, None)),
        ("2024-03-01,*,*,false\n", (1, 20), (1_000, Some((1, 0, 0)))),
        ("2024-03-04,*,*,false\n", (1, 20), (1_000, Some((1, 1, 0)))),
        ("2024-03-01,*,*,true\n", (2, 21), (2_000, Some((2, 1, 0)))),
        ("2024-03-04,*,*,true\n", (2, 21), (1_000, Some((1, 1, 1)))),
        // A day without a row plays no part either.
        ("2024-03-05,*,*,false\n", (2, 20), (2_000, Some((2, 1, 0)))),
    ] {
        let registry =
            registry(&[("excluded_days.csv", &format!("date,issue,market_maker,only_if_failed\n{excluded}"))]);
        let line = accounts(&rows).lines(&registry).remove(0);
        let found = line.day_counts().map(|days| (days.available, days.compliant, days.left_out));
        assert_eq!((line.days_measured, line.trading_days), (measured, within), "{excluded}");
        assert_eq!((line.total.available, found), (Micros(available), counts), "{excluded}");
    }
}

/// The outlook of MM1 in 1306 with one day measured, and all others stored without a row of it but these.
fn outlook(measured: &DayRow, to_come: &[(Date, Option<&str>)]) -> Outlook {
    let stored = Month::of(date(2024, 3, 1)).weekdays().into_iter().map(|day| (day, None));
    let mut stored: BTreeMap<Date, Option<Timestamp>> = stored.collect();
    for (day, until) in to_come {
        stored.remove(day);
        let until = until.map(|until| until.parse::<jiff::Timestamp>().unwrap().as_microsecond());
        stored.extend(until.map(|until| (*day, Some(Timestamp::from_micros(until)))));
    }
    outlooks(&accounts(std::slice::from_ref(measured)), &stored, &registry(&[])).unwrap().remove(0)
}

// clause: ST1/time-share
#[test]
fn of_a_day_that_runs_the_rest_is_to_come() {
    const HOUR: u64 = 3_600_000_000;
    let measured = row(date(2024, 3, 1), 1_000);
    let last = date(2024, 3, 29);
    // From 9:00 to 11:30, and from 12:30 to 15:00.
    for (until, remaining, days) in [
        (None, 5 * HOUR, 1),
        (Some("2024-03-29T08:59:59+09:00"), 5 * HOUR, 1),
        (Some("2024-03-29T10:30:00+09:00"), HOUR + 5 * HOUR / 2, 1),
        (Some("2024-03-29T12:00:00+09:00"), 5 * HOUR / 2, 1),
        (Some("2024-03-29T14:59:59.999999+09:00"), 1, 1),
        (Some("2024-03-29T15:00:00+09:00"), 0, 0),
    ] {
        let outlook = outlook(&measured, &[(last, until)]);
        assert_eq!((outlook.remaining, outlook.days_remaining), (Micros(remaining), days), "{until:?}");
    }
}

// clause: ST1/time-share
#[test]
fn the_last_date_tells_what_is_required_measured_or_to_come() {
    // 79 % as it was measured, and 80 % as it is registered.
    let measured = |day| DayRow { required_pct: 790_000, ..row(date(2024, 3, day), 1_000) };
    for (day, to_come, required_pct) in [(27, 28, 800_000), (28, 27, 790_000)] {
        assert_eq!(outlook(&measured(day), &[(date(2024, 3, to_come), None)]).required_pct, required_pct, "{day}");
    }
}

// clause: ST1/twelve-months, ST1/six-month-average
#[test]
fn recommendations_look_back_as_far_as_the_longer_of_their_months() {
    for (drop, revoke, expected) in [(3, 2, &["2024-02", "2024-01"][..]), (2, 3, &["2024-02", "2024-01"]), (1, 1, &[])]
    {
        let scheme =
            format!("name = \"x\"\nversion = \"1\"\n[incentives]\ndrop_months = {drop}\nrevoke_months = {revoke}\n");
        let before = MonthStock::months_before(Month::of(date(2024, 3, 1)), &registry(&[("scheme.toml", &scheme)]));
        assert_eq!(before.iter().map(Month::to_string).collect::<Vec<_>>(), expected);
    }
}

// clause: ST1/trading-value, QC/unnamed_counterparty
#[test]
fn what_was_traded_is_shared_out_by_auction_and_counterparty() {
    let executed = |value| Executed { value: Amount(value), quantity: 2 * value };
    let [mut continuous, mut auction] = [ByCounterparty::default(); 2];
    (continuous.market_maker, continuous.other, continuous.unnamed) = (executed(1), executed(20), executed(300));
    (auction.market_maker, auction.other, auction.unnamed) = (executed(4_000), executed(50_000), executed(600_000));
    let turnover = Turnover { continuous, auction, order_count: 7 };
    let (registry, issue) = (registry(&[]), IssueCode::new(b"1306").unwrap());
    let mut trading = Trading::new(Month::of(date(2024, 3, 1)), &registry);
    let days = [date(2024, 3, 1), date(2024, 3, 4)];
    days.iter().for_each(|day| trading.add(&registry, *day, "MM1", &issue, &turnover));
    let traded = trading.of("MM1", &issue).unwrap();
    assert_eq!((traded.value, traded.quantity), (Amount(2 * 654_321), 4 * 654_321));
    let basis = &traded.by_participant[&None];
    assert_eq!((basis.others, basis.auction_or_market_maker), (Amount(2 * 320), Amount(2 * 654_001)));
    assert_eq!((basis.days, basis.orders), (2, 14));
    let daily = basis.daily.values().map(|day| (day.others, day.auction_or_market_maker, day.quantity));
    assert_eq!(daily.collect::<Vec<_>>(), [(Amount(320), Amount(654_001), 2 * 654_321); 2]);
}
