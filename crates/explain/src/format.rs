//! Words and numbers for people, the same on a terminal and on a page.

use crate::event::{Cause, Edge, Event, OwnOrder, What};
use crate::explanation::{Availability, Explanation, Outage, Scene, Stretch, WhyUnavailable};
use crate::suggest::{Change, Suggestion};
use crate::uncounted::{Uncounted, WhyUncounted};
use crate::view::{SideView, SpreadView};
use quoteclock_model::{Amount, Micros, OrderCondition, Price, Reason, Shares, Side, SideFault, State, Timestamp};
pub(crate) use quoteclock_report::limits::{grouped, manner};
use quoteclock_report::limits::{minima, resting, sizes, spread as spread_limits};
use quoteclock_rules::{DayPlan, LimitChange, Limits, SidesRequired, SpreadBase, local_time};

/// A local clock reading to the microsecond: `10:15:30.120000`; with its offset on a day on which the clock is changed, and
/// with its date where that is not the file's.
pub(crate) fn clock(at: Timestamp, plan: &DayPlan) -> String {
    if at == plan.day.end {
        return "24:00:00.000000".to_owned();
    }
    let text = local_time(at, &plan.zone);
    let last = Timestamp::from_micros(plan.day.end.as_micros() - 1);
    let offset = |at| local_time(at, &plan.zone).get(26..).map(str::to_owned);
    let shown = if offset(plan.day.start) == offset(last) { text.get(11..26) } else { text.get(11..) };
    match shown {
        Some(clock) if plan.day.contains(at) => clock.to_owned(),
        _ => text,
    }
}

/// A span without needless zeros: `0:03:32.435417`.
pub(crate) fn duration(span: Micros) -> String {
    let text = span.to_string();
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// `bid` or `offer`.
pub(crate) const fn side_name(side: Side) -> &'static str {
    match side {
        Side::Bid => "bid",
        Side::Offer => "offer",
    }
}

/// What a day that is not measured to its end is told by.
pub(crate) fn partial(explanation: &Explanation) -> Option<String> {
    let until = clock(explanation.until?, &explanation.plan);
    Some(format!("partial: measured up to {until} only (--until); of what comes after nothing is said here"))
}

/// A state in a word or two.
pub(crate) fn state_name(state: State) -> String {
    match state {
        State::Unavailable => "not available".to_owned(),
        State::Unknown => "unknown".to_owned(),
        State::Fulfilled => "fulfilled".to_owned(),
        State::Breach(reason) => format!("not fulfilled: {reason}"),
    }
}

/// A state as one word, for programs and styles.
pub(crate) const fn state_kind(state: State) -> &'static str {
    match state {
        State::Unavailable => "unavailable",
        State::Unknown => "unknown",
        State::Fulfilled => "fulfilled",
        State::Breach(_) => "breach",
    }
}

/// `at most 20 bps or 2 ticks, whichever is wider (Fast Market x2 applied); at least 30,000,000 on each side`.
pub(crate) fn limits(explanation: &Explanation) -> String {
    let limits = &explanation.subject.limits;
    let mut text = format!("at most {}", spread_limits(limits));
    let is_fast = 1 < explanation.plan.multiplier;
    match explanation.subject.multiplier {
        _ if is_fast && !explanation.subject.obligation.is_widened_by_fast_market() => {
            text.push_str(" (no Fast Market for a sponsored condition)");
        }
        1 => {}
        multiplier => text.push_str(&format!(" (Fast Market x{multiplier} applied)")),
    }
    let sides = if limits.manner.sides == SidesRequired::Either { "on one side at least" } else { "on each side" };
    let text = format!("{text}; at least {} {sides}", minima(limits));
    let changes = explanation.subject.limit_changes.iter().map(|LimitChange { at, limits }| {
        let at = clock(*at, &explanation.plan);
        format!("from {at} at most {} and at least {}", spread_limits(limits), minima(limits))
    });
    [text].into_iter().chain(sizes(limits)).chain(resting(limits)).chain(changes).collect::<Vec<_>>().join("; ")
}

/// What a breach is told by whose quotes were good, but did not rest long enough.
pub(crate) fn rested(stretch: &Stretch, limits: &Limits) -> Option<String> {
    let of = stretch.interval;
    (of.state == State::Breach(Reason::Resting)).then(|| {
        let [lasted, least] = [of.end.since(of.start), limits.manner.resting_min].map(duration);
        format!("the quotes were good, but for {lasted} only: they have to be for {least} without a break")
    })
}

/// `1 outage`, `2 breaches`.
pub(crate) fn plural(count: u64, word: &str) -> String {
    let ending = match count {
        1 => "",
        _ if word.ends_with("ch") => "es",
        _ => "s",
    };
    format!("{} {word}{ending}", grouped(count))
}

/// Where a record stands: `line 64 (seq 63)`, and of several inputs in which.
pub(crate) fn place(event: &Event) -> String {
    match event.sequence {
        Some(sequence) => format!("{} (seq {})", event.whereabouts(), sequence.0),
        None => event.whereabouts(),
    }
}

/// What a record did, in words.
pub(crate) fn what(what: &What) -> String {
    match what {
        What::Add { order } => format!("add: own {}", own(order)),
        What::Replace { order, id, price, quantity } => {
            let number = if *id == order.id { String::new() } else { format!(" as {id}") };
            format!("replace: own {}, now {}{number}", own(order), at_price(*quantity, *price))
        }
        What::Reduce { order, quantity } => {
            format!("reduce: {} taken off own {}{}", grouped(quantity), own(order), left(order, *quantity))
        }
        What::Cancel { order } => format!("cancel: own {}", own(order)),
        What::Trade { price, quantity, orders } => {
            let orders: Vec<String> =
                orders.iter().map(|order| format!("own {}{}", own(order), left(order, *quantity))).collect();
            format!("trade: {} with {}", at_price(*quantity, *price), orders.join(" and "))
        }
        What::Phase { market: true, phase } => format!("phase of the market: {}", phase.as_str()),
        What::Phase { market: false, phase } => format!("phase of the issue: {}", phase.as_str()),
        What::Clear { market: true } => "clear: all books are emptied".to_owned(),
        What::Clear { market: false } => "clear: the book is emptied".to_owned(),
        What::Bad { fault } => format!("bad record: {fault}"),
    }
}

/// `bid 6105 (VS101), 8,000 at 2,817`.
fn own(order: &OwnOrder) -> String {
    let OwnOrder { id, server, side, price, quantity, quotes } = order;
    let kept_out = if *quotes || price.is_none() { "" } else { ", no quote: for an auction only" };
    format!("{} {id} ({server}), {}{kept_out}", side_name(*side), at_price(*quantity, *price))
}

/// `bid 6105 (VS103), 8,000 at 2,817: …`.
pub(crate) fn uncounted(uncounted: &Uncounted) -> String {
    let Uncounted { order: OwnOrder { id, server, side, price, quantity, .. }, why } = uncounted;
    let why = match why {
        WhyUncounted::OtherParticipant { of_server, of_sign_up } => {
            format!("its server is of participant {of_server}, the sign-up of {of_sign_up}")
        }
        WhyUncounted::NotInForce => "no row of its server is in force on the date".to_owned(),
        WhyUncounted::AuctionOnly(condition) => format!("for an auction only ({})", condition_name(*condition)),
        WhyUncounted::MarketOrder => "a market order has no price".to_owned(),
    };
    format!("{} {id} ({server}), {}: {why}", side_name(*side), at_price(*quantity, *price))
}

/// A condition as the input names it.
pub(crate) const fn condition_name(condition: OrderCondition) -> &'static str {
    match condition {
        OrderCondition::None => "",
        OrderCondition::OnOpen => "on_open",
        OrderCondition::OnClose => "on_close",
        OrderCondition::Funari => "funari",
        OrderCondition::Ioc => "ioc",
    }
}

/// `no_bid`, or `spread 0:00:03, no_bid 0:00:01 (2 breaches)`.
pub(crate) fn reasons(outage: &Outage) -> String {
    match outage.reasons.as_slice() {
        [(reason, _)] => reason.as_str().to_owned(),
        reasons => {
            let reasons: Vec<String> =
                reasons.iter().map(|(reason, length)| format!("{reason} {}", duration(*length))).collect();
            format!("{} ({})", reasons.join(", "), plural(outage.breach_count as u64, "breach"))
        }
    }
}

/// `12 outages (15 breaches)`.
pub(crate) fn outage_count(explanation: &Explanation) -> String {
    let Explanation { outage_count, breach_count, .. } = *explanation;
    let outages = plural(outage_count as u64, "outage");
    if outage_count == breach_count {
        outages
    } else {
        format!("{outages} ({})", plural(breach_count as u64, "breach"))
    }
}

/// `part` of `whole` in percent, with one decimal, half up.
pub(crate) fn share(part: Micros, whole: Micros) -> String {
    let tenths = (u128::from(part.0) * 2_000 + u128::from(whole.0)) / (u128::from(whole.0).max(1) * 2);
    format!("{}.{} %", tenths / 10, tenths % 10)
}

fn at_price(quantity: Shares, price: Option<Price>) -> String {
    match price {
        Some(price) => format!("{} at {}", grouped(quantity), grouped(price)),
        None => format!("{} at market", grouped(quantity)),
    }
}

fn left(order: &OwnOrder, taken: Shares) -> String {
    match order.quantity.0.saturating_sub(taken.0) {
        0 => ", all of it".to_owned(),
        left => format!(", {} left", grouped(left)),
    }
}

/// A cause: where it stands (empty for an edge), when, and what.
pub(crate) fn cause(cause: &Cause, plan: &DayPlan) -> [String; 3] {
    match cause {
        Cause::Event(event) => [place(event), clock(event.at, plan), what(&event.what)],
        Cause::Edge { edge, at } => [String::new(), clock(*at, plan), edge_text(edge)],
        Cause::Omitted(count) => [String::new(), String::new(), format!("{count} earlier events of the same time")],
    }
}

fn edge_text(edge: &Edge) -> String {
    let because = |reason: &Option<String>| reason.as_ref().map_or(String::new(), |reason| format!(": {reason}"));
    match edge {
        Edge::DayStart => "the day begins".to_owned(),
        Edge::DayEnd => "the day ends".to_owned(),
        Edge::Until => "the day is measured up to here only (--until)".to_owned(),
        Edge::SessionStart => "a continuous window begins".to_owned(),
        Edge::SessionEnd => "the continuous window ends".to_owned(),
        Edge::ExemptionStart(reason) => format!("an exemption begins{}", because(reason)),
        Edge::ExemptionEnd(reason) => format!("the exemption ends{}", because(reason)),
        Edge::UnknownStart => "from here on a later bad record leaves in doubt what was quoted".to_owned(),
        Edge::UnknownEnd => "up to here a later bad record leaves in doubt what was quoted".to_owned(),
        Edge::LimitsChange => "other limits come into force".to_owned(),
        Edge::DelayEnd => "the delay after the beginning is over".to_owned(),
    }
}

/// Whether a quote was required, where there is something to say.
pub(crate) fn availability(availability: &Availability, plan: &DayPlan) -> Vec<String> {
    match availability {
        Availability::Required => Vec::new(),
        Availability::Unknown(None) => vec!["a bad record leaves in doubt what was quoted".to_owned()],
        Availability::Unknown(Some(event)) => vec![
            format!("in doubt because of {} at {}: {}", place(event), clock(event.at, plan), what(&event.what)),
            "the quotes shown are those of the records that could be applied".to_owned(),
        ],
        Availability::NotRequired(why) => why.iter().map(|why| unavailable(why, plan)).collect(),
    }
}

fn unavailable(why: &WhyUnavailable, plan: &DayPlan) -> String {
    match why {
        WhyUnavailable::StartDelay(delay) => format!("less than {} after a beginning", duration(*delay)),
        WhyUnavailable::OutOfSession(windows) => {
            let window = |span: &quoteclock_model::Span| {
                let text = |at| clock(at, plan)[..8].to_owned();
                format!("{}-{}", text(span.start), text(span.end))
            };
            let windows: Vec<String> = windows.iter().map(window).collect();
            let windows = if windows.is_empty() { "none on this date".to_owned() } else { windows.join(", ") };
            format!("outside the continuous windows ({windows})")
        }
        WhyUnavailable::MarketPhase(phase) => format!("the market's phase is {}", phase.as_str()),
        WhyUnavailable::IssuePhase(phase) => format!("the issue's phase is {}", phase.as_str()),
        WhyUnavailable::Exempt { span, reason } => {
            let reason = reason.as_ref().map_or(String::new(), |reason| format!(": {reason}"));
            format!("exempt from {} to {}{reason}", clock(span.start, plan), clock(span.end, plan))
        }
    }
}

/// `11,276,000 of 30,000,000 at all: 18,724,000 missing`.
pub(crate) fn side_verdict(side: &SideView) -> String {
    let name = side_name(side.side);
    match side.reached {
        Ok(price) => format!("{name}: the minimum is reached at {}", grouped(price)),
        Err(SideFault::NoQuote) => format!("{name}: no quote, {}", missing(side)),
        Err(SideFault::Size) => format!("{name}: the minimum is not reached, {}", missing(side)),
    }
}

fn missing(side: &SideView) -> String {
    let value = (side.value_missing.0 != 0).then(|| format!("{} in value", grouped(side.value_missing)));
    let shares = (side.shares_missing != Shares(0)).then(|| format!("{} shares", grouped(side.shares_missing)));
    let missing: Vec<String> = value.into_iter().chain(shares).collect();
    format!("{} missing", missing.join(" and "))
}

/// The spread in basis points, half up, with 2 decimals, or with as many up to 4 as tell it apart from the limit.
pub(crate) fn bps(spread: &SpreadView, limits: &Limits) -> String {
    let max = limits.spread_limits(spread.spread.bid).bps_max.map(|max| max.0);
    let (exact, denominator) = (spread.bps_numerator.unsigned_abs(), u128::from(spread.bps_denominator));
    let scaled = |decimals: u32| {
        let scale = 10_u128.pow(decimals);
        (exact * scale * 2 + denominator) / (denominator * 2)
    };
    let looks_like_limit = |decimals: u32| {
        let is_limit = max.is_some_and(|max| exact * 10_000 == u128::from(max) * denominator);
        !is_limit && max.is_some_and(|max| u128::from(max) == scaled(decimals) * 10_u128.pow(4 - decimals))
    };
    let decimals = (2..4).find(|&decimals| !looks_like_limit(decimals)).unwrap_or(4);
    let width = usize::try_from(decimals).unwrap_or(2);
    let (scale, rounded) = (10_u128.pow(decimals), scaled(decimals));
    let sign = if spread.bps_numerator < 0 { "-" } else { "" };
    format!("{sign}{}.{:0width$}", grouped(rounded / scale), rounded % scale)
}

/// The spread beside its limits: ticks, basis points, and how those come about.
pub(crate) fn spread(spread: &SpreadView, limits: &Limits) -> [String; 3] {
    let (bid, offer) = (spread.spread.bid, spread.spread.offer);
    let beyond = |is_beyond: bool| if is_beyond { ", beyond" } else { ", within" };
    let in_force = limits.spread_limits(bid);
    let ticks = match in_force.ticks_max {
        Some(max) => format!("{} (limit {max}{})", plural(spread.ticks.0, "tick"), beyond(max < spread.ticks)),
        None => format!("{} (no limit)", plural(spread.ticks.0, "tick")),
    };
    let in_bps = bps(spread, limits);
    let bps = match in_force.bps_max {
        Some(max) => {
            let is_beyond = spread.bps_numerator * 10_000 > i128::from(max.0) * i128::from(spread.bps_denominator);
            format!("{in_bps} bps (limit {max}{})", beyond(is_beyond))
        }
        None => format!("{in_bps} bps (no limit)"),
    };
    let width = in_force.width_max.map(|max| {
        let width = offer.ten_thousandths().saturating_sub(bid.ten_thousandths());
        format!(
            "{} apart (limit {}{})",
            grouped(Amount(width.into())),
            grouped(max),
            beyond(max.ten_thousandths() < width)
        )
    });
    let sizes = spread.sizes.map(|sizes| {
        let [bid, offer] = sizes.map(grouped);
        let pct = limits.manner.size_divergence_pct_max.unwrap_or_default();
        let is_beyond = beyond(!limits.sizes_balance(sizes));
        format!("sizes {bid} and {offer} (limit {} % of the larger apart{is_beyond})", Amount(pct.into()))
    });
    let bps = [bps].into_iter().chain(width).chain(sizes).collect::<Vec<_>>().join(", ");
    let (shown_bid, shown_offer) = (grouped(bid), grouped(offer));
    let of = match limits.manner.spread_base {
        SpreadBase::Mid => format!("20,000 / ({shown_offer} + {shown_bid})"),
        SpreadBase::Bid => format!("10,000 / {shown_bid}"),
        SpreadBase::Offer => format!("10,000 / {shown_offer}"),
    };
    let how = format!("bps = ({shown_offer} - {shown_bid}) x {of}, rounded half up to read; the comparison is exact");
    [ticks, bps, how]
}

/// What would have sufficed, a line for each.
pub(crate) fn suggestion(suggestion: &Suggestion) -> Vec<String> {
    match suggestion {
        Suggestion::Either(changes) => changes.iter().map(change).collect(),
        Suggestion::Together([bid, offer]) => vec![format!("both together: {}; and {}", change(bid), change(offer))],
        Suggestion::Nothing => vec!["nothing can be named: there is no price to start from".to_owned()],
        Suggestion::Coupled => {
            vec!["nothing is named: of what was tried nothing suffices under limits that couple the sides".to_owned()]
        }
    }
}

fn change(change: &Change) -> String {
    let Change { side, price, instead_of, shares, movable, or_better, meets_market } = *change;
    let (name, at) = (side_name(side), grouped(price));
    let (further, shares) = (if side == Side::Bid { "below" } else { "above" }, grouped(shares));
    let goal = match instead_of {
        Some(before) => format!("{name} obligation price {at} instead of {}: ", grouped(before)),
        None => format!("{name} obligation price {at}: "),
    };
    let means = if change.is_move() {
        format!("{shares} of the {} shares {further} it moved there", grouped(movable))
    } else if movable == Shares(0) {
        format!("{shares} more shares at {at}{}", if or_better { " or better" } else { "" })
    } else {
        format!("{shares} more shares at {at}, of which {} could come from {further} it", grouped(movable))
    };
    let meets = if meets_market { " (this meets the market's best price of the other side)" } else { "" };
    format!("{goal}{means}{meets}")
}

/// `best bid 2,820 (11,000 shares), best offer 2,822 (8,000 shares)`.
pub(crate) fn market(scene: &Scene) -> String {
    let best = |side: Side, best: Option<(Price, Shares)>| match best {
        Some((price, shares)) => format!("best {} {} ({} shares)", side_name(side), grouped(price), grouped(shares)),
        None => format!("no {}", side_name(side)),
    };
    let [bid, offer] = scene.market;
    format!("{}, {}", best(Side::Bid, bid), best(Side::Offer, offer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use quoteclock_model::{Bps, Ticks};
    use quoteclock_rules::{Manner, Spread, TickTable};
    use std::sync::Arc;

    #[test]
    fn durations_lose_needless_zeros_and_no_others() {
        assert_eq!(duration(Micros(212_435_417)), "0:03:32.435417");
        assert_eq!(duration(Micros(250_000)), "0:00:00.25");
        assert_eq!(duration(Micros(600_000_000)), "0:10:00");
        assert_eq!(duration(Micros(36_000_000_000)), "10:00:00");
    }

    #[test]
    fn a_spread_has_as_many_decimals_as_tell_it_apart_from_its_limit() {
        let limits = Limits {
            spread_bps_max: Some(Bps(200_000)),
            spread_ticks_max: Some(Ticks(2)),
            value_min: None,
            quantity_min: None,
            manner: Manner::default(),
            tick_table: Arc::new(TickTable::new(&[], 1).unwrap()),
        };
        let shown = |bid: u64, offer: u64| {
            let price = |units| Price::from_ten_thousandths(units).unwrap();
            let view = SpreadView {
                spread: Spread { bid: price(bid), offer: price(offer) },
                ticks: Ticks(offer.abs_diff(bid)),
                bps_numerator: (i128::from(offer) - i128::from(bid)) * 20_000,
                bps_denominator: offer + bid,
                sizes: None,
            };
            bps(&view, &limits)
        };
        assert_eq!(shown(28_170_000, 28_230_000), "21.28");
        assert_eq!(shown(19_980_000, 20_020_000), "20.00", "exactly at the limit");
        assert_eq!(shown(19_980_000, 20_020_001), "20.0005");
        assert_eq!(shown(19_980_000, 20_019_990), "19.995");
        assert_eq!(shown(28_230_000, 28_170_000), "-21.28");
    }
}
