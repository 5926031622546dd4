//! What a day is measured from beside its input: `--own-orders` and `--also`, as they are typed, stored and read.

use crate::{BadUsage, remote, terminal};
use anyhow::{Context, Result};
use quoteclock::{BesideFile, OwnOrders, OwnOrdersError, beside_words, read_own_orders};
use quoteclock_replay::{Also, Beside, Hashes, Input, Part};
use quoteclock_store::Digest;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a day is measured from beside its input.
#[derive(clap::Args, Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct BesideArgs {
    /// Sheet of one's own orders (order,server and, if numbers are not unique in the market, issue), for an input that names
    /// nobody, such as DBN and most of ITCH
    #[arg(long, value_name = "FILE", value_parser = typed)]
    pub(crate) own_orders: Option<BesideFile>,

    /// Further input of the same date, merged by time; of one time FILE comes first, then these in their order. :phases takes its
    /// phases alone, :orders all but them. May be given several times
    #[arg(long, value_name = "FILE[:phases|:orders]", value_parser = typed_part, allow_hyphen_values = true)]
    pub(crate) also: Vec<BesideFile>,
}

/// A file as it is typed.
fn typed(name: &str) -> Result<BesideFile, String> {
    match name {
        "" => Err("found nothing, expected the name of a file".to_owned()),
        name => Ok(BesideFile { path: name.into(), part: Part::All, sha256: None }),
    }
}

/// The same, with what of it is taken.
fn typed_part(name: &str) -> Result<BesideFile, String> {
    let named = name.rsplit_once(':').and_then(|(file, part)| Some((file, part.parse().ok()?)));
    let (file, part) = named.unwrap_or((name, Part::All));
    Ok(BesideFile { part, ..typed(file)? })
}

impl BesideArgs {
    /// Whether there is nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.own_orders.is_none() && self.also.is_empty()
    }

    /// The words that it is stored as.
    pub(crate) fn words(&self) -> impl Iterator<Item = String> + '_ {
        beside_words(self.own_orders.as_ref(), &self.also)
    }

    /// Takes one of these words; says whether it is one.
    ///
    /// # Errors
    /// What is wrong with its value.
    pub(crate) fn take(&mut self, word: &str, value: Option<&str>) -> Result<bool, String> {
        let file = || value.unwrap_or_default().parse();
        match word {
            "--own-orders" => self.own_orders = Some(file()?),
            "--also" => self.also.push(file()?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The inputs among it.
    ///
    /// # Errors
    /// Bad usage, if one is meant as the name of an object and is none.
    pub(crate) fn inputs(&self) -> Result<Vec<Input>> {
        self.also.iter().map(|file| remote::input(&file.path)).collect()
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
    pub(crate) fn open(&self) -> Result<Option<Beside>> {
        let also = |file: &BesideFile| Ok(Also { input: remote::input(&file.path)?, part: file.part });
        let also = self.also.iter().map(also).collect::<Result<_>>()?;
        let mut opened = Beside { also, own_orders: None };
        if let Some(BesideFile { path, .. }) = &self.own_orders {
            let bytes = remote::read(path).with_context(|| format!("{}: cannot be read", path.display()))?;
            match read_own_orders(path, &bytes) {
                Ok(own) => opened.own_orders = Some(own.into()),
                Err(OwnOrdersError { findings }) => {
                    findings.iter().for_each(|finding| terminal::print_error(&finding.to_string()));
                    return Ok(None);
                }
            }
        }
        Ok(Some(opened))
    }

    /// The same, with the hashes of what was read. `None` if it has other ones: it has changed since they were taken.
    pub(crate) fn hashed(&self, opened: &Beside, hashes: &Hashes) -> Option<BesideArgs> {
        let is_as_it_was = |file: &BesideFile, sha256| file.sha256.is_none_or(|known| known == sha256);
        let mut hashed = self.clone();
        let own = hashed.own_orders.iter_mut().zip(opened.own_orders.iter().map(|own| Digest(own.sha256())));
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

/// The sheet of one's own orders in a file, as a running feed takes it.
pub(crate) fn own_orders_of(path: &Path) -> Result<Arc<OwnOrders>> {
    let bytes = std::fs::read(path).with_context(|| format!("{}: cannot be read", path.display()));
    // What cannot be read is refused as what was typed.
    let bytes = bytes.map_err(|error| BadUsage(format!("{error:#}")))?;
    Ok(read_own_orders(path, &bytes)?.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_what_stands_behind_the_last_colon_where_it_is_one() {
        let parts = ["a b.csv:phases", "a:orders", "a:b", "a:b:phases"].map(|name| typed_part(name).unwrap());
        let parts = parts.map(|file| (file.path.display().to_string(), file.part));
        let expected = [("a b.csv", Part::Phases), ("a", Part::Orders), ("a:b", Part::All), ("a:b", Part::Phases)];
        assert_eq!(parts, expected.map(|(path, part)| (path.to_owned(), part)));
        assert!(typed_part("").is_err() && typed_part(":phases").is_err());
    }
}
