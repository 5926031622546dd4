//! What follows from the month for each market maker: whether it quoted enough ETFs, and its free virtual servers.

use crate::{Line, Month, Status};
use jiff::civil::Date;
use quoteclock_rules::{Period, Registry};
use std::collections::{BTreeMap, BTreeSet};

/// How many non-leveraged/inverse ETFs have to be fulfilled for any incentive.
///
/// Clause: `ST1/number-of-etfs`.
pub const ETFS_REQUIRED: u32 = 5;

/// What a virtual server of type A costs a month, in yen.
///
/// Clause: `ST1/free-servers`.
pub const SERVER_FEE_YEN: u64 = 90_000;

/// One market maker in one month.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MakerLine {
    /// The market maker.
    pub market_maker: String,
    /// Non-leveraged/inverse ETFs whose `general` is fulfilled.
    pub etfs_fulfilled: u32,
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
        ETFS_REQUIRED <= self.etfs_fulfilled
    }

    /// The fee that is waived for the month, in yen.
    ///
    /// Clause: `ST1/free-servers`.
    pub fn server_waiver_yen(&self) -> u64 {
        let servers = if self.qualifies() { self.free_servers.min(self.servers_registered) } else { 0 };
        u64::from(servers) * SERVER_FEE_YEN
    }
}

/// Free virtual servers by number of non-leveraged/inverse ETFs fulfilled.
///
/// Clauses: `ST1/free-servers`, `QC/servers_count`.
pub const fn free_servers(etfs: u32) -> u32 {
    match etfs {
        0..20 => 0,
        20..30 => 2,
        30..40 => 3,
        40..60 => 4,
        60..80 => 6,
        80..100 => 8,
        _ => 10 + (etfs - 100) / 20 * 2,
    }
}

/// Every market maker that was signed up for anything in the month, or has a line in it, by name.
pub fn makers(month: Month, lines: &[Line], registry: &Registry) -> Vec<MakerLine> {
    let signed_up = registry.sign_ups().iter().filter(|sign_up| within(sign_up.period, month));
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
            free_servers: free_servers(etfs_fulfilled),
            servers_registered: servers_registered(market_maker, month, registry),
            server_participant: participants.first().map(|lowest| (*lowest).to_owned()),
        }
    };
    participants.into_iter().map(maker).collect()
}

/// Clause: `ST1/number-of-etfs`.
fn etfs_fulfilled(market_maker: &str, lines: &[Line]) -> u32 {
    let own = &lines[lines.partition_point(|line| line.key.market_maker.as_str() < market_maker)..];
    let own = own.iter().take_while(|line| line.key.market_maker == market_maker);
    let counts = |line: &&Line| {
        line.key.obligation == "general" && !line.leveraged_inverse && line.status() == Status::Fulfilled
    };
    u32::try_from(own.filter(counts).count()).expect("fewer ETFs than 32 bits count")
}

fn servers_registered(market_maker: &str, month: Month, registry: &Registry) -> u32 {
    let servers = registry.servers().iter();
    let own = servers.filter(|server| server.market_maker == market_maker && within(server.period, month));
    let names: BTreeSet<&str> = own.map(|server| server.server.as_str()).collect();
    u32::try_from(names.len()).expect("fewer servers than 32 bits count")
}

/// Whether the period holds a date of the month.
fn within(period: Period, month: Month) -> bool {
    let dates: (Date, Date) = month.dates().into_inner();
    period.overlaps(Period { from: Some(dates.0), to: Some(dates.1) })
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
        for (etfs, servers) in steps {
            assert_eq!(free_servers(etfs), servers, "{etfs} ETFs");
        }
    }

    // clause: ST1/number-of-etfs
    #[test]
    fn five_etfs_qualify_and_four_do_not() {
        let maker = |etfs_fulfilled, free_servers, servers_registered| MakerLine {
            market_maker: "MM1".to_owned(),
            etfs_fulfilled,
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
