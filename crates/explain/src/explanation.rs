//! The answer: what is known of one obligation on one day, before anybody has decided how to show it.

use crate::lost::Lost;
use crate::subject::Subject;
use crate::{Cause, Event, Strip, Uncounted};
use quoteclock_book::OwnQuotes;
use quoteclock_ledger::Total;
use quoteclock_model::{Interval, Micros, Phase, Price, Reason, Shares, Span, State, Timestamp};
use quoteclock_rules::DayPlan;
use std::sync::Arc;

/// How many breaches a page works out and marks in its picture; its table lists all that the explanation has.
pub(crate) const WORKED_MAX: usize = 50;

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
    /// Orders of the market maker in the issue that count for nothing: the first by number.
    pub uncounted: Vec<Uncounted>,
    /// How many there are of them.
    pub uncounted_count: usize,
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

/// Breaches of which each begins when the one before it ends, as one.
#[derive(Clone, PartialEq, Debug)]
pub struct Outage {
    /// When.
    pub span: Span,
    /// How long for each reason: the longest first, equal ones in the order of the reasons.
    pub reasons: Vec<(Reason, Micros)>,
    /// Of how many breaches.
    pub breach_count: usize,
    /// What began the first of them.
    pub began: Vec<Cause>,
    /// The longest of them, a few at most, in their order: what stood in the book when each began.
    pub longest: Vec<Stretch>,
    /// What ended it.
    pub ended: Vec<Cause>,
}

impl Outage {
    /// How many breaches of one outage are kept.
    const LONGEST_MAX: usize = 3;

    pub(crate) fn new(first: Stretch, reason: Reason) -> Outage {
        let span = Span { start: first.interval.start, end: first.interval.start };
        let began = first.began.clone();
        let mut outage =
            Outage { span, reasons: Vec::new(), breach_count: 0, began, longest: Vec::new(), ended: Vec::new() };
        outage.extend(first, reason);
        outage
    }

    /// The next breach belongs to it.
    pub(crate) fn extend(&mut self, next: Stretch, reason: Reason) {
        let span = next.interval.span();
        self.span.end = span.end;
        self.breach_count += 1;
        self.ended.clone_from(&next.ended);
        let length = span.end.since(span.start);
        match self.reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, sum)) => *sum += length,
            None => self.reasons.push((reason, length)),
        }
        self.reasons.sort_by_key(|&(reason, length)| (std::cmp::Reverse(length), reason));
        self.longest.push(next);
        if Outage::LONGEST_MAX < self.longest.len() {
            // Of those that are as short the last goes.
            let lengths = self.longest.iter().map(self::length).enumerate();
            let shortest = lengths.min_by_key(|&(position, length)| (length, std::cmp::Reverse(position)));
            self.longest.remove(shortest.map_or(0, |(position, _)| position));
        }
    }

    /// How long.
    pub fn length(&self) -> Micros {
        self.span.end.since(self.span.start)
    }
}

/// Why no quote was required.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WhyUnavailable {
    /// Outside the windows in which quotes are required.
    OutOfSession(Arc<[Span]>),
    /// Not so long after a beginning yet.
    StartDelay(Micros),
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

/// What an answer rests on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Provenance {
    /// The input's name.
    pub input: String,
    /// Of its bytes as stored; `None` where they were not hashed.
    pub input_sha256: Option<String>,
    /// Of the registry's files.
    pub registry_sha256: String,
    /// The version of the program.
    pub program_version: String,
    /// Which records have been judged against the books of their issues.
    pub judged: Judged,
}

/// Which records of an input are known to fit the books of their issues.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Judged {
    /// Those of the market maker's issues; of others form, times and numbers at most.
    OwnIssues,
    /// All of them.
    All,
}

impl Judged {
    /// Its name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Judged::OwnIssues => "own_issues",
            Judged::All => "all",
        }
    }

    /// What a reader has to know of the records of other issues, if anything.
    pub fn note(self) -> Option<&'static str> {
        match self {
            Judged::OwnIssues => Some("Records of other issues were not judged in full: quoteclock replay does that."),
            Judged::All => None,
        }
    }
}

/// The answer to a question.
#[derive(Clone, PartialEq, Debug)]
pub struct Explanation {
    /// The day's plan.
    pub plan: Arc<DayPlan>,
    /// Up to when it is measured, if not to its end.
    pub until: Option<Timestamp>,
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
    /// The number of its outages: breaches without a pause between them are one.
    pub outage_count: usize,
    /// The longest of them, longest first.
    pub outages: Vec<Outage>,
    /// The time lost, by reason and hour.
    pub lost: Lost,
    /// The day as a picture; `None` where several obligations were asked for.
    pub strip: Option<Strip>,
    /// Records set aside.
    pub reject_count: u64,
    /// What it rests on, where whoever asks has said so.
    pub provenance: Option<Provenance>,
}

/// The length of a stretch.
pub(crate) fn length(stretch: &Stretch) -> Micros {
    stretch.interval.end.since(stretch.interval.start)
}
