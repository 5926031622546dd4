//! One instant worked out as on paper: levels, running sums, the spread beside its limits.

use crate::{Scene, Subject, Suggestion, suggest};
use quoteclock_model::{Amount, Price, Reason, Shares, Side, SideFault, Ticks};
use quoteclock_obligation::{counted_sizes, verdict};
use quoteclock_rules::{Limits, Spread};

/// A price level of one side, with what has been added up to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Level {
    /// The price.
    pub price: Price,
    /// The own shares there.
    pub shares: Shares,
    /// Their value.
    pub value: Amount,
    /// The value from the best price up to here.
    pub value_running: Amount,
    /// The shares from the best price up to here.
    pub shares_running: Shares,
}

/// One side of the own quotes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SideView {
    /// The side.
    pub side: Side,
    /// Its levels, the best first.
    pub levels: Vec<Level>,
    /// The obligation price, or why there is none.
    pub reached: Result<Price, SideFault>,
    /// The value by which the side falls short.
    pub value_missing: Amount,
    /// The shares by which the side falls short.
    pub shares_missing: Shares,
}

/// A spread between obligation prices.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SpreadView {
    /// The two prices.
    pub spread: Spread,
    /// Ticks from bid up to offer.
    pub ticks: Ticks,
    /// (offer − bid) × 20,000, or × 10,000 where basis points are not of the mid: the spread in basis points is this by
    /// `bps_denominator`, in ten-thousandths of a currency unit both. Negative for crossed prices.
    pub bps_numerator: i128,
    /// Offer + bid, or the price that basis points are of.
    pub bps_denominator: u64,
    /// The shares of bid and offer up to those prices, where they must not differ by too much.
    pub sizes: Option<[Shares; 2]>,
}

/// One instant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct View {
    /// The limits in force.
    pub limits: Limits,
    /// Bid and offer side.
    pub sides: [SideView; 2],
    /// The spread, if both sides are large enough.
    pub spread: Option<SpreadView>,
    /// What the measuring path's rule says of it.
    pub verdict: Result<(), Reason>,
    /// What would have sufficed, if it is not good.
    pub suggestion: Option<Suggestion>,
}

impl View {
    /// Works out `scene` under the limits of `subject`.
    ///
    /// Clauses: `ST1/minimum-value`, `ST1/spread-of-mid`, `ST1/spread-ticks`.
    pub fn new(scene: &Scene, subject: &Subject) -> View {
        let limits = subject.limits_at(scene.at);
        let verdict = verdict(&scene.own, limits);
        let market = scene.market.map(|best| best.map(|(price, _)| price));
        View {
            limits: limits.clone(),
            sides: Side::BOTH.map(|side| side_view(scene, side, limits)),
            spread: spread_view(scene, limits),
            verdict,
            suggestion: verdict.is_err().then(|| suggest(&scene.own, limits, market, subject.trading_unit)),
        }
    }
}

fn side_view(scene: &Scene, side: Side, limits: &Limits) -> SideView {
    let (mut value_running, mut shares_running) = (Amount::default(), Shares(0));
    let level = |(price, shares): (Price, Shares)| {
        let value = price.amount(shares);
        value_running += value;
        shares_running = Shares(shares_running.0.saturating_add(shares.0));
        Level { price, shares, value, value_running, shares_running }
    };
    let levels: Vec<Level> = scene.own.levels(side).iter().map(level).collect();
    // Where all shares count at one price, at that of the outermost level.
    let at_price = levels.last().filter(|_| limits.manner.value_at_price);
    let value_counted = at_price.map_or(value_running, |last| last.price.amount(shares_running));
    SideView {
        side,
        levels,
        reached: scene.own.obligation_price(side, &limits.minimum()),
        value_missing: Amount(limits.value_min.map_or(0, |min| min.0.saturating_sub(value_counted.0))),
        shares_missing: Shares(limits.quantity_min.map_or(0, |min| min.0.saturating_sub(shares_running.0))),
    }
}

fn spread_view(scene: &Scene, limits: &Limits) -> Option<SpreadView> {
    let reached = |side| scene.own.obligation_price(side, &limits.minimum()).ok();
    let spread = Spread { bid: reached(Side::Bid)?, offer: reached(Side::Offer)? };
    let (bid, offer) = (spread.bid.ten_thousandths(), spread.offer.ten_thousandths());
    let (bps_denominator, times) = limits.manner.spread_base.of(spread);
    Some(SpreadView {
        spread,
        // Locked or crossed prices have no tick between them, be they off the grid.
        ticks: if offer <= bid { Ticks(0) } else { limits.tick_table.ticks_between(spread.bid, spread.offer) },
        bps_numerator: (i128::from(offer) - i128::from(bid)) * i128::from(times / 10_000),
        bps_denominator,
        sizes: counted_sizes(&scene.own, limits),
    })
}
