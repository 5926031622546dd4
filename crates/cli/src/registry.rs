//! The registry folder as the commands want it: opened, or all that is wrong with it printed.

use crate::terminal;
use anyhow::Result;
use quoteclock::RegistryError;
use quoteclock_rules::{FILE_NAMES, Registry, Severity};
use quoteclock_store::Digest;
use std::path::{Path, PathBuf};

/// The registry, if nothing is wrong with it; otherwise prints what is.
pub(crate) fn load_for_measuring(folder: &Path) -> Result<Option<Registry>> {
    Ok(load_and_hash(folder)?.map(|(registry, _)| registry))
}

/// The same, and the digest of its files.
pub(crate) fn load_and_hash(folder: &Path) -> Result<Option<(Registry, Digest)>> {
    Ok(open(folder)?.map(|registry| (registry.tables().clone(), registry.digest())))
}

/// The same, with all that is known of it.
pub(crate) fn open(folder: &Path) -> Result<Option<quoteclock::Registry>> {
    let registry = match quoteclock::Registry::open(folder) {
        Ok(registry) => registry,
        Err(RegistryError::Findings { findings, .. }) => {
            for finding in findings.iter().filter(|finding| finding.severity == Severity::Error) {
                terminal::print_error(&folder.join(finding.to_string()).display().to_string());
            }
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    for stranger in registry.strangers() {
        terminal::print_warning(&folder.join(stranger.to_string()).display().to_string());
    }
    Ok(Some(registry))
}

/// The files that a registry in the folder may have.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    FILE_NAMES.iter().map(|name| folder.join(name)).collect()
}
