//! The answer on a terminal.

use crate::builder::length;
use crate::event::{Cause, Event};
use crate::explanation::{Explanation, Moment, Scene, Stretch};
use crate::format::{
    availability, cause, clock, duration, grouped, limits, market, side_name, side_verdict, spread, state_name,
    suggestion,
};
use crate::view::{Level, SideView, View};
use quoteclock_ledger::DisplayPercent;
use quoteclock_model::{Micros, State};
use quoteclock_report::{Style, wrap};

/// How many levels of a side are listed before the rest is left out.
pub(crate) const LEVELS_MAX: usize = 12;

/// The answer as text, for a terminal of `style`.
pub fn render_text(explanation: &Explanation, style: Style) -> String {
    let mut page = Page { explanation, style, text: String::new() };
    page.heading();
    match &explanation.moment {
        Some(moment) => page.moment(moment),
        None => page.day(),
    }
    page.text
}

struct Page<'a> {
    explanation: &'a Explanation,
    style: Style,
    text: String,
}

impl Page<'_> {
    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    /// A line that may be long.
    fn wrapped(&mut self, line: &str) {
        let indent = line.len() - line.trim_start().len();
        let room = self.style.width.max(60) - indent;
        for part in wrap(line.trim_start(), room).lines() {
            self.line(&format!("{:indent$}{part}", ""));
        }
    }

    fn paint(&self, text: &str, colour: &str) -> String {
        if self.style.colour { format!("{colour}{text}\x1b[0m") } else { text.to_owned() }
    }

    fn state(&self, state: State) -> String {
        let colour = match state {
            State::Fulfilled => "\x1b[32m",
            State::Breach(_) => "\x1b[31m",
            State::Unknown => "\x1b[33m",
            State::Unavailable => "\x1b[2m",
        };
        self.paint(&state_name(state), colour)
    }

    fn heading(&mut self) {
        let Explanation { plan, subject, .. } = self.explanation;
        let name = subject.issue_name.as_ref().map_or(String::new(), |name| format!(" {name}"));
        let heading =
            format!("{}  {}  {}{name}  {}", plan.date, subject.market_maker, subject.issue, subject.obligation);
        let heading = self.paint(&heading, "\x1b[1m");
        self.line(&heading);
        self.wrapped(&limits(self.explanation));
        if subject.servers.is_empty() {
            self.line("no virtual server of it is in force: there is nothing that could count");
        }
    }

    fn day(&mut self) {
        let Explanation { total, breach_count, breaches, .. } = self.explanation;
        let percent = DisplayPercent::of(total.fulfilled, total.available)
            .map_or_else(|| "not applicable".to_owned(), |percent| format!("{percent} %"));
        self.line("");
        let unknown = match total.unknown {
            Micros::ZERO => String::new(),
            unknown => format!(", unknown {}", duration(unknown)),
        };
        self.line(&format!(
            "quote display time {percent}: {} of {} available{unknown}",
            duration(total.fulfilled),
            duration(total.available)
        ));
        match (*breach_count, breaches.len()) {
            (0, _) => self.line("no breach"),
            (1, _) => self.line("1 breach"),
            (count, shown) if shown < count => self.line(&format!("{count} breaches, the longest {shown} of them:")),
            (count, _) => self.line(&format!("{count} breaches, the longest first:")),
        }
        for (number, breach) in (1..).zip(breaches) {
            self.breach(number, breach);
        }
    }

    fn breach(&mut self, number: usize, breach: &Stretch) {
        let plan = &self.explanation.plan;
        let (start, end) = (clock(breach.interval.start, plan), clock(breach.interval.end, plan));
        let State::Breach(reason) = breach.interval.state else { return };
        let reason = self.paint(reason.as_str(), "\x1b[31m");
        self.line("");
        self.line(&format!("{number}. {start} to {end}, {}: {reason}", duration(length(breach))));
        self.causes("began", &breach.began);
        let view = View::new(&breach.scene, &self.explanation.subject);
        let short = self.in_short(&view);
        self.wrapped(&format!("   {short}"));
        self.sufficed(&view, "   ");
        self.causes("ended", &breach.ended);
    }

    /// The state of both sides in a line.
    fn in_short(&self, view: &View) -> String {
        let limits = &self.explanation.subject.limits;
        match &view.spread {
            None => view.sides.iter().map(side_verdict).collect::<Vec<_>>().join("; "),
            Some(view) => {
                let [ticks, bps, _] = spread(view, limits);
                format!("{} to {}: {ticks}, {bps}", grouped(view.spread.bid), grouped(view.spread.offer))
            }
        }
    }

    fn causes(&mut self, word: &str, causes: &[Cause]) {
        for (position, of) in causes.iter().enumerate() {
            let [place, clock, what] = cause(of, &self.explanation.plan);
            let word = if position == 0 { word } else { "" };
            let place = if place.is_empty() { place } else { format!("{place}, ") };
            self.wrapped(&format!("   {word:<5} {clock} {place}{what}"));
        }
    }

    fn sufficed(&mut self, view: &View, indent: &str) {
        for line in view.suggestion.iter().flat_map(suggestion) {
            self.wrapped(&format!("{indent}would have sufficed: {line}"));
        }
    }

    fn moment(&mut self, moment: &Moment) {
        let plan = &self.explanation.plan;
        let state = self.state(moment.state());
        self.line("");
        self.line(&format!("{}  {state}", clock(moment.scene.at, plan)));
        for why in availability(&moment.availability, plan) {
            self.wrapped(&format!("   {why}"));
        }
        let interval = moment.stretch.interval;
        self.line(&format!(
            "   from {} to {}, {}",
            clock(interval.start, plan),
            clock(interval.end, plan),
            duration(length(&moment.stretch))
        ));
        self.causes("began", &moment.stretch.began);
        self.causes("ended", &moment.stretch.ended);
        let view = View::new(&moment.scene, &self.explanation.subject);
        for side in &view.sides {
            self.side(side);
        }
        self.spread(&view);
        self.line(&format!("market: {}", market(&moment.scene)));
        if let State::Breach(_) = moment.state() {
            self.line("");
            self.sufficed(&view, "");
        }
        self.recent(&moment.scene);
    }

    fn side(&mut self, side: &SideView) {
        let with_shares = self.explanation.subject.limits.quantity_min.is_some();
        self.line("");
        let name = format!("own {}s", side_name(side.side));
        if side.levels.is_empty() {
            self.line(&name);
        } else {
            let more = if with_shares { "shares added" } else { "" };
            self.line(&format!("{name:<14}{:>14}{:>18}{:>18}{more:>16}", "shares", "value", "added up"));
        }
        for row in shown_levels(side) {
            match row {
                Shown::Level(level, reached) => {
                    let more = if with_shares { grouped(level.shares_running) } else { String::new() };
                    let row = format!(
                        "  {:<12}{:>14}{:>18}{:>18}{more:>16}{}",
                        grouped(level.price),
                        grouped(level.shares),
                        grouped(level.value),
                        grouped(level.value_running),
                        if reached { "  <- reached" } else { "" },
                    );
                    let row = if reached { self.paint(&row, "\x1b[1m") } else { row };
                    self.line(&row);
                }
                Shown::Left(count) => self.line(&format!("  … {count} more levels")),
            }
        }
        if side.reached.is_err() {
            self.wrapped(&format!("  {}", side_verdict(side)));
        }
    }

    fn spread(&mut self, view: &View) {
        self.line("");
        let Some(of) = &view.spread else {
            self.line("spread: none, a side is too small");
            return;
        };
        let limits = &self.explanation.subject.limits;
        let [ticks, in_bps, how] = spread(of, limits);
        let (bid, offer) = (grouped(of.spread.bid), grouped(of.spread.offer));
        let fast = match self.explanation.subject.multiplier {
            1 => String::new(),
            multiplier => format!("; limits x{multiplier}, Fast Market"),
        };
        self.wrapped(&format!("spread: {bid} to {offer} = {ticks}, {in_bps}{fast}"));
        self.wrapped(&format!("  {how}"));
    }

    fn recent(&mut self, scene: &Scene) {
        let maker = &self.explanation.subject.market_maker;
        if scene.recent.is_empty() {
            self.line(&format!("no event of {maker} in the issue before"));
            return;
        }
        self.line("");
        self.line(&format!("the last events of {maker} in the issue, up to then"));
        for event in &scene.recent {
            self.event(event);
        }
    }

    fn event(&mut self, event: &Event) {
        let [place, clock, what] = cause(&Cause::Event(event.clone()), &self.explanation.plan);
        self.wrapped(&format!("   {clock} {place}, {what}"));
    }
}

/// A row of a side's table.
pub(crate) enum Shown<'a> {
    /// A level, and whether the minimum is reached there.
    Level(&'a Level, bool),
    /// So many levels left out.
    Left(usize),
}

/// The levels worth showing: the best ones, and in any case the one where the minimum is reached.
pub(crate) fn shown_levels(side: &SideView) -> Vec<Shown<'_>> {
    let count = side.levels.len();
    let is_reached = |level: &Level| side.reached == Ok(level.price);
    let reached = side.levels.iter().position(is_reached);
    let mut rows = Vec::new();
    let mut left = 0;
    for (position, level) in side.levels.iter().enumerate() {
        if position < LEVELS_MAX || reached == Some(position) || count == LEVELS_MAX + 1 {
            if 0 < left {
                rows.push(Shown::Left(std::mem::take(&mut left)));
            }
            rows.push(Shown::Level(level, is_reached(level)));
        } else {
            left += 1;
        }
    }
    if 0 < left {
        rows.push(Shown::Left(left));
    }
    rows
}
