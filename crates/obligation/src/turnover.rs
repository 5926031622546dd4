//! What is traded and sent in one issue: sums for each sign-up and for the market, out of the same replay.
//!
//! The book tells of every order that an event touches; [`Parties`] keeps who that was (at most two orders, on the stack),
//! and once the event has been applied [`IssueTurnover`] adds it up. Nothing is looked up a second time.
//!
//! Deliberately absent: whether an execution is paid for.

use quoteclock_book::{Holder, QuoteChange};
use quoteclock_model::{Counterparty, Executed, MarketTurnover, Price, ServerIndex, Trading, Turnover};
use quoteclock_rules::DayPlan;

/// The orders that one event touched.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Parties {
    /// For each order, whose own quotes it belongs to, and its server.
    orders: [(Option<Holder>, Option<ServerIndex>); 2],
    count: usize,
    /// The limit of the first order that has one.
    limit: Option<Price>,
}

impl Parties {
    /// One order.
    #[inline]
    pub(crate) fn one(holder: Option<Holder>, limit: Option<Price>) -> Parties {
        Parties { orders: [(holder, None), (None, None)], count: 1, limit }
    }

    /// Takes note of an order.
    #[inline]
    pub(crate) fn note(&mut self, change: &QuoteChange) {
        self.orders[self.count] = (change.holder, change.server);
        self.count += 1;
        self.limit = self.limit.or(change.limit);
    }

    /// The limit of the first order that has one.
    #[inline]
    pub(crate) fn limit(&self) -> Option<Price> {
        self.limit
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
    /// Adds the sign-up at `position` of `plan`.
    pub(crate) fn add_sign_up(&mut self, plan: &DayPlan, position: usize) {
        self.sign_ups.push((position, Turnover::default()));
        let mark = u32::try_from(self.sign_ups.len()).expect("fewer sign-ups than 32 bits count");
        self.maker_of_server.resize(plan.servers.len(), 0);
        for (server, maker) in plan.servers.iter().zip(&mut self.maker_of_server) {
            if server.market_maker == plan.sign_ups[position].market_maker {
                *maker = mark;
            }
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
            let Some(own) = parties.orders[order].0.map(Holder::index) else { continue };
            let counterparty = match parties.count {
                1 => Counterparty::Unnamed,
                _ => {
                    let server = parties.orders[1 - order].1.and_then(|server| plan_server_of[server.index()]);
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
