//! The answer as one JSON document. Prices, values and percentages are exact decimal numbers.

use crate::builder::length;
use crate::event::{Cause, Event};
use crate::explanation::{Explanation, Moment, Scene, Stretch};
use crate::format::{availability, state_kind, suggestion, what};
use crate::suggest::{Change, Suggestion};
use crate::view::{SideView, SpreadView, View};
use quoteclock_ledger::DisplayPercent;
use quoteclock_model::{Price, Reason, Shares, Side, SideFault, State, Timestamp};
use quoteclock_rules::local_time;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use std::fmt::Display;
use std::io::{self, Write};

/// Writes the answer.
///
/// # Errors
/// Those of `to`.
pub fn write_json(explanation: &Explanation, mut to: impl Write) -> io::Result<()> {
    let document = Document::new(explanation)?;
    serde_json::to_writer_pretty(&mut to, &document)?;
    writeln!(to)
}

#[derive(Serialize)]
struct Document<'a> {
    date: String,
    market_maker: &'a str,
    issue: &'a str,
    obligation: &'a str,
    limits: LimitsRow,
    servers: &'a [String],
    available_us: u64,
    fulfilled_us: u64,
    unknown_us: u64,
    display_pct: Option<Box<RawValue>>,
    breach_count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    moment: Option<MomentRow>,
    breaches: Vec<StretchRow>,
    scheme: SchemeRow<'a>,
}

#[derive(Serialize)]
struct LimitsRow {
    spread_bps_max: Option<Box<RawValue>>,
    spread_ticks_max: Option<u64>,
    value_min: Option<Box<RawValue>>,
    quantity_min: Option<u64>,
    fast_market_multiplier: u32,
}

#[derive(Serialize)]
struct SchemeRow<'a> {
    name: &'a str,
    version: &'a str,
    interpretations: Map<String, Value>,
}

#[derive(Serialize)]
struct MomentRow {
    at: String,
    state: &'static str,
    reason: Option<&'static str>,
    why: Vec<String>,
    stretch: StretchRow,
    scene: SceneRow,
}

#[derive(Serialize)]
struct StretchRow {
    start: String,
    end: String,
    duration_us: u64,
    state: &'static str,
    reason: Option<&'static str>,
    began: Vec<CauseRow>,
    ended: Vec<CauseRow>,
    scene: SceneRow,
}

#[derive(Serialize)]
struct CauseRow {
    kind: &'static str,
    place: Option<String>,
    seq: Option<u64>,
    time: Option<String>,
    text: String,
}

#[derive(Serialize)]
struct SceneRow {
    at: String,
    bid: SideRow,
    offer: SideRow,
    spread: Option<SpreadRow>,
    market: MarketRow,
    would_have_sufficed: Option<SuggestionRow>,
    recent: Vec<CauseRow>,
}

#[derive(Serialize)]
struct SideRow {
    levels: Vec<LevelRow>,
    obligation_price: Option<Box<RawValue>>,
    fault: Option<&'static str>,
    value_missing: Box<RawValue>,
    shares_missing: u64,
}

#[derive(Serialize)]
struct LevelRow {
    price: Box<RawValue>,
    shares: u64,
    value: Box<RawValue>,
    value_running: Box<RawValue>,
    shares_running: u64,
    reached: bool,
}

#[derive(Serialize)]
struct SpreadRow {
    bid: Box<RawValue>,
    offer: Box<RawValue>,
    ticks: u64,
    /// Four decimals, half up; the exact value is the fraction.
    bps: Box<RawValue>,
    bps_fraction: [Box<RawValue>; 2],
}

#[derive(Serialize)]
struct MarketRow {
    best_bid: Option<Box<RawValue>>,
    best_bid_shares: Option<u64>,
    best_offer: Option<Box<RawValue>>,
    best_offer_shares: Option<u64>,
}

#[derive(Serialize)]
struct SuggestionRow {
    together: bool,
    changes: Vec<ChangeRow>,
    text: Vec<String>,
}

#[derive(Serialize)]
struct ChangeRow {
    side: &'static str,
    price: Box<RawValue>,
    instead_of: Option<Box<RawValue>>,
    shares: u64,
    movable_shares: u64,
    meets_market: bool,
}

/// A number, exactly as it prints.
fn number(number: impl Display) -> io::Result<Box<RawValue>> {
    Ok(RawValue::from_string(number.to_string())?)
}

/// `numerator / denominator` with four decimals, half up.
fn four_decimals(numerator: i128, denominator: u64) -> io::Result<Box<RawValue>> {
    let denominator = u128::from(denominator);
    let rounded = (numerator.unsigned_abs() * 20_000 + denominator) / (denominator * 2);
    let sign = if numerator < 0 { "-" } else { "" };
    number(format_args!("{sign}{}.{:04}", rounded / 10_000, rounded % 10_000))
}

/// Ten-thousandths as a decimal number.
fn ten_thousandths(units: i128) -> io::Result<Box<RawValue>> {
    let (sign, units) = (if units < 0 { "-" } else { "" }, units.unsigned_abs());
    let text = format!("{sign}{}.{:04}", units / 10_000, units % 10_000);
    number(text.trim_end_matches('0').trim_end_matches('.'))
}

impl<'a> Document<'a> {
    fn new(explanation: &'a Explanation) -> io::Result<Document<'a>> {
        let Explanation { plan, subject, scheme, total, .. } = explanation;
        let limits = &subject.limits;
        let rows = Rows(explanation);
        Ok(Document {
            date: plan.date.to_string(),
            market_maker: &subject.market_maker,
            issue: &subject.issue,
            obligation: &subject.obligation,
            limits: LimitsRow {
                spread_bps_max: limits.spread_bps_max.map(number).transpose()?,
                spread_ticks_max: limits.spread_ticks_max.map(|max| max.0),
                value_min: limits.value_min.map(number).transpose()?,
                quantity_min: limits.quantity_min.map(|min| min.0),
                fast_market_multiplier: subject.multiplier,
            },
            servers: &subject.servers,
            available_us: total.available.0,
            fulfilled_us: total.fulfilled.0,
            unknown_us: total.unknown.0,
            display_pct: DisplayPercent::of(total.fulfilled, total.available).map(number).transpose()?,
            breach_count: explanation.breach_count,
            moment: explanation.moment.as_ref().map(|moment| rows.moment(moment)).transpose()?,
            breaches: explanation.breaches.iter().map(|breach| rows.stretch(breach)).collect::<io::Result<_>>()?,
            scheme: SchemeRow {
                name: &scheme.name,
                version: &scheme.version,
                interpretations: scheme
                    .interpretations
                    .iter()
                    .map(|&(name, value)| (name.to_owned(), json!(value)))
                    .collect(),
            },
        })
    }
}

/// Makes rows of the parts of an explanation.
struct Rows<'a>(&'a Explanation);

impl Rows<'_> {
    fn time(&self, at: Timestamp) -> String {
        local_time(at, &self.0.plan.zone)
    }

    fn moment(&self, moment: &Moment) -> io::Result<MomentRow> {
        Ok(MomentRow {
            at: self.time(moment.scene.at),
            state: state_kind(moment.state()),
            reason: reason(moment.state()),
            why: availability(&moment.availability, &self.0.plan),
            stretch: self.stretch(&moment.stretch)?,
            scene: self.scene(&moment.scene, moment.state())?,
        })
    }

    fn stretch(&self, stretch: &Stretch) -> io::Result<StretchRow> {
        let interval = stretch.interval;
        Ok(StretchRow {
            start: self.time(interval.start),
            end: self.time(interval.end),
            duration_us: length(stretch).0,
            state: state_kind(interval.state),
            reason: reason(interval.state),
            began: stretch.began.iter().map(|cause| self.cause(cause)).collect(),
            ended: stretch.ended.iter().map(|cause| self.cause(cause)).collect(),
            scene: self.scene(&stretch.scene, interval.state)?,
        })
    }

    fn cause(&self, cause: &Cause) -> CauseRow {
        let [_, _, text] = crate::format::cause(cause, &self.0.plan);
        match cause {
            Cause::Event(event) => self.event(event),
            Cause::Edge { edge, at } => {
                CauseRow { kind: edge.kind(), place: None, seq: None, time: Some(self.time(*at)), text }
            }
            Cause::Omitted(_) => CauseRow { kind: "omitted", place: None, seq: None, time: None, text },
        }
    }

    fn event(&self, event: &Event) -> CauseRow {
        CauseRow {
            kind: event.what.kind(),
            place: Some(event.place.to_string()),
            seq: event.sequence.map(|sequence| sequence.0),
            time: Some(self.time(event.at)),
            text: what(&event.what),
        }
    }

    fn scene(&self, scene: &Scene, state: State) -> io::Result<SceneRow> {
        let view = View::new(scene, &self.0.subject);
        let [bid, offer] = &view.sides;
        let price = |best: Option<(Price, Shares)>| best.map(|(price, _)| number(price)).transpose();
        let shares = |best: Option<(Price, Shares)>| best.map(|(_, shares)| shares.0);
        let [market_bid, market_offer] = scene.market;
        let suggestion = view.suggestion.filter(|_| matches!(state, State::Breach(_)));
        Ok(SceneRow {
            at: self.time(scene.at),
            bid: side_row(bid)?,
            offer: side_row(offer)?,
            spread: view.spread.as_ref().map(spread_row).transpose()?,
            market: MarketRow {
                best_bid: price(market_bid)?,
                best_bid_shares: shares(market_bid),
                best_offer: price(market_offer)?,
                best_offer_shares: shares(market_offer),
            },
            would_have_sufficed: suggestion.as_ref().map(suggestion_row).transpose()?,
            recent: scene.recent.iter().map(|event| self.event(event)).collect(),
        })
    }
}

fn reason(state: State) -> Option<&'static str> {
    match state {
        State::Breach(reason) => Some(Reason::as_str(reason)),
        State::Unavailable | State::Unknown | State::Fulfilled => None,
    }
}

fn side_row(side: &SideView) -> io::Result<SideRow> {
    let level = |level: &crate::Level| {
        Ok(LevelRow {
            price: number(level.price)?,
            shares: level.shares.0,
            value: number(level.value)?,
            value_running: number(level.value_running)?,
            shares_running: level.shares_running.0,
            reached: side.reached == Ok(level.price),
        })
    };
    Ok(SideRow {
        levels: side.levels.iter().map(level).collect::<io::Result<_>>()?,
        obligation_price: side.reached.ok().map(number).transpose()?,
        fault: match side.reached {
            Ok(_) => None,
            Err(SideFault::NoQuote) => Some("no_quote"),
            Err(SideFault::Size) => Some("size"),
        },
        value_missing: number(side.value_missing)?,
        shares_missing: side.shares_missing.0,
    })
}

fn spread_row(spread: &SpreadView) -> io::Result<SpreadRow> {
    Ok(SpreadRow {
        bid: number(spread.spread.bid)?,
        offer: number(spread.spread.offer)?,
        ticks: spread.ticks.0,
        bps: four_decimals(spread.bps_numerator, spread.bps_denominator)?,
        bps_fraction: [ten_thousandths(spread.bps_numerator)?, ten_thousandths(spread.bps_denominator.into())?],
    })
}

fn suggestion_row(of: &Suggestion) -> io::Result<SuggestionRow> {
    let (together, changes) = match of {
        Suggestion::Either(changes) => (false, changes.as_slice()),
        Suggestion::Together(changes) => (true, changes.as_slice()),
        Suggestion::Nothing => (false, &[][..]),
    };
    let changes = changes.iter().map(change_row).collect::<io::Result<_>>()?;
    Ok(SuggestionRow { together, changes, text: suggestion(of) })
}

fn change_row(change: &Change) -> io::Result<ChangeRow> {
    Ok(ChangeRow {
        side: match change.side {
            Side::Bid => "bid",
            Side::Offer => "offer",
        },
        price: number(change.price)?,
        instead_of: change.instead_of.map(number).transpose()?,
        shares: change.shares.0,
        movable_shares: change.movable.0,
        meets_market: change.meets_market,
    })
}
