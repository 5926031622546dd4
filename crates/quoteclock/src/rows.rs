//! The rows of a measured day as values: the same, in the same order, as those of the command's files.

use jiff::civil::Date;
use quoteclock_ledger::{DisplayPercent, reasons_text};
use quoteclock_model::{Micros, ObligationId, Reason, Span};
use quoteclock_rules::{DayPlan, local_time};
use std::sync::Arc;

/// One obligation of one sign-up on the day; a row of `daily.csv`.
///
/// Clause: `ST1/quote-display-time`.
///
/// ```
/// # let registry = quoteclock::Registry::open("../../replay-data/tse-small/registry")?;
/// let day = quoteclock::replay("../../replay-data/tse-small/2024-03-01.csv", &registry)?;
/// let lost: u64 = day.daily().map(|row| row.available.0 - row.fulfilled.0).sum();
/// let breaches: u64 = day.breaches().map(|row| row.duration().0).sum();
/// assert_eq!(lost, breaches, "to the microsecond");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DailyRow {
    /// The trading date.
    pub date: Date,
    /// The market maker, by the registry's short name.
    pub market_maker: String,
    /// The issue's code.
    pub issue: String,
    /// `general`, a criterion of it, or a condition that is paid for.
    pub obligation: ObligationId,
    /// Time in which a quote was required, unknown time excepted.
    pub available: Micros,
    /// The part of it in which the obligation was met.
    pub fulfilled: Micros,
    /// Time in which a quote would have been required but for damaged input.
    pub unknown: Micros,
    /// Fulfilled by available, rounded half up to four decimals; `None` if nothing was available.
    pub display_pct: Option<DisplayPercent>,
}

/// A stretch of available time in which an obligation was not met for one reason; a row of `breaches.csv`.
///
/// ```
/// # let registry = quoteclock::Registry::open("../../replay-data/tse-small/registry")?;
/// let day = quoteclock::replay("../../replay-data/tse-small/2024-03-01.csv", &registry)?;
/// let longest = day.breaches().max_by_key(|row| row.duration()).expect("something was lost");
/// assert!(longest.span.start < longest.span.end);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct BreachRow {
    /// The day's plan: it has the date and the zone.
    pub(crate) plan: Arc<DayPlan>,
    /// The market maker, by the registry's short name.
    pub market_maker: String,
    /// The issue's code.
    pub issue: String,
    /// `general`, a criterion of it, or a condition that is paid for.
    pub obligation: ObligationId,
    /// From when up to, not including, when.
    pub span: Span,
    /// Why.
    pub reason: Reason,
}

impl BreachRow {
    /// The trading date.
    ///
    /// ```
    /// # let registry = quoteclock::Registry::open("../../replay-data/tse-small/registry")?;
    /// # let day = quoteclock::replay("../../replay-data/tse-small/2024-03-01.csv", &registry)?;
    /// assert!(day.breaches().all(|row| row.date() == day.date()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn date(&self) -> Date {
        self.plan.date
    }

    /// How long.
    ///
    /// ```
    /// # let registry = quoteclock::Registry::open("../../replay-data/tse-small/registry")?;
    /// # let day = quoteclock::replay("../../replay-data/tse-small/2024-03-01.csv", &registry)?;
    /// assert!(day.breaches().all(|row| 0 < row.duration().0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn duration(&self) -> Micros {
        self.span.end.since(self.span.start)
    }

    /// The start as the files write it, with the offset of the scheme's zone: `2024-03-01T09:00:00.000000+09:00`.
    ///
    /// ```
    /// # let registry = quoteclock::Registry::open("../../replay-data/tse-small/registry")?;
    /// # let day = quoteclock::replay("../../replay-data/tse-small/2024-03-01.csv", &registry)?;
    /// assert!(day.breaches().all(|row| row.start_text().ends_with("+09:00")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn start_text(&self) -> String {
        local_time(self.span.start, &self.plan.zone)
    }

    /// The end as the files write it.
    ///
    /// ```
    /// # let registry = quoteclock::Registry::open("../../replay-data/tse-small/registry")?;
    /// # let day = quoteclock::replay("../../replay-data/tse-small/2024-03-01.csv", &registry)?;
    /// assert!(day.breaches().all(|row| row.end_text().starts_with("2024-03-01T")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn end_text(&self) -> String {
        local_time(self.span.end, &self.plan.zone)
    }
}

/// Breaches of one obligation without a pause between them, as one: a row of `outages.csv`.
///
/// ```
/// # let registry = quoteclock::Registry::open("../../replay-data/tse-small/registry")?;
/// let day = quoteclock::replay("../../replay-data/tse-small/2024-03-01.csv", &registry)?;
/// let sum = |lengths: &mut dyn Iterator<Item = u64>| lengths.sum::<u64>();
/// let lost = sum(&mut day.outages().map(|row| row.duration().0));
/// assert_eq!(lost, sum(&mut day.breaches().map(|row| row.duration().0)));
/// assert!(day.outages().count() < day.breaches().count(), "some reasons follow each other");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct OutageRow {
    /// The day's plan: it has the date and the zone.
    pub(crate) plan: Arc<DayPlan>,
    /// The market maker, by the registry's short name.
    pub market_maker: String,
    /// The issue's code.
    pub issue: String,
    /// `general`, a criterion of it, or a condition that is paid for.
    pub obligation: ObligationId,
    /// From when up to, not including, when.
    pub span: Span,
    /// Why, and for how long: the longest first, equal ones in the order of the reasons.
    pub reasons: Vec<(Reason, Micros)>,
}

impl OutageRow {
    /// The trading date.
    ///
    /// ```
    /// # let registry = quoteclock::Registry::open("../../replay-data/tse-small/registry")?;
    /// # let day = quoteclock::replay("../../replay-data/tse-small/2024-03-01.csv", &registry)?;
    /// assert!(day.outages().all(|row| row.date() == day.date()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn date(&self) -> Date {
        self.plan.date
    }

    /// How long.
    ///
    /// ```
    /// # let registry = quoteclock::Registry::open("../../replay-data/tse-small/registry")?;
    /// # let day = quoteclock::replay("../../replay-data/tse-small/2024-03-01.csv", &registry)?;
    /// assert!(day.outages().all(|row| 0 < row.duration().0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn duration(&self) -> Micros {
        self.span.end.since(self.span.start)
    }

    /// The reasons as the file writes them: `spread:210000;no_bid:5000`, in microseconds.
    ///
    /// ```
    /// # let registry = quoteclock::Registry::open("../../replay-data/tse-small/registry")?;
    /// # let day = quoteclock::replay("../../replay-data/tse-small/2024-03-01.csv", &registry)?;
    /// assert!(day.outages().any(|row| row.reasons_text().contains(';')), "one outage for several reasons");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn reasons_text(&self) -> String {
        reasons_text(&self.reasons)
    }
}

/// A record that a lenient run has set aside; a row of `rejects.csv`.
///
/// ```
/// use quoteclock::{Input, Registry, ReplayOptions, UNWATCHED, replay_with};
///
/// let registry = Registry::open("../../replay-data/tse-small/registry")?;
/// let mut events = std::fs::read("../../replay-data/tse-small/2024-03-01.csv")?;
/// events.extend_from_slice(b"not a record\n");
/// let options = ReplayOptions { lenient: true, ..ReplayOptions::default() };
/// let day = replay_with(&Input::memory("made up", events), &registry, &options, UNWATCHED)?;
/// assert_eq!(day.rejects().len(), 1);
/// assert_eq!(day.rejects()[0].record, b"not a record");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RejectRow {
    /// The input that it is of; `None` of bytes that were pushed.
    pub file: Option<Arc<str>>,
    /// Where in it: `line 65`, or `byte 1024`.
    pub place: String,
    /// The issue that it names, `*` if it is of the whole market; `None` if it names none.
    pub issue: Option<String>,
    /// What was found, and what was expected.
    pub reason: String,
    /// The record as it stood in the input, its first 64 KiB if it is longer.
    pub record: Vec<u8>,
}

impl RejectRow {
    /// Whether it is the same record, whatever its input is called.
    pub(crate) fn is_of_same_record(&self, other: &RejectRow) -> bool {
        let what = |row: &RejectRow| (row.place.clone(), row.issue.clone(), row.reason.clone());
        what(self) == what(other) && self.record == other.record
    }

    /// The record as the file has it: the text of a line, or hexadecimal digits of a binary record.
    ///
    /// ```
    /// use quoteclock::RejectRow;
    ///
    /// let (file, place) = (Some("day.qcev".into()), "byte 16".into());
    /// let row = RejectRow { file, place, issue: None, reason: "…".into(), record: vec![0, 255] };
    /// assert_eq!(row.record_text(), "00ff");
    /// ```
    pub fn record_text(&self) -> String {
        if self.place.starts_with("byte") {
            self.record.iter().map(|byte| format!("{byte:02x}")).collect()
        } else {
            String::from_utf8_lossy(&self.record).into_owned()
        }
    }
}
