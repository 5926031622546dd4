//! Lost time by reason and by time of day.

use jiff::civil::{Date, time};
use jiff::tz::TimeZone;
use quoteclock_model::{Micros, Span, Timestamp};
use std::collections::BTreeMap;

/// Stretches of a day.
pub(crate) const STRETCHES: usize = 48;

/// Sums of lost time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Lost {
    /// By reason.
    pub(crate) by_reason: BTreeMap<String, Micros>,
    /// By half hour of the local clock.
    pub(crate) by_stretch: [Micros; STRETCHES],
}

impl Default for Lost {
    fn default() -> Lost {
        Lost { by_reason: BTreeMap::new(), by_stretch: [Micros::ZERO; STRETCHES] }
    }
}

impl Lost {
    /// Adds what was lost elsewhere.
    pub(crate) fn merge(&mut self, other: &Lost) {
        other.by_reason.iter().for_each(|(reason, lost)| self.of_reason(reason, *lost));
        self.by_stretch.iter_mut().zip(other.by_stretch).for_each(|(sum, lost)| *sum += lost);
    }

    /// Adds a breach: cut where half hours begin, so that each microsecond is counted once, and in its own.
    pub(crate) fn add(&mut self, stretches: &[Span], breach: Span, reason: &str) {
        self.of_reason(reason, breach.end.since(breach.start));
        for (sum, stretch) in self.by_stretch.iter_mut().zip(stretches) {
            if let Some(part) = breach.clip(*stretch) {
                *sum += part.end.since(part.start);
            }
        }
    }

    fn of_reason(&mut self, reason: &str, lost: Micros) {
        match self.by_reason.get_mut(reason) {
            Some(so_far) => *so_far += lost,
            None => drop(self.by_reason.insert(reason.to_owned(), lost)),
        }
    }

    /// All of it.
    pub(crate) fn total(&self) -> Micros {
        self.by_reason.values().copied().sum()
    }

    /// The reasons, the one that cost most first; equal ones by name.
    pub(crate) fn reasons(&self) -> Vec<(&str, Micros)> {
        let mut reasons: Vec<_> = self.by_reason.iter().map(|(reason, lost)| (reason.as_str(), *lost)).collect();
        reasons.sort_by(|(name, most), (other, next)| next.cmp(most).then(name.cmp(other)));
        reasons
    }
}

/// The half hours of a date in `zone`, by its clock. Where the clock is put back the half hour that comes twice is one
/// longer stretch; one that the clock leaves out is empty.
pub(crate) fn stretches(date: Date, zone: &TimeZone) -> Vec<Span> {
    let instant = |date: Date, stretch: i8| {
        let at = date.to_datetime(time(stretch / 2, stretch % 2 * 30, 0, 0));
        let zoned = at.to_zoned(zone.clone()).ok();
        zoned.map_or(Timestamp::MIN, |zoned| Timestamp::from_micros(zoned.timestamp().as_microsecond()))
    };
    let mut edges: Vec<Timestamp> = (0..48).map(|stretch| instant(date, stretch)).collect();
    edges.push(date.tomorrow().map_or(Timestamp::MAX, |next| instant(next, 0)));
    // A reading that the clock leaves out is the instant at which it goes on.
    for position in (0..edges.len() - 1).rev() {
        edges[position] = edges[position].min(edges[position + 1]);
    }
    edges.windows(2).map(|edge| Span { start: edge[0], end: edge[1] }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_breach_is_split_where_half_hours_begin() {
        let zone = TimeZone::get("Asia/Tokyo").unwrap();
        let stretches = stretches(date(2024, 3, 1), &zone);
        assert_eq!(stretches.len(), STRETCHES);
        let at = |text: &str| Timestamp::from_micros(text.parse::<jiff::Timestamp>().unwrap().as_microsecond());
        let breach = Span { start: at("2024-03-01T09:29:59+09:00"), end: at("2024-03-01T10:00:00.000001+09:00") };
        let mut lost = Lost::default();
        lost.add(&stretches, breach, "spread");
        assert_eq!(lost.by_stretch[18], Micros(1_000_000));
        assert_eq!(lost.by_stretch[19], Micros(1_800_000_000));
        assert_eq!(lost.by_stretch[20], Micros(1));
        assert_eq!(lost.by_stretch.iter().copied().sum::<Micros>(), lost.total());
    }

    #[test]
    fn stretches_are_the_day_where_the_clock_changes_too() {
        let zone = TimeZone::get("America/New_York").unwrap();
        for (date, hours) in [(date(2024, 3, 10), 23), (date(2024, 11, 3), 25), (date(2024, 11, 4), 24)] {
            let stretches = stretches(date, &zone);
            let length: Micros = stretches.iter().map(|span| span.end.since(span.start)).sum();
            assert_eq!(length, Micros(hours * 3_600_000_000), "{date}");
            assert!(stretches.windows(2).all(|next| next[0].end == next[1].start), "{date}");
        }
    }

    #[test]
    fn reasons_come_most_first() {
        let mut lost = Lost::default();
        for (micros, reason) in [(5, "spread"), (7, "no_bid"), (2, "spread")] {
            let span = Span { start: Timestamp::from_micros(0), end: Timestamp::from_micros(micros) };
            lost.add(&[], span, reason);
        }
        assert_eq!(lost.reasons(), [("no_bid", Micros(7)), ("spread", Micros(7))]);
    }
}
