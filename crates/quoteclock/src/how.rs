//! The options that alter what is measured: given, stored with each day, and read back when it is measured again.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use quoteclock_engine::{DayOptions, Until};
use quoteclock_explain::{At, AtError};
use quoteclock_rules::local_time;
use std::fmt;
use std::str::FromStr;

/// What alters what is measured of an input. As text it is what the command is told: `--allow-gaps --lenient`.
///
/// ```
/// use quoteclock::How;
///
/// let how: How = "--lenient --until 10:30:00".parse()?;
/// assert!(how.lenient && !how.allow_gaps);
/// assert_eq!(how.to_string(), "--lenient --until 10:30:00");
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct How {
    /// Sequence numbers must rise, but not by exactly one.
    pub allow_gaps: bool,
    /// Bad records are set aside; what they leave in doubt is unknown time.
    pub lenient: bool,
    /// Up to when, if not to the end of the day.
    pub until: Option<Until>,
}

impl How {
    /// The options of a day; without a date its first record tells it.
    ///
    /// ```
    /// let options = quoteclock::How { lenient: true, ..Default::default() }.of_day(None);
    /// assert!(options.lenient && options.date.is_none());
    /// ```
    pub fn of_day(self, date: Option<Date>) -> DayOptions {
        let How { allow_gaps, lenient, until } = self;
        DayOptions { lenient, allow_gaps, date, until, ..DayOptions::default() }
    }
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = [(self.allow_gaps, "--allow-gaps"), (self.lenient, "--lenient")];
        let flags = flags.iter().filter(|(given, _)| *given).map(|(_, flag)| (*flag).to_owned());
        let until = self.until.map(|until| match until {
            Until::Instant(at) => format!("--until {}", local_time(at, &TimeZone::UTC)),
            Until::Clock(time) => format!("--until {time}"),
        });
        f.write_str(&flags.chain(until).collect::<Vec<_>>().join(" "))
    }
}

impl FromStr for How {
    type Err = String;

    fn from_str(text: &str) -> Result<How, String> {
        let mut how = How::default();
        let mut words = text.split_ascii_whitespace();
        while let Some(word) = words.next() {
            match word {
                "--allow-gaps" => how.allow_gaps = true,
                "--lenient" => how.lenient = true,
                "--until" => {
                    let time = until(words.next().unwrap_or_default());
                    how.until = Some(time.map_err(|error| error.to_string())?);
                }
                other => return Err(format!("found the option {other:?}, expected one that this version knows")),
            }
        }
        Ok(how)
    }
}

/// Reads up to when a day is to be measured: a local clock time, or one with a date and an offset.
///
/// # Errors
/// [`AtError`]: what was found, and what was expected.
///
/// ```
/// use quoteclock::{Until, until};
///
/// assert!(matches!(until("10:30")?, Until::Clock(_)));
/// assert!(matches!(until("2024-03-01T10:30:00+09:00")?, Until::Instant(_)));
/// assert!(until("noon").is_err());
/// # Ok::<(), quoteclock::AtError>(())
/// ```
pub fn until(text: &str) -> Result<Until, AtError> {
    text.parse::<At>().map(Until::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_read_back() {
        for text in
            ["", "--allow-gaps", "--allow-gaps --lenient", "--lenient --until 10:30:00", "--until 10:15:00.000001"]
        {
            assert_eq!(text.parse::<How>().unwrap().to_string(), text);
        }
        let instant = How { until: Some(until("2024-03-01T10:30:00+09:00").unwrap()), ..How::default() };
        assert_eq!(instant.to_string(), "--until 2024-03-01T01:30:00.000000+00:00");
        assert_eq!(instant.to_string().parse().as_ref(), Ok(&instant));
        assert!("--fast".parse::<How>().unwrap_err().contains("\"--fast\""));
        assert!("--until".parse::<How>().is_err());
    }
}
