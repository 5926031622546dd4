//! From the files of a folder to typed rows.

use super::{CHINA_A, ChinaA, Member, Quota, Rows};
use crate::Decimal;
use crate::reader::{Reader, name};
use quoteclock_sheets::{Expected, Finding, Findings, Layout, Row, SourceFile, value};

/// The files that an allocation rests on.
pub const FILE_NAMES: [&str; 3] = ["members.csv", "china_a.csv", "quota.csv"];

pub(super) const MEMBERS: Layout =
    Layout { file: "members.csv", required: &["index", "country"], optional: &["net_market_cap_usd"] };
pub(super) const CHINA_A_SHARES: Layout =
    Layout { file: "china_a.csv", required: &["index"], optional: &["net_market_cap_usd"] };
pub(super) const QUOTA: Layout =
    Layout { file: "quota.csv", required: &["date", "scheme", "currency"], optional: &["amount", "per_usd"] };

/// The row of the whole universe that the quota is for.
pub(super) const UNIVERSE: &str = "*";
/// The currency that needs no rate.
const USD: &str = "USD";

/// Reads the files.
///
/// # Errors
/// All that is wrong with them.
pub fn load(files: &[SourceFile]) -> Result<Rows, Vec<Finding>> {
    let mut reader = Reader::new(files);
    let members = reader.required(&MEMBERS, member);
    let china_a = reader.optional(&CHINA_A_SHARES, china_a);
    let quota = reader.optional(&QUOTA, quota);
    let rows = Rows {
        members: reader.unique(&MEMBERS, "country", members, |row| format!("{}\t{}", row.index, row.country)),
        china_a: reader.unique(&CHINA_A_SHARES, "index", china_a, |row| row.index.clone()),
        quota: reader
            .unique(&QUOTA, "currency", quota, |row| format!("{}\t{}\t{}", row.date, row.scheme, row.currency)),
    };
    reader.finish(rows)
}

fn member(row: &Row<'_>, findings: &mut Findings) -> Option<Member> {
    let index = row.required("index", name, findings);
    let country = row.required("country", country, findings);
    let net_market_cap = row.optional("net_market_cap_usd", Decimal::parse_above_zero, findings);
    Some(Member { index: index?, country: country?, net_market_cap: net_market_cap? })
}

fn country(text: &str) -> Result<String, Expected> {
    if text == CHINA_A {
        return Err("expected the country of another row: China A shares are added under this name");
    }
    name(text)
}

fn china_a(row: &Row<'_>, findings: &mut Findings) -> Option<ChinaA> {
    let index = row.required("index", name, findings);
    let number = if row.cell("index") == UNIVERSE { Decimal::parse_above_zero } else { Decimal::parse };
    let net_market_cap = row.optional("net_market_cap_usd", number, findings);
    Some(ChinaA { index: index?, net_market_cap: net_market_cap? })
}

fn quota(row: &Row<'_>, findings: &mut Findings) -> Option<Quota> {
    let date = row.required("date", value::date, findings);
    let scheme = row.required("scheme", name, findings);
    let currency = row.required("currency", name, findings);
    let amount = row.optional("amount", Decimal::parse, findings);
    let per_usd = row.optional("per_usd", Decimal::parse_above_zero, findings);
    let (currency, per_usd) = (currency?, per_usd?);
    let one = Decimal::whole(1);
    if currency == USD && per_usd.is_some_and(|per_usd| per_usd != one) {
        let message = format!("found {} for USD itself, expected 1 or nothing", row.cell("per_usd"));
        return row.fault("per_usd", message, findings);
    }
    let per_usd = if currency == USD { Some(one) } else { per_usd };
    Some(Quota { date: date?, scheme: scheme?, currency, amount: amount?, per_usd })
}
