//! Values, and how they are written down.

use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use quoteclock_model::Timestamp;
use std::borrow::Cow;
use std::fmt::{self, Write};

/// The value of one column of one row.
#[derive(Clone, PartialEq, Debug)]
pub enum Value<'a> {
    /// There is none: an empty cell, `null`.
    Missing,
    /// Text.
    Text(Cow<'a, str>),
    /// A date: `2024-03-01`.
    Date(Date),
    /// An instant: `2024-03-01T09:00:00.000000+09:00`.
    Instant(Local<'a>),
    /// A whole number.
    Integer(i128),
    /// A decimal number, in units of its last decimal.
    Decimal(i128, Decimals),
}

/// How many decimals a column's numbers have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decimals {
    /// That many, all of them written: `80.0000`.
    Fixed(u8),
    /// That many at most, written without needless zeros: `80`, `82.5`.
    UpTo(u8),
}

impl Decimals {
    /// How many there are in the number that stands for the value.
    pub const fn scale(self) -> u8 {
        match self {
            Decimals::Fixed(scale) | Decimals::UpTo(scale) => scale,
        }
    }
}

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

impl Value<'_> {
    /// Whether a number is written, as JSON has them.
    pub(crate) const fn is_number(&self) -> bool {
        matches!(self, Value::Integer(_) | Value::Decimal(..))
    }
}

/// As CSV has it, unquoted; nothing where there is no value.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Missing => Ok(()),
            Value::Text(text) => f.write_str(text),
            Value::Date(date) => write!(f, "{date}"),
            Value::Instant(local) => write!(f, "{local}"),
            Value::Integer(number) => write!(f, "{number}"),
            Value::Decimal(units, decimals) => write_decimal(f, *units, *decimals),
        }
    }
}

fn write_decimal(to: &mut impl Write, units: i128, decimals: Decimals) -> fmt::Result {
    let scale = usize::from(decimals.scale());
    let sign = if units < 0 { "-" } else { "" };
    let digits = format!("{:0width$}", units.unsigned_abs(), width = scale + 1);
    let (whole, part) = digits.split_at(digits.len() - scale);
    let part = match decimals {
        Decimals::Fixed(_) => part,
        Decimals::UpTo(_) => part.trim_end_matches('0'),
    };
    let point = if part.is_empty() { "" } else { "." };
    write!(to, "{sign}{whole}{point}{part}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact_and_have_as_many_places_as_told() {
        let text = |units, decimals| Value::Decimal(units, decimals).to_string();
        for (units, fixed, trimmed) in [
            (714_765, "71.4765", "71.4765"),
            (800_000, "80.0000", "80"),
            (825_000, "82.5000", "82.5"),
            (1, "0.0001", "0.0001"),
            (0, "0.0000", "0"),
            (-5, "-0.0005", "-0.0005"),
            (-1_000_000, "-100.0000", "-100"),
        ] {
            assert_eq!(text(units, Decimals::Fixed(4)), fixed);
            assert_eq!(text(units, Decimals::UpTo(4)), trimmed);
        }
        assert_eq!(text(-1_200, Decimals::UpTo(0)), "-1200", "zeros before the point are not needless");
        assert_eq!(text(7, Decimals::Fixed(0)), "7");
        let lowest = "-1701411834604692317316873037158841.05728";
        assert_eq!(text(i128::MIN, Decimals::UpTo(5)), lowest);
    }

    #[test]
    fn local_times_have_six_decimals_and_an_offset() {
        let fixed = |seconds| TimeZone::fixed(Offset::from_seconds(seconds).unwrap());
        let text = |micros, zone: &TimeZone| Local { at: Timestamp::from_micros(micros), zone }.to_string();
        let at = 1_709_251_200_000_001;
        assert_eq!(text(at, &fixed(9 * 3_600)), "2024-03-01T09:00:00.000001+09:00");
        assert_eq!(text(at, &fixed(-3 * 3_600)), "2024-02-29T21:00:00.000001-03:00");
        assert_eq!(text(at, &fixed(-1_800)), "2024-02-29T23:30:00.000001-00:30");
        assert_eq!(text(at, &TimeZone::UTC), "2024-03-01T00:00:00.000001+00:00");
        assert_eq!(text(-1, &TimeZone::UTC), "1969-12-31T23:59:59.999999+00:00");
        assert_eq!(text(i64::MAX, &TimeZone::UTC), "9223372036854775807 us since 1970");
    }
}
