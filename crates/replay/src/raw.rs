//! An input's bytes as they are, decompressed, for whoever does not want its records.

use crate::chunks::ChunkError;
use crate::format::{Format, RECOGNISED_BY_BYTES};
use crate::input::Input;
use crate::stored::{Progress, STOPPED};
use std::io;

/// Tells `take` the form of `input` and its decompressed bytes, chunk by chunk.
///
/// # Errors
/// Those of the file, [`io::ErrorKind::InvalidData`] if its compression is damaged, and `take`'s, in its own type.
pub fn read_raw<E: From<io::Error>>(
    input: &Input,
    progress: Progress<'_>,
    mut take: impl FnMut(Format, &[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let source = input.open(false, false)?;
    let mut chunks = source.chunks(progress, false)?;
    let format = Format::recognise(chunks.peek(RECOGNISED_BY_BYTES), input);
    loop {
        match chunks.next() {
            Ok([]) => return Ok(()),
            Ok(chunk) => take(format, chunk)?,
            Err(ChunkError::Io(error)) => return Err(error.into()),
            Err(ChunkError::Stopped) => return Err(io::Error::other(STOPPED).into()),
            Err(ChunkError::Broken { problem, .. }) => {
                return Err(io::Error::new(io::ErrorKind::InvalidData, problem).into());
            }
        }
    }
}
