//! Reads parts of a file that can be sought: from a time on, or one issue.
//!
//! The one place of this crate that reads for itself. It is strict: any damage it meets is an error, and what it does not
//! look at it does not judge.

use super::block::Front;
use super::deliver::Deliverer;
use super::dictionary::Dictionary;
use super::index::{BlockEntry, Index, Tail};
use super::layout::{FILE_HEAD_BYTES, FRAME_HEAD_BYTES, FileHead};
use super::{Block, BlockHead, Header};
use crate::{FeedError, Malformed, Place, RawRecord, Receiver, Sequence, Stop};
use quoteclock_model::{IssueCode, IssueIndex, Scope, ServerIndex, Timestamp};
use std::io::{self, Read, Seek, SeekFrom};
use thiserror::Error;

/// Why a part of a file cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BinaryFileError {
    /// The file cannot be read at all.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is damaged or of another form, or the receiver stopped.
    #[error(transparent)]
    Feed(#[from] FeedError),
}

impl From<Stop> for BinaryFileError {
    fn from(stop: Stop) -> Self {
        BinaryFileError::Feed(stop.into())
    }
}

/// A file with its index.
#[derive(Debug)]
pub struct BinaryFile<R> {
    source: R,
    header: Header,
    index: Index,
}

impl<R: Read + Seek> BinaryFile<R> {
    /// Reads header, tail and index of the file that `source` is.
    ///
    /// # Errors
    /// [`BinaryFileError`]; a file that breaks off has no tail.
    pub fn open(mut source: R) -> Result<BinaryFile<R>, BinaryFileError> {
        let length = source.seek(SeekFrom::End(0))?;
        let head = read_at(&mut source, 0, length.min(FILE_HEAD_BYTES as u64))?;
        let header = FileHead::read(&head).map_err(|malformed| damaged(0, malformed))?;
        let tail_offset = length.saturating_sub(Tail::BYTES as u64);
        let tail = read_at(&mut source, tail_offset, length - tail_offset)?;
        let tail = Tail::read(&tail).map_err(|malformed| damaged(tail_offset, malformed))?;
        if tail.file_bytes != length || tail_offset < tail.lists_offset {
            let found = format!("a file of {length} bytes");
            let malformed = Malformed { field: "file", found, expected: "the length that its tail says" };
            return Err(damaged(tail_offset, malformed));
        }
        let lists = read_at(&mut source, tail.lists_offset, tail_offset - tail.lists_offset)?;
        let index = Index::read(&tail, &lists).map_err(|malformed| damaged(tail.lists_offset, malformed))?;
        Ok(BinaryFile { source, header, index })
    }

    /// What the file says of itself.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Its index.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// Hands over all records at `from` or later, in the original order. Earlier blocks are not read.
    ///
    /// # Errors
    /// [`BinaryFileError`].
    pub fn records_from(&mut self, from: Timestamp, receiver: &mut impl Receiver) -> Result<(), BinaryFileError> {
        let dictionary = self.index.dictionary(receiver);
        let mut deliverer = Deliverer::default();
        let mut later = Later { from, receiver };
        for entry in self.index.blocks_from(from) {
            let frame = read_at(&mut self.source, entry.offset, u64::from(entry.frame_bytes))?;
            let block = Block::parse(&frame, self.header.has_sequence);
            let block = block.map_err(|malformed| damaged(entry.offset, malformed))?;
            check_entry(entry, block.head())?;
            deliverer.prepare(&block, &dictionary).map_err(|malformed| damaged(entry.offset, malformed))?;
            if let Some(malformed) = deliverer.first_damage() {
                return Err(damaged(entry.offset, malformed.clone()));
            }
            deliverer.hand_over(&block, entry.offset, &dictionary, &mut later)?;
        }
        Ok(())
    }

    /// Hands over the records of some issues, and the market-wide ones, in the original order. Other issues' records are
    /// not read; nothing is handed over of an issue that the file does not name, but the market-wide records.
    ///
    /// Says whether the sequence numbers of the whole file rise by one from record to record, or it carries none.
    ///
    /// # Errors
    /// [`BinaryFileError`].
    pub fn records_of(&mut self, codes: &[IssueCode], receiver: &mut impl Receiver) -> Result<bool, BinaryFileError> {
        let dictionary = self.index.dictionary(receiver);
        let wanted = (0..).zip(self.index.issues()).filter(|(_, issue)| codes.contains(issue));
        let groups: Vec<Option<u32>> = wanted.map(|(position, _)| Some(position)).chain([None]).collect();
        let (mut next, mut is_unbroken) = (None, true);
        for entry in self.index.blocks() {
            let bytes =
                read_at(&mut self.source, entry.offset, (FRAME_HEAD_BYTES as u64) + u64::from(entry.front_bytes))?;
            let at_block = |malformed| damaged(entry.offset, malformed);
            let head = BlockHead::read(&bytes).map_err(at_block)?;
            check_entry(entry, &head)?;
            let front = Front::parse(head, &bytes[FRAME_HEAD_BYTES..], self.header.has_sequence).map_err(at_block)?;
            is_unbroken &= front.goes_on(&mut next);
            let mut parts = Vec::new();
            for &issue in &groups {
                if let Some(part) = GroupBytes::read(&mut self.source, entry, &front, issue)? {
                    parts.push((issue, part));
                }
            }
            let parts = parts.iter().map(|(issue, part)| (*issue, part));
            merge(entry, &front, parts, &dictionary, receiver)?;
        }
        Ok(is_unbroken)
    }
}

/// The records of one group, and where in the file they begin.
struct GroupBytes {
    start: u64,
    bytes: Vec<u8>,
}

impl GroupBytes {
    /// Reads the group of an issue, or the market-wide one, if the block has it.
    fn read(
        source: &mut (impl Read + Seek),
        entry: &BlockEntry,
        front: &Front<'_>,
        issue: Option<u32>,
    ) -> io::Result<Option<GroupBytes>> {
        let Some((start, length)) = front.range(issue) else { return Ok(None) };
        let start = entry.offset + start;
        Ok(Some(GroupBytes { start, bytes: read_at(source, start, length as u64)? }))
    }
}

/// Hands over the records of several groups of one block in the original order.
fn merge<'p>(
    entry: &BlockEntry,
    front: &Front<'_>,
    parts: impl Iterator<Item = (Option<u32>, &'p GroupBytes)>,
    dictionary: &Dictionary,
    receiver: &mut impl Receiver,
) -> Result<(), BinaryFileError> {
    let mut records = Vec::new();
    for (issue, part) in parts {
        let group = front.group(issue, &part.bytes).map_err(|malformed| damaged(part.start, malformed))?;
        let mut place = part.start;
        for record in group.records(dictionary) {
            let length = record.bytes.len() as u64;
            records.push((place, group.scope(dictionary), record));
            place += length;
        }
    }
    records.sort_by_key(|(_, _, record)| record.ordinal);
    if records.last().is_some_and(|(_, _, last)| entry.records <= last.ordinal) {
        let expected = "records at the positions that the block has";
        let malformed = Malformed { field: "block", found: "a record outside".to_owned(), expected };
        return Err(damaged(entry.offset, malformed));
    }
    for (place, scope, record) in records {
        receiver.record(&RawRecord {
            place: Place::Byte(place),
            bytes: record.bytes,
            ts_event: Some(record.ts_event),
            sequence: front.sequence(record.ordinal).map_or(Sequence::Absent, Sequence::Given),
            scope: scope.filter(|&scope| scope != Scope::Market || record.event.is_ok()),
            also: None,
            event: record.event,
        })?;
    }
    Ok(())
}

/// What the index says of a block is what its head says.
fn check_entry(entry: &BlockEntry, head: &BlockHead) -> Result<(), BinaryFileError> {
    let same = head.frame_bytes.get() == entry.frame_bytes
        && head.front_bytes() == u64::from(entry.front_bytes)
        && (head.start(), head.last(), head.record_count()) == (entry.start, entry.last, entry.records);
    if same {
        return Ok(());
    }
    let expected = "the block that the file's index lists";
    Err(damaged(entry.offset, Malformed { field: "block", found: "another block".to_owned(), expected }))
}

fn damaged(offset: u64, malformed: Malformed) -> BinaryFileError {
    FeedError::Input { place: Place::Byte(offset), malformed }.into()
}

/// Exactly `length` bytes from `offset` on; the length is known to lie in the file, or is that of one frame.
fn read_at(source: &mut (impl Read + Seek), offset: u64, length: u64) -> io::Result<Vec<u8>> {
    source.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    source.by_ref().take(length).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == length { Ok(bytes) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

/// Hands on what is at a time or later.
struct Later<'r, R> {
    from: Timestamp,
    receiver: &'r mut R,
}

impl<R: Receiver> Receiver for Later<'_, R> {
    fn issue(&mut self, index: IssueIndex, code: &IssueCode) {
        self.receiver.issue(index, code);
    }

    fn server(&mut self, index: ServerIndex, name: &str) {
        self.receiver.server(index, name);
    }

    fn record(&mut self, record: &RawRecord<'_>) -> Result<(), Stop> {
        match record.ts_event {
            Some(time) if time < self.from => Ok(()),
            _ => self.receiver.record(record),
        }
    }

    fn rest(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        self.receiver.rest(bytes)
    }
}
