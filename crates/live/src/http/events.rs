//! `/api/v1/events`: what changes, as server-sent events; each recipient is told what it may see.
//!
//! A thread of asking, not of measuring: the picture that all share is looked at a few times a second while somebody
//! listens, and what differs from the one before is told.

use super::auth::Onlooker;
use super::{Connection, Http, Shared, too_many};
use crate::health::FeedHealth;
use crate::hub::{Log, Stream, Taken};
use crate::recipient::Recipient;
use crate::standing::{Present, word};
use crate::watch::Picture;
use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use quoteclock_report::rows::keys;
use quoteclock_rules::{Registry, local_time};
use serde_json::json;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

/// How often is looked for what has changed.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Alerts are looked for at every so manieth look.
const ALERTS_EACH: u64 = 4;
/// Within this time what has happened is seen by the alerts.
pub(crate) const ALERTS_WITHIN: Duration = Duration::from_millis(1_300);
/// How often a stream on which nothing happens says that it is there.
const STILL_THERE: Duration = Duration::from_secs(15);

pub(super) async fn events(
    State(shown): Shared,
    Onlooker(caller): Onlooker,
    Extension(Connection(connection)): Extension<Connection>,
    headers: HeaderMap,
) -> Response {
    let after = headers.get("last-event-id").and_then(|id| id.to_str().ok()).and_then(|id| id.parse().ok());
    let log = shown.hub.log(&caller.recipient);
    // From here on whatever changes is told.
    let mut told = shown.told.0.lock().await;
    if told.is_none()
        && let Some(Present { picture, .. }) = shown.looking.now(&shown).await
    {
        let health = shown.health.feed(picture.facts.lag_us);
        *told = Some((picture, health));
    }
    drop(told);
    let Some(stream) = log.open(caller.sha256, connection, after) else { return too_many() };
    let reading = Reading { more: log.more(), log, stream, is_first: true };
    let body = Body::from_stream(futures_util::stream::unfold(reading, |mut reading| async move {
        let text = reading.next().await?;
        Some((Ok::<_, Infallible>(Bytes::from(text)), reading))
    }));
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (StatusCode::OK, headers, body).into_response()
}

/// What has been told of: the last look, and the feed's health at it.
#[derive(Default)]
pub(crate) struct Told(tokio::sync::Mutex<Option<(Arc<Picture>, FeedHealth)>>);

/// A stream that is being read.
struct Reading {
    log: Arc<Log>,
    stream: Arc<Stream>,
    more: tokio::sync::watch::Receiver<u64>,
    is_first: bool,
}

impl Reading {
    /// What is sent next; `None` when it is over.
    async fn next(&mut self) -> Option<String> {
        if std::mem::take(&mut self.is_first) {
            return Some(": here\n\n".to_owned());
        }
        loop {
            self.more.mark_unchanged();
            match self.log.take(&self.stream) {
                Taken::Events(text) => return Some(text),
                Taken::Ended => return None,
                Taken::Nothing => {}
            }
            match tokio::time::timeout(STILL_THERE, self.more.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return None,
                Err(_) => return Some(": here\n\n".to_owned()),
            }
        }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.log.close(&self.stream);
    }
}

/// Looks for what has changed, for as long as the program runs.
pub(super) async fn watch(shown: Arc<Http>) {
    let mut looks = 0_u64;
    let mut timer = tokio::time::interval(LOOK_EVERY);
    timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        timer.tick().await;
        shown.hub.tidy(|token| shown.desk.is_valid(token));
        looks += 1;
        if let Some(alerting) = shown.alerting.as_ref().filter(|_| looks.is_multiple_of(ALERTS_EACH)) {
            let present = shown.looking.now(&shown).await;
            alerting.look(shown.sight(present.as_ref(), &shown.desk.registry()));
        }
        let mut known = shown.told.0.lock().await;
        let recipients = shown.hub.recipients();
        if recipients.is_empty() {
            *known = None;
            continue;
        }
        let Some(Present { picture, .. }) = shown.looking.now(&shown).await else {
            if known.take().is_some() {
                recipients.iter().for_each(|(_, log)| log.tell("day", "{\"date\":null}"));
            }
            continue;
        };
        let health = shown.health.feed(picture.facts.lag_us);
        let registry = shown.desk.registry();
        for (recipient, log) in &recipients {
            tell(recipient, log, known.as_ref(), (&picture, health), &registry);
        }
        *known = Some((picture, health));
    }
}

/// Tells everybody what differs between two looks at a feed that goes on as it did.
#[cfg(test)]
pub(super) fn tell_all(shown: &Http, before: Option<&Arc<Picture>>, after: &Picture) {
    let known = before.map(|before| (Arc::clone(before), FeedHealth::Ok));
    for (recipient, log) in shown.hub.recipients() {
        tell(&recipient, &log, known.as_ref(), (after, FeedHealth::Ok), &shown.desk.registry());
    }
}

/// Tells a recipient what differs.
fn tell(
    recipient: &Recipient,
    log: &Log,
    known: Option<&(Arc<Picture>, FeedHealth)>,
    (picture, health): (&Picture, FeedHealth),
    registry: &Registry,
) {
    let plan = &picture.plan;
    let before = known
        .map(|(before, _)| before)
        .filter(|before| before.rows.len() == picture.rows.len() && before.plan.date == plan.date);
    if known.is_none_or(|(_, known)| *known != health) {
        log.tell("feed", &json!({ "now": { "feed": health.as_str() } }).to_string());
    }
    let Some(before) = before else {
        log.tell("day", &json!({ "date": plan.date.to_string() }).to_string());
        return;
    };
    if before.plan.multiplier != plan.multiplier {
        log.tell("fast_market", &json!({ "multiplier": plan.multiplier }).to_string());
    }
    for ((key, old), new) in keys(plan).zip(before.rows.iter()).zip(picture.rows.iter()) {
        if (old.state, old.since) == (new.state, new.since)
            || !recipient.sees(registry, plan.date, key.market_maker, key.issue)
        {
            continue;
        }
        let (state, reason) = word(new.state);
        let event = json!({
            "market_maker": key.market_maker,
            "issue": key.issue,
            "obligation": key.obligation.id.to_string(),
            "state": state,
            "since": local_time(new.since, &plan.zone),
            "reason": reason,
        });
        log.tell("state", &event.to_string());
    }
}
