//! Keeps measured days in an SQLite file: the only crate that knows SQL.
//!
//! A run writes its days aside into a [`DayBatch`], a database of its own, so that nothing is locked and little is in memory
//! while days are measured; [`Store::replace_days`] then copies all of them in one transaction. So a run's days are there
//! whole or not at all, whatever ends the program; a day that was there is replaced; and two programs wait for each other
//! only while one copies.
//!
//! Invariants: rows have natural keys that begin with the date, so that a day is a range; integers only, and exact;
//! `WAL` with `synchronous = FULL`. Deliberately absent: judging what is stored.

mod acknowledgements;
mod batch;
mod checksum;
mod closing;
mod connect;
mod digest;
mod error;
mod insert;
mod merge;
mod read;
mod replaced;
mod rows;
mod schema;
mod wide;

pub use acknowledgements::Acknowledgement;
pub use batch::{DayBatch, DayToStore, Provenance, StoredJournal};
pub use closing::{Closing, StoredAfter};
pub use connect::on_waiting;
pub use digest::Digest;
pub use error::StoreError;
pub use merge::{Disagreement, MergeError, merge, merge_as};
pub use read::{BreachRow, CompressedText, MarketTurnoverRow, MeasurementRow, StoredDay, TurnoverRow};
pub use replaced::{Change, Replaced};
pub use rows::DayRows;

use quoteclock_model::Shard;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use schema::Kind;
use std::path::{Path, PathBuf};
use tempfile::TempPath;

/// An open file of measured days.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    file: PathBuf,
    /// A copy that is read in place of the file, where that is of an older form and cannot be written.
    _copy: Option<TempPath>,
}

impl Store {
    /// Opens the file for writing, or makes a new one.
    ///
    /// # Errors
    /// [`StoreError`] if it is not a file of this program, of a newer one, or cannot be written.
    pub fn create(file: &Path) -> Result<Store, StoreError> {
        Store::create_kind(file, Kind::Days)
    }

    /// Opens a file for the parts of days that a shard measures, or makes a new one.
    ///
    /// # Errors
    /// As [`Store::create`]; [`StoreError::NoPart`] and [`StoreError::OtherShard`] where something else is in it.
    pub fn create_part(file: &Path, shard: Shard) -> Result<Store, StoreError> {
        Store::create_kind(file, Kind::PartOf(shard))
    }

    fn create_kind(file: &Path, kind: Kind) -> Result<Store, StoreError> {
        let store = Store::with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE, kind)?;
        match store.connection.is_readonly("main") {
            Ok(false) => Ok(store),
            Ok(true) => Err(StoreError::ReadOnly { file: file.to_owned() }),
            Err(source) => Err(StoreError::of(file, "opening it", source)),
        }
    }

    /// Opens the file for reading: it must be there, and may be where nothing can be written. A file of an older form is
    /// brought up to date, or a copy of it is; an empty one has no days, and stays empty.
    ///
    /// # Errors
    /// As [`Store::create`], and [`StoreError::Absent`], [`StoreError::Unreadable`], [`StoreError::LogBeside`].
    pub fn open(file: &Path) -> Result<Store, StoreError> {
        Store::open_kind(file, Kind::Days)
    }

    /// Opens a file of parts of days for reading, and tells whose they are.
    ///
    /// # Errors
    /// As [`Store::open`]; [`StoreError::NoPart`] where something else is in it.
    pub fn open_part(file: &Path) -> Result<(Store, Shard), StoreError> {
        let store = Store::open_kind(file, Kind::Part)?;
        let shard = schema::shard_of(&store.connection, file)?;
        Ok((store, shard))
    }

    fn open_kind(file: &Path, kind: Kind) -> Result<Store, StoreError> {
        let metadata = file.metadata().map_err(|source| StoreError::not_read(file, source))?;
        if metadata.is_file() {
            std::fs::File::open(file).map_err(|source| StoreError::not_read(file, source))?;
        }
        if metadata.len() == 0 && !connect::beside(file, "-wal").exists() {
            return match kind {
                Kind::Days => Store::without_days(file),
                Kind::Part | Kind::PartOf(_) => Err(StoreError::NoPart { file: file.to_owned() }),
            };
        }
        match Store::with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE, kind) {
            Err(error) if error.is_of_writing() => Store::frozen(file, kind),
            result => result,
        }
    }

    fn with_flags(file: &Path, flags: OpenFlags, kind: Kind) -> Result<Store, StoreError> {
        if file.is_dir() {
            return Err(StoreError::NotOurs { file: file.to_owned() });
        }
        let opened = connect::open(file, flags);
        let mut connection = opened.map_err(|source| StoreError::of(file, "opening it", source))?;
        schema::prepare(&mut connection, file, kind)?;
        Ok(Store { connection, file: file.to_owned(), _copy: None })
    }

    /// What an empty file holds.
    fn without_days(file: &Path) -> Result<Store, StoreError> {
        let made = Connection::open_in_memory().and_then(|connection| {
            schema::prepare_scratch(&connection)?;
            Ok(connection)
        });
        let connection = made.map_err(|source| StoreError::of(file, "opening it", source))?;
        Ok(Store { connection, file: file.to_owned(), _copy: None })
    }

    /// A file that is read where nothing can be written.
    fn frozen(file: &Path, kind: Kind) -> Result<Store, StoreError> {
        let mut connection = connect::open_frozen(file)?;
        if schema::is_current(&mut connection, file, kind)? {
            return Ok(Store { connection, file: file.to_owned(), _copy: None });
        }
        let copied = || {
            let copy = tempfile::NamedTempFile::new()?.into_temp_path();
            std::io::copy(&mut std::fs::File::open(file)?, &mut std::fs::File::create(&copy)?)?;
            Ok(copy)
        };
        let copy = copied().map_err(|source| StoreError::Copy { file: file.to_owned(), source })?;
        let store = Store::with_flags(&copy, OpenFlags::SQLITE_OPEN_READ_WRITE, kind)?;
        Ok(Store { file: file.to_owned(), _copy: Some(copy), ..store })
    }

    /// Puts the days of a run into the file: all of them or none, each in place of what was stored of its date. Tells
    /// what that has changed, and writes each measurement down beside those that were ever stored. When nothing is left
    /// but to commit, `about_to_commit` is called.
    ///
    /// # Errors
    /// [`StoreError::StoredAll`] if the days are stored, though something went wrong afterwards; any other, and then
    /// nothing has changed.
    pub fn replace_days(
        &mut self,
        batch: DayBatch,
        about_to_commit: impl FnOnce(),
    ) -> Result<Vec<Replaced>, StoreError> {
        let file = batch.finish()?;
        let error = |source| StoreError::of(&self.file, "storing days", source);
        self.connection.execute("ATTACH ?1 AS batch", [connect::text(&file)]).map_err(error)?;
        // A row's day is copied together with it: that needs no look for each.
        self.connection.pragma_update(None, "foreign_keys", false).map_err(error)?;
        let copied = copy(&mut self.connection, about_to_commit);
        let looked_at = self.connection.pragma_update(None, "foreign_keys", true);
        // The batch is done with, whether it is let go of now or together with the file.
        let _ = self.connection.execute_batch("DETACH batch");
        let source = match copied.and_then(|replaced| looked_at.map(|()| replaced)) {
            Ok(replaced) => return Ok(replaced),
            Err(source) => source,
        };
        if self.holds_all(&file) {
            return Err(StoreError::StoredAll { file: self.file.clone(), source });
        }
        Err(error(source))
    }

    /// Whether the file, opened anew, holds all days of a batch.
    fn holds_all(&self, batch: &Path) -> bool {
        let look = || -> rusqlite::Result<bool> {
            let connection = connect::open(&self.file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
            connection.execute("ATTACH ?1 AS batch", [connect::text(batch)])?;
            for table in schema::TABLES {
                let sql = format!("SELECT EXISTS (SELECT * FROM batch.{table} EXCEPT SELECT * FROM main.{table})");
                if connection.query_row(&sql, [], |row| row.get(0))? {
                    return Ok(false);
                }
            }
            Ok(true)
        };
        look().unwrap_or(false)
    }

    /// Makes everything that is read from now on come from one moment, whoever stores days meanwhile.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn begin_snapshot(&self) -> Result<(), StoreError> {
        let result = self.connection.execute_batch("BEGIN; SELECT count(*) FROM days WHERE date = ''");
        result.map_err(|source| StoreError::of(&self.file, "reading it", source))
    }

    /// Limits the size of the file, in pages.
    ///
    /// # Errors
    /// [`StoreError`] of the file.
    #[doc(hidden)]
    pub fn limit_pages(&self, pages: u32) -> Result<(), StoreError> {
        let result = self.connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()));
        result.map_err(|source| StoreError::of(&self.file, "limiting its size", source))
    }

    /// What SQLite finds wrong with the file; nothing if it is whole.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    pub fn integrity_problems(&self) -> Result<Vec<String>, StoreError> {
        let error = |source| StoreError::of(&self.file, "checking it", source);
        let mut statement = self.connection.prepare("PRAGMA integrity_check").map_err(error)?;
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).map_err(error)?;
        let lines: Vec<String> = rows.collect::<Result<_, _>>().map_err(error)?;
        let mut keys = self.connection.prepare("PRAGMA foreign_key_check").map_err(error)?;
        let orphans = keys.query_map([], |row| row.get::<_, String>(0)).map_err(error)?;
        let orphans = orphans.map(|table| Ok(format!("a row of {} belongs to no day", table?)));
        let orphans: Vec<String> = orphans.collect::<Result<_, _>>().map_err(error)?;
        Ok(lines.into_iter().filter(|line| line != "ok").chain(orphans).collect())
    }
}

/// Copies the attached batch in one transaction.
fn copy(connection: &mut Connection, about_to_commit: impl FnOnce()) -> rusqlite::Result<Vec<Replaced>> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let replaced = replaced::record(&transaction)?;
    for table in schema::TABLES {
        transaction.execute(&format!("DELETE FROM main.{table} WHERE date IN (SELECT date FROM batch.days)"), [])?;
        transaction.execute(&format!("INSERT INTO main.{table} SELECT * FROM batch.{table}"), [])?;
    }
    about_to_commit();
    transaction.commit()?;
    Ok(replaced)
}
