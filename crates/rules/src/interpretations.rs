//! The choices that quoteclock makes where the rulebook is silent: named, with a default, printed in every report.
//!
//! All thirteen are known here, also those that later parts act on, so that a scheme can never set one that does not
//! exist. Only `sequential_quote` has a second permitted value.

use quoteclock_sheets::quoted;

/// One named choice: its name, its permitted values (the first is the default).
struct Choice {
    name: &'static str,
    permitted: &'static [&'static str],
}

const fn only(name: &'static str, value: &'static [&'static str; 1]) -> Choice {
    Choice { name, permitted: value }
}

/// All choices, in the order in which reports print them.
const CHOICES: [Choice; 13] = [
    only("ticks_across_bands", &["count"]),
    only("own_crossed_quotes", &["fulfilled"]),
    Choice { name: "sequential_quote", permitted: &["available", "exempt"] },
    only("price_limit_relief", &["none"]),
    only("on_close_orders", &["excluded"]),
    only("fast_market_scales", &["bps+ticks"]),
    only("auction_trades", &["marked, or while the issue is not available"]),
    only("unnamed_counterparty", &["other"]),
    only("access_fee_counts", &["add+replace"]),
    only("servers_count", &["fulfilled"]),
    only("six_month_average", &["mean of monthly percentages"]),
    only("matching_split", &["per place"]),
    only("yen_rounding", &["down"]),
];

/// Where [`CHOICES`] holds `sequential_quote`.
const SEQUENTIAL_QUOTE: usize = 2;

/// A value for each of the thirteen interpretations.
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
        self.values[SEQUENTIAL_QUOTE] == "available"
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
    fn all_thirteen_are_listed_with_their_defaults_in_order() {
        let listed: Vec<_> = Interpretations::default().iter().collect();
        assert_eq!(listed.len(), 13);
        assert_eq!(listed[0], ("ticks_across_bands", "count"));
        assert_eq!(listed[2], ("sequential_quote", "available"));
        assert_eq!(listed[6], ("auction_trades", "marked, or while the issue is not available"));
        assert_eq!(listed[12], ("yen_rounding", "down"));
    }

    #[test]
    fn only_the_sequential_quote_can_be_set_otherwise() {
        // clause: QC/sequential_quote
        let mut chosen = Interpretations::default();
        assert!(chosen.sequential_quote_available());
        assert_eq!(chosen.set("sequential_quote", "exempt"), Ok(()));
        assert!(!chosen.sequential_quote_available());
        for choice in CHOICES.iter().filter(|choice| choice.name != "sequential_quote") {
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
