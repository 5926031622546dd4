//! What is traded and sent in one issue: sums for each sign-up and for the market, out of the same replay.
//!
//! The book tells of every order that an event touches; [`Parties`] keeps who that was (at most two orders, on the stack),
//! and once the event has been applied [`IssueTurnover`] adds it up. Nothing is looked up a second time.
//!
//! Deliberately absent: whether an execution is paid for.

use quoteclock_book::{Holder, QuoteChange, UsualChange, prefetch_all};
use quoteclock_model::{Counterparty, Executed, MarketTurnover, Price, ServerIndex, Trading, Turnover};
use quoteclock_rules::DayPlan;

/// An order that an event touched.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Party {
    /// Whose own quotes it belongs to.
    holder: Option<Holder>,
    server: Option<ServerIndex>,
    limit: Option<Price>,
}

impl Party {
    const NOBODY: Party = Party { holder: None, server: None, limit: None };
}

impl From<&QuoteChange> for Party {
    fn from(change: &QuoteChange) -> Party {
        Party { holder: change.holder, server: change.server, limit: change.limit }
    }
}

impl From<UsualChange> for Party {
    #[inline]
    fn from(change: UsualChange) -> Party {
        let limit = Price::from_ten_thousandths(change.taken.price.into());
        Party { holder: change.holder, server: change.server(), limit }
    }
}

/// The orders that one event touched, two at most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parties {
    orders: [Party; 2],
    count: usize,
}

impl Parties {
    pub(crate) const NONE: Parties = Parties { orders: [Party::NOBODY; 2], count: 0 };

    #[inline]
    pub(crate) fn one(order: Party) -> Parties {
        Parties { orders: [order, Party::NOBODY], count: 1 }
    }

    #[inline]
    pub(crate) fn two(orders: [Party; 2]) -> Parties {
        Parties { orders, count: 2 }
    }

    /// Takes note of one more.
    #[inline]
    pub(crate) fn note(&mut self, order: Party) {
        self.orders[self.count] = order;
        self.count += 1;
    }

    /// The limit of the first order that has one.
    #[inline]
    pub(crate) fn limit(&self) -> Option<Price> {
        self.orders.iter().find_map(|order| order.limit)
    }
}

/// The sums of one issue.
#[derive(Debug, Default)]
pub(crate) struct IssueTurnover {
    market: MarketTurnover,
    /// Each sign-up's position in the plan, and its sums.
    sign_ups: Vec<(usize, Turnover)>,
    /// For each server of the plan, one more than the position in `sign_ups` of its market maker, or 0. Also where the
    /// order is not the sign-up's own because its server belongs to another participant: the market maker is signed up
    /// for the issue all the same.
    maker_of_server: Vec<u32>,
}

impl IssueTurnover {
    /// That of an issue with the sign-ups at these positions of `plan`.
    pub(crate) fn new(plan: &DayPlan, positions: impl ExactSizeIterator<Item = usize>) -> IssueTurnover {
        let mut turnover = IssueTurnover::default();
        if positions.len() != 0 {
            turnover.sign_ups.reserve_exact(positions.len());
            turnover.maker_of_server.resize(plan.servers.len(), 0);
        }
        for position in positions {
            turnover.sign_ups.push((position, Turnover::default()));
            let mark = u32::try_from(turnover.sign_ups.len()).expect("fewer sign-ups than 32 bits count");
            for &server in plan.sign_ups[position].servers_of_market_maker.iter() {
                turnover.maker_of_server[server] = mark;
            }
        }
        turnover
    }

    /// Fetches the sums that an execution of a holder's order will change.
    #[inline]
    pub(crate) fn prefetch(&self, holder: Option<Holder>) {
        if let Some(sums) = holder.and_then(|holder| self.sign_ups.get(holder.index())) {
            prefetch_all(std::slice::from_ref(sums));
        }
    }

    /// Adds an execution to the market's sum, and to that of each sign-up whose order it names. `plan_server_of` gives the
    /// plan's position of a server of the feed, if it is in the plan.
    ///
    /// Clauses: `ST1/trading-value`, `QC/unnamed_counterparty`.
    #[inline]
    pub(crate) fn count_trade(
        &mut self,
        trading: Trading,
        executed: Executed,
        parties: &Parties,
        plan_server_of: &[Option<u32>],
    ) {
        *self.market.of_mut(trading) += executed;
        for order in 0..parties.count {
            let Some(own) = parties.orders[order].holder.map(Holder::index) else { continue };
            let counterparty = match parties.count {
                1 => Counterparty::Unnamed,
                _ => {
                    let server = parties.orders[1 - order].server.and_then(|server| plan_server_of[server.index()]);
                    self.counterparty(own, server)
                }
            };
            *self.sign_ups[own].1.of_mut(trading).of_mut(counterparty) += executed;
        }
    }

    /// Who stands behind the other order, whose server has the position `server` in the plan, as seen by the sign-up at
    /// `own`.
    fn counterparty(&self, own: usize, server: Option<u32>) -> Counterparty {
        let mark = server.and_then(|server| self.maker_of_server.get(server as usize)).copied().unwrap_or(0);
        match mark.checked_sub(1) {
            Some(maker) if maker as usize != own => Counterparty::MarketMaker,
            _ => Counterparty::Other,
        }
    }

    /// What the market traded so far.
    pub(crate) fn market(&self) -> MarketTurnover {
        self.market
    }

    /// Adds what the market traded in the same issue before it was known to be this one.
    pub(crate) fn add_market(&mut self, earlier: MarketTurnover) {
        self.market += earlier;
    }

    /// The sums of each sign-up, with its position in the plan.
    pub(crate) fn sign_ups(&self) -> &[(usize, Turnover)] {
        &self.sign_ups
    }
}
