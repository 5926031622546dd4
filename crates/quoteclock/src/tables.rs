//! The rows with the names, types and units of their columns: for whoever writes them as CSV, JSON, Arrow or Parquet.

use crate::{BreachRow, DailyRow, OutageRow, RejectRow};
use quoteclock_ledger::DisplayPercent;
use quoteclock_model::Micros;
use quoteclock_rows::{Column, Decimals, Local, Table, Unit};

fn micros(time: Micros) -> Option<i128> {
    Some(time.0.into())
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
    const COLUMNS: &'static [Column<Self>] = &[
        Column::date("date", |row| Some(row.date)),
        Column::text("market_maker", |row| Some(row.market_maker.as_str().into())),
        Column::text("issue", |row| Some(row.issue.as_str().into())),
        Column::text("obligation", |row| Some(row.obligation.as_str().into())),
        Column::integer("available_us", Unit::Micros, |row| micros(row.available)),
        Column::integer("fulfilled_us", Unit::Micros, |row| micros(row.fulfilled)),
        Column::integer("unknown_us", Unit::Micros, |row| micros(row.unknown)),
        Column::decimal("display_pct", Unit::Percent, Decimals::Fixed(4), |row| {
            row.display_pct.map(DisplayPercent::ten_thousandths).map(i128::from)
        }),
    ];
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
    const COLUMNS: &'static [Column<Self>] = &[
        Column::date("date", |row| Some(row.date())),
        Column::text("market_maker", |row| Some(row.market_maker.as_str().into())),
        Column::text("issue", |row| Some(row.issue.as_str().into())),
        Column::text("obligation", |row| Some(row.obligation.as_str().into())),
        Column::instant("start", |row| Some(Local { at: row.span.start, zone: &row.plan.zone })),
        Column::instant("end", |row| Some(Local { at: row.span.end, zone: &row.plan.zone })),
        Column::integer("duration_us", Unit::Micros, |row| micros(row.duration())),
        Column::text("reason", |row| Some(row.reason.as_str().into())),
    ];
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
    const COLUMNS: &'static [Column<Self>] = &[
        Column::date("date", |row| Some(row.date())),
        Column::text("market_maker", |row| Some(row.market_maker.as_str().into())),
        Column::text("issue", |row| Some(row.issue.as_str().into())),
        Column::text("obligation", |row| Some(row.obligation.as_str().into())),
        Column::instant("start", |row| Some(Local { at: row.span.start, zone: &row.plan.zone })),
        Column::instant("end", |row| Some(Local { at: row.span.end, zone: &row.plan.zone })),
        Column::integer("duration_us", Unit::Micros, |row| micros(row.duration())),
        Column::text("reasons", |row| Some(row.reasons_text().into())),
    ];
}

/// `rejects.csv` without the file, which is the caller's: rows are [`RejectRow`]s.
///
/// ```
/// use quoteclock_rows::column_names;
///
/// assert!(column_names::<quoteclock::RejectsTable>().eq(["place", "issue", "reason", "record"]));
/// ```
#[derive(Debug)]
pub struct RejectsTable;

impl Table for RejectsTable {
    type Row<'a> = RejectRow;
    const NAME: &'static str = "rejects";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::text("place", |row| Some(row.place.as_str().into())),
        Column::text("issue", |row| row.issue.as_deref().map(Into::into)),
        Column::text("reason", |row| Some(row.reason.as_str().into())),
        Column::text("record", |row| Some(row.record_text().into())),
    ];
}
