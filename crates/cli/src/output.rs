//! Standard output, on which only results appear.

use anyhow::Result;
use std::io::{Write, stdout};

/// Prints `text` to standard output.
pub(crate) fn print(text: &str) -> Result<()> {
    let mut stdout = stdout().lock();
    stdout.write_all(text.as_bytes())?;
    Ok(stdout.flush()?)
}
