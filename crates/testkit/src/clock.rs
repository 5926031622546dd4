//! Instants in whole microseconds since 1970-01-01T00:00:00Z, and the one local day that is measured.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::text::whole;

/// The time zone of that name in the bundled database: the host's own zone files must not change a result.
pub(crate) fn zone(name: &str) -> Option<TimeZone> {
    TimeZoneDatabase::bundled().get(name).ok()
}

/// A date such as `2024-03-01`.
pub(crate) fn date(text: &str) -> Option<Date> {
    if text.len() != 10 || text.get(4..5)? != "-" || text.get(7..8)? != "-" {
        return None;
    }
    let year = whole(text.get(0..4)?)?.try_into().ok()?;
    let month = whole(text.get(5..7)?)?.try_into().ok()?;
    let day = whole(text.get(8..10)?)?.try_into().ok()?;
    Date::new(year, month, day).ok()
}

/// An RFC 3339 time with offset or `Z` and 0 to 9 decimals, floored to the microsecond. Second 60 is malformed.
pub(crate) fn instant(text: &str) -> Option<i128> {
    let date = date(text.get(0..10)?)?;
    if text.get(10..11)? != "T" {
        return None;
    }
    let seconds = clock_seconds(text.get(11..19)?)?;
    let mut rest = text.get(19..)?;
    let mut micros = 0;
    if let Some(fraction) = rest.strip_prefix('.') {
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        if !(1..=9).contains(&digits) {
            return None;
        }
        micros = whole(&format!("{:0<6.6}", &fraction[..digits]))?;
        rest = &fraction[digits..];
    }
    let utc_midnight =
        i128::from(TimeZone::UTC.to_timestamp(DateTime::from_parts(date, Time::midnight())).ok()?.as_microsecond());
    let instant = utc_midnight + (seconds - offset_seconds(rest)?) * 1_000_000 + micros;
    timestamp(instant).map(|_| instant)
}

/// `09:00:00` as seconds of the day.
fn clock_seconds(text: &str) -> Option<i128> {
    if text.len() != 8 || text.get(2..3)? != ":" || text.get(5..6)? != ":" {
        return None;
    }
    let (hour, minute, second) = (whole(text.get(0..2)?)?, whole(text.get(3..5)?)?, whole(text.get(6..8)?)?);
    (hour <= 23 && minute <= 59 && second <= 59).then_some((hour * 60 + minute) * 60 + second)
}

/// `Z`, or `+09:00`, as seconds ahead of UTC.
fn offset_seconds(text: &str) -> Option<i128> {
    if text == "Z" {
        return Some(0);
    }
    if text.len() != 6 || text.get(3..4)? != ":" {
        return None;
    }
    let (hour, minute) = (whole(text.get(1..3)?)?, whole(text.get(4..6)?)?);
    if hour > 23 || minute > 59 {
        return None;
    }
    match text.get(0..1)? {
        "+" => Some((hour * 60 + minute) * 60),
        "-" => Some(-(hour * 60 + minute) * 60),
        _ => None,
    }
}

fn timestamp(instant: i128) -> Option<Timestamp> {
    Timestamp::from_microsecond(i64::try_from(instant).ok()?).ok()
}

/// The local date of an instant.
pub(crate) fn local_date(zone: &TimeZone, instant: i128) -> Option<Date> {
    Some(zone.to_datetime(timestamp(instant)?).date())
}

/// The instant at which local clocks show `minutes` after midnight of the date; 1,440 is the next midnight. A clock time
/// that the date skips or has twice is read in the "compatible" way: as late as the skip is long, or the first of the two.
pub(crate) fn at_local(zone: &TimeZone, date: Date, minutes: i128) -> Option<i128> {
    let (date, minutes) = if minutes == 1_440 { (date.tomorrow().ok()?, 0) } else { (date, minutes) };
    let hour = i8::try_from(minutes / 60).ok()?;
    let minute = i8::try_from(minutes % 60).ok()?;
    let local = DateTime::from_parts(date, Time::new(hour, minute, 0, 0).ok()?);
    Some(zone.to_ambiguous_timestamp(local).compatible().ok()?.as_microsecond().into())
}

/// An instant as `2024-03-01T09:00:00.000000+09:00` in the zone.
pub(crate) fn show(zone: &TimeZone, instant: i128) -> Option<String> {
    let timestamp = timestamp(instant)?;
    let local = zone.to_datetime(timestamp);
    let offset = zone.to_offset(timestamp).seconds() / 60;
    let sign = if offset < 0 { '-' } else { '+' };
    let (hours, minutes) = (offset.abs() / 60, offset.abs() % 60);
    Some(format!("{}{sign}{hours:02}:{minutes:02}", local.strftime("%Y-%m-%dT%H:%M:%S.%6f")))
}
