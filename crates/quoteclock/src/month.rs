//! A month as it is stored, and as the registry sees it now.

use crate::changed::{PlanNow, plan_now};
use jiff::civil::Date;
use quoteclock_incentive::{Month, MonthAccounts};
use quoteclock_model::{Micros, Timestamp};
use quoteclock_report::{count, grouped, list, time_of_day};
use quoteclock_rules::{DayPlan, PlanError, Registry, SignUpPlan};
use quoteclock_store::{Store, StoreError, StoredDay};
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

/// Why a month cannot be read.
///
/// ```
/// use quoteclock::{MonthError, Registry, Store};
///
/// let registry = Registry::open("../../replay-data/tse-small/registry")?;
/// let report = Store::at("no/such/file.db").report("2024-03".parse()?, &registry);
/// assert!(matches!(report, Err(MonthError::Store(_))));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MonthError {
    /// The file cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The registry cannot measure a stored date.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The registry would measure stored days otherwise than they were: replay them, or take them as they were measured.
    #[error("{}", changed_days(.0))]
    Changed(BTreeMap<Date, Vec<String>>),
}

/// The stored days of a month, as the registry sees them now.
///
/// [`Report`](crate::Report) settles one.
///
/// ```
#[doc = include_str!("../doc/march.txt")]
/// let month = store.report("2024-03".parse()?, &registry)?.stored;
/// assert_eq!((month.measured.len(), month.missing.len()), (1, 19));
/// assert!(month.changed.is_empty() && month.partial.is_empty() && !month.is_over());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct StoredMonth {
    /// Its figures by obligation.
    pub accounts: MonthAccounts,
    /// The dates that are stored.
    pub measured: BTreeSet<Date>,
    /// Those of them whose figures the registry as it is now would alter, and why.
    pub changed: BTreeMap<Date, Vec<String>>,
    /// Trading days that are not stored.
    pub missing: Vec<Date>,
    /// Days that are not measured to their end, and up to when they are.
    pub partial: BTreeMap<Date, Timestamp>,
    /// The days as stored.
    pub days: Vec<StoredDay>,
    /// Unknown time of each day that has any, over all obligations.
    pub unknown: BTreeMap<Date, Micros>,
}

impl StoredMonth {
    /// Reads a month. A day that the registry would measure alike is judged by what the registry requires now; any other
    /// one as it was measured.
    ///
    /// With `as_measured` every day is judged as it was.
    ///
    /// # Errors
    /// [`MonthError`] if the file cannot be read, or the registry cannot measure a date.
    ///
    /// ```
    #[doc = include_str!("../doc/march.txt")]
    /// let file = quoteclock_store::Store::open(store.file())?;
    /// let month = quoteclock::StoredMonth::read(&file, registry.tables(), "2024-03".parse()?, false)?;
    /// assert_eq!(month.days[0].date.to_string(), "2024-03-01");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn read(
        store: &Store,
        registry: &Registry,
        month: Month,
        as_measured: bool,
    ) -> Result<StoredMonth, MonthError> {
        StoredMonth::read_without(store, registry, month, as_measured, None)
    }

    /// The same without one date, stored or not: of a month whose running day is measured elsewhere.
    ///
    /// # Errors
    /// [`MonthError`] if the file cannot be read, or the registry cannot measure a date.
    ///
    /// ```
    #[doc = include_str!("../doc/march.txt")]
    /// let (march, today) = ("2024-03".parse()?, "2024-03-01".parse()?);
    /// let file = quoteclock_store::Store::open(store.file())?;
    /// let month = quoteclock::StoredMonth::read_without(&file, registry.tables(), march, false, Some(today))?;
    /// assert!(month.measured.is_empty(), "the only stored day is left out");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn read_without(
        store: &Store,
        registry: &Registry,
        month: Month,
        as_measured: bool,
        without: Option<Date>,
    ) -> Result<StoredMonth, MonthError> {
        let mut days = store.days(month.dates())?;
        days.retain(|day| Some(day.date) != without);
        let mut changed: BTreeMap<Date, Vec<String>> = BTreeMap::new();
        let mut plans = Vec::new();
        for day in &days {
            let PlanNow { plan, reasons } = plan_now(day, registry)?;
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
            if Some(row.date) == without {
                return;
            }
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
    ///
    /// ```
    #[doc = include_str!("../doc/march.txt")]
    /// let month = store.report("2024-03".parse()?, &registry)?.stored;
    /// assert!(month.measured_until().values().all(Option::is_none), "every day to its end");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn measured_until(&self) -> BTreeMap<Date, Option<Timestamp>> {
        self.measured.iter().map(|date| (*date, self.partial.get(date).copied())).collect()
    }

    /// The days that are not measured to their end, for a sentence: `2024-03-04 (up to 10:30:00.000000)`.
    ///
    /// # Errors
    /// [`PlanError`] if the registry cannot measure one of them.
    ///
    /// ```
    #[doc = include_str!("../doc/march.txt")]
    /// # use quoteclock::{Input, ReplayOptions, UNWATCHED, replay_with, until};
    /// # let input = Input::named("../../replay-data/tse-small/2024-03-04.csv".as_ref());
    /// let options = ReplayOptions { until: Some(until("10:30")?), ..ReplayOptions::default() };
    /// store.add(&replay_with(&input, &registry, &options, UNWATCHED)?, &Default::default())?;
    /// let month = store.report("2024-03".parse()?, &registry)?.stored;
    /// assert_eq!(month.partial_days(registry.tables())?, "2024-03-04 (up to 10:30:00.000000)");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn partial_days(&self, registry: &Registry) -> Result<String, PlanError> {
        let days = self.partial.iter().map(|(date, until)| {
            let plan = registry.plan(*date)?;
            Ok(format!("{date} (up to {})", time_of_day(*until, &plan.zone)))
        });
        Ok(days.collect::<Result<Vec<_>, PlanError>>()?.join(", "))
    }
}

impl StoredMonth {
    /// Whether the month is over: all its trading days are stored, to their end.
    ///
    /// ```
    #[doc = include_str!("../doc/march.txt")]
    /// let month = store.report("2024-03".parse()?, &registry)?.stored;
    /// assert!(!month.is_over(), "one day of twenty");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn is_over(&self) -> bool {
        self.missing.is_empty() && self.partial.is_empty()
    }

    /// A line for each day on which something is not known: `2024-03-18: 1 record set aside, 4:04:12 unknown`.
    ///
    /// ```
    #[doc = include_str!("../doc/march.txt")]
    /// let month = store.report("2024-03".parse()?, &registry)?.stored;
    /// assert!(month.unknown_notes().is_empty(), "a strict run leaves nothing in doubt");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn unknown_notes(&self) -> Vec<String> {
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

/// That the registry would measure days otherwise, a line for each kind of why.
///
/// ```
/// # use std::collections::BTreeMap;
/// let changed = BTreeMap::from([("2024-03-01".parse()?, vec!["limits MM1/1306".to_owned()])]);
/// let text = quoteclock::changed_days(&changed);
/// assert!(text.ends_with("1 stored day:\n  2024-03-01: limits MM1/1306"), "{text}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn changed_days(changed: &BTreeMap<Date, Vec<String>>) -> String {
    let days = count(changed.len(), "stored day");
    format!("the registry has changed, and would alter the result of {days}:{}", reasons(changed))
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
