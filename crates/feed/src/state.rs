//! What a decoder knows between two chunks, as plain data: to be kept with the day that it feeds.
//!
//! A decoder restored from it reads the rest of the input as the one that went on does. What only makes reading faster is not
//! in it. Names are in the order in which they were announced; whoever receives them has them as well, and is not told again.

use crate::binary::Header;
use crate::itch::Framing;
use quoteclock_model::IssueIndex;

/// A [`CsvDecoder`](crate::csv::CsvDecoder) between two chunks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CsvState {
    /// The header's columns, as positions in [`COLUMNS`](crate::csv::COLUMNS); `None` before the header has been read.
    pub columns: Option<Vec<usize>>,
    /// The beginning of a line.
    pub partial: Vec<u8>,
    /// Whether the rest of a line that was too long is being passed on.
    pub is_oversized: bool,
    /// Lines begun so far.
    pub line: u64,
    /// The issues named so far.
    pub issues: Vec<Box<[u8]>>,
    /// The servers named so far.
    pub servers: Vec<Box<[u8]>>,
}

/// An [`ItchDecoder`](crate::itch::ItchDecoder) between two chunks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ItchState {
    /// The framing, once it is known.
    pub framing: Option<Framing>,
    /// The beginning of a frame, with its length.
    pub held: Vec<u8>,
    /// Where that begins in the stream.
    pub offset: u64,
    /// Whether the last frame was the mark of the end of the session.
    pub has_ended: bool,
    /// Messages so far that were no record.
    pub passed_over_count: u64,
    /// The locates seen so far, ascending.
    pub locates: Vec<LocateState>,
    /// The servers named so far.
    pub servers: Vec<Box<[u8]>>,
}

/// A stock locate that has been seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LocateState {
    /// The locate.
    pub locate: u16,
    /// Its issue.
    pub issue: IssueIndex,
    /// The stock field that gave its symbol, once one has.
    pub symbol: Option<[u8; 8]>,
}

/// A [`BinaryDecoder`](crate::binary::BinaryDecoder) between two chunks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BinaryState {
    /// What the file says of itself, once that has been read.
    pub header: Option<Header>,
    /// What comes next.
    pub stage: BinaryStage,
    /// The beginning of the part that comes next.
    pub partial: Vec<u8>,
    /// Where in the file the frame begins.
    pub offset: u64,
    /// The issues named so far.
    pub issues: FileNames,
    /// The servers named so far.
    pub servers: FileNames,
    /// Records in the blocks so far.
    pub records: u64,
    /// Blocks so far.
    pub blocks: u64,
    /// Where the lists that end the file begin, if they have.
    pub lists_offset: Option<u64>,
    /// Checksums of what the blocks have held so far, and of what the lists say.
    pub lists: ListSums,
}

/// A [`MessageDecoder`](crate::binary::MessageDecoder) between two messages.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MessageState {
    /// What the first message says of the day, once it has been there.
    pub header: Option<Header>,
    /// The issues named so far.
    pub issues: FileNames,
    /// The servers named so far.
    pub servers: FileNames,
    /// Whether messages have been lost that may have named some.
    pub names_lost: bool,
    /// Bytes of all messages so far.
    pub offset: u64,
}

/// Whether the lists that end a binary file say what its blocks do: checksums of both, of which no one has to hold the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ListSums {
    /// Of the names, as the blocks define them.
    pub names: u32,
    /// Of the names, as they are listed.
    pub names_listed: u32,
    /// Of the blocks, as an index would list them.
    pub blocks: u32,
    /// Of the blocks, as they are listed.
    pub blocks_listed: u32,
    /// Whether a block was damaged, so that what it held is not known.
    pub unsure: bool,
}

/// Which part of a binary file comes next.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum BinaryStage {
    /// The file's head.
    #[default]
    FileHead,
    /// A frame's head.
    FrameHead,
    /// A frame whose head is good, of this kind and length.
    Frame([u8; 4], usize),
    /// Nothing: the end has been there.
    Ended,
    /// Nothing that could be told apart.
    Lost,
}

/// Names of one kind in a binary file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FileNames {
    /// All of them, sorted.
    pub names: Vec<Box<[u8]>>,
    /// For each index in the file, the one that was announced; `None` where damage has taken the name.
    pub indices: Vec<Option<u32>>,
}
