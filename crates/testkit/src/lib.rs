//! The slow reference measure, and generators of days to try the fast path against.
//!
//! [`measure`] answers the same question as the engine (how long did each market maker's quotes meet each obligation on
//! one day) in the plainest way there is. It reads the files a user would have, finds the instants at which anything can
//! change, and at every one of them works the whole state out again from the whole list of events. It keeps nothing from
//! one instant to the next, so it takes time that grows with the square of the day, and can be checked against the rules
//! by reading it:
//!
//! | file | what it holds |
//! |---|---|
//! | `text` | lines, comma-separated columns, decimal numbers |
//! | `clock` | instants in microseconds, and the one local day |
//! | `scheme` | limits by type, tick tables, sessions |
//! | `registry` | who signed up for what, under which obligations |
//! | `events` | which records are applied, which are set aside, and what those leave in doubt |
//! | `itch` | what the messages of an ITCH stream say, and which issues they name |
//! | `book` | the resting orders of one issue, from its events |
//! | `quote` | whether one market maker's quotes fulfil one obligation |
//! | `measure` | the day: available, fulfilled, unknown time and breaches |
//! | `money` | the month: tiers, incentives, conditions, recommendations and payments, from rows |
//!
//! [`etf`] does the same for the ETF reference rules: `etf/stock_connect`, `etf/licences`, `etf/inclusion`, `etf/feeders`.
//!
//! Deliberately absent: speed, caches, error messages, the check of a registry (a registry that cannot be read is refused
//! as a whole; one that is wrong gives a wrong answer), compressed input, quoted CSV fields, packets, and every
//! format but CSV and ITCH.

mod book;
mod clock;
mod event;
mod events;
mod itch;
mod measure;
mod quote;
mod registry;
mod scheme;
mod text;

pub mod etf;
pub mod generate;
pub mod money;

#[cfg(test)]
mod tests;

pub use measure::{measure, measure_itch};

/// One day to measure, as the files a user would have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The files of the registry folder: name (such as `issues.csv`) and text.
    pub registry: Vec<(String, String)>,
    /// The day's events, as CSV text.
    pub events: String,
    /// The trading date as `2024-03-01`, where it is given instead of taken from the first record.
    pub date: Option<String>,
    /// Whether bad records are set aside instead of stopping the run.
    pub lenient: bool,
    /// Whether sequence numbers need only rise.
    pub allow_gaps: bool,
}

/// What measuring a [`Case`] gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The run is refused and nothing is measured.
    Refused {
        /// Line of the first bad record in the events file (the header is line 1). `None` when the file as a whole, or
        /// the registry, is refused.
        line: Option<u64>,
    },
    /// The day was measured.
    Measured {
        /// The text of `daily.csv`.
        daily: String,
        /// The text of `breaches.csv`.
        breaches: String,
        /// Lines of the records that `rejects.csv` names, in file order (the header is line 1); for ITCH, where their
        /// frames begin.
        rejects: Vec<u64>,
    },
}
