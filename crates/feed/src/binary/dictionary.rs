//! The names of a file: how they are written, and which index each has.
//!
//! A block carries the names that are new in it, so that a stream can be read without the list at the end. Indices count
//! the names of each kind from 0, through the whole file. Where a block is damaged its names are lost, and the indices
//! after it stay right: every block says how many names stand before its own.

use crate::{FileNames, Malformed, NameTable, Receiver};
use foldhash::quality::RandomState;
use hashbrown::HashSet;
use quoteclock_model::{IssueCode, IssueIndex, ServerIndex, is_name};

const ISSUE: u8 = b'I';
const SERVER: u8 = b'S';

/// Appends an issue's code to a list of names.
pub(crate) fn write_issue(list: &mut Vec<u8>, code: &str) {
    write(list, ISSUE, code);
}

/// Appends a server's name to a list of names.
pub(crate) fn write_server(list: &mut Vec<u8>, name: &str) {
    write(list, SERVER, name);
}

fn write(list: &mut Vec<u8>, kind: u8, name: &str) {
    let length = u16::try_from(name.len()).expect("names are checked to be short");
    list.push(kind);
    list.extend_from_slice(&length.to_le_bytes());
    list.extend_from_slice(name.as_bytes());
}

/// The names read so far.
#[derive(Debug, Default)]
pub struct Dictionary {
    issues: SeenNames,
    servers: SeenNames,
}

impl Dictionary {
    /// The issue that stands at `index` in the file, as it was announced; `None` if its name is lost or never came.
    #[inline]
    pub fn issue(&self, index: u32) -> Option<IssueIndex> {
        self.issues.get(u64::from(index)).map(IssueIndex)
    }

    /// The server that stands at `index` in the file, as it was announced; `None` if its name is lost or never came.
    #[inline]
    pub fn server(&self, index: u64) -> Option<ServerIndex> {
        self.servers.get(index).map(ServerIndex)
    }

    /// Whether no name has been lost: every index in the file is then the one that was announced.
    pub(crate) fn is_whole(&self) -> bool {
        [&self.issues, &self.servers].iter().all(|names| names.seen.len() == names.indices.len())
    }

    /// How many issues and servers the file has named so far, lost ones included.
    pub(crate) fn counts(&self) -> (u32, u32) {
        (self.issues.count(), self.servers.count())
    }

    /// The names of issues and of servers.
    pub(crate) fn save(&self) -> [FileNames; 2] {
        [&self.issues, &self.servers].map(|names| {
            let mut sorted: Vec<Box<[u8]>> = names.seen.iter().cloned().collect();
            sorted.sort_unstable();
            FileNames { names: sorted, indices: names.indices.clone() }
        })
    }

    /// These; `None` if they cannot be.
    pub(crate) fn restore(issues: &FileNames, servers: &FileNames) -> Option<Dictionary> {
        let restore = |state: &FileNames, count_max: usize| {
            let (names, indices) = (&state.names, &state.indices);
            let in_order = indices.iter().flatten().copied().eq(0..u32::try_from(names.len()).ok()?);
            let seen: HashSet<Box<[u8]>, RandomState> = names.iter().cloned().collect();
            let fits = in_order && seen.len() == names.len() && indices.len() <= count_max;
            fits.then(|| SeenNames { seen, indices: indices.clone() })
        };
        let issues = restore(issues, NameTable::ISSUES_MAX)?;
        Some(Dictionary { issues, servers: restore(servers, NameTable::SERVERS_MAX)? })
    }

    /// Counts names that a damaged block has taken with it, up to the numbers that stand before the next.
    pub(crate) fn lose(&mut self, issues_before: u32, servers_before: u32) -> Result<(), Malformed> {
        let issues_max = u32::try_from(NameTable::ISSUES_MAX).expect("fits 32 bits");
        let servers_max = u32::try_from(NameTable::SERVERS_MAX).expect("fits 32 bits");
        let ranges = [self.issues.count()..=issues_max, self.servers.count()..=servers_max];
        if !ranges[0].contains(&issues_before) || !ranges[1].contains(&servers_before) {
            let found = format!("{issues_before} issues and {servers_before} servers named before it");
            let expected = "as many as the blocks before it have named";
            return Err(Malformed { field: "block", found, expected });
        }
        self.issues.indices.resize(issues_before as usize, None);
        self.servers.indices.resize(servers_before as usize, None);
        Ok(())
    }

    /// Takes in a list of names, and announces each to `receiver`.
    pub(crate) fn define(&mut self, mut list: &[u8], receiver: &mut impl Receiver) -> Result<(), Malformed> {
        while let Some((kind, name, rest)) = split(list) {
            match kind {
                ISSUE => self.define_issue(name, receiver)?,
                SERVER => self.define_server(name, receiver)?,
                _ => break,
            }
            list = rest;
        }
        if list.is_empty() { Ok(()) } else { Err(Malformed::field("names", list, "a list of names")) }
    }

    /// Takes in one name, and announces it to `receiver`.
    pub(crate) fn define_one(&mut self, name: &[u8], receiver: &mut impl Receiver) -> Result<(), Malformed> {
        check_name(name)?;
        self.define(name, receiver)
    }

    fn define_issue(&mut self, name: &[u8], receiver: &mut impl Receiver) -> Result<(), Malformed> {
        let expected = "a new code of 1 to 32 visible ASCII characters, at most 262,144 in a file";
        let wrong = || Malformed::field("issue", name, expected);
        let code = IssueCode::new(name).ok_or_else(wrong)?;
        let index = self.issues.add(name, NameTable::ISSUES_MAX).ok_or_else(wrong)?;
        receiver.issue(IssueIndex(index), &code);
        Ok(())
    }

    fn define_server(&mut self, name: &[u8], receiver: &mut impl Receiver) -> Result<(), Malformed> {
        let expected =
            "a new name of 1 to 128 characters of UTF-8, none a control character, at most 1,048,576 in a file";
        let wrong = || Malformed::field("server", name, expected);
        let text = std::str::from_utf8(name).ok().filter(|name| is_name(name)).ok_or_else(wrong)?;
        let index = self.servers.add(name, NameTable::SERVERS_MAX).ok_or_else(wrong)?;
        receiver.server(ServerIndex(index), text);
        Ok(())
    }
}

/// Whether `name` is one name of a kind that there is, and nothing else.
pub(crate) fn check_name(name: &[u8]) -> Result<(), Malformed> {
    match split(name) {
        Some((ISSUE | SERVER, _, [])) => Ok(()),
        _ => Err(Malformed::field("record", name, "a record of 40 or 72 bytes, or one name")),
    }
}

/// The first name of a list, with its kind, and the rest.
fn split(list: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[kind, low, high], rest) = list.split_first_chunk::<3>()?;
    let (name, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes([low, high])))?;
    Some((kind, name, rest))
}

/// SeenNames of one kind.
#[derive(Debug, Default)]
struct SeenNames {
    seen: HashSet<Box<[u8]>, RandomState>,
    /// For each index in the file, the one that was announced: the same, unless names before it are lost.
    indices: Vec<Option<u32>>,
}

impl SeenNames {
    #[inline]
    fn get(&self, index: u64) -> Option<u32> {
        self.indices.get(usize::try_from(index).ok()?).copied().flatten()
    }

    fn count(&self) -> u32 {
        u32::try_from(self.indices.len()).expect("bounded by the names")
    }

    /// The index of a new name; `None` if it is not new, or one too many.
    fn add(&mut self, name: &[u8], count_max: usize) -> Option<u32> {
        let index = u32::try_from(self.seen.len()).ok()?;
        if count_max <= self.indices.len() || !self.seen.insert(name.into()) {
            return None;
        }
        self.indices.push(Some(index));
        Some(index)
    }
}
