//! The names of one input, each with a dense index in order of first appearance.

use crate::Receiver;
use foldhash::quality::RandomState;
use hashbrown::HashMap;
use quoteclock_model::{IssueCode, IssueIndex, ServerIndex};

/// Issues and servers seen so far. Bounded: an input with more names than a market can have is damaged or hostile.
#[derive(Debug, Default)]
pub struct Directory {
    issues: Names,
    servers: Names,
}

impl Directory {
    /// How many issues one input may name.
    pub const ISSUES_MAX: usize = 1 << 18;
    /// How many virtual servers one input may name.
    pub const SERVERS_MAX: usize = 1 << 20;
    /// The longest name of a virtual server, in bytes.
    pub const SERVER_BYTES_MAX: usize = 256;

    /// The issue that `code` spells, announced to `receiver` if new; `None` if it spells none or the directory is full.
    #[inline]
    pub fn issue(&mut self, code: &[u8], receiver: &mut impl Receiver) -> Option<IssueIndex> {
        if let Some(index) = self.issues.known(code) {
            return Some(IssueIndex(index));
        }
        let legal = IssueCode::new(code)?;
        let index = IssueIndex(self.issues.add(code, Self::ISSUES_MAX)?);
        receiver.issue(index, &legal);
        Some(index)
    }

    /// The virtual server that `name` spells, announced to `receiver` if new; `None` if it spells none or the directory
    /// is full.
    #[inline]
    pub fn server(&mut self, name: &[u8], receiver: &mut impl Receiver) -> Option<ServerIndex> {
        if let Some(index) = self.servers.known(name) {
            return Some(ServerIndex(index));
        }
        let legal = std::str::from_utf8(name).ok()?;
        if legal.len() > Self::SERVER_BYTES_MAX {
            return None;
        }
        let index = ServerIndex(self.servers.add(name, Self::SERVERS_MAX)?);
        receiver.server(index, legal);
        Some(index)
    }
}

/// Names of one kind. The map is keyed at random, so that names cannot be chosen to collide.
#[derive(Debug, Default)]
struct Names {
    indices: HashMap<Box<[u8]>, u32, RandomState>,
    /// The name looked up last: feeds come in runs of one issue.
    last: Option<(Box<[u8]>, u32)>,
}

impl Names {
    #[inline]
    fn known(&mut self, name: &[u8]) -> Option<u32> {
        if let Some((last, index)) = &self.last
            && **last == *name
        {
            return Some(*index);
        }
        let (key, &index) = self.indices.get_key_value(name)?;
        match &mut self.last {
            Some((last, last_index)) if last.len() == name.len() => {
                last.copy_from_slice(name);
                *last_index = index;
            }
            last => *last = Some((key.clone(), index)),
        }
        Some(index)
    }

    fn add(&mut self, name: &[u8], count_max: usize) -> Option<u32> {
        let count = self.indices.len();
        if count == count_max {
            return None;
        }
        let index = u32::try_from(count).expect("count_max fits 32 bits");
        self.indices.insert(name.into(), index);
        Some(index)
    }
}
