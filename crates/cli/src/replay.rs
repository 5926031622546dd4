//! `quoteclock replay`: days of order events in, quote display time out.

use crate::again::{self, Found};
use crate::beside::BesideArgs;
use crate::choice::Choice;
use crate::coverage::DayCoverage;
use crate::dataset::{self, Dataset};
use crate::how::How;
use crate::registry::{self, RegistryArgs};
use crate::remote::{self, Outputs};
use crate::staging::{self, Forms, List, Parts, StagedRejects, Staging};
use crate::target::{folder_of, refuse_inputs};
use crate::{BadUsage, Outcome, month, output, publication, scratch, terminal};
use anyhow::{Context, Result, bail};
use jiff::civil::Date;
use quoteclock::{Coverages, Origin, Program, provenance, until};
use quoteclock_engine::{DayOptions, Until};
use quoteclock_incentive::AccountKey;
use quoteclock_ledger::{DayRow, DisplayPercent};
use quoteclock_model::Shard;
use quoteclock_replay::{Beside, Input, MeasuredInput, Progress, Replay, ReplayError, Threads};
use quoteclock_report::{DaySummary, OverviewLine, REJECTS_LISTED, Words, overview, write_document};
use quoteclock_rows::{JsonRow, json_rows};
use quoteclock_rules::Registry;
use quoteclock_store::{Change, DayBatch, Digest, Replaced, Store, StoreError};
use serde::Serialize;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Measure trading days from their order events.
///
/// Rebuilds every order book, and says for every market maker, issue and obligation how long the obligation was
/// fulfilled, and why not for the rest.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = "Examples:
  quoteclock replay --registry registry 2024-03-01.csv.zst
  quoteclock replay --registry registry --out results march/*.csv.gz
  quoteclock replay --registry us --out results 01302020.NASDAQ_ITCH50.gz
  quoteclock replay --registry registry --db market.db march/*.csv.gz
  quoteclock replay --registry registry --db market.db --changed --inputs /archive/2024-03
  quoteclock replay --registry registry --market-maker MM1 --failing 2024-03-01.csv.zst
  quoteclock replay --registry registry --own-orders own.csv xtks-20240301.mbo.dbn.zst
  quoteclock replay --registry registry --also phases-20240301.csv:phases 20240301.messages.log
  quoteclock replay --registry registry --shard 0/4 --db part-0.db 2024-03-01.csv.zst
  quoteclock replay --registry registry --parquet-dataset market march/*.csv.gz
  quoteclock replay --registry s3://market/registry --parquet-dataset s3://market/measured s3://market/2024-03-01.qcev
  zcat 2024-03-01.csv.gz | quoteclock replay --registry registry --json - > 2024-03-01.json

--out writes daily.csv, breaches.csv and outages.csv (and rejects.csv with --lenient), once the whole run has succeeded.
--db keeps the days in a database; a day that was there is replaced. The run's days are in it whole or not at all, \
and before the files of --out have their names.
--changed measures again exactly the stored days that the registry as it is now would measure otherwise, each with the \
options that it was measured with. An input is sought where it was, beside the database, and in every --inputs DIR; it has \
to hold the same bytes. If one is not found, it is named and nothing is replaced.")]
pub(crate) struct ReplayArgs {
    #[command(flatten)]
    registry: RegistryArgs,

    /// Folder for daily.csv, breaches.csv and outages.csv; made if it is not there
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Write the output files as Parquet, too, for DuckDB, polars and the like
    #[cfg(feature = "parquet")]
    #[arg(long, requires = "out")]
    parquet: bool,
    /// Database for the measured days (SQLite); made if it is not there
    #[arg(long, value_name = "FILE")]
    db: Option<PathBuf>,

    /// Folder of Parquet files that engines read as tables, by month and date; made if it is not there, and a day that was there
    /// is replaced
    #[cfg(feature = "parquet")]
    #[arg(long, value_name = "DIR")]
    parquet_dataset: Option<PathBuf>,

    /// Set bad records aside and go on; what they leave in doubt is reported as unknown time
    #[arg(long)]
    lenient: bool,

    /// How many bad records of one kind of fault rejects.csv lists; of the others it says how many they are
    #[arg(long, value_name = "N", default_value_t = REJECTS_LISTED, requires = "lenient")]
    rejects: u64,

    /// Accept sequence numbers that rise by more than one
    #[arg(long)]
    allow_gaps: bool,

    /// Trading date, such as 2024-03-01; otherwise that of the first record, or of an ITCH file's name (MMDDYYYY…)
    #[arg(long, value_name = "DATE")]
    date: Option<Date>,

    /// Measure up to this time only: a local clock time such as 10:30 (of each day), or one such as
    /// 2024-03-01T10:30:00+09:00
    #[arg(long, value_name = "TIME", value_parser = until)]
    until: Option<Until>,

    /// Exit with 3 if an input does not support its figures: if it ends early, tells no phase, lacks servers or issues that
    /// are registered, or has some that are not
    #[arg(long)]
    strict_coverage: bool,

    /// Measure the issues of one of N shards only (0/4 to 3/4): those whose code's CRC-32C leaves that remainder. auto/N takes
    /// the number from SLURM_ARRAY_TASK_ID, AWS_BATCH_JOB_ARRAY_INDEX or JOB_COMPLETION_INDEX. The database is then one of parts:
    /// `quoteclock merge` makes days of them
    #[arg(
        long,
        value_name = "I/N",
        value_parser = crate::shard::parse,
        conflicts_with_all = ["out", "changed"]
    )]
    shard: Option<Shard>,

    /// Threads to measure with, over all days at once; more than four for each core are taken as that many
    /// [default: one for each core]
    #[arg(long, value_name = "N", value_parser = threads)]
    threads: Option<NonZeroUsize>,

    /// Print one JSON document with the names and columns of the CSV files
    #[arg(long)]
    json: bool,

    /// Measure again the stored days that the registry would measure otherwise, with the options that are stored with them
    #[arg(
        long,
        requires = "db",
        conflicts_with_all = ["files", "out", "lenient", "allow_gaps", "date", "until", "own_orders", "also"]
    )]
    changed: bool,

    /// Folder with inputs of stored days, for those that are neither where they were nor beside the database; may be given
    /// several times
    #[arg(long, value_name = "DIR", requires = "changed")]
    inputs: Vec<PathBuf>,

    #[command(flatten)]
    beside: BesideArgs,

    #[command(flatten)]
    choice: Choice,

    /// Those of the outputs that are objects.
    #[arg(skip)]
    outputs: Arc<Outputs>,

    /// Files of order events, one trading day each: CSV, the binary form (.qcev), NASDAQ ITCH 5.0, FIX logs or Databento DBN (mbo),
    /// plain or compressed with gzip or zstd; - for standard input
    #[arg(required_unless_present = "changed", value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Reads what `--threads` says.
fn threads(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| format!("found \"{text}\", expected a number of threads, at least 1"))
}

/// More threads than so many for each core only wait for each other.
const THREADS_PER_CORE_MAX: usize = 4;

impl ReplayArgs {
    /// How many threads to measure with.
    fn thread_count(&self) -> usize {
        let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN).get();
        self.threads.map_or(cores, |threads| threads.get().min(cores.saturating_mul(THREADS_PER_CORE_MAX)))
    }

    /// Whether anybody is told what each obligation came to, beside the files: in words, JSON or a warning of names that are none.
    fn is_summed_up(&self) -> bool {
        self.json || !self.choice.quiet || self.choice.names().iter().any(|names| !names.is_empty())
    }

    /// The names of the files that go into `--out`.
    fn names(&self) -> Vec<String> {
        staging::names(self.lenient, self.parquet())
    }

    /// Looks, before anything is measured, at every name that will be written.
    fn look_at_outputs(&self, inputs: &[Input]) -> Result<()> {
        let mut outputs: Vec<PathBuf> = self.db.iter().cloned().collect();
        if let Some(out) = &self.out {
            outputs.extend(self.names().iter().map(|name| out.join(name)));
        }
        let mut sources = registry::files(&self.registry.folder);
        sources.extend(self.beside.files());
        refuse_inputs(&outputs, inputs, &sources)?;
        if let Some(out) = &self.out {
            publication::look(out, &self.names(), &staging::stale(&self.names()))?;
        }
        match &self.db {
            Some(db) => check_database(db, self.shard),
            None => Ok(()),
        }
    }

    /// The inputs that were typed.
    fn typed_jobs(&self) -> Result<Vec<Job>> {
        let (allow_gaps, lenient, until) = (self.allow_gaps, self.lenient, self.until);
        let how = How { input: quoteclock::How { allow_gaps, lenient, until }, beside: self.beside.clone() };
        let (date, stored_as) = (self.date, None);
        let job = |file: &PathBuf| {
            Ok(Job {
                input: remote::input(file)?,
                how: how.clone(),
                opened: Beside::default(),
                date,
                stored_as: stored_as.clone(),
            })
        };
        self.files.iter().map(job).collect()
    }

    /// The same with every output on this machine, and where those go that are objects.
    fn with_outputs_made_here(&self) -> Result<ReplayArgs> {
        let mut outputs = Outputs::default();
        let mut here = self.clone();
        if let Some(out) = &self.out {
            let of_out = |name: &String| out.join(name);
            if let Some(name) = self.names().iter().map(of_out).find(|name| self.files.contains(name)) {
                let problem =
                    format!("{} is to be read and to be written, expected another name for the output", name.display());
                return Err(BadUsage(problem).into());
            }
            let stale = staging::stale(&self.names()).into_iter().map(str::to_owned).collect();
            here.out = Some(outputs.make(out, remote::Kind::Folder { stale })?);
        }
        if let Some(db) = &self.db {
            if self.shard.is_none() && remote::is_object(db)? {
                let problem = "--db: expected a file; of a database only a shard's parts (--shard) may be an object, which is new each time";
                return Err(BadUsage(problem.to_owned()).into());
            }
            here.db = Some(outputs.make(db, remote::Kind::File)?);
        }
        #[cfg(feature = "parquet")]
        if let Some(dataset) = &self.parquet_dataset {
            let kind = remote::Kind::Dataset(self.shard.unwrap_or(Shard::WHOLE));
            here.parquet_dataset = Some(outputs.make(dataset, kind)?);
        }
        here.outputs = Arc::new(outputs);
        Ok(here)
    }

    /// The folder of Parquet files, if one is asked for.
    fn dataset(&self) -> Option<&Path> {
        #[cfg(feature = "parquet")]
        return self.parquet_dataset.as_deref();
        #[cfg(not(feature = "parquet"))]
        None
    }

    /// Whether Parquet is asked for.
    fn parquet(&self) -> bool {
        #[cfg(feature = "parquet")]
        return self.parquet;
        #[cfg(not(feature = "parquet"))]
        false
    }
}

/// What is kept of a day once its rows are written aside.
struct Measured {
    date: Date,
    /// Of its input among those of the run.
    position: usize,
    /// Where anything of it is printed.
    summary: Option<DaySummary>,
    parts: Parts,
    input: String,
    /// Of its bytes, where what is written names it.
    input_sha256: Option<Digest>,
    /// The files beside it, likewise.
    beside: Vec<(String, Digest)>,
    record_count: u64,
    reject_count: u64,
    coverage: DayCoverage,
    /// Up to when it was measured, if not to its end.
    until: Option<String>,
}

/// One input, and how it is measured.
#[derive(Clone, Debug)]
struct Job {
    input: Input,
    how: How,
    /// What it is measured from besides.
    opened: Beside,
    date: Option<Date>,
    /// What the database calls an input that was measured before, and its hash.
    stored_as: Option<StoredAs>,
}

#[derive(Clone, Debug)]
struct StoredAs {
    input: String,
    input_sha256: Digest,
    /// Whether that is the hash of a journal's messages, not of its bytes.
    is_journal: bool,
}

impl Job {
    /// A stored day that is measured again.
    fn again(Found { day, path, is_journal, how }: Found) -> Job {
        // Of a journal the database has the feed; a file that has moved is called by its new name.
        let input = if is_journal { day.input } else { path.display().to_string() };
        let stored_as = Some(StoredAs { input, input_sha256: day.input_sha256, is_journal });
        Job { input: Input::File(path), how, opened: Beside::default(), date: Some(day.date), stored_as }
    }
}

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
    let printed = match (args.json, args.choice.quiet) {
        (true, _) => {
            print_json(args, &registry, &parts, &days, &shown, is_lenient, args.db.is_some().then_some(&replaced))
        }
        (false, true) => Ok(()),
        (false, false) => print_text(args, &registry, &days, &shown, &replaced),
    };
    let kept = kept(args, &days);
    printed
        .map_err(|error| if kept.is_empty() { error } else { error.context(format!("{}, but", kept.trim_end())) })?;
    let is_covered = days.iter().all(|day| day.coverage.rows.is_empty());
    let is_whole = days.iter().all(|day| day.reject_count == 0) && (is_covered || !args.strict_coverage);
    Ok(if is_whole { Outcome::Done } else { Outcome::Incomplete })
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

/// What all days of a run have in common.
#[derive(Clone, Copy)]
struct Run<'a> {
    args: &'a ReplayArgs,
    opened: &'a quoteclock::Registry,
    registry: &'a Registry,
    batch: Option<&'a Mutex<DayBatch>>,
    dataset: Option<&'a Dataset>,
}

impl Run<'_> {
    /// Measures all inputs, several at once; the error of the first one in their order, if any.
    fn measure_all(self, jobs: &[Job], staging: &Staging) -> Result<Vec<Measured>> {
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
    fn rests_on(self, days: &[Measured]) -> Vec<(String, String)> {
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
        if let Some(batch) = self.batch {
            let day = quoteclock_store::DayToStore { plan, ledger, turnover, provenance };
            batch.lock().expect("no thread panics with the lock").add_part(day, whole)?;
        }
        if let Some(dataset) = self.dataset {
            let day = dataset::Measured { plan, whole, ledger, turnover, provenance };
            dataset
                .write_aside(position, &day)
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
fn in_order_of_dates(jobs: &[Job], days: Vec<Measured>) -> Result<Vec<Measured>> {
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

#[derive(Serialize)]
struct Scheme<'a> {
    name: &'a str,
    version: &'a str,
    interpretations: BTreeMap<&'a str, &'a str>,
}

#[derive(Serialize)]
struct Rest<'a> {
    schema: u32,
    /// Of which shard the figures are, where not of all issues.
    #[serde(skip_serializing_if = "Option::is_none")]
    shard: Option<String>,
    coverage: Vec<JsonRow<'a, Coverages>>,
    /// What has come in the place of stored days; left out without a database.
    #[serde(skip_serializing_if = "Option::is_none")]
    replaced: Option<Vec<ReplacedJson>>,
    scheme: Scheme<'a>,
}

#[derive(Serialize)]
struct ReplacedJson {
    date: String,
    results_differing: usize,
    statuses_differing: usize,
}

fn print_json(
    args: &ReplayArgs,
    registry: &Registry,
    parts: &[Parts],
    days: &[Measured],
    shown: &[&OverviewLine],
    is_lenient: bool,
    replaced: Option<&Vec<Replaced>>,
) -> Result<()> {
    let scheme = registry.scheme();
    let (name, version) = (scheme.name(), scheme.version());
    let interpretations = scheme.interpretations().iter().collect();
    let places = (!args.choice.is_everything()).then(|| places(shown));
    let list = |list| {
        let part = |day: &Parts| match &places {
            Some(places) if list != List::Rejects => day.json_of(list, places),
            _ => day.json(list),
        };
        parts.iter().map(part).collect::<Result<Vec<_>, _>>()
    };
    let mut lists = vec![("daily", list(List::Daily)?), ("breaches", list(List::Breaches)?)];
    if is_lenient {
        lists.push(("rejects", list(List::Rejects)?));
    }
    let coverage = json_rows(days.iter().flat_map(|day| day.coverage.rows.iter().cloned()));
    let replaced = replaced.map(|days| {
        let of_day = |day: &Replaced| ReplacedJson {
            date: day.date.to_string(),
            results_differing: day.changes.len(),
            statuses_differing: day.changes.iter().filter(|change| change.turns_status()).count(),
        };
        days.iter().map(of_day).collect()
    });
    let scheme = Scheme { name, version, interpretations };
    let rest =
        Rest { schema: output::SCHEMA, shard: args.shard.map(|shard| shard.to_string()), coverage, replaced, scheme };
    output::print_with(|to| write_document(lists, &rest, to))
}

/// Where each obligation stands among those that are shown.
fn places(shown: &[&OverviewLine]) -> BTreeMap<AccountKey, usize> {
    shown.iter().enumerate().map(|(place, line)| (line.key.clone(), place)).collect()
}

/// What the standings of a run's obligations are called where they are counted.
const WORDS: Words = Words { fails: "without their share", at_risk: "", uncertain: "not certain", meets: "with it" };

fn print_text(
    args: &ReplayArgs,
    registry: &Registry,
    days: &[Measured],
    shown: &[&OverviewLine],
    replaced: &[Replaced],
) -> Result<()> {
    let style = terminal::table_style();
    let mut text = String::new();
    let places = (!args.choice.is_everything()).then(|| places(shown));
    let sums_up = args.choice.sums_up(shown.len());
    if sums_up {
        text.push_str(&overview(shown, WORDS, style));
        text.push('\n');
    }
    for day in days {
        let Some(summary) = &day.summary else { continue };
        if sums_up {
            let is_shown = |key: &AccountKey| places.as_ref().is_none_or(|places| places.contains_key(key));
            text.push_str(&quoteclock_report::wrap(&summary.summed_up(is_shown), style.width));
        } else {
            text.push_str(&summary.render(style, places.as_ref()));
        }
        for line in &day.coverage.beside_results {
            text.push_str(&quoteclock_report::wrap(line, style.width));
        }
        if let Some(until) = &day.until {
            text.push_str(&format!("{}: measured up to {until}\n", day.date));
        }
        if !sums_up {
            text.push('\n');
        }
    }
    if sums_up {
        text.push('\n');
    }
    let scheme = registry.scheme();
    let records: u64 = days.iter().map(|day| day.record_count).sum();
    let records = format!("{records} records under {} {}", scheme.name(), scheme.version());
    text.push_str(&quoteclock_report::wrap(&records, style.width));
    let choices: Vec<String> =
        scheme.interpretations().iter().map(|(name, value)| format!("{name} = \"{value}\"")).collect();
    text.push_str(&quoteclock_report::wrap(&format!("interpretations: {}", choices.join(", ")), style.width));
    text.push_str(&kept(args, days));
    replaced.iter().for_each(|day| text.push_str(&replaced_text(day)));
    output::print(&text)
}

/// So many results whose status a replacement turns are named.
const TURNED_MAX: usize = 20;

/// What has come in the place of a stored day.
fn replaced_text(day: &Replaced) -> String {
    let turned: Vec<&Change> = day.changes.iter().filter(|change| change.turns_status()).collect();
    let differ = match day.changes.len() {
        0 => "no result differs".to_owned(),
        1 => "1 result differs".to_owned(),
        count => format!("{} results differ", month::grouped(count)),
    };
    let turn = match turned.len() {
        0 => "none changes status",
        1 => "1 changes status:",
        count => &format!("{} change status:", month::grouped(count)),
    };
    let turn = if day.changes.is_empty() { "" } else { &format!(", {turn}") };
    let mut text = format!("replaced {}: {differ}{turn}\n", day.date);
    for change in turned.iter().take(TURNED_MAX) {
        if let Some(DayRow { market_maker, issue, obligation, .. }) = change.row() {
            let [before, after] = [&change.before, &change.after].map(|row| share(row.as_ref()));
            text.push_str(&format!("  {market_maker} {issue} {obligation}: {before}, now {after}\n"));
        }
    }
    if TURNED_MAX < turned.len() {
        text.push_str(&format!("  and {} more\n", turned.len() - TURNED_MAX));
    }
    text
}

/// A result's quote display time.
fn share(row: Option<&DayRow>) -> String {
    match row {
        None => "not measured".to_owned(),
        Some(DayRow { total, .. }) => DisplayPercent::of(total.fulfilled, total.available)
            .map_or_else(|| "not applicable".to_owned(), |percent| format!("{percent} %")),
    }
}

/// Where the results are.
fn kept(args: &ReplayArgs, days: &[Measured]) -> String {
    let mut text = String::new();
    if let Some(out) = &args.out {
        let rejects = if args.lenient { ", rejects.csv" } else { "" };
        let parquet = if args.parquet() { ", daily.parquet, breaches.parquet, outages.parquet" } else { "" };
        text.push_str(&format!(
            "written to {}: daily.csv, breaches.csv, outages.csv{rejects}{parquet}\n",
            args.outputs.name(out)
        ));
    }
    if let Some(dataset) = args.dataset() {
        let part = args.shard.map(|shard| format!(", shard {shard}")).unwrap_or_default();
        text.push_str(&format!(
            "written to {}: {}{part}\n",
            args.outputs.name(dataset),
            month::count(days.len(), "day")
        ));
    }
    if let Some(db) = &args.db {
        let what = match args.shard {
            None => month::count(days.len(), "day"),
            Some(shard) => format!("shard {shard} of {}, for quoteclock merge", month::count(days.len(), "day")),
        };
        text.push_str(&format!("stored in {}: {what}\n", args.outputs.name(db)));
    }
    text
}
