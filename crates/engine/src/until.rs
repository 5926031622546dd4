//! The end of a measurement in the middle of a day.

use jiff::civil::Time;
use quoteclock_model::Timestamp;
use quoteclock_rules::DayPlan;

/// Up to when a day is measured.
///
/// ```
/// use jiff::civil::time;
/// use quoteclock_engine::{DayOptions, Until};
///
/// let options = DayOptions { until: Some(Until::Clock(time(11, 30, 0, 0))), ..DayOptions::default() };
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Until {
    /// An instant, of the one day that is measured.
    Instant(Timestamp),
    /// A clock reading on the date of each day, in the scheme's zone.
    Clock(Time),
}

impl Until {
    /// The instant on the day of `plan`; why there is none otherwise.
    pub(crate) fn on(self, plan: &DayPlan) -> Result<Timestamp, String> {
        let at = match self {
            Until::Instant(at) => at,
            Until::Clock(time) => {
                let zoned = plan.zone.to_ambiguous_zoned(plan.date.to_datetime(time)).unambiguous();
                let zoned = zoned.map_err(|_| {
                    format!("the clock shows {time} twice or never on this date, expected a time with an offset")
                })?;
                Timestamp::from_micros(zoned.timestamp().as_microsecond())
            }
        };
        if plan.day.start < at && at < plan.day.end {
            Ok(at)
        } else {
            Err("the time until which it is to be measured is not within this date, expected one that is".to_owned())
        }
    }
}
