//! All issues of one day, measured from good events.

use crate::coverage::Coverage;
use crate::executor::{Executor, run_chunks, run_chunks_into};
use crate::group::{Context, Events, Group, GroupFault, Intervals, OrderCounts, apply_group, fetch_ahead};
use crate::issue_slot::IssueSlot;
use crate::market::{MarketChange, MarketLog};
use crate::retroactive::UnknownTime;
use crate::state::Saving;
use foldhash::quality::RandomState;
use hashbrown::{HashMap, HashSet};
use quoteclock_book::{Book, BookError};
use quoteclock_model::{
    DayTurnover, Interval, IssueCode, IssueIndex, MarketEvent, MarketTurnover, Phase, Record, Scope, ServerIndex,
    Shard, Timestamp, Turnover,
};
use quoteclock_obligation::{IntervalSink, IssueMeasure, ObligationIndex, PlanServers, SignUpAt};
use quoteclock_rules::{DayPlan, Registry};
use std::sync::Arc;

/// The measure of a day. Issues of the plan are measured from its start, whether or not an event ever names them.
#[derive(Debug)]
pub struct Engine {
    plan: Arc<DayPlan>,
    pub(crate) now: Timestamp,
    /// The latest time that an issue has been taken on to by looking at it.
    pub(crate) looked: Timestamp,
    pub(crate) slots: Vec<IssueSlot>,
    /// Slots of the plan's issues, by code.
    pub(crate) planned: HashMap<IssueCode, u32, RandomState>,
    /// For each issue of the input, its slot; none before it is first named or used.
    pub(crate) slot_of_issue: Vec<Option<u32>>,
    /// For each server of the input, its position in the plan, if it is there.
    pub(crate) plan_server_of: Vec<Option<u32>>,
    /// For each server of the input, how many orders it has added.
    pub(crate) orders: OrderCounts,
    pub(crate) market: MarketLog,
    /// What the tasks of an executor found, until the sink has it.
    buffers: Vec<Intervals>,
    /// A save that has begun.
    pub(crate) saving: Option<Box<Saving>>,
    /// Where only a part of the issues is measured: which.
    part: Option<ShardPart>,
}

/// What a part of a day's measure has to know of the whole.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShardPart {
    /// The issues that it measures; the plan has no sign-ups of others.
    pub(crate) shard: Shard,
    /// Whether the whole plan has any sign-up.
    pub(crate) is_anything_planned: bool,
    /// Whether the events of other issues are passed over, and not looked at. What does not fit their books is then for whoever
    /// measures them to find.
    pub(crate) passes_over: bool,
}

/// The position of the measure of one issue of the plan.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MeasureIndex(usize);

impl Engine {
    /// A day of `plan`, at its start, made ready by `executor`. Time inside `unknown` counts as unknown.
    ///
    /// # Panics
    /// If the plan has more than four billion obligations.
    pub fn new(plan: Arc<DayPlan>, unknown: &UnknownTime, executor: &dyn Executor) -> Engine {
        let mut engine = Engine::without_issues(Arc::clone(&plan));
        let mut of_issues: Vec<_> = issues_of(&plan).into_iter().map(|issue| (issue, None)).collect();
        run_chunks(executor, &mut of_issues, |of_issues| {
            for ((code, sign_ups), slot) in of_issues {
                let measure = IssueMeasure::new(&plan, sign_ups, unknown.of(code));
                *slot = Some(IssueSlot {
                    measure,
                    code: Some((*code).clone()),
                    bound: false,
                    has_events: false,
                    is_elsewhere: false,
                    seen: 0,
                });
            }
        });
        engine.slots.reserve_exact(of_issues.len());
        for (number, ((code, _), slot)) in (0..).zip(of_issues) {
            engine.planned.insert(code.clone(), number);
            engine.slots.push(slot.expect("all parts have been done"));
        }
        engine
    }

    /// A day of `plan` that has no issues yet.
    pub(crate) fn without_issues(plan: Arc<DayPlan>) -> Engine {
        Engine {
            now: plan.day.start,
            looked: plan.day.start,
            plan,
            slots: Vec::new(),
            planned: HashMap::default(),
            slot_of_issue: Vec::new(),
            plan_server_of: Vec::new(),
            orders: OrderCounts::default(),
            market: MarketLog::default(),
            buffers: Vec::new(),
            saving: None,
            part: None,
        }
    }

    /// Makes it the measure of a part of the issues.
    pub(crate) fn measure_part(&mut self, part: ShardPart) {
        for slot in &mut self.slots {
            slot.is_elsewhere = slot.code.as_ref().is_some_and(|code| !part.shard.holds(code));
        }
        self.part = Some(part);
    }

    /// The plan that is measured.
    pub fn plan(&self) -> &Arc<DayPlan> {
        &self.plan
    }

    /// Sets a plan that requires the same as the one that is measured.
    pub(crate) fn set_plan(&mut self, plan: Arc<DayPlan>) {
        self.plan = plan;
    }

    /// Names an issue of the input. Some feeds refer to an issue by its index before they tell its code; no order can
    /// have been added to it by then.
    ///
    /// # Panics
    /// If the issue has orders already.
    pub fn define_issue(&mut self, index: IssueIndex, code: &IssueCode) {
        let known = self.slot_of_issue.get(index.index()).copied().flatten();
        let planned = self.planned.get(code).copied().filter(|&slot| !self.slots[slot as usize].bound);
        if known.is_some_and(|slot| !self.slots[slot as usize].measure.book().is_empty()) {
            unreachable!("issue {code} has orders before its name");
        }
        for slot in [known, planned].into_iter().flatten() {
            self.save_before_change(slot as usize);
        }
        if let (Some(planned), Some(known)) = (planned, known) {
            let earlier = self.slots[known as usize].measure.market_turnover();
            self.slots[planned as usize].measure.add_market_turnover(earlier);
        }
        match planned {
            Some(slot) => self.bind(index, slot),
            None => {
                let slot = self.slot(index);
                self.slots[slot].code = Some(code.clone());
                self.slots[slot].is_elsewhere = self.part.is_some_and(|part| !part.shard.holds(code));
            }
        }
    }

    /// The slot of an issue; one without sign-ups if it has not been named.
    #[inline]
    fn slot(&mut self, index: IssueIndex) -> usize {
        match self.slot_of_issue.get(index.index()) {
            Some(&Some(slot)) => slot as usize,
            _ => self.add_slot(index),
        }
    }

    #[cold]
    fn add_slot(&mut self, index: IssueIndex) -> usize {
        let mut measure = IssueMeasure::new(&self.plan, &[], [&Arc::default(); 2]);
        // It has no sign-ups, so that nothing is ever told of it.
        measure.advance(self.now, &mut Nothing);
        self.slots.push(IssueSlot {
            measure,
            code: None,
            bound: false,
            has_events: false,
            is_elsewhere: false,
            seen: 0,
        });
        self.bind(index, index_of_last(&self.slots));
        self.slots.len() - 1
    }

    fn bind(&mut self, index: IssueIndex, slot: u32) {
        if self.slot_of_issue.len() <= index.index() {
            self.slot_of_issue.resize(index.index() + 1, None);
        }
        self.slot_of_issue[index.index()] = Some(slot);
        self.slots[slot as usize].bound = true;
    }

    /// Names the next server of the input.
    ///
    /// # Panics
    /// If servers are not named in order of their index.
    pub fn define_server(&mut self, index: ServerIndex, name: &str) {
        assert_eq!(index.index(), self.plan_server_of.len(), "servers are named in order");
        let position = self.plan.servers.binary_search_by(|server| server.name.as_str().cmp(name));
        self.orders.0.push(0);
        self.plan_server_of.push(position.ok().and_then(|position| u32::try_from(position).ok()));
    }

    /// Applies a record, and tells `sink` the intervals that have ended before it.
    ///
    /// # Errors
    /// [`BookError`] if the event does not fit its issue's book; then no book has changed.
    ///
    /// # Panics
    /// If time goes back, or a server has not been named.
    #[inline]
    pub fn apply(&mut self, record: &Record, sink: &mut impl IntervalSink) -> Result<(), BookError> {
        self.go_to(record.ts_event);
        match record.event {
            MarketEvent::Order { issue, ref action } => {
                let slot = self.slot(issue);
                if self.saving.is_some() {
                    self.save_before_change(slot);
                }
                let slot = &mut self.slots[slot];
                self.market.catch_up(slot, sink);
                slot.measure.advance(record.ts_event, sink);
                slot.has_events = true;
                slot.measure.apply(action, PlanServers::new(&self.plan_server_of))?;
                if !slot.is_elsewhere {
                    self.orders.note(action);
                }
                Ok(())
            }
            MarketEvent::Phase { scope: Scope::Issue(issue), phase } => {
                self.caught_up(issue, sink).set_phase(phase);
                Ok(())
            }
            MarketEvent::Clear { scope: Scope::Issue(issue) } => {
                self.caught_up(issue, sink).clear();
                Ok(())
            }
            MarketEvent::Phase { scope: Scope::Market, phase } => {
                self.change_market(self.now, MarketChange::Phase(phase), sink);
                Ok(())
            }
            MarketEvent::Clear { scope: Scope::Market } => {
                self.change_market(self.now, MarketChange::Clear, sink);
                Ok(())
            }
        }
    }

    /// Applies events of several issues, those of each in their order, whose times count from `base`; no issue stands twice
    /// among the `groups`. Says which is the first of them that does not fit.
    pub(crate) fn apply_groups<'g>(
        &mut self,
        base: Timestamp,
        groups: &'g [(IssueIndex, impl Events + 'g)],
        executor: &dyn Executor,
        sink: &mut impl IntervalSink,
    ) -> Option<GroupFault> {
        if self.part.is_none_or(|part| !part.passes_over) {
            return self.apply_all_groups(base, groups, executor, sink);
        }
        let own = groups.iter().filter(|(issue, _)| !self.is_elsewhere(*issue));
        let own: Vec<(IssueIndex, &dyn Events)> = own.map(|(issue, events)| (*issue, events as &dyn Events)).collect();
        self.apply_all_groups(base, &own, executor, sink)
    }

    /// Whether an issue of the input is measured elsewhere; it is not while its code is not known.
    fn is_elsewhere(&self, issue: IssueIndex) -> bool {
        let slot = self.slot_of_issue.get(issue.index()).copied().flatten();
        slot.is_some_and(|slot| self.slots[slot as usize].is_elsewhere)
    }

    fn apply_all_groups<'g>(
        &mut self,
        base: Timestamp,
        groups: &'g [(IssueIndex, impl Events + 'g)],
        executor: &dyn Executor,
        sink: &mut impl IntervalSink,
    ) -> Option<GroupFault> {
        let slots_of: Vec<usize> = groups.iter().map(|(issue, _)| self.slot(*issue)).collect();
        if self.saving.is_some() {
            slots_of.iter().for_each(|&slot| self.save_before_change(slot));
        }
        let Engine { slots, plan_server_of, market, buffers, orders, .. } = self;
        let servers = PlanServers::new(plan_server_of);
        let context = |issue: IssueIndex| Context { issue, market, servers, base };
        if executor.size() == 1 {
            let mut first = None;
            for (position, (issue, events)) in groups.iter().enumerate() {
                fetch_ahead(position, |ahead| {
                    let (_, events) = groups.get(ahead)?;
                    Some((&slots[slots_of[ahead]], events as &dyn Events))
                });
                first =
                    earlier(first, apply_group(&mut slots[slots_of[position]], context(*issue), events, orders, sink));
            }
            return first;
        }
        let mut group_of: Vec<Option<usize>> = vec![None; slots.len()];
        for (position, &slot) in slots_of.iter().enumerate() {
            assert!(group_of[slot].replace(position).is_none(), "an issue stands twice among the groups");
        }
        let of_slots = slots.iter_mut().zip(group_of);
        let mut jobs: Vec<Group<'_>> = of_slots
            .filter_map(|(slot, position)| {
                let (issue, events) = &groups[position?];
                Some(Group { slot, context: context(*issue), events, fault: None })
            })
            .collect();
        run_chunks_into(executor, &mut jobs, buffers, Group::apply_all);
        buffers.iter_mut().for_each(|buffer| buffer.flush(orders, sink));
        jobs.into_iter().fold(None, |first, group| earlier(first, group.fault))
    }

    /// Takes note that groups up to `at` have been applied.
    pub(crate) fn groups_end(&mut self, at: Timestamp) {
        self.go_to(at);
    }

    /// The time before which everything may have been told.
    pub fn reached(&self) -> Timestamp {
        self.now.max(self.looked)
    }

    /// From `at` on the time of an issue, or of every issue, is unknown until its next clear.
    ///
    /// # Panics
    /// If `at` is before what has been [reached](Engine::reached).
    pub fn doubt(&mut self, at: Timestamp, issue: Option<&IssueCode>, sink: &mut impl IntervalSink) {
        assert!(self.looked <= at, "{at:?} has been looked at");
        self.go_to(at);
        let Some(issue) = issue else {
            return self.change_market(at, MarketChange::Doubt, sink);
        };
        // Of others no time is told.
        if let Some(&slot) = self.planned.get(issue) {
            self.save_before_change(slot as usize);
            let slot = &mut self.slots[slot as usize];
            self.market.catch_up(slot, sink);
            slot.measure.advance(at, sink);
            slot.measure.doubt();
        }
    }

    /// The market's book of an issue, as of its last own event; `None` if no event has named it.
    pub fn book(&self, issue: IssueIndex) -> Option<&Book> {
        let slot = self.slot_of_issue.get(issue.index()).copied().flatten()?;
        Some(self.slots[slot as usize].measure.book())
    }

    /// Where `obligation` is measured; `None` if the plan has no such obligation.
    pub fn measure_of(&self, obligation: ObligationIndex) -> Option<MeasureIndex> {
        let position = self.slots.iter().position(|slot| slot.measure.own_quotes(obligation).is_some());
        position.map(MeasureIndex)
    }

    /// Takes one issue on to `to` (to the time of the last event if that is later) and shows it: as it stands after
    /// every event so far. Looking changes no result: the issue would get there with its next event.
    ///
    /// # Panics
    /// If a later event is earlier than `to`.
    pub fn look(&mut self, at: MeasureIndex, to: Timestamp, sink: &mut impl IntervalSink) -> &IssueMeasure {
        self.save_before_change(at.0);
        let slot = &mut self.slots[at.0];
        self.looked = self.looked.max(to);
        self.market.catch_up(slot, sink);
        slot.measure.advance(to.max(self.now), sink);
        &slot.measure
    }

    /// Takes every measured issue on to the time of the last event, and tells `running` the intervals that have begun and
    /// not ended by then. Looking changes no result.
    pub fn so_far(&mut self, sink: &mut impl IntervalSink, running: &mut impl IntervalSink) {
        self.save_all_before_change();
        for slot in self.slots.iter_mut().filter(|slot| slot.measure.has_sign_ups()) {
            self.market.catch_up(slot, sink);
            slot.measure.advance(self.now, sink);
            slot.measure.tell_running(running);
        }
    }

    /// Ends the day, tells `sink` the intervals that end with it, and returns what was traded; `executor` may do a part of it.
    pub fn finish(self, executor: &dyn Executor, sink: &mut impl IntervalSink) -> DayTurnover {
        let turnover = self.turnover();
        let Engine { plan, mut slots, market, mut buffers, mut orders, .. } = self;
        run_chunks_into(executor, &mut slots, &mut buffers, |slots, buffer| {
            buffer.reserve(slots.iter().map(|slot| slot.measure.obligation_count()).sum());
            for slot in slots {
                market.catch_up(slot, buffer);
                slot.measure.finish(plan.day.end, buffer);
            }
        });
        buffers.iter_mut().for_each(|buffer| buffer.flush(&mut orders, sink));
        turnover
    }

    /// What was traded and sent so far.
    pub fn turnover(&self) -> DayTurnover {
        let mut turnover = DayTurnover::default();
        turnover.sign_ups.resize(self.plan.sign_ups.len(), Turnover::default());
        for slot in self.slots.iter().filter(|slot| !slot.is_elsewhere) {
            let Some(code) = &slot.code else { continue };
            let (market, sign_ups) = (slot.measure.market_turnover(), slot.measure.sign_up_turnovers());
            if sign_ups.len() != 0 || market != MarketTurnover::default() {
                *turnover.issues.entry(code.clone()).or_default() += market;
            }
            for (position, of_sign_up) in sign_ups {
                turnover.sign_ups[position] = of_sign_up;
            }
        }
        turnover
    }

    /// What the input so far does not support, in order of kind and name; `servers` are the names of its servers, and
    /// `registry` tells which of them, and of its issues, are known. Whether it ends early is not looked at.
    pub fn coverage(&self, servers: &[Box<str>], registry: &Registry) -> Vec<Coverage> {
        let mut coverage = Vec::new();
        let is_anything_planned = self.part.map_or(!self.plan.sign_ups.is_empty(), |part| part.is_anything_planned);
        if !is_anything_planned || (self.market.phase().is_none() && !self.has_events()) {
            coverage.push(Coverage::NothingToMeasure);
        }
        let told = self.slots.iter().any(|slot| slot.measure.has_told_phase());
        if self.market.phase().is_none() && !told {
            coverage.push(Coverage::NoPhase);
        }
        let known: HashSet<&str, RandomState> =
            registry.servers().iter().map(|server| server.server.as_str()).collect();
        let mut heard: HashSet<&str, RandomState> = HashSet::default();
        for (server, &orders) in servers.iter().zip(&self.orders.0) {
            if 0 < orders {
                heard.insert(server);
                if !known.contains(&**server) {
                    coverage.push(Coverage::UnknownServer { server: server.to_string(), orders });
                }
            }
        }
        let silent = self.plan.servers.iter().filter(|server| !heard.contains(server.name.as_str()));
        coverage.extend(silent.map(|server| Coverage::SilentServer { server: server.name.clone() }));
        let known: HashSet<&IssueCode, RandomState> = registry.issues().iter().map(|issue| &issue.code).collect();
        for slot in &self.slots {
            match &slot.code {
                Some(issue) if slot.measure.has_sign_ups() && !slot.has_events => {
                    coverage.push(Coverage::SilentIssue { issue: issue.clone() });
                }
                // Whoever has sign-ups is known.
                Some(issue) if slot.has_events && !slot.measure.has_sign_ups() && !known.contains(issue) => {
                    coverage.push(Coverage::UnknownIssue { issue: issue.clone() });
                }
                _ => {}
            }
        }
        coverage.sort();
        coverage
    }

    /// Which of the input's `servers` have added an order so far, sorted.
    pub(crate) fn servers_heard(&self, servers: &[Box<str>]) -> Vec<String> {
        let heard = servers.iter().zip(&self.orders.0).filter(|(_, orders)| 0 < **orders);
        let mut heard: Vec<String> = heard.map(|(server, _)| server.to_string()).collect();
        heard.sort_unstable();
        heard
    }

    /// What the input told of the market's phase last.
    pub(crate) fn last_market_phase(&self) -> Option<Phase> {
        self.market.phase()
    }

    fn has_events(&self) -> bool {
        self.slots.iter().any(|slot| slot.has_events)
    }

    /// Changes something for every issue.
    fn change_market(&mut self, at: Timestamp, change: MarketChange, sink: &mut impl IntervalSink) {
        if self.market.is_full() {
            self.save_all_before_change();
        }
        self.market.push(at, change, &mut self.slots, sink);
    }

    #[inline]
    fn go_to(&mut self, at: Timestamp) {
        assert!(self.now <= at && at < self.plan.day.end, "{at:?} is outside what is left of the day");
        self.now = at;
    }

    /// The measure of `issue`, caught up with the market and the time.
    fn caught_up(&mut self, issue: IssueIndex, sink: &mut impl IntervalSink) -> &mut IssueMeasure {
        let slot = self.slot(issue);
        self.save_before_change(slot);
        let slot = &mut self.slots[slot];
        self.market.catch_up(slot, sink);
        slot.measure.advance(self.now, sink);
        slot.has_events = true;
        &mut slot.measure
    }
}

/// The issues of a plan, each once with its sign-ups, in the order of their first.
pub(crate) fn issues_of(plan: &DayPlan) -> Vec<(&IssueCode, Vec<SignUpAt>)> {
    let mut numbers: HashMap<&IssueCode, u32, RandomState> = HashMap::default();
    let mut issues: Vec<(&IssueCode, Vec<SignUpAt>)> = Vec::new();
    let mut first = 0;
    for (position, sign_up) in plan.sign_ups.iter().enumerate() {
        let number = *numbers.entry(&sign_up.issue).or_insert_with(|| {
            issues.push((&sign_up.issue, Vec::new()));
            index_of_last(&issues)
        });
        issues[number as usize].1.push(SignUpAt { position, first_obligation: ObligationIndex(first) });
        first += u32::try_from(sign_up.obligations.len()).expect("fewer obligations than 32 bits count");
    }
    issues
}

fn index_of_last<T>(issues: &[T]) -> u32 {
    u32::try_from(issues.len() - 1).expect("fewer issues than 32 bits count")
}

/// Of two faults the one that comes first in the input: issues are independent of each other, so every event before it is
/// good.
fn earlier(first: Option<GroupFault>, second: Option<GroupFault>) -> Option<GroupFault> {
    first.into_iter().chain(second).min_by_key(|fault| fault.ordinal)
}

/// The sink of an issue without sign-ups.
struct Nothing;

impl IntervalSink for Nothing {
    fn interval(&mut self, obligation: ObligationIndex, _: Interval) {
        unreachable!("{obligation:?} of an issue without sign-ups");
    }
}
