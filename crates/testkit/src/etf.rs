//! The ETF reference rules a second time, as plainly as they can be written: every answer is worked out from all rows
//! again, with no look-up, no order but that of the output, and numbers as whole units of 10^-10.
//!
//! A [`Folder`] gives the files of `--out`. It reads what the generators write: unquoted CSV without faults.

mod feeders;
mod inclusion;
mod licences;
mod stock_connect;

pub use feeders::feeders;
pub use inclusion::inclusion;
pub use licences::licences;
pub use stock_connect::stock_connect;

use crate::clock;
use crate::text::{self, Row};
use jiff::civil::{Date, Weekday};
use std::collections::BTreeSet;

/// The files of a folder: name (such as `etfs.csv`) and text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder(pub Vec<(String, String)>);

/// Written files: name and text.
pub type Written = Vec<(&'static str, String)>;

impl Folder {
    /// All rows of a file; none where it is absent.
    fn rows(&self, name: &str) -> Vec<Row> {
        let file = self.0.iter().find(|(file, _)| file == name);
        file.and_then(|(_, text)| text::rows(text)).unwrap_or_default()
    }

    /// Whether a market is open, or the calendar's year that nobody entered.
    fn open(&self, calendar: &str, day: Date) -> Result<bool, String> {
        if matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) {
            return Ok(false);
        }
        let rows = self.rows("holidays.csv");
        let of_calendar: Vec<Date> =
            rows.iter().filter(|row| row.get("calendar") == calendar).filter_map(|row| date(row, "date")).collect();
        if of_calendar.iter().all(|closed| closed.year() != day.year()) {
            return Err(format!("holidays.csv/{calendar}/{}", day.year()));
        }
        Ok(!of_calendar.contains(&day))
    }
}

/// A date in a column, if it is filled.
fn date(row: &Row, column: &str) -> Option<Date> {
    clock::date(row.get(column))
}

/// A number in a column in units of 10^-10, if it is filled.
fn number(row: &Row, column: &str) -> Option<i128> {
    let text = row.get(column);
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let whole: i128 = whole.parse().ok()?;
    let part: i128 = format!("{part:0<10}").parse().ok()?;
    Some(whole * UNIT + part)
}

/// Units in one.
const UNIT: i128 = 10_000_000_000;

/// A number without trailing zeros.
fn shown(units: i128) -> String {
    let text = format!("{}.{:010}", units / UNIT, units % UNIT);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The date so many months later (earlier, below zero): the same day, or the last that the month has.
fn months_from(day: Date, months: i32) -> Date {
    let month = i32::from(day.year()) * 12 + i32::from(day.month()) - 1 + months;
    let (year, month) = (i16::try_from(month.div_euclid(12)).unwrap_or(1), month.rem_euclid(12) + 1);
    let month = i8::try_from(month).unwrap_or(1);
    let mut of_month = day.day();
    loop {
        match Date::new(year, month, of_month) {
            Ok(date) => return date,
            Err(_) => of_month -= 1,
        }
    }
}

/// Something that is missing: what stands before a date or stock, that, and what stands after it.
type Thing = (String, String, String);

/// The day after; generated days are far from the end of the calendar.
fn next(day: Date) -> Date {
    day.tomorrow().unwrap_or(day)
}

/// Things that are missing, as one cell: those that differ only in a date or a stock are one.
fn missing(things: &[Thing]) -> String {
    let distinct: BTreeSet<&Thing> = things.iter().collect();
    let mut items = Vec::new();
    for thing in &distinct {
        let alike: Vec<String> = distinct
            .iter()
            .filter(|other| (&other.0, &other.2) == (&thing.0, &thing.2))
            .map(|other| format!("{}{}{}", other.0, other.1, other.2))
            .collect();
        let first = alike.iter().min().cloned().unwrap_or_default();
        if first == format!("{}{}{}", thing.0, thing.1, thing.2) {
            items.push((first, alike.len() - 1));
        }
    }
    items.sort();
    let text = |(first, more): (String, usize)| if more == 0 { first } else { format!("{first} and {more} more") };
    items.into_iter().map(text).collect::<Vec<_>>().join(";")
}

/// A thing by its whole name.
fn thing(name: impl Into<String>) -> Thing {
    (name.into(), String::new(), String::new())
}

/// A file of a header and lines.
fn file(header: &str, lines: Vec<String>) -> String {
    let mut text = format!("{header}\n");
    for line in lines {
        text.push_str(&line);
        text.push('\n');
    }
    text
}
