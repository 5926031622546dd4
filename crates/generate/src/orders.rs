//! The live orders of all issues, in one slab, and the prices of one issue that they rest at.
//!
//! Orders of one price are a doubly linked list, oldest first. An issue keeps the 128 prices around its reference: a ring
//! of lists and one bit a price and side, so that the best price, or the next one beyond some price, is a rotation and a
//! count of zeros. The book is never locked or crossed, so the sides share the ring. Memory follows the live orders.

use quoteclock_model::Side;

/// No order, no agent.
pub(crate) const NONE: u32 = u32::MAX;

/// What kind of order it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Limit,
    /// A limit order that becomes a market order at the close.
    Funari,
    /// Waits for the opening, off the prices.
    OnOpen,
    /// Waits for the close, off the prices.
    OnClose,
    /// Without a limit, off the prices.
    Market,
}

impl Kind {
    /// Whether orders of the kind rest at a price.
    pub(crate) fn rests(self) -> bool {
        matches!(self, Kind::Limit | Kind::Funari)
    }
}

/// A live order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RestingOrder {
    pub(crate) id: u64,
    pub(crate) quantity: u32,
    /// The number of its price.
    pub(crate) tick: u32,
    prev: u32,
    next: u32,
    /// Whose quote it is, if a market maker's.
    pub(crate) agent: u32,
    /// Where the agent keeps it.
    pub(crate) slot: u16,
    pub(crate) side: Side,
    pub(crate) kind: Kind,
}

impl RestingOrder {
    /// An order of somebody who is no market maker.
    pub(crate) fn new(id: u64, side: Side, tick: u32, quantity: u32, kind: Kind) -> RestingOrder {
        RestingOrder { id, quantity, tick, prev: NONE, next: NONE, agent: NONE, slot: 0, side, kind }
    }

    /// The same as a quote of `agent`.
    pub(crate) fn of(self, agent: u32, slot: u16) -> RestingOrder {
        RestingOrder { agent, slot, ..self }
    }
}

/// The slab.
#[derive(Debug, Default)]
pub(crate) struct Orders {
    orders: Vec<RestingOrder>,
    free: Vec<u32>,
    live_max: u64,
}

impl Orders {
    pub(crate) fn insert(&mut self, order: RestingOrder) -> u32 {
        if let Some(at) = self.free.pop() {
            self.orders[at as usize] = order;
            return at;
        }
        let at = u32::try_from(self.orders.len()).ok().filter(|&at| at != NONE);
        self.orders.push(order);
        self.live_max += 1;
        at.expect("fewer live orders than 32 bits count")
    }

    pub(crate) fn remove(&mut self, at: u32) {
        self.free.push(at);
    }

    /// Orders live now.
    pub(crate) fn live(&self) -> u64 {
        self.live_max - u64::try_from(self.free.len()).expect("a length fits 64 bits")
    }

    /// The most that were live at once: a slab grows only when it is full.
    pub(crate) fn live_max(&self) -> u64 {
        self.live_max
    }

    /// The next younger order at the same price.
    pub(crate) fn younger(&self, at: u32) -> u32 {
        self.orders[at as usize].next
    }

    /// The next older order at the same price.
    pub(crate) fn older(&self, at: u32) -> u32 {
        self.orders[at as usize].prev
    }
}

impl std::ops::Index<u32> for Orders {
    type Output = RestingOrder;
    #[inline]
    fn index(&self, at: u32) -> &RestingOrder {
        &self.orders[at as usize]
    }
}

impl std::ops::IndexMut<u32> for Orders {
    #[inline]
    fn index_mut(&mut self, at: u32) -> &mut RestingOrder {
        &mut self.orders[at as usize]
    }
}

/// How many prices a ladder holds.
const WIDTH: u32 = 128;

/// The farthest from the reference that an order is placed; prices beyond it but inside the ladder leave time to follow.
pub(crate) const REACH: u32 = WIDTH / 2 - 4;

/// The prices of one issue around its reference, half of them below it.
#[derive(Debug)]
pub(crate) struct Ladder {
    /// Prices with orders, of each side: bit `tick % 128`.
    bits: [u128; 2],
    oldest: [u32; WIDTH as usize],
    youngest: [u32; WIDTH as usize],
}

const fn position(tick: u32) -> usize {
    (tick % WIDTH) as usize
}

const fn of_side(side: Side) -> usize {
    match side {
        Side::Bid => 0,
        Side::Offer => 1,
    }
}

/// The other side.
pub(crate) const fn opposite(side: Side) -> Side {
    match side {
        Side::Bid => Side::Offer,
        Side::Offer => Side::Bid,
    }
}

impl Ladder {
    pub(crate) fn new() -> Ladder {
        Ladder { bits: [0; 2], oldest: [NONE; WIDTH as usize], youngest: [NONE; WIDTH as usize] }
    }

    /// The price that leaves the ladder when the reference moves up, or down, from `reference`.
    pub(crate) fn leaving(reference: u32, up: bool) -> u32 {
        if up { reference - WIDTH / 2 } else { reference + WIDTH / 2 - 1 }
    }

    /// Whether a price is on the ladder.
    pub(crate) fn holds(tick: u32, reference: u32) -> bool {
        (reference - WIDTH / 2..reference + WIDTH / 2).contains(&tick)
    }

    /// Puts an order last at its price.
    pub(crate) fn push(&mut self, orders: &mut Orders, at: u32) {
        let RestingOrder { tick, side, .. } = orders[at];
        let position = position(tick);
        let last = std::mem::replace(&mut self.youngest[position], at);
        orders[at].prev = last;
        orders[at].next = NONE;
        match last {
            NONE => {
                self.oldest[position] = at;
                self.bits[of_side(side)] |= 1 << position;
            }
            last => orders[last].next = at,
        }
    }

    /// Takes an order off its price.
    pub(crate) fn unlink(&mut self, orders: &mut Orders, at: u32) {
        let RestingOrder { tick, side, prev, next, .. } = orders[at];
        let position = position(tick);
        match prev {
            NONE => self.oldest[position] = next,
            prev => orders[prev].next = next,
        }
        match next {
            NONE => self.youngest[position] = prev,
            next => orders[next].prev = prev,
        }
        if prev == NONE && next == NONE {
            self.bits[of_side(side)] &= !(1 << position);
        }
    }

    /// The oldest order at a price of the ladder.
    pub(crate) fn oldest(&self, tick: u32) -> u32 {
        self.oldest[position(tick)]
    }

    /// The youngest order at a price of the ladder.
    pub(crate) fn youngest(&self, tick: u32) -> u32 {
        self.youngest[position(tick)]
    }

    /// The best price of a side.
    #[inline]
    pub(crate) fn best(&self, side: Side, reference: u32) -> Option<u32> {
        Self::nearest(self.window(side, reference), side, reference)
    }

    /// The first price of a side at or beyond `from`, going away from the other side.
    pub(crate) fn beyond(&self, side: Side, from: u32, reference: u32) -> Option<u32> {
        let low = reference - WIDTH / 2;
        let offset = from.saturating_sub(low).min(WIDTH - 1);
        let mask = match side {
            Side::Bid => u128::MAX >> (WIDTH - 1 - offset),
            Side::Offer => u128::MAX << offset,
        };
        Self::nearest(self.window(side, reference) & mask, side, reference)
    }

    /// The prices of a side, the lowest of the ladder first.
    fn window(&self, side: Side, reference: u32) -> u128 {
        self.bits[of_side(side)].rotate_right((reference - WIDTH / 2) % WIDTH)
    }

    fn nearest(window: u128, side: Side, reference: u32) -> Option<u32> {
        let offset = match side {
            _ if window == 0 => return None,
            Side::Bid => WIDTH - 1 - window.leading_zeros(),
            Side::Offer => window.trailing_zeros(),
        };
        Some(reference - WIDTH / 2 + offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_prices_are_found_wherever_the_ring_begins() {
        for reference in 1000..1200 {
            let (mut orders, mut ladder) = (Orders::default(), Ladder::new());
            for (side, tick) in [(Side::Bid, reference - 64), (Side::Bid, reference - 3), (Side::Offer, reference + 63)]
            {
                let at = orders.insert(RestingOrder::new(1, side, tick, 1, Kind::Limit));
                ladder.push(&mut orders, at);
            }
            assert_eq!(ladder.best(Side::Bid, reference), Some(reference - 3));
            assert_eq!(ladder.beyond(Side::Bid, reference - 4, reference), Some(reference - 64));
            assert_eq!(ladder.best(Side::Offer, reference), Some(reference + 63));
            assert_eq!(ladder.beyond(Side::Offer, reference, reference), Some(reference + 63));
            ladder.unlink(&mut orders, 1);
            assert_eq!(ladder.best(Side::Bid, reference), Some(reference - 64));
            ladder.unlink(&mut orders, 0);
            assert_eq!(ladder.best(Side::Bid, reference), None);
        }
    }

    #[test]
    fn orders_of_one_price_stay_in_order_of_age() {
        let (mut orders, mut ladder) = (Orders::default(), Ladder::new());
        for id in 0..3 {
            let at = orders.insert(RestingOrder::new(id, Side::Bid, 700, 1, Kind::Limit));
            ladder.push(&mut orders, at);
        }
        ladder.unlink(&mut orders, 1);
        assert_eq!((ladder.oldest(700), orders.younger(0), ladder.youngest(700)), (0, 2, 2));
        assert_eq!((orders.older(2), size_of::<RestingOrder>()), (0, 32));
    }
}
