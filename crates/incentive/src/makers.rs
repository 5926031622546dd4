//! What follows from the month for each market maker: whether it quoted enough ETFs, and its free virtual servers.

use crate::{Month, MonthLine, SignUpMonth, Status, sign_up_months};
use quoteclock_model::Amount;
use quoteclock_rules::Registry;
use std::collections::{BTreeMap, BTreeSet};

/// One market maker in one month.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MakerLine {
    /// The market maker.
    pub market_maker: String,
    /// Non-leveraged/inverse ETFs whose `general` is fulfilled.
    pub etfs_fulfilled: u32,
    /// How many the scheme requires for any incentive. Clause: `ST1/number-of-etfs`.
    pub etfs_required: u32,
    /// What one virtual server costs a month.
    pub server_fee: Amount,
    /// Free virtual servers by that number, before what is registered limits them.
    pub free_servers: u32,
    /// Virtual servers of the market maker that are in force on any date of the month.
    pub servers_registered: u32,
    /// The participant to which the waiver goes: the lowest code of those of its sign-ups. Clause: `ST1/participant`.
    pub server_participant: Option<String>,
}

impl MakerLine {
    /// Whether the market maker may have incentives at all.
    ///
    /// Clause: `ST1/number-of-etfs`.
    pub fn qualifies(&self) -> bool {
        self.etfs_required <= self.etfs_fulfilled
    }

    /// The fee that is waived for the month, rounded down to the yen.
    ///
    /// Clauses: `ST1/free-servers`, `QC/yen_rounding`.
    pub fn server_waiver_yen(&self) -> u128 {
        let servers = if self.qualifies() { self.free_servers.min(self.servers_registered) } else { 0 };
        u128::from(servers) * self.server_fee.0 / 10_000
    }
}

/// Every market maker that was signed up for anything in the month, or has a line in it, by name.
pub fn makers(month: Month, lines: &[MonthLine], registry: &Registry) -> Vec<MakerLine> {
    let scheme = registry.scheme().incentives();
    let signed_up = registry.sign_ups().iter().filter(|sign_up| month.holds_any_of(sign_up.period));
    let mut participants: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for sign_up in signed_up {
        participants.entry(&sign_up.market_maker).or_default().extend(sign_up.participant.as_deref());
    }
    for line in lines {
        participants.entry(&line.key.market_maker).or_default();
    }
    let maker = |(market_maker, participants): (&str, BTreeSet<&str>)| {
        let etfs_fulfilled = etfs_fulfilled(market_maker, lines);
        MakerLine {
            market_maker: market_maker.to_owned(),
            etfs_fulfilled,
            etfs_required: scheme.etfs_required,
            server_fee: scheme.server_fee,
            free_servers: scheme.servers.free(etfs_fulfilled),
            servers_registered: servers_registered(market_maker, month, registry),
            server_participant: participants.first().map(|lowest| (*lowest).to_owned()),
        }
    };
    participants.into_iter().map(maker).collect()
}

/// Clause: `ST1/number-of-etfs`.
pub(crate) fn etfs_fulfilled(market_maker: &str, lines: &[MonthLine]) -> u32 {
    let own = &lines[lines.partition_point(|line| line.key.market_maker.as_str() < market_maker)..];
    let own = &own[..own.partition_point(|line| line.key.market_maker == market_maker)];
    let counts = |of: &SignUpMonth<'_>| !of.leveraged_inverse() && of.status() == Status::Fulfilled;
    u32::try_from(sign_up_months(own).filter(counts).count()).expect("fewer ETFs than 32 bits count")
}

fn servers_registered(market_maker: &str, month: Month, registry: &Registry) -> u32 {
    let servers = registry.servers().iter();
    let own = servers.filter(|server| server.market_maker == market_maker && month.holds_any_of(server.period));
    let names: BTreeSet<&str> = own.map(|server| server.server.as_str()).collect();
    u32::try_from(names.len()).expect("fewer servers than 32 bits count")
}

#[cfg(test)]
mod tests {
    use super::*;

    // clause: ST1/number-of-etfs
    // clause: ST1/free-servers
    #[test]
    fn five_etfs_qualify_and_four_do_not() {
        let maker = |etfs_fulfilled, free_servers, servers_registered| MakerLine {
            market_maker: "MM1".to_owned(),
            etfs_fulfilled,
            etfs_required: 5,
            server_fee: Amount(900_000_000),
            free_servers,
            servers_registered,
            server_participant: None,
        };
        assert!(!maker(4, 0, 9).qualifies() && maker(5, 0, 9).qualifies());
        assert_eq!(maker(40, 4, 9).server_waiver_yen(), 360_000);
        assert_eq!(maker(40, 4, 3).server_waiver_yen(), 270_000, "at most as many as are registered");
        assert_eq!(maker(4, 4, 4).server_waiver_yen(), 0);
    }
}
