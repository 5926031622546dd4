//! One account for each market maker, issue and obligation: the month's sums and what they mean.

use crate::Month;
use jiff::civil::Date;
use quoteclock_ledger::{DayRow, Total};
use quoteclock_model::{IssueCode, Micros, ObligationId, Paid, SystemThreshold};
use quoteclock_rules::{ConditionKind, Period, Registry};
use std::collections::BTreeMap;

/// Whose account. Accounts are sorted by it, bytewise.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Key {
    /// The market maker.
    pub market_maker: String,
    /// The issue.
    pub issue: IssueCode,
    /// The obligation.
    pub obligation: ObligationId,
}

/// Whether an obligation was met in the month.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Status {
    /// The quote display time is at least the required percentage.
    Fulfilled,
    /// It is not.
    NotFulfilled,
    /// No time was available.
    NotApplicable,
}

impl Status {
    /// As the output files write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Fulfilled => "fulfilled",
            Status::NotFulfilled => "not_fulfilled",
            Status::NotApplicable => "not_applicable",
        }
    }
}

/// What the exchange's own report would show.
///
/// Clause: `ST1/system-status`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SystemStatus {
    /// The system's threshold is reached.
    Ok,
    /// It is not.
    Ng,
}

impl SystemStatus {
    /// As the output files write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            SystemStatus::Ok => "OK",
            SystemStatus::Ng => "NG",
        }
    }
}

/// All of 100 %, in ten-thousandths of a percent.
const WHOLE_PCT: u64 = 1_000_000;

/// Whether `fulfilled` is at least `required_pct` of `available`, exactly.
///
/// Clause: `ST1/time-share`.
fn reaches(total: Total, required_pct: u64) -> bool {
    u128::from(required_pct) * u128::from(total.available.0) <= u128::from(WHOLE_PCT) * u128::from(total.fulfilled.0)
}

/// The month's sums of all obligations, as days are added in order of date.
#[derive(Clone, Debug)]
pub struct MonthAccounts {
    month: Month,
    accounts: BTreeMap<Key, Account>,
}

/// The sums of one obligation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Account {
    pub(crate) total: Total,
    pub(crate) days_measured: u32,
    /// Of the last date on which it was measured.
    pub(crate) required_pct: u64,
    pub(crate) last: Date,
    /// Available and unknown time of that date.
    pub(crate) last_time: Micros,
}

impl MonthAccounts {
    /// A month of which nothing is known yet.
    pub fn new(month: Month) -> MonthAccounts {
        MonthAccounts { month, accounts: BTreeMap::new() }
    }

    /// The month.
    pub fn month(&self) -> Month {
        self.month
    }

    /// Adds a day's row. What it requires counts for the whole month where it is of the latest date.
    ///
    /// # Panics
    /// If the date is not of the month.
    pub fn add(&mut self, row: DayRow) {
        let DayRow { date, market_maker, issue, obligation, required_pct, total } = row;
        assert!(self.month.dates().contains(&date), "{date} is not in {}", self.month);
        let account = self.accounts.entry(Key { market_maker, issue, obligation }).or_default();
        account.total += total;
        account.days_measured += 1;
        if account.days_measured == 1 || account.last <= date {
            account.required_pct = required_pct;
            account.last = date;
            account.last_time = total.available + total.unknown;
        }
    }

    pub(crate) fn accounts(&self) -> &BTreeMap<Key, Account> {
        &self.accounts
    }

    /// The month's lines, in order of their keys.
    ///
    /// # Panics
    /// Never: a month has fewer days than 32 bits count.
    pub fn lines(&self, registry: &Registry) -> Vec<Line> {
        let trading_days = self.month.trading_days(registry);
        let mut periods: BTreeMap<(&str, &IssueCode), Vec<Period>> = BTreeMap::new();
        for sign_up in registry.sign_ups() {
            periods.entry((&sign_up.market_maker, &sign_up.issue)).or_default().push(sign_up.period);
        }
        let line = |(key, account): (&Key, &Account)| {
            let signed_up = periods.get(&(key.market_maker.as_str(), &key.issue)).map_or(&[][..], Vec::as_slice);
            let within = trading_days.iter().filter(|date| signed_up.iter().any(|period| period.contains(**date)));
            Line {
                key: key.clone(),
                total: account.total,
                required_pct: account.required_pct,
                leveraged_inverse: registry
                    .issue_on(&key.issue, account.last)
                    .is_some_and(|issue| issue.leveraged_inverse),
                last_measured: account.last,
                days_measured: account.days_measured,
                trading_days: u32::try_from(within.count()).expect("a month is short"),
            }
        };
        self.accounts.iter().map(line).collect()
    }
}

/// One obligation in one month.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// Whose.
    pub key: Key,
    /// Sums over the measured days.
    pub total: Total,
    /// The required share, in ten-thousandths of a percent: that of the last measured date.
    pub required_pct: u64,
    /// Whether the issue is a leveraged or inverse ETF (on the last measured date).
    pub leveraged_inverse: bool,
    /// The last date on which it was measured.
    pub last_measured: Date,
    /// Days that are in the sums.
    pub days_measured: u32,
    /// The month's trading days within the sign-up.
    pub trading_days: u32,
}

impl Line {
    /// Whether it is the scheme's own obligation, and counts in the number of ETFs.
    pub fn is_general(&self) -> bool {
        self.key.obligation.paid() == Paid::Incentives
    }

    /// The condition that it is of.
    pub fn condition(&self) -> Option<(ConditionKind, &str)> {
        match self.key.obligation.paid() {
            Paid::Incentives => None,
            Paid::Sponsor(name) => Some((ConditionKind::Sponsored, name)),
            Paid::MatchingFund(name) => Some((ConditionKind::Matching, name)),
        }
    }

    /// Whether the obligation was met.
    ///
    /// Clauses: `ST1/time-share`, `ST1/quote-display-time`.
    pub fn status(&self) -> Status {
        match self.total.available {
            Micros::ZERO => Status::NotApplicable,
            _ if reaches(self.total, self.required_pct) => Status::Fulfilled,
            _ => Status::NotFulfilled,
        }
    }

    /// What the exchange's system shows: `general` of leveraged and inverse ETFs is judged against 100 %, so that they show
    /// `NG` although the true status is judged as any other. `None` when not applicable.
    ///
    /// Clause: `ST1/system-status`.
    pub fn system_status(&self) -> Option<SystemStatus> {
        let threshold = match self.key.obligation.system_threshold() {
            SystemThreshold::WholeIfLeveraged if self.leveraged_inverse => WHOLE_PCT,
            SystemThreshold::WholeIfLeveraged | SystemThreshold::Required => self.required_pct,
        };
        match self.total.available {
            Micros::ZERO => None,
            _ if reaches(self.total, threshold) => Some(SystemStatus::Ok),
            _ => Some(SystemStatus::Ng),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn line(available: u64, fulfilled: u64, required_pct: u64, leveraged_inverse: bool) -> Line {
        let issue = IssueCode::new(b"1306").unwrap();
        let total = Total { available: Micros(available), fulfilled: Micros(fulfilled), unknown: Micros(0) };
        let key = Key { market_maker: "MM1".to_owned(), issue, obligation: ObligationId::GENERAL };
        Line {
            key,
            total,
            required_pct,
            leveraged_inverse,
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

    // clause: ST1/quote-display-time
    #[test]
    fn a_month_is_a_ratio_of_sums_and_the_last_date_tells_what_is_required() {
        let row = |day, available, fulfilled, required_pct| DayRow {
            date: date(2024, 3, day),
            market_maker: "MM1".to_owned(),
            issue: IssueCode::new(b"1306").unwrap(),
            obligation: ObligationId::GENERAL,
            required_pct,
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
    }
}
