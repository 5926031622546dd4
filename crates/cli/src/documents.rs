//! The papers of a month, written into folders of their recipients beside the report.

use crate::closing::Revision;
use crate::month::StoredMonth;
use anyhow::{Context, Result, bail};
use quoteclock_documents::{Document, Month, Recipient, folder_names, notices, recipients};
use quoteclock_incentive::Settlement;
use quoteclock_ledger::DayRow;
use quoteclock_model::IssueCode;
use quoteclock_pages::{Breach, DayFrame, Evidence};
use quoteclock_rules::Registry;
use quoteclock_store::Store;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The folders that papers stand in.
const FOLDERS: [&str; 5] = ["ta-1", "tm-1", "tm-2", "tm-2-participant", "tm-3"];

/// Tables that are not kept of a paper that goes out: the days follow from what is stored of them.
const NOT_KEPT: [&str; 2] = ["changes.csv", "days.csv"];

/// Everything that papers are made of.
pub(crate) struct Papers<'a> {
    pub(crate) registry: &'a Registry,
    pub(crate) store: &'a Store,
    pub(crate) stored: &'a StoredMonth,
    pub(crate) settlement: &'a Settlement,
    pub(crate) frames: Vec<DayFrame>,
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

    /// Writes the papers aside, into `staging`. Their tables, by path, are what a later revision is compared with.
    pub(crate) fn write(&self, staging: &Path) -> Result<BTreeMap<String, String>> {
        let (recipients, _) = recipients(self.registry, &self.settlement.lines, &self.stored.measured);
        let dates = self.settlement.month.dates();
        let mut results: Vec<DayRow> = Vec::new();
        self.store.results(dates.clone(), |row| results.push(row))?;
        let month = Month {
            registry: self.registry,
            settlement: self.settlement,
            frames: &self.frames,
            is_over: self.stored.missing.is_empty() && self.stored.partial.is_empty(),
            evidence: &self.evidence,
        };
        let mut documents = Document::all(month, &recipients, &results);
        for row in results {
            documents.iter_mut().filter(|document| document.shows(&row.market_maker, &row.issue)).for_each(
                |document| {
                    document.result(&row);
                },
            );
        }
        // Breaches come by market maker and issue: who has them is found once for all in a row.
        let mut route: (String, Option<IssueCode>, Vec<usize>) = (String::new(), None, Vec::new());
        self.store.breaches(dates, |row| {
            if route.0 != row.market_maker || route.1.as_ref() != Some(&row.issue) {
                let shows = |place: &usize| documents[*place].shows(&row.market_maker, &row.issue);
                let places = (0..documents.len()).filter(shows).collect();
                route = (row.market_maker.clone(), Some(row.issue.clone()), places);
            }
            for place in &route.2 {
                documents[*place].breach(Breach {
                    date: row.date,
                    market_maker: &row.market_maker,
                    issue: &row.issue,
                    obligation: &row.obligation,
                    span: row.span,
                    reason: &row.reason,
                });
            }
        })?;
        let paths = paths(&recipients);
        let write = |mut document: Document<'_>| -> Result<Vec<(String, String)>> {
            let path = paths[&document.recipient].clone();
            let earlier = self.revision.earlier.iter();
            let own = earlier.filter_map(|(of, csv)| Some((of.strip_prefix(&path)?.strip_prefix('/')?, csv)));
            document.supersedes(own.map(|(name, csv)| (name.to_owned(), csv.clone())).collect());
            let folder = staging.join(&path);
            fs::create_dir_all(&folder)?;
            let mut kept = Vec::new();
            for (name, bytes) in document.render()?.files {
                fs::write(folder.join(&name), &bytes)?;
                if self.revision.closes() && name.ends_with(".csv") && !NOT_KEPT.contains(&name.as_str()) {
                    kept.push((format!("{path}/{name}"), String::from_utf8_lossy(&bytes).into_owned()));
                }
            }
            Ok(kept)
        };
        let kept = documents.into_par_iter().map(write).collect::<Result<Vec<_>>>();
        let kept = kept.context("writing the documents aside")?;
        self.write_notices(staging).context("writing notices aside")?;
        Ok(kept.into_iter().flatten().collect())
    }

    fn write_notices(&self, staging: &Path) -> Result<()> {
        let notices = notices(self.registry, self.settlement.month);
        let folders = folder_names(notices.iter().map(|notice| notice.market_maker.as_str()));
        for notice in &notices {
            let folder = staging.join(notice.folder).join(&folders[notice.market_maker.as_str()]);
            fs::create_dir_all(&folder)?;
            fs::write(folder.join(format!("{}-{}.html", notice.folder, notice.effective)), notice.html()?)?;
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

/// Refuses what stands in the way of the papers' folders in `out`.
pub(crate) fn look(out: &Path) -> Result<()> {
    for name in FOLDERS {
        let path = out.join(name);
        if fs::symlink_metadata(&path).is_ok_and(|metadata| !metadata.is_dir()) {
            bail!("{}: is no folder, expected that of an earlier run or a free name", path.display());
        }
    }
    Ok(())
}

/// Puts the folders of papers in the place of an earlier run's, whose recipients may be gone.
pub(crate) fn replace(staging: &Path, out: &Path) -> Result<Vec<String>> {
    let mut written = Vec::new();
    for name in FOLDERS {
        let (new, own) = (staging.join(name), out.join(name));
        let replacing = || format!("replacing the folder {}", own.display());
        if own.exists() {
            fs::rename(&own, staging.join(format!("{name}.earlier"))).with_context(replacing)?;
        }
        if new.exists() {
            fs::rename(&new, &own).with_context(replacing)?;
            written.push(format!("{name}/"));
        }
    }
    Ok(written)
}
