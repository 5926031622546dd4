//! A day that has ended, put into the database.

use crate::address::without_shard;
use crate::database::Database;
use crate::disk::DiskFile;
use crate::journal::{Journal, JournalReader};
use crate::measure::Measured;
use crate::under::Under;
use anyhow::{Context, Result, anyhow};
use quoteclock::{BesideFile, Part, beside_words};
use quoteclock_engine::Finished;
use quoteclock_model::Timestamp;
use quoteclock_rules::DayPlan;
use quoteclock_store::{DayBatch, DayToStore, Digest, Provenance, StoredJournal};
use quoteclock_wire::journal::{Frame, Whole};
use quoteclock_wire::payload::{Payload, file_bytes};
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::iter;
use std::path::Path;
use std::sync::Arc;

/// What the program that stores days says of itself, and of them.
#[derive(Clone, Copy, Debug)]
pub struct Built {
    /// The commit that it was built from.
    pub commit: &'static str,
    /// What the input does not support of a day's figures, as a replay stores it.
    pub coverage: fn(&Finished) -> Result<String>,
}

/// Stores a measured day, whole or not at all.
pub(crate) fn store(db: &Database, under: &Under, journal: &Journal, measured: &Measured, built: &Built) -> Result<()> {
    let finished = &measured.finished;
    let scheme = under.registry.scheme();
    let interpretations = scheme.interpretations().iter();
    let (input_sha256, whole) = hash_of_messages(journal.head.payload, JournalReader::new(Arc::clone(&journal.file)))
        .context("hashing the journal")?;
    let provenance = Provenance {
        input: without_shard(&journal.head.feed).to_owned(),
        input_sha256,
        registry_sha256: under.digest,
        scheme: scheme.name().to_owned(),
        scheme_version: scheme.version().to_owned(),
        interpretations: interpretations.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        record_count: whole.map_or(finished.record_count, |whole| whole.records),
        reject_count: finished.reject_count,
        coverage: (built.coverage)(finished)?,
        servers_heard: finished.servers_heard.clone(),
        until: finished.until,
        program_version: env!("CARGO_PKG_VERSION").to_owned(),
        program_commit: built.commit.to_owned(),
        options: options(under),
        journal: Some(StoredJournal {
            name: journal.name(),
            sha256: hash_of_file(journal).context("hashing the journal")?,
        }),
        measured_at: Timestamp::from_micros(jiff::Timestamp::now().as_microsecond()),
    };
    let day = DayToStore {
        plan: &finished.plan,
        ledger: &measured.ledger,
        turnover: &finished.turnover,
        provenance: &provenance,
    };
    let of_all: Option<DayPlan> = match db.shard {
        None => None,
        Some(_) => {
            let date = finished.plan.date;
            Some(under.registry.plan(date).map_err(|error| anyhow!("date {date}: {error}"))?)
        }
    };
    let folder = db.file.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    let aside = tempfile::Builder::new().prefix(".quoteclock-").tempdir_in(folder).context("making a folder aside")?;
    let mut batch = DayBatch::create(&aside.path().join("day.db"))?;
    batch.add_part(day, of_all.as_ref().unwrap_or(&finished.plan))?;
    db.create()?.replace_days(batch, || {})?;
    Ok(())
}

/// What alters what is measured, as the command is told.
fn options(under: &Under) -> String {
    let own = under.own_orders.as_ref().map(|own| {
        let sha256 = Some(Digest(own.sha256()));
        BesideFile { path: own.name().into(), part: Part::All, sha256 }
    });
    let words = iter::once("--lenient".to_owned()).chain(beside_words(own.as_ref(), &[]));
    words.collect::<Vec<_>>().join(" ")
}

/// What `days` has of the input of a day that was measured as it came, and whose journal this is: the SHA-256 of the file
/// that the messages make.
///
/// # Errors
/// If it cannot be read, or is no journal.
pub fn hash_of_journal(path: &Path) -> Result<Digest> {
    let open = || -> Result<Digest> {
        let file: Arc<dyn DiskFile> = Arc::new(File::open(path)?);
        let head = JournalReader::new(Arc::clone(&file)).head()?;
        Ok(hash_of_messages(head.payload, JournalReader::new(file))?.0)
    };
    open().with_context(|| format!("hashing the journal {}", path.display()))
}

/// The SHA-256 of the journal as it stands on the disk.
fn hash_of_file(journal: &Journal) -> Result<Digest> {
    let (mut hasher, mut bytes, mut offset) = (Sha256::new(), vec![0; 1 << 18], 0);
    loop {
        let count = journal.file.read_at(&mut bytes, offset)?;
        if count == 0 {
            return Ok(Digest(hasher.finalize().into()));
        }
        hasher.update(&bytes[..count]);
        offset += count as u64;
    }
}

/// The SHA-256 of the file that the messages make; of a shard's session that of the whole, where its source has told it, and
/// what else it has told.
fn hash_of_messages(payload: Payload, mut reader: JournalReader) -> Result<(Digest, Option<Whole>)> {
    let mut hasher = Sha256::new();
    reader.head()?;
    while let Some(frame) = reader.next()? {
        match frame {
            Frame::Messages { blocks, .. } => {
                file_bytes(payload, blocks, |bytes| hasher.update(bytes));
            }
            Frame::Bytes { bytes, .. } => hasher.update(bytes),
            Frame::End { whole: Some(whole), .. } => return Ok((Digest(whole.sha256), Some(whole))),
            Frame::Gap { .. } | Frame::End { .. } | Frame::Lost { .. } => {}
        }
    }
    Ok((Digest(hasher.finalize().into()), None))
}
