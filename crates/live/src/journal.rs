//! The journal of a session on the disk: made, found again after a crash, grown, and closed.
//!
//! An open journal is `SESSION.open.qcj`; once its session has ended and its date is known it is `DATE.SESSION.qcj`. What a
//! crash has torn off its end is cut away when it is opened again.

use crate::checkpoint::{self, Found, Mark};
use crate::disk::{Disk, DiskFile};
use crate::folder::{Folder, session_name};
use anyhow::{Context, Result, bail};
use quoteclock_wire::journal::{self, Frame, HEAD_BYTES, Head, Whole};
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What the name of an open journal ends with.
const OPEN: &str = ".open.qcj";
/// What the name of a journal that is being made ends with.
const NEW: &str = ".new.qcj";
/// What every journal's name ends with.
const CLOSED: &str = ".qcj";
/// How much is read at once.
const READ_BYTES: usize = 1 << 18;

/// How a journal goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stage {
    /// More is expected.
    Open,
    /// The session has ended, as the source said, or because it was gone.
    Ended,
}

/// How a session has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SessionEnd {
    /// As the source said, of a shard with what it said of the whole.
    Told(Option<Whole>),
    /// The source was gone before.
    Lost,
}

/// A journal that is being written.
#[derive(Debug)]
pub(crate) struct Journal {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) file: Arc<dyn DiskFile>,
    pub(crate) path: PathBuf,
    pub(crate) head: Head,
    /// The number of the next message, or byte of a pipe.
    pub(crate) next: u64,
    /// Bytes in the file.
    pub(crate) length: u64,
    pub(crate) stage: Stage,
    /// The checksum of all frames so far.
    pub(crate) chain: u32,
    /// Checkpoints of the day as of a place in it, the newest first.
    pub(crate) checkpoints: Vec<Found>,
}

/// Keeps other processes away from a folder of journals for as long as it lives.
#[derive(Debug)]
pub(crate) struct Lock(#[allow(dead_code, reason = "held, not used")] File);

impl Lock {
    /// Takes the lock of a folder; `None` if another process has it.
    pub(crate) fn take(folder: &Path) -> Result<Option<Lock>> {
        let path = folder.join("lock");
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
        let file = file.with_context(|| format!("opening {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("locking {}", path.display())),
        }
    }
}

impl Folder {
    /// The open journals, oldest name first. Those that were never finished being made are removed: nothing is in them.
    pub(crate) fn open_journals(&self) -> Result<Vec<PathBuf>> {
        let mut open = Vec::new();
        for name in self.names()? {
            if name.ends_with(NEW) {
                self.disk.remove(&self.path.join(&name)).with_context(|| format!("removing {name}"))?;
            } else if name.ends_with(OPEN) {
                open.push(self.path.join(name));
            }
        }
        Ok(open)
    }

    /// The closed journals, by date.
    pub(crate) fn closed_journals(&self) -> Result<Vec<PathBuf>> {
        let mut names = self.names()?;
        names.retain(|name| name.ends_with(CLOSED) && !name.ends_with(OPEN) && !name.ends_with(NEW));
        Ok(names.into_iter().map(|name| self.path.join(name)).collect())
    }

    fn names(&self) -> Result<Vec<String>> {
        self.disk.list(&self.path).with_context(|| format!("listing {}", self.path.display()))
    }

    /// Makes a journal: its head is on the disk before it has its name.
    pub(crate) fn create(&self, head: Head) -> Result<Journal> {
        let name = session_name(head.session);
        let (new, path) = (self.path.join(format!("{name}{NEW}")), self.path.join(format!("{name}{OPEN}")));
        let making = || format!("making the journal {}", path.display());
        let file = self.disk.create(&new).with_context(making)?;
        file.append(&head.write()).with_context(making)?;
        file.sync().with_context(making)?;
        self.disk.rename(&new, &path).with_context(making)?;
        self.disk.sync_folder(&self.path).with_context(making)?;
        let (next, length) = (journal::first_number(&head), HEAD_BYTES as u64);
        let disk = Arc::clone(&self.disk);
        let (stage, chain, checkpoints) = (Stage::Open, 0, Vec::new());
        Ok(Journal { disk, file, path, head, next, length, stage, chain, checkpoints })
    }

    /// Opens a journal, and cuts off what is torn or damaged.
    pub(crate) fn open(&self, path: &Path) -> Result<Journal> {
        let opening = || format!("opening the journal {}", path.display());
        let file = self.disk.open(path).with_context(opening)?;
        let mut reader = JournalReader::new(Arc::clone(&file));
        let head = reader.head().with_context(opening)?;
        let (mut next, mut stage) = (journal::first_number(&head), Stage::Open);
        let (candidates, mut checkpoints) = (checkpoint::find(self, head.session)?, Vec::new());
        let mut chain = 0;
        while let Some(frame) = reader.next().with_context(opening)? {
            let Some(after) = frame.follows(next).filter(|_| stage == Stage::Open) else {
                reader.unread();
                break;
            };
            next = after;
            if frame.is_last() {
                stage = Stage::Ended;
            }
            chain = reader.chain();
            let mark = Mark { length: reader.position(), next, chain };
            checkpoints.extend(candidates.iter().filter(|candidate| candidate.mark == mark).cloned());
        }
        let (length, torn) = (reader.position(), reader.rest().with_context(opening)?);
        if 0 < torn {
            tracing::warn!(journal = %path.display(), bytes = torn, "cut off what is torn or damaged at its end");
            file.cut(length).with_context(opening)?;
            file.sync().with_context(opening)?;
        }
        for stale in candidates.iter().filter(|candidate| length < candidate.mark.length) {
            tracing::warn!(checkpoint = %stale.path.display(), "is not used: its journal has lost what it was taken after");
        }
        checkpoints.sort_by_key(|found| std::cmp::Reverse(found.mark.length));
        let (disk, path) = (Arc::clone(&self.disk), path.to_owned());
        Ok(Journal { disk, file, path, head, next, length, stage, chain, checkpoints })
    }
}

impl Journal {
    /// Appends a frame after which the next number is `next`.
    pub(crate) fn append(&mut self, frame: &[u8], next: u64) -> Result<()> {
        let appending = || format!("writing to the journal {}", self.path.display());
        self.file.append(frame).with_context(appending)?;
        self.length += frame.len() as u64;
        self.next = next;
        self.chain = journal::chain(self.chain, frame);
        Ok(())
    }

    /// Ends it, and puts everything on the disk.
    pub(crate) fn end(&mut self, end: SessionEnd) -> Result<Vec<u8>> {
        let mut frame = Vec::new();
        match end {
            SessionEnd::Told(whole) => journal::put_end(&mut frame, self.next, whole),
            SessionEnd::Lost => journal::put_lost(&mut frame, self.next),
        }
        self.append(&frame, self.next)?;
        self.file.sync().with_context(|| format!("syncing the journal {}", self.path.display()))?;
        self.stage = Stage::Ended;
        Ok(frame)
    }

    /// Gives it the name of a closed one.
    pub(crate) fn close(&mut self, date: jiff::civil::Date) -> Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let path = folder.join(format!("{date}.{}{CLOSED}", session_name(self.head.session)));
        if path == self.path {
            return Ok(());
        }
        let closing = || format!("closing the journal {}", self.path.display());
        self.disk.rename(&self.path, &path).with_context(closing)?;
        self.disk.sync_folder(folder).with_context(closing)?;
        self.path = path;
        Ok(())
    }

    /// Its name, without the folder.
    pub(crate) fn name(&self) -> String {
        self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }
}

/// Reads a journal's frames from its file.
#[derive(Debug)]
pub(crate) struct JournalReader {
    file: Arc<dyn DiskFile>,
    buffer: Vec<u8>,
    /// Where the buffer's first byte stands in the file.
    offset: u64,
    at: usize,
    last: usize,
    damaged: bool,
    /// The checksum of all frames read so far, and of those before the last.
    chain: u32,
    chain_before: u32,
}

impl JournalReader {
    pub(crate) fn new(file: Arc<dyn DiskFile>) -> JournalReader {
        let buffer = Vec::new();
        JournalReader { file, buffer, offset: 0, at: 0, last: 0, damaged: false, chain: 0, chain_before: 0 }
    }

    /// Reads from a frame on that begins at `offset`; `chain` is the checksum of those before it.
    pub(crate) fn from(file: Arc<dyn DiskFile>, offset: u64, chain: u32) -> JournalReader {
        JournalReader { offset, chain, ..JournalReader::new(file) }
    }

    /// The checksum of all frames so far.
    pub(crate) fn chain(&self) -> u32 {
        self.chain
    }

    /// Where the next frame begins.
    pub(crate) fn position(&self) -> u64 {
        self.offset + self.at as u64
    }

    /// The head, which comes first.
    pub(crate) fn head(&mut self) -> Result<Head> {
        while self.buffer.len() < HEAD_BYTES {
            if !self.fill()? {
                bail!("{} bytes, expected the {HEAD_BYTES} of a journal's head", self.buffer.len());
            }
        }
        let head = Head::read(&self.buffer)?;
        self.at = HEAD_BYTES;
        Ok(head)
    }

    /// The next frame; `None` where there is none that is whole and undamaged.
    pub(crate) fn next(&mut self) -> io::Result<Option<Frame<'_>>> {
        let length = loop {
            if self.damaged {
                return Ok(None);
            }
            match Frame::read(&self.buffer[self.at..]) {
                Ok(Some((_, length))) => break length,
                Ok(None) => {
                    if !self.fill()? {
                        return Ok(None);
                    }
                }
                Err(_) => self.damaged = true,
            }
        };
        self.last = self.at;
        self.at += length;
        self.chain_before = self.chain;
        self.chain = journal::chain(self.chain, &self.buffer[self.last..self.at]);
        let frame = Frame::read(&self.buffer[self.last..self.at]);
        Ok(frame.ok().flatten().map(|(frame, _)| frame))
    }

    /// Takes the last frame back.
    fn unread(&mut self) {
        (self.at, self.chain) = (self.last, self.chain_before);
    }

    /// How many bytes there are after the last frame.
    fn rest(&mut self) -> io::Result<u64> {
        let start = self.position();
        while self.fill()? {
            self.at = self.buffer.len();
        }
        Ok(self.offset + self.buffer.len() as u64 - start)
    }

    /// Reads more; whether there was more.
    fn fill(&mut self) -> io::Result<bool> {
        self.buffer.drain(..self.at);
        self.offset += self.at as u64;
        (self.at, self.last) = (0, 0);
        let held = self.buffer.len();
        self.buffer.resize(held + READ_BYTES, 0);
        let count = self.file.read_at(&mut self.buffer[held..], self.offset + held as u64);
        self.buffer.truncate(held + count.as_ref().copied().unwrap_or(0));
        Ok(0 < count?)
    }
}

#[cfg(test)]
mod tests;
