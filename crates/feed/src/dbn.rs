//! Databento's DBN, schema MBO, versions 1 to 3: every order of a venue, and its status records where the file has them.
//!
//! | record | event |
//! |---|---|
//! | `A` | add; without a price a market order |
//! | `M` | replace: price and size as they are now |
//! | `C` | reduce by the size |
//! | `R` | clear of the instrument |
//! | `T`, with its `F` | trades that name the resting orders filled, and take what `C` or `M` say off them; what no order has names none |
//! | status | phase of the instrument |
//!
//! The records of an instrument up to the one marked LAST are one event, and happen at the time of that one: the book is
//! not judged between them. The time is the exchange's (`ts_event`), and of a snapshot, whose orders are of earlier days, the
//! time at which it was taken (`ts_recv`). The issue is the raw symbol that the file's head, or a symbol mapping before the record,
//! gives the instrument. Nobody is named.
//!
//! A record that is none is told with its place, and the reader goes on at the next that can be one. MAYBE_BAD_BOOK
//! marks what comes after a gap: whatever was traded since the last record is in doubt.
//!
//! Deliberately absent: schemas without single orders, and the venue's sequence numbers, of which a file of some
//! instruments has some.

mod event;
mod layout;
mod order;
mod symbols;

use crate::{FeedError, Malformed, NameTable, Place, RawRecord, Receiver, Sequence, Stop};
use event::EventRecord;
use foldhash::quality::RandomState;
use hashbrown::{HashMap, HashSet};
use layout::{HEADER_BYTES, Header, MBO_BYTES, Mbo, PRELUDE_BYTES, SENT_BYTES, TIME_UNDEFINED, flag, kind};
use order::What;
use quoteclock_model::{IssueIndex, MarketEvent, Phase, Scope, Timestamp};
use symbols::{Head, Symbol};

/// Whether an input that begins like this is a DBN file.
pub fn looks_like_dbn(first_bytes: &[u8]) -> bool {
    // No text begins so: a letter would follow.
    matches!(first_bytes, [b'D', b'B', b'N', version, ..] if *version < b' ')
}

/// Reads DBN, pushed in chunks cut anywhere. Holds the head, at most one record, the symbols, and the records of events whose last
/// one has not come yet (262,144 in all).
#[derive(Debug, Default)]
pub struct DbnDecoder {
    /// What has not been read yet.
    held: Vec<u8>,
    /// Where that begins in the stream.
    offset: u64,
    /// Once it has been read.
    has_head: bool,
    head: Head,
    instruments: HashMap<u32, Instrument, RandomState>,
    names: NameTable,
    /// Records of events without an end.
    waiting: usize,
    /// When the last snapshot was taken, in nanoseconds.
    snapshot: Option<u64>,
    /// How many gaps each publisher's channel has had.
    gaps: HashMap<(u16, u8), u64, RandomState>,
}

/// So many records wait for the end of their events at most.
const WAITING_MAX: usize = 1 << 18;
/// So many bytes without a record are told at once.
const BROKEN_MAX: usize = 1 << 16;

/// What is known of an instrument.
#[derive(Debug, Default)]
struct Instrument {
    /// Its symbol on a day.
    issue: Option<(u32, IssueIndex)>,
    publisher: Option<u16>,
    event: Vec<Waiting>,
    /// The gap of its channel after which its book was emptied.
    cleared_after: u64,
}

/// A record of an event that has not ended.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    issue: IssueIndex,
    part: EventRecord,
    bytes: [u8; MBO_BYTES],
    time: Option<Timestamp>,
}

/// What the bytes at a record's start are.
enum Found {
    /// A record of so many bytes.
    Whole(usize),
    /// It may go on.
    Unfinished,
    /// No record, for so many bytes.
    Broken(usize),
}

impl DbnDecoder {
    /// The beginning of a record that has not ended yet.
    pub fn unfinished(&self) -> &[u8] {
        &self.held
    }

    /// Reads the next `chunk` and hands over every record that ends in it.
    ///
    /// # Errors
    /// [`FeedError::Stopped`] if the receiver stops, [`FeedError::Input`] if the head cannot be read, or tells of something else
    /// than orders.
    pub fn push(&mut self, chunk: &[u8], receiver: &mut impl Receiver) -> Result<(), FeedError> {
        self.held.extend_from_slice(chunk);
        self.read(false, receiver)
    }

    /// Ends the input: a record or an event that was begun is malformed.
    ///
    /// # Errors
    /// As [`DbnDecoder::push`].
    pub fn finish(mut self, receiver: &mut impl Receiver) -> Result<(), FeedError> {
        self.read(true, receiver)?;
        if !self.has_head {
            let malformed = Malformed::field("head", b"", "the whole of the metadata before the records");
            return Err(FeedError::Input { place: Place::Byte(0), malformed });
        }
        Ok(self.give_up_events(receiver)?)
    }

    fn read(&mut self, last: bool, receiver: &mut impl Receiver) -> Result<(), FeedError> {
        if !self.has_head && !self.read_head()? {
            return Ok(());
        }
        let held = std::mem::take(&mut self.held);
        let mut at = 0;
        loop {
            let rest = held.get(at..).unwrap_or_default();
            let length = match self.find(rest, last) {
                Found::Unfinished => break,
                Found::Whole(length) => {
                    self.record(self.offset, &rest[..length], receiver)?;
                    length
                }
                Found::Broken(length) => {
                    let expected = "a record: its length in units of 4 bytes, and its type";
                    let malformed = Malformed::field("record", &rest[..length], expected);
                    unread(Place::Byte(self.offset), &rest[..length], malformed, receiver)?;
                    length
                }
            };
            at += length;
            self.offset += length as u64;
        }
        self.held.extend_from_slice(held.get(at..).unwrap_or_default());
        Ok(())
    }

    /// Reads the head, if it is there.
    fn read_head(&mut self) -> Result<bool, FeedError> {
        let refuse = |malformed| FeedError::Input { place: Place::Byte(0), malformed };
        if self.held.len() < PRELUDE_BYTES {
            return Ok(false);
        }
        let length = symbols::length(&self.held).map_err(refuse)?;
        if self.held.len() < length {
            return Ok(false);
        }
        self.head = symbols::read(&self.held[..length]).map_err(refuse)?;
        self.held.drain(..length);
        self.offset = length as u64;
        self.has_head = true;
        Ok(true)
    }

    /// What `bytes` begin with.
    fn find(&self, bytes: &[u8], last: bool) -> Found {
        match self.record_length(bytes) {
            Some(length) if length <= bytes.len() => {
                let next = &bytes[length..];
                if self.is_sound(bytes) || next.is_empty() && last || self.record_length(next).is_some() {
                    return Found::Whole(length);
                }
                if next.len() < 2 && !last {
                    return Found::Unfinished;
                }
            }
            Some(_) if !last => return Found::Unfinished,
            None if bytes.len() < 2 && !last => return Found::Unfinished,
            _ if bytes.is_empty() => return Found::Unfinished,
            _ => {}
        }
        // A record may begin at any byte: what was damaged may be shorter or longer than it was.
        let end = bytes.len().min(BROKEN_MAX);
        for at in 1..end {
            match self.may_begin(&bytes[at..]) {
                Some(true) => return Found::Broken(at),
                None if !last => return Found::Unfinished,
                _ => {}
            }
        }
        if last || bytes.len() >= BROKEN_MAX { Found::Broken(end) } else { Found::Unfinished }
    }

    /// Whether a record is one whatever follows it: otherwise it may be the start of one and the end of another.
    fn is_sound(&self, bytes: &[u8]) -> bool {
        Header(bytes).kind() != kind::MBO || self.may_begin(bytes) == Some(true)
    }

    /// The length of the record that `bytes` begin with, by its header; `None` if it is none.
    fn record_length(&self, bytes: &[u8]) -> Option<usize> {
        let header = Header(bytes.get(..2)?);
        let sent = if self.head.has_sent { SENT_BYTES } else { 0 };
        let length = header.length();
        layout::lengths(header.kind()).iter().any(|&of_kind| of_kind + sent == length).then_some(length)
    }

    /// Whether a record of a known instrument begins there; `None` if more bytes have to tell.
    fn may_begin(&self, bytes: &[u8]) -> Option<bool> {
        let &kind = bytes.get(1)?;
        let Some(length) = self.record_length(bytes).filter(|_| matches!(kind, kind::MBO | kind::STATUS)) else {
            return Some(false);
        };
        if bytes.len() < length {
            return None;
        }
        let is_known = self.head.symbols.contains_key(&Header(bytes).instrument());
        let record = Mbo(bytes);
        let is_order = b"AMCRTFN".contains(&record.action()) && b"BAN".contains(&record.side());
        Some(is_known && (kind == kind::STATUS || is_order))
    }

    fn record(&mut self, offset: u64, bytes: &[u8], receiver: &mut impl Receiver) -> Result<(), Stop> {
        let place = Place::Byte(offset);
        match Header(bytes).kind() {
            kind::MBO => self.order(place, bytes, receiver),
            kind::STATUS => self.status(place, bytes, receiver),
            kind::SYMBOL_MAPPING => self.symbol_mapping(place, bytes, receiver),
            kind::ERROR => {
                let text = bytes.get(HEADER_BYTES..).unwrap_or_default();
                let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
                let expected = "no message of an error: what was sent after it is not known to be all";
                unread(place, bytes, Malformed::field("record", text, expected), receiver)
            }
            _ => Ok(()),
        }
    }

    /// The issue of a record that was received at `received`.
    fn issue(
        &mut self,
        header: Header<'_>,
        received: u64,
        receiver: &mut impl Receiver,
    ) -> Result<IssueIndex, Malformed> {
        let (number, day) = (header.instrument(), symbols::day_of(received));
        let text = number.to_string();
        let unknown = || {
            let expected = "an instrument that the head, or a symbol mapping, gives a symbol on that day";
            Malformed::field("instrument_id", text.as_bytes(), expected)
        };
        let symbols = self.head.symbols.get(&number).ok_or_else(unknown)?;
        let instrument = self.instruments.entry(number).or_default();
        let issue = match instrument.issue {
            Some((known, issue)) if known == day => issue,
            _ => {
                let on_day = symbols.iter().find(|symbol| symbol.days.contains(&day));
                // One that has only ever had one name has it before and after, too.
                let only = symbols.first().filter(|first| symbols.iter().all(|symbol| symbol.name == first.name));
                let name = &on_day.or(only).ok_or_else(unknown)?.name;
                let expected = "an issue's code: 1 to 32 visible ASCII characters, no comma or quote";
                let issue = self.names.issue(name, receiver);
                let issue = issue.ok_or_else(|| Malformed::field("symbol", name, expected))?;
                instrument.issue = Some((day, issue));
                issue
            }
        };
        let publisher = *instrument.publisher.get_or_insert(header.publisher());
        if publisher != header.publisher() {
            let expected = "the publisher of the instrument's records before: orders of one venue";
            return Err(Malformed::field("publisher_id", header.publisher().to_string().as_bytes(), expected));
        }
        Ok(issue)
    }

    /// When a record counts, in nanoseconds.
    fn time(&mut self, record: Mbo<'_>) -> Result<u64, Malformed> {
        let (event, received) = (Header(record.0).ts_event(), record.ts_recv());
        let is_snapshot = record.has(flag::SNAPSHOT);
        let time = if is_snapshot || event == TIME_UNDEFINED { received } else { event };
        if time == TIME_UNDEFINED {
            return Err(Malformed::field(if is_snapshot { "ts_recv" } else { "ts_event" }, b"", "a time"));
        }
        if is_snapshot {
            self.snapshot = self.snapshot.max(Some(time));
            return Ok(time);
        }
        // What the exchange did just before a snapshot was taken arrives after it.
        Ok(match self.snapshot {
            Some(snapshot) if time < snapshot && snapshot - time <= ARRIVES_WITHIN => snapshot,
            _ => time,
        })
    }

    fn order(&mut self, place: Place, bytes: &[u8], receiver: &mut impl Receiver) -> Result<(), Stop> {
        let record = Mbo(bytes);
        let header = Header(bytes);
        let time = self.time(record);
        let received = if record.ts_recv() == TIME_UNDEFINED { header.ts_event() } else { record.ts_recv() };
        let issue = self.issue(header, received, receiver);
        if record.has(flag::MAYBE_BAD_BOOK) && self.is_new_gap(record) {
            let expected = "a book without a gap in its channel before it (MAYBE_BAD_BOOK)";
            let found = record.flags().to_string();
            unread(place, &[], Malformed::field("flags", found.as_bytes(), expected), receiver)?;
        }
        let ts_event = time.as_ref().ok().map(|&nanos| timestamp(nanos));
        let scope = issue.as_ref().ok().map(|&issue| Scope::Issue(issue));
        let what = time.and_then(|_| issue.and_then(|issue| Ok((issue, order::read(record)?))));
        let mut malformed = None;
        let part = match what {
            Ok((_, What::Nothing)) => None,
            Ok((_, what)) => Some(EventRecord { place, what }),
            Err(problem) => {
                malformed = Some(problem);
                None
            }
        };
        if let Some(EventRecord { what: What::Clear, .. }) = part {
            self.note_clear(record);
        }
        if let Some(scope @ Scope::Issue(issue)) = scope {
            let waiting = part.map(|part| Waiting { issue, part, bytes: layout::array(bytes, 0), time: ts_event });
            self.take(record, waiting, ts_event, receiver)?;
            if malformed.is_none() && WAITING_MAX <= self.waiting {
                let expected = "the end of an event (LAST) within 262144 records";
                let found = record.flags().to_string();
                let event = Err(Malformed::field("flags", found.as_bytes(), expected));
                receiver.record(&RawRecord { ts_event, scope: Some(scope), event, ..unread_record(place, &[]) })?;
                self.release_all(receiver)?;
            }
        }
        match malformed {
            None => Ok(()),
            Some(problem) => {
                receiver.record(&RawRecord { ts_event, scope, event: Err(problem), ..unread_record(place, bytes) })
            }
        }
    }

    /// Whether a record that marks a gap is the first to tell of it.
    fn is_new_gap(&mut self, record: Mbo<'_>) -> bool {
        let header = Header(record.0);
        let gaps = self.gaps.entry((header.publisher(), record.channel())).or_default();
        let instrument = self.instruments.get(&header.instrument());
        let is_new = *gaps == 0 || instrument.is_some_and(|instrument| instrument.cleared_after == *gaps);
        if is_new {
            *gaps += 1;
        }
        is_new
    }

    /// Takes note that an instrument's book starts anew.
    fn note_clear(&mut self, record: Mbo<'_>) {
        let header = Header(record.0);
        let gaps = self.gaps.get(&(header.publisher(), record.channel())).copied().unwrap_or_default();
        if let Some(instrument) = self.instruments.get_mut(&header.instrument()) {
            instrument.cleared_after = gaps;
        }
    }

    /// Takes a record into the event of its instrument, which is handed over if that was the last.
    fn take(
        &mut self,
        record: Mbo<'_>,
        waiting: Option<Waiting>,
        time: Option<Timestamp>,
        receiver: &mut impl Receiver,
    ) -> Result<(), Stop> {
        let Some(instrument) = self.instruments.get_mut(&Header(record.0).instrument()) else { return Ok(()) };
        let is_last = record.has(flag::LAST);
        if is_last && instrument.event.is_empty() {
            return waiting.map_or(Ok(()), |only| hand_over(&[only], time, receiver));
        }
        self.waiting += usize::from(waiting.is_some());
        instrument.event.extend(waiting);
        if !is_last {
            return Ok(());
        }
        let event = std::mem::take(&mut instrument.event);
        self.waiting -= event.len();
        hand_over(&event, time, receiver)
    }

    /// Hands over what waits, as if each event had ended.
    fn release_all(&mut self, receiver: &mut impl Receiver) -> Result<(), Stop> {
        for event in self.begun() {
            hand_over(&event, None, receiver)?;
        }
        Ok(())
    }

    /// The events that have begun, in the order of their first records; none waits any more.
    fn begun(&mut self) -> Vec<Vec<Waiting>> {
        self.waiting = 0;
        let begun = self.instruments.values_mut().map(|instrument| std::mem::take(&mut instrument.event));
        let mut begun: Vec<Vec<Waiting>> = begun.filter(|event| !event.is_empty()).collect();
        begun.sort_by_key(|event| event[0].part.place);
        begun
    }

    /// Events that the end of the input has cut off.
    fn give_up_events(&mut self, receiver: &mut impl Receiver) -> Result<(), Stop> {
        for event in self.begun() {
            let found = format!("the end of the input after {} of an event's records", event.len());
            let malformed = Malformed { field: "record", found, expected: "all of the event, up to its LAST" };
            let first = &event[0];
            receiver.record(&RawRecord {
                ts_event: first.time,
                scope: Some(Scope::Issue(first.issue)),
                event: Err(malformed),
                ..unread_record(first.part.place, &first.bytes)
            })?;
        }
        Ok(())
    }

    /// A status record: the phase of its instrument.
    fn status(&mut self, place: Place, bytes: &[u8], receiver: &mut impl Receiver) -> Result<(), Stop> {
        let header = Header(bytes);
        let (event, received) = (header.ts_event(), layout::u64_at(bytes, HEADER_BYTES));
        let nanos = if event == TIME_UNDEFINED { received } else { event };
        let issue = self.issue(header, if received == TIME_UNDEFINED { event } else { received }, receiver);
        let scope = issue.as_ref().ok().map(|&issue| Scope::Issue(issue));
        let action = layout::u16_at(bytes, HEADER_BYTES + 8);
        let phase = match action {
            // Nothing, and restrictions of short sales.
            0 | 14 => return Ok(()),
            7 => Ok(Phase::Continuous),
            // Quotes without trades.
            3 => Ok(Phase::SpecialQuote),
            1 | 2 | 4 | 5 | 6 | 11 => Ok(Phase::Auction),
            8 | 9 | 10 | 15 => Ok(Phase::Halt),
            12 | 13 => Ok(Phase::Closed),
            other => Err(Malformed::field("action", other.to_string().as_bytes(), "a status from 0 to 15")),
        };
        let ts_event = (nanos != TIME_UNDEFINED).then(|| timestamp(nanos));
        let timed = ts_event.ok_or_else(|| Malformed::field("ts_event", b"", "a time"));
        let event = timed
            .and_then(|_| issue.and_then(|issue| Ok(MarketEvent::Phase { scope: Scope::Issue(issue), phase: phase? })));
        receiver.record(&RawRecord { ts_event, scope, event, ..unread_record(place, bytes) })
    }

    /// An instrument gets its symbol on the way, as in a recorded session.
    fn symbol_mapping(&mut self, place: Place, bytes: &[u8], receiver: &mut impl Receiver) -> Result<(), Stop> {
        let sent = if self.head.has_sent { SENT_BYTES } else { 0 };
        // What was asked for, and what it is called.
        let symbol = match bytes.len() - sent {
            80 => bytes.get(38..60),
            _ => bytes.get(89..160),
        };
        let name = symbol.unwrap_or_default().split(|&byte| byte == 0).next().unwrap_or_default();
        let number = Header(bytes).instrument();
        let symbols = &mut self.head.symbols;
        if !symbols.contains_key(&number) && NameTable::ISSUES_MAX <= symbols.len() {
            let malformed = Malformed::field("record", name, "symbols of at most 262144 instruments");
            return unread(place, bytes, malformed, receiver);
        }
        symbols.insert(number, vec![Symbol { days: 0..u32::MAX, name: name.into() }]);
        if let Some(instrument) = self.instruments.get_mut(&number) {
            instrument.issue = None;
        }
        Ok(())
    }
}

/// What happened up to a second before a snapshot may arrive after it, in nanoseconds.
const ARRIVES_WITHIN: u64 = 1_000_000_000;

/// Nanoseconds, floored to the microsecond.
fn timestamp(nanos: u64) -> Timestamp {
    Timestamp::from_micros(i64::try_from(nanos / 1000).unwrap_or(i64::MAX))
}

/// Hands over an event, at the time of its last record; if that cannot be read, of the last that can.
fn hand_over(event: &[Waiting], time: Option<Timestamp>, receiver: &mut impl Receiver) -> Result<(), Stop> {
    let Some(first) = event.first() else { return Ok(()) };
    let ts_event = time.or_else(|| event.iter().rev().find_map(|waiting| waiting.time));
    let parts: Vec<EventRecord> = event.iter().map(|waiting| waiting.part).collect();
    let mut shown = HashSet::<usize, RandomState>::default();
    for (record, told) in event::told(first.issue, &parts) {
        let Waiting { part, bytes, .. } = &event[record];
        // What a record of several trades holds is handed over once.
        let bytes: &[u8] = if shown.insert(record) { bytes } else { &[] };
        let scope = Some(told.scope());
        receiver.record(&RawRecord { ts_event, scope, event: Ok(told), ..unread_record(part.place, bytes) })?;
    }
    Ok(())
}

/// A record of which nothing has been read yet.
fn unread_record(place: Place, bytes: &[u8]) -> RawRecord<'_> {
    let event = Err(Malformed::field("record", &[], "a record that can be read"));
    RawRecord { place, bytes, ts_event: None, sequence: Sequence::Absent, scope: None, also: None, event }
}

/// Hands over bytes of which nothing can be read.
fn unread(place: Place, bytes: &[u8], malformed: Malformed, receiver: &mut impl Receiver) -> Result<(), Stop> {
    receiver.record(&RawRecord { event: Err(malformed), ..unread_record(place, bytes) })
}

#[cfg(test)]
mod tests;
