//! The live orders of one issue, by number.
//!
//! Open addressing with linear probing: a slot is 32 bytes, half a cache line, so that finding an order costs one miss.
//! The table is at most half full, and a removed order leaves no mark: those behind it move up. Numbers are hashed under a
//! key drawn at random, because they are chosen by those who are measured.

use crate::Order;
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
struct Slot {
    id: OrderId,
    price: Option<Price>,
    quantity: Shares,
    /// One more than the server's index; 0 for none.
    server: u32,
    side: Side,
    condition: Condition,
}

const FREE: Slot =
    Slot { id: OrderId(0), price: None, quantity: Shares(0), server: 0, side: Side::Bid, condition: Condition::None };

/// Where an order stands. Good until the next change of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Position(usize);

impl OrderTable {
    const SLOTS_MIN: usize = 16;

    /// Number of orders.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Where the order with this number stands.
    #[inline]
    pub(crate) fn find(&self, id: OrderId) -> Option<Position> {
        if self.len == 0 {
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

    /// The order at a position.
    #[inline]
    pub(crate) fn at(&self, position: Position) -> Order {
        self.slots[position.0].order()
    }

    /// What remains of the order at a position.
    #[inline]
    pub(crate) fn remaining(&self, position: Position) -> Shares {
        self.slots[position.0].quantity
    }

    /// Adds an order whose number is not in the table, and of which something remains.
    #[inline]
    pub(crate) fn insert(&mut self, id: OrderId, order: &Order) {
        assert!(Shares(0) < order.quantity, "an order without shares");
        if self.slots.len() < (self.len + 1) * 2 {
            self.grow();
        }
        let slot = Slot::new(id, order);
        self.place(slot);
        self.len += 1;
    }

    /// Takes shares off the order at a position; it is gone when nothing remains.
    #[inline]
    pub(crate) fn take(&mut self, position: Position, shares: Shares) {
        let slot = &mut self.slots[position.0];
        slot.quantity.0 -= shares.0;
        if slot.is_free() {
            self.close_gap(position.0);
            self.len -= 1;
        }
    }

    /// Changes the order at a position, under the same number.
    #[inline]
    pub(crate) fn set(&mut self, position: Position, order: &Order) {
        let id = self.slots[position.0].id;
        self.slots[position.0] = Slot::new(id, order);
    }

    /// Removes the order at a position.
    #[inline]
    pub(crate) fn remove(&mut self, position: Position) {
        let remaining = self.remaining(position);
        self.take(position, remaining);
    }

    /// Removes all orders.
    pub(crate) fn clear(&mut self) {
        self.slots.clear();
        self.len = 0;
    }

    /// All orders, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (OrderId, Order)> + '_ {
        self.slots.iter().filter(|slot| !slot.is_free()).map(|slot| (slot.id, slot.order()))
    }

    #[inline]
    fn home(&self, id: OrderId) -> usize {
        #[allow(clippy::cast_possible_truncation, reason = "the low bits of a hash are as good as all of them")]
        let hash = self.hasher.hash_one(id.0) as usize;
        hash & (self.slots.len() - 1)
    }

    #[inline]
    fn next(&self, position: usize) -> usize {
        (position + 1) & (self.slots.len() - 1)
    }

    #[inline]
    fn place(&mut self, slot: Slot) {
        let mut position = self.home(slot.id);
        while !self.slots[position].is_free() {
            position = self.next(position);
        }
        self.slots[position] = slot;
    }

    #[cold]
    fn grow(&mut self) {
        let count = (self.slots.len() * 2).max(Self::SLOTS_MIN);
        let before = std::mem::replace(&mut self.slots, vec![FREE; count]);
        for slot in before.into_iter().filter(|slot| !slot.is_free()) {
            self.place(slot);
        }
    }

    /// Moves those behind a free slot up, so that probing never has to pass a gap.
    #[inline]
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
    #[inline]
    fn new(id: OrderId, order: &Order) -> Slot {
        let Order { server, side, price, quantity, condition } = *order;
        Slot { id, price, quantity, server: server.map_or(0, |server| server.0 + 1), side, condition }
    }

    #[inline]
    fn is_free(&self) -> bool {
        self.quantity == Shares(0)
    }

    #[inline]
    fn order(&self) -> Order {
        let Slot { price, quantity, side, condition, .. } = *self;
        Order { server: self.server.checked_sub(1).map(ServerIndex), side, price, quantity, condition }
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

    fn order(quantity: u64) -> Order {
        let price = Price::from_ten_thousandths(quantity);
        let (server, condition) = (Some(ServerIndex(7)), Condition::Funari);
        Order { server, side: Side::Offer, price, quantity: Shares(quantity), condition }
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
                    (Some(position), _) => {
                        table.set(position, &order(quantity));
                        map.insert(id, order(quantity));
                    }
                    (None, _) => {
                        table.insert(id, &order(quantity + 1));
                        prop_assert!(map.insert(id, order(quantity + 1)).is_none());
                    }
                }
                prop_assert_eq!(table.len(), map.len());
                prop_assert!(map.keys().all(|&id| table.find(id).map(|at| table.at(at)) == map.get(&id).copied()));
                prop_assert_eq!(table.iter().collect::<BTreeMap<_, _>>(), map.clone());
            }
        }
    }
}
