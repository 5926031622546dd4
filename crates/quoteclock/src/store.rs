//! Measured days kept in a file, and the month that they come to.

use crate::coverage::{CoverageRow, coverage_json};
use crate::month::MonthError;
use crate::{MeasuredDay, Origin, Registry, Report};
use quoteclock_engine::Finished;
use quoteclock_incentive::Month;
use quoteclock_model::Timestamp;
use quoteclock_store::{DayBatch, DayToStore, Provenance, Replaced, StoreError, StoredAfter, StoredDay};
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// The program that measures: stored days name it.
///
/// ```
/// let program = quoteclock::Program { version: "1.2.3".to_owned(), commit: "0123456789ab".to_owned() };
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Program {
    /// Its version.
    pub version: String,
    /// The commit that it was built from, `unknown` without one.
    pub commit: String,
}

/// This version of the library, of an unknown commit.
impl Default for Program {
    fn default() -> Self {
        Program { version: env!("CARGO_PKG_VERSION").to_owned(), commit: "unknown".to_owned() }
    }
}

/// Why a day cannot be kept.
///
/// ```
/// use quoteclock::{AddError, Engine, EngineOptions, Registry, Store};
///
/// let registry = Registry::open("../../replay-data/tse-small/registry")?;
/// let options = EngineOptions { date: Some("2024-03-01".parse()?), ..EngineOptions::default() };
/// let day = Engine::new(&registry, options)?.finish()?;
/// let added = Store::at("never-made.db").add(&day, &Default::default());
/// assert!(matches!(added, Err(AddError::NoOrigin)), "nobody could measure it again");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AddError {
    /// The day does not know the bytes that it was measured from.
    #[error(
        "the day was measured from pushed bytes, or without their hash, expected a replay whose input was hashed: a stored day names \
         what it rests on"
    )]
    NoOrigin,
    /// The day cannot be written aside.
    #[error("{}: the day cannot be written aside", .folder.display())]
    Aside {
        /// The folder, that of the file.
        folder: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What the input does not support cannot be written down.
    #[error("the coverage of the day cannot be written down")]
    Coverage(#[from] serde_json::Error),
}

/// What keeping a day has changed.
///
/// ```
#[doc = include_str!("../doc/march.txt")]
/// let added = store.add(&day, &Default::default())?;
/// assert!(added.replaced.is_some(), "the day was there");
/// assert!(added.after.is_none(), "no report of its month has gone out");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Added {
    /// The day that was stored of the date before, and what of it differs.
    pub replaced: Option<Replaced>,
    /// That the report of its month has gone out before, if it has: it may not stand any more.
    pub after: Option<StoredAfter>,
}

/// A file of measured days, the same that the command's `--db` names.
///
/// It is opened for each call and holds nothing between two: share it, or let the command use the file at the same time.
///
/// ```
/// # let folder = std::env::temp_dir().join(format!("quoteclock-store-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// use quoteclock::{Registry, Store, replay};
///
/// let registry = Registry::open("../../replay-data/tse-small/registry")?;
/// let store = Store::at(folder.join("march.db"));
/// for date in ["2024-03-01", "2024-03-04"] {
///     store.add(&replay(format!("../../replay-data/tse-small/{date}.csv"), &registry)?, &Default::default())?;
/// }
/// assert_eq!(store.days("2024-03".parse()?)?.len(), 2);
/// let report = store.report("2024-03".parse()?, &registry)?;
/// assert!(report.monthly().all(|row| row.line.days_measured <= 2));
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Store {
    file: PathBuf,
}

impl Store {
    /// The file of that name; it need not be there before a day is added.
    ///
    /// ```
    /// let store = quoteclock::Store::at("march.db");
    /// assert_eq!(store.file(), "march.db");
    /// ```
    pub fn at(file: impl Into<PathBuf>) -> Store {
        Store { file: file.into() }
    }

    /// Its name.
    ///
    /// ```
    /// assert_eq!(quoteclock::Store::at("march.db").file(), "march.db");
    /// ```
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Keeps a day, whole or not at all, in place of what was stored of its date. The file is made if it is not there.
    ///
    /// # Errors
    /// [`AddError`]; then nothing has changed, but for [`StoreError::StoredAll`].
    ///
    /// ```
    /// # let folder = std::env::temp_dir().join(format!("quoteclock-add-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder)?;
    /// # use quoteclock::{Registry, Store, replay};
    /// let registry = Registry::open("../../replay-data/tse-small/registry")?;
    /// let day = replay("../../replay-data/tse-small/2024-03-01.csv", &registry)?;
    /// let store = Store::at(folder.join("march.db"));
    /// assert!(store.add(&day, &Default::default())?.replaced.is_none(), "it was not there before");
    /// let replaced = store.add(&day, &Default::default())?.replaced.expect("now it was");
    /// assert!(replaced.changes.is_empty(), "the same figures");
    /// # std::fs::remove_dir_all(&folder)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn add(&self, day: &MeasuredDay, program: &Program) -> Result<Added, AddError> {
        let Some(origin) = &day.origin else { return Err(AddError::NoOrigin) };
        let provenance = provenance(&day.registry, &day.finished, origin, program)?;
        let folder = match self.file.parent() {
            Some(folder) if folder != Path::new("") => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        let aside = tempfile::Builder::new().prefix(".quoteclock-").tempdir_in(&folder);
        let aside = aside.map_err(|source| AddError::Aside { folder, source })?;
        let mut batch = DayBatch::create(&aside.path().join("day.db"))?;
        let (plan, turnover) = (&day.finished.plan, &day.finished.turnover);
        batch.add(DayToStore { plan, ledger: &day.ledger, turnover, provenance: &provenance })?;
        let mut store = quoteclock_store::Store::create(&self.file)?;
        let replaced = store.replace_days(batch, || {})?.pop();
        let after = store.stored_after_closing([day.date()])?.pop();
        Ok(Added { replaced, after })
    }

    /// The stored days of a month, in order.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    ///
    /// ```
    #[doc = include_str!("../doc/march.txt")]
    /// let days = store.days("2024-03".parse()?)?;
    /// assert!(days[0].input.ends_with("2024-03-01.csv") && days[0].reject_count == 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn days(&self, month: Month) -> Result<Vec<StoredDay>, StoreError> {
        self.open()?.days(month.dates())
    }

    /// A month, settled. Days that the registry would measure otherwise now are an error: see [`Report::read`].
    ///
    /// # Errors
    /// [`MonthError`].
    ///
    /// ```
    #[doc = include_str!("../doc/march.txt")]
    /// let report = store.report("2024-03".parse()?, &registry)?;
    /// assert!(!report.stored.is_over());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn report(&self, month: Month, registry: &Registry) -> Result<Report, MonthError> {
        Report::read(&self.open()?, registry.tables(), month, false)
    }

    /// A month, settled from days as they were measured, though the registry would measure some otherwise now; the report's
    /// notes name them.
    ///
    /// # Errors
    /// [`MonthError`].
    ///
    /// ```
    #[doc = include_str!("../doc/march.txt")]
    /// let report = store.report_as_measured("2024-03".parse()?, &registry)?;
    /// assert!(report.stored.changed.is_empty(), "nothing has changed since");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn report_as_measured(&self, month: Month, registry: &Registry) -> Result<Report, MonthError> {
        Report::read(&self.open()?, registry.tables(), month, true)
    }

    /// The file, opened: everything that is read of it comes from one moment.
    fn open(&self) -> Result<quoteclock_store::Store, StoreError> {
        let store = quoteclock_store::Store::open(&self.file)?;
        store.begin_snapshot()?;
        Ok(store)
    }
}

/// What is stored of where a day's figures come from.
///
/// # Errors
/// [`AddError::NoOrigin`] where the input was not hashed.
///
/// ```
/// use quoteclock::{Digest, Origin, provenance};
/// use quoteclock_engine::{Day, DayOptions, NoRejects};
/// use quoteclock_ledger::OpenLedger;
///
/// # let registry = quoteclock::Registry::open("../../replay-data/tse-small/registry")?;
/// let options = DayOptions { date: Some("2024-03-01".parse()?), ..DayOptions::default() };
/// let (finished, _, _) = Day::new(registry.tables(), options, OpenLedger::default(), NoRejects)?.finish()?;
/// let input_sha256 = Some(Digest::of(b"the bytes of the input"));
/// let origin = Origin { input: "2024-03-01.csv".to_owned(), input_sha256, options: String::new() };
/// let provenance = provenance(&registry, &finished, &origin, &Default::default())?;
/// assert_eq!((&*provenance.input, provenance.registry_sha256), ("2024-03-01.csv", registry.digest()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn provenance(
    registry: &Registry,
    finished: &Finished,
    origin: &Origin,
    program: &Program,
) -> Result<Provenance, AddError> {
    let Origin { input, input_sha256: Some(input_sha256), options } = origin else { return Err(AddError::NoOrigin) };
    let scheme = registry.tables().scheme();
    Ok(Provenance {
        journal: None,
        input: input.clone(),
        input_sha256: *input_sha256,
        registry_sha256: registry.digest(),
        scheme: scheme.name().to_owned(),
        scheme_version: scheme.version().to_owned(),
        interpretations: registry.interpretations().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        record_count: finished.record_count,
        reject_count: finished.reject_count,
        coverage: coverage_json(CoverageRow::of(finished))?,
        servers_heard: finished.servers_heard.clone(),
        until: finished.until,
        program_version: program.version.clone(),
        program_commit: program.commit.clone(),
        options: options.clone(),
        measured_at: Timestamp::from_micros(jiff::Timestamp::now().as_microsecond()),
    })
}
