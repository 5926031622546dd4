//! The answer on a terminal.

use crate::event::{Cause, Event};
use crate::explanation::{Explanation, Moment, Outage, Scene, Stretch, length};
use crate::format::{
    availability, cause, clock, duration, grouped, limits, market, partial, plural, reasons, rested, share, side_name,
    side_verdict, spread, state_name, suggestion, uncounted,
};
use crate::lost::Lost;
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

pub(crate) struct Page<'a> {
    explanation: &'a Explanation,
    style: Style,
    text: String,
}

impl<'a> Page<'a> {
    /// One outage of a day.
    pub(crate) fn of_outage(explanation: &'a Explanation, outage: &Outage, number: usize, style: Style) -> String {
        let mut page = Page { explanation, style, text: String::new() };
        page.outage(number, outage);
        page.text
    }
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
        if let Some(partial) = partial(self.explanation) {
            self.wrapped(&partial);
        }
        if subject.servers.is_empty() {
            self.line("no virtual server of it is in force: there is nothing that could count");
        }
    }

    fn day(&mut self) {
        let Explanation { total, outage_count, outages, lost, .. } = self.explanation;
        let percent = DisplayPercent::of(total.fulfilled, total.available)
            .map_or_else(|| "not applicable".to_owned(), |percent| format!("{percent} %"));
        self.line("");
        let unknown = match total.unknown {
            Micros::ZERO => String::new(),
            unknown => format!(", unknown {}", duration(unknown)),
        };
        self.wrapped(&format!(
            "quote display time {percent}: {} of {} available{unknown}",
            duration(total.fulfilled),
            duration(total.available)
        ));
        if 0 < *outage_count {
            self.lost(lost);
        }
        let count = crate::format::outage_count(self.explanation);
        match (*outage_count, outages.len()) {
            (0, _) => self.line("no outage"),
            (1, _) => self.line(&count),
            (count_all, shown) if shown < count_all => self.line(&format!("{count}, the longest {shown} of them:")),
            _ => self.line(&format!("{count}, the longest first:")),
        }
        for (number, outage) in (1..).zip(outages) {
            self.outage(number, outage);
        }
    }

    /// Where the lost time is: by reason, and by hour.
    fn lost(&mut self, lost: &Lost) {
        let reasons = lost.reasons().into_iter().map(|(reason, lost)| (reason.to_owned(), lost));
        self.wrapped(&format!("lost {}: {}", duration(lost.total), parts(reasons)));
        let hours = lost.by_hour.iter().map(|(hour, &lost)| (format!("{hour:02}:00"), lost));
        self.wrapped(&format!("  by hour from {}", parts(hours)));
    }

    fn outage(&mut self, number: usize, outage: &Outage) {
        let plan = &self.explanation.plan;
        let (start, end) = (clock(outage.span.start, plan), clock(outage.span.end, plan));
        self.line("");
        self.wrapped(&format!("{number}. {start} to {end}, {}: {}", duration(outage.length()), reasons(outage)));
        self.causes("began", &outage.began);
        for breach in &outage.longest {
            self.breach(breach, 1 < outage.breach_count, breach.interval.start == outage.span.start);
        }
        if outage.longest.len() < outage.breach_count {
            let more = outage.breach_count - outage.longest.len();
            self.line(&format!("   and {}", plural(more as u64, "shorter breach")));
        }
        self.causes("ended", &outage.ended);
    }

    /// One breach of an outage: when and why, if it `is_one_of_several`; what began it, if not the outage as a whole.
    fn breach(&mut self, breach: &Stretch, is_one_of_several: bool, is_first: bool) {
        let State::Breach(reason) = breach.interval.state else { return };
        let start = clock(breach.interval.start, &self.explanation.plan);
        if is_one_of_several {
            let reason = self.paint(reason.as_str(), "\x1b[31m");
            self.wrapped(&format!("   {start}, {}: {reason}", duration(length(breach))));
            if !is_first {
                self.causes("because", &breach.began);
            }
        }
        let view = View::new(&breach.scene, &self.explanation.subject);
        let short = self.in_short(&view);
        self.wrapped(&format!("   {short}"));
        if let Some(rested) = rested(breach, &view.limits) {
            self.wrapped(&format!("   {rested}"));
        }
        for order in &breach.scene.uncounted {
            self.wrapped(&format!("   does not count: {}", uncounted(order)));
        }
        self.sufficed(&view, "   ");
    }

    /// The state of both sides in a line.
    fn in_short(&self, view: &View) -> String {
        let limits = &view.limits;
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
        self.uncounted(&moment.scene);
        self.spread(&view);
        self.line(&format!("market: {}", market(&moment.scene)));
        if let State::Breach(_) = moment.state() {
            self.line("");
            if let Some(rested) = rested(&moment.stretch, &view.limits) {
                self.wrapped(&rested);
            }
            self.sufficed(&view, "");
        }
        self.recent(&moment.scene);
    }

    fn side(&mut self, side: &SideView) {
        let with_shares = self.explanation.subject.limits.quantity_min.is_some();
        self.line("");
        let name = format!("own {}s", side_name(side.side));
        let cells = |level: &Level| {
            let mut cells =
                vec![grouped(level.price), grouped(level.shares), grouped(level.value), grouped(level.value_running)];
            cells.extend(with_shares.then(|| grouped(level.shares_running)));
            cells
        };
        let shown = shown_levels(side);
        let in_cells = |row: &Shown<'_>| if let Shown::Level(level, _) = row { Some(cells(level)) } else { None };
        let rows: Vec<Option<Vec<String>>> = shown.iter().map(in_cells).collect();
        let mut heads = vec![String::new(), "shares".to_owned(), "value".to_owned(), "added up".to_owned()];
        heads.extend(with_shares.then(|| "shares added".to_owned()));
        // Wide enough for each column to stand apart; as a rule for any day's numbers, so that tables look alike.
        let least = if with_shares { [8, 0, 0, 0, 0] } else { [12, 14, 18, 18, 0] };
        let width = |column: usize| {
            let in_rows = rows.iter().flatten().map(|cells| cells[column].len());
            let apart = if column == 0 { 0 } else { 2 };
            in_rows.chain([heads[column].len()]).max().unwrap_or(0).saturating_add(apart).max(least[column])
        };
        let widths: Vec<usize> = (0..heads.len()).map(width).collect();
        let line = |cells: &[String]| -> String {
            let rest = cells.iter().zip(&widths).skip(1).map(|(cell, width)| format!("{cell:>width$}"));
            format!("{:<first$}{}", cells[0], rest.collect::<String>(), first = widths[0])
        };
        if side.levels.is_empty() {
            self.line(&name);
        } else {
            let first = widths[0] + 2;
            let rest = line(&heads).split_off(widths[0]);
            self.line(&format!("{name:<first$}{rest}"));
        }
        for (row, cells) in shown.iter().zip(&rows) {
            match (row, cells) {
                (Shown::Left(count), _) => self.line(&format!("  … {count} more levels")),
                (Shown::Level(_, reached), Some(cells)) => {
                    let row = format!("  {}{}", line(cells), if *reached { "  <- reached" } else { "" });
                    let row = if *reached { self.paint(&row, "\x1b[1m") } else { row };
                    self.line(&row);
                }
                (Shown::Level(..), None) => {}
            }
        }
        if side.reached.is_err() {
            self.wrapped(&format!("  {}", side_verdict(side)));
        }
    }

    /// Orders of the market maker that count for nothing.
    fn uncounted(&mut self, scene: &Scene) {
        if scene.uncounted.is_empty() {
            return;
        }
        self.line("");
        self.line(&format!("own orders that do not count: {}", grouped(scene.uncounted_count)));
        for order in &scene.uncounted {
            self.wrapped(&format!("  {}", uncounted(order)));
        }
        if scene.uncounted.len() < scene.uncounted_count {
            self.line(&format!("  … {} more", scene.uncounted_count - scene.uncounted.len()));
        }
    }

    fn spread(&mut self, view: &View) {
        self.line("");
        let Some(of) = &view.spread else {
            self.line("spread: none, a side is too small");
            return;
        };
        let limits = &view.limits;
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

/// `spread 0:00:30 (75.0 %), no_bid 0:00:10 (25.0 %)`.
fn parts(parts: impl Iterator<Item = (String, Micros)>) -> String {
    let parts: Vec<(String, Micros)> = parts.collect();
    let whole = Micros(parts.iter().map(|(_, part)| part.0).sum());
    let parts: Vec<String> =
        parts.iter().map(|(name, part)| format!("{name} {} ({})", duration(*part), share(*part, whole))).collect();
    parts.join(", ")
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
