//! A recorded file as messages, with the time of each.

use super::{PublishOptions, Published};
use crate::address::Publication;
use crate::spool::{Spool, SpoolWriter};
use anyhow::{Context, Result, anyhow, bail};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use quoteclock_feed::binary::{Header, MessageWriter};
use quoteclock_feed::csv::CsvDecoder;
use quoteclock_feed::itch::{Framing, ItchDecoder, ItchWriter};
use quoteclock_feed::{EventWriter, FeedError, RawRecord, Receiver, Sequence, Stop, TradingDate, UtcOffset};
use quoteclock_model::{IssueCode, IssueIndex, Record, ServerIndex, Timestamp};
use quoteclock_replay::{ConvertOptions, Decoder, Format, Input, Target, UNWATCHED, convert, read_raw};
use quoteclock_wire::SessionId;
use quoteclock_wire::payload::Payload;
use quoteclock_wire::{mold, soup};
use std::collections::VecDeque;
use std::io::{self, Write};

/// The zone in which NASDAQ's times are local.
const ITCH_ZONE: &str = "America/New_York";

/// Reads the file and writes its messages aside.
pub(super) fn read(options: &PublishOptions) -> Result<Published> {
    let input = &options.input;
    let message_bytes_max = match options.publication {
        Publication::Soup(_) => soup::message_bytes_max(),
        Publication::Mold(_) | Publication::Nats(_) => mold::MESSAGE_BYTES_MAX,
    };
    let writer = SpoolWriter::new(message_bytes_max).context("writing the messages aside")?;
    let reading = || format!("{}: cannot be published", input.name());
    let format = recognise(input).with_context(reading)?;
    let payload = options.payload.unwrap_or(match format {
        Format::Binary => Payload::Binary,
        Format::Itch => Payload::Itch,
        Format::Csv | Format::Fix | Format::Dbn | Format::Journal => Payload::Csv,
    });
    let spool = match (format, payload) {
        (Format::Journal, _) => Err(anyhow!("a journal, expected a file of events (quoteclock convert makes one)")),
        (Format::Csv, Payload::Csv) => lines(input, writer),
        (Format::Itch, Payload::Itch) => itch(input, writer),
        (_, Payload::Csv) => converted_lines(input, writer),
        (_, Payload::Binary) => records(input, format, writer, binary_writer),
        (_, Payload::Itch) => records(input, format, writer, itch_writer),
        (_, Payload::Fix | Payload::Dbn) => {
            Err(anyhow!("{payload}, expected csv, binary or itch: a session carries no other messages"))
        }
    };
    let spool = spool.with_context(reading)?;
    let local = |micros: i64| utc_date(micros.saturating_add(i64::from(spool.offset().minutes()) * 60_000_000));
    let session = session_name(input.date_of_name().or_else(|| spool.first_time().and_then(local)));
    Ok(Published { spools: vec![spool], session, whole: None })
}

/// The form of the input, told by its first bytes.
pub(super) fn recognise(input: &Input) -> Result<Format> {
    if *input == Input::Stdin {
        bail!("standard input, expected a file: every client reads it from its own place");
    }
    let mut found = Format::recognise(&[], input);
    let result = read_raw(input, UNWATCHED, |format, _| {
        found = format;
        // The first chunk is enough.
        Err(Enough::Yes)
    });
    match result {
        Err(Enough::Io(error)) => Err(error.into()),
        Ok(()) | Err(Enough::Yes) => Ok(found),
    }
}

enum Enough {
    Yes,
    Io(io::Error),
}

impl From<io::Error> for Enough {
    fn from(error: io::Error) -> Enough {
        Enough::Io(error)
    }
}

/// `QC` and the date.
pub(super) fn session_name(date: Option<Date>) -> SessionId {
    let digits = date.map_or_else(|| "00000001".to_owned(), |date| date.strftime("%Y%m%d").to_string());
    SessionId::new(format!("QC{digits}").as_bytes()).unwrap_or_else(|| unreachable!("ten visible characters"))
}

fn utc_date(micros: i64) -> Option<Date> {
    let instant = jiff::Timestamp::from_microsecond(micros).ok()?;
    Some(TimeZone::UTC.to_datetime(instant).date())
}

/// CSV as it stands: each line is a message, good or bad.
fn lines(input: &Input, writer: SpoolWriter) -> Result<Spool> {
    let mut sink = Lines::new(writer);
    read_raw::<anyhow::Error>(input, UNWATCHED, |_, chunk| sink.take(chunk))?;
    sink.finish()
}

/// The events of another form as CSV.
fn converted_lines(input: &Input, writer: SpoolWriter) -> Result<Spool> {
    let zone = TimeZone::get(ITCH_ZONE).context("the zone of ITCH")?;
    let options = ConvertOptions { zone, ..ConvertOptions::to(Target::Csv) };
    let mut sink = Lines::new(writer);
    convert(input, &options, &mut sink, UNWATCHED)?;
    sink.finish()
}

/// Cuts CSV into lines, and finds the time of each.
struct Lines {
    writer: SpoolWriter,
    decoder: CsvDecoder,
    line: Vec<u8>,
    has_header: bool,
    times: Times,
}

impl Lines {
    fn new(writer: SpoolWriter) -> Lines {
        let (decoder, times) = (CsvDecoder::default(), Times::default());
        Lines { writer, decoder, line: Vec::new(), has_header: false, times }
    }

    fn take(&mut self, mut chunk: &[u8]) -> Result<()> {
        while let Some(end) = chunk.iter().position(|&byte| byte == b'\n') {
            let (head, rest) = chunk.split_at(end + 1);
            self.decoder.push(head, &mut self.times)?;
            self.line.extend_from_slice(&head[..end]);
            self.end_line()?;
            chunk = rest;
        }
        self.decoder.push(chunk, &mut self.times)?;
        self.line.extend_from_slice(chunk);
        Ok(())
    }

    fn end_line(&mut self) -> Result<()> {
        let time =
            if std::mem::replace(&mut self.has_header, true) { self.times.0.pop_front().flatten() } else { None };
        let line = self.line.strip_suffix(b"\r").unwrap_or(&self.line);
        self.writer.push(time, line)?;
        self.line.clear();
        Ok(())
    }

    fn finish(mut self) -> Result<Spool> {
        let decoder = std::mem::take(&mut self.decoder);
        self.writer.set_offset(decoder.offset());
        decoder.finish(&mut self.times)?;
        if !self.line.is_empty() {
            self.end_line()?;
        }
        self.writer.finish()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.take(bytes).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The times of records, in order.
#[derive(Default)]
struct Times(VecDeque<Option<i64>>);

impl Receiver for Times {
    fn issue(&mut self, _: IssueIndex, _: &IssueCode) {}
    fn server(&mut self, _: ServerIndex, _: &str) {}

    fn record(&mut self, record: &RawRecord<'_>) -> Result<(), Stop> {
        self.0.push_back(record.ts_event.map(Timestamp::as_micros));
        Ok(())
    }

    fn rest(&mut self, _: &[u8]) -> Result<(), Stop> {
        Ok(())
    }
}

/// ITCH as it stands, in either framing: each message with the time that it carries.
fn itch(input: &Input, mut writer: SpoolWriter) -> Result<Spool> {
    let mut messages = ItchMessages::default();
    read_raw::<anyhow::Error>(input, UNWATCHED, |_, chunk| {
        messages.push(chunk, |message| writer.push(itch_time(message), message))
    })?;
    if !messages.held.is_empty() {
        bail!("the end of the file after {} bytes of a frame, expected a whole frame", messages.held.len());
    }
    writer.finish()
}

/// The time that an ITCH message carries, in whole microseconds from midnight.
fn itch_time(message: &[u8]) -> Option<i64> {
    const TIME_AT: std::ops::Range<usize> = 5..11;
    let nanos = message.get(TIME_AT)?.iter().fold(0_i64, |nanos, &byte| nanos << 8 | i64::from(byte));
    Some(nanos / 1000)
}

/// Cuts a file of ITCH into messages.
#[derive(Default)]
struct ItchMessages {
    framing: Option<Framing>,
    held: Vec<u8>,
}

impl ItchMessages {
    fn push(&mut self, chunk: &[u8], mut take: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        self.held.extend_from_slice(chunk);
        let framing = *self.framing.get_or_insert_with(|| {
            let mut decoder = ItchDecoder::new(Timestamp::MIN);
            // The first bytes tell; what they say is not looked at.
            let _ = decoder.push(&self.held[..self.held.len().min(4)], &mut Times::default());
            decoder.framing().unwrap_or(Framing::LengthPrefixed)
        });
        let mut used = 0;
        while let Some((frame, rest)) = mold::block(&self.held[used..]) {
            match (framing, frame) {
                (Framing::LengthPrefixed, []) => {}
                (Framing::LengthPrefixed, message) | (Framing::SoupBinTcp, [b'S' | b'U', message @ ..]) => {
                    take(message)?
                }
                (Framing::SoupBinTcp, _) => {}
            }
            used = self.held.len() - rest.len();
        }
        self.held.drain(..used);
        Ok(())
    }
}

/// Sends the events of a file through a writer.
type Run<'a> = &'a mut dyn FnMut(&mut dyn AnyWriter) -> Result<()>;

/// The events of a file, written anew by a writer of messages.
fn records(
    input: &Input,
    format: Format,
    mut spool: SpoolWriter,
    forward: fn(&SourceDay, Run<'_>, &mut SpoolWriter) -> Result<()>,
) -> Result<Spool> {
    let day = SourceDay::of(input, format)?;
    spool.set_offset(day.offset);
    forward(&day, &mut |writer| day.forward(input, writer, false), &mut spool)?;
    spool.finish()
}

/// What writers need to know of the file beforehand.
pub(super) struct SourceDay {
    format: Format,
    pub(super) date: Date,
    pub(super) offset: UtcOffset,
    midnight: Timestamp,
}

impl SourceDay {
    pub(super) fn of(input: &Input, format: Format) -> Result<SourceDay> {
        if format == Format::Itch {
            let zone = TimeZone::get(ITCH_ZONE).context("the zone of ITCH")?;
            let expected = "ITCH, expected a name that begins MMDDYYYY, which tells its date";
            let date = input.date_of_name().ok_or_else(|| anyhow!(expected))?;
            let midnight = date.to_zoned(zone.clone())?;
            let offset = i16::try_from(midnight.offset().seconds() / 60).ok().and_then(UtcOffset::from_minutes);
            let midnight = Timestamp::from_micros(midnight.timestamp().as_microsecond());
            return Ok(SourceDay { format, date, offset: offset.unwrap_or_default(), midnight });
        }
        let (mut decoder, mut first) = (Decoder::new(format, Timestamp::MIN), First::default());
        let result = read_raw::<Failed>(input, UNWATCHED, |_, chunk| Ok(decoder.push(chunk, &mut first)?));
        match result {
            Ok(()) | Err(Failed::Feed(FeedError::Stopped)) => {}
            Err(error) => return Err(error.into()),
        }
        let (header, written) = match &decoder {
            Decoder::Binary(decoder) => (decoder.header(), None),
            Decoder::Csv(decoder) => (None, Some(decoder.offset())),
            _ => (None, None),
        };
        let offset = header.map_or_else(|| written.unwrap_or_default(), |header| header.offset);
        let local = first.0.map(|time| time.as_micros().saturating_add(i64::from(offset.minutes()) * 60_000_000));
        let stated = header.and_then(|header| {
            let part = |number: u8| i8::try_from(number).ok();
            let year = i16::try_from(header.date.year()).ok()?;
            Date::new(year, part(header.date.month())?, part(header.date.day())?).ok()
        });
        let date = local.and_then(utc_date).or(stated);
        let date = date.ok_or_else(|| anyhow!("no record with a readable time, expected at least one"))?;
        let start = date.to_zoned(TimeZone::UTC)?.timestamp().as_microsecond();
        let midnight = Timestamp::from_micros(start - i64::from(offset.minutes()) * 60_000_000);
        Ok(SourceDay { format, date, offset, midnight })
    }

    /// Sends the events of the file through a writer; `in_order` refuses what does not follow what came before it.
    pub(super) fn forward(&self, input: &Input, writer: &mut dyn AnyWriter, in_order: bool) -> Result<()> {
        let mut forward = Forward { writer, problem: None, last: in_order.then(LastRecord::default) };
        let mut decoder = Decoder::new(self.format, self.midnight);
        let mut result = read_raw::<Failed>(input, UNWATCHED, |_, chunk| Ok(decoder.push(chunk, &mut forward)?));
        if result.is_ok() {
            result = decoder.finish(&mut forward).map_err(Failed::Feed);
        }
        match forward.problem {
            Some(problem) => Err(problem),
            None => Ok(result?),
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Feed(#[from] FeedError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Takes the time of the first record that has one, and no more.
#[derive(Default)]
struct First(Option<Timestamp>);

impl Receiver for First {
    fn issue(&mut self, _: IssueIndex, _: &IssueCode) {}
    fn server(&mut self, _: ServerIndex, _: &str) {}

    fn record(&mut self, record: &RawRecord<'_>) -> Result<(), Stop> {
        self.0 = record.ts_event;
        if self.0.is_some() { Err(Stop) } else { Ok(()) }
    }

    fn rest(&mut self, _: &[u8]) -> Result<(), Stop> {
        Ok(())
    }
}

/// An [`EventWriter`] of any form.
pub(super) trait AnyWriter {
    fn issue(&mut self, index: IssueIndex, code: &IssueCode) -> io::Result<()>;
    fn server(&mut self, index: ServerIndex, name: &str) -> io::Result<()>;
    fn event(&mut self, record: &Record) -> io::Result<()>;
}

impl<W: EventWriter> AnyWriter for W {
    fn issue(&mut self, index: IssueIndex, code: &IssueCode) -> io::Result<()> {
        EventWriter::issue(self, index, code)
    }
    fn server(&mut self, index: ServerIndex, name: &str) -> io::Result<()> {
        EventWriter::server(self, index, name)
    }
    fn event(&mut self, record: &Record) -> io::Result<()> {
        EventWriter::event(self, None, record)
    }
}

/// Hands records on to a writer; a bad one cannot be written in another form.
struct Forward<'a> {
    writer: &'a mut dyn AnyWriter,
    problem: Option<anyhow::Error>,
    /// What came before, where that is looked at.
    last: Option<LastRecord>,
}

/// The last record: whoever gets a part of the records cannot tell that they were not in order.
#[derive(Default)]
struct LastRecord {
    time: Option<Timestamp>,
    sequence: Option<u64>,
}

impl LastRecord {
    /// Whether a record follows the last.
    fn follows(&mut self, time: Timestamp, sequence: Sequence) -> bool {
        let sequence = match sequence {
            Sequence::Given(number) => Some(number.0),
            _ => None,
        };
        let in_time = self.time.replace(time).is_none_or(|last| last <= time);
        let last = std::mem::replace(&mut self.sequence, sequence);
        in_time && last.is_none_or(|last| sequence == last.checked_add(1))
    }
}

impl Forward<'_> {
    fn keep(&mut self, result: io::Result<()>) {
        if let Err(error) = result {
            self.problem.get_or_insert(error.into());
        }
    }
}

impl Receiver for Forward<'_> {
    fn issue(&mut self, index: IssueIndex, code: &IssueCode) {
        let result = self.writer.issue(index, code);
        self.keep(result);
    }

    fn server(&mut self, index: ServerIndex, name: &str) {
        let result = self.writer.server(index, name);
        self.keep(result);
    }

    fn record(&mut self, record: &RawRecord<'_>) -> Result<(), Stop> {
        match (&record.event, record.ts_event, record.sequence) {
            (Err(malformed), ..) => {
                let advice = "a bad record can be published as it stands only, in the file's own form";
                self.problem.get_or_insert(anyhow!("{}: {malformed}; {advice}", record.place));
            }
            (Ok(_), Some(ts_event), Sequence::Absent | Sequence::Given(_))
                if self.last.as_mut().is_some_and(|last| !last.follows(ts_event, record.sequence)) =>
            {
                let advice =
                    "its time or number does not follow the one before; such a day can be published whole only";
                self.problem.get_or_insert(anyhow!("{}: {advice}", record.place));
            }
            (Ok(event), Some(ts_event), Sequence::Absent | Sequence::Given(_)) => {
                let result = self.writer.event(&Record { ts_event, event: *event });
                let place = record.place;
                if let Err(error) = result {
                    self.problem.get_or_insert(anyhow!("{place}: {error}"));
                }
            }
            (Ok(_), ..) => {
                self.problem.get_or_insert(anyhow!("{}: a record without a readable time or number", record.place));
            }
        }
        if self.problem.is_some() { Err(Stop) } else { Ok(()) }
    }

    fn rest(&mut self, _: &[u8]) -> Result<(), Stop> {
        Ok(())
    }
}

/// Messages of the binary form.
fn binary_writer(day: &SourceDay, run: Run<'_>, spool: &mut SpoolWriter) -> Result<()> {
    let part = |number: i8| number.unsigned_abs();
    let date = TradingDate::new(day.date.year().unsigned_abs(), part(day.date.month()), part(day.date.day()));
    let date = date.ok_or_else(|| anyhow!("a date outside the calendar"))?;
    let header = Header { date, offset: day.offset, has_sequence: false };
    let mut writer = MessageWriter::new(&header, |time: Option<Timestamp>, message: &[u8]| {
        spool.push(time.map(Timestamp::as_micros), message).map_err(io::Error::other)
    })?;
    run(&mut writer)
}

/// Messages of ITCH.
fn itch_writer(day: &SourceDay, run: Run<'_>, spool: &mut SpoolWriter) -> Result<()> {
    let mut writer = ItchWriter::new(Framed { spool, messages: ItchMessages::default() }, day.midnight);
    run(&mut writer)
}

/// Takes ITCH in the exchange's file form.
struct Framed<'a> {
    spool: &'a mut SpoolWriter,
    messages: ItchMessages,
}

impl Write for Framed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.messages.framing = Some(Framing::LengthPrefixed);
        let spool = &mut self.spool;
        let pushed = self.messages.push(bytes, |message| spool.push(itch_time(message), message));
        pushed.map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
