//! Percentages that add up to exactly 100.0000.

use super::{Exact, TenThousandths};
use num_bigint::BigUint;

/// Ten-thousandths of a percent in 100 percent.
const WHOLE: u64 = 1_000_000;

/// Each value's share of the sum: rounded down to 4 decimals, then 0.0001 more for the largest remainders, of equal ones
/// the first. The sum has to be above 0.
///
/// Interpretation: `QC/weights_rounding`.
pub(super) fn weights(values: &[Exact]) -> Vec<TenThousandths> {
    let sum: Exact = values.iter().sum();
    let zero = Exact::default();
    if sum == zero {
        return Vec::new();
    }
    let shares: Vec<Exact> = values.iter().map(|value| value * BigUint::from(WHOLE) / &sum).collect();
    let mut weights: Vec<u64> = shares.iter().map(|share| share.to_integer().try_into().unwrap_or(WHOLE)).collect();
    let rest = WHOLE - weights.iter().sum::<u64>();
    let mut order: Vec<usize> = (0..values.len()).collect();
    // Stable: of equal remainders the first stays first.
    order.sort_by_cached_key(|&position| std::cmp::Reverse(shares[position].fract()));
    for position in order.into_iter().take(usize::try_from(rest).unwrap_or(usize::MAX)) {
        weights[position] += 1;
    }
    weights.into_iter().map(TenThousandths).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[u32]) -> Vec<String> {
        let values: Vec<Exact> = values.iter().map(|&value| Exact::from_integer(value.into())).collect();
        weights(&values).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_column_adds_up_to_exactly_one_hundred() {
        assert_eq!(of(&[1, 1, 1]), ["33.3334", "33.3333", "33.3333"]);
        assert_eq!(of(&[1, 2, 3]), ["16.6667", "33.3333", "50.0000"]);
        assert_eq!(of(&[0, 5]), ["0.0000", "100.0000"]);
        assert_eq!(
            of(&[1, 1, 1, 1, 1, 1, 0]),
            ["16.6667", "16.6667", "16.6667", "16.6667", "16.6666", "16.6666", "0.0000"]
        );
    }
}
