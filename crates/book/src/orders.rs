//! The live orders of one issue, by number.
//!
//! Open addressing with linear probing: a slot is 32 bytes, half a cache line, so that finding an order costs one miss.
//! The table is at most half full, and a removed order leaves no mark: those behind it move up. Numbers are hashed under a
//! key drawn at random, because they are chosen by those who are measured.

use crate::own::Entry;
use crate::{Holder, Order};
use foldhash::fast::RandomState;
use quoteclock_model::{Condition, OrderId, Price, ServerIndex, Shares, Side};
use std::hash::BuildHasher;

/// Orders by number.
#[derive(Clone, Debug, Default)]
pub(crate) struct OrderTable {
    /// A power of two of them, or none.
    slots: Vec<Slot>,
    len: usize,
    hasher: RandomState,
}

/// An order and its number; free if nothing remains of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    pub(crate) id: OrderId,
    pub(crate) terms: Terms,
    pub(crate) quantity: Shares,
    /// One more than the server's index; 0 for none.
    server: u32,
    pub(crate) holder: Option<Holder>,
}

/// What of an order never or seldom changes, in one word: the price in the lowest 44 bits (0 for none), then the side,
/// the condition, and the place among the holder's own quotes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Terms(u64);

/// A price and a side: the lowest 45 bits of [`Terms`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct LevelKey(pub(crate) u64);

impl LevelKey {
    /// The price.
    pub(crate) fn price(self) -> Option<Price> {
        Price::from_ten_thousandths(self.0 & Terms::PRICE)
    }

    /// The side.
    pub(crate) fn side(self) -> Side {
        if self.0 & Terms::OFFER == 0 { Side::Bid } else { Side::Offer }
    }
}

impl Terms {
    const PRICE_BITS: u32 = 44;
    const PRICE: u64 = (1 << Self::PRICE_BITS) - 1;
    const OFFER: u64 = 1 << Self::PRICE_BITS;
    const CONDITION_SHIFT: u32 = Self::PRICE_BITS + 1;
    const ENTRY_SHIFT: u32 = Self::CONDITION_SHIFT + 3;

    #[inline(always)]
    pub(crate) fn new(side: Side, price: Option<Price>, condition: Condition) -> Terms {
        const { assert!(Price::MAX.ten_thousandths() <= Self::PRICE) };
        let price = price.map_or(0, Price::ten_thousandths);
        let offer = if side == Side::Offer { Self::OFFER } else { 0 };
        Terms(price | offer | (condition as u64) << Self::CONDITION_SHIFT)
    }

    #[inline(always)]
    pub(crate) fn price(self) -> Option<Price> {
        LevelKey(self.0).price()
    }

    #[inline(always)]
    pub(crate) fn side(self) -> Side {
        LevelKey(self.0).side()
    }

    #[inline(always)]
    pub(crate) fn condition(self) -> Condition {
        match self.0 >> Self::CONDITION_SHIFT & 0b111 {
            0 => Condition::None,
            1 => Condition::OnOpen,
            2 => Condition::OnClose,
            3 => Condition::Funari,
            _ => Condition::Ioc,
        }
    }

    /// The same at another price.
    #[inline(always)]
    pub(crate) fn at(self, price: Price) -> Terms {
        Terms(self.0 & !Self::PRICE | price.ten_thousandths())
    }

    /// The same with another place among the holder's own quotes.
    #[inline(always)]
    pub(crate) fn with_entry(self, entry: Entry) -> Terms {
        let below = self.0 & ((1 << Self::ENTRY_SHIFT) - 1);
        Terms(below | u64::from(entry.0) << Self::ENTRY_SHIFT)
    }

    /// The place among the holder's own quotes.
    #[inline(always)]
    pub(crate) fn entry(self) -> Entry {
        #[allow(clippy::cast_possible_truncation, reason = "16 bits are left")]
        Entry((self.0 >> Self::ENTRY_SHIFT) as u8)
    }

    /// The price at which the order is a quote.
    #[inline(always)]
    pub(crate) fn quote_price(self) -> Option<Price> {
        self.price().filter(|_| self.condition().quotes())
    }

    /// The level at which the order counts if it is a quote.
    #[inline(always)]
    pub(crate) fn level(self) -> LevelKey {
        LevelKey(self.0 & (Self::PRICE | Self::OFFER))
    }
}

const FREE: Slot = Slot { id: OrderId(0), terms: Terms(0), quantity: Shares(0), server: 0, holder: None };

/// Where an order stands, or can be put. Good until the next change of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Position(usize);

impl OrderTable {
    const SLOTS_MIN: usize = 16;

    /// Number of orders.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Where the order with this number stands.
    #[inline(always)]
    pub(crate) fn find(&self, id: OrderId) -> Option<Position> {
        if self.slots.is_empty() {
            return None;
        }
        let mut position = self.home(id);
        loop {
            let slot = &self.slots[position];
            if slot.is_free() {
                return None;
            }
            if slot.id == id {
                return Some(Position(position));
            }
            position = self.next(position);
        }
    }

    /// Where an order with this number can be put; `None` if one stands in the table.
    #[inline(always)]
    pub(crate) fn vacancy(&mut self, id: OrderId) -> Option<Position> {
        if self.slots.len() < (self.len + 1) * 2 {
            self.grow();
        }
        let mut position = self.home(id);
        loop {
            let slot = &self.slots[position];
            if slot.is_free() {
                return Some(Position(position));
            }
            if slot.id == id {
                return None;
            }
            position = self.next(position);
        }
    }

    /// The order at a position.
    #[inline(always)]
    pub(crate) fn at(&self, position: Position) -> &Slot {
        &self.slots[position.0]
    }

    /// The order at a position. It keeps its number, and something of it remains.
    #[inline(always)]
    pub(crate) fn at_mut(&mut self, position: Position) -> &mut Slot {
        &mut self.slots[position.0]
    }

    /// Puts an order where its number has a vacancy.
    #[inline(always)]
    pub(crate) fn put(&mut self, vacancy: Position, slot: Slot) {
        assert!(!slot.is_free(), "an order without shares");
        self.slots[vacancy.0] = slot;
        self.len += 1;
    }

    /// Removes the order at a position.
    #[inline(always)]
    pub(crate) fn remove(&mut self, position: Position) {
        self.close_gap(position.0);
        self.len -= 1;
    }

    /// Removes all orders.
    pub(crate) fn clear(&mut self) {
        self.slots.clear();
        self.len = 0;
    }

    /// All orders, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Slot> + '_ {
        self.slots.iter().filter(|slot| !slot.is_free())
    }

    #[inline(always)]
    fn home(&self, id: OrderId) -> usize {
        #[allow(clippy::cast_possible_truncation, reason = "the low bits of a hash are as good as all of them")]
        let hash = self.hasher.hash_one(id.0) as usize;
        hash & (self.slots.len() - 1)
    }

    #[inline(always)]
    fn next(&self, position: usize) -> usize {
        (position + 1) & (self.slots.len() - 1)
    }

    #[cold]
    fn grow(&mut self) {
        let count = (self.slots.len() * 2).max(Self::SLOTS_MIN);
        let before = std::mem::replace(&mut self.slots, vec![FREE; count]);
        for slot in before.into_iter().filter(|slot| !slot.is_free()) {
            let mut position = self.home(slot.id);
            while !self.slots[position].is_free() {
                position = self.next(position);
            }
            self.slots[position] = slot;
        }
    }

    /// Moves those behind a free slot up, so that probing never has to pass a gap.
    #[inline(always)]
    fn close_gap(&mut self, mut gap: usize) {
        let mask = self.slots.len() - 1;
        let mut position = gap;
        loop {
            position = (position + 1) & mask;
            let slot = self.slots[position];
            if slot.is_free() {
                break;
            }
            // An order may move up to the gap if its home is not between the gap and itself.
            let home = self.home(slot.id);
            if (position.wrapping_sub(home) & mask) >= (position.wrapping_sub(gap) & mask) {
                self.slots[gap] = slot;
                gap = position;
            }
        }
        self.slots[gap] = FREE;
    }
}

impl Slot {
    #[inline(always)]
    pub(crate) fn new(id: OrderId, order: &Order, holder: Option<Holder>) -> Slot {
        let terms = Terms::new(order.side, order.price, order.condition);
        let server = order.server.map_or(0, |server| server.0 + 1);
        Slot { id, terms, quantity: order.quantity, server, holder }
    }

    #[inline(always)]
    fn is_free(&self) -> bool {
        self.quantity == Shares(0)
    }

    #[inline]
    pub(crate) fn server(&self) -> Option<ServerIndex> {
        self.server.checked_sub(1).map(ServerIndex)
    }

    #[inline]
    pub(crate) fn order(&self) -> Order {
        let Slot { terms, quantity, .. } = *self;
        let (side, price, condition) = (terms.side(), terms.price(), terms.condition());
        Order { server: self.server(), side, price, quantity, condition }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_slot_is_half_a_cache_line() {
        assert_eq!(size_of::<Slot>(), 32);
    }

    #[test]
    fn terms_keep_what_they_are_made_of() {
        for side in Side::BOTH {
            for price in [None, Price::from_ten_thousandths(1), Some(Price::MAX)] {
                for condition in
                    [Condition::None, Condition::OnOpen, Condition::OnClose, Condition::Funari, Condition::Ioc]
                {
                    let terms = Terms::new(side, price, condition).with_entry(Entry(255)).with_entry(Entry(63));
                    assert_eq!((terms.side(), terms.price(), terms.condition()), (side, price, condition));
                    assert_eq!(terms.entry(), Entry(63));
                    assert_eq!((terms.level().side(), terms.level().price()), (side, price));
                    let moved = terms.at(Price::MAX);
                    assert_eq!((moved.side(), moved.price(), moved.entry()), (side, Some(Price::MAX), Entry(63)));
                }
            }
        }
    }

    fn slot(id: OrderId, quantity: u64) -> Slot {
        let price = Price::from_ten_thousandths(quantity);
        let (server, condition) = (Some(ServerIndex(7)), Condition::Funari);
        Slot::new(id, &Order { server, side: Side::Offer, price, quantity: Shares(quantity), condition }, None)
    }

    proptest! {
        #[test]
        fn the_table_is_a_map(steps in proptest::collection::vec((0..60_u64, 0..5_u64), 0..400)) {
            let mut table = OrderTable::default();
            let mut map: BTreeMap<OrderId, Order> = BTreeMap::new();
            for (id, quantity) in steps {
                // Numbers far apart and close together.
                let id = OrderId(if id % 2 == 0 { id } else { id << 40 });
                match (table.find(id), quantity) {
                    (Some(position), 0) => {
                        table.remove(position);
                        map.remove(&id);
                    }
                    (Some(_), _) => {
                        prop_assert_eq!(table.vacancy(id), None);
                        let position = table.find(id).expect("it is still there");
                        *table.at_mut(position) = slot(id, quantity);
                        map.insert(id, slot(id, quantity).order());
                    }
                    (None, _) => {
                        let vacancy = table.vacancy(id).expect("it is not there");
                        table.put(vacancy, slot(id, quantity + 1));
                        prop_assert!(map.insert(id, slot(id, quantity + 1).order()).is_none());
                    }
                }
                prop_assert_eq!(table.len(), map.len());
                let found = |id| table.find(id).map(|at| table.at(at).order());
                prop_assert!(map.keys().all(|&id| found(id) == map.get(&id).copied()));
                prop_assert_eq!(table.iter().map(|slot| (slot.id, slot.order())).collect::<BTreeMap<_, _>>(), map.clone());
            }
        }
    }
}
