//! A month as it is stored, and as the registry sees it now: what `report`, `status` and `days` have in common.

use crate::changed::{self, Plan};
use crate::registry;
use anyhow::{Result, anyhow};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use quoteclock_incentive::{AccountKey, Month, MonthAccounts};
use quoteclock_model::{Micros, Timestamp};
use quoteclock_report::OverviewLine;
pub(crate) use quoteclock_report::grouped;
use quoteclock_rules::{DayPlan, Registry, SignUpPlan, local_time};
use quoteclock_store::{Digest, Store, StoredDay};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The stored days of a month.
pub(crate) struct StoredMonth {
    pub(crate) accounts: MonthAccounts,
    /// The dates that are stored.
    pub(crate) measured: BTreeSet<Date>,
    /// Those of them whose figures the registry as it is now would alter, and why.
    pub(crate) changed: BTreeMap<Date, Vec<String>>,
    /// Trading days that are not stored.
    pub(crate) missing: Vec<Date>,
    /// Days that are not measured to their end, and up to when they are.
    pub(crate) partial: BTreeMap<Date, Timestamp>,
    /// The days as stored.
    pub(crate) days: Vec<StoredDay>,
    /// Unknown time of each day that has any, over all obligations.
    pub(crate) unknown: BTreeMap<Date, Micros>,
}

impl StoredMonth {
    /// Reads a month. A day that the registry would measure alike is judged by what the registry requires now; any other
    /// one as it was measured.
    ///
    /// With `as_measured` every day is judged as it was.
    pub(crate) fn read(store: &Store, registry: &Registry, month: Month, as_measured: bool) -> Result<StoredMonth> {
        let days = store.days(month.dates())?;
        let mut changed: BTreeMap<Date, Vec<String>> = BTreeMap::new();
        let mut plans = Vec::new();
        for day in &days {
            let Plan { plan, reasons } = changed::compare(day, registry)?;
            if reasons.is_empty() {
                plans.push(plan);
            } else {
                changed.insert(day.date, reasons);
            }
        }
        let measured: BTreeSet<Date> = days.iter().map(|day| day.date).collect();
        let mut required: BTreeMap<Date, Box<dyn Iterator<Item = Judged>>> = plans
            .into_iter()
            .filter(|_| !as_measured)
            .map(|plan| (plan.date, Box::new(judged(plan)) as Box<dyn Iterator<Item = Judged>>))
            .collect();
        let mut accounts = MonthAccounts::new(month);
        let mut unknown: BTreeMap<Date, Micros> = BTreeMap::new();
        store.results(month.dates(), |mut row| {
            // The rows of a day whose plan is unchanged are the plan's obligations, in its order.
            if let Some(Judged { required_pct, leveraged_inverse }) =
                required.get_mut(&row.date).and_then(Iterator::next)
            {
                row.required_pct = required_pct;
                row.leveraged_inverse = Some(leveraged_inverse);
            }
            if row.total.unknown != Micros::ZERO {
                *unknown.entry(row.date).or_default() += row.total.unknown;
            }
            accounts.add(row);
        })?;
        let missing = month.trading_days(registry).into_iter().filter(|date| !measured.contains(date)).collect();
        let partial = days.iter().filter_map(|day| Some((day.date, day.until?))).collect();
        Ok(StoredMonth { accounts, measured, changed, missing, partial, days, unknown })
    }

    /// Each stored date, with the time up to which it was measured, if that is not its end.
    pub(crate) fn measured_until(&self) -> BTreeMap<Date, Option<Timestamp>> {
        self.measured.iter().map(|date| (*date, self.partial.get(date).copied())).collect()
    }

    /// The days that are not measured to their end, for a sentence.
    pub(crate) fn partial_days(&self, registry: &Registry) -> Result<String> {
        let days = self.partial.iter().map(|(date, until)| {
            let plan = registry.plan(*date)?;
            Ok(format!("{date} (up to {})", clock(*until, &plan.zone)))
        });
        Ok(days.collect::<Result<Vec<_>>>()?.join(", "))
    }
}

/// A time of the day as a clock shows it.
pub(crate) fn clock(at: Timestamp, zone: &TimeZone) -> String {
    let text = local_time(at, zone);
    text.chars().skip("2024-03-01T".len()).take("10:15:30.000000".len()).collect::<String>()
}

/// What a month's obligation is judged by.
struct Judged {
    required_pct: u64,
    leveraged_inverse: bool,
}

/// What each obligation of a plan is judged by, in its order.
fn judged(plan: DayPlan) -> impl Iterator<Item = Judged> {
    plan.sign_ups.into_iter().flat_map(|SignUpPlan { obligations, leveraged_inverse, .. }| {
        (0..obligations.len())
            .map(move |position| Judged { required_pct: obligations[position].required.pct, leveraged_inverse })
    })
}

/// What a command about a month looks at.
#[derive(clap::Args, Debug)]
pub(crate) struct Sources {
    /// Folder of the registry
    #[arg(long, value_name = "DIR")]
    pub(crate) registry: PathBuf,

    /// Database that replay --db has written
    #[arg(long, value_name = "FILE")]
    pub(crate) db: PathBuf,
}

impl Sources {
    /// Both, opened: see [`open`].
    pub(crate) fn open(&self) -> Result<Option<(Registry, Store)>> {
        open(&self.registry, &self.db)
    }
}

/// The file and the registry, opened; `None` after printing what is wrong with the registry.
pub(crate) fn open(registry: &Path, db: &Path) -> Result<Option<(Registry, Store)>> {
    let Some(registry) = registry::load_for_measuring(registry)? else { return Ok(None) };
    Ok(Some((registry, open_store(db)?)))
}

/// The file, opened: everything that is read of it comes from one moment.
pub(crate) fn open_store(db: &Path) -> Result<Store> {
    let store = Store::open(db)?;
    store.begin_snapshot()?;
    Ok(store)
}

/// Reads what `--month` says.
pub(crate) fn parse(text: &str) -> Result<Month, String> {
    text.parse()
}

impl StoredMonth {
    /// Whether the month is over: all its trading days are stored, to their end.
    pub(crate) fn is_over(&self) -> bool {
        self.missing.is_empty() && self.partial.is_empty()
    }

    /// A line for each day on which something is not known: `2024-03-18: 1 record set aside, 4:04:12 unknown`.
    pub(crate) fn unknown_notes(&self) -> Vec<String> {
        let note = |day: &StoredDay| {
            let unknown = self.unknown.get(&day.date).copied().unwrap_or_default();
            if day.reject_count == 0 && unknown == Micros::ZERO {
                return None;
            }
            let unknown = quoteclock_report::clock(unknown);
            Some(format!("{}: {} set aside, {unknown} unknown", day.date, count_u64(day.reject_count, "record")))
        };
        self.days.iter().filter_map(note).collect()
    }
}

/// `1 record`, `1,204 records`.
fn count_u64(number: u64, what: &str) -> String {
    let grouped = usize::try_from(number).map_or_else(|_| number.to_string(), grouped);
    format!("{grouped} {what}{}", if number == 1 { "" } else { "s" })
}

/// Adds to the lines of a month why time was lost.
pub(crate) fn look_for_reasons(lines: &mut [OverviewLine], store: &Store, month: Month) -> Result<()> {
    let mut by_key: BTreeMap<AccountKey, &mut OverviewLine> =
        lines.iter_mut().map(|line| (line.key.clone(), line)).collect();
    store.breaches(month.dates(), |row| {
        let key = AccountKey { market_maker: row.market_maker, issue: row.issue, obligation: row.obligation };
        if let Some(line) = by_key.get_mut(&key) {
            *line.reasons.entry(row.reason).or_default() += row.span.end.since(row.span.start);
        }
    })?;
    Ok(())
}

/// Dates for a sentence.
pub(crate) fn list(dates: &[Date]) -> String {
    dates.iter().map(Date::to_string).collect::<Vec<_>>().join(", ")
}

/// `1 day`, `2 days`.
pub(crate) fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// What is to be done about days that the registry would measure otherwise.
pub(crate) fn refuse(changed: &BTreeMap<Date, Vec<String>>, instead: &str) -> anyhow::Error {
    anyhow!(
        "the registry has changed, and would alter the result of {}:{}\n\
         replay what is named (quoteclock replay --db FILE --changed){instead}",
        count(changed.len(), "stored day"),
        reasons(changed)
    )
}

/// Changed days, each on a line with its reasons; many of the same reasons on one.
fn reasons(changed: &BTreeMap<Date, Vec<String>>) -> String {
    let mut by_reasons: BTreeMap<&[String], Vec<Date>> = BTreeMap::new();
    for (date, reasons) in changed {
        by_reasons.entry(reasons).or_default().push(*date);
    }
    let mut lines: Vec<(Vec<Date>, &[String])> = by_reasons.into_iter().map(|(why, dates)| (dates, why)).collect();
    lines.sort();
    lines.iter().map(|(dates, why)| format!("\n  {}: {}", list(dates), why.join("; "))).collect()
}

/// The scheme as documents name it.
#[derive(Serialize)]
pub(crate) struct SchemeJson<'a> {
    name: &'a str,
    version: &'a str,
    interpretations: BTreeMap<&'a str, &'a str>,
}

impl<'a> SchemeJson<'a> {
    /// That of the registry.
    pub(crate) fn of(registry: &'a Registry) -> SchemeJson<'a> {
        let scheme = registry.scheme();
        let interpretations = scheme.interpretations().iter().collect();
        SchemeJson { name: scheme.name(), version: scheme.version(), interpretations }
    }
}

/// What a file rests on, for its metadata.
pub(crate) fn rests_on(
    registry: &Registry,
    registry_sha256: Digest,
    inputs: impl Iterator<Item = (Date, String, Digest)>,
) -> Vec<(String, String)> {
    let scheme = registry.scheme();
    let inputs: Vec<String> = inputs.map(|(date, name, digest)| format!("{date} {digest} {name}")).collect();
    let pairs = [
        ("scheme", scheme.name().to_owned()),
        ("scheme_version", scheme.version().to_owned()),
        ("timezone", scheme.zone_name().to_owned()),
        ("registry_sha256", registry_sha256.to_string()),
        ("inputs", inputs.join("\n")),
        ("program_version", env!("CARGO_PKG_VERSION").to_owned()),
        ("program_commit", env!("QUOTECLOCK_COMMIT").to_owned()),
    ];
    pairs.into_iter().map(|(key, value)| (format!("quoteclock.{key}"), value)).collect()
}

/// The interpretations for a terminal.
pub(crate) fn interpretations(registry: &Registry, width: usize) -> String {
    let interpretations = registry.scheme().interpretations();
    let choices: Vec<String> = interpretations.iter().map(|(name, value)| format!("{name} = \"{value}\"")).collect();
    quoteclock_report::wrap(&format!("interpretations: {}", choices.join(", ")), width)
}
