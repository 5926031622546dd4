//! The registry folder as the commands want it: opened, or all that is wrong with it printed.

use crate::terminal;
use anyhow::{Result, anyhow};
use quoteclock::RegistryError;
use quoteclock_rules::{FILE_NAMES, Finding, READY_SCHEMES, ReadyScheme, Registry, Severity};
use quoteclock_store::Digest;
use std::path::{Path, PathBuf};

/// Where the registry is, and its scheme if that is a ready one.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct RegistryArgs {
    /// Folder of the registry: scheme, issues, market makers, virtual servers, sign-ups
    #[arg(long = "registry", id = "registry", value_name = "DIR")]
    pub(crate) folder: PathBuf,

    /// A ready scheme in place of the folder's scheme.toml (`quoteclock schemes` lists them)
    #[arg(long, value_name = "NAME", value_parser = ready)]
    pub(crate) scheme: Option<Ready>,
}

/// A ready scheme that was asked for by name.
pub(crate) type Ready = &'static ReadyScheme;

/// Reads what `--scheme` says.
pub(crate) fn ready(name: &str) -> Result<Ready, String> {
    ReadyScheme::named(name).ok_or_else(|| {
        let names: Vec<&str> = READY_SCHEMES.iter().map(|scheme| scheme.name).collect();
        format!("no ready scheme has that name, expected one of {}", names.join(", "))
    })
}

/// The registry, if nothing is wrong with it; otherwise prints what is.
pub(crate) fn load_for_measuring(args: &RegistryArgs) -> Result<Option<Registry>> {
    Ok(load_and_hash(args)?.map(|(registry, _)| registry))
}

/// The same, and the digest of its files.
pub(crate) fn load_and_hash(args: &RegistryArgs) -> Result<Option<(Registry, Digest)>> {
    Ok(open(args)?.map(|registry| (registry.tables().clone(), registry.digest())))
}

/// The same, with all that is known of it.
pub(crate) fn open(args: &RegistryArgs) -> Result<Option<quoteclock::Registry>> {
    let folder = &args.folder;
    let registry = match open_or_find(args)? {
        Ok(registry) => registry,
        Err(findings) => {
            for finding in findings.iter().filter(|finding| finding.severity == Severity::Error) {
                terminal::print_error(&folder.join(finding.to_string()).display().to_string());
            }
            return Ok(None);
        }
    };
    for stranger in registry.strangers() {
        terminal::print_warning(&folder.join(stranger.to_string()).display().to_string());
    }
    Ok(Some(registry))
}

/// The registry for a program that runs on, whose log others may read: an error says where something is wrong, and nothing that
/// stands there.
pub(crate) fn load_discreetly(args: &RegistryArgs) -> Result<(Registry, Digest)> {
    let findings = match open_or_find(args)? {
        Ok(registry) => return Ok((registry.tables().clone(), registry.digest())),
        Err(findings) => findings,
    };
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error);
    let places: Vec<String> = errors.map(Finding::place).collect();
    let (shown, more) = (places.iter().take(PLACES_MAX), places.len().saturating_sub(PLACES_MAX));
    let shown = shown.map(String::as_str).collect::<Vec<_>>().join("; ");
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    Err(anyhow!("registry {}: errors in {shown}{more}; `quoteclock check` says what they are", args.folder.display()))
}

/// So many places of errors are named.
const PLACES_MAX: usize = 10;

fn open_or_find(RegistryArgs { folder, scheme }: &RegistryArgs) -> Result<Result<quoteclock::Registry, Vec<Finding>>> {
    let copy = crate::remote::registry(folder)?;
    let here = copy.as_ref().map_or(folder.as_path(), |copy| copy.path());
    match quoteclock::Registry::open_under(here, *scheme) {
        Ok(registry) => Ok(Ok(registry)),
        Err(RegistryError::Findings { findings, .. }) => Ok(Err(findings)),
        Err(error) => Err(error.into()),
    }
}

/// The files that a registry in the folder may have.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    FILE_NAMES.iter().map(|name| folder.join(name)).collect()
}
