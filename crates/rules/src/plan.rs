//! What the scheme and the registry require on one date, resolved to plain numbers: the measuring path's only input
//! besides the events.

use crate::{CounterpartyMarketMaker, Limits, SelfTrades};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use quoteclock_model::{IssueCode, Micros, Span};
use std::sync::Arc;

/// Where it is known from whether the market trades (SPEC section 3, `phase_source`).
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
    /// The continuous windows of the date, merged, inside `day`; the whole day where the feed tells the phases.
    pub sessions: Vec<Span>,
    /// Where the market phase comes from.
    pub phase_source: PhaseSource,
    /// Whether a sequential trade quote leaves a quote required. Clause: `QC/sequential_quote`.
    pub sequential_quote_available: bool,
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

impl DayPlan {
    /// How long `sign_up` has to be quoted if nothing is halted: the sessions, exemptions apart.
    pub fn required_time(&self, sign_up: &SignUpPlan) -> Micros {
        let length = |span: Span| span.end.since(span.start);
        let required = |&session: &Span| {
            let exempt: Micros = sign_up.exempt.iter().filter_map(|span| span.clip(session)).map(length).sum();
            Micros(length(session).0 - exempt.0)
        };
        self.sessions.iter().map(required).sum()
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
    /// Positions in [`DayPlan::servers`] whose orders are this sign-up's quotes: those of the market maker, and where
    /// the sign-up and the server both name a participant, of the same one. Ascending.
    pub servers: Arc<[usize]>,
    /// Positions of all servers of the market maker. Ascending.
    pub servers_of_market_maker: Arc<[usize]>,
    /// When the market maker is exempt from quoting the issue, merged, inside the day.
    pub exempt: Vec<Span>,
    /// What has to be met, each on its own: `general`, then the conditions; sorted bytewise by name. The same for all
    /// sign-ups of the issue.
    pub obligations: Arc<[ObligationPlan]>,
}

/// One obligation of a sign-up.
#[derive(Clone, PartialEq, Debug)]
pub struct ObligationPlan {
    /// `general`, `sponsored:<condition>` or `matching:<condition>`.
    pub name: String,
    /// The limits of the date, the Fast Market multiplier applied where it applies.
    pub limits: Limits,
    /// The share of the month's time that is required, in ten-thousandths of a percent (800,000 = 80 %).
    pub required_pct: u64,
}
