//! What bad records leave in doubt, and since when.

use super::{Day, RejectSink, Stage};
use crate::order_checks::Timing;
use quoteclock_feed::RawRecord;
use quoteclock_model::{IssueCode, Scope, Span, Timestamp};
use quoteclock_obligation::DaySink;

impl<S: DaySink, R: RejectSink> Day<S, R> {
    /// Puts in doubt what a bad record names: from its own time on where that can be read and is of the date, from the last
    /// good time otherwise.
    pub(super) fn doubt_record(&mut self, record: &RawRecord<'_>, timing: Timing) {
        let since = match (timing, &self.stage) {
            (Timing::Backwards(time), Stage::Open { engine, .. }) if engine.plan().day.start <= time => Some(time),
            // A good time is the last good one by now.
            _ => self.last_time(),
        };
        self.doubt(since, record.scope.unwrap_or(Scope::Market));
        if let Some(also) = record.also {
            self.doubt_issue(since, Some(also.clone()));
        }
    }

    /// Puts the time of `scope` in doubt since a time, from the start of the day where none is known yet.
    pub(super) fn doubt(&mut self, since: Option<Timestamp>, scope: Scope) {
        let code = match (scope, &mut self.stage) {
            (Scope::Market, _) => None,
            (Scope::Issue(issue), stage) => match (self.issues.get(issue.index()), stage) {
                (Some(Some(code)), _) => Some(code.clone()),
                (_, Stage::Waiting { unnamed, .. }) => {
                    unnamed.insert(issue);
                    return;
                }
                (_, Stage::Open { engine, .. }) => {
                    let since = since.unwrap_or(engine.plan().day.start);
                    let first = self.unnamed_doubts.entry(issue).or_insert(since);
                    *first = since.min(*first);
                    return;
                }
            },
        };
        self.doubt_issue(since, code);
    }

    /// The same of an issue by its code, or of every issue.
    pub(super) fn doubt_issue(&mut self, since: Option<Timestamp>, issue: Option<IssueCode>) {
        let engine = match &mut self.stage {
            Stage::Open { engine, .. } => engine,
            Stage::Waiting { doubts, .. } => {
                doubts.insert(issue);
                return;
            }
        };
        let since = since.unwrap_or(engine.plan().day.start);
        // What has been told cannot be taken back.
        let from = since.max(engine.reached());
        if since < from {
            self.retroactive.add(issue.clone(), Span { start: since, end: from });
        }
        engine.doubt(from, issue.as_ref(), &mut self.sink);
    }
}
