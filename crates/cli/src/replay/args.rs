//! What can be typed after `quoteclock replay`, and what of it is refused before anything is measured.

use super::check_database;
use super::job::Job;
use crate::beside::BesideArgs;
use crate::choice::Choice;
use crate::how::How;
use crate::registry::{self, RegistryArgs};
use crate::remote::{self, Outputs};
use crate::target::refuse_inputs;
use crate::{BadUsage, publication, staging};
use anyhow::Result;
use jiff::civil::Date;
use quoteclock::until;
use quoteclock_engine::Until;
use quoteclock_model::Shard;
use quoteclock_replay::{Beside, Input};
use quoteclock_report::REJECTS_LISTED;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

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
    pub(super) registry: RegistryArgs,

    /// Folder for daily.csv, breaches.csv and outages.csv; made if it is not there
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,

    /// Write the output files as Parquet, too, for DuckDB, polars and the like
    #[cfg(feature = "parquet")]
    #[arg(long, requires = "out")]
    parquet: bool,
    /// Database for the measured days (SQLite); made if it is not there
    #[arg(long, value_name = "FILE")]
    pub(super) db: Option<PathBuf>,

    /// Folder of Parquet files that engines read as tables, by month and date; made if it is not there, and a day that was there
    /// is replaced
    #[cfg(feature = "parquet")]
    #[arg(long, value_name = "DIR")]
    parquet_dataset: Option<PathBuf>,

    /// Set bad records aside and go on; what they leave in doubt is reported as unknown time
    #[arg(long)]
    pub(super) lenient: bool,

    /// How many bad records of one kind of fault rejects.csv lists; of the others it says how many they are
    #[arg(long, value_name = "N", default_value_t = REJECTS_LISTED, requires = "lenient")]
    pub(super) rejects: u64,

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
    pub(super) strict_coverage: bool,

    /// Measure the issues of one of N shards only (0/4 to 3/4): those whose code's CRC-32C leaves that remainder. auto/N takes
    /// the number from SLURM_ARRAY_TASK_ID, AWS_BATCH_JOB_ARRAY_INDEX or JOB_COMPLETION_INDEX. The database is then one of parts:
    /// `quoteclock merge` makes days of them
    #[arg(
        long,
        value_name = "I/N",
        value_parser = crate::shard::parse,
        conflicts_with_all = ["out", "changed"]
    )]
    pub(super) shard: Option<Shard>,

    /// Threads to measure with, over all days at once; more than four for each core are taken as that many
    /// [default: one for each core]
    #[arg(long, value_name = "N", value_parser = threads)]
    threads: Option<NonZeroUsize>,

    /// Print one JSON document with the names and columns of the CSV files
    #[arg(long)]
    pub(super) json: bool,

    /// Measure again the stored days that the registry would measure otherwise, with the options that are stored with them
    #[arg(
        long,
        requires = "db",
        conflicts_with_all = ["files", "out", "lenient", "allow_gaps", "date", "until", "own_orders", "also"]
    )]
    pub(super) changed: bool,

    /// Folder with inputs of stored days, for those that are neither where they were nor beside the database; may be given
    /// several times
    #[arg(long, value_name = "DIR", requires = "changed")]
    pub(super) inputs: Vec<PathBuf>,

    #[command(flatten)]
    pub(super) beside: BesideArgs,

    #[command(flatten)]
    pub(super) choice: Choice,

    /// Those of the outputs that are objects.
    #[arg(skip)]
    pub(super) outputs: Arc<Outputs>,

    /// Files of order events, one trading day each: CSV, the binary form (.qcev), NASDAQ ITCH 5.0, FIX logs or Databento DBN (mbo),
    /// plain or compressed with gzip or zstd; - for standard input
    #[arg(required_unless_present = "changed", value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
}

/// Reads what `--threads` says.
fn threads(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| format!("found \"{text}\", expected a number of threads, at least 1"))
}

/// More threads than so many for each core only wait for each other.
const THREADS_PER_CORE_MAX: usize = 4;

impl ReplayArgs {
    /// How many threads to measure with.
    pub(super) fn thread_count(&self) -> usize {
        let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN).get();
        self.threads.map_or(cores, |threads| threads.get().min(cores.saturating_mul(THREADS_PER_CORE_MAX)))
    }

    /// Whether anybody is told what each obligation came to, beside the files: in words, JSON or a warning of names that are none.
    pub(super) fn is_summed_up(&self) -> bool {
        self.json || !self.choice.quiet || self.choice.names().iter().any(|names| !names.is_empty())
    }

    /// The names of the files that go into `--out`.
    fn names(&self) -> Vec<String> {
        staging::names(self.lenient, self.parquet())
    }

    /// Looks, before anything is measured, at every name that will be written.
    pub(super) fn look_at_outputs(&self, inputs: &[Input]) -> Result<()> {
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
    pub(super) fn typed_jobs(&self) -> Result<Vec<Job>> {
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
    pub(super) fn with_outputs_made_here(&self) -> Result<ReplayArgs> {
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
    pub(super) fn dataset(&self) -> Option<&Path> {
        #[cfg(feature = "parquet")]
        return self.parquet_dataset.as_deref();
        #[cfg(not(feature = "parquet"))]
        None
    }

    /// Whether Parquet is asked for.
    pub(super) fn parquet(&self) -> bool {
        #[cfg(feature = "parquet")]
        return self.parquet;
        #[cfg(not(feature = "parquet"))]
        false
    }
}
