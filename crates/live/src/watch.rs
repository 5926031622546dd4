//! How every obligation of the running day stands: looked at between two batches, kept for whoever asks.
//!
//! One look takes from the engine what changes, and the breaches that have ended since the look before: a few issues at a time,
//! between two frames, so that no verdict waits long for it. Everything else,
//! for any number of askers, is worked out from that on other threads. Looking changes no result.

use crate::measure::{Facts, LiveDay, Look};
use quoteclock_book::OwnQuotes;
use quoteclock_ledger::{Breach, Total};
use quoteclock_model::{Amount, Interval, Micros, Phase, Price, Side, SideFault, Span, State, Timestamp};
use quoteclock_obligation::{ObligationIndex, Running};
use quoteclock_report::rows::keys;
use quoteclock_rules::{DayPlan, Limits, ObligationPlan, SignUpPlan, Variant};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// The windows, besides the day, over which it is told how long an obligation was off.
pub(crate) const WINDOWS: [(&str, Micros); 2] = [("5m", Micros(300_000_000)), ("1h", Micros(3_600_000_000))];

/// One side of an obligation's own quotes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct SideNow {
    /// The obligation price, or why there is none.
    pub(crate) price: Result<Price, SideFault>,
    /// The value of all that the side quotes.
    pub(crate) value: Amount,
}

/// How one obligation stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Row {
    pub(crate) state: State,
    pub(crate) since: Timestamp,
    /// Up to when it was looked at: on a busy feed issues differ by a moment.
    pub(crate) at: Timestamp,
    /// The day so far.
    pub(crate) total: Total,
    /// Bid and offer.
    pub(crate) sides: [SideNow; 2],
    /// Since when it is off, for whatever reasons; as `since` where it is not.
    pub(crate) off_since: Timestamp,
    /// Time off within [`WINDOWS`], up to the last record.
    pub(crate) off: [Micros; WINDOWS.len()],
}

/// How all obligations stand at one instant.
#[derive(Clone, Debug)]
pub(crate) struct Picture {
    /// What is required under the multiplier that is declared.
    pub(crate) plan: Arc<DayPlan>,
    /// The time of the last record.
    pub(crate) last: Timestamp,
    /// In the order of the plan.
    pub(crate) rows: Arc<[Row]>,
    pub(crate) facts: Facts,
    /// Records set aside so far.
    pub(crate) rejects: u64,
}

/// What one look has found.
pub(crate) struct Seen {
    plan: Arc<DayPlan>,
    last: Timestamp,
    ledger: u64,
    /// Breaches that have ended since the last look.
    breaches: Vec<(ObligationIndex, Breach)>,
    /// By the position in the plan in variants, of obligations that are in force.
    standing: Vec<(ObligationIndex, LastJudged)>,
    facts: Facts,
    rejects: u64,
}

/// How an obligation was judged last, and its times.
struct LastJudged {
    state: State,
    since: Timestamp,
    settled: Interval,
    total: Total,
    sides: [SideNow; 2],
}

/// What has been seen of the running day so far.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    ledger: u64,
    /// How many breaches have been copied.
    copied: usize,
    /// Of each obligation of the plan in variants, in order of time.
    breaches: Vec<Vec<Breach>>,
    variant: Option<InForce>,
}

/// Of a plan in variants the one in force.
#[derive(Clone, Debug)]
struct InForce {
    of: Arc<DayPlan>,
    multiplier: u32,
    variant: Arc<Variant>,
    plan: Arc<DayPlan>,
}

impl Watch {
    /// What a look needs to know of the looks before.
    pub(crate) fn mark(&self) -> (u64, usize) {
        (self.ledger, self.copied)
    }

    /// Adds a look, and draws the picture.
    pub(crate) fn add(&mut self, seen: Seen) -> Picture {
        let Seen { plan, last, ledger, breaches, standing, facts, rejects } = seen;
        if ledger != self.ledger {
            *self = Watch { ledger, breaches: vec![Vec::new(); obligation_count(&plan)], ..Watch::default() };
        }
        self.copied += breaches.len();
        for (obligation, breach) in breaches {
            if let Some(own) = self.breaches.get_mut(obligation.0 as usize) {
                own.push(breach);
            }
        }
        let (variant, in_force) = self.variant_of(&plan);
        let mut by_position: Vec<Option<LastJudged>> = Vec::new();
        by_position.resize_with(self.breaches.len(), || None);
        for (obligation, standing) in standing {
            if let Some(place) = by_position.get_mut(obligation.0 as usize) {
                *place = Some(standing);
            }
        }
        let rows = variant.positions.iter().map(|&position| {
            let breaches = self.breaches.get(position as usize).map_or(&[][..], Vec::as_slice);
            by_position
                .get_mut(position as usize)
                .and_then(Option::take)
                .map_or_else(|| Row::nothing(plan.day.start), |standing| Row::of(&standing, breaches))
        });
        Picture { rows: rows.collect(), plan: in_force, last, facts, rejects }
    }

    /// What a close look at one sign-up needs to know; `None` if there is no such sign-up.
    pub(crate) fn known(&self, market_maker: &str, issue: &str) -> Option<Known> {
        let InForce { variant, plan, .. } = self.variant.as_ref()?;
        let of_sign_up = keys(plan).filter(|key| key.market_maker == market_maker && key.issue == issue);
        let obligations: Vec<_> = of_sign_up
            .filter_map(|key| {
                let (position, place) = (key.index.0 as usize, *variant.positions.get(key.index.0 as usize)?);
                Some((position, ObligationIndex(place), self.breaches.get(place as usize)?.clone()))
            })
            .collect();
        let mark = self.mark();
        (!obligations.is_empty()).then(|| Known { mark, obligations, plan: Arc::clone(plan) })
    }

    fn variant_of(&mut self, plan: &Arc<DayPlan>) -> (Arc<Variant>, Arc<DayPlan>) {
        if let Some(InForce { of, multiplier, variant, plan: in_force }) = &self.variant
            && Arc::ptr_eq(of, plan)
            && *multiplier == plan.multiplier
        {
            return (Arc::clone(variant), Arc::clone(in_force));
        }
        let variant = Arc::new(plan.variant(plan.multiplier));
        let in_force = Arc::new(variant.plan.clone());
        let (of, multiplier) = (Arc::clone(plan), plan.multiplier);
        self.variant = Some(InForce { of, multiplier, variant: Arc::clone(&variant), plan: Arc::clone(&in_force) });
        (variant, in_force)
    }
}

impl Row {
    fn nothing(since: Timestamp) -> Row {
        let side = SideNow { price: Err(SideFault::NoQuote), value: Amount(0) };
        let (total, off) = (Total::default(), [Micros::ZERO; WINDOWS.len()]);
        Row { state: State::Unavailable, since, at: since, off_since: since, total, sides: [side; 2], off }
    }

    fn of(standing: &LastJudged, breaches: &[Breach]) -> Row {
        let LastJudged { state, since, settled, total, sides } = *standing;
        // What has ended since it was looked at is no part of what was seen.
        let breaches = &breaches[..breaches.partition_point(|breach| breach.span.start < settled.start)];
        let at = settled.end;
        let running = matches!(settled.state, State::Breach(_)).then(|| settled.span());
        let off = WINDOWS.map(|(_, length)| off_within(breaches, running, at, length));
        let off_since = off_since(state, since, settled, breaches);
        Row { state, since, at, off_since, total, sides, off }
    }
}

/// Since when it is off: breaches of different reasons follow each other.
fn off_since(state: State, since: Timestamp, settled: Interval, breaches: &[Breach]) -> Timestamp {
    if !matches!(state, State::Breach(_)) {
        return since;
    }
    let running = matches!(settled.state, State::Breach(_)).then(|| settled.span());
    let earlier = running.into_iter().chain(breaches.iter().rev().map(|breach| breach.span));
    earlier.filter(|span| span.start < span.end).fold(since, |at, span| if span.end == at { span.start } else { at })
}

/// Time off in the stretch of `length` before `last`: of breaches that have ended, and of one that runs.
fn off_within(breaches: &[Breach], running: Option<Span>, last: Timestamp, length: Micros) -> Micros {
    let window = Span { start: before(last, length), end: last };
    let ended = breaches.iter().rev().map(|breach| breach.span).take_while(|span| window.start < span.end);
    ended.chain(running).filter_map(|span| span.clip(window)).map(|span| span.end.since(span.start)).sum()
}

/// The instant so long before another.
pub(crate) fn before(at: Timestamp, length: Micros) -> Timestamp {
    let length = i64::try_from(length.0).unwrap_or(i64::MAX);
    Timestamp::from_micros(at.as_micros().saturating_sub(length))
}

fn obligation_count(plan: &DayPlan) -> usize {
    plan.sign_ups.iter().map(|sign_up| sign_up.obligations.len()).sum()
}

/// How long one part of a look may take.
const PART_FOR: Duration = Duration::from_micros(200);
/// Breaches that are copied in one part.
const COPIED_AT_ONCE: usize = 4096;

/// A look at the running day, a few issues at a time; tells `done` what it has seen, nothing before the date is known. `mark` is what
/// has been copied before.
pub(crate) fn see(mark: (u64, usize), done: oneshot::Sender<Option<Seen>>) -> Look {
    let (mut done, mut seeing) = (Some(done), None::<Seeing>);
    Box::new(move |day, facts| {
        let started = Instant::now();
        loop {
            let seen = match go_on(day, mark, &mut seeing) {
                Some(false) if started.elapsed() < PART_FOR => continue,
                Some(false) => return false,
                Some(true) => seeing.take().and_then(|seeing| seeing.finish(day, *facts)),
                None => None,
            };
            if let Some(done) = done.take() {
                // Whoever asked may have gone.
                let _ = done.send(seen);
            }
            return true;
        }
    })
}

/// What of a look has been seen so far.
pub(crate) struct Seeing {
    plan: Arc<DayPlan>,
    ledger: u64,
    /// Of each obligation of the plan in variants, whether it is in force, and whether its issue is measured again.
    of_plan: Vec<(bool, bool)>,
    /// The next issue.
    place: usize,
    all_seen: bool,
    standing: Vec<(ObligationIndex, LastJudged)>,
    from: usize,
    breaches: Vec<(ObligationIndex, Breach)>,
}

/// Looks at the next issue, or copies the next breaches; whether nothing is left. `None` before the date is known.
pub(crate) fn go_on(day: &mut LiveDay, mark: (u64, usize), seeing: &mut Option<Seeing>) -> Option<bool> {
    let plan = Arc::clone(day.engine()?.plan());
    let is_same = |seeing: &Seeing| Arc::ptr_eq(&seeing.plan, &plan);
    if !seeing.as_ref().is_some_and(is_same) || seeing.as_ref().map(|of| of.ledger) != Some(day.sink_mut().number()) {
        // The first part; or the day goes on under another registry by now.
        *seeing = Some(Seeing::begin(day, mark)?);
    }
    let seeing = seeing.as_mut()?;
    if !seeing.all_seen {
        seeing.all_seen = !seeing.issue(day)?;
        return Some(false);
    }
    let log = day.sink_mut().open().log();
    let first = seeing.from + seeing.breaches.len();
    let new = log.get(first..).unwrap_or_default();
    let some = new.iter().take(COPIED_AT_ONCE);
    seeing.breaches.extend(some.map(|logged| (logged.obligation, Breach { span: logged.span, reason: logged.reason })));
    Some(new.len() <= COPIED_AT_ONCE)
}

impl Seeing {
    fn begin(day: &mut LiveDay, mark: (u64, usize)) -> Option<Seeing> {
        let plan = Arc::clone(day.engine()?.plan());
        // What has been told too early is measured again; until that takes over it is not known.
        let late = day.retroactive();
        let is_stale = late != day.known_unknown();
        let multiplier = plan.multiplier;
        let of_sign_up = |sign_up: &SignUpPlan| {
            let is_late =
                is_stale && late.iter().any(|window| window.issue.as_ref().is_none_or(|issue| *issue == sign_up.issue));
            let of = |obligation: &ObligationPlan| {
                let widened = obligation.id.is_widened_by_fast_market();
                (!widened || obligation.multiplier == multiplier, is_late)
            };
            sign_up.obligations.iter().map(of).collect::<Vec<_>>()
        };
        let of_plan = plan.sign_ups.iter().flat_map(of_sign_up).collect();
        let ledger = day.sink_mut().number();
        let from = if ledger == mark.0 { mark.1 } else { 0 };
        let (standing, breaches) = (Vec::new(), Vec::new());
        Some(Seeing { plan, ledger, of_plan, place: 0, all_seen: false, standing, from, breaches })
    }

    /// The next issue; whether there is one.
    fn issue(&mut self, day: &mut LiveDay) -> Option<bool> {
        let (of_plan, first) = (&self.of_plan, self.standing.len());
        let standing = &mut self.standing;
        let is_there = day.running_at(self.place, |obligation, running| {
            let Some(&(true, is_late)) = of_plan.get(obligation.0 as usize) else { return };
            let state = if is_late { State::Unknown } else { running.state };
            let (since, settled, sides) = (running.since, running.settled, sides(&running));
            standing.push((obligation, LastJudged { state, since, settled, total: Total::default(), sides }));
        })?;
        let open = day.sink_mut().open();
        for (obligation, standing) in &mut self.standing[first..] {
            standing.total = open.running_total(*obligation, standing.settled);
        }
        self.place += 1;
        Some(is_there)
    }

    pub(crate) fn finish(self, day: &LiveDay, facts: Facts) -> Option<Seen> {
        let Seeing { plan, ledger, breaches, standing, .. } = self;
        Some(Seen { plan, last: day.now()?, ledger, breaches, standing, facts, rejects: day.reject_count() })
    }
}

/// Bid and offer of what stands.
fn sides(running: &Running<'_>) -> [SideNow; 2] {
    let minimum = running.limits.minimum();
    Side::BOTH.map(|side| {
        let (value, _) = running.own.all(side);
        SideNow { price: running.own.obligation_price(side, &minimum), value }
    })
}

/// One sign-up, looked at closely: all of one instant.
pub(crate) struct Closely {
    /// What is required under the multiplier that is declared.
    pub(crate) plan: Arc<DayPlan>,
    pub(crate) last: Timestamp,
    pub(crate) phase: Phase,
    pub(crate) market_phase: Phase,
    pub(crate) obligations: Vec<Close>,
}

/// One of its obligations.
pub(crate) struct Close {
    /// Its position in the plan that is in force.
    pub(crate) position: usize,
    pub(crate) row: Row,
    pub(crate) own: OwnQuotes,
    pub(crate) limits: Limits,
    /// Those that have ended, and the one that runs.
    pub(crate) breaches: Vec<Breach>,
    /// The day so far but for what is fulfilled, in no order.
    pub(crate) intervals: Vec<Interval>,
}

/// What a close look needs of the looks before: where each obligation of the sign-up stands, and its breaches.
pub(crate) struct Known {
    pub(crate) mark: (u64, usize),
    /// Position in the plan in force, in the plan in variants, breaches.
    pub(crate) obligations: Vec<(usize, ObligationIndex, Vec<Breach>)>,
    pub(crate) plan: Arc<DayPlan>,
}

/// Looks at one sign-up closely; `None` if the day is another than the looks before were at.
pub(crate) fn see_closely(day: &mut LiveDay, known: Known) -> Option<Closely> {
    let last = day.now()?;
    let late = day.retroactive();
    let is_stale = late != day.known_unknown();
    if day.engine()?.plan().date != known.plan.date || day.sink_mut().number() != known.mark.0 {
        return None;
    }
    let mut phases = (Phase::Closed, Phase::Closed);
    let mut obligations = Vec::new();
    for (position, index, mut breaches) in known.obligations {
        let at = day.engine()?.measure_of(index)?;
        let (measure, ledger) = day.look(at, last)?;
        phases = (measure.phase(), measure.market_phase());
        let running = measure.running(index)?;
        let sides = sides(&running);
        let open = ledger.open();
        let new = open.log().get(known.mark.1..).unwrap_or_default().iter().filter(|of| of.obligation == index);
        breaches.extend(new.map(|logged| Breach { span: logged.span, reason: logged.reason }));
        let (state, since, settled) = (running.state, running.since, running.settled);
        let standing = LastJudged { state, since, settled, total: open.running_total(index, settled), sides };
        let row = Row::of(&standing, &breaches);
        if let State::Breach(reason) = settled.state
            && settled.start < settled.end
        {
            breaches.push(Breach { span: settled.span(), reason });
        }
        let of_breach = |breach: &Breach| Interval {
            start: breach.span.start,
            end: breach.span.end,
            state: State::Breach(breach.reason),
        };
        let uncounted = ledger.uncounted().iter().filter(|of| of.obligation == index).map(|of| Interval {
            start: of.span.start,
            end: of.span.end,
            state: if of.is_unknown { State::Unknown } else { State::Unavailable },
        });
        let intervals = breaches.iter().map(of_breach).chain(uncounted).chain([settled]).collect();
        let (own, limits) = (running.own.clone(), running.limits.clone());
        obligations.push(Close { position, row, own, limits, breaches, intervals });
    }
    for close in &mut obligations {
        let issue =
            known.plan.sign_ups.iter().flat_map(|of| of.obligations.iter().map(|_| &of.issue)).nth(close.position);
        let is_late =
            |window: &quoteclock_engine::UnknownWindow| window.issue.as_ref().is_none_or(|code| Some(code) == issue);
        if is_stale && late.iter().any(is_late) {
            close.row.state = State::Unknown;
        }
    }
    Some(Closely { plan: known.plan, last, phase: phases.0, market_phase: phases.1, obligations })
}
