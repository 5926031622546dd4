//! `/api/v1/state`: every obligation that the caller may see, as it stands.

use super::alerting::Shown;
use super::auth::{Onlooker, Recipient};
use super::looking::Standing;
use super::{Http, Shared, json};
use crate::budget::{Budget, Burn};
use crate::tokens::Role;
use crate::watch::{Picture, Row, SideNow};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use quoteclock_incentive::Prospect;
use quoteclock_ledger::{DisplayPercent, Total};
use quoteclock_model::{IssueCode, SideFault, State as Verdict, Timestamp};
use quoteclock_report::rows::keys;
use quoteclock_rules::{Limits, Registry, Spread, local_time};
use serde::Serialize;
use serde_json::value::RawValue;
use std::fmt::Display;

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

/// What depends on the clock on the wall.
#[derive(Serialize)]
pub(super) struct Now {
    time: String,
    /// `ok`, `late` or `silent`.
    feed: &'static str,
}

impl Now {
    /// To the second.
    pub(super) fn of(shown: &Http, lag_us: u64) -> Now {
        let seconds = (shown.clock)().as_second();
        let time = jiff::Timestamp::from_second(seconds).unwrap_or_default().to_string();
        Now { time, feed: shown.health.feed(lag_us).as_str() }
    }
}

/// Where the feed stands.
#[derive(Serialize)]
struct Feed {
    next_sequence: u64,
    gaps: u64,
    records_set_aside: u64,
    connected_since: Option<String>,
    lag_us: Lag,
}

/// Microseconds from socket to verdict.
#[derive(Serialize)]
struct Lag {
    last: u64,
    p50: u64,
    p99: u64,
    p999: u64,
    max: u64,
}

#[derive(Serialize)]
struct FastMarket {
    multiplier: u32,
}

/// How many ETFs a market maker has met in the month so far.
#[derive(Serialize)]
struct Maker {
    market_maker: String,
    etfs_met: u32,
    etfs_required: u32,
}

/// One obligation.
#[derive(Serialize)]
pub(super) struct Obligation<'a> {
    pub(super) market_maker: &'a str,
    pub(super) issue: &'a str,
    pub(super) obligation: String,
    /// Of the issue.
    r#type: Option<String>,
    /// `fulfilled`, `breach`, `unavailable` or `unknown`.
    pub(super) state: &'static str,
    pub(super) since: String,
    /// Of a breach.
    pub(super) reason: Option<&'static str>,
    bid: Side,
    offer: Side,
    /// Of obligation prices, where both sides reach their minimum.
    spread: Option<SpreadNow>,
    limits: LimitsNow,
    today: Times,
    month: Option<MonthTimes>,
    budget: Option<BudgetNow>,
}

/// One side.
#[derive(Serialize)]
struct Side {
    obligation_price: Option<Box<RawValue>>,
    /// `no_quote` or `size`, where there is no obligation price.
    fault: Option<&'static str>,
    value: Option<Box<RawValue>>,
}

#[derive(Serialize)]
struct SpreadNow {
    ticks: u64,
    /// Four decimals, half up: for reading.
    bps: Option<Box<RawValue>>,
}

/// The multiplier of a Fast Market applied.
#[derive(Serialize)]
pub(super) struct LimitsNow {
    spread_bps_max: Option<Box<RawValue>>,
    spread_ticks_max: Option<u64>,
    value_min: Option<Box<RawValue>>,
    quantity_min: Option<u64>,
}

/// Times of a day.
#[derive(Serialize)]
struct Times {
    available_us: u64,
    fulfilled_us: u64,
    unknown_us: u64,
    display_pct: Option<String>,
}

/// The month to date, the running day included.
#[derive(Serialize)]
struct MonthTimes {
    #[serde(flatten)]
    times: Times,
    required_pct: String,
    days_measured: u32,
    days_to_come: u32,
}

/// How much longer it may be off.
#[derive(Serialize)]
struct BudgetNow {
    /// `safe`, `open`, `at_risk`, `uncertain`, `lost` or `not_applicable`.
    prospect: &'static str,
    /// How much longer it may be off in the month.
    slack_us: Option<u64>,
    /// What is missing where it is lost.
    short_us: Option<u64>,
    /// Required time to come.
    remaining_us: u64,
    /// The instant after which the share cannot be reached any more, if it is off from now on.
    lost_after: Option<String>,
    burn: Vec<BurnNow>,
}

#[derive(Serialize)]
struct BurnNow {
    window: &'static str,
    off_us: u64,
    required_us: u64,
    /// How many times as fast as it may be.
    rate: Option<Box<RawValue>>,
    /// Where the month ends at this rate.
    month_end_pct: Option<String>,
}

pub(super) async fn state(State(shown): Shared, Onlooker(caller): Onlooker) -> Response {
    let standing = shown.looking.now(&shown).await;
    let recipient = &caller.recipient;
    match serde_json::to_string(&answer(&shown, recipient, standing.as_ref())) {
        Ok(text) => json(StatusCode::OK, text + "\n"),
        Err(error) => super::failed(&error.into()),
    }
}

fn answer<'a>(shown: &Http, recipient: &Recipient, standing: Option<&'a Standing>) -> Answer<'a> {
    let facts = standing.map(|standing| standing.picture.facts).unwrap_or_default();
    let registry = shown.desk.registry();
    let feed = || {
        let [p50, p99, p999, max] = facts.latency_us;
        Feed {
            next_sequence: facts.next,
            gaps: facts.gaps,
            records_set_aside: standing.map_or(0, |standing| standing.picture.rejects),
            connected_since: shown.health.connected_since().map(|since| since.to_string()),
            lag_us: Lag { last: facts.lag_us, p50, p99, p999, max },
        }
    };
    let month = standing.and_then(|standing| standing.month.as_deref());
    Answer {
        date: standing.map(|standing| standing.picture.plan.date.to_string()),
        as_of: standing.map(|Standing { picture, .. }| local_time(picture.last, &picture.plan.zone)),
        now: Now::of(shown, facts.lag_us),
        role: recipient.role.to_string(),
        feed: recipient.sees_feed().then(feed),
        fast_market: standing.map(|standing| FastMarket { multiplier: standing.picture.plan.multiplier }),
        month_stale: month.map(|month| month.stale.iter().map(ToString::to_string).collect()),
        market_makers: standing.map_or_else(Vec::new, |standing| makers(recipient, standing)),
        alerts: shown.alerting.as_ref().map_or_else(Vec::new, |alerting| alerting.shown_to(recipient)),
        obligations: standing.map_or_else(Vec::new, |standing| rows(recipient, standing, &registry)),
    }
}

/// Market makers with their ETFs met. An asset manager does not see all of anybody's.
fn makers(recipient: &Recipient, Standing { picture, month }: &Standing) -> Vec<Maker> {
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

fn rows<'a>(
    recipient: &Recipient,
    Standing { picture, month }: &'a Standing,
    registry: &Registry,
) -> Vec<Obligation<'a>> {
    let Picture { plan, last, rows, .. } = &**picture;
    let seen =
        keys(plan).zip(rows.iter()).filter(|(key, _)| recipient.sees(registry, plan.date, key.market_maker, key.issue));
    let row = |(key, row): (quoteclock_report::rows::DayKey<'a>, &Row)| {
        let budget = month.as_ref().and_then(|month| month.budget(plan, key.index.0 as usize, row));
        let limits = key.obligation.limits_at(*last);
        let time = |at| local_time(at, &plan.zone);
        let code = IssueCode::new(key.issue.as_bytes());
        let kind = code.and_then(|code| registry.issue_on(&code, plan.date)).map(|issue| issue.type_name.clone());
        let whose = (key.market_maker, key.issue, key.obligation.id.to_string());
        obligation(whose, kind, row, limits, budget.as_ref(), &time)
    };
    seen.map(row).collect()
}

/// One obligation as it stands.
pub(super) fn obligation<'a>(
    (market_maker, issue, obligation): (&'a str, &'a str, String),
    kind: Option<String>,
    row: &Row,
    limits: &Limits,
    budget: Option<&Budget>,
    time: &dyn Fn(Timestamp) -> String,
) -> Obligation<'a> {
    let (state, reason) = word(row.state);
    let [bid, offer] = row.sides;
    Obligation {
        market_maker,
        issue,
        obligation,
        r#type: kind,
        state,
        since: time(row.since),
        reason,
        bid: side(bid),
        offer: side(offer),
        spread: spread(row, limits),
        limits: limits_now(limits),
        today: times(row.total),
        month: budget.map(month_times),
        budget: budget.map(|budget| budget_now(budget, time)),
    }
}

/// A state as it is written, and the reason of a breach.
pub(crate) fn word(state: Verdict) -> (&'static str, Option<&'static str>) {
    match state {
        Verdict::Unavailable => ("unavailable", None),
        Verdict::Unknown => ("unknown", None),
        Verdict::Fulfilled => ("fulfilled", None),
        Verdict::Breach(reason) => ("breach", Some(reason.as_str())),
    }
}

/// A number, exactly as it prints.
fn number(number: impl Display) -> Option<Box<RawValue>> {
    RawValue::from_string(number.to_string()).ok()
}

fn side(side: SideNow) -> Side {
    Side {
        obligation_price: side.price.ok().and_then(number),
        fault: match side.price {
            Ok(_) => None,
            Err(SideFault::NoQuote) => Some("no_quote"),
            Err(SideFault::Size) => Some("size"),
        },
        value: number(side.value),
    }
}

fn spread(row: &Row, limits: &Limits) -> Option<SpreadNow> {
    let [bid, offer] = row.sides.map(|side| side.price.ok());
    let spread = Spread { bid: bid?, offer: offer? };
    let (bid, offer) = (i128::from(spread.bid.ten_thousandths()), i128::from(spread.offer.ten_thousandths()));
    let ticks = if offer <= bid { 0 } else { limits.tick_table.ticks_between(spread.bid, spread.offer).0 };
    // (offer - bid) / mid in ten-thousandths of a basis point.
    let (part, whole) = ((offer - bid) * 200_000_000, offer + bid);
    let rounded = (part.unsigned_abs() * 2 + whole.unsigned_abs()) / (whole.unsigned_abs() * 2);
    let sign = if part < 0 { "-" } else { "" };
    Some(SpreadNow { ticks, bps: number(format_args!("{sign}{}.{:04}", rounded / 10_000, rounded % 10_000)) })
}

pub(super) fn limits_now(limits: &Limits) -> LimitsNow {
    LimitsNow {
        spread_bps_max: limits.spread_bps_max.and_then(number),
        spread_ticks_max: limits.spread_ticks_max.map(|ticks| ticks.0),
        value_min: limits.value_min.and_then(number),
        quantity_min: limits.quantity_min.map(|shares| shares.0),
    }
}

fn times(Total { available, fulfilled, unknown }: Total) -> Times {
    let display_pct = DisplayPercent::of(fulfilled, available).map(|percent| percent.to_string());
    Times { available_us: available.0, fulfilled_us: fulfilled.0, unknown_us: unknown.0, display_pct }
}

fn month_times(Budget { outlook, .. }: &Budget) -> MonthTimes {
    let required = outlook.required_pct;
    MonthTimes {
        times: times(outlook.total),
        required_pct: format!("{}.{:04}", required / 10_000, required % 10_000),
        days_measured: outlook.days_measured,
        days_to_come: outlook.days_remaining,
    }
}

fn budget_now(Budget { outlook, burn, lost_after }: &Budget, time: &dyn Fn(Timestamp) -> String) -> BudgetNow {
    BudgetNow {
        prospect: outlook.word(),
        slack_us: outlook.slack().map(|slack| slack.0),
        short_us: match outlook.prospect() {
            Prospect::Lost { short } => Some(short.0),
            _ => None,
        },
        remaining_us: outlook.remaining.0,
        lost_after: lost_after.map(time),
        burn: burn.iter().map(burn_now).collect(),
    }
}

fn burn_now(burn: &Burn) -> BurnNow {
    BurnNow {
        window: burn.window,
        off_us: burn.off.0,
        required_us: burn.required.0,
        rate: burn.rate.and_then(|rate| number(format_args!("{}.{:02}", rate / 100, rate % 100))),
        month_end_pct: burn.month_end.map(|percent| percent.to_string()),
    }
}
