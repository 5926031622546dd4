//! The bytes of an input, decompressed, a chunk at a time: read where they are used, or ahead on a thread of its own.

use crate::stored::{CHUNK_BYTES, Progress, Raw};
use crate::stream::{Stream, StreamError};
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, channel, sync_channel};
use std::thread::{Builder, JoinHandle};

/// How many chunks are read ahead at most. So much hides how unevenly chunks are decompressed and measured, and is small
/// beside a day's books.
const CHUNKS_AHEAD: usize = 4;

/// Why there is no next chunk.
#[derive(Debug)]
pub(crate) enum ChunkError {
    /// The file cannot be read.
    Io(io::Error),
    /// Whoever watches wants no more.
    Stopped,
    /// The compressed stream is not what it should be.
    Broken {
        /// How.
        problem: String,
        /// Whether what came before is not certain either.
        whole: bool,
    },
}

/// Decompressed bytes, a chunk at a time.
pub(crate) struct Chunks<'a> {
    raw: Raw,
    progress: Progress<'a>,
    /// Stored bytes that `progress` has been told of.
    told: u64,
    format: Option<&'static str>,
    supply: Supply,
    chunk: Chunk,
    /// Bytes given out so far.
    offset: u64,
    /// Whether the chunk has been looked at before it is given out.
    is_peeked: bool,
    /// What has come while looking.
    error: Option<ChunkError>,
}

/// The beginning of a buffer.
#[derive(Debug)]
pub(crate) struct Chunk {
    buffer: Vec<u8>,
    length: usize,
}

impl Chunk {
    pub(crate) fn new() -> Chunk {
        Chunk { buffer: vec![0; CHUNK_BYTES], length: 0 }
    }

    fn fill(&mut self, stream: &mut Stream) -> Result<(), StreamError> {
        self.length = 0;
        self.length = stream.read(&mut self.buffer)?;
        Ok(())
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buffer[..self.length]
    }
}

enum Supply {
    /// From the stream, when the chunk is asked for.
    Here(Box<Stream>),
    /// From a thread that reads ahead.
    Ahead { full: Receiver<Result<Chunk, StreamError>>, empty: SyncSender<Chunk>, thread: JoinHandle<()> },
}

impl<'a> Chunks<'a> {
    pub(crate) fn new(raw: Raw, progress: Progress<'a>, ahead: bool) -> io::Result<Chunks<'a>> {
        let told = raw.count();
        let stream = Stream::new(raw.clone())?;
        let format = stream.format();
        let supply = if ahead { read_ahead(stream) } else { Supply::Here(Box::new(stream)) };
        let chunk = Chunk::new();
        Ok(Chunks { raw, progress, told, format, supply, chunk, offset: 0, is_peeked: false, error: None })
    }

    /// How the input is compressed, if it is.
    pub(crate) fn compression(&self) -> Option<&'static str> {
        self.format
    }

    /// Bytes given out so far.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// The first bytes, at least `count` unless there are fewer or the stream is damaged. They are given out again.
    pub(crate) fn peek(&mut self, count: usize) -> &[u8] {
        if !self.is_peeked {
            self.is_peeked = true;
            self.chunk.length = 0;
        }
        let mut first = Vec::new();
        while self.error.is_none() && first.len() + self.chunk.length < count {
            first.extend_from_slice(self.chunk.bytes());
            match self.receive(true) {
                Ok(_) if self.chunk.length == 0 => break,
                Ok(_) => {}
                Err(error) => self.error = Some(error),
            }
        }
        if !first.is_empty() {
            first.extend_from_slice(self.chunk.bytes());
            self.chunk.length = first.len();
            first.resize(first.len().max(CHUNK_BYTES), 0);
            self.chunk.buffer = first;
        }
        self.chunk.bytes()
    }

    /// The error that has kept [`Chunks::peek`] from seeing more.
    pub(crate) fn error_seen(&mut self) -> Option<ChunkError> {
        self.error.take()
    }

    /// The next chunk; empty at the end.
    pub(crate) fn next(&mut self) -> Result<&[u8], ChunkError> {
        self.advance(true)?;
        Ok(self.chunk.bytes())
    }

    /// The next chunk for whoever keeps it, empty at the end; its place takes one of the `spares`, if there is any. `None` without
    /// `wait`, where it would have to be waited for.
    pub(crate) fn take(&mut self, spares: &mut Vec<Chunk>, wait: bool) -> Result<Option<Chunk>, ChunkError> {
        let has_advanced = self.advance(wait)?;
        Ok(has_advanced.then(|| std::mem::replace(&mut self.chunk, spares.pop().unwrap_or_else(Chunk::new))))
    }

    /// Puts the next bytes in place of the chunk, if they are not there already; says whether they are, which they are after a
    /// `wait`.
    fn advance(&mut self, wait: bool) -> Result<bool, ChunkError> {
        if !std::mem::take(&mut self.is_peeked) || self.chunk.length == 0 {
            if let Some(error) = self.error.take() {
                return Err(error);
            }
            if !self.receive(wait)? {
                return Ok(false);
            }
        }
        self.offset += self.chunk.length as u64;
        Ok(true)
    }

    /// Puts the next bytes in place of the chunk. Says whether it has: without `wait` only if somebody has read them already.
    fn receive(&mut self, wait: bool) -> Result<bool, ChunkError> {
        let received = match &mut self.supply {
            Supply::Here(_) if !wait => return Ok(false),
            Supply::Here(stream) => self.chunk.fill(stream),
            Supply::Ahead { full, empty, .. } => {
                let received = if wait { full.recv().map_err(|_| TryRecvError::Disconnected) } else { full.try_recv() };
                match received {
                    Ok(Ok(chunk)) => {
                        // Nobody takes it if all has been read.
                        let _ = empty.send(std::mem::replace(&mut self.chunk, chunk));
                        Ok(())
                    }
                    Ok(Err(error)) => Err(error),
                    Err(TryRecvError::Empty) => return Ok(false),
                    Err(TryRecvError::Disconnected) => {
                        self.chunk.length = 0;
                        Ok(())
                    }
                }
            }
        };
        let count = self.raw.count();
        let told = (self.progress)(count - std::mem::replace(&mut self.told, count));
        received.map_err(|error| self.judged(error))?;
        if told.is_break() {
            self.chunk.length = 0;
            return Err(ChunkError::Stopped);
        }
        Ok(true)
    }

    /// What an error of the stream means.
    fn judged(&mut self, error: StreamError) -> ChunkError {
        self.chunk.length = 0;
        match (error, self.format) {
            (StreamError::Read(error), None) => ChunkError::Io(error),
            (StreamError::Read(error), Some(_)) if self.raw.has_failed() => ChunkError::Io(error),
            (StreamError::Read(error), Some(format)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                ChunkError::Broken { problem: format!("the {format} stream ends early"), whole: false }
            }
            (StreamError::Read(error), Some(format)) => {
                ChunkError::Broken { problem: format!("the {format} stream is corrupted ({error})"), whole: true }
            }
            (StreamError::Unfit(problem), _) => ChunkError::Broken { problem, whole: false },
        }
    }

    /// Ends reading, so that somebody else can read on, or read again.
    pub(crate) fn end(self) {
        if let Supply::Ahead { full, empty, thread } = self.supply {
            drop((full, empty));
            let _ = thread.join();
        }
    }
}

/// Starts to read ahead; here, if the system has no thread to give.
fn read_ahead(stream: Stream) -> Supply {
    let (to_full, full) = sync_channel(CHUNKS_AHEAD - 1);
    let (empty, from_empty) = sync_channel(CHUNKS_AHEAD + 1);
    // The stream is handed over once there is a thread for it.
    let (hand_over, take_over) = channel::<Stream>();
    let started = Builder::new().name("reading ahead".to_owned()).spawn(move || {
        if let Ok(stream) = take_over.recv() {
            fill_all(stream, &to_full, &from_empty);
        }
    });
    match started {
        Ok(thread) => match hand_over.send(stream) {
            Ok(()) => Supply::Ahead { full, empty, thread },
            Err(returned) => Supply::Here(Box::new(returned.0)),
        },
        Err(_) => Supply::Here(Box::new(stream)),
    }
}

/// Reads until the end, an error, or until nobody wants more.
fn fill_all(mut stream: Stream, full: &SyncSender<Result<Chunk, StreamError>>, empty: &Receiver<Chunk>) {
    loop {
        let mut chunk = empty.try_recv().unwrap_or_else(|_| Chunk::new());
        let filled = chunk.fill(&mut stream);
        let is_last = filled.is_err() || chunk.length == 0;
        if full.send(filled.map(|()| chunk)).is_err() || is_last {
            return;
        }
    }
}
