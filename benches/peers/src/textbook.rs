//! What everybody writes first: a hash map of orders, a tree of levels for each side, all of the standard library.

use crate::market::Book;
use quoteclock_model::{OrderId, Price, Shares, Side};
use std::collections::{BTreeMap, HashMap};

/// The book.
pub struct Textbook {
    orders: HashMap<OrderId, (Side, Price, u64)>,
    bids: BTreeMap<Price, u64>,
    offers: BTreeMap<Price, u64>,
}

impl Textbook {
    fn take(&mut self, side: Side, price: Price, shares: u64) {
        let levels = match side {
            Side::Bid => &mut self.bids,
            Side::Offer => &mut self.offers,
        };
        let level = levels.get_mut(&price).expect("a level");
        *level -= shares;
        if *level == 0 {
            levels.remove(&price);
        }
    }
}

impl Book for Textbook {
    fn new(_: u64) -> Textbook {
        Textbook { orders: HashMap::new(), bids: BTreeMap::new(), offers: BTreeMap::new() }
    }

    fn add(&mut self, order: OrderId, side: Side, price: Price, Shares(shares): Shares) {
        self.orders.insert(order, (side, price, shares));
        let levels = match side {
            Side::Bid => &mut self.bids,
            Side::Offer => &mut self.offers,
        };
        *levels.entry(price).or_default() += shares;
    }

    fn reduce(&mut self, order: OrderId, Shares(shares): Shares) {
        let (side, price, left) = self.orders.get_mut(&order).expect("a live order");
        let (side, price) = (*side, *price);
        *left -= shares;
        if *left == 0 {
            self.orders.remove(&order);
        }
        self.take(side, price, shares);
    }

    fn cancel(&mut self, order: OrderId) {
        let (side, price, shares) = self.orders.remove(&order).expect("a live order");
        self.take(side, price, shares);
    }

    fn replace(&mut self, order: OrderId, order_new: OrderId, price: Price, shares: Shares) {
        let side = self.orders[&order].0;
        self.cancel(order);
        self.add(order_new, side, price, shares);
    }

    fn best(&self, side: Side) -> u64 {
        let level = match side {
            Side::Bid => self.bids.last_key_value(),
            Side::Offer => self.offers.first_key_value(),
        };
        level.map_or(0, |(price, _)| price.ten_thousandths())
    }
}
