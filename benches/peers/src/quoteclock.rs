//! quoteclock's own book, which the others' prices are compared with.

use crate::market::Book;
use quoteclock_model::{OrderAction, OrderCondition, OrderId, Price, Shares, Side};

/// See [`quoteclock_book::Book`].
pub struct Ours(quoteclock_book::Book);

impl Ours {
    fn apply(&mut self, action: OrderAction) {
        self.0.apply(&action, |_| None, |_| {}).expect("a good day");
    }
}

impl Book for Ours {
    fn new(_: u64) -> Ours {
        Ours(quoteclock_book::Book::default())
    }

    fn add(&mut self, order: OrderId, side: Side, price: Price, shares: Shares) {
        let (price, condition) = (Some(price), OrderCondition::None);
        self.apply(OrderAction::Add { order, server: None, side, price, quantity: shares, condition });
    }

    fn reduce(&mut self, order: OrderId, shares: Shares) {
        self.apply(OrderAction::Reduce { order, quantity: shares });
    }

    fn cancel(&mut self, order: OrderId) {
        self.apply(OrderAction::Cancel { order });
    }

    fn replace(&mut self, order: OrderId, order_new: OrderId, price: Price, shares: Shares) {
        self.apply(OrderAction::Replace { order, order_new, price: Some(price), quantity: Some(shares) });
    }

    fn best(&self, side: Side) -> u64 {
        self.0.best(side).map_or(0, |(price, _)| price.ten_thousandths())
    }
}
