//! The quantities at each price of one side, best price first.

use quoteclock_model::{Price, Shares, Side};
use std::collections::BTreeMap;

/// Price levels of one side.
///
/// A B-tree, so that the worst input costs a logarithm and not a scan.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Levels {
    side: Side,
    /// By [`Levels::key`]; no level is empty.
    quantities: BTreeMap<u64, u64>,
}

impl Levels {
    /// No levels.
    pub fn new(side: Side) -> Levels {
        Levels { side, quantities: BTreeMap::new() }
    }

    /// The side.
    pub fn side(&self) -> Side {
        self.side
    }

    /// The levels from the best price outward.
    pub fn iter(&self) -> impl Iterator<Item = (Price, Shares)> + '_ {
        self.quantities.iter().map(|(&key, &quantity)| (self.price(key), Shares(quantity)))
    }

    /// The best price.
    pub fn best(&self) -> Option<Price> {
        self.quantities.first_key_value().map(|(&key, _)| self.price(key))
    }

    /// The quantity at `price`; zero where there is no level.
    pub fn at(&self, price: Price) -> Shares {
        Shares(self.quantities.get(&self.key(price)).copied().unwrap_or(0))
    }

    /// Number of levels.
    pub fn len(&self) -> usize {
        self.quantities.len()
    }

    /// Whether there is no level.
    pub fn is_empty(&self) -> bool {
        self.quantities.is_empty()
    }

    /// Adds `shares` at `price`; `None`, and nothing changed, if the level's total would not fit 64 bits.
    #[must_use]
    pub fn add(&mut self, price: Price, shares: Shares) -> Option<()> {
        let key = self.key(price);
        let quantity = self.quantities.entry(key).or_insert(0);
        *quantity = quantity.checked_add(shares.0)?;
        Some(())
    }

    /// Takes `shares` off at `price`.
    ///
    /// # Panics
    /// If the level holds less: levels hold the sum of the live quotes.
    pub fn take(&mut self, price: Price, shares: Shares) {
        let key = self.key(price);
        let quantity = self.quantities.get_mut(&key).expect("a live quote has a level");
        *quantity = quantity.checked_sub(shares.0).expect("a level holds the sum of its quotes");
        if *quantity == 0 {
            self.quantities.remove(&key);
        }
    }

    /// Drops all levels.
    pub fn clear(&mut self) {
        self.quantities.clear();
    }

    /// Ascending keys run from the best price outward.
    fn key(&self, price: Price) -> u64 {
        match self.side {
            Side::Bid => Price::MAX.ten_thousandths() - price.ten_thousandths(),
            Side::Offer => price.ten_thousandths(),
        }
    }

    fn price(&self, key: u64) -> Price {
        let units = match self.side {
            Side::Bid => Price::MAX.ten_thousandths() - key,
            Side::Offer => key,
        };
        Price::from_ten_thousandths(units).expect("keys are made of prices")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(units: u64) -> Price {
        Price::from_ten_thousandths(units).unwrap()
    }

    #[test]
    fn levels_run_from_the_best_price_outward() {
        for (side, expected) in [(Side::Bid, [30, 20, 10]), (Side::Offer, [10, 20, 30])] {
            let mut levels = Levels::new(side);
            for units in [20, 10, 30] {
                levels.add(price(units), Shares(units)).unwrap();
            }
            assert_eq!(levels.iter().map(|(price, _)| price.ten_thousandths()).collect::<Vec<_>>(), expected);
            assert_eq!(levels.best(), Some(price(expected[0])));
        }
    }

    #[test]
    fn a_level_goes_when_its_last_share_goes() {
        let mut levels = Levels::new(Side::Bid);
        levels.add(price(10), Shares(5)).unwrap();
        levels.take(price(10), Shares(4));
        assert_eq!(levels.at(price(10)), Shares(1));
        levels.take(price(10), Shares(1));
        assert!(levels.is_empty());
    }

    #[test]
    fn a_level_beyond_64_bits_is_refused_and_unchanged() {
        let mut levels = Levels::new(Side::Bid);
        levels.add(price(10), Shares(u64::MAX)).unwrap();
        assert_eq!(levels.add(price(10), Shares(1)), None);
        assert_eq!(levels.at(price(10)), Shares(u64::MAX));
    }
}
