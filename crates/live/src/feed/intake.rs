//! What every feed hands its messages to: gathered into frames, written to the journal, passed on to the engine.
//!
//! The journal is made when the session is known and, where nobody has said what its messages are, its first message has
//! come. Frames wait for the engine in order; while any do, the feed reads nothing.

use crate::clock;
use crate::disk::DiskFile;
use crate::folder::Folder;
use crate::health::Health;
use crate::journal::{Journal, SessionEnd, Stage};
use crate::measure::{Keep, Measured, Measuring, Source, Work, at_once, trading_date};
use crate::under::Under;
use anyhow::{Context, Result, anyhow};
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use jiff::civil::Date;
use quoteclock_engine::UnknownWindow;
use quoteclock_model::{Shard, Timestamp};
use quoteclock_rules::Registry;
use quoteclock_wire::SessionId;
use quoteclock_wire::journal::{Head, Whole, begin_frame, finish_bytes, finish_messages, put_gap};
use quoteclock_wire::payload::Payload;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

/// What is gathered before a frame is written in any case.
const FRAME_BYTES: usize = 1 << 18;
/// How long the disk is left alone between two syncs.
const SYNC_EVERY: Duration = Duration::from_millis(20);

/// The engine's inbox, for whoever wants to look at the running day.
pub(crate) type Inbox = Arc<Mutex<Option<Sender<Work>>>>;

/// Told how an order has ended.
pub(crate) type Done = Box<dyn FnOnce(std::result::Result<(), String>) + Send>;

/// What others want of the running day.
pub(crate) struct Remeasurement {
    /// Measured under this from now on.
    pub(crate) under: Under,
    /// Told once the day is measured so, from its beginning; or why it cannot be.
    pub(crate) done: Done,
}

impl std::fmt::Debug for Remeasurement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Remeasurement")
    }
}

/// A measurement that catches up.
struct Beside {
    measuring: Measuring,
    under: Under,
    /// How far it has been told to read.
    told: u64,
    done: Vec<Done>,
}

impl std::fmt::Debug for Beside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Beside {{ told: {} }}", self.told)
    }
}

/// What is left to read when a measurement takes over: the feed waits for as long as that takes.
const TAKE_OVER_BYTES: u64 = 1 << 20;

/// Takes the messages of one session after the other.
#[derive(Debug)]
pub(crate) struct Intake {
    pub(crate) folder: Folder,
    pub(crate) under: Under,
    payload: Option<Payload>,
    date: Option<Date>,
    feed: String,
    shard: Option<Shard>,
    pub(crate) health: Arc<Health>,
    syncer: Syncer,
    keep: Keep,
    inbox: Inbox,
    journal: Option<Journal>,
    measuring: Option<Measuring>,
    /// The same day measured again beside it, which takes over once it has caught up.
    beside: Option<Beside>,
    orders: Receiver<Remeasurement>,
    /// The session that was accepted, before there is a journal.
    session: Option<SessionId>,
    /// A session that has ended here: it is not followed again.
    ended: Option<SessionId>,
    /// Of a session that is a shard's: what the source has said of the whole at its end.
    whole: Option<Whole>,
    frame: Vec<u8>,
    gathered: u32,
    received: Duration,
    waiting: VecDeque<Work>,
}

/// What is followed.
pub(crate) struct Followed {
    /// What its messages say, where the options tell.
    pub(crate) payload: Option<Payload>,
    /// Its date, where the options tell.
    pub(crate) date: Option<Date>,
    /// Where it comes from, for people.
    pub(crate) feed: String,
    /// The part of the issues that is measured, where not all are.
    pub(crate) shard: Option<Shard>,
    /// Told when the source is heard of.
    pub(crate) health: Arc<Health>,
}

impl Intake {
    pub(crate) fn new(
        folder: Folder,
        under: Under,
        Followed { payload, date, feed, shard, health }: Followed,
        (syncer, keep): (Syncer, Keep),
        (inbox, orders): (Inbox, Receiver<Remeasurement>),
    ) -> Intake {
        Intake {
            folder,
            under,
            orders,
            beside: None,
            payload,
            date,
            feed,
            shard,
            health,
            syncer,
            keep,
            inbox,
            journal: None,
            measuring: None,
            session: None,
            ended: None,
            whole: None,
            frame: Vec::new(),
            gathered: 0,
            received: Duration::ZERO,
            waiting: VecDeque::new(),
        }
    }

    /// Goes on with a journal that is there; with `replay` its day is measured again from the beginning beside.
    pub(crate) fn resume(&mut self, journal: Journal, replay: bool) -> Result<()> {
        self.measure(&journal)?;
        if replay {
            tracing::info!("measuring the day again beside the running one: it was asked for");
            let measuring = Measuring::start(self.source_of(&journal, &self.under, Vec::new()))?;
            let under = self.under.clone();
            self.beside = Some(Beside { measuring, under, told: journal.length, done: Vec::new() });
        }
        self.session = journal.head.session;
        self.journal = Some(journal);
        Ok(())
    }

    /// The session that is followed, if one has been settled on.
    pub(crate) fn session(&self) -> Option<SessionId> {
        self.session
    }

    /// Settles on a session that the user has named.
    pub(crate) fn want(&mut self, session: Option<SessionId>) {
        self.session = self.session.or(session);
    }

    /// The number of the next message.
    pub(crate) fn next(&self) -> u64 {
        let written = self.journal.as_ref().map_or(1, |journal| journal.next);
        written + u64::from(self.gathered)
    }

    /// Whether `session` is one that has ended here.
    pub(crate) fn has_ended(&self, session: SessionId) -> bool {
        self.ended == Some(session)
    }

    /// The session that ends is a shard of this.
    pub(crate) fn is_of(&mut self, whole: Option<Whole>) {
        self.whole = whole;
    }

    /// A session has been found.
    pub(crate) fn found(&mut self, session: SessionId) -> Result<()> {
        if self.session.replace(session) != Some(session) {
            tracing::info!(%session, "following a session");
        }
        if self.journal.is_none()
            && let Some(payload) = self.payload
        {
            self.open_journal(payload, Some(session))?;
        }
        Ok(())
    }

    /// Makes the journal of a pipe.
    pub(crate) fn found_pipe(&mut self, payload: Payload) -> Result<()> {
        self.open_journal(payload, None)
    }

    /// The journal, once there is one.
    pub(crate) fn journal(&self) -> Option<&Journal> {
        self.journal.as_ref()
    }

    fn open_journal(&mut self, payload: Payload, session: Option<SessionId>) -> Result<()> {
        let mut date = self.date;
        if payload == Payload::Itch && date.is_none() {
            // Its times count from midnight of the day on which it arrives.
            let now = Timestamp::from_micros(jiff::Timestamp::now().as_microsecond());
            date = Some(self.under.registry.local_date(now).map_err(|error| anyhow!("today's date: {error}"))?);
        }
        let date = date.and_then(trading_date);
        let journal = self.folder.create(Head { payload, session, date, feed: self.feed.clone() })?;
        tracing::info!(journal = %journal.name(), %payload, "writing a journal");
        self.measure(&journal)?;
        self.journal = Some(journal);
        Ok(())
    }

    fn measure(&mut self, journal: &Journal) -> Result<()> {
        let mut source = self.source_of(journal, &self.under, Vec::new());
        source.checkpoints = journal.checkpoints.clone();
        source.keep = Some(self.keep.clone());
        let measuring = Measuring::start(source)?;
        *self.inbox.lock().map_err(|_| anyhow!("a thread panicked"))? = Some(measuring.work().clone());
        self.measuring = Some(measuring);
        Ok(())
    }

    /// Takes the next message.
    pub(crate) fn message(&mut self, bytes: &[u8]) -> Result<()> {
        if self.journal.is_none() {
            self.open_journal(Payload::recognise(bytes), self.session)?;
        }
        let length = u16::try_from(bytes.len()).context("a message that is longer than its protocol carries")?;
        self.begin();
        self.frame.extend_from_slice(&length.to_be_bytes());
        self.frame.extend_from_slice(bytes);
        self.gathered += 1;
        if FRAME_BYTES <= self.frame.len() { self.flush() } else { Ok(()) }
    }

    /// Takes the next messages, each with its length before it.
    pub(crate) fn blocks(&mut self, count: u64, mut blocks: &[u8]) -> Result<()> {
        if self.journal.is_none() {
            let first = quoteclock_wire::mold::block(blocks).map_or(&[][..], |(first, _)| first);
            self.open_journal(Payload::recognise(first), self.session)?;
        }
        if blocks.len() < FRAME_BYTES {
            self.begin();
            self.frame.extend_from_slice(blocks);
            self.gathered += u32::try_from(count).context("more messages than can be counted")?;
            return if FRAME_BYTES <= self.frame.len() { self.flush() } else { Ok(()) };
        }
        while let Some((message, rest)) = quoteclock_wire::mold::block(blocks) {
            self.message(message)?;
            blocks = rest;
        }
        Ok(())
    }

    /// Takes the next bytes of a pipe.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        for part in bytes.chunks(FRAME_BYTES) {
            begin_frame(&mut self.frame);
            self.frame.extend_from_slice(part);
            let first = self.journal.as_ref().map_or(0, |journal| journal.next);
            finish_bytes(&mut self.frame, first);
            self.received = clock::now();
            self.write(first + part.len() as u64)?;
        }
        Ok(())
    }

    fn begin(&mut self) {
        if self.gathered == 0 {
            begin_frame(&mut self.frame);
            self.received = clock::now();
        }
    }

    /// Takes note that messages will never come; `count` is 0 where nobody can say how many.
    pub(crate) fn gap(&mut self, first: u64, count: u64) -> Result<()> {
        self.flush()?;
        if self.journal.is_none() {
            let payload =
                self.payload.context("the first message is missing for good, and with it what the others are")?;
            self.open_journal(payload, self.session)?;
        }
        tracing::warn!(first, count, "messages are missing for good: a gap");
        put_gap(&mut self.frame, first, count);
        self.received = clock::now();
        self.write(first + count)
    }

    /// Writes what has been gathered, and passes it on.
    pub(crate) fn flush(&mut self) -> Result<()> {
        let count = std::mem::take(&mut self.gathered);
        if count == 0 {
            return Ok(());
        }
        let first = self.journal.as_ref().map_or(1, |journal| journal.next);
        finish_messages(&mut self.frame, first, count);
        self.write(first + u64::from(count))
    }

    /// Writes the frame that is held, after which `next` follows, and passes it on.
    fn write(&mut self, next: u64) -> Result<()> {
        let journal = self.journal.as_mut().context("messages before their session")?;
        journal.append(&self.frame, next)?;
        self.syncer.wrote(&journal.file);
        self.syncer.check()?;
        let capacity = self.frame.capacity().min(FRAME_BYTES + (1 << 16));
        let frame = std::mem::replace(&mut self.frame, Vec::with_capacity(capacity));
        self.waiting.push_back(Work::Frame(frame, self.received));
        self.pass_on().map(drop)
    }

    /// Sees to what others want, and to measurements that have to be made again.
    fn see_to_orders(&mut self) -> Result<()> {
        while let Ok(order) = self.orders.try_recv() {
            let Remeasurement { under, done } = order;
            if self.journal.is_none() {
                self.under = under;
                done(Ok(()));
                continue;
            }
            // Orders that are one's own by another sheet were taken for somebody else's.
            if self.beside.is_none() && self.under.own_orders == under.own_orders {
                match self.ask_engine(&under.registry)? {
                    Ok(true) => {
                        self.under = under;
                        done(Ok(()));
                        continue;
                    }
                    Ok(false) => tracing::info!("measuring the day again beside the running one: its plan is another"),
                    Err(error) => {
                        done(Err(format!("{error:#}")));
                        continue;
                    }
                }
            }
            // One that has not caught up yet measures under what is out of date by now.
            let mut waiting = self.beside.take().map(|beside| beside.done).unwrap_or_default();
            waiting.push(done);
            let Some(journal) = &self.journal else { continue };
            let measuring = Measuring::start(self.source_of(journal, &under, Vec::new()))?;
            self.beside = Some(Beside { measuring, under, told: journal.length, done: waiting });
        }
        if self.beside.is_none()
            && let (Some(measuring), Some(journal)) = (&self.measuring, &self.journal)
            && measuring.told_too_early()
        {
            tracing::info!(
                "measuring the day again beside the running one: a bad record has put earlier time in doubt"
            );
            let (sender, receiver) = bounded(1);
            let look = at_once(move |day, _| drop(sender.send(day.retroactive())));
            measuring.work().send(Work::Look(look)).map_err(|_| anyhow!("the engine has stopped"))?;
            let unknown = receiver.recv().unwrap_or_default();
            let measuring = Measuring::start(self.source_of(journal, &self.under, unknown))?;
            let under = self.under.clone();
            self.beside = Some(Beside { measuring, under, told: journal.length, done: Vec::new() });
        }
        self.catch_up()
    }

    /// Whether the running day can go on under another registry as it stands, and does.
    fn ask_engine(&mut self, registry: &Registry) -> Result<Result<bool>> {
        let Some(measuring) = &self.measuring else { return Ok(Ok(false)) };
        let (sender, receiver) = bounded(1);
        if measuring.work().send(Work::Take(registry.clone(), sender)).is_err() {
            return Err(self.why_stopped());
        }
        Ok(receiver.recv().unwrap_or(Ok(false)))
    }

    /// Lets the measurement beside read on, or take over.
    fn catch_up(&mut self) -> Result<()> {
        let (Some(beside), Some(journal)) = (&mut self.beside, &self.journal) else { return Ok(()) };
        if beside.measuring.has_stopped() {
            let beside = self.beside.take();
            let why = match beside {
                Some(Beside { measuring, done, .. }) => {
                    let why = measuring.join().err().map_or_else(String::new, |error| format!("{error:#}"));
                    done.into_iter().for_each(|done| done(Err(why.clone())));
                    why
                }
                None => String::new(),
            };
            tracing::warn!(why, "the day cannot be measured so");
            return Ok(());
        }
        if beside.measuring.length() < beside.told {
            return Ok(());
        }
        let left = journal.length - beside.told;
        beside.told = journal.length;
        let sent = beside.measuring.work().send(Work::ReadTo(journal.length));
        if TAKE_OVER_BYTES < left || sent.is_err() {
            return Ok(());
        }
        // What waits for the old one is in the journal, and so is read by the new one.
        self.waiting.clear();
        if let Some(Beside { measuring, under, done, .. }) = self.beside.take() {
            self.under = under;
            let _ = measuring.work().send(Work::Keep(self.keep.clone()));
            *self.inbox.lock().map_err(|_| anyhow!("a thread panicked"))? = Some(measuring.work().clone());
            // Whoever looks at the old one meanwhile gets an answer; then it ends by itself.
            drop(self.measuring.replace(measuring));
            done.into_iter().for_each(|done| done(Ok(())));
            tracing::info!("the day measured again has taken over");
        }
        Ok(())
    }

    /// Passes on what waits for the engine; whether nothing is left.
    pub(crate) fn pass_on(&mut self) -> Result<bool> {
        self.syncer.check()?;
        self.keep.keeper.check()?;
        self.see_to_orders()?;
        let Some(measuring) = &self.measuring else { return Ok(self.waiting.is_empty()) };
        while let Some(work) = self.waiting.pop_front() {
            match measuring.work().try_send(work) {
                Ok(()) => {}
                Err(TrySendError::Full(work)) => {
                    self.waiting.push_front(work);
                    return Ok(false);
                }
                Err(TrySendError::Disconnected(_)) => return Err(self.why_stopped()),
            }
        }
        Ok(true)
    }

    /// What is to be measured of a journal from its beginning, without checkpoints.
    fn source_of(&self, journal: &Journal, under: &Under, unknown: Vec<UnknownWindow>) -> Source {
        let (file, length, program) = (Arc::clone(&journal.file), journal.length, self.keep.program.clone());
        let Under { registry, own_orders, .. } = under.clone();
        let (head, shard, checkpoints) = (journal.head.clone(), self.shard, Vec::new());
        Source { registry, own_orders, head, file, length, unknown, shard, checkpoints, keep: None, program }
    }

    /// Why the engine's thread takes nothing more.
    fn why_stopped(&mut self) -> anyhow::Error {
        let stopped = || anyhow!("the engine has stopped before the session's end");
        match self.measuring.take().map(Measuring::join) {
            Some(Err(error)) => error,
            Some(Ok(_)) | None => stopped(),
        }
    }

    /// Ends the journal, waits for the engine, and gives both; nothing if there is no journal.
    pub(crate) fn end(&mut self, lost: bool) -> Result<Option<(Journal, Measured)>> {
        self.flush()?;
        let Some(mut journal) = self.journal.take() else { return Ok(None) };
        if journal.stage == Stage::Open {
            let told = SessionEnd::Told(self.whole.take());
            let frame = journal.end(if lost { SessionEnd::Lost } else { told })?;
            self.waiting.push_back(Work::Frame(frame, clock::now()));
        }
        self.ended = journal.head.session.or(self.ended);
        self.session = None;
        *self.inbox.lock().map_err(|_| anyhow!("a thread panicked"))? = None;
        let mut measuring = self.measuring.take().context("a journal without an engine")?;
        if let Some(beside) = self.beside.take() {
            // It has read, or reads now, all of the journal, its end included.
            self.waiting.clear();
            let sent = beside.measuring.work().send(Work::ReadTo(journal.length));
            if sent.is_ok() {
                self.under = beside.under;
                measuring = beside.measuring;
                beside.done.into_iter().for_each(|done| done(Ok(())));
            }
        }
        for work in std::mem::take(&mut self.waiting) {
            // A thread that has stopped says why when it is joined.
            let _ = measuring.work().send(work);
        }
        let measured = measuring.join()?.context("the engine has stopped before the session's end")?;
        Ok(Some((journal, measured)))
    }

    /// Removes the checkpoints of a session, whose day is stored.
    pub(crate) fn forget_checkpoints(&self, session: Option<SessionId>) {
        self.keep.keeper.forget(session);
    }

    /// Stops in the middle of a session: everything received is in the journal and on the disk.
    pub(crate) fn stop(&mut self) -> Result<()> {
        self.flush()?;
        if let Some(journal) = self.journal.take() {
            journal.file.sync().context("syncing the journal")?;
        }
        *self.inbox.lock().map_err(|_| anyhow!("a thread panicked"))? = None;
        self.waiting.clear();
        self.beside = None;
        match self.measuring.take() {
            Some(measuring) => measuring.join().map(drop),
            None => Ok(()),
        }
    }
}

/// Syncs journals in groups, on a thread of its own: no verdict waits for a disk. A sync that fails stops everything,
/// because nobody knows what is on the disk after it.
#[derive(Clone, Debug)]
pub(crate) struct Syncer {
    written: Sender<Arc<dyn DiskFile>>,
    failed: Arc<OnceLock<String>>,
}

impl Syncer {
    pub(crate) fn start() -> Result<Syncer> {
        let (written, given): (_, Receiver<Arc<dyn DiskFile>>) = bounded(1);
        let failed = Arc::new(OnceLock::new());
        let told = Arc::clone(&failed);
        let thread = std::thread::Builder::new().name("sync".to_owned());
        let work = move || {
            for file in given {
                if let Err(error) = file.sync() {
                    let _ = told.set(error.to_string());
                    return;
                }
                std::thread::sleep(SYNC_EVERY);
            }
        };
        thread.spawn(work).context("starting the thread that syncs")?;
        Ok(Syncer { written, failed })
    }

    /// Something was appended to `file`. If a sync is asked for already, that one covers it.
    fn wrote(&self, file: &Arc<dyn DiskFile>) {
        let _ = self.written.try_send(Arc::clone(file));
    }

    /// Whether every sync so far has succeeded.
    fn check(&self) -> Result<()> {
        match self.failed.get() {
            Some(error) => Err(anyhow!("syncing the journal: {error}")),
            None => Ok(()),
        }
    }
}
