//! Who asks: the bearer token of a request, and what its holder may see.

use super::Http;
use crate::tokens::Role;
use axum::http::{HeaderMap, header};
use jiff::civil::Date;
use quoteclock_model::IssueCode;
use quoteclock_rules::Registry;

/// Whoever has been told apart by a token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Caller {
    pub(super) role: Role,
    party: String,
}

impl Caller {
    /// The holder of the request's token; `None` without a valid one.
    pub(super) fn of(headers: &HeaderMap, shown: &Http) -> Option<Caller> {
        let mut given = headers.get_all(header::AUTHORIZATION).iter();
        let value = given.next().filter(|_| given.next().is_none())?;
        let token = value.as_bytes().strip_prefix(b"Bearer ")?;
        let row = shown.desk.holder(token)?;
        Some(Caller { role: row.role, party: row.party })
    }

    /// Whether the caller sees anything of the market.
    pub(super) fn sees_market(&self) -> bool {
        self.role != Role::Operator
    }

    /// Whether the caller sees the obligations of `market_maker` in `issue` on `date`.
    pub(super) fn sees(&self, registry: &Registry, date: Date, market_maker: &str, issue: &str) -> bool {
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
