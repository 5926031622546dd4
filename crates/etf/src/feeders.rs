//! *Japan-China ETF Connectivity*: feeder funds of Tokyo, Shanghai and Shenzhen and the ETFs that they invest in, and the
//! days on which a feeder of Tokyo trades while its target's market is closed.
//!
//! Those days are candidates for `exemptions.csv` of the registry. They are candidates only: ST-1 exempts for compelling
//! reasons, such as a shutdown of the underlying market, and the exchange decides.

mod read;
#[cfg(test)]
mod tests;

use crate::{Calendar, Holidays, Interpretation, Missing, NoCalendar, interpretations};
use jiff::ToSpan;
use jiff::civil::{Date, date};
use quoteclock_sheets::Period;
use std::collections::BTreeSet;
use std::fmt;

pub use read::{FILE_NAMES, load};

/// What the pairs rest on, as the files have it. The order of rows plays no part.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Rows {
    /// The feeders; of one market and issue at most one row is in force on a date.
    pub feeders: Vec<Feeder>,
    /// The closed days of the markets.
    pub holidays: Holidays,
}

/// A market of the scheme.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Market {
    /// Tokyo.
    Tse,
    /// Shanghai.
    Sse,
    /// Shenzhen.
    Szse,
}

impl Market {
    const fn calendar(self) -> Calendar {
        match self {
            Market::Tse => Calendar::Tse,
            Market::Sse => Calendar::Sse,
            Market::Szse => Calendar::Szse,
        }
    }
}

/// As files name it.
impl fmt::Display for Market {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.calendar().as_str())
    }
}

/// Under which a fund invests across the border.
///
/// Clause: `FEED/programme`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Programme {
    /// From Tokyo in China.
    Qfii,
    /// From China in Tokyo.
    Qdii,
}

/// As files name it.
impl fmt::Display for Programme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Programme::Qfii => "QFII",
            Programme::Qdii => "QDII",
        })
    }
}

/// A feeder fund and the ETF that it invests in, from one date to another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Feeder {
    /// Where the feeder is listed.
    pub market: Market,
    /// Its code.
    pub issue: String,
    /// Where its target is listed; one of the two markets is Tokyo.
    pub target_market: Market,
    /// The target's code.
    pub target: String,
    /// The index that both track.
    pub index: Option<String>,
    /// Under which the feeder invests.
    pub programme: Programme,
    /// When the pair is in force.
    pub period: Period,
}

/// A pair that is in force on a day of the period asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pair {
    /// The feeder and its target.
    pub feeder: Feeder,
    /// Calendars that are needed for its candidates.
    pub missing: Missing,
}

/// A day on which a feeder trades in Tokyo while its target's market is closed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// The feeder.
    pub issue: String,
    /// The day.
    pub date: Date,
    /// The market that is closed.
    pub closed: Market,
    /// What the closed day is called.
    pub name: Option<String>,
}

impl Candidate {
    /// From when, as `exemptions.csv` has it.
    pub fn from(&self) -> String {
        midnight(self.date)
    }

    /// Up to when.
    pub fn to(&self) -> String {
        midnight(self.date.tomorrow().unwrap_or(self.date))
    }

    /// Why, with the clause.
    ///
    /// Clause: `FEED/target-closed`.
    pub fn reason(&self) -> String {
        let name = self.name.as_ref().map_or(String::new(), |name| format!(": {name}"));
        format!("{} closed{name} (FEED/target-closed)", self.closed)
    }
}

/// The start of a day in Tokyo.
fn midnight(date: Date) -> String {
    format!("{date}T00:00:00+09:00")
}

/// The pairs in force on a day from `first` to `last`, by market, issue and first date, and the candidates on those days,
/// by issue and date.
///
/// Clauses: `FEED/pair`, `FEED/target-closed`. Interpretation: `QC/year_without_holidays`.
pub fn decide(first: Date, last: Date, rows: &Rows) -> (Vec<Pair>, Vec<Candidate>) {
    let asked = Period { from: Some(first), to: Some(last) };
    let mut feeders: Vec<&Feeder> = rows.feeders.iter().filter(|feeder| feeder.period.overlaps(asked)).collect();
    feeders.sort_by_cached_key(|feeder| (feeder.market.to_string(), feeder.issue.clone(), feeder.period.first()));
    let (mut pairs, mut candidates) = (Vec::new(), Vec::new());
    for feeder in feeders {
        let (from, to) = (first.max(feeder.period.first()), last.min(feeder.period.last()));
        let missing = match days_closed(feeder, from, to, &rows.holidays) {
            Ok(days) => {
                candidates.extend(days);
                Missing::default()
            }
            Err(missing) => missing,
        };
        pairs.push(Pair { feeder: feeder.clone(), missing });
    }
    candidates.sort_by(|a, b| (&a.issue, a.date).cmp(&(&b.issue, b.date)));
    (pairs, candidates)
}

/// The candidates of one pair, or the calendars that are needed for them.
fn days_closed(feeder: &Feeder, from: Date, to: Date, holidays: &Holidays) -> Result<Vec<Candidate>, Missing> {
    if feeder.market != Market::Tse {
        return Ok(Vec::new());
    }
    let closed = feeder.target_market;
    let (mut days, mut unknown) = (Vec::new(), BTreeSet::new());
    let mut is_open = |market: Market, date: Date| -> Option<bool> {
        let open = holidays.is_open(market.calendar(), date);
        open.map_err(|no_calendar: NoCalendar| unknown.insert(no_calendar)).ok()
    };
    for date in from.series(1.day()).take_while(|&date| date <= to) {
        // Where Tokyo may be open, the other calendar is needed as well.
        if is_open(Market::Tse, date) != Some(false) && is_open(closed, date) == Some(false) {
            let name = holidays.name(closed.calendar(), date).map(str::to_owned);
            days.push(Candidate { issue: feeder.issue.clone(), date, closed, name });
        }
    }
    let missing: Vec<Missing> = unknown.into_iter().map(Missing::from).collect();
    missing.iter().collect::<Missing>().unless(days)
}

/// The first and the last day of a year.
///
/// # Errors
/// That it is no year of four digits, or the last one, whose end cannot be written down.
pub fn year(text: &str) -> Result<(Date, Date), String> {
    let is_year = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    let year: Option<i16> = text.parse().ok().filter(|&year| is_year && year < 9999);
    let year = year.ok_or_else(|| format!("found \"{text}\", expected a year such as 2024"))?;
    Ok((date(year, 1, 1), date(year, 12, 31)))
}

/// How the document is read where it is silent.
pub const INTERPRETATIONS: [Interpretation; 1] = [interpretations::YEAR_WITHOUT_HOLIDAYS];
