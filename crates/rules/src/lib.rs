//! Obligation terms: the scheme (sessions, types, tick tables, interpretations), the registry of issues, market
//! makers, virtual servers and sign-ups, and what both together require on one date.
//!
//! The idea: everything dated, optional or textual is resolved here, once, into a [`DayPlan`] of plain numbers, so that
//! the measuring path never looks at a date, a name or a time zone.
//!
//! Deliberately absent: reading folders (callers pass bytes), judging quotes, and paying anybody.

mod aggregate;
mod canonical;
mod incentives;
mod interpretations;
mod limits;
mod manner;
mod plan;
mod ready;
mod registry;
mod scheme;
pub mod templates;
mod ticks;
mod value;

pub use aggregate::{Aggregate, MonthShare};
pub use incentives::{Incentives, Rates, ServerSteps, TierTerms};
pub use interpretations::{AccessFeeIssues, CounterpartyMarketMaker, Interpretations, SelfTrades};
pub use limits::{Limits, Spread};
pub use manner::{Manner, SidesRequired, SpreadBand, SpreadBase, SpreadLimits};
pub use plan::{
    Availability, DayPlan, LimitChange, ObligationPlan, PhaseSource, RequiredShare, ServerPlan, SharePeriod,
    SignUpPlan, Variant,
};
pub use quoteclock_model::local_time;
pub use quoteclock_sheets::{Column, Finding, Period, Severity, SourceFile};
pub use ready::{READY_SCHEMES, ReadyScheme};
pub use registry::{
    Application, ConditionKind, DayLimits, ExcludedDay, Exemption, FILE_NAMES, FastMarket, Form, Holiday, Issue,
    IssueLimits, Loaded, MarketMaker, PaidCondition, Payment, PaymentMethod, PlanError, Priority, Registry, Server,
    SignUp, Stress, StressTime, Target, Tier,
};
pub use scheme::{Criterion, QuantityFrom, Regime, Scheme, SessionList, Terms, TypeRules};
pub use ticks::{TickTable, TickTableError};
