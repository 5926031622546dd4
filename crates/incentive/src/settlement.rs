//! A month, settled: everything that follows from its stored days, in one place.

use crate::conditions::{ConditionLine, conditions};
use crate::payments::{PaymentLine, payments};
use crate::recommendations::{PastMonth, RecommendationLine, recommendations};
use crate::tiers::{ReviewStock, TierLine, tiers};
use crate::trading::Trading;
use crate::value::{IncentiveLine, incentives};
use crate::{MakerLine, Month, MonthLine, makers};
use jiff::civil::Date;
use quoteclock_model::IssueCode;
use quoteclock_rules::Registry;
use std::collections::BTreeSet;

/// What a month's stored days are, beside the registry.
#[derive(Clone, Debug)]
pub struct MonthStock {
    /// The month.
    pub month: Month,
    /// Its lines, by market maker, issue and obligation.
    pub lines: Vec<MonthLine>,
    /// What was traded and sent in it.
    pub trading: Trading,
    /// What the review in force measured.
    pub review: ReviewStock,
    /// The months before it, as far back as recommendations look.
    pub past: Vec<PastMonth>,
}

impl MonthStock {
    /// The months before it that recommendations look back on.
    pub fn months_before(month: Month, registry: &Registry) -> Vec<Month> {
        let scheme = registry.scheme().incentives();
        (1..scheme.drop_months.max(scheme.revoke_months)).filter_map(|back| month.earlier(back)).collect()
    }
}

/// What follows from a month. Every amount is one line here, and leads back to its clause.
#[derive(Clone, Debug)]
pub struct Settlement {
    /// The month.
    pub month: Month,
    /// One line for each obligation.
    pub lines: Vec<MonthLine>,
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
