//! What can be typed.

use clap::{Parser, Subcommand};
use jiff::civil::Date;
use quoteclock_incentive::Month;
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// Says, to the microsecond, how long a market maker's quotes met its obligation.
#[derive(Parser, Debug)]
#[command(
    name = "quoteclock",
    version,
    max_term_width = 120,
    after_help = "Exit codes: 0 done, 1 bad input, 2 bad usage, 3 done but incomplete (--lenient set records aside, \
                  a month has trading days that are not measured)."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    Replay(ReplayArgs),
    Report(ReportArgs),
    Status(StatusArgs),
    Days(DaysArgs),
    Check(CheckArgs),
}

/// Measure trading days from their order events.
///
/// Rebuilds every order book, and says for every market maker, issue and obligation how long the obligation was
/// fulfilled, and why not for the rest.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  quoteclock replay --registry registry 2024-03-01.csv.zst
  quoteclock replay --registry registry --out results march/*.csv.gz
  quoteclock replay --registry registry --db market.db march/*.csv.gz
  zcat 2024-03-01.csv.gz | quoteclock replay --registry registry --json - > 2024-03-01.json

--out writes daily.csv and breaches.csv (and rejects.csv with --lenient), once the whole run has succeeded.
--db keeps the days in a database; a day that was there is replaced. The run's days are in it whole or not at all,
and before the files of --out have their names.")]
pub(crate) struct ReplayArgs {
    /// Folder of the registry: scheme, issues, market makers, virtual servers, sign-ups
    #[arg(long, value_name = "DIR")]
    pub(crate) registry: PathBuf,

    /// Folder for daily.csv and breaches.csv; made if it is not there
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,

    /// Database for the measured days (SQLite); made if it is not there
    #[arg(long, value_name = "FILE")]
    pub(crate) db: Option<PathBuf>,

    /// Set bad records aside and go on; what they leave in doubt is reported as unknown time
    #[arg(long)]
    pub(crate) lenient: bool,

    /// Accept sequence numbers that rise by more than one
    #[arg(long)]
    pub(crate) allow_gaps: bool,

    /// Trading date, such as 2024-03-01; otherwise that of the first record
    #[arg(long, value_name = "DATE")]
    pub(crate) date: Option<Date>,

    /// How many days to measure at once [default: one for each core]
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,

    /// Print one JSON document with the names and columns of the CSV files
    #[arg(long)]
    pub(crate) json: bool,

    /// Files of order events, one trading day each, plain or compressed with gzip or zstd; - for standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

/// Say which obligations were fulfilled in a month, and what follows for each market maker.
///
/// Days whose result the registry as it is now would alter are named, and stop the report until they are replayed.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  quoteclock report --registry registry --db market.db --month 2024-03
  quoteclock report --registry registry --db market.db --month 2024-03 --out 2024-03
  quoteclock report --registry registry --db market.db --month 2024-03 --json > 2024-03.json

--out writes monthly.csv, market_makers.csv and report.txt, which is what is printed.
Exits with 3 if trading days of the month are not measured.")]
pub(crate) struct ReportArgs {
    /// Folder of the registry
    #[arg(long, value_name = "DIR")]
    pub(crate) registry: PathBuf,

    /// Database that replay --db has written
    #[arg(long, value_name = "FILE")]
    pub(crate) db: PathBuf,

    /// The month, such as 2024-03
    #[arg(long, value_name = "MONTH", value_parser = crate::month::parse)]
    pub(crate) month: Month,

    /// Folder for the files; made if it is not there
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,

    /// Report days as they were measured, though the registry has changed since
    #[arg(long)]
    pub(crate) as_measured: bool,

    /// Print one JSON document with the names and columns of the CSV files
    #[arg(long)]
    pub(crate) json: bool,
}

/// Show the month to date: how much longer each obligation may be off and still make its share.
///
/// Trading days that are not measured yet count with the whole session time that the registry gives them, exemptions
/// apart; where the feed tells the sessions, as long as the last measured day.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  quoteclock status --registry registry --db market.db --month 2024-03
  quoteclock status --registry registry --db market.db --month 2024-03 --json

Exits with 3 if the registry has changed since a day was measured, and would alter its result.")]
pub(crate) struct StatusArgs {
    /// Folder of the registry
    #[arg(long, value_name = "DIR")]
    pub(crate) registry: PathBuf,

    /// Database that replay --db has written
    #[arg(long, value_name = "FILE")]
    pub(crate) db: PathBuf,

    /// The month, such as 2024-03
    #[arg(long, value_name = "MONTH", value_parser = crate::month::parse)]
    pub(crate) month: Month,

    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

/// List the stored days, and the trading days that are missing.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  quoteclock days --db market.db
  quoteclock days --db market.db --registry registry --month 2024-03

Trading days are weekdays less the registry's holidays. Without --month they are those of every month that has a stored
day. With --registry the list tells which days the registry as it is now would measure otherwise.")]
pub(crate) struct DaysArgs {
    /// Database that replay --db has written
    #[arg(long, value_name = "FILE")]
    pub(crate) db: PathBuf,

    /// Folder of the registry
    #[arg(long, value_name = "DIR")]
    pub(crate) registry: Option<PathBuf>,

    /// One month only, such as 2024-03
    #[arg(long, value_name = "MONTH", value_parser = crate::month::parse)]
    pub(crate) month: Option<Month>,

    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

/// List everything that is wrong with a registry, with file, line and column.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  quoteclock check --registry registry
  quoteclock check --registry registry --json

Exits with 1 if there is an error; warnings stop nothing.")]
pub(crate) struct CheckArgs {
    /// Folder of the registry
    #[arg(long, value_name = "DIR")]
    pub(crate) registry: PathBuf,

    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}
