//! Random numbers that are the same on every machine: SplitMix64 (Steele, Lea, Flood 2014), integers only.
//!
//! Its 64-bit state steps by a constant and is mixed twice: two multiplications a number, no tables, and a stream of its
//! own for every seed. Statistical strength beyond that is not needed: nobody gains from predicting a made-up day.

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub(crate) struct Random {
    state: u64,
}

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

impl Random {
    /// The stream of `seed`.
    pub(crate) fn new(seed: u64) -> Random {
        Random { state: seed }
    }

    /// The stream of `seed` for one `purpose`, unrelated to those for others.
    pub(crate) fn of(seed: u64, purpose: u64) -> Random {
        let mut outer = Random::new(seed);
        let mut inner = Random::new(outer.next() ^ purpose.wrapping_mul(GOLDEN));
        Random::new(inner.next())
    }

    #[inline]
    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `count`; 0 if that is 0.
    #[inline]
    pub(crate) fn below(&mut self, count: u32) -> u32 {
        (((self.next() >> 32) * u64::from(count)) >> 32) as u32
    }

    /// A number from `low` to `high`, both included.
    #[inline]
    pub(crate) fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high - low + 1)
    }

    /// A number below `count`, for counts beyond 32 bits.
    pub(crate) fn below_wide(&mut self, count: u64) -> u64 {
        let product = u128::from(self.next()) * u128::from(count);
        (product >> 64) as u64
    }

    /// True `per_1024` times in 1,024.
    #[inline]
    pub(crate) fn chance(&mut self, per_1024: u32) -> bool {
        self.below(1024) < per_1024
    }

    /// A waiting time with mean 1, about exponentially distributed, in 65,536ths. The logarithm is taken to the base two
    /// from the leading zeros, straight lines in between; their mean is 3/2, so that two thirds make it 1.
    #[inline]
    pub(crate) fn exponential_q16(&mut self) -> u64 {
        const TWO_THIRDS_Q16: u64 = 43_691;
        let number = self.next() | 1;
        let zeros = number.leading_zeros();
        let fraction = ((number << zeros) << 1) >> 48;
        let log2_q16 = (u64::from(zeros + 1) << 16) - fraction;
        (log2_q16 * TWO_THIRDS_Q16) >> 16
    }

    /// A number of about exponential distribution around `mean`, at most `most`.
    #[inline]
    pub(crate) fn spread(&mut self, mean: u32, most: u32) -> u32 {
        let number = (self.exponential_q16() * u64::from(mean)) >> 16;
        u32::try_from(number).map_or(most, |number| number.min(most))
    }

    /// Puts `items` in random order.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.below(u32::try_from(last + 1).unwrap_or(u32::MAX));
            items.swap(last, other as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_that_of_the_published_algorithm() {
        let mut random = Random::new(1_234_567);
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn waiting_times_have_mean_one() {
        let mut random = Random::new(1);
        let sum: u64 = (0..100_000).map(|_| random.exponential_q16()).sum();
        let mean = sum / 100_000;
        let one = 1 << 16;
        assert!(one * 99 / 100 < mean && mean < one * 101 / 100, "{mean}");
    }

    #[test]
    fn numbers_stay_below_their_bound() {
        let mut random = Random::new(2);
        assert!((0..1000).all(|_| random.below(7) < 7));
        assert!((0..1000).all(|_| (3..=5).contains(&random.between(3, 5))));
        assert_eq!(random.below(0), 0);
    }
}
