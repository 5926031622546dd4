//! One market maker's own quotes in one issue, and where they reach a minimum.

use crate::Levels;
use quoteclock_model::{Amount, Price, Shares, Side, SideFault};
use quoteclock_rules::Limits;

/// The resting quotes of one market maker, over all of its virtual servers.
///
/// Clause: `ST1/virtual-server-measuring`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OwnQuotes {
    bids: OwnSide,
    offers: OwnSide,
}

/// Levels of one side and their totals, so that a side that is too small is known without a walk.
#[derive(Clone, PartialEq, Eq, Debug)]
struct OwnSide {
    levels: Levels,
    value: Amount,
}

impl Default for OwnQuotes {
    fn default() -> Self {
        let side = |side| OwnSide { levels: Levels::new(side), value: Amount::default() };
        OwnQuotes { bids: side(Side::Bid), offers: side(Side::Offer) }
    }
}

impl OwnQuotes {
    /// The levels of `side`.
    pub fn levels(&self, side: Side) -> &Levels {
        &self.side(side).levels
    }

    /// The obligation price of `side`: going from the best price outward, whole levels at a time, the price at which
    /// the minima of `limits` are reached.
    ///
    /// Clause: `ST1/minimum-value`.
    ///
    /// # Errors
    /// What is wrong with the side, if they are not reached.
    pub fn obligation_price(&self, side: Side, limits: &Limits) -> Result<Price, SideFault> {
        self.side(side).obligation_price(limits)
    }

    /// Adds `shares` at `price`. A level here is never larger than the market's, which has been checked to fit.
    pub(crate) fn add(&mut self, side: Side, price: Price, shares: Shares) {
        let own = self.side_mut(side);
        own.levels.add(price, shares).expect("a market maker's level is part of the market's");
        own.value += price.amount(shares);
    }

    /// Takes `shares` off at `price`.
    pub(crate) fn take(&mut self, side: Side, price: Price, shares: Shares) {
        let own = self.side_mut(side);
        own.levels.take(price, shares);
        own.value -= price.amount(shares);
    }

    /// Drops all quotes.
    pub fn clear(&mut self) {
        for side in Side::BOTH {
            let own = self.side_mut(side);
            own.levels.clear();
            own.value = Amount::default();
        }
    }

    fn side(&self, side: Side) -> &OwnSide {
        match side {
            Side::Bid => &self.bids,
            Side::Offer => &self.offers,
        }
    }

    fn side_mut(&mut self, side: Side) -> &mut OwnSide {
        match side {
            Side::Bid => &mut self.bids,
            Side::Offer => &mut self.offers,
        }
    }
}

impl OwnSide {
    fn obligation_price(&self, limits: &Limits) -> Result<Price, SideFault> {
        if self.levels.is_empty() {
            return Err(SideFault::NoQuote);
        }
        // Most sides that are too small are so in value: the total tells it without a walk.
        if limits.value_min.is_some_and(|min| self.value < min) {
            return Err(SideFault::Size);
        }
        let (mut value, mut quantity) = (Amount::default(), 0_u64);
        for (price, shares) in self.levels.iter() {
            value += price.amount(shares);
            // Beyond 64 bits every minimum is reached; each level by itself fits.
            quantity = quantity.saturating_add(shares.0);
            if limits.size_fulfils(value, Shares(quantity)) {
                return Ok(price);
            }
        }
        Err(SideFault::Size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quoteclock_model::{Bps, Ticks};
    use quoteclock_rules::TickTable;
    use std::sync::Arc;

    fn yen(price: u64) -> Price {
        Price::from_ten_thousandths(price * 10_000).unwrap()
    }

    fn limits(value_min: Option<u128>, quantity_min: Option<u64>) -> Limits {
        Limits {
            spread_bps_max: Some(Bps(200_000)),
            spread_ticks_max: Some(Ticks(2)),
            value_min: value_min.map(|yen| Amount(yen * 10_000)),
            quantity_min: quantity_min.map(Shares),
            tick_table: Arc::new(TickTable::new(&[], 10_000).unwrap()),
        }
    }

    fn quotes(levels: &[(Side, u64, u64)]) -> OwnQuotes {
        let mut own = OwnQuotes::default();
        for &(side, price, shares) in levels {
            own.add(side, yen(price), Shares(shares));
        }
        own
    }

    #[test]
    fn the_quote_display_sample_reaches_its_minimum_at_104_and_102() {
        // clause: ST1/minimum-value
        let own = quotes(&[(Side::Offer, 103, 100_000), (Side::Offer, 104, 200_000), (Side::Bid, 102, 350_000)]);
        let type_a = limits(Some(30_000_000), None);
        assert_eq!(own.obligation_price(Side::Offer, &type_a), Ok(yen(104)));
        assert_eq!(own.obligation_price(Side::Bid, &type_a), Ok(yen(102)));
    }

    #[test]
    fn the_minimum_value_is_reached_at_it_and_not_one_share_below() {
        // clause: ST1/minimum-value
        let reach =
            |shares| quotes(&[(Side::Bid, 100, shares)]).obligation_price(Side::Bid, &limits(Some(30_000_000), None));
        assert_eq!(reach(300_000), Ok(yen(100)));
        assert_eq!(reach(299_999), Err(SideFault::Size));
    }

    #[test]
    fn with_both_minima_the_later_one_decides() {
        let own = quotes(&[(Side::Bid, 100, 10), (Side::Bid, 99, 10), (Side::Bid, 98, 10)]);
        assert_eq!(own.obligation_price(Side::Bid, &limits(Some(1_000), Some(20))), Ok(yen(99)));
        assert_eq!(own.obligation_price(Side::Bid, &limits(Some(2_900), Some(10))), Ok(yen(98)));
        assert_eq!(own.obligation_price(Side::Bid, &limits(None, Some(31))), Err(SideFault::Size));
    }

    #[test]
    fn no_quote_is_another_fault_than_too_little() {
        assert_eq!(quotes(&[]).obligation_price(Side::Offer, &limits(Some(1), None)), Err(SideFault::NoQuote));
    }
}
