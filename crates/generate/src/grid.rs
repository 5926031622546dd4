//! Valid prices, counted: the number of a price is how many valid prices there are up to it.
//!
//! The simulation moves in these numbers, one tick at a time and through band boundaries without noticing; prices appear
//! only where events are written. The tables are those of the exchange; a test holds them against the rules.

use quoteclock_model::Price;

/// A tick table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Grid {
    pub(crate) name: &'static str,
    /// Upper limit and tick of each band but the last, in tenths of a yen.
    limited: &'static [(u64, u64)],
    /// The tick above, in ten-thousandths.
    above: u64,
}

/// Ten-thousandths in a tenth.
const TENTH: u64 = 1_000;

/// Bands beyond these are never reached by the prices that are made.
pub(crate) const TABLE_01: Grid = Grid {
    name: "01",
    limited: &[(30_000, 10), (50_000, 50), (300_000, 100), (500_000, 500), (3_000_000, 1_000)],
    above: 5_000 * TENTH,
};
pub(crate) const TABLE_03: Grid = Grid {
    name: "03",
    limited: &[(10_000, 1), (30_000, 5), (100_000, 10), (300_000, 50), (1_000_000, 100)],
    above: 500 * TENTH,
};
pub(crate) const TABLE_04: Grid =
    Grid { name: "04", limited: &[(100_000, 10), (300_000, 50), (1_000_000, 100)], above: 500 * TENTH };
pub(crate) const CENT: Grid = Grid { name: "cent", limited: &[], above: 100 };

impl Grid {
    /// The valid price with this number.
    #[inline]
    pub(crate) fn price(&self, number: u32) -> Price {
        Price::from_ten_thousandths(self.units(number)).expect("prices are numbered from 1 and stay small")
    }

    /// The valid price with this number, in ten-thousandths.
    #[inline]
    pub(crate) fn units(&self, number: u32) -> u64 {
        let (mut lower, mut left) = (0, u64::from(number));
        for &(limit, tick) in self.limited {
            let (limit, tick) = (limit * TENTH, tick * TENTH);
            // Most prices lie in the first bands: those that are passed cost a division, the last one none.
            if left * tick <= limit - lower {
                return lower + left * tick;
            }
            left -= (limit - lower) / tick;
            lower = limit;
        }
        lower + left * self.above
    }

    /// The number of the last valid price up to `units` ten-thousandths.
    pub(crate) fn number(&self, units: u64) -> u32 {
        let (mut lower, mut count) = (0, 0);
        for &(limit, tick) in self.limited {
            let (limit, tick) = (limit * TENTH, tick * TENTH);
            if units <= limit {
                return narrow(count + (units - lower) / tick);
            }
            count += (limit - lower) / tick;
            lower = limit;
        }
        narrow(count + (units - lower) / self.above)
    }

    /// The step from the price with this number to the next, in ten-thousandths.
    pub(crate) fn step(&self, number: u32) -> u64 {
        self.units(number + 1) - self.units(number)
    }

    /// The limits between bands, in ten-thousandths.
    pub(crate) fn boundaries(&self) -> impl Iterator<Item = u64> + use<> {
        self.limited.iter().map(|&(limit, _)| limit * TENTH)
    }
}

fn narrow(number: u64) -> u32 {
    u32::try_from(number).expect("prices that are made have small numbers")
}

#[cfg(test)]
mod tests {
    use super::*;
    use quoteclock_rules::Scheme;

    #[test]
    fn the_tables_are_those_of_the_built_in_scheme() {
        let scheme = Scheme::built_in();
        for grid in [TABLE_01, TABLE_03, TABLE_04] {
            let table = &scheme.tick_tables()[grid.name];
            for boundary in grid.boundaries().filter(|&boundary| boundary <= 100_000 * 10_000) {
                let number = grid.number(boundary);
                assert_eq!(grid.units(number), boundary);
                for number in [number - 1, number] {
                    let (low, high) = (grid.price(number), grid.price(number + 1));
                    assert_eq!(table.ticks_between(low, high).0, 1, "{} {low} {high}", grid.name);
                    assert_eq!(table.tick_at(high).ten_thousandths(), grid.step(number), "{} {high}", grid.name);
                }
            }
        }
    }

    #[test]
    fn numbers_and_prices_are_inverse() {
        for grid in [TABLE_01, TABLE_03, TABLE_04, CENT] {
            for number in (1..60_000).step_by(7) {
                assert_eq!(grid.number(grid.units(number)), number);
            }
        }
    }
}
