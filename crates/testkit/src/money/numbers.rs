//! Fractions, and how the files of a report write them.

use crate::text::ten_thousandths;
use num_bigint::BigInt;
use num_rational::Ratio;

pub(super) type Fraction = Ratio<BigInt>;

pub(super) fn fraction(numerator: i128, denominator: i128) -> Fraction {
    Fraction::new(numerator.into(), denominator.into())
}

/// Decimal text as a fraction.
pub(super) fn decimal(text: &str) -> Fraction {
    fraction(ten_thousandths(text).expect("a decimal number"), 10_000)
}

pub(super) fn floor(number: &Fraction) -> String {
    number.floor().to_integer().to_string()
}

/// A fraction of ten-thousandths as a decimal without needless zeros.
pub(super) fn trimmed(ten_thousandths: i128) -> String {
    let (whole, part) = (ten_thousandths / 10_000, ten_thousandths % 10_000);
    let text = format!("{whole}.{part:04}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A share as a percentage with four decimals, half up.
pub(super) fn percent(share: &Fraction) -> String {
    let scaled = share * fraction(1_000_000, 1) + fraction(1, 2);
    let units: i128 = scaled.floor().to_integer().to_string().parse().expect("a percentage");
    format!("{}.{:04}", units / 10_000, units % 10_000)
}
