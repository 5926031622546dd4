//! What the inputs of a run do not support of its figures, for people and for programs.

use crate::terminal::printable;
use jiff::civil::Date;
use quoteclock::CoverageRow;
use quoteclock_engine::{Coverage, Finished};
use quoteclock_rules::local_time;

/// What a day's input does not support.
#[derive(Clone, Debug)]
pub(crate) struct DayCoverage {
    pub(crate) rows: Vec<CoverageRow>,
    /// For people, a line for each kind.
    pub(crate) lines: Vec<String>,
    /// Those of them that a table of results does not tell: an issue without an event has its rows there, unfulfilled.
    pub(crate) beside_results: Vec<String>,
}

impl DayCoverage {
    pub(crate) fn of(finished: &Finished) -> DayCoverage {
        let plan = &finished.plan;
        let time = |time| local_time(time, &plan.zone);
        let of_one_kind = finished.coverage.chunk_by(|first, second| first.kind() == second.kind());
        let clock = |at| time(at).chars().skip(11).take(8).collect::<String>();
        let lines = of_one_kind.map(|coverage| (&coverage[0], line(plan.date, coverage, clock)));
        let (tabled, beside): (Vec<_>, Vec<_>) =
            lines.partition(|(first, _)| matches!(first, Coverage::SilentIssue { .. }));
        let texts = |lines: Vec<(_, String)>| lines.into_iter().map(|(_, line)| line).collect::<Vec<_>>();
        let beside_results = texts(beside);
        DayCoverage {
            rows: CoverageRow::of(finished).collect(),
            lines: beside_results.iter().cloned().chain(texts(tabled)).collect(),
            beside_results,
        }
    }
}

/// So many names stand in a line; documents have all.
const NAMES_MAX: usize = 5;

/// What is to be said of one's own orders that have not been seen.
pub(crate) fn unseen(orders: &[Coverage]) -> Option<String> {
    (!orders.is_empty()).then(|| text(orders, |_| String::new()))
}

/// A line about findings of one kind, at least one.
fn line(date: Date, of_one_kind: &[Coverage], clock: impl Fn(quoteclock_model::Timestamp) -> String) -> String {
    format!("{date}: {}", text(of_one_kind, clock))
}

/// The same without the date.
fn text(of_one_kind: &[Coverage], clock: impl Fn(quoteclock_model::Timestamp) -> String) -> String {
    let shown = |coverage: &Coverage| printable(&coverage.to_string()).replace('\n', "\\n");
    let many = |one: &str, more: &str| {
        let what = if of_one_kind.len() == 1 { one } else { more };
        let names: Vec<String> = of_one_kind.iter().take(NAMES_MAX).map(shown).collect();
        let rest = match of_one_kind.len().saturating_sub(NAMES_MAX) {
            0 => String::new(),
            rest => format!(" and {rest} more"),
        };
        format!("{} {what}: {}{rest}", of_one_kind.len(), names.join(", "))
    };
    match &of_one_kind[0] {
        Coverage::NothingToMeasure => "the input has nothing to measure".to_owned(),
        Coverage::EndsEarly { last, session_end: Some(end) } => format!(
            "the input ends at {}, before the session does at {}, and no phase has closed the market",
            clock(*last),
            clock(*end)
        ),
        Coverage::EndsEarly { last, session_end: None } => {
            format!("the input ends at {}, and no phase has closed the market", clock(*last))
        }
        Coverage::NoPhase => "the input has no phase event".to_owned(),
        Coverage::UnknownServer { .. } => {
            many("server that no registry row knows", "servers that no registry row knows")
        }
        Coverage::SilentServer { .. } => {
            many("registered server without an order", "registered servers without an order")
        }
        Coverage::SilentIssue { .. } => many("signed-up issue without an event", "signed-up issues without an event"),
        Coverage::UnknownIssue { .. } => {
            many("issue that the registry does not know", "issues that the registry does not know")
        }
        Coverage::UnseenOrder { .. } => {
            many("own order that the input does not have", "own orders that the input does not have")
        }
        other => many(other.kind(), other.kind()),
    }
}
