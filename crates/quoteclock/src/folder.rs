//! Files of a folder that people edit, read into memory. One that cannot be read is a finding like any other: whoever has
//! to mend the folder wants to see all that is wrong with it.

use quoteclock_rules::{Finding, Severity, SourceFile};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// How large a file may be.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// Reads the files of the folder that are called one of `names`, in that order. One that is not there is left out; one that
/// cannot be read is told in the second list, in place of its content.
///
/// Only regular files of at most 256 MiB are read: what never ends would take all memory, or all time.
///
/// ```
/// let (files, unread) = quoteclock::read_files("../../replay-data/tse-small/registry".as_ref(), &["issues.csv", "absent.csv"]);
/// assert_eq!((files.len(), unread.len()), (1, 0));
/// ```
pub fn read_files(folder: &Path, names: &[&str]) -> (Vec<SourceFile>, Vec<Finding>) {
    let (mut files, mut unread) = (Vec::new(), Vec::new());
    for &name in names {
        let unreadable =
            |message| Finding { severity: Severity::Error, file: name.to_owned(), line: None, column: None, message };
        let file = folder.join(name);
        match read_file(&file) {
            Ok(bytes) => files.push(SourceFile { name: name.to_owned(), bytes }),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                // The name may be there all the same: a link to something that is not.
                if file.symlink_metadata().is_ok() {
                    let target = std::fs::read_link(&file).unwrap_or_default();
                    let message = format!("is a link to {}, which is not there, expected a file", target.display());
                    unread.push(unreadable(message));
                }
            }
            Err(error) => unread.push(unreadable(error.to_string())),
        }
    }
    (files, unread)
}

fn read_file(file: &Path) -> io::Result<Vec<u8>> {
    let unreadable = |error: io::Error| io::Error::new(error.kind(), format!("cannot be read: {error}"));
    let metadata = std::fs::metadata(file).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(io::Error::other("is not a regular file, expected one"));
    }
    let too_large = || io::Error::other("has more than 256 MiB, expected at most that");
    if FILE_BYTES_MAX < metadata.len() {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    // It may grow while it is read.
    let opened = std::fs::File::open(file).map_err(unreadable)?;
    let read = opened.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if FILE_BYTES_MAX < read as u64 { Err(too_large()) } else { Ok(bytes) }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_name_that_cannot_be_read_is_told_and_one_that_is_not_there_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("good.csv"), "a\n").unwrap();
        symlink("good.csv", path("link.csv")).unwrap();
        symlink("nowhere/at/all.csv", path("dangling.csv")).unwrap();
        symlink("round.csv", path("round.csv")).unwrap();
        std::fs::create_dir(path("folder.csv")).unwrap();
        symlink("/dev/zero", path("endless.csv")).unwrap();
        std::fs::File::create(path("large.csv")).unwrap().set_len(FILE_BYTES_MAX + 1).unwrap();
        let names = [
            "good.csv",
            "link.csv",
            "absent.csv",
            "dangling.csv",
            "round.csv",
            "folder.csv",
            "endless.csv",
            "large.csv",
        ];
        let (files, unread) = read_files(folder.path(), &names);
        assert_eq!(files.iter().map(|file| file.name.as_str()).collect::<Vec<_>>(), ["good.csv", "link.csv"]);
        let told: Vec<String> = unread.iter().map(Finding::to_string).collect();
        assert_eq!(told[0], "dangling.csv: is a link to nowhere/at/all.csv, which is not there, expected a file");
        assert!(told[1].starts_with("round.csv: cannot be read: "), "{told:?}");
        assert_eq!(
            told[2..],
            [
                "folder.csv: is not a regular file, expected one",
                "endless.csv: is not a regular file, expected one",
                "large.csv: has more than 256 MiB, expected at most that",
            ]
        );
    }
}
