//! When one obligation of one sign-up requires quotes, followed along the day.

use crate::Schedule;
use crate::schedule::subtract;
use quoteclock_model::{Micros, Phase, Phases, Span, Timestamp};
use quoteclock_rules::Availability;
use std::sync::Arc;

/// Windows, exemptions and phases as time goes on. The same for nearly all sign-ups of an issue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Hours {
    /// Inside its windows and not exempt.
    required: Schedule,
    phases: Phases,
    /// If a beginning is followed by time in which nothing is required yet.
    delay: Option<Delay>,
    /// Whether quotes are required now.
    pub(crate) are_on: bool,
}

/// Time after each beginning, exempt or not.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Delay {
    length: Micros,
    windows: Schedule,
    /// Since when the windows and phases have been right, if they are.
    since: Option<Timestamp>,
}

impl Hours {
    pub(crate) fn new(availability: &Availability, exempt: &[Span]) -> Hours {
        let Availability { windows, phases, start_delay } = availability;
        let delay = || Delay { length: *start_delay, windows: Schedule::new(Arc::clone(windows)), since: None };
        Hours {
            required: match exempt {
                [] => Schedule::new(Arc::clone(windows)),
                _ => Schedule::new(subtract(windows, exempt)),
            },
            phases: *phases,
            delay: (*start_delay != Micros::ZERO).then(delay),
            are_on: false,
        }
    }

    /// Since when a beginning has run; `None` if nothing follows beginnings.
    pub(crate) fn begun(&self) -> Option<Option<Timestamp>> {
        self.delay.as_ref().map(|delay| delay.since)
    }

    /// Sets it.
    pub(crate) fn restore(&mut self, begun: Option<Timestamp>) {
        if let Some(delay) = &mut self.delay {
            delay.since = begun;
        }
    }

    /// Takes the schedules to `now`, and finds their next change.
    pub(crate) fn advance(&mut self, now: Timestamp) -> Option<Timestamp> {
        self.required.advance(now);
        let next = self.required.next_change();
        let Some(delay) = &mut self.delay else { return next };
        delay.windows.advance(now);
        next.into_iter().chain(delay.windows.next_change()).min()
    }

    /// Looks at the phases as they are after the last event of `now`. Tells when a delay that runs will be over.
    pub(crate) fn update(&mut self, now: Timestamp, market: Phase, issue: Phase) -> Option<Timestamp> {
        let trades = self.phases.contain_both(market, issue);
        self.are_on = trades && self.required.inside();
        let over = self.delay.as_mut()?.over(now, trades);
        self.are_on &= over.is_some_and(|over| over <= now);
        over.filter(|&over| now < over)
    }
}

impl Delay {
    /// From when on something is required; `None` where it has not begun, or does not end in time that can be written down.
    fn over(&mut self, now: Timestamp, trades: bool) -> Option<Timestamp> {
        let has_begun = trades && self.windows.inside();
        self.since = has_begun.then(|| self.since.unwrap_or(now));
        self.since?.checked_add(self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    fn hours(start_delay: u64) -> Hours {
        let span = |start, end| Span { start: at(start), end: at(end) };
        let phases = Phases::of(&[Phase::Continuous, Phase::SequentialQuote]);
        let windows = [span(10, 50), span(60, 90)].into();
        Hours::new(&Availability { windows, phases, start_delay: Micros(start_delay) }, &[span(14, 16), span(30, 40)])
    }

    #[test]
    fn quotes_are_required_in_windows_and_phases_but_not_while_exempt() {
        let mut hours = hours(0);
        for (now, next, phase, on) in [
            (0, Some(10), Phase::Continuous, false),
            (10, Some(14), Phase::SequentialQuote, true),
            (10, Some(14), Phase::Halt, false),
            (14, Some(16), Phase::Continuous, false),
            (16, Some(30), Phase::Continuous, true),
            (50, Some(60), Phase::Continuous, false),
            (89, Some(90), Phase::Continuous, true),
            (90, None, Phase::Continuous, false),
        ] {
            assert_eq!(hours.advance(at(now)), next.map(at), "{now}");
            assert_eq!(hours.update(at(now), Phase::Continuous, phase), None);
            assert_eq!(hours.are_on, on, "{now}");
        }
    }

    #[test]
    fn after_each_beginning_nothing_is_required_for_a_while() {
        let mut hours = hours(5);
        let mut look = |now, phase| {
            hours.advance(at(now));
            let over = hours.update(at(now), Phase::Continuous, phase);
            (hours.are_on, over.map(Timestamp::as_micros))
        };
        assert_eq!(look(9, Phase::Continuous), (false, None));
        assert_eq!(look(10, Phase::Continuous), (false, Some(15)));
        // An exemption begins nothing and is over before the delay is, or not.
        assert_eq!(look(14, Phase::Continuous), (false, Some(15)));
        assert_eq!(look(15, Phase::Continuous), (false, None));
        assert_eq!(look(16, Phase::Continuous), (true, None));
        assert_eq!(look(20, Phase::Halt), (false, None));
        assert_eq!(look(24, Phase::Continuous), (false, Some(29)));
        assert_eq!(look(28, Phase::SequentialQuote), (false, Some(29)));
        assert_eq!(look(29, Phase::SequentialQuote), (true, None));
        assert_eq!(look(40, Phase::Continuous), (true, None));
        assert_eq!(look(50, Phase::Continuous), (false, None));
        assert_eq!(look(60, Phase::Continuous), (false, Some(65)));
        assert_eq!(look(65, Phase::Continuous), (true, None));
    }
}
