//! Parquet files of this program, read back row by row.

use crate::ColumnarError;
use parquet::data_type::{AsBytes, Decimal};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use quoteclock_rows::{Table, column_names};
use std::collections::BTreeMap;
use std::fs::File;

/// A value of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Cell {
    /// There is none.
    Missing,
    /// Text.
    Text(String),
    /// A whole number; units of the last decimal; days or microseconds since 1970.
    Number(i128),
}

/// A file that is read.
pub struct ParquetFile {
    reader: SerializedFileReader<File>,
}

impl ParquetFile {
    /// Opens it.
    ///
    /// # Errors
    /// [`ColumnarError::Parquet`] if it is not whole, or no Parquet.
    pub fn open(file: File) -> Result<ParquetFile, ColumnarError> {
        Ok(ParquetFile { reader: SerializedFileReader::new(file)? })
    }

    /// What stands beside its schema.
    pub fn metadata(&self) -> BTreeMap<String, String> {
        let pairs = self.reader.metadata().file_metadata().key_value_metadata();
        pairs.into_iter().flatten().filter_map(|pair| Some((pair.key.clone(), pair.value.clone()?))).collect()
    }

    /// Tells `take` the values of each row of a table, in the order of its columns.
    ///
    /// # Errors
    /// [`ColumnarError`] if the file is damaged, or its columns are not those of the table.
    pub fn rows<T: Table>(&self, mut take: impl FnMut(&[Cell])) -> Result<(), ColumnarError> {
        let schema = self.reader.metadata().file_metadata().schema().get_fields();
        if !schema.iter().map(|field| field.name()).eq(column_names::<T>()) {
            let names = |names: &mut dyn Iterator<Item = &str>| names.collect::<Vec<_>>().join(", ");
            return Err(ColumnarError::Columns {
                found: names(&mut schema.iter().map(|field| field.name())),
                expected: names(&mut column_names::<T>()),
            });
        }
        let mut cells = Vec::new();
        for row in self.reader.get_row_iter(None)? {
            cells.clear();
            for (name, field) in row?.get_column_iter() {
                cells.push(cell(field).ok_or_else(|| ColumnarError::Type { column: name.clone() })?);
            }
            take(&cells);
        }
        Ok(())
    }
}

/// A value; `None` of a type that this program does not write.
fn cell(field: &Field) -> Option<Cell> {
    Some(match field {
        Field::Null => Cell::Missing,
        Field::Str(text) => Cell::Text(text.clone()),
        Field::Int(number) | Field::Date(number) => Cell::Number((*number).into()),
        Field::Long(number) | Field::TimestampMicros(number) => Cell::Number((*number).into()),
        Field::ULong(number) => Cell::Number((*number).into()),
        Field::Decimal(Decimal::Int32 { value, .. }) => Cell::Number(i32::from_be_bytes(*value).into()),
        Field::Decimal(Decimal::Int64 { value, .. }) => Cell::Number(i64::from_be_bytes(*value).into()),
        Field::Decimal(Decimal::Bytes { value, .. }) => {
            Cell::Number(i128::from_be_bytes(value.as_bytes().try_into().ok()?))
        }
        _ => return None,
    })
}
