//! What is due at some time: one queue for everything that does not follow from the flow of orders.

use crate::calendar::Auction;
use quoteclock_model::Phase;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Something due.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Timer {
    /// A boundary of the day, by number.
    Boundary(u32),
    /// The call auction of an issue.
    Auction(u32, Auction),
    /// The next line of an issue's script, by number.
    Script(u32),
    /// An agent comes or goes.
    Turn(u32),
    /// An agent sees to its quotes.
    Attend(u32),
    /// A fleeting order leaves, if it is still there: the place may have gone to another since.
    Withdraw {
        issue: u32,
        at: u32,
        /// The lower half of its number.
        id_low: u32,
    },
}

/// What happens to one issue at some time, whatever its orders do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Scripted {
    /// Its phase changes.
    Phase(Phase),
    /// A call auction ends an interruption.
    Resume,
    /// Prices begin to jump, or calm down.
    Stress(bool),
    /// Its book is sent again.
    Recovery,
}

/// The queue, earliest first; of one time in the order in which they were set.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    queue: BinaryHeap<Reverse<(u64, u64, Timer)>>,
    set: u64,
}

impl Timers {
    pub(crate) fn push(&mut self, at: u64, timer: Timer) {
        self.set += 1;
        self.queue.push(Reverse((at, self.set, timer)));
    }

    /// When the next one is due.
    #[inline]
    pub(crate) fn next(&self) -> Option<u64> {
        self.queue.peek().map(|&Reverse((at, ..))| at)
    }

    pub(crate) fn pop(&mut self) -> Option<(u64, Timer)> {
        self.queue.pop().map(|Reverse((at, _, timer))| (at, timer))
    }
}
