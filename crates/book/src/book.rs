//! The market's book of one issue, order by order.

use crate::orders::{OrderTable, Position};
use crate::{Levels, OwnQuotes};
use quoteclock_model::{Condition, OrderAction, OrderId, Price, ServerIndex, Shares, Side};
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
    /// The total at one price does not fit 64 bits.
    #[error("the total at the price of order {order} exceeds 18,446,744,073,709,551,615 shares")]
    LevelOverflow {
        /// The order.
        order: OrderId,
    },
}

/// What an event did to the quotes of one order: shares that left a price, shares that came to one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QuoteChange {
    /// The order's virtual server.
    pub server: Option<ServerIndex>,
    /// The order's side.
    pub side: Side,
    /// The order's limit before the event, quote or not; `None` for a market order.
    pub limit: Option<Price>,
    /// Shares taken off, and where.
    pub taken: Option<(Price, Shares)>,
    /// Shares added, and where.
    pub added: Option<(Price, Shares)>,
}

impl QuoteChange {
    /// Makes the same change to `own`, the quotes of the server's market maker.
    pub fn apply_to(&self, own: &mut OwnQuotes) {
        if let Some((price, shares)) = self.taken {
            own.take(self.side, price, shares);
        }
        if let Some((price, shares)) = self.added {
            own.add(self.side, price, shares);
        }
    }
}

/// The order book of one issue.
#[derive(Debug)]
pub struct Book {
    orders: OrderTable,
    bids: Levels,
    offers: Levels,
}

impl Default for Book {
    fn default() -> Self {
        Book { orders: OrderTable::default(), bids: Levels::new(Side::Bid), offers: Levels::new(Side::Offer) }
    }
}

impl Book {
    /// The quotes of `side` at each price. Market orders and orders for an auction only are in the book but no quotes.
    pub fn levels(&self, side: Side) -> &Levels {
        match side {
            Side::Bid => &self.bids,
            Side::Offer => &self.offers,
        }
    }

    /// The live order with this number.
    pub fn order(&self, order: OrderId) -> Option<Order> {
        self.orders.find(order).map(|position| self.orders.at(position))
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
        let mut orders: Vec<_> = self.orders.iter().collect();
        orders.sort_unstable_by_key(|&(id, _)| id);
        orders
    }

    /// Empties the book.
    pub fn clear(&mut self) {
        self.orders.clear();
        self.bids.clear();
        self.offers.clear();
    }

    /// Applies `action` and tells `changed` what it did to the quotes, once for each order touched.
    ///
    /// # Errors
    /// [`BookError`] if the action does not fit the book; then nothing has changed.
    #[inline]
    pub fn apply(&mut self, action: &OrderAction, mut changed: impl FnMut(QuoteChange)) -> Result<(), BookError> {
        match *action {
            OrderAction::Add { order, server, side, price, quantity, condition } => {
                changed(self.add(order, &Order { server, side, price, quantity, condition })?);
            }
            OrderAction::Replace { order, order_new, price, quantity } => {
                changed(self.replace(order, order_new, price, quantity)?);
            }
            OrderAction::Reduce { order, quantity } => {
                let position = self.find_with(order, quantity)?;
                changed(self.take(position, quantity));
            }
            OrderAction::Cancel { order } => {
                let position = self.find(order)?;
                changed(self.take(position, self.orders.remaining(position)));
            }
            OrderAction::Trade { quantity, orders, .. } => {
                for order in orders.into_iter().flatten() {
                    self.find_with(order, quantity)?;
                }
                for order in orders.into_iter().flatten() {
                    let position = self.find_with(order, quantity)?;
                    changed(self.take(position, quantity));
                }
            }
        }
        Ok(())
    }

    #[inline]
    fn add(&mut self, id: OrderId, order: &Order) -> Result<QuoteChange, BookError> {
        if self.orders.find(id).is_some() {
            return Err(BookError::AlreadyLive { order: id });
        }
        let added = order.quote_price().map(|price| (price, order.quantity));
        if let Some((price, shares)) = added {
            self.levels_mut(order.side).add(price, shares).ok_or(BookError::LevelOverflow { order: id })?;
        }
        self.orders.insert(id, order);
        Ok(QuoteChange { server: order.server, side: order.side, limit: order.price, taken: None, added })
    }

    #[inline]
    fn replace(
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
        let after = Order { price: price.or(before.price), quantity: quantity.unwrap_or(before.quantity), ..before };
        let taken = before.quote_price().map(|price| (price, before.quantity));
        let added = after.quote_price().map(|price| (price, after.quantity));
        let levels = self.levels_mut(before.side);
        if let Some((price, shares)) = taken {
            levels.take(price, shares);
        }
        if let Some((price, shares)) = added
            && levels.add(price, shares).is_none()
        {
            if let Some((price, shares)) = taken {
                levels.add(price, shares).expect("the shares just taken fit again");
            }
            return Err(BookError::LevelOverflow { order: id });
        }
        if id_new == id {
            self.orders.set(position, &after);
        } else {
            self.orders.remove(position);
            self.orders.insert(id_new, &after);
        }
        Ok(QuoteChange { server: before.server, side: before.side, limit: before.price, taken, added })
    }

    #[inline]
    fn find(&self, order: OrderId) -> Result<Position, BookError> {
        self.orders.find(order).ok_or(BookError::Unknown { order })
    }

    /// Finds an order off which `quantity` can be taken.
    #[inline]
    fn find_with(&self, order: OrderId, quantity: Shares) -> Result<Position, BookError> {
        let position = self.find(order)?;
        let remaining = self.orders.remaining(position);
        if remaining < quantity {
            return Err(BookError::BeyondRemaining { order, taken: quantity, remaining });
        }
        Ok(position)
    }

    /// Takes `quantity` off an order that holds as much.
    #[inline]
    fn take(&mut self, position: Position, quantity: Shares) -> QuoteChange {
        let order = self.orders.at(position);
        self.orders.take(position, quantity);
        let taken = order.quote_price().map(|price| (price, quantity));
        if let Some((price, shares)) = taken {
            self.levels_mut(order.side).take(price, shares);
        }
        QuoteChange { server: order.server, side: order.side, limit: order.price, taken, added: None }
    }

    #[inline]
    fn levels_mut(&mut self, side: Side) -> &mut Levels {
        match side {
            Side::Bid => &mut self.bids,
            Side::Offer => &mut self.offers,
        }
    }
}

#[cfg(test)]
mod tests;
