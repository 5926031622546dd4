//! Small CSV files that people edit in a spreadsheet: the form of a file, its rows, the values in its cells, and what is
//! wrong with them.
//!
//! The idea: every fault is found at once, and each names file, line and column, what was found and what was expected.
//! A file becomes a [`Table`] whose header is as its [`Layout`] asks; a [`Row`] turns one cell after the other into a typed
//! value, and reports all of its faults to [`Findings`].
//!
//! Deliberately absent: reading folders (callers pass bytes), and what the values mean together.

mod finding;
mod overlap;
mod period;
mod table;
pub mod value;

pub use finding::{Column, Finding, Findings, Severity, SourceFile, quoted};
pub use overlap::{Lined, Uniqueness};
pub use period::{DateSet, Period};
pub use table::{Layout, Row, Table, content, optional, required};

/// What was expected instead of the value found, for people: `expected …`.
pub type Expected = &'static str;
