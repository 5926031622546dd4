//! The name of a session, as both protocols carry it.

use std::fmt;

/// The name of a session: 1 to 10 visible ASCII characters, spaces inside allowed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId {
    /// Filled up with spaces.
    field: [u8; SessionId::BYTES],
}

impl SessionId {
    /// The length of its field.
    pub const BYTES: usize = 10;

    /// The session of this name, trimmed on both sides; `None` if nothing is left, or what is left is no name.
    ///
    /// ```
    /// use quoteclock_wire::SessionId;
    /// assert_eq!(SessionId::new(b"  000000001 ").unwrap().to_string(), "000000001");
    /// assert_eq!(SessionId::new(b"          "), None);
    /// ```
    pub fn new(name: &[u8]) -> Option<SessionId> {
        let name = trim(name);
        let legal = !name.is_empty() && name.iter().all(|&byte| byte.is_ascii_graphic() || byte == b' ');
        let mut field = [b' '; Self::BYTES];
        field.get_mut(..name.len()).filter(|_| legal)?.copy_from_slice(name);
        Some(SessionId { field })
    }

    /// Its field, the name at the left.
    pub fn field(&self) -> [u8; SessionId::BYTES] {
        self.field
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(trim(&self.field)).unwrap_or_default()
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// `field` without the spaces on either side: senders pad on the left, on the right, or on both.
pub(crate) fn trim(field: &[u8]) -> &[u8] {
    let start = field.iter().position(|&byte| byte != b' ').unwrap_or(field.len());
    let end = field.iter().rposition(|&byte| byte != b' ').map_or(start, |last| last + 1);
    &field[start..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_padding_leaves() {
        for padded in ["S1", " S1", "S1 ", "       S1 ", "S1        "] {
            let session = SessionId::new(padded.as_bytes()).unwrap();
            assert_eq!((session.as_str(), &session.field()), ("S1", b"S1        "), "{padded:?}");
        }
        assert_eq!(SessionId::new(b"A  B").unwrap().as_str(), "A  B");
        for bad in ["", " ", "12345678901", "a\tb", "\u{e9}"] {
            assert_eq!(SessionId::new(bad.as_bytes()), None, "{bad:?}");
        }
        assert!(SessionId::new(b"1234567890").is_some());
    }
}
