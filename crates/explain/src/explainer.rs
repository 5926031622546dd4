//! Stands around a day: every record passes through to the measuring path, seen before and after it is applied.
//!
//! What concerns no issue that is watched is only judged for its place in order, in a strict run, and a watched issue is
//! taken on when something concerns it: so a question costs what its issues cost.

use crate::builder::{Around, Ended, ExplanationBuilder, Retained};
use crate::event::{Event, OwnOrder, What};
use crate::market::Market;
use crate::question::QuestionError;
use crate::subject::{Found, find};
use crate::uncounted::{ServerStanding, Uncounted, Uncounting};
use crate::{Explanation, Question};
use quoteclock_book::{Book, Order};
use quoteclock_engine::{
    BadRecord, Day, DayError, DayOptions, DayRun, Fault, Finished, InputRun, MeasureIndex, RejectSink, UnknownWindow,
};
use quoteclock_feed::{CompactRun, Malformed, Place, RawRecord, Receiver, Sequence, Stop};
use quoteclock_model::{
    Interval, IssueCode, IssueIndex, MarketEvent, OrderAction, OrderId, Scope, ServerIndex, Span, Timestamp,
    merge_spans,
};
use quoteclock_obligation::{DaySink, IntervalSink, ObligationIndex};
use quoteclock_rules::{DayPlan, Registry};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A day, measured as always, and watched for the obligations of one market maker that a question names.
pub struct Explainer {
    registry: Registry,
    question: Question,
    windows: Vec<UnknownWindow>,
    is_lenient: bool,
    day: Day<Recorder, LastBad>,
    /// The issues of the input that have been named.
    codes: Vec<Option<IssueCode>>,
    /// Of each of them, the position among those watched; `None` for one that is not.
    position_of: Vec<Option<usize>>,
    servers: Vec<Arc<str>>,
    /// The names of the inputs after the first.
    also: Vec<Arc<str>>,
    /// The input that records come from.
    source: usize,
    /// Whether of the outages the latest are kept, rather than the longest.
    keeps_latest: bool,
    /// The issues watched; none before the day is open.
    watched: Vec<Watched>,
    is_open: bool,
    problem: Option<QuestionError>,
}

/// One issue of the market maker.
struct Watched {
    code: IssueCode,
    /// Where it is measured.
    measure: MeasureIndex,
    /// Where it stands in the input, once that has named it.
    index: Option<IssueIndex>,
    /// As after the last event.
    market: Market,
    uncounted: Uncounting,
    /// How the orders of each server of the input stand to the sign-up.
    standings: Vec<Option<ServerStanding>>,
    /// One for each obligation, at least one; all at the same time.
    builders: Vec<ExplanationBuilder>,
}

impl Watched {
    /// The time up to which everything is settled.
    fn now(&self) -> Timestamp {
        self.builders[0].now
    }

    /// The order, if it came through a server of the market maker and may count.
    fn own(&self, servers: &[Arc<str>], id: OrderId, order: &Order) -> Option<OwnOrder> {
        let server = order.server?.index();
        let standing = self.standings.get(server)?.as_ref()?;
        matches!(standing, ServerStanding::Counts).then(|| OwnOrder::new(id, order, Arc::clone(&servers[server])))
    }

    /// An order has become live, or `is_live` no longer.
    fn follow(&mut self, servers: &[Arc<str>], id: OrderId, order: &Order, is_live: bool) {
        if is_live {
            self.market.add(order)
        } else {
            self.market.take(order)
        }
        let standing = order.server.and_then(|server| self.standings.get(server.index())?.as_ref());
        let (Some(standing), Some(server)) = (standing, order.server) else { return };
        let Some(why) = standing.why_uncounted(order) else { return };
        match is_live {
            true => self
                .uncounted
                .add(Uncounted { order: OwnOrder::new(id, order, Arc::clone(&servers[server.index()])), why }),
            false => self.uncounted.take(id),
        }
    }
}

impl Explainer {
    /// A day measured under `registry`, watched for what `question` asks.
    ///
    /// # Errors
    /// [`DayError::Plan`] if a date is given that cannot be measured.
    pub fn new(registry: &Registry, options: DayOptions, question: Question) -> Result<Explainer, DayError> {
        let (windows, is_lenient) = (options.unknown.clone(), options.lenient);
        let day = Day::new(registry, options, Recorder::default(), LastBad::default())?;
        let mut explainer = Explainer {
            registry: registry.clone(),
            question,
            windows,
            is_lenient,
            day,
            codes: Vec::new(),
            position_of: Vec::new(),
            servers: Vec::new(),
            also: Vec::new(),
            source: 0,
            keeps_latest: false,
            watched: Vec::new(),
            is_open: false,
            problem: None,
        };
        // A question without an answer ends the run with its first record.
        let _ = explainer.open();
        Ok(explainer)
    }

    /// The same of a day with further inputs, by their names.
    #[must_use]
    pub fn with_also(mut self, names: impl IntoIterator<Item = String>) -> Explainer {
        self.also.extend(names.into_iter().map(Arc::from));
        self
    }

    /// The same, but of the outages the latest are kept, in order of time, as many as the question asks for.
    #[must_use]
    pub fn with_latest_outages(mut self) -> Explainer {
        self.keeps_latest = true;
        self.watched.iter_mut().flat_map(|watched| &mut watched.builders).for_each(ExplanationBuilder::keep_latest);
        self
    }

    /// The name of the input that records come from, if it is not the first.
    fn input(&self) -> Option<Arc<str>> {
        self.also.get(self.source.checked_sub(1)?).cloned()
    }

    /// Once the day is open, finds in it what is asked.
    fn open(&mut self) -> Result<(), Stop> {
        if self.problem.is_some() {
            return Err(Stop);
        }
        let (false, Some(engine)) = (self.is_open, self.day.engine()) else { return Ok(()) };
        let plan = Arc::clone(self.day.whole_plan().unwrap_or(engine.plan()));
        let all = find(&self.registry, &plan, &self.question)
            .and_then(|all| {
                let at = all.first().and_then(|found| found.at);
                let beyond = at.zip(self.day.until()).filter(|(at, until)| until <= at);
                beyond.map_or(Ok(all), |(at, until)| Err(QuestionError::beyond(&plan, at, until)))
            })
            .map_err(|problem| {
                self.problem = Some(problem);
                Stop
            })?;
        let measures: Vec<MeasureIndex> = all
            .iter()
            .map(|found| engine.measure_of(found.index).expect("an obligation of the plan is measured"))
            .collect();
        // A picture is of one obligation.
        let is_drawn = all.len() == 1;
        for (found, measure) in all.into_iter().zip(measures) {
            self.watch(&plan, found, measure, is_drawn);
        }
        self.is_open = true;
        for index in 0..self.servers.len() {
            self.stand(index);
        }
        for index in 0..self.codes.len() {
            self.name(index);
        }
        Ok(())
    }

    /// Watches an obligation, too.
    fn watch(&mut self, plan: &Arc<DayPlan>, found: Found, measure: MeasureIndex, is_drawn: bool) {
        let code = &plan.sign_ups[found.sign_up].issue;
        let unknown = unknown_spans(&self.windows, code, plan.day);
        self.day.sink_mut().watch(found.index);
        let retained = Retained { limit: self.question.limit, latest: self.keeps_latest, picture: is_drawn };
        let builder = ExplanationBuilder::new(&self.registry, plan, found, &unknown, retained);
        // Obligations of one sign-up follow each other.
        match self.watched.last_mut().filter(|watched| watched.code == *code) {
            Some(watched) => watched.builders.push(builder),
            None => self.watched.push(Watched {
                code: code.clone(),
                measure,
                index: None,
                market: Market::default(),
                uncounted: Uncounting::default(),
                standings: Vec::new(),
                builders: vec![builder],
            }),
        }
    }

    /// Finds out how the orders of a server stand to the sign-ups.
    fn stand(&mut self, server: usize) {
        for watched in &mut self.watched {
            let subject = watched.builders[0].subject();
            watched.standings.push(ServerStanding::of(
                &self.registry,
                watched.builders[0].plan(),
                subject,
                &self.servers[server],
            ));
        }
    }

    /// Finds out whether an issue of the input is watched. The first that has a code is the one that is measured.
    fn name(&mut self, index: usize) {
        let code = self.codes[index].as_ref();
        let position = self.watched.iter().position(|watched| Some(&watched.code) == code && watched.index.is_none());
        if let Some(position) = position {
            self.watched[position].index = u32::try_from(index).ok().map(IssueIndex);
            self.position_of[index] = Some(position);
        }
    }

    /// Settles everything of an issue before `to`, if that is later than all records so far.
    fn reach(&mut self, position: usize, to: Timestamp) {
        let watched = &mut self.watched[position];
        if to <= watched.now() {
            return;
        }
        let Some((measure, recorder)) = self.day.look(watched.measure, to) else { return };
        let around = Around { measure, market: &watched.market, uncounted: &watched.uncounted };
        for builder in &mut watched.builders {
            let ended = recorder.take(builder.index());
            builder.settle(around, ended, to);
        }
    }

    /// The position of the issue that a record names, and its place in the input.
    fn own_issue(&self, record: &RawRecord<'_>) -> Option<(usize, IssueIndex)> {
        let Ok(MarketEvent::Order { issue, .. }) = record.event else { return None };
        Some(((*self.position_of.get(issue.index())?)?, issue))
    }

    /// The own orders that a record names, as they are before it.
    fn orders_before(&self, record: &RawRecord<'_>) -> [Option<OwnOrder>; 2] {
        let nothing = [None, None];
        let (Some((position, issue)), Ok(MarketEvent::Order { action, .. })) = (self.own_issue(record), &record.event)
        else {
            return nothing;
        };
        let named = match *action {
            OrderAction::Add { .. } => return nothing,
            OrderAction::Replace { order, .. } | OrderAction::Reduce { order, .. } | OrderAction::Cancel { order } => {
                [Some(order), None]
            }
            OrderAction::Trade { orders, .. } => orders,
        };
        let Some(book) = self.book(issue) else { return nothing };
        named.map(|id| self.watched[position].own(&self.servers, id?, &book.order(id?)?))
    }

    fn book(&self, issue: IssueIndex) -> Option<&Book> {
        self.day.engine()?.book(issue)
    }

    /// The live orders of a watched issue among those that a record names, whoever's.
    fn live(&self, record: &RawRecord<'_>) -> [Option<(OrderId, Order)>; 2] {
        let (Some((_, issue)), Ok(MarketEvent::Order { action, .. })) = (self.own_issue(record), &record.event) else {
            return [None; 2];
        };
        let named = match *action {
            OrderAction::Replace { order, order_new, .. } if order != order_new => [Some(order), Some(order_new)],
            OrderAction::Add { order, .. }
            | OrderAction::Replace { order, .. }
            | OrderAction::Reduce { order, .. }
            | OrderAction::Cancel { order } => [Some(order), None],
            OrderAction::Trade { orders, .. } => orders,
        };
        let book = self.book(issue);
        named.map(|id| Some((id?, book?.order(id?)?)))
    }

    /// Follows what a record has done to the quotes of its issue.
    fn follow_market(
        &mut self,
        record: &RawRecord<'_>,
        last: Option<Timestamp>,
        live_before: [Option<(OrderId, Order)>; 2],
        bad: Option<&BadRecord>,
    ) {
        if let Ok(MarketEvent::Clear { .. }) = record.event {
            // After a gap a record is applied if it can be: a clear, if its time is good.
            let day = self.day.engine().map(|engine| engine.plan().day);
            let in_day = |time| day.is_some_and(|day| day.contains(time));
            let in_time = record.ts_event.is_some_and(|time| last <= Some(time) && in_day(time));
            let gap = bad.is_some_and(|bad| matches!(bad.fault, Fault::SequenceGap { .. }));
            if bad.is_none() || gap && in_time {
                for position in self.concerned(record) {
                    let watched = &mut self.watched[position];
                    watched.market.clear();
                    watched.uncounted.clear();
                    // The issue sees what happens to the market when it is next looked at: from here on its book has to be right.
                    let _ = self.day.look(watched.measure, watched.now());
                }
            }
            return;
        }
        let Some((position, _)) = self.own_issue(record) else { return };
        let live_after = self.live(record);
        let watched = &mut self.watched[position];
        for (orders, is_live) in [(live_before, false), (live_after, true)] {
            orders.iter().flatten().for_each(|(id, order)| watched.follow(&self.servers, *id, order, is_live));
        }
    }

    /// The issues of which a record says anything; one that names none may speak of all.
    fn concerned(&self, record: &RawRecord<'_>) -> Vec<usize> {
        let named = match record.scope {
            None | Some(Scope::Market) => return self.all(),
            Some(Scope::Issue(issue)) => self.position_of.get(issue.index()).copied().flatten(),
        };
        let also = record.also.and_then(|code| self.watched.iter().position(|watched| watched.code == *code));
        named.into_iter().chain(also.filter(|also| Some(*also) != named)).collect()
    }

    fn all(&self) -> Vec<usize> {
        (0..self.watched.len()).collect()
    }

    /// Whether a record is one of an issue that is known not to be watched.
    #[inline]
    fn is_elsewhere(&self, issue: IssueIndex) -> bool {
        self.position_of.get(issue.index()) == Some(&None) && self.codes[issue.index()].is_some()
    }

    /// Takes note that a record has been applied, or set aside with `bad`; `last` is the time of the one before.
    fn note(
        &mut self,
        record: &RawRecord<'_>,
        last: Option<Timestamp>,
        before: [Option<OwnOrder>; 2],
        bad: Option<BadRecord>,
    ) {
        let gap = bad.as_ref().is_some_and(|bad| matches!(bad.fault, Fault::SequenceGap { .. }));
        let concerned = self.concerned(record);
        let what = match &record.event {
            Ok(event) if !concerned.is_empty() && (gap || bad.is_none()) => self.what(record, event, before),
            _ => None,
        };
        let sequence = match record.sequence {
            Sequence::Given(number) => Some(number),
            Sequence::Absent | Sequence::Unreadable => None,
        };
        let input = self.input();
        for (position, watched) in self.watched.iter_mut().enumerate() {
            let is_concerned = concerned.contains(&position);
            if !is_concerned && !gap {
                continue;
            }
            for builder in &mut watched.builders {
                let now = builder.now;
                let event = |what| Event { place: record.place, input: input.clone(), sequence, at: now, what };
                if let Some(bad) = &bad {
                    let bad = event(What::Bad { fault: bad.fault.to_string() });
                    // As the day has it: since the last record, where its own time does not tell.
                    let own = record.ts_event.filter(|&time| !gap && builder.day().contains(time));
                    builder.doubt(&bad, own.or(last).unwrap_or(now));
                    builder.note(bad);
                }
                if is_concerned {
                    builder.mark_stale();
                }
                if let Some(what) = what.clone().filter(|_| is_concerned) {
                    if matches!(what, What::Clear { .. }) {
                        builder.clear();
                    }
                    builder.note(event(what));
                }
            }
        }
    }

    /// What an event that concerns an issue did to the market maker, if anything.
    fn what(&self, record: &RawRecord<'_>, event: &MarketEvent, before: [Option<OwnOrder>; 2]) -> Option<What> {
        let action = match *event {
            MarketEvent::Phase { scope, phase } => return Some(What::Phase { market: scope == Scope::Market, phase }),
            MarketEvent::Clear { scope } => return Some(What::Clear { market: scope == Scope::Market }),
            MarketEvent::Order { ref action, .. } => action,
        };
        if let OrderAction::Add { order, server, side, price, quantity, condition } = *action {
            let entered = Order { server, side, price, quantity, condition };
            let (position, _) = self.own_issue(record)?;
            return Some(What::Add { order: self.watched[position].own(&self.servers, order, &entered)? });
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
        let position = index.index();
        if self.codes.len() <= position {
            self.codes.resize(position + 1, None);
            self.position_of.resize(position + 1, None);
        }
        self.codes[position] = Some(code.clone());
        self.day.issue(index, code);
        self.name(position);
    }

    fn server(&mut self, index: ServerIndex, name: &str) {
        self.servers.push(name.into());
        self.day.server(index, name);
        self.stand(index.index());
    }

    #[inline]
    fn record(&mut self, record: &RawRecord<'_>) -> Result<(), Stop> {
        if !self.is_open {
            if let Some(time) = record.ts_event {
                self.day.open_at(time)?;
                self.open()?;
            }
        } else if let Some(Scope::Issue(issue)) = record.scope
            && self.is_elsewhere(issue)
            && self.day.follows(record)
        {
            if self.is_lenient {
                // It may not fit its book, which concerns that issue alone.
                return self.day.record(record);
            }
            self.day.pass_over(record);
            return Ok(());
        }
        self.look_at(record, Day::record)
    }

    fn takes_compact(&self) -> bool {
        !self.is_lenient
    }

    fn compact(&mut self, run: &CompactRun<'_>) -> Result<usize, Stop> {
        if !self.is_open {
            return Ok(0);
        }
        let count = run.records.iter().take_while(|record| self.is_elsewhere(record.issue)).count();
        Ok(if self.day.pass_over_run(run, count) { count } else { 0 })
    }

    fn again(&mut self, count: u64) -> bool {
        // What it has put in doubt, and that it has, is noted already.
        self.day.again(count)
    }

    fn rest(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        self.day.rest(bytes)
    }
}

impl Explainer {
    /// Takes a record that may concern what is watched, and has the day `take` it.
    fn look_at(&mut self, record: &RawRecord<'_>, take: Take) -> Result<(), Stop> {
        let last = self.day.now();
        if let (Some(last), Some(engine)) = (last, self.day.engine()) {
            // A record of another date, be it of the very end of this one, takes no time along.
            let own = record.ts_event.filter(|&time| engine.plan().day.contains(time));
            let to = own.map_or(last, |time| time.max(last));
            // What is wrong about its place in order may put every issue in doubt.
            let reached = if self.day.follows(record) { self.concerned(record) } else { self.all() };
            reached.into_iter().for_each(|position| self.reach(position, to));
        }
        let before = self.orders_before(record);
        let live_before = self.live(record);
        let reject_count = self.day.reject_count();
        take(&mut self.day, record)?;
        let is_bad = reject_count < self.day.reject_count();
        let bad = if is_bad { self.day.rejects_mut().last.take() } else { None };
        self.follow_market(record, last, live_before, bad.as_ref());
        self.note(record, last, before, bad);
        Ok(())
    }
}

/// How the day takes a record.
type Take = fn(&mut Day<Recorder, LastBad>, &RawRecord<'_>) -> Result<(), Stop>;

impl InputRun for Explainer {
    fn broken(&mut self, place: Place, problem: &str, whole: bool, unfinished: &[u8]) -> Result<(), Stop> {
        if let Some(now) = self.day.now() {
            self.all().into_iter().for_each(|position| self.reach(position, now));
        }
        self.day.broken(place, problem, whole, unfinished)?;
        let input = self.input();
        for builder in self.watched.iter_mut().flat_map(|watched| &mut watched.builders) {
            let what = What::Bad { fault: problem.to_owned() };
            let event = Event { place, input: input.clone(), sequence: None, at: builder.now, what };
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

    fn source(&mut self, index: usize) {
        self.source = index;
        self.day.source(index);
    }

    fn pass(&mut self, record: &RawRecord<'_>) -> Result<(), Stop> {
        if !self.is_open
            && let Some(time) = record.ts_event
        {
            self.day.open_at(time)?;
            self.open()?;
        }
        if self.day.follows(record) {
            return self.day.pass(record);
        }
        // What it says is not taken; what is wrong about its place concerns all.
        let mut passed = record.clone();
        if passed.event.is_ok() {
            passed.event = Err(Malformed::field("record", &[], "a record that is taken"));
        }
        self.look_at(&passed, Day::pass)
    }
}

impl DayRun for Explainer {
    type Output = Result<Vec<Explanation>, QuestionError>;

    fn finish(mut self) -> Result<(Finished, Self::Output), DayError> {
        if let Some(end) = self.day.engine().map(|engine| engine.plan().day.end) {
            self.all().into_iter().for_each(|position| self.reach(position, end));
        }
        let until = self.day.until();
        let (finished, mut recorder, _) = self.day.finish()?;
        let builders = self.watched.into_iter().flat_map(|watched| watched.builders);
        let answer = match self.problem {
            Some(problem) => Err(problem),
            None => Ok(builders
                .map(|builder| {
                    let last = recorder.take(builder.index());
                    builder.finish(&self.registry, last, Ended { until, reject_count: finished.reject_count })
                })
                .collect()),
        };
        Ok((finished, answer))
    }
}

/// Keeps the intervals of the obligations watched until they are written down.
#[derive(Debug, Default)]
struct Recorder {
    ended: BTreeMap<u32, Vec<Interval>>,
}

impl Recorder {
    /// Watches an obligation from its first interval on.
    fn watch(&mut self, obligation: ObligationIndex) {
        self.ended.insert(obligation.0, Vec::new());
    }

    /// The intervals of an obligation that have ended since it was last asked for.
    fn take(&mut self, obligation: ObligationIndex) -> Vec<Interval> {
        self.ended.get_mut(&obligation.0).map(std::mem::take).unwrap_or_default()
    }
}

impl IntervalSink for Recorder {
    #[inline]
    fn interval(&mut self, obligation: ObligationIndex, interval: Interval) {
        if let Some(ended) = self.ended.get_mut(&obligation.0) {
            ended.push(interval);
        }
    }
}

impl DaySink for Recorder {
    fn open(&mut self, _: &Arc<DayPlan>) {}
}

/// So many bad records are noted one by one, however alike they are.
const NOTED_MAX: u64 = 1_000;

/// Keeps the last bad record.
#[derive(Debug, Default)]
struct LastBad {
    last: Option<BadRecord>,
    /// How many there have been.
    count: u64,
}

impl RejectSink for LastBad {
    fn reject(&mut self, bad: &BadRecord, _: &[u8]) {
        self.last = Some(bad.clone());
        self.count += 1;
    }

    fn again(&mut self, count: u64) -> bool {
        let is_enough = NOTED_MAX < self.count;
        self.count += if is_enough { count } else { 0 };
        is_enough
    }

    fn rest(&mut self, _: &[u8]) {}
}
