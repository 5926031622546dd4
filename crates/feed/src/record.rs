//! What a decoder hands over: records with what of them could be read, and where they stood.

use crate::binary::{EventSlot, WholeBlock};
use quoteclock_model::{
    IssueCode, IssueIndex, MarketEvent, OrderAction, Record, Scope, SequenceNo, ServerIndex, Shares, Timestamp,
};
use std::{fmt, io};
use thiserror::Error;

/// Where in its file a record stands.
///
/// ```
/// use quoteclock_feed::Place;
///
/// assert_eq!([Place::Line(2), Place::Byte(96)].map(|place| place.to_string()), ["line 2", "byte 96"]);
/// ```
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

impl Malformed {
    /// The column that is wrong; `None` where the record as a whole is.
    pub fn column(&self) -> Option<&'static str> {
        Some(self.field).filter(|field| *field != "record")
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
    /// Another issue, where it names two and so cannot be right.
    pub also: Option<&'a IssueCode>,
    /// What it says.
    pub event: Result<MarketEvent, Malformed>,
}

/// A record of a compact form, in the 32 bytes that it has in the binary form; nothing about it is wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CompactRecord {
    /// What it says, still without time and ordinal; servers by their index here.
    pub slot: EventSlot,
    /// Its time, floored to the microsecond, in microseconds from [`CompactRun::origin`].
    pub micros: u64,
    /// The issue that it names.
    pub issue: IssueIndex,
    /// Where it begins, in bytes: from [`CompactRun::start`], if that counts bytes.
    pub at: u32,
}

impl CompactRecord {
    /// None yet.
    pub(crate) const EMPTY: CompactRecord =
        CompactRecord { slot: EventSlot::EMPTY, micros: 0, issue: IssueIndex(0), at: 0 };
}

/// Compact records that follow each other in the input.
#[derive(Clone, Copy, Debug)]
pub struct CompactRun<'a> {
    /// The records.
    pub records: &'a [CompactRecord],
    /// Whether their times never go back.
    pub in_order: bool,
    /// The time from which theirs count.
    pub origin: Timestamp,
    /// In a text file the line of the first: each takes one. In a binary file an offset in the uncompressed stream, from which
    /// theirs count.
    pub start: Place,
    /// The sequence number of the first, where the records carry any: they rise by one.
    pub sequence: Option<SequenceNo>,
    /// What is soon to be read: to be fetched while the records are taken.
    pub ahead: &'a [u8],
}

impl CompactRun<'_> {
    /// The time of one of the records; the last of all timestamps, if it lies beyond that.
    #[inline]
    pub fn time(&self, record: &CompactRecord) -> Timestamp {
        let micros = i64::try_from(record.micros).unwrap_or(i64::MAX);
        Timestamp::from_micros(self.origin.as_micros().saturating_add(micros))
    }

    /// Where the first `count` records stand, as [`Place`] counts.
    #[inline]
    pub fn places(&self, count: usize) -> impl ExactSizeIterator<Item = u64> + use<'_> {
        // One of the two counts, the other stays.
        let (first, line, byte) = match self.start {
            Place::Line(first) => (first, 1, 0),
            Place::Byte(first) => (first, 0, 1),
        };
        let places = self.records[..count].iter().enumerate();
        places.map(move |(index, record)| first + index as u64 * line + u64::from(record.at) * byte)
    }
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
    ///
    /// It cannot stop: a receiver that meets an error here keeps it, and stops at the next record.
    fn issue(&mut self, index: IssueIndex, code: &IssueCode);

    /// Announces the name of a virtual server, before the first event that names it.
    fn server(&mut self, index: ServerIndex, name: &str);

    /// Takes a record.
    ///
    /// # Errors
    /// [`Stop`] to end decoding.
    fn record(&mut self, record: &RawRecord<'_>) -> Result<(), Stop>;

    /// Whether [`Receiver::compact`] may take any record.
    fn takes_compact(&self) -> bool {
        false
    }

    /// Takes compact records that follow each other, instead of their full forms. Returns how many were consumed; the rest are
    /// offered again. If 0, the next comes through [`Receiver::record`].
    ///
    /// # Errors
    /// [`Stop`] to end decoding.
    fn compact(&mut self, run: &CompactRun<'_>) -> Result<usize, Stop> {
        let _ = run;
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

    /// Takes note that the last record, of which nothing could be read, comes `count` times more, in as many lines. Says
    /// whether it does: otherwise each of them follows in full.
    fn again(&mut self, count: u64) -> bool {
        let _ = count;
        false
    }
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

impl FeedError {
    /// Where the input cannot be read.
    pub fn place(&self) -> Option<Place> {
        if let FeedError::Input { place, .. } = self { Some(*place) } else { None }
    }

    /// Which column is wrong, where it is one.
    pub fn column(&self) -> Option<&'static str> {
        if let FeedError::Input { malformed, .. } = self { malformed.column() } else { None }
    }
}

impl From<Stop> for FeedError {
    fn from(Stop: Stop) -> FeedError {
        FeedError::Stopped
    }
}
