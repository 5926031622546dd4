//! What a reader has to know of a report: what is missing, what is not certain, what cannot be said.

use super::Report;
use crate::documents::Papers;
use crate::{month, terminal};
use quoteclock_incentive::MonthLine;

/// So many obligations are named in a sentence.
const NAMED_MAX: usize = 5;

/// So many issues are named where not everything is listed.
pub(super) const ISSUES_NAMED_MAX: usize = 20;

impl Report<'_> {
    /// What is not known, and what that could turn.
    pub(super) fn doubts(&self) -> Vec<String> {
        let mut doubts = self.stored.unknown_notes();
        let uncertain: Vec<&MonthLine> = self.settlement().lines.iter().filter(|line| !line.certain()).collect();
        if !uncertain.is_empty() {
            let named =
                |line: &&MonthLine| format!("{} {} {}", line.key.market_maker, line.key.issue, line.key.obligation);
            let first: Vec<String> = uncertain.iter().take(NAMED_MAX).map(named).collect();
            let rest = uncertain.len().saturating_sub(NAMED_MAX);
            let rest = if rest == 0 { String::new() } else { format!(" and {rest} more") };
            let count = month::count(uncertain.len(), "obligation");
            doubts.push(format!(
                "NOT CERTAIN: unknown time could turn the status of {count}, and what rests on it: {}{rest}",
                first.join(", ")
            ));
            let rests = self.rests_on_doubt();
            if !rests.is_empty() {
                doubts.push(format!("NOT CERTAIN, since they rest on such a status: {}", rests.join(", ")));
            }
        }
        doubts
    }

    /// What rests on a status that unknown time could turn.
    pub(super) fn rests_on_doubt(&self) -> Vec<String> {
        self.settlement().doubtful(&self.registry.scheme().incentives().servers).words()
    }

    /// What a reader has to know of the figures; so many issues are named one by one.
    pub(super) fn notes(&self, named: usize) -> Vec<String> {
        let mut notes = self.notes_of_days();
        notes.extend(self.money_notes(named));
        notes
    }

    /// Everything that a reader has to know: of days, money and papers.
    pub(super) fn all_notes(&self, named: usize) -> Vec<String> {
        let papers = Papers::notes(self.registry, &self.stored, self.settlement());
        self.doubts().into_iter().chain(self.notes(named)).chain(papers).collect()
    }

    /// What a reader has to know of the days.
    pub(super) fn notes_of_days(&self) -> Vec<String> {
        let (measured, missing) = (self.stored.measured.len(), &self.stored.missing);
        let mut notes = vec![format!("measured: {}", month::count(measured, "day"))];
        if !missing.is_empty() {
            notes.push(format!(
                "NOT COMPLETE: {} not measured: {}",
                month::count(missing.len(), "trading day"),
                month::list(missing)
            ));
        }
        if !self.stored.partial.is_empty() {
            let days = self.stored.partial_days(self.registry).unwrap_or_else(|error| error.to_string());
            notes.push(format!("NOT COMPLETE: measured in part: {days}"));
        }
        if !self.stored.changed.is_empty() {
            notes.push(format!(
                "AS MEASURED: the registry has changed since, and would alter the result of {}",
                month::list(&self.stored.changed.keys().copied().collect::<Vec<_>>())
            ));
        }
        let by_registry = self.stored.accounts.leveraged_by_registry().count();
        if 0 < by_registry {
            let were = if by_registry == 1 { "was" } else { "were" };
            notes.push(format!(
                "{} {were} stored by an earlier version, which did not keep whether the issue is leveraged or inverse: that \
                 is as the registry has it now",
                month::count(by_registry, "obligation")
            ));
        }
        notes
    }

    /// What a reader has to know of the money.
    fn money_notes(&self, named: usize) -> Vec<String> {
        let settled = self.settlement();
        let mut unknown: Vec<String> = settled.unknown_tiers().into_iter().map(ToString::to_string).collect();
        let more = unknown.len().saturating_sub(named);
        unknown.truncate(named);
        let more = if more == 0 { String::new() } else { format!(" and {} more", month::grouped(more)) };
        let mut notes = Vec::new();
        if !unknown.is_empty() {
            notes.push(format!(
                "TIER UNKNOWN: {}{more}: no incentive on trading value can be said. A tier in issues.csv would help, or the \
                 replay of the days that the tier review measures",
                unknown.join(", ")
            ));
        }
        if !settled.review_days_missing.is_empty() {
            notes.push(format!(
                "TIERS: the review in force rests on a period of which {} are not stored: {}",
                month::count(settled.review_days_missing.len(), "trading day"),
                month::list(&settled.review_days_missing)
            ));
        }
        if !self.settled.past_changed.is_empty() {
            notes.push(format!(
                "RECOMMENDATIONS rest on days of earlier months as they were measured; the registry has changed since, \
                 and would alter the result of {}",
                month::list(&self.settled.past_changed)
            ));
        }
        notes
    }

    pub(super) fn warn(&self) {
        for note in self.doubts().iter().chain(self.notes(ISSUES_NAMED_MAX).iter().skip(1)) {
            terminal::print_warning(note);
        }
    }
}
