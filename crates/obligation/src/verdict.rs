//! The rule at one instant (SPEC section 5).

use quoteclock_book::OwnQuotes;
use quoteclock_model::{Reason, Side};
use quoteclock_rules::{Limits, Spread};

/// Whether quotes fulfil limits: both sides reach the minimum, at prices close enough to each other.
///
/// Clauses: `ST1/spread-and-quantity`, `ST1/minimum-value`.
///
/// # Errors
/// Why they do not.
pub fn verdict(own: &OwnQuotes, limits: &Limits) -> Result<(), Reason> {
    let bid = own.obligation_price(Side::Bid, limits);
    let offer = own.obligation_price(Side::Offer, limits);
    match (bid, offer) {
        (Ok(bid), Ok(offer)) if limits.spread_fulfils(Spread { bid, offer }) => Ok(()),
        (Ok(_), Ok(_)) => Err(Reason::Spread),
        (Err(bid), Ok(_)) => Err(Reason::Bid(bid)),
        (Ok(_), Err(offer)) => Err(Reason::Offer(offer)),
        (Err(bid), Err(offer)) => Err(Reason::Both { bid, offer }),
    }
}
