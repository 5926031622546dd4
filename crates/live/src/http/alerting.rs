//! Alerts as they are told: messages to receivers, and what of them a caller of the page sees.

use super::Http;
use super::auth::Recipient;
use super::looking::Standing as Looked;
use super::state::{Now, Obligation, obligation};
use crate::alerts::{self, AlertKey, Change, Kind, Rule, Sender};
use quoteclock_report::rows::keys;
use quoteclock_rules::{Registry, local_time};
use serde::Serialize;
use std::sync::Mutex;

/// The rules, and what stands of them.
pub(crate) struct Alerting {
    pub(crate) rules: Vec<Rule>,
    pub(crate) sender: Sender,
    standing: Mutex<alerts::Standing>,
    /// Tells the messages of one run of the program from those of another.
    run: String,
}

/// What a receiver is sent.
#[derive(Serialize)]
struct Message<'a> {
    rule: &'a str,
    alert: &'static str,
    /// `begin` or `end`.
    event: &'static str,
    number: u64,
    now: Now,
    date: Option<String>,
    as_of: Option<String>,
    market_maker: Option<&'a str>,
    issue: Option<&'a str>,
    obligation: Option<&'a str>,
    /// Of a burn: the windows, and the rate that both are above.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<BurnLimit<'a>>,
    /// How the obligation stands, as in the state.
    standing: Option<Obligation<'a>>,
}

#[derive(Serialize)]
struct BurnLimit<'a> {
    short: &'a str,
    long: &'a str,
    rate: String,
}

/// What the page shows.
#[derive(Serialize)]
pub(super) struct Shown {
    rule: String,
    alert: &'static str,
    number: u64,
    market_maker: Option<String>,
    issue: Option<String>,
    obligation: Option<String>,
}

impl Alerting {
    pub(crate) fn new(rules: Vec<Rule>, sender: Sender) -> Alerting {
        let run = jiff::Timestamp::now().as_microsecond().to_string();
        Alerting { rules, sender, standing: Mutex::default(), run }
    }

    /// Looks at everything, and tells what has begun and what has ended.
    pub(super) fn look(&self, shown: &Http, looked: Option<&Looked>) {
        let registry = shown.desk.registry();
        let of_day = looked.map(|Looked { picture, month }| alerts::Looked {
            picture,
            month: month.as_deref(),
            registry: &registry,
        });
        let silent_for = if shown.health.is_following() { shown.health.silent_for_s() } else { 0 };
        let changes = match self.standing.lock() {
            Ok(mut standing) => standing.look(&self.rules, of_day.as_ref(), silent_for),
            Err(_) => return,
        };
        for change in changes {
            let number = format!("{}-{}-{}", self.run, change.alert.number, event(&change));
            match serde_json::to_string(&self.message(shown, looked, &registry, &change)) {
                Ok(body) => self.sender.send(change.key.rule, number, body),
                Err(error) => tracing::error!(%error, "writing an alert"),
            }
            for (recipient, log) in shown.hub.recipients() {
                if self.rules.get(change.key.rule).is_some_and(|rule| rule.recipient == recipient) {
                    log.tell(
                        "alert",
                        &format!("{{\"event\":\"{}\",\"number\":{}}}", event(&change), change.alert.number),
                    );
                }
            }
        }
    }

    fn message<'a>(
        &'a self,
        shown: &Http,
        looked: Option<&'a Looked>,
        registry: &Registry,
        change: &'a Change,
    ) -> Message<'a> {
        let AlertKey { rule, kind, of } = &change.key;
        let rule = &self.rules[*rule];
        let limit = match kind {
            Kind::Burn(place) => rule.limits.burn.get(*place).map(|burn| BurnLimit {
                short: &burn.short,
                long: &burn.long,
                rate: format!("{}.{:02}", burn.rate / 100, burn.rate % 100),
            }),
            _ => None,
        };
        let names =
            of.as_ref().map(|(market_maker, issue, obligation)| [market_maker, issue, obligation].map(String::as_str));
        Message {
            rule: &rule.name,
            alert: kind.as_str(),
            event: event(change),
            number: change.alert.number,
            now: Now::of(shown, looked.map_or(0, |looked| looked.picture.facts.lag_us)),
            date: looked.map(|looked| looked.picture.plan.date.to_string()),
            as_of: looked.map(|looked| local_time(looked.picture.last, &looked.picture.plan.zone)),
            market_maker: names.map(|[market_maker, _, _]| market_maker),
            issue: names.map(|[_, issue, _]| issue),
            obligation: names.map(|[_, _, obligation]| obligation),
            limit,
            standing: names.zip(looked).and_then(|(names, looked)| standing(looked, registry, names)),
        }
    }

    /// What a recipient's own rules have found.
    pub(super) fn shown_to(&self, recipient: &Recipient) -> Vec<Shown> {
        let Ok(standing) = self.standing.lock() else { return Vec::new() };
        let own = standing
            .active()
            .filter(|(key, _)| self.rules.get(key.rule).is_some_and(|rule| alerts::is_of(rule, recipient)));
        let shown = own.map(|(AlertKey { rule, kind, of }, alert)| Shown {
            rule: self.rules[*rule].name.clone(),
            alert: kind.as_str(),
            number: alert.number,
            market_maker: of.as_ref().map(|(market_maker, _, _)| market_maker.clone()),
            issue: of.as_ref().map(|(_, issue, _)| issue.clone()),
            obligation: of.as_ref().map(|(_, _, obligation)| obligation.clone()),
        });
        shown.collect()
    }
}

fn event(change: &Change) -> &'static str {
    if change.has_begun { "begin" } else { "end" }
}

fn standing<'a>(
    Looked { picture, month }: &'a Looked,
    registry: &Registry,
    names: [&str; 3],
) -> Option<Obligation<'a>> {
    let plan = &picture.plan;
    let is_meant = |key: &quoteclock_report::rows::DayKey<'_>| {
        [key.market_maker, key.issue] == names[..2] && key.obligation.id.to_string() == names[2]
    };
    let key = keys(plan).find(is_meant)?;
    let (position, row) = (key.index.0 as usize, picture.rows.get(key.index.0 as usize)?);
    let budget = month.as_ref().and_then(|month| month.budget(plan, position, row));
    let limits = key.obligation.limits_at(picture.last);
    let code = quoteclock_model::IssueCode::new(key.issue.as_bytes());
    let kind = code.and_then(|code| registry.issue_on(&code, plan.date)).map(|issue| issue.type_name.clone());
    let whose = (key.market_maker, key.issue, key.obligation.id.to_string());
    Some(obligation(whose, kind, row, limits, budget.as_ref(), &|at| local_time(at, &plan.zone)))
}
