//! What a measurement changes of what was stored of its date.

use crate::read::result_row;
use jiff::civil::Date;
use quoteclock_ledger::DayRow;
use quoteclock_model::{IssueCode, ObligationId};
use rusqlite::{Connection, Result};
use std::collections::BTreeMap;

/// A stored day in whose place another measurement has come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Replaced {
    /// The date.
    pub date: Date,
    /// The results that differ, by market maker, issue and obligation.
    pub changes: Vec<Change>,
}

/// One result that differs; one of the two may not be there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// As it was stored.
    pub before: Option<DayRow>,
    /// As it is now.
    pub after: Option<DayRow>,
}

impl Change {
    /// Whether the day by itself has its share where it had not, or the other way round.
    pub fn turns_status(&self) -> bool {
        let share = |row: &Option<DayRow>| row.as_ref().and_then(DayRow::has_share);
        share(&self.before) != share(&self.after)
    }

    /// The result, as it is now or, where there is none any more, as it was.
    pub fn row(&self) -> Option<&DayRow> {
        self.after.as_ref().or(self.before.as_ref())
    }
}

/// A count as SQLite has it.
fn count(count: usize) -> i64 {
    i64::try_from(count).expect("fewer results than 63 bits count")
}

type Results = BTreeMap<(String, IssueCode, ObligationId), DayRow>;

fn results(connection: &Connection, database: &str, date: &str) -> Result<Results> {
    let mut statement = connection.prepare_cached(&format!("SELECT * FROM {database}.results WHERE date = ?1"))?;
    let mut rows = statement.query([date])?;
    let mut results = Results::new();
    while let Some(row) = rows.next()? {
        let row = result_row(row)?;
        results.insert((row.market_maker.clone(), row.issue.clone(), row.obligation.clone()), row);
    }
    Ok(results)
}

/// What the attached batch changes of the dates that are stored already, and writes each of its measurements down.
pub(crate) fn record(connection: &Connection) -> Result<Vec<Replaced>> {
    let dates =
        |sql: &str| -> Result<Vec<String>> { connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect() };
    let stored = dates("SELECT date FROM main.days WHERE date IN (SELECT date FROM batch.days) ORDER BY date")?;
    let mut replaced = Vec::new();
    for date in dates("SELECT date FROM batch.days ORDER BY date")? {
        let was_stored = stored.contains(&date);
        let mut changes = Vec::new();
        if was_stored {
            changes = changed(results(connection, "main", &date)?, results(connection, "batch", &date)?);
        }
        let turned = changes.iter().filter(|change| change.turns_status()).count();
        connection.execute(
            "INSERT INTO main.measurements
             SELECT NULL, date, measured_at_us, program_version, program_commit, options, input, input_sha256,
                 registry_sha256, plan_sha256,
                 (SELECT sum(available_us) FROM main.results WHERE date = ?1),
                 (SELECT sum(fulfilled_us) FROM main.results WHERE date = ?1),
                 (SELECT sum(unknown_us) FROM main.results WHERE date = ?1),
                 available_us, fulfilled_us, unknown_us, ?2, ?3
             FROM batch.measurements WHERE date = ?1",
            (&date, count(changes.len()), count(turned)),
        )?;
        if let (true, Ok(date)) = (was_stored, date.parse()) {
            replaced.push(Replaced { date, changes });
        }
    }
    Ok(replaced)
}

fn changed(mut before: Results, after: Results) -> Vec<Change> {
    let mut changes: BTreeMap<_, Change> = BTreeMap::new();
    for (key, row) in after {
        let old = before.remove(&key);
        if old.as_ref().is_none_or(|old| (old.total, old.required_pct) != (row.total, row.required_pct)) {
            changes.insert(key, Change { before: old, after: Some(row) });
        }
    }
    changes.extend(before.into_iter().map(|(key, row)| (key, Change { before: Some(row), after: None })));
    changes.into_values().collect()
}
