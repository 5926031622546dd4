//! A month as it is stored, and as the registry sees it now: what `report`, `status` and `days` have in common.

use crate::registry;
use anyhow::{Result, anyhow};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use quoteclock_incentive::{Month, MonthAccounts};
use quoteclock_model::Timestamp;
use quoteclock_rules::{DayPlan, Registry, SignUpPlan, local_time};
use quoteclock_store::{Digest, Store, StoredDay};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The stored days of a month.
pub(crate) struct StoredMonth {
    pub(crate) accounts: MonthAccounts,
    /// The dates that are stored.
    pub(crate) measured: BTreeSet<Date>,
    /// Those of them whose figures the registry as it is now would alter.
    pub(crate) changed: Vec<Date>,
    /// Trading days that are not stored.
    pub(crate) missing: Vec<Date>,
    /// Days that are not measured to their end, and up to when they are.
    pub(crate) partial: BTreeMap<Date, Timestamp>,
}

impl StoredMonth {
    /// Reads a month. A day that the registry would measure alike is judged by what the registry requires now; any other
    /// one as it was measured.
    pub(crate) fn read(store: &Store, registry: &Registry, month: Month) -> Result<StoredMonth> {
        let days = store.days(month.dates())?;
        let plans = days.iter().map(|day| unchanged_plan(day, registry)).collect::<Result<Vec<_>>>()?;
        let changed = days.iter().zip(&plans).filter(|(_, plan)| plan.is_none()).map(|(day, _)| day.date).collect();
        let measured: BTreeSet<Date> = days.iter().map(|day| day.date).collect();
        let mut required: BTreeMap<Date, Box<dyn Iterator<Item = u64>>> = plans
            .into_iter()
            .flatten()
            .map(|plan| (plan.date, Box::new(required_pcts(plan)) as Box<dyn Iterator<Item = u64>>))
            .collect();
        let mut accounts = MonthAccounts::new(month);
        store.results(month.dates(), |mut row| {
            // The rows of a day whose plan is unchanged are the plan's obligations, in its order.
            if let Some(required_pct) = required.get_mut(&row.date).and_then(Iterator::next) {
                row.required_pct = required_pct;
            }
            accounts.add(row);
        })?;
        let missing = month.trading_days(registry).into_iter().filter(|date| !measured.contains(date)).collect();
        let partial = days.iter().filter_map(|day| Some((day.date, day.until?))).collect();
        Ok(StoredMonth { accounts, measured, changed, missing, partial })
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

/// The plan of a stored day's date, if it measures as the day was measured.
pub(crate) fn unchanged_plan(day: &StoredDay, registry: &Registry) -> Result<Option<DayPlan>> {
    let plan = registry.plan(day.date)?;
    Ok((Digest::of_plan(&plan) == day.plan_sha256).then_some(plan))
}

/// What each obligation of a plan requires, in its order.
fn required_pcts(plan: DayPlan) -> impl Iterator<Item = u64> {
    plan.sign_ups.into_iter().flat_map(|SignUpPlan { obligations, .. }| {
        (0..obligations.len()).map(move |position| obligations[position].required.pct)
    })
}

/// The file and the registry, opened; `None` after printing what is wrong with the registry.
pub(crate) fn open(registry: &Path, db: &Path) -> Result<Option<(Registry, Store)>> {
    let Some(registry) = registry::load_for_measuring(registry)? else { return Ok(None) };
    let store = Store::open(db)?;
    store.hold_still()?;
    Ok(Some((registry, store)))
}

/// Reads what `--month` says.
pub(crate) fn parse(text: &str) -> Result<Month, String> {
    text.parse()
}

/// Dates for a sentence.
pub(crate) fn list(dates: &[Date]) -> String {
    dates.iter().map(Date::to_string).collect::<Vec<_>>().join(", ")
}

/// A count as people read it: `1,491`.
pub(crate) fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let start = (digits.len() + 2) % 3 + 1;
    let (first, rest) = digits.split_at(start.min(digits.len()));
    let groups = rest.as_bytes().chunks(3).map(|group| format!(",{}", String::from_utf8_lossy(group)));
    groups.fold(first.to_owned(), |text, group| text + &group)
}

/// `1 day`, `2 days`.
pub(crate) fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// What is to be done about days that the registry would measure otherwise.
pub(crate) fn refuse(changed: &[Date]) -> anyhow::Error {
    anyhow!(
        "the registry has changed, and would alter the result of {}: {}\n\
         replay what is named (quoteclock replay --db), or report it as measured (--as-measured)",
        count(changed.len(), "stored day"),
        list(changed)
    )
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

/// The interpretations for a terminal.
pub(crate) fn interpretations(registry: &Registry, width: usize) -> String {
    let interpretations = registry.scheme().interpretations();
    let choices: Vec<String> = interpretations.iter().map(|(name, value)| format!("{name} = \"{value}\"")).collect();
    quoteclock_report::wrap(&format!("interpretations: {}", choices.join(", ")), width)
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn counts_are_grouped_by_thousands() {
        for (count, text) in
            [(0, "0"), (12, "12"), (999, "999"), (1_491, "1,491"), (123_456, "123,456"), (1_000_000, "1,000,000")]
        {
            assert_eq!(grouped(count), text);
        }
    }
}
