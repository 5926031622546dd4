//! The Python package `quoteclock`: the front door for programs, from Python.
//!
//! A thin binding: what is measured, and what is made of it, is [`quoteclock`]'s. Here Python's values become Rust's and back:
//! paths, bytes and file objects an input; rows Arrow tables, handed over by the PyCapsule interface; errors exceptions. The
//! interpreter's lock is given up while something is measured, and signals are looked at meanwhile.
//!
//! Deliberately absent: any figure of its own.

mod beside;
mod capsule;
mod day;
mod engine;
mod errors;
mod events;
mod explain;
mod input;
mod registry;
mod replay;
mod store;
mod table;
mod values;
mod watch;

/// Python aligns its objects to so many bytes: what asks for more stands in a box.
const ALIGNMENT_MAX: usize = 16;

/// Every class fits.
macro_rules! fit {
    ($($class:path),* $(,)?) => {$(
        const _: () = assert!(align_of::<$class>() <= ALIGNMENT_MAX);
    )*};
}

fit!(
    capsule::RecordBatch,
    day::Day,
    engine::Engine,
    engine::ObligationState,
    events::Events,
    explain::Explanation,
    registry::Registry,
    store::Report,
    store::Store,
    table::Table,
);

/// The module `quoteclock._quoteclock`, whose names `quoteclock` has as its own.
#[pyo3::pymodule]
mod _quoteclock {
    #[pymodule_export]
    use crate::capsule::RecordBatch;
    #[pymodule_export]
    use crate::day::Day;
    #[pymodule_export]
    use crate::engine::{Engine, ObligationState};
    #[pymodule_export]
    use crate::events::{Events, convert, events};
    #[pymodule_export]
    use crate::explain::{Explanation, explain};
    #[pymodule_export]
    use crate::registry::Registry;
    #[pymodule_export]
    use crate::replay::replay;
    #[pymodule_export]
    use crate::store::{Report, Store};
    #[pymodule_export]
    use crate::table::Table;
    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
