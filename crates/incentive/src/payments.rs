//! What each market maker and participant is paid for a month, in all.

use crate::{ConditionLine, Incentive, IncentiveLine, MakerLine, Payout};
use quoteclock_rules::ConditionKind;
use std::collections::BTreeMap;

/// A row of `payments.csv`: whole yen.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PaymentLine {
    /// Who has it.
    pub market_maker: String,
    /// Through which participant it is paid; `None` where none is named.
    pub participant: Option<String>,
    /// For trading value.
    pub trading_value_yen: u128,
    /// Access fees that are waived.
    pub access_fee_yen: u128,
    /// By asset managers as sponsors.
    pub sponsored_yen: u128,
    /// From matching funds, both halves.
    pub matching_yen: u128,
    /// Virtual server fees that are waived.
    pub server_waiver_yen: u128,
}

impl PaymentLine {
    /// All of it.
    pub fn total_yen(&self) -> u128 {
        let parts = [self.access_fee_yen, self.sponsored_yen, self.matching_yen, self.server_waiver_yen];
        parts.into_iter().fold(self.trading_value_yen, u128::saturating_add)
    }
}

/// One line for each market maker and participant with a line of incentives, something paid under a condition, or a
/// server waiver, by market maker and participant. An amount that is unknown counts as nothing.
///
/// Clause: `ST1/participant`.
pub fn payments(incentives: &[IncentiveLine], conditions: &[ConditionLine], makers: &[MakerLine]) -> Vec<PaymentLine> {
    let mut lines: BTreeMap<(&str, &str), PaymentLine> = BTreeMap::new();
    for line in incentives {
        let of = line_of(&mut lines, &line.market_maker, line.participant.as_deref());
        let amount = line.amount_yen.unwrap_or(0);
        match line.incentive {
            Incentive::AccessFee => of.access_fee_yen += amount,
            Incentive::ValueAuctionOrMarketMaker | Incentive::ValueOthers => of.trading_value_yen += amount,
        }
    }
    for line in conditions {
        let Some(Payout { amount_yen: amount @ 1.., .. }) = line.payout else { continue };
        let of = line_of(&mut lines, &line.market_maker, line.participant.as_deref());
        match line.kind {
            ConditionKind::Sponsored => of.sponsored_yen += amount,
            ConditionKind::Matching => of.matching_yen += amount,
        }
    }
    for maker in makers.iter().filter(|maker| maker.server_waiver_yen() > 0) {
        let of = line_of(&mut lines, &maker.market_maker, maker.server_participant.as_deref());
        of.server_waiver_yen += maker.server_waiver_yen();
    }
    lines.into_values().collect()
}

fn line_of<'l, 'k>(
    lines: &'l mut BTreeMap<(&'k str, &'k str), PaymentLine>,
    market_maker: &'k str,
    participant: Option<&'k str>,
) -> &'l mut PaymentLine {
    lines.entry((market_maker, participant.unwrap_or_default())).or_insert_with(|| PaymentLine {
        market_maker: market_maker.to_owned(),
        participant: participant.map(str::to_owned),
        ..PaymentLine::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use quoteclock_model::Amount;

    // clause: ST1/free-servers, ST1/participant
    #[test]
    fn a_server_waiver_is_paid_and_none_is_no_line() {
        for (registered, expected) in [(0, None), (1, Some(90_000)), (2, Some(180_000))] {
            let maker = MakerLine {
                market_maker: "MM1".to_owned(),
                etfs_fulfilled: 20,
                etfs_required: 5,
                server_fee: Amount(900_000_000),
                free_servers: 2,
                servers_registered: registered,
                server_participant: Some("P1".to_owned()),
            };
            let line = |server_waiver_yen| PaymentLine {
                market_maker: "MM1".to_owned(),
                participant: Some("P1".to_owned()),
                server_waiver_yen,
                ..PaymentLine::default()
            };
            assert_eq!(payments(&[], &[], &[maker]), Vec::from_iter(expected.map(line)), "{registered}");
        }
    }
}
