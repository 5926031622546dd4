//! The registry folder: its files read, and judged.

use crate::folder::read_files;
use quoteclock_rules::{FILE_NAMES, Finding, Loaded, ReadyScheme, Severity, SourceFile};
use quoteclock_store::Digest;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use thiserror::Error;

/// Who has to quote what, under which scheme: a folder of small files, read and checked.
///
/// It never changes; a clone shares it. Clauses: those of the rows that it holds, see `docs/CLAUSES.md`.
///
/// ```
/// let registry = quoteclock::Registry::open("../../replay-data/tse-small/registry")?;
/// assert!(registry.scheme_name().starts_with("TSE ETF Market Making Incentive Scheme"));
/// # Ok::<(), quoteclock::RegistryError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Registry {
    tables: quoteclock_rules::Registry,
    warnings: Arc<[Finding]>,
    /// How many of them are of files that are read; the others are of strangers.
    warnings_read: usize,
    digest: Digest,
}

/// A folder with all that is wrong with it, or worth a look.
///
/// ```
/// let checked = quoteclock::check("../../replay-data/tse-small/registry")?;
/// assert!(checked.registry.is_some());
/// for finding in &checked.findings {
///     println!("{}: {finding}", finding.severity); // such as `warning: sponsored.csv line 2, total_jpy: …`
/// }
/// # Ok::<(), quoteclock::RegistryError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Checked {
    /// The registry, if there is no error among the findings.
    pub registry: Option<Registry>,
    /// Errors and warnings by file and line, then the files that no registry has: a misspelt name would be passed over in
    /// silence.
    pub findings: Vec<Finding>,
}

/// Why there is no registry.
///
/// ```
/// use quoteclock::{Registry, RegistryError};
///
/// let error = Registry::open("no/such/folder").unwrap_err();
/// assert!(matches!(error, RegistryError::NotAFolder { .. }));
/// assert!(error.to_string().starts_with("registry no/such/folder: not a folder, expected one that holds"));
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// There is no such folder.
    #[error("registry {}: not a folder, expected one that holds {}", .folder.display(), FILE_NAMES.join(", "))]
    NotAFolder {
        /// What was named.
        folder: PathBuf,
    },
    /// Something is wrong with what the files say.
    #[error("{}", Lines { folder, findings })]
    Findings {
        /// The folder.
        folder: PathBuf,
        /// All that is wrong and all that is worth a look.
        findings: Vec<Finding>,
    },
}

/// One line for each error.
struct Lines<'a> {
    folder: &'a Path,
    findings: &'a [Finding],
}

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let errors = self.findings.iter().filter(|finding| finding.severity == Severity::Error);
        for (position, error) in errors.enumerate() {
            let line_end = if position == 0 { "" } else { "\n" };
            write!(f, "{line_end}{}", self.folder.join(error.to_string()).display())?;
        }
        Ok(())
    }
}

impl Registry {
    /// Reads the files of `folder` and checks them.
    ///
    /// # Errors
    /// [`RegistryError`]; [`RegistryError::Findings`] lists all that is wrong at once.
    ///
    /// ```
    /// let registry = quoteclock::Registry::open("../../replay-data/tse-small/registry")?;
    /// # Ok::<(), quoteclock::RegistryError>(())
    /// ```
    pub fn open(folder: impl AsRef<Path>) -> Result<Registry, RegistryError> {
        Registry::open_under(folder, None)
    }

    /// The same under a ready scheme, where one is given, which takes the place of the folder's `scheme.toml`.
    ///
    /// # Errors
    /// As [`Registry::open`].
    ///
    /// ```
    /// let registry = quoteclock::Registry::open_under("../../replay-data/tse-small/registry", None)?;
    /// assert!(registry.scheme_name().starts_with("TSE"));
    /// # Ok::<(), quoteclock::RegistryError>(())
    /// ```
    pub fn open_under(folder: impl AsRef<Path>, scheme: Option<&ReadyScheme>) -> Result<Registry, RegistryError> {
        let folder = folder.as_ref();
        let Checked { registry, findings } = check_under(folder, scheme)?;
        registry.ok_or_else(|| RegistryError::Findings { folder: folder.to_owned(), findings })
    }

    /// A registry from the content of its files, without a folder.
    ///
    /// ```
    /// use quoteclock::{Checked, Registry, SourceFile};
    ///
    /// let file = |name: &str, text: &str| SourceFile { name: name.to_owned(), bytes: text.into() };
    /// let Checked { registry, findings } = Registry::from_files(&[
    ///     file("issues.csv", "issue,type,tick_table\n1306,A,04\n"),
    ///     file("market_makers.csv", "market_maker\nMM1\n"),
    ///     file("virtual_servers.csv", "server,market_maker\nVS1,MM1\n"),
    ///     file("signups.csv", "market_maker,issue\nMM1,1307\n"),
    /// ]);
    /// assert!(registry.is_none());
    /// assert!(findings[0].to_string().contains("1307"), "no row defines it");
    /// ```
    pub fn from_files(files: &[SourceFile]) -> Checked {
        let Loaded { registry, findings } = quoteclock_rules::Registry::load(files);
        let registry = registry.map(|tables| Registry {
            tables,
            warnings: findings.iter().cloned().collect(),
            warnings_read: findings.len(),
            digest: Digest::of_registry(files),
        });
        Checked { registry, findings }
    }

    /// The scheme's name and version, as reports print them.
    ///
    /// ```
    /// # let registry = quoteclock::Registry::open("../../replay-data/tse-small/registry")?;
    /// assert_eq!(registry.scheme_name(), "TSE ETF Market Making Incentive Scheme ST-1 v4.3");
    /// # Ok::<(), quoteclock::RegistryError>(())
    /// ```
    pub fn scheme_name(&self) -> String {
        let scheme = self.tables.scheme();
        format!("{} {}", scheme.name(), scheme.version())
    }

    /// How the scheme reads what the rules leave open: name and value.
    ///
    /// ```
    /// # let registry = quoteclock::Registry::open("../../replay-data/tse-small/registry")?;
    /// assert!(registry.interpretations().any(|known| known == ("own_crossed_quotes", "fulfilled")));
    /// # Ok::<(), quoteclock::RegistryError>(())
    /// ```
    pub fn interpretations(&self) -> impl Iterator<Item = (&'static str, &'static str)> + '_ {
        self.tables.scheme().interpretations().iter()
    }

    /// What is worth a look; nothing stops because of it.
    ///
    /// ```
    /// # let registry = quoteclock::Registry::open("../../replay-data/tse-small/registry")?;
    /// for warning in registry.warnings() {
    ///     eprintln!("warning: {warning}");
    /// }
    /// # Ok::<(), quoteclock::RegistryError>(())
    /// ```
    pub fn warnings(&self) -> &[Finding] {
        &self.warnings
    }

    /// Those of the warnings that name files no registry has, so that they were not read.
    ///
    /// ```
    /// # let registry = quoteclock::Registry::open("../../replay-data/tse-small/registry")?;
    /// assert!(registry.strangers().is_empty(), "no file has a misspelt name");
    /// # Ok::<(), quoteclock::RegistryError>(())
    /// ```
    pub fn strangers(&self) -> &[Finding] {
        &self.warnings[self.warnings_read..]
    }

    /// The SHA-256 of its files, byte-order marks and carriage returns apart.
    ///
    /// ```
    /// # let registry = quoteclock::Registry::open("../../replay-data/tse-small/registry")?;
    /// assert_eq!(registry.digest().to_string().len(), 64);
    /// # Ok::<(), quoteclock::RegistryError>(())
    /// ```
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The rows, for whoever goes on to the crates below: issues, market makers, sign-ups, and the plan of a date.
    ///
    /// ```
    /// # let registry = quoteclock::Registry::open("../../replay-data/tse-small/registry")?;
    /// assert!(registry.tables().market_makers().iter().any(|row| row.market_maker == "MM1"));
    /// # Ok::<(), quoteclock::RegistryError>(())
    /// ```
    pub fn tables(&self) -> &quoteclock_rules::Registry {
        &self.tables
    }
}

/// The file that a ready scheme takes the place of.
const SCHEME: &str = "scheme.toml";

/// Reads the files of `folder` and lists everything that is wrong with them, or worth a look, at once.
///
/// # Errors
/// [`RegistryError::NotAFolder`]; a file that cannot be read, and what is wrong with what the files say, is a finding.
///
/// ```
/// let checked = quoteclock::check("../../replay-data/tse-small/registry")?;
/// assert!(checked.registry.is_some());
/// # Ok::<(), quoteclock::RegistryError>(())
/// ```
pub fn check(folder: impl AsRef<Path>) -> Result<Checked, RegistryError> {
    check_under(folder, None)
}

/// The same under a ready scheme, where one is given, which takes the place of the folder's `scheme.toml`.
///
/// # Errors
/// As [`check`].
///
/// ```
/// let scheme = quoteclock_rules::ReadyScheme::named("twse");
/// let checked = quoteclock::check_under("../../replay-data/tse-small/registry", scheme)?;
/// assert!(checked.findings.iter().all(|finding| finding.file != "scheme.toml"));
/// # Ok::<(), quoteclock::RegistryError>(())
/// ```
pub fn check_under(folder: impl AsRef<Path>, scheme: Option<&ReadyScheme>) -> Result<Checked, RegistryError> {
    let folder = folder.as_ref();
    if !folder.is_dir() {
        return Err(RegistryError::NotAFolder { folder: folder.to_owned() });
    }
    let names = FILE_NAMES.iter().copied().filter(|&name| scheme.is_none() || name != SCHEME);
    let (mut files, unread) = read_files(folder, &names.collect::<Vec<_>>());
    files.extend(scheme.map(|ready| SourceFile { name: SCHEME.to_owned(), bytes: ready.text.into() }));
    let mut checked = Registry::from_files(&files);
    if !unread.is_empty() {
        // What is said of the others stands, unless it rests on what could not be read.
        let is_unread = |name: &str| unread.iter().any(|finding| finding.file == name);
        let stands = |finding: &Finding| !is_unread("scheme.toml") && !is_unread(&finding.file);
        let others = checked.findings.into_iter().filter(stands);
        let mut findings: Vec<Finding> = unread.iter().cloned().chain(others).collect();
        findings.sort_by(|one, other| one.file.cmp(&other.file));
        checked = Checked { registry: None, findings };
    }
    let strangers: Vec<Finding> = strangers(folder).into_iter().map(stranger).collect();
    checked.findings.extend_from_slice(&strangers);
    if let Some(registry) = &mut checked.registry {
        registry.warnings = registry.warnings.iter().cloned().chain(strangers).collect();
    }
    Ok(checked)
}

/// The names of CSV and TOML files in the folder that no registry has.
fn strangers(folder: &Path) -> Vec<String> {
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

fn stranger(file: String) -> Finding {
    let message = format!("is not a file of a registry and is not read; expected {}", FILE_NAMES.join(", "));
    Finding { severity: Severity::Warning, file, line: None, column: None, message }
}
