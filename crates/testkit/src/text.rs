//! Lines, comma-separated columns and decimal numbers, read naively.
//!
//! Fields are split at every comma: a quoted field is not understood.

use std::collections::BTreeMap;

/// The lines of a file with their 1-based numbers. A byte-order mark, CRLF and a missing last newline are accepted.
pub(crate) fn lines(text: &str) -> Vec<(u64, &str)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = text.strip_suffix('\n').unwrap_or(text);
    (1..).zip(text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line))).collect()
}

/// One row of a registry file: value by column name.
pub(crate) struct Row(BTreeMap<String, String>);

impl Row {
    /// The value of a column; empty when the file has no such column.
    pub(crate) fn get(&self, column: &str) -> &str {
        self.0.get(column).map_or("", String::as_str)
    }
}

/// The rows of a registry file. `None` when a row has another number of fields than the header.
pub(crate) fn rows(text: &str) -> Option<Vec<Row>> {
    let lines = lines(text);
    let (_, header) = lines.first()?;
    let columns: Vec<&str> = header.split(',').collect();
    let mut rows = Vec::new();
    for (_, line) in &lines[1..] {
        if line.is_empty() {
            continue;
        }
        let fields: Vec<&str> = line.split(',').collect();
        if fields.len() != columns.len() {
            return None;
        }
        rows.push(Row(columns.iter().zip(fields).map(|(c, f)| ((*c).to_owned(), f.to_owned())).collect()));
    }
    Some(rows)
}

/// A whole number: ASCII digits only, at least one; leading zeros mean nothing.
pub(crate) fn whole(text: &str) -> Option<i128> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// A decimal number with at most 4 decimal places, in ten-thousandths: `12.5` is 125,000.
pub(crate) fn ten_thousandths(text: &str) -> Option<i128> {
    let (before, after) = match text.split_once('.') {
        Some((before, after)) if (1..=4).contains(&after.len()) => (before, format!("{after:0<4}")),
        Some(_) => return None,
        None => (text, "0000".to_owned()),
    };
    whole(before)?.checked_mul(10_000)?.checked_add(whole(&after)?)
}
