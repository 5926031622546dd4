//! The measure of a day to its state and back, see [`crate::state`].

use crate::engine::{Engine, issues_of};
use crate::issue_slot::IssueSlot;
use crate::retroactive::UnknownTime;
use crate::state::{EngineState, IssueState, RestoreError, Saving};
use quoteclock_model::{ServerIndex, Timestamp};
use quoteclock_obligation::{IntervalSink, IssueMeasure, ObligationIndex, PlanServers, Running};
use quoteclock_rules::DayPlan;
use std::sync::Arc;

impl IssueSlot {
    fn save(&self, number: usize) -> IssueState {
        IssueState {
            number: u32::try_from(number).expect("fewer issues than 32 bits count"),
            code: self.code.clone(),
            is_bound: self.bound,
            has_events: self.has_events,
            seen: self.seen,
            measure: self.measure.save(),
        }
    }
}

impl Engine {
    /// Saves an issue that is about to change, if a save has begun and has not come to it.
    #[cold]
    pub(crate) fn save_before_change(&mut self, slot: usize) {
        let Engine { saving: Some(saving), slots, .. } = self else { return };
        if let Some(saved) = saving.saved.get_mut(slot).filter(|saved| !**saved) {
            *saved = true;
            saving.early.push(slots[slot].save(slot));
        }
    }

    /// The same of all issues.
    #[cold]
    pub(crate) fn save_all_before_change(&mut self) {
        (0..self.slots.len()).for_each(|slot| self.save_before_change(slot));
    }

    pub(crate) fn begin_save(&mut self, last: Timestamp) -> EngineState {
        self.saving = Some(Box::new(Saving { saved: vec![false; self.slots.len()], early: Vec::new(), next: 0 }));
        let (market_changes, market_forgotten, market_phase, market_clear) = self.market.save();
        EngineState {
            date: self.plan().date,
            last,
            now: self.now,
            looked: self.looked,
            number_of_issue: self.slot_of_issue.clone(),
            orders_of_server: self.orders.0.clone(),
            issue_count: u32::try_from(self.slots.len()).expect("fewer issues than 32 bits count"),
            market_changes,
            market_forgotten,
            market_phase,
            market_clear,
        }
    }

    pub(crate) fn save_next(&mut self) -> Option<IssueState> {
        let Saving { saved, early, next } = self.saving.as_deref_mut()?;
        if let Some(state) = early.pop() {
            return Some(state);
        }
        while saved.get(*next) == Some(&true) {
            *next += 1;
        }
        let slot = *next;
        if slot == saved.len() {
            self.saving = None;
            return None;
        }
        saved[slot] = true;
        Some(self.slots[slot].save(slot))
    }

    /// The measure of `plan` as it was when the states were saved.
    pub(crate) fn restore(
        plan: Arc<DayPlan>,
        unknown: &UnknownTime,
        servers: &[Box<str>],
        state: &EngineState,
        issues: &[IssueState],
    ) -> Result<Engine, RestoreError> {
        let mut engine = Engine::without_issues(Arc::clone(&plan));
        for (index, name) in (0..).zip(servers) {
            engine.define_server(ServerIndex(index), name);
        }
        let planned = issues_of(&plan);
        let (count, expected) = (issues.len(), state.issue_count as usize);
        let in_order = issues.iter().zip(0..).all(|(issue, number)| issue.number == number);
        let bound = state.number_of_issue.iter().flatten().all(|&number| number < state.issue_count);
        if count != expected || count < planned.len() || !in_order || !bound {
            return Err(RestoreError::Issues { found: count, expected });
        }
        let changes = state.market_changes.len();
        let to_come =
            |issue: &IssueState| issue.seen.checked_sub(state.market_forgotten).filter(|&seen| seen <= changes);
        let fits = |(number, issue): (usize, &IssueState)| {
            let is_measured = number < planned.len();
            let next = to_come(issue).and_then(|seen| state.market_changes.get(seen)).map(|&(at, _)| at);
            (to_come(issue).is_some() || !is_measured && issue.seen <= state.market_forgotten + changes)
                && issue.measure.now <= state.now.max(state.looked)
                && (!is_measured || next.is_none_or(|next| issue.measure.now <= next))
        };
        let market_in_order = state.market_changes.is_sorted_by_key(|&(at, _)| at)
            && state.market_changes.last().is_none_or(|&(at, _)| at <= state.now);
        if !market_in_order || !issues.iter().enumerate().all(fits) || !plan.day.contains(state.now) {
            return Err(RestoreError::Times);
        }
        let nothing = Arc::default();
        for (number, saved) in issues.iter().enumerate() {
            let (sign_ups, unknown) = match planned.get(number) {
                Some((code, sign_ups)) => (sign_ups.as_slice(), unknown.of(code)),
                None => (&[][..], [&nothing; 2]),
            };
            let code = planned.get(number).map(|(code, _)| (*code).clone()).or_else(|| saved.code.clone());
            let servers = PlanServers::new(&engine.plan_server_of);
            let measure = IssueMeasure::restore(&plan, sign_ups, unknown, &saved.measure, servers)
                .map_err(|source| RestoreError::Issue { issue: code.clone(), source })?;
            if let Some((code, _)) = planned.get(number) {
                engine.planned.insert((*code).clone(), saved.number);
            }
            engine.slots.push(IssueSlot {
                measure,
                code,
                bound: saved.is_bound,
                has_events: saved.has_events,
                is_elsewhere: false,
                seen: saved.seen,
            });
        }
        engine.slot_of_issue = state.number_of_issue.clone();
        // As many as servers have been named, whatever the state says.
        for (count, saved) in engine.orders.0.iter_mut().zip(&state.orders_of_server) {
            *count = *saved;
        }
        (engine.now, engine.looked) = (state.now, state.looked);
        let changes = state.market_changes.clone();
        engine.market.restore((changes, state.market_forgotten, state.market_phase, state.market_clear));
        Ok(engine)
    }

    /// Tells `take` where every obligation stands, see [`crate::Day::each_running`].
    pub(crate) fn each_running(
        &mut self,
        sink: &mut impl IntervalSink,
        mut take: impl FnMut(ObligationIndex, Running<'_>),
    ) {
        for slot in 0..self.slots.len() {
            self.running_of(slot, sink, &mut take);
        }
    }

    /// The same of the issue at one place; whether there is one.
    pub(crate) fn running_of(
        &mut self,
        place: usize,
        sink: &mut impl IntervalSink,
        take: &mut impl FnMut(ObligationIndex, Running<'_>),
    ) -> bool {
        if self.slots.len() <= place {
            return false;
        }
        if self.slots[place].measure.has_sign_ups() {
            self.save_before_change(place);
            let (now, slot) = (self.now, &mut self.slots[place]);
            self.market.catch_up(slot, sink);
            slot.measure.advance(now.max(slot.measure.now()), sink);
            slot.measure.all_running().for_each(|(obligation, running)| take(obligation, running));
        }
        true
    }
}
