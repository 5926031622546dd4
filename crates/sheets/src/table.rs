//! One CSV file as a header and rows of text cells, each with its line.
//!
//! The form is checked here (text encoding, header, number of fields, balanced quotes), and a cell is turned into a
//! typed value with a fault that names file, line and column. What the values mean is not known here.

use crate::finding::{Findings, quoted};
use crate::{Expected, SourceFile, value};
use csv::{ReaderBuilder, StringRecord};

/// Which columns a file may have, and which it must have.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// The file's name, such as `issues.csv`.
    pub file: &'static str,
    /// Columns that have to be there.
    pub required: &'static [&'static str],
    /// Columns that may be there.
    pub optional: &'static [&'static str],
}

impl Layout {
    fn columns(&self) -> impl Iterator<Item = &'static str> {
        self.required.iter().chain(self.optional).copied()
    }
}

/// A CSV file whose header is as its [`Layout`] asks.
///
/// ```
/// use quoteclock_sheets::{Findings, Layout, Table, value};
///
/// const HOLIDAYS: Layout = Layout { file: "holidays.csv", required: &["date"], optional: &["name"] };
/// let mut findings = Findings::default();
/// let table = Table::read(&HOLIDAYS, b"name,date\nNew Year,2024-01-01\nTypo,2024-1-8\n", &mut findings).unwrap();
/// let dates = table.rows().filter_map(|row| row.required("date", value::date, &mut findings));
/// assert_eq!(dates.collect::<Vec<_>>(), [jiff::civil::date(2024, 1, 1)]);
/// let printed = findings.into_sorted()[0].to_string();
/// assert!(printed.starts_with("holidays.csv: line 3, column date: found \"2024-1-8\", expected a date"));
/// ```
#[derive(Debug)]
pub struct Table {
    file: &'static str,
    /// The columns present, in the order of the file.
    columns: Vec<&'static str>,
    rows: Vec<(u64, StringRecord)>,
    /// Whether no line was left out because of its form.
    whole: bool,
}

impl Table {
    /// Reads the file; what is wrong with its form goes to `findings`. `None` where no row could be trusted.
    pub fn read(layout: &Layout, bytes: &[u8], findings: &mut Findings) -> Option<Table> {
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(fault) => {
                let line = Lines::default().line_at(&bytes[..fault.valid_up_to()], fault.valid_up_to());
                let message = "found bytes that are not UTF-8 text, expected UTF-8".to_owned();
                findings.error(layout.file, line, None, message);
                return None;
            }
        };
        let (records, whole) = records(layout.file, text, findings);
        let mut records = records.into_iter();
        let Some((line, header)) = records.next() else {
            findings.error_file(layout.file, "found no header line, expected the names of the columns".to_owned());
            return None;
        };
        let columns = columns(layout, line, &header, findings)?;
        let mut table = Table { file: layout.file, columns, rows: Vec::new(), whole };
        let expected = table.columns.len();
        // Of a spreadsheet's commas after the last column: the first line that has them, how many, and in how many lines.
        let mut trailing: Option<(u64, usize, usize)> = None;
        for (line, mut record) in records {
            let found = record.len();
            if expected < found && record.iter().skip(expected).all(str::is_empty) {
                trailing.get_or_insert((line, found - expected, 0)).2 += 1;
                record.truncate(expected);
            }
            if record.len() != expected {
                let message = format!("found {found} fields, expected {expected} as in the header");
                findings.error(layout.file, line, None, message);
                table.whole = false;
            } else if record.iter().any(|cell| !cell.is_empty()) {
                // Spreadsheets leave rows of nothing but commas below the last one; they say nothing.
                table.rows.push((line, record));
            }
        }
        if let Some((line, count, lines)) = trailing {
            let elsewhere = match lines {
                1 => String::new(),
                2 => ", and in 1 more line".to_owned(),
                lines => format!(", and in {} more lines", lines - 1),
            };
            findings.error(layout.file, line, None, trailing_commas(count, &elsewhere));
        }
        Some(table)
    }

    /// The rows, in the order of the file.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = Row<'_>> {
        self.rows.iter().map(|(line, record)| Row { table: self, line: *line, record })
    }

    /// Whether no line was left out because of its form: otherwise names may be missing that the file defines.
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// Whether the header names `column`.
    pub fn has(&self, column: &str) -> bool {
        self.columns.contains(&column)
    }
}

/// The content of the file called `name`.
pub fn content<'f>(files: &'f [SourceFile], name: &str) -> Option<&'f [u8]> {
    files.iter().find(|file| file.name == name).map(|file| file.bytes.as_slice())
}

/// The table of a file that may be absent.
pub fn optional(files: &[SourceFile], layout: &Layout, findings: &mut Findings) -> Option<Table> {
    Table::read(layout, content(files, layout.file)?, findings)
}

/// The table of a file that has to be there: its absence is an error.
pub fn required(files: &[SourceFile], layout: &Layout, findings: &mut Findings) -> Option<Table> {
    if content(files, layout.file).is_none() {
        let columns = layout.required.join(", ");
        findings.error_file(layout.file, format!("the file is missing, expected it with the columns {columns}"));
    }
    optional(files, layout, findings)
}

/// The records of `text`, each with the line on which it starts, and whether these are all that it has.
fn records(file: &str, text: &str, findings: &mut Findings) -> (Vec<(u64, StringRecord)>, bool) {
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let (mut lines, mut records, mut whole) = (Lines::default(), Vec::new(), true);
    let mut record = StringRecord::new();
    let bytes = text.as_bytes();
    let offset = |position: &csv::Position| usize::try_from(position.byte()).unwrap_or(usize::MAX).min(bytes.len());
    loop {
        let start = offset(reader.position());
        match reader.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => return (records, whole),
            Err(fault) => {
                findings.error_file(file, format!("cannot be read as CSV: {fault}"));
                return (records, false);
            }
        }
        let end = offset(reader.position());
        let raw = &bytes[start.min(end)..end];
        // The reader passes over blank lines at the start of a record.
        let blank = raw.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let line = lines.line_at(bytes, start + blank);
        if raw.iter().filter(|&&byte| byte == b'"').count() % 2 == 1 {
            // An opened quote without its end silently swallows the lines after it.
            let message = "found a quote that is not closed, expected quotes in pairs (a quote in a value is doubled)";
            findings.error(file, line, None, message.to_owned());
            whole = false;
            continue;
        }
        // A clone would keep room for the longest record before it.
        let mut own = StringRecord::with_capacity(record.as_slice().len(), record.len());
        own.extend(&record);
        records.push((line, own));
    }
}

/// Counts lines up to ever later positions of one text.
#[derive(Default)]
struct Lines {
    position: usize,
    newlines: u64,
}

impl Lines {
    /// The line, from 1, of the byte `at`, which is not before any asked for earlier. A line ends with LF, CR or CRLF.
    fn line_at(&mut self, bytes: &[u8], at: usize) -> u64 {
        while self.position < at {
            let ends = match bytes.get(self.position) {
                Some(b'\n') => true,
                Some(b'\r') => bytes.get(self.position + 1) != Some(&b'\n'),
                _ => false,
            };
            self.newlines += u64::from(ends);
            self.position += 1;
        }
        self.newlines + 1
    }
}

/// The columns that `header` names; `None` with the faults recorded unless all are known, none twice, none missing.
fn columns(layout: &Layout, line: u64, header: &StringRecord, findings: &mut Findings) -> Option<Vec<&'static str>> {
    let mut present: Vec<&'static str> = Vec::with_capacity(header.len());
    let mut legal = true;
    // A spreadsheet's trailing commas are one slip, and the rows have them, too.
    let named = header.iter().enumerate().filter(|(_, name)| !name.is_empty()).last().map_or(0, |(last, _)| last + 1);
    if let trailing @ 1.. = header.len() - named {
        findings.error(layout.file, line, None, trailing_commas(trailing, ""));
        legal = false;
    }
    for name in header.iter().take(named) {
        let message = match layout.columns().find(|&column| column == name) {
            Some(column) if !present.contains(&column) => {
                present.push(column);
                continue;
            }
            Some(_) => "the column is there twice, expected it once".to_owned(),
            None => unknown_column(layout, name),
        };
        findings.error(layout.file, line, Some(name), message);
        legal = false;
    }
    for column in layout.required.iter().filter(|column| !present.contains(column)) {
        findings.error(layout.file, line, Some(column), "the column is missing, expected it in the header".to_owned());
        legal = false;
    }
    legal.then_some(present)
}

/// A spreadsheet has kept columns that are empty.
fn trailing_commas(count: usize, elsewhere: &str) -> String {
    let commas = if count == 1 { "comma" } else { "commas" };
    format!("found {count} {commas} after the last column{elsewhere}, expected none: remove the empty columns")
}

fn unknown_column(layout: &Layout, name: &str) -> String {
    let hint = match name {
        _ if layout.columns().any(|column| column == name.trim()) => ": remove the space",
        _ if name.contains([';', '\t']) => " separated by commas",
        _ => "",
    };
    let known: Vec<&str> = layout.columns().collect();
    format!("unknown column {}, expected only {}{hint}", quoted(name), known.join(", "))
}

/// One row, and the way from its cells to typed values.
#[derive(Debug)]
pub struct Row<'t> {
    table: &'t Table,
    /// The line that it starts on, counted from 1.
    pub line: u64,
    record: &'t StringRecord,
}

impl Row<'_> {
    /// The cell of `column`; empty where the file lacks the column.
    pub fn cell(&self, column: &str) -> &str {
        let position = self.table.columns.iter().position(|&name| name == column);
        position.and_then(|position| self.record.get(position)).unwrap_or_default()
    }

    /// The value of `column`, which must not be empty; `None` with the fault recorded.
    pub fn required<T>(
        &self,
        column: &str,
        parse: impl Fn(&str) -> Result<T, Expected>,
        findings: &mut Findings,
    ) -> Option<T> {
        let cell = self.cell(column);
        if cell.trim() != cell {
            // Nobody sees it in a spreadsheet, and a name with it matches no other.
            let message = format!("found {}, with a space at its start or end: remove the space", quoted(cell));
            return self.fault(column, message, findings);
        }
        match parse(cell) {
            Ok(value) => Some(value),
            Err(expected) if cell.is_empty() => self.fault(column, format!("it is empty, {expected}"), findings),
            Err(expected) => self.fault(column, format!("found {}, {expected}", quoted(cell)), findings),
        }
    }

    /// The value of `column`, `Some(None)` where it is empty; `None` with the fault recorded.
    pub fn optional<T>(
        &self,
        column: &str,
        parse: impl Fn(&str) -> Result<T, Expected>,
        findings: &mut Findings,
    ) -> Option<Option<T>> {
        if self.cell(column).is_empty() { Some(None) } else { self.required(column, parse, findings).map(Some) }
    }

    /// Text for people, taken as it is; `Some(None)` where it is empty; `None` with the fault recorded.
    pub fn text(&self, column: &str, findings: &mut Findings) -> Option<Option<String>> {
        let cell = self.cell(column);
        match value::text(cell) {
            Ok(text) => Some(Some(text).filter(|text| !text.is_empty())),
            Err(expected) => self.fault(column, format!("found {}, {expected}", quoted(cell)), findings),
        }
    }

    /// Records an error in `column`.
    pub fn fault<T>(&self, column: &str, message: String, findings: &mut Findings) -> Option<T> {
        findings.error(self.table.file, self.line, Some(column), message);
        None
    }
}
