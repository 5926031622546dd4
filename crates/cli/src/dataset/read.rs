//! A dataset read back: its parts become a database of days, which a report is made from like from any other.

use super::facts::{Facts, MEASURED};
use super::tables::{Breaches, Daily, EXECUTED, MarketTurnovers, Turnovers};
use super::{TABLES, folder_of, parts};
use crate::scratch::Scratch;
use anyhow::{Context, Result, bail};
use jiff::civil::Date;
use quoteclock_columnar::{Cell, ParquetFile};
use quoteclock_ledger::{DayRow, Total};
use quoteclock_model::{
    Amount, Executed, IssueCode, MarketTurnover, Micros, ObligationId, Shard, Span, Timestamp, Turnover,
};
use quoteclock_rows::{Table, column_names};
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
    row: impl Fn(Cells<'_>) -> Option<R>,
) -> Result<Vec<R>> {
    let Some((name, file)) = files.get(T::NAME) else { return Ok(Vec::new()) };
    let columns: Vec<&str> = column_names::<T>().collect();
    let mut rows: Vec<Option<R>> = Vec::new();
    file.rows::<T>(|cells| rows.push(row(Cells { columns: &columns, cells })))
        .with_context(|| format!("{}: cannot be read", name.display()))?;
    if let Some(wrong) = rows.iter().position(Option::is_none) {
        let wrong = wrong + 1;
        bail!("{}: row {wrong} has a value that none can be, expected what replay writes", name.display());
    }
    Ok(rows.into_iter().flatten().collect())
}

/// A row, read by the names of the columns: by their places, a column put between others would shift values in silence.
#[derive(Clone, Copy)]
struct Cells<'a> {
    columns: &'a [&'static str],
    cells: &'a [Cell],
}

impl<'a> Cells<'a> {
    fn of(self, column: &str) -> Option<&'a Cell> {
        let place = self.columns.iter().position(|&name| name == column).expect("a column of the table");
        self.cells.get(place)
    }

    fn text(self, column: &str) -> Option<&'a str> {
        if let Cell::Text(text) = self.of(column)? { Some(text) } else { None }
    }

    fn number<N: TryFrom<i128>>(self, column: &str) -> Option<N> {
        if let Cell::Number(number) = self.of(column)? { N::try_from(*number).ok() } else { None }
    }

    fn market_maker(self) -> Option<String> {
        self.text("market_maker").map(str::to_owned)
    }

    fn issue(self) -> Option<IssueCode> {
        IssueCode::new(self.text("issue")?.as_bytes())
    }

    fn obligation(self) -> Option<ObligationId> {
        self.text("obligation")?.parse().ok()
    }
}

fn result(date: Date, cells: Cells<'_>) -> Option<(DayRow, u32)> {
    let micros = |column| cells.number(column).map(Micros);
    let row = DayRow {
        date,
        market_maker: cells.market_maker()?,
        issue: cells.issue()?,
        obligation: cells.obligation()?,
        total: Total {
            available: micros("available_us")?,
            fulfilled: micros("fulfilled_us")?,
            unknown: micros("unknown_us")?,
        },
        required_pct: cells.number("required_pct")?,
        leveraged_inverse: Some(cells.number::<u8>("leveraged_inverse")? != 0),
    };
    Some((row, cells.number("multiplier")?))
}

fn breach(date: Date, cells: Cells<'_>) -> Option<BreachRow> {
    let at = |column| cells.number(column).map(Timestamp::from_micros);
    Some(BreachRow {
        date,
        market_maker: cells.market_maker()?,
        issue: cells.issue()?,
        obligation: cells.obligation()?,
        span: Span { start: at("start")?, end: at("end")? },
        reason: cells.text("reason")?.to_owned(),
    })
}

fn turnover(date: Date, cells: Cells<'_>) -> Option<TurnoverRow> {
    let mut executed = [Executed::default(); 6];
    for (names, sums) in EXECUTED.into_iter().zip(&mut executed) {
        *sums = executions(cells, names)?;
    }
    Some(TurnoverRow {
        date,
        market_maker: cells.market_maker()?,
        issue: cells.issue()?,
        turnover: Turnover::from_executed(cells.number("order_count")?, executed),
    })
}

fn market_turnover(date: Date, cells: Cells<'_>) -> Option<MarketTurnoverRow> {
    let turnover = MarketTurnover {
        continuous: executions(cells, ["continuous_value", "continuous_shares"])?,
        auction: executions(cells, ["auction_value", "auction_shares"])?,
    };
    Some(MarketTurnoverRow { date, issue: cells.issue()?, turnover })
}

/// Sums of executions, from the columns of their value and of their shares.
fn executions(cells: Cells<'_>, [value, shares]: [&str; 2]) -> Option<Executed> {
    Some(Executed { value: Amount(cells.number(value)?), quantity: cells.number(shares)? })
}
