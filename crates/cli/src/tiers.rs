//! `quoteclock tiers`: the tier review in force in a month, and the tier of every issue.

use crate::month::{self, SchemeJson, Sources};
use crate::publication::Publication;
use crate::remote::{Kind, Outputs};
use crate::target::refuse_sources;
use crate::{Outcome, output, staging, terminal};
use anyhow::{Context, Result};
use jiff::civil::Date;
use quoteclock_incentive::{Month, ReviewStock, TierLine, TierSource, tiers};
use quoteclock_report::money::Tiers;
use quoteclock_report::wrap;
use quoteclock_rows::{JsonRow, json_rows, text_table, write_csv};
use serde::Serialize;
use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;

/// Say which tier every issue has in a month, and what that rests on.
///
/// Tiers are reviewed every three months: measured December to February, March to May, June to August, September to
/// November, announced the month after, and in force for the three months after that.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  quoteclock tiers --registry registry --db market.db --month 2024-04
  quoteclock tiers --registry registry --db market.db --month 2024-04 --out 2024-04

--out writes tiers.csv. Exits with 3 if the tier of an issue is unknown: nothing of the measuring period is stored.")]
pub(crate) struct TiersArgs {
    #[command(flatten)]
    sources: Sources,

    /// The month in which the tiers are in force, such as 2024-04
    #[arg(long, value_name = "MONTH", value_parser = month::parse)]
    month: Month,

    /// Folder for tiers.csv; made if it is not there
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Print one JSON document with the names and columns of the CSV file
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    month: String,
    tiers: Vec<JsonRow<'a, Tiers>>,
    /// Trading days of the measuring period that are not stored.
    days_missing: Vec<String>,
    scheme: SchemeJson<'a>,
}

/// Runs the command.
pub(crate) fn run(args: &TiersArgs) -> Result<Outcome> {
    let Some((registry, store)) = args.sources.open()? else { return Ok(Outcome::BadInput) };
    let review = quoteclock::review(&store, args.month)?;
    let lines = tiers(args.month, &registry, &review);
    let missing = review.missing_days(&registry);
    if let Some(out) = &args.out {
        refuse_sources(&[out.join("tiers.csv")], &args.sources.db, &args.sources.registry.folder)?;
        let mut outputs = Outputs::default();
        let out = &outputs.make(out, Kind::Folder { stale: Vec::new() })?;
        let staging = staging::folder_beside(out)?;
        let write = || write_csv::<Tiers>(&lines, BufWriter::new(File::create(staging.path().join("tiers.csv"))?));
        write().context("writing tiers.csv aside")?;
        Publication::prepare(staging.path(), &["tiers.csv"], out, &[])?.carry_out(None)?;
        outputs.put()?;
    }
    let notes = notes(&lines, &missing);
    for note in &notes {
        terminal::print_warning(note);
    }
    if args.json {
        let document = Document {
            schema: output::SCHEMA,
            month: args.month.to_string(),
            tiers: json_rows(&lines),
            days_missing: missing.iter().map(Date::to_string).collect(),
            scheme: SchemeJson::of(&registry),
        };
        output::print(&format!("{}\n", serde_json::to_string(&document)?))?;
    } else {
        output::print(&text(args.month, &review, &lines, &notes))?;
    }
    let unknown = lines.iter().any(|line| line.source == TierSource::Unknown);
    Ok(if unknown { Outcome::Incomplete } else { Outcome::Done })
}

fn text(month: Month, review: &ReviewStock, lines: &[TierLine], notes: &[String]) -> String {
    let style = terminal::table_style();
    let (measured, in_force) = (&review.review().measured, &review.review().in_force);
    let heading = format!(
        "{month}: tiers in force {} to {}, measured {} to {}",
        in_force.start(),
        in_force.end(),
        measured.start(),
        measured.end()
    );
    let mut text = wrap(&heading, style.width);
    text.push_str(&text_table::<Tiers>(&lines.iter().collect::<Vec<_>>(), style));
    text.push('\n');
    for note in notes {
        text.push_str(&wrap(note, style.width));
    }
    text
}

fn notes(lines: &[TierLine], missing: &[Date]) -> Vec<String> {
    let unknown: Vec<&str> =
        lines.iter().filter(|line| line.source == TierSource::Unknown).map(|line| line.issue.as_str()).collect();
    let mut notes = Vec::new();
    if !unknown.is_empty() {
        notes.push(format!(
            "TIER UNKNOWN: {}: no day of the measuring period is stored on which they were listed; a tier in issues.csv \
             would help, or the replay of these days",
            unknown.join(", ")
        ));
    }
    if !missing.is_empty() {
        let count = month::count(missing.len(), "trading day");
        notes.push(format!("NOT COMPLETE: {count} of the measuring period not stored: {}", month::list(missing)));
    }
    notes
}
