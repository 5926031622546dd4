//! A line cut into fields, each at the position of its column.

use crate::{FeedError, Malformed, Place};

/// The columns, in the order in which they are written.
pub const COLUMNS: [&str; 12] =
    ["seq", "time", "issue", "event", "order", "contra", "server", "side", "price", "quantity", "condition", "phase"];

/// The longest line that is held whole; a longer one is malformed. Two thousand times an ordinary line, so that memory stays
/// bounded whatever the input.
pub const LINE_BYTES_MAX: usize = 1 << 20;

const EXPECTED_HEADER: &str = "a header line of the columns seq, time, issue, event, order, contra, server, side, price, \
     quantity, condition, phase (seq, contra, condition and phase may be absent)";

/// Positions in [`COLUMNS`].
pub(super) mod column {
    pub const SEQ: usize = 0;
    pub const TIME: usize = 1;
    pub const ISSUE: usize = 2;
    pub const EVENT: usize = 3;
    pub const ORDER: usize = 4;
    pub const CONTRA: usize = 5;
    pub const SERVER: usize = 6;
    pub const SIDE: usize = 7;
    pub const PRICE: usize = 8;
    pub const QUANTITY: usize = 9;
    pub const CONDITION: usize = 10;
    pub const PHASE: usize = 11;
    pub const OPTIONAL: [usize; 4] = [SEQ, CONTRA, CONDITION, PHASE];
}

/// Where each column stands.
#[derive(Debug)]
pub(super) struct Columns {
    /// For each position in a line, the position in [`COLUMNS`].
    pub(super) meaning: Vec<usize>,
    pub(super) has_seq: bool,
    /// Whether they stand as in [`COLUMNS`], all of them or all but the first.
    pub(super) are_in_order: bool,
}

impl Columns {
    pub(super) fn from_header(line: &[u8]) -> Result<Columns, FeedError> {
        let line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line);
        if line.is_empty() || LINE_BYTES_MAX < line.len() {
            return Err(header_error(line));
        }
        let names = if line.contains(&b'"') {
            unquote(line).ok_or_else(|| header_error(line))?.fields
        } else {
            line.split(|&byte| byte == b',').take(FIELDS_KEPT).map(<[u8]>::to_vec).collect()
        };
        let mut meaning = Vec::with_capacity(names.len());
        for name in &names {
            match COLUMNS.iter().position(|column| column.as_bytes() == name) {
                None => return Err(column_error(name, EXPECTED_HEADER)),
                Some(column) if meaning.contains(&column) => return Err(column_error(name, "each column once")),
                Some(column) => meaning.push(column),
            }
        }
        let is_missing = |column: &usize| !meaning.contains(column) && !column::OPTIONAL.contains(column);
        if let Some(missing) = (0..COLUMNS.len()).find(is_missing) {
            let malformed = Malformed {
                field: "header",
                found: format!("no column \"{}\"", COLUMNS[missing]),
                expected: EXPECTED_HEADER,
            };
            return Err(FeedError::Input { place: Place::Line(1), malformed });
        }
        Ok(Columns::at(meaning))
    }

    /// Those that stand for these columns.
    pub(super) fn at(meaning: Vec<usize>) -> Columns {
        let has_seq = meaning.contains(&column::SEQ);
        let are_in_order = meaning.iter().copied().eq(usize::from(!has_seq)..COLUMNS.len());
        Columns { meaning, has_seq, are_in_order }
    }
}

pub(super) fn header_error(line: &[u8]) -> FeedError {
    let malformed = Malformed::field("header", line, EXPECTED_HEADER);
    FeedError::Input { place: Place::Line(1), malformed }
}

fn column_error(name: &[u8], expected: &'static str) -> FeedError {
    let mut malformed = Malformed::field("header", name, expected);
    malformed.found = format!("column {}", malformed.found);
    FeedError::Input { place: Place::Line(1), malformed }
}

/// How many fields of a line are kept: one more than there are columns, so that a line of a million fields is held as
/// one line, and a header of too many names still has one that is unknown or there twice.
const FIELDS_KEPT: usize = COLUMNS.len() + 1;

/// A line with quotes, cut.
pub(super) struct Unquoted {
    /// The first [`FIELDS_KEPT`] fields.
    fields: Vec<Vec<u8>>,
    /// How many there are.
    count: usize,
}

/// The fields of a line with quotes; `None` if a quote stands where none may.
pub(super) fn unquote(line: &[u8]) -> Option<Unquoted> {
    let mut unquoted = Unquoted { fields: Vec::new(), count: 0 };
    let mut rest = line;
    loop {
        let mut field = Vec::new();
        if let Some(mut quoted) = rest.strip_prefix(b"\"") {
            loop {
                let end = memchr::memchr(b'"', quoted)?;
                field.extend_from_slice(&quoted[..end]);
                quoted = &quoted[end + 1..];
                match quoted.strip_prefix(b"\"") {
                    Some(more) => {
                        field.push(b'"');
                        quoted = more;
                    }
                    None => break,
                }
            }
            rest = quoted;
        } else {
            let end = memchr::memchr(b',', rest).unwrap_or(rest.len());
            field.extend_from_slice(&rest[..end]);
            if field.contains(&b'"') {
                return None;
            }
            rest = &rest[end..];
        }
        unquoted.count += 1;
        if unquoted.fields.len() < FIELDS_KEPT {
            unquoted.fields.push(field);
        }
        match rest.split_first() {
            None => return Some(unquoted),
            Some((b',', more)) => rest = more,
            Some(_) => return None,
        }
    }
}

/// The fields of one line, each at its position in [`COLUMNS`]; empty where the column is absent.
pub(super) type Fields<'a> = [&'a [u8]; COLUMNS.len()];

/// Cuts a line without quotes at its commas.
#[inline]
pub(super) fn cut<'a>(line: &'a [u8], columns: &Columns) -> Result<Fields<'a>, Malformed> {
    let mut fields: Fields<'a> = [b""; COLUMNS.len()];
    let (mut count, mut start) = (0, 0);
    for end in memchr::memchr_iter(b',', line).chain([line.len()]) {
        if let Some(&column) = columns.meaning.get(count) {
            fields[column] = &line[start..end];
        }
        count += 1;
        start = end + 1;
    }
    check_count(line, count, columns)?;
    Ok(fields)
}

/// Puts unquoted fields at the positions of their columns.
pub(super) fn arrange<'a>(unquoted: &'a Unquoted, columns: &Columns) -> Result<Fields<'a>, Malformed> {
    check_count(b"\"", unquoted.count, columns)?;
    let mut fields: Fields<'a> = [b""; COLUMNS.len()];
    for (field, &column) in unquoted.fields.iter().zip(&columns.meaning) {
        fields[column] = field;
    }
    Ok(fields)
}

#[inline]
fn check_count(line: &[u8], count: usize, columns: &Columns) -> Result<(), Malformed> {
    let count_expected = columns.meaning.len();
    if count == count_expected {
        return Ok(());
    }
    let found = match line {
        b"" => "a blank line".to_owned(),
        _ => format!("a record of {count} fields"),
    };
    Err(Malformed {
        field: "record",
        found: format!("{found} where the header has {count_expected} fields"),
        expected: "as many fields as the header has",
    })
}
