//! The measure of one issue: its book, its phases, and the clocks of all obligations in it.

use crate::schedule::subtract;
use crate::{Clock, Schedule, verdict};
use quoteclock_book::{Book, BookError, OwnQuotes};
use quoteclock_model::{Interval, OrderAction, Phase, Span, State, Timestamp};
use quoteclock_rules::{DayPlan, Limits, PhaseSource};

/// The position of an obligation among all of a [`DayPlan`], counted through its sign-ups in order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ObligationIndex(pub u32);

/// Takes intervals as they end. Those of one obligation come in order of time; obligations come mixed.
pub trait IntervalSink {
    /// Takes one interval of the state of `obligation`.
    fn interval(&mut self, obligation: ObligationIndex, interval: Interval);
}

/// One issue along one day.
///
/// Clauses: `ST1/quote-display-time`, `ST1/halts-and-special-quotes`, `ST1/virtual-server-measuring`.
#[derive(Debug)]
pub struct IssueMeasure {
    book: Book,
    now: Timestamp,
    /// Whether anything happened at `now` that may have changed a state.
    unsettled: bool,
    /// The next instant at which a schedule changes.
    boundary: Timestamp,
    phase: Phase,
    market_phase: Phase,
    sequential_quote_available: bool,
    /// From damaged input: since some bad record, until the next clear.
    doubt: bool,
    /// From damaged input: stretches known before the run.
    unknown: Schedule,
    sign_ups: Vec<SignUpMeasure>,
    /// For each server of the plan, one more than the position in `sign_ups` whose quotes come through it, or 0.
    sign_up_of_server: Vec<u32>,
}

#[derive(Debug)]
struct SignUpMeasure {
    own: OwnQuotes,
    /// Whether a state may have changed at the issue's `now`.
    unsettled: bool,
    /// In session and not exempt.
    required: Schedule,
    obligations: Vec<ObligationMeasure>,
}

#[derive(Debug)]
struct ObligationMeasure {
    index: ObligationIndex,
    limits: Limits,
    clock: Clock,
}

impl IssueMeasure {
    /// An issue of `plan` without sign-ups yet, at the start of the day; its time inside `unknown` counts as unknown.
    pub fn new(plan: &DayPlan, unknown: &[Span]) -> IssueMeasure {
        let mut measure = IssueMeasure {
            book: Book::default(),
            now: plan.day.start,
            unsettled: false,
            boundary: Timestamp::MAX,
            phase: Phase::Continuous,
            market_phase: match plan.phase_source {
                PhaseSource::Schedule => Phase::Continuous,
                PhaseSource::Feed => Phase::Closed,
            },
            sequential_quote_available: plan.sequential_quote_available,
            doubt: false,
            unknown: Schedule::new(unknown),
            sign_ups: Vec::new(),
            sign_up_of_server: Vec::new(),
        };
        measure.pass_boundary();
        measure
    }

    /// Measures the sign-up at `position` of `plan`, whose first obligation is `first`.
    ///
    /// # Panics
    /// If the day has begun.
    pub fn add_sign_up(&mut self, plan: &DayPlan, position: usize, first: ObligationIndex) {
        assert_eq!(self.now, plan.day.start, "sign-ups are added before the first event");
        let sign_up = &plan.sign_ups[position];
        let obligation = |(limits, index): (&Limits, u32)| ObligationMeasure {
            index: ObligationIndex(index),
            limits: limits.clone(),
            clock: Clock::new(plan.day.start),
        };
        let obligations =
            sign_up.obligations.iter().map(|obligation| &obligation.limits).zip(first.0..).map(obligation);
        self.sign_ups.push(SignUpMeasure {
            own: OwnQuotes::default(),
            unsettled: true,
            required: Schedule::new(&subtract(&plan.sessions, &sign_up.exempt)),
            obligations: obligations.collect(),
        });
        let mark = u32::try_from(self.sign_ups.len()).expect("fewer sign-ups than 32 bits count");
        self.sign_up_of_server.resize(plan.servers.len(), 0);
        for &server in &sign_up.servers {
            self.sign_up_of_server[server] = mark;
        }
        self.pass_boundary();
    }

    /// The market's book of the issue.
    pub fn book(&self) -> &Book {
        &self.book
    }

    /// The own quotes that `obligation` is judged by; `None` if it is no obligation of this issue.
    pub fn own_quotes(&self, obligation: ObligationIndex) -> Option<&OwnQuotes> {
        let holds = |sign_up: &&SignUpMeasure| sign_up.obligations.iter().any(|known| known.index == obligation);
        self.sign_ups.iter().find(holds).map(|sign_up| &sign_up.own)
    }

    /// The issue's own phase.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// The market's phase.
    pub fn market_phase(&self) -> Phase {
        self.market_phase
    }

    /// Whether a bad record has put the issue's time in doubt since the last clear.
    pub fn in_doubt(&self) -> bool {
        self.doubt
    }

    /// Goes on to `to`, and tells `sink` the intervals that have ended before it.
    ///
    /// # Panics
    /// If time goes back.
    #[inline]
    pub fn advance(&mut self, to: Timestamp, sink: &mut impl IntervalSink) {
        assert!(self.now <= to, "time goes back from {:?} to {to:?}", self.now);
        if self.now < to && (self.unsettled || self.boundary <= to) {
            self.settle_up_to(to, sink);
        }
        self.now = to;
    }

    /// Applies `action` at the current time. `plan_server_of` gives the plan's position of a server of the feed, if it
    /// is in the plan.
    ///
    /// # Errors
    /// [`BookError`] if the action does not fit the book; then nothing has changed.
    #[inline]
    pub fn apply(&mut self, action: &OrderAction, plan_server_of: &[Option<u32>]) -> Result<(), BookError> {
        let IssueMeasure { book, sign_ups, sign_up_of_server, unsettled, .. } = self;
        book.apply(action, |change| {
            let Some(Some(server)) = change.server.map(|server| plan_server_of[server.index()]) else { return };
            let Some(&mark) = sign_up_of_server.get(server as usize) else { return };
            let Some(position) = mark.checked_sub(1) else { return };
            let sign_up = &mut sign_ups[position as usize];
            change.apply_to(&mut sign_up.own);
            sign_up.unsettled = true;
            *unsettled = true;
        })
    }

    /// The issue's own phase from now on.
    pub fn set_phase(&mut self, phase: Phase) {
        self.phase = phase;
        self.unsettle_all();
    }

    /// The market's phase from now on.
    pub fn set_market_phase(&mut self, phase: Phase) {
        self.market_phase = phase;
        self.unsettle_all();
    }

    /// Empties the book, and ends any doubt.
    pub fn clear(&mut self) {
        self.book.clear();
        for sign_up in &mut self.sign_ups {
            sign_up.own.clear();
        }
        self.doubt = false;
        self.unsettle_all();
    }

    /// From now on the issue's time is unknown, until the next clear.
    pub fn doubt(&mut self) {
        self.doubt = true;
        self.unsettle_all();
    }

    /// Ends the day at `end`.
    pub fn finish(mut self, end: Timestamp, sink: &mut impl IntervalSink) {
        self.advance(end, sink);
        for obligation in self.sign_ups.iter().flat_map(|sign_up| &sign_up.obligations) {
            if let Some(interval) = obligation.clock.end(end) {
                sink.interval(obligation.index, interval);
            }
        }
    }

    fn unsettle_all(&mut self) {
        self.unsettled = true;
        for sign_up in &mut self.sign_ups {
            sign_up.unsettled = true;
        }
    }

    /// Settles every instant from `now` up to, not including, `to`.
    fn settle_up_to(&mut self, to: Timestamp, sink: &mut impl IntervalSink) {
        loop {
            if self.unsettled {
                self.settle(sink);
            }
            if to < self.boundary {
                return;
            }
            self.now = self.boundary;
            self.pass_boundary();
            if self.now == to {
                return;
            }
        }
    }

    /// Takes the schedules to `now`, and finds their next change.
    fn pass_boundary(&mut self) {
        self.unknown.advance(self.now);
        let mut boundary = self.unknown.next_change();
        for sign_up in &mut self.sign_ups {
            sign_up.required.advance(self.now);
            boundary = [boundary, sign_up.required.next_change()].into_iter().flatten().min();
        }
        self.boundary = boundary.unwrap_or(Timestamp::MAX);
        self.unsettle_all();
    }

    /// Judges the state at `now`, after the last event of its time.
    fn settle(&mut self, sink: &mut impl IntervalSink) {
        self.unsettled = false;
        let trades = self.trades(self.market_phase) && self.trades(self.phase);
        let unknown = self.doubt || self.unknown.inside();
        for sign_up in &mut self.sign_ups {
            if !std::mem::take(&mut sign_up.unsettled) {
                continue;
            }
            let available = trades && sign_up.required.inside();
            for obligation in &mut sign_up.obligations {
                let state = match (available, unknown) {
                    (false, _) => State::Unavailable,
                    (true, true) => State::Unknown,
                    (true, false) => match verdict(&sign_up.own, &obligation.limits) {
                        Ok(()) => State::Fulfilled,
                        Err(reason) => State::Breach(reason),
                    },
                };
                if let Some(interval) = obligation.clock.set(self.now, state) {
                    sink.interval(obligation.index, interval);
                }
            }
        }
    }

    /// Whether a quote is required in `phase`. Clauses: `ST1/halts-and-special-quotes`, `QC/sequential_quote`.
    fn trades(&self, phase: Phase) -> bool {
        match phase {
            Phase::Continuous => true,
            Phase::SequentialQuote => self.sequential_quote_available,
            Phase::SpecialQuote | Phase::Halt | Phase::Auction | Phase::Closed => false,
        }
    }
}
