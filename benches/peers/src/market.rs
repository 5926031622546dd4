//! A market of one implementation's books, fed by quoteclock's ITCH decoder, so that all read the same events.

use quoteclock_benches::Input;
use quoteclock_feed::itch::ItchDecoder;
use quoteclock_feed::{RawRecord, Receiver, Stop};
use quoteclock_model::{IssueCode, IssueIndex, MarketEvent, OrderAction, OrderId, Price, ServerIndex, Shares, Side};
use std::time::{Duration, Instant};

/// The book of one issue. Orders are as the feed has them: those named are live, and no more is taken than there is.
pub trait Book {
    /// An empty book, whose prices are multiples of `tick` ten-thousandths.
    fn new(tick: u64) -> Self;
    /// An order comes to rest.
    fn add(&mut self, order: OrderId, side: Side, price: Price, shares: Shares);
    /// Shares are taken off an order, which is gone at zero.
    fn reduce(&mut self, order: OrderId, shares: Shares);
    /// An order is gone.
    fn cancel(&mut self, order: OrderId);
    /// An order of the same side takes another's place.
    fn replace(&mut self, order: OrderId, order_new: OrderId, price: Price, shares: Shares);
    /// The best price of a side in ten-thousandths; zero if there is none.
    fn best(&self, side: Side) -> u64;
}

/// The tick of each issue: the greatest common divisor of its prices.
#[derive(Default)]
pub struct Ticks(pub Vec<u64>);

impl Receiver for Ticks {
    fn issue(&mut self, _: IssueIndex, _: &IssueCode) {}
    fn server(&mut self, _: ServerIndex, _: &str) {}

    fn record(&mut self, record: &RawRecord<'_>) -> Result<(), Stop> {
        if let Ok(MarketEvent::Order { issue, action }) = record.event {
            if self.0.len() <= issue.index() {
                self.0.resize(issue.index() + 1, 0);
            }
            if let OrderAction::Add { price: Some(price), .. } | OrderAction::Replace { price: Some(price), .. } =
                action
            {
                let (mut a, mut b) = (self.0[issue.index()], price.ten_thousandths());
                while b != 0 {
                    (a, b) = (b, a % b);
                }
                self.0[issue.index()] = a;
            }
        }
        Ok(())
    }

    fn rest(&mut self, _: &[u8]) -> Result<(), Stop> {
        Ok(())
    }
}

/// All books, and in a run that `CHECKS` a hash of the best prices after every event.
struct Market<B, const CHECKS: bool> {
    books: Vec<B>,
    hash: u64,
}

impl<B: Book, const CHECKS: bool> Market<B, CHECKS> {
    fn hash_best(&mut self, issue: usize) {
        for side in Side::BOTH {
            self.hash = (self.hash ^ self.books[issue].best(side)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

impl<B: Book, const CHECKS: bool> Receiver for Market<B, CHECKS> {
    fn issue(&mut self, _: IssueIndex, _: &IssueCode) {}
    fn server(&mut self, _: ServerIndex, _: &str) {}

    #[inline]
    fn record(&mut self, record: &RawRecord<'_>) -> Result<(), Stop> {
        let MarketEvent::Order { issue, action } = record.event.as_ref().map_err(|_| Stop)? else { return Ok(()) };
        let book = &mut self.books[issue.index()];
        match *action {
            OrderAction::Add { order, side, price: Some(price), quantity, .. } => {
                book.add(order, side, price, quantity)
            }
            OrderAction::Replace { order, order_new, price: Some(price), quantity: Some(quantity) } => {
                book.replace(order, order_new, price, quantity);
            }
            OrderAction::Reduce { order, quantity } => book.reduce(order, quantity),
            OrderAction::Cancel { order } => book.cancel(order),
            OrderAction::Trade { quantity, orders, .. } => {
                for order in orders.into_iter().flatten() {
                    book.reduce(order, quantity);
                }
            }
            OrderAction::Add { .. } | OrderAction::Replace { .. } => return Err(Stop),
        }
        if CHECKS {
            self.hash_best(issue.index());
        }
        Ok(())
    }

    fn rest(&mut self, _: &[u8]) -> Result<(), Stop> {
        Ok(())
    }
}

/// Runs a day through books of one kind: the time it takes, decoding included, and a hash of the best prices of all
/// issues at the end. A run that `CHECKS` hashes them after every event too.
pub fn run<B: Book, const CHECKS: bool>(input: &Input, ticks: &Ticks) -> (Duration, u64) {
    let books = ticks.0.iter().map(|&tick| B::new(tick)).collect();
    let mut market = Market::<B, CHECKS> { books, hash: 0xcbf2_9ce4_8422_2325 };
    let start = Instant::now();
    decode(input, &mut market);
    let elapsed = start.elapsed();
    for issue in 0..market.books.len() {
        market.hash_best(issue);
    }
    (elapsed, market.hash)
}

/// Pushes the input through the decoder.
pub fn decode(input: &Input, receiver: &mut impl Receiver) {
    let mut decoder = ItchDecoder::new(input.midnight());
    for chunk in input.bytes.chunks(1 << 18) {
        decoder.push(chunk, receiver).expect("good ITCH");
    }
    decoder.finish(receiver).expect("good ITCH");
}
