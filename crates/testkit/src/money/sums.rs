//! What everything else about a month is worked out of: rows in force, and what each obligation came to.

use super::numbers::{Fraction, fraction};
use super::{AggregateNumbers, Case, ResultRow, TurnoverRow};
use crate::text::Row;
use jiff::ToSpan;
use jiff::civil::Date;
use std::collections::BTreeSet;

/// Whether an obligation is the scheme's own, or one of its criteria.
pub(super) fn is_general(obligation: &str) -> bool {
    obligation == "general" || obligation.starts_with("general:")
}

pub(super) struct Money<'c> {
    pub(super) case: &'c Case,
    pub(super) issues: Vec<Row>,
    pub(super) servers: Vec<Row>,
    pub(super) signups: Vec<Row>,
    pub(super) sponsored: Vec<Row>,
    pub(super) matching: Vec<Row>,
    pub(super) excluded: Vec<Row>,
    pub(super) first: Date,
}

pub(super) fn in_force(row: &Row, date: Date) -> bool {
    let bound = |column: &str| row.get(column).parse::<Date>().ok();
    bound("from").is_none_or(|from| from <= date) && bound("to").is_none_or(|to| date <= to)
}

/// The dates of the month that begins with `first`.
pub(super) fn dates(first: Date) -> Vec<Date> {
    first.series(1.day()).take_while(|date| date.month() == first.month()).collect()
}

/// A sum of one obligation over the month.
pub(super) struct Sum {
    pub(super) available: i128,
    pub(super) fulfilled: i128,
    pub(super) required: i128,
    pub(super) last: Date,
    /// The share of each day with available time, and what it required.
    pub(super) shares: Vec<(Fraction, Fraction)>,
    /// How they are judged.
    pub(super) aggregate: AggregateNumbers,
}

impl Sum {
    pub(super) fn status(&self) -> &'static str {
        if self.available == 0 {
            "not_applicable"
        } else if self.reaches() {
            "fulfilled"
        } else {
            "not_fulfilled"
        }
    }

    fn reaches(&self) -> bool {
        let required = fraction(self.required, 1_000_000);
        let count = fraction(i128::try_from(self.shares.len()).expect("few days"), 1);
        let below = self.shares.iter().filter(|(share, required)| share < required).count();
        let compliant = &count - fraction(i128::try_from(below).expect("few days"), 1);
        let month = match self.aggregate.month.as_str() {
            "mean_of_days" => self.shares.iter().map(|(share, _)| share).sum::<Fraction>() / count >= required,
            "days" => compliant / count >= fraction(self.aggregate.days_pct, 1_000_000),
            _ => fraction(self.fulfilled, self.available) >= required,
        };
        let floor = self.aggregate.day_floor_pct.map(|floor| fraction(floor, 1_000_000));
        month
            && self.aggregate.max_days_below.is_none_or(|most| below <= most)
            && floor.is_none_or(|floor| self.shares.iter().all(|(share, _)| *share >= floor))
    }
}

impl Money<'_> {
    pub(super) fn issue_row(&self, issue: &str, date: Date) -> Option<&Row> {
        self.issues.iter().find(|row| row.get("issue") == issue && in_force(row, date))
    }

    /// All market makers, issues and obligations measured in a month.
    pub(super) fn measured(&self, first: Date) -> BTreeSet<(String, String, String)> {
        let of_month = |row: &&ResultRow| row.date.first_of_month() == first;
        let key = |row: &ResultRow| (row.market_maker.clone(), row.issue.clone(), row.obligation.clone());
        self.case.results.iter().filter(of_month).map(key).collect()
    }

    pub(super) fn sum(&self, first: Date, market_maker: &str, issue: &str, obligation: &str) -> Option<Sum> {
        let mut sum: Option<Sum> = None;
        for row in &self.case.results {
            let is_own = row.market_maker == market_maker && row.issue == issue && row.obligation == obligation;
            if !is_own || row.date.first_of_month() != first {
                continue;
            }
            let aggregate = match obligation {
                own if is_general(own) => self.case.scheme.aggregate.clone(),
                _ => AggregateNumbers::default(),
            };
            let (required, last) = (row.required, row.date);
            let empty = Sum { available: 0, fulfilled: 0, required, last, shares: Vec::new(), aggregate };
            let so_far = sum.get_or_insert(empty);
            if !self.is_left_out(row) {
                so_far.available += row.available;
                so_far.fulfilled += row.fulfilled;
                if row.available != 0 {
                    let share = fraction(row.fulfilled, row.available);
                    so_far.shares.push((share, fraction(row.required, 1_000_000)));
                }
            }
            if so_far.last <= row.date {
                (so_far.last, so_far.required) = (row.date, row.required);
            }
        }
        sum
    }

    /// Whether the day plays no part in the month.
    fn is_left_out(&self, day: &ResultRow) -> bool {
        let fails = || day.available != 0 && fraction(day.fulfilled, day.available) < fraction(day.required, 1_000_000);
        self.excluded.iter().any(|row| {
            row.get("date") == day.date.to_string()
                && ["*", day.issue.as_str()].contains(&row.get("issue"))
                && ["", "*", day.market_maker.as_str()].contains(&row.get("market_maker"))
                && (row.get("only_if_failed") != "true" || fails())
        })
    }

    pub(super) fn is_leveraged(&self, issue: &str, date: Date) -> bool {
        self.issue_row(issue, date).is_some_and(|row| row.get("leveraged_inverse") == "true")
    }

    /// The market makers and issues of a month of which the scheme asks something.
    pub(super) fn asked(&self, first: Date) -> BTreeSet<(String, String)> {
        let general = self.measured(first).into_iter().filter(|(_, _, obligation)| is_general(obligation));
        general.map(|(market_maker, issue, _)| (market_maker, issue)).collect()
    }

    /// What the scheme asked of a sign-up on the last date on which it asked anything.
    pub(super) fn asked_last(&self, first: Date, market_maker: &str, issue: &str) -> Vec<Sum> {
        let measured = self.measured(first);
        let own = measured.iter().filter(|(maker, of, name)| maker == market_maker && of == issue && is_general(name));
        let sums: Vec<Sum> = own.filter_map(|(_, _, name)| self.sum(first, market_maker, issue, name)).collect();
        let last = sums.iter().map(|sum| sum.last).max();
        sums.into_iter().filter(|sum| Some(sum.last) == last).collect()
    }

    /// Whether a sign-up's month is fulfilled: `general`, or as many criteria as are needed, or all that could be.
    pub(super) fn status_of_sign_up(&self, first: Date, market_maker: &str, issue: &str) -> &'static str {
        let sums = self.asked_last(first, market_maker, issue);
        let count = |status: &str| sums.iter().filter(|sum| sum.status() == status).count();
        let need = self.need(&sums);
        match (count("fulfilled"), count("not_fulfilled")) {
            (0, 0) => "not_applicable",
            (met, missed) if missed == 0 || met >= need => "fulfilled",
            _ => "not_fulfilled",
        }
    }

    pub(super) fn need(&self, sums: &[Sum]) -> usize {
        self.case.scheme.need.filter(|need| *need <= sums.len()).unwrap_or(sums.len())
    }

    pub(super) fn etfs(&self, first: Date, market_maker: &str) -> usize {
        let counts = |issue: &str| {
            let last = self.asked_last(first, market_maker, issue)[0].last;
            self.status_of_sign_up(first, market_maker, issue) == "fulfilled" && !self.is_leveraged(issue, last)
        };
        let asked = self.asked(first);
        asked.iter().filter(|(of, issue)| of == market_maker && counts(issue)).count()
    }

    pub(super) fn qualifies(&self, first: Date, market_maker: &str) -> bool {
        self.etfs(first, market_maker) >= self.case.scheme.etfs_required
    }

    pub(super) fn sign_up_rows<'m>(&'m self, market_maker: &'m str, issue: &'m str) -> impl Iterator<Item = &'m Row> {
        self.signups.iter().filter(move |row| row.get("market_maker") == market_maker && row.get("issue") == issue)
    }

    pub(super) fn participant(&self, market_maker: &str, issue: &str, date: Date) -> String {
        let row = self.sign_up_rows(market_maker, issue).find(|row| in_force(row, date));
        row.map_or(String::new(), |row| row.get("participant").to_owned())
    }

    pub(super) fn in_force_in_month(&self, row: &Row) -> bool {
        dates(self.first).into_iter().any(|date| in_force(row, date))
    }

    pub(super) fn turnover_rows<'m>(
        &'m self,
        market_maker: &'m str,
        issue: &'m str,
    ) -> impl Iterator<Item = &'m TurnoverRow> {
        let own = move |row: &&TurnoverRow| row.market_maker == market_maker && row.issue == issue;
        self.case.turnovers.iter().filter(own).filter(|row| row.date.first_of_month() == self.first)
    }

    pub(super) fn own_quantity(&self, market_maker: &str, issue: &str) -> i128 {
        let rows = self.turnover_rows(market_maker, issue);
        rows.map(|row| row.continuous.iter().chain(&row.auction).map(|of| of.1).sum::<i128>()).sum()
    }

    pub(super) fn own_value(&self, market_maker: &str, issue: &str) -> i128 {
        let rows = self.turnover_rows(market_maker, issue);
        rows.map(|row| row.continuous.iter().chain(&row.auction).map(|of| of.0).sum::<i128>()).sum()
    }
}
