//! A table of a document, as CSV and as a sheet of a workbook.

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

    /// As a page shows it.
    pub fn as_str(&self) -> &str {
        match self {
            Cell::Text(text) | Cell::Number(text) => text,
        }
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
}

/// The longest number that a spreadsheet keeps to the last digit.
const DIGITS_MAX: usize = 15;

/// A workbook of the tables. Its time of creation is always the same, so that the same tables give the same bytes.
pub(crate) fn workbook(title: &str, sheets: &[Sheet]) -> Result<Vec<u8>, DocumentError> {
    let mut workbook = Workbook::new();
    let created = ExcelDateTime::from_ymd(2018, 4, 1)?;
    workbook.set_properties(&DocProperties::new().set_title(title).set_creation_datetime(&created));
    let heading = Format::new().set_bold();
    for sheet in sheets {
        let page = workbook.add_worksheet();
        page.set_name(sheet.name)?;
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
        let make = || workbook("TM-2", &[sheet()]).expect("a workbook");
        assert_eq!(make(), make());
        assert!(make().starts_with(b"PK"));
    }
}
