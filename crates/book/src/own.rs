//! One holder's own quotes in one issue, and where they reach a minimum.
//!
//! A quote is kept as the order that it is, in a small array of each side, and its order remembers where: a change finds
//! it without a search, and where the quotes reach a minimum is looked for only when somebody asks. (Whole levels, or one
//! order of a level after the other: a minimum is reached at the same price.) A side of very many
//! orders is kept by price instead, so that the worst input costs a logarithm and not a scan.

use crate::Levels;
use crate::level_tree::{LevelTree, Sums};
use crate::prefetch::prefetch_all;
use quoteclock_model::{Amount, MinimumSize, Price, Shares, Side, SideFault};

/// The resting quotes of one holder, over all of its virtual servers.
///
/// Clause: `ST1/virtual-server-measuring`.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub struct OwnQuotes {
    /// Bids, offers.
    sides: [Form; 2],
}

/// Where a quote is kept. Only its order knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Entry(pub(crate) u8);

/// A price in ten-thousandths and so many shares, as nearly all quotes are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Quote {
    /// Above zero, unless there is no quote.
    pub price: u32,
    /// Above zero, unless there is no quote.
    pub shares: u32,
}

impl Quote {
    /// No quote.
    pub const NONE: Quote = Quote { price: 0, shares: 0 };

    /// The quote, or that there is none; `None` if 32 bits do not hold its numbers.
    pub fn of(quote: Option<(Price, Shares)>) -> Option<Quote> {
        let Some((price, shares)) = quote else { return Some(Quote::NONE) };
        let (price, shares) = (u32::try_from(price.ten_thousandths()).ok()?, u32::try_from(shares.0).ok()?);
        Some(Quote { price, shares })
    }
}

/// How the quotes of a side are kept.
#[derive(Clone, Debug)]
enum Form {
    Few(Few),
    /// By price.
    Many(LevelTree),
}

/// At most [`Few::MAX`] orders.
#[derive(Clone, Debug, Default)]
pub(crate) struct Few {
    lines: Vec<CacheLine>,
    /// Which entries hold an order, the lowest bit for the first.
    taken: u64,
}

/// A cache line of entries, field by field: all of them are looked over at once, without a branch.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(64))]
struct CacheLine {
    /// Ascending from the worst price to the best; 0 for an entry without an order.
    keys: [u32; CacheLine::ENTRIES],
    /// 0 where the key is.
    shares: [u32; CacheLine::ENTRIES],
}

impl CacheLine {
    const ENTRIES: usize = 8;

    /// The best key up to `most`; 0 if there is none.
    #[inline(always)]
    fn best(&self, most: u32) -> u32 {
        self.keys.into_iter().map(|key| if key <= most { key } else { 0 }).fold(0, u32::max)
    }

    /// The shares of those entries whose key is as wanted; 0 for the others.
    #[inline(always)]
    fn shares_where(&self, wanted: impl Fn(u32) -> bool) -> [u32; CacheLine::ENTRIES] {
        std::array::from_fn(|at| if wanted(self.keys[at]) { self.shares[at] } else { 0 })
    }
}

impl Few {
    const MAX: usize = u64::BITS as usize;

    /// Adds an order, if an entry is free and the order may be there.
    #[inline(always)]
    pub(crate) fn add(&mut self, side: Side, quote: Quote) -> Option<Entry> {
        let free = self.taken.trailing_ones();
        #[allow(clippy::cast_possible_truncation, reason = "at most 64")]
        let entry = Entry(free as u8);
        self.change(side, entry, quote)?;
        self.taken |= 1_u64.checked_shl(free)?;
        Some(entry)
    }

    /// Adds an order in an entry of its own, if there may be one more.
    #[cold]
    fn add_entry(&mut self, side: Side, quote: Quote) -> Option<Entry> {
        if self.lines.len() * CacheLine::ENTRIES == Self::MAX {
            return None;
        }
        self.lines.push(CacheLine::default());
        self.add(side, quote)
    }

    /// Leaves so many shares of an order; it is gone with the last. `None` if it is not here.
    #[inline(always)]
    pub(crate) fn leave(&mut self, entry: Entry, left: u32) -> Option<()> {
        let (line, at) = entry.place();
        let line = self.lines.get_mut(line)?;
        line.shares[at] = left;
        line.keys[at] = if left == 0 { 0 } else { line.keys[at] };
        self.taken &= !(u64::from(left == 0) << entry.0);
        Some(())
    }

    /// Changes an order. `None` if it is not here, or may not be: no price is worse than its.
    #[inline(always)]
    pub(crate) fn change(&mut self, side: Side, entry: Entry, quote: Quote) -> Option<()> {
        let (line, at) = entry.place();
        let line = self.lines.get_mut(line)?;
        let key = key_of(side, quote.price);
        if key == 0 {
            return None;
        }
        (line.keys[at], line.shares[at]) = (key, quote.shares);
        Some(())
    }

    /// The shares of an order.
    fn shares(&self, entry: Entry) -> u32 {
        let (line, at) = entry.place();
        self.lines[line].shares[at]
    }

    /// The orders of `side`.
    fn iter(&self, side: Side) -> impl Iterator<Item = Quote> + '_ {
        let entries = self.lines.iter().flat_map(|line| line.keys.into_iter().zip(line.shares));
        entries.filter(|&(key, _)| key != 0).map(move |(key, shares)| Quote { price: key_of(side, key), shares })
    }

    /// The levels of `side` from the best price outward, each found when it is asked for: the first few are mostly enough.
    fn outward(&self, side: Side) -> impl Iterator<Item = (u32, u64)> + '_ {
        let mut most = u32::MAX;
        std::iter::from_fn(move || {
            let best = self.lines.iter().map(|line| line.best(most)).fold(0, u32::max);
            most = best.checked_sub(1)?;
            let shares = self.lines.iter().flat_map(|line| line.shares_where(|key| key == best));
            Some((key_of(side, best), shares.map(u64::from).sum()))
        })
    }

    /// What is quoted at prices whose key is at least `least`.
    fn from(&self, side: Side, least: u32) -> (Amount, u128) {
        // The halves of 64 bits apart: sums of so few of them fit.
        let (mut value_high, mut value_low, mut quantity) = (0, 0, 0);
        for line in &self.lines {
            for (key, shares) in line.keys.into_iter().zip(line.shares_where(|key| least <= key)) {
                let value = u64::from(key_of(side, key)) * u64::from(shares);
                value_high += value >> u32::BITS;
                value_low += value & u64::from(u32::MAX);
                quantity += u64::from(shares);
            }
        }
        (Amount((u128::from(value_high) << u32::BITS) + u128::from(value_low)), quantity.into())
    }
}

impl Entry {
    /// The line, and where in it.
    #[inline(always)]
    fn place(self) -> (usize, usize) {
        let entry = usize::from(self.0);
        (entry / CacheLine::ENTRIES, entry % CacheLine::ENTRIES)
    }
}

impl Default for OwnQuotes {
    fn default() -> Self {
        OwnQuotes { sides: Side::BOTH.map(|_| Form::Few(Few::default())) }
    }
}

/// Two are the same if they quote the same, however it is kept.
impl PartialEq for OwnQuotes {
    fn eq(&self, other: &OwnQuotes) -> bool {
        Side::BOTH.iter().all(|&side| self.levels(side) == other.levels(side))
    }
}

impl Eq for OwnQuotes {}

/// These quotes, an order each.
impl FromIterator<(Side, Price, Shares)> for OwnQuotes {
    fn from_iter<I: IntoIterator<Item = (Side, Price, Shares)>>(quotes: I) -> OwnQuotes {
        let mut own = OwnQuotes::default();
        for (side, price, shares) in quotes {
            own.add(side, price, shares);
        }
        own
    }
}

impl OwnQuotes {
    /// The levels of `side`.
    pub fn levels(&self, side: Side) -> Levels {
        match self.form(side) {
            Form::Few(few) => {
                Levels::of(side, few.iter(side).map(|quote| (price_of(quote.price), Shares(quote.shares.into()))))
            }
            Form::Many(many) => {
                let mut levels = Vec::new();
                many.each(&mut |key, shares| levels.push((price_at(side, key), Shares(saturated(shares)))));
                Levels::of(side, levels.into_iter())
            }
        }
    }

    /// The obligation price of `side`: going from the best price outward, whole levels at a time, the price at which
    /// the minimum is reached.
    ///
    /// Clause: `ST1/minimum-value`.
    ///
    /// # Errors
    /// What is wrong with the side, if it is not reached.
    pub fn obligation_price(&self, side: Side, minimum: &MinimumSize) -> Result<Price, SideFault> {
        self.form(side).obligation_price(side, minimum)
    }

    /// What `side` quotes at `outermost` and better prices: value and shares.
    pub fn inside(&self, side: Side, outermost: Price) -> (Amount, u128) {
        match (self.form(side), u32::try_from(outermost.ten_thousandths())) {
            (Form::Few(few), Ok(outermost)) => few.from(side, key_of(side, outermost)),
            // A price above all.
            (Form::Few(_), Err(_)) if side == Side::Bid => (Amount(0), 0),
            (Form::Few(_), Err(_)) => self.all(side),
            (Form::Many(many), _) => {
                let Sums { value, shares } = many.from(key_at(side, outermost));
                (value, shares)
            }
        }
    }

    /// All that `side` quotes: value and shares.
    pub fn all(&self, side: Side) -> (Amount, u128) {
        match self.form(side) {
            Form::Few(few) => few.from(side, 0),
            Form::Many(many) => {
                let Sums { value, shares } = many.all();
                (value, shares)
            }
        }
    }

    /// Fetches what a change would change.
    #[inline]
    pub(crate) fn prefetch(&self) {
        for side in &self.sides {
            if let Form::Few(few) = side {
                prefetch_all(&few.lines);
            }
        }
    }

    /// Adds an order's quote.
    #[inline(always)]
    pub(crate) fn add(&mut self, side: Side, price: Price, shares: Shares) -> Entry {
        self.form_mut(side).add(side, price, shares)
    }

    /// Takes `shares` off an order's quote.
    #[inline(always)]
    pub(crate) fn take(&mut self, side: Side, entry: Entry, price: Price, shares: Shares) {
        self.form_mut(side).take(side, entry, price, shares);
    }

    /// The orders of a side, if they are kept in the small form.
    #[inline(always)]
    pub(crate) fn few_mut(&mut self, side: Side) -> Option<&mut Few> {
        match self.form_mut(side) {
            Form::Few(few) => Some(few),
            Form::Many(_) => None,
        }
    }

    /// Drops all quotes.
    pub(crate) fn clear(&mut self) {
        for side in &mut self.sides {
            *side = Form::Few(Few::default());
        }
    }

    #[inline(always)]
    fn form(&self, side: Side) -> &Form {
        &self.sides[side as usize]
    }

    #[inline(always)]
    fn form_mut(&mut self, side: Side) -> &mut Form {
        &mut self.sides[side as usize]
    }
}

fn price_of(price: u32) -> Price {
    Price::from_ten_thousandths(price.into()).expect("an entry that is taken holds a price")
}

/// The key of a price in 32 bits, and the price of a key: ascending keys run from the worst price to the best.
#[inline(always)]
fn key_of(side: Side, price: u32) -> u32 {
    price ^ (side as u32).wrapping_neg()
}

/// A number of shares that 64 bits hold: beyond them every minimum is reached.
fn saturated(shares: u128) -> u64 {
    u64::try_from(shares).unwrap_or(u64::MAX)
}

/// The key of a price, and the price of a key, where there are many: ascending keys run from the worst price to the best.
fn key_at(side: Side, price: Price) -> u64 {
    match side {
        Side::Bid => price.ten_thousandths(),
        Side::Offer => Price::MAX.ten_thousandths() - price.ten_thousandths(),
    }
}

fn price_at(side: Side, key: u64) -> Price {
    let units = match side {
        Side::Bid => key,
        Side::Offer => Price::MAX.ten_thousandths() - key,
    };
    Price::from_ten_thousandths(units).expect("keys are made of prices")
}

impl Form {
    fn add(&mut self, side: Side, price: Price, shares: Shares) -> Entry {
        if let Form::Few(few) = self {
            let added = Quote::of(Some((price, shares)))
                .and_then(|quote| few.add(side, quote).or_else(|| few.add_entry(side, quote)));
            if let Some(entry) = added {
                return entry;
            }
            let before = std::mem::take(few);
            let mut many = LevelTree::default();
            for Quote { price, shares } in before.iter(side) {
                many.add(key_at(side, price_of(price)), Sums::of(price.into(), shares.into()));
            }
            *self = Form::Many(many);
        }
        let Form::Many(many) = self else { unreachable!("few are full or have become many") };
        many.add(key_at(side, price), Sums::of(price.ten_thousandths(), shares.0.into()));
        Entry(0)
    }

    fn take(&mut self, side: Side, entry: Entry, price: Price, shares: Shares) {
        match self {
            Form::Few(few) => {
                let before = few.shares(entry);
                let left = u64::from(before).checked_sub(shares.0).and_then(|left| u32::try_from(left).ok());
                few.leave(entry, left.expect("no more is taken than an order has"))
                    .expect("a live order has its entry");
            }
            Form::Many(many) => {
                many.take(key_at(side, price), Sums::of(price.ten_thousandths(), shares.0.into()));
                // No order is left that would remember an entry.
                if many.is_empty() {
                    *self = Form::Few(Few::default());
                }
            }
        }
    }

    fn obligation_price(&self, side: Side, minimum: &MinimumSize) -> Result<Price, SideFault> {
        let reaches = |value, shares| minimum.is_reached(value, Shares(saturated(shares)));
        let reached = match self {
            Form::Few(few) if few.taken == 0 => return Err(SideFault::NoQuote),
            Form::Few(few) => {
                let (mut value, mut quantity) = (Amount::default(), 0);
                let mut outward = few.outward(side).map(|(price, shares)| {
                    value += Amount(u128::from(price) * u128::from(shares));
                    quantity += u128::from(shares);
                    (price, reaches(value, quantity))
                });
                outward.find(|&(_, reached)| reached).map(|(price, _)| price_of(price))
            }
            Form::Many(many) => {
                // Without a minimum the best quote will do, and not none.
                let reached = many.first_that(|sums| sums.shares != 0 && reaches(sums.value, sums.shares));
                reached.map(|key| price_at(side, key))
            }
        };
        reached.ok_or(SideFault::Size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn own_quotes_and_each_line_of_them_are_a_cache_line() {
        assert_eq!((size_of::<OwnQuotes>(), align_of::<OwnQuotes>()), (64, 64));
        assert_eq!((size_of::<CacheLine>(), align_of::<CacheLine>()), (64, 64));
    }

    fn yen(price: u64) -> Price {
        Price::from_ten_thousandths(price * 10_000).unwrap()
    }

    fn minimum(yen: Option<u128>, shares: Option<u64>) -> MinimumSize {
        MinimumSize { value: yen.map(|yen| Amount(yen * 10_000)), quantity: shares.map(Shares) }
    }

    fn quotes(levels: &[(Side, u64, u64)]) -> OwnQuotes {
        levels.iter().map(|&(side, price, shares)| (side, yen(price), Shares(shares))).collect()
    }

    #[test]
    fn the_quote_display_sample_reaches_its_minimum_at_104_and_102() {
        // clause: ST1/minimum-value
        let own = quotes(&[(Side::Offer, 103, 100_000), (Side::Offer, 104, 200_000), (Side::Bid, 102, 350_000)]);
        let type_a = minimum(Some(30_000_000), None);
        assert_eq!(own.obligation_price(Side::Offer, &type_a), Ok(yen(104)));
        assert_eq!(own.obligation_price(Side::Bid, &type_a), Ok(yen(102)));
    }

    #[test]
    fn the_minimum_value_is_reached_at_it_and_not_one_share_below() {
        // clause: ST1/minimum-value
        let reach =
            |shares| quotes(&[(Side::Bid, 100, shares)]).obligation_price(Side::Bid, &minimum(Some(30_000_000), None));
        assert_eq!(reach(300_000), Ok(yen(100)));
        assert_eq!(reach(299_999), Err(SideFault::Size));
    }

    #[test]
    fn with_both_minima_the_later_one_decides() {
        let own = quotes(&[(Side::Bid, 100, 10), (Side::Bid, 99, 10), (Side::Bid, 98, 10)]);
        assert_eq!(own.obligation_price(Side::Bid, &minimum(Some(1_000), Some(20))), Ok(yen(99)));
        assert_eq!(own.obligation_price(Side::Bid, &minimum(Some(2_900), Some(10))), Ok(yen(98)));
        assert_eq!(own.obligation_price(Side::Bid, &minimum(None, Some(31))), Err(SideFault::Size));
    }

    #[test]
    fn no_quote_is_another_fault_than_too_little() {
        assert_eq!(quotes(&[]).obligation_price(Side::Offer, &minimum(Some(1), None)), Err(SideFault::NoQuote));
    }

    #[test]
    fn the_worst_of_all_prices_is_a_quote_like_any_other() {
        let price = |units: u32| Price::from_ten_thousandths(units.into()).unwrap();
        for (side, units) in
            [(Side::Offer, u32::MAX), (Side::Offer, u32::MAX - 1), (Side::Bid, 1), (Side::Bid, u32::MAX)]
        {
            let own: OwnQuotes = [(side, price(units), Shares(5))].into_iter().collect();
            assert_eq!(own.levels(side), Levels::of(side, [(price(units), Shares(5))].into_iter()));
            assert_eq!(own.obligation_price(side, &minimum(None, Some(5))), Ok(price(units)));
            assert_eq!(own.obligation_price(side, &minimum(None, Some(6))), Err(SideFault::Size));
            assert_eq!(own.inside(side, price(units)), (price(units).amount(Shares(5)), 5));
        }
    }

    proptest! {
        /// Few or many, what is kept is the orders' sum, and where it reaches a minimum is where a walk over levels does.
        #[test]
        fn quotes_are_the_sum_of_their_orders(
            steps in proptest::collection::vec((1..12_u64, 1..6_u64, 0..200_usize), 0..400), bid: bool, minimum in 1..900_u64,
        ) {
            let side = if bid { Side::Bid } else { Side::Offer };
            let mut own = OwnQuotes::default();
            let mut live: Vec<(Entry, Price, u64)> = Vec::new();
            for (price, shares, chosen) in steps {
                match live.get_mut(chosen) {
                    Some((entry, price, quantity)) => {
                        let taken = shares.min(*quantity);
                        own.take(side, *entry, *price, Shares(taken));
                        *quantity -= taken;
                        if *quantity == 0 {
                            live.swap_remove(chosen);
                        }
                    }
                    None => live.push((own.add(side, yen(price), Shares(shares)), yen(price), shares)),
                }
                let expected = Levels::of(side, live.iter().map(|&(_, price, shares)| (price, Shares(shares))));
                prop_assert_eq!(own.levels(side), expected);
            }
            let least = minimum;
            let minimum = super::tests::minimum(None, Some(least));
            let mut sum = 0;
            let reached = own.levels(side).iter().find(|&(_, shares)| { sum += shares.0; least <= sum });
            let fault = if live.is_empty() { SideFault::NoQuote } else { SideFault::Size };
            prop_assert_eq!(own.obligation_price(side, &minimum), reached.map(|(price, _)| price).ok_or(fault));
            let inside = own.levels(side).iter().filter(|&(price, _)| if bid { yen(6) <= price } else { price <= yen(6) })
                .fold((Amount(0), 0), |(value, sum), (price, shares)| (value + price.amount(shares), sum + u128::from(shares.0)));
            prop_assert_eq!(own.inside(side, yen(6)), inside);
        }
    }
}
