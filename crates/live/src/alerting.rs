//! Alerts as they are told: messages to receivers, and what of them a caller of the page sees.

use crate::alerts::{self, AlertKey, Change, Counts, Kind, Log, Rule, Sender};
use crate::health::Health;
use crate::hub::Hub;
use crate::recipient::Recipient;
use crate::standing::{Now, Obligation, Present};
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
    standing: alerts::StandingAlerts,
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
pub(crate) struct Shown {
    rule: String,
    alert: &'static str,
    number: u64,
    market_maker: Option<String>,
    issue: Option<String>,
    obligation: Option<String>,
}

/// What is looked at, and who is told.
#[derive(Clone, Copy)]
pub(crate) struct Sight<'a> {
    /// None where no day runs.
    pub(crate) present: Option<&'a Present>,
    pub(crate) registry: &'a Registry,
    pub(crate) health: &'a Health,
    pub(crate) hub: &'a Hub,
    /// By the clock on the wall.
    pub(crate) now: jiff::Timestamp,
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
        let watched = Mutex::new(Watched { by, standing: alerts::StandingAlerts::default(), next: None });
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
    pub(crate) fn look(&self, sight: Sight<'_>) {
        let Ok(mut watched) = self.watched.lock() else { return };
        let Watched { by, standing, next } = &mut *watched;
        if let Some(next) = next.take() {
            let over = standing.follow(&by.rules, &next.rules);
            // Whoever has been told of a beginning is told of its end.
            over.iter().for_each(|change| self.tell(sight, by, change));
            *by = next;
        }
        let of_day = sight.present.map(|Present { picture, month }| alerts::Looked {
            picture,
            month: month.as_deref(),
            registry: sight.registry,
        });
        let silent_for = if sight.health.is_following() { sight.health.silent_for_s() } else { 0 };
        let changes = standing.look(&by.rules, of_day.as_ref(), silent_for);
        changes.iter().for_each(|change| self.tell(sight, by, change));
    }

    fn tell(&self, sight: Sight<'_>, by: &Rules, change: &Change) {
        let Some(rule) = by.rules.get(change.key.rule) else { return };
        // Of whatever goes to one receiver no two are the same.
        let number = format!("{}-{}-{}-{}", self.run, change.key.rule, change.alert.number, event(change));
        match serde_json::to_string(&message(sight, rule, change)) {
            Ok(body) => by.sender.send(change.key.rule, number, body),
            Err(error) => tracing::error!(%error, "writing an alert"),
        }
        for (recipient, log) in sight.hub.recipients() {
            if rule.recipient == recipient {
                let data = format!("{{\"event\":\"{}\",\"number\":{}}}", event(change), change.alert.number);
                log.tell("alert", &data);
            }
        }
    }

    /// What a recipient's own rules have found.
    pub(crate) fn shown_to(&self, recipient: &Recipient) -> Vec<Shown> {
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

fn message<'a>(sight: Sight<'a>, rule: &'a Rule, change: &'a Change) -> Message<'a> {
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
        now: Now::of(sight.now, sight.health, sight.present.map_or(0, |present| present.picture.facts.lag_us)),
        date: sight.present.map(|present| present.picture.plan.date.to_string()),
        as_of: sight.present.map(|present| local_time(present.picture.last, &present.picture.plan.zone)),
        market_maker: names.map(|[market_maker, _, _]| market_maker),
        issue: names.map(|[_, issue, _]| issue),
        obligation: names.map(|[_, _, obligation]| obligation),
        limit,
        standing: names.zip(sight.present).and_then(|(names, present)| standing(present, sight.registry, names)),
    }
}

fn event(change: &Change) -> &'static str {
    if change.has_begun { "begin" } else { "end" }
}

fn standing<'a>(present: &'a Present, registry: &Registry, names: [&str; 3]) -> Option<Obligation<'a>> {
    let Present { picture, .. } = present;
    let is_meant = |key: &quoteclock_report::rows::DayKey<'_>| {
        [key.market_maker, key.issue] == names[..2] && key.obligation.id.to_string() == names[2]
    };
    let key = keys(&picture.plan).find(is_meant)?;
    let row = picture.rows.get(key.index.0 as usize)?;
    Some(Obligation::of(&key, row, key.obligation.limits_at(picture.last), present.in_day(registry)))
}
