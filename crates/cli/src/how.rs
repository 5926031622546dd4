//! The options that alter what is measured: typed, stored with each day, and read back when it is measured again.

use crate::beside::BesideArgs;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use quoteclock_engine::{DayOptions, Until};
use quoteclock_explain::At;
use quoteclock_rules::local_time;
use std::fmt;
use std::str::FromStr;

/// How an input is measured. As text it is what is typed: `--allow-gaps --lenient`.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct How {
    /// Sequence numbers may rise by more than one.
    pub(crate) allow_gaps: bool,
    /// Bad records are set aside.
    pub(crate) lenient: bool,
    /// Up to when, if not to the end of the day.
    pub(crate) until: Option<Until>,
    /// What it is measured from besides.
    pub(crate) beside: BesideArgs,
}

impl How {
    /// The options of a day; without a date its first record tells it.
    pub(crate) fn of_day(&self, date: Option<Date>) -> DayOptions {
        let &How { allow_gaps, lenient, until, beside: _ } = self;
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
        f.write_str(&flags.chain(until).chain(self.beside.words()).collect::<Vec<_>>().join(" "))
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
                "--until" => how.until = Some(until(words.next().unwrap_or_default())?),
                word if how.beside.take(word, words.clone().next())? => drop(words.next()),
                other => return Err(format!("found the option {other:?}, expected one that this version knows")),
            }
        }
        Ok(how)
    }
}

/// Reads what `--until` says.
pub(crate) fn until(text: &str) -> Result<Until, String> {
    match text.parse() {
        Ok(At::Instant(at)) => Ok(Until::Instant(at)),
        Ok(At::Clock(time)) => Ok(Until::Clock(time)),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_read_back() {
        for text in [
            "",
            "--allow-gaps",
            "--allow-gaps --lenient",
            "--lenient --until 10:30:00",
            "--until 10:15:00.000001",
            "--lenient --own-orders own%20orders.csv --also a.csv:phases --also b.log",
        ] {
            assert_eq!(text.parse::<How>().unwrap().to_string(), text);
        }
        let instant = How { until: Some(until("2024-03-01T10:30:00+09:00").unwrap()), ..How::default() };
        assert_eq!(instant.to_string(), "--until 2024-03-01T01:30:00.000000+00:00");
        assert_eq!(instant.to_string().parse().as_ref(), Ok(&instant));
        assert!("--fast".parse::<How>().unwrap_err().contains("\"--fast\""));
        assert!("--until".parse::<How>().is_err());
    }
}
