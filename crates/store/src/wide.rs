//! Sums wider than the 64 bits of an SQLite integer: exact all the same.
//!
//! Any sum of a real market fits and is an integer; one that does not (a file may hold trades of 10^21 yen each) is
//! written as decimal digits. Rounding or refusing it would be wrong, and text for all would keep SQL from adding them up.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, Value, ValueRef};

/// A sum.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Wide(pub(crate) u128);

impl ToSql for Wide {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let value = match i64::try_from(self.0) {
            Ok(integer) => Value::Integer(integer),
            Err(_) => Value::Text(self.0.to_string()),
        };
        Ok(ToSqlOutput::Owned(value))
    }
}

impl FromSql for Wide {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let number = match value {
            ValueRef::Integer(integer) => u128::try_from(integer).ok(),
            ValueRef::Text(digits) => std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()),
            _ => None,
        };
        number.map(Wide).ok_or(FromSqlError::InvalidType)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;

    #[test]
    fn sums_of_any_size_come_back_exactly() {
        let connection = Connection::open_in_memory().unwrap();
        let largest = u128::try_from(i64::MAX).unwrap();
        for (sum, kind) in [(0, "integer"), (largest, "integer"), (largest + 1, "text"), (u128::MAX, "text")] {
            let query = "SELECT ?1, typeof(?1)";
            let found: (Wide, String) =
                connection.query_row(query, [Wide(sum)], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
            assert_eq!(found, (Wide(sum), kind.to_owned()));
        }
    }
}
