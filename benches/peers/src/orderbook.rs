//! orderbook-rs, a matching engine for many threads, here told what rests and what does not.
//!
//! It wants the new quantity of a reduced order, and the side of a replacement. The feed tells them once, so a map of
//! the orders stands beside it. Its clock is a counter, so that no time goes into asking for the time.

use crate::market::Book;
use foldhash::{HashMap, HashMapExt};
use orderbook_rs::{OrderBook, StubClock};
use pricelevel::{Id, OrderUpdate, Quantity, Side as PeerSide, TimeInForce};
use quoteclock_model::{OrderId, Price, Shares, Side};
use std::sync::Arc;

/// See [`OrderBook`].
pub struct OrderBookRs {
    book: OrderBook<()>,
    orders: HashMap<OrderId, (Side, u64)>,
}

impl Book for OrderBookRs {
    fn new(_: u64) -> OrderBookRs {
        OrderBookRs { book: OrderBook::with_clock("ISSUE", Arc::new(StubClock::new())), orders: HashMap::new() }
    }

    fn add(&mut self, order: OrderId, side: Side, price: Price, Shares(shares): Shares) {
        self.orders.insert(order, (side, shares));
        let side = match side {
            Side::Bid => PeerSide::Buy,
            Side::Offer => PeerSide::Sell,
        };
        let (id, price) = (Id::Sequential(order.0), u128::from(price.ten_thousandths()));
        self.book.add_limit_order(id, price, shares, side, TimeInForce::Gtc, None).expect("a new order");
    }

    fn reduce(&mut self, order: OrderId, Shares(shares): Shares) {
        let (_, left) = self.orders.get_mut(&order).expect("a live order");
        *left -= shares;
        if *left == 0 {
            self.cancel(order);
        } else {
            let (order_id, new_quantity) = (Id::Sequential(order.0), Quantity::new(*left));
            let update = OrderUpdate::UpdateQuantity { order_id, new_quantity };
            self.book.update_order(update).expect("no fault").expect("a live order");
        }
    }

    fn cancel(&mut self, order: OrderId) {
        self.orders.remove(&order);
        self.book.cancel_order(Id::Sequential(order.0)).expect("no fault").expect("a live order");
    }

    fn replace(&mut self, order: OrderId, order_new: OrderId, price: Price, shares: Shares) {
        let (side, _) = self.orders[&order];
        self.cancel(order);
        self.add(order_new, side, price, shares);
    }

    fn best(&self, side: Side) -> u64 {
        let price = match side {
            Side::Bid => self.book.best_bid(),
            Side::Offer => self.book.best_ask(),
        };
        price.map_or(0, |price| u64::try_from(price).expect("a price of ours"))
    }
}
