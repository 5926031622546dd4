//! The answer as one page that needs nothing else: no script, no font, no network. All text is escaped by the template.

use crate::builder::length;
use crate::clauses;
use crate::event::Cause;
use crate::explanation::{Explanation, Scene, Stretch, WORKED_MAX};
use crate::format::{
    availability, cause, clock, duration, grouped, limits, market, side_name, side_verdict, spread, state_kind,
    state_name, suggestion,
};
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
    required: String,
    figures: Vec<(&'static str, String)>,
    picture: String,
    moment: Option<MomentCard>,
    rows: Vec<Row>,
    cards: Vec<Card>,
    clauses: Vec<(&'static str, &'static str)>,
    servers: String,
}

/// A line of the table of breaches.
struct Row {
    number: usize,
    start: String,
    end: String,
    duration: String,
    reason: &'static str,
    short: String,
    is_worked: bool,
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
        let required = explanation.subject.required_pct;
        let required = format!("{}.{:04}", required / 10_000, required % 10_000);
        Page {
            explanation,
            limits: limits(explanation),
            required: required.trim_end_matches('0').trim_end_matches('.').to_owned(),
            figures: figures(explanation),
            picture: svg::picture(explanation),
            moment: explanation.moment.as_ref().map(|moment| moment_card(explanation, moment)),
            rows: breaches().map(|(number, breach)| row(explanation, number, breach)).collect(),
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
        ("breaches", grouped(explanation.breach_count)),
    ];
    if total.unknown != Micros::ZERO {
        figures.push(("unknown", duration(total.unknown)));
    }
    figures
}

fn row(explanation: &Explanation, number: usize, breach: &Stretch) -> Row {
    let plan = &explanation.plan;
    let view = View::new(&breach.scene, &explanation.subject);
    Row {
        number,
        start: clock(breach.interval.start, plan),
        end: clock(breach.interval.end, plan),
        duration: duration(length(breach)),
        reason: match breach.interval.state {
            State::Breach(reason) => reason.as_str(),
            other => state_kind(other),
        },
        short: in_short(explanation, &view),
        is_worked: number <= WORKED_MAX,
    }
}

fn in_short(explanation: &Explanation, view: &View) -> String {
    match &view.spread {
        None => view.sides.iter().filter(|side| side.reached.is_err()).map(side_verdict).collect::<Vec<_>>().join("; "),
        Some(of) => {
            let [ticks, bps, _] = spread(of, &explanation.subject.limits);
            format!("{} to {}: {ticks}, {bps}", grouped(of.spread.bid), grouped(of.spread.offer))
        }
    }
}

fn card(explanation: &Explanation, number: usize, breach: &Stretch) -> Card {
    let row = row(explanation, number, breach);
    Card {
        number,
        heading: format!("{} to {}, {}: {}", row.start, row.end, row.duration, row.reason),
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
        why: availability(&moment.availability, plan),
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
    let limits = &explanation.subject.limits;
    let view = View::new(scene, &explanation.subject);
    let spread_cells = |of: &crate::SpreadView| {
        let [ticks, bps, how] = spread(of, limits);
        [format!("{} to {}", grouped(of.spread.bid), grouped(of.spread.offer)), ticks, bps, how]
    };
    let is_breach = matches!(state, State::Breach(_));
    Work {
        sides: view.sides.iter().map(side_table).collect(),
        spread: view.spread.as_ref().map(spread_cells),
        market: market(scene),
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
