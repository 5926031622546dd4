//! How a file is opened: what its name means, how long others are waited for, and how one is read that nobody may write.

use crate::error::{BUSY_TIMEOUT, StoreError};
use rusqlite::{Connection, OpenFlags};
use std::borrow::Cow;
use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long it waits without a word.
const SILENT_MAX: Duration = Duration::from_secs(1);

/// How long it sleeps between two looks.
const PAUSE: Duration = Duration::from_millis(20);

static TELL: OnceLock<fn()> = OnceLock::new();
static TOLD: AtomicBool = AtomicBool::new(false);

thread_local! {
    static BEGAN: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Has `tell` called, once, when another program that writes has been waited for a second. Only the first call counts.
///
/// ```
/// quoteclock_store::on_waiting(|| eprintln!("waiting for another program that writes to the database"));
/// ```
pub fn on_waiting(tell: fn()) {
    let _ = TELL.set(tell);
}

/// Waits a little for another program; says whether to try once more. `count` is how often it has been tried.
pub(crate) fn wait(count: i32) -> bool {
    let began = BEGAN.get().filter(|_| 0 < count).unwrap_or_else(Instant::now);
    BEGAN.set(Some(began));
    if SILENT_MAX <= began.elapsed()
        && !TOLD.swap(true, Ordering::Relaxed)
        && let Some(tell) = TELL.get()
    {
        tell();
    }
    std::thread::sleep(PAUSE);
    began.elapsed() < BUSY_TIMEOUT
}

/// Opens a file for writing, or as far as the system permits.
pub(crate) fn open(file: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let mut connection = Connection::open_with_flags(plain(file), flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_handler(Some(wait))?;
    Ok(connection)
}

/// Opens a file that nobody can be writing to, in a place where nothing can be written.
pub(crate) fn open_frozen(file: &Path) -> Result<Connection, StoreError> {
    // SQLite follows a link, and has its logs beside what that leads to.
    let target = file.canonicalize().unwrap_or_else(|_| file.to_owned());
    let holds_something = |log: &PathBuf| log.metadata().is_ok_and(|metadata| 0 < metadata.len());
    if let Some(log) = ["-wal", "-journal"].map(|ending| beside(&target, ending)).into_iter().find(holds_something) {
        return Err(StoreError::LogBeside { file: file.to_owned(), log });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = Connection::open_with_flags(format!("{}?immutable=1", uri(file)), flags);
    opened.map_err(|source| StoreError::of(file, "opening it", source))
}

/// The file of that name and `ending`.
pub(crate) fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// A name that means a file to SQLite, and nothing else: `:memory:` and `file:...` do not, as they stand.
pub(crate) fn plain(file: &Path) -> PathBuf {
    if file.is_absolute() { file.to_owned() } else { Path::new(".").join(file) }
}

/// The name as text for a statement.
pub(crate) fn text(file: &Path) -> String {
    let plain = plain(file);
    plain.to_str().map_or_else(|| uri(file), str::to_owned)
}

/// The name as a URI, which spells all bytes.
fn uri(file: &Path) -> String {
    let bytes = file.as_os_str().as_encoded_bytes();
    let bytes: Cow<'_, [u8]> = if cfg!(windows) {
        bytes.iter().map(|&byte| if byte == b'\\' { b'/' } else { byte }).collect()
    } else {
        bytes.into()
    };
    let mut uri = match (file.is_absolute(), bytes.first()) {
        (true, Some(b'/')) => "file://".to_owned(),
        (true, _) => "file:///".to_owned(),
        (false, _) => "file:./".to_owned(),
    };
    for &byte in bytes.iter() {
        if byte.is_ascii_alphanumeric() || b"/._-~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_file_whatever_it_means_to_sqlite() {
        let of = |name: &str| (text(Path::new(name)), uri(Path::new(name)));
        assert_eq!(of(":memory:"), ("./:memory:".to_owned(), "file:./%3Amemory%3A".to_owned()));
        assert_eq!(of("file:x.db?mode=memory").0, "./file:x.db?mode=memory");
        if cfg!(unix) {
            assert_eq!(of("/a b/c%d.db"), ("/a b/c%d.db".to_owned(), "file:///a%20b/c%25d.db".to_owned()));
            assert_eq!(of("//x.db").1, "file:////x.db");
        }
    }
}
