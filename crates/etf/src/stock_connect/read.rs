//! From the files of a folder to typed rows.

use super::{Aum, Constituent, Etf, Index, Rows, Status, Turnover};
use crate::Decimal;
use crate::calendar;
use crate::reader::{Reader, name, yes_no};
use quoteclock_sheets::{Expected, Finding, Findings, Layout, Row, SourceFile, value};

/// The files that a review reads.
pub const FILE_NAMES: [&str; 6] =
    ["etfs.csv", "aum.csv", "indices.csv", "constituents.csv", "turnover.csv", "holidays.csv"];

pub(super) const ETFS: Layout =
    Layout { file: "etfs.csv", required: &["etf"], optional: &["exchange", "currency", "listed", "index", "status"] };
pub(super) const AUM: Layout = Layout { file: "aum.csv", required: &["etf", "date"], optional: &["aum_rmb"] };
pub(super) const INDICES: Layout =
    Layout { file: "indices.csv", required: &["index"], optional: &["launched", "broad_based", "methodology"] };
pub(super) const CONSTITUENTS: Layout = Layout {
    file: "constituents.csv",
    required: &["index", "stock"],
    optional: &["exchange", "a_share", "northbound", "weight_pct"],
};
pub(super) const TURNOVER: Layout =
    Layout { file: "turnover.csv", required: &["exchange", "stock"], optional: &["adt"] };

/// Reads the files.
///
/// # Errors
/// All that is wrong with them.
pub fn load(files: &[SourceFile]) -> Result<Rows, Vec<Finding>> {
    let mut reader = Reader::new(files);
    let etfs = reader.required(&ETFS, etf);
    let aum = reader.optional(&AUM, aum);
    let indices = reader.optional(&INDICES, index);
    let constituents = reader.optional(&CONSTITUENTS, constituent);
    let turnover = reader.optional(&TURNOVER, turnover);
    let rows = Rows {
        etfs: reader.unique(&ETFS, "etf", etfs, |row| row.etf.clone()),
        aum: reader.unique(&AUM, "date", aum, |row| format!("{}\t{}", row.etf, row.date)),
        indices: reader.unique(&INDICES, "index", indices, |row| row.index.clone()),
        constituents: reader.unique(&CONSTITUENTS, "stock", constituents, |row| {
            format!("{}\t{}\t{}", row.index, row.exchange.as_deref().unwrap_or_default(), row.stock)
        }),
        turnover: reader.unique(&TURNOVER, "stock", turnover, |row| format!("{}\t{}", row.exchange, row.stock)),
        holidays: calendar::read(&mut reader),
    };
    reader.finish(rows)
}

fn etf(row: &Row<'_>, findings: &mut Findings) -> Option<Etf> {
    let etf = row.required("etf", name, findings);
    let exchange = row.optional("exchange", name, findings);
    let currency = row.optional("currency", name, findings);
    let listed = row.optional("listed", value::date, findings);
    let index = row.optional("index", name, findings);
    let status = row.optional("status", status, findings);
    Some(Etf {
        etf: etf?,
        exchange: exchange?,
        currency: currency?,
        listed: listed?,
        index: index?,
        status: status?.unwrap_or(Status::NotEligible),
    })
}

fn status(text: &str) -> Result<Status, Expected> {
    let all = [Status::NotEligible, Status::Eligible, Status::SellOnly];
    let status = all.into_iter().find(|status| status.to_string() == text);
    status.ok_or("expected not_eligible, eligible or sell_only (empty means not_eligible)")
}

fn aum(row: &Row<'_>, findings: &mut Findings) -> Option<Aum> {
    let etf = row.required("etf", name, findings);
    let date = row.required("date", value::date, findings);
    let aum = row.optional("aum_rmb", Decimal::parse, findings);
    Some(Aum { etf: etf?, date: date?, aum: aum? })
}

fn index(row: &Row<'_>, findings: &mut Findings) -> Option<Index> {
    let index = row.required("index", name, findings);
    let launched = row.optional("launched", value::date, findings);
    let broad_based = row.optional("broad_based", yes_no, findings);
    let methodology = row.optional("methodology", yes_no, findings);
    Some(Index { index: index?, launched: launched?, broad_based: broad_based?, methodology: methodology? })
}

fn constituent(row: &Row<'_>, findings: &mut Findings) -> Option<Constituent> {
    let index = row.required("index", name, findings);
    let exchange = row.optional("exchange", name, findings);
    let stock = row.required("stock", name, findings);
    let a_share = row.optional("a_share", yes_no, findings);
    let northbound = row.optional("northbound", yes_no, findings);
    let weight = row.optional("weight_pct", Decimal::parse, findings);
    Some(Constituent {
        index: index?,
        exchange: exchange?,
        stock: stock?,
        a_share: a_share?,
        northbound: northbound?,
        weight: weight?,
    })
}

fn turnover(row: &Row<'_>, findings: &mut Findings) -> Option<Turnover> {
    let exchange = row.required("exchange", name, findings);
    let stock = row.required("stock", name, findings);
    let adt = row.optional("adt", Decimal::parse, findings);
    Some(Turnover { exchange: exchange?, stock: stock?, adt: adt? })
}
