//! Paths, bytes and file objects as inputs.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use quoteclock::Input;
use std::io::{self, Cursor, Read};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// An input, and what Python raised while it was read.
pub(crate) struct Given {
    pub(crate) input: Input,
    /// Its size in bytes, where that is known.
    pub(crate) size: Option<u64>,
    raised: Arc<Mutex<Option<PyErr>>>,
}

impl Given {
    /// A path (a `str` or anything that `os.fspath` takes), `bytes`, `bytearray` or `memoryview`, or an object with `read`.
    /// Messages call what has no path by `name`, or else by its own, or else as `unnamed`.
    pub(crate) fn new(given: &Bound<'_, PyAny>, name: Option<&str>, unnamed: Option<&str>) -> PyResult<Given> {
        let raised = Arc::new(Mutex::new(None));
        if let Some(bytes) = bytes(given)? {
            let size = u64::try_from(bytes.len()).ok();
            let input = Input::opened(name.or(unnamed).unwrap_or("<bytes>"), Cursor::new(bytes));
            return Ok(Given { input, size, raised });
        }
        if given.hasattr("read")? {
            let name = name.map(str::to_owned).or_else(|| own_name(given));
            let name = name.unwrap_or_else(|| unnamed.unwrap_or("<file object>").to_owned());
            let reader = Object { object: given.clone().unbind(), given: None, raised: Arc::clone(&raised) };
            return Ok(Given { input: Input::once(&name, reader), size: None, raised });
        }
        let input = Input::File(path(given, "input")?);
        Ok(Given { size: input.size(), input, raised })
    }

    /// What Python raised while it was read, in place of what came of that.
    pub(crate) fn raised(&self) -> Option<PyErr> {
        self.raised.lock().ok().and_then(|mut raised| raised.take())
    }
}

/// The bytes of an object that is made of them.
pub(crate) fn bytes(given: &Bound<'_, PyAny>) -> PyResult<Option<PyBackedBytes>> {
    Ok(match given.cast::<pyo3::types::PyMemoryView>() {
        Ok(view) => view.call_method0("tobytes")?.extract().ok(),
        Err(_) => given.extract().ok(),
    })
}

/// The name that a file object has.
pub(crate) fn own_name(given: &Bound<'_, PyAny>) -> Option<String> {
    given.getattr("name").ok()?.extract().ok()
}

/// The path that something is, as the argument of that name.
pub(crate) fn path(given: &Bound<'_, PyAny>, argument: &str) -> PyResult<PathBuf> {
    let path = given.py().import("os")?.call_method1("fspath", (given,)).and_then(|path| path.extract());
    path.map_err(|_| {
        let found = given.get_type();
        let expected = "expected a path, bytes, or a file opened in binary mode";
        PyTypeError::new_err(format!("{argument}: found {found}, {expected}"))
    })
}

/// What is wrong with what `read` has given.
pub(crate) fn not_bytes(given: &Bound<'_, PyAny>) -> PyErr {
    let found = given.get_type();
    PyTypeError::new_err(format!("read() gave {found}, expected bytes: open the file in binary mode"))
}

/// An object with `read`.
struct Object {
    object: Py<PyAny>,
    /// What it has given, and how much of that has been taken.
    given: Option<(PyBackedBytes, usize)>,
    raised: Arc<Mutex<Option<PyErr>>>,
}

impl Object {
    /// Asks for up to so many bytes.
    fn ask(&self, count: usize) -> PyResult<PyBackedBytes> {
        Python::attach(|py| {
            let given = self.object.call_method1(py, "read", (count,))?;
            given.extract::<PyBackedBytes>(py).map_err(|_| not_bytes(given.bind(py)))
        })
    }
}

impl Read for Object {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.given.as_ref().is_none_or(|(bytes, taken)| *taken == bytes.len()) {
            let given = self.ask(to.len()).map_err(|error| {
                if let Ok(mut raised) = self.raised.lock() {
                    raised.get_or_insert(error);
                }
                io::Error::other("the file object raised an exception")
            })?;
            self.given = Some((given, 0));
        }
        let Some((bytes, taken)) = &mut self.given else { return Ok(0) };
        let count = to.len().min(bytes.len() - *taken);
        to[..count].copy_from_slice(&bytes[*taken..*taken + count]);
        *taken += count;
        Ok(count)
    }
}
