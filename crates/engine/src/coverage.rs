//! What an input does not support of the figures that are measured from it.

use quoteclock_model::{IssueCode, Timestamp};
use std::fmt;

/// Something that an input lacks, or holds beyond what the registry knows. A figure stands on it all the same; whoever
/// reads the figure has to know.
///
/// ```
/// use quoteclock_engine::Coverage;
///
/// let silent = Coverage::SilentServer { server: "VS101".to_owned() };
/// assert_eq!((silent.kind(), silent.name()), ("silent_server", Some("VS101")));
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[non_exhaustive]
pub enum Coverage {
    /// There are no records, or no sign-up is in force on the date.
    NothingToMeasure,
    /// Its last record comes before the session ends, and no record has closed the market.
    EndsEarly {
        /// The time of the last record.
        last: Timestamp,
        /// When the session ends; not known where the feed tells it.
        session_end: Option<Timestamp>,
    },
    /// It tells no phase, of the market or of an issue, all day.
    NoPhase,
    /// It has orders of a server that no row of the registry knows.
    UnknownServer {
        /// The server.
        server: String,
        /// How many orders it added, those among them that were sent again.
        orders: u64,
    },
    /// A server that is registered on the date added no order.
    SilentServer {
        /// The server.
        server: String,
    },
    /// An issue that is signed up for on the date has no event.
    SilentIssue {
        /// The issue.
        issue: IssueCode,
    },
    /// It has events of an issue that no row of the registry knows.
    UnknownIssue {
        /// The issue.
        issue: IssueCode,
    },
    /// An order that is said to be one's own is in none of its events.
    UnseenOrder {
        /// Its number, and its issue where that is said.
        order: String,
    },
}

impl Coverage {
    /// The word for its kind, as outputs have it.
    pub fn kind(&self) -> &'static str {
        match self {
            Coverage::NothingToMeasure => "nothing_to_measure",
            Coverage::EndsEarly { .. } => "ends_early",
            Coverage::NoPhase => "no_phase",
            Coverage::UnknownServer { .. } => "unknown_server",
            Coverage::SilentServer { .. } => "silent_server",
            Coverage::SilentIssue { .. } => "silent_issue",
            Coverage::UnknownIssue { .. } => "unknown_issue",
            Coverage::UnseenOrder { .. } => "unseen_order",
        }
    }

    /// The server, issue or order that it is about.
    pub fn name(&self) -> Option<&str> {
        match self {
            Coverage::NothingToMeasure | Coverage::EndsEarly { .. } | Coverage::NoPhase => None,
            Coverage::UnknownServer { server, .. } | Coverage::SilentServer { server } => Some(server),
            Coverage::SilentIssue { issue } | Coverage::UnknownIssue { issue } => Some(issue.as_str()),
            Coverage::UnseenOrder { order } => Some(order),
        }
    }

    /// How many orders it is about.
    pub fn orders(&self) -> Option<u64> {
        if let Coverage::UnknownServer { orders, .. } = self { Some(*orders) } else { None }
    }
}

/// The name that it is about, with the count that belongs to it.
impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name().unwrap_or_default())?;
        match self.orders() {
            Some(1) => f.write_str(" (1 order)"),
            Some(orders) => write!(f, " ({orders} orders)"),
            None => Ok(()),
        }
    }
}
