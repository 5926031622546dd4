//! `quoteclock.Store`: measured days kept, and months settled.

use crate::day::Day;
use crate::errors::{self, argument};
use crate::registry::Registry;
use crate::table::Table;
use jiff::civil::Date;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use quoteclock::{Month, Outlook, Program};
use quoteclock_report::money::{Conditions, Incentives, Payments, Recommendations, Tiers};
use quoteclock_report::{Criteria, MarketMakers, Monthly, Statuses};
use quoteclock_rows::escape_html;
use std::path::PathBuf;
use std::sync::Arc;

/// A file of measured days, the same that the command's ``--db`` names.
///
/// Parameters
/// ----------
/// file : path
///     It need not be there before a day is added.
///
/// Notes
/// -----
/// The file is opened for each call and nothing is held between two: several threads may use one store, and the command the
/// same file.
///
/// Examples
/// --------
/// >>> store = qc.Store("march.db")
/// >>> store.add(qc.replay("2024-03-01.csv", qc.Registry("registry")))
/// >>> report = store.report("2024-03", qc.Registry("registry"))
/// >>> report.is_complete, len(report.days_missing), len(report.monthly)
/// (False, 19, 17)
#[pyclass(frozen, module = "quoteclock")]
pub(crate) struct Store(quoteclock::Store);

fn month(text: &str) -> PyResult<Month> {
    text.parse().map_err(|problem: String| argument("month", problem))
}

#[pymethods]
impl Store {
    #[new]
    fn new(file: PathBuf) -> Store {
        Store(quoteclock::Store::at(file))
    }

    /// str : The file.
    #[getter]
    fn file(&self) -> String {
        self.0.file().display().to_string()
    }

    /// Keep a day, whole or not at all, in place of what was stored of its date.
    ///
    /// Parameters
    /// ----------
    /// day : Day
    ///     Of a `replay` whose input was hashed. The files beside it are named with their hashes, so that the command's ``--changed``
    ///     finds them again.
    ///
    /// Returns
    /// -------
    /// int or None
    ///     How many results differ from those stored before; ``None`` if the date was not stored.
    ///
    /// Raises
    /// ------
    /// StoreError
    ///     Then nothing has changed.
    ///
    /// Warns
    /// -----
    /// UserWarning
    ///     If the report of its month has gone out before.
    fn add(&self, py: Python<'_>, day: &Day) -> PyResult<Option<usize>> {
        let program =
            Program { version: env!("CARGO_PKG_VERSION").to_owned(), commit: env!("QUOTECLOCK_COMMIT").to_owned() };
        let added = py.detach(|| self.0.add(&day.0, &program));
        let added = added.map_err(|error| errors::of_add(py, self.0.file(), &error))?;
        if let Some(after) = added.after {
            py.import("warnings")?.call_method1("warn", (after.to_string(),))?;
        }
        Ok(added.replaced.map(|day| day.changes.len()))
    }

    /// Return the stored days of a month, in order.
    ///
    /// Parameters
    /// ----------
    /// month : str
    ///     Such as ``"2024-03"``.
    ///
    /// Returns
    /// -------
    /// list of dict
    ///     ``date``, ``input``, ``input_sha256``, ``registry_sha256``, ``record_count``, ``reject_count``, ``program_version``.
    fn days<'py>(&self, py: Python<'py>, month: &str) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let month = self::month(month)?;
        let days = py.detach(|| self.0.days(month)).map_err(|error| errors::of_store(py, self.0.file(), &error))?;
        let day = |day: &quoteclock::StoredDay| {
            let members = PyDict::new(py);
            members.set_item("date", day.date)?;
            members.set_item("input", &day.input)?;
            members.set_item("input_sha256", day.input_sha256.to_string())?;
            members.set_item("registry_sha256", day.registry_sha256.to_string())?;
            members.set_item("record_count", day.record_count)?;
            members.set_item("reject_count", day.reject_count)?;
            members.set_item("program_version", &day.program_version)?;
            Ok(members)
        };
        days.iter().map(day).collect()
    }

    /// Settle a month: which obligations were met, and what follows for each market maker.
    ///
    /// Parameters
    /// ----------
    /// month : str
    ///     Such as ``"2024-03"``.
    /// registry : Registry
    ///     Who had to quote what.
    /// as_measured : bool
    ///     Take days as they were measured, though the registry would measure some otherwise now; the notes name them.
    ///
    /// Returns
    /// -------
    /// Report
    ///
    /// Raises
    /// ------
    /// RegistryChangedError
    ///     If the registry would measure stored days otherwise now.
    /// StoreError
    ///     If the file cannot be read.
    #[pyo3(signature = (month, registry, *, as_measured=false))]
    fn report(&self, py: Python<'_>, month: &str, registry: &Registry, as_measured: bool) -> PyResult<Report> {
        let month = self::month(month)?;
        let settled = py.detach(|| match as_measured {
            false => self.0.report(month, &registry.registry),
            true => self.0.report_as_measured(month, &registry.registry),
        });
        settled.map(|report| Report(Arc::new(report))).map_err(|error| errors::of_month(py, self.0.file(), &error))
    }

    fn __repr__(&self) -> String {
        format!("quoteclock.Store({:?})", self.file())
    }
}

/// A month, settled. Its tables are those of ``quoteclock report --out``, with types.
#[pyclass(frozen, module = "quoteclock")]
pub(crate) struct Report(Arc<quoteclock::Report>);

impl Report {
    fn zone_name(&self) -> &str {
        self.0.registry.scheme().zone_name()
    }
}

/// Where the obligations of a report stand.
struct Status {
    report: Arc<quoteclock::Report>,
    outlooks: Vec<Outlook>,
}

/// So many issues are named in a note.
const NAMED_MAX: usize = 20;

#[pymethods]
impl Report {
    /// str : The month, such as ``"2024-03"``.
    #[getter]
    fn month(&self) -> String {
        self.0.month.to_string()
    }

    /// bool : Whether nothing is missing and nothing in doubt.
    #[getter]
    fn is_complete(&self) -> bool {
        self.0.is_complete()
    }

    /// list of str : What a reader of the figures has to know: what is in doubt, missing, or rests on something else.
    #[getter]
    fn notes(&self) -> Vec<String> {
        self.0.doubts().into_iter().chain(self.0.notes(NAMED_MAX)).collect()
    }

    /// list of datetime.date : Trading days of the month that are not stored.
    #[getter]
    fn days_missing(&self) -> Vec<Date> {
        self.0.stored.missing.clone()
    }

    /// Table : What each obligation came to; times in microseconds, shares in percent.
    #[getter]
    fn monthly(&self) -> Table {
        Table::new::<_, Monthly>(&self.0, self.zone_name(), |report| Box::new(report.monthly()))
    }

    /// Table : What the criteria of each sign-up come to together; no rows where the scheme has no criteria.
    #[getter]
    fn criteria(&self) -> Table {
        Table::new::<_, Criteria>(&self.0, self.zone_name(), |report| Box::new(report.criteria()))
    }

    /// Table : What the month means for each market maker; amounts in yen.
    #[getter]
    fn market_makers(&self) -> Table {
        Table::new::<_, MarketMakers>(&self.0, self.zone_name(), |report| Box::new(report.market_makers()))
    }

    /// Table : The incentives of each obligation; amounts in yen.
    #[getter]
    fn incentives(&self) -> Table {
        Table::new::<_, Incentives>(&self.0, self.zone_name(), |report| {
            Box::new(report.of_month(&report.settlement().incentives))
        })
    }

    /// Table : The conditions under which something is paid.
    #[getter]
    fn conditions(&self) -> Table {
        Table::new::<_, Conditions>(&self.0, self.zone_name(), |report| {
            Box::new(report.of_month(&report.settlement().conditions))
        })
    }

    /// Table : The tier of each issue.
    #[getter]
    fn tiers(&self) -> Table {
        Table::new::<_, Tiers>(&self.0, self.zone_name(), |report| Box::new(report.settlement().tiers.iter()))
    }

    /// Table : What staff may look at.
    #[getter]
    fn recommendations(&self) -> Table {
        Table::new::<_, Recommendations>(&self.0, self.zone_name(), |report| {
            Box::new(report.of_month(&report.settlement().recommendations))
        })
    }

    /// Table : Where each obligation stands in a month that is not over: how much longer it may be off, in microseconds.
    #[getter]
    fn status(&self, py: Python<'_>) -> PyResult<Table> {
        let outlooks = py.detach(|| self.0.outlooks()).map_err(|error| errors::of_plan(py, &error))?;
        let status = Arc::new(Status { report: Arc::clone(&self.0), outlooks });
        Ok(Table::new::<_, Statuses>(&status, self.zone_name(), |status| {
            Box::new(status.report.status(&status.outlooks))
        }))
    }

    /// Table : What is paid to whom; amounts in yen.
    #[getter]
    fn payments(&self) -> Table {
        Table::new::<_, Payments>(&self.0, self.zone_name(), |report| {
            Box::new(report.of_month(&report.settlement().payments))
        })
    }

    fn __repr__(&self) -> String {
        let complete = if self.0.is_complete() { "complete" } else { "not complete" };
        format!("<quoteclock.Report of {}: {complete}>", self.0.month)
    }

    fn _repr_html_(&self) -> String {
        let scheme = self.0.registry.scheme();
        let mut html =
            format!("<h3>{} under {} {}</h3>", self.0.month, escape_html(scheme.name()), escape_html(scheme.version()));
        for note in self.notes() {
            html.push_str(&format!("<p>{}</p>", escape_html(&note)));
        }
        html.push_str(&self.monthly().html());
        html.push_str(&self.market_makers().html());
        html
    }
}
