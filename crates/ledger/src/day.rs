//! One day of every obligation of a plan.

use jiff::civil::Date;
use quoteclock_model::{Interval, IssueCode, Micros, Reason, Span, State};
use quoteclock_obligation::{IntervalSink, ObligationIndex};
use quoteclock_rules::DayPlan;

/// Times of one obligation on one day, or summed over several.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Total {
    /// Time in which a quote was required, unknown time excepted.
    pub available: Micros,
    /// The part of it in which the obligation was met.
    pub fulfilled: Micros,
    /// Time in which a quote would have been required but for damaged input.
    pub unknown: Micros,
}

impl std::ops::AddAssign for Total {
    fn add_assign(&mut self, other: Total) {
        self.available += other.available;
        self.fulfilled += other.fulfilled;
        self.unknown += other.unknown;
    }
}

/// A maximal stretch of available time in which an obligation was not fulfilled for one reason.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Breach {
    /// When.
    pub span: Span,
    /// Why.
    pub reason: Reason,
}

/// One obligation of one sign-up on one measured day.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DayRow {
    /// The date.
    pub date: Date,
    /// The market maker.
    pub market_maker: String,
    /// The issue.
    pub issue: IssueCode,
    /// The obligation: `general`, `sponsored:<condition>` or `matching:<condition>`.
    pub obligation: String,
    /// The share of the month's time that it required on that date, in ten-thousandths of a percent.
    pub required_pct: u64,
    /// Its times.
    pub total: Total,
}

/// Totals and breaches of all obligations of a day.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DayLedger {
    accounts: Vec<(Total, Vec<Breach>)>,
}

impl DayLedger {
    /// An empty ledger for the obligations of `plan`.
    pub fn new(plan: &DayPlan) -> DayLedger {
        let count = plan.sign_ups.iter().map(|sign_up| sign_up.obligations.len()).sum();
        DayLedger { accounts: vec![(Total::default(), Vec::new()); count] }
    }

    /// The times of an obligation.
    pub fn total(&self, obligation: ObligationIndex) -> Total {
        self.accounts[obligation.0 as usize].0
    }

    /// The breaches of an obligation, in order of time.
    pub fn breaches(&self, obligation: ObligationIndex) -> &[Breach] {
        &self.accounts[obligation.0 as usize].1
    }
}

impl IntervalSink for DayLedger {
    fn interval(&mut self, obligation: ObligationIndex, interval: Interval) {
        let (total, breaches) = &mut self.accounts[obligation.0 as usize];
        let length = interval.end.since(interval.start);
        match interval.state {
            State::Unavailable => {}
            State::Unknown => total.unknown += length,
            State::Fulfilled => {
                total.available += length;
                total.fulfilled += length;
            }
            State::Breach(reason) => {
                total.available += length;
                breaches.push(Breach { span: interval.span(), reason });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::{civil::date, tz::TimeZone};
    use quoteclock_model::{SideFault, Timestamp};
    use quoteclock_rules::{Limits, ObligationPlan, PhaseSource, SignUpPlan, TickTable};
    use std::sync::Arc;

    #[test]
    fn every_microsecond_lands_in_one_account() {
        let at = Timestamp::from_micros;
        let tick_table = Arc::new(TickTable::new(&[], 1).unwrap());
        let limits =
            Limits { spread_bps_max: None, spread_ticks_max: None, value_min: None, quantity_min: None, tick_table };
        let plan = DayPlan {
            date: date(2024, 3, 1),
            zone: TimeZone::UTC,
            day: Span { start: at(0), end: at(100) },
            sessions: Vec::new(),
            phase_source: PhaseSource::Feed,
            sequential_quote_available: true,
            multiplier: 1,
            servers: Vec::new(),
            sign_ups: vec![SignUpPlan {
                market_maker: "MM1".to_owned(),
                issue: IssueCode::new(b"1306").unwrap(),
                servers: Vec::new(),
                exempt: Vec::new(),
                obligations: vec![ObligationPlan { name: "general".to_owned(), limits, required_pct: 800_000 }],
            }],
        };
        let mut ledger = DayLedger::new(&plan);
        let reason = Reason::Bid(SideFault::Size);
        for (start, end, state) in [
            (0, 10, State::Unavailable),
            (10, 30, State::Fulfilled),
            (30, 35, State::Breach(reason)),
            (35, 42, State::Unknown),
            (42, 100, State::Breach(Reason::Spread)),
        ] {
            ledger.interval(ObligationIndex(0), Interval { start: at(start), end: at(end), state });
        }
        let expected = Total { available: Micros(83), fulfilled: Micros(20), unknown: Micros(7) };
        assert_eq!(ledger.total(ObligationIndex(0)), expected);
        let breach = |start, end, reason| Breach { span: Span { start: at(start), end: at(end) }, reason };
        let expected = [breach(30, 35, reason), breach(42, 100, Reason::Spread)];
        assert_eq!(ledger.breaches(ObligationIndex(0)), expected);
    }
}
