//! `/api/v1/issues/{issue}/market-makers/{market_maker}`: one sign-up in depth, all of it of one instant.
//!
//! Nothing of it depends on anybody else's orders: the market's prices are not in it, and suggestions do without them.

use super::auth::Onlooker;
use super::looking::Standing;
use super::state::{Now, Obligation, obligation, word};
use super::{Http, Shared, ask_engine_for, failed, json, not_found, too_many};
use crate::measure::Work;
use crate::past;
use crate::watch::{Close, Closely};
use anyhow::Result;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use quoteclock_explain::{CauseRows, Explanation, Question, Scene, States, Strip, Subject, View, ViewRows};
use quoteclock_ledger::{Outage, outages};
use quoteclock_model::{IssueCode, Span, Timestamp};
use quoteclock_report::rows::keys;
use quoteclock_rules::{Registry, local_time};
use serde::{Deserialize, Serialize};
use std::num::NonZeroU64;
use std::sync::Arc;

/// Columns of the day's strip.
const COLUMNS: usize = 480;
/// The last outages, so many of them.
const OUTAGES_MAX: usize = 200;

#[derive(Serialize)]
struct Answer<'a> {
    date: String,
    as_of: String,
    now: Now,
    market_maker: &'a str,
    issue: &'a str,
    issue_name: Option<String>,
    /// The issue's own phase, and the market's.
    phase: &'static str,
    market_phase: &'static str,
    fast_market_multiplier: u32,
    obligations: Vec<InDepth<'a>>,
}

#[derive(Serialize)]
struct InDepth<'a> {
    #[serde(flatten)]
    standing: Obligation<'a>,
    /// Level by level.
    quotes: ViewRows,
    strip: StripRow,
    outage_count: usize,
    breach_count: usize,
    /// The last, the latest first.
    outages: Vec<OutageRow>,
}

/// The day in columns of equal length: which states occurred in each, `f` fulfilled, `b` breach, `u` unknown, `n` not required.
#[derive(Serialize)]
struct StripRow {
    start: String,
    end: String,
    columns: Vec<String>,
}

#[derive(Serialize)]
struct OutageRow {
    start: String,
    /// None of one that goes on.
    end: Option<String>,
    duration_us: u64,
    reasons: Vec<ReasonRow>,
    /// What it began and ended with, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    began: Option<CauseRows>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<CauseRows>,
}

/// What is asked for besides.
#[derive(Deserialize)]
pub(super) struct Asked {
    /// The obligation of whose outages it is told what they began and ended with.
    causes: Option<String>,
}

/// The day of one obligation, explained.
struct Told {
    obligation: String,
    explanation: Explanation,
    /// Whether the reader sees where a record stands among those of others.
    sees_everything: bool,
}

#[derive(Serialize)]
struct ReasonRow {
    reason: &'static str,
    lost_us: u64,
}

pub(super) async fn issue(
    State(shown): Shared,
    Onlooker(caller): Onlooker,
    Path((issue, market_maker)): Path<(String, String)>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let registry = shown.desk.registry();
    let Some(standing) = shown.looking.now(&shown).await else { return not_found() };
    if !caller.recipient.sees(&registry, standing.picture.plan.date, &market_maker, &issue) {
        return not_found();
    }
    let Some((standing, closely)) = shown.looking.closely(&shown, &market_maker, &issue).await else {
        return not_found();
    };
    let Ok(Query(Asked { causes })) = asked else { return not_found() };
    let told = match causes {
        None => None,
        Some(obligation) => {
            let whose = (market_maker.as_str(), issue.as_str(), obligation.as_str());
            match explanation(&shown, &standing, &closely, whose).await {
                Ok(explanation) => {
                    let sees_everything = caller.recipient.sees_feed();
                    Some(Told { obligation, explanation, sees_everything })
                }
                Err(answer) => return *answer,
            }
        }
    };
    let now = Now::of(&shown, standing.picture.facts.lag_us);
    match answer(&registry, &standing, &closely, now, told.as_ref(), (&market_maker, &issue)) {
        Ok(text) => json(StatusCode::OK, text + "\n"),
        Err(error) => failed(&error),
    }
}

/// Why an obligation was fulfilled or not, up to what has been looked at. One at a time: whoever comes in between is asked to come
/// again.
async fn explanation(
    shown: &Arc<Http>,
    standing: &Standing,
    closely: &Closely,
    (market_maker, issue, obligation): (&str, &str, &str),
) -> Result<Explanation, Box<Response>> {
    let mut of_sign_up = closely.obligations.iter().filter_map(|close| keys(&closely.plan).nth(close.position));
    if !of_sign_up.any(|key| key.obligation.id.to_string() == obligation) {
        return Err(Box::new(not_found()));
    }
    let Ok(place) = Arc::clone(&shown.past).try_acquire_owned() else { return Err(Box::new(too_many())) };
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let source = match ask_engine_for(shown, Work::Journal(sender)).await {
        Some(()) => receiver.await.ok(),
        None => None,
    };
    let Some(source) = source else { return Err(Box::new(not_found())) };
    let question = Question {
        market_maker: market_maker.to_owned(),
        issue: Some(issue.to_owned()),
        obligation: Some(obligation.to_owned()),
        at: None,
        limit: OUTAGES_MAX,
    };
    let (last, is_clean) = (closely.last, standing.picture.rejects == 0);
    let explain = move || {
        let explained = past::explain(&source, &question, last, is_clean);
        drop(place);
        explained
    };
    let explained = tokio::task::spawn_blocking(explain).await.unwrap_or_else(|error| Err(error.into()));
    explained.map_err(|error| Box::new(failed(&error)))
}

fn answer(
    registry: &Registry,
    standing: &Standing,
    closely: &Closely,
    now: Now,
    told: Option<&Told>,
    (market_maker, issue): (&str, &str),
) -> Result<String> {
    let Closely { plan, last, phase, market_phase, obligations } = closely;
    let row = IssueCode::new(issue.as_bytes()).and_then(|code| registry.issue_on(&code, plan.date));
    let time = |at: Timestamp| local_time(at, &plan.zone);
    let in_depth = |close: &Close| in_depth(standing, closely, (close, told), (market_maker, issue), row, &time);
    Ok(serde_json::to_string(&Answer {
        date: plan.date.to_string(),
        as_of: time(*last),
        now,
        market_maker,
        issue,
        issue_name: row.and_then(|row| row.name.clone()),
        phase: phase.as_str(),
        market_phase: market_phase.as_str(),
        fast_market_multiplier: plan.multiplier,
        obligations: obligations.iter().map(in_depth).collect::<Result<_>>()?,
    })?)
}

fn in_depth<'a>(
    standing: &Standing,
    Closely { plan, last, phase, market_phase, .. }: &Closely,
    (close, told): (&Close, Option<&Told>),
    (market_maker, issue): (&'a str, &'a str),
    registered: Option<&quoteclock_rules::Issue>,
    time: &dyn Fn(Timestamp) -> String,
) -> Result<InDepth<'a>> {
    let Close { position, row, own, limits, breaches, intervals } = close;
    let key = keys(plan).nth(*position).ok_or_else(|| anyhow::anyhow!("an obligation that is not of the plan"))?;
    let id = key.obligation.id.to_string();
    let budget = standing.month.as_ref().and_then(|month| month.budget(plan, *position, row));
    let subject = Subject {
        market_maker: market_maker.to_owned(),
        issue: issue.to_owned(),
        issue_name: None,
        obligation: id.clone(),
        limits: limits.clone(),
        limit_changes: Arc::default(),
        trading_unit: registered.and_then(|row| NonZeroU64::new(row.trading_unit?)).unwrap_or(NonZeroU64::MIN),
        multiplier: key.obligation.multiplier,
        required_pct: key.obligation.required.pct,
        servers: Vec::new(),
    };
    let scene = Scene {
        at: *last,
        own: own.clone(),
        uncounted: Vec::new(),
        uncounted_count: 0,
        market: [None, None],
        phase: *phase,
        market_phase: *market_phase,
        recent: Vec::new(),
    };
    let view = View::new(&scene, &subject);
    let (span, columns) =
        Strip::of_states(plan, intervals.iter().copied().chain(fulfilled(close, plan.day, *last))).states(COLUMNS);
    let all: Vec<_> = outages(breaches).collect();
    let is_off = word(row.state).0 == "breach";
    let told = told.filter(|told| told.obligation == id);
    let outage = |outage: &Outage| -> Result<OutageRow> {
        let is_over = !is_off || outage.span.end != *last;
        let [began, ended] = told.map_or(Ok([None, None]), |told| told.causes(outage.span.start))?;
        Ok(OutageRow {
            start: time(outage.span.start),
            end: is_over.then(|| time(outage.span.end)),
            duration_us: outage.span.end.since(outage.span.start).0,
            reasons: outage
                .reasons
                .iter()
                .map(|(reason, lost)| ReasonRow { reason: reason.as_str(), lost_us: lost.0 })
                .collect(),
            began,
            ended: ended.filter(|_| is_over),
        })
    };
    Ok(InDepth {
        standing: obligation(
            (market_maker, issue, id.clone()),
            registered.map(|row| row.type_name.clone()),
            row,
            limits,
            budget.as_ref(),
            time,
        ),
        quotes: ViewRows::of(&view)?,
        strip: StripRow {
            start: time(span.start),
            end: time(span.end),
            columns: columns.iter().map(letters).collect(),
        },
        outage_count: all.len(),
        breach_count: breaches.len(),
        outages: all.iter().rev().take(OUTAGES_MAX).map(outage).collect::<Result<_>>()?,
    })
}

impl Told {
    /// What the outage that began at `start` began and ended with.
    fn causes(&self, start: Timestamp) -> Result<[Option<CauseRows>; 2]> {
        let Told { explanation, sees_everything, .. } = self;
        let found = explanation.outages.iter().find(|outage| outage.span.start == start);
        let rows = |causes| CauseRows::of(explanation, causes, *sees_everything);
        Ok(match found {
            Some(outage) => [Some(rows(&outage.began)?), Some(rows(&outage.ended)?)],
            None => [None, None],
        })
    }
}

/// What of the day so far is in none of the other intervals is fulfilled.
fn fulfilled(close: &Close, day: Span, last: Timestamp) -> Vec<quoteclock_model::Interval> {
    let mut others: Vec<Span> = close.intervals.iter().map(|interval| interval.span()).collect();
    others.sort_unstable_by_key(|span| span.start);
    let (mut found, mut at) = (Vec::new(), day.start);
    for span in others.into_iter().chain([Span { start: last, end: last }]) {
        if at < span.start {
            found.push(quoteclock_model::Interval {
                start: at,
                end: span.start,
                state: quoteclock_model::State::Fulfilled,
            });
        }
        at = at.max(span.end);
    }
    found
}

fn letters(states: &States) -> String {
    let all = [(states.breach, 'b'), (states.unknown, 'u'), (states.fulfilled, 'f'), (states.unavailable, 'n')];
    all.into_iter().filter_map(|(occurs, letter)| occurs.then_some(letter)).collect()
}
