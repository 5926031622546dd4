//! Several finished files that get their names in one folder: all of them, or none.

use crate::output;
use crate::scratch::{Scratch, Uninterrupted, uninterrupted};
use crate::target::{Target, dress_as, folder_of, open_straight};
use anyhow::{Context, Result, bail};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Finished files, and all that is needed to name them. Whatever is likely to fail has been looked at or done.
#[derive(Debug)]
pub(crate) struct Publication {
    moves: Vec<Move>,
    /// Files of an earlier run that this one has no successor for.
    stale: Vec<PathBuf>,
    /// Folders beside the targets of links.
    _aside: Vec<Scratch>,
}

#[derive(Debug)]
struct Move {
    from: PathBuf,
    to: Target,
    /// What was there, under a second name, if it could be given one.
    kept: Option<PathBuf>,
    was_free: bool,
}

/// Refuses names in `out` that could not be given, or taken away, before anything is measured.
pub(crate) fn look(out: &Path, names: &[impl AsRef<Path>], stale: &[&str]) -> Result<()> {
    for name in names {
        if let Target::File(path) = Target::of(&out.join(name))? {
            refuse_what_others_own(&path)?;
        }
    }
    for name in stale {
        let path = out.join(name);
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_dir() => {
                bail!("{}: is a folder, expected a file of an earlier run or a free name", path.display());
            }
            Ok(_) => refuse_what_others_own(&path)?,
            Err(_) => {}
        }
    }
    Ok(())
}

/// In a folder with the sticky bit only the owner of a file, or of the folder, may replace it.
#[cfg(unix)]
fn refuse_what_others_own(path: &Path) -> Result<()> {
    use std::os::unix::fs::MetadataExt;
    const STICKY: u32 = 0o1000;
    let (Ok(file), Ok(folder)) = (fs::symlink_metadata(path), folder_of(path).metadata()) else { return Ok(()) };
    if folder.mode() & STICKY == 0 {
        return Ok(());
    }
    // Whoever makes a file owns it: that tells who we are.
    let own = tempfile::tempfile_in(folder_of(path)).and_then(|file| file.metadata());
    let own = own.with_context(|| format!("writing to the folder {}", folder_of(path).display()))?.uid();
    if own != 0 && own != file.uid() && own != folder.uid() {
        bail!("{}: belongs to somebody else, and may not be replaced in this folder", path.display());
    }
    Ok(())
}

#[cfg(not(unix))]
fn refuse_what_others_own(_: &Path) -> Result<()> {
    Ok(())
}

impl Publication {
    /// Prepares the files `names` in `staging` for their names in `out`, which is made if it is not there; those of
    /// `stale` that are there will go.
    pub(crate) fn prepare(
        staging: &Path,
        names: &[impl AsRef<Path>],
        out: &Path,
        stale: &[&str],
    ) -> Result<Publication> {
        fs::create_dir_all(out).with_context(|| format!("making the folder {}", out.display()))?;
        look(out, names, stale)?;
        let mut aside = Vec::new();
        let moves = names.iter().map(|name| prepare_move(staging, name.as_ref(), out, &mut aside));
        let moves = moves.collect::<Result<_>>()?;
        let is_there = |path: &PathBuf| fs::symlink_metadata(path).is_ok_and(|metadata| !is_special(&metadata));
        let stale = stale.iter().map(|name| out.join(name)).filter(is_there).collect();
        Ok(Publication { moves, stale, _aside: aside })
    }

    /// Gives the names: what goes wrong is undone. Signals wait; with `held` they do so already.
    pub(crate) fn carry_out(self, held: Option<Uninterrupted>) -> Result<()> {
        let _guard = held.unwrap_or_else(uninterrupted);
        for (position, one) in self.moves.iter().enumerate() {
            let Err(error) = one.carry_out() else { continue };
            let undone = self.moves[..position].iter().rev().all(|earlier| earlier.undo().is_ok());
            let rest = match (position, undone) {
                (0, _) | (_, true) => "the output files are as they were before".to_owned(),
                _ => {
                    let new: Vec<String> = self.moves[..position].iter().map(|one| one.to.to_string()).collect();
                    format!("new are only {}", new.join(", "))
                }
            };
            return Err(error.context(format!("{}: {rest}", one.to)));
        }
        for stale in &self.stale {
            match fs::remove_file(stale) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    let what = format!("{}: is of an earlier run, and cannot be removed", stale.display());
                    return Err(error).context(what);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(unix)]
fn is_special(metadata: &fs::Metadata) -> bool {
    !metadata.is_file() && !metadata.is_symlink()
}

#[cfg(not(unix))]
fn is_special(_: &fs::Metadata) -> bool {
    false
}

fn prepare_move(staging: &Path, name: &Path, out: &Path, aside: &mut Vec<Scratch>) -> Result<Move> {
    let mut from = staging.join(name);
    let to = Target::of(&out.join(name))?;
    let Target::File(path) = &to else { return Ok(Move { from, to, kept: None, was_free: false }) };
    let preparing = || format!("writing {}", path.display());
    if folder_of(path) != out {
        // A link may lead to another file system, into which nothing can be renamed.
        let beside = Scratch::within(folder_of(path))?;
        let copy = beside.path().join("whole");
        fs::copy(&from, &copy).and_then(|_| File::open(&copy)?.sync_all()).with_context(preparing)?;
        aside.push(beside);
        from = copy;
    }
    dress_as(path, &from).with_context(preparing)?;
    let kept = from.with_file_name(format!("{}.kept", name.display()));
    let kept = fs::hard_link(path, &kept).ok().map(|()| kept);
    let was_free = !path.exists();
    Ok(Move { from, to, kept, was_free })
}

impl Move {
    fn carry_out(&self) -> Result<()> {
        match &self.to {
            Target::File(path) => fs::rename(&self.from, path)?,
            Target::Straight(path) => drop(io::copy(&mut File::open(&self.from)?, &mut open_straight(path)?)?),
            Target::Stdout => {
                let mut stdout = output::stdout()?;
                io::copy(&mut File::open(&self.from)?, &mut stdout)?;
                stdout.flush()?;
            }
            Target::Stderr => drop(io::copy(&mut File::open(&self.from)?, &mut io::stderr().lock())?),
        }
        Ok(())
    }

    fn undo(&self) -> io::Result<()> {
        match (&self.to, &self.kept) {
            (Target::File(path), Some(kept)) => fs::rename(kept, path),
            (Target::File(path), None) if self.was_free => fs::remove_file(path),
            _ => Err(ErrorKind::Unsupported.into()),
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Target::Stdout => f.write_str("standard output"),
            Target::Stderr => f.write_str("standard error"),
            Target::Straight(path) | Target::File(path) => path.display().fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 3] = ["breaches.csv", "rejects.csv", "daily.csv"];

    /// A folder with an earlier `breaches.csv`, and finished files to be named in it.
    fn prepared() -> (tempfile::TempDir, PathBuf, Publication) {
        let folder = tempfile::tempdir().unwrap();
        let (staging, out) = (folder.path().join("staging"), folder.path().join("out"));
        fs::create_dir(&staging).unwrap();
        fs::create_dir(&out).unwrap();
        fs::write(out.join("breaches.csv"), "old").unwrap();
        fs::write(out.join("daily.parquet"), "old").unwrap();
        for name in NAMES {
            fs::write(staging.join(name), "new").unwrap();
        }
        let publication = Publication::prepare(&staging, &NAMES, &out, &["daily.parquet"]).unwrap();
        (folder, out, publication)
    }

    #[test]
    fn all_names_are_given_and_what_is_stale_goes() {
        let (_folder, out, publication) = prepared();
        publication.carry_out(None).unwrap();
        assert!(NAMES.iter().all(|name| fs::read_to_string(out.join(name)).unwrap() == "new"));
        assert_eq!(fs::read_dir(&out).unwrap().count(), NAMES.len());
    }

    #[test]
    fn a_name_that_cannot_be_given_after_all_leaves_the_others_as_they_were() {
        let (_folder, out, publication) = prepared();
        fs::create_dir(out.join("daily.csv")).unwrap();
        let error = crate::terminal::error_text(&publication.carry_out(None).unwrap_err());
        assert!(error.contains("daily.csv: the output files are as they were before: "), "{error}");
        assert_eq!(fs::read_to_string(out.join("breaches.csv")).unwrap(), "old");
        assert!(!out.join("rejects.csv").exists() && out.join("daily.parquet").exists());
    }
}
