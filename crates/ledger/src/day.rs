//! One day of every obligation of a plan.

use jiff::civil::Date;
use quoteclock_model::{Interval, IssueCode, Micros, ObligationId, Reason, Span, State, Timestamp};
use quoteclock_obligation::{DaySink, IntervalSink, ObligationIndex};
use quoteclock_rules::DayPlan;
use std::sync::Arc;

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

impl Total {
    /// Whether the fulfilled time is at least `required_pct` (in ten-thousandths of a percent) of the available, exactly.
    ///
    /// Clause: `ST1/time-share`.
    pub fn reaches(self, required_pct: u64) -> bool {
        u128::from(required_pct) * u128::from(self.available.0) <= 1_000_000 * u128::from(self.fulfilled.0)
    }

    /// Whether the unknown time could turn that, if all of it was available and fulfilled, or available and not; where nothing
    /// was available, whether there is any.
    ///
    /// Clause: `ST1/quote-display-time`.
    pub fn could_turn(self, required_pct: u64) -> bool {
        let Total { available, fulfilled, unknown } = self;
        let with = |more| Total { available: available + unknown, fulfilled: fulfilled + more, unknown: Micros::ZERO };
        let turns =
            |total: Total| available == Micros::ZERO || total.reaches(required_pct) != self.reaches(required_pct);
        unknown != Micros::ZERO && [with(unknown), with(Micros::ZERO)].into_iter().any(turns)
    }
}

/// A maximal stretch of available time in which an obligation was not fulfilled, for whatever reasons: breaches of which
/// each begins when the one before it ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outage {
    /// When.
    pub span: Span,
    /// How long for each reason: the longest first, equal ones in the order of the reasons.
    pub reasons: Vec<(Reason, Micros)>,
}

/// Reasons as the output files write them, each with its time in microseconds: `spread:210000;no_bid:5000`.
///
/// ```
/// use quoteclock_ledger::reasons_text;
/// use quoteclock_model::{Micros, Reason};
///
/// assert_eq!(reasons_text(&[(Reason::Spread, Micros(210_000))]), "spread:210000");
/// ```
pub fn reasons_text(reasons: &[(Reason, Micros)]) -> String {
    let texts: Vec<String> = reasons.iter().map(|(reason, length)| format!("{reason}:{}", length.0)).collect();
    texts.join(";")
}

/// The outages that the breaches of one obligation make, in their order.
pub fn outages(breaches: &[Breach]) -> impl Iterator<Item = Outage> {
    connected(breaches).map(|breaches| {
        let mut reasons = Vec::new();
        let span = sum_up(breaches, &mut reasons);
        Outage { span, reasons }
    })
}

/// Tells `take` of each outage when it was, and how long for each reason, as [`Outage`] has it: for whoever keeps few of very many.
pub fn each_outage(breaches: &[Breach], mut take: impl FnMut(Span, &[(Reason, Micros)])) {
    let mut reasons = Vec::new();
    for breaches in connected(breaches) {
        reasons.clear();
        let span = sum_up(breaches, &mut reasons);
        take(span, &reasons);
    }
}

/// Breaches of which each begins when the one before it ends.
fn connected(breaches: &[Breach]) -> impl Iterator<Item = &[Breach]> {
    breaches.chunk_by(|one, next| one.span.end == next.span.start)
}

/// When connected breaches were, and in `reasons`, which is empty, how long for each reason.
fn sum_up(connected: &[Breach], reasons: &mut Vec<(Reason, Micros)>) -> Span {
    for Breach { span, reason } in connected {
        add_time(reasons, *reason, span.end.since(span.start));
    }
    reasons.sort_by_key(|&(reason, length)| (std::cmp::Reverse(length), reason));
    Span { start: connected[0].span.start, end: connected[connected.len() - 1].span.end }
}

/// Adds `time` to what `reasons` has of `reason`. They are few: they are looked over.
pub fn add_time<R: PartialEq>(reasons: &mut Vec<(R, Micros)>, reason: R, time: Micros) {
    match reasons.iter_mut().find(|(known, _)| *known == reason) {
        Some((_, sum)) => *sum += time,
        None => reasons.push((reason, time)),
    }
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
    /// The obligation.
    pub obligation: ObligationId,
    /// The share of the month's time that it required on that date, in ten-thousandths of a percent.
    pub required_pct: u64,
    /// Whether the issue was a leveraged or inverse ETF on that date; `None` where that was not kept.
    pub leveraged_inverse: Option<bool>,
    /// Its times.
    pub total: Total,
}

impl DayRow {
    /// Whether the day by itself has the share that the month requires; `None` without available time.
    pub fn has_share(&self) -> Option<bool> {
        (self.total.available != Micros::ZERO).then(|| self.total.reaches(self.required_pct))
    }
}

/// Totals and breaches of all obligations of a day that is being measured.
///
/// Breaches are kept in the order in which they end, all obligations mixed: one more touches no more memory than itself.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct OpenLedger {
    totals: Vec<Total>,
    log: Vec<LoggedBreach>,
}

/// A breach of some obligation: 24 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LoggedBreach {
    /// When.
    pub span: Span,
    /// Whose.
    pub obligation: ObligationIndex,
    /// Why.
    pub reason: Reason,
}

/// Totals and breaches of all obligations of a day.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DayLedger {
    totals: Vec<Total>,
    /// Those of each obligation next to each other, in order of time.
    breaches: Vec<Breach>,
    /// Where those of each obligation end.
    ends: Vec<usize>,
}

/// How many breaches of each obligation there is room for from the start.
const BREACHES_EXPECTED: usize = 32;

impl OpenLedger {
    /// An empty ledger for the obligations of `plan`.
    pub fn new(plan: &DayPlan) -> OpenLedger {
        let count: usize = plan.sign_ups.iter().map(|sign_up| sign_up.obligations.len()).sum();
        // Room that is not written to takes no memory, and a log that grows is copied.
        let log = Vec::with_capacity(count.saturating_mul(BREACHES_EXPECTED));
        OpenLedger { totals: vec![Total::default(); count], log }
    }

    /// The times of an obligation, as far as its intervals have ended.
    pub fn total(&self, obligation: ObligationIndex) -> Total {
        self.totals[obligation.0 as usize]
    }

    /// A ledger that holds these totals, of all obligations of a plan, and these breaches, in the order in which they ended:
    /// one that was kept while its day ran. `None` if a breach is of an obligation that has no total.
    pub fn restore(totals: Vec<Total>, log: Vec<LoggedBreach>) -> Option<OpenLedger> {
        let known = |logged: &LoggedBreach| (logged.obligation.0 as usize) < totals.len();
        log.iter().all(known).then_some(OpenLedger { totals, log })
    }

    /// The times of all obligations, as far as intervals have been told.
    pub fn totals(&self) -> &[Total] {
        &self.totals
    }

    /// The breaches so far, in the order in which they ended. More are only added at the end.
    pub fn log(&self) -> &[LoggedBreach] {
        &self.log
    }

    /// The times of an obligation with an interval that has not been told yet, empty or not.
    ///
    /// # Panics
    /// If the plan has no such obligation.
    pub fn running_total(&self, obligation: ObligationIndex, untold: Interval) -> Total {
        let mut total = self.total(obligation);
        total.add(untold);
        total
    }

    /// The ledger of the day, which has ended.
    pub fn close(self) -> DayLedger {
        let OpenLedger { totals, log } = self;
        let mut ends = vec![0; totals.len()];
        for logged in &log {
            ends[logged.obligation.0 as usize] += 1;
        }
        let mut next = Vec::with_capacity(ends.len());
        let mut last = 0;
        for end in &mut ends {
            next.push(last);
            last += *end;
            *end = last;
        }
        // Those of one obligation stand in the log in order of time: each goes to the end of its stretch so far.
        let unwritten = Breach { span: Span { start: Timestamp::MIN, end: Timestamp::MIN }, reason: Reason::Spread };
        let mut breaches = vec![unwritten; log.len()];
        for LoggedBreach { span, obligation, reason } in log {
            let place = &mut next[obligation.0 as usize];
            breaches[*place] = Breach { span, reason };
            *place += 1;
        }
        DayLedger { totals, breaches, ends }
    }
}

impl Total {
    /// Adds an interval.
    fn add(&mut self, interval: Interval) {
        let length = interval.end.since(interval.start);
        match interval.state {
            State::Unavailable => {}
            State::Unknown => self.unknown += length,
            State::Fulfilled => {
                self.available += length;
                self.fulfilled += length;
            }
            State::Breach(_) => self.available += length,
        }
    }
}

impl DayLedger {
    /// What stands here of the obligations at these positions: of a day in variants, what one of them comes to.
    ///
    /// # Panics
    /// If there is no obligation at a position.
    #[must_use]
    pub fn variant(&self, positions: &[u32]) -> DayLedger {
        let (mut totals, mut breaches, mut ends) = (Vec::new(), Vec::new(), Vec::new());
        for obligation in positions.iter().copied().map(ObligationIndex) {
            totals.push(self.total(obligation));
            breaches.extend_from_slice(self.breaches(obligation));
            ends.push(breaches.len());
        }
        DayLedger { totals, breaches, ends }
    }

    /// The times of an obligation.
    pub fn total(&self, obligation: ObligationIndex) -> Total {
        self.totals[obligation.0 as usize]
    }

    /// The breaches of an obligation, in order of time.
    pub fn breaches(&self, obligation: ObligationIndex) -> &[Breach] {
        let position = obligation.0 as usize;
        let start = position.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.breaches[start..self.ends[position]]
    }
}

impl DaySink for OpenLedger {
    fn open(&mut self, plan: &Arc<DayPlan>) {
        *self = OpenLedger::new(plan);
    }
}

impl IntervalSink for OpenLedger {
    fn interval(&mut self, obligation: ObligationIndex, interval: Interval) {
        self.totals[obligation.0 as usize].add(interval);
        if let State::Breach(reason) = interval.state {
            self.log.push(LoggedBreach { span: interval.span(), obligation, reason });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::{civil::date, tz::TimeZone};
    use quoteclock_model::{Phases, SideFault};
    use quoteclock_rules::{
        Availability, CounterpartyMarketMaker, Limits, Manner, ObligationPlan, PhaseSource, RequiredShare, SelfTrades,
        SharePeriod, SignUpPlan, TickTable,
    };

    #[test]
    fn connected_breaches_are_one_outage_with_its_reasons_most_first() {
        let at = Timestamp::from_micros;
        let breach = |start, end, reason| Breach { span: Span { start: at(start), end: at(end) }, reason };
        let (no_bid, no_offer) = (Reason::Bid(SideFault::NoQuote), Reason::Offer(SideFault::NoQuote));
        let breaches = [
            breach(10, 20, Reason::Spread),
            breach(20, 30, no_offer),
            breach(30, 45, no_bid),
            breach(45, 50, Reason::Spread),
            breach(51, 52, no_bid),
        ];
        let found: Vec<Outage> = outages(&breaches).collect();
        let mut told = Vec::new();
        each_outage(&breaches, |span, reasons| told.push(Outage { span, reasons: reasons.to_vec() }));
        assert_eq!(told, found);
        let reasons = vec![(no_bid, Micros(15)), (Reason::Spread, Micros(15)), (no_offer, Micros(10))];
        assert_eq!(
            found,
            [
                Outage { span: Span { start: at(10), end: at(50) }, reasons },
                Outage { span: Span { start: at(51), end: at(52) }, reasons: vec![(no_bid, Micros(1))] }
            ]
        );
        assert_eq!(outages(&[]).count(), 0);
    }

    #[test]
    fn a_logged_breach_has_24_bytes() {
        assert_eq!(size_of::<LoggedBreach>(), 24);
    }

    #[test]
    fn every_microsecond_lands_in_one_account() {
        let at = Timestamp::from_micros;
        let tick_table = Arc::new(TickTable::new(&[], 1).unwrap());
        let limits = Limits {
            spread_bps_max: None,
            spread_ticks_max: None,
            value_min: None,
            quantity_min: None,
            manner: Manner::default(),
            tick_table,
        };
        let availability =
            Arc::new(Availability { windows: Arc::default(), phases: Phases::default(), start_delay: Micros::ZERO });
        let obligation = |id| ObligationPlan {
            id,
            multiplier: 1,
            limits: limits.clone(),
            limit_changes: Arc::default(),
            availability: Arc::clone(&availability),
            required: RequiredShare { pct: 800_000, per: SharePeriod::Month },
        };
        let plan = DayPlan {
            date: date(2024, 3, 1),
            zone: TimeZone::UTC,
            day: Span { start: at(0), end: at(100) },
            trading: Arc::clone(&availability),
            phase_source: PhaseSource::Feed,
            self_trades: SelfTrades::MarketMaker,
            counterparty_market_maker: CounterpartyMarketMaker::SignedUpForIssue,
            multiplier: 1,
            servers: Vec::new(),
            sign_ups: vec![SignUpPlan {
                market_maker: "MM1".to_owned(),
                issue: IssueCode::new(b"1306").unwrap(),
                leveraged_inverse: false,
                servers: Arc::default(),
                servers_of_market_maker: Arc::default(),
                exempt: Vec::new(),
                obligations: [ObligationId::GENERAL, ObligationId::Sponsored("S1".to_owned())].map(obligation).into(),
            }],
        };
        let mut ledger = OpenLedger::new(&plan);
        let reason = Reason::Bid(SideFault::Size);
        for (start, end, state) in [
            (0, 10, State::Unavailable),
            (10, 30, State::Fulfilled),
            (30, 35, State::Breach(reason)),
            (35, 42, State::Unknown),
            (42, 100, State::Breach(Reason::Spread)),
        ] {
            // The second obligation's reasons tell its breaches from those of the first.
            let other = if state == State::Breach(reason) { State::Breach(Reason::Spread) } else { state };
            ledger.interval(ObligationIndex(1), Interval { start: at(start), end: at(end), state: other });
            ledger.interval(ObligationIndex(0), Interval { start: at(start), end: at(end), state });
        }
        let ledger = ledger.close();
        assert_eq!(ledger.total(ObligationIndex(1)), ledger.total(ObligationIndex(0)));
        let expected = Total { available: Micros(83), fulfilled: Micros(20), unknown: Micros(7) };
        assert_eq!(ledger.total(ObligationIndex(0)), expected);
        let breach = |start, end, reason| Breach { span: Span { start: at(start), end: at(end) }, reason };
        let expected = [breach(30, 35, reason), breach(42, 100, Reason::Spread)];
        assert_eq!(ledger.breaches(ObligationIndex(0)), expected);
        let expected = [breach(30, 35, Reason::Spread), breach(42, 100, Reason::Spread)];
        assert_eq!(ledger.breaches(ObligationIndex(1)), expected);
    }
}
