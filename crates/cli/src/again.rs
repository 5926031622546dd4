//! The inputs of stored days, found again: what `replay --changed` measures.

use crate::how::How;
use crate::month;
use crate::target::folder_of;
use anyhow::{Context, Result, anyhow};
use quoteclock::plan_now;
use quoteclock_rules::Registry;
use quoteclock_store::{Digest, StoredDay};
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// A stored day and its input, which holds the bytes that the day was measured from.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) day: StoredDay,
    pub(crate) path: PathBuf,
    /// Whether it is the journal of a feed: then the hash that is stored is of its messages.
    pub(crate) is_journal: bool,
    pub(crate) how: How,
}

/// The stored days that the registry would measure otherwise, in order, each with its input.
///
/// # Errors
/// If the input of one of them is not found: all such days are named.
pub(crate) fn changed_days(registry: &Registry, db: &Path, folders: &[PathBuf]) -> Result<Vec<Found>> {
    let days = month::open_store(db)?.days(jiff::civil::Date::MIN..=jiff::civil::Date::MAX)?;
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for day in days {
        if plan_now(&day, registry)?.reasons.is_empty() {
            continue;
        }
        match find(&day, db, folders) {
            Ok((path, is_journal)) => {
                let mut how = how(&day).map_err(|problem| anyhow!("{}, {}: {problem}", db.display(), day.date))?;
                match find_beside(&mut how, &day, db, folders) {
                    Ok(()) => found.push(Found { day, path, is_journal, how }),
                    Err(problem) => problems.push(format!("\n  {}: {problem}", day.date)),
                }
            }
            Err(problem) => problems.push(format!("\n  {}: {problem}", day.date)),
        }
    }
    if problems.is_empty() {
        return Ok(found);
    }
    Err(anyhow!(
        "{} not to be had as it was measured; nothing was replaced:{}\n\
         an input is sought where it was, beside the database, and in every --inputs DIR",
        match problems.len() {
            1 => "the input of 1 changed day is".to_owned(),
            count => format!("the inputs of {} changed days are", month::grouped(count)),
        },
        problems.concat()
    ))
}

/// How a stored day was measured. One that an earlier version has stored does not say; if it set records aside, it was lenient.
pub(crate) fn how(day: &StoredDay) -> Result<How, String> {
    match &day.options {
        Some(options) => options.parse(),
        None => {
            let input = quoteclock::How { lenient: 0 < day.reject_count, ..quoteclock::How::default() };
            Ok(How { input, ..How::default() })
        }
    }
}

/// The file with the bytes that a day was measured from, and whether it is a journal; what is wrong otherwise.
pub(crate) fn find(day: &StoredDay, db: &Path, folders: &[PathBuf]) -> Result<(PathBuf, bool), String> {
    find_file(&day.input, day.input_sha256, (day, db), folders)
}

/// Finds the files that a day was measured from beside its input, and names them as they are found.
pub(crate) fn find_beside(how: &mut How, day: &StoredDay, db: &Path, folders: &[PathBuf]) -> Result<(), String> {
    for file in how.beside.own_orders.iter_mut().chain(&mut how.beside.also) {
        if let Some(sha256) = file.sha256 {
            file.path = find_file(&file.path.display().to_string(), sha256, (day, db), folders)?.0;
        }
    }
    Ok(())
}

/// The file of that name and hash.
fn find_file(
    name: &str,
    sha256: Digest,
    (day, db): (&StoredDay, &Path),
    folders: &[PathBuf],
) -> Result<(PathBuf, bool), String> {
    let folders: Vec<&Path> = [folder_of(db)].into_iter().chain(folders.iter().map(PathBuf::as_path)).collect();
    let mut others = Vec::new();
    for path in candidates(name, day, &folders).into_iter().filter(|path| path.is_file()) {
        match hash(&path, sha256) {
            Ok((digest, is_journal)) if digest == sha256 => return Ok((path, is_journal)),
            Ok((digest, _)) => others.push(format!("{} has the SHA-256 {}", path.display(), digest.short())),
            Err(error) => others.push(format!("{error:#}")),
        }
    }
    let input = if name == "-" { "standard input" } else { name };
    Err(match others.as_slice() {
        [] => format!("{input}: no such file"),
        others => format!("{input}: expected the SHA-256 {}, but {}", sha256.short(), others.join(", ")),
    })
}

/// Where a file of a day may be: where it was, and by its path or its name in each folder. What had no path, standard
/// input or a feed, may be any file there with the date in its name, as a journal has it.
fn candidates(name: &str, day: &StoredDay, folders: &[&Path]) -> Vec<PathBuf> {
    let stored = Path::new(name);
    if name == "-" || name.contains("://") {
        return folders.iter().flat_map(|folder| named_after(day, folder)).collect();
    }
    let mut paths = vec![stored.to_owned()];
    for folder in folders {
        let within = |path: &Path| if *folder == Path::new(".") { path.to_owned() } else { folder.join(path) };
        paths.push(within(stored.strip_prefix(".").unwrap_or(stored)));
        paths.extend(stored.file_name().map(|name| within(Path::new(name))));
    }
    let mut seen = std::collections::BTreeSet::new();
    paths.retain(|path| seen.insert(path.clone()));
    paths
}

/// The files of a folder that have the day's date in their name, sorted.
fn named_after(day: &StoredDay, folder: &Path) -> Vec<PathBuf> {
    let date = day.date.to_string();
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let dated = entries.filter(|entry| entry.file_name().to_string_lossy().contains(&date));
    let mut paths: Vec<PathBuf> = dated.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// How much of a file is read at once.
const READ_BYTES: usize = 1 << 18;

/// The hash of a file, or of the messages of a journal whose file is not what was `expected`.
fn hash(path: &Path, expected: Digest) -> Result<(Digest, bool)> {
    let hashed = || -> io::Result<Digest> {
        let (mut file, mut hasher, mut buffer) = (File::open(path)?, Sha256::new(), vec![0; READ_BYTES]);
        loop {
            match file.read(&mut buffer) {
                Ok(0) => return Ok(Digest(hasher.finalize().into())),
                Ok(count) => hasher.update(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    };
    let digest = hashed().with_context(|| format!("{}: cannot be read", path.display()))?;
    let is_journal = path.extension().is_some_and(|extension| extension == "qcj");
    match is_journal && digest != expected {
        true => Ok((quoteclock_live::hash_of_journal(path)?, true)),
        false => Ok((digest, false)),
    }
}
