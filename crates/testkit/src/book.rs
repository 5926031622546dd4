//! The resting orders of one issue.

use std::collections::BTreeMap;

use crate::event::{Action, Condition, Event, Side};

/// A resting order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Order<'a> {
    pub(crate) server: &'a str,
    pub(crate) side: Side,
    /// In ten-thousandths; `None` for a market order.
    pub(crate) price: Option<i128>,
    /// What remains, in shares.
    pub(crate) quantity: i128,
    pub(crate) condition: Condition,
}

impl Order<'_> {
    /// Market orders and orders for the opening or closing auction are in the book but are no quotes.
    pub(crate) fn quoted_price(&self) -> Option<i128> {
        match self.condition {
            Condition::OnOpen | Condition::OnClose => None,
            Condition::None | Condition::Funari | Condition::Ioc => self.price,
        }
    }
}

/// The resting orders of one issue by number.
pub(crate) type Book<'a> = BTreeMap<u64, Order<'a>>;

/// The book of an issue after those of the events that concern it.
pub(crate) fn after<'a>(events: impl Iterator<Item = &'a Event>, issue: &str) -> Book<'a> {
    let mut book = Book::new();
    for event in events.filter(|event| event.scope.covers(issue)) {
        let applied = apply(&mut book, &event.action);
        assert!(applied, "line {} was accepted and cannot be applied", event.line);
    }
    book
}

/// Applies one event. False, with the book unchanged, if it does not fit the book.
pub(crate) fn apply<'a>(book: &mut Book<'a>, action: &'a Action) -> bool {
    match action {
        Action::Add { order, server, side, price, quantity, condition } => {
            if book.contains_key(order) {
                return false;
            }
            let added = Order { server, side: *side, price: *price, quantity: *quantity, condition: *condition };
            book.insert(*order, added);
        }
        Action::Replace { order, new_order, price, quantity } => {
            let new_order = new_order.unwrap_or(*order);
            let Some(mut changed) = book.get(order).copied() else { return false };
            if new_order != *order && book.contains_key(&new_order) {
                return false;
            }
            changed.price = price.or(changed.price);
            changed.quantity = quantity.unwrap_or(changed.quantity);
            book.remove(order);
            book.insert(new_order, changed);
        }
        Action::Reduce { order, quantity } => return take(book, &[*order], *quantity),
        Action::Cancel { order } => return book.remove(order).is_some(),
        Action::Trade { orders, quantity } => return take(book, orders, *quantity),
        Action::Phase(_) => {}
        Action::Clear => book.clear(),
    }
    true
}

/// Takes the quantity off each of the orders; an order with nothing left is gone.
fn take(book: &mut Book<'_>, orders: &[u64], quantity: i128) -> bool {
    if !orders.iter().all(|order| book.get(order).is_some_and(|resting| quantity <= resting.quantity)) {
        return false;
    }
    for order in orders {
        let resting = book.get_mut(order).filter(|resting| quantity < resting.quantity);
        match resting {
            Some(resting) => resting.quantity -= quantity,
            None => drop(book.remove(order)),
        }
    }
    true
}
