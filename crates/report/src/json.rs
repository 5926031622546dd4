//! The same rows as JSON: one document with the names and columns of the CSV files.

use crate::rows::{BreachText, Key, keys};
use quoteclock_ledger::{DayLedger, DisplayPercent};
use quoteclock_rules::DayPlan;
use serde::Serialize;
use serde_json::value::RawValue;
use std::io::{self, Read, Write};

#[derive(Serialize)]
struct Daily<'a> {
    date: String,
    market_maker: &'a str,
    issue: &'a str,
    obligation: &'a str,
    available_us: u64,
    fulfilled_us: u64,
    unknown_us: u64,
    display_pct: Option<Box<RawValue>>,
}

#[derive(Serialize)]
struct Breach<'a> {
    date: &'a str,
    market_maker: &'a str,
    issue: &'a str,
    obligation: &'a str,
    start: String,
    end: String,
    duration_us: u64,
    reason: &'static str,
}

/// Rows of one list, written one by one with commas between them.
#[derive(Debug)]
pub struct JsonRows<W> {
    to: W,
    count: u64,
}

impl<W: Write> JsonRows<W> {
    /// A list written to `to`, without its brackets.
    pub fn new(to: W) -> Self {
        JsonRows { to, count: 0 }
    }

    /// Adds the `daily` rows of a day.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn daily(&mut self, plan: &DayPlan, ledger: &DayLedger) -> io::Result<()> {
        keys(plan).try_for_each(|Key { date, market_maker, issue, obligation, index }| {
            let total = ledger.total(index);
            let percent = DisplayPercent::of(total.fulfilled, total.available);
            self.row(&Daily {
                date: date.to_string(),
                market_maker,
                issue,
                obligation: &obligation.id.to_string(),
                available_us: total.available.0,
                fulfilled_us: total.fulfilled.0,
                unknown_us: total.unknown.0,
                display_pct: percent.map(|percent| RawValue::from_string(percent.to_string())).transpose()?,
            })
        })
    }

    /// Adds the `breaches` rows of a day.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn breaches(&mut self, plan: &DayPlan, ledger: &DayLedger) -> io::Result<()> {
        keys(plan).try_for_each(|Key { date, market_maker, issue, obligation, index }| {
            let (date, obligation) = (date.to_string(), obligation.id.to_string());
            ledger.breaches(index).iter().try_for_each(|breach| {
                let BreachText { start, end, duration_us, reason } = BreachText::new(plan, breach.span, breach.reason);
                let (date, obligation) = (date.as_str(), obligation.as_str());
                self.row(&Breach { date, market_maker, issue, obligation, start, end, duration_us, reason })
            })
        })
    }

    /// The writer.
    pub fn into_inner(self) -> W {
        self.to
    }

    fn row(&mut self, row: &impl Serialize) -> io::Result<()> {
        if 0 < self.count {
            self.to.write_all(b",\n")?;
        }
        self.count += 1;
        Ok(serde_json::to_writer(&mut self.to, row)?)
    }
}

/// Writes one document: a list for each name, made of parts that [`JsonRows`] wrote, then `rest`, an object whose
/// members follow the lists.
///
/// # Errors
/// Those of the parts and the writer.
pub fn write_document(
    lists: Vec<(&str, Vec<Box<dyn Read + '_>>)>,
    rest: &impl Serialize,
    mut to: impl Write,
) -> io::Result<()> {
    write!(to, "{{")?;
    for (name, parts) in lists {
        write!(to, "\"{name}\":[")?;
        let mut written = 0;
        for mut part in parts {
            let mut first = [0];
            if part.read(&mut first)? == 0 {
                continue;
            }
            write!(to, "{}", if written == 0 { "\n" } else { ",\n" })?;
            to.write_all(&first)?;
            written += 1 + io::copy(&mut part, &mut to)?;
        }
        writeln!(to, "],")?;
    }
    let rest = serde_json::to_string(rest)?;
    writeln!(to, "{}", rest.trim_start_matches('{'))?;
    to.flush()
}
