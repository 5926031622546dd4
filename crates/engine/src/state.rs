//! What a day knows at some time, as plain data, so that whoever runs it can keep that and go on from it after a restart.
//!
//! A day is saved as of one instant, however long that takes: [`Day::begin_save`] gives what is small and belongs to no
//! issue, and then each call of [`Day::save_next`] gives one issue, while records may be pushed in between. An issue that a
//! record is about to change is saved before it changes. So no single call takes longer than the largest issue does.
//!
//! Beside it whoever saves keeps, as of the same instant: what the day's own sink holds (of a ledger its totals
//! and its log), what the rejects sink holds, the decoder's state, and how far the
//! input was read.
//!
//! Invariant: a state taken anywhere, restored, and pushed the rest of the input, tells the same intervals from there on, and
//! ends with the same sums, as the day that went on. Deliberately absent: bytes. How a state is written down belongs to
//! whoever owns the file.

use crate::engine::{Engine, IssueSlot, issues_of};
use crate::market::MarketChange;
use crate::retroactive::{UnknownTime, UnknownWindow};
use crate::{Day, DayError, DayOptions, RejectSink};
use jiff::civil::Date;
use quoteclock_feed::Stop;
use quoteclock_model::{IssueCode, IssueIndex, Phase, SequenceNo, Timestamp};
use quoteclock_obligation::{DaySink, IssueMeasure, MeasureState, ObligationIndex, PlanServers, Running, StateError};
use quoteclock_rules::{DayPlan, Registry};
use std::sync::Arc;
use thiserror::Error;

/// A day at some time, without its issues.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DayState {
    /// The issues that the input has named, by index; `None` for one that is only known by its index.
    pub issues: Vec<Option<IssueCode>>,
    /// The servers that the input has named, by index.
    pub servers: Vec<Box<str>>,
    /// The highest sequence number, if there has been one.
    pub last_sequence: Option<SequenceNo>,
    /// Records since then whose number could not be read.
    pub unread_sequences: u64,
    /// Records read.
    pub record_count: u64,
    /// Records set aside.
    pub reject_count: u64,
    /// Time that was found to be unknown after it had been measured.
    pub retroactive: Vec<UnknownWindow>,
    /// Issues in doubt whose code is not known, and since when.
    pub unnamed_doubts: Vec<(IssueIndex, Timestamp)>,
    /// The measure, or what is known before the date is.
    pub stage: StageState,
}

/// How far a day has come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StageState {
    /// No time has been read yet.
    Waiting {
        /// What will be in doubt from the start of the day: issues by their codes, `None` for every issue.
        doubts: Vec<Option<IssueCode>>,
        /// Issues whose codes are not known.
        unnamed: Vec<IssueIndex>,
    },
    /// The day is being measured.
    Open(EngineState),
}

/// The measure of a day at some time, without its issues.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EngineState {
    /// The date.
    pub date: Date,
    /// The latest good time.
    pub last: Timestamp,
    /// The time of the last event.
    pub now: Timestamp,
    /// The latest time that an issue has been taken on to by looking at it.
    pub looked: Timestamp,
    /// For each issue of the input, the number of its [`IssueState`], if it has one.
    pub number_of_issue: Vec<Option<u32>>,
    /// How many orders each server of the input has added.
    pub orders_of_server: Vec<u64>,
    /// How many [`IssueState`]s belong to this state, numbered from 0.
    pub issue_count: u32,
    /// What has changed for the whole market and not been seen by all issues, with its time.
    pub market_changes: Vec<(Timestamp, MarketChange)>,
    /// How many changes came before those.
    pub market_forgotten: usize,
    /// The last phase of the market, and its number among the changes.
    pub market_phase: Option<(usize, Phase)>,
    /// The number of the last clear of the market.
    pub market_clear: Option<usize>,
}

/// One issue of a day.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IssueState {
    /// Its number.
    pub number: u32,
    /// Its code, once it is known.
    pub code: Option<IssueCode>,
    /// Whether an issue of the input has it.
    pub is_bound: bool,
    /// Whether any event has named it.
    pub has_events: bool,
    /// How many changes of the market it has seen.
    pub seen: usize,
    /// What it has measured.
    pub measure: MeasureState,
}

/// Why a day cannot go on from a state.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// The date cannot be measured.
    #[error(transparent)]
    Day(#[from] DayError),
    /// An issue's state is not one of the plan.
    #[error("issue {}: {source}", .issue.as_ref().map_or("without a code", IssueCode::as_str))]
    Issue {
        /// The issue.
        issue: Option<IssueCode>,
        /// Why not.
        source: StateError,
    },
    /// The times of the states do not fit each other.
    #[error("the times of the market's and the issues' states, expected those of one save")]
    Times,
    /// The states are not each issue's once.
    #[error("{found} states of issues, expected each of {expected} once, in order")]
    Issues {
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
}

/// A save that has begun.
#[derive(Debug)]
pub(crate) struct Saving {
    /// Which issues have been saved.
    saved: Vec<bool>,
    /// Those saved before a record changed them, not handed out yet.
    early: Vec<IssueState>,
    /// The first that may not have been saved.
    next: usize,
}

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

    fn save_next(&mut self) -> Option<IssueState> {
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
    fn restore(
        plan: Arc<DayPlan>,
        unknown: &UnknownTime,
        servers: &[Box<str>],
        state: &EngineState,
        issues: &[IssueState],
    ) -> Result<Engine, RestoreError> {
        let mut engine = Engine::without_issues(Arc::clone(&plan));
        for (index, name) in (0..).zip(servers) {
            engine.define_server(quoteclock_model::ServerIndex(index), name);
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

    /// Tells `take` where every obligation stands, see [`Day::each_running`].
    pub(crate) fn each_running(
        &mut self,
        sink: &mut impl quoteclock_obligation::IntervalSink,
        mut take: impl FnMut(ObligationIndex, Running<'_>),
    ) {
        self.save_all_before_change();
        let now = self.now;
        for slot in self.slots.iter_mut().filter(|slot| slot.measure.has_sign_ups()) {
            self.market.catch_up(slot, sink);
            slot.measure.advance(now.max(slot.measure.now()), sink);
            slot.measure.all_running().for_each(|(obligation, running)| take(obligation, running));
        }
    }
}

impl<S: DaySink, R: RejectSink> Day<S, R> {
    /// Begins to save the day as it stands: what belongs to no issue. [`Day::save_next`] gives the issues, as they stand now,
    /// whatever is pushed meanwhile. A save that had begun is given up.
    ///
    /// ```no_run
    /// # fn keep(_: &quoteclock_engine::DayState, _: Vec<quoteclock_engine::IssueState>) {}
    /// # fn example<S: quoteclock_obligation::DaySink, R: quoteclock_engine::RejectSink>(
    /// #     day: &mut quoteclock_engine::Day<S, R>,
    /// # ) -> Result<(), quoteclock_feed::Stop> {
    /// let state = day.begin_save()?;
    /// let mut issues = Vec::new();
    /// while let Some(issue) = day.save_next() {
    ///     issues.push(issue);
    ///     // Here records may be pushed: the day goes on.
    /// }
    /// issues.sort_unstable_by_key(|issue| issue.number);
    /// keep(&state, issues);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Stop`] if an event that was held back does not fit.
    pub fn begin_save(&mut self) -> Result<DayState, Stop> {
        self.apply_batch()?;
        Ok(self.state())
    }

    /// One more issue of a save that has begun, in no order; `None` when all have been given.
    pub fn save_next(&mut self) -> Option<IssueState> {
        self.engine_mut().and_then(Engine::save_next)
    }

    /// The day that [`Day::new`] makes of the same registry and options, as it was when the states were saved: `issues` are
    /// those of the save, in the order of their numbers. `sink` and `rejects` are as they were then; the plan is not told again.
    ///
    /// # Errors
    /// [`RestoreError`] if the states are not those of a day of this registry.
    pub fn restore(
        registry: &Registry,
        options: DayOptions,
        sink: S,
        rejects: R,
        state: &DayState,
        issues: &[IssueState],
    ) -> Result<Self, RestoreError> {
        let mut day = Day::new(registry, DayOptions { date: None, ..options.clone() }, sink, rejects)?;
        let engine = match &state.stage {
            StageState::Waiting { .. } => None,
            StageState::Open(engine) => {
                let plan = Arc::new(day.plan_of(engine.date)?);
                let unknown = UnknownTime::new(&options.unknown, plan.day);
                Some((Engine::restore(plan, &unknown, &state.servers, engine, issues)?, engine.last))
            }
        };
        day.set_state(options, state, engine);
        Ok(day)
    }

    /// Tells `take` where every obligation stands after every record so far, in no order. Time does not move on by it, and no
    /// result changes. `None` before the date is known.
    ///
    /// While a save has begun this saves all issues that are left first.
    ///
    /// With the totals of what the sink has been told, [`Running::settled`] gives the running totals.
    pub fn each_running(&mut self, take: impl FnMut(ObligationIndex, Running<'_>)) -> Option<()> {
        // What is held back would be missing; where it does not fit, the day tells that when it goes on.
        self.apply_batch().ok()?;
        let (engine, sink) = self.engine_and_sink()?;
        engine.each_running(sink, take);
        Some(())
    }
}
