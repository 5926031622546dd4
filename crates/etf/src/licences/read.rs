//! From the files of a folder to typed rows.

use super::{Application, Grant, Index, Kind, Licence, Rows};
use crate::Decimal;
use crate::reader::{Reader, name, yes_no};
use jiff::ToSpan;
use jiff::civil::Date;
use quoteclock_sheets::{Expected, Finding, Findings, Layout, Lined, Row, SourceFile, quoted, value};
use std::collections::BTreeMap;

/// The files that decisions on licences rest on.
pub const FILE_NAMES: [&str; 3] = ["indices.csv", "applications.csv", "grants.csv"];

pub(super) const INDICES: Layout = Layout {
    file: "indices.csv",
    required: &["index", "kind"],
    optional: &["available", "etf_listed", "period_from", "period_to", "fee_minimum_jpy", "custom_for"],
};
pub(super) const APPLICATIONS: Layout = Layout {
    file: "applications.csv",
    required: &["application", "index", "company", "received", "licence"],
    optional: &["fee_jpy", "listing"],
};
const GRANTS: Layout =
    Layout { file: "grants.csv", required: &["application", "decision"], optional: &["listed", "free_from"] };

/// Reads the files.
///
/// # Errors
/// All that is wrong with them.
pub fn load(files: &[SourceFile]) -> Result<Rows, Vec<Finding>> {
    let mut reader = Reader::new(files);
    let indices = reader.optional(&INDICES, index);
    let applications = reader.required(&APPLICATIONS, application);
    let grants = reader.optional(&GRANTS, grant);
    // Where a row of applications.csv cannot be read, a grant may well name it: one fault does not bring others with it.
    if !reader.findings.has_errors() {
        check_grants(&grants, &applications, &mut reader.findings);
    }
    let rows = Rows {
        indices: reader.unique(&INDICES, "index", indices, |row| row.index.clone()),
        applications: reader.unique(&APPLICATIONS, "application", applications, |row| row.application.clone()),
        grants: reader.unique(&GRANTS, "application", grants, |row| row.application.clone()),
    };
    reader.finish(rows)
}

fn index(row: &Row<'_>, findings: &mut Findings) -> Option<Index> {
    let index = row.required("index", name, findings);
    let future = row.required("kind", is_future, findings);
    let available = row.optional("available", yes_no, findings);
    let etf_listed = row.optional("etf_listed", yes_no, findings);
    let period_from = row.optional("period_from", value::date, findings);
    let period_to = row.optional("period_to", value::date, findings);
    let fee_minimum = row.optional("fee_minimum_jpy", Decimal::parse, findings);
    let custom_for = row.optional("custom_for", companies, findings);
    let (period_from, period_to) = (period_from?, period_to?);
    if let (Some(from), Some(to)) = (period_from, period_to)
        && to < from
    {
        let message = format!("found {to}, which is before period_from, expected {from} or later");
        return row.fault("period_to", message, findings);
    }
    let (available, etf_listed) = (available?, etf_listed?.unwrap_or_default());
    let (fee_minimum, custom_for) = (fee_minimum?, custom_for?.unwrap_or_default());
    let kind = match future? {
        true => Kind::Future { period_from, period_to, fee_minimum, custom_for },
        false => Kind::Current { available, etf_listed },
    };
    Some(Index { index: index?, kind })
}

fn is_future(text: &str) -> Result<bool, Expected> {
    match text {
        "current" => Ok(false),
        "future" => Ok(true),
        _ => Err("expected current or future"),
    }
}

fn companies(text: &str) -> Result<Vec<String>, Expected> {
    let companies: Result<Vec<String>, Expected> = text.split(';').map(name).collect();
    companies.map_err(|_| "expected companies separated by ;, each of 1 to 64 characters")
}

fn application(row: &Row<'_>, findings: &mut Findings) -> Option<Application> {
    let application = row.required("application", name, findings);
    let index = row.required("index", name, findings);
    let company = row.required("company", name, findings);
    let received = row.required("received", value::instant, findings);
    let licence = row.required("licence", licence, findings);
    let fee = row.optional("fee_jpy", Decimal::parse, findings);
    let listing = row.optional("listing", value::date, findings);
    Some(Application {
        application: application?,
        index: index?,
        company: company?,
        received: received?,
        licence: licence?,
        fee: fee?,
        listing: listing?,
    })
}

fn licence(text: &str) -> Result<Licence, Expected> {
    match text {
        "open" => Ok(Licence::Open),
        "closed" => Ok(Licence::Closed),
        _ => Err("expected open or closed"),
    }
}

fn grant(row: &Row<'_>, findings: &mut Findings) -> Option<Grant> {
    let application = row.required("application", name, findings);
    let granted = row.required("decision", is_granted, findings);
    let listed = row.optional("listed", value::date, findings);
    let free_from = row.optional("free_from", value::date, findings);
    Some(Grant { application: application?, granted: granted?, listed: listed?, free_from: free_from? })
}

fn is_granted(text: &str) -> Result<bool, Expected> {
    match text {
        "grant" => Ok(true),
        "refuse" => Ok(false),
        _ => Err("expected grant or refuse"),
    }
}

/// Every grant is one of an application, and no closed licence's term is longer than six months.
fn check_grants(grants: &[Lined<Grant>], applications: &[Lined<Application>], findings: &mut Findings) {
    let by_name: BTreeMap<&str, &Application> =
        applications.iter().map(|row| (row.value.application.as_str(), &row.value)).collect();
    for Lined { line, value: grant } in grants {
        let Some(application) = by_name.get(grant.application.as_str()) else {
            let message = format!("found {}, expected an application of applications.csv", quoted(&grant.application));
            findings.error(GRANTS.file, *line, Some("application"), message);
            continue;
        };
        let latest = grant.listed.or(application.listing).and_then(term_end);
        let is_term = grant.granted && application.licence == Licence::Closed;
        if let (Some(free_from), Some(latest), true) = (grant.free_from, latest, is_term)
            && latest < free_from
        {
            let message = format!("found {free_from}, expected {latest} or earlier: six months after the listing");
            findings.error(GRANTS.file, *line, Some("free_from"), message);
        }
    }
}

/// The first free day of a closed licence whose ETF is listed on `listing`; `None` beyond the end of the calendar.
///
/// Clause: `LIC/closed-term`. Interpretation: `QC/term_end`.
pub(super) fn term_end(listing: Date) -> Option<Date> {
    listing.checked_add(6.months()).ok()
}
