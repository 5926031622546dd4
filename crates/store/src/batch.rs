//! The days of one run, written aside until all of them are measured.

use crate::wide::Wide;
use crate::{CompressedText, Digest, StoreError, checksum, connect, schema};
use jiff::civil::Date;
use quoteclock_ledger::{DayLedger, Total};
use quoteclock_model::{ByCounterparty, DayTurnover, Executed, Micros, Timestamp, Turnover};
use quoteclock_obligation::ObligationIndex;
use quoteclock_rules::{DayPlan, ObligationPlan, SignUpPlan};
use rusqlite::{CachedStatement, Connection, Transaction, params};
use std::path::{Path, PathBuf};

/// The file that a running day was written down in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredJournal {
    /// Its name, without the folder.
    pub name: String,
    /// Of its bytes.
    pub sha256: Digest,
}

/// Where a day's figures come from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Provenance {
    /// The name of the input.
    pub input: String,
    /// Of the input's bytes as stored.
    pub input_sha256: Digest,
    /// Of the registry's files.
    pub registry_sha256: Digest,
    /// The name of the scheme.
    pub scheme: String,
    /// Its version.
    pub scheme_version: String,
    /// Every interpretation and its value.
    pub interpretations: Vec<(String, String)>,
    /// Records read, bad ones included.
    pub record_count: u64,
    /// Records set aside.
    pub reject_count: u64,
    /// What the input does not support of the figures: a JSON list, empty where it supports them all.
    pub coverage: String,
    /// The servers that added an order, sorted.
    pub servers_heard: Vec<String>,
    /// Up to when the day was measured, if not to its end.
    pub until: Option<Timestamp>,
    /// The version of this program.
    pub program_version: String,
    /// The commit that it was built from, `unknown` without one.
    pub program_commit: String,
    /// The options that alter what is measured, as the command has them: `--allow-gaps --lenient`.
    pub options: String,
    /// The journal of a day that was measured as it came.
    pub journal: Option<StoredJournal>,
    /// When it was measured, by the machine's clock.
    pub measured_at: Timestamp,
}

/// Everything that is stored of a day.
#[derive(Clone, Copy, Debug)]
pub struct DayToStore<'a> {
    /// What was measured.
    pub plan: &'a DayPlan,
    /// Times and breaches.
    pub ledger: &'a DayLedger,
    /// Executions and orders.
    pub turnover: &'a DayTurnover,
    /// Where it comes from.
    pub provenance: &'a Provenance,
}

/// Days written aside: a database that only this run sees.
#[derive(Debug)]
pub struct DayBatch {
    pub(crate) connection: Connection,
    pub(crate) file: PathBuf,
}

impl DayBatch {
    /// An empty batch in a new file, which is the caller's to remove.
    ///
    /// # Errors
    /// [`StoreError`] of the file.
    pub fn create(file: &Path) -> Result<DayBatch, StoreError> {
        let error = |source| StoreError::of(file, "writing days aside", source);
        let connection = Connection::open(connect::plain(file)).map_err(error)?;
        schema::prepare_scratch(&connection).map_err(error)?;
        Ok(DayBatch { connection, file: file.to_owned() })
    }

    /// A batch that was written before.
    ///
    /// # Errors
    /// [`StoreError`] of the file.
    pub fn reopen(file: &Path) -> Result<DayBatch, StoreError> {
        let error = |source| StoreError::of(file, "reading days that were written aside", source);
        let connection = Connection::open(connect::plain(file)).map_err(error)?;
        Ok(DayBatch { connection, file: file.to_owned() })
    }

    /// Adds a day; one whose date is there already is left out. Two days of one date are for the caller to refuse.
    ///
    /// # Errors
    /// [`StoreError`] of the file.
    pub fn add(&mut self, day: DayToStore<'_>) -> Result<(), StoreError> {
        self.add_part(day, day.plan)
    }

    /// Adds the part of a day that a shard has measured; the day is known by the plan of the `whole` of it.
    ///
    /// # Errors
    /// [`StoreError`] of the file.
    pub fn add_part(&mut self, day: DayToStore<'_>, whole: &DayPlan) -> Result<(), StoreError> {
        let DayBatch { connection, file } = self;
        let mut write = || -> rusqlite::Result<()> {
            let transaction = connection.transaction()?;
            let date = date_text(day.plan.date);
            if transaction.prepare_cached("SELECT 1 FROM days WHERE date = ?1")?.exists([&date])? {
                return Ok(());
            }
            DayWriter { to: &transaction, date, day, whole }.write()?;
            transaction.commit()
        };
        write().map_err(|source| StoreError::of(file, "writing days aside", source))
    }

    /// Closes the batch: its file.
    pub(crate) fn finish(self) -> Result<PathBuf, StoreError> {
        let DayBatch { connection, file } = self;
        let closed = connection.close();
        closed.map_err(|(_, source)| StoreError::of(&file, "writing days aside", source))?;
        Ok(file)
    }
}

pub(crate) fn compressed(text: &str) -> rusqlite::Result<Vec<u8>> {
    let compressed =
        CompressedText::of(text).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    Ok(compressed.bytes().to_vec())
}

/// A date as the file has it.
pub(crate) fn date_text(date: Date) -> String {
    date.to_string()
}

/// Writes the rows of one day.
struct DayWriter<'a, 'c> {
    to: &'a Transaction<'c>,
    date: String,
    day: DayToStore<'a>,
    whole: &'a DayPlan,
}

impl DayWriter<'_, '_> {
    fn write(&self) -> rusqlite::Result<()> {
        self.day_row()?;
        self.interpretations()?;
        let mut obligations = 0..;
        for (sign_up, turnover) in self.day.plan.sign_ups.iter().zip(&self.day.turnover.sign_ups) {
            for (obligation, index) in sign_up.obligations.iter().zip(&mut obligations) {
                let index = ObligationIndex(index);
                self.result(sign_up, obligation, self.day.ledger.total(index))?;
                self.breaches(sign_up, obligation, index)?;
            }
            self.turnover(sign_up, turnover)?;
        }
        self.market_turnovers()?;
        self.measurement()?;
        checksum::write(self.to, &self.date)
    }

    fn prepare(&self, sql: &str) -> rusqlite::Result<CachedStatement<'_>> {
        self.to.prepare_cached(sql)
    }

    fn day_row(&self) -> rusqlite::Result<()> {
        let (plan, provenance) = (self.whole, self.day.provenance);
        let canonical = plan.canonical();
        let servers = serde_json::to_string(&provenance.servers_heard)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        let sql = "INSERT INTO days (date, input, input_sha256, registry_sha256, plan_sha256, scheme, scheme_version, multiplier,
            record_count, reject_count, program_version, options, plan, coverage, until_us, servers, journal,
            journal_sha256)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)";
        self.prepare(sql)?.execute(params![
            self.date,
            provenance.input,
            provenance.input_sha256.0,
            provenance.registry_sha256.0,
            Digest::of(canonical.as_bytes()).0,
            provenance.scheme,
            provenance.scheme_version,
            plan.multiplier,
            count(provenance.record_count),
            count(provenance.reject_count),
            provenance.program_version,
            provenance.options,
            compressed(&canonical)?,
            provenance.coverage,
            provenance.until.map(Timestamp::as_micros),
            compressed(&servers)?,
            provenance.journal.as_ref().map(|journal| &journal.name),
            provenance.journal.as_ref().map(|journal| journal.sha256.0),
        ])?;
        Ok(())
    }

    /// The measurement, with the sums over all results; what it changes is known once it is stored.
    fn measurement(&self) -> rusqlite::Result<()> {
        let DayToStore { plan, ledger, provenance, .. } = self.day;
        let count_of = |sign_up: &SignUpPlan| sign_up.obligations.len();
        let mut sum = Total::default();
        for index in (0..).take(plan.sign_ups.iter().map(count_of).sum()) {
            sum += ledger.total(ObligationIndex(index));
        }
        let sql = "INSERT INTO measurements VALUES
            (NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, NULL, NULL, NULL, ?10, ?11, ?12, 0, 0)";
        self.prepare(sql)?.execute(params![
            self.date,
            provenance.measured_at.as_micros(),
            provenance.program_version,
            provenance.program_commit,
            provenance.options,
            provenance.input,
            provenance.input_sha256.0,
            provenance.registry_sha256.0,
            Digest::of_plan(self.whole).0,
            micros(sum.available),
            micros(sum.fulfilled),
            micros(sum.unknown),
        ])?;
        Ok(())
    }

    fn interpretations(&self) -> rusqlite::Result<()> {
        let mut insert = self.prepare("INSERT INTO interpretations VALUES (?1, ?2, ?3)")?;
        for (name, value) in &self.day.provenance.interpretations {
            insert.execute(params![self.date, name, value])?;
        }
        Ok(())
    }

    fn result(&self, sign_up: &SignUpPlan, obligation: &ObligationPlan, total: Total) -> rusqlite::Result<()> {
        self.prepare("INSERT INTO results VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")?.execute(params![
            self.date,
            sign_up.market_maker,
            sign_up.issue.as_str(),
            obligation.id.to_string(),
            count(obligation.required.pct),
            obligation.multiplier,
            micros(total.available),
            micros(total.fulfilled),
            micros(total.unknown),
            sign_up.leveraged_inverse,
        ])?;
        Ok(())
    }

    fn breaches(
        &self,
        sign_up: &SignUpPlan,
        obligation: &ObligationPlan,
        index: ObligationIndex,
    ) -> rusqlite::Result<()> {
        let mut insert = self.prepare("INSERT INTO breaches VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?;
        // What all rows of the obligation have in common is bound once.
        insert.raw_bind_parameter(1, &self.date)?;
        insert.raw_bind_parameter(2, &sign_up.market_maker)?;
        insert.raw_bind_parameter(3, sign_up.issue.as_str())?;
        insert.raw_bind_parameter(4, obligation.id.to_string())?;
        for breach in self.day.ledger.breaches(index) {
            insert.raw_bind_parameter(5, breach.span.start.as_micros())?;
            insert.raw_bind_parameter(6, breach.span.end.as_micros())?;
            insert.raw_bind_parameter(7, breach.reason.as_str())?;
            insert.raw_execute()?;
        }
        Ok(())
    }

    fn turnover(&self, sign_up: &SignUpPlan, turnover: &Turnover) -> rusqlite::Result<()> {
        let sql =
            "INSERT INTO turnovers VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)";
        let [c1, c2, c3, c4, c5, c6] = sums(&turnover.continuous);
        let [a1, a2, a3, a4, a5, a6] = sums(&turnover.auction);
        let (market_maker, issue) = (&sign_up.market_maker, sign_up.issue.as_str());
        let order_count = count(turnover.order_count);
        self.prepare(sql)?.execute(params![
            self.date,
            market_maker,
            issue,
            order_count,
            c1,
            c2,
            c3,
            c4,
            c5,
            c6,
            a1,
            a2,
            a3,
            a4,
            a5,
            a6
        ])?;
        Ok(())
    }

    fn market_turnovers(&self) -> rusqlite::Result<()> {
        let mut insert = self.prepare("INSERT INTO market_turnovers VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
        for (issue, turnover) in &self.day.turnover.issues {
            let ([c1, c2], [a1, a2]) = (sum(turnover.continuous), sum(turnover.auction));
            insert.execute(params![self.date, issue.as_str(), c1, c2, a1, a2])?;
        }
        Ok(())
    }
}

fn sums(by: &ByCounterparty) -> [Wide; 6] {
    let ([a, b], [c, d], [e, f]) = (sum(by.market_maker), sum(by.other), sum(by.unnamed));
    [a, b, c, d, e, f]
}

fn sum(executed: Executed) -> [Wide; 2] {
    [Wide(executed.value.0), Wide(executed.quantity)]
}

/// A count as SQLite has it.
fn count(count: u64) -> i64 {
    i64::try_from(count).expect("nothing is counted that far")
}

fn micros(micros: Micros) -> i64 {
    count(micros.0)
}
