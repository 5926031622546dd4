//! The block that a writer fills: records in their order, until it is full and they are grouped by issue.
//!
//! Grouping is a counting sort: how many slots each issue has is known when the block ends, so that each slot is copied
//! once, to its place in the frame.

use super::index::BlockEntry;
use super::layout::{self, BlockHead, FRAME_HEAD_BYTES, GroupEntry, Run, SLOT_BYTES, checksum};
use super::slot::EventSlot;
use quoteclock_model::{Record, Timestamp};
use zerocopy::little_endian::{I64, U32, U64};
use zerocopy::{FromBytes, IntoBytes};

/// The block that is being filled.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) base: Timestamp,
    last: Timestamp,
    pub(crate) records: u32,
    /// In the original order, and whose each is.
    pub(crate) slots: Vec<EventSlot>,
    owners: Vec<u32>,
    /// How many slots each issue has; the market-wide ones come first.
    counts: Vec<u32>,
    /// Those who have any, each once.
    pub(crate) distinct_owners: Vec<u32>,
    runs: Vec<Run>,
    pub(crate) names: Vec<u8>,
    /// How many issues and servers the blocks before have named.
    named_before: (u32, u32),
}

impl Default for Pending {
    fn default() -> Self {
        let never = Timestamp::MIN;
        let (slots, owners, counts, distinct_owners) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (runs, names, named_before) = (Vec::new(), Vec::new(), (0, 0));
        Pending {
            base: never,
            last: never,
            records: 0,
            slots,
            owners,
            counts,
            distinct_owners,
            runs,
            names,
            named_before,
        }
    }
}

/// Where the market, or an issue, is counted.
fn count_position(owner: u32) -> usize {
    owner.wrapping_add(1) as usize
}

impl Pending {
    /// Takes note of the next record's sequence number.
    pub(crate) fn number(&mut self, number: u64, follows: bool) {
        if self.records == 0 || !follows {
            let (ordinal, sequence) = (U32::new(self.records), U64::new(number));
            self.runs.push(Run { ordinal, reserved: U32::new(0), sequence });
        }
    }

    #[inline]
    pub(crate) fn push(&mut self, owner: u32, server: Option<u32>, record: &Record) {
        if self.records == 0 {
            self.base = record.ts_event;
        }
        self.last = record.ts_event;
        let micros = record.ts_event.as_micros().abs_diff(self.base.as_micros());
        let micros = u32::try_from(micros).expect("a new block begins before");
        let (slot, extension) = EventSlot::write(&record.event, server, self.records, micros);
        self.records += 1;
        self.push_slot(owner, slot);
        if let Some(extension) = extension {
            self.push_slot(owner, extension);
        }
    }

    #[inline]
    fn push_slot(&mut self, owner: u32, slot: EventSlot) {
        let position = count_position(owner);
        if self.counts.len() <= position {
            self.counts.resize(position + 1, 0);
        }
        if self.counts[position] == 0 {
            self.distinct_owners.push(owner);
        }
        self.counts[position] += 1;
        self.slots.push(slot);
        self.owners.push(owner);
    }

    /// Appends the block's frame to `to`; its entry for the index lacks the offset.
    pub(crate) fn write(&mut self, to: &mut Vec<u8>, records_before: u64) -> BlockEntry {
        let start = to.len();
        to.extend_from_slice(&[0; FRAME_HEAD_BYTES]);
        to.extend_from_slice(&self.names);
        to.extend_from_slice(self.runs.as_bytes());
        let table = to.len();
        let groups = self.group();
        to.extend_from_slice(groups.as_bytes());
        let front = start + FRAME_HEAD_BYTES;
        let slots_start = front + (to.len() - front).next_multiple_of(SLOT_BYTES);
        to.resize(slots_start + self.slots.len() * SLOT_BYTES, 0);
        let slots = <[EventSlot]>::mut_from_bytes(&mut to[slots_start..]).expect("sized for the slots");
        for (&slot, &owner) in self.slots.iter().zip(&self.owners) {
            let place = &mut self.counts[count_position(owner)];
            slots[*place as usize] = slot;
            *place += 1;
        }
        for (position, group) in groups.iter().enumerate() {
            let first = slots_start + group.first_slot.get() as usize * SLOT_BYTES;
            let crc = checksum(&to[first..first + group.slots.get() as usize * SLOT_BYTES]);
            let end = table + (position + 1) * size_of::<GroupEntry>();
            to[end - 4..end].copy_from_slice(&crc.to_le_bytes());
        }
        let front_crc = checksum(&to[front..slots_start]);
        let head = self.head(to.len() - start, groups.len(), records_before, front_crc);
        to[start..front].copy_from_slice(&layout::seal(head));
        BlockEntry {
            offset: 0,
            start: self.base,
            last: self.last,
            records: self.records,
            frame_bytes: head.frame_bytes.get(),
            front_bytes: small(slots_start - front),
        }
    }

    /// The group table without checksums; the counts become the places where each group's next slot goes.
    fn group(&mut self) -> Vec<GroupEntry> {
        self.distinct_owners.sort_unstable();
        let mut first_slot = 0;
        let groups = self.distinct_owners.iter().map(|&owner| {
            let count = &mut self.counts[count_position(owner)];
            let slots = std::mem::replace(count, first_slot);
            let entry = GroupEntry {
                issue: U32::new(owner),
                first_slot: U32::new(first_slot),
                slots: U32::new(slots),
                crc: U32::new(0),
            };
            first_slot += slots;
            entry
        });
        groups.collect()
    }

    fn head(&self, frame_bytes: usize, groups: usize, records_before: u64, front_crc: u32) -> BlockHead {
        let span = self.last.as_micros().abs_diff(self.base.as_micros());
        BlockHead {
            kind: layout::BLOCK,
            frame_bytes: U32::new(small(frame_bytes)),
            records_before: U64::new(records_before),
            base_micros: I64::new(self.base.as_micros()),
            span_micros: U32::new(u32::try_from(span).expect("a new block begins before")),
            records: U32::new(self.records),
            slots: U32::new(small(self.slots.len())),
            groups: U32::new(small(groups)),
            runs: U32::new(small(self.runs.len())),
            names_bytes: U32::new(small(self.names.len())),
            issues_before: U32::new(self.named_before.0),
            servers_before: U32::new(self.named_before.1),
            front_crc: U32::new(front_crc),
            crc: U32::new(0),
        }
    }

    /// Empties the block; the file has named so many issues and servers.
    pub(crate) fn clear(&mut self, named: (u32, u32)) {
        for owner in self.distinct_owners.drain(..) {
            self.counts[count_position(owner)] = 0;
        }
        self.slots.clear();
        self.owners.clear();
        self.runs.clear();
        self.names.clear();
        self.records = 0;
        self.named_before = named;
    }
}

/// A length inside a frame: all are below its limit.
fn small(length: usize) -> u32 {
    u32::try_from(length).expect("a frame is at most 256 MiB")
}
