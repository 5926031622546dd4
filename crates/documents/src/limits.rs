//! The limits that were in force on the days of a paper, and why.

use crate::sheet::{Cell, Sheet};
use jiff::civil::Date;
use quoteclock_ledger::DayRow;
use quoteclock_model::{Amount, Bps, IssueCode, Paid, Ticks};
use quoteclock_rules::{ConditionKind, PaidCondition, Registry, Target};
use std::collections::BTreeMap;

/// What was asked for on a day, and why.
#[derive(PartialEq, Eq)]
struct Limit {
    spread_bps_max: Option<Bps>,
    spread_ticks_max: Option<Ticks>,
    value_min: Option<Amount>,
    why: String,
}

/// The limits that were in force, from when to when, and why: type, Fast Market, condition.
///
/// Clauses: `ST1/spread-and-quantity`, `ST1/fast-market`.
pub(crate) fn limits(registry: &Registry, own: &[&DayRow]) -> Sheet {
    // Market makers of one issue have the same limits on a day.
    let mut days: BTreeMap<(&IssueCode, String), BTreeMap<Date, Limit>> = BTreeMap::new();
    for day in own {
        let of_obligation = days.entry((&day.issue, day.obligation.to_string())).or_default();
        if !of_obligation.contains_key(&day.date)
            && let Some(limit) = limit(registry, day)
        {
            of_obligation.insert(day.date, limit);
        }
    }
    let mut rows = Vec::new();
    for ((issue, obligation), days) in days {
        let mut stretches: Vec<(Date, Date, u32, Limit)> = Vec::new();
        for (date, limit) in days {
            match stretches.last_mut() {
                Some((_, last, count, of)) if *of == limit => (*last, *count) = (date, *count + 1),
                _ => stretches.push((date, date, 1, limit)),
            }
        }
        for (from, to, count, limit) in stretches {
            let number = |value: Option<String>| Cell::Number(value.unwrap_or_default());
            rows.push(vec![
                Cell::text(issue.as_str()),
                Cell::text(&obligation),
                Cell::text(from.to_string()),
                Cell::text(to.to_string()),
                Cell::number(count),
                number(limit.spread_bps_max.map(|max| max.to_string())),
                number(limit.spread_ticks_max.map(|max| max.0.to_string())),
                number(limit.value_min.map(|min| min.to_string())),
                Cell::text(limit.why),
            ]);
        }
    }
    Sheet {
        name: "limits",
        heading: "The limits in force, and why",
        keys: &["issue", "obligation", "from"],
        columns: vec![
            "issue",
            "obligation",
            "from",
            "to",
            "days",
            "max_spread_bps",
            "max_spread_ticks",
            "min_value_jpy",
            "why",
        ],
        rows,
    }
}

/// The limits of an obligation on a day. A Fast Market widens those of the scheme and of matching funds.
fn limit(registry: &Registry, day: &DayRow) -> Option<Limit> {
    let row = registry.issue_on(&day.issue, day.date)?;
    let (terms, widens, why) = match day.obligation.paid() {
        Paid::Incentives => {
            let terms = &registry.scheme().types().get(&row.type_name)?.terms;
            (terms.of_issue(&row.limits), true, format!("type {}", row.type_name))
        }
        Paid::Sponsor(name) | Paid::MatchingFund(name) => {
            let is_sponsored = matches!(day.obligation.paid(), Paid::Sponsor(_));
            let kind = if is_sponsored { ConditionKind::Sponsored } else { ConditionKind::Matching };
            let of_name = |row: &&PaidCondition| row.kind == kind && row.name == name;
            let rows: Vec<_> = registry.conditions().iter().filter(of_name).collect();
            let rows = || rows.iter().filter(|row| row.period.contains(day.date));
            let of_index = |target: &Target| matches!(target, Target::Index(of) if Some(of) == row.index.as_ref());
            let own = rows().find(|row| matches!(&row.target, Target::Issue(of) if *of == day.issue));
            let condition = own.or_else(|| rows().find(|row| of_index(&row.target)))?;
            (condition.terms.clone(), !is_sponsored, format!("condition {}", condition.obligation()))
        }
    };
    let multiplier = if widens { registry.multiplier_on(day.date) } else { 1 };
    let times = u64::from(multiplier);
    Some(Limit {
        spread_bps_max: terms.spread_bps_max.map(|Bps(max)| Bps(max * times)),
        spread_ticks_max: terms.spread_ticks_max.map(|Ticks(max)| Ticks(max * times)),
        value_min: terms.value_min,
        why: if multiplier == 1 { why } else { format!("{why}, Fast Market x{multiplier}") },
    })
}
