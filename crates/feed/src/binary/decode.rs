//! Reads a file front to back, pushed in chunks cut anywhere, and hands its records over in the original order.
//!
//! It holds one frame, and only while a chunk ends inside it: a frame that lies whole in a chunk is read in place. A
//! frame's length is believed once its head's checksum is right. Damage behind such a head costs the block, or, where
//! only the records of one issue are hit, that issue's part of it; damage in a head costs the rest of the file, because
//! nothing says any more where the next frame begins.

use super::Header;
use super::block::Block;
use super::deliver::{Deliverer, damage};
use super::dictionary::Dictionary;
use super::index::{self, BlockEntry, Tail};
use super::layout::{self, BlockHead, FILE_HEAD_BYTES, FRAME_HEAD_BYTES, FileHead, FrameHead};
use super::whole::WholeBlock;
use crate::{BinaryStage, BinaryState, FeedError, ListSums, Malformed, Place, Receiver, Stop};
use zerocopy::IntoBytes;

/// Reads the binary form.
#[derive(Debug, Default)]
pub struct BinaryDecoder {
    header: Option<Header>,
    stage: BinaryStage,
    /// The frame so far, where a chunk ended inside it.
    partial: Vec<u8>,
    /// Where in the file the frame begins.
    offset: u64,
    dictionary: Dictionary,
    deliverer: Deliverer,
    /// What the blocks so far have held, damaged ones included.
    records: u64,
    blocks: u64,
    /// Where the lists that end the file begin.
    lists_offset: Option<u64>,
    lists: ListSums,
}

/// Room for the beginning of a frame.
const ROOM_BYTES: usize = 1 << 20;

/// How long a buffer becomes that has to hold more than its `length`, for a frame of `wanted` bytes. In two steps mostly, since
/// each copies it and touches as much memory again, but no more than 64 times what has come: a frame may say that it is long and
/// is not. A power of two, so that the next frame, a little longer, has room as well; what is not written to takes no memory.
fn room(length: usize, wanted: usize) -> usize {
    wanted.min((64 * length).max(ROOM_BYTES)).next_power_of_two()
}

impl BinaryDecoder {
    /// Reads the next `chunk` of the input and hands over every record of each block that ends in it.
    ///
    /// # Errors
    /// [`FeedError::Input`] if the file is not of this form, or of another version; [`FeedError::Stopped`] if the
    /// receiver stops.
    pub fn push(&mut self, mut chunk: &[u8], receiver: &mut impl Receiver) -> Result<(), FeedError> {
        while !chunk.is_empty() {
            let wanted = match self.stage {
                BinaryStage::Ended => return Ok(self.after_the_end(chunk, receiver)?),
                BinaryStage::Lost => return Ok(receiver.rest(chunk)?),
                BinaryStage::FileHead | BinaryStage::FrameHead | BinaryStage::Frame(..) => self.wanted(),
            };
            if self.partial.is_empty() && wanted <= chunk.len() {
                let taken = self.take(&chunk[..wanted], receiver)?;
                chunk = &chunk[taken..];
                continue;
            }
            let (head, rest) = chunk.split_at((wanted - self.partial.len()).min(chunk.len()));
            if self.partial.capacity() < self.partial.len() + head.len() {
                self.partial.reserve_exact(room(self.partial.len(), wanted) - self.partial.len());
            }
            self.partial.extend_from_slice(head);
            chunk = rest;
            // Twice where a frame is nothing but its head.
            while self.partial.len() == self.wanted() {
                let part = std::mem::take(&mut self.partial);
                let taken = self.take(&part, receiver)?;
                self.partial = part;
                self.partial.drain(..taken);
            }
        }
        Ok(())
    }

    /// What the decoder knows.
    pub fn save(&self) -> BinaryState {
        let [issues, servers] = self.dictionary.save();
        BinaryState {
            header: self.header,
            stage: self.stage,
            partial: self.partial.clone(),
            offset: self.offset,
            issues,
            servers,
            records: self.records,
            blocks: self.blocks,
            lists_offset: self.lists_offset,
            lists: self.lists,
        }
    }

    /// The decoder as it was when `state` was saved; `None` if that is not one of a decoder.
    pub fn restore(state: &BinaryState) -> Option<BinaryDecoder> {
        let is_short = |wanted: usize| state.partial.len() < wanted;
        let decoder = BinaryDecoder {
            header: state.header,
            stage: state.stage,
            partial: state.partial.clone(),
            offset: state.offset,
            dictionary: Dictionary::restore(&state.issues, &state.servers)?,
            deliverer: Deliverer::default(),
            records: state.records,
            blocks: state.blocks,
            lists_offset: state.lists_offset,
            lists: state.lists,
        };
        (decoder.partial.is_empty() || is_short(decoder.wanted())).then_some(decoder)
    }

    /// What the file says of itself, once that has been read.
    pub fn header(&self) -> Option<&Header> {
        self.header.as_ref()
    }

    /// The beginning of a frame that has not ended yet.
    pub fn unfinished(&self) -> &[u8] {
        &self.partial
    }

    /// Ends the input. One that breaks off is a bad record that names no issue.
    ///
    /// # Errors
    /// As [`BinaryDecoder::push`].
    pub fn finish(self, receiver: &mut impl Receiver) -> Result<(), FeedError> {
        match self.stage {
            BinaryStage::FileHead => {
                FileHead::read(&self.partial).map_err(header_error)?;
                unreachable!("a whole header has been taken")
            }
            BinaryStage::Ended | BinaryStage::Lost => Ok(()),
            BinaryStage::FrameHead | BinaryStage::Frame(..) => {
                let expected = "a file that ends with its tail, which begins \"QEND\": the file is cut off";
                let found = "the end of the input".to_owned();
                Ok(self.bad(&self.partial, Malformed { field: "file", found, expected }, receiver)?)
            }
        }
    }

    /// The length of the part that comes next, at least 1.
    fn wanted(&self) -> usize {
        match self.stage {
            BinaryStage::FileHead => FILE_HEAD_BYTES,
            BinaryStage::FrameHead => FRAME_HEAD_BYTES,
            BinaryStage::Frame(_, length) => length,
            BinaryStage::Ended | BinaryStage::Lost => usize::MAX,
        }
    }

    /// Takes a part of the wanted length; says how much of it has been used up.
    fn take(&mut self, part: &[u8], receiver: &mut impl Receiver) -> Result<usize, FeedError> {
        match self.stage {
            BinaryStage::FileHead => {
                self.header = Some(FileHead::read(part).map_err(header_error)?);
                self.stage = BinaryStage::FrameHead;
            }
            BinaryStage::FrameHead => match FrameHead::read(part) {
                Ok((kind, length)) => {
                    self.stage = BinaryStage::Frame(kind, length);
                    return Ok(0);
                }
                Err(malformed) => {
                    self.bad(part, malformed, receiver)?;
                    self.stage = BinaryStage::Lost;
                }
            },
            BinaryStage::Frame(kind, _) => {
                self.stage = if kind == layout::TAIL { BinaryStage::Ended } else { BinaryStage::FrameHead };
                self.frame(kind, part, receiver)?;
            }
            BinaryStage::Ended | BinaryStage::Lost => unreachable!("nothing is wanted"),
        }
        self.offset += part.len() as u64;
        Ok(part.len())
    }

    /// Takes a whole frame whose head is good.
    fn frame(&mut self, kind: [u8; 4], frame: &[u8], receiver: &mut impl Receiver) -> Result<(), Stop> {
        let result = match kind {
            layout::BLOCK => return self.block(frame, receiver),
            layout::NAMES | layout::INDEX => {
                self.lists_offset.get_or_insert(self.offset);
                index::read_list(frame).map(|body| {
                    let sums = &mut self.lists;
                    let sum = if kind == layout::NAMES { &mut sums.names_listed } else { &mut sums.blocks_listed };
                    *sum = layout::checksum_with(*sum, body);
                })
            }
            layout::TAIL => Tail::read(frame).and_then(|tail| self.check_tail(&tail, frame.len())),
            other => Err(Malformed::field("block", &other, "\"QBLK\", \"QNAM\", \"QIDX\" or \"QEND\"")),
        };
        match result {
            Ok(()) => Ok(()),
            Err(malformed) => self.bad(frame, malformed, receiver),
        }
    }

    fn block(&mut self, frame: &[u8], receiver: &mut impl Receiver) -> Result<(), Stop> {
        // Until all of it has been found good.
        let mut was_unsure = std::mem::replace(&mut self.lists.unsure, true);
        let head = match BlockHead::read(frame) {
            Ok(head) => head,
            Err(malformed) => return self.bad(frame, malformed, receiver),
        };
        let before = head.records_before.get();
        if before != self.records || self.lists_offset.is_some() {
            let found = format!("a block that begins at record {before} where record {} comes next", self.records);
            let malformed = Malformed { field: "block", found, expected: "each block once, in its place" };
            if before < self.records || self.lists_offset.is_some() {
                return self.bad(frame, malformed, receiver);
            }
            self.bad(&frame[..FRAME_HEAD_BYTES], malformed, receiver)?;
            was_unsure = true;
        }
        self.blocks = self.blocks.saturating_add(1);
        self.records = before.saturating_add(u64::from(head.record_count()));
        let has_sequence = self.has_sequence();
        let prepared = Block::parse(frame, has_sequence).and_then(|block| {
            self.dictionary.lose(head.issues_before.get(), head.servers_before.get())?;
            block.front().define(&mut self.dictionary, receiver)?;
            Ok(block)
        });
        if let Ok(block) = &prepared {
            self.lists.names = layout::checksum_with(self.lists.names, block.front().names());
            let entry = BlockEntry {
                offset: self.offset,
                start: head.start(),
                last: head.last(),
                records: head.record_count(),
                frame_bytes: head.frame_bytes.get(),
                front_bytes: u32::try_from(head.front_bytes()).expect("a part of the frame"),
            };
            self.lists.blocks = layout::checksum_with(self.lists.blocks, entry.wire().as_bytes());
            self.lists.unsure = was_unsure;
        }
        if let Ok(block) = &prepared
            && receiver.takes_blocks()
            && let Some(whole) = WholeBlock::new(block, self.offset, &self.dictionary)
            && receiver.block(&whole)?
        {
            return Ok(());
        }
        let prepared = prepared.and_then(|block| self.deliverer.prepare(&block, &self.dictionary).map(|()| block));
        match prepared {
            Ok(block) => self.deliverer.hand_over(&block, self.offset, &self.dictionary, receiver),
            Err(malformed) => self.bad(frame, malformed, receiver),
        }
    }

    /// The tail's sums are those of what has been read.
    fn check_tail(&self, tail: &Tail, tail_bytes: usize) -> Result<(), Malformed> {
        let (issues, servers) = self.dictionary.counts();
        let found = Tail {
            records: self.records,
            blocks: self.blocks,
            lists_offset: self.lists_offset.unwrap_or(self.offset),
            file_bytes: self.offset + tail_bytes as u64,
            issues,
            servers,
        };
        let ListSums { names, names_listed, blocks, blocks_listed, unsure } = self.lists;
        // The names of damaged blocks are not counted; that the block is damaged has been said.
        let uncounted = Tail { issues: issues.max(tail.issues), servers: servers.max(tail.servers), ..found };
        let expected = if unsure { uncounted } else { found };
        if *tail == expected && !unsure && (names, blocks) != (names_listed, blocks_listed) {
            let found = "lists of other names or blocks".to_owned();
            return Err(Malformed { field: "index", found, expected: "the names and the blocks that the file has" });
        }
        if *tail == expected {
            return Ok(());
        }
        let found = format!(
            "an end after {} records in {} blocks, of {issues} issues and {servers} servers",
            self.records, self.blocks
        );
        Err(Malformed { field: "file", found, expected: "as many as the file's tail says: a part is missing" })
    }

    fn after_the_end(&mut self, chunk: &[u8], receiver: &mut impl Receiver) -> Result<(), Stop> {
        self.stage = BinaryStage::Lost;
        let (found, expected) = ("more bytes".to_owned(), "nothing after the file's tail");
        self.bad(&[], Malformed { field: "file", found, expected }, receiver)?;
        receiver.rest(chunk)
    }

    /// Hands `bytes`, which begin where the frame does, over as a bad record that names no issue.
    fn bad(&self, bytes: &[u8], malformed: Malformed, receiver: &mut impl Receiver) -> Result<(), Stop> {
        receiver.record(&damage(Place::Byte(self.offset), bytes, None, self.has_sequence(), malformed))
    }

    fn has_sequence(&self) -> bool {
        self.header.is_some_and(|header| header.has_sequence)
    }
}

fn header_error(malformed: Malformed) -> FeedError {
    FeedError::Input { place: Place::Byte(0), malformed }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_grows_in_two_steps_and_not_on_the_word_of_a_frame() {
        let (mib, gib) = (1 << 20, 1 << 30);
        assert_eq!((room(0, 100), room(100, mib / 2), room(100, 3 * mib)), (128, mib / 2, mib));
        assert_eq!((room(0, 50 * mib), room(mib, 50 * mib)), (mib, 64 * mib));
        assert_eq!((room(0, 4 * gib - 1), room(mib, 4 * gib - 1)), (mib, 64 * mib));
        assert!((1..100).all(|length| length < room(length, length + 1)));
    }
}
