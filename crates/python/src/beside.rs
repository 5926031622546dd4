//! What stands beside an input: further inputs of its date, and the numbers of one's own orders.

use crate::errors::{self, argument};
use crate::input::{self, Given};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple};
use quoteclock::{Also, Beside, Input, OwnOrders, Part, ReplayError, read_own_orders};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An input, what stands beside it, and what Python raised while they were read.
pub(crate) struct Inputs {
    pub(crate) input: Input,
    pub(crate) beside: Beside,
    /// The size of all inputs in bytes, where that is known.
    pub(crate) size: Option<u64>,
    given: Vec<Given>,
}

impl Inputs {
    /// `also` is one more input or a list of them: each a path as the command takes it (`FILE`, `FILE:phases`, `FILE:orders`),
    /// whatever else an input may be, or a tuple of that and the part of it that is taken.
    pub(crate) fn new(
        given: &Bound<'_, PyAny>,
        name: Option<&str>,
        also: Option<Bound<'_, PyAny>>,
        own_orders: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Inputs> {
        let mut inputs = vec![Given::new(given, name, None)?];
        let mut beside = Beside::default();
        for (number, item) in (1..).zip(listed(also)) {
            let (given, part) = parted(&item)?;
            let given = Given::new(&given, None, Some(&format!("<also {number}>")))?;
            beside.also.push(Also { input: given.input.clone(), part });
            inputs.push(given);
        }
        if let Some(sheet) = own_orders {
            beside.own_orders = Some(Arc::new(self::own_orders(&sheet)?));
        }
        let size = inputs.iter().try_fold(0_u64, |all, given| all.checked_add(given.size?));
        Ok(Inputs { input: inputs[0].input.clone(), beside, size, given: inputs })
    }

    /// What Python raised while they were read, in place of what came of that.
    pub(crate) fn raised(&self) -> Option<PyErr> {
        self.given.iter().find_map(Given::raised)
    }
}

/// One thing, or a list of them.
fn listed(given: Option<Bound<'_, PyAny>>) -> Vec<Bound<'_, PyAny>> {
    match given {
        None => Vec::new(),
        Some(given) => match given.cast::<PyList>() {
            Ok(list) => list.iter().collect(),
            Err(_) => vec![given],
        },
    }
}

/// An input, and what of it is taken.
fn parted<'py>(item: &Bound<'py, PyAny>) -> PyResult<(Bound<'py, PyAny>, Part)> {
    if let Ok(pair) = item.cast::<PyTuple>() {
        let expected = "also: expected a tuple of an input and \"phases\" or \"orders\"";
        let (given, part): (Bound<'_, PyAny>, String) =
            pair.extract().map_err(|_| PyTypeError::new_err(format!("{expected}, found {pair}")))?;
        return Ok((given, part.parse().map_err(|problem: String| argument("also", problem))?));
    }
    if let Ok(text) = item.cast::<PyString>()
        && let Some((file, part)) = text.to_str()?.rsplit_once(':')
        && let Ok(part) = part.parse()
    {
        return Ok((PyString::new(item.py(), file).into_any(), part));
    }
    Ok((item.clone(), Part::All))
}

/// A sheet of one's own orders: a path, bytes, or a file object.
pub(crate) fn own_orders(sheet: &Bound<'_, PyAny>) -> PyResult<OwnOrders> {
    let py = sheet.py();
    let unnamed = || "<own_orders>".to_owned();
    let (name, bytes) = if let Some(bytes) = input::bytes(sheet)? {
        (unnamed(), bytes.to_vec())
    } else if sheet.hasattr("read")? {
        let read = sheet.call_method0("read")?;
        let Some(bytes) = input::bytes(&read)? else { return Err(input::not_bytes(&read)) };
        (input::own_name(sheet).unwrap_or_else(unnamed), bytes.to_vec())
    } else {
        let path: PathBuf = input::path(sheet, "own_orders")?;
        let name = path.display().to_string();
        let read = py.detach(|| std::fs::read(&path));
        let unread = |source| errors::of_replay(py, &ReplayError::Io { file: name.clone(), source });
        let bytes = read.map_err(unread)?;
        (name, bytes)
    };
    read_own_orders(Path::new(&name), &bytes).map_err(|error| errors::of_own_orders(py, &name, &error))
}
