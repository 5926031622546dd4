//! Rows as Arrow batches: the types of the columns, the values of the rows.
//!
//! | column | Arrow type |
//! |---|---|
//! | text | `Utf8` |
//! | date | `Date32` |
//! | instant | `Timestamp(us)` in a zone |
//! | integer | `Int64` |
//! | number that is a name | `UInt64` |
//! | percentage with four decimals | `Decimal128(7, 4)` |
//! | other decimal number | `Decimal128(38, decimals)` |
//!
//! Every column may have nulls. What its numbers count stands in its metadata as `unit`.

use crate::{ColumnarError, Kind, days_since_1970, percent};
use arrow_array::builder::{
    ArrayBuilder, Date32Builder, Decimal128Builder, Int64Builder, StringBuilder, TimestampMicrosecondBuilder,
    UInt64Builder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use quoteclock_rows::{Column, Table, Unit, Value};
use std::marker::PhantomData;
use std::sync::Arc;

/// So many rows are one batch: a piece that fits into a processor's caches, and pays for its own overhead.
pub const BATCH_ROWS: usize = 1 << 16;

/// The columns of a table; `zone` is that of its instants, by its name or as an offset such as `+09:00`.
pub fn schema<T: Table>(zone: &str) -> SchemaRef {
    let field = |column: &Column<T>| {
        let field = Field::new(column.name, Kind::of(column).data_type(zone), true);
        match column.unit {
            Unit::None => field,
            unit => field.with_metadata([("unit", unit.as_str())]),
        }
    };
    Arc::new(Schema::new(T::COLUMNS.iter().map(field).collect::<Vec<Field>>()))
}

impl Kind {
    fn data_type(self, zone: &str) -> DataType {
        match self {
            Kind::Text => DataType::Utf8,
            Kind::Date => DataType::Date32,
            Kind::Instant => DataType::Timestamp(TimeUnit::Microsecond, Some(zone.into())),
            Kind::Integer => DataType::Int64,
            Kind::Identifier => DataType::UInt64,
            Kind::Percent => DataType::Decimal128(PERCENT_DIGITS, 4),
            Kind::Decimal(scale) => DataType::Decimal128(DECIMAL_DIGITS, scale.cast_signed()),
        }
    }
}

/// Digits of a percentage with four decimals, and of any other decimal number.
const PERCENT_DIGITS: u8 = 7;
const DECIMAL_DIGITS: u8 = 38;

/// Rows put into a batch, one by one.
pub struct Batch<T> {
    schema: SchemaRef,
    columns: Vec<Values>,
    rows: usize,
    table: PhantomData<T>,
}

/// The values of one column.
enum Values {
    Text(StringBuilder),
    Date(Date32Builder),
    Instant(TimestampMicrosecondBuilder, Arc<str>),
    Integer(Int64Builder),
    Identifier(UInt64Builder),
    Decimal(Decimal128Builder, Kind),
}

impl<T: Table> Batch<T> {
    /// No row yet, of instants in `zone`.
    pub fn new(zone: &str) -> Batch<T> {
        let columns = T::COLUMNS.iter().map(|column| Values::new(Kind::of(column), zone)).collect();
        Batch { schema: schema::<T>(zone), columns, rows: 0, table: PhantomData }
    }

    /// Rows so far.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Adds a row.
    ///
    /// # Errors
    /// [`ColumnarError::Value`] if a value does not fit its column.
    pub fn row(&mut self, row: &T::Row<'_>) -> Result<(), ColumnarError> {
        self.rows += 1;
        for (column, values) in T::COLUMNS.iter().zip(&mut self.columns) {
            let value = column.value(row);
            values.push(&value).ok_or_else(|| ColumnarError::Value {
                row: u64::try_from(self.rows).unwrap_or(u64::MAX),
                column: column.name,
                found: value.to_string(),
            })?;
        }
        Ok(())
    }

    /// The rows so far as a batch; the next one begins without any.
    ///
    /// # Errors
    /// [`ColumnarError::Arrow`] of the library.
    pub fn take(&mut self) -> Result<RecordBatch, ColumnarError> {
        self.rows = 0;
        let columns = self.columns.iter_mut().map(Values::finish).collect::<Result<Vec<ArrayRef>, _>>()?;
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }
}

/// Rows as batches of [`BATCH_ROWS`], the last one of what is left.
///
/// # Errors
/// As [`Batch`].
pub fn batches<'r, T: Table>(
    rows: impl IntoIterator<Item = T::Row<'r>>,
    zone: &str,
) -> Result<Vec<RecordBatch>, ColumnarError> {
    let (mut batch, mut whole) = (Batch::<T>::new(zone), Vec::new());
    for row in rows {
        batch.row(&row)?;
        if batch.len() == BATCH_ROWS {
            whole.push(batch.take()?);
        }
    }
    if !batch.is_empty() {
        whole.push(batch.take()?);
    }
    Ok(whole)
}

impl Values {
    fn new(kind: Kind, zone: &str) -> Values {
        match kind {
            Kind::Text => Values::Text(StringBuilder::new()),
            Kind::Date => Values::Date(Date32Builder::new()),
            Kind::Instant => Values::Instant(TimestampMicrosecondBuilder::new(), zone.into()),
            Kind::Integer => Values::Integer(Int64Builder::new()),
            Kind::Identifier => Values::Identifier(UInt64Builder::new()),
            Kind::Percent | Kind::Decimal(_) => Values::Decimal(Decimal128Builder::new(), kind),
        }
    }

    /// Adds a value; `None` if it does not fit.
    fn push(&mut self, value: &Value<'_>) -> Option<()> {
        match (self, value) {
            (Values::Text(to), Value::Text(text)) => to.append_value(text),
            (Values::Date(to), Value::Date(date)) => to.append_value(days_since_1970(*date)?),
            (Values::Instant(to, _), Value::Instant(local)) => to.append_value(local.at.as_micros()),
            (Values::Integer(to), Value::Integer(number)) => to.append_value(i64::try_from(*number).ok()?),
            (Values::Identifier(to), Value::Integer(number)) => to.append_value(u64::try_from(*number).ok()?),
            (Values::Decimal(to, Kind::Percent), Value::Decimal(units, _)) => to.append_value(percent(*units)?.into()),
            (Values::Decimal(to, _), Value::Decimal(units, _)) => {
                to.append_value(
                    Some(*units).filter(|units| units.unsigned_abs() < 10_u128.pow(DECIMAL_DIGITS.into()))?,
                );
            }
            (to, Value::Missing) => to.push_null(),
            // A column's values are of its type, or missing.
            _ => return None,
        }
        Some(())
    }

    fn push_null(&mut self) {
        match self {
            Values::Text(to) => to.append_null(),
            Values::Date(to) => to.append_null(),
            Values::Instant(to, _) => to.append_null(),
            Values::Integer(to) => to.append_null(),
            Values::Identifier(to) => to.append_null(),
            Values::Decimal(to, _) => to.append_null(),
        }
    }

    fn finish(&mut self) -> Result<ArrayRef, ColumnarError> {
        Ok(match self {
            Values::Text(values) => ArrayBuilder::finish(values),
            Values::Date(values) => ArrayBuilder::finish(values),
            Values::Instant(values, zone) => Arc::new(values.finish().with_timezone(Arc::clone(zone))),
            Values::Integer(values) => ArrayBuilder::finish(values),
            Values::Identifier(values) => ArrayBuilder::finish(values),
            Values::Decimal(values, kind) => {
                let (digits, scale) = match kind {
                    Kind::Decimal(scale) => (DECIMAL_DIGITS, scale.cast_signed()),
                    _ => (PERCENT_DIGITS, 4),
                };
                Arc::new(values.finish().with_precision_and_scale(digits, scale)?)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::Array;
    use arrow_array::cast::AsArray;
    use arrow_array::types::{Date32Type, Decimal128Type, Int64Type, TimestampMicrosecondType, UInt64Type};
    use jiff::civil::{Date, date};
    use jiff::tz::TimeZone;
    use quoteclock_model::Timestamp;
    use quoteclock_rows::{Decimals, Local};

    struct Sample(Option<i128>);

    struct Samples;

    static ZONE: TimeZone = TimeZone::UTC;
    const DAY: Date = date(2024, 3, 1);

    impl Table for Samples {
        type Row<'a> = Sample;
        const NAME: &'static str = "samples";
        const COLUMNS: &'static [Column<Self>] = &[
            Column::date("date", |row| row.0.map(|_| DAY)),
            Column::text("reason", |row| row.0.map(|_| "no_bid".into())),
            Column::instant("start", |row| row.0.map(|_| Local { at: Timestamp::from_micros(1), zone: &ZONE })),
            Column::integer("duration_us", Unit::Micros, |row| row.0),
            Column::identifier("order", |row| row.0.map(|_| u64::MAX)),
            Column::decimal("display_pct", Unit::Percent, Decimals::Fixed(4), |row| row.0.map(|_| 714_765)),
            Column::decimal("amount_jpy", Unit::Yen, Decimals::Fixed(2), |row| row.0.map(|number| -number)),
        ];
    }

    #[test]
    fn values_keep_their_types_and_what_is_missing_is_null() {
        let batch = batches::<Samples>([Sample(Some(125)), Sample(None)], "Asia/Tokyo").unwrap().remove(0);
        let types: Vec<String> = batch.schema().fields().iter().map(|field| field.data_type().to_string()).collect();
        let expected = [
            "Date32",
            "Utf8",
            "Timestamp(µs, \"Asia/Tokyo\")",
            "Int64",
            "UInt64",
            "Decimal128(7, 4)",
            "Decimal128(38, 2)",
        ];
        assert_eq!(types, expected);
        assert_eq!(batch.schema().field(3).metadata()["unit"], "us");
        assert!(batch.columns().iter().all(|column| column.is_valid(0) && column.is_null(1)));
        assert_eq!(batch.column(0).as_primitive::<Date32Type>().value(0), 19_783);
        assert_eq!(batch.column(1).as_string::<i32>().value(0), "no_bid");
        assert_eq!(batch.column(2).as_primitive::<TimestampMicrosecondType>().value(0), 1);
        assert_eq!(batch.column(3).as_primitive::<Int64Type>().value(0), 125);
        assert_eq!(batch.column(4).as_primitive::<UInt64Type>().value(0), u64::MAX);
        assert_eq!(batch.column(5).as_primitive::<Decimal128Type>().value(0), 714_765);
        assert_eq!(batch.column(6).as_primitive::<Decimal128Type>().value(0), -125);
    }

    #[test]
    fn rows_are_cut_into_batches_and_none_is_lost() {
        let count = BATCH_ROWS + 7;
        let rows = (0..count).map(|number| Sample(Some(number.try_into().unwrap())));
        let batches = batches::<Samples>(rows, "UTC").unwrap();
        assert_eq!(batches.iter().map(RecordBatch::num_rows).collect::<Vec<_>>(), [BATCH_ROWS, 7]);
        assert_eq!(batches[1].column(3).as_primitive::<Int64Type>().value(6), i64::try_from(count).unwrap() - 1);
        assert!(super::batches::<Samples>([], "UTC").unwrap().is_empty());
    }

    #[test]
    fn a_value_beyond_its_type_is_named() {
        let error = batches::<Samples>([Sample(Some(0)), Sample(Some(1 << 63))], "UTC").unwrap_err();
        let expected = "row 2, column duration_us: 9223372036854775808 is beyond what the column's type holds";
        assert_eq!(error.to_string(), expected);
    }
}
