//! One input measured: the passes over it, and what it says.

use crate::chunks::{ChunkError, Chunks};
use crate::format::{Decoder, Format, RECOGNISED_BY_BYTES};
use crate::input::{Input, Reading};
use crate::scouting;
use crate::stored::Progress;
use crate::stream::foreign;
use crate::threads::{Pool, Threads};
use jiff::civil::Date;
use quoteclock_engine::{BadRecord, Day, DayError, DayOptions, DayRun, Finished, RejectSink};
use quoteclock_feed::binary::{BinaryFile, BinaryFileError};
use quoteclock_feed::{FeedError, Place, Stop};
use quoteclock_ledger::{DayLedger, OpenLedger};
use quoteclock_model::{IssueCode, Timestamp};
use quoteclock_rules::Registry;
use std::fs::File;
use std::io;
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
    /// It is something else that can be told.
    #[error("{file}: {problem}")]
    Foreign {
        /// The input.
        file: String,
        /// What it is, and what to do about it.
        problem: String,
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
pub struct MeasuredInput<R> {
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

/// An input, and what it is to be measured by.
#[derive(Clone, Copy)]
pub struct Replay<'a> {
    /// The registry.
    pub registry: &'a Registry,
    /// The input.
    pub input: &'a Input,
    /// How its records are to be taken.
    pub options: &'a DayOptions,
    /// Told how much has been read.
    pub progress: Progress<'a>,
}

impl Replay<'_> {
    /// Measures the input. What comes out is the same with any number of threads.
    ///
    /// A lenient run that finds out late that time already measured is unknown runs a second time over the same input,
    /// with what it has learnt.
    ///
    /// # Errors
    /// [`ReplayError`]; nothing of the day is known then.
    ///
    /// # Panics
    /// Never: a finished day has been opened.
    pub fn measure<R: Rejects>(self, threads: Threads, rejects: &mut R) -> Result<MeasuredInput<R::Sink>, ReplayError> {
        let (day, _) = self.measure_by(threads.reading(self.progress), threads, rejects)?;
        Ok(day)
    }

    /// The same, and the SHA-256 of the input's bytes as stored, taken while they are read.
    ///
    /// # Errors
    /// As [`Replay::measure`].
    ///
    /// # Panics
    /// Never: a hash that was asked for is there.
    pub fn measure_and_hash<R: Rejects>(
        self,
        threads: Threads,
        rejects: &mut R,
    ) -> Result<(MeasuredInput<R::Sink>, [u8; 32]), ReplayError> {
        let reading = Reading { is_hashed: true, ..threads.reading(self.progress) };
        let (day, sha256) = self.measure_by(reading, threads, rejects)?;
        Ok((day, sha256.expect("it was asked for")))
    }

    fn measure_by<R: Rejects>(
        self,
        reading: Reading<'_>,
        threads: Threads,
        rejects: &mut R,
    ) -> Result<Measured<R::Sink>, ReplayError> {
        let file = self.input.name();
        let pool = threads.start();
        let reading = Reading { pool: Some(&pool), ..reading };
        let begin = |options| {
            let sink = rejects.begin().map_err(|source| ReplayError::Rejects { file: file.clone(), source })?;
            let day = Day::in_batches(self.registry, options, OpenLedger::default(), sink, pool.clone());
            day.map_err(|source| ReplayError::Day { file: file.clone(), source })
        };
        let (finished, (ledger, rejects), sha256) = self.read_and_run(reading, begin)?;
        Ok((MeasuredInput { finished, ledger: ledger.close(), rejects }, sha256))
    }

    /// Pushes the input through the run that `begin` makes, and through a second one where the first learnt too late that
    /// time already measured is unknown. The last one counts.
    ///
    /// # Errors
    /// [`ReplayError`]; nothing of the day is known then.
    pub fn run<P: DayRun>(
        self,
        begin: impl FnMut(DayOptions) -> Result<P, ReplayError>,
    ) -> Result<(Finished, P::Output), ReplayError> {
        let is_ahead = Threads::cores_to_spare();
        let reading = Reading { progress: self.progress, is_hashed: false, is_ahead, pool: None };
        let (finished, output, _) = self.read_and_run(reading, begin)?;
        Ok((finished, output))
    }

    /// The same for a run that is about some `issues` only, and the SHA-256 of the input's bytes as stored, if it `is_hashed`.
    ///
    /// Of an uncompressed file of the binary form, strictly read, only the records of these issues and the market-wide ones
    /// are read, by its index; what is not read is not judged. Where anything is wrong with what is read, the whole input is
    /// pushed through, and told as [`Replay::run`] tells it.
    ///
    /// # Errors
    /// As [`Replay::run`].
    pub fn run_issues<P: DayRun>(
        self,
        issues: &[IssueCode],
        is_hashed: bool,
        mut begin: impl FnMut(DayOptions) -> Result<P, ReplayError>,
    ) -> Result<Replayed<P>, ReplayError> {
        if let Some((finished, output)) = self.by_index(issues, &mut begin) {
            let io_error = |source| ReplayError::Io { file: self.input.name(), source };
            let sha256 = if is_hashed { Some(self.input.sha256().map_err(io_error)?) } else { None };
            return Ok((finished, output, sha256));
        }
        let is_ahead = Threads::cores_to_spare();
        let reading = Reading { progress: self.progress, is_hashed, is_ahead, pool: None };
        self.read_and_run(reading, begin)
    }

    /// Reads parts of a file by its index; `None` where that cannot be, or where not all is as it should be.
    fn by_index<P: DayRun>(
        self,
        issues: &[IssueCode],
        begin: &mut impl FnMut(DayOptions) -> Result<P, ReplayError>,
    ) -> Option<(Finished, P::Output)> {
        let Input::File(path) = self.input else { return None };
        if self.options.lenient || !path.is_file() {
            return None;
        }
        let mut file = BinaryFile::open(File::open(path).ok()?).ok()?;
        let options = with_date_of_name(self.options, self.input).ok()?;
        let (first, last) = (file.index().blocks().first()?.start, file.index().blocks().last()?.last);
        let date = self.registry.local_date(first).ok()?;
        if self.registry.local_date(last).ok()? != date || options.date.is_some_and(|given| given != date) {
            return None;
        }
        // Of the records that are read the numbers do not follow each other; those of the file are looked at.
        let mut run = begin(DayOptions { date: Some(date), allow_gaps: true, ..options.clone() }).ok()?;
        match file.records_of(issues, &mut run) {
            Ok(is_unbroken) if is_unbroken || options.allow_gaps => run.end_of_input(None).ok()?,
            // It has what it needs, or has met what it tells when it ends.
            Err(BinaryFileError::Feed(FeedError::Stopped)) => {}
            _ => return None,
        }
        run.finish().ok()
    }

    fn read_and_run<P: DayRun>(
        self,
        reading: Reading<'_>,
        mut begin: impl FnMut(DayOptions) -> Result<P, ReplayError>,
    ) -> Result<Replayed<P>, ReplayError> {
        let Replay { registry, input, .. } = self;
        let io_error = |source| ReplayError::Io { file: input.name(), source };
        let options = &with_date_of_name(self.options, input)?;
        let source = input.open(options.lenient, reading.is_hashed).map_err(io_error)?;
        let is_read_on = options.lenient || reading.is_hashed;
        let mut pass = |options: DayOptions, progress| {
            let date = options.date;
            let pass = begin(options)?;
            let mut chunks = source.chunks(progress, reading.is_ahead).map_err(io_error)?;
            let output = run_pass(registry, input, &mut chunks, date, (reading.pool, pass))?;
            if is_read_on {
                chunks.end();
            }
            Ok((output, source.hash().map_err(io_error)?))
        };
        let ((finished, output), sha256) = pass(options.clone(), reading.progress)?;
        if finished.retroactive.is_empty() && finished.late_names.is_empty() {
            return Ok((finished, output, sha256));
        }
        let again = DayOptions { unknown: finished.retroactive, late_names: finished.late_names, ..options.clone() };
        let ((finished, output), _) = pass(again, &|_| {})?;
        Ok((finished, output, sha256))
    }
}

type Measured<S> = (MeasuredInput<S>, Option<[u8; 32]>);
/// What is known of a run, what comes of it, and the input's hash, if that was asked for.
pub type Replayed<P> = (Finished, <P as DayRun>::Output, Option<[u8; 32]>);

fn run_pass<P: DayRun>(
    registry: &Registry,
    input: &Input,
    chunks: &mut Chunks<'_>,
    date: Option<Date>,
    (pool, mut pass): (Option<&Pool>, P),
) -> Result<(Finished, P::Output), ReplayError> {
    let file = || input.name();
    let compression = chunks.compression();
    // What is counted in a compressed input are the bytes that come out of it.
    let file_of = |place: Option<Place>| match (compression, place) {
        (Some(_), Some(Place::Byte(_))) => format!("{}, decompressed", file()),
        _ => file(),
    };
    let day_error = |source| ReplayError::Day { file: file_of(place_of(&source)), source };
    let first_bytes = chunks.peek(RECOGNISED_BY_BYTES);
    if let Some(problem) = foreign(first_bytes, compression) {
        return Err(ReplayError::Foreign { file: file(), problem });
    }
    let format = Format::recognise(first_bytes, input);
    let midnight = match (format, date) {
        (Format::Csv | Format::Binary | Format::Fix | Format::Dbn, _) | (Format::Journal, None) => Timestamp::MIN,
        (Format::Itch, None) => return Err(ReplayError::NoDate { file: file() }),
        (Format::Itch | Format::Journal, Some(date)) => midnight(registry, date).map_err(day_error)?,
    };
    match decode(chunks, Decoder::new(format, midnight), &mut pass, pool) {
        Ok(()) | Err(DecodeError::Feed(FeedError::Stopped)) => {}
        Err(DecodeError::Feed(source)) => {
            let place = if let FeedError::Input { place, .. } = &source { Some(*place) } else { None };
            return Err(ReplayError::Feed { file: file_of(place), source });
        }
        Err(DecodeError::Io(source)) => return Err(ReplayError::Io { file: file(), source }),
    }
    pass.finish().map_err(day_error)
}

/// Where the record is that a day ended at.
fn place_of(error: &DayError) -> Option<Place> {
    if let DayError::Bad(BadRecord { place, .. }) = error { Some(*place) } else { None }
}

/// `options`, with the date that the input's name tells where none is given.
fn with_date_of_name(options: &DayOptions, input: &Input) -> Result<DayOptions, ReplayError> {
    let options = options.clone();
    match (input.date_of_name(), options.date) {
        (Some(named), Some(date)) if named != date => Err(ReplayError::DateOfName { file: input.name(), named, date }),
        (named, date) => Ok(DayOptions { date: date.or(named).or_else(|| input.date_of_journal()), ..options }),
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

/// Pushes all of `chunks` through a decoder into `pass`; where it can be, they are read by the threads of a `pool`, too.
fn decode(
    chunks: &mut Chunks<'_>,
    mut decoder: Decoder,
    pass: &mut impl DayRun,
    pool: Option<&Pool>,
) -> Result<(), DecodeError> {
    let others = pool.and_then(Pool::others).filter(|_| pass.takes_compact() && decoder.may_be_scouted());
    let end = match others {
        Some(others) => scouting::push_all(chunks, &mut decoder, pass, others)?,
        None => push_all(chunks, &mut decoder, pass)?,
    };
    match end {
        Ok(()) => {
            let date = decoder.stated_date();
            decoder.finish(pass)?;
            Ok(pass.end_of_input(date)?)
        }
        Err(ChunkError::Io(error)) => Err(DecodeError::Io(error)),
        Err(ChunkError::Broken { problem, whole }) => {
            let place = Place::Byte(chunks.offset());
            Ok(pass.broken(place, &problem, whole, decoder.unfinished())?)
        }
    }
}

/// Pushes all of `chunks` through `decoder` into `pass`; what ended the input comes last, as the inner error.
fn push_all(
    chunks: &mut Chunks<'_>,
    decoder: &mut Decoder,
    pass: &mut impl DayRun,
) -> Result<Result<(), ChunkError>, FeedError> {
    loop {
        match chunks.next() {
            Ok([]) => return Ok(Ok(())),
            Ok(chunk) => decoder.push(chunk, pass)?,
            Err(error) => return Ok(Err(error)),
        }
    }
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

    fn again(&mut self, _: u64) -> bool {
        true
    }
}
