//! A run's results as one JSON document.

use super::Results;
use super::measure::Measured;
use crate::month::SchemeJson;
use crate::output;
use crate::staging::List;
use anyhow::Result;
use quoteclock::Coverages;
use quoteclock_report::write_document;
use quoteclock_rows::{JsonRow, json_rows};
use quoteclock_store::Replaced;
use serde::Serialize;

#[derive(Serialize)]
struct Rest<'a> {
    schema: u32,
    /// Of which shard the figures are, where not of all issues.
    #[serde(skip_serializing_if = "Option::is_none")]
    shard: Option<String>,
    coverage: Vec<JsonRow<'a, Coverages>>,
    /// What has come in the place of stored days; left out without a database.
    #[serde(skip_serializing_if = "Option::is_none")]
    replaced: Option<Vec<ReplacedJson>>,
    scheme: SchemeJson<'a>,
}

#[derive(Serialize)]
struct ReplacedJson {
    date: String,
    results_differing: usize,
    statuses_differing: usize,
}

impl ReplacedJson {
    fn of(day: &Replaced) -> ReplacedJson {
        ReplacedJson {
            date: day.date.to_string(),
            results_differing: day.changes.len(),
            statuses_differing: day.changes.iter().filter(|change| change.turns_status()).count(),
        }
    }
}

/// Prints them.
pub(super) fn print(results: Results<'_>) -> Result<()> {
    let Results { args, registry, days, .. } = results;
    let places = results.places();
    let list = |list| {
        let part = |day: &Measured| match &places {
            Some(places) if list != List::Rejects => day.parts.json_of(list, places),
            _ => day.parts.json(list),
        };
        days.iter().map(part).collect::<Result<Vec<_>, _>>()
    };
    let mut lists = vec![("daily", list(List::Daily)?), ("breaches", list(List::Breaches)?)];
    if results.is_lenient {
        lists.push(("rejects", list(List::Rejects)?));
    }
    let rest = Rest {
        schema: output::SCHEMA,
        shard: args.shard.map(|shard| shard.to_string()),
        coverage: json_rows(days.iter().flat_map(|day| day.coverage.rows.iter().cloned())),
        replaced: args.db.is_some().then(|| results.replaced.iter().map(ReplacedJson::of).collect()),
        scheme: SchemeJson::of(registry),
    };
    output::print_with(|to| write_document(lists, &rest, to))
}
