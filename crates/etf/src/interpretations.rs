//! Where the documents are silent: how they are read, by name. Each has one value, and is printed with every result that
//! rests on it.

/// A reading of a document, by name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Interpretation {
    /// Its name.
    pub name: &'static str,
    /// Its one value.
    pub value: &'static str,
}

/// A year of `holidays.csv` without a row: `QC/year_without_holidays`.
pub(crate) const YEAR_WITHOUT_HOLIDAYS: Interpretation =
    Interpretation { name: "year_without_holidays", value: "missing" };
