//! nautilus-model's order book, order by order.
//!
//! It wants side, price and size with every change. The feed tells them once, so a map of the orders stands beside it.

use crate::market::Book;
use foldhash::{HashMap, HashMapExt};
use nautilus_model::data::BookOrder;
use nautilus_model::enums::{BookType, OrderSide};
use nautilus_model::identifiers::InstrumentId;
use nautilus_model::orderbook::OrderBook;
use nautilus_model::types::fixed::FIXED_PRECISION;
use nautilus_model::types::{Price as PeerPrice, Quantity};
use quoteclock_model::{OrderId, Price, Shares, Side};

/// Their units in one of ours, which have four decimals and none.
const PRICE_UNITS: u64 = 10_u64.pow(FIXED_PRECISION as u32 - 4);
const SHARE_UNITS: u64 = 10_u64.pow(FIXED_PRECISION as u32);

/// See [`OrderBook`].
pub struct Nautilus {
    book: OrderBook,
    orders: HashMap<OrderId, BookOrder>,
}

fn price_of(price: Price) -> PeerPrice {
    PeerPrice::from_raw((price.ten_thousandths() * PRICE_UNITS).try_into().expect("a price of theirs"), 4)
}

fn quantity_of(Shares(shares): Shares) -> Quantity {
    Quantity::from_raw(shares * SHARE_UNITS, 0)
}

impl Nautilus {
    fn insert(&mut self, order: OrderId, entry: BookOrder) {
        self.orders.insert(order, entry);
        self.book.add(entry, 0, 0, 0.into());
    }
}

impl Book for Nautilus {
    fn new(_: u64) -> Nautilus {
        let book = OrderBook::new(InstrumentId::from("ISSUE.VENUE"), BookType::L3_MBO);
        Nautilus { book, orders: HashMap::new() }
    }

    fn add(&mut self, order: OrderId, side: Side, price: Price, shares: Shares) {
        let side = match side {
            Side::Bid => OrderSide::Buy,
            Side::Offer => OrderSide::Sell,
        };
        self.insert(order, BookOrder::new(side, price_of(price), quantity_of(shares), order.0));
    }

    fn reduce(&mut self, order: OrderId, shares: Shares) {
        let entry = self.orders.get_mut(&order).expect("a live order");
        entry.size = Quantity::from_raw(entry.size.raw - quantity_of(shares).raw, 0);
        if entry.size.raw == 0 {
            self.cancel(order);
        } else {
            self.book.update(*entry, 0, 0, 0.into());
        }
    }

    fn cancel(&mut self, order: OrderId) {
        let entry = self.orders.remove(&order).expect("a live order");
        self.book.delete(entry, 0, 0, 0.into());
    }

    fn replace(&mut self, order: OrderId, order_new: OrderId, price: Price, shares: Shares) {
        let entry = self.orders.remove(&order).expect("a live order");
        self.book.delete(entry, 0, 0, 0.into());
        self.insert(order_new, BookOrder::new(entry.side, price_of(price), quantity_of(shares), order_new.0));
    }

    fn best(&self, side: Side) -> u64 {
        let price = match side {
            Side::Bid => self.book.best_bid_price(),
            Side::Offer => self.book.best_ask_price(),
        };
        price.map_or(0, |price| u64::try_from(price.raw).expect("a price of ours") / PRICE_UNITS)
    }
}
