//! The rows with the names, types and units of their columns: for whoever writes them as CSV, JSON, Arrow or Parquet.

use crate::{BreachRow, DailyRow, OutageRow, RejectRow};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use quoteclock_ledger::Total;
use quoteclock_model::Span;
use quoteclock_report::clock;
use quoteclock_report::columns::{self, OfDate, OfObligation, WithSpan, WithTimes};
use quoteclock_rows::{Align, Column, Table};
use std::borrow::Cow;

/// Rows of the front door own their names.
macro_rules! rows_with_names {
    ($($row:ident),*) => {$(
        impl OfObligation for $row {
            fn market_maker(&self) -> &str {
                &self.market_maker
            }

            fn issue(&self) -> &str {
                &self.issue
            }

            fn obligation(&self) -> Cow<'_, str> {
                self.obligation.to_string().into()
            }
        }
    )*};
}

/// Those of a stretch of time have their day's plan.
macro_rules! rows_with_plan {
    ($($row:ident),*) => {$(
        impl OfDate for $row {
            fn date(&self) -> Date {
                self.plan.date
            }
        }

        impl WithSpan for $row {
            fn span(&self) -> Span {
                self.span
            }

            fn zone(&self) -> &TimeZone {
                &self.plan.zone
            }
        }
    )*};
}

rows_with_names!(DailyRow, BreachRow, OutageRow);
rows_with_plan!(BreachRow, OutageRow);

impl OfDate for DailyRow {
    fn date(&self) -> Date {
        self.date
    }
}

impl WithTimes for DailyRow {
    fn total(&self) -> Total {
        Total { available: self.available, fulfilled: self.fulfilled, unknown: self.unknown }
    }
}

/// `daily.csv`: rows are [`DailyRow`]s.
///
/// ```
/// # let registry = quoteclock::Registry::open("../../replay-data/tse-small/registry")?;
/// let day = quoteclock::replay("../../replay-data/tse-small/2024-03-01.csv", &registry)?;
/// let mut csv = quoteclock_rows::CsvRows::<quoteclock::Daily, _>::with_header(Vec::new())?;
/// for row in day.daily() {
///     csv.row(&row)?;
/// }
/// assert!(csv.finish()?.starts_with(b"date,market_maker,issue,obligation,available_us,"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Daily;

impl Table for Daily {
    type Row<'a> = DailyRow;
    const NAME: &'static str = "daily";
    const COLUMNS: &'static [Column<Self>] = &columns::of_days();
    const SHOWN: &'static [&'static str] = columns::SHOWN_OF_DAYS;
    const NAMES_SHOWN: usize = 2;
}

/// `breaches.csv`: rows are [`BreachRow`]s.
///
/// ```
/// use quoteclock_rows::column_names;
///
/// assert!(column_names::<quoteclock::Breaches>().eq(
///     ["date", "market_maker", "issue", "obligation", "start", "end", "duration_us", "reason"],
/// ));
/// ```
#[derive(Debug)]
pub struct Breaches;

impl Table for Breaches {
    type Row<'a> = BreachRow;
    const NAME: &'static str = "breaches";
    const COLUMNS: &'static [Column<Self>] =
        &columns::of_stretches(Column::<Self>::text("reason", |row| Some(row.reason.as_str().into())).shown("reason"));
    const SHOWN: &'static [&'static str] =
        &["market_maker", "issue", "obligation", "start", "end", "duration_us", "reason"];
    const NAMES_SHOWN: usize = 2;
}

/// `outages.csv`: rows are [`OutageRow`]s.
///
/// ```
/// use quoteclock_rows::column_names;
///
/// assert_eq!(column_names::<quoteclock::Outages>().last(), Some("reasons"));
/// ```
#[derive(Debug)]
pub struct Outages;

impl Table for Outages {
    type Row<'a> = OutageRow;
    const NAME: &'static str = "outages";
    const COLUMNS: &'static [Column<Self>] =
        &columns::of_stretches(Column::<Self>::text("reasons", |row| Some(row.reasons_text().into())).shown_as(
            "reasons",
            Align::Left,
            |row| reasons_for_people(row).into(),
        ));
    const SHOWN: &'static [&'static str] =
        &["market_maker", "issue", "obligation", "start", "end", "duration_us", "reasons"];
    const NAMES_SHOWN: usize = 2;
}

/// `spread 0:03:32.435417, bid_size 0:00:00.25`; the only one by itself.
fn reasons_for_people(row: &OutageRow) -> String {
    match &row.reasons[..] {
        [(reason, _)] => reason.to_string(),
        reasons => {
            let texts: Vec<String> =
                reasons.iter().map(|(reason, time)| format!("{reason} {}", clock(*time))).collect();
            texts.join(", ")
        }
    }
}

/// `rejects.csv`: rows are [`RejectRow`]s.
///
/// ```
/// use quoteclock_rows::column_names;
///
/// assert!(column_names::<quoteclock::RejectsTable>().eq(["file", "place", "issue", "reason", "record"]));
/// ```
#[derive(Debug)]
pub struct RejectsTable;

impl Table for RejectsTable {
    type Row<'a> = RejectRow;
    const NAME: &'static str = "rejects";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::text("file", |row| row.file.as_deref().map(Into::into)).shown("file"),
        Column::<Self>::text("place", |row| Some(row.place.as_str().into())).shown("place"),
        Column::<Self>::text("issue", |row| row.issue.as_deref().map(Into::into)).shown("issue"),
        Column::<Self>::text("reason", |row| Some(row.reason.as_str().into())).shown("reason"),
        Column::<Self>::text("record", |row| Some(row.record_text().into()))
            .shown_as("record", Align::Left, |row| shortened(row.record_text()).into()),
    ];
    const SHOWN: &'static [&'static str] = &["file", "place", "issue", "reason", "record"];
}

/// Records may be long: so much of one is seen.
const RECORD_SHOWN_MAX: usize = 120;

fn shortened(text: String) -> String {
    match text.char_indices().nth(RECORD_SHOWN_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
