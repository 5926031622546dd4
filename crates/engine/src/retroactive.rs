//! What a run learns too late: time that a bad record puts in doubt after it has been measured.

use quoteclock_model::{IssueCode, Span, merge_spans};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Time that turned out to be unknown after it had been measured: a bad record that says it belongs there came later.
///
/// Emitted intervals cannot be revised: run the same input again with this window in [`DayOptions::unknown`](crate::DayOptions).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownWindow {
    /// The issue; `None` for every issue.
    pub issue: Option<IssueCode>,
    /// The time.
    pub span: Span,
}

/// The windows of an earlier run, as issues are told of them: those of every issue once for all.
#[derive(Debug, Default)]
pub struct UnknownTime {
    every_issue: Arc<[Span]>,
    by_issue: BTreeMap<IssueCode, Arc<[Span]>>,
    nothing: Arc<[Span]>,
}

impl UnknownTime {
    /// What the windows say of a day.
    pub fn new(windows: &[UnknownWindow], day: Span) -> UnknownTime {
        let mut by_issue: BTreeMap<Option<&IssueCode>, Vec<Span>> = BTreeMap::new();
        for window in windows {
            by_issue.entry(window.issue.as_ref()).or_default().extend(window.span.clip(day));
        }
        let every_issue = by_issue.remove(&None).map(merge_spans).unwrap_or_default().into();
        let named = by_issue.into_iter().filter_map(|(issue, spans)| Some((issue?.clone(), merge_spans(spans).into())));
        UnknownTime { every_issue, by_issue: named.collect(), nothing: Arc::default() }
    }

    /// The time of every issue, and of this one alone; each sorted and disjoint.
    pub(crate) fn of(&self, issue: &IssueCode) -> [&Arc<[Span]>; 2] {
        [&self.every_issue, self.by_issue.get(issue).unwrap_or(&self.nothing)]
    }
}

/// Windows found so far.
#[derive(Debug, Default)]
pub(crate) struct RetroactiveWindows {
    /// By issue; disjoint, ascending.
    spans: BTreeMap<Option<IssueCode>, Vec<Span>>,
}

impl RetroactiveWindows {
    /// Adds a window that ends at the current time: never before one that was added earlier.
    pub(crate) fn add(&mut self, issue: Option<IssueCode>, mut span: Span) {
        let spans = self.spans.entry(issue).or_default();
        while let Some(last) = spans.pop_if(|last| span.start <= last.end) {
            span.start = span.start.min(last.start);
        }
        spans.push(span);
    }

    /// Those, by issue and time.
    pub(crate) fn windows(&self) -> Vec<UnknownWindow> {
        let of_issue = |(issue, spans): (&Option<IssueCode>, &Vec<Span>)| {
            let window = |&span: &Span| UnknownWindow { issue: issue.clone(), span };
            spans.iter().map(window).collect::<Vec<_>>()
        };
        self.spans.iter().flat_map(of_issue).collect()
    }

    /// Whether none has been found.
    pub(crate) fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quoteclock_model::Timestamp;

    #[test]
    fn windows_of_one_issue_that_meet_are_one() {
        let span = |start, end| Span { start: Timestamp::from_micros(start), end: Timestamp::from_micros(end) };
        let mut late = RetroactiveWindows::default();
        let issue = IssueCode::new(b"1306");
        late.add(issue.clone(), span(1, 3));
        late.add(None, span(2, 4));
        late.add(issue.clone(), span(5, 6));
        late.add(issue.clone(), span(6, 8));
        late.add(issue.clone(), span(7, 8));
        let expected = [(None, span(2, 4)), (issue.clone(), span(1, 3)), (issue.clone(), span(5, 8))];
        let found = late.windows();
        assert_eq!(found.iter().map(|window| (window.issue.clone(), window.span)).collect::<Vec<_>>(), expected);
        let mut late = RetroactiveWindows::default();
        late.add(issue.clone(), span(1, 3));
        late.add(issue.clone(), span(5, 6));
        late.add(issue.clone(), span(0, 9));
        assert_eq!(late.windows(), [UnknownWindow { issue, span: span(0, 9) }]);
    }
}
