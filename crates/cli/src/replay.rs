//! `quoteclock replay`: days of order events in, quote display time out.

mod args;
mod job;
mod json;
mod measure;
mod text;

pub(crate) use args::ReplayArgs;

use crate::dataset::Dataset;
use crate::staging::{self, Forms, Parts, Staging};
use crate::target::folder_of;
use crate::{BadUsage, Outcome, again, month, output, registry, remote, scratch, terminal};
use anyhow::{Result, bail};
use jiff::civil::Date;
use job::Job;
use measure::{Measured, Run, in_order_of_dates};
use quoteclock_incentive::AccountKey;
use quoteclock_model::Shard;
use quoteclock_replay::Input;
use quoteclock_report::{DaySummary, OverviewLine};
use quoteclock_rules::Registry;
use quoteclock_store::{DayBatch, Replaced, Store, StoreError};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;

/// Runs the command.
pub(crate) fn run(args: &ReplayArgs) -> Result<Outcome> {
    let args = &args.with_outputs_made_here()?;
    let inputs = args.files.iter().map(|file| remote::input(file)).collect::<Result<Vec<Input>>>()?;
    if 1 < inputs.iter().filter(|input| **input == Input::Stdin).count() {
        return Err(BadUsage("standard input (-) is given twice, expected once: a file is a day".to_owned()).into());
    }
    args.beside.check(&args.files)?;
    if args.shard.is_some() && args.db.is_none() && args.dataset().is_none() {
        let problem = "--shard: expected --db FILE or --parquet-dataset DIR, which keep a part until all are there";
        return Err(BadUsage(problem.to_owned()).into());
    }
    args.look_at_outputs(&[inputs.as_slice(), &args.beside.inputs()?].concat())?;
    let Some(opened) = registry::open(&args.registry)? else { return Ok(Outcome::BadInput) };
    let registry = opened.tables().clone();
    let mut jobs: Vec<Job> = match &args.db {
        Some(db) if args.changed => {
            again::changed_days(&registry, db, &args.inputs)?.into_iter().map(Job::again).collect()
        }
        _ => args.typed_jobs()?,
    };
    if args.changed && jobs.is_empty() && !args.json {
        output::print("the registry would measure every stored day as it was measured; nothing was replaced\n")?;
        return Ok(Outcome::Done);
    }
    for job in &mut jobs {
        let Some(opened) = job.how.beside.open()? else { return Ok(Outcome::BadInput) };
        job.opened = opened;
    }
    let is_lenient = jobs.iter().any(|job| job.how.input.lenient);
    let forms = Forms { csv: args.out.is_some(), json: args.json, parquet: args.parquet() };
    let staging = Staging::new(args.out.as_deref().or(args.db.as_deref().map(folder_of)), forms)?;
    let batch = args.db.is_some().then(|| DayBatch::create(&staging.database())).transpose()?.map(Mutex::new);
    let dataset = args.dataset().map(|folder| Dataset::new(folder, args.shard)).transpose()?;
    let run = Run { args, opened: &opened, registry: &registry, batch: batch.as_ref(), dataset: dataset.as_ref() };
    let days = in_order_of_dates(&jobs, run.measure_all(&jobs, &staging)?)?;
    let parts: Vec<Parts> = days.iter().map(|day| day.parts.clone()).collect();
    warn(args, &days);
    let rests_on = run.rests_on(&days);
    let replaced = publish(args, &staging, &parts, &rests_on, batch)?;
    if let Some(dataset) = &dataset {
        dataset.publish(&days.iter().map(|day| (day.position, day.date)).collect::<Vec<_>>())?;
    }
    if let (Some(db), None) = (&args.db, args.shard) {
        let closed = Store::open(db)?.stored_after_closing(days.iter().map(|day| day.date))?;
        closed.iter().for_each(|days| terminal::print_warning(&days.to_string()));
    }
    args.outputs.put()?;
    let summaries: Vec<&DaySummary> = days.iter().filter_map(|day| day.summary.as_ref()).collect();
    let lines = DaySummary::over(&summaries);
    args.choice.warn(lines.iter().map(|line| &line.key));
    let chosen = args.choice.of(&lines);
    let shown: Vec<&OverviewLine> = chosen.iter().map(|&position| &lines[position]).collect();
    let results = Results { args, registry: &registry, days: &days, shown: &shown, is_lenient, replaced: &replaced };
    let printed = match (args.json, args.choice.quiet) {
        (true, _) => json::print(results),
        (false, true) => Ok(()),
        (false, false) => text::print(results),
    };
    let kept = text::kept(results);
    printed
        .map_err(|error| if kept.is_empty() { error } else { error.context(format!("{}, but", kept.trim_end())) })?;
    let is_covered = days.iter().all(|day| day.coverage.rows.is_empty());
    let is_whole = days.iter().all(|day| day.reject_count == 0) && (is_covered || !args.strict_coverage);
    Ok(if is_whole { Outcome::Done } else { Outcome::Incomplete })
}

/// What a run has come to, for whoever reads of it.
#[derive(Clone, Copy)]
struct Results<'a> {
    args: &'a ReplayArgs,
    registry: &'a Registry,
    /// By date.
    days: &'a [Measured],
    /// What is asked for of what each obligation came to, over all days.
    shown: &'a [&'a OverviewLine],
    /// Whether bad records were set aside in any day, if there were some.
    is_lenient: bool,
    /// What has come in the place of stored days.
    replaced: &'a [Replaced],
}

impl Results<'_> {
    /// Where each obligation stands among those that are shown; `None` where all are, as they stand in the files.
    fn places(self) -> Option<BTreeMap<AccountKey, usize>> {
        let place = |(place, line): (usize, &&OverviewLine)| (line.key.clone(), place);
        (!self.args.choice.is_everything()).then(|| self.shown.iter().enumerate().map(place).collect())
    }
}

/// Says what a reader of the figures has to know first.
fn warn(args: &ReplayArgs, days: &[Measured]) {
    if let Some(out) = &args.out {
        let dates: Vec<Date> = days.iter().map(|day| day.date).collect();
        let replaced = staging::replaced_dates(out, &dates);
        if !replaced.is_empty() {
            let replaced = month::list(&replaced);
            terminal::print_warning(&format!("{}: results of {replaced} are replaced", out.display()));
        }
    }
    for line in days.iter().flat_map(|day| &day.coverage.lines) {
        terminal::print_warning(line);
    }
    let reject_count: u64 = days.iter().map(|day| day.reject_count).sum();
    if 0 < reject_count {
        let where_to = match &args.out {
            Some(out) => format!("see {}", out.join("rejects.csv").display()),
            None => "--out or --json shows them".to_owned(),
        };
        let records = if reject_count == 1 { "1 bad record was" } else { &format!("{reject_count} bad records were") };
        terminal::print_warning(&format!("{records} set aside, and the time in doubt is unknown: {where_to}"));
    }
}

/// Opens the database for writing: of days, or of a shard's parts of them.
fn open_database(db: &Path, shard: Option<Shard>) -> Result<Store, StoreError> {
    match shard {
        None => Store::create(db),
        Some(shard) => Store::create_part(db, shard),
    }
}

/// Refuses, before anything is measured, a database that could not be written to.
fn check_database(db: &Path, shard: Option<Shard>) -> Result<()> {
    if db.exists() {
        open_database(db, shard)?;
        return Ok(());
    }
    match db.parent() {
        Some(folder) if folder != Path::new("") && !folder.is_dir() => {
            bail!("{}: not a folder, expected one for the database", folder.display())
        }
        _ => Ok(()),
    }
}

/// Puts the results where they belong. Files are on the disk first, the database follows in one transaction, and then the
/// files have their names: what is left to fail after the transaction is a renaming within a folder.
///
/// What that has changed of the days in the database is given back.
fn publish(
    args: &ReplayArgs,
    staging: &Staging,
    parts: &[Parts],
    rests_on: &[(String, String)],
    batch: Option<Mutex<DayBatch>>,
) -> Result<Vec<Replaced>> {
    let publication = match &args.out {
        Some(out) => {
            let names = staging.join(parts, args.lenient, rests_on)?;
            Some(staging.prepare(&names, out)?)
        }
        None => None,
    };
    let (mut uninterrupted, mut replaced) = (None, Vec::new());
    if let (Some(db), Some(batch)) = (&args.db, batch) {
        let batch = batch.into_inner().expect("no thread panicked with the lock");
        match open_database(db, args.shard)?.replace_days(batch, || uninterrupted = Some(scratch::uninterrupted())) {
            Err(stored @ StoreError::StoredAll { .. }) => {
                terminal::print_warning(&terminal::error_text(&stored.into()));
            }
            result => replaced = result?,
        }
    }
    let Some(publication) = publication else { return Ok(replaced) };
    let carried_out = publication.carry_out(uninterrupted).map_err(|error| match &args.db {
        Some(db) => error.context(format!(
            "{}: the days are stored, but the files of --out could not be given their names (the same command again \
             mends that)",
            db.display()
        )),
        None => error,
    });
    carried_out.map(|()| replaced)
}
