//! Instants as people read them: local time of the scheme's zone.

use jiff::tz::TimeZone;
use quoteclock_model::Timestamp;

/// `2024-03-01T09:00:00.000000+09:00`: local time with its offset, never `Z`. An instant outside the calendar is given
/// in microseconds since 1970.
pub fn local_time(at: Timestamp, zone: &TimeZone) -> String {
    match jiff::Timestamp::from_microsecond(at.as_micros()) {
        Ok(instant) => instant.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S.%6f%:z").to_string(),
        Err(_) => format!("{} us since 1970", at.as_micros()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_times_have_six_decimals_and_an_offset() {
        let zone = |hours| TimeZone::fixed(jiff::tz::offset(hours));
        let at = Timestamp::from_micros(1_709_251_200_000_001);
        assert_eq!(local_time(at, &zone(9)), "2024-03-01T09:00:00.000001+09:00");
        assert_eq!(local_time(at, &zone(-3)), "2024-02-29T21:00:00.000001-03:00");
        assert_eq!(local_time(at, &TimeZone::UTC), "2024-03-01T00:00:00.000001+00:00");
        assert_eq!(local_time(Timestamp::MAX, &zone(9)), "9223372036854775807 us since 1970");
    }
}
