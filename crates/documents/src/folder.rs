//! Names of folders, one for each recipient, that every file system keeps apart.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// A folder name for each name: letters, digits, `.`, `-` and `_` as they are, every other byte as `%XX`. Of names that
/// differ in case only, all but the first have a number behind them; what is too long for a file system is cut.
///
/// ```
/// use quoteclock_documents::folder_names;
///
/// let names = folder_names(["mm1", "MM1", "A/B"]);
/// assert_eq!(names["MM1"], "MM1");
/// assert_eq!(names["mm1"], "mm1%2");
/// assert_eq!(names["A/B"], "A%2FB");
/// ```
pub fn folder_names<'n>(names: impl IntoIterator<Item = &'n str>) -> BTreeMap<&'n str, String> {
    let names: BTreeSet<&str> = names.into_iter().collect();
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let mut folders = BTreeMap::new();
    for name in names {
        let safe = safe(name);
        let mut folder = safe.clone();
        let mut number = 2;
        // A percent sign from here is never followed by two hexadecimal digits and so is no encoded byte.
        while !taken.insert(folder.to_lowercase()) {
            folder = format!("{safe}%{number}");
            number += 1;
        }
        folders.insert(name, folder);
    }
    folders
}

/// Names that one system or another keeps for devices.
const RESERVED: [&str; 6] = ["con", "prn", "aux", "nul", "com", "lpt"];

/// Bytes of a folder's name: file systems take 255, and a number may follow.
const LONGEST: usize = 200;

fn safe(name: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let stem = name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let is_reserved = RESERVED.contains(&stem.trim_end_matches(|letter: char| letter.is_ascii_digit()));
    let last = name.len().saturating_sub(1);
    let mut safe = String::with_capacity(name.len());
    for (position, byte) in name.bytes().enumerate() {
        let at_edge = byte == b'.' && (position == 0 || position == last);
        if is_plain(byte) && !at_edge && !(is_reserved && position == 0) {
            safe.push(char::from(byte));
        } else {
            _ = write!(safe, "%{byte:02X}");
        }
    }
    if LONGEST < safe.len() {
        // Not inside an encoded byte.
        let end = (LONGEST - 2..LONGEST).find(|&at| safe.as_bytes()[at] == b'%').unwrap_or(LONGEST);
        safe.truncate(end);
        safe.push_str("%~");
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_any_length_have_folders_of_their_own() {
        let long = ["日", "a", "é"].map(|letter| letter.repeat(128));
        let names: Vec<String> =
            long.iter().flat_map(|name| [name.clone(), format!("{name}x"), format!("{name}y")]).collect();
        let folders = folder_names(names.iter().map(String::as_str));
        let distinct: BTreeSet<&String> = folders.values().collect();
        assert_eq!(distinct.len(), names.len(), "{folders:?}");
        for folder in distinct {
            assert!(folder.len() <= 210, "{folder}");
            let is_hexadecimal = |letter: char| letter.is_ascii_hexdigit();
            let encoded = folder.split('%').skip(1).filter(|part| part.starts_with(is_hexadecimal));
            assert!(encoded.into_iter().all(|part| part.len() == 2 || part == "2" || part == "3"), "{folder}");
        }
    }

    #[test]
    fn no_two_names_share_a_folder_and_none_leads_elsewhere() {
        let names =
            ["MM1", "mm1", "Mm1", "a b", "a%20b", "..", ".", "a/../b", "日本", "CON", "con1", "x.", "=1+1", "MM1%2"];
        let folders = folder_names(names);
        let distinct: BTreeSet<String> = folders.values().map(|folder| folder.to_lowercase()).collect();
        assert_eq!(distinct.len(), names.len(), "{folders:?}");
        for folder in folders.values() {
            assert!(
                !folder.contains(['/', '\\', ' ', '=']) && !folder.starts_with('.') && !folder.ends_with('.'),
                "{folder}"
            );
            assert!(!RESERVED.contains(&folder.to_lowercase().as_str()), "{folder}");
        }
    }
}
