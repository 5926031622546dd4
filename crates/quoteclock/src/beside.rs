//! What a day is measured from beside its input, as it is stored with the day: names, parts and hashes.

use quoteclock_replay::{Beside, Hashes, Part};
use quoteclock_store::Digest;
use std::fmt::{self, Write as _};
use std::path::PathBuf;

/// A file beside the input. As text it is one word: `phases.csv:phases#` and 64 hexadecimal digits.
///
/// ```
/// use quoteclock::{BesideFile, Part};
///
/// let file = BesideFile { path: "my phases.csv".into(), part: Part::Phases, sha256: None };
/// assert_eq!(file.to_string(), "my%20phases.csv:phases");
/// assert_eq!("my%20phases.csv:phases".parse(), Ok(file));
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BesideFile {
    /// Where it is, or what it is called.
    pub path: PathBuf,
    /// What of it is taken.
    pub part: Part,
    /// Of the bytes that were measured from.
    pub sha256: Option<Digest>,
}

/// The words that files are stored as: those of the command.
///
/// ```
/// use quoteclock::{BesideFile, Part, beside_words};
///
/// let phases = BesideFile { path: "phases.csv".into(), part: Part::Phases, sha256: None };
/// assert!(beside_words(None, &[phases]).eq(["--also phases.csv:phases"]));
/// ```
pub fn beside_words<'a>(
    own_orders: Option<&'a BesideFile>,
    also: &'a [BesideFile],
) -> impl Iterator<Item = String> + 'a {
    let own = own_orders.into_iter().map(|file| format!("--own-orders {file}"));
    own.chain(also.iter().map(|file| format!("--also {file}")))
}

/// The same of what has been read.
pub(crate) fn words_of(beside: &Beside, hashes: Option<&Hashes>) -> Vec<String> {
    let own = beside.own_orders.as_ref().map(|own| {
        let sha256 = Some(Digest(own.sha256()));
        BesideFile { path: own.name().into(), part: Part::All, sha256 }
    });
    let sha256 = |number: usize| Some(Digest(*hashes?.also.get(number)?));
    let also = beside.also.iter().enumerate();
    let also = also.map(|(number, also)| BesideFile {
        path: also.input.name().into(),
        part: also.part,
        sha256: sha256(number),
    });
    beside_words(own.as_ref(), &also.collect::<Vec<_>>()).collect()
}

impl std::str::FromStr for BesideFile {
    type Err = String;

    fn from_str(text: &str) -> Result<BesideFile, String> {
        let problem = || format!("found {text:?}, expected the name of a file and its SHA-256");
        let (name, hash) = match text.rsplit_once('#') {
            Some((name, hash)) => (name, Some(Digest::named(hash).ok_or_else(problem)?)),
            None => (text, None),
        };
        let (name, part) = match name.rsplit_once(':') {
            Some((name, part)) => (name, part.parse().map_err(|_| problem())?),
            None => (name, Part::All),
        };
        let path = unescaped(name).ok_or_else(problem)?.into();
        Ok(BesideFile { path, part, sha256: hash })
    }
}

/// As it is stored.
impl fmt::Display for BesideFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&escaped(&self.path.to_string_lossy()))?;
        match self.part {
            Part::All => {}
            Part::Phases => f.write_str(":phases")?,
            Part::Orders => f.write_str(":orders")?,
        }
        self.sha256.map_or(Ok(()), |sha256| write!(f, "#{sha256}"))
    }
}

/// A name as one word: what would end it, or has a meaning in it, as `%20`.
fn escaped(name: &str) -> String {
    let mut text = String::new();
    for byte in name.bytes() {
        match byte {
            b'!'..=b'~' if !b"%#:".contains(&byte) => text.push(char::from(byte)),
            _ => {
                let _ = write!(text, "%{byte:02x}");
            }
        }
    }
    text
}

fn unescaped(text: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((&byte, after)) = rest.split_first() {
        if byte == b'%' {
            let (digits, after) = after.split_at_checked(2)?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = after;
        } else {
            bytes.push(byte);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_stored_as_one_word() {
        for name in ["own orders.csv", "100%#:.csv", "日.csv", "a:phases"] {
            assert_eq!(unescaped(&escaped(name)).as_deref(), Some(name));
            assert!(!escaped(name).contains(' '));
        }
        assert_eq!((unescaped("%2"), unescaped("%zz")), (None, None));
        for part in [Part::All, Part::Phases, Part::Orders] {
            let file = BesideFile { path: "a b:c.csv".into(), part, sha256: Some(Digest([0xab; 32])) };
            assert_eq!(file.to_string().parse(), Ok(file));
        }
        assert!("a#12".parse::<BesideFile>().is_err() && "a:b".parse::<BesideFile>().is_err());
    }
}
