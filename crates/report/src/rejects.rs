//! `rejects.csv`: the records that a lenient run set aside, whole; of each kind of fault so many, and how many more.

use quoteclock_engine::{BadRecord, FaultKind, RejectSink};
use quoteclock_feed::Place;
use quoteclock_rows::{Column, CsvParts, JsonParts, PartedRows, Table};
use std::fmt::Write as _;
use std::io::{self, Write};

/// A record this long may go on, with what needs quotes: only an oversized one does.
const QUOTED_FROM_BYTES: usize = 1 << 16;

/// How many records of one kind of fault are listed where nothing else is asked for.
pub const REJECTS_LISTED: u64 = 10_000;

/// Which records are listed: a damaged input can have very many, and one kind of fault must not hide another.
#[derive(Debug)]
struct Listed {
    of_each_kind: u64,
    /// How many there have been of each kind so far, in the order of the first.
    counts: Vec<(FaultKind, u64)>,
    /// Whether the last record is listed, and so what follows of it.
    last: bool,
    /// The position of its kind.
    last_kind: usize,
}

impl Listed {
    fn new(of_each_kind: u64) -> Listed {
        Listed { of_each_kind, counts: Vec::new(), last: false, last_kind: 0 }
    }

    /// Counts a record; says whether it is listed.
    fn count(&mut self, kind: FaultKind) -> bool {
        let position = self.counts.iter().position(|(known, _)| *known == kind);
        let position = position.unwrap_or_else(|| {
            self.counts.push((kind, 0));
            self.counts.len() - 1
        });
        self.last_kind = position;
        let count = &mut self.counts[position].1;
        *count += 1;
        self.last = *count <= self.of_each_kind;
        self.last
    }

    /// Counts the last record so many times more, if it is beyond those that are listed; says whether it is.
    fn again(&mut self, more: u64) -> bool {
        let Some((_, count)) = self.counts.get_mut(self.last_kind).filter(|_| !self.last) else { return false };
        *count += more;
        true
    }

    /// For each kind of which not all are listed: how many more there were, as its place, and the kind.
    fn more(&self) -> impl Iterator<Item = (String, String)> + '_ {
        let more = self.counts.iter().map(|(kind, count)| (kind, count.saturating_sub(self.of_each_kind)));
        more.filter(|(_, more)| 0 < *more).map(|(kind, more)| (format!("and {more} more"), kind.to_string()))
    }
}

/// `rejects.csv`: the records set aside. The record is the last column and may come in parts: as it stood in a text file, in
/// hexadecimal digits from a binary one.
#[derive(Debug)]
pub struct Rejects;

/// A row of `rejects.csv` but for its record, which comes in parts.
#[derive(Clone, Copy, Debug)]
pub struct RejectHead<'a> {
    /// The input.
    pub file: &'a str,
    /// Where in it, or how many more there are.
    pub place: &'a str,
    /// The issue, where it could be read.
    pub issue: Option<&'a str>,
    /// What is wrong.
    pub reason: &'a str,
}

impl Table for Rejects {
    type Row<'a> = RejectHead<'a>;
    const NAME: &'static str = "rejects";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::text("file", |row| Some(row.file.into())),
        Column::text("place", |row| Some(row.place.into())),
        Column::text("issue", |row| Some(row.issue.unwrap_or_default().into())),
        Column::text("reason", |row| Some(row.reason.into())),
        Column::text("record", |_| None),
    ];
}

/// Writes the rows of the records set aside.
#[derive(Debug)]
pub struct RejectRows<P> {
    /// The inputs, each with what of it is listed.
    files: Vec<(String, Listed)>,
    /// The one that records come from.
    at: usize,
    of_each_kind: u64,
    rows: P,
    hexadecimal: bool,
    error: Option<io::Error>,
}

/// As CSV, without the header.
pub type RejectsCsv<W> = RejectRows<CsvParts<Rejects, W>>;

/// As JSON, with commas between the rows. Bytes that are not UTF-8 become U+FFFD.
pub type RejectsJson<W> = RejectRows<JsonParts<Rejects, W>>;

impl<W: Write> RejectsCsv<W> {
    /// A writer of rows of the input named `file`: of each kind of fault so many, then how many more there were.
    pub fn new(file: &str, to: W, of_each_kind: u64) -> Self {
        RejectRows::of(file, CsvParts::new(to), of_each_kind)
    }
}

impl<W: Write> RejectsJson<W> {
    /// A writer of rows of the input named `file`: of each kind of fault so many, then how many more there were.
    pub fn new(file: &str, to: W, of_each_kind: u64) -> Self {
        RejectRows::of(file, JsonParts::new(to), of_each_kind)
    }
}

impl<P: PartedRows<Rejects>> RejectRows<P> {
    fn of(file: &str, rows: P, of_each_kind: u64) -> Self {
        let files = vec![(file.to_owned(), Listed::new(of_each_kind))];
        RejectRows { files, at: 0, of_each_kind, rows, hexadecimal: false, error: None }
    }

    /// The same of a day with further inputs, by their names.
    #[must_use]
    pub fn with_also<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        let of_each_kind = self.of_each_kind;
        self.files.extend(names.into_iter().map(|name| (name.to_owned(), Listed::new(of_each_kind))));
        self
    }

    fn listed(&mut self) -> &mut Listed {
        &mut self.files[self.at].1
    }

    /// Ends the last row, says what is not listed, and gives the writer back.
    ///
    /// # Errors
    /// The first error met while writing.
    pub fn finish(mut self) -> io::Result<P::To> {
        if let Some(error) = self.error {
            return Err(error);
        }
        for (file, listed) in &self.files {
            for (place, kind) in listed.more() {
                let (place, reason) = (&place, &kind);
                self.rows.row(&RejectHead { file, place, issue: None, reason }, false)?;
            }
        }
        self.rows.finish()
    }

    fn attempt(&mut self, write: impl FnOnce(&mut Self) -> io::Result<()>) {
        if self.error.is_none() {
            self.error = write(self).err();
        }
    }

    fn begin(&mut self, bad: &BadRecord, bytes: &[u8]) -> io::Result<()> {
        self.hexadecimal = matches!(bad.place, Place::Byte(_));
        let quoted = QUOTED_FROM_BYTES <= bytes.len() || bytes.iter().any(|byte| b",\"\r\n".contains(byte));
        let (place, reason) = (&bad.place.to_string(), &bad.fault.to_string());
        let head = RejectHead { file: &self.files[self.at].0, place, issue: bad.about.text(), reason };
        self.rows.row(&head, quoted && !self.hexadecimal)?;
        self.part(bytes)
    }

    fn part(&mut self, bytes: &[u8]) -> io::Result<()> {
        const BYTES_AT_ONCE: usize = 512;
        if !self.hexadecimal {
            return self.rows.part(bytes);
        }
        let mut digits = String::with_capacity(2 * BYTES_AT_ONCE);
        for bytes in bytes.chunks(BYTES_AT_ONCE) {
            digits.clear();
            for byte in bytes {
                let _ = write!(digits, "{byte:02x}");
            }
            self.rows.part(digits.as_bytes())?;
        }
        Ok(())
    }
}

impl<P: PartedRows<Rejects>> RejectSink for RejectRows<P> {
    fn reject(&mut self, bad: &BadRecord, bytes: &[u8]) {
        if self.listed().count(bad.fault.kind()) {
            self.attempt(|rejects| rejects.begin(bad, bytes));
        }
    }

    fn again(&mut self, count: u64) -> bool {
        self.listed().again(count)
    }

    fn source(&mut self, index: usize) {
        self.at = index.min(self.files.len() - 1);
    }

    fn rest(&mut self, bytes: &[u8]) {
        if self.listed().last {
            self.attempt(|rejects| rejects.part(bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quoteclock_book::BookError;
    use quoteclock_engine::{About, Fault};
    use quoteclock_model::{IssueCode, OrderId};
    use quoteclock_rows::column_names;

    fn about() -> About {
        About::Issue(IssueCode::new(b"1306").expect("a code"))
    }

    #[test]
    fn records_are_written_whole_and_quoted() {
        let mut rejects = RejectsCsv::new("a,b.csv", Vec::new(), REJECTS_LISTED);
        let fault = Fault::Book(BookError::Unknown { order: OrderId(7) });
        let mut bad = BadRecord { place: Place::Line(3), about: about(), fault };
        rejects.reject(&bad, b"1,\"x\"");
        rejects.rest(b",rest");
        bad.place = Place::Byte(16);
        rejects.reject(&bad, b"\x00\xff");
        let text = String::from_utf8(rejects.finish().unwrap()).unwrap();
        let reason = "\"order 7 is not in the issue's book, expected one that was added before\"";
        assert_eq!(
            text,
            format!("\"a,b.csv\",line 3,1306,{reason},\"1,\"\"x\"\",rest\"\n\"a,b.csv\",byte 16,1306,{reason},00ff\n")
        );
    }

    #[test]
    fn of_each_kind_of_fault_so_many_are_listed_and_the_others_counted() {
        let unknown = |order| Fault::Book(BookError::Unknown { order: OrderId(order) });
        let live = |order| Fault::Book(BookError::AlreadyLive { order: OrderId(order) });
        let bad = |line, fault| BadRecord { place: Place::Line(line), about: about(), fault };
        let records = [
            bad(2, unknown(7)),
            bad(3, live(1)),
            bad(4, unknown(8)),
            bad(5, unknown(9)),
            bad(6, unknown(10)),
            bad(7, live(1)),
        ];
        let rows = |of_each_kind| {
            let mut csv = RejectsCsv::new("x.csv", Vec::new(), of_each_kind);
            let mut json = RejectsJson::new("x.csv", Vec::new(), of_each_kind);
            for record in &records {
                csv.reject(record, b"r");
                csv.rest(b"s");
                json.reject(record, b"r");
                json.rest(b"s");
            }
            let text = |bytes| String::from_utf8(bytes).unwrap();
            let json: serde_json::Value =
                serde_json::from_str(&format!("[{}]", text(json.finish().unwrap()))).expect("a list of rows");
            let csv: Vec<String> = text(csv.finish().unwrap()).lines().map(str::to_owned).collect();
            let texts = json.as_array().unwrap().iter().map(|row| {
                let column = |name: &str| row[name].as_str().unwrap().to_owned();
                csv::StringRecord::from(column_names::<Rejects>().map(column).collect::<Vec<_>>())
            });
            let mut reader =
                csv::ReaderBuilder::new().has_headers(false).from_reader(csv.join("\n").into_bytes().leak() as &[u8]);
            assert_eq!(reader.records().map(Result::unwrap).collect::<Vec<_>>(), texts.collect::<Vec<_>>());
            csv
        };
        assert_eq!(rows(4).len(), 6);
        let three = rows(3);
        assert_eq!(three.len(), 6, "one that is not listed, and a row that says so");
        let kind = "\"an order is not in the issue's book, expected one that was added before\"";
        assert_eq!(three[5], format!("x.csv,and 1 more,,{kind},"));
        let one = rows(1);
        assert!(one[0].starts_with("x.csv,line 2,1306,") && one[1].starts_with("x.csv,line 3,1306,"), "{one:?}");
        let already = "\"an order is already in the issue's book, expected a number that is not\"";
        assert_eq!(one[2..], [format!("x.csv,and 3 more,,{kind},"), format!("x.csv,and 1 more,,{already},")]);
        assert_eq!(rows(0).len(), 2);
    }
}
