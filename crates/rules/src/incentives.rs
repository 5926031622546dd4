//! What a scheme pays, and what it asks of whoever is paid: rates, bounds, steps and counts, as data.
//!
//! The built-in figures are those of ST-1 v4.3; `[incentives]` of a `scheme.toml` replaces some of them. Deliberately
//! absent: paying anybody.

use crate::Tier;
use quoteclock_model::{Amount, Bps};

/// The highest rate on trading value: all of it. So `basis x rate` fits 128 bits whatever was traded.
pub(crate) const RATE_MAX: Bps = Bps(10_000 * 10_000);

/// The longest time in months that a recommendation may look back on.
pub(crate) const MONTHS_MAX: u64 = 120;

/// Rates, bounds, steps and counts of a scheme.
///
/// Clauses: `ST1/number-of-etfs`, `ST1/trading-value`, `ST1/access-fee`, `ST1/free-servers`, `ST1/six-month-average`,
/// `ST1/twelve-months`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Incentives {
    /// Non-leveraged/inverse ETFs that have to be fulfilled for any incentive.
    pub etfs_required: u32,
    /// What is waived for one order, in ten-thousandths of a currency unit.
    pub order_fee: Amount,
    /// How many orders of one ETF and day count at most.
    pub orders_max: u64,
    /// What a virtual server costs a month, in ten-thousandths of a currency unit.
    pub server_fee: Amount,
    /// Free virtual servers.
    pub servers: ServerSteps,
    /// Tiers I to IV, by rising bounds; what is above the last is tier V.
    pub tiers: [TierTerms; 4],
    /// The rates of ETFs for diversified investment; `None` where they have those of the tier.
    pub diversified: [Option<Rates>; 4],
    /// A mean of monthly percentages below this is too little, in ten-thousandths of a percent.
    pub drop_pct: u64,
    /// Months in that mean.
    pub drop_months: u32,
    /// So many months in a row without the number of ETFs are too many.
    pub revoke_months: u32,
}

/// Free virtual servers by number of ETFs.
///
/// Clause: `ST1/free-servers`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServerSteps {
    /// From so many ETFs on so many servers; both rise.
    pub steps: Vec<(u32, u32)>,
    /// For every so many ETFs (not 0) above the last step, so many servers more.
    pub beyond: (u32, u32),
}

impl ServerSteps {
    /// Free virtual servers by number of non-leveraged/inverse ETFs.
    ///
    /// ```
    /// use quoteclock_rules::Incentives;
    ///
    /// let servers = Incentives::built_in().servers;
    /// assert_eq!((servers.free(19), servers.free(20), servers.free(120)), (0, 2, 12));
    /// ```
    ///
    /// Clauses: `ST1/free-servers`, `QC/servers_count`.
    pub fn free(&self, etfs: u32) -> u32 {
        let reached = self.steps.partition_point(|(from, _)| *from <= etfs);
        let Some(&(from, servers)) = reached.checked_sub(1).and_then(|last| self.steps.get(last)) else { return 0 };
        let (every, more) = self.beyond;
        let beyond = if reached == self.steps.len() { ((etfs - from) / every).saturating_mul(more) } else { 0 };
        servers.saturating_add(beyond)
    }
}

/// One tier: its bound and its rates.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TierTerms {
    /// The average daily trading value is under this, in ten-thousandths of a currency unit.
    pub average_under: Amount,
    /// What is paid.
    pub rates: Rates,
}

/// Rates on trading value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rates {
    /// Continuous executions against anyone but a market maker signed up for the issue.
    pub others: Bps,
    /// Call-auction executions, and executions against a market maker signed up for the issue.
    pub auction_or_market_maker: Bps,
}

impl Incentives {
    /// Those of ST-1 v4.3.
    pub fn built_in() -> Incentives {
        let yen = |whole: u128| Amount(whole * 10_000);
        let tier = |average_under, others, auction_or_market_maker| TierTerms {
            average_under: yen(average_under),
            rates: Rates { others: Bps(others), auction_or_market_maker: Bps(auction_or_market_maker) },
        };
        Incentives {
            etfs_required: 5,
            order_fee: Amount(1_000),
            orders_max: 100_000,
            server_fee: yen(90_000),
            servers: ServerSteps {
                steps: vec![(20, 2), (30, 3), (40, 4), (60, 6), (80, 8), (100, 10)],
                beyond: (20, 2),
            },
            tiers: [
                tier(100_000_000, 5_000, 2_000),
                tier(500_000_000, 2_500, 2_000),
                tier(1_000_000_000, 1_500, 1_000),
                tier(5_000_000_000, 1_000, 1_000),
            ],
            diversified: [None; 4],
            drop_pct: 50_000,
            drop_months: 6,
            revoke_months: 12,
        }
    }

    /// The tier of an issue whose market traded `total` on `days` days; `None` without a day. Bounds are compared exactly.
    ///
    /// Clause: `ST1/tiers`.
    pub fn tier_of(&self, total: Amount, days: u32) -> Option<Tier> {
        const TIERS: [Tier; 4] = [Tier::I, Tier::II, Tier::III, Tier::IV];
        let under = |bound: Amount| total.0 < bound.0 * u128::from(days);
        let of = || self.tiers.iter().position(|tier| under(tier.average_under)).map_or(Tier::V, |place| TIERS[place]);
        (days > 0).then(of)
    }

    /// What is paid on trading value; `None` for tier V.
    ///
    /// Clauses: `ST1/trading-value`, `ST1/diversified`.
    pub fn rates(&self, tier: Tier, diversified: bool) -> Option<Rates> {
        let place = match tier {
            Tier::I => 0,
            Tier::II => 1,
            Tier::III => 2,
            Tier::IV => 3,
            Tier::V => return None,
        };
        let own = self.diversified[place].filter(|_| diversified);
        Some(own.unwrap_or(self.tiers[place].rates))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // clause: ST1/free-servers
    #[test]
    fn free_servers_rise_with_the_number_of_etfs() {
        let steps = [
            (0, 0),
            (5, 0),
            (19, 0),
            (20, 2),
            (29, 2),
            (30, 3),
            (39, 3),
            (40, 4),
            (59, 4),
            (60, 6),
            (79, 6),
            (80, 8),
            (99, 8),
            (100, 10),
            (119, 10),
            (120, 12),
            (139, 12),
            (140, 14),
            (350, 34),
        ];
        let built_in = Incentives::built_in().servers;
        for (etfs, servers) in steps {
            assert_eq!(built_in.free(etfs), servers, "{etfs} ETFs");
        }
        assert_eq!(ServerSteps { steps: vec![], beyond: (20, 2) }.free(350), 0, "nothing is above no step");
    }

    // clause: ST1/tiers
    #[test]
    fn a_tier_begins_at_its_bound_exactly() {
        let built_in = Incentives::built_in();
        let yen = |whole: u128| whole * 10_000;
        for (bound, below, from) in [
            (yen(100_000_000), Tier::I, Tier::II),
            (yen(500_000_000), Tier::II, Tier::III),
            (yen(1_000_000_000), Tier::III, Tier::IV),
            (yen(5_000_000_000), Tier::IV, Tier::V),
        ] {
            // Over three days the average of one ten-thousandth less is not a number of four decimals.
            assert_eq!(built_in.tier_of(Amount(bound * 3 - 1), 3), Some(below));
            assert_eq!(built_in.tier_of(Amount(bound * 3), 3), Some(from));
        }
        assert_eq!(built_in.tier_of(Amount(0), 1), Some(Tier::I));
        assert_eq!(built_in.tier_of(Amount(0), 0), None);
    }

    // clause: ST1/trading-value, ST1/diversified
    #[test]
    fn rates_are_those_of_the_tier_and_diversified_ones_where_the_scheme_has_them() {
        let mut scheme = Incentives::built_in();
        let rates = |others, auction| Some(Rates { others: Bps(others), auction_or_market_maker: Bps(auction) });
        for diversified in [false, true] {
            assert_eq!(scheme.rates(Tier::I, diversified), rates(5_000, 2_000));
            assert_eq!(scheme.rates(Tier::II, diversified), rates(2_500, 2_000));
            assert_eq!(scheme.rates(Tier::III, diversified), rates(1_500, 1_000));
            assert_eq!(scheme.rates(Tier::IV, diversified), rates(1_000, 1_000));
            assert_eq!(scheme.rates(Tier::V, diversified), None);
        }
        scheme.diversified[0] = rates(9_000, 4_000);
        assert_eq!(scheme.rates(Tier::I, true), rates(9_000, 4_000));
        assert_eq!(scheme.rates(Tier::I, false), rates(5_000, 2_000));
        assert_eq!(scheme.rates(Tier::II, true), rates(2_500, 2_000), "a tier that it does not name keeps its rates");
    }
}
