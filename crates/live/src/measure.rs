//! The engine's own thread: a journal, read from its beginning and then followed as it grows, measured as
//! `replay --lenient` measures a file.
//!
//! Frames come over a bounded channel, many messages at once. The journal on the disk is the same bytes, so that whatever
//! has to be measured again (after a restart, for a doubt that reaches back, under another registry) reads it there.

use crate::clock;
use crate::disk::DiskFile;
use crate::journal::JournalReader;
use anyhow::{Context, Result, anyhow};
use crossbeam_channel::{Receiver, Sender, bounded};
use hdrhistogram::Histogram;
use jiff::civil::Date;
use quoteclock_engine::{BadRecord, Day, DayOptions, Finished, RejectSink, UnknownWindow};
use quoteclock_feed::{FeedError, TradingDate};
use quoteclock_ledger::{DayLedger, OpenLedger};
use quoteclock_model::Timestamp;
use quoteclock_rules::Registry;
use quoteclock_wire::journal::{self, Frame, HEAD_BYTES, Head};
use quoteclock_wire::payload::{Payload, PayloadDecoder};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Frames that wait for the engine: when there are so many, the feed waits.
const WAITING_MAX: usize = 64;
/// Of the records set aside, so many are told in the log.
const TOLD_MAX: u64 = 20;

/// The day that is being measured.
pub(crate) type LiveDay = Day<OpenLedger, Told>;

/// What the engine's thread is given.
pub(crate) enum Work {
    /// A frame that is in the journal, and when its bytes were read from the socket.
    Frame(Vec<u8>, Duration),
    /// The journal has grown to so many bytes: read it up to there.
    ReadTo(u64),
    /// Somebody wants to look at the day as it stands.
    Look(Box<dyn FnOnce(&mut LiveDay) + Send>),
}

impl std::fmt::Debug for Work {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Work::Frame(bytes, _) => write!(f, "Frame of {} bytes", bytes.len()),
            Work::ReadTo(length) => write!(f, "ReadTo {length}"),
            Work::Look(_) => f.write_str("Look"),
        }
    }
}

/// A day that was measured to its end.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) finished: Finished,
    pub(crate) ledger: DayLedger,
}

/// The engine's thread.
#[derive(Debug)]
pub(crate) struct Measuring {
    work: Sender<Work>,
    thread: JoinHandle<Result<Option<Measured>>>,
    told: Arc<Progress>,
}

/// What the engine's thread tells while it runs.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// How far it has read the journal.
    length: AtomicU64,
    /// Whether time that it has told has turned out to be unknown since, beyond what it was told beforehand.
    told_too_early: AtomicBool,
}

/// What is measured, and under what.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) registry: Registry,
    pub(crate) head: Head,
    pub(crate) file: Arc<dyn DiskFile>,
    /// How far the journal is written: from there on frames come as work.
    pub(crate) length: u64,
    /// Time that an earlier measurement has found to be unknown.
    pub(crate) unknown: Vec<UnknownWindow>,
}

impl Measuring {
    /// Starts to measure the journal, from its beginning.
    pub(crate) fn start(source: Source) -> Result<Measuring> {
        let (work, given) = bounded(WAITING_MAX);
        let thread = std::thread::Builder::new().name("engine".to_owned());
        let told = Arc::new(Progress::default());
        let progress = Arc::clone(&told);
        let thread = thread.spawn(move || run(&source, &given, &progress)).context("starting the engine's thread")?;
        Ok(Measuring { work, thread, told })
    }

    /// How far it has read the journal.
    pub(crate) fn length(&self) -> u64 {
        self.told.length.load(Ordering::Acquire)
    }

    /// Whether its day has to be measured again, because time that it has told has turned out to be unknown.
    pub(crate) fn told_too_early(&self) -> bool {
        self.told.told_too_early.load(Ordering::Acquire)
    }

    /// Whether it has stopped by itself.
    pub(crate) fn has_stopped(&self) -> bool {
        self.thread.is_finished()
    }

    /// Where work goes.
    pub(crate) fn work(&self) -> &Sender<Work> {
        &self.work
    }

    /// Waits for the end of the day; `None` if the session has not ended.
    pub(crate) fn join(self) -> Result<Option<Measured>> {
        drop(self.work);
        match self.thread.join() {
            Ok(result) => result,
            Err(_) => Err(anyhow!("the engine's thread has panicked")),
        }
    }
}

/// Counts records set aside, and tells the first of them.
#[derive(Debug, Default)]
pub(crate) struct Told(u64);

impl RejectSink for Told {
    fn reject(&mut self, bad: &BadRecord, _: &[u8]) {
        self.0 += 1;
        // What is wrong is told, not whose order it was: no name and no number of the record is in the log.
        if self.0 <= TOLD_MAX {
            tracing::warn!(place = %bad.place, kind = fault_kind(bad), "a bad record was set aside");
        }
    }

    fn rest(&mut self, _: &[u8]) {}
}

fn fault_kind(bad: &BadRecord) -> &'static str {
    use quoteclock_engine::Fault;
    match &bad.fault {
        Fault::Malformed(malformed) => malformed.expected,
        Fault::TimeBackwards { .. } => "time goes backwards",
        Fault::OtherDate { .. } => "another date",
        Fault::SequenceGap { .. } => "records are missing before it",
        Fault::SequenceRepeat { .. } => "its number has been there",
        Fault::Book(_) => "it does not fit the book",
        _ => "the input is damaged",
    }
}

/// A pass over a journal.
struct Pass {
    day: LiveDay,
    decoder: PayloadDecoder,
    ended: bool,
    /// How far the journal has been read.
    length: u64,
    /// What it was told beforehand to be unknown.
    unknown: Vec<UnknownWindow>,
}

impl Pass {
    fn new(registry: &Registry, head: &Head, unknown: Vec<UnknownWindow>) -> Result<Pass> {
        let date = head.date.and_then(civil_date);
        let midnight = match (head.payload, date) {
            (Payload::Itch, Some(date)) => {
                registry.plan(date).map_err(|error| anyhow!("date {date}: {error}"))?.day.start
            }
            (Payload::Itch, None) => return Err(anyhow!("ITCH without a date, expected one in the journal's head")),
            _ => Timestamp::MIN,
        };
        let options = DayOptions { lenient: true, date, unknown: unknown.clone(), ..DayOptions::default() };
        let day = Day::new(registry, options, OpenLedger::default(), Told::default())?;
        let decoder = journal::payload_decoder(head, midnight);
        Ok(Pass { day, decoder, ended: false, length: HEAD_BYTES as u64, unknown })
    }

    /// Whether time that has been told has turned out to be unknown, beyond what was known beforehand.
    fn told_too_early(&self) -> bool {
        self.day.has_retroactive() && self.day.retroactive() != self.unknown
    }

    fn take(&mut self, frame: &Frame<'_>) -> Result<()> {
        self.ended |= frame.is_last();
        match frame.deliver(&mut self.decoder, &mut self.day) {
            // The day keeps why it has stopped, and says so in the end.
            Ok(()) | Err(FeedError::Stopped) => Ok(()),
            Err(error) => Err(error).context("the first message"),
        }
    }

    /// Reads the frames of a journal up to `length`.
    fn read(&mut self, file: &Arc<dyn DiskFile>, length: u64) -> Result<()> {
        let mut reader = JournalReader::from(Arc::clone(file), self.length);
        while reader.position() < length
            && let Some(frame) = reader.next().context("reading the journal")?
        {
            self.take(&frame)?;
        }
        self.length = reader.position();
        Ok(())
    }

    fn finish(self) -> Result<Measured> {
        let Pass { mut day, decoder, .. } = self;
        let stated = decoder.stated_date().and_then(civil_date);
        match decoder.finish(&mut day) {
            Ok(()) | Err(FeedError::Stopped) => {}
            Err(error) => return Err(error.into()),
        }
        // The day keeps why it has stopped.
        let _ = day.end_of_input(stated);
        let (finished, ledger, _) = day.finish()?;
        Ok(Measured { finished, ledger: ledger.close() })
    }
}

/// Measures a journal whose session has ended, as it stands on the disk.
pub(crate) fn measure_again(source: &Source) -> Result<Measured> {
    let again = |unknown| {
        let mut pass = Pass::new(&source.registry, &source.head, unknown)?;
        pass.read(&source.file, source.length)?;
        pass.finish()
    };
    let measured = again(source.unknown.clone())?;
    if measured.finished.retroactive.is_empty() { Ok(measured) } else { again(measured.finished.retroactive) }
}

fn run(source: &Source, work: &Receiver<Work>, told: &Progress) -> Result<Option<Measured>> {
    let mut pass = Pass::new(&source.registry, &source.head, source.unknown.clone())?;
    pass.read(&source.file, source.length)?;
    // Up to a minute, to two digits.
    let mut latency =
        Histogram::<u64>::new_with_bounds(1, 60_000_000, 2).map_err(|_| anyhow!("the latency's bounds"))?;
    while !pass.ended {
        told.told_too_early.store(pass.told_too_early(), Ordering::Release);
        told.length.store(pass.length, Ordering::Release);
        match work.recv() {
            Ok(Work::Frame(bytes, received)) => {
                let Ok(Some((frame, _))) = Frame::read(&bytes) else {
                    return Err(anyhow!("a frame that was not written"));
                };
                pass.take(&frame)?;
                pass.length += bytes.len() as u64;
                let micros = clock::now().saturating_sub(received).as_micros();
                let count = if let Frame::Messages { count, .. } = frame { u64::from(count) } else { 1 };
                latency.saturating_record_n(u64::try_from(micros).unwrap_or(u64::MAX), count);
            }
            Ok(Work::ReadTo(length)) => pass.read(&source.file, length)?,
            Ok(Work::Look(look)) => look(&mut pass.day),
            Err(_) => return Ok(None),
        }
    }
    tracing::info!(
        messages = latency.len(),
        p50_us = latency.value_at_quantile(0.5),
        p99_us = latency.value_at_quantile(0.99),
        p999_us = latency.value_at_quantile(0.999),
        max_us = latency.max(),
        "from socket to verdict"
    );
    let (length, known) = (pass.length, std::mem::take(&mut pass.unknown));
    let measured = pass.finish()?;
    if measured.finished.retroactive.is_empty() || measured.finished.retroactive == known {
        return Ok(Some(measured));
    }
    tracing::info!("measuring the day again: a bad record has put time in doubt that was measured before it came");
    let unknown = measured.finished.retroactive;
    let mut pass = Pass::new(&source.registry, &source.head, unknown)?;
    pass.read(&source.file, length)?;
    Ok(Some(pass.finish()?))
}

/// The same date as the calendar's type.
pub(crate) fn civil_date(date: TradingDate) -> Option<Date> {
    let part = |number: u8| i8::try_from(number).ok();
    Date::new(i16::try_from(date.year()).ok()?, part(date.month())?, part(date.day())?).ok()
}

/// The same date as the feed's type.
pub(crate) fn trading_date(date: Date) -> Option<TradingDate> {
    TradingDate::new(u16::try_from(date.year()).ok()?, date.month().unsigned_abs(), date.day().unsigned_abs())
}
