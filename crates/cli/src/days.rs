//! `quoteclock days`: what is stored, and which trading days are missing.

use crate::registry::{self, Ready, RegistryArgs};
use crate::{Outcome, month, output, terminal};
use anyhow::Result;
use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use quoteclock::plan_now;
use quoteclock_incentive::Month;
use quoteclock_report::wrap;
use quoteclock_rows::{Column, Table, Tone, Unit, text_table};
use quoteclock_rules::{Registry, local_time};
use quoteclock_store::{Store, StoredDay};
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// List the stored days, and the trading days that are missing.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  quoteclock days --db market.db
  quoteclock days --db market.db --registry registry --month 2024-03

Trading days are weekdays less the registry's holidays. Without --month they are those of every month that has a stored \
day. With --registry the list tells which days the registry as it is now would measure otherwise.")]
pub(crate) struct DaysArgs {
    /// Database that replay --db has written
    #[arg(long, value_name = "FILE")]
    db: PathBuf,

    /// Folder of the registry
    #[arg(long, value_name = "DIR")]
    registry: Option<PathBuf>,

    /// A ready scheme in place of the folder's scheme.toml (`quoteclock schemes` lists them)
    #[arg(long, value_name = "NAME", value_parser = registry::ready, requires = "registry")]
    scheme: Option<Ready>,

    /// One month only, such as 2024-03
    #[arg(long, value_name = "MONTH", value_parser = month::parse)]
    month: Option<Month>,

    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct DayJson<'a> {
    date: String,
    input: &'a str,
    input_sha256: String,
    /// The journal of a day that was measured as it came; null for others.
    journal: Option<&'a str>,
    journal_sha256: Option<String>,
    registry_sha256: String,
    plan_sha256: String,
    scheme: &'a str,
    scheme_version: &'a str,
    interpretations: BTreeMap<&'a str, &'a str>,
    multiplier: u32,
    records: u64,
    rejects: u64,
    program_version: &'a str,
    /// Whether the registry as it is now would alter the result; null without one.
    changed: Option<bool>,
    /// Why it would; null without a registry.
    reasons: Option<Vec<String>>,
    /// Up to when it was measured, if not to its end.
    until: Option<String>,
    /// What its input does not support, as `replay --json` has it; null where an earlier version measured it.
    coverage: Option<&'a RawValue>,
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    days: &'a [DayJson<'a>],
    missing: Vec<String>,
}

/// Runs the command.
pub(crate) fn run(args: &DaysArgs) -> Result<Outcome> {
    let registry = match args.registry.clone().map(|folder| RegistryArgs { folder, scheme: args.scheme }) {
        None => None,
        Some(source) => match registry::load_for_measuring(&source)? {
            None => return Ok(Outcome::BadInput),
            registry => registry,
        },
    };
    let store = Store::open(&args.db)?;
    store.begin_snapshot()?;
    let days = store.days(args.month.map_or(Date::MIN..=Date::MAX, Month::dates))?;
    let missing = missing(args.month, &days, registry.as_ref());
    let rows: Vec<DayJson<'_>> = days.iter().map(|day| row(day, registry.as_ref())).collect::<Result<Vec<_>>>()?;
    if args.json {
        let missing = missing.iter().map(Date::to_string).collect();
        output::print(&format!(
            "{}\n",
            serde_json::to_string(&Document { schema: output::SCHEMA, days: &rows, missing })?
        ))?;
    } else {
        output::print(&text(&rows, &days, &missing, registry.is_some()))?;
    }
    let is_whole = missing.is_empty() && rows.iter().all(|row| row.changed != Some(true));
    Ok(if is_whole { Outcome::Done } else { Outcome::Incomplete })
}

fn row<'a>(day: &'a StoredDay, registry: Option<&Registry>) -> Result<DayJson<'a>> {
    let plan = registry.map(|registry| plan_now(day, registry)).transpose()?;
    Ok(DayJson {
        date: day.date.to_string(),
        input: &day.input,
        input_sha256: day.input_sha256.to_string(),
        journal: day.journal.as_ref().map(|journal| journal.name.as_str()),
        journal_sha256: day.journal.as_ref().map(|journal| journal.sha256.to_string()),
        registry_sha256: day.registry_sha256.to_string(),
        plan_sha256: day.plan_sha256.to_string(),
        scheme: &day.scheme,
        scheme_version: &day.scheme_version,
        interpretations: day.interpretations.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect(),
        multiplier: day.multiplier,
        records: day.record_count,
        rejects: day.reject_count,
        program_version: &day.program_version,
        changed: plan.as_ref().map(|plan| !plan.reasons.is_empty()),
        reasons: plan.map(|plan| plan.reasons),
        until: day.until.map(|until| {
            let zone = registry.map_or_else(|| zone_of(day), |registry| registry.scheme().zone().clone());
            local_time(until, &zone)
        }),
        coverage: day.coverage.as_deref().map(serde_json::from_str).transpose()?,
    })
}

/// The zone of a day, as far as what is stored tells: its plan says when it began and ended by the clock. On a day on which
/// that was changed, and of days of earlier versions, it is not known: UTC, which the time then says.
fn zone_of(day: &StoredDay) -> TimeZone {
    let offset = || {
        let plan = day.plan.as_ref()?.text().ok()?;
        let line = plan.lines().find_map(|line| line.strip_prefix("day "))?;
        let (start, end) = line.split_once("..")?;
        let (start, end) = (start.parse::<i64>().ok()?, end.parse::<i64>().ok()?);
        let midnight = day.date.to_zoned(TimeZone::UTC).ok()?.timestamp().as_microsecond();
        let is_even = end.checked_sub(start)? == 24 * 3_600 * 1_000_000;
        let seconds = midnight.checked_sub(start)? / 1_000_000;
        Offset::from_seconds(i32::try_from(seconds).ok()?).ok().filter(|_| is_even)
    };
    offset().map_or(TimeZone::UTC, TimeZone::fixed)
}

/// Trading days that are not stored: of the month asked for, or of every month that has a stored day.
fn missing(month: Option<Month>, days: &[StoredDay], registry: Option<&Registry>) -> Vec<Date> {
    let stored: BTreeSet<Date> = days.iter().map(|day| day.date).collect();
    let months: BTreeSet<Month> = match month {
        Some(month) => BTreeSet::from([month]),
        None => stored.iter().copied().map(Month::of).collect(),
    };
    let trading = |month: Month| registry.map_or_else(|| month.weekdays(), |registry| month.trading_days(registry));
    months.into_iter().flat_map(trading).filter(|date| !stored.contains(date)).collect()
}

fn text(rows: &[DayJson<'_>], days: &[StoredDay], missing: &[Date], with_registry: bool) -> String {
    let style = terminal::table_style();
    let rows: Vec<DayLine<'_>> = rows.iter().zip(days).map(|(row, day)| DayLine { row, day }).collect();
    let mut text = text_table::<Days>(&rows, style);
    let (kind, holidays) = if with_registry { ("trading day", "") } else { ("weekday", ", holidays or not") };
    let rest = match missing {
        [] => format!("no {kind} is missing"),
        missing => format!("missing: {}{holidays}: {}", month::count(missing.len(), kind), month::list(missing)),
    };
    text.push_str(&wrap(&format!("stored: {}; {rest}", month::count(days.len(), "day")), style.width));
    text
}

/// A day and what is stored of it.
struct DayLine<'a> {
    row: &'a DayJson<'a>,
    day: &'a StoredDay,
}

/// The stored days for a terminal.
struct Days;

impl Table for Days {
    type Row<'a> = DayLine<'a>;
    const NAME: &'static str = "days";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::date("date", |line| Some(line.day.date)).shown("date"),
        Column::<Self>::text("multiplier", |line| Some(format!("x{}", line.row.multiplier).into())).shown("market"),
        Column::<Self>::integer("records", Unit::Count, |line| Some(line.row.records.into())).shown("records"),
        Column::<Self>::integer("rejects", Unit::Count, |line| Some(line.row.rejects.into())).shown("rejects"),
        Column::<Self>::text("registry", |line| {
            let changed = line.row.reasons.as_ref().map(|reasons| {
                let word = if reasons.is_empty() { "unchanged" } else { "changed: " };
                format!("{word}{}", reasons.join("; "))
            });
            let partial = line.row.until.as_ref().map(|until| format!("until {until}"));
            let both: Vec<String> = changed.into_iter().chain(partial).collect();
            Some(both.join(", ").into())
        })
        .shown("registry")
        .toned(|line| (line.row.changed == Some(true)).then_some(Tone::Bad)),
        Column::<Self>::text("input_sha256", |line| Some(line.day.input_sha256.short().into())).shown("input sha256"),
        Column::<Self>::text("input", |line| Some(line.row.input.into())).shown("input"),
    ];
    const SHOWN: &'static [&'static str] =
        &["date", "multiplier", "records", "rejects", "registry", "input_sha256", "input"];
}
