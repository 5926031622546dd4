//! Runs one trading day: records in, intervals out.
//!
//! [`Engine`] measures all issues of a day from good events. [`Day`] stands before it and judges each record's place: its
//! sequence number, its time, its date; it stops at the first bad record or sets it aside, and keeps what that leaves in
//! doubt. Both are driven by pushing, by a file replay as by a live feed.
//!
//! Invariants: same records and terms, same intervals, whatever the chunks; a refused record changes nothing.
//! Deliberately absent: files, clocks, threads.

mod batch;
mod block;
mod coverage;
mod crew;
mod day;
mod engine;
mod faults;
mod group;
mod intake;
mod late;
mod market;
mod pass;
mod state;
mod until;

pub use coverage::Coverage;
pub use crew::{Alone, Crew, Part};
pub use day::{Day, DayOptions, Finished, RejectSink};
pub use engine::{Engine, MeasureIndex};
pub use faults::{BadRecord, DayError, Fault, FaultKind};
pub use late::{UnknownTime, UnknownWindow};
pub use market::MarketChange;
pub use pass::Pass;
pub use state::{DayState, EngineState, IssueState, RestoreError, StageState};
pub use until::Until;
