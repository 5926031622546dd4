//! `quoteclock report`: what a month's stored days decide.

use crate::documents::{self, Papers};
use crate::month::{self, SchemeJson, StoredMonth};
use crate::month_page::PageOf;
use crate::publication::Publication;
use crate::settle::{Settled, settle};
use crate::staging;
use crate::{Outcome, output, registry, terminal};
use anyhow::{Context, Result};
use jiff::civil::Date;
use quoteclock_incentive::{Month, MonthLine, Settlement};
use quoteclock_pages::Section;
use quoteclock_report::money::{Conditions, Incentives, OfMonth, Payments, Recommendations, Tiers, table};
use quoteclock_report::{MakerRow, MarketMakers, Monthly, MonthlyRow, Style, system_note, wrap};
use quoteclock_rows::{JsonRow, Table, Value, json_rows, text_table, write_csv};
use quoteclock_rules::Registry;
use quoteclock_store::{Digest, Store};
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

--out writes monthly.csv, market_makers.csv, incentives.csv, conditions.csv, tiers.csv, recommendations.csv,
payments.csv, report.txt, which is what is printed, and the papers: tm-2/ for each market maker, tm-2-participant/ for
each participant, ta-1/ for each asset manager (CSV, XLSX and a page each), tm-1/ and tm-3/ with notices.
Exits with 3 if trading days of the month are not measured, or the tier of an issue is unknown.")]
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

    /// Leave out the papers for market makers, participants and asset managers
    #[arg(long)]
    no_documents: bool,

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
    digest: Digest,
    stored: StoredMonth,
    settled: Settled,
}

/// Runs the command.
pub(crate) fn run(args: &ReportArgs) -> Result<Outcome> {
    let Some((registry, digest)) = registry::load_and_hash(&args.registry)? else { return Ok(Outcome::BadInput) };
    let store = month::open_store(&args.db)?;
    let stored = StoredMonth::read(&store, &registry, args.month, args.as_measured)?;
    if !stored.changed.is_empty() && !args.as_measured {
        return Err(month::refuse(&stored.changed, ", or report it as measured (--as-measured)"));
    }
    let lines = stored.accounts.lines(&registry);
    let settled = settle(&store, &registry, args.month, lines, args.as_measured)?;
    let report = Report { month: args.month, registry: &registry, digest, stored, settled };
    let mut written = Vec::new();
    if let Some(out) = &args.out {
        written = report.write(&store, out, args)?;
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
    Ok(if report.is_complete() { Outcome::Done } else { Outcome::Incomplete })
}

/// What `--out` holds.
const FILES: [&str; 8] = [
    "monthly.csv",
    "market_makers.csv",
    "incentives.csv",
    "conditions.csv",
    "tiers.csv",
    "recommendations.csv",
    "payments.csv",
    "report.txt",
];

/// So many obligations are named in a sentence.
const NAMED_MAX: usize = 5;

/// How a report looks in a file.
const FILE_STYLE: Style = Style { width: 120, colour: false };

#[derive(Serialize)]
struct Document<'a> {
    month: String,
    monthly: Vec<JsonRow<'a, Monthly>>,
    market_makers: Vec<JsonRow<'a, MarketMakers>>,
    incentives: Vec<JsonRow<'a, Incentives>>,
    conditions: Vec<JsonRow<'a, Conditions>>,
    tiers: Vec<JsonRow<'a, Tiers>>,
    recommendations: Vec<JsonRow<'a, Recommendations>>,
    payments: Vec<JsonRow<'a, Payments>>,
    /// Issues whose incentives on trading value cannot be said.
    unknown_tiers: Vec<String>,
    /// Trading days of the tier review's measuring period that are not stored.
    review_days_missing: Vec<String>,
    days_measured: Vec<String>,
    days_missing: Vec<String>,
    /// Days that are not measured to their end.
    days_partial: Vec<String>,
    /// Days that the registry as it is now would measure otherwise.
    as_measured: Vec<String>,
    scheme: SchemeJson<'a>,
}

/// A table of the exchange's page: the columns that people see.
fn section<'r, T: Table>(heading: &str, rows: impl IntoIterator<Item = T::Row<'r>>) -> Section {
    let shown = T::SHOWN.iter().filter_map(|name| T::COLUMNS.iter().find(|column| column.name == *name));
    let columns: Vec<_> = shown.collect();
    let is_number = |value: &Value<'_>| matches!(value, Value::Integer(_) | Value::Decimal(..));
    let cell = |value: Value<'_>| (value.to_string(), is_number(&value));
    Section {
        heading: heading.to_owned(),
        columns: columns.iter().map(|column| column.name.replace('_', " ")).collect(),
        rows: rows.into_iter().map(|row| columns.iter().map(|column| cell(column.value(&row))).collect()).collect(),
    }
}

impl Report<'_> {
    /// The month as a page.
    fn page<'a>(&'a self, store: &'a Store) -> PageOf<'a> {
        PageOf {
            month: self.month,
            registry: self.registry,
            store,
            stored: &self.stored,
            lines: &self.settlement().lines,
            makers: &self.settlement().makers,
            notes: self.notes().split_off(1),
            sections: self.sections(),
        }
    }

    /// What the exchange's own page has besides: what is paid, under which conditions, and what staff may look at.
    fn sections(&self) -> Vec<Section> {
        let (month, settled) = (self.month, self.settlement());
        vec![
            section::<Payments>("Payments", OfMonth::all(month, &settled.payments)),
            section::<Conditions>("Sponsored conditions and matching funds", OfMonth::all(month, &settled.conditions)),
            section::<Recommendations>("Recommendations", OfMonth::all(month, &settled.recommendations)),
        ]
    }

    fn settlement(&self) -> &Settlement {
        &self.settled.settlement
    }

    fn is_complete(&self) -> bool {
        let is_whole = self.stored.missing.is_empty() && self.stored.partial.is_empty();
        let settled = self.settlement();
        is_whole && settled.unknown_tiers().is_empty() && settled.lines.iter().all(MonthLine::certain)
    }

    /// Writes the files aside, and gives them their names together.
    fn write(&self, store: &Store, out: &Path, args: &ReportArgs) -> Result<Vec<String>> {
        let parquet = args.parquet();
        documents::look(out)?;
        let staging = staging::folder_beside(out)?;
        let papers = staging.path().join("papers");
        std::fs::create_dir(&papers).context("writing the documents aside")?;
        if !args.no_documents {
            let days = store.days(self.month.dates())?;
            let mut page = self.page(store);
            // Of what has to be known, that which is for everybody: no issue, no name.
            page.notes = self.notes_of_days().split_off(1);
            let (frames, evidence) = (page.frames(&days)?, page.evidence(&days));
            let (registry, stored, settlement) = (self.registry, &self.stored, self.settlement());
            Papers { registry, store, stored, settlement, frames, evidence }.write(&papers)?;
        }
        let create = |name: &str| File::create(staging.path().join(name)).map(BufWriter::new);
        let write = || -> std::io::Result<()> {
            let (month, settled) = (self.month, self.settlement());
            write_csv::<Monthly>(self.monthly(), create("monthly.csv")?)?;
            write_csv::<MarketMakers>(self.market_makers(), create("market_makers.csv")?)?;
            write_csv::<Incentives>(OfMonth::all(month, &settled.incentives), create("incentives.csv")?)?;
            write_csv::<Conditions>(OfMonth::all(month, &settled.conditions), create("conditions.csv")?)?;
            write_csv::<Tiers>(&settled.tiers, create("tiers.csv")?)?;
            let recommendations = OfMonth::all(month, &settled.recommendations);
            write_csv::<Recommendations>(recommendations, create("recommendations.csv")?)?;
            write_csv::<Payments>(OfMonth::all(month, &settled.payments), create("payments.csv")?)?;
            let mut text = create("report.txt")?;
            text.write_all(self.text(FILE_STYLE).as_bytes())?;
            text.flush()
        };
        write().context("writing the report aside")?;
        let mut names = FILES.map(str::to_owned).to_vec();
        let parquet_of = |name: &str| name.strip_suffix(".csv").map(|stem| format!("{stem}.parquet"));
        let stale: Vec<String> = FILES.into_iter().filter_map(parquet_of).collect();
        if parquet {
            self.write_parquet(staging.path()).context("writing Parquet")?;
            names.extend(stale.iter().cloned());
        }
        let stale: Vec<&str> =
            stale.iter().map(String::as_str).filter(|name| !names.iter().any(|written| written == *name)).collect();
        Publication::prepare(staging.path(), &names, out, &stale)?.carry_out(None)?;
        names.extend(documents::replace(&papers, out)?);
        Ok(names)
    }

    /// The same files as Parquet, in `folder`.
    fn write_parquet(&self, folder: &Path) -> Result<()> {
        let inputs = self.stored.days.iter().map(|day| (day.date, day.input.clone(), day.input_sha256));
        let rests_on = &month::rests_on(self.registry, self.digest, inputs);
        let (month, settled) = (self.month, self.settlement());
        staging::write_parquet::<Monthly>(self.monthly(), rests_on, folder)?;
        staging::write_parquet::<MarketMakers>(self.market_makers(), rests_on, folder)?;
        staging::write_parquet::<Incentives>(OfMonth::all(month, &settled.incentives), rests_on, folder)?;
        staging::write_parquet::<Conditions>(OfMonth::all(month, &settled.conditions), rests_on, folder)?;
        staging::write_parquet::<Tiers>(&settled.tiers, rests_on, folder)?;
        staging::write_parquet::<Recommendations>(OfMonth::all(month, &settled.recommendations), rests_on, folder)?;
        staging::write_parquet::<Payments>(OfMonth::all(month, &settled.payments), rests_on, folder)
    }

    fn json(&self) -> Result<String> {
        let texts = |dates: &[Date]| dates.iter().map(Date::to_string).collect();
        let (month, settled) = (self.month, self.settlement());
        Ok(serde_json::to_string(&Document {
            month: self.month.to_string(),
            monthly: json_rows(self.monthly()),
            market_makers: json_rows(self.market_makers()),
            incentives: json_rows(OfMonth::all(month, &settled.incentives)),
            conditions: json_rows(OfMonth::all(month, &settled.conditions)),
            tiers: json_rows(&settled.tiers),
            recommendations: json_rows(OfMonth::all(month, &settled.recommendations)),
            payments: json_rows(OfMonth::all(month, &settled.payments)),
            unknown_tiers: settled.unknown_tiers().into_iter().map(ToString::to_string).collect(),
            review_days_missing: texts(&settled.review_days_missing),
            days_measured: self.stored.measured.iter().map(Date::to_string).collect(),
            days_missing: texts(&self.stored.missing),
            days_partial: self.stored.partial.keys().map(Date::to_string).collect(),
            as_measured: self.stored.changed.keys().map(Date::to_string).collect(),
            scheme: SchemeJson::of(self.registry),
        })?)
    }

    fn text(&self, style: Style) -> String {
        let scheme = self.registry.scheme();
        let mut text = format!("{} under {} {}\n", self.month, scheme.name(), scheme.version());
        let (month, settled) = (self.month, self.settlement());
        for note in self.doubts() {
            text.push_str(&wrap(&note, style.width));
        }
        text.push_str(&text_table::<Monthly>(&self.monthly().collect::<Vec<_>>(), style));
        if let Some(note) = system_note(&settled.lines) {
            text.push_str(&wrap(note, style.width));
        }
        text.push('\n');
        text.push_str(&text_table::<MarketMakers>(&self.market_makers().collect::<Vec<_>>(), style));
        text.push('\n');
        for (is_empty, list) in [
            (settled.conditions.is_empty(), table::<Conditions>(OfMonth::all(month, &settled.conditions))),
            (settled.payments.is_empty(), table::<Payments>(OfMonth::all(month, &settled.payments))),
            (
                settled.recommendations.is_empty(),
                table::<Recommendations>(OfMonth::all(month, &settled.recommendations)),
            ),
        ] {
            if !is_empty {
                text.push_str(&list);
                text.push('\n');
            }
        }
        let papers = Papers::notes(self.registry, &self.stored, settled);
        for note in self.notes().into_iter().chain(papers) {
            text.push_str(&wrap(&note, style.width));
        }
        text.push_str(&month::interpretations(self.registry, style.width));
        text
    }

    fn monthly(&self) -> impl Iterator<Item = MonthlyRow<'_>> {
        let (month, is_over) = (self.month, self.stored.is_over());
        self.settlement().lines.iter().map(move |line| MonthlyRow { month, line, is_over })
    }

    fn market_makers(&self) -> impl Iterator<Item = MakerRow<'_>> {
        let (month, is_over) = (self.month, self.stored.is_over());
        self.settlement().makers.iter().map(move |maker| MakerRow { month, maker, is_over })
    }

    /// What is not known, and what that could turn.
    fn doubts(&self) -> Vec<String> {
        let mut doubts = self.stored.unknown_notes();
        let uncertain: Vec<&MonthLine> = self.settlement().lines.iter().filter(|line| !line.certain()).collect();
        if !uncertain.is_empty() {
            let named =
                |line: &&MonthLine| format!("{} {} {}", line.key.market_maker, line.key.issue, line.key.obligation);
            let first: Vec<String> = uncertain.iter().take(NAMED_MAX).map(named).collect();
            let rest = uncertain.len().saturating_sub(NAMED_MAX);
            let rest = if rest == 0 { String::new() } else { format!(" and {rest} more") };
            let count = month::count(uncertain.len(), "obligation");
            doubts.push(format!(
                "NOT CERTAIN: unknown time could turn the status of {count}, and what rests on it: {}{rest}",
                first.join(", ")
            ));
        }
        doubts
    }

    /// What a reader has to know of the figures.
    fn notes(&self) -> Vec<String> {
        let mut notes = self.notes_of_days();
        notes.extend(self.money_notes());
        notes
    }

    /// What a reader has to know of the days.
    fn notes_of_days(&self) -> Vec<String> {
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
                month::list(&self.stored.changed.keys().copied().collect::<Vec<_>>())
            ));
        }
        let by_registry = self.stored.accounts.leveraged_by_registry().count();
        if 0 < by_registry {
            let were = if by_registry == 1 { "was" } else { "were" };
            notes.push(format!(
                "{} {were} stored by an earlier version, which did not keep whether the issue is leveraged or inverse: that \
                 is as the registry has it now",
                month::count(by_registry, "obligation")
            ));
        }
        notes
    }

    /// What a reader has to know of the money.
    fn money_notes(&self) -> Vec<String> {
        let settled = self.settlement();
        let unknown: Vec<String> = settled.unknown_tiers().into_iter().map(ToString::to_string).collect();
        let mut notes = Vec::new();
        if !unknown.is_empty() {
            notes.push(format!(
                "TIER UNKNOWN: {}: no incentive on trading value can be said. A tier in issues.csv would help, or the \
                 replay of the days that the tier review measures",
                unknown.join(", ")
            ));
        }
        if !settled.review_days_missing.is_empty() {
            notes.push(format!(
                "TIERS: the review in force rests on a period of which {} are not stored: {}",
                month::count(settled.review_days_missing.len(), "trading day"),
                month::list(&settled.review_days_missing)
            ));
        }
        if !self.settled.past_changed.is_empty() {
            notes.push(format!(
                "RECOMMENDATIONS rest on days of earlier months as they were measured; the registry has changed since, \
                 and would alter the result of {}",
                month::list(&self.settled.past_changed)
            ));
        }
        notes
    }

    fn warn(&self) {
        for note in self.doubts().iter().chain(self.notes().iter().skip(1)) {
            terminal::print_warning(note);
        }
    }
}
