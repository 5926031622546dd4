//! Matching funds beside the exchange's own tables: where their figures differ.

use super::files::{KnownNames, MATCHING, Rows};
use super::rows;
use super::{PaidCondition, PaymentMethod, Target};
use crate::templates;
use quoteclock_sheets::{Findings, Lined, SourceFile, optional};
use std::sync::LazyLock;

/// The exchange's tables.
static TABLES: LazyLock<Vec<PaidCondition>> = LazyLock::new(|| {
    let file = SourceFile { name: MATCHING.file.to_owned(), bytes: templates::MATCHING_FUNDS.into() };
    let mut findings = Findings::default();
    let table = optional(&[file], &MATCHING, &mut findings);
    let names = KnownNames::default();
    let rows = table
        .iter()
        .flat_map(quoteclock_sheets::Table::rows)
        .filter_map(|row| rows::matching(&row, &names, &mut findings));
    rows.collect::<Vec<PaidCondition>>()
});

/// Clause: `ST1/matching-tables`.
pub(super) fn warn(rows: &Rows, findings: &mut Findings) {
    for Lined { line, value } in &rows.matching {
        if value.payment.method == Some(PaymentMethod::Proportional) {
            let message =
                "found proportional, expected fixed: the first one or two share the total (ST1/matching-makers)";
            findings.warning(MATCHING.file, *line, "payment", message.to_owned());
        }
        let index = match &value.target {
            Target::Index(index) => Some(index.as_str()),
            Target::Issue(issue) => {
                let own = rows.issues.iter().map(|row| &row.value).filter(|row| row.code == *issue);
                own.filter(|row| row.period.overlaps(value.period)).find_map(|row| row.index.as_deref())
            }
        };
        let listed = index.and_then(|index| TABLES.iter().find(|row| is_of(row, index)));
        if let Some(listed) = listed {
            for (column, found, expected) in differences(value, listed) {
                let index = index.unwrap_or_default();
                let message =
                    format!("found {found}, expected {expected} as ST-1 has it for {index} (ST1/matching-tables)");
                findings.warning(MATCHING.file, *line, column, message);
            }
        }
    }
}

fn is_of(row: &PaidCondition, index: &str) -> bool {
    matches!(&row.target, Target::Index(listed) if templates::same_index(listed, index))
}

/// Column, found and expected. What a row leaves empty of the payment is not compared: it may not be known yet.
fn differences(row: &PaidCondition, listed: &PaidCondition) -> Vec<(&'static str, String, String)> {
    fn text<T: ToString>(value: Option<T>) -> String {
        value.map_or("nothing".to_owned(), |value| value.to_string())
    }
    let (terms, expected) = (&row.terms, &listed.terms);
    let (pay, pays) = (&row.payment, &listed.payment);
    let all = [
        ("max_spread_bps", text(terms.spread_bps_max), text(expected.spread_bps_max)),
        ("max_spread_ticks", text(terms.spread_ticks_max), text(expected.spread_ticks_max)),
        ("min_value_jpy", text(terms.value_min), text(expected.value_min)),
        ("total_jpy", text(pay.total.or(pays.total)), text(pays.total)),
        ("max_makers", text(pay.makers_max.or(pays.makers_max)), text(pays.makers_max)),
        ("max_issues", text(row.issues_max.or(listed.issues_max)), text(listed.issues_max)),
    ];
    all.into_iter().filter(|(_, found, expected)| found != expected).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use quoteclock_model::Amount;

    // clause: ST1/matching-tables
    #[test]
    fn the_tables_are_whole() {
        assert_eq!(TABLES.len(), 50, "18 of Japanese equity, 20 of foreign equity, 8 of bonds, 4 of REITs");
        let yen = |whole: u128| Some(Amount(whole * 10_000));
        for (index, value, ticks, bps, makers, total, issues) in [
            ("JPX Prime 150", 100_000_000, 2, 20, 2, 300_000, 1),
            ("TOPIX-17 BANKS", 30_000_000, 3, 25, 1, 150_000, 1),
            ("NASDAQ100", 100_000_000, 2, 30, 2, 400_000, 2),
            ("MSCI ACWI", 15_000_000, 2, 40, 2, 300_000, 2),
            ("S&P500 Energy", 30_000_000, 3, 30, 1, 200_000, 1),
            ("US Treasury 1-5 years", 100_000_000, 2, 15, 2, 200_000, 2),
            ("FTSE WGBI", 100_000_000, 2, 40, 2, 300_000, 2),
            ("TSE REIT Hotel & Retail Focus Index", 30_000_000, 1, 25, 2, 150_000, 1),
        ] {
            let row = TABLES.iter().find(|row| is_of(row, index)).expect(index);
            let terms = &row.terms;
            let found =
                (terms.value_min, terms.spread_ticks_max.map(|ticks| ticks.0), terms.spread_bps_max.map(|bps| bps.0));
            assert_eq!(found, (yen(value), Some(ticks), Some(bps * 10_000)), "{index}");
            assert_eq!(
                (row.payment.makers_max, row.payment.total, row.issues_max),
                (Some(makers), yen(total), Some(issues))
            );
            assert_eq!((row.coverage_pct, row.payment.method), (Some(800_000), Some(PaymentMethod::Fixed)), "{index}");
        }
    }
}
