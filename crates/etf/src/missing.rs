//! What is not known and has to be, before something can be decided.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A set of things that are not known, each named by its place: `FILE/KEY/COLUMN`.
///
/// It prints as `missing` columns show it: sorted and joined by `;`, things that differ only in date or stock as the
/// first of them and how many more there are.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Missing(BTreeMap<Group, BTreeSet<String>>);

/// What things that are printed as one have in common.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Group {
    before: String,
    after: String,
}

impl Missing {
    /// A row that is absent, or the one figure of a row.
    pub(crate) fn row(file: &str, key: &str) -> Missing {
        Missing::one(format!("{file}/{key}"), "", "")
    }

    /// A whole file's rows.
    pub(crate) fn file(file: &str) -> Missing {
        Missing::one(file.to_owned(), "", "")
    }

    /// An empty cell.
    pub(crate) fn cell(file: &str, key: &str, column: &str) -> Missing {
        Missing::one(format!("{file}/{key}/{column}"), "", "")
    }

    /// One of several things that differ only in a date or a stock, which stands between `before` and `after`.
    pub(crate) fn one(before: String, varying: &str, after: &str) -> Missing {
        let name = format!("{before}{varying}{after}");
        let group = Group { before, after: after.to_owned() };
        Missing(BTreeMap::from([(group, BTreeSet::from([name]))]))
    }

    /// Adds what `other` needs.
    pub(crate) fn add(&mut self, other: &Missing) {
        for (group, names) in &other.0 {
            self.0.entry(group.clone()).or_default().extend(names.iter().cloned());
        }
    }

    /// Whether nothing is missing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `value`, unless something is missing.
    pub(crate) fn unless<T>(self, value: T) -> Result<T, Missing> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }

    /// The things, as they are listed.
    pub fn items(&self) -> Vec<String> {
        let mut sorted: Vec<(&str, usize)> =
            self.0.values().filter_map(|names| Some((names.first()?.as_str(), names.len() - 1))).collect();
        sorted.sort_unstable();
        let item = |(first, more): (&str, usize)| match more {
            0 => first.to_owned(),
            more => format!("{first} and {more} more"),
        };
        sorted.into_iter().map(item).collect()
    }
}

/// Adds up what several figures need.
impl<'a> FromIterator<&'a Missing> for Missing {
    fn from_iter<I: IntoIterator<Item = &'a Missing>>(all: I) -> Missing {
        let mut sum = Missing::default();
        all.into_iter().for_each(|missing| sum.add(missing));
        sum
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.items().join(";"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_only_in_stock_is_one_item() {
        let stock = |stock| Missing::one("constituents.csv/CSI300/".to_owned(), stock, "/northbound");
        let all = [
            stock("600003"),
            Missing::cell("indices.csv", "CSI300", "launched"),
            stock("600001"),
            stock("600001"),
            stock("600002"),
            Missing::one("constituents.csv/CSI300/".to_owned(), "600001", "/a_share"),
        ];
        assert_eq!(
            all.iter().collect::<Missing>().to_string(),
            "constituents.csv/CSI300/600001/a_share;constituents.csv/CSI300/600001/northbound and 2 more;\
             indices.csv/CSI300/launched"
        );
        assert_eq!(Missing::default().to_string(), "");
    }
}
