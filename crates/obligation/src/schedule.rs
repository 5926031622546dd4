//! Stretches of time known before the day begins, followed as time goes on.

use quoteclock_model::{Span, Timestamp};
use std::sync::Arc;

/// A position in a list of disjoint stretches: inside one or not, and when that changes next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Schedule {
    /// Sorted; they neither overlap nor touch.
    spans: Arc<[Span]>,
    /// Starts and ends that have passed.
    passed: usize,
}

impl Schedule {
    /// A schedule of `spans`, which are sorted and neither overlap nor touch.
    ///
    /// # Panics
    /// If they do.
    pub fn new(spans: impl Into<Arc<[Span]>>) -> Schedule {
        let spans = spans.into();
        let apart = spans.is_sorted_by(|earlier, later| earlier.end < later.start);
        assert!(apart && spans.iter().all(|span| span.start < span.end), "spans overlap or touch: {spans:?}");
        Schedule { spans, passed: 0 }
    }

    /// Goes on to `at`, and tells whether it is inside a stretch.
    pub fn advance(&mut self, at: Timestamp) -> bool {
        while self.next_change().is_some_and(|change| change <= at) {
            self.passed += 1;
        }
        self.inside()
    }

    /// Whether the instant last advanced to is inside a stretch.
    pub fn inside(&self) -> bool {
        self.passed % 2 == 1
    }

    /// The next instant at which that changes.
    pub fn next_change(&self) -> Option<Timestamp> {
        let span = self.spans.get(self.passed / 2)?;
        Some(if self.inside() { span.end } else { span.start })
    }
}

/// The parts of `spans` that lie in none of `holes`; both sorted and disjoint.
pub fn subtract(spans: &[Span], holes: &[Span]) -> Vec<Span> {
    let mut parts = Vec::new();
    for &span in spans {
        let mut start = span.start;
        for hole in holes.iter().filter(|hole| span.start < hole.end && hole.start < span.end) {
            if start < hole.start {
                parts.push(Span { start, end: hole.start });
            }
            start = start.max(hole.end);
        }
        if start < span.end {
            parts.push(Span { start, end: span.end });
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    fn span(start: i64, end: i64) -> Span {
        Span { start: at(start), end: at(end) }
    }

    #[test]
    fn a_schedule_is_inside_from_its_starts_up_to_its_ends() {
        let mut schedule = Schedule::new([span(5, 9), span(12, 15)]);
        for (micros, inside, next) in [
            (0, false, Some(5)),
            (4, false, Some(5)),
            (5, true, Some(9)),
            (8, true, Some(9)),
            (9, false, Some(12)),
            (13, true, Some(15)),
            (15, false, None),
        ] {
            assert_eq!(schedule.advance(at(micros)), inside, "at {micros}");
            assert_eq!(schedule.next_change(), next.map(at), "at {micros}");
        }
    }

    #[test]
    fn holes_are_cut_out_of_spans() {
        let cut = |holes: &[Span]| subtract(&[span(10, 20), span(30, 40)], holes);
        assert_eq!(cut(&[]), [span(10, 20), span(30, 40)]);
        assert_eq!(cut(&[span(0, 10), span(20, 30)]), [span(10, 20), span(30, 40)]);
        assert_eq!(cut(&[span(12, 14), span(18, 32)]), [span(10, 12), span(14, 18), span(32, 40)]);
        assert_eq!(cut(&[span(0, 50)]), []);
        assert_eq!(cut(&[span(10, 11), span(19, 20)]), [span(11, 19), span(30, 40)]);
    }
}
