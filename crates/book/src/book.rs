//! The market's book of one issue, order by order.

use crate::orders::{OrderTable, Position, Slot};
use crate::{Levels, OwnQuotes};
use quoteclock_model::{Condition, OrderAction, OrderId, Price, ServerIndex, Shares, Side};
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
    pub condition: Condition,
}

impl Order {
    /// The price at which the order is a quote: its limit, unless its condition keeps it out.
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

/// Somebody whose own quotes in the issue are followed: the order in which [`Book::add_holder`] made them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Holder(NonZeroU32);

impl Holder {
    /// The position among the holders, from 0.
    #[inline]
    pub fn index(self) -> usize {
        self.0.get() as usize - 1
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

/// The order book of one issue, and in it the own quotes of those that are followed.
#[derive(Debug, Default)]
pub struct Book {
    orders: OrderTable,
    own: Vec<OwnQuotes>,
}

impl Book {
    /// One more whose own quotes are followed from now on.
    ///
    /// # Panics
    /// If there are four billion.
    pub fn add_holder(&mut self) -> Holder {
        self.own.push(OwnQuotes::default());
        let number = u32::try_from(self.own.len()).ok().and_then(NonZeroU32::new);
        Holder(number.expect("fewer holders than 32 bits count"))
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
        let orders = self.orders.iter().filter(move |slot| slot.terms.side() == side);
        orders.filter_map(|slot| Some((slot.terms.quote_price()?, slot.quantity)))
    }

    /// The live order with this number.
    pub fn order(&self, order: OrderId) -> Option<Order> {
        self.orders.find(order).map(|position| self.orders.at(position).order())
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
        let mut orders: Vec<_> = self.orders.iter().map(|slot| (slot.id, slot.order())).collect();
        orders.sort_unstable_by_key(|&(id, _)| id);
        orders
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
                    self.find_with(order, quantity)?;
                }
                for order in orders.into_iter().flatten() {
                    changed(&self.take(order, Some(quantity))?);
                }
            }
        }
        Ok(())
    }

    /// Enters an order, whose quotes are those of `holder`. Says what that did to the quotes.
    ///
    /// # Errors
    /// [`BookError`] if its number is live; then nothing has changed.
    #[inline(always)]
    pub fn add(&mut self, id: OrderId, order: &Order, holder: Option<Holder>) -> Result<QuoteChange, BookError> {
        let vacancy = self.orders.vacancy(id).ok_or(BookError::AlreadyLive { order: id })?;
        let mut slot = Slot::new(id, order, holder);
        let added = slot.terms.quote_price().map(|price| (price, order.quantity));
        self.add_quote(&mut slot);
        self.orders.put(vacancy, slot);
        Ok(QuoteChange { server: order.server, holder, side: order.side, limit: order.price, taken: None, added })
    }

    /// Takes shares off an order, all that remain if none are given; it is gone when nothing remains. Says what that did
    /// to the quotes.
    ///
    /// # Errors
    /// [`BookError`] if it is not live, or less remains; then nothing has changed.
    #[inline(always)]
    pub fn take(&mut self, order: OrderId, shares: Option<Shares>) -> Result<QuoteChange, BookError> {
        let position = match shares {
            Some(shares) => self.find_with(order, shares)?,
            None => self.find(order)?,
        };
        let slot = self.orders.at_mut(position);
        let shares = shares.unwrap_or(slot.quantity);
        slot.quantity.0 -= shares.0;
        let slot = *slot;
        self.take_quote(&slot, shares);
        if slot.quantity == Shares(0) {
            self.orders.remove(position);
        }
        let taken = slot.terms.quote_price().map(|price| (price, shares));
        let (server, holder) = (slot.server(), slot.holder);
        Ok(QuoteChange { server, holder, side: slot.terms.side(), limit: slot.terms.price(), taken, added: None })
    }

    /// Changes an order; what is not given stays as it was. Says what that did to the quotes.
    ///
    /// # Errors
    /// [`BookError`] if it is not live, or its new number is; then nothing has changed.
    #[inline(always)]
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
        let before = *self.orders.at(position);
        let mut after = before;
        after.id = id_new;
        after.terms = price.map_or(before.terms, |price| before.terms.at(price));
        after.quantity = quantity.unwrap_or(before.quantity);
        let of_terms = |slot: &Slot| slot.terms.quote_price().map(|price| (price, slot.quantity));
        let (taken, added) = (of_terms(&before), of_terms(&after));
        self.take_quote(&before, before.quantity);
        self.add_quote(&mut after);
        if id_new == id {
            *self.orders.at_mut(position) = after;
        } else {
            self.orders.remove(position);
            let vacancy = self.orders.vacancy(id_new).expect("looked for above");
            self.orders.put(vacancy, after);
        }
        let (server, holder) = (before.server(), before.holder);
        Ok(QuoteChange { server, holder, side: before.terms.side(), limit: before.terms.price(), taken, added })
    }

    #[inline(always)]
    fn find(&self, order: OrderId) -> Result<Position, BookError> {
        self.orders.find(order).ok_or(BookError::Unknown { order })
    }

    /// Finds an order off which `quantity` can be taken.
    #[inline(always)]
    fn find_with(&self, order: OrderId, quantity: Shares) -> Result<Position, BookError> {
        let position = self.find(order)?;
        let remaining = self.orders.at(position).quantity;
        if remaining < quantity {
            return Err(BookError::BeyondRemaining { order, taken: quantity, remaining });
        }
        Ok(position)
    }

    /// Counts an order's quote among its holder's, if it is one, and tells the order where.
    #[inline(always)]
    fn add_quote(&mut self, order: &mut Slot) {
        if let (Some(holder), Some(price)) = (order.holder, order.terms.quote_price()) {
            let entry = self.own[holder.index()].add(order.terms.side(), price, order.quantity);
            order.terms = order.terms.with_entry(entry);
        }
    }

    /// Takes `shares` off an order's quote, if it is one that counts among its holder's.
    #[inline(always)]
    fn take_quote(&mut self, order: &Slot, shares: Shares) {
        if let (Some(holder), Some(price)) = (order.holder, order.terms.quote_price()) {
            self.own[holder.index()].take(order.terms.side(), order.terms.entry(), price, shares);
        }
    }

    /// Fetches where an order would stand, for when an event names it.
    #[inline(always)]
    pub fn prefetch(&self, order: OrderId) {
        self.orders.prefetch(order);
    }
}

#[cfg(test)]
mod tests;
