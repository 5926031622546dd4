//! Without the feature `parquet` nobody can ask for a dataset: nothing here is ever made.

use anyhow::Result;
use jiff::civil::Date;
use quoteclock_model::Shard;
use quoteclock_rules::DayPlan;
use quoteclock_store::DayToStore;
use std::convert::Infallible;
use std::path::Path;

pub(crate) struct Dataset(Infallible);

impl Dataset {
    pub(crate) fn new(_: &Path, _: Option<Shard>) -> Result<Dataset> {
        unreachable!("without the feature nobody can ask for it")
    }

    pub(crate) fn write_aside(&self, _: usize, _: DayToStore<'_>, _: &DayPlan) -> Result<()> {
        match self.0 {}
    }

    pub(crate) fn publish(&self, _: &[(usize, Date)]) -> Result<()> {
        match self.0 {}
    }
}
