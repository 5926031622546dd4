//! What the scheme and the registry require on one date, resolved to plain numbers: the measuring path's only input
//! besides the events.

use crate::{CounterpartyMarketMaker, Limits, SelfTrades};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use quoteclock_model::{IssueCode, Micros, ObligationId, Phases, Shard, Span, Timestamp};
use std::collections::HashMap;
use std::sync::Arc;

/// Where it is known from whether the market trades (REFERENCE section 3, `phase_source`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PhaseSource {
    /// From the scheme's sessions; the market phase starts the day as `continuous`.
    Schedule,
    /// From the feed's market-wide phase events; the market phase starts the day as `closed`.
    Feed,
}

/// Everything that is measured on one date, and under which limits.
#[derive(Clone, PartialEq, Debug)]
pub struct DayPlan {
    /// The trading date.
    pub date: Date,
    /// The scheme's zone, for whoever prints times.
    pub zone: TimeZone,
    /// The local day: from its midnight up to the next.
    pub day: Span,
    /// When the market trades continuously: what decides whether an execution is an auction's.
    pub trading: Arc<Availability>,
    /// Where the market phase comes from.
    pub phase_source: PhaseSource,
    /// What a trade of a market maker with itself counts as. Clause: `QC/self_trades`.
    pub self_trades: SelfTrades,
    /// Who is a market maker where another trades with it. Clause: `QC/counterparty_market_maker`.
    pub counterparty_market_maker: CounterpartyMarketMaker,
    /// The Fast Market multiplier of the date: 1, 2 or 4. Already inside the limits. Clause: `ST1/fast-market`.
    pub multiplier: u32,
    /// The virtual servers in force, sorted by name.
    pub servers: Vec<ServerPlan>,
    /// The sign-ups measured, sorted bytewise by market maker and issue; at most one of each pair.
    pub sign_ups: Vec<SignUpPlan>,
}

/// One of the plans that a plan in variants measures.
#[derive(Clone, PartialEq, Debug)]
pub struct Variant {
    /// The plan, as if it were measured alone.
    pub plan: DayPlan,
    /// For each of its obligations, counted through its sign-ups in order, the position among those of the plan in variants.
    pub positions: Vec<u32>,
}

impl DayPlan {
    /// The multipliers that there may be: none declared, and those of the Fast Market.
    ///
    /// Clause: `ST1/fast-market`.
    pub const MULTIPLIERS: [u32; 3] = [1, 2, 4];

    /// Of a plan in variants the plan under one of the [multipliers](DayPlan::MULTIPLIERS).
    ///
    /// # Panics
    /// If the plan has more than four billion obligations.
    pub fn variant(&self, multiplier: u32) -> Variant {
        let is_of_it = |obligation: &ObligationPlan| {
            !obligation.id.is_widened_by_fast_market() || obligation.multiplier == multiplier
        };
        // Sign-ups of an issue share their obligations, in the variant as well.
        let mut shared: HashMap<*const ObligationPlan, Arc<[ObligationPlan]>> = HashMap::new();
        let (mut plan, mut positions, mut before) = (DayPlan { multiplier, ..self.clone() }, Vec::new(), 0);
        for sign_up in &mut plan.sign_ups {
            let all = Arc::clone(&sign_up.obligations);
            let chosen = (before..).zip(all.iter()).filter(|(_, obligation)| is_of_it(obligation));
            positions.extend(chosen.map(|(position, _)| position));
            before += u32::try_from(all.len()).expect("fewer obligations than 32 bits count");
            let own = || all.iter().filter(|obligation| is_of_it(obligation)).cloned().collect();
            sign_up.obligations = Arc::clone(shared.entry(all.as_ptr()).or_insert_with(own));
        }
        Variant { plan, positions }
    }

    /// What of the plan one shard measures: the sign-ups of its issues, and all servers.
    #[must_use]
    pub fn of_shard(&self, shard: Shard) -> DayPlan {
        let sign_ups = self.sign_ups.iter().filter(|sign_up| shard.holds(&sign_up.issue)).cloned().collect();
        DayPlan {
            date: self.date,
            zone: self.zone.clone(),
            day: self.day,
            trading: Arc::clone(&self.trading),
            phase_source: self.phase_source,
            self_trades: self.self_trades,
            counterparty_market_maker: self.counterparty_market_maker,
            multiplier: self.multiplier,
            servers: self.servers.clone(),
            sign_ups,
        }
    }

    /// The continuous windows of the date, merged, inside the day; the whole day where the feed tells the phases.
    pub fn sessions(&self) -> &Arc<[Span]> {
        &self.trading.windows
    }
}

/// When something is required, or takes place: within windows of the day, in some phases.
///
/// Of one plan's obligations mostly all have the same, and share it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Availability {
    /// Windows of the date, merged, inside the day; the whole day where the feed tells the phases.
    pub windows: Arc<[Span]>,
    /// The phases of the market and the issue, taken together. Clauses: `ST1/halts-and-special-quotes`,
    /// `QC/sequential_quote`.
    pub phases: Phases,
    /// How long after each beginning of a window, or in it of the phases, nothing is required yet. An exemption, or damaged
    /// input, begins nothing.
    pub start_delay: Micros,
}

impl Availability {
    /// Those parts of the windows in which, as far as phases allow, something is required.
    pub fn required_windows(&self) -> Vec<Span> {
        let after_delay = |span: &Span| {
            let start = span.start.checked_add(self.start_delay)?;
            (start < span.end).then_some(Span { start, end: span.end })
        };
        self.windows.iter().filter_map(after_delay).collect()
    }
}

/// A virtual server in force on the date.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServerPlan {
    /// Its name in the feed.
    pub name: String,
    /// The market maker that it is registered to.
    pub market_maker: String,
    /// Whether that market maker is signed up for any issue on the date.
    pub signed_up: bool,
}

/// One market maker's commitment to quote one issue.
#[derive(Clone, PartialEq, Debug)]
pub struct SignUpPlan {
    /// The market maker.
    pub market_maker: String,
    /// The issue.
    pub issue: IssueCode,
    /// Whether the issue is a leveraged or inverse ETF; no day's figure depends on it, the month does.
    pub leveraged_inverse: bool,
    /// Positions in [`DayPlan::servers`] whose orders are this sign-up's quotes: those of the market maker, and where
    /// the sign-up and the server both name a participant, of the same one. Ascending.
    pub servers: Arc<[usize]>,
    /// Positions of all servers of the market maker. Ascending.
    pub servers_of_market_maker: Arc<[usize]>,
    /// When the market maker is exempt from quoting the issue, merged, inside the day.
    pub exempt: Vec<Span>,
    /// What has to be met, each on its own, in the order of the ids. The same for all sign-ups of the issue.
    pub obligations: Arc<[ObligationPlan]>,
}

impl SignUpPlan {
    /// How long `obligation` requires quotes if nothing is halted: its windows, exemptions apart.
    pub fn required_time(&self, obligation: &ObligationPlan) -> Micros {
        self.required_time_from(obligation, Timestamp::MIN)
    }

    /// The same of what is left of the day from `from` on.
    pub fn required_time_from(&self, obligation: &ObligationPlan, from: Timestamp) -> Micros {
        let length = |span: Span| span.end.since(span.start);
        let required = |window: Span| {
            let exempt: Micros = self.exempt.iter().filter_map(|span| span.clip(window)).map(length).sum();
            Micros(length(window).0 - exempt.0)
        };
        let left = |window: Span| window.clip(Span { start: from, end: Timestamp::MAX });
        obligation.availability.required_windows().into_iter().filter_map(left).map(required).sum()
    }
}

/// One obligation of a sign-up.
#[derive(Clone, PartialEq, Debug)]
pub struct ObligationPlan {
    /// Which obligation it is.
    pub id: ObligationId,
    /// The Fast Market multiplier inside its limits: that of the date where it is widened at all, 1 otherwise.
    pub multiplier: u32,
    /// The limits from the start of the day, the multiplier applied.
    pub limits: Limits,
    /// Limits that replace those before them at an instant of the day, in order of time; mostly none.
    pub limit_changes: Arc<[LimitChange]>,
    /// When it requires quotes.
    pub availability: Arc<Availability>,
    /// The share of its time that is required.
    pub required: RequiredShare,
}

impl ObligationPlan {
    /// The limits in force at an instant of the day.
    pub fn limits_at(&self, at: Timestamp) -> &Limits {
        let before = self.limit_changes.partition_point(|change| change.at <= at);
        self.limit_changes[..before].last().map_or(&self.limits, |change| &change.limits)
    }
}

/// Limits that come into force within the day.
#[derive(Clone, PartialEq, Debug)]
pub struct LimitChange {
    /// The first instant of the new limits.
    pub at: Timestamp,
    /// Those, until the next change.
    pub limits: Limits,
}

/// How much of the available time has to be fulfilled.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct RequiredShare {
    /// In ten-thousandths of a percent (800,000 = 80 %).
    pub pct: u64,
    /// Of which time.
    pub per: SharePeriod,
}

/// The time that a share is of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SharePeriod {
    /// All days of the month, added up. Clause: `ST1/time-share`.
    Month,
    /// Each day by itself.
    Day,
}
