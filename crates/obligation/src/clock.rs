//! The running state of one obligation: states in, maximal intervals out.

use quoteclock_model::{Interval, State, Timestamp};

/// The state since some instant. Nothing is said of it until it ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Clock {
    /// The first instant of the state.
    pub since: Timestamp,
    /// The state.
    pub state: State,
}

impl Clock {
    /// A clock that starts at `start`.
    pub fn new(start: Timestamp) -> Clock {
        Clock { since: start, state: State::Unavailable }
    }

    /// Sets the state from `at` on, and returns the interval that this ends, if any.
    #[must_use]
    pub fn set(&mut self, at: Timestamp, state: State) -> Option<Interval> {
        if state == self.state {
            return None;
        }
        let ended = self.end(at);
        *self = Clock { since: at, state };
        ended
    }

    /// The interval up to `at`; `None` if it would be empty.
    pub fn end(&self, at: Timestamp) -> Option<Interval> {
        (self.since < at).then_some(Interval { start: self.since, end: at, state: self.state })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_tells_of_a_state_when_it_ends_and_never_of_an_empty_one() {
        let at = Timestamp::from_micros;
        let mut clock = Clock::new(at(0));
        assert_eq!(clock.set(at(0), State::Fulfilled), None);
        assert_eq!(clock.set(at(5), State::Fulfilled), None);
        assert_eq!(
            clock.set(at(9), State::Unknown),
            Some(Interval { start: at(0), end: at(9), state: State::Fulfilled })
        );
        assert_eq!(clock.end(at(9)), None);
        assert_eq!(clock.end(at(10)), Some(Interval { start: at(9), end: at(10), state: State::Unknown }));
    }
}
