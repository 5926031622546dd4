//! How fast orders come, so that the day ends with exactly as many events as were asked for.
//!
//! The events still to be made are shared out among the segments left, by weight, anew at the start of each: whatever
//! market makers did more or less than expected evens out, and the last segment meets the number.

use crate::calendar::Segment;

#[derive(Debug)]
pub(crate) struct Pace {
    segments: Vec<Segment>,
    at: usize,
    weight_left: u64,
    /// The mean time from one event to the next, in 65,536ths of a microsecond.
    gap_q16: u64,
    fraction_q16: u64,
    /// When the next orders come.
    next: u64,
}

impl Pace {
    pub(crate) fn new(segments: Vec<Segment>) -> Pace {
        let weight_left = segments.iter().map(|segment| segment.weight).sum();
        Pace { segments, at: 0, weight_left, gap_q16: 0, fraction_q16: 0, next: 0 }
    }

    /// When the next orders come; none if the day's business is over.
    #[inline]
    pub(crate) fn next(&self) -> Option<u64> {
        self.segments.get(self.at).map(|_| self.next)
    }

    /// Begins a segment, `events` to be made in it and those after it.
    pub(crate) fn begin(&mut self, events: u64) {
        let Some(segment) = self.segments.get(self.at) else { return };
        let share = u128::from(events) * u128::from(segment.weight) / u128::from(self.weight_left.max(1));
        let share = u64::try_from(share).expect("a share is no more than the whole");
        self.weight_left -= segment.weight;
        // Without a share the segment passes at once.
        self.gap_q16 = ((segment.end - segment.start) << 16).checked_div(share).unwrap_or(u64::MAX >> 8);
        self.next = segment.start;
        if share == 0 {
            self.next = segment.end - 1;
        }
    }

    /// `events` have been made: sets the time of the next orders. True if that lies in the next segment, which then has
    /// to begin.
    #[inline]
    pub(crate) fn advance(&mut self, events: u64, exponential_q16: u64) -> bool {
        let gap = (u128::from(self.gap_q16) * u128::from(events) * u128::from(exponential_q16)) >> 16;
        let gap_q16 = u64::try_from(gap).unwrap_or(u64::MAX >> 8) + self.fraction_q16;
        self.next += gap_q16 >> 16;
        self.fraction_q16 = gap_q16 & 0xFFFF;
        let ended = self.segments.get(self.at).is_some_and(|segment| segment.end <= self.next);
        self.at += usize::from(ended);
        ended
    }
}
