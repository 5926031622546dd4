//! Orders and quotes by the names that a log gives them, and what remains of each.

use foldhash::quality::RandomState;
use hashbrown::HashMap;
use quoteclock_model::{IssueIndex, OrderAction, OrderCondition, OrderId, Price, ServerIndex, Shares, Side};
use std::collections::BTreeMap;

/// A side of a quote.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Quote {
    pub(super) price: Price,
    pub(super) quantity: Shares,
}

/// The live orders of a session's quote on an issue.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Quoted([Option<OrderId>; 2]);

impl Quoted {
    pub(super) fn side(self, side: Side) -> Option<OrderId> {
        self.0[side as usize]
    }
}

/// All that has been named so far.
#[derive(Debug, Default)]
pub(super) struct Tracked {
    /// The number of an order by its name, in order of appearance.
    numbers: HashMap<Box<[u8]>, OrderId, RandomState>,
    /// The same by session and the client's name.
    clients: HashMap<Box<[u8]>, OrderId, RandomState>,
    /// What remains of each live order.
    remaining: HashMap<u64, u64, RandomState>,
    quotes: BTreeMap<(Vec<u8>, IssueIndex), Quoted>,
    last: u64,
    has_any: bool,
}

impl Tracked {
    /// Whether an order or quote has ever rested.
    pub(super) fn has_any(&self) -> bool {
        self.has_any
    }

    fn next(&mut self) -> OrderId {
        self.last += 1;
        OrderId(self.last)
    }

    /// The number of an order's name, a new one if it has none.
    pub(super) fn number(&mut self, name: &[u8]) -> OrderId {
        if let Some(order) = self.named(name) {
            return order;
        }
        let order = self.next();
        self.rename(name, order);
        order
    }

    /// The number of an order's name, if it has one.
    pub(super) fn named(&self, name: &[u8]) -> Option<OrderId> {
        self.numbers.get(name).copied()
    }

    /// Gives an order a further name.
    pub(super) fn rename(&mut self, name: &[u8], order: OrderId) {
        self.numbers.insert(name.into(), order);
    }

    /// Gives an order the name that its client has for it.
    pub(super) fn alias(&mut self, mut session: Vec<u8>, client: Option<&[u8]>, order: OrderId) {
        let Some(client) = client else { return };
        session.push(1);
        session.extend_from_slice(client);
        self.clients.insert(session.into(), order);
    }

    /// The order of a client's name.
    pub(super) fn of_client(&self, session: &[u8], client: &[u8]) -> Option<OrderId> {
        self.clients.get([session, client].join(&1).as_slice()).copied()
    }

    /// What remains of a live order.
    pub(super) fn remaining(&self, order: OrderId) -> Option<u64> {
        self.remaining.get(&order.0).copied()
    }

    /// Sets what remains of an order; at zero it is gone. Says whether it was live.
    pub(super) fn set(&mut self, order: OrderId, quantity: u64) -> bool {
        if quantity == 0 {
            self.quotes.values_mut().flat_map(|quoted| &mut quoted.0).for_each(|side| {
                if *side == Some(order) {
                    *side = None;
                }
            });
            return self.remaining.remove(&order.0).is_some();
        }
        self.has_any = true;
        self.remaining.insert(order.0, quantity).is_some()
    }

    /// A session's quote on an issue.
    pub(super) fn quote(&self, session: &[u8], issue: IssueIndex) -> Option<Quoted> {
        self.quotes.get(&(session.to_vec(), issue)).copied()
    }

    /// The issues that a session quotes.
    pub(super) fn quoted_issues(&self, session: &[u8]) -> Vec<IssueIndex> {
        self.quotes.keys().filter(|(of, _)| of == session).map(|(_, issue)| *issue).collect()
    }

    /// Puts one side of a session's quote in place of what it was; `None` takes it away. Says what happens to the order
    /// behind it, if anything does.
    pub(super) fn quoted(
        &mut self,
        session: &[u8],
        issue: IssueIndex,
        side: Side,
        level: Option<Quote>,
        server: Option<ServerIndex>,
    ) -> Option<OrderAction> {
        let live = self.quote(session, issue).and_then(|quoted| quoted.side(side));
        let order = match (live, level) {
            (None, None) => return None,
            (Some(order), _) => order,
            (None, Some(_)) => self.next(),
        };
        self.set(order, level.map_or(0, |level| level.quantity.0));
        self.quotes.entry((session.to_vec(), issue)).or_default().0[side as usize] = level.map(|_| order);
        Some(match (live, level) {
            (Some(_), None) | (None, None) => OrderAction::Cancel { order },
            (Some(_), Some(Quote { price, quantity })) => {
                OrderAction::Replace { order, order_new: order, price: Some(price), quantity: Some(quantity) }
            }
            (None, Some(Quote { price, quantity })) => {
                OrderAction::Add { order, server, side, price: Some(price), quantity, condition: OrderCondition::None }
            }
        })
    }
}
