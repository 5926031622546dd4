//! Market makers at one issue: how they quote, follow the market, refill, step away and come back.
//!
//! An agent is one sign-up. It has a fixed number of slots on each side, one for each price that it quotes; quoting means
//! bringing the slots to where its plan wants them, and every way of behaving is a plan: prices on both sides near the
//! reference (`Tight`), far from it (`Wide`), too little of it (`Thin`), one side, or nothing. Most agents *roll*: a
//! price that the plan still wants keeps its order, so that a step of the reference moves one order a side. The others
//! move every order.

use crate::calendar::{MINUTE, SECOND};
use crate::day::DayMaker;
use crate::orders::{Kind, NONE, REACH, RestingOrder};
use crate::random::Random;
use crate::timers::Timer;
use crate::world::{Issue, SignUp};
use quoteclock_feed::EventWriter;
use quoteclock_model::{ServerIndex, Side};

/// One price of an agent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QuoteSlot {
    /// The order there, or [`NONE`].
    pub(crate) order: u32,
    /// The number of its price.
    pub(crate) tick: u32,
}

impl QuoteSlot {
    pub(crate) const EMPTY: QuoteSlot = QuoteSlot { order: NONE, tick: 0 };
}

/// How an agent quotes for the time being.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mode {
    Away,
    Tight,
    Wide,
    Thin,
    BidOnly,
    OfferOnly,
}

/// One market maker at one issue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Agent {
    pub(crate) issue: u32,
    pub(crate) market_maker: u32,
    pub(crate) first_slot: u32,
    first_server: u32,
    server_count: u32,
    /// Prices on each side.
    levels: u32,
    /// From the reference to the best price, tight and wide.
    distance: u32,
    distance_wide: u32,
    /// From one price to the next.
    step: u32,
    /// Shares at each price, whole and thin.
    quantity: u32,
    quantity_thin: u32,
    rolls: bool,
    /// Re-quotes by a cancel and an add rather than a replace.
    cancels: bool,
    widens_in_stress: bool,
    mode: Mode,
    /// The reference that it has last quoted around.
    quoted: u32,
    /// Whether a timer to look after the quotes is running.
    attending: bool,
    /// How often in 1,024 it follows a step of the reference at once.
    agility: u32,
    /// The time it takes otherwise, and to refill, on average.
    reaction: u32,
    /// The share of time in which it means to quote, in thousandths.
    pub(crate) diligence: u32,
    /// From one absence to the next, on average.
    cycle: u64,
}

/// What the day means for every agent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Climate {
    /// Of the spread limits.
    pub(crate) multiplier: u32,
    pub(crate) continuous: u64,
    /// The most absences of a day.
    pub(crate) absences_max: u32,
}

impl Agent {
    pub(crate) fn new(
        sign_up: &SignUp,
        issue: &Issue,
        first_slot: u32,
        climate: &Climate,
        random: &mut Random,
    ) -> Agent {
        let limit = limit_ticks(issue, issue.anchor);
        let eased = if climate.multiplier == 1 || random.chance(512) { 1 } else { climate.multiplier };
        let distance = random.between(1, (limit * eased / 4).clamp(1, 12));
        let room = (limit / 2).saturating_sub(distance);
        let rolls = random.chance(700);
        let step = if rolls { 1 } else { random.between(1, 2) };
        let levels = sign_up.levels.min((REACH - distance) / step);
        let counted = levels.min(room / step + 1);
        let (quantity, quantity_thin) = quantities(issue, counted, random);
        let distance_wide = (limit * climate.multiplier / 2 + random.between(1, 4)).min(REACH - levels * step);
        let keen = 960 <= sign_up.diligence;
        Agent {
            issue: sign_up.issue,
            market_maker: sign_up.market_maker,
            first_slot,
            first_server: sign_up.servers.start,
            server_count: sign_up.servers.end - sign_up.servers.start,
            levels,
            distance,
            distance_wide,
            step,
            quantity,
            quantity_thin,
            rolls,
            cancels: random.chance(350),
            widens_in_stress: !keen && random.chance(512),
            mode: Mode::Away,
            quoted: 0,
            attending: false,
            agility: random.between(500, 1000),
            reaction: if keen { random.between(2_000, 200_000) } else { random.between(10_000, 20_000_000) },
            diligence: sign_up.diligence,
            cycle: climate.continuous / u64::from(random.between(2, climate.absences_max.max(2))),
        }
    }

    /// How many slots it has.
    pub(crate) fn slots(&self) -> u32 {
        2 * self.levels
    }

    pub(crate) fn server(&self, slot: u32) -> ServerIndex {
        ServerIndex(self.first_server + slot % self.server_count.max(1))
    }

    fn side_of(side: Side) -> u32 {
        match side {
            Side::Bid => 0,
            Side::Offer => 1,
        }
    }

    /// The price that the plan wants a slot of `side` at.
    #[inline]
    fn wanted(&self, side: Side, level: u32, reference: u32) -> Option<u32> {
        let away = match self.mode {
            Mode::Away => return None,
            Mode::BidOnly if side == Side::Offer => return None,
            Mode::OfferOnly if side == Side::Bid => return None,
            Mode::Thin if 0 < level => return None,
            Mode::Thin => self.distance,
            Mode::Wide => self.distance_wide + self.beyond(side, level, reference, self.distance_wide),
            _ => self.distance + self.beyond(side, level, reference, self.distance),
        };
        Some(match side {
            Side::Bid => reference - away,
            Side::Offer => reference + away,
        })
    }

    /// How far beyond the best price a level lies. Who rolls has a slot for each remainder of the price by the number of
    /// levels, so that a slot stays where it is for as long as its price is wanted.
    #[inline]
    fn beyond(&self, side: Side, level: u32, reference: u32, distance: u32) -> u32 {
        if !self.rolls {
            return level * self.step;
        }
        let levels = self.levels;
        match side {
            Side::Bid => ((reference - distance) % levels + levels - level) % levels,
            Side::Offer => (level + levels - (reference + distance) % levels) % levels,
        }
    }
}

/// The widest spread of an issue's type around a price, in ticks.
fn limit_ticks(issue: &Issue, tick: u32) -> u32 {
    let of_bps = issue.grid.units(tick) * issue.terms.bps / 10_000 / issue.grid.step(tick);
    u32::try_from(of_bps.max(issue.terms.ticks)).unwrap_or(u32::MAX).min(1_000)
}

/// Shares at each price, so that `counted` prices reach the minimum with something to spare; and far too few.
fn quantities(issue: &Issue, counted: u32, random: &mut Random) -> (u32, u32) {
    let value = issue.terms.value * 10_000;
    let spare = u64::from(random.between(115, 320));
    // Prices fall during the day: a twentieth more than the reference asks for.
    let needed = value * spare / 100 / u64::from(counted) * 21 / 20;
    let unit_value = issue.grid.units(issue.anchor) * u64::from(issue.unit);
    let whole = |value: u64| u32::try_from(value / unit_value + 1).unwrap_or(1_000_000) * issue.unit;
    (whole(needed), whole(value / 8).saturating_sub(issue.unit).max(issue.unit))
}

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
