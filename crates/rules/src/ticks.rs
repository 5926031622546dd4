//! Tick tables: which prices are valid, and how many steps lie between two.

use quoteclock_model::{Price, Ticks};
use thiserror::Error;

/// The valid prices of an issue: bands of prices, each with its tick. Valid are the multiples of the band's tick.
///
/// Clause: `ST1/spread-ticks`, `QC/ticks_across_bands`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TickTable {
    /// Ascending; the last one has no upper limit.
    bands: Vec<Band>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Band {
    /// The band holds prices above this one, in ten-thousandths; it is a valid price itself (or zero).
    above: u64,
    /// The last price of the band, in ten-thousandths; `u64::MAX` for the last band.
    up_to: u64,
    /// The tick, in ten-thousandths.
    tick: u64,
    /// How many valid prices lie above zero up to and including `above`.
    count_below: u64,
}

/// Why bands make no tick table.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum TickTableError {
    /// There is no band.
    #[error("a tick table needs at least one band, the last one \"above\"")]
    Empty,
    /// A tick of zero.
    #[error("band {band}: a tick is above 0")]
    TickZero {
        /// The band, counted from 1.
        band: usize,
    },
    /// A tick above the highest price.
    #[error("band {band}: a tick is at most 1000000000")]
    TickTooLarge {
        /// The band, counted from 1.
        band: usize,
    },
    /// Limits do not rise.
    #[error("band {band}: its limit is not above the limit of the band before it")]
    NotAscending {
        /// The band, counted from 1.
        band: usize,
    },
    /// A limit is no valid price of its own band.
    #[error("band {band}: its limit is not a multiple of its own tick")]
    LimitOffOwnGrid {
        /// The band, counted from 1.
        band: usize,
    },
    /// A limit is no valid price of the next band's grid.
    #[error("band {band}: its limit is not a multiple of the next band's tick")]
    LimitOffNextGrid {
        /// The band, counted from 1.
        band: usize,
    },
}

impl TickTable {
    /// A table of `bands`, each its upper limit (inclusive) and tick, and the tick of `above` all limits; in
    /// ten-thousandths of a currency unit.
    ///
    /// # Errors
    /// [`TickTableError`] if ticks are zero or above [`Price::MAX`], limits do not rise, or a limit is not a multiple of its own tick and of the
    /// next band's.
    pub fn new(limited: &[(u64, u64)], above: u64) -> Result<TickTable, TickTableError> {
        let mut bands = Vec::with_capacity(limited.len() + 1);
        let (mut lower, mut count_below) = (0, 0);
        let ticks_after = limited.iter().skip(1).map(|&(_, tick)| tick).chain([above]);
        for (position, (&(up_to, tick), tick_next)) in limited.iter().zip(ticks_after).enumerate() {
            let band = position + 1;
            if tick == 0 {
                return Err(TickTableError::TickZero { band });
            }
            if Price::from_ten_thousandths(tick).is_none() {
                return Err(TickTableError::TickTooLarge { band });
            }
            if up_to <= lower {
                return Err(TickTableError::NotAscending { band });
            }
            if up_to % tick != 0 {
                return Err(TickTableError::LimitOffOwnGrid { band });
            }
            if tick_next != 0 && up_to % tick_next != 0 {
                return Err(TickTableError::LimitOffNextGrid { band });
            }
            bands.push(Band { above: lower, up_to, tick, count_below });
            count_below += (up_to - lower) / tick;
            lower = up_to;
        }
        if above == 0 {
            return Err(TickTableError::TickZero { band: limited.len() + 1 });
        }
        if Price::from_ten_thousandths(above).is_none() {
            return Err(TickTableError::TickTooLarge { band: limited.len() + 1 });
        }
        bands.push(Band { above: lower, up_to: u64::MAX, tick: above, count_below });
        Ok(TickTable { bands })
    }

    /// Where the tick changes: each price above which another one holds, with that tick; in ten-thousandths.
    pub(crate) fn steps(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let before = std::iter::once(None).chain(self.bands.iter().map(|band| Some(band.tick)));
        let changes = self.bands.iter().zip(before).filter(|(band, before)| Some(band.tick) != *before);
        changes.map(|(band, _)| (band.above, band.tick))
    }

    /// How many ticks lie from `bid` up to `offer`, one valid price after another, through band boundaries. A bid off
    /// the grid counts from the valid price below it, an offer to the one above it. Zero if the offer is not above the
    /// bid.
    pub fn ticks_between(&self, bid: Price, offer: Price) -> Ticks {
        let of_bid = self.band(bid);
        // Mostly the two prices are of one band.
        let of_offer = if of_bid.holds(offer) { of_bid } else { self.band(offer) };
        Ticks(of_offer.count_to_at_or_above(offer).saturating_sub(of_bid.count_up_to(bid)))
    }

    /// The tick of the band that holds `price`.
    ///
    /// # Panics
    /// Never: a table is only made of ticks that are prices.
    pub fn tick_at(&self, price: Price) -> Price {
        Price::from_ten_thousandths(self.band(price).tick).expect("a tick is above zero and a price or less")
    }

    fn band(&self, price: Price) -> &Band {
        let position = self.bands.partition_point(|band| band.up_to < price.ten_thousandths());
        &self.bands[position]
    }
}

impl Band {
    fn holds(&self, price: Price) -> bool {
        self.above < price.ten_thousandths() && price.ten_thousandths() <= self.up_to
    }

    /// Number of valid prices from above zero up to and including `price`, which the band holds.
    fn count_up_to(&self, price: Price) -> u64 {
        self.count_below + (price.ten_thousandths() - self.above) / self.tick
    }

    /// Number of valid prices from above zero up to the first one at or above `price`, which the band holds.
    fn count_to_at_or_above(&self, price: Price) -> u64 {
        self.count_below + (price.ten_thousandths() - self.above).div_ceil(self.tick)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(text: &str) -> Price {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let units: u64 = format!("{whole}{part:0<4}").parse().unwrap();
        Price::from_ten_thousandths(units).unwrap()
    }

    /// Up to 3,000: 1; up to 5,000: 5; above: 10.
    fn table() -> TickTable {
        TickTable::new(&[(30_000_000, 10_000), (50_000_000, 50_000)], 100_000).unwrap()
    }

    #[test]
    fn ticks_count_valid_prices_through_band_boundaries() {
        for (bid, offer, ticks) in [
            ("102", "104", 2),
            ("2999", "3000", 1),
            ("3000", "3005", 1),
            ("2999", "3005", 2),
            ("2998", "3010", 4),
            ("4995", "5010", 2),
            ("2999", "5010", 402),
            ("104", "102", 0),
            ("104", "104", 0),
        ] {
            assert_eq!(table().ticks_between(price(bid), price(offer)), Ticks(ticks), "{bid} to {offer}");
        }
    }

    #[test]
    fn off_the_grid_a_bid_counts_from_below_and_an_offer_to_above() {
        for (bid, offer, ticks) in [
            ("102.5", "104", 2),
            ("102", "103.5", 2),
            ("102.5", "103.5", 2),
            ("0.5", "1", 1),
            ("3000.1", "3005", 1),
            ("3000", "3000.1", 1),
            ("3001", "3004", 1),
            ("102.5", "102.6", 1),
        ] {
            assert_eq!(table().ticks_between(price(bid), price(offer)), Ticks(ticks), "{bid} to {offer}");
        }
    }

    #[test]
    fn a_limit_belongs_to_the_band_below_it() {
        assert_eq!(table().tick_at(price("3000")), price("1"));
        assert_eq!(table().tick_at(price("3000.0001")), price("5"));
        assert_eq!(table().tick_at(Price::MAX), price("10"));
    }

    #[test]
    fn tables_that_do_not_join_are_refused() {
        assert_eq!(TickTable::new(&[], 0), Err(TickTableError::TickZero { band: 1 }));
        assert_eq!(TickTable::new(&[(10, 0)], 1), Err(TickTableError::TickZero { band: 1 }));
        let most = Price::MAX.ten_thousandths();
        assert!(TickTable::new(&[(most, most)], most).is_ok());
        assert_eq!(TickTable::new(&[], most + 1), Err(TickTableError::TickTooLarge { band: 1 }));
        assert_eq!(TickTable::new(&[(most + 1, most + 1)], 1), Err(TickTableError::TickTooLarge { band: 1 }));
        assert_eq!(TickTable::new(&[(10, 1), (10, 1)], 1), Err(TickTableError::NotAscending { band: 2 }));
        assert_eq!(TickTable::new(&[(10, 3)], 1), Err(TickTableError::LimitOffOwnGrid { band: 1 }));
        assert_eq!(TickTable::new(&[(10, 5)], 3), Err(TickTableError::LimitOffNextGrid { band: 1 }));
    }
}
