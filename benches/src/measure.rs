//! What is timed: each stage as one function over an input in memory, with a hash of its result.

use crate::{Hash, Input, Records};
use quoteclock_book::{Book, QuoteChange};
use quoteclock_engine::{Day, DayOptions, Executor, Finished, NoRejects, SingleThread};
use quoteclock_feed::{RawRecord, Receiver, Stop};
use quoteclock_ledger::{DayLedger, OpenLedger};
use quoteclock_model::{IssueCode, IssueIndex, MarketEvent, Scope, ServerIndex, Side, Timestamp};
use quoteclock_obligation::{IssueMeasure, ObligationIndex, PlanServers, SignUpAt};
use quoteclock_rules::{DayPlan, SignUpPlan};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

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

/// Decodes an input and nothing more.
///
/// # Panics
/// If the input is bad.
pub fn decode(input: &Input) -> Checksum {
    let mut checksum = Checksum::default();
    input.decode(&mut checksum).expect("good input");
    checksum
}

/// Decodes ITCH and nothing more.
///
/// # Panics
/// As [`decode`].
pub fn decode_itch(input: &Input) -> Checksum {
    decode(input)
}

/// Rebuilds the book of every issue, and gives a hash of all changes and of what rests at the end.
///
/// # Panics
/// If a record does not fit its book.
pub fn books(records: &Records) -> u64 {
    let mut books: Vec<Book> = records.issues.iter().map(|_| Book::default()).collect();
    let mut hash = Hash::default();
    for record in &records.records {
        match record.event {
            MarketEvent::Order { issue, ref action } => {
                books[issue.index()]
                    .apply(action, |_| None, |change| add_change(&mut hash, change))
                    .expect("a good record");
            }
            MarketEvent::Clear { scope: Scope::Issue(issue) } => books[issue.index()].clear(),
            MarketEvent::Clear { scope: Scope::Market } => books.iter_mut().for_each(Book::clear),
            MarketEvent::Phase { .. } => {}
        }
    }
    for book in &books {
        hash.add(book.len() as u64);
        for best in Side::BOTH.map(|side| book.levels(side).best()) {
            hash.add(best.map_or(0, |price| price.ten_thousandths()));
        }
    }
    hash.value()
}

#[inline]
fn add_change(hash: &mut Hash, change: &QuoteChange) {
    for (price, shares) in [change.taken, change.added].into_iter().flatten() {
        hash.add(price.ten_thousandths().wrapping_mul(shares.0));
    }
}

/// How many market makers of one issue are measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Makers {
    /// Who quote.
    pub quoting: usize,
    /// Who do not: no event is theirs.
    pub silent: usize,
}

impl Makers {
    /// The plan of a day of one issue, with that many sign-ups.
    ///
    /// # Panics
    /// If fewer quote.
    pub fn plan(self, plan: &DayPlan) -> DayPlan {
        let quoting = &plan.sign_ups[..self.quoting];
        let silent = plan.sign_ups.iter().cycle().take(self.silent);
        let silent = silent.map(|sign_up| SignUpPlan { servers: std::sync::Arc::default(), ..sign_up.clone() });
        DayPlan { sign_ups: quoting.iter().cloned().chain(silent).collect(), ..plan.clone() }
    }
}

/// Measures a day of one issue with its book, and gives a hash of all totals.
///
/// # Panics
/// If the day is bad.
pub fn issue(plan: &DayPlan, records: &Records) -> u64 {
    let position = |name: &String| plan.servers.iter().position(|server| server.name == *name);
    let position = |name| position(name).and_then(|position| u32::try_from(position).ok());
    let plan_server_of: Vec<Option<u32>> = records.servers.iter().map(position).collect();
    let mut first = 0;
    let sign_ups = plan.sign_ups.iter().enumerate().map(|(position, sign_up)| {
        let index = ObligationIndex(first);
        first += u32::try_from(sign_up.obligations.len()).expect("few obligations");
        SignUpAt { position, first_obligation: index }
    });
    let mut measure = IssueMeasure::new(plan, &sign_ups.collect::<Vec<_>>(), [&Arc::default(); 2]);
    let mut ledger = OpenLedger::new(plan);
    for record in &records.records {
        measure.advance(record.ts_event, &mut ledger);
        match record.event {
            MarketEvent::Order { ref action, .. } => {
                measure.apply(action, PlanServers::new(&plan_server_of)).expect("a good record")
            }
            MarketEvent::Phase { scope: Scope::Issue(_), phase } => measure.set_phase(phase),
            MarketEvent::Phase { scope: Scope::Market, phase } => measure.set_market_phase(phase),
            MarketEvent::Clear { .. } => measure.clear(),
        }
    }
    let traded = measure.market_turnover();
    measure.finish(plan.day.end, &mut ledger);
    let mut hash = Hash::default();
    hash.add_text(&format!("{traded:?}"));
    hash.add(self::hash(plan, &ledger.close()));
    hash.value()
}

/// Begins to measure the day of `input`, one record at a time.
///
/// # Panics
/// Never: the date is of our time.
pub fn day(input: &Input) -> Day<OpenLedger, NoRejects> {
    let options = DayOptions { date: Some(input.options.date), ..DayOptions::default() };
    Day::new(&input.registry, options, OpenLedger::default(), NoRejects).expect("a date of our time")
}

/// Measures a whole day, decoding included, and gives a hash of all totals.
///
/// # Panics
/// If the day is bad: it is ours.
pub fn full_day(input: &Input) -> (Finished, u64) {
    full_day_by(input, SingleThread)
}

/// The same on an executor.
///
/// # Panics
/// As [`full_day`].
pub fn full_day_by(input: &Input, executor: impl Executor + 'static) -> (Finished, u64) {
    let options = DayOptions { date: Some(input.options.date), ..DayOptions::default() };
    let day = Day::in_batches(&input.registry, options, OpenLedger::default(), NoRejects, executor);
    let mut day = day.expect("a date of our time");
    input.decode(&mut day).expect("good input");
    finish(day)
}

/// Ends a day, and gives a hash of all totals.
///
/// # Panics
/// If the day is bad: it is ours.
pub fn finish(day: Day<OpenLedger, NoRejects>) -> (Finished, u64) {
    let (finished, ledger, NoRejects) = day.finish().expect("a good day");
    let hash = hash(&finished.plan, &ledger.close());
    (finished, hash)
}

/// Measures a whole day from ITCH, and gives a hash of all totals.
///
/// # Panics
/// As [`full_day`].
pub fn full_day_itch(input: &Input) -> (Finished, u64) {
    full_day(input)
}

/// Measures a whole day from the binary form, and gives a hash of all totals.
///
/// # Panics
/// As [`full_day`].
pub fn full_day_binary(input: &Input) -> (Finished, u64) {
    full_day(input)
}

/// A hash of all totals and breaches.
pub fn hash(plan: &DayPlan, ledger: &DayLedger) -> u64 {
    let mut hash = Hash::default();
    let count: usize = plan.sign_ups.iter().map(|sign_up| sign_up.obligations.len()).sum();
    for index in (0..).take(count) {
        let total = ledger.total(ObligationIndex(index));
        for part in [total.available, total.fulfilled, total.unknown] {
            hash.add(part.0);
        }
        for breach in ledger.breaches(ObligationIndex(index)) {
            hash.add(breach.span.start.as_micros().unsigned_abs());
            hash.add(breach.span.end.as_micros().unsigned_abs());
        }
    }
    hash.value()
}

/// Runs the command from the file `events` under the registry beside it to `daily.csv` and `breaches.csv`, and gives a
/// hash of both.
///
/// # Panics
/// If it fails.
pub fn process(quoteclock: &Path, events: &Path) -> u64 {
    let folder = events.parent().expect("a file is in a folder");
    let out = folder.join("out");
    let mut command = Command::new(quoteclock);
    command.arg("replay").arg("--registry").arg(folder.join("registry")).arg("--out").arg(&out).arg(events);
    let output = command.output().expect("the command can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut hash = Hash::default();
    for name in ["daily.csv", "breaches.csv"] {
        hash.add_text(&std::fs::read_to_string(out.join(name)).expect("a file written just now"));
    }
    std::fs::remove_dir_all(&out).expect("a folder written just now");
    hash.value()
}
