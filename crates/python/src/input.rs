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
    /// Messages call what has no path by `name`.
    pub(crate) fn new(given: &Bound<'_, PyAny>, name: Option<&str>) -> PyResult<Given> {
        let raised = Arc::new(Mutex::new(None));
        let py = given.py();
        let bytes = match given.cast::<pyo3::types::PyMemoryView>() {
            Ok(view) => view.call_method0("tobytes")?.extract::<PyBackedBytes>().ok(),
            Err(_) => given.extract::<PyBackedBytes>().ok(),
        };
        if let Some(bytes) = bytes {
            let size = u64::try_from(bytes.len()).ok();
            let input = Input::opened(name.unwrap_or("<bytes>"), Cursor::new(bytes));
            return Ok(Given { input, size, raised });
        }
        if given.hasattr("read")? {
            let own = given.getattr("name").ok().and_then(|name| name.extract::<String>().ok());
            let name = name.map(str::to_owned).or(own).unwrap_or_else(|| "<file object>".to_owned());
            let reader = Object { object: given.clone().unbind(), given: None, raised: Arc::clone(&raised) };
            return Ok(Given { input: Input::once(&name, reader), size: None, raised });
        }
        let Ok(path) = py.import("os")?.call_method1("fspath", (given,)).and_then(|path| path.extract::<PathBuf>())
        else {
            let found = given.get_type().name()?;
            let expected = "expected a path, bytes, or a file opened in binary mode";
            return Err(PyTypeError::new_err(format!("input: found {found}, {expected}")));
        };
        let input = Input::File(path);
        Ok(Given { size: input.size(), input, raised })
    }

    /// What Python raised while it was read, in place of what came of that.
    pub(crate) fn raised(&self) -> Option<PyErr> {
        self.raised.lock().ok().and_then(|mut raised| raised.take())
    }
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
            given.extract::<PyBackedBytes>(py).map_err(|_| {
                let found = given.bind(py).get_type().to_string();
                PyTypeError::new_err(format!("read() gave {found}, expected bytes: open the file in binary mode"))
            })
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
