//! What the exchange can order: a Fast Market, the registry read again.

use super::auth::Caller;
use super::{Http, Shared, json, look, not_found, unauthorised};
use crate::desk::Refused;
use crate::tokens::Role;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FastMarket {
    multiplier: u32,
}

/// `POST /api/v1/fast-market`: for the whole date, at once; 1 takes it back.
pub(super) async fn fast_market(State(shown): Shared, headers: HeaderMap, body: Bytes) -> Response {
    if let Some(refusal) = refusal(&headers, &shown) {
        return refusal;
    }
    let Some(FastMarket { multiplier }) =
        serde_json::from_slice(&body).ok().filter(|asked: &FastMarket| matches!(asked.multiplier, 1 | 2 | 4))
    else {
        return error(StatusCode::BAD_REQUEST, "expected {\"multiplier\": 1}, 2 or 4");
    };
    let date = look(&shown, |day| day.engine().map(|engine| engine.plan().date)).await.flatten();
    let Some(date) = date else {
        return error(StatusCode::CONFLICT, "no day is running");
    };
    let desk = Arc::clone(&shown.desk);
    answer(tokio::task::spawn_blocking(move || desk.fast_market(date, multiplier)).await)
}

/// `POST /api/v1/registry/reload`.
pub(super) async fn reload(State(shown): Shared, headers: HeaderMap) -> Response {
    if let Some(refusal) = refusal(&headers, &shown) {
        return refusal;
    }
    let desk = Arc::clone(&shown.desk);
    answer(tokio::task::spawn_blocking(move || desk.reload()).await)
}

/// What the request is answered if it may not order anything.
fn refusal(headers: &HeaderMap, shown: &Http) -> Option<Response> {
    let Some(caller) = Caller::of(headers, shown) else { return Some(unauthorised()) };
    // A page of somebody else's can make a browser send this, but not without its Origin.
    let is_foreign = headers.contains_key("origin") && !is_own_origin(headers);
    (caller.role != Role::Exchange || is_foreign).then(not_found)
}

fn is_own_origin(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let (Some(origin), Some(host)) = (text("origin"), text("host")) else { return false };
    origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://")) == Some(host)
}

fn answer(done: Result<Result<String, Refused>, tokio::task::JoinError>) -> Response {
    match done {
        Ok(Ok(text)) => json(StatusCode::OK, text + "\n"),
        Ok(Err(Refused::Registry(problem))) => error(StatusCode::UNPROCESSABLE_ENTITY, &problem),
        Ok(Err(Refused::NotWritable { row })) => {
            let body = serde_json::json!({ "error": "fast_market.csv cannot be written: enter the row", "row": row });
            json(StatusCode::CONFLICT, format!("{body}\n"))
        }
        Err(problem) => super::failed(&problem.into()),
    }
}

fn error(status: StatusCode, text: &str) -> Response {
    json(status, format!("{}\n", serde_json::json!({ "error": text })))
}
