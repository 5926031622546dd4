//! `quoteclock report`: what a month's stored days decide.

use crate::choice::Choice;
use crate::closing::{Changes, Revision};
use crate::documents::{self, Papers};
use crate::month::{self, SchemeJson, StoredMonth};
use crate::month_page::PageOf;
use crate::publication::Publication;
use crate::settle::{Settled, settle};
use crate::staging;
use crate::target::refuse_sources;
use crate::why::{self, WhyArgs};
use crate::{Outcome, output, registry, terminal};
use anyhow::{Context, Result};
use jiff::civil::Date;
use quoteclock_incentive::{
    AccountKey, Asked, ConditionLine, IncentiveLine, Month, MonthLine, Outlook, PaymentLine, Prospect,
    RecommendationLine, Settlement, Status, TierLine, outlooks,
};
use quoteclock_pages::Section;
use quoteclock_report::money::{Conditions, Incentives, OfMonth, Payments, Recommendations, Tiers};
use quoteclock_report::{
    MakerRow, MarketMakers, Monthly, MonthlyRow, OverviewLine, Standing, Style, Words, overview, system_note, wrap,
};
use quoteclock_rows::{Column, JsonRow, Shown, Table, Value, json_rows, text_table, write_csv};
use quoteclock_rules::Registry;
use quoteclock_store::{Digest, Store};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Say which obligations were fulfilled in a month, and what follows for each market maker.
///
/// Days whose result the registry as it is now would alter are named, and stop the report until they are replayed.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  quoteclock report --registry registry --db market.db --month 2024-03
  quoteclock report --registry registry --db market.db --month 2024-03 --out 2024-03
  quoteclock report --registry registry --db market.db --month 2024-03 --out 2024-03 --close
  quoteclock report --registry registry --db market.db --month 2024-03 --html 2024-03.html
  quoteclock report --registry registry --db market.db --month 2024-03 --market-maker MM1 --failing
  quoteclock report --registry registry --db market.db --month 2024-03 --top 10
  quoteclock report --registry registry --db market.db --month 2024-03 --json > 2024-03.json
  quoteclock report --registry registry --db market.db --month 2024-03 --why --market-maker MM1 --issue 1306 \
    --incentive value_others

--out writes monthly.csv, market_makers.csv, incentives.csv, conditions.csv, tiers.csv, recommendations.csv,
payments.csv, report.txt, which is what --all prints, and the papers: tm-2/ for each market maker, tm-2-participant/ for
each participant, ta-1/ for each asset manager (CSV, XLSX and a page each), tm-1/ and tm-3/ with notices.
--close writes down in the database that the report has gone out: its revision, date and hash stand in the papers, and
a later report says which revision it supersedes, and what it says otherwise.
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

    /// Folder of pages of explain --html, named as 2024-03-01-MM1-1306-general.html: days of the page lead to those that are
    /// there
    #[arg(long, value_name = "DIR", requires = "html")]
    day_pages: Option<PathBuf>,

    /// Write the CSV files as Parquet, too, for DuckDB, polars and the like
    #[cfg(feature = "parquet")]
    #[arg(long, requires = "out")]
    parquet: bool,

    /// Leave out the papers for market makers, participants and asset managers
    #[arg(long)]
    no_documents: bool,

    /// Mark the month's report as gone out: a later one says what it says otherwise
    #[arg(long, requires = "out", conflicts_with = "no_documents")]
    close: bool,

    /// Report days as they were measured, though the registry has changed since
    #[arg(long)]
    as_measured: bool,

    /// Print one JSON document with the names and columns of the CSV files
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    choice: Choice,

    #[command(flatten)]
    why: WhyArgs,
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
    /// How each line stands, in the order of the lines.
    standings: Vec<OverviewLine>,
    /// What `--out` holds as CSV, by name.
    files: Vec<(&'static str, Vec<u8>)>,
    revision: Revision,
}

/// What is shown of a report.
struct Chosen<'a> {
    choice: &'a Choice,
    /// The lines, as positions, in the order in which they are shown.
    lines: Vec<usize>,
}

/// Runs the command.
pub(crate) fn run(args: &ReportArgs) -> Result<Outcome> {
    let asked = if args.why.why { Some(args.why.asked(&args.choice)?) } else { None };
    let Some((registry, digest)) = registry::load_and_hash(&args.registry)? else { return Ok(Outcome::BadInput) };
    let store = month::open_store(&args.db)?;
    let stored = StoredMonth::read(&store, &registry, args.month, args.as_measured)?;
    if !stored.changed.is_empty() && !args.as_measured {
        return Err(month::refuse(&stored.changed, ", or report it as measured (--as-measured)"));
    }
    let lines = stored.accounts.lines(&registry);
    let settled = settle(&store, &registry, args.month, lines, args.as_measured)?;
    let standings = standings(&stored, &registry, &settled.settlement.lines)?;
    let files = csv_files(args.month, &stored, &settled.settlement)?;
    let mut outputs: Vec<PathBuf> = args.html.iter().cloned().collect();
    if let Some(out) = &args.out {
        outputs.extend(files.iter().map(|(name, _)| *name).chain(["report.txt"]).map(|name| out.join(name)));
    }
    refuse_sources(&outputs, &args.db, &args.registry)?;
    let revision = Revision::of(&store, &registry, args.month, &files, args.close)?;
    let mut report =
        Report { month: args.month, registry: &registry, digest, stored, settled, standings, files, revision };
    if let Some((market_maker, asked)) = asked {
        return report.why(market_maker, &asked, args.json);
    }
    args.choice.warn(report.settlement().lines.iter().map(|line| &line.key));
    let shown = Chosen { choice: &args.choice, lines: args.choice.of(&report.standings) };
    let mut written = Vec::new();
    if let Some(out) = &args.out {
        written = report.write(&store, out, args)?;
    }
    report.warn();
    if let Some(file) = &args.html {
        report.page_of(&store, &shown).write(file, args.day_pages.as_deref())?;
    }
    if args.json {
        output::print(&format!("{}\n", report.json(&shown)?))?;
    } else if !args.choice.quiet {
        if args.choice.sums_up(shown.lines.len()) {
            month::look_for_reasons(&mut report.standings, &store, args.month)?;
        }
        let mut text = report.text(terminal::table_style(), &shown);
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

/// So many issues are named where not everything is listed.
const ISSUES_NAMED_MAX: usize = 20;

/// How a report looks in a file.
const FILE_STYLE: Style = Style { width: 120, colour: false };

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
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
    /// What rests on a status that unknown time could turn.
    rests_on_doubt: Vec<String>,
    /// Number, date and hash of the report that has gone out, where this is it.
    gone_out: Option<GoneOut>,
    /// What this one says otherwise than the one that has.
    changes: Vec<JsonRow<'a, Changes>>,
    days_measured: Vec<String>,
    days_missing: Vec<String>,
    /// Days that are not measured to their end.
    days_partial: Vec<String>,
    /// Days that the registry as it is now would measure otherwise.
    as_measured: Vec<String>,
    scheme: SchemeJson<'a>,
}

/// How each line of a month stands: of a month that is not over, whether its share can still be made.
fn standings(stored: &StoredMonth, registry: &Registry, lines: &[MonthLine]) -> Result<Vec<OverviewLine>> {
    let outlooks =
        if stored.is_over() { Vec::new() } else { outlooks(&stored.accounts, &stored.measured_until(), registry)? };
    let outlooks: BTreeMap<&AccountKey, &Outlook> = outlooks.iter().map(|outlook| (&outlook.key, outlook)).collect();
    let is_open = |line: &MonthLine| {
        let prospect = outlooks.get(&line.key).map(|outlook| outlook.prospect());
        matches!(prospect, Some(Prospect::Safe | Prospect::Open { .. } | Prospect::Uncertain))
    };
    let standing = |line: &MonthLine| OverviewLine {
        key: line.key.clone(),
        total: line.total,
        required_pct: line.required_pct,
        standing: match line.status() {
            _ if !line.certain() => Standing::Uncertain,
            Status::Fulfilled => Standing::Meets,
            Status::NotFulfilled if is_open(line) => Standing::AtRisk,
            Status::NotFulfilled => Standing::Fails,
            Status::NotApplicable => Standing::NotApplicable,
        },
        reasons: BTreeMap::new(),
        days_below: (0, 0),
    };
    Ok(lines.iter().map(standing).collect())
}

/// A list of lines that are not obligations, or how many they are where they are many.
fn list<T: Table>(name: &str, rows: Vec<T::Row<'_>>, choice: &Choice, is_summed_up: bool, style: Style) -> String {
    match rows.len() {
        0 => String::new(),
        count if choice.lists(count) && !is_summed_up => format!("{}\n", text_table::<T>(&rows, style)),
        count => wrap(&format!("{name}: {} lines, which --all lists", month::grouped(count)), style.width) + "\n",
    }
}

#[derive(Serialize)]
struct GoneOut {
    revision: u32,
    closed_on: String,
    report_sha256: String,
}

/// A table of the exchange's page: the columns that people see.
fn section<'r, T: Table>(heading: &str, rows: impl IntoIterator<Item = T::Row<'r>>) -> Section {
    let columns = T::SHOWN.iter().filter_map(|name| T::COLUMNS.iter().find(|column| column.name == *name));
    let columns: Vec<_> = columns.filter_map(|column| Some((column, column.shown.as_ref()?))).collect();
    let is_number = |value: &Value<'_>| matches!(value, Value::Integer(_) | Value::Decimal(..));
    let row = |row: T::Row<'r>| {
        let cell = |(column, shown): &(&Column<T>, &Shown<T>)| {
            let value = column.value(&row);
            let text = shown.cell.map_or_else(|| value.to_string(), |cell| cell(&row).into_owned());
            (text, is_number(&value))
        };
        columns.iter().map(cell).collect()
    };
    Section {
        heading: heading.to_owned(),
        columns: columns.iter().map(|(_, shown)| shown.title.to_owned()).collect(),
        rows: rows.into_iter().map(row).collect(),
    }
}

/// The files of a report, whole.
fn csv_files(
    month: Month,
    stored: &StoredMonth,
    settled: &Settlement,
) -> std::io::Result<Vec<(&'static str, Vec<u8>)>> {
    fn csv<'r, T: Table>(rows: impl IntoIterator<Item = T::Row<'r>>) -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        write_csv::<T>(rows, &mut bytes)?;
        Ok(bytes)
    }
    let is_over = stored.is_over();
    let monthly = settled.lines.iter().map(|line| MonthlyRow { month, line, is_over });
    let makers = settled.makers.iter().map(|maker| MakerRow { month, maker, is_over });
    Ok(vec![
        ("monthly.csv", csv::<Monthly>(monthly)?),
        ("market_makers.csv", csv::<MarketMakers>(makers)?),
        ("incentives.csv", csv::<Incentives>(OfMonth::all(month, &settled.incentives))?),
        ("conditions.csv", csv::<Conditions>(OfMonth::all(month, &settled.conditions))?),
        ("tiers.csv", csv::<Tiers>(&settled.tiers)?),
        ("recommendations.csv", csv::<Recommendations>(OfMonth::all(month, &settled.recommendations))?),
        ("payments.csv", csv::<Payments>(OfMonth::all(month, &settled.payments))?),
    ])
}

/// Writes a file whose bytes are on the disk when this returns.
fn write_synced(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

impl Report<'_> {
    /// The month as a page.
    fn page<'a>(&'a self, store: &'a Store) -> PageOf<'a> {
        self.page_of(store, &Chosen { choice: &Choice::everything(), lines: (0..self.standings.len()).collect() })
    }

    /// The month, as far as it is shown, as a page.
    fn page_of<'a>(&'a self, store: &'a Store, shown: &Chosen<'_>) -> PageOf<'a> {
        let mut lines = shown.lines.clone();
        // A page has its own orders, and looks lines up by their keys.
        lines.sort_unstable();
        PageOf {
            month: self.month,
            registry: self.registry,
            store,
            stored: &self.stored,
            lines: lines.into_iter().map(|position| self.settlement().lines[position].clone()).collect(),
            makers: &self.settlement().makers,
            notes: self.notes(ISSUES_NAMED_MAX).split_off(1),
            gone_out: self.revision.line().unwrap_or_default(),
            sections: self.sections(shown.choice),
        }
    }

    /// What the exchange's own page has besides: what is paid, under which conditions, and what staff may look at.
    fn sections(&self, choice: &Choice) -> Vec<Section> {
        vec![
            section::<Payments>("Payments", self.payments(choice)),
            section::<Conditions>("Sponsored conditions and matching funds", self.conditions(choice)),
            section::<Recommendations>("Recommendations", self.recommendations(choice)),
        ]
    }

    fn incentives<'a>(&'a self, choice: &'a Choice) -> impl Iterator<Item = OfMonth<'a, IncentiveLine>> {
        let lines = OfMonth::all(self.month, &self.settlement().incentives);
        lines.filter(|row| choice.has_maker(&row.line.market_maker) && choice.has_issue(row.line.issue.as_str()))
    }

    fn conditions<'a>(&'a self, choice: &'a Choice) -> impl Iterator<Item = OfMonth<'a, ConditionLine>> {
        let lines = OfMonth::all(self.month, &self.settlement().conditions);
        lines.filter(|row| {
            choice.has_maker(&row.line.market_maker)
                && choice.has_issue(row.line.issue.as_str())
                && choice.has_obligation(&row.line.obligation())
        })
    }

    fn payments<'a>(&'a self, choice: &'a Choice) -> impl Iterator<Item = OfMonth<'a, PaymentLine>> {
        let lines = OfMonth::all(self.month, &self.settlement().payments);
        lines.filter(|row| choice.has_maker(&row.line.market_maker))
    }

    fn recommendations<'a>(&'a self, choice: &'a Choice) -> impl Iterator<Item = OfMonth<'a, RecommendationLine>> {
        let lines = OfMonth::all(self.month, &self.settlement().recommendations);
        lines.filter(|row| {
            let has_issue = row.line.issue.as_ref().is_none_or(|issue| choice.has_issue(issue.as_str()));
            choice.has_maker(&row.line.market_maker) && has_issue
        })
    }

    fn settlement(&self) -> &Settlement {
        &self.settled.settlement
    }

    /// Shows the sum behind an amount.
    fn why(&self, market_maker: &str, asked: &Asked, is_json: bool) -> Result<Outcome> {
        let whys = self.settlement().why(self.registry, market_maker, asked);
        self.warn();
        let notes: Vec<String> = self.doubts().into_iter().chain(self.notes(ISSUES_NAMED_MAX)).collect();
        if is_json {
            let scheme = SchemeJson::of(self.registry);
            output::print(&format!("{}\n", why::json(self.month, &whys, &notes, scheme)?))?;
        } else {
            let style = terminal::table_style();
            let text = why::text(self.month, &whys, &notes, style);
            output::print(&format!("{text}{}", month::interpretations(self.registry, style.width)))?;
        }
        Ok(if self.is_complete() { Outcome::Done } else { Outcome::Incomplete })
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
        let mut kept = BTreeMap::new();
        if !args.no_documents {
            let days = store.days(self.month.dates())?;
            let mut page = self.page(store);
            // Of what has to be known, that which is for everybody: no issue, no name.
            page.notes = self.notes_of_days().split_off(1);
            let (frames, evidence) = (page.frames(&days)?, page.evidence(&days));
            let (registry, stored, settlement) = (self.registry, &self.stored, self.settlement());
            let revision = &self.revision;
            kept = Papers { registry, store, stored, settlement, frames, evidence, revision }.write(&papers)?;
        }
        let write = || -> std::io::Result<()> {
            for (name, csv) in &self.files {
                write_synced(&staging.path().join(name), csv)?;
            }
            let (choice, lines) = (&Choice::everything(), (0..self.standings.len()).collect());
            let text = self.text(FILE_STYLE, &Chosen { choice, lines });
            write_synced(&staging.path().join("report.txt"), text.as_bytes())
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
        let publication = Publication::prepare(staging.path(), &names, out, &stale)?;
        // What is left to fail after the closing is written down is a renaming within a folder.
        let held = self.revision.write(&args.db, &self.files, kept)?;
        publication.carry_out(held)?;
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

    fn json(&self, shown: &Chosen<'_>) -> Result<String> {
        let texts = |dates: &[Date]| dates.iter().map(Date::to_string).collect();
        let (choice, settled) = (shown.choice, self.settlement());
        let tiers: Vec<&TierLine> = settled.tiers.iter().filter(|tier| choice.has_issue(tier.issue.as_str())).collect();
        Ok(serde_json::to_string(&Document {
            schema: output::SCHEMA,
            month: self.month.to_string(),
            monthly: json_rows(self.rows(&shown.lines)),
            market_makers: json_rows(self.makers(choice)),
            incentives: json_rows(self.incentives(choice)),
            conditions: json_rows(self.conditions(choice)),
            tiers: json_rows(tiers),
            recommendations: json_rows(self.recommendations(choice)),
            payments: json_rows(self.payments(choice)),
            unknown_tiers: settled.unknown_tiers().into_iter().map(ToString::to_string).collect(),
            review_days_missing: texts(&settled.review_days_missing),
            rests_on_doubt: self.rests_on_doubt(),
            gone_out: self.revision.gone_out().map(|(revision, closed_on, report_sha256)| GoneOut {
                revision,
                closed_on: closed_on.to_string(),
                report_sha256: report_sha256.to_string(),
            }),
            changes: json_rows(&self.revision.changes),
            days_measured: self.stored.measured.iter().map(Date::to_string).collect(),
            days_missing: texts(&self.stored.missing),
            days_partial: self.stored.partial.keys().map(Date::to_string).collect(),
            as_measured: self.stored.changed.keys().map(Date::to_string).collect(),
            scheme: SchemeJson::of(self.registry),
        })?)
    }

    fn text(&self, style: Style, shown: &Chosen<'_>) -> String {
        let Chosen { choice, lines } = shown;
        let scheme = self.registry.scheme();
        let mut text = wrap(&format!("{} under {} {}", self.month, scheme.name(), scheme.version()), style.width);
        if let Some(line) = self.revision.line() {
            text.push_str(&wrap(&line, style.width));
        }
        for note in self.doubts() {
            text.push_str(&wrap(&note, style.width));
        }
        let is_summed_up = choice.sums_up(lines.len());
        if is_summed_up {
            let lines: Vec<&OverviewLine> = lines.iter().map(|&position| &self.standings[position]).collect();
            text.push_str(&overview(&lines, self.words(), style));
        } else {
            text.push_str(&text_table::<Monthly>(&self.rows(lines).collect::<Vec<_>>(), style));
            if let Some(note) = system_note(lines.iter().map(|&position| &self.settlement().lines[position])) {
                text.push_str(&wrap(note, style.width));
            }
        }
        text.push('\n');
        text.push_str(&text_table::<MarketMakers>(&self.makers(choice).collect::<Vec<_>>(), style));
        text.push('\n');
        let (conditions, recommendations) = (self.conditions(choice).collect(), self.recommendations(choice).collect());
        text.push_str(&list::<Conditions>("conditions", conditions, choice, is_summed_up, style));
        text.push_str(&list::<Payments>("payments", self.payments(choice).collect(), choice, false, style));
        text.push_str(&list::<Recommendations>("recommendations", recommendations, choice, is_summed_up, style));
        let changes: Vec<_> = self.revision.changes.iter().collect();
        text.push_str(&list::<Changes>("changes", changes, choice, false, style));
        let papers = Papers::notes(self.registry, &self.stored, self.settlement());
        let named = if choice.lists_everything() { usize::MAX } else { ISSUES_NAMED_MAX };
        for note in self.notes(named).into_iter().chain(papers) {
            text.push_str(&wrap(&note, style.width));
        }
        text.push_str(&month::interpretations(self.registry, style.width));
        text
    }

    /// What the standings of lines are called.
    fn words(&self) -> Words {
        if self.stored.is_over() {
            Words { fails: "not fulfilled", at_risk: "", uncertain: "not certain", meets: "fulfilled" }
        } else {
            let (fails, at_risk) = ("cannot be fulfilled any more", "not fulfilled so far");
            Words { fails, at_risk, uncertain: "not certain", meets: "fulfilled so far" }
        }
    }

    /// The rows of lines at some positions.
    fn rows<'a>(&'a self, lines: &'a [usize]) -> impl Iterator<Item = MonthlyRow<'a>> {
        let (month, is_over) = (self.month, self.stored.is_over());
        lines.iter().map(move |&position| MonthlyRow { month, line: &self.settlement().lines[position], is_over })
    }

    fn monthly(&self) -> impl Iterator<Item = MonthlyRow<'_>> {
        let (month, is_over) = (self.month, self.stored.is_over());
        self.settlement().lines.iter().map(move |line| MonthlyRow { month, line, is_over })
    }

    fn makers<'a>(&'a self, choice: &'a Choice) -> impl Iterator<Item = MakerRow<'a>> {
        self.market_makers().filter(|row| choice.has_maker(&row.maker.market_maker))
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
            let rests = self.rests_on_doubt();
            if !rests.is_empty() {
                doubts.push(format!("NOT CERTAIN, since they rest on such a status: {}", rests.join(", ")));
            }
        }
        doubts
    }

    /// What rests on a status that unknown time could turn.
    fn rests_on_doubt(&self) -> Vec<String> {
        self.settlement().doubtful(&self.registry.scheme().incentives().servers).words()
    }

    /// What a reader has to know of the figures; so many issues are named one by one.
    fn notes(&self, named: usize) -> Vec<String> {
        let mut notes = self.notes_of_days();
        notes.extend(self.money_notes(named));
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
    fn money_notes(&self, named: usize) -> Vec<String> {
        let settled = self.settlement();
        let mut unknown: Vec<String> = settled.unknown_tiers().into_iter().map(ToString::to_string).collect();
        let more = unknown.len().saturating_sub(named);
        unknown.truncate(named);
        let more = if more == 0 { String::new() } else { format!(" and {} more", month::grouped(more)) };
        let mut notes = Vec::new();
        if !unknown.is_empty() {
            notes.push(format!(
                "TIER UNKNOWN: {}{more}: no incentive on trading value can be said. A tier in issues.csv would help, or the \
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
        for note in self.doubts().iter().chain(self.notes(ISSUES_NAMED_MAX).iter().skip(1)) {
            terminal::print_warning(note);
        }
    }
}
