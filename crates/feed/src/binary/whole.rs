//! A block that makes one stretch of time, for whoever takes it group by group.

use super::block::{Block, UnverifiedGroup};
use super::dictionary::Dictionary;
use super::slot::Records;
use crate::Place;
use quoteclock_model::{Record, Scope, SequenceNo, Timestamp};
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

/// A block whose records may make one stretch of time in order: each group is still to be checked, by any thread, and then
/// the order of all.
#[derive(Clone, Debug)]
pub struct WholeBlock<'a> {
    block: Block<'a>,
    /// The market-wide events, each with its ordinal.
    market: Vec<(u32, Record)>,
    /// Where it begins in the file.
    offset: u64,
}

impl<'a> WholeBlock<'a> {
    /// The block that begins at `offset`, if its issues are named, its market-wide events few, and its sequence numbers, if
    /// it has any, rise by one.
    pub(crate) fn new(block: &Block<'a>, offset: u64, dictionary: &Dictionary) -> Option<WholeBlock<'a>> {
        let named = |group: UnverifiedGroup<'_>| match group.issue() {
            Some(index) => dictionary.issue(index).is_some(),
            None => true,
        };
        let is_plain = dictionary.is_whole() && block.runs().len() <= 1 && block.groups_unverified().all(named);
        let market = if is_plain { market_events(block)? } else { return None };
        Some(WholeBlock { block: *block, market, offset })
    }

    /// All groups, that of the market-wide events among them.
    pub fn all_groups(&self) -> impl ExactSizeIterator<Item = UnverifiedGroup<'a>> + use<'a> {
        self.block.groups_unverified()
    }

    /// The market-wide events, each with its ordinal: a few at most.
    pub fn market(&self) -> &[(u32, Record)] {
        &self.market
    }

    /// Number of records, at least one.
    pub fn record_count(&self) -> u32 {
        self.block.head().record_count()
    }

    /// The time of the first record.
    pub fn start(&self) -> Timestamp {
        self.block.head().start()
    }

    /// The time of the last record.
    pub fn last(&self) -> Timestamp {
        self.block.head().last()
    }

    /// The sequence number of the first record; each further one has the next.
    pub fn sequence(&self) -> Option<SequenceNo> {
        self.block.runs().next().map(|(_, first)| SequenceNo(first))
    }

    /// Where the record with this ordinal stands in the file, if there is one.
    pub fn place(&self, ordinal: u32) -> Option<Place> {
        let first = (0..self.block.group_count()).find_map(|position| {
            let (_, first_slot, slots) = self.block.raw_group(position);
            let mut records = Records(slots);
            loop {
                let before = slots.len() - records.0.len();
                let (slot, _) = records.next()?;
                if slot.ordinal() == ordinal {
                    return Some(first_slot + u32::try_from(before).ok()?);
                }
            }
        })?;
        Some(Place::Byte(self.offset + self.block.slot_offset(first)))
    }
}

/// The market-wide events of a block; `None` if they are damaged or malformed, or too many to cut the block at each.
fn market_events(block: &Block<'_>) -> Option<Vec<(u32, Record)>> {
    const COUNT_MAX: usize = 16;
    let Some(group) = block.group(None) else { return Some(Vec::new()) };
    let group = group.ok().filter(|group| group.slots().len() <= COUNT_MAX)?;
    let records = Records(group.slots()).map(|(slot, extension)| {
        let event = slot.event(extension, Scope::Market, |_| None).ok()?;
        let micros = group.base().as_micros() + i64::from(slot.micros());
        Some((slot.ordinal(), Record { ts_event: Timestamp::from_micros(micros), event }))
    });
    records.collect()
}

/// The time of each record of a block, at its ordinal: what several threads that check its groups write down.
#[derive(Debug, Default)]
pub struct BlockTimes {
    /// Microseconds from the first record; [`BlockTimes::NONE`] where none has been found.
    micros: Vec<AtomicU32>,
}

impl BlockTimes {
    const NONE: u32 = u32::MAX;

    /// Makes room for the records of `block`.
    pub fn begin(&mut self, block: &WholeBlock<'_>) {
        let count = block.record_count() as usize;
        if self.micros.capacity() < count {
            // The next block is mostly a little longer, and room that is not written to takes no memory.
            self.micros.reserve_exact(count.next_power_of_two() - self.micros.len());
        }
        self.micros.resize_with(count, || AtomicU32::new(Self::NONE));
    }

    /// Whether the bytes of `group` are those that were written, and its records in order; puts down their times, and says how
    /// many they are, if so. Then `places`, which was empty, says for each of `cuts`, which rise, where among its slots the
    /// first record stands whose ordinal is at least that.
    pub fn note(&self, group: &UnverifiedGroup<'_>, cuts: &[u32], places: &mut Vec<usize>) -> Option<usize> {
        group.verify().ok()?;
        // No ordinal is so high.
        const NO_CUT: u32 = u32::MAX;
        let mut next_cut = cuts.first().copied().unwrap_or(NO_CUT);
        let (mut extensions, mut least, mut may_be_extension) = (0, 0, false);
        for (place, slot) in group.slots().iter().enumerate() {
            if may_be_extension && slot.is_extension() {
                (extensions, may_be_extension) = (extensions + 1, false);
                continue;
            }
            let ordinal = slot.ordinal();
            if ordinal < least {
                return None;
            }
            if next_cut <= ordinal {
                let passed = cuts[places.len()..].iter().take_while(|cut| **cut <= ordinal).count();
                places.resize(places.len() + passed, place);
                next_cut = cuts.get(places.len()).copied().unwrap_or(NO_CUT);
            }
            self.micros.get(ordinal as usize)?.store(slot.micros(), Relaxed);
            (least, may_be_extension) = (ordinal + 1, slot.is_wide());
        }
        places.resize(cuts.len(), group.slots().len());
        Some(group.slots().len() - extensions)
    }

    /// The times in so many parts at most, in the order of their ordinals.
    pub fn parts(&mut self, count: usize) -> impl Iterator<Item = TimesInOrder<'_>> {
        let length = self.micros.len().div_ceil(count).max(1);
        self.micros.chunks_mut(length).map(TimesInOrder)
    }
}

/// The times at ordinals that follow each other.
#[derive(Debug)]
pub struct TimesInOrder<'a>(&'a mut [AtomicU32]);

impl TimesInOrder<'_> {
    /// The first and the last, if none is missing and none goes back. Forgets them.
    pub fn take(&mut self) -> Option<(u32, u32)> {
        let first = *self.0.first_mut()?.get_mut();
        let (mut last, mut rises) = (first, true);
        for micros in &mut *self.0 {
            let micros = std::mem::replace(micros.get_mut(), BlockTimes::NONE);
            rises &= last <= micros;
            last = micros;
        }
        (rises && last != BlockTimes::NONE).then_some((first, last))
    }
}

impl WholeBlock<'_> {
    /// Whether the block is in order: `count` records have been found in it, one at each ordinal, and the times of all
    /// parts of its ordinals, one after the other, fill its span and never go back.
    pub fn is_in_order(&self, count: usize, parts: impl Iterator<Item = Option<(u32, u32)>>) -> bool {
        // As many records as ordinals: where two stand on one, another has none.
        let mut last = 0;
        let mut rises = true;
        for (position, part) in parts.enumerate() {
            let Some((first, end)) = part else { return false };
            rises &= if position == 0 { first == 0 } else { last <= first };
            last = end;
        }
        count == self.record_count() as usize && rises && last == self.block.head().span_micros.get()
    }
}
