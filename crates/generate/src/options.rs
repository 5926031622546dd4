//! What is to be generated.

use crate::random::Random;
use jiff::ToSpan;
use jiff::civil::{Date, Weekday, date};
use std::str::FromStr;
use std::{fmt, io};

/// A named size and style of market.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Load {
    /// A few ETFs of the Tokyo kind, for tests and demonstrations.
    Small,
    /// All ETFs of the Tokyo market: 350 issues, 20 market makers, about 140 thousand live orders at the peak.
    TseEtf,
    /// A whole US market: 8,000 issues in cents, 40 market makers, about a million live orders at the peak. Only events
    /// that ITCH can say.
    UsMarket,
}

impl Load {
    /// All loads.
    pub const ALL: [Load; 3] = [Load::Small, Load::TseEtf, Load::UsMarket];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Load::Small => "small",
            Load::TseEtf => "tse-etf",
            Load::UsMarket => "us-market",
        }
    }

    /// Whether the market is the US one rather than Tokyo's.
    pub(crate) const fn is_us(self) -> bool {
        matches!(self, Load::UsMarket)
    }
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Load {
    type Err = String;

    fn from_str(text: &str) -> Result<Load, String> {
        let found = Load::ALL.into_iter().find(|load| load.as_str() == text);
        found.ok_or_else(|| format!("found \"{text}\", expected small, tse-etf or us-market"))
    }
}

/// On which date spread limits are wider.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FastMarket {
    /// On one trading day of the month, which the seed decides.
    OfMonth,
    /// On that date.
    On(Date),
    /// Never.
    Never,
}

/// What is to be generated. The same options give the same events and the same registry on every machine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// The style of market.
    pub load: Load,
    /// How many events; met exactly.
    pub events: u64,
    /// What all randomness comes from.
    pub seed: u64,
    /// The trading date.
    pub date: Date,
    /// How many issues.
    pub issues: u32,
    /// How many market makers.
    pub market_makers: u32,
    /// About how many orders are live at the peak. A day of few events reaches fewer.
    pub live_orders: u32,
    /// Only events that ITCH can say: no clears, no conditional or market orders, no auction trades; a replaced order
    /// has a new number, price and quantity; a trade names one order and leaves the price to it.
    pub itch: bool,
    /// On which date of the month spread limits are wider.
    pub fast_market: FastMarket,
    /// Weekdays on which there is no trading.
    pub holidays: Vec<Date>,
}

impl Options {
    /// The fewest events that make a day.
    pub const EVENTS_MIN: u64 = 1_000;
    /// The most issues.
    pub const ISSUES_MAX: u32 = 20_000;
    /// The most market makers.
    pub const MARKET_MAKERS_MAX: u32 = 500;

    /// A load as it is by default.
    pub fn new(load: Load) -> Options {
        let (events, issues, market_makers, live_orders) = match load {
            Load::Small => (100_000, 20, 8, 4_000),
            Load::TseEtf => (50_000_000, 350, 20, 140_000),
            Load::UsMarket => (40_000_000, 8_000, 40, 1_000_000),
        };
        Options {
            load,
            events,
            seed: 1,
            date: date(2024, 3, 1),
            issues,
            market_makers,
            live_orders,
            itch: load.is_us(),
            fast_market: FastMarket::OfMonth,
            holidays: Vec::new(),
        }
    }

    /// The same for every trading day of the date's month: its weekdays less the holidays. They share one registry.
    pub fn month(&self) -> Vec<Options> {
        self.trading_days().into_iter().map(|date| Options { date, ..self.clone() }).collect()
    }

    /// The weekdays of the date's month less the holidays.
    pub(crate) fn trading_days(&self) -> Vec<Date> {
        let is_weekday = |day: &Date| !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
        let days = self.date.first_of_month().series(1.day()).take_while(|day| *day <= self.date.last_of_month());
        days.filter(is_weekday).filter(|day| !self.holidays.contains(day)).collect()
    }

    /// The date in the date's month with wider spread limits, and how many times as wide.
    pub(crate) fn fast_market_day(&self) -> Option<(Date, u32)> {
        let month = self.date.first_of_month();
        let mut random = Random::of(self.seed, 0xFA57 ^ day_number(month));
        let (pick, multiplier) = (random.next(), 2 + 2 * random.below(2));
        let date = match self.fast_market {
            FastMarket::Never => None,
            FastMarket::On(date) => Some(date),
            FastMarket::OfMonth => {
                let days = self.trading_days();
                let count = u64::try_from(days.len()).unwrap_or(0);
                usize::try_from(pick.checked_rem(count).unwrap_or(0)).ok().and_then(|at| days.get(at).copied())
            }
        };
        date.map(|date| (date, multiplier))
    }

    /// The multiplier of the spread limits on the date.
    pub(crate) fn multiplier(&self) -> u32 {
        self.fast_market_day().filter(|(date, _)| *date == self.date).map_or(1, |(_, multiplier)| multiplier)
    }

    pub(crate) fn check(&self) -> io::Result<()> {
        let problem = if self.events < Self::EVENTS_MIN {
            format!("{} events, expected at least {}", self.events, Self::EVENTS_MIN)
        } else if !(1..=Self::ISSUES_MAX).contains(&self.issues) {
            format!("{} issues, expected 1 to {}", self.issues, Self::ISSUES_MAX)
        } else if !(1..=Self::MARKET_MAKERS_MAX).contains(&self.market_makers) {
            format!("{} market makers, expected 1 to {}", self.market_makers, Self::MARKET_MAKERS_MAX)
        } else if !(1..=100_000_000).contains(&self.live_orders) {
            format!("{} live orders, expected 1 to 100,000,000", self.live_orders)
        } else {
            return Ok(());
        };
        Err(io::Error::new(io::ErrorKind::InvalidInput, problem))
    }
}

/// A number for a date, to draw randomness from.
pub(crate) fn day_number(date: Date) -> u64 {
    let parts = [i64::from(date.year()), i64::from(date.month()), i64::from(date.day())];
    parts.into_iter().fold(0, |number: i64, part| number * 100 + part).cast_unsigned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_its_weekdays_less_the_holidays() {
        let options = Options { holidays: vec![date(2024, 3, 20)], ..Options::new(Load::Small) };
        let dates: Vec<Date> = options.month().iter().map(|day| day.date).collect();
        assert_eq!(dates.len(), 20);
        assert_eq!((dates[0], dates[19]), (date(2024, 3, 1), date(2024, 3, 29)));
        assert!(!dates.contains(&date(2024, 3, 20)));
    }

    #[test]
    fn every_day_of_a_month_knows_the_same_fast_market_day() {
        let month = Options::new(Load::Small).month();
        let (fast, _) = month[0].fast_market_day().expect("there is one");
        assert!(month.iter().all(|day| day.fast_market_day() == month[0].fast_market_day()));
        assert_eq!(month.iter().filter(|day| day.multiplier() != 1).count(), 1);
        assert!(month.iter().any(|day| day.date == fast));
    }

    #[test]
    fn loads_are_found_by_their_name() {
        for load in Load::ALL {
            assert_eq!(load.to_string().parse(), Ok(load));
        }
        assert!("tse".parse::<Load>().is_err());
    }
}
