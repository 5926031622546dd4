//! Where an output leads: a file that is replaced once its successor is whole, or something that is written straight.
//!
//! A name may be a link, a device, a pipe, or one of the names under which systems offer a program its own standard
//! output. Only a regular file, or a name that is free, gets a file by renaming; whatever else is there stays what it is.

use crate::scratch::{Scratch, uninterrupted};
use crate::{BadUsage, output, registry};
use anyhow::{Context, Result, bail};
use quoteclock_replay::Input;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Where an output leads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Target {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// A device, a pipe, or another descriptor of this program: written straight.
    Straight(PathBuf),
    /// A regular file, or a free name, behind any links: written aside, and named once it is whole.
    File(PathBuf),
}

/// As many links as the system itself follows.
const LINKS_MAX: usize = 40;

impl Target {
    /// Where `name` leads.
    pub(crate) fn of(name: &Path) -> Result<Target> {
        let mut path = name.to_owned();
        for _ in 0..LINKS_MAX {
            match descriptor(&path) {
                Some(1) => return Ok(Target::Stdout),
                Some(2) => return Ok(Target::Stderr),
                Some(_) => return Ok(Target::Straight(path)),
                None => {}
            }
            let metadata = match fs::symlink_metadata(&path) {
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Target::File(path)),
                metadata => metadata.with_context(|| format!("looking for {}", path.display()))?,
            };
            if metadata.is_symlink() {
                let next = fs::read_link(&path).with_context(|| format!("following {}", path.display()))?;
                // An absolute one stands for itself.
                path = folder_of(&path).join(next);
            } else if metadata.is_dir() {
                bail!("{}: is a folder, expected a file to write, or a free name", path.display());
            } else if metadata.is_file() {
                return Ok(Target::File(path));
            } else {
                return Ok(Target::Straight(path));
            }
        }
        bail!("{}: leads from link to link without an end", name.display())
    }

    /// Writes what `write` writes: aside, and then in one step in place of what is there, or straight.
    ///
    /// Errors of writing name the output; those of `write` itself are its own.
    pub(crate) fn write<T>(&self, write: impl FnOnce(&mut dyn Write) -> Result<T>) -> Result<T> {
        match self {
            Target::Stdout => through(output::stdout().context("writing to standard output")?, write),
            Target::Stderr => through(io::stderr().lock(), write),
            Target::Straight(path) => through(open_straight(path).with_context(|| writing(path))?, write),
            Target::File(path) => {
                let aside = Scratch::within(folder_of(path))?;
                let whole = aside.path().join("whole");
                let file = File::create(&whole).with_context(|| writing(path))?;
                let written = through(&file, write)?;
                file.sync_all().with_context(|| writing(path))?;
                dress_as(path, &whole).with_context(|| writing(path))?;
                let _guard = uninterrupted();
                fs::rename(&whole, path).with_context(|| writing(path))?;
                Ok(written)
            }
        }
    }
}

fn writing(path: &Path) -> String {
    format!("writing {}", path.display())
}

fn through<T>(to: impl Write, write: impl FnOnce(&mut dyn Write) -> Result<T>) -> Result<T> {
    let mut to = BufWriter::with_capacity(1 << 16, to);
    let written = write(&mut to)?;
    to.flush().context("writing the output")?;
    Ok(written)
}

/// Opens what is there and is no file of its own. Behind a descriptor there may be a file to which others have written.
pub(crate) fn open_straight(path: &Path) -> io::Result<File> {
    let is_file = path.metadata().is_ok_and(|metadata| metadata.is_file());
    OpenOptions::new().write(true).append(is_file).open(path)
}

/// The folder that a file is in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// The number of the descriptor of this program that a name stands for.
fn descriptor(path: &Path) -> Option<u32> {
    let path = path.to_str()?;
    match path {
        "/dev/stdout" => return Some(1),
        "/dev/stderr" => return Some(2),
        _ => {}
    }
    let own = format!("/proc/{}/fd/", std::process::id());
    let number = path.strip_prefix("/dev/fd/").or(path.strip_prefix("/proc/self/fd/")).or(path.strip_prefix(&own))?;
    number.parse().ok()
}

/// Gives a finished file the mode of the one that it will replace, and its owner as far as that is permitted.
pub(crate) fn dress_as(replaced: &Path, finished: &Path) -> io::Result<()> {
    let Ok(old) = replaced.metadata() else { return Ok(()) };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let new = finished.metadata()?;
        if (old.uid(), old.gid()) != (new.uid(), new.gid()) {
            let _ = std::os::unix::fs::chown(finished, Some(old.uid()), Some(old.gid()));
        }
    }
    fs::set_permissions(finished, old.permissions())
}

/// Refuses an output that is one of the inputs, under whatever name, or the same as another output.
pub(crate) fn refuse_inputs(outputs: &[PathBuf], inputs: &[Input], more: &[PathBuf]) -> Result<()> {
    let files = inputs.iter().filter_map(|input| match input {
        Input::File(path) => Some(path),
        _ => None,
    });
    let files: Vec<&PathBuf> = files.chain(more).collect();
    let reads_stdin = inputs.iter().any(is_from_stdin);
    for (position, output) in outputs.iter().enumerate() {
        let name = output.display();
        if files.iter().any(|input| is_same(output, input)) || (reads_stdin && is_stdin(output)) {
            let problem = format!("{name} is to be read and to be written, expected another name for the output");
            return Err(BadUsage(problem).into());
        }
        if outputs[..position].iter().any(|earlier| is_same(output, earlier)) {
            return Err(BadUsage(format!("{name} is to be written twice, expected different outputs")).into());
        }
    }
    Ok(())
}

/// Whether two names are of one file. A device or a pipe may well be both ends.
fn is_same(first: &Path, second: &Path) -> bool {
    let target = |path: &Path| match Target::of(path) {
        Ok(Target::File(path)) => Some(path),
        _ => None,
    };
    let (Some(first), Some(second)) = (target(first), target(second)) else { return false };
    if !first.exists() || !second.exists() {
        let folder =
            |path: &Path| folder_of(path).canonicalize().or_else(|_| std::path::absolute(folder_of(path))).ok();
        let whole = |path: &Path| Some(folder(path)?.join(path.file_name()?));
        return whole(&first).is_some_and(|first| whole(&second) == Some(first));
    }
    same_file::is_same_file(&first, &second).unwrap_or(false)
}

/// Whether an input is standard input, under whatever name.
fn is_from_stdin(input: &Input) -> bool {
    match input {
        Input::Stdin => true,
        Input::File(path) => path == Path::new("/dev/stdin") || descriptor(path) == Some(0),
        _ => false,
    }
}

fn is_stdin(output: &Path) -> bool {
    let Ok(Target::File(path)) = Target::of(output) else { return false };
    let (Ok(stdin), Ok(output)) = (same_file::Handle::stdin(), same_file::Handle::from_path(path)) else {
        return false;
    };
    stdin == output
}

/// The same for what is made of a database and a registry.
pub(crate) fn refuse_sources(outputs: &[PathBuf], db: &Path, registry: &Path) -> Result<()> {
    let mut sources = registry::files(registry);
    sources.push(db.to_owned());
    refuse_inputs(outputs, &[], &sources)
}

/// Refuses to append to a file while it is read: that has no end.
pub(crate) fn refuse_own_output(inputs: &[Input]) -> Result<()> {
    let is_stdout = |input: &Input| {
        let file = match input {
            input if is_from_stdin(input) => same_file::Handle::stdin(),
            Input::File(path) => same_file::Handle::from_path(path),
            _ => return false,
        };
        let (Ok(file), Ok(stdout)) = (file, same_file::Handle::stdout()) else { return false };
        file.as_file().metadata().is_ok_and(|metadata| metadata.is_file()) && file == stdout
    };
    match inputs.iter().find(|input| is_stdout(input)) {
        Some(input) => {
            Err(BadUsage(format!("{} is to be read and is standard output, expected another one", input.name())).into())
        }
        None => Ok(()),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn names_of_this_programs_descriptors_are_known_through_links() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        symlink("/dev/stdout", &link).unwrap();
        let own = format!("/proc/{}/fd/1", std::process::id());
        for name in ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", own.as_str(), link.to_str().unwrap()] {
            assert_eq!(Target::of(Path::new(name)).unwrap(), Target::Stdout, "{name}");
        }
        assert_eq!(Target::of(Path::new("/dev/stderr")).unwrap(), Target::Stderr);
        assert_eq!(Target::of(Path::new("/dev/null")).unwrap(), Target::Straight("/dev/null".into()));
        assert_eq!(Target::of(Path::new("/dev/fd/7")).unwrap(), Target::Straight("/dev/fd/7".into()));
    }

    #[test]
    fn links_are_followed_to_a_file_or_a_free_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        symlink("free", path("dangling")).unwrap();
        symlink("dangling", path("twice")).unwrap();
        symlink("round", path("round")).unwrap();
        fs::create_dir(path("folder")).unwrap();
        assert_eq!(Target::of(&path("twice")).unwrap(), Target::File(path("free")));
        assert!(Target::of(&path("round")).unwrap_err().to_string().contains("without an end"));
        assert!(Target::of(&path("folder")).unwrap_err().to_string().contains("is a folder"));
    }
}
