//! The running state of one obligation: states in, maximal intervals out.

use quoteclock_model::{Interval, Micros, Reason, State, Timestamp};

/// The state since some instant. Nothing is said of it until it ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Clock {
    /// The first instant of the state.
    pub since: Timestamp,
    /// The state.
    pub state: State,
    /// Whether it is not known what was before it.
    pub after_unknown: bool,
}

impl Clock {
    /// A clock that starts at `start`.
    pub fn new(start: Timestamp) -> Clock {
        Clock { since: start, state: State::Unavailable, after_unknown: false }
    }

    /// Sets the state from `at` on, and returns the interval that this ends, if any. Where quotes have to rest for so long, a
    /// stretch in which they were good that has ended sooner is a breach, or, where it may have begun before or gone on in time
    /// of which nothing is known, as unknown as that.
    ///
    /// Clause: `TWSE/held`.
    #[must_use]
    #[inline]
    pub fn set(&mut self, at: Timestamp, state: State, resting_min: Option<Micros>) -> Option<Interval> {
        if state == self.state {
            return None;
        }
        let before = *self;
        let ended = before.end(at);
        (self.since, self.state) = (at, state);
        let (Some(resting_min), Some(ended)) = (resting_min, ended) else { return ended };
        self.after_unknown = before.state == State::Unknown;
        if before.state != State::Fulfilled || resting_min <= ended.end.since(ended.start) {
            return Some(ended);
        }
        let in_doubt = before.after_unknown || state == State::Unknown;
        Some(Interval { state: if in_doubt { State::Unknown } else { State::Breach(Reason::Resting) }, ..ended })
    }

    /// The interval up to `at`; `None` if it would be empty.
    pub fn end(&self, at: Timestamp) -> Option<Interval> {
        (self.since < at).then_some(Interval { start: self.since, end: at, state: self.state })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    fn interval(start: i64, end: i64, state: State) -> Interval {
        Interval { start: at(start), end: at(end), state }
    }

    #[test]
    fn a_clock_tells_of_a_state_when_it_ends_and_never_of_an_empty_one() {
        let mut clock = Clock::new(at(0));
        let mut set = |micros, state| clock.set(at(micros), state, None);
        assert_eq!(set(0, State::Fulfilled), None);
        assert_eq!(set(5, State::Fulfilled), None);
        assert_eq!(set(9, State::Unknown), Some(interval(0, 9, State::Fulfilled)));
        assert_eq!(clock.end(at(9)), None);
        assert_eq!(clock.end(at(10)), Some(interval(9, 10, State::Unknown)));
    }

    // clause: TWSE/held
    #[test]
    fn quotes_that_have_not_rested_long_enough_are_a_breach_or_as_unknown_as_what_is_beside_them() {
        let (good, none, doubt) = (State::Fulfilled, State::Unavailable, State::Unknown);
        let (wide, held) = (State::Breach(Reason::Spread), State::Breach(Reason::Resting));
        // Before, and after; what ten and what nine microseconds between them come to.
        for (before, after, ten, nine) in [
            (wide, wide, good, held),
            (none, wide, good, held),
            (wide, none, good, held),
            (none, none, good, held),
            (wide, doubt, good, doubt),
            (doubt, none, good, doubt),
            (doubt, doubt, good, doubt),
        ] {
            for (length, state) in [(10, ten), (9, nine)] {
                let mut clock = Clock::new(at(0));
                let mut set = |micros, state| clock.set(at(micros), state, Some(Micros(10)));
                let _ = set(5, before);
                let _ = set(7, good);
                assert_eq!(set(7 + length, after), Some(interval(7, 7 + length, state)), "{before:?} {after:?}");
            }
        }
    }

    #[test]
    fn what_has_not_ended_may_still_rest_long_enough() {
        let mut clock = Clock::new(at(0));
        assert_eq!(clock.set(at(0), State::Fulfilled, Some(Micros(10))), None);
        assert_eq!(clock.end(at(3)), Some(interval(0, 3, State::Fulfilled)));
    }
}
