//! `/metrics`, for Prometheus: how the program is. No figure of a party, and no name, is among them.

use super::auth::Caller;
use super::{Http, Shared, not_found, with_type};
use crate::tokens::Role;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::Ordering;

/// Every metric there is: its name, its kind, and what it says.
pub(super) const METRICS: [(&str, &str, &str); 17] = [
    ("quoteclock_build_info", "gauge", "1, with the version of the program"),
    ("quoteclock_following", "gauge", "1 while a source is followed"),
    ("quoteclock_connected", "gauge", "1 while the source is connected"),
    ("quoteclock_feed_silent_seconds", "gauge", "seconds since the source was last heard of"),
    ("quoteclock_day_running", "gauge", "1 while a day is measured"),
    ("quoteclock_messages", "gauge", "messages of the running day since it was taken up"),
    ("quoteclock_next_sequence", "gauge", "number of the next message of the session, or of a pipe's next byte"),
    ("quoteclock_gaps", "gauge", "gaps in the running day since it was taken up"),
    ("quoteclock_records_set_aside", "gauge", "records of the running day that were set aside"),
    ("quoteclock_obligations", "gauge", "obligations that the running day measures"),
    ("quoteclock_fast_market_multiplier", "gauge", "1, 2 or 4"),
    ("quoteclock_lag_seconds", "gauge", "from socket to verdict, of the last message"),
    ("quoteclock_latency_seconds", "gauge", "from socket to verdict, by quantile; quantile 1 is the longest"),
    ("quoteclock_event_streams", "gauge", "open event streams"),
    ("quoteclock_requests_total", "counter", "requests answered, by route and status"),
    ("quoteclock_alerts_total", "counter", "messages to receivers of alerts, by outcome: sent, failed"),
    ("quoteclock_alerts_waiting", "gauge", "messages that wait for their receiver"),
];

/// Requests by route and status: as many kinds as there are routes.
#[derive(Debug, Default)]
pub(crate) struct Requests(Mutex<BTreeMap<(String, u16), u64>>);

impl Requests {
    pub(super) fn count(&self, route: &str, status: StatusCode) {
        if let Ok(mut counts) = self.0.lock() {
            *counts.entry((route.to_owned(), status.as_u16())).or_default() += 1;
        }
    }
}

pub(super) async fn metrics(State(shown): Shared, caller: Caller) -> Response {
    if caller.recipient.role != Role::Operator {
        return not_found();
    }
    let standing = shown.looking.now(&shown).await;
    let facts = standing.as_ref().map(|standing| standing.picture.facts).unwrap_or_default();
    let picture = standing.as_ref().map(|standing| &standing.picture);
    let mut values = Values::default();
    let flag = |is: bool| u64::from(is).to_string();
    values.add("quoteclock_build_info", &[("version", env!("CARGO_PKG_VERSION"))], "1".to_owned());
    values.add("quoteclock_following", &[], flag(shown.health.is_following()));
    values.add("quoteclock_connected", &[], flag(shown.health.connected_since().is_some()));
    values.add("quoteclock_feed_silent_seconds", &[], shown.health.silent_for_s().to_string());
    values.add("quoteclock_day_running", &[], flag(picture.is_some()));
    values.add("quoteclock_messages", &[], facts.messages.to_string());
    values.add("quoteclock_next_sequence", &[], facts.next.to_string());
    values.add("quoteclock_gaps", &[], facts.gaps.to_string());
    values.add("quoteclock_records_set_aside", &[], picture.map_or(0, |picture| picture.rejects).to_string());
    values.add("quoteclock_obligations", &[], picture.map_or(0, |picture| picture.rows.len()).to_string());
    values.add(
        "quoteclock_fast_market_multiplier",
        &[],
        picture.map_or(1, |picture| picture.plan.multiplier).to_string(),
    );
    values.add("quoteclock_lag_seconds", &[], seconds(facts.lag_us));
    for (quantile, micros) in ["0.5", "0.99", "0.999", "1"].iter().zip(facts.latency_us) {
        values.add("quoteclock_latency_seconds", &[("quantile", quantile)], seconds(micros));
    }
    values.add("quoteclock_event_streams", &[], shown.hub.streams().to_string());
    values.requests(&shown);
    let counts = shown.alerting.as_ref().map(|alerting| &*alerting.counts);
    let count = |of: fn(&crate::alerts::Counts) -> u64| counts.map_or(0, of).to_string();
    values.add("quoteclock_alerts_total", &[("outcome", "sent")], count(|counts| counts.sent.load(Ordering::Relaxed)));
    values.add(
        "quoteclock_alerts_total",
        &[("outcome", "failed")],
        count(|counts| counts.failed.load(Ordering::Relaxed)),
    );
    values.add("quoteclock_alerts_waiting", &[], count(|counts| counts.waiting.load(Ordering::Relaxed)));
    with_type(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", values.text().into_bytes())
}

/// Microseconds in seconds, exactly.
fn seconds(micros: u64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

/// Lines by metric.
#[derive(Default)]
struct Values(BTreeMap<&'static str, String>);

impl Values {
    fn add(&mut self, name: &'static str, labels: &[(&str, &str)], value: String) {
        let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        // Writing into a string does not fail.
        let _ = writeln!(self.0.entry(name).or_default(), "{name}{labels} {value}");
    }

    fn requests(&mut self, shown: &Http) {
        let Ok(counts) = shown.requests.0.lock() else { return };
        for ((route, status), count) in counts.iter() {
            let labels = [("route", route.as_str()), ("status", &status.to_string())];
            self.add("quoteclock_requests_total", &labels, count.to_string());
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for (name, kind, help) in METRICS {
            let lines = self.0.get(name).map_or("", String::as_str);
            let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{lines}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The names of metrics in a text.
    fn names(text: &str) -> BTreeSet<String> {
        let words = text.split(|character: char| !character.is_ascii_alphanumeric() && character != '_');
        words.filter(|word| word.starts_with("quoteclock_")).map(str::to_owned).collect()
    }

    #[test]
    fn the_dashboard_shows_the_metrics_that_there_are() {
        let dashboard: serde_json::Value = serde_json::from_str(include_str!("../../../../docs/grafana.json")).unwrap();
        let panels = dashboard["panels"].as_array().unwrap();
        let shown: BTreeSet<String> = panels
            .iter()
            .flat_map(|panel| panel["targets"].as_array().unwrap())
            .flat_map(|target| names(target["expr"].as_str().unwrap()))
            .collect();
        let known: BTreeSet<String> = METRICS.iter().map(|(name, _, _)| (*name).to_owned()).collect();
        assert_eq!(shown, known);
        assert!(panels.iter().all(|panel| panel["title"].is_string() && panel["gridPos"].is_object()));
    }
}
