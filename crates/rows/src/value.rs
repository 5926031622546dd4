//! Values, and how they are written down.

use jiff::civil::Date;
use quoteclock_model::Local;
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
}
