//! The events of one issue in a stretch of time, applied one after the other while its book is warm.
//!
//! Groups of different issues touch nothing that is common to them, so they may be applied in any order, or at once by
//! several threads: whoever has threads is a [`Crew`].

use crate::Fault;
use crate::engine::Slot;
use crate::market::MarketLog;
use quoteclock_book::Order;
use quoteclock_feed::binary::{Records, Slot as EventSlot, Usual};
use quoteclock_model::{Condition, Interval, IssueIndex, MarketEvent, OrderId, Scope, ServerIndex, Timestamp};
use quoteclock_obligation::{IntervalSink, IssueMeasure, ObligationIndex};
use std::fmt::Debug;

/// Applies groups.
pub trait Crew: Debug {
    /// How many groups may be applied at once, at least 1.
    fn size(&self) -> usize;

    /// Calls [`Group::apply`] of each group once, in any order, from any thread.
    fn apply(&self, groups: &mut [Group<'_>]);
}

/// Nobody besides the thread that reads.
#[derive(Clone, Copy, Debug)]
pub struct Alone;

impl Crew for Alone {
    fn size(&self) -> usize {
        1
    }

    fn apply(&self, groups: &mut [Group<'_>]) {
        groups.iter_mut().for_each(Group::apply);
    }
}

/// The events of one issue, and what they are applied to.
pub struct Group<'a> {
    pub(crate) slot: &'a mut Slot,
    pub(crate) common: Common<'a>,
    pub(crate) issue: IssueIndex,
    pub(crate) events: &'a (dyn Events + 'a),
    pub(crate) outcome: Outcome,
}

/// What is the same for all groups of a stretch of time.
#[derive(Clone, Copy)]
pub(crate) struct Common<'a> {
    pub(crate) market: &'a MarketLog,
    /// For each server of the input, its position in the plan.
    pub(crate) servers: &'a [Option<u32>],
    /// The time from which the events count.
    pub(crate) base: Timestamp,
}

/// What came of a group.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) intervals: Vec<(ObligationIndex, Interval)>,
    pub(crate) problem: Option<Problem>,
}

/// Why the events of a group have not all been applied.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Problem {
    /// The bytes are not those that were written; nothing has been applied.
    Damaged,
    /// An event does not fit: those before it have been applied, it and those after it have not.
    Fault(GroupFault),
}

/// The first event of a group that cannot be applied.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct GroupFault {
    /// Its place in the order of the stretch of time.
    pub(crate) ordinal: u32,
    pub(crate) issue: IssueIndex,
    pub(crate) fault: Fault,
}

/// Events of one issue in their order, in parts that cut no record in two.
pub(crate) trait Events: Sync {
    /// Gives each part to `take` until that says to stop; says whether the bytes are those that were written.
    fn each_part<'e>(&'e self, take: &mut dyn FnMut(&'e [EventSlot]) -> bool) -> bool;
}

impl Group<'_> {
    /// Applies the events.
    pub fn apply(&mut self) {
        let Group { slot, common, issue, events, outcome } = self;
        outcome.problem = apply_group(slot, *common, *issue, *events, &mut IntoIntervals(&mut outcome.intervals));
    }
}

struct IntoIntervals<'a>(&'a mut Vec<(ObligationIndex, Interval)>);

impl IntervalSink for IntoIntervals<'_> {
    fn interval(&mut self, obligation: ObligationIndex, interval: Interval) {
        self.0.push((obligation, interval));
    }
}

/// Applies the events of one issue, and tells `sink` the intervals that have ended before them.
pub(crate) fn apply_group(
    slot: &mut Slot,
    common: Common<'_>,
    issue: IssueIndex,
    events: &dyn Events,
    sink: &mut impl IntervalSink,
) -> Option<Problem> {
    common.market.catch_up(slot, sink);
    slot.measure.prefetch();
    let mut fault = None;
    let whole = events.each_part(&mut |part| {
        fault = apply_part(&mut slot.measure, common, issue, part, sink).err();
        fault.is_none()
    });
    if whole { fault.map(Problem::Fault) } else { Some(Problem::Damaged) }
}

/// How many events are looked ahead.
const AHEAD: usize = 16;

fn apply_part(
    measure: &mut IssueMeasure,
    Common { servers, base, .. }: Common<'_>,
    issue: IssueIndex,
    events: &[EventSlot],
    sink: &mut impl IntervalSink,
) -> Result<(), GroupFault> {
    let mut ahead = events.iter();
    let fetch = |measure: &IssueMeasure, event: &EventSlot| {
        measure.prefetch_order(OrderId(event.order()));
        measure.prefetch_order(OrderId(event.other()));
    };
    ahead.by_ref().take(AHEAD).for_each(|event| fetch(measure, event));
    for (event, extension) in Records(events) {
        // The orders of the next few events are on their way while this one is applied.
        if let Some(event) = ahead.next() {
            fetch(measure, event);
        }
        measure.advance(Timestamp::from_micros(base.as_micros() + i64::from(event.micros())), sink);
        let applied = match event.usual() {
            Some(Usual::Add { order, server, side, price, quantity }) if server.is_none_or(|at| at < servers.len()) => {
                let server = server.and_then(|at| u32::try_from(at).ok()).map(ServerIndex);
                let condition = Condition::None;
                measure.add(order, &Order { server, side, price: Some(price), quantity, condition }, servers)
            }
            Some(Usual::Replace { order, order_new, price, quantity }) => {
                measure.replace(order, order_new, price, quantity)
            }
            Some(Usual::Take { order, quantity }) => measure.take(order, quantity),
            Some(Usual::Execute { order, price, quantity, auction }) => {
                measure.execute(order, price, quantity, auction)
            }
            _ => match apply_unusual(measure, event, extension, issue, servers) {
                Ok(()) => Ok(()),
                Err(fault) => return Err(GroupFault { ordinal: event.ordinal(), issue, fault }),
            },
        };
        if let Err(error) = applied {
            return Err(GroupFault { ordinal: event.ordinal(), issue, fault: error.into() });
        }
    }
    Ok(())
}

/// Applies an event that is not of a usual form.
#[cold]
fn apply_unusual(
    measure: &mut IssueMeasure,
    event: &EventSlot,
    extension: Option<&EventSlot>,
    issue: IssueIndex,
    servers: &[Option<u32>],
) -> Result<(), Fault> {
    let server_at = |at| u32::try_from(at).ok().filter(|&at| (at as usize) < servers.len()).map(ServerIndex);
    match event.event(extension, Scope::Issue(issue), server_at)? {
        MarketEvent::Order { ref action, .. } => measure.apply(action, servers)?,
        MarketEvent::Phase { phase, .. } => measure.set_phase(phase),
        MarketEvent::Clear { .. } => measure.clear(),
    }
    Ok(())
}
