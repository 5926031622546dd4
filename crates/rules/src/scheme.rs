//! The scheme: what a venue requires of every market maker, whoever has signed up. Numbers and dates only.
//!
//! The built-in scheme is that of the Tokyo Stock Exchange (ST-1 v4.3); a `scheme.toml` of the registry replaces parts
//! of it (see the `file` module). A scheme does not know issues, market makers or sign-ups: that is the registry.

mod file;
mod places;

pub(crate) use file::SchemeFile;

use crate::{
    Aggregate, Incentives, Interpretations, IssueLimits, Limits, Manner, PhaseSource, SpreadBand, SpreadLimits,
    TickTable, TickTableError,
};
use jiff::civil::{Date, date};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use quoteclock_model::{Amount, Bps, Micros, ObligationId, Phases, Shares, SizeRule, Ticks};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a venue requires, by date and by type of issue.
#[derive(Clone, PartialEq, Debug)]
pub struct Scheme {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) zone_name: String,
    pub(crate) zone: TimeZone,
    pub(crate) phase_source: PhaseSource,
    pub(crate) required_pct: u64,
    /// Ascending by `from`, no two alike.
    pub(crate) sessions: Vec<SessionList>,
    pub(crate) types: BTreeMap<String, TypeRules>,
    pub(crate) tick_tables: BTreeMap<String, Arc<TickTable>>,
    pub(crate) interpretations: Interpretations,
    pub(crate) incentives: Incentives,
    pub(crate) aggregate: Aggregate,
    pub(crate) start_delay: Micros,
}

/// The continuous auction's windows from a date on.
///
/// Clause: `ST1/continuous-auction`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SessionList {
    /// The first date on which the list applies; `None` since ever. It applies until the next list does.
    pub from: Option<Date>,
    /// Local clock readings in microseconds of the day, start and end (exclusive), in any order, overlapping or not; the
    /// end of the day is 86,400,000,000.
    pub windows: Vec<(u64, u64)>,
}

/// Limits as a type of issue or a condition states them: before dates, Fast Market and tick tables.
///
/// At least one spread limit and at least one minimum is given, or an issue's own are to be taken.
///
/// Clause: `ST1/spread-and-quantity`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Terms {
    /// The widest spread in basis points.
    pub spread_bps_max: Option<Bps>,
    /// The widest spread in ticks; of all limits the widest counts.
    pub spread_ticks_max: Option<Ticks>,
    /// The least value of a side's quotes, above zero.
    pub value_min: Option<Amount>,
    /// The least quantity of a side's quotes, above zero.
    pub quantity_min: Option<Shares>,
    /// How they are taken.
    pub manner: Manner,
    /// Whether the least value stands for a quantity, and at which price.
    pub quantity_from_value: Option<QuantityFrom>,
    /// Whether limits that the issue's own row gives replace these.
    pub from_issue: bool,
}

/// What a type of issue requires: limits, when they hold, and of how much of the time.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TypeRules {
    /// The limits, where no regime has others.
    pub terms: Terms,
    /// The phases in which quotes are required; `None` as the market trades. Clause: `BIT/auctions-included`.
    pub phases: Option<Phases>,
    /// Local clock readings, as of [`SessionList::windows`], in place of the sessions.
    pub windows: Option<Vec<(u64, u64)>>,
    /// How long after each beginning nothing is required; `None` as the scheme says.
    pub start_delay: Option<Micros>,
    /// The share of time that is required, in ten-thousandths of a percent; `None` as the scheme says.
    pub required_pct: Option<u64>,
    /// Limits at some times of the day; of several that hold the first counts.
    pub regimes: Vec<Regime>,
    /// What is asked in place of one obligation, each measured by itself, by name; mostly nothing.
    pub criteria: Vec<Criterion>,
    /// How many of the criteria have to be met in the month; `None` all.
    pub need: Option<u32>,
}

/// One of several things that a type of issue asks for: an obligation with its own available and fulfilled time.
///
/// Clause: `XETRA/criteria`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Criterion {
    /// Its name, which makes the obligation `general:<name>`.
    pub name: String,
    /// What it requires, whole: what it does not name itself is the type's. It has no criteria of its own.
    pub rules: TypeRules,
}

impl TypeRules {
    /// What is asked of a sign-up, each an obligation of its own: the criteria; where there are none the type itself.
    pub fn asked(&self) -> impl Iterator<Item = (ObligationId, &TypeRules)> {
        let whole = self.criteria.is_empty().then_some((ObligationId::GENERAL, self));
        let of = |criterion: &'_ Criterion| ObligationId::General(Some(criterion.name.clone()));
        whole.into_iter().chain(self.criteria.iter().map(move |criterion| (of(criterion), &criterion.rules)))
    }

    /// What is asked under this name.
    pub fn asked_as(&self, id: &ObligationId) -> Option<&TypeRules> {
        self.asked().find(|(asked, _)| asked == id).map(|(_, rules)| rules)
    }
}

/// Limits at some times of the day, in place of a type's own.
///
/// Clause: `SIX/home-market-open`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Regime {
    /// When, as local clock readings; `None` where the issue's own row says.
    pub windows: Option<Vec<(u64, u64)>>,
    /// The limits that it names; all others are the type's, or the issue's.
    pub terms: Terms,
}

/// By how much limits are relieved at an instant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Relief {
    /// How many times as wide spreads may be, in ten-thousandths.
    pub(crate) spread: u64,
    /// How many times as large sizes have to be, in ten-thousandths.
    pub(crate) size: u64,
}

impl Relief {
    /// Spreads so many times as wide.
    pub(crate) fn of(multiplier: u32) -> Relief {
        Relief { spread: u64::from(multiplier) * ONE, size: ONE }
    }

    /// The more of both.
    pub(crate) fn and(self, other: Relief) -> Relief {
        Relief { spread: self.spread.max(other.spread), size: self.size.min(other.size) }
    }
}

/// Once, in ten-thousandths.
const ONE: u64 = 10_000;

/// At which price a least value becomes a least quantity: value by price, rounded up.
///
/// Clause: `XETRA/quantity-of-value`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum QuantityFrom {
    /// At the reference price of the issue's row: the quantity is the same all day.
    Reference,
    /// At the side's own obligation price.
    Side,
}

impl Terms {
    /// The limits under a relief, ticks counted by `tick_table`; `own` are those that the issue's row gives. A widest spread
    /// is rounded down and a least size up, where a relief is no whole number.
    ///
    /// Clauses: `ST1/fast-market`, `QC/fast_market_scales`, `BIT/limits-of-the-issue`, `XETRA/quantity-of-value`.
    pub(crate) fn limits(&self, own: &IssueLimits, relief: Relief, tick_table: &Arc<TickTable>) -> Limits {
        let mut limits = self.of_issue(own).as_limits(tick_table);
        match (self.quantity_from_value, limits.value_min, own.reference_price) {
            (Some(QuantityFrom::Reference), Some(Amount(value)), Some(price)) => {
                let shares = value.div_ceil(u128::from(price.ten_thousandths()));
                let shares = Shares(u64::try_from(shares).unwrap_or(u64::MAX));
                let by_rule = |given: Shares| match limits.manner.size_rule {
                    SizeRule::All => given.max(shares),
                    SizeRule::Any => given.min(shares),
                };
                (limits.value_min, limits.quantity_min) = (None, Some(limits.quantity_min.map_or(shares, by_rule)));
            }
            (Some(QuantityFrom::Side), ..) => limits.manner.value_at_price = true,
            _ => {}
        }
        relieved(limits, relief)
    }

    /// These, with the issue's own limits in their place where they are to be taken and given.
    pub fn of_issue(&self, own: &IssueLimits) -> Terms {
        if !self.from_issue {
            return self.clone();
        }
        Terms {
            spread_bps_max: own.spread_bps_max.or(self.spread_bps_max),
            value_min: own.value_min.or(self.value_min),
            quantity_min: own.quantity_min.or(self.quantity_min),
            ..self.clone()
        }
    }

    /// These of an issue, with what a regime names in their place.
    pub(crate) fn under(&self, regime: &Terms, own: &IssueLimits) -> Terms {
        let base = self.of_issue(own);
        let manner = Manner {
            width_max: regime.manner.width_max.or(base.manner.width_max),
            size_divergence_pct_max: regime.manner.size_divergence_pct_max.or(base.manner.size_divergence_pct_max),
            ..base.manner
        };
        Terms {
            spread_bps_max: regime.spread_bps_max.or(base.spread_bps_max),
            spread_ticks_max: regime.spread_ticks_max.or(base.spread_ticks_max),
            value_min: regime.value_min.or(base.value_min),
            quantity_min: regime.quantity_min.or(base.quantity_min),
            manner,
            from_issue: false,
            ..base
        }
    }

    fn as_limits(&self, tick_table: &Arc<TickTable>) -> Limits {
        let Terms { spread_bps_max, spread_ticks_max, value_min, quantity_min, .. } = *self;
        let (manner, tick_table) = (self.manner.clone(), Arc::clone(tick_table));
        Limits { spread_bps_max, spread_ticks_max, value_min, quantity_min, manner, tick_table }
    }

    /// Whether a limit of the spread is given.
    pub(crate) fn has_spread(&self) -> bool {
        let given = SpreadLimits {
            bps_max: self.spread_bps_max,
            ticks_max: self.spread_ticks_max,
            width_max: self.manner.width_max,
        };
        !given.is_empty() || !self.manner.bands.is_empty()
    }

    /// Whether a least size is given.
    pub(crate) fn has_minimum(&self) -> bool {
        self.value_min.is_some() || self.quantity_min.is_some()
    }
}

/// The same limits under a relief.
fn relieved(limits: Limits, Relief { spread, size }: Relief) -> Limits {
    let Limits { spread_bps_max: bps_max, spread_ticks_max: ticks_max, manner, .. } = limits;
    let own = SpreadLimits { bps_max, ticks_max, width_max: manner.width_max }.widened(spread);
    let band = |band: &SpreadBand| SpreadBand { limits: band.limits.widened(spread), ..*band };
    let value = |Amount(min)| Amount((min * u128::from(size)).div_ceil(u128::from(ONE)).max(1));
    let shares = |Shares(min)| {
        let scaled = (u128::from(min) * u128::from(size)).div_ceil(u128::from(ONE)).max(1);
        Shares(u64::try_from(scaled).unwrap_or(u64::MAX))
    };
    let bands = manner.bands.iter().map(band).collect();
    Limits {
        spread_bps_max: own.bps_max,
        spread_ticks_max: own.ticks_max,
        value_min: limits.value_min.map(value),
        quantity_min: limits.quantity_min.map(shares),
        manner: Manner { width_max: own.width_max, bands, ..manner },
        ..limits
    }
}

impl Scheme {
    /// The scheme of ST-1 v4.3: what applies where the registry has no `scheme.toml`.
    ///
    /// Clauses: `ST1/continuous-auction`, `ST1/spread-and-quantity`, `ST1/time-share`, `ST1/spread-ticks`.
    ///
    /// # Panics
    /// Never: the bundled database has Asia/Tokyo.
    pub fn built_in() -> Scheme {
        Scheme {
            name: "TSE ETF Market Making Incentive Scheme".to_owned(),
            version: "ST-1 v4.3".to_owned(),
            zone_name: "Asia/Tokyo".to_owned(),
            zone: zone("Asia/Tokyo").expect("the bundled database has Asia/Tokyo"),
            phase_source: PhaseSource::Schedule,
            required_pct: 800_000,
            sessions: built_in_sessions(),
            types: built_in_types(),
            tick_tables: built_in_tick_tables(),
            interpretations: Interpretations::default(),
            incentives: Incentives::built_in(),
            aggregate: Aggregate::default(),
            start_delay: Micros::ZERO,
        }
    }

    /// Its name, for reports.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its version, for reports.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The name of its time zone, as the scheme gives it.
    pub fn zone_name(&self) -> &str {
        &self.zone_name
    }

    /// Its time zone, from the bundled database: the host's zone files change no result.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Where it is known from whether the market trades.
    pub fn phase_source(&self) -> PhaseSource {
        self.phase_source
    }

    /// The share of a month's available time that `general` requires, in ten-thousandths of a percent.
    ///
    /// Clause: `ST1/time-share`.
    pub fn required_pct(&self) -> u64 {
        self.required_pct
    }

    /// The lists of sessions, ascending by the date from which they apply.
    pub fn sessions(&self) -> &[SessionList] {
        &self.sessions
    }

    /// The session list in force on `date`: the one with the latest `from` not after it. `None` means that there is no
    /// continuous time.
    ///
    /// Clause: `ST1/continuous-auction`.
    pub fn sessions_on(&self, date: Date) -> Option<&SessionList> {
        let count = self.sessions.partition_point(|list| list.from.is_none_or(|from| from <= date));
        self.sessions[..count].last()
    }

    /// What each type of issue requires, by name.
    pub fn types(&self) -> &BTreeMap<String, TypeRules> {
        &self.types
    }

    /// The tick tables, by name.
    pub fn tick_tables(&self) -> &BTreeMap<String, Arc<TickTable>> {
        &self.tick_tables
    }

    /// What it pays, and what it asks of whoever is paid.
    pub fn incentives(&self) -> &Incentives {
        &self.incentives
    }

    /// How a month is judged by its days.
    pub fn aggregate(&self) -> &Aggregate {
        &self.aggregate
    }

    /// How long after each beginning of the market's time nothing is required yet.
    ///
    /// Clause: `TWSE/after-the-open`.
    pub fn start_delay(&self) -> Micros {
        self.start_delay
    }

    /// The interpretations in force.
    pub fn interpretations(&self) -> &Interpretations {
        &self.interpretations
    }
}

/// The zone of that name in the bundled database.
fn zone(name: &str) -> Option<TimeZone> {
    TimeZoneDatabase::bundled().get(name).ok()
}

fn built_in_sessions() -> Vec<SessionList> {
    const fn at(hour: u64, minute: u64) -> u64 {
        (hour * 60 + minute) * 60_000_000
    }
    let morning = (at(9, 0), at(11, 30));
    vec![
        SessionList { from: None, windows: vec![morning, (at(12, 30), at(15, 0))] },
        SessionList { from: Some(date(2024, 11, 5)), windows: vec![morning, (at(12, 30), at(15, 25))] },
    ]
}

fn built_in_types() -> BTreeMap<String, TypeRules> {
    let yen = |millions: u128| Some(Amount(millions * 1_000_000 * 10_000));
    let terms = |bps: u64, ticks, value_min| Terms {
        spread_bps_max: Some(Bps(bps * 10_000)),
        spread_ticks_max: Some(Ticks(ticks)),
        value_min,
        ..Terms::default()
    };
    [
        ("A", terms(20, 2, yen(30))),
        ("B", terms(50, 3, yen(10))),
        ("C", terms(50, 3, yen(5))),
        ("D", terms(80, 4, yen(5))),
    ]
    .map(|(name, terms)| (name.to_owned(), TypeRules { terms, ..TypeRules::default() }))
    .into()
}

/// Limits in yen and ticks in tenths of a yen, as the exchange's tables print them.
const TABLE_01: (&[(u64, u64)], u64) = (
    &[
        (3_000, 10),
        (5_000, 50),
        (30_000, 100),
        (50_000, 500),
        (300_000, 1_000),
        (500_000, 5_000),
        (3_000_000, 10_000),
        (5_000_000, 50_000),
        (30_000_000, 100_000),
        (50_000_000, 500_000),
    ],
    1_000_000,
);
const TABLE_03: (&[(u64, u64)], u64) = (
    &[
        (1_000, 1),
        (3_000, 5),
        (10_000, 10),
        (30_000, 50),
        (100_000, 100),
        (300_000, 500),
        (1_000_000, 1_000),
        (3_000_000, 5_000),
        (10_000_000, 10_000),
        (30_000_000, 50_000),
    ],
    100_000,
);
const TABLE_04: (&[(u64, u64)], u64) = (
    &[
        (10_000, 10),
        (30_000, 50),
        (100_000, 100),
        (300_000, 500),
        (1_000_000, 1_000),
        (3_000_000, 5_000),
        (10_000_000, 10_000),
        (30_000_000, 50_000),
    ],
    100_000,
);

fn built_in_tick_tables() -> BTreeMap<String, Arc<TickTable>> {
    [("01", TABLE_01), ("03", TABLE_03), ("04", TABLE_04)]
        .map(|(name, (limited, above))| {
            let table = built_in_tick_table(limited, above).expect("the exchange's tables join");
            (name.to_owned(), Arc::new(table))
        })
        .into()
}

fn built_in_tick_table(limited: &[(u64, u64)], above: u64) -> Result<TickTable, TickTableError> {
    let limited: Vec<(u64, u64)> = limited.iter().map(|&(limit, tick)| (limit * 10_000, tick * 1_000)).collect();
    TickTable::new(&limited, above * 1_000)
}

#[cfg(test)]
mod tests;
