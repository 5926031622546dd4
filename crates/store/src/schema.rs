//! The file's form: whose it is, which version it has, and how an older one is brought up to date.

use crate::StoreError;
use crate::connect::wait;
use quoteclock_model::Shard;
use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use std::path::Path;

/// Marks a file as ours: `qclk`.
const APPLICATION_ID: i64 = 0x7163_6c6b;

/// Marks a file of parts of days, `qclp`: whoever reads days takes none for a day.
const PART_ID: i64 = 0x7163_6c70;

/// What is in a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Days.
    Days,
    /// The parts of days that one shard measures.
    PartOf(Shard),
    /// Those of any shard.
    Part,
}

impl Kind {
    fn id(self) -> i64 {
        if self == Kind::Days { APPLICATION_ID } else { PART_ID }
    }
}

/// Each brings a file from one version to the next; released ones are never edited.
const MIGRATIONS: [&str; 7] = [
    include_str!("migrations/0001_days.sql"),
    include_str!("migrations/0002_evidence.sql"),
    include_str!("migrations/0003_coverage.sql"),
    include_str!("migrations/0004_servers.sql"),
    include_str!("migrations/0005_journal.sql"),
    include_str!("migrations/0006_closings.sql"),
    include_str!("migrations/0007_acknowledgements.sql"),
];

/// The version that [`MIGRATIONS`] lead to.
const VERSION: i64 = 7;
const _: () = assert!(MIGRATIONS.len() == 7, "VERSION is the number of migrations");

/// The tables that hold days, days first: what others refer to.
pub(crate) const TABLES: [&str; 6] =
    ["days", "interpretations", "results", "breaches", "turnovers", "market_turnovers"];

/// Makes an opened file ready for use, or refuses it untouched.
pub(crate) fn prepare(connection: &mut Connection, file: &Path, kind: Kind) -> Result<(), StoreError> {
    let error = |source| StoreError::of(file, "preparing it", source);
    if version_of_file(connection, file, kind)? < VERSION {
        migrate(connection, file, kind)?;
    }
    keep_a_log(connection).map_err(error)?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(error)?;
    connection.pragma_update(None, "foreign_keys", true).map_err(error)
}

/// Makes a new database that need not survive a crash.
pub(crate) fn prepare_scratch(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA journal_mode = OFF", [], |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    // Whose day a row is was looked up for every single one; they are written a day at a time.
    connection.pragma_update(None, "foreign_keys", false)?;
    MIGRATIONS.iter().try_for_each(|migration| connection.execute_batch(migration))
}

/// Whether a file that is only read has the form of this program; an error if it is none of its files.
pub(crate) fn is_current(connection: &mut Connection, file: &Path, kind: Kind) -> Result<bool, StoreError> {
    Ok(version_of_file(connection, file, kind)? == VERSION)
}

/// The version of a file that others may be writing to: what tells it is read in one transaction, so that a file in
/// the middle of being made is seen before or after.
fn version_of_file(connection: &mut Connection, file: &Path, kind: Kind) -> Result<i64, StoreError> {
    let begun = connection.transaction_with_behavior(TransactionBehavior::Deferred);
    let transaction = begun.map_err(|source| StoreError::of(file, "reading its form", source))?;
    version(&transaction, file, kind)
}

/// The version of a file, inside a transaction: 0 if nothing has been written to it.
fn version(connection: &Connection, file: &Path, kind: Kind) -> Result<i64, StoreError> {
    let error = |source| StoreError::of(file, "reading its form", source);
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(error);
    let found = number("PRAGMA user_version")?;
    let id = number("PRAGMA application_id")?;
    match id {
        APPLICATION_ID | PART_ID if VERSION < found => {
            Err(StoreError::Newer { file: file.to_owned(), found, known: VERSION })
        }
        id if id == kind.id() => {
            match kind {
                Kind::PartOf(wanted) if 0 < found => {
                    let shard = shard_of(connection, file)?;
                    if shard != wanted {
                        return Err(StoreError::OtherShard { file: file.to_owned(), shard, wanted });
                    }
                }
                _ => {}
            }
            Ok(found)
        }
        PART_ID => Err(StoreError::IsPart { file: file.to_owned(), shard: shard_of(connection, file)? }),
        APPLICATION_ID => Err(StoreError::NoPart { file: file.to_owned() }),
        0 if found == 0 && number("SELECT count(*) FROM sqlite_schema")? == 0 => Ok(0),
        _ => Err(StoreError::NotOurs { file: file.to_owned() }),
    }
}

/// The shard that a file of parts is of.
pub(crate) fn shard_of(connection: &Connection, file: &Path) -> Result<Shard, StoreError> {
    let read =
        connection.query_row("SELECT shard_index, shard_count FROM part", [], |row| Ok((row.get(0)?, row.get(1)?)));
    let (index, count) = read.map_err(|source| StoreError::of(file, "reading whose part it is", source))?;
    Shard::new(index, count).ok_or_else(|| StoreError::NotOurs { file: file.to_owned() })
}

/// Brings the file up to date in one transaction. Another program may have done so meanwhile.
fn migrate(connection: &mut Connection, file: &Path, kind: Kind) -> Result<(), StoreError> {
    let error = |source| StoreError::of(file, "bringing it up to date", source);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(error)?;
    let done = usize::try_from(version(&transaction, file, kind)?).unwrap_or_default();
    for migration in MIGRATIONS.iter().skip(done) {
        transaction.execute_batch(migration).map_err(error)?;
    }
    match kind {
        Kind::PartOf(shard) if done == 0 => {
            transaction.execute_batch(include_str!("part.sql")).map_err(error)?;
            let row = (shard.index(), shard.count());
            transaction.execute("INSERT INTO part VALUES (?1, ?2)", row).map_err(error)?;
        }
        Kind::Part if done == 0 => return Err(StoreError::NoPart { file: file.to_owned() }),
        _ => {}
    }
    transaction.pragma_update(None, "application_id", kind.id()).map_err(error)?;
    transaction.pragma_update(None, "user_version", VERSION).map_err(error)?;
    transaction.commit().map_err(error)
}

/// Sets the write-ahead log where it is not set yet. SQLite does not wait for others there, so this does.
fn keep_a_log(connection: &Connection) -> rusqlite::Result<()> {
    for count in 0.. {
        let mode = connection.query_row("PRAGMA journal_mode", [], |row| row.get::<_, String>(0))?;
        if mode == "wal" {
            return Ok(());
        }
        match connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())) {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                if !wait(count) {
                    return Err(error);
                }
            }
            result => return result,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;

    #[test]
    fn every_migration_runs_from_empty_and_lists_every_table() {
        let connection = Connection::open_in_memory().unwrap();
        prepare_scratch(&connection).unwrap();
        let mut statement = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").unwrap();
        let mut found: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        let mut listed = TABLES.map(str::to_owned).to_vec();
        listed.extend(["measurements", "closings", "closed_papers", "acknowledgements"].map(str::to_owned));
        found.sort();
        listed.sort();
        assert_eq!(found, listed);
    }

    #[test]
    fn a_file_of_a_newer_program_is_refused_and_unchanged() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("days.db");
        let store = Store::create(&file).unwrap();
        store.connection.pragma_update(None, "user_version", VERSION + 1).unwrap();
        drop(store);
        let before = std::fs::read(&file).unwrap();
        for result in [Store::open(&file), Store::create(&file)] {
            let message = result.unwrap_err().to_string();
            assert!(message.contains("newer quoteclock (its form is 8, this program knows up to 7)"), "{message}");
        }
        assert_eq!(std::fs::read(&file).unwrap(), before);
    }

    #[test]
    fn a_file_of_another_program_is_refused_and_unchanged() {
        let folder = tempfile::tempdir().unwrap();
        let text = folder.path().join("letter.txt");
        std::fs::write(&text, "Dear Sir or Madam, ".repeat(100)).unwrap();
        let other = folder.path().join("other.db");
        Connection::open(&other).unwrap().execute_batch("CREATE TABLE recipes (name TEXT)").unwrap();
        for file in [text, other] {
            let before = std::fs::read(&file).unwrap();
            for result in [Store::open(&file), Store::create(&file)] {
                let error = result.unwrap_err();
                assert!(matches!(error, StoreError::NotOurs { .. }), "{error}");
            }
            assert_eq!(std::fs::read(&file).unwrap(), before);
        }
        assert!(matches!(Store::open(&folder.path().join("absent.db")), Err(StoreError::Absent { .. })));
    }

    #[test]
    fn what_a_store_promises_of_the_disk_is_set() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(&folder.path().join("days.db")).unwrap();
        let text = |sql| store.connection.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
        let number = |sql| store.connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(text("PRAGMA journal_mode"), "wal");
        assert_eq!((number("PRAGMA synchronous"), number("PRAGMA foreign_keys")), (2, 1));
    }
}
