//! The running program: one session after the other, each a day, measured and stored.

use crate::address::{Feed, stream_and_shard};
use crate::alerting::Alerting;
use crate::alerts;
use crate::bad_usage;
use crate::checkpoint::{self, Keeper};
use crate::database::Database;
use crate::desk::{self, Current, Desk};
use crate::disk::{Disk, RealDisk};
use crate::feed::{
    FeedEnd, Followed, Inbox, Intake, Lines, Remeasurement, Stop, Syncer, follow_mold, follow_nats, follow_pipe,
    follow_soup, meanwhile,
};
use crate::folder::Folder;
use crate::health::Health;
use crate::http::{self, Http, Looking, Names, Rates, Requests, Told};
use crate::hub::Hub;
use crate::journal::{Journal, Lock, Stage};
use crate::measure::{Keep, Measured, Source, measure_again};
use crate::store_day::{self, Built};
use crate::under::{Load, Under};
use anyhow::{Context, Result, anyhow};
use crossbeam_channel::Receiver;
use jiff::civil::Date;
use quoteclock_model::{Micros, Shard};
use quoteclock_obligation::ObligationIndex;
use quoteclock_rules::{DayPlan, Registry};
use quoteclock_wire::SessionId;
use quoteclock_wire::payload::Payload;
use std::future::pending;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};
use std::time::{Duration, SystemTime};

/// What is to be followed, and where it goes.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// The source.
    pub feed: Feed,
    /// What one message is; otherwise the first message tells.
    pub payload: Option<Payload>,
    /// User and password.
    pub credentials: Option<(Vec<u8>, Vec<u8>)>,
    /// The session to follow; otherwise the source's current one.
    pub session: Option<SessionId>,
    /// The trading date, where it is not left to the first record; only with `once`.
    pub date: Option<Date>,
    /// The part of the issues that is measured, where not all are. The database holds parts of days then.
    pub shard: Option<Shard>,
    /// The folder of the registry, for what is written into it.
    pub registry: PathBuf,
    /// The database for the days.
    pub db: PathBuf,
    /// The folder of the journals.
    pub journal: PathBuf,
    /// How many days a closed journal is kept.
    pub keep_days: u32,
    /// Measure the day again from its journal: a running one beside the engine that goes on, a closed one at once.
    pub replay: bool,
    /// End when the session has ended and its day is stored.
    pub once: bool,
    /// Where to answer HTTP.
    pub http: Option<SocketAddr>,
    /// The file of tokens.
    pub tokens: Option<PathBuf>,
    /// The file of alerts.
    pub alerts: Option<PathBuf>,
    /// Where alerts are written down.
    pub alert_log: Option<PathBuf>,
    /// Certificates and their key, both as PEM: HTTP is answered over TLS.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Answer HTTP beyond loopback without TLS.
    pub insecure_http: bool,
    /// What is stored of the program with each day.
    pub built: Built,
    /// How often a checkpoint of the running day is made.
    pub checkpoint_every: Duration,
}

impl ServeOptions {
    /// How often a checkpoint is made, where nobody asks for another.
    pub const CHECKPOINT_EVERY: Duration = Duration::from_secs(10);

    fn database(&self) -> Database {
        Database { file: self.db.clone(), shard: self.shard }
    }

    /// Where the messages come from, as the journal names it: of a stream the shard is a part of it, because each has its own.
    fn feed_name(&self) -> String {
        match &self.feed {
            Feed::Nats(address) => address.name_of(self.shard),
            feed => feed.name(),
        }
    }

    /// The program, as checkpoints name it: what another has measured is measured again.
    fn program(&self) -> String {
        format!("quoteclock {} {}", env!("CARGO_PKG_VERSION"), self.built.commit)
    }
}

/// The addresses that have been bound.
#[derive(Clone, Copy, Debug)]
pub struct Ready {
    /// Where HTTP is answered.
    pub http: Option<SocketAddr>,
    /// Where datagrams are received.
    pub listen: Option<SocketAddr>,
}

/// What a run has come to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DayEnd {
    /// All is done that was asked for.
    Done,
    /// The day has unknown time, or is not in the database.
    Incomplete,
}

/// How long the end waits for what others have begun.
const ENDS_WITHIN: Duration = Duration::from_secs(1);

/// Orders that wait for the feed to see to them.
const ORDERS_MAX: usize = 16;

/// Follows the source until there is no more to come, or the process is asked to end. `load` reads the registry; `ready`
/// is told what has been bound.
///
/// # Errors
/// [`crate::BadUsage`] where the options make no sense or the journal is in use; otherwise what has stopped it.
pub fn serve(options: &ServeOptions, load: &Load, ready: impl FnOnce(Ready) -> Result<()>) -> Result<DayEnd> {
    check(options)?;
    let tls = desk::read_tls(options.tls.as_ref())?;
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let making = || format!("making the folder {}", options.journal.display());
    disk.make_folder(&options.journal).with_context(making)?;
    let in_use = || bad_usage(format!("the journal {} is in use by another process", options.journal.display()));
    let _lock = Lock::take(&options.journal)?.ok_or_else(in_use)?;
    let under = load()?;
    let tokens = desk::read_tokens(options.tokens.as_deref(), &under.registry)?;
    let alerting = alerting(options, &under.registry)?.map(Arc::new);
    let counts = alerting.as_ref().map(|alerting| Arc::clone(&alerting.counts));
    drop(options.database().create()?);
    let mut server = Server { options, folder: Folder { disk, path: options.journal.clone() }, under };
    let resumed = match server.take_up()? {
        TakenUp::Closed(end) if options.once => return Ok(end),
        TakenUp::Closed(_) => None,
        TakenUp::Journal(journal) => journal.map(|journal| *journal),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("starting")?;
    let (inbox, stop) = (Inbox::default(), Stop::new());
    let health = Arc::new(Health::default());
    let (orders, given) = crossbeam_channel::bounded(ORDERS_MAX);
    let desk = Arc::new(Desk {
        load: Arc::clone(load),
        folder: options.registry.clone(),
        tokens: options.tokens.clone(),
        tls: options.tls.clone(),
        alerting: alerting.clone(),
        current: RwLock::new(Current { registry: server.under.registry.clone(), tokens, tls }),
        orders,
        stop: stop.clone(),
        registries: AtomicU64::new(0),
    });
    let result = runtime.block_on(async {
        let lines = match &options.feed {
            Feed::Mold(address) => Some(Lines::bind(address)?),
            Feed::Soup(_) | Feed::Nats(_) | Feed::Pipe => None,
        };
        let (db, inbox_shown) = (options.database(), Arc::clone(&inbox));
        let shown = Http {
            db,
            desk: Arc::clone(&desk),
            inbox: inbox_shown,
            health: Arc::clone(&health),
            names: if options.insecure_http { Names::Any } else { Names::Numbers },
            rates: Rates::default(),
            looking: Looking::default(),
            hub: Hub::default(),
            told: Told::default(),
            requests: Requests::default(),
            alerting,
            past: Arc::new(tokio::sync::Semaphore::new(1)),
            clock: jiff::Timestamp::now,
        };
        let http = http::start(options.http, shown, stop.clone())?;
        let listen = lines.as_ref().map(Lines::local_address).transpose()?;
        stop_on_signals(&stop)?;
        reload_on_signal(&desk)?;
        ready(Ready { http, listen })?;
        let result = match server.intake(&inbox, &given, &health) {
            Ok(intake) => server.run(lines.as_ref(), resumed, intake, &stop).await,
            Err(error) => Err(error),
        };
        if let Some(counts) = counts {
            alerts_end(&counts).await;
        }
        stop.now();
        result
    });
    // Whoever still waits for an order to be carried out is not waited for.
    runtime.shutdown_timeout(ENDS_WITHIN);
    result
}

/// Waits a moment until the end of what stands is seen and told; a receiver that is down is not waited for longer.
async fn alerts_end(counts: &alerts::Counts) {
    tokio::time::sleep(http::ALERTS_WITHIN).await;
    for _ in 0..20 {
        if counts.waiting.load(Ordering::Relaxed) == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// What the file of alerts asks for.
fn alerting(options: &ServeOptions, registry: &Registry) -> Result<Option<Alerting>> {
    let read = |file: &PathBuf| Alerting::start(file.clone(), options.alert_log.as_deref(), registry);
    options.alerts.as_ref().map(read).transpose()
}

/// Refuses what makes no sense before anything is touched.
fn check(options: &ServeOptions) -> Result<()> {
    if options.once && options.payload == Some(Payload::Itch) && options.date.is_none() {
        return Err(bad_usage("ITCH with --once, expected its date (--date): its times count from midnight"));
    }
    if options.date.is_some() && !options.once {
        return Err(bad_usage("--date without --once: every session is a day of its own"));
    }
    if options.feed == Feed::Pipe && (options.session.is_some() || options.payload == Some(Payload::Itch)) {
        return Err(bad_usage("standard input has no session, and is CSV, a FIX log, DBN or the binary form"));
    }
    if let Some(address) = options.http
        && !address.ip().is_loopback()
        && !options.insecure_http
        && options.tls.is_none()
    {
        return Err(bad_usage(format!(
            "--http {address} beyond loopback without TLS, expected --tls-cert and --tls-key, or --insecure-http to allow it"
        )));
    }
    match options.db.parent() {
        Some(folder) if folder != Path::new("") && !folder.is_dir() => {
            Err(bad_usage(format!("{}: not a folder, expected one for the database", folder.display())))
        }
        _ => Ok(()),
    }
}

/// TERM and INT end the run.
pub(crate) fn stop_on_signals(stop: &Stop) -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        let (mut signals, stop) = (signal(kind).context("listening for signals")?, stop.clone());
        tokio::spawn(async move {
            signals.recv().await;
            stop.now();
        });
    }
    Ok(())
}

/// HUP makes all that people edit be read again.
fn reload_on_signal(desk: &Arc<Desk>) -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut signals, desk) = (signal(SignalKind::hangup()).context("listening for signals")?, Arc::clone(desk));
    tokio::spawn(async move {
        while signals.recv().await.is_some() {
            let desk = Arc::clone(&desk);
            // What is wrong with it has been told in the log; the old one stays.
            let _ = tokio::task::spawn_blocking(move || desk.reload().map(drop)).await;
        }
    });
    Ok(())
}

/// What was found in the folder of journals.
enum TakenUp {
    /// The day that was asked for is closed and stored.
    Closed(DayEnd),
    /// A session to go on with, if there is one.
    Journal(Option<Box<Journal>>),
}

struct Server<'a> {
    options: &'a ServeOptions,
    folder: Folder,
    under: Under,
}

impl Server<'_> {
    /// Looks at the journals that are there: closes what has ended, and finds the one to go on with.
    fn take_up(&mut self) -> Result<TakenUp> {
        let mut open = None;
        let mut last_end = None;
        for path in self.folder.open_journals()? {
            let journal = match self.folder.open(&path) {
                Ok(journal) => journal,
                // Its head is damaged: nothing of it can be used, and all of it is asked for again.
                Err(error) => {
                    tracing::error!(journal = %path.display(), %error, "cannot be used, and is set aside");
                    self.folder.disk.rename(&path, &path.with_extension("damaged")).context("setting it aside")?;
                    continue;
                }
            };
            if journal.stage == Stage::Ended {
                last_end = Some(self.close_again(journal)?);
            } else if let Some(other) = open.replace(journal) {
                let names = format!("{} and {}", other.name(), open.map_or_else(String::new, |journal| journal.name()));
                return Err(anyhow!("two open journals, {names}, expected one"));
            }
        }
        if let Some(journal) = &open
            && let (Some(wanted), Some(found)) = (self.options.session, journal.head.session)
            && wanted != found
        {
            let problem =
                format!("the journal is in the session {found}, expected --session {found}, or another folder");
            return Err(bad_usage(problem));
        }
        if let (Some(journal), Feed::Nats(_)) = (&open, &self.options.feed) {
            let (found, wanted) = (&journal.head.feed, self.options.feed_name());
            if stream_and_shard(found) != stream_and_shard(&wanted) {
                let problem = format!("the journal is of {found}, expected {wanted}, or another folder");
                return Err(bad_usage(problem));
            }
        }
        if open.is_none()
            && let Some(path) = self.last_closed()?
        {
            let journal = self.folder.open(&path)?;
            let date = date_of_name(&path).filter(|_| !self.options.replay);
            last_end = match date.map(|date| self.stored_end(date)).transpose()?.flatten() {
                Some(end) => {
                    checkpoint::forget(&self.folder, journal.head.session);
                    Some(end)
                }
                None if journal.stage == Stage::Ended => Some(self.close_again(journal)?),
                None => None,
            };
        }
        Ok(match (open, last_end) {
            (None, Some(end)) => TakenUp::Closed(end),
            (open, _) => TakenUp::Journal(open.map(Box::new)),
        })
    }

    /// The closed journal that the options mean: of the date or the session asked for, otherwise the last.
    fn last_closed(&self) -> Result<Option<PathBuf>> {
        let closed = self.folder.closed_journals()?;
        let session = self.options.session.map(|session| format!(".{}.", crate::folder::session_name(Some(session))));
        let is_meant = |path: &PathBuf| {
            let of_date = self.options.date.is_none_or(|date| date_of_name(path) == Some(date));
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            of_date && session.as_ref().is_none_or(|session| name.contains(session))
        };
        Ok(closed.into_iter().rfind(is_meant))
    }

    /// What a stored day has come to; `None` if it is not stored.
    fn stored_end(&self, date: Date) -> Result<Option<DayEnd>> {
        let store = self.options.database().open()?;
        if store.days(date..=date)?.is_empty() {
            return Ok(None);
        }
        let mut unknown = Micros::ZERO;
        store.results(date..=date, |row| unknown += row.total.unknown)?;
        Ok(Some(if unknown == Micros::ZERO { DayEnd::Done } else { DayEnd::Incomplete }))
    }

    /// Measures and stores a day whose journal had ended before the process did.
    fn close_again(&self, journal: Journal) -> Result<DayEnd> {
        let source = Source {
            registry: self.under.registry.clone(),
            own_orders: self.under.own_orders.clone(),
            head: journal.head.clone(),
            file: Arc::clone(&journal.file),
            length: journal.length,
            unknown: Vec::new(),
            shard: self.options.shard,
            checkpoints: if self.options.replay { Vec::new() } else { journal.checkpoints.clone() },
            keep: None,
            program: self.options.program(),
        };
        let measured = measure_again(&source)?;
        let session = journal.head.session;
        let end = self.close(journal, &measured, &self.under)?;
        checkpoint::forget(&self.folder, session);
        Ok(end)
    }

    /// Gives an ended journal its name, and stores its day.
    fn close(&self, mut journal: Journal, measured: &Measured, under: &Under) -> Result<DayEnd> {
        let plan = &measured.finished.plan;
        journal.close(plan.date)?;
        store_day::store(&self.options.database(), under, &journal, measured, &self.options.built)?;
        let unknown = unknown_time(plan, measured);
        tracing::info!(date = %plan.date, records = measured.finished.record_count, set_aside = measured.finished.reject_count,
            unknown_us = unknown.0, "the day is stored");
        for closed in self.options.database().open()?.stored_after_closing([plan.date])? {
            tracing::warn!("{closed}");
        }
        self.remove_old();
        Ok(if unknown == Micros::ZERO { DayEnd::Done } else { DayEnd::Incomplete })
    }

    /// Removes closed journals that have been kept long enough.
    fn remove_old(&self) {
        let keep = Duration::from_secs(u64::from(self.options.keep_days) * 86_400);
        let is_old = |path: &Path| {
            let written = path.metadata().and_then(|metadata| metadata.modified());
            written.is_ok_and(|written| SystemTime::now().duration_since(written).is_ok_and(|age| keep < age))
        };
        let Ok(closed) = self.folder.closed_journals() else { return };
        for path in closed.iter().filter(|path| is_old(path)) {
            match self.folder.disk.remove(path) {
                Ok(()) => tracing::info!(journal = %path.display(), "removed: it has been kept long enough"),
                Err(error) => tracing::warn!(journal = %path.display(), %error, "cannot be removed"),
            }
        }
    }

    /// What takes the messages of the feed.
    fn intake(&self, inbox: &Inbox, orders: &Receiver<Remeasurement>, health: &Arc<Health>) -> Result<Intake> {
        let folder = Folder { disk: Arc::clone(&self.folder.disk), path: self.folder.path.clone() };
        let (payload, date, feed) = (self.options.payload, self.options.date, self.options.feed_name());
        let shard = self.options.shard;
        let syncer = Syncer::start()?;
        let (keeper, every) = (Keeper::start(&folder)?, self.options.checkpoint_every);
        let keep = Keep { keeper, every, program: self.options.program() };
        let (under, others) = (self.under.clone(), (Arc::clone(inbox), orders.clone()));
        let followed = Followed { payload, date, feed, shard, health: Arc::clone(health) };
        Ok(Intake::new(folder, under, followed, (syncer, keep), others))
    }

    async fn run(
        &self,
        lines: Option<&Lines>,
        mut resumed: Option<Journal>,
        mut intake: Intake,
        stop: &Stop,
    ) -> Result<DayEnd> {
        let health = Arc::clone(&intake.health);
        loop {
            match resumed.take() {
                Some(journal) => {
                    tracing::info!(journal = %journal.name(), next = journal.next, "going on with a journal");
                    intake.resume(journal, self.options.replay)?;
                }
                None => intake.want(self.options.session),
            }
            health.set_following(true);
            let end = self.follow(lines, &mut intake, stop).await;
            health.set_following(false);
            let end = match end {
                Ok(FeedEnd::Stopped) => {
                    intake.stop()?;
                    return Ok(if self.options.once { DayEnd::Incomplete } else { DayEnd::Done });
                }
                Ok(FeedEnd::Session) => self.end_of_session(&mut intake, false)?,
                Ok(FeedEnd::SourceGone) => self.end_of_session(&mut intake, true)?,
                Err(error) => {
                    // What was received is kept; a later start goes on with it.
                    if let Err(also) = intake.stop() {
                        tracing::error!(error = %format!("{also:#}"), "while stopping");
                    }
                    return Err(error);
                }
            };
            if self.options.once {
                return Ok(end.unwrap_or(DayEnd::Incomplete));
            }
            if self.options.session.is_some() || self.options.feed == Feed::Pipe {
                // There is no other session to come; what is stored can still be asked for.
                meanwhile(pending::<()>(), &mut intake, stop).await?;
                return Ok(DayEnd::Done);
            }
        }
    }

    async fn follow(&self, lines: Option<&Lines>, intake: &mut Intake, stop: &Stop) -> Result<FeedEnd> {
        let once = self.options.once;
        match (&self.options.feed, lines) {
            (Feed::Soup(address), _) => {
                let credentials = self.options.credentials.clone().unwrap_or_default();
                follow_soup(address, &credentials, intake, once, stop).await
            }
            (Feed::Mold(_), Some(lines)) => follow_mold(lines, intake, once, stop).await,
            (Feed::Mold(_), None) => Err(anyhow!("no sockets for the datagrams")),
            (Feed::Nats(address), _) => {
                let place = (address, self.options.shard.unwrap_or(Shard::WHOLE));
                follow_nats(place, self.options.credentials.as_ref(), intake, once, stop).await
            }
            (Feed::Pipe, _) => follow_pipe(intake, stop).await,
        }
    }

    /// Closes the day of a session that has ended.
    fn end_of_session(&self, intake: &mut Intake, lost: bool) -> Result<Option<DayEnd>> {
        if lost {
            tracing::warn!("the source is gone before the session's end: the rest of the day is unknown");
        }
        let Some((journal, measured)) = intake.end(lost)? else { return Ok(None) };
        let session = journal.head.session;
        let end = self.close(journal, &measured, &intake.under)?;
        intake.forget_checkpoints(session);
        Ok(Some(end))
    }
}

/// How much time of a day is unknown.
fn unknown_time(plan: &DayPlan, measured: &Measured) -> Micros {
    let count = plan.sign_ups.iter().map(|sign_up| sign_up.obligations.len()).sum::<usize>();
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    (0..count).map(|index| measured.ledger.total(ObligationIndex(index)).unknown).sum()
}

/// The date that the name of a closed journal begins with.
fn date_of_name(path: &Path) -> Option<Date> {
    path.file_name()?.to_str()?.split('.').next()?.parse().ok()
}
