//! The month: `monthly.csv` and `market_makers.csv`, and the same for programs and people.

use crate::columns::{Align, blank_repeated, columns};
use crate::table::Style;
use quoteclock_incentive::{Line, MakerLine, Month, Outlook, Prospect, Status, SystemStatus};
use quoteclock_ledger::DisplayPercent;
use quoteclock_model::Micros;
use serde::Serialize;
use serde_json::value::RawValue;
use std::io::{self, Write};

/// Columns of `monthly.csv`.
pub const MONTHLY_COLUMNS: [&str; 13] = [
    "month",
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
    "trading_days",
];

/// Columns of `market_makers.csv`.
pub const MAKER_COLUMNS: [&str; 9] = [
    "month",
    "market_maker",
    "etfs_fulfilled",
    "etfs_required",
    "qualifies",
    "free_servers",
    "servers_registered",
    "server_participant",
    "server_waiver_jpy",
];

/// Writes `monthly.csv`.
///
/// # Errors
/// Those of `to`.
pub fn write_monthly_csv(month: Month, lines: &[Line], to: impl Write) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(to);
    csv.write_record(MONTHLY_COLUMNS)?;
    for line in lines {
        let system: &str = line.system_status().map_or("", SystemStatus::as_str);
        csv.write_record([
            &month.to_string(),
            &line.key.market_maker,
            line.key.issue.as_str(),
            &line.key.obligation.to_string(),
            &line.total.available.0.to_string(),
            &line.total.fulfilled.0.to_string(),
            &line.total.unknown.0.to_string(),
            &display(line.total.fulfilled, line.total.available).unwrap_or_default(),
            &percent(line.required_pct),
            line.status().as_str(),
            system,
            &line.days_measured.to_string(),
            &line.trading_days.to_string(),
        ])?;
    }
    csv.flush()
}

/// Writes `market_makers.csv`.
///
/// # Errors
/// Those of `to`.
pub fn write_makers_csv(month: Month, makers: &[MakerLine], to: impl Write) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(to);
    csv.write_record(MAKER_COLUMNS)?;
    for maker in makers {
        csv.write_record([
            &month.to_string(),
            &maker.market_maker,
            &maker.etfs_fulfilled.to_string(),
            &maker.etfs_required.to_string(),
            yes_no(maker.qualifies()),
            &maker.free_servers.to_string(),
            &maker.servers_registered.to_string(),
            maker.server_participant.as_deref().unwrap_or_default(),
            &maker.server_waiver_yen().to_string(),
        ])?;
    }
    csv.flush()
}

/// A row of `monthly.csv` as JSON.
#[derive(Serialize, Debug)]
pub struct MonthlyJson {
    month: String,
    market_maker: String,
    issue: String,
    obligation: String,
    available_us: u64,
    fulfilled_us: u64,
    unknown_us: u64,
    display_pct: Option<Box<RawValue>>,
    required_pct: Option<Box<RawValue>>,
    status: &'static str,
    system_status: Option<&'static str>,
    days_measured: u32,
    trading_days: u32,
}

impl MonthlyJson {
    /// The row of `line`.
    pub fn new(month: Month, line: &Line) -> MonthlyJson {
        MonthlyJson {
            month: month.to_string(),
            market_maker: line.key.market_maker.clone(),
            issue: line.key.issue.to_string(),
            obligation: line.key.obligation.to_string(),
            available_us: line.total.available.0,
            fulfilled_us: line.total.fulfilled.0,
            unknown_us: line.total.unknown.0,
            display_pct: display(line.total.fulfilled, line.total.available).and_then(number),
            required_pct: number(percent(line.required_pct)),
            status: line.status().as_str(),
            system_status: line.system_status().map(SystemStatus::as_str),
            days_measured: line.days_measured,
            trading_days: line.trading_days,
        }
    }
}

/// A row of `market_makers.csv` as JSON.
#[derive(Serialize, Debug)]
pub struct MakerJson {
    month: String,
    market_maker: String,
    etfs_fulfilled: u32,
    etfs_required: u32,
    qualifies: &'static str,
    free_servers: u32,
    servers_registered: u32,
    server_participant: Option<String>,
    server_waiver_jpy: u128,
}

impl MakerJson {
    /// The row of `maker`.
    pub fn new(month: Month, maker: &MakerLine) -> MakerJson {
        MakerJson {
            month: month.to_string(),
            market_maker: maker.market_maker.clone(),
            etfs_fulfilled: maker.etfs_fulfilled,
            etfs_required: maker.etfs_required,
            qualifies: yes_no(maker.qualifies()),
            free_servers: maker.free_servers,
            servers_registered: maker.servers_registered,
            server_participant: maker.server_participant.clone(),
            server_waiver_jpy: maker.server_waiver_yen(),
        }
    }
}

/// A row of the month to date as JSON.
#[derive(Serialize, Debug)]
pub struct OutlookJson {
    month: String,
    market_maker: String,
    issue: String,
    obligation: String,
    available_us: u64,
    fulfilled_us: u64,
    unknown_us: u64,
    display_pct: Option<Box<RawValue>>,
    required_pct: Option<Box<RawValue>>,
    days_measured: u32,
    days_remaining: u32,
    remaining_us: u64,
    outlook: &'static str,
    may_be_off_us: Option<u64>,
    short_us: Option<u64>,
}

impl OutlookJson {
    /// The row of `outlook`.
    pub fn new(month: Month, outlook: &Outlook) -> OutlookJson {
        let prospect = outlook.prospect();
        OutlookJson {
            month: month.to_string(),
            market_maker: outlook.key.market_maker.clone(),
            issue: outlook.key.issue.to_string(),
            obligation: outlook.key.obligation.to_string(),
            available_us: outlook.total.available.0,
            fulfilled_us: outlook.total.fulfilled.0,
            unknown_us: outlook.total.unknown.0,
            display_pct: display(outlook.total.fulfilled, outlook.total.available).and_then(number),
            required_pct: number(percent(outlook.required_pct)),
            days_measured: outlook.days_measured,
            days_remaining: outlook.days_remaining,
            remaining_us: outlook.remaining.0,
            outlook: prospect_word(prospect),
            may_be_off_us: may_be_off(outlook).map(|span| span.0),
            short_us: match prospect {
                Prospect::Lost { short } => Some(short.0),
                _ => None,
            },
        }
    }
}

/// The month's lines for a terminal.
pub fn monthly_table(lines: &[Line], style: Style) -> String {
    use Align::{Left, Right};
    let header = [
        ("market maker", Left),
        ("issue", Left),
        ("obligation", Left),
        ("display %", Right),
        ("required %", Right),
        ("status", Left),
        ("system", Left),
        ("days", Right),
    ];
    let cells = |line: &Line| {
        [
            line.key.market_maker.clone(),
            line.key.issue.to_string(),
            line.key.obligation.to_string(),
            display(line.total.fulfilled, line.total.available).unwrap_or_else(|| "-".to_owned()),
            percent(line.required_pct),
            line.status().as_str().replace('_', " "),
            line.system_status().map_or("-", SystemStatus::as_str).to_owned(),
            format!("{}/{}", line.days_measured, line.trading_days),
        ]
    };
    let mut rows: Vec<_> = lines.iter().map(cells).collect();
    blank_repeated(&mut rows);
    let colour = |row: usize| match lines[row].status() {
        Status::Fulfilled => Some((5, GREEN)),
        Status::NotFulfilled => Some((5, RED)),
        Status::NotApplicable => None,
    };
    columns(header, &rows, |row| colour(row).filter(|_| style.colour))
}

/// The market makers for a terminal.
pub fn makers_table(makers: &[MakerLine], style: Style) -> String {
    use Align::{Left, Right};
    let header = [
        ("market maker", Left),
        ("ETFs fulfilled", Right),
        ("required", Right),
        ("qualifies", Left),
        ("free servers", Right),
        ("registered", Right),
        ("participant", Left),
        ("waiver JPY", Right),
    ];
    let cells = |maker: &MakerLine| {
        [
            maker.market_maker.clone(),
            maker.etfs_fulfilled.to_string(),
            maker.etfs_required.to_string(),
            yes_no(maker.qualifies()).to_owned(),
            maker.free_servers.to_string(),
            maker.servers_registered.to_string(),
            maker.server_participant.clone().unwrap_or_else(|| "-".to_owned()),
            maker.server_waiver_yen().to_string(),
        ]
    };
    let rows: Vec<_> = makers.iter().map(cells).collect();
    let colour = |row: usize| Some((3, if makers[row].qualifies() { GREEN } else { RED }));
    columns(header, &rows, |row| colour(row).filter(|_| style.colour))
}

/// The month to date for a terminal.
pub fn outlook_table(outlooks: &[Outlook], style: Style) -> String {
    use Align::{Left, Right};
    let header = [
        ("market maker", Left),
        ("issue", Left),
        ("obligation", Left),
        ("display %", Right),
        ("required %", Right),
        ("available", Right),
        ("to come", Right),
        ("may be off", Right),
        ("outlook", Left),
    ];
    let cells = |outlook: &Outlook| {
        let off = may_be_off(outlook).map_or_else(|| "-".to_owned(), seconds);
        [
            outlook.key.market_maker.clone(),
            outlook.key.issue.to_string(),
            outlook.key.obligation.to_string(),
            display(outlook.total.fulfilled, outlook.total.available).unwrap_or_else(|| "-".to_owned()),
            percent(outlook.required_pct),
            seconds(outlook.total.available),
            seconds(outlook.remaining),
            off,
            match outlook.prospect() {
                Prospect::Lost { short } => format!("lost by {}", seconds(short)),
                prospect => prospect_word(prospect).replace('_', " "),
            },
        ]
    };
    let mut rows: Vec<_> = outlooks.iter().map(cells).collect();
    blank_repeated(&mut rows);
    let colour = |row: usize| match outlooks[row].prospect() {
        Prospect::Safe => Some((8, GREEN)),
        Prospect::Lost { .. } => Some((8, RED)),
        Prospect::Open { .. } | Prospect::NotApplicable => None,
    };
    columns(header, &rows, |row| colour(row).filter(|_| style.colour))
}

/// Stored days for a terminal: date, multiplier, records, rejects, whether the registry has changed, digest, input.
pub fn day_table(rows: &[[String; 7]]) -> String {
    use Align::{Left, Right};
    let header = [
        ("date", Left),
        ("market", Left),
        ("records", Right),
        ("rejects", Right),
        ("registry", Left),
        ("input sha256", Left),
        ("input", Left),
    ];
    columns(header, rows, |_| None)
}

const GREEN: &str = "\x1b[32m";
const RED: &str = "\x1b[31m";

fn yes_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

fn prospect_word(prospect: Prospect) -> &'static str {
    match prospect {
        Prospect::Safe => "safe",
        Prospect::Open { .. } => "open",
        Prospect::Lost { .. } => "lost",
        Prospect::NotApplicable => "not_applicable",
    }
}

/// How long an obligation may be off: all that is to come where nothing can take its share away any more.
fn may_be_off(outlook: &Outlook) -> Option<Micros> {
    match outlook.prospect() {
        Prospect::Open { may_be_off } => Some(may_be_off),
        Prospect::Safe => Some(outlook.remaining),
        Prospect::Lost { .. } | Prospect::NotApplicable => None,
    }
}

/// A span without needless zeros, to the microsecond.
fn seconds(span: Micros) -> String {
    crate::table::clock(span)
}

/// The quote display time with four decimals.
fn display(fulfilled: Micros, available: Micros) -> Option<String> {
    DisplayPercent::of(fulfilled, available).map(|percent| percent.to_string())
}

/// Ten-thousandths of a percent without needless zeros: `80`, `82.5`.
fn percent(ten_thousandths: u64) -> String {
    let text = format!("{}.{:04}", ten_thousandths / 10_000, ten_thousandths % 10_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Decimal text as a JSON number, digit by digit.
fn number(text: String) -> Option<Box<RawValue>> {
    RawValue::from_string(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn required_percentages_have_no_needless_zeros() {
        for (units, text) in [(800_000, "80"), (825_000, "82.5"), (1_000_000, "100"), (0, "0"), (1, "0.0001")] {
            assert_eq!(percent(units), text);
        }
    }
}
