//! Bytes of one input: a file, standard input or memory, plain or compressed, read in chunks.

use flate2::bufread::MultiGzDecoder;
use sha2::{Digest, Sha256};
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// Told how many bytes of the inputs, as stored, have been read since it was last told.
pub type Progress<'a> = &'a (dyn Fn(u64) + Sync);

/// Who looks on while stored bytes are read.
#[derive(Clone, Copy)]
pub(crate) struct Watch<'a> {
    pub(crate) progress: Progress<'a>,
    /// Takes every byte, in order.
    pub(crate) hasher: Option<&'a Mutex<Sha256>>,
}

/// How much is read at once, and handed to a decoder at once.
pub(crate) const CHUNK_BYTES: usize = 1 << 18;

/// One input.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Input {
    /// A file.
    File(PathBuf),
    /// Standard input.
    Stdin,
    /// Bytes in memory.
    Memory(InMemory),
}

/// Bytes in memory, stored as a file would be: plain or compressed.
#[derive(Clone, PartialEq, Eq)]
pub struct InMemory {
    name: String,
    bytes: Arc<[u8]>,
}

/// Without the bytes, of which there may be many.
impl fmt::Debug for InMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} ({} bytes)", self.name, self.bytes.len())
    }
}

impl Input {
    /// Bytes in memory; messages call them by `name`, which may tell form and date as a file's does.
    pub fn memory(name: &str, bytes: impl Into<Arc<[u8]>>) -> Input {
        Input::Memory(InMemory { name: name.to_owned(), bytes: bytes.into() })
    }

    /// The input that a command names: `-` is standard input.
    pub fn named(name: &Path) -> Input {
        if name == Path::new("-") { Input::Stdin } else { Input::File(name.to_owned()) }
    }

    /// Its name for messages and `rejects.csv`.
    pub fn name(&self) -> String {
        match self {
            Input::File(path) => path.display().to_string(),
            Input::Stdin => "-".to_owned(),
            Input::Memory(memory) => memory.name.clone(),
        }
    }

    /// The last part of its path, if it has one.
    pub(crate) fn file_name(&self) -> Option<String> {
        match self {
            Input::File(path) => path.file_name().map(|name| name.to_string_lossy().into_owned()),
            Input::Stdin => None,
            Input::Memory(memory) => Some(memory.name.clone()),
        }
    }

    /// Its size as stored, if known beforehand.
    pub fn size(&self) -> Option<u64> {
        match self {
            Input::File(path) => path.metadata().ok().filter(std::fs::Metadata::is_file).map(|metadata| metadata.len()),
            Input::Stdin => None,
            Input::Memory(memory) => Some(memory.bytes.len() as u64),
        }
    }

    /// Opens it. With `again`, it can be read a second time: a copy is made of what cannot be rewound.
    pub(crate) fn open(&self, again: bool) -> io::Result<Source> {
        match self {
            Input::File(path) => {
                if path.is_dir() {
                    return Err(io::Error::other("is a folder, expected a file"));
                }
                let file = File::open(path)?;
                // A pipe, be it named, of a shell or standard input by its path.
                let once = again && !file.metadata()?.is_file();
                Ok(Source::File(if once { copy_of(file)? } else { file }))
            }
            Input::Stdin if again => Ok(Source::File(copy_of(io::stdin().lock())?)),
            Input::Stdin => Ok(Source::Stdin),
            Input::Memory(memory) => Ok(Source::Memory(Cursor::new(Arc::clone(&memory.bytes)))),
        }
    }
}

/// A copy on the disk, which goes with the process.
fn copy_of(mut from: impl Read) -> io::Result<File> {
    let mut copy = tempfile::tempfile()?;
    io::copy(&mut from, &mut copy)?;
    copy.rewind()?;
    Ok(copy)
}

/// An opened input.
pub(crate) enum Source {
    File(File),
    Stdin,
    Memory(Cursor<Arc<[u8]>>),
}

impl Source {
    /// The bytes from the start, decompressed.
    pub(crate) fn chunks<'a>(&'a mut self, watch: Watch<'a>) -> io::Result<Chunks<'a>> {
        match self {
            Source::File(file) => {
                // What cannot be rewound is read once.
                let _ = file.rewind();
                Chunks::new(file, watch)
            }
            Source::Stdin => Chunks::new(io::stdin().lock(), watch),
            Source::Memory(bytes) => {
                bytes.set_position(0);
                Chunks::new(bytes, watch)
            }
        }
    }

    /// Reads what a pass has left unread: damage ends one early, and a hash is of all bytes.
    pub(crate) fn drain(&mut self, watch: Watch<'_>) -> io::Result<()> {
        let failed = Arc::new(AtomicBool::new(false));
        let mut buffer = vec![0; CHUNK_BYTES];
        let mut rest: Box<dyn Read + '_> = match self {
            Source::File(file) => Box::new(Watched { raw: file, watch, failed }),
            Source::Stdin => Box::new(Watched { raw: io::stdin().lock(), watch, failed }),
            Source::Memory(bytes) => Box::new(Watched { raw: bytes, watch, failed }),
        };
        loop {
            match rest.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
        }
    }
}

/// Why there is no next chunk.
#[derive(Debug)]
pub(crate) enum ChunkError {
    /// The file cannot be read.
    Io(io::Error),
    /// The compressed stream ends before its end.
    Truncated(&'static str),
    /// The compressed stream is damaged: what came before is not certain.
    Corrupted(&'static str, io::Error),
}

/// Decompressed bytes, a chunk at a time.
pub(crate) struct Chunks<'a> {
    stream: Box<dyn Read + 'a>,
    format: &'static str,
    raw_failed: Arc<AtomicBool>,
    buffer: Vec<u8>,
    /// Bytes given out so far.
    offset: u64,
    /// How much of the buffer has been looked at before it is given out.
    peeked: usize,
}

impl<'a> Chunks<'a> {
    fn new(raw: impl Read + 'a, watch: Watch<'a>) -> io::Result<Chunks<'a>> {
        let raw_failed = Arc::new(AtomicBool::new(false));
        let raw = Watched { raw, watch, failed: Arc::clone(&raw_failed) };
        let mut raw = BufReader::with_capacity(CHUNK_BYTES, raw);
        let (format, stream): (_, Box<dyn Read + 'a>) = match raw.fill_buf()? {
            [0x1f, 0x8b, ..] => ("gzip", Box::new(MultiGzDecoder::new(raw))),
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {
                ("zstd", Box::new(zstd::Decoder::with_buffer(raw)?))
            }
            _ => ("plain", Box::new(raw)),
        };
        Ok(Chunks { stream, format, raw_failed, buffer: vec![0; CHUNK_BYTES], offset: 0, peeked: 0 })
    }

    /// Bytes given out so far.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// The first bytes, at least `count` unless there are fewer or the stream is damaged. They are given out again.
    pub(crate) fn peek(&mut self, count: usize) -> &[u8] {
        while self.peeked < count {
            match self.read(self.peeked) {
                Ok(more) if 0 < more => self.peeked += more,
                // An error comes again when the stream is read on.
                _ => break,
            }
        }
        &self.buffer[..self.peeked]
    }

    /// The next chunk; empty at the end.
    pub(crate) fn next(&mut self) -> Result<&[u8], ChunkError> {
        let count = match std::mem::take(&mut self.peeked) {
            0 => self.read(0)?,
            peeked => peeked,
        };
        self.offset += count as u64;
        Ok(&self.buffer[..count])
    }

    /// Reads into the buffer from `start` on.
    fn read(&mut self, start: usize) -> Result<usize, ChunkError> {
        loop {
            match self.stream.read(&mut self.buffer[start..]) {
                Ok(count) => return Ok(count),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if self.raw_failed.load(Ordering::Relaxed) || self.format == "plain" => {
                    return Err(ChunkError::Io(error));
                }
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Err(ChunkError::Truncated(self.format));
                }
                Err(error) => return Err(ChunkError::Corrupted(self.format, error)),
            }
        }
    }
}

/// The stored bytes, counted and hashed; tells a failing disk from a damaged stream.
struct Watched<'a, R> {
    raw: R,
    watch: Watch<'a>,
    failed: Arc<AtomicBool>,
}

impl Watch<'_> {
    fn saw(self, bytes: &[u8]) {
        (self.progress)(bytes.len() as u64);
        if let Some(hasher) = self.hasher {
            hasher.lock().expect("no thread panics with the lock").update(bytes);
        }
    }
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let result = self.raw.read(buffer);
        match &result {
            Ok(count) => self.watch.saw(&buffer[..*count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => self.failed.store(true, Ordering::Relaxed),
        }
        result
    }
}
