//! Rows as CSV: a header, `\n` line ends, quotes only where needed.

use crate::{Table, column_names};
use std::fmt::Write as _;
use std::io::{self, Write};
use std::marker::PhantomData;

/// Writes rows one by one.
pub struct CsvRows<T, W: Write> {
    to: csv::Writer<W>,
    /// The cell being written.
    cell: String,
    table: PhantomData<T>,
}

impl<T: Table, W: Write> CsvRows<T, W> {
    /// Rows alone, for whoever puts a header before them.
    pub fn new(to: W) -> Self {
        CsvRows {
            to: csv::WriterBuilder::new().has_headers(false).from_writer(to),
            cell: String::new(),
            table: PhantomData,
        }
    }

    /// Rows below the header.
    ///
    /// # Errors
    /// Those of `to`.
    pub fn with_header(to: W) -> io::Result<Self> {
        let mut rows = CsvRows::new(to);
        rows.to.write_record(column_names::<T>())?;
        Ok(rows)
    }

    /// Adds a row.
    ///
    /// # Errors
    /// Those of the writer.
    ///
    /// # Panics
    /// Never: writing to a string cannot fail.
    pub fn row(&mut self, row: &T::Row<'_>) -> io::Result<()> {
        for column in T::COLUMNS {
            self.cell.clear();
            write!(self.cell, "{}", column.value(row)).expect("writing to a string");
            self.to.write_field(&self.cell)?;
        }
        Ok(self.to.write_record(None::<&[u8]>)?)
    }

    /// Writes what is held back, and gives the writer back.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn finish(self) -> io::Result<W> {
        self.to.into_inner().map_err(csv::IntoInnerError::into_error)
    }
}

/// Writes a whole file: header and rows.
///
/// # Errors
/// Those of `to`.
pub fn write_csv<'r, T: Table>(rows: impl IntoIterator<Item = T::Row<'r>>, to: impl Write) -> io::Result<()> {
    let mut csv = CsvRows::<T, _>::with_header(to)?;
    rows.into_iter().try_for_each(|row| csv.row(&row))?;
    csv.finish()?.flush()
}
