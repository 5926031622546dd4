//! Errors as the exceptions of `quoteclock._errors`, which are plain Python: so they can be pickled, and told apart by type.

use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyDict};
use quoteclock::{
    AddError, ConvertError, EngineError, ExplainError, Finding, MonthError, OwnOrdersError, Place, PlanError,
    RegistryError, ReplayError, StoreError, error_text,
};
use std::error::Error;
use std::path::Path;

/// The class of that name, made with `message` and `attributes`.
fn raise(py: Python<'_>, class: &str, message: &str, attributes: &Bound<'_, PyDict>) -> PyErr {
    let made = || py.import("quoteclock._errors")?.getattr(class)?.call((message,), Some(attributes));
    match made() {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    }
}

/// The same, with the error of the system that it goes back to as its cause.
fn raise_of(py: Python<'_>, class: &str, error: &dyn Error, attributes: &Bound<'_, PyDict>) -> PyErr {
    let raised = raise(py, class, &error_text(error), attributes);
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(io) = cause.downcast_ref::<std::io::Error>() {
            let copy = io
                .raw_os_error()
                .map_or_else(|| std::io::Error::new(io.kind(), io.to_string()), std::io::Error::from_raw_os_error);
            raised.set_cause(py, Some(copy.into()));
        }
        source = cause.source();
    }
    raised
}

/// What is wrong with a registry.
pub(crate) fn of_registry(py: Python<'_>, folder: &Path, error: &RegistryError) -> PyErr {
    let raised = || -> PyResult<PyErr> {
        let attributes = PyDict::new(py);
        attributes.set_item("folder", folder.display().to_string())?;
        if let RegistryError::Findings { findings: found, .. } = error {
            attributes.set_item("findings", findings(py, found)?)?;
        }
        Ok(raise_of(py, "RegistryError", error, &attributes))
    };
    raised().unwrap_or_else(|error| error)
}

/// Findings as objects of `quoteclock.Finding`.
pub(crate) fn findings<'py>(py: Python<'py>, findings: &[Finding]) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let class = py.import("quoteclock._errors")?.getattr("Finding")?;
    let finding = |found: &Finding| {
        let column = found.column.as_ref().map(ToString::to_string);
        class.call1((found.severity.to_string(), &found.file, found.line, column, &found.message))
    };
    findings.iter().map(finding).collect()
}

/// An input that cannot be read or measured.
fn of_input(
    py: Python<'_>,
    error: &dyn Error,
    file: Option<&str>,
    place: Option<Place>,
    column: Option<&str>,
) -> PyErr {
    let (line, byte) = match place {
        Some(Place::Line(line)) => (Some(line), None),
        Some(Place::Byte(byte)) => (None, Some(byte)),
        None => (None, None),
    };
    let attributes = || -> PyResult<Bound<'_, PyDict>> {
        let attributes = [("line", line), ("byte", byte)].into_py_dict(py)?;
        attributes.set_item("file", file)?;
        attributes.set_item("column", column)?;
        Ok(attributes)
    };
    match attributes() {
        Ok(attributes) => raise_of(py, "InputError", error, &attributes),
        Err(error) => error,
    }
}

/// Why an input cannot be measured.
pub(crate) fn of_replay(py: Python<'_>, error: &ReplayError) -> PyErr {
    of_input(py, error, Some(error.file()), error.place(), error.column())
}

/// What is wrong with a sheet of one's own orders: all of it, at the place of the first.
pub(crate) fn of_own_orders(py: Python<'_>, file: &str, error: &OwnOrdersError) -> PyErr {
    let first = error.findings.first();
    let line = first.and_then(|finding| finding.line).map(Place::Line);
    let column = first.and_then(|finding| finding.column.as_ref()).map(ToString::to_string);
    of_input(py, error, Some(file), line, column.as_deref())
}

/// Why an input cannot be converted.
pub(crate) fn of_convert(py: Python<'_>, error: &ConvertError) -> PyErr {
    of_input(py, error, error.file(), error.place(), error.column())
}

/// Why a feed cannot go on.
pub(crate) fn of_engine(py: Python<'_>, error: &EngineError) -> PyErr {
    of_input(py, error, None, error.place(), error.column())
}

/// Why there is no explanation.
pub(crate) fn of_explain(py: Python<'_>, error: &ExplainError) -> PyErr {
    match error {
        ExplainError::Replay(error) => of_replay(py, error),
        error => raise_of(py, "QuestionError", error, &PyDict::new(py)),
    }
}

/// What is wrong with the file of days.
fn of_file(py: Python<'_>, file: &Path, error: &dyn Error) -> PyErr {
    let attributes = [("file", file.display().to_string())].into_py_dict(py);
    attributes.map_or_else(|error| error, |attributes| raise_of(py, "StoreError", error, &attributes))
}

/// What is wrong with the file of days.
pub(crate) fn of_store(py: Python<'_>, file: &Path, error: &StoreError) -> PyErr {
    of_file(py, file, error)
}

/// Why a day cannot be kept.
pub(crate) fn of_add(py: Python<'_>, file: &Path, error: &AddError) -> PyErr {
    of_file(py, file, error)
}

/// Why a month cannot be settled.
pub(crate) fn of_month(py: Python<'_>, file: &Path, error: &MonthError) -> PyErr {
    let MonthError::Changed(days) = error else { return of_file(py, file, error) };
    let raised = || -> PyResult<PyErr> {
        let attributes = [("file", file.display().to_string())].into_py_dict(py)?;
        attributes.set_item("days", days.clone())?;
        Ok(raise_of(py, "RegistryChangedError", error, &attributes))
    };
    raised().unwrap_or_else(|error| error)
}

/// A date that the registry cannot measure.
pub(crate) fn of_plan(py: Python<'_>, error: &PlanError) -> PyErr {
    raise_of(py, "QuoteclockError", error, &PyDict::new(py))
}

/// An argument that is not what it should be.
pub(crate) fn argument(name: &str, problem: impl std::fmt::Display) -> PyErr {
    pyo3::exceptions::PyValueError::new_err(format!("{name}: {problem}"))
}
