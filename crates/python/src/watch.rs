//! Looks after whoever waits, while something is measured without the interpreter's lock: signals, and progress.

use pyo3::prelude::*;
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// So often at most the interpreter is asked for its lock: often enough for people, too rarely to be felt.
const BETWEEN: Duration = Duration::from_millis(50);

/// Told how much has been read; runs what Python has to run meanwhile, and keeps the exception that stops it all.
pub(crate) struct Watch {
    progress: Option<Py<PyAny>>,
    total: Option<u64>,
    read: AtomicU64,
    last: Mutex<Instant>,
    error: Mutex<Option<PyErr>>,
}

impl Watch {
    /// `progress` is called with the bytes read so far, and those of the whole input where that is known; `True` is a bar.
    pub(crate) fn new(py: Python<'_>, progress: Option<Bound<'_, PyAny>>, total: Option<u64>) -> PyResult<Watch> {
        let progress = match progress {
            Some(given) if given.is_exact_instance_of::<pyo3::types::PyBool>() => match given.is_truthy()? {
                true => Some(py.import("quoteclock._progress")?.getattr("bar")?.call0()?.unbind()),
                false => None,
            },
            Some(given) if given.is_callable() => Some(given.unbind()),
            Some(given) if !given.is_none() => {
                let found = given.get_type().name()?;
                let expected = "expected a function of bytes read and bytes in all, or True for a bar";
                return Err(pyo3::exceptions::PyTypeError::new_err(format!("progress: found {found}, {expected}")));
            }
            _ => None,
        };
        let (read, last, error) = (AtomicU64::new(0), Mutex::new(Instant::now()), Mutex::new(None));
        Ok(Watch { progress, total, read, last, error })
    }

    /// Takes note of so many more bytes, and looks at signals from time to time.
    pub(crate) fn tell(&self, bytes: u64) -> ControlFlow<()> {
        let read = self.read.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let Ok(mut last) = self.last.lock() else { return ControlFlow::Break(()) };
        if last.elapsed() < BETWEEN {
            return ControlFlow::Continue(());
        }
        let looked = Python::attach(|py| {
            py.check_signals()?;
            self.show(py, read)
        });
        *last = Instant::now();
        match looked {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.keep(error);
                ControlFlow::Break(())
            }
        }
    }

    fn show(&self, py: Python<'_>, read: u64) -> PyResult<()> {
        let Some(progress) = &self.progress else { return Ok(()) };
        progress.call1(py, (read, self.total)).map(drop)
    }

    /// Keeps an exception that is to be raised in place of any other.
    fn keep(&self, error: PyErr) {
        if let Ok(mut kept) = self.error.lock() {
            kept.get_or_insert(error);
        }
    }

    /// Runs `work` without the interpreter's lock. An exception that has come meanwhile is raised; otherwise `failed` makes one
    /// of the work's own error.
    pub(crate) fn run<T: Send, E: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce() -> Result<T, E> + Send,
        failed: impl FnOnce(&E) -> PyErr,
    ) -> PyResult<T> {
        let result = py.detach(work);
        let raised = self.error.lock().ok().and_then(|mut kept| kept.take());
        let shown = if raised.is_none() { self.show(py, self.read.load(Ordering::Relaxed)) } else { Ok(()) };
        let closed = match &self.progress {
            Some(progress) if progress.bind(py).hasattr("close")? => progress.call_method0(py, "close").map(drop),
            _ => Ok(()),
        };
        if let Some(error) = raised {
            return Err(error);
        }
        let value = result.map_err(|error| failed(&error))?;
        shown.and(closed).map(|()| value)
    }
}
