//! What is stored, read back day by day in order.

use crate::batch::{StoredJournal, date_text};
use crate::checksum::{self, Checksum, Summed};
use crate::wide::Wide;
use crate::{Digest, Store, StoreError};
use jiff::civil::Date;
use quoteclock_ledger::{DayRow, Total};
use quoteclock_model::{Amount, Executed, IssueCode, MarketTurnover, Micros, ObligationId, Span, Timestamp, Turnover};
use rusqlite::types::Type;
use rusqlite::{Error, Result, Row};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
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
    /// What the input does not support of the figures: a JSON list; `None` where an earlier version did not look.
    pub coverage: Option<String>,
    /// Up to when the day was measured, if not to its end.
    pub until: Option<Timestamp>,
    /// The version of the program that measured it.
    pub program_version: String,
    /// The options that it was measured with; `None` where an earlier version has stored it.
    pub options: Option<String>,
    /// The canonical text of the plan that it was measured under; `None` where an earlier version has stored it.
    pub plan: Option<CompressedText>,
    /// The servers that added an order, sorted; `None` where an earlier version has stored it.
    pub servers_heard: Option<Vec<String>>,
    /// The journal of a day that was measured as it came.
    pub journal: Option<StoredJournal>,
}

/// A measurement that was stored, whether it is still or another one has come in its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MeasurementRow {
    /// Its number: later ones are higher.
    pub number: i64,
    /// The date that was measured.
    pub date: Date,
    /// When, by the machine's clock.
    pub measured_at: Timestamp,
    /// The version of the program.
    pub program_version: String,
    /// The commit that it was built from.
    pub program_commit: String,
    /// The options that alter what is measured.
    pub options: String,
    /// The name of the input.
    pub input: String,
    /// Of its bytes.
    pub input_sha256: Digest,
    /// Of the registry's files.
    pub registry_sha256: Digest,
    /// Sums over all results that were stored of the date before.
    pub before: Option<Total>,
    /// Sums over all results of this measurement.
    pub total: Total,
    /// Results that differ from those before.
    pub results_differing: u64,
    /// Of how many of them the day's own status differs.
    pub statuses_differing: u64,
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
        self.verify_days(&dates)?;
        self.each("days", "date", dates.clone(), |row| {
            days.push(day(row)?);
            Ok(())
        })?;
        let mut position = 0;
        self.each_summed(checksum::INTERPRETATIONS, dates, |row| {
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
        self.each_summed(checksum::RESULTS, dates, |row| {
            take(result_row(row)?);
            Ok(())
        })
    }

    /// Every measurement of some dates that was ever stored, in the order in which they were.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn measurements(&self, dates: RangeInclusive<Date>) -> Result<Vec<MeasurementRow>, StoreError> {
        let mut measurements = Vec::new();
        self.each("measurements", "number", dates, |row| {
            measurements.push(measurement(row)?);
            Ok(())
        })?;
        Ok(measurements)
    }

    /// Tells `take` the breaches of some dates, in order of date, market maker, issue, obligation and time.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn breaches(&self, dates: RangeInclusive<Date>, mut take: impl FnMut(BreachRow)) -> Result<(), StoreError> {
        self.each_summed(checksum::BREACHES, dates, |row| {
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

    /// Tells `take` the breaches of some dates, all of one obligation on one day at a time, in the order of
    /// [`Store::breaches`].
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn breaches_by_day(
        &self,
        dates: RangeInclusive<Date>,
        mut take: impl FnMut(&[BreachRow]),
    ) -> Result<(), StoreError> {
        let is_same = |one: &BreachRow, next: &BreachRow| {
            (one.date, &one.issue, &one.market_maker, &one.obligation)
                == (next.date, &next.issue, &next.market_maker, &next.obligation)
        };
        let mut day: Vec<BreachRow> = Vec::new();
        self.breaches(dates, |row| {
            if day.first().is_some_and(|first| !is_same(first, &row)) {
                take(&day);
                day.clear();
            }
            day.push(row);
        })?;
        if !day.is_empty() {
            take(&day);
        }
        Ok(())
    }

    /// Tells `take` what sign-ups traded and sent on some dates, in order of date, market maker and issue.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn turnovers(&self, dates: RangeInclusive<Date>, mut take: impl FnMut(TurnoverRow)) -> Result<(), StoreError> {
        self.each_summed(checksum::TURNOVERS, dates, |row| {
            let mut sums = [Executed::default(); 6];
            for (sum, column) in sums.iter_mut().zip((4..).step_by(2)) {
                *sum = executed(row, column)?;
            }
            let turnover = Turnover::from_executed(unsigned(row, 3)?, sums);
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
        self.each_summed(checksum::MARKET_TURNOVERS, dates, |row| {
            let turnover = MarketTurnover { continuous: executed(row, 2)?, auction: executed(row, 4)? };
            take(MarketTurnoverRow { date: date(row)?, issue: issue(row, 1)?, turnover });
            Ok(())
        })
    }

    /// Refuses days whose own row is not what was written, or lacks a checksum that was. Days that an earlier version has
    /// stored have none; every other one is among the measurements.
    fn verify_days(&self, dates: &RangeInclusive<Date>) -> Result<(), StoreError> {
        let mut measured = BTreeSet::new();
        self.each("measurements", "number", dates.clone(), |row| {
            measured.insert(row.get::<_, String>("date")?);
            Ok(())
        })?;
        let parts = [(checksum::DAY_COLUMN, "facts")].into_iter();
        let parts: Vec<_> = parts.chain(checksum::SUMMED.map(|summed| (summed.column, summed.table))).collect();
        let mut refused = None;
        self.each("days", "date", dates.clone(), |row| {
            if refused.is_some() {
                return Ok(());
            }
            let date: String = row.get(0)?;
            let (found, written) = checksum::of_day(row)?;
            if written.is_some_and(|written| written != found) {
                refused = Some(StoreError::Damaged { file: self.file.clone(), date, what: "facts" });
                return Ok(());
            }
            if !measured.contains(&date) && !checksum::was_summed(row)? {
                return Ok(());
            }
            for &(column, what) in &parts {
                let column = row.as_ref().column_index(column)?;
                if checksum::held(row, column)?.is_none() {
                    refused = Some(StoreError::Unsummed { file: self.file.clone(), date, what });
                    return Ok(());
                }
            }
            Ok(())
        })?;
        refused.map_or(Ok(()), Err)
    }

    /// Tells `take` every row of a table whose date is one of `dates`, once it is certain that they are what was written.
    /// Rows of a day that is not there are damage, too: then its own row has gone.
    pub(crate) fn each_summed(
        &self,
        summed: Summed,
        dates: RangeInclusive<Date>,
        take: impl FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<(), StoreError> {
        let Summed { table, order, column } = summed;
        let mut written: BTreeMap<String, Option<Digest>> = BTreeMap::new();
        self.verify_days(&dates)?;
        self.each("days", "date", dates.clone(), |row| {
            let column = row.as_ref().column_index(column)?;
            written.insert(row.get(0)?, checksum::held(row, column)?);
            Ok(())
        })?;
        let mut found: BTreeMap<String, Checksum> =
            written.keys().map(|date| (date.clone(), Checksum::default())).collect();
        let mut orphan = None;
        self.each(table, order, dates.clone(), |row| {
            let date = row.get_ref(0)?.as_str()?;
            match found.get_mut(date) {
                Some(sum) => sum.row(row, None),
                None => {
                    orphan.get_or_insert_with(|| date.to_owned());
                    Ok(())
                }
            }
        })?;
        let damaged = |(date, sum): (String, Checksum)| {
            let written = written.get(&date).copied().flatten()?;
            (written != sum.digest()).then_some(date)
        };
        match orphan.or_else(|| found.into_iter().find_map(damaged)) {
            Some(date) => Err(StoreError::Damaged { file: self.file.clone(), date, what: table }),
            None => self.each(table, order, dates, take),
        }
    }

    /// Tells `take` every row of a table whose date is one of `dates`.
    pub(crate) fn each(
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
        coverage: row.get("coverage")?,
        until: row.get::<_, Option<i64>>("until_us")?.map(Timestamp::from_micros),
        options: row.get("options")?,
        plan: compressed(row, "plan")?,
        servers_heard: compressed_text(row, "servers")?.map(|names| list(&names)).transpose()?,
        journal: match (row.get("journal")?, row.get("journal_sha256")?) {
            (Some(name), Some(sha256)) => Some(StoredJournal { name, sha256: Digest(sha256) }),
            _ => None,
        },
    })
}

/// A text of a plan or of names longer than this is not ours.
const TEXT_BYTES_MAX: u64 = 1 << 30;

/// How hard the texts of plans and names are compressed: they repeat themselves, and any level finds that.
const TEXT_LEVEL: i32 = 3;

/// A text as it is stored: a month's plans are megabytes each, and held together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CompressedText(Vec<u8>);

impl CompressedText {
    /// A text, compressed.
    ///
    /// # Errors
    /// Where memory refuses.
    pub fn of(text: &str) -> std::io::Result<CompressedText> {
        zstd::bulk::compress(text.as_bytes(), TEXT_LEVEL).map(CompressedText)
    }

    /// As it is stored.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text.
    ///
    /// # Errors
    /// Where the bytes are not what was stored.
    pub fn text(&self) -> std::io::Result<String> {
        let mut text = String::new();
        zstd::stream::read::Decoder::new(&*self.0)?.take(TEXT_BYTES_MAX).read_to_string(&mut text)?;
        Ok(text)
    }
}

fn compressed(row: &Row<'_>, column: &str) -> Result<Option<CompressedText>> {
    Ok(row.get::<_, Option<Vec<u8>>>(column)?.map(CompressedText))
}

fn compressed_text(row: &Row<'_>, column: &str) -> Result<Option<String>> {
    let error = |source: std::io::Error| Error::FromSqlConversionFailure(0, Type::Blob, Box::new(source));
    compressed(row, column)?.map(|compressed| compressed.text().map_err(error)).transpose()
}

fn list(names: &str) -> Result<Vec<String>> {
    serde_json::from_str(names).map_err(|error| Error::FromSqlConversionFailure(0, Type::Text, Box::new(error)))
}

/// A row of `results`.
pub(crate) fn result_row(row: &Row<'_>) -> Result<DayRow> {
    let total = Total { available: micros(row, 6)?, fulfilled: micros(row, 7)?, unknown: micros(row, 8)? };
    Ok(DayRow {
        date: date(row)?,
        market_maker: row.get(1)?,
        issue: issue(row, 2)?,
        obligation: obligation(row, 3)?,
        required_pct: unsigned(row, 4)?,
        leveraged_inverse: row.get(9)?,
        total,
    })
}

fn measurement(row: &Row<'_>) -> Result<MeasurementRow> {
    let total = |first| -> Result<Total> {
        Ok(Total {
            available: micros(row, first)?,
            fulfilled: micros(row, first + 1)?,
            unknown: micros(row, first + 2)?,
        })
    };
    let was_stored = row.get_ref(10)? != rusqlite::types::ValueRef::Null;
    Ok(MeasurementRow {
        number: row.get(0)?,
        date: date_at(row, 1)?,
        measured_at: row.get(2).map(Timestamp::from_micros)?,
        program_version: row.get(3)?,
        program_commit: row.get(4)?,
        options: row.get(5)?,
        input: row.get(6)?,
        input_sha256: row.get(7).map(Digest)?,
        registry_sha256: row.get(8).map(Digest)?,
        before: was_stored.then(|| total(10)).transpose()?,
        total: total(13)?,
        results_differing: unsigned(row, 16)?,
        statuses_differing: unsigned(row, 17)?,
    })
}

/// The first column of every table that holds days.
fn date(row: &Row<'_>) -> Result<Date> {
    date_at(row, 0)
}

fn date_at(row: &Row<'_>, column: usize) -> Result<Date> {
    let text = row.get_ref(column)?.as_str()?;
    text.parse().map_err(|error| Error::FromSqlConversionFailure(column, Type::Text, Box::new(error)))
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

fn executed(row: &Row<'_>, first: usize) -> Result<Executed> {
    let (Wide(value), Wide(quantity)) = (row.get(first)?, row.get(first + 1)?);
    Ok(Executed { value: Amount(value), quantity })
}
