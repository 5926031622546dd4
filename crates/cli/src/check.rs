//! `quoteclock check`: everything that is wrong with a registry, at once.

use crate::registry::RegistryArgs;
use crate::{Outcome, month, output, terminal};
use anyhow::Result;
use quoteclock::Checked;
use quoteclock_report::wrap;
use quoteclock_rules::{Column, Finding, Severity};
use serde::Serialize;

/// List everything that is wrong with a registry, with file, line and column.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  quoteclock check --registry registry
  quoteclock check --registry registry --json

Exits with 1 if there is an error; warnings stop nothing.")]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    registry: RegistryArgs,

    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct FindingRow<'a> {
    severity: String,
    file: &'a str,
    line: Option<u64>,
    column: Option<String>,
    message: &'a str,
}

impl<'a> From<&'a Finding> for FindingRow<'a> {
    fn from(finding: &'a Finding) -> Self {
        FindingRow {
            severity: finding.severity.to_string(),
            file: &finding.file,
            line: finding.line,
            column: finding.column.as_ref().map(Column::to_string),
            message: &finding.message,
        }
    }
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    errors: usize,
    warnings: usize,
    findings: Vec<FindingRow<'a>>,
}

/// Runs the command.
pub(crate) fn run(args: &CheckArgs) -> Result<Outcome> {
    let Checked { registry: loaded, findings } = quoteclock::check_under(&args.registry.folder, args.registry.scheme)?;
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    let warnings = findings.len() - errors;
    if args.json {
        let findings = findings.iter().map(FindingRow::from).collect();
        let document = serde_json::to_string_pretty(&Document { schema: output::SCHEMA, errors, warnings, findings })?;
        output::print(&format!("{document}\n"))?;
    } else {
        let mut text = String::new();
        for finding in &findings {
            text.push_str(&format!("{}: {finding}\n", finding.severity));
        }
        if let Some(registry) = loaded.as_ref().map(quoteclock::Registry::tables) {
            let sizes = format!(
                "{}: {}, {}, {}, {}",
                registry.scheme().name(),
                month::count(registry.issues().len(), "issue"),
                month::count(registry.market_makers().len(), "market maker"),
                month::count(registry.servers().len(), "virtual server"),
                month::count(registry.sign_ups().len(), "sign-up")
            );
            text.push_str(&wrap(&sizes, terminal::table_style().width));
        }
        let counts = [month::count(errors, "error"), month::count(warnings, "warning")];
        text.push_str(&format!("{}\n", counts.join(", ")));
        output::print(&text)?;
    }
    Ok(if loaded.is_some() { Outcome::Done } else { Outcome::BadInput })
}
