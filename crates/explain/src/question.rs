//! What is asked.

use jiff::civil::{Date, Time};
use jiff::tz::{AmbiguousOffset, Offset};
use quoteclock_engine::Until;
use quoteclock_model::{IssueCode, Timestamp};
use quoteclock_rules::{DayPlan, Registry, local_time};
use std::collections::BTreeSet;
use std::str::FromStr;
use thiserror::Error;

/// Why a question has no answer.
///
/// ```
/// use quoteclock_explain::QuestionError;
///
/// let (market_maker, date, found) = ("MM1".to_owned(), "2024-03-01".parse()?, "sponsored:X".to_owned());
/// let known = "general".to_owned();
/// let error = QuestionError::Obligation { market_maker, issue: "1306".to_owned(), date, found, known };
/// assert!(error.to_string().ends_with("no obligation sponsored:X in 1306 on 2024-03-01, expected one of general"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum QuestionError {
    /// No such market maker.
    #[error("market maker {found} is not in the registry, expected one of {known}")]
    MarketMaker {
        /// The name.
        found: String,
        /// Those there are.
        known: String,
    },
    /// The market maker is not measured in the issue on the date.
    #[error(
        "{market_maker} is not measured in {issue} on {date}: {why}; sign-ups of {market_maker} on {date}: {known}"
    )]
    SignUp {
        /// The market maker.
        market_maker: String,
        /// The issue.
        issue: String,
        /// The date.
        date: Date,
        /// Why not.
        why: String,
        /// The issues in which it is measured.
        known: String,
    },
    /// The sign-up has no such obligation on the date.
    #[error("{market_maker} has no obligation {found} in {issue} on {date}, expected one of {known}")]
    Obligation {
        /// The market maker.
        market_maker: String,
        /// The issue.
        issue: String,
        /// The date.
        date: Date,
        /// The name.
        found: String,
        /// Those there are.
        known: String,
    },
    /// The market maker is measured in no issue on the date, or in none for such an obligation.
    #[error(
        "{market_maker} is measured in no issue on {date} for what is asked; its obligations on that date: {known}"
    )]
    NoSignUp {
        /// The market maker.
        market_maker: String,
        /// The date.
        date: Date,
        /// The obligations it has.
        known: String,
    },
    /// The instant is not on the date.
    #[error("the instant asked for is not on {date}, the date of the file")]
    Instant {
        /// The date.
        date: Date,
    },
    /// The day is not measured as far as the instant.
    #[error("the day is measured up to {until} only (--until), expected an instant before that, found {at}")]
    Beyond {
        /// The instant, in local time.
        at: String,
        /// Up to when the day is measured, likewise.
        until: String,
    },
    /// The clock was put back, and shows the reading twice.
    #[error(
        "on {date} the clock shows {time} twice, expected one of them: {date}T{time}{before} or {date}T{time}{after}"
    )]
    ClockFold {
        /// The date.
        date: Date,
        /// The reading.
        time: Time,
        /// The offset of the first time.
        before: Offset,
        /// That of the second.
        after: Offset,
    },
    /// The clock was put forward, past the reading.
    #[error("on {date} the clock never shows {time}: it was put forward past it")]
    ClockGap {
        /// The date.
        date: Date,
        /// The reading.
        time: Time,
    },
}

impl QuestionError {
    /// Of an instant that is not before `until`.
    pub(crate) fn beyond(plan: &DayPlan, at: Timestamp, until: Timestamp) -> QuestionError {
        let [at, until] = [at, until].map(|time| local_time(time, &plan.zone));
        QuestionError::Beyond { at, until }
    }
}

/// Obligations of one market maker, and perhaps an instant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Question {
    /// The market maker, by the registry's short name.
    pub market_maker: String,
    /// The issue's code; otherwise every issue that the market maker is signed up for.
    pub issue: Option<String>,
    /// `general`, `sponsored:<condition>` or `matching:<condition>`; otherwise `general` of one issue, every one of several.
    pub obligation: Option<String>,
    /// The instant; otherwise the day.
    pub at: Option<At>,
    /// How many breaches, and outages, of each obligation are explained, the longest first.
    pub limit: usize,
}

impl Question {
    /// The issues that it may be about, on whatever date.
    pub fn issues(&self, registry: &Registry) -> Vec<IssueCode> {
        let own = registry.sign_ups().iter().filter(|row| row.market_maker == self.market_maker);
        let asked = own.filter(|row| self.issue.as_ref().is_none_or(|issue| row.issue.as_str() == issue));
        let issues: BTreeSet<&IssueCode> = asked.map(|row| &row.issue).collect();
        issues.into_iter().cloned().collect()
    }
}

/// An instant as people give it.
///
/// ```
/// use quoteclock_explain::At;
///
/// assert!(matches!("10:15:30.2".parse()?, At::Clock(_)));
/// assert!(matches!("2024-03-01T10:15:30.2+09:00".parse()?, At::Instant(_)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum At {
    /// With its date and offset.
    Instant(Timestamp),
    /// A clock reading on the date of the file, in the scheme's zone.
    Clock(Time),
}

/// Text that is no instant.
///
/// ```
/// use quoteclock_explain::At;
///
/// let error = "noon".parse::<At>().unwrap_err();
/// assert!(error.to_string().starts_with("found \"noon\", expected a local clock time such as 10:15:30.2"));
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error(
    "found \"{found}\", expected a local clock time such as 10:15:30.2, or one such as 2024-03-01T10:15:30.2+09:00"
)]
pub struct AtError {
    found: String,
}

impl FromStr for At {
    type Err = AtError;

    fn from_str(text: &str) -> Result<At, AtError> {
        if let Ok(instant) = text.parse::<jiff::Timestamp>() {
            // Floored to the microsecond, as records are.
            let micros = instant.as_nanosecond().div_euclid(1000);
            if let Ok(micros) = i64::try_from(micros) {
                return Ok(At::Instant(Timestamp::from_micros(micros)));
            }
        }
        let is_clock =
            text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.')) && text.contains(':');
        // People leave out the zero of an early hour: 9:45.
        let of_one_digit = text.as_bytes().get(1) == Some(&b':');
        match format!("{}{text}", if of_one_digit { "0" } else { "" }).parse::<Time>() {
            Ok(time) if is_clock => Ok(At::Clock(time)),
            _ => Err(AtError { found: text.to_owned() }),
        }
    }
}

impl From<At> for Until {
    fn from(at: At) -> Until {
        match at {
            At::Instant(at) => Until::Instant(at),
            At::Clock(time) => Until::Clock(time),
        }
    }
}

impl At {
    /// The instant on the day of `plan`. A clock reading that the day has twice, or leaves out, names none.
    pub(crate) fn on(self, plan: &DayPlan) -> Result<Timestamp, QuestionError> {
        let date = plan.date;
        let micros = |instant: jiff::Timestamp| Timestamp::from_micros(instant.as_microsecond());
        let at = match self {
            At::Instant(at) => at,
            At::Clock(time) => {
                let reading = plan.zone.to_ambiguous_timestamp(date.to_datetime(time));
                match reading.offset() {
                    AmbiguousOffset::Unambiguous { .. } => {}
                    AmbiguousOffset::Gap { .. } => return Err(QuestionError::ClockGap { date, time }),
                    AmbiguousOffset::Fold { before, after } => {
                        return Err(QuestionError::ClockFold { date, time, before, after });
                    }
                }
                micros(reading.compatible().map_err(|_| QuestionError::Instant { date })?)
            }
        };
        if plan.day.contains(at) { Ok(at) } else { Err(QuestionError::Instant { date }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_a_clock_time_or_has_a_date_and_an_offset() {
        let clock = |text: &str| match text.parse() {
            Ok(At::Clock(time)) => time.to_string(),
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(clock("10:15:30.2"), "10:15:30.2");
        assert_eq!(clock("10:15"), "10:15:00");
        assert_eq!((clock("9:45"), clock("9:45:00.5")), ("09:45:00".to_owned(), "09:45:00.5".to_owned()));
        let instant = "2024-03-01T10:15:30.1234569+09:00".parse();
        assert_eq!(instant, Ok(At::Instant(Timestamp::from_micros(1_709_255_730_123_456))));
        assert_eq!("2024-03-01T01:15:30Z".parse(), Ok(At::Instant(Timestamp::from_micros(1_709_255_730_000_000))));
        for bad in
            ["", "now", "9:5", ":15", "910:15", "25:00", "10", "2024-03-01", "2024-03-01T10:15:30", "10:15:30+09:00"]
        {
            assert!(bad.parse::<At>().is_err(), "{bad}");
        }
    }
}
