//! From the files of a folder to typed rows.

use super::{Feeder, Market, Programme, Rows};
use crate::calendar;
use crate::reader::{Reader, name};
use quoteclock_model::IssueCode;
use quoteclock_sheets::{Expected, Finding, Findings, Layout, Period, Row, SourceFile, Uniqueness, quoted, value};

/// The files that pairs rest on.
pub const FILE_NAMES: [&str; 2] = ["feeders.csv", "holidays.csv"];

const FEEDERS: Layout = Layout {
    file: "feeders.csv",
    required: &["market", "issue", "target_market", "target", "programme"],
    optional: &["index", "from", "to"],
};

/// Reads the files.
///
/// # Errors
/// All that is wrong with them.
pub fn load(files: &[SourceFile]) -> Result<Rows, Vec<Finding>> {
    let mut reader = Reader::new(files);
    let feeders = reader.required(&FEEDERS, feeder);
    Uniqueness {
        file: FEEDERS.file,
        column: "issue",
        key: |row: &Feeder| format!("{}\t{}", row.market, row.issue),
        period: Some(|row| row.period),
    }
    .check(&feeders, &mut reader.findings);
    let feeders = feeders.into_iter().map(|row| row.value).collect();
    let holidays = calendar::read(&mut reader);
    reader.finish(Rows { feeders, holidays })
}

fn feeder(row: &Row<'_>, findings: &mut Findings) -> Option<Feeder> {
    let market = row.required("market", market, findings);
    let issue = row.required("issue", name, findings);
    let target_market = row.required("target_market", self::market, findings);
    let target = row.required("target", name, findings);
    let index = row.optional("index", name, findings);
    let programme = row.required("programme", programme, findings);
    let (from, to) = (row.optional("from", value::date, findings), row.optional("to", value::date, findings));
    let (market, target_market, programme) = (market?, target_market?, programme?);
    let period = Period { from: from?, to: to? };
    // A candidate names it in `exemptions.csv`, where `*` would be every issue.
    if let Some(issue) =
        issue.as_deref().filter(|issue| market == Market::Tse && IssueCode::new(issue.as_bytes()).is_none())
    {
        let message = format!("found {}, expected the code of an issue of TSE", quoted(issue));
        return row.fault("issue", message, findings);
    }
    if (market == Market::Tse) == (target_market == Market::Tse) {
        let message = format!("found {target_market} for a feeder of {market}, expected one of the two to be TSE");
        return row.fault("target_market", message, findings);
    }
    let expected = if market == Market::Tse { Programme::Qfii } else { Programme::Qdii };
    if programme != expected {
        let message = format!("found {programme} for a feeder of {market}, expected {expected}");
        return row.fault("programme", message, findings);
    }
    if let (Some(from), Some(to)) = (period.from, period.to)
        && to < from
    {
        return row.fault("to", format!("found {to}, which is before from, expected {from} or later"), findings);
    }
    Some(Feeder { market, issue: issue?, target_market, target: target?, index: index?, programme, period })
}

fn market(text: &str) -> Result<Market, Expected> {
    let all = [Market::Tse, Market::Sse, Market::Szse];
    all.into_iter().find(|market| market.to_string() == text).ok_or("expected a market: TSE, SSE or SZSE")
}

fn programme(text: &str) -> Result<Programme, Expected> {
    let all = [Programme::Qfii, Programme::Qdii];
    all.into_iter().find(|programme| programme.to_string() == text).ok_or("expected QFII or QDII")
}
