//! Any bytes driven through a reader and a day, and what holds whatever they are. The mutation tests and the fuzz
//! targets share this file: what one of them finds, the other keeps found.
#![allow(dead_code, reason = "each user takes its part")]

use jiff::civil::Date;
use quoteclock_engine::{BadRecord, Day, DayOptions, Executor, Finished, RejectSink, SingleThread, Task};
use quoteclock_feed::binary::BinaryDecoder;
use quoteclock_feed::csv::CsvDecoder;
use quoteclock_feed::dbn::DbnDecoder;
use quoteclock_feed::fix::FixDecoder;
use quoteclock_feed::itch::ItchDecoder;
use quoteclock_feed::{FeedError, Malformed, Place, RawRecord, Receiver, Scouted, Sequence, Stop};
use quoteclock_ledger::{DayLedger, OpenLedger};
use quoteclock_model::{IssueCode, IssueIndex, MarketEvent, Scope, ServerIndex, Timestamp};
use quoteclock_rules::{Registry, SourceFile};
use std::collections::VecDeque;
use std::sync::LazyLock;
use std::thread;

/// A form of events, and so a reader.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    Csv,
    Itch,
    Binary,
    Fix,
    Dbn,
}

impl Form {
    pub const ALL: [Form; 5] = [Form::Csv, Form::Itch, Form::Binary, Form::Fix, Form::Dbn];

    /// The registry that the corpus of this form is measured under.
    pub fn registry(self) -> &'static Registry {
        static TSE: LazyLock<Registry> = LazyLock::new(|| load(include_bytes!("../../../../fuzz/corpus/registry/tse")));
        static US: LazyLock<Registry> = LazyLock::new(|| load(include_bytes!("../../../../fuzz/corpus/registry/us")));
        match self {
            Form::Csv | Form::Binary | Form::Fix | Form::Dbn => &TSE,
            Form::Itch => &US,
        }
    }

    /// The date of the corpus, where the form does not tell it.
    fn date(self) -> Option<Date> {
        (self == Form::Itch).then_some(jiff::civil::date(2024, 3, 1))
    }

    /// The first instant of the corpus's date.
    fn midnight() -> Timestamp {
        static MIDNIGHT: LazyLock<Timestamp> = LazyLock::new(|| {
            let date = Form::Itch.date().expect("given");
            Form::Itch.registry().plan(date).expect("an ordinary date").day.start
        });
        *MIDNIGHT
    }
}

fn load(bytes: &[u8]) -> Registry {
    let loaded = Registry::load(&registry_files(bytes));
    loaded.registry.unwrap_or_else(|| panic!("{:#?}", loaded.findings))
}

/// The files of a registry in one: each after a line `== name`.
pub fn registry_files(bytes: &[u8]) -> Vec<SourceFile> {
    let mut files: Vec<SourceFile> = Vec::new();
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        match (line.strip_prefix(b"== "), files.last_mut()) {
            (Some(name), _) => {
                let name = String::from_utf8_lossy(name).trim().to_owned();
                files.push(SourceFile { name, bytes: Vec::new() });
            }
            (None, Some(file)) => file.bytes.extend_from_slice(line),
            (None, None) => {}
        }
    }
    files
}

/// All of `bytes` at once.
pub fn whole(bytes: &[u8]) -> Vec<&[u8]> {
    vec![bytes]
}

/// `bytes` in chunks of 1 to 256: the first byte of each says how long it is.
pub fn cut(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut chunks = Vec::new();
    while let Some(&first) = bytes.first() {
        let (chunk, rest) = bytes.split_at(bytes.len().min(1 + usize::from(first)));
        chunks.push(chunk);
        bytes = rest;
    }
    chunks
}

/// `bytes` in longer chunks, of 96 to 606, so that a scout finds something to read in them.
pub fn cut_wide(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut chunks = Vec::new();
    while let Some(&first) = bytes.first() {
        let (chunk, rest) = bytes.split_at(bytes.len().min(96 + 2 * usize::from(first)));
        chunks.push(chunk);
        bytes = rest;
    }
    chunks
}

/// As [`decode`], where each chunk has been read before its turn by a scout that knows what the reader knew some chunks before.
pub fn decode_scouted(form: Form, chunks: &[&[u8]], to: &mut impl Receiver) -> Result<Option<Date>, FeedError> {
    const CHUNKS_BEFORE: usize = 2;
    macro_rules! decode_scouted {
        ($decoder:expr) => {{
            let (mut decoder, mut scouts, mut scouted) = ($decoder, VecDeque::from([None, None]), Scouted::default());
            assert_eq!(scouts.len(), CHUNKS_BEFORE);
            for chunk in chunks {
                scouts.push_back(decoder.scout());
                match scouts.pop_front().flatten() {
                    None => decoder.push(chunk, to)?,
                    Some(scout) => {
                        scout.read(chunk, &mut scouted);
                        decoder.push_scouted(chunk, &scouted, to)?;
                    }
                }
            }
            decoder.finish(to).map(|()| None)
        }};
    }
    match form {
        Form::Csv => decode_scouted!(CsvDecoder::default()),
        Form::Itch => decode_scouted!(ItchDecoder::new(Form::midnight())),
        Form::Binary | Form::Fix | Form::Dbn => decode(form, chunks, to),
    }
}

/// Pushes `chunks` through the reader of `form`. Says which date the input states, where it has a place for it.
pub fn decode(form: Form, chunks: &[&[u8]], to: &mut impl Receiver) -> Result<Option<Date>, FeedError> {
    match form {
        Form::Csv => {
            let mut decoder = CsvDecoder::default();
            chunks.iter().try_for_each(|chunk| decoder.push(chunk, to))?;
            decoder.finish(to).map(|()| None)
        }
        Form::Fix => {
            let mut decoder = FixDecoder::default();
            chunks.iter().try_for_each(|chunk| decoder.push(chunk, to))?;
            decoder.finish(to).map(|()| None)
        }
        Form::Dbn => {
            let mut decoder = DbnDecoder::default();
            chunks.iter().try_for_each(|chunk| decoder.push(chunk, to))?;
            decoder.finish(to).map(|()| None)
        }
        Form::Itch => {
            let mut decoder = ItchDecoder::new(Form::midnight());
            chunks.iter().try_for_each(|chunk| decoder.push(chunk, to))?;
            decoder.finish(to).map(|()| None)
        }
        Form::Binary => {
            let mut decoder = BinaryDecoder::default();
            chunks.iter().try_for_each(|chunk| decoder.push(chunk, to))?;
            let stated = decoder.header().map(|header| header.date);
            decoder.finish(to)?;
            let part = |number: u8| i8::try_from(number).expect("a part of a date");
            let civil = |year: u16, month, day| Date::new(i16::try_from(year).ok()?, part(month), part(day)).ok();
            Ok(stated.and_then(|date| civil(date.year(), date.month(), date.day())))
        }
    }
}

/// Counts what a reader hands over, and keeps nothing.
#[derive(Default)]
pub struct Count {
    pub calls: usize,
    pub bytes: usize,
}

impl Receiver for Count {
    fn issue(&mut self, _: IssueIndex, _: &IssueCode) {
        self.calls += 1;
    }

    fn server(&mut self, _: ServerIndex, _: &str) {
        self.calls += 1;
    }

    fn record(&mut self, record: &RawRecord<'_>) -> Result<(), Stop> {
        self.calls += 1;
        self.bytes += record.bytes.len();
        Ok(())
    }

    fn rest(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        self.calls += 1;
        self.bytes += bytes.len();
        Ok(())
    }
}

/// What a reader handed over.
#[derive(Clone, PartialEq, Debug)]
pub enum Call {
    Issue(IssueIndex, IssueCode),
    Server(ServerIndex, String),
    Record {
        place: Place,
        ts_event: Option<Timestamp>,
        sequence: Sequence,
        scope: Option<Scope>,
        event: Result<MarketEvent, Malformed>,
        /// With what followed of an oversized one.
        bytes: Vec<u8>,
    },
}

/// Keeps every call.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct Calls(pub Vec<Call>);

impl Receiver for Calls {
    fn issue(&mut self, index: IssueIndex, code: &IssueCode) {
        self.0.push(Call::Issue(index, code.clone()));
    }

    fn server(&mut self, index: ServerIndex, name: &str) {
        self.0.push(Call::Server(index, name.to_owned()));
    }

    fn record(&mut self, record: &RawRecord<'_>) -> Result<(), Stop> {
        let (place, ts_event, bytes) = (record.place, record.ts_event, record.bytes.to_vec());
        let (sequence, scope, event) = (record.sequence, record.scope, record.event.clone());
        self.0.push(Call::Record { place, ts_event, sequence, scope, event, bytes });
        Ok(())
    }

    fn rest(&mut self, more: &[u8]) -> Result<(), Stop> {
        match self.0.last_mut() {
            Some(Call::Record { bytes, .. }) => bytes.extend_from_slice(more),
            other => panic!("the rest of {other:?}"),
        }
        Ok(())
    }
}

/// What a day came to, or why it has none.
pub type Outcome = Result<Measured, String>;

#[derive(Clone, PartialEq, Debug)]
pub struct Measured {
    pub finished: Finished,
    pub ledger: DayLedger,
}

struct Dropped;

impl RejectSink for Dropped {
    fn reject(&mut self, bad: &BadRecord, _: &[u8]) {
        assert!(!bad.fault.to_string().is_empty(), "every fault can be said");
    }

    fn rest(&mut self, _: &[u8]) {}
}

/// How a day's events are applied.
#[derive(Clone, Copy, Debug)]
pub enum Way {
    /// Each at once, as a lenient run does.
    OneByOne,
    /// So many held back at most, and applied issue by issue; blocks of the binary form as they stand.
    Batches(usize),
    /// The same, on an executor that says it has so many threads, and runs tasks on the caller's, last first.
    Shared(usize, usize),
    /// The same, on so many real threads, which run tasks at the same time.
    Threads(usize, usize),
    /// The same of so many, where chunks have been read before their turn.
    Scouted(usize),
}

impl Way {
    /// One that the input chooses, so that what is found once is found again.
    pub fn chosen_by(bytes: &[u8]) -> Way {
        let sum = crc32c::crc32c(bytes) as usize;
        match (1 + sum % 61, sum / 61 % 4) {
            (events, 0) => Way::Batches(events),
            (_, 1) => Way::Batches(usize::MAX),
            (events, 2) => Way::Scouted(events),
            (events, _) => Way::Shared(events, 2 + sum / 183 % 3),
        }
    }
}

/// Runs tasks in an order that nobody would expect.
#[derive(Clone, Copy, Debug)]
struct LastFirst(usize);

impl Executor for LastFirst {
    fn size(&self) -> usize {
        self.0
    }

    fn run_all(&self, tasks: Vec<Task<'_>>) {
        tasks.into_iter().rev().for_each(|task| task());
    }
}

/// Runs each task on a thread of its own, all of them at the same time.
#[derive(Clone, Copy, Debug)]
struct AtOnce(usize);

impl Executor for AtOnce {
    fn size(&self) -> usize {
        self.0
    }

    fn run_all(&self, tasks: Vec<Task<'_>>) {
        thread::scope(|scope| tasks.into_iter().for_each(|task| drop(scope.spawn(task))));
    }
}

/// Measures `chunks` as a lenient replay does, twice where the first pass learns something too late.
pub fn measure(form: Form, chunks: &[&[u8]], lenient: bool) -> Outcome {
    measure_by(form, chunks, lenient, Way::OneByOne)
}

/// The same by any way.
pub fn measure_by(form: Form, chunks: &[&[u8]], lenient: bool, way: Way) -> Outcome {
    let options = DayOptions { lenient, date: form.date(), ..DayOptions::default() };
    measure_under(form.registry(), form, chunks, &options, way)
}

/// As [`measure_by`], under any registry.
pub fn measure_under(registry: &Registry, form: Form, chunks: &[&[u8]], options: &DayOptions, way: Way) -> Outcome {
    let mut options = options.clone();
    for again in [false, true] {
        let ledger = OpenLedger::default();
        let day = match way {
            Way::OneByOne => Day::new(registry, options.clone(), ledger, Dropped),
            Way::Batches(events) | Way::Scouted(events) => {
                Day::in_batches(registry, options.clone(), ledger, Dropped, SingleThread)
                    .map(|day| day.with_batch_events(events))
            }
            Way::Shared(events, size) => Day::in_batches(registry, options.clone(), ledger, Dropped, LastFirst(size))
                .map(|day| day.with_batch_events(events)),
            Way::Threads(events, size) => Day::in_batches(registry, options.clone(), ledger, Dropped, AtOnce(size))
                .map(|day| day.with_batch_events(events)),
        };
        let mut day = day.map_err(text)?;
        let decoded = match way {
            Way::Scouted(_) => decode_scouted(form, chunks, &mut day),
            Way::OneByOne | Way::Batches(_) | Way::Shared(..) | Way::Threads(..) => decode(form, chunks, &mut day),
        };
        match decoded {
            // As for the day, stopping keeps its reason.
            Ok(stated) => drop(day.end_of_input(stated)),
            Err(FeedError::Stopped) => {}
            Err(error) => return Err(text(error)),
        }
        let (finished, ledger, Dropped) = day.finish().map_err(text)?;
        if !again && !finished.retroactive.is_empty() {
            options.unknown = finished.retroactive;
            continue;
        }
        return Ok(Measured { finished, ledger: ledger.close() });
    }
    unreachable!("the second pass returns")
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// The most calls that an input may cause: one for each byte, and one for its end.
pub fn calls_max(bytes: &[u8]) -> usize {
    bytes.len() + 1
}

/// The same bytes are the same calls, however they are cut.
pub fn check_calls(form: Form, bytes: &[u8]) {
    let (mut at_once, mut in_parts) = (Calls::default(), Calls::default());
    let ends = (decode(form, &whole(bytes), &mut at_once), decode(form, &cut(bytes), &mut in_parts));
    assert_eq!(ends.0, ends.1, "cut or not, the input ends alike");
    assert!(at_once.0.len() <= calls_max(bytes), "{} calls from {} bytes", at_once.0.len(), bytes.len());
    if let Some(position) =
        (0..at_once.0.len().max(in_parts.0.len())).find(|&at| at_once.0.get(at) != in_parts.0.get(at))
    {
        panic!("call {position}: {:?} whole, {:?} cut", at_once.0.get(position), in_parts.0.get(position));
    }
}

/// What a strict and a lenient day have in common.
pub fn check_outcomes(strict: &Outcome, lenient: &Outcome) {
    match (strict, lenient) {
        (Ok(strict), lenient) => {
            assert_eq!(Ok(strict), lenient.as_ref(), "leniency changes nothing of a good day");
            assert_eq!(strict.finished.reject_count, 0);
        }
        (Err(_), Ok(lenient)) => {
            assert!(0 < lenient.finished.reject_count, "what is refused strictly is set aside leniently")
        }
        (Err(_), Err(_)) => {}
    }
}

/// A strict day comes to the same by every way, down to the words and the place of the first fault.
pub fn check_ways(form: Form, bytes: &[u8], strict: &Outcome, ways: &[Way]) {
    for &way in ways {
        for chunks in [whole(bytes), cut(bytes), cut_wide(bytes)] {
            assert_eq!(strict, &measure_by(form, &chunks, false, way), "{way:?}, {} chunks", chunks.len());
        }
    }
}

/// All that holds of any bytes.
pub fn check(form: Form, bytes: &[u8]) {
    check_calls(form, bytes);
    let [strict, lenient] = [false, true].map(|lenient| {
        let outcome = measure(form, &whole(bytes), lenient);
        assert_eq!(outcome, measure(form, &cut(bytes), lenient), "cut or not, the day is the same");
        outcome
    });
    check_outcomes(&strict, &lenient);
    let ways = [Way::Batches(1), Way::Batches(usize::MAX), Way::Scouted(7), Way::chosen_by(bytes)];
    check_ways(form, bytes, &strict, &ways);
}

/// A part of that, which the bytes choose: for whoever has very many of them.
pub fn check_part(form: Form, bytes: &[u8]) {
    match crc32c::crc32c(bytes) % 4 {
        0 => check_calls(form, bytes),
        1 => {
            let lenient = measure(form, &whole(bytes), true);
            assert_eq!(lenient, measure(form, &cut(bytes), true), "cut or not, the day is the same");
        }
        2 => check_outcomes(&measure(form, &whole(bytes), false), &measure(form, &whole(bytes), true)),
        _ => {
            let (strict, way) = (measure(form, &whole(bytes), false), Way::chosen_by(bytes));
            let chunks = if let Way::Scouted(_) = way { cut_wide(bytes) } else { cut(bytes) };
            assert_eq!(strict, measure_by(form, &chunks, false, way), "{way:?}");
        }
    }
}

/// `bytes` of the binary form with its checksums made right, as far as its frames can be followed: what lies behind a
/// checksum is reached by no accident, but by malice.
pub fn with_checksums(bytes: &[u8]) -> Vec<u8> {
    const HEAD: usize = 64;
    let mut file = bytes.to_vec();
    let seal = |file: &mut [u8], head: usize| {
        if let Some(whole) = file.get_mut(head..head + HEAD) {
            let crc = crc32c::crc32c(&whole[..60]);
            whole[60..].copy_from_slice(&crc.to_le_bytes());
        }
    };
    let word = |file: &[u8], at: usize| {
        let word = file.get(at..).and_then(<[u8]>::first_chunk::<4>);
        word.map_or(0, |word| usize::try_from(u32::from_le_bytes(*word)).expect("32 bits fit"))
    };
    seal(&mut file, 0);
    let mut start = HEAD;
    while start + HEAD <= file.len() {
        let end = (start + word(&file, start + 4).max(HEAD)).min(file.len());
        match &file[start..start + 4] {
            b"QBLK" => {
                let (slots, groups, runs) = (word(&file, start + 32), word(&file, start + 36), word(&file, start + 40));
                let front = start + HEAD;
                let table = front + word(&file, start + 44) + runs * 16;
                let front_end = front + (table + groups * 16 - front).next_multiple_of(32);
                if front_end + slots * 32 <= end {
                    for entry in (table..table + groups * 16).step_by(16) {
                        let first = front_end + word(&file, entry + 4) * 32;
                        if let Some(records) = file.get(first..first + word(&file, entry + 8) * 32) {
                            let crc = crc32c::crc32c(records);
                            file[entry + 12..entry + 16].copy_from_slice(&crc.to_le_bytes());
                        }
                    }
                    let crc = crc32c::crc32c(&file[front..front_end]);
                    file[start + 56..start + 60].copy_from_slice(&crc.to_le_bytes());
                }
            }
            b"QNAM" | b"QIDX" => {
                let crc = crc32c::crc32c(&file[start + HEAD..end]);
                file[start + 56..start + 60].copy_from_slice(&crc.to_le_bytes());
            }
            _ => {}
        }
        seal(&mut file, start);
        start = end;
    }
    file
}
