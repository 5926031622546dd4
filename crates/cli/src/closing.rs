//! `quoteclock report --close`: reports that have gone out, and what a later one says otherwise.

use crate::scratch::{Uninterrupted, uninterrupted};
use anyhow::Result;
use jiff::civil::Date;
use quoteclock_documents::{Change, changes};
use quoteclock_incentive::Month;
use quoteclock_rows::{Align, Column, Table};
use quoteclock_rules::Registry;
use quoteclock_store::{Closing, Digest, Store};
use std::collections::BTreeMap;
use std::path::Path;

/// The report's files that are kept of it, each with the columns that tell its lines apart.
const KEPT: [(&str, &[&str]); 8] = [
    ("monthly.csv", &["market_maker", "issue", "obligation"]),
    ("criteria.csv", &["market_maker", "issue"]),
    ("market_makers.csv", &["market_maker"]),
    ("incentives.csv", &["market_maker", "participant", "issue", "incentive"]),
    ("conditions.csv", &["condition", "issue", "market_maker"]),
    ("tiers.csv", &["issue"]),
    ("recommendations.csv", &["market_maker", "issue", "recommendation"]),
    ("payments.csv", &["market_maker", "participant"]),
];

/// Where a report stands among those of its month that have gone out.
pub(crate) struct Revision {
    /// It, where it has gone out or goes out now.
    pub(crate) own: Option<Closing>,
    /// The one before it: that it supersedes, or would.
    pub(crate) before: Option<Closing>,
    /// The tables of the one before it, by path.
    pub(crate) earlier: BTreeMap<String, String>,
    /// What it says otherwise than the one before it.
    pub(crate) changes: Vec<Change>,
    /// Whether it goes out now.
    closes: bool,
}

impl Revision {
    /// Of a month's files, by name. With `close` they go out now, unless they have already. A revision stands beside the
    /// one before it, however often it is asked for.
    pub(crate) fn of(
        store: &Store,
        registry: &Registry,
        month: Month,
        files: &[(&'static str, Vec<u8>)],
        close: bool,
    ) -> Result<Revision> {
        let first = *month.dates().start();
        let report_sha256 = digest(files);
        let last = store.last_closing(first)?;
        let (own, before) = match last {
            Some(last) if last.report_sha256 == report_sha256 => (Some(last), store.closing_before(&last)?),
            last if close => (Some(successor(last, first, report_sha256, registry)), last),
            last => (None, last),
        };
        let earlier = before.map(|before| store.closed_papers(&before)).transpose()?.unwrap_or_default();
        let mut all = Vec::new();
        for (name, keys) in KEPT {
            let now = files.iter().find(|(file, _)| *file == name).map(|(_, csv)| String::from_utf8_lossy(csv));
            if let (Some(before), Some(now)) = (earlier.get(name), now) {
                all.extend(changes(name, keys, before, &now));
            }
        }
        Ok(Revision { own, before, earlier, changes: all, closes: own.is_some() && own != last })
    }

    /// For the head of the report and of every document; nothing where none has ever gone out.
    pub(crate) fn line(&self) -> Option<String> {
        let named = |closing: &Closing| {
            format!("revision {} of {} (report {})", closing.revision, closing.closed_on, closing.report_sha256.short())
        };
        match (&self.own, &self.before) {
            (Some(own), None) => Some(format!("Gone out: {}", named(own))),
            (Some(own), Some(before)) => Some(format!("Gone out: {}; it supersedes {}", named(own), named(before))),
            (None, Some(before)) => {
                Some(format!("NOT GONE OUT: it says otherwise than {}, which it would supersede", named(before)))
            }
            (None, None) => None,
        }
    }

    /// The same, fact by fact, for tables.
    pub(crate) fn imprint(&self) -> Vec<(&'static str, String)> {
        let mut facts = Vec::new();
        match &self.own {
            None => facts.push(("gone out", "no".to_owned())),
            Some(own) => facts.extend([
                ("revision", own.revision.to_string()),
                ("gone out on", own.closed_on.to_string()),
                ("report sha256", own.report_sha256.to_string()),
            ]),
        }
        if let Some(before) = &self.before {
            facts.extend([
                (
                    if self.own.is_some() { "supersedes revision" } else { "would supersede revision" },
                    before.revision.to_string(),
                ),
                ("which went out on", before.closed_on.to_string()),
                ("whose report sha256 is", before.report_sha256.to_string()),
            ]);
        }
        facts
    }

    /// The report of these very files that has gone out earlier, with its tables by path.
    pub(crate) fn gone_out_earlier(&self, store: &Store) -> Result<Option<BTreeMap<String, String>>> {
        let own = self.own.filter(|_| !self.closes);
        Ok(own.map(|own| store.closed_papers(&own)).transpose()?)
    }

    /// Comes after the one that has gone out: the files are the same, and the papers are not. With `close` it goes out now.
    pub(crate) fn follow(&mut self, store: &Store, registry: &Registry, close: bool) -> Result<()> {
        let Some(last) = self.own else { return Ok(()) };
        self.earlier = store.closed_papers(&last)?;
        self.changes.clear();
        self.before = Some(last);
        self.own = close.then(|| successor(Some(last), last.month, last.report_sha256, registry));
        self.closes = close;
        Ok(())
    }

    /// Writes the closing down, with the report's files and the tables of documents. What follows is not interrupted.
    pub(crate) fn write(
        &self,
        db: &Path,
        files: &[(&'static str, Vec<u8>)],
        mut papers: BTreeMap<String, String>,
    ) -> Result<Option<Uninterrupted>> {
        let Some(closing) = self.own.as_ref().filter(|_| self.closes) else { return Ok(None) };
        papers.extend(files.iter().map(|(name, csv)| ((*name).to_owned(), String::from_utf8_lossy(csv).into_owned())));
        let mut held = None;
        Store::create(db)?.close_month(closing, &papers, || held = Some(uninterrupted()))?;
        Ok(held)
    }
}

/// The closing after the last one, today.
fn successor(last: Option<Closing>, month: Date, report_sha256: Digest, registry: &Registry) -> Closing {
    let revision = last.map_or(1, |last| last.revision + 1);
    let closed_on = jiff::Timestamp::now().to_zoned(registry.scheme().zone().clone()).date();
    Closing { month, revision, closed_on, report_sha256 }
}

/// Of the files' names, lengths and bytes.
fn digest(files: &[(&'static str, Vec<u8>)]) -> Digest {
    let mut all = Vec::new();
    for (name, csv) in files {
        all.extend(format!("{name} {}\n", csv.len()).into_bytes());
        all.extend(csv);
    }
    Digest::of(&all)
}

/// What a report says otherwise than the one that it supersedes.
#[derive(Debug)]
pub(crate) struct Changes;

impl Table for Changes {
    type Row<'a> = &'a Change;
    const NAME: &'static str = "changes";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::text("table", |row| Some(row.table.as_str().into())).shown("file"),
        Column::<Self>::text("line", |row| Some(row.line.as_str().into())).shown("line"),
        Column::<Self>::text("column", |row| Some(row.column.as_str().into())).shown("column"),
        Column::<Self>::text("before", |row| Some(row.before.as_str().into())).shown_as(
            "before",
            Align::Right,
            |row| row.before.as_str().into(),
        ),
        Column::<Self>::text("now", |row| Some(row.now.as_str().into()))
            .shown_as("now", Align::Right, |row| row.now.as_str().into()),
    ];
    const SHOWN: &'static [&'static str] = &["table", "line", "column", "before", "now"];
}
