//! One day of one obligation as a strip: where time was lost, drawn from its stored breaches.

use quoteclock_model::{Span, Timestamp};
use std::fmt::Write;

/// Columns of a strip.
pub(crate) const COLUMNS: usize = 360;
const WORDS: usize = COLUMNS.div_ceil(64);

/// Which columns hold lost time. However short, a breach takes one.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Strip([u64; WORDS]);

impl Strip {
    /// Marks a breach in a strip that shows `whole`.
    pub(crate) fn mark(&mut self, whole: Span, breach: Span) {
        let Some(breach) = breach.clip(whole) else { return };
        let first = column(whole, breach.start);
        // The column of the last instant in it, not of the one that ends it.
        let last = column(whole, Timestamp::from_micros(breach.end.as_micros() - 1));
        for column in first..=last {
            self.0[column / 64] |= 1 << (column % 64);
        }
    }

    fn is_marked(&self, column: usize) -> bool {
        self.0[column / 64] & (1 << (column % 64)) != 0
    }

    /// The marked columns as the path of an SVG that is as wide as the strip has columns.
    pub(crate) fn path(&self, height: u32) -> String {
        let mut path = String::new();
        let mut column = 0;
        while column < COLUMNS {
            let start = column;
            while column < COLUMNS && self.is_marked(column) {
                column += 1;
            }
            if start < column {
                let width = column - start;
                write!(path, "M{start} 0h{width}v{height}h-{width}z").expect("writing to a string");
            }
            column = column.max(start + 1);
        }
        path
    }
}

/// The column that holds `at`.
pub(crate) fn column(whole: Span, at: Timestamp) -> usize {
    let (part, length) = (at.since(whole.start).0, whole.end.since(whole.start).0.max(1));
    let column = u128::from(part) * COLUMNS as u128 / u128::from(length);
    usize::try_from(column).unwrap_or(COLUMNS).min(COLUMNS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn span(start: i64, end: i64) -> Span {
        Span { start: Timestamp::from_micros(start), end: Timestamp::from_micros(end) }
    }

    #[test]
    fn a_breach_of_one_microsecond_takes_one_column_and_all_of_it_takes_all() {
        let whole = span(0, 36_000);
        let mut strip = Strip::default();
        strip.mark(whole, span(100, 101));
        assert_eq!(strip.path(14), "M1 0h1v14h-1z");
        strip.mark(whole, span(35_999, 36_000));
        assert_eq!(strip.path(14), "M1 0h1v14h-1zM359 0h1v14h-1z");
        strip.mark(whole, span(-5, 50_000));
        assert_eq!(strip.path(14), "M0 0h360v14h-360z");
    }

    #[test]
    fn a_breach_that_ends_where_a_column_begins_does_not_take_it() {
        let whole = span(0, 36_000);
        let mut strip = Strip::default();
        strip.mark(whole, span(0, 100));
        assert_eq!(strip.path(1), "M0 0h1v1h-1z");
        strip.mark(whole, span(0, 101));
        assert_eq!(strip.path(1), "M0 0h2v1h-2z");
    }

    proptest! {
        #[test]
        fn what_is_marked_is_what_a_breach_touches(length in 1_i64..10_000, start in -20_i64..10_020, long in 1_i64..500) {
            let whole = span(0, length);
            let mut strip = Strip::default();
            strip.mark(whole, span(start, start + long));
            for micros in 0..length {
                if start <= micros && micros < start + long {
                    prop_assert!(strip.is_marked(column(whole, Timestamp::from_micros(micros))));
                }
            }
            let marked = (0..COLUMNS).filter(|&column| strip.is_marked(column)).count();
            let widest = i64::try_from(COLUMNS).unwrap() * long / length + 2;
            prop_assert!(i64::try_from(marked).unwrap() <= widest);
        }
    }
}
