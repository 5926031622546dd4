//! A bucket of orders: a cache line with room for three, field by field.

use crate::own::{Entry, OwnQuotes, Quote};
use crate::{CompactChange, Holder, Order};
use quoteclock_model::{OrderCondition, OrderId, Price, ServerIndex, Shares, Side};
use std::num::NonZeroU32;
use zerocopy::FromZeros;

/// What is kept of an order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Resting {
    pub(crate) order: Order,
    pub(crate) holder: Option<Holder>,
    /// Its place among the holder's own quotes.
    pub(crate) entry: Entry,
}

/// A cache line: three orders, field by field; all zeros where there is none.
#[derive(Clone, Copy, Debug, FromZeros)]
#[repr(C, align(64))]
pub(crate) struct Bucket {
    pub(crate) ids: [u64; Bucket::PLACES],
    /// In ten-thousandths; 0 for none.
    pub(crate) prices: [u32; Bucket::PLACES],
    pub(crate) quantities: [u32; Bucket::PLACES],
    /// See [`Bits`].
    pub(crate) bits: [u32; Bucket::PLACES],
    /// The holder's number; 0 for none.
    pub(crate) holders: [u8; Bucket::PLACES],
    /// Which places are taken, in the lowest three bits; then how many orders had to go to other places, 31 for that many and
    /// more, from then on.
    pub(crate) state: u8,
}

/// What an order has besides numbers: one more than its server's index (0 for none), its entry, side and condition, and
/// whether it is no quote.
pub(crate) struct Bits;

impl Bits {
    pub(crate) const SERVER: u32 = (1 << 21) - 1;
    pub(crate) const ENTRY_SHIFT: u32 = 21;
    pub(crate) const ENTRY: u32 = 0b11_1111;
    pub(crate) const OFFER: u32 = 1 << 27;
    pub(crate) const CONDITION_SHIFT: u32 = 28;
    pub(crate) const CONDITION: u32 = 0b111;
    pub(crate) const NO_QUOTE: u32 = 1 << 31;

    #[inline(always)]
    pub(crate) fn side(bits: u32) -> Side {
        if bits & Self::OFFER == 0 { Side::Bid } else { Side::Offer }
    }

    #[inline(always)]
    pub(crate) fn server(bits: u32) -> Option<ServerIndex> {
        (bits & Self::SERVER).checked_sub(1).map(ServerIndex)
    }

    #[inline(always)]
    pub(crate) fn entry(bits: u32) -> Entry {
        Entry((bits >> Self::ENTRY_SHIFT & Self::ENTRY) as u8)
    }

    #[inline(always)]
    pub(crate) fn of(server: u32, entry: Entry, side: Side) -> u32 {
        server | u32::from(entry.0) << Self::ENTRY_SHIFT | if side == Side::Offer { Self::OFFER } else { 0 }
    }
}

impl Bucket {
    pub(crate) const PLACES: usize = 3;
    pub(crate) const TAKEN: u8 = 0b111;
    pub(crate) const OVERFLOW_ONE: u8 = 1 << 3;
    pub(crate) const OVERFLOW_MANY: u8 = !Self::TAKEN;

    /// The place of the order with this number; [`Bucket::PLACES`] or more if it is not here.
    #[inline(always)]
    pub(crate) fn place(&self, id: OrderId) -> usize {
        let [first, second, third] = self.ids.map(|at| u8::from(at == id.0));
        let here = (first | second << 1 | third << 2) & self.state;
        here.trailing_zeros() as usize
    }

    /// A free place for an order with this number, if it is certain from this bucket alone that no other has it; otherwise
    /// [`Bucket::PLACES`] or more.
    #[inline(always)]
    pub(crate) fn place_for(&self, id: OrderId) -> usize {
        // With all places taken, or an overflow, it is not.
        if self.state < Self::TAKEN && Self::PLACES <= self.place(id) {
            self.state.trailing_ones() as usize
        } else {
            Self::PLACES
        }
    }

    /// Takes shares off the order at a place, all that remain if none are given. `None` if anything about it is not compact;
    /// then nothing has changed.
    #[inline(always)]
    pub(crate) fn take(
        &mut self,
        place: usize,
        own: &mut [OwnQuotes],
        shares: Option<NonZeroU32>,
    ) -> Option<CompactChange> {
        let (bits, holder) = (self.bits[place], self.holder(place));
        let before = Quote { price: self.prices[place], shares: self.quantities[place] };
        let taken = shares.map_or(before.shares, NonZeroU32::get);
        let left = before.shares.checked_sub(taken)?;
        if bits & Bits::NO_QUOTE != 0 {
            return None;
        }
        if let Some(holder) = holder {
            own[holder.index()].few_mut(Bits::side(bits))?.leave(Bits::entry(bits), left)?;
        }
        self.quantities[place] = left;
        self.state &= !(u8::from(left == 0) << place);
        let taken = Quote { shares: taken, ..before };
        Some(CompactChange { holder, bits, taken, added: Quote::NONE })
    }

    /// Takes the order at a place away, which is to be entered again with another price or quantity. `None` if anything
    /// about it is not compact; then nothing has changed.
    #[inline(always)]
    pub(crate) fn change(
        &mut self,
        place: usize,
        own: &mut [OwnQuotes],
        price: Option<NonZeroU32>,
        shares: Option<NonZeroU32>,
    ) -> Option<(CompactChange, u8)> {
        let (bits, number, holder) = (self.bits[place], self.holders[place], self.holder(place));
        if bits & Bits::NO_QUOTE != 0 {
            return None;
        }
        let taken = Quote { price: self.prices[place], shares: self.quantities[place] };
        let price = price.map_or(taken.price, NonZeroU32::get);
        let added = Quote { price, shares: shares.map_or(taken.shares, NonZeroU32::get) };
        if let Some(holder) = holder {
            own[holder.index()].few_mut(Bits::side(bits))?.change(Bits::side(bits), Bits::entry(bits), added)?;
        }
        self.state &= !(1 << place);
        Some((CompactChange { holder, bits, taken, added }, number))
    }

    #[inline(always)]
    pub(crate) fn has_overflow(&self) -> bool {
        Self::OVERFLOW_ONE <= self.state
    }

    #[inline(always)]
    pub(crate) fn at(&self, place: usize) -> Resting {
        let bits = self.bits[place];
        let condition = match bits >> Bits::CONDITION_SHIFT & Bits::CONDITION {
            0 => OrderCondition::None,
            1 => OrderCondition::OnOpen,
            2 => OrderCondition::OnClose,
            3 => OrderCondition::Funari,
            _ => OrderCondition::Ioc,
        };
        let order = Order {
            server: Bits::server(bits),
            side: Bits::side(bits),
            price: Price::from_ten_thousandths(u64::from(self.prices[place])),
            quantity: Shares(u64::from(self.quantities[place])),
            condition,
        };
        Resting { order, holder: self.holder(place), entry: Bits::entry(bits) }
    }

    /// Puts an order at a place, if it fits.
    #[inline(always)]
    pub(crate) fn put(&mut self, place: usize, id: OrderId, resting: &Resting) -> Option<()> {
        let Resting { order, holder, entry } = resting;
        let price = u32::try_from(order.price.map_or(0, Price::ten_thousandths)).ok()?;
        let quantity = u32::try_from(order.quantity.0).ok()?;
        let holder = u8::try_from(holder.map_or(0, Holder::number)).ok()?;
        let server = order.server.map_or(0, |server| server.0.saturating_add(1));
        if Bits::SERVER < server || Bits::ENTRY < u32::from(entry.0) {
            return None;
        }
        let condition = (order.condition as u32) << Bits::CONDITION_SHIFT;
        let no_quote = if order.quote_price().is_none() { Bits::NO_QUOTE } else { 0 };
        let bits = Bits::of(server, *entry, order.side) | condition | no_quote;
        self.set(place, id, bits, holder, Quote { price, shares: quantity });
        Some(())
    }

    #[inline(always)]
    pub(crate) fn set(&mut self, place: usize, id: OrderId, bits: u32, holder: u8, quote: Quote) {
        self.ids[place] = id.0;
        self.prices[place] = quote.price;
        self.quantities[place] = quote.shares;
        self.bits[place] = bits;
        self.holders[place] = holder;
        self.state |= 1 << place;
    }

    #[inline(always)]
    pub(crate) fn holder(&self, place: usize) -> Option<Holder> {
        Holder::numbered(u32::from(self.holders[place]))
    }

    /// A place that is not taken.
    #[inline(always)]
    pub(crate) fn free(&self) -> Option<usize> {
        let place = self.state.trailing_ones() as usize;
        (place < Self::PLACES).then_some(place)
    }

    /// One more of the orders of this bucket has overflowed.
    pub(crate) fn count_overflow(&mut self) {
        if self.state < Self::OVERFLOW_MANY {
            self.state += Self::OVERFLOW_ONE;
        }
    }

    /// One less.
    pub(crate) fn discount_overflow(&mut self) {
        if self.state < Self::OVERFLOW_MANY {
            self.state -= Self::OVERFLOW_ONE;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overflow_is_counted_up_to_thirty_and_beyond_that_never_forgotten() {
        for (count, forgets) in [(1, true), (30, true), (31, false), (32, false), (40, false)] {
            let mut bucket =
                Bucket { ids: [0; 3], prices: [0; 3], quantities: [0; 3], bits: [0; 3], holders: [0; 3], state: 0 };
            bucket.state |= Bucket::TAKEN;
            (0..count).for_each(|_| bucket.count_overflow());
            assert!(bucket.has_overflow(), "{count}");
            (0..count).for_each(|_| bucket.discount_overflow());
            assert_eq!(!bucket.has_overflow(), forgets, "{count}");
            assert_eq!(bucket.state & Bucket::TAKEN, Bucket::TAKEN, "what is taken is no part of it");
        }
    }
}
