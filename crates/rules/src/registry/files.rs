//! The registry's files: their columns, and all of their rows that could be read.

use super::{
    Application, ConditionKind, ExcludedDay, Exemption, FastMarket, Holiday, Issue, MarketMaker, PaidCondition, Server,
    SignUp, Stress,
};
use crate::Scheme;
use quoteclock_model::IssueCode;
use quoteclock_sheets::{Layout, Lined};
use std::collections::{BTreeSet, HashSet};

pub(super) const ISSUES: Layout = Layout {
    file: "issues.csv",
    required: &["issue", "type", "tick_table"],
    optional: &[
        "name",
        "leveraged_inverse",
        "active",
        "index",
        "trading_unit",
        "tier",
        "diversified",
        "listed",
        "asset_manager",
        "aum_jpy",
        "max_spread_bps",
        "min_value",
        "min_quantity",
        "reference_price",
        "windows",
        "from",
        "to",
    ],
};
pub(super) const MARKET_MAKERS: Layout =
    Layout { file: "market_makers.csv", required: &["market_maker"], optional: &["name", "kind"] };
pub(super) const SERVERS: Layout = Layout {
    file: "virtual_servers.csv",
    required: &["server", "market_maker"],
    optional: &["participant", "from", "to"],
};
pub(super) const SIGN_UPS: Layout =
    Layout { file: "signups.csv", required: &["market_maker", "issue"], optional: &["participant", "from", "to"] };
pub(super) const FAST_MARKETS: Layout = Layout {
    file: "fast_market.csv",
    required: &[],
    optional: &["from", "to", "multiplier", "spread_multiplier", "size_multiplier"],
};
pub(super) const EXEMPTIONS: Layout =
    Layout { file: "exemptions.csv", required: &["issue"], optional: &["market_maker", "from", "to", "reason"] };
/// The columns that either file of conditions may have, after those that only one may.
macro_rules! optional_of_conditions {
    ($($own:literal),*) => {
        &[
            $($own,)*
            "max_spread_bps",
            "max_spread_ticks",
            "coverage_pct",
            "from",
            "to",
            "asset_manager",
            "total_jpy",
            "payment",
            "max_makers",
            "priority",
            "aum_trigger_jpy",
            "aum_part_jpy",
        ]
    };
}
pub(super) const SPONSORED: Layout = Layout {
    file: "sponsored.csv",
    required: &["condition", "issue", "min_value_jpy"],
    optional: optional_of_conditions!(),
};
/// `issue` is not required as a column: `index` may stand in its place. A row has one of them.
pub(super) const MATCHING: Layout = Layout {
    file: "matching_funds.csv",
    required: &["condition", "min_value_jpy"],
    optional: optional_of_conditions!("issue", "index", "max_issues"),
};
pub(super) const HOLIDAYS: Layout = Layout { file: "holidays.csv", required: &["date"], optional: &["name"] };

pub(super) const APPLICATIONS: Layout = Layout {
    file: "applications.csv",
    required: &["form", "party", "effective"],
    optional: &["received", "issue", "condition", "document"],
};

pub(super) const EXCLUDED_DAYS: Layout = Layout {
    file: "excluded_days.csv",
    required: &["date", "issue"],
    optional: &["market_maker", "reason", "only_if_failed"],
};

/// Names of which there are many, or that many rows ask for.
pub(super) type Names<T> = HashSet<T, foldhash::quality::RandomState>;

/// The names that rows may refer to. `None` where the file that defines them could not be read, so that one fault does
/// not bring a thousand others.
#[derive(Default)]
pub(super) struct KnownNames {
    pub(super) issues: Option<Names<IssueCode>>,
    pub(super) market_makers: Option<Names<String>>,
    pub(super) types: Option<BTreeSet<String>>,
    pub(super) tick_tables: Option<BTreeSet<String>>,
}

/// All rows that could be read.
pub(super) struct Rows {
    pub(super) scheme: Scheme,
    pub(super) issues: Vec<Lined<Issue>>,
    pub(super) market_makers: Vec<Lined<MarketMaker>>,
    pub(super) servers: Vec<Lined<Server>>,
    pub(super) sign_ups: Vec<Lined<SignUp>>,
    pub(super) fast_markets: Vec<Lined<FastMarket>>,
    pub(super) stress: Vec<Stress>,
    pub(super) exemptions: Vec<Lined<Exemption>>,
    pub(super) sponsored: Vec<Lined<PaidCondition>>,
    pub(super) matching: Vec<Lined<PaidCondition>>,
    pub(super) holidays: Vec<Lined<Holiday>>,
    /// `None` where there is no such file: then nothing is known of applications.
    pub(super) applications: Option<Vec<Lined<Application>>>,
    pub(super) excluded_days: Vec<Lined<ExcludedDay>>,
}

/// The file that a condition stands in.
pub(super) fn file_of(kind: ConditionKind) -> &'static str {
    match kind {
        ConditionKind::Sponsored => SPONSORED.file,
        ConditionKind::Matching => MATCHING.file,
    }
}
