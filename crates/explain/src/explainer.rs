//! Stands around a day: every record passes through to the measuring path, seen before and after it is applied.

use crate::builder::ExplanationBuilder;
use crate::event::{Event, OwnOrder, What};
use crate::question::QuestionError;
use crate::subject::find;
use crate::{Explanation, Question};
use quoteclock_book::{Book, Order};
use quoteclock_engine::{BadRecord, Day, DayError, DayOptions, DayRun, Fault, Finished, RejectSink, UnknownWindow};
use quoteclock_feed::{Place, RawRecord, Receiver, Sequence, Stop};
use quoteclock_model::{
    Interval, IssueCode, IssueIndex, MarketEvent, OrderAction, OrderId, Scope, ServerIndex, Span, Timestamp,
    merge_spans,
};
use quoteclock_obligation::{DaySink, IntervalSink, ObligationIndex};
use quoteclock_rules::{DayPlan, Registry};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A day, measured as always, and watched for one obligation.
pub struct Explainer {
    registry: Registry,
    question: Question,
    windows: Vec<UnknownWindow>,
    day: Day<Recorder, LastBad>,
    /// The issue in the input, once it has been named.
    issue: Option<IssueIndex>,
    servers: Vec<Arc<str>>,
    /// The names of the servers whose orders are the sign-up's quotes.
    own_servers: BTreeSet<String>,
    builder: Option<Box<ExplanationBuilder>>,
    problem: Option<QuestionError>,
}

impl Explainer {
    /// A day measured under `registry`, watched for what `question` asks.
    ///
    /// # Errors
    /// [`DayError::Plan`] if a date is given that cannot be measured.
    pub fn new(registry: &Registry, options: DayOptions, question: Question) -> Result<Explainer, DayError> {
        let windows = options.unknown.clone();
        let day = Day::new(registry, options, Recorder::default(), LastBad::default())?;
        let mut explainer = Explainer {
            registry: registry.clone(),
            question,
            windows,
            day,
            issue: None,
            servers: Vec::new(),
            own_servers: BTreeSet::new(),
            builder: None,
            problem: None,
        };
        // A question without an answer ends the run with its first record.
        let _ = explainer.open();
        Ok(explainer)
    }

    /// Once the day is open, finds in it what is asked.
    fn open(&mut self) -> Result<(), Stop> {
        if self.problem.is_some() {
            return Err(Stop);
        }
        let (None, Some(engine)) = (&self.builder, self.day.engine()) else { return Ok(()) };
        let plan = Arc::clone(engine.plan());
        let found = find(&self.registry, &plan, &self.question).map_err(|problem| {
            self.problem = Some(problem);
            Stop
        })?;
        let measure = engine.measure_of(found.index).expect("an obligation of the plan is measured");
        let sign_up = &plan.sign_ups[found.sign_up];
        self.own_servers = sign_up.servers.iter().map(|&server| plan.servers[server].name.clone()).collect();
        self.day.sink_mut().watch(found.index);
        let unknown = unknown_spans(&self.windows, &sign_up.issue, plan.day);
        let limit = self.question.limit;
        self.builder =
            Some(Box::new(ExplanationBuilder::new(&self.registry, &plan, (found, measure), limit, &unknown)));
        Ok(())
    }

    /// Settles everything before `to`, if that is later than all records so far.
    fn reach(&mut self, to: Timestamp) {
        let Some(builder) = &mut self.builder else { return };
        if to <= builder.now {
            return;
        }
        if let Some((measure, recorder)) = self.day.look(builder.measure, to) {
            builder.settle(measure, std::mem::take(&mut recorder.ended), to);
        }
    }

    /// The own orders that a record names, as they are before it.
    fn orders_before(&self, record: &RawRecord<'_>) -> [Option<OwnOrder>; 2] {
        let nothing = [None, None];
        let Ok(MarketEvent::Order { issue, action }) = &record.event else { return nothing };
        if self.issue != Some(*issue) {
            return nothing;
        }
        let named = match *action {
            OrderAction::Add { .. } => return nothing,
            OrderAction::Replace { order, .. } | OrderAction::Reduce { order, .. } | OrderAction::Cancel { order } => {
                [Some(order), None]
            }
            OrderAction::Trade { orders, .. } => orders,
        };
        let Some(book) = self.day.engine().and_then(|engine| engine.book(*issue)) else { return nothing };
        named.map(|id| self.own_order(book, id?))
    }

    /// The live orders of the issue among those that a record names, whoever's.
    fn live(&self, record: &RawRecord<'_>) -> [Option<Order>; 2] {
        let Ok(MarketEvent::Order { issue, action }) = &record.event else { return [None; 2] };
        let named = match *action {
            _ if self.issue != Some(*issue) => return [None; 2],
            OrderAction::Replace { order, order_new, .. } if order != order_new => [Some(order), Some(order_new)],
            OrderAction::Add { order, .. }
            | OrderAction::Replace { order, .. }
            | OrderAction::Reduce { order, .. }
            | OrderAction::Cancel { order } => [Some(order), None],
            OrderAction::Trade { orders, .. } => orders,
        };
        let book = self.day.engine().and_then(|engine| engine.book(*issue));
        named.map(|id| book?.order(id?))
    }

    /// Follows what a record has done to the market's quotes of the issue.
    fn follow_market(
        &mut self,
        record: &RawRecord<'_>,
        last: Option<Timestamp>,
        live_before: [Option<Order>; 2],
        bad: Option<&BadRecord>,
    ) {
        let live_after = self.live(record);
        let concerned = self.concerns(record);
        let Some(builder) = &mut self.builder else { return };
        if let Ok(MarketEvent::Clear { .. }) = record.event {
            // After a gap a record is applied if it can be: a clear, if its time is good.
            let in_time = record.ts_event.is_some_and(|time| last <= Some(time) && builder.day().contains(time));
            let gap = bad.is_some_and(|bad| matches!(bad.fault, Fault::SequenceGap { .. }));
            if concerned && (bad.is_none() || gap && in_time) {
                builder.market.clear();
                // The issue sees what happens to the market when it is next looked at: from here on its book has to be right.
                let _ = self.day.look(builder.measure, builder.now);
            }
            return;
        }
        live_before.iter().flatten().for_each(|order| builder.market.take(order));
        live_after.iter().flatten().for_each(|order| builder.market.add(order));
    }

    fn own_order(&self, book: &Book, id: OrderId) -> Option<OwnOrder> {
        let order = book.order(id)?;
        self.own(id, &order)
    }

    /// The order, if it came through an own server.
    fn own(&self, id: OrderId, order: &Order) -> Option<OwnOrder> {
        let server = self.servers.get(order.server?.index())?;
        self.own_servers.contains(&**server).then(|| OwnOrder {
            id,
            server: Arc::clone(server),
            side: order.side,
            price: order.price,
            quantity: order.quantity,
            quotes: order.quote_price().is_some(),
        })
    }

    /// Whether a record says anything of the issue; one that names none may.
    fn concerns(&self, record: &RawRecord<'_>) -> bool {
        let also = || record.also.is_some_and(|code| code.as_str() == self.question.issue);
        match record.scope {
            None | Some(Scope::Market) => true,
            Some(Scope::Issue(issue)) => self.issue == Some(issue) || also(),
        }
    }

    /// Takes note of a record that has been applied, or set aside with `bad`; `last` is the time of the one before.
    fn note(
        &mut self,
        record: &RawRecord<'_>,
        last: Option<Timestamp>,
        before: [Option<OwnOrder>; 2],
        bad: Option<BadRecord>,
    ) {
        let gap = bad.as_ref().is_some_and(|bad| matches!(bad.fault, Fault::SequenceGap { .. }));
        let what = match &record.event {
            Ok(event) if self.concerns(record) && (gap || bad.is_none()) => self.what(event, before),
            _ => None,
        };
        let concerned = self.concerns(record);
        let Some(builder) = &mut self.builder else { return };
        let sequence = match record.sequence {
            Sequence::Given(number) => Some(number),
            Sequence::Absent | Sequence::Unreadable => None,
        };
        let event = |what| Event { place: record.place, sequence, at: builder.now, what };
        if let Some(bad) = bad.filter(|_| gap || concerned) {
            let bad = event(What::Bad { fault: bad.fault.to_string() });
            // As the day has it: since the last record, where its own time does not tell.
            let own = record.ts_event.filter(|&time| !gap && builder.day().contains(time));
            builder.doubt(&bad, own.or(last).unwrap_or(builder.now));
            builder.note(bad);
        }
        if concerned {
            builder.mark_stale();
        }
        if let Some(what) = what {
            if matches!(what, What::Clear { .. }) {
                builder.clear();
            }
            let event = Event { place: record.place, sequence, at: builder.now, what };
            builder.note(event);
        }
    }

    /// What an event that concerns the issue did to the market maker, if anything.
    fn what(&self, event: &MarketEvent, before: [Option<OwnOrder>; 2]) -> Option<What> {
        let action = match *event {
            MarketEvent::Phase { scope, phase } => return Some(What::Phase { market: scope == Scope::Market, phase }),
            MarketEvent::Clear { scope } => return Some(What::Clear { market: scope == Scope::Market }),
            MarketEvent::Order { ref action, .. } => action,
        };
        if let OrderAction::Add { order, server, side, price, quantity, condition } = *action {
            let entered = Order { server, side, price, quantity, condition };
            return Some(What::Add { order: self.own(order, &entered)? });
        }
        let [first, second] = before;
        if let OrderAction::Trade { price, quantity, .. } = *action {
            let orders: Vec<OwnOrder> = first.into_iter().chain(second).collect();
            return (!orders.is_empty()).then_some(What::Trade { price, quantity, orders });
        }
        let order = first?;
        Some(match *action {
            OrderAction::Replace { order_new, price, quantity, .. } => What::Replace {
                id: order_new,
                price: price.or(order.price),
                quantity: quantity.unwrap_or(order.quantity),
                order,
            },
            OrderAction::Reduce { quantity, .. } => What::Reduce { order, quantity },
            _ => What::Cancel { order },
        })
    }
}

/// Time of the issue that an earlier run has found to be unknown.
fn unknown_spans(windows: &[UnknownWindow], issue: &IssueCode, day: Span) -> Vec<Span> {
    let concerned = windows.iter().filter(|window| window.issue.as_ref().is_none_or(|code| code == issue));
    merge_spans(concerned.filter_map(|window| window.span.clip(day)).collect())
}

impl Receiver for Explainer {
    fn issue(&mut self, index: IssueIndex, code: &IssueCode) {
        if self.issue.is_none() && code.as_str() == self.question.issue {
            self.issue = Some(index);
        }
        self.day.issue(index, code);
    }

    fn server(&mut self, index: ServerIndex, name: &str) {
        self.servers.push(name.into());
        self.day.server(index, name);
    }

    fn record(&mut self, record: &RawRecord<'_>) -> Result<(), Stop> {
        let last = self.builder.as_ref().map(|builder| builder.now);
        if let Some(time) = record.ts_event {
            if self.builder.is_none() {
                self.day.open_at(time)?;
            }
            self.open()?;
            // A record of another date, be it of the very end of this one, takes no time along.
            if self.day.engine().is_some_and(|engine| engine.plan().day.contains(time)) {
                self.reach(time);
            }
        }
        let before = self.orders_before(record);
        let live_before = self.live(record);
        let reject_count = self.day.reject_count();
        self.day.record(record)?;
        let is_bad = reject_count < self.day.reject_count();
        let bad = if is_bad { self.day.rejects_mut().0.take() } else { None };
        self.follow_market(record, last, live_before, bad.as_ref());
        self.note(record, last, before, bad);
        Ok(())
    }

    fn rest(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        self.day.rest(bytes)
    }
}

impl DayRun for Explainer {
    type Output = Result<Explanation, QuestionError>;

    fn broken(&mut self, place: Place, problem: &str, whole: bool, unfinished: &[u8]) -> Result<(), Stop> {
        self.day.broken(place, problem, whole, unfinished)?;
        if let Some(builder) = &mut self.builder {
            let what = What::Bad { fault: problem.to_owned() };
            let event = Event { place, sequence: None, at: builder.now, what };
            let from = if whole { Timestamp::MIN } else { builder.now };
            builder.doubt(&event, from);
            builder.note(event);
            builder.mark_stale();
        }
        Ok(())
    }

    fn end_of_input(&mut self, stated: Option<jiff::civil::Date>) -> Result<(), Stop> {
        self.day.end_of_input(stated)?;
        self.open()
    }

    fn finish(mut self) -> Result<(Finished, Self::Output), DayError> {
        if let Some(end) = self.day.engine().map(|engine| engine.plan().day.end) {
            self.reach(end);
        }
        let (finished, recorder, _) = self.day.finish()?;
        let answer = match (self.problem, self.builder) {
            (Some(problem), _) => Err(problem),
            (None, Some(builder)) => Ok(builder.finish(&self.registry, recorder.ended, finished.reject_count)),
            (None, None) => unreachable!("a finished day has been opened, and so looked into"),
        };
        Ok((finished, answer))
    }
}

/// Keeps the intervals of one obligation until they are written down.
#[derive(Debug, Default)]
struct Recorder {
    watched: Option<ObligationIndex>,
    ended: Vec<Interval>,
}

impl Recorder {
    /// Watches an obligation from its first interval on.
    fn watch(&mut self, obligation: ObligationIndex) {
        self.watched = Some(obligation);
    }
}

impl IntervalSink for Recorder {
    #[inline]
    fn interval(&mut self, obligation: ObligationIndex, interval: Interval) {
        if self.watched == Some(obligation) {
            self.ended.push(interval);
        }
    }
}

impl DaySink for Recorder {
    fn open(&mut self, _: &Arc<DayPlan>) {}
}

/// Keeps the last bad record.
#[derive(Debug, Default)]
struct LastBad(Option<BadRecord>);

impl RejectSink for LastBad {
    fn reject(&mut self, bad: &BadRecord, _: &[u8]) {
        self.0 = Some(bad.clone());
    }

    fn rest(&mut self, _: &[u8]) {}
}
