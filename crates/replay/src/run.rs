//! One input measured: the passes over it, and what it says.

use crate::format::{Decoder, Format, RECOGNISED_BY_BYTES};
use crate::input::{ChunkError, Chunks, Input, Progress, Watch};
use crate::threads::Threads;
use jiff::civil::Date;
use quoteclock_engine::{BadRecord, Day, DayError, DayOptions, Finished, Pass, RejectSink};
use quoteclock_feed::{FeedError, Place, Stop};
use quoteclock_ledger::{DayLedger, OpenLedger};
use quoteclock_model::Timestamp;
use quoteclock_rules::Registry;
use sha2::{Digest, Sha256};
use std::io;
use std::sync::Mutex;
use thiserror::Error;

/// Why an input cannot be measured.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// It cannot be read.
    #[error("{file}: cannot be read")]
    Io {
        /// The input.
        file: String,
        /// Why not.
        source: io::Error,
    },
    /// It is not an input of events at all.
    #[error("{file}")]
    Feed {
        /// The input.
        file: String,
        /// Why not.
        source: FeedError,
    },
    /// Its form does not tell the date, and neither does its name.
    #[error(
        "{file}: events whose times count from midnight, expected their date (--date), or a name that begins MMDDYYYY"
    )]
    NoDate {
        /// The input.
        file: String,
    },
    /// Its name and the date given differ.
    #[error("{file}: its name says {named}, expected {date}, the date given")]
    DateOfName {
        /// The input.
        file: String,
        /// The date of its name.
        named: Date,
        /// The date given.
        date: Date,
    },
    /// Its records cannot be measured.
    #[error("{file}")]
    Day {
        /// The input.
        file: String,
        /// Why not.
        source: DayError,
    },
    /// The records set aside cannot be written.
    #[error("{file}: the records set aside cannot be written")]
    Rejects {
        /// The input.
        file: String,
        /// Why not.
        source: io::Error,
    },
}

/// A day, measured.
#[derive(Debug)]
pub struct MeasuredDay<R> {
    /// What is known of the run.
    pub finished: Finished,
    /// Totals and breaches.
    pub ledger: DayLedger,
    /// The sink of the records set aside.
    pub rejects: R,
}

/// Where records set aside go: one sink for each pass, the last one counts.
pub trait Rejects {
    /// The sink of one pass.
    type Sink: RejectSink;

    /// Starts anew.
    ///
    /// # Errors
    /// Those of the storage.
    fn begin(&mut self) -> io::Result<Self::Sink>;
}

/// Measures one input under `registry`. What comes out is the same with any number of threads.
///
/// A lenient run that finds out late that time already measured is unknown runs a second time over the same input, with
/// what it has learnt.
///
/// # Errors
/// [`ReplayError`]; nothing of the day is known then.
///
/// # Panics
/// Never: a finished day has been opened.
pub fn measure<R: Rejects>(
    registry: &Registry,
    input: &Input,
    options: &DayOptions,
    threads: Threads,
    rejects: &mut R,
    progress: Progress<'_>,
) -> Result<MeasuredDay<R::Sink>, ReplayError> {
    passes(registry, input, options, threads, rejects, Watch { progress, hasher: None })
}

/// The same, and the SHA-256 of the input's bytes as stored, taken while they are read.
///
/// # Errors
/// As [`measure`].
///
/// # Panics
/// Never: nothing panics while it holds the hash.
pub fn measure_and_hash<R: Rejects>(
    registry: &Registry,
    input: &Input,
    options: &DayOptions,
    threads: Threads,
    rejects: &mut R,
    progress: Progress<'_>,
) -> Result<(MeasuredDay<R::Sink>, [u8; 32]), ReplayError> {
    let hasher = Mutex::new(Sha256::new());
    let day = passes(registry, input, options, threads, rejects, Watch { progress, hasher: Some(&hasher) })?;
    let hasher = hasher.into_inner().expect("no thread panicked with the lock");
    Ok((day, hasher.finalize().into()))
}

fn passes<R: Rejects>(
    registry: &Registry,
    input: &Input,
    options: &DayOptions,
    threads: Threads,
    rejects: &mut R,
    watch: Watch<'_>,
) -> Result<MeasuredDay<R::Sink>, ReplayError> {
    let file = input.name();
    let begin = |options| {
        let sink = rejects.begin().map_err(|source| ReplayError::Rejects { file: file.clone(), source })?;
        let day = Day::in_batches(registry, options, OpenLedger::default(), sink, threads.start());
        day.map_err(|source| ReplayError::Day { file: file.clone(), source })
    };
    let (finished, (ledger, rejects)) = replay_watched(registry, input, options, begin, watch)?;
    Ok(MeasuredDay { finished, ledger: ledger.close(), rejects })
}

/// Pushes one input through the pass that `begin` makes, and through a second one where the first learnt too late that
/// time already measured is unknown. The last one counts.
///
/// # Errors
/// [`ReplayError`]; nothing of the day is known then.
pub fn replay<P: Pass>(
    registry: &Registry,
    input: &Input,
    options: &DayOptions,
    begin: impl FnMut(DayOptions) -> Result<P, ReplayError>,
    progress: Progress<'_>,
) -> Result<(Finished, P::Output), ReplayError> {
    replay_watched(registry, input, options, begin, Watch { progress, hasher: None })
}

fn replay_watched<P: Pass>(
    registry: &Registry,
    input: &Input,
    options: &DayOptions,
    mut begin: impl FnMut(DayOptions) -> Result<P, ReplayError>,
    watch: Watch<'_>,
) -> Result<(Finished, P::Output), ReplayError> {
    let io_error = |source| ReplayError::Io { file: input.name(), source };
    let options = &with_date_of_name(options, input)?;
    let mut source = input.open(options.lenient).map_err(io_error)?;
    let mut pass = |options: DayOptions, watch: Watch<'_>| {
        let date = options.date;
        let pass = begin(options)?;
        let chunks = source.chunks(watch).map_err(io_error)?;
        let output = run_pass(registry, input, chunks, date, pass)?;
        if watch.hasher.is_some() {
            source.drain(watch).map_err(io_error)?;
        }
        Ok(output)
    };
    let (finished, output) = pass(options.clone(), watch)?;
    if finished.unknown_late.is_empty() {
        return Ok((finished, output));
    }
    let unwatched = Watch { progress: &|_| {}, hasher: None };
    pass(DayOptions { unknown: finished.unknown_late, ..options.clone() }, unwatched)
}

fn run_pass<P: Pass>(
    registry: &Registry,
    input: &Input,
    mut chunks: Chunks<'_>,
    date: Option<Date>,
    mut pass: P,
) -> Result<(Finished, P::Output), ReplayError> {
    let file = || input.name();
    let day_error = |source| ReplayError::Day { file: file(), source };
    let format = Format::recognise(chunks.peek(RECOGNISED_BY_BYTES), input);
    let midnight = match (format, date) {
        (Format::Csv | Format::Binary, _) => Timestamp::MIN,
        (Format::Itch, None) => return Err(ReplayError::NoDate { file: file() }),
        (Format::Itch, Some(date)) => midnight(registry, date).map_err(day_error)?,
    };
    match decode(&mut chunks, Decoder::new(format, midnight), &mut pass) {
        Ok(()) | Err(DecodeError::Feed(FeedError::Stopped)) => {}
        Err(DecodeError::Feed(source)) => return Err(ReplayError::Feed { file: file(), source }),
        Err(DecodeError::Io(source)) => return Err(ReplayError::Io { file: file(), source }),
    }
    pass.finish().map_err(day_error)
}

/// `options`, with the date that the input's name tells where none is given.
fn with_date_of_name(options: &DayOptions, input: &Input) -> Result<DayOptions, ReplayError> {
    let options = options.clone();
    match (input.date_of_name(), options.date) {
        (Some(named), Some(date)) if named != date => Err(ReplayError::DateOfName { file: input.name(), named, date }),
        (named, date) => Ok(DayOptions { date: date.or(named), ..options }),
    }
}

/// The first instant of a date.
fn midnight(registry: &Registry, date: Date) -> Result<Timestamp, DayError> {
    let plan = registry.plan(date).map_err(|error| DayError::Plan { date, problem: error.to_string() })?;
    Ok(plan.day.start)
}

enum DecodeError {
    Feed(FeedError),
    Io(io::Error),
}

impl From<FeedError> for DecodeError {
    fn from(error: FeedError) -> Self {
        DecodeError::Feed(error)
    }
}

impl From<Stop> for DecodeError {
    fn from(stop: Stop) -> Self {
        DecodeError::Feed(stop.into())
    }
}

/// Pushes all of `chunks` through a decoder into `pass`.
fn decode(chunks: &mut Chunks<'_>, mut decoder: Decoder, pass: &mut impl Pass) -> Result<(), DecodeError> {
    loop {
        let chunk = match chunks.next() {
            Ok([]) => {
                let date = decoder.stated_date();
                decoder.finish(pass)?;
                return Ok(pass.end_of_input(date)?);
            }
            Ok(chunk) => chunk,
            Err(ChunkError::Io(error)) => return Err(DecodeError::Io(error)),
            Err(damage) => {
                return Ok(broken(damage, chunks.offset(), decoder.unfinished(), pass)?);
            }
        };
        decoder.push(chunk, pass)?;
    }
}

fn broken(damage: ChunkError, offset: u64, unfinished: &[u8], pass: &mut impl Pass) -> Result<(), Stop> {
    let (problem, whole) = match damage {
        ChunkError::Io(_) => unreachable!("handled by the caller"),
        ChunkError::Truncated(format) => (format!("the {format} stream ends early"), false),
        ChunkError::Corrupted(format, error) => (format!("the {format} stream is corrupted ({error})"), true),
    };
    pass.broken(Place::Byte(offset), &problem, whole, unfinished)
}

/// A sink that only a strict run needs: nothing is ever set aside there.
impl Rejects for () {
    type Sink = NoRejects;

    fn begin(&mut self) -> io::Result<NoRejects> {
        Ok(NoRejects)
    }
}

/// Drops records set aside.
#[derive(Debug)]
pub struct NoRejects;

impl RejectSink for NoRejects {
    fn reject(&mut self, _: &BadRecord, _: &[u8]) {}
    fn rest(&mut self, _: &[u8]) {}
}
