//! What happens to all issues at once, applied to each when it is next looked at.
//!
//! A market-wide event in a market of eight thousand issues would touch every one of them. It is written down instead,
//! and an issue catches up before its next own event; so issues stay independent of each other.

use crate::issue_slot::IssueSlot;
use quoteclock_model::{Phase, Timestamp};
use quoteclock_obligation::IntervalSink;

/// A change to every issue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MarketChange {
    /// The market is in another phase.
    Phase(Phase),
    /// All books are emptied.
    Clear,
    /// From now on all time is in doubt.
    Doubt,
}

/// Changes not seen by all, how many came before them, the last phase, and the last clear.
pub(crate) type MarketLogState = (Vec<(Timestamp, MarketChange)>, usize, Option<(usize, Phase)>, Option<usize>);

/// What has changed for the whole market, counted through the day.
#[derive(Debug, Default)]
pub(crate) struct MarketLog {
    /// Changes that some measured issue may not have seen yet.
    changes: Vec<(Timestamp, MarketChange)>,
    /// How many came before those.
    forgotten: usize,
    /// The last phase, and its number.
    phase: Option<(usize, Phase)>,
    /// The number of the last clear.
    clear: Option<usize>,
}

impl MarketLog {
    /// How many changes are written down before every measured issue has to catch up: bounds the log.
    const LENGTH_MAX: usize = 256;

    /// Writes a change down; if the log is full, those of `slots` that are measured catch up and it starts anew.
    pub(crate) fn push(
        &mut self,
        at: Timestamp,
        change: MarketChange,
        slots: &mut [IssueSlot],
        sink: &mut impl IntervalSink,
    ) {
        if self.is_full() {
            for slot in slots.iter_mut().filter(|slot| slot.measure.has_sign_ups()) {
                self.catch_up(slot, sink);
            }
            self.forgotten += self.changes.len();
            self.changes.clear();
        }
        match change {
            MarketChange::Phase(phase) => self.phase = Some((self.len(), phase)),
            MarketChange::Clear => self.clear = Some(self.len()),
            MarketChange::Doubt => {}
        }
        self.changes.push((at, change));
    }

    /// The market's last phase, if any has been told.
    pub(crate) fn phase(&self) -> Option<Phase> {
        self.phase.map(|(_, phase)| phase)
    }

    /// Makes `slot` see every change so far.
    #[inline]
    pub(crate) fn catch_up(&self, slot: &mut IssueSlot, sink: &mut impl IntervalSink) {
        if slot.seen == self.len() {
            return;
        }
        if slot.measure.has_sign_ups() {
            for &(at, change) in &self.changes[slot.seen - self.forgotten..] {
                slot.measure.advance(at, sink);
                match change {
                    MarketChange::Phase(phase) => slot.measure.set_market_phase(phase),
                    MarketChange::Clear => slot.measure.clear(),
                    MarketChange::Doubt => slot.measure.doubt(),
                }
            }
        } else {
            self.sum_up(slot);
        }
        slot.seen = self.len();
    }

    /// Of an issue without sign-ups no time is told: what the changes add up to is enough. So an input of very many
    /// issues and very many market-wide events costs their sum and not their product.
    fn sum_up(&self, slot: &mut IssueSlot) {
        if let Some((number, phase)) = self.phase
            && slot.seen <= number
        {
            slot.measure.set_market_phase(phase);
        }
        if self.clear.is_some_and(|number| slot.seen <= number) {
            slot.measure.clear();
        }
    }

    /// Whether the next change will make every measured issue catch up.
    pub(crate) fn is_full(&self) -> bool {
        self.changes.len() == Self::LENGTH_MAX
    }

    /// What it holds.
    pub(crate) fn save(&self) -> MarketLogState {
        (self.changes.clone(), self.forgotten, self.phase, self.clear)
    }

    /// Sets what it holds.
    pub(crate) fn restore(&mut self, (changes, forgotten, phase, clear): MarketLogState) {
        *self = MarketLog { changes, forgotten, phase, clear };
    }

    /// Number of changes so far.
    fn len(&self) -> usize {
        self.forgotten + self.changes.len()
    }
}
