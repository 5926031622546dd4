//! Market events: what one record of the order-by-order feed says, whatever format it came in.
//!
//! An event refers to issues and servers by index; the decoder announces each name once, before its first use.

use crate::{IssueIndex, OrderId, Price, ServerIndex, Shares, Timestamp};

/// The side of an order.
///
/// ```
/// use quoteclock_model::Side;
///
/// assert_eq!(Side::BOTH, [Side::Bid, Side::Offer]);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Side {
    /// To buy.
    Bid,
    /// To sell.
    Offer,
}

impl Side {
    /// Both sides, bid first.
    pub const BOTH: [Side; 2] = [Side::Bid, Side::Offer];
}

/// When an order may execute, where that is not "at any time".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum OrderCondition {
    /// No condition.
    #[default]
    None,
    /// Only in the opening auction: in the book, no quote.
    OnOpen,
    /// Only in the closing auction: in the book, no quote.
    OnClose,
    /// Becomes a market order at the close; a quote while it rests.
    Funari,
    /// Immediate or cancel; a quote for as long as the feed keeps it.
    Ioc,
}

impl OrderCondition {
    /// Whether a limit order under this condition is a quote while it rests.
    ///
    /// Clause: `QC/on_close_orders`.
    pub const fn quotes(self) -> bool {
        match self {
            OrderCondition::None | OrderCondition::Funari | OrderCondition::Ioc => true,
            OrderCondition::OnOpen | OrderCondition::OnClose => false,
        }
    }
}

/// A trading phase, of the market or of one issue.
///
/// Clause: `ST1/halts-and-special-quotes`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Phase {
    /// Continuous auction (zaraba).
    Continuous,
    /// A sequential trade quote: executions continue, one price at a time.
    SequentialQuote,
    /// A special quote: no execution until the price has moved.
    SpecialQuote,
    /// A trading halt.
    Halt,
    /// A call auction (itayose).
    Auction,
    /// Not open.
    Closed,
}

impl Phase {
    /// All phases.
    pub const ALL: [Phase; 6] =
        [Phase::Continuous, Phase::SequentialQuote, Phase::SpecialQuote, Phase::Halt, Phase::Auction, Phase::Closed];

    /// The phase as inputs and outputs name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Phase::Continuous => "continuous",
            Phase::SequentialQuote => "sequential_quote",
            Phase::SpecialQuote => "special_quote",
            Phase::Halt => "halt",
            Phase::Auction => "auction",
            Phase::Closed => "closed",
        }
    }

    /// The phase of that name.
    pub fn named(name: &[u8]) -> Option<Phase> {
        Phase::ALL.into_iter().find(|phase| phase.as_str().as_bytes() == name)
    }
}

/// A set of phases: those in which a quote is required.
///
/// Clause: `ST1/halts-and-special-quotes`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Phases(u8);

impl Phases {
    /// The set of these.
    pub const fn of(phases: &[Phase]) -> Phases {
        let (mut bits, mut at) = (0, 0);
        while at < phases.len() {
            bits |= 1 << phases[at] as u8;
            at += 1;
        }
        Phases(bits)
    }

    /// Whether the phase is one of them.
    #[inline]
    pub const fn contains(self, phase: Phase) -> bool {
        self.0 & 1 << phase as u8 != 0
    }

    /// Whether a market and an issue in these phases are, taken together, in one of them. `Continuous` restricts nothing: where
    /// one of both is so, the other tells the phase. Where neither is, both have to be in the set.
    ///
    /// ```
    /// use quoteclock_model::{Phase, Phases};
    /// let trading = Phases::of(&[Phase::Continuous, Phase::SequentialQuote]);
    /// assert!(trading.contain_both(Phase::Continuous, Phase::SequentialQuote));
    /// assert!(!trading.contain_both(Phase::Closed, Phase::Continuous));
    /// assert!(Phases::of(&[Phase::Auction]).contain_both(Phase::Continuous, Phase::Auction));
    /// ```
    #[inline]
    pub const fn contain_both(self, market: Phase, issue: Phase) -> bool {
        match (market, issue) {
            (Phase::Continuous, phase) | (phase, Phase::Continuous) => self.contains(phase),
            (market, issue) => self.contains(market) && self.contains(issue),
        }
    }
}

/// What happens to one order, or to several in one trade.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OrderAction {
    /// The order rests in the book.
    Add {
        /// Its number, not live in the issue's book.
        order: OrderId,
        /// The virtual server that it came through, where the feed says so.
        server: Option<ServerIndex>,
        /// Its side.
        side: Side,
        /// Its limit; `None` for a market order.
        price: Option<Price>,
        /// Its quantity, above zero.
        quantity: Shares,
        /// Its condition.
        condition: OrderCondition,
    },
    /// The order changes; side, server and condition carry over.
    Replace {
        /// Its number so far.
        order: OrderId,
        /// Its number from now on (the same, where the feed keeps it).
        order_new: OrderId,
        /// Its new limit; `None` leaves it as it was.
        price: Option<Price>,
        /// What now remains, above zero; `None` leaves it as it was.
        quantity: Option<Shares>,
    },
    /// That many shares are taken off; at zero the order is gone.
    Reduce {
        /// The order.
        order: OrderId,
        /// Shares taken off, above zero and at most what remains.
        quantity: Shares,
    },
    /// The whole rest leaves the book.
    Cancel {
        /// The order.
        order: OrderId,
    },
    /// An execution. It takes the quantity off each order named.
    Trade {
        /// Execution price; `None` where the feed leaves it at the limit of the order named.
        price: Option<Price>,
        /// Shares executed, above zero.
        quantity: Shares,
        /// The orders named, at most one of each side of the trade; which is in which place does not matter.
        orders: [Option<OrderId>; 2],
        /// Whether the feed marks it as a call-auction execution.
        auction: bool,
    },
}

/// Which issues an event concerns.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Scope {
    /// One issue.
    Issue(IssueIndex),
    /// The whole market.
    Market,
}

/// What one record says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MarketEvent {
    /// Something happened to orders of one issue.
    Order {
        /// The issue.
        issue: IssueIndex,
        /// What happened.
        action: OrderAction,
    },
    /// A trading phase begins and holds until the next of the same scope.
    Phase {
        /// Whose phase.
        scope: Scope,
        /// The phase.
        phase: Phase,
    },
    /// The book is emptied; the source then sends again what rests.
    Clear {
        /// Whose book.
        scope: Scope,
    },
}

impl MarketEvent {
    /// The virtual server that it names, if it adds an order and names one.
    #[inline]
    pub const fn server(&self) -> Option<ServerIndex> {
        match self {
            MarketEvent::Order { action: OrderAction::Add { server, .. }, .. } => *server,
            _ => None,
        }
    }

    /// The issue, or the market, that the event concerns.
    pub const fn scope(&self) -> Scope {
        match *self {
            MarketEvent::Order { issue, .. } => Scope::Issue(issue),
            MarketEvent::Phase { scope, .. } | MarketEvent::Clear { scope } => scope,
        }
    }
}

/// An event and the exchange's time of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Record {
    /// Exchange time, floored to the microsecond.
    pub ts_event: Timestamp,
    /// What happened.
    pub event: MarketEvent,
}
