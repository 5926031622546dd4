//! One table of results, whatever it rests on: as Arrow, CSV, plain Python, text and HTML.

use crate::capsule;
use crate::values::row;
use arrow_array::{RecordBatch, RecordBatchIterator};
use arrow_schema::{ArrowError, SchemaRef};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule, PyDict};
use quoteclock_columnar::ColumnarError;
use quoteclock_columnar::arrow::{batches, schema};
use quoteclock_rows::{Style, write_csv};
use quoteclock_rows::{Table as Description, html_table, text_table};
use std::sync::Arc;

/// The rows of a table, made anew from what they rest on whenever they are wanted.
pub(crate) trait Rows: Send + Sync {
    fn name(&self) -> &'static str;
    fn units(&self) -> Vec<(&'static str, &'static str)>;
    fn count(&self) -> usize;
    fn schema(&self) -> SchemaRef;
    fn batches(&self) -> Result<Vec<RecordBatch>, ColumnarError>;
    fn csv(&self) -> std::io::Result<Vec<u8>>;
    fn dicts<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>>;
    fn text(&self, rows_max: usize) -> String;
    fn html(&self, rows_max: usize) -> String;
}

/// The rows of `T` that `source` has.
pub(crate) struct RowsOf<S, T: Description> {
    pub(crate) source: Arc<S>,
    /// The zone of instants.
    pub(crate) zone: String,
    pub(crate) rows: for<'a> fn(&'a S) -> Box<dyn Iterator<Item = T::Row<'a>> + 'a>,
}

impl<S: Send + Sync, T: Description> Rows for RowsOf<S, T> {
    fn name(&self) -> &'static str {
        T::NAME
    }

    fn units(&self) -> Vec<(&'static str, &'static str)> {
        T::COLUMNS.iter().map(|column| (column.name, column.unit.as_str())).collect()
    }

    fn count(&self) -> usize {
        (self.rows)(&self.source).count()
    }

    fn schema(&self) -> SchemaRef {
        schema::<T>(&self.zone)
    }

    fn batches(&self) -> Result<Vec<RecordBatch>, ColumnarError> {
        batches::<T>((self.rows)(&self.source), &self.zone)
    }

    fn csv(&self) -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        write_csv::<T>((self.rows)(&self.source), &mut bytes)?;
        Ok(bytes)
    }

    fn dicts<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        (self.rows)(&self.source).map(|found| row::<T>(py, &found)).collect()
    }

    fn text(&self, rows_max: usize) -> String {
        let rows: Vec<T::Row<'_>> = (self.rows)(&self.source).take(rows_max).collect();
        text_table::<T>(&rows, Style { width: TEXT_WIDTH, colour: false })
    }

    fn html(&self, rows_max: usize) -> String {
        let rows: Vec<T::Row<'_>> = (self.rows)(&self.source).take(rows_max).collect();
        html_table::<T>(&rows)
    }
}

/// Columns of a terminal that nobody has asked.
const TEXT_WIDTH: usize = 100;

/// So many rows are shown where somebody looks; all are there.
const SHOWN_MAX: usize = 50;

/// One table of results, which polars, pandas, pyarrow and DuckDB take as it is.
///
/// Notes
/// -----
/// It speaks the Arrow PyCapsule interface. Columns have the names of the command's CSV files; dates are ``date32``, instants
/// timestamps in microseconds in the scheme's zone, numbers exact: integers, or decimals. What a column's numbers count is in
/// ``units`` and in the metadata of its Arrow field; names that end in ``_us`` are microseconds.
///
/// Examples
/// --------
/// >>> breaches = qc.replay("2024-03-01.csv", qc.Registry("registry")).breaches
/// >>> breaches.column_names
/// ['date', 'market_maker', 'issue', 'obligation', 'start', 'end', 'duration_us', 'reason']
/// >>> sum(row["duration_us"] for row in breaches.to_pylist() if row["market_maker"] == "MM3" and row["issue"] == "1306")
/// 900000000
/// >>> breaches.units["duration_us"]
/// 'us'
#[pyclass(frozen, module = "quoteclock")]
pub(crate) struct Table(Arc<dyn Rows>);

impl Table {
    /// The rows of `T` that `source` has.
    pub(crate) fn new<S: Send + Sync + 'static, T: Description>(
        source: &Arc<S>,
        zone: &str,
        rows: for<'a> fn(&'a S) -> Box<dyn Iterator<Item = T::Row<'a>> + 'a>,
    ) -> Table {
        Table(Arc::new(RowsOf::<S, T> { source: Arc::clone(source), zone: zone.to_owned(), rows }))
    }

    /// As a part of a page.
    pub(crate) fn html(&self) -> String {
        let (rows, count) = (self.0.html(SHOWN_MAX), self.0.count());
        // A wide one is moved sideways, and no cell is broken.
        let html = format!("<div style=\"overflow-x:auto;white-space:nowrap\">{rows}</div>");
        match count.checked_sub(SHOWN_MAX) {
            None | Some(0) => html,
            Some(more) => format!("{html}<p>and {more} more rows</p>"),
        }
    }
}

#[pymethods]
impl Table {
    /// str : The name, that of the command's file without its ending.
    #[getter]
    fn name(&self) -> &'static str {
        self.0.name()
    }

    /// list of str : The columns.
    #[getter]
    fn column_names(&self) -> Vec<&'static str> {
        self.0.units().into_iter().map(|(name, _)| name).collect()
    }

    /// dict of str to str or None : What the numbers of each column count.
    ///
    /// One of ``us``, ``%``, ``JPY``, ``USD``, ``bps``, ``shares`` and ``count``; ``None`` where nothing is counted.
    #[getter]
    fn units<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let units = PyDict::new(py);
        for (name, unit) in self.0.units() {
            units.set_item(name, Some(unit).filter(|unit| !unit.is_empty()))?;
        }
        Ok(units)
    }

    fn __len__(&self) -> usize {
        self.0.count()
    }

    fn __repr__(&self) -> String {
        let (text, count) = (self.0.text(SHOWN_MAX), self.0.count());
        let more = count.checked_sub(SHOWN_MAX).filter(|more| 0 < *more);
        let rest = more.map(|more| format!("and {more} more rows\n")).unwrap_or_default();
        format!("{}: {count} row{}\n{text}{rest}", self.0.name(), if count == 1 { "" } else { "s" })
    }

    fn _repr_html_(&self) -> String {
        self.html()
    }

    /// Return the rows as plain Python.
    ///
    /// Returns
    /// -------
    /// list of dict
    ///     Values are ``str``, ``datetime.date``, ``datetime.datetime`` (with its zone), ``int``, ``decimal.Decimal`` or ``None``.
    fn to_pylist<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        self.0.dicts(py)
    }

    /// Return the bytes of the command's CSV file.
    ///
    /// Returns
    /// -------
    /// bytes
    fn to_csv<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let csv = py.detach(|| self.0.csv())?;
        Ok(PyBytes::new(py, &csv))
    }

    /// Export the columns' names and types (the Arrow PyCapsule interface).
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        capsule::schema(py, &self.0.schema())
    }

    /// Export the rows (the Arrow PyCapsule interface).
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // A request is best effort by the interface: the types here are the exact ones, and whoever asks casts them.
        drop(requested_schema);
        let made = py.detach(|| self.0.batches()).map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
        let batches = made.into_iter().map(Ok::<RecordBatch, ArrowError>);
        capsule::stream(py, RecordBatchIterator::new(batches, self.0.schema()))
    }
}
