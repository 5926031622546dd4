//! What a measurement looks like to people and programs: CSV, JSON and tables.
//!
//! The columns are those of REFERENCE section 8; each output is described once, as a [`quoteclock_rows::Table`].
//! Deliberately absent: where output goes, and whether it may appear.

pub mod columns;
mod format;
mod json;
pub mod limits;
pub mod money;
mod month;
mod overview;
mod rejects;
pub mod rows;
mod table;
mod why;

pub use format::{clock, count, list, time_of_day, wrap};
pub use json::write_document;
pub use month::{Criteria, CriteriaRow, MakerRow, MarketMakers, Monthly, MonthlyRow, StatusRow, Statuses, system_note};
pub use overview::{LISTED_MAX, OverviewLine, Standing, Words, grouped, overview};
pub use rejects::{REJECTS_LISTED, RejectHead, RejectRows, Rejects, RejectsCsv, RejectsJson};
pub use rows::{Breaches, Daily, Outages, write_breaches_csv, write_daily_csv, write_outages_csv};
pub use table::{DaySummary, Style};
pub use why::{WhyDays, WhySteps};
