//! A measured day that comes as rows, from where another program has kept them.

use crate::batch::{compressed, date_text};
use crate::wide::Wide;
use crate::{BreachRow, CompressedText, DayBatch, MarketTurnoverRow, StoreError, StoredDay, TurnoverRow, checksum};
use quoteclock_ledger::{DayRow, Total};
use quoteclock_model::{Executed, Micros, Timestamp};
use rusqlite::{Connection, Result, ToSql, params};

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

/// A number as SQLite has it; an error where 63 bits do not hold it.
fn number(number: u64) -> Result<i64> {
    i64::try_from(number).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

fn micros(micros: Micros) -> Result<i64> {
    number(micros.0)
}

fn wide(executed: Executed) -> [Wide; 2] {
    [Wide(executed.value.0), Wide(executed.quantity)]
}

impl DayRows {
    fn write(&self, to: &Connection) -> Result<()> {
        let date = date_text(self.day.date);
        self.write_day(to, &date)?;
        for (name, value) in &self.day.interpretations {
            to.prepare_cached("INSERT INTO interpretations VALUES (?1, ?2, ?3)")?.execute((&date, name, value))?;
        }
        let mut sum = Total::default();
        for (row, multiplier) in &self.results {
            sum += row.total;
            let sql = "INSERT INTO results VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
            to.prepare_cached(sql)?.execute(params![
                date,
                row.market_maker,
                row.issue.as_str(),
                row.obligation.to_string(),
                number(row.required_pct)?,
                multiplier,
                micros(row.total.available)?,
                micros(row.total.fulfilled)?,
                micros(row.total.unknown)?,
                row.leveraged_inverse,
            ])?;
        }
        for row in &self.breaches {
            to.prepare_cached("INSERT INTO breaches VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?.execute(params![
                date,
                row.market_maker,
                row.issue.as_str(),
                row.obligation.to_string(),
                row.span.start.as_micros(),
                row.span.end.as_micros(),
                row.reason,
            ])?;
        }
        self.write_turnovers(to, &date)?;
        let StoredDay { program_version, options, input, .. } = &self.day;
        let sql = "INSERT INTO measurements VALUES
            (NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, NULL, NULL, NULL, ?10, ?11, ?12, 0, 0)";
        to.execute(
            sql,
            params![
                date,
                self.measured_at.as_micros(),
                program_version,
                self.program_commit,
                options.as_deref().unwrap_or_default(),
                input,
                self.day.input_sha256.0,
                self.day.registry_sha256.0,
                self.day.plan_sha256.0,
                micros(sum.available)?,
                micros(sum.fulfilled)?,
                micros(sum.unknown)?,
            ],
        )?;
        checksum::write(to, &date)
    }

    fn write_turnovers(&self, to: &Connection, date: &str) -> Result<()> {
        for row in &self.turnovers {
            let sums = [row.turnover.continuous, row.turnover.auction]
                .map(|by| [by.market_maker, by.other, by.unnamed].map(wide).concat())
                .concat();
            let order_count = number(row.turnover.order_count)?;
            let issue = row.issue.as_str();
            let mut values: Vec<&dyn ToSql> = vec![&date, &row.market_maker, &issue, &order_count];
            values.extend(sums.iter().map(|sum| sum as &dyn ToSql));
            let sql =
                "INSERT INTO turnovers VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)";
            to.prepare_cached(sql)?.execute(values.as_slice())?;
        }
        for row in &self.market_turnovers {
            let ([c1, c2], [a1, a2]) = (wide(row.turnover.continuous), wide(row.turnover.auction));
            to.prepare_cached("INSERT INTO market_turnovers VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?.execute(params![
                date,
                row.issue.as_str(),
                c1,
                c2,
                a1,
                a2
            ])?;
        }
        Ok(())
    }

    fn write_day(&self, to: &Connection, date: &str) -> Result<()> {
        let day = &self.day;
        let servers = day.servers_heard.as_ref().map(serde_json::to_string).transpose();
        let servers = servers.map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        let sql = "INSERT INTO days (date, input, input_sha256, registry_sha256, plan_sha256, scheme, scheme_version, multiplier,
            record_count, reject_count, program_version, options, plan, coverage, until_us, servers, journal,
            journal_sha256)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)";
        to.execute(
            sql,
            params![
                date,
                day.input,
                day.input_sha256.0,
                day.registry_sha256.0,
                day.plan_sha256.0,
                day.scheme,
                day.scheme_version,
                day.multiplier,
                number(day.record_count)?,
                number(day.reject_count)?,
                day.program_version,
                day.options,
                day.plan.as_ref().map(CompressedText::bytes),
                day.coverage,
                day.until.map(Timestamp::as_micros),
                servers.as_deref().map(compressed).transpose()?,
                day.journal.as_ref().map(|journal| &journal.name),
                day.journal.as_ref().map(|journal| journal.sha256.0),
            ],
        )?;
        Ok(())
    }
}
