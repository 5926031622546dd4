//! Numbers read eight characters at a time, by arithmetic on the words that hold them.
//!
//! The functions say what those of the same name in [`super`] say, of fields that a window of fixed size holds; none
//! branches on what the characters are.

use super::word_at;
use quoteclock_model::Price;

/// Eight characters that should be digits.
#[derive(Clone, Copy)]
pub(crate) struct Digits {
    value: u64,
    /// Zero if all are digits.
    strange: u64,
}

impl Digits {
    const ZEROS: u64 = u64::from_le_bytes(*b"00000000");

    /// The number that the 8 characters of `word` spell, the first of them in its lowest byte.
    #[inline(always)]
    pub(super) fn of(word: u64) -> Digits {
        Digits::of_values(word ^ Self::ZEROS)
    }

    /// The number that the first `length` characters of `word` spell, 1 to 8.
    #[inline(always)]
    fn of_first(word: u64, length: usize) -> Digits {
        Digits::of_values((word ^ Self::ZEROS) << (64 - 8 * length))
    }

    /// Adds neighbours, then neighbouring pairs, then fours.
    #[inline(always)]
    fn of_values(digits: u64) -> Digits {
        let strange = (digits.wrapping_add(0x7676_7676_7676_7676) | digits) & 0x8080_8080_8080_8080;
        let pairs = (digits.wrapping_mul(10 << 8 | 1) >> 8) & 0x00FF_00FF_00FF_00FF;
        let fours = (pairs.wrapping_mul(100 << 16 | 1) >> 16) & 0x0000_FFFF_0000_FFFF;
        Digits { value: fours.wrapping_mul(10_000 << 32 | 1) >> 32, strange }
    }

    /// The digits of `self`, then eight more.
    #[inline(always)]
    fn then(self, next: Digits) -> Digits {
        let value = self.value.wrapping_mul(100_000_000).wrapping_add(next.value);
        Digits { value, strange: self.strange | next.strange }
    }

    #[inline(always)]
    pub(super) fn number(self) -> Option<u64> {
        (self.strange == 0).then_some(self.value)
    }
}

/// The number that stands from `start` to `end`, 1 to 19 characters.
#[inline(always)]
pub(crate) fn unsigned<const N: usize>(bytes: &[u8; N], start: usize, end: usize) -> Option<u64> {
    let first = word_at(bytes, start);
    match end - start {
        length @ 1..=8 => Digits::of_first(first, length).number(),
        length @ 9..=16 => Digits::of_first(first, length - 8).then(Digits::of(word_at(bytes, end - 8))).number(),
        length @ 17..=19 => {
            let [middle, last] = [end - 16, end - 8].map(|at| Digits::of(word_at(bytes, at)));
            Digits::of_first(first, length - 16).then(middle).then(last).number()
        }
        _ => None,
    }
}

/// The price that the first `length` characters of `word` spell, 1 to 8.
#[inline(always)]
pub(crate) fn price(word: u64, length: usize) -> Option<Price> {
    const POINTS: u64 = u64::from_le_bytes(*b"........");
    const SCALES: [u64; 5] = [10_000, 1_000, 100, 10, 1];
    let field = word & u64::MAX >> (64 - 8 * length);
    // The lowest bit found is that of the first point; a borrow reaches only what comes after it.
    let difference = field ^ POINTS;
    let points = difference.wrapping_sub(0x0101_0101_0101_0101) & !difference & 0x8080_8080_8080_8080;
    let (point, has_point) = ((points.trailing_zeros() as usize / 8).min(length), points != 0);
    let digit_count = length - usize::from(has_point);
    let scale = *SCALES.get(digit_count - point)?;
    if point == 0 || has_point && digit_count == point {
        return None;
    }
    let before = u64::MAX >> (64 - 8 * point);
    let digits = Digits::of_first(field & before | field >> 8 & !before, digit_count).number()?;
    Price::from_ten_thousandths(digits * scale)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text;

    fn window(field: &str, after: u8) -> [u8; 40] {
        let mut window = [after; 40];
        window[..field.len()].copy_from_slice(field.as_bytes());
        window
    }

    #[test]
    fn numbers_are_what_they_are_read_one_by_one() {
        for length in 1..=19 {
            for field in ["0", "1", "9", "1234567890123456789"].map(|digits| digits.repeat(19)[..length].to_owned()) {
                let expected = text::unsigned(field.as_bytes());
                assert!(expected.is_some(), "{field}");
                assert_eq!(unsigned(&window(&field, b'7'), 0, length), expected, "{field}");
                for (at, strange) in (0..length).flat_map(|at| ["/", ":", " ", "\0", "\u{7F}"].map(|byte| (at, byte))) {
                    let mut field = field.clone();
                    field.replace_range(at..=at, strange);
                    assert_eq!(unsigned(&window(&field, b'7'), 0, length), None, "{field:?}");
                }
            }
        }
        assert_eq!(unsigned(&window("18446744073709551615", b','), 0, 20), None);
        assert_eq!(unsigned(&window("", b','), 0, 0), None);
    }

    #[test]
    fn prices_are_what_they_are_read_one_by_one() {
        const CHARACTERS: [char; 4] = ['0', '7', '.', 'x'];
        // All fields of up to 8 of these characters.
        let mut fields = vec![String::new()];
        for _ in 0..8 {
            let longer = |field: String| CHARACTERS.map(|last| format!("{field}{last}"));
            fields = fields.into_iter().flat_map(longer).collect();
            for field in &fields {
                let word = word_at(&window(field, b'.'), 0);
                assert_eq!(price(word, field.len()), text::price(field.as_bytes()), "{field}");
            }
        }
    }
}
