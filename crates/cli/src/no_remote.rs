//! Without the feature `objects` no name is one of an object: each is a file's.

use anyhow::Result;
use quoteclock_model::Shard;
use quoteclock_replay::Input;
use std::convert::Infallible;
use std::path::{Path, PathBuf};

use crate::scratch::Scratch;

pub(crate) fn is_object(_: &Path) -> Result<bool> {
    Ok(false)
}

pub(crate) fn input(name: &Path) -> Result<Input> {
    Ok(Input::named(name))
}

pub(crate) fn registry(_: &Path) -> Result<Option<Scratch>> {
    Ok(None)
}

pub(crate) fn read(name: &Path) -> Result<Vec<u8>> {
    Ok(std::fs::read(name)?)
}

#[cfg(feature = "parquet")]
pub(crate) fn dataset(_: &Path, _: &std::ops::RangeInclusive<jiff::civil::Date>) -> Result<Option<Scratch>> {
    Ok(None)
}

pub(crate) struct Copies {
    pub(crate) paths: Vec<PathBuf>,
    _never: Infallible,
}

pub(crate) fn copies(_: &[PathBuf]) -> Result<Option<Copies>> {
    Ok(None)
}

#[derive(Default, Debug)]
pub(crate) struct Outputs;

#[allow(dead_code, reason = "there is nothing to tell apart")]
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    File,
    Folder { stale: Vec<String> },
    Dataset(Shard),
}

impl Outputs {
    pub(crate) fn make(&mut self, name: &Path, _: Kind) -> Result<PathBuf> {
        Ok(name.to_owned())
    }

    pub(crate) fn name(&self, made_at: &Path) -> String {
        made_at.display().to_string()
    }

    pub(crate) fn put(&self) -> Result<()> {
        Ok(())
    }
}
