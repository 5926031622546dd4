//! What a decoder hands over: records with what of them could be read, and where they stood.

use crate::binary::{Slot, TakeUsual, WholeBlock};
use quoteclock_model::{
    Condition, IssueCode, IssueIndex, MarketEvent, OrderAction, OrderId, Price, Record, Scope, SequenceNo, ServerIndex,
    Shares, Side, Timestamp,
};
use std::num::NonZeroU32;
use std::{fmt, io};
use thiserror::Error;

/// Where in its file a record stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Place {
    /// In a text file: the line, counted from 1.
    Line(u64),
    /// In a binary file: the offset of the record's first byte in the uncompressed stream.
    Byte(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Line(line) => write!(f, "line {line}"),
            Place::Byte(offset) => write!(f, "byte {offset}"),
        }
    }
}

/// Why a record's form is wrong: the field, what it held, what it should hold.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("{field}: found {found}, expected {expected}")]
pub struct Malformed {
    /// The field, or `record` where the record as a whole is wrong.
    pub field: &'static str,
    /// What was found, shortened and printable.
    pub found: String,
    /// What was expected.
    pub expected: &'static str,
}

impl Malformed {
    /// A field that holds `found`, which is shown shortened and with unprintable bytes escaped.
    pub fn field(field: &'static str, found: &[u8], expected: &'static str) -> Malformed {
        const SHOWN_MAX: usize = 40;
        let shown = found[..found.len().min(SHOWN_MAX)].escape_ascii();
        let found = match found.len() {
            0 => "nothing".to_owned(),
            length if length <= SHOWN_MAX => format!("\"{shown}\""),
            length => format!("\"{shown}…\" ({length} bytes)"),
        };
        Malformed { field, found, expected }
    }
}

/// The sequence number of a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sequence {
    /// The format, or this file, carries none.
    Absent,
    /// There should be one and it could not be read.
    Unreadable,
    /// The number.
    Given(SequenceNo),
}

/// One record, with whatever of it could be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RawRecord<'a> {
    /// Where it stands.
    pub place: Place,
    /// The record as it stands in the input, without its line end or frame. Of an oversized record the first part; the
    /// rest follows through [`Receiver::rest`].
    pub bytes: &'a [u8],
    /// Its time, floored to the microsecond; `None` if unreadable.
    pub ts_event: Option<Timestamp>,
    /// Its sequence number.
    pub sequence: Sequence,
    /// What it names: an issue, or the whole market; `None` if neither could be read.
    pub scope: Option<Scope>,
    /// What it says.
    pub event: Result<MarketEvent, Malformed>,
}

/// A record of a usual form, in the 32 bytes that it has in the binary form; nothing about it is wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UsualRecord {
    /// The offset of its first byte in the uncompressed stream.
    pub offset: u64,
    /// Its time, floored to the microsecond.
    pub ts_event: Timestamp,
    /// The issue that it names.
    pub issue: IssueIndex,
    /// What it says, still without time and ordinal; servers by their index here.
    pub slot: Slot,
}

impl UsualRecord {
    /// None yet.
    pub(crate) const EMPTY: UsualRecord =
        UsualRecord { offset: 0, ts_event: Timestamp::MIN, issue: IssueIndex(0), slot: Slot::EMPTY };

    /// The same in full; `bytes` as it stands in the input. It has no sequence number.
    #[inline]
    pub fn raw<'a>(&self, bytes: &'a [u8]) -> RawRecord<'a> {
        let scope = Scope::Issue(self.issue);
        let mut said = Said(None);
        let event = match (self.slot.usual(&mut said), said) {
            (Some(()), Said(Some(action))) => Ok(MarketEvent::Order { issue: self.issue, action }),
            _ => self.slot.event(None, scope, |at| u32::try_from(at).ok().map(ServerIndex)),
        };
        let place = Place::Byte(self.offset);
        RawRecord { place, bytes, ts_event: Some(self.ts_event), sequence: Sequence::Absent, scope: Some(scope), event }
    }
}

/// What a usual record says.
struct Said(Option<OrderAction>);

impl Said {
    #[inline(always)]
    fn say(&mut self, action: OrderAction) -> Option<()> {
        self.0 = Some(action);
        Some(())
    }
}

impl TakeUsual for Said {
    #[inline(always)]
    fn add(
        &mut self,
        order: OrderId,
        server: Option<u64>,
        side: Side,
        price: NonZeroU32,
        shares: NonZeroU32,
    ) -> Option<()> {
        let server = if let Some(at) = server { Some(ServerIndex(u32::try_from(at).ok()?)) } else { None };
        let (price, quantity) = (Some(price_of(price)?), shares_of(shares));
        self.say(OrderAction::Add { order, server, side, price, quantity, condition: Condition::None })
    }

    #[inline(always)]
    fn replace(
        &mut self,
        order: OrderId,
        order_new: OrderId,
        price: Option<NonZeroU32>,
        shares: Option<NonZeroU32>,
    ) -> Option<()> {
        let (price, quantity) = (price.and_then(price_of), shares.map(shares_of));
        self.say(OrderAction::Replace { order, order_new, price, quantity })
    }

    #[inline(always)]
    fn take(&mut self, order: OrderId, shares: Option<NonZeroU32>) -> Option<()> {
        self.say(match shares.map(shares_of) {
            Some(quantity) => OrderAction::Reduce { order, quantity },
            None => OrderAction::Cancel { order },
        })
    }

    #[inline(always)]
    fn execute(&mut self, order: OrderId, price: Option<NonZeroU32>, shares: NonZeroU32, auction: bool) -> Option<()> {
        let (price, quantity) = (price.and_then(price_of), shares_of(shares));
        self.say(OrderAction::Trade { price, quantity, orders: [Some(order), None], auction })
    }

    fn execute_both(&mut self, _: [OrderId; 2], _: Option<NonZeroU32>, _: NonZeroU32, _: bool) -> Option<()> {
        None
    }
}

#[inline(always)]
fn price_of(price: NonZeroU32) -> Option<Price> {
    Price::from_ten_thousandths(price.get().into())
}

#[inline(always)]
fn shares_of(shares: NonZeroU32) -> Shares {
    Shares(shares.get().into())
}

/// The receiver wants no more: it has what it needs or has met an error, and keeps the reason itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stop;

/// Takes what a decoder reads, in the order of the input.
pub trait Receiver {
    /// Announces the code of an issue, before the first event that adds an order to it or changes its phase.
    ///
    /// Where the input numbers its issues itself, a record may name one by an index whose code is told later, or never;
    /// codes then come in any order of index.
    fn issue(&mut self, index: IssueIndex, code: &IssueCode);

    /// Announces the name of a virtual server, before the first event that names it.
    fn server(&mut self, index: ServerIndex, name: &str);

    /// Takes a record.
    ///
    /// # Errors
    /// [`Stop`] to end decoding.
    fn record(&mut self, record: &RawRecord<'_>) -> Result<(), Stop>;

    /// Whether [`Receiver::usual`] may take any record.
    fn takes_usual(&self) -> bool {
        false
    }

    /// Takes usual records that follow each other, instead of their full forms. Says how many it has taken: otherwise the
    /// next one follows in full, and then the others are offered again.
    ///
    /// # Errors
    /// [`Stop`] to end decoding.
    fn usual(&mut self, records: &[UsualRecord]) -> Result<usize, Stop> {
        let _ = records;
        Ok(0)
    }

    /// Whether [`Receiver::block`] may take a block.
    fn takes_blocks(&self) -> bool {
        false
    }

    /// Takes a block of the binary form at once, instead of its records one by one. Its names have been announced; its
    /// groups and their order are to be checked, see [`BlockTimes`](crate::binary::BlockTimes).
    ///
    /// Says whether it has: otherwise its damaged groups and then its records follow, in the original order.
    ///
    /// # Errors
    /// [`Stop`] to end decoding.
    fn block(&mut self, block: &WholeBlock<'_>) -> Result<bool, Stop> {
        let _ = block;
        Ok(false)
    }

    /// Takes a further part of the last record, which was too long to be held whole.
    ///
    /// # Errors
    /// [`Stop`] to end decoding.
    fn rest(&mut self, bytes: &[u8]) -> Result<(), Stop>;
}

/// Writes events in some format, in order: the other direction.
pub trait EventWriter {
    /// Announces the code of an issue, before the first event that names it.
    ///
    /// # Errors
    /// Those of the output, or that the format cannot hold it.
    fn issue(&mut self, index: IssueIndex, code: &IssueCode) -> io::Result<()>;

    /// Announces the name of a virtual server, before the first event that names it.
    ///
    /// # Errors
    /// As [`EventWriter::issue`].
    fn server(&mut self, index: ServerIndex, name: &str) -> io::Result<()>;

    /// Writes an event, with its sequence number where the source has one.
    ///
    /// # Errors
    /// As [`EventWriter::issue`].
    fn event(&mut self, sequence: Option<SequenceNo>, record: &Record) -> io::Result<()>;

    /// Writes what is still held, and whatever ends the format.
    ///
    /// # Errors
    /// As [`EventWriter::issue`].
    fn finish(self) -> io::Result<()>;
}

/// An error that says that no format can hold `what`.
pub(crate) fn unwritable(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what.into())
}

/// Refuses what no reader would take back: a quantity out of bounds, a trade that names one order twice.
pub(crate) fn check_writable(event: &MarketEvent) -> io::Result<()> {
    let MarketEvent::Order { action, .. } = event else { return Ok(()) };
    let quantity = match *action {
        OrderAction::Add { quantity, .. } | OrderAction::Reduce { quantity, .. } => Some(quantity),
        OrderAction::Replace { quantity, .. } => quantity,
        OrderAction::Cancel { .. } => None,
        OrderAction::Trade { orders: [Some(order), Some(contra)], .. } if order == contra => {
            return Err(unwritable(format!("a trade that names order {order} twice")));
        }
        OrderAction::Trade { quantity, .. } => Some(quantity),
    };
    match quantity {
        Some(shares) if shares == Shares(0) || Shares::MAX_PER_RECORD < shares => {
            Err(unwritable(format!("a quantity of {shares}: a record holds 1 to {}", Shares::MAX_PER_RECORD)))
        }
        _ => Ok(()),
    }
}

/// Why decoding ended early.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum FeedError {
    /// The receiver asked for it.
    #[error("stopped by the receiver")]
    Stopped,
    /// The input as a whole cannot be read as events.
    #[error("{place}: {malformed}")]
    Input {
        /// Where.
        place: Place,
        /// What is wrong.
        malformed: Malformed,
    },
}

impl From<Stop> for FeedError {
    fn from(Stop: Stop) -> FeedError {
        FeedError::Stopped
    }
}
