//! One record of 32 bytes, and the slot beside it that holds what is too large for it.

use super::layout::SLOT_BYTES;
use crate::Malformed;
use quoteclock_model::{
    CompactEvent, MarketEvent, OrderAction, OrderCondition, OrderId, Phase, Price, Scope, ServerIndex, Shares, Side,
    TakeCompact,
};
use std::num::NonZeroU32;
use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// A record, or the extension of the one before it.
///
/// In a price or quantity 0 stands for none: neither can be zero. In an extension `order` holds the price, `other` the
/// quantity, and all else is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct EventSlot {
    order: U64,
    other: U64,
    price: U32,
    quantity: U32,
    micros: U32,
    tag: U32,
}

const _: () = assert!(size_of::<EventSlot>() == SLOT_BYTES);

/// The parts of [`EventSlot::tag`].
mod tag {
    pub const KIND_BITS: u32 = 0b111;
    pub const DETAIL_SHIFT: u32 = 3;
    pub const DETAIL_BITS: u32 = 0b111;
    pub const MARKED: u32 = 1 << 6;
    pub const ORDER: u32 = 1 << 7;
    pub const OTHER: u32 = 1 << 8;
    pub const WIDE: u32 = 1 << 9;
    pub const ORDINAL_SHIFT: u32 = 10;

    pub const EXTENSION: u32 = 0;
    pub const ADD: u32 = 1;
    pub const REPLACE: u32 = 2;
    pub const REDUCE: u32 = 3;
    pub const CANCEL: u32 = 4;
    pub const TRADE: u32 = 5;
    pub const PHASE: u32 = 6;
    pub const CLEAR: u32 = 7;
}

impl EventSlot {
    /// One that holds no record.
    pub const EMPTY: EventSlot = EventSlot {
        order: U64::ZERO,
        other: U64::ZERO,
        price: U32::ZERO,
        quantity: U32::ZERO,
        micros: U32::ZERO,
        tag: U32::ZERO,
    };

    /// The order that the event names first; meaningless unless [`EventSlot::has_order`].
    #[inline]
    pub fn order(&self) -> u64 {
        self.order.get()
    }

    /// Of an add the server's index in the file; of a replace the new number; of a trade the second order. Meaningless
    /// unless [`EventSlot::has_other`].
    #[inline]
    pub fn other(&self) -> u64 {
        self.other.get()
    }

    /// The price in ten-thousandths of a currency unit; 0 for none, and if [`EventSlot::is_wide`].
    #[inline]
    pub fn price(&self) -> u32 {
        self.price.get()
    }

    /// The quantity; 0 for none, and if [`EventSlot::is_wide`].
    #[inline]
    pub fn quantity(&self) -> u32 {
        self.quantity.get()
    }

    /// Microseconds from the block's first record.
    #[inline]
    pub fn micros(&self) -> u32 {
        self.micros.get()
    }

    /// The position in the original order of the block.
    #[inline]
    pub fn ordinal(&self) -> u32 {
        self.tag.get() >> tag::ORDINAL_SHIFT
    }

    /// What the record says: 1 add, 2 replace, 3 reduce, 4 cancel, 5 trade, 6 phase, 7 clear; 0 is an extension.
    #[inline]
    pub fn kind(&self) -> u32 {
        self.tag.get() & tag::KIND_BITS
    }

    /// The condition of an add, the phase of a phase event.
    #[inline]
    pub fn detail(&self) -> u32 {
        self.tag.get() >> tag::DETAIL_SHIFT & tag::DETAIL_BITS
    }

    /// Whether an add is an offer, a trade an auction's.
    #[inline]
    pub fn is_marked(&self) -> bool {
        self.tag.get() & tag::MARKED != 0
    }

    /// Whether [`EventSlot::order`] names an order.
    #[inline]
    pub fn has_order(&self) -> bool {
        self.tag.get() & tag::ORDER != 0
    }

    /// Whether [`EventSlot::other`] says something.
    #[inline]
    pub fn has_other(&self) -> bool {
        self.tag.get() & tag::OTHER != 0
    }

    /// Whether it is no record, but holds what is too large for the one before it.
    #[inline]
    pub fn is_extension(&self) -> bool {
        self.kind() == tag::EXTENSION
    }

    /// Whether price and quantity stand in an extension that follows.
    #[inline]
    pub fn is_wide(&self) -> bool {
        self.tag.get() & tag::WIDE != 0
    }

    /// The record of `event`, `micros` after the block's first, and its extension, if it needs one. `server` is the
    /// index in the file of the server that an add names.
    #[inline]
    pub fn write(
        event: &MarketEvent,
        server: Option<u32>,
        ordinal: u32,
        micros: u32,
    ) -> (EventSlot, Option<EventSlot>) {
        let (price, shares) =
            (|price: Option<Price>| price.map_or(0, Price::ten_thousandths), |shares: Shares| shares.0);
        let at = |kind| kind | ordinal << tag::ORDINAL_SHIFT;
        let flag = |bit, set| if set { bit } else { 0 };
        let (tag, order, other, price, quantity) = match *event {
            MarketEvent::Order { action, .. } => match action {
                OrderAction::Add { order, side, price: limit, quantity, condition, .. } => {
                    let detail = condition_code(condition) << tag::DETAIL_SHIFT;
                    let bits = flag(tag::MARKED, side == Side::Offer) | flag(tag::OTHER, server.is_some());
                    let server = server.map_or(0, u64::from);
                    (tag::ADD | tag::ORDER | detail | bits, order.0, server, price(limit), shares(quantity))
                }
                OrderAction::Replace { order, order_new, price: limit, quantity } => {
                    let tag = tag::REPLACE | tag::ORDER | tag::OTHER;
                    (tag, order.0, order_new.0, price(limit), quantity.map_or(0, shares))
                }
                OrderAction::Reduce { order, quantity } => (tag::REDUCE | tag::ORDER, order.0, 0, 0, shares(quantity)),
                OrderAction::Cancel { order } => (tag::CANCEL | tag::ORDER, order.0, 0, 0, 0),
                OrderAction::Trade { price: at, quantity, orders: [order, contra], auction } => {
                    let orders = flag(tag::ORDER, order.is_some()) | flag(tag::OTHER, contra.is_some());
                    let number = |order: Option<OrderId>| order.map_or(0, |order| order.0);
                    let tag = tag::TRADE | orders | flag(tag::MARKED, auction);
                    (tag, number(order), number(contra), price(at), shares(quantity))
                }
            },
            MarketEvent::Phase { phase, .. } => (tag::PHASE | phase_code(phase) << tag::DETAIL_SHIFT, 0, 0, 0, 0),
            MarketEvent::Clear { .. } => (tag::CLEAR, 0, 0, 0, 0),
        };
        let mut slot = EventSlot {
            order: U64::new(order),
            other: U64::new(other),
            price: U32::new(0),
            quantity: U32::new(0),
            micros: U32::new(micros),
            tag: U32::new(at(tag)),
        };
        if let (Ok(price), Ok(quantity)) = (u32::try_from(price), u32::try_from(quantity)) {
            (slot.price, slot.quantity) = (U32::new(price), U32::new(quantity));
            return (slot, None);
        }
        slot.tag = U32::new(at(tag | tag::WIDE));
        (slot, Some(EventSlot::extension(price, quantity)))
    }

    #[cold]
    fn extension(price: u64, quantity: u64) -> EventSlot {
        let zero = U32::new(0);
        let tag = U32::new(tag::EXTENSION);
        EventSlot { order: U64::new(price), other: U64::new(quantity), price: zero, quantity: zero, micros: zero, tag }
    }

    /// The tags of the compact forms, without marks.
    pub(crate) const COMPACT_ADD: u32 = tag::ADD | tag::ORDER;
    pub(crate) const COMPACT_ADD_THROUGH: u32 = EventSlot::COMPACT_ADD | tag::OTHER;
    pub(crate) const COMPACT_REPLACE: u32 = tag::REPLACE | tag::ORDER | tag::OTHER;
    pub(crate) const COMPACT_REDUCE: u32 = tag::REDUCE | tag::ORDER;
    pub(crate) const COMPACT_CANCEL: u32 = tag::CANCEL | tag::ORDER;
    pub(crate) const COMPACT_TRADE: u32 = tag::TRADE | tag::ORDER;
    const COMPACT_TRADE_OF_SECOND: u32 = tag::TRADE | tag::OTHER;
    const COMPACT_TRADE_OF_TWO: u32 = EventSlot::COMPACT_TRADE | tag::OTHER;

    /// What the mark of an offer adds to a tag.
    pub(crate) const COMPACT_MARK: u32 = tag::MARKED;

    /// A record of one of the compact forms, still without time and ordinal.
    #[inline(always)]
    pub(crate) fn compact_of(tag: u32, order: u64, other: u64, price: u32, quantity: u32) -> EventSlot {
        EventSlot {
            order: U64::new(order),
            other: U64::new(other),
            price: U32::new(price),
            quantity: U32::new(quantity),
            micros: U32::ZERO,
            tag: U32::new(tag),
        }
    }

    /// The same record with these bits in its tag, and of a server.
    #[inline(always)]
    pub(crate) fn tagged(self, tag: u32, server: u32) -> EventSlot {
        EventSlot { tag: U32::new(self.tag.get() | tag), other: U64::new(self.other.get() | u64::from(server)), ..self }
    }

    /// The same record, `micros` after the block's first and at a position in its order.
    #[inline(always)]
    #[must_use]
    pub fn placed(self, ordinal: u32, micros: u32) -> EventSlot {
        let tag = U32::new(self.tag.get() | ordinal << tag::ORDINAL_SHIFT);
        EventSlot { micros: U32::new(micros), tag, ..self }
    }

    /// Gives the event to `to` as a compact one, if it is; the fields of those cannot be wrong. `server_at` gives the server
    /// of an index in the file.
    #[inline(always)]
    pub fn compact<T: TakeCompact>(
        &self,
        server_at: impl FnOnce(u64) -> Option<ServerIndex>,
        to: T,
    ) -> Option<T::Output> {
        const BELOW_ORDINAL: u32 = (1 << tag::ORDINAL_SHIFT) - 1;
        let auction = self.is_marked();
        let side = if auction { Side::Offer } else { Side::Bid };
        let order = OrderId(self.order());
        let (price, shares) = (NonZeroU32::new(self.price()), NonZeroU32::new(self.quantity()));
        Some(match self.tag.get() & BELOW_ORDINAL & !tag::MARKED {
            EventSlot::COMPACT_ADD => {
                to.take(CompactEvent::Add { order, server: None, side, price: price?, shares: shares? })
            }
            EventSlot::COMPACT_ADD_THROUGH => {
                let server = Some(server_at(self.other())?);
                to.take(CompactEvent::Add { order, server, side, price: price?, shares: shares? })
            }
            EventSlot::COMPACT_REPLACE => {
                to.take(CompactEvent::Replace { order, order_new: OrderId(self.other()), price, shares })
            }
            EventSlot::COMPACT_REDUCE => to.take(CompactEvent::Take { order, shares: Some(shares?) }),
            EventSlot::COMPACT_CANCEL => to.take(CompactEvent::Take { order, shares: None }),
            tag @ (EventSlot::COMPACT_TRADE | EventSlot::COMPACT_TRADE_OF_SECOND) => {
                let order = if tag == EventSlot::COMPACT_TRADE { order } else { OrderId(self.other()) };
                to.take(CompactEvent::Execute { order, price, shares: shares?, auction })
            }
            EventSlot::COMPACT_TRADE_OF_TWO => {
                let orders = [order, OrderId(self.other())];
                to.take(CompactEvent::ExecuteBoth { orders, price, shares: shares?, auction })
            }
            _ => return None,
        })
    }

    /// The event that the record holds, in a group of `scope`; `server_at` gives the server of an index in the file.
    ///
    /// # Errors
    /// The field that says nothing, and what it should say.
    #[inline]
    pub fn event(
        &self,
        extension: Option<&EventSlot>,
        scope: Scope,
        server_at: impl FnOnce(u64) -> Option<ServerIndex>,
    ) -> Result<MarketEvent, Malformed> {
        if self.is_wide() != extension.is_some() {
            return Err(self.malformed("record"));
        }
        let action = match self.kind() {
            tag::ADD => self.add(extension, server_at)?,
            tag::REPLACE => OrderAction::Replace {
                order: self.order_named()?,
                order_new: OrderId(self.some(self.has_other(), self.other(), "contra")?),
                price: self.price_in(extension)?,
                quantity: self.quantity_in(extension)?,
            },
            tag::REDUCE => {
                OrderAction::Reduce { order: self.order_named()?, quantity: self.quantity_given(extension)? }
            }
            tag::CANCEL => OrderAction::Cancel { order: self.order_named()? },
            tag::TRADE => self.trade(extension)?,
            tag::PHASE => return Ok(MarketEvent::Phase { scope, phase: self.phase()? }),
            tag::CLEAR => return Ok(MarketEvent::Clear { scope }),
            _ => return Err(self.malformed("event")),
        };
        match scope {
            Scope::Issue(issue) => Ok(MarketEvent::Order { issue, action }),
            Scope::Market => Err(self.malformed("issue")),
        }
    }

    #[inline]
    fn add(
        &self,
        extension: Option<&EventSlot>,
        server_at: impl FnOnce(u64) -> Option<ServerIndex>,
    ) -> Result<OrderAction, Malformed> {
        let server = match self.has_other() {
            false => None,
            true => Some(server_at(self.other()).ok_or_else(|| self.malformed("server"))?),
        };
        let condition = match self.detail() {
            0 => OrderCondition::None,
            1 => OrderCondition::OnOpen,
            2 => OrderCondition::OnClose,
            3 => OrderCondition::Funari,
            4 => OrderCondition::Ioc,
            _ => return Err(self.malformed("condition")),
        };
        Ok(OrderAction::Add {
            order: self.order_named()?,
            server,
            side: if self.is_marked() { Side::Offer } else { Side::Bid },
            price: self.price_in(extension)?,
            quantity: self.quantity_given(extension)?,
            condition,
        })
    }

    #[inline]
    fn trade(&self, extension: Option<&EventSlot>) -> Result<OrderAction, Malformed> {
        let order = self.has_order().then(|| OrderId(self.order()));
        let contra = self.has_other().then(|| OrderId(self.other()));
        if order.is_some() && order == contra {
            return Err(self.malformed("contra"));
        }
        let (price, quantity) = (self.price_in(extension)?, self.quantity_given(extension)?);
        Ok(OrderAction::Trade { price, quantity, orders: [order, contra], auction: self.is_marked() })
    }

    fn phase(&self) -> Result<Phase, Malformed> {
        Ok(match self.detail() {
            0 => Phase::Continuous,
            1 => Phase::SequentialQuote,
            2 => Phase::SpecialQuote,
            3 => Phase::Halt,
            4 => Phase::Auction,
            5 => Phase::Closed,
            _ => return Err(self.malformed("phase")),
        })
    }

    #[inline]
    fn order_named(&self) -> Result<OrderId, Malformed> {
        self.some(self.has_order(), self.order(), "order").map(OrderId)
    }

    #[inline]
    fn some(&self, given: bool, number: u64, field: &'static str) -> Result<u64, Malformed> {
        if given { Ok(number) } else { Err(self.malformed(field)) }
    }

    #[inline]
    fn price_in(&self, extension: Option<&EventSlot>) -> Result<Option<Price>, Malformed> {
        let units = extension.map_or(u64::from(self.price()), |extension| extension.order.get());
        if units == 0 {
            return Ok(None);
        }
        Price::from_ten_thousandths(units).map(Some).ok_or_else(|| self.malformed("price"))
    }

    #[inline]
    fn quantity_in(&self, extension: Option<&EventSlot>) -> Result<Option<Shares>, Malformed> {
        let shares = Shares(extension.map_or(u64::from(self.quantity()), |extension| extension.other.get()));
        if shares == Shares(0) {
            return Ok(None);
        }
        if shares <= Shares::MAX_PER_RECORD { Ok(Some(shares)) } else { Err(self.malformed("quantity")) }
    }

    #[inline]
    fn quantity_given(&self, extension: Option<&EventSlot>) -> Result<Shares, Malformed> {
        self.quantity_in(extension)?.ok_or_else(|| self.malformed("quantity"))
    }

    /// A record whose checksum is right and which yet says nothing: whoever wrote it did not keep to the form.
    #[cold]
    fn malformed(&self, field: &'static str) -> Malformed {
        let found = format!("none or an impossible one in record {:02x?}", self.as_bytes());
        Malformed { field, found, expected: "what docs/EVENT_FORMAT.md says of such a record" }
    }
}

fn condition_code(condition: OrderCondition) -> u32 {
    match condition {
        OrderCondition::None => 0,
        OrderCondition::OnOpen => 1,
        OrderCondition::OnClose => 2,
        OrderCondition::Funari => 3,
        OrderCondition::Ioc => 4,
    }
}

fn phase_code(phase: Phase) -> u32 {
    match phase {
        Phase::Continuous => 0,
        Phase::SequentialQuote => 1,
        Phase::SpecialQuote => 2,
        Phase::Halt => 3,
        Phase::Auction => 4,
        Phase::Closed => 5,
    }
}

/// Steps through the slots of a group, a record with its extension at a time.
#[derive(Clone, Debug)]
pub struct Records<'a>(pub &'a [EventSlot]);

impl<'a> Iterator for Records<'a> {
    type Item = (&'a EventSlot, Option<&'a EventSlot>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (slot, rest) = self.0.split_first()?;
        self.0 = rest;
        if !slot.is_wide() {
            return Some((slot, None));
        }
        match rest.split_first() {
            Some((extension, rest)) if extension.is_extension() => {
                self.0 = rest;
                Some((slot, Some(extension)))
            }
            _ => Some((slot, None)),
        }
    }
}
