//! The messages of a session as records.
//!
//! One sequenced message is one ITCH message, one CSV record (the header line is the first), or one message of the binary
//! stream form. The bytes that a file of them would have go to the decoder that reads such files, many messages at once,
//! so that both come to the same, and as fast.

use quoteclock_feed::binary::{BinaryDecoder, MessageDecoder, looks_like_binary};
use quoteclock_feed::csv::CsvDecoder;
use quoteclock_feed::dbn::{DbnDecoder, looks_like_dbn};
use quoteclock_feed::fix::{FixDecoder, looks_like_fix};
use quoteclock_feed::itch::{Framing, ItchDecoder, looks_like_itch};
use quoteclock_feed::{BinaryState, CsvState, ItchState, MessageState};
use quoteclock_feed::{FeedError, Malformed, Place, RawRecord, Receiver, Sequence, Stop, TradingDate};
use quoteclock_model::Timestamp;
use std::fmt;

/// What one message is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Payload {
    /// A CSV record without its line end; the header line is the first.
    Csv,
    /// A file head, then names and records of the binary form.
    Binary,
    /// A NASDAQ TotalView-ITCH 5.0 message.
    Itch,
    /// Bytes of a log of FIX messages; of a pipe only.
    Fix,
    /// Bytes of a DBN file; of a pipe only.
    Dbn,
}

impl Payload {
    /// What a session carries whose first message is `first`.
    pub fn recognise(first: &[u8]) -> Payload {
        let framed = || {
            let length = u16::try_from(first.len()).unwrap_or(0).to_be_bytes();
            [length.as_slice(), &first[..first.len().min(4)]].concat()
        };
        if looks_like_binary(first) {
            Payload::Binary
        } else if !first.is_empty() && looks_like_itch(&framed()) {
            Payload::Itch
        } else {
            Payload::Csv
        }
    }
}

impl Payload {
    /// What a pipe carries that begins with `first`; `None` if more bytes have to tell.
    pub fn of_pipe(first: &[u8]) -> Option<Payload> {
        /// A prefix of a log's first message is shorter.
        const TOLD_BY_BYTES: usize = 1024;
        const MAGIC_BYTES: usize = 8;
        if first.len() < MAGIC_BYTES {
            None
        } else if looks_like_binary(first) {
            Some(Payload::Binary)
        } else if looks_like_dbn(first) {
            Some(Payload::Dbn)
        } else if looks_like_fix(first) {
            Some(Payload::Fix)
        } else {
            // The header of CSV ends with its line.
            (TOLD_BY_BYTES <= first.len() || first.contains(&b'\n')).then_some(Payload::Csv)
        }
    }
}

/// Prints as it is typed.
impl fmt::Display for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Payload::Csv => "csv",
            Payload::Binary => "binary",
            Payload::Itch => "itch",
            Payload::Fix => "fix",
            Payload::Dbn => "dbn",
        })
    }
}

/// Tells `take` the bytes of the file that messages make: CSV each with a line end, ITCH each with its length, the binary
/// form one after the other. `blocks` is each message with its length, two bytes, big-endian, before it.
pub fn file_bytes(payload: Payload, blocks: &[u8], mut take: impl FnMut(&[u8])) {
    match payload {
        Payload::Itch => take(blocks),
        Payload::Csv => each(blocks, |message| {
            take(message);
            take(b"\n");
        }),
        Payload::Binary | Payload::Fix | Payload::Dbn => each(blocks, take),
    }
}

/// Tells `take` each message of `blocks`.
pub fn each(mut blocks: &[u8], mut take: impl FnMut(&[u8])) {
    while let Some((message, rest)) = crate::mold::block(blocks) {
        take(message);
        blocks = rest;
    }
}

/// Reads the messages of a session, or the bytes of a file, as records.
#[derive(Debug)]
pub struct PayloadDecoder {
    inner: Inner,
    /// Bytes of the file that the messages make, so far.
    offset: u64,
    lines: Vec<u8>,
}

/// A [`PayloadDecoder`] between two messages, or two chunks of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PayloadState {
    /// The decoder of the form.
    pub form: FormState,
    /// Bytes of the file that the messages make, so far.
    pub offset: u64,
}

/// The state of one form's decoder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FormState {
    /// CSV.
    Csv(CsvState),
    /// The binary form message by message.
    Messages(MessageState),
    /// A file of the binary form.
    File(BinaryState),
    /// ITCH.
    Itch(ItchState),
}

#[derive(Debug)]
enum Inner {
    Csv(Box<CsvDecoder>),
    Messages(Box<MessageDecoder>),
    File(Box<BinaryDecoder>),
    Itch(Box<ItchDecoder>),
    Fix(Box<FixDecoder>),
    Dbn(Box<DbnDecoder>),
}

impl PayloadDecoder {
    /// Reads messages of `payload`; times that count from midnight do so from `midnight`.
    pub fn new(payload: Payload, midnight: Timestamp) -> PayloadDecoder {
        let inner = match payload {
            Payload::Csv => Inner::Csv(Box::default()),
            Payload::Binary => Inner::Messages(Box::default()),
            Payload::Itch => Inner::Itch(Box::new(ItchDecoder::with_framing(midnight, Framing::LengthPrefixed))),
            Payload::Fix => Inner::Fix(Box::default()),
            Payload::Dbn => Inner::Dbn(Box::default()),
        };
        PayloadDecoder { inner, offset: 0, lines: Vec::new() }
    }

    /// Reads the bytes of a file, as a pipe brings them: any form but ITCH.
    pub fn of_bytes(payload: Payload) -> PayloadDecoder {
        let inner = match payload {
            Payload::Binary => Inner::File(Box::default()),
            Payload::Csv | Payload::Itch => Inner::Csv(Box::default()),
            Payload::Fix => Inner::Fix(Box::default()),
            Payload::Dbn => Inner::Dbn(Box::default()),
        };
        PayloadDecoder { inner, offset: 0, lines: Vec::new() }
    }

    /// Whether what the decoder knows can be kept. Otherwise a day is read from its beginning again.
    pub fn can_save(&self) -> bool {
        !matches!(self.inner, Inner::Fix(_) | Inner::Dbn(_))
    }

    /// What the decoder knows; `None` if that cannot be kept.
    pub fn save(&self) -> Option<PayloadState> {
        let form = match &self.inner {
            Inner::Csv(decoder) => FormState::Csv(decoder.save()),
            Inner::Messages(decoder) => FormState::Messages(decoder.save()),
            Inner::File(decoder) => FormState::File(decoder.save()),
            Inner::Itch(decoder) => FormState::Itch(decoder.save()),
            Inner::Fix(_) | Inner::Dbn(_) => return None,
        };
        Some(PayloadState { form, offset: self.offset })
    }

    /// The decoder as it was when `state` was saved; `None` if that is not one of a decoder. Times that count from midnight do
    /// so from `midnight`.
    pub fn restore(state: &PayloadState, midnight: Timestamp) -> Option<PayloadDecoder> {
        let inner = match &state.form {
            FormState::Csv(state) => Inner::Csv(Box::new(CsvDecoder::restore(state)?)),
            FormState::Messages(state) => Inner::Messages(Box::new(MessageDecoder::restore(state)?)),
            FormState::File(state) => Inner::File(Box::new(BinaryDecoder::restore(state)?)),
            FormState::Itch(state) => Inner::Itch(Box::new(ItchDecoder::restore(midnight, state)?)),
        };
        Some(PayloadDecoder { inner, offset: state.offset, lines: Vec::new() })
    }

    /// Takes messages, each with its length before it.
    ///
    /// # Errors
    /// [`FeedError`] as that of the payload's decoder.
    pub fn messages(&mut self, blocks: &[u8], receiver: &mut impl Receiver) -> Result<(), FeedError> {
        match &mut self.inner {
            Inner::Csv(decoder) => {
                self.lines.clear();
                each(blocks, |message| {
                    self.lines.extend_from_slice(message);
                    self.lines.push(b'\n');
                });
                self.offset += self.lines.len() as u64;
                decoder.push(&self.lines, receiver)
            }
            Inner::Messages(decoder) => {
                let mut rest = blocks;
                while let Some((message, more)) = crate::mold::block(rest) {
                    self.offset += message.len() as u64;
                    decoder.message(message, receiver)?;
                    rest = more;
                }
                Ok(())
            }
            Inner::File(_) | Inner::Fix(_) | Inner::Dbn(_) => Ok(()),
            Inner::Itch(decoder) => {
                self.offset += blocks.len() as u64;
                itch_messages(decoder, blocks, receiver)
            }
        }
    }

    /// Takes bytes of a file.
    ///
    /// # Errors
    /// As [`PayloadDecoder::messages`].
    pub fn bytes(&mut self, chunk: &[u8], receiver: &mut impl Receiver) -> Result<(), FeedError> {
        self.offset += chunk.len() as u64;
        match &mut self.inner {
            Inner::Csv(decoder) => decoder.push(chunk, receiver),
            Inner::File(decoder) => decoder.push(chunk, receiver),
            Inner::Itch(decoder) => decoder.push(chunk, receiver),
            Inner::Fix(decoder) => decoder.push(chunk, receiver),
            Inner::Dbn(decoder) => decoder.push(chunk, receiver),
            Inner::Messages(_) => Ok(()),
        }
    }

    /// Takes note that messages are missing before the next: a bad record that names no issue, so that a lenient day is
    /// in doubt from the last record before it on.
    ///
    /// # Errors
    /// [`Stop`] if the receiver stops.
    pub fn missing(&mut self, found: String, receiver: &mut impl Receiver) -> Result<(), Stop> {
        match &mut self.inner {
            Inner::Messages(decoder) => decoder.lost(),
            Inner::Csv(decoder) => decoder.forget_unfinished(),
            Inner::Fix(decoder) => decoder.forget_unfinished(),
            Inner::File(_) | Inner::Itch(_) | Inner::Dbn(_) => {}
        }
        let malformed = Malformed { field: "record", found, expected: "every message of the session" };
        receiver.record(&RawRecord {
            place: Place::Byte(self.offset),
            bytes: &[],
            ts_event: None,
            sequence: Sequence::Absent,
            scope: None,
            also: None,
            event: Err(malformed),
        })
    }

    /// The trading date that the messages say of themselves, where their form has a place for it.
    pub fn stated_date(&self) -> Option<TradingDate> {
        match &self.inner {
            Inner::Messages(decoder) => decoder.header().map(|header| header.date),
            Inner::File(decoder) => decoder.header().map(|header| header.date),
            Inner::Csv(_) | Inner::Itch(_) | Inner::Fix(_) | Inner::Dbn(_) => None,
        }
    }

    /// Ends the input.
    ///
    /// # Errors
    /// As [`PayloadDecoder::messages`]; a session without any message says nothing.
    pub fn finish(self, receiver: &mut impl Receiver) -> Result<(), FeedError> {
        match self.inner {
            _ if self.offset == 0 => Ok(()),
            Inner::Csv(decoder) => decoder.finish(receiver),
            Inner::File(decoder) => decoder.finish(receiver),
            Inner::Itch(decoder) => decoder.finish(receiver),
            Inner::Fix(decoder) => decoder.finish(receiver),
            Inner::Dbn(decoder) => decoder.finish(receiver),
            Inner::Messages(_) => Ok(()),
        }
    }
}

/// A message of length 0 would mark the end in a file; in a session it is a malformed message.
fn itch_messages(decoder: &mut ItchDecoder, blocks: &[u8], receiver: &mut impl Receiver) -> Result<(), FeedError> {
    let (mut start, mut at) = (0, 0);
    while let Some((message, _)) = blocks.get(at..).and_then(crate::mold::block) {
        let end = at + 2 + message.len();
        if message.is_empty() {
            decoder.push(&blocks[start..at], receiver)?;
            decoder.empty_message(receiver)?;
            start = end;
        }
        at = end;
    }
    decoder.push(&blocks[start..at], receiver)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_message_tells_the_payload() {
        assert_eq!(Payload::of_pipe(b"seq,tim"), None);
        assert_eq!(Payload::of_pipe(b"seq,time,issue"), None, "the header has not ended");
        assert_eq!(Payload::of_pipe(b"seq,time,issue\n"), Some(Payload::Csv));
        assert_eq!(Payload::of_pipe(b"20240301-00:00:00 : 8=FIX.4.4|"), Some(Payload::Fix));
        assert_eq!(Payload::of_pipe(b"20240301-00:00:00 : 8"), None);
        assert_eq!(Payload::of_pipe(b"DBN\x03\0\0\0\0"), Some(Payload::Dbn));
        assert_eq!(Payload::of_pipe(b"\x89QCEV\r\n\x1a and more"), Some(Payload::Binary));
        assert_eq!(Payload::recognise(b"seq,time,issue,event,order"), Payload::Csv);
        assert_eq!(Payload::recognise(b""), Payload::Csv);
        assert_eq!(Payload::recognise(b"\x89QCEV\r\n\x1a and more"), Payload::Binary);
        assert_eq!(Payload::recognise(b"S\0\0\0\0\0\0\0\0\0\0O"), Payload::Itch);
        assert_eq!(Payload::recognise(b"S\0\0\0\0\0\0\0\0\0\0O "), Payload::Csv);
    }
}
