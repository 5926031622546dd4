//! Rows as JSON: objects with the names and the order of the columns; numbers are exact, a missing value is `null`.

use crate::{Table, Value};
use serde::ser::{Error, Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;
use std::io::{self, Write};
use std::marker::PhantomData;

/// A row as an object, to be put into a larger document.
pub struct JsonRow<'r, T: Table>(pub T::Row<'r>);

impl<T: Table> Serialize for JsonRow<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize::<T, S>(&self.0, serializer)
    }
}

struct Borrowed<'b, 'r, T: Table>(&'b T::Row<'r>);

impl<T: Table> Serialize for Borrowed<'_, '_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize::<T, S>(self.0, serializer)
    }
}

fn serialize<T: Table, S: Serializer>(row: &T::Row<'_>, serializer: S) -> Result<S::Ok, S::Error> {
    let mut members = serializer.serialize_map(Some(T::COLUMNS.len()))?;
    for column in T::COLUMNS {
        members.serialize_entry(column.name, &Member(column.value(row)))?;
    }
    members.end()
}

/// A value as JSON has it.
pub(crate) struct Member<'v>(pub(crate) Value<'v>);

impl Serialize for Member<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Value::Missing => serializer.serialize_unit(),
            Value::Text(text) => serializer.serialize_str(text),
            // Digit by digit: no number passes through a float.
            value if value.is_number() => {
                RawValue::from_string(value.to_string()).map_err(S::Error::custom)?.serialize(serializer)
            }
            value => serializer.collect_str(value),
        }
    }
}

/// Rows as a list of objects, to be put into a larger document.
pub fn json_rows<'r, T: Table>(rows: impl IntoIterator<Item = T::Row<'r>>) -> Vec<JsonRow<'r, T>> {
    rows.into_iter().map(JsonRow).collect()
}

/// Rows of one list, written one by one with commas between them, without the list's brackets.
pub struct JsonRows<T, W> {
    to: W,
    count: u64,
    table: PhantomData<T>,
}

impl<T: Table, W: Write> JsonRows<T, W> {
    /// No row yet.
    pub fn new(to: W) -> Self {
        JsonRows { to, count: 0, table: PhantomData }
    }

    /// Adds a row.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn row(&mut self, row: &T::Row<'_>) -> io::Result<()> {
        if 0 < self.count {
            self.to.write_all(b",\n")?;
        }
        self.count += 1;
        Ok(serde_json::to_writer(&mut self.to, &Borrowed::<T>(row))?)
    }

    /// Writes what is held back, and gives the writer back.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn finish(mut self) -> io::Result<W> {
        self.to.flush()?;
        Ok(self.to)
    }
}

#[cfg(test)]
mod tests {
    use crate::{Column, CsvRows, Decimals, JsonRows, Local, Table, Unit, json_rows, write_csv};
    use jiff::civil::{Date, date};
    use jiff::tz::TimeZone;
    use quoteclock_model::Timestamp;

    struct Sample<'a> {
        name: &'a str,
        day: Option<Date>,
        zone: &'a TimeZone,
        value: Option<i128>,
    }

    struct Samples;

    impl Table for Samples {
        type Row<'a> = Sample<'a>;
        const NAME: &'static str = "samples";
        const COLUMNS: &'static [Column<Self>] = &[
            Column::text("name", |row| Some(row.name.into())),
            Column::date("date", |row| row.day),
            Column::instant("start", |row| row.day.map(|_| Local { at: Timestamp::from_micros(1), zone: row.zone })),
            Column::integer("count", Unit::Count, |row| row.value),
            Column::decimal("display_pct", Unit::Percent, Decimals::Fixed(4), |row| row.value),
            Column::decimal("required_pct", Unit::Percent, Decimals::UpTo(4), |row| row.value),
        ];
    }

    fn samples(zone: &TimeZone) -> Vec<Sample<'_>> {
        let whole = Sample { name: "a,\"b\"", day: Some(date(2024, 3, 1)), zone, value: Some(800_000) };
        let empty = Sample { name: "", day: None, zone, value: None };
        vec![whole, empty]
    }

    #[test]
    fn csv_is_quoted_where_needed_and_what_is_missing_is_empty() {
        let mut csv = Vec::new();
        write_csv::<Samples>(samples(&TimeZone::UTC), &mut csv).unwrap();
        let expected = "name,date,start,count,display_pct,required_pct\n\
            \"a,\"\"b\"\"\",2024-03-01,1970-01-01T00:00:00.000001+00:00,800000,80.0000,80\n,,,,,\n";
        assert_eq!(String::from_utf8(csv).unwrap(), expected);
        let mut bare = CsvRows::<Samples, _>::new(Vec::new());
        samples(&TimeZone::UTC).iter().for_each(|row| bare.row(row).unwrap());
        let below_header = expected.split_once('\n').unwrap().1;
        assert_eq!(String::from_utf8(bare.finish().unwrap()).unwrap(), below_header);
    }

    #[test]
    fn json_has_the_same_names_and_digits_and_what_is_missing_is_null() {
        let expected = [
            "{\"name\":\"a,\\\"b\\\"\",\"date\":\"2024-03-01\",\"start\":\"1970-01-01T00:00:00.000001+00:00\",\
             \"count\":800000,\"display_pct\":80.0000,\"required_pct\":80}",
            "{\"name\":\"\",\"date\":null,\"start\":null,\"count\":null,\"display_pct\":null,\"required_pct\":null}",
        ];
        let zone = TimeZone::UTC;
        let list = json_rows::<Samples>(samples(&zone));
        assert_eq!(serde_json::to_string(&list).unwrap(), format!("[{}]", expected.join(",")));
        let mut rows = JsonRows::<Samples, _>::new(Vec::new());
        samples(&TimeZone::UTC).iter().for_each(|row| rows.row(row).unwrap());
        assert_eq!(String::from_utf8(rows.finish().unwrap()).unwrap(), expected.join(",\n"));
    }
}
