//! The options that alter what is measured: typed, stored with each day, and read back when it is measured again.

use crate::beside::BesideArgs;
use jiff::civil::Date;
use quoteclock_engine::DayOptions;
use std::fmt;
use std::str::FromStr;

/// How a day is measured. As text it is what is typed: `--allow-gaps --lenient`.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct How {
    /// How each input is.
    pub(crate) input: quoteclock::How,
    /// What it is measured from besides.
    pub(crate) beside: BesideArgs,
}

impl How {
    /// The options of a day; without a date its first record tells it.
    pub(crate) fn of_day(&self, date: Option<Date>) -> DayOptions {
        self.input.of_day(date)
    }
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let input = Some(self.input.to_string()).filter(|text| !text.is_empty());
        f.write_str(&input.into_iter().chain(self.beside.words()).collect::<Vec<_>>().join(" "))
    }
}

impl FromStr for How {
    type Err = String;

    fn from_str(text: &str) -> Result<How, String> {
        let (mut beside, mut rest) = (BesideArgs::default(), Vec::new());
        let mut words = text.split_ascii_whitespace();
        while let Some(word) = words.next() {
            if beside.take(word, words.clone().next())? {
                words.next();
            } else {
                rest.push(word);
            }
        }
        Ok(How { input: rest.join(" ").parse()?, beside })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_read_back() {
        for text in [
            "",
            "--allow-gaps --lenient --until 10:30:00",
            "--lenient --own-orders own%20orders.csv --also a.csv:phases --also b.log",
            "--also b.log",
        ] {
            assert_eq!(text.parse::<How>().unwrap().to_string(), text);
        }
        assert!("--fast".parse::<How>().unwrap_err().contains("\"--fast\""));
        assert!("--until".parse::<How>().is_err());
    }
}
