//! The papers of a month, written into folders of their recipients beside the report.

use crate::closing::Revision;
use crate::month_page::lost;
use crate::paper_folders::Hashes;
use anyhow::{Context, Result};
use quoteclock::StoredMonth;
use quoteclock_documents::{Document, Documents, Month, Recipient, changes, folder_names, notices, recipients};
use quoteclock_incentive::Settlement;
use quoteclock_ledger::DayRow;
use quoteclock_pages::{Evidence, Frames};
use quoteclock_rules::Registry;
use quoteclock_store::{Digest, Store};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Papers that have been written aside.
#[derive(Default)]
pub(crate) struct Written {
    /// The hash of each, by path.
    pub(crate) hashes: Hashes,
    /// The tables that another revision is compared with, by path, where the report goes out or has gone out.
    pub(crate) kept: BTreeMap<String, String>,
    /// The columns that tell their lines apart.
    keys: BTreeMap<String, &'static [&'static str]>,
}

impl Written {
    fn add(&mut self, staging: &Path, path: String, bytes: &[u8]) -> std::io::Result<()> {
        let to = staging.join(&path);
        to.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(to, bytes)?;
        self.hashes.insert(path, Digest::of(bytes).to_string());
        Ok(())
    }

    fn and(mut self, other: Written) -> Written {
        self.hashes.extend(other.hashes);
        self.kept.extend(other.kept);
        self.keys.extend(other.keys);
        self
    }

    /// Whether the papers say anything otherwise than those of a report that has gone out, or are for others.
    pub(crate) fn differ_from(&self, gone_out: &BTreeMap<String, String>) -> bool {
        let is_gone = |path: &&String| path.contains('/') && !self.kept.contains_key(*path);
        let is_other = |(path, csv): (&String, &String)| {
            let before = gone_out.get(path).map_or("", String::as_str);
            !changes(path, self.keys.get(path).copied().unwrap_or_default(), before, csv).is_empty()
        };
        gone_out.keys().any(|path| is_gone(&path)) || self.kept.iter().any(is_other)
    }
}

/// Everything that papers are made of.
pub(crate) struct Papers<'a> {
    pub(crate) registry: &'a Registry,
    pub(crate) store: &'a Store,
    pub(crate) stored: &'a StoredMonth,
    pub(crate) settlement: &'a Settlement,
    pub(crate) frames: Frames,
    pub(crate) evidence: Evidence,
    /// Which revision they are of, for their heads.
    pub(crate) revision: &'a Revision,
}

impl Papers<'_> {
    /// Asset managers that get no report, since their consent is not on record; and whether consent is recorded at all.
    pub(crate) fn notes(registry: &Registry, stored: &StoredMonth, settlement: &Settlement) -> Vec<String> {
        let (all, without) = recipients(registry, &settlement.lines, &stored.measured);
        let mut notes = Vec::new();
        if !without.is_empty() {
            notes.push(format!(
                "TA-1 is not written for {}: no AT-1 and AT-2 in force for all of their ETFs is on record in \
                 applications.csv",
                without.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
            ));
        }
        if registry.applications().is_none() && all.iter().any(|one| matches!(one, Recipient::AssetManager(_))) {
            notes.push(
                "TA-1 is written for every asset manager: consent is not on record (no applications.csv)".to_owned(),
            );
        }
        notes
    }

    /// Writes the papers aside, into `staging`.
    pub(crate) fn write(&self, staging: &Path) -> Result<Written> {
        let (recipients, _) = recipients(self.registry, &self.settlement.lines, &self.stored.measured);
        let mut results: Vec<DayRow> = Vec::new();
        self.store.results(self.settlement.month.dates(), |row| results.push(row))?;
        let month = Month {
            registry: self.registry,
            settlement: self.settlement,
            frames: &self.frames,
            is_over: self.stored.missing.is_empty() && self.stored.partial.is_empty(),
            evidence: &self.evidence,
            imprint: &self.revision.imprint(),
        };
        let paths = paths(&recipients);
        let mut documents = Documents::new(month, &recipients, &results);
        lost(self.store, self.settlement.month, &self.frames, |key, day| documents.lost(key, day))?;
        let write = |mut document: Document<'_>| -> Result<Written> {
            let path = paths[&document.recipient].clone();
            let earlier = self.revision.earlier.iter();
            let own = earlier.filter_map(|(of, csv)| Some((of.strip_prefix(&path)?.strip_prefix('/')?, csv)));
            document.supersedes(own.map(|(name, csv)| (name.to_owned(), csv.clone())).collect());
            let mut written = Written::default();
            let rendered = document.render()?;
            for (name, bytes) in &rendered.files {
                written.add(staging, format!("{path}/{name}"), bytes)?;
                let keys = rendered.kept.iter().find(|(kept, _)| kept == name).map(|(_, keys)| *keys);
                if let Some(keys) = keys.filter(|_| self.revision.own.is_some()) {
                    let path = format!("{path}/{name}");
                    written.kept.insert(path.clone(), String::from_utf8_lossy(bytes).into_owned());
                    written.keys.insert(path, keys);
                }
            }
            Ok(written)
        };
        let written =
            documents.papers.into_par_iter().map(write).try_reduce(Written::default, |one, next| Ok(one.and(next)));
        let mut written = written.context("writing the documents aside")?;
        self.write_notices(staging, &mut written).context("writing notices aside")?;
        Ok(written)
    }

    fn write_notices(&self, staging: &Path, written: &mut Written) -> Result<()> {
        let notices = notices(self.registry, self.settlement.month);
        let folders = folder_names(notices.iter().map(|notice| notice.market_maker.as_str()));
        for notice in &notices {
            let (kind, folder) = (notice.folder, &folders[notice.market_maker.as_str()]);
            written.add(staging, format!("{kind}/{folder}/{kind}-{}.html", notice.effective), &notice.html()?)?;
        }
        Ok(())
    }
}

/// Where each recipient's paper stands.
fn paths(recipients: &BTreeSet<Recipient>) -> BTreeMap<&Recipient, String> {
    let names = recipients.iter().flat_map(|recipient| match recipient {
        Recipient::AssetManager(name) | Recipient::MarketMaker(name) => vec![name.as_str()],
        Recipient::Participant { participant, market_maker } => vec![participant.as_str(), market_maker.as_str()],
    });
    let folders = folder_names(names);
    let path = |recipient: &Recipient| match recipient {
        Recipient::AssetManager(name) => format!("ta-1/{}", folders[name.as_str()]),
        Recipient::MarketMaker(name) => format!("tm-2/{}", folders[name.as_str()]),
        Recipient::Participant { participant, market_maker } => {
            format!("tm-2-participant/{}/{}", folders[participant.as_str()], folders[market_maker.as_str()])
        }
    };
    recipients.iter().map(|recipient| (recipient, path(recipient))).collect()
}
