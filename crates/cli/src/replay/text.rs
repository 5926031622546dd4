//! A run's results in words.

use super::Results;
use crate::{month, output, terminal};
use anyhow::Result;
use quoteclock_ledger::{DayRow, DisplayPercent};
use quoteclock_report::{Words, overview};
use quoteclock_store::{Change, Replaced};

/// What the standings of a run's obligations are called where they are counted.
const WORDS: Words = Words { fails: "without their share", at_risk: "", uncertain: "not certain", meets: "with it" };

/// Prints them.
pub(super) fn print(results: Results<'_>) -> Result<()> {
    let Results { args, registry, days, shown, .. } = results;
    let style = terminal::table_style();
    let mut text = String::new();
    let places = results.places();
    let sums_up = args.choice.sums_up(shown.len());
    if sums_up {
        text.push_str(&overview(shown, WORDS, style));
        text.push('\n');
    }
    for day in days {
        let Some(summary) = &day.summary else { continue };
        if sums_up {
            text.push_str(&quoteclock_report::wrap(&summary.summed_up(places.as_ref()), style.width));
        } else {
            text.push_str(&summary.render(style, places.as_ref()));
        }
        for line in &day.coverage.beside_results {
            text.push_str(&quoteclock_report::wrap(line, style.width));
        }
        if let Some(until) = &day.until {
            text.push_str(&format!("{}: measured up to {until}\n", day.date));
        }
        if !sums_up {
            text.push('\n');
        }
    }
    if sums_up {
        text.push('\n');
    }
    let scheme = registry.scheme();
    let records: u64 = days.iter().map(|day| day.record_count).sum();
    let records = format!("{records} records under {} {}", scheme.name(), scheme.version());
    text.push_str(&quoteclock_report::wrap(&records, style.width));
    text.push_str(&month::interpretations(registry, style.width));
    text.push_str(&kept(results));
    results.replaced.iter().for_each(|day| text.push_str(&replaced_text(day)));
    output::print(&text)
}

/// So many results whose status a replacement turns are named.
const TURNED_MAX: usize = 20;

/// What has come in the place of a stored day.
fn replaced_text(day: &Replaced) -> String {
    let turned: Vec<&Change> = day.changes.iter().filter(|change| change.turns_status()).collect();
    let differ = match day.changes.len() {
        0 => "no result differs".to_owned(),
        1 => "1 result differs".to_owned(),
        count => format!("{} results differ", month::grouped(count)),
    };
    let turn = match turned.len() {
        0 => "none changes status",
        1 => "1 changes status:",
        count => &format!("{} change status:", month::grouped(count)),
    };
    let turn = if day.changes.is_empty() { "" } else { &format!(", {turn}") };
    let mut text = format!("replaced {}: {differ}{turn}\n", day.date);
    for change in turned.iter().take(TURNED_MAX) {
        if let Some(DayRow { market_maker, issue, obligation, .. }) = change.row() {
            let [before, after] = [&change.before, &change.after].map(|row| share(row.as_ref()));
            text.push_str(&format!("  {market_maker} {issue} {obligation}: {before}, now {after}\n"));
        }
    }
    if TURNED_MAX < turned.len() {
        text.push_str(&format!("  and {} more\n", turned.len() - TURNED_MAX));
    }
    text
}

/// A result's quote display time.
fn share(row: Option<&DayRow>) -> String {
    match row {
        None => "not measured".to_owned(),
        Some(DayRow { total, .. }) => DisplayPercent::of(total.fulfilled, total.available)
            .map_or_else(|| "not applicable".to_owned(), |percent| format!("{percent} %")),
    }
}

/// Where the results are.
pub(super) fn kept(results: Results<'_>) -> String {
    let Results { args, days, .. } = results;
    let mut text = String::new();
    if let Some(out) = &args.out {
        let rejects = if args.lenient { ", rejects.csv" } else { "" };
        let parquet = if args.parquet() { ", daily.parquet, breaches.parquet, outages.parquet" } else { "" };
        text.push_str(&format!(
            "written to {}: daily.csv, breaches.csv, outages.csv{rejects}{parquet}\n",
            args.outputs.name(out)
        ));
    }
    if let Some(dataset) = args.dataset() {
        let part = args.shard.map(|shard| format!(", shard {shard}")).unwrap_or_default();
        text.push_str(&format!(
            "written to {}: {}{part}\n",
            args.outputs.name(dataset),
            month::count(days.len(), "day")
        ));
    }
    if let Some(db) = &args.db {
        let what = match args.shard {
            None => month::count(days.len(), "day"),
            Some(shard) => format!("shard {shard} of {}, for quoteclock merge", month::count(days.len(), "day")),
        };
        text.push_str(&format!("stored in {}: {what}\n", args.outputs.name(db)));
    }
    text
}
