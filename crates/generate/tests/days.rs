//! Generated days are valid, the same each time, and as varied as they should be.

mod support;

use jiff::civil::date;
use quoteclock_generate::{FastMarket, Load, Options, generate, registry};
use quoteclock_model::{MarketEvent, OrderAction, OrderCondition, Phase};
use std::collections::BTreeSet;
use support::{Each, Hasher, measure};

fn small(events: u64, seed: u64) -> Options {
    Options { events, seed, ..Options::new(Load::Small) }
}

fn hash(options: &Options) -> u64 {
    let mut hasher = Hasher::new();
    generate(options, &mut hasher).expect("hashing cannot fail");
    hasher.0
}

#[test]
fn a_strict_replay_takes_every_day() {
    for seed in 1..=12 {
        for events in [1_000, 10_000, 60_000] {
            assert_eq!(measure(&small(events, seed)).summary.events, events, "{events} events, seed {seed}");
        }
    }
}

#[test]
fn a_strict_replay_takes_days_of_other_loads_dates_and_sizes() {
    let after_extension = Options { date: date(2024, 11, 5), ..small(50_000, 3) };
    let fast = Options { fast_market: FastMarket::On(date(2024, 3, 1)), ..small(50_000, 4) };
    let itch = Options { itch: true, ..small(50_000, 5) };
    let one = Options { issues: 1, market_makers: 1, ..small(20_000, 6) };
    let crowded = Options { market_makers: 60, issues: 3, ..small(30_000, 7) };
    let tse = Options { events: 300_000, ..Options::new(Load::TseEtf) };
    let sparse = Options { events: 10_000, ..Options::new(Load::TseEtf) };
    let us = Options { events: 200_000, issues: 500, ..Options::new(Load::UsMarket) };
    for options in [after_extension, fast, itch, one, crowded, tse, sparse, us] {
        assert_eq!(measure(&options).summary.events, options.events, "{options:?}");
    }
}

#[test]
fn display_times_spread_from_nothing_to_all_with_many_near_80_percent() {
    for seed in 1..=6 {
        let times = measure(&small(100_000, seed)).display_times();
        let percent = |time: &u64| time / 10_000;
        let many = times.iter().filter(|time| (60..95).contains(&percent(time))).count();
        let shown: Vec<u64> = times.iter().map(percent).collect();
        assert!(shown[0] < 20, "seed {seed}: {shown:?}");
        assert!(shown[shown.len() - 1] >= 95, "seed {seed}: {shown:?}");
        assert!(times.len() <= many * 4, "seed {seed}: {shown:?}");
    }
}

#[test]
fn every_kind_of_event_phase_and_condition_occurs() {
    let (mut phases, mut conditions, mut kinds) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut writer = Each(|record: &quoteclock_model::Record| {
        let kind = match record.event {
            MarketEvent::Clear { .. } => "clear",
            MarketEvent::Phase { phase, scope } => {
                phases.insert((matches!(scope, quoteclock_model::Scope::Market), phase));
                "phase"
            }
            MarketEvent::Order { action, .. } => match action {
                OrderAction::Add { server, price, condition, .. } => {
                    conditions.insert(format!("{condition:?}"));
                    match (server, price) {
                        (_, None) => "market order",
                        (None, _) => "add",
                        (Some(_), _) => "quote",
                    }
                }
                OrderAction::Replace { order, order_new, price, quantity } => {
                    match (order == order_new, price, quantity) {
                        (false, ..) => "replace, new number",
                        (true, None, _) => "replace, quantity",
                        (true, Some(_), None) => "replace, price",
                        (true, Some(_), Some(_)) => "replace, both",
                    }
                }
                OrderAction::Reduce { .. } => "reduce",
                OrderAction::Cancel { .. } => "cancel",
                OrderAction::Trade { auction: true, .. } => "auction trade",
                OrderAction::Trade { orders: [Some(_), Some(_)], .. } => "trade of two",
                OrderAction::Trade { .. } => "trade of one",
            },
        };
        kinds.insert(kind);
    });
    generate(&small(100_000, 1), &mut writer).expect("nothing can fail");
    let expected = [
        "add",
        "auction trade",
        "cancel",
        "clear",
        "market order",
        "phase",
        "quote",
        "reduce",
        "replace, new number",
        "replace, price",
        "replace, quantity",
        "trade of one",
        "trade of two",
    ];
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), expected);
    assert_eq!(conditions.into_iter().collect::<Vec<_>>(), ["Funari", "Ioc", "None", "OnClose", "OnOpen"]);
    let of = |market| phases.iter().filter(|(of, _)| *of == market).map(|&(_, phase)| phase).collect::<Vec<_>>();
    assert_eq!(of(true), [Phase::Continuous, Phase::Auction, Phase::Closed]);
    assert_eq!(of(false), [Phase::Continuous, Phase::SequentialQuote, Phase::SpecialQuote, Phase::Halt]);
}

#[test]
fn a_day_for_itch_has_only_events_that_itch_can_say() {
    for options in [
        Options { itch: true, ..small(50_000, 2) },
        Options { events: 50_000, issues: 100, ..Options::new(Load::UsMarket) },
    ] {
        let mut writer = Each(|record: &quoteclock_model::Record| match record.event {
            MarketEvent::Clear { .. } => panic!("a clear"),
            MarketEvent::Phase { scope: quoteclock_model::Scope::Market, phase } => {
                assert!(matches!(phase, Phase::Continuous | Phase::Closed));
            }
            MarketEvent::Phase { phase, .. } => assert!(matches!(phase, Phase::Continuous | Phase::Halt)),
            MarketEvent::Order { action, .. } => match action {
                OrderAction::Add { price, condition, quantity, .. } => {
                    assert!(price.is_some_and(|price| price.ten_thousandths() < 4_294_967_295));
                    assert!(condition == OrderCondition::None && quantity.0 <= u64::from(u32::MAX));
                }
                OrderAction::Replace { order, order_new, price, quantity } => {
                    assert!(order != order_new && price.is_some() && quantity.is_some());
                }
                OrderAction::Trade { price, orders, auction, .. } => {
                    assert!(price.is_none() && !auction);
                    assert_eq!(orders.into_iter().flatten().count(), 1);
                }
                OrderAction::Reduce { .. } | OrderAction::Cancel { .. } => {}
            },
        });
        generate(&options, &mut writer).expect("nothing can fail");
    }
}

#[test]
fn a_day_for_itch_is_measured_alike_through_its_bytes() {
    let tokyo = Options { itch: true, ..small(30_000, 2) };
    let us = Options { events: 60_000, issues: 100, ..Options::new(Load::UsMarket) };
    for options in [tokyo, us] {
        assert!(measure(&options).ledger == support::measure_through_itch(&options), "{options:?}");
    }
}

#[test]
fn there_is_nothing_to_be_said_of_the_registry_of_a_load() {
    for load in Load::ALL {
        let findings = support::loaded(&Options::new(load)).findings;
        assert!(findings.is_empty(), "{load}: {findings:#?}");
    }
}

#[test]
fn a_fast_market_is_declared_for_one_day_of_the_month() {
    let month = Options { events: 10_000, holidays: vec![date(2024, 3, 20)], ..small(10_000, 9) }.month();
    let first = support::load(&month[0]);
    assert!(month.iter().all(|day| registry(day) == registry(&month[0])), "a month has one registry");
    let multipliers: Vec<u32> = month.iter().map(|day| first.multiplier_on(day.date)).collect();
    assert_eq!(multipliers.iter().filter(|&&multiplier| multiplier != 1).count(), 1, "{multipliers:?}");
    let hashes: BTreeSet<u64> = month.iter().map(hash).collect();
    assert_eq!(hashes.len(), 20, "no day is like another");
}

#[test]
fn the_same_seed_gives_the_same_events_everywhere() {
    let options = small(20_000, 42);
    assert_eq!(hash(&options), hash(&options));
    assert_ne!(hash(&options), hash(&small(20_000, 43)));
    assert_eq!(hash(&options), 16_954_225_845_033_072_985);
    let us = Options { events: 20_000, issues: 200, ..Options::new(Load::UsMarket) };
    assert_eq!(hash(&us), 4_668_132_715_776_234_326);
}
