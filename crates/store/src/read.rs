//! What is stored, read back day by day in order.

use crate::batch::date_text;
use crate::wide::Wide;
use crate::{Digest, Store, StoreError};
use jiff::civil::Date;
use quoteclock_ledger::{DayRow, Total};
use quoteclock_model::{
    Amount, ByCounterparty, Executed, IssueCode, MarketTurnover, Micros, ObligationId, Span, Timestamp, Turnover,
};
use rusqlite::types::Type;
use rusqlite::{Error, Result, Row};
use std::ops::RangeInclusive;

/// What is known of a stored day besides its figures.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredDay {
    /// The date.
    pub date: Date,
    /// The name of the input.
    pub input: String,
    /// Of the input's bytes as stored.
    pub input_sha256: Digest,
    /// Of the files of the registry that it was measured under.
    pub registry_sha256: Digest,
    /// Of the plan that it was measured under.
    pub plan_sha256: Digest,
    /// The name of the scheme.
    pub scheme: String,
    /// Its version.
    pub scheme_version: String,
    /// Every interpretation and its value, by name.
    pub interpretations: Vec<(String, String)>,
    /// The Fast Market multiplier of the date.
    pub multiplier: u32,
    /// Records read, bad ones included.
    pub record_count: u64,
    /// Records set aside.
    pub reject_count: u64,
    /// The version of the program that measured it.
    pub program_version: String,
}

/// A breach as stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BreachRow {
    /// The date.
    pub date: Date,
    /// The market maker.
    pub market_maker: String,
    /// The issue.
    pub issue: IssueCode,
    /// The obligation.
    pub obligation: ObligationId,
    /// When.
    pub span: Span,
    /// Why, as the output files write it.
    pub reason: String,
}

/// What one sign-up traded and sent on one day.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TurnoverRow {
    /// The date.
    pub date: Date,
    /// The market maker.
    pub market_maker: String,
    /// The issue.
    pub issue: IssueCode,
    /// The sums.
    pub turnover: Turnover,
}

/// What the market traded in one issue on one day.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MarketTurnoverRow {
    /// The date.
    pub date: Date,
    /// The issue.
    pub issue: IssueCode,
    /// The sums.
    pub turnover: MarketTurnover,
}

impl Store {
    /// The days stored of some dates, in order.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn days(&self, dates: RangeInclusive<Date>) -> Result<Vec<StoredDay>, StoreError> {
        let mut days: Vec<StoredDay> = Vec::new();
        self.each("days", "date", dates.clone(), |row| {
            days.push(day(row)?);
            Ok(())
        })?;
        let mut position = 0;
        self.each("interpretations", "date, name", dates, |row| {
            let date = date(row)?;
            while days.get(position).is_some_and(|day| day.date < date) {
                position += 1;
            }
            if let Some(day) = days.get_mut(position).filter(|day| day.date == date) {
                day.interpretations.push((row.get(1)?, row.get(2)?));
            }
            Ok(())
        })?;
        Ok(days)
    }

    /// Tells `take` the times of every obligation on some dates, in order of date, market maker, issue and obligation.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn results(&self, dates: RangeInclusive<Date>, mut take: impl FnMut(DayRow)) -> Result<(), StoreError> {
        let order = "date, market_maker, issue, obligation";
        self.each("results", order, dates, |row| {
            let total = Total { available: micros(row, 6)?, fulfilled: micros(row, 7)?, unknown: micros(row, 8)? };
            take(DayRow {
                date: date(row)?,
                market_maker: row.get(1)?,
                issue: issue(row, 2)?,
                obligation: obligation(row, 3)?,
                required_pct: unsigned(row, 4)?,
                total,
            });
            Ok(())
        })
    }

    /// Tells `take` the breaches of some dates, in order of date, market maker, issue, obligation and time.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn breaches(&self, dates: RangeInclusive<Date>, mut take: impl FnMut(BreachRow)) -> Result<(), StoreError> {
        let order = "date, market_maker, issue, obligation, start_us";
        self.each("breaches", order, dates, |row| {
            let at = |column| row.get(column).map(Timestamp::from_micros);
            take(BreachRow {
                date: date(row)?,
                market_maker: row.get(1)?,
                issue: issue(row, 2)?,
                obligation: obligation(row, 3)?,
                span: Span { start: at(4)?, end: at(5)? },
                reason: row.get(6)?,
            });
            Ok(())
        })
    }

    /// Tells `take` what sign-ups traded and sent on some dates, in order of date, market maker and issue.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn turnovers(&self, dates: RangeInclusive<Date>, mut take: impl FnMut(TurnoverRow)) -> Result<(), StoreError> {
        self.each("turnovers", "date, market_maker, issue", dates, |row| {
            let turnover = Turnover {
                order_count: unsigned(row, 3)?,
                continuous: by_counterparty(row, 4)?,
                auction: by_counterparty(row, 10)?,
            };
            take(TurnoverRow { date: date(row)?, market_maker: row.get(1)?, issue: issue(row, 2)?, turnover });
            Ok(())
        })
    }

    /// Tells `take` what the market traded on some dates, in order of date and issue.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn market_turnovers(
        &self,
        dates: RangeInclusive<Date>,
        mut take: impl FnMut(MarketTurnoverRow),
    ) -> Result<(), StoreError> {
        self.each("market_turnovers", "date, issue", dates, |row| {
            let turnover = MarketTurnover { continuous: executed(row, 2)?, auction: executed(row, 4)? };
            take(MarketTurnoverRow { date: date(row)?, issue: issue(row, 1)?, turnover });
            Ok(())
        })
    }

    /// Tells `take` every row of a table whose date is one of `dates`.
    fn each(
        &self,
        table: &str,
        order: &str,
        dates: RangeInclusive<Date>,
        mut take: impl FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<(), StoreError> {
        let sql = format!("SELECT * FROM {table} WHERE date BETWEEN ?1 AND ?2 ORDER BY {order}");
        let mut read = || -> Result<()> {
            let mut statement = self.connection.prepare(&sql)?;
            let mut rows = statement.query([date_text(*dates.start()), date_text(*dates.end())])?;
            while let Some(row) = rows.next()? {
                take(row)?;
            }
            Ok(())
        };
        read().map_err(|source| StoreError::of(&self.file, "reading it", source))
    }
}

fn day(row: &Row<'_>) -> Result<StoredDay> {
    Ok(StoredDay {
        date: date(row)?,
        input: row.get(1)?,
        input_sha256: row.get(2).map(Digest)?,
        registry_sha256: row.get(3).map(Digest)?,
        plan_sha256: row.get(4).map(Digest)?,
        scheme: row.get(5)?,
        scheme_version: row.get(6)?,
        interpretations: Vec::new(),
        multiplier: row.get(7)?,
        record_count: unsigned(row, 8)?,
        reject_count: unsigned(row, 9)?,
        program_version: row.get(10)?,
    })
}

/// The first column of every table.
fn date(row: &Row<'_>) -> Result<Date> {
    let text = row.get_ref(0)?.as_str()?;
    text.parse().map_err(|error| Error::FromSqlConversionFailure(0, Type::Text, Box::new(error)))
}

fn issue(row: &Row<'_>, column: usize) -> Result<IssueCode> {
    let text = row.get_ref(column)?.as_str()?;
    let error = || Error::InvalidColumnType(column, format!("issue {text:?}"), Type::Text);
    IssueCode::new(text.as_bytes()).ok_or_else(error)
}

fn obligation(row: &Row<'_>, column: usize) -> Result<ObligationId> {
    let text = row.get_ref(column)?.as_str()?;
    text.parse().map_err(|error| Error::FromSqlConversionFailure(column, Type::Text, Box::new(error)))
}

fn unsigned(row: &Row<'_>, column: usize) -> Result<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| Error::IntegralValueOutOfRange(column, number))
}

fn micros(row: &Row<'_>, column: usize) -> Result<Micros> {
    unsigned(row, column).map(Micros)
}

fn by_counterparty(row: &Row<'_>, first: usize) -> Result<ByCounterparty> {
    let (market_maker, other) = (executed(row, first)?, executed(row, first + 2)?);
    Ok(ByCounterparty { market_maker, other, unnamed: executed(row, first + 4)? })
}

fn executed(row: &Row<'_>, first: usize) -> Result<Executed> {
    let (Wide(value), Wide(quantity)) = (row.get(first)?, row.get(first + 1)?);
    Ok(Executed { value: Amount(value), quantity })
}
