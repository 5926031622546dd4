//! `/api/v1/issues/{issue}/market-makers/{market_maker}`: one sign-up in depth, all of it of one instant.
//!
//! Nothing of it depends on anybody else's orders: the market's prices are not in it, and suggestions do without them.

use super::auth::Onlooker;
use super::{Http, Shared, ask_engine_for, failed, json, not_found, too_many};
use crate::measure::Work;
use crate::past;
use crate::standing::{InDay, Now, Obligation, Present};
use crate::watch::{Close, Closely};
use anyhow::{Result, anyhow};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use quoteclock_explain::{CauseRows, Explanation, Question, Scene, States, Strip, Subject, View, ViewRows};
use quoteclock_ledger::{Outage, outages};
use quoteclock_model::{Interval, IssueCode, Span, State as Verdict, Timestamp};
use quoteclock_report::rows::{DayKey, keys};
use quoteclock_rules::{Issue, Registry, local_time};
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
    let Some(present) = shown.looking.now(&shown).await else { return not_found() };
    if !caller.recipient.sees(&registry, present.picture.plan.date, &market_maker, &issue) {
        return not_found();
    }
    let Some((present, closely)) = shown.looking.closely(&shown, &market_maker, &issue).await else {
        return not_found();
    };
    let Ok(Query(Asked { causes })) = asked else { return not_found() };
    let told = match causes {
        None => None,
        Some(obligation) => {
            let whose = (market_maker.as_str(), issue.as_str(), obligation.as_str());
            match explanation(&shown, &present, &closely, whose).await {
                Ok(explanation) => {
                    let sees_everything = caller.recipient.sees_feed();
                    Some(Told { obligation, explanation, sees_everything })
                }
                Err(answer) => return *answer,
            }
        }
    };
    let now = shown.now(present.picture.facts.lag_us);
    let sign_up = SignUp {
        registry: &registry,
        present: &present,
        closely: &closely,
        told: told.as_ref(),
        market_maker: &market_maker,
        issue: &issue,
    };
    match sign_up.answer(now) {
        Ok(text) => json(StatusCode::OK, text + "\n"),
        Err(error) => failed(&error),
    }
}

/// Why an obligation was fulfilled or not, up to what has been looked at. One at a time: whoever comes in between is asked to come
/// again.
async fn explanation(
    shown: &Arc<Http>,
    present: &Present,
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
    let (last, is_clean) = (closely.last, present.picture.rejects == 0);
    let explain = move || {
        let explained = past::explain(&source, &question, last, is_clean);
        drop(place);
        explained
    };
    let explained = tokio::task::spawn_blocking(explain).await.unwrap_or_else(|error| Err(error.into()));
    explained.map_err(|error| Box::new(failed(&error)))
}

/// The sign-up that is asked about.
#[derive(Clone, Copy)]
struct SignUp<'a> {
    registry: &'a Registry,
    present: &'a Present,
    closely: &'a Closely,
    told: Option<&'a Told>,
    market_maker: &'a str,
    issue: &'a str,
}

impl<'a> SignUp<'a> {
    /// The registry's row of its issue.
    fn registered(self) -> Option<&'a Issue> {
        IssueCode::new(self.issue.as_bytes()).and_then(|code| self.registry.issue_on(&code, self.closely.plan.date))
    }

    fn time(self, at: Timestamp) -> String {
        local_time(at, &self.closely.plan.zone)
    }

    fn answer(self, now: Now) -> Result<String> {
        let Closely { plan, last, phase, market_phase, obligations } = self.closely;
        Ok(serde_json::to_string(&Answer {
            date: plan.date.to_string(),
            as_of: self.time(*last),
            now,
            market_maker: self.market_maker,
            issue: self.issue,
            issue_name: self.registered().and_then(|row| row.name.clone()),
            phase: phase.as_str(),
            market_phase: market_phase.as_str(),
            fast_market_multiplier: plan.multiplier,
            obligations: obligations.iter().map(|close| self.in_depth(close)).collect::<Result<_>>()?,
        })?)
    }

    fn in_depth(self, close: &Close) -> Result<InDepth<'a>> {
        let Closely { plan, last, .. } = self.closely;
        let Close { position, row, limits, breaches, intervals, .. } = close;
        let key = keys(plan).nth(*position).ok_or_else(|| anyhow!("an obligation that is not of the plan"))?;
        let in_day = InDay { plan, ..self.present.in_day(self.registry) };
        let (span, columns) =
            Strip::of_states(plan, intervals.iter().copied().chain(fulfilled(close, plan.day, *last))).states(COLUMNS);
        let all: Vec<_> = outages(breaches).collect();
        let is_off = matches!(row.state, Verdict::Breach(_));
        let id = key.obligation.id.to_string();
        let told = self.told.filter(|told| told.obligation == id);
        let outage = |outage: &Outage| self.outage(outage, is_off && outage.span.end == *last, told);
        Ok(InDepth {
            standing: Obligation::of(&key, row, limits, in_day),
            quotes: self.quotes(close, &key)?,
            strip: StripRow {
                start: self.time(span.start),
                end: self.time(span.end),
                columns: columns.iter().map(letters).collect(),
            },
            outage_count: all.len(),
            breach_count: breaches.len(),
            outages: all.iter().rev().take(OUTAGES_MAX).map(outage).collect::<Result<_>>()?,
        })
    }

    /// Its quotes for an obligation, level by level.
    fn quotes(self, Close { own, limits, .. }: &Close, key: &DayKey<'_>) -> Result<ViewRows> {
        let Closely { last, phase, market_phase, .. } = self.closely;
        let trading_unit = self.registered().and_then(|row| NonZeroU64::new(row.trading_unit?));
        let subject = Subject {
            market_maker: self.market_maker.to_owned(),
            issue: self.issue.to_owned(),
            issue_name: None,
            obligation: key.obligation.id.clone(),
            limits: limits.clone(),
            limit_changes: Arc::default(),
            trading_unit: trading_unit.unwrap_or(NonZeroU64::MIN),
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
        Ok(ViewRows::of(&View::new(&scene, &subject))?)
    }

    /// One outage, with what it began and ended with where that is told.
    fn outage(self, outage: &Outage, goes_on: bool, told: Option<&Told>) -> Result<OutageRow> {
        let [began, ended] = told.map_or(Ok([None, None]), |told| told.causes(outage.span.start))?;
        let reasons = outage.reasons.iter();
        Ok(OutageRow {
            start: self.time(outage.span.start),
            end: (!goes_on).then(|| self.time(outage.span.end)),
            duration_us: outage.span.end.since(outage.span.start).0,
            reasons: reasons.map(|(reason, lost)| ReasonRow { reason: reason.as_str(), lost_us: lost.0 }).collect(),
            began,
            ended: ended.filter(|_| !goes_on),
        })
    }
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
fn fulfilled(close: &Close, day: Span, last: Timestamp) -> Vec<Interval> {
    let mut others: Vec<Span> = close.intervals.iter().map(|interval| interval.span()).collect();
    others.sort_unstable_by_key(|span| span.start);
    let (mut found, mut at) = (Vec::new(), day.start);
    for span in others.into_iter().chain([Span { start: last, end: last }]) {
        if at < span.start {
            found.push(Interval { start: at, end: span.start, state: Verdict::Fulfilled });
        }
        at = at.max(span.end);
    }
    found
}

fn letters(states: &States) -> String {
    let all = [(states.breach, 'b'), (states.unknown, 'u'), (states.fulfilled, 'f'), (states.unavailable, 'n')];
    all.into_iter().filter_map(|(occurs, letter)| occurs.then_some(letter)).collect()
}
