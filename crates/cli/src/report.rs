//! `quoteclock report`: what a month's stored days decide.

use crate::month::{self, SchemeJson, StoredMonth};
use crate::month_page::PageOf;
use crate::publication::Publication;
use crate::staging;
use crate::{Outcome, output, terminal};
use anyhow::{Context, Result};
use jiff::civil::Date;
use quoteclock_incentive::{Line, MakerLine, Month, makers};
use quoteclock_report::{
    MakerJson, MonthlyJson, Style, makers_table, monthly_table, wrap, write_makers_csv, write_monthly_csv,
};
use quoteclock_rules::Registry;
use quoteclock_store::Store;
use serde::Serialize;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Say which obligations were fulfilled in a month, and what follows for each market maker.
///
/// Days whose result the registry as it is now would alter are named, and stop the report until they are replayed.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  quoteclock report --registry registry --db market.db --month 2024-03
  quoteclock report --registry registry --db market.db --month 2024-03 --out 2024-03
  quoteclock report --registry registry --db market.db --month 2024-03 --html 2024-03.html
  quoteclock report --registry registry --db market.db --month 2024-03 --json > 2024-03.json

--out writes monthly.csv, market_makers.csv and report.txt, which is what is printed.
Exits with 3 if trading days of the month are not measured.")]
pub(crate) struct ReportArgs {
    /// Folder of the registry
    #[arg(long, value_name = "DIR")]
    registry: PathBuf,

    /// Database that replay --db has written
    #[arg(long, value_name = "FILE")]
    db: PathBuf,

    /// The month, such as 2024-03
    #[arg(long, value_name = "MONTH", value_parser = month::parse)]
    month: Month,

    /// Folder for the files; made if it is not there
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Write one page with the month as pictures, which needs nothing else
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    /// Write the CSV files as Parquet, too, for DuckDB, polars and the like
    #[cfg(feature = "parquet")]
    #[arg(long, requires = "out")]
    parquet: bool,

    /// Report days as they were measured, though the registry has changed since
    #[arg(long)]
    as_measured: bool,

    /// Print one JSON document with the names and columns of the CSV files
    #[arg(long)]
    json: bool,
}

impl ReportArgs {
    /// Whether Parquet is asked for.
    fn parquet(&self) -> bool {
        #[cfg(feature = "parquet")]
        return self.parquet;
        #[cfg(not(feature = "parquet"))]
        false
    }
}

/// A month as it is reported.
struct Report<'a> {
    month: Month,
    registry: &'a Registry,
    stored: StoredMonth,
    lines: Vec<Line>,
    makers: Vec<MakerLine>,
}

/// Runs the command.
pub(crate) fn run(args: &ReportArgs) -> Result<Outcome> {
    let Some((registry, store)) = month::open(&args.registry, &args.db)? else { return Ok(Outcome::BadInput) };
    let stored = StoredMonth::read(&store, &registry, args.month)?;
    if !stored.changed.is_empty() && !args.as_measured {
        return Err(month::refuse(&stored.changed));
    }
    let lines = stored.accounts.lines(&registry);
    let makers = makers(args.month, &lines, &registry);
    let report = Report { month: args.month, registry: &registry, stored, lines, makers };
    let mut written = Vec::new();
    if let Some(out) = &args.out {
        written = report.write(out, args.parquet())?;
    }
    report.warn();
    if let Some(file) = &args.html {
        report.page(&store).write(file)?;
    }
    if args.json {
        output::print(&format!("{}\n", report.json()?))?;
    } else {
        let mut text = report.text(terminal::table_style());
        if let Some(out) = &args.out {
            text.push_str(&format!("written to {}: {}\n", out.display(), written.join(", ")));
        }
        output::print(&text)?;
    }
    let is_whole = report.stored.missing.is_empty() && report.stored.partial.is_empty();
    Ok(if is_whole { Outcome::Done } else { Outcome::Incomplete })
}

/// What `--out` holds.
const FILES: [&str; 3] = ["monthly.csv", "market_makers.csv", "report.txt"];

/// How a report looks in a file.
const FILE_STYLE: Style = Style { width: 120, colour: false };

#[derive(Serialize)]
struct Document<'a> {
    month: String,
    monthly: Vec<MonthlyJson>,
    market_makers: Vec<MakerJson>,
    days_measured: Vec<String>,
    days_missing: Vec<String>,
    /// Days that are not measured to their end.
    days_partial: Vec<String>,
    /// Days that the registry as it is now would measure otherwise.
    as_measured: Vec<String>,
    scheme: SchemeJson<'a>,
}

impl Report<'_> {
    /// The month as a page.
    fn page<'a>(&'a self, store: &'a Store) -> PageOf<'a> {
        PageOf {
            month: self.month,
            registry: self.registry,
            store,
            stored: &self.stored,
            lines: &self.lines,
            makers: &self.makers,
            notes: self.notes().split_off(1),
        }
    }

    /// Writes the files aside, and gives them their names together.
    fn write(&self, out: &Path, parquet: bool) -> Result<Vec<String>> {
        let staging = staging::folder_beside(out)?;
        let create = |name: &str| File::create(staging.path().join(name)).map(BufWriter::new);
        let write = || -> std::io::Result<()> {
            write_monthly_csv(self.month, &self.lines, create(FILES[0])?)?;
            write_makers_csv(self.month, &self.makers, create(FILES[1])?)?;
            let mut text = create(FILES[2])?;
            text.write_all(self.text(FILE_STYLE).as_bytes())?;
            text.flush()
        };
        write().context("writing the report aside")?;
        let mut names = FILES.map(str::to_owned).to_vec();
        for name in FILES.iter().filter(|name| parquet && name.ends_with(".csv")) {
            let path = staging.path().join(name);
            names.push(staging::columnar(&path).with_context(|| format!("writing {name} as Parquet"))?);
        }
        let stale = ["monthly.parquet", "market_makers.parquet"];
        let stale: Vec<&str> = stale.into_iter().filter(|name| !names.iter().any(|written| written == name)).collect();
        Publication::prepare(staging.path(), &names, out, &stale)?.carry_out(None)?;
        Ok(names)
    }

    fn json(&self) -> Result<String> {
        let texts = |dates: &[Date]| dates.iter().map(Date::to_string).collect();
        Ok(serde_json::to_string(&Document {
            month: self.month.to_string(),
            monthly: self.lines.iter().map(|line| MonthlyJson::new(self.month, line)).collect(),
            market_makers: self.makers.iter().map(|maker| MakerJson::new(self.month, maker)).collect(),
            days_measured: self.stored.measured.iter().map(Date::to_string).collect(),
            days_missing: texts(&self.stored.missing),
            days_partial: self.stored.partial.keys().map(Date::to_string).collect(),
            as_measured: texts(&self.stored.changed),
            scheme: SchemeJson::of(self.registry),
        })?)
    }

    fn text(&self, style: Style) -> String {
        let scheme = self.registry.scheme();
        let mut text = format!("{} under {} {}\n", self.month, scheme.name(), scheme.version());
        text.push_str(&monthly_table(&self.lines, style));
        text.push('\n');
        text.push_str(&makers_table(&self.makers, style));
        text.push('\n');
        for note in self.notes() {
            text.push_str(&wrap(&note, style.width));
        }
        text.push_str(&month::interpretations(self.registry, style.width));
        text
    }

    /// What a reader has to know of the figures.
    fn notes(&self) -> Vec<String> {
        let (measured, missing) = (self.stored.measured.len(), &self.stored.missing);
        let mut notes = vec![format!("measured: {}", month::count(measured, "day"))];
        if !missing.is_empty() {
            notes.push(format!(
                "NOT COMPLETE: {} not measured: {}",
                month::count(missing.len(), "trading day"),
                month::list(missing)
            ));
        }
        if !self.stored.partial.is_empty() {
            let days = self.stored.partial_days(self.registry).unwrap_or_else(|error| error.to_string());
            notes.push(format!("NOT COMPLETE: measured in part: {days}"));
        }
        if !self.stored.changed.is_empty() {
            notes.push(format!(
                "AS MEASURED: the registry has changed since, and would alter the result of {}",
                month::list(&self.stored.changed)
            ));
        }
        notes
    }

    fn warn(&self) {
        for note in self.notes().iter().skip(1) {
            terminal::print_warning(note);
        }
    }
}
