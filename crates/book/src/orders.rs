//! The live orders of one issue, by number.
//!
//! A number has one home, a cache line with room for two orders, so that finding an order costs one miss and removing it
//! moves nothing. What finds its home full goes to a further table, which is small because homes are at most a third full
//! on average. Numbers are hashed under a key drawn at random, because they are chosen by those who are measured.

use crate::own::Entry;
use crate::prefetch::prefetch;
use crate::{Holder, Order};
use foldhash::fast::RandomState;
use quoteclock_model::{Condition, OrderId, Price, ServerIndex, Shares, Side};
use std::hash::BuildHasher;

/// Orders by number.
#[derive(Clone, Debug, Default)]
pub(crate) struct OrderTable {
    /// A power of two of them, or none.
    homes: Vec<Home>,
    /// For each home, how many orders had to go further: 255 for that many and more, from then on.
    further_counts: Vec<u8>,
    /// Orders in this table and those beyond it.
    len: usize,
    hasher: RandomState,
    beyond: Option<Box<OrderTable>>,
}

/// A cache line.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Home([Slot; 2]);

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
        Price::from_ten_thousandths(self.0 & Terms::PRICE)
    }

    #[inline(always)]
    pub(crate) fn side(self) -> Side {
        if self.0 & Terms::OFFER == 0 { Side::Bid } else { Side::Offer }
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
}

const FREE: Slot = Slot { id: OrderId(0), terms: Terms(0), quantity: Shares(0), server: 0, holder: None };

/// Where an order stands, or can be put. Good until the next change of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Position {
    /// How many tables beyond the first.
    depth: u32,
    home: u32,
    place: u32,
}

impl OrderTable {
    const HOMES_MIN: usize = 8;

    /// Number of orders.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Where the order with this number stands.
    #[inline(always)]
    pub(crate) fn find(&self, id: OrderId) -> Option<Position> {
        if self.homes.is_empty() {
            return None;
        }
        let home = self.home(id);
        let [first, second] = &self.homes[home].0;
        let place = usize::from(second.is(id));
        if first.is(id) | second.is(id) {
            return Some(position(home, place));
        }
        self.find_beyond(id, home)
    }

    #[inline]
    fn find_beyond(&self, id: OrderId, home: usize) -> Option<Position> {
        match &self.beyond {
            Some(beyond) if self.further_counts[home] != 0 => beyond.find_cold(id),
            _ => None,
        }
    }

    #[cold]
    fn find_cold(&self, id: OrderId) -> Option<Position> {
        self.find(id).map(Position::one_further)
    }

    /// Where an order with this number can be put; `None` if one stands in the table.
    #[inline(always)]
    pub(crate) fn vacancy(&mut self, id: OrderId) -> Option<Position> {
        if self.homes.len() * 2 < (self.len + 1) * 3 {
            self.grow();
        }
        let home = self.home(id);
        let [first, second] = &self.homes[home].0;
        if first.is(id) | second.is(id) || self.find_beyond(id, home).is_some() {
            return None;
        }
        match (first.is_free(), second.is_free()) {
            (true, _) => Some(position(home, 0)),
            (false, true) => Some(position(home, 1)),
            (false, false) => self.vacancy_beyond(id),
        }
    }

    #[cold]
    fn vacancy_beyond(&mut self, id: OrderId) -> Option<Position> {
        self.beyond.get_or_insert_default().vacancy(id).map(Position::one_further)
    }

    /// The order at a position.
    #[inline(always)]
    pub(crate) fn at(&self, position: Position) -> &Slot {
        match position.depth {
            0 => &self.homes[position.home as usize].0[position.place as usize],
            _ => self.beyond.as_ref().expect("a position of a table beyond").at_cold(position.one_nearer()),
        }
    }

    #[cold]
    fn at_cold(&self, position: Position) -> &Slot {
        self.at(position)
    }

    /// The order at a position. It keeps its number, and something of it remains.
    #[inline(always)]
    pub(crate) fn at_mut(&mut self, position: Position) -> &mut Slot {
        match position.depth {
            0 => &mut self.homes[position.home as usize].0[position.place as usize],
            _ => self.beyond.as_mut().expect("a position of a table beyond").at_mut_cold(position.one_nearer()),
        }
    }

    #[cold]
    fn at_mut_cold(&mut self, position: Position) -> &mut Slot {
        self.at_mut(position)
    }

    /// Puts an order where its number has a vacancy.
    #[inline(always)]
    pub(crate) fn put(&mut self, vacancy: Position, slot: Slot) {
        assert!(!slot.is_free(), "an order without shares");
        match vacancy.depth {
            0 => self.homes[vacancy.home as usize].0[vacancy.place as usize] = slot,
            _ => self.put_beyond(vacancy, slot),
        }
        self.len += 1;
    }

    #[cold]
    fn put_beyond(&mut self, vacancy: Position, slot: Slot) {
        let home = self.home(slot.id);
        let count = &mut self.further_counts[home];
        *count = count.saturating_add(1);
        self.beyond.as_mut().expect("a vacancy of a table beyond").put(vacancy.one_nearer(), slot);
    }

    /// Removes the order at a position.
    #[inline(always)]
    pub(crate) fn remove(&mut self, position: Position) {
        match position.depth {
            0 => self.homes[position.home as usize].0[position.place as usize].quantity = Shares(0),
            _ => self.remove_beyond(position),
        }
        self.len -= 1;
    }

    #[cold]
    fn remove_beyond(&mut self, position: Position) {
        let home = self.home(self.at(position).id);
        let count = &mut self.further_counts[home];
        if *count < u8::MAX {
            *count -= 1;
        }
        self.beyond.as_mut().expect("a position of a table beyond").remove(position.one_nearer());
    }

    /// Removes all orders.
    pub(crate) fn clear(&mut self) {
        *self = OrderTable { hasher: self.hasher.clone(), ..OrderTable::default() };
    }

    /// All orders, in no order.
    pub(crate) fn iter(&self) -> Box<dyn Iterator<Item = &Slot> + '_> {
        let here = self.homes.iter().flat_map(|home| &home.0).filter(|slot| !slot.is_free());
        Box::new(here.chain(self.beyond.iter().flat_map(|beyond| beyond.iter())))
    }

    /// Fetches where the order would stand, for when it is looked for.
    #[inline(always)]
    pub(crate) fn prefetch(&self, id: OrderId) {
        let home = self.hash(id) & self.homes.len().wrapping_sub(1);
        if let Some(home) = self.homes.get(home) {
            prefetch(home);
        }
    }

    #[inline(always)]
    fn hash(&self, id: OrderId) -> usize {
        #[allow(clippy::cast_possible_truncation, reason = "the low bits of a hash are as good as all of them")]
        let hash = self.hasher.hash_one(id.0) as usize;
        hash
    }

    #[inline(always)]
    fn home(&self, id: OrderId) -> usize {
        self.hash(id) & (self.homes.len() - 1)
    }

    #[cold]
    fn grow(&mut self) {
        let count = (self.homes.len() * 2).max(Self::HOMES_MIN);
        let hasher = self.hasher.clone();
        let before = std::mem::replace(self, OrderTable { hasher, ..OrderTable::default() });
        self.homes = vec![Home([FREE; 2]); count];
        self.further_counts = vec![0; count];
        for slot in before.iter() {
            let vacancy = self.vacancy(slot.id).expect("each number is there once");
            self.put(vacancy, *slot);
        }
    }
}

#[inline(always)]
#[allow(clippy::cast_possible_truncation, reason = "a table of four billion homes does not fit a machine")]
fn position(home: usize, place: usize) -> Position {
    Position { depth: 0, home: home as u32, place: place as u32 }
}

impl Position {
    fn one_further(self) -> Position {
        Position { depth: self.depth + 1, ..self }
    }

    fn one_nearer(self) -> Position {
        Position { depth: self.depth - 1, ..self }
    }
}

impl Slot {
    #[inline(always)]
    pub(crate) fn new(id: OrderId, order: &Order, holder: Option<Holder>) -> Slot {
        let terms = Terms::new(order.side, order.price, order.condition);
        let server = order.server.map_or(0, |server| server.0 + 1);
        Slot { id, terms, quantity: order.quantity, server, holder }
    }

    /// Whether it holds the order with this number.
    #[inline(always)]
    fn is(&self, id: OrderId) -> bool {
        (self.id == id) & (self.quantity != Shares(0))
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
    fn a_home_is_a_cache_line() {
        assert_eq!((size_of::<Home>(), align_of::<Home>()), (64, 64));
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
        fn the_table_is_a_map(steps in proptest::collection::vec((0..90_u64, 0..5_u64), 0..600)) {
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
