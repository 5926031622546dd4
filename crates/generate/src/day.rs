//! One day: the state of the market, and the loop that runs it through the day's clock.
//!
//! Two things drive a day, whichever is due first: timers (boundaries, auctions, interruptions, market makers' turns and
//! reactions) and the flow of orders, whose pace follows from the events still to be made. Memory holds the live orders,
//! the issues and the agents; nothing grows with the number of events.

use crate::agent::{Agent, Climate, QuoteSlot};
use crate::calendar::{Auction, Boundary, Calendar, MINUTE, Market, SECOND};
use crate::grid::Grid;
use crate::options::{Options, day_number};
use crate::orders::{Ladder, Orders};
use crate::output::Output;
use crate::pace::Pace;
use crate::random::Random;
use crate::timers::{Scripted, Timer, Timers};
use crate::world::World;
use quoteclock_feed::EventWriter;
use quoteclock_model::{IssueIndex, MarketEvent, Phase, Scope};
use std::io;
use std::ops::Range;

/// One issue, as its orders stand.
#[derive(Debug)]
pub(crate) struct IssueState {
    /// The number of the price that everybody quotes around.
    pub(crate) reference: u32,
    /// Where it tends back to.
    pub(crate) anchor: u32,
    pub(crate) grid: Grid,
    pub(crate) unit: u32,
    /// Units in an order of usual size.
    pub(crate) units_mean: u32,
    /// Live orders of those who are no market makers, and about how many there should be.
    pub(crate) others: u32,
    pub(crate) others_target: u32,
    pub(crate) agents: Range<u32>,
    /// Whether its own phase lets it trade.
    pub(crate) trades: bool,
    pub(crate) stress: bool,
    pub(crate) ladder: Ladder,
    /// Orders that wait for an auction.
    pub(crate) parked: Vec<u32>,
}

#[derive(Debug)]
pub(crate) struct DayMaker<'w, W> {
    pub(crate) out: Output<'w, W>,
    pub(crate) random: Random,
    pub(crate) calendar: Calendar,
    pub(crate) market: Market,
    /// Before this time everything now happens; the next boundary.
    limit: u64,
    /// The longest time from one event of a burst to the next, plus one.
    jitter: u32,
    pub(crate) timers: Timers,
    pub(crate) orders: Orders,
    pub(crate) issues: Vec<IssueState>,
    pub(crate) agents: Vec<Agent>,
    pub(crate) slots: Vec<QuoteSlot>,
    pub(crate) number_last: u64,
    pub(crate) itch: bool,
    pub(crate) is_us: bool,
    /// Where each issue's share of the flow begins: an entry an issue for each 65,536th.
    shares: Vec<u32>,
    script: Vec<(u32, Scripted)>,
    pub(crate) scratch: Vec<u32>,
    live_target: u64,
    events: u64,
    /// Events made when the pace was last set.
    paced: u64,
    /// How often in a row nothing came of the flow.
    idle: u32,
}

impl<'w, W: EventWriter> DayMaker<'w, W> {
    pub(crate) fn new(options: &Options, world: &World, writer: &'w mut W) -> io::Result<DayMaker<'w, W>> {
        let calendar = Calendar::new(options)?;
        let mut random = Random::of(options.seed, day_number(options.date));
        let live_target = u64::from(options.live_orders).min(options.events / 8);
        let gap = calendar.continuous() / options.events;
        let mut day = DayMaker {
            out: Output::new(writer, calendar.midnight, options.events),
            market: Market::Shut,
            limit: calendar.start(),
            jitter: u32::try_from((gap / 8).clamp(2, 64)).expect("clamped"),
            timers: Timers::default(),
            orders: Orders::default(),
            issues: Vec::new(),
            agents: Vec::new(),
            slots: Vec::new(),
            // Numbers of one day lie apart from those of the next.
            number_last: day_number(options.date) % 1_000_000 * 1_000_000_000_000,
            itch: options.itch,
            is_us: options.load.is_us(),
            shares: shares(world),
            script: Vec::new(),
            scratch: Vec::new(),
            live_target,
            events: options.events,
            paced: 0,
            idle: 0,
            random: random.clone(),
            calendar,
        };
        day.list(options, world, &mut random);
        day.random = random;
        Ok(day)
    }

    /// Sets up issues and agents.
    fn list(&mut self, options: &Options, world: &World, random: &mut Random) {
        let each = options.events / u64::try_from(world.sign_ups.len()).unwrap_or(1).max(1);
        let climate = Climate {
            multiplier: options.multiplier(),
            continuous: self.calendar.continuous(),
            absences_max: u32::try_from((each / 300).clamp(2, 24)).expect("clamped"),
        };
        let mut sign_ups = world.sign_ups.iter().peekable();
        for (at, issue) in (0..).zip(&world.issues) {
            let first = self.agents.len();
            while let Some(sign_up) = sign_ups.next_if(|sign_up| sign_up.issue == at) {
                let first_slot = narrow(self.slots.len());
                let agent = Agent::new(sign_up, issue, first_slot, &climate, random);
                self.slots.resize(self.slots.len() + agent.slots() as usize, QuoteSlot::EMPTY);
                self.agents.push(agent);
            }
            let anchor = issue.anchor + random.below(41) - 20;
            let unit_value = issue.grid.units(anchor) * u64::from(issue.unit) / 10_000;
            let usual = if self.is_us { 8_000 } else { 800_000 };
            self.issues.push(IssueState {
                reference: anchor,
                anchor,
                grid: issue.grid,
                unit: issue.unit,
                units_mean: u32::try_from(usual / unit_value.max(1)).unwrap_or(1).max(1),
                others: 0,
                others_target: 0,
                agents: narrow(first)..narrow(self.agents.len()),
                trades: true,
                stress: false,
                ladder: Ladder::new(),
                parked: Vec::new(),
            });
        }
        self.set_targets(world);
    }

    /// Shares out the orders of others: half of them evenly, half by how busy an issue is.
    fn set_targets(&mut self, world: &World) {
        // Who means not to quote often quotes badly instead.
        let share = |agent: &Agent| 560 + agent.diligence * 440 / 1000;
        let quotes: u64 = self.agents.iter().map(|agent| u64::from(agent.slots() * share(agent) / 1000)).sum();
        // Trades and the market's walk keep the number a little below what is aimed at.
        let others = self.live_target.saturating_sub(quotes).max(self.live_target / 4) * 17 / 16;
        let activity: u64 = world.issues.iter().map(|issue| u64::from(issue.activity)).sum();
        let count = u64::try_from(world.issues.len()).expect("a length fits 64 bits");
        for (state, issue) in self.issues.iter_mut().zip(&world.issues) {
            let target = others / 2 / count + others / 2 * u64::from(issue.activity) / activity;
            state.others_target = u32::try_from(target).unwrap_or(u32::MAX).max(2);
        }
    }

    /// Makes the whole day.
    pub(crate) fn run(mut self) -> io::Result<crate::Summary> {
        for (at, boundary) in (0..).zip(&self.calendar.boundaries) {
            self.timers.push(boundary.at, Timer::Boundary(at));
        }
        self.write_script();
        self.begin_agents();
        let mut pace = self.pace();
        pace.begin(self.for_flow());
        while 0 < self.out.left {
            match (self.timers.next(), pace.next()) {
                (Some(due), flow) if flow.is_none_or(|flow| due <= flow) => self.fire(),
                (_, Some(flow)) => self.flow_at(flow, &mut pace),
                (_, None) => break,
            }
        }
        self.expire();
        let summary =
            crate::Summary { events: self.out.made, live_orders_max: self.orders.live_max(), counts: self.out.counts };
        self.out.into_result()?;
        Ok(summary)
    }

    /// The pace of the day, with enough of it before the open to fill the books.
    fn pace(&self) -> Pace {
        let mut segments = self.calendar.segments.clone();
        let open = self.calendar.open();
        let early = segments.iter().filter(|segment| segment.end <= open).count();
        let weight_later: u64 = segments[early..].iter().map(|segment| segment.weight).sum();
        let others: u64 = self.issues.iter().map(|state| u64::from(state.others_target)).sum();
        let adds = others * 3 / 2 + u64::from(narrow(self.slots.len()));
        let rest = self.events.saturating_sub(2 * adds).max(1);
        let weight = u128::from(weight_later) * u128::from(adds) / u128::from(rest);
        let each = u64::try_from(weight).expect("adds are a small part of all") / u64::from(narrow(early).max(1));
        for segment in &mut segments[..early] {
            segment.weight = each.max(1);
        }
        Pace::new(segments)
    }

    /// Events that are left for the flow: those for the expiry of orders at the end of the day are not.
    fn for_flow(&self) -> u64 {
        let live = if self.out.now < self.calendar.open() { self.live_target } else { self.orders.live() };
        self.out.left.saturating_sub(live - live / 8)
    }

    fn flow_at(&mut self, at: u64, pace: &mut Pace) {
        self.out.now = self.out.now.max(at);
        self.flow();
        // What timers have made since the last flow slows the next. An action that came to nothing takes no time, or the
        // day would end too early; but should nothing ever come of any, time goes on.
        let events = self.out.made - self.paced;
        self.paced = self.out.made;
        self.idle = if events == 0 { self.idle + 1 } else { 0 };
        let events = if self.idle.is_multiple_of(64) { events.max(1) } else { events };
        let exponential = self.random.exponential_q16();
        if pace.advance(events, exponential) {
            pace.begin(self.for_flow());
        }
    }

    /// The next issue to see orders.
    pub(crate) fn pick_issue(&mut self) -> u32 {
        self.shares[(self.random.next() >> 48) as usize]
    }

    /// A little time passes inside a burst of events, but never past a boundary.
    #[inline]
    pub(crate) fn tick_clock(&mut self) {
        let next = self.out.now + u64::from(self.random.below(self.jitter));
        if next < self.limit {
            self.out.now = next;
        }
    }

    /// While nothing is taken, what is due waits for the next opening. True if it does, or never happens.
    pub(crate) fn postpone(&mut self, timer: Timer) -> bool {
        if self.market != Market::Shut {
            return false;
        }
        if let Some(reopening) = self.calendar.reopening(self.out.now) {
            let delay = self.random.below_wide(20 * MINUTE);
            self.timers.push(reopening + delay, timer);
        }
        true
    }

    fn fire(&mut self) {
        let Some((due, timer)) = self.timers.pop() else { return };
        self.out.now = self.out.now.max(due);
        match timer {
            Timer::Boundary(at) => self.cross(self.calendar.boundaries[at as usize]),
            Timer::Auction(issue, auction) => self.auction(issue, auction),
            Timer::Script(line) => self.follow_script(line),
            Timer::Turn(agent) => self.turn(agent),
            Timer::Attend(agent) => self.attend(agent),
            Timer::Withdraw { issue, at, id_low } => self.withdraw(issue, at, id_low),
        }
    }

    fn cross(&mut self, boundary: Boundary) {
        self.market = boundary.market;
        self.limit = self.calendar.limit(boundary.at);
        if let Some(phase) = boundary.phase {
            self.out.other(MarketEvent::Phase { scope: Scope::Market, phase });
        }
        if let Some(auction) = boundary.auction {
            for issue in 0..narrow(self.issues.len()) {
                if !self.issues[issue as usize].parked.is_empty() || auction == Auction::Closing {
                    let delay = u64::from(self.random.between(50, 600_000));
                    self.timers.push(boundary.at + delay, Timer::Auction(issue, auction));
                }
            }
        }
    }

    /// Decides what interrupts which issues.
    fn write_script(&mut self) {
        let count = narrow(self.issues.len());
        let open = self.calendar.open();
        let some = |per: u32| 1 + count / per;
        for _ in 0..some(300) {
            self.interrupt(open + 20 * MINUTE, Phase::Halt, 10 * MINUTE);
        }
        for _ in 0..some(3) {
            self.plan_stress(open);
        }
        if self.itch {
            return;
        }
        for _ in 0..some(40) {
            self.interrupt(open + 20 * MINUTE, Phase::SpecialQuote, 4 * MINUTE);
            self.interrupt(open + 20 * MINUTE, Phase::SequentialQuote, MINUTE);
        }
        for _ in 0..some(60) {
            // Imbalanced at the open: it opens late.
            let issue = self.random.below(count);
            let length = u64::from(self.random.between(60, 480)) * SECOND;
            self.plan(open, issue, Scripted::Phase(Phase::SpecialQuote));
            self.plan(open + length, issue, Scripted::Resume);
        }
        let at = open + self.random.below_wide(60 * MINUTE) + 20 * MINUTE;
        let issue = self.random.below(count);
        self.plan(at, issue, Scripted::Recovery);
    }

    /// One issue is interrupted for about `length`, within the two hours from `from` on.
    fn interrupt(&mut self, from: u64, phase: Phase, length: u64) {
        let issue = self.random.below(narrow(self.issues.len()));
        let at = from + self.random.below_wide(90 * MINUTE);
        let length = length / 2 + self.random.below_wide(length);
        self.plan(at, issue, Scripted::Phase(phase));
        self.plan(at + length, issue, Scripted::Resume);
    }

    fn plan_stress(&mut self, open: u64) {
        let issue = self.random.below(narrow(self.issues.len()));
        let at = open + self.random.below_wide(self.calendar.continuous() * 4 / 5);
        let length = 3 * MINUTE + self.random.below_wide(15 * MINUTE);
        self.plan(at, issue, Scripted::Stress(true));
        self.plan(at + length, issue, Scripted::Stress(false));
    }

    fn plan(&mut self, at: u64, issue: u32, scripted: Scripted) {
        self.timers.push(at, Timer::Script(narrow(self.script.len())));
        self.script.push((issue, scripted));
    }

    fn follow_script(&mut self, line: u32) {
        let (issue, scripted) = self.script[line as usize];
        if matches!(scripted, Scripted::Stress(_) | Scripted::Recovery) && self.postpone(Timer::Script(line)) {
            return;
        }
        match scripted {
            Scripted::Phase(phase) => self.set_phase(issue, phase),
            Scripted::Resume => {
                if !self.itch {
                    self.auction(issue, Auction::Opening);
                }
                self.set_phase(issue, Phase::Continuous);
            }
            Scripted::Stress(begins) => self.stress(issue, begins),
            Scripted::Recovery => self.recover(issue),
        }
    }

    fn set_phase(&mut self, issue: u32, phase: Phase) {
        self.issues[issue as usize].trades = matches!(phase, Phase::Continuous | Phase::SequentialQuote);
        self.out.other(MarketEvent::Phase { scope: Scope::Issue(IssueIndex(issue)), phase });
    }
}

pub(crate) fn narrow(length: usize) -> u32 {
    u32::try_from(length).expect("the options bound every count")
}

/// For each 65,536th of the flow the issue that it goes to; every issue has at least one.
fn shares(world: &World) -> Vec<u32> {
    const COUNT: u64 = 1 << 16;
    let total: u64 = world.issues.iter().map(|issue| u64::from(issue.activity)).sum();
    let free = COUNT - u64::from(narrow(world.issues.len()));
    let mut shares = Vec::new();
    for (at, issue) in (0..).zip(&world.issues) {
        let count = 1 + u64::from(issue.activity) * free / total;
        shares.extend((0..count).map(|_| at));
    }
    // What rounding down has left over goes to the first.
    shares.resize(1 << 16, 0);
    shares
}
