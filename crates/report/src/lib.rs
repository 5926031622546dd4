//! What a measurement looks like to people and programs: CSV, JSON and tables.
//!
//! The columns are those of REFERENCE section 8, in one place ([`rows`]); CSV and JSON differ only in their writing.
//! Deliberately absent: where output goes, and whether it may appear.

mod columns;
mod json;
pub mod money;
mod month;
mod rejects;
pub mod rows;
mod table;

pub use json::{JsonRows, write_document};
pub use month::{
    MAKER_COLUMNS, MONTHLY_COLUMNS, MakerJson, MonthlyJson, OutlookJson, day_table, makers_table, monthly_table,
    outlook_table, write_makers_csv, write_monthly_csv,
};
pub use rejects::{REJECTS_LISTED, RejectsCsv, RejectsJson};
pub use rows::{BREACH_COLUMNS, DAILY_COLUMNS, REJECT_COLUMNS, write_breaches_csv, write_daily_csv};
pub use table::{DaySummary, Style, wrap};
