//! The month to date: how much longer each obligation may be off and still make its share.
//!
//! The trading days that are not measured yet, past or to come, are taken to have the whole session time that the registry
//! gives them as it is now, exemptions apart. Where the feed tells the sessions, each is taken to be as long as the last
//! measured day.

use crate::aggregate::{self, LeftOut};
use crate::{AccountKey, MonthAccounts};
use jiff::civil::Date;
use quoteclock_ledger::Total;
use quoteclock_model::{Micros, Timestamp};
use quoteclock_rules::{PhaseSource, PlanError, Registry};
use std::collections::BTreeMap;

/// Where one obligation stands in a month that is not over.
///
/// ```
/// use quoteclock_incentive::{AccountKey, Outlook, Prospect};
/// use quoteclock_ledger::Total;
/// use quoteclock_model::{IssueCode, Micros};
///
/// let hours = |hours: u64| Micros(hours * 3_600_000_000);
/// let issue = IssueCode::new(b"1306").expect("a code");
/// let outlook = Outlook {
///     key: AccountKey { market_maker: "MM1".to_owned(), issue, obligation: "general".parse()? },
///     total: Total { available: hours(10), fulfilled: hours(9), unknown: hours(0) },
///     days_measured: 2,
///     required_pct: 800_000,
///     remaining: hours(10),
///     days_remaining: 2,
///     by_sum: true,
/// };
/// assert_eq!(outlook.prospect(), Prospect::Open { slack: hours(3) }, "16 of 20 hours do");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outlook {
    /// Whose.
    pub key: AccountKey,
    /// Sums over the measured days.
    pub total: Total,
    /// Days that are in the sums.
    pub days_measured: u32,
    /// The required share, in ten-thousandths of a percent: that of the last date, measured or to come.
    pub required_pct: u64,
    /// Time in which a quote will be required on the days to come.
    pub remaining: Micros,
    /// Days on which it will be.
    pub days_remaining: u32,
    /// Whether the sum of all time decides, and nothing but that.
    pub by_sum: bool,
}

/// What can still become of an obligation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Prospect {
    /// It makes its share whatever happens, and whatever happened in unknown time.
    Safe,
    /// It makes its share if it is off for no longer than this, even if it was off in all unknown time.
    Open {
        /// The longest time, over all days to come.
        slack: Micros,
    },
    /// Unknown time decides: without a breach to come it makes its share if it was met in enough of that.
    Uncertain,
    /// It cannot make its share any more, whatever happened in unknown time.
    Lost {
        /// What would be missing after days to come without a breach.
        short: Micros,
    },
    /// No time is available in the whole month.
    NotApplicable,
    /// Single days decide, and how long it may be off is not reckoned.
    ByDays,
}

impl Outlook {
    /// What can still become of it, exactly: to the last microsecond that it may be off.
    ///
    /// Clause: `ST1/time-share`.
    ///
    /// # Panics
    /// If the month is longer than 64 bits of microseconds.
    pub fn prospect(&self) -> Prospect {
        if !self.by_sum {
            return Prospect::ByDays;
        }
        let unknown = u128::from(self.total.unknown.0);
        let (fulfilled, remaining) = (u128::from(self.total.fulfilled.0), u128::from(self.remaining.0));
        let needed = self.needed();
        let micros = |span: u128| Micros(u64::try_from(span).expect("a month is short"));
        if u128::from(self.total.available.0) + unknown + remaining == 0 {
            Prospect::NotApplicable
        } else if needed <= fulfilled {
            Prospect::Safe
        } else if needed <= fulfilled + remaining {
            Prospect::Open { slack: micros(fulfilled + remaining - needed) }
        } else if needed <= fulfilled + unknown + remaining && unknown != 0 {
            Prospect::Uncertain
        } else {
            Prospect::Lost { short: micros(needed - fulfilled - unknown - remaining) }
        }
    }

    /// Fulfilled time that the month needs, if all unknown time was available.
    fn needed(&self) -> u128 {
        let Total { available, unknown, .. } = self.total;
        let whole = u128::from(available.0) + u128::from(unknown.0) + u128::from(self.remaining.0);
        (whole * u128::from(self.required_pct)).div_ceil(1_000_000)
    }

    /// Whether it misses its share if it goes on as so far, though it can still make it.
    pub fn is_at_risk(&self) -> bool {
        let Total { available, fulfilled, unknown } = self.total;
        let worst = Total { available: available + unknown, fulfilled, unknown: Micros::ZERO };
        matches!(self.prospect(), Prospect::Open { .. }) && !worst.reaches(self.required_pct)
    }

    /// The prospect in a word, as the output files write it.
    pub fn word(&self) -> &'static str {
        match self.prospect() {
            Prospect::Safe => "safe",
            Prospect::Open { .. } if self.is_at_risk() => "at_risk",
            Prospect::Open { .. } => "open",
            Prospect::Uncertain => "uncertain",
            Prospect::Lost { .. } => "lost",
            Prospect::NotApplicable => "not_applicable",
            Prospect::ByDays => "by_days",
        }
    }

    /// How long it may be off: all that is to come where nothing can take its share away any more.
    pub fn slack(&self) -> Option<Micros> {
        match self.prospect() {
            Prospect::Open { slack } => Some(slack),
            Prospect::Safe => Some(self.remaining),
            Prospect::Uncertain | Prospect::Lost { .. } | Prospect::NotApplicable | Prospect::ByDays => None,
        }
    }

    /// The same for each day to come, rounded down; nothing where no day is.
    pub fn may_be_off_a_day(&self) -> Option<Micros> {
        let days = u64::from(self.days_remaining);
        self.slack().and_then(|span| span.0.checked_div(days)).map(Micros)
    }

    /// The share of the time to come that is needed, in ten-thousandths of a percent, rounded up; nothing where it cannot
    /// be had, or no time is to come.
    ///
    /// # Panics
    /// Never: it is at most 100 %.
    pub fn needed_pct(&self) -> Option<u64> {
        if !self.by_sum {
            return None;
        }
        let remaining = u128::from(self.remaining.0);
        let missing = self.needed().saturating_sub(u128::from(self.total.fulfilled.0));
        (missing <= remaining && remaining != 0)
            .then(|| u64::try_from((missing * 1_000_000).div_ceil(remaining)).expect("at most 100 %"))
    }
}

/// Every obligation that was measured in the month or is in force on a trading day to come, by key. `measured` are the
/// dates that are stored, each with the time up to which it was measured, if that is not its end: the rest is to come.
///
/// # Errors
/// [`PlanError`] at the very ends of the calendar.
pub fn outlooks(
    accounts: &MonthAccounts,
    measured: &BTreeMap<Date, Option<Timestamp>>,
    registry: &Registry,
) -> Result<Vec<Outlook>, PlanError> {
    let so_far = accounts.accounts().iter().map(|(key, account)| {
        let left_out = LeftOut::of(registry, &key.market_maker, &key.issue);
        let days = account.days(&left_out);
        let outlook = Outlook {
            key: key.clone(),
            total: aggregate::total(&days),
            days_measured: u32::try_from(days.len()).unwrap_or(u32::MAX),
            by_sum: key.aggregate(registry).is_sum_alone() && days.iter().all(|day| !day.left_out_if_failed),
            required_pct: account.required_pct,
            remaining: Micros::ZERO,
            days_remaining: 0,
        };
        (key.clone(), (outlook, account.last))
    });
    let mut outlooks: BTreeMap<AccountKey, (Outlook, Date)> = so_far.collect();
    let to_come = accounts.month().trading_days(registry);
    for date in to_come {
        match measured.get(&date) {
            None => add_day(&mut outlooks, accounts, registry, date, None)?,
            Some(Some(until)) => add_day(&mut outlooks, accounts, registry, date, Some(*until))?,
            Some(None) => {}
        }
    }
    Ok(outlooks.into_values().map(|(outlook, _)| outlook).collect())
}

/// Adds a day to come, or what is left of one from `from` on.
fn add_day(
    outlooks: &mut BTreeMap<AccountKey, (Outlook, Date)>,
    accounts: &MonthAccounts,
    registry: &Registry,
    date: Date,
    from: Option<Timestamp>,
) -> Result<(), PlanError> {
    let plan = registry.plan(date)?;
    for sign_up in &plan.sign_ups {
        for obligation in sign_up.obligations.iter() {
            let (market_maker, issue) = (sign_up.market_maker.clone(), sign_up.issue.clone());
            let key = AccountKey { market_maker, issue, obligation: obligation.id.clone() };
            if LeftOut::of(registry, &key.market_maker, &key.issue).always(date) {
                continue;
            }
            let time = match (plan.phase_source, from) {
                (PhaseSource::Schedule, None) => sign_up.required_time(obligation),
                (PhaseSource::Schedule, Some(from)) => sign_up.required_time_from(obligation, from),
                // How much of a session is left, that no schedule tells.
                (PhaseSource::Feed, Some(_)) => Micros::ZERO,
                (PhaseSource::Feed, None) => {
                    accounts.accounts().get(&key).map_or(Micros::ZERO, |account| account.last_time)
                }
            };
            let empty = || {
                let total = Total::default();
                let (days_measured, required_pct, days_remaining) = (0, obligation.required.pct, 0);
                let (key, by_sum) = (key.clone(), key.aggregate(registry).is_sum_alone());
                let remaining = Micros::ZERO;
                (Outlook { key, total, days_measured, required_pct, remaining, days_remaining, by_sum }, date)
            };
            let (outlook, last) = outlooks.entry(key.clone()).or_insert_with(empty);
            outlook.remaining += time;
            outlook.days_remaining += u32::from(from.is_none() || time != Micros::ZERO);
            if *last <= date {
                (outlook.required_pct, *last) = (obligation.required.pct, date);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use quoteclock_model::{IssueCode, ObligationId};

    fn prospect(available: u64, fulfilled: u64, remaining: u64) -> Prospect {
        let issue = IssueCode::new(b"1306").unwrap();
        let total = Total { available: Micros(available), fulfilled: Micros(fulfilled), unknown: Micros(0) };
        Outlook {
            key: AccountKey { market_maker: "MM1".to_owned(), issue, obligation: ObligationId::GENERAL },
            total,
            days_measured: 1,
            required_pct: 800_000,
            remaining: Micros(remaining),
            by_sum: true,
            days_remaining: 1,
        }
        .prospect()
    }

    // clause: ST1/time-share
    #[test]
    fn what_may_still_be_off_is_exact() {
        assert_eq!(prospect(0, 0, 0), Prospect::NotApplicable);
        assert_eq!(prospect(100, 100, 25), Prospect::Safe, "100 of 125 are 80 %");
        assert_eq!(prospect(100, 100, 26), Prospect::Open { slack: Micros(25) }, "101 of 126, not 100");
        assert_eq!(prospect(100, 60, 100), Prospect::Open { slack: Micros(0) });
        assert_eq!(prospect(100, 59, 100), Prospect::Lost { short: Micros(1) });
        assert_eq!(prospect(100, 80, 0), Prospect::Safe);
        assert_eq!(prospect(100, 79, 0), Prospect::Lost { short: Micros(1) });
    }

    #[test]
    fn nothing_is_safe_or_lost_that_unknown_time_could_turn() {
        let with = |fulfilled, unknown, remaining| {
            let issue = IssueCode::new(b"1306").unwrap();
            let key = AccountKey { market_maker: "MM1".to_owned(), issue, obligation: ObligationId::GENERAL };
            let total = Total { available: Micros(100), fulfilled: Micros(fulfilled), unknown: Micros(unknown) };
            Outlook {
                key,
                total,
                days_measured: 1,
                required_pct: 800_000,
                remaining: Micros(remaining),
                by_sum: true,
                days_remaining: 2,
            }
        };
        assert_eq!(with(100, 25, 0).prospect(), Prospect::Safe, "100 of 125 in the worst case");
        assert_eq!(with(100, 26, 0).prospect(), Prospect::Uncertain);
        assert_eq!(with(100, 26, 10).prospect(), Prospect::Open { slack: Micros(1) }, "109 of 136");
        assert_eq!(with(70, 50, 0).prospect(), Prospect::Uncertain, "120 of 150 in the best case");
        assert_eq!(with(69, 50, 0).prospect(), Prospect::Lost { short: Micros(1) });
        assert_eq!(with(100, 26, 10).may_be_off_a_day(), Some(Micros(0)));
        // 60 of 100 so far; 100 of 125 are needed in all, so 100 of the 100 to come where 160 of 200 are asked.
        assert_eq!((with(60, 0, 100).needed_pct(), with(60, 0, 100).word()), (Some(1_000_000), "at_risk"));
        assert_eq!((with(59, 0, 100).needed_pct(), with(59, 0, 100).word()), (None, "lost"));
        assert_eq!((with(80, 0, 100).needed_pct(), with(80, 0, 100).word()), (Some(800_000), "open"));
        assert_eq!((with(79, 0, 300).needed_pct(), with(79, 0, 300).word()), (Some(803_334), "at_risk"));
    }

    // clause: ST1/time-share
    #[test]
    fn to_be_off_for_that_long_makes_the_share_and_a_microsecond_longer_does_not() {
        for (available, fulfilled, remaining) in [(1000, 900, 777), (3, 1, 100), (0, 0, 7), (12_345, 9_000, 54_321)] {
            let Prospect::Open { slack: Micros(off) } = prospect(available, fulfilled, remaining) else { panic!() };
            let share = |off| 5 * (fulfilled + remaining - off) >= 4 * (available + remaining);
            assert!(share(off) && !share(off + 1), "{available} {fulfilled} {remaining}: {off}");
        }
    }

    #[test]
    fn what_may_be_off_is_shared_out_among_the_days_to_come() {
        let may_be_off = |available, fulfilled, remaining, days_remaining| {
            let issue = IssueCode::new(b"1306").unwrap();
            let total = Total { available: Micros(available), fulfilled: Micros(fulfilled), unknown: Micros(0) };
            let key = AccountKey { market_maker: "MM1".to_owned(), issue, obligation: ObligationId::GENERAL };
            let (remaining, required_pct) = (Micros(remaining), 800_000);
            Outlook { key, total, days_measured: 1, required_pct, remaining, by_sum: true, days_remaining }
                .may_be_off_a_day()
                .map(|span| span.0)
        };
        // Of 100 to come 160 of 200 less the 80 so far are needed, and 20 are not.
        assert_eq!([1, 2, 3, 21].map(|days| may_be_off(100, 80, 100, days)), [Some(20), Some(10), Some(6), Some(0)]);
        assert_eq!(may_be_off(100, 100, 24, 2), Some(12), "all of it where it is safe");
        assert_eq!(may_be_off(100, 80, 0, 0), None, "no day is to come");
        assert_eq!(may_be_off(100, 59, 100, 2), None, "it is lost");
    }
}
