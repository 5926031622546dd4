//! What a day's input does not support of its figures.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use quoteclock_engine::{Coverage, Finished};
use quoteclock_model::Timestamp;
use quoteclock_rows::{Column, JsonRow, Local, Table, Unit};
use quoteclock_rules::DayPlan;
use std::sync::Arc;

/// One thing that an input does not support; a row of [`Coverages`].
///
/// ```
/// let registry = quoteclock::Registry::open("../../replay-data/tse-small/registry")?;
/// let day = quoteclock::replay("../../replay-data/tse-small/2024-03-01.csv", &registry)?;
/// let row = day.coverage().next().expect("of one issue there is no event");
/// assert_eq!((row.coverage.kind(), row.coverage.name()), ("silent_issue", Some("1678")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct CoverageRow {
    plan: Arc<DayPlan>,
    /// What it is.
    pub coverage: Coverage,
}

impl CoverageRow {
    /// Those of a finished day.
    ///
    /// ```
    /// use jiff::civil::date;
    /// use quoteclock_engine::{Day, DayOptions, NoRejects};
    /// use quoteclock_ledger::OpenLedger;
    ///
    /// # let registry = quoteclock::Registry::open("../../replay-data/tse-small/registry")?;
    /// let options = DayOptions { date: Some(date(2024, 3, 1)), ..DayOptions::default() };
    /// let day = Day::new(registry.tables(), options, OpenLedger::default(), NoRejects)?;
    /// let (finished, _, _) = day.finish()?;
    /// assert!(quoteclock::CoverageRow::of(&finished).any(|row| row.coverage.kind() == "nothing_to_measure"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn of(finished: &Finished) -> impl Iterator<Item = CoverageRow> + '_ {
        let row = |coverage: &Coverage| CoverageRow { plan: Arc::clone(&finished.plan), coverage: coverage.clone() };
        finished.coverage.iter().map(row)
    }

    /// The trading date.
    ///
    /// ```
    /// # let registry = quoteclock::Registry::open("../../replay-data/tse-small/registry")?;
    /// # let day = quoteclock::replay("../../replay-data/tse-small/2024-03-01.csv", &registry)?;
    /// assert!(day.coverage().all(|row| row.date() == day.date()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn date(&self) -> Date {
        self.plan.date
    }

    fn local(&self, time: impl Fn(&Coverage) -> Option<Timestamp>) -> Option<Local<'_>> {
        let zone: &TimeZone = &self.plan.zone;
        time(&self.coverage).map(|at| Local { at, zone })
    }
}

/// Rows of what a day's input does not support, in order of kind and name, for documents and the database.
///
/// # Errors
/// Never for rows of a day; those of the JSON library.
///
/// ```
/// use quoteclock::{Registry, coverage_json, replay};
///
/// let registry = Registry::open("../../replay-data/tse-small/registry")?;
/// let day = replay("../../replay-data/tse-small/2024-03-01.csv", &registry)?;
/// assert!(coverage_json(day.coverage())?.starts_with(r#"[{"date":"2024-03-01","finding":"silent_issue","name":"1678""#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn coverage_json(rows: impl IntoIterator<Item = CoverageRow>) -> serde_json::Result<String> {
    let rows: Vec<JsonRow<'_, Coverages>> = rows.into_iter().map(JsonRow).collect();
    serde_json::to_string(&rows)
}

/// `coverage`: rows are [`CoverageRow`]s.
///
/// ```
/// use quoteclock_rows::column_names;
///
/// assert!(column_names::<quoteclock::Coverages>().eq(["date", "finding", "name", "orders", "last", "session_end"]));
/// ```
#[derive(Debug)]
pub struct Coverages;

impl Table for Coverages {
    type Row<'a> = CoverageRow;
    const NAME: &'static str = "coverage";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::date("date", |row| Some(row.plan.date)),
        Column::text("finding", |row| Some(row.coverage.kind().into())),
        Column::text("name", |row| row.coverage.name().map(Into::into)),
        Column::integer("orders", Unit::Count, |row| row.coverage.orders().map(Into::into)),
        Column::instant("last", |row| {
            row.local(|coverage| match coverage {
                Coverage::EndsEarly { last, .. } => Some(*last),
                _ => None,
            })
        }),
        Column::instant("session_end", |row| {
            row.local(|coverage| match coverage {
                Coverage::EndsEarly { session_end, .. } => *session_end,
                _ => None,
            })
        }),
    ];
}
