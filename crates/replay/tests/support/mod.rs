//! The fast path, from the files of a case to the text of its outputs.
#![allow(dead_code, reason = "each test file uses its part")]

pub mod itch;

use quoteclock_engine::{BadRecord, Day, DayError, DayOptions, RejectSink};
use quoteclock_feed::binary::{BinaryDecoder, BinaryWriter, Header};
use quoteclock_feed::csv::CsvDecoder;
use quoteclock_feed::itch::{Framing, ItchDecoder, ItchWriter};
use quoteclock_feed::{EventWriter, FeedError, Place, RawRecord, Receiver, Sequence, Stop, TradingDate, UtcOffset};
use quoteclock_ledger::OpenLedger;
use quoteclock_model::{DayTurnover, IssueCode, IssueIndex, Record, ServerIndex, Timestamp};
use quoteclock_report::{Breaches, Daily, write_breaches_csv, write_daily_csv};
use quoteclock_rows::{Table, column_names};
use quoteclock_rules::{DayPlan, Registry, SourceFile};
use quoteclock_testkit::{Case, Outcome};
use std::sync::Arc;

/// Keeps the lines of the records set aside.
#[derive(Default)]
pub struct Lines(pub Vec<u64>);

impl RejectSink for Lines {
    fn reject(&mut self, bad: &BadRecord, _: &[u8]) {
        self.0.push(line(bad.place));
    }

    fn rest(&mut self, _: &[u8]) {}
}

/// The line of a text file, or the place in another.
fn line(place: Place) -> u64 {
    let (Place::Line(at) | Place::Byte(at)) = place;
    at
}

/// How many cases a property runs: `QUOTECLOCK_CASES`, or so many.
pub fn cases(usual: u32) -> u32 {
    std::env::var("QUOTECLOCK_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(usual)
}

/// The registry of a case, which must be right.
pub fn registry(case: &Case) -> Registry {
    let files: Vec<SourceFile> = case
        .registry
        .iter()
        .map(|(name, text)| SourceFile { name: name.clone(), bytes: text.clone().into_bytes() })
        .collect();
    let loaded = Registry::load(&files);
    loaded.registry.unwrap_or_else(|| panic!("{:#?}", loaded.findings))
}

/// A form of events.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    Csv,
    Binary,
    Itch,
}

/// Measures a case the fast way, its events pushed in chunks of `chunk_bytes`.
pub fn measure(case: &Case, chunk_bytes: usize) -> Outcome {
    measure_form(case, Form::Csv, case.events.as_bytes(), chunk_bytes)
}

/// The same of `bytes` in another form in place of the case's events.
pub fn measure_form(case: &Case, form: Form, bytes: &[u8], chunk_bytes: usize) -> Outcome {
    let registry = registry(case);
    let date = case.date.as_ref().map(|date| date.parse().expect("a date"));
    let mut options = DayOptions { lenient: case.lenient, allow_gaps: case.allow_gaps, date, ..DayOptions::default() };
    // As a replay does: what a pass learns too late, the next one knows.
    for _ in 0..2 {
        match pass(&registry, form, bytes, chunk_bytes, &options) {
            Ok((late, outcome)) if late.is_empty() => return outcome,
            Ok((late, outcome)) if !options.unknown.is_empty() => {
                assert_eq!(late, options.unknown, "a second pass learns nothing new");
                return outcome;
            }
            Ok((late, _)) => options.unknown = late,
            Err(outcome) => return outcome,
        }
    }
    unreachable!("the second pass returns")
}

/// What is traded and sent on a good day, and the plan of the day; `None` if it is refused.
pub fn turnover(case: &Case) -> Option<(Arc<DayPlan>, DayTurnover)> {
    let registry = registry(case);
    let date = case.date.as_ref().map(|date| date.parse().expect("a date"));
    let options = DayOptions { lenient: case.lenient, allow_gaps: case.allow_gaps, date, ..DayOptions::default() };
    let mut day = Day::new(&registry, options, OpenLedger::default(), Lines::default()).ok()?;
    let mut decoder = CsvDecoder::default();
    decoder.push(case.events.as_bytes(), &mut day).ok()?;
    decoder.finish(&mut day).ok()?;
    let (finished, ..) = day.finish().ok()?;
    Some((finished.plan, finished.turnover))
}

type Pass = (Vec<quoteclock_engine::UnknownWindow>, Outcome);

fn pass(
    registry: &Registry,
    form: Form,
    bytes: &[u8],
    chunk_bytes: usize,
    options: &DayOptions,
) -> Result<Pass, Outcome> {
    let refused = |error: DayError| match error {
        DayError::Bad(bad) => Outcome::Refused { line: Some(line(bad.place)) },
        _ => Outcome::Refused { line: None },
    };
    let mut day = Day::new(registry, options.clone(), OpenLedger::default(), Lines::default()).map_err(refused)?;
    let mut chunks = bytes.chunks(chunk_bytes);
    let decoded = match form {
        Form::Csv => {
            let mut decoder = CsvDecoder::default();
            chunks.try_for_each(|chunk| decoder.push(chunk, &mut day)).and_then(|()| decoder.finish(&mut day))
        }
        Form::Binary => {
            let mut decoder = BinaryDecoder::default();
            chunks.try_for_each(|chunk| decoder.push(chunk, &mut day)).and_then(|()| decoder.finish(&mut day))
        }
        Form::Itch => {
            let date = options.date.expect("ITCH does not tell its date");
            let midnight = registry.plan(date).expect("a date").day.start;
            let mut decoder = ItchDecoder::with_framing(midnight, Framing::LengthPrefixed);
            chunks.try_for_each(|chunk| decoder.push(chunk, &mut day)).and_then(|()| decoder.finish(&mut day))
        }
    };
    match decoded {
        Ok(()) | Err(FeedError::Stopped) => {}
        Err(_) => return Err(Outcome::Refused { line: None }),
    }
    let (finished, ledger, Lines(rejects)) = day.finish().map_err(refused)?;
    let ledger = ledger.close();
    let (mut daily, mut breaches) = (header::<Daily>(), header::<Breaches>());
    write_daily_csv(&finished.plan, &ledger, &mut daily).expect("writing to memory");
    write_breaches_csv(&finished.plan, &ledger, &mut breaches).expect("writing to memory");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Ok((finished.retroactive, Outcome::Measured { daily: text(daily), breaches: text(breaches), rejects }))
}

fn header<T: Table>() -> Vec<u8> {
    format!("{}\n", column_names::<T>().collect::<Vec<_>>().join(",")).into_bytes()
}

/// Writes what a decoder reads in the binary form, in small blocks.
struct Blocks<'a>(Option<BinaryWriter<&'a mut Vec<u8>>>);

impl Receiver for Blocks<'_> {
    fn issue(&mut self, index: IssueIndex, code: &IssueCode) {
        self.0.as_mut().expect("open").issue(index, code).expect("writing to memory");
    }

    fn server(&mut self, index: ServerIndex, name: &str) {
        self.0.as_mut().expect("open").server(index, name).expect("writing to memory");
    }

    fn record(&mut self, record: &RawRecord<'_>) -> Result<(), Stop> {
        let sequence = match record.sequence {
            Sequence::Given(number) => Some(number),
            Sequence::Absent => None,
            Sequence::Unreadable => return Err(Stop),
        };
        let (Some(ts_event), Ok(event)) = (record.ts_event, &record.event) else { return Err(Stop) };
        let record = Record { ts_event, event: *event };
        self.0.as_mut().expect("open").event(sequence, &record).map_err(|_| Stop)
    }

    fn rest(&mut self, _: &[u8]) -> Result<(), Stop> {
        Err(Stop)
    }
}

/// The day in the binary form; `None` if that cannot say it.
pub fn in_blocks(case: &Case, block_records: u32) -> Option<Vec<u8>> {
    let header = Header {
        date: TradingDate::new(2024, 3, 1).expect("a date"),
        offset: UtcOffset::from_minutes(540).expect("less than a day"),
        has_sequence: case.events.lines().next().is_some_and(|header| header.split(',').any(|name| name == "seq")),
    };
    let mut bytes = Vec::new();
    let mut blocks = Blocks(Some(BinaryWriter::new(&mut bytes, &header).with_block_records(block_records)));
    let mut decoder = CsvDecoder::default();
    decoder.push(case.events.as_bytes(), &mut blocks).ok()?;
    decoder.finish(&mut blocks).ok()?;
    blocks.0.take().expect("open").finish().expect("writing to memory");
    Some(bytes)
}

/// Writes what a decoder reads as ITCH, and leaves out what ITCH cannot say.
struct Messages<'a>(ItchWriter<&'a mut Vec<u8>>);

impl Receiver for Messages<'_> {
    fn issue(&mut self, index: IssueIndex, code: &IssueCode) {
        let _ = self.0.issue(index, code);
    }

    fn server(&mut self, index: ServerIndex, name: &str) {
        let _ = self.0.server(index, name);
    }

    fn record(&mut self, record: &RawRecord<'_>) -> Result<(), Stop> {
        if let (Some(ts_event), Ok(event)) = (record.ts_event, &record.event) {
            let _ = self.0.event(None, &Record { ts_event, event: *event });
        }
        Ok(())
    }

    fn rest(&mut self, _: &[u8]) -> Result<(), Stop> {
        Ok(())
    }
}

/// The case's events as ITCH, as far as it can say them, and the date that it is measured on.
pub fn in_itch(case: &Case) -> Option<(Case, Vec<u8>)> {
    let outcome = quoteclock_testkit::measure(&Case { lenient: true, ..case.clone() });
    let Outcome::Measured { daily, .. } = outcome else { return None };
    let date = case.date.clone().or_else(|| Some(daily.lines().nth(1)?.split(',').next()?.to_owned()))?;
    let midnight = registry(case).plan(date.parse().ok()?).ok()?.day.start;
    let mut bytes = Vec::new();
    let mut messages = Messages(ItchWriter::new(&mut bytes, Timestamp::from_micros(midnight.as_micros())));
    let mut decoder = CsvDecoder::default();
    decoder.push(case.events.as_bytes(), &mut messages).ok()?;
    decoder.finish(&mut messages).ok()?;
    Some((Case { date: Some(date), ..case.clone() }, bytes))
}
