//! A measured day.

use crate::table::Table;
use crate::values::instant;
use jiff::civil::Date;
use pyo3::prelude::*;
use quoteclock::{Breaches, Coverages, Daily, MeasuredDay, Outages, RejectsTable};
use quoteclock_rows::escape_html;
use std::sync::Arc;

/// A measured day. Two are equal if all their figures are.
///
/// Its tables are those of ``quoteclock replay --out``, with types.
#[pyclass(frozen, module = "quoteclock")]
pub(crate) struct Day(pub(crate) Arc<MeasuredDay>);

impl Day {
    pub(crate) fn new(day: MeasuredDay) -> Day {
        Day(Arc::new(day))
    }

    fn zone_name(&self) -> &str {
        self.0.registry().tables().scheme().zone_name()
    }
}

#[pymethods]
impl Day {
    /// datetime.date : The trading date.
    #[getter]
    fn date(&self) -> Date {
        self.0.date()
    }

    /// int : The Fast Market multiplier of the date: 1, 2 or 4.
    #[getter]
    fn multiplier(&self) -> u32 {
        self.0.multiplier()
    }

    /// int : Records read, those set aside included.
    #[getter]
    fn record_count(&self) -> u64 {
        self.0.record_count()
    }

    /// int : Records set aside; ``rejects`` has the first 10,000.
    #[getter]
    fn reject_count(&self) -> u64 {
        self.0.reject_count()
    }

    /// datetime.datetime or None : Up to when it was measured, in the scheme's zone; ``None`` if to its end.
    #[getter]
    fn until<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0.until().map(|at| instant(py, at, &self.0.plan().zone)).transpose()
    }

    /// str or None : The name of the input; ``None`` of a day whose bytes were pushed.
    #[getter]
    fn input(&self) -> Option<&str> {
        self.0.origin().map(|origin| origin.input.as_str())
    }

    /// str or None : The SHA-256 of its bytes as stored, 64 hexadecimal digits, if that was taken.
    #[getter]
    fn input_sha256(&self) -> Option<String> {
        self.0.origin().and_then(|origin| origin.input_sha256).map(|sha256| sha256.to_string())
    }

    /// Table : What each obligation came to; times in microseconds, ``display_pct`` in percent.
    #[getter]
    fn daily(&self) -> Table {
        Table::new::<_, Daily>(&self.0, self.zone_name(), |day| Box::new(day.daily()))
    }

    /// Table : Every stretch in which an obligation was not met for one reason.
    #[getter]
    fn breaches(&self) -> Table {
        Table::new::<_, Breaches>(&self.0, self.zone_name(), |day| Box::new(day.breaches()))
    }

    /// Table : Breaches without a pause between them as one, with their reasons.
    #[getter]
    fn outages(&self) -> Table {
        Table::new::<_, Outages>(&self.0, self.zone_name(), |day| Box::new(day.outages()))
    }

    /// Table : What a lenient run has set aside, in the order of the input: the first 10,000.
    #[getter]
    fn rejects(&self) -> Table {
        Table::new::<_, RejectsTable>(&self.0, self.zone_name(), |day| Box::new(day.rejects().iter().cloned()))
    }

    /// Table : What the input does not support of the figures; empty where it supports them all.
    #[getter]
    fn coverage(&self) -> Table {
        Table::new::<_, Coverages>(&self.0, self.zone_name(), |day| Box::new(day.coverage()))
    }

    fn __eq__(&self, other: &Day) -> bool {
        self.0 == other.0
    }

    fn __repr__(&self) -> String {
        let (records, rejects) = (self.0.record_count(), self.0.reject_count());
        let aside = if rejects == 0 { String::new() } else { format!(", {rejects} set aside") };
        format!("<quoteclock.Day {}: {records} records{aside}>", self.0.date())
    }

    fn _repr_html_(&self) -> String {
        let day = &self.0;
        let mut html = format!("<h3>{}</h3>", day.date());
        let mut facts = vec![format!("{} records", day.record_count()), day.registry().scheme_name()];
        if 1 < day.multiplier() {
            facts.push(format!("Fast Market x{}", day.multiplier()));
        }
        if 0 < day.reject_count() {
            let records = if day.reject_count() == 1 { "bad record" } else { "bad records" };
            facts.push(format!("{} {records} set aside; the time in doubt is unknown", day.reject_count()));
        }
        if let Some(until) = day.until() {
            facts.push(format!("measured up to {}", quoteclock_report::time_of_day(until, &day.plan().zone)));
        }
        if let Some(origin) = day.origin() {
            facts.push(format!("from {}", origin.input));
        }
        html.push_str(&format!("<p>{}</p>", escape_html(&facts.join("; "))));
        html.push_str(&self.daily().html());
        if 0 < day.coverage().count() {
            html.push_str("<p>The input does not support all of it:</p>");
            html.push_str(&self.coverage().html());
        }
        html
    }
}
