//! What a message says, type by type.
//!
//! A type has one length, so a message of a known type is an array, and a field a constant place in it: no check of
//! bounds remains. Numbers are big-endian; prices have four decimals, as ours.

use super::fast::{Attributions, Known, Run};
use super::layout::{at, length};
use super::locates::{Locates, StockField, without_padding};
use super::scout::ItchScout;
use crate::{ItchState, LocateState, Malformed, NameTable, Place, RawRecord, Receiver, Sequence, Stop};
use quoteclock_model::{
    IssueIndex, MarketEvent, OrderAction, OrderCondition, OrderId, Phase, Price, Scope, ServerIndex, Shares, Side,
    Timestamp,
};

/// Reads messages one after another.
#[derive(Debug)]
pub(super) struct Messages {
    midnight: Timestamp,
    locates: Locates,
    names: NameTable,
    attributions: Attributions,
    /// Messages so far that were no record.
    pub(super) passed_over_count: u64,
}

/// What a message says; `None` if nothing to us.
type MessageResult = Result<Option<MarketEvent>, Malformed>;

impl Messages {
    pub(super) fn new(midnight: Timestamp) -> Messages {
        let (locates, names) = (Locates::default(), NameTable::default());
        Messages { midnight, locates, names, attributions: Attributions::default(), passed_over_count: 0 }
    }

    /// The locates and servers.
    pub(super) fn save(&self) -> (Vec<LocateState>, Vec<Box<[u8]>>) {
        let [_, servers] = self.names.names();
        (self.locates.save(), servers)
    }

    /// What `state` holds.
    pub(super) fn restore(midnight: Timestamp, state: &ItchState) -> Option<Messages> {
        Some(Messages {
            locates: Locates::restore(&state.locates)?,
            names: NameTable::restore(&[], &state.servers)?,
            passed_over_count: state.passed_over_count,
            ..Messages::new(midnight)
        })
    }

    /// Reads a message, of one byte at least, and hands over the record that it is, if any.
    #[inline]
    pub(super) fn message(&mut self, place: Place, bytes: &[u8], to: &mut impl Receiver) -> Result<(), Stop> {
        let kind = bytes[0];
        let (mut ts_event, mut scope) = (None, None);
        let said = match length(kind) {
            Some(expected) if expected == bytes.len() => {
                ts_event = Some(self.time(bytes));
                self.read(kind, bytes, &mut scope, to)
            }
            None if kind.is_ascii_alphabetic() => Ok(None),
            _ => Err(bad_form(bytes)),
        };
        let event = match said {
            Ok(Some(event)) => Ok(event),
            Err(malformed) => return self.bad(place, bytes, (ts_event, scope), malformed, to),
            Ok(None) => {
                self.passed_over_count += 1;
                return Ok(());
            }
        };
        to.record(&RawRecord { place, bytes, ts_event, sequence: Sequence::Absent, scope, also: None, event })
    }

    #[cold]
    fn bad(
        &mut self,
        place: Place,
        bytes: &[u8],
        (ts_event, scope): (Option<Timestamp>, Option<Scope>),
        malformed: Malformed,
        to: &mut impl Receiver,
    ) -> Result<(), Stop> {
        let misplaced = self.locates.take_misplaced();
        let (sequence, also, event) = (Sequence::Absent, misplaced.as_ref(), Err(malformed));
        to.record(&RawRecord { place, bytes, ts_event, sequence, scope, also, event })
    }

    /// Reads messages of the fast path in the file form from the beginning of `bytes`, while there are any and there is room in `run`.
    #[inline]
    pub(super) fn read_fast(&mut self, bytes: &[u8], run: &mut Run) {
        run.read(bytes, self.known());
        // The server may be known, but not where the fast path finds it.
        if run.records().is_empty() && self.attributions.learn(bytes, self.names.known()).is_some() {
            run.read(bytes, self.known());
        }
    }

    /// Whoever reads messages of the fast path elsewhere.
    pub(super) fn scout(&self) -> ItchScout {
        ItchScout {
            midnight: self.midnight,
            locates: self.locates.to_read_by(),
            named_count: self.locates.named_count(),
            attributions: self.attributions.clone(),
            servers: self.names.known().clone(),
        }
    }

    /// Whether it knows all names that this knows.
    pub(super) fn is_known_to(&self, scout: &ItchScout) -> bool {
        let known = (self.locates.named_count(), self.names.known().count());
        known == (scout.named_count, scout.servers.count())
    }

    fn known(&self) -> Known<'_> {
        Known { locates: &self.locates, attributions: &self.attributions }
    }

    /// The time from which those of messages count.
    pub(super) fn midnight(&self) -> Timestamp {
        self.midnight
    }

    /// Nanoseconds since midnight in 48 bits, floored. They are read together with the tracking number before them.
    #[inline]
    fn time(&self, bytes: &[u8]) -> Timestamp {
        let before = u64_at(bytes, at::TRACKING) & 0xFFFF_FFFF_FFFF;
        let micros = i64::try_from(before / 1000).expect("48 bits fit");
        Timestamp::from_micros(self.midnight.as_micros().saturating_add(micros))
    }

    /// Reads a message of a known type and of its length; `scope` becomes the issue, as soon as it is known.
    #[inline]
    fn read(&mut self, kind: u8, bytes: &[u8], scope: &mut Option<Scope>, to: &mut impl Receiver) -> MessageResult {
        match kind {
            b'S' => {
                let event = system_event(whole(bytes))?;
                *scope = event.map(|_| Scope::Market);
                Ok(event)
            }
            b'R' | b'H' | b'A' | b'F' | b'E' | b'C' | b'X' | b'D' | b'U' | b'P' | b'Q' => {
                let locate = u16_at(bytes, at::LOCATE);
                let issue = self.locates.issue(locate)?;
                *scope = Some(Scope::Issue(issue));
                self.of_issue(kind, bytes, locate, issue, to)
            }
            _ => Ok(None),
        }
    }

    #[inline]
    fn of_issue(
        &mut self,
        kind: u8,
        bytes: &[u8],
        locate: u16,
        issue: IssueIndex,
        to: &mut impl Receiver,
    ) -> MessageResult {
        let mut named = |stock: StockField| self.locates.name(locate, stock, to);
        let action = match kind {
            b'A' => {
                let m = whole::<36>(bytes);
                named(bytes_at(m, at::STOCK))?;
                add(m, None)?
            }
            b'F' => {
                let m = whole::<40>(bytes);
                named(bytes_at(m, at::STOCK))?;
                let server = self.server(m, to)?;
                add(m, Some(server))?
            }
            b'E' => executed(whole(bytes))?,
            b'C' => executed_at(whole(bytes))?,
            b'X' => reduce(whole(bytes))?,
            b'D' => cancel(whole(bytes)),
            b'U' => replace(whole(bytes))?,
            b'P' => {
                let m = whole::<44>(bytes);
                named(bytes_at(m, at::STOCK))?;
                trade(m)?
            }
            b'Q' => {
                let m = whole::<40>(bytes);
                named(bytes_at(m, at::CROSS_STOCK))?;
                match cross(m)? {
                    Some(trade) => trade,
                    None => return Ok(None),
                }
            }
            b'H' => {
                let m = whole::<25>(bytes);
                named(bytes_at(m, at::STATE_STOCK))?;
                let phase = if m[at::STATE] == b'T' { Phase::Continuous } else { Phase::Halt };
                return Ok(Some(MarketEvent::Phase { scope: Scope::Issue(issue), phase }));
            }
            // The stock names.
            _ => {
                named(bytes_at(whole::<39>(bytes), at::DIRECTORY_STOCK))?;
                return Ok(None);
            }
        };
        Ok(Some(MarketEvent::Order { issue, action }))
    }

    /// The virtual server: the market participant that an attributed order names.
    #[inline]
    fn server(&mut self, m: &[u8; 40], to: &mut impl Receiver) -> Result<ServerIndex, Malformed> {
        let field: [u8; 4] = bytes_at(m, at::ATTRIBUTION);
        let name = without_padding(&field);
        let legal = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
        let server = if legal { self.names.server(name, to) } else { None };
        server.ok_or_else(|| {
            let expected = "the identifier of a market participant: 1 to 4 visible ASCII characters and spaces after \
                 them, at most 1,048,576 of them in a file";
            Malformed::field("attribution", &field, expected)
        })
    }
}

/// What the market as a whole does; system events other than the start and end of market hours say nothing to us.
fn system_event(m: &[u8; 12]) -> MessageResult {
    let locate = u16_at(m, at::LOCATE);
    if locate != 0 {
        return Err(bad_number("stock locate", locate, "0 in a system event"));
    }
    let phase = match m[at::SYSTEM_EVENT] {
        b'Q' => Phase::Continuous,
        b'M' => Phase::Closed,
        _ => return Ok(None),
    };
    Ok(Some(MarketEvent::Phase { scope: Scope::Market, phase }))
}

#[inline(always)]
fn add<const N: usize>(m: &[u8; N], server: Option<ServerIndex>) -> Result<OrderAction, Malformed> {
    let side = match m[at::SIDE] {
        b'B' => Side::Bid,
        b'S' => Side::Offer,
        other => return Err(Malformed::field("side", &[other], "B or S")),
    };
    let (price, quantity) = (Some(price(m, at::PRICE)?), shares(m, at::SHARES)?);
    Ok(OrderAction::Add {
        order: order_at(m, at::ORDER),
        server,
        side,
        price,
        quantity,
        condition: OrderCondition::None,
    })
}

/// An execution at the order's own price.
#[inline(always)]
fn executed(m: &[u8; 31]) -> Result<OrderAction, Malformed> {
    let orders = [Some(order_at(m, at::ORDER)), None];
    Ok(OrderAction::Trade { price: None, quantity: shares(m, at::EXECUTED_SHARES)?, orders, auction: false })
}

/// An execution at another price. One that is not printable is part of a trade that is told elsewhere as a whole.
#[inline(always)]
fn executed_at(m: &[u8; 36]) -> Result<OrderAction, Malformed> {
    let (order, quantity) = (order_at(m, at::ORDER), shares(m, at::EXECUTED_SHARES)?);
    match m[at::PRINTABLE] {
        b'Y' => {
            let price = Some(price(m, at::EXECUTED_PRICE)?);
            Ok(OrderAction::Trade { price, quantity, orders: [Some(order), None], auction: false })
        }
        b'N' => Ok(OrderAction::Reduce { order, quantity }),
        other => Err(Malformed::field("printable", &[other], "Y or N")),
    }
}

#[inline(always)]
fn cancel(m: &[u8; 19]) -> OrderAction {
    OrderAction::Cancel { order: order_at(m, at::ORDER) }
}

#[inline(always)]
fn reduce(m: &[u8; 23]) -> Result<OrderAction, Malformed> {
    Ok(OrderAction::Reduce { order: order_at(m, at::ORDER), quantity: shares(m, at::CANCELLED_SHARES)? })
}

#[inline(always)]
fn replace(m: &[u8; 35]) -> Result<OrderAction, Malformed> {
    let (order, order_new) = (order_at(m, at::ORDER), order_at(m, at::ORDER_NEW));
    if order == order_new {
        return Err(bad_number("new order", order.0, "a number other than the order's so far"));
    }
    let (price, quantity) = (Some(price(m, at::PRICE_NEW)?), Some(shares(m, at::SHARES_NEW)?));
    Ok(OrderAction::Replace { order, order_new, price, quantity })
}

/// An execution of an order that was never shown.
#[inline(always)]
fn trade(m: &[u8; 44]) -> Result<OrderAction, Malformed> {
    let (price, quantity) = (Some(price(m, at::PRICE)?), shares(m, at::SHARES)?);
    Ok(OrderAction::Trade { price, quantity, orders: [None; 2], auction: false })
}

/// An auction; `None` if nothing was executed in it.
fn cross(m: &[u8; 40]) -> Result<Option<OrderAction>, Malformed> {
    let quantity = Shares(u64_at(m, at::CROSS_SHARES));
    if quantity == Shares(0) {
        return Ok(None);
    }
    if Shares::MAX_PER_RECORD < quantity {
        return Err(bad_number("shares", quantity.0, "0 to 1,000,000,000,000 shares"));
    }
    let price = Some(price(m, at::CROSS_PRICE)?);
    Ok(Some(OrderAction::Trade { price, quantity, orders: [None; 2], auction: true }))
}

#[inline]
fn u16_at(m: &[u8], at: usize) -> u16 {
    u16::from_be_bytes(bytes_at(m, at))
}

#[inline]
fn u32_at(m: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes_at(m, at))
}

#[inline]
fn u64_at(m: &[u8], at: usize) -> u64 {
    u64::from_be_bytes(bytes_at(m, at))
}

/// A message of a type whose length has been checked.
#[inline]
fn whole<const N: usize>(bytes: &[u8]) -> &[u8; N] {
    bytes.try_into().expect("a message has the length of its type")
}

/// Inlined into callers that know the message's length, so that the check of bounds disappears.
#[inline]
fn bytes_at<const N: usize>(m: &[u8], at: usize) -> [u8; N] {
    *m[at..].first_chunk().expect("the field lies in its message")
}

#[inline]
fn order_at(m: &[u8], at: usize) -> OrderId {
    OrderId(u64_at(m, at))
}

#[inline(always)]
fn shares(m: &[u8], at: usize) -> Result<Shares, Malformed> {
    match u32_at(m, at) {
        0 => Err(bad_number("shares", 0_u32, "1 share or more")),
        shares => Ok(Shares(u64::from(shares))),
    }
}

#[inline(always)]
fn price(m: &[u8], at: usize) -> Result<Price, Malformed> {
    Price::from_ten_thousandths(u64::from(u32_at(m, at)))
        .ok_or_else(|| bad_number("price", u32_at(m, at), "a price above 0"))
}

#[cold]
fn bad_number(field: &'static str, found: impl ToString, expected: &'static str) -> Malformed {
    Malformed { field, found: found.to_string(), expected }
}

#[cold]
fn bad_form(bytes: &[u8]) -> Malformed {
    let found = format!("type \"{}\" in a message of {} bytes", bytes[..1].escape_ascii(), bytes.len());
    Malformed { field: "record", found, expected: "a type of ITCH 5.0, in a message of its length" }
}
