//! Measured days as a folder of Parquet files that engines read as tables: `DIR/TABLE/month=2024-03/date=2024-03-01/part-0.parquet`.
//!
//! A date's part is what one shard has measured, number 0 where there are none. The date stands in the folder's name and not in
//! the file, as readers of such folders want it; an issue never stands in a name, since `130A` beside `1306` is text to one reader
//! and a number to another. What a file rests on stands in its metadata, so that parts that do not belong together are found.

mod facts;
mod read;
mod tables;

pub(crate) use read::open;

use crate::scratch::{self, Scratch};
use crate::staging;
use anyhow::{Context, Result};
use facts::Facts;
use jiff::civil::Date;
use quoteclock_columnar::{ParquetFile, write_parquet};
use quoteclock_model::Shard;
use quoteclock_report::rows;
use quoteclock_rows::Table;
use quoteclock_rules::DayPlan;
use quoteclock_store::DayToStore;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use tables::{Breaches, Daily, MarketTurnovers, Outages, Turnovers};

/// The tables, in the order in which files get their names: the one that says what the others belong to is the last.
const TABLES: [&str; 5] = [Breaches::NAME, Outages::NAME, Turnovers::NAME, MarketTurnovers::NAME, Daily::NAME];

/// A dataset that days are written to.
pub(crate) struct Dataset {
    folder: PathBuf,
    /// Where files stand until they are whole.
    aside: Scratch,
    shard: Option<Shard>,
}

impl Dataset {
    /// A dataset in `folder`, which is made when the first day is.
    pub(crate) fn new(folder: &Path, shard: Option<Shard>) -> Result<Dataset> {
        Ok(Dataset { folder: folder.to_owned(), aside: staging::folder_beside(folder)?, shard })
    }

    /// Writes the files of a day aside, under the position of its input; the day is known by the plan of the `whole` of it.
    pub(crate) fn write_aside(&self, position: usize, day: DayToStore<'_>, whole: &DayPlan) -> Result<()> {
        let folder = self.aside_of(position);
        fs::create_dir(&folder)?;
        let facts = Facts::of(whole, day.provenance, self.shard.unwrap_or(Shard::WHOLE));
        let of_all = facts.metadata(&whole.zone)?;
        let of_daily: Vec<(String, String)> = of_all.iter().cloned().chain([facts.whole()?]).collect();
        fn write<'r, T: Table>(
            folder: &Path,
            rows: impl Iterator<Item = T::Row<'r>>,
            metadata: &[(String, String)],
        ) -> Result<()> {
            let file = File::create(folder.join(T::NAME))?;
            write_parquet::<T>(rows, metadata, &file).with_context(|| format!("writing {}", T::NAME))?;
            Ok(file.sync_all()?)
        }
        write::<Breaches>(&folder, rows::Breaches::rows(day.plan, day.ledger), &of_all)?;
        write::<Outages>(&folder, rows::Outages::rows(day.plan, day.ledger), &of_all)?;
        write::<Turnovers>(&folder, tables::turnovers(day.plan, day.turnover), &of_all)?;
        write::<MarketTurnovers>(&folder, tables::market_turnovers(day.turnover), &of_all)?;
        write::<Daily>(&folder, rows::Daily::rows(day.plan, day.ledger), &of_daily)
    }

    fn aside_of(&self, position: usize) -> PathBuf {
        self.aside.path().join(position.to_string())
    }

    /// Gives the files of days their names, each by itself, in place of those that were there; `days` are positions and dates.
    pub(crate) fn publish(&self, days: &[(usize, Date)]) -> Result<()> {
        let _guard = scratch::uninterrupted();
        let shard = self.shard.unwrap_or(Shard::WHOLE);
        for &(position, date) in days {
            for table in TABLES {
                let folder = folder_of(&self.folder, table, date);
                let name = folder.join(format!("part-{}.parquet", shard.index()));
                let publish = || -> Result<()> {
                    fs::create_dir_all(&folder)?;
                    fs::rename(self.aside_of(position).join(table), &name)?;
                    remove_others(&folder, shard)
                };
                publish().with_context(|| format!("writing {}", name.display()))?;
            }
        }
        Ok(())
    }
}

/// Where a table's parts of a date are.
fn folder_of(dataset: &Path, table: &str, date: Date) -> PathBuf {
    dataset.join(table).join(format!("month={}", date.strftime("%Y-%m"))).join(format!("date={date}"))
}

/// The parts in a folder, each with its number.
fn parts(folder: &Path) -> Result<Vec<(u32, PathBuf)>> {
    let mut parts = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let number = name.strip_prefix("part-").and_then(|rest| rest.strip_suffix(".parquet"));
        if let Some(number) = number.and_then(|number| number.parse().ok()) {
            parts.push((number, path));
        }
    }
    parts.sort();
    Ok(parts)
}

/// Removes parts of the same day that were measured in another number of shards: beside the new ones they would count twice.
fn remove_others(folder: &Path, shard: Shard) -> Result<()> {
    for (number, path) in parts(folder)? {
        let is_of_it = || {
            let metadata = ParquetFile::open(File::open(&path).ok()?).ok()?.metadata();
            let of = metadata.get(facts::SHARD)?.parse::<Shard>().ok()?;
            Some(of.count() == shard.count())
        };
        if number != shard.index() && is_of_it() != Some(true) {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
    }
    Ok(())
}
