//! What is traded and sent in one issue: sums for each sign-up and for the market, out of the same replay.
//!
//! The book tells of every order that an event touches; [`Parties`] keeps who that was (at most two orders, on the stack),
//! and once the event has been applied [`IssueTurnover`] adds it up. Nothing is looked up a second time.
//!
//! Deliberately absent: whether an execution is paid for.

use crate::PlanServers;
use quoteclock_book::{CompactChange, Holder, QuoteChange, prefetch_all};
use quoteclock_model::{Counterparty, Executed, MarketTurnover, Price, ServerIndex, Trading, Turnover};
use quoteclock_rules::{CounterpartyMarketMaker, DayPlan, SelfTrades, ServerPlan};

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

impl From<CompactChange> for Party {
    #[inline]
    fn from(change: CompactChange) -> Party {
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
#[derive(Debug)]
pub(crate) struct IssueTurnover {
    market: MarketTurnover,
    /// Each sign-up's position in the plan, and its sums. Orders are not among them: they are counted beside their quotes.
    sign_ups: Vec<(usize, Turnover)>,
    /// For each server of the plan, who trades through it.
    trader_of_server: Vec<Trader>,
    self_trades: Counterparty,
}

/// Who trades through a server, as far as others' executions depend on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Trader {
    /// The market maker of the sign-up at this position. Also where the order is not the sign-up's own because its server
    /// belongs to another participant: the market maker is signed up for the issue all the same.
    SignedUp(u32),
    /// Another that counts as a market maker.
    MarketMaker,
    Anybody,
}

impl IssueTurnover {
    /// That of an issue with the sign-ups at these positions of `plan`.
    pub(crate) fn new(plan: &DayPlan, positions: impl ExactSizeIterator<Item = usize>) -> IssueTurnover {
        let mut turnover = IssueTurnover {
            market: MarketTurnover::default(),
            sign_ups: Vec::new(),
            trader_of_server: Vec::new(),
            self_trades: match plan.self_trades {
                SelfTrades::MarketMaker => Counterparty::MarketMaker,
                SelfTrades::Other => Counterparty::Other,
            },
        };
        if positions.len() != 0 {
            let counts = |server: &ServerPlan| match plan.counterparty_market_maker {
                CounterpartyMarketMaker::Any if server.signed_up => Trader::MarketMaker,
                CounterpartyMarketMaker::Any | CounterpartyMarketMaker::SignedUpForIssue => Trader::Anybody,
            };
            turnover.sign_ups.reserve_exact(positions.len());
            turnover.trader_of_server.extend(plan.servers.iter().map(counts));
        }
        for (position, own) in positions.zip(0..) {
            turnover.sign_ups.push((position, Turnover::default()));
            for &server in plan.sign_ups[position].servers_of_market_maker.iter() {
                turnover.trader_of_server[server] = Trader::SignedUp(own);
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

    /// Adds an execution to the market's sum, and to that of each sign-up whose order it names. `servers` are those
    /// named so far.
    ///
    /// Clauses: `ST1/trading-value`, `QC/unnamed_counterparty`, `QC/self_trades`, `QC/counterparty_market_maker`.
    #[inline]
    pub(crate) fn count_trade(
        &mut self,
        trading: Trading,
        executed: Executed,
        parties: &Parties,
        servers: PlanServers<'_>,
    ) {
        *self.market.of_mut(trading) += executed;
        for order in 0..parties.count {
            let Some(own) = parties.orders[order].holder.map(Holder::index) else { continue };
            let counterparty = match parties.count {
                1 => Counterparty::Unnamed,
                _ => {
                    let server = parties.orders[1 - order].server.and_then(|server| servers.position(server));
                    self.counterparty(own, server)
                }
            };
            *self.sign_ups[own].1.of_mut(trading).of_mut(counterparty) += executed;
        }
    }

    /// Who stands behind the other order, whose server has the position `server` in the plan, as seen by the sign-up at
    /// `own`.
    fn counterparty(&self, own: usize, server: Option<usize>) -> Counterparty {
        let trader = server.and_then(|server| self.trader_of_server.get(server));
        match trader {
            Some(&Trader::SignedUp(maker)) if maker as usize == own => self.self_trades,
            Some(Trader::SignedUp(_) | Trader::MarketMaker) => Counterparty::MarketMaker,
            Some(Trader::Anybody) | None => Counterparty::Other,
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

    /// Sets the sums, those of the sign-ups in their order.
    pub(crate) fn restore(&mut self, market: MarketTurnover, sign_ups: &[Turnover]) {
        self.market = market;
        for ((_, sums), restored) in self.sign_ups.iter_mut().zip(sign_ups) {
            *sums = *restored;
        }
    }

    /// The sums of each sign-up, orders aside, with its position in the plan.
    pub(crate) fn sign_ups(&self) -> &[(usize, Turnover)] {
        &self.sign_ups
    }
}
