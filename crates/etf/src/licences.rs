//! *Granting of Licenses for Domestic ETFs Based on Indexes Calculated by the TSE*: who gets a licence for an index, who
//! waits and until when, and what people have to evaluate.
//!
//! A licence is open or closed: with a closed one its holder may list an ETF ahead of others. Applications on an index
//! that exists count in the order in which they were received; those on a future index within its application period are
//! one moment. Moments are decided one after the other, and within a moment closed applications before open ones.

mod decide;
mod read;
#[cfg(test)]
mod tests;

use crate::{Decimal, Interpretation, Missing};
use jiff::civil::Date;
use quoteclock_model::Timestamp;
use std::fmt;

pub use decide::decide;
pub use read::{FILE_NAMES, load};

/// What the decisions rest on, as the files have it. The order of rows plays no part.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Rows {
    /// The indices, one row each.
    pub indices: Vec<Index>,
    /// The applications, one row each.
    pub applications: Vec<Application>,
    /// What people decided, at most one row for each application; there is one of that name.
    pub grants: Vec<Grant>,
}

/// An index that TSE calculates, or will.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Index {
    /// Its name.
    pub index: String,
    /// Whether TSE calculates it now.
    pub kind: Kind,
}

/// Which methodology applies.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kind {
    /// TSE calculates the index now (II. 1.).
    Current {
        /// Whether it is on TSE's list of those available.
        available: Option<bool>,
        /// Whether a domestic ETF that has no closed licence tracks it.
        etf_listed: bool,
    },
    /// TSE will calculate the index (II. 2.).
    Future {
        /// The first date of the application period.
        period_from: Option<Date>,
        /// The last date of the application period.
        period_to: Option<Date>,
        /// What a proposed fee has to exceed, in yen.
        fee_minimum: Option<Decimal>,
        /// The companies that have priority.
        custom_for: Vec<String>,
    },
}

/// A licence of one of two kinds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Licence {
    /// For whoever applies.
    Open,
    /// Ahead of others for a time.
    Closed,
}

/// An application for a licence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Application {
    /// Its name.
    pub application: String,
    /// The index.
    pub index: String,
    /// Who applies.
    pub company: String,
    /// When TSE received it.
    pub received: Timestamp,
    /// What for.
    pub licence: Licence,
    /// The fee that it proposes, in yen.
    pub fee: Option<Decimal>,
    /// When the ETF is to be listed.
    pub listing: Option<Date>,
}

/// What people decided on an application.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Grant {
    /// The application.
    pub application: String,
    /// Whether it was granted; refused otherwise.
    pub granted: bool,
    /// When the ETF was listed.
    pub listed: Option<Date>,
    /// The first day on which others are free.
    pub free_from: Option<Date>,
}

/// What becomes of an application.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Outcome {
    /// The licence is granted; the evaluation that TSE makes of every applicant remains.
    Grant,
    /// No licence.
    Refuse,
    /// People have to compare.
    Evaluate,
    /// Later.
    Wait,
    /// Something is missing.
    Undecided,
}

/// As files name it.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Outcome::Grant => "grant",
            Outcome::Refuse => "refuse",
            Outcome::Evaluate => "evaluate",
            Outcome::Wait => "wait",
            Outcome::Undecided => "undecided",
        })
    }
}

/// Why: it prints as a clause.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Clause {
    /// People decided. Clause: `LIC/decided`.
    Decided,
    /// TSE's list of indices. Clause: `LIC/not-available`.
    NotAvailable,
    /// A closed licence on an index that a listed ETF tracks. Clause: `LIC/etf-listed`.
    EtfListed,
    /// The application period of a future index. Clause: `LIC/application-period`.
    ApplicationPeriod,
    /// The minimum fee. Clause: `LIC/fee-minimum`.
    FeeMinimum,
    /// Priority of the companies that an index is made with. Clause: `LIC/custom`.
    Custom,
    /// Somebody else's closed licence. Clause: `LIC/closed-term`.
    ClosedTerm,
    /// Closed applications of one moment. Clause: `LIC/simultaneous-closed`.
    SimultaneousClosed,
    /// First come, first served. Clause: `LIC/order-of-receipt`.
    OrderOfReceipt,
    /// Nobody applied in the application period. Clause: `LIC/no-application`.
    NoApplication,
}

impl fmt::Display for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Clause::Decided => "LIC/decided",
            Clause::NotAvailable => "LIC/not-available",
            Clause::EtfListed => "LIC/etf-listed",
            Clause::ApplicationPeriod => "LIC/application-period",
            Clause::FeeMinimum => "LIC/fee-minimum",
            Clause::Custom => "LIC/custom",
            Clause::ClosedTerm => "LIC/closed-term",
            Clause::SimultaneousClosed => "LIC/simultaneous-closed",
            Clause::OrderOfReceipt => "LIC/order-of-receipt",
            Clause::NoApplication => "LIC/no-application",
        })
    }
}

/// The decision on one application.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decision {
    /// The index.
    pub index: String,
    /// The application.
    pub application: String,
    /// Who applies.
    pub company: String,
    /// What becomes of it.
    pub outcome: Outcome,
    /// Its place in the queue of the index, from 1; `None` for what is not in it.
    pub place: Option<usize>,
    /// Of what waits: the first day on which it need not, if that is known. Of a granted closed licence: the first day on
    /// which others are free.
    pub free_from: Option<Date>,
    /// The applications that hold it back, or with which it is to be evaluated, sorted.
    pub others: Vec<String>,
    /// Why.
    pub clauses: Vec<Clause>,
    /// What it needs to be decided.
    pub missing: Missing,
}

/// How the document is read where it is silent.
///
/// Interpretations: `QC/custom_party`, `QC/same_moment`, `QC/term_end`.
pub const INTERPRETATIONS: [Interpretation; 3] = [
    Interpretation { name: "custom_party", value: "first" },
    Interpretation { name: "same_moment", value: "closed before open" },
    Interpretation { name: "term_end", value: "free on the day six months after listing" },
];
