//! The registry folder: its files read, and a registry made of them.

use anyhow::{Context, Result, bail};
use quoteclock_rules::{FILE_NAMES, Loaded, Registry, Severity, SourceFile};
use quoteclock_store::Digest;
use std::io::ErrorKind;
use std::path::Path;

use crate::terminal;

/// Reads the files of the folder and judges them.
pub(crate) fn load(folder: &Path) -> Result<Loaded> {
    Ok(Registry::load(&read(folder)?))
}

/// Reads the files of the folder.
fn read(folder: &Path) -> Result<Vec<SourceFile>> {
    if !folder.is_dir() {
        bail!("registry {}: not a folder, expected one that holds {}", folder.display(), FILE_NAMES.join(", "));
    }
    let mut files = Vec::new();
    for name in FILE_NAMES {
        match std::fs::read(folder.join(name)) {
            Ok(bytes) => files.push(SourceFile { name: name.to_owned(), bytes }),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("reading {}", folder.join(name).display())),
        }
    }
    Ok(files)
}

/// The names of CSV and TOML files in the folder that no registry has: a misspelt name would be passed over in silence.
pub(crate) fn strangers(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let is_stranger = |name: &String| {
        (name.ends_with(".csv") || name.ends_with(".toml"))
            && !FILE_NAMES.contains(&name.as_str())
            && !name.starts_with('.')
    };
    let mut strangers: Vec<String> = names.filter(is_stranger).collect();
    strangers.sort();
    strangers
}

/// What is to be said of a stranger.
pub(crate) fn stranger_message() -> String {
    format!("is not a file of a registry and is not read; expected {}", FILE_NAMES.join(", "))
}

/// The registry, if nothing is wrong with it; otherwise prints what is.
pub(crate) fn load_for_measuring(folder: &Path) -> Result<Option<Registry>> {
    Ok(load_and_hash(folder)?.map(|(registry, _)| registry))
}

/// The same, and the digest of its files.
pub(crate) fn load_and_hash(folder: &Path) -> Result<Option<(Registry, Digest)>> {
    let files = read(folder)?;
    let Loaded { registry, findings } = Registry::load(&files);
    if registry.is_none() {
        for finding in findings.iter().filter(|finding| finding.severity == Severity::Error) {
            terminal::print_error(&folder.join(finding.to_string()).display().to_string());
        }
        return Ok(None);
    }
    for name in strangers(folder) {
        terminal::print_warning(&format!("{}: {}", folder.join(name).display(), stranger_message()));
    }
    Ok(registry.map(|registry| (registry, Digest::of_registry(&files))))
}
