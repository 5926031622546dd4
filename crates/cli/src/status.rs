//! `quoteclock status`: the month to date, and how much longer each obligation may be off.

use crate::month::{self, SchemeJson, StoredMonth};
use crate::{Outcome, output, terminal};
use anyhow::Result;
use jiff::civil::Date;
use quoteclock_incentive::{Month, outlooks};
use quoteclock_report::{OutlookJson, outlook_table, wrap};
use serde::Serialize;
use std::path::PathBuf;

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
    registry: PathBuf,

    /// Database that replay --db has written
    #[arg(long, value_name = "FILE")]
    db: PathBuf,

    /// The month, such as 2024-03
    #[arg(long, value_name = "MONTH", value_parser = month::parse)]
    month: Month,

    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Document<'a> {
    month: String,
    status: Vec<OutlookJson>,
    days_measured: Vec<String>,
    days_to_come: Vec<String>,
    /// Days that are not measured to their end: the rest is to come.
    days_partial: Vec<String>,
    /// Days that the registry as it is now would measure otherwise.
    changed: Vec<String>,
    scheme: SchemeJson<'a>,
}

/// Runs the command.
pub(crate) fn run(args: &StatusArgs) -> Result<Outcome> {
    let Some((registry, store)) = month::open(&args.registry, &args.db)? else { return Ok(Outcome::BadInput) };
    let stored = StoredMonth::read(&store, &registry, args.month)?;
    let outlooks = outlooks(&stored.accounts, &stored.measured_until(), &registry)?;
    if args.json {
        let texts = |dates: &[Date]| dates.iter().map(Date::to_string).collect();
        let document = Document {
            month: args.month.to_string(),
            status: outlooks.iter().map(|outlook| OutlookJson::new(args.month, outlook)).collect(),
            days_measured: stored.measured.iter().map(Date::to_string).collect(),
            days_to_come: texts(&stored.missing),
            days_partial: stored.partial.keys().map(Date::to_string).collect(),
            changed: texts(&stored.changed),
            scheme: SchemeJson::of(&registry),
        };
        output::print(&format!("{}\n", serde_json::to_string(&document)?))?;
    } else {
        let style = terminal::table_style();
        let scheme = registry.scheme();
        let mut text = format!("{} to date under {} {}\n", args.month, scheme.name(), scheme.version());
        text.push_str(&outlook_table(&outlooks, style));
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
    if stored.changed.is_empty() {
        return Ok(Outcome::Done);
    }
    let days = month::list(&stored.changed);
    terminal::print_warning(&format!("the registry has changed and would alter the result of {days}: replay them"));
    Ok(Outcome::Incomplete)
}
