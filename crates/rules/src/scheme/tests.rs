//! The built-in scheme against the exchange's figures.

use super::*;
use quoteclock_model::Price;

fn price(ten_thousandths: u64) -> Price {
    Price::from_ten_thousandths(ten_thousandths).unwrap()
}

#[test]
fn the_afternoon_is_longer_from_5_november_2024() {
    // clause: ST1/continuous-auction
    let scheme = Scheme::built_in();
    let end = |date: Date| scheme.sessions_on(date).unwrap().windows.last().unwrap().1 / 60_000_000;
    assert_eq!(end(date(2024, 11, 4)), 15 * 60);
    assert_eq!(end(date(2024, 11, 5)), 15 * 60 + 25);
    let windows = |date: Date| scheme.sessions_on(date).unwrap().windows.clone();
    assert_eq!(windows(Date::MIN)[0], (9 * 3_600_000_000, 11 * 3_600_000_000 + 1_800_000_000));
    assert_eq!(windows(Date::MAX)[0], windows(Date::MIN)[0]);
}

#[test]
fn the_types_have_the_limits_of_the_rulebook() {
    // clause: ST1/spread-and-quantity
    let scheme = Scheme::built_in();
    let figures: Vec<(&str, u64, u64, u128)> = scheme
        .types()
        .iter()
        .map(|(name, rules)| {
            let terms = &rules.terms;
            let (bps, ticks) = (terms.spread_bps_max.unwrap().0, terms.spread_ticks_max.unwrap().0);
            (name.as_str(), bps, ticks, terms.value_min.unwrap().0)
        })
        .collect();
    assert_eq!(
        figures,
        [
            ("A", 200_000, 2, 300_000_000_000),
            ("B", 500_000, 3, 100_000_000_000),
            ("C", 500_000, 3, 50_000_000_000),
            ("D", 800_000, 4, 50_000_000_000),
        ]
    );
    assert!(scheme.types().values().all(|rules| rules.terms.quantity_min.is_none()));
}

#[test]
fn four_fifths_of_the_time_are_required() {
    // clause: ST1/time-share
    assert_eq!(Scheme::built_in().required_pct(), 800_000);
}

#[test]
fn the_tick_changes_just_above_each_limit() {
    // clause: ST1/spread-ticks
    let scheme = Scheme::built_in();
    // Price in yen, tick up to and including it, tick just above it; ticks in ten-thousandths of a yen.
    let rows: [(&str, u64, u64, u64); 28] = [
        ("01", 3_000, 10_000, 50_000),
        ("01", 5_000, 50_000, 100_000),
        ("01", 30_000, 100_000, 500_000),
        ("01", 50_000, 500_000, 1_000_000),
        ("01", 300_000, 1_000_000, 5_000_000),
        ("01", 500_000, 5_000_000, 10_000_000),
        ("01", 3_000_000, 10_000_000, 50_000_000),
        ("01", 5_000_000, 50_000_000, 100_000_000),
        ("01", 30_000_000, 100_000_000, 500_000_000),
        ("01", 50_000_000, 500_000_000, 1_000_000_000),
        ("03", 1_000, 1_000, 5_000),
        ("03", 3_000, 5_000, 10_000),
        ("03", 10_000, 10_000, 50_000),
        ("03", 30_000, 50_000, 100_000),
        ("03", 100_000, 100_000, 500_000),
        ("03", 300_000, 500_000, 1_000_000),
        ("03", 1_000_000, 1_000_000, 5_000_000),
        ("03", 3_000_000, 5_000_000, 10_000_000),
        ("03", 10_000_000, 10_000_000, 50_000_000),
        ("03", 30_000_000, 50_000_000, 100_000_000),
        ("04", 10_000, 10_000, 50_000),
        ("04", 30_000, 50_000, 100_000),
        ("04", 100_000, 100_000, 500_000),
        ("04", 300_000, 500_000, 1_000_000),
        ("04", 1_000_000, 1_000_000, 5_000_000),
        ("04", 3_000_000, 5_000_000, 10_000_000),
        ("04", 10_000_000, 10_000_000, 50_000_000),
        ("04", 30_000_000, 50_000_000, 100_000_000),
    ];
    for (table, yen, at, above) in rows {
        let table_of = &scheme.tick_tables()[table];
        assert_eq!(table_of.tick_at(price(yen * 10_000)), price(at), "table {table} at {yen}");
        assert_eq!(table_of.tick_at(price(yen * 10_000 + 1)), price(above), "table {table} above {yen}");
    }
}

#[test]
fn a_multiplier_widens_both_spread_limits_and_no_minimum() {
    // clause: ST1/fast-market
    let scheme = Scheme::built_in();
    let limits = scheme.types()["A"].terms.limits(&IssueLimits::default(), Relief::of(4), &scheme.tick_tables()["01"]);
    assert_eq!(limits.spread_bps_max, Some(Bps(800_000)));
    assert_eq!(limits.spread_ticks_max, Some(Ticks(8)));
    assert_eq!(limits.value_min, Some(Amount(300_000_000_000)));
}
