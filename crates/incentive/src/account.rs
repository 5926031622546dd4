//! One account for each market maker, issue and obligation: the month's sums and what they mean.

use crate::Month;
use crate::aggregate::{self, DayCounts, DayShare, LeftOut};
use jiff::civil::Date;
use quoteclock_ledger::{DayRow, Total};
use quoteclock_model::{IssueCode, Micros, ObligationId, Paid, SystemThreshold};
use quoteclock_rules::{Aggregate, ConditionKind, Issue, PaidCondition, Period, Registry, Target};
use std::collections::BTreeMap;

/// Whose account. Accounts are sorted by it, bytewise.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct AccountKey {
    /// The market maker.
    pub market_maker: String,
    /// The issue.
    pub issue: IssueCode,
    /// The obligation.
    pub obligation: ObligationId,
}

impl From<&DayRow> for AccountKey {
    fn from(row: &DayRow) -> AccountKey {
        let DayRow { market_maker, issue, obligation, .. } = row;
        AccountKey { market_maker: market_maker.clone(), issue: issue.clone(), obligation: obligation.clone() }
    }
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
    /// Of what reaches its share or not; `None` without available time.
    fn of(reaches: Option<bool>) -> Status {
        match reaches {
            None => Status::NotApplicable,
            Some(true) => Status::Fulfilled,
            Some(false) => Status::NotFulfilled,
        }
    }

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

/// The month's sums of all obligations, as days are added in order of date.
#[derive(Clone, Debug)]
pub struct MonthAccounts {
    month: Month,
    /// The dates of which there is any row.
    measured: DaysOfMonth,
    accounts: BTreeMap<AccountKey, Account>,
}

/// Some dates of one month: a bit for each.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct DaysOfMonth(u32);

impl DaysOfMonth {
    fn bit(date: Date) -> u32 {
        1 << date.day().unsigned_abs()
    }

    fn insert(&mut self, date: Date) {
        self.0 |= DaysOfMonth::bit(date);
    }

    fn contains(self, date: Date) -> bool {
        self.0 & DaysOfMonth::bit(date) != 0
    }
}

/// The sums of one obligation.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Account {
    pub(crate) total: Total,
    /// What each day came to, and required.
    days: Vec<(Date, Total, u64)>,
    pub(crate) days_measured: u32,
    pub(crate) measured: DaysOfMonth,
    /// Of the last date on which it was measured.
    pub(crate) required_pct: u64,
    /// Likewise, where it is known.
    pub(crate) leveraged_inverse: Option<bool>,
    pub(crate) last: Date,
    /// Available and unknown time of that date.
    pub(crate) last_time: Micros,
}

impl MonthAccounts {
    /// A month of which nothing is known yet.
    pub fn new(month: Month) -> MonthAccounts {
        MonthAccounts { month, measured: DaysOfMonth::default(), accounts: BTreeMap::new() }
    }

    /// The month.
    pub fn month(&self) -> Month {
        self.month
    }

    /// Adds a day's row. What it requires, and whether its issue is leveraged or inverse, count for the whole month where
    /// it is of the latest date.
    ///
    /// # Panics
    /// If the date is not of the month.
    pub fn add(&mut self, row: DayRow) {
        let DayRow { date, market_maker, issue, obligation, required_pct, leveraged_inverse, total } = row;
        assert!(self.month.dates().contains(&date), "{date} is not in {}", self.month);
        self.measured.insert(date);
        let account = self.accounts.entry(AccountKey { market_maker, issue, obligation }).or_default();
        account.total += total;
        account.days.push((date, total, required_pct));
        account.days_measured += 1;
        account.measured.insert(date);
        if account.days_measured == 1 || account.last <= date {
            account.required_pct = required_pct;
            account.leveraged_inverse = leveraged_inverse;
            account.last = date;
            account.last_time = total.available + total.unknown;
        }
    }

    pub(crate) fn accounts(&self) -> &BTreeMap<AccountKey, Account> {
        &self.accounts
    }

    /// The obligations of which it is not known whether their issue was leveraged or inverse when it was measured: then
    /// the registry tells.
    pub fn leveraged_by_registry(&self) -> impl Iterator<Item = &AccountKey> {
        self.accounts.iter().filter(|(_, account)| account.leveraged_inverse.is_none()).map(|(key, _)| key)
    }

    /// The month's lines, in order of their keys. Whether a trading day lies within an obligation is as it was measured,
    /// and on days that are not as the registry has it.
    ///
    /// # Panics
    /// Never: a month has fewer days than 32 bits count.
    pub fn lines(&self, registry: &Registry) -> Vec<MonthLine> {
        let trading_days = self.month.trading_days(registry);
        let in_force = InForce::of(registry);
        let line = |(key, account): (&AccountKey, &Account)| {
            let left_out = LeftOut::of(registry, &key.market_maker, &key.issue);
            let is_within = |date| match self.measured.contains(date) {
                _ if left_out.always(date) => false,
                true => account.measured.contains(date),
                false => in_force.covers(key, date),
            };
            let aggregate = key.aggregate(registry);
            let (mut total, mut days_measured, mut days) = (account.total, account.days_measured, Vec::new());
            if !aggregate.is_sum_alone() || !left_out.is_empty() {
                days = account.days(&left_out);
                total = aggregate::total(&days);
                days_measured = u32::try_from(days.len()).expect("a month is short");
            }
            let within = trading_days.iter().filter(|&&date| is_within(date));
            let by_registry =
                || registry.issue_on(&key.issue, account.last).is_some_and(|issue| issue.leveraged_inverse);
            MonthLine {
                key: key.clone(),
                total,
                aggregate,
                days,
                required_pct: account.required_pct,
                leveraged_inverse: account.leveraged_inverse.unwrap_or_else(by_registry),
                need: registry.need_on(&key.issue, account.last).filter(|_| key.is_criterion()),
                last_measured: account.last,
                days_measured,
                trading_days: u32::try_from(within.count()).expect("a month is short"),
            }
        };
        self.accounts.iter().map(line).collect()
    }
}

impl AccountKey {
    /// Whether it is one of several criteria of the scheme.
    pub fn is_criterion(&self) -> bool {
        matches!(self.obligation, ObligationId::General(Some(_)))
    }

    /// How its month is judged: what the scheme says of its own obligation; a condition by the sum of its time.
    pub(crate) fn aggregate(&self, registry: &Registry) -> Aggregate {
        match self.obligation.paid() {
            Paid::Incentives => *registry.scheme().aggregate(),
            Paid::Sponsor(_) | Paid::MatchingFund(_) => Aggregate::default(),
        }
    }
}

impl Account {
    /// Its days in order, but those that play no part.
    pub(crate) fn days(&self, left_out: &LeftOut<'_>) -> Vec<DayShare> {
        let in_month = self.days.iter().filter(|(date, ..)| !left_out.always(*date));
        let mut days: Vec<DayShare> = in_month
            .map(|&(date, total, required_pct)| DayShare {
                date,
                total,
                required_pct,
                left_out_if_failed: left_out.if_failed(date),
            })
            .collect();
        days.sort_by_key(|day| day.date);
        days
    }
}

/// The rows of a registry that an obligation needs to be measured, by what they are of.
struct InForce<'a> {
    sign_ups: BTreeMap<(&'a str, &'a IssueCode), Vec<Period>>,
    issues: BTreeMap<&'a IssueCode, Vec<&'a Issue>>,
    conditions: BTreeMap<(ConditionKind, &'a str), Vec<&'a PaidCondition>>,
}

impl<'a> InForce<'a> {
    fn of(registry: &'a Registry) -> InForce<'a> {
        let mut in_force = InForce { sign_ups: BTreeMap::new(), issues: BTreeMap::new(), conditions: BTreeMap::new() };
        for sign_up in registry.sign_ups() {
            let periods = in_force.sign_ups.entry((&sign_up.market_maker, &sign_up.issue)).or_default();
            periods.push(sign_up.period);
        }
        for issue in registry.issues() {
            in_force.issues.entry(&issue.code).or_default().push(issue);
        }
        for condition in registry.conditions() {
            in_force.conditions.entry((condition.kind, &condition.name)).or_default().push(condition);
        }
        in_force
    }

    /// Whether a day is measured for `key`: the sign-up, a row of its issue and, for a condition, one of that are in
    /// force.
    fn covers(&self, key: &AccountKey, date: Date) -> bool {
        let sign_up = self.sign_ups.get(&(key.market_maker.as_str(), &key.issue));
        let issue = self.issues.get(&key.issue).into_iter().flatten().find(|issue| issue.period.contains(date));
        let (Some(periods), Some(issue)) = (sign_up, issue) else { return false };
        periods.iter().any(|period| period.contains(date))
            && condition_of(&key.obligation).is_none_or(|condition| {
                let rows = self.conditions.get(&condition).map_or(&[][..], Vec::as_slice);
                rows.iter().any(|row| row.period.contains(date) && is_of(row, issue))
            })
    }
}

/// Whether a condition's row names the issue, or its index.
fn is_of(row: &PaidCondition, issue: &Issue) -> bool {
    match &row.target {
        Target::Issue(code) => *code == issue.code,
        Target::Index(index) => issue.index.as_ref() == Some(index),
    }
}

/// The condition that an obligation is of.
fn condition_of(obligation: &ObligationId) -> Option<(ConditionKind, &str)> {
    match obligation.paid() {
        Paid::Incentives => None,
        Paid::Sponsor(name) => Some((ConditionKind::Sponsored, name)),
        Paid::MatchingFund(name) => Some((ConditionKind::Matching, name)),
    }
}

/// One obligation in one month.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MonthLine {
    /// Whose.
    pub key: AccountKey,
    /// Sums over the measured days, those that are left out aside.
    pub total: Total,
    /// How the month is judged.
    pub aggregate: Aggregate,
    /// Its measured days, those left out in any case aside; empty where the sum of all is all there is to judge.
    pub days: Vec<DayShare>,
    /// The required share, in ten-thousandths of a percent: that of the last measured date.
    pub required_pct: u64,
    /// Whether the issue is a leveraged or inverse ETF (on the last measured date).
    pub leveraged_inverse: bool,
    /// Of a criterion: how many of its sign-up's have to be met; `None` all.
    pub need: Option<u32>,
    /// The last date on which it was measured.
    pub last_measured: Date,
    /// Days that are in the sums.
    pub days_measured: u32,
    /// The month's trading days within the sign-up, the issue's row and, for a condition, its row.
    pub trading_days: u32,
}

impl MonthLine {
    /// Whether it is the scheme's own obligation, or a criterion of it: with the others of its sign-up it counts in the number of
    /// ETFs ([`SignUpMonth`](crate::SignUpMonth)).
    pub fn is_general(&self) -> bool {
        self.key.obligation.paid() == Paid::Incentives
    }

    /// Whether it is one of several criteria.
    pub fn is_criterion(&self) -> bool {
        self.key.is_criterion()
    }

    /// The condition that it is of.
    pub fn condition(&self) -> Option<(ConditionKind, &str)> {
        condition_of(&self.key.obligation)
    }

    /// Whether the obligation was met.
    ///
    /// Clauses: `ST1/time-share`, `ST1/quote-display-time`.
    pub fn status(&self) -> Status {
        if self.days.is_empty() { self.status_by_sum(self.total) } else { self.status_of(&self.days) }
    }

    fn status_by_sum(&self, total: Total) -> Status {
        Status::of((total.available != Micros::ZERO).then(|| total.reaches(self.required_pct)))
    }

    fn status_of(&self, days: &[DayShare]) -> Status {
        Status::of(aggregate::reaches(&self.aggregate, days, self.required_pct))
    }

    /// Sums and status if one of its dates had come to `more` than it has: of a month whose last day still runs. A date that
    /// plays no part in the month changes nothing.
    ///
    /// Clauses: `ST1/time-share`, `ST1/quote-display-time`.
    ///
    /// ```
    /// # fn at_noon(line: &quoteclock_incentive::MonthLine, today: quoteclock_ledger::Total) {
    /// // The running day has been added to the accounts with nothing on it.
    /// let (so_far, status) = line.with(line.last_measured, today);
    /// assert!(line.total.available <= so_far.available);
    /// println!("{}", status.as_str());
    /// # }
    /// ```
    pub fn with(&self, date: Date, more: Total) -> (Total, Status) {
        if self.days_measured == 0 {
            return (self.total, self.status());
        }
        if self.days.is_empty() {
            let mut total = self.total;
            total += more;
            return (total, self.status_by_sum(total));
        }
        let mut days = self.days.clone();
        days.iter_mut().filter(|day| day.date == date).for_each(|day| day.total += more);
        (aggregate::total(&days), self.status_of(&days))
    }

    /// How many of its days there are of each kind; nothing where single days do not matter.
    pub fn day_counts(&self) -> Option<DayCounts> {
        (!self.days.is_empty()).then(|| aggregate::counts(&self.days))
    }

    /// Whether the status stands, whatever happened in the unknown time: it is the same if all of that was available and
    /// fulfilled, and if all of it was available and not.
    ///
    /// Clause: `ST1/quote-display-time`.
    pub fn certain(&self) -> bool {
        if self.days.is_empty() {
            return !self.total.could_turn(self.required_pct);
        }
        let status = self.status();
        [true, false].into_iter().all(|fulfilled| self.status_if_unknown(fulfilled) == status)
    }

    /// The status if all of the unknown time had been available and fulfilled, or available and not.
    pub(crate) fn status_if_unknown(&self, fulfilled: bool) -> Status {
        if self.days.is_empty() {
            let Total { available, fulfilled: before, unknown } = self.total;
            let more = if fulfilled { unknown } else { Micros::ZERO };
            let total = Total { available: available + unknown, fulfilled: before + more, unknown: Micros::ZERO };
            return Status::of((total.available != Micros::ZERO).then(|| total.reaches(self.required_pct)));
        }
        let days: Vec<DayShare> = self.days.iter().map(|day| day.if_unknown(fulfilled)).collect();
        self.status_of(&days)
    }

    /// What the exchange's system shows: `general` of leveraged and inverse ETFs is judged against 100 %, so that they show
    /// `NG` although the true status is judged as any other. `None` when not applicable.
    ///
    /// Clause: `ST1/system-status`.
    pub fn system_status(&self) -> Option<SystemStatus> {
        let is_ok = match (self.status(), self.key.obligation.system_threshold()) {
            (Status::NotApplicable, _) => return None,
            (_, SystemThreshold::WholeIfLeveraged) if self.leveraged_inverse => self.total.reaches(WHOLE_PCT),
            (status, _) => status == Status::Fulfilled,
        };
        Some(if is_ok { SystemStatus::Ok } else { SystemStatus::Ng })
    }
}

#[cfg(test)]
mod tests;
