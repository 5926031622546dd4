//! What the exchange can order: a Fast Market, the registry read again.

use super::auth::Exchange;
use super::{Shared, error, json, look};
use crate::desk::Refused;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FastMarket {
    multiplier: u32,
}

/// `POST /api/v1/fast-market`: for the whole date, at once; 1 takes it back.
pub(super) async fn fast_market(State(shown): Shared, _: Exchange, body: Bytes) -> Response {
    let Some(FastMarket { multiplier }) =
        serde_json::from_slice(&body).ok().filter(|asked: &FastMarket| matches!(asked.multiplier, 1 | 2 | 4))
    else {
        return error(StatusCode::BAD_REQUEST, "expected {\"multiplier\": 1}, 2 or 4");
    };
    let date = look(&shown, |day, _| day.engine().map(|engine| engine.plan().date)).await.flatten();
    let Some(date) = date else {
        return error(StatusCode::CONFLICT, "no day is running");
    };
    let desk = Arc::clone(&shown.desk);
    answer(tokio::task::spawn_blocking(move || desk.fast_market(date, multiplier)).await)
}

/// `POST /api/v1/registry/reload`.
pub(super) async fn reload(State(shown): Shared, _: Exchange) -> Response {
    let desk = Arc::clone(&shown.desk);
    answer(tokio::task::spawn_blocking(move || desk.reload()).await)
}

fn answer(done: Result<Result<String, Refused>, tokio::task::JoinError>) -> Response {
    match done {
        Ok(Ok(text)) => json(StatusCode::OK, text + "\n"),
        Ok(Err(Refused::Unfit(problem))) => error(StatusCode::UNPROCESSABLE_ENTITY, &problem),
        Ok(Err(Refused::NotWritable { row })) => {
            let body = serde_json::json!({ "error": "fast_market.csv cannot be written: enter the row", "row": row });
            json(StatusCode::CONFLICT, format!("{body}\n"))
        }
        Err(problem) => super::failed(&problem.into()),
    }
}
