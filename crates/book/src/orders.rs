//! The live orders of one issue, by number.
//!
//! A number has one home, a cache line with room for three orders, so that finding an order costs one miss and removing
//! it moves nothing. What finds its home full goes elsewhere: to one of three homes beside it, or if they are full too to a
//! general map; to the map also goes what does not fit the 21 bytes that an order has in a home. Homes are a third full at most,
//! so that few orders are elsewhere. A number's home depends on a key drawn at random, because numbers are chosen by those
//! who are measured.

use crate::home::{Bits, Home, Resting};
use crate::own::{Entry, OwnQuotes, Quote};
use crate::prefetch::prefetch_at;
use crate::{Holder, UsualChange, UsualOrder};
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use quoteclock_model::{OrderId, Shares};
use std::hash::BuildHasher;
use std::num::NonZeroU32;
use zerocopy::FromZeros;

/// Orders by number.
#[derive(Clone, Debug)]
pub(crate) struct OrderTable {
    /// A power of two of them, or none.
    homes: Vec<Home>,
    /// How many more orders may come before there have to be more homes.
    room: usize,
    /// Odd, and drawn at random.
    key: u64,
    /// What is left of 64 bits beyond those that tell a home.
    shift: u32,
    map: HashMap<OrderId, Resting, RandomState>,
}

/// Where an order stands among the homes: its own, or one beside it. Good until the next change of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Seat {
    own: usize,
    at: usize,
    place: usize,
}

/// Where an order stands. Good until the next change of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Position {
    Home(Seat),
    Map(OrderId),
}

impl Default for OrderTable {
    fn default() -> OrderTable {
        let map: HashMap<OrderId, Resting, RandomState> = HashMap::default();
        let key = map.hasher().hash_one(0_u64) | 1;
        OrderTable { homes: Vec::new(), room: 0, key, shift: 0, map }
    }
}

impl OrderTable {
    const HOMES_MIN: usize = 16;

    /// Enters an order, whose own quotes, if it has a holder, are among `own`. `None` if anything about it is unusual; then
    /// nothing has changed.
    #[inline(always)]
    pub(crate) fn add_usual(
        &mut self,
        own: &mut [OwnQuotes],
        id: OrderId,
        order: &UsualOrder,
        holder: Option<Holder>,
    ) -> Option<()> {
        let server = order.server.map_or(0, |server| server.0.saturating_add(1));
        let room = self.room.checked_sub(1)?;
        if Bits::SERVER < server {
            return None;
        }
        let at = self.home(id);
        let place = self.homes.get(at)?.place_for(id);
        let seat = if place < Home::PLACES { None } else { Some(self.free_beside(at, id)?) };
        let quote = Quote { price: order.price.get(), shares: order.shares.get() };
        let (mut number, mut entry) = (0, Entry(0));
        if let Some(holder) = holder {
            number = u8::try_from(holder.number()).ok()?;
            entry = own[holder.index()].few_mut(order.side)?.add(order.side, quote)?;
        }
        self.room = room;
        let bits = Bits::of(server, entry, order.side);
        match seat {
            None => self.homes[at].set(place, id, bits, number, quote),
            Some(seat) => self.sit(seat, id, bits, number, quote),
        }
        Some(())
    }

    /// Takes shares off an order, all that remain if none are given. `None` if anything about it is unusual; then nothing
    /// has changed.
    #[inline(always)]
    pub(crate) fn take_usual(
        &mut self,
        own: &mut [OwnQuotes],
        id: OrderId,
        shares: Option<NonZeroU32>,
    ) -> Option<UsualChange> {
        let at = self.home(id);
        let home = self.homes.get_mut(at)?;
        let place = home.place(id);
        if place < Home::PLACES {
            let change = home.take(place, own, shares)?;
            self.room += usize::from(home.quantities[place] == 0);
            return Some(change);
        }
        if home.has_elsewhere() { self.take_beside(own, at, id, shares) } else { None }
    }

    /// The same of an order that is not at home.
    #[inline(never)]
    fn take_beside(
        &mut self,
        own: &mut [OwnQuotes],
        home: usize,
        id: OrderId,
        shares: Option<NonZeroU32>,
    ) -> Option<UsualChange> {
        let Seat { at, place, .. } = self.seat_beside(home, id)?;
        let change = self.homes[at].take(place, own, shares)?;
        if self.homes[at].state >> place & 1 == 0 {
            self.room += 1;
            self.homes[home].discount_elsewhere();
        }
        Some(change)
    }

    /// Takes shares off two orders. `None` if anything about either is unusual, or they are one; then nothing has changed.
    #[inline(always)]
    pub(crate) fn take_both_usual(
        &mut self,
        own: &mut [OwnQuotes],
        [first, second]: [OrderId; 2],
        shares: NonZeroU32,
    ) -> Option<[UsualChange; 2]> {
        let Seat { at, place, .. } = self.seat(second)?;
        let found = &self.homes[at];
        let is_usual = found.bits[place] & Bits::NO_QUOTE == 0 && shares.get() <= found.quantities[place];
        let is_few = |holder: Holder| own[holder.index()].few_mut(Bits::side(found.bits[place])).is_some();
        if first == second || !is_usual || !found.holder(place).is_none_or(is_few) {
            return None;
        }
        let first = self.take_usual(own, first, Some(shares))?;
        let second = self.take_usual(own, second, Some(shares)).expect("looked at before");
        Some([first, second])
    }

    /// Changes an order; what is not given stays as it was. `None` if anything about it is unusual; then nothing has
    /// changed.
    #[inline(always)]
    pub(crate) fn replace_usual(
        &mut self,
        own: &mut [OwnQuotes],
        id: OrderId,
        id_new: OrderId,
        price: Option<NonZeroU32>,
        shares: Option<NonZeroU32>,
    ) -> Option<UsualChange> {
        let (at, at_new) = (self.home(id), self.home(id_new));
        let (home, home_new) = (self.homes.get(at)?, self.homes.get(at_new)?);
        let place = home.place(id);
        let place_new = if id_new == id { place } else { home_new.place_for(id_new) };
        if place < Home::PLACES && place_new < Home::PLACES {
            let (change, number) = self.homes[at].change(place, own, price, shares)?;
            self.homes[at_new].set(place_new, id_new, change.bits, number, change.added);
            return Some(change);
        }
        self.replace_beside(own, id, id_new, price, shares)
    }

    /// The same where not both are at home.
    #[inline(never)]
    fn replace_beside(
        &mut self,
        own: &mut [OwnQuotes],
        id: OrderId,
        id_new: OrderId,
        price: Option<NonZeroU32>,
        shares: Option<NonZeroU32>,
    ) -> Option<UsualChange> {
        let seat = self.seat(id)?;
        let seat_new = if id_new == id { seat } else { self.free(id_new)? };
        let (change, number) = self.homes[seat.at].change(seat.place, own, price, shares)?;
        if seat.at != seat.own {
            self.homes[seat.own].discount_elsewhere();
        }
        self.sit(seat_new, id_new, change.bits, number, change.added);
        Some(change)
    }

    /// Where the order with this number stands, if among the homes.
    #[inline(always)]
    fn seat(&self, id: OrderId) -> Option<Seat> {
        let own = self.home(id);
        let home = self.homes.get(own)?;
        let place = home.place(id);
        if place < Home::PLACES {
            return Some(Seat { own, at: own, place });
        }
        if home.has_elsewhere() { self.seat_beside(own, id) } else { None }
    }

    #[inline(never)]
    fn seat_beside(&self, own: usize, id: OrderId) -> Option<Seat> {
        beside(own).into_iter().find_map(|at| {
            let place = self.homes[at].place(id);
            (place < Home::PLACES).then_some(Seat { own, at, place })
        })
    }

    /// Where an order with this number would go among the homes, if it is certain that none has it and there is room.
    #[inline(always)]
    fn free(&self, id: OrderId) -> Option<Seat> {
        let own = self.home(id);
        let home = self.homes.get(own)?;
        let place = home.place_for(id);
        if place < Home::PLACES { Some(Seat { own, at: own, place }) } else { self.free_beside(own, id) }
    }

    #[inline(never)]
    fn free_beside(&self, own: usize, id: OrderId) -> Option<Seat> {
        if self.find(id).is_some() {
            return None;
        }
        let mut homes = [own].into_iter().chain(beside(own));
        homes.find_map(|at| Some(Seat { own, at, place: self.homes[at].free()? }))
    }

    /// Puts an order on a free seat.
    #[inline(always)]
    fn sit(&mut self, seat: Seat, id: OrderId, bits: u32, holder: u8, quote: Quote) {
        self.homes[seat.at].set(seat.place, id, bits, holder, quote);
        if seat.at != seat.own {
            self.homes[seat.own].count_elsewhere();
        }
    }

    /// Number of orders.
    pub(crate) fn len(&self) -> usize {
        Self::room_in(self.homes.len()) - self.room
    }

    /// How many orders so many homes are for: a third of their places.
    fn room_in(homes: usize) -> usize {
        homes
    }

    /// Where the order with this number stands.
    pub(crate) fn find(&self, id: OrderId) -> Option<Position> {
        match self.seat(id) {
            Some(seat) => Some(Position::Home(seat)),
            None => self.map.contains_key(&id).then_some(Position::Map(id)),
        }
    }

    /// The order at a position.
    pub(crate) fn at(&self, position: Position) -> Resting {
        match position {
            Position::Home(Seat { at, place, .. }) => self.homes[at].at(place),
            Position::Map(id) => self.map[&id],
        }
    }

    /// Leaves so much of the order at a position, not more than before; it is gone when nothing remains.
    pub(crate) fn leave(&mut self, position: Position, remaining: Shares) {
        let gone = remaining == Shares(0);
        match position {
            Position::Home(Seat { own, at, place }) => {
                let found = &mut self.homes[at];
                found.quantities[place] = u32::try_from(remaining.0).expect("it was more before");
                found.state &= !(u8::from(gone) << place);
                if gone && at != own {
                    self.homes[own].discount_elsewhere();
                }
            }
            Position::Map(id) if gone => {
                self.map.remove(&id);
                let own = self.home(id);
                self.homes[own].discount_elsewhere();
            }
            Position::Map(id) => {
                self.map.get_mut(&id).expect("it stands there").order.quantity = remaining;
            }
        }
        self.room += usize::from(gone);
    }

    /// Enters an order, of which something remains and whose number is not in the table.
    pub(crate) fn insert(&mut self, id: OrderId, resting: &Resting) {
        assert!(resting.order.quantity != Shares(0), "an order without shares");
        if self.room == 0 {
            self.grow();
        }
        self.room -= 1;
        let own = self.home(id);
        for at in [own].into_iter().chain(beside(own)) {
            let home = &mut self.homes[at];
            if let Some(place) = home.free()
                && home.put(place, id, resting).is_some()
            {
                if at != own {
                    self.homes[own].count_elsewhere();
                }
                return;
            }
        }
        self.homes[own].count_elsewhere();
        self.map.insert(id, *resting);
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
        at_home.chain(self.map.iter().map(|(&id, &resting)| (id, resting)))
    }

    /// Fetches where the order would stand, for when it is looked for.
    #[inline(always)]
    pub(crate) fn prefetch(&self, id: OrderId) {
        prefetch_at(&self.homes, self.home(id));
    }

    /// The home of a number: the upper bits of its product with the key, so that numbers that follow each other, as most do,
    /// are spread evenly, and any two meet by chance only.
    #[inline(always)]
    fn home(&self, id: OrderId) -> usize {
        #[allow(clippy::cast_possible_truncation, reason = "no more bits are left than tell a home")]
        let home = (id.0.wrapping_mul(self.key) >> (self.shift & 63)) as usize;
        home
    }

    #[cold]
    fn grow(&mut self) {
        let count = (self.homes.len() * 2).max(Self::HOMES_MIN);
        let homes = Home::new_vec_zeroed(count).expect("memory for the orders of an issue");
        let shift = u64::BITS - count.trailing_zeros();
        let before = std::mem::take(self);
        *self = OrderTable { homes, room: Self::room_in(count), key: before.key, shift, ..OrderTable::default() };
        for (id, resting) in before.iter() {
            self.insert(id, &resting);
        }
    }
}

/// The homes beside this one.
fn beside(own: usize) -> [usize; 3] {
    [1, 2, 3].map(|step| own ^ step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Order;
    use proptest::prelude::*;
    use quoteclock_model::{Condition, Price, ServerIndex, Side};
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
