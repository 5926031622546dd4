//! From the cells of one row to one typed row, file by file. A row with a fault yields nothing and reports all of its
//! faults.

use super::files::KnownNames;
use super::{
    Application, ConditionKind, ExcludedDay, Exemption, FastMarket, Holiday, Issue, IssueLimits, MarketMaker,
    PaidCondition, Payment, PaymentMethod, Priority, Server, SignUp, Stress, StressTime, Target, Tier,
};
use crate::value::{self, Expected};
use crate::{Period, Terms};
use quoteclock_model::IssueCode;
use quoteclock_sheets::{Findings, Row, quoted};
use std::collections::BTreeSet;
use std::fmt::Display;

/// What a reference may be.
struct Known<'a, T> {
    /// Whether it is one of the names; of any, where not all are known.
    has: &'a dyn Fn(&T) -> bool,
    /// What to say was expected.
    expected: &'a dyn Fn() -> String,
}

/// The value of `column`, checked to be one of `known`.
fn reference<T: Display>(
    row: &Row<'_>,
    column: &str,
    parse: fn(&str) -> Result<T, Expected>,
    known: &Known<'_, T>,
    findings: &mut Findings,
) -> Option<T> {
    let value = row.required(column, parse, findings)?;
    if (known.has)(&value) {
        return Some(value);
    }
    let zeroed = parse(&format!("0{value}")).ok().filter(known.has);
    let hint = zeroed.map_or(String::new(), |name| format!(" ({name}? spreadsheets drop leading zeros)"));
    row.fault(column, format!("found {}, {}{hint}", quoted(&value.to_string()), (known.expected)()), findings)
}

fn known_issue(row: &Row<'_>, names: &KnownNames, findings: &mut Findings) -> Option<IssueCode> {
    let expected = || "expected an issue that a row of issues.csv defines".to_owned();
    let has = |issue: &IssueCode| names.issues.as_ref().is_none_or(|names| names.contains(issue));
    reference(row, "issue", value::issue, &Known { has: &has, expected: &expected }, findings)
}

fn known_market_maker(row: &Row<'_>, names: &KnownNames, findings: &mut Findings) -> Option<String> {
    let expected = || "expected a market maker that a row of market_makers.csv defines".to_owned();
    let has = |name: &String| names.market_makers.as_ref().is_none_or(|names| names.contains(name));
    reference(row, "market_maker", value::name, &Known { has: &has, expected: &expected }, findings)
}

/// A reference to a part of the scheme: `what` says which, `names` are those there are.
fn of_scheme(
    row: &Row<'_>,
    column: &str,
    what: &str,
    names: Option<&BTreeSet<String>>,
    findings: &mut Findings,
) -> Option<String> {
    let expected = || {
        let shown: Vec<&str> = names.into_iter().flatten().map(String::as_str).take(20).collect();
        format!("expected {what} of the scheme, such as {}", shown.join(", "))
    };
    let has = |name: &String| names.is_none_or(|names| names.contains(name));
    reference(row, column, value::name, &Known { has: &has, expected: &expected }, findings)
}

/// The columns `from` and `to` as inclusive dates.
fn period(row: &Row<'_>, findings: &mut Findings) -> Option<Period> {
    let (from, to) = (row.optional("from", value::date, findings), row.optional("to", value::date, findings));
    let period = Period { from: from?, to: to? };
    if let (Some(from), Some(to)) = (period.from, period.to)
        && to < from
    {
        return row.fault("to", format!("found {to}, which is before from, expected {from} or later"), findings);
    }
    Some(period)
}

fn boolean(row: &Row<'_>, column: &str, findings: &mut Findings) -> Option<bool> {
    row.optional(column, value::boolean, findings).map(Option::unwrap_or_default)
}

pub(super) fn issue(row: &Row<'_>, names: &KnownNames, findings: &mut Findings) -> Option<Issue> {
    let code = row.required("issue", value::issue, findings);
    let type_name = of_scheme(row, "type", "a type", names.types.as_ref(), findings);
    let tick_table = of_scheme(row, "tick_table", "a tick table", names.tick_tables.as_ref(), findings);
    let leveraged_inverse = boolean(row, "leveraged_inverse", findings);
    let active = boolean(row, "active", findings);
    let index = row.optional("index", value::name, findings);
    let trading_unit = row.optional("trading_unit", value::count, findings);
    let tier = row.optional("tier", tier, findings);
    let diversified = boolean(row, "diversified", findings);
    let listed = row.optional("listed", value::date, findings);
    let asset_manager = row.optional("asset_manager", value::name, findings);
    let aum = row.optional("aum_jpy", value::money, findings);
    let limits = issue_limits(row, findings);
    let windows = row.optional("windows", windows, findings);
    let name = row.text("name", findings);
    let period = period(row, findings);
    Some(Issue {
        code: code?,
        name: name?,
        type_name: type_name?,
        leveraged_inverse: leveraged_inverse?,
        active: active?,
        index: index?,
        tick_table: tick_table?,
        trading_unit: trading_unit?,
        tier: tier?,
        diversified: diversified?,
        listed: listed?,
        asset_manager: asset_manager?,
        aum: aum?,
        limits: limits?,
        windows: windows?.unwrap_or_default(),
        period: period?,
    })
}

/// Clause: `BIT/limits-of-the-issue`.
fn issue_limits(row: &Row<'_>, findings: &mut Findings) -> Option<IssueLimits> {
    let bps = row.optional("max_spread_bps", value::bps, findings);
    let value_min = row.optional("min_value", value::value_min, findings);
    let quantity_min = row.optional("min_quantity", value::quantity_min, findings);
    let reference_price = row.optional("reference_price", value::price, findings);
    Some(IssueLimits {
        spread_bps_max: bps?,
        value_min: value_min?,
        quantity_min: quantity_min?,
        reference_price: reference_price?,
    })
}

fn tier(text: &str) -> Result<Tier, Expected> {
    match text {
        "I" => Ok(Tier::I),
        "II" => Ok(Tier::II),
        "III" => Ok(Tier::III),
        "IV" => Ok(Tier::IV),
        "V" => Ok(Tier::V),
        _ => Err("expected a tier: I, II, III, IV or V"),
    }
}

pub(super) fn market_maker(row: &Row<'_>, _: &KnownNames, findings: &mut Findings) -> Option<MarketMaker> {
    let market_maker = row.required("market_maker", value::name, findings);
    let (name, kind) = (row.text("name", findings), row.text("kind", findings));
    Some(MarketMaker { market_maker: market_maker?, name: name?, kind: kind? })
}

pub(super) fn server(row: &Row<'_>, names: &KnownNames, findings: &mut Findings) -> Option<Server> {
    let server = row.required("server", value::name, findings);
    let market_maker = known_market_maker(row, names, findings);
    let participant = row.optional("participant", value::name, findings);
    let period = period(row, findings);
    Some(Server { server: server?, market_maker: market_maker?, participant: participant?, period: period? })
}

pub(super) fn sign_up(row: &Row<'_>, names: &KnownNames, findings: &mut Findings) -> Option<SignUp> {
    let market_maker = known_market_maker(row, names, findings);
    let issue = known_issue(row, names, findings);
    let participant = row.optional("participant", value::name, findings);
    let period = period(row, findings);
    Some(SignUp { market_maker: market_maker?, issue: issue?, participant: participant?, period: period? })
}

/// A row of `fast_market.csv`.
pub(super) enum Fast {
    /// Of whole dates.
    Market(FastMarket),
    /// Of other multipliers, or of part of a day.
    Stress(Stress),
}

/// Clauses: `ST1/fast-market`, `XETRA/stress`.
pub(super) fn fast_market(row: &Row<'_>, _: &KnownNames, findings: &mut Findings) -> Option<Fast> {
    let is_stress = ["spread_multiplier", "size_multiplier"].iter().any(|column| !row.cell(column).is_empty());
    let is_instant = ["from", "to"].iter().any(|column| row.cell(column).contains('T'));
    if is_stress && !row.cell("multiplier").is_empty() {
        let message = "found it beside spread_multiplier or size_multiplier, expected it alone, or those";
        return row.fault("multiplier", message.to_owned(), findings);
    }
    let declared = if is_stress { None } else { Some(row.required("multiplier", multiplier, findings)) };
    let spread = row.optional("spread_multiplier", times, findings);
    let size = row.optional("size_multiplier", times, findings);
    let time = if is_instant { instants(row, findings) } else { period(row, findings).map(StressTime::Dates) };
    let (spread, size, time) = (spread?.unwrap_or(value::SCALE), size?.unwrap_or(value::SCALE), time?);
    Some(match (declared, time) {
        (Some(multiplier), StressTime::Dates(period)) => Fast::Market(FastMarket { multiplier: multiplier?, period }),
        (Some(multiplier), time) => {
            Fast::Stress(Stress { spread: u64::from(multiplier?) * value::SCALE, size: value::SCALE, time })
        }
        (None, time) => Fast::Stress(Stress { spread, size, time }),
    })
}

/// The columns `from` and `to` as instants, the latter not included.
fn instants(row: &Row<'_>, findings: &mut Findings) -> Option<StressTime> {
    let (from, to) = (row.optional("from", value::instant, findings), row.optional("to", value::instant, findings));
    let (from, to) = (from?, to?);
    if let (Some(start), Some(end)) = (from, to)
        && end < start
    {
        let message = format!("found {}, which is before from, expected {} or later", row.cell("to"), row.cell("from"));
        return row.fault("to", message, findings);
    }
    Some(StressTime::Instants { from, to })
}

/// How many times, in ten-thousandths.
fn times(text: &str) -> Result<u64, Expected> {
    let within = |times: &u64| (1..=1_000 * value::SCALE).contains(times);
    let times = value::decimal(text).ok().filter(within);
    times.ok_or("expected a number above 0 and at most 1000, with at most 4 decimals, such as 2 or 0.5")
}

/// Windows of local clock times, joined by `;`.
fn windows(text: &str) -> Result<Vec<(u64, u64)>, Expected> {
    const EXPECTED: Expected =
        "expected windows of local clock times as HH:MM-HH:MM that start before they end, joined by ;";
    let window = |text: &str| {
        let (start, end) = text.split_once('-').ok_or(EXPECTED)?;
        let window = (value::clock(start).map_err(|_| EXPECTED)?, value::clock(end).map_err(|_| EXPECTED)?);
        if window.0 < window.1 { Ok(window) } else { Err(EXPECTED) }
    };
    text.split(';').map(window).collect()
}

fn multiplier(text: &str) -> Result<u32, Expected> {
    match value::whole(text) {
        Ok(2) => Ok(2),
        Ok(4) => Ok(4),
        _ => Err("expected 2 or 4"),
    }
}

/// Clause: `ST1/exemption`.
pub(super) fn exemption(row: &Row<'_>, _: &KnownNames, findings: &mut Findings) -> Option<Exemption> {
    let issue = row.required("issue", issue_or_all, findings);
    let market_maker = row.optional("market_maker", value::name, findings);
    let (from, to) = (row.optional("from", value::instant, findings), row.optional("to", value::instant, findings));
    let reason = row.text("reason", findings);
    let (from, to) = (from?, to?);
    if let (Some(from), Some(to)) = (from, to)
        && to < from
    {
        let message = format!("found {}, which is before from, expected {} or later", row.cell("to"), row.cell("from"));
        return row.fault("to", message, findings);
    }
    Some(Exemption { issue: issue?, market_maker: market_maker?, from, to, reason: reason? })
}

/// Clause: `WBAG/days-left-out`.
pub(super) fn excluded_day(row: &Row<'_>, _: &KnownNames, findings: &mut Findings) -> Option<ExcludedDay> {
    let date = row.required("date", value::date, findings);
    let issue = row.required("issue", issue_or_all, findings);
    let market_maker = row.optional("market_maker", value::name, findings);
    let reason = row.text("reason", findings);
    let only_if_failed = boolean(row, "only_if_failed", findings);
    Some(ExcludedDay {
        date: date?,
        issue: issue?,
        market_maker: market_maker?.filter(|name| name != "*"),
        reason: reason?,
        only_if_failed: only_if_failed?,
    })
}

fn issue_or_all(text: &str) -> Result<Option<IssueCode>, Expected> {
    if text == "*" {
        return Ok(None);
    }
    value::issue(text).map(Some).map_err(|_| "expected an issue's code, or * for all issues")
}

/// Clause: `ST1/sponsored-obligation`.
pub(super) fn sponsored(row: &Row<'_>, _: &KnownNames, findings: &mut Findings) -> Option<PaidCondition> {
    let issue = row.required("issue", value::issue, findings);
    condition(row, ConditionKind::Sponsored, issue.map(Target::Issue), findings)
}

/// Clause: `ST1/matching-obligation`.
pub(super) fn matching(row: &Row<'_>, _: &KnownNames, findings: &mut Findings) -> Option<PaidCondition> {
    let issue = row.optional("issue", value::issue, findings);
    let index = row.optional("index", value::name, findings);
    let target = match (issue, index) {
        (Some(Some(issue)), Some(_)) => Some(Target::Issue(issue)),
        (Some(None), Some(Some(index))) => Some(Target::Index(index)),
        (Some(None), Some(None)) => {
            row.fault("issue", "both issue and index are empty, expected one of them".to_owned(), findings)
        }
        _ => None,
    };
    condition(row, ConditionKind::Matching, target, findings)
}

fn condition(
    row: &Row<'_>,
    kind: ConditionKind,
    target: Option<Target>,
    findings: &mut Findings,
) -> Option<PaidCondition> {
    let name = row.required("condition", value::name, findings);
    let terms = terms(row, findings);
    let coverage_pct = row.optional("coverage_pct", value::percent, findings);
    let period = period(row, findings);
    let payment = payment(row, findings);
    let issues_max = row.optional("max_issues", value::count, findings);
    Some(PaidCondition {
        kind,
        name: name?,
        target: target?,
        terms: terms?,
        coverage_pct: coverage_pct?,
        period: period?,
        payment: payment?,
        issues_max: issues_max?,
    })
}

/// Clause: `ST1/spread-and-quantity`.
fn terms(row: &Row<'_>, findings: &mut Findings) -> Option<Terms> {
    let bps = row.optional("max_spread_bps", value::bps, findings);
    let ticks = row.optional("max_spread_ticks", value::ticks, findings);
    let value_min = row.required("min_value_jpy", value::value_min, findings);
    if let (Some(None), Some(None)) = (bps, ticks) {
        let message = "both spread limits are empty, expected max_spread_bps or max_spread_ticks or both";
        return row.fault("max_spread_bps", message.to_owned(), findings);
    }
    Some(Terms { spread_bps_max: bps?, spread_ticks_max: ticks?, value_min: Some(value_min?), ..Terms::default() })
}

fn payment(row: &Row<'_>, findings: &mut Findings) -> Option<Payment> {
    let asset_manager = row.optional("asset_manager", value::name, findings);
    let total = row.optional("total_jpy", value::money, findings);
    let method = row.optional("payment", payment_method, findings);
    let makers_max = row.optional("max_makers", value::count, findings);
    let priority = row.optional("priority", priority, findings);
    let aum_trigger = row.optional("aum_trigger_jpy", value::money, findings);
    let aum_part = row.optional("aum_part_jpy", value::money, findings);
    let priority_default = || vec![Priority::Volume, Priority::Time, Priority::SignUp];
    Some(Payment {
        asset_manager: asset_manager?,
        total: total?,
        method: method?,
        makers_max: makers_max?,
        priority: priority?.unwrap_or_else(priority_default),
        aum_trigger: aum_trigger?,
        aum_part: aum_part?,
    })
}

fn payment_method(text: &str) -> Result<PaymentMethod, Expected> {
    match text {
        "fixed" => Ok(PaymentMethod::Fixed),
        "proportional" => Ok(PaymentMethod::Proportional),
        _ => Err("expected fixed or proportional"),
    }
}

fn priority(text: &str) -> Result<Vec<Priority>, Expected> {
    const EXPECTED: Expected = "expected volume, time and signup separated by ; and each at most once";
    let mut order = Vec::new();
    for word in text.split(';') {
        let next = match word {
            "volume" => Priority::Volume,
            "time" => Priority::Time,
            "signup" => Priority::SignUp,
            _ => return Err(EXPECTED),
        };
        if order.contains(&next) {
            return Err(EXPECTED);
        }
        order.push(next);
    }
    Ok(order)
}

pub(super) fn application(row: &Row<'_>, _: &KnownNames, findings: &mut Findings) -> Option<Application> {
    super::applications::read(row, findings)
}

pub(super) fn holiday(row: &Row<'_>, _: &KnownNames, findings: &mut Findings) -> Option<Holiday> {
    let (date, name) = (row.required("date", value::date, findings), row.text("name", findings));
    Some(Holiday { date: date?, name: name? })
}
