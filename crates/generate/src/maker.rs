//! Market makers at one issue: how they quote, follow the market, refill, step away and come back.
//!
//! An agent is one sign-up. It has a fixed number of slots on each side, one for each price that it quotes; quoting means
//! bringing the slots to where its plan wants them, and every way of behaving is a plan: prices on both sides near the
//! reference (`Tight`), far from it (`Wide`), too little of it (`Thin`), one side, or nothing. Most agents *roll*: a
//! price that the plan still wants keeps its order, so that a step of the reference moves one order a side. The others
//! move every order.

use crate::agent::{Agent, Mode, QuoteSlot};
use crate::calendar::{MINUTE, SECOND};
use crate::day::DayMaker;
use crate::orders::{Kind, NONE, RestingOrder};
use crate::timers::Timer;
use quoteclock_feed::EventWriter;
use quoteclock_model::Side;

impl<W: EventWriter> DayMaker<'_, W> {
    /// An agent's quotes are brought to where its plan wants them.
    pub(crate) fn sync(&mut self, at: u32) {
        let agent = self.agents[at as usize];
        let reference = self.issues[agent.issue as usize].reference;
        // The side that gives way goes first.
        let sides = if agent.quoted <= reference { [Side::Offer, Side::Bid] } else { Side::BOTH };
        for side in sides {
            for level in 0..agent.levels {
                let slot = Agent::side_of(side) * agent.levels + level;
                let QuoteSlot { order, tick } = self.slots[(agent.first_slot + slot) as usize];
                match (order, agent.wanted(side, level, reference)) {
                    (NONE, None) => {}
                    (NONE, Some(wanted)) => self.quote(at, side, slot, wanted),
                    (order, None) => {
                        self.tick_clock();
                        self.cancel(agent.issue, order);
                    }
                    (_, Some(wanted)) if tick == wanted => {}
                    (order, Some(wanted)) => self.requote(at, slot, order, wanted),
                }
            }
        }
        self.agents[at as usize].quoted = reference;
    }

    /// A new quote.
    fn quote(&mut self, at: u32, side: Side, slot: u32, wanted: u32) {
        let agent = self.agents[at as usize];
        let Some(tick) = self.clip(agent.issue, side, wanted) else { return };
        self.tick_clock();
        let id = self.number();
        let quantity = if agent.mode == Mode::Thin { agent.quantity_thin } else { agent.quantity };
        let order = RestingOrder::new(id, side, tick, quantity, Kind::Limit);
        let order = self.add(agent.issue, order.of(at, u16::try_from(slot).unwrap_or(u16::MAX)));
        self.slots[(agent.first_slot + slot) as usize] = QuoteSlot { order, tick };
    }

    /// A quote moves, or goes where it cannot.
    fn requote(&mut self, at: u32, slot: u32, order: u32, wanted: u32) {
        let agent = self.agents[at as usize];
        let RestingOrder { tick, side, quantity, .. } = self.orders[order];
        let moved = self.clip(agent.issue, side, wanted);
        if moved == Some(tick) {
            return;
        }
        self.tick_clock();
        match moved {
            Some(moved) if !agent.cancels => {
                self.replace(agent.issue, order, moved, quantity);
                self.slots[(agent.first_slot + slot) as usize].tick = moved;
            }
            _ => {
                self.cancel(agent.issue, order);
                self.quote(at, side, slot, wanted);
            }
        }
    }

    /// Quotes of which little is left are made whole again.
    fn refill(&mut self, at: u32) {
        let agent = self.agents[at as usize];
        if agent.mode == Mode::Thin {
            return;
        }
        for slot in agent.first_slot..agent.first_slot + agent.slots() {
            let order = self.slots[slot as usize].order;
            if order != NONE && self.orders[order].quantity < agent.quantity - agent.quantity / 8 {
                self.tick_clock();
                self.replace(agent.issue, order, self.orders[order].tick, agent.quantity);
            }
        }
    }

    /// An agent begins to quote in another way.
    pub(crate) fn set_mode(&mut self, at: u32, mode: Mode) {
        self.agents[at as usize].mode = mode;
        self.sync(at);
        if mode == Mode::Thin {
            self.thin(at);
        } else {
            self.refill(at);
        }
    }

    /// What is left of the quotes is reduced to too little.
    fn thin(&mut self, at: u32) {
        let agent = self.agents[at as usize];
        for slot in agent.first_slot..agent.first_slot + agent.slots() {
            let order = self.slots[slot as usize].order;
            if order != NONE {
                self.tick_clock();
                self.reduce(agent.issue, order, self.orders[order].quantity.saturating_sub(agent.quantity_thin));
            }
        }
    }

    /// An agent's quote has been hit: it will see to it.
    pub(crate) fn filled(&mut self, at: u32) {
        let reaction = self.agents[at as usize].reaction;
        self.attend_in(at, reaction);
    }

    fn attend_in(&mut self, at: u32, reaction: u32) {
        let agent = &mut self.agents[at as usize];
        if agent.attending || agent.mode == Mode::Away {
            return;
        }
        agent.attending = true;
        let delay = (u64::from(reaction) * self.random.exponential_q16()) >> 16;
        self.timers.push(self.out.now + delay + 20, Timer::Attend(at));
    }

    /// The time has come to see to the quotes.
    pub(crate) fn attend(&mut self, at: u32) {
        self.agents[at as usize].attending = false;
        if self.postpone(Timer::Attend(at)) {
            return;
        }
        self.sync(at);
        self.refill(at);
    }

    /// All agents of an issue see its reference move: some follow at once, some later.
    pub(crate) fn follow(&mut self, issue: u32) {
        for at in self.issues[issue as usize].agents.clone() {
            let Agent { agility, reaction, mode, .. } = self.agents[at as usize];
            if mode == Mode::Away {
            } else if self.random.chance(agility) {
                self.sync(at);
            } else {
                self.attend_in(at, reaction.min(500_000));
            }
        }
    }

    /// Stress begins or ends at an issue.
    pub(crate) fn stress(&mut self, issue: u32, begins: bool) {
        self.issues[issue as usize].stress = begins;
        for at in self.issues[issue as usize].agents.clone() {
            let Agent { mode, widens_in_stress, .. } = self.agents[at as usize];
            match (begins, mode) {
                (true, Mode::Tight) if widens_in_stress => self.set_mode(at, Mode::Wide),
                (false, Mode::Wide) => self.set_mode(at, Mode::Tight),
                _ => {}
            }
        }
    }

    /// When each agent first comes, and in which way; who is never there does not, or quotes too wide all day.
    pub(crate) fn begin_agents(&mut self) {
        let (start, open) = (self.calendar.start(), self.calendar.open());
        for at in 0..u32::try_from(self.agents.len()).expect("the options bound every count") {
            let Agent { diligence, cycle, .. } = self.agents[at as usize];
            let before_open = (u64::from(self.random.below(900)) * SECOND + MINUTE).min(open - start);
            let arrival = if diligence == 0 && self.random.chance(700) {
                continue;
            } else if self.random.below(1000) < diligence.max(1) {
                open - before_open + u64::from(self.random.below(30_000_000))
            } else {
                let absence = cycle * u64::from(1000 - diligence) / 1000;
                open + self.random.below_wide(absence + 1)
            };
            self.timers.push(arrival, Timer::Turn(at));
        }
    }

    /// An agent comes or goes, and the time of its next turn is set.
    pub(crate) fn turn(&mut self, at: u32) {
        if self.postpone(Timer::Turn(at)) {
            return;
        }
        let Agent { diligence, cycle, mode, issue, widens_in_stress, .. } = self.agents[at as usize];
        let comes = mode != Mode::Tight;
        if comes {
            let wide = diligence == 0 || (widens_in_stress && self.issues[issue as usize].stress);
            self.set_mode(at, if wide { Mode::Wide } else { Mode::Tight });
        } else {
            let mode = match self.random.below(16) {
                0..=8 => Mode::Away,
                9..=11 => Mode::Wide,
                12..=13 => Mode::Thin,
                14 => Mode::BidOnly,
                _ => Mode::OfferOnly,
            };
            self.set_mode(at, mode);
        }
        if diligence == 0 || 985 <= diligence {
            return;
        }
        let share = u64::from(if comes { diligence } else { 1000 - diligence });
        let length = cycle * share / 1000 * u64::from(self.random.between(700, 1300)) / 1000;
        // Before the open the first stay does not count yet.
        let from = self.out.now.max(self.calendar.open());
        self.timers.push(from + length.max(SECOND), Timer::Turn(at));
    }
}
