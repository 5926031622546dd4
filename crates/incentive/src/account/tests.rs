//! Accounts, and what their lines come to.

use super::*;
use jiff::civil::date;

fn line(available: u64, fulfilled: u64, required_pct: u64, leveraged_inverse: bool) -> MonthLine {
    let issue = IssueCode::new(b"1306").unwrap();
    let total = Total { available: Micros(available), fulfilled: Micros(fulfilled), unknown: Micros(0) };
    let key = AccountKey { market_maker: "MM1".to_owned(), issue, obligation: ObligationId::GENERAL };
    MonthLine {
        key,
        total,
        aggregate: Aggregate::default(),
        days: Vec::new(),
        required_pct,
        leveraged_inverse,
        need: None,
        last_measured: date(2024, 3, 1),
        days_measured: 1,
        trading_days: 1,
    }
}

// clause: ST1/time-share
#[test]
fn eighty_percent_is_enough_and_a_microsecond_less_is_not() {
    // 21 days of 5 hours: 378,000,000,000 us, of which 80 % are 302,400,000,000.
    for (fulfilled, expected) in [
        (302_400_000_000, Status::Fulfilled),
        (302_399_999_999, Status::NotFulfilled),
        (0, Status::NotFulfilled),
        (378_000_000_000, Status::Fulfilled),
    ] {
        assert_eq!(line(378_000_000_000, fulfilled, 800_000, false).status(), expected, "{fulfilled}");
    }
    // Not a whole number of microseconds: 80 % of 3 are 2.4.
    assert_eq!(line(3, 3, 800_000, false).status(), Status::Fulfilled);
    assert_eq!(line(3, 2, 800_000, false).status(), Status::NotFulfilled);
    assert_eq!(line(0, 0, 800_000, false).status(), Status::NotApplicable);
    // What people read is rounded; what decides is not. 79.99999 % prints as 80.0000.
    assert_eq!(line(10_000_000, 7_999_999, 800_000, false).status(), Status::NotFulfilled);
    assert_eq!(line(1_000_000, 999_999, 1_000_000, false).status(), Status::NotFulfilled);
    assert_eq!(line(u64::MAX, u64::MAX, 1_000_000, false).status(), Status::Fulfilled);
}

// clause: ST1/quote-display-time
#[test]
fn a_status_that_unknown_time_could_turn_is_not_certain() {
    // 80 of 100 are enough; with 25 unknown microseconds it takes 100 of 125.
    for (available, fulfilled, unknown, expected) in [
        (100, 100, 25, true),
        (100, 100, 26, false),
        (100, 79, 5, false),
        (100, 79, 4, true),
        (100, 79, 0, true),
        (0, 0, 0, true),
        (0, 0, 1, false),
    ] {
        let mut line = line(available, fulfilled, 800_000, false);
        line.total.unknown = Micros(unknown);
        assert_eq!(line.certain(), expected, "{available} {fulfilled} {unknown}");
    }
}

// clause: ST1/system-status
#[test]
fn the_system_shows_ng_for_leveraged_etfs_below_all_of_the_time() {
    for (fulfilled, leveraged, expected) in [
        (80, false, Some(SystemStatus::Ok)),
        (79, false, Some(SystemStatus::Ng)),
        (80, true, Some(SystemStatus::Ng)),
        (99, true, Some(SystemStatus::Ng)),
        (100, true, Some(SystemStatus::Ok)),
    ] {
        assert_eq!(line(100, fulfilled, 800_000, leveraged).system_status(), expected, "{fulfilled} {leveraged}");
    }
    assert_eq!(line(100, 80, 800_000, true).status(), Status::Fulfilled, "the true status is judged at 80 %");
    assert_eq!(line(0, 0, 800_000, true).system_status(), None);
}

#[test]
fn a_day_that_still_runs_counts_as_it_would_if_it_had_come_to_so_much() {
    let [today, before] = [date(2024, 3, 4), date(2024, 3, 1)];
    let micros = |available, fulfilled| Total {
        available: Micros(available),
        fulfilled: Micros(fulfilled),
        unknown: Micros::ZERO,
    };
    // By the sum: of 150 it takes 120.
    let by_sum = line(100, 70, 800_000, false);
    assert_eq!(by_sum.with(today, micros(50, 50)), (micros(150, 120), Status::Fulfilled));
    assert_eq!(by_sum.with(today, micros(50, 49)), (micros(150, 119), Status::NotFulfilled));
    // By days: each has to reach 80 % by itself, and half of them do; one of 79 % spoils no other.
    let days = |left_out_if_failed| {
        let day = |date, total| DayShare { date, total, required_pct: 800_000, left_out_if_failed };
        vec![day(before, micros(1_000, 0)), day(today, Total::default())]
    };
    let aggregate = Aggregate { month: quoteclock_rules::MonthShare::Days { pct: 500_000 }, ..Aggregate::default() };
    let mut by_days = MonthLine { aggregate, days: days(false), ..line(1_000, 0, 800_000, false) };
    assert_eq!(by_days.with(today, micros(10, 8)), (micros(1_010, 8), Status::Fulfilled));
    assert_eq!(by_days.with(today, micros(10, 7)), (micros(1_010, 7), Status::NotFulfilled));
    // Days that play no part where they fail.
    by_days.days = days(true);
    assert_eq!(by_days.with(today, micros(10, 8)), (micros(10, 8), Status::Fulfilled));
    assert_eq!(by_days.with(today, micros(10, 7)), (Total::default(), Status::NotApplicable));
    // One that never plays any is not among them, and nothing else is.
    let left_out = MonthLine { days: Vec::new(), days_measured: 0, ..line(0, 0, 800_000, false) };
    assert_eq!(left_out.with(today, micros(10, 10)), (Total::default(), Status::NotApplicable));
}

// clause: ST1/quote-display-time
#[test]
fn a_month_is_a_ratio_of_sums_and_the_last_date_tells_what_is_required() {
    let row = |day, available, fulfilled, required_pct| DayRow {
        date: date(2024, 3, day),
        market_maker: "MM1".to_owned(),
        issue: IssueCode::new(b"1306").unwrap(),
        obligation: ObligationId::GENERAL,
        required_pct,
        leveraged_inverse: Some(required_pct == 790_000),
        total: Total { available: Micros(available), fulfilled: Micros(fulfilled), unknown: Micros(1) },
    };
    // 100 % of a short day and 79 % of a long one: their mean is 89.5 %, of the time it is 79.2 %.
    let mut accounts = MonthAccounts::new("2024-03".parse().unwrap());
    accounts.add(row(4, 10_000, 7_900, 790_000));
    accounts.add(row(1, 100, 100, 800_000));
    let (key, account) = accounts.accounts().first_key_value().unwrap();
    assert_eq!(key.market_maker, "MM1");
    let expected = Total { available: Micros(10_100), fulfilled: Micros(8_000), unknown: Micros(2) };
    assert_eq!((account.total, account.days_measured, account.required_pct), (expected, 2, 790_000));
    assert_eq!(account.leveraged_inverse, Some(true), "of the last date, in whichever order days come");
}

// clause: ST1/quote-display-time
#[test]
fn unknown_time_of_a_day_can_turn_a_month_that_goes_by_its_days() {
    // Half of the days have to reach 80 % by themselves. The first does not: the second decides, with 100 available.
    for (fulfilled, unknown, certain, compliant) in
        [(80, 0, true, 1), (80, 1, false, 1), (79, 5, false, 0), (79, 4, true, 0)]
    {
        let day = |day, available, fulfilled, unknown| DayShare {
            date: date(2024, 3, day),
            total: Total { available: Micros(available), fulfilled: Micros(fulfilled), unknown: Micros(unknown) },
            required_pct: 800_000,
            left_out_if_failed: false,
        };
        let days = vec![day(1, 1_000, 0, 0), day(4, 100, fulfilled, unknown)];
        let aggregate =
            Aggregate { month: quoteclock_rules::MonthShare::Days { pct: 500_000 }, ..Aggregate::default() };
        let by_days = MonthLine { aggregate, days, ..line(1_100, fulfilled, 800_000, false) };
        assert_eq!(by_days.certain(), certain, "{fulfilled} {unknown}");
        assert_eq!(by_days.day_counts(), Some(DayCounts { available: 2, compliant, left_out: 0 }));
    }
    assert_eq!(line(100, 80, 800_000, false).day_counts(), None, "single days do not matter");
}

#[test]
fn a_general_obligation_with_a_name_is_a_criterion() {
    let named = |name: &str| Some(name.to_owned());
    for (obligation, is_criterion) in [
        (ObligationId::General(None), false),
        (ObligationId::General(named("spread")), true),
        (ObligationId::Sponsored("spread".to_owned()), false),
    ] {
        let mut line = line(100, 80, 800_000, false);
        line.key.obligation = obligation;
        assert_eq!(
            (line.is_criterion(), line.key.is_criterion()),
            (is_criterion, is_criterion),
            "{}",
            line.key.obligation
        );
    }
}
