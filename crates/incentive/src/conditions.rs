//! Sponsored conditions and matching funds: who is eligible, in which place, and what is paid.
//!
//! A condition is decided for each of its issues by the row in force on the last date of the month on which it covers the
//! issue. Several issues of one sponsored condition are a group: all or nothing, and a fixed payment for each.

use crate::exact::{YEN, mul_div};
use crate::trading::{Trading, participant_on, sign_up_rows};
use crate::{MakerLine, Month, MonthLine, Status};
use jiff::civil::Date;
use quoteclock_ledger::DisplayPercent;
use quoteclock_model::{Amount, IssueCode};
use quoteclock_rules::{ConditionKind, Issue, PaidCondition, PaymentMethod, Priority, Registry, Target};
use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A row of `conditions.csv`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConditionLine {
    /// Sponsored or matching.
    pub kind: ConditionKind,
    /// The condition's name.
    pub condition: String,
    /// The issue.
    pub issue: IssueCode,
    /// The market maker.
    pub market_maker: String,
    /// Whether the obligation was met.
    pub status: Status,
    /// The place among the eligible ones, from 1; `None` unless eligible.
    pub place: Option<u32>,
    /// How many are eligible.
    pub eligible: u32,
    /// Own executed shares in the issue, over all stored days of the month.
    pub executed_quantity: u128,
    /// What they were worth.
    pub trading_value: Amount,
    /// What is paid; `None` where the condition gives no total.
    pub payout: Option<Payout>,
    /// What else decides, in this order.
    pub notes: Vec<Note>,
    /// Through which participant it is paid: that of the last day on which the condition was measured.
    pub participant: Option<String>,
    /// The row that decides; `None` where the registry has none any more.
    pub terms: Option<Arc<Terms>>,
    /// What the payment is reckoned from, for whoever asks why; `None` for whoever is not paid.
    pub reckoning: Option<Reckoning>,
    /// What decides the place.
    pub standing: PlaceKeys,
    /// Own executed shares of each stored day, for whoever asks why.
    pub daily: Vec<(Date, u128)>,
}

/// The row that decides on a condition and an issue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Terms {
    /// The last date of the month on which the condition covers the issue.
    pub date: Date,
    /// The row in force on it.
    pub row: PaidCondition,
    /// Assets under management of the issue as of that date.
    pub aum: Option<Amount>,
    /// Whether the condition asks for several issues together.
    pub group: bool,
    /// Whether the index of the row has more issues than are paid, and this is not one of them.
    pub beyond_max_issues: bool,
}

/// How an amount is reckoned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reckoning {
    /// The condition's total.
    pub total: Amount,
    /// What is withheld of it, where assets under management are not above the trigger; a part of 0 is withheld, too.
    pub withheld: Option<Amount>,
    /// How the rest is shared out.
    pub share: Share,
}

/// How a total is shared out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Share {
    /// Among so many places, whether taken or not.
    Places(u64),
    /// By executed shares: own, of all who are paid.
    Quantity {
        /// Own.
        own: u128,
        /// Of all who are paid.
        all: u128,
    },
}

/// What is paid, in whole yen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Payout {
    /// In all.
    pub amount_yen: u128,
    /// Of it, by the exchange.
    pub by_exchange_yen: u128,
    /// Of it, by the asset manager.
    pub by_asset_manager_yen: u128,
}

/// What decides besides the status.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Note {
    /// The market maker does not meet the number of ETFs.
    NumberOfEtfs,
    /// Another issue of the group is not fulfilled.
    GroupIncomplete,
    /// The issue is not one of those of its index that are paid.
    BeyondMaxIssues,
    /// Eligible, but others come first.
    NotAmongMaxMakers,
    /// The row gives no total.
    NoTotal,
    /// Assets under management are not above the trigger.
    AumTrigger,
    /// Equal to a neighbour in everything that decides the place.
    TieByCode,
}

impl Note {
    /// As the output files write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Note::NumberOfEtfs => "number_of_etfs",
            Note::GroupIncomplete => "group_incomplete",
            Note::BeyondMaxIssues => "beyond_max_issues",
            Note::NotAmongMaxMakers => "not_among_max_makers",
            Note::NoTotal => "no_total",
            Note::AumTrigger => "aum_trigger",
            Note::TieByCode => "tie_by_code",
        }
    }
}

impl ConditionLine {
    /// The obligation, as the output files write it.
    pub fn obligation(&self) -> String {
        format!("{}:{}", self.kind.as_str(), self.condition)
    }

    /// The notes as the output files write them.
    pub fn note(&self) -> String {
        self.notes.iter().map(|note| note.as_str()).collect::<Vec<_>>().join(";")
    }
}

/// Every measured market maker under every condition, by condition, issue and market maker.
///
/// Clauses: `ST1/sponsored-obligation`, `ST1/sponsored-grouping`, `ST1/sponsored-amount`, `ST1/sponsored-priority`,
/// `ST1/matching-obligation`, `ST1/matching-makers`, `QC/matching_split`, `QC/hedging`.
pub fn conditions(
    month: Month,
    registry: &Registry,
    lines: &[MonthLine],
    makers: &[MakerLine],
    trading: &Trading,
) -> Vec<ConditionLine> {
    let qualified: BTreeSet<&str> =
        makers.iter().filter(|maker| maker.qualifies()).map(|maker| maker.market_maker.as_str()).collect();
    let mut by_condition: BTreeMap<(&str, ConditionKind, &str), Vec<&MonthLine>> = BTreeMap::new();
    for line in lines {
        if let Some((kind, name)) = line.condition() {
            by_condition.entry((kind.as_str(), kind, name)).or_default().push(line);
        }
    }
    let mut all: Vec<ConditionLine> = Vec::new();
    for ((_, kind, name), lines) in by_condition {
        let ground = Ground { month, registry, trading, qualified: &qualified };
        all.extend(ground.condition(kind, name, &lines));
    }
    all.sort_by_cached_key(|line| (line.obligation(), line.issue.clone(), line.market_maker.clone()));
    all
}

/// What all conditions of a month have in common.
struct Ground<'a> {
    month: Month,
    registry: &'a Registry,
    trading: &'a Trading,
    qualified: &'a BTreeSet<&'a str>,
}

/// What decides a place, of one market maker: of the issue, or in a group of all of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PlaceKeys {
    /// Own executed shares.
    pub quantity: u128,
    /// Fulfilling time of the obligation, in microseconds.
    pub fulfilled: u128,
    /// Available time, likewise.
    pub available: u128,
    /// The earliest date of the sign-up.
    pub signed_up: Date,
}

impl PlaceKeys {
    /// What it says for one key, as people read it.
    pub(crate) fn told(&self, key: Priority) -> String {
        let micros = |number| quoteclock_model::Micros(u64::try_from(number).unwrap_or(u64::MAX));
        match key {
            Priority::Volume => format!("{} shares", self.quantity),
            Priority::Time => {
                let percent = DisplayPercent::of(micros(self.fulfilled), micros(self.available));
                percent.map_or_else(|| "no time".to_owned(), |percent| format!("{percent} %"))
            }
            Priority::SignUp if self.signed_up == Date::MIN => "signed up since ever".to_owned(),
            Priority::SignUp => format!("signed up from {}", self.signed_up),
        }
    }

    /// Who comes first by `priority`.
    ///
    /// Clauses: `ST1/sponsored-priority`, `ST1/matching-priority`.
    fn compare(&self, other: &PlaceKeys, priority: &[Priority]) -> Ordering {
        let by = |key: &Priority| match key {
            Priority::Volume => Reverse(self.quantity).cmp(&Reverse(other.quantity)),
            // The longer share first: a/b above c/d exactly where a x d is above c x b.
            Priority::Time => (other.fulfilled * self.available).cmp(&(self.fulfilled * other.available)),
            Priority::SignUp => self.signed_up.cmp(&other.signed_up),
        };
        priority.iter().map(by).find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
    }
}

impl<'a> Ground<'a> {
    fn condition(&self, kind: ConditionKind, name: &str, lines: &[&MonthLine]) -> Vec<ConditionLine> {
        let of_name = |row: &&PaidCondition| row.kind == kind && row.name == name;
        let rows: Vec<&PaidCondition> = self.registry.conditions().iter().filter(of_name).collect();
        let group = self.group(kind, &rows);
        let mut by_issue: BTreeMap<&IssueCode, Vec<&MonthLine>> = BTreeMap::new();
        for line in lines {
            by_issue.entry(&line.key.issue).or_default().push(line);
        }
        let mut found = Vec::with_capacity(lines.len());
        for (issue, of_issue) in &by_issue {
            let terms = self.terms(issue, &rows, group.is_some()).map(Arc::new);
            let complete = |line: &MonthLine| match &group {
                Some(issues) => issues.iter().all(|issue| fulfilled_by(&by_issue, issue, &line.key.market_maker)),
                None => true,
            };
            let standing = |line: &MonthLine| match &group {
                Some(issues) => self.standing_in_group(issues, &by_issue, &line.key.market_maker),
                None => self.standing(line),
            };
            let mut of_issue: Vec<Candidate<'_>> = of_issue
                .iter()
                .map(|line| Candidate {
                    line,
                    fulfilled: line.status() == Status::Fulfilled,
                    qualified: self.qualified.contains(line.key.market_maker.as_str()),
                    complete: complete(line),
                    standing: standing(line),
                })
                .collect();
            of_issue.sort_by(|one, other| one.line.key.market_maker.cmp(&other.line.key.market_maker));
            found.extend(self.issue(kind, name, terms.as_ref(), &of_issue));
        }
        found
    }

    /// The issues of a sponsored condition that has rows for several of them in the month.
    ///
    /// Clause: `ST1/sponsored-grouping`.
    fn group(&self, kind: ConditionKind, rows: &[&'a PaidCondition]) -> Option<BTreeSet<&'a IssueCode>> {
        let in_month = rows.iter().filter(|row| self.month.holds_any_of(row.period));
        let issue_of = |row: &&'a PaidCondition| match &row.target {
            Target::Issue(issue) => Some(issue),
            Target::Index(_) => None,
        };
        let issues: BTreeSet<&IssueCode> = in_month.filter_map(issue_of).collect();
        (kind == ConditionKind::Sponsored && issues.len() > 1).then_some(issues)
    }

    /// The row that decides on an issue: of the last date of the month on which there is one.
    fn terms(&self, issue: &IssueCode, rows: &[&PaidCondition], group: bool) -> Option<Terms> {
        let mut date = *self.month.dates().end();
        while self.month.dates().contains(&date) {
            let of_issue = self.registry.issue_on(issue, date);
            if let Some(row) = covering(issue, of_issue, rows, date) {
                return Some(Terms {
                    date,
                    row: row.clone(),
                    aum: of_issue.and_then(|issue| issue.aum),
                    group,
                    beyond_max_issues: self.is_beyond(issue, row, rows, date),
                });
            }
            date = date.yesterday().ok()?;
        }
        None
    }

    /// Whether a row for an index pays for fewer issues than there are before this one: by listing, then by code. Those
    /// with a row of their own do not count.
    ///
    /// Clauses: `ST1/matching-obligation`, `QC/hedging`.
    fn is_beyond(&self, issue: &IssueCode, row: &PaidCondition, rows: &[&PaidCondition], date: Date) -> bool {
        let (Target::Index(index), Some(issues_max)) = (&row.target, row.issues_max) else { return false };
        let has_own = |code: &IssueCode| {
            let own = |row: &&&PaidCondition| matches!(&row.target, Target::Issue(of) if of == code);
            rows.iter().filter(own).any(|row| row.period.contains(date))
        };
        let of_index = self.registry.issues().iter().filter(|row| row.period.contains(date));
        let of_index = of_index.filter(|row| row.index.as_ref() == Some(index) && !has_own(&row.code));
        let key = |row: &'a Issue| (row.listed.is_none(), row.listed, &row.code);
        let Some(own) = self.registry.issue_on(issue, date).map(key) else { return false };
        let before = of_index.filter(|row| key(row) < own).count();
        issues_max <= u64::try_from(before).unwrap_or(u64::MAX)
    }

    fn standing(&self, line: &MonthLine) -> PlaceKeys {
        let (market_maker, issue) = (&line.key.market_maker, &line.key.issue);
        PlaceKeys {
            quantity: self.trading.of(market_maker, issue).map_or(0, |traded| traded.quantity),
            fulfilled: line.total.fulfilled.0.into(),
            available: line.total.available.0.into(),
            signed_up: self.signed_up(market_maker, issue),
        }
    }

    /// The earliest date from which the market maker is signed up for the issue; the earliest there is where it is open.
    fn signed_up(&self, market_maker: &str, issue: &IssueCode) -> Date {
        let rows = sign_up_rows(self.registry, market_maker, issue);
        rows.iter().map(|row| row.period.from.unwrap_or(Date::MIN)).min().unwrap_or(Date::MAX)
    }

    fn standing_in_group(
        &self,
        issues: &BTreeSet<&IssueCode>,
        by_issue: &BTreeMap<&IssueCode, Vec<&MonthLine>>,
        market_maker: &str,
    ) -> PlaceKeys {
        let lines = issues.iter().filter_map(|issue| line_of(by_issue, issue, market_maker));
        let none = PlaceKeys { quantity: 0, fulfilled: 0, available: 0, signed_up: Date::MIN };
        lines.map(|line| self.standing(line)).fold(none, |sum, of| PlaceKeys {
            quantity: sum.quantity + of.quantity,
            fulfilled: sum.fulfilled + of.fulfilled,
            available: sum.available + of.available,
            signed_up: sum.signed_up.max(of.signed_up),
        })
    }

    /// One issue under one condition. The candidates come by market maker.
    fn issue(
        &self,
        kind: ConditionKind,
        name: &str,
        terms: Option<&Arc<Terms>>,
        candidates: &[Candidate<'_>],
    ) -> Vec<ConditionLine> {
        let ranking = Ranking::of(terms.map(|terms| &**terms), candidates);
        let line = |candidate: &Candidate<'_>| {
            let key = &candidate.line.key;
            let traded = self.trading.of(&key.market_maker, &key.issue);
            let rank = ranking.rank_of(&key.market_maker);
            let is_paid = rank.is_some_and(|rank| ranking.is_paid(rank));
            let reckoning = if is_paid { terms.and_then(|terms| ranking.reckoning(terms, candidate)) } else { None };
            let payout = match (is_paid, reckoning) {
                (false, _) => Some(Payout::default()),
                (true, reckoning) => reckoning.map(|reckoning| reckoning.payout(kind)),
            };
            let participant =
                participant_on(self.registry, &key.market_maker, &key.issue, candidate.line.last_measured);
            ConditionLine {
                kind,
                condition: name.to_owned(),
                issue: key.issue.clone(),
                market_maker: key.market_maker.clone(),
                status: candidate.line.status(),
                place: rank.and_then(|rank| u32::try_from(rank + 1).ok()),
                eligible: u32::try_from(ranking.order.len()).unwrap_or(u32::MAX),
                executed_quantity: traded.map_or(0, |traded| traded.quantity),
                trading_value: traded.map_or(Amount(0), |traded| traded.value),
                payout,
                notes: ranking.notes(candidate, rank, payout, reckoning),
                participant: participant.map(str::to_owned),
                terms: terms.cloned(),
                reckoning,
                standing: candidate.standing,
                daily: self.trading.quantities(&key.market_maker, &key.issue),
            }
        };
        candidates.iter().map(line).collect()
    }
}

/// The row that covers an issue on a date: its own, or else that of its index.
fn covering<'r>(
    issue: &IssueCode,
    of_issue: Option<&Issue>,
    rows: &[&'r PaidCondition],
    date: Date,
) -> Option<&'r PaidCondition> {
    let index = of_issue.and_then(|row| row.index.as_ref());
    let in_force = || rows.iter().copied().filter(|row| row.period.contains(date));
    let own = in_force().find(|row| matches!(&row.target, Target::Issue(of) if of == issue));
    own.or_else(|| in_force().find(|row| matches!(&row.target, Target::Index(of) if Some(of) == index)))
}

fn line_of<'l>(
    by_issue: &BTreeMap<&IssueCode, Vec<&'l MonthLine>>,
    issue: &IssueCode,
    market_maker: &str,
) -> Option<&'l MonthLine> {
    by_issue.get(issue)?.iter().copied().find(|line| line.key.market_maker == market_maker)
}

fn fulfilled_by(by_issue: &BTreeMap<&IssueCode, Vec<&MonthLine>>, issue: &IssueCode, market_maker: &str) -> bool {
    line_of(by_issue, issue, market_maker).is_some_and(|line| line.status() == Status::Fulfilled)
}

/// One market maker under a condition.
struct Candidate<'l> {
    line: &'l MonthLine,
    fulfilled: bool,
    qualified: bool,
    complete: bool,
    standing: PlaceKeys,
}

impl Candidate<'_> {
    fn is_eligible(&self) -> bool {
        self.fulfilled && self.qualified && self.complete
    }
}

/// The eligible ones in their order.
struct Ranking<'c, 'l> {
    order: Vec<&'c Candidate<'l>>,
    /// Whether each is equal to a neighbour in all keys.
    tied: Vec<bool>,
    beyond_max_issues: bool,
    makers_max: Option<u64>,
}

impl<'c, 'l> Ranking<'c, 'l> {
    /// Equal ones stand by market maker, as the candidates come.
    fn of(terms: Option<&Terms>, candidates: &'c [Candidate<'l>]) -> Ranking<'c, 'l> {
        const DEFAULT: [Priority; 3] = [Priority::Volume, Priority::Time, Priority::SignUp];
        let priority = terms.map_or(&DEFAULT[..], |terms| &terms.row.payment.priority);
        let mut order: Vec<&Candidate<'_>> = candidates.iter().filter(|candidate| candidate.is_eligible()).collect();
        order.sort_by(|one, other| one.standing.compare(&other.standing, priority));
        let equals_next: Vec<bool> =
            order.windows(2).map(|pair| pair[0].standing.compare(&pair[1].standing, priority).is_eq()).collect();
        let before = |place: usize| place.checked_sub(1).is_some_and(|before| equals_next[before]);
        let tied = (0..order.len()).map(|place| before(place) || equals_next.get(place) == Some(&true)).collect();
        Ranking {
            order,
            tied,
            beyond_max_issues: terms.is_some_and(|terms| terms.beyond_max_issues),
            makers_max: terms.and_then(|terms| terms.row.payment.makers_max),
        }
    }

    fn rank_of(&self, market_maker: &str) -> Option<usize> {
        self.order.iter().position(|candidate| candidate.line.key.market_maker == market_maker)
    }

    fn is_among_makers(&self, rank: usize) -> bool {
        self.makers_max.is_none_or(|max| u64::try_from(rank).is_ok_and(|rank| rank < max))
    }

    fn is_paid(&self, rank: usize) -> bool {
        !self.beyond_max_issues && self.is_among_makers(rank)
    }

    /// What somebody who is paid has; `None` without a total.
    ///
    /// Clauses: `ST1/sponsored-amount`, `ST1/sponsored-grouping`, `QC/matching_split`.
    fn reckoning(&self, terms: &Terms, candidate: &Candidate<'_>) -> Option<Reckoning> {
        let payment = &terms.row.payment;
        let total = payment.total?;
        let is_above = |trigger: Amount| terms.aum.is_some_and(|aum| trigger < aum);
        let not_reached = payment.aum_trigger.filter(|trigger| !is_above(*trigger));
        // A part above the total counts as all of it.
        let withheld = not_reached.map(|_| payment.aum_part.unwrap_or(total).min(total));
        let share = if payment.method == Some(PaymentMethod::Proportional) && !terms.group {
            let paid = self.order.iter().enumerate().filter(|(rank, _)| self.is_paid(*rank));
            let all = paid.map(|(_, candidate)| candidate.standing.quantity).sum();
            Share::Quantity { own: candidate.standing.quantity, all }
        } else {
            let eligible = u64::try_from(self.order.len()).unwrap_or(u64::MAX);
            Share::Places(payment.makers_max.unwrap_or(eligible))
        };
        Some(Reckoning { total, withheld, share })
    }

    fn notes(
        &self,
        candidate: &Candidate<'_>,
        rank: Option<usize>,
        payout: Option<Payout>,
        reckoning: Option<Reckoning>,
    ) -> Vec<Note> {
        let mut notes = Vec::new();
        let mut note = |applies: bool, note| notes.extend(applies.then_some(note));
        let fulfilled = candidate.fulfilled;
        note(fulfilled && !candidate.qualified, Note::NumberOfEtfs);
        note(fulfilled && !candidate.complete, Note::GroupIncomplete);
        note(fulfilled && self.beyond_max_issues, Note::BeyondMaxIssues);
        if let Some(rank) = rank {
            note(!self.beyond_max_issues && !self.is_among_makers(rank), Note::NotAmongMaxMakers);
            note(payout.is_none(), Note::NoTotal);
            note(reckoning.is_some_and(|reckoning| reckoning.withheld.is_some()), Note::AumTrigger);
            note(self.tied[rank], Note::TieByCode);
        }
        notes
    }
}

impl Reckoning {
    /// Rounded down once, to the yen; of a matching fund half each, the odd yen by the exchange.
    ///
    /// Clauses: `QC/yen_rounding`, `ST1/matching-makers`.
    fn payout(self, kind: ConditionKind) -> Payout {
        let payable = self.total.0 - self.withheld.unwrap_or_default().0;
        let amount_yen = match self.share {
            Share::Places(places) => payable / (u128::from(places.max(1)) * YEN),
            Share::Quantity { all: 0, .. } => 0,
            Share::Quantity { own, all } => mul_div(payable, own, all.saturating_mul(YEN)),
        };
        let by_asset_manager_yen = match kind {
            ConditionKind::Sponsored => amount_yen,
            ConditionKind::Matching => amount_yen / 2,
        };
        Payout { amount_yen, by_exchange_yen: amount_yen - by_asset_manager_yen, by_asset_manager_yen }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    // clause: ST1/sponsored-priority
    #[test]
    fn what_decides_a_place_is_told_as_people_read_it() {
        let told = |quantity, fulfilled, available, signed_up| {
            let standing = PlaceKeys { quantity, fulfilled, available, signed_up };
            [Priority::Volume, Priority::Time, Priority::SignUp].map(|key| standing.told(key))
        };
        assert_eq!(told(10, 80, 100, date(2024, 4, 1)), ["10 shares", "80.0000 %", "signed up from 2024-04-01"]);
        assert_eq!(told(0, 0, 0, Date::MIN), ["0 shares", "no time", "signed up since ever"]);
    }
}
