//! Compressed streams: what an input is, by its first bytes, and its members or frames one after the other.
//!
//! What is not read says what it is: another compression, a dictionary or a window that nobody can be asked for, bytes
//! after the end.

use crate::stored::{CHUNK_BYTES, Raw};
use flate2::bufread::GzDecoder;
use std::io::{self, BufRead, Read};

/// The bytes of an input, decompressed.
pub(crate) struct Stream {
    format: Option<&'static str>,
    member: Member,
}

/// Why there are no more bytes.
#[derive(Debug)]
pub(crate) enum StreamError {
    /// They cannot be read, or what is compressed is damaged.
    Read(io::Error),
    /// Something else comes than can be read; what came before is whole.
    Unfit(String),
}

impl From<io::Error> for StreamError {
    fn from(error: io::Error) -> Self {
        StreamError::Read(error)
    }
}

/// A stream is one member or frame after the other.
enum Member {
    Plain(Window<Raw>),
    Gzip(Box<GzDecoder<Window<Raw>>>),
    Zstd(zstd::Decoder<'static, Window<Raw>>),
    /// Between two of them.
    Ended(Window<Raw>),
    /// After the last, or after an error.
    Over,
}

pub(crate) const GZIP: &str = "gzip";
const ZSTD: &str = "zstd";

impl Stream {
    pub(crate) fn new(raw: Raw) -> io::Result<Stream> {
        let mut window = Window::new(raw);
        let format = compression(window.at_least(MAGIC_BYTES)?);
        let member = if format.is_some() { Member::Ended(window) } else { Member::Plain(window) };
        Ok(Stream { format, member })
    }

    /// How it is compressed, if it is.
    pub(crate) fn format(&self) -> Option<&'static str> {
        self.format
    }

    /// Reads into `buffer`; 0 at the end.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, StreamError> {
        loop {
            let read = match &mut self.member {
                Member::Plain(window) => return Ok(retried(|| window.raw_read(buffer))?),
                Member::Gzip(decoder) => retried(|| decoder.read(buffer)),
                Member::Zstd(decoder) => retried(|| decoder.read(buffer)),
                Member::Ended(_) => Ok(0),
                Member::Over => return Ok(0),
            };
            match read {
                Ok(0) => self.next_member()?,
                result => return Ok(result?),
            }
        }
    }

    /// Goes on to the next member or frame, if there is one.
    fn next_member(&mut self) -> Result<(), StreamError> {
        let mut window = match std::mem::replace(&mut self.member, Member::Over) {
            Member::Gzip(decoder) => decoder.into_inner(),
            Member::Zstd(decoder) => decoder.finish(),
            Member::Plain(window) | Member::Ended(window) => window,
            Member::Over => return Ok(()),
        };
        let (Some(format), first) = (self.format, window.at_least(FOLLOWING_BYTES)?) else { return Ok(()) };
        if first.is_empty() {
            return Ok(());
        }
        self.member = match compression(first) {
            Some(found) if found != format => {
                return Err(StreamError::Unfit(format!("the {format} stream is followed by a {found} stream")));
            }
            Some(GZIP) => Member::Gzip(Box::new(GzDecoder::new(window))),
            Some(_) => {
                if let Some(problem) = unfit_frame(first) {
                    return Err(StreamError::Unfit(problem));
                }
                Member::Zstd(zstd::Decoder::with_buffer(window)?.single_frame())
            }
            None => {
                return Err(StreamError::Unfit(format!("the {format} stream is followed by {}", what_follows(first))));
            }
        };
        Ok(())
    }
}

/// Reads, again where the system was interrupted.
fn retried(mut read: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match read() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// How many bytes tell what an input is.
const MAGIC_BYTES: usize = 8;

/// How many bytes tell what follows a member, and what a frame asks for.
const FOLLOWING_BYTES: usize = 64;

/// The compressions that are read.
pub(crate) fn compression(first: &[u8]) -> Option<&'static str> {
    match first {
        [0x1f, 0x8b, ..] => Some(GZIP),
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(ZSTD),
        _ => None,
    }
}

/// What an input is that is no events, if its first bytes, decompressed from `outer`, tell; and what to do about it.
pub(crate) fn foreign(first: &[u8], outer: Option<&'static str>) -> Option<String> {
    let (found, remedy) = match (first, outer) {
        (_, Some(outer)) if compression(first).is_some() => {
            let inner = compression(first).unwrap_or_default();
            return Some(format!("is compressed twice ({inner} in {outer}), expected once: decompress it first"));
        }
        ([0xfd, b'7', b'z', b'X', b'Z', 0, ..], _) => ("an xz file", "decompress it first (xz -d)"),
        ([b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..], _) => ("a zip archive", "unpack it first (unzip)"),
        ([b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, ..], _) => {
            ("a bzip2 file", "decompress it first (bzip2 -d)")
        }
        ([0x04, 0x22, 0x4d, 0x18, ..], _) => ("an lz4 file", "decompress it first (lz4 -d)"),
        ([b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c, ..], _) => ("a 7z archive", "unpack it first"),
        ([0x1f, 0x9d, ..], _) => ("a file of compress (.Z)", "decompress it first (gzip -d)"),
        ([0x37, 0xa4, 0x30, 0xec, ..], _) => ("a zstd dictionary", "give the events themselves"),
        ([b'P', b'A', b'R', b'1', ..], _) => ("a Parquet file", "give the events as CSV or in the binary form"),
        ([b'S', b'Q', b'L', b'i', b't', b'e', b' ', b'f', ..], _) => ("a database", "give the events themselves"),
        ([0xff, 0xfe, ..] | [0xfe, 0xff, ..], _) => ("text in UTF-16", "save it as UTF-8"),
        _ if is_tar(first) => ("a tar archive", "unpack it first (tar -xf)"),
        _ => return None,
    };
    let within = outer.map(|outer| format!(" in {outer}")).unwrap_or_default();
    Some(format!("is {found}{within}, expected events, plain or compressed with gzip or zstd: {remedy}"))
}

/// Whether a tar archive begins: its first header, of any variant, holds the sum of its own bytes, the sum's own taken as
/// spaces.
fn is_tar(first: &[u8]) -> bool {
    const SUM: std::ops::Range<usize> = 148..156;
    let Some(header) = first.get(..512) else { return false };
    let digits = header[SUM].iter().skip_while(|byte| **byte == b' ');
    let digits: Vec<u8> = digits.copied().take_while(|byte| (b'0'..=b'7').contains(byte)).collect();
    let told = digits.iter().fold(0_u32, |sum, digit| sum * 8 + u32::from(digit - b'0'));
    let bytes = header.iter().enumerate();
    let sum: u32 = bytes.map(|(at, &byte)| u32::from(if SUM.contains(&at) { b' ' } else { byte })).sum();
    !digits.is_empty() && told == sum
}

fn what_follows(first: &[u8]) -> String {
    if first.iter().all(|&byte| byte == 0) {
        return "zeros, expected its end".to_owned();
    }
    let bytes: Vec<String> = first.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("other bytes ({}), expected its end", bytes.join(" "))
}

/// The largest window that is kept to decompress a frame.
const WINDOW_MAX: u64 = 1 << 27;

/// What a zstd frame asks for that it does not get; its header is in `first`.
fn unfit_frame(first: &[u8]) -> Option<String> {
    let header = first.strip_prefix(&[0x28, 0xb5, 0x2f, 0xfd])?;
    let (&descriptor, mut rest) = header.split_first()?;
    let is_single_segment = descriptor & 0x20 != 0;
    let mut window = None;
    if !is_single_segment {
        let (&byte, after) = rest.split_first()?;
        let base = 1_u64.checked_shl(10 + u32::from(byte >> 3))?;
        window = Some(base + base / 8 * u64::from(byte & 7));
        rest = after;
    }
    let id_bytes = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let id = little_endian(rest.get(..id_bytes)?);
    if id != 0 {
        return Some(format!("the zstd stream was compressed with a dictionary (number {id}), expected one without"));
    }
    if is_single_segment {
        let size_bytes = [1, 2, 4, 8][usize::from(descriptor >> 6)];
        let added = if size_bytes == 2 { 256 } else { 0 };
        window = little_endian(rest.get(id_bytes..id_bytes + size_bytes)?).checked_add(added);
    }
    let window = window.filter(|&window| WINDOW_MAX < window)?;
    Some(format!(
        "the zstd stream needs a window of {} MiB, expected at most {}: compress it without --long, or decompress it first",
        window.div_ceil(1 << 20),
        WINDOW_MAX >> 20
    ))
}

fn little_endian(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

/// A buffered reader that can be looked into for as many bytes as are wanted, however few a pipe gives at once.
struct Window<R> {
    raw: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl<R: Read> Window<R> {
    fn new(raw: R) -> Window<R> {
        Window { raw, buffer: vec![0; CHUNK_BYTES], start: 0, end: 0 }
    }

    /// The next bytes, at least `count`, or fewer at the end.
    fn at_least(&mut self, count: usize) -> io::Result<&[u8]> {
        while self.end - self.start < count {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
            match retried(|| self.raw.read(&mut self.buffer[self.end..]))? {
                0 => break,
                more => self.end += more,
            }
        }
        Ok(&self.buffer[self.start..self.end])
    }

    /// Reads what is buffered, and past the buffer when it is empty.
    fn raw_read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.start == self.end {
            return self.raw.read(to);
        }
        let count = to.len().min(self.end - self.start);
        to[..count].copy_from_slice(&self.buffer[self.start..self.start + count]);
        self.start += count;
        Ok(count)
    }
}

impl<R: Read> Read for Window<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        self.raw_read(to)
    }
}

impl<R: Read> BufRead for Window<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
            self.end = self.raw.read(&mut self.buffer)?;
        }
        Ok(&self.buffer[self.start..self.end])
    }

    fn consume(&mut self, count: usize) {
        self.start += count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_says_what_it_asks_for() {
        let frame = |header: &[u8]| unfit_frame(&[&[0x28, 0xb5, 0x2f, 0xfd], header].concat());
        // 128 MiB and one step more: exponent 17, mantissa 0 and 1.
        assert_eq!(frame(&[0x00, 17 << 3]), None);
        assert!(frame(&[0x00, 17 << 3 | 1]).unwrap().contains("a window of 144 MiB, expected at most 128"));
        assert!(frame(&[0x00, 21 << 3]).unwrap().contains("2048 MiB"));
        assert!(frame(&[0x01, 0, 7]).unwrap().contains("dictionary (number 7)"));
        assert_eq!(frame(&[0x01, 0, 0]), None, "number 0 is none");
        let single = |size: u32| frame(&[&[0xa0], &size.to_le_bytes()[..]].concat());
        assert_eq!((single(1 << 27), single((1 << 27) + 1).is_some()), (None, true));
        assert_eq!(unfit_frame(&[0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 9]), None, "what is skipped asks for nothing");
    }

    #[test]
    fn a_window_gives_what_is_wanted_however_little_comes_at_once() {
        struct Drop<'a>(&'a [u8]);
        impl Read for Drop<'_> {
            fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
                self.0.read(&mut to[..1])
            }
        }
        let mut window = Window::new(Drop(b"abcdef"));
        assert_eq!(window.at_least(3).unwrap(), b"abc");
        window.consume(2);
        assert_eq!(window.at_least(3).unwrap(), b"cde");
        assert_eq!(window.at_least(9).unwrap(), b"cdef");
        let mut rest = String::new();
        window.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "cdef");
    }
}
