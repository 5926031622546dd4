//! The sign-ups of one issue: where each of their obligations stands, and since when.
//!
//! What most events change is kept together: a sign-up, and the margins of its obligations. Limits and clocks are looked at
//! only when something has to be judged again.

use crate::hours::Hours;
use crate::margin::{Minima, Minimum, SideMargin, rejudge};
use crate::{Clock, IntervalSink, ObligationIndex, SignUpAt, verdict};
use quoteclock_book::{Book, Holder, OwnQuotes, Quote, prefetch_all};
use quoteclock_model::{Interval, Micros, Phase, Side, Span, State, Timestamp, Turnover};
use quoteclock_rules::{Availability, DayPlan, LimitChange, Limits};
use std::ops::Range;
use std::sync::Arc;

/// Sign-ups in the order of the book's holders.
#[derive(Debug, Default)]
pub(crate) struct SignUps {
    sign_ups: Vec<SignUp>,
    /// When quotes are required: mostly the same for all.
    hours: Vec<Hours>,
    /// For bids and for offers, the margin of each minimum of each obligation; those of each sign-up next to each other.
    margins: [Vec<SideMargin>; 2],
    /// Those of each sign-up next to each other.
    obligations: Vec<Obligation>,
    /// In the order of the margins.
    minima: Vec<Minimum>,
    /// All that come into force in the issue: mostly the same for all.
    limits: Vec<Limits>,
    /// Whether any of them wants quotes to rest for a while.
    has_resting: bool,
    /// Changes of limits within the day, in order of time, and how many have taken place. Mostly none.
    changes: Vec<Change>,
    changes_made: usize,
    /// Whose quotes have changed so that they have to be judged again.
    dirty: Vec<Holder>,
    /// Whether all have to be judged again.
    all_dirty: bool,
}

/// What events look at.
#[derive(Debug)]
struct SignUp {
    /// Orders sent and changed.
    orders: u64,
    /// Which of a side's margins are its.
    margins: Range<u32>,
    /// Which of the obligations are its.
    obligations: Range<u32>,
    /// Whether it has to be judged again.
    dirty: bool,
}

#[derive(Debug)]
struct Obligation {
    index: ObligationIndex,
    /// Where its limits stand.
    limits: u32,
    /// Which of a side's margins are its.
    margins: Range<u32>,
    /// Which of the hours are its.
    hours: u32,
    /// Whether it requires quotes now.
    required: bool,
    clock: Clock,
}

/// Limits of an obligation that come into force.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Change {
    at: Timestamp,
    /// Where the obligation stands.
    obligation: u32,
    /// Where its limits stand.
    limits: u32,
}

/// What is the same for all sign-ups of an issue at one instant.
#[derive(Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) now: Timestamp,
    pub(crate) market_phase: Phase,
    pub(crate) phase: Phase,
    pub(crate) unknown: bool,
}

/// Where one obligation stands at an instant, as far as events have come.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Running<'a> {
    /// Its state, if no other event of this instant comes.
    pub state: State,
    /// Since when.
    pub since: Timestamp,
    /// The interval up to this instant, of which the sink has not been told; empty if one has ended just now.
    pub settled: Interval,
    /// Its limits now.
    pub limits: &'a Limits,
    /// The quotes that it is judged by.
    pub own: &'a OwnQuotes,
}

/// What was looked for last, and where it stands: the next sign-up of an issue has mostly the same.
#[derive(Default)]
struct Last<'p> {
    hours: Option<(&'p Arc<Availability>, &'p [Span], u32)>,
    limits: Option<(&'p Limits, u32)>,
}

impl SignUps {
    /// Those of `plan`.
    pub(crate) fn new(plan: &DayPlan, sign_ups_at: &[SignUpAt]) -> SignUps {
        let mut sign_ups = SignUps::default();
        let count = sign_ups_at.iter().map(|at| plan.sign_ups[at.position].obligations.len()).sum();
        sign_ups.sign_ups.reserve_exact(sign_ups_at.len());
        sign_ups.obligations.reserve_exact(count);
        sign_ups.minima.reserve_exact(count);
        let mut last = Last::default();
        for at in sign_ups_at {
            sign_ups.add(plan, *at, &mut last);
        }
        let margins = || sign_ups.minima.iter().map(|&minimum| SideMargin::of(minimum)).collect();
        sign_ups.margins = [margins(), margins()];
        sign_ups.changes.sort_by_key(|change| change.at);
        sign_ups.has_resting = sign_ups.limits.iter().any(|limits| limits.manner.resting_min != Micros::ZERO);
        sign_ups
    }

    fn add<'p>(
        &mut self,
        plan: &'p DayPlan,
        SignUpAt { position, first_obligation: first }: SignUpAt,
        last: &mut Last<'p>,
    ) {
        let sign_up = &plan.sign_ups[position];
        let (before, margins_before) = (self.obligations.len(), self.minima.len());
        for (index, obligation) in (first.0..).map(ObligationIndex).zip(sign_up.obligations.iter()) {
            let limits = match last.limits {
                Some((of, limits)) if std::ptr::eq(of, &obligation.limits) => limits,
                _ => position_in(&mut self.limits, &obligation.limits),
            };
            last.limits = Some((&obligation.limits, limits));
            for LimitChange { at, limits } in obligation.limit_changes.iter() {
                let (obligation, limits) = (number(self.obligations.len()), position_in(&mut self.limits, limits));
                self.changes.push(Change { at: *at, obligation, limits });
            }
            let first = self.minima.len();
            // As many as any of its limits of the day have.
            let all = obligation.limit_changes.iter().map(|change| &change.limits).chain([&obligation.limits]);
            let count = all.map(|limits| Minima::of(limits).count()).max().unwrap_or_default();
            self.minima.extend(Minima::of(&obligation.limits).repeated(count));
            let margins = number(first)..number(self.minima.len());
            let (availability, exempt) = (&obligation.availability, &sign_up.exempt[..]);
            let hours = match last.hours {
                Some((of, without, hours)) if Arc::ptr_eq(of, availability) && without == exempt => hours,
                _ => position_in(&mut self.hours, &Hours::new(availability, exempt)),
            };
            last.hours = Some((availability, exempt, hours));
            let clock = Clock::new(plan.day.start);
            self.obligations.push(Obligation { index, limits, margins, hours, required: false, clock });
        }
        self.sign_ups.push(SignUp {
            orders: 0,
            margins: number(margins_before)..number(self.minima.len()),
            obligations: number(before)..number(self.obligations.len()),
            dirty: false,
        });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.sign_ups.is_empty()
    }

    pub(crate) fn obligation_count(&self) -> usize {
        self.obligations.len()
    }

    /// Whose quotes `obligation` is judged by, counted as they were added; `None` if it is no obligation of this issue.
    pub(crate) fn position_of(&self, obligation: ObligationIndex) -> Option<usize> {
        let at = self.obligations.iter().position(|known| known.index == obligation)?;
        self.sign_ups.iter().position(|sign_up| range(&sign_up.obligations).contains(&at))
    }

    /// Where `obligation` stands; `None` if it is no obligation of this issue. Asking changes nothing.
    pub(crate) fn running<'m>(
        &'m self,
        obligation: ObligationIndex,
        moment: Moment,
        book: &'m Book,
    ) -> Option<Running<'m>> {
        let holder = book.holders().nth(self.position_of(obligation)?)?;
        let obligation = self.obligations.iter().find(|known| known.index == obligation)?;
        Some(self.running_of(obligation, holder, moment, book))
    }

    /// The same of all.
    pub(crate) fn all_running<'m>(
        &'m self,
        moment: Moment,
        book: &'m Book,
    ) -> impl Iterator<Item = (ObligationIndex, Running<'m>)> + 'm {
        let of_holders = self.sign_ups.iter().zip(book.holders());
        of_holders.flat_map(move |(sign_up, holder)| {
            let own = &self.obligations[range(&sign_up.obligations)];
            own.iter().map(move |obligation| (obligation.index, self.running_of(obligation, holder, moment, book)))
        })
    }

    fn running_of<'m>(
        &'m self,
        obligation: &Obligation,
        holder: Holder,
        moment: Moment,
        book: &'m Book,
    ) -> Running<'m> {
        let (limits, own) = (&self.limits[obligation.limits as usize], book.own(holder));
        let required = if self.all_dirty {
            let mut hours = self.hours[obligation.hours as usize].clone();
            hours.update(moment.now, moment.market_phase, moment.phase);
            hours.are_on
        } else {
            obligation.required
        };
        let state = match (required, moment.unknown) {
            (false, _) => State::Unavailable,
            (true, true) => State::Unknown,
            (true, false) => match verdict(own, limits) {
                Ok(()) => State::Fulfilled,
                Err(reason) => State::Breach(reason),
            },
        };
        let Clock { since: settled_since, state: settled, .. } = obligation.clock;
        let since = if state == settled { settled_since } else { moment.now };
        let settled = Interval { start: settled_since, end: moment.now, state: settled };
        // What ends now is told as it will be.
        let ended = { obligation.clock }.set(moment.now, state, Some(limits.manner.resting_min));
        Running { state, since, settled: ended.unwrap_or(settled), limits, own }
    }

    /// Fetches what most events touch.
    pub(crate) fn prefetch(&self) {
        prefetch_all(&self.sign_ups);
        prefetch_all(&self.obligations);
        self.margins.iter().for_each(|side| prefetch_all(side));
    }

    /// How many orders each has sent and changed.
    pub(crate) fn order_counts(&self) -> impl ExactSizeIterator<Item = u64> + '_ {
        self.sign_ups.iter().map(|sign_up| sign_up.orders)
    }

    /// Adds a change of somebody's quotes on one side to the sums; `orders` are counted as sent or changed by it. True if the
    /// last judgement of all of its obligations surely still holds: otherwise they are dirty.
    ///
    /// Clauses: `ST1/access-fee`, `QC/access_fee_counts`.
    #[inline(always)]
    pub(crate) fn apply_change(&mut self, holder: Holder, side: Side, taken: Quote, added: Quote, orders: u64) -> bool {
        let sign_up = &mut self.sign_ups[holder.index()];
        sign_up.orders += orders;
        let mut holds = true;
        for margin in &mut self.margins[side as usize][range(&sign_up.margins)] {
            holds &= margin.apply_change(side, taken, added);
        }
        if !holds {
            self.mark_dirty(holder);
        }
        holds
    }

    /// The same of a change whose numbers do not fit: all of its obligations are to be judged again, from the quotes
    /// themselves.
    pub(crate) fn invalidate(&mut self, holder: Holder, side: Side, orders: u64) {
        let sign_up = &mut self.sign_ups[holder.index()];
        sign_up.orders += orders;
        self.margins[side as usize][range(&sign_up.margins)].iter_mut().for_each(SideMargin::invalidate);
        self.mark_dirty(holder);
    }

    /// A sign-up is to be judged again.
    #[inline(never)]
    fn mark_dirty(&mut self, holder: Holder) {
        let sign_up = &mut self.sign_ups[holder.index()];
        if !std::mem::replace(&mut sign_up.dirty, true) {
            self.dirty.push(holder);
        }
    }

    /// All have to be judged again.
    pub(crate) fn mark_all_dirty(&mut self) {
        self.all_dirty = true;
    }

    /// Whether any has to be judged again.
    pub(crate) fn is_dirty(&self) -> bool {
        self.all_dirty || !self.dirty.is_empty()
    }

    /// All quotes are gone.
    pub(crate) fn clear(&mut self) {
        self.margins.iter_mut().flatten().for_each(SideMargin::clear);
    }

    /// Takes the schedules to `now`, and finds their next change, [`Timestamp::MAX`] if there is none.
    pub(crate) fn advance(&mut self, now: Timestamp) -> Timestamp {
        while let Some(&change) = self.changes.get(self.changes_made).filter(|change| change.at <= now) {
            self.changes_made += 1;
            self.change_limits(change);
        }
        let mut next = self.changes.get(self.changes_made).map_or(Timestamp::MAX, |change| change.at);
        for hours in &mut self.hours {
            next = next.min(hours.advance(now).unwrap_or(Timestamp::MAX));
        }
        next
    }

    /// Puts other limits into force: the sums are those of other minima from now on.
    fn change_limits(&mut self, change: Change) {
        let obligation = &mut self.obligations[change.obligation as usize];
        obligation.limits = change.limits;
        let margins = range(&obligation.margins);
        let minima = Minima::of(&self.limits[change.limits as usize]).repeated(margins.len());
        for (at, minimum) in margins.zip(minima) {
            self.minima[at] = minimum;
            self.margins.iter_mut().for_each(|side| side[at] = SideMargin::unknown(minimum));
        }
    }

    /// Judges whoever has to be judged again. Tells when, as far as that was not known beforehand, something will be
    /// required that is not yet.
    pub(crate) fn settle(&mut self, moment: Moment, book: &Book, sink: &mut impl IntervalSink) -> Option<Timestamp> {
        if self.is_empty() {
            self.all_dirty = false;
            return None;
        }
        let next = if self.all_dirty { self.look_at_hours(moment) } else { None };
        let mut dirty = std::mem::take(&mut self.dirty);
        for holder in dirty.drain(..) {
            self.sign_ups[holder.index()].dirty = false;
            self.judge(holder, moment, book, sink);
        }
        self.dirty = dirty;
        if std::mem::take(&mut self.all_dirty) {
            book.holders().for_each(|holder| self.judge(holder, moment, book, sink));
        }
        next
    }

    /// Whether quotes are required: changes only with a phase or a schedule, and then all are judged again.
    fn look_at_hours(&mut self, Moment { now, market_phase, phase, .. }: Moment) -> Option<Timestamp> {
        let next = self.hours.iter_mut().filter_map(|hours| hours.update(now, market_phase, phase)).min();
        for obligation in &mut self.obligations {
            obligation.required = self.hours[obligation.hours as usize].are_on;
        }
        next
    }

    /// Judges all obligations of one sign-up.
    fn judge(&mut self, holder: Holder, moment: Moment, book: &Book, sink: &mut impl IntervalSink) {
        let sign_up = &self.sign_ups[holder.index()];
        for obligation in &mut self.obligations[range(&sign_up.obligations)] {
            let available = obligation.required;
            let margins = range(&obligation.margins);
            let mut sides = self.margins.each_mut().map(|side| &mut side[margins.clone()]);
            let state = match (available, moment.unknown) {
                (false, _) => State::Unavailable,
                (true, true) => State::Unknown,
                (true, false) if sides.iter().all(|side| side.iter().all(SideMargin::is_judged)) => continue,
                (true, false) => {
                    let limits = &self.limits[obligation.limits as usize];
                    match rejudge(&mut sides, &self.minima[margins], book.own(holder), limits) {
                        Ok(()) => State::Fulfilled,
                        Err(reason) => State::Breach(reason),
                    }
                }
            };
            if !available || moment.unknown {
                sides.iter_mut().for_each(|side| side.iter_mut().for_each(SideMargin::disarm));
            }
            let resting_min = self.has_resting.then(|| self.limits[obligation.limits as usize].manner.resting_min);
            if let Some(interval) = obligation.clock.set(moment.now, state, resting_min) {
                sink.interval(obligation.index, interval);
            }
        }
    }

    /// Where the clocks stand.
    pub(crate) fn clocks(&self) -> impl Iterator<Item = Clock> + '_ {
        self.obligations.iter().map(|obligation| obligation.clock)
    }

    /// Of hours with a delay, since when they run.
    pub(crate) fn begun(&self) -> impl Iterator<Item = Option<Timestamp>> + '_ {
        self.hours.iter().filter_map(Hours::begun)
    }

    /// Sets what does not follow from the plan and the live orders; as many of each as there are. All have to be judged again.
    pub(crate) fn restore(&mut self, turnovers: &[Turnover], clocks: &[Clock], begun: &[Option<Timestamp>]) {
        for (sign_up, turnover) in self.sign_ups.iter_mut().zip(turnovers) {
            sign_up.orders = turnover.order_count;
        }
        for (obligation, clock) in self.obligations.iter_mut().zip(clocks) {
            obligation.clock = *clock;
        }
        let delayed = self.hours.iter_mut().filter(|hours| hours.begun().is_some());
        delayed.zip(begun).for_each(|(hours, begun)| hours.restore(*begun));
        let [bids, offers] = &mut self.margins;
        for ((bid, offer), &minimum) in bids.iter_mut().zip(offers).zip(&self.minima) {
            (*bid, *offer) = (SideMargin::unknown(minimum), SideMargin::unknown(minimum));
        }
    }

    /// Ends all clocks.
    pub(crate) fn end(&self, at: Timestamp, sink: &mut impl IntervalSink) {
        for obligation in &self.obligations {
            if let Some(interval) = obligation.clock.end(at) {
                sink.interval(obligation.index, interval);
            }
        }
    }
}

/// Where `wanted` stands, at the end if it did not stand there before.
fn position_in<T: Clone + PartialEq>(all: &mut Vec<T>, wanted: &T) -> u32 {
    let known = all.iter().position(|known| known == wanted);
    if known.is_none() {
        all.push(wanted.clone());
    }
    number(known.unwrap_or(all.len() - 1))
}

fn number(count: usize) -> u32 {
    u32::try_from(count).expect("fewer obligations than 32 bits count")
}

#[inline(always)]
fn range(of: &Range<u32>) -> Range<usize> {
    of.start as usize..of.end as usize
}
