//! The day, instant by instant (REFERENCE sections 4, 5 and 8).

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::book::Book;
use crate::event::{Action, Phase, Scope, Side};
use crate::events::DayEvents;
use crate::quote::{self, OwnQuotes};
use crate::registry::{Obligation, Registry, SignUp};
use crate::{Case, Outcome, book, clock, events, itch};

/// What one instant is to one obligation.
#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// No quote is required.
    Unavailable,
    /// A quote would be required, but the input is damaged.
    Unknown,
    Fulfilled,
    /// Not fulfilled, for this reason.
    Breach(String),
}

/// A time in which one obligation's state does not change, `[start, end)`.
struct Stretch {
    start: i128,
    end: i128,
    state: State,
}

/// One sign-up under one obligation, and its day.
struct ObligationDay {
    sign_up: SignUp,
    obligation: Obligation,
    stretches: Vec<Stretch>,
}

/// Measures a day, slowly. See the crate's documentation.
#[must_use]
pub fn measure(case: &Case) -> Outcome {
    let Some(registry) = Registry::read(&case.registry) else { return Outcome::Refused { line: None } };
    match events::read(case, &registry.scheme.zone) {
        Err(events::Refused(line)) => Outcome::Refused { line },
        Ok(day) => outcome(&registry, &day).unwrap_or(Outcome::Refused { line: None }),
    }
}

/// Measures the day of an ITCH stream in the exchange's file form, in place of the case's events; its rejects are the
/// places where their frames begin. The case has to tell the date.
#[must_use]
pub fn measure_itch(case: &Case, stream: &[u8]) -> Outcome {
    let Some(registry) = Registry::read(&case.registry) else { return Outcome::Refused { line: None } };
    let zone = &registry.scheme.zone;
    let date = case.date.as_deref().and_then(clock::date);
    let Some((date, midnight)) = date.and_then(|date| Some((date, clock::at_local(zone, date, 0)?))) else {
        return Outcome::Refused { line: None };
    };
    match events::judge(case, zone, date, &itch::read(stream, midnight)) {
        Err(events::Refused(line)) => Outcome::Refused { line },
        Ok(day) => outcome(&registry, &day).unwrap_or(Outcome::Refused { line: None }),
    }
}

fn outcome(registry: &Registry, day: &DayEvents) -> Option<Outcome> {
    let mut lines = lines(registry, day)?;
    lines.sort_by(|a, b| key(a).cmp(&key(b)));
    let mut daily = "date,market_maker,issue,obligation,available_us,fulfilled_us,unknown_us,display_pct\n".to_owned();
    let mut breaches = "date,market_maker,issue,obligation,start,end,duration_us,reason\n".to_owned();
    for line in &lines {
        daily += &daily_row(day, line);
        for stretch in &line.stretches {
            if let State::Breach(reason) = &stretch.state {
                let zone = &registry.scheme.zone;
                let (start, end) = (clock::show(zone, stretch.start)?, clock::show(zone, stretch.end)?);
                let duration = stretch.end - stretch.start;
                breaches += &format!("{},{start},{end},{duration},{reason}\n", first_columns(day, line));
            }
        }
    }
    Some(Outcome::Measured { daily, breaches, rejects: day.rejects.clone() })
}

/// The order of the output: bytewise by the columns after the date.
fn key(line: &ObligationDay) -> (&str, &str, &str) {
    (&line.sign_up.market_maker, &line.sign_up.issue, &line.obligation.name)
}

fn first_columns(day: &DayEvents, line: &ObligationDay) -> String {
    let (market_maker, issue, obligation) = key(line);
    format!("{},{market_maker},{issue},{obligation}", day.date)
}

fn daily_row(day: &DayEvents, line: &ObligationDay) -> String {
    let sum = |counts: fn(&State) -> bool| -> i128 {
        line.stretches.iter().filter(|s| counts(&s.state)).map(|s| s.end - s.start).sum()
    };
    let available = sum(|state| matches!(state, State::Fulfilled | State::Breach(_)));
    let fulfilled = sum(|state| matches!(state, State::Fulfilled));
    let unknown = sum(|state| matches!(state, State::Unknown));
    let display = display_pct(fulfilled, available);
    format!("{},{available},{fulfilled},{unknown},{display}\n", first_columns(day, line))
}

/// Fulfilled of available in percent, 4 decimals, half up; empty when nothing was available.
fn display_pct(fulfilled: i128, available: i128) -> String {
    if available == 0 {
        return String::new();
    }
    // Half up: the floor of (twice the quotient + 1) / 2.
    let ten_thousandths = (2 * fulfilled * 1_000_000 + available) / (2 * available);
    format!("{}.{:04}", ten_thousandths / 10_000, ten_thousandths % 10_000)
}

/// Every measured sign-up under every of its obligations, with its day.
fn lines(registry: &Registry, day: &DayEvents) -> Option<Vec<ObligationDay>> {
    let windows = windows(registry, day)?;
    let mut lines = Vec::new();
    for sign_up in registry.measured(day.date) {
        for obligation in registry.obligations(&sign_up, day.date)? {
            let sign_up = sign_up.clone();
            lines.push(ObligationDay { sign_up, obligation, stretches: Vec::new() });
        }
    }
    let exemptions: Vec<_> =
        lines.iter().map(|line| registry.exemptions(&line.sign_up, (day.start, day.end))).collect::<Option<_>>()?;

    let own_windows: Vec<_> =
        lines.iter().map(|line| own_windows(registry, day, line, &windows)).collect::<Option<_>>()?;
    let bounds = (day.start, day.end);
    let edges =
        lines.iter().map(|line| line.obligation.edges(registry, day.date, bounds)).collect::<Option<Vec<_>>>()?;
    let edges: Vec<i128> = edges.into_iter().flatten().collect();
    let delays: BTreeSet<i128> = lines.iter().map(|line| delay(registry, line)).collect();
    let all_windows: Vec<(i128, i128)> = own_windows.iter().flatten().copied().collect();
    let instants = instants(day, &all_windows, exemptions.iter().flatten(), (&edges, &delays));
    let issues: BTreeSet<String> = lines.iter().map(|line| line.sign_up.issue.clone()).collect();
    for (start, end) in instants.iter().zip(&instants[1..]) {
        let book = |issue: &String| (issue.clone(), book::after(day.until(*start), issue));
        let books: BTreeMap<String, Book<'_>> = issues.iter().map(book).collect();
        for ((line, exemptions), windows) in lines.iter_mut().zip(&exemptions).zip(&own_windows) {
            let delay = delay(registry, line);
            let book = books.get(&line.sign_up.issue)?;
            let within = |spans: &[(i128, i128)]| spans.iter().any(|(from, to)| (*from..*to).contains(start));
            let waits = delay != 0 && {
                let runs = |time| runs(registry, day, windows, line, time);
                let before = instants.iter().rev().filter(|instant| *instant <= start);
                let begun = before.copied().take_while(|instant| runs(*instant)).last();
                begun.is_some_and(|begun| *start < begun + delay)
            };
            let state = match within(windows) && !within(exemptions) && !waits {
                true => state(registry, day, line, book, *start)?,
                false => State::Unavailable,
            };
            push(&mut line.stretches, Stretch { start: *start, end: *end, state });
        }
    }
    lines.iter_mut().for_each(drop_what_did_not_rest);
    Some(lines)
}

/// Stretches in which the quotes were good that have ended too soon: breaches, or unknown where they touch unknown time. One that
/// runs until the end of what is measured has not ended.
fn drop_what_did_not_rest(line: &mut ObligationDay) {
    let is_unknown = |at: Option<usize>| {
        at.and_then(|at| line.stretches.get(at)).is_some_and(|stretch| stretch.state == State::Unknown)
    };
    let becomes = |(at, stretch): (usize, &Stretch)| {
        let too_short = stretch.end - stretch.start < line.obligation.limits.min_resting;
        let has_ended = at + 1 < line.stretches.len();
        match stretch.state {
            State::Fulfilled if too_short && has_ended => {
                let touches = is_unknown(at.checked_sub(1)) || is_unknown(Some(at + 1));
                if touches { State::Unknown } else { State::Breach("resting".to_owned()) }
            }
            _ => stretch.state.clone(),
        }
    };
    let states: Vec<State> = line.stretches.iter().enumerate().map(becomes).collect();
    line.stretches.iter_mut().zip(states).for_each(|(stretch, state)| stretch.state = state);
}

/// How long after each beginning nothing is required.
fn delay(registry: &Registry, line: &ObligationDay) -> i128 {
    line.obligation.limits.start_delay.unwrap_or(registry.scheme.start_delay)
}

/// The windows of an obligation: its own, or those of everybody.
fn own_windows(
    registry: &Registry,
    day: &DayEvents,
    line: &ObligationDay,
    windows: &[(i128, i128)],
) -> Option<Vec<(i128, i128)>> {
    let Some(own) = &line.obligation.limits.windows else { return Some(windows.to_vec()) };
    let instant = |minutes| clock::at_local(&registry.scheme.zone, day.date, minutes);
    let clipped = |minutes| Some(instant(minutes)?.clamp(day.start, day.end));
    own.iter().map(|(start, end)| Some((clipped(*start)?, clipped(*end)?))).collect()
}

/// The continuous windows as instants, clipped to the day.
fn windows(registry: &Registry, day: &DayEvents) -> Option<Vec<(i128, i128)>> {
    let scheme = &registry.scheme;
    if scheme.feed {
        return Some(vec![(day.start, day.end)]);
    }
    let instant = |minutes| clock::at_local(&scheme.zone, day.date, minutes);
    let clipped = |minutes| Some(instant(minutes)?.clamp(day.start, day.end));
    scheme.continuous(day.date).into_iter().map(|(start, end)| Some((clipped(start)?, clipped(end)?))).collect()
}

/// The instants of the day, in order, at which anything can change, and its end.
fn instants<'a>(
    day: &DayEvents,
    windows: &'a [(i128, i128)],
    exemptions: impl Iterator<Item = &'a (i128, i128)>,
    (edges, delays): (&[i128], &BTreeSet<i128>),
) -> Vec<i128> {
    let mut instants = BTreeSet::from([day.start, day.end]);
    instants.extend(windows.iter().chain(exemptions).flat_map(|(start, end)| [*start, *end]));
    instants.extend(day.applied.iter().map(|event| event.time));
    instants.extend(day.doubts.iter().map(|doubt| doubt.from));
    // Whatever begins a stretch of required time may be followed by the delay.
    let delayed: Vec<i128> = instants.iter().flat_map(|time| delays.iter().map(move |delay| time + delay)).collect();
    instants.extend(delayed);
    instants.extend(edges);
    instants.into_iter().filter(|time| day.start <= *time && *time <= day.end).collect()
}

/// Appends a stretch; one that goes on in the same state prolongs the last.
fn push(stretches: &mut Vec<Stretch>, next: Stretch) {
    match stretches.last_mut() {
        Some(last) if last.state == next.state => last.end = next.end,
        _ => stretches.push(next),
    }
}

/// The state of one obligation of one sign-up at one instant of a session without an exemption, from nothing but the day's
/// events up to it (`book` is what they leave resting).
fn state(registry: &Registry, day: &DayEvents, line: &ObligationDay, book: &Book<'_>, time: i128) -> Option<State> {
    let issue = &line.sign_up.issue;
    if !phases_trade(registry, day, line, time) {
        return Some(State::Unavailable);
    }
    if day.unknown(issue, time) {
        return Some(State::Unknown);
    }
    let quotes = own_quotes(registry, day.date, &line.sign_up, book);
    let table = registry.tick_table(issue, day.date)?;
    let limits = line.obligation.limits_at(registry, day.date, (day.start, day.end), time)?;
    Some(quote::breach(&quotes, &limits, table).map_or(State::Fulfilled, State::Breach))
}

/// Whether the time is inside the windows and the phases trade, whoever is exempt.
fn runs(registry: &Registry, day: &DayEvents, windows: &[(i128, i128)], line: &ObligationDay, time: i128) -> bool {
    windows.iter().any(|(from, to)| (*from..*to).contains(&time)) && phases_trade(registry, day, line, time)
}

fn phases_trade(registry: &Registry, day: &DayEvents, line: &ObligationDay, time: i128) -> bool {
    let market_start = if registry.scheme.feed { Phase::Closed } else { Phase::Continuous };
    let market = phase(day, &Scope::Every, market_start, time);
    let issue = phase(day, &Scope::Issue(line.sign_up.issue.clone()), Phase::Continuous, time);
    match &line.obligation.limits.phases {
        None => trades(registry, market) && trades(registry, issue),
        // The phases that the type names. A market or an issue that is continuous leaves it to the other.
        Some(named) => {
            let is_named = |phase: Phase| named.iter().any(|name| phase.name() == name);
            match (market, issue) {
                (Phase::Continuous, other) | (other, Phase::Continuous) => is_named(other),
                (market, issue) => is_named(market) && is_named(issue),
            }
        }
    }
}

/// The last phase sent for exactly this scope.
fn phase(day: &DayEvents, scope: &Scope, at_start: Phase, time: i128) -> Phase {
    let phases = day.until(time).filter(|event| event.scope == *scope).filter_map(|event| match event.action {
        Action::Phase(phase) => Some(phase),
        _ => None,
    });
    phases.last().unwrap_or(at_start)
}

fn trades(registry: &Registry, phase: Phase) -> bool {
    match phase {
        Phase::Continuous => true,
        Phase::SequentialQuote => registry.scheme.sequential_quote_available,
        Phase::SpecialQuote | Phase::Halt | Phase::Auction | Phase::Closed => false,
    }
}

/// The sign-up's own quotes in the book, added up by price.
fn own_quotes(registry: &Registry, date: Date, sign_up: &SignUp, book: &Book<'_>) -> OwnQuotes {
    let mut quotes = OwnQuotes::default();
    for order in book.values() {
        let Some(price) = order.quoted_price() else { continue };
        if registry.owns(sign_up, order.server, date) {
            let side = match order.side {
                Side::Bid => &mut quotes.bids,
                Side::Offer => &mut quotes.offers,
            };
            *side.entry(price).or_insert(0) += order.quantity;
        }
    }
    quotes
}
