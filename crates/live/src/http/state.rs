//! `/api/v1/state`: every obligation that the caller may see, as it stands.

use super::auth::Caller;
use super::{Shared, json, look, not_found, unauthorised};
use crate::measure::{LiveDay, SoFar, so_far};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use quoteclock_ledger::{DisplayPercent, Total};
use quoteclock_model::State as Standing;
use quoteclock_report::rows::keys;
use quoteclock_rules::local_time;
use serde::Serialize;

/// The whole answer.
#[derive(Serialize)]
struct Answer {
    /// The trading date; none before the first record.
    date: Option<String>,
    /// The time of the last record.
    as_of: Option<String>,
    obligations: Vec<Obligation>,
}

/// One obligation.
#[derive(Serialize)]
struct Obligation {
    market_maker: String,
    issue: String,
    obligation: String,
    /// `fulfilled`, `breach`, `unavailable` or `unknown`.
    state: &'static str,
    since: String,
    /// Of a breach.
    reason: Option<&'static str>,
    today: Today,
}

/// Its times of the day so far.
#[derive(Serialize)]
struct Today {
    available_us: u64,
    fulfilled_us: u64,
    unknown_us: u64,
    display_pct: Option<String>,
}

pub(super) async fn state(State(shown): Shared, headers: HeaderMap) -> Response {
    let Some(caller) = Caller::of(&headers, &shown) else { return unauthorised() };
    if !caller.sees_market() {
        return not_found();
    }
    let registry = shown.desk.registry();
    let answer = look(&shown, as_it_stands).await.flatten();
    let mut answer = answer.unwrap_or(Answer { date: None, as_of: None, obligations: Vec::new() });
    if let Some(date) = answer.date.as_ref().and_then(|date| date.parse().ok()) {
        answer.obligations.retain(|of| caller.sees(&registry, date, &of.market_maker, &of.issue));
    }
    match serde_json::to_string(&answer) {
        Ok(text) => json(StatusCode::OK, text + "\n"),
        Err(error) => super::failed(&error.into()),
    }
}

fn as_it_stands(day: &mut LiveDay) -> Option<Answer> {
    // What has been told too early is measured again; until that takes over it is not known.
    let late = day.retroactive();
    let is_stale = late != day.known_unknown();
    let SoFar { plan, last, ledger, standing } = so_far(day)?;
    let obligations = keys(&plan).map(|key| {
        let (state, since) = standing[key.index.0 as usize];
        let Total { available, fulfilled, unknown } = ledger.total(key.index);
        let is_late = late.iter().any(|window| window.issue.as_ref().is_none_or(|issue| issue.as_str() == key.issue));
        let state = if is_stale && is_late { Standing::Unknown } else { state };
        let (state, reason) = match state {
            Standing::Unavailable => ("unavailable", None),
            Standing::Unknown => ("unknown", None),
            Standing::Fulfilled => ("fulfilled", None),
            Standing::Breach(reason) => ("breach", Some(reason.as_str())),
        };
        Obligation {
            market_maker: key.market_maker.to_owned(),
            issue: key.issue.to_owned(),
            obligation: key.obligation.id.to_string(),
            state,
            since: local_time(since, &plan.zone),
            reason,
            today: Today {
                available_us: available.0,
                fulfilled_us: fulfilled.0,
                unknown_us: unknown.0,
                display_pct: DisplayPercent::of(fulfilled, available).map(|percent| percent.to_string()),
            },
        }
    });
    Some(Answer {
        date: Some(plan.date.to_string()),
        as_of: Some(local_time(last, &plan.zone)),
        obligations: obligations.collect(),
    })
}
