//! The binary form of events: the one for speed, described byte by byte in `docs/EVENT_FORMAT.md`.
//!
//! The idea: a block is a stretch of time, and inside it the records are grouped by issue, because issues are
//! independent of each other: whoever measures takes one issue's records after the other, with its book warm in the
//! first caches, and several threads take different issues. Each record keeps its position in the block, so that the
//! original order can be restored, byte for byte of the CSV it came from. Every part carries a checksum that is verified
//! before a single length or number in it is believed.
//!
//! A session carries the same records one by one, as messages of their own ([`MessageDecoder`], [`MessageWriter`]).
//!
//! Three ways to read: [`BinaryDecoder`] front to back from a stream, in the original order; [`Block`] grouped, in
//! place, without a copy; [`BinaryFile`] from a time on, or one issue, by the index at the end.
//!
//! Deliberately absent: compression (wrap the file), and any judgement of times or books (the engine's part).

mod block;
mod decode;
mod deliver;
mod dictionary;
mod file;
mod index;
mod layout;
mod pending;
mod slot;
mod stream;
mod whole;
mod write;

pub use block::{Block, Front, Group, GroupRecord, GroupRecords, UnverifiedGroup};
pub use decode::BinaryDecoder;
pub use dictionary::Dictionary;
pub use file::{BinaryFile, BinaryFileError};
pub use index::{BlockEntry, Index, Tail};
pub use layout::{BlockHead, FILE_HEAD_BYTES, FRAME_BYTES_MAX, FRAME_HEAD_BYTES, SLOT_BYTES, VERSION};
pub use slot::{EventSlot, Records};
pub use stream::{MessageDecoder, MessageWriter};
pub use whole::{BlockTimes, TimesInOrder, WholeBlock};
pub use write::BinaryWriter;

use crate::{TradingDate, UtcOffset};

/// What a file says of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// The trading date of its records.
    pub date: TradingDate,
    /// The UTC offset in which its times are to be written as CSV.
    pub offset: UtcOffset,
    /// Whether its records carry sequence numbers.
    pub has_sequence: bool,
}

/// Whether a file that begins with `first_bytes` is of this form, of whatever version. Eight bytes decide; with fewer, it
/// is not.
pub fn looks_like_binary(first_bytes: &[u8]) -> bool {
    first_bytes.starts_with(&layout::MAGIC)
}

#[cfg(test)]
mod tests;
