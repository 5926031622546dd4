//! Whether a month reaches its share, by the sum of its days, by their mean, or by how many of them do. Exact.

use jiff::civil::Date;
use num_bigint::BigUint;
use quoteclock_ledger::Total;
use quoteclock_model::{IssueCode, Micros};
use quoteclock_rules::{Aggregate, MonthShare, Registry};

/// One day of an obligation's month.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DayShare {
    /// The date.
    pub date: Date,
    /// Its times.
    pub total: Total,
    /// The share that was required on it, in ten-thousandths of a percent.
    pub required_pct: u64,
    /// Whether it plays no part where it fails by itself. Clause: `WBAG/days-left-out`.
    pub left_out_if_failed: bool,
}

/// What became of a month's days, those that are left out aside.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DayCounts {
    /// With available time.
    pub available: u32,
    /// Of these, those that reach their share by themselves.
    pub compliant: u32,
    /// Left out of the month, though they were measured.
    pub left_out: u32,
}

impl DayShare {
    /// Whether it is in the month.
    fn counts(&self) -> bool {
        !self.left_out_if_failed || self.total.available == Micros::ZERO || self.total.reaches(self.required_pct)
    }

    /// The same day if all of its unknown time had been available and fulfilled, or available and not.
    pub(crate) fn if_unknown(self, fulfilled: bool) -> DayShare {
        let Total { available, fulfilled: before, unknown } = self.total;
        let more = if fulfilled { unknown } else { Micros::ZERO };
        let total = Total { available: available + unknown, fulfilled: before + more, unknown: Micros::ZERO };
        DayShare { total, ..self }
    }
}

/// The sum of the days that count.
pub(crate) fn total(days: &[DayShare]) -> Total {
    let mut sum = Total::default();
    days.iter().filter(|day| day.counts()).for_each(|day| sum += day.total);
    sum
}

/// How many days there are of each kind.
pub(crate) fn counts(days: &[DayShare]) -> DayCounts {
    let mut counts = DayCounts::default();
    for day in days {
        if !day.counts() {
            counts.left_out += 1;
        } else if day.total.available != Micros::ZERO {
            counts.available += 1;
            counts.compliant += u32::from(day.total.reaches(day.required_pct));
        }
    }
    counts
}

/// Whether the days reach `required_pct`, as `aggregate` asks; `None` without available time.
///
/// Clauses: `ST1/time-share`, `WBAG/average-of-days`, `WBAG/days-left-out`, `TWSE/compliant-days`,
/// `RTS8/half-of-the-days`, `BUX/days-below`.
pub(crate) fn reaches(aggregate: &Aggregate, days: &[DayShare], required_pct: u64) -> Option<bool> {
    let sum = total(days);
    let DayCounts { available, compliant, .. } = counts(days);
    let (count, compliant) = (u64::from(available), u64::from(compliant));
    if count == 0 {
        return None;
    }
    let counted = || days.iter().filter(|day| day.counts() && day.total.available != Micros::ZERO);
    let by_month = match aggregate.month {
        MonthShare::Sum => sum.reaches(required_pct),
        MonthShare::MeanOfDays => mean_reaches(counted().map(|day| day.total), required_pct),
        MonthShare::Days { pct } => u128::from(pct) * u128::from(count) <= 1_000_000 * u128::from(compliant),
    };
    let by_days = aggregate.days_below_max.is_none_or(|max| count - compliant <= max);
    let by_floor = aggregate.day_floor_pct.is_none_or(|floor| counted().all(|day| day.total.reaches(floor)));
    Some(by_month && by_days && by_floor)
}

/// Whether the mean of the shares of totals with available time is at least that: their sum is a fraction of whole numbers
/// of any size.
fn mean_reaches(totals: impl Iterator<Item = Total>, required_pct: u64) -> bool {
    let (mut numerator, mut denominator, mut count) = (BigUint::ZERO, BigUint::from(1_u8), 0_u64);
    for Total { available, fulfilled, .. } in totals {
        numerator = numerator * available.0 + &denominator * fulfilled.0;
        denominator *= available.0;
        count += 1;
    }
    denominator * required_pct * count <= numerator * 1_000_000_u64
}

/// Which days of a market maker's issue play no part in their month, and whether only where they fail.
pub(crate) struct LeftOut<'a> {
    rows: Vec<&'a quoteclock_rules::ExcludedDay>,
}

impl<'a> LeftOut<'a> {
    pub(crate) fn of(registry: &'a Registry, market_maker: &str, issue: &IssueCode) -> LeftOut<'a> {
        LeftOut { rows: registry.excluded_days().iter().filter(|row| row.is_of(market_maker, issue)).collect() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether the day plays no part, whatever it came to.
    pub(crate) fn always(&self, date: Date) -> bool {
        self.rows.iter().any(|row| row.date == date && !row.only_if_failed)
    }

    /// Whether it plays none where it fails.
    pub(crate) fn if_failed(&self, date: Date) -> bool {
        self.rows.iter().any(|row| row.date == date)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::ToSpan;
    use jiff::civil::date;

    fn days(shares: &[(u64, u64)]) -> Vec<DayShare> {
        let dates = date(2024, 1, 1).series(1.day());
        let day = |(date, &(fulfilled, available)): (Date, &(u64, u64))| DayShare {
            date,
            total: Total { available: Micros(available), fulfilled: Micros(fulfilled), unknown: Micros::ZERO },
            required_pct: 500_000,
            left_out_if_failed: false,
        };
        dates.zip(shares).map(day).collect()
    }

    fn month(month: MonthShare) -> Aggregate {
        Aggregate { month, ..Aggregate::default() }
    }

    // clause: WBAG/average-of-days
    #[test]
    fn each_day_weighs_the_same_in_a_mean_and_by_its_length_in_a_sum() {
        // 100 % of a short day and 60 % of a long one.
        let two = days(&[(10, 10), (600, 1_000)]);
        assert_eq!(reaches(&month(MonthShare::MeanOfDays), &two, 800_000), Some(true));
        assert_eq!(reaches(&month(MonthShare::MeanOfDays), &two, 800_001), Some(false));
        assert_eq!(reaches(&month(MonthShare::Sum), &two, 800_000), Some(false));
        // A day without available time is no day of 0 %.
        let three = days(&[(10, 10), (600, 1_000), (0, 0)]);
        assert_eq!(reaches(&month(MonthShare::MeanOfDays), &three, 800_000), Some(true));
        assert_eq!(reaches(&month(MonthShare::MeanOfDays), &days(&[(0, 0)]), 0), None);
    }

    #[test]
    fn means_are_compared_exactly_however_long_the_days_are() {
        // 1/3 + 2/3 + 1/2: exactly a half in the mean; with days of 24 hours less little beside each other.
        let (p, q) = (86_399_999_999, 86_399_999_977);
        let exact = [(1, 3), (2, 3), (1, 2), (p - 1, p), (1, p), (q - 1, q), (1, q)];
        assert_eq!(reaches(&month(MonthShare::MeanOfDays), &days(&exact), 500_000), Some(true));
        let mut less = exact;
        less[5].0 -= 1;
        assert_eq!(reaches(&month(MonthShare::MeanOfDays), &days(&less), 500_000), Some(false));
    }

    // clause: TWSE/compliant-days
    // clause: RTS8/half-of-the-days
    #[test]
    fn so_many_of_the_days_have_to_reach_the_share_by_themselves() {
        let of = |compliant: usize, failed: usize| {
            let shares: Vec<(u64, u64)> =
                [(50, 100)].repeat(compliant).into_iter().chain([(49, 100)].repeat(failed)).collect();
            reaches(&month(MonthShare::Days { pct: 800_000 }), &days(&shares), 500_000)
        };
        assert_eq!([of(16, 4), of(15, 5), of(17, 4), of(0, 1)], [true, false, true, false].map(Some));
        let half = |compliant: usize, failed: usize| {
            let shares: Vec<(u64, u64)> =
                [(5, 10), (0, 0)].repeat(compliant).into_iter().chain([(0, 7)].repeat(failed)).collect();
            reaches(&month(MonthShare::Days { pct: 500_000 }), &days(&shares), 500_000)
        };
        assert_eq!([half(10, 10), half(10, 11), half(11, 10)], [true, false, true].map(Some));
    }

    // clause: BUX/days-below
    #[test]
    fn few_days_may_be_under_the_share_and_none_under_the_floor() {
        let rule = Aggregate { days_below_max: Some(3), day_floor_pct: Some(300_000), ..Aggregate::default() };
        let of = |below: usize, share: u64| {
            let shares: Vec<(u64, u64)> =
                [(90, 100)].repeat(17).into_iter().chain([(share, 100)].repeat(below)).collect();
            reaches(&rule, &days(&shares), 500_000)
        };
        assert_eq!([of(3, 49), of(4, 49), of(4, 50)], [true, false, true].map(Some));
        assert_eq!([of(1, 30), of(1, 29)], [true, false].map(Some));
        // The sum has to reach it as well.
        assert_eq!(reaches(&rule, &days(&[(49, 100), (40, 100)]), 500_000), Some(false));
    }

    // clause: WBAG/days-left-out
    #[test]
    fn a_day_that_is_left_out_where_it_fails_counts_where_it_does_not() {
        let mut two = days(&[(40, 100), (50, 100)]);
        assert_eq!(reaches(&Aggregate::default(), &two, 500_000), Some(false));
        two[0].left_out_if_failed = true;
        assert_eq!(reaches(&Aggregate::default(), &two, 500_000), Some(true));
        assert_eq!(counts(&two), DayCounts { available: 1, compliant: 1, left_out: 1 });
        two[0].total.fulfilled = Micros(50);
        assert_eq!(total(&two).available, Micros(200));
        assert_eq!(counts(&two), DayCounts { available: 2, compliant: 2, left_out: 0 });
    }
}
