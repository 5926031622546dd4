//! What is wrong with a folder of files, each fault with its place: file, line, column, what was found, what was expected.
//!
//! Findings are collected, never thrown: whoever edits files wants to see every fault at once. This module judges
//! nothing; the modules that read the files do.

use std::fmt;

/// A file of a folder, already read into memory.
///
/// ```
/// use quoteclock_sheets::SourceFile;
///
/// let file = SourceFile { name: "market_makers.csv".to_owned(), bytes: b"market_maker\nMM1\n".to_vec() };
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SourceFile {
    /// Its name without a folder, such as `issues.csv`.
    pub name: String,
    /// Its whole content.
    pub bytes: Vec<u8>,
}

/// Whether a finding stops the work.
///
/// ```
/// use quoteclock_sheets::Severity;
///
/// assert_eq!([Severity::Error, Severity::Warning].map(|severity| severity.to_string()), ["error", "warning"]);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Severity {
    /// The files cannot be used.
    Error,
    /// Worth a look, and used all the same.
    Warning,
}

/// `error` or `warning`.
impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        })
    }
}

/// Where in a line a finding lies.
///
/// ```
/// use quoteclock_sheets::Column;
///
/// assert_eq!([Column::Name("issue".to_owned()), Column::Number(7)].map(|column| column.to_string()), ["issue", "7"]);
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Column {
    /// The column's name in the header of a CSV file.
    Name(String),
    /// The character of the line, counted from 1, in a TOML file.
    Number(u64),
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Column::Name(name) => f.pad(name),
            Column::Number(number) => fmt::Display::fmt(number, f),
        }
    }
}

/// One fault and its place.
///
/// ```
/// use quoteclock_sheets::{Finding, Severity};
///
/// let (severity, file, message) = (Severity::Error, "issues.csv".to_owned(), "is not there, expected it".to_owned());
/// let finding = Finding { severity, file, line: None, column: None, message };
/// assert_eq!(finding.to_string(), "issues.csv: is not there, expected it");
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// Whether it stops the work.
    pub severity: Severity,
    /// The file.
    pub file: String,
    /// The line, counted from 1; `None` where the file as a whole is meant.
    pub line: Option<u64>,
    /// The column; `None` where the line as a whole is meant.
    pub column: Option<Column>,
    /// What was found, and what was expected.
    pub message: String,
}

/// `signups.csv: line 3, column issue: …`, without the severity.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place(), self.message)
    }
}

impl Finding {
    /// Where it is, and nothing that stands there: `signups.csv: line 3, column issue`.
    ///
    /// ```
    /// use quoteclock_sheets::{Column, Finding, Severity};
    ///
    /// let finding = Finding {
    ///     severity: Severity::Error,
    ///     file: "signups.csv".to_owned(),
    ///     line: Some(3),
    ///     column: Some(Column::Name("issue".to_owned())),
    ///     message: "found \"9999\", expected an issue of issues.csv".to_owned(),
    /// };
    /// assert_eq!(finding.place(), "signups.csv: line 3, column issue");
    /// assert!(finding.to_string().starts_with("signups.csv: line 3, column issue: found"));
    /// ```
    pub fn place(&self) -> String {
        let Finding { file, line, column, .. } = self;
        match (line, column) {
            (Some(line), Some(column)) => format!("{file}: line {line}, column {column}"),
            (Some(line), None) => format!("{file}: line {line}"),
            (None, Some(column)) => format!("{file}: column {column}"),
            (None, None) => file.clone(),
        }
    }
}

/// All findings of one folder, in order of discovery.
#[derive(Default, Debug)]
pub struct Findings(Vec<Finding>);

impl Findings {
    /// An error of a whole file.
    pub fn error_file(&mut self, file: &str, message: String) {
        self.push(Severity::Error, file, None, None, message);
    }

    /// An error in a CSV line, in a named column if one is to blame.
    pub fn error(&mut self, file: &str, line: u64, column: Option<&str>, message: String) {
        let column = column.map(|name| Column::Name(name.to_owned()));
        self.push(Severity::Error, file, Some(line), column, message);
    }

    /// An error at a character of a TOML file.
    pub fn error_at(&mut self, file: &str, line: u64, column: u64, message: String) {
        self.push(Severity::Error, file, Some(line), Some(Column::Number(column)), message);
    }

    /// A warning at a character of a TOML file.
    pub fn warning_at(&mut self, file: &str, line: u64, column: u64, message: String) {
        self.push(Severity::Warning, file, Some(line), Some(Column::Number(column)), message);
    }

    /// A warning about a value of a CSV line.
    pub fn warning(&mut self, file: &str, line: u64, column: &str, message: String) {
        self.push(Severity::Warning, file, Some(line), Some(Column::Name(column.to_owned())), message);
    }

    fn push(&mut self, severity: Severity, file: &str, line: Option<u64>, column: Option<Column>, message: String) {
        self.0.push(Finding { severity, file: file.to_owned(), line, column, message });
    }

    /// Whether any finding is an error.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// The findings by file, line and severity; within these in order of discovery.
    pub fn into_sorted(mut self) -> Vec<Finding> {
        self.0.sort_by(|a, b| (&a.file, a.line, a.severity).cmp(&(&b.file, b.line, b.severity)));
        self.0
    }
}

/// `value` quoted for a message: control characters escaped, and cut when it is long.
pub fn quoted(value: &str) -> String {
    const CHARS_MAX: usize = 60;
    let mut shown: String = value.chars().take(CHARS_MAX).collect();
    if shown.len() < value.len() {
        shown.push('…');
    }
    format!("{shown:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_prints_its_place_first() {
        let mut findings = Findings::default();
        findings.error("signups.csv", 3, Some("issue"), "no such issue".to_owned());
        findings.error("signups.csv", 2, None, "5 fields".to_owned());
        findings.error_file("issues.csv", "missing".to_owned());
        findings.error_at("scheme.toml", 4, 7, "unknown key".to_owned());
        let printed: Vec<String> = findings.into_sorted().iter().map(Finding::to_string).collect();
        assert_eq!(
            printed,
            [
                "issues.csv: missing",
                "scheme.toml: line 4, column 7: unknown key",
                "signups.csv: line 2: 5 fields",
                "signups.csv: line 3, column issue: no such issue",
            ]
        );
    }

    #[test]
    fn a_long_value_is_cut_and_control_characters_are_escaped() {
        assert_eq!(quoted("a\nb"), "\"a\\nb\"");
        assert_eq!(quoted(&"日".repeat(61)).chars().count(), 63);
    }
}
