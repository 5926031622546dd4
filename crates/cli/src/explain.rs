//! `quoteclock explain`: why an obligation was fulfilled or not, at an instant or along a day.

use crate::target::{Target, refuse_inputs};
use crate::{BadUsage, Outcome, output, registry, terminal};
use anyhow::{Context, Result};
use jiff::civil::Date;
use quoteclock_engine::{DayOptions, Until};
use quoteclock_explain::{Explainer, Explanation, Question, render_text, write_html, write_json};
use quoteclock_replay::{Input, Replay, ReplayError};
use quoteclock_rules::Registry;
use std::path::{Path, PathBuf};

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
    registry: PathBuf,

    /// The market maker, as the registry names it
    #[arg(long, value_name = "NAME")]
    market_maker: String,

    /// The issue's code
    #[arg(long, value_name = "CODE")]
    issue: String,

    /// The obligation: general, sponsored:CONDITION or matching:CONDITION
    #[arg(long, value_name = "NAME", default_value = "general")]
    obligation: String,

    /// An instant: a local clock time such as 10:15:30.2, or one such as 2024-03-01T10:15:30.2+09:00
    #[arg(long, value_name = "TIME")]
    at: Option<String>,

    /// Take the day up to this time only: a local clock time such as 10:30, or one such as 2024-03-01T10:30:00+09:00
    #[arg(long, value_name = "TIME", value_parser = crate::how::until)]
    until: Option<Until>,

    /// How many breaches to explain, the longest first
    #[arg(long, value_name = "N", default_value_t = 10)]
    limit: usize,

    /// Write a page of the day to this file
    #[arg(long, value_name = "FILE")]
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

    /// File of order events of one trading day, plain or compressed with gzip or zstd; - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Runs the command.
pub(crate) fn run(args: &ExplainArgs) -> Result<Outcome> {
    let question = question(args)?;
    let Some(registry) = registry::load_for_measuring(&args.registry)? else { return Ok(Outcome::BadInput) };
    let input = Input::named(&args.file);
    if let Some(page) = &args.html {
        refuse_inputs(std::slice::from_ref(page), std::slice::from_ref(&input), &registry::files(&args.registry))?;
        Target::of(page)?;
    }
    let explanation = explain(args, &registry, &question)?;
    if 0 < explanation.reject_count {
        let count = explanation.reject_count;
        terminal::print_warning(&format!("bad records set aside: {count}; the time in doubt is unknown"));
    }
    if let Some(page) = &args.html {
        write_page(&explanation, page)?;
    }
    if args.json {
        let mut document = Vec::new();
        write_json(&explanation, &mut document)?;
        output::print(&String::from_utf8(document).context("the document is not text")?)?;
    } else {
        output::print(&render_text(&explanation, terminal::table_style()))?;
    }
    Ok(if 0 < explanation.reject_count { Outcome::Incomplete } else { Outcome::Done })
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

fn explain(args: &ExplainArgs, registry: &Registry, question: &Question) -> Result<Explanation> {
    let options = DayOptions {
        lenient: args.lenient,
        allow_gaps: args.allow_gaps,
        date: args.date,
        until: args.until,
        ..DayOptions::default()
    };
    let input = Input::named(&args.file);
    let bar = terminal::progress_bar(input.size());
    let begin = |options| {
        Explainer::new(registry, options, question.clone())
            .map_err(|source| ReplayError::Day { file: input.name(), source })
    };
    let progress = |bytes| bar.inc(bytes);
    let replayed = Replay { registry, input: &input, options: &options, progress: &progress }.run(begin);
    bar.finish_and_clear();
    let (_, answer) = replayed?;
    answer.map_err(|error| BadUsage(error.to_string()).into())
}

/// Writes the page, aside until it is whole where that can be.
fn write_page(explanation: &Explanation, page: &Path) -> Result<()> {
    Target::of(page)?
        .write(|mut to| write_html(explanation, &mut to).with_context(|| format!("writing {}", page.display())))
}
