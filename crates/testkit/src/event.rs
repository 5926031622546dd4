//! What an event says.

/// What an event or a doubt concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    Issue(String),
    Every,
}

impl Scope {
    /// Whether the issue is concerned.
    pub(crate) fn covers(&self, issue: &str) -> bool {
        match self {
            Scope::Issue(code) => code == issue,
            Scope::Every => true,
        }
    }
}

/// The side of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Bid,
    Offer,
}

/// The condition of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    None,
    OnOpen,
    OnClose,
    Funari,
    Ioc,
}

/// A trading phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Continuous,
    SequentialQuote,
    SpecialQuote,
    Halt,
    Auction,
    Closed,
}

impl Phase {
    /// As files spell it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Phase::Continuous => "continuous",
            Phase::SequentialQuote => "sequential_quote",
            Phase::SpecialQuote => "special_quote",
            Phase::Halt => "halt",
            Phase::Auction => "auction",
            Phase::Closed => "closed",
        }
    }
}

/// What an event does.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    Add { order: u64, server: String, side: Side, price: Option<i128>, quantity: i128, condition: Condition },
    Replace { order: u64, new_order: Option<u64>, price: Option<i128>, quantity: Option<i128> },
    Reduce { order: u64, quantity: i128 },
    Cancel { order: u64 },
    Trade { orders: Vec<u64>, quantity: i128 },
    Phase(Phase),
    Clear,
}

/// An applied record.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) line: u64,
    pub(crate) time: i128,
    pub(crate) scope: Scope,
    pub(crate) action: Action,
}
