//! The other direction: events as ITCH 5.0, in the exchange's file form, as the generator of market days needs it.
//!
//! ITCH says less than our events can, and says some of it otherwise; what is written measures the same when it is read
//! back, and what it cannot say is refused, never bent:
//!
//! - An execution names one order. Of a trade that names two, the first is executed and the second's message is not
//!   printable: both orders lose their shares, and the trade's value counts once, for the first. That the two traded
//!   with each other is lost.
//! - An execution of a named order cannot be marked as an auction's. Such a trade is written as the exchange does it:
//!   unprintable executions of the orders, and one auction message for the whole. Whose value it was is lost.
//! - A phase is `continuous` or `halt` of an issue, `continuous` or `closed` of the market: phases that trade and phases
//!   that do not are written as the one or the other.
//! - A replace has a new order number, a price and a quantity: one that leaves any of them as it was cannot be written,
//!   because the writer keeps no book in which to look it up.
//! - Market orders, conditions and `clear` do not exist; sequence numbers are dropped.
//!
//! No mark of the end of the session is written, because other programs that read such files expect none.

use super::layout::at;
use super::locates::StockField;
use crate::EventWriter;
use quoteclock_model::{
    IssueCode, IssueIndex, MarketEvent, OrderAction, OrderCondition, OrderId, Phase, Price, Record, Scope, SequenceNo,
    ServerIndex, Shares, Side, Timestamp,
};
use std::io;

/// Writes ITCH 5.0, each message after its length. Every message is a write of its own: give it a buffered output.
#[derive(Debug)]
pub struct ItchWriter<W> {
    output: W,
    midnight: Timestamp,
    /// The time of the last event, in nanoseconds from midnight: that of a names message, too.
    last_nanos: u64,
    match_number: u64,
    issues: Vec<Option<Issue>>,
    servers: Vec<[u8; 4]>,
}

#[derive(Clone, Copy, Debug)]
struct Issue {
    locate: u16,
    stock: StockField,
}

/// A message of `N` bytes while it is put together.
struct Message<const N: usize>([u8; N]);

impl<const N: usize> Message<N> {
    fn new(kind: u8, locate: u16, nanos: u64) -> Message<N> {
        // The time has 48 bits: its upper two bytes are those of the tracking number, which stays 0.
        Message([0; N]).put(0, [kind]).put(at::TRACKING, nanos.to_be_bytes()).put(at::LOCATE, locate.to_be_bytes())
    }

    fn put<const M: usize>(mut self, at: usize, field: [u8; M]) -> Self {
        self.0[at..at + M].copy_from_slice(&field);
        self
    }

    fn order(self, at: usize, order: OrderId) -> Self {
        self.put(at, order.0.to_be_bytes())
    }
}

impl<W: io::Write> ItchWriter<W> {
    /// Writes to `output`, with times counted from `midnight`.
    pub fn new(output: W, midnight: Timestamp) -> ItchWriter<W> {
        let (issues, servers) = (Vec::new(), Vec::new());
        ItchWriter { output, midnight, last_nanos: 0, match_number: 0, issues, servers }
    }

    fn write<const N: usize>(&mut self, message: &Message<N>) -> io::Result<()> {
        let length = u16::try_from(N).expect("a message is short");
        self.output.write_all(&length.to_be_bytes())?;
        self.output.write_all(&message.0)
    }

    fn begin<const N: usize>(&self, kind: u8, issue: Issue) -> Message<N> {
        Message::new(kind, issue.locate, self.last_nanos)
    }

    fn announced(&self, index: IssueIndex) -> io::Result<Issue> {
        let issue = self.issues.get(index.index()).copied().flatten();
        issue.ok_or_else(|| refused(format!("an event of issue {}, which has not been announced", index.0)))
    }

    fn phase(&mut self, scope: Scope, phase: Phase) -> io::Result<()> {
        let trades = match phase {
            Phase::Continuous | Phase::SequentialQuote => true,
            Phase::SpecialQuote | Phase::Halt | Phase::Auction | Phase::Closed => false,
        };
        match scope {
            Scope::Market => {
                let event = if trades { b'Q' } else { b'M' };
                self.write(&Message::<12>::new(b'S', 0, self.last_nanos).put(at::SYSTEM_EVENT, [event]))
            }
            Scope::Issue(index) => {
                let issue = self.announced(index)?;
                let state = if trades { *b"T     " } else { *b"H     " };
                let message: Message<25> = self.begin(b'H', issue);
                self.write(&message.put(at::STATE_STOCK, issue.stock).put(at::STATE, state))
            }
        }
    }

    fn action(&mut self, issue: Issue, action: &OrderAction) -> io::Result<()> {
        match *action {
            OrderAction::Add { order, server, side, price, quantity, condition } => {
                if condition != OrderCondition::None {
                    return Err(refused(format!("order {order} with a condition")));
                }
                let price = price.ok_or_else(|| refused(format!("order {order} without a price")))?;
                let side = match side {
                    Side::Bid => b'B',
                    Side::Offer => b'S',
                };
                let (shares, price) = (shares(quantity)?, price_field(price)?);
                self.add(issue, server, OrderFields { order, side, shares, price })
            }
            OrderAction::Replace { order, order_new, price, quantity } => {
                self.replace(issue, order, order_new, price, quantity)
            }
            OrderAction::Reduce { order, quantity } => {
                let message: Message<23> = self.begin(b'X', issue);
                self.write(&message.order(at::ORDER, order).put(at::CANCELLED_SHARES, shares(quantity)?))
            }
            OrderAction::Cancel { order } => {
                let message: Message<19> = self.begin(b'D', issue);
                self.write(&message.order(at::ORDER, order))
            }
            OrderAction::Trade { price, quantity, orders, auction } => {
                let mut named = orders.into_iter().flatten();
                match (named.next(), named.next()) {
                    (None, _) => self.trade_of_none(issue, price, quantity, auction),
                    (Some(first), second) if auction => {
                        self.trade_in_auction(issue, price, quantity, [Some(first), second])
                    }
                    (Some(first), second) => self.trade(issue, price, quantity, first, second),
                }
            }
        }
    }

    fn add(&mut self, issue: Issue, server: Option<ServerIndex>, fields: OrderFields) -> io::Result<()> {
        match server {
            None => {
                let message: Message<36> = self.begin(b'A', issue);
                self.write(&fields.put(message, issue))
            }
            Some(server) => {
                let name = self.servers.get(server.index()).copied();
                let name = name.ok_or_else(|| refused(format!("server {}, which has not been announced", server.0)))?;
                let message: Message<40> = self.begin(b'F', issue);
                self.write(&fields.put(message, issue).put(at::ATTRIBUTION, name))
            }
        }
    }

    fn replace(
        &mut self,
        issue: Issue,
        order: OrderId,
        order_new: OrderId,
        price: Option<Price>,
        quantity: Option<Shares>,
    ) -> io::Result<()> {
        let (Some(price), Some(quantity)) = (price, quantity) else {
            return Err(refused(format!("a replace of order {order} that does not give both price and quantity")));
        };
        if order == order_new {
            return Err(refused(format!("a replace of order {order} that keeps its number")));
        }
        let (quantity, price) = (shares(quantity)?, price_field(price)?);
        let message: Message<35> = self.begin(b'U', issue);
        let message = message.order(at::ORDER, order).order(at::ORDER_NEW, order_new);
        self.write(&message.put(at::SHARES_NEW, quantity).put(at::PRICE_NEW, price))
    }

    /// A trade of one order or two, of which the first stands for its value.
    fn trade(
        &mut self,
        issue: Issue,
        price: Option<Price>,
        quantity: Shares,
        first: OrderId,
        second: Option<OrderId>,
    ) -> io::Result<()> {
        let quantity = shares(quantity)?;
        let price = price.map(price_field).transpose()?;
        self.match_number += 1;
        match price {
            None => {
                let message: Message<31> = self.begin(b'E', issue);
                let message = message.order(at::ORDER, first).put(at::EXECUTED_SHARES, quantity);
                self.write(&message.put(at::EXECUTED_MATCH, self.match_number.to_be_bytes()))?;
            }
            Some(price) => self.executed_at(issue, first, quantity, b'Y', price)?,
        }
        match second {
            None => Ok(()),
            // Nothing is read of the price of an unprintable execution.
            Some(second) => self.executed_at(issue, second, quantity, b'N', price.unwrap_or_default()),
        }
    }

    fn trade_in_auction(
        &mut self,
        issue: Issue,
        price: Option<Price>,
        quantity: Shares,
        orders: [Option<OrderId>; 2],
    ) -> io::Result<()> {
        let price_shown = price.map(price_field).transpose()?.unwrap_or_default();
        let shares = shares(quantity)?;
        self.trade_of_none(issue, price, quantity, true)?;
        for order in orders.into_iter().flatten() {
            self.executed_at(issue, order, shares, b'N', price_shown)?;
        }
        Ok(())
    }

    fn trade_of_none(&mut self, issue: Issue, price: Option<Price>, quantity: Shares, auction: bool) -> io::Result<()> {
        let price = price.ok_or_else(|| refused("a trade without a price that names no order to take it from"))?;
        let price = price_field(price)?;
        if !(1..=Shares::MAX_PER_RECORD.0).contains(&quantity.0) {
            return Err(refused(format!("{quantity} shares, not 1 to {}", Shares::MAX_PER_RECORD)));
        }
        let match_number = (self.match_number + 1).to_be_bytes();
        if auction {
            let message: Message<40> = self.begin(b'Q', issue);
            let message = message.put(at::CROSS_SHARES, quantity.0.to_be_bytes()).put(at::CROSS_STOCK, issue.stock);
            let message = message.put(at::CROSS_PRICE, price).put(at::CROSS_MATCH, match_number);
            self.write(&message.put(at::CROSS_KIND, *b"O"))?;
        } else {
            let message: Message<44> = self.begin(b'P', issue);
            let fields = OrderFields { order: OrderId(0), side: b'B', shares: shares(quantity)?, price };
            let message = fields.put(message, issue);
            self.write(&message.put(at::TRADE_MATCH, match_number))?;
        }
        self.match_number += 1;
        Ok(())
    }

    fn executed_at(
        &mut self,
        issue: Issue,
        order: OrderId,
        quantity: [u8; 4],
        printable: u8,
        price: [u8; 4],
    ) -> io::Result<()> {
        let message: Message<36> = self.begin(b'C', issue);
        let message = message.order(at::ORDER, order).put(at::EXECUTED_SHARES, quantity);
        let message = message.put(at::EXECUTED_MATCH, self.match_number.to_be_bytes());
        self.write(&message.put(at::PRINTABLE, [printable]).put(at::EXECUTED_PRICE, price))
    }
}

impl<W: io::Write> EventWriter for ItchWriter<W> {
    /// Writes a names message; the locate is the index, counted from 1.
    fn issue(&mut self, index: IssueIndex, code: &IssueCode) -> io::Result<()> {
        let stock = padded(code.as_str()).ok_or_else(|| refused(format!("issue {code}, longer than 8 characters")))?;
        let locate = u16::try_from(index.0).ok().and_then(|index| index.checked_add(1));
        let locate = locate.ok_or_else(|| refused(format!("issue {code}, one of more than 65,535 issues")))?;
        if self.issues.len() <= index.index() {
            self.issues.resize(index.index() + 1, None);
        }
        let issue = Issue { locate, stock };
        self.issues[index.index()] = Some(issue);
        let message: Message<39> = self.begin(b'R', issue);
        // An exchange-traded fund on NASDAQ's own market, in round lots of 100; the rest as for a live one.
        let message = message.put(at::DIRECTORY_STOCK, stock).put(19, *b"G ").put(21, 100_u32.to_be_bytes());
        self.write(&message.put(25, *b"NQE PN 1Y").put(34, 0_u32.to_be_bytes()).put(38, *b"N"))
    }

    fn server(&mut self, index: ServerIndex, name: &str) -> io::Result<()> {
        let legal = name.bytes().all(|byte| byte.is_ascii_graphic()) && !name.is_empty();
        let field = if legal { padded(name) } else { None };
        let field = field.ok_or_else(|| refused(format!("server {name:?}, not 1 to 4 visible ASCII characters")))?;
        if index.index() != self.servers.len() {
            return Err(refused(format!("server {name:?}, announced out of order")));
        }
        self.servers.push(field);
        Ok(())
    }

    fn event(&mut self, _: Option<SequenceNo>, record: &Record) -> io::Result<()> {
        const NANOS_END: u64 = 1 << 48;
        let micros = record.ts_event.as_micros().checked_sub(self.midnight.as_micros());
        let nanos = micros.and_then(|micros| u64::try_from(micros).ok()?.checked_mul(1000));
        let legal = nanos.filter(|&nanos| nanos < NANOS_END);
        self.last_nanos = legal.ok_or_else(|| refused("an event outside the 78 hours from midnight"))?;
        match record.event {
            MarketEvent::Order { issue, ref action } => self.action(self.announced(issue)?, action),
            MarketEvent::Phase { scope, phase } => self.phase(scope, phase),
            MarketEvent::Clear { .. } => Err(refused("clear")),
        }
    }

    fn finish(mut self) -> io::Result<()> {
        self.output.flush()
    }
}

/// The fields that an order and a trade of an unnamed order have in common.
struct OrderFields {
    order: OrderId,
    side: u8,
    shares: [u8; 4],
    price: [u8; 4],
}

impl OrderFields {
    fn put<const N: usize>(&self, message: Message<N>, issue: Issue) -> Message<N> {
        let message = message.order(at::ORDER, self.order).put(at::SIDE, [self.side]).put(at::SHARES, self.shares);
        message.put(at::STOCK, issue.stock).put(at::PRICE, self.price)
    }
}

/// `name` filled up with spaces; `None` if it is longer.
fn padded<const N: usize>(name: &str) -> Option<[u8; N]> {
    let mut field = [b' '; N];
    field.get_mut(..name.len())?.copy_from_slice(name.as_bytes());
    Some(field)
}

fn shares(quantity: Shares) -> io::Result<[u8; 4]> {
    match u32::try_from(quantity.0) {
        Ok(shares) if 0 < shares => Ok(shares.to_be_bytes()),
        _ => Err(refused(format!("{quantity} shares, not 1 to 4,294,967,295"))),
    }
}

fn price_field(price: Price) -> io::Result<[u8; 4]> {
    let units = u32::try_from(price.ten_thousandths());
    units.map(u32::to_be_bytes).map_err(|_| refused(format!("the price {price}, above 429,496.7295")))
}

#[cold]
fn refused(what: impl std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("ITCH 5.0 cannot hold {what}"))
}
