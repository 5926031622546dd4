//! The messages of a recorded day, written aside once, so that any number of clients read them, each from anywhere, in
//! little memory.
//!
//! A message stands behind its time and its length; where every so-manieth begins is kept in memory. The time is that
//! of its record, or of the last before it that has one: it is when the message may be published.

use anyhow::{Context, Result, bail};
use quoteclock_feed::UtcOffset;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// Messages from one kept place to the next.
const STRIDE: u64 = 32;
/// Time and length, before each message.
const HEAD_BYTES: usize = 8 + 2;
/// How much is read at once.
const READ_BYTES: usize = 1 << 16;

/// Writes messages aside.
#[derive(Debug)]
pub(crate) struct SpoolWriter {
    file: BufWriter<File>,
    offset: u64,
    index: Vec<Place>,
    count: u64,
    first_time: Option<i64>,
    last_time: i64,
    offset_from_utc: UtcOffset,
    message_bytes_max: usize,
}

/// Where a message begins, and when it is due.
#[derive(Clone, Copy, Debug)]
struct Place {
    offset: u64,
    time: i64,
}

/// Messages, to be read.
#[derive(Debug)]
pub(crate) struct Spool {
    file: File,
    index: Vec<Place>,
    count: u64,
    first_time: Option<i64>,
    offset_from_utc: UtcOffset,
    bytes: u64,
}

impl SpoolWriter {
    /// For messages of at most so many bytes: what the protocol carries.
    pub(crate) fn new(message_bytes_max: usize) -> io::Result<SpoolWriter> {
        let file = BufWriter::with_capacity(1 << 18, tempfile::tempfile()?);
        let (index, last_time) = (Vec::new(), i64::MIN);
        let offset_from_utc = UtcOffset::default();
        Ok(SpoolWriter {
            file,
            offset: 0,
            index,
            count: 0,
            first_time: None,
            last_time,
            offset_from_utc,
            message_bytes_max,
        })
    }

    /// Takes note of the offset from UTC in which the times were written.
    pub(crate) fn set_offset(&mut self, offset: UtcOffset) {
        self.offset_from_utc = offset;
    }

    /// Takes the next message; `time` is that of its record, in microseconds, if it has one.
    pub(crate) fn push(&mut self, time: Option<i64>, message: &[u8]) -> Result<()> {
        let length = u16::try_from(message.len()).ok().filter(|_| message.len() <= self.message_bytes_max);
        let Some(length) = length else {
            bail!(
                "message {}: {} bytes, expected at most {}, which is what the protocol carries",
                self.count + 1,
                message.len(),
                self.message_bytes_max
            );
        };
        if let Some(time) = time {
            self.first_time.get_or_insert(time);
            self.last_time = self.last_time.max(time);
        }
        if self.count.is_multiple_of(STRIDE) {
            self.index.push(Place { offset: self.offset, time: self.last_time });
        }
        let writing = "writing the messages aside";
        self.file.write_all(&self.last_time.to_le_bytes()).context(writing)?;
        self.file.write_all(&length.to_le_bytes()).context(writing)?;
        self.file.write_all(message).context(writing)?;
        self.offset += (HEAD_BYTES + message.len()) as u64;
        self.count += 1;
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<Spool> {
        let SpoolWriter { file, index, count, first_time, offset, offset_from_utc, .. } = self;
        let file = file.into_inner().map_err(|error| error.into_error()).context("writing the messages aside")?;
        Ok(Spool { file, index, count, first_time, offset_from_utc, bytes: offset })
    }
}

impl Spool {
    /// How many messages there are.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// The time of the first record, in microseconds.
    pub(crate) fn first_time(&self) -> Option<i64> {
        self.first_time
    }

    /// The offset from UTC in which the times were written.
    pub(crate) fn offset(&self) -> UtcOffset {
        self.offset_from_utc
    }

    /// The number of the first message that is due after `time`.
    pub(crate) fn next_after(self: &Arc<Spool>, time: i64) -> io::Result<u64> {
        let place = self.index.partition_point(|place| place.time <= time);
        let mut reader = SpoolReader::new(Arc::clone(self), (place.saturating_sub(1) as u64) * STRIDE + 1);
        while let Some(message) = reader.peek()? {
            if time < message.time {
                break;
            }
            reader.advance();
        }
        Ok(reader.number())
    }
}

/// Reads messages in order, from any number on.
#[derive(Debug)]
pub(crate) struct SpoolReader {
    spool: Arc<Spool>,
    /// The number of the next message, counted from 1.
    number: u64,
    /// Messages before it that are still to be passed over.
    skip: u64,
    /// Where in the file the buffer's end is.
    offset: u64,
    buffer: Vec<u8>,
    at: usize,
}

/// A message with the time from which on it may be published.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message<'a> {
    pub(crate) time: i64,
    pub(crate) bytes: &'a [u8],
}

impl SpoolReader {
    pub(crate) fn new(spool: Arc<Spool>, number: u64) -> SpoolReader {
        let place = (number.max(1) - 1) / STRIDE;
        let found = usize::try_from(place).ok().and_then(|place| spool.index.get(place));
        let (offset, skip) = match found {
            Some(found) => (found.offset, (number.max(1) - 1) % STRIDE),
            None => (spool.bytes, 0),
        };
        SpoolReader { spool, number: number.max(1), skip, offset, buffer: Vec::new(), at: 0 }
    }

    /// The number of the next message.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// The next message; `None` at the end.
    pub(crate) fn peek(&mut self) -> io::Result<Option<Message<'_>>> {
        while 0 < self.skip {
            let Some(length) = self.fill()? else { return Ok(None) };
            self.at += length;
            self.skip -= 1;
        }
        let Some(length) = self.fill()? else { return Ok(None) };
        let whole = &self.buffer[self.at..self.at + length];
        let Some((time, rest)) = whole.split_first_chunk::<8>() else { return Ok(None) };
        Ok(Some(Message { time: i64::from_le_bytes(*time), bytes: &rest[2..] }))
    }

    /// Goes on to the message after the one that was peeked at.
    pub(crate) fn advance(&mut self) {
        if let Some(length) = self.length() {
            self.at += length;
            self.number += 1;
        }
    }

    /// The length of what is next in the buffer, with its head, if that is whole.
    fn length(&self) -> Option<usize> {
        let held = &self.buffer[self.at..];
        let head = held.get(..HEAD_BYTES)?;
        let length = HEAD_BYTES + usize::from(u16::from_le_bytes([head[8], head[9]]));
        (length <= held.len()).then_some(length)
    }

    /// Makes sure that the next message is in the buffer; `None` at the end.
    fn fill(&mut self) -> io::Result<Option<usize>> {
        loop {
            if let Some(length) = self.length() {
                return Ok(Some(length));
            }
            if self.offset == self.spool.bytes {
                return Ok(None);
            }
            self.buffer.drain(..self.at);
            self.at = 0;
            let held = self.buffer.len();
            let left = usize::try_from(self.spool.bytes - self.offset).unwrap_or(usize::MAX);
            self.buffer.resize(held + READ_BYTES.min(left), 0);
            self.spool.file.read_exact_at(&mut self.buffer[held..], self.offset)?;
            self.offset += (self.buffer.len() - held) as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spool(count: u64) -> Arc<Spool> {
        let mut writer = SpoolWriter::new(2000).unwrap();
        for number in 1..=count {
            let time = (number != 1).then(|| i64::try_from(number).unwrap() * 10);
            let message = vec![b'x'; usize::try_from(number * 37 % 1999).unwrap()];
            writer.push(time, &message).unwrap();
        }
        Arc::new(writer.finish().unwrap())
    }

    #[test]
    fn messages_are_read_from_any_number_on() {
        let spool = spool(500);
        for first in [1, 2, 31, 32, 33, 34, 64, 65, 499, 500, 501, 502] {
            let mut reader = SpoolReader::new(Arc::clone(&spool), first);
            for number in first..=500 {
                assert_eq!(reader.number(), number);
                let message = reader.peek().unwrap().unwrap();
                assert_eq!(message.bytes.len() as u64, number * 37 % 1999);
                assert_eq!(message.time, if number == 1 { i64::MIN } else { i64::try_from(number).unwrap() * 10 });
                reader.advance();
            }
            assert!(reader.peek().unwrap().is_none());
        }
        assert_eq!((spool.count(), spool.first_time()), (500, Some(20)));
    }

    #[test]
    fn what_is_due_is_found_by_its_time() {
        let spool = spool(500);
        for (time, next) in [(i64::MIN, 2), (19, 2), (20, 3), (329, 33), (330, 34), (4999, 500), (5000, 501)] {
            assert_eq!(spool.next_after(time).unwrap(), next, "{time}");
        }
    }

    #[test]
    fn a_message_that_the_protocol_cannot_carry_is_refused() {
        let mut writer = SpoolWriter::new(2000).unwrap();
        writer.push(None, &[0; 2000]).unwrap();
        assert!(writer.push(None, &[0; 2001]).unwrap_err().to_string().contains("message 2: 2001 bytes"));
    }
}
