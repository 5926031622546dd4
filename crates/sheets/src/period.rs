//! Dates from which up to which a row is in force, and whether several such periods overlap or cover one another.
//!
//! Dates here are inclusive at both ends, as people write them; only instants are half-open.

use jiff::civil::Date;

/// The dates on which a row is in force: both inclusive, absent means open.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Period {
    /// The first date; `None` since ever.
    pub from: Option<Date>,
    /// The last date; `None` for good.
    pub to: Option<Date>,
}

impl Period {
    /// Whether the row is in force on `date`.
    pub fn contains(self, date: Date) -> bool {
        self.first() <= date && date <= self.last()
    }

    /// Whether the two have a date in common.
    pub fn overlaps(self, other: Period) -> bool {
        self.first() <= other.last() && other.first() <= self.last()
    }

    /// The first date, the earliest one there is where it is open.
    pub fn first(self) -> Date {
        self.from.unwrap_or(Date::MIN)
    }

    /// The last date, the latest one there is where it is open.
    pub fn last(self) -> Date {
        self.to.unwrap_or(Date::MAX)
    }
}

/// Sorted, disjoint, non-adjacent stretches of dates (both ends inclusive): the union of some periods.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DateSet(Vec<(Date, Date)>);

impl DateSet {
    /// The union of `periods`.
    pub fn union(periods: impl IntoIterator<Item = Period>) -> DateSet {
        let mut stretches: Vec<(Date, Date)> = periods.into_iter().map(|p| (p.first(), p.last())).collect();
        stretches.sort_unstable();
        let mut joined: Vec<(Date, Date)> = Vec::with_capacity(stretches.len());
        for (first, last) in stretches {
            match joined.last_mut() {
                Some((_, end)) if end.tomorrow().map_or(true, |next| first <= next) => *end = (*end).max(last),
                _ => joined.push((first, last)),
            }
        }
        DateSet(joined)
    }

    /// The first date of `period` that the set lacks.
    pub fn first_missing(&self, period: Period) -> Option<Date> {
        let position = self.0.partition_point(|&(_, last)| last < period.first());
        match self.0.get(position) {
            Some(&(first, last)) if first <= period.first() => {
                if period.last() <= last {
                    None
                } else {
                    last.tomorrow().ok()
                }
            }
            _ => Some(period.first()),
        }
    }

    /// Whether the set has a date of `period`.
    pub fn overlaps(&self, period: Period) -> bool {
        let position = self.0.partition_point(|&(_, last)| last < period.first());
        self.0.get(position).is_some_and(|&(first, _)| first <= period.last())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn period(from: i8, to: i8) -> Period {
        Period { from: Some(date(2024, 3, from)), to: Some(date(2024, 3, to)) }
    }

    #[test]
    fn both_dates_are_inclusive() {
        let dates: Vec<bool> = (4..=8).map(|day| period(5, 7).contains(date(2024, 3, day))).collect();
        assert_eq!(dates, [false, true, true, true, false]);
        assert!(Period::default().contains(Date::MIN) && Period::default().contains(Date::MAX));
    }

    #[test]
    fn periods_overlap_when_they_share_a_date() {
        assert!(period(1, 5).overlaps(period(5, 9)));
        assert!(!period(1, 4).overlaps(period(5, 9)));
    }

    #[test]
    fn a_union_joins_adjacent_periods_and_names_the_first_missing_date() {
        let set = DateSet::union([period(6, 9), period(1, 3), period(4, 5), period(12, 20)]);
        assert_eq!(set.first_missing(period(1, 9)), None);
        assert_eq!(set.first_missing(period(1, 10)), Some(date(2024, 3, 10)));
        assert_eq!(set.first_missing(period(10, 12)), Some(date(2024, 3, 10)));
        assert_eq!(set.first_missing(period(21, 22)), Some(date(2024, 3, 21)));
        assert!(set.overlaps(period(9, 11)) && !set.overlaps(period(10, 11)) && !set.overlaps(period(21, 22)));
        let open = DateSet::union([Period { from: None, to: None }, period(1, 2)]);
        assert_eq!(open.first_missing(Period::default()), None);
        assert_eq!(DateSet::default().first_missing(Period::default()), Some(Date::MIN));
    }
}
