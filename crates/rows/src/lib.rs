//! One typed description of each output: the name, unit, type and value of every column, and how people see it.
//!
//! The idea: a [`Table`] says once what a row is; CSV ([`CsvRows`]), JSON ([`JsonRows`], [`JsonRow`]) and the table of a
//! terminal are written from it, and so is whatever takes values with types (Parquet, Arrow). A column's value has its
//! column's type because the function that gives it has; what is missing is `None`: an empty cell, `null`.
//!
//! Deliberately absent: any output of our own, files, and arithmetic.
//!
//! ```
//! use quoteclock_rows::{Column, CsvRows, Table, Unit};
//!
//! struct Stop { station: String, waited: u64 }
//!
//! /// `stops.csv`.
//! struct Stops;
//! impl Table for Stops {
//!     type Row<'a> = Stop;
//!     const NAME: &'static str = "stops";
//!     const COLUMNS: &'static [Column<Self>] = &[
//!         Column::text("station", |row| Some(row.station.as_str().into())),
//!         Column::integer("waited_us", Unit::Micros, |row| Some(row.waited.into())),
//!     ];
//! }
//!
//! let mut csv = CsvRows::<Stops, _>::with_header(Vec::new())?;
//! csv.row(&Stop { station: "Ueno, north".to_owned(), waited: 90 })?;
//! assert_eq!(csv.finish()?, b"station,waited_us\n\"Ueno, north\",90\n");
//! # Ok::<(), std::io::Error>(())
//! ```

mod column;
mod csv;
mod html;
mod json;
mod parts;
mod table;
mod value;

pub use column::{Align, Cell, Column, Get, Occasion, Shown, Table, ToneOf, Unit, column_names};
pub use csv::{CsvRows, write_csv};
pub use html::{escape_html, html_table};
pub use json::{JsonRow, JsonRows, json_rows};
pub use parts::{CsvParts, JsonParts, PartedRows};
pub use quoteclock_model::Local;
pub use table::{Style, Tone, text_table};
pub use value::{Decimals, Value};
