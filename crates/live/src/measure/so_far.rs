//! A running day as if it ended here.

use super::LiveDay;
use quoteclock_ledger::{DayLedger, OpenLedger};
use quoteclock_model::Interval;
use quoteclock_obligation::{IntervalSink, ObligationIndex};
use quoteclock_rules::{DayPlan, Variant};

/// What a running day comes to so far, under the multiplier that is declared now.
pub(crate) struct SoFar {
    pub(crate) plan: DayPlan,
    pub(crate) ledger: DayLedger,
}

/// What has been measured so far, as if the day ended here; `None` before the date is known.
pub(crate) fn so_far(day: &mut LiveDay) -> Option<SoFar> {
    /// The intervals that go on.
    #[derive(Default)]
    struct Running(Vec<(ObligationIndex, Interval)>);

    impl IntervalSink for Running {
        fn interval(&mut self, obligation: ObligationIndex, interval: Interval) {
            self.0.push((obligation, interval));
        }
    }

    let mut running = Running::default();
    let (plan, _, ledger) = day.so_far(&mut running)?;
    let mut ledger: OpenLedger = ledger.open().clone();
    running.0.into_iter().for_each(|(obligation, interval)| ledger.interval(obligation, interval));
    let Variant { plan, positions } = plan.variant(plan.multiplier);
    Some(SoFar { plan, ledger: ledger.close().variant(&positions) })
}
