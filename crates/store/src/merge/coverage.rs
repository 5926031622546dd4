//! What an input does not support of the figures, put together from what the shards say of their own issues.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A finding, as the database and documents have it; the order is that of kinds, then names.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Finding {
    date: String,
    finding: String,
    name: Option<String>,
    orders: Option<u64>,
    last: Option<String>,
    session_end: Option<String>,
}

/// How the findings of shards become that of the whole.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// It holds where every shard finds it: a server that is silent in one shard may be heard in another.
    All,
    /// It holds where any shard finds it.
    Any,
    /// Each shard counts the orders of its issues.
    Sum,
    /// It holds where every shard finds it, as of the latest: a shard may see the last record of its own issues only.
    Latest,
}

/// The kinds, in the order in which a day tells them.
const KINDS: [(&str, Rule); 8] = [
    ("nothing_to_measure", Rule::All),
    ("ends_early", Rule::Latest),
    ("no_phase", Rule::All),
    ("unknown_server", Rule::Sum),
    ("silent_server", Rule::All),
    ("silent_issue", Rule::Any),
    ("unknown_issue", Rule::Any),
    ("unseen_order", Rule::Any),
];

/// The findings of a day from the lists of its shards.
///
/// # Errors
/// Those of reading a list.
pub(super) fn of_all(lists: &[&str]) -> serde_json::Result<String> {
    let place = |finding: &Finding| KINDS.iter().position(|(kind, _)| *kind == finding.finding).unwrap_or(KINDS.len());
    let rule = |place: usize| KINDS.get(place).map_or(Rule::Any, |(_, rule)| *rule);
    // By kind and what they are about: how many shards say so, how many orders they count, and the latest last record.
    let mut found: BTreeMap<(usize, Finding), (usize, u64, Option<String>)> = BTreeMap::new();
    for list in lists {
        for finding in serde_json::from_str::<Vec<Finding>>(list)? {
            let place = place(&finding);
            let (orders, last, finding) = match rule(place) {
                Rule::Sum => (finding.orders.unwrap_or_default(), None, Finding { orders: None, ..finding }),
                Rule::Latest => (0, finding.last.clone(), Finding { last: None, ..finding }),
                Rule::All | Rule::Any => (0, None, finding),
            };
            let (shards, sum, latest) = found.entry((place, finding)).or_default();
            *shards += 1;
            *sum = sum.saturating_add(orders);
            // Times of one day in one zone: their text is in their order.
            *latest = last.max(latest.take());
        }
    }
    let whole = found.into_iter().filter_map(|((place, finding), (shards, orders, last))| match rule(place) {
        Rule::All => (shards == lists.len()).then_some(finding),
        Rule::Latest => (shards == lists.len()).then_some(Finding { last, ..finding }),
        Rule::Any => Some(finding),
        Rule::Sum => Some(Finding { orders: Some(orders), ..finding }),
    });
    serde_json::to_string(&whole.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(findings: &[(&str, &str, Option<u64>)]) -> String {
        let finding = |&(finding, name, orders): &(&str, &str, Option<u64>)| Finding {
            date: "2024-03-01".to_owned(),
            finding: finding.to_owned(),
            name: Some(name.to_owned()).filter(|name| !name.is_empty()),
            orders,
            last: None,
            session_end: None,
        };
        serde_json::to_string(&findings.iter().map(finding).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn what_one_shard_lacks_another_may_have() {
        let first = list(&[("no_phase", "", None), ("unknown_server", "X", Some(2)), ("silent_server", "A", None)]);
        let second = list(&[
            ("ends_early", "", None),
            ("unknown_server", "X", Some(5)),
            ("unknown_server", "Y", Some(1)),
            ("silent_server", "A", None),
            ("silent_server", "B", None),
            ("silent_issue", "1306", None),
        ]);
        let expected = list(&[
            ("unknown_server", "X", Some(7)),
            ("unknown_server", "Y", Some(1)),
            ("silent_server", "A", None),
            ("silent_issue", "1306", None),
        ]);
        assert_eq!(of_all(&[&first, &second]).unwrap(), expected);
        assert_eq!(of_all(&[&first]).unwrap(), first, "one shard is the whole");
        let ends =
            |last: &str| list(&[("ends_early", "", None)]).replace("\"last\":null", &format!("\"last\":\"{last}\""));
        assert_eq!(of_all(&[&ends("10:00"), &ends("14:59"), &ends("11:30")]).unwrap(), ends("14:59"));
    }
}
