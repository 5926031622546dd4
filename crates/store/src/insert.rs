//! The rows of a day as they are inserted: what a table's columns are stands here once, whoever writes the day.
//!
//! Statements are prepared once in a connection: there are many rows.

use crate::batch::compressed;
use crate::wide::Wide;
use crate::{CompressedText, StoredDay};
use quoteclock_ledger::Total;
use quoteclock_model::{Executed, IssueCode, MarketTurnover, Micros, Span, Timestamp, Turnover};
use rusqlite::types::ToSql;
use rusqlite::{Connection, Error, Result, Statement, params};

/// Whose a row is.
#[derive(Clone, Copy)]
pub(crate) struct Whose<'a> {
    pub(crate) date: &'a str,
    pub(crate) market_maker: &'a str,
    pub(crate) issue: &'a str,
    pub(crate) obligation: &'a str,
}

/// The terms of an obligation on a date that its result is judged by.
pub(crate) struct Terms {
    pub(crate) required_pct: u64,
    pub(crate) multiplier: u32,
    pub(crate) leveraged_inverse: Option<bool>,
}

/// How a measurement was made.
pub(crate) struct Made<'a> {
    pub(crate) program_commit: &'a str,
    pub(crate) measured_at: Timestamp,
}

/// The day's own row, and its interpretations.
pub(crate) fn day(to: &Connection, date: &str, day: &StoredDay) -> Result<()> {
    let servers = day.servers_heard.as_ref().map(serde_json::to_string).transpose().map_err(unwritable)?;
    let sql = "INSERT INTO days (date, input, input_sha256, registry_sha256, plan_sha256, scheme, scheme_version,
        multiplier, record_count, reject_count, program_version, options, plan, coverage, until_us, servers, journal,
        journal_sha256)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)";
    to.prepare_cached(sql)?.execute(params![
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
    ])?;
    let mut insert = to.prepare_cached("INSERT INTO interpretations VALUES (?1, ?2, ?3)")?;
    day.interpretations.iter().try_for_each(|(name, value)| insert.execute((date, name, value)).map(drop))
}

/// The measurement, with the `sum` over all results; what it changes is known once it is stored.
pub(crate) fn measurement(to: &Connection, date: &str, day: &StoredDay, made: Made<'_>, sum: Total) -> Result<()> {
    let sql = "INSERT INTO measurements VALUES
        (NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, NULL, NULL, NULL, ?10, ?11, ?12, 0, 0)";
    to.prepare_cached(sql)?.execute(params![
        date,
        made.measured_at.as_micros(),
        day.program_version,
        made.program_commit,
        day.options.as_deref().unwrap_or_default(),
        day.input,
        day.input_sha256.0,
        day.registry_sha256.0,
        day.plan_sha256.0,
        micros(sum.available)?,
        micros(sum.fulfilled)?,
        micros(sum.unknown)?,
    ])?;
    Ok(())
}

/// The times of an obligation.
pub(crate) fn result(to: &Connection, whose: Whose<'_>, terms: Terms, total: Total) -> Result<()> {
    let sql = "INSERT INTO results VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    to.prepare_cached(sql)?.execute(params![
        whose.date,
        whose.market_maker,
        whose.issue,
        whose.obligation,
        number(terms.required_pct)?,
        terms.multiplier,
        micros(total.available)?,
        micros(total.fulfilled)?,
        micros(total.unknown)?,
        terms.leveraged_inverse,
    ])?;
    Ok(())
}

/// Breaches of one obligation, each with its reason.
pub(crate) fn breaches<'r>(
    to: &Connection,
    whose: Whose<'_>,
    breaches: impl IntoIterator<Item = (Span, &'r str)>,
) -> Result<()> {
    let mut insert = to.prepare_cached("INSERT INTO breaches VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?;
    // What all rows of the obligation have in common is bound once.
    bind(&mut insert, 1, [whose.date, whose.market_maker, whose.issue, whose.obligation])?;
    for (span, reason) in breaches {
        bind(&mut insert, 5, [span.start.as_micros(), span.end.as_micros()])?;
        insert.raw_bind_parameter(7, reason)?;
        insert.raw_execute()?;
    }
    Ok(())
}

/// What a sign-up traded and sent.
pub(crate) fn turnover(
    to: &Connection,
    date: &str,
    (market_maker, issue): (&str, &str),
    turnover: &Turnover,
) -> Result<()> {
    let sql = "INSERT INTO turnovers VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)";
    let mut insert = to.prepare_cached(sql)?;
    bind(&mut insert, 1, [date, market_maker, issue])?;
    insert.raw_bind_parameter(4, number(turnover.order_count)?)?;
    for (place, executed) in (5..).step_by(2).zip(turnover.executed()) {
        bind(&mut insert, place, sums(executed))?;
    }
    insert.raw_execute()?;
    Ok(())
}

/// What the market traded, by issue.
pub(crate) fn market_turnovers<'r>(
    to: &Connection,
    date: &str,
    turnovers: impl IntoIterator<Item = (&'r IssueCode, &'r MarketTurnover)>,
) -> Result<()> {
    let mut insert = to.prepare_cached("INSERT INTO market_turnovers VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
    for (issue, turnover) in turnovers {
        let ([c1, c2], [a1, a2]) = (sums(turnover.continuous), sums(turnover.auction));
        insert.execute(params![date, issue.as_str(), c1, c2, a1, a2])?;
    }
    Ok(())
}

/// Binds the values of a row from the place `first` on.
fn bind<const COUNT: usize>(insert: &mut Statement<'_>, first: usize, values: [impl ToSql; COUNT]) -> Result<()> {
    (first..).zip(values).try_for_each(|(place, value)| insert.raw_bind_parameter(place, value))
}

/// The columns of executions.
fn sums(executed: Executed) -> [Wide; 2] {
    [Wide(executed.value.0), Wide(executed.quantity)]
}

/// A number as SQLite has it; an error where 63 bits do not hold it.
fn number(number: u64) -> Result<i64> {
    i64::try_from(number).map_err(unwritable)
}

fn micros(micros: Micros) -> Result<i64> {
    number(micros.0)
}

/// An error of a value that cannot be written.
pub(crate) fn unwritable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::ToSqlConversionFailure(Box::new(error))
}
