//! An object read as a file is: what breaks off is asked for again from where it was.

use crate::Location;
use crate::runtime::wait;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use object_store::{Error, GetOptions, GetRange, ObjectMeta};
use std::io::{self, Read, Seek, SeekFrom};
use std::time::Duration;

type Pieces = BoxStream<'static, object_store::Result<Bytes>>;

/// So often in a row a store is asked without giving anything.
const TRIES_MAX: u32 = 8;
/// The first pause between two of them; each further one is twice as long.
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// A connection that gives nothing for so long is broken.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// Reads an object from its start; nothing is asked of the store before the first read.
///
/// After a broken connection it reads on from the next byte, of the same version of the object: one that has changed meanwhile
/// is an error, and never half of each.
pub struct ObjectReader {
    location: Location,
    /// What the store has said of it first.
    meta: Option<ObjectMeta>,
    position: u64,
    pieces: Option<Pieces>,
    /// What has come and not been taken.
    held: Bytes,
    /// Bytes to come that have been read before, from a store that cannot begin in the middle.
    passed_over: u64,
}

impl Location {
    /// Reads the object.
    pub fn reader(&self) -> ObjectReader {
        let (location, held) = (self.clone(), Bytes::new());
        ObjectReader { location, meta: None, position: 0, pieces: None, held, passed_over: 0 }
    }
}

/// What comes of asking once.
enum Step {
    /// Bytes are held, or the end is reached.
    Done,
    /// Something broke that may go well another time.
    Broken(Error),
}

impl ObjectReader {
    /// Reads on until something is held, or the end is reached.
    fn fill(&mut self) -> io::Result<()> {
        let mut pause = PAUSE_MIN;
        for tried in 1.. {
            if self.meta.as_ref().is_some_and(|meta| meta.size <= self.position) {
                return Ok(());
            }
            match wait(self.step())?? {
                Step::Done => return Ok(()),
                Step::Broken(error) if tried == TRIES_MAX => {
                    let problem = format!("breaks off after {} bytes, asked {TRIES_MAX} times: {error}", self.position);
                    return Err(io::Error::other(problem));
                }
                Step::Broken(_) => {
                    self.pieces = None;
                    std::thread::sleep(pause);
                    pause = PAUSE_MAX.min(pause * 2);
                }
            }
        }
        Ok(())
    }

    async fn step(&mut self) -> io::Result<Step> {
        loop {
            let pieces = match &mut self.pieces {
                Some(pieces) => pieces,
                None => match self.open().await? {
                    Ok(pieces) => self.pieces.insert(pieces),
                    Err(error) => return Ok(Step::Broken(error)),
                },
            };
            let piece = match tokio::time::timeout(SILENCE_MAX, pieces.next()).await {
                Ok(Some(Ok(piece))) => piece,
                Ok(Some(Err(error))) => return Ok(Step::Broken(error)),
                Ok(None) => {
                    let is_whole = self.meta.as_ref().is_some_and(|meta| meta.size <= self.position);
                    return Ok(if is_whole { Step::Done } else { Step::Broken(broken("the connection ended early")) });
                }
                Err(_) => return Ok(Step::Broken(broken("nothing came for a minute"))),
            };
            let passed_over = usize::try_from(self.passed_over).unwrap_or(usize::MAX).min(piece.len());
            self.passed_over -= passed_over as u64;
            self.held = piece.slice(passed_over..);
            if !self.held.is_empty() {
                return Ok(Step::Done);
            }
        }
    }

    /// Asks for the object from the next byte on.
    async fn open(&mut self) -> io::Result<Result<Pieces, Error>> {
        let range = (0 < self.position).then_some(GetRange::Offset(self.position));
        let mut found = self.get(range).await;
        self.passed_over = 0;
        if 0 < self.position && matches!(found, Err(Error::NotSupported { .. } | Error::NotImplemented { .. })) {
            self.passed_over = self.position;
            found = self.get(None).await;
        }
        let changed = || io::Error::other("has changed while it was read, expected one version of it");
        let result = match found {
            Ok(result) => result,
            Err(error @ Error::NotFound { .. }) if self.meta.is_none() => {
                return Err(io::Error::new(io::ErrorKind::NotFound, error));
            }
            Err(Error::NotFound { .. } | Error::Precondition { .. }) => return Err(changed()),
            Err(error @ (Error::PermissionDenied { .. } | Error::Unauthenticated { .. })) => {
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, error));
            }
            Err(error) => return Ok(Err(error)),
        };
        match &self.meta {
            None => self.meta = Some(result.meta.clone()),
            Some(meta) => {
                let is_same = meta.size == result.meta.size
                    && meta.e_tag == result.meta.e_tag
                    && meta.last_modified == result.meta.last_modified;
                if !is_same {
                    return Err(changed());
                }
            }
        }
        Ok(Ok(result.into_stream()))
    }

    async fn get(&self, range: Option<GetRange>) -> object_store::Result<object_store::GetResult> {
        let if_match = self.meta.as_ref().and_then(|meta| meta.e_tag.clone());
        let options = GetOptions { range, if_match, ..GetOptions::default() };
        self.location.store.get_opts(&self.location.path, options).await
    }
}

fn broken(problem: &'static str) -> Error {
    Error::Generic { store: "object", source: problem.into() }
}

impl Read for ObjectReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.held.is_empty() {
            self.fill()?;
        }
        let length = self.held.len().min(buffer.len());
        let taken = self.held.split_to(length);
        buffer[..length].copy_from_slice(&taken);
        self.position += length as u64;
        Ok(length)
    }
}

/// To the start and anywhere else; what has been asked for is let go of.
impl Seek for ObjectReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let size = self.meta.as_ref().map(|meta| meta.size);
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
            SeekFrom::End(by) => size.and_then(|size| size.checked_add_signed(by)),
        };
        let position = position.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        if position != self.position {
            (self.pieces, self.held, self.passed_over) = (None, Bytes::new(), 0);
            self.position = position;
        }
        Ok(position)
    }
}
