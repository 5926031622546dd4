//! What the beginning of an input tells of all of it.

use crate::format::{Decoder, Format};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use quoteclock_feed::{FeedError, RawRecord, Receiver, Sequence, Stop, UtcOffset};
use quoteclock_model::{IssueCode, IssueIndex, ServerIndex, Timestamp};

/// How much of an input is looked at to find out what its records carry.
const PROBE_BYTES: usize = 1 << 16;
/// The same of a form whose head names every instrument.
const LONG_HEAD_BYTES: usize = 1 << 23;

/// What the beginning of an input tells of all of it.
pub(crate) struct Probe {
    pub(crate) date: Option<Date>,
    pub(crate) offset: UtcOffset,
    pub(crate) has_sequence: bool,
}

impl Probe {
    /// How much of an input of that form is looked at.
    pub(super) fn bytes(format: Format) -> usize {
        if format == Format::Dbn { LONG_HEAD_BYTES } else { PROBE_BYTES }
    }

    pub(super) fn of(
        format: Format,
        midnight: Timestamp,
        first_bytes: &[u8],
        zone: &TimeZone,
    ) -> Result<Probe, FeedError> {
        let mut first = First::default();
        let mut decoder = Decoder::new(format, midnight);
        match decoder.push(first_bytes, &mut first) {
            Ok(()) | Err(FeedError::Stopped) => {}
            Err(error) => return Err(error),
        }
        // What is cut off within its head has no record; it says so when it ends.
        if matches!(decoder, Decoder::Dbn(_)) && first.time.is_none() && first_bytes.len() < Probe::bytes(format) {
            let ended = std::mem::replace(&mut decoder, Decoder::new(format, midnight)).finish(&mut first);
            ended.or_else(|error| if error == FeedError::Stopped { Ok(()) } else { Err(error) })?;
        }
        let utc = UtcOffset::from_minutes(0).expect("zero is an offset");
        let mut offset = match &decoder {
            Decoder::Csv(decoder) => decoder.offset(),
            Decoder::Binary(decoder) => decoder.header().map_or(utc, |header| header.offset),
            Decoder::Itch(_) | Decoder::Journal(_) => offset_at(first.time.unwrap_or(midnight), zone).unwrap_or(utc),
            Decoder::Fix(_) | Decoder::Dbn(_) => utc,
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

fn offset_at(time: Timestamp, zone: &TimeZone) -> Option<UtcOffset> {
    let instant = jiff::Timestamp::from_microsecond(time.as_micros()).ok()?;
    UtcOffset::from_minutes(i16::try_from(zone.to_offset(instant).seconds() / 60).ok()?)
}

fn date_at(time: Timestamp, offset: UtcOffset) -> Option<Date> {
    let local = time.as_micros().checked_add(i64::from(offset.minutes()) * 60_000_000)?;
    Some(TimeZone::UTC.to_datetime(jiff::Timestamp::from_microsecond(local).ok()?).date())
}
