//! A measured day that comes as rows, from where another program has kept them.

use crate::batch::date_text;
use crate::insert::{self, Made, Terms, Whose};
use crate::{BreachRow, DayBatch, MarketTurnoverRow, StoreError, StoredDay, TurnoverRow, checksum};
use quoteclock_ledger::{DayRow, Total};
use quoteclock_model::Timestamp;
use rusqlite::{Connection, Result};

/// All that is stored of a day, or of a shard's part of one.
#[derive(Clone, Debug)]
pub struct DayRows {
    /// What is known of the day besides its figures.
    pub day: StoredDay,
    /// The commit that the program was built from.
    pub program_commit: String,
    /// When it was measured.
    pub measured_at: Timestamp,
    /// The times of every obligation, each with the Fast Market multiplier in its limits.
    pub results: Vec<(DayRow, u32)>,
    /// Breaches.
    pub breaches: Vec<BreachRow>,
    /// What sign-ups traded and sent.
    pub turnovers: Vec<TurnoverRow>,
    /// What the market traded.
    pub market_turnovers: Vec<MarketTurnoverRow>,
}

impl DayBatch {
    /// Adds a day that comes as rows.
    ///
    /// # Errors
    /// [`StoreError`] of the file, or if a number does not fit into 64 bits.
    pub fn add_rows(&mut self, rows: &DayRows) -> std::result::Result<(), StoreError> {
        let mut write = || -> Result<()> {
            let transaction = self.connection.transaction()?;
            rows.write(&transaction)?;
            transaction.commit()
        };
        write().map_err(|source| StoreError::of(&self.file, "writing days aside", source))
    }
}

impl DayRows {
    fn write(&self, to: &Connection) -> Result<()> {
        let date = &date_text(self.day.date);
        insert::day(to, date, &self.day)?;
        let mut sum = Total::default();
        for &(ref row, multiplier) in &self.results {
            sum += row.total;
            let whose = Whose {
                date,
                market_maker: &row.market_maker,
                issue: row.issue.as_str(),
                obligation: &row.obligation.to_string(),
            };
            let DayRow { required_pct, leveraged_inverse, total, .. } = *row;
            insert::result(to, whose, Terms { required_pct, multiplier, leveraged_inverse }, total)?;
        }
        for row in &self.breaches {
            let whose = Whose {
                date,
                market_maker: &row.market_maker,
                issue: row.issue.as_str(),
                obligation: &row.obligation.to_string(),
            };
            insert::breaches(to, whose, [(row.span, &*row.reason)])?;
        }
        for row in &self.turnovers {
            insert::turnover(to, date, (&row.market_maker, row.issue.as_str()), &row.turnover)?;
        }
        insert::market_turnovers(to, date, self.market_turnovers.iter().map(|row| (&row.issue, &row.turnover)))?;
        let made = Made { program_commit: &self.program_commit, measured_at: self.measured_at };
        insert::measurement(to, date, &self.day, made, sum)?;
        checksum::write(to, date, None)
    }
}
