//! Standard output, on which only results appear.

use anyhow::{Context, Result};
use std::io::{self, ErrorKind, Write, stdout};

/// The version of every JSON document, as their member `schema`; docs/schema describes them.
pub(crate) const SCHEMA: u32 = 1;

/// Prints `text` to standard output.
pub(crate) fn print(text: &str) -> Result<()> {
    print_with(|stdout| stdout.write_all(text.as_bytes()))
}

/// Prints what `write` writes to standard output. A reader that has left before the end has what it wanted: that is no
/// error, and takes nothing from the exit code.
pub(crate) fn print_with(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let mut stdout = stdout().lock();
    match write(&mut stdout).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result.context("writing to standard output"),
    }
}
