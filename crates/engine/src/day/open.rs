//! How a day begins: the plan of its date, and the measure of what the plan asks for. Also the plan under another registry.

use super::{Day, DayOptions, RejectSink, Stage};
use crate::engine::{Engine, ShardPart};
use crate::faults::DayError;
use crate::order_checks::DayProgress;
use crate::retroactive::UnknownTime;
use jiff::civil::Date;
use quoteclock_feed::Stop;
use quoteclock_model::{IssueIndex, Scope, ServerIndex, Span, Timestamp};
use quoteclock_obligation::DaySink;
use quoteclock_rules::{DayPlan, Registry};
use std::sync::Arc;

impl<S: DaySink, R: RejectSink> Day<S, R> {
    /// The same, begun, if its date is given.
    pub(super) fn opened(mut self) -> Result<Self, DayError> {
        if let Some(date) = self.options.date {
            self.open(date)?;
        }
        Ok(self)
    }

    /// Opens the day that holds `time`, as a record of that time does; without effect when it is open already, or where
    /// the time has no date.
    ///
    /// # Errors
    /// [`Stop`] if the date cannot be measured.
    pub fn open_at(&mut self, time: Timestamp) -> Result<(), Stop> {
        if let Stage::Waiting { .. } = self.stage
            && let Ok(date) = self.registry.local_date(time)
        {
            return self.open(date).map_err(|error| {
                self.error = Some(error);
                Stop
            });
        }
        Ok(())
    }

    /// Goes on under another registry, if that requires of the day what this one does; in variants it may declare another
    /// Fast Market. Says whether it does.
    ///
    /// # Errors
    /// [`DayError::Plan`] if the date cannot be measured under it.
    pub fn take_registry(&mut self, registry: &Registry) -> Result<bool, DayError> {
        if let Stage::Open { engine, .. } = &mut self.stage {
            let mut plan = plan_under(registry, &self.options, engine.plan().date)?;
            if let Some(shard) = self.options.shard {
                plan = plan.of_shard(shard);
            }
            let as_before = DayPlan { multiplier: engine.plan().multiplier, ..plan.clone() };
            if self.cut.is_some() || as_before != **engine.plan() {
                return Ok(false);
            }
            engine.set_plan(Arc::new(plan));
        }
        self.registry = registry.clone();
        Ok(true)
    }

    /// What of `date` is measured here: the plan, and which part of the whole that is.
    pub(super) fn part_of(&self, date: Date) -> Result<(DayPlan, Option<ShardPart>), DayError> {
        let whole = plan_under(&self.registry, &self.options, date)?;
        let Some(shard) = self.options.shard else { return Ok((whole, None)) };
        let (is_anything_planned, passes_over) = (!whole.sign_ups.is_empty(), self.batch.is_some());
        Ok((whole.of_shard(shard), Some(ShardPart { shard, is_anything_planned, passes_over })))
    }

    /// Begins to measure `date`.
    pub(super) fn open(&mut self, date: Date) -> Result<(), DayError> {
        let (plan, part) = self.part_of(date)?;
        let mut plan = Arc::new(plan);
        self.sink.open(&plan);
        if let Some(until) = self.options.until {
            let until = until.on(&plan).map_err(|problem| DayError::Plan { date, problem })?;
            let cut = DayPlan { day: Span { end: until, ..plan.day }, ..DayPlan::clone(&plan) };
            self.cut = Some((std::mem::replace(&mut plan, Arc::new(cut)), until));
        }
        let unknown = UnknownTime::new(&self.options.unknown, plan.day);
        let mut engine = Engine::new(Arc::clone(&plan), &unknown, &*self.executor);
        if let Some(part) = part {
            engine.measure_part(part);
        }
        for (index, code) in (0..).zip(&self.issues) {
            if let Some(code) = code {
                engine.define_issue(IssueIndex(index), code);
            }
        }
        for (index, name) in (0..).zip(&self.servers) {
            engine.define_server(ServerIndex(index), name);
        }
        let open = Stage::Open { engine: Box::new(engine), progress: DayProgress::new(plan.day) };
        if let Stage::Waiting { doubts, unnamed } = std::mem::replace(&mut self.stage, open) {
            doubts.into_iter().for_each(|issue| self.doubt_issue(None, issue));
            unnamed.into_iter().for_each(|issue| self.doubt(None, Scope::Issue(issue)));
        }
        Ok(())
    }
}

/// What a registry requires on `date`.
fn plan_under(registry: &Registry, options: &DayOptions, date: Date) -> Result<DayPlan, DayError> {
    let plan = if options.variants { registry.plan_in_variants(date) } else { registry.plan(date) };
    plan.map_err(|error| DayError::Plan { date, problem: error.to_string() })
}
