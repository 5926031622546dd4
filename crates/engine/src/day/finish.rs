//! How a day ends: what is known once its input has, and what that input does not support of the figures.

use super::{Day, Finished, RejectSink, Stage};
use crate::coverage::Coverage;
use crate::engine::Engine;
use crate::faults::DayError;
use jiff::civil::Date;
use quoteclock_feed::Stop;
use quoteclock_model::{Phase, Span, Timestamp};
use quoteclock_obligation::DaySink;
use quoteclock_rules::PhaseSource;
use std::sync::Arc;

impl<S: DaySink, R: RejectSink> Day<S, R> {
    /// Takes note that all input has been read. Where no record has told the date, the input may say it of itself.
    ///
    /// # Errors
    /// [`Stop`] if that date cannot be measured.
    pub fn end_of_input(&mut self, stated: Option<Date>) -> Result<(), Stop> {
        self.apply_batch()?;
        if let (Stage::Waiting { .. }, Some(date)) = (&self.stage, stated)
            && let Err(error) = self.open(date)
        {
            self.error = Some(error);
            return Err(Stop);
        }
        Ok(())
    }

    /// Ends the day, and gives the sinks back.
    ///
    /// # Errors
    /// [`DayError`] if a strict run met a bad record, or the date never became known.
    pub fn finish(mut self) -> Result<(Finished, S, R), DayError> {
        let _stopped = self.error.is_none() && self.apply_batch().is_err();
        if let Some(error) = self.error {
            return Err(error);
        }
        let stage = std::mem::replace(&mut self.stage, Stage::new());
        let Stage::Open { engine, progress } = stage else { return Err(DayError::NoDate) };
        let plan = Arc::clone(engine.plan());
        // An issue that has never got its name may be any.
        if let Some(&since) = self.unnamed_doubts.values().min() {
            self.retroactive.add(None, Span { start: since, end: plan.day.end });
        }
        let coverage = self.coverage(&engine, progress.last());
        let servers_heard = engine.servers_heard(&self.servers);
        let turnover = engine.finish(&*self.executor, &mut self.sink);
        let (plan, until) = match self.cut {
            Some((whole, until)) => (whole, Some(until)),
            None => (plan, None),
        };
        let finished = Finished {
            plan,
            turnover,
            coverage,
            servers_heard,
            until,
            record_count: self.record_count,
            reject_count: self.reject_count,
            retroactive: self.retroactive.windows(),
            late_names: self.late_names,
        };
        Ok((finished, self.sink, self.rejects))
    }

    /// What the input does not support of the figures.
    fn coverage(&self, engine: &Engine, last: Timestamp) -> Vec<Coverage> {
        let mut coverage = engine.coverage(&self.servers, &self.registry);
        let plan = engine.plan();
        let session_end = match plan.phase_source {
            PhaseSource::Schedule => plan.trading.windows.last().map(|window| window.end),
            PhaseSource::Feed => None,
        };
        let is_open = engine.last_market_phase() != Some(Phase::Closed);
        let is_early = match plan.phase_source {
            PhaseSource::Schedule => session_end.is_some_and(|end| last < end),
            // Without any phase the market has never opened.
            PhaseSource::Feed => engine.last_market_phase().is_some(),
        };
        if self.cut.is_none() && is_open && is_early && 0 < self.record_count {
            coverage.push(Coverage::EndsEarly { last, session_end });
            coverage.sort();
        }
        coverage
    }
}
