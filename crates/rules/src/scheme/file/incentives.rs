//! `[incentives]` of a `scheme.toml`. What it leaves out is as built in; `server_steps` is replaced whole.

use super::{FILE, Reader, Value};
use crate::incentives::{MONTHS_MAX, RATE_MAX};
use crate::value::{self, Expected};
use crate::{Rates, TierTerms};
use quoteclock_model::{Amount, Bps};
use toml::de::DeTable;

const KEYS: &str = "etfs_required, order_fee, orders_max, server_fee, server_steps, server_beyond, drop_pct, \
                    drop_months, revoke_months, tiers, diversified";

impl Reader<'_> {
    /// Clauses: `ST1/number-of-etfs`, `ST1/access-fee`, `ST1/free-servers`, `ST1/six-month-average`, `ST1/twelve-months`.
    pub(super) fn incentives(&mut self, value: &Value<'_>) {
        let Some(table) = value.get_ref().as_table() else {
            return self.wrong(value, "expected a table: [incentives]");
        };
        for (key, value) in table.iter() {
            match key.get_ref().as_ref() {
                "etfs_required" => self.set(value, small, |scheme, number| scheme.etfs_required = number),
                "order_fee" => self.set(value, value::decimal, |scheme, fee| scheme.order_fee = Amount(fee.into())),
                "orders_max" => self.set(value, value::whole, |scheme, number| scheme.orders_max = number),
                "server_fee" => self.set(value, value::decimal, |scheme, fee| scheme.server_fee = Amount(fee.into())),
                "server_steps" => self.server_steps(value),
                "server_beyond" => {
                    if let Some(beyond) = self.pair(value, "expected ETFs and servers, such as [20, 2]") {
                        if beyond.0 == 0 {
                            self.wrong(value, "expected a number of ETFs above 0, such as [20, 2]");
                        } else {
                            self.file.scheme.incentives.servers.beyond = beyond;
                        }
                    }
                }
                "drop_pct" => {
                    if let Some(share) = self.percent(value) {
                        self.file.scheme.incentives.drop_pct = share;
                    }
                }
                "drop_months" => self.set(value, months, |scheme, number| scheme.drop_months = number),
                "revoke_months" => self.set(value, months, |scheme, number| scheme.revoke_months = number),
                "tiers" => self.tiers(value),
                // Compared with the tiers, so read after them.
                "diversified" => {}
                _ => self.unknown_key(key, KEYS),
            }
        }
        if let Some(diversified) = table.get("diversified") {
            self.diversified(diversified);
        }
    }

    fn set<T>(
        &mut self,
        value: &Value<'_>,
        parse: fn(&str) -> Result<T, Expected>,
        set: impl FnOnce(&mut crate::Incentives, T),
    ) {
        if let Some(parsed) = self.number(value, parse) {
            set(&mut self.file.scheme.incentives, parsed);
        }
    }

    fn server_steps(&mut self, value: &Value<'_>) {
        const EXPECTED: &str = "expected a list of ETFs and servers, such as [[20, 2], [30, 3]]";
        let Some(items) = value.get_ref().as_array() else { return self.wrong(value, EXPECTED) };
        let steps: Vec<_> = items.iter().map(|item| self.pair(item, EXPECTED)).collect();
        let Some(steps) = steps.into_iter().collect::<Option<Vec<_>>>() else { return };
        let falls = |pair: &[(u32, u32)]| pair[1].0 <= pair[0].0 || pair[1].1 < pair[0].1;
        match steps.windows(2).position(falls) {
            Some(at) => self.wrong(&items[at + 1], "expected more ETFs than in the step before, and no fewer servers"),
            None => self.file.scheme.incentives.servers.steps = steps,
        }
    }

    fn pair(&mut self, value: &Value<'_>, expected: &str) -> Option<(u32, u32)> {
        let Some([etfs, servers]) = value.get_ref().as_array().map(|items| &items[..]) else {
            self.wrong(value, expected);
            return None;
        };
        let (etfs, servers) = (self.number(etfs, small), self.number(servers, small));
        Some((etfs?, servers?))
    }

    /// Clauses: `ST1/tiers`, `ST1/trading-value`.
    fn tiers(&mut self, value: &Value<'_>) {
        let Some(table) = value.get_ref().as_table() else {
            return self.wrong(value, "expected a table: [incentives.tiers]");
        };
        for (place, terms) in self.tier_table(table) {
            self.file.scheme.incentives.tiers[place] = terms;
        }
        let tiers = &self.file.scheme.incentives.tiers;
        if tiers.windows(2).any(|pair| pair[1].average_under < pair[0].average_under) {
            self.wrong(value, "expected bounds that rise from I to IV");
        }
    }

    /// The rates only: a tier begins where it does for every issue. Clause: `ST1/diversified`.
    fn diversified(&mut self, value: &Value<'_>) {
        let Some(table) = value.get_ref().as_table() else {
            return self.wrong(value, "expected a table: [incentives.diversified]");
        };
        for (place, terms) in self.tier_table(table) {
            self.file.scheme.incentives.diversified[place] = Some(terms.rates);
            if terms.average_under != self.file.scheme.incentives.tiers[place].average_under {
                let (line, column) = self.places.place(value.span().start);
                let message = "the bounds differ from those of [incentives.tiers], which decide for every issue: here only \
                               the rates count (ST1/diversified)";
                self.findings.warning_at(FILE, line, column, message.to_owned());
            }
        }
    }

    /// The tiers that a table names, by place.
    fn tier_table(&mut self, table: &DeTable<'_>) -> Vec<(usize, TierTerms)> {
        let mut tiers = Vec::new();
        for (key, value) in table.iter() {
            let Some(place) = ["I", "II", "III", "IV"].iter().position(|name| name == key.get_ref()) else {
                self.unknown_key(key, "I, II, III, IV");
                continue;
            };
            let items = value.get_ref().as_array().map(|items| &items[..]);
            let Some([average_under, others, auction]) = items else {
                self.wrong(value, r#"expected a bound and two rates in bps, such as ["100000000", "0.5", "0.2"]"#);
                continue;
            };
            let average_under = self.number(average_under, value::decimal);
            let (others, auction) = (self.number(others, rate), self.number(auction, rate));
            if let (Some(bound), Some(others), Some(auction_or_market_maker)) = (average_under, others, auction) {
                let rates = Rates { others, auction_or_market_maker };
                tiers.push((place, TierTerms { average_under: Amount(bound.into()), rates }));
            }
        }
        tiers
    }
}

/// A number of ETFs or servers.
fn small(text: &str) -> Result<u32, Expected> {
    let number = value::whole(text).ok().and_then(|number| u32::try_from(number).ok());
    number.filter(|&number| number <= 1_000_000).ok_or("expected a whole number, digits only, at most 10^6")
}

fn months(text: &str) -> Result<u32, Expected> {
    let number = value::count(text).ok().filter(|&number| number <= MONTHS_MAX);
    number.and_then(|number| u32::try_from(number).ok()).ok_or("expected a number of months, from 1 to 120")
}

fn rate(text: &str) -> Result<Bps, Expected> {
    let rate = value::bps(text).ok().filter(|rate| *rate <= RATE_MAX);
    rate.ok_or("expected a rate in bps as digits with at most 4 decimals, such as 0.25, at most 10000")
}
