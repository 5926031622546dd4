//! What `report`, `status`, `days` and others say of months and stored days alike.

use crate::registry::{self, RegistryArgs};
use anyhow::{Result, anyhow};
use jiff::civil::Date;
use quoteclock::changed_days;
use quoteclock_incentive::{AccountKey, Month};
use quoteclock_ledger::add_time;
use quoteclock_report::OverviewLine;
pub(crate) use quoteclock_report::{count, grouped, list, time_of_day as clock};
use quoteclock_rules::Registry;
use quoteclock_store::{Digest, Store};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What a command about a month looks at.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Sources {
    #[command(flatten)]
    pub(crate) registry: RegistryArgs,

    /// Database that replay --db has written
    #[arg(long, value_name = "FILE")]
    pub(crate) db: PathBuf,
}

impl Sources {
    /// Both, opened: see [`open`].
    pub(crate) fn open(&self) -> Result<Option<(Registry, Store)>> {
        open(&self.registry, &self.db)
    }
}

/// The file and the registry, opened; `None` after printing what is wrong with the registry.
pub(crate) fn open(registry: &RegistryArgs, db: &Path) -> Result<Option<(Registry, Store)>> {
    let Some(registry) = registry::load_for_measuring(registry)? else { return Ok(None) };
    Ok(Some((registry, open_store(db)?)))
}

/// The file, opened: everything that is read of it comes from one moment.
pub(crate) fn open_store(db: &Path) -> Result<Store> {
    let store = Store::open(db)?;
    store.begin_snapshot()?;
    Ok(store)
}

/// Reads what `--month` says.
pub(crate) fn parse(text: &str) -> Result<Month, String> {
    text.parse()
}

/// Adds to the lines of a month why time was lost.
pub(crate) fn look_for_reasons(lines: &mut [OverviewLine], store: &Store, month: Month) -> Result<()> {
    let mut by_key: BTreeMap<AccountKey, &mut OverviewLine> =
        lines.iter_mut().map(|line| (line.key.clone(), line)).collect();
    store.breaches(month.dates(), |row| {
        let key = AccountKey { market_maker: row.market_maker, issue: row.issue, obligation: row.obligation };
        if let Some(line) = by_key.get_mut(&key) {
            add_time(&mut line.reasons, row.reason.into(), row.span.end.since(row.span.start));
        }
    })?;
    Ok(())
}

/// What is to be done about days that the registry would measure otherwise.
pub(crate) fn refuse(changed: &BTreeMap<Date, Vec<String>>, instead: &str) -> anyhow::Error {
    anyhow!("{}\nreplay what is named (quoteclock replay --db FILE --changed){instead}", changed_days(changed))
}

/// The scheme as documents name it.
#[derive(Serialize)]
pub(crate) struct SchemeJson<'a> {
    name: &'a str,
    version: &'a str,
    interpretations: BTreeMap<&'a str, &'a str>,
}

impl<'a> SchemeJson<'a> {
    /// That of the registry.
    pub(crate) fn of(registry: &'a Registry) -> SchemeJson<'a> {
        let scheme = registry.scheme();
        let interpretations = scheme.interpretations().iter().collect();
        SchemeJson { name: scheme.name(), version: scheme.version(), interpretations }
    }
}

/// What a file rests on, for its metadata.
pub(crate) fn rests_on(
    registry: &Registry,
    registry_sha256: Digest,
    inputs: impl Iterator<Item = (Date, String, Digest)>,
) -> Vec<(String, String)> {
    let scheme = registry.scheme();
    let inputs: Vec<String> = inputs.map(|(date, name, digest)| format!("{date} {digest} {name}")).collect();
    let pairs = [
        ("scheme", scheme.name().to_owned()),
        ("scheme_version", scheme.version().to_owned()),
        ("timezone", scheme.zone_name().to_owned()),
        ("registry_sha256", registry_sha256.to_string()),
        ("inputs", inputs.join("\n")),
        ("program_version", env!("CARGO_PKG_VERSION").to_owned()),
        ("program_commit", env!("QUOTECLOCK_COMMIT").to_owned()),
    ];
    pairs.into_iter().map(|(key, value)| (format!("quoteclock.{key}"), value)).collect()
}

/// The interpretations for a terminal.
pub(crate) fn interpretations(registry: &Registry, width: usize) -> String {
    let interpretations = registry.scheme().interpretations();
    let choices: Vec<String> = interpretations.iter().map(|(name, value)| format!("{name} = \"{value}\"")).collect();
    quoteclock_report::wrap(&format!("interpretations: {}", choices.join(", ")), width)
}
