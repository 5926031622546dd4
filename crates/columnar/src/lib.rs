//! The output files as Parquet, for analysts: the same rows and names as the CSV, with types.
//!
//! The idea: an output file is written once, as CSV, and read back here, so that there is one place that decides what a
//! row says. The name of a column tells its type ([`Kind::of`]). Rows go in groups, so that memory is bounded.
//!
//! Deliberately absent: any figure that the CSV has not.

use bytes::Bytes;
use jiff::civil::{Date, date};
use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use std::io::{Read, Write};
use std::sync::Arc;
use thiserror::Error;

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Text.
    Text,
    /// A date.
    Date,
    /// An instant: microseconds since 1970, UTC. The local time of day is in the CSV.
    Instant,
    /// A whole number.
    Integer,
    /// A percentage with four decimals, exactly.
    Percent,
}

impl Kind {
    /// What the column of that name holds in every output file.
    pub fn of(column: &str) -> Kind {
        match column {
            "date" => Kind::Date,
            "start" | "end" => Kind::Instant,
            "days" | "days_measured" | "trading_days" | "etfs_fulfilled" | "etfs_required" | "free_servers"
            | "servers_registered" => Kind::Integer,
            _ if column.ends_with("_us") || column.ends_with("_jpy") => Kind::Integer,
            _ if column.ends_with("_pct") => Kind::Percent,
            _ => Kind::Text,
        }
    }

    /// The column in Parquet's own notation.
    fn schema(self, name: &str) -> String {
        match self {
            Kind::Text => format!("OPTIONAL BYTE_ARRAY {name} (UTF8);"),
            Kind::Date => format!("OPTIONAL INT32 {name} (DATE);"),
            Kind::Instant => format!("OPTIONAL INT64 {name} (TIMESTAMP(MICROS,true));"),
            Kind::Integer => format!("OPTIONAL INT64 {name};"),
            Kind::Percent => format!("OPTIONAL INT32 {name} (DECIMAL(7,4));"),
        }
    }
}

/// Why a file cannot be written as Parquet.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ColumnarError {
    /// The CSV cannot be read.
    #[error("reading the CSV")]
    Csv(#[from] csv::Error),
    /// A value is not of its column's kind.
    #[error("row {row}, column {column}: found \"{found}\", expected {expected:?}")]
    Value {
        /// The row, counted from 1.
        row: u64,
        /// The column.
        column: String,
        /// The value.
        found: String,
        /// What the column holds.
        expected: Kind,
    },
    /// Parquet cannot be written.
    #[error("writing Parquet")]
    Parquet(#[from] ParquetError),
}

/// Rows of one group: bounds the memory, and is what a reader takes at a time.
const GROUP_ROWS: usize = 1 << 16;

/// Writes the rows of an output file, `csv`, as Parquet. An empty value is null.
///
/// # Errors
/// [`ColumnarError`].
pub fn write_parquet(csv: impl Read, to: impl Write + Send) -> Result<(), ColumnarError> {
    let mut reader = csv::Reader::from_reader(csv);
    let names: Vec<String> = reader.headers()?.iter().map(str::to_owned).collect();
    let kinds: Vec<Kind> = names.iter().map(|name| Kind::of(name)).collect();
    let fields: String = names.iter().zip(&kinds).map(|(name, kind)| kind.schema(name)).collect();
    let schema = Arc::new(parse_message_type(&format!("message quoteclock {{ {fields} }}"))?);
    let compression = Compression::ZSTD(ZstdLevel::try_new(3)?);
    let properties = Arc::new(WriterProperties::builder().set_compression(compression).build());
    let mut writer = SerializedFileWriter::new(to, schema, properties)?;
    let mut columns: Vec<Column> = kinds.iter().map(|&kind| Column::new(kind)).collect();
    let (mut record, mut row) = (csv::StringRecord::new(), 0);
    while reader.read_record(&mut record)? {
        row += 1;
        for ((column, name), value) in columns.iter_mut().zip(&names).zip(&record) {
            column.push(value).ok_or_else(|| ColumnarError::Value {
                row,
                column: name.clone(),
                found: value.to_owned(),
                expected: column.kind,
            })?;
        }
        if row % GROUP_ROWS as u64 == 0 {
            write_group(&mut writer, &mut columns)?;
        }
    }
    if columns.first().is_some_and(|column| !column.levels.is_empty()) {
        write_group(&mut writer, &mut columns)?;
    }
    writer.close()?;
    Ok(())
}

fn write_group<W: Write + Send>(
    writer: &mut SerializedFileWriter<W>,
    columns: &mut [Column],
) -> Result<(), ParquetError> {
    let mut group = writer.next_row_group()?;
    for column in columns {
        match column.kind {
            Kind::Text => write_column::<ByteArrayType, W>(&mut group, &column.texts, &column.levels)?,
            Kind::Date | Kind::Percent => write_column::<Int32Type, W>(&mut group, &column.small, &column.levels)?,
            Kind::Instant | Kind::Integer => write_column::<Int64Type, W>(&mut group, &column.large, &column.levels)?,
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

/// Values of one column in the group being filled; of the three lists one is used.
struct Column {
    kind: Kind,
    texts: Vec<ByteArray>,
    small: Vec<i32>,
    large: Vec<i64>,
    /// For each row, 1 if there is a value, 0 if it is null.
    levels: Vec<i16>,
}

impl Column {
    fn new(kind: Kind) -> Column {
        Column { kind, texts: Vec::new(), small: Vec::new(), large: Vec::new(), levels: Vec::new() }
    }

    fn clear(&mut self) {
        self.texts.clear();
        self.small.clear();
        self.large.clear();
        self.levels.clear();
    }

    /// Adds a value; `None` if it is not of the kind.
    fn push(&mut self, text: &str) -> Option<()> {
        self.levels.push(i16::from(!text.is_empty()));
        if text.is_empty() {
            return Some(());
        }
        match self.kind {
            Kind::Text => self.texts.push(ByteArray::from(Bytes::copy_from_slice(text.as_bytes()))),
            Kind::Date => self.small.push(days_since_1970(text)?),
            Kind::Percent => self.small.push(ten_thousandths(text)?),
            Kind::Instant => self.large.push(text.parse::<jiff::Timestamp>().ok()?.as_microsecond()),
            Kind::Integer => self.large.push(text.parse().ok()?),
        }
        Some(())
    }
}

fn days_since_1970(text: &str) -> Option<i32> {
    let day: Date = text.parse().ok()?;
    Some(date(1970, 1, 1).until(day).ok()?.get_days())
}

/// `71.4765` as 714,765; fewer decimals are filled up.
fn ten_thousandths(text: &str) -> Option<i32> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let is_decimal = part.len() <= 4 && whole.bytes().chain(part.bytes()).all(|byte| byte.is_ascii_digit());
    if is_decimal { format!("{whole}{part:0<4}").parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::file::reader::{FileReader, SerializedFileReader};

    fn rows(csv: &str) -> Result<Vec<String>, ColumnarError> {
        let mut bytes = Vec::new();
        write_parquet(csv.as_bytes(), &mut bytes)?;
        let reader = SerializedFileReader::new(Bytes::from(bytes))?;
        reader.get_row_iter(None)?.map(|row| Ok(row?.to_string())).collect()
    }

    #[test]
    fn the_name_of_a_column_tells_its_type() {
        let csv = "date,issue,start,available_us,display_pct\n\
                   2024-03-01,1306,2024-03-01T09:00:00.000001+09:00,18000000000,71.4765\n\
                   1970-01-01,\"a,b\",1970-01-01T00:00:00.000000+00:00,0,\n";
        let rows = rows(csv).unwrap();
        assert_eq!(rows.len(), 2);
        assert!(rows[0].contains("date: 2024-03-01") && rows[0].contains("issue: \"1306\""), "{}", rows[0]);
        assert!(rows[0].contains("2024-03-01 00:00:00.000001") && rows[0].contains("71.4765"), "{}", rows[0]);
        assert!(rows[1].contains("display_pct: null") && rows[1].contains("issue: \"a,b\""), "{}", rows[1]);
    }

    #[test]
    fn a_file_without_rows_is_a_table_without_rows() {
        assert_eq!(rows("date,issue\n").unwrap(), Vec::<String>::new());
    }

    #[test]
    fn more_rows_than_a_group_holds_come_in_several() {
        let mut csv = "issue,available_us\n".to_owned();
        for row in 0..GROUP_ROWS + 7 {
            csv.push_str(&format!("1306,{row}\n"));
        }
        let rows = rows(&csv).unwrap();
        assert_eq!(rows.len(), GROUP_ROWS + 7);
        assert!(rows[GROUP_ROWS + 6].contains(&format!("available_us: {}", GROUP_ROWS + 6)));
    }

    #[test]
    fn a_value_of_another_kind_is_named() {
        let error = rows("issue,available_us\n1306,many\n").unwrap_err();
        assert_eq!(error.to_string(), "row 1, column available_us: found \"many\", expected Integer");
    }
}
