//! `rejects.csv`: the records that a lenient run set aside, whole.

use crate::rows::REJECT_COLUMNS;
use quoteclock_engine::{BadRecord, RejectSink};
use quoteclock_feed::Place;
use std::io::{self, Write};

/// A record this long may go on, with what needs quotes: only an oversized one does.
const QUOTED_FROM_BYTES: usize = 1 << 16;

/// Writes `rejects.csv`. The record is the last column and may come in parts, so that one of any length is written in
/// constant memory: as it stood in a text file, in hexadecimal digits from a binary one.
#[derive(Debug)]
pub struct RejectsCsv<W> {
    file: String,
    to: W,
    hexadecimal: bool,
    /// What ends the last row, where it has not ended yet.
    end: &'static [u8],
    error: Option<io::Error>,
}

impl<W: Write> RejectsCsv<W> {
    /// A writer of rows of the input named `file`.
    pub fn new(file: &str, to: W) -> Self {
        RejectsCsv { file: file.to_owned(), to, hexadecimal: false, end: b"", error: None }
    }

    /// The header line.
    pub fn header() -> String {
        format!("{}\n", REJECT_COLUMNS.join(","))
    }

    /// Ends the last row, and gives the writer back.
    ///
    /// # Errors
    /// The first error met while writing.
    pub fn finish(mut self) -> io::Result<W> {
        self.attempt(|rejects| rejects.close());
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

    fn begin(&mut self, bad: &BadRecord, bytes: &[u8]) -> io::Result<()> {
        self.close()?;
        self.hexadecimal = matches!(bad.place, Place::Byte(_));
        let mut head = csv::Writer::from_writer(Vec::new());
        head.write_record([&self.file, &bad.place.to_string(), &bad.issue, &bad.fault.to_string(), ""])?;
        let mut head = head.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
        let line_end = head.pop();
        debug_assert_eq!(line_end, Some(b'\n'));
        self.to.write_all(&head)?;
        let quoted = QUOTED_FROM_BYTES <= bytes.len() || bytes.iter().any(|byte| b",\"\r\n".contains(byte));
        if quoted && !self.hexadecimal {
            self.to.write_all(b"\"")?;
            self.end = b"\"\n";
        } else {
            self.end = b"\n";
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
        self.attempt(|rejects| rejects.begin(bad, bytes));
    }

    fn rest(&mut self, bytes: &[u8]) {
        self.attempt(|rejects| rejects.part(bytes));
    }
}

/// The same rows as JSON, with commas between them. Bytes that are not UTF-8 become U+FFFD.
#[derive(Debug)]
pub struct RejectsJson<W> {
    file: String,
    to: W,
    hexadecimal: bool,
    /// What ends the last row, where there is one.
    end: &'static str,
    error: Option<io::Error>,
}

impl<W: Write> RejectsJson<W> {
    /// A writer of rows of the input named `file`.
    pub fn new(file: &str, to: W) -> Self {
        RejectsJson { file: file.to_owned(), to, hexadecimal: false, end: "", error: None }
    }

    /// Ends the last row, and gives the writer back.
    ///
    /// # Errors
    /// The first error met while writing.
    pub fn finish(mut self) -> io::Result<W> {
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
        if !self.end.is_empty() {
            writeln!(self.to, "{},", self.end)?;
        }
        self.end = "\"}";
        self.hexadecimal = matches!(bad.place, Place::Byte(_));
        let texts = [&self.file, &bad.place.to_string(), &bad.issue, &bad.fault.to_string()];
        let mut separator = "{";
        for (column, text) in REJECT_COLUMNS.iter().zip(texts) {
            write!(self.to, "{separator}\"{column}\":{}", serde_json::to_string(text)?)?;
            separator = ",";
        }
        write!(self.to, ",\"{}\":\"", REJECT_COLUMNS[4])?;
        self.part(bytes)
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
        self.attempt(|rejects| rejects.begin(bad, bytes));
    }

    fn rest(&mut self, bytes: &[u8]) {
        self.attempt(|rejects| rejects.part(bytes));
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
        let mut rejects = RejectsCsv::new("a,b.csv", Vec::new());
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
}
