//! How a month is judged by its days, where not by the sum of all.

/// What of a month's days has to reach the required share. The default is Tokyo's: the sum of all.
///
/// Days without available time play no part.
///
/// ```
/// use quoteclock_rules::{Aggregate, MonthShare};
/// assert!(Aggregate::default().is_sum_alone());
/// let by_days = Aggregate { month: MonthShare::Days { pct: 800_000 }, ..Aggregate::default() };
/// assert!(!by_days.is_sum_alone());
/// ```
///
/// Clauses: `WBAG/average-of-days`, `TWSE/compliant-days`, `RTS8/half-of-the-days`, `BUX/days-below`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Aggregate {
    /// What is compared with the required share.
    pub month: MonthShare,
    /// On how many days at most the day by itself may be under the required share.
    pub days_below_max: Option<u64>,
    /// A share, in ten-thousandths of a percent, under which no day may be.
    pub day_floor_pct: Option<u64>,
}

/// What is compared with the required share.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum MonthShare {
    /// All fulfilled time by all available time.
    #[default]
    Sum,
    /// The mean of the days' shares, each day weighing the same.
    MeanOfDays,
    /// Each day by itself: so many of the days have to reach it.
    Days {
        /// Of the days, in ten-thousandths of a percent.
        pct: u64,
    },
}

impl Aggregate {
    /// Whether single days do not matter.
    pub fn is_sum_alone(&self) -> bool {
        *self == Aggregate::default()
    }
}
