//! The quote display time as people read it.

use quoteclock_model::Micros;
use std::fmt;

/// A share of time in ten-thousandths of a percent, rounded half up. For reading: no verdict is taken on it.
///
/// Clause: `ST1/quote-display-time`.
///
/// ```
/// use quoteclock_ledger::DisplayPercent;
/// use quoteclock_model::Micros;
///
/// let percent = DisplayPercent::of(Micros(2), Micros(3)).expect("time was available");
/// assert_eq!((percent.to_string(), percent.ten_thousandths()), ("66.6667".to_owned(), 666_667));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct DisplayPercent(u64);

impl DisplayPercent {
    /// `fulfilled` of `available`; `None` if nothing was available.
    ///
    /// # Panics
    /// If more is fulfilled than available.
    pub fn of(fulfilled: Micros, available: Micros) -> Option<DisplayPercent> {
        if available == Micros::ZERO {
            return None;
        }
        assert!(fulfilled <= available, "fulfilled {fulfilled:?} of {available:?}");
        let (part, whole) = (u128::from(fulfilled.0) * 1_000_000, u128::from(available.0));
        let rounded = (part * 2 + whole) / (whole * 2);
        Some(DisplayPercent(u64::try_from(rounded).expect("at most 1,000,000")))
    }

    /// Ten-thousandths of a percent: 0 to 1,000,000.
    pub const fn ten_thousandths(self) -> u64 {
        self.0
    }
}

/// Four decimals: `71.4765`.
impl fmt::Display for DisplayPercent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}.{:04}", self.0 / 10_000, self.0 % 10_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn percent(fulfilled: u64, available: u64) -> Option<String> {
        DisplayPercent::of(Micros(fulfilled), Micros(available)).map(|percent| percent.to_string())
    }

    // clause: ST1/quote-display-time
    #[test]
    fn percentages_have_four_decimals_half_up() {
        assert_eq!(percent(0, 0), None);
        assert_eq!(percent(0, 7).as_deref(), Some("0.0000"));
        assert_eq!(percent(7, 7).as_deref(), Some("100.0000"));
        assert_eq!(percent(1, 3).as_deref(), Some("33.3333"));
        assert_eq!(percent(2, 3).as_deref(), Some("66.6667"));
        assert_eq!(percent(1, 2_000_000).as_deref(), Some("0.0001"), "exactly half goes up");
        assert_eq!(percent(1, 2_000_001).as_deref(), Some("0.0000"), "just under half goes down");
        assert_eq!(percent(15_224_496_000, 21_300_000_000).as_deref(), Some("71.4765"));
    }
}
