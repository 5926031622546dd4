//! hftbacktest's hash-map depth, fed order by order.
//!
//! It counts in ticks and looks for the next best price tick by tick, so that each issue is given the widest tick that
//! its prices allow. A reduced order is told its new quantity, which is looked up in the depth itself.

use crate::market::Book;
use hftbacktest::depth::{HashMapMarketDepth, INVALID_MAX, INVALID_MIN, L3MarketDepth, MarketDepth};
use hftbacktest::types::Side as PeerSide;
use quoteclock_model::{OrderId, Price, Shares, Side};

/// See [`HashMapMarketDepth`].
pub struct Hft {
    depth: HashMapMarketDepth,
    tick: u64,
}

#[allow(clippy::cast_precision_loss, reason = "prices and quantities are far below 2^53")]
fn float(value: u64) -> f64 {
    value as f64
}

impl Book for Hft {
    fn new(tick: u64) -> Hft {
        Hft { depth: HashMapMarketDepth::new(1.0, 1.0), tick }
    }

    fn add(&mut self, OrderId(order): OrderId, side: Side, price: Price, Shares(shares): Shares) {
        let (price, shares) = (float(price.ten_thousandths() / self.tick), float(shares));
        match side {
            Side::Bid => self.depth.add_buy_order(order, price, shares, 0),
            Side::Offer => self.depth.add_sell_order(order, price, shares, 0),
        }
        .expect("a new order");
    }

    #[allow(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "as the peer counts")]
    fn reduce(&mut self, OrderId(order): OrderId, Shares(shares): Shares) {
        let found = &self.depth.orders()[&order];
        let (price, left) = (found.price_tick as f64, found.qty - float(shares));
        if left > 0.0 {
            self.depth.modify_order(order, price, left, 0).expect("a live order");
        } else {
            self.depth.delete_order(order, 0).expect("a live order");
        }
    }

    fn cancel(&mut self, OrderId(order): OrderId) {
        self.depth.delete_order(order, 0).expect("a live order");
    }

    fn replace(&mut self, order: OrderId, order_new: OrderId, price: Price, shares: Shares) {
        let (side, ..) = self.depth.delete_order(order.0, 0).expect("a live order");
        self.add(order_new, if side == PeerSide::Buy { Side::Bid } else { Side::Offer }, price, shares);
    }

    fn best(&self, side: Side) -> u64 {
        let tick = match side {
            Side::Bid => self.depth.best_bid_tick(),
            Side::Offer => self.depth.best_ask_tick(),
        };
        if tick == INVALID_MIN || tick == INVALID_MAX { 0 } else { tick.unsigned_abs() * self.tick }
    }
}
