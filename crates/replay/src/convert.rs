//! Events of one form written in another, whole or an excerpt.
//!
//! A stream from a decoder to a writer. Where the target needs what the source leaves to the reader, or an excerpt begins
//! in mid-day, the books are rebuilt on the way: an execution gets the price of its order, and an excerpt begins with
//! what rests at that time, so that it replays strictly. What the books do not need is not judged here: a replay does.

use crate::chunks::ChunkError;
use crate::format::{Decoder, Format, RECOGNISED_BY_BYTES};
use crate::input::Input;
use crate::stored::Progress;
use crate::stream::foreign;
use crate::threads::Threads;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use quoteclock_book::{Book, BookError};
use quoteclock_feed::binary::{BinaryWriter, Header};
use quoteclock_feed::csv::CsvWriter;
use quoteclock_feed::{
    EventWriter, FeedError, Malformed, Place, RawRecord, Receiver, Sequence, Stop, TradingDate, UtcOffset,
};
use quoteclock_model::{
    IssueCode, IssueIndex, MarketEvent, OrderAction, Phase, Record, Scope, SequenceNo, ServerIndex, Timestamp,
};
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
    let source = input.open(false, false).map_err(read_error)?;
    let mut chunks = source.chunks(progress, Threads::cores_to_spare()).map_err(read_error)?;
    let compression = chunks.compression();
    let first_bytes = chunks.peek(RECOGNISED_BY_BYTES);
    if let Some(problem) = foreign(first_bytes, compression) {
        return Err(ConvertError::Damaged { file, problem });
    }
    let format = Format::recognise(first_bytes, input);
    let date = options.date.or(input.date_of_name()).or_else(|| input.date_of_journal());
    let midnight = match (format, date) {
        (Format::Itch, None) => return Err(ConvertError::NoDate { file }),
        (Format::Itch | Format::Journal, Some(date)) => midnight(date, &options.zone),
        (Format::Csv | Format::Binary | Format::Fix, _) | (Format::Journal, None) => Timestamp::MIN,
    };
    let probe = Probe::of(format, midnight, chunks.peek(PROBE_BYTES), &options.zone);
    let probe = probe.map_err(|source| ConvertError::Feed { file: file.clone(), source })?;
    let Some(date) = date.or(probe.date) else {
        return Err(match chunks.error_seen() {
            None => ConvertError::NoDate { file },
            Some(ChunkError::Io(source)) => read_error(source),
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

/// How much of an input is looked at to find out what its records carry.
const PROBE_BYTES: usize = 1 << 16;

/// What the beginning of an input tells of all of it.
struct Probe {
    date: Option<Date>,
    offset: UtcOffset,
    has_sequence: bool,
}

impl Probe {
    fn of(format: Format, midnight: Timestamp, first_bytes: &[u8], zone: &TimeZone) -> Result<Probe, FeedError> {
        let mut first = First::default();
        let mut decoder = Decoder::new(format, midnight);
        match decoder.push(first_bytes, &mut first) {
            Ok(()) | Err(FeedError::Stopped) => {}
            Err(error) => return Err(error),
        }
        let utc = UtcOffset::from_minutes(0).expect("zero is an offset");
        let mut offset = match &decoder {
            Decoder::Csv(decoder) => decoder.offset(),
            Decoder::Binary(decoder) => decoder.header().map_or(utc, |header| header.offset),
            Decoder::Itch(_) | Decoder::Journal(_) => offset_at(first.time.unwrap_or(midnight), zone).unwrap_or(utc),
            Decoder::Fix(_) => utc,
        };
        let mut has_sequence = first.has_sequence;
        if let Decoder::Binary(decoder) = &decoder
            && let Some(header) = decoder.header()
        {
            (offset, has_sequence) = (header.offset, header.has_sequence);
        }
        let date = decoder.stated_date().or_else(|| first.time.and_then(|time| date_at(time, offset)));
        Ok(Probe { date, offset, has_sequence })
    }
}

/// Takes the first record, and no more.
#[derive(Default)]
struct First {
    time: Option<Timestamp>,
    has_sequence: bool,
}

impl Receiver for First {
    fn issue(&mut self, _: IssueIndex, _: &IssueCode) {}
    fn server(&mut self, _: ServerIndex, _: &str) {}

    fn record(&mut self, record: &RawRecord<'_>) -> Result<(), Stop> {
        self.time = record.ts_event;
        self.has_sequence = record.sequence != Sequence::Absent;
        Err(Stop)
    }

    fn rest(&mut self, _: &[u8]) -> Result<(), Stop> {
        Err(Stop)
    }
}

/// A writer of either form.
enum AnyWriter<W: Write> {
    Csv(CsvWriter<W>),
    Binary(Box<BinaryWriter<W>>),
}

impl<W: Write> EventWriter for AnyWriter<W> {
    fn issue(&mut self, index: IssueIndex, code: &IssueCode) -> io::Result<()> {
        match self {
            AnyWriter::Csv(writer) => writer.issue(index, code),
            AnyWriter::Binary(writer) => writer.issue(index, code),
        }
    }

    fn server(&mut self, index: ServerIndex, name: &str) -> io::Result<()> {
        match self {
            AnyWriter::Csv(writer) => writer.server(index, name),
            AnyWriter::Binary(writer) => writer.server(index, name),
        }
    }

    fn event(&mut self, sequence: Option<SequenceNo>, record: &Record) -> io::Result<()> {
        match self {
            AnyWriter::Csv(writer) => writer.event(sequence, record),
            AnyWriter::Binary(writer) => writer.event(sequence, record),
        }
    }

    fn finish(self) -> io::Result<()> {
        match self {
            AnyWriter::Csv(writer) => writer.finish(),
            AnyWriter::Binary(writer) => writer.finish(),
        }
    }
}

/// The market as it stands, where the target or an excerpt needs it.
#[derive(Default)]
struct Books {
    books: BTreeMap<IssueIndex, Book>,
    phases: BTreeMap<IssueIndex, Phase>,
    market_phase: Option<Phase>,
}

impl Books {
    /// Applies an event; an execution whose price is left to its order gets that price.
    fn apply(&mut self, event: &mut MarketEvent) -> Result<(), BookError> {
        match event {
            MarketEvent::Order { issue, action } => {
                let book = self.books.entry(*issue).or_default();
                if let OrderAction::Trade { price: price @ None, orders, .. } = action {
                    let named = orders.iter().flatten().next();
                    *price = named.and_then(|&order| book.order(order)).and_then(|order| order.price);
                }
                book.apply(action, |_| None, |_| {})
            }
            MarketEvent::Phase { scope: Scope::Market, phase } => {
                self.market_phase = Some(*phase);
                Ok(())
            }
            MarketEvent::Phase { scope: Scope::Issue(issue), phase } => {
                self.phases.insert(*issue, *phase);
                Ok(())
            }
            MarketEvent::Clear { scope: Scope::Market } => {
                self.books.clear();
                Ok(())
            }
            MarketEvent::Clear { scope: Scope::Issue(issue) } => {
                self.books.remove(issue);
                Ok(())
            }
        }
    }

    /// Events that make an empty market what this one is.
    fn snapshot(&self) -> Vec<MarketEvent> {
        let market = self.market_phase.map(|phase| MarketEvent::Phase { scope: Scope::Market, phase });
        let phases = self.phases.iter();
        let phases = phases.map(|(&issue, &phase)| MarketEvent::Phase { scope: Scope::Issue(issue), phase });
        let orders = self.books.iter().flat_map(|(&issue, book)| {
            book.orders().into_iter().map(move |(order, resting)| MarketEvent::Order {
                issue,
                action: OrderAction::Add {
                    order,
                    server: resting.server,
                    side: resting.side,
                    price: resting.price,
                    quantity: resting.quantity,
                    condition: resting.condition,
                },
            })
        });
        market.into_iter().chain(phases).chain(orders).collect()
    }
}

enum Problem {
    Record(Place, RecordProblem),
    Write(io::Error),
}

/// Takes records and writes those that are wanted.
struct Converter<'a, W: Write> {
    writer: AnyWriter<W>,
    options: &'a ConvertOptions,
    /// The last number given, where an excerpt of numbered records counts anew.
    renumbered: Option<u64>,
    books: Option<Books>,
    issues: BTreeMap<IssueIndex, IssueCode>,
    last: Timestamp,
    /// Whether the excerpt has begun.
    begun: bool,
    written: u64,
    problem: Option<Problem>,
}

impl<W: Write> Converter<'_, W> {
    fn take(&mut self, record: &RawRecord<'_>) -> Result<(), Problem> {
        let problem = |problem: RecordProblem| Problem::Record(record.place, problem);
        let mut event = record.event.clone().map_err(|malformed| problem(malformed.into()))?;
        let ts_event = record.ts_event.expect("an event that can be read has a time");
        if ts_event < self.last {
            return Err(problem(RecordProblem::TimeBackwards));
        }
        self.last = ts_event;
        if !self.begun && self.options.from.is_some_and(|from| from <= ts_event) {
            self.begin()?;
        }
        if let Some(books) = &mut self.books {
            books.apply(&mut event).map_err(|error| problem(error.into()))?;
        }
        let sequence = match record.sequence {
            Sequence::Given(number) => Some(number),
            Sequence::Absent | Sequence::Unreadable => None,
        };
        if self.begun { self.write(sequence, &Record { ts_event, event }) } else { Ok(()) }
    }

    /// Begins an excerpt with what there is at its start.
    fn begin(&mut self) -> Result<(), Problem> {
        self.begun = true;
        let (Some(books), Some(ts_event)) = (&self.books, self.options.from) else { return Ok(()) };
        for event in books.snapshot() {
            self.write(None, &Record { ts_event, event })?;
        }
        Ok(())
    }

    fn write(&mut self, sequence: Option<SequenceNo>, record: &Record) -> Result<(), Problem> {
        let is_enough = self.options.limit.is_some_and(|limit| limit <= self.written);
        if is_enough || !self.is_wanted(record.event.scope()) {
            return Ok(());
        }
        let sequence = match &mut self.renumbered {
            Some(number) => {
                *number += 1;
                Some(SequenceNo(*number))
            }
            None => sequence,
        };
        self.writer.event(sequence, record).map_err(Problem::Write)?;
        self.written += 1;
        Ok(())
    }

    fn is_wanted(&self, scope: Scope) -> bool {
        match (scope, &self.options.issue) {
            (Scope::Market, _) | (Scope::Issue(_), None) => true,
            (Scope::Issue(issue), Some(wanted)) => self.issues.get(&issue) == Some(wanted),
        }
    }

    fn is_at_its_end(&self, record: &RawRecord<'_>) -> bool {
        self.options.limit.is_some_and(|limit| limit <= self.written)
            || record.ts_event.is_some_and(|time| self.options.to.is_some_and(|to| to <= time))
    }

    fn keep(&mut self, result: Result<(), Problem>) -> Result<(), Stop> {
        result.map_err(|problem| {
            self.problem = Some(problem);
            Stop
        })
    }
}

impl<W: Write> Receiver for Converter<'_, W> {
    fn issue(&mut self, index: IssueIndex, code: &IssueCode) {
        self.issues.insert(index, code.clone());
        if let Err(error) = self.writer.issue(index, code) {
            self.problem.get_or_insert(Problem::Write(error));
        }
    }

    fn server(&mut self, index: ServerIndex, name: &str) {
        if let Err(error) = self.writer.server(index, name) {
            self.problem.get_or_insert(Problem::Write(error));
        }
    }

    fn record(&mut self, record: &RawRecord<'_>) -> Result<(), Stop> {
        if self.problem.is_some() || self.is_at_its_end(record) {
            return Err(Stop);
        }
        let result = self.take(record);
        self.keep(result)
    }

    fn rest(&mut self, _: &[u8]) -> Result<(), Stop> {
        Err(Stop)
    }
}

fn midnight(date: Date, zone: &TimeZone) -> Timestamp {
    let start = date.to_zoned(zone.clone()).map(|start| start.timestamp().as_microsecond());
    Timestamp::from_micros(start.unwrap_or(i64::MIN))
}

fn offset_at(time: Timestamp, zone: &TimeZone) -> Option<UtcOffset> {
    let instant = jiff::Timestamp::from_microsecond(time.as_micros()).ok()?;
    UtcOffset::from_minutes(i16::try_from(zone.to_offset(instant).seconds() / 60).ok()?)
}

fn date_at(time: Timestamp, offset: UtcOffset) -> Option<Date> {
    let local = time.as_micros().checked_add(i64::from(offset.minutes()) * 60_000_000)?;
    Some(TimeZone::UTC.to_datetime(jiff::Timestamp::from_microsecond(local).ok()?).date())
}

fn trading_date(date: Date) -> TradingDate {
    let part = |number: i8| number.unsigned_abs();
    TradingDate::new(date.year().unsigned_abs(), part(date.month()), part(date.day())).expect("a date of the calendar")
}
