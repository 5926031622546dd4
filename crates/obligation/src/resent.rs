//! Orders that the source sends again after a clear: their market maker sent them once.

use foldhash::quality::RandomState;
use hashbrown::HashSet;
use quoteclock_model::OrderId;

/// Numbers that were live before a clear and have not come again since.
///
/// Clause: `ST1/access-fee`.
#[derive(Debug, Default)]
pub(crate) struct Resent(Option<Box<HashSet<OrderId, RandomState>>>);

impl Resent {
    /// The book is emptied of these numbers: each is no new order when it comes again.
    #[cold]
    pub(crate) fn await_all(&mut self, live: impl Iterator<Item = OrderId>) {
        self.0.get_or_insert_default().extend(live);
    }

    /// The numbers, ascending.
    pub(crate) fn numbers(&self) -> Vec<OrderId> {
        let mut numbers: Vec<OrderId> = self.0.iter().flat_map(|numbers| numbers.iter()).copied().collect();
        numbers.sort_unstable();
        numbers
    }

    /// Whether the order was live before a clear and has not come again.
    #[inline(always)]
    pub(crate) fn awaits(&self, order: OrderId) -> bool {
        self.0.as_ref().is_some_and(|numbers| numbers.contains(&order))
    }

    /// The order has come; says whether it was awaited. Once it has come again its number is as any other.
    #[inline(always)]
    pub(crate) fn came(&mut self, order: OrderId) -> bool {
        self.0.is_some() && self.remove(order)
    }

    #[cold]
    fn remove(&mut self, order: OrderId) -> bool {
        self.0.as_mut().is_some_and(|numbers| numbers.remove(&order))
    }
}
