//! One input: a file, standard input or memory, and its bytes as they are stored.

use crate::chunks::Chunks;
use crate::stored::{Bytes, CHUNK_BYTES, Once, Opened, Progress, Raw, Stored};
use crate::stream::{GZIP, compression};
use crate::threads::Pool;
use sha2::{Digest, Sha256};
use std::fmt;
use std::fs::File;
use std::io::{self, Cursor, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// How an input is read.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'a> {
    pub(crate) progress: Progress<'a>,
    /// Whether its hash is wanted.
    pub(crate) is_hashed: bool,
    /// Whether on a thread of its own, ahead of its use.
    pub(crate) is_ahead: bool,
    /// The threads that read what comes out of it, beside the one that takes it.
    pub(crate) pool: Option<&'a Pool>,
}

/// One input.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Input {
    /// A file.
    File(PathBuf),
    /// Standard input.
    Stdin,
    /// Bytes in memory.
    Memory(InMemory),
    /// Whatever the caller has opened, and can be read again from its start.
    Opened(Opened),
    /// Whatever the caller has opened, and can be read once, from where it stands.
    Once(Once),
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

    /// What the caller has opened; messages call it by `name`, which may tell form and date as a file's does.
    pub fn opened(name: &str, reader: impl Read + Seek + Send + 'static) -> Input {
        Input::Opened(Opened { name: name.to_owned(), reader: Arc::new(Mutex::new(reader)) })
    }

    /// What the caller has opened, read once, from where it stands: a pipe, a socket, a file of another language. What has to
    /// be read again, by a lenient run, is kept in a temporary file. Messages call it by `name`, which may tell form and date
    /// as a file's does.
    pub fn once(name: &str, reader: impl Read + Send + 'static) -> Input {
        Input::Once(Once { name: name.to_owned(), reader: Arc::new(Mutex::new(reader)) })
    }

    /// The input that a command names: `-` is standard input.
    pub fn named(name: &Path) -> Input {
        if name == Path::new("-") { Input::Stdin } else { Input::File(name.to_owned()) }
    }

    /// The SHA-256 of its bytes as stored.
    ///
    /// # Errors
    /// Those of reading it.
    pub fn sha256(&self) -> io::Result<[u8; 32]> {
        let hash = self.open(false, true)?.hash()?;
        hash.ok_or_else(|| io::Error::other("no hash was taken"))
    }

    /// Its name for messages and `rejects.csv`.
    pub fn name(&self) -> String {
        match self {
            Input::File(path) => path.display().to_string(),
            Input::Stdin => "-".to_owned(),
            Input::Memory(memory) => memory.name.clone(),
            Input::Opened(opened) => opened.name.clone(),
            Input::Once(once) => once.name.clone(),
        }
    }

    /// The last part of its path, if it has one.
    pub(crate) fn file_name(&self) -> Option<String> {
        let last = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
        match self {
            Input::File(path) => last(path),
            Input::Stdin => None,
            Input::Memory(memory) => Some(memory.name.clone()),
            Input::Opened(Opened { name, .. }) | Input::Once(Once { name, .. }) => last(Path::new(name)),
        }
    }

    /// Its size as stored, if known beforehand.
    pub fn size(&self) -> Option<u64> {
        match self {
            Input::File(path) => path.metadata().ok().filter(std::fs::Metadata::is_file).map(|metadata| metadata.len()),
            Input::Stdin => None,
            Input::Memory(memory) => Some(memory.bytes.len() as u64),
            Input::Opened(_) | Input::Once(_) => None,
        }
    }

    /// Whether it is compressed with gzip, as far as can be told without taking anything from it.
    pub(crate) fn is_gzip(&self) -> bool {
        let mut first = [0; 2];
        let is_read = match self {
            // Of a pipe nothing may be read.
            Input::File(path) if path.is_file() => {
                File::open(path).and_then(|mut file| file.read_exact(&mut first)).is_ok()
            }
            Input::Memory(memory) => memory.bytes.as_ref().read_exact(&mut first).is_ok(),
            _ => false,
        };
        is_read && compression(&first) == Some(GZIP)
    }

    /// Opens it. What is to be read `again` is spooled to a temporary file first, unless it is a regular file.
    pub(crate) fn open(&self, again: bool, hashed: bool) -> io::Result<Source> {
        let bytes = match self {
            Input::File(path) => {
                if path.is_dir() {
                    return Err(io::Error::other("is a folder, expected a file"));
                }
                let file = File::open(path)?;
                // A pipe, also by another name, as `/dev/stdin` or `<(command)`.
                if again && !file.metadata()?.is_file() { Bytes::File(spooled(file)?) } else { Bytes::File(file) }
            }
            Input::Stdin if again => Bytes::File(spooled(io::stdin().lock())?),
            Input::Stdin => Bytes::Stdin,
            Input::Memory(memory) => Bytes::Memory(Cursor::new(Arc::clone(&memory.bytes))),
            Input::Opened(opened) => Bytes::Opened(opened.clone()),
            Input::Once(once) if again => Bytes::File(spooled(once.clone())?),
            Input::Once(once) => Bytes::Once(once.clone()),
        };
        Ok(Source { raw: Raw::new(Stored { bytes, hasher: hashed.then(Sha256::new) }) })
    }
}

/// All of `from`, in a file that nobody else sees.
fn spooled(mut from: impl Read) -> io::Result<File> {
    let mut copy = tempfile::tempfile()?;
    io::copy(&mut from, &mut copy)?;
    Ok(copy)
}

/// An opened input.
pub(crate) struct Source {
    raw: Raw,
}

impl Source {
    /// The bytes from the start, decompressed; read `ahead` on a thread of its own, where the system has one to give.
    pub(crate) fn chunks<'a>(&self, progress: Progress<'a>, ahead: bool) -> io::Result<Chunks<'a>> {
        self.raw.rewind();
        Chunks::new(self.raw.clone(), progress, ahead)
    }

    /// The hash of all bytes, as was asked for: of what a pass has left unread, too, as damage ends one early.
    pub(crate) fn hash(&self) -> io::Result<Option<[u8; 32]>> {
        if self.raw.stored().hasher.is_none() {
            return Ok(None);
        }
        let mut rest = self.raw.clone();
        let mut buffer = vec![0; CHUNK_BYTES];
        loop {
            match rest.read(&mut buffer) {
                Ok(0) => break,
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
        }
        Ok(self.raw.stored().hasher.take().map(|hasher| hasher.finalize().into()))
    }
}
