//! The events of an input as whoever reads wants them, some at a time.

use crate::beside::Beside;
use crate::convert::{ConvertError, RecordProblem, begin};
use crate::input::Input;
use crate::joined::{Clash, Joined};
use crate::merge::{self, Reader};
use crate::run::DecodeError;
use crate::stored::UNWATCHED;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use quoteclock_engine::InputRun;
use quoteclock_feed::{FeedError, Malformed, Place, RawRecord, Receiver, Sequence, Stop, UtcOffset};
use quoteclock_model::{IssueCode, IssueIndex, MarketEvent, Scope, SequenceNo, ServerIndex, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One event as an input tells it, in whatever form.
///
/// ```
/// use jiff::tz::TimeZone;
/// use quoteclock_replay::{Beside, Input, InputEvents};
///
/// let input = Input::named("../../replay-data/tse-small/2024-03-01.csv".as_ref());
/// let mut events = InputEvents::open(&input, &Beside::default(), None, &TimeZone::UTC)?;
/// let first = events.next_events()?.remove(0);
/// assert_eq!(first.sequence.map(|number| number.0), Some(1));
/// assert!(first.issue.is_none() && first.server.is_none(), "the phase of the whole market");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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

/// The events of an input, and of what is given beside it, some at a time. No book is kept: an execution whose price the source
/// leaves to the book has none.
///
/// ```
/// use jiff::tz::TimeZone;
/// use quoteclock_replay::{Beside, Input, InputEvents};
///
/// let input = Input::named("../../replay-data/tse-small/2024-03-01.csv".as_ref());
/// let mut events = InputEvents::open(&input, &Beside::default(), None, &TimeZone::UTC)?;
/// let mut count = 0;
/// loop {
///     let some = events.next_events()?;
///     if some.is_empty() {
///         break;
///     }
///     count += some.len();
/// }
/// assert!(100 < count);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct InputEvents {
    readers: Vec<Reader<'static>>,
    /// The inputs' names in messages about their bytes.
    files: Vec<String>,
    joined: Joined<Read>,
    offset: UtcOffset,
    /// What ends it once the events before have been given.
    failed: Option<ConvertError>,
    has_ended: bool,
}

impl InputEvents {
    /// Opens `input`; `date` is that of its records and `zone` that of times which count from midnight, where it does not say
    /// so itself. What is given `beside` it is merged by time; sequence numbers are those of each input.
    ///
    /// # Errors
    /// [`ConvertError`] if one of them is no input of events.
    pub fn open(
        input: &Input,
        beside: &Beside,
        date: Option<Date>,
        zone: &TimeZone,
    ) -> Result<InputEvents, ConvertError> {
        let inputs = beside.with(input);
        let date = date.or_else(|| inputs.iter().find_map(|input| input.date_of_name()));
        let (mut readers, mut files, mut offsets) = (Vec::new(), Vec::new(), Vec::new());
        for input in inputs {
            let beginning = begin(input, date, zone, UNWATCHED)?;
            // What is counted in a compressed input are the bytes that come out of it.
            let within = if beginning.chunks.compression().is_some() { ", decompressed" } else { "" };
            files.push(format!("{}{within}", input.name()));
            offsets.push(beginning.probe.offset);
            readers.push(beginning.into_reader());
        }
        let joined = Joined::new(Read::default(), beside.parts(), beside.own_orders.clone());
        Ok(InputEvents { readers, files, joined, offset: offsets[0], failed: None, has_ended: false })
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
        while self.joined.run.events.len() < EVENTS_AT_ONCE && !self.has_ended {
            match merge::merge_on(&mut self.readers, &mut self.joined) {
                Ok(is_on) => self.has_ended = !is_on,
                Err((input, error)) => {
                    self.has_ended = true;
                    self.failed = self.why(input, error);
                }
            }
        }
        let events = std::mem::take(&mut self.joined.run.events);
        if events.is_empty() { self.failed.take().map_or(Ok(events), Err) } else { Ok(events) }
    }

    /// Why it has ended, where that is not as it should be.
    fn why(&mut self, input: usize, error: DecodeError) -> Option<ConvertError> {
        let file = self.files[input].clone();
        match (self.joined.run.problem.take(), error) {
            (Some(Problem::Damaged(place, problem)), _) => {
                Some(ConvertError::Damaged { file, problem: format!("{place}: {problem}") })
            }
            (Some(Problem::Record(place, problem)), _) => Some(ConvertError::Record { file, place, problem }),
            (None, DecodeError::Io(source)) => Some(ConvertError::Read { file, source }),
            (None, DecodeError::Watcher) => Some(ConvertError::Stopped { file }),
            (None, DecodeError::Feed(FeedError::Stopped)) => {
                let Clash { issue, inputs: [first, _] } = self.joined.clash.take()?;
                Some(ConvertError::OrdersTwice { file, issue, first: self.files[first].clone() })
            }
            (None, DecodeError::Feed(source)) => Some(ConvertError::Feed { file, source }),
        }
    }
}

/// So many events are given at once, where an input has them; a chunk's are given whole.
const EVENTS_AT_ONCE: usize = 1 << 12;

/// Why reading has stopped.
enum Problem {
    Record(Place, RecordProblem),
    Damaged(Place, String),
}

/// Takes events and the names that they use.
#[derive(Default)]
struct Read {
    issues: BTreeMap<IssueIndex, IssueCode>,
    servers: BTreeMap<ServerIndex, Arc<str>>,
    events: Vec<InputEvent>,
    problem: Option<Problem>,
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
                self.problem = Some(Problem::Record(record.place, malformed.into()));
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

impl InputRun for Read {
    fn broken(&mut self, place: Place, problem: &str, _: bool, _: &[u8]) -> Result<(), Stop> {
        self.problem = Some(Problem::Damaged(place, problem.to_owned()));
        Err(Stop)
    }

    fn end_of_input(&mut self, _: Option<Date>) -> Result<(), Stop> {
        Ok(())
    }

    fn source(&mut self, _: usize) {}

    fn pass(&mut self, _: &RawRecord<'_>) -> Result<(), Stop> {
        Ok(())
    }
}
