//! The three dates of a review.

use crate::{Calendar, Holidays, Missing, NoCalendar};
use jiff::civil::{Date, Weekday, date};
use std::fmt;
use std::str::FromStr;

/// A regular review: that of June or December of a year.
///
/// ```
/// use quoteclock_etf::stock_connect::Review;
///
/// assert_eq!("2024-06".parse::<Review>()?.to_string(), "2024-06");
/// assert!("2024-07".parse::<Review>().is_err());
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Review {
    year: i16,
    month: i8,
}

impl FromStr for Review {
    type Err = String;

    fn from_str(text: &str) -> Result<Review, String> {
        let wrong = || format!("found \"{text}\", expected a review: a year and 06 or 12, such as 2024-06");
        let (year, month) = text.split_once('-').ok_or_else(wrong)?;
        let is_year = year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit());
        // The dates that follow from the last year's reviews could not be written down.
        let year = year.parse().ok().filter(|&year| is_year && year < 9999).ok_or_else(wrong)?;
        match month {
            "06" => Ok(Review { year, month: 6 }),
            "12" => Ok(Review { year, month: 12 }),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Review {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:04}-{:02}", self.year, self.month))
    }
}

/// The dates of a review, each as far as the calendars tell.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReviewDates {
    /// The day whose figures count.
    ///
    /// Clause: `SC/cut-off`.
    pub cut_off: Option<Date>,
    /// The day on which the result is announced.
    ///
    /// Clause: `SC/announcement`.
    pub announcement: Option<Date>,
    /// The day from which it holds.
    ///
    /// Clause: `SC/effective`.
    pub effective: Option<Date>,
    /// What the others need.
    pub missing: Missing,
}

impl ReviewDates {
    /// The dates of `review`. "After" a day never is the day itself.
    pub fn of(review: Review, holidays: &Holidays) -> ReviewDates {
        let mut dates = ReviewDates { cut_off: None, announcement: None, effective: None, missing: Missing::default() };
        if let Err(no_calendar) = dates.find(review, holidays) {
            dates.missing = no_calendar.into();
        }
        dates
    }

    fn find(&mut self, review: Review, holidays: &Holidays) -> Result<(), NoCalendar> {
        let cut_off = cut_off(review, holidays)?;
        self.cut_off = Some(cut_off);
        let announcement = announcement(cut_off, holidays)?;
        self.announcement = Some(announcement);
        self.effective = Some(effective(announcement, holidays)?);
        Ok(())
    }
}

/// The first trading day of Shanghai after the second Friday of the month.
///
/// Clause: `SC/cut-off`.
fn cut_off(review: Review, holidays: &Holidays) -> Result<Date, NoCalendar> {
    let second_friday = nth_after(date(review.year, review.month, 1), 2, Weekday::Friday, Including::Itself);
    holidays.open_day(Calendar::Sse, next(second_friday), Date::tomorrow)
}

/// The fourth Friday after the cut-off, or the last trading day of Hong Kong before it.
///
/// Clause: `SC/announcement`.
fn announcement(cut_off: Date, holidays: &Holidays) -> Result<Date, NoCalendar> {
    holidays.open_day(Calendar::Hk, nth_after(cut_off, 4, Weekday::Friday, Including::No), Date::yesterday)
}

/// The second Monday after the announcement, as it was moved, or the next day on which Stock Connect is open.
///
/// Clause: `SC/effective`.
fn effective(announcement: Date, holidays: &Holidays) -> Result<Date, NoCalendar> {
    holidays.open_day(Calendar::Csc, nth_after(announcement, 2, Weekday::Monday, Including::No), Date::tomorrow)
}

/// Whether the first day is looked at.
#[derive(PartialEq)]
enum Including {
    Itself,
    No,
}

/// The `count`th `weekday` after a day.
fn nth_after(mut day: Date, count: u32, weekday: Weekday, including: Including) -> Date {
    let mut seen = u32::from(including == Including::Itself && day.weekday() == weekday);
    while seen < count {
        day = next(day);
        seen += u32::from(day.weekday() == weekday);
    }
    day
}

/// The day after; no review is near the end of the calendar, and there the last day stays.
fn next(day: Date) -> Date {
    day.tomorrow().unwrap_or(day)
}
