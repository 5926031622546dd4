//! The answer: what is known of one obligation on one day, before anybody has decided how to show it.

use crate::{Cause, Event, Strip};
use quoteclock_book::OwnQuotes;
use quoteclock_ledger::Total;
use quoteclock_model::{Interval, Phase, Price, Shares, Span, State, Timestamp};
use quoteclock_rules::{DayPlan, Limits};
use std::num::NonZeroU64;
use std::sync::Arc;

/// How many breaches a page works out and marks in its picture; its table lists all that the explanation has.
pub(crate) const WORKED_MAX: usize = 50;

/// Whose obligation it is.
#[derive(Clone, PartialEq, Debug)]
pub struct Subject {
    /// The market maker.
    pub market_maker: String,
    /// The issue's code.
    pub issue: String,
    /// The issue's name, where the registry has one.
    pub issue_name: Option<String>,
    /// The obligation.
    pub obligation: String,
    /// Its limits on the date, the Fast Market multiplier applied.
    pub limits: Limits,
    /// The shares that orders in the issue are multiples of: 1 where the registry does not say.
    pub trading_unit: NonZeroU64,
    /// By how much those limits have been widened: 1, 2 or 4.
    pub multiplier: u32,
    /// The share of the month's time that it requires, in ten-thousandths of a percent.
    pub required_pct: u64,
    /// The names of the virtual servers whose orders count.
    pub servers: Vec<String>,
}

/// The rules that were applied.
#[derive(Clone, PartialEq, Debug)]
pub struct SchemeName {
    /// The scheme's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Every interpretation and its value.
    pub interpretations: Vec<(&'static str, &'static str)>,
}

/// What stood in the book at an instant, after the last event of its time.
#[derive(Clone, PartialEq, Debug)]
pub struct Scene {
    /// The instant.
    pub at: Timestamp,
    /// The market maker's own quotes.
    pub own: OwnQuotes,
    /// The market's best bid and best offer, and the shares there.
    pub market: [Option<(Price, Shares)>; 2],
    /// The issue's own phase.
    pub phase: Phase,
    /// The market's phase.
    pub market_phase: Phase,
    /// The last events of the market maker's own orders in the issue, up to and including the instant.
    pub recent: Vec<Event>,
}

/// A maximal stretch of one state, and what began and ended it.
#[derive(Clone, PartialEq, Debug)]
pub struct Stretch {
    /// When, and in which state.
    pub interval: Interval,
    /// What began it.
    pub began: Vec<Cause>,
    /// What ended it.
    pub ended: Vec<Cause>,
    /// What stood in the book when it began.
    pub scene: Scene,
}

/// Why no quote was required.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WhyUnavailable {
    /// Outside the continuous windows.
    OutOfSession,
    /// The market's phase does not trade.
    MarketPhase(Phase),
    /// The issue's phase does not trade.
    IssuePhase(Phase),
    /// Inside a row of the exemptions.
    Exempt {
        /// From when up to when, inside the day.
        span: Span,
        /// The row's reason.
        reason: Option<String>,
    },
}

/// Whether a quote was required at an instant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Availability {
    /// It was.
    Required,
    /// It was not, for all of these reasons.
    NotRequired(Vec<WhyUnavailable>),
    /// It was, but a bad record leaves in doubt what was quoted.
    Unknown(Option<Event>),
}

/// The state at an instant.
#[derive(Clone, PartialEq, Debug)]
pub struct Moment {
    /// The stretch around it.
    pub stretch: Stretch,
    /// Whether a quote was required, and why not.
    pub availability: Availability,
    /// What stood in the book at the instant.
    pub scene: Scene,
}

impl Moment {
    /// The state.
    pub fn state(&self) -> State {
        self.stretch.interval.state
    }
}

/// The answer to a question.
#[derive(Clone, PartialEq, Debug)]
pub struct Explanation {
    /// The day's plan.
    pub plan: Arc<DayPlan>,
    /// Whose obligation it is.
    pub subject: Subject,
    /// The rules that were applied.
    pub scheme: SchemeName,
    /// The obligation's times.
    pub total: Total,
    /// The number of its breaches.
    pub breach_count: usize,
    /// The longest of them, longest first.
    pub breaches: Vec<Stretch>,
    /// The state at the instant asked for.
    pub moment: Option<Moment>,
    /// The day as a picture.
    pub strip: Strip,
    /// Records set aside.
    pub reject_count: u64,
}
