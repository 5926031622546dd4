//! What a table says otherwise than the one that went out before it.

use std::collections::BTreeMap;

/// One cell that differs, or a line that is new or gone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Change {
    /// The table.
    pub table: String,
    /// Its line: what tells it apart from others.
    pub line: String,
    /// The column; empty for a whole line.
    pub column: String,
    /// What it said: empty for a new line.
    pub before: String,
    /// What it says: empty for a line that is gone.
    pub now: String,
}

/// Lines by what tells them apart, each with its cells by column.
type Lines = BTreeMap<Vec<String>, BTreeMap<String, String>>;

/// What `now` says otherwise than `before`, both CSV with a header; the columns `keys` tell lines apart. Columns that only
/// one of them has are no change.
///
/// ```
/// use quoteclock_documents::changes;
///
/// let changes = changes("payments", &["participant"], "participant,jpy\nP1,5\nP2,7\n", "participant,jpy\nP1,6\n");
/// let told: Vec<_> = changes.iter().map(|one| (one.line.as_str(), one.before.as_str(), one.now.as_str())).collect();
/// assert_eq!(told, [("P1", "5", "6"), ("P2", "a line", "")]);
/// ```
pub fn changes(table: &str, keys: &[&str], before: &str, now: &str) -> Vec<Change> {
    const LINE: &str = "a line";
    let (before, now) = (lines(keys, before), lines(keys, now));
    let change = |key: &[String], column: &str, before: &str, now: &str| Change {
        table: table.to_owned(),
        line: key.iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join(" "),
        column: column.to_owned(),
        before: before.to_owned(),
        now: now.to_owned(),
    };
    let mut changes = Vec::new();
    for (key, cells) in &before {
        let Some(cells_now) = now.get(key) else {
            changes.push(change(key, "", LINE, ""));
            continue;
        };
        for (column, was) in cells {
            if let Some(is) = cells_now.get(column).filter(|is| *is != was) {
                changes.push(change(key, column, was, is));
            }
        }
    }
    let new = now.keys().filter(|key| !before.contains_key(*key));
    changes.extend(new.map(|key| change(key, "", "", LINE)));
    changes.sort();
    changes
}

/// Reads a table of our own; what is none has no lines.
fn lines(keys: &[&str], csv: &str) -> Lines {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let Ok(header) = reader.headers().cloned() else { return Lines::new() };
    let line = |record: csv::StringRecord| {
        let cells: BTreeMap<String, String> =
            header.iter().zip(&record).map(|(column, cell)| (column.to_owned(), cell.to_owned())).collect();
        let key = keys.iter().map(|key| cells.get(*key).cloned().unwrap_or_default()).collect();
        (key, cells)
    };
    reader.records().filter_map(Result::ok).map(line).collect()
}
