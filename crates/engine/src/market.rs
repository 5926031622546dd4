//! What happens to all issues at once, applied to each when it is next looked at.
//!
//! A market-wide event in a market of eight thousand issues would touch every one of them. It is written down instead,
//! and an issue catches up before its next own event; so issues stay independent of each other.

use crate::engine::Slot;
use quoteclock_model::{Phase, Timestamp};
use quoteclock_obligation::IntervalSink;

/// A change to every issue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum MarketChange {
    Phase(Phase),
    Clear,
    Doubt,
}

/// Changes that some issue has not seen yet.
#[derive(Debug, Default)]
pub(crate) struct MarketLog {
    changes: Vec<(Timestamp, MarketChange)>,
    /// The market's phase, once an event has told it.
    phase: Option<Phase>,
}

impl MarketLog {
    /// How many changes are written down before every issue has to catch up: bounds the log, and keeps the cost of a
    /// change below a hundredth of touching all issues.
    const LENGTH_MAX: usize = 256;

    /// Writes a change down; if the log is full, all of `slots` catch up and it starts anew.
    pub(crate) fn push(
        &mut self,
        at: Timestamp,
        change: MarketChange,
        slots: &mut [Slot],
        sink: &mut impl IntervalSink,
    ) {
        if self.changes.len() == Self::LENGTH_MAX {
            for slot in &mut *slots {
                self.catch_up(slot, sink);
                slot.seen = 0;
            }
            self.changes.clear();
        }
        if let MarketChange::Phase(phase) = change {
            self.phase = Some(phase);
        }
        self.changes.push((at, change));
    }

    /// Makes `slot` see every change so far.
    #[inline]
    pub(crate) fn catch_up(&self, slot: &mut Slot, sink: &mut impl IntervalSink) {
        if slot.seen == self.changes.len() {
            return;
        }
        for &(at, change) in &self.changes[slot.seen..] {
            slot.measure.advance(at, sink);
            match change {
                MarketChange::Phase(phase) => slot.measure.set_market_phase(phase),
                MarketChange::Clear => slot.measure.clear(),
                MarketChange::Doubt => slot.measure.doubt(),
            }
        }
        slot.seen = self.changes.len();
    }

    /// The market's phase for an issue that begins now; `None` if it is as at the start of the day.
    pub(crate) fn phase(&self) -> Option<Phase> {
        self.phase
    }

    /// Number of changes that an issue which begins now has already seen.
    pub(crate) fn len(&self) -> usize {
        self.changes.len()
    }
}
