//! The market's book of one issue, order by order.

use crate::bucket::{Bits, Resting};
use crate::orders::{NewTerms, OrderTable, Position};
use crate::own::{Entry, Quote};
use crate::{Levels, OwnQuotes, prefetch_all};
use quoteclock_model::{
    CompactEvent, OrderAction, OrderCondition, OrderId, Price, ServerIndex, Shares, Side, TakeCompact,
};
use std::num::NonZeroU32;
use thiserror::Error;

/// A live order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Order {
    /// The virtual server that it came through, where the feed says so.
    pub server: Option<ServerIndex>,
    /// Its side.
    pub side: Side,
    /// Its limit; `None` for a market order.
    pub price: Option<Price>,
    /// What remains, above zero.
    pub quantity: Shares,
    /// Its condition.
    pub condition: OrderCondition,
}

impl Order {
    /// The price at which the order is a quote: its limit, unless its condition keeps it out.
    #[inline(always)]
    pub fn quote_price(&self) -> Option<Price> {
        self.price.filter(|_| self.condition.quotes())
    }
}

/// Why an event cannot be applied to a book.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum BookError {
    /// An order with this number is live.
    #[error("order {order} is already in the issue's book, expected a number that is not")]
    AlreadyLive {
        /// The number.
        order: OrderId,
    },
    /// No order with this number is live.
    #[error("order {order} is not in the issue's book, expected one that was added before")]
    Unknown {
        /// The number.
        order: OrderId,
    },
    /// More is taken off than remains.
    #[error("{taken} shares are taken off order {order}, expected at most the {remaining} that remain")]
    BeyondRemaining {
        /// The order.
        order: OrderId,
        /// Shares to be taken off.
        taken: Shares,
        /// Shares that remain.
        remaining: Shares,
    },
}

/// Somebody whose own quotes in the issue are followed: the order in which [`Book::add_holders`] made them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Holder(NonZeroU32);

impl Holder {
    /// The position among the holders, from 0.
    #[inline(always)]
    pub fn index(self) -> usize {
        self.0.get() as usize - 1
    }

    /// One more than the position.
    #[inline(always)]
    pub(crate) fn number(self) -> u32 {
        self.0.get()
    }

    /// The holder whose position is one less; `None` for 0.
    #[inline(always)]
    pub(crate) fn numbered(number: u32) -> Option<Holder> {
        NonZeroU32::new(number).map(Holder)
    }
}

/// What an event did to the quotes of one order: shares that left a price, shares that came to one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QuoteChange {
    /// The order's virtual server.
    pub server: Option<ServerIndex>,
    /// Whose own quotes have changed.
    pub holder: Option<Holder>,
    /// The order's side.
    pub side: Side,
    /// The order's limit before the event, quote or not; `None` for a market order.
    pub limit: Option<Price>,
    /// Shares taken off, and where.
    pub taken: Option<(Price, Shares)>,
    /// Shares added, and where.
    pub added: Option<(Price, Shares)>,
}

/// A limit order without a condition, whose numbers 32 bits hold: as nearly all are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CompactOrder {
    /// The virtual server that it comes through, where the feed says so.
    pub server: Option<ServerIndex>,
    /// Its side.
    pub side: Side,
    /// Its limit in ten-thousandths of a currency unit.
    pub price: NonZeroU32,
    /// Its quantity.
    pub shares: NonZeroU32,
}

/// What an event did to one compact order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CompactChange {
    /// Whose own quotes have changed.
    pub holder: Option<Holder>,
    /// The order's server and side, of which the server is seldom asked for.
    pub(crate) bits: u32,
    /// What was taken off, at the limit before the event.
    pub taken: Quote,
    /// What was added.
    pub added: Quote,
}

impl CompactOrder {
    /// What entering it does to the quotes.
    #[inline(always)]
    fn added(&self, holder: Option<Holder>) -> QuoteChange {
        let CompactOrder { server, side, price, shares } = *self;
        let limit = Price::from_ten_thousandths(price.get().into());
        let added = limit.map(|price| (price, Shares(shares.get().into())));
        QuoteChange { server, holder, side, limit, taken: None, added }
    }
}

/// Applies an event the fast way, and tells what it did to the quotes; `None` if that is refused, and nothing has changed.
struct TryApply<'a, H> {
    book: &'a mut Book,
    holder_of: &'a H,
}

impl<H: Fn(ServerIndex) -> Option<Holder>> TakeCompact for TryApply<'_, H> {
    type Output = Option<QuoteChange>;

    #[inline(always)]
    fn take(self, event: CompactEvent) -> Option<QuoteChange> {
        match event {
            CompactEvent::Add { order, server, side, price, shares } => {
                let (holder, compact) = (server.and_then(self.holder_of), CompactOrder { server, side, price, shares });
                self.book.try_add(order, &compact, holder).map(|()| compact.added(holder))
            }
            CompactEvent::Replace { order, order_new, price, shares } => {
                self.book.try_replace(order, order_new, price, shares).map(QuoteChange::from)
            }
            CompactEvent::Take { order, shares } => self.book.try_take(order, shares).map(QuoteChange::from),
            // The fast way does not say which of the two orders of a trade is in the way.
            CompactEvent::Execute { .. } | CompactEvent::ExecuteBoth { .. } => None,
        }
    }
}

impl CompactChange {
    /// The order's virtual server.
    #[inline(always)]
    pub fn server(&self) -> Option<ServerIndex> {
        Bits::server(self.bits)
    }

    /// The order's side.
    #[inline(always)]
    pub fn side(&self) -> Side {
        Bits::side(self.bits)
    }
}

impl From<CompactChange> for QuoteChange {
    #[inline(always)]
    fn from(change: CompactChange) -> QuoteChange {
        let (server, side) = (change.server(), change.side());
        let CompactChange { holder, taken, added, .. } = change;
        let quote =
            |quote: Quote| Some((Price::from_ten_thousandths(quote.price.into())?, Shares(quote.shares.into())));
        QuoteChange {
            server,
            holder,
            side,
            limit: quote(taken).map(|(price, _)| price),
            taken: quote(taken),
            added: quote(added),
        }
    }
}

/// The order book of one issue, and in it the own quotes of those that are followed.
#[derive(Debug, Default)]
pub struct Book {
    orders: OrderTable,
    own: Vec<OwnQuotes>,
}

impl Book {
    /// So many more whose own quotes are followed from now on.
    ///
    /// # Panics
    /// If there are four billion.
    pub fn add_holders(&mut self, count: usize) -> impl Iterator<Item = Holder> + use<> {
        let before = self.own.len();
        self.own.reserve_exact(count);
        self.own.resize_with(before + count, OwnQuotes::default);
        u32::try_from(self.own.len()).expect("fewer holders than 32 bits count");
        self.holders().skip(before)
    }

    /// All holders, in the order in which they were added.
    pub fn holders(&self) -> impl Iterator<Item = Holder> + use<> {
        let count = u32::try_from(self.own.len()).unwrap_or(u32::MAX);
        (1..=count).filter_map(Holder::numbered)
    }

    /// The own quotes of a holder.
    pub fn own(&self, holder: Holder) -> &OwnQuotes {
        &self.own[holder.index()]
    }

    /// The quotes of `side` at each price: looks at every order. Market orders and orders for an auction only are in the
    /// book but no quotes.
    pub fn levels(&self, side: Side) -> Levels {
        Levels::of(side, self.quotes(side))
    }

    /// The best price of `side`, and what is quoted there: looks at every order.
    pub fn best(&self, side: Side) -> Option<(Price, Shares)> {
        let prices = self.quotes(side).map(|(price, _)| price);
        let best = match side {
            Side::Bid => prices.max(),
            Side::Offer => prices.min(),
        };
        let at_best = self.quotes(side).filter(|&(price, _)| Some(price) == best);
        Levels::of(side, at_best).iter().next()
    }

    fn quotes(&self, side: Side) -> impl Iterator<Item = (Price, Shares)> + '_ {
        let orders = self.orders.iter().map(|(_, resting)| resting.order).filter(move |order| order.side == side);
        orders.filter_map(|order| Some((order.quote_price()?, order.quantity)))
    }

    /// The live order with this number.
    pub fn order(&self, order: OrderId) -> Option<Order> {
        self.orders.find(order).map(|position| self.orders.at(position).order)
    }

    /// Number of live orders, quotes or not.
    pub fn len(&self) -> usize {
        self.orders.len()
    }

    /// Whether no order is live.
    pub fn is_empty(&self) -> bool {
        self.orders.len() == 0
    }

    /// All live orders, by number.
    pub fn orders(&self) -> Vec<(OrderId, Order)> {
        let mut orders: Vec<_> = self.orders.iter().map(|(id, resting)| (id, resting.order)).collect();
        orders.sort_unstable_by_key(|&(id, _)| id);
        orders
    }

    /// The numbers of all live orders, in no order.
    pub fn numbers(&self) -> impl Iterator<Item = OrderId> + '_ {
        self.orders.iter().map(|(id, _)| id)
    }

    /// Empties the book.
    pub fn clear(&mut self) {
        self.orders.clear();
        self.own.iter_mut().for_each(OwnQuotes::clear);
    }

    /// Applies `action` and tells `changed` what it did to the quotes, once for each order touched. `holder_of` says
    /// whose quotes an order through a server is.
    ///
    /// # Errors
    /// [`BookError`] if the action does not fit the book; then nothing has changed.
    #[inline]
    pub fn apply(
        &mut self,
        action: &OrderAction,
        holder_of: impl Fn(ServerIndex) -> Option<Holder>,
        mut changed: impl FnMut(&QuoteChange),
    ) -> Result<(), BookError> {
        match CompactEvent::give(action, TryApply { book: self, holder_of: &holder_of }).flatten() {
            Some(change) => {
                changed(&change);
                Ok(())
            }
            None => self.apply_full(action, holder_of, changed),
        }
    }

    /// The same, the full way at once: for what the fast way has refused.
    ///
    /// # Errors
    /// As [`Book::apply`].
    pub fn apply_full(
        &mut self,
        action: &OrderAction,
        holder_of: impl FnOnce(ServerIndex) -> Option<Holder>,
        mut changed: impl FnMut(&QuoteChange),
    ) -> Result<(), BookError> {
        match *action {
            OrderAction::Add { order, server, side, price, quantity, condition } => {
                let holder = server.and_then(holder_of);
                changed(&self.add(order, &Order { server, side, price, quantity, condition }, holder)?);
            }
            OrderAction::Replace { order, order_new, price, quantity } => {
                changed(&self.replace(order, order_new, price, quantity)?);
            }
            OrderAction::Reduce { order, quantity } => changed(&self.take(order, Some(quantity))?),
            OrderAction::Cancel { order } => changed(&self.take(order, None)?),
            OrderAction::Trade { quantity, orders, .. } => {
                for order in orders.into_iter().flatten() {
                    self.check(order, quantity)?;
                }
                for order in orders.into_iter().flatten() {
                    changed(&self.take(order, Some(quantity))?);
                }
            }
        }
        Ok(())
    }

    /// Enters an order as [`Book::add`] does, if it and what it meets are compact; `None` otherwise, and nothing has changed.
    #[inline(always)]
    pub fn try_add(&mut self, id: OrderId, order: &CompactOrder, holder: Option<Holder>) -> Option<()> {
        self.orders.try_add(&mut self.own, id, order, holder)
    }

    /// Takes shares off an order as [`Book::take`] does, if it is a compact one; `None` otherwise, and nothing has changed.
    #[inline(always)]
    pub fn try_take(&mut self, order: OrderId, shares: Option<NonZeroU32>) -> Option<CompactChange> {
        self.orders.try_take(&mut self.own, order, shares)
    }

    /// Takes shares off both orders of a trade as [`Book::apply`] does, if they are compact ones; `None` otherwise, and nothing
    /// has changed.
    #[inline(always)]
    pub fn try_take_both(&mut self, orders: [OrderId; 2], shares: NonZeroU32) -> Option<[CompactChange; 2]> {
        self.orders.try_take_both(&mut self.own, orders, shares)
    }

    /// Changes an order as [`Book::replace`] does, if it and what it meets are compact; `None` otherwise, and nothing has
    /// changed.
    #[inline(always)]
    pub fn try_replace(
        &mut self,
        id: OrderId,
        id_new: OrderId,
        price: Option<NonZeroU32>,
        shares: Option<NonZeroU32>,
    ) -> Option<CompactChange> {
        self.orders.try_replace(&mut self.own, [id, id_new], NewTerms { price, shares })
    }

    /// Enters an order, whose quotes are those of `holder`. Says what that did to the quotes.
    ///
    /// # Errors
    /// [`BookError`] if its number is live; then nothing has changed.
    #[inline(never)]
    pub fn add(&mut self, id: OrderId, order: &Order, holder: Option<Holder>) -> Result<QuoteChange, BookError> {
        if self.orders.find(id).is_some() {
            return Err(BookError::AlreadyLive { order: id });
        }
        let mut resting = Resting { order: *order, holder, entry: Entry(0) };
        let added = self.add_quote(&mut resting);
        self.orders.insert(id, &resting);
        Ok(QuoteChange { server: order.server, holder, side: order.side, limit: order.price, taken: None, added })
    }

    /// Takes shares off an order, all that remain if none are given; it is gone when nothing remains. Says what that did
    /// to the quotes.
    ///
    /// # Errors
    /// [`BookError`] if it is not live, or less remains; then nothing has changed.
    #[inline(never)]
    pub fn take(&mut self, order: OrderId, shares: Option<Shares>) -> Result<QuoteChange, BookError> {
        let position = self.find(order)?;
        let resting = self.orders.at(position);
        let Order { server, side, price: limit, quantity: remaining, .. } = resting.order;
        let shares = shares.unwrap_or(remaining);
        if remaining < shares {
            return Err(BookError::BeyondRemaining { order, taken: shares, remaining });
        }
        self.orders.leave(position, Shares(remaining.0 - shares.0));
        let taken = self.take_quote(&resting, shares);
        Ok(QuoteChange { server, holder: resting.holder, side, limit, taken, added: None })
    }

    /// Changes an order; what is not given stays as it was. Says what that did to the quotes.
    ///
    /// # Errors
    /// [`BookError`] if it is not live, or its new number is; then nothing has changed.
    #[inline(never)]
    pub fn replace(
        &mut self,
        id: OrderId,
        id_new: OrderId,
        price: Option<Price>,
        quantity: Option<Shares>,
    ) -> Result<QuoteChange, BookError> {
        let position = self.find(id)?;
        if id_new != id && self.orders.find(id_new).is_some() {
            return Err(BookError::AlreadyLive { order: id_new });
        }
        let before = self.orders.at(position);
        let mut after = before;
        after.order.price = price.or(before.order.price);
        after.order.quantity = quantity.unwrap_or(before.order.quantity);
        let taken = self.take_quote(&before, before.order.quantity);
        let added = self.add_quote(&mut after);
        self.orders.leave(position, Shares(0));
        self.orders.insert(id_new, &after);
        let Order { server, side, price: limit, .. } = before.order;
        Ok(QuoteChange { server, holder: before.holder, side, limit, taken, added })
    }

    fn find(&self, order: OrderId) -> Result<Position, BookError> {
        self.orders.find(order).ok_or(BookError::Unknown { order })
    }

    /// Whether `quantity` can be taken off an order.
    fn check(&self, order: OrderId, quantity: Shares) -> Result<(), BookError> {
        let position = self.find(order)?;
        let remaining = self.orders.at(position).order.quantity;
        if remaining < quantity {
            return Err(BookError::BeyondRemaining { order, taken: quantity, remaining });
        }
        Ok(())
    }

    /// Counts an order's quote, if it is one, among its holder's, and tells the order where.
    fn add_quote(&mut self, resting: &mut Resting) -> Option<(Price, Shares)> {
        let (price, shares) = (resting.order.quote_price()?, resting.order.quantity);
        if let Some(holder) = resting.holder {
            resting.entry = self.own[holder.index()].add(resting.order.side, price, shares);
        }
        Some((price, shares))
    }

    /// Takes `shares` off an order's quote, if it is one.
    fn take_quote(&mut self, resting: &Resting, shares: Shares) -> Option<(Price, Shares)> {
        let price = resting.order.quote_price()?;
        if let Some(holder) = resting.holder {
            self.own[holder.index()].take(resting.order.side, resting.entry, price, shares);
        }
        Some((price, shares))
    }

    /// Fetches where the holders' own quotes are kept.
    pub fn prefetch_holders(&self) {
        prefetch_all(&self.own);
    }

    /// Fetches the holders' own quotes; best when where they are kept has been fetched.
    pub fn prefetch_quotes(&self) {
        self.own.iter().for_each(OwnQuotes::prefetch);
    }

    /// Fetches where an order would stand, for when an event names it.
    #[inline(always)]
    pub fn prefetch(&self, order: OrderId) {
        self.orders.prefetch(order);
    }
}

#[cfg(test)]
mod tests;
