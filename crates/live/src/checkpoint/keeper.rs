//! The thread that writes checkpoints down.

use super::{CheckpointPart, NEW, PartWriter, Start, name, number_of};
use crate::disk::DiskFile;
use crate::folder::Folder;
use anyhow::{Context, Result};
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use quoteclock_rules::DayPlan;
use quoteclock_store::Digest;
use quoteclock_wire::SessionId;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

/// Parts that wait for being written; when there are so many, saving waits, and measuring goes on.
const WAITING_MAX: usize = 256;
/// How many checkpoints of a session are kept: the last, and one for when that is damaged.
const KEPT: usize = 2;

/// How far the thread stands back: with this a thread gets a tenth of what an ordinary one gets.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// What the thread is given.
enum Given {
    /// A checkpoint begins: of this session and its journal, under this plan. One that has not ended is given up.
    Begin(Option<SessionId>, Arc<dyn DiskFile>, Option<Arc<DayPlan>>, Box<Start>),
    Part(CheckpointPart),
    /// All parts have been given.
    End,
    /// The day of this session is stored: its checkpoints go.
    Forget(Option<SessionId>, Sender<()>),
}

/// Hands parts to the thread.
#[derive(Clone, Debug)]
pub(crate) struct Keeper {
    given: Sender<Given>,
    failed: Arc<OnceLock<String>>,
}

impl std::fmt::Debug for Given {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Given")
    }
}

impl Keeper {
    pub(crate) fn start(folder: &Folder) -> Result<Keeper> {
        let (given, receiver) = bounded(WAITING_MAX);
        let failed = Arc::new(OnceLock::new());
        let (disk, path, told) = (Arc::clone(&folder.disk), folder.path.clone(), Arc::clone(&failed));
        let thread = std::thread::Builder::new().name("checkpoint".to_owned());
        let work = move || {
            give_way();
            if let Err(error) = Writing::new(Folder { disk, path }).run(&receiver) {
                let _ = told.set(format!("{error:#}"));
            }
        };
        thread.spawn(work).context("starting the thread that writes checkpoints")?;
        Ok(Keeper { given, failed })
    }

    /// Begins a checkpoint, whose plan is not digested yet; whether there was room.
    pub(crate) fn begin(
        &self,
        session: Option<SessionId>,
        journal: &Arc<dyn DiskFile>,
        plan: Option<Arc<DayPlan>>,
        start: Start,
    ) -> bool {
        let journal = Arc::clone(journal);
        self.given.try_send(Given::Begin(session, journal, plan, Box::new(start))).is_ok()
    }

    /// Whether there is room for so many parts more, to be given by this thread alone.
    pub(crate) fn has_room(&self) -> bool {
        self.given.len() < WAITING_MAX - 2
    }

    /// Hands over a part; where the thread has ended nobody waits for it.
    pub(crate) fn part(&self, part: CheckpointPart) {
        if let Err(TrySendError::Full(given)) = self.given.try_send(Given::Part(part)) {
            let _ = self.given.send(given);
        }
    }

    /// Ends a checkpoint.
    pub(crate) fn end(&self) {
        let _ = self.given.send(Given::End);
    }

    /// Removes the checkpoints of a session, whose day is stored; none comes after it.
    pub(crate) fn forget(&self, session: Option<SessionId>) {
        let (sender, receiver) = bounded(1);
        if self.given.send(Given::Forget(session, sender)).is_ok() {
            let _ = receiver.recv();
        }
    }

    /// Whether the journal could be put on the disk every time.
    pub(crate) fn check(&self) -> Result<()> {
        match self.failed.get() {
            Some(error) => Err(anyhow::anyhow!("{error}")),
            None => Ok(()),
        }
    }
}

/// A checkpoint that is being written.
struct Open {
    session: Option<SessionId>,
    journal: Arc<dyn DiskFile>,
    file: Arc<dyn DiskFile>,
    path: PathBuf,
    parts: PartWriter,
    length: u64,
}

/// What the thread knows.
struct Writing {
    folder: Folder,
    open: Option<Open>,
    /// The plan that was digested last: a day has one.
    digested: Option<(Arc<DayPlan>, Digest)>,
}

impl Writing {
    fn new(folder: Folder) -> Writing {
        Writing { folder, open: None, digested: None }
    }

    /// Writes what is given. A checkpoint that cannot be written is none: what is there stays. A journal that cannot be
    /// put on the disk ends it.
    fn run(&mut self, given: &Receiver<Given>) -> Result<()> {
        for given in given {
            let (ends, part) = match given {
                Given::Begin(session, journal, plan, mut start) => {
                    start.plan = plan.map(|plan| self.digest(plan));
                    match self.begin(session, journal) {
                        Ok(()) => (false, CheckpointPart::Start(start)),
                        Err(error) => {
                            give_up(&error);
                            continue;
                        }
                    }
                }
                Given::Part(part) => (false, part),
                Given::End => (true, CheckpointPart::End(0)),
                Given::Forget(session, done) => {
                    if let Some(open) = self.open.take() {
                        let _ = self.folder.disk.remove(&open.path);
                    }
                    super::forget(&self.folder, session);
                    let _ = done.send(());
                    continue;
                }
            };
            let Some(open) = &mut self.open else { continue };
            let written = if ends { Ok(()) } else { open.write(&part) };
            if let Err(error) = written {
                self.open = None;
                give_up(&error);
            } else if ends && let Some(open) = self.open.take() {
                // Nobody knows what of the journal is on the disk after a sync that failed.
                open.journal.sync().context("syncing the journal")?;
                if let Err(error) = self.name(open) {
                    give_up(&error);
                }
            }
        }
        Ok(())
    }

    fn digest(&mut self, plan: Arc<DayPlan>) -> Digest {
        match &self.digested {
            Some((known, digest)) if Arc::ptr_eq(known, &plan) => *digest,
            _ => {
                let digest = Digest::of_plan(&plan);
                self.digested = Some((plan, digest));
                digest
            }
        }
    }

    fn begin(&mut self, session: Option<SessionId>, journal: Arc<dyn DiskFile>) -> Result<()> {
        let Folder { disk, path } = &self.folder;
        let path = path.join(format!("{}{NEW}", crate::folder::session_name(session)));
        // One that was given up.
        let _ = disk.remove(&path);
        let file = disk.create(&path).with_context(|| format!("making {}", path.display()))?;
        self.open = Some(Open { session, journal, file, path, parts: PartWriter::default(), length: 0 });
        Ok(())
    }

    /// Gives a checkpoint its name, once it is on the disk, and removes those that nobody needs any more.
    fn name(&self, open: Open) -> Result<()> {
        let Open { session, file, path, parts, length, .. } = open;
        let Folder { disk, path: folder } = &self.folder;
        let writing = || format!("writing the checkpoint {}", path.display());
        let last = parts.end().with_context(writing)?;
        file.append(&last).with_context(writing)?;
        file.sync().with_context(writing)?;
        let mut numbers: Vec<u64> = disk.list(folder)?.iter().filter_map(|name| number_of(name, session)).collect();
        numbers.sort_unstable();
        let number = numbers.last().map_or(1, |last| last + 1);
        disk.rename(&path, &folder.join(name(session, number))).with_context(writing)?;
        disk.sync_folder(folder).with_context(writing)?;
        tracing::info!(checkpoint = number, bytes = length + last.len() as u64, "a checkpoint is on the disk");
        while KEPT <= numbers.len() {
            let old = name(session, numbers.remove(0));
            disk.remove(&folder.join(&old)).with_context(|| format!("removing {old}"))?;
        }
        Ok(())
    }
}

impl Open {
    fn write(&mut self, part: &CheckpointPart) -> Result<()> {
        let bytes = self.parts.part(part)?;
        self.file.append(&bytes).with_context(|| format!("writing the checkpoint {}", self.path.display()))?;
        self.length += bytes.len() as u64;
        Ok(())
    }
}

/// Lets the feed and the engine go first where there are fewer processors than threads: nobody waits for a checkpoint.
fn give_way() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICE) {
        tracing::warn!(%error, "the thread that writes checkpoints keeps its priority");
    }
}

fn give_up(error: &anyhow::Error) {
    tracing::error!(error = %format!("{error:#}"), "a checkpoint is given up; the one before stays");
}
