//! Instants as people read them: local time of a zone.

use crate::Timestamp;
use jiff::tz::{Offset, TimeZone};
use std::fmt;

/// An instant and the zone in whose local time it is written.
#[derive(Clone, PartialEq, Debug)]
pub struct Local<'a> {
    /// The instant.
    pub at: Timestamp,
    /// The zone.
    pub zone: &'a TimeZone,
}

/// Local time with its offset, never `Z`. An instant outside the calendar is given in microseconds since 1970.
impl fmt::Display for Local<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(instant) = jiff::Timestamp::from_microsecond(self.at.as_micros()) else {
            return write!(f, "{} us since 1970", self.at.as_micros());
        };
        let offset: Offset = self.zone.to_offset(instant);
        let local = offset.to_datetime(instant);
        let (date, time) = (local.date(), local.time());
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}",
            date.year(),
            date.month(),
            date.day(),
            time.hour(),
            time.minute(),
            time.second(),
            time.subsec_nanosecond() / 1_000
        )?;
        let seconds = offset.seconds();
        let (sign, ahead) = (if seconds < 0 { '-' } else { '+' }, seconds.unsigned_abs());
        write!(f, "{sign}{:02}:{:02}", ahead / 3_600, ahead / 60 % 60)?;
        if ahead % 60 == 0 { Ok(()) } else { write!(f, ":{:02}", ahead % 60) }
    }
}

/// `2024-03-01T09:00:00.000000+09:00`: local time with its offset, see [`Local`].
pub fn local_time(at: Timestamp, zone: &TimeZone) -> String {
    Local { at, zone }.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn local_times_have_six_decimals_and_an_offset() {
        let zone = |hours| TimeZone::fixed(jiff::tz::offset(hours));
        let at = Timestamp::from_micros(1_709_251_200_000_001);
        assert_eq!(local_time(at, &zone(9)), "2024-03-01T09:00:00.000001+09:00");
        assert_eq!(local_time(at, &zone(-3)), "2024-02-29T21:00:00.000001-03:00");
        assert_eq!(local_time(at, &TimeZone::UTC), "2024-03-01T00:00:00.000001+00:00");
        assert_eq!(local_time(Timestamp::from_micros(-1), &TimeZone::UTC), "1969-12-31T23:59:59.999999+00:00");
        assert_eq!(local_time(Timestamp::MAX, &zone(9)), "9223372036854775807 us since 1970");
    }

    proptest! {
        /// Written by hand because there are very many of them; it has to read as the calendar's own form does.
        #[test]
        fn local_times_read_as_the_calendar_writes_them(
            micros in -300_000_000_000_000_000_i64..300_000_000_000_000_000, seconds in -90_000..90_000_i32,
        ) {
            let zone = TimeZone::fixed(Offset::from_seconds(seconds).expect("at most a day and an hour"));
            let instant = jiff::Timestamp::from_microsecond(micros);
            if let Ok(instant) = instant {
                let expected = instant.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S.%6f%:z").to_string();
                prop_assert_eq!(local_time(Timestamp::from_micros(micros), &zone), expected);
            }
        }
    }
}
