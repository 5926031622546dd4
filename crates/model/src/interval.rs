//! What the measurement says: for one obligation, stretches of time and the state in each.

use crate::{Span, Timestamp};
use std::fmt;

/// What is wrong with one side of a market maker's quotes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SideFault {
    /// No quote at all.
    NoQuote,
    /// Quotes, but less than the minimum.
    Size,
}

/// Why an obligation was not fulfilled (SPEC section 8).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Reason {
    /// One side or both are missing or too small; at least one of the two is `Some`.
    Sides {
        /// The bid side's fault.
        bid: Option<SideFault>,
        /// The offer side's fault.
        offer: Option<SideFault>,
    },
    /// Both sides are large enough but too far apart.
    Spread,
}

impl Reason {
    /// The reason as the output files write it.
    pub const fn as_str(self) -> &'static str {
        use SideFault::{NoQuote, Size};
        match self {
            Reason::Spread => "spread",
            Reason::Sides { bid, offer } => match (bid, offer) {
                (Some(NoQuote), None) => "no_bid",
                (Some(Size), None) => "bid_size",
                (None, Some(NoQuote)) => "no_offer",
                (None, Some(Size)) => "offer_size",
                (Some(NoQuote), Some(NoQuote)) => "no_bid+no_offer",
                (Some(NoQuote), Some(Size)) => "no_bid+offer_size",
                (Some(Size), Some(NoQuote)) => "bid_size+no_offer",
                (Some(Size), Some(Size)) => "bid_size+offer_size",
                (None, None) => panic!("a breach of neither side"),
            },
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The state of one obligation at an instant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum State {
    /// No quote was required (SPEC section 4).
    Unavailable,
    /// A quote would have been required, but damaged input leaves in doubt what was quoted (SPEC section 2).
    Unknown,
    /// A quote was required and the obligation was met (SPEC section 5).
    Fulfilled,
    /// A quote was required and the obligation was not met.
    Breach(Reason),
}

/// A maximal stretch of one state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Interval {
    /// The first instant of the state.
    pub start: Timestamp,
    /// The first instant of the next state.
    pub end: Timestamp,
    /// The state.
    pub state: State,
}

impl Interval {
    /// The stretch without its state.
    pub const fn span(&self) -> Span {
        Span { start: self.start, end: self.end }
    }
}
