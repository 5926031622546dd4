//! NASDAQ TotalView-ITCH 5.0 (REFERENCE section 2): a public order-by-order feed with attributed market makers, read as the
//! exchange publishes it.
//!
//! The idea: a stream is cut into frames, a frame holds one message, and each type of message has one length, so that a
//! message is an array whose fields stand at fixed places. What a message says is judged field by field; what no field
//! of ours depends on is not looked at. Messages that look like almost all of them are read faster, in `fast`, to the same
//! effect.
//!
//! Issues are numbered by the feed (the stock locate), and a stream taken up in its middle may use a number long before
//! it tells the symbol. An issue therefore has its index from the first message that names its locate, and its code
//! from the first that carries its symbol.
//!
//! Deliberately absent: recovery of missing packets, MoldUDP64, and the messages that say nothing about orders or phases
//! (they are counted).

mod fast;
mod file_name;
mod framing;
mod layout;
mod locates;
mod message;
mod scout;
mod writer;

pub use file_name::date_from_name;
pub use framing::{Framing, looks_like_itch};
pub use scout::ItchScout;
pub use writer::ItchWriter;

use crate::{CompactRun, FeedError, ItchState, Malformed, Place, RawRecord, Receiver, Sequence, Stop};
use fast::{Read, Run};
use framing::{DETECTION_BYTES, Packet};
use layout::LENGTH_BYTES;
use message::Messages;
use quoteclock_model::Timestamp;

/// Reads ITCH 5.0, pushed in chunks cut anywhere. Holds at most one frame (64 KiB) and a table of the day's issues.
#[derive(Debug)]
pub struct ItchDecoder {
    /// `None` until the first bytes have told.
    framing: Option<Framing>,
    /// The frame so far, with its length, where a chunk ended inside it.
    held: Vec<u8>,
    /// Where the next frame, or the one held, begins in the stream.
    offset: u64,
    /// Whether the last frame was the mark of the end of the session.
    ended: bool,
    messages: Messages,
}

impl ItchDecoder {
    /// Reads a stream whose times count from `midnight`, and whose framing its first bytes tell.
    pub fn new(midnight: Timestamp) -> ItchDecoder {
        let messages = Messages::new(midnight);
        ItchDecoder { framing: None, held: Vec::new(), offset: 0, ended: false, messages }
    }

    /// Reads a stream in `framing`, whatever its first bytes look like.
    pub fn with_framing(midnight: Timestamp, framing: Framing) -> ItchDecoder {
        ItchDecoder { framing: Some(framing), ..ItchDecoder::new(midnight) }
    }

    /// What the decoder knows.
    pub fn save(&self) -> ItchState {
        let (locates, servers) = self.messages.save();
        ItchState {
            framing: self.framing,
            held: self.held.clone(),
            offset: self.offset,
            has_ended: self.ended,
            passed_over_count: self.messages.passed_over_count,
            locates,
            servers,
        }
    }

    /// The decoder as it was when `state` was saved, of a stream whose times count from `midnight`; `None` if it is not one of
    /// a decoder.
    pub fn restore(midnight: Timestamp, state: &ItchState) -> Option<ItchDecoder> {
        Some(ItchDecoder {
            framing: state.framing,
            held: state.held.clone(),
            offset: state.offset,
            ended: state.has_ended,
            messages: Messages::restore(midnight, state)?,
        })
    }

    /// The framing, once it is known.
    pub fn framing(&self) -> Option<Framing> {
        self.framing
    }

    /// ITCH messages so far that were no record: of types that say nothing about orders or phases, system events other
    /// than the start and end of market hours, and auctions without shares.
    pub fn passed_over_count(&self) -> u64 {
        self.messages.passed_over_count
    }

    /// The beginning of a message that has not ended yet, without its frame.
    pub fn unfinished(&self) -> &[u8] {
        let header_bytes = self.framing.map_or(LENGTH_BYTES, Framing::header_bytes);
        self.held.get(header_bytes..).unwrap_or_default()
    }

    /// Reads the next `chunk` of the stream and hands over every record that ends in it.
    ///
    /// # Errors
    /// [`FeedError::Stopped`] if the receiver stops.
    pub fn push(&mut self, mut chunk: &[u8], receiver: &mut impl Receiver) -> Result<(), FeedError> {
        let framing = match self.framing {
            Some(framing) => framing,
            None => {
                fill(&mut self.held, DETECTION_BYTES, &mut chunk);
                if self.held.len() < DETECTION_BYTES {
                    return Ok(());
                }
                self.detect()
            }
        };
        self.frames_begun(framing, &mut chunk, receiver)?;
        loop {
            chunk = self.fast_messages(framing, chunk, receiver)?;
            let Some((length, rest)) = chunk.split_first_chunk::<LENGTH_BYTES>() else { break };
            let length = usize::from(u16::from_be_bytes(*length));
            let Some((payload, next)) = rest.split_at_checked(length) else { break };
            self.frame(framing, payload, receiver)?;
            chunk = next;
        }
        self.held.extend_from_slice(chunk);
        Ok(())
    }

    /// Reads frames from the beginning of `chunk` for as long as the fast path reads them; what then follows is left.
    #[inline]
    fn fast_messages<'a>(
        &mut self,
        framing: Framing,
        mut chunk: &'a [u8],
        receiver: &mut impl Receiver,
    ) -> Result<&'a [u8], Stop> {
        if framing != Framing::LengthPrefixed || self.ended || !receiver.takes_compact() {
            return Ok(chunk);
        }
        let mut read = Run::EMPTY;
        loop {
            self.messages.read_fast(chunk, &mut read);
            let (records, origin) = (read.records(), self.messages.midnight());
            let Read { length, in_order, .. } = read.read;
            let ahead = ahead(&chunk[length..]);
            let (start, sequence) = (Place::Byte(self.offset), None);
            let run = CompactRun { records, in_order, origin, start, sequence, ahead };
            let taken = if records.is_empty() { 0 } else { receiver.compact(&run)? };
            let length = records.get(taken).map_or(length, |next| next.at as usize);
            self.offset += length as u64;
            chunk = &chunk[length..];
            if taken == 0 {
                return Ok(chunk);
            }
        }
    }

    /// Takes a message of no bytes, as a session may carry one. In a file its length would mark the end; here it is one
    /// malformed record. Nothing may have been begun.
    ///
    /// # Errors
    /// As [`ItchDecoder::push`].
    pub fn empty_message(&mut self, receiver: &mut impl Receiver) -> Result<(), FeedError> {
        let place = self.place();
        self.offset += LENGTH_BYTES as u64;
        Ok(hand_over(place, &[], Malformed::field("record", &[], "a message of one byte at least"), receiver)?)
    }

    /// Ends the stream: a frame that was begun is malformed.
    ///
    /// # Errors
    /// As [`ItchDecoder::push`].
    pub fn finish(mut self, receiver: &mut impl Receiver) -> Result<(), FeedError> {
        let framing = self.detect();
        self.frames_begun(framing, &mut &[][..], receiver)?;
        if self.held.is_empty() {
            return Ok(());
        }
        let count = self.held.len();
        let found = match self.held.first_chunk::<LENGTH_BYTES>() {
            None => format!("the end of the stream after {count} byte of a frame's length"),
            Some(length) => {
                let whole = LENGTH_BYTES + usize::from(u16::from_be_bytes(*length));
                format!("the end of the stream after {count} of a frame's {whole} bytes")
            }
        };
        let malformed = Malformed { field: "record", found, expected: "a whole frame" };
        Ok(hand_over(self.place(), self.unfinished(), malformed, receiver)?)
    }

    fn detect(&mut self) -> Framing {
        let held = &self.held;
        *self.framing.get_or_insert_with(|| Framing::detect(held))
    }

    fn place(&self) -> Place {
        Place::Byte(self.offset)
    }

    /// Completes what is held from `chunk`, frame by frame, until nothing is held or the chunk is used up.
    fn frames_begun(
        &mut self,
        framing: Framing,
        chunk: &mut &[u8],
        receiver: &mut impl Receiver,
    ) -> Result<(), FeedError> {
        while !self.held.is_empty() {
            fill(&mut self.held, LENGTH_BYTES, chunk);
            let Some(length) = self.held.first_chunk::<LENGTH_BYTES>() else { break };
            let frame_bytes = LENGTH_BYTES + usize::from(u16::from_be_bytes(*length));
            fill(&mut self.held, frame_bytes, chunk);
            if self.held.len() < frame_bytes {
                break;
            }
            let mut held = std::mem::take(&mut self.held);
            self.frame(framing, &held[LENGTH_BYTES..frame_bytes], receiver)?;
            held.drain(..frame_bytes);
            self.held = held;
        }
        Ok(())
    }

    #[inline]
    fn frame(&mut self, framing: Framing, payload: &[u8], receiver: &mut impl Receiver) -> Result<(), Stop> {
        let place = self.place();
        self.offset += (LENGTH_BYTES + payload.len()) as u64;
        match framing.unpack(payload) {
            Ok(Packet::Message(message)) if !self.ended => self.messages.message(place, message, receiver),
            Ok(Packet::Message(message)) => {
                // A length that damage has made zero looks like the end of the session: whatever follows is in doubt.
                self.ended = false;
                let malformed = Malformed::field("record", message, "nothing after the end of the session");
                hand_over(place, message, malformed, receiver)
            }
            Ok(Packet::Control) => Ok(()),
            Ok(Packet::EndOfSession) => {
                self.ended = true;
                Ok(())
            }
            Err(malformed) => hand_over(place, payload, malformed, receiver),
        }
    }
}

/// Moves bytes from the front of `chunk` to `held`, until it has `count` of them or the chunk is used up.
fn fill(held: &mut Vec<u8>, count: usize, chunk: &mut &[u8]) {
    let missing = count.saturating_sub(held.len()).min(chunk.len());
    let (head, tail) = chunk.split_at(missing);
    held.extend_from_slice(head);
    *chunk = tail;
}

/// Of what follows a run, what is to be fetched by now: about as much as a run, and that far away.
fn ahead(following: &[u8]) -> &[u8] {
    const BYTES: usize = 1024;
    following.get(BYTES..2 * BYTES).unwrap_or_default()
}

/// Hands over a record of which nothing could be read.
#[cold]
fn hand_over(place: Place, bytes: &[u8], malformed: Malformed, receiver: &mut impl Receiver) -> Result<(), Stop> {
    let (sequence, event) = (Sequence::Absent, Err(malformed));
    receiver.record(&RawRecord { place, bytes, ts_event: None, sequence, scope: None, also: None, event })
}

#[cfg(test)]
mod tests;
