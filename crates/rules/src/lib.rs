//! Obligation terms: the scheme (sessions, types, tick tables, interpretations), the registry of issues, market
//! makers, virtual servers and sign-ups, and what both together require on one date.
//!
//! The idea: everything dated, optional or textual is resolved here, once, into a [`DayPlan`] of plain numbers, so that
//! the measuring path never looks at a date, a name or a time zone.

mod limits;
mod plan;
mod ticks;

pub use limits::{Limits, Spread};
pub use plan::{DayPlan, ObligationPlan, PhaseSource, ServerPlan, SignUpPlan};
pub use ticks::{TickTable, TickTableError};
