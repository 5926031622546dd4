//! One market maker at one issue: what it quotes, as the day begins and as its plan stands.

use crate::orders::{NONE, REACH};
use crate::random::Random;
use crate::world::{Issue, SignUp};
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
    pub(crate) first_server: u32,
    pub(crate) server_count: u32,
    /// Prices on each side.
    pub(crate) levels: u32,
    /// From the reference to the best price, tight and wide.
    pub(crate) distance: u32,
    pub(crate) distance_wide: u32,
    /// From one price to the next.
    pub(crate) step: u32,
    /// Shares at each price, whole and thin.
    pub(crate) quantity: u32,
    pub(crate) quantity_thin: u32,
    pub(crate) rolls: bool,
    /// Re-quotes by a cancel and an add rather than a replace.
    pub(crate) cancels: bool,
    pub(crate) widens_in_stress: bool,
    pub(crate) mode: Mode,
    /// The reference that it has last quoted around.
    pub(crate) quoted: u32,
    /// Whether a timer to look after the quotes is running.
    pub(crate) attending: bool,
    /// How often in 1,024 it follows a step of the reference at once.
    pub(crate) agility: u32,
    /// The time it takes otherwise, and to refill, on average.
    pub(crate) reaction: u32,
    /// The share of time in which it means to quote, in thousandths.
    pub(crate) diligence: u32,
    /// From one absence to the next, on average.
    pub(crate) cycle: u64,
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

    pub(crate) fn side_of(side: Side) -> u32 {
        match side {
            Side::Bid => 0,
            Side::Offer => 1,
        }
    }

    /// The price that the plan wants a slot of `side` at.
    #[inline]
    pub(crate) fn wanted(&self, side: Side, level: u32, reference: u32) -> Option<u32> {
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
