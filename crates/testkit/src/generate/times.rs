//! Times as a source may write them.

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

use super::choices::Choices;

/// An instant with some offset (most often the zone's own) and 0 to 9 decimals; what is beyond the microsecond is noise
/// that the reader floors away.
pub(super) fn written(choices: &mut Choices<'_>, zone: &TimeZone, instant: i128) -> String {
    let Some(timestamp) = i64::try_from(instant).ok().and_then(|micros| Timestamp::from_microsecond(micros).ok())
    else {
        return String::new();
    };
    let own = zone.to_offset(timestamp).seconds() / 60;
    let minutes = match choices.below(10) {
        0..=6 => own,
        7 => 0,
        _ => choices.of(&[9 * 60, -(3 * 60 + 30), 5 * 60 + 45, -12 * 60, 14 * 60]),
    };
    let local = Offset::from_seconds(minutes * 60).unwrap_or(Offset::UTC).to_datetime(timestamp);
    let six = local.strftime("%6f").to_string();
    let fraction = match choices.below(8) {
        0..=4 => six,
        5 => six.trim_end_matches('0').to_owned(),
        6 => format!("{six}{:03}", choices.below(1_000)),
        _ => format!("{six}{}", choices.below(10)),
    };
    let point = if fraction.is_empty() { "" } else { "." };
    let offset = match (minutes, choices.below(2)) {
        (0, 0) => "Z".to_owned(),
        _ => format!("{}{:02}:{:02}", if minutes < 0 { '-' } else { '+' }, minutes.abs() / 60, minutes.abs() % 60),
    };
    format!("{}{point}{fraction}{offset}", local.strftime("%Y-%m-%dT%H:%M:%S"))
}
