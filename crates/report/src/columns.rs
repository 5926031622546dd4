//! Columns that several outputs have, each spelled once: name, unit, type, and where a row has the value.

use crate::format::{clock, percent_shown, time_of_day};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use quoteclock_ledger::{DisplayPercent, Total};
use quoteclock_model::{Micros, Span};
use quoteclock_rows::{Align, Column, Decimals, Local, Table, Unit};
use std::borrow::Cow;

/// The quote display time as rows have it: four decimals, half up, nothing without available time.
fn display_pct(total: Total) -> Option<i128> {
    DisplayPercent::of(total.fulfilled, total.available).map(|percent| percent.ten_thousandths().into())
}

/// A row of one date.
pub trait OfDate {
    /// The trading date.
    fn date(&self) -> Date;
}

/// A row of one obligation.
pub trait OfObligation {
    /// The market maker, by the registry's short name.
    fn market_maker(&self) -> &str;
    /// The issue's code.
    fn issue(&self) -> &str;
    /// `general`, `sponsored:<condition>` or `matching:<condition>`.
    fn obligation(&self) -> Cow<'_, str>;
}

/// A row with times.
pub trait WithTimes {
    /// The times.
    fn total(&self) -> Total;
}

/// A row of a stretch of time.
pub trait WithSpan {
    /// The time.
    fn span(&self) -> Span;
    /// The zone in whose local time it is written.
    fn zone(&self) -> &TimeZone;
}

/// The columns of `daily.csv`: what each obligation of a day came to.
pub const fn of_days<T: Table>() -> [Column<T>; 8]
where
    for<'a> T::Row<'a>: OfDate + OfObligation + WithTimes,
{
    [
        date(),
        market_maker().shown("market maker"),
        issue().shown("issue"),
        obligation().shown("obligation"),
        available_us().shown_as("available", Align::Right, |row| clock(row.total().available).into()),
        fulfilled_us().shown_as("fulfilled", Align::Right, |row| clock(row.total().fulfilled).into()),
        unknown_us::<T>()
            .shown_as("unknown", Align::Right, |row| clock(row.total().unknown).into())
            .on_occasion(|row| row.total().unknown != Micros::ZERO),
        display_pct_of().shown_as("display %", Align::Right, |row| percent_shown(row.total()).into()),
    ]
}

/// What people see of them.
pub const SHOWN_OF_DAYS: &[&str] =
    &["market_maker", "issue", "obligation", "display_pct", "available_us", "fulfilled_us", "unknown_us"];

/// The columns of a stretch of time, as in `breaches.csv` and `outages.csv`, and last what there is to say of it.
pub const fn of_stretches<T: Table>(last: Column<T>) -> [Column<T>; 8]
where
    for<'a> T::Row<'a>: OfDate + OfObligation + WithSpan,
{
    [
        date(),
        market_maker().shown("market maker"),
        issue().shown("issue"),
        obligation().shown("obligation"),
        start().shown_as("start", Align::Left, |row| time_of_day(row.span().start, row.zone()).into()),
        end().shown_as("end", Align::Left, |row| time_of_day(row.span().end, row.zone()).into()),
        duration_us().shown_as("duration", Align::Right, |row| clock(row.span().end.since(row.span().start)).into()),
        last,
    ]
}

/// The date.
pub const fn date<T: Table>() -> Column<T>
where
    for<'a> T::Row<'a>: OfDate,
{
    Column::date("date", |row| Some(row.date()))
}

/// The market maker.
pub const fn market_maker<T: Table>() -> Column<T>
where
    for<'a> T::Row<'a>: OfObligation,
{
    Column::text("market_maker", |row| Some(row.market_maker().into()))
}

/// The issue.
pub const fn issue<T: Table>() -> Column<T>
where
    for<'a> T::Row<'a>: OfObligation,
{
    Column::text("issue", |row| Some(row.issue().into()))
}

/// The obligation.
pub const fn obligation<T: Table>() -> Column<T>
where
    for<'a> T::Row<'a>: OfObligation,
{
    Column::text("obligation", |row| Some(row.obligation()))
}

/// Time in which a quote was required.
pub const fn available_us<T: Table>() -> Column<T>
where
    for<'a> T::Row<'a>: WithTimes,
{
    Column::integer("available_us", Unit::Micros, |row| Some(row.total().available.0.into()))
}

/// Time in which the obligation was met.
pub const fn fulfilled_us<T: Table>() -> Column<T>
where
    for<'a> T::Row<'a>: WithTimes,
{
    Column::integer("fulfilled_us", Unit::Micros, |row| Some(row.total().fulfilled.0.into()))
}

/// Unknown time.
pub const fn unknown_us<T: Table>() -> Column<T>
where
    for<'a> T::Row<'a>: WithTimes,
{
    Column::integer("unknown_us", Unit::Micros, |row| Some(row.total().unknown.0.into()))
}

/// The quote display time.
pub const fn display_pct_of<T: Table>() -> Column<T>
where
    for<'a> T::Row<'a>: WithTimes,
{
    Column::decimal("display_pct", Unit::Percent, Decimals::Fixed(4), |row| display_pct(row.total()))
}

/// When it began.
pub const fn start<T: Table>() -> Column<T>
where
    for<'a> T::Row<'a>: WithSpan,
{
    Column::instant("start", |row| Some(Local { at: row.span().start, zone: row.zone() }))
}

/// When it had ended.
pub const fn end<T: Table>() -> Column<T>
where
    for<'a> T::Row<'a>: WithSpan,
{
    Column::instant("end", |row| Some(Local { at: row.span().end, zone: row.zone() }))
}

/// How long it was.
pub const fn duration_us<T: Table>() -> Column<T>
where
    for<'a> T::Row<'a>: WithSpan,
{
    Column::integer("duration_us", Unit::Micros, |row| {
        let span = row.span();
        Some(span.end.since(span.start).0.into())
    })
}
