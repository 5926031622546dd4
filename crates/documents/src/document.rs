//! One paper: what its recipient may see of the month, as tables and as a page.

use crate::changes::{Change, changes};
use crate::recipient::Recipient;
use crate::sheet::{Cell, DocumentError, Sheet, workbook};
use jiff::civil::Date;
use quoteclock_incentive::{
    AccountKey, ConditionLine, IncentiveLine, MakerLine, MonthLine, PaymentLine, Settlement, SystemStatus,
};
use quoteclock_ledger::{DayRow, DisplayPercent, Total};
use quoteclock_model::{Amount, Bps, IssueCode, Paid, Ticks};
use quoteclock_pages::{Breach, DayFrame, Evidence, MonthPage, MonthPicture, Section, Verdicts};
use quoteclock_rules::{ConditionKind, PaidCondition, Registry, Target};
use std::collections::{BTreeMap, BTreeSet};

/// What all papers of a month have in common.
#[derive(Clone, Copy, Debug)]
pub struct Month<'a> {
    /// The registry.
    pub registry: &'a Registry,
    /// The settled month.
    pub settlement: &'a Settlement,
    /// The stored days, as strips show them.
    pub frames: &'a [DayFrame],
    /// Whether every trading day is stored whole.
    pub is_over: bool,
    /// What the figures rest on, and whether the report has gone out; its notes are for everybody.
    pub evidence: &'a Evidence,
}

/// A paper that is being told the month's rows.
#[derive(Debug)]
pub struct Document<'a> {
    month: Month<'a>,
    /// Who has it.
    pub recipient: Recipient,
    lines: Vec<MonthLine>,
    keys: BTreeSet<AccountKey>,
    issues: BTreeMap<String, BTreeSet<IssueCode>>,
    picture: MonthPicture,
    days: Vec<DayRow>,
    /// The tables of the paper that this one supersedes, by file name.
    earlier: BTreeMap<String, String>,
}

/// A paper, written: file names and their bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rendered {
    /// In order of name.
    pub files: Vec<(String, Vec<u8>)>,
}

impl<'a> Document<'a> {
    /// A paper of no rows yet. `sums` are the totals of what the recipient may see, for each key.
    fn with_lines(month: Month<'a>, recipient: Recipient, lines: Vec<MonthLine>) -> Document<'a> {
        let zone = month.registry.scheme().zone().clone();
        let picture = MonthPicture::with_all_days(&lines, zone, month.frames.iter().cloned());
        let keys = lines.iter().map(|line| line.key.clone()).collect();
        let mut issues: BTreeMap<String, BTreeSet<IssueCode>> = BTreeMap::new();
        for line in &lines {
            issues.entry(line.key.market_maker.clone()).or_default().insert(line.key.issue.clone());
        }
        Document { month, recipient, lines, keys, issues, picture, days: Vec::new(), earlier: BTreeMap::new() }
    }

    /// Whether any day of a market maker in an issue is the recipient's.
    pub fn shows(&self, market_maker: &str, issue: &IssueCode) -> bool {
        self.issues.get(market_maker).is_some_and(|issues| issues.contains(issue))
    }

    /// The papers of some recipients of a month, each with the lines that are its own. Lines that a recipient sees in part
    /// only (a participant that a market maker changed to in mid-month) have the sums of its own days: `results` are the
    /// month's stored rows.
    pub fn all(month: Month<'a>, recipients: &BTreeSet<Recipient>, results: &[DayRow]) -> Vec<Document<'a>> {
        let lines: BTreeMap<&AccountKey, &MonthLine> =
            month.settlement.lines.iter().map(|line| (&line.key, line)).collect();
        let document = |recipient: &Recipient| {
            let mut own: BTreeMap<AccountKey, (Total, u32, Date)> = BTreeMap::new();
            for row in results {
                let key = key_of(row);
                if recipient.may_see(month.registry, &key, row.date) {
                    let (total, days, last) = own.entry(key).or_default();
                    *total += row.total;
                    *days += 1;
                    *last = (*last).max(row.date);
                }
            }
            let line = |(key, (total, days_measured, last_measured)): (AccountKey, (Total, u32, Date))| {
                let whole = lines.get(&key)?;
                Some(MonthLine { key, total, days_measured, last_measured, ..(*whole).clone() })
            };
            Document::with_lines(month, recipient.clone(), own.into_iter().filter_map(line).collect())
        };
        recipients.iter().map(document).collect()
    }

    /// Tells what went out before: the tables of the recipient's earlier paper, by file name. The paper then says what has
    /// changed, and nothing of anybody else's.
    pub fn supersedes(&mut self, tables: BTreeMap<String, String>) {
        self.earlier = tables;
    }

    /// Adds the times of an obligation on a day, if they are the recipient's.
    pub fn result(&mut self, row: &DayRow) {
        let key = key_of(row);
        if self.keys.contains(&key) && self.recipient.may_see(self.month.registry, &key, row.date) {
            self.picture.result(row);
            self.days.push(row.clone());
        }
    }

    /// Adds a breach, if it is the recipient's.
    pub fn breach(&mut self, breach: Breach<'_>) {
        let key = AccountKey {
            market_maker: breach.market_maker.to_owned(),
            issue: breach.issue.clone(),
            obligation: breach.obligation.clone(),
        };
        if self.keys.contains(&key) && self.recipient.may_see(self.month.registry, &key, breach.date) {
            self.picture.breach(breach);
        }
    }

    /// The paper, written.
    ///
    /// # Errors
    /// [`DocumentError`] of the spreadsheet.
    pub fn render(mut self) -> Result<Rendered, DocumentError> {
        self.picture.close();
        let (name, title) = self.titles();
        let mut sheets = self.sheets();
        if !self.earlier.is_empty() {
            sheets.insert(0, self.changes_sheet(&sheets)?);
        }
        let mut files: Vec<(String, Vec<u8>)> = Vec::new();
        for sheet in &sheets {
            files.push((format!("{}.csv", sheet.name), sheet.csv()?));
        }
        files.push((format!("{name}.html"), self.page(&title, &sheets)?));
        files.push((format!("{name}.xlsx"), workbook(&title, &sheets)?));
        files.sort();
        Ok(Rendered { files })
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
            heading: "What it says otherwise than the revision that it supersedes",
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
        evidence.sections = sheets.iter().filter(|sheet| sheet.name != "days").map(section).collect();
        let verdicts = Verdicts {
            month: settlement.month,
            lines: &self.lines,
            makers: &makers,
            is_over: self.month.is_over,
            required_pct: self.month.registry.scheme().required_pct(),
        };
        let mut bytes = Vec::new();
        MonthPage::new(&verdicts, &self.picture, evidence, &|_, _| None).write(&mut bytes)?;
        Ok(bytes)
    }

    fn sheets(&self) -> Vec<Sheet> {
        let mut sheets = vec![self.month_sheet(), self.limits_sheet()];
        sheets.extend(self.incentive_sheets());
        sheets.push(self.condition_sheet());
        sheets.push(self.day_sheet());
        sheets
    }

    /// The month's status is that of the whole sign-up; the times are what the recipient may see.
    ///
    /// Clause: `ST1/system-status`.
    fn month_sheet(&self) -> Sheet {
        let whole: BTreeMap<&AccountKey, &MonthLine> =
            self.month.settlement.lines.iter().map(|line| (&line.key, line)).collect();
        let row = |line: &MonthLine| {
            let of_month = whole.get(&line.key).copied().unwrap_or(line);
            let system = of_month.system_status().map_or("", SystemStatus::as_str);
            vec![
                Cell::text(&line.key.market_maker),
                Cell::text(line.key.issue.as_str()),
                Cell::text(line.key.obligation.to_string()),
                Cell::number(line.total.available.0),
                Cell::number(line.total.fulfilled.0),
                Cell::number(line.total.unknown.0),
                Cell::Number(percent(line.total)),
                Cell::Number(trimmed(line.required_pct)),
                Cell::text(of_month.status().as_str()),
                Cell::text(system),
                Cell::number(line.days_measured),
            ]
        };
        Sheet {
            name: "month",
            heading: "The month: real status, and the exchange system's beside it",
            keys: &["market_maker", "issue", "obligation"],
            columns: vec![
                "market_maker",
                "issue",
                "obligation",
                "available_us",
                "fulfilled_us",
                "unknown_us",
                "display_pct",
                "required_pct",
                "status",
                "system_status",
                "days_measured",
            ],
            rows: self.lines.iter().map(row).collect(),
        }
    }

    fn day_sheet(&self) -> Sheet {
        let row = |day: &DayRow| {
            vec![
                Cell::text(day.date.to_string()),
                Cell::text(&day.market_maker),
                Cell::text(day.issue.as_str()),
                Cell::text(day.obligation.to_string()),
                Cell::number(day.total.available.0),
                Cell::number(day.total.fulfilled.0),
                Cell::number(day.total.unknown.0),
                Cell::Number(percent(day.total)),
            ]
        };
        Sheet {
            name: "days",
            heading: "Day by day",
            keys: &[],
            columns: vec![
                "date",
                "market_maker",
                "issue",
                "obligation",
                "available_us",
                "fulfilled_us",
                "unknown_us",
                "display_pct",
            ],
            rows: self.days.iter().map(row).collect(),
        }
    }

    /// The limits that were in force, from when to when, and why: type, Fast Market, condition.
    ///
    /// Clauses: `ST1/spread-and-quantity`, `ST1/fast-market`.
    fn limits_sheet(&self) -> Sheet {
        // Market makers of one issue have the same limits on a day.
        let mut days: BTreeMap<(&IssueCode, String), BTreeMap<Date, Limit>> = BTreeMap::new();
        for day in &self.days {
            let of_obligation = days.entry((&day.issue, day.obligation.to_string())).or_default();
            if !of_obligation.contains_key(&day.date)
                && let Some(limit) = self.limit(day)
            {
                of_obligation.insert(day.date, limit);
            }
        }
        let mut rows = Vec::new();
        for ((issue, obligation), days) in days {
            let mut stretches: Vec<(Date, Date, u32, Limit)> = Vec::new();
            for (date, limit) in days {
                match stretches.last_mut() {
                    Some((_, last, count, of)) if *of == limit => (*last, *count) = (date, *count + 1),
                    _ => stretches.push((date, date, 1, limit)),
                }
            }
            for (from, to, count, limit) in stretches {
                let number = |value: Option<String>| Cell::Number(value.unwrap_or_default());
                rows.push(vec![
                    Cell::text(issue.as_str()),
                    Cell::text(&obligation),
                    Cell::text(from.to_string()),
                    Cell::text(to.to_string()),
                    Cell::number(count),
                    number(limit.spread_bps_max.map(|max| max.to_string())),
                    number(limit.spread_ticks_max.map(|max| max.0.to_string())),
                    number(limit.value_min.map(|min| min.to_string())),
                    Cell::text(limit.why),
                ]);
            }
        }
        Sheet {
            name: "limits",
            heading: "The limits in force, and why",
            keys: &["issue", "obligation", "from"],
            columns: vec![
                "issue",
                "obligation",
                "from",
                "to",
                "days",
                "max_spread_bps",
                "max_spread_ticks",
                "min_value_jpy",
                "why",
            ],
            rows,
        }
    }

    /// The limits of an obligation on a day. A Fast Market widens those of the scheme and of matching funds.
    fn limit(&self, day: &DayRow) -> Option<Limit> {
        let registry = self.month.registry;
        let row = registry.issue_on(&day.issue, day.date)?;
        let (terms, widens, why) = match day.obligation.paid() {
            Paid::Incentives => {
                let terms = registry.scheme().types().get(&row.type_name)?;
                (*terms, true, format!("type {}", row.type_name))
            }
            Paid::Sponsor(name) | Paid::MatchingFund(name) => {
                let is_sponsored = matches!(day.obligation.paid(), Paid::Sponsor(_));
                let kind = if is_sponsored { ConditionKind::Sponsored } else { ConditionKind::Matching };
                let of_name = |row: &&PaidCondition| row.kind == kind && row.name == name;
                let rows: Vec<_> = registry.conditions().iter().filter(of_name).collect();
                let rows = || rows.iter().filter(|row| row.period.contains(day.date));
                let of_index = |target: &Target| matches!(target, Target::Index(of) if Some(of) == row.index.as_ref());
                let own = rows().find(|row| matches!(&row.target, Target::Issue(of) if *of == day.issue));
                let condition = own.or_else(|| rows().find(|row| of_index(&row.target)))?;
                (condition.terms, !is_sponsored, format!("condition {}", condition.obligation()))
            }
        };
        let multiplier = if widens { registry.multiplier_on(day.date) } else { 1 };
        let times = u64::from(multiplier);
        Some(Limit {
            spread_bps_max: terms.spread_bps_max.map(|Bps(max)| Bps(max * times)),
            spread_ticks_max: terms.spread_ticks_max.map(|Ticks(max)| Ticks(max * times)),
            value_min: terms.value_min,
            why: if multiplier == 1 { why } else { format!("{why}, Fast Market x{multiplier}") },
        })
    }

    /// None for an asset manager: incentives are between the exchange and the market maker.
    fn incentive_sheets(&self) -> Vec<Sheet> {
        let is_own = |market_maker: &str, of: Option<&str>| match &self.recipient {
            Recipient::MarketMaker(name) => market_maker == name,
            Recipient::Participant { participant, market_maker: name } => {
                market_maker == name && of == Some(participant)
            }
            Recipient::AssetManager(_) => false,
        };
        if matches!(self.recipient, Recipient::AssetManager(_)) {
            return Vec::new();
        }
        let line = |line: &IncentiveLine| {
            vec![
                Cell::text(line.participant.as_deref().unwrap_or_default()),
                Cell::text(line.issue.as_str()),
                Cell::text(line.tier.map_or("", quoteclock_rules::Tier::as_str)),
                Cell::text(line.incentive.as_str()),
                Cell::Number(line.basis.basis()),
                Cell::Number(line.basis.rate().unwrap_or_default()),
                Cell::Number(line.amount_yen.map_or_else(String::new, |amount| amount.to_string())),
                Cell::text(line.incentive.clause()),
            ]
        };
        let payment = |line: &PaymentLine| {
            vec![
                Cell::text(line.participant.as_deref().unwrap_or_default()),
                Cell::number(line.trading_value_yen),
                Cell::number(line.access_fee_yen),
                Cell::number(line.sponsored_yen),
                Cell::number(line.matching_yen),
                Cell::number(line.server_waiver_yen),
                Cell::number(line.total_yen()),
            ]
        };
        let settlement = self.month.settlement;
        let incentives = settlement.incentives.iter();
        let payments = settlement.payments.iter();
        vec![
            Sheet {
                name: "incentives",
                heading: "Incentives, line by line",
                keys: &["participant", "issue", "incentive"],
                columns: vec!["participant", "issue", "tier", "incentive", "basis", "rate", "amount_jpy", "clause"],
                rows: incentives.filter(|of| is_own(&of.market_maker, of.participant.as_deref())).map(line).collect(),
            },
            Sheet {
                name: "payments",
                heading: "What is paid in all",
                keys: &["participant"],
                columns: vec![
                    "participant",
                    "trading_value_jpy",
                    "access_fee_jpy",
                    "sponsored_jpy",
                    "matching_jpy",
                    "server_waiver_jpy",
                    "total_jpy",
                ],
                rows: payments.filter(|of| is_own(&of.market_maker, of.participant.as_deref())).map(payment).collect(),
            },
        ]
    }

    /// A place, and among how many; nobody else's name in a market maker's paper.
    ///
    /// Clauses: `ST1/sponsored-priority`, `ST1/performance-report`.
    fn condition_sheet(&self) -> Sheet {
        let is_own = |line: &&ConditionLine| {
            let obligation = line.obligation();
            let mut own = self.lines.iter().filter(|of| of.key.market_maker == line.market_maker);
            let is_there = own.any(|of| of.key.issue == line.issue && of.key.obligation.to_string() == obligation);
            is_there
                && match &self.recipient {
                    Recipient::Participant { participant, .. } => line.participant.as_deref() == Some(participant),
                    Recipient::MarketMaker(_) | Recipient::AssetManager(_) => true,
                }
        };
        let row = |line: &ConditionLine| {
            let paid = |of: fn(&quoteclock_incentive::Payout) -> u128| {
                Cell::Number(line.payout.as_ref().map_or_else(String::new, |payout| of(payout).to_string()))
            };
            vec![
                Cell::text(line.obligation()),
                Cell::text(line.issue.as_str()),
                Cell::text(&line.market_maker),
                Cell::text(line.status.as_str()),
                Cell::Number(line.place.map_or_else(String::new, |place| place.to_string())),
                Cell::number(line.eligible),
                Cell::number(line.executed_quantity),
                paid(|payout| payout.amount_yen),
                paid(|payout| payout.by_exchange_yen),
                paid(|payout| payout.by_asset_manager_yen),
                Cell::text(line.note()),
            ]
        };
        Sheet {
            name: "conditions",
            heading: "Sponsored conditions and matching funds: the place, and among how many eligible ones",
            keys: &["condition", "issue", "market_maker"],
            columns: vec![
                "condition",
                "issue",
                "market_maker",
                "status",
                "place",
                "of_eligible",
                "executed_quantity",
                "amount_jpy",
                "by_exchange_jpy",
                "by_asset_manager_jpy",
                "note",
            ],
            rows: self.month.settlement.conditions.iter().filter(is_own).map(row).collect(),
        }
    }
}

/// What was asked for on a day, and why.
#[derive(PartialEq, Eq)]
struct Limit {
    spread_bps_max: Option<Bps>,
    spread_ticks_max: Option<Ticks>,
    value_min: Option<Amount>,
    why: String,
}

/// A table as people read it: numbers in groups of three digits.
fn section(sheet: &Sheet) -> Section {
    let row = |row: &Vec<Cell>| {
        let cell = |cell: &Cell| match cell {
            Cell::Number(number) => (grouped(number), true),
            Cell::Text(text) => (text.clone(), false),
        };
        row.iter().map(cell).collect()
    };
    Section {
        heading: sheet.heading.to_owned(),
        columns: sheet.columns.iter().map(|name| name.replace('_', " ")).collect(),
        rows: sheet.rows.iter().map(row).collect(),
    }
}

/// `123,450,000.5`.
fn grouped(number: &str) -> String {
    let (whole, rest) = number.split_at(number.find('.').unwrap_or(number.len()));
    let digits = whole.len();
    let mut text = String::with_capacity(number.len() + digits / 3);
    for (position, digit) in whole.chars().enumerate() {
        if 0 < position && (digits - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + rest
}

fn key_of(row: &DayRow) -> AccountKey {
    AccountKey { market_maker: row.market_maker.clone(), issue: row.issue.clone(), obligation: row.obligation.clone() }
}

fn percent(total: Total) -> String {
    DisplayPercent::of(total.fulfilled, total.available).map_or_else(String::new, |percent| percent.to_string())
}

/// Ten-thousandths without needless zeros.
fn trimmed(ten_thousandths: u64) -> String {
    let text = format!("{}.{:04}", ten_thousandths / 10_000, ten_thousandths % 10_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
