//! Events as nearly all of them are, in few bytes.

use crate::{OrderAction, OrderCondition, OrderId, ServerIndex, Side};
use std::num::NonZeroU32;

/// Something that happens to one order, or to both of a trade: without a condition, a market order or a trade of nobody, and
/// with numbers that 32 bits hold. Prices are in ten-thousandths of a currency unit.
///
/// Whoever cannot apply one in the fast way applies the [`OrderAction`] that it stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CompactEvent {
    /// A limit order rests in the book.
    Add {
        /// Its number.
        order: OrderId,
        /// The virtual server that it came through, where the feed says so.
        server: Option<ServerIndex>,
        /// Its side.
        side: Side,
        /// Its limit.
        price: NonZeroU32,
        /// Its quantity.
        shares: NonZeroU32,
    },
    /// An order changes, perhaps its number; a price or quantity that is not given stays as it was.
    Replace {
        /// Its number so far.
        order: OrderId,
        /// Its number from now on.
        order_new: OrderId,
        /// Its new limit.
        price: Option<NonZeroU32>,
        /// What now remains.
        shares: Option<NonZeroU32>,
    },
    /// Shares are taken off an order, all that remain if none are given.
    Take {
        /// The order.
        order: OrderId,
        /// How many.
        shares: Option<NonZeroU32>,
    },
    /// An execution that names one order, at a price or that of the order.
    Execute {
        /// The order.
        order: OrderId,
        /// The price.
        price: Option<NonZeroU32>,
        /// Shares executed.
        shares: NonZeroU32,
        /// Whether the feed marks it as a call-auction execution.
        auction: bool,
    },
    /// An execution that names two orders, which may be one: that would be wrong.
    ExecuteBoth {
        /// The orders.
        orders: [OrderId; 2],
        /// The price.
        price: Option<NonZeroU32>,
        /// Shares executed.
        shares: NonZeroU32,
        /// Whether the feed marks it as a call-auction execution.
        auction: bool,
    },
}

/// Does something with a compact event. Each kind of event is given to it apart, so that none has to be put together only to
/// be taken apart again: mark `take` `#[inline(always)]`.
pub trait TakeCompact {
    /// What comes of it.
    type Output;

    /// Takes the event.
    fn take(self, event: CompactEvent) -> Self::Output;
}

impl CompactEvent {
    /// Gives the action as a compact event to `to`, if it is one.
    ///
    /// ```
    /// use quoteclock_model::{CompactEvent, OrderAction, OrderId, Shares, TakeCompact};
    ///
    /// struct Keep;
    /// impl TakeCompact for Keep {
    ///     type Output = CompactEvent;
    ///     fn take(self, event: CompactEvent) -> CompactEvent {
    ///         event
    ///     }
    /// }
    ///
    /// let few = OrderAction::Reduce { order: OrderId(7), quantity: Shares(100) };
    /// assert!(CompactEvent::give(&few, Keep).is_some());
    /// let many = OrderAction::Reduce { order: OrderId(7), quantity: Shares(1 << 32) };
    /// assert!(CompactEvent::give(&many, Keep).is_none());
    /// ```
    #[inline(always)]
    pub fn give<T: TakeCompact>(action: &OrderAction, to: T) -> Option<T::Output> {
        match *action {
            OrderAction::Add { order, server, side, price, quantity, condition: OrderCondition::None } => {
                let (price, shares) = (price?.in_32_bits()?, quantity.in_32_bits()?);
                Some(to.take(CompactEvent::Add { order, server, side, price, shares }))
            }
            OrderAction::Replace { order, order_new, price, quantity } => {
                let price = if let Some(price) = price { Some(price.in_32_bits()?) } else { None };
                let shares = if let Some(quantity) = quantity { Some(quantity.in_32_bits()?) } else { None };
                Some(to.take(CompactEvent::Replace { order, order_new, price, shares }))
            }
            OrderAction::Reduce { order, quantity } => {
                Some(to.take(CompactEvent::Take { order, shares: Some(quantity.in_32_bits()?) }))
            }
            OrderAction::Cancel { order } => Some(to.take(CompactEvent::Take { order, shares: None })),
            OrderAction::Trade { orders: [Some(order), contra], price, quantity, auction } => {
                let price = if let Some(price) = price { Some(price.in_32_bits()?) } else { None };
                let shares = quantity.in_32_bits()?;
                Some(match contra {
                    None => to.take(CompactEvent::Execute { order, price, shares, auction }),
                    Some(contra) => {
                        to.take(CompactEvent::ExecuteBoth { orders: [order, contra], price, shares, auction })
                    }
                })
            }
            OrderAction::Trade { .. } | OrderAction::Add { .. } => None,
        }
    }
}
