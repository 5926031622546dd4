//! What can be typed.

use clap::{Parser, Subcommand, ValueEnum};
use jiff::Timestamp;
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
    Convert(ConvertArgs),
    Generate(GenerateArgs),
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
  quoteclock replay --registry us --out results 01302020.NASDAQ_ITCH50.gz
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

    /// Write the output files as Parquet, too, for DuckDB, polars and the like
    #[cfg(feature = "parquet")]
    #[arg(long, requires = "out")]
    pub(crate) parquet: bool,
    /// Database for the measured days (SQLite); made if it is not there
    #[arg(long, value_name = "FILE")]
    pub(crate) db: Option<PathBuf>,

    /// Set bad records aside and go on; what they leave in doubt is reported as unknown time
    #[arg(long)]
    pub(crate) lenient: bool,

    /// Accept sequence numbers that rise by more than one
    #[arg(long)]
    pub(crate) allow_gaps: bool,

    /// Trading date, such as 2024-03-01; otherwise that of the first record, or of an ITCH file's name (MMDDYYYY…)
    #[arg(long, value_name = "DATE")]
    pub(crate) date: Option<Date>,

    /// Threads to measure with, over all days at once [default: one for each core]
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,

    /// Print one JSON document with the names and columns of the CSV files
    #[arg(long)]
    pub(crate) json: bool,

    /// Files of order events, one trading day each: CSV, the binary form (.qcev) or NASDAQ ITCH 5.0, plain or compressed
    /// with gzip or zstd; - for standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

impl ReplayArgs {
    /// Whether Parquet is asked for.
    pub(crate) fn parquet(&self) -> bool {
        #[cfg(feature = "parquet")]
        return self.parquet;
        #[cfg(not(feature = "parquet"))]
        false
    }
}

impl ReportArgs {
    /// Whether Parquet is asked for.
    pub(crate) fn parquet(&self) -> bool {
        #[cfg(feature = "parquet")]
        return self.parquet;
        #[cfg(not(feature = "parquet"))]
        false
    }
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

    /// Write the CSV files as Parquet, too, for DuckDB, polars and the like
    #[cfg(feature = "parquet")]
    #[arg(long, requires = "out")]
    pub(crate) parquet: bool,

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

/// Write events of one form in another, whole or an excerpt.
///
/// The input's form is recognised by its content: CSV, the binary form or NASDAQ ITCH 5.0, plain or compressed. The
/// output's is told by its name: .csv or .qcev (the binary form), and .gz or .zst behind it to compress.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  quoteclock convert 2024-03-01.csv.gz 2024-03-01.qcev
  quoteclock convert 01302020.NASDAQ_ITCH50.gz 2020-01-30.csv.zst
  quoteclock convert --issue 1306 --from 2024-03-01T10:00:00+09:00 --to 2024-03-01T10:05:00+09:00 2024-03-01.qcev -

An excerpt that begins in mid-day begins with the orders that rest then, and numbers its records anew, so that it replays
by itself. - as output writes CSV to standard output.")]
pub(crate) struct ConvertArgs {
    /// Events to read; - for standard input
    #[arg(value_name = "IN")]
    pub(crate) input: PathBuf,

    /// File to write; - for standard output
    #[arg(value_name = "OUT")]
    pub(crate) output: PathBuf,

    /// Only this issue, and what concerns the whole market
    #[arg(long, value_name = "CODE")]
    pub(crate) issue: Option<String>,

    /// Only from this time on, such as 2024-03-01T10:00:00+09:00
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<Timestamp>,

    /// Only before this time
    #[arg(long, value_name = "TIME")]
    pub(crate) to: Option<Timestamp>,

    /// Only so many records
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u64>,

    /// Trading date, where the input does not tell it
    #[arg(long, value_name = "DATE")]
    pub(crate) date: Option<Date>,

    /// Zone of an ITCH file, whose times count from local midnight
    #[arg(long, value_name = "ZONE", default_value = "America/New_York")]
    pub(crate) timezone: String,

    /// Write this form, whatever the output's name says
    #[arg(long, value_name = "FORM")]
    pub(crate) form: Option<ConvertForm>,
}

/// A form that `convert` writes.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ConvertForm {
    Csv,
    Binary,
}

/// Make up trading days with their registry: realistic, valid, the same for the same seed on every machine.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  quoteclock generate --out made-up
  quoteclock generate --load tse-etf --events 50M --form binary --out made-up
  quoteclock generate --month 2024-03 --events 200k --out march
  quoteclock generate --load us-market --form itch --events 10M --out - | wc -c

--out DIR holds the registry in DIR/registry and each day beside it. --out - writes one day's events to standard output.")]
pub(crate) struct GenerateArgs {
    /// Folder to write to; - for the events alone on standard output
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,

    /// Size and style of the market
    #[arg(long, value_name = "LOAD", default_value = "small", value_parser = ["small", "tse-etf", "us-market"])]
    pub(crate) load: String,

    /// Events a day, such as 100000, 250k, 50M or 1G
    #[arg(long, value_name = "N", value_parser = number)]
    pub(crate) events: Option<u64>,

    /// What all randomness comes from
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,

    /// Trading date
    #[arg(long, value_name = "DATE", conflicts_with = "month")]
    pub(crate) date: Option<Date>,

    /// All weekdays of a month, such as 2024-03, less --holiday
    #[arg(long, value_name = "MONTH", value_parser = first_of_month)]
    pub(crate) month: Option<Date>,

    /// A weekday without trading; may be given several times
    #[arg(long = "holiday", value_name = "DATE")]
    pub(crate) holidays: Vec<Date>,

    /// Number of issues
    #[arg(long, value_name = "N")]
    pub(crate) issues: Option<u32>,

    /// Number of market makers
    #[arg(long, value_name = "N")]
    pub(crate) market_makers: Option<u32>,

    /// Form of the events; us-market is itch or binary
    #[arg(long, value_name = "FORM")]
    pub(crate) form: Option<GenerateForm>,

    /// Write the files anew if they are there
    #[arg(long)]
    pub(crate) force: bool,
}

/// A form that `generate` writes.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum GenerateForm {
    Csv,
    Binary,
    Itch,
}

/// `250k`, `50M`, `1G` or plain digits.
fn number(text: &str) -> Result<u64, String> {
    let wrong = || format!("found \"{text}\", expected a whole number such as 100000, 250k, 50M or 1G");
    let (digits, scale) = match text.as_bytes().last() {
        Some(b'k' | b'K') => (&text[..text.len() - 1], 1_000),
        Some(b'm' | b'M') => (&text[..text.len() - 1], 1_000_000),
        Some(b'g' | b'G') => (&text[..text.len() - 1], 1_000_000_000),
        _ => (text, 1),
    };
    let number: u64 = digits.parse().map_err(|_| wrong())?;
    number.checked_mul(scale).ok_or_else(wrong)
}

/// `2024-03`.
fn first_of_month(text: &str) -> Result<Date, String> {
    format!("{text}-01").parse().map_err(|_| format!("found \"{text}\", expected a month such as 2024-03"))
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
