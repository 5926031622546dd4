//! Identifiers. Names are text at the edges and dense indices inside: no string is touched per event.

use std::fmt;
use std::sync::Arc;

/// The position of an issue in the directory of one input: dense, from 0 in order of first appearance.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct IssueIndex(pub u32);

impl IssueIndex {
    /// The index as a position in a table.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The position of a virtual server in the directory of one input: dense, from 0 in order of first appearance.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ServerIndex(pub u32);

impl ServerIndex {
    /// The index as a position in a table.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// An order number: unique among the live orders of one issue. Chosen by whoever is measured: never trust its
/// distribution.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct OrderId(pub u64);

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The number of a record in its feed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SequenceNo(pub u64);

/// The code of an issue: 1 to 32 visible ASCII characters without `,` and `"`, and not the lone `*` that stands for
/// the whole market.
///
/// ```
/// use quoteclock_model::IssueCode;
///
/// assert_eq!(IssueCode::new(b"130A").expect("a code").as_str(), "130A");
/// assert_eq!(IssueCode::new(b"*"), None, "that is the whole market");
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct IssueCode(Arc<str>);

impl IssueCode {
    /// The longest code that is accepted, in bytes.
    pub const BYTES_MAX: usize = 32;

    /// The code that `bytes` spell; `None` if they spell none.
    pub fn new(bytes: &[u8]) -> Option<IssueCode> {
        let legal = (1..=Self::BYTES_MAX).contains(&bytes.len())
            && bytes != b"*"
            && bytes.iter().all(|&byte| byte.is_ascii_graphic() && byte != b',' && byte != b'"');
        let text = if legal { std::str::from_utf8(bytes).ok() } else { None };
        text.map(|text| IssueCode(text.into()))
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IssueCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The longest name of a market maker, a virtual server, a condition and the like, in characters.
const NAME_CHARS_MAX: usize = 128;

/// Whether a text is a name that others refer to and that stands in outputs: 1 to 128 characters, none of which breaks a
/// line or steers a terminal.
///
/// ```
/// use quoteclock_model::is_name;
///
/// assert!(is_name("VS101") && is_name("東証"));
/// assert!(!is_name("") && !is_name("a\nb") && !is_name(&"x".repeat(129)));
/// ```
pub fn is_name(text: &str) -> bool {
    // A character has 4 bytes at most: what is longer need not be counted.
    !text.is_empty()
        && text.len() <= NAME_CHARS_MAX * 4
        && text.chars().count() <= NAME_CHARS_MAX
        && !text.contains(is_control)
}

/// Whether a character would break a line or command a terminal.
pub fn is_control(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issue_code_is_short_visible_and_not_the_market() {
        for good in ["1306", "130A", "BRK.A", "**", &"x".repeat(32)] {
            assert_eq!(IssueCode::new(good.as_bytes()).expect("legal").as_str(), good);
        }
        for bad in ["", "*", "13 06", "1306\r", "a,b", "\"", "日経", &"x".repeat(33)] {
            assert_eq!(IssueCode::new(bad.as_bytes()), None, "{bad:?}");
        }
    }
}
