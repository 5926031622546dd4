//! The names of one input, each with a dense index in order of first appearance.

use crate::Receiver;
use crate::text::word_at;
use foldhash::quality::RandomState;
use hashbrown::HashMap;
use quoteclock_model::{IssueCode, IssueIndex, ServerIndex, is_name};

/// Issues and servers seen so far. Bounded: an input with more names than a market can have is damaged or hostile.
#[derive(Debug, Default)]
pub struct NameTable {
    issues: NameIndex,
    servers: NameIndex,
    known: KnownNames,
}

/// Most short names that have been seen, found without a look at the maps.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownNames {
    issues: ShortNames,
    servers: ShortNames,
}

impl KnownNames {
    /// The issue of a code that has been seen; `None` where that is not certain.
    #[inline]
    pub(crate) fn issue(&self, code: ShortName) -> Option<IssueIndex> {
        self.issues.known(code).map(IssueIndex)
    }

    /// The virtual server of a name that has been seen; `None` where that is not certain.
    #[inline]
    pub(crate) fn server(&self, name: ShortName) -> Option<ServerIndex> {
        self.servers.known(name).map(ServerIndex)
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.issues.count + self.servers.count
    }
}

impl NameTable {
    /// How many issues one input may name.
    pub const ISSUES_MAX: usize = 1 << 18;
    /// How many virtual servers one input may name.
    pub const SERVERS_MAX: usize = 1 << 20;

    /// Issues and servers, in the order of their indices.
    pub(crate) fn names(&self) -> [Vec<Box<[u8]>>; 2] {
        [&self.issues, &self.servers].map(NameIndex::in_order)
    }

    /// A names of these, which nobody is told; `None` if they are too many, or one is there twice.
    pub(crate) fn restore(issues: &[Box<[u8]>], servers: &[Box<[u8]>]) -> Option<NameTable> {
        let mut names = NameTable::default();
        for name in issues {
            names.issues.add_new(name, Self::ISSUES_MAX, &mut names.known.issues)?;
        }
        for name in servers {
            names.servers.add_new(name, Self::SERVERS_MAX, &mut names.known.servers)?;
        }
        Some(names)
    }

    /// The issue that `code` spells, announced to `receiver` if new; `None` if it spells none or the names is full.
    #[inline]
    pub fn issue(&mut self, code: &[u8], receiver: &mut impl Receiver) -> Option<IssueIndex> {
        if let Some(index) = self.issues.known(code, &self.known.issues) {
            return Some(IssueIndex(index));
        }
        let legal = IssueCode::new(code)?;
        let index = IssueIndex(self.issues.add(code, Self::ISSUES_MAX, &mut self.known.issues)?);
        receiver.issue(index, &legal);
        Some(index)
    }

    /// Most short names that have been seen.
    #[inline]
    pub(crate) fn known(&self) -> &KnownNames {
        &self.known
    }

    /// The virtual server that `name` spells, announced to `receiver` if new; `None` if it spells none, as one that is too
    /// long or holds a control character does, or the names is full.
    #[inline]
    pub fn server(&mut self, name: &[u8], receiver: &mut impl Receiver) -> Option<ServerIndex> {
        if let Some(index) = self.servers.known(name, &self.known.servers) {
            return Some(ServerIndex(index));
        }
        let legal = std::str::from_utf8(name).ok().filter(|name| name.is_empty() || is_name(name))?;
        let index = ServerIndex(self.servers.add(name, Self::SERVERS_MAX, &mut self.known.servers)?);
        receiver.server(index, legal);
        Some(index)
    }
}

/// A name of at most 15 bytes as a number: its bytes from the lowest on, and a one above them, so that no two names are
/// one number. One with a quote in it is never found under its number, as it stands otherwise in CSV than it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ShortName(u128);

impl ShortName {
    const BYTES_MAX: usize = 15;
    /// For each length the one above a name's bytes.
    const ENDS: [u128; Self::BYTES_MAX + 1] = {
        let mut ends = [1; Self::BYTES_MAX + 1];
        let mut length = 1;
        while length <= Self::BYTES_MAX {
            ends[length] = ends[length - 1] << 8;
            length += 1;
        }
        ends
    };

    /// The first `length` bytes of `bytes`; `None` if they are too many.
    #[inline]
    pub(crate) fn new(bytes: &[u8; 16], length: usize) -> Option<ShortName> {
        let end = Self::ENDS.get(length)?;
        Some(ShortName(u128::from_le_bytes(*bytes) & (end - 1) | end))
    }

    /// The first `length` bytes of `word`, from its lowest on, at most 4.
    #[inline]
    pub(crate) fn of_word(word: u32, length: u32) -> ShortName {
        let end = 1 << (8 * length);
        ShortName(u128::from(u64::from(word) & (end - 1) | end))
    }

    #[inline]
    fn from_slice(name: &[u8]) -> Option<ShortName> {
        let mut bytes = [0; 16];
        bytes.get_mut(..name.len())?.copy_from_slice(name);
        ShortName::new(&bytes, name.len())
    }
}

/// NameIndex of one kind. The map is keyed at random, so that names cannot be chosen to collide.
#[derive(Debug, Default)]
struct NameIndex {
    indices: HashMap<Box<[u8]>, u32, RandomState>,
}

impl NameIndex {
    #[inline]
    fn known(&self, name: &[u8], known: &ShortNames) -> Option<u32> {
        let short = ShortName::from_slice(name).and_then(|name| known.known(name));
        short.or_else(|| self.indices.get(name).copied())
    }

    fn in_order(&self) -> Vec<Box<[u8]>> {
        let mut names: Vec<(u32, &Box<[u8]>)> = self.indices.iter().map(|(name, &index)| (index, name)).collect();
        names.sort_unstable();
        names.into_iter().map(|(_, name)| name.clone()).collect()
    }

    fn add_new(&mut self, name: &[u8], count_max: usize, known: &mut ShortNames) -> Option<u32> {
        if self.indices.contains_key(name) { None } else { self.add(name, count_max, known) }
    }

    fn add(&mut self, name: &[u8], count_max: usize, known: &mut ShortNames) -> Option<u32> {
        let count = self.indices.len();
        if count == count_max {
            return None;
        }
        let index = u32::try_from(count).expect("count_max fits 32 bits");
        self.indices.insert(name.into(), index);
        if let Some(short) = ShortName::from_slice(name)
            && !name.contains(&b'"')
        {
            known.add(short, index);
        }
        Some(index)
    }
}

/// Finds most short names without a look at the map: each stands in one of a few places that its number tells. One that
/// finds them taken, as names chosen to collide would, is left to the map.
#[derive(Clone, Debug, Default)]
struct ShortNames {
    /// A power of two of them, or none; zero is no name.
    places: Vec<(u128, u32)>,
    count: usize,
}

impl ShortNames {
    const PLACES_TRIED: usize = 4;

    #[inline]
    fn tried(&self, ShortName(name): ShortName) -> impl Iterator<Item = usize> + use<> {
        let mask = self.places.len().wrapping_sub(1);
        let [low, high] = [0, 8].map(|at| word_at(&name.to_le_bytes(), at));
        let hash = (low ^ high.rotate_left(32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let first = (hash >> 40) as usize;
        (first..first + Self::PLACES_TRIED).map(move |place| place & mask)
    }

    #[inline]
    fn known(&self, name: ShortName) -> Option<u32> {
        self.tried(name).find_map(|place| self.places.get(place).filter(|found| found.0 == name.0).map(|found| found.1))
    }

    fn add(&mut self, name: ShortName, index: u32) {
        self.count += 1;
        if self.places.len() < self.count * 4 {
            let length = (self.places.len() * 2).max(64);
            for (name, index) in std::mem::replace(&mut self.places, vec![(0, 0); length]) {
                self.put(ShortName(name), index);
            }
        }
        self.put(name, index);
    }

    fn put(&mut self, name: ShortName, index: u32) {
        if name.0 != 0
            && let Some(place) = self.tried(name).find(|&place| self.places[place].0 == 0)
        {
            self.places[place] = (name.0, index);
        }
    }
}
