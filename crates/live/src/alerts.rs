//! Alerts: when a state lasts too long, the month's budget runs low or is used up too fast, or the feed is silent.
//!
//! A file says who is told what, and where. Each thing that happens is told once when it begins and once when it ends, to the alert
//! log, to the page, and to the rule's receiver. Deciding is pure: what stands, in; what has begun and ended, out.

mod rules;
mod send;

pub(crate) use rules::{Rule, read};
pub(crate) use send::{Counts, Log, Sender, start_log};

use crate::budget::{Budget, MonthSoFar};
use crate::recipient::Recipient;
use crate::watch::{Picture, before};
use quoteclock_incentive::Prospect;
use quoteclock_model::{Micros, State};
use quoteclock_report::rows::keys;
use quoteclock_rules::Registry;
use std::collections::{BTreeMap, HashMap};

/// What an alert is of.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct AlertKey {
    /// The position of its rule.
    pub(crate) rule: usize,
    pub(crate) kind: Kind,
    /// Market maker, issue and obligation; none of the feed.
    pub(crate) of: Option<(String, String, String)>,
}

/// What has happened.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Kind {
    Breach,
    Unknown,
    Budget,
    /// One of the rule's pairs of windows.
    Burn(usize),
    FeedSilent,
}

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Kind::Breach => "breach",
            Kind::Unknown => "unknown",
            Kind::Budget => "budget",
            Kind::Burn(_) => "burn",
            Kind::FeedSilent => "feed_silent",
        }
    }
}

/// One alert that stands.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Alert {
    /// Counts from 1, for each recipient.
    pub(crate) number: u64,
    /// For a state: since when it is so, in microseconds.
    pub(crate) since: Option<i64>,
    /// The position of its obligation in the plan.
    pub(crate) position: Option<usize>,
}

/// What one look has changed.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) key: AlertKey,
    pub(crate) alert: Alert,
    pub(crate) has_begun: bool,
}

/// Alerts that stand.
#[derive(Debug, Default)]
pub(crate) struct StandingAlerts {
    active: BTreeMap<AlertKey, Alert>,
    /// How many each recipient has been told of: a number says nothing of others.
    told: HashMap<Recipient, u64>,
}

/// What is looked at.
pub(crate) struct Looked<'a> {
    pub(crate) picture: &'a Picture,
    pub(crate) month: Option<&'a MonthSoFar>,
    pub(crate) registry: &'a Registry,
}

impl StandingAlerts {
    /// Those that stand.
    pub(crate) fn active(&self) -> impl Iterator<Item = (&AlertKey, &Alert)> {
        self.active.iter()
    }

    /// Goes on under other rules: what stands of a rule that is among them stands, and the rest is over.
    pub(crate) fn follow(&mut self, old: &[Rule], new: &[Rule]) -> Vec<Change> {
        let mut over = Vec::new();
        for (key, alert) in std::mem::take(&mut self.active) {
            let Some(before) = old.get(key.rule) else { continue };
            let is_same = |rule: &Rule| rule.name == before.name && rule.recipient == before.recipient;
            let limit = |rule: &Rule| match key.kind {
                Kind::Burn(place) => rule.limits.burn.get(place).cloned(),
                _ => None,
            };
            match new.iter().position(is_same).filter(|&place| limit(&new[place]) == limit(before)) {
                Some(rule) => drop(self.active.insert(AlertKey { rule, ..key }, alert)),
                None => over.push(Change { key, alert, has_begun: false }),
            }
        }
        over
    }

    /// Looks at everything; `None` where no day runs. `silent_for` is since when, in seconds, nothing has been heard of the source.
    pub(crate) fn look(&mut self, rules: &[Rule], looked: Option<&Looked<'_>>, silent_for: u64) -> Vec<Change> {
        let mut holding: BTreeMap<AlertKey, (Option<i64>, Option<usize>)> = BTreeMap::new();
        for (number, rule) in rules.iter().enumerate() {
            if let Some(looked) = looked {
                hold(number, rule, looked, &mut holding);
            }
            if rule.limits.feed_silent_s.is_some_and(|limit| limit <= silent_for) {
                let key = AlertKey { rule: number, kind: Kind::FeedSilent, of: None };
                holding.insert(key, (None, None));
            }
        }
        let mut changes = Vec::new();
        // Over, or another of the same kind by now.
        let is_over = |key: &AlertKey, alert: &Alert| holding.get(key).is_none_or(|(since, _)| *since != alert.since);
        let over: Vec<AlertKey> =
            self.active.iter().filter(|(key, alert)| is_over(key, alert)).map(|(key, _)| key.clone()).collect();
        for key in over {
            if let Some(alert) = self.active.remove(&key) {
                changes.push(Change { key, alert, has_begun: false });
            }
        }
        for (key, (since, position)) in holding {
            if !self.active.contains_key(&key) {
                let told = self.told.entry(rules[key.rule].recipient.clone()).or_default();
                *told += 1;
                let alert = Alert { number: *told, since, position };
                self.active.insert(key.clone(), alert.clone());
                changes.push(Change { key, alert, has_begun: true });
            }
        }
        changes
    }
}

/// What of a rule's limits is passed.
fn hold(
    number: usize,
    Rule { recipient, limits, .. }: &Rule,
    Looked { picture, month, registry }: &Looked<'_>,
    holding: &mut BTreeMap<AlertKey, (Option<i64>, Option<usize>)>,
) {
    let Picture { plan, rows, .. } = picture;
    let needs_budget = limits.budget_below.is_some() || !limits.burn.is_empty();
    for (key, row) in keys(plan).zip(rows.iter()) {
        if !recipient.sees(registry, plan.date, key.market_maker, key.issue) {
            continue;
        }
        let position = key.index.0 as usize;
        let of = || Some((key.market_maker.to_owned(), key.issue.to_owned(), key.obligation.id.to_string()));
        let mut put = |kind, since| {
            holding.insert(AlertKey { rule: number, kind, of: of() }, (since, Some(position)));
        };
        let lasts = |limit: Option<Micros>| limit.is_some_and(|limit| row.off_since <= before(row.at, limit));
        let since = Some(row.off_since.as_micros());
        match row.state {
            State::Breach(_) if lasts(limits.breach_for) => put(Kind::Breach, since),
            State::Unknown if lasts(limits.unknown_for) => put(Kind::Unknown, since),
            _ => {}
        }
        let budget = month.filter(|_| needs_budget).and_then(|month| month.budget(plan, position, row));
        let Some(budget) = budget else { continue };
        if limits.budget_below.is_some_and(|limit| is_below(&budget, limit)) {
            put(Kind::Budget, None);
        }
        for (place, burn) in limits.burn.iter().enumerate() {
            if is_burning(&budget, burn) {
                put(Kind::Burn(place), None);
            }
        }
    }
}

fn is_below(budget: &Budget, limit: Micros) -> bool {
    match budget.outlook.prospect() {
        Prospect::Open { slack } => slack < limit,
        Prospect::Lost { .. } => true,
        Prospect::Safe | Prospect::Uncertain | Prospect::NotApplicable | Prospect::ByDays => false,
    }
}

/// Whether the budget is used up too fast in both windows: in the long one, so that it matters, and in the short one, so that it goes on.
fn is_burning(budget: &Budget, burn: &rules::Burn) -> bool {
    let rate = |window: &str| budget.burn.iter().find(|of| of.window == window).and_then(|of| of.rate);
    [&burn.short, &burn.long].into_iter().all(|window| rate(window).is_some_and(|rate| burn.rate < rate))
}

/// Whether a recipient is the one that a rule is of.
pub(crate) fn is_of(rule: &Rule, recipient: &Recipient) -> bool {
    rule.recipient == *recipient
}
