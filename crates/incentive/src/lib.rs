//! The month: which obligations are fulfilled in it, and what follows for each market maker.
//!
//! Days are folded into one account for each market maker, issue and obligation; a month is a ratio of sums, never a mean
//! of days. What is required comes from the registry, what was measured from the days, and integers decide.
//!
//! Deliberately absent: where days are kept, and how a report looks.

mod account;
mod makers;
mod month;
mod outlook;

pub use account::{Key, Line, MonthAccounts, Status, SystemStatus};
pub use makers::{MakerLine, makers};
pub use month::Month;
pub use outlook::{Outlook, Prospect, outlooks};
