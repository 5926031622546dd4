//! Several inputs of one date, read a chunk at a time, their records in the order of their times.

use crate::chunks::{ChunkError, Chunks};
use crate::format::Decoder;
use crate::joined::{Joined, Only};
use crate::run::DecodeError;
use jiff::civil::Date;
use quoteclock_engine::DayRun;
use quoteclock_feed::{Malformed, Place, RawRecord, Receiver, Sequence, Stop};
use quoteclock_model::{IssueCode, IssueIndex, MarketEvent, Scope, ServerIndex, Timestamp};
use std::collections::VecDeque;

/// An input being read.
pub(crate) struct Reader<'c> {
    pub(crate) chunks: Chunks<'c>,
    /// `None` when all has been read.
    decoder: Option<Decoder>,
    read: Read,
    stated: Option<Date>,
}

/// What has been read and not been taken yet.
#[derive(Default)]
struct Read {
    queue: VecDeque<Item>,
    /// The latest time so far: a record of an earlier one, or of none, is wrong, and comes at that time.
    latest: Option<Timestamp>,
}

enum Item {
    Issue(IssueIndex, IssueCode),
    Server(ServerIndex, Box<str>),
    Record(Option<Timestamp>, Owned),
    Rest(Vec<u8>),
    Broken { at: Option<Timestamp>, place: Place, problem: String, whole: bool, unfinished: Vec<u8> },
}

/// A record that is kept.
struct Owned {
    place: Place,
    bytes: Vec<u8>,
    ts_event: Option<Timestamp>,
    sequence: Sequence,
    scope: Option<Scope>,
    also: Option<IssueCode>,
    event: Result<MarketEvent, Malformed>,
}

impl Receiver for Read {
    fn issue(&mut self, index: IssueIndex, code: &IssueCode) {
        self.queue.push_back(Item::Issue(index, code.clone()));
    }

    fn server(&mut self, index: ServerIndex, name: &str) {
        self.queue.push_back(Item::Server(index, name.into()));
    }

    fn record(&mut self, record: &RawRecord<'_>) -> Result<(), Stop> {
        let &RawRecord { place, bytes, ts_event, sequence, scope, also, ref event } = record;
        self.latest = self.latest.max(ts_event);
        let (bytes, also, event) = (bytes.to_vec(), also.cloned(), event.clone());
        self.queue.push_back(Item::Record(self.latest, Owned { place, bytes, ts_event, sequence, scope, also, event }));
        Ok(())
    }

    fn rest(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        self.queue.push_back(Item::Rest(bytes.to_vec()));
        Ok(())
    }
}

impl<'c> Reader<'c> {
    pub(crate) fn new(chunks: Chunks<'c>, decoder: Decoder) -> Reader<'c> {
        Reader { chunks, decoder: Some(decoder), read: Read::default(), stated: None }
    }

    /// Reads on until a record is there, or all has been read; tells the names that come before it.
    fn fill<P: DayRun>(&mut self, input: usize, joined: &mut Joined<'_, P>) -> Result<(), DecodeError> {
        loop {
            match self.read.queue.front() {
                Some(Item::Issue(index, code)) => joined.issue(input, *index, code),
                Some(Item::Server(index, name)) => joined.server(input, *index, name),
                Some(_) => return Ok(()),
                None => match self.decoder.take() {
                    None => return Ok(()),
                    Some(decoder) => {
                        self.decoder = self.read_chunk(decoder)?;
                        continue;
                    }
                },
            }
            self.read.queue.pop_front();
        }
    }

    /// Reads a chunk; gives the decoder back unless that was the last.
    fn read_chunk(&mut self, mut decoder: Decoder) -> Result<Option<Decoder>, DecodeError> {
        match self.chunks.next() {
            Ok([]) => {
                self.stated = decoder.stated_date();
                decoder.finish(&mut self.read)?;
                Ok(None)
            }
            Ok(chunk) => {
                decoder.push(chunk, &mut self.read)?;
                Ok(Some(decoder))
            }
            Err(ChunkError::Io(error)) => Err(DecodeError::Io(error)),
            Err(ChunkError::Stopped) => Err(DecodeError::Watcher),
            Err(ChunkError::Broken { problem, whole }) => {
                let (at, place) = (self.read.latest, Place::Byte(self.chunks.offset()));
                let unfinished = decoder.unfinished().to_vec();
                self.read.queue.push_back(Item::Broken { at, place, problem, whole, unfinished });
                Ok(None)
            }
        }
    }

    /// Pushes the only input of a day through its run.
    ///
    /// # Errors
    /// Those of reading it.
    pub(crate) fn push<P: DayRun>(&mut self, joined: &mut Joined<'_, P>) -> Result<(), DecodeError> {
        let Some(mut decoder) = self.decoder.take() else { return Ok(()) };
        loop {
            match self.chunks.next() {
                Ok([]) => {
                    let date = decoder.stated_date();
                    decoder.finish(&mut Only(joined))?;
                    return Ok(joined.run.end_of_input(date)?);
                }
                Ok(chunk) => decoder.push(chunk, &mut Only(joined))?,
                Err(ChunkError::Io(error)) => return Err(DecodeError::Io(error)),
                Err(ChunkError::Stopped) => return Err(DecodeError::Watcher),
                Err(ChunkError::Broken { problem, whole }) => {
                    let place = Place::Byte(self.chunks.offset());
                    return Ok(joined.run.broken(place, &problem, whole, decoder.unfinished())?);
                }
            }
        }
    }

    /// When what comes next counts; the rest of a record at once.
    fn next_at(&self) -> Option<(bool, Option<Timestamp>)> {
        self.read.queue.front().map(|item| match item {
            Item::Record(at, _) | Item::Broken { at, .. } => (true, *at),
            Item::Rest(_) | Item::Issue(..) | Item::Server(..) => (false, None),
        })
    }
}

/// Merges the records of inputs into a run.
///
/// # Errors
/// The error of reading one, and which.
pub(crate) fn merge<P: DayRun>(
    readers: &mut [Reader<'_>],
    joined: &mut Joined<'_, P>,
) -> Result<(), (usize, DecodeError)> {
    loop {
        for (input, reader) in readers.iter_mut().enumerate() {
            reader.fill(input, joined).map_err(|error| (input, error))?;
        }
        let waiting = readers.iter().enumerate().filter_map(|(input, reader)| Some((reader.next_at()?, input)));
        let Some((_, input)) = waiting.min() else { break };
        let of_input = |stop: Stop| (input, DecodeError::from(stop));
        match readers[input].read.queue.pop_front() {
            Some(Item::Record(_, record)) => {
                let Owned { place, bytes, ts_event, sequence, scope, also, event } = record;
                let also = also.as_ref();
                let record = RawRecord { place, bytes: &bytes, ts_event, sequence, scope, also, event };
                joined.take(input, &record).map_err(of_input)?;
            }
            Some(Item::Rest(bytes)) => joined.run.rest(&bytes).map_err(of_input)?,
            Some(Item::Broken { place, problem, whole, unfinished, .. }) => {
                joined.at = input;
                joined.run.source(input);
                joined.run.broken(place, &problem, whole, &unfinished).map_err(of_input)?;
            }
            Some(Item::Issue(..) | Item::Server(..)) | None => {}
        }
    }
    let stated = readers.iter().find_map(|reader| reader.stated);
    joined.run.end_of_input(stated).map_err(|stop| (0, stop.into()))
}
