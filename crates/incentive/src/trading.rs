//! What each sign-up traded and sent in a month, by the participant through which it was signed up on the day.

use crate::Month;
use jiff::civil::Date;
use quoteclock_model::{Amount, ByCounterparty, IssueCode, Turnover};
use quoteclock_rules::{Registry, SignUp};
use std::collections::BTreeMap;

/// A month's executions and orders of all sign-ups, as days are added.
#[derive(Clone, Debug)]
pub struct Trading {
    month: Month,
    orders_max: u64,
    sign_ups: BTreeMap<String, BTreeMap<IssueCode, Traded>>,
}

/// Sums of one sign-up, over all stored days of the month.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Traded {
    /// Shares of all of its executions, both sides of a trade with itself.
    pub quantity: u128,
    /// What they were worth.
    pub value: Amount,
    /// What incentives are reckoned from, by participant; `None` where the sign-up names none.
    pub by_participant: BTreeMap<Option<String>, Basis>,
}

/// What the days that fall to one participant add up to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Basis {
    /// Days.
    pub days: u32,
    /// Continuous executions against anyone but a market maker signed up for the issue.
    pub others: Amount,
    /// Call-auction executions, and executions against a market maker signed up for the issue.
    pub auction_or_market_maker: Amount,
    /// Orders, each day's at most as many as the scheme counts.
    pub orders: u64,
    /// By date, for whoever asks why.
    pub daily: BTreeMap<Date, DayBasis>,
}

/// What one day adds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DayBasis {
    /// As [`Basis::others`].
    pub others: Amount,
    /// As [`Basis::auction_or_market_maker`].
    pub auction_or_market_maker: Amount,
    /// Orders sent.
    pub orders_sent: u64,
    /// Of these, the orders that count.
    pub orders_counted: u64,
    /// Shares of all executions.
    pub quantity: u128,
}

impl Trading {
    /// A month of which nothing is known yet.
    pub fn new(month: Month, registry: &Registry) -> Trading {
        let orders_max = registry.scheme().incentives().orders_max;
        Trading { month, orders_max, sign_ups: BTreeMap::new() }
    }

    /// Adds what a sign-up traded and sent on a stored day.
    ///
    /// Clauses: `ST1/trading-value`, `ST1/access-fee`, `ST1/participant`, `QC/unnamed_counterparty`.
    ///
    /// # Panics
    /// If the date is not of the month.
    pub fn add(&mut self, registry: &Registry, date: Date, market_maker: &str, issue: &IssueCode, turnover: &Turnover) {
        assert!(self.month.dates().contains(&date), "{date} is not in {}", self.month);
        if !self.sign_ups.contains_key(market_maker) {
            self.sign_ups.insert(market_maker.to_owned(), BTreeMap::new());
        }
        let of_maker = self.sign_ups.get_mut(market_maker).expect("it was put there");
        let traded = of_maker.entry(issue.clone()).or_default();
        let (continuous, auction) = (all(&turnover.continuous), all(&turnover.auction));
        traded.quantity += continuous.1 + auction.1;
        traded.value += continuous.0;
        traded.value += auction.0;
        let mut day = DayBasis {
            others: turnover.continuous.other.value,
            auction_or_market_maker: turnover.continuous.market_maker.value,
            orders_sent: turnover.order_count,
            orders_counted: turnover.order_count.min(self.orders_max),
            quantity: continuous.1 + auction.1,
        };
        day.others += turnover.continuous.unnamed.value;
        day.auction_or_market_maker += auction.0;
        let participant = participant_on(registry, market_maker, issue, date).map(str::to_owned);
        let basis = traded.by_participant.entry(participant).or_default();
        basis.days += 1;
        basis.others += day.others;
        basis.auction_or_market_maker += day.auction_or_market_maker;
        basis.orders += day.orders_counted;
        basis.daily.insert(date, day);
    }

    /// Shares of a sign-up's executions, by stored day.
    pub(crate) fn quantities(&self, market_maker: &str, issue: &IssueCode) -> Vec<(Date, u128)> {
        let parts = self.of(market_maker, issue).into_iter().flat_map(|traded| traded.by_participant.values());
        let days: BTreeMap<Date, u128> =
            parts.flat_map(|basis| basis.daily.iter().map(|(date, day)| (*date, day.quantity))).collect();
        days.into_iter().collect()
    }

    /// What a sign-up traded and sent; `None` where no day of it was added.
    pub fn of(&self, market_maker: &str, issue: &IssueCode) -> Option<&Traded> {
        self.sign_ups.get(market_maker)?.get(issue)
    }
}

/// Value and quantity against anybody.
fn all(by: &ByCounterparty) -> (Amount, u128) {
    let parts = [by.market_maker, by.other, by.unnamed];
    (Amount(parts.iter().map(|part| part.value.0).sum()), parts.iter().map(|part| part.quantity).sum())
}

/// The rows of one sign-up, by first date.
pub(crate) fn sign_up_rows<'r>(registry: &'r Registry, market_maker: &str, issue: &IssueCode) -> &'r [SignUp] {
    let all = registry.sign_ups();
    let order = |row: &SignUp| (row.market_maker.as_str(), &row.issue).cmp(&(market_maker, issue));
    let start = all.partition_point(|row| order(row).is_lt());
    let length = all[start..].partition_point(|row| order(row).is_eq());
    &all[start..start + length]
}

/// The participant of the sign-up in force on a date.
///
/// Clause: `ST1/participant`.
pub fn participant_on<'r>(
    registry: &'r Registry,
    market_maker: &str,
    issue: &IssueCode,
    date: Date,
) -> Option<&'r str> {
    let rows = sign_up_rows(registry, market_maker, issue);
    rows.iter().find(|row| row.period.contains(date))?.participant.as_deref()
}
