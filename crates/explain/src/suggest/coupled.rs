//! What would have sufficed under limits that couple the two sides, or under which more may be less: sizes that have to be
//! comparable, one side that is enough, bands, a value at the obligation price.
//!
//! There no formula tells. At a few prices that are worth a look the fewest trading units are sought that reach the minimum and
//! are large enough beside the other side; and whatever is found is put to the rule itself before it is named.

use super::{Change, Maker, Suggestion, is_further, on_grid, other, outermost, position};
use quoteclock_book::OwnQuotes;
use quoteclock_model::{Price, Shares, Side};
use quoteclock_obligation::{counted_sizes, verdict};

/// More than any minimum, and little enough to be added up.
const SHARES_MAX: u64 = 10_000_000_000_000_000;

/// Shares added at a price.
type Added = (Side, Price, u64);

impl Maker<'_> {
    /// A change of one side, or of both; nothing that the rule has not been asked about.
    pub(super) fn coupled(&self) -> Suggestion {
        let changes_at = |prices: &dyn Fn(Side) -> Vec<Price>| {
            let at = |side| prices(side).into_iter().filter_map(move |price| self.alone(side, price));
            let cheapest = |side| at(side).min_by_key(|change| self.cost(change));
            let mut changes: Vec<Change> = Side::BOTH.into_iter().filter_map(cheapest).collect();
            changes.sort_by_key(|change| self.cost(change));
            (!changes.is_empty()).then_some(Suggestion::Either(changes))
        };
        let next = |side| self.next_to_the_other(side).into_iter().collect();
        let alone = changes_at(&|side| self.prices(side)).or_else(|| changes_at(&next));
        alone.or_else(|| self.both().map(Suggestion::Together)).unwrap_or(Suggestion::Coupled)
    }

    /// Prices at which a side may reach its minimum: as far out as the other side allows, where it does by now, and the best.
    fn prices(&self, side: Side) -> Vec<Price> {
        let opposite = self.reached[position(other(side))];
        let close = opposite.and_then(|opposite| outermost(self.limits, side, opposite));
        let own = [self.reached[position(side)], self.own.levels(side).best(), self.market[position(side)]];
        let on_grid = |price| on_grid(&self.limits.tick_table, side, price);
        close.into_iter().chain(own.into_iter().flatten().filter_map(on_grid)).collect()
    }

    /// The price that leaves the narrowest spread that there can be.
    fn next_to_the_other(&self, side: Side) -> Option<Price> {
        let opposite = self.reached[position(other(side))]?;
        self.inside(other(side), opposite).filter(|&price| price != opposite)
    }

    /// The next valid price inward of one of `side`.
    fn inside(&self, side: Side, price: Price) -> Option<Price> {
        let units = price.ten_thousandths();
        let next = if side == Side::Bid { units.checked_add(1) } else { units.checked_sub(1) };
        on_grid(&self.limits.tick_table, side, Price::from_ten_thousandths(next?)?)
    }

    /// What makes the verdict good at `price` of one side.
    fn alone(&self, side: Side, price: Price) -> Option<Change> {
        let shares = self.as_large_as_the_other(&[], side, price, self.reaching(side, price)?)?;
        self.tried(&[(side, price, shares)]).map(|[change]| change)
    }

    /// The same of both sides together: from the best price that there is, or inside all that is quoted, where sizes are new.
    fn both(&self) -> Option<[Change; 2]> {
        let grid = &self.limits.tick_table;
        let from_best = self.starts().into_iter().filter_map(|(side, start)| {
            let start = on_grid(grid, side, start?)?;
            let close = outermost(self.limits, other(side), start)?;
            Some(if side == Side::Bid { [start, close] } else { [close, start] })
        });
        let best = Side::BOTH.map(|side| self.own.levels(side).best());
        let new = || {
            let bid = self.inside(Side::Bid, best[0]?)?;
            let close = outermost(self.limits, Side::Offer, bid)?;
            let offer = best[1].map_or(Some(close), |best| Some(self.inside(Side::Offer, best)?.min(close)))?;
            (bid < offer).then_some([bid, offer])
        };
        from_best.chain(new()).find_map(|prices| self.both_at(prices))
    }

    fn both_at(&self, [bid, offer]: [Price; 2]) -> Option<[Change; 2]> {
        let (bids, offers) = (self.reaching(Side::Bid, bid)?, self.reaching(Side::Offer, offer)?);
        let bids = self.as_large_as_the_other(&[(Side::Offer, offer, offers)], Side::Bid, bid, bids)?;
        let offers = self.as_large_as_the_other(&[(Side::Bid, bid, bids)], Side::Offer, offer, offers)?;
        self.tried(&[(Side::Bid, bid, bids), (Side::Offer, offer, offers)])
    }

    /// The quotes with shares added to them.
    fn with(&self, added: &[Added]) -> OwnQuotes {
        let levels = Side::BOTH.map(|side| self.own.levels(side));
        let own = Side::BOTH
            .into_iter()
            .zip(&levels)
            .flat_map(|(side, levels)| levels.iter().map(move |(at, of)| (side, at, of)));
        let added = added.iter().filter(|(_, _, shares)| 0 < *shares);
        own.chain(added.map(|&(side, price, shares)| (side, price, Shares(shares)))).collect()
    }

    /// The fewest whole trading units that reach the minimum at `price` or better.
    fn reaching(&self, side: Side, price: Price) -> Option<u64> {
        let minimum = self.limits.minimum();
        self.fewest(|shares| {
            let reached = self.with(&[(side, price, shares)]).obligation_price(side, &minimum);
            reached.is_ok_and(|at| !is_further(side, at, price))
        })
    }

    /// As many as that, or more: so that the side is not too small beside the other one.
    fn as_large_as_the_other(&self, beside: &[Added], side: Side, price: Price, enough: u64) -> Option<u64> {
        let is_as_large = |shares: u64| {
            let sizes = counted_sizes(&self.with(&[beside, &[(side, price, shares)]].concat()), self.limits);
            let of = |sizes: [Shares; 2], side| sizes[position(side)];
            sizes.is_none_or(|sizes| self.limits.sizes_balance(sizes) || of(sizes, other(side)) <= of(sizes, side))
        };
        if is_as_large(enough) { Some(enough) } else { self.fewest(|shares| enough <= shares && is_as_large(shares)) }
    }

    /// The fewest whole trading units for which something holds that holds for all that are more.
    fn fewest(&self, holds: impl Fn(u64) -> bool) -> Option<u64> {
        let unit = self.trading_unit.get();
        let (mut low, mut high) = (0, SHARES_MAX / unit);
        if !holds(high * unit) {
            return None;
        }
        while low < high {
            let middle = low.midpoint(high);
            if holds(middle * unit) { high = middle } else { low = middle + 1 }
        }
        Some(low * unit)
    }

    /// The changes, if the rule says that they suffice: with what is added, and, where moving is enough, with what is moved.
    fn tried<const N: usize>(&self, added: &[Added; N]) -> Option<[Change; N]> {
        let changes = added.map(|(side, price, shares)| self.named(side, price, Shares(shares)));
        let suffices = |own: &OwnQuotes| verdict(own, self.limits).is_ok();
        let moves = changes.iter().all(|change| !change.is_move() || suffices(&self.moved(change, added)));
        (moves && suffices(&self.with(added))).then_some(changes)
    }

    /// The quotes with one of the changes moved from further out, the outermost first, and the others added.
    fn moved(&self, change: &Change, added: &[Added]) -> OwnQuotes {
        let mut left = change.shares.0;
        let all = self.with(added);
        let mut quotes = Vec::new();
        for side in Side::BOTH {
            let levels: Vec<(Price, Shares)> = all.levels(side).iter().collect();
            for (price, Shares(shares)) in levels.into_iter().rev() {
                let is_source = side == change.side && is_further(side, price, change.price);
                let taken = if is_source { left.min(shares) } else { 0 };
                left -= taken;
                quotes.extend((taken < shares).then_some((side, price, Shares(shares - taken))));
            }
        }
        quotes.into_iter().collect()
    }

    fn named(&self, side: Side, price: Price, shares: Shares) -> Change {
        let further = self
            .own
            .levels(side)
            .iter()
            .filter(|&(level, _)| is_further(side, level, price))
            .map(|(_, of)| of.0)
            .fold(0, u64::saturating_add);
        Change {
            side,
            price,
            instead_of: self.reached[position(side)],
            shares,
            movable: Shares(further),
            or_better: false,
            meets_market: self.meets_market(side, price),
        }
    }
}
