//! A table of a document, as CSV, as a sheet of a workbook, and as a page shows it.

use quoteclock_pages::{Section, grouped};
use quoteclock_rows::{Column, Get, Table};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, XlsxError};
use thiserror::Error;

/// A table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sheet {
    /// Its name: of the sheet, and of the CSV file.
    pub name: &'static str,
    /// What a reader has to know of it.
    pub heading: &'static str,
    /// The columns that tell its lines apart; none where it is not kept of a report that goes out.
    pub keys: &'static [&'static str],
    /// Names of columns.
    pub columns: Vec<&'static str>,
    /// Rows of as many cells.
    pub rows: Vec<Vec<Cell>>,
}

/// Which columns of an output a sheet has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) name: &'static str,
    pub(crate) heading: &'static str,
    pub(crate) keys: &'static [&'static str],
    pub(crate) columns: &'static [&'static str],
}

/// A value of a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Cell {
    /// Text, whatever it looks like.
    Text(String),
    /// Digits, with a point and a sign where needed; empty where there is no value.
    Number(String),
}

impl Cell {
    /// Text.
    pub fn text(text: impl Into<String>) -> Cell {
        Cell::Text(text.into())
    }

    /// A number.
    pub fn number(number: impl ToString) -> Cell {
        Cell::Number(number.to_string())
    }
}

/// Why a document cannot be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// Writing into memory failed.
    #[error("writing a table")]
    Write(#[from] std::io::Error),
    /// The library for spreadsheets refused something.
    #[error("writing a spreadsheet")]
    Spreadsheet(#[from] XlsxError),
}

impl Sheet {
    /// The columns of an output that `plan` names, of some of its rows.
    pub(crate) fn of<'r, T: Table>(plan: &Plan, rows: impl IntoIterator<Item = T::Row<'r>>) -> Sheet {
        let column = |name: &&'static str| T::COLUMNS.iter().find(|column| column.name == *name);
        let columns: Vec<&Column<T>> = plan.columns.iter().filter_map(column).collect();
        debug_assert_eq!(columns.len(), plan.columns.len(), "{}: a column that {} has not", plan.name, T::NAME);
        let cell = |column: &&Column<T>, row: &T::Row<'r>| {
            let text = column.value(row).to_string();
            match column.get {
                Get::Integer(_) | Get::Decimal(..) => Cell::Number(text),
                // A number that is a name: spreadsheets round what has more than fifteen digits.
                Get::Text(_) | Get::Date(_) | Get::Instant(_) | Get::Identifier(_) => Cell::Text(text),
            }
        };
        Sheet {
            name: plan.name,
            heading: plan.heading,
            keys: plan.keys,
            columns: columns.iter().map(|column| column.name).collect(),
            rows: rows.into_iter().map(|row| columns.iter().map(|column| cell(column, &row)).collect()).collect(),
        }
    }

    /// Puts a text into some columns of a line, in place of what was there.
    pub(crate) fn put(&mut self, line: usize, columns: &[&str], text: &str) {
        for (column, cell) in self.columns.iter().zip(&mut self.rows[line]) {
            if columns.contains(column) {
                *cell = Cell::text(text);
            }
        }
    }

    /// Puts a column of numbers behind another one.
    pub(crate) fn insert_after(&mut self, other: &str, name: &'static str, numbers: impl IntoIterator<Item = u32>) {
        let position = self.columns.iter().position(|column| *column == other).map_or(0, |position| position + 1);
        self.columns.insert(position, name);
        self.rows.iter_mut().zip(numbers).for_each(|(row, number)| row.insert(position, Cell::number(number)));
    }

    /// As CSV for people: a text that a spreadsheet would take for a formula begins with an apostrophe.
    ///
    /// # Errors
    /// [`DocumentError::Write`] where memory refuses.
    pub fn csv(&self) -> Result<Vec<u8>, DocumentError> {
        let mut csv = csv::Writer::from_writer(Vec::new());
        csv.write_record(&self.columns).map_err(std::io::Error::from)?;
        for row in &self.rows {
            let field = |cell: &Cell| match cell {
                Cell::Text(text) if text.starts_with(['=', '+', '-', '@']) => format!("'{text}"),
                Cell::Text(text) | Cell::Number(text) => text.clone(),
            };
            csv.write_record(row.iter().map(field)).map_err(std::io::Error::from)?;
        }
        Ok(csv.into_inner().map_err(|error| std::io::Error::other(error.to_string()))?)
    }

    /// As people read it on a page: numbers in groups of three digits, and words of the files as words.
    pub(crate) fn section(&self) -> Section {
        const WORDS: [&str; 3] = ["status", "incentive", "note"];
        let cell = |(cell, column): (&Cell, &&str)| match cell {
            Cell::Number(number) => (grouped(number), true),
            Cell::Text(text) if WORDS.contains(column) => (text.replace('_', " ").replace(';', "; "), false),
            Cell::Text(text) => (text.clone(), false),
        };
        Section {
            heading: self.heading.to_owned(),
            columns: self.columns.iter().map(|name| name.replace('_', " ")).collect(),
            rows: self.rows.iter().map(|row| row.iter().zip(&self.columns).map(cell).collect()).collect(),
        }
    }
}

/// The longest number that a spreadsheet keeps to the last digit.
const DIGITS_MAX: usize = 15;

/// A workbook of the tables. Its time of creation is always the same, so that the same tables give the same bytes. Each
/// printed page has `foot` below it: which paper it is, and of which revision.
pub(crate) fn workbook(title: &str, foot: &str, sheets: &[Sheet]) -> Result<Vec<u8>, DocumentError> {
    let mut workbook = Workbook::new();
    let created = ExcelDateTime::from_ymd(2018, 4, 1)?;
    workbook.set_properties(&DocProperties::new().set_title(title).set_subject(foot).set_creation_datetime(&created));
    let heading = Format::new().set_bold();
    for sheet in sheets {
        let page = workbook.add_worksheet();
        page.set_name(sheet.name)?.set_landscape().set_paper_size(A4).set_print_fit_to_pages(1, 0);
        page.set_repeat_rows(0, 0)?.set_footer(footer(foot));
        for (column, name) in (0..).zip(&sheet.columns) {
            page.write_string_with_format(0, column, *name, &heading)?;
            page.set_column_width(column, 16)?;
        }
        page.set_freeze_panes(1, 0)?;
        for (line, row) in (1..).zip(&sheet.rows) {
            for (column, cell) in (0..).zip(row) {
                match cell {
                    Cell::Number(text) if text.len() <= DIGITS_MAX => match text.parse::<f64>() {
                        Ok(number) => page.write_number(line, column, number)?,
                        Err(_) => page.write_string(line, column, text)?,
                    },
                    Cell::Text(text) | Cell::Number(text) => page.write_string(line, column, text)?,
                };
            }
        }
    }
    Ok(workbook.save_to_buffer()?)
}

/// The number by which a spreadsheet knows the paper's size.
const A4: u8 = 9;

/// A footer takes 255 characters, with its codes and the number of the page.
const FOOTER_MAX: usize = 200;

/// On the left what is told, on the right the page. An ampersand begins a code: two are one.
fn footer(foot: &str) -> String {
    let text: String = foot.replace('&', "&&").chars().take(FOOTER_MAX).collect();
    format!("&L&8{}&R&8&P / &N", text.trim_end_matches('&'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet() -> Sheet {
        let rows =
            vec![vec![Cell::text("=1+1"), Cell::number(-5)], vec![Cell::text("a,b"), Cell::Number(String::new())]];
        Sheet { name: "month", heading: "", keys: &[], columns: vec!["name", "yen"], rows }
    }

    #[test]
    fn what_looks_like_a_formula_is_text_and_numbers_stay_numbers() {
        let text = String::from_utf8(sheet().csv().expect("memory")).expect("UTF-8");
        assert_eq!(text, "name,yen\n'=1+1,-5\n\"a,b\",\n");
    }

    #[test]
    fn the_same_tables_give_the_same_bytes() {
        let make = || workbook("TM-2", "revision 1", &[sheet()]).expect("a workbook");
        assert_eq!(make(), make());
        assert!(make().starts_with(b"PK"));
    }

    #[test]
    fn a_foot_of_any_length_fits_and_has_no_codes_of_its_own() {
        assert_eq!(footer("A&B"), "&L&8A&&B&R&8&P / &N");
        assert!(footer(&"&é".repeat(500)).chars().count() <= 255);
    }

    #[test]
    fn columns_are_added_and_filled_by_name() {
        let mut sheet = sheet();
        sheet.insert_after("name", "of", [7, 8]);
        sheet.put(1, &["name", "yen"], "");
        let text = String::from_utf8(sheet.csv().expect("memory")).expect("UTF-8");
        assert_eq!(text, "name,of,yen\n'=1+1,7,-5\n,8,\n");
    }
}
