//! The quantities at each price of one side.
//!
//! Almost every change is close to the best price, and a side has tens of levels: a sorted array with the best price last
//! is searched from there, and moves a few bytes. A side of very many levels becomes a B-tree, so that the worst input
//! costs a logarithm and not a scan.

use quoteclock_model::{Price, Shares, Side};
use std::collections::BTreeMap;

/// Price levels of one side.
#[derive(Clone, Debug)]
pub struct Levels {
    side: Side,
    form: Form,
}

/// Quantities by key, of which the largest is that of the best price. No level is empty.
#[derive(Clone, Debug)]
enum Form {
    /// Ascending.
    Few(Vec<(u64, u64)>),
    Many(BTreeMap<u64, u64>),
}

/// More levels than this are kept in a tree, until the side is empty again.
const FEW_MAX: usize = 1024;

/// Levels that are looked at one by one from the best price, before the rest is searched by halves.
const NEAR: usize = 8;

impl Levels {
    /// No levels.
    pub fn new(side: Side) -> Levels {
        Levels { side, form: Form::Few(Vec::new()) }
    }

    /// The side.
    pub fn side(&self) -> Side {
        self.side
    }

    /// The levels from the best price outward.
    pub fn iter(&self) -> impl Iterator<Item = (Price, Shares)> + '_ {
        let (few, many) = match &self.form {
            Form::Few(levels) => (Some(levels.iter().rev().copied()), None),
            Form::Many(levels) => (None, Some(levels.iter().rev().map(|(&key, &quantity)| (key, quantity)))),
        };
        let levels = few.into_iter().flatten().chain(many.into_iter().flatten());
        levels.map(|(key, quantity)| (self.price(key), Shares(quantity)))
    }

    /// The best price.
    #[inline]
    pub fn best(&self) -> Option<Price> {
        let key = match &self.form {
            Form::Few(levels) => levels.last().map(|&(key, _)| key),
            Form::Many(levels) => levels.last_key_value().map(|(&key, _)| key),
        };
        key.map(|key| self.price(key))
    }

    /// The quantity at `price`; zero where there is no level.
    pub fn at(&self, price: Price) -> Shares {
        let key = self.key(price);
        let quantity = match &self.form {
            Form::Few(levels) => search(levels, key).ok().map(|position| levels[position].1),
            Form::Many(levels) => levels.get(&key).copied(),
        };
        Shares(quantity.unwrap_or(0))
    }

    /// Number of levels.
    pub fn len(&self) -> usize {
        match &self.form {
            Form::Few(levels) => levels.len(),
            Form::Many(levels) => levels.len(),
        }
    }

    /// Whether there is no level.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The first level at which `enough` says so of it, going from the best price outward.
    #[inline]
    pub(crate) fn walk(&self, mut enough: impl FnMut(Price, Shares) -> bool) -> Option<Price> {
        match &self.form {
            Form::Few(levels) => {
                let level = levels.iter().rev().find(|&&(key, quantity)| enough(self.price(key), Shares(quantity)));
                level.map(|&(key, _)| self.price(key))
            }
            Form::Many(_) => self.iter().find(|&(price, shares)| enough(price, shares)).map(|(price, _)| price),
        }
    }

    /// Adds `shares` at `price`; `None`, and nothing changed, if the level's total would not fit 64 bits.
    #[must_use]
    #[inline]
    pub fn add(&mut self, price: Price, shares: Shares) -> Option<()> {
        let key = self.key(price);
        match &mut self.form {
            Form::Few(levels) => match search(levels, key) {
                Ok(position) => {
                    let quantity = &mut levels[position].1;
                    *quantity = quantity.checked_add(shares.0)?;
                }
                Err(_) if levels.len() == FEW_MAX => {
                    let mut many: BTreeMap<u64, u64> = levels.iter().copied().collect();
                    many.insert(key, shares.0);
                    self.form = Form::Many(many);
                }
                Err(position) => levels.insert(position, (key, shares.0)),
            },
            Form::Many(levels) => {
                let quantity = levels.entry(key).or_insert(0);
                *quantity = quantity.checked_add(shares.0)?;
            }
        }
        Some(())
    }

    /// Takes `shares` off at `price`.
    ///
    /// # Panics
    /// If the level holds less: levels hold the sum of the live quotes.
    #[inline]
    pub fn take(&mut self, price: Price, shares: Shares) {
        let key = self.key(price);
        match &mut self.form {
            Form::Few(levels) => {
                let position = search(levels, key).expect("a live quote has a level");
                let quantity = &mut levels[position].1;
                *quantity = quantity.checked_sub(shares.0).expect("a level holds the sum of its quotes");
                if *quantity == 0 {
                    levels.remove(position);
                }
            }
            Form::Many(levels) => {
                let quantity = levels.get_mut(&key).expect("a live quote has a level");
                *quantity = quantity.checked_sub(shares.0).expect("a level holds the sum of its quotes");
                if *quantity == 0 {
                    levels.remove(&key);
                    if levels.is_empty() {
                        self.clear();
                    }
                }
            }
        }
    }

    /// Drops all levels.
    pub fn clear(&mut self) {
        match &mut self.form {
            Form::Few(levels) => levels.clear(),
            Form::Many(_) => self.form = Form::Few(Vec::new()),
        }
    }

    /// Ascending keys run from the worst price to the best.
    #[inline]
    fn key(&self, price: Price) -> u64 {
        match self.side {
            Side::Bid => price.ten_thousandths(),
            Side::Offer => Price::MAX.ten_thousandths() - price.ten_thousandths(),
        }
    }

    #[inline]
    fn price(&self, key: u64) -> Price {
        let units = match self.side {
            Side::Bid => key,
            Side::Offer => Price::MAX.ten_thousandths() - key,
        };
        Price::from_ten_thousandths(units).expect("keys are made of prices")
    }
}

/// Two sides are the same if they hold the same, in whatever form.
impl PartialEq for Levels {
    fn eq(&self, other: &Levels) -> bool {
        self.side == other.side && self.iter().eq(other.iter())
    }
}

impl Eq for Levels {}

/// Where `key` is, or belongs.
#[inline]
fn search(levels: &[(u64, u64)], key: u64) -> Result<usize, usize> {
    let far = levels.len().saturating_sub(NEAR);
    for (position, &(found, _)) in levels.iter().enumerate().skip(far).rev() {
        if found <= key {
            return if found == key { Ok(position) } else { Err(position + 1) };
        }
    }
    levels[..far].binary_search_by_key(&key, |&(found, _)| found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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

    /// Adds and takes in an order that `steps` gives, beside a plain map, in either form.
    fn check_against_a_map(side: Side, steps: impl Iterator<Item = (u64, u64)>) -> Result<(), TestCaseError> {
        let mut levels = Levels::new(side);
        let mut map: BTreeMap<u64, u64> = BTreeMap::new();
        for (units, shares) in steps {
            match map.get(&units).copied() {
                Some(quantity) if shares % 2 == 0 => {
                    levels.take(price(units), Shares(quantity));
                    map.remove(&units);
                }
                _ => {
                    levels.add(price(units), Shares(shares + 1)).expect("small");
                    *map.entry(units).or_insert(0) += shares + 1;
                }
            }
        }
        let mut expected: Vec<_> = map.iter().map(|(&units, &shares)| (price(units), Shares(shares))).collect();
        if side == Side::Bid {
            expected.reverse();
        }
        prop_assert_eq!(levels.len(), expected.len());
        prop_assert_eq!(levels.best(), expected.first().map(|&(price, _)| price));
        prop_assert!(expected.iter().all(|&(price, shares)| levels.at(price) == shares));
        prop_assert_eq!(levels.iter().collect::<Vec<_>>(), expected.clone());
        for (price, shares) in expected {
            levels.take(price, shares);
        }
        prop_assert!(levels.is_empty());
        Ok(())
    }

    proptest! {
        #[test]
        fn few_levels_are_a_map(steps in proptest::collection::vec((1..40_u64, 0..9_u64), 0..200), bid: bool) {
            check_against_a_map(if bid { Side::Bid } else { Side::Offer }, steps.into_iter())?;
        }
    }

    #[test]
    fn many_levels_are_a_map_too() {
        for side in Side::BOTH {
            let scattered = (1..3 * FEW_MAX as u64).map(|n| (1 + n * 7919 % 5003, n % 5));
            check_against_a_map(side, scattered).unwrap();
        }
    }
}
