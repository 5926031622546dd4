//! Incentives for what a market maker sent and traded.

use super::TurnoverRow;
use super::numbers::{decimal, floor, fraction, trimmed};
use super::sums::Money;
use crate::text::ten_thousandths;
use std::collections::BTreeSet;

impl Money<'_> {
    pub(super) fn incentives(&self) -> Vec<Vec<String>> {
        let mut lines = Vec::new();
        let scheme = &self.case.scheme;
        for (market_maker, issue) in self.asked(self.first) {
            let last = self.asked_last(self.first, &market_maker, &issue)[0].last;
            if self.is_leveraged(&issue, last) || !self.qualifies(self.first, &market_maker) {
                continue;
            }
            let fulfilled = self.status_of_sign_up(self.first, &market_maker, &issue) == "fulfilled";
            if !fulfilled && !scheme.access_fee_signed_up {
                continue;
            }
            let tier = self.tier(&issue, last);
            let diversified = self.issue_row(&issue, last).is_some_and(|row| row.get("diversified") == "true");
            let participants: BTreeSet<String> = self
                .turnover_rows(&market_maker, &issue)
                .map(|row| self.participant(&market_maker, &issue, row.date))
                .collect();
            for participant in participants {
                let own = |row: &&TurnoverRow| self.participant(&market_maker, &issue, row.date) == participant;
                let days: Vec<&TurnoverRow> = self.turnover_rows(&market_maker, &issue).filter(own).collect();
                let mut line = |incentive: &str, basis: String, rate: String, amount: String, clause: &str| {
                    let fields = [
                        &self.case.month,
                        &market_maker,
                        &participant,
                        &issue,
                        &tier,
                        incentive,
                        &basis,
                        &rate,
                        &amount,
                        clause,
                    ];
                    lines.push(fields.iter().map(|field| (*field).to_owned()).collect());
                };
                let orders: i128 = days.iter().map(|row| row.orders.min(scheme.orders_max)).sum();
                let fee = decimal(&scheme.order_fee);
                let rate = trimmed(ten_thousandths(&scheme.order_fee).expect("a fee"));
                line("access_fee", orders.to_string(), rate, floor(&(fee * fraction(orders, 1))), "ST1/access-fee");
                if !fulfilled || tier == "V" {
                    continue;
                }
                let others: i128 = days.iter().map(|row| row.continuous[1].0 + row.continuous[2].0).sum();
                let rest: i128 = days
                    .iter()
                    .map(|row| row.continuous[0].0 + row.auction[0].0 + row.auction[1].0 + row.auction[2].0)
                    .sum();
                let place = ["I", "II", "III", "IV"].iter().position(|of| *of == tier);
                let rates = place.map(|place| {
                    let own = scheme.diversified.get(&tier).filter(|_| diversified);
                    own.unwrap_or(&scheme.tiers[place]).clone()
                });
                for (incentive, basis, column) in [("value_others", others, 1), ("value_auction_or_mm", rest, 2)] {
                    let (rate, amount) = match &rates {
                        Some(rates) => {
                            let amount = fraction(basis, 10_000) * decimal(&rates[column]) / fraction(10_000, 1);
                            (trimmed(ten_thousandths(&rates[column]).expect("a rate")), floor(&amount))
                        }
                        None => (String::new(), String::new()),
                    };
                    line(incentive, trimmed(basis), rate, amount, "ST1/trading-value");
                }
            }
        }
        lines
    }
}
