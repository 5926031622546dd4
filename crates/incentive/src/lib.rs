//! The month: which obligations are fulfilled in it, and what follows for each market maker.
//!
//! Days are folded into one account for each market maker, issue and obligation; a month is a ratio of sums, never a mean
//! of days, where the scheme does not ask for one. What is required comes from the registry, what was measured from the days, and integers decide. Then a
//! [`Settlement`] says what follows: tiers, incentives, conditions, recommendations and payments.
//!
//! Deliberately absent: where days are kept, and how a report looks.

mod account;
mod aggregate;
mod conditions;
mod doubt;
mod exact;
mod makers;
mod month;
mod outlook;
mod payments;
mod recommendations;
mod settlement;
mod sign_up;
mod tiers;
mod trading;
mod value;
mod why;

pub use account::{AccountKey, MonthAccounts, MonthLine, Status, SystemStatus};
pub use aggregate::{DayCounts, DayShare};
pub use conditions::{ConditionLine, Note, Payout, PlaceKeys, Reckoning, Share, Terms};
pub use doubt::Doubtful;
pub use makers::{MakerLine, makers};
pub use month::Month;
pub use outlook::{Outlook, Prospect, outlooks};
pub use payments::PaymentLine;
pub use recommendations::{Figure, PastMonth, Recommendation, RecommendationLine};
pub use settlement::{MonthStock, Settlement};
pub use sign_up::{SignUpMonth, sign_up_months, together};
pub use tiers::{Measured, Review, ReviewStock, TierLine, TierSource, tiers};
pub use trading::{Basis, DayBasis, Traded, Trading, participant_on};
pub use value::{BasisAndRate, Incentive, IncentiveLine};
pub use why::{Asked, SERVER_WAIVER, Step, Why, WhyDay};
