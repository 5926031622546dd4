//! What the measurement says: for one obligation, stretches of time and the state in each.

use crate::{Span, Timestamp};
use std::fmt;

/// What is wrong with one side of a market maker's quotes.
///
/// ```
/// use quoteclock_model::{Reason, SideFault};
///
/// assert_eq!([SideFault::NoQuote, SideFault::Size].map(|fault| Reason::Bid(fault).as_str()), ["no_bid", "bid_size"]);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SideFault {
    /// No quote at all.
    NoQuote,
    /// Quotes, but less than the minimum.
    Size,
}

/// Why an obligation was not fulfilled (REFERENCE section 8).
///
/// ```
/// use quoteclock_model::{Reason, SideFault};
///
/// let reason = Reason::Both { bid: SideFault::Size, offer: SideFault::NoQuote };
/// assert_eq!(reason.to_string(), "bid_size+no_offer");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Reason {
    /// The bid side is missing or too small.
    Bid(SideFault),
    /// The offer side is missing or too small.
    Offer(SideFault),
    /// Both sides are missing or too small.
    Both {
        /// The bid side's fault.
        bid: SideFault,
        /// The offer side's fault.
        offer: SideFault,
    },
    /// Both sides are large enough but too far apart.
    Spread,
    /// Both sides are large enough and close enough, but one is larger than the other by too much.
    SizeBalance,
    /// Quotes that would have done, but not for as long as they have to rest.
    Resting,
}

impl Reason {
    /// All reasons that there are.
    pub const ALL: [Reason; 11] = {
        use SideFault::{NoQuote, Size};
        [
            Reason::Bid(NoQuote),
            Reason::Bid(Size),
            Reason::Offer(NoQuote),
            Reason::Offer(Size),
            Reason::Both { bid: NoQuote, offer: NoQuote },
            Reason::Both { bid: NoQuote, offer: Size },
            Reason::Both { bid: Size, offer: NoQuote },
            Reason::Both { bid: Size, offer: Size },
            Reason::Spread,
            Reason::SizeBalance,
            Reason::Resting,
        ]
    };

    /// The reason that the output files write so; `None` if none is.
    ///
    /// ```
    /// use quoteclock_model::Reason;
    ///
    /// assert!(Reason::ALL.iter().all(|reason| Reason::named(reason.as_str()) == Some(*reason)));
    /// assert_eq!(Reason::named("wide"), None);
    /// ```
    pub fn named(text: &str) -> Option<Reason> {
        Reason::ALL.into_iter().find(|reason| reason.as_str() == text)
    }

    /// The reason as the output files write it.
    pub const fn as_str(self) -> &'static str {
        use SideFault::{NoQuote, Size};
        match self {
            Reason::Bid(NoQuote) => "no_bid",
            Reason::Bid(Size) => "bid_size",
            Reason::Offer(NoQuote) => "no_offer",
            Reason::Offer(Size) => "offer_size",
            Reason::Both { bid: NoQuote, offer: NoQuote } => "no_bid+no_offer",
            Reason::Both { bid: NoQuote, offer: Size } => "no_bid+offer_size",
            Reason::Both { bid: Size, offer: NoQuote } => "bid_size+no_offer",
            Reason::Both { bid: Size, offer: Size } => "bid_size+offer_size",
            Reason::Spread => "spread",
            Reason::SizeBalance => "size_balance",
            Reason::Resting => "resting",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The state of one obligation at an instant.
///
/// ```
/// use quoteclock_model::{Reason, State};
///
/// let told = match State::Breach(Reason::Spread) {
///     State::Unavailable => "no quote was required".to_owned(),
///     State::Unknown => "nobody knows".to_owned(),
///     State::Fulfilled => "met".to_owned(),
///     State::Breach(reason) => format!("not met: {reason}"),
/// };
/// assert_eq!(told, "not met: spread");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum State {
    /// No quote was required (REFERENCE section 4).
    Unavailable,
    /// A quote would have been required, but damaged input leaves in doubt what was quoted (REFERENCE section 2).
    Unknown,
    /// A quote was required and the obligation was met (REFERENCE section 5).
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_among_all_and_found_by_its_word() {
        let words = Reason::ALL.map(Reason::as_str);
        for word in ["no_bid", "bid_size+offer_size", "spread", "size_balance", "resting"] {
            assert!(words.contains(&word), "{word}");
        }
        assert!(Reason::ALL.iter().all(|reason| Reason::named(reason.as_str()) == Some(*reason)));
        assert!(Reason::ALL.is_sorted(), "in the order in which outputs name them");
    }
}
