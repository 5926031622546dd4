//! The market as it stands, rebuilt on the way.

use quoteclock_book::{Book, BookError};
use quoteclock_model::{IssueIndex, MarketEvent, OrderAction, Phase, Scope};
use std::collections::BTreeMap;

/// The market as it stands, where the target or an excerpt needs it.
#[derive(Default)]
pub(super) struct Books {
    books: BTreeMap<IssueIndex, Book>,
    phases: BTreeMap<IssueIndex, Phase>,
    market_phase: Option<Phase>,
}

impl Books {
    /// Applies an event; an execution whose price is left to its order gets that price.
    pub(super) fn apply(&mut self, event: &mut MarketEvent) -> Result<(), BookError> {
        match event {
            MarketEvent::Order { issue, action } => {
                let book = self.books.entry(*issue).or_default();
                if let OrderAction::Trade { price: price @ None, orders, .. } = action {
                    let named = orders.iter().flatten().next();
                    *price = named.and_then(|&order| book.order(order)).and_then(|order| order.price);
                }
                book.apply(action, |_| None, |_| {})
            }
            MarketEvent::Phase { scope: Scope::Market, phase } => {
                self.market_phase = Some(*phase);
                Ok(())
            }
            MarketEvent::Phase { scope: Scope::Issue(issue), phase } => {
                self.phases.insert(*issue, *phase);
                Ok(())
            }
            MarketEvent::Clear { scope: Scope::Market } => {
                self.books.clear();
                Ok(())
            }
            MarketEvent::Clear { scope: Scope::Issue(issue) } => {
                self.books.remove(issue);
                Ok(())
            }
        }
    }

    /// Events that make an empty market what this one is.
    pub(super) fn snapshot(&self) -> Vec<MarketEvent> {
        let market = self.market_phase.map(|phase| MarketEvent::Phase { scope: Scope::Market, phase });
        let phases = self.phases.iter();
        let phases = phases.map(|(&issue, &phase)| MarketEvent::Phase { scope: Scope::Issue(issue), phase });
        let orders = self.books.iter().flat_map(|(&issue, book)| {
            book.orders().into_iter().map(move |(order, resting)| MarketEvent::Order {
                issue,
                action: OrderAction::Add {
                    order,
                    server: resting.server,
                    side: resting.side,
                    price: resting.price,
                    quantity: resting.quantity,
                    condition: resting.condition,
                },
            })
        });
        market.into_iter().chain(phases).chain(orders).collect()
    }
}
