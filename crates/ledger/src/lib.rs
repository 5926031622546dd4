//! Folds intervals into the totals and breaches of a day.
//!
//! The idea: an interval is added and forgotten, so that a day costs one total per obligation and one entry per breach.
//! Sums are exact integers, so that order does not matter and shards merge by adding.
//!
//! Deliberately absent: files and rounding, except for the percentage that people read.

mod day;
mod percent;

pub use day::{
    Breach, DayLedger, DayRow, LoggedBreach, OpenLedger, Outage, Total, add_time, each_outage, outages, reasons_text,
};
pub use percent::DisplayPercent;
