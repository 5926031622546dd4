//! The rule at one instant (REFERENCE section 5).

use quoteclock_book::OwnQuotes;
use quoteclock_model::{Price, Reason, Side, SideFault};
use quoteclock_rules::{Limits, Spread};

/// Whether quotes fulfil limits: both sides reach the minimum, at prices close enough to each other.
///
/// Clauses: `ST1/spread-and-quantity`, `ST1/minimum-value`.
///
/// # Errors
/// Why they do not.
pub fn verdict(own: &OwnQuotes, limits: &Limits) -> Result<(), Reason> {
    let minimum = limits.minimum();
    let price = |side| own.obligation_price(side, &minimum);
    judge(price(Side::Bid), price(Side::Offer), limits)
}

/// The same, of obligation prices that are known.
#[inline]
pub(crate) fn judge(
    bid: Result<Price, SideFault>,
    offer: Result<Price, SideFault>,
    limits: &Limits,
) -> Result<(), Reason> {
    match (bid, offer) {
        (Ok(bid), Ok(offer)) if limits.spread_fulfils(Spread { bid, offer }) => Ok(()),
        (Ok(_), Ok(_)) => Err(Reason::Spread),
        (Err(bid), Ok(_)) => Err(Reason::Bid(bid)),
        (Ok(_), Err(offer)) => Err(Reason::Offer(offer)),
        (Err(bid), Err(offer)) => Err(Reason::Both { bid, offer }),
    }
}
