//! Parts of days, one of each shard, made whole again.
//!
//! The idea: every shard reads the whole input, so that what concerns the market is the same in all parts and has to agree;
//! what concerns issues is in one part each, and is put together. A row is copied as it stands.

mod coverage;
mod disagreement;

pub use disagreement::{Disagreement, MergeError};

use crate::batch::{compressed, date_text};
use crate::checksum;
use crate::{DayBatch, Store, StoreError, StoredDay};
use disagreement::{DayPart, look};
use jiff::civil::Date;
use quoteclock_model::Shard;
use rusqlite::types::Value;
use rusqlite::{Connection, Result as SqlResult, Row, ToSql, params_from_iter};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// An open file of parts.
struct PartFile {
    name: PathBuf,
    store: Store,
    shard: Shard,
}

/// Makes days of the parts in some files: a batch in a new file `aside`, which is the caller's to remove, and the days' dates.
///
/// # Errors
/// [`MergeError::Disagree`] with everything that keeps the parts from being days: shards that are missing or there twice,
/// parts of different inputs, rules or programs. [`MergeError::Store`] of a file.
pub fn merge(files: &[PathBuf], aside: &Path) -> Result<(DayBatch, Vec<Date>), MergeError> {
    let named: Vec<(PathBuf, PathBuf)> = files.iter().map(|file| (file.clone(), file.clone())).collect();
    merge_as(&named, aside)
}

/// The same of files that are called otherwise where something is wrong with them: each with that name.
///
/// # Errors
/// As [`merge`].
pub fn merge_as(files: &[(PathBuf, PathBuf)], aside: &Path) -> Result<(DayBatch, Vec<Date>), MergeError> {
    let mut parts = Vec::new();
    for (file, name) in files {
        let (store, shard) = Store::open_part(file)?;
        store.begin_snapshot()?;
        parts.push(PartFile { name: name.clone(), store, shard });
    }
    let mut days: BTreeMap<Date, Vec<DayPart>> = BTreeMap::new();
    for (file, part) in parts.iter().enumerate() {
        let mut commits: BTreeMap<Date, (String, i64)> = BTreeMap::new();
        for row in part.store.measurements(Date::MIN..=Date::MAX)? {
            commits.insert(row.date, (row.program_commit, row.measured_at.as_micros()));
        }
        for day in part.store.days(Date::MIN..=Date::MAX)? {
            let (commit, measured_at) = commits.remove(&day.date).unwrap_or_default();
            let (name, shard) = (part.name.clone(), part.shard);
            days.entry(day.date).or_default().push(DayPart { file, name, shard, day, commit, measured_at });
        }
    }
    let disagreements: Vec<Disagreement> = days.values().flat_map(|of_day| look(of_day)).collect();
    if !disagreements.is_empty() {
        return Err(MergeError::Disagree(disagreements));
    }
    let batch = DayBatch::create(aside)?;
    for of_day in days.values_mut() {
        of_day.sort_by_key(|part| part.shard);
        Merger { parts: &parts, of_day, to: &batch.connection, aside }.write()?;
    }
    Ok((batch, days.into_keys().collect()))
}

/// Writes one day.
struct Merger<'a> {
    parts: &'a [PartFile],
    /// One of each shard, in their order, and they agree.
    of_day: &'a [DayPart],
    to: &'a Connection,
    aside: &'a Path,
}

impl Merger<'_> {
    fn write(&self) -> Result<(), MergeError> {
        let error = |source| StoreError::of(self.aside, "writing days aside", source);
        let date = self.of_day[0].day.date;
        self.to.execute_batch("BEGIN").map_err(error)?;
        self.copy_from(&self.of_day[0], "days", None)?;
        self.copy_from(&self.of_day[0], checksum::INTERPRETATIONS.table, Some(checksum::INTERPRETATIONS))?;
        for part in self.of_day {
            for summed in checksum::SUMMED.into_iter().filter(|summed| *summed != checksum::INTERPRETATIONS) {
                self.copy_from(part, summed.table, Some(summed))?;
            }
        }
        self.tell_of_all()?;
        self.measurement().map_err(error)?;
        checksum::write(self.to, &date_text(date), None).map_err(error)?;
        self.to.execute_batch("COMMIT").map_err(error)?;
        Ok(())
    }

    /// Copies the rows of a part's table, once it is certain that they are what was written.
    fn copy_from(&self, part: &DayPart, table: &str, summed: Option<checksum::Summed>) -> Result<(), StoreError> {
        let (from, dates) = (&self.parts[part.file].store, part.day.date..=part.day.date);
        let mut failed = None;
        let take = |row: &Row<'_>| {
            failed = failed.take().or(self.copy(table, row).err());
            Ok(())
        };
        match summed {
            Some(summed) => from.each_summed(summed, dates, take)?,
            None => from.each(table, "date", dates, take)?,
        }
        failed.map_or(Ok(()), |source| Err(StoreError::of(self.aside, "writing days aside", source)))
    }

    fn copy(&self, table: &str, row: &Row<'_>) -> SqlResult<()> {
        let columns = row.as_ref().column_count();
        let values = (0..columns).map(|column| row.get::<_, Value>(column)).collect::<SqlResult<Vec<Value>>>()?;
        let places = vec!["?"; columns].join(", ");
        let mut insert = self.to.prepare_cached(&format!("INSERT INTO {table} VALUES ({places})"))?;
        insert.execute(params_from_iter(values))?;
        Ok(())
    }

    /// What the day's row says of servers and coverage: of all issues.
    fn tell_of_all(&self) -> Result<(), MergeError> {
        let days = || self.of_day.iter().map(|part| &part.day);
        let heard: BTreeSet<&String> = days().flat_map(|day| day.servers_heard.iter().flatten()).collect();
        let error = |source| StoreError::of(self.aside, "writing days aside", source);
        let heard = serde_json::to_string(&heard).map_err(MergeError::Coverage)?;
        let lists: Vec<&str> = days().filter_map(|day| day.coverage.as_deref()).collect();
        let coverage = coverage::of_all(&lists).map_err(MergeError::Coverage)?;
        let servers = compressed(&heard).map_err(error)?;
        let row: [&dyn ToSql; 3] = [&date_text(self.of_day[0].day.date), &servers, &coverage];
        self.to.execute("UPDATE days SET servers = ?2, coverage = ?3 WHERE date = ?1", row).map_err(error)?;
        if self.of_day[0].day.journal.is_some() {
            self.tell_of_journals().map_err(error)?;
        }
        Ok(())
    }

    /// Of a day that was measured as it came: each part has a journal of its own, and no other shard's records that were set aside.
    fn tell_of_journals(&self) -> SqlResult<()> {
        let rejects: u64 = self.of_day.iter().map(|part| part.day.reject_count).sum();
        let sql = "UPDATE days SET reject_count = ?2, journal = NULL, journal_sha256 = NULL WHERE date = ?1";
        let row = (date_text(self.of_day[0].day.date), i64::try_from(rejects).unwrap_or(i64::MAX));
        self.to.execute(sql, row).map(drop)
    }

    /// The measurement: made when the last part was, with the sums over all results.
    fn measurement(&self) -> SqlResult<()> {
        let DayPart { day, commit, .. } = &self.of_day[0];
        let StoredDay { date, program_version, options, input, .. } = day;
        let measured_at = self.of_day.iter().map(|part| part.measured_at).max();
        let date = date_text(*date);
        let sql = "INSERT INTO measurements
            SELECT NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, NULL, NULL, NULL, coalesce(sum(available_us), 0),
                coalesce(sum(fulfilled_us), 0), coalesce(sum(unknown_us), 0), 0, 0
            FROM results WHERE date = ?1";
        let row: [&dyn ToSql; 9] = [
            &date,
            &measured_at,
            program_version,
            commit,
            options,
            input,
            &day.input_sha256.0,
            &day.registry_sha256.0,
            &day.plan_sha256.0,
        ];
        self.to.execute(sql, row)?;
        Ok(())
    }
}
