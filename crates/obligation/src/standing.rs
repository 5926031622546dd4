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
//! obligation is judged again.

use crate::verdict::judge;
use quoteclock_book::{OwnQuotes, QuoteChange};
use quoteclock_model::{Price, Reason, Shares, Side, SideFault};
use quoteclock_rules::{Limits, Spread};

/// The sums of one obligation.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    bids: Sums,
    offers: Sums,
    least: Least,
}

/// What a side has to reach.
#[derive(Clone, Copy, Debug)]
struct Least {
    value: u128,
    quantity: u128,
}

/// What is quoted on one side: in all, and at a price or better.
#[derive(Clone, Copy, Debug)]
struct Sums {
    all: Sum,
    inside: Sum,
    /// The outermost price that is inside, in ten-thousandths; one that no quote reaches where there is none.
    outermost: u64,
    /// Where the side stood when the obligation was last judged; `None` if that does not matter now.
    stood: Option<Place>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    value: u128,
    quantity: u128,
}

/// Where a side reaches its minimum.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    /// Nowhere: there is no quote.
    NoQuote,
    /// Nowhere: the quotes are too few.
    Nowhere,
    /// Outside.
    Outside,
    Inside,
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

impl Sum {
    #[inline(always)]
    fn add(&mut self, price: Price, shares: Shares) {
        self.value += price.amount(shares).0;
        self.quantity += u128::from(shares.0);
    }

    #[inline(always)]
    fn take(&mut self, price: Price, shares: Shares) {
        self.value -= price.amount(shares).0;
        self.quantity -= u128::from(shares.0);
    }

    #[inline(always)]
    fn reaches(&self, least: Least) -> bool {
        (least.value <= self.value) & (least.quantity <= self.quantity)
    }
}

impl Sums {
    const NOTHING: Sum = Sum { value: 0, quantity: 0 };

    /// No quotes, nothing inside.
    const fn none(side: Side) -> Sums {
        Sums { all: Self::NOTHING, inside: Self::NOTHING, outermost: nowhere(side), stood: None }
    }

    /// Follows a change; `inside` says whether a price is inside. Tells whether the side still stands where it stood.
    #[inline(always)]
    fn follow(&mut self, change: &QuoteChange, inside: impl Fn(u64, u64) -> bool, least: Least) -> bool {
        if let Some((price, shares)) = change.taken {
            self.all.take(price, shares);
            if inside(price.ten_thousandths(), self.outermost) {
                self.inside.take(price, shares);
            }
        }
        if let Some((price, shares)) = change.added {
            self.all.add(price, shares);
            if inside(price.ten_thousandths(), self.outermost) {
                self.inside.add(price, shares);
            }
        }
        self.stood.is_none_or(|stood| stood == self.place(least))
    }

    #[inline(always)]
    fn place(&self, least: Least) -> Place {
        if self.inside.reaches(least) {
            Place::Inside
        } else if self.all.reaches(least) {
            Place::Outside
        } else if self.all.quantity == 0 {
            Place::NoQuote
        } else {
            Place::Nowhere
        }
    }

    /// Chooses the outermost price that is inside.
    fn choose(&mut self, side: Side, outermost: Option<Price>, own: &OwnQuotes) {
        (self.inside, self.outermost) = (Self::NOTHING, nowhere(side));
        if let Some(outermost) = outermost {
            let (value, quantity) = own.inside(side, outermost);
            (self.inside, self.outermost) = (Sum { value: value.0, quantity }, outermost.ten_thousandths());
        }
    }
}

/// A price that no quote reaches.
const fn nowhere(side: Side) -> u64 {
    match side {
        Side::Bid => u64::MAX,
        Side::Offer => 0,
    }
}

impl Standing {
    /// No quotes yet, under `limits`.
    pub(crate) fn new(limits: &Limits) -> Standing {
        let value = limits.value_min.map_or(0, |min| min.0);
        // A side without quotes reaches nothing, whatever the minima.
        let quantity = limits.quantity_min.map_or(1, |min| u128::from(min.0.max(1)));
        Standing { bids: Sums::none(Side::Bid), offers: Sums::none(Side::Offer), least: Least { value, quantity } }
    }

    /// Follows a change of the own quotes. Says whether the obligation certainly stands where it stood.
    #[inline(always)]
    pub(crate) fn follow(&mut self, change: &QuoteChange) -> bool {
        match change.side {
            Side::Bid => self.bids.follow(change, |price, outermost| outermost <= price, self.least),
            Side::Offer => self.offers.follow(change, |price, outermost| price <= outermost, self.least),
        }
    }

    /// Whether the obligation certainly stands where it stood when it was last judged.
    pub(crate) fn stands(&self) -> bool {
        let stands = |sums: &Sums| sums.stood.is_some_and(|stood| stood == sums.place(self.least));
        stands(&self.bids) && stands(&self.offers)
    }

    /// All quotes are gone.
    pub(crate) fn clear(&mut self) {
        (self.bids, self.offers) = (Sums::none(Side::Bid), Sums::none(Side::Offer));
    }

    /// From now on changes of the quotes do not matter, until the obligation is judged again.
    pub(crate) fn rest(&mut self) {
        (self.bids.stood, self.offers.stood) = (None, None);
    }

    /// Whether the obligation is fulfilled, and if not why; `own` are the quotes that have been followed.
    pub(crate) fn judge(&mut self, own: &OwnQuotes, limits: &Limits) -> Result<(), Reason> {
        let faults = [self.bids.place(self.least).fault(), self.offers.place(self.least).fault()];
        let verdict = match faults {
            [None, None] => self.judge_spread(own, limits),
            [Some(bid), None] => Err(Reason::Bid(bid)),
            [None, Some(offer)] => Err(Reason::Offer(offer)),
            [Some(bid), Some(offer)] => Err(Reason::Both { bid, offer }),
        };
        self.bids.stood = Some(self.bids.place(self.least));
        self.offers.stood = Some(self.offers.place(self.least));
        verdict
    }

    /// Asks the rule where both sides reach their minimum, and chooses the prices inside anew.
    fn judge_spread(&mut self, own: &OwnQuotes, limits: &Limits) -> Result<(), Reason> {
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
        self.bids.choose(Side::Bid, inside_bid, own);
        self.offers.choose(Side::Offer, inside_offer, own);
        verdict
    }
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
            let mut standing = Standing::new(&limits);
            let mut last = standing.judge(book.own(holder), &limits);
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
                book.apply(&action, |_| Some(holder), |change| stands &= standing.follow(change)).unwrap();
                let verdict = verdict(book.own(holder), &limits);
                if stands {
                    prop_assert_eq!(verdict, last);
                }
                if !stands || number == 0 {
                    last = standing.judge(book.own(holder), &limits);
                    prop_assert_eq!(verdict, last);
                }
            }
        }
    }
}
