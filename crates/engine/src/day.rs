//! One day's input: each record judged for its place, then measured, refused or set aside.

use crate::batch::EventBatch;
use crate::coverage::Coverage;
use crate::engine::{Engine, MeasureIndex};
use crate::executor::{Executor, SingleThread};
use crate::faults::{BadRecord, DayError, Fault};
use crate::group::GroupFault;
use crate::order_checks::{DayProgress, SequenceCheck, Sequencer, Timing};
use crate::retroactive::{RetroactiveWindows, UnknownTime, UnknownWindow};
use crate::state::{DayState, StageState};
use crate::until::Until;
use jiff::civil::Date;
use quoteclock_feed::binary::{BlockTimes, WholeBlock};
use quoteclock_feed::{CompactRun, Malformed, Place, RawRecord, Receiver, Stop};
use quoteclock_model::{
    DayTurnover, IssueCode, IssueIndex, MarketEvent, Phase, Record, Scope, ServerIndex, Span, Timestamp,
};
use quoteclock_obligation::{DaySink, IntervalSink, IssueMeasure};
use quoteclock_rules::{DayPlan, PhaseSource, Registry, local_time};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How a day's input is to be taken.
#[derive(Clone, Debug, Default)]
pub struct DayOptions {
    /// Set bad records aside and go on, instead of stopping at the first.
    pub lenient: bool,
    /// Sequence numbers must rise, but not by exactly one.
    pub allow_gaps: bool,
    /// The trading date; otherwise that of the first record with a readable time.
    pub date: Option<Date>,
    /// Time that an earlier run over the same input has found to be unknown after it had been measured.
    pub unknown: Vec<UnknownWindow>,
    /// Measure what a Fast Market widens under each multiplier, side by side: see
    /// [`Registry::plan_in_variants`](quoteclock_rules::Registry::plan_in_variants). For a day whose Fast Market may be declared
    /// while it runs.
    pub variants: bool,
    /// Up to when the day is measured, if not to its end: reading stops at the first record of that time or later.
    pub until: Option<Until>,
}

/// Takes the records that a lenient run sets aside.
pub trait RejectSink {
    /// Takes a bad record; `bytes` as they stand in the input. An oversized one goes on in `rest`.
    fn reject(&mut self, bad: &BadRecord, bytes: &[u8]);

    /// Takes a further part of the last record.
    fn rest(&mut self, bytes: &[u8]);

    /// Takes note that the last record comes `count` times more, in as many lines. Says whether it does: otherwise each of
    /// them is told by itself.
    fn again(&mut self, count: u64) -> bool {
        let _ = count;
        false
    }
}

/// What is known once a day's input has ended.
#[derive(Clone, PartialEq, Debug)]
pub struct Finished {
    /// The plan that was measured.
    pub plan: Arc<DayPlan>,
    /// Records read, bad ones included.
    pub record_count: u64,
    /// Records set aside.
    pub reject_count: u64,
    /// What was traded and sent: in records that were applied, in unknown time too.
    pub turnover: DayTurnover,
    /// If not empty, what was told is not right yet: run the same input again with these windows.
    pub retroactive: Vec<UnknownWindow>,
    /// What the input does not support of the figures, in order of kind and name; nothing is looked at where the day went on
    /// from a saved state.
    pub coverage: Vec<Coverage>,
    /// Up to when the day was measured, if not to its end.
    pub until: Option<Timestamp>,
}

/// One day, pushed record by record through [`Receiver`].
///
/// It shares its registry and borrows nothing: a day can move to another thread, or live as long as a feed does.
#[derive(Debug)]
pub struct Day<S, R> {
    registry: Registry,
    options: DayOptions,
    pub(crate) sink: S,
    rejects: R,
    pub(crate) sequencer: Sequencer,
    /// Events held back, if they are to be applied issue by issue.
    batch: Option<EventBatch>,
    /// What applies them.
    pub(crate) executor: Box<dyn Executor>,
    /// Room to check blocks in.
    pub(crate) times: BlockTimes,
    /// Issues named so far; `None` for one that is only known by its index.
    issues: Vec<Option<IssueCode>>,
    servers: Vec<Box<str>>,
    pub(crate) stage: Stage,
    pub(crate) record_count: u64,
    reject_count: u64,
    /// Whether the last record was bad, so that more of it goes to the rejects.
    last_was_bad: bool,
    /// Whether the number of the last record could not be read.
    last_was_unnumbered: bool,
    retroactive: RetroactiveWindows,
    /// Issues in doubt whose code is not known yet, and since when.
    unnamed_doubts: BTreeMap<IssueIndex, Timestamp>,
    /// The whole plan of a day that is not measured to its end, and that end: the engine has a day that ends there.
    cut: Option<(Arc<DayPlan>, Timestamp)>,
    error: Option<DayError>,
}

#[derive(Debug)]
pub(crate) enum Stage {
    /// No time has been read yet. What is in doubt already will be so from the start of the day.
    Waiting {
        /// Issues by their codes; `None` for every issue.
        doubts: BTreeSet<Option<IssueCode>>,
        /// Issues whose codes are not known either.
        unnamed: BTreeSet<IssueIndex>,
    },
    Open {
        engine: Box<Engine>,
        progress: DayProgress,
    },
}

impl Stage {
    fn new() -> Stage {
        Stage::Waiting { doubts: BTreeSet::new(), unnamed: BTreeSet::new() }
    }
}

impl<S: DaySink, R: RejectSink> Day<S, R> {
    /// A day measured under `registry`, record by record.
    ///
    /// # Errors
    /// [`DayError::Plan`] if a date is given that cannot be measured.
    pub fn new(registry: &Registry, options: DayOptions, sink: S, rejects: R) -> Result<Self, DayError> {
        Day::with(registry, options, sink, rejects, None, Box::new(SingleThread))
    }

    /// Same result as [`Day::new`], faster: events are held back and applied issue by issue, by the tasks of an executor. Only
    /// for a strict run; a lenient one applies every record at once.
    ///
    /// # Errors
    /// As [`Day::new`].
    pub fn in_batches(
        registry: &Registry,
        options: DayOptions,
        sink: S,
        rejects: R,
        executor: impl Executor + 'static,
    ) -> Result<Self, DayError> {
        let batch = (!options.lenient).then(EventBatch::default);
        Day::with(registry, options, sink, rejects, batch, Box::new(executor))
    }

    fn with(
        registry: &Registry,
        options: DayOptions,
        sink: S,
        rejects: R,
        batch: Option<EventBatch>,
        executor: Box<dyn Executor>,
    ) -> Result<Self, DayError> {
        let sequencer = Sequencer::new(options.allow_gaps);
        let date = options.date;
        let mut day = Day {
            registry: registry.clone(),
            options,
            sink,
            rejects,
            sequencer,
            batch,
            executor,
            times: BlockTimes::default(),
            issues: Vec::new(),
            servers: Vec::new(),
            stage: Stage::new(),
            record_count: 0,
            reject_count: 0,
            last_was_bad: false,
            last_was_unnumbered: false,
            retroactive: RetroactiveWindows::default(),
            unnamed_doubts: BTreeMap::new(),
            cut: None,
            error: None,
        };
        if let Some(date) = date {
            day.open(date)?;
        }
        Ok(day)
    }

    /// The same day with so many events at most in a batch, if there are any, rather than as many as suit the number of issues.
    #[must_use]
    pub fn with_batch_events(mut self, events_max: usize) -> Self {
        self.batch = self.batch.map(|_| EventBatch::of_events(events_max));
        self
    }

    /// Applies the events held back.
    pub(crate) fn apply_batch(&mut self) -> Result<(), Stop> {
        let Some(batch) = self.batch.as_mut().filter(|batch| !batch.is_empty()) else { return Ok(()) };
        let Stage::Open { engine, progress } = &mut self.stage else { unreachable!("a good time opens the day") };
        let fault = engine.apply_groups(batch.base(), &batch.groups(), &*self.executor, &mut self.sink);
        let Some(fault) = fault else {
            engine.groups_end(progress.last());
            batch.clear();
            return Ok(());
        };
        let place = batch.place(fault.ordinal);
        batch.clear();
        self.refuse(place, fault)
    }

    /// Refuses the first event of a batch that does not fit.
    pub(crate) fn refuse(&mut self, place: Place, GroupFault { issue, fault, .. }: GroupFault) -> Result<(), Stop> {
        let issue = self.named(Some(Scope::Issue(issue)));
        self.set_aside(&BadRecord { place, issue, fault }, &[])
    }

    /// Takes note that the input breaks off or is corrupted at `place`, after `unfinished`, the beginning of a record.
    /// With `whole`, nothing that was read is certain: a checksum over all of it is wrong.
    ///
    /// # Errors
    /// [`Stop`] in a strict run.
    pub fn broken(&mut self, place: Place, problem: &str, whole: bool, unfinished: &[u8]) -> Result<(), Stop> {
        self.apply_batch()?;
        let fault = Fault::Broken { problem: problem.to_owned() };
        self.set_aside(&BadRecord { place, issue: String::new(), fault }, unfinished)?;
        if whole && let Stage::Open { engine, progress } = &self.stage {
            let span = Span { start: engine.plan().day.start, end: progress.last() };
            self.retroactive.add(None, span);
        }
        self.doubt_issue(self.last_time(), None);
        Ok(())
    }

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
        let turnover = engine.finish(&*self.executor, &mut self.sink);
        let (plan, until) = match self.cut {
            Some((whole, until)) => (whole, Some(until)),
            None => (plan, None),
        };
        let finished = Finished {
            plan,
            turnover,
            coverage,
            until,
            record_count: self.record_count,
            reject_count: self.reject_count,
            retroactive: self.retroactive.windows(),
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

    /// Records read so far.
    pub fn record_count(&self) -> u64 {
        self.record_count
    }

    /// Records set aside so far.
    pub fn reject_count(&self) -> u64 {
        self.reject_count
    }

    /// Time that has turned out to be unknown after it was measured, see [`Finished::retroactive`]; what a bad record has
    /// put in doubt since may make it longer.
    pub fn retroactive(&self) -> Vec<UnknownWindow> {
        self.retroactive.windows()
    }

    /// What it was told beforehand to be unknown, see [`DayOptions::unknown`].
    pub fn known_unknown(&self) -> &[UnknownWindow] {
        &self.options.unknown
    }

    /// Whether there is any such time.
    pub fn has_retroactive(&self) -> bool {
        !self.retroactive.is_empty()
    }

    /// The measure; `None` before the date is known.
    pub fn engine(&self) -> Option<&Engine> {
        match &self.stage {
            Stage::Open { engine, .. } => Some(engine),
            Stage::Waiting { .. } => None,
        }
    }

    /// The time of the last good record, or the start of the day; `None` before the date is known.
    pub fn now(&self) -> Option<Timestamp> {
        match &self.stage {
            Stage::Open { progress, .. } => Some(progress.last()),
            Stage::Waiting { .. } => None,
        }
    }

    /// The sink of intervals.
    pub fn sink_mut(&mut self) -> &mut S {
        &mut self.sink
    }

    /// The sink of records set aside.
    pub fn rejects_mut(&mut self) -> &mut R {
        &mut self.rejects
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

    /// Takes one issue on to `to`, see [`Engine::look`], and shows it together with the sink, which has been told what has
    /// ended before then; `None` before the date is known, or if `to` is not what is left of the day. A record of a time
    /// from `to` on has to follow, or the end.
    pub fn look(&mut self, at: MeasureIndex, to: Timestamp) -> Option<(&IssueMeasure, &mut S)> {
        let Stage::Open { engine, progress } = &mut self.stage else { return None };
        let waiting = self.batch.as_ref().is_some_and(|batch| !batch.is_empty());
        if waiting || to < progress.last() || engine.plan().day.end < to {
            return None;
        }
        let measure = engine.look(at, to, &mut self.sink);
        Some((measure, &mut self.sink))
    }

    /// What is measured on `date`.
    pub(crate) fn plan_of(&self, date: Date) -> Result<DayPlan, DayError> {
        let plan = if self.options.variants { self.registry.plan_in_variants(date) } else { self.registry.plan(date) };
        plan.map_err(|error| DayError::Plan { date, problem: error.to_string() })
    }

    pub(crate) fn engine_mut(&mut self) -> Option<&mut Engine> {
        self.engine_and_sink().map(|(engine, _)| engine)
    }

    pub(crate) fn engine_and_sink(&mut self) -> Option<(&mut Engine, &mut S)> {
        match &mut self.stage {
            Stage::Open { engine, .. } => Some((engine, &mut self.sink)),
            Stage::Waiting { .. } => None,
        }
    }

    /// What the day knows, without its issues, whose saving begins with it.
    pub(crate) fn state(&mut self) -> DayState {
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
    pub(crate) fn set_state(&mut self, options: DayOptions, state: &DayState, engine: Option<(Engine, Timestamp)>) {
        self.options = options;
        self.issues = state.issues.clone();
        self.servers = state.servers.clone();
        self.sequencer.restore(state.last_sequence, state.unread_sequences);
        (self.record_count, self.reject_count) = (state.record_count, state.reject_count);
        for UnknownWindow { issue, span } in &state.retroactive {
            self.retroactive.add(issue.clone(), *span);
        }
        self.unnamed_doubts = state.unnamed_doubts.iter().copied().collect();
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

    /// Takes every issue on to the time of the last record, tells `running` the intervals that have begun and not ended by
    /// then, and shows the sink, which has been told those that have; `None` before the date is known, or while events are
    /// held back. Looking changes no result.
    pub fn so_far(&mut self, running: &mut impl IntervalSink) -> Option<(Arc<DayPlan>, Timestamp, &mut S)> {
        let Stage::Open { engine, progress } = &mut self.stage else { return None };
        if self.batch.as_ref().is_some_and(|batch| !batch.is_empty()) {
            return None;
        }
        engine.so_far(&mut self.sink, running);
        Some((Arc::clone(engine.plan()), progress.last(), &mut self.sink))
    }

    /// Begins to measure `date`.
    fn open(&mut self, date: Date) -> Result<(), DayError> {
        let mut plan = Arc::new(self.plan_of(date)?);
        self.sink.open(&plan);
        if let Some(until) = self.options.until {
            let until = until.on(&plan).map_err(|problem| DayError::Plan { date, problem })?;
            let cut = DayPlan { day: Span { end: until, ..plan.day }, ..DayPlan::clone(&plan) };
            self.cut = Some((std::mem::replace(&mut plan, Arc::new(cut)), until));
        }
        let unknown = UnknownTime::new(&self.options.unknown, plan.day);
        let mut engine = Engine::new(Arc::clone(&plan), &unknown, &*self.executor);
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

    /// Judges the time of a record; the first one that can be read tells the date.
    #[inline]
    fn time(&mut self, time: Option<Timestamp>) -> Result<Timing, Stop> {
        if let (Stage::Waiting { .. }, Some(time)) = (&self.stage, time) {
            self.open_at(time)?;
        }
        match &mut self.stage {
            Stage::Open { progress, .. } => {
                let timing = progress.check(time);
                if let (Timing::After(time), Some((whole, _))) = (timing, &self.cut)
                    && time < whole.day.end
                {
                    // It is not read.
                    self.record_count -= 1;
                    return Err(Stop);
                }
                Ok(timing)
            }
            Stage::Waiting { .. } => Ok(Timing::Unreadable),
        }
    }

    /// The record in full: its place in order judged, its event applied.
    #[inline]
    fn judge(&mut self, record: &RawRecord<'_>) -> Result<(), Stop> {
        let before = self.last_time();
        let timing = self.time(record.ts_event)?;
        let order = self.sequencer.check(record.sequence);
        if let (Timing::Good(ts_event), SequenceCheck::Next, Ok(event)) = (timing, order, &record.event) {
            if self.batch.is_some() {
                return self.hold(ts_event, event, record.place);
            }
            let Stage::Open { engine, .. } = &mut self.stage else { unreachable!("a good time opens the day") };
            return match engine.apply(&Record { ts_event, event: *event }, &mut self.sink) {
                Ok(()) => Ok(()),
                Err(error) => self.bad(record, timing, error.into()),
            };
        }
        self.judge_bad(record, timing, order, before)
    }

    /// The latest good time so far; `None` before the date is known.
    #[inline]
    fn last_time(&self) -> Option<Timestamp> {
        match &self.stage {
            Stage::Open { progress, .. } => Some(progress.last()),
            Stage::Waiting { .. } => None,
        }
    }

    /// Holds an event back, if it is of one issue.
    #[inline]
    fn hold(&mut self, ts_event: Timestamp, event: &MarketEvent, place: Place) -> Result<(), Stop> {
        let Scope::Issue(issue) = event.scope() else { return self.apply_to_market(ts_event, event) };
        if self.batch.as_ref().is_some_and(|batch| batch.is_full(ts_event)) {
            self.apply_batch()?;
        }
        if let Some(batch) = &mut self.batch {
            batch.push(issue, ts_event, event, place);
        }
        Ok(())
    }

    /// A market-wide event comes after all that are held back.
    #[cold]
    fn apply_to_market(&mut self, ts_event: Timestamp, event: &MarketEvent) -> Result<(), Stop> {
        self.apply_batch()?;
        let Stage::Open { engine, .. } = &mut self.stage else { unreachable!("a good time opens the day") };
        let applied = engine.apply(&Record { ts_event, event: *event }, &mut self.sink);
        applied.map_err(|_| unreachable!("a market-wide event names no order"))
    }

    /// A record with something wrong about it, after those up to `before`.
    #[cold]
    fn judge_bad(
        &mut self,
        record: &RawRecord<'_>,
        timing: Timing,
        order: SequenceCheck,
        before: Option<Timestamp>,
    ) -> Result<(), Stop> {
        self.apply_batch()?;
        self.last_was_unnumbered = order == SequenceCheck::Unreadable;
        let mut faults = [timing_fault(timing, record, &self.stage), order_fault(order)].into_iter().flatten();
        let first = match &record.event {
            // The decoder reads time and sequence first: what it could not read there comes before all else.
            Err(malformed) if timing == Timing::Unreadable || order == SequenceCheck::Unreadable => {
                Fault::Malformed(malformed.clone())
            }
            Err(malformed) => faults.next().unwrap_or_else(|| Fault::Malformed(malformed.clone())),
            Ok(_) => faults.next().expect("something is wrong with the record"),
        };
        if let SequenceCheck::Gap { .. } = order {
            return self.after_gap(record, timing, first, before);
        }
        self.bad(record, timing, first)
    }

    /// The record before which others are missing: they may have come at any time since the one before them, so every
    /// issue is in doubt from there. The record is applied if it can be.
    fn after_gap(
        &mut self,
        record: &RawRecord<'_>,
        timing: Timing,
        fault: Fault,
        before: Option<Timestamp>,
    ) -> Result<(), Stop> {
        let bad = BadRecord { place: record.place, issue: self.named(record.scope), fault };
        self.set_aside(&bad, record.bytes)?;
        self.doubt(before, Scope::Market);
        if let (Timing::Good(ts_event), Ok(event)) = (timing, &record.event)
            && let Stage::Open { engine, .. } = &mut self.stage
            && engine.apply(&Record { ts_event, event: *event }, &mut self.sink).is_ok()
        {
            return Ok(());
        }
        self.doubt_record(record, timing);
        Ok(())
    }

    /// A bad record: the end of a strict run, set aside in a lenient one.
    #[cold]
    fn bad(&mut self, record: &RawRecord<'_>, timing: Timing, fault: Fault) -> Result<(), Stop> {
        let bad = BadRecord { place: record.place, issue: self.named(record.scope), fault };
        self.set_aside(&bad, record.bytes)?;
        self.doubt_record(record, timing);
        Ok(())
    }

    /// Puts in doubt what a bad record names: from its own time on where that can be read and is of the date, from the last
    /// good time otherwise.
    fn doubt_record(&mut self, record: &RawRecord<'_>, timing: Timing) {
        let since = match (timing, &self.stage) {
            (Timing::Good(time), _) => Some(time),
            (Timing::Backwards(time), Stage::Open { engine, .. }) if engine.plan().day.start <= time => Some(time),
            _ => self.last_time(),
        };
        self.doubt(since, record.scope.unwrap_or(Scope::Market));
        if let Some(also) = record.also {
            self.doubt_issue(since, Some(also.clone()));
        }
    }

    fn set_aside(&mut self, bad: &BadRecord, bytes: &[u8]) -> Result<(), Stop> {
        if !self.options.lenient {
            self.error = Some(DayError::Bad(bad.clone()));
            return Err(Stop);
        }
        self.reject_count += 1;
        self.last_was_bad = true;
        self.rejects.reject(bad, bytes);
        Ok(())
    }

    fn named(&self, scope: Option<Scope>) -> String {
        match scope {
            None => String::new(),
            Some(Scope::Market) => "*".to_owned(),
            Some(Scope::Issue(issue)) => match self.issues.get(issue.index()) {
                Some(Some(code)) => code.to_string(),
                _ => String::new(),
            },
        }
    }

    /// Puts the time of `scope` in doubt since a time, from the start of the day where none is known yet.
    fn doubt(&mut self, since: Option<Timestamp>, scope: Scope) {
        let code = match (scope, &mut self.stage) {
            (Scope::Market, _) => None,
            (Scope::Issue(issue), stage) => match (self.issues.get(issue.index()), stage) {
                (Some(Some(code)), _) => Some(code.clone()),
                (_, Stage::Waiting { unnamed, .. }) => {
                    unnamed.insert(issue);
                    return;
                }
                (_, Stage::Open { engine, .. }) => {
                    let since = since.unwrap_or(engine.plan().day.start);
                    let first = self.unnamed_doubts.entry(issue).or_insert(since);
                    *first = since.min(*first);
                    return;
                }
            },
        };
        self.doubt_issue(since, code);
    }

    /// The same of an issue by its code, or of every issue.
    fn doubt_issue(&mut self, since: Option<Timestamp>, issue: Option<IssueCode>) {
        let engine = match &mut self.stage {
            Stage::Open { engine, .. } => engine,
            Stage::Waiting { doubts, .. } => {
                doubts.insert(issue);
                return;
            }
        };
        let since = since.unwrap_or(engine.plan().day.start);
        // What has been told cannot be taken back.
        let from = since.max(engine.reached());
        if since < from {
            self.retroactive.add(issue.clone(), Span { start: since, end: from });
        }
        engine.doubt(from, issue.as_ref(), &mut self.sink);
    }
}

impl<S: DaySink, R: RejectSink> Receiver for Day<S, R> {
    fn issue(&mut self, index: IssueIndex, code: &IssueCode) {
        if self.issues.len() <= index.index() {
            self.issues.resize(index.index() + 1, None);
        }
        self.issues[index.index()] = Some(code.clone());
        if self.batch.as_ref().is_some_and(|batch| batch.holds(index)) && self.apply_batch().is_err() {
            return;
        }
        if let Stage::Open { engine, .. } = &mut self.stage {
            engine.define_issue(index, code);
        }
        if let Some(since) = self.unnamed_doubts.remove(&index) {
            self.doubt_issue(Some(since), Some(code.clone()));
        }
    }

    fn server(&mut self, index: ServerIndex, name: &str) {
        assert_eq!(index.index(), self.servers.len(), "servers are named in order");
        self.servers.push(name.into());
        if let Stage::Open { engine, .. } = &mut self.stage {
            engine.define_server(index, name);
        }
    }

    #[inline]
    fn record(&mut self, record: &RawRecord<'_>) -> Result<(), Stop> {
        if self.error.is_some() {
            return Err(Stop);
        }
        self.record_count += 1;
        self.last_was_bad = false;
        self.judge(record)
    }

    fn takes_compact(&self) -> bool {
        self.batch.is_some()
    }

    fn compact(&mut self, run: &CompactRun<'_>) -> Result<usize, Stop> {
        let (Some(batch), Stage::Open { progress, .. }) = (&mut self.batch, &mut self.stage) else { return Ok(0) };
        if self.error.is_some() {
            return Err(Stop);
        }
        let held = batch.hold_run(run, progress.left());
        if let Some(last) = held.checked_sub(1) {
            progress.check(Some(run.time(&run.records[last])));
            self.record_count += held as u64;
        }
        Ok(held)
    }

    fn takes_blocks(&self) -> bool {
        self.batch.is_some()
    }

    fn block(&mut self, block: &WholeBlock<'_>) -> Result<bool, Stop> {
        if self.error.is_some() {
            return Err(Stop);
        }
        self.apply_block(block)
    }

    fn again(&mut self, count: u64) -> bool {
        // What the last one has put in doubt is in doubt already.
        if !self.last_was_bad || !self.rejects.again(count) {
            return false;
        }
        self.record_count += count;
        self.reject_count += count;
        if self.last_was_unnumbered {
            self.sequencer.pass_over(count);
        }
        true
    }

    fn rest(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        if self.last_was_bad {
            self.rejects.rest(bytes);
        }
        Ok(())
    }
}

/// What is wrong with a record's time, if anything.
fn timing_fault(timing: Timing, record: &RawRecord<'_>, stage: &Stage) -> Option<Fault> {
    let Stage::Open { engine, progress } = stage else {
        return record.ts_event.map(|_| Fault::Malformed(outside_the_calendar()));
    };
    let plan = engine.plan();
    let found = |time| local_time(time, &plan.zone);
    match timing {
        Timing::Good(_) | Timing::Unreadable => None,
        Timing::Backwards(time) if plan.day.start <= time => {
            Some(Fault::TimeBackwards { found: found(time), last: local_time(progress.last(), &plan.zone) })
        }
        Timing::Backwards(time) | Timing::After(time) => Some(Fault::OtherDate { found: found(time), date: plan.date }),
    }
}

fn outside_the_calendar() -> Malformed {
    Malformed {
        field: "time",
        found: "a date outside the calendar".to_owned(),
        expected: "a date that can be measured",
    }
}

/// What is wrong with a record's sequence number, if anything.
fn order_fault(order: SequenceCheck) -> Option<Fault> {
    match order {
        SequenceCheck::Next | SequenceCheck::Unreadable => None,
        SequenceCheck::Gap { found, expected } => Some(Fault::SequenceGap { found, expected }),
        SequenceCheck::Repeat { found, last } => Some(Fault::SequenceRepeat { found, last }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_can_move_to_another_thread() {
        fn is_send<T: Send + 'static>() {}
        is_send::<Day<(), ()>>();
    }
}
