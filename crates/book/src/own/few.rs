//! The orders of a side, where they are few: an array that all of is looked over at once.

use crate::prefetch::prefetch_all;
use quoteclock_model::{Amount, Price, Shares, Side};

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
pub(super) struct CacheLine {
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

    /// Whether there is no order.
    pub(super) fn is_empty(&self) -> bool {
        self.taken == 0
    }

    /// Fetches what a change would change.
    #[inline]
    pub(super) fn prefetch(&self) {
        prefetch_all(&self.lines);
    }

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
    pub(super) fn add_entry(&mut self, side: Side, quote: Quote) -> Option<Entry> {
        if self.lines.len() * CacheLine::ENTRIES == Self::MAX {
            return None;
        }
        if self.lines.len() == self.lines.capacity() {
            // Mostly one is enough, and there are very many sides.
            self.lines.reserve_exact(self.lines.len().max(1));
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
    pub(super) fn shares(&self, entry: Entry) -> u32 {
        let (line, at) = entry.place();
        self.lines[line].shares[at]
    }

    /// The orders of `side`.
    pub(super) fn iter(&self, side: Side) -> impl Iterator<Item = Quote> + '_ {
        let entries = self.lines.iter().flat_map(|line| line.keys.into_iter().zip(line.shares));
        entries.filter(|&(key, _)| key != 0).map(move |(key, shares)| Quote { price: key_of(side, key), shares })
    }

    /// The levels of `side` from the best price outward, each found when it is asked for: the first few are mostly enough.
    pub(super) fn outward(&self, side: Side) -> impl Iterator<Item = (u32, u64)> + '_ {
        let mut most = u32::MAX;
        std::iter::from_fn(move || {
            let best = self.lines.iter().map(|line| line.best(most)).fold(0, u32::max);
            most = best.checked_sub(1)?;
            let shares = self.lines.iter().flat_map(|line| line.shares_where(|key| key == best));
            Some((key_of(side, best), shares.map(u64::from).sum()))
        })
    }

    /// What is quoted at prices whose key is at least `least`.
    pub(super) fn from(&self, side: Side, least: u32) -> (Amount, u128) {
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

pub(super) fn price_of(price: u32) -> Price {
    Price::from_ten_thousandths(price.into()).expect("an entry that is taken holds a price")
}

/// The key of a price in 32 bits, and the price of a key: ascending keys run from the worst price to the best.
#[inline(always)]
pub(super) fn key_of(side: Side, price: u32) -> u32 {
    price ^ (side as u32).wrapping_neg()
}
