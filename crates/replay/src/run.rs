//! One input measured: the passes over it, and what it says.

use crate::beside::Beside;
use crate::chunks::{ChunkError, Chunks};
use crate::format::{Decoder, Format, RECOGNISED_BY_BYTES};
use crate::input::{Input, Reading};
use crate::joined::{Clash, Joined};
use crate::merge::{self, Reader};
use crate::scouting;
use crate::stored::Progress;
use crate::stream::foreign;
use crate::threads::{Pool, Threads};
use jiff::civil::Date;
use quoteclock_engine::{
    About, BadRecord, Day, DayError, DayOptions, DayRun, Fault, Finished, InputRun, NoRejects, RejectSink,
};
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
    /// Whoever watched wanted no more.
    #[error("{file}: stopped")]
    Stopped {
        /// The input.
        file: String,
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
    /// It has orders of an issue of which another input has some, too.
    #[error("{file}{}", Clash::of(issue, first))]
    OrdersTwice {
        /// The input.
        file: String,
        /// The issue.
        issue: String,
        /// The input that had them first.
        first: String,
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

impl ReplayError {
    /// The input.
    pub fn file(&self) -> &str {
        match self {
            ReplayError::Io { file, .. }
            | ReplayError::Stopped { file }
            | ReplayError::Foreign { file, .. }
            | ReplayError::Feed { file, .. }
            | ReplayError::NoDate { file }
            | ReplayError::DateOfName { file, .. }
            | ReplayError::Day { file, .. }
            | ReplayError::OrdersTwice { file, .. }
            | ReplayError::Rejects { file, .. } => file,
        }
    }

    /// Where in it something is wrong, where that is one record's fault.
    pub fn place(&self) -> Option<Place> {
        match self {
            ReplayError::Feed { source, .. } => source.place(),
            ReplayError::Day { source, .. } => source.place(),
            _ => None,
        }
    }

    /// Which column of that record is wrong, where it is one.
    pub fn column(&self) -> Option<&'static str> {
        match self {
            ReplayError::Feed { source, .. } => source.column(),
            ReplayError::Day { source, .. } => source.column(),
            _ => None,
        }
    }
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
    /// What it is measured from besides.
    pub beside: &'a Beside,
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

    /// The same, and the SHA-256 of each input's bytes as stored, taken while they are read.
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
    ) -> Result<(MeasuredInput<R::Sink>, Hashes), ReplayError> {
        let reading = Reading { is_hashed: true, ..threads.reading(self.progress) };
        let (day, hashes) = self.measure_by(reading, threads, rejects)?;
        Ok((day, hashes.expect("they were asked for")))
    }

    fn measure_by<R: Rejects>(
        self,
        reading: Reading<'_>,
        threads: Threads,
        rejects: &mut R,
    ) -> Result<Measured<R::Sink>, ReplayError> {
        let file = self.input.name();
        let pool = threads.beside_decompression(self.input).start();
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
            let hash = || Ok(Hashes { input: self.input.sha256().map_err(io_error)?, also: Vec::new() });
            return Ok((finished, output, is_hashed.then(hash).transpose()?));
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
        if self.options.lenient || !self.beside.is_empty() || !path.is_file() {
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
        if !self.beside.is_empty() {
            return self.read_beside(reading, begin);
        }
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
        let hashes = sha256.map(|input| Hashes { input, also: Vec::new() });
        if finished.retroactive.is_empty() && finished.late_names.is_empty() {
            return Ok((finished, output, hashes));
        }
        // Whatever it has begun to write, the second pass writes anew: from a buffer that is let go of later, it would be mixed up.
        drop(output);
        let again = DayOptions { unknown: finished.retroactive, late_names: finished.late_names, ..options.clone() };
        let ((finished, output), _) = pass(again, &|_| (reading.progress)(0))?;
        Ok((finished, output, hashes))
    }

    /// The same of several inputs, or with the numbers of one's own orders.
    fn read_beside<P: DayRun>(
        self,
        reading: Reading<'_>,
        mut begin: impl FnMut(DayOptions) -> Result<P, ReplayError>,
    ) -> Result<Replayed<P>, ReplayError> {
        let inputs = self.beside.with(self.input);
        let mut options = self.options.clone();
        for input in &inputs {
            options = with_date_of_name(&options, input)?;
        }
        let io_error = |input: &Input| {
            let file = input.name();
            move |source| ReplayError::Io { file, source }
        };
        let open = |input: &&Input| input.open(options.lenient, reading.is_hashed).map_err(io_error(input));
        let sources = inputs.iter().map(open).collect::<Result<Vec<_>, _>>()?;
        let mut pass = |options: DayOptions, progress| {
            let date = options.date;
            let run = begin(options)?;
            let mut readers = Vec::new();
            for (source, &input) in sources.iter().zip(&inputs) {
                let mut chunks = source.chunks(progress, reading.is_ahead).map_err(io_error(input))?;
                let decoder = decoder_of(self.registry, input, &mut chunks, date)?;
                readers.push(Reader::new(chunks, decoder));
            }
            let output = self.run_beside(&inputs, &mut readers, run)?;
            readers.into_iter().for_each(|reader| reader.chunks.end());
            let hashes = sources.iter().zip(&inputs).map(|(source, input)| source.hash().map_err(io_error(input)));
            Ok((output, hashes.collect::<Result<Option<Vec<_>>, ReplayError>>()?))
        };
        let ((mut finished, mut output), hashes) = pass(options.clone(), reading.progress)?;
        if !finished.retroactive.is_empty() || !finished.late_names.is_empty() {
            drop(output);
            let (unknown, late_names) = (finished.retroactive, finished.late_names);
            let again = DayOptions { unknown, late_names, ..options.clone() };
            ((finished, output), _) = pass(again, &|_| (reading.progress)(0))?;
        }
        let hashes = hashes.and_then(|hashes| {
            let (&input, also) = hashes.split_first()?;
            Some(Hashes { input, also: also.to_vec() })
        });
        Ok((finished, output, hashes))
    }

    /// One pass over several inputs.
    fn run_beside<P: DayRun>(
        self,
        inputs: &[&Input],
        readers: &mut [Reader<'_>],
        run: P,
    ) -> Result<(Finished, P::Output), ReplayError> {
        let parts = self.beside.parts();
        let mut joined = Joined::new(run, parts, self.beside.own_orders.clone());
        let result = merge::merge(readers, &mut joined);
        let file_of = |input: usize, place| file_of(inputs[input], readers[input].chunks.compression(), place);
        match result {
            Ok(()) | Err((_, DecodeError::Feed(FeedError::Stopped))) => {}
            Err((input, DecodeError::Feed(source))) => {
                return Err(ReplayError::Feed { file: file_of(input, source.place()), source });
            }
            Err((input, DecodeError::Io(source))) => {
                return Err(ReplayError::Io { file: inputs[input].name(), source });
            }
            Err((input, DecodeError::Watcher)) => return Err(ReplayError::Stopped { file: inputs[input].name() }),
        }
        if let Some(Clash { issue, inputs: [first, second] }) = joined.clash {
            let [first, file] = [first, second].map(|input| inputs[input].name());
            return Err(ReplayError::OrdersTwice { file, issue, first });
        }
        let unseen: Vec<_> = joined.unseen().collect();
        // What does not fit a book is of the input that has the issue's orders; it may be found later.
        let (at, by_issue) = (joined.at, joined.inputs_by_issue());
        let finished = joined.run.finish();
        let (mut finished, output) = finished.map_err(|source| {
            let input = match &source {
                DayError::Bad(BadRecord { about: About::Issue(issue), fault: Fault::Book(_), .. }) => {
                    by_issue.get(issue.as_str()).copied().unwrap_or(at)
                }
                _ => at,
            };
            ReplayError::Day { file: file_of(input, source.place()), source }
        })?;
        finished.coverage.extend(unseen);
        finished.coverage.sort();
        Ok((finished, output))
    }
}

type Measured<S> = (MeasuredInput<S>, Option<Hashes>);
/// What is known of a run, what comes of it, and the hashes of its inputs, if they were asked for.
pub type Replayed<P> = (Finished, <P as DayRun>::Output, Option<Hashes>);

/// The SHA-256 of each input of a day.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hashes {
    /// Of the input.
    pub input: [u8; 32],
    /// Of those beside it, in their order.
    pub also: Vec<[u8; 32]>,
}

/// How messages call an input: what is counted in a compressed one are the bytes that come out of it.
pub(crate) fn file_of(input: &Input, compression: Option<&'static str>, place: Option<Place>) -> String {
    match (compression, place) {
        (Some(_), Some(Place::Byte(_))) => format!("{}, decompressed", input.name()),
        _ => input.name(),
    }
}

fn run_pass<P: DayRun>(
    registry: &Registry,
    input: &Input,
    chunks: &mut Chunks<'_>,
    date: Option<Date>,
    (pool, mut pass): (Option<&Pool>, P),
) -> Result<(Finished, P::Output), ReplayError> {
    let compression = chunks.compression();
    let decoder = decoder_of(registry, input, chunks, date)?;
    let file_of = |place| file_of(input, compression, place);
    match decode(chunks, decoder, &mut pass, pool) {
        Ok(()) | Err(DecodeError::Feed(FeedError::Stopped)) => {}
        Err(DecodeError::Feed(source)) => {
            return Err(ReplayError::Feed { file: file_of(source.place()), source });
        }
        Err(DecodeError::Io(source)) => return Err(ReplayError::Io { file: input.name(), source }),
        Err(DecodeError::Watcher) => return Err(ReplayError::Stopped { file: input.name() }),
    }
    pass.finish().map_err(|source| ReplayError::Day { file: file_of(source.place()), source })
}

/// The decoder that an input's first bytes ask for.
fn decoder_of(
    registry: &Registry,
    input: &Input,
    chunks: &mut Chunks<'_>,
    date: Option<Date>,
) -> Result<Decoder, ReplayError> {
    let file = || input.name();
    let compression = chunks.compression();
    let first_bytes = chunks.peek(RECOGNISED_BY_BYTES);
    if let Some(problem) = foreign(first_bytes, compression) {
        return Err(ReplayError::Foreign { file: file(), problem });
    }
    let format = Format::recognise(first_bytes, input);
    let midnight = match (format, date) {
        (Format::Csv | Format::Binary | Format::Fix | Format::Dbn, _) | (Format::Journal, None) => Timestamp::MIN,
        (Format::Itch, None) => return Err(ReplayError::NoDate { file: file() }),
        (Format::Itch | Format::Journal, Some(date)) => {
            midnight(registry, date).map_err(|source| ReplayError::Day { file: file(), source })?
        }
    };
    Ok(Decoder::new(format, midnight))
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

pub(crate) enum DecodeError {
    Feed(FeedError),
    Io(io::Error),
    /// Whoever watches wants no more.
    Watcher,
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
pub(crate) fn decode(
    chunks: &mut Chunks<'_>,
    mut decoder: Decoder,
    pass: &mut impl InputRun,
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
        Err(ChunkError::Stopped) => Err(DecodeError::Watcher),
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
    pass: &mut impl InputRun,
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
