//! Alerts as they are told: messages to receivers, and what of them a caller of the page sees.

use super::Http;
use super::auth::Recipient;
use super::looking::Standing as Looked;
use super::state::{Now, Obligation, obligation};
use crate::alerts::{self, AlertKey, Change, Counts, Kind, Log, Rule, Sender};
use anyhow::Result;
use quoteclock_report::rows::keys;
use quoteclock_rules::{Registry, local_time};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// The rules, and what stands of them.
pub(crate) struct Alerting {
    file: PathBuf,
    log: Option<Log>,
    pub(crate) counts: Arc<Counts>,
    watched: Mutex<Watched>,
    /// Tells the messages of one run of the program from those of another.
    run: String,
}

struct Watched {
    by: Rules,
    standing: alerts::Standing,
    /// Read since: they take over at the next look.
    next: Option<Rules>,
}

/// What the file says, and where its messages go.
pub(crate) struct Rules {
    rules: Vec<Rule>,
    sender: Sender,
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
    /// Reads the file of alerts, and opens the alert log.
    ///
    /// # Errors
    /// Those of [`alerts::read`], or where the log cannot be written.
    pub(crate) fn start(file: PathBuf, log: Option<&Path>, registry: &Registry) -> Result<Alerting> {
        let (rules, counts) = (alerts::read(&file, registry)?, Arc::default());
        let log = log.map(alerts::start_log).transpose()?;
        let by = Rules::start(rules, log.clone(), &counts)?;
        let watched = Mutex::new(Watched { by, standing: alerts::Standing::default(), next: None });
        let run = jiff::Timestamp::now().as_microsecond().to_string();
        Ok(Alerting { file, log, counts, watched, run })
    }

    /// Reads the file again.
    ///
    /// # Errors
    /// As [`Alerting::start`]: nothing has changed then.
    pub(crate) fn read_again(&self, registry: &Registry) -> Result<Rules> {
        Rules::start(alerts::read(&self.file, registry)?, self.log.clone(), &self.counts)
    }

    /// Goes on under other rules.
    pub(crate) fn take(&self, rules: Rules) {
        if let Ok(mut watched) = self.watched.lock() {
            watched.next = Some(rules);
        }
    }

    /// Looks at everything, and tells what has begun and what has ended.
    pub(super) fn look(&self, shown: &Http, looked: Option<&Looked>) {
        let registry = shown.desk.registry();
        let Ok(mut watched) = self.watched.lock() else { return };
        let Watched { by, standing, next } = &mut *watched;
        if let Some(next) = next.take() {
            let over = standing.follow(&by.rules, &next.rules);
            // Whoever has been told of a beginning is told of its end.
            over.iter().for_each(|change| self.tell(shown, (looked, &registry), by, change));
            *by = next;
        }
        let of_day = looked.map(|Looked { picture, month }| alerts::Looked {
            picture,
            month: month.as_deref(),
            registry: &registry,
        });
        let silent_for = if shown.health.is_following() { shown.health.silent_for_s() } else { 0 };
        let changes = standing.look(&by.rules, of_day.as_ref(), silent_for);
        changes.iter().for_each(|change| self.tell(shown, (looked, &registry), by, change));
    }

    fn tell(&self, shown: &Http, looked: (Option<&Looked>, &Registry), by: &Rules, change: &Change) {
        let Some(rule) = by.rules.get(change.key.rule) else { return };
        // Of whatever goes to one receiver no two are the same.
        let number = format!("{}-{}-{}-{}", self.run, change.key.rule, change.alert.number, event(change));
        match serde_json::to_string(&message(shown, looked, rule, change)) {
            Ok(body) => by.sender.send(change.key.rule, number, body),
            Err(error) => tracing::error!(%error, "writing an alert"),
        }
        for (recipient, log) in shown.hub.recipients() {
            if rule.recipient == recipient {
                let data = format!("{{\"event\":\"{}\",\"number\":{}}}", event(change), change.alert.number);
                log.tell("alert", &data);
            }
        }
    }

    /// What a recipient's own rules have found.
    pub(super) fn shown_to(&self, recipient: &Recipient) -> Vec<Shown> {
        let Ok(watched) = self.watched.lock() else { return Vec::new() };
        let Watched { by, standing, .. } = &*watched;
        let own = standing.active().filter_map(|(key, alert)| {
            let rule = by.rules.get(key.rule).filter(|rule| alerts::is_of(rule, recipient))?;
            Some((rule, key, alert))
        });
        let shown = own.map(|(rule, AlertKey { kind, of, .. }, alert)| Shown {
            rule: rule.name.clone(),
            alert: kind.as_str(),
            number: alert.number,
            market_maker: of.as_ref().map(|(market_maker, _, _)| market_maker.clone()),
            issue: of.as_ref().map(|(_, issue, _)| issue.clone()),
            obligation: of.as_ref().map(|(_, _, obligation)| obligation.clone()),
        });
        shown.collect()
    }
}

impl Rules {
    fn start(rules: Vec<Rule>, log: Option<Log>, counts: &Arc<Counts>) -> Result<Rules> {
        let sender = Sender::start(rules.iter().map(|rule| rule.receiver.as_ref()), log, counts)?;
        Ok(Rules { rules, sender })
    }
}

fn message<'a>(
    shown: &Http,
    (looked, registry): (Option<&'a Looked>, &Registry),
    rule: &'a Rule,
    change: &'a Change,
) -> Message<'a> {
    let AlertKey { kind, of, .. } = &change.key;
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
