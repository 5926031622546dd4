//! Why a changed registry would measure a stored day otherwise: the plan that the day was measured under beside the one that
//! it would be measured under now.
//!
//! Both are compared as canonical texts ([`DayPlan::canonical`]), a block for the day and one for each sign-up, so that what is
//! told is what differs, and whatever differs is told.

use quoteclock_rules::{DayPlan, PlanError, Registry};
use quoteclock_store::{Digest, StoredDay};
use std::collections::{BTreeMap, BTreeSet};

/// A stored day's plan as it is now, and why it differs from the one that the day was measured under.
///
/// ```
#[doc = include_str!("../doc/march.txt")]
/// use quoteclock::{PlanNow, plan_now};
///
/// let stored = store.days("2024-03".parse()?)?.remove(0);
/// let PlanNow { plan, reasons } = plan_now(&stored, registry.tables())?;
/// assert_eq!((plan.date, reasons.len()), (stored.date, 0), "nothing has changed");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct PlanNow {
    /// The plan under the registry as it is now.
    pub plan: DayPlan,
    /// What has changed, in words; nothing where the plan measures as the day was measured.
    pub reasons: Vec<String>,
}

/// Compares the plan of a stored day with the registry: whether it would be measured otherwise now, and why.
///
/// # Errors
/// [`PlanError`] if the registry cannot measure the date.
///
/// ```
#[doc = include_str!("../doc/march.txt")]
/// let stored = store.days("2024-03".parse()?)?.remove(0);
/// let now = quoteclock::plan_now(&stored, registry.tables())?;
/// assert!(now.reasons.is_empty(), "the registry is as it was");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn plan_now(day: &StoredDay, registry: &Registry) -> Result<PlanNow, PlanError> {
    let plan = registry.plan(day.date)?;
    let text = plan.canonical();
    if Digest::of(text.as_bytes()) == day.plan_sha256 {
        return Ok(PlanNow { plan, reasons: Vec::new() });
    }
    let heard: Option<BTreeSet<&str>> =
        day.servers_heard.as_ref().map(|servers| servers.iter().map(String::as_str).collect());
    let whole = |text: &str| told(text, heard.as_ref());
    let before = day.plan.as_ref().and_then(|plan| plan.text().ok());
    if before.as_ref().is_some_and(|before| whole(before) == whole(&text)) {
        return Ok(PlanNow { plan, reasons: Vec::new() });
    }
    let mut reasons = Vec::new();
    if day.multiplier != plan.multiplier {
        reasons.push(format!("x{} to x{}", day.multiplier, plan.multiplier));
    }
    match &before {
        Some(before) => {
            let other_multiplier = day.multiplier != plan.multiplier;
            reasons.extend(differences(&whole(before), &whole(&text), other_multiplier));
        }
        None if reasons.is_empty() => {
            reasons.push("what it was is not known: an earlier version has stored the day".to_owned());
        }
        None => {}
    }
    if reasons.is_empty() {
        reasons.push("the form of plans has changed".to_owned());
    }
    Ok(PlanNow { plan, reasons })
}

/// The lines of one sign-up, or of the day, by what they are of.
type Block<'a> = BTreeMap<&'static str, BTreeSet<&'a str>>;

/// What the lines of a plan are of. Those that widen with a Fast Market are limits.
const KINDS: [(&str, &str); 12] = [
    ("own ", "servers"),
    ("server ", "servers"),
    ("exempt", "exemption"),
    ("obligation ", "limits"),
    ("from ", "limits"),
    ("windows", "times"),
    ("required_in", "times"),
    ("start_delay", "times"),
    ("sessions", "sessions"),
    ("day ", "sessions"),
    ("phases", "interpretations"),
    ("self_trades", "interpretations"),
];

fn kind(line: &str) -> &'static str {
    KINDS.iter().find(|(start, _)| line.starts_with(start)).map_or("interpretations", |(_, kind)| kind)
}

/// A plan's lines: those of the day under an empty name, of each sign-up under `MM1/1306`.
fn blocks(text: &str) -> BTreeMap<String, Block<'_>> {
    let mut blocks: BTreeMap<String, Block<'_>> = BTreeMap::new();
    let mut name = String::new();
    for line in text.lines().skip(1) {
        match line.strip_prefix("sign_up ") {
            Some(rest) => {
                name = sign_up_name(rest);
                blocks.entry(name.clone()).or_default();
            }
            None => {
                blocks.entry(name.clone()).or_default().entry(kind(line)).or_default().insert(line);
            }
        }
    }
    blocks
}

/// `MM1/1306` of `3:MM1 1306`.
fn sign_up_name(text: &str) -> String {
    match counted(text) {
        Some((market_maker, issue)) => format!("{market_maker}/{}", issue.trim_start()),
        None => text.to_owned(),
    }
}

/// The name at the start of `3:MM1 1306`, and what follows.
fn counted(text: &str) -> Option<(&str, &str)> {
    let (length, rest) = text.split_once(':')?;
    rest.split_at_checked(length.parse().ok()?)
}

/// A plan's text without the servers that added no order on the day: whose they are alters nothing.
fn told(text: &str, heard: Option<&BTreeSet<&str>>) -> String {
    let is_silent = |line: &&str| {
        let server = line.strip_prefix("server ").or(line.strip_prefix("own ")).and_then(counted);
        heard.zip(server).is_some_and(|(heard, (server, _))| !heard.contains(server))
    };
    text.lines().filter(|line| !is_silent(line)).flat_map(|line| [line, "\n"]).collect()
}

/// What differs, in words. Limits that a Fast Market has widened are told by its multiplier.
fn differences(before: &str, after: &str, other_multiplier: bool) -> Vec<String> {
    let (before, after) = (blocks(before), blocks(after));
    let mut names_of: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let empty = Block::new();
    for name in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
        match (before.get(name), after.get(name)) {
            (Some(_), None) => names_of.entry("no sign-up any more").or_default().push(name),
            (None, Some(_)) => names_of.entry("sign-up").or_default().push(name),
            (old, new) => {
                let (old, new) = (old.unwrap_or(&empty), new.unwrap_or(&empty));
                for kind in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
                    if old.get(kind) != new.get(kind) && !(other_multiplier && *kind == "limits") {
                        names_of.entry(kind).or_default().push(name);
                    }
                }
            }
        }
    }
    // Servers stand twice: for the day, and for whose they are.
    if names_of.get("servers").is_some_and(|names| 1 < names.len()) {
        names_of.entry("servers").or_default().retain(|name| !name.is_empty());
    }
    names_of.into_iter().map(|(kind, names)| format!("{kind} {}", some(&names)).trim_end().to_owned()).collect()
}

/// So many sign-ups are named of one kind of change.
const NAMED_MAX: usize = 3;

fn some(names: &[&str]) -> String {
    let named = names.iter().take(NAMED_MAX).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED_MAX) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "quoteclock day plan 1\ndate 2024-03-01\nsessions 1..5\nserver 3:VS1 3:MM1\nserver 3:VS2 3:MM2\n\
        sign_up 3:MM1 1306\nown 3:VS1\nexempt\nobligation 7:general bps_e4 200\n\
        sign_up 3:MM2 1306\nown 3:VS2\nexempt\nobligation 7:general bps_e4 200\n";

    fn reasons(changes: &[(&str, &str)], other_multiplier: bool) -> Vec<String> {
        let after = changes.iter().fold(BEFORE.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "{from}");
            text.replacen(from, to, 1)
        });
        differences(BEFORE, &after, other_multiplier)
    }

    #[test]
    fn what_differs_is_named_and_nothing_else() {
        assert_eq!(reasons(&[], false), Vec::<String>::new());
        assert_eq!(reasons(&[("exempt\n", "exempt 2..3\n")], false), ["exemption MM1/1306"]);
        assert_eq!(reasons(&[("bps_e4 200", "bps_e4 400")], false), ["limits MM1/1306"]);
        assert_eq!(reasons(&[("bps_e4 200", "bps_e4 400")], true), Vec::<String>::new());
        assert_eq!(reasons(&[("sessions 1..5", "sessions 1..6")], false), ["sessions"]);
        let server = [
            ("server 3:VS1 3:MM1\n", "server 3:VS1 3:MM1\nserver 3:VS3 3:MM1\n"),
            ("own 3:VS1\n", "own 3:VS1\nown 3:VS3\n"),
        ];
        assert_eq!(reasons(&server, false), ["servers MM1/1306"]);
        assert_eq!(reasons(&server[..1], false), ["servers"], "only as a counterparty");
        assert_eq!(
            reasons(&[("sign_up 3:MM2 1306", "sign_up 3:MM2 1321")], false),
            ["no sign-up any more MM2/1306", "sign-up MM2/1321"]
        );
    }

    #[test]
    fn servers_without_an_order_alter_nothing() {
        let more = BEFORE
            .replace("own 3:VS1\n", "own 3:VS1\nown 3:VS3\n")
            .replace("server 3:VS2", "server 3:VS3 3:MM1\nserver 3:VS2");
        let heard = BTreeSet::from(["VS1", "VS2"]);
        assert_eq!(told(&more, Some(&heard)), BEFORE);
        assert_eq!(told(&more, None), more, "of an older day it is not known");
        let heard = BTreeSet::from(["VS1", "VS2", "VS3"]);
        assert_eq!(differences(BEFORE, &told(&more, Some(&heard)), false), ["servers MM1/1306"]);
    }

    #[test]
    fn names_may_hold_spaces() {
        assert_eq!(sign_up_name("6:MM 1 A 1306"), "MM 1 A/1306");
        assert_eq!(sign_up_name("nonsense"), "nonsense");
    }
}
