//! Standard output, on which only results appear.

use anyhow::{Context, Result};
use std::io::{self, ErrorKind, StdoutLock, Write};

/// The version of every JSON document, as their member `schema`; docs/schema describes them.
pub(crate) const SCHEMA: u32 = 1;

/// Standard output, to be written.
///
/// # Errors
/// If it was closed when the program began: what is written then would be lost without a word.
pub(crate) fn stdout() -> io::Result<StdoutLock<'static>> {
    if closed::was_closed() {
        return Err(io::Error::other("it is closed, expected a file, a pipe or a terminal"));
    }
    Ok(io::stdout().lock())
}

/// Prints `text` to standard output.
pub(crate) fn print(text: &str) -> Result<()> {
    print_with(|stdout| stdout.write_all(text.as_bytes()))
}

/// Prints what `write` writes to standard output. A reader that has left before the end has what it wanted: that is no
/// error, and takes nothing from the exit code.
pub(crate) fn print_with(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let written = stdout().and_then(|mut stdout| {
        write(&mut stdout)?;
        stdout.flush()
    });
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result.context("writing to standard output"),
    }
}

/// Whether standard output was closed when the program began. Before `main` the standard library opens the null device in
/// its place, which nobody can tell from one that was asked for; so this looks before that.
#[cfg(target_os = "linux")]
mod closed {
    use std::path::Path;
    use std::sync::atomic::{AtomicBool, Ordering};

    static WAS_CLOSED: AtomicBool = AtomicBool::new(false);

    #[used]
    #[unsafe(link_section = ".init_array")]
    #[allow(unsafe_code, reason = "there is no safe way to run before the standard library has begun")]
    static BEFORE_MAIN: extern "C" fn() = look;

    /// Without `/proc` nothing can be told.
    extern "C" fn look() {
        let descriptors = Path::new("/proc/self/fd");
        let is_closed = descriptors.join("1").symlink_metadata().is_err() && descriptors.is_dir();
        WAS_CLOSED.store(is_closed, Ordering::Relaxed);
    }

    pub(super) fn was_closed() -> bool {
        WAS_CLOSED.load(Ordering::Relaxed)
    }
}

#[cfg(not(target_os = "linux"))]
mod closed {
    pub(super) fn was_closed() -> bool {
        false
    }
}
