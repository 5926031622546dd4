//! Keeps measured days in an SQLite file: the only crate that knows SQL.
//!
//! A run writes its days aside into a [`Batch`], a database of its own, so that nothing is locked and little is in memory
//! while days are measured; [`Store::replace_days`] then copies all of them in one transaction. So a run's days are there
//! whole or not at all, whatever ends the program; a day that was there is replaced; and two programs wait for each other
//! only while one copies.
//!
//! Invariants: rows have natural keys that begin with the date, so that a day is a range; integers only, and exact;
//! `WAL` with `synchronous = FULL`. Deliberately absent: judging what is stored.

mod batch;
mod digest;
mod error;
mod read;
mod schema;
mod wide;

pub use batch::{Batch, MeasuredDay, Provenance};
pub use digest::Digest;
pub use error::StoreError;
pub use read::{BreachRow, MarketTurnoverRow, StoredDay, TurnoverRow};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a program waits for another one that writes, before it gives up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(60);

/// An open file of measured days.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    file: PathBuf,
}

impl Store {
    /// Opens the file, or makes a new one.
    ///
    /// # Errors
    /// [`StoreError`] if it is not a file of this program, of a newer one, or cannot be opened.
    pub fn create(file: &Path) -> Result<Store, StoreError> {
        Store::with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)
    }

    /// Opens the file, which must be there.
    ///
    /// # Errors
    /// As [`Store::create`], and [`StoreError::Absent`].
    pub fn open(file: &Path) -> Result<Store, StoreError> {
        if !file.exists() {
            return Err(StoreError::Absent { file: file.to_owned() });
        }
        Store::with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)
    }

    fn with_flags(file: &Path, flags: OpenFlags) -> Result<Store, StoreError> {
        let error = |source| StoreError::of(file, "opening it", source);
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(file, flags).map_err(error)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(error)?;
        schema::prepare(&mut connection, file)?;
        Ok(Store { connection, file: file.to_owned() })
    }

    /// Puts the days of a run into the file: all of them or none, each in place of what was stored of its date.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing has changed.
    pub fn replace_days(&mut self, batch: Batch) -> Result<(), StoreError> {
        let file = batch.finish()?;
        let error = |source| StoreError::of(&self.file, "storing days", source);
        self.connection.execute("ATTACH ?1 AS batch", [file.display().to_string()]).map_err(error)?;
        let result = copy(&mut self.connection).map_err(error);
        let detached = self.connection.execute_batch("DETACH batch").map_err(error);
        result.and(detached)
    }

    /// Makes everything that is read from now on come from one moment, whoever stores days meanwhile.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn hold_still(&self) -> Result<(), StoreError> {
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
fn copy(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute("DELETE FROM main.days WHERE date IN (SELECT date FROM batch.days)", [])?;
    for table in schema::TABLES {
        transaction.execute(&format!("INSERT INTO main.{table} SELECT * FROM batch.{table}"), [])?;
    }
    transaction.commit()
}
