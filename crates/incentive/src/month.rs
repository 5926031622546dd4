//! A calendar month and its trading days.

use jiff::civil::{Date, Weekday};
use quoteclock_rules::{Period, Registry};
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// A calendar month. Written `2024-03`.
///
/// ```
/// use quoteclock_incentive::Month;
///
/// let month: Month = "2024-02".parse()?;
/// assert_eq!(month.dates().end().to_string(), "2024-02-29");
/// assert_eq!(month.earlier(2).map(|month| month.to_string()).as_deref(), Some("2023-12"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Month {
    first: Date,
}

impl Month {
    /// The month that holds `date`.
    pub fn of(date: Date) -> Month {
        Month { first: date.first_of_month() }
    }

    /// Its dates, both ends inclusive.
    pub fn dates(self) -> RangeInclusive<Date> {
        self.first..=self.first.last_of_month()
    }

    /// The month so many months before it; `None` before the year -9999.
    pub fn earlier(self, months: u32) -> Option<Month> {
        let first = self.first.checked_sub(jiff::Span::new().months(i64::from(months)));
        first.ok().map(|first| Month { first })
    }

    /// Whether the period holds a date of the month.
    pub fn holds_any_of(self, period: Period) -> bool {
        let (first, last) = self.dates().into_inner();
        period.overlaps(Period { from: Some(first), to: Some(last) })
    }

    /// Its trading days: weekdays less holidays.
    pub fn trading_days(self, registry: &Registry) -> Vec<Date> {
        let is_holiday = |date: &Date| registry.holidays().iter().any(|holiday| holiday.date == *date);
        self.weekdays().into_iter().filter(|date| !is_holiday(date)).collect()
    }

    /// Its days from Monday to Friday.
    pub fn weekdays(self) -> Vec<Date> {
        let all = self.first.series(jiff::Span::new().days(1)).take_while(|date| *date <= self.first.last_of_month());
        all.filter(|date| !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)).collect()
    }
}

impl FromStr for Month {
    type Err = String;

    fn from_str(text: &str) -> Result<Month, String> {
        let problem = || format!("found {text:?}, expected a month such as 2024-03");
        let form = text.len() == 7 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        let first = form.then(|| format!("{text}-01").parse().ok()).flatten();
        first.map(|first| Month { first }).ok_or_else(problem)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.first.year(), self.first.month())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_month_is_written_with_its_year_first() {
        assert_eq!("2024-03".parse::<Month>().unwrap().to_string(), "2024-03");
        for bad in
            ["2024-3", "2024-13", "2024-00", "202403", "2024-03-01", "24-03", "", "2024/03", "-024-03", "-002024-03"]
        {
            assert!(bad.parse::<Month>().is_err(), "{bad}");
        }
        let february = Month::of(date(2024, 2, 17));
        assert_eq!(february.dates(), date(2024, 2, 1)..=date(2024, 2, 29));
        assert_eq!((february.weekdays().len(), february.weekdays()[2]), (21, date(2024, 2, 5)));
    }

    #[test]
    fn a_period_is_in_a_month_with_a_single_date() {
        let month = Month::of(date(2024, 2, 1));
        let period = |from: (i8, i8), to: (i8, i8)| Period {
            from: Some(date(2024, from.0, from.1)),
            to: Some(date(2024, to.0, to.1)),
        };
        let holds = |from, to| month.holds_any_of(period(from, to));
        assert!(!holds((1, 1), (1, 31)) && holds((1, 1), (2, 1)));
        assert!(!holds((3, 1), (3, 31)) && holds((2, 29), (3, 31)));
        assert!(month.holds_any_of(Period { from: None, to: None }));
        assert_eq!((month.earlier(1), month.earlier(2)), ("2024-01".parse().ok(), "2023-12".parse().ok()));
    }
}
