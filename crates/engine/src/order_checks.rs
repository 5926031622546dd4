//! The order in which records may come: their sequence numbers and their times.

use quoteclock_feed::Sequence;
use quoteclock_model::{SequenceNo, Span, Timestamp};

/// What is to be said of a record's sequence number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SequenceCheck {
    /// As it should be, or not carried.
    Next,
    /// It could not be read.
    Unreadable,
    /// Records are missing before it.
    Gap { found: SequenceNo, expected: SequenceNo },
    /// It has been there before.
    Repeat { found: SequenceNo, last: SequenceNo },
}

/// Follows sequence numbers.
#[derive(Debug, Default)]
pub(crate) struct Sequencer {
    allow_gaps: bool,
    last: Option<SequenceNo>,
    /// Records since `last` whose number could not be read: each may have taken one.
    unread: u64,
}

impl Sequencer {
    pub(crate) fn new(allow_gaps: bool) -> Sequencer {
        Sequencer { allow_gaps, ..Sequencer::default() }
    }

    /// The highest number, and how many since then could not be read.
    pub(crate) fn state(&self) -> (Option<SequenceNo>, u64) {
        (self.last, self.unread)
    }

    /// Sets them.
    pub(crate) fn restore(&mut self, last: Option<SequenceNo>, unread: u64) {
        (self.last, self.unread) = (last, unread);
    }

    /// Takes note of records whose numbers could not be read.
    pub(crate) fn pass_over(&mut self, count: u64) {
        self.unread = self.unread.saturating_add(count);
    }

    /// Whether a number is one that may come next; [`Sequencer::check`] then says so, too.
    #[inline]
    pub(crate) fn is_next(&self, sequence: Sequence) -> bool {
        match (sequence, self.last) {
            (Sequence::Absent, _) | (Sequence::Given(_), None) => true,
            (Sequence::Unreadable, _) => false,
            (Sequence::Given(found), Some(last)) => {
                last < found && (self.allow_gaps || found.0 - last.0 - 1 <= self.unread)
            }
        }
    }

    #[inline]
    pub(crate) fn check(&mut self, sequence: Sequence) -> SequenceCheck {
        let found = match sequence {
            Sequence::Absent => return SequenceCheck::Next,
            Sequence::Unreadable => {
                self.unread += 1;
                return SequenceCheck::Unreadable;
            }
            Sequence::Given(found) => found,
        };
        let order = match self.last {
            Some(last) if found <= last => return SequenceCheck::Repeat { found, last },
            Some(last) if !self.allow_gaps && self.unread < found.0 - last.0 - 1 => {
                SequenceCheck::Gap { found, expected: SequenceNo(last.0 + 1) }
            }
            _ => SequenceCheck::Next,
        };
        self.last = Some(found);
        self.unread = 0;
        order
    }

    /// Checks a run of numbers that rise by one, of which `first` is the first. If it does not follow, nothing changes.
    pub(crate) fn check_run(&mut self, first: SequenceNo, count: usize) -> bool {
        let before = (self.last, self.unread);
        let Some(rest) = (count as u64).checked_sub(1) else { return false };
        let follows = self.check(Sequence::Given(first)) == SequenceCheck::Next;
        match first.0.checked_add(rest) {
            Some(last) if follows => self.last = Some(SequenceNo(last)),
            _ => (self.last, self.unread) = before,
        }
        follows
    }
}

/// What is to be said of a record's time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Timing {
    /// At or after those before it, on the file's date.
    Good(Timestamp),
    /// It could not be read.
    Unreadable,
    /// Before a record before it, or before the date begins.
    Backwards(Timestamp),
    /// After the date has ended.
    After(Timestamp),
}

/// Follows times through one date.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DayProgress {
    day: Span,
    /// The latest good time; the day's start before the first.
    last: Timestamp,
}

impl DayProgress {
    pub(crate) fn new(day: Span) -> DayProgress {
        DayProgress { day, last: day.start }
    }

    /// A day that has come to a time.
    pub(crate) fn from_time(day: Span, last: Timestamp) -> DayProgress {
        DayProgress { day, last }
    }

    /// The latest good time so far.
    pub(crate) fn last(&self) -> Timestamp {
        self.last
    }

    /// Whether times from the start of `span` up to its end, that one included, are good ones.
    pub(crate) fn holds(&self, span: Span) -> bool {
        self.last <= span.start && span.end < self.day.end
    }

    /// The times that are good ones.
    pub(crate) fn left(&self) -> Span {
        Span { start: self.last, end: self.day.end }
    }

    #[inline]
    pub(crate) fn check(&mut self, time: Option<Timestamp>) -> Timing {
        match time {
            None => Timing::Unreadable,
            Some(time) if time < self.last => Timing::Backwards(time),
            Some(time) if self.day.end <= time => Timing::After(time),
            Some(time) => {
                self.last = time;
                Timing::Good(time)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(number: u64) -> Sequence {
        Sequence::Given(SequenceNo(number))
    }

    #[test]
    fn numbers_rise_by_one_from_anywhere() {
        let mut sequencer = Sequencer::new(false);
        assert_eq!(sequencer.check(given(41)), SequenceCheck::Next);
        assert_eq!(sequencer.check(given(42)), SequenceCheck::Next);
        assert_eq!(sequencer.check(given(44)), SequenceCheck::Gap { found: SequenceNo(44), expected: SequenceNo(43) });
        assert_eq!(sequencer.check(given(45)), SequenceCheck::Next);
        assert_eq!(sequencer.check(given(45)), SequenceCheck::Repeat { found: SequenceNo(45), last: SequenceNo(45) });
        assert_eq!(sequencer.check(given(3)), SequenceCheck::Repeat { found: SequenceNo(3), last: SequenceNo(45) });
        assert_eq!(sequencer.check(given(46)), SequenceCheck::Next);
        assert_eq!(
            sequencer.check(given(u64::MAX)),
            SequenceCheck::Gap { found: SequenceNo(u64::MAX), expected: SequenceNo(47) }
        );
    }

    #[test]
    fn with_gaps_allowed_numbers_must_only_rise() {
        let mut sequencer = Sequencer::new(true);
        assert_eq!(sequencer.check(given(1)), SequenceCheck::Next);
        assert_eq!(sequencer.check(given(9)), SequenceCheck::Next);
        assert_eq!(sequencer.check(given(9)), SequenceCheck::Repeat { found: SequenceNo(9), last: SequenceNo(9) });
    }

    #[test]
    fn a_record_whose_number_cannot_be_read_may_have_taken_one() {
        for (next, fits) in [(2, true), (3, true), (4, true), (5, false)] {
            let mut sequencer = Sequencer::new(false);
            for sequence in [given(1), Sequence::Unreadable, Sequence::Unreadable] {
                sequencer.check(sequence);
            }
            assert_eq!(sequencer.check(given(next)) == SequenceCheck::Next, fits, "{next}");
        }
    }

    #[test]
    fn what_may_come_next_is_what_the_check_lets_pass() {
        for allow_gaps in [false, true] {
            for before in [vec![], vec![given(5)], vec![given(5), Sequence::Unreadable], vec![Sequence::Unreadable]] {
                for next in [Sequence::Absent, Sequence::Unreadable, given(0), given(5), given(6), given(7), given(8)] {
                    let mut sequencer = Sequencer::new(allow_gaps);
                    for &sequence in &before {
                        sequencer.check(sequence);
                    }
                    let may_come = sequencer.is_next(next);
                    assert_eq!(sequencer.check(next) == SequenceCheck::Next, may_come, "{next:?} after {before:?}");
                }
            }
        }
    }

    #[test]
    fn a_stretch_of_good_times_begins_at_the_last_one_and_ends_before_the_day_does() {
        let at = Timestamp::from_micros;
        let mut progress = DayProgress::new(Span { start: at(10), end: at(20) });
        progress.check(Some(at(12)));
        for (start, end, holds) in [(12, 19, true), (11, 19, false), (12, 20, false), (19, 19, true), (12, 12, true)] {
            assert_eq!(progress.holds(Span { start: at(start), end: at(end) }), holds, "{start} to {end}");
        }
    }

    #[test]
    fn times_stay_in_the_day_and_never_go_back() {
        let at = Timestamp::from_micros;
        let mut progress = DayProgress::new(Span { start: at(10), end: at(20) });
        assert_eq!(progress.check(Some(at(9))), Timing::Backwards(at(9)));
        assert_eq!(progress.check(Some(at(15))), Timing::Good(at(15)));
        assert_eq!(progress.check(Some(at(15))), Timing::Good(at(15)));
        assert_eq!(progress.check(Some(at(14))), Timing::Backwards(at(14)));
        assert_eq!(progress.check(Some(at(20))), Timing::After(at(20)));
        assert_eq!(progress.check(None), Timing::Unreadable);
        assert_eq!(progress.check(Some(at(19))), Timing::Good(at(19)));
    }
}
