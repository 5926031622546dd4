//! *Preparing for China's inclusion in global benchmarks*: how much of an index China A shares are, by the aggregate quota,
//! without a quota, or by an allocation of one's own.
//!
//! What is added to an index makes it larger; every weight is then a share of the larger whole. All of it is exact, and
//! rounded only where it is printed.

mod decide;
mod read;
#[cfg(test)]
mod tests;
mod weights;

use crate::{Decimal, Interpretation, Missing};
use jiff::civil::Date;
use num_bigint::BigUint;
use num_rational::Ratio;
use std::fmt;
use std::str::FromStr;

pub use decide::decide;
pub use read::{FILE_NAMES, load};

/// The country under which China A shares are added.
pub const CHINA_A: &str = "China (A)";

/// An exact amount, in US dollars.
pub(crate) type Exact = Ratio<BigUint>;

/// What the allocation rests on, as the files have it. The order of rows plays no part.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Rows {
    /// The countries of each index, one row each.
    pub members: Vec<Member>,
    /// The China A shares that belong to each index, one row each.
    pub china_a: Vec<ChinaA>,
    /// The quotas, one row for each date, scheme and currency.
    pub quota: Vec<Quota>,
}

/// A country's part of an index.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    /// The index.
    pub index: String,
    /// The country.
    pub country: String,
    /// Its net market value in US dollars, above 0.
    pub net_market_cap: Option<Decimal>,
}

/// The China A shares that belong to an index.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChinaA {
    /// The index; `*` for the whole universe that the quota is for.
    pub index: String,
    /// Their value adjusted for free float and foreign ownership, in US dollars; above 0 for `*`.
    pub net_market_cap: Option<Decimal>,
}

/// A quota in one currency.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Quota {
    /// Since when.
    pub date: Date,
    /// Of which scheme.
    pub scheme: String,
    /// In which currency.
    pub currency: String,
    /// How much.
    pub amount: Option<Decimal>,
    /// Units of the currency for one US dollar, above 0; 1 for the dollar itself.
    pub per_usd: Option<Decimal>,
}

/// How much of China A shares is added to each index.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Allocation {
    /// The index's own row, as if there were no quota.
    ///
    /// Clause: `INC/no-quota`.
    NoQuota,
    /// So much of it as the aggregate quota of this date is of the whole universe.
    ///
    /// Clause: `INC/quota`.
    Quota(Date),
    /// An amount in US dollars.
    ///
    /// Clause: `INC/custom`.
    Amount(Decimal),
    /// So much that this is its weight in percent, below 100.
    ///
    /// Clause: `INC/custom`.
    Weight(Decimal),
}

/// An allocation as it is asked for: `quota` still lacks its date.
///
/// ```
/// use quoteclock_etf::inclusion::Asked;
///
/// for text in ["quota", "none", "custom:1000000000", "custom:4.67%"] {
///     assert_eq!(text.parse::<Asked>()?.to_string(), text);
/// }
/// assert!("custom:100%".parse::<Asked>().is_err());
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asked {
    text: String,
    kind: Option<Allocation>,
}

impl Asked {
    /// The allocation, with the date of the quota.
    ///
    /// # Errors
    /// That the quota needs a date.
    pub fn on(&self, date: Option<Date>) -> Result<Allocation, String> {
        match (self.kind, date) {
            (Some(allocation), _) => Ok(allocation),
            (None, Some(date)) => Ok(Allocation::Quota(date)),
            (None, None) => Err("the allocation quota needs --date, such as --date 2017-06-30".to_owned()),
        }
    }
}

impl FromStr for Asked {
    type Err = String;

    fn from_str(text: &str) -> Result<Asked, String> {
        let wrong = || format!("found \"{text}\", expected quota, none, custom:USD or custom:P% with P below 100");
        let kind = match text.strip_prefix("custom:") {
            None if text == "quota" => None,
            None if text == "none" => Some(Allocation::NoQuota),
            None => return Err(wrong()),
            Some(custom) => Some(match custom.strip_suffix('%') {
                None => Allocation::Amount(Decimal::parse(custom).map_err(|_| wrong())?),
                Some(percent) => {
                    let weight = Decimal::parse(percent).ok().filter(|&weight| weight < Decimal::whole(100));
                    Allocation::Weight(weight.ok_or_else(wrong)?)
                }
            }),
        };
        Ok(Asked { text: text.to_owned(), kind })
    }
}

/// As it was asked for.
impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

/// Why: it prints as a clause.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Clause {
    /// The index's own row. Clause: `INC/no-quota`.
    NoQuota,
    /// The share that the quota is of the universe. Clause: `INC/quota`.
    Quota,
    /// The quota is more than there is: the row itself. Clause: `INC/market-value`.
    MarketValue,
    /// One's own allocation. Clause: `INC/custom`.
    Custom,
}

impl fmt::Display for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Clause::NoQuota => "INC/no-quota",
            Clause::Quota => "INC/quota",
            Clause::MarketValue => "INC/market-value",
            Clause::Custom => "INC/custom",
        })
    }
}

/// What is added to one index, and what follows for its countries.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Inclusion {
    /// The index.
    pub index: String,
    /// The aggregate quota, where it is asked for and known.
    pub quota: Option<Usd>,
    /// The China A shares that belong to the index, where that is known.
    pub china_a: Option<Decimal>,
    /// What is added.
    pub added: Option<Usd>,
    /// Why.
    pub clauses: Vec<Clause>,
    /// What it needs to be decided.
    pub missing: Missing,
    /// The countries and China A shares, by name.
    pub weights: Vec<Weight>,
}

/// A country's weight in an index, before and after. `None` where anything of the index is missing.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names are all there is to say")]
pub struct Weight {
    pub country: String,
    pub before: Option<TenThousandths>,
    pub after: Option<TenThousandths>,
}

/// A percentage with 4 decimals.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TenThousandths(pub u64);

impl fmt::Display for TenThousandths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}.{:04}", self.0 / 10_000, self.0 % 10_000))
    }
}

/// An exact amount that prints rounded down to 2 decimals.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Usd(pub(crate) Exact);

impl Usd {
    /// Rounded down to hundredths.
    pub(crate) fn hundredths(&self) -> BigUint {
        (&self.0 * BigUint::from(100_u8)).to_integer()
    }
}

impl fmt::Display for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let padded = format!("{:0>3}", self.hundredths().to_string());
        let (whole, part) = padded.split_at(padded.len() - 2);
        f.pad(&format!("{whole}.{part}"))
    }
}

/// How the document is read where it is silent.
///
/// Interpretations: `QC/quota_spread`, `QC/custom_allocation`, `QC/weights_rounding`.
pub const INTERPRETATIONS: [Interpretation; 3] = [
    Interpretation { name: "quota_spread", value: "one share for all indexes" },
    Interpretation { name: "custom_allocation", value: "not capped" },
    Interpretation { name: "weights_rounding", value: "largest remainder, 4 decimals" },
];
