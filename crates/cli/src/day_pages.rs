//! `report --day-pages`: links from the days of a month's page to pages that `explain --html` has written.

use crate::terminal;
use anyhow::{Context, Result};
use jiff::civil::Date;
use quoteclock_incentive::AccountKey;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Component, Path, PathBuf};

/// A folder of pages, and where it is seen from the page that links to them.
pub(crate) struct DayPages {
    folder: PathBuf,
    /// What stands before the name of a page in a link.
    prefix: String,
    /// Pages that were looked for and are not there.
    missing: RefCell<BTreeSet<String>>,
}

impl DayPages {
    /// The pages in `folder`, for a page that will be `page`.
    pub(crate) fn in_folder(folder: &Path, page: &Path) -> Result<DayPages> {
        let absolute = |path: &Path| -> Result<PathBuf> {
            let path = if path == Path::new("") { Path::new(".") } else { path };
            path.canonicalize().with_context(|| format!("--day-pages: looking for the folder {}", path.display()))
        };
        let from = absolute(page.parent().unwrap_or(Path::new("")))?;
        let prefix = link(&from, &absolute(folder)?);
        Ok(DayPages { folder: folder.to_owned(), prefix, missing: RefCell::default() })
    }

    /// The link to the page of a day, if it is there.
    pub(crate) fn link(&self, key: &AccountKey, date: Date) -> Option<String> {
        let name = name(key, date);
        if self.folder.join(&name).is_file() {
            return Some(format!("{}{name}", self.prefix));
        }
        self.missing.borrow_mut().insert(name);
        None
    }

    /// Says which pages are not there.
    pub(crate) fn warn(&self) {
        let missing = self.missing.borrow();
        if let Some(first) = missing.first() {
            let (days, folder) = (crate::month::count(missing.len(), "day"), self.folder.display());
            terminal::print_warning(&format!(
                "without a page in {folder}, and not linked: {days}, such as {first}, which quoteclock explain --html \
                 {folder}/{first} writes"
            ));
        }
    }
}

/// The name of a day's page: `2024-03-01-MM1-1306-general.html`. Whatever else is no ASCII letter or digit is written as
/// `_` and two hexadecimal digits for each byte, so that no two keys share a name.
fn name(key: &AccountKey, date: Date) -> String {
    let mut name = date.to_string();
    for part in [key.market_maker.as_str(), key.issue.as_str(), &key.obligation.to_string()] {
        name.push('-');
        encode(&mut name, part, "_", |byte| byte.is_ascii_alphanumeric());
    }
    name + ".html"
}

/// The way from one folder to another as a link, with the slash that ends it. Both are absolute.
fn link(from: &Path, to: &Path) -> String {
    let (from, to): (Vec<_>, Vec<_>) = (from.components().collect(), to.components().collect());
    let common = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
    let mut link = "../".repeat(from.len() - common);
    for component in &to[common..] {
        if let Component::Normal(name) = component {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
            encode(&mut link, &name.to_string_lossy(), "%", is_plain);
            link.push('/');
        }
    }
    link
}

/// Adds a text whose other bytes are written as `mark` and two hexadecimal digits.
fn encode(to: &mut String, text: &str, mark: &str, is_plain: impl Fn(u8) -> bool) {
    for byte in text.bytes() {
        if is_plain(byte) {
            to.push(char::from(byte));
        } else {
            write!(to, "{mark}{byte:02X}").expect("writing to a string");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use quoteclock_model::IssueCode;

    #[test]
    fn no_two_keys_share_a_name() {
        let key = |maker: &str, obligation: &str| AccountKey {
            market_maker: maker.to_owned(),
            issue: IssueCode::new(b"1306").unwrap(),
            obligation: obligation.parse().unwrap(),
        };
        let of = |maker, obligation| name(&key(maker, obligation), date(2024, 3, 1));
        assert_eq!(of("MM1", "general"), "2024-03-01-MM1-1306-general.html");
        assert_eq!(of("M/1", "sponsored:A"), "2024-03-01-M_2F1-1306-sponsored_3AA.html");
        assert_ne!(of("M_1", "general"), of("M-1", "general"));
    }

    #[test]
    fn a_link_leads_from_the_page_to_the_folder() {
        let of = |from: &str, to: &str| link(Path::new(from), Path::new(to));
        assert_eq!(of("/a/b", "/a/b"), "");
        assert_eq!(of("/a/b", "/a/b/days of #3"), "days%20of%20%233/");
        assert_eq!(of("/a/b/c", "/a/d"), "../../d/");
    }
}
