//! Without the feature `parquet` nobody can ask for a dataset: nothing here is ever made.

use anyhow::Result;
use jiff::civil::Date;
use quoteclock_ledger::DayLedger;
use quoteclock_model::{DayTurnover, Shard};
use quoteclock_rules::DayPlan;
use quoteclock_store::Provenance;
use std::convert::Infallible;
use std::path::Path;

pub(crate) struct Dataset(Infallible);

#[allow(dead_code, reason = "what is never made is never read")]
pub(crate) struct Measured<'a> {
    pub(crate) plan: &'a DayPlan,
    pub(crate) whole: &'a DayPlan,
    pub(crate) ledger: &'a DayLedger,
    pub(crate) turnover: &'a DayTurnover,
    pub(crate) provenance: &'a Provenance,
}

impl Dataset {
    pub(crate) fn new(_: &Path, _: Option<Shard>) -> Result<Dataset> {
        unreachable!("without the feature nobody can ask for it")
    }

    pub(crate) fn write_aside(&self, _: usize, _: &Measured<'_>) -> Result<()> {
        match self.0 {}
    }

    pub(crate) fn publish(&self, _: &[(usize, Date)]) -> Result<()> {
        match self.0 {}
    }
}
