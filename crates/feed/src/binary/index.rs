//! What ends a file: all its names again, a list of its blocks, and a tail by which both are found.
//!
//! Sans I/O: the caller brings the bytes. A block's own table of issues stands at its front, where a stream reader needs
//! it; the list names only the block, its times and the length of that front. So the writer holds 32 bytes for each
//! block, and not for each issue of each block.

use super::dictionary::Dictionary;
use super::layout::{
    self, FRAME_BYTES_MAX, FRAME_HEAD_BYTES, FRAME_HEAD_LENGTH, FrameHead, IndexEntry, ListHead, SLOT_BYTES,
    SLOT_LENGTH, TailHead, part_cut, parts,
};
use crate::{Malformed, Receiver};
use quoteclock_model::{IssueCode, IssueIndex, ServerIndex, Timestamp};
use zerocopy::FromBytes;
use zerocopy::little_endian::{I64, U32, U64};

/// The end of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tail {
    /// Records in all blocks.
    pub records: u64,
    /// Blocks.
    pub blocks: u64,
    /// Where the lists begin: after the last block.
    pub lists_offset: u64,
    /// The length of the file.
    pub file_bytes: u64,
    /// Issues named.
    pub issues: u32,
    /// Servers named.
    pub servers: u32,
}

impl Tail {
    /// The length of a tail.
    pub const BYTES: usize = FRAME_HEAD_BYTES;

    /// What `bytes`, the last 64 of a file, say.
    ///
    /// # Errors
    /// That they are no tail, or damaged.
    pub fn read(bytes: &[u8]) -> Result<Tail, Malformed> {
        let (kind, length) = FrameHead::read(bytes)?;
        let Ok((head, _)) = TailHead::ref_from_prefix(bytes) else { return Err(part_cut()) };
        if kind != layout::TAIL || length != Self::BYTES || head.reserved != [0; 12] {
            return Err(Malformed::field("file", &kind, "a tail, which begins \"QEND\""));
        }
        Ok(Tail {
            records: head.records.get(),
            blocks: head.blocks.get(),
            lists_offset: head.lists_offset.get(),
            file_bytes: head.file_bytes.get(),
            issues: head.issues.get(),
            servers: head.servers.get(),
        })
    }

    pub(crate) fn write(&self) -> [u8; FRAME_HEAD_BYTES] {
        layout::seal(TailHead {
            kind: layout::TAIL,
            frame_bytes: U32::new(FRAME_HEAD_LENGTH),
            records: U64::new(self.records),
            lists_offset: U64::new(self.lists_offset),
            file_bytes: U64::new(self.file_bytes),
            blocks: U64::new(self.blocks),
            issues: U32::new(self.issues),
            servers: U32::new(self.servers),
            reserved: [0; 12],
            crc: U32::new(0),
        })
    }
}

/// A list frame of `body`, appended to `to`.
pub(crate) fn write_list(to: &mut Vec<u8>, kind: [u8; 4], body: &[u8]) {
    let padding = body.len().next_multiple_of(SLOT_BYTES) - body.len();
    let start = to.len();
    to.extend_from_slice(&[0; FRAME_HEAD_BYTES]);
    to.extend_from_slice(body);
    to.resize(to.len() + padding, 0);
    let (frame_bytes, covered) = (to.len() - start, &to[start + FRAME_HEAD_BYTES..]);
    let bytes = |length: usize| U32::new(u32::try_from(length).expect("a list is cut into frames"));
    let head = layout::seal(ListHead {
        kind,
        frame_bytes: bytes(frame_bytes),
        body_bytes: bytes(body.len()),
        reserved: [0; 44],
        body_crc: U32::new(layout::checksum(covered)),
        crc: U32::new(0),
    });
    to[start..start + FRAME_HEAD_BYTES].copy_from_slice(&head);
}

/// The body of a list frame, once its checksums have been found right, and zero what has to be.
pub(crate) fn read_list(frame: &[u8]) -> Result<&[u8], Malformed> {
    FrameHead::read(frame)?;
    let Ok((head, covered)) = ListHead::ref_from_prefix(frame) else { return Err(part_cut()) };
    layout::check(covered, head.body_crc.get())?;
    let body = covered.get(..head.body_bytes.get() as usize).ok_or_else(part_cut)?;
    if body.len().next_multiple_of(SLOT_BYTES) != covered.len() {
        return Err(part_cut());
    }
    let padding = &covered[body.len()..];
    if head.reserved != [0; 44] || padding.iter().any(|&byte| byte != 0) {
        let found = "bits set that version 1 does not know".to_owned();
        return Err(Malformed { field: "index", found, expected: "zero in all reserved bits" });
    }
    Ok(body)
}

/// One block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BlockEntry {
    /// Where it begins in the file.
    pub offset: u64,
    /// The time of its first record.
    pub start: Timestamp,
    /// The time of its last record.
    pub last: Timestamp,
    /// Its records.
    pub records: u32,
    /// Its length.
    pub frame_bytes: u32,
    /// The length of what stands between its head and its records.
    pub front_bytes: u32,
}

impl BlockEntry {
    pub(crate) fn wire(&self) -> IndexEntry {
        let span = self.last.as_micros() - self.start.as_micros();
        IndexEntry {
            offset: U64::new(self.offset),
            base_micros: I64::new(self.start.as_micros()),
            span_micros: U32::new(u32::try_from(span).expect("a block's span fits 32 bits")),
            records: U32::new(self.records),
            frame_bytes: U32::new(self.frame_bytes),
            front_bytes: U32::new(self.front_bytes),
        }
    }

    fn read(entry: &IndexEntry) -> Option<BlockEntry> {
        let start = entry.base_micros.get();
        let block = BlockEntry {
            offset: entry.offset.get(),
            start: Timestamp::from_micros(start),
            last: Timestamp::from_micros(start.checked_add(i64::from(entry.span_micros.get()))?),
            records: entry.records.get(),
            frame_bytes: entry.frame_bytes.get(),
            front_bytes: entry.front_bytes.get(),
        };
        let front_end = (block.front_bytes as usize).checked_add(FRAME_HEAD_BYTES)?;
        let (length, aligned) = (block.frame_bytes as usize, entry.frame_bytes.get().is_multiple_of(SLOT_LENGTH));
        (front_end < length && length <= FRAME_BYTES_MAX && aligned).then_some(block)
    }
}

/// All names and blocks of a file.
#[derive(Debug, Default)]
pub struct Index {
    /// The names as they are written.
    names: Vec<u8>,
    issues: Vec<IssueCode>,
    blocks: Vec<BlockEntry>,
}

impl Index {
    /// The index that `lists` hold: what stands between [`Tail::lists_offset`] and the tail.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn read(tail: &Tail, mut lists: &[u8]) -> Result<Index, Malformed> {
        let mut index = Index::default();
        while !lists.is_empty() {
            let (kind, length) = FrameHead::read(lists)?;
            let (frame, rest) = lists.split_at_checked(length).ok_or_else(part_cut)?;
            let body = read_list(frame)?;
            match kind {
                layout::NAMES => index.names.extend_from_slice(body),
                layout::INDEX => index.add_blocks(body)?,
                other => return Err(Malformed::field("index", &other, "\"QNAM\" or \"QIDX\"")),
            }
            lists = rest;
        }
        index.check(tail)?;
        Ok(index)
    }

    fn add_blocks(&mut self, body: &[u8]) -> Result<(), Malformed> {
        for entry in parts::<IndexEntry>(body)? {
            let found = || format!("a block at byte {} of {} bytes", entry.offset, entry.frame_bytes);
            let expected = "blocks that follow each other in place and time";
            let wrong = || Malformed { field: "index", found: found(), expected };
            let block = BlockEntry::read(entry).ok_or_else(wrong)?;
            let (offset, time) = match self.blocks.last() {
                None => (layout::FILE_HEAD_BYTES as u64, block.start),
                Some(last) => (last.offset + u64::from(last.frame_bytes), last.last),
            };
            if block.offset != offset || block.start < time {
                return Err(wrong());
            }
            self.blocks.push(block);
        }
        Ok(())
    }

    /// The sums are those of the tail.
    fn check(&mut self, tail: &Tail) -> Result<(), Malformed> {
        let mut codes = Codes::default();
        let mut dictionary = Dictionary::default();
        dictionary.define(&self.names, &mut codes)?;
        self.issues = codes.0;
        let records = self.blocks.iter().map(|block| u64::from(block.records)).sum::<u64>();
        let blocks_end = self.blocks.last().map(|last| last.offset + u64::from(last.frame_bytes));
        let found = (dictionary.counts(), records, self.blocks.len() as u64);
        let lists_offset = blocks_end.unwrap_or(layout::FILE_HEAD_BYTES as u64);
        if found == ((tail.issues, tail.servers), tail.records, tail.blocks) && lists_offset == tail.lists_offset {
            return Ok(());
        }
        let found = format!("{records} records in {} blocks up to byte {lists_offset}", self.blocks.len());
        Err(Malformed { field: "index", found, expected: "as many as the file's tail says" })
    }

    /// The issues, each at its index in the file.
    pub fn issues(&self) -> &[IssueCode] {
        &self.issues
    }

    /// The blocks, in order.
    pub fn blocks(&self) -> &[BlockEntry] {
        &self.blocks
    }

    /// The blocks that may hold a record at `from` or later.
    pub fn blocks_from(&self, from: Timestamp) -> &[BlockEntry] {
        &self.blocks[self.blocks.partition_point(|block| block.last < from)..]
    }

    /// All names, announced to `receiver`.
    pub fn dictionary(&self, receiver: &mut impl Receiver) -> Dictionary {
        let mut dictionary = Dictionary::default();
        let defined = dictionary.define(&self.names, receiver);
        debug_assert_eq!(defined, Ok(()), "the names have been read once already");
        dictionary
    }
}

/// Keeps the codes of issues.
#[derive(Default)]
struct Codes(Vec<IssueCode>);

impl Receiver for Codes {
    fn issue(&mut self, _: IssueIndex, code: &IssueCode) {
        self.0.push(code.clone());
    }

    fn server(&mut self, _: ServerIndex, _: &str) {}

    fn record(&mut self, _: &crate::RawRecord<'_>) -> Result<(), crate::Stop> {
        Ok(())
    }

    fn rest(&mut self, _: &[u8]) -> Result<(), crate::Stop> {
        Ok(())
    }
}
