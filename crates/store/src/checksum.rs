//! Checksums of what is stored of a day, verified before it is read: SQLite finds damage to the form of a file, not to a
//! digit in it.
//!
//! One is over the day's rows in one table, in the order of their keys; a missing value counts for nothing, so that a
//! column that a newer version adds leaves the checksums of older days as they are.

use crate::Digest;
use rusqlite::types::{Type, ValueRef};
use rusqlite::{Connection, Result, Row};
use sha2::{Digest as _, Sha256};

/// A table whose rows of a day have a checksum.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Summed {
    /// Its name.
    pub(crate) table: &'static str,
    /// The columns of its key.
    pub(crate) order: &'static str,
    /// The column of `days` that holds the checksum.
    pub(crate) column: &'static str,
}

pub(crate) const INTERPRETATIONS: Summed =
    Summed { table: "interpretations", order: "date, name", column: "interpretations_sha256" };
pub(crate) const RESULTS: Summed =
    Summed { table: "results", order: "date, market_maker, issue, obligation", column: "results_sha256" };
pub(crate) const BREACHES: Summed =
    Summed { table: "breaches", order: "date, market_maker, issue, obligation, start_us", column: "breaches_sha256" };
pub(crate) const TURNOVERS: Summed =
    Summed { table: "turnovers", order: "date, market_maker, issue", column: "turnovers_sha256" };
pub(crate) const MARKET_TURNOVERS: Summed =
    Summed { table: "market_turnovers", order: "date, issue", column: "market_turnovers_sha256" };

/// All of them.
pub(crate) const SUMMED: [Summed; 5] = [INTERPRETATIONS, RESULTS, BREACHES, TURNOVERS, MARKET_TURNOVERS];

/// The column of `days` with the checksum of its row, all other columns of it.
pub(crate) const DAY_COLUMN: &str = "day_sha256";

/// A checksum in the making.
#[derive(Default)]
pub(crate) struct Checksum {
    hasher: Sha256,
    /// What is not hashed yet: a few bytes at a time would take as long as many.
    buffer: Vec<u8>,
}

impl Checksum {
    const BUFFER_BYTES: usize = 1 << 14;

    /// Adds a row, one of its columns perhaps left out.
    pub(crate) fn row(&mut self, row: &Row<'_>, left_out: Option<usize>) -> Result<()> {
        for column in (0..row.as_ref().column_count()).filter(|column| Some(*column) != left_out) {
            self.value(column, row.get_ref(column)?);
        }
        self.end_row();
        Ok(())
    }

    /// Adds a row of these columns, which may still have to be written.
    pub(crate) fn values<'v>(&mut self, row: impl IntoIterator<Item = ValueRef<'v>>) {
        row.into_iter().enumerate().for_each(|(column, value)| self.value(column, value));
        self.end_row();
    }

    fn value(&mut self, column: usize, value: ValueRef<'_>) {
        let (integer, bytes);
        let (kind, content): (u8, &[u8]) = match value {
            ValueRef::Null => return,
            ValueRef::Integer(number) => {
                integer = number.to_be_bytes();
                (b'i', &integer)
            }
            ValueRef::Real(number) => {
                bytes = number.to_bits().to_be_bytes();
                (b'r', &bytes)
            }
            ValueRef::Text(text) => (b't', text),
            ValueRef::Blob(blob) => (b'b', blob),
        };
        self.buffer.push(kind);
        self.buffer.extend_from_slice(&(column as u64).to_be_bytes());
        self.buffer.extend_from_slice(&(content.len() as u64).to_be_bytes());
        self.buffer.extend_from_slice(content);
    }

    fn end_row(&mut self) {
        self.buffer.push(b'\n');
        if Self::BUFFER_BYTES <= self.buffer.len() {
            self.hasher.update(&self.buffer);
            self.buffer.clear();
        }
    }

    /// The checksum.
    pub(crate) fn digest(mut self) -> Digest {
        self.hasher.update(&self.buffer);
        Digest(self.hasher.finalize().into())
    }
}

/// Writes the checksums of a day into its row; that of its breaches, of which there are many, is `breaches` where it is known.
pub(crate) fn write(connection: &Connection, date: &str, breaches: Option<Digest>) -> Result<()> {
    for summed in SUMMED {
        let digest = match breaches {
            Some(known) if summed == BREACHES => known,
            _ => of_rows(connection, date, summed)?,
        };
        let update = format!("UPDATE days SET {} = ?2 WHERE date = ?1", summed.column);
        connection.prepare_cached(&update)?.execute((date, digest.0))?;
    }
    let mut statement = connection.prepare_cached("SELECT * FROM days WHERE date = ?1")?;
    let digest = statement.query_row([date], |row| Ok(of_day(row)?.0))?;
    let update = format!("UPDATE days SET {DAY_COLUMN} = ?2 WHERE date = ?1");
    connection.prepare_cached(&update)?.execute((date, digest.0))?;
    Ok(())
}

/// The checksum of a day's rows in a table, as they are stored.
fn of_rows(connection: &Connection, date: &str, Summed { table, order, .. }: Summed) -> Result<Digest> {
    let mut sum = Checksum::default();
    let sql = format!("SELECT * FROM {table} WHERE date = ?1 ORDER BY {order}");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([date])?;
    while let Some(row) = rows.next()? {
        sum.row(row, None)?;
    }
    Ok(sum.digest())
}

/// The checksum of a row of `days`, and the one that it holds.
pub(crate) fn of_day(row: &Row<'_>) -> Result<(Digest, Option<Digest>)> {
    let own = row.as_ref().column_index(DAY_COLUMN)?;
    let mut sum = Checksum::default();
    sum.row(row, Some(own))?;
    Ok((sum.digest(), held(row, own)?))
}

/// Whether checksums were written when a day was stored: earlier versions wrote neither them nor these.
pub(crate) fn was_summed(row: &Row<'_>) -> Result<bool> {
    let options_or_plan = [row.get_ref("options")?, row.get_ref("plan")?];
    Ok(options_or_plan.iter().any(|value| *value != ValueRef::Null))
}

/// A checksum in a row; `None` where it holds none.
pub(crate) fn held(row: &Row<'_>, column: usize) -> Result<Option<Digest>> {
    let wrong = || rusqlite::Error::InvalidColumnType(column, "a checksum".to_owned(), Type::Blob);
    match row.get_ref(column)? {
        ValueRef::Null => Ok(None),
        ValueRef::Blob(blob) => blob.try_into().map(|bytes| Some(Digest(bytes))).map_err(|_| wrong()),
        _ => Err(wrong()),
    }
}
