//! Measures the inputs of a run, several at once, and writes what each comes to aside.

use super::args::ReplayArgs;
use super::job::Job;
use crate::coverage::DayCoverage;
use crate::dataset::Dataset;
use crate::how::How;
use crate::staging::{Parts, StagedRejects, Staging};
use crate::{BadUsage, month, terminal};
use anyhow::{Context, Result, bail};
use jiff::civil::Date;
use quoteclock::{Origin, Program, provenance};
use quoteclock_engine::DayOptions;
use quoteclock_replay::{MeasuredInput, Progress, Replay, ReplayError, Threads};
use quoteclock_report::DaySummary;
use quoteclock_rules::Registry;
use quoteclock_store::{DayBatch, Digest};
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// What is kept of a day once its rows are written aside.
pub(super) struct Measured {
    pub(super) date: Date,
    /// Of its input among those of the run.
    pub(super) position: usize,
    /// Where anything of it is printed.
    pub(super) summary: Option<DaySummary>,
    pub(super) parts: Parts,
    pub(super) input: String,
    /// Of its bytes, where what is written names it.
    pub(super) input_sha256: Option<Digest>,
    /// The files beside it, likewise.
    pub(super) beside: Vec<(String, Digest)>,
    pub(super) record_count: u64,
    pub(super) reject_count: u64,
    pub(super) coverage: DayCoverage,
    /// Up to when it was measured, if not to its end.
    pub(super) until: Option<String>,
}

/// What all days of a run have in common.
#[derive(Clone, Copy)]
pub(super) struct Run<'a> {
    pub(super) args: &'a ReplayArgs,
    pub(super) opened: &'a quoteclock::Registry,
    pub(super) registry: &'a Registry,
    pub(super) batch: Option<&'a Mutex<DayBatch>>,
    pub(super) dataset: Option<&'a Dataset>,
}

impl Run<'_> {
    /// Measures all inputs, several at once; the error of the first one in their order, if any.
    pub(super) fn measure_all(self, jobs: &[Job], staging: &Staging) -> Result<Vec<Measured>> {
        let beside = |job: &Job| job.opened.also.iter().map(|also| also.input.size()).sum::<Option<u64>>();
        let sizes: Option<u64> = jobs.iter().map(|job| Some(job.input.size()? + beside(job)?)).sum();
        let bar = terminal::progress_bar(sizes);
        let progress = |bytes| terminal::advance(&bar, bytes);
        let threads = self.args.thread_count();
        let days_at_once = threads.min(jobs.len());
        let of_a_day = Threads(NonZeroUsize::new(threads / days_at_once.max(1)).unwrap_or(NonZeroUsize::MIN));
        let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
        let results = Mutex::new(BTreeMap::new());
        let work = || {
            while !failed.load(Ordering::Relaxed) {
                let position = next.fetch_add(1, Ordering::Relaxed);
                let Some(job) = jobs.get(position) else { return };
                let result = self.measure_one((position, job), of_a_day, staging.parts(position), &progress);
                failed.fetch_or(result.is_err(), Ordering::Relaxed);
                results.lock().expect("no thread panics with the lock").insert(position, result);
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..days_at_once {
                // Where the system refuses a thread, those that there are do its work.
                if std::thread::Builder::new().spawn_scoped(scope, work).is_err() {
                    break;
                }
            }
            work();
        });
        bar.finish_and_clear();
        let results = results.into_inner().expect("no thread panicked with the lock");
        results.into_values().collect()
    }

    fn measure_one(
        self,
        (position, job): (usize, &Job),
        threads: Threads,
        parts: Parts,
        progress: Progress<'_>,
    ) -> Result<Measured> {
        let Run { args, registry, .. } = self;
        let input = &job.input;
        let options = DayOptions { shard: args.shard, ..job.how.of_day(job.date) };
        let also = job.opened.also.iter().map(|also| also.input.name()).collect();
        let mut rejects = StagedRejects { file: input.name(), also, of_each_kind: args.rejects, parts: parts.clone() };
        // What is kept says what it rests on.
        let is_hashed = self.batch.is_some() || self.dataset.is_some() || args.parquet();
        let replay = Replay { registry, input, options: &options, beside: &job.opened, progress };
        let (day, hashes) = match is_hashed {
            false => replay.measure(threads, &mut rejects).map(|day| (day, None)),
            true => replay.measure_and_hash(threads, &mut rejects).map(|(day, hashes)| (day, Some(hashes))),
        }
        .map_err(|error| advise(error, &job.how))?;
        let coverage = DayCoverage::of(&day.finished);
        let input_sha256 = hashes.as_ref().map(|hashes| Digest(hashes.input));
        let mut how = job.how.clone();
        if let Some(hashes) = &hashes {
            let beside = job.how.beside.hashed(&job.opened, hashes);
            how.beside = beside.with_context(|| {
                format!("{}: what it was measured with has changed; nothing was replaced", input.name())
            })?;
        }
        if let Some(input_sha256) = input_sha256 {
            self.set_aside((position, job), &day, (input_sha256, &how))?;
        }
        let writing = || format!("{}: writing its results aside", input.name());
        day.rejects.finish().with_context(writing)?;
        parts.write(&day.finished.plan, &day.ledger).with_context(writing)?;
        Ok(Measured {
            date: day.finished.plan.date,
            position,
            summary: self.args.is_summed_up().then(|| DaySummary::new(&day.finished.plan, &day.ledger)),
            parts,
            input: input.name(),
            input_sha256,
            beside: how.beside.named().collect(),
            record_count: day.finished.record_count,
            reject_count: day.finished.reject_count,
            coverage,
            until: day.finished.until.map(|until| month::clock(until, &day.finished.plan.zone)),
        })
    }

    /// What the metadata of Parquet files says of where the figures come from.
    pub(super) fn rests_on(self, days: &[Measured]) -> Vec<(String, String)> {
        let inputs = days.iter().flat_map(|day| {
            let input = day.input_sha256.map(|sha256| (day.input.clone(), sha256));
            input.into_iter().chain(day.beside.iter().cloned()).map(|(name, sha256)| (day.date, name, sha256))
        });
        month::rests_on(self.registry, self.opened.digest(), inputs)
    }

    /// Writes a day aside for the database and the dataset.
    fn set_aside<R>(
        self,
        (position, job): (usize, &Job),
        day: &MeasuredInput<R>,
        (input_sha256, how): (Digest, &How),
    ) -> Result<()> {
        if self.batch.is_none() && self.dataset.is_none() {
            return Ok(());
        }
        let (input, input_sha256) = match job.stored_as.clone() {
            None => (job.input.name(), input_sha256),
            Some(stored) if stored.is_journal || stored.input_sha256 == input_sha256 => {
                (stored.input, stored.input_sha256)
            }
            Some(_) => bail!("{}: has changed while it was read; nothing was replaced", job.input.name()),
        };
        let origin = Origin { input, input_sha256: Some(input_sha256), options: how.to_string() };
        let program =
            Program { version: env!("CARGO_PKG_VERSION").to_owned(), commit: env!("QUOTECLOCK_COMMIT").to_owned() };
        let finished = &day.finished;
        let provenance = &provenance(self.opened, finished, &origin, &program)?;
        let (plan, ledger, turnover) = (&*finished.plan, &day.ledger, &finished.turnover);
        // A part is known by the plan of the whole day.
        let of_all = self.args.shard.map(|_| self.registry.plan(plan.date)).transpose()?;
        let whole = of_all.as_ref().unwrap_or(plan);
        let day = quoteclock_store::DayToStore { plan, ledger, turnover, provenance };
        if let Some(batch) = self.batch {
            batch.lock().expect("no thread panics with the lock").add_part(day, whole)?;
        }
        if let Some(dataset) = self.dataset {
            dataset
                .write_aside(position, day, whole)
                .with_context(|| format!("{}: writing its rows aside", job.input.name()))?;
        }
        Ok(())
    }
}

/// Adds to an error what can be done about it.
fn advise(error: ReplayError, how: &How) -> anyhow::Error {
    if let ReplayError::OrdersTwice { .. } = error {
        return BadUsage(error.to_string()).into();
    }
    let is_bad_record = matches!(&error, ReplayError::Day { source: quoteclock_engine::DayError::Bad(_), .. });
    let advice = "nothing was written; --lenient sets bad records aside and reports the time they leave in doubt";
    let error = anyhow::Error::from(error);
    if is_bad_record && !how.input.lenient { anyhow::anyhow!("{error:#}\n{advice}") } else { error }
}

/// Days by date; two of one date are an error of whoever typed them.
pub(super) fn in_order_of_dates(jobs: &[Job], days: Vec<Measured>) -> Result<Vec<Measured>> {
    let mut by_date: BTreeMap<Date, (usize, Measured)> = BTreeMap::new();
    for (position, day) in days.into_iter().enumerate() {
        let date = day.date;
        if let Some((earlier, _)) = by_date.insert(date, (position, day)) {
            let (first, second) = (jobs[earlier].input.name(), jobs[position].input.name());
            let problem = format!("{first} and {second} are both of {date}, expected one file for each date");
            return Err(BadUsage(problem).into());
        }
    }
    Ok(by_date.into_values().map(|(_, day)| day).collect())
}
