//! How much a side has to quote.

use crate::{Amount, Price, Shares};

/// The least that one side's quotes have to come to.
///
/// Clause: `ST1/minimum-value`.
///
/// ```
/// use quoteclock_model::{Amount, MinimumSize, Price, Shares, SizeRule};
/// let price = Price::from_ten_thousandths(1).unwrap();
/// let minimum = MinimumSize { value: Some(Amount(300)), quantity: Some(Shares(10)), ..MinimumSize::default() };
/// assert!(minimum.is_reached(price, Amount(300), Shares(10)));
/// assert!(!minimum.is_reached(price, Amount(300), Shares(9)));
/// let either = MinimumSize { rule: SizeRule::Any, ..minimum };
/// assert!(either.is_reached(price, Amount(300), Shares(9)));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct MinimumSize {
    /// The least value.
    pub value: Option<Amount>,
    /// The least number of shares.
    pub quantity: Option<Shares>,
    /// Whether both have to be reached where both are given.
    pub rule: SizeRule,
    /// Whether all shares count at the price where the minimum is reached, and not each at its own: shares of at least
    /// value by price, rounded up.
    pub value_at_price: bool,
}

/// Which of the minima that are given have to be reached.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum SizeRule {
    /// Each of them.
    #[default]
    All,
    /// One of them.
    Any,
}

impl MinimumSize {
    /// Whether quotes at `price` and better, of so much value and so many shares, are large enough.
    #[inline]
    pub fn is_reached(&self, price: Price, value: Amount, quantity: Shares) -> bool {
        let value = if self.value_at_price { price.amount(quantity) } else { value };
        match (self.value, self.quantity, self.rule) {
            (Some(least), Some(shares), SizeRule::Any) => least <= value || shares <= quantity,
            _ => self.is_reached_by(value, quantity),
        }
    }

    /// The same where each minimum that is given has to be reached, and each order counts at its own price
    /// ([`MinimumSize::is_plain`]).
    #[inline]
    pub fn is_reached_by(&self, value: Amount, quantity: Shares) -> bool {
        self.value.is_none_or(|min| min <= value) && self.quantity.is_none_or(|min| min <= quantity)
    }

    /// Whether the price at which it is reached makes no difference, and one minimum stands in for no other.
    pub fn is_plain(&self) -> bool {
        !self.value_at_price && self.rule == SizeRule::All
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(units: u64) -> Price {
        Price::from_ten_thousandths(units).unwrap()
    }

    #[test]
    fn both_minima_must_be_reached_or_either() {
        let both = MinimumSize { value: Some(Amount(300)), quantity: Some(Shares(10)), ..MinimumSize::default() };
        let any = MinimumSize { rule: SizeRule::Any, ..both };
        for (value, shares, all, one) in
            [(300, 10, true, true), (299, 10, false, true), (300, 9, false, true), (299, 9, false, false)]
        {
            assert_eq!(both.is_reached(price(1), Amount(value), Shares(shares)), all, "{value} {shares}");
            assert_eq!(any.is_reached(price(1), Amount(value), Shares(shares)), one, "{value} {shares}");
        }
        assert!(MinimumSize::default().is_reached(price(1), Amount(0), Shares(0)));
        let alone = MinimumSize { value: Some(Amount(300)), rule: SizeRule::Any, ..MinimumSize::default() };
        assert!(!alone.is_reached(price(1), Amount(299), Shares(1_000)), "what is not given is not reached");
    }

    #[test]
    fn all_shares_may_count_at_the_price_where_it_is_reached() {
        // 1,000 by 7 are 142.86: 143 shares.
        let minimum = MinimumSize { value: Some(Amount(1_000)), value_at_price: true, ..MinimumSize::default() };
        assert!(minimum.is_reached(price(7), Amount(0), Shares(143)));
        assert!(!minimum.is_reached(price(7), Amount(5_000), Shares(142)));
    }
}
