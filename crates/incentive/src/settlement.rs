//! A month, settled: everything that follows from its stored days, in one place.

use crate::conditions::{ConditionLine, conditions};
use crate::payments::{PaymentLine, payments};
use crate::recommendations::{PastMonth, RecommendationLine, recommendations};
use crate::tiers::{Review, ReviewStock, TierLine, tiers};
use crate::trading::Trading;
use crate::value::{IncentiveLine, incentives};
use crate::{Line, MakerLine, Month, MonthAccounts, makers};
use jiff::civil::Date;
use quoteclock_ledger::DayRow;
use quoteclock_model::{IssueCode, MarketTurnover, Turnover};
use quoteclock_rules::Registry;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// What a month's stored days are, beside the registry.
#[derive(Clone, Debug)]
pub struct MonthStock {
    /// The month.
    pub month: Month,
    /// Its lines, by market maker, issue and obligation.
    pub lines: Vec<Line>,
    /// What was traded and sent in it.
    pub trading: Trading,
    /// What the review in force measured.
    pub review: ReviewStock,
    /// The months before it, as far back as recommendations look.
    pub past: Vec<PastMonth>,
}

/// Collects a month's stock from stored rows, in any order of their kinds; rows of dates that play no part are passed over.
#[derive(Debug)]
pub struct StockCollector<'r> {
    registry: &'r Registry,
    month: Month,
    accounts: BTreeMap<Month, MonthAccounts>,
    trading: Trading,
    review: ReviewStock,
}

impl<'r> StockCollector<'r> {
    /// An empty stock of a month, of which the days `stored` are known (those of other months, too).
    pub fn new(registry: &'r Registry, month: Month, stored: impl IntoIterator<Item = Date>) -> StockCollector<'r> {
        let scheme = registry.scheme().incentives();
        let back = scheme.drop_months.max(scheme.revoke_months);
        let months = (0..back.max(1)).filter_map(|back| month.earlier(back));
        StockCollector {
            registry,
            month,
            accounts: months.map(|month| (month, MonthAccounts::new(month))).collect(),
            trading: Trading::new(month, registry),
            review: ReviewStock::new(Review::of(month), stored),
        }
    }

    /// The dates whose results play a part: of the month, and of those that recommendations look back on.
    pub fn result_dates(&self) -> RangeInclusive<Date> {
        let (first, _) = self.accounts.first_key_value().expect("the month itself is among them");
        *first.dates().start()..=*self.month.dates().end()
    }

    /// The dates whose market turnovers play a part.
    pub fn market_dates(&self) -> RangeInclusive<Date> {
        self.review.review().measured.clone()
    }

    /// Adds a stored row of an obligation's times. Rows of one date come before those of later ones.
    pub fn add_result(&mut self, row: DayRow) {
        if let Some(accounts) = self.accounts.get_mut(&Month::of(row.date)) {
            accounts.add(row);
        }
    }

    /// Adds what a sign-up traded and sent on a stored day.
    pub fn add_turnover(&mut self, date: Date, market_maker: &str, issue: &IssueCode, turnover: &Turnover) {
        if self.month.dates().contains(&date) {
            self.trading.add(self.registry, date, market_maker, issue, turnover);
        }
    }

    /// Adds what the market traded in an issue on a stored day.
    pub fn add_market(&mut self, date: Date, issue: &IssueCode, turnover: &MarketTurnover) {
        self.review.add(date, issue, turnover.continuous.value);
    }

    /// The stock, and the month's accounts.
    ///
    /// # Panics
    /// Never: the month itself is among those that are collected.
    pub fn finish(mut self) -> (MonthStock, MonthAccounts) {
        let own = self.accounts.remove(&self.month).expect("the month itself is among them");
        let past =
            |(month, accounts): (Month, MonthAccounts)| PastMonth { month, lines: accounts.lines(self.registry) };
        let stock = MonthStock {
            month: self.month,
            lines: own.lines(self.registry),
            trading: self.trading,
            review: self.review,
            past: self.accounts.into_iter().map(past).collect(),
        };
        (stock, own)
    }
}

/// What follows from a month. Every amount is one line here, and leads back to its clause.
#[derive(Clone, Debug)]
pub struct Settlement {
    /// The month.
    pub month: Month,
    /// One line for each obligation.
    pub lines: Vec<Line>,
    /// One for each market maker.
    pub makers: Vec<MakerLine>,
    /// Incentives 1 and 2.
    pub incentives: Vec<IncentiveLine>,
    /// Sponsored conditions and matching funds.
    pub conditions: Vec<ConditionLine>,
    /// The tiers in force.
    pub tiers: Vec<TierLine>,
    /// What staff may want to look at.
    pub recommendations: Vec<RecommendationLine>,
    /// What is paid in all.
    pub payments: Vec<PaymentLine>,
    /// Trading days of the tier review's measuring period that are not stored, where a tier in use rests on the review.
    pub review_days_missing: Vec<Date>,
}

impl Settlement {
    /// Settles a month.
    pub fn of(stock: MonthStock, registry: &Registry) -> Settlement {
        let MonthStock { month, lines, trading, review, past } = stock;
        let makers = makers(month, &lines, registry);
        let incentives = incentives(registry, &lines, &makers, &trading, &review);
        let conditions = conditions(month, registry, &lines, &makers, &trading);
        let payments = payments(&incentives, &conditions, &makers);
        let scheme = registry.scheme().incentives();
        let recommendations = recommendations(scheme, month, &lines, &makers, &past);
        let tiers = tiers(month, registry, &review);
        let rests_on_review = incentives.iter().any(|line| line.tier_source == crate::TierSource::Measured);
        let review_days_missing = if rests_on_review { review.missing_days(registry) } else { Vec::new() };
        Settlement {
            month,
            lines,
            makers,
            incentives,
            conditions,
            tiers,
            recommendations,
            payments,
            review_days_missing,
        }
    }

    /// The issues whose value incentives cannot be said, since nothing tells their tier.
    pub fn unknown_tiers(&self) -> BTreeSet<&IssueCode> {
        self.incentives.iter().filter(|line| line.tier.is_none()).map(|line| &line.issue).collect()
    }
}
