//! What was traded and sent on one day: exact sums, of one sign-up and of the whole market.
//!
//! Sums of integers, so that order does not matter and parts merge by adding. Deliberately absent: money paid for it.

use crate::{Amount, IssueCode, Price, Shares};
use std::collections::BTreeMap;
use std::ops::AddAssign;

/// Executions, added up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Executed {
    /// Price times quantity, without rounding.
    pub value: Amount,
    /// Shares. Wider than [`Shares`]: no sum of records that each fit can overflow it.
    pub quantity: u128,
}

impl Executed {
    /// One execution. Its price is `None` where a feed leaves it at the limit of an order that has none.
    pub const fn of(price: Option<Price>, quantity: Shares) -> Executed {
        let value = match price {
            Some(price) => price.amount(quantity),
            None => Amount(0),
        };
        Executed { value, quantity: quantity.0 as u128 }
    }
}

impl AddAssign for Executed {
    #[inline]
    fn add_assign(&mut self, other: Executed) {
        self.value += other.value;
        self.quantity += other.quantity;
    }
}

/// With whom a market maker traded.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Counterparty {
    /// A market maker that is signed up for the issue on the date, or for any, as the interpretations say; also the
    /// market maker itself, unless they say otherwise. Clauses: `QC/counterparty_market_maker`, `QC/self_trades`.
    MarketMaker,
    /// Anybody else.
    Other,
    /// The feed does not name the other order. Clause: `QC/unnamed_counterparty`.
    Unnamed,
}

/// Executions by counterparty.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ByCounterparty {
    /// Against a market maker, see [`Counterparty::MarketMaker`].
    pub market_maker: Executed,
    /// Against anybody else.
    pub other: Executed,
    /// Against an order that the feed does not name.
    pub unnamed: Executed,
}

impl ByCounterparty {
    /// The sum of one kind of counterparty.
    pub const fn of_mut(&mut self, counterparty: Counterparty) -> &mut Executed {
        match counterparty {
            Counterparty::MarketMaker => &mut self.market_maker,
            Counterparty::Other => &mut self.other,
            Counterparty::Unnamed => &mut self.unnamed,
        }
    }
}

/// When an execution took place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Trading {
    /// In the continuous auction.
    Continuous,
    /// In a call auction. Clause: `QC/auction_trades`.
    Auction,
}

/// What one sign-up traded and sent on one day.
///
/// An execution between two orders of one sign-up counts twice, once for each order, as any other does for its two sides.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Turnover {
    /// Executions in the continuous auction.
    pub continuous: ByCounterparty,
    /// Executions in call auctions.
    pub auction: ByCounterparty,
    /// Orders sent: entries and changes. Clause: `QC/access_fee_counts`.
    pub order_count: u64,
}

impl Turnover {
    /// All sums in the order in which tables have them: the continuous auction's, then call auctions'; of each, against market
    /// makers, anybody else, and orders that the feed does not name.
    pub const fn executed(&self) -> [Executed; 6] {
        let Turnover { continuous, auction, order_count: _ } = self;
        [
            continuous.market_maker,
            continuous.other,
            continuous.unnamed,
            auction.market_maker,
            auction.other,
            auction.unnamed,
        ]
    }

    /// The turnover of those sums.
    pub const fn from_executed(order_count: u64, executed: [Executed; 6]) -> Turnover {
        let [market_maker, other, unnamed, in_auction @ ..] = executed;
        let continuous = ByCounterparty { market_maker, other, unnamed };
        let [market_maker, other, unnamed] = in_auction;
        Turnover { continuous, auction: ByCounterparty { market_maker, other, unnamed }, order_count }
    }

    /// The sums of one kind of trading.
    pub const fn of_mut(&mut self, trading: Trading) -> &mut ByCounterparty {
        match trading {
            Trading::Continuous => &mut self.continuous,
            Trading::Auction => &mut self.auction,
        }
    }
}

/// What the whole market traded in one issue on one day; each trade counts once, whether it names its orders or not.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MarketTurnover {
    /// In the continuous auction.
    pub continuous: Executed,
    /// In call auctions.
    pub auction: Executed,
}

impl MarketTurnover {
    /// The sum of one kind of trading.
    pub const fn of_mut(&mut self, trading: Trading) -> &mut Executed {
        match trading {
            Trading::Continuous => &mut self.continuous,
            Trading::Auction => &mut self.auction,
        }
    }
}

impl AddAssign for MarketTurnover {
    fn add_assign(&mut self, other: MarketTurnover) {
        self.continuous += other.continuous;
        self.auction += other.auction;
    }
}

/// What was traded and sent on one day.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DayTurnover {
    /// Of each sign-up of the day's plan, in its order.
    pub sign_ups: Vec<Turnover>,
    /// Of each issue of the plan, and of every other in which there was a trade. An issue that is absent had none.
    pub issues: BTreeMap<IssueCode, MarketTurnover>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sum_has_its_place() {
        let executed = [1, 2, 3, 4, 5, 6].map(|quantity| Executed { value: Amount(quantity * 10), quantity });
        let turnover = Turnover::from_executed(7, executed);
        let quantity = |by: ByCounterparty| [by.market_maker, by.other, by.unnamed].map(|executed| executed.quantity);
        assert_eq!((quantity(turnover.continuous), quantity(turnover.auction)), ([1, 2, 3], [4, 5, 6]));
        assert_eq!((turnover.executed(), turnover.order_count), (executed, 7));
    }
}
