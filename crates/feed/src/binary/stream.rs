//! The binary form message by message, as a session carries it: the file's head, then names and records, each a message
//! of its own, in the original order.
//!
//! Nothing is grouped and nothing carries a checksum: the session numbers its messages, and whoever keeps them checks
//! what it has kept. A record is the slot of a file (or two) behind its time, so that both forms share their reading; the
//! number of its issue, which a file leaves to the group, stands where a file counts microseconds.
//! Deliberately absent: sequence numbers of the source; the session's own take their place.

use super::Header;
use super::deliver::damage;
use super::dictionary::{self, Dictionary};
use super::layout::{FILE_HEAD_BYTES, FileHead, MARKET, SLOT_BYTES};
use super::slot::EventSlot;
use crate::record::{check_writable, unwritable};
use crate::{EventWriter, FeedError, Malformed, MessageState, Place, RawRecord, Receiver, Sequence, Stop};
use quoteclock_model::{IssueCode, IssueIndex, Record, Scope, SequenceNo, ServerIndex, Timestamp, is_name};
use std::io;
use zerocopy::{FromBytes, IntoBytes};

/// Bytes of a record's time, before its slot.
const TIME_BYTES: usize = 8;
/// A record without and with an extension.
const RECORD_BYTES: [usize; 2] = [TIME_BYTES + SLOT_BYTES, TIME_BYTES + 2 * SLOT_BYTES];
/// Where the highest byte of a record's time stands.
const TIME_TOP: usize = TIME_BYTES - 1;
/// Highest bytes that no time of a calendar has. A name of the length of a record has one of them there.
const NEVER_A_TIME: std::ops::RangeInclusive<u8> = 0x04..=0xfb;

/// Reads the binary form message by message.
#[derive(Debug, Default)]
pub struct MessageDecoder {
    header: Option<Header>,
    dictionary: Dictionary,
    /// Whether messages have been lost: names among them would shift the numbers of those that follow.
    names_lost: bool,
    /// Bytes of all messages so far.
    offset: u64,
}

impl MessageDecoder {
    /// What the first message says of the day, once it has been there.
    pub fn header(&self) -> Option<&Header> {
        self.header.as_ref()
    }

    /// What the decoder knows.
    pub fn save(&self) -> MessageState {
        let [issues, servers] = self.dictionary.save();
        MessageState { header: self.header, issues, servers, names_lost: self.names_lost, offset: self.offset }
    }

    /// The decoder as it was when `state` was saved; `None` if that is not one of a decoder.
    pub fn restore(state: &MessageState) -> Option<MessageDecoder> {
        let dictionary = Dictionary::restore(&state.issues, &state.servers)?;
        let &MessageState { header, names_lost, offset, .. } = state;
        Some(MessageDecoder { header, dictionary, names_lost, offset })
    }

    /// Takes note that messages are missing before the next one. Numbers of names that come later are not certain any
    /// more: whatever uses one of those names no issue.
    pub fn lost(&mut self) {
        self.names_lost = true;
    }

    /// Takes one message.
    ///
    /// # Errors
    /// [`FeedError::Input`] if the first message is no file head of this form; [`FeedError::Stopped`] if the receiver
    /// stops.
    pub fn message(&mut self, message: &[u8], receiver: &mut impl Receiver) -> Result<(), FeedError> {
        let place = Place::Byte(self.offset);
        self.offset += message.len() as u64;
        if self.header.is_none() {
            let header = match message.len() {
                FILE_HEAD_BYTES => FileHead::read(message),
                _ => Err(Malformed::field("header", message, "the 64 bytes of a file head as the first message")),
            };
            self.header = Some(header.map_err(|malformed| FeedError::Input { place, malformed })?);
            return Ok(());
        }
        if is_record(message) {
            return Ok(self.record(place, message, receiver)?);
        }
        let defined = if self.names_lost {
            dictionary::check_name(message)
        } else {
            self.dictionary.define_one(message, receiver)
        };
        match defined {
            Ok(()) => Ok(()),
            Err(malformed) => {
                // Whether it has taken a number cannot be told.
                self.names_lost = true;
                Ok(receiver.record(&damage(place, message, None, false, malformed))?)
            }
        }
    }

    fn record(&mut self, place: Place, message: &[u8], receiver: &mut impl Receiver) -> Result<(), Stop> {
        let (time, slots) = message.split_at(TIME_BYTES);
        let micros = i64::from_le_bytes(time.try_into().unwrap_or_default());
        let slots = <[EventSlot]>::ref_from_bytes(slots).unwrap_or_default();
        let (Some(slot), extension) = (slots.first(), slots.get(1)) else {
            let malformed = Malformed::field("record", message, "a time and a record");
            return receiver.record(&damage(place, message, None, false, malformed));
        };
        let scope = match slot.micros() {
            MARKET => Some(Scope::Market),
            issue => self.dictionary.issue(issue).map(Scope::Issue),
        };
        let event = match scope {
            Some(scope) => slot.event(extension, scope, |server| self.dictionary.server(server)),
            None => Err(Malformed::field(
                "issue",
                &slot.micros().to_le_bytes(),
                "the number of an issue that has been named",
            )),
        };
        let scope = scope.filter(|&scope| scope != Scope::Market || event.is_ok());
        let ts_event = Some(Timestamp::from_micros(micros));
        receiver.record(&RawRecord {
            place,
            bytes: message,
            ts_event,
            sequence: Sequence::Absent,
            scope,
            also: None,
            event,
        })
    }
}

/// Writes the binary form message by message. NumberedNames are numbered in the order of their first use.
#[derive(Debug)]
pub struct MessageWriter<F> {
    /// Takes each message.
    take: F,
    issues: NumberedNames<IssueCode>,
    servers: NumberedNames<Box<str>>,
    message: Vec<u8>,
}

/// NumberedNames announced, each with the number that it has in the messages once it has been used.
#[derive(Debug)]
struct NumberedNames<T> {
    known: Vec<Option<(T, Option<u32>)>>,
    used: u32,
}

impl<T> Default for NumberedNames<T> {
    fn default() -> NumberedNames<T> {
        NumberedNames { known: Vec::new(), used: 0 }
    }
}

impl<T> NumberedNames<T> {
    fn announce(&mut self, index: usize, name: T) {
        if self.known.len() <= index {
            self.known.resize_with(index + 1, || None);
        }
        self.known[index] = Some((name, None));
    }

    /// The number of a name, and the name if it has just got it.
    fn number(&mut self, index: usize) -> Option<(u32, Option<&T>)> {
        let (name, number) = self.known.get_mut(index)?.as_mut()?;
        if let Some(number) = *number {
            return Some((number, None));
        }
        let next = self.used;
        (*number, self.used) = (Some(next), next.checked_add(1)?);
        Some((next, Some(name)))
    }
}

impl<F: FnMut(Option<Timestamp>, &[u8]) -> io::Result<()>> MessageWriter<F> {
    /// A writer whose messages `take` gets, each with the time of its record if it is one; the head is the first.
    ///
    /// # Errors
    /// Those of `take`.
    pub fn new(header: &Header, mut take: F) -> io::Result<MessageWriter<F>> {
        take(None, &FileHead::write(&Header { has_sequence: false, ..*header }))?;
        Ok(MessageWriter {
            take,
            issues: NumberedNames::default(),
            servers: NumberedNames::default(),
            message: Vec::new(),
        })
    }

    fn issue_number(&mut self, index: IssueIndex) -> io::Result<u32> {
        let unknown = || unwritable(format!("an event of issue {}, which has not been announced", index.0));
        let (number, new) = self.issues.number(index.index()).ok_or_else(unknown)?;
        if let Some(code) = new {
            self.message.clear();
            dictionary::write_issue(&mut self.message, code.as_str());
            (self.take)(None, &self.message)?;
        }
        Ok(number)
    }

    fn server_number(&mut self, index: ServerIndex) -> io::Result<u32> {
        let unknown = || unwritable(format!("an event of server {}, which has not been announced", index.0));
        let (number, new) = self.servers.number(index.index()).ok_or_else(unknown)?;
        if let Some(name) = new {
            self.message.clear();
            dictionary::write_server(&mut self.message, name);
            (self.take)(None, &self.message)?;
        }
        Ok(number)
    }
}

impl<F: FnMut(Option<Timestamp>, &[u8]) -> io::Result<()>> EventWriter for MessageWriter<F> {
    fn issue(&mut self, index: IssueIndex, code: &IssueCode) -> io::Result<()> {
        self.issues.announce(index.index(), code.clone());
        Ok(())
    }

    fn server(&mut self, index: ServerIndex, name: &str) -> io::Result<()> {
        if !is_name(name) {
            return Err(unwritable(format!(
                "a server's name {name:?}, not of 1 to 128 characters without control characters"
            )));
        }
        self.servers.announce(index.index(), name.into());
        let mut message = Vec::new();
        dictionary::write_server(&mut message, name);
        if is_record(&message) {
            return Err(unwritable(format!("the server's name {name:?} in a message: it could be a record")));
        }
        Ok(())
    }

    fn event(&mut self, _: Option<SequenceNo>, record: &Record) -> io::Result<()> {
        check_writable(&record.event)?;
        let issue = match record.event.scope() {
            Scope::Market => MARKET,
            Scope::Issue(index) => self.issue_number(index)?,
        };
        let server = record.event.server().map(|server| self.server_number(server)).transpose()?;
        let (slot, extension) = EventSlot::write(&record.event, server, 0, issue);
        self.message.clear();
        self.message.extend_from_slice(&record.ts_event.as_micros().to_le_bytes());
        self.message.extend_from_slice(slot.as_bytes());
        if let Some(extension) = extension {
            self.message.extend_from_slice(extension.as_bytes());
        }
        if !is_record(&self.message) {
            return Err(unwritable("a time beyond the calendar"));
        }
        (self.take)(Some(record.ts_event), &self.message)
    }

    fn finish(self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether a message is a record: by its length, and by the highest byte of a time, which a name has in no place.
fn is_record(message: &[u8]) -> bool {
    RECORD_BYTES.contains(&message.len()) && message.get(TIME_TOP).is_some_and(|top| !NEVER_A_TIME.contains(top))
}
