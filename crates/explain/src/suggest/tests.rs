//! Every suggestion, applied, makes the verdict good; one trading unit less does not.

use super::*;
use proptest::collection::vec;
use proptest::prelude::*;
use quoteclock_model::{Bps, SizeRule, Ticks};
use quoteclock_obligation::verdict;
use quoteclock_rules::{Manner, SidesRequired, SpreadBand, SpreadLimits};
use std::sync::Arc;

const ONE: NonZeroU64 = NonZeroU64::MIN;

fn price(units: u64) -> Price {
    Price::from_ten_thousandths(units).unwrap()
}

fn yen(yen: u64) -> Price {
    price(yen * 10_000)
}

fn quotes(levels: &[(Side, Price, u64)]) -> OwnQuotes {
    levels.iter().map(|&(side, price, shares)| (side, price, Shares(shares))).collect()
}

/// All levels of both sides.
fn all(own: &OwnQuotes) -> Vec<(Side, Price, u64)> {
    let of_side =
        |side| own.levels(side).iter().map(move |(price, shares)| (side, price, shares.0)).collect::<Vec<_>>();
    Side::BOTH.into_iter().flat_map(of_side).collect()
}

/// Adds what a change asks for.
fn add(own: &OwnQuotes, change: &Change, shares: u64) -> OwnQuotes {
    let mut levels = all(own);
    if 0 < shares {
        levels.push((change.side, change.price, shares));
    }
    quotes(&levels)
}

/// Moves what a change asks for from further out, the outermost first.
fn shift(own: &OwnQuotes, change: &Change) -> OwnQuotes {
    let mut levels = all(own);
    let mut left = change.shares.0;
    for (_, _, shares) in
        levels.iter_mut().rev().filter(|&&mut (side, at, _)| side == change.side && is_further(side, at, change.price))
    {
        let part = left.min(*shares);
        *shares -= part;
        left -= part;
    }
    assert_eq!(left, 0);
    levels.retain(|&(_, _, shares)| 0 < shares);
    levels.push((change.side, change.price, change.shares.0));
    quotes(&levels)
}

/// Up to 3,000: 1; up to 5,000: 5; above: 10.
fn table() -> Arc<TickTable> {
    Arc::new(TickTable::new(&[(30_000_000, 10_000), (50_000_000, 50_000)], 100_000).unwrap())
}

fn type_a() -> Limits {
    Limits {
        spread_bps_max: Some(Bps(200_000)),
        spread_ticks_max: Some(Ticks(2)),
        value_min: Some(Amount(300_000_000_000)),
        quantity_min: None,
        manner: Manner::default(),
        tick_table: table(),
    }
}

#[test]
fn the_breach_worked_out_by_hand_needed_one_tick_on_either_side() {
    let own = quotes(&[
        (Side::Bid, yen(2819), 4000),
        (Side::Bid, yen(2817), 8000),
        (Side::Offer, yen(2822), 8000),
        (Side::Offer, yen(2823), 4000),
    ]);
    let market = [Some(yen(2820)), Some(yen(2822))];
    let Suggestion::Either(changes) = suggest(&own, &type_a(), market, ONE) else { panic!("one side is enough") };
    let offer = Change {
        side: Side::Offer,
        price: yen(2822),
        instead_of: Some(yen(2823)),
        shares: Shares(2631),
        movable: Shares(4000),
        or_better: false,
        meets_market: false,
    };
    let bid = Change {
        side: Side::Bid,
        price: yen(2818),
        instead_of: Some(yen(2817)),
        shares: Shares(6645),
        movable: Shares(8000),
        or_better: true,
        meets_market: false,
    };
    assert_eq!(changes, [offer, bid]);
}

#[test]
fn only_whole_trading_units_can_be_entered() {
    let own = quotes(&[(Side::Bid, yen(2819), 4000), (Side::Offer, yen(2822), 8000), (Side::Offer, yen(2823), 4000)]);
    for (unit, shares) in [(1, 6645), (5, 6645), (10, 6650), (100, 6700)] {
        let unit = NonZeroU64::new(unit).unwrap();
        let Suggestion::Either(changes) = suggest(&own, &type_a(), [None, None], unit) else { panic!("one side") };
        assert_eq!(changes[0].shares, Shares(shares), "{unit}");
    }
}

#[test]
fn a_bid_that_is_too_small_needs_shares_at_the_outermost_price_that_will_do() {
    let own = quotes(&[(Side::Bid, yen(2819), 4000), (Side::Offer, yen(2822), 8000), (Side::Offer, yen(2823), 4000)]);
    let Suggestion::Either(changes) = suggest(&own, &type_a(), [None, None], ONE) else { panic!("one side is enough") };
    let [change] = changes[..] else { panic!("{changes:?}") };
    assert_eq!((change.price, change.shares, change.is_move()), (yen(2818), Shares(6645), false));
}

#[test]
fn without_any_quote_both_sides_are_needed_together() {
    let market = [Some(yen(2820)), Some(yen(2822))];
    let Suggestion::Together([bid, offer]) = suggest(&quotes(&[]), &type_a(), market, ONE) else { panic!("both") };
    assert_eq!((bid.price, bid.shares), (yen(2820), Shares(10_639)));
    assert_eq!((offer.price, offer.shares), (yen(2825), Shares(10_620)));
    assert_eq!(suggest(&quotes(&[]), &type_a(), [None, None], ONE), Suggestion::Nothing);
}

/// Levels around a band boundary, on and off the grid.
fn levels() -> impl Strategy<Value = Vec<(Side, Price, u64)>> {
    let level = (any::<bool>(), 0..60_u64, 0..10_u64, 1..3000_u64);
    vec(
        level.prop_map(|(is_bid, step, off, shares)| {
            let side = if is_bid { Side::Bid } else { Side::Offer };
            let centre = if is_bid { 29_900_000 } else { 29_950_000 };
            let off = if off == 0 { 3_000 } else { 0 };
            (side, price(centre + step * 10_000 + off), shares)
        }),
        0..7,
    )
}

fn limits() -> impl Strategy<Value = Limits> {
    let spread = prop_oneof![(Just(None), (1..20_u64).prop_map(Some)), ((1..900_000_u64).prop_map(Some), Just(None))];
    let both = (spread, proptest::option::of(1..20_u64));
    let minimum = prop_oneof![
        (1..5_000_000_u128).prop_map(|value| (Some(value), None)),
        (1..5_000_u64).prop_map(|shares| (None, Some(shares))),
        (1..5_000_000_u128, 1..5_000_u64).prop_map(|(value, shares)| (Some(value), Some(shares))),
    ];
    (both, minimum).prop_map(|(((bps, ticks), more), (value, quantity))| Limits {
        spread_bps_max: bps.map(Bps),
        spread_ticks_max: ticks.or(more).map(Ticks),
        value_min: value.map(|value| Amount(value * 10_000)),
        quantity_min: quantity.map(Shares),
        manner: Manner::default(),
        tick_table: table(),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, max_global_rejects: 100_000, ..ProptestConfig::default() })]

    #[test]
    fn a_suggestion_suffices_and_nothing_less_at_its_price_does(
        levels in levels(), limits in limits(), market in (2_900..3_000_u64, 1..9_u64), unit in 1..=100_u64
    ) {
        let unit = NonZeroU64::new(unit).unwrap();
        let own = quotes(&levels);
        prop_assume!(verdict(&own, &limits).is_err());
        let market = [Some(yen(market.0)), Some(yen(market.0 + market.1))];
        match suggest(&own, &limits, market, unit) {
            Suggestion::Nothing | Suggestion::Coupled => prop_assert!(false, "there is a market to start from"),
            Suggestion::Either(changes) => for change in &changes {
                prop_assert_eq!(verdict(&add(&own, change, change.shares.0), &limits), Ok(()));
                if change.is_move() {
                    prop_assert_eq!(verdict(&shift(&own, change), &limits), Ok(()));
                }
                // Off the grid there may be a price further out that still does.
                let on_grid = levels.iter().all(|&(_, level, _)| {
                    level.ten_thousandths().is_multiple_of(limits.tick_table.tick_at(level).ten_thousandths())
                });
                prop_assert!(change.shares.0.is_multiple_of(unit.get()));
                if on_grid && change.shares != Shares(0) {
                    prop_assert!(verdict(&add(&own, change, change.shares.0 - unit.get()), &limits).is_err());
                }
            },
            Suggestion::Together([bid, offer]) => {
                let with_bid = add(&own, &bid, bid.shares.0);
                prop_assert!(verdict(&with_bid, &limits).is_err(), "one side alone is not enough");
                prop_assert_eq!(verdict(&add(&with_bid, &offer, offer.shares.0), &limits), Ok(()));
            }
        }
    }
}

fn coupled(manner: Manner) -> Limits {
    Limits {
        spread_bps_max: None,
        spread_ticks_max: Some(Ticks(2)),
        value_min: None,
        quantity_min: Some(Shares(50)),
        manner,
        tick_table: table(),
    }
}

/// Side, price and shares of what would have sufficed, `+` between what only does together.
fn sufficed(own: &[(Side, Price, u64)], limits: &Limits, unit: u64) -> Vec<(&'static str, u64, u64)> {
    let unit = NonZeroU64::new(unit).unwrap();
    let told = |change: &Change| {
        let side = if change.side == Side::Bid { "bid" } else { "offer" };
        (side, change.price.ten_thousandths() / 10_000, change.shares.0)
    };
    match suggest(&quotes(own), limits, [Some(yen(2820)), Some(yen(2822))], unit) {
        Suggestion::Either(changes) => changes.iter().map(told).collect(),
        Suggestion::Together(both) => both.iter().map(told).chain([("together", 0, 0)]).collect(),
        Suggestion::Nothing | Suggestion::Coupled => Vec::new(),
    }
}

// clause: RTS8/comparable-size
#[test]
fn a_side_that_is_too_small_beside_the_other_is_made_larger() {
    let half = coupled(Manner { size_divergence_pct_max: Some(500_000), ..Manner::default() });
    let bid = |shares| (Side::Bid, yen(2820), shares);
    let offer = |price, shares| (Side::Offer, yen(price), shares);
    // 101 and 50: a 51st share, or of lots of 20 the next.
    assert_eq!(sufficed(&[bid(50), offer(2822, 101)], &half, 1), [("bid", 2820, 1)]);
    assert_eq!(sufficed(&[bid(50), offer(2822, 101)], &half, 20), [("bid", 2820, 20)]);
    // Too wide and of another size: what reaches the minimum closer in is not enough by itself.
    assert_eq!(sufficed(&[bid(300), offer(2824, 60)], &half, 1), [("bid", 2822, 50), ("offer", 2822, 150)]);
    // Nothing quoted: both sides.
    assert_eq!(sufficed(&[], &half, 1), [("bid", 2820, 50), ("offer", 2822, 50), ("together", 0, 0)]);
    // Equal sizes, which lots of 7 meet by a new quote closer in, or never.
    let none = coupled(Manner { size_divergence_pct_max: Some(0), ..Manner::default() });
    assert_eq!(sufficed(&[bid(70), offer(2822, 71)], &none, 7), [("offer", 2821, 70)]);
    assert_eq!(sufficed(&[bid(70), offer(2821, 71)], &none, 7), []);
    assert_eq!(sufficed(&[bid(70), offer(2822, 77)], &none, 7), [("bid", 2820, 7)]);
    // Where there is room between them, new quotes on both sides.
    let room = Limits { spread_ticks_max: Some(Ticks(4)), ..none };
    let new = [("bid", 2821, 56), ("offer", 2822, 56), ("together", 0, 0)];
    assert_eq!(sufficed(&[bid(71), offer(2823, 72)], &room, 7), new);
}

// clause: BIT/bid-or-offer
#[test]
fn where_one_side_is_enough_one_side_is_named() {
    let either = coupled(Manner { sides: SidesRequired::Either, ..Manner::default() });
    assert_eq!(sufficed(&[(Side::Bid, yen(2819), 40)], &either, 1)[0], ("bid", 2819, 10));
    assert_eq!(sufficed(&[], &either, 1).len(), 2, "a bid, or an offer, at the market's best");
}

fn any_coupled() -> impl Strategy<Value = Manner> {
    let band = |up_to: Option<u64>, ticks| SpreadBand {
        up_to: up_to.map(yen),
        limits: SpreadLimits { ticks_max: Some(Ticks(ticks)), ..SpreadLimits::default() },
    };
    prop_oneof![
        (0..=1_000_000_u64).prop_map(|pct| Manner { size_divergence_pct_max: Some(pct), ..Manner::default() }),
        Just(Manner { sides: SidesRequired::Either, ..Manner::default() }),
        Just(Manner { sides: SidesRequired::Either, size_divergence_pct_max: Some(500_000), ..Manner::default() }),
        Just(Manner { size_rule: SizeRule::Any, ..Manner::default() }),
        Just(Manner { value_at_price: true, ..Manner::default() }),
        (1..9_u64, 1..9_u64).prop_map(move |(below, above)| Manner {
            bands: [band(Some(2_995), below), band(None, above)].into(),
            ..Manner::default()
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, max_global_rejects: 100_000, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_suggested_under_coupled_limits_suffices(
        levels in levels(), limits in limits(), manner in any_coupled(), market in (2_900..3_000_u64, 1..9_u64),
        unit in 1..=100_u64,
    ) {
        let (unit, limits) = (NonZeroU64::new(unit).unwrap(), Limits { manner, ..limits });
        let own = quotes(&levels);
        prop_assume!(verdict(&own, &limits).is_err());
        let market = [Some(yen(market.0)), Some(yen(market.0 + market.1))];
        let added = |changes: &[Change]| changes.iter().fold(own.clone(), |own, of| add(&own, of, of.shares.0));
        match suggest(&own, &limits, market, unit) {
            Suggestion::Nothing => prop_assert!(false, "there is a market to start from"),
            // Sizes that have to be nearly the same are not always met by whole trading units, nor bands by the prices tried.
            Suggestion::Coupled => {
                prop_assert!(limits.manner.size_divergence_pct_max.is_some() || !limits.manner.bands.is_empty());
            }
            Suggestion::Either(changes) => for change in changes {
                prop_assert_eq!(verdict(&added(&[change]), &limits), Ok(()));
                prop_assert!(change.shares.0.is_multiple_of(unit.get()));
                if change.is_move() {
                    prop_assert_eq!(verdict(&shift(&own, &change), &limits), Ok(()));
                }
            },
            Suggestion::Together(changes) => prop_assert_eq!(verdict(&added(&changes), &limits), Ok(())),
        }
    }
}
