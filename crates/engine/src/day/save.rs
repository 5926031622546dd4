//! A day to its state and back, see [`crate::state`].

use super::{Day, DayOptions, RejectSink, Stage};
use crate::engine::Engine;
use crate::order_checks::DayProgress;
use crate::retroactive::{UnknownTime, UnknownWindow};
use crate::state::{DayState, IssueState, RestoreError, SavedDay, StageState};
use quoteclock_feed::Stop;
use quoteclock_model::Timestamp;
use quoteclock_obligation::{DaySink, ObligationIndex, Running};
use quoteclock_rules::Registry;
use std::sync::Arc;

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

    /// The day that [`Day::new`] makes of the same registry and options, as it was when it was saved. `sink` and `rejects` are as they were then; the plan is not told again.
    ///
    /// # Errors
    /// [`RestoreError`] if the states are not those of a day of this registry.
    pub fn restore(
        registry: &Registry,
        options: DayOptions,
        sink: S,
        rejects: R,
        saved: SavedDay<'_>,
    ) -> Result<Self, RestoreError> {
        let SavedDay { state, issues } = saved;
        let mut day = Day::new(registry, DayOptions { date: None, ..options.clone() }, sink, rejects)?;
        let engine = match &state.stage {
            StageState::Waiting { .. } => None,
            StageState::Open(engine) => {
                let (plan, part) = day.part_of(engine.date)?;
                let unknown = UnknownTime::new(&options.unknown, plan.day);
                let mut restored = Engine::restore(Arc::new(plan), &unknown, &state.servers, engine, issues)?;
                if let Some(part) = part {
                    restored.measure_part(part);
                }
                Some((restored, engine.last))
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

    /// The same of the issue at one place, counted from 0, so that a look can be taken a few issues at a time; whether there is
    /// one. `None` before the date is known.
    pub fn running_at(&mut self, place: usize, mut take: impl FnMut(ObligationIndex, Running<'_>)) -> Option<bool> {
        self.apply_batch().ok()?;
        let (engine, sink) = self.engine_and_sink()?;
        Some(engine.running_of(place, sink, &mut take))
    }

    /// What the day knows, without its issues, whose saving begins with it.
    fn state(&mut self) -> DayState {
        let (last_sequence, unread_sequences) = self.sequencer.state();
        DayState {
            issues: self.issues.clone(),
            servers: self.servers.clone(),
            last_sequence,
            unread_sequences,
            record_count: self.record_count,
            reject_count: self.reject_count,
            retroactive: self.retroactive.windows(),
            unnamed_doubts: self.unnamed_doubts.iter().map(|(&issue, &since)| (issue, since)).collect(),
            unnamed_rejects: self.unnamed_rejects.iter().copied().collect(),
            late_names: self.late_names.clone(),
            last_was_bad: self.last_was_bad,
            last_was_unnumbered: self.last_was_unnumbered,
            stage: match &mut self.stage {
                Stage::Waiting { doubts, unnamed } => StageState::Waiting {
                    doubts: doubts.iter().cloned().collect(),
                    unnamed: unnamed.iter().copied().collect(),
                },
                Stage::Open { engine, progress } => StageState::Open(engine.begin_save(progress.last())),
            },
        }
    }

    /// Goes on from a state, with the measure and the latest good time of it.
    fn set_state(&mut self, options: DayOptions, state: &DayState, engine: Option<(Engine, Timestamp)>) {
        self.options = options;
        self.issues = state.issues.clone();
        self.servers = state.servers.clone();
        self.sequencer.restore(state.last_sequence, state.unread_sequences);
        (self.record_count, self.reject_count) = (state.record_count, state.reject_count);
        for UnknownWindow { issue, span } in &state.retroactive {
            self.retroactive.add(issue.clone(), *span);
        }
        self.unnamed_doubts = state.unnamed_doubts.iter().copied().collect();
        self.unnamed_rejects = state.unnamed_rejects.iter().copied().collect();
        self.late_names = state.late_names.clone();
        (self.last_was_bad, self.last_was_unnumbered) = (state.last_was_bad, state.last_was_unnumbered);
        self.stage = match (&state.stage, engine) {
            (StageState::Waiting { doubts, unnamed }, _) => {
                Stage::Waiting { doubts: doubts.iter().cloned().collect(), unnamed: unnamed.iter().copied().collect() }
            }
            (StageState::Open(_), Some((engine, last))) => {
                let progress = DayProgress::from_time(engine.plan().day, last);
                Stage::Open { engine: Box::new(engine), progress }
            }
            (StageState::Open(_), None) => unreachable!("an open day has a measure"),
        };
    }
}
