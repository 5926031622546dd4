//! One textual value to one typed value, where every kind of file means the same by it: dates, times, names, yes or no.
//!
//! The idea: each parser is a pure function from text to a value or to what was expected instead, so that the caller
//! adds the place. Nothing is trimmed or guessed; a value that a spreadsheet has rewritten is refused with the form to
//! write.

use crate::Expected;
use jiff::civil::{Date, Time};
use jiff::tz::Offset;
use quoteclock_model::{Timestamp, is_control, is_name};

/// `true` or `false` in any case.
///
/// # Errors
/// What was expected instead.
pub fn boolean(text: &str) -> Result<bool, Expected> {
    if text.eq_ignore_ascii_case("true") {
        Ok(true)
    } else if text.eq_ignore_ascii_case("false") {
        Ok(false)
    } else {
        Err("expected true or false (empty means false)")
    }
}

/// A date, `YYYY-MM-DD`.
///
/// # Errors
/// What was expected instead.
pub fn date(text: &str) -> Result<Date, Expected> {
    date_of(text.as_bytes()).ok_or("expected a date that exists, as YYYY-MM-DD, such as 2024-03-01")
}

fn date_of(text: &[u8]) -> Option<Date> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else { return None };
    let year = number(&[*y1, *y2, *y3, *y4])?;
    let (month, day) = (number(&[*m1, *m2])?, number(&[*d1, *d2])?);
    Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// A local clock reading as microseconds of the day: `HH:MM` or `HH:MM:SS`, the latter with up to six decimals; `24:00`
/// is the end of the day.
///
/// # Errors
/// What was expected instead.
pub fn clock(text: &str) -> Result<u64, Expected> {
    clock_of(text.as_bytes()).ok_or("expected a local clock time as HH:MM or HH:MM:SS, from 00:00 to 24:00")
}

fn clock_of(text: &[u8]) -> Option<u64> {
    let [h1, h2, b':', m1, m2, rest @ ..] = text else { return None };
    let (hour, minute) = (number(&[*h1, *h2])?, number(&[*m1, *m2])?);
    let micros = match rest {
        [] => 0,
        [b':', s1, s2, fraction @ ..] => {
            let second = number(&[*s1, *s2]).filter(|&second| second < 60)?;
            u64::from(second) * 1_000_000 + fraction_micros(fraction, 6)?
        }
        _ => return None,
    };
    let of_day = (u64::from(hour) * 60 + u64::from(minute)) * 60_000_000 + micros;
    (minute < 60 && of_day <= 86_400_000_000).then_some(of_day)
}

/// An instant, RFC 3339 with `Z` or an offset, up to nine decimals, floored to the microsecond.
///
/// # Errors
/// What was expected instead.
pub fn instant(text: &str) -> Result<Timestamp, Expected> {
    instant_of(text.as_bytes())
        .ok_or("expected a time with its offset (RFC 3339), such as 2024-03-01T09:00:00+09:00 or 2024-03-01T00:00:00Z")
}

fn instant_of(text: &[u8]) -> Option<Timestamp> {
    let (day, rest) = text.split_at_checked(10)?;
    let [b'T' | b't', h1, h2, b':', m1, m2, b':', s1, s2, rest @ ..] = rest else { return None };
    let zone = rest.iter().position(|byte| matches!(byte, b'Z' | b'z' | b'+' | b'-'))?;
    let (fraction, zone) = rest.split_at(zone);
    let micros = i32::try_from(fraction_micros(fraction, 9)?).ok()?;
    let clock = |high: &u8, low: &u8| number(&[*high, *low]).and_then(|number| i8::try_from(number).ok());
    let time = Time::new(clock(h1, h2)?, clock(m1, m2)?, clock(s1, s2)?, micros * 1000).ok()?;
    let instant = offset_of(zone)?.to_timestamp(date_of(day)?.to_datetime(time)).ok()?;
    Some(Timestamp::from_micros(instant.as_microsecond()))
}

fn offset_of(text: &[u8]) -> Option<Offset> {
    let (sign, h1, h2, m1, m2) = match text {
        [b'Z' | b'z'] => return Some(Offset::UTC),
        [b'+', h1, h2, b':', m1, m2] => (1, h1, h2, m1, m2),
        [b'-', h1, h2, b':', m1, m2] => (-1, h1, h2, m1, m2),
        _ => return None,
    };
    let hour = number(&[*h1, *h2]).filter(|&hour| hour < 24)?;
    let minute = number(&[*m1, *m2]).filter(|&minute| minute < 60)?;
    Offset::from_seconds(sign * i32::try_from(hour * 3600 + minute * 60).ok()?).ok()
}

/// The microseconds in a fraction such as `.000123`, floored; zero where it is absent. At most `digits_max` digits.
fn fraction_micros(fraction: &[u8], digits_max: usize) -> Option<u64> {
    let Some((b'.', digits)) = fraction.split_first() else {
        return fraction.is_empty().then_some(0);
    };
    if digits.is_empty() || digits.len() > digits_max || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let padded = digits.iter().copied().chain(std::iter::repeat(b'0')).take(6);
    Some(padded.fold(0, |micros, digit| micros * 10 + u64::from(digit - b'0')))
}

/// The number that a few ASCII digits spell.
fn number(digits: &[u8]) -> Option<u32> {
    let legal = !digits.is_empty() && digits.len() <= 9 && digits.iter().all(u8::is_ascii_digit);
    legal.then(|| digits.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0')))
}

/// A name that other rows refer to and that appears in output: 1 to 128 characters, no control characters or line breaks.
///
/// # Errors
/// What was expected instead.
pub fn name(text: &str) -> Result<String, Expected> {
    if is_name(text) {
        Ok(text.to_owned())
    } else {
        Err("expected a name of 1 to 128 characters, none a control character")
    }
}

/// Text for people, such as a firm's name or a reason: up to 256 characters, no control characters or line breaks.
///
/// # Errors
/// What was expected instead.
pub fn text(text: &str) -> Result<String, Expected> {
    let legal = text.chars().count() <= 256 && !text.contains(is_control);
    if legal { Ok(text.to_owned()) } else { Err("expected at most 256 characters, none a control character") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_texts_have_a_length_and_no_control_characters() {
        for (length, is_name, is_text) in [(1, true, true), (128, true, true), (129, false, true), (257, false, false)]
        {
            let long = "é".repeat(length);
            assert_eq!((name(&long).is_ok(), text(&long).is_ok()), (is_name, is_text), "{length}");
        }
        assert!(name("").is_err() && text("").is_ok());
        assert!(text(&"é".repeat(256)).is_ok());
        for bad in ["a\nb", "a\rb", "\u{1b}[31mred", "a\u{7f}", "a\u{85}b", "a\u{2028}b", "\0"] {
            assert!(name(bad).is_err() && text(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn dates_are_iso_and_exist() {
        assert_eq!(date("2024-02-29"), Ok(jiff::civil::date(2024, 2, 29)));
        for text in ["2023-02-29", "2024/3/1", "2024-3-1", "20240301", "01.03.2024", "2024-03-01 ", "", "2024-13-01"] {
            assert!(date(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn clocks_run_from_midnight_to_midnight() {
        assert_eq!(clock("00:00"), Ok(0));
        assert_eq!(clock("09:00:00.000001"), Ok(32_400_000_001));
        assert_eq!(clock("24:00"), Ok(86_400_000_000));
        for text in ["24:01", "24:00:00.000001", "9:00", "09:60", "09:00:60", "09:00:", "09:00:00.", "0900", ""] {
            assert!(clock(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn instants_need_an_offset_and_are_floored() {
        // clause: ST1/timestamps
        let nine = Ok(Timestamp::from_micros(1_709_251_200_000_000));
        for text in ["2024-03-01T09:00:00+09:00", "2024-03-01T00:00:00Z", "2024-02-29T19:00:00.000000999-05:00"] {
            assert_eq!(instant(text), nine, "{text}");
        }
        assert_eq!(instant("1969-12-31T23:59:59.9999999Z"), Ok(Timestamp::from_micros(-1)));
        for text in [
            "2024-03-01T09:00:00",
            "2024-03-01 09:00:00Z",
            "2024-03-01T09:00Z",
            "2024-03-01T09:00:60Z",
            "2024-03-01T24:00:00Z",
            "2024-03-01T09:00:00.Z",
            "2024-03-01T09:00:00.0000000000Z",
            "2024-03-01T09:00:00+0900",
            "2024-03-01T09:00:00+24:00",
            "日本日本日本日本T09:00:00Z",
            "",
        ] {
            assert!(instant(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn extreme_instants_are_refused_not_wrapped() {
        assert!(instant("9999-12-31T23:59:59-23:59").is_err());
        assert!(instant("0000-01-01T00:00:00Z").is_ok());
    }
}
