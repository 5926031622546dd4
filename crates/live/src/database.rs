//! The database of the days: of whole ones, or of the parts that a shard has of them.

use quoteclock_model::Shard;
use quoteclock_store::{Store, StoreError};
use std::path::PathBuf;

/// A file, and what it holds.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    pub(crate) file: PathBuf,
    /// Whose parts; `None` where days are whole.
    pub(crate) shard: Option<Shard>,
}

impl Database {
    /// Opens it for writing, and makes it where it is not there.
    pub(crate) fn create(&self) -> Result<Store, StoreError> {
        match self.shard {
            None => Store::create(&self.file),
            Some(shard) => Store::create_part(&self.file, shard),
        }
    }

    /// Opens it for reading.
    pub(crate) fn open(&self) -> Result<Store, StoreError> {
        match self.shard {
            None => Store::open(&self.file),
            Some(_) => Store::open_part(&self.file).map(|(store, _)| store),
        }
    }
}
