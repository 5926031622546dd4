//! What is added to each index.

use super::read::{CHINA_A_SHARES, MEMBERS, QUOTA, UNIVERSE};
use super::weights::weights;
use super::{Allocation, CHINA_A, Clause, Exact, Inclusion, Member, Quota, Rows, Usd, Weight};
use crate::{Decimal, Missing};
use jiff::civil::Date;
use num_bigint::BigUint;
use std::collections::BTreeMap;

/// What is added to each index of `members`, and the weights that follow, by index.
///
/// Interpretations: `QC/quota_spread`, `QC/custom_allocation`.
pub fn decide(allocation: Allocation, rows: &Rows) -> Vec<Inclusion> {
    let china_a: BTreeMap<&str, Option<Decimal>> =
        rows.china_a.iter().map(|row| (row.index.as_str(), row.net_market_cap)).collect();
    let mut indices: BTreeMap<&str, Vec<&Member>> = BTreeMap::new();
    for member in &rows.members {
        indices.entry(&member.index).or_default().push(member);
    }
    let quota = match allocation {
        Allocation::Quota(date) => Some(quota(date, rows)),
        _ => None,
    };
    let share = quota.as_ref().map(|quota| QuotaShare::new(quota.clone(), known(&china_a, UNIVERSE)));
    indices
        .into_iter()
        .map(|(index, mut members)| {
            members.sort_unstable_by(|a, b| a.country.cmp(&b.country));
            let own = known(&china_a, index);
            let base = sum(&members);
            let (added, clauses) = added(allocation, share.as_ref(), &own, &base);
            let missing: Missing = [added.as_ref().err(), base.as_ref().err()].into_iter().flatten().collect();
            let added = added.ok().filter(|_| missing.is_empty());
            Inclusion {
                index: index.to_owned(),
                quota: quota.clone().and_then(Result::ok).map(Usd),
                china_a: own.ok(),
                weights: lines(&members, added.as_ref()),
                added: added.map(Usd),
                clauses,
                missing,
            }
        })
        .collect()
}

/// The figure of a row of `china_a.csv`.
fn known(china_a: &BTreeMap<&str, Option<Decimal>>, index: &str) -> Result<Decimal, Missing> {
    china_a.get(index).copied().flatten().ok_or_else(|| Missing::row(CHINA_A_SHARES.file, index))
}

/// The value of an index before anything is added.
fn sum(members: &[&Member]) -> Result<Exact, Missing> {
    let empty: Vec<Missing> = members
        .iter()
        .filter(|member| member.net_market_cap.is_none())
        .map(|member| Missing::row(MEMBERS.file, &format!("{}/{}", member.index, member.country)))
        .collect();
    let values = members.iter().filter_map(|member| member.net_market_cap);
    empty.iter().collect::<Missing>().unless(exact(values.sum()))
}

/// A decimal as a fraction.
fn exact(number: Decimal) -> Exact {
    Exact::new(number.units().into(), Decimal::SCALE.into())
}

/// How much of an index's China A shares the quota allows.
struct QuotaShare {
    /// The share of the universe, at most all of it.
    share: Result<Exact, Missing>,
    /// Whether the quota is more than the universe.
    is_beyond: bool,
}

impl QuotaShare {
    fn new(quota: Result<Exact, Missing>, universe: Result<Decimal, Missing>) -> QuotaShare {
        let (quota, universe) = match (quota, universe) {
            (Ok(quota), Ok(universe)) => (quota, exact(universe)),
            (quota, universe) => {
                let missing = [quota.err(), universe.err()].iter().flatten().collect();
                return QuotaShare { share: Err(missing), is_beyond: false };
            }
        };
        let (one, is_beyond) = (Exact::from_integer(1_u8.into()), universe < quota);
        QuotaShare { share: Ok((quota / universe).min(one)), is_beyond }
    }
}

/// What is added to one index, and the clauses.
///
/// Clauses: `INC/no-quota`, `INC/quota`, `INC/market-value`, `INC/custom`.
fn added(
    allocation: Allocation,
    share: Option<&QuotaShare>,
    own: &Result<Decimal, Missing>,
    base: &Result<Exact, Missing>,
) -> (Result<Exact, Missing>, Vec<Clause>) {
    let own = own.clone().map(exact);
    match (allocation, share) {
        (Allocation::Quota(_), Some(QuotaShare { share, is_beyond })) => {
            let added = match (own, share) {
                (Ok(own), Ok(share)) => Ok(own * share),
                (own, share) => Err([own.as_ref().err(), share.as_ref().err()].into_iter().flatten().collect()),
            };
            let market_value = is_beyond.then_some(Clause::MarketValue);
            (added, [Clause::Quota].into_iter().chain(market_value).collect())
        }
        (Allocation::NoQuota | Allocation::Quota(_), _) => (own, vec![Clause::NoQuota]),
        (Allocation::Amount(amount), _) => (Ok(exact(amount)), vec![Clause::Custom]),
        (Allocation::Weight(percent), _) => {
            // The part of the whole that is not China A shares is what the index was before.
            let (percent, hundred) = (exact(percent), Exact::from_integer(100_u8.into()));
            let added = base.clone().map(|base| base * &percent / (hundred - &percent));
            (added, vec![Clause::Custom])
        }
    }
}

/// The aggregate quota of a date in US dollars: of each scheme the rows of its latest date not after it.
fn quota(date: Date, rows: &Rows) -> Result<Exact, Missing> {
    let mut latest: BTreeMap<&str, Date> = BTreeMap::new();
    for row in rows.quota.iter().filter(|row| row.date <= date) {
        let known = latest.entry(&row.scheme).or_insert(row.date);
        *known = row.date.max(*known);
    }
    if latest.is_empty() {
        return Err(Missing::file(QUOTA.file));
    }
    let in_force = rows.quota.iter().filter(|row| latest.get(row.scheme.as_str()) == Some(&row.date));
    let (mut missing, mut sum) = (Missing::default(), Exact::default());
    for row in in_force {
        match row.amount.zip(row.per_usd) {
            Some((amount, per_usd)) => sum += exact(amount) / exact(per_usd),
            None => missing.add(&empty_cells(row)),
        }
    }
    missing.unless(sum)
}

fn empty_cells(row: &Quota) -> Missing {
    let cells = [("amount", row.amount), ("per_usd", row.per_usd)];
    let empty: Vec<Missing> = cells
        .iter()
        .filter(|(_, cell)| cell.is_none())
        .map(|(column, _)| {
            let after = format!("/{}/{}/{column}", row.scheme, row.currency);
            Missing::one(format!("{}/", QUOTA.file), &row.date.to_string(), &after)
        })
        .collect();
    empty.iter().collect()
}

/// The lines of an index by country; without percentages where `added` is missing.
fn lines(members: &[&Member], added: Option<&Exact>) -> Vec<Weight> {
    let mut values: Vec<(&str, BigUint)> = members
        .iter()
        .map(|member| (member.country.as_str(), member.net_market_cap.unwrap_or_default().units().into()))
        .collect();
    values.push((CHINA_A, BigUint::default()));
    values.sort_unstable();
    let mut columns = None;
    if let Some(added) = added {
        let before: Vec<Exact> =
            values.iter().map(|(_, units)| Exact::new(units.clone(), Decimal::SCALE.into())).collect();
        let after = values.iter().zip(&before).map(
            |((country, _), value)| {
                if *country == CHINA_A { added.clone() } else { value.clone() }
            },
        );
        columns = Some((weights(&after.collect::<Vec<_>>()), weights(&before)));
    }
    let line = |(position, (country, _)): (usize, &(&str, BigUint))| Weight {
        country: (*country).to_owned(),
        before: columns.as_ref().and_then(|(_, before)| before.get(position).copied()),
        after: columns.as_ref().and_then(|(after, _)| after.get(position).copied()),
    };
    values.iter().enumerate().map(line).collect()
}
