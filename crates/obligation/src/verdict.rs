//! The rule at one instant (REFERENCE section 5).

use quoteclock_book::OwnQuotes;
use quoteclock_model::{Price, Reason, Shares, Side, SideFault};
use quoteclock_rules::{Limits, SidesRequired, Spread};

/// Whether quotes fulfil limits: both sides (or one, where that is enough) reach the minimum, at prices close enough to each
/// other, and neither is too much larger than the other.
///
/// Clauses: `ST1/spread-and-quantity`, `ST1/minimum-value`, `BIT/bid-or-offer`, `RTS8/comparable-size`.
///
/// # Errors
/// Why they do not.
pub fn verdict(own: &OwnQuotes, limits: &Limits) -> Result<(), Reason> {
    let minimum = limits.minimum();
    let reached = Side::BOTH.map(|side| own.obligation_price(side, &minimum));
    if let ([Ok(_), Err(_)] | [Err(_), Ok(_)], SidesRequired::Either) = (reached, limits.manner.sides) {
        return Ok(());
    }
    let [bid, offer] = reached;
    judge(bid, offer, limits)?;
    match counted_sizes(own, limits) {
        Some(sizes) if !limits.sizes_balance(sizes) => Err(Reason::SizeBalance),
        _ => Ok(()),
    }
}

/// The shares on each side from the best price outward to the obligation price, if both sides have one and their sizes are
/// compared with each other at all.
///
/// Clause: `RTS8/comparable-size`.
pub fn counted_sizes(own: &OwnQuotes, limits: &Limits) -> Option<[Shares; 2]> {
    limits.manner.size_divergence_pct_max?;
    let counted = |side| {
        let (_, shares) = own.inside(side, own.obligation_price(side, &limits.minimum()).ok()?);
        Some(Shares(u64::try_from(shares).unwrap_or(u64::MAX)))
    };
    Some([counted(Side::Bid)?, counted(Side::Offer)?])
}

/// The same of both sides' obligation prices, whatever the sizes.
#[inline(always)]
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
