//! The answer as one JSON document. Prices, values and percentages are exact decimal numbers.

mod causes;

pub use causes::CauseRows;

use crate::event::{Cause, Edge, Event, OwnOrder, What};
use crate::explanation::{
    Availability, Explanation, Moment, Outage, Provenance, Scene, Stretch, WhyUnavailable, length,
};
use crate::format::{condition_name, manner, side_name, state_kind};
use crate::lost::LostJson;
use crate::suggest::{Change, Suggestion};
use crate::uncounted::{Uncounted, WhyUncounted};
use crate::view::{SideView, SpreadView, View};
use quoteclock_ledger::DisplayPercent;
use quoteclock_model::{Price, Reason, Shares, SideFault, State, Timestamp};
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

/// The form of the documents: a higher number where one means something else than before.
pub(crate) const SCHEMA: u32 = 1;

#[derive(Serialize)]
pub(crate) struct Document<'a> {
    schema: u32,
    date: String,
    /// Up to when the day is measured, if not to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    market_maker: &'a str,
    issue: &'a str,
    obligation: String,
    limits: LimitsRow,
    servers: &'a [String],
    available_us: u64,
    fulfilled_us: u64,
    unknown_us: u64,
    display_pct: Option<Box<RawValue>>,
    outage_count: usize,
    breach_count: usize,
    lost: LostJson,
    #[serde(skip_serializing_if = "Option::is_none")]
    moment: Option<MomentRow>,
    outages: Vec<OutageRow>,
    breaches: Vec<StretchRow>,
    scheme: SchemeRow<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provenance: Option<ProvenanceRow<'a>>,
}

#[derive(Serialize)]
struct ProvenanceRow<'a> {
    input: &'a str,
    input_sha256: Option<&'a str>,
    registry_sha256: &'a str,
    program_version: &'a str,
    judged: &'static str,
}

impl<'a> ProvenanceRow<'a> {
    fn of(provenance: &'a Provenance) -> ProvenanceRow<'a> {
        let Provenance { input, input_sha256, registry_sha256, program_version, judged } = provenance;
        let (input_sha256, judged) = (input_sha256.as_deref(), judged.as_str());
        ProvenanceRow { input, input_sha256, registry_sha256, program_version, judged }
    }
}

#[derive(Serialize)]
struct OutageRow {
    start: String,
    end: String,
    duration_us: u64,
    reasons: Vec<OutageReasonRow>,
    breach_count: usize,
    began: Vec<CauseRow>,
    ended: Vec<CauseRow>,
}

#[derive(Serialize)]
struct OutageReasonRow {
    reason: &'static str,
    lost_us: u64,
}

#[derive(Serialize)]
struct LimitsRow {
    spread_bps_max: Option<Box<RawValue>>,
    spread_ticks_max: Option<u64>,
    value_min: Option<Box<RawValue>>,
    quantity_min: Option<u64>,
    fast_market_multiplier: u32,
    /// What is not as the Tokyo Stock Exchange has it, in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    manner: Vec<String>,
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
    why: Vec<WhyRow>,
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

/// Why no quote was required, or why what was quoted is in doubt.
#[derive(Serialize, Default)]
struct WhyRow {
    /// `out_of_session`, `market_phase`, `issue_phase`, `exempt` or `bad_record`.
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<CauseRow>,
}

/// An event or an edge known beforehand; which of the fields are there depends on the kind.
#[derive(Serialize, Default)]
struct CauseRow {
    kind: &'static str,
    place: Option<String>,
    seq: Option<u64>,
    time: Option<String>,
    /// The own order, as it was before (as it is after an `add`).
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<OrderRow>,
    /// The order after a `replace`.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<OrderRow>,
    /// The own orders of a `trade`, before it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    orders: Vec<OrderRow>,
    /// Of a `trade`.
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<Box<RawValue>>,
    /// Of a `trade` or a `reduce`.
    #[serde(skip_serializing_if = "Option::is_none")]
    quantity: Option<u64>,
    /// Of a `phase` or a `clear`: `market` or `issue`.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<&'static str>,
    /// Of a `bad_record`.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
    /// Of an exemption.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Earlier events of the same time that are left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    omitted: Option<usize>,
}

#[derive(Serialize)]
struct OrderRow {
    order: u64,
    server: String,
    side: &'static str,
    price: Option<Box<RawValue>>,
    quantity: u64,
    quotes: bool,
}

#[derive(Serialize)]
struct UncountedRow {
    #[serde(flatten)]
    order: OrderRow,
    why: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    participant_of_server: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    participant_of_sign_up: Option<String>,
}

#[derive(Serialize)]
struct SceneRow {
    at: String,
    bid: SideRow,
    offer: SideRow,
    spread: Option<SpreadRow>,
    market: MarketRow,
    phase: &'static str,
    market_phase: &'static str,
    uncounted_count: usize,
    uncounted: Vec<UncountedRow>,
    would_have_sufficed: Option<SuggestionRow>,
    recent: Vec<CauseRow>,
}

/// The quotes of an instant as the documents have them: levels, running sums, and the spread beside its two prices.
#[derive(Serialize)]
pub struct ViewRows {
    bid: SideRow,
    offer: SideRow,
    spread: Option<SpreadRow>,
    would_have_sufficed: Option<SuggestionRow>,
}

impl ViewRows {
    /// Those of `view`.
    ///
    /// # Errors
    /// Never, as far as is known: if a number cannot be printed.
    pub fn of(view: &View) -> io::Result<ViewRows> {
        let [bid, offer] = &view.sides;
        Ok(ViewRows {
            bid: side_row(bid)?,
            offer: side_row(offer)?,
            spread: view.spread.as_ref().map(spread_row).transpose()?,
            would_have_sufficed: view.suggestion.as_ref().map(suggestion_row).transpose()?,
        })
    }
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
    pub(crate) fn new(explanation: &'a Explanation) -> io::Result<Document<'a>> {
        let Explanation { plan, subject, scheme, total, .. } = explanation;
        let limits = &subject.limits;
        let rows = Rows(explanation);
        Ok(Document {
            schema: SCHEMA,
            date: plan.date.to_string(),
            until: explanation.until.map(|until| rows.time(until)),
            market_maker: &subject.market_maker,
            issue: &subject.issue,
            obligation: subject.obligation.to_string(),
            limits: LimitsRow {
                spread_bps_max: limits.spread_bps_max.map(number).transpose()?,
                spread_ticks_max: limits.spread_ticks_max.map(|max| max.0),
                value_min: limits.value_min.map(number).transpose()?,
                quantity_min: limits.quantity_min.map(|min| min.0),
                fast_market_multiplier: subject.multiplier,
                manner: manner(limits),
            },
            servers: &subject.servers,
            available_us: total.available.0,
            fulfilled_us: total.fulfilled.0,
            unknown_us: total.unknown.0,
            display_pct: DisplayPercent::of(total.fulfilled, total.available).map(number).transpose()?,
            outage_count: explanation.outage_count,
            breach_count: explanation.breach_count,
            lost: LostJson::of(&explanation.lost),
            moment: explanation.moment.as_ref().map(|moment| rows.moment(moment)).transpose()?,
            outages: explanation.outages.iter().map(|outage| rows.outage(outage)).collect::<io::Result<_>>()?,
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
            provenance: explanation.provenance.as_ref().map(ProvenanceRow::of),
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
            why: self.why(&moment.availability)?,
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
            began: self.causes(&stretch.began)?,
            ended: self.causes(&stretch.ended)?,
            scene: self.scene(&stretch.scene, interval.state)?,
        })
    }

    fn outage(&self, outage: &Outage) -> io::Result<OutageRow> {
        let reason = |&(reason, lost): &(Reason, quoteclock_model::Micros)| OutageReasonRow {
            reason: reason.as_str(),
            lost_us: lost.0,
        };
        Ok(OutageRow {
            start: self.time(outage.span.start),
            end: self.time(outage.span.end),
            duration_us: outage.length().0,
            reasons: outage.reasons.iter().map(reason).collect(),
            breach_count: outage.breach_count,
            began: self.causes(&outage.began)?,
            ended: self.causes(&outage.ended)?,
        })
    }

    fn why(&self, availability: &Availability) -> io::Result<Vec<WhyRow>> {
        let why = match availability {
            Availability::Required => return Ok(Vec::new()),
            Availability::Unknown(event) => {
                let event = event.as_ref().map(|event| self.event(event)).transpose()?;
                return Ok(vec![WhyRow { kind: "bad_record", event, ..WhyRow::default() }]);
            }
            Availability::NotRequired(why) => why,
        };
        let row = |why: &WhyUnavailable| match why {
            WhyUnavailable::OutOfSession(_) => WhyRow { kind: "out_of_session", ..WhyRow::default() },
            WhyUnavailable::StartDelay(_) => WhyRow { kind: "start_delay", ..WhyRow::default() },
            WhyUnavailable::MarketPhase(phase) => {
                WhyRow { kind: "market_phase", phase: Some(phase.as_str()), ..WhyRow::default() }
            }
            WhyUnavailable::IssuePhase(phase) => {
                WhyRow { kind: "issue_phase", phase: Some(phase.as_str()), ..WhyRow::default() }
            }
            WhyUnavailable::Exempt { span, reason } => WhyRow {
                kind: "exempt",
                start: Some(self.time(span.start)),
                end: Some(self.time(span.end)),
                reason: reason.clone(),
                ..WhyRow::default()
            },
        };
        Ok(why.iter().map(row).collect())
    }

    fn causes(&self, causes: &[Cause]) -> io::Result<Vec<CauseRow>> {
        causes.iter().map(|cause| self.cause(cause)).collect()
    }

    fn cause(&self, cause: &Cause) -> io::Result<CauseRow> {
        Ok(match cause {
            Cause::Event(event) => self.event(event)?,
            Cause::Edge { edge, at } => CauseRow {
                kind: edge.kind(),
                time: Some(self.time(*at)),
                reason: match edge {
                    Edge::ExemptionStart(reason) | Edge::ExemptionEnd(reason) => reason.clone(),
                    _ => None,
                },
                ..CauseRow::default()
            },
            Cause::Omitted(count) => CauseRow { kind: "omitted", omitted: Some(*count), ..CauseRow::default() },
        })
    }

    fn event(&self, event: &Event) -> io::Result<CauseRow> {
        let scope = |market: bool| Some(if market { "market" } else { "issue" });
        let row = CauseRow {
            kind: event.what.kind(),
            place: Some(event.whereabouts()),
            seq: event.sequence.map(|sequence| sequence.0),
            time: Some(self.time(event.at)),
            ..CauseRow::default()
        };
        Ok(match &event.what {
            What::Add { order } | What::Cancel { order } => CauseRow { order: Some(order_row(order)?), ..row },
            What::Replace { order, id, price, quantity } => {
                let after = OwnOrder { id: *id, price: *price, quantity: *quantity, ..order.clone() };
                CauseRow { order: Some(order_row(order)?), after: Some(order_row(&after)?), ..row }
            }
            What::Reduce { order, quantity } => {
                CauseRow { order: Some(order_row(order)?), quantity: Some(quantity.0), ..row }
            }
            What::Trade { price, quantity, orders } => CauseRow {
                price: price.map(number).transpose()?,
                quantity: Some(quantity.0),
                orders: orders.iter().map(order_row).collect::<io::Result<_>>()?,
                ..row
            },
            What::Phase { market, phase } => CauseRow { scope: scope(*market), phase: Some(phase.as_str()), ..row },
            What::Clear { market } => CauseRow { scope: scope(*market), ..row },
            What::Bad { fault } => CauseRow { fault: Some(fault.clone()), ..row },
        })
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
            phase: scene.phase.as_str(),
            market_phase: scene.market_phase.as_str(),
            uncounted_count: scene.uncounted_count,
            uncounted: scene.uncounted.iter().map(uncounted_row).collect::<io::Result<_>>()?,
            would_have_sufficed: suggestion.as_ref().map(suggestion_row).transpose()?,
            recent: scene.recent.iter().map(|event| self.event(event)).collect::<io::Result<_>>()?,
        })
    }
}

fn reason(state: State) -> Option<&'static str> {
    match state {
        State::Breach(reason) => Some(Reason::as_str(reason)),
        State::Unavailable | State::Unknown | State::Fulfilled => None,
    }
}

fn order_row(order: &OwnOrder) -> io::Result<OrderRow> {
    Ok(OrderRow {
        order: order.id.0,
        server: order.server.to_string(),
        side: side_name(order.side),
        price: order.price.map(number).transpose()?,
        quantity: order.quantity.0,
        quotes: order.quotes,
    })
}

fn uncounted_row(uncounted: &Uncounted) -> io::Result<UncountedRow> {
    let (condition, of_server, of_sign_up) = match &uncounted.why {
        WhyUncounted::OtherParticipant { of_server, of_sign_up } => {
            (None, Some(of_server.clone()), Some(of_sign_up.clone()))
        }
        WhyUncounted::AuctionOnly(condition) => (Some(condition_name(*condition)), None, None),
        WhyUncounted::NotInForce | WhyUncounted::MarketOrder => (None, None, None),
    };
    Ok(UncountedRow {
        order: order_row(&uncounted.order)?,
        why: uncounted.why.kind(),
        condition,
        participant_of_server: of_server,
        participant_of_sign_up: of_sign_up,
    })
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
        Suggestion::Nothing | Suggestion::Coupled => (false, &[][..]),
    };
    let changes = changes.iter().map(change_row).collect::<io::Result<_>>()?;
    Ok(SuggestionRow { together, changes })
}

fn change_row(change: &Change) -> io::Result<ChangeRow> {
    Ok(ChangeRow {
        side: side_name(change.side),
        price: number(change.price)?,
        instead_of: change.instead_of.map(number).transpose()?,
        shares: change.shares.0,
        movable_shares: change.movable.0,
        meets_market: change.meets_market,
    })
}
