//! The outputs as Parquet, and as Arrow in memory, for analysts: the same rows and names as the CSV, with types.
//!
//! The idea: a column's type is that of its description ([`quoteclock_rows::Column`]), its values come from the rows and not from
//! text, and what a file rests on stands in its metadata. Each form is a feature of its own, since each is a heavy build.
//!
//! Deliberately absent: any figure that the CSV has not.

#[cfg(feature = "arrow")]
pub mod arrow;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(feature = "parquet")]
mod read;

#[cfg(feature = "parquet")]
pub use self::parquet::{ParquetRows, join, write_parquet};
#[cfg(feature = "parquet")]
pub use self::read::{Cell, ParquetFile};

use jiff::civil::{Date, date};
use quoteclock_rows::{Column, Get, Table, Unit};
use thiserror::Error;

/// How a column is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// Text.
    Text,
    /// Days since 1970.
    Date,
    /// Microseconds since 1970, UTC; the zone stands in the metadata.
    Instant,
    /// 64 bits.
    Integer,
    /// 64 bits without a sign.
    Identifier,
    /// A percentage with four decimals, in 32 bits.
    Percent,
    /// 38 digits, of which so many are decimals.
    Decimal(u8),
}

impl Kind {
    fn of<T: Table>(column: &Column<T>) -> Kind {
        match column.get {
            Get::Text(_) => Kind::Text,
            Get::Date(_) => Kind::Date,
            Get::Instant(_) => Kind::Instant,
            Get::Integer(_) => Kind::Integer,
            Get::Identifier(_) => Kind::Identifier,
            Get::Decimal(decimals, _) if column.unit == Unit::Percent && decimals.scale() == 4 => Kind::Percent,
            Get::Decimal(decimals, _) => Kind::Decimal(decimals.scale()),
        }
    }
}

/// Why rows cannot be kept.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ColumnarError {
    /// A value does not fit its column.
    #[error("row {row}, column {column}: {found} is beyond what the column's type holds")]
    Value {
        /// The row, counted from 1.
        row: u64,
        /// The column.
        column: &'static str,
        /// The value.
        found: String,
    },
    /// A file has other columns than the table.
    #[error("has the columns {found}, expected {expected}")]
    Columns {
        /// Those of the file.
        found: String,
        /// Those of the table.
        expected: String,
    },
    /// A column of a file has a type that none is written with.
    #[error("column {column}: has a type that this program does not write")]
    Type {
        /// The column.
        column: String,
    },
    /// An Arrow batch cannot be made.
    #[cfg(feature = "arrow")]
    #[error("making an Arrow batch")]
    Arrow(#[from] arrow_schema::ArrowError),
    /// Parquet cannot be written or read.
    #[cfg(feature = "parquet")]
    #[error("Parquet")]
    Parquet(#[from] ::parquet::errors::ParquetError),
}

fn days_since_1970(day: Date) -> Option<i32> {
    Some(date(1970, 1, 1).until(day).ok()?.get_days())
}

/// Ten-thousandths of a percent within seven digits.
fn percent(units: i128) -> Option<i32> {
    i32::try_from(units).ok().filter(|units| units.unsigned_abs() < 10_u32.pow(7))
}
