//! Rows as Parquet files.
//!
//! Days are measured side by side, so each writes a file of its own ([`ParquetRows`]); [`join`] then puts their row groups one
//! behind the other without decoding them. Rows go in groups, so that memory is bounded.

use crate::{ColumnarError, Kind, days_since_1970, percent};
use bytes::Bytes;
use parquet::basic::{Compression, ZstdLevel};
use parquet::column::writer::ColumnCloseResult;
use parquet::data_type::{
    ByteArray, ByteArrayType, DataType, FixedLenByteArray, FixedLenByteArrayType, Int32Type, Int64Type,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, ParquetMetaDataReader};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::TypePtr;
use quoteclock_rows::{Table, Value};
use std::fs::File;
use std::io::Write;
use std::marker::PhantomData;
use std::sync::Arc;

impl Kind {
    /// The column in Parquet's own notation.
    fn schema(self, name: &str) -> String {
        match self {
            Kind::Text => format!("OPTIONAL BYTE_ARRAY {name} (UTF8);"),
            Kind::Date => format!("OPTIONAL INT32 {name} (DATE);"),
            Kind::Instant => format!("OPTIONAL INT64 {name} (TIMESTAMP(MICROS,true));"),
            Kind::Integer => format!("OPTIONAL INT64 {name};"),
            Kind::Identifier => format!("OPTIONAL INT64 {name} (INTEGER(64,false));"),
            Kind::Percent => format!("OPTIONAL INT32 {name} (DECIMAL(7,4));"),
            Kind::Decimal(scale) => format!("OPTIONAL FIXED_LEN_BYTE_ARRAY (16) {name} (DECIMAL(38,{scale}));"),
        }
    }
}

/// Rows of one group: bounds the memory, and is what a reader takes at a time.
const GROUP_ROWS: usize = 1 << 16;

/// Writes the rows of a table to a file, one by one.
pub struct ParquetRows<T, W: Write + Send> {
    writer: SerializedFileWriter<W>,
    columns: Vec<ColumnValues>,
    row: u64,
    table: PhantomData<T>,
}

impl<T: Table, W: Write + Send> ParquetRows<T, W> {
    /// A file without rows, with `metadata` beside its schema.
    ///
    /// # Errors
    /// [`ColumnarError`] of the writer.
    pub fn new(to: W, metadata: &[(String, String)]) -> Result<Self, ColumnarError> {
        let writer = SerializedFileWriter::new(to, schema::<T>()?, properties(metadata)?)?;
        let columns = T::COLUMNS.iter().map(|column| ColumnValues::new(Kind::of(column))).collect();
        Ok(ParquetRows { writer, columns, row: 0, table: PhantomData })
    }

    /// Adds a row.
    ///
    /// # Errors
    /// [`ColumnarError`] if a value does not fit, or of the writer.
    pub fn row(&mut self, row: &T::Row<'_>) -> Result<(), ColumnarError> {
        self.row += 1;
        for (column, values) in T::COLUMNS.iter().zip(&mut self.columns) {
            let value = column.value(row);
            values.push(&value).ok_or_else(|| ColumnarError::Value {
                row: self.row,
                column: column.name,
                found: value.to_string(),
            })?;
        }
        if self.row.is_multiple_of(GROUP_ROWS as u64) {
            write_group(&mut self.writer, &mut self.columns)?;
        }
        Ok(())
    }

    /// Writes what is held back, and ends the file.
    ///
    /// # Errors
    /// [`ColumnarError`] of the writer.
    pub fn finish(mut self) -> Result<(), ColumnarError> {
        if self.columns.first().is_some_and(|column| !column.levels.is_empty()) {
            write_group(&mut self.writer, &mut self.columns)?;
        }
        self.writer.close()?;
        Ok(())
    }
}

/// Writes a whole file.
///
/// # Errors
/// [`ColumnarError`].
pub fn write_parquet<'r, T: Table>(
    rows: impl IntoIterator<Item = T::Row<'r>>,
    metadata: &[(String, String)],
    to: impl Write + Send,
) -> Result<(), ColumnarError> {
    let mut parquet = ParquetRows::<T, _>::new(to, metadata)?;
    rows.into_iter().try_for_each(|row| parquet.row(&row))?;
    parquet.finish()
}

/// Joins files of one table into one, in their order. Their row groups are copied as they are.
///
/// # Errors
/// [`ColumnarError`] of the files or the writer.
pub fn join<T: Table>(
    parts: &[File],
    metadata: &[(String, String)],
    to: impl Write + Send,
) -> Result<(), ColumnarError> {
    let mut writer = SerializedFileWriter::new(to, schema::<T>()?, properties(metadata)?)?;
    for part in parts {
        let form = ParquetMetaDataReader::new().parse_and_finish(part)?;
        for group in form.row_groups() {
            let mut to = writer.next_row_group()?;
            let rows_written = u64::try_from(group.num_rows()).unwrap_or_default();
            for column in group.columns() {
                let close = ColumnCloseResult {
                    bytes_written: u64::try_from(column.compressed_size()).unwrap_or_default(),
                    rows_written,
                    metadata: column.clone(),
                    bloom_filter: None,
                    column_index: None,
                    offset_index: None,
                };
                to.append_column(part, close)?;
            }
            to.close()?;
        }
    }
    writer.close()?;
    Ok(())
}

fn schema<T: Table>() -> Result<TypePtr, ParquetError> {
    let fields: String = T::COLUMNS.iter().map(|column| Kind::of(column).schema(column.name)).collect();
    Ok(Arc::new(parse_message_type(&format!("message quoteclock {{ {fields} }}"))?))
}

fn properties(metadata: &[(String, String)]) -> Result<Arc<WriterProperties>, ParquetError> {
    let pairs = metadata.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
    let compression = Compression::ZSTD(ZstdLevel::try_new(3)?);
    let builder = WriterProperties::builder().set_compression(compression);
    Ok(Arc::new(builder.set_key_value_metadata(Some(pairs.collect())).build()))
}

fn write_group<W: Write + Send>(
    writer: &mut SerializedFileWriter<W>,
    columns: &mut [ColumnValues],
) -> Result<(), ParquetError> {
    let mut group = writer.next_row_group()?;
    for column in columns {
        match column.kind {
            Kind::Text => write_column::<ByteArrayType, W>(&mut group, &column.texts, &column.levels)?,
            Kind::Date | Kind::Percent => write_column::<Int32Type, W>(&mut group, &column.small, &column.levels)?,
            Kind::Instant | Kind::Integer | Kind::Identifier => {
                write_column::<Int64Type, W>(&mut group, &column.large, &column.levels)?
            }
            Kind::Decimal(_) => write_column::<FixedLenByteArrayType, W>(&mut group, &column.wide, &column.levels)?,
        }
        column.clear();
    }
    group.close()?;
    Ok(())
}

fn write_column<T: DataType, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    values: &[T::T],
    levels: &[i16],
) -> Result<(), ParquetError> {
    let mut column = group.next_column()?.expect("as many columns as the schema has");
    column.typed::<T>().write_batch(values, Some(levels), None)?;
    column.close()
}

/// Values of one column in the group being filled; of the lists one is used.
struct ColumnValues {
    kind: Kind,
    texts: Vec<ByteArray>,
    small: Vec<i32>,
    large: Vec<i64>,
    wide: Vec<FixedLenByteArray>,
    /// For each row, 1 if there is a value, 0 if it is null.
    levels: Vec<i16>,
}

impl ColumnValues {
    fn new(kind: Kind) -> ColumnValues {
        let (texts, small, large, wide, levels) = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
        ColumnValues { kind, texts, small, large, wide, levels }
    }

    fn clear(&mut self) {
        self.texts.clear();
        self.small.clear();
        self.large.clear();
        self.wide.clear();
        self.levels.clear();
    }

    /// Adds a value; `None` if it does not fit.
    fn push(&mut self, value: &Value<'_>) -> Option<()> {
        self.levels.push(i16::from(*value != Value::Missing));
        match (value, self.kind) {
            (Value::Missing, _) => {}
            (Value::Text(text), _) => self.texts.push(ByteArray::from(Bytes::copy_from_slice(text.as_bytes()))),
            (Value::Date(date), _) => self.small.push(days_since_1970(*date)?),
            (Value::Instant(local), _) => self.large.push(local.at.as_micros()),
            (Value::Integer(number), Kind::Identifier) => self.large.push(u64::try_from(*number).ok()?.cast_signed()),
            (Value::Integer(number), _) => self.large.push(i64::try_from(*number).ok()?),
            (Value::Decimal(units, _), Kind::Percent) => self.small.push(percent(*units)?),
            (Value::Decimal(units, _), _) => self.wide.push(decimal(*units)?),
        }
        Some(())
    }
}

/// Units of a decimal within 38 digits.
fn decimal(units: i128) -> Option<FixedLenByteArray> {
    let fits = units.unsigned_abs() < 10_u128.pow(38);
    fits.then(|| FixedLenByteArray::from(ByteArray::from(units.to_be_bytes().to_vec())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{Date, date};
    use jiff::tz::TimeZone;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use quoteclock_model::Timestamp;
    use quoteclock_rows::{Column, Decimals, Local, Unit};

    struct Sample {
        day: Option<Date>,
        number: i128,
    }

    struct Samples;

    static ZONE: TimeZone = TimeZone::UTC;

    impl Table for Samples {
        type Row<'a> = Sample;
        const NAME: &'static str = "samples";
        const COLUMNS: &'static [Column<Self>] = &[
            Column::date("date", |row| row.day),
            Column::text("reason", |row| row.day.map(|_| "no_bid".into())),
            Column::instant("start", |_| Some(Local { at: Timestamp::from_micros(1), zone: &ZONE })),
            Column::integer("duration_us", Unit::Micros, |row| Some(row.number)),
            Column::identifier("order", |row| row.day.map(|_| u64::MAX)),
            Column::decimal("display_pct", Unit::Percent, Decimals::Fixed(4), |row| row.day.map(|_| 714_765)),
            Column::decimal("amount_jpy", Unit::Yen, Decimals::Fixed(2), |row| Some(-row.number)),
        ];
    }

    fn sample(number: i128) -> Sample {
        Sample { day: Some(date(2024, 3, 1)), number }
    }

    fn reader(bytes: Vec<u8>) -> SerializedFileReader<Bytes> {
        SerializedFileReader::new(Bytes::from(bytes)).unwrap()
    }

    fn rows(bytes: Vec<u8>) -> Vec<String> {
        reader(bytes).get_row_iter(None).unwrap().map(|row| row.unwrap().to_string()).collect()
    }

    fn metadata() -> Vec<(String, String)> {
        vec![("quoteclock.scheme".to_owned(), "TSE".to_owned())]
    }

    #[test]
    fn values_keep_their_types_and_what_is_missing_is_null() {
        let mut bytes = Vec::new();
        write_parquet::<Samples>([sample(125), Sample { day: None, number: 0 }], &metadata(), &mut bytes).unwrap();
        let rows = rows(bytes.clone());
        assert_eq!(
            rows[0],
            "{date: 2024-03-01, reason: \"no_bid\", start: 1970-01-01 00:00:00.000001 +00:00, duration_us: 125, \
             order: 18446744073709551615, display_pct: 71.4765, amount_jpy: -1.25}"
        );
        assert!(rows[1].contains("date: null, reason: null") && rows[1].contains("display_pct: null"), "{}", rows[1]);
        let reader = reader(bytes);
        let kept = reader.metadata().file_metadata().key_value_metadata().unwrap().clone();
        assert!(kept.iter().any(|pair| pair.key == "quoteclock.scheme" && pair.value.as_deref() == Some("TSE")));
    }

    #[test]
    fn joined_files_have_all_rows_in_their_order() {
        let part = |numbers: std::ops::Range<i128>| {
            let mut file = tempfile::tempfile().unwrap();
            write_parquet::<Samples>(numbers.map(sample), &[], &mut file).unwrap();
            file
        };
        let parts = [part(0..2), part(0..0), part(2..i128::try_from(GROUP_ROWS).unwrap() + 7)];
        let mut bytes = Vec::new();
        join::<Samples>(&parts, &metadata(), &mut bytes).unwrap();
        let rows = rows(bytes);
        assert_eq!(rows.len(), GROUP_ROWS + 7);
        for (number, row) in rows.iter().enumerate() {
            assert!(row.contains(&format!("duration_us: {number},")), "{number}: {row}");
        }
        let mut empty = Vec::new();
        join::<Samples>(&[], &[], &mut empty).unwrap();
        assert_eq!(reader(empty).metadata().file_metadata().num_rows(), 0);
    }

    #[test]
    fn a_value_beyond_its_type_is_named() {
        let error = write_parquet::<Samples>([sample(0), sample(1 << 63)], &[], Vec::new()).unwrap_err();
        let expected = "row 2, column duration_us: 9223372036854775808 is beyond what the column's type holds";
        assert_eq!(error.to_string(), expected);
    }
}
