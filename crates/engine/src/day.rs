//! One day's input: each record judged for its place, then measured, refused or set aside.

mod doubt;
mod finish;
mod judge;
mod open;
mod save;
mod sources;

use crate::batch::EventBatch;
use crate::coverage::Coverage;
use crate::engine::{Engine, MeasureIndex};
use crate::executor::{Executor, SingleThread};
use crate::faults::{About, BadRecord, DayError, Fault};
use crate::group::GroupFault;
use crate::order_checks::{DayProgress, Sequencer};
use crate::retroactive::{RetroactiveWindows, UnknownWindow};
use crate::until::Until;
use jiff::civil::Date;
use quoteclock_feed::binary::BlockTimes;
use quoteclock_feed::{Place, Stop};
use quoteclock_model::{DayTurnover, IssueCode, IssueIndex, Scope, Shard, Span, Timestamp};
use quoteclock_obligation::{DaySink, IntervalSink, IssueMeasure};
use quoteclock_rules::{DayPlan, Registry};
use sources::Sources;
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
    /// Codes of issues that an earlier run over the same input has found only after bad records of theirs: see
    /// [`Finished::late_names`].
    pub late_names: Vec<(IssueIndex, IssueCode)>,
    /// Measure what a Fast Market widens under each multiplier, side by side: see
    /// [`Registry::plan_in_variants`](quoteclock_rules::Registry::plan_in_variants). For a day whose Fast Market may be declared
    /// while it runs.
    pub variants: bool,
    /// Up to when the day is measured, if not to its end: reading stops at the first record of that time or later.
    pub until: Option<Until>,
    /// Measure the issues of one shard only. Whatever concerns the whole market, and where a record may stand, is judged as in
    /// the whole day. In a strict run in batches the events of other issues are passed over: what does not fit their books is
    /// for their shards to find. A lenient one keeps their books, so that all shards set the same records aside.
    pub shard: Option<Shard>,
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

    /// Takes note that what follows is of the input at `index`, where a day has several.
    fn source(&mut self, index: usize) {
        let _ = index;
    }
}

/// Drops the records that are set aside: for a strict run, which sets none aside, and for whoever does not look at them.
#[derive(Debug, Default)]
pub struct NoRejects;

impl RejectSink for NoRejects {
    fn reject(&mut self, _: &BadRecord, _: &[u8]) {}
    fn rest(&mut self, _: &[u8]) {}

    fn again(&mut self, _: u64) -> bool {
        true
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
    /// The servers that added an order, sorted: registering any other one otherwise alters no figure of the day.
    pub servers_heard: Vec<String>,
    /// Up to when the day was measured, if not to its end.
    pub until: Option<Timestamp>,
    /// If not empty, records were set aside before the code of their issue came: run the same input again with these.
    pub late_names: Vec<(IssueIndex, IssueCode)>,
}

/// One day, pushed record by record through [`Receiver`](quoteclock_feed::Receiver).
///
/// It shares its registry and borrows nothing: a day can move to another thread, or live as long as a feed does.
#[derive(Debug)]
pub struct Day<S, R> {
    registry: Registry,
    options: DayOptions,
    pub(crate) sink: S,
    rejects: R,
    pub(crate) sequencer: Sequencer,
    /// Where the day has several inputs: how the others stand.
    sources: Sources,
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
    /// Issues of records set aside whose code was not known then.
    unnamed_rejects: BTreeSet<IssueIndex>,
    /// Those of them whose code has come since.
    late_names: Vec<(IssueIndex, IssueCode)>,
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
        Day::unopened(registry, options, sink, rejects).opened()
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
        let executor = Box::new(executor);
        Day { batch, executor, ..Day::unopened(registry, options, sink, rejects) }.opened()
    }

    /// A day whose date is not known yet.
    fn unopened(registry: &Registry, options: DayOptions, sink: S, rejects: R) -> Self {
        let sequencer = Sequencer::new(options.allow_gaps);
        Day {
            registry: registry.clone(),
            options,
            sink,
            rejects,
            sequencer,
            sources: Sources::default(),
            batch: None,
            executor: Box::new(SingleThread),
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
            unnamed_rejects: BTreeSet::new(),
            late_names: Vec::new(),
            cut: None,
            error: None,
        }
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
        let about = self.about(Some(Scope::Issue(issue)));
        self.set_aside(&BadRecord { place, about, fault }, &[])
    }

    /// Takes note that the input breaks off or is corrupted at `place`, after `unfinished`, the beginning of a record.
    /// With `whole`, nothing that was read is certain: a checksum over all of it is wrong.
    ///
    /// # Errors
    /// [`Stop`] in a strict run.
    pub fn broken(&mut self, place: Place, problem: &str, whole: bool, unfinished: &[u8]) -> Result<(), Stop> {
        self.apply_batch()?;
        let fault = Fault::Broken { problem: problem.to_owned() };
        self.set_aside(&BadRecord { place, about: About::Nothing, fault }, unfinished)?;
        if whole && let Stage::Open { engine, progress } = &self.stage {
            let span = Span { start: engine.plan().day.start, end: progress.last() };
            self.retroactive.add(None, span);
        }
        self.doubt_issue(self.last_time(), None);
        Ok(())
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

    /// The plan of the whole day, also where it is measured up to an earlier time only; `None` before the date is known.
    pub fn whole_plan(&self) -> Option<&Arc<DayPlan>> {
        match &self.cut {
            Some((whole, _)) => Some(whole),
            None => self.engine().map(Engine::plan),
        }
    }

    /// Up to when the day is measured, if not to its end; `None` before the date is known, too.
    pub fn until(&self) -> Option<Timestamp> {
        self.cut.as_ref().map(|(_, until)| *until)
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

    pub(crate) fn engine_mut(&mut self) -> Option<&mut Engine> {
        self.engine_and_sink().map(|(engine, _)| engine)
    }

    pub(crate) fn engine_and_sink(&mut self) -> Option<(&mut Engine, &mut S)> {
        match &mut self.stage {
            Stage::Open { engine, .. } => Some((engine, &mut self.sink)),
            Stage::Waiting { .. } => None,
        }
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
