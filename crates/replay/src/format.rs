//! Which form of events an input holds, and its decoder.
//!
//! The content decides; the name helps only where it tells the date, and where damage has made the content unreadable.

use crate::Input;
use jiff::civil::Date;
use quoteclock_feed::binary::{BinaryDecoder, looks_like_binary};
use quoteclock_feed::csv::{CsvDecoder, CsvScout};
use quoteclock_feed::dbn::{DbnDecoder, looks_like_dbn};
use quoteclock_feed::fix::{FixDecoder, looks_like_fix};
use quoteclock_feed::itch::{ItchDecoder, ItchScout, date_from_name, looks_like_itch};
use quoteclock_feed::{FeedError, Receiver, Scouted, TradingDate};
use quoteclock_model::Timestamp;
use quoteclock_wire::journal::{self, JournalDecoder, looks_like_journal};
use std::fs::File;
use std::io::Read;
use std::sync::Arc;

/// A form of events.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// The CSV of REFERENCE section 2.
    Csv,
    /// The binary form of `docs/EVENT_FORMAT.md`.
    Binary,
    /// NASDAQ TotalView-ITCH 5.0.
    Itch,
    /// A log of FIX messages.
    Fix,
    /// Databento's DBN, schema MBO.
    Dbn,
    /// The journal of a session, which holds one of the others.
    Journal,
}

/// How many bytes of an input, decompressed, tell its form.
///
/// The first message of a log stands behind whatever prefix its engine writes.
pub const RECOGNISED_BY_BYTES: usize = 1024;

impl Format {
    /// The form of an input that begins with `first_bytes`.
    pub fn recognise(first_bytes: &[u8], input: &Input) -> Format {
        Format::of_bytes(first_bytes, input.file_name().as_deref())
    }

    /// The form of what begins with `first_bytes` (at least [`RECOGNISED_BY_BYTES`], unless there are fewer) and has that
    /// name, if it has any.
    pub fn of_bytes(first_bytes: &[u8], name: Option<&str>) -> Format {
        if looks_like_binary(first_bytes) {
            return Format::Binary;
        }
        if looks_like_journal(first_bytes) {
            return Format::Journal;
        }
        if looks_like_dbn(first_bytes) {
            return Format::Dbn;
        }
        let named_itch = || name.is_some_and(|name| name.to_ascii_uppercase().contains("ITCH"));
        if looks_like_itch(first_bytes) || (!first_bytes.is_empty() && !first_bytes.is_ascii() && named_itch()) {
            Format::Itch
        } else if looks_like_fix(first_bytes) {
            Format::Fix
        } else {
            Format::Csv
        }
    }
}

impl Input {
    /// The date that a journal's head tells, where it is a plain file and its records leave the date to it.
    pub(crate) fn date_of_journal(&self) -> Option<Date> {
        let Input::File(path) = self else { return None };
        // What is read of a pipe is gone.
        path.metadata().ok().filter(std::fs::Metadata::is_file)?;
        let mut head = Vec::new();
        File::open(path).ok()?.take(journal::HEAD_BYTES as u64).read_to_end(&mut head).ok()?;
        journal::Head::read(&head).ok()?.date.and_then(civil_date)
    }

    /// The date that the file's name tells: one that begins MMDDYYYY, as the exchange names its ITCH files.
    pub fn date_of_name(&self) -> Option<Date> {
        let (year, month, day) = date_from_name(&self.file_name()?)?;
        civil_date(TradingDate::new(year, month, day)?)
    }
}

/// The same date as the calendar's type.
pub(crate) fn civil_date(date: TradingDate) -> Option<Date> {
    let part = |number: u8| i8::try_from(number).ok();
    Date::new(i16::try_from(date.year()).ok()?, part(date.month())?, part(date.day())?).ok()
}

/// A decoder of any form.
#[derive(Debug)]
pub enum Decoder {
    /// Of CSV.
    Csv(CsvDecoder),
    /// Of the binary form.
    Binary(BinaryDecoder),
    /// Of NASDAQ TotalView-ITCH 5.0.
    Itch(ItchDecoder),
    /// Of a log of FIX messages.
    Fix(Box<FixDecoder>),
    /// Of DBN.
    Dbn(Box<DbnDecoder>),
    /// Of the journal of a session.
    Journal(JournalDecoder),
}

/// Whoever reads chunks before their turn, in the forms of which almost all records go by the fast path.
#[derive(Debug)]
pub(crate) enum Scout {
    /// Of CSV.
    Csv(CsvScout),
    /// Of NASDAQ TotalView-ITCH 5.0.
    Itch(ItchScout),
}

impl Scout {
    /// Reads what it can of `chunk`, cut anywhere.
    pub(crate) fn read(&self, chunk: &[u8], scouted: &mut Scouted) {
        match self {
            Scout::Csv(scout) => scout.read(chunk, scouted),
            Scout::Itch(scout) => scout.read(chunk, scouted),
        }
    }
}

impl Decoder {
    /// A decoder of `format`; times that count from midnight do so from `midnight`.
    pub fn new(format: Format, midnight: Timestamp) -> Decoder {
        match format {
            Format::Csv => Decoder::Csv(CsvDecoder::default()),
            Format::Binary => Decoder::Binary(BinaryDecoder::default()),
            Format::Itch => Decoder::Itch(ItchDecoder::new(midnight)),
            Format::Fix => Decoder::Fix(Box::default()),
            Format::Dbn => Decoder::Dbn(Box::default()),
            Format::Journal => Decoder::Journal(JournalDecoder::new(midnight)),
        }
    }

    /// Takes the next bytes, cut anywhere, and gives what they hold to `receiver`.
    ///
    /// # Errors
    /// [`FeedError`] if this is no input of that form, or the receiver stops.
    pub fn push(&mut self, chunk: &[u8], receiver: &mut impl Receiver) -> Result<(), FeedError> {
        match self {
            Decoder::Csv(decoder) => decoder.push(chunk, receiver),
            Decoder::Binary(decoder) => decoder.push(chunk, receiver),
            Decoder::Itch(decoder) => decoder.push(chunk, receiver),
            Decoder::Fix(decoder) => decoder.push(chunk, receiver),
            Decoder::Dbn(decoder) => decoder.push(chunk, receiver),
            Decoder::Journal(decoder) => decoder.push(chunk, receiver),
        }
    }

    /// Whether chunks of its form can be read before their turn.
    pub(crate) fn may_be_scouted(&self) -> bool {
        matches!(self, Decoder::Csv(_) | Decoder::Itch(_))
    }

    /// Makes `scout` one that knows what this decoder knows by now: `None` where nothing can be read before its turn.
    pub(crate) fn instruct(&self, scout: &mut Option<Arc<Scout>>) {
        match (self, scout.as_deref()) {
            (Decoder::Csv(decoder), Some(Scout::Csv(scout))) if decoder.is_known_to(scout) => {}
            (Decoder::Itch(decoder), Some(Scout::Itch(scout))) if decoder.is_known_to(scout) => {}
            (Decoder::Csv(decoder), _) => *scout = decoder.scout().map(Scout::Csv).map(Arc::new),
            (Decoder::Itch(decoder), _) => *scout = decoder.scout().map(Scout::Itch).map(Arc::new),
            (Decoder::Binary(_) | Decoder::Fix(_) | Decoder::Dbn(_) | Decoder::Journal(_), _) => *scout = None,
        }
    }

    /// As [`Decoder::push`] of the next `chunk`, of which a [`Scout`] of this decoder has read something already.
    pub(crate) fn push_scouted(
        &mut self,
        chunk: &[u8],
        scouted: &Scouted,
        receiver: &mut impl Receiver,
    ) -> Result<(), FeedError> {
        match self {
            Decoder::Csv(decoder) => decoder.push_scouted(chunk, scouted, receiver),
            Decoder::Itch(decoder) => decoder.push_scouted(chunk, scouted, receiver),
            Decoder::Binary(_) | Decoder::Fix(_) | Decoder::Dbn(_) | Decoder::Journal(_) => self.push(chunk, receiver),
        }
    }

    /// Ends the input.
    ///
    /// # Errors
    /// As [`Decoder::push`].
    pub fn finish(self, receiver: &mut impl Receiver) -> Result<(), FeedError> {
        match self {
            Decoder::Csv(decoder) => decoder.finish(receiver),
            Decoder::Binary(decoder) => decoder.finish(receiver),
            Decoder::Itch(decoder) => decoder.finish(receiver),
            Decoder::Fix(decoder) => decoder.finish(receiver),
            Decoder::Dbn(decoder) => decoder.finish(receiver),
            Decoder::Journal(decoder) => decoder.finish(receiver),
        }
    }

    /// The beginning of a record that has not ended yet.
    pub fn unfinished(&self) -> &[u8] {
        match self {
            Decoder::Csv(decoder) => decoder.unfinished(),
            Decoder::Binary(decoder) => decoder.unfinished(),
            Decoder::Itch(decoder) => decoder.unfinished(),
            Decoder::Fix(decoder) => decoder.unfinished(),
            Decoder::Dbn(decoder) => decoder.unfinished(),
            Decoder::Journal(decoder) => decoder.unfinished(),
        }
    }

    /// The trading date that the input says of itself, where its form has a place for it.
    pub fn stated_date(&self) -> Option<Date> {
        match self {
            Decoder::Csv(_) | Decoder::Itch(_) | Decoder::Fix(_) | Decoder::Dbn(_) => None,
            Decoder::Binary(decoder) => decoder.header().and_then(|header| civil_date(header.date)),
            Decoder::Journal(decoder) => decoder.stated_date().and_then(civil_date),
        }
    }
}
