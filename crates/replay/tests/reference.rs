//! The fast path against the slow reference: the same bytes out of every day there is.
//!
//! `QUOTECLOCK_CASES` sets the number of cases of each property (2,000 without it).

mod support;

use proptest::prelude::*;
use quoteclock_testkit::generate;

fn config() -> ProptestConfig {
    ProptestConfig { cases: support::cases(2_000), max_shrink_iters: 20_000, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_good_day_is_measured_as_the_reference_measures_it(case in generate::day()) {
        prop_assert_eq!(support::measure(&case, usize::MAX), quoteclock_testkit::measure(&case));
    }

    #[test]
    fn a_damaged_day_is_measured_or_refused_as_the_reference_does(case in generate::damaged_day()) {
        prop_assert_eq!(support::measure(&case, usize::MAX), quoteclock_testkit::measure(&case));
    }

    #[test]
    fn input_cut_at_any_byte_gives_the_same(case in generate::damaged_day(), chunk_bytes in 1..200_usize) {
        prop_assert_eq!(support::measure(&case, chunk_bytes), support::measure(&case, usize::MAX));
    }
}
