//! What happened, where it stands in the file, and what it did to whom.

use quoteclock_book::Order;
use quoteclock_feed::Place;
use quoteclock_model::{OrderId, Phase, Price, SequenceNo, Shares, Side, Timestamp};
use std::sync::Arc;

/// A record that concerns the obligation observed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// Where it stands in its input.
    pub place: Place,
    /// That input, where it is not the first of several of the day.
    pub input: Option<Arc<str>>,
    /// Its sequence number, where the file has them.
    pub sequence: Option<SequenceNo>,
    /// When it took effect.
    pub at: Timestamp,
    /// What happened.
    pub what: What,
}

impl Event {
    /// Where it stands: `line 4`, or `line 4 of exchange.csv`.
    pub(crate) fn whereabouts(&self) -> String {
        match &self.input {
            Some(input) => format!("{} of {input}", self.place),
            None => self.place.to_string(),
        }
    }
}

/// An order of the market maker, as it was before the event (as it is after an `add`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OwnOrder {
    /// Its number.
    pub id: OrderId,
    /// The virtual server that it came through.
    pub server: Arc<str>,
    /// Its side.
    pub side: Side,
    /// Its limit; `None` for a market order.
    pub price: Option<Price>,
    /// Its quantity.
    pub quantity: Shares,
    /// Whether it is a quote, rather than an order for an auction only or a market order.
    pub quotes: bool,
}

impl OwnOrder {
    /// An order that came through `server`.
    pub(crate) fn new(id: OrderId, order: &Order, server: Arc<str>) -> OwnOrder {
        let Order { side, price, quantity, .. } = *order;
        OwnOrder { id, server, side, price, quantity, quotes: order.quote_price().is_some() }
    }
}

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum What {
    /// An own order was entered.
    Add {
        /// The order.
        order: OwnOrder,
    },
    /// An own order was changed.
    Replace {
        /// The order before.
        order: OwnOrder,
        /// Its number after.
        id: OrderId,
        /// Its limit after.
        price: Option<Price>,
        /// What remains after.
        quantity: Shares,
    },
    /// Shares were taken off an own order.
    Reduce {
        /// The order before.
        order: OwnOrder,
        /// Shares taken off.
        quantity: Shares,
    },
    /// An own order was cancelled.
    Cancel {
        /// The order before.
        order: OwnOrder,
    },
    /// Own orders were executed.
    Trade {
        /// The price of the execution, where the feed tells it.
        price: Option<Price>,
        /// Shares executed.
        quantity: Shares,
        /// The own orders, one or two, before.
        orders: Vec<OwnOrder>,
    },
    /// A phase began.
    Phase {
        /// Whether of the whole market, rather than of the issue.
        market: bool,
        /// The phase.
        phase: Phase,
    },
    /// The book was emptied.
    Clear {
        /// Whether every book, rather than the issue's.
        market: bool,
    },
    /// A bad record was set aside.
    Bad {
        /// What is wrong with it.
        fault: String,
    },
}

impl What {
    /// The kind of event, as the input names it.
    pub const fn kind(&self) -> &'static str {
        match self {
            What::Add { .. } => "add",
            What::Replace { .. } => "replace",
            What::Reduce { .. } => "reduce",
            What::Cancel { .. } => "cancel",
            What::Trade { .. } => "trade",
            What::Phase { .. } => "phase",
            What::Clear { .. } => "clear",
            What::Bad { .. } => "bad_record",
        }
    }

    /// Whether it is an event of the market maker's own orders.
    pub const fn is_own(&self) -> bool {
        !matches!(self, What::Phase { .. } | What::Clear { .. } | What::Bad { .. })
    }
}

/// Why one stretch ended and the next began.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Cause {
    /// A record.
    Event(Event),
    /// Something known beforehand.
    Edge {
        /// What.
        edge: Edge,
        /// When.
        at: Timestamp,
    },
    /// Further records of the same time, too many to list: so many before the ones listed.
    Omitted(usize),
}

/// An edge of a stretch that is known before the day begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Edge {
    /// The day begins.
    DayStart,
    /// The day ends.
    DayEnd,
    /// The day is measured up to here only.
    Until,
    /// A continuous window begins.
    SessionStart,
    /// A continuous window ends.
    SessionEnd,
    /// An exemption begins, for this reason.
    ExemptionStart(Option<String>),
    /// An exemption ends.
    ExemptionEnd(Option<String>),
    /// Time begins that a later bad record puts in doubt.
    UnknownStart,
    /// Time ends that a later bad record puts in doubt.
    UnknownEnd,
    /// Other limits come into force.
    LimitsChange,
    /// The time after a beginning is over in which nothing was required yet.
    DelayEnd,
}

impl Edge {
    /// The kind of edge, for programs.
    pub const fn kind(&self) -> &'static str {
        match self {
            Edge::DayStart => "day_start",
            Edge::DayEnd => "day_end",
            Edge::Until => "until",
            Edge::SessionStart => "session_start",
            Edge::SessionEnd => "session_end",
            Edge::ExemptionStart(_) => "exemption_start",
            Edge::ExemptionEnd(_) => "exemption_end",
            Edge::UnknownStart => "unknown_start",
            Edge::UnknownEnd => "unknown_end",
            Edge::LimitsChange => "limits_change",
            Edge::DelayEnd => "delay_end",
        }
    }
}
