//! Fields of text formats: numbers, prices and times, exactly as REFERENCE section 2 spells them.
//!
//! Digits are ASCII, leading zeros mean nothing, and there is no sign, exponent or space. Every function returns `None`
//! for anything else, without saying why: the caller knows the field and says what it expected.

pub(crate) mod digits;

use crate::UtcOffset;
use digits::Digits;
use quoteclock_model::{Price, Shares, Timestamp};

/// An unsigned 64-bit number.
#[inline]
pub fn unsigned(field: &[u8]) -> Option<u64> {
    if field.is_empty() {
        return None;
    }
    // Nineteen digits cannot overflow: only longer fields pay for the check.
    if field.len() <= 19 {
        let mut value = 0_u64;
        for &byte in field {
            value = value * 10 + digit(byte)?;
        }
        return Some(value);
    }
    field.iter().try_fold(0_u64, |value, &byte| value.checked_mul(10)?.checked_add(digit(byte)?))
}

/// A price: digits, and optionally a point and 1 to 4 more; above 0 and at most 1,000,000,000.
#[inline]
pub fn price(field: &[u8]) -> Option<Price> {
    const DECIMALS_MAX: usize = 4;
    let (whole, decimals) = match memchr::memchr(b'.', field) {
        None => (field, &[][..]),
        Some(point) if (1..=DECIMALS_MAX).contains(&(field.len() - point - 1)) => {
            (&field[..point], &field[point + 1..])
        }
        Some(_) => return None,
    };
    let mut units = unsigned(whole)?;
    for position in 0..DECIMALS_MAX {
        let next = match decimals.get(position) {
            Some(&byte) => digit(byte)?,
            None => 0,
        };
        units = units.checked_mul(10)?.checked_add(next)?;
    }
    Price::from_ten_thousandths(units)
}

/// A quantity: whole shares, 1 to 1,000,000,000,000.
#[inline]
pub fn quantity(field: &[u8]) -> Option<Shares> {
    unsigned(field).and_then(shares)
}

/// A quantity of `number` shares.
#[inline]
pub(crate) fn shares(number: u64) -> Option<Shares> {
    Some(Shares(number)).filter(|&shares| Shares(1) <= shares && shares <= Shares::MAX_PER_RECORD)
}

/// The 8 bytes from `at` on, the first of them lowest.
#[inline]
pub(crate) fn word_at<const N: usize>(bytes: &[u8; N], at: usize) -> u64 {
    u64::from_le_bytes(*bytes[at..].first_chunk().expect("a word inside the window"))
}

/// Reads RFC 3339 times; remembers the last date and minute read, since a file is a day and most times are in the
/// minute of the one before.
#[derive(Clone, Debug, Default)]
pub struct TimeReader {
    last_date: Option<([u8; 10], i64)>,
    last_minute: Option<Minute>,
    offset: UtcOffset,
}

/// What all times of a minute have in common that are written with six decimals and nothing else than needed: 32 characters,
/// of which the seconds and the decimals vary.
#[derive(Clone, Copy, Debug)]
struct Minute {
    /// Date, hour and minute.
    beginning: [u64; 2],
    /// The offset from UTC, above two bytes of zero.
    offset: u64,
    start: i64,
}

/// The varying part of a time in its minute.
struct InMinute {
    beginning: [u64; 2],
    offset: u64,
    micros: i64,
}

impl InMinute {
    #[inline]
    fn cut(field: &[u8; 32]) -> Option<InMinute> {
        const MARKS: u64 = u64::from_le_bytes([0xFF, 0, 0, 0xFF, 0, 0, 0, 0]);
        let [first, second, third, last] = [0, 8, 16, 24].map(|at| word_at(field, at));
        // `:SS.dddd` and `dd+09:00`: seconds and decimals together are eight digits.
        let micros = Digits::of(third >> 8 & 0xFFFF | third >> 32 << 16 | last << 48).number()?;
        let is_compact = third & MARKS == u64::from_le_bytes(*b":\0\0.\0\0\0\0") && micros < 60_000_000;
        let micros = i64::try_from(micros).ok().filter(|_| is_compact)?;
        Some(InMinute { beginning: [first, second], offset: last >> 16 << 16, micros })
    }
}

impl TimeReader {
    /// A time of 32 characters in the minute and with the offset of the one read last; `None` for any other.
    #[inline]
    pub(crate) fn read_fast(&self, field: &[u8; 32]) -> Option<Timestamp> {
        let time = InMinute::cut(field)?;
        let minute = self.last_minute.as_ref()?;
        let is_same = time.beginning == minute.beginning && time.offset == minute.offset;
        is_same.then(|| Timestamp::from_micros(minute.start + time.micros))
    }

    /// A time with offset or `Z` and 0 to 9 decimals, floored to the microsecond. Second 60 is refused.
    #[inline]
    pub fn read(&mut self, field: &[u8]) -> Option<Timestamp> {
        if let Some(time) = field.try_into().ok().and_then(|field| self.read_fast(field)) {
            return Some(time);
        }
        let time = self.read_whole(field)?;
        // Also forgets a minute whose offset is no longer that of the last time.
        self.last_minute =
            field.try_into().ok().and_then(InMinute::cut).map(|InMinute { beginning, offset, micros }| {
                let start = time.as_micros() - micros;
                Minute { beginning, offset, start }
            });
        Some(time)
    }

    fn read_whole(&mut self, field: &[u8]) -> Option<Timestamp> {
        let (date, rest) = field.split_first_chunk::<10>()?;
        let (clock, rest) = rest.split_first_chunk::<9>()?;
        let days = self.days(date)?;
        if !matches!(clock[0], b'T' | b't') || clock[3] != b':' || clock[6] != b':' {
            return None;
        }
        let (hour, minute, second) = (two(clock, 1)?, two(clock, 4)?, two(clock, 7)?);
        if 23 < hour || 59 < minute || 59 < second {
            return None;
        }
        let (micros, rest) = fraction(rest)?;
        let offset = offset(rest)?;
        self.offset = offset;
        let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - i64::from(offset.minutes()) * 60;
        Some(Timestamp::from_micros(seconds * 1_000_000 + micros))
    }

    /// The offset from UTC of the time read last; none before the first.
    pub fn offset(&self) -> UtcOffset {
        self.offset
    }

    #[inline]
    fn days(&mut self, date: &[u8; 10]) -> Option<i64> {
        match self.last_date {
            Some((last, days)) if last == *date => Some(days),
            _ => {
                let days = days_since_epoch(date)?;
                self.last_date = Some((*date, days));
                Some(days)
            }
        }
    }
}

/// The value of one ASCII digit.
#[inline]
fn digit(byte: u8) -> Option<u64> {
    let value = byte.wrapping_sub(b'0');
    (value <= 9).then_some(u64::from(value))
}

/// The value of two ASCII digits.
#[inline]
fn two(bytes: &[u8], position: usize) -> Option<i64> {
    let (tens, ones) = (bytes[position].wrapping_sub(b'0'), bytes[position + 1].wrapping_sub(b'0'));
    (tens <= 9 && ones <= 9).then_some(i64::from(tens) * 10 + i64::from(ones))
}

/// Microseconds of an optional fraction of 1 to 9 digits, and what follows it.
#[inline]
fn fraction(rest: &[u8]) -> Option<(i64, &[u8])> {
    let Some((b'.', digits)) = rest.split_first() else { return Some((0, rest)) };
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !(1..=9).contains(&count) {
        return None;
    }
    let (digits, rest) = digits.split_at(count);
    let six = digits.iter().chain(b"00000").take(6);
    Some((six.fold(0, |micros, &digit| micros * 10 + i64::from(digit - b'0')), rest))
}

/// East of UTC.
#[inline]
fn offset(rest: &[u8]) -> Option<UtcOffset> {
    let (sign, clock) = match rest {
        b"Z" | b"z" => return Some(UtcOffset::default()),
        [b'+', clock @ ..] => (1, clock),
        [b'-', clock @ ..] => (-1, clock),
        _ => return None,
    };
    if clock.len() != 5 || clock[2] != b':' {
        return None;
    }
    let (hours, minutes) = (two(clock, 0)?, two(clock, 3)?);
    if 23 < hours || 59 < minutes {
        return None;
    }
    UtcOffset::from_minutes(i16::try_from(sign * (hours * 60 + minutes)).ok()?)
}

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar, `YYYY-MM-DD`.
fn days_since_epoch(date: &[u8; 10]) -> Option<i64> {
    let (year, month, day) = (two(date, 0)? * 100 + two(date, 2)?, two(date, 5)?, two(date, 8)?);
    if date[4] != b'-' || date[7] != b'-' || !(1..=12).contains(&month) {
        return None;
    }
    if !(1..=days_in_month(year, month)).contains(&day) {
        return None;
    }
    // Years that begin in March put the leap day last; 719,468 days lie from 0000-03-01 to 1970-01-01.
    let (shifted_year, shifted_month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let leap_days = shifted_year.div_euclid(4) - shifted_year.div_euclid(100) + shifted_year.div_euclid(400);
    Some(shifted_year * 365 + leap_days + (shifted_month * 153 + 2) / 5 + day - 1 - 719_468)
}

/// Days of a month, 1 to 12, of the proleptic Gregorian calendar.
pub(crate) fn days_in_month(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn micros(text: &str) -> Option<i64> {
        TimeReader::default().read(text.as_bytes()).map(Timestamp::as_micros)
    }

    #[test]
    fn times_count_microseconds_since_the_epoch() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01T09:00:00+09:00", 0),
            ("1969-12-31T23:59:59.999999Z", -1),
            ("1969-12-31T23:59:59.9999999Z", -1),
            ("2000-02-29T00:00:00Z", 951_782_400_000_000),
            ("2024-03-01T09:00:00.000001+09:00", 1_709_251_200_000_001),
            ("2024-03-01T09:00:00.000001999+09:00", 1_709_251_200_000_001),
            ("2024-02-29T21:00:00.1-03:00", 1_709_251_200_100_000),
            ("2024-03-01t00:00:00z", 1_709_251_200_000_000),
            ("2024-03-01T05:30:00+05:30", 1_709_251_200_000_000),
            ("0000-01-01T00:00:00Z", -62_167_219_200_000_000),
            ("9999-12-31T23:59:59.999999999Z", 253_402_300_799_999_999),
        ] {
            assert_eq!(micros(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn times_of_another_form_are_refused() {
        for text in [
            "",
            "2024-03-01",
            "2024-03-01T09:00:00",
            "2024-03-01 09:00:00Z",
            "2024-03-01T09:00:60Z",
            "2024-03-01T24:00:00Z",
            "2024-03-01T09:60:00Z",
            "2023-02-29T09:00:00Z",
            "2100-02-29T09:00:00Z",
            "2024-13-01T09:00:00Z",
            "2024-00-01T09:00:00Z",
            "2024-03-00T09:00:00Z",
            "2024-03-32T09:00:00Z",
            "2024-03-01T09:00:00.Z",
            "2024-03-01T09:00:00.1234567890Z",
            "2024-03-01T09:00:00,1Z",
            "2024-03-01T09:00:00+0900",
            "2024-03-01T09:00:00+09",
            "2024-03-01T09:00:00+24:00",
            "2024-03-01T09:00:00+09:60",
            "2024-03-01T09:00:00Z ",
            " 2024-03-01T09:00:00Z",
            "2024-03-01T09:00Z",
            "24-03-01T09:00:00Z",
        ] {
            assert_eq!(micros(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_remembered_date_changes_nothing() {
        let mut reader = TimeReader::default();
        for text in ["2024-03-01T00:00:00Z", "2024-03-01T00:00:01Z", "2024-03-02T00:00:00Z", "2024-03-01T00:00:00Z"] {
            assert_eq!(reader.read(text.as_bytes()).map(Timestamp::as_micros), micros(text));
        }
    }

    #[test]
    fn numbers_are_digits_only() {
        assert_eq!(unsigned(b"0"), Some(0));
        assert_eq!(unsigned(b"000000000000000000000000000007"), Some(7));
        assert_eq!(unsigned(b"18446744073709551615"), Some(u64::MAX));
        for bad in
            ["", "18446744073709551616", "99999999999999999999", "-1", "+1", " 1", "1 ", "1e3", "1.0", "0x1", "１"]
        {
            assert_eq!(unsigned(bad.as_bytes()), None, "{bad:?}");
        }
    }

    #[test]
    fn prices_have_up_to_four_decimals_and_bounds() {
        let units = |text: &str| price(text.as_bytes()).map(Price::ten_thousandths);
        for (text, expected) in [
            ("1", 10_000),
            ("0.0001", 1),
            ("0007.83", 78_300),
            ("7.8300", 78_300),
            ("1000000000", 10_000_000_000_000),
            ("1000000000.0000", 10_000_000_000_000),
        ] {
            assert_eq!(units(text), Some(expected), "{text}");
        }
        for bad in [
            "",
            "0",
            "0.0000",
            "1000000000.0001",
            "1000000001",
            "1.",
            ".5",
            "1.00000",
            "-1",
            "+1",
            "1e3",
            "1.2.3",
            " 1",
            "1,5",
        ] {
            assert_eq!(units(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn quantities_are_from_one_to_a_trillion() {
        assert_eq!(quantity(b"1"), Some(Shares(1)));
        assert_eq!(quantity(b"1000000000000"), Some(Shares(1_000_000_000_000)));
        for bad in ["0", "1000000000001", "1.0", ""] {
            assert_eq!(quantity(bad.as_bytes()), None, "{bad:?}");
        }
    }
}
