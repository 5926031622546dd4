//! The issues of a stream by stock locate: an index from first sight on, a symbol once one is told.

use crate::{LocateState, Malformed, Receiver};
use foldhash::quality::RandomState;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use quoteclock_model::{IssueCode, IssueIndex};
use std::num::NonZeroU64;

/// The bytes of a stock field.
pub(super) type StockField = [u8; 8];

/// Every locate seen so far. A locate has 16 bits, which bounds the table.
#[derive(Debug, Default)]
pub(super) struct Locates {
    by_locate: Vec<Located>,
    locate_of: HashMap<Symbol, u16, RandomState>,
    issue_count: u32,
    /// The symbol that the last message gave with a locate that is not its own.
    misplaced: Option<IssueCode>,
}

#[derive(Clone, Copy, Debug)]
struct Located {
    /// Meaningless before it is seen.
    issue: IssueIndex,
    seen: bool,
    /// Not before it is seen.
    symbol: Option<Symbol>,
}

impl Located {
    const NOWHERE: Located = Located { issue: IssueIndex(0), seen: false, symbol: None };
}

/// A stock field that spells a symbol, kept as a little-endian number: every message that carries one is compared with it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Symbol(NonZeroU64);

impl Symbol {
    fn field(self) -> StockField {
        self.0.get().to_le_bytes()
    }
}

impl Locates {
    /// The issue of a locate.
    ///
    /// # Errors
    /// [`Malformed`] for locate 0, which names none.
    #[inline]
    pub(super) fn issue(&mut self, locate: u16) -> Result<IssueIndex, Malformed> {
        match self.by_locate.get(usize::from(locate)) {
            Some(&Located { issue, seen: true, .. }) => Ok(issue),
            _ => self.first_sight(locate),
        }
    }

    /// How many have told their symbol.
    pub(super) fn named_count(&self) -> usize {
        self.locate_of.len()
    }

    /// The same for whoever takes note of no new symbol.
    pub(super) fn to_read_by(&self) -> Locates {
        Locates { by_locate: self.by_locate.clone(), ..Locates::default() }
    }

    /// The issue of a locate, and its symbol's field as a little-endian number; `None` where that is not known yet.
    #[inline(always)]
    pub(super) fn named(&self, locate: u16) -> Option<(IssueIndex, u64)> {
        let &Located { issue, symbol, .. } = self.by_locate.get(usize::from(locate))?;
        Some((issue, symbol?.0.get()))
    }

    #[cold]
    fn first_sight(&mut self, locate: u16) -> Result<IssueIndex, Malformed> {
        if locate == 0 {
            let (field, found) = ("stock locate", "0".to_owned());
            return Err(Malformed { field, found, expected: "the locate of an issue, 1 to 65,535" });
        }
        let position = usize::from(locate);
        if self.by_locate.len() <= position {
            self.by_locate.resize(position + 1, Located::NOWHERE);
        }
        let issue = IssueIndex(self.issue_count);
        self.issue_count += 1;
        self.by_locate[position] = Located { issue, seen: true, symbol: None };
        Ok(issue)
    }

    /// Takes note of the symbol that a message gives with a locate whose issue is known; a new one is announced.
    ///
    /// # Errors
    /// [`Malformed`] if it spells none, is not the symbol of this locate so far, or is that of another.
    #[inline]
    pub(super) fn name(&mut self, locate: u16, field: StockField, to: &mut impl Receiver) -> Result<(), Malformed> {
        let known = self.by_locate[usize::from(locate)].symbol;
        if known.is_some_and(|symbol| symbol.0.get() == u64::from_le_bytes(field)) {
            return Ok(());
        }
        self.first_name(locate, field, to)
    }

    /// The symbol that the message just read gave with a locate that is not its own, if it did.
    pub(super) fn take_misplaced(&mut self) -> Option<IssueCode> {
        self.misplaced.take()
    }

    /// Those seen so far.
    pub(super) fn save(&self) -> Vec<LocateState> {
        let seen = (0..).zip(&self.by_locate).filter(|(_, located)| located.seen);
        let state = |(locate, located): (u16, &Located)| {
            let &Located { issue, symbol, .. } = located;
            LocateState { locate, issue, symbol: symbol.map(Symbol::field) }
        };
        seen.map(state).collect()
    }

    /// These; `None` if they cannot be.
    pub(super) fn restore(state: &[LocateState]) -> Option<Locates> {
        let issue_count = u32::try_from(state.len()).ok()?;
        let mut locates = Locates { issue_count, ..Locates::default() };
        for &LocateState { locate, issue, symbol } in state {
            let position = usize::from(locate);
            let symbol = match symbol {
                None => None,
                Some(field) => Some(Symbol(NonZeroU64::new(u64::from_le_bytes(field))?)),
            };
            if locates.by_locate.len() <= position {
                locates.by_locate.resize(position + 1, Located::NOWHERE);
            }
            let twice = std::mem::replace(&mut locates.by_locate[position], Located { issue, seen: true, symbol }).seen;
            let named_twice = symbol.is_some_and(|symbol| locates.locate_of.insert(symbol, locate).is_some());
            if locate == 0 || twice || named_twice || locates.issue_count <= issue.0 {
                return None;
            }
        }
        Some(locates)
    }

    #[cold]
    fn first_name(&mut self, locate: u16, field: StockField, to: &mut impl Receiver) -> Result<(), Malformed> {
        let code = IssueCode::new(without_padding(&field));
        let (Some(code), Some(symbol)) = (code, NonZeroU64::new(u64::from_le_bytes(field)).map(Symbol)) else {
            let expected = "a symbol of visible ASCII characters without , and \", filled up with spaces";
            return Err(Malformed::field("stock", &field, expected));
        };
        let located = &mut self.by_locate[usize::from(locate)];
        if let Some(known) = located.symbol {
            let known = known.field();
            let known = without_padding(&known).escape_ascii();
            let found = format!("{code} at stock locate {locate}, which is {known}");
            self.misplaced = Some(code);
            return Err(Malformed { field: "stock", found, expected: "the symbol first given for its stock locate" });
        }
        match self.locate_of.entry(symbol) {
            Entry::Occupied(other) => {
                let found = format!("{code} at stock locate {locate}, while it has stock locate {}", other.get());
                self.misplaced = Some(code);
                Err(Malformed { field: "stock", found, expected: "one stock locate for a symbol" })
            }
            Entry::Vacant(vacant) => {
                vacant.insert(locate);
                located.symbol = Some(symbol);
                to.issue(located.issue, &code);
                Ok(())
            }
        }
    }
}

/// A text field without the spaces that fill it up. Nothing else is trimmed: two fields never mean one name.
pub(super) fn without_padding(field: &[u8]) -> &[u8] {
    let length = field.iter().rposition(|&byte| byte != b' ').map_or(0, |last| last + 1);
    &field[..length]
}
