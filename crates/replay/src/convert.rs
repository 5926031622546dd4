//! Events of one form written in another, whole or an excerpt.
//!
//! A stream from a decoder to a writer. Where the target needs what the source leaves to the reader, or an excerpt begins
//! in mid-day, the books are rebuilt on the way: an execution gets the price of its order, and an excerpt begins with
//! what rests at that time, so that it replays strictly. What the books do not need is not judged here: a replay does.
//!
//! Several inputs of one date become one, in the order of their times; orders of one's own get their servers.

mod books;
mod converter;
mod probe;

use crate::beside::Beside;
use crate::chunks::{ChunkError, Chunks};
use crate::format::{Decoder, Format, RECOGNISED_BY_BYTES};
use crate::input::Input;
use crate::joined::{Clash, Joined};
use crate::merge::{self, Reader};
use crate::run::{DecodeError, decode, file_of};
use crate::stored::Progress;
use crate::stream::foreign;
use crate::threads::Threads;
use books::Books;
use converter::{AnyWriter, Converter, Merged, Problem};
use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use probe::Probe;
use quoteclock_book::BookError;
use quoteclock_engine::{Coverage, Fault};
use quoteclock_feed::binary::{BinaryWriter, Header};
use quoteclock_feed::csv::CsvWriter;
use quoteclock_feed::{EventWriter, FeedError, Malformed, Place, TradingDate};
use quoteclock_model::{IssueCode, Timestamp};
use std::collections::BTreeMap;
use std::io::{self, Write};
use thiserror::Error;

/// What is to be written.
///
/// ```
/// use quoteclock_model::IssueCode;
/// use quoteclock_replay::{ConvertOptions, Input, Target, UNWATCHED, convert};
///
/// let input = Input::named("../../replay-data/tse-small/2024-03-01.csv".as_ref());
/// let options = ConvertOptions { issue: IssueCode::new(b"1306"), limit: Some(10), ..ConvertOptions::to(Target::Csv) };
/// let mut text = Vec::new();
/// assert_eq!(convert(&input, &options, &mut text, UNWATCHED)?.record_count, 10);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
    /// What is written beside the input's own events: further inputs of the date, the servers of one's own orders.
    pub beside: Beside,
    /// The numbers of each of several inputs must rise, but not by exactly one: of what becomes one they are given anew.
    pub allow_gaps: bool,
}

impl ConvertOptions {
    /// The whole input in that form; times that count from midnight are those of New York.
    pub fn to(target: Target) -> ConvertOptions {
        let zone = TimeZoneDatabase::bundled().get("America/New_York").unwrap_or(TimeZone::UTC);
        let (issue, beside) = (None, Beside::default());
        ConvertOptions { target, date: None, zone, issue, from: None, to: None, limit: None, beside, allow_gaps: false }
    }
}

/// A form that can be written.
///
/// ```
/// use quoteclock_replay::{ConvertOptions, Target};
///
/// assert_eq!(ConvertOptions::to(Target::Binary).target, Target::Binary);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    /// Canonical CSV.
    Csv,
    /// The binary form.
    Binary,
}

/// Why an input cannot be converted.
///
/// ```
/// use quoteclock_replay::{ConvertError, ConvertOptions, Input, Target, UNWATCHED, convert};
///
/// let header = "time,issue,event,order,server,side,price,quantity";
/// let text = format!("{header}\n2024-03-01T09:00:00+09:00,1306,cancel,seven,,,,\n");
/// let input = Input::memory("day.csv", text.into_bytes());
/// let error = convert(&input, &ConvertOptions::to(Target::Csv), Vec::new(), UNWATCHED).unwrap_err();
/// assert!(matches!(error, ConvertError::Record { .. }), "{error}");
/// assert_eq!((error.file(), error.column()), (Some("day.csv"), Some("order")));
/// ```
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
            | ConvertError::NoIssue { file, .. }
            | ConvertError::OrdersTwice { file, .. } => Some(file),
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
            ConvertError::Record { problem: RecordProblem::Sequence(fault), .. } => fault.column(),
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
    /// Its number does not follow that of the record before it in its input.
    #[error(transparent)]
    Sequence(#[from] Fault),
}

/// What has been converted.
///
/// ```
/// use quoteclock_replay::{ConvertOptions, Converted, Input, Target, UNWATCHED, convert};
///
/// let input = Input::named("../../replay-data/tse-small/2024-03-01.csv".as_ref());
/// let converted = convert(&input, &ConvertOptions::to(Target::Binary), Vec::new(), UNWATCHED)?;
/// let Converted { record_count, unseen } = converted;
/// assert!(0 < record_count && unseen.is_empty(), "no orders are said to be one's own");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Converted {
    /// Records written.
    pub record_count: u64,
    /// One's own orders that have not been seen.
    pub unseen: Vec<Coverage>,
}

/// Converts `input`, and what is given beside it, to `output`, and says how many records were written.
///
/// # Errors
/// [`ConvertError`]; then what has been written is worth nothing.
///
/// ```
/// use quoteclock_replay::{ConvertOptions, Input, Target, UNWATCHED, convert};
///
/// let input = Input::named("../../replay-data/tse-small/2024-03-01.csv".as_ref());
/// let mut binary = Vec::new();
/// convert(&input, &ConvertOptions::to(Target::Binary), &mut binary, UNWATCHED)?;
/// let mut text = Vec::new();
/// convert(&Input::memory("day.qcev", binary), &ConvertOptions::to(Target::Csv), &mut text, UNWATCHED)?;
/// assert!(text.starts_with(b"seq,time,issue,event,"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn convert(
    input: &Input,
    options: &ConvertOptions,
    output: impl Write,
    progress: Progress<'_>,
) -> Result<Converted, ConvertError> {
    let inputs = options.beside.with(input);
    let given = options.date.or_else(|| inputs.iter().find_map(|input| input.date_of_name()));
    let begin = |input: &&Input| begin(input, given, &options.zone, progress);
    let mut sources = inputs.iter().map(begin).collect::<Result<Vec<_>, _>>()?;
    let Some(date) = sources.iter().find_map(|source| source.date.or(source.probe.date)) else {
        return Err(no_date(input, &mut sources[0].chunks));
    };
    let converter = converter_of(&sources, options, date, output);
    let compressions: Vec<_> = sources.iter().map(|source| source.chunks.compression()).collect();
    let mut pushed = push(sources, converter);
    pushed.converter.begin_at_the_end();
    let (converter, unseen) = pushed.checked(&inputs, &compressions)?;
    let record_count = converter.written;
    converter.writer.finish()?;
    Ok(Converted { record_count, unseen })
}

/// What takes the records of `sources` and writes those of `date` that are wanted.
fn converter_of<'a, W: Write>(
    sources: &[Beginning<'_>],
    options: &'a ConvertOptions,
    date: Date,
    output: W,
) -> Converter<'a, W> {
    let is_excerpt = options.issue.is_some() || options.from.is_some();
    let is_merged = 1 < sources.len();
    let has_sequence = sources.iter().any(|source| source.probe.has_sequence);
    let offset = sources[0].probe.offset;
    let leaves_prices = sources.iter().any(|source| matches!(source.format, Format::Itch | Format::Journal));
    let writer = match options.target {
        Target::Csv => AnyWriter::Csv(CsvWriter::new(output, has_sequence, offset)),
        Target::Binary => {
            let header = Header { date: trading_date(date), offset, has_sequence };
            AnyWriter::Binary(Box::new(BinaryWriter::new(output, &header)))
        }
    };
    Converter {
        writer,
        options,
        renumbered: (has_sequence && (is_excerpt || is_merged)).then_some(0),
        merged: is_merged.then(Merged::default),
        books: (options.from.is_some() || (leaves_prices && options.target == Target::Csv)).then(Books::default),
        issues: BTreeMap::new(),
        last: Timestamp::MIN,
        begun: options.from.is_none(),
        written: 0,
        problem: None,
    }
}

/// Why no date is known of an input.
fn no_date(input: &Input, chunks: &mut Chunks<'_>) -> ConvertError {
    let file = input.name();
    match chunks.error_seen() {
        None => ConvertError::NoDate { file },
        Some(ChunkError::Io(source)) => ConvertError::Read { file, source },
        Some(ChunkError::Stopped) => ConvertError::Stopped { file },
        Some(ChunkError::Broken { problem, .. }) => ConvertError::Damaged { file, problem },
    }
}

/// What has been pushed, and what ended it.
struct Pushed<'a, W: Write> {
    /// An error, and of which input.
    result: Result<(), (usize, DecodeError)>,
    converter: Converter<'a, W>,
    /// The input of the last record.
    at: usize,
    clash: Option<Clash>,
    unseen: Vec<Coverage>,
}

impl<'a, W: Write> Pushed<'a, W> {
    /// The converter and the orders of one's own that have not been seen, unless something was wrong with an input or the
    /// output.
    fn checked(
        mut self,
        inputs: &[&Input],
        compressions: &[Option<&'static str>],
    ) -> Result<(Converter<'a, W>, Vec<Coverage>), ConvertError> {
        let named = |input: usize| inputs[input].name();
        let placed = |input: usize, place| file_of(inputs[input], compressions[input], place);
        if let Some(Clash { issue, inputs: [first, second] }) = self.clash {
            return Err(ConvertError::OrdersTwice { file: named(second), issue, first: named(first) });
        }
        let is_whole = matches!(self.result, Ok(()) | Err((_, DecodeError::Feed(FeedError::Stopped))));
        let problem = self.converter.problem.take();
        if let (true, None, Some(issue)) = (is_whole, &problem, self.converter.unnamed()) {
            return Err(ConvertError::NoIssue { file: named(0), issue: issue.clone() });
        }
        match (self.result, problem) {
            (Err((input, DecodeError::Io(source))), _) => Err(ConvertError::Read { file: named(input), source }),
            (Err((input, DecodeError::Watcher)), _) => Err(ConvertError::Stopped { file: named(input) }),
            (_, Some(Problem::Write(error))) => Err(error.into()),
            (_, Some(Problem::Damaged(place, problem))) => {
                Err(ConvertError::Damaged { file: named(self.at), problem: format!("decompressed {place}: {problem}") })
            }
            (_, Some(Problem::Record(place, problem))) => {
                Err(ConvertError::Record { file: placed(self.at, Some(place)), place, problem })
            }
            (Err((_, DecodeError::Feed(FeedError::Stopped))) | Ok(()), None) => Ok((self.converter, self.unseen)),
            (Err((input, DecodeError::Feed(source))), None) => {
                Err(ConvertError::Feed { file: placed(input, source.place()), source })
            }
        }
    }
}

/// Pushes all inputs through a converter; a single one keeps its names as they are numbered, also those that no record uses.
fn push<'a, W: Write>(mut sources: Vec<Beginning<'_>>, mut converter: Converter<'a, W>) -> Pushed<'a, W> {
    let beside = &converter.options.beside;
    if let ([Beginning { chunks, format, midnight, .. }], None) = (&mut sources[..], &beside.own_orders) {
        let decoded = decode(chunks, Decoder::new(*format, *midnight), &mut converter, None);
        return Pushed {
            result: decoded.map_err(|error| (0, error)),
            converter,
            at: 0,
            clash: None,
            unseen: Vec::new(),
        };
    }
    let (parts, own_orders) = (beside.parts(), beside.own_orders.clone());
    let mut readers: Vec<_> = sources.into_iter().map(Beginning::into_reader).collect();
    let mut joined = Joined::new(converter, parts, own_orders);
    let result = merge::merge(&mut readers, &mut joined);
    let unseen = joined.unseen().collect();
    Pushed { result, at: joined.at, clash: joined.clash, converter: joined.run, unseen }
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

impl<'a> Beginning<'a> {
    /// Whoever reads it.
    pub(crate) fn into_reader(self) -> Reader<'a> {
        Reader::new(self.chunks, Decoder::new(self.format, self.midnight))
    }
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
