//! `report --html`: the month as a page, from its stored rows.

use crate::day_pages::DayPages;
use crate::target::Target;
use anyhow::{Context, Result};
use quoteclock::StoredMonth;
use quoteclock_incentive::{AccountKey, MakerLine, Month, MonthLine};
use quoteclock_model::Span;
use quoteclock_pages::{DayFrame, DayLost, Evidence, Frames, MonthPage, MonthPicture, Section, Verdicts};
use quoteclock_rules::Registry;
use quoteclock_store::{BreachRow, Store, StoredDay};
use std::collections::BTreeSet;
use std::path::Path;

/// What the page is of.
pub(crate) struct PageOf<'a> {
    pub(crate) month: Month,
    pub(crate) registry: &'a Registry,
    pub(crate) store: &'a Store,
    pub(crate) stored: &'a StoredMonth,
    /// The lines that the page shows, in order of their keys.
    pub(crate) lines: Vec<MonthLine>,
    pub(crate) makers: &'a [MakerLine],
    pub(crate) notes: Vec<String>,
    /// Whether the report has gone out.
    pub(crate) gone_out: String,
    /// Tables that follow the pictures.
    pub(crate) sections: Vec<Section>,
}

impl PageOf<'_> {
    /// Writes the page to `file`, whose days lead to pages of their own in `day_pages`.
    pub(crate) fn write(self, file: &Path, day_pages: Option<&Path>) -> Result<()> {
        let day_pages = day_pages.map(|folder| DayPages::in_folder(folder, file)).transpose()?;
        let days = self.store.days(self.month.dates())?;
        let picture = self.picture(&days)?;
        let verdicts = Verdicts {
            month: self.month,
            lines: &self.lines,
            parts: &BTreeSet::new(),
            makers: self.makers,
            is_over: self.stored.missing.is_empty() && self.stored.partial.is_empty(),
            required_pct: self.registry.scheme().required_pct(),
        };
        let mut evidence = self.evidence(&days);
        evidence.sections.clone_from(&self.sections);
        let page =
            MonthPage::new(&verdicts, &picture, evidence, &|line, date| day_pages.as_ref()?.link(&line.key, date));
        if let Some(day_pages) = &day_pages {
            day_pages.warn();
        }
        Target::of(file)?.write(|mut to| page.write(&mut to).with_context(|| format!("writing {}", file.display())))
    }

    /// The stored days, as strips show them.
    pub(crate) fn frames(&self, days: &[StoredDay]) -> Result<Frames> {
        let frame = |day: &StoredDay| -> Result<DayFrame> {
            let plan = self.registry.plan(day.date)?;
            let sessions = plan.sessions().to_vec();
            let shown = match (sessions.first(), sessions.last()) {
                (Some(first), Some(last)) => Span { start: first.start, end: last.end },
                _ => plan.day,
            };
            Ok(DayFrame { date: day.date, shown, sessions })
        };
        let frames: Vec<DayFrame> = days.iter().map(frame).collect::<Result<_>>()?;
        Ok(Frames::new(self.registry.scheme().zone().clone(), frames))
    }

    fn picture(&self, days: &[StoredDay]) -> Result<MonthPicture> {
        let frames = self.frames(days)?;
        let mut picture = MonthPicture::new(&self.lines, frames.clone());
        let shown: BTreeSet<&AccountKey> = self.lines.iter().map(|line| &line.key).collect();
        self.store.results(self.month.dates(), |row| {
            let key = AccountKey::from(&row);
            if shown.contains(&key) {
                picture.result(&key, &row);
            }
        })?;
        lost(self.store, self.month, &frames, |key, day| {
            if shown.contains(key) {
                picture.lost(key, day);
            }
        })?;
        Ok(picture)
    }

    /// What the figures rest on.
    pub(crate) fn evidence(&self, days: &[StoredDay]) -> Evidence {
        let scheme = self.registry.scheme();
        let row = |day: &StoredDay| {
            let beside = vec![
                format!("x{}", day.multiplier),
                day.record_count.to_string(),
                day.reject_count.to_string(),
                day.input.clone(),
                day.input_sha256.to_string(),
                day.registry_sha256.to_string(),
                day.program_version.clone(),
            ];
            (day.date, beside)
        };
        let interpretations = scheme.interpretations().iter();
        Evidence {
            title: String::new(),
            gone_out: self.gone_out.clone(),
            sections: Vec::new(),
            scheme: format!("{} {}", scheme.name(), scheme.version()),
            interpretations: interpretations.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            notes: self.notes.clone(),
            headings: vec![
                "day",
                "market",
                "records",
                "rejects",
                "input",
                "input sha256",
                "registry sha256",
                "version",
            ],
            days: days.iter().map(row).collect(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// Tells `take` what each obligation lost on each day of a month, in order of the days.
pub(crate) fn lost(
    store: &Store,
    month: Month,
    frames: &Frames,
    mut take: impl FnMut(&AccountKey, &DayLost),
) -> Result<()> {
    store.breaches_by_day(month.dates(), |breaches| {
        let Some(first) = breaches.first() else { return };
        let day = frames.lost(first.date, breaches.iter().map(|row| (row.span, row.reason.as_str())));
        let BreachRow { market_maker, issue, obligation, .. } = first.clone();
        if let Some(day) = day {
            take(&AccountKey { market_maker, issue, obligation }, &day);
        }
    })?;
    Ok(())
}
