//! A report as people read it in a terminal, and in `report.txt`.

use super::notes::ISSUES_NAMED_MAX;
use super::{Chosen, Report};
use crate::choice::Choice;
use crate::closing::Changes;
use crate::documents::Papers;
use crate::month;
use quoteclock_report::money::{Conditions, Payments, Recommendations};
use quoteclock_report::{Criteria, MarketMakers, Monthly, OverviewLine, Style, Words, overview, system_note, wrap};
use quoteclock_rows::{Table, text_table};

impl Report {
    /// All that is shown.
    pub(super) fn text(&self, style: Style, shown: &Chosen<'_>) -> String {
        let Chosen { choice, lines } = shown;
        let scheme = self.figures.registry.scheme();
        let mut text =
            wrap(&format!("{} under {} {}", self.figures.month, scheme.name(), scheme.version()), style.width);
        if let Some(line) = self.revision.line() {
            text.push_str(&wrap(&line, style.width));
        }
        for note in self.figures.doubts() {
            text.push_str(&wrap(&note, style.width));
        }
        let is_summed_up = choice.sums_up(lines.len());
        if is_summed_up {
            let lines: Vec<&OverviewLine> = lines.iter().map(|&position| &self.standings[position]).collect();
            text.push_str(&overview(&lines, self.words(), style));
        } else {
            text.push_str(&text_table::<Monthly>(&self.rows(lines).collect::<Vec<_>>(), style));
            if let Some(note) = system_note(lines.iter().map(|&position| &self.figures.settlement().lines[position])) {
                text.push_str(&wrap(note, style.width));
            }
        }
        text.push('\n');
        let criteria: Vec<_> = self.criteria(choice).collect();
        text.push_str(&list::<Criteria>("criteria, taken together", criteria, choice, is_summed_up, style));
        text.push_str(&text_table::<MarketMakers>(&self.makers(choice).collect::<Vec<_>>(), style));
        text.push('\n');
        let (conditions, recommendations) = (self.conditions(choice).collect(), self.recommendations(choice).collect());
        text.push_str(&list::<Conditions>("conditions", conditions, choice, is_summed_up, style));
        text.push_str(&list::<Payments>("payments", self.payments(choice).collect(), choice, false, style));
        text.push_str(&list::<Recommendations>("recommendations", recommendations, choice, is_summed_up, style));
        let changes: Vec<_> = self.revision.changes.iter().collect();
        text.push_str(&list::<Changes>("changes", changes, choice, false, style));
        let papers = Papers::notes(&self.figures.registry, &self.figures.stored, self.figures.settlement());
        let named = if choice.lists_everything() { usize::MAX } else { ISSUES_NAMED_MAX };
        for note in self.figures.notes(named).into_iter().chain(papers) {
            text.push_str(&wrap(&note, style.width));
        }
        text.push_str(&month::interpretations(&self.figures.registry, style.width));
        text
    }

    /// What the standings of lines are called.
    fn words(&self) -> Words {
        if self.figures.stored.is_over() {
            Words { fails: "not fulfilled", at_risk: "", uncertain: "not certain", meets: "fulfilled" }
        } else {
            let (fails, at_risk) = ("cannot be fulfilled any more", "not fulfilled so far");
            Words { fails, at_risk, uncertain: "not certain", meets: "fulfilled so far" }
        }
    }
}

/// A list of lines that are not obligations, or how many they are where they are many.
fn list<T: Table>(name: &str, rows: Vec<T::Row<'_>>, choice: &Choice, is_summed_up: bool, style: Style) -> String {
    match rows.len() {
        0 => String::new(),
        count if choice.lists(count) && !is_summed_up => format!("{}\n", text_table::<T>(&rows, style)),
        count => wrap(&format!("{name}: {} lines, which --all lists", month::grouped(count)), style.width) + "\n",
    }
}
