//! What a file of a dataset rests on, as it stands in its metadata.

use anyhow::{Context, Result, anyhow};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use quoteclock_model::{Shard, Timestamp};
use quoteclock_rules::DayPlan;
use quoteclock_store::{CompressedText, Digest, Provenance, StoredDay};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Whose part a file is.
pub(super) const SHARD: &str = "quoteclock.shard";
/// Of all facts: what the files of one part have in common, and those of another measurement have not.
pub(super) const MEASURED: &str = "quoteclock.measured_sha256";
/// The facts, in the file of `daily`.
const DAY: &str = "quoteclock.day";

/// What a day's row in a database says.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Facts {
    shard: String,
    date: String,
    input: String,
    input_sha256: String,
    registry_sha256: String,
    plan_sha256: String,
    plan: String,
    scheme: String,
    scheme_version: String,
    interpretations: BTreeMap<String, String>,
    multiplier: u32,
    records: u64,
    rejects: u64,
    coverage: String,
    servers: Vec<String>,
    until_us: Option<i64>,
    options: String,
    program_version: String,
    program_commit: String,
    measured_at_us: i64,
}

impl Facts {
    /// Of a day by its plan, with what its figures come `from`.
    pub(super) fn of(day: &DayPlan, from: &Provenance, shard: Shard) -> Facts {
        let plan = day.canonical();
        Facts {
            shard: shard.to_string(),
            date: day.date.to_string(),
            input: from.input.clone(),
            input_sha256: from.input_sha256.to_string(),
            registry_sha256: from.registry_sha256.to_string(),
            plan_sha256: Digest::of(plan.as_bytes()).to_string(),
            plan,
            scheme: from.scheme.clone(),
            scheme_version: from.scheme_version.clone(),
            interpretations: from.interpretations.iter().cloned().collect(),
            multiplier: day.multiplier,
            records: from.record_count,
            rejects: from.reject_count,
            coverage: from.coverage.clone(),
            servers: from.servers_heard.clone(),
            until_us: from.until.map(Timestamp::as_micros),
            options: from.options.clone(),
            program_version: from.program_version.clone(),
            program_commit: from.program_commit.clone(),
            measured_at_us: from.measured_at.as_micros(),
        }
    }

    /// What stands in every file of a day in the `zone`.
    pub(super) fn metadata(&self, zone: &TimeZone) -> Result<Vec<(String, String)>> {
        let pairs = [
            ("quoteclock.date", self.date.clone()),
            (SHARD, self.shard.clone()),
            (MEASURED, self.digest()?.to_string()),
            ("quoteclock.plan_sha256", self.plan_sha256.clone()),
            ("quoteclock.registry_sha256", self.registry_sha256.clone()),
            ("quoteclock.input_sha256", self.input_sha256.clone()),
            ("quoteclock.timezone", zone.iana_name().unwrap_or_default().to_owned()),
            ("quoteclock.program_version", self.program_version.clone()),
            ("quoteclock.program_commit", self.program_commit.clone()),
        ];
        Ok(pairs.map(|(key, value)| (key.to_owned(), value)).to_vec())
    }

    /// The facts themselves.
    pub(super) fn whole(&self) -> Result<(String, String)> {
        Ok((DAY.to_owned(), serde_json::to_string(self)?))
    }

    /// Of the facts that a file's metadata has.
    pub(super) fn read(metadata: &BTreeMap<String, String>) -> Result<Facts> {
        let text =
            metadata.get(DAY).ok_or_else(|| anyhow!("has no {DAY} in its metadata, expected a file of daily"))?;
        serde_json::from_str(text).with_context(|| format!("{DAY} in its metadata cannot be read"))
    }

    /// When it was measured apart: a day measured again from the same is the same.
    pub(super) fn digest(&self) -> Result<Digest> {
        let timeless = Facts { measured_at_us: 0, ..self.clone() };
        Ok(Digest::of(&serde_json::to_vec(&timeless)?))
    }

    pub(super) fn shard(&self) -> Result<Shard> {
        self.shard.parse().map_err(|error| anyhow!("{error}"))
    }

    pub(super) fn date(&self) -> Result<Date> {
        self.date.parse().with_context(|| format!("date: found \"{}\"", self.date))
    }

    pub(super) fn program_commit(&self) -> &str {
        &self.program_commit
    }

    pub(super) fn measured_at(&self) -> Timestamp {
        Timestamp::from_micros(self.measured_at_us)
    }

    /// As a database has them.
    pub(super) fn day(&self) -> Result<StoredDay> {
        let digest = |what: &str, text: &str| Digest::named(text).ok_or_else(|| anyhow!("{what}: is no SHA-256"));
        Ok(StoredDay {
            date: self.date()?,
            input: self.input.clone(),
            input_sha256: digest("input_sha256", &self.input_sha256)?,
            registry_sha256: digest("registry_sha256", &self.registry_sha256)?,
            plan_sha256: digest("plan_sha256", &self.plan_sha256)?,
            scheme: self.scheme.clone(),
            scheme_version: self.scheme_version.clone(),
            interpretations: self.interpretations.clone().into_iter().collect(),
            multiplier: self.multiplier,
            record_count: self.records,
            reject_count: self.rejects,
            coverage: Some(self.coverage.clone()),
            until: self.until_us.map(Timestamp::from_micros),
            program_version: self.program_version.clone(),
            options: Some(self.options.clone()),
            plan: Some(CompressedText::of(&self.plan)?),
            servers_heard: Some(self.servers.clone()),
            journal: None,
        })
    }
}
