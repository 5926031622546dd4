//! `rejects.csv`: the records that a lenient run set aside, whole; of each kind of fault so many, and how many more.

use crate::rows::REJECT_COLUMNS;
use quoteclock_engine::{BadRecord, FaultKind, RejectSink};
use quoteclock_feed::Place;
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

/// Writes `rejects.csv`. The record is the last column and may come in parts, so that one of any length is written in
/// constant memory: as it stood in a text file, in hexadecimal digits from a binary one.
#[derive(Debug)]
pub struct RejectsCsv<W> {
    file: String,
    to: W,
    listed: Listed,
    hexadecimal: bool,
    /// What ends the last row, where it has not ended yet.
    end: &'static [u8],
    error: Option<io::Error>,
}

impl<W: Write> RejectsCsv<W> {
    /// A writer of rows of the input named `file`: of each kind of fault so many, then how many more there were.
    pub fn new(file: &str, to: W, of_each_kind: u64) -> Self {
        let listed = Listed::new(of_each_kind);
        RejectsCsv { file: file.to_owned(), to, listed, hexadecimal: false, end: b"", error: None }
    }

    /// The header line.
    pub fn header() -> String {
        format!("{}\n", REJECT_COLUMNS.join(","))
    }

    /// Ends the last row, says what is not listed, and gives the writer back.
    ///
    /// # Errors
    /// The first error met while writing.
    pub fn finish(mut self) -> io::Result<W> {
        self.attempt(|rejects| {
            rejects.close()?;
            let more: Vec<_> = rejects.listed.more().collect();
            more.iter().try_for_each(|(place, kind)| rejects.head(place, "", kind).and_then(|()| rejects.close()))
        });
        match self.error {
            Some(error) => Err(error),
            None => Ok(self.to),
        }
    }

    fn attempt(&mut self, write: impl FnOnce(&mut Self) -> io::Result<()>) {
        if self.error.is_none() {
            self.error = write(self).err();
        }
    }

    /// Writes a row without its record.
    fn head(&mut self, place: &str, issue: &str, reason: &str) -> io::Result<()> {
        let mut head = csv::Writer::from_writer(Vec::new());
        head.write_record([&self.file, place, issue, reason, ""])?;
        let mut head = head.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
        let line_end = head.pop();
        debug_assert_eq!(line_end, Some(b'\n'));
        self.end = b"\n";
        self.to.write_all(&head)
    }

    fn begin(&mut self, bad: &BadRecord, bytes: &[u8]) -> io::Result<()> {
        self.close()?;
        self.hexadecimal = matches!(bad.place, Place::Byte(_));
        self.head(&bad.place.to_string(), &bad.issue, &bad.fault.to_string())?;
        let quoted = QUOTED_FROM_BYTES <= bytes.len() || bytes.iter().any(|byte| b",\"\r\n".contains(byte));
        if quoted && !self.hexadecimal {
            self.to.write_all(b"\"")?;
            self.end = b"\"\n";
        }
        self.part(bytes)
    }

    fn part(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.hexadecimal {
            return write_hexadecimal(&mut self.to, bytes);
        }
        for (position, piece) in bytes.split(|&byte| byte == b'"').enumerate() {
            if 0 < position {
                self.to.write_all(b"\"\"")?;
            }
            self.to.write_all(piece)?;
        }
        Ok(())
    }

    fn close(&mut self) -> io::Result<()> {
        self.to.write_all(std::mem::take(&mut self.end))
    }
}

impl<W: Write> RejectSink for RejectsCsv<W> {
    fn reject(&mut self, bad: &BadRecord, bytes: &[u8]) {
        if self.listed.count(bad.fault.kind()) {
            self.attempt(|rejects| rejects.begin(bad, bytes));
        }
    }

    fn again(&mut self, count: u64) -> bool {
        self.listed.again(count)
    }

    fn rest(&mut self, bytes: &[u8]) {
        if self.listed.last {
            self.attempt(|rejects| rejects.part(bytes));
        }
    }
}

/// The same rows as JSON, with commas between them. Bytes that are not UTF-8 become U+FFFD.
#[derive(Debug)]
pub struct RejectsJson<W> {
    file: String,
    to: W,
    listed: Listed,
    hexadecimal: bool,
    /// What ends the last row, where there is one.
    end: &'static str,
    error: Option<io::Error>,
}

impl<W: Write> RejectsJson<W> {
    /// A writer of rows of the input named `file`: of each kind of fault so many, then how many more there were.
    pub fn new(file: &str, to: W, of_each_kind: u64) -> Self {
        let listed = Listed::new(of_each_kind);
        RejectsJson { file: file.to_owned(), to, listed, hexadecimal: false, end: "", error: None }
    }

    /// Ends the last row, says what is not listed, and gives the writer back.
    ///
    /// # Errors
    /// The first error met while writing.
    pub fn finish(mut self) -> io::Result<W> {
        self.attempt(|rejects| {
            let more: Vec<_> = rejects.listed.more().collect();
            more.iter().try_for_each(|(place, kind)| rejects.head(place, "", kind))
        });
        match self.error {
            Some(error) => Err(error),
            None => self.to.write_all(self.end.as_bytes()).map(|()| self.to),
        }
    }

    fn attempt(&mut self, write: impl FnOnce(&mut Self) -> io::Result<()>) {
        if self.error.is_none() {
            self.error = write(self).err();
        }
    }

    fn begin(&mut self, bad: &BadRecord, bytes: &[u8]) -> io::Result<()> {
        self.hexadecimal = matches!(bad.place, Place::Byte(_));
        self.head(&bad.place.to_string(), &bad.issue, &bad.fault.to_string())?;
        self.part(bytes)
    }

    /// Writes a row up to its record.
    fn head(&mut self, place: &str, issue: &str, reason: &str) -> io::Result<()> {
        if !self.end.is_empty() {
            writeln!(self.to, "{},", self.end)?;
        }
        self.end = "\"}";
        let texts = [&self.file, place, issue, reason];
        let mut separator = "{";
        for (column, text) in REJECT_COLUMNS.iter().zip(texts) {
            write!(self.to, "{separator}\"{column}\":{}", serde_json::to_string(text)?)?;
            separator = ",";
        }
        write!(self.to, ",\"{}\":\"", REJECT_COLUMNS[4])
    }

    fn part(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.hexadecimal {
            return write_hexadecimal(&mut self.to, bytes);
        }
        let quoted = serde_json::to_string(&String::from_utf8_lossy(bytes))?;
        self.to.write_all(&quoted.as_bytes()[1..quoted.len() - 1])
    }
}

impl<W: Write> RejectSink for RejectsJson<W> {
    fn reject(&mut self, bad: &BadRecord, bytes: &[u8]) {
        if self.listed.count(bad.fault.kind()) {
            self.attempt(|rejects| rejects.begin(bad, bytes));
        }
    }

    fn again(&mut self, count: u64) -> bool {
        self.listed.again(count)
    }

    fn rest(&mut self, bytes: &[u8]) {
        if self.listed.last {
            self.attempt(|rejects| rejects.part(bytes));
        }
    }
}

fn write_hexadecimal(to: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    bytes.iter().try_for_each(|byte| write!(to, "{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use quoteclock_book::BookError;
    use quoteclock_engine::Fault;
    use quoteclock_model::OrderId;

    #[test]
    fn records_are_written_whole_and_quoted() {
        let mut rejects = RejectsCsv::new("a,b.csv", Vec::new(), REJECTS_LISTED);
        let fault = Fault::Book(BookError::Unknown { order: OrderId(7) });
        let mut bad = BadRecord { place: Place::Line(3), issue: "1306".to_owned(), fault };
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
        let bad = |line, fault| BadRecord { place: Place::Line(line), issue: "1306".to_owned(), fault };
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
                let column = |name: &&str| row[name].as_str().unwrap().to_owned();
                csv::StringRecord::from(REJECT_COLUMNS.iter().map(column).collect::<Vec<_>>())
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
