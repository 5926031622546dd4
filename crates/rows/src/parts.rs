//! Rows whose last column is text that comes in parts, so that one of any length is written in constant memory.

use crate::json::Member;
use crate::{CsvRows, Table};
use std::io::{self, Write};
use std::marker::PhantomData;

/// Writes such rows; the table's last column has no value by itself.
pub trait PartedRows<T: Table> {
    /// What the rows are written to.
    type To;

    /// Begins a row with all of its columns but the last. `quoted` says whether parts may hold what CSV has to quote.
    ///
    /// # Errors
    /// Those of the writer.
    fn row(&mut self, row: &T::Row<'_>, quoted: bool) -> io::Result<()>;

    /// Adds a part of the last column.
    ///
    /// # Errors
    /// Those of the writer.
    fn part(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Ends the last row, and gives the writer back.
    ///
    /// # Errors
    /// Those of the writer.
    fn finish(self) -> io::Result<Self::To>;
}

/// As CSV, without a header: parts stand as they are.
#[derive(Debug)]
pub struct CsvParts<T, W> {
    to: W,
    /// What ends the last row, where it has not ended yet.
    end: &'static [u8],
    table: PhantomData<T>,
}

impl<T: Table, W: Write> CsvParts<T, W> {
    /// No row yet.
    pub fn new(to: W) -> Self {
        CsvParts { to, end: b"", table: PhantomData }
    }
}

impl<T: Table, W: Write> PartedRows<T> for CsvParts<T, W> {
    type To = W;

    fn row(&mut self, row: &T::Row<'_>, quoted: bool) -> io::Result<()> {
        self.to.write_all(std::mem::take(&mut self.end))?;
        let mut head = CsvRows::<T, _>::new(Vec::new());
        head.row(row)?;
        let mut head = head.finish()?;
        let line_end = head.pop();
        debug_assert_eq!(line_end, Some(b'\n'));
        self.to.write_all(&head)?;
        if quoted {
            self.to.write_all(b"\"")?;
        }
        self.end = if quoted { b"\"\n" } else { b"\n" };
        Ok(())
    }

    fn part(&mut self, bytes: &[u8]) -> io::Result<()> {
        for (position, piece) in bytes.split(|&byte| byte == b'"').enumerate() {
            if 0 < position {
                self.to.write_all(b"\"\"")?;
            }
            self.to.write_all(piece)?;
        }
        Ok(())
    }

    fn finish(mut self) -> io::Result<W> {
        self.to.write_all(self.end)?;
        Ok(self.to)
    }
}

/// As JSON objects with commas between them. Bytes that are not UTF-8 become U+FFFD.
#[derive(Debug)]
pub struct JsonParts<T, W> {
    to: W,
    /// What ends the last row, where there is one.
    end: &'static [u8],
    table: PhantomData<T>,
}

impl<T: Table, W: Write> JsonParts<T, W> {
    /// No row yet.
    pub fn new(to: W) -> Self {
        JsonParts { to, end: b"", table: PhantomData }
    }
}

impl<T: Table, W: Write> PartedRows<T> for JsonParts<T, W> {
    type To = W;

    fn row(&mut self, row: &T::Row<'_>, _: bool) -> io::Result<()> {
        if !self.end.is_empty() {
            self.to.write_all(self.end)?;
            self.to.write_all(b",\n")?;
        }
        self.end = b"\"}";
        let Some((last, others)) = T::COLUMNS.split_last() else { return Ok(()) };
        let mut separator = "{";
        for column in others {
            let value = serde_json::to_string(&Member(column.value(row)))?;
            write!(self.to, "{separator}\"{}\":{value}", column.name)?;
            separator = ",";
        }
        write!(self.to, "{separator}\"{}\":\"", last.name)
    }

    fn part(&mut self, bytes: &[u8]) -> io::Result<()> {
        let quoted = serde_json::to_string(&String::from_utf8_lossy(bytes))?;
        self.to.write_all(&quoted.as_bytes()[1..quoted.len() - 1])
    }

    fn finish(mut self) -> io::Result<W> {
        self.to.write_all(self.end)?;
        Ok(self.to)
    }
}
