//! What can happen to an order, each with its event: everything else is made of these.
//!
//! They keep the slab, the ladder of the issue, its counts and its market makers' slots in step with what is written, so
//! that what is written is valid.

use crate::agent::QuoteSlot;
use crate::day::DayMaker;
use crate::orders::{Kind, Ladder, NONE, REACH, RestingOrder, opposite};
use quoteclock_feed::EventWriter;
use quoteclock_model::{MarketEvent, OrderAction, OrderCondition, OrderId, Price, Scope, ServerIndex, Shares, Side};

impl Kind {
    fn condition(self) -> OrderCondition {
        match self {
            Kind::Limit | Kind::Market => OrderCondition::None,
            Kind::Funari => OrderCondition::Funari,
            Kind::OnOpen => OrderCondition::OnOpen,
            Kind::OnClose => OrderCondition::OnClose,
        }
    }
}

pub(crate) const fn shares(quantity: u32) -> Shares {
    Shares(quantity as u64)
}

impl<W: EventWriter> DayMaker<'_, W> {
    /// A number that no order has had.
    #[inline]
    pub(crate) fn number(&mut self) -> u64 {
        self.number_last += 1 + (self.random.next() >> 62);
        self.number_last
    }

    /// The nearest price to `tick` at which an order may rest without meeting the other side; none if that is far off.
    #[inline]
    pub(crate) fn clip(&self, issue: u32, side: Side, tick: u32) -> Option<u32> {
        let state = &self.issues[issue as usize];
        let other = state.ladder.best(opposite(side), state.reference);
        let clipped = match (side, other) {
            (_, None) => tick,
            (Side::Bid, Some(offer)) => tick.min(offer - 1),
            (Side::Offer, Some(bid)) => tick.max(bid + 1),
        };
        (clipped.abs_diff(state.reference) <= REACH).then_some(clipped)
    }

    /// A new order comes to rest: at its price, or parked if its kind has none.
    pub(crate) fn add(&mut self, issue: u32, order: RestingOrder) -> u32 {
        self.write_add(issue, &order);
        self.rest(issue, order)
    }

    /// An order that has been written already comes to rest.
    pub(crate) fn rest(&mut self, issue: u32, order: RestingOrder) -> u32 {
        let at = self.orders.insert(order);
        let state = &mut self.issues[issue as usize];
        if order.kind.rests() {
            state.ladder.push(&mut self.orders, at);
        } else {
            state.parked.push(at);
        }
        if order.agent == NONE {
            state.others += 1;
        }
        at
    }

    pub(crate) fn write_add(&mut self, issue: u32, order: &RestingOrder) {
        let server = self.server(order);
        let price = (order.kind != Kind::Market).then(|| self.price(issue, order.tick));
        self.write_add_as(issue, order, server, price, order.kind.condition());
    }

    pub(crate) fn write_add_as(
        &mut self,
        issue: u32,
        order: &RestingOrder,
        server: Option<ServerIndex>,
        price: Option<Price>,
        condition: OrderCondition,
    ) {
        let &RestingOrder { id, side, quantity, .. } = order;
        let (order, quantity) = (OrderId(id), shares(quantity));
        self.out.order(issue, OrderAction::Add { order, server, side, price, quantity, condition });
    }

    /// The server that an order came through.
    fn server(&self, order: &RestingOrder) -> Option<ServerIndex> {
        let agent = self.agents.get(order.agent as usize)?;
        Some(agent.server(u32::from(order.slot)))
    }

    #[inline]
    pub(crate) fn price(&self, issue: u32, tick: u32) -> Price {
        self.issues[issue as usize].grid.price(tick)
    }

    /// An order leaves.
    pub(crate) fn cancel(&mut self, issue: u32, at: u32) {
        let order = OrderId(self.orders[at].id);
        self.out.order(issue, OrderAction::Cancel { order });
        self.forget(issue, at);
    }

    /// An order moves to another price, changes its quantity, or both.
    pub(crate) fn replace(&mut self, issue: u32, at: u32, tick: u32, quantity: u32) {
        let RestingOrder { id, tick: tick_before, quantity: quantity_before, .. } = self.orders[at];
        let itch = self.itch;
        // Tokyo's orders keep their number; a few lines renumber.
        let id_new = if itch || id.is_multiple_of(8) { self.number() } else { id };
        let price = (itch || tick != tick_before).then(|| self.price(issue, tick));
        let quantity_told = (itch || quantity != quantity_before).then_some(shares(quantity));
        self.out.order(
            issue,
            OrderAction::Replace { order: OrderId(id), order_new: OrderId(id_new), price, quantity: quantity_told },
        );
        let ladder = &mut self.issues[issue as usize].ladder;
        ladder.unlink(&mut self.orders, at);
        let order = &mut self.orders[at];
        (order.id, order.tick, order.quantity) = (id_new, tick, quantity);
        ladder.push(&mut self.orders, at);
    }

    /// An order gets smaller, but stays.
    pub(crate) fn reduce(&mut self, issue: u32, at: u32, quantity: u32) {
        let order = &mut self.orders[at];
        if quantity == 0 || order.quantity <= quantity {
            return;
        }
        order.quantity -= quantity;
        let order = OrderId(order.id);
        self.out.order(issue, OrderAction::Reduce { order, quantity: shares(quantity) });
    }

    /// A resting order executes against `contra`, which may not be named.
    pub(crate) fn execute(&mut self, issue: u32, at: u32, quantity: u32, contra: Option<u64>, auction: bool) {
        let RestingOrder { id, tick, agent, side, .. } = self.orders[at];
        let price = (!self.itch).then(|| self.price(issue, tick));
        let mut orders = [Some(OrderId(id)), contra.map(OrderId)];
        if side == Side::Bid {
            orders.swap(0, 1);
        }
        if self.itch {
            orders = [Some(OrderId(id)), None];
        }
        self.out.order(issue, OrderAction::Trade { price, quantity: shares(quantity), orders, auction });
        self.take_off(issue, at, quantity);
        if agent != NONE {
            self.filled(agent);
        }
    }

    /// Takes an executed quantity off an order.
    pub(crate) fn take_off(&mut self, issue: u32, at: u32, quantity: u32) {
        self.orders[at].quantity -= quantity;
        if self.orders[at].quantity == 0 {
            self.forget(issue, at);
        }
    }

    /// An order is gone.
    fn forget(&mut self, issue: u32, at: u32) {
        let RestingOrder { agent, slot, kind, .. } = self.orders[at];
        let state = &mut self.issues[issue as usize];
        if kind.rests() {
            state.ladder.unlink(&mut self.orders, at);
        } else {
            state.parked.retain(|&parked| parked != at);
        }
        if agent == NONE {
            state.others -= 1;
        } else {
            let first = self.agents[agent as usize].first_slot;
            self.slots[(first + u32::from(slot)) as usize] = QuoteSlot::EMPTY;
        }
        self.orders[at].quantity = 0;
        self.orders.remove(at);
    }

    /// All live orders of an issue, into `self.scratch`.
    pub(crate) fn gather(&mut self, issue: u32) {
        let mut found = std::mem::take(&mut self.scratch);
        found.clear();
        let state = &self.issues[issue as usize];
        for side in Side::BOTH {
            let mut from = state.ladder.best(side, state.reference);
            while let Some(tick) = from {
                let mut at = state.ladder.oldest(tick);
                while at != NONE {
                    found.push(at);
                    at = self.orders.younger(at);
                }
                let next = match side {
                    Side::Bid => tick - 1,
                    Side::Offer => tick + 1,
                };
                let on_ladder = Ladder::holds(next, state.reference);
                from = if on_ladder { state.ladder.beyond(side, next, state.reference) } else { None };
            }
        }
        found.extend_from_slice(&state.parked);
        self.scratch = found;
    }

    /// The source loses its place in an issue, empties its book and sends again what rests.
    pub(crate) fn recover(&mut self, issue: u32) {
        let scope = Scope::Issue(quoteclock_model::IssueIndex(issue));
        self.out.other(MarketEvent::Clear { scope });
        self.gather(issue);
        for position in 0..self.scratch.len() {
            let order = self.orders[self.scratch[position]];
            self.write_add(issue, &order);
        }
    }
}
