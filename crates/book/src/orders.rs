//! The live orders of one issue, by number.
//!
//! A number has one bucket, a cache line with room for three orders, so that finding an order costs one miss and removing
//! it moves nothing. What finds its bucket full overflows: into one of three neighbours, or if they are full too into a
//! general map; into the map also goes what does not fit the 21 bytes that an order has in a bucket. Buckets are a third full
//! at most, so that few orders overflow. A number's bucket depends on a key drawn at random, because numbers are chosen by those
//! who are measured.

use crate::bucket::{Bits, Bucket, Resting};
use crate::own::{Entry, OwnQuotes, Quote};
use crate::prefetch::prefetch_at;
use crate::{CompactChange, CompactOrder, Holder};
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
    buckets: Vec<Bucket>,
    /// How many more orders may come before there have to be more buckets.
    room: usize,
    /// Odd, and drawn at random.
    key: u64,
    /// What is left of 64 bits beyond those that tell a bucket.
    shift: u32,
    map: HashMap<OrderId, Resting, RandomState>,
}

/// Where an order stands among the buckets: its own, or a neighbour. Good until the next change of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct BucketPlace {
    own: usize,
    at: usize,
    place: usize,
}

/// Where an order stands. Good until the next change of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Position {
    Bucket(BucketPlace),
    Map(OrderId),
}

/// What a change of an order gives anew; what it does not give stays as it was.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewTerms {
    pub(crate) price: Option<NonZeroU32>,
    pub(crate) shares: Option<NonZeroU32>,
}

impl Default for OrderTable {
    fn default() -> OrderTable {
        let map: HashMap<OrderId, Resting, RandomState> = HashMap::default();
        let key = map.hasher().hash_one(0_u64) | 1;
        OrderTable { buckets: Vec::new(), room: 0, key, shift: 0, map }
    }
}

impl OrderTable {
    const BUCKETS_MIN: usize = 16;

    /// Enters an order, whose own quotes, if it has a holder, are among `own`. `None` if anything about it is not compact; then
    /// nothing has changed.
    #[inline(always)]
    pub(crate) fn try_add(
        &mut self,
        own: &mut [OwnQuotes],
        id: OrderId,
        order: &CompactOrder,
        holder: Option<Holder>,
    ) -> Option<()> {
        let server = order.server.map_or(0, |server| server.0.saturating_add(1));
        let room = self.room.checked_sub(1)?;
        if Bits::SERVER < server {
            return None;
        }
        let at = self.bucket(id);
        let place = self.buckets.get(at)?.place_for(id);
        let found = if place < Bucket::PLACES { None } else { Some(self.free_overflow_place(at, id)?) };
        let quote = Quote { price: order.price.get(), shares: order.shares.get() };
        let (mut number, mut entry) = (0, Entry(0));
        if let Some(holder) = holder {
            number = u8::try_from(holder.number()).ok()?;
            entry = own[holder.index()].few_mut(order.side)?.add(order.side, quote)?;
        }
        self.room = room;
        let bits = Bits::of(server, entry, order.side);
        match found {
            None => self.buckets[at].set(place, id, bits, number, quote),
            Some(found) => self.place_at(found, id, bits, number, quote),
        }
        Some(())
    }

    /// Takes shares off an order, all that remain if none are given. `None` if anything about it is not compact; then nothing
    /// has changed.
    #[inline(always)]
    pub(crate) fn try_take(
        &mut self,
        own: &mut [OwnQuotes],
        id: OrderId,
        shares: Option<NonZeroU32>,
    ) -> Option<CompactChange> {
        let at = self.bucket(id);
        let bucket = self.buckets.get_mut(at)?;
        let place = bucket.place(id);
        if place < Bucket::PLACES {
            let change = bucket.take(place, own, shares)?;
            self.room += usize::from(bucket.quantities[place] == 0);
            return Some(change);
        }
        if bucket.has_overflow() { self.take_overflow(own, at, id, shares) } else { None }
    }

    /// The same of an order that is not in its own bucket.
    #[inline(never)]
    fn take_overflow(
        &mut self,
        own: &mut [OwnQuotes],
        bucket: usize,
        id: OrderId,
        shares: Option<NonZeroU32>,
    ) -> Option<CompactChange> {
        let BucketPlace { at, place, .. } = self.overflow_place(bucket, id)?;
        let change = self.buckets[at].take(place, own, shares)?;
        if self.buckets[at].state >> place & 1 == 0 {
            self.room += 1;
            self.buckets[bucket].discount_overflow();
        }
        Some(change)
    }

    /// Takes shares off two orders. `None` if anything about either is not compact, or they are one; then nothing has changed.
    #[inline(always)]
    pub(crate) fn try_take_both(
        &mut self,
        own: &mut [OwnQuotes],
        [first, second]: [OrderId; 2],
        shares: NonZeroU32,
    ) -> Option<[CompactChange; 2]> {
        let BucketPlace { at, place, .. } = self.place_of(second)?;
        let found = &self.buckets[at];
        let is_compact = found.bits[place] & Bits::NO_QUOTE == 0 && shares.get() <= found.quantities[place];
        let is_few = |holder: Holder| own[holder.index()].few_mut(Bits::side(found.bits[place])).is_some();
        if first == second || !is_compact || !found.holder(place).is_none_or(is_few) {
            return None;
        }
        let first = self.try_take(own, first, Some(shares))?;
        let second = self.try_take(own, second, Some(shares)).expect("looked at before");
        Some([first, second])
    }

    /// Changes an order; what is not given stays as it was. `None` if anything about it is not compact; then nothing has
    /// changed.
    #[inline(always)]
    pub(crate) fn try_replace(
        &mut self,
        own: &mut [OwnQuotes],
        [id, id_new]: [OrderId; 2],
        terms: NewTerms,
    ) -> Option<CompactChange> {
        let (at, at_new) = (self.bucket(id), self.bucket(id_new));
        let (bucket, bucket_new) = (self.buckets.get(at)?, self.buckets.get(at_new)?);
        let place = bucket.place(id);
        let place_new = if id_new == id { place } else { bucket_new.place_for(id_new) };
        if place < Bucket::PLACES && place_new < Bucket::PLACES {
            let (change, number) = self.buckets[at].change(place, own, terms.price, terms.shares)?;
            self.buckets[at_new].set(place_new, id_new, change.bits, number, change.added);
            return Some(change);
        }
        self.replace_overflow(own, [id, id_new], terms)
    }

    /// The same where not both are in their own buckets.
    #[inline(never)]
    fn replace_overflow(
        &mut self,
        own: &mut [OwnQuotes],
        [id, id_new]: [OrderId; 2],
        terms: NewTerms,
    ) -> Option<CompactChange> {
        let found = self.place_of(id)?;
        let place_new = if id_new == id { found } else { self.free(id_new)? };
        let (change, number) = self.buckets[found.at].change(found.place, own, terms.price, terms.shares)?;
        if found.at != found.own {
            self.buckets[found.own].discount_overflow();
        }
        self.place_at(place_new, id_new, change.bits, number, change.added);
        Some(change)
    }

    /// Where the order with this number stands, if among the buckets.
    #[inline(always)]
    fn place_of(&self, id: OrderId) -> Option<BucketPlace> {
        let own = self.bucket(id);
        let bucket = self.buckets.get(own)?;
        let place = bucket.place(id);
        if place < Bucket::PLACES {
            return Some(BucketPlace { own, at: own, place });
        }
        if bucket.has_overflow() { self.overflow_place(own, id) } else { None }
    }

    #[inline(never)]
    fn overflow_place(&self, own: usize, id: OrderId) -> Option<BucketPlace> {
        neighbours(own).into_iter().find_map(|at| {
            let place = self.buckets[at].place(id);
            (place < Bucket::PLACES).then_some(BucketPlace { own, at, place })
        })
    }

    /// Where an order with this number would go among the buckets, if it is certain that none has it and there is room.
    #[inline(always)]
    fn free(&self, id: OrderId) -> Option<BucketPlace> {
        let own = self.bucket(id);
        let bucket = self.buckets.get(own)?;
        let place = bucket.place_for(id);
        if place < Bucket::PLACES {
            Some(BucketPlace { own, at: own, place })
        } else {
            self.free_overflow_place(own, id)
        }
    }

    #[inline(never)]
    fn free_overflow_place(&self, own: usize, id: OrderId) -> Option<BucketPlace> {
        if self.find(id).is_some() {
            return None;
        }
        let mut buckets = [own].into_iter().chain(neighbours(own));
        buckets.find_map(|at| Some(BucketPlace { own, at, place: self.buckets[at].free()? }))
    }

    /// Puts an order on a free place.
    #[inline(always)]
    fn place_at(&mut self, found: BucketPlace, id: OrderId, bits: u32, holder: u8, quote: Quote) {
        self.buckets[found.at].set(found.place, id, bits, holder, quote);
        if found.at != found.own {
            self.buckets[found.own].count_overflow();
        }
    }

    /// Number of orders.
    pub(crate) fn len(&self) -> usize {
        Self::room_in(self.buckets.len()) - self.room
    }

    /// How many orders so many buckets are for: a third of their places.
    fn room_in(buckets: usize) -> usize {
        buckets
    }

    /// Where the order with this number stands.
    pub(crate) fn find(&self, id: OrderId) -> Option<Position> {
        match self.place_of(id) {
            Some(found) => Some(Position::Bucket(found)),
            None => self.map.contains_key(&id).then_some(Position::Map(id)),
        }
    }

    /// The order at a position.
    pub(crate) fn at(&self, position: Position) -> Resting {
        match position {
            Position::Bucket(BucketPlace { at, place, .. }) => self.buckets[at].at(place),
            Position::Map(id) => self.map[&id],
        }
    }

    /// Leaves so much of the order at a position, not more than before; it is gone when nothing remains.
    pub(crate) fn leave(&mut self, position: Position, remaining: Shares) {
        let gone = remaining == Shares(0);
        match position {
            Position::Bucket(BucketPlace { own, at, place }) => {
                let found = &mut self.buckets[at];
                found.quantities[place] = u32::try_from(remaining.0).expect("it was more before");
                found.state &= !(u8::from(gone) << place);
                if gone && at != own {
                    self.buckets[own].discount_overflow();
                }
            }
            Position::Map(id) if gone => {
                self.map.remove(&id);
                let own = self.bucket(id);
                self.buckets[own].discount_overflow();
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
        let own = self.bucket(id);
        for at in [own].into_iter().chain(neighbours(own)) {
            let bucket = &mut self.buckets[at];
            if let Some(place) = bucket.free()
                && bucket.put(place, id, resting).is_some()
            {
                if at != own {
                    self.buckets[own].count_overflow();
                }
                return;
            }
        }
        self.buckets[own].count_overflow();
        self.map.insert(id, *resting);
    }

    /// Enters the order at a place of another table's bucket; there is room for it.
    #[inline]
    fn take_in(&mut self, bucket: &Bucket, place: usize) {
        let id = OrderId(bucket.ids[place]);
        let own = self.bucket(id);
        match self.buckets[own].free() {
            Some(free) => {
                let quote = Quote { price: bucket.prices[place], shares: bucket.quantities[place] };
                self.buckets[own].set(free, id, bucket.bits[place], bucket.holders[place], quote);
                self.room -= 1;
            }
            None => self.insert(id, &bucket.at(place)),
        }
    }

    /// Removes all orders.
    pub(crate) fn clear(&mut self) {
        *self = OrderTable::default();
    }

    /// All orders, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (OrderId, Resting)> + '_ {
        let in_buckets = self.buckets.iter().flat_map(|bucket| {
            let places = (0..Bucket::PLACES).filter(|place| bucket.state >> place & 1 != 0);
            places.map(|place| (OrderId(bucket.ids[place]), bucket.at(place)))
        });
        in_buckets.chain(self.map.iter().map(|(&id, &resting)| (id, resting)))
    }

    /// Fetches where the order would stand, for when it is looked for.
    #[inline(always)]
    pub(crate) fn prefetch(&self, id: OrderId) {
        prefetch_at(&self.buckets, self.bucket(id));
    }

    /// The bucket of a number: the upper bits of its product with the key, so that numbers that follow each other, as most do,
    /// are spread evenly, and any two meet by chance only.
    #[inline(always)]
    fn bucket(&self, id: OrderId) -> usize {
        #[allow(clippy::cast_possible_truncation, reason = "no more bits are left than tell a bucket")]
        let bucket = (id.0.wrapping_mul(self.key) >> (self.shift & 63)) as usize;
        bucket
    }

    #[cold]
    fn grow(&mut self) {
        let count = (self.buckets.len() * 2).max(Self::BUCKETS_MIN);
        let buckets = Bucket::new_vec_zeroed(count).expect("memory for the orders of an issue");
        let shift = u64::BITS - count.trailing_zeros();
        let before = std::mem::take(self);
        *self = OrderTable { buckets, room: Self::room_in(count), key: before.key, shift, ..OrderTable::default() };
        for bucket in &before.buckets {
            for place in (0..Bucket::PLACES).filter(|place| bucket.state >> place & 1 != 0) {
                self.take_in(bucket, place);
            }
        }
        for (&id, resting) in &before.map {
            self.insert(id, resting);
        }
    }
}

/// The neighbours of a bucket.
fn neighbours(own: usize) -> [usize; 3] {
    [1, 2, 3].map(|step| own ^ step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Order;
    use proptest::prelude::*;
    use quoteclock_model::{OrderCondition, Price, ServerIndex, Side};
    use std::collections::BTreeMap;

    #[test]
    fn a_home_is_a_cache_line() {
        assert_eq!((size_of::<Bucket>(), align_of::<Bucket>()), (64, 64));
    }

    /// Orders that fit a bucket and orders that do not, by one in each of what they have.
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
        let conditions = [
            OrderCondition::None,
            OrderCondition::OnOpen,
            OrderCondition::OnClose,
            OrderCondition::Funari,
            OrderCondition::Ioc,
        ];
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
                prop_assert_eq!(table.find(id).map(|at| table.at(at)), map.get(&id).copied());
                // All of them now and then: each step would look at each order.
                if map.len().is_multiple_of(16) {
                    prop_assert_eq!(table.iter().collect::<BTreeMap<_, _>>(), map.clone());
                }
            }
            prop_assert!(map.iter().all(|(&id, resting)| table.find(id).map(|at| table.at(at)) == Some(*resting)));
            prop_assert_eq!(table.iter().collect::<BTreeMap<_, _>>(), map);
        }
    }
}
