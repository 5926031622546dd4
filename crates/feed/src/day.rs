//! What a file of events says of its day: the trading date, and the offset in which its times are written.
//!
//! Both are plain numbers: calendars and time zones live elsewhere, and whoever writes a file decides them.

use crate::text;
use std::fmt;

/// A date of the proleptic Gregorian calendar, years 0 to 9999.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TradingDate {
    year: u16,
    month: u8,
    day: u8,
}

impl TradingDate {
    /// The date; `None` if the calendar has no such day.
    pub fn new(year: u16, month: u8, day: u8) -> Option<TradingDate> {
        let legal = year <= 9999 && (1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&day);
        legal.then_some(TradingDate { year, month, day })
    }

    /// The year.
    pub const fn year(self) -> u16 {
        self.year
    }

    /// The month, from 1.
    pub const fn month(self) -> u8 {
        self.month
    }

    /// The day of the month, from 1.
    pub const fn day(self) -> u8 {
        self.day
    }
}

fn days_in_month(year: u16, month: u8) -> u8 {
    let days = text::days_in_month(i64::from(year), i64::from(month));
    u8::try_from(days).expect("a month has at most 31 days")
}

/// Prints as `2024-03-01`.
impl fmt::Display for TradingDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:04}-{:02}-{:02}", self.year, self.month, self.day))
    }
}

/// Minutes east of UTC, less than a day.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct UtcOffset(i16);

impl UtcOffset {
    /// The largest distance from UTC, either way, in minutes.
    const MINUTES_MAX: u16 = 24 * 60 - 1;

    /// The offset of `minutes` east of UTC; `None` for a day or more.
    pub const fn from_minutes(minutes: i16) -> Option<UtcOffset> {
        if minutes.unsigned_abs() <= Self::MINUTES_MAX { Some(UtcOffset(minutes)) } else { None }
    }

    /// Minutes east of UTC.
    pub const fn minutes(self) -> i16 {
        self.0
    }
}

/// Prints as in RFC 3339, never `Z`: `+09:00`.
impl fmt::Display for UtcOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { '-' } else { '+' };
        let minutes = self.0.unsigned_abs();
        f.pad(&format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (year, month, day) in [(0, 1, 1), (2024, 2, 29), (2000, 2, 29), (9999, 12, 31)] {
            assert!(TradingDate::new(year, month, day).is_some(), "{year}-{month}-{day}");
        }
        for (year, month, day) in
            [(10_000, 1, 1), (2023, 2, 29), (1900, 2, 29), (2024, 0, 1), (2024, 13, 1), (2024, 4, 31)]
        {
            assert_eq!(TradingDate::new(year, month, day), None);
        }
        assert_eq!(TradingDate::new(2024, 3, 1).expect("legal").to_string(), "2024-03-01");
    }

    #[test]
    fn offsets_are_below_a_day_and_print_with_a_sign() {
        let text = |minutes| UtcOffset::from_minutes(minutes).map(|offset| offset.to_string());
        assert_eq!(text(540).as_deref(), Some("+09:00"));
        assert_eq!(text(0).as_deref(), Some("+00:00"));
        assert_eq!(text(-210).as_deref(), Some("-03:30"));
        assert_eq!(text(1439).as_deref(), Some("+23:59"));
        assert_eq!((text(1440), text(-1440), text(i16::MIN)), (None, None, None));
    }
}
