//! The answer as one page that needs nothing else: no script, no font, no network. All text is escaped by the template.

use crate::clauses;
use crate::event::Cause;
use crate::explanation::{Explanation, Outage, Scene, Stretch, WORKED_MAX, length};
use crate::format::{
    availability, cause, clock, duration, grouped, limits, market, outage_count, partial, reasons, rested, share,
    side_name, side_verdict, spread, state_kind, state_name, suggestion, uncounted,
};
use crate::lost::Lost;
use crate::svg;
use crate::text::{Shown, shown_levels};
use crate::view::{SideView, View};
use askama::Template;
use quoteclock_ledger::DisplayPercent;
use quoteclock_model::{Micros, State};
use std::io::{self, Write};

/// Writes the page.
///
/// # Errors
/// Those of `to`.
pub fn write_html(explanation: &Explanation, to: &mut impl Write) -> io::Result<()> {
    let page = Page::new(explanation);
    page.write_into(to)
}

#[derive(Template)]
#[template(path = "explain.html")]
struct Page<'a> {
    explanation: &'a Explanation,
    limits: String,
    partial: Option<String>,
    required: String,
    figures: Vec<(&'static str, String)>,
    picture: String,
    moment: Option<MomentCard>,
    rows: Vec<Row>,
    outage_count: String,
    lost: [(&'static str, Vec<LostPart>); 2],
    cards: Vec<Card>,
    clauses: Vec<(&'static str, &'static str)>,
    servers: String,
}

/// A line of the table of outages.
struct Row {
    number: usize,
    start: String,
    end: String,
    duration: String,
    reasons: String,
    /// The numbers of its breaches that are worked out.
    breaches: Vec<usize>,
}

/// Where the lost time is.
struct LostPart {
    name: String,
    duration: String,
    share: String,
    /// The width of its bar in percent.
    width: u64,
}

/// A breach worked out.
struct Card {
    number: usize,
    heading: String,
    began: Vec<[String; 3]>,
    ended: Vec<[String; 3]>,
    work: Work,
}

struct MomentCard {
    at: String,
    state: String,
    kind: &'static str,
    why: Vec<String>,
    from: String,
    to: String,
    duration: String,
    began: Vec<[String; 3]>,
    ended: Vec<[String; 3]>,
    work: Work,
}

/// The quotes of an instant.
struct Work {
    sides: Vec<SideTable>,
    spread: Option<[String; 4]>,
    market: String,
    uncounted: Vec<String>,
    suggestions: Vec<String>,
    recent: Vec<[String; 3]>,
    with_shares: bool,
}

struct SideTable {
    name: &'static str,
    rows: Vec<LevelRow>,
    verdict: String,
    is_reached: bool,
}

struct LevelRow {
    cells: [String; 5],
    is_reached: bool,
    /// Levels left out here, instead of a level.
    left: usize,
}

impl<'a> Page<'a> {
    fn new(explanation: &'a Explanation) -> Page<'a> {
        let breaches = || (1..).zip(&explanation.breaches);
        let (outages, lost) = ((1..).zip(&explanation.outages), &explanation.lost);
        let of_reasons = lost.reasons().into_iter().map(|(reason, time)| (reason.to_owned(), time));
        let of_hours = lost.by_hour.iter().map(|(hour, &time)| (format!("{hour:02}:00 to {:02}:00", hour + 1), time));
        let required = explanation.subject.required_pct;
        let required = format!("{}.{:04}", required / 10_000, required % 10_000);
        Page {
            explanation,
            limits: limits(explanation),
            partial: partial(explanation),
            required: required.trim_end_matches('0').trim_end_matches('.').to_owned(),
            figures: figures(explanation),
            picture: svg::picture(explanation),
            moment: explanation.moment.as_ref().map(|moment| moment_card(explanation, moment)),
            rows: outages.map(|(number, outage)| row(explanation, number, outage)).collect(),
            outage_count: outage_count(explanation),
            lost: [("reason", lost_parts(lost, of_reasons)), ("hour", lost_parts(lost, of_hours))],
            cards: breaches().take(WORKED_MAX).map(|(number, breach)| card(explanation, number, breach)).collect(),
            clauses: clauses::applied(explanation),
            servers: explanation.subject.servers.join(", "),
        }
    }
}

fn figures(explanation: &Explanation) -> Vec<(&'static str, String)> {
    let total = &explanation.total;
    let percent = DisplayPercent::of(total.fulfilled, total.available);
    let breached = Micros(total.available.0 - total.fulfilled.0);
    let mut figures = vec![
        ("quote display time", percent.map_or_else(|| "not applicable".to_owned(), |percent| format!("{percent} %"))),
        ("available", duration(total.available)),
        ("fulfilled", duration(total.fulfilled)),
        ("not fulfilled", duration(breached)),
        ("outages", grouped(explanation.outage_count)),
        ("breaches", grouped(explanation.breach_count)),
    ];
    if total.unknown != Micros::ZERO {
        figures.push(("unknown", duration(total.unknown)));
    }
    figures
}

fn row(explanation: &Explanation, number: usize, outage: &Outage) -> Row {
    let plan = &explanation.plan;
    let worked = (1..).zip(explanation.breaches.iter().take(WORKED_MAX));
    let of_outage = worked.filter(|(_, breach)| outage.span.contains(breach.interval.start));
    Row {
        number,
        start: clock(outage.span.start, plan),
        end: clock(outage.span.end, plan),
        duration: duration(outage.length()),
        reasons: reasons(outage),
        breaches: of_outage.map(|(number, _)| number).collect(),
    }
}

fn lost_parts(lost: &Lost, parts: impl Iterator<Item = (String, Micros)>) -> Vec<LostPart> {
    let part = |(name, time): (String, Micros)| LostPart {
        name,
        duration: duration(time),
        share: share(time, lost.total),
        width: u64::try_from(u128::from(time.0) * 100 / u128::from(lost.total.0.max(1))).unwrap_or(100),
    };
    parts.map(part).collect()
}

fn card(explanation: &Explanation, number: usize, breach: &Stretch) -> Card {
    let interval = breach.interval;
    let reason = match interval.state {
        State::Breach(reason) => reason.as_str(),
        other => state_kind(other),
    };
    let [start, end] = [interval.start, interval.end].map(|at| clock(at, &explanation.plan));
    let rested = rested(breach, explanation.subject.limits_at(interval.start));
    let rested = rested.map_or(String::new(), |rested| format!("; {rested}"));
    Card {
        number,
        heading: format!("{start} to {end}, {}: {reason}{rested}", duration(length(breach))),
        began: causes(explanation, &breach.began),
        ended: causes(explanation, &breach.ended),
        work: work(explanation, &breach.scene, breach.interval.state),
    }
}

fn moment_card(explanation: &Explanation, moment: &crate::Moment) -> MomentCard {
    let plan = &explanation.plan;
    let Stretch { interval, began, ended, .. } = &moment.stretch;
    MomentCard {
        at: clock(moment.scene.at, plan),
        state: state_name(interval.state),
        kind: state_kind(interval.state),
        why: availability(&moment.availability, plan)
            .into_iter()
            .chain(rested(&moment.stretch, explanation.subject.limits_at(interval.start)))
            .collect(),
        from: clock(interval.start, plan),
        to: clock(interval.end, plan),
        duration: duration(length(&moment.stretch)),
        began: causes(explanation, began),
        ended: causes(explanation, ended),
        work: work(explanation, &moment.scene, interval.state),
    }
}

fn causes(explanation: &Explanation, causes: &[Cause]) -> Vec<[String; 3]> {
    causes.iter().map(|of| cause(of, &explanation.plan)).collect()
}

fn work(explanation: &Explanation, scene: &Scene, state: State) -> Work {
    let view = View::new(scene, &explanation.subject);
    let limits = &view.limits;
    let spread_cells = |of: &crate::SpreadView| {
        let [ticks, bps, how] = spread(of, limits);
        [format!("{} to {}", grouped(of.spread.bid), grouped(of.spread.offer)), ticks, bps, how]
    };
    let is_breach = matches!(state, State::Breach(_));
    Work {
        sides: view.sides.iter().map(side_table).collect(),
        spread: view.spread.as_ref().map(spread_cells),
        market: market(scene),
        uncounted: scene.uncounted.iter().map(uncounted).collect(),
        suggestions: view.suggestion.iter().filter(|_| is_breach).flat_map(suggestion).collect(),
        recent: scene.recent.iter().map(|event| cause(&Cause::Event(event.clone()), &explanation.plan)).collect(),
        with_shares: limits.quantity_min.is_some(),
    }
}

fn side_table(side: &SideView) -> SideTable {
    let rows = shown_levels(side).into_iter().map(|row| match row {
        Shown::Level(level, is_reached) => LevelRow {
            cells: [
                grouped(level.price),
                grouped(level.shares),
                grouped(level.value),
                grouped(level.value_running),
                grouped(level.shares_running),
            ],
            is_reached,
            left: 0,
        },
        Shown::Left(left) => LevelRow { cells: Default::default(), is_reached: false, left },
    });
    SideTable {
        name: side_name(side.side),
        rows: rows.collect(),
        verdict: side_verdict(side),
        is_reached: side.reached.is_ok(),
    }
}
