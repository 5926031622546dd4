//! `/api/v1/state`: every obligation that the caller may see, as it stands.

use super::auth::Onlooker;
use super::{Http, Shared, json};
use crate::alerting::Shown;
use crate::recipient::Recipient;
use crate::standing::{Now, Obligation, Present};
use crate::tokens::Role;
use crate::watch::Picture;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use quoteclock_report::rows::keys;
use quoteclock_rules::{Registry, local_time};
use serde::{Deserialize, Serialize};

/// The whole answer.
#[derive(Serialize)]
struct Answer<'a> {
    /// The trading date; none before the first record.
    date: Option<String>,
    /// The time of the last record.
    as_of: Option<String>,
    now: Now,
    /// Whose view it is.
    role: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    feed: Option<Feed>,
    fast_market: Option<FastMarket>,
    /// Stored days of the month that the registry as it is would alter; none while the month cannot be read.
    month_stale: Option<Vec<String>>,
    /// Market makers whose ETFs the caller sees all of.
    market_makers: Vec<Maker>,
    /// What the caller's own rules have found.
    alerts: Vec<Shown>,
    obligations: Vec<Obligation<'a>>,
}

/// Where the feed stands.
#[derive(Serialize, Deserialize)]
pub(super) struct Feed {
    pub(super) next_sequence: u64,
    pub(super) gaps: u64,
    pub(super) records_set_aside: u64,
    pub(super) connected_since: Option<String>,
    pub(super) lag_us: Lag,
}

/// Microseconds from socket to verdict.
#[derive(Serialize, Deserialize)]
pub(super) struct Lag {
    pub(super) last: u64,
    pub(super) p50: u64,
    pub(super) p99: u64,
    pub(super) p999: u64,
    pub(super) max: u64,
}

#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FastMarket {
    multiplier: u32,
}

/// How many ETFs a market maker has met in the month so far.
#[derive(Serialize, Deserialize)]
pub(super) struct Maker {
    pub(super) market_maker: String,
    pub(super) etfs_met: u32,
    pub(super) etfs_required: u32,
}

pub(super) async fn state(State(shown): Shared, Onlooker(caller): Onlooker) -> Response {
    let present = shown.looking.now(&shown).await;
    let recipient = &caller.recipient;
    match serde_json::to_string(&answer(&shown, recipient, present.as_ref())) {
        Ok(text) => json(StatusCode::OK, text + "\n"),
        Err(error) => super::failed(&error.into()),
    }
}

fn answer<'a>(shown: &Http, recipient: &Recipient, present: Option<&'a Present>) -> Answer<'a> {
    let facts = present.map(|present| present.picture.facts).unwrap_or_default();
    let registry = shown.desk.registry();
    let feed = || {
        let [p50, p99, p999, max] = facts.latency_us;
        Feed {
            next_sequence: facts.next,
            gaps: facts.gaps,
            records_set_aside: present.map_or(0, |present| present.picture.rejects),
            connected_since: shown.health.connected_since().map(|since| since.to_string()),
            lag_us: Lag { last: facts.lag_us, p50, p99, p999, max },
        }
    };
    let month = present.and_then(|present| present.month.as_deref());
    Answer {
        date: present.map(|present| present.picture.plan.date.to_string()),
        as_of: present.map(|Present { picture, .. }| local_time(picture.last, &picture.plan.zone)),
        now: shown.now(facts.lag_us),
        role: recipient.role.to_string(),
        feed: recipient.sees_feed().then(feed),
        fast_market: present.map(|present| FastMarket { multiplier: present.picture.plan.multiplier }),
        month_stale: month.map(|month| month.stale.iter().map(ToString::to_string).collect()),
        market_makers: present.map_or_else(Vec::new, |present| makers(recipient, present)),
        alerts: shown.alerting.as_ref().map_or_else(Vec::new, |alerting| alerting.shown_to(recipient)),
        obligations: present.map_or_else(Vec::new, |present| rows(recipient, present, &registry)),
    }
}

/// Market makers with their ETFs met. An asset manager does not see all of anybody's.
fn makers(recipient: &Recipient, Present { picture, month }: &Present) -> Vec<Maker> {
    let Some(month) = month else { return Vec::new() };
    let etfs_required = month.etfs_required;
    let is_seen = |market_maker: &str| match recipient.role {
        Role::Exchange => true,
        Role::MarketMaker => recipient.party == market_maker,
        Role::AssetManager | Role::Operator => false,
    };
    let all = month.etfs_met(picture).into_iter().filter(|(market_maker, _)| is_seen(market_maker));
    all.map(|(market_maker, etfs_met)| Maker { market_maker, etfs_met, etfs_required }).collect()
}

fn rows<'a>(recipient: &Recipient, present: &'a Present, registry: &Registry) -> Vec<Obligation<'a>> {
    let Picture { plan, last, rows, .. } = &*present.picture;
    let in_day = present.in_day(registry);
    keys(plan)
        .zip(rows.iter())
        .filter(|(key, _)| recipient.sees(registry, plan.date, key.market_maker, key.issue))
        .map(|(key, row)| Obligation::of(&key, row, key.obligation.limits_at(*last), in_day))
        .collect()
}
