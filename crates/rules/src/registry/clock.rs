//! Local clock readings, and which instants they stand for.

use super::Registry;
use jiff::civil::{Date, Time};
use quoteclock_model::Timestamp;

impl Registry {
    /// The instant of a local clock reading; where clocks change, a reading that is skipped counts on from before the
    /// change, and of one that occurs twice the first is meant.
    pub(super) fn instant(&self, date: Date, time: Time) -> Option<Timestamp> {
        let zoned = date.to_datetime(time).to_zoned(self.scheme().zone.clone()).ok()?;
        Some(Timestamp::from_micros(zoned.timestamp().as_microsecond()))
    }
}

/// The clock reading so many microseconds into the day; `None` for its end.
pub(super) fn clock(of_day: u64) -> Option<Time> {
    let seconds = of_day / 1_000_000;
    let part = |number: u64| i8::try_from(number).ok();
    let nanos = i32::try_from(of_day % 1_000_000 * 1000).ok()?;
    Time::new(part(seconds / 3600)?, part(seconds / 60 % 60)?, part(seconds % 60)?, nanos).ok()
}
