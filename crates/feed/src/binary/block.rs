//! A block, read in place: its groups, each with one issue's records.
//!
//! Nothing is copied. The front (names, sequence numbers, group table) has one checksum, and each group has its own,
//! verified when the group is taken: by the thread that is about to read it, and for one issue without its neighbours.

use super::dictionary::Dictionary;
use super::layout::{
    self, BlockHead, FRAME_HEAD_BYTES, GroupEntry, MARKET, Run, SLOT_BYTES, SLOTS_MAX, part_cut, parts,
};
use super::slot::{EventSlot, Records};
use crate::{Malformed, Receiver};
use quoteclock_model::{MarketEvent, Record, Scope, SequenceNo, Timestamp};
use zerocopy::IntoBytes;

/// What stands before the records of a block: by it each group is found.
#[derive(Clone, Copy, Debug)]
pub struct Front<'a> {
    pub(crate) head: BlockHead,
    names: &'a [u8],
    runs: &'a [Run],
    groups: &'a [GroupEntry],
}

impl<'a> Front<'a> {
    /// The front of the block that `head` begins; `bytes` is what follows the head, [`BlockHead::front_bytes`] long.
    /// Its checksum is verified, and that its tables add up.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(head: BlockHead, bytes: &'a [u8], has_sequence: bool) -> Result<Front<'a>, Malformed> {
        if bytes.len() as u64 != head.front_bytes() {
            return Err(part_cut());
        }
        layout::check(bytes, head.front_crc.get())?;
        let (names, rest) = bytes.split_at_checked(head.names_bytes.get() as usize).ok_or_else(part_cut)?;
        let (runs, rest) = rest.split_at_checked(head.runs.get() as usize * size_of::<Run>()).ok_or_else(part_cut)?;
        let groups = rest.get(..head.groups.get() as usize * size_of::<GroupEntry>()).ok_or_else(part_cut)?;
        let front = Front { head, names, runs: parts(runs)?, groups: parts(groups)? };
        let padding = rest.get(groups.len()..).unwrap_or_default();
        if front.runs.iter().any(|run| run.reserved.get() != 0) || padding.iter().any(|&byte| byte != 0) {
            let found = "bits set that version 1 does not know".to_owned();
            return Err(Malformed { field: "block", found, expected: "zero in all reserved bits" });
        }
        front.check_runs(has_sequence)?;
        front.check_groups()?;
        Ok(front)
    }

    /// The first run begins the block, and sequence numbers rise through all of them.
    fn check_runs(&self, has_sequence: bool) -> Result<(), Malformed> {
        let wrong = |found: String| {
            let expected = "runs of sequence numbers that rise through the block, if the file carries any";
            Err(Malformed { field: "seq", found, expected })
        };
        if self.runs.is_empty() == has_sequence || self.runs.first().is_some_and(|run| run.ordinal.get() != 0) {
            return wrong(format!("{} runs that do not begin the block", self.runs.len()));
        }
        for (position, run) in self.runs.iter().enumerate() {
            let next = self.runs.get(position + 1);
            let end = next.map_or(self.head.records.get(), |next| next.ordinal.get());
            let length = u64::from(end.saturating_sub(run.ordinal.get()));
            let last = run.sequence.get().checked_add(length.saturating_sub(1));
            let rises = last.is_some_and(|last| next.is_none_or(|next| last < next.sequence.get()));
            if length == 0 || !rises {
                return wrong(format!("a run of {length} from {}", run.sequence));
            }
        }
        Ok(())
    }

    /// Groups follow each other without a gap, in order of their issues.
    fn check_groups(&self) -> Result<(), Malformed> {
        let (mut slots, mut issue_last) = (0, None);
        for group in self.groups {
            let issue = group.issue.get();
            if group.first_slot.get() != slots || group.slots.get() == 0 || issue_last.is_some_and(|last| issue <= last)
            {
                slots = u32::MAX;
                break;
            }
            slots = slots.saturating_add(group.slots.get());
            issue_last = Some(issue);
        }
        if slots == self.head.slots.get() {
            return Ok(());
        }
        let expected = "groups in order of their issues that fill the block";
        Err(Malformed { field: "block", found: "a group table that does not add up".to_owned(), expected })
    }

    /// Takes the names that are new in the block into `dictionary`, and announces them to `receiver`.
    ///
    /// # Errors
    /// What is wrong with them; those before are taken in.
    pub fn define(&self, dictionary: &mut Dictionary, receiver: &mut impl Receiver) -> Result<(), Malformed> {
        dictionary.define(self.names, receiver)
    }

    /// The names that the block is the first to use, as they are written.
    pub(crate) fn names(&self) -> &'a [u8] {
        self.names
    }

    /// The records of the market-wide group or of the issue that stands at an index in the file: the offset in the
    /// block of the first, and the length of all in bytes. `None` if the block has none.
    pub fn range(&self, issue: Option<u32>) -> Option<(u64, usize)> {
        let group = self.entry(issue)?;
        let start = FRAME_HEAD_BYTES as u64 + self.head.front_bytes() + offset_of(group.first_slot.get());
        Some((start, group.slots.get() as usize * SLOT_BYTES))
    }

    fn entry(&self, issue: Option<u32>) -> Option<&'a GroupEntry> {
        let issue = issue.unwrap_or(MARKET);
        let position = self.groups.binary_search_by_key(&issue, |group| group.issue.get()).ok()?;
        self.groups.get(position)
    }

    /// The group of which `bytes` are the records, as [`Front::range`] says; their checksum is verified.
    ///
    /// # Errors
    /// That the bytes are damaged, or not those of the group.
    pub fn group<'b>(&self, issue: Option<u32>, bytes: &'b [u8]) -> Result<Group<'b>, Malformed> {
        let entry = self.entry(issue).ok_or_else(part_cut)?;
        if bytes.len() != entry.slots.get() as usize * SLOT_BYTES {
            return Err(part_cut());
        }
        layout::check(bytes, entry.crc.get())?;
        Ok(Group { issue, base: self.head.start(), slots: parts(bytes)? })
    }

    /// Whether the block's numbers rise by one from the `next` that is expected, if one is; makes `next` the one after them.
    pub(crate) fn goes_on(&self, next: &mut Option<u64>) -> bool {
        let ends = self.runs.iter().skip(1).map(|run| run.ordinal.get()).chain([self.head.records.get()]);
        let mut is_unbroken = true;
        for (run, end) in self.runs.iter().zip(ends) {
            let first = run.sequence.get();
            is_unbroken &= next.is_none_or(|next| next == first);
            *next = first.checked_add(u64::from(end.saturating_sub(run.ordinal.get())));
        }
        is_unbroken
    }

    /// The sequence number of the record at `ordinal`; `None` if the file carries none.
    pub fn sequence(&self, ordinal: u32) -> Option<SequenceNo> {
        let after = self.runs.partition_point(|run| run.ordinal.get() <= ordinal);
        let run = self.runs.get(after.checked_sub(1)?)?;
        run.sequence.get().checked_add(u64::from(ordinal - run.ordinal.get())).map(SequenceNo)
    }
}

fn offset_of(slot: u32) -> u64 {
    u64::from(slot) * SLOT_BYTES as u64
}

/// A whole block.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a> {
    front: Front<'a>,
    slots: &'a [EventSlot],
}

impl<'a> Block<'a> {
    /// The block that `frame` is, of a file that carries sequence numbers or not. Head and front are verified, groups
    /// when they are taken.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(frame: &'a [u8], has_sequence: bool) -> Result<Block<'a>, Malformed> {
        let head = BlockHead::read(frame)?;
        let whole = frame.get(FRAME_HEAD_BYTES..head.frame_bytes.get() as usize).ok_or_else(part_cut)?;
        let length = usize::try_from(head.front_bytes()).map_err(|_| part_cut())?;
        let (front, slots) = whole.split_at_checked(length).ok_or_else(part_cut)?;
        Ok(Block { front: Front::parse(head, front, has_sequence)?, slots: parts(slots)? })
    }

    /// Its front.
    pub fn front(&self) -> &Front<'a> {
        &self.front
    }

    /// Its head.
    pub fn head(&self) -> &BlockHead {
        &self.front.head
    }

    /// How many groups it has: one for each issue with events in it, and one more, the last, if there are market-wide
    /// ones.
    pub fn group_count(&self) -> usize {
        self.front.groups.len()
    }

    /// Its groups, in order of their issues; each is verified as it is taken.
    pub fn groups(&self) -> impl ExactSizeIterator<Item = Result<Group<'a>, Malformed>> + use<'a> {
        let (front, slots) = (self.front, self.slots);
        front.groups.iter().map(move |entry| {
            let issue = (entry.issue.get() != MARKET).then(|| entry.issue.get());
            front.group(issue, group_slots(slots, entry).as_bytes())
        })
    }

    /// The same, to be verified later.
    pub(crate) fn groups_unverified(&self) -> impl ExactSizeIterator<Item = UnverifiedGroup<'a>> + use<'a> {
        let (front, slots) = (self.front, self.slots);
        front.groups.iter().map(move |entry| {
            let issue = (entry.issue.get() != MARKET).then(|| entry.issue.get());
            let group = Group { issue, base: front.head.start(), slots: group_slots(slots, entry) };
            UnverifiedGroup { group, crc: entry.crc.get() }
        })
    }

    /// The group of an issue by its index in the file, or that of the market-wide events.
    ///
    /// # Errors
    /// That the group is damaged.
    pub fn group(&self, issue: Option<u32>) -> Option<Result<Group<'a>, Malformed>> {
        let entry = self.front.entry(issue)?;
        Some(self.front.group(issue, group_slots(self.slots, entry).as_bytes()))
    }

    /// What the group at `position` is of, and its slots, verified or not.
    pub(crate) fn raw_group(&self, position: usize) -> (Option<u32>, u32, &'a [EventSlot]) {
        let entry = &self.front.groups[position];
        let issue = (entry.issue.get() != MARKET).then(|| entry.issue.get());
        (issue, entry.first_slot.get(), group_slots(self.slots, entry))
    }

    /// The offset in the block of the slot at `position`.
    pub(crate) fn slot_offset(&self, position: u32) -> u64 {
        FRAME_HEAD_BYTES as u64 + self.front.head.front_bytes() + offset_of(position)
    }

    /// The record that begins at the slot `position`, with its extension, and its bytes.
    #[inline]
    pub(crate) fn record_at(&self, position: u32) -> Option<(&'a EventSlot, Option<&'a EventSlot>, &'a [u8])> {
        let slots = self.slots.get(position as usize..)?;
        let (slot, extension) = Records(slots).next()?;
        Some((slot, extension, slots[..1 + usize::from(extension.is_some())].as_bytes()))
    }

    /// The stretches of sequence numbers: the ordinal where each begins, and its first number.
    pub(crate) fn runs(&self) -> impl ExactSizeIterator<Item = (u32, u64)> + use<'a> {
        self.front.runs.iter().map(|run| (run.ordinal.get(), run.sequence.get()))
    }
}

/// The slots of a group; the table has been found to lie inside the block.
fn group_slots<'a>(slots: &'a [EventSlot], entry: &GroupEntry) -> &'a [EventSlot] {
    debug_assert!(slots.len() <= SLOTS_MAX as usize, "the head has been checked");
    let start = entry.first_slot.get() as usize;
    &slots[start..start + entry.slots.get() as usize]
}

/// The records of one issue in a block, or the market-wide ones, whose checksum has not been looked at.
#[derive(Clone, Copy, Debug)]
pub struct UnverifiedGroup<'a> {
    group: Group<'a>,
    crc: u32,
}

impl<'a> UnverifiedGroup<'a> {
    /// The index in the file of the issue; `None` for the market-wide group.
    pub fn issue(&self) -> Option<u32> {
        self.group.issue
    }

    /// The group, if its bytes are those that were written.
    ///
    /// # Errors
    /// That they are not.
    pub fn verify(&self) -> Result<Group<'a>, Malformed> {
        layout::check(self.group.slots.as_bytes(), self.crc)?;
        Ok(self.group)
    }

    /// The slots, damaged or not.
    pub fn slots(&self) -> &'a [EventSlot] {
        self.group.slots
    }
}

/// The records of one issue in a block, or the market-wide ones, verified.
#[derive(Clone, Copy, Debug)]
pub struct Group<'a> {
    issue: Option<u32>,
    base: Timestamp,
    slots: &'a [EventSlot],
}

impl<'a> Group<'a> {
    /// The index in the file of the issue; `None` for the market-wide group.
    pub fn issue(&self) -> Option<u32> {
        self.issue
    }

    /// What its events concern, under the names that `dictionary` holds; `None` if the issue's name is lost.
    pub fn scope(&self, dictionary: &Dictionary) -> Option<Scope> {
        scope_of(self.issue, dictionary)
    }

    /// The time from which the slots count their microseconds.
    pub fn base(&self) -> Timestamp {
        self.base
    }

    /// The records as they stand, extensions between them, for whoever decodes them in bulk.
    pub fn slots(&self) -> &'a [EventSlot] {
        self.slots
    }

    /// The records, in the original order, under the names that `dictionary` holds.
    pub fn records<'d>(&self, dictionary: &'d Dictionary) -> GroupRecords<'a, 'd> {
        GroupRecords { scope: self.scope(dictionary), group: *self, records: Records(self.slots), dictionary }
    }
}

/// What a group is of; `None` if the name of its issue is lost.
pub(crate) fn scope_of(issue: Option<u32>, dictionary: &Dictionary) -> Option<Scope> {
    match issue {
        None => Some(Scope::Market),
        Some(index) => dictionary.issue(index).map(Scope::Issue),
    }
}

/// One record of a group.
#[derive(Clone, Debug)]
pub struct GroupRecord<'a> {
    /// Its position in the original order of the block.
    pub ordinal: u32,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// Its time.
    pub ts_event: Timestamp,
    /// What it says.
    pub event: Result<MarketEvent, Malformed>,
}

impl GroupRecord<'_> {
    /// The record, if it says anything.
    pub fn record(&self) -> Option<Record> {
        let event = self.event.as_ref().ok()?;
        Some(Record { ts_event: self.ts_event, event: *event })
    }
}

/// The records of a group; see [`Group::records`].
#[derive(Clone, Debug)]
pub struct GroupRecords<'a, 'd> {
    scope: Option<Scope>,
    group: Group<'a>,
    records: Records<'a>,
    dictionary: &'d Dictionary,
}

impl<'a> Iterator for GroupRecords<'a, '_> {
    type Item = GroupRecord<'a>;

    #[inline]
    fn next(&mut self) -> Option<GroupRecord<'a>> {
        let before = self.records.0;
        let (slot, extension) = self.records.next()?;
        Some(GroupRecord {
            ordinal: slot.ordinal(),
            bytes: before[..before.len() - self.records.0.len()].as_bytes(),
            ts_event: Timestamp::from_micros(self.group.base.as_micros() + i64::from(slot.micros())),
            event: event_of(slot, extension, self.scope, self.dictionary),
        })
    }
}

/// The event of a record in a group of `scope`.
#[inline]
pub(crate) fn event_of(
    slot: &EventSlot,
    extension: Option<&EventSlot>,
    scope: Option<Scope>,
    dictionary: &Dictionary,
) -> Result<MarketEvent, Malformed> {
    match scope {
        Some(scope) => slot.event(extension, scope, |index| dictionary.server(index)),
        None => {
            let found = "an issue whose name is not known".to_owned();
            Err(Malformed { field: "issue", found, expected: "an issue that a block so far has named" })
        }
    }
}
