//! The fast path, from the files of a case to the text of its outputs.
#![allow(dead_code, reason = "each test file uses its part")]

use quoteclock_engine::{BadRecord, Day, DayError, DayOptions, RejectSink};
use quoteclock_feed::csv::CsvDecoder;
use quoteclock_feed::{FeedError, Place};
use quoteclock_ledger::OpenLedger;
use quoteclock_model::DayTurnover;
use quoteclock_report::{BREACH_COLUMNS, DAILY_COLUMNS, write_breaches_csv, write_daily_csv};
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

fn line(place: Place) -> u64 {
    match place {
        Place::Line(line) => line,
        Place::Byte(offset) => panic!("byte {offset} of a text file"),
    }
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

/// Measures a case the fast way, its events pushed in chunks of `chunk_bytes`.
pub fn measure(case: &Case, chunk_bytes: usize) -> Outcome {
    let registry = registry(case);
    let date = case.date.as_ref().map(|date| date.parse().expect("a date"));
    let mut options = DayOptions { lenient: case.lenient, allow_gaps: case.allow_gaps, date, ..DayOptions::default() };
    // As a replay does: what a pass learns too late, the next one knows.
    for _ in 0..2 {
        match pass(&registry, case, chunk_bytes, &options) {
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

fn pass(registry: &Registry, case: &Case, chunk_bytes: usize, options: &DayOptions) -> Result<Pass, Outcome> {
    let refused = |error: DayError| match error {
        DayError::Bad(bad) => Outcome::Refused { line: Some(line(bad.place)) },
        _ => Outcome::Refused { line: None },
    };
    let mut day = Day::new(registry, options.clone(), OpenLedger::default(), Lines::default()).map_err(refused)?;
    let mut decoder = CsvDecoder::default();
    let mut result = Ok(());
    for chunk in case.events.as_bytes().chunks(chunk_bytes) {
        result = decoder.push(chunk, &mut day);
        if result.is_err() {
            break;
        }
    }
    match result.and_then(|()| decoder.finish(&mut day)) {
        Ok(()) | Err(FeedError::Stopped) => {}
        Err(_) => return Err(Outcome::Refused { line: None }),
    }
    let (finished, ledger, Lines(rejects)) = day.finish().map_err(refused)?;
    let ledger = ledger.close();
    let (mut daily, mut breaches) = (header(&DAILY_COLUMNS), header(&BREACH_COLUMNS));
    write_daily_csv(&finished.plan, &ledger, &mut daily).expect("writing to memory");
    write_breaches_csv(&finished.plan, &ledger, &mut breaches).expect("writing to memory");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Ok((finished.unknown_late, Outcome::Measured { daily: text(daily), breaches: text(breaches), rejects }))
}

fn header(columns: &[&str]) -> Vec<u8> {
    format!("{}\n", columns.join(",")).into_bytes()
}
