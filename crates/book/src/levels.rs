//! The quantities at each price of the market's book.
//!
//! No verdict ever asks for the market's best price, only people do. So levels are kept where a price is found at once
//! (open addressing, 16 bytes a level) and put in order when somebody looks. A level whose last share goes stays with
//! nothing in it until the table is made anew: quotes come back to the prices that they have left.

use crate::orders::LevelKey;
use foldhash::fast::RandomState;
use quoteclock_model::{Price, Shares, Side};
use std::hash::BuildHasher;

/// Levels of one side, from the best price outward; none is empty.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Levels(Vec<(Price, Shares)>);

impl Levels {
    /// The quotes of `side`, in whatever order; those at one price are added up.
    pub(crate) fn of(side: Side, quotes: impl Iterator<Item = (Price, Shares)>) -> Levels {
        let mut levels: Vec<(Price, Shares)> = quotes.collect();
        levels.sort_unstable();
        if side == Side::Bid {
            levels.reverse();
        }
        levels.dedup_by(|next, level| {
            let same = next.0 == level.0;
            if same {
                level.1.0 += next.1.0;
            }
            same
        });
        Levels(levels)
    }

    /// The levels from the best price outward.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (Price, Shares)> + '_ {
        self.0.iter().copied()
    }

    /// The best price.
    pub fn best(&self) -> Option<Price> {
        self.0.first().map(|&(price, _)| price)
    }

    /// Number of levels.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no level.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Quantities by price and side.
#[derive(Clone, Debug, Default)]
pub(crate) struct LevelTable {
    /// A power of two of them, or none.
    slots: Vec<Level>,
    /// How many have a key.
    used: usize,
    hasher: RandomState,
}

/// A quantity at a price; never used if the key is 0, which has no price.
#[derive(Clone, Copy, Debug)]
struct Level {
    key: LevelKey,
    quantity: u64,
}

const UNUSED: Level = Level { key: LevelKey(0), quantity: 0 };

impl LevelTable {
    const SLOTS_MIN: usize = 16;

    /// Adds `shares`; `None`, and nothing changed, if the level's total would not fit 64 bits.
    #[must_use]
    #[inline(always)]
    pub(crate) fn add(&mut self, key: LevelKey, shares: Shares) -> Option<()> {
        if self.slots.len() < (self.used + 1) * 2 {
            self.rebuild();
        }
        let position = self.position(key);
        let level = &mut self.slots[position];
        level.quantity = level.quantity.checked_add(shares.0)?;
        self.used += usize::from(level.key != key);
        level.key = key;
        Some(())
    }

    /// Takes `shares` off.
    ///
    /// # Panics
    /// If the level holds less: levels hold the sum of the live quotes.
    #[inline(always)]
    pub(crate) fn take(&mut self, key: LevelKey, shares: Shares) {
        let position = self.position(key);
        let quantity = &mut self.slots[position].quantity;
        *quantity = quantity.checked_sub(shares.0).expect("a level holds the sum of its quotes");
    }

    /// The levels of `side`, put in order.
    pub(crate) fn sorted(&self, side: Side) -> Levels {
        let live = self.slots.iter().filter(|level| level.quantity != 0 && level.key.side() == side);
        Levels::of(side, live.filter_map(|level| Some((level.key.price()?, Shares(level.quantity)))))
    }

    /// The level of the best price of `side`.
    pub(crate) fn best(&self, side: Side) -> Option<(Price, Shares)> {
        let live = self.slots.iter().filter(|level| level.quantity != 0 && level.key.side() == side);
        let levels = live.filter_map(|level| Some((level.key.price()?, Shares(level.quantity))));
        match side {
            Side::Bid => levels.max(),
            Side::Offer => levels.min(),
        }
    }

    /// Drops all levels.
    pub(crate) fn clear(&mut self) {
        self.slots.clear();
        self.used = 0;
    }

    /// Where the level is, or can be put.
    #[inline(always)]
    fn position(&self, key: LevelKey) -> usize {
        let mask = self.slots.len().wrapping_sub(1);
        #[allow(clippy::cast_possible_truncation, reason = "the low bits of a hash are as good as all of them")]
        let mut position = self.hasher.hash_one(key.0) as usize & mask;
        loop {
            let found = self.slots[position].key;
            if found == key || found == UNUSED.key {
                return position;
            }
            position = (position + 1) & mask;
        }
    }

    /// Makes the table anew without the levels that hold nothing, a quarter full at most: so many new prices pay for it.
    #[cold]
    fn rebuild(&mut self) {
        let live: Vec<Level> = self.slots.iter().filter(|level| level.quantity != 0).copied().collect();
        let count = ((live.len() + 1) * 4).next_power_of_two().max(Self::SLOTS_MIN);
        self.slots.clear();
        self.slots.resize(count, UNUSED);
        self.used = live.len();
        for level in live {
            let position = self.position(level.key);
            self.slots[position] = level;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::orders::Terms;
    use proptest::prelude::*;
    use quoteclock_model::Condition;
    use std::collections::BTreeMap;

    fn price(units: u64) -> Price {
        Price::from_ten_thousandths(units).unwrap()
    }

    fn key(side: Side, units: u64) -> LevelKey {
        Terms::new(side, Some(price(units)), Condition::None).level()
    }

    fn level(units: u64, shares: u64) -> (Price, Shares) {
        (price(units), Shares(shares))
    }

    #[test]
    fn levels_run_from_the_best_price_outward() {
        let mut table = LevelTable::default();
        for side in Side::BOTH {
            for units in [20, 10, 30] {
                table.add(key(side, units), Shares(units)).unwrap();
            }
        }
        for (side, expected) in [(Side::Bid, [30, 20, 10]), (Side::Offer, [10, 20, 30])] {
            assert_eq!(table.sorted(side).iter().collect::<Vec<_>>(), expected.map(|units| level(units, units)));
            assert_eq!(table.best(side), Some(level(expected[0], expected[0])));
        }
    }

    #[test]
    fn quotes_at_one_price_are_one_level() {
        let levels = Levels::of(Side::Bid, [level(5, 1), level(7, 2), level(5, 3)].into_iter());
        assert_eq!(levels.iter().collect::<Vec<_>>(), [level(7, 2), level(5, 4)]);
        assert_eq!((levels.best(), levels.len(), levels.is_empty()), (Some(price(7)), 2, false));
    }

    #[test]
    fn a_level_goes_when_its_last_share_goes() {
        let mut table = LevelTable::default();
        table.add(key(Side::Bid, 10), Shares(5)).unwrap();
        table.take(key(Side::Bid, 10), Shares(4));
        assert_eq!(table.best(Side::Bid), Some(level(10, 1)));
        table.take(key(Side::Bid, 10), Shares(1));
        assert_eq!((table.best(Side::Bid), table.sorted(Side::Bid).len()), (None, 0));
    }

    #[test]
    fn a_level_beyond_64_bits_is_refused_and_unchanged() {
        let mut table = LevelTable::default();
        table.add(key(Side::Offer, 10), Shares(u64::MAX)).unwrap();
        assert_eq!(table.add(key(Side::Offer, 10), Shares(1)), None);
        assert_eq!(table.best(Side::Offer), Some(level(10, u64::MAX)));
    }

    proptest! {
        #[test]
        fn the_table_is_a_map(steps in proptest::collection::vec((1..400_u64, any::<bool>(), 0..9_u64), 0..600)) {
            let mut table = LevelTable::default();
            let mut map: BTreeMap<(Side, u64), u64> = BTreeMap::new();
            for (units, bid, shares) in steps {
                let side = if bid { Side::Bid } else { Side::Offer };
                match map.get(&(side, units)).copied() {
                    Some(quantity) if shares % 2 == 0 => {
                        table.take(key(side, units), Shares(quantity));
                        map.remove(&(side, units));
                    }
                    _ => {
                        table.add(key(side, units), Shares(shares + 1)).expect("small");
                        *map.entry((side, units)).or_insert(0) += shares + 1;
                    }
                }
            }
            for side in Side::BOTH {
                let of_side = map.iter().filter(|((of, _), _)| *of == side);
                let expected = Levels::of(side, of_side.map(|(&(_, units), &shares)| level(units, shares)));
                prop_assert_eq!(table.best(side), expected.iter().next());
                prop_assert_eq!(table.sorted(side), expected);
            }
        }
    }
}
