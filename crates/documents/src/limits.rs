//! The limits that were in force on the days of a paper, and why.

use crate::sheet::{Cell, Sheet};
use jiff::civil::Date;
use quoteclock_ledger::DayRow;
use quoteclock_model::{Amount, Bps, IssueCode, ObligationId, Shares, Ticks};
use quoteclock_report::limits::manner;
use quoteclock_report::time_of_day;
use quoteclock_rules::{DayLimits, Registry};
use std::collections::BTreeMap;

/// What was asked for within a part of a day, and why.
#[derive(PartialEq, Eq)]
struct PartLimits {
    /// When, on the local clock; empty for all of the day.
    time: String,
    spread_bps_max: Option<Bps>,
    spread_ticks_max: Option<Ticks>,
    value_min: Option<Amount>,
    quantity_min: Option<Shares>,
    /// What else is asked for, in words.
    otherwise: String,
    why: String,
}

/// The same limits on days that follow each other.
struct Stretch {
    from: Date,
    to: Date,
    days: u32,
    parts: Vec<PartLimits>,
}

/// The limits that were in force, from when to when, and why: type, criterion, Fast Market, times of the day, condition. What
/// Tokyo does not know has columns where there is any of it.
///
/// Clauses: `ST1/spread-and-quantity`, `ST1/fast-market`, `SIX/home-market-open`, `XETRA/stress`, `XETRA/criteria`.
pub(crate) fn limits(registry: &Registry, own: &[&DayRow]) -> Sheet {
    // Market makers of one issue have the same limits on a day.
    let mut days: BTreeMap<(&IssueCode, &ObligationId), BTreeMap<Date, Vec<PartLimits>>> = BTreeMap::new();
    for day in own {
        let of_obligation = days.entry((&day.issue, &day.obligation)).or_default();
        if !of_obligation.contains_key(&day.date)
            && let Some(parts) = registry.limits_on(&day.issue, &day.obligation, day.date)
        {
            of_obligation.insert(day.date, parts_of_day(registry, parts));
        }
    }
    let stretches: Vec<(&IssueCode, &ObligationId, Stretch)> = days
        .into_iter()
        .flat_map(|((issue, obligation), days)| stretches(days).into_iter().map(move |of| (issue, obligation, of)))
        .collect();
    let parts = || stretches.iter().flat_map(|(_, _, stretch)| &stretch.parts);
    let has_times = parts().any(|part| !part.time.is_empty());
    let has_quantities = parts().any(|part| part.quantity_min.is_some());
    let has_more = parts().any(|part| !part.otherwise.is_empty());
    let row = |(issue, obligation, stretch, part): (&IssueCode, &ObligationId, &Stretch, &PartLimits)| {
        let number = |value: Option<String>| Cell::Number(value.unwrap_or_default());
        let mut cells = vec![
            Cell::text(issue.as_str()),
            Cell::text(obligation.to_string()),
            Cell::text(stretch.from.to_string()),
            Cell::text(stretch.to.to_string()),
            Cell::number(stretch.days),
        ];
        cells.extend(has_times.then(|| Cell::text(&part.time)));
        cells.extend([
            number(part.spread_bps_max.map(|max| max.to_string())),
            number(part.spread_ticks_max.map(|max| max.0.to_string())),
            number(part.value_min.map(|min| min.to_string())),
        ]);
        cells.extend(has_quantities.then(|| number(part.quantity_min.map(|min| min.0.to_string()))));
        cells.extend(has_more.then(|| Cell::text(&part.otherwise)));
        cells.push(Cell::text(&part.why));
        cells
    };
    let all = stretches.iter().flat_map(|(issue, obligation, stretch)| {
        stretch.parts.iter().map(move |part| (*issue, *obligation, stretch, part))
    });
    let mut columns = vec!["issue", "obligation", "from", "to", "days"];
    columns.extend(has_times.then_some("time"));
    columns.extend(["max_spread_bps", "max_spread_ticks", "min_value_jpy"]);
    columns.extend(has_quantities.then_some("min_quantity"));
    columns.extend(has_more.then_some("otherwise"));
    columns.push("why");
    Sheet {
        name: "limits",
        heading: "The limits in force, and why",
        keys: if has_times { &["issue", "obligation", "from", "time"] } else { &["issue", "obligation", "from"] },
        columns,
        rows: all.map(row).collect(),
    }
}

/// The parts of a day that differ from what is before them.
fn parts_of_day(registry: &Registry, parts: Vec<DayLimits>) -> Vec<PartLimits> {
    let mut joined: Vec<DayLimits> = Vec::new();
    for part in parts {
        match joined.last_mut() {
            Some(last) if last.limits == part.limits && last.why == part.why => last.span.end = part.span.end,
            _ => joined.push(part),
        }
    }
    let zone = registry.scheme().zone();
    let (whole, last) = (joined.len() == 1, joined.len() - 1);
    let shown = |at| trimmed(&time_of_day(at, zone));
    let part = |(position, DayLimits { span, limits, why }): (usize, DayLimits)| {
        let end = if position == last { "24:00:00".to_owned() } else { shown(span.end) };
        PartLimits {
            time: if whole { String::new() } else { format!("{} to {end}", shown(span.start)) },
            spread_bps_max: limits.spread_bps_max,
            spread_ticks_max: limits.spread_ticks_max,
            value_min: limits.value_min,
            quantity_min: limits.quantity_min,
            otherwise: manner(&limits).join("; "),
            why,
        }
    };
    joined.into_iter().enumerate().map(part).collect()
}

/// A clock reading without the zeros that end its fraction.
fn trimmed(reading: &str) -> String {
    match reading.split_once('.') {
        Some((whole, part)) if part.bytes().all(|digit| digit == b'0') => whole.to_owned(),
        _ => reading.trim_end_matches('0').to_owned(),
    }
}

fn stretches(days: BTreeMap<Date, Vec<PartLimits>>) -> Vec<Stretch> {
    let mut stretches: Vec<Stretch> = Vec::new();
    for (date, parts) in days {
        match stretches.last_mut() {
            Some(last) if last.parts == parts => (last.to, last.days) = (date, last.days + 1),
            _ => stretches.push(Stretch { from: date, to: date, days: 1, parts }),
        }
    }
    stretches
}
