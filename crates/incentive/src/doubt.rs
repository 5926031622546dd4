//! What rests on a status that unknown time could turn.

use crate::{Settlement, SignUpMonth, Status, sign_up_months};
use quoteclock_model::IssueCode;
use std::collections::{BTreeMap, BTreeSet};

/// What could come out otherwise if unknown time were known.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Doubtful {
    /// Market makers that would meet the number of ETFs, or not: between so many and so many ETFs.
    pub qualifies: BTreeMap<String, (u32, u32)>,
    /// Market makers whose free virtual servers would be others.
    pub servers: BTreeSet<String>,
    /// Incentives 1 and 2, of a market maker in an issue.
    pub incentives: BTreeSet<(String, IssueCode)>,
    /// Payments of a condition for an issue, as output files write it, whoever has them.
    pub conditions: BTreeSet<(String, IssueCode)>,
}

impl Settlement {
    /// What rests on a status that unknown time could turn.
    ///
    /// Clause: `ST1/quote-display-time`.
    pub fn doubtful(&self, servers: &quoteclock_rules::ServerSteps) -> Doubtful {
        let mut doubtful = Doubtful::default();
        let counted: Vec<SignUpMonth<'_>> = sign_up_months(&self.lines).filter(|of| !of.leveraged_inverse()).collect();
        for maker in &self.makers {
            let own: Vec<SignUpMonth<'_>> =
                counted.iter().copied().filter(|of| of.market_maker() == maker.market_maker).collect();
            let count = |is: &dyn Fn(&SignUpMonth<'_>) -> bool| {
                u32::try_from(own.iter().filter(|of| is(of)).count()).unwrap_or(u32::MAX)
            };
            let least = count(&|of| of.certain() && of.status() == Status::Fulfilled);
            let most = count(&|of| !of.certain() || of.status() == Status::Fulfilled);
            let required = maker.etfs_required;
            if least < required && required <= most {
                doubtful.qualifies.insert(maker.market_maker.clone(), (least, most));
            }
            let free = |etfs: u32| if etfs < required { 0 } else { servers.free(etfs).min(maker.servers_registered) };
            if free(least) != free(most) {
                doubtful.servers.insert(maker.market_maker.clone());
            }
            if most < required {
                continue;
            }
            let unsure = |of: &&SignUpMonth<'_>| !of.certain() || doubtful.qualifies.contains_key(of.market_maker());
            let possible = |of: &&SignUpMonth<'_>| !of.certain() || of.status() == Status::Fulfilled;
            let found: Vec<_> = own.iter().filter(unsure).filter(possible).collect();
            doubtful.incentives.extend(found.into_iter().map(|of| (of.market_maker().to_owned(), of.issue().clone())));
        }
        for line in self.lines.iter().filter(|line| line.condition().is_some()) {
            let qualifies = doubtful.qualifies.contains_key(&line.key.market_maker);
            if !line.certain() || qualifies && line.status() == Status::Fulfilled {
                doubtful.conditions.insert((line.key.obligation.to_string(), line.key.issue.clone()));
            }
        }
        doubtful
    }
}

impl Doubtful {
    /// Each thing as words.
    ///
    /// ```
    /// use quoteclock_incentive::Doubtful;
    ///
    /// let mut doubtful = Doubtful::default();
    /// doubtful.qualifies.insert("MM1".to_owned(), (4, 6));
    /// assert_eq!(doubtful.words(), ["whether MM1 meets the number of ETFs (4 to 6)"]);
    /// ```
    pub fn words(&self) -> Vec<String> {
        let qualifies = self.qualifies.iter();
        let qualifies = qualifies
            .map(|(name, (least, most))| format!("whether {name} meets the number of ETFs ({least} to {most})"));
        let servers = self.servers.iter().map(|name| format!("the free servers of {name}"));
        let incentives = self.incentives.iter().map(|(name, issue)| format!("the incentives of {name} in {issue}"));
        let conditions = self.conditions.iter().map(|(name, issue)| format!("the payments of {name} in {issue}"));
        qualifies.chain(servers).chain(incentives).chain(conditions).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AccountKey, MakerLine, Month, MonthLine};
    use jiff::civil::date;
    use quoteclock_ledger::Total;
    use quoteclock_model::{Amount, Micros, ObligationId};
    use quoteclock_rules::{Aggregate, ServerSteps};

    // Of 100 microseconds, of which 80 % are required: those that were fulfilled, and those unknown beside them.
    const MET: (u64, u64) = (80, 0);
    const MISSED: (u64, u64) = (79, 0);
    const MAY_FAIL: (u64, u64) = (80, 1);
    const MAY_PASS: (u64, u64) = (79, 5);

    fn line(issue: usize, obligation: ObligationId, (fulfilled, unknown): (u64, u64)) -> MonthLine {
        let issue = IssueCode::new(issue.to_string().as_bytes()).unwrap();
        MonthLine {
            key: AccountKey { market_maker: "MM1".to_owned(), issue, obligation },
            total: Total { available: Micros(100), fulfilled: Micros(fulfilled), unknown: Micros(unknown) },
            aggregate: Aggregate::default(),
            days: Vec::new(),
            required_pct: 800_000,
            leveraged_inverse: false,
            need: None,
            last_measured: date(2024, 3, 1),
            days_measured: 1,
            trading_days: 1,
        }
    }

    /// Of a market maker that needs two ETFs, and has one free server from two of them on and three from four on.
    fn doubtful(lines: Vec<MonthLine>, servers_registered: u32) -> Vec<String> {
        let maker = MakerLine {
            market_maker: "MM1".to_owned(),
            etfs_fulfilled: 0,
            etfs_required: 2,
            server_fee: Amount(0),
            free_servers: 0,
            servers_registered,
            server_participant: None,
        };
        let settlement = Settlement {
            month: Month::of(date(2024, 3, 1)),
            lines,
            makers: vec![maker],
            incentives: Vec::new(),
            conditions: Vec::new(),
            tiers: Vec::new(),
            recommendations: Vec::new(),
            payments: Vec::new(),
            review_days_missing: Vec::new(),
        };
        settlement.doubtful(&ServerSteps { steps: vec![(2, 1), (4, 3)], beyond: (1, 0) }).words()
    }

    // clause: ST1/number-of-etfs, ST1/free-servers
    #[test]
    fn what_rests_on_the_number_of_etfs_is_in_doubt_where_unknown_time_can_turn_that() {
        let qualifies = "whether MM1 meets the number of ETFs (1 to 2)";
        let servers = "the free servers of MM1";
        let [first, second, third, fourth] =
            [1301, 1302, 1303, 1304].map(|of| format!("the incentives of MM1 in {of}"));
        for (general, registered, expected) in [
            (&[MET, MET, MISSED][..], 9, &[][..]),
            (&[MET, MAY_FAIL], 9, &[qualifies, servers, &first, &second][..]),
            // Only those that are, or could be, fulfilled have any.
            (&[MET, MAY_PASS, MISSED], 9, &[qualifies, servers, &first, &second]),
            // With two it qualifies anyway, and two and three have the same servers; three and four have not.
            (&[MET, MET, MAY_FAIL], 9, &[&third]),
            (&[MET, MET, MET, MAY_PASS], 9, &[servers, &fourth]),
            (&[MET, MET, MET, MAY_PASS], 1, &[&fourth]),
            // With one it does not in any case.
            (&[MISSED, MAY_FAIL], 9, &[]),
        ] {
            let lines = (1301..).zip(general).map(|(issue, share)| line(issue, ObligationId::GENERAL, *share));
            assert_eq!(doubtful(lines.collect(), registered), expected, "{general:?} {registered}");
        }
    }

    // clause: ST1/quote-display-time
    #[test]
    fn payments_of_a_condition_are_in_doubt_with_its_own_status_or_with_the_number_of_etfs() {
        let sponsored = || ObligationId::Sponsored("S".to_owned());
        for (second, share, in_doubt) in [
            (MET, MET, false),
            (MET, MISSED, false),
            (MET, MAY_FAIL, true),
            (MET, MAY_PASS, true),
            (MAY_FAIL, MET, true),
            (MAY_FAIL, MISSED, false),
        ] {
            let general = ObligationId::GENERAL;
            let lines =
                vec![line(1301, general.clone(), MET), line(1301, sponsored(), share), line(1302, general, second)];
            let told = doubtful(lines, 9).contains(&"the payments of sponsored:S in 1301".to_owned());
            assert_eq!(told, in_doubt, "{second:?} {share:?}");
        }
    }
}
