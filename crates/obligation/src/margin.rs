//! How far an obligation is from not being fulfilled, so that most changes need no judgement.
//!
//! Take two prices around the obligation prices whose spread fulfils the limits as well. As long as the own quotes at or
//! inside each of them reach the minimum, the obligation prices are at or inside them too, and a spread only becomes
//! narrower inward: the obligation is fulfilled, wherever its obligation prices are by now. Two sums tell that, and a
//! change adds to them or takes from them without looking at any other quote. Only when a sum falls short is the rule
//! itself asked again, and new prices are chosen.

use quoteclock_book::{OwnQuotes, QuoteChange};
use quoteclock_model::{Price, Shares, Side};
use quoteclock_rules::{Limits, Spread};

/// What the own quotes are worth at or inside two prices at which they would still be close enough.
#[derive(Clone, Debug)]
pub(crate) struct Margin {
    bids: Inside,
    offers: Inside,
    value_min: u128,
    quantity_min: u64,
}

/// One side: what is quoted at an outermost price or better.
#[derive(Clone, Copy, Debug)]
struct Inside {
    value: u128,
    quantity: u128,
    /// In ten-thousandths; for no margin a price that no bid reaches, or no offer.
    outermost: u64,
}

impl Inside {
    const NO_BIDS: Inside = Inside { value: 0, quantity: 0, outermost: u64::MAX };
    const NO_OFFERS: Inside = Inside { value: 0, quantity: 0, outermost: 0 };

    #[inline]
    fn add(&mut self, price: Price, shares: Shares, holds: bool) {
        let shares = Shares(if holds { shares.0 } else { 0 });
        self.value += price.amount(shares).0;
        self.quantity += u128::from(shares.0);
    }

    #[inline]
    fn take(&mut self, price: Price, shares: Shares, holds: bool) {
        let shares = Shares(if holds { shares.0 } else { 0 });
        self.value -= price.amount(shares).0;
        self.quantity -= u128::from(shares.0);
    }
}

impl Margin {
    /// No margin yet, under `limits`.
    pub(crate) fn none(limits: &Limits) -> Margin {
        let value_min = limits.value_min.map_or(0, |min| min.0);
        // A side without quotes has no obligation price, whatever the minima.
        let quantity_min = limits.quantity_min.map_or(1, |min| min.0.max(1));
        Margin { bids: Inside::NO_BIDS, offers: Inside::NO_OFFERS, value_min, quantity_min }
    }

    /// Whether the obligation is certainly fulfilled. Where this says no, the rule has to be asked.
    #[inline]
    pub(crate) fn holds(&self) -> bool {
        let enough = |side: &Inside| self.value_min <= side.value && u128::from(self.quantity_min) <= side.quantity;
        enough(&self.bids) && enough(&self.offers)
    }

    /// Follows a change of the own quotes.
    #[inline]
    pub(crate) fn follow(&mut self, change: &QuoteChange) {
        match change.side {
            Side::Bid => {
                if let Some((price, shares)) = change.taken {
                    self.bids.take(price, shares, self.bids.outermost <= price.ten_thousandths());
                }
                if let Some((price, shares)) = change.added {
                    self.bids.add(price, shares, self.bids.outermost <= price.ten_thousandths());
                }
            }
            Side::Offer => {
                if let Some((price, shares)) = change.taken {
                    self.offers.take(price, shares, price.ten_thousandths() <= self.offers.outermost);
                }
                if let Some((price, shares)) = change.added {
                    self.offers.add(price, shares, price.ten_thousandths() <= self.offers.outermost);
                }
            }
        }
    }

    /// Chooses the prices anew, around obligation prices that fulfil.
    pub(crate) fn renew(&mut self, spread: Spread, own: &OwnQuotes, limits: &Limits) {
        let wide = limits.widened(spread);
        let inside = |side, outermost: Price| {
            let (value, quantity) = own.inside(side, outermost);
            Inside { value: value.0, quantity, outermost: outermost.ten_thousandths() }
        };
        self.bids = inside(Side::Bid, wide.bid);
        self.offers = inside(Side::Offer, wide.offer);
    }

    /// There is none: the obligation is not fulfilled, or its quotes are all gone.
    pub(crate) fn end(&mut self) {
        (self.bids, self.offers) = (Inside::NO_BIDS, Inside::NO_OFFERS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict;
    use proptest::prelude::*;
    use quoteclock_book::{Book, Holder};
    use quoteclock_model::{Amount, Bps, Condition, OrderAction, OrderId, ServerIndex, Ticks};
    use quoteclock_rules::TickTable;
    use std::sync::Arc;

    fn limits(bps: Option<u64>, ticks: Option<u64>, value: Option<u128>, quantity: Option<u64>) -> Limits {
        Limits {
            spread_bps_max: bps.map(Bps),
            spread_ticks_max: ticks.map(Ticks),
            value_min: value.map(Amount),
            quantity_min: quantity.map(Shares),
            tick_table: Arc::new(TickTable::new(&[(1_000, 10)], 50).unwrap()),
        }
    }

    fn any_limits() -> impl Strategy<Value = Limits> {
        let (bps, ticks) = (100_000..10_000_000_u64, 0..40_u64);
        (bps, ticks, 1..60_000_u128, 1..60_u64, 0..3_u8, 0..3_u8).prop_map(|(bps, ticks, value, quantity, spread, size)| {
            limits(
                (spread != 0).then_some(bps),
                (spread != 1).then_some(ticks),
                (size != 0).then_some(value),
                (size != 1).then_some(quantity),
            )
        })
    }

    fn apply(book: &mut Book, holder: Holder, action: &OrderAction, margin: &mut Margin) {
        book.apply(action, |_| Some(holder), |change| margin.follow(change)).unwrap();
    }

    proptest! {
        /// A margin that holds is never wrong; one just chosen holds.
        #[test]
        fn a_margin_that_holds_means_a_good_verdict(
            limits in any_limits(),
            steps in proptest::collection::vec((900..1100_u64, any::<bool>(), 1..30_u64, any::<bool>(), 0..8_u64), 1..200),
        ) {
            let mut book = Book::default();
            let holder = book.add_holder();
            let mut margin = Margin::none(&limits);
            let mut renewed = 0;
            for (units, bid, shares, follows, number) in steps {
                let (order, price) = (OrderId(number), Price::from_ten_thousandths(units));
                let side = if bid { Side::Bid } else { Side::Offer };
                let (server, quantity, condition) = (Some(ServerIndex(0)), Shares(shares), Condition::None);
                let action = match book.order(order) {
                    None => OrderAction::Add { order, server, side, price, quantity, condition },
                    Some(_) if follows => OrderAction::Replace { order, order_new: order, price, quantity: Some(quantity) },
                    Some(_) => OrderAction::Cancel { order },
                };
                apply(&mut book, holder, &action, &mut margin);
                let verdict = verdict(book.own(holder), &limits);
                prop_assert!(!margin.holds() || verdict.is_ok());
                if verdict.is_ok() && !margin.holds() {
                    let price = |side| book.own(holder).obligation_price(side, &limits).unwrap();
                    let spread = Spread { bid: price(Side::Bid), offer: price(Side::Offer) };
                    margin.renew(spread, book.own(holder), &limits);
                    prop_assert!(margin.holds());
                    renewed += 1;
                }
            }
            prop_assert!(renewed <= 200);
        }
    }
}
