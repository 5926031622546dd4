//! The bytes of an input as they are stored, counted and hashed while they are read.

use sha2::{Digest, Sha256};
use std::fmt;
use std::fs::File;
use std::io::{self, Cursor, Read, Seek};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How much is read at once, and handed to a decoder at once.
pub(crate) const CHUNK_BYTES: usize = 1 << 18;

/// Told how many bytes of the inputs, as stored, have been read since it was last told, 0 where they are read again; says
/// whether to go on.
///
/// ```
/// use quoteclock_replay::{ConvertError, ConvertOptions, Input, Progress, Target, convert};
/// use std::ops::ControlFlow;
///
/// let input = Input::named("../../replay-data/tse-small/2024-03-01.csv".as_ref());
/// let no_more: Progress<'_> = &|_bytes| ControlFlow::Break(());
/// let stopped = convert(&input, &ConvertOptions::to(Target::Csv), Vec::new(), no_more);
/// assert!(matches!(stopped, Err(ConvertError::Stopped { .. })));
/// ```
pub type Progress<'a> = &'a (dyn Fn(u64) -> ControlFlow<()> + Sync);

/// What an error says where whoever watched wanted no more.
pub(crate) const STOPPED: &str = "stopped by whoever watched";

/// Nobody watches: what reads goes on to the end.
///
/// ```
/// use quoteclock_replay::UNWATCHED;
/// use std::ops::ControlFlow;
///
/// assert_eq!(UNWATCHED(1 << 18), ControlFlow::Continue(()));
/// ```
pub const UNWATCHED: Progress<'static> = &|_| ControlFlow::Continue(());

/// What a caller has opened: read from its start, also a second time.
#[derive(Clone)]
pub struct Opened {
    pub(crate) name: String,
    pub(crate) reader: Arc<Mutex<dyn ReadSeek>>,
}

/// Bytes that can be read twice.
pub trait ReadSeek: Read + Seek + Send {}

impl<T: Read + Seek + Send> ReadSeek for T {}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.name)
    }
}

/// The same reader, not the same bytes.
impl PartialEq for Opened {
    fn eq(&self, other: &Opened) -> bool {
        Arc::ptr_eq(&self.reader, &other.reader)
    }
}

impl Eq for Opened {}

/// One call at a time.
impl Read for Opened {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.lock().map_err(|_| io::Error::other("a thread panicked while it read"))?.read(buffer)
    }
}

impl Seek for Opened {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.reader.lock().map_err(|_| io::Error::other("a thread panicked while it read"))?.seek(to)
    }
}

/// What a caller has opened: read once, from where it stands.
#[derive(Clone)]
pub struct Once {
    pub(crate) name: String,
    pub(crate) reader: Arc<Mutex<dyn Read + Send>>,
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.name)
    }
}

/// The same reader, not the same bytes.
impl PartialEq for Once {
    fn eq(&self, other: &Once) -> bool {
        Arc::ptr_eq(&self.reader, &other.reader)
    }
}

impl Eq for Once {}

/// One call at a time.
impl Read for Once {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.lock().map_err(|_| io::Error::other("a thread panicked while it read"))?.read(buffer)
    }
}

/// The bytes of an input as they are stored, counted and hashed while they are read. Clones read on where another one
/// has stopped.
#[derive(Clone)]
pub(crate) struct Raw(Arc<Shared>);

struct Shared {
    stored: Mutex<Stored>,
    /// Bytes read so far.
    count: AtomicU64,
    /// Tells a failing disk from a damaged stream.
    failed: AtomicBool,
}

pub(crate) struct Stored {
    pub(crate) bytes: Bytes,
    pub(crate) hasher: Option<Sha256>,
}

pub(crate) enum Bytes {
    File(File),
    Stdin,
    Memory(Cursor<Arc<[u8]>>),
    Opened(Opened),
    Once(Once),
}

impl Raw {
    pub(crate) fn new(stored: Stored) -> Raw {
        Raw(Arc::new(Shared { stored: Mutex::new(stored), count: AtomicU64::new(0), failed: AtomicBool::new(false) }))
    }

    pub(crate) fn stored(&self) -> MutexGuard<'_, Stored> {
        self.0.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn rewind(&self) {
        match &mut self.stored().bytes {
            // A pipe cannot be rewound, and has no need to be when it is read once.
            Bytes::File(file) => drop(file.rewind()),
            Bytes::Stdin | Bytes::Once(_) => {}
            Bytes::Memory(bytes) => bytes.set_position(0),
            Bytes::Opened(opened) => drop(opened.rewind()),
        }
    }

    /// How many bytes have been read.
    pub(crate) fn count(&self) -> u64 {
        self.0.count.load(Ordering::Relaxed)
    }

    /// Whether reading has failed.
    pub(crate) fn has_failed(&self) -> bool {
        self.0.failed.load(Ordering::Relaxed)
    }
}

impl Read for Raw {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut stored = self.stored();
        let result = match &mut stored.bytes {
            Bytes::File(file) => file.read(buffer),
            Bytes::Stdin => io::stdin().lock().read(buffer),
            Bytes::Memory(bytes) => bytes.read(buffer),
            Bytes::Opened(opened) => opened.read(buffer),
            Bytes::Once(once) => once.read(buffer),
        };
        match &result {
            Ok(count) => {
                self.0.count.fetch_add(*count as u64, Ordering::Relaxed);
                if let Some(hasher) = &mut stored.hasher {
                    hasher.update(&buffer[..*count]);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => self.0.failed.store(true, Ordering::Relaxed),
        }
        result
    }
}
