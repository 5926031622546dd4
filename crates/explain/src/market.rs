//! The market's quotes of the issue by price, followed from event to event: an explanation shows the best of them at every
//! change, and looking through the book each time would take as long as the book is.

use quoteclock_book::Order;
use quoteclock_model::{Price, Shares, Side};
use std::collections::BTreeMap;

/// Shares at each price, bids and offers; none is empty.
#[derive(Debug, Default)]
pub(crate) struct Market([BTreeMap<Price, u128>; 2]);

impl Market {
    /// An order that was live is no longer as it was.
    pub(crate) fn take(&mut self, order: &Order) {
        let Some(price) = order.quote_price() else { return };
        let levels = &mut self.0[order.side as usize];
        if let Some(shares) = levels.get_mut(&price) {
            *shares -= u128::from(order.quantity.0);
            if *shares == 0 {
                levels.remove(&price);
            }
        }
    }

    /// An order is live.
    pub(crate) fn add(&mut self, order: &Order) {
        if let Some(price) = order.quote_price() {
            *self.0[order.side as usize].entry(price).or_default() += u128::from(order.quantity.0);
        }
    }

    /// The book is emptied.
    pub(crate) fn clear(&mut self) {
        *self = Market::default();
    }

    /// The best price of each side, and what is quoted there.
    pub(crate) fn best(&self) -> [Option<(Price, Shares)>; 2] {
        Side::BOTH.map(|side| {
            let levels = &self.0[side as usize];
            let best = match side {
                Side::Bid => levels.last_key_value(),
                Side::Offer => levels.first_key_value(),
            };
            best.map(|(&price, &shares)| (price, Shares(u64::try_from(shares).unwrap_or(u64::MAX))))
        })
    }
}
