//! *Regular Review for Inclusion of ETFs in Stock Connect (Northbound)*: which ETFs of Shanghai and Shenzhen may be bought
//! and sold from Hong Kong after a review, and which may be sold only.
//!
//! An ETF that is not eligible, or sell-only, has to meet everything that eligibility asks; an eligible one is only asked
//! what would make it sell-only, which leaves room between the two bounds. One failure decides, whatever is unknown.

mod criteria;
mod dates;
mod figures;
mod read;
#[cfg(test)]
mod tests;

use crate::{Decimal, Holidays, Interpretation, interpretations};
use jiff::civil::Date;
use std::fmt;

pub use criteria::{Criterion, Decision, Reason, decide};
pub use dates::{Review, ReviewDates};
pub use figures::{Figure, Figures};
pub use read::{FILE_NAMES, load};

/// What a review needs, as the files have it. The order of rows plays no part.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Rows {
    /// The ETFs to review, one row each.
    pub etfs: Vec<Etf>,
    /// Assets under management, one row for each ETF and day.
    pub aum: Vec<Aum>,
    /// The benchmark indices, one row each.
    pub indices: Vec<Index>,
    /// What they consist of, one row for each index, exchange and stock.
    pub constituents: Vec<Constituent>,
    /// All shares of the exchanges, one row each.
    pub turnover: Vec<Turnover>,
    /// The closed days of Shanghai (for Shenzhen, too), Hong Kong and Stock Connect.
    pub holidays: Holidays,
}

/// An ETF before a review.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Etf {
    /// Its code.
    pub etf: String,
    /// Where it is listed.
    pub exchange: Option<String>,
    /// What it is traded in.
    pub currency: Option<String>,
    /// Since when.
    pub listed: Option<Date>,
    /// Its benchmark index.
    pub index: Option<String>,
    /// What it is until this review.
    pub status: Status,
}

/// What an ETF may be used for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Status {
    /// No Northbound trading.
    NotEligible,
    /// It may be bought and sold.
    Eligible,
    /// It may be sold.
    SellOnly,
}

/// As files name it.
impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Status::NotEligible => "not_eligible",
            Status::Eligible => "eligible",
            Status::SellOnly => "sell_only",
        })
    }
}

/// An ETF's assets under management on one day, in RMB.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names are all there is to say")]
pub struct Aum {
    pub etf: String,
    pub date: Date,
    pub aum: Option<Decimal>,
}

/// A benchmark index.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Index {
    /// Its name.
    pub index: String,
    /// When it was launched.
    pub launched: Option<Date>,
    /// Whether it reflects a market or a size of stocks, rather than an industry or theme.
    pub broad_based: Option<bool>,
    /// Whether its methodology itself ensures criterion 5.
    pub methodology: Option<bool>,
}

/// A stock in an index.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Constituent {
    /// The index.
    pub index: String,
    /// Where the stock is listed.
    pub exchange: Option<String>,
    /// Its code.
    pub stock: String,
    /// Whether it is an A share.
    pub a_share: Option<bool>,
    /// Whether it is eligible for Northbound trading.
    pub northbound: Option<bool>,
    /// Its weight in percent.
    pub weight: Option<Decimal>,
}

/// A share of an exchange.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Turnover {
    /// The exchange.
    pub exchange: String,
    /// The share's code.
    pub stock: String,
    /// Its average daily turnover of the 12 months to the cut-off, in any unit that its exchange's shares have in common.
    pub adt: Option<Decimal>,
}

/// How the document is read where it is silent.
///
/// Interpretations: `QC/six_months`, `QC/aum_days`, `QC/top_80_pct`, `QC/methodology`, `QC/weights_sum`.
pub const INTERPRETATIONS: [Interpretation; 6] = [
    Interpretation { name: "six_months", value: "calendar months, to the cut-off" },
    Interpretation { name: "aum_days", value: "SSE trading days" },
    Interpretation { name: "top_80_pct", value: "rank at most 0.8 n, equal turnovers the best rank" },
    Interpretation { name: "methodology", value: "in place of all of criterion 5" },
    Interpretation { name: "weights_sum", value: "99 to 101, not scaled" },
    interpretations::YEAR_WITHOUT_HOLIDAYS,
];
