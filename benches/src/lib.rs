//! Inputs and stages of the benchmarks: fixed seeds, in memory, each stage with a result to assert.

use quoteclock_engine::{Alone, BadRecord, Crew, Day, DayOptions, DaySink, Finished, RejectSink};
use quoteclock_feed::binary::{BinaryDecoder, BinaryWriter, Header};
use quoteclock_feed::itch::{ItchDecoder, ItchWriter};
use quoteclock_feed::{EventWriter, RawRecord, Receiver, Stop, TradingDate, UtcOffset};
use quoteclock_generate::{Options, generate, registry};
use quoteclock_ledger::DayLedger;
use quoteclock_model::{Interval, IssueCode, IssueIndex, ServerIndex, Timestamp};
use quoteclock_obligation::{IntervalSink, ObligationIndex};
use quoteclock_rules::{DayPlan, Registry, SourceFile};
use std::sync::Arc;

/// A generated day in memory.
pub struct Input {
    /// What it was made of.
    pub options: Options,
    /// Its registry.
    pub registry: Registry,
    /// Its events.
    pub bytes: Vec<u8>,
}

impl Input {
    /// A day in the exchange's file form of ITCH.
    ///
    /// # Panics
    /// If the day cannot be generated or its registry is wrong: both are ours.
    pub fn itch(options: &Options) -> Input {
        let options = Options { itch: true, ..options.clone() };
        let registry = registry_of(&options);
        let midnight = registry.plan(options.date).expect("a date of our time").day.start;
        let mut bytes = Vec::new();
        let mut writer = ItchWriter::new(&mut bytes, midnight);
        generate(&options, &mut writer).expect("a day that ITCH can say");
        writer.finish().expect("writing to memory");
        Input { options, registry, bytes }
    }

    /// The same day in the binary form.
    ///
    /// # Panics
    /// If the day cannot be generated or its registry is wrong: both are ours.
    pub fn binary(options: &Options) -> Input {
        let registry = registry_of(options);
        let date = options.date;
        let date =
            TradingDate::new(date.year().cast_unsigned(), date.month().cast_unsigned(), date.day().cast_unsigned());
        let offset = UtcOffset::from_minutes(540).expect("less than a day");
        let header = Header { date: date.expect("a date"), offset, has_sequence: true };
        let mut bytes = Vec::new();
        let mut writer = BinaryWriter::new(&mut bytes, &header);
        generate(options, &mut writer).expect("a day of ours");
        writer.finish().expect("writing to memory");
        Input { options: options.clone(), registry, bytes }
    }

    /// The first instant of the day.
    ///
    /// # Panics
    /// Never: the date is of our time.
    pub fn midnight(&self) -> Timestamp {
        self.registry.plan(self.options.date).expect("a date of our time").day.start
    }
}

fn registry_of(options: &Options) -> Registry {
    let files: Vec<SourceFile> =
        registry(options).into_iter().map(|(name, text)| SourceFile { name, bytes: text.into_bytes() }).collect();
    let loaded = Registry::load(&files);
    loaded.registry.unwrap_or_else(|| panic!("{:?}", loaded.findings))
}

/// Sums what a decoder hands over.
#[derive(Default)]
pub struct Checksum {
    /// Records.
    pub count: u64,
    /// Of their times.
    pub sum: u64,
}

impl Receiver for Checksum {
    fn issue(&mut self, _: IssueIndex, _: &IssueCode) {}
    fn server(&mut self, _: ServerIndex, _: &str) {}

    #[inline]
    fn record(&mut self, record: &RawRecord<'_>) -> Result<(), Stop> {
        self.count += 1;
        let micros = record.ts_event.map_or(0, Timestamp::as_micros);
        self.sum = self.sum.wrapping_mul(31).wrapping_add(micros.unsigned_abs());
        Ok(())
    }

    fn rest(&mut self, _: &[u8]) -> Result<(), Stop> {
        Ok(())
    }
}

/// Decodes ITCH and nothing more.
///
/// # Panics
/// If the input is not ITCH.
pub fn decode_itch(input: &Input) -> Checksum {
    let mut checksum = Checksum::default();
    let mut decoder = ItchDecoder::new(input.midnight());
    for chunk in input.bytes.chunks(1 << 18) {
        decoder.push(chunk, &mut checksum).expect("good ITCH");
    }
    decoder.finish(&mut checksum).expect("good ITCH");
    checksum
}

/// Keeps the ledger of a day.
#[derive(Default)]
pub struct Ledger(Option<DayLedger>);

impl IntervalSink for Ledger {
    #[inline]
    fn interval(&mut self, obligation: ObligationIndex, interval: Interval) {
        self.0.as_mut().expect("open").interval(obligation, interval);
    }
}

impl DaySink for Ledger {
    fn open(&mut self, plan: &Arc<DayPlan>) {
        self.0 = Some(DayLedger::new(plan));
    }
}

/// A strict run sets nothing aside.
pub struct NoRejects;

impl RejectSink for NoRejects {
    fn reject(&mut self, _: &BadRecord, _: &[u8]) {}
    fn rest(&mut self, _: &[u8]) {}
}

/// Measures a whole day from ITCH, and gives a hash of all totals.
///
/// # Panics
/// If the day is bad: it is ours.
pub fn full_day_itch(input: &Input) -> (Finished, u64) {
    full_day_itch_by(input, Alone)
}

/// The same by a crew.
///
/// # Panics
/// As [`full_day_itch`].
pub fn full_day_itch_by(input: &Input, crew: impl Crew) -> (Finished, u64) {
    let options = DayOptions { date: Some(input.options.date), ..DayOptions::default() };
    let mut day =
        Day::new(&input.registry, options, Ledger::default(), NoRejects).expect("a date of our time").in_batches(crew);
    let mut decoder = ItchDecoder::new(input.midnight());
    for chunk in input.bytes.chunks(1 << 18) {
        decoder.push(chunk, &mut day).expect("good ITCH");
    }
    decoder.finish(&mut day).expect("good ITCH");
    let (finished, Ledger(ledger), NoRejects) = day.finish().expect("a good day");
    let hash = hash(&finished.plan, &ledger.expect("open"));
    (finished, hash)
}

/// Measures a whole day from the binary form, and gives a hash of all totals.
///
/// # Panics
/// If the day is bad: it is ours.
pub fn full_day_binary(input: &Input) -> (Finished, u64) {
    full_day_binary_by(input, Alone)
}

/// The same by a crew.
///
/// # Panics
/// As [`full_day_binary`].
pub fn full_day_binary_by(input: &Input, crew: impl Crew) -> (Finished, u64) {
    let options = DayOptions { date: Some(input.options.date), ..DayOptions::default() };
    let day = Day::new(&input.registry, options, Ledger::default(), NoRejects).expect("a date of our time");
    let mut day = day.in_batches(crew);
    let mut decoder = BinaryDecoder::default();
    decoder.push(&input.bytes, &mut day).expect("a good file");
    decoder.finish(&mut day).expect("a good file");
    let (finished, Ledger(ledger), NoRejects) = day.finish().expect("a good day");
    let hash = hash(&finished.plan, &ledger.expect("open"));
    (finished, hash)
}

/// A hash of all totals and breaches.
pub fn hash(plan: &DayPlan, ledger: &DayLedger) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |value: u64| hash = (hash ^ value).wrapping_mul(0x0000_0100_0000_01b3);
    let count: usize = plan.sign_ups.iter().map(|sign_up| sign_up.obligations.len()).sum();
    for index in (0..).take(count) {
        let total = ledger.total(ObligationIndex(index));
        for part in [total.available, total.fulfilled, total.unknown] {
            add(part.0);
        }
        for breach in ledger.breaches(ObligationIndex(index)) {
            add(breach.span.start.as_micros().unsigned_abs());
            add(breach.span.end.as_micros().unsigned_abs());
        }
    }
    hash
}
