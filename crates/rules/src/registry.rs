//! The registry: who quotes what, through which servers, under which conditions, from when to when.
//!
//! A registry is loaded whole from the bytes of its files, or not at all: every fault of every file is reported at
//! once, and what exists afterwards is checked (each name is defined, one row per key is in force on a date). Reading
//! the files from a folder is the caller's task; paying anybody is that of later crates, which find the payment columns
//! here as typed values.

mod along;
mod applications;
mod classes;
mod clock;
mod files;
mod limits;
mod load;
mod matching;
mod plan;
mod rows;
mod warnings;

use crate::{Period, Scheme, Terms};
use jiff::civil::Date;
use quoteclock_model::{Amount, Bps, IssueCode, ObligationId, Price, Shares, Span, Timestamp};
use quoteclock_sheets::{Finding, SourceFile};
use std::sync::Arc;

pub use along::DayLimits;
pub use plan::PlanError;

/// The files that a registry may consist of: what a caller reads from the folder. The first of the CSV files, up to
/// `signups.csv`, are required.
pub const FILE_NAMES: [&str; 12] = [
    "scheme.toml",
    "issues.csv",
    "market_makers.csv",
    "virtual_servers.csv",
    "signups.csv",
    "fast_market.csv",
    "exemptions.csv",
    "sponsored.csv",
    "matching_funds.csv",
    "holidays.csv",
    "applications.csv",
    "excluded_days.csv",
];

/// What became of the files of a registry.
#[derive(Clone, PartialEq, Debug)]
pub struct Loaded {
    /// The registry; `None` exactly where a finding is an error.
    pub registry: Option<Registry>,
    /// All that is wrong or doubtful, by file and line.
    pub findings: Vec<Finding>,
}

/// A checked registry. Rows are sorted by their key, then by their first date.
///
/// It never changes, and a clone shares it: a day, a thread or a server keeps its own.
#[derive(Clone, PartialEq, Debug)]
pub struct Registry {
    tables: Arc<Tables>,
}

/// What a registry holds.
#[derive(PartialEq, Debug)]
struct Tables {
    scheme: Scheme,
    issues: Vec<Issue>,
    market_makers: Vec<MarketMaker>,
    servers: Vec<Server>,
    sign_ups: Vec<SignUp>,
    fast_markets: Vec<FastMarket>,
    stress: Vec<Stress>,
    exemptions: Vec<Exemption>,
    conditions: Vec<PaidCondition>,
    holidays: Vec<Holiday>,
    applications: Option<Vec<Application>>,
    excluded_days: Vec<ExcludedDay>,
}

/// A listed ETF, as it is from one date to another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Issue {
    /// Its code.
    pub code: IssueCode,
    /// Its name, for people.
    pub name: Option<String>,
    /// Its type; the scheme has it.
    pub type_name: String,
    /// Whether it is a leveraged or inverse ETF.
    pub leveraged_inverse: bool,
    /// Whether it is actively managed.
    pub active: bool,
    /// The index that it tracks.
    pub index: Option<String>,
    /// Its tick table; the scheme has it.
    pub tick_table: String,
    /// Shares per trading unit.
    pub trading_unit: Option<u64>,
    /// Its tier where it is given rather than computed.
    pub tier: Option<Tier>,
    /// Whether it counts as one for diversified investment.
    pub diversified: bool,
    /// The date of its listing.
    pub listed: Option<Date>,
    /// Who manages it.
    pub asset_manager: Option<String>,
    /// Its assets under management, in ten-thousandths of a yen.
    pub aum: Option<Amount>,
    /// Its own limits, for types that take them.
    pub limits: IssueLimits,
    /// When regimes hold that take their windows from the issue: local clock readings in microseconds of the day.
    pub windows: Vec<(u64, u64)>,
    /// When this row is in force.
    pub period: Period,
}

/// Limits of one issue, where its type takes them from its row.
///
/// Clauses: `BIT/limits-of-the-issue`, `XETRA/quantity-of-value`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct IssueLimits {
    /// The widest spread in basis points.
    pub spread_bps_max: Option<Bps>,
    /// The least value of a side's quotes, above zero.
    pub value_min: Option<Amount>,
    /// The least quantity of a side's quotes, above zero.
    pub quantity_min: Option<Shares>,
    /// The price at which a least value becomes a least quantity.
    pub reference_price: Option<Price>,
}

/// A liquidity tier.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[expect(missing_docs, reason = "the names are all there is to say")]
pub enum Tier {
    I,
    II,
    III,
    IV,
    V,
}

impl Tier {
    /// As files write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Tier::I => "I",
            Tier::II => "II",
            Tier::III => "III",
            Tier::IV => "IV",
            Tier::V => "V",
        }
    }
}

/// A firm whose quoting is measured.
///
/// Clause: `ST1/virtual-server-measuring`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MarketMaker {
    /// Its short name, by which every file and report refers to it.
    pub market_maker: String,
    /// Its full name, for people.
    pub name: Option<String>,
    /// What kind of firm it is, for people.
    pub kind: Option<String>,
}

/// A virtual server, registered to one market maker.
///
/// Clauses: `ST1/virtual-server-measuring`, `ST1/participant`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Server {
    /// Its name in the feed.
    pub server: String,
    /// The market maker that it is registered to; there is a row of it.
    pub market_maker: String,
    /// The trading participant that it belongs to.
    pub participant: Option<String>,
    /// When the registration is in force.
    pub period: Period,
}

/// A market maker's commitment to quote one issue.
///
/// Clause: `ST1/participant`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignUp {
    /// The market maker; there is a row of it.
    pub market_maker: String,
    /// The issue; there is a row of it, though not necessarily on every date.
    pub issue: IssueCode,
    /// The trading participant through which it signed up.
    pub participant: Option<String>,
    /// When the sign-up is in force.
    pub period: Period,
}

/// Dates on which spread limits are wider.
///
/// Clause: `ST1/fast-market`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FastMarket {
    /// How many times as wide: 2 or 4.
    pub multiplier: u32,
    /// The dates.
    pub period: Period,
}

/// A time in which limits are relieved.
///
/// Clause: `XETRA/stress`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stress {
    /// How many times as wide spreads may be, in ten-thousandths.
    pub spread: u64,
    /// How many times as large sizes have to be, in ten-thousandths.
    pub size: u64,
    /// When: instants, or dates.
    pub time: StressTime,
}

impl Stress {
    /// When on a day.
    pub(crate) fn on(&self, date: Date, day: Span) -> Option<Span> {
        match self.time {
            StressTime::Dates(period) => period.contains(date).then_some(day),
            StressTime::Instants { from, to } => {
                Span { start: from.unwrap_or(day.start), end: to.unwrap_or(day.end) }.clip(day)
            }
        }
    }

    pub(crate) fn relief(&self) -> crate::scheme::Relief {
        crate::scheme::Relief { spread: self.spread, size: self.size }
    }
}

/// When limits are relieved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StressTime {
    /// On whole dates.
    Dates(Period),
    /// From one instant up to another; an open end is that of whichever day is measured.
    Instants {
        /// The first instant.
        from: Option<Timestamp>,
        /// The first one after.
        to: Option<Timestamp>,
    },
}

/// A time in which no quote is required.
///
/// Clause: `ST1/exemption`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exemption {
    /// The issue; `None` for all.
    pub issue: Option<IssueCode>,
    /// The market maker; `None` for all.
    pub market_maker: Option<String>,
    /// From when; `None` from the start of whichever day is measured.
    pub from: Option<Timestamp>,
    /// Up to, not including, when; `None` to the end of whichever day is measured.
    pub to: Option<Timestamp>,
    /// Why, for people.
    pub reason: Option<String>,
}

/// A day that plays no part in its month.
///
/// Clause: `WBAG/days-left-out`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExcludedDay {
    /// The day.
    pub date: Date,
    /// The issue; `None` for all.
    pub issue: Option<IssueCode>,
    /// The market maker; `None` for all.
    pub market_maker: Option<String>,
    /// Why, for people.
    pub reason: Option<String>,
    /// Whether it plays its part all the same where the day by itself has the required share.
    pub only_if_failed: bool,
}

impl ExcludedDay {
    /// Whether it is of this market maker and issue.
    pub fn is_of(&self, market_maker: &str, issue: &IssueCode) -> bool {
        self.issue.as_ref().is_none_or(|of| of == issue)
            && self.market_maker.as_deref().is_none_or(|of| of == market_maker)
    }
}

/// Which kind of condition stands beside `general`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ConditionKind {
    /// Paid by an asset manager; no Fast Market.
    Sponsored,
    /// Paid half each by the exchange and an asset manager (Ver. 2.0).
    Matching,
}

impl ConditionKind {
    /// What precedes the colon in the name of an obligation.
    pub const fn as_str(self) -> &'static str {
        match self {
            ConditionKind::Sponsored => "sponsored",
            ConditionKind::Matching => "matching",
        }
    }
}

/// What a condition applies to.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Target {
    /// One issue.
    Issue(IssueCode),
    /// Every issue that tracks the index (matching funds only).
    Index(String),
}

/// A row of `sponsored.csv` or `matching_funds.csv`: an obligation beside `general`, and what is paid for it.
///
/// Clauses: `ST1/sponsored-obligation`, `ST1/matching-obligation`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PaidCondition {
    /// Which of the two files it is from.
    pub kind: ConditionKind,
    /// Its name; several rows of one name form a group.
    pub name: String,
    /// What it applies to.
    pub target: Target,
    /// Its limits, before any Fast Market.
    pub terms: Terms,
    /// The share of time that it requires, in ten-thousandths of a percent; `None` as the scheme requires.
    pub coverage_pct: Option<u64>,
    /// When it is in force.
    pub period: Period,
    /// What is paid, and to whom.
    pub payment: Payment,
    /// How many issues of the index are paid at most; no part of measuring.
    pub issues_max: Option<u64>,
}

impl PaidCondition {
    /// The obligation that it is.
    pub fn obligation(&self) -> ObligationId {
        match self.kind {
            ConditionKind::Sponsored => ObligationId::Sponsored(self.name.clone()),
            ConditionKind::Matching => ObligationId::Matching(self.name.clone()),
        }
    }
}

/// The payment columns of a condition, parsed; nothing here acts on them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Payment {
    /// Who pays.
    pub asset_manager: Option<String>,
    /// The total for a month and an issue, in ten-thousandths of a yen.
    pub total: Option<Amount>,
    /// How the total is shared out.
    pub method: Option<PaymentMethod>,
    /// How many market makers are paid at most.
    pub makers_max: Option<u64>,
    /// Who comes first where more fulfil: each at most once, the default order where the column is empty.
    pub priority: Vec<Priority>,
    /// The assets under management that must be exceeded, in ten-thousandths of a yen.
    pub aum_trigger: Option<Amount>,
    /// The part of the total that depends on it, in ten-thousandths of a yen; `None` for all.
    pub aum_part: Option<Amount>,
}

/// How a condition's total is shared out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum PaymentMethod {
    /// The same for each.
    Fixed,
    /// By executed quantity.
    Proportional,
}

/// What decides who is paid where more fulfil than are paid.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Priority {
    /// Executed quantity, the larger first.
    Volume,
    /// Quote display time, the longer first.
    Time,
    /// Date of sign-up, the earlier first.
    SignUp,
}

impl Priority {
    /// As the files write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Priority::Volume => "volume",
            Priority::Time => "time",
            Priority::SignUp => "signup",
        }
    }
}

/// A date that is no trading day.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Holiday {
    /// The date.
    pub date: Date,
    /// Its name, for people.
    pub name: Option<String>,
}

/// A form of the exchange.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Form {
    /// A market maker applies for its designation.
    Mt1,
    /// A market maker signs up for ETFs, or names virtual servers.
    Mt2,
    /// A market maker names its contact.
    Mt3,
    /// A market maker gives its designation up.
    Mt4,
    /// An asset manager's non-disclosure agreement.
    At1,
    /// An asset manager asks for reports.
    At2,
    /// An asset manager's contract on sponsoring.
    At3,
    /// An asset manager sponsors ETFs, or changes how.
    At4,
}

/// A form that was handed in: a row of `applications.csv`.
///
/// Clauses: `ST1/effective-date`, `ST1/lead-time`, `ST1/sponsored-lead-time`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Application {
    /// Which form.
    pub form: Form,
    /// Who handed it in: a market maker (MT) or an asset manager (AT).
    pub party: String,
    /// When it was received.
    pub received: Option<Date>,
    /// From when on it counts.
    pub effective: Date,
    /// The issue that it is about; `None` for no one in particular.
    pub issue: Option<IssueCode>,
    /// The condition that it is about; `None` for no one in particular.
    pub condition: Option<String>,
    /// Where the paper is, for people.
    pub document: Option<String>,
}

impl Registry {
    /// Loads a registry from the content of its files. Files of other names than [`FILE_NAMES`] are passed over.
    pub fn load(files: &[SourceFile]) -> Loaded {
        load::load(files)
    }

    /// The scheme: that of `scheme.toml`, or the built-in one.
    pub fn scheme(&self) -> &Scheme {
        &self.tables.scheme
    }

    /// The issues, by code and first date.
    pub fn issues(&self) -> &[Issue] {
        &self.tables.issues
    }

    /// The row of an issue in force on `date`.
    pub fn issue_on(&self, code: &IssueCode, date: Date) -> Option<&Issue> {
        let from = self.issues().partition_point(|issue| issue.code < *code);
        let rows = self.issues()[from..].iter().take_while(|issue| issue.code == *code);
        rows.into_iter().find(|issue| issue.period.contains(date))
    }

    /// How many of its criteria have to be met in an issue that is of this type on the date; `None` all.
    ///
    /// Clause: `XETRA/criteria`.
    pub fn need_on(&self, code: &IssueCode, date: Date) -> Option<u32> {
        self.scheme().types().get(&self.issue_on(code, date)?.type_name)?.need
    }

    /// The market makers, by short name.
    pub fn market_makers(&self) -> &[MarketMaker] {
        &self.tables.market_makers
    }

    /// The virtual servers, by name and first date.
    pub fn servers(&self) -> &[Server] {
        &self.tables.servers
    }

    /// The sign-ups, by market maker, issue and first date.
    pub fn sign_ups(&self) -> &[SignUp] {
        &self.tables.sign_ups
    }

    /// The Fast Market dates, in order.
    pub fn fast_markets(&self) -> &[FastMarket] {
        &self.tables.fast_markets
    }

    /// The Fast Market multiplier of a date: 2, 4, or 1 where none is declared.
    ///
    /// Clause: `ST1/fast-market`.
    pub fn multiplier_on(&self, date: Date) -> u32 {
        let declared = self.fast_markets().iter().find(|row| row.period.contains(date));
        declared.map_or(1, |row| row.multiplier)
    }

    /// The times in which limits are relieved otherwise, in the order of the file.
    pub fn stress(&self) -> &[Stress] {
        &self.tables.stress
    }

    /// The exemptions, in the order of the file.
    pub fn exemptions(&self) -> &[Exemption] {
        &self.tables.exemptions
    }

    /// The sponsored and matching conditions, by kind, name, target and first date.
    pub fn conditions(&self) -> &[PaidCondition] {
        &self.tables.conditions
    }

    /// The days that play no part in their month, in order.
    pub fn excluded_days(&self) -> &[ExcludedDay] {
        &self.tables.excluded_days
    }

    /// The holidays, in order.
    pub fn holidays(&self) -> &[Holiday] {
        &self.tables.holidays
    }
}

#[cfg(test)]
mod tests;
