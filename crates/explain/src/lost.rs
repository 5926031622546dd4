//! Time lost, by reason, day and hour: of a day, or of a month from what is stored of it.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use quoteclock_ledger::Breach;
use quoteclock_model::{Micros, Span, Timestamp};
use quoteclock_rules::DayPlan;
use serde::Serialize;
use std::collections::BTreeMap;

const HOUR: i64 = 3_600_000_000;

/// Available time in which obligations were not fulfilled.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Lost {
    /// All of it.
    pub total: Micros,
    /// By reason, as the output files write it.
    pub by_reason: BTreeMap<String, Micros>,
    /// By date.
    pub by_day: BTreeMap<Date, Micros>,
    /// By hour of the local clock, 0 to 23.
    pub by_hour: BTreeMap<u8, Micros>,
}

impl Lost {
    /// What the breaches of one obligation have lost on one day.
    pub(crate) fn of(breaches: &[Breach], plan: &DayPlan) -> Lost {
        let mut lost = Lost::default();
        for breach in breaches {
            lost.add(plan.date, breach.span, breach.reason.as_str(), &plan.zone);
        }
        lost
    }

    /// Adds a breach of `date`, each of its hours on the clock of `zone` for itself.
    pub fn add(&mut self, date: Date, span: Span, reason: &str, zone: &TimeZone) {
        let length = span.end.since(span.start);
        self.total += length;
        *self.by_day.entry(date).or_default() += length;
        match self.by_reason.get_mut(reason) {
            Some(sum) => *sum += length,
            None => drop(self.by_reason.insert(reason.to_owned(), length)),
        }
        let mut start = span.start;
        while start < span.end {
            let (hour, next) = hour_of(start, zone);
            let end = next.min(span.end);
            *self.by_hour.entry(hour).or_default() += end.since(start);
            start = end;
        }
    }

    /// Adds what another obligation has lost.
    pub fn add_all(&mut self, other: &Lost) {
        self.total += other.total;
        other.by_day.iter().for_each(|(day, &lost)| *self.by_day.entry(*day).or_default() += lost);
        other.by_hour.iter().for_each(|(hour, &lost)| *self.by_hour.entry(*hour).or_default() += lost);
        for (reason, &lost) in &other.by_reason {
            *self.by_reason.entry(reason.clone()).or_default() += lost;
        }
    }

    /// The reasons, the most costly first, equal ones by name.
    pub fn reasons(&self) -> Vec<(&str, Micros)> {
        let mut reasons: Vec<(&str, Micros)> =
            self.by_reason.iter().map(|(reason, &lost)| (reason.as_str(), lost)).collect();
        reasons.sort_by_key(|&(_, lost)| std::cmp::Reverse(lost));
        reasons
    }
}

/// The hour that the clock of `zone` shows, and when it shows the next one. Clocks are changed on whole hours.
fn hour_of(at: Timestamp, zone: &TimeZone) -> (u8, Timestamp) {
    let instant = jiff::Timestamp::from_microsecond(at.as_micros()).unwrap_or(jiff::Timestamp::MAX);
    let offset = i64::from(zone.to_offset(instant).seconds()) * 1_000_000;
    let local = at.as_micros() + offset;
    let hours = local.div_euclid(HOUR);
    let next = Timestamp::from_micros((hours + 1) * HOUR - offset);
    (u8::try_from(hours.rem_euclid(24)).unwrap_or(0), next)
}

/// Where the lost time is, for programs.
#[derive(Serialize)]
pub(crate) struct LostJson {
    total_us: u64,
    by_reason: Vec<ReasonJson>,
    by_day: Vec<DayJson>,
    by_hour: Vec<HourJson>,
}

#[derive(Serialize)]
struct ReasonJson {
    reason: String,
    lost_us: u64,
}

#[derive(Serialize)]
struct DayJson {
    date: String,
    lost_us: u64,
}

#[derive(Serialize)]
struct HourJson {
    /// Of the local clock, 0 to 23.
    hour: u8,
    lost_us: u64,
}

impl LostJson {
    pub(crate) fn of(lost: &Lost) -> LostJson {
        let reason = |(reason, lost): (&str, Micros)| ReasonJson { reason: reason.to_owned(), lost_us: lost.0 };
        LostJson {
            total_us: lost.total.0,
            by_reason: lost.reasons().into_iter().map(reason).collect(),
            by_day: lost.by_day.iter().map(|(day, lost)| DayJson { date: day.to_string(), lost_us: lost.0 }).collect(),
            by_hour: lost.by_hour.iter().map(|(&hour, lost)| HourJson { hour, lost_us: lost.0 }).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_micros(text.parse::<jiff::Timestamp>().expect("an instant").as_microsecond())
    }

    fn lost(from: &str, to: &str, zone: &str) -> Vec<(u8, u64)> {
        let mut lost = Lost::default();
        let zone = TimeZone::get(zone).expect("a zone");
        lost.add("2024-11-03".parse().expect("a date"), Span { start: at(from), end: at(to) }, "spread", &zone);
        let sum: u64 = lost.by_hour.values().map(|lost| lost.0).sum();
        assert_eq!((sum, lost.by_reason["spread"]), (lost.total.0, lost.total));
        lost.by_hour.into_iter().map(|(hour, lost)| (hour, lost.0)).collect()
    }

    #[test]
    fn a_breach_is_lost_in_the_hours_in_which_it_was() {
        let day = |clock: &str| format!("2024-11-03T{clock}+09:00");
        let tokyo = |from: &str, to: &str| lost(&day(from), &day(to), "Asia/Tokyo");
        assert_eq!(tokyo("09:10:00", "09:59:59.999999"), [(9, 2_999_999_999)]);
        assert_eq!(tokyo("09:59:59.999999", "10:00:00.000001"), [(9, 1), (10, 1)]);
        assert_eq!(tokyo("09:00:00", "10:00:00"), [(9, 3_600_000_000)]);
        assert_eq!(
            tokyo("09:59:00", "12:01:00"),
            [(9, 60_000_000), (10, 3_600_000_000), (11, 3_600_000_000), (12, 60_000_000)]
        );
        // Half an hour beside the others, and an hour that the clock shows twice.
        let kolkata = lost("2024-11-03T04:00:00Z", "2024-11-03T05:00:00Z", "Asia/Kolkata");
        assert_eq!(kolkata, [(9, 1_800_000_000), (10, 1_800_000_000)]);
        let new_york = lost("2024-11-03T05:00:00Z", "2024-11-03T07:30:00Z", "America/New_York");
        assert_eq!(new_york, [(1, 7_200_000_000), (2, 1_800_000_000)]);
    }
}
