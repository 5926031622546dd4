//! Events of one form written in another, whole or an excerpt.
//!
//! A stream from a decoder to a writer. Where the target needs what the source leaves to the reader, or an excerpt begins
//! in mid-day, the books are rebuilt on the way: an execution gets the price of its order, and an excerpt begins with
//! what rests at that time, so that it replays strictly. What the books do not need is not judged here: a replay does.

mod books;
mod converter;
mod probe;

use crate::chunks::{ChunkError, Chunks};
use crate::format::{Decoder, Format, RECOGNISED_BY_BYTES};
use crate::input::Input;
use crate::stored::Progress;
use crate::stream::foreign;
use crate::threads::Threads;
use books::Books;
use converter::{AnyWriter, Converter, Problem};
use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use probe::Probe;
use quoteclock_book::BookError;
use quoteclock_feed::binary::{BinaryWriter, Header};
use quoteclock_feed::csv::CsvWriter;
use quoteclock_feed::{EventWriter, FeedError, Malformed, Place, TradingDate};
use quoteclock_model::{IssueCode, Timestamp};
use std::collections::BTreeMap;
use std::io::{self, Write};
use thiserror::Error;

/// What is to be written.
#[derive(Clone, Debug)]
pub struct ConvertOptions {
    /// The form to write; ITCH is read only.
    pub target: Target,
    /// The trading date, where the source does not tell it.
    pub date: Option<Date>,
    /// The zone in which times that count from midnight are local.
    pub zone: TimeZone,
    /// Only this issue, and what concerns the whole market.
    pub issue: Option<IssueCode>,
    /// Only from this instant on; what rests then comes first.
    pub from: Option<Timestamp>,
    /// Only before this instant.
    pub to: Option<Timestamp>,
    /// Only so many records.
    pub limit: Option<u64>,
}

impl ConvertOptions {
    /// The whole input in that form; times that count from midnight are those of New York.
    pub fn to(target: Target) -> ConvertOptions {
        let zone = TimeZoneDatabase::bundled().get("America/New_York").unwrap_or(TimeZone::UTC);
        ConvertOptions { target, date: None, zone, issue: None, from: None, to: None, limit: None }
    }
}

/// A form that can be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    /// Canonical CSV.
    Csv,
    /// The binary form.
    Binary,
}

/// Why an input cannot be converted.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConvertError {
    /// The input cannot be read.
    #[error("{file}: cannot be read")]
    Read {
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
    /// The compressed input is damaged.
    #[error("{file}: {problem}")]
    Damaged {
        /// The input.
        file: String,
        /// How.
        problem: String,
    },
    /// The input is not one of events.
    #[error("{file}")]
    Feed {
        /// The input.
        file: String,
        /// Why not.
        source: FeedError,
    },
    /// A record cannot be converted.
    #[error("{file}: {place}: {problem}")]
    Record {
        /// The input.
        file: String,
        /// Where.
        place: Place,
        /// Why not.
        problem: RecordProblem,
    },
    /// The date is not known.
    #[error("{file}: events without a date, expected it to be given (--date), or a name that begins MMDDYYYY")]
    NoDate {
        /// The input.
        file: String,
    },
    /// No event is of the issue that is wanted.
    #[error("{file}: no event is of issue {issue}, expected an issue that the input names")]
    NoIssue {
        /// The input.
        file: String,
        /// The issue.
        issue: IssueCode,
    },
    /// The output cannot be written.
    #[error("the output cannot be written")]
    Write(#[from] io::Error),
}

impl ConvertError {
    /// The input; `None` where the output is to blame.
    pub fn file(&self) -> Option<&str> {
        match self {
            ConvertError::Read { file, .. }
            | ConvertError::Stopped { file }
            | ConvertError::Damaged { file, .. }
            | ConvertError::Feed { file, .. }
            | ConvertError::Record { file, .. }
            | ConvertError::NoDate { file }
            | ConvertError::NoIssue { file, .. } => Some(file),
            ConvertError::Write(_) => None,
        }
    }

    /// Where in it something is wrong, where that is one record's fault.
    pub fn place(&self) -> Option<Place> {
        match self {
            ConvertError::Feed { source, .. } => source.place(),
            ConvertError::Record { place, .. } => Some(*place),
            _ => None,
        }
    }

    /// Which column of that record is wrong, where it is one.
    pub fn column(&self) -> Option<&'static str> {
        match self {
            ConvertError::Feed { source, .. } => source.column(),
            ConvertError::Record { problem: RecordProblem::Malformed(malformed), .. } => malformed.column(),
            ConvertError::Record { problem: RecordProblem::TimeBackwards, .. } => Some("time"),
            _ => None,
        }
    }
}

/// What is wrong with a record.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecordProblem {
    /// Its form.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// It does not fit the book that has to be rebuilt.
    #[error(transparent)]
    Book(#[from] BookError),
    /// Its time lies before that of a record before it.
    #[error("time: found a time before that of a record before it, expected the same or later")]
    TimeBackwards,
}

/// Converts `input` to `output`, and says how many records were written.
///
/// # Errors
/// [`ConvertError`]; then what has been written is worth nothing.
pub fn convert(
    input: &Input,
    options: &ConvertOptions,
    output: impl Write,
    progress: Progress<'_>,
) -> Result<u64, ConvertError> {
    let file = input.name();
    let read_error = |source| ConvertError::Read { file: file.clone(), source };
    let Beginning { mut chunks, format, midnight, date, probe } = begin(input, options.date, &options.zone, progress)?;
    let compression = chunks.compression();
    let Some(date) = date.or(probe.date) else {
        return Err(match chunks.error_seen() {
            None => ConvertError::NoDate { file },
            Some(ChunkError::Io(source)) => read_error(source),
            Some(ChunkError::Stopped) => ConvertError::Stopped { file },
            Some(ChunkError::Broken { problem, .. }) => ConvertError::Damaged { file, problem },
        });
    };
    let is_excerpt = options.issue.is_some() || options.from.is_some();
    let has_sequence = probe.has_sequence;
    let converter = |writer| Converter {
        writer,
        options,
        renumbered: (has_sequence && is_excerpt).then_some(0),
        books: (options.from.is_some()
            || (matches!(format, Format::Itch | Format::Journal) && options.target == Target::Csv))
            .then(Books::default),
        issues: BTreeMap::new(),
        last: Timestamp::MIN,
        begun: options.from.is_none(),
        written: 0,
        problem: None,
    };
    let mut decoder = Decoder::new(format, midnight);
    let writer = match options.target {
        Target::Csv => AnyWriter::Csv(CsvWriter::new(output, has_sequence, probe.offset)),
        Target::Binary => {
            let header = Header { date: trading_date(date), offset: probe.offset, has_sequence };
            AnyWriter::Binary(Box::new(BinaryWriter::new(output, &header)))
        }
    };
    let mut converter = converter(writer);
    let result = loop {
        match chunks.next() {
            Ok([]) => break decoder.finish(&mut converter),
            Ok(chunk) => {
                if let Err(error) = decoder.push(chunk, &mut converter) {
                    break Err(error);
                }
            }
            Err(ChunkError::Io(source)) => return Err(read_error(source)),
            Err(ChunkError::Stopped) => return Err(ConvertError::Stopped { file }),
            Err(ChunkError::Broken { problem, .. }) => {
                let place = Place::Byte(chunks.offset());
                return Err(ConvertError::Damaged { file, problem: format!("decompressed {place}: {problem}") });
            }
        }
    };
    if !converter.begun && converter.problem.is_none() {
        // Nothing happened in the time that is wanted; what rests there rests all the same.
        let begun = converter.begin();
        let _ = converter.keep(begun);
    }
    // What is counted in a compressed input are the bytes that come out of it.
    let file_of = |place| match (compression, place) {
        (Some(_), Place::Byte(_)) => format!("{}, decompressed", input.name()),
        _ => input.name(),
    };
    if let (Ok(()) | Err(FeedError::Stopped), None, Some(issue)) = (&result, &converter.problem, &options.issue)
        && !converter.issues.values().any(|code| code == issue)
    {
        return Err(ConvertError::NoIssue { file, issue: issue.clone() });
    }
    match (result, converter.problem.take()) {
        (_, Some(Problem::Write(error))) => Err(error.into()),
        (_, Some(Problem::Record(place, problem))) => {
            Err(ConvertError::Record { file: file_of(place), place, problem })
        }
        (Err(FeedError::Stopped) | Ok(()), None) => {
            let written = converter.written;
            converter.writer.finish()?;
            Ok(written)
        }
        (Err(source), None) => {
            let file = if let FeedError::Input { place, .. } = &source { file_of(*place) } else { file };
            Err(ConvertError::Feed { file, source })
        }
    }
}

/// An input, opened, and what its beginning tells of all of it.
pub(crate) struct Beginning<'a> {
    pub(crate) chunks: Chunks<'a>,
    pub(crate) format: Format,
    /// From which times count, where they count from midnight.
    pub(crate) midnight: Timestamp,
    /// The date as given, or as its name or head tells it.
    pub(crate) date: Option<Date>,
    pub(crate) probe: Probe,
}

/// Opens `input`; `date` is that of its records and `zone` that of times which count from midnight, where it does not say so
/// itself.
pub(crate) fn begin<'a>(
    input: &Input,
    date: Option<Date>,
    zone: &TimeZone,
    progress: Progress<'a>,
) -> Result<Beginning<'a>, ConvertError> {
    let file = input.name();
    let read_error = |source| ConvertError::Read { file: file.clone(), source };
    let source = input.open(false, false).map_err(read_error)?;
    let mut chunks = source.chunks(progress, Threads::cores_to_spare()).map_err(read_error)?;
    let compression = chunks.compression();
    let first_bytes = chunks.peek(RECOGNISED_BY_BYTES);
    if let Some(problem) = foreign(first_bytes, compression) {
        return Err(ConvertError::Damaged { file, problem });
    }
    let format = Format::recognise(first_bytes, input);
    let date = date.or(input.date_of_name()).or_else(|| input.date_of_journal());
    let midnight = match (format, date) {
        (Format::Itch, None) => return Err(ConvertError::NoDate { file }),
        (Format::Itch | Format::Journal, Some(date)) => midnight(date, zone),
        (Format::Csv | Format::Binary | Format::Fix | Format::Dbn, _) | (Format::Journal, None) => Timestamp::MIN,
    };
    let probe = Probe::of(format, midnight, chunks.peek(Probe::bytes(format)), zone);
    let probe = probe.map_err(|source| ConvertError::Feed { file, source })?;
    Ok(Beginning { chunks, format, midnight, date, probe })
}

fn midnight(date: Date, zone: &TimeZone) -> Timestamp {
    let start = date.to_zoned(zone.clone()).map(|start| start.timestamp().as_microsecond());
    Timestamp::from_micros(start.unwrap_or(i64::MIN))
}

fn trading_date(date: Date) -> TradingDate {
    let part = |number: i8| number.unsigned_abs();
    TradingDate::new(date.year().unsigned_abs(), part(date.month()), part(date.day())).expect("a date of the calendar")
}
