//! What the measure of an issue knows, as plain data: to be kept by whoever runs a day that must survive a restart.
//!
//! What follows from the plan is not in it, and neither are sums that follow from live orders: a restored measure is made of
//! the plan, and judges everything once more at its time, which ends no interval, because the same quotes have the same
//! verdict.

use crate::issue::holder_of;
use crate::{Clock, IssueMeasure, ObligationIndex, PlanServers, Running, SignUpAt};
use quoteclock_book::{BookError, Order};
use quoteclock_model::{MarketTurnover, OrderId, Phase, ServerIndex, Span, Timestamp, Turnover};
use quoteclock_rules::DayPlan;
use std::sync::Arc;
use thiserror::Error;

/// One issue at some time of its day.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MeasureState {
    /// Everything before it is settled; events of this time may have come.
    pub now: Timestamp,
    /// The issue's own phase.
    pub phase: Phase,
    /// The market's phase, as far as the issue has been told.
    pub market_phase: Phase,
    /// Whether the input has told a phase of the issue.
    pub phase_told: bool,
    /// Whether a bad record has put the time in doubt since the last clear.
    pub doubt: bool,
    /// The live orders, by number.
    pub orders: Vec<(OrderId, Order)>,
    /// Numbers that were live before a clear and have not come again, ascending.
    pub awaited: Vec<OrderId>,
    /// What the market has traded.
    pub market_turnover: MarketTurnover,
    /// What each sign-up has traded and sent, in the order of the plan.
    pub turnovers: Vec<Turnover>,
    /// Where each obligation stands, in the order of the plan.
    pub clocks: Vec<Clock>,
    /// Of hours whose beginning is followed by time in which nothing is required: since when they run, if they do. In the order
    /// of the plan, each kind once; empty under a scheme without such time.
    pub begun: Vec<Option<Timestamp>>,
}

/// Why a state cannot be that of an issue of the plan.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum StateError {
    /// It has been made under another plan.
    #[error("the state has {found} {what}, expected the {expected} of the plan")]
    OtherPlan {
        /// What is counted.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many the plan has.
        expected: usize,
    },
    /// Its times are not of the day, or not in order.
    #[error("the state's times, expected times of the day, and that of the state as the latest")]
    OtherDay,
    /// Its orders cannot all be live.
    #[error("the state's orders: {0}")]
    Orders(#[from] BookError),
    /// An order's server has not been named.
    #[error("the state's orders name server {}, which has not been named", server.0)]
    Server {
        /// The server.
        server: ServerIndex,
    },
}

impl IssueMeasure {
    /// What the measure knows, at its time.
    pub fn save(&self) -> MeasureState {
        MeasureState {
            now: self.now,
            phase: self.phase,
            market_phase: self.market_phase,
            phase_told: self.phase_told,
            doubt: self.doubt,
            orders: self.book.orders(),
            awaited: self.resent.numbers(),
            market_turnover: self.market_turnover(),
            turnovers: self.sign_up_turnovers().map(|(_, turnover)| turnover).collect(),
            clocks: self.sign_ups.clocks().collect(),
            begun: self.sign_ups.begun().collect(),
        }
    }

    /// The measure that [`IssueMeasure::new`] makes of the same plan, sign-ups and unknown time, as it was when `state` was
    /// saved. `servers` are those named so far.
    ///
    /// # Errors
    /// [`StateError`] if the state is not one of this issue under this plan.
    pub fn restore(
        plan: &DayPlan,
        sign_ups: &[SignUpAt],
        unknown: [&Arc<[Span]>; 2],
        state: &MeasureState,
        servers: PlanServers<'_>,
    ) -> Result<IssueMeasure, StateError> {
        let mut measure = IssueMeasure::new(plan, sign_ups, unknown);
        let same = |what, found: usize, expected: usize| {
            if found == expected { Ok(()) } else { Err(StateError::OtherPlan { what, found, expected }) }
        };
        same("sign-ups", state.turnovers.len(), sign_ups.len())?;
        same("obligations", state.clocks.len(), measure.obligation_count())?;
        same("delayed hours", state.begun.len(), measure.sign_ups.begun().count())?;
        let later = |at: Timestamp| state.now < at;
        let clocks_later =
            state.clocks.iter().any(|clock| later(clock.since)) || state.begun.iter().flatten().any(|&at| later(at));
        if state.now < plan.day.start || plan.day.end < state.now || clocks_later {
            return Err(StateError::OtherDay);
        }
        measure.now = state.now;
        measure.pass_boundary();
        (measure.phase, measure.market_phase, measure.doubt) = (state.phase, state.market_phase, state.doubt);
        measure.phase_told = state.phase_told;
        for (id, order) in &state.orders {
            let holder = match order.server {
                None => None,
                Some(server) if servers.count() <= server.index() => return Err(StateError::Server { server }),
                Some(server) => holder_of(server, servers, &measure.holder_of_server),
            };
            measure.book.add(*id, order, holder)?;
        }
        measure.resent.await_all(state.awaited.iter().copied());
        measure.turnover.restore(state.market_turnover, &state.turnovers);
        measure.sign_ups.restore(&state.turnovers, &state.clocks, &state.begun);
        measure.mark_all_dirty();
        Ok(measure)
    }

    /// Where each obligation of the issue stands, in the order of the plan. Asking changes no result.
    pub fn all_running(&self) -> impl Iterator<Item = (ObligationIndex, Running<'_>)> {
        self.sign_ups.all_running(self.moment(), &self.book)
    }
}
