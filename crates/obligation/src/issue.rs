//! The measure of one issue: its book, its phases, and the clocks of all obligations in it.

use crate::schedule::subtract;
use crate::standing::Standing;
use crate::turnover::{IssueTurnover, Parties};
use crate::{Clock, Schedule};
use quoteclock_book::{Book, BookError, Holder, Order, OwnQuotes, QuoteChange};
use quoteclock_model::{
    Executed, Interval, MarketTurnover, OrderAction, OrderId, Phase, Price, Shares, Span, State, Timestamp, Trading,
    Turnover,
};
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
    /// Sign-ups whose quotes changed at `now` so that they have to be judged again.
    touched: Vec<Holder>,
    /// Whether something happened at `now` that concerns every sign-up.
    all_touched: bool,
    /// The next instant at which a schedule changes.
    boundary: Timestamp,
    phase: Phase,
    market_phase: Phase,
    sequential_quote_available: bool,
    /// From damaged input: since some bad record, until the next clear.
    doubt: bool,
    /// From damaged input: stretches known before the run.
    unknown: Schedule,
    /// In session, whoever is exempt.
    in_session: Schedule,
    turnover: IssueTurnover,
    /// In the order of the book's holders.
    sign_ups: Vec<SignUpMeasure>,
    /// For each server of the plan, the sign-up whose quotes come through it.
    holder_of_server: Vec<Option<Holder>>,
}

#[derive(Debug)]
struct SignUpMeasure {
    holder: Holder,
    /// Whether it has to be judged again.
    touched: bool,
    /// Orders sent and changed.
    order_count: u64,
    /// In session and not exempt.
    required: Schedule,
    obligations: Vec<ObligationMeasure>,
}

#[derive(Debug)]
struct ObligationMeasure {
    index: ObligationIndex,
    limits: Limits,
    standing: Standing,
    clock: Clock,
}

impl IssueMeasure {
    /// An issue of `plan` without sign-ups yet, at the start of the day; its time inside `unknown` counts as unknown.
    pub fn new(plan: &DayPlan, unknown: &[Span]) -> IssueMeasure {
        let mut measure = IssueMeasure {
            book: Book::default(),
            now: plan.day.start,
            touched: Vec::new(),
            all_touched: false,
            boundary: Timestamp::MAX,
            phase: Phase::Continuous,
            market_phase: match plan.phase_source {
                PhaseSource::Schedule => Phase::Continuous,
                PhaseSource::Feed => Phase::Closed,
            },
            sequential_quote_available: plan.sequential_quote_available,
            doubt: false,
            unknown: Schedule::new(unknown),
            in_session: Schedule::new(&plan.sessions),
            turnover: IssueTurnover::default(),
            sign_ups: Vec::new(),
            holder_of_server: Vec::new(),
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
            standing: Standing::new(limits),
            clock: Clock::new(plan.day.start),
        };
        let obligations =
            sign_up.obligations.iter().map(|obligation| &obligation.limits).zip(first.0..).map(obligation);
        self.turnover.add_sign_up(plan, position);
        let holder = self.book.add_holder();
        self.sign_ups.push(SignUpMeasure {
            holder,
            touched: false,
            order_count: 0,
            required: Schedule::new(&subtract(&plan.sessions, &sign_up.exempt)),
            obligations: obligations.collect(),
        });
        self.holder_of_server.resize(plan.servers.len(), None);
        for &server in &sign_up.servers {
            self.holder_of_server[server] = Some(holder);
        }
        self.pass_boundary();
    }

    /// Whether anything of the issue is measured.
    pub fn has_sign_ups(&self) -> bool {
        !self.sign_ups.is_empty()
    }

    /// The market's book of the issue.
    pub fn book(&self) -> &Book {
        &self.book
    }

    /// The own quotes that `obligation` is judged by; `None` if it is no obligation of this issue.
    pub fn own_quotes(&self, obligation: ObligationIndex) -> Option<&OwnQuotes> {
        let holds = |sign_up: &&SignUpMeasure| sign_up.obligations.iter().any(|known| known.index == obligation);
        self.sign_ups.iter().find(holds).map(|sign_up| self.book.own(sign_up.holder))
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
        if self.now < to && (self.boundary <= to || self.is_unsettled()) {
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
        match *action {
            OrderAction::Add { order, server, side, price, quantity, condition } => {
                self.add(order, &Order { server, side, price, quantity, condition }, plan_server_of)
            }
            OrderAction::Replace { order, order_new, price, quantity } => {
                self.replace(order, order_new, price, quantity)
            }
            OrderAction::Reduce { order, quantity } => self.take(order, Some(quantity)),
            OrderAction::Cancel { order } => self.take(order, None),
            OrderAction::Trade { orders: [Some(order), None], price, quantity, auction } => {
                self.execute(order, price, quantity, auction)
            }
            OrderAction::Trade { price, quantity, auction, .. } => {
                let mut parties = Parties::default();
                let IssueMeasure { book, sign_ups, touched, .. } = self;
                book.apply(
                    action,
                    |_| None,
                    |change| {
                        parties.note(change);
                        note(change, sign_ups, touched);
                    },
                )?;
                self.count_trade(price, quantity, auction, &parties, plan_server_of);
                Ok(())
            }
        }
    }

    /// Fetches what events of the issue are likely to change, for when they do.
    pub fn prefetch(&self) {
        for sign_up in &self.sign_ups {
            self.book.own(sign_up.holder).prefetch();
        }
    }

    /// Fetches where an order would stand, for when an event names it.
    #[inline(always)]
    pub fn prefetch_order(&self, order: OrderId) {
        self.book.prefetch(order);
    }

    /// An order rests in the book, see [`IssueMeasure::apply`].
    ///
    /// # Errors
    /// As [`IssueMeasure::apply`].
    #[inline(always)]
    pub fn add(&mut self, id: OrderId, order: &Order, plan_server_of: &[Option<u32>]) -> Result<(), BookError> {
        let holder = order.server.and_then(|server| {
            let server = plan_server_of[server.index()]?;
            *self.holder_of_server.get(server as usize)?
        });
        let change = self.book.add(id, order, holder)?;
        self.note_order(&change);
        Ok(())
    }

    /// An order changes, see [`IssueMeasure::apply`].
    ///
    /// # Errors
    /// As [`IssueMeasure::apply`].
    #[inline(always)]
    pub fn replace(
        &mut self,
        id: OrderId,
        id_new: OrderId,
        price: Option<Price>,
        quantity: Option<Shares>,
    ) -> Result<(), BookError> {
        let change = self.book.replace(id, id_new, price, quantity)?;
        self.note_order(&change);
        Ok(())
    }

    /// Shares are taken off an order, all that remain if none are given; see [`IssueMeasure::apply`].
    ///
    /// # Errors
    /// As [`IssueMeasure::apply`].
    #[inline(always)]
    pub fn take(&mut self, id: OrderId, shares: Option<Shares>) -> Result<(), BookError> {
        let change = self.book.take(id, shares)?;
        note(&change, &mut self.sign_ups, &mut self.touched);
        Ok(())
    }

    /// An execution that names one order, see [`IssueMeasure::apply`].
    ///
    /// # Errors
    /// As [`IssueMeasure::apply`].
    #[inline(always)]
    pub fn execute(
        &mut self,
        id: OrderId,
        price: Option<Price>,
        quantity: Shares,
        auction: bool,
    ) -> Result<(), BookError> {
        let change = self.book.take(id, Some(quantity))?;
        note(&change, &mut self.sign_ups, &mut self.touched);
        let mut parties = Parties::default();
        parties.note(&change);
        self.count_trade(price, quantity, auction, &parties, &[]);
        Ok(())
    }

    /// Follows the change that an order sent or changed made, and counts it.
    ///
    /// Clauses: `ST1/access-fee`, `QC/access_fee_counts`.
    #[inline(always)]
    fn note_order(&mut self, change: &QuoteChange) {
        note(change, &mut self.sign_ups, &mut self.touched);
        if let Some(holder) = change.holder {
            self.sign_ups[holder.index()].order_count += 1;
        }
    }

    fn count_trade(
        &mut self,
        price: Option<Price>,
        quantity: Shares,
        auction: bool,
        parties: &Parties,
        plan_server_of: &[Option<u32>],
    ) {
        let executed = Executed::of(price.or(parties.limit()), quantity);
        self.turnover.count_trade(self.trading(auction), executed, parties, plan_server_of);
    }

    /// When an execution at the current place of the feed took place: in the continuous auction while the session runs
    /// and both phases trade, as the feed has told them up to here, whoever is exempt. So a call auction's executions
    /// count as such also where its end carries the same time, as it does where the feed stamps both at once.
    ///
    /// Clause: `QC/auction_trades`.
    fn trading(&self, marked_auction: bool) -> Trading {
        let trades = self.in_session.inside() && self.trades(self.market_phase) && self.trades(self.phase);
        if trades && !marked_auction { Trading::Continuous } else { Trading::Auction }
    }

    /// What the market has traded so far.
    pub fn market_turnover(&self) -> MarketTurnover {
        self.turnover.market()
    }

    /// Adds what the market traded in the issue before it was known to be this one.
    pub fn add_market_turnover(&mut self, earlier: MarketTurnover) {
        self.turnover.add_market(earlier);
    }

    /// What each sign-up has traded and sent so far, with its position in the plan.
    pub fn sign_up_turnovers(&self) -> impl ExactSizeIterator<Item = (usize, Turnover)> + '_ {
        let traded = self.turnover.sign_ups().iter().zip(&self.sign_ups);
        traded.map(|(&(position, traded), sign_up)| (position, Turnover { order_count: sign_up.order_count, ..traded }))
    }

    /// The issue's own phase from now on.
    pub fn set_phase(&mut self, phase: Phase) {
        self.phase = phase;
        self.all_touched = true;
    }

    /// The market's phase from now on.
    pub fn set_market_phase(&mut self, phase: Phase) {
        self.market_phase = phase;
        self.all_touched = true;
    }

    /// Empties the book, and ends any doubt.
    pub fn clear(&mut self) {
        self.book.clear();
        for obligation in self.sign_ups.iter_mut().flat_map(|sign_up| &mut sign_up.obligations) {
            obligation.standing.clear();
        }
        self.doubt = false;
        self.all_touched = true;
    }

    /// From now on the issue's time is unknown, until the next clear.
    pub fn doubt(&mut self) {
        self.doubt = true;
        self.all_touched = true;
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

    /// Settles every instant from `now` up to, not including, `to`.
    fn settle_up_to(&mut self, to: Timestamp, sink: &mut impl IntervalSink) {
        loop {
            if self.is_unsettled() {
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
        self.in_session.advance(self.now);
        let mut boundary = [self.unknown.next_change(), self.in_session.next_change()].into_iter().flatten().min();
        for sign_up in &mut self.sign_ups {
            sign_up.required.advance(self.now);
            boundary = [boundary, sign_up.required.next_change()].into_iter().flatten().min();
        }
        self.boundary = boundary.unwrap_or(Timestamp::MAX);
        self.all_touched = true;
    }

    #[inline]
    fn is_unsettled(&self) -> bool {
        self.all_touched || !self.touched.is_empty()
    }

    /// Judges the states at `now`, after the last event of its time.
    #[inline]
    fn settle(&mut self, sink: &mut impl IntervalSink) {
        let moment = Moment {
            now: self.now,
            trades: self.trades(self.market_phase) && self.trades(self.phase),
            unknown: self.doubt || self.unknown.inside(),
        };
        for &holder in &self.touched {
            let sign_up = &mut self.sign_ups[holder.index()];
            sign_up.touched = false;
            sign_up.settle(moment, &self.book, sink);
        }
        self.touched.clear();
        if std::mem::take(&mut self.all_touched) {
            for sign_up in &mut self.sign_ups {
                sign_up.settle(moment, &self.book, sink);
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

/// What is the same for all sign-ups of an issue at one instant.
#[derive(Clone, Copy)]
struct Moment {
    now: Timestamp,
    /// Whether the phases of the market and the issue ask for quotes.
    trades: bool,
    unknown: bool,
}

/// Follows a change of the quotes; whoever does not certainly stand where it stood has to be judged again.
#[inline(always)]
fn note(change: &QuoteChange, sign_ups: &mut [SignUpMeasure], touched: &mut Vec<Holder>) {
    let Some(holder) = change.holder else { return };
    let sign_up = &mut sign_ups[holder.index()];
    let mut stands = true;
    for obligation in &mut sign_up.obligations {
        stands &= obligation.standing.follow(change);
    }
    if !stands && !std::mem::replace(&mut sign_up.touched, true) {
        touched.push(holder);
    }
}

impl SignUpMeasure {
    /// Judges all obligations.
    #[inline]
    fn settle(&mut self, moment: Moment, book: &Book, sink: &mut impl IntervalSink) {
        let available = moment.trades && self.required.inside();
        for obligation in &mut self.obligations {
            let state = match (available, moment.unknown) {
                (false, _) => State::Unavailable,
                (true, true) => State::Unknown,
                (true, false) if obligation.standing.stands() => continue,
                (true, false) => match obligation.standing.judge(book.own(self.holder), &obligation.limits) {
                    Ok(()) => State::Fulfilled,
                    Err(reason) => State::Breach(reason),
                },
            };
            if !available || moment.unknown {
                obligation.standing.rest();
            }
            if let Some(interval) = obligation.clock.set(moment.now, state) {
                sink.interval(obligation.index, interval);
            }
        }
    }
}
