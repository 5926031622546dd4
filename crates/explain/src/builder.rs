//! Writes down what the day says of one obligation: intervals, causes, quotes at the instants that matter.

use crate::event::{Cause, Edge, Event};
use crate::explanation::{
    Availability, Explanation, Moment, Outage, Scene, SchemeName, Stretch, WhyUnavailable, length,
};
use crate::lost::Lost;
use crate::market::Market;
use crate::strip::{Sample, Strip};
use crate::subject::{Found, Subject};
use crate::uncounted::Uncounting;
use quoteclock_ledger::{OpenLedger, Total, outages};
use quoteclock_model::{Interval, Micros, Phase, Side, Span, State, Timestamp};
use quoteclock_obligation::{IntervalSink, IssueMeasure, ObligationIndex};
use quoteclock_rules::{DayPlan, Exemption, ObligationPlan, Registry};
use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroU64;
use std::sync::Arc;

/// How many own events are kept.
const RECENT_MAX: usize = 5;
/// How many events of one time are kept.
const INSTANT_MAX: usize = 8;
/// How many bad records that speak of earlier times are kept.
const LATE_MAX: usize = 64;

/// The obligation in a ledger of its own.
const ALONE: ObligationIndex = ObligationIndex(0);

/// A book that is looked through in debug builds.
const SMALL_BOOK: usize = 64;

/// What is kept of a day.
#[derive(Clone, Copy)]
pub(crate) struct Retained {
    /// So many breaches and outages.
    pub(crate) limit: usize,
    /// Whether the outages are the latest, rather than the longest.
    pub(crate) latest: bool,
    /// Whether there is a picture.
    pub(crate) picture: bool,
}

/// How a day ended.
#[derive(Clone, Copy)]
pub(crate) struct Ended {
    /// Up to when it was measured, if not to its end.
    pub(crate) until: Option<Timestamp>,
    /// Records set aside.
    pub(crate) reject_count: u64,
}

/// What is being written.
pub(crate) struct ExplanationBuilder {
    plan: Arc<DayPlan>,
    found: Found,
    subject: Subject,
    retained: Retained,
    /// The time up to which everything is settled; events of this time may still come.
    pub(crate) now: Timestamp,
    /// Events of the current time, the last ones, and how many before them are left out.
    instant: VecDeque<Event>,
    omitted: usize,
    /// Own events, the last ones.
    recent: VecDeque<Event>,
    /// The first bad record since the last clear that puts the issue in doubt.
    doubt: Option<Event>,
    /// Bad records that put earlier time in doubt, and from when on.
    late: Vec<(Timestamp, Event)>,
    exemptions: Vec<Exemption>,
    current: Option<Opening>,
    /// Of this obligation alone.
    ledger: OpenLedger,
    breaches: Vec<Stretch>,
    outages: Vec<Outage>,
    /// The outage that may go on.
    outage: Option<Outage>,
    asked: Asked,
    /// The picture, if one is wanted.
    strip: Option<Strip>,
    sample: Sample,
    stale: bool,
    /// Edges of stretches known before the day.
    edges: BTreeMap<Timestamp, Vec<Edge>>,
}

/// The instant asked for, as far as it has been reached.
#[derive(Default)]
struct Asked {
    stretch: Option<Stretch>,
    scene: Option<Scene>,
    doubt: Option<Event>,
}

/// The stretch that has not ended yet.
struct Opening {
    began: Vec<Cause>,
    scene: Scene,
}

impl ExplanationBuilder {
    pub(crate) fn new(
        registry: &Registry,
        plan: &Arc<DayPlan>,
        found: Found,
        unknown: &[Span],
        retained: Retained,
    ) -> ExplanationBuilder {
        let sign_up = &plan.sign_ups[found.sign_up];
        let concerns = |row: &&Exemption| {
            row.issue.as_ref().is_none_or(|issue| *issue == sign_up.issue)
                && row.market_maker.as_ref().is_none_or(|name| *name == sign_up.market_maker)
        };
        let obligation = &sign_up.obligations[found.obligation];
        let exemptions: Vec<Exemption> = registry.exemptions().iter().filter(concerns).cloned().collect();
        ExplanationBuilder {
            plan: Arc::clone(plan),
            found,
            subject: subject(registry, plan, found),
            retained,
            now: plan.day.start,
            instant: VecDeque::new(),
            omitted: 0,
            recent: VecDeque::new(),
            doubt: None,
            late: Vec::new(),
            edges: edges(plan.day, obligation, unknown, &exemptions),
            exemptions,
            current: None,
            ledger: OpenLedger::restore(vec![Total::default()], Vec::new())
                .expect("no breach is of an obligation left out"),
            breaches: Vec::new(),
            outages: Vec::new(),
            outage: None,
            asked: Asked::default(),
            strip: retained.picture.then(|| Strip::new(plan)),
            sample: Sample::default(),
            stale: true,
        }
    }

    /// Of the outages the latest are kept.
    pub(crate) fn keep_latest(&mut self) {
        self.retained.latest = true;
    }

    /// The obligation's position in the plan.
    pub(crate) fn index(&self) -> ObligationIndex {
        self.found.index
    }

    /// The day's plan.
    pub(crate) fn plan(&self) -> &DayPlan {
        &self.plan
    }

    /// Whose obligation it is.
    pub(crate) fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The day.
    pub(crate) fn day(&self) -> Span {
        self.plan.day
    }

    /// Takes note of an event of the current time.
    pub(crate) fn note(&mut self, event: Event) {
        if event.what.is_own() {
            push_bounded(&mut self.recent, event.clone(), RECENT_MAX);
        }
        self.omitted += usize::from(push_bounded(&mut self.instant, event, INSTANT_MAX));
    }

    /// Something happened at the current time that may change quotes.
    pub(crate) fn mark_stale(&mut self) {
        self.stale = true;
    }

    /// A bad record puts the issue in doubt: from now on, and perhaps from an earlier time.
    pub(crate) fn doubt(&mut self, event: &Event, from: Timestamp) {
        if from < self.now && self.late.len() < LATE_MAX {
            self.late.push((from, event.clone()));
        }
        self.doubt.get_or_insert_with(|| event.clone());
    }

    /// The book was emptied: what is in it is known again.
    pub(crate) fn clear(&mut self) {
        self.doubt = None;
    }

    /// Everything before `to` is settled: what is `around` stands as after the last event of the current time, and `ended`
    /// are the intervals that ended in between.
    pub(crate) fn settle(&mut self, around: Around<'_>, ended: Vec<Interval>, to: Timestamp) {
        let Around { measure, market, .. } = around;
        if self.current.is_none() {
            let began = vec![Cause::Edge { edge: Edge::DayStart, at: self.now }];
            self.current = Some(Opening { began, scene: self.scene(around, self.now) });
        }
        if let Some(at) = self.found.at
            && self.now <= at
            && at < to
        {
            self.asked.scene = Some(self.scene(around, at));
            self.asked.doubt = self.doubt.clone();
        }
        for interval in ended {
            let causes = self.causes(interval.end);
            let next = Opening { began: causes.clone(), scene: self.scene(around, interval.end) };
            self.end(interval, causes, Some(next));
        }
        // Of a large book it would take as long as the book is.
        debug_assert!(
            SMALL_BOOK <= measure.book().len() || market.best() == Side::BOTH.map(|side| measure.book().best(side)),
            "the market is followed from event to event"
        );
        if let Some(strip) = &mut self.strip {
            if std::mem::take(&mut self.stale) {
                let own = own_quotes(measure, self.found.index);
                self.sample = Sample::of(&market.best(), own, self.subject.limits_at(self.now));
            }
            strip.hold(Span { start: self.now, end: to }, &self.sample);
        }
        self.now = to;
        self.instant.clear();
        self.omitted = 0;
    }

    /// The day has ended, and with it the last interval.
    pub(crate) fn finish(mut self, registry: &Registry, last: Vec<Interval>, ended: Ended) -> Explanation {
        let Ended { until, reject_count } = ended;
        for interval in last {
            let edge = if until.is_some() { Edge::Until } else { Edge::DayEnd };
            let causes = vec![Cause::Edge { edge, at: interval.end }];
            self.end(interval, causes, None);
        }
        self.end_outage();
        let scheme = registry.scheme();
        let (moment, ledger) = (self.moment(), self.ledger.close());
        let breaches = ledger.breaches(ALONE);
        let lost = Lost::of(breaches, &self.plan);
        Explanation {
            moment,
            plan: self.plan,
            until,
            subject: self.subject,
            scheme: SchemeName {
                name: scheme.name().to_owned(),
                version: scheme.version().to_owned(),
                interpretations: scheme.interpretations().iter().collect(),
            },
            total: ledger.total(ALONE),
            breach_count: breaches.len(),
            outage_count: outages(breaches).count(),
            lost,
            breaches: self.breaches,
            outages: self.outages,
            strip: self.strip,
            reject_count,
            provenance: None,
        }
    }

    /// An interval has ended; `next` begins.
    fn end(&mut self, interval: Interval, causes: Vec<Cause>, next: Option<Opening>) {
        let opening = std::mem::replace(&mut self.current, next).expect("an interval has begun before it ends");
        if let Some(strip) = &mut self.strip {
            strip.state(interval);
        }
        let Opening { began, scene } = opening;
        let stretch = Stretch { interval, began, ended: causes, scene };
        if self.found.at.is_some_and(|at| interval.span().contains(at)) {
            self.asked.stretch = Some(stretch.clone());
        }
        self.account(stretch);
    }

    /// Adds to the ledger, and keeps the longest breaches and outages.
    fn account(&mut self, stretch: Stretch) {
        self.ledger.interval(ALONE, stretch.interval);
        let State::Breach(reason) = stretch.interval.state else { return self.end_outage() };
        match &mut self.outage {
            Some(outage) if outage.span.end == stretch.interval.start => outage.extend(stretch.clone(), reason),
            _ => {
                self.end_outage();
                self.outage = Some(Outage::new(stretch.clone(), reason));
            }
        }
        keep_longest(&mut self.breaches, stretch, self.retained.limit, length);
    }

    fn end_outage(&mut self) {
        let Some(outage) = self.outage.take() else { return };
        if !self.retained.latest {
            return keep_longest(&mut self.outages, outage, self.retained.limit, Outage::length);
        }
        self.outages.push(outage);
        if self.retained.limit < self.outages.len() {
            self.outages.remove(0);
        }
    }

    /// What happened at `at`.
    fn causes(&self, at: Timestamp) -> Vec<Cause> {
        let edges = self.edges.get(&at).into_iter().flatten();
        let mut causes: Vec<Cause> = edges.map(|edge| Cause::Edge { edge: edge.clone(), at }).collect();
        if at == self.now {
            if 0 < self.omitted {
                causes.push(Cause::Omitted(self.omitted));
            }
            causes.extend(self.instant.iter().cloned().map(Cause::Event));
        }
        // Nothing else happens without a cause.
        if causes.is_empty() && self.obligation().availability.start_delay != Micros::ZERO {
            causes.push(Cause::Edge { edge: Edge::DelayEnd, at });
        }
        causes
    }

    fn obligation(&self) -> &ObligationPlan {
        &self.plan.sign_ups[self.found.sign_up].obligations[self.found.obligation]
    }

    fn scene(&self, around: Around<'_>, at: Timestamp) -> Scene {
        let Around { measure, market, uncounted } = around;
        let (uncounted, uncounted_count) = uncounted.shown();
        Scene {
            at,
            own: own_quotes(measure, self.found.index).clone(),
            uncounted,
            uncounted_count,
            market: market.best(),
            phase: measure.phase(),
            market_phase: measure.market_phase(),
            recent: self.recent.iter().cloned().collect(),
        }
    }

    /// What is known of the instant asked for.
    fn moment(&mut self) -> Option<Moment> {
        let at = self.found.at?;
        let Asked { stretch, scene, doubt } = std::mem::take(&mut self.asked);
        let (stretch, scene) = (stretch?, scene?);
        let availability = match stretch.interval.state {
            State::Unavailable => Availability::NotRequired(self.why_unavailable(&scene)),
            State::Unknown => {
                let late = || self.late.iter().find(|(from, _)| *from <= at).map(|(_, event)| event.clone());
                Availability::Unknown(doubt.or_else(late))
            }
            State::Fulfilled | State::Breach(_) => Availability::Required,
        };
        Some(Moment { stretch, availability, scene })
    }

    /// Clauses: `ST1/continuous-auction`, `ST1/halts-and-special-quotes`, `ST1/exemption`.
    fn why_unavailable(&self, scene: &Scene) -> Vec<WhyUnavailable> {
        let mut why = Vec::new();
        let availability = &self.obligation().availability;
        if !availability.windows.iter().any(|window| window.contains(scene.at)) {
            why.push(WhyUnavailable::OutOfSession(Arc::clone(&availability.windows)));
        }
        for row in &self.exemptions {
            if let Some(span) = clip(row, self.plan.day).filter(|span| span.contains(scene.at)) {
                why.push(WhyUnavailable::Exempt { span, reason: row.reason.clone() });
            }
        }
        if !availability.phases.contain_both(scene.market_phase, scene.phase) {
            let silent = |phase: Phase| !availability.phases.contains(phase);
            why.extend(silent(scene.market_phase).then_some(WhyUnavailable::MarketPhase(scene.market_phase)));
            why.extend(silent(scene.phase).then_some(WhyUnavailable::IssuePhase(scene.phase)));
        }
        if why.is_empty() {
            why.push(WhyUnavailable::StartDelay(availability.start_delay));
        }
        why
    }
}

/// What a scene is of.
#[derive(Clone, Copy)]
pub(crate) struct Around<'a> {
    pub(crate) measure: &'a IssueMeasure,
    pub(crate) market: &'a Market,
    pub(crate) uncounted: &'a Uncounting,
}

fn own_quotes(measure: &IssueMeasure, index: ObligationIndex) -> &quoteclock_book::OwnQuotes {
    measure.own_quotes(index).expect("the measure is that of the obligation")
}

/// Puts `item` where it belongs among the `count_max` longest, after those that are as long.
fn keep_longest<T>(longest: &mut Vec<T>, item: T, count_max: usize, length: impl Fn(&T) -> Micros) {
    let of_item = length(&item);
    let position = longest.partition_point(|longer| of_item <= length(longer));
    if position < count_max {
        longest.insert(position, item);
        longest.truncate(count_max);
    }
}

/// When stretches that are known before the day begin and end: sessions, `unknown` time, exemptions.
fn edges(
    day: Span,
    obligation: &ObligationPlan,
    unknown: &[Span],
    exemptions: &[Exemption],
) -> BTreeMap<Timestamp, Vec<Edge>> {
    let mut edges: BTreeMap<Timestamp, Vec<Edge>> = BTreeMap::new();
    let mut note = |span: Span, start: Edge, end: Edge| {
        edges.entry(span.start).or_default().push(start);
        edges.entry(span.end).or_default().push(end);
    };
    obligation.availability.windows.iter().for_each(|&span| note(span, Edge::SessionStart, Edge::SessionEnd));
    unknown.iter().for_each(|&span| note(span, Edge::UnknownStart, Edge::UnknownEnd));
    for row in exemptions {
        if let Some(span) = clip(row, day) {
            note(span, Edge::ExemptionStart(row.reason.clone()), Edge::ExemptionEnd(row.reason.clone()));
        }
    }
    for change in obligation.limit_changes.iter() {
        edges.entry(change.at).or_default().push(Edge::LimitsChange);
    }
    edges
}

fn clip(row: &Exemption, day: Span) -> Option<Span> {
    Span { start: row.from.unwrap_or(day.start), end: row.to.unwrap_or(day.end) }.clip(day)
}

/// Adds to the end, and drops the first if there are too many by then.
fn push_bounded(events: &mut VecDeque<Event>, event: Event, count_max: usize) -> bool {
    let full = events.len() == count_max;
    if full {
        events.pop_front();
    }
    events.push_back(event);
    full
}

fn subject(registry: &Registry, plan: &DayPlan, found: Found) -> Subject {
    let sign_up = &plan.sign_ups[found.sign_up];
    let obligation = &sign_up.obligations[found.obligation];
    let issue = registry.issue_on(&sign_up.issue, plan.date);
    Subject {
        market_maker: sign_up.market_maker.clone(),
        issue: sign_up.issue.to_string(),
        issue_name: issue.and_then(|issue| issue.name.clone()),
        obligation: obligation.id.clone(),
        limits: obligation.limits.clone(),
        limit_changes: Arc::clone(&obligation.limit_changes),
        trading_unit: issue.and_then(|issue| NonZeroU64::new(issue.trading_unit?)).unwrap_or(NonZeroU64::MIN),
        multiplier: obligation.multiplier,
        required_pct: obligation.required.pct,
        servers: sign_up.servers.iter().map(|&server| plan.servers[server].name.clone()).collect(),
    }
}
