//! One paper: what its recipient may see of the month, as tables and as a page.

use crate::changes::{Change, changes};
use crate::recipient::{Recipient, readers};
use crate::sheet::{Cell, DocumentError, Sheet, workbook};
use jiff::civil::Date;
use quoteclock_incentive::{AccountKey, MakerLine, MonthLine, Settlement};
use quoteclock_ledger::{DayRow, Total};
use quoteclock_pages::{DayLost, Evidence, Frames, MonthPage, MonthPicture, Verdicts};
use quoteclock_rules::Registry;
use std::collections::{BTreeMap, BTreeSet};

/// Above the list of what has changed.
pub const CHANGES_HEADING: &str = "What it says otherwise than the revision that it supersedes";

/// What all papers of a month have in common.
#[derive(Clone, Copy, Debug)]
pub struct Month<'a> {
    /// The registry.
    pub registry: &'a Registry,
    /// The settled month.
    pub settlement: &'a Settlement,
    /// The stored days, as strips show them.
    pub frames: &'a Frames,
    /// Whether every trading day is stored whole.
    pub is_over: bool,
    /// What the figures rest on, and whether the report has gone out; its notes are for everybody.
    pub evidence: &'a Evidence,
    /// Which revision of the report it is, each fact with its name.
    pub imprint: &'a [(&'static str, String)],
}

/// The papers of a month.
#[derive(Debug)]
pub struct Documents<'a> {
    registry: &'a Registry,
    places: BTreeMap<Recipient, usize>,
    /// In order of their recipients.
    pub papers: Vec<Document<'a>>,
}

/// One paper: what is its recipient's of the month.
#[derive(Debug)]
pub struct Document<'a> {
    pub(crate) month: Month<'a>,
    /// Who has it.
    pub recipient: Recipient,
    pub(crate) lines: Vec<MonthLine>,
    /// The lines of which it holds some of the measured days only.
    pub(crate) parts: BTreeSet<AccountKey>,
    /// The dates of which it holds anything.
    pub(crate) dates: BTreeSet<Date>,
    keys: BTreeSet<AccountKey>,
    picture: MonthPicture,
    /// In order of date and line.
    pub(crate) days: Vec<&'a DayRow>,
    /// The tables of the paper that this one supersedes, by file name.
    earlier: BTreeMap<String, String>,
}

/// What of a month is a recipient's.
#[derive(Default)]
struct Own<'a> {
    lines: Vec<MonthLine>,
    parts: BTreeSet<AccountKey>,
    days: Vec<&'a DayRow>,
}

/// A paper, written: file names and their bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rendered {
    /// In order of name.
    pub files: Vec<(String, Vec<u8>)>,
    /// The files whose lines another revision's are compared with, and the columns that tell these apart.
    pub kept: Vec<(String, &'static [&'static str])>,
}

impl<'a> Documents<'a> {
    /// The papers of some recipients of a month, each with the lines that are its own. Lines that a recipient sees in part
    /// only (a participant that a market maker changed to in mid-month) have the sums of its own days: `results` are the
    /// month's stored rows, in order of date.
    pub fn new(month: Month<'a>, recipients: &BTreeSet<Recipient>, results: &'a [DayRow]) -> Documents<'a> {
        let mut by_key: BTreeMap<AccountKey, Vec<&DayRow>> = BTreeMap::new();
        for row in results {
            by_key.entry(AccountKey::from(row)).or_default().push(row);
        }
        let mut own: BTreeMap<Recipient, Own<'_>> =
            recipients.iter().map(|recipient| (recipient.clone(), Own::default())).collect();
        for line in &month.settlement.lines {
            let rows = by_key.remove(&line.key).unwrap_or_default();
            let mut read: BTreeMap<Recipient, Vec<&DayRow>> = BTreeMap::new();
            for &row in &rows {
                for reader in readers(month.registry, &line.key, row.date) {
                    read.entry(reader).or_default().push(row);
                }
            }
            for (reader, days) in read {
                let Some(own) = own.get_mut(&reader) else { continue };
                own.add(line, days, rows.len());
            }
        }
        let places = own.keys().cloned().zip(0..).collect();
        let papers = own.into_iter().map(|(recipient, own)| Document::new(month, recipient, own)).collect();
        Documents { registry: month.registry, places, papers }
    }

    /// Adds what an obligation lost on a day to the papers of those who may read it. The days of one obligation come in
    /// order.
    pub fn lost(&mut self, key: &AccountKey, day: &DayLost) {
        for reader in readers(self.registry, key, day.date()) {
            let Some(&place) = self.places.get(&reader) else { continue };
            let paper = &mut self.papers[place];
            if paper.keys.contains(key) {
                paper.picture.lost(key, day);
            }
        }
    }
}

impl<'a> Own<'a> {
    /// Adds the days of a line that are the recipient's, of so many that were measured.
    fn add(&mut self, line: &MonthLine, days: Vec<&'a DayRow>, measured: usize) {
        let Some(last_measured) = days.iter().map(|row| row.date).max() else { return };
        let mut total = Total::default();
        days.iter().for_each(|row| total += row.total);
        if days.len() < measured {
            self.parts.insert(line.key.clone());
        }
        let days_measured = u32::try_from(days.len()).unwrap_or(u32::MAX);
        self.lines.push(MonthLine { total, days_measured, last_measured, ..line.clone() });
        self.days.extend(days);
    }
}

impl<'a> Document<'a> {
    fn new(month: Month<'a>, recipient: Recipient, own: Own<'a>) -> Document<'a> {
        let Own { lines, parts, mut days } = own;
        // As they are stored: by date, then by line.
        days.sort_by_key(|row| row.date);
        let dates = days.iter().map(|row| row.date).collect();
        let mut picture = MonthPicture::with_all_days(&lines, month.frames.only(&dates));
        days.iter().for_each(|row| picture.result(&AccountKey::from(*row), row));
        let keys = lines.iter().map(|line| line.key.clone()).collect();
        Document { month, recipient, lines, parts, dates, keys, picture, days, earlier: BTreeMap::new() }
    }

    /// Tells what went out before: the tables of the recipient's earlier paper, by file name. The paper then says what has
    /// changed, and nothing of anybody else's.
    pub fn supersedes(&mut self, tables: BTreeMap<String, String>) {
        self.earlier = tables;
    }

    /// The paper, written.
    ///
    /// # Errors
    /// [`DocumentError`] of the spreadsheet.
    pub fn render(self) -> Result<Rendered, DocumentError> {
        let (name, title) = self.titles();
        let mut sheets = self.tables();
        let is_kept = |sheet: &&Sheet| !sheet.keys.is_empty();
        let kept = sheets.iter().filter(is_kept).map(|sheet| (format!("{}.csv", sheet.name), sheet.keys)).collect();
        if !self.earlier.is_empty() {
            sheets.insert(0, self.changes_sheet(&sheets)?);
        }
        sheets.insert(0, self.about(&title));
        let mut files: Vec<(String, Vec<u8>)> = Vec::new();
        for sheet in &sheets {
            files.push((format!("{}.csv", sheet.name), sheet.csv()?));
        }
        files.push((format!("{name}.html"), self.page(&title, &sheets)?));
        files.push((format!("{name}.xlsx"), workbook(&title, &self.foot(&title), &sheets)?));
        files.sort();
        Ok(Rendered { files, kept })
    }

    /// What stands below every printed page: which paper it is, and of which revision.
    fn foot(&self, title: &str) -> String {
        match self.month.evidence.gone_out.as_str() {
            "" => title.to_owned(),
            gone_out => format!("{title}. {gone_out}"),
        }
    }

    /// Everything that a reader has to know before the figures.
    pub(crate) fn notes(&self) -> Vec<String> {
        self.own_notes().into_iter().chain(self.month.evidence.notes.iter().cloned()).collect()
    }

    fn changes_sheet(&self, sheets: &[Sheet]) -> Result<Sheet, DocumentError> {
        let mut all = Vec::new();
        for sheet in sheets.iter().filter(|sheet| !sheet.keys.is_empty()) {
            let csv = sheet.csv()?;
            let before = self.earlier.get(&format!("{}.csv", sheet.name)).map_or("", String::as_str);
            all.extend(changes(sheet.name, sheet.keys, before, &String::from_utf8_lossy(&csv)));
        }
        let row = |one: Change| [one.table, one.line, one.column, one.before, one.now].map(Cell::Text).to_vec();
        Ok(Sheet {
            name: "changes",
            heading: CHANGES_HEADING,
            keys: &[],
            columns: vec!["table", "line", "column", "before", "now"],
            rows: all.into_iter().map(row).collect(),
        })
    }

    fn titles(&self) -> (&'static str, String) {
        let month = self.month.settlement.month;
        match &self.recipient {
            Recipient::MarketMaker(name) => ("tm-2", format!("TM-2 Market Maker Report, {month}: {name}")),
            Recipient::Participant { participant, market_maker } => {
                ("tm-2", format!("TM-2 Market Maker Report, {month}: {market_maker} through {participant}"))
            }
            Recipient::AssetManager(name) => ("ta-1", format!("TA-1 Report by ETF, {month}: {name}")),
        }
    }

    fn page(&self, title: &str, sheets: &[Sheet]) -> Result<Vec<u8>, DocumentError> {
        let settlement = self.month.settlement;
        let makers: Vec<MakerLine> = match &self.recipient {
            Recipient::MarketMaker(name) => {
                settlement.makers.iter().filter(|maker| maker.market_maker == *name).cloned().collect()
            }
            // How many ETFs a market maker has fulfilled elsewhere is no business of others.
            Recipient::Participant { .. } | Recipient::AssetManager(_) => Vec::new(),
        };
        let mut evidence = self.month.evidence.clone();
        title.clone_into(&mut evidence.title);
        evidence.notes = self.notes();
        evidence.days.retain(|(date, _)| self.dates.contains(date));
        // The page has the days as pictures, and says itself what it is.
        let is_shown = |sheet: &&Sheet| !["about", "days"].contains(&sheet.name);
        evidence.sections = sheets.iter().filter(is_shown).map(Sheet::section).collect();
        let verdicts = Verdicts {
            month: settlement.month,
            lines: &self.lines,
            parts: &self.parts,
            makers: &makers,
            is_over: self.month.is_over,
            required_pct: self.month.registry.scheme().required_pct(),
        };
        let mut bytes = Vec::new();
        MonthPage::new(&verdicts, &self.picture, evidence, &|_, _| None).write(&mut bytes)?;
        Ok(bytes)
    }
}
