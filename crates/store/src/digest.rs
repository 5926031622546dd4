//! SHA-256 of what a day was measured from.

use quoteclock_rules::{DayPlan, SourceFile};
use sha2::{Digest as _, Sha256};
use std::fmt;

/// A SHA-256 digest. Prints as 64 hexadecimal digits.
///
/// ```
/// use quoteclock_store::Digest;
///
/// let digest = Digest::of(b"the bytes of a file");
/// assert_eq!(Digest::named(&digest.to_string()), Some(digest));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// Of bytes.
    pub fn of(bytes: &[u8]) -> Digest {
        Digest(Sha256::digest(bytes).into())
    }

    /// The one that prints as `text`; `None` if none does.
    pub fn named(text: &str) -> Option<Digest> {
        let digits = text.as_bytes();
        if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Digest(bytes))
    }

    /// Of everything that can alter the figures of the plan's day: two registries with the same digest measure it alike.
    pub fn of_plan(plan: &DayPlan) -> Digest {
        Digest::of(plan.canonical().as_bytes())
    }

    /// Of a registry's files, in the order given, byte-order marks and carriage returns apart: they mean nothing there.
    pub fn of_registry(files: &[SourceFile]) -> Digest {
        let mut hasher = Sha256::new();
        for file in files {
            let text = file.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&file.bytes);
            let lines = text.split(|&byte| byte == b'\n');
            let kept: Vec<&[u8]> = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line)).collect();
            let kept = kept.join(&b'\n');
            hasher.update(format!("{} {}\n", file.name, kept.len()));
            hasher.update(kept);
        }
        Digest(hasher.finalize().into())
    }

    /// The first digits, enough to tell files apart by eye.
    pub fn short(&self) -> String {
        self.to_string()[..12].to_owned()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_that_of_the_standard() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Digest::of(b"abc").to_string(), abc);
        assert_eq!(Digest::of(b"abc").short(), "ba7816bf8f01");
        assert_eq!(Digest::named(abc), Some(Digest::of(b"abc")));
        assert_eq!([&abc[1..], "", &abc.replace('b', "g")].map(Digest::named), [None; 3]);
    }

    #[test]
    fn line_ends_do_not_change_a_registry_and_moving_text_between_files_does() {
        let digest = |files: &[(&str, &str)]| {
            let file = |&(name, text): &(&str, &str)| SourceFile { name: name.to_owned(), bytes: text.into() };
            Digest::of_registry(&files.iter().map(file).collect::<Vec<_>>())
        };
        assert_eq!(digest(&[("a.csv", "x,y\n1,2\n")]), digest(&[("a.csv", "\u{feff}x,y\r\n1,2\r\n")]));
        assert_ne!(digest(&[("a.csv", "x\n"), ("b.csv", "y\n")]), digest(&[("a.csv", "x\ny\n"), ("b.csv", "")]));
        assert_ne!(digest(&[("a.csv", "x\n")]), digest(&[("a.csv", "x\n"), ("b.csv", "")]));
    }
}
