//! What people have said about obligations of a day while it ran.

use crate::{Store, StoreError};
use jiff::civil::Date;
use quoteclock_model::Timestamp;
use rusqlite::Result;

/// A remark on one obligation of a day.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Acknowledgement {
    /// The trading date.
    pub date: Date,
    /// The market maker.
    pub market_maker: String,
    /// The issue.
    pub issue: String,
    /// The obligation.
    pub obligation: String,
    /// What was said.
    pub remark: String,
    /// The role of whoever said it.
    pub role: String,
    /// The party of whoever said it, if the role has one.
    pub party: String,
    /// Whom the token was given to.
    pub name: String,
    /// When it was said.
    pub at: Timestamp,
}

impl Store {
    /// Keeps one.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be written.
    pub fn acknowledge(&mut self, one: &Acknowledgement) -> Result<(), StoreError> {
        let Acknowledgement { date, market_maker, issue, obligation, remark, role, party, name, at } = one;
        let row = (date.to_string(), market_maker, issue, obligation, remark, role, party, name, at.as_micros());
        let kept = self.connection.execute(
            "INSERT INTO acknowledgements (date, market_maker, issue, obligation, remark, role, party, name, \
             acknowledged_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            row,
        );
        kept.map(drop).map_err(|source| StoreError::of(&self.file, "keeping an acknowledgement", source))
    }

    /// All of a date, in the order in which they were made.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn acknowledgements(&self, date: Date) -> Result<Vec<Acknowledgement>, StoreError> {
        let read = || -> Result<Vec<Acknowledgement>> {
            let mut statement = self.connection.prepare(
                "SELECT market_maker, issue, obligation, remark, role, party, name, acknowledged_us \
                 FROM acknowledgements WHERE date = ?1 ORDER BY number",
            )?;
            let rows = statement.query_map([date.to_string()], |row| {
                Ok(Acknowledgement {
                    date,
                    market_maker: row.get(0)?,
                    issue: row.get(1)?,
                    obligation: row.get(2)?,
                    remark: row.get(3)?,
                    role: row.get(4)?,
                    party: row.get(5)?,
                    name: row.get(6)?,
                    at: Timestamp::from_micros(row.get(7)?),
                })
            })?;
            rows.collect()
        };
        read().map_err(|source| StoreError::of(&self.file, "reading it", source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn what_was_said_is_kept_in_its_order_and_never_changed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("market.db");
        let said = |date, remark: &str, micros| Acknowledgement {
            date,
            market_maker: "MM1".to_owned(),
            issue: "1306".to_owned(),
            obligation: "general".to_owned(),
            remark: remark.to_owned(),
            role: "exchange".to_owned(),
            party: String::new(),
            name: "Ann".to_owned(),
            at: Timestamp::from_micros(micros),
        };
        let all = [said(date(2024, 3, 1), "second", 7), said(date(2024, 3, 1), "'; DROP TABLE days; --", 5)];
        let mut store = Store::create(&file).unwrap();
        all.iter().for_each(|one| store.acknowledge(one).unwrap());
        store.acknowledge(&said(date(2024, 3, 4), "another day", 9)).unwrap();
        let store = Store::open(&file).unwrap();
        assert_eq!(store.acknowledgements(date(2024, 3, 1)).unwrap(), all);
        assert_eq!(store.acknowledgements(date(2024, 3, 5)).unwrap(), []);
        for sql in ["UPDATE acknowledgements SET remark = ''", "DELETE FROM acknowledgements"] {
            assert!(store.connection.execute(sql, []).unwrap_err().to_string().contains("are added, never"), "{sql}");
        }
    }
}
