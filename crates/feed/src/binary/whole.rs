//! A block that makes one stretch of time, for whoever takes it group by group.

use super::block::{Block, UnverifiedGroup};
use super::dictionary::Dictionary;
use super::slot::Records;
use crate::Place;
use quoteclock_model::{IssueIndex, Record, Scope, SequenceNo, Timestamp};

/// A block whose records make one stretch of time in order. The checksum of each group is still to be looked at: by the
/// thread that is about to read it.
#[derive(Clone, Debug)]
pub struct WholeBlock<'a> {
    block: Block<'a>,
    /// The market-wide events, each with its ordinal.
    market: Vec<(u32, Record)>,
    /// Where it begins in the file.
    offset: u64,
}

impl<'a> WholeBlock<'a> {
    /// The block that begins at `offset`, if its issues are named, its market-wide events few, and its sequence numbers, if it has any,
    /// rise by one. `times` is room to work in.
    pub(crate) fn new(
        block: &Block<'a>,
        offset: u64,
        dictionary: &Dictionary,
        times: &mut Vec<u32>,
    ) -> Option<WholeBlock<'a>> {
        let named = |group: UnverifiedGroup<'_>| match group.issue() {
            Some(index) => dictionary.issue(index).is_some(),
            None => true,
        };
        let usual = dictionary.is_whole() && block.runs().len() <= 1 && block.groups_unverified().all(named);
        let market = if usual { market_events(block)? } else { return None };
        is_in_order(block, times).then_some(WholeBlock { block: *block, market, offset })
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

    /// The groups, each with its issue.
    pub fn groups(&self) -> impl Iterator<Item = (IssueIndex, UnverifiedGroup<'a>)> + use<'a> {
        let of_issue = |group: UnverifiedGroup<'a>| Some((IssueIndex(group.issue()?), group));
        self.block.groups_unverified().filter_map(of_issue)
    }

    /// Where the record with this ordinal stands in the file, if there is one.
    pub fn place(&self, ordinal: u32) -> Option<Place> {
        let first = (0..self.block.group_count()).find_map(|position| {
            let (_, first_slot, slots) = self.block.raw_group(position);
            let position = slots.iter().position(|slot| slot.kind() != 0 && slot.ordinal() == ordinal)?;
            Some(first_slot + u32::try_from(position).ok()?)
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

/// Whether each ordinal stands on one record, and times never go backwards along them, nor leave
/// the block's span: each time is put at its ordinal, then all are compared.
fn is_in_order(block: &Block<'_>, times: &mut Vec<u32>) -> bool {
    let head = block.head();
    times.clear();
    times.resize(head.record_count() as usize, u32::MAX);
    let mut count = 0;
    for group in block.groups_unverified() {
        for (slot, _) in Records(group.slots()) {
            let Some(time) = times.get_mut(slot.ordinal() as usize) else { return false };
            *time = slot.micros();
            count += 1;
        }
    }
    // As many records as ordinals: one that stands on two is missing elsewhere, and its time is past the span.
    let span = head.span_micros.get();
    count == times.len() && span < u32::MAX && times.last().is_some_and(|&last| last <= span) && times.is_sorted()
}
