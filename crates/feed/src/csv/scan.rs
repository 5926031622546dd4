//! Where a character stands in a block of bytes, as bits: bit `i` of the result is set if it is byte `i`.
//!
//! One of two places of this crate with `unsafe` (the other is `itch/fast/shuffle.rs`): the instructions that do this for 16
//! bytes at once are safe to call only where the compiler is told that they exist. Without them a line takes half as many
//! instructions more.

#[cfg(target_arch = "x86_64")]
use crate::text::word_at;

/// The places of `byte` among 16.
#[cfg(target_arch = "x86_64")]
#[inline]
#[allow(unsafe_code, reason = "a third of all instructions of a line")]
pub(super) fn positions_16(bytes: &[u8; 16], byte: u8) -> u16 {
    use std::arch::x86_64::{_mm_cmpeq_epi8, _mm_movemask_epi8, _mm_set_epi64x, _mm_set1_epi8};

    #[inline]
    #[target_feature(enable = "sse2")]
    fn compared([low, high]: [i64; 2], byte: i8) -> i32 {
        _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_set_epi64x(high, low), _mm_set1_epi8(byte)))
    }

    let words = [0, 8].map(|at| word_at(bytes, at).cast_signed());
    // SAFETY: every x86_64 has SSE2, and the function asks for nothing else.
    let [low, high, ..] = unsafe { compared(words, byte.cast_signed()) }.to_le_bytes();
    u16::from_le_bytes([low, high])
}

#[cfg(not(target_arch = "x86_64"))]
pub(super) use portable::positions_16;

#[cfg(any(test, not(target_arch = "x86_64")))]
mod portable {
    use crate::text::word_at;

    /// The places of `byte` among 16.
    #[inline]
    pub(in super::super) fn positions_16(bytes: &[u8; 16], byte: u8) -> u16 {
        u16::from_le_bytes([0, 8].map(|at| positions_8(word_at(bytes, at), byte)))
    }

    #[inline]
    fn positions_8(word: u64, byte: u8) -> u8 {
        const LOW: u64 = 0x7F7F_7F7F_7F7F_7F7F;
        let difference = word ^ u64::from_le_bytes([byte; 8]);
        // The top bit of each byte that is zero; no carry leaves a byte.
        let zeros = !(((difference & LOW) + LOW) | difference | LOW);
        // Gathers the top bits in the topmost byte.
        let [.., places] = (zeros >> 7).wrapping_mul(0x0102_0408_1020_4080).to_le_bytes();
        places
    }
}

/// The places of each of two bytes among 64.
#[inline]
pub(super) fn positions(bytes: &[u8; 64], of: [u8; 2]) -> [u64; 2] {
    let (blocks, _) = bytes.as_chunks::<16>();
    of.map(|byte| {
        (0..).zip(blocks).fold(0, |mask, (block, bytes)| mask | u64::from(positions_16(bytes, byte)) << (16 * block))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_bit_stands_for_a_byte(bytes: [u8; 32], byte: u8, more in 0..4_u8) {
            // Bytes that differ in few bits too.
            let bytes: [u8; 64] = std::array::from_fn(|at| match bytes.get(at) {
                Some(&other) => other,
                None => byte ^ (bytes[at - 32] & more) << (at % 8),
            });
            let expected = bytes.iter().rev().fold(0, |mask, &other| mask << 1 | u64::from(other == byte));
            prop_assert_eq!(positions(&bytes, [byte, byte]), [expected; 2]);
            let (blocks, _) = bytes.as_chunks::<16>();
            for (block, places) in (0..).zip(blocks.iter().map(|block| portable::positions_16(block, byte))) {
                prop_assert_eq!(u64::from(places), expected >> (16 * block) & 0xFFFF);
            }
        }
    }
}
