//! The limits of one obligation, and the comparison of a spread with them. Integers decide.

use crate::manner::WHOLE_PCT;
use crate::{Manner, SidesRequired, SpreadLimits, TickTable};
use quoteclock_model::{Amount, Bps, MinimumSize, Price, Shares, SizeRule, Ticks};
use std::sync::Arc;

/// Limits in force for one obligation on one date, the Fast Market multiplier applied.
///
/// Clauses: `ST1/spread-and-quantity`, `ST1/fast-market`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Limits {
    /// The widest spread in basis points, of the mid where [`Manner::spread_base`] does not say otherwise.
    pub spread_bps_max: Option<Bps>,
    /// The widest spread in ticks. Of all that are given the widest counts.
    pub spread_ticks_max: Option<Ticks>,
    /// The least value of a side's quotes.
    pub value_min: Option<Amount>,
    /// The least quantity of a side's quotes. At least one of the two minima is given; both must be reached, where
    /// [`Manner::size_rule`] does not say otherwise.
    pub quantity_min: Option<Shares>,
    /// How the limits are taken where not as the Tokyo Stock Exchange does, and limits of other kinds.
    pub manner: Manner,
    /// The tick table.
    pub tick_table: Arc<TickTable>,
}

/// A spread, exactly: the two prices, of which the limits take a fraction or a number of ticks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Spread {
    /// The obligation price of the bid side.
    pub bid: Price,
    /// The obligation price of the offer side.
    pub offer: Price,
}

impl Spread {
    /// Both prices moved inward by `units` ten-thousandths, outward if below zero; `None` if they meet, or leave the
    /// range of prices.
    fn moved(self, units: i64) -> Option<Spread> {
        let bid = Price::from_ten_thousandths(self.bid.ten_thousandths().checked_add_signed(units)?)?;
        let offer =
            Price::from_ten_thousandths(self.offer.ten_thousandths().checked_add_signed(units.checked_neg()?)?)?;
        (units <= 0 || bid < offer).then_some(Spread { bid, offer })
    }
}

impl Limits {
    /// Whether quotes with these obligation prices are close enough: crossed or locked, or within one of the limits of the
    /// spread. All limits are inclusive.
    ///
    /// Clauses: `ST1/spread-and-quantity`, `ST1/spread-of-mid`, `QC/own_crossed_quotes`.
    #[inline]
    pub fn spread_fulfils(&self, spread: Spread) -> bool {
        let Spread { bid, offer } = spread;
        if offer <= bid {
            return true;
        }
        if self.manner.bands.is_empty() {
            return self.bps_fulfil(self.spread_bps_max, spread)
                || self.ticks_fulfil(self.spread_ticks_max, spread)
                || width_fulfils(self.manner.width_max, spread);
        }
        let SpreadLimits { bps_max, ticks_max, width_max } = self.spread_limits(bid);
        self.bps_fulfil(bps_max, spread) || self.ticks_fulfil(ticks_max, spread) || width_fulfils(width_max, spread)
    }

    /// The limits of the spread: those of the band that the bid is in, where there are bands.
    pub fn spread_limits(&self, bid: Price) -> SpreadLimits {
        let Manner { width_max, bands, .. } = &self.manner;
        let of_band = bands.iter().find(|band| band.up_to.is_none_or(|up_to| bid <= up_to));
        let (bps_max, ticks_max) = (self.spread_bps_max, self.spread_ticks_max);
        of_band.map_or(SpreadLimits { bps_max, ticks_max, width_max: *width_max }, |band| band.limits)
    }

    /// Whether a verdict follows from nothing but the quotes themselves: a side that quotes more, or closer, may fulfil less,
    /// or each minimum does not count by itself.
    #[inline]
    pub fn needs_quotes(&self) -> bool {
        let Manner { bands, size_rule, value_at_price, size_divergence_pct_max, sides, .. } = &self.manner;
        let any_of_two = *size_rule == SizeRule::Any && self.value_min.is_some() && self.quantity_min.is_some();
        !bands.is_empty()
            || any_of_two
            || *value_at_price
            || size_divergence_pct_max.is_some()
            || *sides == SidesRequired::Either
    }

    /// A spread that holds `spread` inside and fulfils as well, as wide as is easily found; `spread` itself has to fulfil.
    ///
    /// For whoever wants to know how much room there is, not where it ends. Only where bands do not matter.
    pub fn widened(&self, spread: Spread) -> Spread {
        let room = self.room(spread).filter(|&room| 0 < room);
        let wide = room.and_then(|room| spread.moved(-room)).filter(|&wide| self.spread_fulfils(wide));
        wide.unwrap_or(spread)
    }

    /// A spread inside `spread` that does not fulfil either, as narrow as is easily found; `spread` itself must not.
    pub fn narrowed(&self, spread: Spread) -> Spread {
        let excess = self.room(spread).map_or(0, |room| -room);
        let narrow = spread.moved((excess - 1).max(0)).filter(|&narrow| !self.spread_fulfils(narrow));
        narrow.unwrap_or(spread)
    }

    /// By how much each price may move outward around the same mid, by the widest limit; below zero, by how much it has to move
    /// inward.
    fn room(&self, spread: Spread) -> Option<i64> {
        let room = self.bps_room(spread).max(self.ticks_room(spread));
        if self.manner.width_max.is_none() { room } else { room.max(self.width_room(spread)) }
    }

    fn bps_room(&self, spread: Spread) -> Option<i64> {
        // What 64 bits do not hold has more room than matters.
        let (base, numerator) = self.manner.spread_base.of(spread);
        room(self.spread_bps_max?.0.checked_mul(base)? / numerator, spread)
    }

    /// The same by the limit in ticks of the bid's size.
    fn ticks_room(&self, Spread { bid, offer }: Spread) -> Option<i64> {
        let ticks = self.tick_table.ticks_between(bid, offer).0;
        let room = i64::try_from(self.spread_ticks_max?.0).ok()?.checked_sub_unsigned(ticks)?;
        let tick = i64::try_from(self.tick_table.tick_at(bid).ten_thousandths()).ok()?;
        room.div_euclid(2).checked_mul(tick)
    }

    fn width_room(&self, spread: Spread) -> Option<i64> {
        room(self.manner.width_max?.ten_thousandths(), spread)
    }

    fn bps_fulfil(&self, max: Option<Bps>, spread: Spread) -> bool {
        let Some(Bps(max)) = max else { return false };
        let (base, numerator) = self.manner.spread_base.of(spread);
        let width = u128::from(spread.offer.ten_thousandths() - spread.bid.ten_thousandths());
        width * u128::from(numerator) <= u128::from(max) * u128::from(base)
    }

    fn ticks_fulfil(&self, max: Option<Ticks>, Spread { bid, offer }: Spread) -> bool {
        max.is_some_and(|max| self.tick_table.ticks_between(bid, offer) <= max)
    }

    /// Whether two sides' sizes are close enough to each other: (larger - smaller) x 100 <= percentage x larger, inclusive.
    pub fn sizes_balance(&self, sizes: [Shares; 2]) -> bool {
        self.manner.size_divergence_pct_max.is_none_or(|pct_max| {
            let [one, other] = sizes.map(|Shares(shares)| u128::from(shares));
            one.abs_diff(other) * u128::from(WHOLE_PCT) <= u128::from(pct_max) * one.max(other)
        })
    }

    /// What each side has to come to.
    ///
    /// Clause: `ST1/minimum-value`.
    pub fn minimum(&self) -> MinimumSize {
        let Manner { size_rule, value_at_price, .. } = self.manner;
        MinimumSize { value: self.value_min, quantity: self.quantity_min, rule: size_rule, value_at_price }
    }
}

/// Clause: `QC/spread-as-difference`.
fn width_fulfils(max: Option<Price>, Spread { bid, offer }: Spread) -> bool {
    max.is_some_and(|max| offer.ten_thousandths() - bid.ten_thousandths() <= max.ten_thousandths())
}

/// By how much each price may move outward until the spread is `width_max`.
fn room(width_max: u64, Spread { bid, offer }: Spread) -> Option<i64> {
    let width = i64::try_from(offer.ten_thousandths().saturating_sub(bid.ten_thousandths())).ok()?;
    Some(i64::try_from(width_max).ok()?.checked_sub(width)?.div_euclid(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn yen(price: u64) -> Price {
        Price::from_ten_thousandths(price * 10_000).unwrap()
    }

    fn limits(bps: Option<u64>, ticks: Option<u64>) -> Limits {
        Limits {
            spread_bps_max: bps.map(Bps),
            spread_ticks_max: ticks.map(Ticks),
            value_min: Some(Amount(300_000_000_000)),
            quantity_min: None,
            manner: Manner::default(),
            tick_table: Arc::new(TickTable::new(&[], 10_000).unwrap()),
        }
    }

    #[test]
    fn the_quote_display_sample_is_fulfilled_by_ticks_not_by_bps() {
        let spread = Spread { bid: yen(102), offer: yen(104) };
        assert!(limits(Some(200_000), Some(2)).spread_fulfils(spread));
        assert!(!limits(Some(200_000), Some(1)).spread_fulfils(spread));
        assert!(!limits(Some(200_000), None).spread_fulfils(spread));
        assert!(!limits(Some(1_941_747), None).spread_fulfils(spread), "194.1747… bps is more than 194.1747");
        assert!(limits(Some(1_941_748), None).spread_fulfils(spread));
    }

    #[test]
    fn the_bps_limit_is_inclusive() {
        // (2002 − 1998) × 2 × 10,000 / 4000 = 20 bps exactly.
        let at = Spread { bid: yen(1998), offer: yen(2002) };
        let beyond = Spread { bid: yen(1998), offer: Price::from_ten_thousandths(20_020_001).unwrap() };
        assert!(limits(Some(200_000), None).spread_fulfils(at));
        assert!(!limits(Some(200_000), None).spread_fulfils(beyond));
    }

    #[test]
    fn locked_and_crossed_quotes_fulfil() {
        for offer in [102, 101] {
            assert!(limits(Some(1), None).spread_fulfils(Spread { bid: yen(102), offer: yen(offer) }));
        }
    }

    #[test]
    fn a_widened_spread_still_fulfils_and_a_narrowed_one_still_does_not() {
        let spread = |bid, offer| Spread { bid: yen(bid), offer: yen(offer) };
        // 2 ticks of room, one on each side; and 20 bps around 2000.
        assert_eq!(limits(None, Some(4)).widened(spread(102, 104)), spread(101, 105));
        assert_eq!(limits(Some(200_000), None).widened(spread(2000, 2000)), spread(1998, 2002));
        assert_eq!(limits(Some(200_000), Some(9)).widened(spread(1999, 2001)), spread(1996, 2004));
        assert_eq!(limits(Some(200_000), Some(2)).widened(spread(102, 104)), spread(102, 104));
        // Three ticks too many, and then some.
        let narrow = limits(None, Some(4)).narrowed(spread(100, 107));
        assert!(spread(100, 107).bid < narrow.bid && narrow.offer < spread(100, 107).offer, "{narrow:?}");
        let mut widened = 0;
        for (bps, ticks) in [(Some(1_000_000), None), (None, Some(7)), (Some(1_000_000), Some(7)), (Some(1), Some(0))] {
            let limits = limits(bps, ticks);
            for (bid, offer) in
                [(1, 1), (1, 2), (105, 95), (999, 1000), (900, 1100), (5, 4000), (1_000_000_000, 1_000_000_000)]
            {
                let fulfils = limits.spread_fulfils(spread(bid, offer));
                let other =
                    if fulfils { limits.widened(spread(bid, offer)) } else { limits.narrowed(spread(bid, offer)) };
                assert_eq!(limits.spread_fulfils(other), fulfils, "{other:?}");
                assert_eq!(other.bid <= yen(bid), fulfils || other.bid == yen(bid), "{other:?}");
                assert_eq!(yen(offer) <= other.offer, fulfils || other.offer == yen(offer), "{other:?}");
                widened += u32::from(other != spread(bid, offer));
            }
        }
        assert!(12 < widened, "{widened}");
    }
}
