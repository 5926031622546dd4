//! A stored day as it was when it had been measured: what its files are written from.

use anyhow::{Context, Result, anyhow, bail};
use jiff::civil::Date;
use quoteclock_ledger::{DayLedger, LoggedBreach, OpenLedger, Total};
use quoteclock_model::{IssueCode, ObligationId, Reason};
use quoteclock_obligation::ObligationIndex;
use quoteclock_rules::{DayPlan, Registry};
use quoteclock_store::Store;
use std::collections::HashMap;

/// The plan of a stored day under a registry that requires of it what it was measured under, and its times and breaches.
///
/// # Errors
/// If what is stored is not of the plan's obligations, each once.
pub(crate) fn read(store: &Store, registry: &Registry, date: Date) -> Result<(DayPlan, DayLedger)> {
    let plan = registry.plan(date).with_context(|| format!("date {date}"))?;
    let obligations = plan.sign_ups.iter().flat_map(|sign_up| {
        sign_up
            .obligations
            .iter()
            .map(|obligation| (sign_up.market_maker.clone(), sign_up.issue.clone(), obligation.id.clone()))
    });
    let places: HashMap<(String, IssueCode, ObligationId), u32> = obligations.zip(0..).collect();
    let mut totals = vec![None; places.len()];
    let mut strange = None;
    let mut place = |key: (String, IssueCode, ObligationId)| {
        let place = places.get(&key).copied();
        if place.is_none() {
            strange.get_or_insert(key);
        }
        place
    };
    store.results(date..=date, |row| {
        if let Some(place) = place((row.market_maker, row.issue, row.obligation)) {
            totals[place as usize] = Some(row.total);
        }
    })?;
    let (mut log, mut odd) = (Vec::new(), None);
    store.breaches(date..=date, |row| {
        let reason = Reason::named(&row.reason);
        if reason.is_none() {
            odd = Some(row.reason);
        }
        if let (Some(place), Some(reason)) = (place((row.market_maker, row.issue, row.obligation)), reason) {
            log.push(LoggedBreach { span: row.span, obligation: ObligationIndex(place), reason });
        }
    })?;
    if let Some((market_maker, issue, obligation)) = strange {
        bail!("{date}: has {market_maker} {issue} {obligation}, which its registry does not require");
    }
    if let Some(reason) = odd {
        bail!("{date}: has a breach for the reason \"{reason}\", which this program does not know");
    }
    let totals: Option<Vec<Total>> = totals.into_iter().collect();
    let totals = totals.ok_or_else(|| anyhow!("{date}: lacks results that its registry requires"))?;
    let ledger = OpenLedger::restore(totals, log).ok_or_else(|| anyhow!("{date}: has breaches without results"))?;
    Ok((plan, ledger.close()))
}
