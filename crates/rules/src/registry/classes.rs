//! Issues and market makers against ST-1's own rules of who is what: types by index, tiers, diversified investment,
//! participants. What a row leaves empty is not judged.

use super::files::{ISSUES, Rows, SIGN_UPS, file_of};
use super::{Issue, Target, Tier};
use crate::templates::{is_diversified_index, same_index};
use crate::value::percent_doubt;
use quoteclock_sheets::{Findings, Lined, quoted};
use std::collections::{BTreeMap, BTreeSet};

/// What an issue's index is, as far as its name tells.
#[derive(Clone, Copy, PartialEq, Eq)]
enum IndexKind {
    /// One of the four of type A.
    Leading,
    /// Domestic stocks, REITs or bonds.
    Domestic,
    /// Foreign assets or commodities.
    Foreign,
}

/// Clause: `ST1/spread-and-quantity`.
const LEADING: [&str; 4] = ["Nikkei 225", "TOPIX", "JPX-Nikkei 400", "JPX Prime 150"];

/// Of the indices that ST-1 lists for diversified investment the domestic ones.
///
/// Clause: `ST1/diversified`.
const DIVERSIFIED_DOMESTIC: [&str; 5] = [
    "NOMURA-BPI Total",
    "DBI total",
    "NOMURA-BPI JGB",
    "Barclays Japan Government Float Adjusted Bond",
    "TSE REIT Index",
];

/// Beginnings of the names of other indices of domestic assets.
const DOMESTIC: [&str; 5] = ["TOPIX", "NIKKEI", "JPX", "TSE", "NOMURABPI"];

/// Others that are foreign or of commodities, by their whole name.
const FOREIGN: [&str; 3] = ["Gold", "Nifty 50", "Dow Jones Industrial Average"];

fn is_one_of(index: &str, list: &[&str]) -> bool {
    list.iter().any(|listed| same_index(listed, index))
}

fn kind_of(index: &str) -> Option<IndexKind> {
    let letters: String = index.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_uppercase();
    if is_one_of(index, &LEADING) {
        Some(IndexKind::Leading)
    } else if is_one_of(index, &DIVERSIFIED_DOMESTIC) || DOMESTIC.iter().any(|start| letters.starts_with(start)) {
        Some(IndexKind::Domestic)
    } else if is_diversified_index(index) || is_one_of(index, &FOREIGN) {
        Some(IndexKind::Foreign)
    } else {
        None
    }
}

/// Reports what contradicts the rules.
pub(super) fn warn(rows: &Rows, findings: &mut Findings) {
    // Thousands of issues have dozens of indices.
    let mut kinds: BTreeMap<&str, Option<IndexKind>> = BTreeMap::new();
    for Lined { line, value } in &rows.issues {
        let mut warn = |column, message| findings.warning(ISSUES.file, *line, column, message);
        if value.name.as_deref().is_some_and(is_named_a_note) {
            let message = "by its name it is an exchange-traded note, expected ETFs only: ETNs are not in the scheme (ST1/target)";
            warn("name", message.to_owned());
        }
        let kind = value.index.as_deref().and_then(|index| *kinds.entry(index).or_insert_with(|| kind_of(index)));
        if let Some(expected) = type_expected(value, kind) {
            let index = value.index.as_deref().map_or(String::new(), |index| format!(" of {index}"));
            let what = match (value.leveraged_inverse, value.active) {
                (true, _) => "a leveraged or inverse ETF",
                (false, true) => "an actively managed ETF",
                (false, false) => "an ETF",
            };
            let found = &value.type_name;
            warn(
                "type",
                format!("found type {found} for {what}{index}, expected {expected} (ST1/spread-and-quantity)"),
            );
        }
        if value.leveraged_inverse && value.tier.is_some_and(|tier| tier != Tier::V) {
            let message = "found another tier than V, expected V or nothing: a leveraged or inverse ETF always has it (ST1/tiers)";
            warn("tier", message.to_owned());
        }
        if value.diversified {
            if value.leveraged_inverse {
                warn(
                    "diversified",
                    "found true for a leveraged or inverse ETF, expected false (ST1/diversified)".to_owned(),
                );
            } else if let Some(index) = value.index.as_deref()
                && !is_diversified_index(index)
            {
                let message = format!(
                    "found true for {}, expected false: it is not among the indices for diversified investment \
                     (ST1/diversified)",
                    quoted(index)
                );
                warn("diversified", message);
            }
        }
    }
    participants(rows, findings);
    conditions(rows, findings);
}

/// Whether a name says that it is of an exchange-traded note.
///
/// Clause: `ST1/target`.
fn is_named_a_note(name: &str) -> bool {
    let mut words = name.split(|letter: char| !letter.is_ascii_alphanumeric());
    let lower = name.to_ascii_lowercase();
    words.any(|word| matches!(word, "ETN" | "ETNs"))
        || ["exchange traded note", "exchange-traded note"].iter().any(|words| lower.contains(words))
}

/// The types that an issue may have, unless its own is one of them. Type D is one by one, for what is of type C otherwise.
///
/// Clause: `ST1/spread-and-quantity`.
fn type_expected(issue: &Issue, kind: Option<IndexKind>) -> Option<&'static str> {
    let expected: &'static [&'static str] = match (issue.leveraged_inverse || issue.active, kind) {
        (false, Some(IndexKind::Leading)) => &["A"],
        (true, Some(IndexKind::Leading)) | (_, Some(IndexKind::Domestic)) => &["B"],
        (_, Some(IndexKind::Foreign)) => &["C", "D"],
        // Without a name that tells, what does not depend on it.
        (true, None) => &["B", "C", "D"],
        (false, None) if issue.index.is_some() => &["B", "C", "D"],
        (false, None) => return None,
    };
    let known = ["A", "B", "C", "D"].contains(&issue.type_name.as_str());
    let is_expected = expected.contains(&issue.type_name.as_str());
    (known && !is_expected).then_some(match expected.len() {
        1 => expected[0],
        2 => "C, or D if it is designated",
        _ => "B, C or D",
    })
}

/// An agency quotes through a trading participant; payments go there.
///
/// Clause: `ST1/participant`.
fn participants(rows: &Rows, findings: &mut Findings) {
    let is_agency = |kind: &str| {
        let kind = kind.to_ascii_lowercase();
        kind.contains("agency") || kind.contains("low latency")
    };
    let agencies: BTreeSet<&str> = rows
        .market_makers
        .iter()
        .filter(|row| row.value.kind.as_deref().is_some_and(is_agency))
        .map(|row| row.value.market_maker.as_str())
        .collect();
    for Lined { line, value } in &rows.sign_ups {
        if value.participant.is_none() && agencies.contains(value.market_maker.as_str()) {
            let message = format!(
                "it is empty for {}, an agency, expected the trading participant that it signs up through (ST1/participant)",
                quoted(&value.market_maker)
            );
            findings.warning(SIGN_UPS.file, *line, "participant", message);
        }
    }
}

/// Conditions with more issues than they pay for, or with a share of time that looks like a fraction.
fn conditions(rows: &Rows, findings: &mut Findings) {
    for Lined { line, value } in rows.sponsored.iter().chain(&rows.matching) {
        let file = file_of(value.kind);
        if let Some(message) = value.coverage_pct.and_then(percent_doubt) {
            findings.warning(file, *line, "coverage_pct", message);
        }
        let (Target::Index(index), Some(most)) = (&value.target, value.issues_max) else { continue };
        let of_index: BTreeSet<_> = rows
            .issues
            .iter()
            .filter(|row| row.value.index.as_deref() == Some(index) && row.value.period.overlaps(value.period))
            .map(|row| &row.value.code)
            .collect();
        if most < of_index.len() as u64 {
            let message = format!(
                "found {most}, while {} issues have {} as their index: the first by listing are paid \
                 (ST1/matching-obligation)",
                of_index.len(),
                quoted(index)
            );
            findings.warning(file, *line, "max_issues", message);
        }
    }
}
