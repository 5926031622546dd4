//! Arithmetic that divides once, at the end, and rounds down.

/// Ten-thousandths in one yen.
pub(crate) const YEN: u128 = 10_000;

/// `a x b / c`, rounded down, where the product may need 256 bits.
///
/// # Panics
/// If `c` is 0 or the quotient does not fit 128 bits: callers keep `a` at most `c` times what fits.
pub(crate) fn mul_div(a: u128, b: u128, c: u128) -> u128 {
    if let Some(product) = a.checked_mul(b) {
        return product / c;
    }
    let (mut high, mut low) = wide_product(a, b);
    assert!(high < c, "{a} x {b} / {c} does not fit 128 bits");
    // Long division, bit by bit: what is carried in `high` stays below `c`.
    for _ in 0..u128::BITS {
        let carry = high >> (u128::BITS - 1) == 1;
        high = (high << 1) | (low >> (u128::BITS - 1));
        low <<= 1;
        if carry || c <= high {
            high = high.wrapping_sub(c);
            low |= 1;
        }
    }
    low
}

/// The product of two numbers as its upper and lower half.
fn wide_product(a: u128, b: u128) -> (u128, u128) {
    const HALF: u32 = u128::BITS / 2;
    let halves = |number: u128| (number >> HALF, number & (u128::MAX >> HALF));
    let ((a1, a0), (b1, b0)) = (halves(a), halves(b));
    let (low, middle, other, high) = (a0 * b0, a1 * b0, a0 * b1, a1 * b1);
    let (middle, carry) = middle.overflowing_add(other);
    let (low, low_carry) = low.overflowing_add(middle << HALF);
    (high + (middle >> HALF) + (u128::from(carry) << HALF) + u128::from(low_carry), low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_of_more_than_128_bits_is_divided_exactly() {
        assert_eq!(mul_div(7, 3, 2), 10);
        assert_eq!(mul_div(u128::MAX, u128::MAX, u128::MAX), u128::MAX);
        assert_eq!(mul_div(u128::MAX, 3, 4), u128::MAX / 4 * 3 + 2, "2^128 - 1 is 3 more than a multiple of 4");
        // (10^38 + 1) x (10^38 - 1) = 10^76 - 1
        let ten = 10_u128.pow(38);
        assert_eq!(mul_div(ten + 1, ten - 1, ten), ten - 1);
        assert_eq!(mul_div(ten, ten, ten + 1), ten - 1);
        // The remainder's top bit is set: 2^127 x 3 / (2^127 + 1).
        let half = 1_u128 << 127;
        assert_eq!(mul_div(half, 3, half + 1), 2);
        assert_eq!(mul_div(half + 5, u128::MAX, u128::MAX - 1), half + 5);
    }
}
