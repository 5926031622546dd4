//! Checkpoints: the running day as of a place in its journal, so that a later start need not measure all of it again.
//!
//! The engine takes its state apart issue by issue between two frames and hands the parts over; a thread of its own writes
//! them down, so that no verdict waits for a disk. A checkpoint is an aid and never a source: it is used only where its
//! journal has the very frames that it was taken after, everything in it is whole, and the registry still requires what it
//! did. Otherwise an older one is used, or none, and more of the journal is read.
//!
//! A file is a head and parts: each part a length, a checksum that goes on from the one before, and bytes by bincode with a
//! limit; the last part says that it is one. It gets its name when all of it is on the disk, after the journal it belongs to.

mod keeper;
mod stored;

pub(crate) use keeper::Keeper;

use crate::disk::DiskFile;
use crate::folder::{Folder, session_name};
use crate::uncounted::Uncounted;
use anyhow::{Context, Result, anyhow, bail};
use bincode::de::Decoder;
use bincode::enc::Encoder;
use bincode::error::{DecodeError, EncodeError};
use quoteclock_engine::{DayState, IssueState, UnknownWindow};
use quoteclock_ledger::{LoggedBreach, OpenLedger, Total};
use quoteclock_store::Digest;
use quoteclock_wire::SessionId;
use quoteclock_wire::payload::PayloadState;
use std::path::PathBuf;
use std::sync::Arc;
use stored::{Stored, Whole, fields, kinds};

/// What a checkpoint begins with, its version at the end: the first byte is no text.
const HEAD: [u8; 12] = *b"\x89QCCP\r\n\x1a\x03\0\0\0";
/// Length and checksum, before each part.
const PART_HEAD_BYTES: usize = 8;
/// What a part may take in memory, whatever it says of itself. One issue is a part.
const PART_BYTES_MAX: usize = 1 << 30;
/// The longest part that is written: less than may be read, because it takes more in memory than on the disk.
const WRITTEN_BYTES_MAX: usize = PART_BYTES_MAX / 8;
/// How much is read at once.
const READ_BYTES: usize = 1 << 18;
/// What the name of a checkpoint ends with.
const ENDING: &str = ".qcp";
/// What the name of one that is being made ends with.
const NEW: &str = ".new.qcp";

fn config() -> impl bincode::config::Config {
    bincode::config::legacy().with_limit::<PART_BYTES_MAX>()
}

/// A place in a journal, after a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Mark {
    /// Bytes of the journal up to there.
    pub(crate) length: u64,
    /// The number of the next message, or byte of a pipe.
    pub(crate) next: u64,
    /// A checksum of the checksums of all frames up to there.
    pub(crate) chain: u32,
}

/// What is kept of a day beside its issues.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Start {
    /// As of which place in the journal.
    pub(crate) mark: Mark,
    /// The program that has measured it: another may know more.
    pub(crate) program: String,
    /// What is measured, in variants; nothing before the date is known.
    pub(crate) plan: Option<Digest>,
    /// What the day was told beforehand to be unknown.
    pub(crate) unknown: Vec<UnknownWindow>,
    pub(crate) rejects: u64,
    pub(crate) decoder: PayloadState,
    pub(crate) day: DayState,
}

/// A part of a checkpoint.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum CheckpointPart {
    /// The first.
    Start(Box<Start>),
    Issue(Box<IssueState>),
    /// The times of obligations, the first of which has this number.
    Totals(usize, Vec<Total>),
    /// The next breaches.
    Breaches(Vec<LoggedBreach>),
    /// The next stretches that count for nothing.
    Uncounted(Vec<Uncounted>),
    /// The last, and how many came before.
    End(u64),
}

fields! {
    Mark { length, next, chain }
    Start { mark, program, plan, unknown, rejects, decoder, day }
    Uncounted { obligation, span, is_unknown }
}

kinds! {
    CheckpointPart {
        0_u8 Start(start) 1_u8 Issue(issue) 2_u8 Totals(first, totals) 3_u8 Breaches(breaches) 4_u8 End(count)
        5_u8 Uncounted(some)
    }
}

impl<T: Stored> Stored for Box<T> {
    fn put<E: Encoder>(&self, to: &mut E) -> Result<(), EncodeError> {
        T::put(self, to)
    }
    fn take<D: Decoder<Context = ()>>(from: &mut D) -> Result<Self, DecodeError> {
        T::take(from).map(Box::new)
    }
}

/// Everything of a checkpoint.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    pub(crate) start: Start,
    /// By number.
    pub(crate) issues: Vec<IssueState>,
    pub(crate) ledger: OpenLedger,
    pub(crate) uncounted: Vec<Uncounted>,
}

/// Writes parts one after the other.
#[derive(Debug, Default)]
pub(crate) struct PartWriter {
    chain: u32,
    count: u64,
}

impl PartWriter {
    /// The bytes of the next part; with the first come those of the head.
    pub(crate) fn part(&mut self, part: &CheckpointPart) -> Result<Vec<u8>> {
        let mut bytes = if self.count == 0 { HEAD.to_vec() } else { Vec::new() };
        let start = bytes.len();
        bytes.resize(start + PART_HEAD_BYTES, 0);
        let body = bincode::encode_to_vec(Borrowed(part), config()).context("a part of a checkpoint")?;
        if WRITTEN_BYTES_MAX < body.len() {
            bail!("a part of {} bytes, expected at most {WRITTEN_BYTES_MAX}", body.len());
        }
        bytes.extend_from_slice(&body);
        let length = u32::try_from(body.len()).context("a part of a checkpoint")?.to_le_bytes();
        self.chain = checksum(self.chain, length, &body);
        bytes[start..start + 4].copy_from_slice(&length);
        bytes[start + 4..start + PART_HEAD_BYTES].copy_from_slice(&self.chain.to_le_bytes());
        self.count += 1;
        Ok(bytes)
    }

    /// The bytes of the last part.
    pub(crate) fn end(mut self) -> Result<Vec<u8>> {
        self.part(&CheckpointPart::End(self.count))
    }
}

struct Borrowed<'a>(&'a CheckpointPart);

impl bincode::Encode for Borrowed<'_> {
    fn encode<E: Encoder>(&self, to: &mut E) -> Result<(), EncodeError> {
        self.0.put(to)
    }
}

/// Of a part, going on from the one before.
fn checksum(before: u32, length: [u8; 4], body: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c_append(before, &length), body)
}

/// Reads the parts of a checkpoint.
#[derive(Debug)]
struct PartReader<'a> {
    file: &'a dyn DiskFile,
    offset: u64,
    held: Vec<u8>,
    chain: u32,
    count: u64,
}

impl PartReader<'_> {
    fn new(file: &dyn DiskFile) -> Result<PartReader<'_>> {
        let mut reader = PartReader { file, offset: 0, held: Vec::new(), chain: 0, count: 0 };
        if reader.take(HEAD.len())? != HEAD {
            bail!("it does not begin as a checkpoint of this version does");
        }
        Ok(reader)
    }

    fn next(&mut self) -> Result<CheckpointPart> {
        let head = self.take(PART_HEAD_BYTES)?;
        let word = |at: usize| [head[at], head[at + 1], head[at + 2], head[at + 3]];
        let (length, sum) = (word(0), u32::from_le_bytes(word(4)));
        let body = self.take(u32::from_le_bytes(length) as usize)?;
        self.chain = checksum(self.chain, length, &body);
        if self.chain != sum {
            bail!("the checksum of part {} is wrong", self.count);
        }
        let (Whole(part), used) = bincode::decode_from_slice(&body, config()).context("a part of it")?;
        if used != body.len() {
            bail!("part {} has {} bytes more than it says", self.count, body.len() - used);
        }
        self.count += 1;
        Ok(part)
    }

    /// The next `count` bytes. No more room is taken than there are bytes.
    fn take(&mut self, count: usize) -> Result<Vec<u8>> {
        if PART_BYTES_MAX < count {
            bail!("a part of {count} bytes, expected at most {PART_BYTES_MAX}");
        }
        while self.held.len() < count {
            let held = self.held.len();
            self.held.resize(held + READ_BYTES, 0);
            let read = self.file.read_at(&mut self.held[held..], self.offset)?;
            self.held.truncate(held + read);
            self.offset += read as u64;
            if read == 0 {
                bail!("it breaks off");
            }
        }
        Ok(self.held.drain(..count).collect())
    }
}

/// A checkpoint that was found, and the place in the journal that it says.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) path: PathBuf,
    pub(crate) mark: Mark,
    file: Arc<dyn DiskFile>,
}

impl Found {
    /// All of it.
    ///
    /// # Errors
    /// If anything of it is damaged or missing.
    pub(crate) fn read(&self) -> Result<Checkpoint> {
        let mut reader = PartReader::new(&*self.file)?;
        let CheckpointPart::Start(start) = reader.next()? else {
            bail!("it does not begin with what belongs to no issue")
        };
        let (mut issues, mut totals, mut breaches) = (Vec::new(), Vec::<(usize, Vec<Total>)>::new(), Vec::new());
        let mut uncounted = Vec::new();
        loop {
            match reader.next()? {
                CheckpointPart::Issue(issue) => issues.push(*issue),
                CheckpointPart::Totals(first, some) => totals.push((first, some)),
                CheckpointPart::Breaches(some) => breaches.extend(some),
                CheckpointPart::Uncounted(some) => uncounted.extend(some),
                CheckpointPart::End(count) if count + 1 == reader.count => break,
                CheckpointPart::Start(_) | CheckpointPart::End(_) => bail!("its parts do not follow each other"),
            }
        }
        issues.sort_unstable_by_key(|issue| issue.number);
        totals.sort_unstable_by_key(|&(first, _)| first);
        let mut joined = Vec::new();
        for (first, some) in totals {
            if first != joined.len() {
                bail!("times of obligations are missing, or twice there");
            }
            joined.extend(some);
        }
        let ledger = OpenLedger::restore(joined, breaches).ok_or_else(|| anyhow!("a breach of no obligation"))?;
        if uncounted.iter().any(|stretch: &Uncounted| ledger.totals().len() <= stretch.obligation.0 as usize) {
            bail!("a stretch of no obligation");
        }
        Ok(Checkpoint { start: *start, issues, ledger, uncounted })
    }
}

/// The name of the `number`th checkpoint of a session.
fn name(session: Option<SessionId>, number: u64) -> String {
    format!("{}.{number:06}{ENDING}", session_name(session))
}

/// The number in the name of a checkpoint of `session`.
fn number_of(name: &str, session: Option<SessionId>) -> Option<u64> {
    let rest = name.strip_suffix(ENDING)?.strip_prefix(&session_name(session))?.strip_prefix('.')?;
    rest.parse().ok()
}

/// The checkpoints of a session, the newest first. What cannot be read is left out; what was never finished is removed.
pub(crate) fn find(folder: &Folder, session: Option<SessionId>) -> Result<Vec<Found>> {
    let names = folder.disk.list(&folder.path).with_context(|| format!("listing {}", folder.path.display()))?;
    let mut found = Vec::new();
    for name in names {
        let path = folder.path.join(&name);
        if name.ends_with(NEW) {
            folder.disk.remove(&path).with_context(|| format!("removing {name}"))?;
        } else if number_of(&name, session).is_some() {
            let file = folder.disk.open(&path).with_context(|| format!("opening {name}"))?;
            let start = PartReader::new(&*file).and_then(|mut reader| reader.next());
            match start {
                Ok(CheckpointPart::Start(start)) => found.push(Found { path, mark: start.mark, file }),
                Ok(_) => tracing::warn!(checkpoint = name, "is not used: it does not begin as one"),
                Err(error) => tracing::warn!(checkpoint = name, error = %format!("{error:#}"), "is not used"),
            }
        }
    }
    found.reverse();
    Ok(found)
}

/// Removes all checkpoints of a session, whose day is stored. One that cannot be removed does no harm.
pub(crate) fn forget(folder: &Folder, session: Option<SessionId>) {
    let names = folder.disk.list(&folder.path).unwrap_or_default();
    for name in names.iter().filter(|name| number_of(name, session).is_some()) {
        if let Err(error) = folder.disk.remove(&folder.path.join(name)) {
            tracing::warn!(checkpoint = name, %error, "cannot be removed");
        }
    }
}
