//! The registry.

use crate::errors;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::path::PathBuf;

/// Who has to quote what, under which scheme: a folder of small CSV files, read and checked.
///
/// Parameters
/// ----------
/// folder : path
///     The folder.
///
/// Raises
/// ------
/// RegistryError
///     Its ``findings`` list all that is wrong at once.
///
/// Examples
/// --------
/// >>> registry = qc.Registry("registry")
/// >>> registry.timezone, registry.interpretations["own_crossed_quotes"]
/// ('Asia/Tokyo', 'fulfilled')
#[pyclass(frozen, module = "quoteclock")]
pub(crate) struct Registry {
    pub(crate) registry: quoteclock::Registry,
    folder: PathBuf,
}

impl Registry {
    /// The name of the scheme's time zone.
    pub(crate) fn zone_name(&self) -> &str {
        self.registry.tables().scheme().zone_name()
    }
}

#[pymethods]
impl Registry {
    #[new]
    fn new(py: Python<'_>, folder: PathBuf) -> PyResult<Registry> {
        let registry = py.detach(|| quoteclock::Registry::open(&folder));
        let registry = registry.map_err(|error| errors::of_registry(py, &folder, &error))?;
        Ok(Registry { registry, folder })
    }

    /// Return all that is wrong with a folder, or worth a look.
    ///
    /// Parameters
    /// ----------
    /// folder : path
    ///     The folder.
    ///
    /// Returns
    /// -------
    /// list of Finding
    ///     Errors and warnings by file and line.
    ///
    /// Raises
    /// ------
    /// RegistryError
    ///     If there is no such folder.
    ///
    /// Examples
    /// --------
    /// >>> [finding for finding in qc.Registry.check("registry") if finding.severity == "error"]
    /// []
    #[staticmethod]
    fn check(py: Python<'_>, folder: PathBuf) -> PyResult<Vec<Bound<'_, PyAny>>> {
        let checked = py.detach(|| quoteclock::check(&folder));
        let checked = checked.map_err(|error| errors::of_registry(py, &folder, &error))?;
        errors::findings(py, &checked.findings)
    }

    /// str : The folder.
    #[getter]
    fn folder(&self) -> String {
        self.folder.display().to_string()
    }

    /// list of Finding : What is worth a look; nothing stops because of it.
    #[getter]
    fn findings<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        errors::findings(py, self.registry.warnings())
    }

    /// str : The scheme's name and version, as reports print them.
    #[getter]
    fn scheme(&self) -> String {
        self.registry.scheme_name()
    }

    /// str : The scheme's time zone, such as ``"Asia/Tokyo"``.
    #[getter]
    fn timezone(&self) -> &str {
        self.zone_name()
    }

    /// dict of str to str : How the scheme reads what the rules leave open.
    #[getter]
    fn interpretations<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let interpretations = PyDict::new(py);
        for (name, value) in self.registry.interpretations() {
            interpretations.set_item(name, value)?;
        }
        Ok(interpretations)
    }

    /// str : The SHA-256 of its files, byte-order marks and carriage returns apart: 64 hexadecimal digits.
    #[getter]
    fn sha256(&self) -> String {
        self.registry.digest().to_string()
    }

    fn __repr__(&self) -> String {
        format!("quoteclock.Registry({:?})", self.folder.display().to_string())
    }
}
