//! The words that every other crate of quoteclock speaks: units, identifiers, obligations, market events, intervals, turnover.
//!
//! Units are types: an instant is not a span, a price is not an amount, and only operations with a meaning exist
//! (instant − instant = span, price × shares = amount). Everything is an integer; nothing here rounds.
//!
//! Deliberately absent: I/O, calendars and time zones (instants are microseconds since the Unix epoch; which zone is meant
//! is known to `quoteclock-rules`, and only [`local_time`] writes an instant in one), serialization (file and wire types belong to the crate that owns the file), and text parsing
//! (formats belong to `quoteclock-feed`).

mod compact;
mod event;
mod ids;
mod interval;
mod local;
mod minimum;
mod obligation;
mod shard;
mod time;
mod turnover;
mod units;

pub use compact::{CompactEvent, TakeCompact};
pub use event::{MarketEvent, OrderAction, OrderCondition, Phase, Phases, Record, Scope, Side};
pub use ids::{IssueCode, IssueIndex, OrderId, SequenceNo, ServerIndex, is_control, is_name};
pub use interval::{Interval, Reason, SideFault, State};
pub use local::{Local, local_time};
pub use minimum::{MinimumSize, SizeRule};
pub use obligation::{ObligationId, ObligationIdError, Paid, SystemThreshold};
pub use shard::{Shard, ShardError};
pub use time::{Micros, Span, Timestamp, merge_spans};
pub use turnover::{ByCounterparty, Counterparty, DayTurnover, Executed, MarketTurnover, Trading, Turnover};
pub use units::{Amount, Bps, Price, Shares, Ticks};
