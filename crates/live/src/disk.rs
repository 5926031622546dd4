//! The file layer under the journal, small enough that tests stand in for it: one that fails at any step, and one that
//! forgets what was not synced.

use std::fmt::Debug;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

/// Files in folders.
pub(crate) trait Disk: Send + Sync + Debug {
    /// Makes a folder that only its owner can look into, if it is not there.
    fn make_folder(&self, folder: &Path) -> io::Result<()>;
    /// The names of the files in a folder, sorted.
    fn list(&self, folder: &Path) -> io::Result<Vec<String>>;
    /// Makes a file that only its owner can read; it must not be there.
    fn create(&self, file: &Path) -> io::Result<Arc<dyn DiskFile>>;
    /// Opens a file to read and to append.
    fn open(&self, file: &Path) -> io::Result<Arc<dyn DiskFile>>;
    /// Gives a file another name in its folder.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, file: &Path) -> io::Result<()>;
    /// Puts the names in a folder on the disk.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
}

/// A file that grows.
pub(crate) trait DiskFile: Send + Sync + Debug {
    /// Appends all of `bytes`.
    fn append(&self, bytes: &[u8]) -> io::Result<()>;
    /// Reads from `offset` on; 0 at the end.
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Cuts off what lies beyond `length`.
    fn cut(&self, length: u64) -> io::Result<()>;
    /// Puts everything that was appended on the disk.
    fn sync(&self) -> io::Result<()>;
}

/// The real one.
#[derive(Debug)]
pub(crate) struct RealDisk;

impl Disk for RealDisk {
    fn make_folder(&self, folder: &Path) -> io::Result<()> {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            names.extend(entry?.file_name().into_string().ok());
        }
        names.sort();
        Ok(names)
    }

    fn create(&self, file: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let mut options = OpenOptions::new();
        Ok(Arc::new(options.read(true).append(true).create_new(true).mode(0o600).open(file)?))
    }

    fn open(&self, file: &Path) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(OpenOptions::new().read(true).append(true).open(file)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, file: &Path) -> io::Result<()> {
        std::fs::remove_file(file)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }
}

impl DiskFile for File {
    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        let mut file = self;
        file.write_all(bytes)
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(self, bytes, offset)
    }

    fn cut(&self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::path::PathBuf;
    use std::sync::Mutex;

    /// A disk in memory that fails at one step, and forgets on request what was not synced.
    #[derive(Clone, Debug, Default)]
    pub(crate) struct TestDisk(Arc<Mutex<Inside>>);

    #[derive(Clone, Debug, Default)]
    struct Inside {
        /// Names now, and as they are on the disk.
        names: BTreeMap<PathBuf, u64>,
        names_synced: BTreeMap<PathBuf, u64>,
        files: BTreeMap<u64, Bytes>,
        steps: u64,
        fails_at: Option<u64>,
        next: u64,
    }

    #[derive(Clone, Debug, Default)]
    struct Bytes {
        now: Vec<u8>,
        synced: Vec<u8>,
    }

    #[derive(Debug)]
    struct TestFile(TestDisk, u64);

    impl TestDisk {
        /// Fails at the step with this number, counted from 0, and at no other.
        pub(crate) fn fail_at(&self, step: Option<u64>) {
            let mut inside = self.0.lock().unwrap();
            (inside.steps, inside.fails_at) = (0, step);
        }

        /// How many steps there have been.
        pub(crate) fn steps(&self) -> u64 {
            self.0.lock().unwrap().steps
        }

        /// The power fails: what was not synced is gone; of each file a part of it, told by `keep`, has reached the disk.
        pub(crate) fn lose_power(&self, keep: impl Fn(usize) -> usize) {
            let mut inside = self.0.lock().unwrap();
            inside.names = inside.names_synced.clone();
            for file in inside.files.values_mut() {
                let unsynced = file.now.get(file.synced.len()..).unwrap_or_default().to_vec();
                file.now = [&file.synced[..], &unsynced[..keep(unsynced.len()).min(unsynced.len())]].concat();
                file.synced = file.now.clone();
            }
        }

        /// Another with the same on it.
        pub(crate) fn copy(&self) -> TestDisk {
            TestDisk(Arc::new(Mutex::new(self.0.lock().unwrap().clone())))
        }

        fn step(&self) -> io::Result<std::sync::MutexGuard<'_, Inside>> {
            let mut inside = self.0.lock().unwrap();
            let step = inside.steps;
            inside.steps += 1;
            if inside.fails_at == Some(step) {
                return Err(io::Error::new(io::ErrorKind::StorageFull, "no room, says the test"));
            }
            Ok(inside)
        }
    }

    fn absent() -> io::Error {
        io::Error::new(io::ErrorKind::NotFound, "no such file")
    }

    impl Disk for TestDisk {
        fn make_folder(&self, _: &Path) -> io::Result<()> {
            self.step().map(drop)
        }

        fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
            let inside = self.step()?;
            let names = inside.names.keys().filter(|name| name.parent() == Some(folder));
            Ok(names.map(|name| name.file_name().unwrap().to_string_lossy().into_owned()).collect())
        }

        fn create(&self, file: &Path) -> io::Result<Arc<dyn DiskFile>> {
            let mut inside = self.step()?;
            assert!(!inside.names.contains_key(file), "{file:?} is there");
            let number = inside.next;
            inside.next += 1;
            inside.names.insert(file.to_owned(), number);
            inside.files.insert(number, Bytes::default());
            Ok(Arc::new(TestFile(self.clone(), number)))
        }

        fn open(&self, file: &Path) -> io::Result<Arc<dyn DiskFile>> {
            let inside = self.step()?;
            let number = *inside.names.get(file).ok_or_else(absent)?;
            Ok(Arc::new(TestFile(self.clone(), number)))
        }

        fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
            let mut inside = self.step()?;
            let number = inside.names.remove(from).ok_or_else(absent)?;
            inside.names.insert(to.to_owned(), number);
            Ok(())
        }

        fn remove(&self, file: &Path) -> io::Result<()> {
            self.step()?.names.remove(file).map(drop).ok_or_else(absent)
        }

        fn sync_folder(&self, _: &Path) -> io::Result<()> {
            let mut inside = self.step()?;
            inside.names_synced = inside.names.clone();
            Ok(())
        }
    }

    impl TestFile {
        fn with<T>(&self, change: impl FnOnce(&mut Bytes) -> T) -> io::Result<T> {
            let mut inside = self.0.step()?;
            Ok(change(inside.files.get_mut(&self.1).unwrap()))
        }
    }

    impl DiskFile for TestFile {
        fn append(&self, bytes: &[u8]) -> io::Result<()> {
            let result = self.with(|file| file.now.extend_from_slice(bytes));
            if result.is_err() {
                // A full disk takes a part.
                let mut inside = self.0.0.lock().unwrap();
                inside.files.get_mut(&self.1).unwrap().now.extend_from_slice(&bytes[..bytes.len() / 2]);
            }
            result
        }

        fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
            self.with(|file| {
                let rest = file.now.get(usize::try_from(offset).unwrap()..).unwrap_or_default();
                let count = rest.len().min(bytes.len());
                bytes[..count].copy_from_slice(&rest[..count]);
                count
            })
        }

        fn cut(&self, length: u64) -> io::Result<()> {
            self.with(|file| file.now.truncate(usize::try_from(length).unwrap()))
        }

        fn sync(&self) -> io::Result<()> {
            self.with(|file| file.synced = file.now.clone())
        }
    }
}
