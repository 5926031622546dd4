//! What is left of the month: how much longer an obligation may be off, how fast that is used up, and when it is gone.
//!
//! The month without the running day is read from the store once; each look adds what the day comes to. The figures are
//! those of `status` for the same records: sums and prospects come from `incentive`.

use crate::database::Database;
use crate::watch::{Picture, Row, WINDOWS, before};
use anyhow::{Result, anyhow, bail};
use jiff::civil::Date;
use quoteclock::StoredMonth;
use quoteclock_incentive::{
    AccountKey, Month, MonthLine, Outlook, Prospect, Status, outlooks, sign_up_months, together,
};
use quoteclock_ledger::{DayRow, DisplayPercent, Total};
use quoteclock_model::{Micros, Span, Timestamp};
use quoteclock_rules::{DayPlan, ObligationPlan, PhaseSource, Registry, SignUpPlan};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// The month of a running day, without it.
pub(crate) struct MonthSoFar {
    /// The running day.
    date: Date,
    /// Stored days that the registry as it is would alter.
    pub(crate) stale: Vec<Date>,
    /// In the order of the running day's obligations.
    rows: Vec<MonthRow>,
    /// Of each the positions of its sign-up and of itself within that.
    places: Vec<(usize, usize)>,
    /// Days to come after the running one.
    to_come: Vec<Arc<DayPlan>>,
    /// Whether the running day is the last that is measured: then days to come are as long where no schedule tells.
    is_last: bool,
    /// ETFs met this month that are not measured on the running day, by market maker.
    met_elsewhere: HashMap<String, u32>,
    /// How many have to be met.
    pub(crate) etfs_required: u32,
}

struct MonthRow {
    /// Without the running day's times.
    outlook: Outlook,
    /// The month's line, with the running day and nothing on it.
    line: MonthLine,
    /// Whether the running day plays no part in it, whatever it comes to.
    is_left_out: bool,
    /// On which of the days to come it is required: the day, sign-up and obligation.
    to_come: Vec<(u32, u32, u32)>,
}

/// What is left of the month for one obligation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Budget {
    /// The month to date, the running day included.
    pub(crate) outlook: Outlook,
    /// Over the windows, and over the day.
    pub(crate) burn: [Burn; WINDOWS.len() + 1],
    /// The instant after which the share cannot be reached any more if it is off from now on.
    pub(crate) lost_after: Option<Timestamp>,
}

/// How fast the budget is used up within a window.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Burn {
    pub(crate) window: &'static str,
    /// Time off.
    pub(crate) off: Micros,
    /// Time in which a quote was required; within a window as the schedule has it.
    pub(crate) required: Micros,
    /// How many times as fast as it may be, in hundredths, rounded half up; none where nothing was required, or nothing may be off.
    pub(crate) rate: Option<u64>,
    /// Where the month ends at this rate.
    pub(crate) month_end: Option<DisplayPercent>,
}

impl MonthSoFar {
    /// Reads the month of the running day. Each obligation of `plan`, the day under the multiplier that is declared.
    pub(crate) fn read(db: &Database, registry: &Registry, plan: &DayPlan) -> Result<MonthSoFar> {
        let store = db.open()?;
        store.begin_snapshot()?;
        let (date, month) = (plan.date, Month::of(plan.date));
        let stored = StoredMonth::read_without(&store, registry, month, false, Some(date))?;
        let mut measured = stored.measured_until();
        measured.insert(date, None);
        let mut accounts = stored.accounts;
        for sign_up in &plan.sign_ups {
            for obligation in sign_up.obligations.iter() {
                // The day with nothing on it yet: what it requires is known, what it comes to is added at each look.
                accounts.add(DayRow {
                    date,
                    market_maker: sign_up.market_maker.clone(),
                    issue: sign_up.issue.clone(),
                    obligation: obligation.id.clone(),
                    required_pct: obligation.required.pct,
                    leveraged_inverse: Some(sign_up.leveraged_inverse),
                    total: Total::default(),
                });
            }
        }
        let mut by_key: BTreeMap<AccountKey, Outlook> = outlooks(&accounts, &measured, registry)
            .map_err(|error| anyhow!("the month of {date}: {error}"))?
            .into_iter()
            .map(|outlook| (outlook.key.clone(), outlook))
            .collect();
        let lines = accounts.lines(registry);
        let dates = month.trading_days(registry).into_iter().filter(|date| !measured.contains_key(date));
        let to_come: Vec<Arc<DayPlan>> = dates
            .map(|date| registry.plan(date).map(Arc::new).map_err(|error| anyhow!("date {date}: {error}")))
            .collect::<Result<_>>()?;
        let mut places: HashMap<AccountKey, Vec<(u32, u32, u32)>> = HashMap::new();
        for (day, plan) in (0..).zip(&to_come) {
            for (place, sign_up) in (0..).zip(&plan.sign_ups) {
                for (number, obligation) in (0..).zip(sign_up.obligations.iter()) {
                    let key = key_of(sign_up, obligation);
                    if !is_left_out(registry, plan.date, &key) {
                        places.entry(key).or_default().push((day, place, number));
                    }
                }
            }
        }
        let (mut rows, mut of_plan) = (Vec::new(), Vec::new());
        for (place, sign_up) in plan.sign_ups.iter().enumerate() {
            for (number, obligation) in sign_up.obligations.iter().enumerate() {
                of_plan.push((place, number));
                let key = key_of(sign_up, obligation);
                let line = lines.binary_search_by(|line| line.key.cmp(&key)).ok().map(|at| lines[at].clone());
                let (Some(outlook), Some(line)) = (by_key.remove(&key), line) else {
                    bail!("an obligation of {date} is in no month");
                };
                let is_left_out = is_left_out(registry, date, &key);
                let to_come = places.remove(&key).unwrap_or_default();
                rows.push(MonthRow { outlook, line, is_left_out, to_come });
            }
        }
        let mut met_elsewhere: HashMap<String, u32> = HashMap::new();
        // What is left is not measured on the running day.
        for of in sign_up_months(&lines).filter(|of| of.lines().iter().all(|line| by_key.contains_key(&line.key))) {
            if !of.leveraged_inverse() && of.status() == Status::Fulfilled {
                *met_elsewhere.entry(of.market_maker().to_owned()).or_default() += 1;
            }
        }
        Ok(MonthSoFar {
            date,
            stale: stored.changed.into_keys().collect(),
            rows,
            places: of_plan,
            to_come,
            is_last: stored.measured.last().is_none_or(|last| *last <= date),
            met_elsewhere,
            etfs_required: registry.scheme().incentives().etfs_required,
        })
    }

    /// Whether it is the month of this day.
    pub(crate) fn is_of(&self, plan: &DayPlan) -> bool {
        self.date == plan.date
    }

    /// What is left for the obligation at `position` of the plan, which stands so.
    pub(crate) fn budget(&self, plan: &DayPlan, position: usize, row: &Row) -> Option<Budget> {
        let last = row.at;
        let (of_month, &(sign_up, obligation)) = (self.rows.get(position)?, self.places.get(position)?);
        let sign_up = plan.sign_ups.get(sign_up)?;
        let place @ (sign_up, obligation) = (sign_up, sign_up.obligations.get(obligation)?);
        let outlook = self.outlook(of_month, (plan.phase_source, last), row, place);
        let required = [0, 1].map(|at| required_within(sign_up, obligation, last, WINDOWS[at].1));
        let day = Burn::of("day", off(row.total), row.total.available, &outlook);
        let [five, hour] = [0, 1].map(|at| Burn::of(WINDOWS[at].0, row.off[at], required[at], &outlook));
        let lost_after = match (outlook.prospect(), plan.phase_source) {
            (Prospect::Open { slack }, PhaseSource::Schedule) => self.after(of_month, slack, last, place),
            _ => None,
        };
        Some(Budget { outlook, burn: [five, hour, day], lost_after })
    }

    fn outlook(
        &self,
        of_month: &MonthRow,
        (phase_source, last): (PhaseSource, Timestamp),
        row: &Row,
        (sign_up, obligation): (&SignUpPlan, &ObligationPlan),
    ) -> Outlook {
        let mut outlook = of_month.outlook.clone();
        (outlook.total, _) = of_month.line.with(self.date, row.total);
        match phase_source {
            PhaseSource::Schedule => {
                let left = sign_up.required_time_from(obligation, last);
                let left = if of_month.is_left_out { Micros::ZERO } else { left };
                outlook.remaining += left;
                outlook.days_remaining += u32::from(left != Micros::ZERO);
            }
            // As long as this one, each.
            PhaseSource::Feed if self.is_last => {
                let today = row.total.available + row.total.unknown;
                outlook.remaining = (0..outlook.days_remaining).map(|_| today).sum();
            }
            PhaseSource::Feed => {}
        }
        outlook
    }

    /// The instant at which so much required time has gone by since `from`, and more begins.
    fn after(
        &self,
        of_month: &MonthRow,
        mut left: Micros,
        from: Timestamp,
        (sign_up, obligation): (&SignUpPlan, &ObligationPlan),
    ) -> Option<Timestamp> {
        let later = of_month.to_come.iter().filter_map(|&(day, place, number)| {
            // Days before this one that are not measured are taken to be good, whatever comes.
            let day = self.to_come.get(day as usize).filter(|day| self.date < day.date)?;
            let sign_up = day.sign_ups.get(place as usize)?;
            Some((sign_up, sign_up.obligations.get(number as usize)?))
        });
        let today = (!of_month.is_left_out).then_some((sign_up, obligation));
        for (sign_up, obligation) in today.into_iter().chain(later) {
            let whole = sign_up.required_time_from(obligation, from);
            if whole <= left {
                left = Micros(left.0 - whole.0);
                continue;
            }
            return walk(sign_up, obligation, from, left);
        }
        None
    }

    /// Of each market maker of the running day: ETFs whose share of the month so far is met, as a report of it would count them.
    pub(crate) fn etfs_met(&self, picture: &Picture) -> BTreeMap<String, u32> {
        let mut met: BTreeMap<String, u32> = BTreeMap::new();
        let mut of_plan = self.rows.iter().zip(picture.rows.iter());
        for sign_up in &picture.plan.sign_ups {
            let elsewhere = || self.met_elsewhere.get(&sign_up.market_maker).copied().unwrap_or_default();
            let count = met.entry(sign_up.market_maker.clone()).or_insert_with(elsewhere);
            let own: Vec<(&MonthLine, &Row)> = sign_up
                .obligations
                .iter()
                .zip(of_plan.by_ref())
                .map(|(_, (of_month, row))| (&of_month.line, row))
                .collect();
            let general = || own.iter().filter(|(line, _)| line.is_general());
            // What was asked on the last date decides, as for a month that is over.
            let last = general().map(|(line, _)| line.last_measured).max();
            let deciding = || general().filter(|(line, _)| Some(line.last_measured) == last);
            let need = deciding().find_map(|(line, _)| line.need);
            let is_met = together(deciding().map(|(line, row)| line.with(self.date, row.total).1), need);
            let leveraged_inverse = deciding().any(|(line, _)| line.leveraged_inverse);
            *count += u32::from(!leveraged_inverse && is_met == Status::Fulfilled);
        }
        met
    }
}

/// Whether a date plays no part in an obligation's month, whatever it comes to.
fn is_left_out(registry: &Registry, date: Date, key: &AccountKey) -> bool {
    let mut of_date = registry.excluded_days().iter().filter(|row| row.date == date && !row.only_if_failed);
    of_date.any(|row| row.is_of(&key.market_maker, &key.issue))
}

fn key_of(sign_up: &SignUpPlan, obligation: &ObligationPlan) -> AccountKey {
    AccountKey {
        market_maker: sign_up.market_maker.clone(),
        issue: sign_up.issue.clone(),
        obligation: obligation.id.clone(),
    }
}

/// The required stretches of a day, exemptions apart, from `from` on.
fn required_spans(sign_up: &SignUpPlan, obligation: &ObligationPlan, from: Timestamp) -> Vec<Span> {
    let mut spans = Vec::new();
    for window in obligation.availability.required_windows() {
        let Some(window) = window.clip(Span { start: from, end: Timestamp::MAX }) else { continue };
        let mut start = window.start;
        for exempt in sign_up.exempt.iter().filter_map(|exempt| exempt.clip(window)) {
            spans.extend((start < exempt.start).then_some(Span { start, end: exempt.start }));
            start = exempt.end;
        }
        spans.extend((start < window.end).then_some(Span { start, end: window.end }));
    }
    spans
}

/// The instant at which `left` of the required time from `from` on has gone by, and more begins.
fn walk(sign_up: &SignUpPlan, obligation: &ObligationPlan, from: Timestamp, mut left: Micros) -> Option<Timestamp> {
    for span in required_spans(sign_up, obligation, from) {
        let length = span.end.since(span.start);
        if left < length {
            return span.start.checked_add(left);
        }
        left = Micros(left.0 - length.0);
    }
    None
}

/// The required time within the stretch of `length` before `last`.
fn required_within(sign_up: &SignUpPlan, obligation: &ObligationPlan, last: Timestamp, length: Micros) -> Micros {
    let from = before(last, length);
    let all = sign_up.required_time_from(obligation, from);
    Micros(all.0 - sign_up.required_time_from(obligation, last).0)
}

/// The whole of a share, in ten-thousandths of a percent.
const WHOLE_PCT: u64 = 1_000_000;

impl Burn {
    fn of(window: &'static str, off: Micros, required: Micros, outlook: &Outlook) -> Burn {
        let may = u128::from(WHOLE_PCT.saturating_sub(outlook.required_pct)) * u128::from(required.0);
        let burnt = u128::from(off.0) * u128::from(WHOLE_PCT) * 100;
        let rate = (may != 0).then(|| u64::try_from((burnt * 2 + may) / (may * 2)).ok()).flatten();
        let month_end = (required != Micros::ZERO).then(|| {
            let Total { available, fulfilled, .. } = outlook.total;
            let held = u128::from(required.0.saturating_sub(off.0)) * u128::from(outlook.remaining.0);
            let to_come = Micros(u64::try_from(held / u128::from(required.0)).unwrap_or(u64::MAX));
            DisplayPercent::of(fulfilled + to_come, available + outlook.remaining)
        });
        Burn { window, off, required, rate, month_end: month_end.flatten() }
    }
}

/// Available time in which an obligation was not met.
fn off(total: Total) -> Micros {
    Micros(total.available.0 - total.fulfilled.0)
}
