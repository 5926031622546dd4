//! The files of one folder, read one after the other; what is wrong with any of them is found at once.

use quoteclock_sheets::{Expected, Finding, Findings, Layout, Lined, Row, SourceFile, Table, Uniqueness};

/// How one row is read; a row with a fault yields nothing and reports all of its faults.
pub(crate) type ReadRow<T> = fn(&Row<'_>, &mut Findings) -> Option<T>;

/// The files, and what is wrong with them so far.
pub(crate) struct Reader<'f> {
    files: &'f [SourceFile],
    pub(crate) findings: Findings,
}

impl<'f> Reader<'f> {
    pub(crate) fn new(files: &'f [SourceFile]) -> Reader<'f> {
        Reader { files, findings: Findings::default() }
    }

    /// The rows of a file that has to be there.
    pub(crate) fn required<T>(&mut self, layout: &Layout, read: ReadRow<T>) -> Vec<Lined<T>> {
        let table = quoteclock_sheets::required(self.files, layout, &mut self.findings);
        self.rows(table, read)
    }

    /// The rows of a file that may be absent.
    pub(crate) fn optional<T>(&mut self, layout: &Layout, read: ReadRow<T>) -> Vec<Lined<T>> {
        let table = quoteclock_sheets::optional(self.files, layout, &mut self.findings);
        self.rows(table, read)
    }

    fn rows<T>(&mut self, table: Option<Table>, read: ReadRow<T>) -> Vec<Lined<T>> {
        let lined = |row: Row<'_>| Some(Lined { line: row.line, value: read(&row, &mut self.findings)? });
        table.iter().flat_map(Table::rows).filter_map(lined).collect()
    }

    /// The rows, without their lines, checked to have one key each; `column` is the last of the key.
    pub(crate) fn unique<T>(
        &mut self,
        layout: &Layout,
        column: &'static str,
        rows: Vec<Lined<T>>,
        key: fn(&T) -> String,
    ) -> Vec<T> {
        Uniqueness { file: layout.file, column, key, period: None }.check(&rows, &mut self.findings);
        rows.into_iter().map(|row| row.value).collect()
    }

    /// `rows`, unless something is wrong.
    pub(crate) fn finish<T>(self, rows: T) -> Result<T, Vec<Finding>> {
        if self.findings.has_errors() { Err(self.findings.into_sorted()) } else { Ok(rows) }
    }
}

/// 1 to 64 characters, none of which is a control character.
pub(crate) fn name(text: &str) -> Result<String, Expected> {
    let legal = (1..=64).contains(&text.chars().count()) && !text.contains(char::is_control);
    if legal { Ok(text.to_owned()) } else { Err("expected a name of 1 to 64 characters, no control characters") }
}

/// `yes` or `no`.
pub(crate) fn yes_no(text: &str) -> Result<bool, Expected> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("expected yes or no"),
    }
}
