//! The events of an input as whoever reads wants them, some at a time.

use crate::chunks::{ChunkError, Chunks};
use crate::convert::{Beginning, ConvertError, RecordProblem, begin};
use crate::format::Decoder;
use crate::input::Input;
use crate::stored::UNWATCHED;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use quoteclock_feed::{FeedError, Malformed, Place, RawRecord, Receiver, Sequence, Stop, UtcOffset};
use quoteclock_model::{IssueCode, IssueIndex, MarketEvent, Scope, SequenceNo, ServerIndex, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One event as an input tells it, in whatever form.
#[derive(Clone, PartialEq, Debug)]
pub struct InputEvent {
    /// Its sequence number, where the input has them.
    pub sequence: Option<SequenceNo>,
    /// Exchange time, floored to the microsecond.
    pub ts_event: Timestamp,
    /// The code of its issue; `None` where it concerns the whole market, or the input tells the code later: see
    /// [`MarketEvent::scope`].
    pub issue: Option<IssueCode>,
    /// The virtual server that it names.
    pub server: Option<Arc<str>>,
    /// What happened; its indices are those of the input.
    pub event: MarketEvent,
}

/// The events of an input, some at a time. No book is kept: an execution whose price the source leaves to the book has none.
pub struct InputEvents {
    chunks: Chunks<'static>,
    /// `None` once the input has ended.
    decoder: Option<Decoder>,
    offset: UtcOffset,
    /// The input's name in messages about its bytes.
    file: String,
    read: Read,
}

impl InputEvents {
    /// Opens `input`; `date` is that of its records and `zone` that of times which count from midnight, where it does not say
    /// so itself.
    ///
    /// # Errors
    /// [`ConvertError`] if it is no input of events.
    pub fn open(input: &Input, date: Option<Date>, zone: &TimeZone) -> Result<InputEvents, ConvertError> {
        let Beginning { chunks, format, midnight, probe, .. } = begin(input, date, zone, UNWATCHED)?;
        // What is counted in a compressed input are the bytes that come out of it.
        let within = if chunks.compression().is_some() { ", decompressed" } else { "" };
        let file = format!("{}{within}", input.name());
        let decoder = Some(Decoder::new(format, midnight));
        Ok(InputEvents { chunks, decoder, offset: probe.offset, file, read: Read::default() })
    }

    /// The offset from UTC of the input's own times.
    pub fn offset(&self) -> UtcOffset {
        self.offset
    }

    /// The next events, at least one; none at the end of the input.
    ///
    /// # Errors
    /// [`ConvertError`] at the first record that cannot be read; the events before it have been given then.
    pub fn next_events(&mut self) -> Result<Vec<InputEvent>, ConvertError> {
        while self.read.events.is_empty() && self.read.problem.is_none() && self.decoder.is_some() {
            self.read_on()?;
        }
        if self.read.events.is_empty()
            && let Some((place, problem)) = self.read.problem.take()
        {
            self.decoder = None;
            return Err(ConvertError::Record { file: self.file.clone(), place, problem });
        }
        Ok(std::mem::take(&mut self.read.events))
    }

    fn read_on(&mut self) -> Result<(), ConvertError> {
        let file = || self.file.clone();
        let pushed = match self.chunks.next() {
            Ok([]) => match self.decoder.take() {
                Some(decoder) => decoder.finish(&mut self.read),
                None => Ok(()),
            },
            Ok(chunk) => match &mut self.decoder {
                Some(decoder) => decoder.push(chunk, &mut self.read),
                None => Ok(()),
            },
            Err(ChunkError::Io(source)) => return Err(ConvertError::Read { file: file(), source }),
            Err(ChunkError::Stopped) => return Err(ConvertError::Stopped { file: file() }),
            Err(ChunkError::Broken { problem, .. }) => {
                let place = Place::Byte(self.chunks.offset());
                return Err(ConvertError::Damaged { file: file(), problem: format!("{place}: {problem}") });
            }
        };
        match pushed {
            Ok(()) | Err(FeedError::Stopped) => Ok(()),
            Err(source) => Err(ConvertError::Feed { file: file(), source }),
        }
    }
}

/// Takes events and the names that they use.
#[derive(Default)]
struct Read {
    issues: BTreeMap<IssueIndex, IssueCode>,
    servers: BTreeMap<ServerIndex, Arc<str>>,
    events: Vec<InputEvent>,
    problem: Option<(Place, RecordProblem)>,
}

impl Receiver for Read {
    fn issue(&mut self, index: IssueIndex, code: &IssueCode) {
        self.issues.insert(index, code.clone());
    }

    fn server(&mut self, index: ServerIndex, name: &str) {
        self.servers.insert(index, name.into());
    }

    fn record(&mut self, record: &RawRecord<'_>) -> Result<(), Stop> {
        let (event, ts_event) = match (&record.event, record.ts_event) {
            (Ok(event), Some(ts_event)) => (*event, ts_event),
            (event, _) => {
                let malformed = event.clone().err();
                let malformed = malformed.unwrap_or_else(|| Malformed::field("time", b"", "a time"));
                self.problem = Some((record.place, malformed.into()));
                return Err(Stop);
            }
        };
        let issue = match event.scope() {
            Scope::Issue(index) => self.issues.get(&index).cloned(),
            Scope::Market => None,
        };
        let sequence = match record.sequence {
            Sequence::Given(number) => Some(number),
            Sequence::Absent | Sequence::Unreadable => None,
        };
        let server = event.server().and_then(|server| self.servers.get(&server).cloned());
        self.events.push(InputEvent { sequence, ts_event, issue, server, event });
        Ok(())
    }

    fn rest(&mut self, _: &[u8]) -> Result<(), Stop> {
        Ok(())
    }
}
