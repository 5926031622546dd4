//! `quoteclock explain`: why obligations were fulfilled or not: at an instant, along a day, or over a stored month.

use crate::beside::BesideArgs;
use crate::how::How;
use crate::registry::{self, RegistryArgs};
use crate::target::{Target, refuse_inputs};
use crate::{BadUsage, Outcome, again, month, output, terminal};
use anyhow::{Context, Result, anyhow, bail};
use jiff::civil::Date;
use quoteclock::{StoredMonth, plan_now};
use quoteclock_engine::{DayOptions, Until};
use quoteclock_explain::{
    Explainer, Explanation, Judged, LostLine, Provenance, Question, Summary, render_day, render_summary,
    write_day_json, write_html, write_summary_json,
};
use quoteclock_incentive::Month;
use quoteclock_model::{IssueCode, ObligationId};
use quoteclock_replay::{Beside, Input, Replay, ReplayError};
use quoteclock_report::wrap;
use quoteclock_rules::Registry;
use quoteclock_store::{Digest, Store};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Say why an obligation was fulfilled or not: at an instant, along a day, or over a month.
///
/// With --at: the market maker's quotes at that instant, level by level, where each side reached the minimum, the spread
/// beside its limits, what happened before and after, own orders that do not count, and what would have sufficed. Without:
/// the day's outages, the longest first, each with what began and ended it. With --month: what is stored of it, the lost
/// time by reason, day and hour. Without --issue all issues of the market maker together.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  quoteclock explain --registry registry --market-maker MM1 --issue 1306 2024-03-01.csv
  quoteclock explain --registry registry --market-maker MM1 --issue 1306 --at 10:15:30.2 2024-03-01.csv
  quoteclock explain --registry registry --market-maker MM1 --issue 1306 --html mm1-1306.html 2024-03-01.csv
  quoteclock explain --registry registry --market-maker MM1 --db market.db --date 2024-03-01
  quoteclock explain --registry registry --market-maker MM1 --db market.db --month 2024-03

Of a file of the binary form only the records of the market maker's issues are read. Bad records of other issues are \
found by replay, not here.

--html writes one page that needs nothing else: the day as a picture, its outages, and the longest breaches worked out.")]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    registry: RegistryArgs,

    /// The market maker, as the registry names it
    #[arg(long, value_name = "NAME")]
    market_maker: String,

    /// The issue's code; otherwise all issues that the market maker is signed up for
    #[arg(long, value_name = "CODE")]
    issue: Option<String>,

    /// The obligation: general (with its criteria), general:CRITERION, sponsored:CONDITION or matching:CONDITION; of one issue general unless said otherwise
    #[arg(long, value_name = "NAME")]
    obligation: Option<String>,

    /// An instant: a local clock time such as 10:15:30.2, or one such as 2024-03-01T10:15:30.2+09:00
    #[arg(long, value_name = "TIME")]
    at: Option<String>,

    /// Take the day up to this time only: a local clock time such as 10:30, or one such as 2024-03-01T10:30:00+09:00
    #[arg(long, value_name = "TIME", value_parser = quoteclock::until)]
    until: Option<Until>,

    /// How many outages to explain, the longest first
    #[arg(long, value_name = "N", default_value_t = 10)]
    limit: usize,

    /// Write a page of the day of one issue to this file
    #[arg(long, value_name = "FILE", requires = "issue")]
    html: Option<PathBuf>,

    /// Print one JSON document
    #[arg(long)]
    json: bool,

    /// Set bad records aside and go on; what they leave in doubt is unknown time
    #[arg(long)]
    lenient: bool,

    /// Accept sequence numbers that rise by more than one
    #[arg(long)]
    allow_gaps: bool,

    /// Trading date, such as 2024-03-01; otherwise that of the first record
    #[arg(long, value_name = "DATE")]
    date: Option<Date>,

    /// Database that replay --db has written: finds the input of --date, or what is stored of --month
    #[arg(long, value_name = "FILE", conflicts_with_all = ["file", "own_orders", "also"])]
    db: Option<PathBuf>,

    /// The stored month, such as 2024-03
    #[arg(long, value_name = "MONTH", value_parser = month::parse, requires = "db",
        conflicts_with_all = ["date", "at", "until", "html", "lenient", "allow_gaps", "own_orders", "also"])]
    month: Option<Month>,

    #[command(flatten)]
    beside: BesideArgs,

    /// File of order events of one trading day (CSV, the binary form, NASDAQ ITCH, a FIX log or DBN), plain or compressed with gzip or zstd; - for standard input
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

/// Runs the command.
pub(crate) fn run(args: &ExplainArgs) -> Result<Outcome> {
    let question = question(args)?;
    match (&args.file, &args.db, args.date, args.month) {
        (Some(file), ..) => {
            let Some(day) = Explaining::open(args, question)? else { return Ok(Outcome::BadInput) };
            let input = crate::remote::input(file)?;
            args.beside.check(std::slice::from_ref(file))?;
            refuse_page(args, &input)?;
            let Some(opened) = args.beside.open()? else { return Ok(Outcome::BadInput) };
            let explanations = day.explain(&input, &given_options(args), &opened)?;
            show(args, &explanations)
        }
        (None, Some(db), Some(date), None) => {
            let Some(day) = Explaining::open(args, question)? else { return Ok(Outcome::BadInput) };
            stored_day(args, &day, &month::open_store(db)?, db, date)
        }
        (None, Some(db), None, Some(month)) => {
            let Some((registry, store)) = month::open(&args.registry, db)? else { return Ok(Outcome::BadInput) };
            stored_month(args, &registry, &store, month)
        }
        _ => Err(BadUsage("expected a FILE of events, or --db with --date or --month".to_owned()).into()),
    }
}

/// What was typed, as a question.
fn question(args: &ExplainArgs) -> Result<Question> {
    let at = args.at.as_ref().map(|at| at.parse().map_err(|error| BadUsage(format!("--at: {error}")))).transpose()?;
    Ok(Question {
        market_maker: args.market_maker.clone(),
        issue: args.issue.clone(),
        obligation: args.obligation.clone(),
        at,
        limit: args.limit,
    })
}

/// How the day is to be taken, as typed.
fn given_options(args: &ExplainArgs) -> DayOptions {
    DayOptions {
        lenient: args.lenient,
        allow_gaps: args.allow_gaps,
        date: args.date,
        until: args.until,
        ..DayOptions::default()
    }
}

/// A page that would come in place of what is read.
fn refuse_page(args: &ExplainArgs, input: &Input) -> Result<()> {
    if let Some(page) = &args.html {
        let sources =
            registry::files(&args.registry.folder).into_iter().chain(args.db.clone()).chain(args.beside.files());
        let sources: Vec<PathBuf> = sources.collect();
        refuse_inputs(std::slice::from_ref(page), std::slice::from_ref(input), &sources)?;
        Target::of(page)?;
    }
    Ok(())
}

/// What explains a day.
struct Explaining {
    registry: Registry,
    registry_sha256: Digest,
    question: Question,
    /// Whether the input's hash is wanted.
    is_hashed: bool,
    /// Whether the input has been measured before, so that nothing is wrong with any of its records.
    is_known_good: bool,
}

impl Explaining {
    /// `None` after printing what is wrong with the registry.
    fn open(args: &ExplainArgs, question: Question) -> Result<Option<Explaining>> {
        let Some((registry, registry_sha256)) = registry::load_and_hash(&args.registry)? else { return Ok(None) };
        let (is_hashed, is_known_good) = (args.html.is_some(), args.file.is_none());
        Ok(Some(Explaining { registry, registry_sha256, question, is_hashed, is_known_good }))
    }

    fn explain(&self, input: &Input, options: &DayOptions, beside: &Beside) -> Result<Vec<Explanation>> {
        let Explaining { registry, registry_sha256, question, is_hashed, is_known_good } = self;
        let bar = terminal::progress_bar(input.size());
        let begin = |options| {
            Explainer::new(registry, options, question.clone())
                .map(|explainer| explainer.with_also(beside.names()))
                .map_err(|source| ReplayError::Day { file: input.name(), source })
        };
        let (issues, progress) = (question.issues(registry), |bytes| terminal::advance(&bar, bytes));
        let replay = Replay { registry, input, options, beside, progress: &progress };
        let replayed = replay.run_issues(&issues, *is_hashed, begin);
        bar.finish_and_clear();
        let (_, answer, hashes) = replayed.map_err(|error| match error {
            ReplayError::OrdersTwice { .. } => anyhow::Error::from(BadUsage(error.to_string())),
            error => error.into(),
        })?;
        let mut explanations = answer.map_err(|error| BadUsage(error.to_string()))?;
        for explanation in &mut explanations {
            explanation.provenance = Some(Provenance {
                input: input.name(),
                input_sha256: hashes.as_ref().map(|hashes| Digest(hashes.input).to_string()),
                registry_sha256: registry_sha256.to_string(),
                program_version: env!("CARGO_PKG_VERSION").to_owned(),
                judged: if *is_known_good || options.lenient { Judged::All } else { Judged::OwnIssues },
            });
        }
        Ok(explanations)
    }
}

/// Shows the answers as was asked.
fn show(args: &ExplainArgs, explanations: &[Explanation]) -> Result<Outcome> {
    let reject_count = explanations.first().map_or(0, |explanation| explanation.reject_count);
    if 0 < reject_count {
        terminal::print_warning(&format!("bad records set aside: {reject_count}; the time in doubt is unknown"));
    }
    match (&args.html, explanations) {
        (Some(page), [explanation]) => write_page(explanation, page)?,
        (Some(_), several) => {
            let names: Vec<String> = several.iter().map(|of| of.subject.obligation.to_string()).collect();
            let names = names.join(", ");
            return Err(BadUsage(format!(
                "--html is the page of one obligation, expected --obligation with one of {names}"
            ))
            .into());
        }
        (None, _) => {}
    }
    if args.json {
        print_json(|to| write_day_json(explanations, to))?;
    } else {
        let style = terminal::table_style();
        let mut text = render_day(explanations, args.limit, style);
        let provenance = explanations.first().and_then(|explanation| explanation.provenance.as_ref());
        if let Some(note) = provenance.and_then(|provenance| provenance.judged.note()) {
            text.push_str(&format!("\n{}", wrap(note, style.width)));
        }
        output::print(&text)?;
    }
    Ok(if 0 < reject_count { Outcome::Incomplete } else { Outcome::Done })
}

fn print_json(write: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) -> Result<()> {
    let mut document = Vec::new();
    write(&mut document)?;
    output::print(&String::from_utf8(document).context("the document is not text")?)
}

/// Writes the page, aside until it is whole where that can be.
fn write_page(explanation: &Explanation, page: &Path) -> Result<()> {
    Target::of(page)?
        .write(|mut to| write_html(explanation, &mut to).with_context(|| format!("writing {}", page.display())))
}

/// Explains a day whose input the database names, and says so if it is not what was stored.
fn stored_day(args: &ExplainArgs, day: &Explaining, store: &Store, db: &Path, date: Date) -> Result<Outcome> {
    let Some(stored) = store.days(date..=date)?.pop() else {
        bail!("{}: {date} is not stored, expected a date that quoteclock days lists", db.display())
    };
    let (path, _) = again::find(&stored, db, &[])
        .map_err(|problem| anyhow!("{date}: {problem}; give the input as FILE instead of --db"))?;
    let input = Input::File(path);
    refuse_page(args, &input)?;
    let mut how = again::how(&stored).map_err(|problem| anyhow!("{}: {problem}", stored.date))?;
    again::find_beside(&mut how, &stored, db, &[]).map_err(|problem| anyhow!("{date}: {problem}"))?;
    let Some(opened) = how.beside.open()? else { return Ok(Outcome::BadInput) };
    let explanations = day.explain(&input, &stored_options(args, &how), &opened)?;
    let changed = plan_now(&stored, &day.registry)?.reasons;
    if !changed.is_empty() {
        terminal::print_warning(&format!(
            "the registry would measure {date} otherwise than it is stored ({}): what follows is by the registry as it is",
            changed.join("; ")
        ));
    }
    show(args, &explanations)
}

/// The options that a day was measured with; one typed besides holds, too.
fn stored_options(args: &ExplainArgs, how: &How) -> DayOptions {
    let given = given_options(args);
    DayOptions {
        lenient: given.lenient || how.input.lenient,
        allow_gaps: given.allow_gaps || how.input.allow_gaps,
        until: given.until.or(how.input.until),
        ..given
    }
}

/// What is stored of a month: lost time by reason, day and hour.
fn stored_month(args: &ExplainArgs, registry: &Registry, store: &Store, month: Month) -> Result<Outcome> {
    let stored = StoredMonth::read(store, registry, month, false)?;
    if !stored.changed.is_empty() {
        return Err(month::refuse(&stored.changed, ""));
    }
    let is_asked = |market_maker: &str, issue: &IssueCode, obligation: &ObligationId| {
        market_maker == args.market_maker
            && args.issue.as_ref().is_none_or(|asked| issue.as_str() == asked)
            && match &args.obligation {
                Some(asked) => obligation.is_meant_by(asked),
                None => args.issue.is_none() || obligation.is_meant_by("general"),
            }
    };
    let mut lines: BTreeMap<(String, String), LostLine> = BTreeMap::new();
    store.results(month.dates(), |row| {
        let (issue, obligation) = (row.issue.to_string(), row.obligation.to_string());
        if is_asked(&row.market_maker, &row.issue, &row.obligation) {
            let line = lines.entry((issue.clone(), obligation.clone())).or_default();
            *line = LostLine { issue, obligation, required_pct: row.required_pct, ..std::mem::take(line) };
            line.total += row.total;
        }
    })?;
    if lines.is_empty() {
        return Err(BadUsage(format!(
            "{} has no stored result in {month} for what is asked, expected a market maker, an issue and an obligation \
             that quoteclock status lists",
            args.market_maker
        ))
        .into());
    }
    let zone = registry.scheme().zone();
    let mut last = None;
    store.breaches(month.dates(), |row| {
        if !is_asked(&row.market_maker, &row.issue, &row.obligation) {
            return;
        }
        let key = (row.issue.to_string(), row.obligation.to_string());
        let Some(line) = lines.get_mut(&key) else { return };
        line.lost.add(row.date, row.span, &row.reason, zone);
        line.breach_count += 1;
        let goes_on = last.as_ref().is_some_and(|(before, end)| *before == key && *end == row.span.start);
        line.outage_count += u64::from(!goes_on);
        last = Some((key, row.span.end));
    })?;
    let mut summary = Summary::new(&args.market_maker, month.to_string(), lines.into_values().collect());
    summary.days_measured = stored.measured.iter().copied().collect();
    summary.days_missing.clone_from(&stored.missing);
    summary.days_partial = stored.partial.keys().copied().collect();
    let doubts = stored.unknown_notes();
    doubts.iter().for_each(|note| terminal::print_warning(note));
    if args.json {
        print_json(|to| write_summary_json(&summary, to))?;
    } else {
        output::print(&render_summary(&summary, terminal::table_style()))?;
    }
    if !stored.missing.is_empty() {
        terminal::print_warning(&format!("not measured: {}", month::list(&stored.missing)));
    }
    if !stored.partial.is_empty() {
        terminal::print_warning(&format!("not measured to their end: {}", stored.partial_days(registry)?));
    }
    Ok(Outcome::Done)
}
