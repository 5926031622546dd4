//! What can go wrong with the file, and what to say of it.

use quoteclock_model::Shard;
use rusqlite::ErrorCode;
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;

/// How long a program waits for another one that writes, before it gives up.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(60);

/// Why a file of measured days cannot be used.
///
/// ```
/// use quoteclock_store::{Store, StoreError};
///
/// let opened = Store::open("no/such/file.db".as_ref());
/// assert!(matches!(opened, Err(StoreError::Absent { .. })));
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no such file.
    #[error("{}: no such file, expected one that `replay --db` has written", file.display())]
    Absent {
        /// The file.
        file: PathBuf,
    },
    /// The system does not let it be read.
    #[error("{}: cannot be read, expected a file that may be", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// It is something else.
    #[error("{}: is not a database of quoteclock; nothing in it was changed", file.display())]
    NotOurs {
        /// The file.
        file: PathBuf,
    },
    /// It has parts of days, which are no days.
    #[error(
        "{}: holds parts of days, those of shard {shard}, expected days: `quoteclock merge --db FILE PART...` makes days of the \
         parts of all shards",
        file.display()
    )]
    IsPart {
        /// The file.
        file: PathBuf,
        /// The shard.
        shard: Shard,
    },
    /// It has days, or nothing, where parts of days are wanted.
    #[error("{}: holds no parts of days, expected a file that `replay --shard I/N --db FILE` has written", file.display())]
    NoPart {
        /// The file.
        file: PathBuf,
    },
    /// It has the parts of another shard.
    #[error(
        "{}: holds the parts of shard {shard}, expected those of shard {wanted}, or another file; nothing was changed",
        file.display()
    )]
    OtherShard {
        /// The file.
        file: PathBuf,
        /// Whose they are.
        shard: Shard,
        /// Whose are wanted.
        wanted: Shard,
    },
    /// A newer program has written it.
    #[error(
        "{}: was written by a newer quoteclock (its form is {found}, this program knows up to {known}); use that one",
        file.display()
    )]
    Newer {
        /// The file.
        file: PathBuf,
        /// The form of the file.
        found: i64,
        /// The newest form that this program knows.
        known: i64,
    },
    /// What is stored of a day is not what was written.
    #[error(
        "{}: the {what} of {date} are not what was stored, their checksum is another; replay the day, or use a copy of the \
         file from before it was damaged",
        file.display()
    )]
    Damaged {
        /// The file.
        file: PathBuf,
        /// The date.
        date: String,
        /// Which part of it.
        what: &'static str,
    },
    /// The checksum of what is stored of a day has gone.
    #[error(
        "{}: the {what} of {date} have no checksum, though one was written when the day was stored; replay the day, or use a \
         copy of the file from before it was altered",
        file.display()
    )]
    Unsummed {
        /// The file.
        file: PathBuf,
        /// The date.
        date: String,
        /// Which part of it.
        what: &'static str,
    },
    /// Another program did not let go of it.
    #[error("{}: another program has been writing to it for {seconds} seconds; nothing was changed", file.display())]
    Busy {
        /// The file.
        file: PathBuf,
        /// How long this one waited.
        seconds: u64,
    },
    /// Neither it nor anything beside it can be written.
    #[error("{}: cannot be written: the file, its folder or its file system is read-only; nothing was changed", file.display())]
    ReadOnly {
        /// The file.
        file: PathBuf,
    },
    /// It can only be read together with a log into which nothing can be written.
    #[error(
        "{}: cannot be read without the right to write in its folder, as {} holds what a program that runs, or was \
         interrupted, has stored; wait for it, or open the file once as somebody who has that right",
        file.display(),
        log.display()
    )]
    LogBeside {
        /// The file.
        file: PathBuf,
        /// The log beside it.
        log: PathBuf,
    },
    /// It is of an older form, and cannot be copied to be read.
    #[error("{}: is of an older form, which is read from a copy that could not be made; set TMPDIR to a folder with room", file.display())]
    Copy {
        /// The file.
        file: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The days are in it, though something went wrong afterwards.
    #[error("{}: the days are stored, but the file could not be let go of in order; there is nothing to mend", file.display())]
    StoredAll {
        /// The file.
        file: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The disk is full, or a limit on the size of files is reached.
    #[error("{}: there is no room to write; nothing was changed", file.display())]
    Full {
        /// The file.
        file: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// Anything else.
    #[error("{}: {doing}", file.display())]
    Sql {
        /// The file.
        file: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}

impl StoreError {
    /// What `source` means for `file`.
    pub(crate) fn of(file: &Path, doing: &'static str, source: rusqlite::Error) -> StoreError {
        let file = file.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => StoreError::NotOurs { file },
            Some(ErrorCode::DatabaseBusy) => StoreError::Busy { file, seconds: BUSY_TIMEOUT.as_secs() },
            Some(ErrorCode::ReadOnly) => StoreError::ReadOnly { file },
            Some(ErrorCode::DiskFull) => StoreError::Full { file, source },
            _ => StoreError::Sql { file, doing, source },
        }
    }

    /// Why a file cannot be looked at.
    pub(crate) fn not_read(file: &Path, source: std::io::Error) -> StoreError {
        let file = file.to_owned();
        match source.kind() {
            std::io::ErrorKind::NotFound => StoreError::Absent { file },
            _ => StoreError::Unreadable { file, source },
        }
    }

    /// Whether it failed because nothing can be written there.
    pub(crate) fn is_of_writing(&self) -> bool {
        match self {
            StoreError::ReadOnly { .. } => true,
            StoreError::Sql { source, .. } => source.sqlite_error_code() == Some(ErrorCode::CannotOpen),
            _ => false,
        }
    }
}
