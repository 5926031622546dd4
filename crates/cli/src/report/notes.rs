//! What a reader has to know of a report: what is missing, what is not certain, what cannot be said.

use super::Report;
use crate::documents::Papers;
use crate::terminal;

/// So many issues are named where not everything is listed.
pub(super) const ISSUES_NAMED_MAX: usize = 20;

impl Report {
    /// Everything that a reader has to know: of days, money and papers.
    pub(super) fn all_notes(&self, named: usize) -> Vec<String> {
        let papers = Papers::notes(&self.figures.registry, &self.figures.stored, self.figures.settlement());
        self.figures.doubts().into_iter().chain(self.figures.notes(named)).chain(papers).collect()
    }

    pub(super) fn warn(&self) {
        for note in self.figures.doubts().iter().chain(self.figures.notes(ISSUES_NAMED_MAX).iter().skip(1)) {
            terminal::print_warning(note);
        }
    }
}
