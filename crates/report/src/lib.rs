//! What a measurement looks like to people and programs: CSV, JSON and tables.
//!
//! The columns are those of SPEC section 8, in one place ([`rows`]); CSV and JSON differ only in their writing.
//! Deliberately absent: where output goes, and whether it may appear.

mod json;
mod rejects;
pub mod rows;
mod table;

pub use json::{JsonRows, write_document};
pub use rejects::{RejectsCsv, RejectsJson};
pub use rows::{BREACH_COLUMNS, DAILY_COLUMNS, REJECT_COLUMNS, write_breaches_csv, write_daily_csv};
pub use table::{DaySummary, Style, wrap};
