//! Dates, instants, exact numbers and rows as Python's own.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use quoteclock::{Amount, Price, Timestamp, Until};
use quoteclock_rows::{Decimals, Table, Value};

/// A `datetime.date`, or text that is one.
pub(crate) fn date(name: &str, given: Option<Bound<'_, PyAny>>) -> PyResult<Option<Date>> {
    let Some(given) = given else { return Ok(None) };
    if let Ok(text) = given.cast::<PyString>() {
        let expected = "expected a date such as 2024-03-01";
        let parsed = text.to_str()?.parse();
        return parsed.map(Some).map_err(|_| crate::errors::argument(name, format!("found \"{text}\", {expected}")));
    }
    Ok(Some(given.extract()?))
}

/// Text, or that of a `datetime.datetime` or `datetime.time`.
pub(crate) fn time_text(name: &str, given: &Bound<'_, PyAny>) -> PyResult<String> {
    if let Ok(text) = given.extract() {
        return Ok(text);
    }
    let text = given.call_method0("isoformat").and_then(|text| text.extract());
    text.map_err(|_| {
        let found = given.get_type();
        pyo3::exceptions::PyTypeError::new_err(format!("{name}: found {found}, expected a time, or text that is one"))
    })
}

/// Up to when to measure.
pub(crate) fn until(given: Option<Bound<'_, PyAny>>) -> PyResult<Option<Until>> {
    let Some(given) = given else { return Ok(None) };
    let until = quoteclock::until(&time_text("until", &given)?);
    until.map(Some).map_err(|error| crate::errors::argument("until", error))
}

/// An instant as a `datetime.datetime` in a zone.
pub(crate) fn instant<'py>(py: Python<'py>, at: Timestamp, zone: &TimeZone) -> PyResult<Bound<'py, PyAny>> {
    let instant = jiff::Timestamp::from_microsecond(at.as_micros())
        .map_err(|error| pyo3::exceptions::PyOverflowError::new_err(error.to_string()))?;
    Ok(instant.to_zoned(zone.clone()).into_pyobject(py)?.into_any())
}

/// A `decimal.Decimal` of that text.
pub(crate) fn decimal<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import("decimal")?.getattr("Decimal")?.call1((text,))
}

/// A price in currency units.
pub(crate) fn price<'py>(py: Python<'py>, price: Price) -> PyResult<Bound<'py, PyAny>> {
    let units = i128::from(price.ten_thousandths());
    decimal(py, &Value::Decimal(units, Decimals::UpTo(4)).to_string())
}

/// A value in currency units.
pub(crate) fn amount<'py>(py: Python<'py>, amount: Amount) -> PyResult<Bound<'py, PyAny>> {
    let units = i128::try_from(amount.0)?;
    decimal(py, &Value::Decimal(units, Decimals::UpTo(4)).to_string())
}

/// A row as a `dict`.
pub(crate) fn row<'py, T: Table>(py: Python<'py>, row: &T::Row<'_>) -> PyResult<Bound<'py, PyDict>> {
    let members = PyDict::new(py);
    for column in T::COLUMNS {
        let value = match column.value(row) {
            Value::Missing => py.None().into_bound(py),
            Value::Text(text) => PyString::new(py, &text).into_any(),
            Value::Date(date) => date.into_pyobject(py)?.into_any(),
            Value::Instant(local) => instant(py, local.at, local.zone)?,
            Value::Integer(number) => number.into_pyobject(py)?.into_any(),
            Value::Decimal(..) => decimal(py, &column.value(row).to_string())?,
        };
        members.set_item(column.name, value)?;
    }
    Ok(members)
}
