//! The days of one run, written aside until all of them are measured.

use crate::checksum::Checksum;
use crate::insert::{self, Made, Terms, Whose, unwritable};
use crate::{CompressedText, Digest, StoreError, StoredDay, checksum, connect, schema};
use jiff::civil::Date;
use quoteclock_ledger::{DayLedger, Total};
use quoteclock_model::{DayTurnover, Timestamp};
use quoteclock_obligation::ObligationIndex;
use quoteclock_rules::DayPlan;
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use std::path::{Path, PathBuf};
use std::thread;

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
        let mut add = || -> rusqlite::Result<()> {
            let transaction = connection.transaction()?;
            let date = date_text(day.plan.date);
            if transaction.prepare_cached("SELECT 1 FROM days WHERE date = ?1")?.exists([&date])? {
                return Ok(());
            }
            write(&transaction, &date, day, whole)?;
            transaction.commit()
        };
        add().map_err(|source| StoreError::of(file, "writing days aside", source))
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
    Ok(CompressedText::of(text).map_err(unwritable)?.bytes().to_vec())
}

/// A date as the file has it.
pub(crate) fn date_text(date: Date) -> String {
    date.to_string()
}

/// Writes a day, or a shard's part of the `whole` of it.
fn write(to: &Connection, date: &str, day: DayToStore<'_>, whole: &DayPlan) -> rusqlite::Result<()> {
    // Breaches are most of a day, and are summed while they are written; by reading them back where there is no thread.
    thread::scope(|scope| {
        let sum = thread::Builder::new().spawn_scoped(scope, || breaches_sum(date, day)).ok();
        rows(to, date, day, whole)?;
        checksum::write(to, date, sum.map(|sum| sum.join().expect("it does not panic")))
    })
}

/// Writes the rows of a day, or of a shard's part of the `whole` of it.
fn rows(to: &Connection, date: &str, day: DayToStore<'_>, whole: &DayPlan) -> rusqlite::Result<()> {
    let DayToStore { plan, ledger, turnover, provenance } = day;
    let stored = stored(whole, provenance)?;
    insert::day(to, date, &stored)?;
    let (mut obligations, mut sum) = (0.., Total::default());
    for (sign_up, turnover) in plan.sign_ups.iter().zip(&turnover.sign_ups) {
        let (market_maker, issue) = (&*sign_up.market_maker, sign_up.issue.as_str());
        for (obligation, index) in sign_up.obligations.iter().zip(&mut obligations) {
            let (index, id) = (ObligationIndex(index), obligation.id.to_string());
            let whose = Whose { date, market_maker, issue, obligation: &id };
            let terms = Terms {
                required_pct: obligation.required.pct,
                multiplier: obligation.multiplier,
                leveraged_inverse: Some(sign_up.leveraged_inverse),
            };
            let total = ledger.total(index);
            sum += total;
            insert::result(to, whose, terms, total)?;
            let breaches = ledger.breaches(index).iter().map(|breach| (breach.span, breach.reason.as_str()));
            insert::breaches(to, whose, breaches)?;
        }
        insert::turnover(to, date, (market_maker, issue), turnover)?;
    }
    insert::market_turnovers(to, date, &turnover.issues)?;
    let made = Made { program_commit: &provenance.program_commit, measured_at: provenance.measured_at };
    insert::measurement(to, date, &stored, made, sum)
}

/// The checksum of a day's breaches as they will be stored, in the order of their keys.
fn breaches_sum(date: &str, day: DayToStore<'_>) -> Digest {
    let mut obligations = (0..).map(ObligationIndex);
    let mut keys: Vec<(&str, &str, String, ObligationIndex)> = Vec::new();
    for sign_up in &day.plan.sign_ups {
        for (obligation, index) in sign_up.obligations.iter().zip(&mut obligations) {
            keys.push((&sign_up.market_maker, sign_up.issue.as_str(), obligation.id.to_string(), index));
        }
    }
    keys.sort();
    let mut sum = Checksum::default();
    for (market_maker, issue, obligation, index) in keys {
        let key = [date, market_maker, issue, &obligation].map(|text| ValueRef::Text(text.as_bytes()));
        for breach in day.ledger.breaches(index) {
            let span = [breach.span.start, breach.span.end].map(|time| ValueRef::Integer(time.as_micros()));
            let reason = ValueRef::Text(breach.reason.as_str().as_bytes());
            sum.values(key.into_iter().chain(span).chain([reason]));
        }
    }
    sum.digest()
}

/// What is known of a day besides its figures.
fn stored(plan: &DayPlan, provenance: &Provenance) -> rusqlite::Result<StoredDay> {
    let canonical = plan.canonical();
    Ok(StoredDay {
        date: plan.date,
        input: provenance.input.clone(),
        input_sha256: provenance.input_sha256,
        registry_sha256: provenance.registry_sha256,
        plan_sha256: Digest::of(canonical.as_bytes()),
        scheme: provenance.scheme.clone(),
        scheme_version: provenance.scheme_version.clone(),
        interpretations: provenance.interpretations.clone(),
        multiplier: plan.multiplier,
        record_count: provenance.record_count,
        reject_count: provenance.reject_count,
        coverage: Some(provenance.coverage.clone()),
        until: provenance.until,
        program_version: provenance.program_version.clone(),
        options: Some(provenance.options.clone()),
        plan: Some(CompressedText::of(&canonical).map_err(unwritable)?),
        servers_heard: Some(provenance.servers_heard.clone()),
        journal: provenance.journal.clone(),
    })
}
