//! The events of one issue in a stretch of time, applied one after the other while its book is warm.
//!
//! Groups of different issues touch nothing that is common to them, so they may be applied in any order, or at once by
//! several threads.

use crate::Fault;
use crate::issue_slot::IssueSlot;
use crate::market::MarketLog;
use quoteclock_book::prefetch_all;
use quoteclock_feed::binary::EventSlot;
use quoteclock_model::{
    CompactEvent, Interval, IssueIndex, MarketEvent, OrderAction, OrderId, Scope, ServerIndex, TakeCompact, Timestamp,
};
use quoteclock_obligation::{IntervalSink, IssueMeasure, ObligationIndex, PlanServers, PrefetchStep};

/// The events of one issue, and what they are applied to.
pub(crate) struct Group<'a> {
    pub(crate) slot: &'a mut IssueSlot,
    pub(crate) context: Context<'a>,
    pub(crate) events: &'a (dyn Events + 'a),
    pub(crate) fault: Option<GroupFault>,
}

/// What a group is applied under: all of it but the issue is the same for all groups of a stretch of time.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) issue: IssueIndex,
    pub(crate) market: &'a MarketLog,
    /// The servers named so far.
    pub(crate) servers: PlanServers<'a>,
    /// The time from which the events count.
    pub(crate) base: Timestamp,
}

/// The first event of a group that does not fit: those before it have been applied, it and those after it have not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct GroupFault {
    /// Its place in the order of the stretch of time.
    pub(crate) ordinal: u32,
    pub(crate) issue: IssueIndex,
    pub(crate) fault: Fault,
}

/// Events of one issue in their order, in parts that cut no record in two.
pub(crate) trait Events: Sync {
    /// Gives each part, and with it the next, to `take` until that says to stop.
    fn each_part<'e>(&'e self, take: &mut dyn FnMut(&'e [EventSlot], &'e [EventSlot]) -> bool);

    /// Fetches their beginning.
    fn prefetch(&self);
}

impl Events for &(dyn Events + '_) {
    fn each_part<'e>(&'e self, take: &mut dyn FnMut(&'e [EventSlot], &'e [EventSlot]) -> bool) {
        (**self).each_part(take);
    }

    fn prefetch(&self) {
        (**self).prefetch();
    }
}

impl Group<'_> {
    /// Applies the events of each group, while what the next ones need is on its way.
    pub(crate) fn apply_all(groups: &mut [Group<'_>], buffer: &mut Intervals) {
        let mut orders = std::mem::take(&mut buffer.orders);
        for position in 0..groups.len() {
            fetch_ahead(position, |ahead| groups.get(ahead).map(|group| (&*group.slot, group.events)));
            let Group { slot, context, events, fault } = &mut groups[position];
            *fault = apply_group(slot, *context, *events, &mut orders, buffer);
        }
        buffer.orders = orders;
    }
}

/// Before the group at `position` is applied: fetches what the next groups need, each step while another is applied.
pub(crate) fn fetch_ahead<'g>(position: usize, group: impl Fn(usize) -> Option<(&'g IssueSlot, &'g dyn Events)>) {
    let steps = |ahead: usize, steps: &[PrefetchStep]| {
        let Some((slot, events)) = group(position + ahead) else { return };
        for step in steps {
            slot.measure.prefetch(*step);
        }
        if steps.contains(&PrefetchStep::Quotes) {
            events.prefetch();
        }
    };
    if position == 0 {
        steps(0, &[PrefetchStep::MarketMakers, PrefetchStep::Quotes]);
        steps(1, &[PrefetchStep::Issue, PrefetchStep::MarketMakers]);
        steps(2, &[PrefetchStep::Issue]);
    }
    steps(1, &[PrefetchStep::Quotes]);
    steps(2, &[PrefetchStep::MarketMakers]);
    steps(3, &[PrefetchStep::Issue]);
}

/// How many orders each server has added.
#[derive(Debug, Default)]
pub(crate) struct OrderCounts(pub(crate) Vec<u64>);

impl OrderCounts {
    /// One more of a server.
    #[inline(always)]
    pub(crate) fn add(&mut self, server: ServerIndex) {
        match self.0.get_mut(server.index()) {
            Some(count) => *count += 1,
            None => self.add_first(server),
        }
    }

    #[cold]
    fn add_first(&mut self, server: ServerIndex) {
        self.0.resize(server.index() + 1, 0);
        self.0[server.index()] += 1;
    }

    /// Takes note of an order that has been added.
    #[inline]
    pub(crate) fn note(&mut self, action: &OrderAction) {
        if let OrderAction::Add { server: Some(server), .. } = action {
            self.add(*server);
        }
    }

    /// Adds those of `others`, of which none are left.
    fn take(&mut self, others: &mut OrderCounts) {
        self.0.resize(self.0.len().max(others.0.len()), 0);
        for (count, others) in self.0.iter_mut().zip(&mut others.0) {
            *count += std::mem::take(others);
        }
    }
}

/// Keeps intervals, and who added orders, until the sink has them.
#[derive(Debug, Default)]
pub(crate) struct Intervals {
    spans: Vec<(ObligationIndex, Interval)>,
    orders: OrderCounts,
}

impl Intervals {
    /// Makes room for so many more.
    pub(crate) fn reserve(&mut self, count: usize) {
        self.spans.reserve(count);
    }

    /// Tells `sink` all, and is empty then.
    pub(crate) fn flush(&mut self, orders: &mut OrderCounts, sink: &mut impl IntervalSink) {
        orders.take(&mut self.orders);
        self.spans.drain(..).for_each(|(obligation, interval)| sink.interval(obligation, interval));
    }
}

impl IntervalSink for Intervals {
    fn interval(&mut self, obligation: ObligationIndex, interval: Interval) {
        self.spans.push((obligation, interval));
    }
}

/// Applies the events of one issue, and tells `sink` the intervals that have ended before them.
pub(crate) fn apply_group(
    slot: &mut IssueSlot,
    context: Context<'_>,
    events: &dyn Events,
    orders: &mut OrderCounts,
    sink: &mut impl IntervalSink,
) -> Option<GroupFault> {
    context.market.catch_up(slot, sink);
    slot.has_events = true;
    let (mut fault, mut first) = (None, true);
    events.each_part(&mut |part, next| {
        if std::mem::take(&mut first) {
            part.iter().take(AHEAD).for_each(|event| fetch_orders(&slot.measure, event));
        }
        fault = apply_part(&mut slot.measure, context, (part, next), orders, sink).err();
        fault.is_none()
    });
    fault
}

/// How many events are looked ahead.
const AHEAD: usize = 16;

fn apply_part(
    measure: &mut IssueMeasure,
    context: Context<'_>,
    (events, next): (&[EventSlot], &[EventSlot]),
    orders: &mut OrderCounts,
    sink: &mut impl IntervalSink,
) -> Result<(), GroupFault> {
    let Context { issue, servers, base, .. } = context;
    prefetch_all(next);
    let mut rest = events.iter();
    while let Some(event) = rest.next() {
        // The orders of the next few events are on their way while this one is applied.
        let after = rest.as_slice();
        if let Some(event) = after.get(AHEAD - 1).or_else(|| next.get((AHEAD - 1).wrapping_sub(after.len()))) {
            fetch_orders(measure, event);
        }
        measure.advance(Timestamp::from_micros(base.as_micros() + i64::from(event.micros())), sink);
        let applied = event.compact(|at| servers.named(at), TryApply { measure, servers, orders });
        if applied.flatten().is_none() {
            let extension = after.first().filter(|after| event.is_wide() && after.is_extension());
            if extension.is_some() {
                rest.next();
            }
            apply_full(measure, event, extension, context, orders).map_err(|fault| GroupFault {
                ordinal: event.ordinal(),
                issue,
                fault,
            })?;
        }
    }
    Ok(())
}

/// Fetches the orders that an event names.
#[inline(always)]
fn fetch_orders(measure: &IssueMeasure, event: &EventSlot) {
    measure.prefetch_order(OrderId(event.order()));
    measure.prefetch_order(OrderId(event.other()));
}

/// Applies an event the fast way.
struct TryApply<'a> {
    measure: &'a mut IssueMeasure,
    servers: PlanServers<'a>,
    orders: &'a mut OrderCounts,
}

impl TakeCompact for TryApply<'_> {
    type Output = Option<()>;

    #[inline(always)]
    fn take(self, event: CompactEvent) -> Option<()> {
        self.measure.try_apply(event, self.servers)?;
        if let CompactEvent::Add { server: Some(server), .. } = event {
            self.orders.add(server);
        }
        Some(())
    }
}

/// Applies an event the full way.
#[cold]
fn apply_full(
    measure: &mut IssueMeasure,
    event: &EventSlot,
    extension: Option<&EventSlot>,
    Context { issue, servers, .. }: Context<'_>,
    orders: &mut OrderCounts,
) -> Result<(), Fault> {
    match event.event(extension, Scope::Issue(issue), |at| servers.named(at))? {
        MarketEvent::Order { ref action, .. } => {
            measure.apply_full(action, servers)?;
            orders.note(action);
        }
        MarketEvent::Phase { phase, .. } => measure.set_phase(phase),
        MarketEvent::Clear { .. } => measure.clear(),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use quoteclock_model::{OrderCondition, Shares, Side};

    #[test]
    fn orders_are_counted_by_the_server_that_added_them() {
        let add = |server: Option<u32>| OrderAction::Add {
            order: OrderId(1),
            server: server.map(ServerIndex),
            side: Side::Bid,
            price: None,
            quantity: Shares(100),
            condition: OrderCondition::None,
        };
        let (mut all, mut more) = (OrderCounts::default(), OrderCounts::default());
        [Some(0), Some(0), None].iter().for_each(|server| all.note(&add(*server)));
        all.note(&OrderAction::Cancel { order: OrderId(1) });
        [Some(2), Some(0)].iter().for_each(|server| more.note(&add(*server)));
        assert_eq!((&all.0, &more.0), (&vec![2], &vec![1, 0, 1]));
        all.take(&mut more);
        assert_eq!((all.0, more.0), (vec![3, 0, 1], vec![0, 0, 0]));
    }

    #[test]
    fn a_wide_event_without_the_rest_of_it_is_malformed_whatever_follows() {
        let files = [
            ("issues.csv", "issue,type,tick_table\n1306,B,01\n"),
            ("market_makers.csv", "market_maker\nMM1\n"),
            ("virtual_servers.csv", "server,market_maker\nVS1,MM1\n"),
            ("signups.csv", "market_maker,issue\nMM1,1306\n"),
        ]
        .map(|(name, text)| quoteclock_rules::SourceFile { name: name.to_owned(), bytes: text.into() });
        let registry = quoteclock_rules::Registry::load(&files).registry.unwrap();
        let plan = registry.plan(jiff::civil::date(2024, 3, 1)).unwrap();
        let (issue, market, base) = (IssueIndex(0), MarketLog::default(), plan.day.start);
        let context = Context { issue, market: &market, servers: PlanServers::NONE, base };
        let slots = |action, ordinal| EventSlot::write(&MarketEvent::Order { issue, action }, None, ordinal, 0);
        let (order, side, condition) = (OrderId(1), Side::Bid, OrderCondition::None);
        let wide = OrderAction::Add { order, server: None, side, price: None, quantity: Shares(1 << 33), condition };
        let (wide, rest) = slots(wide, 0);
        // Its numbers could be a price and a quantity.
        let replace = OrderAction::Replace { order, order_new: OrderId(100), price: None, quantity: Some(Shares(7)) };
        let (next, _) = slots(replace, 1);
        let apply = |events: &[EventSlot]| {
            let mut measure = IssueMeasure::new(&plan, &[], [&std::sync::Arc::default(); 2]);
            let (mut orders, mut sink) = (OrderCounts::default(), Intervals::default());
            let applied = apply_part(&mut measure, context, (events, &[]), &mut orders, &mut sink);
            applied.map_err(|GroupFault { ordinal, fault, .. }| (ordinal, matches!(fault, Fault::Malformed(_))))
        };
        assert_eq!(apply(&[wide, rest.unwrap(), next]), Ok(()));
        assert_eq!(apply(&[wide, next]), Err((0, true)));
    }
}
