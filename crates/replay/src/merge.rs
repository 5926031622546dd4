//! Several inputs of one date, read a chunk at a time, their records in the order of their times.

use crate::chunks::{ChunkError, Chunks};
use crate::format::Decoder;
use crate::joined::{Joined, Only};
use crate::run::DecodeError;
use jiff::civil::Date;
use quoteclock_engine::InputRun;
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
    fn fill<P: InputRun>(&mut self, input: usize, joined: &mut Joined<P>) -> Result<(), DecodeError> {
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

    /// Pushes the next chunk of the only input of a day through its run; says whether there may be more.
    fn push<P: InputRun>(&mut self, joined: &mut Joined<P>) -> Result<bool, DecodeError> {
        let Some(decoder) = &mut self.decoder else { return Ok(false) };
        match self.chunks.next() {
            Ok([]) => {
                let date = decoder.stated_date();
                if let Some(decoder) = self.decoder.take() {
                    decoder.finish(&mut Only(joined))?;
                }
                joined.run.end_of_input(date)?;
                Ok(false)
            }
            Ok(chunk) => {
                decoder.push(chunk, &mut Only(joined))?;
                Ok(true)
            }
            Err(ChunkError::Io(error)) => Err(DecodeError::Io(error)),
            Err(ChunkError::Stopped) => Err(DecodeError::Watcher),
            Err(ChunkError::Broken { problem, whole }) => {
                let place = Place::Byte(self.chunks.offset());
                joined.run.broken(place, &problem, whole, decoder.unfinished())?;
                Ok(false)
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
pub(crate) fn merge<P: InputRun>(
    readers: &mut [Reader<'_>],
    joined: &mut Joined<P>,
) -> Result<(), (usize, DecodeError)> {
    while merge_on(readers, joined)? {}
    Ok(())
}

/// Takes the next record, or of a single input the next chunk; says whether there may be more.
///
/// # Errors
/// As [`merge`].
pub(crate) fn merge_on<P: InputRun>(
    readers: &mut [Reader<'_>],
    joined: &mut Joined<P>,
) -> Result<bool, (usize, DecodeError)> {
    if let [only] = readers {
        return only.push(joined).map_err(|error| (0, error));
    }
    for (input, reader) in readers.iter_mut().enumerate() {
        reader.fill(input, joined).map_err(|error| (input, error))?;
    }
    let waiting = readers.iter().enumerate().filter_map(|(input, reader)| Some((reader.next_at()?, input)));
    let Some((_, input)) = waiting.min() else {
        let stated = readers.iter().find_map(|reader| reader.stated);
        joined.run.end_of_input(stated).map_err(|stop| (0, stop.into()))?;
        return Ok(false);
    };
    take(input, readers[input].read.queue.pop_front(), joined).map_err(|stop| (input, stop.into()))?;
    Ok(true)
}

/// Takes what has come of an input.
fn take<P: InputRun>(input: usize, item: Option<Item>, joined: &mut Joined<P>) -> Result<(), Stop> {
    match item {
        Some(Item::Record(_, record)) => {
            let Owned { place, bytes, ts_event, sequence, scope, also, event } = record;
            let also = also.as_ref();
            joined.take(input, &RawRecord { place, bytes: &bytes, ts_event, sequence, scope, also, event })
        }
        Some(Item::Rest(bytes)) => joined.run.rest(&bytes),
        Some(Item::Broken { place, problem, whole, unfinished, .. }) => {
            joined.at = input;
            joined.run.source(input);
            joined.run.broken(place, &problem, whole, &unfinished)
        }
        Some(Item::Issue(..) | Item::Server(..)) | None => Ok(()),
    }
}
