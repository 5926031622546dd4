//! One textual value of a registry file to one typed value: numbers with their limits, and codes of issues.
//!
//! The idea: each parser is a pure function from text to a value or to what was expected instead, so that the caller
//! adds the place. Exact throughout: decimals become integers of ten-thousandths digit by digit, no float takes part.
//! Nothing is trimmed or guessed; a value that a spreadsheet has rewritten is refused with the form to write.

use quoteclock_model::{Amount, Bps, IssueCode, Micros, Price, Shares, Ticks};

pub(crate) use quoteclock_sheets::Expected;
pub(crate) use quoteclock_sheets::value::{boolean, clock, date, instant, name};

/// The largest whole part of any number in a registry: far beyond every real limit, far below overflow (a value of
/// this size fits 64 bits in ten-thousandths).
const WHOLE_MAX: u64 = 1_000_000_000_000_000;

/// The largest limit in basis points or ticks, so that four times the limit still fits.
const SPREAD_MAX: u64 = 1_000_000_000;

/// Ten-thousandths in one.
pub(crate) const SCALE: u64 = 10_000;

/// A decimal number of at most four places, in ten-thousandths.
pub(crate) fn decimal(text: &str) -> Result<u64, Expected> {
    const EXPECTED: Expected = "expected a number of digits with at most 4 decimals, such as 25.5, at most 10^15";
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > 4 {
        return Err(EXPECTED);
    }
    let whole: u64 = whole.parse().map_err(|_| EXPECTED)?;
    let part: u64 = format!("{part:0<4}").parse().map_err(|_| EXPECTED)?;
    if whole > WHOLE_MAX || (whole == WHOLE_MAX && part > 0) {
        return Err(EXPECTED);
    }
    Ok(whole * SCALE + part)
}

/// A whole number.
pub(crate) fn whole(text: &str) -> Result<u64, Expected> {
    const EXPECTED: Expected = "expected a whole number of digits only, at most 10^15";
    let units = decimal(text).map_err(|_| EXPECTED)?;
    if units % SCALE == 0 { Ok(units / SCALE) } else { Err(EXPECTED) }
}

/// A whole number above zero.
pub(crate) fn count(text: &str) -> Result<u64, Expected> {
    whole(text).ok().filter(|&number| number > 0).ok_or("expected a whole number above 0, digits only")
}

/// A spread limit in basis points.
pub(crate) fn bps(text: &str) -> Result<Bps, Expected> {
    let within = |units: &u64| *units <= SPREAD_MAX * SCALE;
    let units = decimal(text).ok().filter(within);
    units.map(Bps).ok_or("expected basis points as digits with at most 4 decimals, such as 25.5, at most 10^9")
}

/// A spread limit in ticks.
pub(crate) fn ticks(text: &str) -> Result<Ticks, Expected> {
    let within = |ticks: &u64| *ticks <= SPREAD_MAX;
    let number = whole(text).ok().filter(within);
    number.map(Ticks).ok_or("expected a whole number of ticks, digits only, at most 10^9")
}

/// A minimum value per side, above zero.
pub(crate) fn value_min(text: &str) -> Result<Amount, Expected> {
    let amount = decimal(text).ok().filter(|&units| units > 0);
    amount
        .map(|units| Amount(u128::from(units)))
        .ok_or("expected a value above 0 and at most 10^15: digits with at most 4 decimals, without separators")
}

/// A minimum quantity per side, above zero.
pub(crate) fn quantity_min(text: &str) -> Result<Shares, Expected> {
    count(text)
        .map(Shares)
        .map_err(|_| "expected a quantity above 0 and at most 10^15: digits only, without separators")
}

/// A price, or a difference of two.
pub(crate) fn price(text: &str) -> Result<Price, Expected> {
    let price = decimal(text).ok().and_then(Price::from_ten_thousandths);
    price.ok_or("expected a price above 0 and at most 1000000000: digits with at most 4 decimals")
}

/// A span of time within a day: a number of `h`, `m`, `s` or `ms`.
pub(crate) fn duration(text: &str) -> Result<Micros, Expected> {
    const EXPECTED: Expected = "expected a span of time below a day, such as 5m, 30s, 1.5h or 30ms";
    const UNITS: [(&str, u64); 4] = [("ms", 1_000), ("s", 1_000_000), ("m", 60_000_000), ("h", 3_600_000_000)];
    let of_unit = |&(unit, micros): &(&str, u64)| Some((decimal(text.strip_suffix(unit)?).ok()?, micros));
    let (number, micros) = UNITS.iter().find_map(of_unit).ok_or(EXPECTED)?;
    let scaled = number.checked_mul(micros).filter(|scaled| scaled % SCALE == 0).ok_or(EXPECTED)?;
    let span = Micros(scaled / SCALE);
    if span < Micros(86_400_000_000) { Ok(span) } else { Err(EXPECTED) }
}

/// An amount of money.
pub(crate) fn money(text: &str) -> Result<Amount, Expected> {
    decimal(text)
        .map(|units| Amount(u128::from(units)))
        .map_err(|_| "expected an amount of at most 10^15: digits with at most 4 decimals, without separators")
}

/// A share of time in percent, 0 to 100, in ten-thousandths of a percent.
pub(crate) fn percent(text: &str) -> Result<u64, Expected> {
    let within = |units: &u64| *units <= 100 * SCALE;
    decimal(text).ok().filter(within).ok_or("expected a percentage from 0 to 100 with at most 4 decimals")
}

/// What is odd about a percentage that is above zero and below one: somebody may have meant a share of one.
pub(crate) fn percent_doubt(percent: u64) -> Option<String> {
    let (found, hundredfold) = (Bps(percent), Bps(percent.checked_mul(100)?));
    let is_odd = 0 < percent && percent < SCALE;
    is_odd.then(|| format!("found {found}, which is less than one percent: is {hundredfold} meant?"))
}

/// The code of an issue.
pub(crate) fn issue(text: &str) -> Result<IssueCode, Expected> {
    IssueCode::new(text.as_bytes())
        .ok_or("expected an issue's code: 1 to 32 visible ASCII characters, no comma or quote")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact_to_four_places() {
        for (text, units) in [("0", 0), ("25.5", 255_000), ("25.5000", 255_000), ("0.0001", 1), ("007", 70_000)] {
            assert_eq!(decimal(text), Ok(units), "{text}");
        }
        assert_eq!(decimal("1000000000000000"), Ok(10_000_000_000_000_000_000));
        for text in ["", ".", "1.", ".5", "-1", "+1", "1e3", "1,000", "0.00001", " 1", "1000000000000000.0001", "１"] {
            assert!(decimal(text).is_err(), "{text:?}");
        }
        assert!(decimal(&"9".repeat(100)).is_err());
    }

    #[test]
    fn spans_of_time_are_below_a_day() {
        for (text, micros) in
            [("5m", 300_000_000), ("30s", 30_000_000), ("30ms", 30_000), ("1.5h", 5_400_000_000), ("0s", 0)]
        {
            assert_eq!(duration(text), Ok(Micros(micros)), "{text}");
        }
        assert_eq!(duration("23.9999h"), Ok(Micros(86_399_640_000)));
        for text in ["", "5", "m", "-5m", "24h", "5 m", "5min", "0.00001s", "0.0001ms", "99999999999999h"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn whole_numbers_may_have_a_fraction_of_zero_only() {
        assert_eq!(whole("3.0"), Ok(3));
        assert!(whole("3.5").is_err());
        assert!(count("0").is_err());
    }

    #[test]
    fn limits_come_in_pairs_with_what_lies_beyond() {
        assert_eq!(percent("100"), Ok(1_000_000));
        assert!(percent("100.0001").is_err());
        assert_eq!(bps("1000000000"), Ok(Bps(10_000_000_000_000)));
        assert!(bps("1000000000.0001").is_err());
        assert_eq!(ticks("1000000000"), Ok(Ticks(1_000_000_000)));
        assert!(ticks("1000000001").is_err());
        assert_eq!(value_min("0.0001"), Ok(Amount(1)));
        assert!(value_min("0").is_err());
        assert_eq!(quantity_min("1"), Ok(Shares(1)));
        assert!(quantity_min("0").is_err());
    }
}
