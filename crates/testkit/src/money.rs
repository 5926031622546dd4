//! What follows from a month's stored days, in the plainest way there is: a second reading of the rules about money.
//!
//! [`settle`] reads the registry's files and the stored rows as text and whole numbers, goes through every combination of
//! market maker, issue and condition one after the other, works everything out anew wherever it is needed, and writes the
//! files that a report has. Sums are fractions; nothing is remembered.
//!
//! Deliberately absent: speed, the check of a registry, `scheme.toml` (its numbers come as [`SchemeNumbers`]).

mod conditions;
mod incentives;
mod makers;
mod numbers;
mod sums;
mod tiers;

use crate::text::rows;
use jiff::civil::{Date, Weekday};
use std::collections::{BTreeMap, BTreeSet};
use sums::Money;

/// The stored rows of some months, and the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The files of the registry folder: name and text.
    pub registry: Vec<(String, String)>,
    /// The numbers of its scheme.
    pub scheme: SchemeNumbers,
    /// The month to settle, such as `2024-03`.
    pub month: String,
    /// The dates that are stored.
    pub days: BTreeSet<Date>,
    /// Times of obligations.
    pub results: Vec<ResultRow>,
    /// Executions and orders of sign-ups.
    pub turnovers: Vec<TurnoverRow>,
    /// Continuous trading value of the market: date, issue, ten-thousandths of a yen.
    pub market: Vec<(Date, String, i128)>,
}

/// `[incentives]` of a scheme; decimal numbers as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemeNumbers {
    /// Number of ETFs.
    pub etfs_required: usize,
    /// Waived for an order.
    pub order_fee: String,
    /// Orders that count per ETF and day.
    pub orders_max: i128,
    /// A virtual server's fee.
    pub server_fee: String,
    /// From so many ETFs on so many servers.
    pub server_steps: Vec<(usize, usize)>,
    /// Beyond the last step.
    pub server_beyond: (usize, usize),
    /// Percentage of the six-month average.
    pub drop_pct: String,
    /// Its months.
    pub drop_months: i64,
    /// Months without the number of ETFs.
    pub revoke_months: i64,
    /// Average under, others, auction or market maker; tiers I to IV.
    pub tiers: Vec<[String; 3]>,
    /// The same for diversified issues, by tier.
    pub diversified: BTreeMap<String, [String; 3]>,
    /// `access_fee_issues = "signed_up"`.
    pub access_fee_signed_up: bool,
    /// `[aggregate]`.
    pub aggregate: AggregateNumbers,
    /// Names of the criteria that every issue asks for in place of `general`; mostly none.
    pub criteria: Vec<String>,
    /// How many of them are needed.
    pub need: Option<usize>,
}

/// `[aggregate]` of a scheme; percentages in ten-thousandths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the keys of the table")]
pub struct AggregateNumbers {
    pub month: String,
    pub days_pct: i128,
    pub max_days_below: Option<usize>,
    pub day_floor_pct: Option<i128>,
}

/// One obligation on one day.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the columns of the stored rows")]
pub struct ResultRow {
    pub date: Date,
    pub market_maker: String,
    pub issue: String,
    pub obligation: String,
    /// Ten-thousandths of a percent.
    pub required: i128,
    pub available: i128,
    pub fulfilled: i128,
}

/// One sign-up on one day. Values in ten-thousandths of a yen, quantities in shares.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the columns of the stored rows")]
pub struct TurnoverRow {
    pub date: Date,
    pub market_maker: String,
    pub issue: String,
    pub orders: i128,
    /// Value and quantity: against market makers, others and unnamed orders.
    pub continuous: [(i128, i128); 3],
    pub auction: [(i128, i128); 3],
}

/// The files of a report, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the text of the file of that name")]
pub struct Files {
    pub market_makers: String,
    pub criteria: String,
    pub incentives: String,
    pub conditions: String,
    pub tiers: String,
    pub recommendations: String,
    pub payments: String,
}

/// Settles the month of the case; `None` if a file of the registry cannot be read.
pub fn settle(case: &Case) -> Option<Files> {
    let file = |name: &str| {
        let text = case.registry.iter().find(|(of, _)| of == name).map_or("", |(_, text)| text);
        rows(text).unwrap_or_default()
    };
    let money = Money {
        case,
        issues: file("issues.csv"),
        servers: file("virtual_servers.csv"),
        signups: file("signups.csv"),
        sponsored: file("sponsored.csv"),
        matching: file("matching_funds.csv"),
        excluded: file("excluded_days.csv"),
        first: format!("{}-01", case.month).parse().ok()?,
    };
    Some(Files {
        market_makers: money.market_makers(),
        criteria: file_text("month,market_maker,issue,criteria,met,need,status,certain", money.criteria()),
        incentives: file_text(
            "month,market_maker,participant,issue,tier,incentive,basis,rate,amount_jpy,clause",
            money.incentives(),
        ),
        conditions: file_text(
            "month,condition,issue,market_maker,status,place,executed_quantity,trading_value_jpy,amount_jpy,\
             by_exchange_jpy,by_asset_manager_jpy,note",
            money.conditions(),
        ),
        tiers: money.tiers(),
        recommendations: file_text("month,market_maker,issue,recommendation,figure,clause", money.recommendations()),
        payments: money.payments(),
    })
}

/// A header and lines sorted field by field, bytewise.
fn file_text(header: &str, mut lines: Vec<Vec<String>>) -> String {
    lines.sort();
    let mut text = format!("{header}\n");
    for line in lines {
        text.push_str(&line.join(","));
        text.push('\n');
    }
    text
}

/// Whether a date is a weekday.
pub(crate) fn is_weekday(date: Date) -> bool {
    !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
}
