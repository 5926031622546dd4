//! Prices, quantities and amounts, exact.
//!
//! A price and an amount are counted in ten-thousandths of a currency unit, the finest price step that any input may
//! carry (four decimal places). That is a storage unit, not the issue's tick, which varies with the price.

use std::fmt;
use std::num::{NonZeroU32, NonZeroU64};

/// How many storage units make one currency unit.
const SCALE: u64 = 10_000;

/// A price in ten-thousandths of a currency unit (1 = 0.0001), exactly as traded. Always above zero.
///
/// ```
/// use quoteclock_model::{Price, Shares};
///
/// let price = Price::from_ten_thousandths(23_455_000).expect("above zero");
/// assert_eq!((price.to_string(), price.amount(Shares(100)).to_string()), ("2345.5".to_owned(), "234550".to_owned()));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Price(NonZeroU64);

impl Price {
    /// The highest price that any input may carry: 1,000,000,000 currency units.
    pub const MAX: Price = Price(NonZeroU64::new(1_000_000_000 * SCALE).expect("the constant is not zero"));

    /// The price of `units` ten-thousandths of a currency unit; `None` for zero and above [`Price::MAX`].
    pub const fn from_ten_thousandths(units: u64) -> Option<Price> {
        match NonZeroU64::new(units) {
            Some(price) if units <= Price::MAX.0.get() => Some(Price(price)),
            _ => None,
        }
    }

    /// The price in ten-thousandths of a currency unit.
    pub const fn ten_thousandths(self) -> u64 {
        self.0.get()
    }

    /// The price in ten-thousandths, if 32 bits hold it, as they do up to 429,496.7295 currency units.
    #[inline]
    pub fn in_32_bits(self) -> Option<NonZeroU32> {
        u32::try_from(self.0.get()).ok().and_then(NonZeroU32::new)
    }

    /// Value of `shares` at this price. Exact: the largest price times the largest total fits.
    ///
    /// Clause: `ST1/minimum-value`.
    pub const fn amount(self, shares: Shares) -> Amount {
        Amount(self.0.get() as u128 * shares.0 as u128)
    }
}

/// Prints in currency units without needless zeros: `2345.5`.
impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&decimal(u128::from(self.0.get())))
    }
}

/// A number of shares. Zero is legal: it is what remains when all is gone.
///
/// ```
/// use quoteclock_model::Shares;
///
/// assert!(Shares(100) < Shares::MAX_PER_RECORD);
/// assert_eq!(Shares(100).to_string(), "100");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Shares(pub u64);

impl Shares {
    /// The largest quantity that one record may carry.
    pub const MAX_PER_RECORD: Shares = Shares(1_000_000_000_000);

    /// The number, if 32 bits hold it and it is not zero.
    #[inline]
    pub fn in_32_bits(self) -> Option<NonZeroU32> {
        u32::try_from(self.0).ok().and_then(NonZeroU32::new)
    }
}

impl fmt::Display for Shares {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A value in ten-thousandths of a currency unit: price times shares, summed without rounding.
///
/// ```
/// use quoteclock_model::Amount;
///
/// let value = Amount(282_000_000_000) + Amount(18_000_000_000);
/// assert_eq!(value.to_string(), "30000000");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Amount(pub u128);

impl std::ops::Add for Amount {
    type Output = Amount;
    fn add(self, other: Amount) -> Amount {
        Amount(self.0 + other.0)
    }
}

impl std::ops::AddAssign for Amount {
    fn add_assign(&mut self, other: Amount) {
        self.0 += other.0;
    }
}

impl std::ops::SubAssign for Amount {
    fn sub_assign(&mut self, other: Amount) {
        self.0 -= other.0;
    }
}

/// Prints in currency units without needless zeros: `30000000`.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&decimal(self.0))
    }
}

/// A spread limit in ten-thousandths of a basis point, so that `25.5 bps` is exact (255,000).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Bps(pub u64);

/// Prints in basis points without needless zeros: `25.5`.
impl fmt::Display for Bps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&decimal(u128::from(self.0)))
    }
}

/// A number of ticks: steps from one valid price to the next.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Ticks(pub u64);

impl fmt::Display for Ticks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// `units` ten-thousandths as decimal text without trailing zeros.
fn decimal(units: u128) -> String {
    let (whole, part) = (units / u128::from(SCALE), units % u128::from(SCALE));
    if part == 0 {
        return whole.to_string();
    }
    format!("{whole}.{part:04}").trim_end_matches('0').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_above_zero_and_at_most_a_billion() {
        assert_eq!(Price::from_ten_thousandths(0), None);
        assert!(Price::from_ten_thousandths(1).is_some());
        assert_eq!(Price::from_ten_thousandths(10_000_000_000_000), Some(Price::MAX));
        assert_eq!(Price::from_ten_thousandths(10_000_000_000_001), None);
    }

    #[test]
    fn numbers_of_32_bits_end_where_those_do() {
        let price = |units| Price::from_ten_thousandths(units).expect("legal").in_32_bits().map(NonZeroU32::get);
        assert_eq!([price(1), price(u64::from(u32::MAX))], [Some(1), Some(u32::MAX)]);
        assert_eq!(price(u64::from(u32::MAX) + 1), None);
        let shares = |shares| Shares(shares).in_32_bits().map(NonZeroU32::get);
        assert_eq!([shares(0), shares(1), shares(u64::from(u32::MAX))], [None, Some(1), Some(u32::MAX)]);
        assert_eq!(shares(u64::from(u32::MAX) + 1), None);
    }

    #[test]
    fn an_absent_price_costs_no_space() {
        assert_eq!(size_of::<Option<Price>>(), 8);
    }

    #[test]
    fn the_largest_amount_fits() {
        assert_eq!(Price::MAX.amount(Shares(u64::MAX)).0, 10_000_000_000_000 * u128::from(u64::MAX));
    }

    #[test]
    fn units_print_without_needless_zeros() {
        assert_eq!(Price::from_ten_thousandths(23_455_000).expect("legal").to_string(), "2345.5");
        assert_eq!(Amount(300_000_000_000).to_string(), "30000000");
        assert_eq!(Bps(255_000).to_string(), "25.5");
        assert_eq!(Bps(1).to_string(), "0.0001");
    }
}
