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
const KEPT: [(&str, &[&str]); 7] = [
    ("monthly.csv", &["market_maker", "issue", "obligation"]),
    ("market_makers.csv", &["market_maker"]),
    ("incentives.csv", &["market_maker", "participant", "issue", "incentive"]),
    ("conditions.csv", &["condition", "issue", "market_maker"]),
    ("tiers.csv", &["issue"]),
    ("recommendations.csv", &["market_maker", "issue", "recommendation"]),
    ("payments.csv", &["market_maker", "participant"]),
];

/// Where a report stands among those of its month that have gone out.
pub(crate) struct Revision {
    /// The last one that has gone out.
    last: Option<Closing>,
    /// Its tables, by path.
    pub(crate) earlier: BTreeMap<String, String>,
    /// This one, where it goes out now.
    closing: Option<Closing>,
    /// What it says otherwise than the last.
    pub(crate) changes: Vec<Change>,
}

impl Revision {
    /// Of a month's files, by name. With `close` they go out now, unless they have already.
    pub(crate) fn of(
        store: &Store,
        registry: &Registry,
        month: Month,
        files: &[(&'static str, Vec<u8>)],
        close: bool,
    ) -> Result<Revision> {
        let first = *month.dates().start();
        let last = store.last_closing(first)?;
        let report_sha256 = digest(files);
        let is_other = last.is_none_or(|last| last.report_sha256 != report_sha256);
        let earlier = match &last {
            Some(last) if is_other => store.closed_papers(last)?,
            _ => BTreeMap::new(),
        };
        let mut all = Vec::new();
        for (name, keys) in KEPT {
            let now = files.iter().find(|(file, _)| *file == name).map(|(_, csv)| String::from_utf8_lossy(csv));
            if let (Some(before), Some(now)) = (earlier.get(name), now) {
                all.extend(changes(name, keys, before, &now));
            }
        }
        let closing = (close && is_other).then(|| Closing {
            month: first,
            revision: last.map_or(1, |last| last.revision + 1),
            closed_on: jiff::Timestamp::now().to_zoned(registry.scheme().zone().clone()).date(),
            report_sha256,
        });
        Ok(Revision { last, earlier, closing, changes: all })
    }

    /// For the head of the report and of every document; nothing where none has ever gone out.
    pub(crate) fn line(&self) -> Option<String> {
        let named = |closing: &Closing| {
            format!("revision {} of {} (report {})", closing.revision, closing.closed_on, closing.report_sha256.short())
        };
        match (&self.closing, &self.last) {
            (Some(own), None) => Some(format!("Gone out: {}", named(own))),
            (Some(own), Some(last)) => Some(format!("Gone out: {}; it supersedes {}", named(own), named(last))),
            (None, Some(last)) if self.is_as_gone_out() => Some(format!("Gone out: {}", named(last))),
            (None, Some(last)) => {
                Some(format!("NOT GONE OUT: it says otherwise than {}, which it would supersede", named(last)))
            }
            (None, None) => None,
        }
    }

    /// The revision's number, date and hash, as programs read them.
    pub(crate) fn gone_out(&self) -> Option<(u32, Date, Digest)> {
        let closing = self.closing.or(self.last.filter(|_| self.is_as_gone_out()))?;
        Some((closing.revision, closing.closed_on, closing.report_sha256))
    }

    fn is_as_gone_out(&self) -> bool {
        self.earlier.is_empty()
    }

    /// Whether the month is to be written down as closed.
    pub(crate) fn closes(&self) -> bool {
        self.closing.is_some()
    }

    /// Writes the closing down, with the report's files and the tables of documents. What follows is not interrupted.
    pub(crate) fn write(
        &self,
        db: &Path,
        files: &[(&'static str, Vec<u8>)],
        mut papers: BTreeMap<String, String>,
    ) -> Result<Option<Uninterrupted>> {
        let Some(closing) = &self.closing else { return Ok(None) };
        papers.extend(files.iter().map(|(name, csv)| ((*name).to_owned(), String::from_utf8_lossy(csv).into_owned())));
        let mut held = None;
        Store::create(db)?.close_month(closing, &papers, || held = Some(uninterrupted()))?;
        Ok(held)
    }
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

/// What is to be said of days that are stored again after their month's report has gone out.
pub(crate) fn warnings(store: &Store, dates: impl Iterator<Item = Date>) -> Result<Vec<String>> {
    let mut months: BTreeMap<Month, Vec<Date>> = BTreeMap::new();
    for date in dates {
        months.entry(Month::of(date)).or_default().push(date);
    }
    let mut warnings = Vec::new();
    for (month, dates) in months {
        if let Some(closing) = store.last_closing(*month.dates().start())? {
            warnings.push(format!(
                "the report of {month} has gone out (revision {} of {}), and {} of it stored anew: `quoteclock report` \
                 says whether it still stands",
                closing.revision,
                closing.closed_on,
                match dates.as_slice() {
                    [date] => format!("{date} is"),
                    dates => format!("{} days are", dates.len()),
                }
            ));
        }
    }
    Ok(warnings)
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
