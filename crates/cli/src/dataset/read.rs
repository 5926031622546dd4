//! A dataset read back: its parts become a database of days, which a report is made from like from any other.

use super::facts::{Facts, MEASURED};
use super::tables::{Breaches, Daily, MarketTurnovers, Turnovers, turnover_of};
use super::{TABLES, folder_of, parts};
use crate::scratch::Scratch;
use anyhow::{Context, Result, bail};
use jiff::civil::Date;
use quoteclock_columnar::{Cell, ParquetFile};
use quoteclock_ledger::{DayRow, Total};
use quoteclock_model::{Amount, Executed, IssueCode, MarketTurnover, Micros, ObligationId, Shard, Span, Timestamp};
use quoteclock_rows::Table;
use quoteclock_store::{BreachRow, DayBatch, DayRows, MarketTurnoverRow, Store, TurnoverRow, merge_as};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

/// The days of a dataset on some dates, as a database, and the folder that it is in.
///
/// # Errors
/// Whatever keeps parts from being days is named: see [`quoteclock_store::merge`]; and files that are damaged, or not of one
/// measurement.
pub(crate) fn open(dataset: &Path, dates: &RangeInclusive<Date>) -> Result<(Scratch, Store)> {
    let aside = Scratch::anywhere()?;
    let path = |name: String| aside.path().join(name);
    let mut batches: BTreeMap<Shard, DayBatch> = BTreeMap::new();
    for date in dates_of(dataset)?.into_iter().filter(|date| dates.contains(date)) {
        for (number, file) in parts(&folder_of(dataset, Daily::NAME, date))? {
            let (shard, rows) = read_part(dataset, date, number, &file)?;
            let batch = match batches.entry(shard) {
                std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
                std::collections::btree_map::Entry::Vacant(entry) => {
                    let name = format!("{}-of-{}.aside", shard.index(), shard.count());
                    entry.insert(DayBatch::create(&path(name))?)
                }
            };
            batch.add_rows(&rows)?;
        }
    }
    let mut files: Vec<(PathBuf, PathBuf)> = Vec::new();
    for (shard, batch) in batches {
        let file = path(format!("{}-of-{}.db", shard.index(), shard.count()));
        Store::create_part(&file, shard)?.replace_days(batch, || {})?;
        files.push((file, dataset.join(format!("{}/…/part-{}.parquet", Daily::NAME, shard.index()))));
    }
    let (batch, _) = merge_as(&files, &path("whole.aside".to_owned()))?;
    let mut store = Store::create(&path("whole.db".to_owned()))?;
    store.replace_days(batch, || {})?;
    store.begin_snapshot()?;
    Ok((aside, store))
}

/// The dates that have any part of `daily`.
fn dates_of(dataset: &Path) -> Result<Vec<Date>> {
    let folder = dataset.join(Daily::NAME);
    let reading = || format!("{}: expected a dataset that replay --parquet-dataset has written", dataset.display());
    let mut dates = Vec::new();
    for month in fs::read_dir(&folder).with_context(reading)? {
        let month = month?.path();
        if !month.is_dir() {
            continue;
        }
        for date in fs::read_dir(&month).with_context(reading)? {
            let name = date?.file_name().to_string_lossy().into_owned();
            dates.extend(name.strip_prefix("date=").and_then(|date| date.parse::<Date>().ok()));
        }
    }
    dates.sort();
    Ok(dates)
}

/// One part of a date: all its rows, from the files of its tables, which have to be of one measurement.
fn read_part(dataset: &Path, date: Date, number: u32, file: &Path) -> Result<(Shard, DayRows)> {
    let open = |file: &Path| -> Result<ParquetFile> {
        let opened = File::open(file).with_context(|| format!("{}: cannot be read", file.display()))?;
        ParquetFile::open(opened).with_context(|| format!("{}: is not whole", file.display()))
    };
    let daily = open(file)?;
    let facts = Facts::read(&daily.metadata()).with_context(|| file.display().to_string())?;
    let shard = facts.shard().with_context(|| file.display().to_string())?;
    let found = facts.date().with_context(|| file.display().to_string())?;
    if found != date || shard.index() != number {
        bail!("{}: is part {} of {}, expected the one that its name says", file.display(), shard.index(), found);
    }
    let measured = facts.digest()?.to_string();
    let mut files = BTreeMap::new();
    for table in TABLES {
        let other = folder_of(dataset, table, date).join(format!("part-{number}.parquet"));
        let opened = open(&other)?;
        if opened.metadata().get(MEASURED) != Some(&measured) {
            bail!(
                "{}: is of another measurement than {}, expected the files of one; replay the day again",
                other.display(),
                file.display()
            );
        }
        files.insert(table, (other, opened));
    }
    let mut rows = DayRows {
        day: facts.day().with_context(|| file.display().to_string())?,
        program_commit: facts.program_commit().to_owned(),
        measured_at: facts.measured_at(),
        results: Vec::new(),
        breaches: Vec::new(),
        turnovers: Vec::new(),
        market_turnovers: Vec::new(),
    };
    rows.results = read::<Daily, _>(&files, |cells| result(date, cells))?;
    rows.breaches = read::<Breaches, _>(&files, |cells| breach(date, cells))?;
    rows.turnovers = read::<Turnovers, _>(&files, |cells| turnover(date, cells))?;
    rows.market_turnovers = read::<MarketTurnovers, _>(&files, |cells| market_turnover(date, cells))?;
    Ok((shard, rows))
}

/// The rows of a table; the first that is not what the table has is the error.
fn read<T: Table, R>(
    files: &BTreeMap<&str, (PathBuf, ParquetFile)>,
    row: impl Fn(&[Cell]) -> Option<R>,
) -> Result<Vec<R>> {
    let Some((name, file)) = files.get(T::NAME) else { return Ok(Vec::new()) };
    let mut rows: Vec<Option<R>> = Vec::new();
    file.rows::<T>(|cells| rows.push(row(cells))).with_context(|| format!("{}: cannot be read", name.display()))?;
    if let Some(wrong) = rows.iter().position(Option::is_none) {
        let wrong = wrong + 1;
        bail!("{}: row {wrong} has a value that none can be, expected what replay writes", name.display());
    }
    Ok(rows.into_iter().flatten().collect())
}

fn text(cells: &[Cell], column: usize) -> Option<&str> {
    if let Cell::Text(text) = cells.get(column)? { Some(text) } else { None }
}

fn number<N: TryFrom<i128>>(cells: &[Cell], column: usize) -> Option<N> {
    if let Cell::Number(number) = cells.get(column)? { N::try_from(*number).ok() } else { None }
}

fn issue(cells: &[Cell], column: usize) -> Option<IssueCode> {
    IssueCode::new(text(cells, column)?.as_bytes())
}

fn obligation(cells: &[Cell], column: usize) -> Option<ObligationId> {
    text(cells, column)?.parse().ok()
}

fn result(date: Date, cells: &[Cell]) -> Option<(DayRow, u32)> {
    let micros = |column| number(cells, column).map(Micros);
    let row = DayRow {
        date,
        market_maker: text(cells, 0)?.to_owned(),
        issue: issue(cells, 1)?,
        obligation: obligation(cells, 2)?,
        total: Total { available: micros(3)?, fulfilled: micros(4)?, unknown: micros(5)? },
        required_pct: number(cells, 7)?,
        leveraged_inverse: Some(number::<u8>(cells, 9)? != 0),
    };
    Some((row, number(cells, 8)?))
}

fn breach(date: Date, cells: &[Cell]) -> Option<BreachRow> {
    let at = |column| number(cells, column).map(Timestamp::from_micros);
    Some(BreachRow {
        date,
        market_maker: text(cells, 0)?.to_owned(),
        issue: issue(cells, 1)?,
        obligation: obligation(cells, 2)?,
        span: Span { start: at(3)?, end: at(4)? },
        reason: text(cells, 6)?.to_owned(),
    })
}

fn turnover(date: Date, cells: &[Cell]) -> Option<TurnoverRow> {
    let mut sums = [0_u128; 12];
    for (column, sum) in (3..).zip(&mut sums) {
        *sum = number(cells, column)?;
    }
    Some(TurnoverRow {
        date,
        market_maker: text(cells, 0)?.to_owned(),
        issue: issue(cells, 1)?,
        turnover: turnover_of(number(cells, 2)?, &sums),
    })
}

fn market_turnover(date: Date, cells: &[Cell]) -> Option<MarketTurnoverRow> {
    let executed = |column: usize| -> Option<Executed> {
        Some(Executed { value: Amount(number(cells, column)?), quantity: number(cells, column + 1)? })
    };
    let turnover = MarketTurnover { continuous: executed(1)?, auction: executed(3)? };
    Some(MarketTurnoverRow { date, issue: issue(cells, 0)?, turnover })
}
