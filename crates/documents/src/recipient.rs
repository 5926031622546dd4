//! Who has a paper of a month, and what of the month is theirs.

use jiff::civil::Date;
use quoteclock_incentive::{AccountKey, MonthLine, participant_on};
use quoteclock_model::{IssueCode, Paid};
use quoteclock_rules::{ConditionKind, Registry};
use std::collections::BTreeSet;

/// Who has a paper.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Recipient {
    /// An asset manager.
    AssetManager(String),
    /// A market maker.
    MarketMaker(String),
    /// A participant, of one market maker.
    Participant {
        /// The participant.
        participant: String,
        /// The market maker.
        market_maker: String,
    },
}

/// Who is told what was measured of `key` on `date`: the market maker; the participant that it ran through on the day; the
/// asset manager that managed the ETF on the day and has asked to be told of it, of `general` and of its own conditions.
///
/// Clauses: `ST1/performance-report`, `ST1/asset-manager-report`.
pub(crate) fn readers(registry: &Registry, key: &AccountKey, date: Date) -> Vec<Recipient> {
    let AccountKey { market_maker, issue, .. } = key;
    let participant = participant_on(registry, market_maker, issue, date);
    let manager = registry.issue_on(issue, date).and_then(|row| row.asset_manager.as_deref());
    let is_told = |name: &&str| has_consent(registry, name, issue, date) && is_condition_of(registry, key, name);
    let mut readers = vec![Recipient::MarketMaker(market_maker.clone())];
    readers.extend(participant.map(|participant| Recipient::Participant {
        participant: participant.to_owned(),
        market_maker: market_maker.clone(),
    }));
    readers.extend(manager.filter(is_told).map(|name| Recipient::AssetManager(name.to_owned())));
    readers
}

/// Whether an obligation is the scheme's own, or of a condition that nobody but the asset manager pays.
fn is_condition_of(registry: &Registry, key: &AccountKey, asset_manager: &str) -> bool {
    let (kind, name) = match key.obligation.paid() {
        Paid::Incentives => return true,
        Paid::Sponsor(name) => (ConditionKind::Sponsored, name),
        Paid::MatchingFund(name) => (ConditionKind::Matching, name),
    };
    let rows = registry.conditions().iter().filter(|row| row.kind == kind && row.name == name);
    rows.into_iter().all(|row| row.payment.asset_manager.as_deref().is_none_or(|payer| payer == asset_manager))
}

/// Whether nothing on record keeps an asset manager from its report on an issue, of a month with that date.
fn has_consent(registry: &Registry, asset_manager: &str, issue: &IssueCode, date: Date) -> bool {
    registry.may_have_report(asset_manager, issue, date.last_of_month()) != Some(false)
}

/// Everybody with a paper of a month, of its measured lines and dates. An asset manager without consent on record for any of
/// its ETFs is left out and comes in the second list.
///
/// Clauses: `ST1/performance-report`, `ST1/asset-manager-report`.
pub fn recipients(
    registry: &Registry,
    lines: &[MonthLine],
    measured: &BTreeSet<Date>,
) -> (BTreeSet<Recipient>, BTreeSet<String>) {
    let mut all: BTreeSet<Recipient> = BTreeSet::new();
    let mut without_consent: BTreeSet<String> = BTreeSet::new();
    let pairs: BTreeSet<(&str, &IssueCode)> =
        lines.iter().map(|line| (line.key.market_maker.as_str(), &line.key.issue)).collect();
    for (market_maker, issue) in pairs {
        all.insert(Recipient::MarketMaker(market_maker.to_owned()));
        for date in measured {
            if let Some(participant) = participant_on(registry, market_maker, issue, *date) {
                let market_maker = market_maker.to_owned();
                all.insert(Recipient::Participant { participant: participant.to_owned(), market_maker });
            }
            let manager = registry.issue_on(issue, *date).and_then(|row| row.asset_manager.as_deref());
            let Some(manager) = manager else { continue };
            if has_consent(registry, manager, issue, *date) {
                all.insert(Recipient::AssetManager(manager.to_owned()));
            } else {
                without_consent.insert(manager.to_owned());
            }
        }
    }
    without_consent.retain(|manager| !all.contains(&Recipient::AssetManager(manager.clone())));
    (all, without_consent)
}
