//! A day as people read it: a line for each obligation, with the worst breaches named.

use crate::rows::{Key, keys};
use quoteclock_ledger::{Breach, DayLedger, DisplayPercent, Total};
use quoteclock_model::Micros;
use quoteclock_rules::{DayPlan, local_time};
use std::fmt::Write;
use std::sync::Arc;

/// How a table is to look.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Columns of the terminal.
    pub width: usize,
    /// Whether colours may be used.
    pub colour: bool,
}

/// What a day's table needs, after the day itself is forgotten.
#[derive(Clone, Debug)]
pub struct DaySummary {
    plan: Arc<DayPlan>,
    lines: Vec<Line>,
}

/// One obligation on one day.
#[derive(Clone, Debug)]
struct Line {
    total: Total,
    breach_count: usize,
    /// Longest first.
    worst: Vec<Breach>,
}

/// How many breaches a line names at most.
const WORST_MAX: usize = 3;

impl DaySummary {
    /// The summary of a day.
    pub fn new(plan: &Arc<DayPlan>, ledger: &DayLedger) -> DaySummary {
        let line = |key: Key<'_>| {
            let breaches = ledger.breaches(key.index);
            let mut worst: Vec<Breach> = Vec::with_capacity(WORST_MAX + 1);
            for &breach in breaches {
                let position = worst.partition_point(|longer| length(&breach) <= length(longer));
                if position < WORST_MAX {
                    worst.insert(position, breach);
                    worst.truncate(WORST_MAX);
                }
            }
            Line { total: ledger.total(key.index), breach_count: breaches.len(), worst }
        };
        DaySummary { plan: Arc::clone(plan), lines: keys(plan).map(line).collect() }
    }

    /// The date's heading and table, for a terminal of `style`.
    pub fn render(&self, style: Style) -> String {
        let mut text = format!("{}", self.plan.date);
        if 1 < self.plan.multiplier {
            write!(text, "  Fast Market x{}", self.plan.multiplier).expect("writing to a string");
        }
        text.push('\n');
        if self.lines.is_empty() {
            text.push_str("no sign-up is in force: nothing is measured\n");
            return text;
        }
        let any_unknown = self.lines.iter().any(|line| line.total.unknown != Micros::ZERO);
        let rows: Vec<[String; 8]> =
            keys(&self.plan).zip(&self.lines).map(|(key, line)| self.cells(&key, line)).collect();
        let header = [
            "market maker",
            "issue",
            "obligation",
            "display %",
            "available",
            "unknown",
            "breaches",
            "longest breaches",
        ];
        let mut widths = header.map(str::len);
        for row in &rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let shown: Vec<usize> = (0..header.len()).filter(|&column| column != UNKNOWN || any_unknown).collect();
        let fixed: usize = shown.iter().filter(|&&column| column != WORST).map(|&column| widths[column] + 2).sum();
        let room = style.width.saturating_sub(fixed);
        let mut push = |cells: &[String; 8], mark: Option<&str>| {
            let mut line = String::new();
            for &column in &shown {
                let (cell, width) = (&cells[column], widths[column]);
                let cell = match column {
                    WORST => fit(cell, room),
                    PERCENT..=BREACHES => format!("{cell:>width$}  "),
                    _ => format!("{cell:<width$}  "),
                };
                match mark.filter(|_| column == PERCENT) {
                    Some(colour) => write!(line, "{colour}{cell}\x1b[0m").expect("writing to a string"),
                    None => line.push_str(&cell),
                }
            }
            text.push_str(line.trim_end());
            text.push('\n');
        };
        push(&header.map(str::to_owned), None);
        let (mut maker, mut issue) = (String::new(), String::new());
        for ((mut row, line), key) in rows.into_iter().zip(&self.lines).zip(keys(&self.plan)) {
            let colour = style.colour.then(|| colour(&key, line));
            // Further obligations of the same sign-up stand below it without its names.
            if row[0] == maker && row[1] == issue {
                (row[0], row[1]) = (String::new(), String::new());
            } else {
                (maker, issue) = (row[0].clone(), row[1].clone());
            }
            push(&row, colour.flatten());
        }
        text
    }

    fn cells(&self, key: &Key<'_>, line: &Line) -> [String; 8] {
        let percent = DisplayPercent::of(line.total.fulfilled, line.total.available);
        [
            key.market_maker.to_owned(),
            key.issue.to_owned(),
            key.obligation.id.to_string(),
            percent.map_or_else(|| "-".to_owned(), |percent| percent.to_string()),
            clock(line.total.available),
            clock(line.total.unknown),
            line.breach_count.to_string(),
            line.worst.iter().map(|breach| self.breach(breach)).collect::<Vec<_>>().join(", "),
        ]
    }

    /// `10:12:03.500000 for 0:05:00 spread`.
    fn breach(&self, breach: &Breach) -> String {
        let start = local_time(breach.span.start, &self.plan.zone);
        let start = start.get(11..26).unwrap_or(&start);
        format!("{} for {} {}", trim_fraction(start), clock(breach.span.end.since(breach.span.start)), breach.reason)
    }
}

const PERCENT: usize = 3;
const UNKNOWN: usize = 5;
const BREACHES: usize = 6;
const WORST: usize = 7;
/// Whether the day by itself has the share that the month needs: green or red.
fn colour(key: &Key<'_>, line: &Line) -> Option<&'static str> {
    let Total { available, fulfilled, .. } = line.total;
    if available == Micros::ZERO {
        return None;
    }
    let enough =
        u128::from(fulfilled.0) * 1_000_000 >= u128::from(key.obligation.required.pct) * u128::from(available.0);
    Some(if enough { "\x1b[32m" } else { "\x1b[31m" })
}

fn length(breach: &Breach) -> Micros {
    breach.span.end.since(breach.span.start)
}

/// A span without needless zeros: `5:00:00`, `0:10:15.38`.
pub(crate) fn clock(span: Micros) -> String {
    trim_fraction(&span.to_string()).to_owned()
}

/// A clock reading without the zeros that end its fraction.
fn trim_fraction(clock: &str) -> &str {
    if clock.contains('.') { clock.trim_end_matches('0').trim_end_matches('.') } else { clock }
}

/// As many whole breaches of `text` as fit in `room` characters; the first in any case.
fn fit(text: &str, room: usize) -> String {
    let mut fitting = String::new();
    for breach in text.split(", ") {
        if !fitting.is_empty() {
            if room < fitting.len() + ", ".len() + breach.len() {
                break;
            }
            fitting.push_str(", ");
        }
        fitting.push_str(breach);
    }
    fitting
}

/// `text` in lines of at most `width` characters, broken at spaces and indented from the second on.
pub fn wrap(text: &str, width: usize) -> String {
    const INDENT: &str = "  ";
    let mut wrapped = String::new();
    let mut length = 0;
    for word in text.split(' ') {
        if length == 0 {
            wrapped.push_str(word);
        } else if width <= length + word.len() {
            wrapped.push('\n');
            wrapped.push_str(INDENT);
            wrapped.push_str(word);
            length = INDENT.len() - 1;
        } else {
            wrapped.push(' ');
            wrapped.push_str(word);
        }
        length += word.len() + 1;
    }
    wrapped.push('\n');
    wrapped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn breaches_are_shown_whole_and_the_longest_always() {
        let text = "09:00:00 for 0:05:00 spread, 10:00:00 for 0:00:01 no_bid";
        assert_eq!(fit(text, 200), text);
        assert_eq!(fit(text, text.len()), text);
        assert_eq!(fit(text, text.len() - 1), "09:00:00 for 0:05:00 spread");
        assert_eq!(fit(text, 5), "09:00:00 for 0:05:00 spread");
        assert_eq!(fit("", 5), "");
    }

    #[test]
    fn spans_lose_needless_zeros_and_no_others() {
        assert_eq!(clock(Micros(18_000_000_000)), "5:00:00");
        assert_eq!(clock(Micros(615_380_000)), "0:10:15.38");
        assert_eq!(clock(Micros(36_000_000_000)), "10:00:00");
        assert_eq!(clock(Micros(1)), "0:00:00.000001");
    }

    #[test]
    fn long_lines_break_at_spaces() {
        assert_eq!(wrap("one two three", 100), "one two three\n");
        assert_eq!(wrap("one two three", 8), "one two\n  three\n");
    }
}
