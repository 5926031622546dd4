//! Chunks of an input read before their turn, by whoever has time, and taken in their turn as if they were read only then.
//!
//! The idea: almost every record goes by the fast path, which changes nothing of what a decoder knows. With a copy of that it
//! can be read anywhere, if only it is known where a record begins. A scout ([`CsvScout`](crate::csv::CsvScout),
//! [`ItchScout`](crate::itch::ItchScout)) looks for such a place in its chunk and reads on from there, stretch by stretch. The
//! decoder pushes what stands before a stretch through itself; if a record begins where it comes to, that is where the stretch
//! begins, and it offers the records of the stretch instead of reading them. What a decoder knows only grows, so an older copy
//! never says something else. Where a scout was mistaken the chunk is read in its turn: it costs time, and nothing else.

use crate::{CompactRecord, CompactRun, FeedError, Place, Receiver};
use quoteclock_model::{SequenceNo, Timestamp};
use std::ops::Range;

/// What a scout has read of a chunk. Its room is used again.
#[derive(Debug)]
pub struct Scouted {
    /// Those of all stretches, one behind the other; more of them may be kept than are in use.
    pub(crate) records: Vec<CompactRecord>,
    /// From which their times count.
    pub(crate) origin: Timestamp,
    pub(crate) stretches: Vec<Stretch>,
}

/// Records that follow each other in a chunk.
#[derive(Clone, Debug)]
pub(crate) struct Stretch {
    /// Where they stand among those read; their places count from the beginning of the chunk.
    pub(crate) records: Range<usize>,
    /// Where they stand in the chunk.
    pub(crate) bytes: Range<usize>,
    /// The number of the first, if they carry any; they rise by one.
    pub(crate) sequence: Option<SequenceNo>,
    /// Whether their times never go back.
    pub(crate) in_order: bool,
}

impl Default for Scouted {
    fn default() -> Scouted {
        Scouted { records: Vec::new(), origin: Timestamp::MIN, stretches: Vec::new() }
    }
}

impl Scouted {
    /// Nothing yet of a chunk whose times count from `origin`.
    pub(crate) fn clear(&mut self, origin: Timestamp) {
        self.stretches.clear();
        self.origin = origin;
    }
}

/// A decoder that takes what a scout has read.
pub(crate) trait TakeScouted {
    /// Reads what has not been read before its turn.
    fn push(&mut self, chunk: &[u8], receiver: &mut impl Receiver) -> Result<(), FeedError>;

    /// Whether a record begins where it has come to, and may go by the fast path.
    fn is_between_records(&self) -> bool;

    /// See [`CompactRun::start`], for a record that is next and `at` bytes behind the beginning of its chunk.
    fn start(&self, at: u32) -> Place;

    /// Passes over `records` that take so many `bytes`.
    fn pass_over(&mut self, records: usize, bytes: usize);

    /// Hands over all records of `chunk`, those that have been read from `scouted`.
    fn take(&mut self, chunk: &[u8], scouted: &Scouted, receiver: &mut impl Receiver) -> Result<(), FeedError> {
        let mut at = 0;
        for stretch in &scouted.stretches {
            self.push(&chunk[at..stretch.bytes.start], receiver)?;
            at = stretch.bytes.start;
            if self.is_between_records() && receiver.takes_compact() {
                self.take_stretch(chunk, stretch, scouted, receiver)?;
                at = stretch.bytes.end;
            }
        }
        self.push(&chunk[at..], receiver)
    }

    /// Hands over the records of a stretch that begins where the decoder has come to.
    fn take_stretch(
        &mut self,
        chunk: &[u8],
        stretch: &Stretch,
        scouted: &Scouted,
        receiver: &mut impl Receiver,
    ) -> Result<(), FeedError> {
        let &Stretch { mut sequence, in_order, .. } = stretch;
        let mut rest = &scouted.records[stretch.records.clone()];
        let end_of = |next: Option<&CompactRecord>| next.map_or(stretch.bytes.end, |next| next.at as usize);
        while let Some(first) = rest.first() {
            let (start, origin) = (self.start(first.at), scouted.origin);
            let run = CompactRun { records: rest, in_order, origin, start, sequence, ahead: &[] };
            let taken = receiver.compact(&run)?;
            let next = rest.get(taken);
            self.pass_over(taken, end_of(next) - first.at as usize);
            let Some(refused) = next else { break };
            // It goes the long way, which says what is wrong with it, if anything.
            rest = &rest[taken + 1..];
            self.push(&chunk[refused.at as usize..end_of(rest.first())], receiver)?;
            sequence = sequence.map(|SequenceNo(first)| SequenceNo(first.wrapping_add(taken as u64 + 1)));
        }
        Ok(())
    }
}
