//! The rows of `daily.csv` and `breaches.csv`.

use jiff::civil::Date;
use quoteclock_ledger::{DayLedger, DisplayPercent, Total};
use quoteclock_model::{Reason, Span};
use quoteclock_obligation::ObligationIndex;
use quoteclock_rules::{DayPlan, ObligationPlan, local_time};
use std::io::{self, Write};

/// Columns of `daily.csv`.
pub const DAILY_COLUMNS: [&str; 8] =
    ["date", "market_maker", "issue", "obligation", "available_us", "fulfilled_us", "unknown_us", "display_pct"];

/// Columns of `breaches.csv`.
pub const BREACH_COLUMNS: [&str; 8] =
    ["date", "market_maker", "issue", "obligation", "start", "end", "duration_us", "reason"];

/// Columns of `rejects.csv`.
pub const REJECT_COLUMNS: [&str; 5] = ["file", "place", "issue", "reason", "record"];

/// What the rows of one obligation on one day have in common.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    /// The date.
    pub date: Date,
    /// The market maker.
    pub market_maker: &'a str,
    /// The issue.
    pub issue: &'a str,
    /// The obligation.
    pub obligation: &'a ObligationPlan,
    /// Its position in the plan.
    pub index: ObligationIndex,
}

/// The obligations of a plan, in the order of the output files.
pub fn keys(plan: &DayPlan) -> impl Iterator<Item = Key<'_>> {
    let obligations = plan
        .sign_ups
        .iter()
        .flat_map(|sign_up| sign_up.obligations.iter().map(move |obligation| (sign_up, obligation)));
    obligations.zip(0..).map(|((sign_up, obligation), index)| Key {
        date: plan.date,
        market_maker: &sign_up.market_maker,
        issue: sign_up.issue.as_str(),
        obligation,
        index: ObligationIndex(index),
    })
}

/// Writes the rows of a day, without the header.
///
/// # Errors
/// Those of `to`.
pub fn write_daily_csv(plan: &DayPlan, ledger: &DayLedger, to: impl Write) -> io::Result<()> {
    let mut csv = csv_writer(to);
    for key in keys(plan) {
        let Total { available, fulfilled, unknown } = ledger.total(key.index);
        let percent = DisplayPercent::of(fulfilled, available).map_or_else(String::new, |percent| percent.to_string());
        csv.write_record([
            &key.date.to_string(),
            key.market_maker,
            key.issue,
            &key.obligation.id.to_string(),
            &available.0.to_string(),
            &fulfilled.0.to_string(),
            &unknown.0.to_string(),
            &percent,
        ])?;
    }
    csv.flush()
}

/// Writes the rows of a day, without the header.
///
/// # Errors
/// Those of `to`.
pub fn write_breaches_csv(plan: &DayPlan, ledger: &DayLedger, to: impl Write) -> io::Result<()> {
    let mut csv = csv_writer(to);
    for key in keys(plan) {
        let date = key.date.to_string();
        for breach in ledger.breaches(key.index) {
            let BreachText { start, end, duration_us, reason } = BreachText::new(plan, breach.span, breach.reason);
            let duration_us = duration_us.to_string();
            let name = &key.obligation.id.to_string();
            csv.write_record([&date, key.market_maker, key.issue, name, &start, &end, &duration_us, reason])?;
        }
    }
    csv.flush()
}

/// The columns of a breach as text.
pub(crate) struct BreachText {
    pub(crate) start: String,
    pub(crate) end: String,
    pub(crate) duration_us: u64,
    pub(crate) reason: &'static str,
}

impl BreachText {
    pub(crate) fn new(plan: &DayPlan, span: Span, reason: Reason) -> BreachText {
        BreachText {
            start: local_time(span.start, &plan.zone),
            end: local_time(span.end, &plan.zone),
            duration_us: span.end.since(span.start).0,
            reason: reason.as_str(),
        }
    }
}

fn csv_writer<W: Write>(to: W) -> csv::Writer<W> {
    csv::WriterBuilder::new().has_headers(false).from_writer(to)
}
