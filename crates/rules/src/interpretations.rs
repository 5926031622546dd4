//! The choices that quoteclock makes where the rulebook is silent: named, with a default, printed in every report.
//!
//! All of them are known here, also those that only money rests on, so that a scheme can never set one that does not
//! exist. Most have a single permitted value: they name the decision, so that whoever disagrees sees what to ask for.

use quoteclock_sheets::quoted;

/// One named choice: its name, its permitted values (the first is the default).
struct Choice {
    name: &'static str,
    permitted: &'static [&'static str],
}

const fn choice(name: &'static str, permitted: &'static [&'static str]) -> Choice {
    Choice { name, permitted }
}

/// All choices, in the order in which reports print them.
const CHOICES: [Choice; 18] = [
    choice("ticks_across_bands", &["count"]),
    choice("own_crossed_quotes", &["fulfilled"]),
    choice(SEQUENTIAL_QUOTE, &["available", "exempt"]),
    choice("price_limit_relief", &["none"]),
    choice("on_close_orders", &["excluded"]),
    choice("fast_market_scales", &["bps+ticks"]),
    choice("auction_trades", &["marked, or while the issue is not available"]),
    choice("unnamed_counterparty", &["other"]),
    choice("access_fee_counts", &["add+replace"]),
    choice("servers_count", &["fulfilled"]),
    choice("six_month_average", &["mean of monthly percentages"]),
    choice("matching_split", &["per place"]),
    choice("yen_rounding", &["down"]),
    choice("time_share", &["at_least"]),
    choice(ACCESS_FEE_ISSUES, &["fulfilled", "signed_up"]),
    choice(SELF_TRADES, &["market_maker", "other"]),
    choice("hedging", &["by_listing"]),
    choice(COUNTERPARTY_MARKET_MAKER, &["signed_up_for_issue", "any"]),
];

const SEQUENTIAL_QUOTE: &str = "sequential_quote";
const ACCESS_FEE_ISSUES: &str = "access_fee_issues";
const SELF_TRADES: &str = "self_trades";
const COUNTERPARTY_MARKET_MAKER: &str = "counterparty_market_maker";

/// For which issues of a market maker that meets the number of ETFs orders are free of the access fee.
///
/// Clause: `QC/access_fee_issues`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AccessFeeIssues {
    /// Those whose general obligation is fulfilled.
    Fulfilled,
    /// Every issue signed up for that is not leveraged or inverse.
    SignedUp,
}

/// What a trade of a market maker with itself counts as.
///
/// Clause: `QC/self_trades`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SelfTrades {
    /// As one against a market maker.
    MarketMaker,
    /// As one against anybody else.
    Other,
}

/// Who is a market maker where another trades with it.
///
/// Clause: `QC/counterparty_market_maker`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CounterpartyMarketMaker {
    /// Whoever is signed up for the issue on the date.
    SignedUpForIssue,
    /// Whoever is signed up for any issue on the date.
    Any,
}

/// A value for each of the interpretations.
///
/// Clauses: every `QC/…` of `docs/CLAUSES.md`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Interpretations {
    /// In the order of [`CHOICES`].
    values: [&'static str; CHOICES.len()],
}

impl Default for Interpretations {
    fn default() -> Interpretations {
        Interpretations { values: CHOICES.map(|choice| choice.permitted[0]) }
    }
}

impl Interpretations {
    /// Every interpretation and its value, in the fixed order in which reports print them.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        CHOICES.iter().map(|choice| choice.name).zip(self.values)
    }

    /// Whether a quote is required during a sequential trade quote.
    ///
    /// Clause: `QC/sequential_quote`.
    pub fn sequential_quote_available(&self) -> bool {
        self.is_default(SEQUENTIAL_QUOTE)
    }

    /// For which issues orders are free of the access fee.
    ///
    /// Clause: `QC/access_fee_issues`.
    pub fn access_fee_issues(&self) -> AccessFeeIssues {
        if self.is_default(ACCESS_FEE_ISSUES) { AccessFeeIssues::Fulfilled } else { AccessFeeIssues::SignedUp }
    }

    /// What a trade of a market maker with itself counts as.
    ///
    /// Clause: `QC/self_trades`.
    pub fn self_trades(&self) -> SelfTrades {
        if self.is_default(SELF_TRADES) { SelfTrades::MarketMaker } else { SelfTrades::Other }
    }

    /// Who is a market maker where another trades with it.
    ///
    /// Clause: `QC/counterparty_market_maker`.
    pub fn counterparty_market_maker(&self) -> CounterpartyMarketMaker {
        if self.is_default(COUNTERPARTY_MARKET_MAKER) {
            CounterpartyMarketMaker::SignedUpForIssue
        } else {
            CounterpartyMarketMaker::Any
        }
    }

    /// Whether one of the choices, which has two permitted values at most, has the first of them.
    fn is_default(&self, name: &'static str) -> bool {
        let position = Self::position(name).expect("one of the choices");
        self.values[position] == CHOICES[position].permitted[0]
    }

    /// Sets `name` to `value`; otherwise says what is permitted.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let position = Self::position(name)?;
        let permitted = CHOICES[position].permitted;
        let Some(chosen) = permitted.iter().find(|&&permitted| permitted == value) else {
            let listed: Vec<String> = permitted.iter().map(|value| quoted(value)).collect();
            let only = if listed.len() == 1 { "the only permitted value is" } else { "permitted values are" };
            return Err(format!("found {} for {name}, {only} {}", quoted(value), listed.join(" and ")));
        };
        self.values[position] = chosen;
        Ok(())
    }

    /// Where `name` stands among the choices; otherwise says which names there are.
    pub(crate) fn position(name: &str) -> Result<usize, String> {
        let position = CHOICES.iter().position(|choice| choice.name == name);
        position.ok_or_else(|| {
            let known: Vec<&str> = CHOICES.iter().map(|choice| choice.name).collect();
            format!("no interpretation is named {}, expected one of {}", quoted(name), known.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_listed_with_their_defaults_in_order() {
        let listed: Vec<_> = Interpretations::default().iter().collect();
        let names = "ticks_across_bands own_crossed_quotes sequential_quote price_limit_relief on_close_orders \
                     fast_market_scales auction_trades unnamed_counterparty access_fee_counts servers_count \
                     six_month_average matching_split yen_rounding time_share access_fee_issues self_trades hedging \
                     counterparty_market_maker";
        assert_eq!(listed.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(" "), names);
        for (name, value) in [
            ("sequential_quote", "available"),
            ("auction_trades", "marked, or while the issue is not available"),
            ("yen_rounding", "down"),
            ("time_share", "at_least"),
            ("access_fee_issues", "fulfilled"),
            ("self_trades", "market_maker"),
            ("hedging", "by_listing"),
            ("counterparty_market_maker", "signed_up_for_issue"),
        ] {
            assert!(listed.contains(&(name, value)), "{name}");
        }
    }

    // clause: QC/sequential_quote
    // clause: QC/access_fee_issues
    // clause: QC/self_trades
    // clause: QC/counterparty_market_maker
    #[test]
    fn four_can_be_set_otherwise() {
        let mut chosen = Interpretations::default();
        let read = |chosen: &Interpretations| {
            (
                chosen.sequential_quote_available(),
                chosen.access_fee_issues(),
                chosen.self_trades(),
                chosen.counterparty_market_maker(),
            )
        };
        assert_eq!(
            read(&chosen),
            (true, AccessFeeIssues::Fulfilled, SelfTrades::MarketMaker, CounterpartyMarketMaker::SignedUpForIssue)
        );
        let others = [
            ("sequential_quote", "exempt"),
            ("access_fee_issues", "signed_up"),
            ("self_trades", "other"),
            ("counterparty_market_maker", "any"),
        ];
        for (name, value) in others {
            assert_eq!(chosen.set(name, value), Ok(()), "{name}");
        }
        assert_eq!(read(&chosen), (false, AccessFeeIssues::SignedUp, SelfTrades::Other, CounterpartyMarketMaker::Any));
        for choice in CHOICES.iter().filter(|choice| others.iter().all(|(name, _)| *name != choice.name)) {
            assert_eq!(chosen.set(choice.name, choice.permitted[0]), Ok(()));
            let message = chosen.set(choice.name, "other than that").unwrap_err();
            assert!(message.contains("the only permitted value is") && message.contains(choice.permitted[0]));
        }
    }

    #[test]
    fn an_unknown_name_or_value_is_answered_with_what_is_permitted() {
        let mut chosen = Interpretations::default();
        let message = chosen.set("sequential_quote", "maybe").unwrap_err();
        assert!(message.ends_with(r#"permitted values are "available" and "exempt""#), "{message}");
        assert!(chosen.set("rounding", "down").unwrap_err().contains("yen_rounding"));
    }
}
