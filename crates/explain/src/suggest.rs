//! What would have sufficed: the smallest changes of one side that would have made the verdict good.
//!
//! A side is good enough once its quotes reach the minimum at a price close enough to the other side's obligation price.
//! So for each side there is an outermost valid price that would do, found by the very comparison that judges spreads,
//! and a number of shares that is missing there, in whole trading units: nothing else can be entered. Where as many shares
//! are quoted further out, it is enough to move them.

use quoteclock_book::OwnQuotes;
use quoteclock_model::{Amount, Price, Shares, Side};
use quoteclock_rules::{Limits, Spread, TickTable};
use std::num::NonZeroU64;

mod coupled;

/// A change of one side.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Change {
    /// The side.
    pub side: Side,
    /// The outermost valid price at which the minimum has to be reached.
    pub price: Price,
    /// The obligation price as it was, if the minimum was reached.
    pub instead_of: Option<Price>,
    /// Shares needed at `price` beyond those quoted there or better; the fewest whole trading units that do.
    pub shares: Shares,
    /// Own shares quoted further out than `price`.
    pub movable: Shares,
    /// Whether as many at a better price would do as well.
    pub or_better: bool,
    /// Whether quotes at `price` would meet the market's best price of the other side.
    pub meets_market: bool,
}

impl Change {
    /// Whether moving quotes is enough: nothing need be added.
    pub fn is_move(&self) -> bool {
        self.shares <= self.movable
    }
}

/// Changes that suffice.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Suggestion {
    /// Each of these by itself, the cheapest first.
    Either(Vec<Change>),
    /// Only these together.
    Together([Change; 2]),
    /// Nothing that can be named: no price to start from.
    Nothing,
    /// Nothing is named: under limits that couple the sides, or under which more may be less, none of what was tried suffices.
    Coupled,
}

/// What would have made `own` fulfil `limits`, beside the `market`'s best bid and offer, in multiples of `trading_unit`.
///
/// Clauses: `ST1/minimum-value`, `ST1/spread-and-quantity`.
pub fn suggest(own: &OwnQuotes, limits: &Limits, market: [Option<Price>; 2], trading_unit: NonZeroU64) -> Suggestion {
    let reached = Side::BOTH.map(|side| own.obligation_price(side, &limits.minimum()).ok());
    let maker = Maker { own, limits, market, trading_unit, reached };
    if limits.needs_quotes() {
        return maker.coupled();
    }
    match reached {
        [None, None] => maker.together(),
        [bid, offer] => {
            let by_bid = offer.and_then(|offer| maker.change(Side::Bid, offer));
            let by_offer = bid.and_then(|bid| maker.change(Side::Offer, bid));
            let mut changes: Vec<Change> = by_bid.into_iter().chain(by_offer).collect();
            changes.sort_by_key(|change| maker.cost(change));
            if changes.is_empty() { Suggestion::Nothing } else { Suggestion::Either(changes) }
        }
    }
}

struct Maker<'a> {
    own: &'a OwnQuotes,
    limits: &'a Limits,
    market: [Option<Price>; 2],
    trading_unit: NonZeroU64,
    reached: [Option<Price>; 2],
}

impl Maker<'_> {
    /// What `side` needs while the other one's obligation price is `other`.
    fn change(&self, side: Side, other: Price) -> Option<Change> {
        self.change_at(side, outermost(self.limits, side, other)?)
    }

    /// What `side` needs to reach the minimum at `price`.
    fn change_at(&self, side: Side, price: Price) -> Option<Change> {
        let (mut value, mut quantity, mut movable) = (Amount::default(), 0_u64, 0_u64);
        for (level, shares) in self.own.levels(side).iter() {
            if is_further(side, level, price) {
                movable = movable.saturating_add(shares.0);
            } else {
                value += level.amount(shares);
                quantity = quantity.saturating_add(shares.0);
            }
        }
        let for_value = self
            .limits
            .value_min
            .map_or(0, |min| min.0.saturating_sub(value.0).div_ceil(u128::from(price.ten_thousandths())));
        let for_quantity = self.limits.quantity_min.map_or(0, |min| min.0.saturating_sub(quantity));
        let fewest = u64::try_from(for_value).ok()?.max(for_quantity);
        let shares = Shares(fewest.checked_next_multiple_of(self.trading_unit.get())?);
        let (instead_of, meets_market) = (self.reached[position(side)], self.meets_market(side, price));
        // More value at a better price is true of a bid only: a better offer is a lower price.
        let or_better = side == Side::Bid;
        Some(Change { side, price, instead_of, shares, movable: Shares(movable), or_better, meets_market })
    }

    fn meets_market(&self, side: Side, price: Price) -> bool {
        match side {
            Side::Bid => self.market[1].is_some_and(|offer| offer <= price),
            Side::Offer => self.market[0].is_some_and(|bid| price <= bid),
        }
    }

    /// Prices to start from where neither side is large enough: the own best first.
    fn starts(&self) -> [(Side, Option<Price>); 4] {
        let own_best = |side| self.own.levels(side).best();
        [
            (Side::Bid, own_best(Side::Bid)),
            (Side::Offer, own_best(Side::Offer)),
            (Side::Bid, self.market[0]),
            (Side::Offer, self.market[1]),
        ]
    }

    /// Both sides are too small: starts from the best price there is, the own one first.
    fn together(&self) -> Suggestion {
        let pair = self.starts().into_iter().find_map(|(side, start)| {
            let start = self.change_at(side, on_grid(&self.limits.tick_table, side, start?)?)?;
            let other = self.change(other(side), start.price)?;
            Some(if side == Side::Bid { [start, other] } else { [other, start] })
        });
        pair.map_or(Suggestion::Nothing, Suggestion::Together)
    }

    /// Nothing to add before something; fewer ticks before more; less value before more.
    fn cost(&self, change: &Change) -> (bool, u64, u128) {
        let ticks = change.instead_of.map_or(0, |before| {
            let (low, high) = (before.min(change.price), before.max(change.price));
            self.limits.tick_table.ticks_between(low, high).0
        });
        (!change.is_move(), ticks, change.price.amount(change.shares).0)
    }
}

/// The outermost valid price of `side` that is close enough to `other`, the other side's obligation price: found by
/// halving, since a spread only grows outward.
fn outermost(limits: &Limits, side: Side, other: Price) -> Option<Price> {
    let fulfils = |units: u64| {
        Price::from_ten_thousandths(units).is_some_and(|price| {
            limits.spread_fulfils(match side {
                Side::Bid => Spread { bid: price, offer: other },
                Side::Offer => Spread { bid: other, offer: price },
            })
        })
    };
    let (mut near, mut far) = match side {
        Side::Bid => (other.ten_thousandths(), 0),
        Side::Offer => (other.ten_thousandths(), Price::MAX.ten_thousandths() + 1),
    };
    while 1 < near.abs_diff(far) {
        let middle = near.midpoint(far);
        if fulfils(middle) { near = middle } else { far = middle }
    }
    on_grid(&limits.tick_table, side, Price::from_ten_thousandths(near)?)
}

/// `price` if it is valid, otherwise the next valid one inward: up for a bid, down for an offer.
fn on_grid(table: &TickTable, side: Side, price: Price) -> Option<Price> {
    let (units, tick) = (price.ten_thousandths(), table.tick_at(price).ten_thousandths());
    Price::from_ten_thousandths(match side {
        Side::Bid => units.div_ceil(tick) * tick,
        Side::Offer => units / tick * tick,
    })
}

/// Whether `price` is further out than `from`.
fn is_further(side: Side, price: Price, from: Price) -> bool {
    match side {
        Side::Bid => price < from,
        Side::Offer => from < price,
    }
}

/// The other side.
pub(crate) fn other(side: Side) -> Side {
    match side {
        Side::Bid => Side::Offer,
        Side::Offer => Side::Bid,
    }
}

/// Bid 0, offer 1.
pub(crate) fn position(side: Side) -> usize {
    match side {
        Side::Bid => 0,
        Side::Offer => 1,
    }
}

#[cfg(test)]
mod tests;
