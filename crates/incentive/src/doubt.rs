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
