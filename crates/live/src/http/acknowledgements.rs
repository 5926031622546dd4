//! `/api/v1/acknowledgements`: what people say about an obligation, kept in the store with who and when.

use super::auth::{Caller, Onlooker};
use super::{Http, Shared, error, failed, json, not_found};
use crate::recipient::Recipient;
use crate::tokens::Role;
use anyhow::Result;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::civil::Date;
use quoteclock_model::Timestamp;
use quoteclock_report::rows::keys;
use quoteclock_store::Acknowledgement;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The longest remark, in characters.
const REMARK_MAX: usize = 1000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    market_maker: String,
    issue: String,
    obligation: String,
    remark: String,
}

#[derive(Serialize)]
struct Answer {
    date: Option<String>,
    acknowledgements: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    market_maker: String,
    issue: String,
    obligation: String,
    remark: String,
    acknowledged_at: String,
    /// Of whoever said it.
    role: String,
    /// Whom the token was given to: told to the same party, and to the exchange.
    name: Option<String>,
}

/// Whether a recipient has anything to do with acknowledgements.
fn takes_part(recipient: &Recipient) -> bool {
    matches!(recipient.role, Role::Exchange | Role::MarketMaker)
}

pub(super) async fn list(State(shown): Shared, Onlooker(caller): Onlooker) -> Response {
    if !takes_part(&caller.recipient) {
        return not_found();
    }
    let Some(standing) = shown.looking.now(&shown).await else {
        return answered(StatusCode::OK, &Answer { date: None, acknowledgements: Vec::new() });
    };
    let date = standing.picture.plan.date;
    match read(&shown, date).await {
        Ok(all) => {
            let registry = shown.desk.registry();
            let is_seen = |one: &Acknowledgement| caller.recipient.sees(&registry, date, &one.market_maker, &one.issue);
            let acknowledgements = all.into_iter().filter(is_seen).map(|one| row(one, &caller.recipient)).collect();
            answered(StatusCode::OK, &Answer { date: Some(date.to_string()), acknowledgements })
        }
        Err(error) => failed(&error),
    }
}

pub(super) async fn add(State(shown): Shared, Onlooker(caller): Onlooker, body: Bytes) -> Response {
    if !takes_part(&caller.recipient) {
        return not_found();
    }
    let Some(given) = serde_json::from_slice::<Given>(&body).ok().filter(|given| is_remark(&given.remark)) else {
        return error(
            StatusCode::BAD_REQUEST,
            "expected {\"market_maker\": …, \"issue\": …, \"obligation\": …, \"remark\": 1 to 1000 characters}",
        );
    };
    let Some(standing) = shown.looking.now(&shown).await else { return not_found() };
    let plan = &standing.picture.plan;
    let is_meant = |key: &quoteclock_report::rows::DayKey<'_>| {
        key.market_maker == given.market_maker
            && key.issue == given.issue
            && key.obligation.id.to_string() == given.obligation
    };
    let sees = caller.recipient.sees(&shown.desk.registry(), plan.date, &given.market_maker, &given.issue);
    if !sees || !keys(plan).any(|key| is_meant(&key)) {
        return not_found();
    }
    let one = acknowledgement(given, plan.date, &caller);
    let (db, kept) = (shown.db.clone(), one.clone());
    let done = tokio::task::spawn_blocking(move || -> Result<()> {
        db.create()?.acknowledge(&kept)?;
        Ok(())
    });
    match done.await.unwrap_or_else(|error| Err(error.into())) {
        Ok(()) => {
            let registry = shown.desk.registry();
            for (recipient, log) in shown.hub.recipients() {
                if takes_part(&recipient) && recipient.sees(&registry, one.date, &one.market_maker, &one.issue) {
                    log.tell("acknowledgement", &text(&row(one.clone(), &recipient)));
                }
            }
            answered(StatusCode::CREATED, &row(one, &caller.recipient))
        }
        Err(error) => failed(&error),
    }
}

fn is_remark(text: &str) -> bool {
    let count = text.chars().count();
    !text.trim().is_empty() && count <= REMARK_MAX && !text.chars().any(char::is_control)
}

fn acknowledgement(given: Given, date: Date, caller: &Caller) -> Acknowledgement {
    let Given { market_maker, issue, obligation, remark } = given;
    let Recipient { role, party } = &caller.recipient;
    let at = Timestamp::from_micros(jiff::Timestamp::now().as_second() * 1_000_000);
    let (role, party, name) = (role.to_string(), party.clone(), caller.name.clone());
    Acknowledgement { date, market_maker, issue, obligation, remark, role, party, name, at }
}

async fn read(shown: &Arc<Http>, date: Date) -> Result<Vec<Acknowledgement>> {
    let db = shown.db.clone();
    tokio::task::spawn_blocking(move || Ok(db.open()?.acknowledgements(date)?)).await?
}

fn row(one: Acknowledgement, to: &Recipient) -> Row {
    let is_theirs = to.role == Role::Exchange || (to.role.to_string() == one.role && to.party == one.party);
    let at = jiff::Timestamp::from_microsecond(one.at.as_micros()).unwrap_or_default();
    Row {
        market_maker: one.market_maker,
        issue: one.issue,
        obligation: one.obligation,
        remark: one.remark,
        acknowledged_at: at.to_string(),
        role: one.role,
        name: is_theirs.then_some(one.name),
    }
}

fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn answered(status: StatusCode, value: &impl Serialize) -> Response {
    json(status, text(value) + "\n")
}
