//! The market's listing: issues, market makers, servers and who quotes what. It depends on the seed and the sizes, not on
//! the date, so that the days of a month share it.

use crate::grid::{CENT, Grid, TABLE_01, TABLE_03, TABLE_04};
use crate::names;
use crate::options::{Load, Options};
use crate::random::Random;
use std::ops::Range;

/// What a type of issue requires.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct TypeTerms {
    pub(crate) name: &'static str,
    pub(crate) bps: u64,
    pub(crate) ticks: u64,
    /// In whole currency units.
    pub(crate) value: u64,
}

const fn terms(name: &'static str, bps: u64, ticks: u64, value: u64) -> TypeTerms {
    TypeTerms { name, bps, ticks, value }
}

/// Those of the built-in scheme.
const TOKYO: [TypeTerms; 4] = [
    terms("A", 20, 2, 30_000_000),
    terms("B", 50, 3, 10_000_000),
    terms("C", 50, 3, 5_000_000),
    terms("D", 80, 4, 5_000_000),
];
/// Made up: dollars, for the scheme that goes with the load.
const US: [TypeTerms; 4] =
    [terms("A", 20, 2, 50_000), terms("B", 50, 3, 20_000), terms("C", 50, 3, 10_000), terms("D", 80, 4, 10_000)];

pub(crate) const fn types(load: Load) -> [TypeTerms; 4] {
    if load.is_us() { US } else { TOKYO }
}

/// A listed issue.
#[derive(Clone, Debug)]
pub(crate) struct Issue {
    pub(crate) code: String,
    pub(crate) terms: TypeTerms,
    pub(crate) grid: Grid,
    /// The number of the price around which it trades.
    pub(crate) anchor: u32,
    /// Shares per trading unit.
    pub(crate) unit: u32,
    pub(crate) leveraged: bool,
    /// Its share of the market's business.
    pub(crate) activity: u32,
}

/// A firm that quotes.
#[derive(Clone, Debug)]
pub(crate) struct MarketMaker {
    pub(crate) name: String,
    /// Positions in [`World::servers`]; the first half belongs to the first participant.
    pub(crate) servers: Range<u32>,
    /// The share of time in which it means to quote, in thousandths.
    diligence: u32,
}

/// A virtual server.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) name: String,
    pub(crate) market_maker: u32,
    pub(crate) participant: String,
}

/// A market maker's commitment to an issue.
#[derive(Clone, Debug)]
pub(crate) struct SignUp {
    pub(crate) issue: u32,
    pub(crate) market_maker: u32,
    pub(crate) participant: Option<String>,
    /// The servers that its orders come through.
    pub(crate) servers: Range<u32>,
    /// The share of time in which it means to quote, in thousandths.
    pub(crate) diligence: u32,
    /// Prices quoted on each side.
    pub(crate) levels: u32,
}

/// The listing.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) issues: Vec<Issue>,
    pub(crate) market_makers: Vec<MarketMaker>,
    pub(crate) servers: Vec<Server>,
    /// By issue.
    pub(crate) sign_ups: Vec<SignUp>,
}

impl World {
    pub(crate) fn new(options: &Options) -> World {
        let mut random = Random::of(options.seed, 0x0157);
        let issues = issues(options, &mut random);
        let (market_makers, servers) = market_makers(options, &mut random);
        let mut world = World { issues, market_makers, servers, sign_ups: Vec::new() };
        world.sign_up(options, &mut random);
        world
    }

    fn sign_up(&mut self, options: &Options, random: &mut Random) {
        let (makers_low, makers_high, levels_low, levels_high) = match options.load {
            Load::Small => (2, 6, 3, 8),
            Load::TseEtf => (4, 12, 6, 16),
            Load::UsMarket => (2, 6, 4, 8),
        };
        // A day of few events cannot keep many quotes up.
        let most = options.events / 100;
        for issue in 0..options.issues {
            let count = random.between(makers_low, makers_high).min(options.market_makers);
            let first = random.below(options.market_makers);
            for step in 0..count {
                let levels = random.between(levels_low, levels_high);
                let sign_up = self.one(issue, (first + step) % options.market_makers, levels, random);
                if u64::try_from(self.sign_ups.len()).is_ok_and(|length| length < most) {
                    self.sign_ups.push(sign_up);
                }
            }
        }
        let each = options.events / u64::try_from(self.sign_ups.len()).unwrap_or(1).max(1);
        let levels_max = u32::try_from(each / 40).unwrap_or(u32::MAX).max(1);
        for sign_up in &mut self.sign_ups {
            sign_up.levels = sign_up.levels.min(levels_max);
        }
    }

    fn one(&self, issue: u32, market_maker: u32, levels: u32, random: &mut Random) -> SignUp {
        let maker = &self.market_makers[market_maker as usize];
        let Range { start, end } = maker.servers;
        let middle = start + (end - start) / 2;
        let (servers, participant) = match random.below(4) {
            0 => (start..middle, Some(names::participant(market_maker, false))),
            1 => (middle..end, Some(names::participant(market_maker, true))),
            _ => (start..end, None),
        };
        let diligence = match random.below(32) {
            0 => 0,
            1 => 1000,
            2 => random.below(1000),
            _ => (maker.diligence + random.below(161)).saturating_sub(80).min(1000),
        };
        SignUp { issue, market_maker, participant, servers, diligence, levels }
    }
}

fn issues(options: &Options, random: &mut Random) -> Vec<Issue> {
    let mut ranks: Vec<u32> = (0..options.issues).collect();
    random.shuffle(&mut ranks);
    let issue = |(at, rank): (u32, u32)| {
        let grid = if options.load.is_us() { CENT } else { [TABLE_03, TABLE_01, TABLE_04][at as usize % 3] };
        let terms = types(options.load)[random.below(4) as usize];
        Issue {
            code: names::issue(options.load, at, options.issues),
            terms,
            grid,
            anchor: anchor(options.load, grid, random),
            unit: if options.load.is_us() { 1 } else { [1, 1, 10, 10, 100][random.below(5) as usize] },
            leveraged: !options.load.is_us() && terms.name != "A" && random.chance(150),
            activity: 1_000_000 / (rank + 12),
        }
    };
    (0..).zip(ranks).map(issue).collect()
}

/// A price of the usual kind, now and then right at the limit of two bands.
fn anchor(load: Load, grid: Grid, random: &mut Random) -> u32 {
    let doublings = random.below(if load.is_us() { 7 } else { 6 });
    let units = if load.is_us() {
        (50_000 << doublings) + random.below_wide(50_000 << doublings)
    } else {
        (5_000_000 << doublings) + random.below_wide(5_000_000 << doublings)
    };
    let near = grid.boundaries().filter(|boundary| (10_000_000..=300_000_000).contains(boundary));
    let near: Vec<u64> = near.collect();
    let number = if !near.is_empty() && random.chance(200) {
        let pick = random.below(u32::try_from(near.len()).expect("a few bands"));
        grid.number(near[pick as usize])
    } else {
        grid.number(units)
    };
    // Room for the day's walk below.
    number.max(600)
}

/// What market makers mean to do, in thousandths of the time; many lie near 80 %.
const DILIGENCE: [u32; 10] = [850, 990, 810, 880, 60, 830, 420, 1000, 860, 700];

fn market_makers(options: &Options, random: &mut Random) -> (Vec<MarketMaker>, Vec<Server>) {
    let (mut makers, mut servers) = (Vec::new(), Vec::new());
    let mut first = 0;
    for maker in 0..options.market_makers {
        let count = random.between(2, 6);
        for at in 0..count {
            servers.push(Server {
                name: names::server(options.load, maker, at),
                market_maker: maker,
                participant: names::participant(maker, count / 2 <= at),
            });
        }
        makers.push(MarketMaker {
            name: names::market_maker(maker),
            servers: first..first + count,
            diligence: DILIGENCE[maker as usize % DILIGENCE.len()],
        });
        first += count;
    }
    (makers, servers)
}
