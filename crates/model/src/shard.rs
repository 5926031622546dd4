//! One of several parts that the issues of a market are divided into.
//!
//! Issues are measured independently of each other, so a day can be divided among machines that know nothing of each other:
//! which part an issue belongs to depends on its code alone.

use crate::IssueCode;
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// The issues whose code's CRC-32C (Castagnoli) leaves a remainder of `index` when divided by `count`.
///
/// ```
/// use quoteclock_model::{IssueCode, Shard};
///
/// let code = IssueCode::new(b"1306").expect("a code");
/// let holding: Vec<String> = (0..3).filter_map(|index| Shard::new(index, 3))
///     .filter(|shard| shard.holds(&code)).map(|shard| shard.to_string()).collect();
/// assert_eq!(holding, ["1/3"], "exactly one of the shards has an issue: CRC-32C 0x86a7befe");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Shard {
    index: u32,
    count: u32,
}

/// Why something is no shard.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error(
    "found \"{found}\", expected I/N: a shard from 0 to N - 1 and their number, at most {}, such as 0/4",
    Shard::COUNT_MAX
)]
pub struct ShardError {
    found: String,
}

impl Shard {
    /// More shards than this are more than there are issues.
    pub const COUNT_MAX: u32 = 100_000;

    /// The only shard of one: it has every issue.
    pub const WHOLE: Shard = Shard { index: 0, count: 1 };

    /// Shard `index` of `count`; `None` where there is no such one.
    pub fn new(index: u32, count: u32) -> Option<Shard> {
        (index < count && count <= Shard::COUNT_MAX).then_some(Shard { index, count })
    }

    /// Which of them it is, from 0.
    pub fn index(self) -> u32 {
        self.index
    }

    /// How many there are.
    pub fn count(self) -> u32 {
        self.count
    }

    /// Whether an issue belongs to it.
    pub fn holds(self, issue: &IssueCode) -> bool {
        crc32c::crc32c(issue.as_str().as_bytes()) % self.count == self.index
    }
}

/// `0/4`.
impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Shard, ShardError> {
        let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        let shard = || {
            let (index, count) = text.split_once('/')?;
            Shard::new(number(index)?, number(count)?)
        };
        shard().ok_or_else(|| ShardError { found: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_castagnoli() {
        let holds = |code: &str, crc: u32| {
            let code = IssueCode::new(code.as_bytes()).unwrap();
            let shard = Shard::new(crc % Shard::COUNT_MAX, Shard::COUNT_MAX).unwrap();
            assert!(shard.holds(&code), "{code}");
        };
        // The check value that catalogues of checksums name.
        holds("123456789", 0xe306_9283);
    }

    #[test]
    fn a_shard_is_below_their_number_and_prints_as_it_is_typed() {
        for text in ["0/1", "3/4", "99999/100000"] {
            assert_eq!(text.parse::<Shard>().unwrap().to_string(), text);
        }
        for text in ["", "0", "/", "1/1", "4/4", "0/0", "-1/4", "+1/4", "1/4/4", "0/100001", "a/b", " 0/4"] {
            let error = text.parse::<Shard>().unwrap_err().to_string();
            assert!(error.contains("expected I/N"), "{error}");
        }
    }
}
