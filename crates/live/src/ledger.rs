//! The ledger of a running day, which can be saved piece by piece while it goes on.

use crate::checkpoint::CheckpointPart;
use crate::uncounted::Uncounted;
use quoteclock_ledger::{OpenLedger, Total};
use quoteclock_model::{Interval, State};
use quoteclock_obligation::{DaySink, IntervalSink, ObligationIndex};
use quoteclock_rules::DayPlan;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Obligations in one piece.
const TOTALS: usize = 1024;
/// Breaches in one piece.
const BREACHES: usize = 2048;

/// An open ledger. Pieces of it that change before they have been saved are kept as they were when the save began.
#[derive(Debug, Default)]
pub(crate) struct LiveLedger {
    open: OpenLedger,
    /// Tells it from every other one of the process: whoever has copied breaches knows by it whether they are its own.
    number: u64,
    /// With the breaches, and what is fulfilled between them, the whole day of every obligation. In the order of their ends.
    uncounted: Vec<Uncounted>,
    saving: Option<Saving>,
}

#[derive(Debug)]
struct Saving {
    /// Which pieces of the totals have been taken.
    taken: Vec<bool>,
    /// Those taken because they were about to change.
    early: Vec<CheckpointPart>,
    next: usize,
    /// Breaches when the save began, and how many of them have been given.
    breaches: usize,
    given: usize,
    /// The same of uncounted stretches.
    uncounted: usize,
    uncounted_given: usize,
}

impl LiveLedger {
    pub(crate) fn new(open: OpenLedger, uncounted: Vec<Uncounted>) -> LiveLedger {
        static NUMBERS: AtomicU64 = AtomicU64::new(1);
        LiveLedger { open, number: NUMBERS.fetch_add(1, Ordering::Relaxed), uncounted, saving: None }
    }

    /// Its number.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Stretches that count for nothing, so far. More are only added at the end.
    pub(crate) fn uncounted(&self) -> &[Uncounted] {
        &self.uncounted
    }

    /// The ledger itself.
    pub(crate) fn open(&self) -> &OpenLedger {
        &self.open
    }

    pub(crate) fn into_open(self) -> OpenLedger {
        self.open
    }

    /// Begins to save it as it stands.
    pub(crate) fn begin_save(&mut self) {
        let taken = vec![false; self.open.totals().len().div_ceil(TOTALS)];
        let (breaches, uncounted) = (self.open.log().len(), self.uncounted.len());
        let early = Vec::new();
        self.saving = Some(Saving { taken, early, next: 0, breaches, given: 0, uncounted, uncounted_given: 0 });
    }

    /// The next piece as it stood when the save began; `None` when all have been given.
    pub(crate) fn save_next(&mut self) -> Option<CheckpointPart> {
        let LiveLedger { open, saving, uncounted, .. } = self;
        let state = saving.as_mut()?;
        if let Some(part) = state.early.pop() {
            return Some(part);
        }
        while let Some(taken) = state.taken.get_mut(state.next) {
            state.next += 1;
            if !std::mem::replace(taken, true) {
                return Some(piece(open, state.next - 1));
            }
        }
        if state.given == state.breaches {
            if state.uncounted_given == state.uncounted {
                *saving = None;
                return None;
            }
            let end = (state.uncounted_given + BREACHES).min(state.uncounted);
            let some = uncounted[state.uncounted_given..end].to_vec();
            state.uncounted_given = end;
            return Some(CheckpointPart::Uncounted(some));
        }
        let end = (state.given + BREACHES).min(state.breaches);
        let breaches = open.log()[state.given..end].to_vec();
        state.given = end;
        Some(CheckpointPart::Breaches(breaches))
    }
}

fn piece(open: &OpenLedger, number: usize) -> CheckpointPart {
    let first = number * TOTALS;
    let totals: &[Total] = open.totals();
    CheckpointPart::Totals(first, totals[first..(first + TOTALS).min(totals.len())].to_vec())
}

impl IntervalSink for LiveLedger {
    fn interval(&mut self, obligation: ObligationIndex, interval: Interval) {
        if let Some(saving) = &mut self.saving {
            let number = obligation.0 as usize / TOTALS;
            if let Some(taken) = saving.taken.get_mut(number).filter(|taken| !**taken) {
                *taken = true;
                saving.early.push(piece(&self.open, number));
            }
        }
        if matches!(interval.state, State::Unavailable | State::Unknown) {
            let is_unknown = interval.state == State::Unknown;
            self.uncounted.push(Uncounted { obligation, span: interval.span(), is_unknown });
        }
        self.open.interval(obligation, interval);
    }
}

impl DaySink for LiveLedger {
    fn open(&mut self, plan: &Arc<DayPlan>) {
        *self = LiveLedger::new(OpenLedger::new(plan), Vec::new());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quoteclock_ledger::LoggedBreach;
    use quoteclock_model::{Reason, Timestamp};

    #[test]
    fn a_save_gives_what_was_there_when_it_began_whatever_comes_meanwhile() {
        let count = 3 * TOTALS + 7;
        let open = OpenLedger::restore(vec![Total::default(); count], Vec::new()).unwrap();
        let mut ledger = LiveLedger::new(open, Vec::new());
        let at = Timestamp::from_micros;
        let tell = |ledger: &mut LiveLedger, number: usize, state| {
            let obligation = ObligationIndex(u32::try_from(number % count).unwrap());
            ledger.interval(obligation, Interval { start: at(5), end: at(5 + i64::try_from(number).unwrap()), state });
        };
        for number in 1..5_000 {
            tell(&mut ledger, number * 37, State::Breach(Reason::Spread));
        }
        for number in 1..5_000 {
            tell(&mut ledger, number * 41, if number % 2 == 0 { State::Unknown } else { State::Unavailable });
        }
        let (expected, expected_uncounted) = (ledger.open().clone(), ledger.uncounted().to_vec());
        assert_eq!(expected_uncounted.len(), 4_999);
        ledger.begin_save();
        let (mut totals, mut breaches) = (vec![None; count], Vec::<LoggedBreach>::new());
        let mut uncounted = Vec::<Uncounted>::new();
        let mut number = 0;
        while let Some(part) = ledger.save_next() {
            match part {
                CheckpointPart::Totals(first, some) => {
                    for (at, total) in (first..).zip(some) {
                        assert!(totals[at].replace(total).is_none(), "{at} twice");
                    }
                }
                CheckpointPart::Breaches(some) => breaches.extend(some),
                CheckpointPart::Uncounted(some) => uncounted.extend(some),
                other => panic!("{other:?}"),
            }
            number += 1;
            tell(&mut ledger, number * 1_500, State::Breach(Reason::Spread));
            tell(&mut ledger, number, State::Fulfilled);
            tell(&mut ledger, number, State::Unavailable);
        }
        assert_eq!(uncounted, expected_uncounted);
        let totals = totals.into_iter().map(Option::unwrap).collect();
        assert_eq!(OpenLedger::restore(totals, breaches).unwrap(), expected);
        assert_ne!(ledger.open(), &expected);
    }
}
