//! The Arrow PyCapsule interface: schemas, batches and streams handed over in capsules, as
//! `https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html` has it.
//!
//! A capsule owns a C struct of Arrow's C data interface, whose `release` gives the memory back when whoever has taken it is
//! done, or the capsule when nobody has. The structs, and all that they point to, are the `arrow` library's.

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema};
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{Array, RecordBatch as Columns, RecordBatchIterator, RecordBatchReader, StructArray};
use arrow_schema::{ArrowError, SchemaRef};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

/// An error of the library as an exception.
pub(crate) fn arrow_error(error: &ArrowError) -> PyErr {
    PyRuntimeError::new_err(error.to_string())
}

/// The columns' names and types.
pub(crate) fn schema<'py>(py: Python<'py>, schema: &SchemaRef) -> PyResult<Bound<'py, PyCapsule>> {
    let schema = FFI_ArrowSchema::try_from(schema.as_ref()).map_err(|error| arrow_error(&error))?;
    PyCapsule::new_with_value(py, schema, c"arrow_schema")
}

/// Batches, one after the other, as whoever reads wants them.
pub(crate) fn stream<'py>(
    py: Python<'py>,
    batches: impl RecordBatchReader + Send + 'static,
) -> PyResult<Bound<'py, PyCapsule>> {
    PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(Box::new(batches)), c"arrow_array_stream")
}

/// Rows in columns: Arrow data that ``pyarrow.record_batch``, ``polars.DataFrame`` and others take as they are.
#[pyclass(frozen, module = "quoteclock")]
pub(crate) struct RecordBatch(pub(crate) Columns);

#[pymethods]
impl RecordBatch {
    fn __len__(&self) -> usize {
        self.0.num_rows()
    }

    fn __repr__(&self) -> String {
        format!("<quoteclock.RecordBatch: {} rows of {} columns>", self.0.num_rows(), self.0.num_columns())
    }

    /// list of str : The columns.
    #[getter]
    fn column_names(&self) -> Vec<String> {
        self.0.schema().fields().iter().map(|field| field.name().clone()).collect()
    }

    /// Export the columns' names and types (the Arrow PyCapsule interface).
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        schema(py, &self.0.schema())
    }

    /// Export the batch (the Arrow PyCapsule interface).
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<(Bound<'py, PyCapsule>, Bound<'py, PyCapsule>)> {
        // A request is best effort by the interface: the types here are the exact ones, and whoever asks casts them.
        drop(requested_schema);
        let array = FFI_ArrowArray::new(&StructArray::from(self.0.clone()).to_data());
        Ok((schema(py, &self.0.schema())?, PyCapsule::new_with_value(py, array, c"arrow_array")?))
    }

    /// Export a stream of this one batch (the Arrow PyCapsule interface).
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        drop(requested_schema);
        stream(py, RecordBatchIterator::new([Ok(self.0.clone())], self.0.schema()))
    }
}
