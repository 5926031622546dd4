//! Limits that change within the day: whatever is quoted, an obligation stands where one with the limits of the instant does.
//! Quotes that just reach the minimum, and sign-ups of different hours beside each other.
#![allow(clippy::unwrap_used, reason = "helpers are part of the tests")]

use jiff::{civil::date, tz::TimeZone};
use proptest::prelude::*;
use quoteclock_model::{
    Amount, Bps, Interval, IssueCode, Micros, ObligationId, OrderAction, OrderCondition, OrderId, Phase, Phases, Price,
    ServerIndex, Shares, Side, Span, State, Timestamp,
};
use quoteclock_obligation::{IntervalSink, IssueMeasure, ObligationIndex, PlanServers, SignUpAt};
use quoteclock_rules::{
    Availability, CounterpartyMarketMaker, DayPlan, LimitChange, Limits, Manner, ObligationPlan, PhaseSource,
    RequiredShare, SelfTrades, ServerPlan, SharePeriod, SignUpPlan, TickTable,
};
use std::sync::Arc;

const DAY_END: i64 = 1_000;

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

fn limits(bps: u64, value: Option<u128>, quantity: Option<u64>) -> Limits {
    Limits {
        spread_bps_max: Some(Bps(bps * 10_000)),
        spread_ticks_max: None,
        value_min: value.map(Amount),
        quantity_min: quantity.map(Shares),
        manner: Manner::default(),
        tick_table: Arc::new(TickTable::new(&[], 1).unwrap()),
    }
}

fn any_limits() -> impl Strategy<Value = Limits> {
    (100..2_000_u64, proptest::option::of(1..20_000_u128), proptest::option::of(1..30_u64))
        .prop_map(|(bps, value, quantity)| limits(bps, value, quantity))
}

/// A day of one sign-up; its first obligation has the first limits and then the others from these instants on, and for each
/// of all of these limits there is one more that has them all day.
fn plan(all: &[(i64, Limits)], start_delay: u64) -> DayPlan {
    let windows = vec![Span { start: at(100), end: at(900) }];
    let phases = Phases::of(&[Phase::Continuous]);
    let availability = Arc::new(Availability { windows: windows.into(), phases, start_delay: Micros(start_delay) });
    let obligation = |name: String, limits: &Limits, limit_changes: Vec<LimitChange>| ObligationPlan {
        id: ObligationId::General(Some(name)),
        multiplier: 1,
        limits: limits.clone(),
        limit_changes: limit_changes.into(),
        availability: Arc::clone(&availability),
        required: RequiredShare { pct: 500_000, per: SharePeriod::Day },
    };
    let changes = all[1..].iter().map(|(from, limits)| LimitChange { at: at(*from), limits: limits.clone() });
    let changing = obligation("a".to_owned(), &all[0].1, changes.collect());
    let constant = all.iter().enumerate().map(|(number, (_, limits))| obligation(format!("b{number}"), limits, vec![]));
    DayPlan {
        date: date(2024, 3, 1),
        zone: TimeZone::UTC,
        day: Span { start: at(0), end: at(DAY_END) },
        trading: Arc::clone(&availability),
        phase_source: PhaseSource::Schedule,
        self_trades: SelfTrades::MarketMaker,
        counterparty_market_maker: CounterpartyMarketMaker::SignedUpForIssue,
        multiplier: 1,
        servers: vec![ServerPlan { name: "VS1".to_owned(), market_maker: "MM1".to_owned(), signed_up: true }],
        sign_ups: vec![SignUpPlan {
            market_maker: "MM1".to_owned(),
            issue: IssueCode::new(b"1306").unwrap(),
            leveraged_inverse: false,
            servers: [0].into(),
            servers_of_market_maker: [0].into(),
            exempt: vec![Span { start: at(400), end: at(450) }],
            obligations: std::iter::once(changing).chain(constant).collect(),
        }],
    }
}

/// The state of each obligation at each instant.
struct States(Vec<Vec<Option<State>>>);

impl IntervalSink for States {
    fn interval(&mut self, ObligationIndex(obligation): ObligationIndex, interval: Interval) {
        let [start, end] = [interval.start, interval.end].map(|at| usize::try_from(at.as_micros()).unwrap());
        self.0[obligation as usize][start..end].fill(Some(interval.state));
    }
}

type Step = (i64, u64, bool, u64, u64, bool);

fn measure(plan: &DayPlan, steps: &[Step]) -> Vec<Vec<Option<State>>> {
    let mut states = States(vec![vec![None; usize::try_from(DAY_END).unwrap()]; plan.sign_ups[0].obligations.len()]);
    let mut measure = IssueMeasure::new(
        plan,
        &[SignUpAt { position: 0, first_obligation: ObligationIndex(0) }],
        [&Arc::default(); 2],
    );
    let mut now = 0;
    for &(later, units, bid, shares, number, halts) in steps {
        now = (now + later).min(DAY_END - 1);
        measure.advance(at(now), &mut states);
        if halts {
            measure.set_phase(if bid { Phase::Halt } else { Phase::Continuous });
            continue;
        }
        let (order, price) = (OrderId(number), Price::from_ten_thousandths(units));
        let (side, server) = (if bid { Side::Bid } else { Side::Offer }, Some(ServerIndex(0)));
        let (quantity, condition) = (Shares(shares), OrderCondition::None);
        let action = match measure.book().order(order) {
            None => OrderAction::Add { order, server, side, price, quantity, condition },
            Some(_) if number % 2 == 0 => OrderAction::Replace { order, order_new: order, price, quantity: None },
            Some(_) => OrderAction::Cancel { order },
        };
        measure.apply(&action, PlanServers::new(&[Some(0)])).unwrap();
    }
    measure.finish(at(DAY_END), &mut states);
    states.0
}

fn any_steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0..30_i64, 900..1_100_u64, any::<bool>(), 1..20_u64, 0..10_u64, proptest::bool::weighted(0.05));
    proptest::collection::vec(step, 0..120)
}

proptest! {
    #[test]
    fn an_obligation_stands_where_one_with_the_limits_of_the_instant_does(
        first in any_limits(), second in any_limits(), third in any_limits(),
        changes in (0..1_000_i64, 0..500_i64), steps in any_steps(),
    ) {
        let (from, more) = changes;
        let all = [(0, first), (from, second), (from + more, third)];
        let plan = plan(&all, 0);
        let states = measure(&plan, &steps);
        for instant in 0..DAY_END {
            let in_force = all.iter().rposition(|(from, _)| *from <= instant).unwrap();
            let position = usize::try_from(instant).unwrap();
            prop_assert_eq!(states[0][position], states[1 + in_force][position], "at {}", instant);
            prop_assert_eq!(plan.sign_ups[0].obligations[0].limits_at(at(instant)), &all[in_force].1);
        }
    }

    /// With a delay an obligation is where it is without, but for so long after each beginning, where nothing is required.
    #[test]
    fn nothing_is_required_for_a_while_after_each_beginning(
        limits in any_limits(), start_delay in 1..200_i64, steps in any_steps(),
    ) {
        let all = [(0, limits)];
        let plain = measure(&plan(&all, 0), &steps);
        let delayed = measure(&plan(&all, start_delay.unsigned_abs()), &steps);
        // The phase of the issue at each instant, after all events of it.
        let mut halted = vec![false; usize::try_from(DAY_END).unwrap()];
        let mut now = 0;
        for &(later, _, bid, _, _, halts) in &steps {
            now = (now + later).min(DAY_END - 1);
            if halts {
                halted[usize::try_from(now).unwrap()..].fill(bid);
            }
        }
        let mut since = None;
        for instant in 0..DAY_END {
            let position = usize::try_from(instant).unwrap();
            let begun = (100..900).contains(&instant) && !halted[position];
            since = begun.then(|| since.unwrap_or(instant));
            let waits = since.is_some_and(|since| instant < since + start_delay);
            let expected = if waits { Some(State::Unavailable) } else { plain[0][position] };
            prop_assert_eq!(delayed[0][position], expected, "at {}", instant);
        }
    }
}

#[test]
fn limits_change_at_an_instant_and_not_one_before() {
    // 1,000 shares at 1,000 and at 1,002: 20 bps.
    let all =
        [(0, limits(19, None, Some(1_000))), (300, limits(20, None, Some(1_001))), (600, limits(20, Some(1), None))];
    let steps = [(1, 999, true, 1_000, 1, false), (0, 1_001, false, 1_000, 2, false)];
    let states = measure(&plan(&all, 0), &steps);
    use quoteclock_model::{Reason, SideFault::Size};
    let expected = |instant| match instant {
        0..100 | 400..450 | 900.. => State::Unavailable,
        100..300 => State::Breach(Reason::Spread),
        300..600 => State::Breach(Reason::Both { bid: Size, offer: Size }),
        _ => State::Fulfilled,
    };
    for (instant, state) in states[0].iter().enumerate() {
        assert_eq!(*state, Some(expected(instant)), "at {instant}");
    }
}

#[test]
fn a_spread_is_narrow_enough_with_exactly_the_minimum_inside_and_not_with_a_share_less() {
    use quoteclock_model::Reason;
    let plan = plan(&[(0, limits(20, None, Some(100)))], 0);
    for (shares, state) in [(99, State::Breach(Reason::Spread)), (100, State::Fulfilled)] {
        // 990 and 1,001 are 110 bps, and from 300 on 999 and 1,001 are 20 bps.
        let steps =
            [(1, 1_001, false, 100, 1, false), (0, 990, true, 100, 3, false), (299, 999, true, shares, 5, false)];
        let states = measure(&plan, &steps);
        assert_eq!([states[0][299], states[0][300]], [Some(State::Breach(Reason::Spread)), Some(state)], "{shares}");
    }
}

#[test]
fn sign_ups_beside_each_other_have_hours_of_their_own() {
    let mut plan = plan(&[(0, limits(20, None, Some(100)))], 0);
    let first = plan.sign_ups[0].clone();
    let mut shorter = first.obligations.to_vec();
    for obligation in &mut shorter {
        let windows = vec![Span { start: at(200), end: at(900) }].into();
        obligation.availability = Arc::new(Availability { windows, ..Availability::clone(&obligation.availability) });
    }
    // Exempt from 400 to 450; never exempt; never, and with shorter hours.
    plan.sign_ups.push(SignUpPlan { exempt: Vec::new(), ..first.clone() });
    plan.sign_ups.push(SignUpPlan { exempt: Vec::new(), obligations: shorter.into(), ..first.clone() });
    let count = first.obligations.len();
    let mut states = States(vec![vec![None; usize::try_from(DAY_END).unwrap()]; 3 * count]);
    let sign_ups = [0, 1, 2].map(|position| SignUpAt {
        position,
        first_obligation: ObligationIndex(u32::try_from(position * count).unwrap()),
    });
    let mut measure = IssueMeasure::new(&plan, &sign_ups, [&Arc::default(); 2]);
    assert!(!measure.has_told_phase());
    measure.set_phase(Phase::Continuous);
    assert!(measure.has_told_phase());
    measure.finish(at(DAY_END), &mut states);
    for (sign_up, instants) in
        [[99, 100, 400, 449, 450], [99, 100, 400, 450, 900], [100, 199, 200, 400, 900]].iter().enumerate()
    {
        let required =
            [[false, true, false, false, true], [false, true, true, true, false], [false, false, true, true, false]];
        for (instant, required) in instants.iter().zip(required[sign_up]) {
            let state = states.0[sign_up * count][*instant];
            assert_eq!(state != Some(State::Unavailable), required, "{sign_up} at {instant}");
        }
    }
}
