//! The file of alerts: who is told what, and where.

use crate::bad_usage;
use crate::recipient::{Recipient, is_party};
use crate::tokens::Role;
use crate::watch::WINDOWS;
use anyhow::{Context, Result, anyhow, bail};
use quoteclock_model::Micros;
use quoteclock_rules::Registry;
use serde::Deserialize;
use std::path::Path;

/// All rules, in the order of the file.
pub(crate) type Rules = Vec<Rule>;

/// One rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Rule {
    /// What it is called.
    pub(crate) name: String,
    /// Who is told, and of what: what it may see.
    pub(crate) recipient: Recipient,
    /// Where, if not in the alert log and on the page alone.
    pub(crate) receiver: Option<Receiver>,
    pub(crate) limits: Limits,
}

/// Whoever takes messages.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Receiver {
    pub(crate) url: String,
    /// What messages are signed with.
    pub(crate) secret: String,
}

impl std::fmt::Debug for Receiver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Receiver")
    }
}

/// What is too much.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Limits {
    /// A breach that lasts so long.
    pub(crate) breach_for: Option<Micros>,
    /// The same of unknown time.
    pub(crate) unknown_for: Option<Micros>,
    /// Less than this is left of the month's budget.
    pub(crate) budget_below: Option<Micros>,
    /// It is used up too fast.
    pub(crate) burn: Vec<Burn>,
    /// Nothing has been heard of the source for so many seconds.
    pub(crate) feed_silent_s: Option<u64>,
}

/// Two windows, and a rate above which both are too much.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Burn {
    pub(crate) short: String,
    pub(crate) long: String,
    /// In hundredths.
    pub(crate) rate: u64,
}

/// As it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    rule: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    #[serde(default)]
    party: String,
    role: Option<String>,
    url: Option<String>,
    secret: Option<String>,
    breach_for_s: Option<u64>,
    unknown_for_s: Option<u64>,
    budget_below_s: Option<u64>,
    #[serde(default)]
    burn: Vec<WrittenBurn>,
    feed_silent_s: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenBurn {
    short: String,
    long: String,
    rate: toml::Value,
}

/// Reads the file of alerts.
///
/// # Errors
/// [`crate::BadUsage`] if it cannot be read; otherwise what is wrong with it.
pub(crate) fn read(file: &Path, registry: &Registry) -> Result<Rules> {
    let text =
        std::fs::read_to_string(file).map_err(|error| bad_usage(format!("reading {}: {error}", file.display())))?;
    parse(&text, registry).with_context(|| file.display().to_string())
}

fn parse(text: &str, registry: &Registry) -> Result<Rules> {
    let file: File = toml::from_str(text).map_err(|error| {
        // Where and what, but not the text that stands there.
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        anyhow!("line {}: {}", before.matches('\n').count() + 1, error.message())
    })?;
    let mut rules: Rules = Vec::new();
    for (number, written) in (1..).zip(file.rule) {
        // By its number: what it is called may tell whose it is.
        let rule = rule(written, registry).with_context(|| format!("rule {number}"))?;
        if rules.iter().any(|other| other.name == rule.name) {
            bail!("rule {number}: its name is there before");
        }
        rules.push(rule);
    }
    Ok(rules)
}

fn rule(written: Written, registry: &Registry) -> Result<Rule> {
    let Written { name, party, role, url, secret, .. } = &written;
    let receiver = match (url, secret) {
        (None, None) => None,
        (Some(url), Some(secret)) if 16 <= secret.len() => {
            check_url(url)?;
            Some(Receiver { url: url.clone(), secret: secret.clone() })
        }
        (Some(_), Some(_)) => bail!("secret: expected at least 16 characters"),
        _ => bail!("url and secret: found one of them, expected both or none"),
    };
    let recipient = Recipient { role: role_of(role.as_deref(), party, registry)?, party: party.clone() };
    let micros = |seconds: Option<u64>| {
        let all = seconds.map(|seconds| {
            seconds.checked_mul(1_000_000).map(Micros).ok_or_else(|| anyhow!("a time that is too long"))
        });
        all.transpose()
    };
    let limits = Limits {
        breach_for: micros(written.breach_for_s)?,
        unknown_for: micros(written.unknown_for_s)?,
        budget_below: micros(written.budget_below_s)?,
        burn: written.burn.iter().map(burn).collect::<Result<_>>()?,
        feed_silent_s: written.feed_silent_s,
    };
    if limits == Limits::default() {
        bail!("expected at least one of breach_for_s, unknown_for_s, budget_below_s, burn and feed_silent_s");
    }
    Ok(Rule { name: name.clone(), recipient, receiver, limits })
}

/// Whose figures they are: without a role, whatever the registry knows by that name.
fn role_of(role: Option<&str>, party: &str, registry: &Registry) -> Result<Role> {
    let roles = match role {
        Some(role) => vec![role.parse::<Role>().map_err(|problem| anyhow!("role: found {problem}"))?],
        None if party.is_empty() => vec![Role::Exchange],
        None => vec![Role::MarketMaker, Role::AssetManager],
    };
    let known = roles.into_iter().find(|&role| role != Role::Operator && is_party(registry, role, party));
    known.ok_or_else(|| anyhow!("party: found a name that is no market maker and no asset manager of the registry"))
}

/// Figures go out encrypted, or do not leave the machine.
fn check_url(url: &str) -> Result<()> {
    let host = |rest: &str| rest.split(['/', '?', '#']).next().unwrap_or_default().to_owned();
    if url.chars().any(|character| character.is_control() || character == ' ') {
        bail!("url: expected no spaces");
    }
    if let Some(rest) = url.strip_prefix("https://") {
        return if host(rest).is_empty() { Err(anyhow!("url: expected a host")) } else { Ok(()) };
    }
    let is_loopback = url.strip_prefix("http://").map(host).is_some_and(|host| {
        let name = host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name);
        name == "localhost"
            || name.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    });
    if is_loopback { Ok(()) } else { Err(anyhow!("url: expected https://, or http:// on this machine")) }
}

fn burn(WrittenBurn { short, long, rate }: &WrittenBurn) -> Result<Burn> {
    let is_window = |name: &str| name == "day" || WINDOWS.iter().any(|(window, _)| *window == name);
    if !is_window(short) || !is_window(long) {
        bail!("burn: found the windows {short:?} and {long:?}, expected two of 5m, 1h and day");
    }
    let text = match rate {
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::Float(number) => number.to_string(),
        other => bail!("burn: found the rate {other}, expected a number"),
    };
    let rate = hundredths(&text)
        .ok_or_else(|| anyhow!("burn: found the rate {text}, expected a number with at most two decimals"))?;
    Ok(Burn { short: short.clone(), long: long.clone(), rate })
}

/// A decimal number in hundredths.
fn hundredths(text: &str) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty() || 2 < part.len() || !whole.bytes().chain(part.bytes()).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    format!("{whole}{part:0<2}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::tests::registry;

    fn error(text: &str) -> String {
        format!("{:#}", parse(text, &registry(&[])).unwrap_err())
    }

    #[test]
    fn a_rule_says_who_is_told_what_and_where() {
        let text = "[[rule]]\nname = \"a\"\nparty = \"MM1\"\nurl = \"https://mm1.example/hook\"\nsecret = \"0123456789abcdef\"\n\
            breach_for_s = 60\nbudget_below_s = 1800\nburn = [{ short = \"5m\", long = \"1h\", rate = 14.4 }, { short = \"1h\", long = \"day\", rate = 3 }]\n\
            [[rule]]\nname = \"b\"\nfeed_silent_s = 30\n";
        let rules = parse(text, &registry(&[])).unwrap();
        assert_eq!(rules[0].recipient, Recipient { role: Role::MarketMaker, party: "MM1".to_owned() });
        assert_eq!(
            (rules[0].limits.breach_for, rules[0].limits.budget_below),
            (Some(Micros(60_000_000)), Some(Micros(1_800_000_000)))
        );
        assert_eq!(rules[0].limits.burn.iter().map(|burn| burn.rate).collect::<Vec<_>>(), [1440, 300]);
        assert_eq!((rules[1].recipient.role, &rules[1].receiver), (Role::Exchange, &None));
        assert!(!format!("{rules:?}").contains("0123456789abcdef"), "a secret is not shown");
    }

    #[test]
    fn what_makes_no_sense_is_said() {
        let rule = |more: &str| format!("[[rule]]\nname = \"a\"\n{more}\n");
        for (text, expected) in [
            (rule(""), "expected at least one of breach_for_s"),
            (rule("party = \"MM9\"\nbreach_for_s = 1"), "no market maker and no asset manager"),
            (rule("role = \"operator\"\nbreach_for_s = 1"), "no market maker"),
            (rule("url = \"https://x\"\nbreach_for_s = 1"), "expected both or none"),
            (rule("url = \"https://x\"\nsecret = \"short\"\nbreach_for_s = 1"), "at least 16 characters"),
            (
                rule("url = \"http://example.com/\"\nsecret = \"0123456789abcdef\"\nbreach_for_s = 1"),
                "expected https://",
            ),
            (
                rule("url = \"http://127.0.0.1.example.com/\"\nsecret = \"0123456789abcdef\"\nbreach_for_s = 1"),
                "expected https://",
            ),
            (rule("breach_for_s = 1\nbreech = 2"), "unknown field"),
            (rule("burn = [{ short = \"1m\", long = \"1h\", rate = 2 }]"), "expected two of 5m, 1h and day"),
            (rule("burn = [{ short = \"5m\", long = \"1h\", rate = 0.125 }]"), "at most two decimals"),
            (rule("breach_for_s = 1") + &rule("breach_for_s = 2"), "rule 2: its name is there before"),
        ] {
            let found = error(&text);
            assert!(found.contains(expected), "{found} for {text}");
        }
    }
}
