//! What a day is measured from beside its input: `--own-orders` and `--also`, as they are typed, stored and read.

use crate::{BadUsage, terminal};
use anyhow::{Context, Result};
use quoteclock::{OwnOrdersError, read_own_orders};
use quoteclock_replay::{Also, Beside, Hashes, Input, Part};
use quoteclock_store::Digest;
use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};

/// What a day is measured from beside its input.
#[derive(clap::Args, Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct BesideArgs {
    /// Sheet of one's own orders (order,server and, if numbers are not unique in the market, issue), for an input that names
    /// nobody, such as DBN and most of ITCH
    #[arg(long, value_name = "FILE", value_parser = Besides::typed)]
    pub(crate) own_orders: Option<Besides>,

    /// Further input of the same date, merged by time; of one time FILE comes first, then these in their order. :phases takes its
    /// phases alone, :orders all but them. May be given several times
    #[arg(long, value_name = "FILE[:phases|:orders]", value_parser = Besides::typed_part, allow_hyphen_values = true)]
    pub(crate) also: Vec<Besides>,
}

/// A file beside the input.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Besides {
    pub(crate) path: PathBuf,
    pub(crate) part: Part,
    /// Of the bytes that were measured from.
    pub(crate) sha256: Option<Digest>,
}

impl Besides {
    fn typed(name: &str) -> Result<Besides, String> {
        match name {
            "" => Err("found nothing, expected the name of a file".to_owned()),
            name => Ok(Besides { path: name.into(), part: Part::All, sha256: None }),
        }
    }

    fn typed_part(name: &str) -> Result<Besides, String> {
        let named = name.rsplit_once(':').and_then(|(file, part)| Some((file, part.parse().ok()?)));
        let (file, part) = named.unwrap_or((name, Part::All));
        Ok(Besides { part, ..Besides::typed(file)? })
    }

    /// As it is stored: one word, and the hash of what was read.
    fn stored(text: &str) -> Result<Besides, String> {
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
        Ok(Besides { path, part, sha256: hash })
    }
}

/// As it is stored.
impl fmt::Display for Besides {
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

/// What has been opened of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct OpenedBeside {
    pub(crate) beside: Beside,
    own_orders_sha256: Option<Digest>,
}

impl BesideArgs {
    /// Whether there is nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.own_orders.is_none() && self.also.is_empty()
    }

    /// The words that it is stored as.
    pub(crate) fn words(&self) -> impl Iterator<Item = String> + '_ {
        let own = self.own_orders.iter().map(|file| format!("--own-orders {file}"));
        own.chain(self.also.iter().map(|file| format!("--also {file}")))
    }

    /// Takes one of these words; says whether it is one.
    ///
    /// # Errors
    /// What is wrong with its value.
    pub(crate) fn take(&mut self, word: &str, value: Option<&str>) -> Result<bool, String> {
        let file = || Besides::stored(value.unwrap_or_default());
        match word {
            "--own-orders" => self.own_orders = Some(file()?),
            "--also" => self.also.push(file()?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The inputs among it.
    pub(crate) fn inputs(&self) -> Vec<Input> {
        self.also.iter().map(|file| Input::named(&file.path)).collect()
    }

    /// The files that are read, for whoever must not write to them.
    pub(crate) fn files(&self) -> impl Iterator<Item = PathBuf> + '_ {
        self.own_orders.iter().chain(&self.also).map(|file| file.path.clone())
    }

    /// Refuses what cannot be meant beside `files`.
    pub(crate) fn check(&self, files: &[PathBuf]) -> Result<()> {
        if !self.is_empty() && 1 < files.len() {
            let problem = "--also and --own-orders are of one day, expected one FILE with them";
            return Err(BadUsage(problem.to_owned()).into());
        }
        let inputs = files.iter().map(PathBuf::as_path).chain(self.also.iter().map(|file| file.path.as_path()));
        if 1 < inputs.filter(|input| *input == Path::new("-")).count() {
            return Err(BadUsage("standard input (-) is given twice, expected once".to_owned()).into());
        }
        Ok(())
    }

    /// Opens it; `None` after printing what is wrong with a sheet.
    pub(crate) fn open(&self) -> Result<Option<OpenedBeside>> {
        let also = self.also.iter().map(|file| Also { input: Input::named(&file.path), part: file.part }).collect();
        let mut opened = OpenedBeside { beside: Beside { also, own_orders: None }, own_orders_sha256: None };
        if let Some(Besides { path, .. }) = &self.own_orders {
            let bytes = std::fs::read(path).with_context(|| format!("{}: cannot be read", path.display()))?;
            opened.own_orders_sha256 = Some(Digest::of(&bytes));
            match read_own_orders(path, &bytes) {
                Ok(own) => opened.beside.own_orders = Some(own.into()),
                Err(OwnOrdersError { findings }) => {
                    findings.iter().for_each(|finding| terminal::print_error(&finding.to_string()));
                    return Ok(None);
                }
            }
        }
        Ok(Some(opened))
    }

    /// The same, with the hashes of what was read. `None` if it has other ones: it has changed since they were taken.
    pub(crate) fn hashed(&self, opened: &OpenedBeside, hashes: &Hashes) -> Option<BesideArgs> {
        let is_as_it_was = |file: &Besides, sha256| file.sha256.is_none_or(|known| known == sha256);
        let mut hashed = self.clone();
        let own = hashed.own_orders.iter_mut().zip(opened.own_orders_sha256);
        let also = hashed.also.iter_mut().zip(hashes.also.iter().map(|&sha256| Digest(sha256)));
        for (file, sha256) in own.chain(also) {
            if !is_as_it_was(file, sha256) {
                return None;
            }
            file.sha256 = Some(sha256);
        }
        Some(hashed)
    }

    /// The names and hashes of the files.
    pub(crate) fn named(&self) -> impl Iterator<Item = (String, Digest)> + '_ {
        let files = self.own_orders.iter().chain(&self.also);
        files.filter_map(|file| Some((file.path.display().to_string(), file.sha256?)))
    }
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
        let typed = Besides::typed_part("a b.csv:phases").unwrap();
        let file = Besides { sha256: Some(Digest([0xab; 32])), ..typed };
        assert_eq!(Besides::stored(&file.to_string()), Ok(file));
        let odd = Besides::typed_part("a:b").unwrap();
        assert_eq!((odd.part, odd.path.as_path()), (Part::All, Path::new("a:b")));
        assert_eq!(Besides::stored(&odd.to_string()), Ok(odd));
        assert!(Besides::stored("a#12").is_err() && Besides::typed_part("").is_err());
    }
}
