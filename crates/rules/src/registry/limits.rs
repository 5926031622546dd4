//! Whether what a type takes from the issue's own row is there.

use super::files::{ISSUES, Rows};
use super::{Issue, IssueLimits};
use crate::{QuantityFrom, Terms, TypeRules};
use quoteclock_sheets::{Findings, Lined, quoted};
use std::collections::BTreeMap;

/// Reports limits that are missing, and those that nothing takes.
///
/// Clauses: `BIT/limits-of-the-issue`, `XETRA/quantity-of-value`.
pub(super) fn check(rows: &Rows, findings: &mut Findings) {
    for Lined { line, value: issue } in &rows.issues {
        let Some(rules) = rows.scheme.types.get(&issue.type_name) else { continue };
        // Each column once, whichever of several criteria needs it.
        let needed = rules.asked().flat_map(|(_, rules)| missing(issue, &rules.terms));
        for (column, message) in needed.collect::<BTreeMap<_, _>>() {
            findings.error(ISSUES.file, *line, Some(column), message);
        }
        let idle = |(_, rules): (_, &TypeRules)| not_taken(&issue.limits, &rules.terms);
        let idle: Vec<[(&'static str, bool); 4]> = rules.asked().map(idle).collect();
        let by_none = |column: usize| idle.iter().all(|of| of[column].1).then(|| idle[0][column].0);
        for column in (0..4).filter_map(by_none) {
            let name = quoted(&issue.type_name);
            let message = format!("it plays no part: type {name} of the scheme does not take it from the issue");
            findings.warning(ISSUES.file, *line, column, message);
        }
    }
}

fn missing(issue: &Issue, terms: &Terms) -> Vec<(&'static str, String)> {
    let (name, own) = (quoted(&issue.type_name), terms.of_issue(&issue.limits));
    let mut missing = Vec::new();
    if terms.from_issue && !own.has_spread() {
        missing.push((
            "max_spread_bps",
            format!("it is empty, expected the widest spread: type {name} takes its limits from the issue"),
        ));
    }
    let needs_value = terms.quantity_from_value.is_some();
    if terms.from_issue && (!own.has_minimum() || needs_value && own.value_min.is_none()) {
        let what = if needs_value { "the least value" } else { "the least value, or min_quantity" };
        missing
            .push(("min_value", format!("it is empty, expected {what}: type {name} takes its limits from the issue")));
    }
    if terms.quantity_from_value == Some(QuantityFrom::Reference) && issue.limits.reference_price.is_none() {
        missing.push((
            "reference_price",
            format!("it is empty, expected the price by which type {name} makes a quantity of the least value"),
        ));
    }
    missing
}

/// Columns that the type does not look at, and whether they have something.
fn not_taken(own: &IssueLimits, terms: &Terms) -> [(&'static str, bool); 4] {
    [
        ("max_spread_bps", !terms.from_issue && own.spread_bps_max.is_some()),
        ("min_value", !terms.from_issue && own.value_min.is_some()),
        ("min_quantity", !terms.from_issue && own.quantity_min.is_some()),
        (
            "reference_price",
            terms.quantity_from_value != Some(QuantityFrom::Reference) && own.reference_price.is_some(),
        ),
    ]
}
