//! A state is restored where it is one of the plan, and refused a microsecond, an order or a sign-up beyond.
#![allow(clippy::unwrap_used, reason = "helpers are part of the tests")]

use jiff::civil::date;
use quoteclock_book::Order;
use quoteclock_model::{OrderCondition, OrderId, Price, ServerIndex, Shares, Side, Timestamp, Turnover};
use quoteclock_obligation::{Clock, IssueMeasure, MeasureState, ObligationIndex, PlanServers, SignUpAt, StateError};
use quoteclock_rules::{DayPlan, Registry, SourceFile};
use std::sync::Arc;

/// One sign-up of one issue, in whose sessions nothing is required for the first five minutes.
fn plan() -> DayPlan {
    let files = [
        ("issues.csv", "issue,type,tick_table\n1306,B,01\n"),
        ("market_makers.csv", "market_maker\nMM1\n"),
        ("virtual_servers.csv", "server,market_maker\nVS1,MM1\n"),
        ("signups.csv", "market_maker,issue\nMM1,1306\n"),
        ("scheme.toml", "name = \"x\"\nversion = \"1\"\nstart_delay = \"5m\"\n"),
    ]
    .map(|(name, text)| SourceFile { name: name.to_owned(), bytes: text.into() });
    let loaded = Registry::load(&files);
    loaded.registry.unwrap_or_else(|| panic!("{:?}", loaded.findings)).plan(date(2024, 3, 1)).unwrap()
}

const SIGN_UP: SignUpAt = SignUpAt { position: 0, first_obligation: ObligationIndex(0) };

/// The state of a measure that has been restored from the first state of the day, so changed; one server has been named.
fn restored(plan: &DayPlan, state: &MeasureState) -> Result<MeasureState, StateError> {
    let servers = PlanServers::new(&[Some(0)]);
    IssueMeasure::restore(plan, &[SIGN_UP], [&Arc::default(); 2], state, servers).map(|measure| measure.save())
}

fn first_state(plan: &DayPlan) -> MeasureState {
    IssueMeasure::new(plan, &[SIGN_UP], [&Arc::default(); 2]).save()
}

#[test]
fn times_are_of_the_day_and_none_is_later_than_that_of_the_state() {
    let plan = plan();
    let first = first_state(&plan);
    let later = |at: Timestamp, micros| Timestamp::from_micros(at.as_micros() + micros);
    let (start, end) = (plan.day.start, plan.day.end);
    let noon = later(start, 43_200_000_000);
    for (now, since, begun, fits) in [
        (later(start, -1), later(start, -1), None, false),
        (start, start, None, true),
        (end, start, None, true),
        (later(end, 1), start, None, false),
        (noon, noon, None, true),
        (noon, later(noon, 1), None, false),
        (noon, start, Some(noon), true),
        (noon, start, Some(later(noon, 1)), false),
    ] {
        let clocks = first.clocks.iter().map(|clock| Clock { since, ..*clock }).collect();
        let state = MeasureState { now, clocks, begun: vec![begun], ..first.clone() };
        let expected = if fits { Ok(state.clone()) } else { Err(StateError::OtherDay) };
        assert_eq!(restored(&plan, &state), expected, "{now:?} {since:?} {begun:?}");
    }
}

#[test]
fn an_order_comes_through_a_server_that_has_been_named() {
    let plan = plan();
    let through = |server: Option<u32>| {
        let order = Order {
            server: server.map(ServerIndex),
            side: Side::Bid,
            price: Price::from_ten_thousandths(10_000_000),
            quantity: Shares(100),
            condition: OrderCondition::None,
        };
        MeasureState { orders: vec![(OrderId(1), order)], ..first_state(&plan) }
    };
    for server in [None, Some(0)] {
        assert_eq!(restored(&plan, &through(server)), Ok(through(server)));
    }
    assert_eq!(restored(&plan, &through(Some(1))), Err(StateError::Server { server: ServerIndex(1) }));
}

#[test]
fn there_is_as_much_of_each_as_the_plan_has() {
    let plan = plan();
    let first = first_state(&plan);
    let turnover = Turnover { order_count: 7, ..first.turnovers[0] };
    let state = MeasureState { turnovers: vec![turnover], ..first.clone() };
    assert_eq!(restored(&plan, &state), Ok(state), "what has been sent goes on from there");
    for found in [0, 2] {
        let (turnovers, clocks) = (vec![turnover; found], vec![first.clocks[0]; found]);
        for (what, state) in [
            ("sign-ups", MeasureState { turnovers, ..first.clone() }),
            ("obligations", MeasureState { clocks, ..first.clone() }),
            ("delayed hours", MeasureState { begun: vec![None; found], ..first.clone() }),
        ] {
            assert_eq!(restored(&plan, &state), Err(StateError::OtherPlan { what, found, expected: 1 }));
        }
    }
}
