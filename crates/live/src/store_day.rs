//! A day that has ended, put into the database.

use crate::disk::DiskFile;
use crate::journal::{Journal, JournalReader};
use crate::measure::Measured;
use anyhow::{Context, Result};
use quoteclock_engine::Finished;
use quoteclock_model::Timestamp;
use quoteclock_rules::Registry;
use quoteclock_store::{DayBatch, DayToStore, Digest, Provenance, Store};
use quoteclock_wire::journal::Frame;
use quoteclock_wire::payload::file_bytes;
use sha2::{Digest as _, Sha256};
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
pub(crate) fn store(
    db: &Path,
    (registry, registry_sha256): (&Registry, Digest),
    journal: &Journal,
    measured: &Measured,
    built: &Built,
) -> Result<()> {
    let finished = &measured.finished;
    let scheme = registry.scheme();
    let interpretations = scheme.interpretations().iter();
    let provenance = Provenance {
        input: journal.head.feed.clone(),
        input_sha256: hash_of_messages(journal).context("hashing the journal")?,
        registry_sha256,
        scheme: scheme.name().to_owned(),
        scheme_version: scheme.version().to_owned(),
        interpretations: interpretations.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        record_count: finished.record_count,
        reject_count: finished.reject_count,
        coverage: (built.coverage)(finished)?,
        until: finished.until,
        program_version: env!("CARGO_PKG_VERSION").to_owned(),
        program_commit: built.commit.to_owned(),
        options: "--lenient".to_owned(),
        measured_at: Timestamp::from_micros(jiff::Timestamp::now().as_microsecond()),
    };
    let day = DayToStore {
        plan: &finished.plan,
        ledger: &measured.ledger,
        turnover: &finished.turnover,
        provenance: &provenance,
    };
    let folder = db.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    let aside = tempfile::Builder::new().prefix(".quoteclock-").tempdir_in(folder).context("making a folder aside")?;
    let mut batch = DayBatch::create(&aside.path().join("day.db"))?;
    batch.add(day)?;
    Store::create(db)?.replace_days(batch, || {})?;
    Ok(())
}

/// The SHA-256 of the file that the messages make.
fn hash_of_messages(journal: &Journal) -> Result<Digest> {
    let mut hasher = Sha256::new();
    let file: Arc<dyn DiskFile> = Arc::clone(&journal.file);
    let mut reader = JournalReader::new(file);
    reader.head()?;
    while let Some(frame) = reader.next()? {
        match frame {
            Frame::Messages { blocks, .. } => {
                file_bytes(journal.head.payload, blocks, |bytes| hasher.update(bytes));
            }
            Frame::Bytes { bytes, .. } => hasher.update(bytes),
            Frame::Gap { .. } | Frame::End { .. } | Frame::Lost { .. } => {}
        }
    }
    Ok(Digest(hasher.finalize().into()))
}
