//! `quoteclock report`: what a month's stored days decide.

mod json;
mod notes;
mod page;
mod text;

use crate::choice::Choice;
use crate::closing::Revision;
use crate::documents::{Papers, Written};
use crate::month::{self, SchemeJson, Sources};
use crate::publication::Publication;
use crate::remote::{self, Kind, Outputs};
use crate::target::refuse_sources;
use crate::why::{self, WhyArgs};
use crate::{BadUsage, Outcome, output, paper_folders, registry, staging, terminal};
use anyhow::{Context, Result};
use notes::ISSUES_NAMED_MAX;
use quoteclock::MonthError;
use quoteclock_incentive::{
    AccountKey, Asked, ConditionLine, IncentiveLine, Month, MonthLine, Outlook, PaymentLine, Prospect,
    RecommendationLine, Status,
};
#[cfg(feature = "parquet")]
use quoteclock_incentive::{MonthStock, Review};
use quoteclock_report::money::{Conditions, Incentives, OfMonth, Payments, Recommendations, Tiers};
use quoteclock_report::{
    Criteria, CriteriaRow, MakerRow, MarketMakers, Monthly, MonthlyRow, OverviewLine, Standing, Style,
};
use quoteclock_rows::{Table, write_csv};
use quoteclock_store::{Digest, Store};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Say which obligations were fulfilled in a month, and what follows for each market maker.
///
/// Days whose result the registry as it is now would alter are named, and stop the report until they are replayed.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = "Examples:
  quoteclock report --registry registry --db market.db --month 2024-03
  quoteclock report --registry registry --db market.db --month 2024-03 --out 2024-03
  quoteclock report --registry registry --db market.db --month 2024-03 --out 2024-03 --close
  quoteclock report --registry registry --db market.db --month 2024-03 --html 2024-03.html
  quoteclock report --registry registry --db market.db --month 2024-03 --market-maker MM1 --failing
  quoteclock report --registry registry --db market.db --month 2024-03 --top 10
  quoteclock report --registry registry --db market.db --month 2024-03 --json > 2024-03.json
  quoteclock report --registry registry --from-dataset market --month 2024-03
  quoteclock report --registry registry --db market.db --month 2024-03 --why --market-maker MM1 --issue 1306 \
    --incentive value_others

--out writes monthly.csv, market_makers.csv, incentives.csv, conditions.csv, tiers.csv, recommendations.csv, \
payments.csv, criteria.csv where sign-ups have criteria, report.txt, which is what --all prints, and the papers: \
tm-2/ for each market maker, tm-2-participant/ for \
each participant, ta-1/ for each asset manager (CSV, XLSX and a page each), tm-1/ and tm-3/ with notices.
--close writes down in the database that the report has gone out: its revision, date and hash stand in the papers, and \
a later report says which revision it supersedes, and what it says otherwise.
Exits with 3 if trading days of the month are not measured, or the tier of an issue is unknown.")]
pub(crate) struct ReportArgs {
    #[command(flatten)]
    sources: Sources,

    /// Dataset that replay --parquet-dataset has written, in place of the database
    #[cfg(feature = "parquet")]
    #[arg(long, value_name = "DIR", conflicts_with = "close")]
    from_dataset: Option<PathBuf>,

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
struct Report {
    figures: quoteclock::Report,
    digest: Digest,
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

/// Runs the command, with every output on this machine, and puts those where they go that are objects.
pub(crate) fn run(args: &ReportArgs) -> Result<Outcome> {
    let mut outputs = Outputs::default();
    let mut here = args.clone();
    if let Some(out) = &args.out {
        if args.close && remote::is_object(out)? {
            let problem =
                "--close: expected a folder for --out: what has gone out is written down together with its files";
            return Err(BadUsage(problem.to_owned()).into());
        }
        let of_parquet = FILES.into_iter().chain([CRITERIA]).filter_map(parquet_of);
        let stale = of_parquet.chain([CRITERIA.to_owned()]).collect();
        here.out = Some(outputs.make(out, Kind::Folder { stale })?);
    }
    if let Some(file) = &args.html {
        here.html = Some(outputs.make(file, Kind::File)?);
    }
    let outcome = run_here(&here, &outputs)?;
    outputs.put()?;
    Ok(outcome)
}

fn run_here(args: &ReportArgs, made: &Outputs) -> Result<Outcome> {
    let asked = if args.why.why { Some(args.why.asked(&args.choice)?) } else { None };
    let Some((registry, digest)) = registry::load_and_hash(&args.sources.registry)? else {
        return Ok(Outcome::BadInput);
    };
    #[cfg(feature = "parquet")]
    let (_aside, store) = match &args.from_dataset {
        Some(dataset) => {
            let dates = dates_read(args.month, &registry);
            let copy = remote::dataset(dataset, &dates)?;
            let here = copy.as_ref().map_or(dataset.as_path(), |copy| copy.path());
            let (aside, store) = crate::dataset::open(here, &dates)?;
            (Some(aside), store)
        }
        None => (None, month::open_store(&args.sources.db)?),
    };
    #[cfg(not(feature = "parquet"))]
    let store = month::open_store(&args.sources.db)?;
    let figures = match quoteclock::Report::read(&store, &registry, args.month, args.as_measured) {
        Err(MonthError::Changed(changed)) => {
            return Err(month::refuse(&changed, ", or report it as measured (--as-measured)"));
        }
        figures => figures?,
    };
    let standings = standings(&figures)?;
    let files = csv_files(&figures)?;
    let mut outputs: Vec<PathBuf> = args.html.iter().cloned().collect();
    if let Some(out) = &args.out {
        outputs.extend(files.iter().map(|(name, _)| *name).chain(["report.txt"]).map(|name| out.join(name)));
    }
    refuse_sources(&outputs, &args.sources.db, &args.sources.registry.folder)?;
    let revision = Revision::of(&store, &registry, args.month, &files, args.close)?;
    let mut report = Report { figures, digest, standings, files, revision };
    if let Some((market_maker, asked)) = asked {
        return report.why(market_maker, &asked, args.json);
    }
    args.choice.warn(report.figures.settlement().lines.iter().map(|line| &line.key));
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
            text.push_str(&format!("written to {}: {}\n", made.name(out), written.join(", ")));
        }
        output::print(&text)?;
    }
    Ok(if report.figures.is_complete() { Outcome::Done } else { Outcome::Incomplete })
}

/// The dates whose days a month's report may look at.
#[cfg(feature = "parquet")]
fn dates_read(month: Month, registry: &quoteclock_rules::Registry) -> std::ops::RangeInclusive<jiff::civil::Date> {
    let (first, last) = month.dates().into_inner();
    let months = MonthStock::months_before(month, registry).into_iter().map(|earlier| *earlier.dates().start());
    let first = months.chain([*Review::of(month).measured.start()]).fold(first, std::cmp::min);
    first..=last
}

/// The Parquet file beside a file of CSV.
fn parquet_of(name: &str) -> Option<String> {
    name.strip_suffix(".csv").map(|stem| format!("{stem}.parquet"))
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

/// What it holds besides where sign-ups have criteria.
const CRITERIA: &str = "criteria.csv";

/// How a report looks in a file.
const FILE_STYLE: Style = Style { width: 120, colour: false };

/// How each line of a month stands: of a month that is not over, whether its share can still be made.
fn standings(report: &quoteclock::Report) -> Result<Vec<OverviewLine>> {
    let outlooks = if report.stored.is_over() { Vec::new() } else { report.outlooks()? };
    let outlooks: BTreeMap<&AccountKey, &Outlook> = outlooks.iter().map(|outlook| (&outlook.key, outlook)).collect();
    let is_open = |line: &MonthLine| {
        let prospect = outlooks.get(&line.key).map(|outlook| outlook.prospect());
        matches!(prospect, Some(Prospect::Safe | Prospect::Open { .. } | Prospect::Uncertain | Prospect::ByDays))
    };
    let standing = |line: &MonthLine| OverviewLine {
        total: line.total,
        required_pct: line.required_pct,
        standing: match line.status() {
            _ if !line.certain() => Standing::Uncertain,
            Status::Fulfilled => Standing::Meets,
            Status::NotFulfilled if is_open(line) => Standing::AtRisk,
            Status::NotFulfilled => Standing::Fails,
            Status::NotApplicable => Standing::NotApplicable,
        },
        ..OverviewLine::of(line.key.clone())
    };
    Ok(report.settlement().lines.iter().map(standing).collect())
}

/// The files of a report, whole.
fn csv_files(report: &quoteclock::Report) -> std::io::Result<Vec<(&'static str, Vec<u8>)>> {
    fn csv<'r, T: Table>(rows: impl IntoIterator<Item = T::Row<'r>>) -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        write_csv::<T>(rows, &mut bytes)?;
        Ok(bytes)
    }
    let settled = report.settlement();
    let mut files = vec![
        ("monthly.csv", csv::<Monthly>(report.monthly())?),
        ("market_makers.csv", csv::<MarketMakers>(report.market_makers())?),
        ("incentives.csv", csv::<Incentives>(report.of_month(&settled.incentives))?),
        ("conditions.csv", csv::<Conditions>(report.of_month(&settled.conditions))?),
        ("tiers.csv", csv::<Tiers>(&settled.tiers)?),
        ("recommendations.csv", csv::<Recommendations>(report.of_month(&settled.recommendations))?),
        ("payments.csv", csv::<Payments>(report.of_month(&settled.payments))?),
    ];
    if report.criteria().next().is_some() {
        files.push((CRITERIA, csv::<Criteria>(report.criteria())?));
    }
    Ok(files)
}

/// Writes a file whose bytes are on the disk when this returns.
fn write_synced(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

impl Report {
    fn incentives<'a>(&'a self, choice: &'a Choice) -> impl Iterator<Item = OfMonth<'a, IncentiveLine>> {
        let lines = OfMonth::all(self.figures.month, &self.figures.settlement().incentives);
        lines.filter(|row| choice.has_maker(&row.line.market_maker) && choice.has_issue(row.line.issue.as_str()))
    }

    fn conditions<'a>(&'a self, choice: &'a Choice) -> impl Iterator<Item = OfMonth<'a, ConditionLine>> {
        let lines = OfMonth::all(self.figures.month, &self.figures.settlement().conditions);
        lines.filter(|row| {
            choice.has_maker(&row.line.market_maker)
                && choice.has_issue(row.line.issue.as_str())
                && choice.has_obligation(&row.line.obligation())
        })
    }

    fn payments<'a>(&'a self, choice: &'a Choice) -> impl Iterator<Item = OfMonth<'a, PaymentLine>> {
        let lines = OfMonth::all(self.figures.month, &self.figures.settlement().payments);
        lines.filter(|row| choice.has_maker(&row.line.market_maker))
    }

    fn recommendations<'a>(&'a self, choice: &'a Choice) -> impl Iterator<Item = OfMonth<'a, RecommendationLine>> {
        let lines = OfMonth::all(self.figures.month, &self.figures.settlement().recommendations);
        lines.filter(|row| {
            let has_issue = row.line.issue.as_ref().is_none_or(|issue| choice.has_issue(issue.as_str()));
            choice.has_maker(&row.line.market_maker) && has_issue
        })
    }

    /// Shows the sum behind an amount.
    fn why(&self, market_maker: &str, asked: &Asked, is_json: bool) -> Result<Outcome> {
        let whys = self.figures.settlement().why(&self.figures.registry, market_maker, asked);
        self.warn();
        let notes: Vec<String> =
            self.figures.doubts().into_iter().chain(self.figures.notes(ISSUES_NAMED_MAX)).collect();
        if is_json {
            let scheme = SchemeJson::of(&self.figures.registry);
            output::print(&format!("{}\n", why::json(self.figures.month, &whys, &notes, scheme)?))?;
        } else {
            let style = terminal::table_style();
            let text = why::text(self.figures.month, &whys, &notes, style);
            output::print(&format!("{text}{}", month::interpretations(&self.figures.registry, style.width)))?;
        }
        Ok(if self.figures.is_complete() { Outcome::Done } else { Outcome::Incomplete })
    }

    /// Writes the files aside, and gives them their names together.
    fn write(&mut self, store: &Store, out: &Path, args: &ReportArgs) -> Result<Vec<String>> {
        let parquet = args.parquet();
        paper_folders::look(out)?;
        let staging = staging::folder_beside(out)?;
        let papers = staging.path().join("papers");
        std::fs::create_dir(&papers).context("writing the documents aside")?;
        let mut written = Written::default();
        if !args.no_documents {
            written = self.write_papers(store, &papers)?;
            // The same figures, and another asset manager, say: papers that have not gone out are not called so.
            if let Some(gone_out) = self.revision.gone_out_earlier(store)?
                && written.differ_from(&gone_out)
            {
                self.revision.follow(store, &self.figures.registry, args.close)?;
                written = self.write_papers(store, &papers)?;
            }
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
        let has_criteria = self.files.iter().any(|(name, _)| *name == CRITERIA);
        names.extend(has_criteria.then(|| CRITERIA.to_owned()));
        let mut stale: Vec<String> = FILES.into_iter().filter_map(parquet_of).collect();
        stale.extend(parquet_of(CRITERIA).filter(|_| has_criteria));
        if parquet {
            self.write_parquet(staging.path()).context("writing Parquet")?;
            names.extend(stale.iter().cloned());
        }
        if !has_criteria {
            stale.extend([CRITERIA.to_owned()].into_iter().chain(parquet_of(CRITERIA)));
        }
        let stale: Vec<&str> =
            stale.iter().map(String::as_str).filter(|name| !names.iter().any(|written| written == *name)).collect();
        let publication = Publication::prepare(staging.path(), &names, out, &stale)?;
        paper_folders::look_at(&written.hashes, out)?;
        // What is left to fail after the closing is written down is a renaming within a folder.
        let held = self.revision.write(&args.sources.db, &self.files, written.kept)?;
        publication.carry_out(held)?;
        let replaced = paper_folders::replace(&written.hashes, &papers, out)?;
        if !replaced.foreign.is_empty() {
            terminal::print_warning(&format!(
                "among the papers in {} are files that quoteclock did not write, or not as they are now; they stay: {}",
                out.display(),
                replaced.foreign.join(", ")
            ));
        }
        names.extend(replaced.written);
        Ok(names)
    }

    /// Writes the papers aside, into `folder`.
    fn write_papers(&self, store: &Store, folder: &Path) -> Result<Written> {
        let days = &self.figures.stored.days;
        let mut page = self.page(store);
        // Of what has to be known, that which is for everybody: no issue, no name.
        page.notes = self.figures.notes_of_days().split_off(1);
        let (frames, evidence) = (page.frames(days)?, page.evidence(days));
        let (registry, stored, settlement) = (&self.figures.registry, &self.figures.stored, self.figures.settlement());
        let revision = &self.revision;
        Papers { registry, store, stored, settlement, frames, evidence, revision }.write(folder)
    }

    /// The same files as Parquet, in `folder`.
    fn write_parquet(&self, folder: &Path) -> Result<()> {
        let inputs = self.figures.stored.days.iter().map(|day| (day.date, day.input.clone(), day.input_sha256));
        let rests_on = &month::rests_on(&self.figures.registry, self.digest, inputs);
        let (month, settled) = (self.figures.month, self.figures.settlement());
        staging::write_parquet::<Monthly>(self.figures.monthly(), rests_on, folder)?;
        staging::write_parquet::<MarketMakers>(self.figures.market_makers(), rests_on, folder)?;
        if self.figures.criteria().next().is_some() {
            staging::write_parquet::<Criteria>(self.figures.criteria(), rests_on, folder)?;
        }
        staging::write_parquet::<Incentives>(OfMonth::all(month, &settled.incentives), rests_on, folder)?;
        staging::write_parquet::<Conditions>(OfMonth::all(month, &settled.conditions), rests_on, folder)?;
        staging::write_parquet::<Tiers>(&settled.tiers, rests_on, folder)?;
        staging::write_parquet::<Recommendations>(OfMonth::all(month, &settled.recommendations), rests_on, folder)?;
        staging::write_parquet::<Payments>(OfMonth::all(month, &settled.payments), rests_on, folder)
    }

    /// The rows of lines at some positions.
    fn rows<'a>(&'a self, lines: &'a [usize]) -> impl Iterator<Item = MonthlyRow<'a>> {
        let (month, is_over) = (self.figures.month, self.figures.stored.is_over());
        lines.iter().map(move |&position| MonthlyRow {
            month,
            line: &self.figures.settlement().lines[position],
            is_over,
        })
    }

    fn criteria<'a>(&'a self, choice: &'a Choice) -> impl Iterator<Item = CriteriaRow<'a>> {
        let of = |row: &CriteriaRow<'_>| {
            choice.has_maker(row.sign_up.market_maker()) && choice.has_issue(row.sign_up.issue().as_str())
        };
        self.figures.criteria().filter(of)
    }

    fn makers<'a>(&'a self, choice: &'a Choice) -> impl Iterator<Item = MakerRow<'a>> {
        self.figures.market_makers().filter(|row| choice.has_maker(&row.maker.market_maker))
    }
}
