//! Incentives 1 and 2: what is paid for trading value, and which access fees are waived.

use crate::exact::{YEN, mul_div};
use crate::tiers::{ReviewStock, TierSource};
use crate::trading::{Basis, Trading};
use crate::{MakerLine, Measured, MonthLine, SignUpMonth, Status, sign_up_months};
use jiff::civil::Date;
use quoteclock_model::{Amount, Bps, IssueCode};
use quoteclock_rules::{AccessFeeIssues, Incentives, Registry, Tier};
use std::collections::BTreeMap;

/// What is paid, or waived, for an issue.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Incentive {
    /// Access fees that are waived.
    AccessFee,
    /// For call-auction executions, and executions against a market maker signed up for the issue.
    ValueAuctionOrMarketMaker,
    /// For continuous executions against anyone else.
    ValueOthers,
}

impl Incentive {
    /// As the output files write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Incentive::AccessFee => "access_fee",
            Incentive::ValueAuctionOrMarketMaker => "value_auction_or_mm",
            Incentive::ValueOthers => "value_others",
        }
    }

    /// The clause that gives it.
    pub const fn clause(self) -> &'static str {
        match self {
            Incentive::AccessFee => "ST1/access-fee",
            Incentive::ValueAuctionOrMarketMaker | Incentive::ValueOthers => "ST1/trading-value",
        }
    }
}

/// What an amount is reckoned from, and what is paid for each unit of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BasisAndRate {
    /// Trading value, at a rate that is `None` where the tier is unknown.
    Value(Amount, Option<Bps>),
    /// Orders, after the daily limit, and what is waived for one.
    Orders(u64, Amount),
}

impl BasisAndRate {
    /// The basis: in currency units without needless zeros, or as a number of orders.
    pub fn basis(self) -> String {
        match self {
            BasisAndRate::Value(value, _) => value.to_string(),
            BasisAndRate::Orders(count, _) => count.to_string(),
        }
    }

    /// The rate: in bps, or in currency units an order, without needless zeros; `None` where the tier is unknown.
    pub fn rate(self) -> Option<String> {
        match self {
            BasisAndRate::Value(_, rate) => rate.map(|rate| rate.to_string()),
            BasisAndRate::Orders(_, fee) => Some(fee.to_string()),
        }
    }

    /// Basis times rate, rounded down to the yen.
    ///
    /// Clause: `QC/yen_rounding`.
    fn amount_yen(self) -> Option<u128> {
        /// So many basis points are all of it.
        const WHOLE_BPS: u128 = 10_000;
        match self {
            // Value and rate are in ten-thousandths.
            BasisAndRate::Value(Amount(value), rate) => {
                rate.map(|Bps(rate)| mul_div(value, u128::from(rate), YEN * YEN * WHOLE_BPS))
            }
            BasisAndRate::Orders(count, Amount(fee)) => Some(mul_div(u128::from(count), fee, YEN)),
        }
    }
}

/// A row of `incentives.csv`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IncentiveLine {
    /// Who has it.
    pub market_maker: String,
    /// Through which participant it is paid.
    pub participant: Option<String>,
    /// For which issue.
    pub issue: IssueCode,
    /// The issue's tier in the month; `None` where it is unknown.
    pub tier: Option<Tier>,
    /// Where the tier comes from.
    pub tier_source: TierSource,
    /// What the tier review measured of the issue.
    pub measured: Measured,
    /// Whether the issue counts as one for diversified investment.
    pub diversified: bool,
    /// Which incentive.
    pub incentive: Incentive,
    /// What it is reckoned from, and at which rate.
    pub basis: BasisAndRate,
    /// What is paid, rounded down to the yen; `None` where the tier is unknown.
    pub amount_yen: Option<u128>,
    /// The days that fall to the participant.
    pub daily: Vec<(Date, crate::trading::DayBasis)>,
}

/// Incentives 1 and 2 of every market maker that meets the number of ETFs, by market maker, participant, issue and
/// incentive.
///
/// Clauses: `ST1/number-of-etfs`, `ST1/trading-value`, `ST1/access-fee`, `QC/access_fee_issues`.
pub fn incentives(
    registry: &Registry,
    lines: &[MonthLine],
    makers: &[MakerLine],
    trading: &Trading,
    review: &ReviewStock,
) -> Vec<IncentiveLine> {
    let qualified = |name: &str| {
        let place = makers.binary_search_by(|maker| maker.market_maker.as_str().cmp(name));
        place.is_ok_and(|place| makers[place].qualifies())
    };
    let every_sign_up = registry.scheme().interpretations().access_fee_issues() == AccessFeeIssues::SignedUp;
    let mut measured: BTreeMap<&IssueCode, Measured> = BTreeMap::new();
    let mut all = Vec::new();
    let counted = sign_up_months(lines).filter(|of| !of.leveraged_inverse());
    for of in counted.filter(|of| qualified(of.market_maker())) {
        let fulfilled = of.status() == Status::Fulfilled;
        if !fulfilled && !every_sign_up {
            continue;
        }
        let Some(traded) = trading.of(of.market_maker(), of.issue()) else { continue };
        let measured = *measured.entry(of.issue()).or_insert_with(|| review.measured(registry, of.issue()));
        let of_issue = OfIssue::new(registry, of, review, measured);
        for (participant, basis) in &traded.by_participant {
            of_issue.push(participant.as_deref(), basis, fulfilled, &mut all);
        }
    }
    all.sort_by(|one, other| one.sort_key().cmp(&other.sort_key()));
    all
}

impl IncentiveLine {
    fn sort_key(&self) -> (&str, &str, &str, &str) {
        let participant = self.participant.as_deref().unwrap_or_default();
        (&self.market_maker, participant, self.issue.as_str(), self.incentive.as_str())
    }
}

/// What is the same of all lines of a sign-up.
struct OfIssue<'a> {
    sign_up: SignUpMonth<'a>,
    scheme: &'a Incentives,
    tier: Option<Tier>,
    source: TierSource,
    measured: Measured,
    diversified: bool,
}

impl<'a> OfIssue<'a> {
    /// The tier is that of the last date on which the sign-up was measured.
    ///
    /// Clause: `ST1/tiers`.
    fn new(registry: &'a Registry, sign_up: SignUpMonth<'a>, review: &ReviewStock, measured: Measured) -> OfIssue<'a> {
        let row = registry.issue_on(sign_up.issue(), sign_up.last_measured());
        let (tier, source) = row.map_or((None, TierSource::Unknown), |row| review.tier(registry, row, measured));
        let diversified = row.is_some_and(|row| row.diversified);
        OfIssue { sign_up, scheme: registry.scheme().incentives(), tier, source, measured, diversified }
    }

    fn push(&self, participant: Option<&str>, basis: &Basis, fulfilled: bool, to: &mut Vec<IncentiveLine>) {
        let orders = BasisAndRate::Orders(basis.orders, self.scheme.order_fee);
        to.push(self.line_of(participant, basis, Incentive::AccessFee, orders));
        if !fulfilled || self.tier == Some(Tier::V) {
            return;
        }
        let rates = self.tier.and_then(|tier| self.scheme.rates(tier, self.diversified));
        let others = BasisAndRate::Value(basis.others, rates.map(|rates| rates.others));
        let auction = rates.map(|rates| rates.auction_or_market_maker);
        let auction = BasisAndRate::Value(basis.auction_or_market_maker, auction);
        to.push(self.line_of(participant, basis, Incentive::ValueOthers, others));
        to.push(self.line_of(participant, basis, Incentive::ValueAuctionOrMarketMaker, auction));
    }

    fn line_of(
        &self,
        participant: Option<&str>,
        days: &Basis,
        incentive: Incentive,
        basis: BasisAndRate,
    ) -> IncentiveLine {
        IncentiveLine {
            market_maker: self.sign_up.market_maker().to_owned(),
            participant: participant.map(str::to_owned),
            issue: self.sign_up.issue().clone(),
            tier: self.tier,
            tier_source: self.source,
            measured: self.measured,
            diversified: self.diversified,
            incentive,
            basis,
            amount_yen: basis.amount_yen(),
            daily: days.daily.iter().map(|(date, day)| (*date, *day)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // clause: QC/yen_rounding, ST1/trading-value, ST1/access-fee
    #[test]
    fn amounts_are_rounded_down_to_the_yen() {
        let value = |ten_thousandths, rate| BasisAndRate::Value(Amount(ten_thousandths), Some(Bps(rate))).amount_yen();
        // 0.5 bps of 20,000 yen is one yen, of a ten-thousandth less is none.
        assert_eq!((value(200_000_000, 5_000), value(199_999_999, 5_000)), (Some(1), Some(0)));
        assert_eq!(value(u128::MAX, 100_000_000), Some(u128::MAX / 10_000), "all of it, however much");
        assert_eq!(BasisAndRate::Value(Amount(7), None).amount_yen(), None);
        let orders = |count| BasisAndRate::Orders(count, Amount(1_000)).amount_yen();
        assert_eq!([9, 10, 19, 100_000].map(orders), [0, 1, 1, 10_000].map(Some));
    }
}
