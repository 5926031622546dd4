//! The engine's own thread: a journal, read from its beginning and then followed as it grows, measured as
//! `replay --lenient` measures a file.
//!
//! Frames come over a bounded channel, many messages at once. The journal on the disk is the same bytes, so that whatever
//! has to be measured again (after a restart, for a doubt that reaches back, under another registry) reads it there.

mod so_far;
mod told;
mod work;

pub(crate) use so_far::{SoFar, so_far};
pub(crate) use told::Told;
pub(crate) use work::{Facts, Keep, Look, Work, at_once};

use crate::checkpoint::{Checkpoint, CheckpointPart, Found, Mark, Start};
use crate::clock;
use crate::disk::DiskFile;
use crate::journal::JournalReader;
use crate::ledger::LiveLedger;
use anyhow::{Context, Result, anyhow};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use hdrhistogram::Histogram;
use jiff::civil::Date;
use quoteclock_engine::{Day, DayOptions, Finished, SavedDay, UnknownWindow};
use quoteclock_feed::{FeedError, TradingDate};
use quoteclock_ledger::DayLedger;
use quoteclock_model::{Shard, Span, Timestamp};
use quoteclock_replay::{Attribution, OwnOrders};
use quoteclock_rules::{DayPlan, Registry, Variant};
use quoteclock_store::Digest;
use quoteclock_wire::journal::{self, Frame, HEAD_BYTES, Head};
use quoteclock_wire::payload::{Payload, PayloadDecoder};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Frames that wait for the engine: when there are so many, the feed waits.
const WAITING_MAX: usize = 64;
/// How long the engine saves between two frames. No part of a day that it takes at once is much longer.
const SAVES_FOR: Duration = Duration::from_micros(200);
/// How long it waits for the next frame while there is something to save.
const SAVES_AFTER: Duration = Duration::from_millis(1);

/// How long a look waits for a checkpoint to be made.
const LOOKS_AFTER: Duration = Duration::from_secs(1);

/// The day that is being measured.
pub(crate) type LiveDay = Day<LiveLedger, Told>;

/// A day that was measured to its end.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) finished: Finished,
    pub(crate) ledger: DayLedger,
}

/// The engine's thread.
#[derive(Debug)]
pub(crate) struct Measuring {
    work: Sender<Work>,
    thread: JoinHandle<Result<Option<Measured>>>,
    told: Arc<Progress>,
}

/// What the engine's thread tells while it runs.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// How far it has read the journal.
    length: AtomicU64,
    /// Whether time that it has told has turned out to be unknown since, beyond what it was told beforehand.
    told_too_early: AtomicBool,
}

/// What is measured, and under what.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) registry: Registry,
    /// The numbers of one's own orders, where the feed names nobody.
    pub(crate) own_orders: Option<Arc<OwnOrders>>,
    pub(crate) head: Head,
    pub(crate) file: Arc<dyn DiskFile>,
    /// How far the journal is written: from there on frames come as work.
    pub(crate) length: u64,
    /// Time that an earlier measurement has found to be unknown.
    pub(crate) unknown: Vec<UnknownWindow>,
    /// The part of the issues that is measured, where not all are.
    pub(crate) shard: Option<Shard>,
    /// Where it may begin instead of at the beginning, the best first.
    pub(crate) checkpoints: Vec<Found>,
    /// Where checkpoints of it go, if any are to be made.
    pub(crate) keep: Option<Keep>,
    /// The program, as checkpoints name it.
    pub(crate) program: String,
}

impl Source {
    /// The same, as far as it has been measured by now.
    fn as_far_as(&self, pass: &Pass) -> Source {
        let (length, unknown) = (pass.mark.length, pass.unknown.clone());
        Source { length, unknown, checkpoints: Vec::new(), keep: None, ..self.clone() }
    }
}

impl Measuring {
    /// Starts to measure the journal, from its beginning or a checkpoint.
    pub(crate) fn start(source: Source) -> Result<Measuring> {
        let (work, given) = bounded(WAITING_MAX);
        let thread = std::thread::Builder::new().name("engine".to_owned());
        let told = Arc::new(Progress::default());
        let progress = Arc::clone(&told);
        let thread = thread.spawn(move || run(source, &given, &progress)).context("starting the engine's thread")?;
        Ok(Measuring { work, thread, told })
    }

    /// How far it has read the journal.
    pub(crate) fn length(&self) -> u64 {
        self.told.length.load(Ordering::Acquire)
    }

    /// Whether its day has to be measured again, because time that it has told has turned out to be unknown.
    pub(crate) fn told_too_early(&self) -> bool {
        self.told.told_too_early.load(Ordering::Acquire)
    }

    /// Whether it has stopped by itself.
    pub(crate) fn has_stopped(&self) -> bool {
        self.thread.is_finished()
    }

    /// Where work goes.
    pub(crate) fn work(&self) -> &Sender<Work> {
        &self.work
    }

    /// Waits for the end of the day; `None` if the session has not ended.
    pub(crate) fn join(self) -> Result<Option<Measured>> {
        drop(self.work);
        match self.thread.join() {
            Ok(result) => result,
            Err(_) => Err(anyhow!("the engine's thread has panicked")),
        }
    }
}

/// A pass over a journal.
struct Pass {
    day: LiveDay,
    decoder: PayloadDecoder,
    /// What gives one's own orders their servers, between the two. It is not kept: such a day has no checkpoints.
    own: Option<Attribution>,
    ended: bool,
    /// How far the journal has been read.
    mark: Mark,
    /// What it was told beforehand to be unknown.
    unknown: Vec<UnknownWindow>,
    shard: Option<Shard>,
    /// Whether a checkpoint is being made.
    is_saving: bool,
    /// When the last one began.
    kept: Instant,
    /// The longest stop for the one that is being made.
    stop_max: Duration,
    /// Gaps so far.
    gaps: u64,
    /// From socket to verdict, of the last frame.
    lag_us: u64,
}

impl Pass {
    /// From the beginning of the journal.
    fn new(source: &Source, unknown: Vec<UnknownWindow>) -> Result<Pass> {
        let Source { registry, head, shard, .. } = source;
        let date = head.date.and_then(civil_date);
        let day = Day::new(registry, options(date, unknown.clone(), *shard), LiveLedger::default(), Told::default())?;
        let decoder = journal::payload_decoder(head, midnight(registry, head)?);
        let mark = Mark { length: HEAD_BYTES as u64, next: journal::first_number(head), chain: 0 };
        let own = source.own_orders.clone().map(Attribution::new);
        Ok(Pass { own, ..Pass::at(mark, day, decoder, (unknown, *shard)) })
    }

    fn at(
        mark: Mark,
        day: LiveDay,
        decoder: PayloadDecoder,
        (unknown, shard): (Vec<UnknownWindow>, Option<Shard>),
    ) -> Pass {
        let (is_saving, kept, stop_max) = (false, Instant::now(), Duration::ZERO);
        let own = None;
        Pass { day, decoder, own, ended: false, mark, unknown, shard, is_saving, kept, stop_max, gaps: 0, lag_us: 0 }
    }

    /// From the best checkpoint that can be used, otherwise from the beginning.
    fn start(source: &Source) -> Result<Pass> {
        // What gives one's own orders their servers knows those of the records before, too.
        let checkpoints = if source.own_orders.is_none() { &source.checkpoints[..] } else { &[] };
        for found in checkpoints {
            match Pass::resume(source, found) {
                Ok(pass) => {
                    let (next, left) = (pass.mark.next, source.length.saturating_sub(pass.mark.length));
                    tracing::info!(next, journal_bytes_left = left, "measuring from a checkpoint on");
                    return Ok(pass);
                }
                Err(error) => {
                    let error = format!("{error:#}");
                    tracing::warn!(checkpoint = %found.path.display(), error, "is not used");
                }
            }
        }
        Pass::new(source, source.unknown.clone())
    }

    fn resume(source: &Source, found: &Found) -> Result<Pass> {
        let Source { registry, head, program, shard, .. } = source;
        let Checkpoint { start, issues, ledger, uncounted } = found.read()?;
        let Start { mark, program: made_by, plan, unknown, rejects, decoder, day } = start;
        if made_by != *program {
            return Err(anyhow!("it is of {made_by}, expected {program}"));
        }
        let decoder = PayloadDecoder::restore(&decoder, midnight(registry, head)?).context("its decoder's state")?;
        let date = head.date.and_then(civil_date);
        let (options, ledger) = (options(date, unknown.clone(), *shard), LiveLedger::new(ledger, uncounted));
        let day = Day::restore(registry, options, ledger, Told(rejects), SavedDay { state: &day, issues: &issues })?;
        let planned = day.engine().map(|engine| engine.plan());
        let obligations = planned.map_or(0, |plan| plan.sign_ups.iter().map(|of| of.obligations.len()).sum());
        let mut day = day;
        if plan != day.engine().map(|engine| Digest::of_plan(engine.plan()))
            || obligations != day.sink_mut().open().totals().len()
        {
            return Err(anyhow!("the registry requires something else of the day now"));
        }
        Ok(Pass::at(mark, day, decoder, (unknown, *shard)))
    }

    /// Whether time that has been told has turned out to be unknown, beyond what was known beforehand.
    fn told_too_early(&self) -> bool {
        self.day.has_retroactive() && self.day.retroactive() != self.unknown
    }

    fn take(&mut self, frame: &Frame<'_>) -> Result<()> {
        self.ended |= frame.is_last();
        self.gaps += u64::from(matches!(frame, Frame::Gap { .. }));
        self.mark.next = frame.follows(self.mark.next).unwrap_or(self.mark.next);
        let delivered = match &mut self.own {
            None => frame.deliver(&mut self.decoder, &mut self.day),
            Some(own) => frame.deliver(&mut self.decoder, &mut own.before(&mut self.day)),
        };
        match delivered {
            // The day keeps why it has stopped, and says so in the end.
            Ok(()) | Err(FeedError::Stopped) => Ok(()),
            Err(error) => Err(error).context("the first message"),
        }
    }

    /// Reads the frames of a journal up to `length`.
    fn read(&mut self, file: &Arc<dyn DiskFile>, length: u64) -> Result<()> {
        let mut reader = JournalReader::from(Arc::clone(file), self.mark.length, self.mark.chain);
        while reader.position() < length
            && let Some(frame) = reader.next().context("reading the journal")?
        {
            self.take(&frame)?;
            (self.mark.length, self.mark.chain) = (reader.position(), reader.chain());
        }
        Ok(())
    }

    /// Sees to checkpoints, for a short while.
    fn keep(&mut self, source: &Source, keep: &Keep) {
        let started = Instant::now();
        if !self.is_saving {
            let is_due = keep.every <= started.duration_since(self.kept);
            if !is_due || !keep.keeper.has_room() || !self.decoder.can_save() || self.own.is_some() {
                return;
            }
            self.kept = started;
            self.stop_max = Duration::ZERO;
            self.is_saving = self.begin_save(source, keep);
        } else {
            self.save_on(keep, started);
        }
        self.stop_max = self.stop_max.max(started.elapsed());
        if !self.is_saving {
            let stop_us = u64::try_from(self.stop_max.as_micros()).unwrap_or(u64::MAX);
            tracing::info!(longest_stop_us = stop_us, "a checkpoint has been taken");
        }
    }

    fn begin_save(&mut self, source: &Source, keep: &Keep) -> bool {
        // A lenient day holds nothing back.
        let (Some(decoder), Ok(day)) = (self.decoder.save(), self.day.begin_save()) else { return false };
        self.day.sink_mut().begin_save();
        let start = Start {
            mark: self.mark,
            program: source.program.clone(),
            plan: None,
            unknown: self.unknown.clone(),
            rejects: self.day.rejects_mut().0,
            decoder,
            day,
        };
        let plan = self.day.engine().map(|engine| Arc::clone(engine.plan()));
        keep.keeper.begin(source.head.session, &source.file, plan, start)
    }

    /// Hands over parts until some time has gone by, or all are given.
    fn save_on(&mut self, keep: &Keep, started: Instant) {
        while keep.keeper.has_room() && started.elapsed() < SAVES_FOR {
            let part = match self.day.save_next() {
                Some(issue) => Some(CheckpointPart::Issue(Box::new(issue))),
                None => self.day.sink_mut().save_next(),
            };
            match part {
                Some(part) => keep.keeper.part(part),
                None => {
                    keep.keeper.end();
                    self.is_saving = false;
                    return;
                }
            }
        }
    }

    /// Goes on under another registry, if the day as it stands can: where nothing differs but a Fast Market, of which every
    /// variant is measured, or exemptions in time to come. Says whether it does.
    fn take_registry(&mut self, registry: &Registry) -> Result<bool> {
        if self.day.take_registry(registry)? {
            return Ok(true);
        }
        let Some((old, now)) = self.day.engine().map(|engine| (Arc::clone(engine.plan()), engine.reached())) else {
            return Ok(false);
        };
        let new = registry.plan_in_variants(old.date).map_err(|error| anyhow!("date {}: {error}", old.date))?;
        let new = self.shard.map_or_else(|| new.clone(), |shard| new.of_shard(shard));
        if !agree_before(&old, &new, now) {
            return Ok(false);
        }
        self.is_saving = false;
        let Ok(state) = self.day.begin_save() else { return Ok(false) };
        let mut issues: Vec<_> = std::iter::from_fn(|| self.day.save_next()).collect();
        issues.sort_unstable_by_key(|issue| issue.number);
        let ledger = self.day.sink_mut();
        let ledger = LiveLedger::new(ledger.open().clone(), ledger.uncounted().to_vec());
        let rejects = Told(self.day.rejects_mut().0);
        let options = options(Some(old.date), self.unknown.clone(), self.shard);
        self.day = Day::restore(registry, options, ledger, rejects, SavedDay { state: &state, issues: &issues })?;
        Ok(true)
    }

    fn finish(self) -> Result<Measured> {
        let Pass { mut day, decoder, mut own, .. } = self;
        let stated = decoder.stated_date().and_then(civil_date);
        let ended = match &mut own {
            None => decoder.finish(&mut day),
            Some(own) => decoder.finish(&mut own.before(&mut day)),
        };
        match ended {
            Ok(()) | Err(FeedError::Stopped) => {}
            Err(error) => return Err(error.into()),
        }
        // The day keeps why it has stopped.
        let _ = day.end_of_input(stated);
        let (mut finished, ledger, _) = day.finish()?;
        finished.coverage.extend(own.iter().flat_map(Attribution::unseen));
        finished.coverage.sort();
        let Variant { plan, positions } = finished.plan.variant(finished.plan.multiplier);
        let ledger = ledger.into_open().close().variant(&positions);
        Ok(Measured { finished: Finished { plan: Arc::new(plan), ..finished }, ledger })
    }
}

/// A running day is lenient, and its Fast Market may still be declared.
fn options(date: Option<Date>, unknown: Vec<UnknownWindow>, shard: Option<Shard>) -> DayOptions {
    DayOptions { lenient: true, date, unknown, variants: true, shard, ..DayOptions::default() }
}

/// What times that count from midnight count from.
pub(crate) fn midnight(registry: &Registry, head: &Head) -> Result<Timestamp> {
    match (head.payload, head.date.and_then(civil_date)) {
        (Payload::Itch, Some(date)) => {
            Ok(registry.plan(date).map_err(|error| anyhow!("date {date}: {error}"))?.day.start)
        }
        (Payload::Itch, None) => Err(anyhow!("ITCH without a date, expected one in the journal's head")),
        _ => Ok(Timestamp::MIN),
    }
}

/// Whether two plans require the same before `now`, and differ after it in exemptions alone.
fn agree_before(old: &DayPlan, new: &DayPlan, now: Timestamp) -> bool {
    let past = |plan: &DayPlan| {
        let mut plan = DayPlan { multiplier: 1, ..plan.clone() };
        let before = Span { start: plan.day.start, end: now };
        for sign_up in &mut plan.sign_ups {
            sign_up.exempt = sign_up.exempt.iter().filter_map(|exempt| exempt.clip(before)).collect();
        }
        plan
    };
    past(old) == past(new)
}

/// Measures a journal whose session has ended, as it stands on the disk.
pub(crate) fn measure_again(source: &Source) -> Result<Measured> {
    let mut pass = Pass::start(source)?;
    pass.read(&source.file, source.length)?;
    to_the_end(source, pass)
}

/// Ends a pass over a whole journal; measures it once more where time has turned out to be unknown after it was told.
fn to_the_end(source: &Source, mut pass: Pass) -> Result<Measured> {
    let (length, known) = (pass.mark.length, std::mem::take(&mut pass.unknown));
    let measured = pass.finish()?;
    if measured.finished.retroactive.is_empty() || measured.finished.retroactive == known {
        return Ok(measured);
    }
    tracing::info!("measuring the day again: a bad record has put time in doubt that was measured before it came");
    let mut pass = Pass::new(source, measured.finished.retroactive)?;
    pass.read(&source.file, length)?;
    pass.finish()
}

fn run(mut source: Source, work: &Receiver<Work>, told: &Progress) -> Result<Option<Measured>> {
    let mut pass = Pass::start(&source)?;
    pass.read(&source.file, source.length)?;
    let mut keep = source.keep.take();
    // Up to a minute, to two digits.
    let mut latency =
        Histogram::<u64>::new_with_bounds(1, 60_000_000, 2).map_err(|_| anyhow!("the latency's bounds"))?;
    let (mut looks, mut is_looking) = (VecDeque::<(Look, Instant)>::new(), false);
    while !pass.ended {
        told.told_too_early.store(pass.told_too_early(), Ordering::Release);
        told.length.store(pass.mark.length, Ordering::Release);
        let wait = match (pass.is_saving, looks.is_empty()) {
            (true, _) => SAVES_AFTER,
            (false, false) => Duration::ZERO,
            (false, true) => Duration::MAX,
        };
        let given = match work.recv_timeout(wait) {
            Ok(given) => Some(given),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return Ok(None),
        };
        match given {
            Some(Work::Frame(bytes, received)) => {
                let Ok(Some((frame, _))) = Frame::read(&bytes) else {
                    return Err(anyhow!("a frame that was not written"));
                };
                pass.take(&frame)?;
                pass.mark.length += bytes.len() as u64;
                pass.mark.chain = journal::chain(pass.mark.chain, &bytes);
                let micros = clock::now().saturating_sub(received).as_micros();
                let count = if let Frame::Messages { count, .. } = frame { u64::from(count) } else { 1 };
                pass.lag_us = u64::try_from(micros).unwrap_or(u64::MAX);
                latency.saturating_record_n(pass.lag_us, count);
            }
            Some(Work::ReadTo(length)) => pass.read(&source.file, length)?,
            Some(Work::Look(look)) => looks.push_back((look, Instant::now())),
            Some(Work::Keep(given)) => keep = Some(given),
            Some(Work::Journal(answer)) => drop(answer.send(source.as_far_as(&pass))),
            Some(Work::Take(registry, answer)) => {
                let taken = pass.take_registry(&registry);
                if matches!(taken, Ok(true)) {
                    source.registry = registry;
                }
                // Whoever asked may have gone.
                let _ = answer.send(taken);
            }
            None => {}
        }
        // A checkpoint and a look each wait for the end of the other: a look would have to save what is left of it at once.
        if let Some(keep) = keep.as_ref().filter(|_| !is_looking) {
            pass.keep(&source, keep);
        }
        if let Some((look, asked)) = looks.front_mut()
            && (is_looking || !pass.is_saving || LOOKS_AFTER < asked.elapsed())
        {
            let facts = facts(&pass, &latency);
            is_looking = !look(&mut pass.day, &facts);
            if !is_looking {
                looks.pop_front();
            }
        }
    }
    tracing::info!(
        messages = latency.len(),
        p50_us = latency.value_at_quantile(0.5),
        p99_us = latency.value_at_quantile(0.99),
        p999_us = latency.value_at_quantile(0.999),
        max_us = latency.max(),
        "from socket to verdict"
    );
    to_the_end(&source, pass).map(Some)
}

fn facts(pass: &Pass, latency: &Histogram<u64>) -> Facts {
    let of = |share| latency.value_at_quantile(share);
    let latency_us = [of(0.5), of(0.99), of(0.999), latency.max()];
    Facts { latency_us, lag_us: pass.lag_us, messages: latency.len(), next: pass.mark.next, gaps: pass.gaps }
}

/// The same date as the calendar's type.
pub(crate) fn civil_date(date: TradingDate) -> Option<Date> {
    let part = |number: u8| i8::try_from(number).ok();
    Date::new(i16::try_from(date.year()).ok()?, part(date.month())?, part(date.day())?).ok()
}

/// The same date as the feed's type.
pub(crate) fn trading_date(date: Date) -> Option<TradingDate> {
    TradingDate::new(u16::try_from(date.year()).ok()?, date.month().unsigned_abs(), date.day().unsigned_abs())
}

#[cfg(test)]
pub(crate) mod tests;
