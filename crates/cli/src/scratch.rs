//! Folders for what is not finished yet, gone when the run ends, well or not.
//!
//! A folder is removed when its owner drops it, and by a thread that waits for the signals that end a program. What a
//! killed program leaves is removed by a later run that works in the same place: a lock that its maker held, and holds no
//! longer, tells. While results get their names the signals wait, so that they are given all or none.

use anyhow::{Context, Result};
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tempfile::TempDir;

/// What the name of every such folder begins with.
const PREFIX: &str = ".quoteclock-";

/// The file in each folder that its maker keeps locked.
const LOCK: &str = "lock";

/// A folder without a lock is being made, or its maker was killed while making it. Nobody takes this long.
const UNLOCKED_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// The folders to take away when a signal ends the program.
static LIVE: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Held while what must not be interrupted goes on.
static UNINTERRUPTED: Mutex<()> = Mutex::new(());

/// A folder for what is not finished yet.
#[derive(Debug)]
pub(crate) struct Scratch {
    folder: TempDir,
    /// Held as long as the folder is in use.
    _lock: Option<File>,
}

impl Scratch {
    /// A folder in the system's place for temporary files.
    pub(crate) fn anywhere() -> Result<Scratch> {
        Scratch::within(&std::env::temp_dir()).context("making a temporary folder")
    }

    /// A folder in `near`, which is there.
    pub(crate) fn within(near: &Path) -> Result<Scratch> {
        let near = if near == Path::new("") { Path::new(".") } else { near };
        signals::attend();
        sweep(near);
        // A signal that comes now waits until the folder is known.
        let mut live = live();
        let made = tempfile::Builder::new().prefix(PREFIX).tempdir_in(near);
        let folder = made.with_context(|| format!("writing to the folder {}", near.display()))?;
        live.push(folder.path().to_owned());
        drop(live);
        let lock = lock(folder.path()).ok();
        Ok(Scratch { folder, _lock: lock })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        live().retain(|path| path != self.folder.path());
    }
}

fn live() -> MutexGuard<'static, Vec<PathBuf>> {
    LIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// While it is there signals wait.
pub(crate) type Uninterrupted = MutexGuard<'static, ()>;

/// Keeps signals from ending the program until what it gives is dropped.
pub(crate) fn uninterrupted() -> Uninterrupted {
    UNINTERRUPTED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Locks a new folder. The lock is there before its name is, so that nobody sees it without.
fn lock(folder: &Path) -> io::Result<File> {
    let unnamed = folder.join("lock.new");
    let file = File::create_new(&unnamed)?;
    file.lock()?;
    fs::rename(&unnamed, folder.join(LOCK))?;
    Ok(file)
}

/// Removes the folders in `near` whose makers are gone. What cannot be told or removed stays: it is in nobody's way.
fn sweep(near: &Path) {
    let Ok(entries) = fs::read_dir(near) else { return };
    for entry in entries.flatten() {
        let is_ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        if is_ours && entry.file_type().is_ok_and(|kind| kind.is_dir()) && is_abandoned(&entry.path()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn is_abandoned(folder: &Path) -> bool {
    match File::open(folder.join(LOCK)) {
        Ok(file) => match file.try_lock() {
            Ok(()) => true,
            // Somebody holds it, or locks mean nothing here.
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => false,
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let modified = folder.metadata().and_then(|metadata| metadata.modified());
            modified.is_ok_and(|time| time.elapsed().is_ok_and(|age| UNLOCKED_MAX < age))
        }
        Err(_) => false,
    }
}

#[cfg(unix)]
mod signals {
    //! Ctrl-C, TERM and HUP take the folders away, and then end the program as they would have.

    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;
    use std::sync::Once;
    use std::sync::mpsc::sync_channel;

    /// Starts to wait for signals, once. Where no thread can be had for it they end the program at once, and a later run
    /// takes away what it leaves.
    pub(super) fn attend() {
        static BEGUN: Once = Once::new();
        BEGUN.call_once(|| {
            let (ready, begun) = sync_channel::<()>(1);
            let thread = std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
                let signals = Signals::new(attended());
                drop(ready);
                if let Ok(mut signals) = signals {
                    for signal in signals.forever() {
                        end(signal);
                    }
                }
            });
            if thread.is_ok() {
                let _ = begun.recv();
            }
        });
    }

    /// Those that whoever started us has not told us to pass over, as `nohup` does.
    fn attended() -> Vec<i32> {
        let all = [SIGINT, SIGTERM, SIGHUP];
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        match ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()) {
            Some(mask) => all.into_iter().filter(|signal| mask >> (signal - 1) & 1 == 0).collect(),
            // Not known: HUP is the one that people have passed over.
            None => vec![SIGINT, SIGTERM],
        }
    }

    fn end(signal: i32) {
        let _waited = super::uninterrupted();
        for folder in super::live().iter() {
            // Another thread may be writing a file there meanwhile.
            for _ in 0..3 {
                if std::fs::remove_dir_all(folder).is_ok() {
                    break;
                }
            }
        }
        let _ = signal_hook::low_level::emulate_default_handler(signal);
    }
}

#[cfg(not(unix))]
mod signals {
    /// A later run takes away what a program leaves that is ended.
    pub(super) fn attend() {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_folders_whose_makers_are_gone_are_swept() {
        let near = tempfile::tempdir().unwrap();
        let live = Scratch::within(near.path()).unwrap();
        let abandoned = near.path().join(".quoteclock-gone");
        fs::create_dir(&abandoned).unwrap();
        drop(lock(&abandoned).unwrap());
        fs::write(abandoned.join("days.db"), "half").unwrap();
        let being_made = near.path().join(".quoteclock-new");
        fs::create_dir(&being_made).unwrap();
        let old = near.path().join(".quoteclock-old");
        fs::create_dir(&old).unwrap();
        let a_day_ago = std::time::SystemTime::now() - UNLOCKED_MAX - Duration::from_secs(60);
        File::open(&old).unwrap().set_modified(a_day_ago).unwrap();
        let others = [near.path().join("folder"), near.path().join(".quoteclock-file")];
        fs::create_dir(&others[0]).unwrap();
        fs::write(&others[1], "").unwrap();
        let next = Scratch::within(near.path()).unwrap();
        assert!(live.path().is_dir() && next.path().is_dir() && being_made.is_dir());
        assert!(others.iter().all(|path| path.exists()));
        assert!(!abandoned.exists() && !old.exists());
        let path = live.path().to_owned();
        drop(live);
        assert!(!path.exists());
    }
}
