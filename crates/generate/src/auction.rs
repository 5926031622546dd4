//! Call auctions, and the end of the day.
//!
//! The book is never crossed, so an auction matches what waits for it (orders for the open or the close, market orders,
//! and at the close those that have become market orders) with the best orders of the other side, and cancels what is
//! left. After the close the day's orders expire.

use crate::calendar::Auction;
use crate::day::{DayMaker, narrow};
use crate::orders::{Kind, RestingOrder, opposite};
use quoteclock_feed::EventWriter;

impl<W: EventWriter> DayMaker<'_, W> {
    /// The auction of one issue.
    pub(crate) fn auction(&mut self, issue: u32, auction: Auction) {
        self.gather(issue);
        let mut waiting = std::mem::take(&mut self.scratch);
        let takes_part = |kind| match auction {
            Auction::Opening => matches!(kind, Kind::OnOpen | Kind::Market),
            Auction::Closing => matches!(kind, Kind::OnClose | Kind::Funari | Kind::Market),
        };
        waiting.retain(|&at| takes_part(self.orders[at].kind));
        for &at in &waiting {
            // One of them may have met another already.
            if self.orders[at].quantity != 0 && takes_part(self.orders[at].kind) {
                self.match_at_auction(issue, at);
            }
        }
        self.scratch = waiting;
    }

    fn match_at_auction(&mut self, issue: u32, at: u32) {
        for _ in 0..3 {
            let RestingOrder { id, side, quantity, .. } = self.orders[at];
            let state = &self.issues[issue as usize];
            let Some(best) = state.ladder.best(opposite(side), state.reference) else { break };
            let other = state.ladder.oldest(best);
            let executed = quantity.min(self.orders[other].quantity);
            self.execute(issue, other, executed, Some(id), true);
            self.take_off(issue, at, executed);
            if executed == quantity {
                return;
            }
        }
        self.tick_clock();
        self.cancel(issue, at);
    }

    /// The day's orders expire, until no event is left to be made; where there are fewer orders than events, some shrink
    /// first.
    pub(crate) fn expire(&mut self) {
        for issue in 0..narrow(self.issues.len()) {
            self.gather(issue);
            for position in 0..self.scratch.len() {
                let at = self.scratch[position];
                self.shrink(issue, at);
                if self.out.left == 0 {
                    return;
                }
                self.tick_clock();
                self.cancel(issue, at);
            }
        }
    }

    fn shrink(&mut self, issue: u32, at: u32) {
        while self.orders.live() < self.out.left && 1 < self.orders[at].quantity {
            self.tick_clock();
            self.reduce(issue, at, self.orders[at].quantity / 2);
        }
    }
}
