//! Chunks of messages read before their turn: where a frame begins is guessed, and looked at again when its turn has come.

use super::fast::{Attributions, Known, likely_frame};
use super::layout::LENGTH_BYTES;
use super::locates::Locates;
use super::{Framing, ItchDecoder};
use crate::name_table::KnownNames;
use crate::scout::{Scouted, Stretch, TakeScouted};
use crate::{CompactRecord, FeedError, Place, Receiver};
use quoteclock_model::Timestamp;

/// Reads chunks of ITCH before their turn: see [`ItchDecoder::scout`].
#[derive(Debug)]
pub struct ItchScout {
    pub(super) midnight: Timestamp,
    pub(super) locates: Locates,
    /// How many of them have told their symbol.
    pub(super) named_count: usize,
    pub(super) attributions: Attributions,
    pub(super) servers: KnownNames,
}

impl ItchScout {
    /// So much room is made for records at once.
    const ROOM: usize = 1024;

    /// Reads what it can of `chunk`, cut anywhere.
    pub fn read(&self, chunk: &[u8], scouted: &mut Scouted) {
        scouted.clear(self.midnight);
        let mut attributions = self.attributions.clone();
        let (mut at, mut count) = (likely_frame(chunk).unwrap_or(chunk.len()), 0);
        let mut may_learn = true;
        while let Some(place) = u32::try_from(at).ok().filter(|_| at < chunk.len()) {
            if scouted.records.len() < count + Self::ROOM {
                scouted.records.resize(count + Self::ROOM, CompactRecord::EMPTY);
            }
            let known = Known { locates: &self.locates, attributions: &attributions };
            let read = known.read(&chunk[at..], place, &mut scouted.records[count..]);
            if 0 < read.count {
                let (records, bytes) = (count..count + read.count, at..at + read.length);
                (at, count) = (bytes.end, records.end);
                scouted.stretches.push(Stretch { records, bytes, sequence: None, in_order: read.in_order });
                may_learn = true;
                continue;
            }
            // The server may be known, but not where the fast path finds it; it is looked for once.
            if std::mem::take(&mut may_learn) && attributions.learn(&chunk[at..], &self.servers).is_some() {
                continue;
            }
            // It is read in its turn.
            may_learn = true;
            let Some(length) = chunk[at..].first_chunk::<LENGTH_BYTES>() else { return };
            at += LENGTH_BYTES + usize::from(u16::from_be_bytes(*length));
        }
    }
}

impl ItchDecoder {
    /// Whoever reads chunks before their turn, knowing what this decoder knows by now; `None` where no message goes by the fast
    /// path.
    pub fn scout(&self) -> Option<ItchScout> {
        (self.framing == Some(Framing::LengthPrefixed)).then(|| self.messages.scout())
    }

    /// Whether `scout` knows all names that this decoder knows.
    pub fn is_known_to(&self, scout: &ItchScout) -> bool {
        self.messages.is_known_to(scout)
    }

    /// As [`ItchDecoder::push`] of the next `chunk`, of which a scout of this decoder has read something already.
    ///
    /// # Errors
    /// As [`ItchDecoder::push`].
    pub fn push_scouted(
        &mut self,
        chunk: &[u8],
        scouted: &Scouted,
        receiver: &mut impl Receiver,
    ) -> Result<(), FeedError> {
        self.take(chunk, scouted, receiver)
    }
}

impl TakeScouted for ItchDecoder {
    fn push(&mut self, chunk: &[u8], receiver: &mut impl Receiver) -> Result<(), FeedError> {
        ItchDecoder::push(self, chunk, receiver)
    }

    fn is_between_records(&self) -> bool {
        self.framing == Some(Framing::LengthPrefixed) && self.held.is_empty() && !self.ended
    }

    fn start(&self, at: u32) -> Place {
        Place::Byte(self.offset - u64::from(at))
    }

    fn pass_over(&mut self, _: usize, bytes: usize) {
        self.offset += bytes as u64;
    }
}
