//! One row in force per key and date: finds the rows that break this.
//!
//! Where any two have the same key, rows are sorted by key and first date and then swept once, so that a registry of many
//! rows costs no more than the sorting.

use crate::{Findings, Period};
use std::collections::HashSet;

/// A row and the line that it starts on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lined<T> {
    /// The line, counted from 1.
    pub line: u64,
    /// What the row says.
    pub value: T,
}

/// What makes rows of a file exclude one another.
#[derive(Clone, Copy, Debug)]
pub struct Uniqueness<T> {
    /// The file's name.
    pub file: &'static str,
    /// The column that a fault is reported in.
    pub column: &'static str,
    /// The key, its parts separated by tabs; rows of one key may not overlap.
    pub key: fn(&T) -> String,
    /// When a row is in force; `None` where rows are not dated, and one of each key is all there may be.
    pub period: Option<fn(&T) -> Period>,
}

impl<T> Uniqueness<T> {
    /// Reports every row that overlaps one before it in date order, on the later line of the two.
    pub fn check(&self, rows: &[Lined<T>], findings: &mut Findings) {
        let mut sorted: Vec<(String, Period, u64)> =
            rows.iter().map(|row| ((self.key)(&row.value), self.period_of(&row.value), row.line)).collect();
        let mut keys = HashSet::with_capacity(rows.len());
        if sorted.iter().all(|(key, ..)| keys.insert(key.as_str())) {
            // As mostly: then nothing can overlap.
            return;
        }
        sorted.sort_by(|a, b| (&a.0, a.1.first(), a.2).cmp(&(&b.0, b.1.first(), b.2)));
        for rows in sorted.chunk_by(|a, b| a.0 == b.0) {
            let mut latest = &rows[0];
            for row in &rows[1..] {
                if row.1.first() <= latest.1.last() {
                    self.report(row, latest, findings);
                }
                if latest.1.last() < row.1.last() {
                    latest = row;
                }
            }
        }
    }

    fn period_of(&self, row: &T) -> Period {
        self.period.map_or_else(Period::default, |period| period(row))
    }

    fn report(&self, row: &(String, Period, u64), other: &(String, Period, u64), findings: &mut Findings) {
        let (line, line_other) = (row.2.max(other.2), row.2.min(other.2));
        let (key, period) = (row.0.replace('\t', ", "), row.1);
        let message = if self.period.is_some() {
            let date = period.from.map_or("since ever".to_owned(), |date| format!("on {date}"));
            format!("{key}: lines {line_other} and {line} are both in force {date}, expected one row per date")
        } else {
            format!("{key}: lines {line_other} and {line} are of the same key, expected one row of it")
        };
        findings.error(self.file, line, Some(self.column), message);
    }
}
