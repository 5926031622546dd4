//! Licences for indices.

use super::{Folder, Thing, Written, date, file, missing, months_from, number, thing};
use crate::clock;
use crate::text::Row;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// What is decided of one application: decision, clause (without `LIC/no-application`), free from, others, missing.
#[derive(Clone)]
struct Decided {
    decision: &'static str,
    clause: &'static str,
    free_from: Option<Date>,
    others: Vec<String>,
    needed: Vec<Thing>,
}

/// `decisions.csv`.
pub fn licences(folder: &Folder) -> Written {
    let applications = folder.rows("applications.csv");
    let mut order: Vec<usize> = (0..applications.len()).collect();
    order.sort_by_key(|&position| {
        let row = &applications[position];
        (row.get("index").to_owned(), moment(folder, row), row.get("application").to_owned())
    });
    let mut decided: BTreeMap<String, Decided> = BTreeMap::new();
    for row in &applications {
        if let Some(answer) = alone(folder, row) {
            decided.insert(row.get("application").to_owned(), answer);
        }
    }
    // Each of the others once everything is decided that it looks at.
    while decided.len() < applications.len() {
        for row in &applications {
            let is_due = |other: &Row| {
                let (one, two) = (moment(folder, other), moment(folder, row));
                let is_looked_at =
                    one < two || (one == two && other.get("licence") == "closed" && row.get("licence") == "open");
                other.get("index") != row.get("index")
                    || !is_looked_at
                    || decided.contains_key(other.get("application"))
            };
            if !decided.contains_key(row.get("application")) && applications.iter().all(is_due) {
                decided.insert(row.get("application").to_owned(), among(folder, row, &applications, &decided));
            }
        }
    }
    let lines = order.iter().map(|&position| {
        let row = &applications[position];
        let answer = &decided[row.get("application")];
        let has_place = |row: &Row| {
            let answer = &decided[row.get("application")];
            answer.decision != "refuse" && !is_early(answer)
        };
        let before = applications.iter().filter(|other| {
            other.get("index") == row.get("index") && moment(folder, other) < moment(folder, row) && has_place(other)
        });
        let place = if has_place(row) { (1 + before.count()).to_string() } else { String::new() };
        let in_period = |other: &Row| period_stage(folder, other) == Some(1);
        let unasked = period_stage(folder, row).is_some()
            && !applications.iter().any(|other| other.get("index") == row.get("index") && in_period(other));
        let last = ["LIC/closed-term", "LIC/simultaneous-closed", "LIC/order-of-receipt"].contains(&answer.clause);
        let prefix = if unasked && last { "LIC/no-application;" } else { "" };
        format!(
            "{},{},{},{},{place},{},{},{prefix}{},{}",
            row.get("index"),
            row.get("application"),
            row.get("company"),
            answer.decision,
            answer.free_from.map_or(String::new(), |date| date.to_string()),
            answer.others.join(";"),
            answer.clause,
            missing(&answer.needed)
        )
    });
    let header = "index,application,company,decision,place,free_from,others,clauses,missing";
    vec![("decisions.csv", file(header, lines.collect()))]
}

fn is_early(answer: &Decided) -> bool {
    answer.decision == "wait" && answer.clause == "LIC/application-period"
}

fn answer(decision: &'static str, clause: &'static str) -> Decided {
    Decided { decision, clause, free_from: None, others: Vec::new(), needed: Vec::new() }
}

fn received(row: &Row) -> i128 {
    clock::instant(row.get("received")).unwrap_or(0)
}

/// The date of receipt in Tokyo.
fn tokyo(row: &Row) -> Date {
    let days = (received(row) + 9 * 3_600_000_000).div_euclid(86_400_000_000);
    let days = i64::try_from(days).unwrap_or(0);
    jiff::civil::date(1970, 1, 1).saturating_add(jiff::ToSpan::days(days))
}

fn index(folder: &Folder, application: &Row) -> Option<Row> {
    folder.rows("indices.csv").into_iter().find(|row| row.get("index") == application.get("index"))
}

/// 0 before the period of a future index, 1 in it, 2 after it; nothing without a period.
fn period_stage(folder: &Folder, application: &Row) -> Option<i32> {
    let index = index(folder, application).filter(|row| row.get("kind") == "future")?;
    let (from, to) = (date(&index, "period_from")?, date(&index, "period_to")?);
    let day = tokyo(application);
    Some(if day < from { 0 } else { 1 + i32::from(to < day) })
}

/// Orders applications on one index: equal within a period.
fn moment(folder: &Folder, application: &Row) -> (i32, i128) {
    match period_stage(folder, application) {
        Some(1) => (1, 0),
        Some(stage) => (stage, received(application)),
        None => (0, received(application)),
    }
}

/// When a closed licence ends that is granted.
fn term(folder: &Folder, application: &Row) -> Option<Date> {
    if application.get("licence") != "closed" {
        return None;
    }
    let grants = folder.rows("grants.csv");
    let grant = grants.iter().find(|row| row.get("application") == application.get("application"));
    if let Some(free_from) = grant.and_then(|row| date(row, "free_from")) {
        return Some(free_from);
    }
    let listing = grant.and_then(|row| date(row, "listed")).or_else(|| date(application, "listing"))?;
    Some(months_from(listing, 6))
}

fn alone(folder: &Folder, row: &Row) -> Option<Decided> {
    let name = row.get("application");
    let grants = folder.rows("grants.csv");
    if let Some(grant) = grants.iter().find(|grant| grant.get("application") == name) {
        return Some(if grant.get("decision") == "grant" {
            Decided { free_from: term(folder, row), ..answer("grant", "LIC/decided") }
        } else {
            answer("refuse", "LIC/decided")
        });
    }
    let cell = |column: &str| thing(format!("indices.csv/{}/{column}", row.get("index")));
    let Some(index) = index(folder, row) else {
        let needed = vec![thing(format!("indices.csv/{}", row.get("index")))];
        return Some(Decided { needed, ..answer("undecided", "LIC/not-available") });
    };
    if index.get("kind") == "current" {
        return match index.get("available") {
            "" => Some(Decided { needed: vec![cell("available")], ..answer("undecided", "LIC/not-available") }),
            "no" => Some(answer("refuse", "LIC/not-available")),
            _ if row.get("licence") == "closed" && index.get("etf_listed") == "yes" => {
                Some(answer("evaluate", "LIC/etf-listed"))
            }
            _ => None,
        };
    }
    let ends: Vec<Thing> = ["period_from", "period_to"]
        .iter()
        .filter(|column| index.get(column).is_empty())
        .map(|column| cell(column))
        .collect();
    if !ends.is_empty() {
        return Some(Decided { needed: ends, ..answer("undecided", "LIC/application-period") });
    }
    match period_stage(folder, row) {
        Some(0) => {
            return Some(Decided {
                free_from: date(&index, "period_from"),
                ..answer("wait", "LIC/application-period")
            });
        }
        Some(1) => {}
        _ => return None,
    }
    let mut needed = Vec::new();
    let (fee, minimum) = (number(row, "fee_jpy"), number(&index, "fee_minimum_jpy"));
    if fee.is_none() {
        needed.push(thing(format!("applications.csv/{name}/fee_jpy")));
    }
    if minimum.is_none() {
        needed.push(cell("fee_minimum_jpy"));
    }
    if !needed.is_empty() {
        return Some(Decided { needed, ..answer("undecided", "LIC/fee-minimum") });
    }
    if fee <= minimum {
        return Some(answer("refuse", "LIC/fee-minimum"));
    }
    let first = index.get("custom_for").split(';').any(|company| company == row.get("company"));
    first.then(|| Decided { free_from: term(folder, row), ..answer("grant", "LIC/custom") })
}

/// What an application is among the others, those that matter being decided.
fn among(folder: &Folder, row: &Row, applications: &[Row], decided: &BTreeMap<String, Decided>) -> Decided {
    let (own_moment, is_closed) = (moment(folder, row), row.get("licence") == "closed");
    let has_etf =
        index(folder, row).is_some_and(|index| index.get("kind") == "current" && index.get("etf_listed") == "yes");
    let rivals: Vec<&Row> = applications
        .iter()
        .filter(|other| {
            other.get("index") == row.get("index")
                && other.get("company") != row.get("company")
                && other.get("licence") == "closed"
        })
        .collect();
    let mut holders = Vec::new();
    for other in rivals.iter().filter(|_| !has_etf) {
        let Some(answer) = decided.get(other.get("application")) else { continue };
        let same = moment(folder, other) == own_moment;
        let before = moment(folder, other) < own_moment;
        if !(before || (same && !is_closed) || (same && answer.clause == "LIC/custom")) {
            continue;
        }
        let runs = answer.decision == "grant" && term(folder, other).is_none_or(|end| tokyo(row) < end);
        let open =
            answer.decision == "evaluate" || (answer.decision == "undecided" && answer.clause == "LIC/fee-minimum");
        if runs || open {
            holders.push((other.get("application").to_owned(), open, term(folder, other)));
        }
    }
    holders.sort();
    if !holders.is_empty() {
        let others: Vec<String> = holders.iter().map(|(name, ..)| name.clone()).collect();
        if holders.iter().any(|(_, open, _)| *open) {
            return Decided { others, ..answer("wait", "LIC/closed-term") };
        }
        let needed: Vec<Thing> = holders
            .iter()
            .filter(|(_, _, end)| end.is_none())
            .map(|(name, ..)| thing(format!("applications.csv/{name}/listing")))
            .collect();
        if !needed.is_empty() {
            return Decided { others, needed, ..answer("undecided", "LIC/closed-term") };
        }
        let free_from = holders.iter().filter_map(|(_, _, end)| *end).max();
        return Decided { others, free_from, ..answer("wait", "LIC/closed-term") };
    }
    let mut same: Vec<String> = rivals
        .iter()
        .filter(|other| moment(folder, other) == own_moment)
        .filter(|other| {
            let counts = |answer: &Decided| answer.decision != "refuse" && !is_early(answer);
            decided.get(other.get("application")).is_none_or(counts)
        })
        .map(|other| other.get("application").to_owned())
        .collect();
    same.sort();
    if is_closed && !same.is_empty() {
        let in_period = period_stage(folder, row) == Some(1);
        let clause = if in_period { "LIC/application-period" } else { "LIC/simultaneous-closed" };
        return Decided { others: same, ..answer("evaluate", clause) };
    }
    Decided { free_from: term(folder, row), ..answer("grant", "LIC/order-of-receipt") }
}
