//! The journal of a session: its messages as they came, so that a day can be measured again, and so that nothing that
//! was received is lost (docs/JOURNAL.md).
//!
//! The idea: a file that only grows. A head says whose messages these are; after it come frames, each with length,
//! checksum and the number of its first message. A frame is whole or it is not there: what a crash has torn, and anything
//! after a flipped bit, is cut off, and asked for again. What was never received has a frame of its own, so that measuring
//! the file later comes to what was measured while it was written.

use crate::mold::block;
use crate::payload::{Payload, PayloadDecoder};
use crate::session::SessionId;
use quoteclock_feed::{FeedError, Malformed, Place, RawRecord, Receiver, Sequence, TradingDate};
use quoteclock_model::Timestamp;

/// What a journal begins with. The first byte is no text; the line ends show a transfer that changed them.
const MAGIC: [u8; 8] = *b"\x89QCJL\r\n\x1a";
/// The version that is written, and the only one that is read.
const VERSION: u16 = 1;
/// The length of the head.
pub const HEAD_BYTES: usize = 512;
/// The longest name of a feed.
pub const FEED_BYTES_MAX: usize = HEAD_BYTES - 28 - 4;
/// Bytes of a frame before its body.
pub const FRAME_HEAD_BYTES: usize = 24;
/// The longest body.
pub const BODY_BYTES_MAX: usize = 1 << 20;
/// Where in a frame its checksum begins to cover.
const COVERED_FROM: usize = 8;

/// Whose messages a journal holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Head {
    /// What one message is.
    pub payload: Payload,
    /// The session; `None` where the source is a pipe, whose bytes are kept instead of messages.
    pub session: Option<SessionId>,
    /// The trading date, where it is not left to the first record.
    pub date: Option<TradingDate>,
    /// The address of the feed, without user.
    pub feed: String,
}

/// Whether `first_bytes` begin a journal, of whatever version.
pub fn looks_like_journal(first_bytes: &[u8]) -> bool {
    first_bytes.starts_with(&MAGIC)
}

impl Head {
    /// Its bytes. A longer name of a feed is cut: whoever opens a journal has refused it before.
    pub fn write(&self) -> [u8; HEAD_BYTES] {
        let mut bytes = [0; HEAD_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..10].copy_from_slice(&VERSION.to_le_bytes());
        bytes[10] = match self.payload {
            Payload::Csv => 1,
            Payload::Binary => 2,
            Payload::Itch => 3,
            Payload::Fix => 4,
            Payload::Dbn => 5,
        };
        if let Some(date) = self.date {
            bytes[12..14].copy_from_slice(&date.year().to_le_bytes());
            (bytes[14], bytes[15]) = (date.month(), date.day());
        }
        if let Some(session) = self.session {
            bytes[16..26].copy_from_slice(&session.field());
        }
        let feed = &self.feed.as_bytes()[..self.feed.len().min(FEED_BYTES_MAX)];
        bytes[26..28].copy_from_slice(&u16::try_from(feed.len()).unwrap_or_default().to_le_bytes());
        bytes[28..28 + feed.len()].copy_from_slice(feed);
        let crc = crc32c::crc32c(&bytes[..HEAD_BYTES - 4]);
        bytes[HEAD_BYTES - 4..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// What `bytes`, the first of a file, say.
    ///
    /// # Errors
    /// [`Malformed`] if they are not the head of a journal of this version.
    pub fn read(bytes: &[u8]) -> Result<Head, Malformed> {
        let expected = "the 512 bytes of a journal's head, beginning 89 \"QCJL\" 0D 0A 1A";
        let wrong = || Malformed::field("header", &bytes[..bytes.len().min(8)], expected);
        let bytes: &[u8; HEAD_BYTES] = bytes.first_chunk().ok_or_else(wrong)?;
        if !looks_like_journal(bytes) {
            return Err(wrong());
        }
        let version = u16::from_le_bytes([bytes[8], bytes[9]]);
        if version != VERSION {
            let found = format!("version {version} of a journal");
            return Err(Malformed {
                field: "version",
                found,
                expected: "version 1, the only one that this program reads",
            });
        }
        let crc = u32::from_le_bytes([bytes[508], bytes[509], bytes[510], bytes[511]]);
        let payload = match bytes[10] {
            _ if crc != crc32c::crc32c(&bytes[..HEAD_BYTES - 4]) => None,
            1 => Some(Payload::Csv),
            2 => Some(Payload::Binary),
            3 => Some(Payload::Itch),
            4 => Some(Payload::Fix),
            5 => Some(Payload::Dbn),
            _ => None,
        };
        let length = usize::from(u16::from_le_bytes([bytes[26], bytes[27]]));
        let feed = bytes[28..HEAD_BYTES - 4].get(..length).and_then(|feed| std::str::from_utf8(feed).ok());
        let damaged = || Malformed {
            field: "header",
            found: "a damaged head of a journal".to_owned(),
            expected: "one whose checksum is right",
        };
        let (Some(payload), Some(feed)) = (payload, feed) else { return Err(damaged()) };
        let date = match bytes[12..16] {
            [0, 0, 0, 0] => None,
            [low, high, month, day] => {
                Some(TradingDate::new(u16::from_le_bytes([low, high]), month, day).ok_or_else(damaged)?)
            }
            _ => None,
        };
        let session = match &bytes[16..26] {
            [0, ..] => None,
            field => Some(SessionId::new(field).ok_or_else(damaged)?),
        };
        Ok(Head { payload, session, date, feed: feed.to_owned() })
    }
}

/// The session of a whole market, one of whose shards a session is: the same in all of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Whole {
    /// Records of the whole market.
    pub records: u64,
    /// Of the file that the whole market's messages make.
    pub sha256: [u8; 32],
}

impl Whole {
    /// The length of its bytes.
    pub const BYTES: usize = 40;

    /// Its bytes: the number, little-endian, and the hash.
    pub fn write(&self) -> [u8; Whole::BYTES] {
        let mut bytes = [0; Whole::BYTES];
        bytes[..8].copy_from_slice(&self.records.to_le_bytes());
        bytes[8..].copy_from_slice(&self.sha256);
        bytes
    }

    /// What its bytes say; `None` if they are not as many.
    ///
    /// ```
    /// use quoteclock_wire::journal::Whole;
    /// let whole = Whole { records: 7, sha256: [9; 32] };
    /// assert_eq!(Whole::read(&whole.write()), Some(whole));
    /// assert_eq!(Whole::read(b"short"), None);
    /// ```
    pub fn read(bytes: &[u8]) -> Option<Whole> {
        let (records, sha256) = bytes.split_first_chunk()?;
        Some(Whole { records: u64::from_le_bytes(*records), sha256: sha256.try_into().ok()? })
    }
}

/// What a frame holds. Numbers count messages from 1; of a pipe they count its bytes from 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Frame<'a> {
    /// Messages, each with its length before it.
    Messages {
        /// The number of the first.
        first: u64,
        /// How many.
        count: u32,
        /// Length and bytes of each.
        blocks: &'a [u8],
    },
    /// Bytes of a pipe.
    Bytes {
        /// Where they begin in it.
        first: u64,
        /// The bytes.
        bytes: &'a [u8],
    },
    /// Messages that never came.
    Gap {
        /// The number of the first.
        first: u64,
        /// How many; of a pipe nobody can say, and it is 0.
        count: u64,
    },
    /// The session has ended.
    End {
        /// The number after the last message.
        next: u64,
        /// Of what this session is a shard, where it is one and the source has told.
        whole: Option<Whole>,
    },
    /// The source was gone before the session had ended.
    Lost {
        /// The number of the first message that never came.
        next: u64,
    },
}

mod kind {
    pub const MESSAGES: u8 = 1;
    pub const BYTES: u8 = 2;
    pub const GAP: u8 = 3;
    pub const END: u8 = 4;
    pub const LOST: u8 = 5;
}

/// Begins a frame in `to`, which is emptied: what it holds is then appended, and `finish_frame` ends it.
pub fn begin_frame(to: &mut Vec<u8>) {
    to.clear();
    to.resize(FRAME_HEAD_BYTES, 0);
}

/// Ends a frame of messages, `first` being the number of the first of `count`.
///
/// # Panics
/// If the body is longer than [`BODY_BYTES_MAX`]: whoever gathers messages keeps to it.
pub fn finish_messages(frame: &mut [u8], first: u64, count: u32) {
    seal(frame, kind::MESSAGES, first, count);
}

/// Ends a frame of a pipe's bytes that begin at `first`.
///
/// # Panics
/// As [`finish_messages`].
pub fn finish_bytes(frame: &mut [u8], first: u64) {
    seal(frame, kind::BYTES, first, 0);
}

/// Writes a frame for messages that never came.
pub fn put_gap(to: &mut Vec<u8>, first: u64, count: u64) {
    begin_frame(to);
    to.extend_from_slice(&count.to_le_bytes());
    seal(to, kind::GAP, first, 0);
}

/// Writes the frame that ends the session as the source said; of a shard with what the source said of the whole.
pub fn put_end(to: &mut Vec<u8>, next: u64, whole: Option<Whole>) {
    begin_frame(to);
    to.extend(whole.iter().flat_map(Whole::write));
    seal(to, kind::END, next, 0);
}

/// Writes the frame that ends the session because the source was gone.
pub fn put_lost(to: &mut Vec<u8>, next: u64) {
    begin_frame(to);
    seal(to, kind::LOST, next, 0);
}

fn seal(frame: &mut [u8], kind: u8, sequence: u64, count: u32) {
    let body = frame.len() - FRAME_HEAD_BYTES;
    assert!(body <= BODY_BYTES_MAX, "a frame of {body} bytes");
    let length = u32::try_from(body).expect("it is at most 1 MiB");
    frame[..4].copy_from_slice(&length.to_le_bytes());
    frame[8..16].copy_from_slice(&sequence.to_le_bytes());
    frame[16..20].copy_from_slice(&count.to_le_bytes());
    frame[20..24].copy_from_slice(&[kind, 0, 0, 0]);
    let crc = checksum(length, &frame[COVERED_FROM..]);
    frame[4..8].copy_from_slice(&crc.to_le_bytes());
}

/// Of a frame's length and of everything after the checksum.
fn checksum(length: u32, covered: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&length.to_le_bytes()), covered)
}

impl Frame<'_> {
    /// The first frame of `bytes`, and its length with everything; `None` while it is not whole.
    ///
    /// # Errors
    /// [`Malformed`] if it is damaged: nothing after it can be found.
    pub fn read(bytes: &[u8]) -> Result<Option<(Frame<'_>, usize)>, Malformed> {
        let Some((head, rest)) = bytes.split_first_chunk::<FRAME_HEAD_BYTES>() else { return Ok(None) };
        let word = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let long = |at: usize| u64::from(word(at)) | u64::from(word(at + 4)) << 32;
        let damaged = || Malformed {
            field: "record",
            found: "a damaged frame of the journal".to_owned(),
            expected: "one whose checksum is right",
        };
        let length = word(0) as usize;
        if BODY_BYTES_MAX < length {
            return Err(damaged());
        }
        let Some(body) = rest.get(..length) else { return Ok(None) };
        if word(4) != checksum(word(0), &bytes[COVERED_FROM..FRAME_HEAD_BYTES + length]) {
            return Err(damaged());
        }
        let (sequence, count) = (long(8), word(16));
        let frame = match (head[20], body) {
            (kind::MESSAGES, blocks) if holds(blocks, count) && sequence.checked_add(count.into()).is_some() => {
                Frame::Messages { first: sequence, count, blocks }
            }
            (kind::BYTES, bytes) if sequence.checked_add(length as u64).is_some() => {
                Frame::Bytes { first: sequence, bytes }
            }
            (kind::GAP, &[a, b, c, d, e, f, g, h]) => {
                Frame::Gap { first: sequence, count: u64::from_le_bytes([a, b, c, d, e, f, g, h]) }
            }
            (kind::END, []) => Frame::End { next: sequence, whole: None },
            (kind::END, bytes @ [_, ..]) => {
                Frame::End { next: sequence, whole: Some(Whole::read(bytes).ok_or_else(damaged)?) }
            }
            (kind::LOST, []) => Frame::Lost { next: sequence },
            _ => return Err(damaged()),
        };
        Ok(Some((frame, FRAME_HEAD_BYTES + length)))
    }

    /// Whether it follows frames up to `next`, and the number after it; `None` if it does not.
    pub fn follows(&self, next: u64) -> Option<u64> {
        match *self {
            Frame::Messages { first, count, .. } if first == next => first.checked_add(count.into()),
            Frame::Bytes { first, bytes } if first == next => first.checked_add(bytes.len() as u64),
            Frame::Gap { first, count } if first == next => first.checked_add(count),
            Frame::End { next: at, .. } | Frame::Lost { next: at } if at == next => Some(next),
            _ => None,
        }
    }

    /// Whether nothing follows it.
    pub fn is_last(&self) -> bool {
        matches!(self, Frame::End { .. } | Frame::Lost { .. })
    }

    /// Hands over what it holds.
    ///
    /// # Errors
    /// As [`PayloadDecoder::messages`].
    pub fn deliver(&self, to: &mut PayloadDecoder, receiver: &mut impl Receiver) -> Result<(), FeedError> {
        match *self {
            Frame::Messages { blocks, .. } => to.messages(blocks, receiver),
            Frame::Bytes { bytes, .. } => to.bytes(bytes, receiver),
            Frame::Gap { count: 0, .. } => Ok(to.missing("a gap of unknown length".to_owned(), receiver)?),
            Frame::Gap { first, count } => {
                let found = format!("{count} missing from message {first} on");
                Ok(to.missing(found, receiver)?)
            }
            Frame::Lost { .. } => Ok(to.missing("the source gone before the session's end".to_owned(), receiver)?),
            Frame::End { .. } => Ok(()),
        }
    }
}

fn holds(mut blocks: &[u8], count: u32) -> bool {
    for _ in 0..count {
        let Some((_, rest)) = block(blocks) else { return false };
        blocks = rest;
    }
    blocks.is_empty()
}

/// The checksum of all frames up to and with `frame`, `before` being that of those before it, and 0 the first's: two journals
/// in which it is the same at the same place have, as far as a checksum can tell, the same frames up to there.
pub fn chain(before: u32, frame: &[u8]) -> u32 {
    crc32c::crc32c_append(before, frame.get(4..COVERED_FROM).unwrap_or_default())
}

/// The number that the first frame of a journal has.
pub fn first_number(head: &Head) -> u64 {
    u64::from(head.session.is_some())
}

/// The decoder of what a journal's frames hold; times that count from midnight do so from `midnight`.
pub fn payload_decoder(head: &Head, midnight: Timestamp) -> PayloadDecoder {
    match head.session {
        Some(_) => PayloadDecoder::new(head.payload, midnight),
        None => PayloadDecoder::of_bytes(head.payload),
    }
}

/// Reads a journal as an input, pushed in chunks cut anywhere.
#[derive(Debug)]
pub struct JournalDecoder {
    midnight: Timestamp,
    held: Vec<u8>,
    offset: u64,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Head,
    Frames(Box<PayloadDecoder>, u64),
    Ended(Box<PayloadDecoder>),
    /// Nothing that could be told apart.
    Damaged(Box<PayloadDecoder>),
}

impl JournalDecoder {
    /// Reads a journal whose times, where they count from midnight, do so from `midnight`.
    pub fn new(midnight: Timestamp) -> JournalDecoder {
        JournalDecoder { midnight, held: Vec::new(), offset: 0, stage: Stage::Head }
    }

    /// Reads the next `chunk` and hands over every record that ends in it.
    ///
    /// # Errors
    /// [`FeedError::Input`] if it is no journal, or what it holds is no events; [`FeedError::Stopped`] if the receiver
    /// stops.
    pub fn push(&mut self, chunk: &[u8], receiver: &mut impl Receiver) -> Result<(), FeedError> {
        if let Stage::Damaged(_) = self.stage {
            return Ok(receiver.rest(chunk)?);
        }
        let mut held = std::mem::take(&mut self.held);
        held.extend_from_slice(chunk);
        let used = self.take(&held, receiver)?;
        held.drain(..used);
        self.offset += used as u64;
        self.held = held;
        Ok(())
    }

    /// Takes as many whole parts as there are; says how many bytes they were.
    fn take(&mut self, bytes: &[u8], receiver: &mut impl Receiver) -> Result<usize, FeedError> {
        let mut used = 0;
        loop {
            let rest = &bytes[used..];
            match &mut self.stage {
                Stage::Head if rest.len() < HEAD_BYTES => return Ok(used),
                Stage::Head => {
                    let head =
                        Head::read(rest).map_err(|malformed| FeedError::Input { place: Place::Byte(0), malformed })?;
                    let decoder = payload_decoder(&head, self.midnight);
                    self.stage = Stage::Frames(Box::new(decoder), first_number(&head));
                    used += HEAD_BYTES;
                }
                Stage::Frames(decoder, next) => {
                    let frame = match Frame::read(rest) {
                        Ok(None) => return Ok(used),
                        Ok(Some((frame, length))) => frame.follows(*next).map(|after| (frame, length, after)),
                        Err(_) => None,
                    };
                    let Some((frame, length, after)) = frame else {
                        self.damaged(self.offset + used as u64, rest, "a damaged frame", receiver)?;
                        return Ok(bytes.len());
                    };
                    frame.deliver(decoder, receiver)?;
                    *next = after;
                    used += length;
                    if frame.is_last() {
                        self.stage = match std::mem::replace(&mut self.stage, Stage::Head) {
                            Stage::Frames(decoder, _) => Stage::Ended(decoder),
                            other => other,
                        };
                    }
                }
                Stage::Ended(_) if rest.is_empty() => return Ok(used),
                Stage::Ended(_) => {
                    self.damaged(self.offset + used as u64, rest, "more bytes after the session's end", receiver)?;
                    return Ok(bytes.len());
                }
                Stage::Damaged(_) => return Ok(bytes.len()),
            }
        }
    }

    fn damaged(&mut self, at: u64, bytes: &[u8], found: &str, receiver: &mut impl Receiver) -> Result<(), FeedError> {
        let malformed = Malformed {
            field: "record",
            found: found.to_owned(),
            expected: "frames of a journal, each whole and next",
        };
        receiver.record(&RawRecord {
            place: Place::Byte(at),
            bytes,
            ts_event: None,
            sequence: Sequence::Absent,
            scope: None,
            also: None,
            event: Err(malformed),
        })?;
        self.stage = match std::mem::replace(&mut self.stage, Stage::Head) {
            Stage::Frames(decoder, _) | Stage::Ended(decoder) | Stage::Damaged(decoder) => Stage::Damaged(decoder),
            Stage::Head => Stage::Head,
        };
        Ok(())
    }

    /// The beginning of a frame that has not ended yet.
    pub fn unfinished(&self) -> &[u8] {
        &self.held
    }

    /// The trading date that the messages say of themselves, where their form has a place for it.
    pub fn stated_date(&self) -> Option<TradingDate> {
        match &self.stage {
            Stage::Head => None,
            Stage::Frames(decoder, _) | Stage::Ended(decoder) | Stage::Damaged(decoder) => decoder.stated_date(),
        }
    }

    /// Ends the input. A journal whose session has not ended is cut off.
    ///
    /// # Errors
    /// As [`JournalDecoder::push`].
    pub fn finish(mut self, receiver: &mut impl Receiver) -> Result<(), FeedError> {
        let held = std::mem::take(&mut self.held);
        match self.stage {
            Stage::Head => {
                Head::read(&held).map_err(|malformed| FeedError::Input { place: Place::Byte(0), malformed })?;
                Ok(())
            }
            Stage::Frames(..) => {
                self.damaged(self.offset, &held, "the end of the journal before the session's", receiver)?;
                match self.stage {
                    Stage::Damaged(decoder) => decoder.finish(receiver),
                    _ => Ok(()),
                }
            }
            Stage::Ended(decoder) | Stage::Damaged(decoder) => decoder.finish(receiver),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quoteclock_feed::Stop;
    use quoteclock_model::{IssueCode, IssueIndex, ServerIndex};

    fn head() -> Head {
        Head {
            payload: Payload::Csv,
            session: SessionId::new(b"S1"),
            date: TradingDate::new(2024, 3, 1),
            feed: "soup://127.0.0.1:9000".to_owned(),
        }
    }

    fn messages(first: u64, texts: &[&str]) -> Vec<u8> {
        let mut frame = Vec::new();
        begin_frame(&mut frame);
        for text in texts {
            frame.extend_from_slice(&u16::try_from(text.len()).unwrap().to_be_bytes());
            frame.extend_from_slice(text.as_bytes());
        }
        finish_messages(&mut frame, first, u32::try_from(texts.len()).unwrap());
        frame
    }

    const LINES: [&str; 3] = [
        "time,issue,event,order,server,side,price,quantity",
        "2024-03-01T09:00:00+09:00,1306,add,1,VS1,B,1000,10",
        "2024-03-01T09:00:01+09:00,1306,cancel,1,,,,",
    ];

    fn journal() -> Vec<u8> {
        let (mut gap, mut end) = (Vec::new(), Vec::new());
        put_gap(&mut gap, 3, 4);
        put_end(&mut end, 8, None);
        [&head().write()[..], &messages(1, &LINES[..2]), &gap, &messages(7, &LINES[2..]), &end].concat()
    }

    /// Writes down what comes.
    #[derive(Default, PartialEq, Debug)]
    struct Told(Vec<String>);

    impl Receiver for Told {
        fn issue(&mut self, _: IssueIndex, code: &IssueCode) {
            self.0.push(code.to_string());
        }
        fn server(&mut self, _: ServerIndex, name: &str) {
            self.0.push(name.to_owned());
        }
        fn record(&mut self, record: &RawRecord<'_>) -> Result<(), Stop> {
            self.0.push(match &record.event {
                Ok(_) => "record".to_owned(),
                Err(malformed) => malformed.found.clone(),
            });
            Ok(())
        }
        fn rest(&mut self, _: &[u8]) -> Result<(), Stop> {
            Ok(())
        }
    }

    fn told(pieces: &[&[u8]]) -> Vec<String> {
        let (mut told, mut decoder) = (Told::default(), JournalDecoder::new(Timestamp::MIN));
        for piece in pieces {
            decoder.push(piece, &mut told).unwrap();
        }
        decoder.finish(&mut told).unwrap();
        told.0
    }

    #[test]
    fn a_head_is_read_as_it_was_written_and_no_flipped_bit_passes() {
        let bytes = head().write();
        assert_eq!(Head::read(&bytes), Ok(head()));
        let pipe = Head { payload: Payload::Binary, session: None, date: None, feed: "-".to_owned() };
        assert_eq!(Head::read(&pipe.write()), Ok(pipe));
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes;
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(Head::read(&damaged).is_err(), "{bit}");
        }
    }

    #[test]
    fn every_cut_of_a_journal_says_the_same() {
        let bytes = journal();
        let expected = ["1306", "VS1", "record", "4 missing from message 3 on", "record"];
        for cut in 0..=bytes.len() {
            assert_eq!(told(&[&bytes[..cut], &bytes[cut..]]), expected, "{cut}");
        }
        assert_eq!(told(&bytes.chunks(1).collect::<Vec<_>>()), expected);
    }

    #[test]
    fn no_flipped_bit_of_a_frame_passes() {
        let bytes = messages(1, &LINES);
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            // A length that has grown waits for more; anything else is damaged.
            assert!(!matches!(Frame::read(&damaged), Ok(Some(_))), "{bit}");
        }
    }

    #[test]
    fn a_torn_tail_is_not_there_and_says_so() {
        let bytes = journal();
        let cut = told(&[&bytes[..bytes.len() - 30]]);
        assert_eq!(cut.last().map(String::as_str), Some("the end of the journal before the session's"));
        let more = told(&[&bytes, b"x"]);
        assert_eq!(more.last().map(String::as_str), Some("more bytes after the session's end"));
    }

    #[test]
    fn frames_out_of_place_are_damage() {
        let bytes = [&head().write()[..], &messages(1, &LINES[..1]), &messages(3, &LINES[1..2])].concat();
        assert_eq!(told(&[&bytes]), ["a damaged frame"]);
        let bytes = [&head().write()[..], &messages(1, &LINES[..1]), &messages(1, &LINES[..1])].concat();
        assert_eq!(told(&[&bytes]), ["a damaged frame"]);
    }
}
