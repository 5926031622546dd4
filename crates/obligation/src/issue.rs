//! The measure of one issue: its book, its phases, and the clocks of all obligations in it.

use crate::resent::Resent;
use crate::sign_ups::{Moment, Running, SignUps};
use crate::turnover::{IssueTurnover, Parties, Party};
use crate::{PlanServers, Schedule};
use quoteclock_book::{Book, BookError, CompactChange, CompactOrder, Holder, OwnQuotes, Quote, prefetch_all};
use quoteclock_model::{
    CompactEvent, Executed, Interval, MarketTurnover, OrderAction, OrderId, Phase, Phases, Price, ServerIndex, Shares,
    Side, Span, TakeCompact, Timestamp, Trading, Turnover,
};
use quoteclock_rules::{DayPlan, PhaseSource};
use std::num::NonZeroU32;
use std::sync::Arc;

/// The position of an obligation among all of a [`DayPlan`], counted through its sign-ups in order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ObligationIndex(pub u32);

/// One sign-up of an issue: where it stands among all of a [`DayPlan`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SignUpAt {
    /// Its position in the plan.
    pub position: usize,
    /// The first of its obligations.
    pub first_obligation: ObligationIndex,
}

/// Takes intervals as they end. Those of one obligation come in order of time; obligations come mixed.
pub trait IntervalSink {
    /// Takes one interval of the state of `obligation`.
    fn interval(&mut self, obligation: ObligationIndex, interval: Interval);
}

/// Takes what a day says.
pub trait DaySink: IntervalSink {
    /// Takes the plan, once the date is known and before the first interval.
    fn open(&mut self, plan: &Arc<DayPlan>);
}

/// What of an issue is fetched ahead of its events.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PrefetchStep {
    /// What there is one of.
    Issue,
    /// Where the market makers' obligations stand, and where their quotes are kept.
    MarketMakers,
    /// Their quotes.
    Quotes,
}

/// One issue along one day.
///
/// Clauses: `ST1/quote-display-time`, `ST1/halts-and-special-quotes`, `ST1/virtual-server-measuring`.
#[derive(Debug)]
pub struct IssueMeasure {
    pub(crate) book: Book,
    pub(crate) now: Timestamp,
    /// From this instant on time may not simply go on: the next boundary, or the instant after `now` if something has to
    /// be judged as of `now`.
    stop: Timestamp,
    /// The next instant at which a schedule changes.
    pub(crate) boundary: Timestamp,
    pub(crate) phase: Phase,
    /// Whether the feed has told the issue's own phase.
    pub(crate) phase_told: bool,
    pub(crate) market_phase: Phase,
    /// The phases in which the market trades continuously.
    trading_phases: Phases,
    /// From damaged input: since some bad record, until the next clear.
    pub(crate) doubt: bool,
    /// From damaged input: stretches known before the run, of every issue and of this one.
    unknown: [Schedule; 2],
    /// In session, whoever is exempt.
    in_session: Schedule,
    pub(crate) turnover: IssueTurnover,
    pub(crate) resent: Resent,
    pub(crate) sign_ups: SignUps,
    /// For each server of the plan, the sign-up whose quotes come through it.
    pub(crate) holder_of_server: Vec<Option<Holder>>,
}

impl IssueMeasure {
    /// An issue of `plan` at the start of the day. Its time inside `unknown`, that of every issue and that of this one, counts as unknown.
    pub fn new(plan: &DayPlan, sign_ups: &[SignUpAt], unknown: [&Arc<[Span]>; 2]) -> IssueMeasure {
        let mut book = Book::default();
        let mut holder_of_server = Vec::new();
        if !sign_ups.is_empty() {
            holder_of_server.resize(plan.servers.len(), None);
        }
        for (&SignUpAt { position, .. }, holder) in sign_ups.iter().zip(book.add_holders(sign_ups.len())) {
            for &server in plan.sign_ups[position].servers.iter() {
                holder_of_server[server] = Some(holder);
            }
        }
        let mut measure = IssueMeasure {
            book,
            now: plan.day.start,
            stop: Timestamp::MAX,
            boundary: Timestamp::MAX,
            phase: Phase::Continuous,
            phase_told: false,
            market_phase: match plan.phase_source {
                PhaseSource::Schedule => Phase::Continuous,
                PhaseSource::Feed => Phase::Closed,
            },
            trading_phases: plan.trading.phases,
            doubt: false,
            unknown: unknown.map(|spans| Schedule::new(Arc::clone(spans))),
            in_session: Schedule::new(Arc::clone(plan.sessions())),
            turnover: IssueTurnover::new(plan, sign_ups.iter().map(|sign_up| sign_up.position)),
            resent: Resent::default(),
            sign_ups: SignUps::new(plan, sign_ups),
            holder_of_server,
        };
        measure.pass_boundary();
        measure
    }

    /// Whether anything of the issue is measured.
    pub fn has_sign_ups(&self) -> bool {
        !self.sign_ups.is_empty()
    }

    /// How many obligations are measured.
    pub fn obligation_count(&self) -> usize {
        self.sign_ups.obligation_count()
    }

    /// The market's book of the issue.
    pub fn book(&self) -> &Book {
        &self.book
    }

    /// The own quotes that `obligation` is judged by; `None` if it is no obligation of this issue.
    pub fn own_quotes(&self, obligation: ObligationIndex) -> Option<&OwnQuotes> {
        let position = self.sign_ups.position_of(obligation)?;
        self.book.holders().nth(position).map(|holder| self.book.own(holder))
    }

    /// Where `obligation` stands; `None` if it is no obligation of this issue. Asking changes no result.
    pub fn running(&self, obligation: ObligationIndex) -> Option<Running<'_>> {
        self.sign_ups.running(obligation, self.moment(), &self.book)
    }

    /// Its time: everything before it is settled.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The issue's own phase.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Whether an event has told the issue's own phase.
    pub fn has_told_phase(&self) -> bool {
        self.phase_told
    }

    /// The market's phase.
    pub fn market_phase(&self) -> Phase {
        self.market_phase
    }

    /// Goes on to `to`, and tells `sink` the intervals that have ended before it.
    ///
    /// # Panics
    /// If time goes back.
    #[inline(always)]
    pub fn advance(&mut self, to: Timestamp, sink: &mut impl IntervalSink) {
        assert!(self.now <= to, "time goes back from {:?} to {to:?}", self.now);
        if self.stop <= to {
            self.settle_up_to(to, sink);
        }
        self.now = to;
    }

    /// Applies `action` at the current time. `servers` are those named so far.
    ///
    /// # Errors
    /// [`BookError`] if the action does not fit the book; then nothing has changed.
    #[inline]
    pub fn apply(&mut self, action: &OrderAction, servers: PlanServers<'_>) -> Result<(), BookError> {
        match CompactEvent::give(action, TryApply { measure: self, servers }).flatten() {
            Some(()) => Ok(()),
            None => self.apply_full(action, servers),
        }
    }

    /// Applies a compact event the fast way, if all that it meets is compact too; `None` otherwise, and nothing has changed.
    #[inline(always)]
    pub fn try_apply(&mut self, event: CompactEvent, servers: PlanServers<'_>) -> Option<()> {
        match event {
            CompactEvent::Add { order, server, side, price, shares } => {
                self.try_add(order, &CompactOrder { server, side, price, shares }, servers)
            }
            CompactEvent::Replace { order, order_new, price, shares } => {
                self.try_replace(order, order_new, price, shares)
            }
            CompactEvent::Take { order, shares } => self.try_take(order, shares),
            CompactEvent::Execute { order, price, shares, auction } => self.try_execute(order, price, shares, auction),
            CompactEvent::ExecuteBoth { orders, price, shares, auction } => {
                self.try_execute_both(orders, price, shares, auction, servers)
            }
        }
    }

    /// Applies any action the full way.
    ///
    /// # Errors
    /// As [`IssueMeasure::apply`].
    #[cold]
    pub fn apply_full(&mut self, action: &OrderAction, servers: PlanServers<'_>) -> Result<(), BookError> {
        let IssueMeasure { book, holder_of_server, sign_ups, resent, .. } = self;
        let holder_of = |server| holder_of(server, servers, holder_of_server);
        let (orders, came) = match *action {
            OrderAction::Add { order, .. } => (u64::from(!resent.awaits(order)), Some(order)),
            OrderAction::Replace { order_new, .. } => (1, Some(order_new)),
            OrderAction::Reduce { .. } | OrderAction::Cancel { .. } | OrderAction::Trade { .. } => (0, None),
        };
        let (mut holds, mut parties) = (true, Parties::NONE);
        book.apply_full(action, holder_of, |change| {
            parties.note(change.into());
            if let Some(holder) = change.holder {
                holds &= match (Quote::of(change.taken), Quote::of(change.added)) {
                    (Some(taken), Some(added)) => sign_ups.apply_change(holder, change.side, taken, added, orders),
                    _ => {
                        sign_ups.invalidate(holder, change.side, orders);
                        false
                    }
                };
            }
        })?;
        if let Some(order) = came {
            resent.came(order);
        }
        if !holds {
            self.stop_here();
        }
        if let OrderAction::Trade { price, quantity, auction, .. } = *action {
            self.count_trade(price, quantity, auction, &parties, servers);
        }
        Ok(())
    }

    /// Fetches what events of the issue are likely to change, in steps of which each follows what the one before has fetched.
    pub fn prefetch(&self, step: PrefetchStep) {
        match step {
            PrefetchStep::Issue => prefetch_all(std::slice::from_ref(self)),
            PrefetchStep::MarketMakers => {
                self.sign_ups.prefetch();
                self.book.prefetch_holders();
            }
            PrefetchStep::Quotes => self.book.prefetch_quotes(),
        }
    }

    /// Fetches where an order would stand, for when an event names it.
    #[inline(always)]
    pub fn prefetch_order(&self, order: OrderId) {
        self.book.prefetch(order);
    }

    /// Enters an order.
    #[inline(always)]
    fn try_add(&mut self, id: OrderId, order: &CompactOrder, servers: PlanServers<'_>) -> Option<()> {
        let holder = order.server.and_then(|server| holder_of(server, servers, &self.holder_of_server));
        self.book.try_add(id, order, holder)?;
        let added = Quote { price: order.price.get(), shares: order.shares.get() };
        let orders = u64::from(!self.resent.came(id));
        self.apply_quotes(holder, order.side, Quote::NONE, added, orders);
        Some(())
    }

    /// Changes an order.
    #[inline(always)]
    fn try_replace(
        &mut self,
        id: OrderId,
        id_new: OrderId,
        price: Option<NonZeroU32>,
        shares: Option<NonZeroU32>,
    ) -> Option<()> {
        let change = self.book.try_replace(id, id_new, price, shares)?;
        self.resent.came(id_new);
        self.apply_change(&change, 1);
        Some(())
    }

    /// Takes shares off an order, all that remain if none are given.
    #[inline(always)]
    fn try_take(&mut self, id: OrderId, shares: Option<NonZeroU32>) -> Option<()> {
        let change = self.book.try_take(id, shares)?;
        self.apply_change(&change, 0);
        Some(())
    }

    /// Takes an execution off the one order that it names.
    #[inline(always)]
    fn try_execute(&mut self, id: OrderId, price: Option<NonZeroU32>, shares: NonZeroU32, auction: bool) -> Option<()> {
        let change = self.book.try_take(id, Some(shares))?;
        self.turnover.prefetch(change.holder);
        self.apply_change(&change, 0);
        let parties = Parties::one(change.into());
        self.count_trade(in_full(price), Shares(shares.get().into()), auction, &parties, PlanServers::NONE);
        Some(())
    }

    /// Takes an execution off the two orders that it names.
    fn try_execute_both(
        &mut self,
        orders: [OrderId; 2],
        price: Option<NonZeroU32>,
        shares: NonZeroU32,
        auction: bool,
        servers: PlanServers<'_>,
    ) -> Option<()> {
        let changes = self.book.try_take_both(orders, shares)?;
        changes.iter().for_each(|change| self.turnover.prefetch(change.holder));
        changes.iter().for_each(|change| self.apply_change(change, 0));
        let parties = Parties::two(changes.map(Party::from));
        self.count_trade(in_full(price), Shares(shares.get().into()), auction, &parties, servers);
        Some(())
    }

    #[inline(always)]
    fn apply_change(&mut self, change: &CompactChange, orders: u64) {
        self.apply_quotes(change.holder, change.side(), change.taken, change.added, orders);
    }

    #[inline(always)]
    fn apply_quotes(&mut self, holder: Option<Holder>, side: Side, taken: Quote, added: Quote, orders: u64) {
        if let Some(holder) = holder
            && !self.sign_ups.apply_change(holder, side, taken, added, orders)
        {
            self.stop_here();
        }
    }

    fn count_trade(
        &mut self,
        price: Option<Price>,
        quantity: Shares,
        auction: bool,
        parties: &Parties,
        servers: PlanServers<'_>,
    ) {
        let executed = Executed::of(price.or(parties.limit()), quantity);
        self.turnover.count_trade(self.trading(auction), executed, parties, servers);
    }

    /// When an execution at the current place of the feed took place: in the continuous auction while the session runs
    /// and both phases trade, as the feed has told them up to here, whoever is exempt. So a call auction's executions
    /// count as such also where its end carries the same time, as it does where the feed stamps both at once.
    ///
    /// Clause: `QC/auction_trades`.
    fn trading(&self, marked_auction: bool) -> Trading {
        let trades = self.in_session.inside() && self.trading_phases.contain_both(self.market_phase, self.phase);
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
        let traded = self.turnover.sign_ups().iter().zip(self.sign_ups.order_counts());
        traded.map(|(&(position, traded), order_count)| (position, Turnover { order_count, ..traded }))
    }

    /// The issue's own phase from now on.
    pub fn set_phase(&mut self, phase: Phase) {
        self.phase = phase;
        self.phase_told = true;
        self.mark_all_dirty();
    }

    /// The market's phase from now on.
    pub fn set_market_phase(&mut self, phase: Phase) {
        self.market_phase = phase;
        self.mark_all_dirty();
    }

    /// Empties the book, and ends any doubt.
    pub fn clear(&mut self) {
        if self.has_sign_ups() {
            self.resent.await_all(self.book.numbers());
        }
        self.book.clear();
        self.sign_ups.clear();
        self.doubt = false;
        self.mark_all_dirty();
    }

    /// From now on the issue's time is unknown, until the next clear.
    pub fn doubt(&mut self) {
        self.doubt = true;
        self.mark_all_dirty();
    }

    /// Tells `sink` the intervals that have begun and not ended, up to the time that the issue has been taken on to.
    /// Nothing changes: they go on.
    pub fn tell_running(&self, sink: &mut impl IntervalSink) {
        self.sign_ups.end(self.now, sink);
    }

    /// Ends the day at `end`; of its books nothing is left.
    pub fn finish(&mut self, end: Timestamp, sink: &mut impl IntervalSink) {
        self.advance(end, sink);
        self.sign_ups.end(end, sink);
        (self.book, self.sign_ups, self.resent) = (Book::default(), SignUps::default(), Resent::default());
    }

    pub(crate) fn mark_all_dirty(&mut self) {
        self.sign_ups.mark_all_dirty();
        self.stop_here();
    }

    /// Something has to be judged before time goes on.
    #[inline(always)]
    fn stop_here(&mut self) {
        self.stop = Timestamp::from_micros(self.now.as_micros().saturating_add(1));
    }

    /// Settles every instant from `now` up to, not including, `to`.
    fn settle_up_to(&mut self, to: Timestamp, sink: &mut impl IntervalSink) {
        loop {
            if self.sign_ups.is_dirty() {
                // After the last event of the instant.
                if let Some(next) = self.sign_ups.settle(self.moment(), &self.book, sink) {
                    self.boundary = self.boundary.min(next);
                }
            }
            self.stop = self.boundary;
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

    /// What is the same for all sign-ups now.
    pub(crate) fn moment(&self) -> Moment {
        Moment {
            now: self.now,
            market_phase: self.market_phase,
            phase: self.phase,
            unknown: self.doubt || self.unknown.iter().any(Schedule::inside),
        }
    }

    /// Takes the schedules to `now`, and finds their next change.
    pub(crate) fn pass_boundary(&mut self) {
        self.boundary = self.sign_ups.advance(self.now);
        let [every, own] = &mut self.unknown;
        for schedule in [every, own, &mut self.in_session] {
            schedule.advance(self.now);
            self.boundary = self.boundary.min(schedule.next_change().unwrap_or(Timestamp::MAX));
        }
        self.mark_all_dirty();
    }
}

/// Applies an event the fast way.
struct TryApply<'a> {
    measure: &'a mut IssueMeasure,
    servers: PlanServers<'a>,
}

impl TakeCompact for TryApply<'_> {
    type Output = Option<()>;

    #[inline(always)]
    fn take(self, event: CompactEvent) -> Option<()> {
        self.measure.try_apply(event, self.servers)
    }
}

/// A price of a compact event.
#[inline(always)]
fn in_full(price: Option<NonZeroU32>) -> Option<Price> {
    price.and_then(|price| Price::from_ten_thousandths(price.get().into()))
}

/// Whose own quotes an order through `server` is.
#[inline(always)]
pub(crate) fn holder_of(
    server: ServerIndex,
    servers: PlanServers<'_>,
    holder_of_server: &[Option<Holder>],
) -> Option<Holder> {
    *holder_of_server.get(servers.position(server)?)?
}
