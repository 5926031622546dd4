//! Warnings: what the rulebook asks of an application but no measurement depends on, and what looks like a slip.
//!
//! Nothing here stops or changes a measurement. What concerns more than one file is looked at only where no file has an
//! error, since a row that could not be read would bring warnings that vanish with it.

use super::files::{EXEMPTIONS, HOLIDAYS, MARKET_MAKERS, MATCHING, Names, Rows, SERVERS, SIGN_UPS, SPONSORED, file_of};
use super::matching as matching_tables;
use super::{PaidCondition, PaymentMethod, Server, SignUp, Target, applications, classes};
use crate::Period;
use jiff::ToSpan;
use jiff::civil::{Date, Weekday};
use quoteclock_model::{Amount, Bps, IssueCode};
use quoteclock_sheets::{DateSet, Findings, Lined, quoted};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What is looked up by issue, for each of very many rows.
type ByIssue<'r, T> = HashMap<&'r IssueCode, T, foldhash::quality::RandomState>;

/// Reports everything administrative.
pub(super) fn warn(rows: &Rows, findings: &mut Findings) {
    single_rows(rows, findings);
    if !findings.has_errors() {
        effective_dates(rows, findings);
        groups(&rows.sponsored, findings);
        names(rows, findings);
        servers(rows, findings);
        sign_ups(rows, findings);
        classes::warn(rows, findings);
        matching_tables::warn(rows, findings);
        applications::warn(rows, findings);
    }
}

/// What a row shows by itself.
fn single_rows(rows: &Rows, findings: &mut Findings) {
    for Lined { line, value } in &rows.exemptions {
        if value.from.is_some() && value.from == value.to {
            let message = "from and to are the same instant: the exemption holds no time (ST1/exemption)".to_owned();
            findings.warning(EXEMPTIONS.file, *line, "to", message);
        }
    }
    for Lined { line, value } in &rows.holidays {
        if matches!(value.date.weekday(), Weekday::Saturday | Weekday::Sunday) {
            let message = format!("{} is a weekend day, expected a weekday", value.date);
            findings.warning(HOLIDAYS.file, *line, "date", message);
        }
    }
    for row in &rows.sponsored {
        sponsored_amount(row, findings);
        sponsored_period(row, findings);
        aum_part(row, findings);
    }
    for row in &rows.matching {
        matching(row, rows.scheme.required_pct(), findings);
        matching_period(row, findings);
        aum_part(row, findings);
    }
}

/// Clause: `ST1/sponsored-amount`.
fn sponsored_amount(Lined { line, value }: &Lined<PaidCondition>, findings: &mut Findings) {
    const YEN: u128 = 10_000;
    if let Some(total) = value.payment.total
        && !(100_000 * YEN..=1_000_000 * YEN).contains(&total.0)
    {
        let message = format!("found {total}, expected 100000 to 1000000 a month and ETF (ST1/sponsored-amount)");
        findings.warning(SPONSORED.file, *line, "total_jpy", message);
    }
}

/// Clause: `ST1/sponsored-amount`.
fn aum_part(Lined { line, value }: &Lined<PaidCondition>, findings: &mut Findings) {
    let Some(part) = value.payment.aum_part else { return };
    let file = file_of(value.kind);
    if value.payment.total.is_some_and(|total| total < part) {
        let total = value.payment.total.map_or(String::new(), |total| total.to_string());
        let message = format!("found {part}, expected a part of total_jpy, {total} or less (ST1/sponsored-amount)");
        findings.warning(file, *line, "aum_part_jpy", message);
    }
    if value.payment.aum_trigger.is_none_or(|Amount(trigger)| trigger == 0) {
        let message = "found a part that depends on the assets under management, expected aum_trigger_jpy beside it \
                       (ST1/sponsored-amount)";
        findings.warning(file, *line, "aum_part_jpy", message.to_owned());
    }
}

/// Clause: `ST1/sponsored-period`.
fn sponsored_period(Lined { line, value }: &Lined<PaidCondition>, findings: &mut Findings) {
    const EXPECTED: &str = "expected a condition of 3 to 12 months (ST1/sponsored-period)";
    let (Some(from), Some(to)) = (value.period.from, value.period.to) else {
        let column = if value.period.from.is_none() { "from" } else { "to" };
        findings.warning(SPONSORED.file, *line, column, format!("it is open, {EXPECTED}"));
        return;
    };
    let months_later = |months: i64| from.checked_add(months.months()).unwrap_or(Date::MAX);
    let end = to.tomorrow().unwrap_or(Date::MAX);
    if end < months_later(3) || months_later(12) < end {
        findings.warning(SPONSORED.file, *line, "to", format!("found {from} to {to}, {EXPECTED}"));
    }
}

/// Clauses: `ST1/matching-makers`, `ST1/matching-obligation`.
fn matching(Lined { line, value }: &Lined<PaidCondition>, required_pct: u64, findings: &mut Findings) {
    if let Some(makers) = value.payment.makers_max
        && !(1..=2).contains(&makers)
    {
        let message = format!("found {makers}, expected 1 or 2 (ST1/matching-makers)");
        findings.warning(MATCHING.file, *line, "max_makers", message);
    }
    if let Some(coverage) = value.coverage_pct
        && coverage != required_pct
    {
        // Both are ten-thousandths, as basis points are.
        let (found, expected) = (Bps(coverage), Bps(required_pct));
        let message =
            format!("found {found}, expected {expected} as for every matching fund (ST1/matching-obligation)");
        findings.warning(MATCHING.file, *line, "coverage_pct", message);
    }
}

/// Six months, and again where they have been prolonged.
///
/// Clause: `ST1/matching-period`.
fn matching_period(Lined { line, value }: &Lined<PaidCondition>, findings: &mut Findings) {
    let (Some(from), Some(to)) = (value.period.from, value.period.to) else { return };
    let end = to.tomorrow().unwrap_or(Date::MAX);
    let mut ends = (1..).map_while(|times: i64| from.checked_add((6 * times).months()).ok());
    if ends.find(|six| end <= *six).is_none_or(|six| six != end) {
        let message = format!("found {from} to {to}, expected six months, or several times six (ST1/matching-period)");
        findings.warning(MATCHING.file, *line, "to", message);
    }
}

/// Changes take effect with a month, those of a newly listed issue also within its first.
///
/// Clause: `ST1/effective-date`.
fn effective_dates(rows: &Rows, findings: &mut Findings) {
    let mut listed: ByIssue<'_, Vec<Date>> = ByIssue::default();
    for Lined { value, .. } in &rows.issues {
        listed.entry(&value.code).or_default().extend(value.listed);
    }
    let listed = |issue: Option<&IssueCode>| issue.and_then(|issue| listed.get(issue)).map_or(&[][..], Vec::as_slice);
    for Lined { line, value } in &rows.servers {
        effective_date(SERVERS.file, *line, value.period, &[], findings);
    }
    for Lined { line, value } in &rows.sign_ups {
        effective_date(SIGN_UPS.file, *line, value.period, listed(Some(&value.issue)), findings);
    }
    for Lined { line, value } in rows.sponsored.iter().chain(&rows.matching) {
        let issue = match &value.target {
            Target::Issue(issue) => Some(issue),
            Target::Index(_) => None,
        };
        effective_date(file_of(value.kind), *line, value.period, listed(issue), findings);
    }
}

fn effective_date(file: &str, line: u64, period: Period, listed: &[Date], findings: &mut Findings) {
    let first_of_month = |date: Date| date.day() == 1;
    if let Some(from) = period.from
        && !first_of_month(from)
        && !listed.iter().any(|listed| listed.first_of_month() == from.first_of_month())
    {
        let message = format!("found {from}, expected the first day of a month (ST1/effective-date)");
        findings.warning(file, line, "from", message);
    }
    if let Some(to) = period.to
        && to.tomorrow().is_ok_and(|next| !first_of_month(next))
    {
        let message = format!("found {to}, expected the last day of a month (ST1/effective-date)");
        findings.warning(file, line, "to", message);
    }
}

/// A group of ETFs is paid a fixed amount.
///
/// Clause: `ST1/sponsored-grouping`.
fn groups(sponsored: &[Lined<PaidCondition>], findings: &mut Findings) {
    let mut targets: BTreeMap<&str, BTreeSet<&Target>> = BTreeMap::new();
    for Lined { value, .. } in sponsored {
        targets.entry(&value.name).or_default().insert(&value.target);
    }
    for Lined { line, value } in sponsored {
        let issues = targets.get(value.name.as_str()).map_or(0, BTreeSet::len);
        if issues > 1 && value.payment.method == Some(PaymentMethod::Proportional) {
            let message =
                format!("found proportional in a group of {issues} ETFs, expected fixed (ST1/sponsored-grouping)");
            findings.warning(SPONSORED.file, *line, "payment", message);
        }
    }
}

/// Conditions and exemptions that apply to nothing, and conditions on an ETF of another asset manager.
fn names(rows: &Rows, findings: &mut Findings) {
    let market_makers: BTreeSet<&str> = rows.market_makers.iter().map(|row| row.value.market_maker.as_str()).collect();
    let indices: BTreeSet<&str> = rows.issues.iter().filter_map(|row| row.value.index.as_deref()).collect();
    let mut managers: BTreeMap<&IssueCode, BTreeSet<&str>> = BTreeMap::new();
    for Lined { value, .. } in &rows.issues {
        managers.entry(&value.code).or_default().extend(value.asset_manager.as_deref());
    }
    for Lined { line, value } in rows.sponsored.iter().chain(&rows.matching) {
        let file = file_of(value.kind);
        match &value.target {
            Target::Issue(issue) => match (managers.get(issue), value.payment.asset_manager.as_deref()) {
                (None, _) => findings.warning(file, *line, "issue", no_row("an issue", issue.as_str())),
                (Some(own), Some(manager)) if !own.is_empty() && !own.contains(manager) => {
                    let expected = "expected the asset manager that issues.csv names (ST1/sponsored-obligation)";
                    let message = format!("found {}, {expected}", quoted(manager));
                    findings.warning(file, *line, "asset_manager", message);
                }
                _ => {}
            },
            Target::Index(index) if !indices.contains(index.as_str()) => {
                let message = format!("found {}, which no row of issues.csv has as its index", quoted(index));
                findings.warning(file, *line, "index", message);
            }
            Target::Index(_) => {}
        }
    }
    for Lined { line, value } in &rows.exemptions {
        if let Some(issue) = value.issue.as_ref().filter(|issue| !managers.contains_key(issue)) {
            findings.warning(EXEMPTIONS.file, *line, "issue", no_row("an issue", issue.as_str()));
        }
        if let Some(name) = value.market_maker.as_deref().filter(|name| !market_makers.contains(name)) {
            findings.warning(EXEMPTIONS.file, *line, "market_maker", no_row("a market maker", name));
        }
    }
}

fn no_row(what: &str, name: &str) -> String {
    format!("found {}, expected {what} that a row defines: this row applies to nothing", quoted(name))
}

/// A sign-up without a server in force is measured, and unfulfilled.
///
/// Clauses: `ST1/virtual-server-measuring`, `ST1/participant`.
fn servers(rows: &Rows, findings: &mut Findings) {
    let mut all: BTreeMap<&str, Vec<Period>> = BTreeMap::new();
    let mut by_participant: BTreeMap<(&str, Option<&str>), Vec<Period>> = BTreeMap::new();
    for Lined { value: Server { market_maker, participant, period, .. }, .. } in &rows.servers {
        all.entry(market_maker).or_default().push(*period);
        by_participant.entry((market_maker, participant.as_deref())).or_default().push(*period);
    }
    // The dates depend on the market maker and the participant only: computed once for each pair.
    let mut dates: HashMap<(&str, Option<&str>), DateSet, foldhash::quality::RandomState> = HashMap::default();
    for Lined { line, value: SignUp { market_maker, participant, period, .. } } in &rows.sign_ups {
        let key = (market_maker.as_str(), participant.as_deref());
        let served = dates.entry(key).or_insert_with(|| match key {
            (market_maker, None) => DateSet::union(all.get(market_maker).into_iter().flatten().copied()),
            (market_maker, _) => {
                let serving = [by_participant.get(&key), by_participant.get(&(market_maker, None))];
                DateSet::union(serving.into_iter().flatten().flatten().copied())
            }
        });
        let Some(missing) = served.first_missing(*period) else { continue };
        let since = if missing == Date::MIN { "since ever".to_owned() } else { format!("on {missing}") };
        let message = format!(
            "no virtual server of {} is in force for it {since}, expected one throughout: without one nothing is \
             fulfilled (ST1/virtual-server-measuring)",
            quoted(market_maker)
        );
        findings.warning(SIGN_UPS.file, *line, "market_maker", message);
    }
}

/// Sign-ups that are never measured, and market makers that cannot reach the number of ETFs.
///
/// Clause: `ST1/number-of-etfs`.
fn sign_ups(rows: &Rows, findings: &mut Findings) {
    let etfs_required = usize::try_from(rows.scheme.incentives().etfs_required).unwrap_or(usize::MAX);
    let mut issues: ByIssue<'_, (Vec<Period>, bool)> = ByIssue::default();
    for Lined { value, .. } in &rows.issues {
        let (periods, is_counted) = issues.entry(&value.code).or_default();
        periods.push(value.period);
        *is_counted |= !value.leveraged_inverse;
    }
    let issues: ByIssue<'_, (DateSet, bool)> = issues
        .into_iter()
        .map(|(issue, (periods, is_counted))| (issue, (DateSet::union(periods), is_counted)))
        .collect();
    let mut etfs: BTreeMap<&str, Names<&IssueCode>> = BTreeMap::new();
    for Lined { line, value } in &rows.sign_ups {
        let of_issue = issues.get(&value.issue);
        if !of_issue.is_some_and(|(dates, _)| dates.overlaps(value.period)) {
            let message = format!("no row of {} is in force while it is: it is never measured", value.issue);
            findings.warning(SIGN_UPS.file, *line, "issue", message);
        }
        if of_issue.is_some_and(|(_, is_counted)| *is_counted) {
            etfs.entry(&value.market_maker).or_default().insert(&value.issue);
        }
    }
    for Lined { line, value } in &rows.market_makers {
        let count = etfs.get(value.market_maker.as_str()).map_or(0, Names::len);
        if count < etfs_required {
            let message = format!(
                "found sign-ups for {count} ETFs other than leveraged or inverse ones, expected at least {etfs_required} \
                 (ST1/number-of-etfs)"
            );
            findings.warning(MARKET_MAKERS.file, *line, "market_maker", message);
        }
    }
}
