//! The live orders of one issue, by number.
//!
//! A number has one home, a cache line with room for three orders, so that finding an order costs one miss and removing
//! it moves nothing. What finds its home full goes elsewhere, to a general map; so does what does not fit the 21 bytes
//! that an order has there. Homes are half full at most. Numbers are hashed under a key drawn at random, because they are
//! chosen by those who are measured.

use crate::own::Entry;
use crate::prefetch::prefetch;
use crate::{Holder, Order};
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use quoteclock_model::{Condition, OrderId, Price, ServerIndex, Shares, Side};
use std::hash::BuildHasher;

/// Orders by number.
#[derive(Clone, Debug, Default)]
pub(crate) struct OrderTable {
    /// A power of two of them, or none.
    homes: Vec<Home>,
    /// Orders at home and elsewhere.
    len: usize,
    hasher: RandomState,
    elsewhere: HashMap<OrderId, Resting, RandomState>,
}

/// What is kept of an order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Resting {
    pub(crate) order: Order,
    pub(crate) holder: Option<Holder>,
    /// Its place among the holder's own quotes.
    pub(crate) entry: Entry,
}

/// A cache line: three orders, field by field.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Home {
    ids: [u64; Home::PLACES],
    /// In ten-thousandths; 0 for none.
    prices: [u32; Home::PLACES],
    quantities: [u32; Home::PLACES],
    /// See [`Bits`].
    bits: [u32; Home::PLACES],
    /// The holder's number; 0 for none.
    holders: [u8; Home::PLACES],
    /// Which places are taken, in the lowest three bits; then how many orders had to go elsewhere, 31 for that many and
    /// more, from then on.
    state: u8,
}

/// What an order has besides numbers: one more than its server's index (0 for none), its entry, side and condition.
struct Bits;

impl Bits {
    const SERVER: u32 = (1 << 21) - 1;
    const ENTRY_SHIFT: u32 = 21;
    const ENTRY: u32 = 0b11_1111;
    const OFFER: u32 = 1 << 27;
    const CONDITION_SHIFT: u32 = 28;
}

impl Home {
    const PLACES: usize = 3;
    const TAKEN: u8 = 0b111;
    const ELSEWHERE_ONE: u8 = 1 << 3;
    const ELSEWHERE_MANY: u8 = !Self::TAKEN;
    const EMPTY: Home =
        Home { ids: [0; 3], prices: [0; 3], quantities: [0; 3], bits: [0; 3], holders: [0; 3], state: 0 };

    /// The place of the order with this number; [`Home::PLACES`] or more if it is not here.
    #[inline(always)]
    fn place(&self, id: OrderId) -> usize {
        let [first, second, third] = self.ids.map(|at| u8::from(at == id.0));
        let here = (first | second << 1 | third << 2) & self.state;
        here.trailing_zeros() as usize
    }

    #[inline(always)]
    fn has_elsewhere(&self) -> bool {
        Self::ELSEWHERE_ONE <= self.state
    }

    #[inline(always)]
    fn at(&self, place: usize) -> Resting {
        let bits = self.bits[place];
        let condition = match bits >> Bits::CONDITION_SHIFT {
            0 => Condition::None,
            1 => Condition::OnOpen,
            2 => Condition::OnClose,
            3 => Condition::Funari,
            _ => Condition::Ioc,
        };
        let order = Order {
            server: (bits & Bits::SERVER).checked_sub(1).map(ServerIndex),
            side: if bits & Bits::OFFER == 0 { Side::Bid } else { Side::Offer },
            price: Price::from_ten_thousandths(u64::from(self.prices[place])),
            quantity: Shares(u64::from(self.quantities[place])),
            condition,
        };
        let entry = (bits >> Bits::ENTRY_SHIFT & Bits::ENTRY) as u8;
        Resting { order, holder: Holder::numbered(u32::from(self.holders[place])), entry: Entry(entry) }
    }

    /// Puts an order at a place, if it fits.
    #[inline(always)]
    fn put(&mut self, place: usize, id: OrderId, resting: &Resting) -> Option<()> {
        let Resting { order, holder, entry } = resting;
        let price = u32::try_from(order.price.map_or(0, Price::ten_thousandths)).ok()?;
        let quantity = u32::try_from(order.quantity.0).ok()?;
        let holder = u8::try_from(holder.map_or(0, Holder::number)).ok()?;
        let server = order.server.map_or(0, |server| server.0.saturating_add(1));
        if Bits::SERVER < server || Bits::ENTRY < u32::from(entry.0) {
            return None;
        }
        let offer = if order.side == Side::Offer { Bits::OFFER } else { 0 };
        let condition = (order.condition as u32) << Bits::CONDITION_SHIFT;
        self.ids[place] = id.0;
        self.prices[place] = price;
        self.quantities[place] = quantity;
        self.bits[place] = server | u32::from(entry.0) << Bits::ENTRY_SHIFT | offer | condition;
        self.holders[place] = holder;
        self.state |= 1 << place;
        Some(())
    }
}

/// Where an order stands. Good until the next change of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Position {
    Home { home: usize, place: usize },
    Elsewhere(OrderId),
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
        let home = self.home(id);
        let found = self.homes.get(home)?;
        let place = found.place(id);
        if place < Home::PLACES {
            return Some(Position::Home { home, place });
        }
        if found.has_elsewhere() { self.find_elsewhere(id) } else { None }
    }

    #[cold]
    fn find_elsewhere(&self, id: OrderId) -> Option<Position> {
        self.elsewhere.contains_key(&id).then_some(Position::Elsewhere(id))
    }

    /// The order at a position.
    #[inline(always)]
    pub(crate) fn at(&self, position: Position) -> Resting {
        match position {
            Position::Home { home, place } => self.homes[home].at(place),
            Position::Elsewhere(id) => self.elsewhere[&id],
        }
    }

    /// Leaves so much of the order at a position, not more than before; it is gone when nothing remains.
    #[inline(always)]
    pub(crate) fn leave(&mut self, position: Position, remaining: Shares) {
        match position {
            Position::Home { home, place } => {
                let gone = remaining == Shares(0);
                let home = &mut self.homes[home];
                home.quantities[place] = u32::try_from(remaining.0).expect("it was more before");
                home.state &= !(u8::from(gone) << place);
                self.len -= usize::from(gone);
            }
            Position::Elsewhere(id) => self.leave_elsewhere(id, remaining),
        }
    }

    #[cold]
    fn leave_elsewhere(&mut self, id: OrderId, remaining: Shares) {
        if remaining != Shares(0) {
            self.elsewhere.get_mut(&id).expect("it stands there").order.quantity = remaining;
            return;
        }
        self.elsewhere.remove(&id);
        self.len -= 1;
        let home = self.home(id);
        let state = &mut self.homes[home].state;
        if *state < Home::ELSEWHERE_MANY {
            *state -= Home::ELSEWHERE_ONE;
        }
    }

    /// Enters an order, of which something remains and whose number is not in the table.
    #[inline(always)]
    pub(crate) fn insert(&mut self, id: OrderId, resting: &Resting) {
        assert!(resting.order.quantity != Shares(0), "an order without shares");
        if self.homes.len() * Home::PLACES < (self.len + 1) * 2 {
            self.grow();
        }
        self.len += 1;
        let home = self.home(id);
        let found = &mut self.homes[home];
        let place = found.state.trailing_ones() as usize;
        if Home::PLACES <= place || found.put(place, id, resting).is_none() {
            self.insert_elsewhere(id, *resting);
        }
    }

    #[cold]
    fn insert_elsewhere(&mut self, id: OrderId, resting: Resting) {
        let home = self.home(id);
        let state = &mut self.homes[home].state;
        if *state < Home::ELSEWHERE_MANY {
            *state += Home::ELSEWHERE_ONE;
        }
        self.elsewhere.insert(id, resting);
    }

    /// Removes all orders.
    pub(crate) fn clear(&mut self) {
        *self = OrderTable::default();
    }

    /// All orders, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (OrderId, Resting)> + '_ {
        let at_home = self.homes.iter().flat_map(|home| {
            let places = (0..Home::PLACES).filter(|place| home.state >> place & 1 != 0);
            places.map(|place| (OrderId(home.ids[place]), home.at(place)))
        });
        at_home.chain(self.elsewhere.iter().map(|(&id, &resting)| (id, resting)))
    }

    /// Fetches where the order would stand, for when it is looked for.
    #[inline(always)]
    pub(crate) fn prefetch(&self, id: OrderId) {
        if let Some(home) = self.homes.get(self.home(id)) {
            prefetch(home);
        }
    }

    #[inline(always)]
    fn home(&self, id: OrderId) -> usize {
        #[allow(clippy::cast_possible_truncation, reason = "the low bits of a hash are as good as all of them")]
        let hash = self.hasher.hash_one(id.0) as usize;
        hash & self.homes.len().wrapping_sub(1)
    }

    #[cold]
    fn grow(&mut self) {
        let count = (self.homes.len() * 2).max(Self::HOMES_MIN);
        let hasher = self.hasher.clone();
        let homes = vec![Home::EMPTY; count];
        let before = std::mem::replace(self, OrderTable { homes, hasher, ..OrderTable::default() });
        for (id, resting) in before.iter() {
            self.insert(id, &resting);
        }
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

    /// Orders that fit a home and orders that do not, by one in each of what they have.
    fn resting(kind: u64, quantity: u64) -> Resting {
        const WIDE: u64 = u32::MAX as u64;
        let (price, quantity, server, holder) = match kind % 8 {
            0 => (WIDE, quantity, Some(7), None),
            1 => (WIDE + 1, quantity, Some(7), None),
            2 => (5, WIDE, None, Some(255)),
            3 => (5, WIDE + quantity, None, Some(255)),
            4 => (0, quantity, Some((1 << 21) - 2), Some(1)),
            5 => (0, quantity, Some((1 << 21) - 1), Some(1)),
            6 => (9, quantity, Some(u32::MAX), Some(255)),
            _ => (9, quantity, Some(0), Some(256)),
        };
        let conditions = [Condition::None, Condition::OnOpen, Condition::OnClose, Condition::Funari, Condition::Ioc];
        let order = Order {
            server: server.map(ServerIndex),
            side: if kind.is_multiple_of(3) { Side::Bid } else { Side::Offer },
            price: Price::from_ten_thousandths(price),
            quantity: Shares(quantity),
            condition: conditions[(kind % 5) as usize],
        };
        Resting { order, holder: holder.and_then(Holder::numbered), entry: Entry((kind % 64) as u8) }
    }

    proptest! {
        #[test]
        fn the_table_is_a_map(steps in proptest::collection::vec((0..90_u64, 0..40_u64, 0..5_u64), 0..600)) {
            let mut table = OrderTable::default();
            let mut map: BTreeMap<OrderId, Resting> = BTreeMap::new();
            for (id, kind, quantity) in steps {
                // Numbers far apart and close together.
                let id = OrderId(if id % 2 == 0 { id } else { id << 40 });
                match table.find(id) {
                    Some(position) => {
                        let left = Shares(quantity.min(table.at(position).order.quantity.0));
                        table.leave(position, left);
                        match left {
                            Shares(0) => drop(map.remove(&id)),
                            left => map.get_mut(&id).expect("the same").order.quantity = left,
                        }
                    }
                    None => {
                        table.insert(id, &resting(kind, quantity + 1));
                        prop_assert!(map.insert(id, resting(kind, quantity + 1)).is_none());
                    }
                }
                prop_assert_eq!(table.len(), map.len());
                prop_assert!(map.iter().all(|(&id, resting)| table.find(id).map(|at| table.at(at)) == Some(*resting)));
                prop_assert_eq!(table.iter().collect::<BTreeMap<_, _>>(), map.clone());
            }
        }
    }
}
