//! Months whose report has gone out.

use crate::{Digest, Store, StoreError};
use jiff::civil::Date;
use rusqlite::{Result, TransactionBehavior};
use std::collections::BTreeMap;
use std::fmt;

/// A report that has gone out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Closing {
    /// The first date of its month.
    pub month: Date,
    /// From 1, one more each time that the report goes out with other figures.
    pub revision: u32,
    /// The date on which it went out, in the scheme's zone.
    pub closed_on: Date,
    /// Of the report's files.
    pub report_sha256: Digest,
}

/// `2024-03`.
fn month_text(month: Date) -> String {
    month.strftime("%Y-%m").to_string()
}

/// Days that are stored anew although the report of their month has gone out.
///
/// ```
/// use quoteclock_store::{Closing, Digest, StoredAfter};
///
/// let (month, closed_on, report_sha256) = ("2024-03-01".parse()?, "2024-04-02".parse()?, Digest::of(b"its files"));
/// let closing = Closing { month, revision: 1, closed_on, report_sha256 };
/// let after = StoredAfter { closing, dates: vec!["2024-03-04".parse()?] };
/// assert!(after.to_string().starts_with("the report of 2024-03 has gone out (revision 1 of 2024-04-02), and 2024-03-04 is"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredAfter {
    /// The last report that has.
    pub closing: Closing,
    /// The days.
    pub dates: Vec<Date>,
}

/// What whoever stores the days is to be told.
impl fmt::Display for StoredAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let StoredAfter { closing: Closing { month, revision, closed_on, .. }, dates } = self;
        let month = month_text(*month);
        write!(f, "the report of {month} has gone out (revision {revision} of {closed_on}), and ")?;
        match dates.as_slice() {
            [date] => write!(f, "{date} is")?,
            dates => write!(f, "{} days are", dates.len())?,
        }
        f.write_str(" of it stored anew: `quoteclock report` says whether it still stands")
    }
}

impl Store {
    /// The last revision of a month's report that has gone out.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn last_closing(&self, month: Date) -> Result<Option<Closing>, StoreError> {
        self.closing_under(month.first_of_month(), u32::MAX)
    }

    /// The revision before one; nothing before the first.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn closing_before(&self, closing: &Closing) -> Result<Option<Closing>, StoreError> {
        self.closing_under(closing.month, closing.revision)
    }

    /// The last revision with a lower number.
    fn closing_under(&self, month: Date, revision: u32) -> Result<Option<Closing>, StoreError> {
        let read = || -> Result<Option<Closing>> {
            let mut statement = self.connection.prepare(
                "SELECT revision, closed_on, report_sha256 FROM closings WHERE month = ?1 AND revision < ?2 \
                 ORDER BY revision DESC LIMIT 1",
            )?;
            let mut rows = statement.query((month_text(month), revision))?;
            let Some(row) = rows.next()? else { return Ok(None) };
            let closed_on: String = row.get(1)?;
            Ok(Some(Closing {
                month,
                revision: row.get(0)?,
                closed_on: closed_on.parse().unwrap_or_default(),
                report_sha256: Digest(row.get(2)?),
            }))
        };
        read().map_err(|source| StoreError::of(&self.file, "reading it", source))
    }

    /// Of some days, those whose month's report has gone out, by month.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn stored_after_closing(&self, dates: impl IntoIterator<Item = Date>) -> Result<Vec<StoredAfter>, StoreError> {
        let mut months: BTreeMap<Date, Vec<Date>> = BTreeMap::new();
        for date in dates {
            months.entry(date.first_of_month()).or_default().push(date);
        }
        let mut all = Vec::new();
        for (month, dates) in months {
            let closing = self.last_closing(month)?;
            all.extend(closing.map(|closing| StoredAfter { closing, dates }));
        }
        Ok(all)
    }

    /// The tables of a report as they went out, by path.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn closed_papers(&self, closing: &Closing) -> Result<BTreeMap<String, String>, StoreError> {
        let read = || -> Result<BTreeMap<String, String>> {
            let sql = "SELECT path, csv FROM closed_papers WHERE month = ?1 AND revision = ?2";
            let mut statement = self.connection.prepare(sql)?;
            let key = (month_text(closing.month), closing.revision);
            statement.query_map(key, |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        };
        read().map_err(|source| StoreError::of(&self.file, "reading it", source))
    }

    /// Writes down that a report has gone out, with its tables by path: all of it or nothing. When nothing is left but to
    /// commit, `about_to_commit` is called.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be written, or the revision is there already.
    pub fn close_month(
        &mut self,
        closing: &Closing,
        papers: &BTreeMap<String, String>,
        about_to_commit: impl FnOnce(),
    ) -> Result<(), StoreError> {
        let write = || -> Result<()> {
            let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let month = month_text(closing.month);
            let row = (&month, closing.revision, closing.closed_on.to_string(), closing.report_sha256.0);
            transaction.execute("INSERT INTO closings VALUES (?1, ?2, ?3, ?4)", row)?;
            let mut insert = transaction.prepare("INSERT INTO closed_papers VALUES (?1, ?2, ?3, ?4)")?;
            for (path, csv) in papers {
                insert.execute((&month, closing.revision, path, csv))?;
            }
            drop(insert);
            about_to_commit();
            transaction.commit()
        };
        write().map_err(|source| StoreError::of(&self.file, "closing a month", source))
    }
}
