//! `quoteclock.events` and `quoteclock.convert`: events as they are, in any form.

use crate::beside::Inputs;
use crate::capsule::{self, RecordBatch};
use crate::errors::{self, argument};
use crate::values::{date, time_text};
use crate::watch::Watch;
use arrow_array::RecordBatch as Columns;
use arrow_array::RecordBatchReader;
use arrow_schema::{ArrowError, SchemaRef};
use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use quoteclock::{
    ConvertError, ConvertOptions, EventRow, Events as Rows, InputEvent, InputEvents, Target, Timestamp, convert_file,
    target_of_name,
};
use quoteclock_columnar::arrow::{Batch, schema};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// Reads an input's events into batches.
struct Reader {
    given: Inputs,
    events: InputEvents,
    /// Those that have been read, and belong to the next batches.
    pending: std::vec::IntoIter<InputEvent>,
    zone: TimeZone,
    batch: Batch<Rows>,
    batch_rows: usize,
    /// What ends it once the events before have been given.
    failed: Option<Stop>,
}

/// Why there is no next batch.
enum Stop {
    Convert(ConvertError),
    Batch(String),
}

impl Reader {
    fn next(&mut self) -> Result<Option<Columns>, Stop> {
        while self.batch.len() < self.batch_rows && self.failed.is_none() {
            let Some(event) = self.pending.next() else {
                match self.events.next_events() {
                    Ok(events) if events.is_empty() => break,
                    Ok(events) => self.pending = events.into_iter(),
                    Err(error) => self.failed = Some(Stop::Convert(error)),
                }
                continue;
            };
            let row = EventRow { event: &event, zone: &self.zone };
            self.batch.row(&row).map_err(|error| Stop::Batch(error.to_string()))?;
        }
        if self.batch.is_empty() {
            return self.failed.take().map_or(Ok(None), Err);
        }
        self.batch.take().map(Some).map_err(|error| Stop::Batch(error.to_string()))
    }

    fn raised(&self, py: Python<'_>, stop: &Stop) -> PyErr {
        match stop {
            Stop::Convert(error) => self.given.raised().unwrap_or_else(|| errors::of_convert(py, error)),
            Stop::Batch(problem) => PyRuntimeError::new_err(problem.clone()),
        }
    }
}

/// The events of an input, as record batches: an iterator, and an Arrow stream of what has not been read yet.
#[pyclass(frozen, module = "quoteclock")]
pub(crate) struct Events {
    /// `None` once it has ended.
    reader: Arc<Mutex<Option<Box<Reader>>>>,
    schema: SchemaRef,
}

/// The same for whoever reads an Arrow stream.
struct Stream {
    reader: Arc<Mutex<Option<Box<Reader>>>>,
    schema: SchemaRef,
}

impl Iterator for Stream {
    type Item = Result<Columns, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        match reader.as_mut()?.next() {
            Ok(Some(batch)) => Some(Ok(batch)),
            Ok(None) => {
                *reader = None;
                None
            }
            Err(stop) => {
                *reader = None;
                Some(Err(ArrowError::ExternalError(match stop {
                    Stop::Convert(error) => quoteclock::error_text(&error).into(),
                    Stop::Batch(problem) => problem.into(),
                })))
            }
        }
    }
}

impl RecordBatchReader for Stream {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

#[pymethods]
impl Events {
    /// list of str : The columns, those of the CSV.
    #[getter]
    fn column_names(&self) -> Vec<String> {
        self.schema.fields().iter().map(|field| field.name().clone()).collect()
    }

    fn __iter__(events: PyRef<'_, Self>) -> PyRef<'_, Self> {
        events
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<RecordBatch>> {
        py.check_signals()?;
        let next = py.detach(|| {
            let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(reading) = reader.as_mut() else { return Ok(None) };
            match reading.next() {
                Ok(Some(batch)) => Ok(Some(batch)),
                Ok(None) => {
                    *reader = None;
                    Ok(None)
                }
                Err(stop) => Err((stop, reader.take())),
            }
        });
        match next {
            Ok(batch) => Ok(batch.map(RecordBatch)),
            Err((stop, Some(reader))) => Err(reader.raised(py, &stop)),
            Err((_, None)) => Ok(None),
        }
    }

    /// Export the columns' names and types (the Arrow PyCapsule interface).
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        capsule::schema(py, &self.schema)
    }

    /// Export what has not been read yet as a stream (the Arrow PyCapsule interface).
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        drop(requested_schema);
        capsule::stream(py, Stream { reader: Arc::clone(&self.reader), schema: Arc::clone(&self.schema) })
    }

    fn __repr__(&self) -> String {
        "<quoteclock.Events>".to_owned()
    }
}

/// Read order events of any input form as Arrow record batches.
///
/// Parameters
/// ----------
/// input : path, bytes or file object
///     The order events, as for `replay`.
/// date : datetime.date or str, optional
///     The trading date, where the input does not tell it (NASDAQ ITCH).
/// timezone : str
///     The zone of times that count from midnight.
/// also : input or list of inputs, optional
///     Further inputs of the same date, merged by time; of one time `input` comes first, then these in their order. A path may end
///     with ``:phases`` (its phases alone) or ``:orders`` (all but them); whatever else an input may be stands in a tuple with
///     that word. Orders of one issue may be in one input only.
/// own_orders : path, bytes or file object, optional
///     CSV of the numbers of one's own orders (``order,server`` and, if numbers are not unique in the market, ``issue``), for an
///     input that names nobody, such as DBN and most of ITCH.
/// batch_rows : int
///     So many events are in a batch, fewer in the last.
/// name : str, optional
///     What messages call an input that has no path; it may tell form and date as a file's name does.
///
/// Returns
/// -------
/// Events
///     An iterator of `RecordBatch`, and an Arrow stream. Columns are those of the CSV: ``seq``, ``order`` and ``contra`` are
///     unsigned integers, ``time`` a timestamp in microseconds at the input's own UTC offset, ``price`` a decimal in currency
///     units, ``quantity`` an integer of shares, all else text. An execution whose price the source leaves to the book has
///     none.
///
/// Raises
/// ------
/// InputError
///     If the input is none of events; while iterating, at the first record that cannot be read.
///
/// Examples
/// --------
/// >>> [len(batch) for batch in qc.events("2024-03-01.csv", batch_rows=100)]
/// [100, 32]
#[pyfunction]
#[pyo3(signature = (
    input, *, date=None, timezone="America/New_York", also=None, own_orders=None, batch_rows=65536, name=None
))]
#[expect(clippy::too_many_arguments, reason = "keywords of Python, each with its default")]
pub(crate) fn events(
    py: Python<'_>,
    input: Bound<'_, PyAny>,
    date: Option<Bound<'_, PyAny>>,
    timezone: &str,
    also: Option<Bound<'_, PyAny>>,
    own_orders: Option<Bound<'_, PyAny>>,
    batch_rows: usize,
    name: Option<&str>,
) -> PyResult<Events> {
    if batch_rows == 0 {
        return Err(argument("batch_rows", "found 0, expected at least 1"));
    }
    let (date, zone) = (self::date("date", date)?, zone(timezone)?);
    let given = Inputs::new(&input, name, also, own_orders)?;
    let opened = py.detach(|| InputEvents::open(&given.input, &given.beside, date, &zone));
    let events = opened.map_err(|error| given.raised().unwrap_or_else(|| errors::of_convert(py, &error)))?;
    let minutes = i32::from(events.offset().minutes());
    let offset = format!("{}{:02}:{:02}", if minutes < 0 { '-' } else { '+' }, minutes.abs() / 60, minutes.abs() % 60);
    let zone = Offset::from_seconds(minutes * 60).map_or(TimeZone::UTC, TimeZone::fixed);
    let batch = Batch::new(&offset);
    let reader = Reader { given, events, pending: Vec::new().into_iter(), zone, batch, batch_rows, failed: None };
    Ok(Events { reader: Arc::new(Mutex::new(Some(Box::new(reader)))), schema: schema::<Rows>(&offset) })
}

fn zone(name: &str) -> PyResult<TimeZone> {
    let found = TimeZoneDatabase::bundled().get(name);
    found.map_err(|_| argument("timezone", format!("found \"{name}\", expected a zone such as America/New_York")))
}

/// Write order events of one form in another, whole or an excerpt, as ``quoteclock convert`` does.
///
/// Parameters
/// ----------
/// input : path, bytes or file object
///     The order events, as for `replay`.
/// output : path
///     The file to write: ``.csv`` or ``.qcev`` (the binary form), with ``.gz`` or ``.zst`` behind it to compress. It has its name
///     once it is whole.
/// issue : str, optional
///     Only this issue, and what concerns the whole market.
/// start : datetime.datetime or str, optional
///     Only from this time on, with an offset or a zone. An excerpt that begins in mid-day begins with the orders that rest then.
/// end : datetime.datetime or str, optional
///     Only before this time.
/// limit : int, optional
///     Only so many records.
/// date : datetime.date or str, optional
///     As for `events`, like ``timezone``.
/// timezone : str
///     The zone of times that count from midnight.
/// also : input or list of inputs, optional
///     As for `replay`. What several inputs become has numbers of its own, if one of them has any.
/// own_orders : path, bytes or file object, optional
///     As for `replay`.
/// allow_gaps : bool
///     The sequence numbers of each of several inputs must rise, but not by exactly one.
/// progress : callable or bool, optional
///     As for `replay`.
/// name : str, optional
///     What messages call an input that has no path.
///
/// Returns
/// -------
/// int
///     Records written.
///
/// Raises
/// ------
/// InputError
///     If the input cannot be read or converted, or the output cannot be written; then what was there stands as it was.
///
/// Warns
/// -----
/// UserWarning
///     If the input does not have some of the own orders.
///
/// Examples
/// --------
/// >>> qc.convert("2024-03-01.csv", "ten-minutes.qcev", issue="1306", start="2024-03-01T10:10:00+09:00",
/// ...            end="2024-03-01T10:20:00+09:00")
/// 14
#[pyfunction]
#[pyo3(signature = (
    input, output, *, issue=None, start=None, end=None, limit=None, date=None, timezone="America/New_York", also=None,
    own_orders=None, allow_gaps=false, progress=None, name=None
))]
#[expect(clippy::too_many_arguments, reason = "keywords of Python, each with its default")]
pub(crate) fn convert(
    py: Python<'_>,
    input: Bound<'_, PyAny>,
    output: PathBuf,
    issue: Option<&str>,
    start: Option<Bound<'_, PyAny>>,
    end: Option<Bound<'_, PyAny>>,
    limit: Option<u64>,
    date: Option<Bound<'_, PyAny>>,
    timezone: &str,
    also: Option<Bound<'_, PyAny>>,
    own_orders: Option<Bound<'_, PyAny>>,
    allow_gaps: bool,
    progress: Option<Bound<'_, PyAny>>,
    name: Option<&str>,
) -> PyResult<u64> {
    let target: Target = target_of_name(&output).map_err(|problem| argument("output", problem))?;
    let issue = issue.map(|code| {
        quoteclock::IssueCode::new(code.as_bytes())
            .ok_or_else(|| argument("issue", format!("found \"{code}\", expected the code of an issue, such as 1306")))
    });
    let (issue, date, zone) = (issue.transpose()?, self::date("date", date)?, zone(timezone)?);
    let (from, to) = (time("start", start)?, time("end", end)?);
    if let (Some(from), Some(to)) = (from, to)
        && to <= from
    {
        return Err(argument("end", "is not after start, expected a later time"));
    }
    let given = Inputs::new(&input, name, also, own_orders)?;
    let beside = given.beside.clone();
    let options = ConvertOptions { target, date, zone, issue, from, to, limit, beside, allow_gaps };
    let watch = Watch::new(py, progress, given.size)?;
    let convert = || convert_file(&given.input, &options, &output, &|bytes| watch.tell(bytes));
    let failed = |error: &ConvertError| given.raised().unwrap_or_else(|| errors::of_convert(py, error));
    let converted = watch.run(py, convert, failed)?;
    if !converted.unseen.is_empty() {
        let orders: Vec<String> = converted.unseen.iter().map(ToString::to_string).collect();
        let message = format!("own orders that the input does not have: {}", orders.join(", "));
        py.import("warnings")?.call_method1("warn", (message,))?;
    }
    Ok(converted.record_count)
}

/// An instant: a `datetime` with a zone, or text with an offset.
fn time(name: &str, given: Option<Bound<'_, PyAny>>) -> PyResult<Option<Timestamp>> {
    let Some(given) = given else { return Ok(None) };
    let text = time_text(name, &given)?;
    let parsed = text.parse::<jiff::Timestamp>();
    let expected = "expected a time with an offset, such as 2024-03-01T10:00:00+09:00";
    let instant = parsed.map_err(|_| argument(name, format!("found \"{text}\", {expected}")))?;
    Ok(Some(Timestamp::from_micros(instant.as_microsecond())))
}
