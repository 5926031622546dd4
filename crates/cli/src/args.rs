//! What can be typed.

use clap::{Parser, Subcommand};
use jiff::civil::Date;
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// Says, to the microsecond, how long a market maker's quotes met its obligation.
#[derive(Parser, Debug)]
#[command(
    name = "quoteclock",
    version,
    max_term_width = 120,
    after_help = "Exit codes: 0 done, 1 bad input, 2 bad usage, 3 done but incomplete (--lenient set records aside)."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    Replay(ReplayArgs),
    Check(CheckArgs),
    Explain(ExplainArgs),
}

/// Measure trading days from their order events.
///
/// Rebuilds every order book, and says for every market maker, issue and obligation how long the obligation was
/// fulfilled, and why not for the rest.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  quoteclock replay --registry registry 2024-03-01.csv.zst
  quoteclock replay --registry registry --out results march/*.csv.gz
  zcat 2024-03-01.csv.gz | quoteclock replay --registry registry --json - > 2024-03-01.json

--out writes daily.csv and breaches.csv (and rejects.csv with --lenient), once the whole run has succeeded.")]
pub(crate) struct ReplayArgs {
    /// Folder of the registry: scheme, issues, market makers, virtual servers, sign-ups
    #[arg(long, value_name = "DIR")]
    pub(crate) registry: PathBuf,

    /// Folder for daily.csv and breaches.csv; made if it is not there
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,

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

/// Say why an obligation was fulfilled or not: at an instant, or along a day.
///
/// With --at: the market maker's quotes at that instant, level by level, where each side reached the minimum, the spread
/// beside its limits, what happened before and after, and what would have sufficed. Without: the day's breaches, the
/// longest first, each with what began and ended it.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  quoteclock explain --registry registry --market-maker MM1 --issue 1306 2024-03-01.csv
  quoteclock explain --registry registry --market-maker MM1 --issue 1306 --at 10:15:30.2 2024-03-01.csv
  quoteclock explain --registry registry --market-maker MM1 --issue 1306 --html mm1-1306.html 2024-03-01.csv

--html writes one page that needs nothing else: the day as a picture, its breaches, and the longest ones worked out.")]
pub(crate) struct ExplainArgs {
    /// Folder of the registry: scheme, issues, market makers, virtual servers, sign-ups
    #[arg(long, value_name = "DIR")]
    pub(crate) registry: PathBuf,

    /// The market maker, as the registry names it
    #[arg(long, value_name = "NAME")]
    pub(crate) market_maker: String,

    /// The issue's code
    #[arg(long, value_name = "CODE")]
    pub(crate) issue: String,

    /// The obligation: general, sponsored:CONDITION or matching:CONDITION
    #[arg(long, value_name = "NAME", default_value = "general")]
    pub(crate) obligation: String,

    /// An instant: a local clock time such as 10:15:30.2, or one such as 2024-03-01T10:15:30.2+09:00
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,

    /// How many breaches to explain, the longest first
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) limit: usize,

    /// Write a page of the day to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,

    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,

    /// Set bad records aside and go on; what they leave in doubt is unknown time
    #[arg(long)]
    pub(crate) lenient: bool,

    /// Accept sequence numbers that rise by more than one
    #[arg(long)]
    pub(crate) allow_gaps: bool,

    /// Trading date, such as 2024-03-01; otherwise that of the first record
    #[arg(long, value_name = "DATE")]
    pub(crate) date: Option<Date>,

    /// File of order events of one trading day, plain or compressed with gzip or zstd; - for standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}
