//! The sign-ups of one issue: where each of their obligations stands, and since when.
//!
//! What most events touch is kept together: a sign-up, and the sums of its obligations. Limits and clocks are looked at
//! only when something has to be judged again.

use crate::schedule::subtract;
use crate::standing::{Moved, Standing, judge_again, stands};
use crate::{Clock, IntervalSink, ObligationIndex, Schedule};
use quoteclock_book::{Book, Holder, prefetch_all};
use quoteclock_model::{Side, State, Timestamp};
use quoteclock_rules::{DayPlan, Limits};
use std::ops::Range;

/// Sign-ups in the order of the book's holders.
#[derive(Debug, Default)]
pub(crate) struct SignUps {
    sign_ups: Vec<SignUp>,
    /// Those of each sign-up next to each other.
    obligations: Vec<Obligation>,
    /// Where each minimum of each of them stands, in the same order.
    standings: Vec<Standing>,
    /// Whose quotes have changed so that they have to be judged again.
    touched: Vec<Holder>,
    /// Whether all have to be judged again.
    all_touched: bool,
}

#[derive(Debug)]
struct SignUp {
    holder: Holder,
    /// Whether it has to be judged again.
    touched: bool,
    /// Orders sent and changed.
    order_count: u64,
    /// Which of the obligations are its.
    obligations: Range<usize>,
    /// And which of the standings.
    standings: Range<usize>,
    /// In session and not exempt.
    required: Schedule,
}

#[derive(Debug)]
struct Obligation {
    index: ObligationIndex,
    limits: Limits,
    /// Which of the standings are its.
    standings: Range<usize>,
    clock: Clock,
}

/// What is the same for all sign-ups of an issue at one instant.
#[derive(Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) now: Timestamp,
    /// Whether the phases of the market and the issue ask for quotes.
    pub(crate) trades: bool,
    pub(crate) unknown: bool,
}

impl SignUps {
    /// Adds the sign-up at `position` of `plan`, whose first obligation is `first`.
    pub(crate) fn add(&mut self, plan: &DayPlan, position: usize, first: ObligationIndex, holder: Holder) {
        let sign_up = &plan.sign_ups[position];
        let (before, standings_before) = (self.obligations.len(), self.standings.len());
        for (index, obligation) in (first.0..).map(ObligationIndex).zip(&sign_up.obligations) {
            let limits = obligation.limits.clone();
            let first = self.standings.len();
            self.standings.extend(Standing::of(&limits));
            let standings = first..self.standings.len();
            self.obligations.push(Obligation { index, limits, standings, clock: Clock::new(plan.day.start) });
        }
        self.sign_ups.push(SignUp {
            holder,
            touched: false,
            order_count: 0,
            obligations: before..self.obligations.len(),
            standings: standings_before..self.standings.len(),
            required: Schedule::new(&subtract(&plan.sessions, &sign_up.exempt)),
        });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.sign_ups.is_empty()
    }

    /// Whose quotes `obligation` is judged by; `None` if it is no obligation of this issue.
    pub(crate) fn holder_of(&self, obligation: ObligationIndex) -> Option<Holder> {
        let at = self.obligations.iter().position(|known| known.index == obligation)?;
        self.sign_ups.iter().find(|sign_up| sign_up.obligations.contains(&at)).map(|sign_up| sign_up.holder)
    }

    /// Fetches what most events touch.
    pub(crate) fn prefetch(&self) {
        prefetch_all(&self.sign_ups);
        prefetch_all(&self.standings);
    }

    /// How many orders each has sent and changed.
    pub(crate) fn order_counts(&self) -> impl ExactSizeIterator<Item = u64> + '_ {
        self.sign_ups.iter().map(|sign_up| sign_up.order_count)
    }

    /// Follows a change of somebody's quotes on one side; `orders` are counted as sent or changed by it. Says whether all of
    /// its obligations certainly stand where they stood: otherwise they are to be judged again.
    ///
    /// Clauses: `ST1/access-fee`, `QC/access_fee_counts`.
    #[inline(always)]
    pub(crate) fn follow(&mut self, holder: Holder, side: Side, taken: Moved, added: Moved, orders: u64) -> bool {
        let sign_up = &mut self.sign_ups[holder.index()];
        sign_up.order_count += orders;
        let mut stands = true;
        for standing in &mut self.standings[sign_up.standings.clone()] {
            stands &= standing.follow(side, taken, added);
        }
        if !stands && !std::mem::replace(&mut sign_up.touched, true) {
            self.touched.push(holder);
            // Limits and clocks are wanted at the next instant.
            prefetch_all(&self.obligations[sign_up.obligations.clone()]);
        }
        stands
    }

    /// All have to be judged again.
    pub(crate) fn touch_all(&mut self) {
        self.all_touched = true;
    }

    /// Whether any has to be judged again.
    pub(crate) fn is_touched(&self) -> bool {
        self.all_touched || !self.touched.is_empty()
    }

    /// All quotes are gone.
    pub(crate) fn clear(&mut self) {
        self.standings.iter_mut().for_each(Standing::clear);
    }

    /// Takes the schedules to `now`, and finds their next change.
    pub(crate) fn advance(&mut self, now: Timestamp) -> Option<Timestamp> {
        let next = self.sign_ups.iter_mut().filter_map(|sign_up| {
            sign_up.required.advance(now);
            sign_up.required.next_change()
        });
        next.min()
    }

    /// Judges whoever has to be judged again.
    pub(crate) fn settle(&mut self, moment: Moment, book: &Book, sink: &mut impl IntervalSink) {
        let mut touched = std::mem::take(&mut self.touched);
        for holder in touched.drain(..) {
            self.sign_ups[holder.index()].touched = false;
            self.judge(holder.index(), moment, book, sink);
        }
        self.touched = touched;
        if std::mem::take(&mut self.all_touched) {
            (0..self.sign_ups.len()).for_each(|position| self.judge(position, moment, book, sink));
        }
    }

    /// Judges all obligations of one sign-up.
    fn judge(&mut self, position: usize, moment: Moment, book: &Book, sink: &mut impl IntervalSink) {
        let sign_up = &self.sign_ups[position];
        let available = moment.trades && sign_up.required.inside();
        for obligation in &mut self.obligations[sign_up.obligations.clone()] {
            let standings = &mut self.standings[obligation.standings.clone()];
            let state = match (available, moment.unknown) {
                (false, _) => State::Unavailable,
                (true, true) => State::Unknown,
                (true, false) if stands(standings) => continue,
                (true, false) => match judge_again(standings, book.own(sign_up.holder), &obligation.limits) {
                    Ok(()) => State::Fulfilled,
                    Err(reason) => State::Breach(reason),
                },
            };
            if !available || moment.unknown {
                standings.iter_mut().for_each(Standing::rest);
            }
            if let Some(interval) = obligation.clock.set(moment.now, state) {
                sink.interval(obligation.index, interval);
            }
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
