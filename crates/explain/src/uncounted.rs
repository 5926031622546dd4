//! Orders of the market maker in the issue that count for nothing, and why: whoever asks why a quote was missing may have
//! sent one.

use crate::event::OwnOrder;
use crate::subject::Subject;
use quoteclock_book::Order;
use quoteclock_model::{OrderCondition, OrderId};
use quoteclock_rules::{DayPlan, Registry};
use std::collections::BTreeMap;

/// How many of them an instant shows.
const SHOWN_MAX: usize = 12;

/// A live order of the market maker that is no quote of the sign-up's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Uncounted {
    /// The order.
    pub order: OwnOrder,
    /// Why it does not count.
    pub why: WhyUncounted,
}

/// Why an order of the market maker does not count.
///
/// Clauses: `ST1/virtual-server-measuring`, `ST1/participant`, `QC/on_close_orders`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WhyUncounted {
    /// Its server belongs to another participant than the sign-up names.
    OtherParticipant {
        /// The participant of the server.
        of_server: String,
        /// That of the sign-up.
        of_sign_up: String,
    },
    /// No row of its server is in force on the date.
    NotInForce,
    /// It takes part in an auction only.
    AuctionOnly(OrderCondition),
    /// It has no limit.
    MarketOrder,
}

impl WhyUncounted {
    /// The reason as a word, for programs.
    pub const fn kind(&self) -> &'static str {
        match self {
            WhyUncounted::OtherParticipant { .. } => "other_participant",
            WhyUncounted::NotInForce => "server_not_in_force",
            WhyUncounted::AuctionOnly(_) => "auction_only",
            WhyUncounted::MarketOrder => "market_order",
        }
    }
}

/// How the orders of a server of the market maker stand to a sign-up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum ServerStanding {
    /// They are its quotes, unless the order itself is none.
    Counts,
    /// None is.
    Not(WhyUncounted),
}

impl ServerStanding {
    /// How `server` stands to the sign-up of `subject`; `None` if it never was the market maker's.
    pub(crate) fn of(registry: &Registry, plan: &DayPlan, subject: &Subject, server: &str) -> Option<ServerStanding> {
        if subject.servers.iter().any(|own| own == server) {
            return Some(ServerStanding::Counts);
        }
        let rows = || registry.servers().iter().filter(|row| row.server == server);
        let is_own = |market_maker: &str| market_maker == subject.market_maker;
        let Some(row) = rows().find(|row| row.period.contains(plan.date)) else {
            let was_own = rows().any(|row| is_own(&row.market_maker));
            return was_own.then_some(ServerStanding::Not(WhyUncounted::NotInForce));
        };
        if !is_own(&row.market_maker) {
            return None;
        }
        let signs = |row: &&quoteclock_rules::SignUp| {
            is_own(&row.market_maker) && row.issue.as_str() == subject.issue && row.period.contains(plan.date)
        };
        let participant = |name: &Option<String>| name.clone().unwrap_or_default();
        Some(ServerStanding::Not(WhyUncounted::OtherParticipant {
            of_server: participant(&row.participant),
            of_sign_up: registry
                .sign_ups()
                .iter()
                .find(signs)
                .map_or(String::new(), |row| participant(&row.participant)),
        }))
    }

    /// Why a live order of the server counts for nothing, if it does not.
    pub(crate) fn why_uncounted(&self, order: &Order) -> Option<WhyUncounted> {
        match self {
            ServerStanding::Not(why) => Some(why.clone()),
            ServerStanding::Counts if order.price.is_none() => Some(WhyUncounted::MarketOrder),
            ServerStanding::Counts if !order.condition.quotes() => Some(WhyUncounted::AuctionOnly(order.condition)),
            ServerStanding::Counts => None,
        }
    }
}

/// Follows them from event to event.
#[derive(Debug, Default)]
pub(crate) struct Uncounting(BTreeMap<OrderId, Uncounted>);

impl Uncounting {
    pub(crate) fn add(&mut self, uncounted: Uncounted) {
        self.0.insert(uncounted.order.id, uncounted);
    }

    pub(crate) fn take(&mut self, id: OrderId) {
        self.0.remove(&id);
    }

    /// The book is emptied.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The first of them by number, and how many there are.
    pub(crate) fn shown(&self) -> (Vec<Uncounted>, usize) {
        (self.0.values().take(SHOWN_MAX).cloned().collect(), self.0.len())
    }
}
