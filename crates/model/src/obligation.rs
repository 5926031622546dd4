//! What an obligation is: which of a sign-up's sets of limits, and what follows from its kind.

use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// Which obligation of a sign-up. Each is measured on its own.
///
/// As text `general`, `general:<criterion>`, `matching:<condition>` or `sponsored:<condition>`; the order is that of the
/// text, byte by byte, which is the order of every output.
///
/// ```
/// use quoteclock_model::ObligationId;
/// let id: ObligationId = "sponsored:S1".parse()?;
/// assert_eq!(id, ObligationId::Sponsored("S1".to_owned()));
/// assert_eq!(id.to_string(), "sponsored:S1");
/// assert!(!id.is_widened_by_fast_market());
/// assert!(ObligationId::GENERAL < id);
/// # Ok::<(), quoteclock_model::ObligationIdError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ObligationId {
    /// What the scheme asks of every sign-up, by the type of the issue; of several criteria the one of this name.
    General(Option<String>),
    /// A condition whose matching fund pays.
    Matching(String),
    /// A condition that an asset manager pays.
    Sponsored(String),
}

/// Which share of the time the exchange's own system asks for, before it shows `OK`.
///
/// Clause: `ST1/system-status`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SystemThreshold {
    /// The required share; of a leveraged or inverse ETF all of the time, so that it shows `NG`.
    WholeIfLeveraged,
    /// The required share, whatever the issue.
    Required,
}

/// What is paid for an obligation that was met.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Paid<'a> {
    /// The scheme's incentives; the issue counts in the number of ETFs.
    Incentives,
    /// What the condition of this name says: an asset manager pays.
    Sponsor(&'a str),
    /// What the condition of this name says: a matching fund pays.
    MatchingFund(&'a str),
}

/// Text that names no obligation.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("found {found:?}, expected general, general:CRITERION, sponsored:CONDITION or matching:CONDITION")]
pub struct ObligationIdError {
    /// The text.
    pub found: String,
}

impl ObligationId {
    /// The one obligation that every sign-up has under a scheme without criteria.
    pub const GENERAL: ObligationId = ObligationId::General(None);

    /// Whether somebody who asks for `named` means it: itself, and of `general` each of its criteria.
    ///
    /// ```
    /// use quoteclock_model::ObligationId;
    /// let auction: ObligationId = "general:auction".parse()?;
    /// assert!(auction.is_meant_by("general:auction") && auction.is_meant_by("general"));
    /// assert!(!auction.is_meant_by("general:other") && !ObligationId::GENERAL.is_meant_by("general:auction"));
    /// # Ok::<(), quoteclock_model::ObligationIdError>(())
    /// ```
    pub fn is_meant_by(&self, named: &str) -> bool {
        match named.parse::<ObligationId>() {
            Ok(ObligationId::General(None)) => self.is_general(),
            Ok(named) => named == *self,
            Err(_) => false,
        }
    }

    /// Whether the scheme asks for it of every sign-up, whole or as one of its criteria. Others come with a condition that
    /// somebody pays for, and mostly want quotes at the same time: a minute in which several are missed is one lost minute.
    ///
    /// ```
    /// use quoteclock_model::ObligationId;
    /// let ids: [ObligationId; 3] = ["general".parse()?, "general:auction".parse()?, "sponsored:S1".parse()?];
    /// assert_eq!(ids.map(|id| id.is_general()), [true, true, false]);
    /// # Ok::<(), quoteclock_model::ObligationIdError>(())
    /// ```
    pub const fn is_general(&self) -> bool {
        matches!(self, ObligationId::General(_))
    }

    /// Whether a Fast Market widens its limits: not those of conditions that an asset manager pays.
    ///
    /// Clause: `ST1/fast-market`.
    pub const fn is_widened_by_fast_market(&self) -> bool {
        match self {
            ObligationId::General(_) | ObligationId::Matching(_) => true,
            ObligationId::Sponsored(_) => false,
        }
    }

    /// What the exchange's system judges it against.
    ///
    /// Clause: `ST1/system-status`.
    pub const fn system_threshold(&self) -> SystemThreshold {
        match self {
            ObligationId::General(_) => SystemThreshold::WholeIfLeveraged,
            ObligationId::Matching(_) | ObligationId::Sponsored(_) => SystemThreshold::Required,
        }
    }

    /// What is paid for it, and by whom.
    ///
    /// Clauses: `ST1/number-of-etfs`, `ST1/sponsored-obligation`, `ST1/matching-obligation`.
    pub fn paid(&self) -> Paid<'_> {
        match self {
            ObligationId::General(_) => Paid::Incentives,
            ObligationId::Matching(condition) => Paid::MatchingFund(condition),
            ObligationId::Sponsored(condition) => Paid::Sponsor(condition),
        }
    }
}

impl fmt::Display for ObligationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ObligationId::General(None) => f.pad("general"),
            ObligationId::General(Some(criterion)) => f.pad(&format!("general:{criterion}")),
            ObligationId::Matching(condition) => f.pad(&format!("matching:{condition}")),
            ObligationId::Sponsored(condition) => f.pad(&format!("sponsored:{condition}")),
        }
    }
}

impl FromStr for ObligationId {
    type Err = ObligationIdError;

    fn from_str(text: &str) -> Result<ObligationId, ObligationIdError> {
        let name = |name: &str| name.to_owned();
        match text.split_once(':') {
            None if text == "general" => Ok(ObligationId::GENERAL),
            Some(("general", criterion)) if !criterion.is_empty() => Ok(ObligationId::General(Some(name(criterion)))),
            Some(("matching", condition)) if !condition.is_empty() => Ok(ObligationId::Matching(name(condition))),
            Some(("sponsored", condition)) if !condition.is_empty() => Ok(ObligationId::Sponsored(name(condition))),
            _ => Err(ObligationIdError { found: name(text) }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_obligation_is_its_text_and_nothing_else_is() {
        for text in ["general", "general:ds_auction", "matching:M", "sponsored:S", "sponsored:a:b", "matching:東証"] {
            let id: ObligationId = text.parse().unwrap();
            assert_eq!(id.to_string(), text);
        }
        for bad in ["", "General", "general:", "sponsored", "sponsored:", "matching:", "other:X", " general"] {
            assert!(bad.parse::<ObligationId>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn obligations_are_sorted_as_their_texts_are() {
        let texts = [
            "general",
            "general:a",
            "general:b",
            "matching:",
            "matching:A",
            "matching:a",
            "matching:a!",
            "sponsored:A",
            "sponsored:日本",
            "sponsored:~",
        ];
        let known = |text: &&str| text.parse::<ObligationId>().ok();
        let ids: Vec<ObligationId> = texts.iter().filter_map(known).collect();
        for (one, other) in ids.iter().flat_map(|one| ids.iter().map(move |other| (one, other))) {
            assert_eq!(one.cmp(other), one.to_string().cmp(&other.to_string()), "{one} {other}");
        }
    }

    // clause: ST1/fast-market
    // clause: ST1/system-status
    #[test]
    fn what_follows_from_the_kind() {
        let of = |text: &str| text.parse::<ObligationId>().unwrap();
        let widened =
            ["general", "general:x", "matching:x", "sponsored:x"].map(|id| of(id).is_widened_by_fast_market());
        assert_eq!(widened, [true, true, true, false]);
        assert_eq!(of("general").system_threshold(), SystemThreshold::WholeIfLeveraged);
        assert_eq!(of("sponsored:x").system_threshold(), SystemThreshold::Required);
        assert_eq!(of("matching:x").system_threshold(), SystemThreshold::Required);
        assert_eq!(of("matching:x").paid(), Paid::MatchingFund("x"));
        assert_eq!(of("sponsored:x").paid(), Paid::Sponsor("x"));
        assert_eq!(of("general").paid(), Paid::Incentives);
    }
}
