//! Decides, instant by instant, whether an obligation is fulfilled, and if not why.
//!
//! [`verdict`] is the rule of REFERENCE section 5 at one instant; [`IssueMeasure`] runs it along the day for all obligations
//! of one issue, with the availability of REFERENCE section 4 and the doubt of section 2 around it, and pushes maximal
//! [`Interval`](quoteclock_model::Interval)s to an [`IntervalSink`]. Issues are independent of each other: nothing here
//! knows a second one. Beside the clocks it adds up what each sign-up and the market trade.
//!
//! Invariants: the intervals of one obligation are adjacent, none is empty, neighbours differ in state (where quotes have to
//! rest for a while, unknown time may follow unknown time), and together they are the day. An instant is judged once, after the last event of its time. Deliberately absent: sums
//! (`quoteclock-ledger`) and names.

mod clock;
mod hours;
mod issue;
mod margin;
mod resent;
mod schedule;
mod servers;
mod sign_ups;
mod state;
mod turnover;
mod verdict;

pub use clock::Clock;
pub use issue::{DaySink, IntervalSink, IssueMeasure, ObligationIndex, PrefetchStep, SignUpAt};
pub use schedule::Schedule;
pub use servers::PlanServers;
pub use sign_ups::Running;
pub use state::{MeasureState, StateError};
pub use verdict::{counted_sizes, verdict};
