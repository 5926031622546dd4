//! What was measured of a day: `daily.csv`, `breaches.csv` and `outages.csv`.

use crate::columns::{self, WithSpan, WithTimes};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use quoteclock_ledger::{Breach, DayLedger, Outage, Total, outages, reasons_text};
use quoteclock_model::Span;
use quoteclock_obligation::ObligationIndex;
use quoteclock_rows::{Column, CsvRows, Table};
use quoteclock_rules::{DayPlan, ObligationPlan};
use std::io::{self, Write};

/// What the rows of one obligation on one day have in common.
#[derive(Clone, Copy, Debug)]
pub struct DayKey<'a> {
    /// The date.
    pub date: Date,
    /// The market maker.
    pub market_maker: &'a str,
    /// The issue.
    pub issue: &'a str,
    /// Whether the issue is a leveraged or inverse ETF.
    pub leveraged_inverse: bool,
    /// The obligation.
    pub obligation: &'a ObligationPlan,
    /// Its position in the plan.
    pub index: ObligationIndex,
}

/// The obligations of a plan, in the order of the output files.
pub fn keys(plan: &DayPlan) -> impl Iterator<Item = DayKey<'_>> {
    let obligations = plan
        .sign_ups
        .iter()
        .flat_map(|sign_up| sign_up.obligations.iter().map(move |obligation| (sign_up, obligation)));
    obligations.zip(0..).map(|((sign_up, obligation), index)| DayKey {
        date: plan.date,
        market_maker: &sign_up.market_maker,
        issue: sign_up.issue.as_str(),
        leveraged_inverse: sign_up.leveraged_inverse,
        obligation,
        index: ObligationIndex(index),
    })
}

/// A row of `daily.csv`.
#[derive(Clone, Copy, Debug)]
pub struct DailyRow<'a> {
    /// Whose.
    pub key: DayKey<'a>,
    /// Its times.
    pub total: Total,
}

/// `daily.csv`: what each obligation of a day came to.
#[derive(Debug)]
pub struct Daily;

impl Table for Daily {
    type Row<'a> = DailyRow<'a>;
    const NAME: &'static str = "daily";
    const COLUMNS: &'static [Column<Self>] = &columns::of_days();
}

impl Daily {
    /// The rows of a day.
    pub fn rows<'a>(plan: &'a DayPlan, ledger: &'a DayLedger) -> impl Iterator<Item = DailyRow<'a>> {
        keys(plan).map(|key| DailyRow { key, total: ledger.total(key.index) })
    }
}

/// A row of `breaches.csv`.
#[derive(Clone, Copy, Debug)]
pub struct BreachRow<'a> {
    /// Whose.
    pub key: DayKey<'a>,
    /// The scheme's zone.
    pub zone: &'a TimeZone,
    /// The breach.
    pub breach: Breach,
}

/// `breaches.csv`: every stretch in which an obligation was not fulfilled for one reason.
#[derive(Debug)]
pub struct Breaches;

impl Table for Breaches {
    type Row<'a> = BreachRow<'a>;
    const NAME: &'static str = "breaches";
    const COLUMNS: &'static [Column<Self>] = &columns::of_stretches(reason());
}

/// Why it was a breach.
pub const fn reason<T>() -> Column<T>
where
    T: for<'a> Table<Row<'a> = BreachRow<'a>>,
{
    Column::text("reason", |row| Some(row.breach.reason.as_str().into()))
}

impl Breaches {
    /// The rows of a day.
    pub fn rows<'a>(plan: &'a DayPlan, ledger: &'a DayLedger) -> impl Iterator<Item = BreachRow<'a>> {
        let row = move |key: DayKey<'a>| {
            ledger.breaches(key.index).iter().map(move |&breach| BreachRow { key, zone: &plan.zone, breach })
        };
        keys(plan).flat_map(row)
    }
}

/// A row of `outages.csv`.
#[derive(Clone, Debug)]
pub struct OutageRow<'a> {
    /// Whose.
    pub key: DayKey<'a>,
    /// The scheme's zone.
    pub zone: &'a TimeZone,
    /// The outage.
    pub outage: Outage,
}

/// `outages.csv`: every stretch in which an obligation was not fulfilled, with what each reason has of it.
#[derive(Debug)]
pub struct Outages;

impl Table for Outages {
    type Row<'a> = OutageRow<'a>;
    const NAME: &'static str = "outages";
    const COLUMNS: &'static [Column<Self>] = &columns::of_stretches(reasons());
}

/// What each reason has of an outage.
pub const fn reasons<T>() -> Column<T>
where
    T: for<'a> Table<Row<'a> = OutageRow<'a>>,
{
    Column::text("reasons", |row| Some(reasons_text(&row.outage.reasons).into()))
}

impl Outages {
    /// The rows of a day.
    pub fn rows<'a>(plan: &'a DayPlan, ledger: &'a DayLedger) -> impl Iterator<Item = OutageRow<'a>> {
        let row = move |key: DayKey<'a>| {
            outages(ledger.breaches(key.index)).map(move |outage| OutageRow { key, zone: &plan.zone, outage })
        };
        keys(plan).flat_map(row)
    }
}

/// What the rows of one obligation on one day have in common is in their key.
macro_rules! rows_with_key {
    ($($row:ident),*) => {$(
        impl $crate::columns::OfDate for $row<'_> {
            fn date(&self) -> jiff::civil::Date {
                self.key.date
            }
        }

        impl $crate::columns::OfObligation for $row<'_> {
            fn market_maker(&self) -> &str {
                self.key.market_maker
            }

            fn issue(&self) -> &str {
                self.key.issue
            }

            fn obligation(&self) -> std::borrow::Cow<'_, str> {
                self.key.obligation.id.to_string().into()
            }
        }
    )*};
}

pub(crate) use rows_with_key;

rows_with_key!(DailyRow, BreachRow, OutageRow);

impl WithTimes for DailyRow<'_> {
    fn total(&self) -> Total {
        self.total
    }
}

impl WithSpan for BreachRow<'_> {
    fn span(&self) -> Span {
        self.breach.span
    }

    fn zone(&self) -> &TimeZone {
        self.zone
    }
}

impl WithSpan for OutageRow<'_> {
    fn span(&self) -> Span {
        self.outage.span
    }

    fn zone(&self) -> &TimeZone {
        self.zone
    }
}

/// Writes the rows of `daily.csv` of a day, without the header.
///
/// # Errors
/// Those of `to`.
pub fn write_daily_csv(plan: &DayPlan, ledger: &DayLedger, to: impl Write) -> io::Result<()> {
    write_rows::<Daily>(Daily::rows(plan, ledger), to)
}

/// Writes the rows of `breaches.csv` of a day, without the header.
///
/// # Errors
/// Those of `to`.
pub fn write_breaches_csv(plan: &DayPlan, ledger: &DayLedger, to: impl Write) -> io::Result<()> {
    write_rows::<Breaches>(Breaches::rows(plan, ledger), to)
}

/// Writes the rows of `outages.csv` of a day, without the header.
///
/// # Errors
/// Those of `to`.
pub fn write_outages_csv(plan: &DayPlan, ledger: &DayLedger, to: impl Write) -> io::Result<()> {
    write_rows::<Outages>(Outages::rows(plan, ledger), to)
}

fn write_rows<'r, T: Table>(mut rows: impl Iterator<Item = T::Row<'r>>, to: impl Write) -> io::Result<()> {
    let mut csv = CsvRows::<T, _>::new(to);
    rows.try_for_each(|row| csv.row(&row))?;
    csv.finish()?.flush()
}
