//! Chunks of lines read before their turn: a line begins after a line end, whatever stands before it.

use super::{CsvDecoder, WINDOW, fast};
use crate::binary::EventSlot;
use crate::name_table::KnownNames;
use crate::scout::{Scouted, Stretch, TakeScouted};
use crate::text::TimeReader;
use crate::{CompactRecord, FeedError, Place, Receiver, Sequence};
use memchr::memchr;
use quoteclock_model::{MarketEvent, OrderAction, Scope, SequenceNo, Timestamp};
use std::ops::Range;

/// Reads chunks of CSV before their turn: see [`CsvDecoder::scout`].
#[derive(Debug)]
pub struct CsvScout {
    has_seq: bool,
    times: TimeReader,
    names: KnownNames,
}

/// A line that has been read.
struct Line {
    record: CompactRecord,
    time: Timestamp,
    sequence: Option<SequenceNo>,
    bytes: Range<usize>,
}

impl CsvScout {
    /// Reads what it can of `chunk`, cut anywhere.
    pub fn read(&self, chunk: &[u8], scouted: &mut Scouted) {
        scouted.clear(Timestamp::MIN);
        scouted.records.clear();
        let mut times = self.times.clone();
        let (mut at, mut last) = (memchr(b'\n', chunk).map_or(chunk.len(), |end| end + 1), Timestamp::MIN);
        let mut is_cut = true;
        while at < chunk.len() {
            if let Some(line) = self.line(chunk, at, &times) {
                at = line.bytes.end;
                if is_cut || !follows(scouted, line.sequence) {
                    begin(scouted, &line);
                    is_cut = false;
                    last = line.time;
                }
                add(scouted, &line, last);
                last = line.time;
                continue;
            }
            // It is read in its turn. Its time may be the first of a minute.
            is_cut = true;
            let Some(end) = memchr(b'\n', &chunk[at..]) else { return };
            let time = chunk[at..at + end].split(|&byte| byte == b',').nth(usize::from(self.has_seq));
            time.and_then(|time| times.read(time));
            at += end + 1;
        }
    }

    /// The line at `at`, if it is one of the fast path and its event one of 32 bytes.
    #[inline]
    fn line(&self, chunk: &[u8], at: usize, times: &TimeReader) -> Option<Line> {
        let window: &[u8; WINDOW] = chunk[at..].first_chunk()?;
        let line = fast::read(window, self.has_seq, Place::Line(0), times, &self.names)?;
        let (Ok(event), Some(Scope::Issue(issue)), Some(time)) =
            (line.record.event, line.record.scope, line.record.ts_event)
        else {
            return None;
        };
        let server = match event {
            MarketEvent::Order { action: OrderAction::Add { server: Some(server), .. }, .. } => Some(server.0),
            _ => None,
        };
        let (slot, None) = EventSlot::write(&event, server, 0, 0) else { return None };
        let sequence = match line.record.sequence {
            Sequence::Given(number) => Some(number),
            Sequence::Absent | Sequence::Unreadable => None,
        };
        let record = CompactRecord { slot, micros: 0, issue, at: u32::try_from(at).ok()? };
        Some(Line { record, time, sequence, bytes: at..at + line.bytes })
    }
}

/// Whether a line of that number goes on with the last stretch.
#[inline]
fn follows(scouted: &Scouted, sequence: Option<SequenceNo>) -> bool {
    let Some(stretch) = scouted.stretches.last() else { return false };
    let expected = |SequenceNo(first): SequenceNo| first.checked_add(stretch.records.len() as u64).map(SequenceNo);
    sequence == stretch.sequence.and_then(expected)
}

/// Begins a stretch with a line.
#[cold]
fn begin(scouted: &mut Scouted, line: &Line) {
    let Line { sequence, ref bytes, .. } = *line;
    let count = scouted.records.len();
    if count == 0 {
        scouted.origin = line.time;
    }
    let (records, bytes) = (count..count, bytes.start..bytes.start);
    let in_order = scouted.origin <= line.time;
    scouted.stretches.push(Stretch { records, bytes, sequence, in_order });
}

/// Adds a line to the last stretch, after one of the time `last`.
#[inline]
fn add(scouted: &mut Scouted, line: &Line, last: Timestamp) {
    let micros = line.time.as_micros().wrapping_sub(scouted.origin.as_micros()).cast_unsigned();
    scouted.records.push(CompactRecord { micros, ..line.record });
    if let Some(stretch) = scouted.stretches.last_mut() {
        stretch.records.end += 1;
        stretch.bytes.end = line.bytes.end;
        stretch.in_order &= last <= line.time;
    }
}

impl CsvDecoder {
    /// Whoever reads chunks before their turn, knowing what this decoder knows by now; `None` where no line goes by the fast
    /// path.
    pub fn scout(&self) -> Option<CsvScout> {
        let columns = self.columns.as_ref().filter(|columns| columns.are_in_order)?;
        let (times, names) = (self.parser.times.clone(), self.parser.names.known().clone());
        Some(CsvScout { has_seq: columns.has_seq, times, names })
    }

    /// Whether `scout` knows all names that this decoder knows.
    pub fn is_known_to(&self, scout: &CsvScout) -> bool {
        self.parser.names.known().count() == scout.names.count()
    }

    /// As [`CsvDecoder::push`] of the next `chunk`, of which a scout of this decoder has read something already.
    ///
    /// # Errors
    /// As [`CsvDecoder::push`].
    pub fn push_scouted(
        &mut self,
        chunk: &[u8],
        scouted: &Scouted,
        receiver: &mut impl Receiver,
    ) -> Result<(), FeedError> {
        self.take(chunk, scouted, receiver)
    }
}

impl TakeScouted for CsvDecoder {
    fn push(&mut self, chunk: &[u8], receiver: &mut impl Receiver) -> Result<(), FeedError> {
        CsvDecoder::push(self, chunk, receiver)
    }

    fn is_between_records(&self) -> bool {
        self.partial.is_empty() && !self.oversized
    }

    fn start(&self, _: u32) -> Place {
        Place::Line(self.line + 1)
    }

    fn pass_over(&mut self, records: usize, _: usize) {
        self.line += records as u64;
    }
}
