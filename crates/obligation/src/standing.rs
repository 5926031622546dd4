//! Where an obligation stands, in sums that tell whether that may have changed, so that most changes need no judgement.
//!
//! A side is too small if all its quotes together do not reach the minimum: one sum tells. Otherwise the spread decides,
//! and it is bounded by two prices that are chosen when the rule has been asked:
//!
//! - *Fulfilled*: two prices around the obligation prices whose spread fulfils the limits as well. As long as the quotes
//!   at or inside each reach the minimum, the obligation prices are at or inside them, and a spread only becomes narrower
//!   inward: it is fulfilled, wherever the obligation prices are by now.
//! - *Too wide*: two prices between the obligation prices whose spread is too wide as well. As long as the quotes strictly
//!   inside each do not reach the minimum, the obligation prices are at or outside them, and it is too wide.
//!
//! So a change adds to the sums of its side or takes from them, and the side either stands where it stood, or the
//! obligation is judged again. Where there are two minima, of value and of shares, each has its sums; a side is where the
//! one is that has come less far.

use crate::verdict::judge;
use quoteclock_book::{OwnQuotes, Quote};
use quoteclock_model::{Price, Reason, Shares, Side, SideFault};
use quoteclock_rules::{Limits, Spread};

/// The sums of one minimum of an obligation.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    /// Of bids, of offers.
    sides: [Sums; 2],
    /// What a side has to reach.
    least: u128,
    counts: Counts,
}

/// What sums are of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Counts {
    Value,
    Shares,
}

/// What is quoted on one side: in all, and at a price or better.
///
/// An amount is below 2^84, and no more than 2^44 orders can be live: sums neither reach 2^128, nor go below zero, as
/// nothing is taken off that was not added.
#[derive(Clone, Copy, Debug)]
struct Sums {
    all: u128,
    inside: u128,
    /// The key of the outermost price that is inside, [`NOWHERE`] where there is none.
    outermost: u64,
    /// Where the side stood when the obligation was last judged; `None` if that does not matter now.
    stood: Option<Place>,
}

/// Where a side reaches its minimum.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Place {
    /// Nowhere: there is no quote.
    NoQuote,
    /// Nowhere: the quotes are too few.
    Nowhere,
    /// Outside.
    Outside,
    Inside,
}

/// A quote that came or left.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moved {
    /// In ten-thousandths; 0 for none.
    price: u64,
    shares: u64,
    value: u128,
}

impl Moved {
    const NOTHING: Moved = Moved { price: 0, shares: 0, value: 0 };

    #[inline(always)]
    fn of(&self, counts: Counts) -> u128 {
        match counts {
            Counts::Value => self.value,
            Counts::Shares => self.shares.into(),
        }
    }
}

impl From<Option<(Price, Shares)>> for Moved {
    fn from(quote: Option<(Price, Shares)>) -> Moved {
        quote.map_or(Moved::NOTHING, |(price, shares)| Moved {
            price: price.ten_thousandths(),
            shares: shares.0,
            value: price.amount(shares).0,
        })
    }
}

impl From<Quote> for Moved {
    #[inline(always)]
    fn from(quote: Quote) -> Moved {
        let (price, shares) = (u64::from(quote.price), u64::from(quote.shares));
        Moved { price, shares, value: u128::from(price * shares) }
    }
}

impl Place {
    fn fault(self) -> Option<SideFault> {
        match self {
            Place::NoQuote => Some(SideFault::NoQuote),
            Place::Nowhere => Some(SideFault::Size),
            Place::Outside | Place::Inside => None,
        }
    }
}

/// A key that no quote reaches.
const NOWHERE: u64 = u64::MAX;

/// Ascending keys run from the worst price to the best.
#[inline(always)]
fn key(side: Side, price: u64) -> u64 {
    price ^ (side as u64).wrapping_neg()
}

impl Sums {
    const NOTHING: Sums = Sums { all: 0, inside: 0, outermost: NOWHERE, stood: None };

    #[inline(always)]
    fn place(&self, least: u128) -> Place {
        let steps = [self.all != 0, least <= self.all, least <= self.inside];
        // Who reaches the minimum inside reaches it in all, and then has quotes.
        [Place::NoQuote, Place::Nowhere, Place::Outside, Place::Inside][steps.map(usize::from).iter().sum::<usize>()]
    }
}

impl Standing {
    /// Those of `limits`, one at least, without quotes.
    pub(crate) fn of(limits: &Limits) -> Vec<Standing> {
        // A side without quotes reaches nothing, whatever the minima.
        let standing = |least: u128, counts| Standing { sides: [Sums::NOTHING; 2], least: least.max(1), counts };
        let by_value = limits.value_min.map(|min| standing(min.0, Counts::Value));
        let by_shares = limits.quantity_min.map(|min| standing(min.0.into(), Counts::Shares));
        let any = (by_value.is_none() && by_shares.is_none()).then(|| standing(1, Counts::Shares));
        by_value.into_iter().chain(by_shares).chain(any).collect()
    }

    /// Follows a change of the own quotes of a side. Says whether that certainly stands where it stood.
    #[inline(always)]
    pub(crate) fn follow(&mut self, side: Side, taken: Moved, added: Moved) -> bool {
        let sums = &mut self.sides[side as usize];
        let inside = |moved: Moved, amount| if sums.outermost <= key(side, moved.price) { amount } else { 0 };
        let (less, more) = (taken.of(self.counts), added.of(self.counts));
        let (less_inside, more_inside) = (inside(taken, less), inside(added, more));
        debug_assert!(less <= sums.all && less_inside <= sums.inside, "what is taken was added");
        sums.all = sums.all.wrapping_add(more).wrapping_sub(less);
        sums.inside = sums.inside.wrapping_add(more_inside).wrapping_sub(less_inside);
        sums.stood.is_none_or(|stood| stood == sums.place(self.least))
    }

    #[inline(always)]
    fn place(&self, side: Side) -> Place {
        self.sides[side as usize].place(self.least)
    }

    /// Whether both sides certainly stand where they stood when the obligation was last judged.
    fn stands(&self) -> bool {
        Side::BOTH.iter().all(|&side| self.sides[side as usize].stood == Some(self.place(side)))
    }

    /// All quotes are gone.
    pub(crate) fn clear(&mut self) {
        self.sides = [Sums::NOTHING; 2];
    }

    /// From now on changes of the quotes do not matter, until the obligation is judged again.
    pub(crate) fn rest(&mut self) {
        for side in &mut self.sides {
            side.stood = None;
        }
    }

    /// Chooses the outermost price of a side that is inside.
    fn choose(&mut self, side: Side, outermost: Option<Price>, own: &OwnQuotes) {
        let sums = &mut self.sides[side as usize];
        (sums.inside, sums.outermost) = (0, NOWHERE);
        if let Some(outermost) = outermost {
            let (value, shares) = own.inside(side, outermost);
            sums.outermost = key(side, outermost.ten_thousandths());
            sums.inside = match self.counts {
                Counts::Value => value.0,
                Counts::Shares => shares,
            };
        }
    }
}

/// Whether an obligation certainly stands where it stood when it was last judged; `standings` are those of its minima.
pub(crate) fn stands(standings: &[Standing]) -> bool {
    standings.iter().all(Standing::stands)
}

/// Whether an obligation is fulfilled, and if not why; `own` are the quotes that its `standings` have followed.
pub(crate) fn judge_again(standings: &mut [Standing], own: &OwnQuotes, limits: &Limits) -> Result<(), Reason> {
    let fault = |side| standings.iter().map(|standing| standing.place(side)).min().and_then(Place::fault);
    let verdict = match Side::BOTH.map(fault) {
        [None, None] => judge_spread(standings, own, limits),
        [Some(bid), None] => Err(Reason::Bid(bid)),
        [None, Some(offer)] => Err(Reason::Offer(offer)),
        [Some(bid), Some(offer)] => Err(Reason::Both { bid, offer }),
    };
    for standing in standings {
        for side in Side::BOTH {
            standing.sides[side as usize].stood = Some(standing.place(side));
        }
    }
    verdict
}

/// Asks the rule where both sides reach their minimum, and chooses the prices inside anew.
fn judge_spread(standings: &mut [Standing], own: &OwnQuotes, limits: &Limits) -> Result<(), Reason> {
    let [bid, offer] = Side::BOTH.map(|side| own.obligation_price(side, limits));
    let verdict = judge(bid, offer, limits);
    let (mut inside_bid, mut inside_offer) = (None, None);
    if let (Ok(bid), Ok(offer)) = (bid, offer) {
        let spread = Spread { bid, offer };
        if verdict.is_ok() {
            let wide = limits.widened(spread);
            (inside_bid, inside_offer) = (Some(wide.bid), Some(wide.offer));
        } else {
            let narrow = limits.narrowed(spread);
            inside_bid = Price::from_ten_thousandths(narrow.bid.ten_thousandths() + 1);
            inside_offer = Price::from_ten_thousandths(narrow.offer.ten_thousandths() - 1);
        }
    }
    for standing in standings {
        standing.choose(Side::Bid, inside_bid, own);
        standing.choose(Side::Offer, inside_offer, own);
    }
    verdict
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict;
    use proptest::prelude::*;
    use quoteclock_book::Book;
    use quoteclock_model::{Amount, Bps, Condition, OrderAction, OrderId, ServerIndex, Ticks};
    use quoteclock_rules::TickTable;
    use std::sync::Arc;

    fn limits(bps: Option<u64>, ticks: Option<u64>, value: Option<u128>, quantity: Option<u64>) -> Limits {
        Limits {
            spread_bps_max: bps.map(Bps),
            spread_ticks_max: ticks.map(Ticks),
            value_min: value.map(Amount),
            quantity_min: quantity.map(Shares),
            tick_table: Arc::new(TickTable::new(&[(1_000, 10)], 50).unwrap()),
        }
    }

    fn any_limits() -> impl Strategy<Value = Limits> {
        let (bps, ticks) = (100_000..10_000_000_u64, 0..40_u64);
        (bps, ticks, 1..60_000_u128, 1..60_u64, 0..3_u8, 0..3_u8).prop_map(
            |(bps, ticks, value, quantity, spread, size)| {
                limits(
                    (spread != 0).then_some(bps),
                    (spread != 1).then_some(ticks),
                    (size != 0).then_some(value),
                    (size != 1).then_some(quantity),
                )
            },
        )
    }

    proptest! {
        /// Where nothing has to be judged again, the verdict is still the last one; and a judgement is the rule's.
        #[test]
        fn what_stands_where_it_stood_has_its_verdict(
            limits in any_limits(),
            steps in proptest::collection::vec((900..1100_u64, any::<bool>(), 1..30_u64, any::<bool>(), 0..8_u64), 1..200),
        ) {
            let mut book = Book::default();
            let holder = book.add_holder();
            let mut standings = Standing::of(&limits);
            let mut last = judge_again(&mut standings, book.own(holder), &limits);
            for (units, bid, shares, follows, number) in steps {
                let (order, price) = (OrderId(number), Price::from_ten_thousandths(units));
                let side = if bid { Side::Bid } else { Side::Offer };
                let (server, quantity, condition) = (Some(ServerIndex(0)), Shares(shares), Condition::None);
                let action = match book.order(order) {
                    None => OrderAction::Add { order, server, side, price, quantity, condition },
                    Some(_) if follows => OrderAction::Replace { order, order_new: order, price, quantity: Some(quantity) },
                    Some(_) => OrderAction::Cancel { order },
                };
                let mut stands = true;
                book.apply(&action, |_| Some(holder), |change| {
                    for standing in &mut standings {
                        stands &= standing.follow(change.side, change.taken.into(), change.added.into());
                    }
                }).unwrap();
                let verdict = verdict(book.own(holder), &limits);
                if stands {
                    prop_assert_eq!(verdict, last);
                }
                if !stands || number == 0 {
                    last = judge_again(&mut standings, book.own(holder), &limits);
                    prop_assert_eq!(verdict, last);
                }
            }
        }
    }
}
