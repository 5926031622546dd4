//! Names that are objects of a store, where a command takes files: `s3://`, `gs://`, `az://`, `https://`.
//!
//! An input is read as it comes. What is written is whole on this machine first, and then put under its name; so a name has
//! what was there, or all of what has come in its place.

use crate::BadUsage;
use crate::scratch::Scratch;
use anyhow::{Context, Result, bail};
use jiff::civil::Date;
use quoteclock_model::Shard;
use quoteclock_objects::{Location, ObjectError};
use quoteclock_replay::Input;
use quoteclock_rules::FILE_NAMES;
use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

/// Where a name leads, if it is one of an object.
///
/// # Errors
/// Bad usage, if it is meant as one and is none.
pub(crate) fn location(name: &Path) -> Result<Option<Location>> {
    match name.to_str() {
        Some(text) if Location::is_meant(text) => match Location::named(text) {
            Ok(location) => Ok(Some(location)),
            Err(error) => Err(BadUsage(crate::terminal::error_text(&error.into())).into()),
        },
        _ => Ok(None),
    }
}

/// Whether a name is one of an object.
///
/// # Errors
/// Bad usage, if it is meant as one and is none.
pub(crate) fn is_object(name: &Path) -> Result<bool> {
    Ok(location(name)?.is_some())
}

/// The input that a command names.
pub(crate) fn input(name: &Path) -> Result<Input> {
    Ok(match location(name)? {
        Some(location) => Input::opened(&name.display().to_string(), location.reader()),
        None => Input::named(name),
    })
}

/// A registry's files, copied from where they are objects into a folder that is gone with what is given; `None` where they are files.
pub(crate) fn registry(folder: &Path) -> Result<Option<Scratch>> {
    let Some(location) = location(folder)? else { return Ok(None) };
    let copy = Scratch::anywhere()?;
    for name in FILE_NAMES {
        match location.join(name).fetch(&copy.path().join(name)) {
            Ok(()) | Err(ObjectError::Absent { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Some(copy))
}

/// Files that are objects, copied into a folder that is gone with it.
pub(crate) struct Copies {
    /// Where each of them is on this machine, as it was named.
    pub(crate) paths: Vec<PathBuf>,
    _folder: Scratch,
}

/// Copies those of some files that are objects; `None` where none is.
pub(crate) fn copies(names: &[PathBuf]) -> Result<Option<Copies>> {
    let mut paths = names.to_vec();
    let folder = Scratch::anywhere()?;
    let mut is_any = false;
    for (number, path) in paths.iter_mut().enumerate() {
        if let Some(location) = location(path)? {
            let copy = folder.path().join(number.to_string());
            location.fetch(&copy)?;
            (*path, is_any) = (copy, true);
        }
    }
    Ok(is_any.then_some(Copies { paths, _folder: folder }))
}

/// The bytes of a file, or of an object.
pub(crate) fn read(name: &Path) -> Result<Vec<u8>> {
    match location(name)? {
        None => Ok(fs::read(name)?),
        Some(location) => {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut location.reader(), &mut bytes)?;
            Ok(bytes)
        }
    }
}

/// A dataset's files of some dates, copied from where they are objects into a folder that is gone with what is given; `None` where
/// they are files.
#[cfg(feature = "parquet")]
pub(crate) fn dataset(folder: &Path, dates: &RangeInclusive<Date>) -> Result<Option<Scratch>> {
    let Some(location) = location(folder)? else { return Ok(None) };
    let date_of = |name: &str| name.split('/').find_map(|part| part.strip_prefix("date=")?.parse::<Date>().ok());
    let copy = Scratch::anywhere()?;
    let names = location.names_below()?;
    for name in names.iter().filter(|name| date_of(name).is_some_and(|date| dates.contains(&date))) {
        let to = copy.path().join(name);
        fs::create_dir_all(to.parent().unwrap_or(copy.path())).context("copying a dataset")?;
        location.join(name).fetch(&to)?;
    }
    if names.is_empty() {
        bail!("{location}: expected a dataset that replay --parquet-dataset has written");
    }
    Ok(Some(copy))
}

/// Outputs that are objects: where they are made, and where they go.
#[derive(Default, Debug)]
pub(crate) struct Outputs {
    folder: Option<Scratch>,
    all: Vec<Output>,
}

#[derive(Debug)]
struct Output {
    made_at: PathBuf,
    goes_to: Location,
    kind: Kind,
}

/// What an output is.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// A file.
    File,
    /// A folder of files; of those that an earlier run may have left there these go, where this one has not made them.
    Folder { stale: Vec<String> },
    /// A dataset, of which a shard has written its parts.
    Dataset(Shard),
}

impl Outputs {
    /// The place on this machine where an output is made: the one that is named, or another where that is an object.
    pub(crate) fn make(&mut self, name: &Path, kind: Kind) -> Result<PathBuf> {
        let Some(goes_to) = location(name)? else { return Ok(name.to_owned()) };
        let folder = match self.folder.take() {
            Some(folder) => folder,
            None => Scratch::anywhere()?,
        };
        // The form is told by the end of the name.
        let last = name.file_name().unwrap_or_default().to_string_lossy();
        let made_at = folder.path().join(format!("output-{}-{last}", self.all.len()));
        self.folder = Some(folder);
        self.all.push(Output { made_at: made_at.clone(), goes_to, kind });
        Ok(made_at)
    }

    /// What an output is called: as it was named.
    pub(crate) fn name(&self, made_at: &Path) -> String {
        let output = self.all.iter().find(|output| output.made_at == made_at);
        output.map_or_else(|| made_at.display().to_string(), |output| output.goes_to.to_string())
    }

    /// Puts everything where it goes, each file by itself.
    pub(crate) fn put(&self) -> Result<()> {
        for Output { made_at, goes_to, kind } in &self.all {
            if let Kind::File = kind {
                goes_to.put(made_at)?;
                continue;
            }
            for name in files_below(made_at)? {
                goes_to.join(&name).put(&made_at.join(&name))?;
                if let (Kind::Dataset(shard), Some((folder, _))) = (kind, name.rsplit_once('/')) {
                    remove_parts_beyond(&goes_to.join(folder), *shard)?;
                }
            }
            if let Kind::Folder { stale } = kind {
                let gone = stale.iter().filter(|name| !made_at.join(name).exists());
                gone.into_iter().try_for_each(|name| goes_to.join(name).remove())?;
            }
        }
        Ok(())
    }
}

/// Removes the parts of a date that a day measured in so many shards has not.
fn remove_parts_beyond(folder: &Location, shard: Shard) -> Result<()> {
    for name in folder.names()? {
        let number = name.strip_prefix("part-").and_then(|rest| rest.strip_suffix(".parquet"));
        if number.and_then(|number| number.parse::<u32>().ok()).is_some_and(|number| shard.count() <= number) {
            folder.join(&name).remove()?;
        }
    }
    Ok(())
}

/// The files below a folder, each by its names joined by slashes, in order.
fn files_below(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(below) = folders.pop() {
        let path = folder.join(&below);
        for entry in fs::read_dir(&path).with_context(|| format!("reading {}", path.display()))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let name = if below.is_empty() { name } else { format!("{below}/{name}") };
            if entry.file_type()?.is_dir() { folders.push(name) } else { names.push(name) }
        }
    }
    names.sort();
    Ok(names)
}
