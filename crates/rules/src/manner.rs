//! How limits are taken where a venue does not take them as the Tokyo Stock Exchange does. Integers decide; all limits are
//! inclusive. The default is Tokyo's.

use crate::Spread;
use quoteclock_model::{Bps, Micros, Price, SizeRule, Ticks};
use std::sync::Arc;

/// All of 100 %, in ten-thousandths of a percent.
pub(crate) const WHOLE_PCT: u64 = 1_000_000;

/// How limits are taken, and limits that Tokyo does not know.
///
/// ```
/// use quoteclock_rules::{Manner, SidesRequired, SpreadBase};
/// let tokyo = Manner::default();
/// assert_eq!((tokyo.spread_base, tokyo.sides), (SpreadBase::Mid, SidesRequired::Both));
/// ```
///
/// Clauses: `TWSE/spread-of-offer`, `TWSE/units-or-value`, `RTS8/comparable-size`, `BIT/bid-or-offer`, `QC/bands`, `TWSE/held`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Manner {
    /// What the basis points are of.
    pub spread_base: SpreadBase,
    /// The widest spread as a difference of prices.
    pub width_max: Option<Price>,
    /// Limits of the spread by the bid's obligation price, in place of all others; ascending, the last one without an upper
    /// limit. Mostly none.
    pub bands: Arc<[SpreadBand]>,
    /// Whether both minima have to be reached where both are given.
    pub size_rule: SizeRule,
    /// Whether the least value is of all shares at the price where it is reached.
    pub value_at_price: bool,
    /// By how much the sizes of the two sides may differ, in ten-thousandths of a percent of the larger one. What counts are
    /// the shares from the best price outward to the obligation price.
    pub size_divergence_pct_max: Option<u64>,
    /// Whether one side is enough.
    pub sides: SidesRequired,
    /// For how long quotes have to fulfil everything else without a break: a shorter stretch does not count. The same all day.
    pub resting_min: Micros,
}

/// What the spread's basis points are of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum SpreadBase {
    /// The mid of both obligation prices.
    #[default]
    Mid,
    /// The bid's.
    Bid,
    /// The offer's.
    Offer,
}

impl SpreadBase {
    /// As the files write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            SpreadBase::Mid => "mid",
            SpreadBase::Bid => "bid",
            SpreadBase::Offer => "offer",
        }
    }

    /// A number and by how much a width has to be multiplied so that the two are to each other as one ten-thousandth of a basis
    /// point times the width to this price: x 10,000 for bps, x 10,000 for the unit, x 2 for the mid, of which the number is
    /// twice.
    pub fn of(self, Spread { bid, offer }: Spread) -> (u64, u64) {
        const PER_BPS_UNIT: u64 = 10_000 * 10_000;
        let (bid, offer) = (bid.ten_thousandths(), offer.ten_thousandths());
        match self {
            SpreadBase::Mid => (bid + offer, 2 * PER_BPS_UNIT),
            SpreadBase::Bid => (bid, PER_BPS_UNIT),
            SpreadBase::Offer => (offer, PER_BPS_UNIT),
        }
    }
}

/// Which sides have to be quoted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum SidesRequired {
    /// Both.
    #[default]
    Both,
    /// One of them is enough. Where both reach the minimum, their spread is limited all the same.
    Either,
}

/// The widest spread, by each of the limits that are given; of these the widest counts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct SpreadLimits {
    /// In basis points.
    pub bps_max: Option<Bps>,
    /// In ticks.
    pub ticks_max: Option<Ticks>,
    /// As a difference of prices.
    pub width_max: Option<Price>,
}

impl SpreadLimits {
    /// Limits so many ten-thousandths times as wide, rounded down, as far as prices reach.
    ///
    /// Clauses: `ST1/fast-market`, `QC/fast_market_scales`.
    pub(crate) fn widened(self, times: u64) -> SpreadLimits {
        let wider = |max: u64| u64::try_from(u128::from(max) * u128::from(times) / 10_000).unwrap_or(u64::MAX);
        let width = |max: Price| Price::from_ten_thousandths(wider(max.ten_thousandths())).unwrap_or(Price::MAX);
        SpreadLimits {
            bps_max: self.bps_max.map(|Bps(max)| Bps(wider(max))),
            ticks_max: self.ticks_max.map(|Ticks(max)| Ticks(wider(max))),
            width_max: self.width_max.map(width),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        *self == SpreadLimits::default()
    }
}

/// Limits of the spread of prices up to one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct SpreadBand {
    /// The last price of the band, inclusive; `None` for all above.
    pub up_to: Option<Price>,
    /// Its limits.
    pub limits: SpreadLimits,
}
