//! Tiers: the review in force in a month, what it measured, and the tier that an issue has by it.

use crate::Month;
use jiff::ToSpan;
use jiff::civil::{Date, date};
use quoteclock_model::{Amount, IssueCode};
use quoteclock_rules::{Issue, Registry, Tier};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// A tier review: what is measured, and when its tiers are in force.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Review {
    /// The dates of the three months that are measured.
    pub measured: RangeInclusive<Date>,
    /// The dates of the three months in which the tiers are in force; between the two lies the month of the announcement.
    pub in_force: RangeInclusive<Date>,
}

impl Review {
    /// The review in force in a month.
    ///
    /// ```
    /// use quoteclock_incentive::Review;
    ///
    /// let review = Review::of("2024-04".parse()?);
    /// assert_eq!(review.measured.start().to_string(), "2023-12-01");
    /// assert_eq!(review.in_force.end().to_string(), "2024-06-30");
    /// # Ok::<(), String>(())
    /// ```
    ///
    /// Clause: `ST1/tier-review`.
    pub fn of(month: Month) -> Review {
        let first = *month.dates().start();
        // January to March, April to June and so on.
        let first = date(first.year(), (first.month() - 1) / 3 * 3 + 1, 1);
        let later = |months: i64| first.checked_add(months.months()).unwrap_or(Date::MAX);
        let earlier = |months: i64| first.checked_sub(months.months()).unwrap_or(Date::MIN);
        Review { measured: earlier(4)..=earlier(2).last_of_month(), in_force: first..=later(2).last_of_month() }
    }

    /// The months that are measured.
    pub fn months(&self) -> [Month; 3] {
        let month = |later: i64| Month::of(self.measured.start().checked_add(later.months()).unwrap_or(Date::MAX));
        [0, 1, 2].map(month)
    }
}

/// What the market traded on the stored days of a review's measuring period.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReviewStock {
    review: Review,
    days: BTreeSet<Date>,
    issues: BTreeMap<IssueCode, BTreeMap<Date, Amount>>,
}

/// Where the tier of an issue comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TierSource {
    /// Leveraged and inverse ETFs are always V.
    Leveraged,
    /// Its row in `issues.csv` gives it.
    Given,
    /// The review: so much on so many days.
    Measured,
    /// It was listed after the measuring period.
    NewlyListed,
    /// Nothing says.
    Unknown,
}

/// What a review measured of an issue.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Measured {
    /// Continuous trading value of the whole market over the days.
    pub total: Amount,
    /// Stored days of the measuring period on which the issue was listed.
    pub days: u32,
}

impl Measured {
    /// The average of a day, rounded down to the yen; `None` without a day.
    pub fn average_yen(self) -> Option<u128> {
        (self.days > 0).then(|| self.total.0 / (u128::from(self.days) * crate::exact::YEN))
    }
}

impl ReviewStock {
    /// A review of which the days `stored` are known; days outside its measuring period play no part.
    pub fn new(review: Review, stored: impl IntoIterator<Item = Date>) -> ReviewStock {
        let days = stored.into_iter().filter(|date| review.measured.contains(date)).collect();
        ReviewStock { review, days, issues: BTreeMap::new() }
    }

    /// Adds what the market traded in an issue in the continuous auction of a stored day; of other days, nothing.
    pub fn add(&mut self, date: Date, issue: &IssueCode, continuous: Amount) {
        if self.days.contains(&date) {
            self.issues.entry(issue.clone()).or_default().insert(date, continuous);
        }
    }

    /// The review.
    pub fn review(&self) -> &Review {
        &self.review
    }

    /// Trading days of the measuring period that are not stored.
    pub fn missing_days(&self, registry: &Registry) -> Vec<Date> {
        let trading_days = self.review.months().into_iter().flat_map(|month| month.trading_days(registry));
        trading_days.filter(|date| !self.days.contains(date)).collect()
    }

    /// What the review measured of an issue: the days are those on which it has a row in force that does not say that it
    /// was listed later. On a stored day without a trade the market traded nothing.
    ///
    /// Clause: `ST1/tier-review`.
    pub fn measured(&self, registry: &Registry, issue: &IssueCode) -> Measured {
        let traded = self.issues.get(issue);
        let mut measured = Measured::default();
        for date in &self.days {
            let row = registry.issue_on(issue, *date);
            if row.is_some_and(|row| row.listed.is_none_or(|listed| listed <= *date)) {
                measured.days += 1;
                measured.total += traded.and_then(|days| days.get(date)).copied().unwrap_or_default();
            }
        }
        measured
    }

    /// The tier of an issue by its row, which is that of the date that decides, and what the review measured of it.
    ///
    /// Clauses: `ST1/tiers`, `ST1/tier-review`.
    pub fn tier(&self, registry: &Registry, row: &Issue, measured: Measured) -> (Option<Tier>, TierSource) {
        if row.leveraged_inverse {
            return (Some(Tier::V), TierSource::Leveraged);
        }
        if let Some(tier) = row.tier {
            return (Some(tier), TierSource::Given);
        }
        match registry.scheme().incentives().tier_of(measured.total, measured.days) {
            Some(tier) => (Some(tier), TierSource::Measured),
            None if row.listed.is_some_and(|listed| *self.review.measured.end() < listed) => {
                (Some(Tier::I), TierSource::NewlyListed)
            }
            None => (None, TierSource::Unknown),
        }
    }
}

/// A row of `tiers.csv`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TierLine {
    /// The issue.
    pub issue: IssueCode,
    /// The review in force in the month.
    pub review: Review,
    /// What it measured.
    pub measured: Measured,
    /// The tier, as of the last date of the month on which the issue has a row; `None` where it is unknown.
    pub tier: Option<Tier>,
    /// Where it comes from.
    pub source: TierSource,
}

/// Every issue with a row in force in the month, by code.
///
/// Clause: `ST1/tiers`.
pub fn tiers(month: Month, registry: &Registry, stock: &ReviewStock) -> Vec<TierLine> {
    let in_month = registry.issues().iter().filter(|row| month.holds_any_of(row.period));
    // Rows of an issue come by date, and the last that is in force in the month decides.
    let rows: BTreeMap<&IssueCode, &Issue> = in_month.map(|row| (&row.code, row)).collect();
    let line = |(issue, row): (&IssueCode, &Issue)| {
        let measured = stock.measured(registry, issue);
        let (tier, source) = stock.tier(registry, row, measured);
        TierLine { issue: issue.clone(), review: stock.review.clone(), measured, tier, source }
    };
    rows.into_iter().map(line).collect()
}
