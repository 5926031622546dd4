//! `quoteclock etf`: rules beside the market making scheme that decide which ETFs there are, and what may be traded when.

use crate::publication::Publication;
use crate::{BadUsage, Outcome, output, staging, target, terminal};
use anyhow::{Context, Result, bail};
use clap::Subcommand;
use jiff::civil::Date;
use quoteclock_etf::{Interpretation, feeders, inclusion, licences, stock_connect, tables};
use quoteclock_report::wrap;
use quoteclock_rows::{Table, json_rows, text_table, write_csv};
use quoteclock_sheets::{Finding, SourceFile, value};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Decide by the ETF reference rules: Stock Connect, index licences, China A inclusion, feeder pairs.
///
/// A folder of small CSV files in; decisions with clauses, and what is missing for others, out.
#[derive(clap::Args, Debug)]
pub(crate) struct EtfArgs {
    #[command(subcommand)]
    rules: Rules,
}

#[derive(Subcommand, Debug)]
enum Rules {
    StockConnect(StockConnectArgs),
    Licences(LicencesArgs),
    Inclusion(InclusionArgs),
    Feeders(FeedersArgs),
}

/// What all rule sets take.
#[derive(clap::Args, Debug)]
struct Common {
    /// Folder of the rule set's CSV files
    #[arg(long, value_name = "DIR")]
    data: PathBuf,

    /// Folder for the files; made if it is not there
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Print one JSON document with the names and columns of the CSV files
    #[arg(long)]
    json: bool,
}

/// Review which ETFs of Shanghai and Shenzhen are eligible for Northbound trading, and which are sell-only.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  quoteclock etf stock-connect --data stock-connect --review 2024-06
  quoteclock etf stock-connect --data stock-connect --review 2024-06 --out 2024-06

Reads etfs.csv, and aum.csv, indices.csv, constituents.csv, turnover.csv and holidays.csv where they are there.
--out writes dates.csv and review.csv. Exits with 3 if anything is undecided or missing.")]
struct StockConnectArgs {
    #[command(flatten)]
    common: Common,

    /// The review: June or December of a year, such as 2024-06
    #[arg(long, value_name = "REVIEW")]
    review: stock_connect::Review,
}

/// Decide who gets a licence for an index of TSE, who waits until when, and what is to be evaluated.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:
  quoteclock etf licences --data licences

Reads applications.csv, and indices.csv and grants.csv (what people decided) where they are there.
--out writes decisions.csv. Exits with 3 if anything is undecided.")]
struct LicencesArgs {
    #[command(flatten)]
    common: Common,
}

/// Work out what China A shares are of each index, by the aggregate quota, without one, or by one's own allocation.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  quoteclock etf inclusion --data inclusion --allocation quota --date 2017-06-30
  quoteclock etf inclusion --data inclusion --allocation none
  quoteclock etf inclusion --data inclusion --allocation custom:1000000000
  quoteclock etf inclusion --data inclusion --allocation custom:4.67%

Reads members.csv, and china_a.csv and quota.csv where they are there.
--out writes allocations.csv and weights.csv. Exits with 3 if anything is missing.")]
struct InclusionArgs {
    #[command(flatten)]
    common: Common,

    /// quota, none, custom:USD or custom:P%
    #[arg(long, value_name = "ALLOCATION")]
    allocation: inclusion::Asked,

    /// The date of the quota, such as 2017-06-30
    #[arg(long, value_name = "DATE", value_parser = date)]
    date: Option<Date>,
}

/// Pair feeder funds with their targets, and propose exemptions for days on which a target's market is closed.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  quoteclock etf feeders --data feeders --year 2024 --out feeders-2024
  quoteclock etf feeders --data feeders --date 2024-10-01

Reads feeders.csv, and holidays.csv where it is there. --out writes pairs.csv and candidates.csv, which has the columns of \
exemptions.csv of a registry. They are candidates: the exchange decides. Exits with 3 if anything is missing.")]
struct FeedersArgs {
    #[command(flatten)]
    common: Common,

    #[command(flatten)]
    days: Days,
}

#[derive(clap::Args, Debug)]
#[group(required = true, multiple = false)]
struct Days {
    /// One day, such as 2024-10-01
    #[arg(long, value_name = "DATE", value_parser = day)]
    date: Option<Date>,

    /// A year, such as 2024
    #[arg(long, value_name = "YEAR", value_parser = feeders::year)]
    year: Option<(Date, Date)>,
}

/// A date as files have it.
fn date(text: &str) -> Result<Date, String> {
    value::date(text).map_err(|expected| format!("found \"{text}\", {expected}"))
}

/// A date whose end can be written down, too.
fn day(text: &str) -> Result<Date, String> {
    date(text)?.tomorrow().map_err(|_| format!("found \"{text}\", expected an earlier date"))?;
    date(text)
}

/// Runs the command.
pub(crate) fn run(args: &EtfArgs) -> Result<Outcome> {
    match &args.rules {
        Rules::StockConnect(args) => stock_connect(args),
        Rules::Licences(args) => licences(args),
        Rules::Inclusion(args) => inclusion(args),
        Rules::Feeders(args) => feeders(args),
    }
}

fn stock_connect(args: &StockConnectArgs) -> Result<Outcome> {
    let Some(rows) = args.common.load(&stock_connect::FILE_NAMES, stock_connect::load)? else {
        return Ok(Outcome::BadInput);
    };
    let (dates, decisions) = stock_connect::decide(args.review, &rows);
    let is_open = !dates.missing.is_empty() || decisions.iter().any(|decision| decision.after.is_none());
    let mut result = Decided::new(&stock_connect::INTERPRETATIONS, is_open);
    result.list::<tables::Dates>(|| vec![(args.review, &dates)])?;
    result.list::<tables::Reviews>(|| decisions.iter().map(|decision| (args.review, decision)).collect())?;
    result.give(&args.common)
}

fn licences(args: &LicencesArgs) -> Result<Outcome> {
    let Some(rows) = args.common.load(&licences::FILE_NAMES, licences::load)? else { return Ok(Outcome::BadInput) };
    let decisions = licences::decide(&rows);
    let is_open = decisions.iter().any(|decision| decision.outcome == licences::Outcome::Undecided);
    let mut result = Decided::new(&licences::INTERPRETATIONS, is_open);
    result.list::<tables::Decisions>(|| decisions.iter().collect())?;
    result.give(&args.common)
}

fn inclusion(args: &InclusionArgs) -> Result<Outcome> {
    let allocation = args.allocation.on(args.date).map_err(BadUsage)?;
    let Some(rows) = args.common.load(&inclusion::FILE_NAMES, inclusion::load)? else { return Ok(Outcome::BadInput) };
    let all = inclusion::decide(allocation, &rows);
    let is_open = all.iter().any(|one| !one.missing.is_empty());
    let mut result = Decided::new(&inclusion::INTERPRETATIONS, is_open);
    result.list::<tables::Allocations>(|| all.iter().map(|one| (&args.allocation, one)).collect())?;
    result.list::<tables::Weights>(|| {
        all.iter().flat_map(|one| one.weights.iter().map(|weight| (one.index.as_str(), weight))).collect()
    })?;
    result.give(&args.common)
}

fn feeders(args: &FeedersArgs) -> Result<Outcome> {
    let (first, last) = match (args.days.date, args.days.year) {
        (Some(day), _) => (day, day),
        (None, Some(year)) => year,
        (None, None) => return Err(BadUsage("expected --date or --year".to_owned()).into()),
    };
    let Some(rows) = args.common.load(&feeders::FILE_NAMES, feeders::load)? else { return Ok(Outcome::BadInput) };
    let (pairs, candidates) = feeders::decide(first, last, &rows);
    let is_open = pairs.iter().any(|pair| !pair.missing.is_empty());
    let mut result = Decided::new(&feeders::INTERPRETATIONS, is_open);
    result.list::<tables::Pairs>(|| pairs.iter().collect())?;
    result.list::<tables::Candidates>(|| candidates.iter().collect())?;
    result.give(&args.common)
}

impl Common {
    /// The rows of the folder; `None` after printing all that is wrong with them.
    fn load<T>(&self, names: &[&str], load: fn(&[SourceFile]) -> Result<T, Vec<Finding>>) -> Result<Option<T>> {
        let (files, unread) = self.read(names)?;
        let is_read = |finding: &Finding| unread.iter().all(|other| other.file != finding.file);
        match load(&files) {
            Ok(rows) if unread.is_empty() => Ok(Some(rows)),
            result => {
                let findings = result.err().unwrap_or_default();
                for finding in unread.iter().chain(findings.iter().filter(|finding| is_read(finding))) {
                    terminal::print_error(&self.data.join(finding.to_string()).display().to_string());
                }
                Ok(None)
            }
        }
    }

    fn read(&self, names: &[&str]) -> Result<(Vec<SourceFile>, Vec<Finding>)> {
        if !self.data.is_dir() {
            bail!("{}: not a folder, expected one that holds {}", self.data.display(), names.join(", "));
        }
        Ok(quoteclock::read_files(&self.data, names))
    }

    /// The files that the rule set may read.
    fn inputs(&self) -> Vec<PathBuf> {
        let all =
            [stock_connect::FILE_NAMES.as_slice(), &licences::FILE_NAMES, &inclusion::FILE_NAMES, &feeders::FILE_NAMES];
        all.into_iter().flatten().map(|name| self.data.join(name)).collect()
    }
}

/// What a rule set decides, in every form.
struct Decided {
    /// Files by name, and their rows as CSV.
    files: Vec<(String, Vec<u8>)>,
    /// Lists by name, and their rows as JSON.
    lists: Vec<(&'static str, Box<RawValue>)>,
    /// Tables for people.
    text: String,
    interpretations: &'static [Interpretation],
    /// Whether anything is undecided or missing.
    is_open: bool,
}

impl Decided {
    fn new(interpretations: &'static [Interpretation], is_open: bool) -> Decided {
        Decided { files: Vec::new(), lists: Vec::new(), text: String::new(), interpretations, is_open }
    }

    /// Adds a list.
    fn list<'r, T: Table>(&mut self, rows: impl Fn() -> Vec<T::Row<'r>>) -> Result<()> {
        let mut csv = Vec::new();
        write_csv::<T>(rows(), &mut csv)?;
        self.files.push((format!("{}.csv", T::NAME), csv));
        self.lists.push((T::NAME, serde_json::value::to_raw_value(&json_rows::<T>(rows()))?));
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        let rows = rows();
        match rows.is_empty() {
            true => self.text.push_str(&format!("{}: none\n", T::NAME)),
            false => self.text.push_str(&text_table::<T>(&rows, terminal::table_style())),
        }
        Ok(())
    }

    /// Writes and prints it.
    fn give(self, common: &Common) -> Result<Outcome> {
        if let Some(out) = &common.out {
            self.write(out, &common.inputs())?;
        }
        if common.json {
            output::print_with(|to| self.json(to))?;
        } else {
            let readings: Vec<String> =
                self.interpretations.iter().map(|one| format!("{} = \"{}\"", one.name, one.value)).collect();
            let readings = format!("interpretations: {}", readings.join(", "));
            let mut text = format!("{}\n{}", self.text, wrap(&readings, terminal::table_style().width));
            if let Some(out) = &common.out {
                let names: Vec<&str> = self.files.iter().map(|(name, _)| name.as_str()).collect();
                text.push_str(&format!("written to {}: {}\n", out.display(), names.join(", ")));
            }
            output::print(&text)?;
        }
        Ok(if self.is_open { Outcome::Incomplete } else { Outcome::Done })
    }

    /// Writes the files aside, and gives them their names together.
    fn write(&self, out: &Path, inputs: &[PathBuf]) -> Result<()> {
        let names: Vec<&str> = self.files.iter().map(|(name, _)| name.as_str()).collect();
        let outputs: Vec<PathBuf> = names.iter().map(|name| out.join(name)).collect();
        target::refuse_inputs(&outputs, &[], inputs)?;
        let staging = staging::folder_beside(out)?;
        for (name, csv) in &self.files {
            let write = || -> io::Result<()> {
                let mut file = BufWriter::new(File::create(staging.path().join(name))?);
                file.write_all(csv)?;
                file.into_inner()?.sync_all()
            };
            write().with_context(|| format!("writing {name} aside"))?;
        }
        Publication::prepare(staging.path(), &names, out, &[])?.carry_out(None)
    }

    fn json(&self, to: &mut dyn Write) -> io::Result<()> {
        write!(to, "{{\"schema\":{},", output::SCHEMA)?;
        for (name, rows) in &self.lists {
            write!(to, "\"{name}\":{rows},")?;
        }
        let readings: BTreeMap<&str, &str> = self.interpretations.iter().map(|one| (one.name, one.value)).collect();
        writeln!(to, "\"interpretations\":{}}}", serde_json::to_string(&readings)?)
    }
}
