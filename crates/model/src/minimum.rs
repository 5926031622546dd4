//! How much a side has to quote.

use crate::{Amount, Shares};

/// The least that one side's quotes have to come to: each that is given has to be reached.
///
/// Clause: `ST1/minimum-value`.
///
/// ```
/// use quoteclock_model::{Amount, MinimumSize, Shares};
/// let minimum = MinimumSize { value: Some(Amount(300_000)), quantity: None };
/// assert!(minimum.is_reached(Amount(300_000), Shares(1)));
/// assert!(!minimum.is_reached(Amount(299_999), Shares(1_000)));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct MinimumSize {
    /// The least value.
    pub value: Option<Amount>,
    /// The least number of shares.
    pub quantity: Option<Shares>,
}

impl MinimumSize {
    /// Whether quotes of so much value and so many shares are large enough.
    #[inline]
    pub fn is_reached(&self, value: Amount, quantity: Shares) -> bool {
        self.value.is_none_or(|min| min <= value) && self.quantity.is_none_or(|min| min <= quantity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_minima_must_be_reached() {
        let both = MinimumSize { value: Some(Amount(300)), quantity: Some(Shares(10)) };
        assert!(both.is_reached(Amount(300), Shares(10)));
        assert!(!both.is_reached(Amount(299), Shares(10)));
        assert!(!both.is_reached(Amount(300), Shares(9)));
        assert!(MinimumSize::default().is_reached(Amount(0), Shares(0)));
    }
}
