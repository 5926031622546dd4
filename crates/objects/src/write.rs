//! A file written as an object, in parts that nobody sees until the last is there.

use object_store::path::Path as ObjectPath;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload, WriteMultipart};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Files up to this size are written at once.
const AT_ONCE_MAX: u64 = 8 << 20;
/// Stores take so many parts at most.
const PARTS_MAX: u64 = 10_000;
/// How many parts are on their way at a time.
const PARTS_AT_ONCE: usize = 4;

#[derive(Debug)]
pub(crate) enum PutError {
    Store(object_store::Error),
    File(io::Error),
}

impl From<object_store::Error> for PutError {
    fn from(error: object_store::Error) -> Self {
        PutError::Store(error)
    }
}

impl From<io::Error> for PutError {
    fn from(error: io::Error) -> Self {
        PutError::File(error)
    }
}

/// Writes `file`; a store that `is_simple` knows no parts.
pub(crate) async fn put(
    store: &dyn ObjectStore,
    path: &ObjectPath,
    file: &Path,
    is_simple: bool,
) -> Result<(), PutError> {
    let mut from = File::open(file)?;
    let size = from.metadata()?.len();
    if is_simple || size <= AT_ONCE_MAX {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes)?;
        store.put(path, PutPayload::from(bytes)).await?;
        return Ok(());
    }
    let part_bytes = AT_ONCE_MAX.max(size.div_ceil(PARTS_MAX - 1));
    let part_bytes = usize::try_from(part_bytes).map_err(io::Error::other)?;
    let mut upload = WriteMultipart::new_with_chunk_size(store.put_multipart(path).await?, part_bytes);
    match write_parts(&mut upload, &mut from).await {
        Ok(()) => {
            upload.finish().await?;
            Ok(())
        }
        Err(error) => {
            // What has been sent is nobody's: a store that cannot be told keeps it until its own rules remove it.
            let _ = upload.abort().await;
            Err(error)
        }
    }
}

async fn write_parts(upload: &mut WriteMultipart, from: &mut File) -> Result<(), PutError> {
    let mut buffer = vec![0; 1 << 20];
    loop {
        upload.wait_for_capacity(PARTS_AT_ONCE).await?;
        match from.read(&mut buffer)? {
            0 => return Ok(()),
            length => upload.write(&buffer[..length]),
        }
    }
}
