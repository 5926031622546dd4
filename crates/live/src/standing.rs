//! How an obligation stands at present, as answers and alerts say it.

use crate::budget::{Budget, Burn, MonthSoFar};
use crate::health::Health;
use crate::watch::{Picture, Row, SideNow};
use quoteclock_incentive::Prospect;
use quoteclock_ledger::{DisplayPercent, Total};
use quoteclock_model::{IssueCode, SideFault, State as Verdict, Timestamp};
use quoteclock_report::rows::DayKey;
use quoteclock_rules::{DayPlan, Limits, Registry, Spread, local_time};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt::Display;
use std::sync::Arc;

/// The running day and its month.
#[derive(Clone)]
pub(crate) struct Present {
    pub(crate) picture: Arc<Picture>,
    /// None while it cannot be read.
    pub(crate) month: Option<Arc<MonthSoFar>>,
}

impl Present {
    /// What every obligation of it stands in.
    pub(crate) fn in_day<'a>(&'a self, registry: &'a Registry) -> InDay<'a> {
        InDay { plan: &self.picture.plan, month: self.month.as_deref(), registry }
    }
}

/// What depends on the clock on the wall.
#[derive(Serialize, Deserialize)]
pub(crate) struct Now {
    pub(crate) time: String,
    /// `ok`, `late` or `silent`.
    pub(crate) feed: Cow<'static, str>,
}

impl Now {
    /// To the second.
    pub(crate) fn of(time: jiff::Timestamp, health: &Health, lag_us: u64) -> Now {
        let time = jiff::Timestamp::from_second(time.as_second()).unwrap_or_default().to_string();
        Now { time, feed: health.feed(lag_us).as_str().into() }
    }
}

/// One obligation.
#[derive(Serialize)]
pub(crate) struct Obligation<'a> {
    market_maker: &'a str,
    issue: &'a str,
    obligation: String,
    /// Of the issue.
    r#type: Option<String>,
    /// `fulfilled`, `breach`, `unavailable` or `unknown`.
    state: &'static str,
    since: String,
    /// Of a breach.
    reason: Option<&'static str>,
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
struct LimitsNow {
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

/// What an obligation stands in, whichever it is.
#[derive(Clone, Copy)]
pub(crate) struct InDay<'a> {
    pub(crate) plan: &'a DayPlan,
    /// None while it cannot be read.
    pub(crate) month: Option<&'a MonthSoFar>,
    pub(crate) registry: &'a Registry,
}

impl<'a> Obligation<'a> {
    /// One as it stands, under the limits of that instant.
    pub(crate) fn of(key: &DayKey<'a>, row: &Row, limits: &Limits, in_day: InDay<'_>) -> Obligation<'a> {
        let InDay { plan, month, registry } = in_day;
        let budget = month.and_then(|month| month.budget(plan, key.index.0 as usize, row));
        let time = |at| local_time(at, &plan.zone);
        let code = IssueCode::new(key.issue.as_bytes());
        let registered = code.and_then(|code| registry.issue_on(&code, plan.date));
        let (state, reason) = word(row.state);
        let [bid, offer] = row.sides;
        Obligation {
            market_maker: key.market_maker,
            issue: key.issue,
            obligation: key.obligation.id.to_string(),
            r#type: registered.map(|issue| issue.type_name.clone()),
            state,
            since: time(row.since),
            reason,
            bid: side(bid),
            offer: side(offer),
            spread: spread(row, limits),
            limits: limits_now(limits),
            today: times(row.total),
            month: budget.as_ref().map(month_times),
            budget: budget.as_ref().map(|budget| budget_now(budget, &time)),
        }
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

fn limits_now(limits: &Limits) -> LimitsNow {
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
