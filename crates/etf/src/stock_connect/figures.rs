//! The figures that the criteria look at: of each ETF its average assets, of each index its weights.

use super::read::{AUM, CONSTITUENTS, ETFS, TURNOVER};
use super::{Constituent, Etf, Rows};
use crate::calendar::NoCalendar;
use crate::{Calendar, Decimal, Hundredths, Missing};
use jiff::ToSpan;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// A figure, or what it needs.
pub type Figure<T> = Result<T, Missing>;

/// The figures of one benchmark index. All percentages are sums of weights as they are given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Figures {
    /// Of A shares listed in Shanghai or Shenzhen.
    pub a_share: Figure<Decimal>,
    /// Of stocks that are eligible Northbound.
    pub northbound: Figure<Decimal>,
    /// The number of constituents.
    pub constituents: Figure<usize>,
    /// Of the largest constituent.
    pub largest: Figure<Decimal>,
    /// Of the five largest constituents.
    pub top_five: Figure<Decimal>,
    /// Of the constituents among the top 80 % of their exchange by turnover.
    pub top_turnover: Figure<Decimal>,
}

impl Figures {
    /// No figure is to be had.
    fn none(missing: &Missing) -> Figures {
        fn none<T>(missing: &Missing) -> Figure<T> {
            Err(missing.clone())
        }
        Figures {
            a_share: none(missing),
            northbound: none(missing),
            constituents: none(missing),
            largest: none(missing),
            top_five: none(missing),
            top_turnover: none(missing),
        }
    }
}

/// The rows by what they are asked for by, and the figures of every index.
pub(super) struct Lookup<'r> {
    aum: BTreeMap<(&'r str, Date), Option<Decimal>>,
    indices: BTreeMap<&'r str, &'r super::Index>,
    figures: BTreeMap<&'r str, Figures>,
    /// The cut-off, and the days up to it on which Shanghai is open, or not known to be open.
    window: Figure<Window>,
}

struct Window {
    cut_off: Date,
    days: Vec<(Date, Result<(), NoCalendar>)>,
}

impl<'r> Lookup<'r> {
    pub(super) fn new(rows: &'r Rows, cut_off: Figure<Date>) -> Lookup<'r> {
        let turnover = Exchanges::new(rows);
        let mut constituents: BTreeMap<&str, Vec<&Constituent>> = BTreeMap::new();
        for row in &rows.constituents {
            constituents.entry(&row.index).or_default().push(row);
        }
        Lookup {
            aum: rows.aum.iter().map(|row| ((row.etf.as_str(), row.date), row.aum)).collect(),
            indices: rows.indices.iter().map(|row| (row.index.as_str(), row)).collect(),
            figures: constituents.into_iter().map(|(index, rows)| (index, figures(index, &rows, &turnover))).collect(),
            window: cut_off.map(|cut_off| Window { cut_off, days: days(cut_off, rows) }),
        }
    }

    pub(super) fn cut_off(&self) -> Figure<Date> {
        self.window.as_ref().map(|window| window.cut_off).map_err(Clone::clone)
    }

    pub(super) fn index(&self, name: &str) -> Option<&'r super::Index> {
        self.indices.get(name).copied()
    }

    /// The figures of an ETF's index.
    pub(super) fn figures(&self, etf: &Etf) -> Figures {
        let Some(index) = &etf.index else { return Figures::none(&Missing::cell(ETFS.file, &etf.etf, "index")) };
        let known = self.figures.get(index.as_str()).cloned();
        known.unwrap_or_else(|| Figures::none(&Missing::row(CONSTITUENTS.file, index)))
    }

    /// An ETF's daily average assets of the six months to the cut-off, and their sum and number.
    ///
    /// Interpretations: `QC/six_months`, `QC/aum_days`.
    pub(super) fn aum(&self, etf: &Etf) -> Figure<Average> {
        let listed = etf.listed.ok_or_else(|| Missing::cell(ETFS.file, &etf.etf, "listed"));
        let (window, listed) = match (&self.window, listed) {
            (Ok(window), Ok(listed)) => (window, listed),
            (window, listed) => {
                return Err([window.as_ref().err(), listed.as_ref().err()].into_iter().flatten().collect());
            }
        };
        let (mut missing, mut amounts) = (Missing::default(), Vec::with_capacity(window.days.len()));
        for &(date, open) in window.days.iter().filter(|&&(date, _)| listed <= date) {
            match (open, self.aum.get(&(etf.etf.as_str(), date)).copied().flatten()) {
                (Ok(()), Some(amount)) => amounts.push(amount),
                (Ok(()), None) => {
                    missing.add(&Missing::one(format!("{}/{}/", AUM.file, etf.etf), &date.to_string(), ""));
                }
                (Err(no_calendar), _) => missing.add(&no_calendar.into()),
            }
        }
        let count = amounts.len();
        let sum: Decimal = missing.unless(amounts.into_iter().sum())?;
        let mean = sum.mean(count).ok_or_else(|| Missing::row(AUM.file, &etf.etf))?;
        Ok(Average { sum, count, mean })
    }
}

/// A mean, exactly and for people.
#[derive(Clone, Copy)]
pub(super) struct Average {
    sum: Decimal,
    count: usize,
    pub(super) mean: Hundredths,
}

impl Average {
    /// Whether the exact mean is at least `bound`.
    pub(super) fn is_at_least(self, bound: Decimal) -> bool {
        bound.times(self.count) <= self.sum
    }
}

/// The days after (cut-off − 6 months) up to the cut-off on which Shanghai is open, or not known to be.
fn days(cut_off: Date, rows: &Rows) -> Vec<(Date, Result<(), NoCalendar>)> {
    let start = cut_off.checked_sub(6.months()).unwrap_or(Date::MIN);
    let mut days = Vec::new();
    for date in start.series(1.day()).skip(1).take_while(|&date| date <= cut_off) {
        match rows.holidays.is_open(Calendar::Sse, date) {
            Ok(true) => days.push((date, Ok(()))),
            Ok(false) => {}
            Err(no_calendar) => days.push((date, Err(no_calendar))),
        }
    }
    days
}

/// The figures of an index with at least one constituent.
///
/// Interpretation: `QC/weights_sum`.
fn figures(index: &str, rows: &[&Constituent], exchanges: &Exchanges<'_>) -> Figures {
    let weights_missing = weights_missing(index, rows);
    let mut weights: Vec<Decimal> = rows.iter().filter_map(|row| row.weight).collect();
    weights.sort_unstable_by(|a, b| b.cmp(a));
    let from_weights = |figure: Decimal| weights_missing.clone().unless(figure);
    // The weight of whichever rows are told to count, unless it cannot be told of one of them.
    let share_of = |counts: &dyn Fn(&Constituent) -> Figure<bool>| {
        let mut missing = weights_missing.clone();
        let mut sum = Vec::new();
        for row in rows {
            match counts(row) {
                Ok(true) => sum.extend(row.weight),
                Ok(false) => {}
                Err(needed) => missing.add(&needed),
            }
        }
        missing.unless(sum.into_iter().sum())
    };
    Figures {
        a_share: share_of(&is_a_share),
        northbound: share_of(&|row| row.northbound.ok_or_else(|| cell(row, "northbound"))),
        constituents: weights_missing.clone().unless(rows.len()),
        largest: from_weights(weights.first().copied().unwrap_or_default()),
        top_five: from_weights(weights.iter().copied().take(5).sum()),
        top_turnover: share_of(&|row| exchanges.is_top(row)),
    }
}

/// What the weights of an index need before any of them can be used.
fn weights_missing(index: &str, rows: &[&Constituent]) -> Missing {
    let empty: Vec<Missing> =
        rows.iter().filter(|row| row.weight.is_none()).map(|row| cell(row, "weight_pct")).collect();
    let sum: Decimal = rows.iter().filter_map(|row| row.weight).sum();
    if empty.is_empty() && !(Decimal::whole(99) <= sum && sum <= Decimal::whole(101)) {
        return Missing::cell(CONSTITUENTS.file, index, "weight_pct");
    }
    empty.iter().collect()
}

/// Whether a constituent is an A share of Shanghai or Shenzhen. One of the two being otherwise is enough to know.
fn is_a_share(row: &Constituent) -> Figure<bool> {
    let on_exchange = row.exchange.as_deref().map(|exchange| matches!(exchange, "SSE" | "SZSE"));
    match (row.a_share, on_exchange) {
        (Some(false), _) | (_, Some(false)) => Ok(false),
        (Some(true), Some(true)) => Ok(true),
        (a_share, on_exchange) => {
            let mut missing = Missing::default();
            if a_share.is_none() {
                missing.add(&cell(row, "a_share"));
            }
            if on_exchange.is_none() {
                missing.add(&cell(row, "exchange"));
            }
            Err(missing)
        }
    }
}

fn cell(row: &Constituent, column: &str) -> Missing {
    Missing::one(format!("{}/{}/", CONSTITUENTS.file, row.index), &row.stock, &format!("/{column}"))
}

/// The shares of each exchange by turnover.
struct Exchanges<'r>(BTreeMap<&'r str, Exchange<'r>>);

#[derive(Default)]
struct Exchange<'r> {
    turnovers: BTreeMap<&'r str, Decimal>,
    /// The same in order, the largest first.
    ordered: Vec<Decimal>,
    /// The shares whose turnover is not known; without them no rank is.
    unknown: Missing,
}

impl<'r> Exchanges<'r> {
    fn new(rows: &'r Rows) -> Exchanges<'r> {
        let mut exchanges: BTreeMap<&str, Exchange<'_>> = BTreeMap::new();
        for row in &rows.turnover {
            let exchange = exchanges.entry(&row.exchange).or_default();
            match row.adt {
                Some(adt) => {
                    exchange.turnovers.insert(&row.stock, adt);
                    exchange.ordered.push(adt);
                }
                None => exchange.unknown.add(&share(&row.exchange, &row.stock)),
            }
        }
        exchanges.values_mut().for_each(|exchange| exchange.ordered.sort_unstable_by(|a, b| b.cmp(a)));
        Exchanges(exchanges)
    }

    /// Whether a constituent is among the top 80 % of its exchange: its rank, of equal turnovers the best, is at most 0.8
    /// times the number of shares.
    ///
    /// Interpretation: `QC/top_80_pct`.
    fn is_top(&self, row: &Constituent) -> Figure<bool> {
        let name = row.exchange.as_deref().ok_or_else(|| cell(row, "exchange"))?;
        let Some(exchange) = self.0.get(name) else { return Err(share(name, &row.stock)) };
        let turnover = exchange.turnovers.get(row.stock.as_str());
        let mut missing = exchange.unknown.clone();
        if turnover.is_none() {
            missing.add(&share(name, &row.stock));
        }
        let adt = missing.unless(turnover.copied().unwrap_or_default())?;
        let rank = 1 + exchange.ordered.partition_point(|&larger| adt < larger);
        Ok(5 * rank <= 4 * exchange.ordered.len())
    }
}

fn share(exchange: &str, stock: &str) -> Missing {
    Missing::one(format!("{}/{exchange}/", TURNOVER.file), stock, "")
}
