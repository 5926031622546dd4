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
mod day;
mod day_run;
mod engine;
mod executor;
mod faults;
mod group;
mod issue_slot;
mod market;
mod order_checks;
mod retroactive;
mod save;
mod state;
mod until;

pub use coverage::Coverage;
pub use day::{Day, DayOptions, Finished, NoRejects, RejectSink};
pub use day_run::{DayRun, InputRun};
pub use engine::{Engine, MeasureIndex};
pub use executor::{Executor, SingleThread, Task};
pub use faults::{About, BadRecord, DayError, Fault, FaultKind};
pub use market::MarketChange;
pub use retroactive::{UnknownTime, UnknownWindow};
pub use state::{DayState, EngineState, IssueState, RestoreError, SavedDay, StageState};
pub use until::Until;
