//! What can go wrong with the file, and what to say of it.

use rusqlite::ErrorCode;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why a file of measured days cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no such file.
    #[error("{}: no such file, expected one that `replay --db` has written", file.display())]
    Absent {
        /// The file.
        file: PathBuf,
    },
    /// It is something else.
    #[error("{}: is not a database of quoteclock; nothing in it was changed", file.display())]
    NotOurs {
        /// The file.
        file: PathBuf,
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
    /// Another program did not let go of it.
    #[error("{}: another program has been writing to it for {seconds} seconds; nothing was changed", file.display())]
    Busy {
        /// The file.
        file: PathBuf,
        /// How long this one waited.
        seconds: u64,
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
            Some(ErrorCode::DatabaseBusy) => StoreError::Busy { file, seconds: crate::BUSY_TIMEOUT.as_secs() },
            Some(ErrorCode::DiskFull) => StoreError::Full { file, source },
            _ => StoreError::Sql { file, doing, source },
        }
    }
}
