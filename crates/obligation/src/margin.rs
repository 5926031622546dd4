//! How far each side of an obligation is from another verdict, in sums: so that most changes need no judgement.
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
//!
//! Limits of other venues that couple the two sides, or under which more may be less ([`Limits::needs_quotes`]), have no
//! such sums: whatever changes, they are judged from the quotes.

use crate::verdict::{judge, verdict};
use quoteclock_book::{OwnQuotes, Quote};
use quoteclock_model::{Amount, Price, Reason, Side, SideFault};
use quoteclock_rules::{Limits, Spread};

/// A minimum that a side has to reach.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Minimum {
    /// At least 1: a side without quotes reaches nothing, whatever the minima.
    least: u128,
    counts: Counts,
}

/// What a minimum is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Counts {
    Value,
    Shares,
}

/// What is quoted on one side, as one minimum counts it, in all and at a price or better, and how far both sums may move
/// before the obligation has to be judged again. A cache line.
///
/// Sums that 64 bits do not hold are not known; such a side is judged from its quotes whenever they change.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(crate) struct SideMargin {
    all: u64,
    inside: u64,
    /// The key of the outermost price that is inside, [`NOWHERE`] where there is none.
    outermost: u64,
    /// Where `all` may be without another verdict.
    total_range: SumRange,
    /// And `inside`.
    inside_range: SumRange,
    counts: Counts,
    /// Whether the sums are those of the quotes.
    known: bool,
    /// Whether the ranges are those of a judgement.
    judged: bool,
}

/// Numbers from the first on, so many more.
#[derive(Clone, Copy, Debug)]
struct SumRange {
    first: u64,
    more: u64,
}

/// Where a side reaches its minimum.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Reach {
    /// Nowhere: there is no quote.
    NoQuote,
    /// Nowhere: the quotes are too few.
    TooSmall,
    /// At some price.
    Reached,
}

impl Reach {
    fn of(all: u128, least: u128) -> Reach {
        match all {
            0 => Reach::NoQuote,
            _ if all < least => Reach::TooSmall,
            _ => Reach::Reached,
        }
    }

    fn fault(self) -> Option<SideFault> {
        match self {
            Reach::NoQuote => Some(SideFault::NoQuote),
            Reach::TooSmall => Some(SideFault::Size),
            Reach::Reached => None,
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

impl SumRange {
    const ANY: SumRange = SumRange { first: 0, more: u64::MAX };

    /// From `first` to `last`, or as far as 64 bits reach.
    fn of(first: u128, last: u128) -> SumRange {
        let narrow = |number| u64::try_from(number).unwrap_or(u64::MAX);
        SumRange { first: narrow(first), more: narrow(last) - narrow(first) }
    }

    #[inline(always)]
    fn contains(self, number: u64) -> bool {
        number.wrapping_sub(self.first) <= self.more
    }
}

/// Those that limits have: one or two.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Minima {
    first: Minimum,
    second: Option<Minimum>,
}

impl Minima {
    /// Those of `limits`; of one without any that there is a quote.
    pub(crate) fn of(limits: &Limits) -> Minima {
        let minimum = |least: u128, counts| Minimum { least: least.max(1), counts };
        let by_value = limits.value_min.map(|min| minimum(min.0, Counts::Value));
        let by_shares = limits.quantity_min.map(|min| minimum(min.0.into(), Counts::Shares));
        match (by_value, by_shares) {
            (Some(first), second) | (None, second @ Some(first)) => {
                Minima { first, second: second.filter(|&second| second != first) }
            }
            (None, None) => Minima { first: minimum(1, Counts::Shares), second: None },
        }
    }

    pub(crate) fn count(self) -> usize {
        1 + usize::from(self.second.is_some())
    }

    /// So many of them, at least as many as there are: the last of them again and again, which alters nothing.
    pub(crate) fn repeated(self, count: usize) -> impl Iterator<Item = Minimum> {
        let last = self.second.unwrap_or(self.first);
        std::iter::once(self.first).chain(std::iter::repeat(last)).take(count)
    }
}

impl Counts {
    #[inline(always)]
    fn of(self, quote: Quote) -> u64 {
        let (price, shares) = (u64::from(quote.price), u64::from(quote.shares));
        match self {
            Counts::Value => price * shares,
            Counts::Shares => shares,
        }
    }

    fn sum(self, (value, shares): (Amount, u128)) -> u128 {
        match self {
            Counts::Value => value.0,
            Counts::Shares => shares,
        }
    }
}

impl SideMargin {
    /// That of a side without quotes.
    pub(crate) fn of(minimum: Minimum) -> SideMargin {
        let Minimum { counts, .. } = minimum;
        let (total_range, inside_range) = (SumRange::ANY, SumRange::ANY);
        let (known, judged) = (true, false);
        SideMargin { all: 0, inside: 0, outermost: NOWHERE, total_range, inside_range, counts, known, judged }
    }

    /// That of a side whose quotes have not been looked at.
    pub(crate) fn unknown(minimum: Minimum) -> SideMargin {
        SideMargin { known: false, ..SideMargin::of(minimum) }
    }

    /// Adds a change of the own quotes of a side to its sums. True if the last judgement surely still holds.
    #[inline(always)]
    pub(crate) fn apply_change(&mut self, side: Side, taken: Quote, added: Quote) -> bool {
        let (less, more) = (self.counts.of(taken), self.counts.of(added));
        let is_inside = |quote: Quote| self.outermost <= key(side, quote.price.into());
        let less_inside = if is_inside(taken) { less } else { 0 };
        let more_inside = if is_inside(added) { more } else { 0 };
        debug_assert!(!self.known || less <= self.all && less_inside <= self.inside, "what is taken was added");
        let (all, is_beyond) = self.all.overflowing_add(more);
        self.all = all.wrapping_sub(less);
        // No more than `all`.
        self.inside = self.inside.wrapping_add(more_inside).wrapping_sub(less_inside);
        self.known &= !is_beyond;
        self.holds()
    }

    /// Quotes have changed whose numbers do not fit: the sums are to be taken from the quotes again.
    pub(crate) fn invalidate(&mut self) {
        self.known = false;
    }

    /// Whether there is a last judgement, and it surely still holds.
    pub(crate) fn is_judged(&self) -> bool {
        self.judged && self.holds()
    }

    /// All quotes are gone.
    pub(crate) fn clear(&mut self) {
        (self.all, self.inside, self.known) = (0, 0, true);
    }

    /// Whether the last judgement surely still holds, or none is waited for.
    #[inline(always)]
    fn holds(&self) -> bool {
        self.total_range.contains(self.all) & self.inside_range.contains(self.inside) & self.known
    }

    /// From now on changes of the quotes do not matter, until the obligation is judged again.
    pub(crate) fn disarm(&mut self) {
        (self.total_range, self.inside_range, self.judged) = (SumRange::ANY, SumRange::ANY, false);
    }

    /// Recomputes whether the side reaches its minimum, and arms `total_range` anew. Where it does, `inside_range` is still to be
    /// armed.
    fn rearm_total(&mut self, side: Side, minimum: Minimum, own: &OwnQuotes) -> Reach {
        let mut all = u128::from(self.all);
        if !self.known {
            all = self.counts.sum(own.all(side));
            self.known = u64::try_from(all).map(|all| self.all = all).is_ok();
        }
        self.judged = true;
        let least = minimum.least;
        let reach = Reach::of(all, least);
        (self.inside, self.outermost, self.inside_range) = (0, NOWHERE, SumRange::ANY);
        self.total_range = match reach {
            Reach::NoQuote => SumRange::of(0, 0),
            Reach::TooSmall => SumRange::of(1, least - 1),
            Reach::Reached => SumRange::of(least, u128::MAX),
        };
        reach
    }

    /// Arms `inside_range` anew: what is quoted at `outermost` or better has to keep to its side of the minimum.
    fn rearm_inside(&mut self, side: Side, minimum: Minimum, outermost: Price, own: &OwnQuotes) {
        let inside = self.counts.sum(own.inside(side, outermost));
        let least = minimum.least;
        self.outermost = key(side, outermost.ten_thousandths());
        // What is known to be no more than `all` fits where that does.
        self.known &= u64::try_from(inside).map(|inside| self.inside = inside).is_ok();
        self.inside_range = if least <= inside { SumRange::of(least, u128::MAX) } else { SumRange::of(0, least - 1) };
    }
}

/// The margins of one obligation on each side: for each of its minima.
type Sides<'a> = [&'a mut [SideMargin]; 2];

/// Whether an obligation is fulfilled, and if not why; `own` are the quotes that its margins have added up.
pub(crate) fn rejudge(
    sides: &mut Sides<'_>,
    minima: &[Minimum],
    own: &OwnQuotes,
    limits: &Limits,
) -> Result<(), Reason> {
    if limits.needs_quotes() {
        return judge_quotes(sides, own, limits);
    }
    let mut fault = |side: Side| {
        let margins = sides[side as usize].iter_mut().zip(minima);
        margins.map(|(margin, &minimum)| margin.rearm_total(side, minimum, own)).min().and_then(Reach::fault)
    };
    match Side::BOTH.map(&mut fault) {
        [None, None] => judge_spread(sides, minima, own, limits),
        [Some(bid), None] => Err(Reason::Bid(bid)),
        [None, Some(offer)] => Err(Reason::Offer(offer)),
        [Some(bid), Some(offer)] => Err(Reason::Both { bid, offer }),
    }
}

/// No sum of one side tells: each change has it judged again.
#[cold]
fn judge_quotes(sides: &mut Sides<'_>, own: &OwnQuotes, limits: &Limits) -> Result<(), Reason> {
    sides.iter_mut().flat_map(|side| side.iter_mut()).for_each(SideMargin::invalidate);
    verdict(own, limits)
}

/// Asks the rule where both sides reach their minimum, and arms the prices inside anew.
fn judge_spread(sides: &mut Sides<'_>, minima: &[Minimum], own: &OwnQuotes, limits: &Limits) -> Result<(), Reason> {
    let minimum = limits.minimum();
    let [bid, offer] = Side::BOTH.map(|side| own.obligation_price(side, &minimum));
    let verdict = judge(bid, offer, limits);
    if let (Ok(bid), Ok(offer)) = (bid, offer) {
        let spread = Spread { bid, offer };
        let inside = if verdict.is_ok() {
            let wide = limits.widened(spread);
            [Some(wide.bid), Some(wide.offer)]
        } else {
            let narrow = limits.narrowed(spread);
            let units = [narrow.bid.ten_thousandths() + 1, narrow.offer.ten_thousandths() - 1];
            units.map(Price::from_ten_thousandths)
        };
        for (side, outermost) in Side::BOTH.into_iter().zip(inside) {
            let Some(outermost) = outermost else { continue };
            for (margin, &minimum) in sides[side as usize].iter_mut().zip(minima) {
                margin.rearm_inside(side, minimum, outermost, own);
            }
        }
    }
    verdict
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict;
    use proptest::prelude::*;
    use quoteclock_book::Book;
    use quoteclock_model::{Amount, Bps, OrderAction, OrderCondition, OrderId, ServerIndex, Shares, SizeRule, Ticks};
    use quoteclock_rules::{Manner, SidesRequired, SpreadBand, SpreadBase, SpreadLimits, TickTable};
    use std::sync::Arc;

    fn limits(bps: Option<u64>, ticks: Option<u64>, value: Option<u128>, quantity: Option<u64>) -> Limits {
        Limits {
            spread_bps_max: bps.map(Bps),
            spread_ticks_max: ticks.map(Ticks),
            value_min: value.map(Amount),
            quantity_min: quantity.map(Shares),
            manner: Manner::default(),
            tick_table: Arc::new(TickTable::new(&[(1_000, 10)], 50).unwrap()),
        }
    }

    fn any_limits() -> impl Strategy<Value = Limits> {
        let (bps, ticks) = (100_000..10_000_000_u64, 0..40_u64);
        (bps, ticks, 1..60_000_u128, 1..60_u64, 0..3_u8, 0..3_u8, any_manner()).prop_map(
            |(bps, ticks, value, quantity, spread, size, manner)| Limits {
                manner,
                ..limits(
                    (spread != 0).then_some(bps),
                    (spread != 1).then_some(ticks),
                    (size != 0).then_some(value),
                    (size != 1).then_some(quantity),
                )
            },
        )
    }

    /// Tokyo's, or with one or two things otherwise.
    fn any_manner() -> impl Strategy<Value = Manner> {
        let bases = [SpreadBase::Mid, SpreadBase::Bid, SpreadBase::Offer];
        (0..8_u8, 0..3_usize, proptest::option::of(1..60_u64), 0..900_000_u64).prop_map(
            move |(kind, base, width, pct)| {
                let price = |units| Price::from_ten_thousandths(units);
                let width_max = width.and_then(price);
                let band = |up_to, units| SpreadBand {
                    up_to,
                    limits: SpreadLimits { width_max: price(units), ..SpreadLimits::default() },
                };
                let common = Manner { spread_base: bases[base], width_max, ..Manner::default() };
                match kind {
                    0..3 => Manner::default(),
                    3 => Manner { size_divergence_pct_max: Some(pct), ..common },
                    4 => Manner { sides: SidesRequired::Either, ..common },
                    5 => Manner { size_rule: SizeRule::Any, value_at_price: pct % 2 == 0, ..common },
                    6 => Manner { bands: [band(price(1_000), 1 + pct % 60), band(None, 1 + pct % 9)].into(), ..common },
                    _ => common,
                }
            },
        )
    }

    proptest! {
        /// Where nothing has to be judged again, the verdict is still the last one; and a judgement is the rule's. Also where
        /// prices and quantities go beyond 32 bits, and their sums and the minimum beyond 64.
        #[test]
        fn while_the_margins_hold_the_verdict_does(
            limits in any_limits(), huge: bool,
            steps in proptest::collection::vec((900..1100_u64, any::<bool>(), 1..30_u64, any::<bool>(), 0..8_u64), 1..200),
        ) {
            let (price_times, shares_more) = if huge { (4_000_000, u64::from(u32::MAX) - 15) } else { (1, 0) };
            let value_min = limits.value_min.map(|min| if huge { Amount(min.0 * 1_000_000_000_000_000) } else { min });
            let limits = Limits { value_min, ..limits };
            let mut book = Book::default();
            let holder = book.add_holders(1).next().unwrap();
            let minima = Minima::of(&limits);
            let minima: Vec<Minimum> = minima.repeated(minima.count()).collect();
            let mut margins = [0, 1].map(|_| minima.iter().map(|&minimum| SideMargin::of(minimum)).collect::<Vec<_>>());
            let rejudge = |margins: &mut [Vec<SideMargin>; 2], book: &Book| {
                rejudge(&mut margins.each_mut().map(Vec::as_mut_slice), &minima, book.own(holder), &limits)
            };
            let mut last = rejudge(&mut margins, &book);
            for (units, bid, shares, follows, number) in steps {
                let (order, price) = (OrderId(number), Price::from_ten_thousandths(units * price_times));
                let side = if bid { Side::Bid } else { Side::Offer };
                let (server, quantity, condition) = (Some(ServerIndex(0)), Shares(shares + shares_more), OrderCondition::None);
                let action = match book.order(order) {
                    None => OrderAction::Add { order, server, side, price, quantity, condition },
                    Some(_) if follows => OrderAction::Replace { order, order_new: order, price, quantity: Some(quantity) },
                    Some(_) => OrderAction::Cancel { order },
                };
                let mut holds = true;
                book.apply(&action, |_| Some(holder), |change| {
                    for margin in &mut margins[change.side as usize] {
                        match (Quote::of(change.taken), Quote::of(change.added)) {
                            (Some(taken), Some(added)) => holds &= margin.apply_change(change.side, taken, added),
                            _ => {
                                margin.invalidate();
                                holds = false;
                            }
                        }
                    }
                }).unwrap();
                let verdict = verdict(book.own(holder), &limits);
                if holds {
                    prop_assert_eq!(verdict, last);
                }
                if !holds || number == 0 {
                    last = rejudge(&mut margins, &book);
                    prop_assert_eq!(verdict, last);
                }
            }
        }
    }
}
