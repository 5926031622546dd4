//! Quantities at each price, in order: made when somebody looks.
//!
//! No verdict asks for the market's prices, only people do. So a book keeps orders, and nothing for each price.

use quoteclock_model::{Price, Shares, Side};

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
                // Beyond 64 bits it is the largest number: more than any minimum, for people to look at.
                level.1.0 = level.1.0.saturating_add(next.1.0);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn level(units: u64, shares: u64) -> (Price, Shares) {
        (Price::from_ten_thousandths(units).unwrap(), Shares(shares))
    }

    #[test]
    fn quotes_at_one_price_are_one_level_and_levels_run_from_the_best_price_outward() {
        let quotes = [level(5, 1), level(7, 2), level(5, 3), level(6, 1)];
        for (side, expected) in [
            (Side::Bid, [level(7, 2), level(6, 1), level(5, 4)]),
            (Side::Offer, [level(5, 4), level(6, 1), level(7, 2)]),
        ] {
            let levels = Levels::of(side, quotes.into_iter());
            assert_eq!(levels.iter().collect::<Vec<_>>(), expected);
            assert_eq!((levels.best(), levels.len(), levels.is_empty()), (Some(expected[0].0), 3, false));
        }
    }

    #[test]
    fn a_level_beyond_64_bits_is_the_largest_number() {
        let levels = Levels::of(Side::Bid, [level(5, u64::MAX), level(5, 1)].into_iter());
        assert_eq!(levels.iter().collect::<Vec<_>>(), [level(5, u64::MAX)]);
    }
}
