//! Answers of shards as one. What belongs to an issue is in one of them, and handed on as it stands.

use super::{Given, is_done};
use crate::http::days::{Row, rows_of};
use crate::http::state::{FastMarket, Feed, Lag, Maker};
use crate::standing::Now;
use anyhow::{Context, Result};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};

/// How a shard is: its number, in the order in which the front was told of them.
#[derive(Serialize)]
struct Shard {
    shard: usize,
    /// `ok`; `away`, where it does not answer; `refused`, where it does not know the caller.
    state: &'static str,
    /// Of what it shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    feed: Option<Box<RawValue>>,
}

impl Shard {
    fn of((shard, given): (usize, &Given)) -> Shard {
        let state = match given {
            None => "away",
            Some((status, _)) if status.is_success() => "ok",
            Some(_) => "refused",
        };
        Shard { shard, state, date: None, as_of: None, feed: None }
    }
}

/// `/api/v1/state` of a shard.
#[derive(Deserialize)]
struct StateOf {
    date: Option<String>,
    as_of: Option<String>,
    now: Now,
    role: String,
    feed: Option<Box<RawValue>>,
    fast_market: Option<FastMarket>,
    month_stale: Option<Vec<String>>,
    market_makers: Vec<Maker>,
    alerts: Vec<Box<RawValue>>,
    obligations: Vec<Box<RawValue>>,
}

/// The same of all.
#[derive(Serialize)]
struct State {
    date: Option<String>,
    as_of: Option<String>,
    now: Now,
    role: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    feed: Option<Feed>,
    fast_market: Option<FastMarket>,
    month_stale: Option<Vec<String>>,
    market_makers: Vec<Maker>,
    alerts: Vec<Box<RawValue>>,
    obligations: Vec<Box<RawValue>>,
    shards: Vec<Shard>,
}

/// Whose an obligation is.
#[derive(Deserialize)]
struct Key {
    market_maker: String,
    issue: String,
}

/// `/api/v1/state` of all that have answered, with how each of them is.
pub(super) fn state(all: &[Given]) -> Result<String> {
    let mut shards: Vec<Shard> = all.iter().enumerate().map(Shard::of).collect();
    let mut states: Vec<StateOf> = Vec::new();
    for (shard, given) in shards.iter_mut().zip(all) {
        if let Some((_, body)) = given.as_ref().filter(|_| is_done(given)) {
            let state: StateOf = serde_json::from_slice(body).context("what a shard says of its state")?;
            (shard.date, shard.as_of, shard.feed) = (state.date.clone(), state.as_of.clone(), state.feed.clone());
            states.push(state);
        }
    }
    let is_whole = states.len() == all.len();
    let feeds: Vec<Feed> = states
        .iter()
        .filter_map(|state| state.feed.as_ref())
        .map(|feed| serde_json::from_str(feed.get()))
        .collect::<serde_json::Result<_>>()
        .context("where a shard's feed stands")?;
    let stale: Option<BTreeSet<String>> = states.iter().map(|state| state.month_stale.clone()).flat_map_all();
    let worst = ["silent", "late", "ok"].into_iter().find(|word| states.iter().any(|state| state.now.feed == *word));
    let merged = State {
        date: states.iter().filter_map(|state| state.date.clone()).max(),
        // What stands here holds for every shard.
        as_of: states.iter().filter_map(|state| state.as_of.clone()).min(),
        now: Now {
            time: states.iter().map(|state| state.now.time.clone()).min().unwrap_or_default(),
            feed: worst.filter(|_| is_whole).unwrap_or("silent").into(),
        },
        role: states.first().map(|state| state.role.clone()).unwrap_or_default(),
        feed: feed(&feeds),
        fast_market: states.iter().filter_map(|state| state.fast_market).max(),
        month_stale: stale.map(|stale| stale.into_iter().collect()),
        market_makers: makers(&states),
        alerts: states.iter().flat_map(|state| state.alerts.iter().cloned()).collect(),
        obligations: sorted(states.iter().flat_map(|state| state.obligations.iter().cloned()))?,
        shards,
    };
    Ok(serde_json::to_string(&merged)?)
}

/// All lists as one; none where one of them is not there.
trait FlatMapAll {
    fn flat_map_all(self) -> Option<BTreeSet<String>>;
}

impl<I: Iterator<Item = Option<Vec<String>>>> FlatMapAll for I {
    fn flat_map_all(self) -> Option<BTreeSet<String>> {
        self.collect::<Option<Vec<Vec<String>>>>().map(|lists| lists.into_iter().flatten().collect())
    }
}

/// Where feeds stand: counts added up, times of the worst.
fn feed(feeds: &[Feed]) -> Option<Feed> {
    let sum = |of: fn(&Feed) -> u64| feeds.iter().map(of).fold(0, u64::saturating_add);
    let worst = |of: fn(&Feed) -> u64| feeds.iter().map(of).max().unwrap_or_default();
    let since: Option<Vec<String>> = feeds.iter().map(|feed| feed.connected_since.clone()).collect();
    (!feeds.is_empty()).then(|| Feed {
        next_sequence: sum(|feed| feed.next_sequence),
        gaps: sum(|feed| feed.gaps),
        records_set_aside: sum(|feed| feed.records_set_aside),
        connected_since: since.and_then(|since| since.into_iter().max()),
        lag_us: Lag {
            last: worst(|feed| feed.lag_us.last),
            p50: worst(|feed| feed.lag_us.p50),
            p99: worst(|feed| feed.lag_us.p99),
            p999: worst(|feed| feed.lag_us.p999),
            max: worst(|feed| feed.lag_us.max),
        },
    })
}

/// ETFs met in the shards that answer, added up: an ETF is in one of them.
fn makers(states: &[StateOf]) -> Vec<Maker> {
    let mut met: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    for Maker { market_maker, etfs_met, etfs_required } in states.iter().flat_map(|state| &state.market_makers) {
        let (sum, required) = met.entry(market_maker).or_default();
        *sum = sum.saturating_add(*etfs_met);
        *required = *etfs_required;
    }
    let maker =
        |(name, (etfs_met, etfs_required)): (&str, _)| Maker { market_maker: name.to_owned(), etfs_met, etfs_required };
    met.into_iter().map(maker).collect()
}

/// Obligations by market maker and issue; those of one issue stay as they were.
fn sorted(all: impl Iterator<Item = Box<RawValue>>) -> Result<Vec<Box<RawValue>>> {
    let mut keyed = Vec::new();
    for one in all {
        let Key { market_maker, issue } = serde_json::from_str(one.get()).context("whose an obligation is")?;
        keyed.push(((market_maker, issue), one));
    }
    keyed.sort_by(|(first, _), (second, _)| first.cmp(second));
    Ok(keyed.into_iter().map(|(_, one)| one).collect())
}

/// Files of CSV, each sorted by market maker and issue, as one.
pub(super) fn lines(all: &[Given]) -> Result<Vec<u8>> {
    let (mut header, mut rows): (Vec<u8>, Vec<Row>) = (Vec::new(), Vec::new());
    for (_, body) in all.iter().flatten() {
        let end = body.iter().position(|&byte| byte == b'\n').map_or(body.len(), |at| at + 1);
        header = body[..end].to_vec();
        rows.extend(rows_of(&body[end..])?);
    }
    rows.sort_by(|first, second| (&first.market_maker, &first.issue).cmp(&(&second.market_maker, &second.issue)));
    rows.iter().for_each(|row| header.extend_from_slice(row.line.as_bytes()));
    Ok(header)
}

#[derive(Deserialize)]
struct AcknowledgementsOf {
    date: Option<String>,
    acknowledgements: Vec<Box<RawValue>>,
}

#[derive(Serialize)]
struct Acknowledgements {
    date: Option<String>,
    acknowledgements: Vec<Box<RawValue>>,
    shards: Vec<Shard>,
}

/// `/api/v1/acknowledgements` of all that have answered, the earliest first.
pub(super) fn acknowledgements(all: &[Given]) -> Result<String> {
    #[derive(Deserialize)]
    struct At {
        acknowledged_at: String,
    }
    let (mut date, mut keyed) = (None, Vec::new());
    for (_, body) in all.iter().filter(|given| is_done(given)).flatten() {
        let of: AcknowledgementsOf = serde_json::from_slice(body).context("a shard's acknowledgements")?;
        date = date.max(of.date);
        for one in of.acknowledgements {
            let At { acknowledged_at } = serde_json::from_str(one.get()).context("a shard's acknowledgement")?;
            keyed.push((acknowledged_at, one));
        }
    }
    keyed.sort_by(|(first, _), (second, _)| first.cmp(second));
    let acknowledgements = keyed.into_iter().map(|(_, one)| one).collect();
    let shards = all.iter().enumerate().map(Shard::of).collect();
    Ok(serde_json::to_string(&Acknowledgements { date, acknowledgements, shards })?)
}

/// What each shard has answered to an order that not all of them have carried out.
pub(super) fn not_all(all: &[Given]) -> Result<String> {
    #[derive(Serialize)]
    struct Said {
        shard: usize,
        /// None of one that is away.
        status: Option<u16>,
        answer: Option<Box<RawValue>>,
    }
    #[derive(Serialize)]
    struct NotAll {
        error: &'static str,
        shards: Vec<Said>,
    }
    let said = |(shard, given): (usize, &Given)| Said {
        shard,
        status: given.as_ref().map(|(status, _): &(StatusCode, _)| status.as_u16()),
        answer: given.as_ref().and_then(|(_, body)| serde_json::from_slice(body).ok()),
    };
    let shards = all.iter().enumerate().map(said).collect();
    Ok(serde_json::to_string(&NotAll { error: "not every shard has done so", shards })?)
}
