//! Decimal numbers as the files write them, exactly.

use quoteclock_sheets::Expected;
use std::fmt;
use std::iter::Sum;

/// A number from 0 with at most 10 decimals.
///
/// ```
/// use quoteclock_etf::Decimal;
///
/// let weight = Decimal::parse("59.9999")?;
/// assert!(weight < Decimal::whole(60));
/// assert_eq!(Decimal::parse("007.50")?.to_string(), "7.5");
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Decimal(u128);

impl Decimal {
    /// Decimals of a number.
    const PLACES: usize = 10;
    /// Units in one.
    pub(crate) const SCALE: u128 = 10_000_000_000;

    /// A whole number.
    pub const fn whole(number: u64) -> Decimal {
        // 64 bits times the scale are 98 bits.
        Decimal(number as u128 * Decimal::SCALE)
    }

    /// 1 to 18 digits, and optionally a point and 1 to 10 more.
    ///
    /// # Errors
    /// What was expected instead.
    pub fn parse(text: &str) -> Result<Decimal, Expected> {
        const EXPECTED: Expected = "expected a number: 1 to 18 digits, optionally a point and 1 to 10 more";
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        let digits =
            |text: &str, max| !text.is_empty() && text.len() <= max && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole, 18) || !digits(part, Decimal::PLACES) {
            return Err(EXPECTED);
        }
        let units = format!("{whole}{part:0<0$}", Decimal::PLACES);
        units.parse().map(Decimal).map_err(|_| EXPECTED)
    }

    /// The same above 0.
    ///
    /// # Errors
    /// What was expected instead.
    pub fn parse_above_zero(text: &str) -> Result<Decimal, Expected> {
        Decimal::parse(text)
            .ok()
            .filter(|&number| Decimal::default() < number)
            .ok_or("expected a number above 0: 1 to 18 digits, optionally a point and 1 to 10 more")
    }

    /// The number in units of 10^-10.
    pub(crate) const fn units(self) -> u128 {
        self.0
    }

    /// This many times the number.
    pub(crate) fn times(self, count: usize) -> Decimal {
        // A usize has 64 bits at most.
        Decimal(self.0 * count as u128)
    }

    /// The mean of `count` numbers of this sum, rounded down; `None` of none.
    pub(crate) fn mean(self, count: usize) -> Option<Hundredths> {
        let hundredth = Decimal::SCALE / 100;
        self.0.checked_div(count as u128 * hundredth).map(Hundredths)
    }
}

/// Sums of what a file holds cannot overflow: a number is below 10^28, and 10^10 of them would not fit any memory.
impl Sum for Decimal {
    fn sum<I: Iterator<Item = Decimal>>(numbers: I) -> Decimal {
        Decimal(numbers.map(|number| number.0).sum())
    }
}

/// Without trailing zeros.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / Decimal::SCALE, self.0 % Decimal::SCALE);
        if part == 0 {
            return f.pad(&whole.to_string());
        }
        let text = format!("{whole}.{part:0>0$}", Decimal::PLACES);
        f.pad(text.trim_end_matches('0'))
    }
}

/// An amount of hundredths, as rounded down for people: `500000000.00`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Hundredths(u128);

impl Hundredths {
    /// How many hundredths.
    pub(crate) const fn count(self) -> u128 {
        self.0
    }
}

/// With two decimals.
impl fmt::Display for Hundredths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}.{:02}", self.0 / 100, self.0 % 100))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_and_printed_exactly() {
        for (text, printed) in [
            ("0", "0"),
            ("60", "60"),
            ("59.9999", "59.9999"),
            ("0.0000000001", "0.0000000001"),
            ("007.50", "7.5"),
            ("999999999999999999.9999999999", "999999999999999999.9999999999"),
        ] {
            assert_eq!(Decimal::parse(text).unwrap().to_string(), printed, "{text}");
        }
        let long = "1".repeat(19);
        for text in ["", ".", "1.", ".5", "-1", "+1", "1e3", "1,000", "0.12345678901", " 1", "１", long.as_str()] {
            assert!(Decimal::parse(text).is_err(), "{text:?}");
        }
        assert!(Decimal::parse_above_zero("0.0").is_err() && Decimal::parse_above_zero("0.1").is_ok());
    }

    #[test]
    fn a_mean_is_rounded_down_to_two_decimals() {
        let sum = Decimal::parse("1000000000.0299999999").unwrap();
        assert_eq!(sum.mean(2).unwrap().to_string(), "500000000.01");
        assert_eq!(sum.mean(0), None);
    }
}
