//! Which days a market is open.

use crate::Missing;
use crate::reader::{Reader, name};
use jiff::civil::{Date, Weekday};
use quoteclock_sheets::{Expected, Findings, Layout, Row, value};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A market's calendar of closed days.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Calendar {
    /// Shanghai Stock Exchange.
    Sse,
    /// The securities market of Hong Kong.
    Hk,
    /// China Stock Connect: both sides open, with their settlement.
    Csc,
    /// Tokyo Stock Exchange.
    Tse,
    /// Shenzhen Stock Exchange.
    Szse,
}

impl Calendar {
    const ALL: [Calendar; 5] = [Calendar::Sse, Calendar::Hk, Calendar::Csc, Calendar::Tse, Calendar::Szse];

    /// As files name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Calendar::Sse => "SSE",
            Calendar::Hk => "HK",
            Calendar::Csc => "CSC",
            Calendar::Tse => "TSE",
            Calendar::Szse => "SZSE",
        }
    }

    fn parse(text: &str) -> Result<Calendar, Expected> {
        let calendar = Calendar::ALL.into_iter().find(|calendar| calendar.as_str() == text);
        calendar.ok_or("expected a calendar: SSE, HK, CSC, TSE or SZSE")
    }
}

impl fmt::Display for Calendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A row of `holidays.csv`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Holiday {
    /// Whose.
    pub calendar: Calendar,
    /// The closed day.
    pub date: Date,
    /// Its name, for people.
    pub name: Option<String>,
}

/// A calendar that has no row in a year that is asked for.
///
/// Interpretation: `QC/year_without_holidays`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NoCalendar {
    /// Which one.
    pub calendar: Calendar,
    /// The year.
    pub year: i16,
}

impl From<NoCalendar> for Missing {
    fn from(NoCalendar { calendar, year }: NoCalendar) -> Missing {
        Missing::row(HOLIDAYS.file, &format!("{calendar}/{year:04}"))
    }
}

/// The closed days of all calendars.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Holidays {
    days: BTreeMap<(Calendar, Date), Option<String>>,
    years: BTreeSet<(Calendar, i16)>,
}

impl FromIterator<Holiday> for Holidays {
    fn from_iter<I: IntoIterator<Item = Holiday>>(rows: I) -> Holidays {
        let mut holidays = Holidays::default();
        for Holiday { calendar, date, name } in rows {
            holidays.years.insert((calendar, date.year()));
            holidays.days.insert((calendar, date), name);
        }
        holidays
    }
}

impl Holidays {
    /// Whether the market is open on a day. Saturday and Sunday are closed without a row.
    ///
    /// # Errors
    /// [`NoCalendar`] where the calendar has no row in the year of a weekday.
    pub fn is_open(&self, calendar: Calendar, date: Date) -> Result<bool, NoCalendar> {
        if is_weekend(date) {
            return Ok(false);
        }
        if !self.years.contains(&(calendar, date.year())) {
            return Err(NoCalendar { calendar, year: date.year() });
        }
        Ok(!self.days.contains_key(&(calendar, date)))
    }

    /// The name of a closed day.
    pub fn name(&self, calendar: Calendar, date: Date) -> Option<&str> {
        self.days.get(&(calendar, date))?.as_deref()
    }

    /// `date`, or the first open day that `step` leads to.
    pub(crate) fn open_day(
        &self,
        calendar: Calendar,
        mut date: Date,
        step: fn(Date) -> Result<Date, jiff::Error>,
    ) -> Result<Date, NoCalendar> {
        while !self.is_open(calendar, date)? {
            // At the very ends of the calendar no year is known.
            date = step(date).map_err(|_| NoCalendar { calendar, year: date.year() })?;
        }
        Ok(date)
    }
}

fn is_weekend(date: Date) -> bool {
    matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
}

pub(crate) const HOLIDAYS: Layout =
    Layout { file: "holidays.csv", required: &["calendar", "date"], optional: &["name"] };

/// Reads `holidays.csv`.
pub(crate) fn read(reader: &mut Reader<'_>) -> Holidays {
    let rows = reader.optional(&HOLIDAYS, holiday);
    let key = |row: &Holiday| format!("{}\t{}", row.calendar, row.date);
    reader.unique(&HOLIDAYS, "date", rows, key).into_iter().collect()
}

fn holiday(row: &Row<'_>, findings: &mut Findings) -> Option<Holiday> {
    let calendar = row.required("calendar", Calendar::parse, findings);
    let date = row.required("date", value::date, findings);
    let name = row.optional("name", name, findings);
    Some(Holiday { calendar: calendar?, date: date?, name: name? })
}
