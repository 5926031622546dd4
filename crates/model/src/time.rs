//! Instants, spans and stretches of time, in whole microseconds.
//!
//! All stretches are half-open, `[start, end)`: an instant belongs to exactly one of two adjacent stretches, so sums
//! over a day are exact.

use std::fmt;

/// An instant: whole microseconds since 1970-01-01T00:00:00Z.
///
/// Clause: `ST1/timestamps` (all measurement is based on the exchange's timestamps, in microseconds).
///
/// ```
/// use quoteclock_model::{Micros, Timestamp};
///
/// let (start, end) = (Timestamp::from_micros(1_709_251_200_000_000), Timestamp::from_micros(1_709_251_200_000_123));
/// assert_eq!(end.since(start), Micros(123));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The earliest instant that can be written down; before every event.
    pub const MIN: Timestamp = Timestamp(i64::MIN);
    /// The latest instant that can be written down; after every event.
    pub const MAX: Timestamp = Timestamp(i64::MAX);

    /// The instant `micros` microseconds after (before, if negative) the Unix epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Timestamp(micros)
    }

    /// Microseconds since the Unix epoch; negative before it.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// The instant so much later, if it can be written down.
    pub const fn checked_add(self, span: Micros) -> Option<Timestamp> {
        match self.0.checked_add_unsigned(span.0) {
            Some(micros) => Some(Timestamp(micros)),
            None => None,
        }
    }

    /// The span from `earlier` up to `self`.
    ///
    /// # Panics
    /// If `earlier` is later than `self`: time does not run backwards inside the engine.
    pub fn since(self, earlier: Timestamp) -> Micros {
        assert!(earlier <= self, "time ran backwards: {} before {}", self.0, earlier.0);
        Micros(self.0.abs_diff(earlier.0))
    }
}

/// A length of time in whole microseconds.
///
/// ```
/// use quoteclock_model::Micros;
///
/// let time = Micros(300_000_000) + Micros(123);
/// assert_eq!(time.to_string(), "0:05:00.000123");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Micros(pub u64);

impl Micros {
    /// No time at all.
    pub const ZERO: Micros = Micros(0);
}

impl std::ops::Add for Micros {
    type Output = Micros;
    fn add(self, other: Micros) -> Micros {
        Micros(self.0 + other.0)
    }
}

impl std::ops::AddAssign for Micros {
    fn add_assign(&mut self, other: Micros) {
        self.0 += other.0;
    }
}

impl std::iter::Sum for Micros {
    fn sum<I: Iterator<Item = Micros>>(spans: I) -> Micros {
        spans.fold(Micros::ZERO, |sum, span| sum + span)
    }
}

/// Prints as a clock reading for people: `0:05:00.000123`.
impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0 / 1_000_000;
        let text = format!("{}:{:02}:{:02}.{:06}", seconds / 3600, seconds / 60 % 60, seconds % 60, self.0 % 1_000_000);
        f.pad(&text)
    }
}

/// A stretch of time, half-open: it holds `start` and every instant up to, not including, `end`.
///
/// ```
/// use quoteclock_model::{Span, Timestamp};
///
/// let at = Timestamp::from_micros;
/// let span = Span { start: at(5), end: at(9) };
/// assert!(span.contains(at(5)) && !span.contains(at(9)));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Span {
    /// The first instant inside.
    pub start: Timestamp,
    /// The first instant after.
    pub end: Timestamp,
}

impl Span {
    /// Whether `at` lies inside.
    pub fn contains(self, at: Timestamp) -> bool {
        self.start <= at && at < self.end
    }

    /// The part of `self` that lies inside `other`, if any.
    pub fn clip(self, other: Span) -> Option<Span> {
        let span = Span { start: self.start.max(other.start), end: self.end.min(other.end) };
        (span.start < span.end).then_some(span)
    }
}

/// The union of `spans`: sorted, without overlaps, adjacent stretches joined, empty ones dropped.
pub fn merge_spans(mut spans: Vec<Span>) -> Vec<Span> {
    spans.retain(|span| span.start < span.end);
    spans.sort_unstable();
    let mut merged: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
            _ => merged.push(span),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(start: i64, end: i64) -> Span {
        Span { start: Timestamp::from_micros(start), end: Timestamp::from_micros(end) }
    }

    #[test]
    fn spans_are_half_open() {
        assert!(!span(5, 9).contains(Timestamp::from_micros(4)));
        assert!(span(5, 9).contains(Timestamp::from_micros(5)));
        assert!(span(5, 9).contains(Timestamp::from_micros(8)));
        assert!(!span(5, 9).contains(Timestamp::from_micros(9)));
    }

    #[test]
    fn merging_joins_overlapping_and_adjacent_spans_and_drops_empty_ones() {
        let merged = merge_spans(vec![span(7, 9), span(1, 3), span(3, 5), span(4, 5), span(6, 6)]);
        assert_eq!(merged, [span(1, 5), span(7, 9)]);
    }

    #[test]
    fn spans_clip_to_what_both_hold() {
        assert_eq!(span(1, 5).clip(span(3, 9)), Some(span(3, 5)));
        assert_eq!(span(1, 3).clip(span(3, 9)), None);
    }

    #[test]
    fn micros_print_as_a_clock_reading() {
        assert_eq!(Micros(3_723_000_123).to_string(), "1:02:03.000123");
    }
}
