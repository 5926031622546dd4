//! `quoteclock status`: the month to date, and how much longer each obligation may be off.

use crate::choice::Choice;
use crate::month::{self, SchemeJson, Sources};
use crate::{Outcome, output, terminal};
use anyhow::Result;
use jiff::civil::Date;
use quoteclock::StoredMonth;
use quoteclock_incentive::{Month, Outlook, Prospect, outlooks};
use quoteclock_ledger::Total;
use quoteclock_model::Micros;
use quoteclock_report::{OverviewLine, Standing, StatusRow, Statuses, Words, overview, wrap};
use quoteclock_rows::{JsonRow, json_rows, text_table};
use serde::Serialize;

/// Show the month to date: how much longer each obligation may be off and still make its share.
///
/// Trading days that are not measured yet count with the whole session time that the registry gives them, exemptions
/// apart; where the feed tells the sessions, as long as the last measured day.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  quoteclock status --registry registry --db market.db --month 2024-03
  quoteclock status --registry registry --db market.db --month 2024-03 --market-maker MM1 --fail-under 80
  quoteclock status --registry registry --db market.db --month 2024-03 --failing --sort lost
  quoteclock status --registry registry --db market.db --month 2024-03 --json

Exits with 1 if the registry has changed since a day was measured, and would alter its result; with 3 if unknown time \
could turn what becomes of an obligation. --fail-under and that look at the market makers, issues and obligations that \
are asked for.")]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    sources: Sources,

    /// The month, such as 2024-03
    #[arg(long, value_name = "MONTH", value_parser = month::parse)]
    month: Month,

    /// Exit with 4 if the quote display time of any obligation so far is below this percentage, such as 80
    #[arg(long, value_name = "PCT", value_parser = percentage)]
    fail_under: Option<u64>,

    /// Show spans to the microsecond rather than in whole seconds
    #[arg(long)]
    exact: bool,

    /// Print one JSON document
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    choice: Choice,
}

/// Reads a percentage as ten-thousandths of one.
fn percentage(text: &str) -> Result<u64, String> {
    let problem = || format!("found \"{text}\", expected a percentage from 0 to 100 such as 80 or 82.5");
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let is_decimal =
        !whole.is_empty() && part.len() <= 4 && whole.bytes().chain(part.bytes()).all(|b| b.is_ascii_digit());
    let units = is_decimal.then(|| format!("{whole}{part:0<4}").parse().ok()).flatten();
    units.filter(|units| *units <= 1_000_000).ok_or_else(problem)
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    month: String,
    status: Vec<JsonRow<'a, Statuses>>,
    days_measured: Vec<String>,
    days_to_come: Vec<String>,
    /// Days that are not measured to their end: the rest is to come.
    days_partial: Vec<String>,
    /// Days that the registry as it is now would measure otherwise: none, or there is no status.
    changed: Vec<String>,
    scheme: SchemeJson<'a>,
}

/// Runs the command.
pub(crate) fn run(args: &StatusArgs) -> Result<Outcome> {
    let Some((registry, store)) = args.sources.open()? else { return Ok(Outcome::BadInput) };
    let stored = StoredMonth::read(&store, &registry, args.month, false)?;
    if !stored.changed.is_empty() {
        return Err(month::refuse(&stored.changed, ""));
    }
    let outlooks = outlooks(&stored.accounts, &stored.measured_until(), &registry)?;
    args.choice.warn(outlooks.iter().map(|outlook| &outlook.key));
    let mut standings: Vec<OverviewLine> = outlooks.iter().map(standing).collect();
    let shown = args.choice.of(&standings);
    let row = |position: &usize| StatusRow { month: args.month, outlook: &outlooks[*position], exact: args.exact };
    let doubts = stored.unknown_notes();
    doubts.iter().for_each(|note| terminal::print_warning(note));
    if args.json {
        let texts = |dates: &[Date]| dates.iter().map(Date::to_string).collect();
        let document = Document {
            schema: output::SCHEMA,
            month: args.month.to_string(),
            status: json_rows(shown.iter().map(row)),
            days_measured: stored.measured.iter().map(Date::to_string).collect(),
            days_to_come: texts(&stored.missing),
            days_partial: stored.partial.keys().map(Date::to_string).collect(),
            changed: Vec::new(),
            scheme: SchemeJson::of(&registry),
        };
        output::print(&format!("{}\n", serde_json::to_string(&document)?))?;
    } else if !args.choice.quiet {
        let style = terminal::table_style();
        let scheme = registry.scheme();
        let heading = format!("{} to date under {} {}", args.month, scheme.name(), scheme.version());
        let mut text = wrap(&heading, style.width);
        doubts.iter().for_each(|note| text.push_str(&wrap(note, style.width)));
        if args.choice.sums_up(shown.len()) {
            month::look_for_reasons(&mut standings, &store, args.month)?;
            let lines: Vec<&OverviewLine> = shown.iter().map(|&position| &standings[position]).collect();
            text.push_str(&overview(&lines, WORDS, style));
        } else {
            text.push_str(&text_table::<Statuses>(&shown.iter().map(row).collect::<Vec<_>>(), style));
        }
        let to_come = match &stored.missing[..] {
            [] => "no trading day is to come".to_owned(),
            days => {
                let count = month::count(days.len(), "trading day");
                format!("{count} to come, taken as full sessions: {}", month::list(days))
            }
        };
        text.push_str(&wrap(
            &format!("\nmeasured: {}; {to_come}", month::count(stored.measured.len(), "day")),
            style.width,
        ));
        if !stored.partial.is_empty() {
            let days = stored.partial_days(&registry)?;
            text.push_str(&wrap(&format!("measured in part, the rest is to come: {days}"), style.width));
        }
        text.push_str(&month::interpretations(&registry, style.width));
        output::print(&text)?;
    }
    let mut asked = outlooks.iter().filter(|outlook| args.choice.has(&outlook.key));
    let is_below = |outlook: &Outlook| {
        let Total { available, .. } = outlook.total;
        available != Micros::ZERO && args.fail_under.is_some_and(|pct| !outlook.total.reaches(pct))
    };
    Ok(match () {
        () if asked.clone().any(is_below) => Outcome::BelowThreshold,
        () if asked.any(|outlook| outlook.prospect() == Prospect::Uncertain) => Outcome::Incomplete,
        () => Outcome::Done,
    })
}

/// What the standings are called where they are counted.
const WORDS: Words = Words { fails: "lost", at_risk: "at risk", uncertain: "not certain", meets: "open or safe" };

/// How an obligation stands in a month that is not over.
fn standing(outlook: &Outlook) -> OverviewLine {
    OverviewLine {
        total: outlook.total,
        required_pct: outlook.required_pct,
        standing: match outlook.prospect() {
            Prospect::Lost { .. } => Standing::Fails,
            Prospect::Open { .. } if outlook.is_at_risk() => Standing::AtRisk,
            Prospect::Uncertain => Standing::Uncertain,
            Prospect::Open { .. } | Prospect::Safe => Standing::Meets,
            Prospect::NotApplicable | Prospect::ByDays => Standing::NotApplicable,
        },
        ..OverviewLine::of(outlook.key.clone())
    }
}
