//! Who is told something, and what of a market it may see.

use crate::tokens::Role;
use jiff::civil::Date;
use quoteclock_model::IssueCode;
use quoteclock_rules::Registry;

/// Who is asked about: a role, and the party that has it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Recipient {
    pub(crate) role: Role,
    /// Empty where the role has none.
    pub(crate) party: String,
}

impl Recipient {
    /// Whether it sees anything of the market.
    pub(crate) fn sees_market(&self) -> bool {
        self.role != Role::Operator
    }

    /// Whether it sees where the feed stands, to the message.
    pub(crate) fn sees_feed(&self) -> bool {
        matches!(self.role, Role::Exchange | Role::Operator)
    }

    /// Whether it sees the obligations of `market_maker` in `issue` on `date`.
    pub(crate) fn sees(&self, registry: &Registry, date: Date, market_maker: &str, issue: &str) -> bool {
        match self.role {
            Role::Exchange => true,
            Role::MarketMaker => self.party == market_maker,
            Role::AssetManager => IssueCode::new(issue.as_bytes())
                .and_then(|code| {
                    registry.issue_on(&code, date).map(|row| row.asset_manager.as_deref() == Some(&self.party))
                })
                .unwrap_or(false),
            Role::Operator => false,
        }
    }
}

/// Whether the registry knows `party` in `role`.
pub(crate) fn is_party(registry: &Registry, role: Role, party: &str) -> bool {
    match role {
        Role::MarketMaker => registry.market_makers().iter().any(|market_maker| market_maker.market_maker == party),
        Role::AssetManager => registry.issues().iter().any(|issue| issue.asset_manager.as_deref() == Some(party)),
        Role::Exchange | Role::Operator => party.is_empty(),
    }
}
