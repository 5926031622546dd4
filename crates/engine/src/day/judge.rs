//! Judges each record's place: its sequence number, its time, its date; then it is applied, held back, refused or set aside.

use super::{Day, RejectSink, Stage};
use crate::faults::{About, BadRecord, DayError, Fault};
use crate::order_checks::{SequenceCheck, Timing};
use quoteclock_feed::binary::WholeBlock;
use quoteclock_feed::{CompactRun, Malformed, Place, RawRecord, Receiver, Sequence, Stop};
use quoteclock_model::{IssueCode, IssueIndex, MarketEvent, Record, Scope, ServerIndex, Span, Timestamp};
use quoteclock_obligation::DaySink;
use quoteclock_rules::local_time;

impl<S: DaySink, R: RejectSink> Day<S, R> {
    /// Whether `record` comes where one may: nothing is wrong with its form, its time or its number.
    #[inline]
    pub fn follows(&self, record: &RawRecord<'_>) -> bool {
        let Stage::Open { progress, .. } = &self.stage else { return false };
        let in_time = record.ts_event.is_some_and(|time| progress.left().contains(time));
        in_time && record.event.is_ok() && self.sequencer.is_next(record.sequence)
    }

    /// Counts a record that [follows](Day::follows), and applies nothing: for whoever watches other issues only, in a strict
    /// run. Whether it fits the book of its issue is not known then.
    #[inline]
    pub fn pass_over(&mut self, record: &RawRecord<'_>) {
        debug_assert!(self.follows(record), "{record:?}");
        let Stage::Open { progress, .. } = &mut self.stage else { return };
        progress.check(record.ts_event);
        self.sequencer.check(record.sequence);
        self.record_count += 1;
    }

    /// The same of the first `count` records of a run that is in order. Says whether they follow; nothing has changed if not.
    pub fn pass_over_run(&mut self, run: &CompactRun<'_>, count: usize) -> bool {
        let ([first, ..], Some(last)) = (run.records, count.checked_sub(1)) else { return false };
        let (first, last) = (run.time(first), run.time(&run.records[last]));
        let Stage::Open { progress, .. } = &mut self.stage else { return false };
        if !run.in_order
            || !progress.holds(Span { start: first, end: last })
            || !run.sequence.is_none_or(|first| self.sequencer.check_run(first, count))
        {
            return false;
        }
        progress.check(Some(last));
        self.record_count += count as u64;
        true
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
        self.judge_bad(record, timing, order, (before, true))
    }

    /// The same of a record that is not applied.
    pub(super) fn judge_passed(&mut self, record: &RawRecord<'_>) -> Result<(), Stop> {
        let before = self.last_time();
        let timing = self.time(record.ts_event)?;
        let order = self.sequencer.check(record.sequence);
        match (timing, order, &record.event) {
            (Timing::Good(_), SequenceCheck::Next, Ok(_)) => Ok(()),
            _ => self.judge_bad(record, timing, order, (before, false)),
        }
    }

    /// The latest good time so far; `None` before the date is known.
    #[inline]
    pub(super) fn last_time(&self) -> Option<Timestamp> {
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

    /// A record with something wrong about it, after those up to `before`; it `is_applied` if it can be.
    #[cold]
    fn judge_bad(
        &mut self,
        record: &RawRecord<'_>,
        timing: Timing,
        order: SequenceCheck,
        (before, is_applied): (Option<Timestamp>, bool),
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
            let before = self.sources.since(before);
            self.gap(record, first, before)?;
            self.after_gap(record, timing, is_applied);
            return Ok(());
        }
        self.bad(record, timing, first)
    }

    /// The record before which others are missing: they may have come at any time since the one before them, so every
    /// issue is in doubt from there.
    fn gap(&mut self, record: &RawRecord<'_>, fault: Fault, before: Option<Timestamp>) -> Result<(), Stop> {
        let bad = BadRecord { place: record.place, about: self.about(record.scope), fault };
        self.set_aside(&bad, record.bytes)?;
        self.doubt(before, Scope::Market);
        Ok(())
    }

    /// Applies the record after a gap, if it can be.
    fn after_gap(&mut self, record: &RawRecord<'_>, timing: Timing, is_applied: bool) {
        if let (Timing::Good(ts_event), Ok(event)) = (timing, &record.event)
            && let Stage::Open { engine, .. } = &mut self.stage
            && (!is_applied || engine.apply(&Record { ts_event, event: *event }, &mut self.sink).is_ok())
        {
            return;
        }
        self.doubt_record(record, timing);
    }

    /// A bad record: the end of a strict run, set aside in a lenient one.
    #[cold]
    fn bad(&mut self, record: &RawRecord<'_>, timing: Timing, fault: Fault) -> Result<(), Stop> {
        let bad = BadRecord { place: record.place, about: self.about(record.scope), fault };
        self.set_aside(&bad, record.bytes)?;
        self.doubt_record(record, timing);
        Ok(())
    }

    pub(super) fn set_aside(&mut self, bad: &BadRecord, bytes: &[u8]) -> Result<(), Stop> {
        if !self.options.lenient {
            self.error = Some(DayError::Bad(bad.clone()));
            return Err(Stop);
        }
        self.reject_count += 1;
        self.last_was_bad = true;
        self.rejects.reject(bad, bytes);
        Ok(())
    }

    /// What a bad record is about. An index may get its code only later, which a second run then knows.
    pub(super) fn about(&mut self, scope: Option<Scope>) -> About {
        match scope {
            None => About::Nothing,
            Some(Scope::Market) => About::Market,
            Some(Scope::Issue(issue)) => {
                let late = || self.options.late_names.iter().find(|(index, _)| *index == issue).map(|(_, code)| code);
                match self.issues.get(issue.index()).and_then(Option::as_ref).or_else(late) {
                    Some(code) => About::Issue(code.clone()),
                    None => {
                        self.unnamed_rejects.insert(issue);
                        About::Nothing
                    }
                }
            }
        }
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
        if self.unnamed_rejects.remove(&index) {
            self.late_names.push((index, code.clone()));
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
        if !run.sequence.is_none_or(|first| self.sequencer.is_next(Sequence::Given(first))) {
            return Ok(0);
        }
        let held = batch.hold_run(run, progress.left());
        if let Some(last) = held.checked_sub(1) {
            progress.check(Some(run.time(&run.records[last])));
            if let Some(first) = run.sequence {
                self.sequencer.check_run(first, held);
            }
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
