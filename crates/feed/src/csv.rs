//! The CSV form of events (REFERENCE section 2): one line is one record.
//!
//! The idea: columns are resolved to positions once, at the header; a line is then cut at its commas and each event reads
//! the fields that it uses, and no others. A field may be quoted as in RFC 4180, but a line break always ends the
//! record, so that one damaged quote cannot swallow a file. Lines that look like almost all lines are read faster, in
//! `fast`, to the same effect.

mod event;
mod fast;
mod line;
mod scan;
mod scout;
mod write;

pub use line::{COLUMNS, LINE_BYTES_MAX};
pub use scout::CsvScout;
pub use write::CsvWriter;

use event::Parser;
use fast::WINDOW;
use line::{Columns, header_error};

use crate::{CsvState, FeedError, NameTable, Place, Receiver, Stop, UtcOffset};

/// Reads CSV, pushed in chunks cut anywhere.
#[derive(Debug, Default)]
pub struct CsvDecoder {
    columns: Option<Columns>,
    /// The line so far, where a chunk ended inside it.
    partial: Vec<u8>,
    /// Whether the rest of a line that was too long is being passed on.
    oversized: bool,
    /// Lines begun so far.
    line: u64,
    parser: Parser,
}

impl CsvDecoder {
    /// Reads the next `chunk` of the input and hands over every record that ends in it.
    ///
    /// # Errors
    /// [`FeedError::Input`] if the header is not one of events; [`FeedError::Stopped`] if the receiver stops.
    pub fn push(&mut self, mut chunk: &[u8], receiver: &mut impl Receiver) -> Result<(), FeedError> {
        loop {
            chunk = self.fast_lines(chunk, receiver)?;
            let Some(end) = memchr::memchr(b'\n', chunk) else { break };
            let (head, tail) = (&chunk[..end], &chunk[end + 1..]);
            if self.oversized {
                self.oversized = false;
                receiver.rest(head)?;
            } else if self.partial.is_empty() {
                self.line(head, receiver)?;
                // A small file can be decompressed to a billion of them. One is offered before the others are looked at:
                // whoever wants each by itself would have them counted anew after each.
                if head.is_empty() && tail.first() == Some(&b'\n') && receiver.again(1) {
                    let more = blank_lines(&tail[1..]);
                    let taken = 1 + if receiver.again(more as u64) { more } else { 0 };
                    self.line += taken as u64;
                    chunk = &tail[taken..];
                    continue;
                }
            } else {
                let mut line = std::mem::take(&mut self.partial);
                line.extend_from_slice(head);
                self.line(&line, receiver)?;
                line.clear();
                self.partial = line;
            }
            chunk = tail;
        }
        self.hold(chunk, receiver)
    }

    /// Reads lines from the beginning of `chunk` for as long as the fast path reads them; what then follows is left.
    #[inline]
    fn fast_lines<'a>(&mut self, mut chunk: &'a [u8], receiver: &mut impl Receiver) -> Result<&'a [u8], Stop> {
        let Some(columns) = self.columns.as_ref().filter(|columns| columns.are_in_order) else { return Ok(chunk) };
        if self.oversized || !self.partial.is_empty() {
            return Ok(chunk);
        }
        let Parser { times, names } = &self.parser;
        let names = names.known();
        while let Some(window) = chunk.first_chunk() {
            let place = Place::Line(self.line + 1);
            let Some(line) = fast::read(window, columns.has_seq, place, times, names) else { break };
            self.line += 1;
            receiver.record(&line.record)?;
            chunk = &chunk[line.bytes..];
        }
        Ok(chunk)
    }

    /// What the decoder knows.
    pub fn save(&self) -> CsvState {
        let [issues, servers] = self.parser.names.names();
        CsvState {
            columns: self.columns.as_ref().map(|columns| columns.meaning.clone()),
            partial: self.partial.clone(),
            is_oversized: self.oversized,
            line: self.line,
            issues,
            servers,
        }
    }

    /// The decoder as it was when `state` was saved; `None` if that is not one of a decoder.
    pub fn restore(state: &CsvState) -> Option<CsvDecoder> {
        let names = NameTable::restore(&state.issues, &state.servers)?;
        let columns = match &state.columns {
            Some(meaning) if meaning.iter().any(|&column| COLUMNS.len() <= column) => return None,
            Some(meaning) => Some(Columns::at(meaning.clone())),
            None => None,
        };
        Some(CsvDecoder {
            columns,
            partial: state.partial.clone(),
            oversized: state.is_oversized,
            line: state.line,
            parser: Parser { names, ..Parser::default() },
        })
    }

    /// The offset from UTC that the last readable time was written in.
    pub fn offset(&self) -> UtcOffset {
        self.parser.times.offset()
    }

    /// The beginning of a line that has not ended yet.
    pub fn unfinished(&self) -> &[u8] {
        &self.partial
    }

    /// Forgets the beginning of a line whose end is lost: read as a line, it could say what nobody wrote.
    pub fn forget_unfinished(&mut self) {
        self.partial.clear();
        self.oversized = false;
    }

    /// Reads the last line, where it has no line end.
    ///
    /// # Errors
    /// As [`CsvDecoder::push`]; an input without a header is refused.
    pub fn finish(mut self, receiver: &mut impl Receiver) -> Result<(), FeedError> {
        if !self.partial.is_empty() {
            let line = std::mem::take(&mut self.partial);
            self.line(&line, receiver)?;
        }
        match self.columns {
            Some(_) => Ok(()),
            None => Err(header_error(b"")),
        }
    }

    /// Keeps the beginning of a line, up to the limit and a carriage return.
    fn hold(&mut self, head: &[u8], receiver: &mut impl Receiver) -> Result<(), FeedError> {
        if self.oversized {
            return Ok(receiver.rest(head)?);
        }
        self.partial.extend_from_slice(head);
        if LINE_BYTES_MAX + 1 < self.partial.len() {
            let line = std::mem::take(&mut self.partial);
            self.line(&line, receiver)?;
            self.oversized = true;
        }
        Ok(())
    }

    fn line(&mut self, line: &[u8], receiver: &mut impl Receiver) -> Result<(), FeedError> {
        self.line += 1;
        let place = Place::Line(self.line);
        // The end of a line that is too long is not known when it is handed over: it keeps its carriage return.
        let line = match line.strip_suffix(b"\r") {
            Some(without) if without.len() <= LINE_BYTES_MAX => without,
            _ => line,
        };
        match &self.columns {
            None => self.columns = Some(Columns::from_header(line)?),
            Some(columns) => self.parser.record(place, line, columns, receiver)?,
        }
        Ok(())
    }
}

/// How many blank lines `chunk` begins with.
fn blank_lines(chunk: &[u8]) -> usize {
    const AT_ONCE: usize = 64;
    let blocks = chunk.chunks_exact(AT_ONCE).take_while(|block| block.iter().all(|&byte| byte == b'\n')).count();
    let rest = &chunk[blocks * AT_ONCE..];
    blocks * AT_ONCE + rest.iter().take_while(|&&byte| byte == b'\n').count()
}

#[cfg(test)]
mod tests;
