//! The flow of orders from everybody who is no market maker, and of market makers who take: what an issue sees when its
//! turn comes.
//!
//! An issue sees a short burst of actions. Adds and cancels balance around the number of orders that it should have;
//! cancels prefer what came last and lies near, so that most orders live shortly and some all day. A trade takes the
//! oldest order at the best price; where it takes the last one the reference often moves, and market makers follow.

use crate::calendar::Market;
use crate::day::DayMaker;
use crate::orders::{Kind, Ladder, NONE, REACH, RestingOrder, opposite};
use crate::timers::Timer;
use quoteclock_feed::EventWriter;
use quoteclock_model::{OrderCondition, Side};

/// How far the reference may walk from where the day began.
const WALK_MAX: u32 = 250;

/// Whose order takes what rests.
#[derive(Clone, Copy)]
struct Taker {
    /// The order, where it is named.
    contra: Option<u64>,
    /// The market maker, or [`NONE`]: nobody trades with itself.
    market_maker: u32,
}

impl Taker {
    const UNNAMED: Taker = Taker { contra: None, market_maker: NONE };
}

impl<W: EventWriter> DayMaker<'_, W> {
    /// A burst of actions at one issue.
    pub(crate) fn flow(&mut self) {
        let issue = self.pick_issue();
        loop {
            self.act(issue);
            if self.random.chance(400) || self.out.left == 0 {
                return;
            }
            self.tick_clock();
        }
    }

    fn act(&mut self, issue: u32) {
        let state = &self.issues[issue as usize];
        let trading = state.trades && self.market == Market::Continuous;
        let moves = if state.stress { 1024 } else { 640 };
        match self.random.below(1024) {
            0..=99 => self.replace_other(issue),
            100..=119 => self.reduce_other(issue),
            120..=179 if trading => self.trade(issue),
            180..=199 if self.random.chance(moves) => self.step(issue),
            _ => self.add_or_cancel(issue),
        }
    }

    /// Orders come or go, whichever brings their number nearer to what it should be.
    fn add_or_cancel(&mut self, issue: u32) {
        let state = &self.issues[issue as usize];
        let adds = adds_per_1024(state.others, state.others_target);
        if self.random.chance(adds) {
            self.add_other(issue);
        } else {
            self.cancel_other(issue);
        }
    }

    /// Either side.
    fn side(&mut self) -> Side {
        if self.random.next() >> 63 == 0 { Side::Bid } else { Side::Offer }
    }

    /// A quantity as private investors choose it.
    fn quantity(&mut self, issue: u32) -> u32 {
        let state = &self.issues[issue as usize];
        let (mean, unit) = (state.units_mean, state.unit);
        if self.is_us && self.random.chance(820) {
            return (1 + self.random.spread((mean / 100).max(1), 50)) * 100;
        }
        (1 + self.random.spread(mean, mean * 20)) * unit
    }

    fn add_other(&mut self, issue: u32) {
        let (side, quantity) = (self.side(), self.quantity(issue));
        let kind = self.kind();
        let reference = self.issues[issue as usize].reference;
        if !kind.rests() {
            if self.issues[issue as usize].parked.len() < 64 {
                let order = RestingOrder::new(self.number(), side, reference, quantity, kind);
                self.add(issue, order);
            }
            return;
        }
        let distance = 1 + self.random.spread(7, REACH - 1);
        let wanted = match side {
            Side::Bid => reference - distance,
            Side::Offer => reference + distance,
        };
        if let Some(tick) = self.clip(issue, side, wanted) {
            let order = RestingOrder::new(self.number(), side, tick, quantity, kind);
            let at = self.add(issue, order);
            if self.market == Market::Continuous && self.random.chance(560) {
                self.fleet(issue, at);
            }
        }
    }

    /// An order will leave soon: after 32 microseconds to four seconds, each doubling as likely as the next.
    fn fleet(&mut self, issue: u32, at: u32) {
        let scale = 1 << self.random.between(5, 21);
        let delay = u64::from(scale + self.random.below(scale));
        let id_low = low_half(self.orders[at].id);
        self.timers.push(self.out.now + delay, Timer::Withdraw { issue, at, id_low });
    }

    /// The time of a fleeting order has come.
    pub(crate) fn withdraw(&mut self, issue: u32, at: u32, id_low: u32) {
        let RestingOrder { id, agent, quantity, .. } = self.orders[at];
        if low_half(id) != id_low || agent != NONE || quantity == 0 || self.market == Market::Shut {
            return;
        }
        self.cancel(issue, at);
    }

    /// Conditions are common where there is an auction ahead.
    fn kind(&mut self) -> Kind {
        if self.itch {
            return Kind::Limit;
        }
        let (before_auction, draw) = (self.market != Market::Continuous, self.random.below(1024));
        match (self.market, draw) {
            (Market::BeforeOpen, 0..=23) => Kind::OnOpen,
            (Market::BeforeClose, 0..=39) => Kind::OnClose,
            (_, 40..=55) if before_auction => Kind::Market,
            (_, 56..=59) => Kind::OnClose,
            (_, 60..=63) => Kind::Funari,
            _ => Kind::Limit,
        }
    }

    /// An order of somebody else than a market maker: mostly a young one, near the best price.
    fn pick_other(&mut self, issue: u32) -> Option<u32> {
        let side = self.side();
        let state = &self.issues[issue as usize];
        let (ladder, reference) = (&state.ladder, state.reference);
        let best = ladder.best(side, reference)?;
        let distance = self.random.spread(6, REACH);
        let from = match side {
            Side::Bid => best.saturating_sub(distance).max(reference - 64),
            Side::Offer => (best + distance).min(reference + 63),
        };
        let tick = ladder.beyond(side, from, reference).unwrap_or(best);
        let young = self.random.chance(740);
        let mut at = if young { ladder.youngest(tick) } else { ladder.oldest(tick) };
        for _ in 0..6 {
            if at == NONE || self.orders[at].agent == NONE {
                break;
            }
            at = if young { self.orders.older(at) } else { self.orders.younger(at) };
        }
        (at != NONE && self.orders[at].agent == NONE).then_some(at)
    }

    fn cancel_other(&mut self, issue: u32) {
        if let Some(at) = self.pick_other(issue) {
            self.cancel(issue, at);
        }
    }

    fn reduce_other(&mut self, issue: u32) {
        let Some(at) = self.pick_other(issue) else { return };
        let unit = self.issues[issue as usize].unit;
        let units = self.orders[at].quantity / unit;
        let taken = self.random.below(units) * unit;
        self.reduce(issue, at, taken);
    }

    fn replace_other(&mut self, issue: u32) {
        let Some(at) = self.pick_other(issue) else { return };
        let RestingOrder { side, tick, quantity, .. } = self.orders[at];
        if self.random.chance(250) {
            let quantity = self.quantity(issue);
            return self.replace(issue, at, tick, quantity);
        }
        let reference = self.issues[issue as usize].reference;
        let distance = 1 + self.random.spread(4, REACH - 1);
        let wanted = match side {
            Side::Bid => reference - distance,
            Side::Offer => reference + distance,
        };
        if let Some(tick) = self.clip(issue, side, wanted) {
            self.replace(issue, at, tick, quantity);
        }
    }

    /// Somebody takes what the other side offers.
    fn trade(&mut self, issue: u32) {
        let side = self.side();
        let state = &self.issues[issue as usize];
        let Some(best) = state.ladder.best(opposite(side), state.reference) else { return };
        let quantity = self.quantity(issue);
        let shown = !self.itch && self.random.chance(600);
        if shown {
            self.take_shown(issue, side, best, quantity);
        } else {
            self.take(issue, (side, best), quantity, Taker::UNNAMED);
        }
        let emptied = self.best_is_beyond(issue, opposite(side), best);
        if emptied && self.random.chance(250) {
            self.step_towards(issue, side == Side::Bid);
        }
    }

    fn best_is_beyond(&self, issue: u32, side: Side, tick: u32) -> bool {
        let state = &self.issues[issue as usize];
        state.ladder.best(side, state.reference) != Some(tick)
    }

    /// An order that is in the book before it executes; one in eight comes from a market maker.
    fn take_shown(&mut self, issue: u32, side: Side, best: u32, quantity: u32) {
        let agents = self.issues[issue as usize].agents.clone();
        let (mut taker, mut server) = (NONE, None);
        if self.random.chance(128) && !agents.is_empty() {
            let at = agents.start + self.random.below(agents.end - agents.start);
            taker = self.agents[at as usize].market_maker;
            server = Some(self.agents[at as usize].server(0));
        }
        let (condition, market) = match self.random.below(16) {
            0 => (OrderCondition::Ioc, false),
            1 => (OrderCondition::None, true),
            _ => (OrderCondition::None, false),
        };
        let order = RestingOrder::new(self.number(), side, best, quantity, Kind::Limit);
        let price = (!market).then(|| self.price(issue, best));
        self.write_add_as(issue, &order, server, price, condition);
        let left = self.take(issue, (side, best), quantity, Taker { contra: Some(order.id), market_maker: taker });
        if left == 0 {
            return;
        }
        let stays = server.is_none() && !market && condition == OrderCondition::None;
        let order = RestingOrder::new(order.id, side, best, left, Kind::Limit);
        if stays && self.clip(issue, side, best) == Some(best) {
            self.rest(issue, order);
        } else {
            let at = self.rest_nowhere(issue, order);
            self.cancel(issue, at);
        }
    }

    /// An order that is about to leave: it never comes to a price.
    fn rest_nowhere(&mut self, issue: u32, order: RestingOrder) -> u32 {
        self.rest(issue, RestingOrder::new(order.id, order.side, order.tick, order.quantity, Kind::Market))
    }

    /// Takes up to `quantity` at `best` on the side opposite to `side`; what is left is returned. Market maker `taker` does
    /// not trade with itself.
    fn take(&mut self, issue: u32, (side, best): (Side, u32), quantity: u32, taker: Taker) -> u32 {
        let mut left = quantity;
        for _ in 0..6 {
            let state = &self.issues[issue as usize];
            if left == 0 || state.ladder.best(opposite(side), state.reference) != Some(best) {
                break;
            }
            let at = state.ladder.oldest(best);
            let RestingOrder { quantity, agent, .. } = self.orders[at];
            if agent != NONE && self.agents[agent as usize].market_maker == taker.market_maker {
                break;
            }
            let executed = left.min(quantity);
            self.execute(issue, at, executed, taker.contra, false);
            left -= executed;
        }
        left
    }

    /// The reference moves by a tick, either way; the farther it has gone the likelier back.
    fn step(&mut self, issue: u32) {
        let state = &self.issues[issue as usize];
        let pull = i64::from(state.anchor) - i64::from(state.reference);
        let up_per_1024 = u32::try_from((512 + pull * 2).clamp(128, 896)).expect("clamped");
        let up = self.random.chance(up_per_1024);
        self.step_towards(issue, up);
    }

    fn step_towards(&mut self, issue: u32, up: bool) {
        let state = &self.issues[issue as usize];
        let reference = state.reference;
        let moved = if up { reference + 1 } else { reference - 1 };
        if WALK_MAX < moved.abs_diff(state.anchor) {
            return;
        }
        let leaving = Ladder::leaving(reference, up);
        loop {
            let at = self.issues[issue as usize].ladder.oldest(leaving);
            if at == NONE {
                break;
            }
            self.cancel(issue, at);
        }
        self.issues[issue as usize].reference = moved;
        self.pick_off(issue, if up { Side::Offer } else { Side::Bid });
        self.follow(issue);
    }

    /// Orders of `side` that the reference has reached are stale: they trade or go, those of market makers seldom before
    /// these see to them.
    fn pick_off(&mut self, issue: u32, side: Side) {
        for _ in 0..8 {
            let state = &self.issues[issue as usize];
            let trading = state.trades && self.market == Market::Continuous;
            let Some(best) = state.ladder.best(side, state.reference) else { return };
            let stale = match side {
                Side::Bid => state.reference <= best,
                Side::Offer => best <= state.reference,
            };
            if !stale {
                return;
            }
            let at = state.ladder.oldest(best);
            let RestingOrder { quantity, agent, .. } = self.orders[at];
            self.tick_clock();
            match (trading, agent == NONE) {
                (true, true) if self.random.chance(512) => self.execute(issue, at, quantity, None, false),
                (_, true) => self.cancel(issue, at),
                (true, false) if self.random.chance(100) => self.execute(issue, at, quantity, None, false),
                (_, false) => return,
            }
        }
    }
}

/// How often in 1,024 an order comes rather than goes.
fn adds_per_1024(others: u32, target: u32) -> u32 {
    let (others, target) = (i64::from(others), i64::from(target));
    let bias = ((target - others) * 3072 / target).clamp(-360, 460);
    u32::try_from(512 + bias).expect("clamped")
}

/// The lower half of an order number: enough to tell an order from a later one in its place.
fn low_half(id: u64) -> u32 {
    ((id << 32) >> 32) as u32
}
