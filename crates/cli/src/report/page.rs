//! The exchange's own page of a month.

use super::notes::ISSUES_NAMED_MAX;
use super::{Chosen, Report};
use crate::choice::Choice;
use crate::closing::Changes;
use crate::month_page::PageOf;
use quoteclock_pages::{Section, grouped};
use quoteclock_report::Criteria;
use quoteclock_report::money::{Conditions, Payments, Recommendations};
use quoteclock_rows::{Column, Shown, Table, Value};
use quoteclock_store::Store;

impl Report {
    /// The month as a page.
    pub(super) fn page<'a>(&'a self, store: &'a Store) -> PageOf<'a> {
        self.page_of(store, &Chosen { choice: &Choice::everything(), lines: (0..self.standings.len()).collect() })
    }

    /// The month, as far as it is shown, as a page.
    pub(super) fn page_of<'a>(&'a self, store: &'a Store, shown: &Chosen<'_>) -> PageOf<'a> {
        let mut lines = shown.lines.clone();
        // A page has its own orders, and looks lines up by their keys.
        lines.sort_unstable();
        PageOf {
            month: self.figures.month,
            registry: &self.figures.registry,
            store,
            stored: &self.figures.stored,
            lines: lines.into_iter().map(|position| self.figures.settlement().lines[position].clone()).collect(),
            makers: &self.figures.settlement().makers,
            notes: self.figures.doubts().into_iter().chain(self.figures.notes(ISSUES_NAMED_MAX).split_off(1)).collect(),
            gone_out: self.revision.line().unwrap_or_default(),
            sections: self.sections(shown.choice),
        }
    }

    /// What the exchange's own page has besides: what is paid, under which conditions, and what staff may look at.
    fn sections(&self, choice: &Choice) -> Vec<Section> {
        let mut sections = vec![
            section::<Payments>("Payments", self.payments(choice)),
            section::<Conditions>("Sponsored conditions and matching funds", self.conditions(choice)),
            section::<Recommendations>("Recommendations", self.recommendations(choice)),
        ];
        if self.criteria(choice).next().is_some() {
            sections.insert(0, section::<Criteria>("Criteria, taken together", self.criteria(choice)));
        }
        if self.revision.before.is_some() {
            sections.insert(0, section::<Changes>(quoteclock_documents::CHANGES_HEADING, &self.revision.changes));
        }
        sections
    }
}

/// A table of the exchange's page: the columns that people see.
fn section<'r, T: Table>(heading: &str, rows: impl IntoIterator<Item = T::Row<'r>>) -> Section {
    let columns = T::SHOWN.iter().filter_map(|name| T::COLUMNS.iter().find(|column| column.name == *name));
    let columns: Vec<_> = columns.filter_map(|column| Some((column, column.shown.as_ref()?))).collect();
    let is_number = |value: &Value<'_>| matches!(value, Value::Integer(_) | Value::Decimal(..));
    let row = |row: T::Row<'r>| {
        let cell = |(column, shown): &(&Column<T>, &Shown<T>)| {
            let value = column.value(&row);
            let plain = || if is_number(&value) { grouped(&value.to_string()) } else { value.to_string() };
            (shown.cell.map_or_else(plain, |cell| cell(&row).into_owned()), is_number(&value))
        };
        columns.iter().map(cell).collect()
    };
    Section {
        heading: heading.to_owned(),
        columns: columns.iter().map(|(_, shown)| shown.title.to_owned()).collect(),
        rows: rows.into_iter().map(row).collect(),
    }
}
