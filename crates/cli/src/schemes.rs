//! `quoteclock schemes`: the ready schemes of other venues.

use crate::registry::{Ready, ready};
use crate::{Outcome, output};
use anyhow::Result;
use quoteclock_report::wrap;
use quoteclock_rules::READY_SCHEMES;
use serde::Serialize;

/// List the ready schemes of other venues, or print one as a scheme.toml.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  quoteclock schemes
  quoteclock schemes rts8 > registry/scheme.toml
  quoteclock check --registry registry --scheme rts8

Each says where its rules are from, what it leaves out, and what no public text gives, which is to be entered.")]
pub(crate) struct SchemesArgs {
    /// One of them: prints its file
    #[arg(value_name = "NAME", value_parser = ready, conflicts_with = "json")]
    name: Option<Ready>,

    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct SchemeRow {
    name: &'static str,
    title: &'static str,
    source: String,
    left_out: String,
    to_enter: String,
    toml: &'static str,
}

#[derive(Serialize)]
struct Document {
    schema: u32,
    schemes: Vec<SchemeRow>,
}

/// Runs the command.
pub(crate) fn run(args: &SchemesArgs) -> Result<Outcome> {
    output::print(&match args.name {
        Some(scheme) => scheme.text.to_owned(),
        None if args.json => format!("{}\n", serde_json::to_string_pretty(&document())?),
        None => READY_SCHEMES.iter().map(in_words).collect(),
    })?;
    Ok(Outcome::Done)
}

fn document() -> Document {
    let row = |scheme: Ready| SchemeRow {
        name: scheme.name,
        title: scheme.title(),
        source: scheme.source(),
        left_out: scheme.left_out(),
        to_enter: scheme.to_enter(),
        toml: scheme.text,
    };
    Document { schema: output::SCHEMA, schemes: READY_SCHEMES.iter().map(row).collect() }
}

/// The width of a terminal that shows all of it.
const WIDTH: usize = 80;

fn in_words(scheme: Ready) -> String {
    let title = format!("{:<14}{}\n", scheme.name, scheme.title());
    let notes = [("source", scheme.source()), ("left out", scheme.left_out()), ("to enter", scheme.to_enter())];
    let note = |(label, text): &(&str, String)| wrap(&format!("  {label}: {text}"), WIDTH);
    title + &notes.iter().map(note).collect::<String>()
}
