//! Whole blocks of the binary form: checked, then applied as they stand, group by group.

use crate::day::{Day, RejectSink, Stage};
use crate::executor::run_chunks;
use crate::group::Events;
use quoteclock_book::prefetch_all;
use quoteclock_feed::Stop;
use quoteclock_feed::binary::{EventSlot, TimesInOrder, UnverifiedGroup, WholeBlock};
use quoteclock_model::{IssueIndex, Span};
use quoteclock_obligation::DaySink;
use std::ops::Range;

impl<S: DaySink, R: RejectSink> Day<S, R> {
    /// Applies a whole block, if it is undamaged, in order, and follows what has been read so far; says whether it is.
    pub(crate) fn apply_block(&mut self, block: &WholeBlock<'_>) -> Result<bool, Stop> {
        if !self.check_block(block) {
            return Ok(false);
        }
        self.open_at(block.start())?;
        let Stage::Open { progress, .. } = &self.stage else { return Ok(false) };
        if !progress.holds(Span { start: block.start(), end: block.last() })
            || !block.sequence().is_none_or(|first| self.sequencer.check_run(first, block.record_count() as usize))
        {
            return Ok(false);
        }
        self.apply_batch()?;
        let Stage::Open { engine, progress } = &mut self.stage else { return Ok(false) };
        // Issues are independent of each other between two market-wide events.
        let mut from = 0;
        let cuts = block.market().iter().map(|(ordinal, record)| (*ordinal, Some(record)));
        for (to, record) in cuts.chain([(u32::MAX, None)]) {
            let groups: Vec<(IssueIndex, BlockGroup<'_>)> =
                block.groups().map(|(issue, group)| (issue, BlockGroup { group, ordinals: from..to })).collect();
            if let Some(fault) = engine.apply_groups(block.start(), &groups, &*self.executor, &mut self.sink) {
                let place = block.place(fault.ordinal).expect("the ordinal is that of a record");
                return self.refuse(place, fault).map(|()| true);
            }
            if let Some(record) = record {
                engine.apply(record, &mut self.sink).expect("a market-wide event names no order");
            }
            from = to;
        }
        engine.groups_end(block.last());
        progress.check(Some(block.last()));
        self.record_count += u64::from(block.record_count());
        Ok(true)
    }

    /// Whether a block is undamaged and in order.
    fn check_block(&mut self, block: &WholeBlock<'_>) -> bool {
        self.times.begin(block);
        let times = &self.times;
        // How many records each group has, if nothing is wrong with them.
        let mut groups: Vec<(UnverifiedGroup<'_>, Option<usize>)> =
            block.all_groups().map(|group| (group, None)).collect();
        run_chunks(&*self.executor, &mut groups, |groups| {
            groups.iter_mut().for_each(|(group, count)| *count = times.note(group));
        });
        let count: Option<usize> = groups.into_iter().map(|(_, count)| count).sum();
        // The first and last of some times, if they are in order.
        let mut parts: Vec<(TimesInOrder<'_>, Option<_>)> =
            self.times.parts(self.executor.size()).map(|times| (times, None)).collect();
        run_chunks(&*self.executor, &mut parts, |parts| {
            parts.iter_mut().for_each(|(times, ends)| *ends = times.take())
        });
        count.is_some_and(|count| block.is_in_order(count, parts.into_iter().map(|(_, ends)| ends)))
    }
}

/// Where the first record stands whose ordinal is at least so much; ordinals rise from record to record.
fn first_from(slots: &[EventSlot], ordinal: u32) -> usize {
    // The slots are not in the cache yet, and most groups are not cut.
    match ordinal {
        0 => return 0,
        u32::MAX => return slots.len(),
        _ => {}
    }
    let (mut low, mut high) = (0, slots.len());
    while low < high {
        let middle = usize::midpoint(low, high);
        // An extension belongs to the record before it.
        let record = if slots[middle].is_extension() && low < middle { middle - 1 } else { middle };
        if slots[record].ordinal() < ordinal { low = middle + 1 } else { high = record }
    }
    low
}

/// The records of one issue in a block, as far as their ordinals lie in a range.
struct BlockGroup<'a> {
    group: UnverifiedGroup<'a>,
    ordinals: Range<u32>,
}

impl Events for BlockGroup<'_> {
    fn each_part<'e>(&'e self, take: &mut dyn FnMut(&'e [EventSlot], &'e [EventSlot]) -> bool) {
        let slots = self.group.slots();
        take(&slots[first_from(slots, self.ordinals.start)..first_from(slots, self.ordinals.end)], &[]);
    }

    fn prefetch(&self) {
        const EVENTS: usize = 32;
        let slots = self.group.slots();
        prefetch_all(&slots[..slots.len().min(EVENTS)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quoteclock_model::{MarketEvent, OrderAction, OrderId, Shares};

    /// A reduce at each ordinal, with an extension where its quantity is too large for a record.
    fn slots(records: &[(u32, u64)]) -> Vec<EventSlot> {
        let event = |quantity| {
            let action = OrderAction::Reduce { order: OrderId(1), quantity: Shares(quantity) };
            MarketEvent::Order { issue: IssueIndex(0), action }
        };
        let written = records.iter().map(|&(ordinal, quantity)| EventSlot::write(&event(quantity), None, ordinal, 0));
        written.flat_map(|(slot, extension)| [Some(slot), extension]).flatten().collect()
    }

    #[test]
    fn a_group_is_cut_between_records_and_never_before_an_extension() {
        const WIDE: u64 = 1 << 32;
        // At 4 and at 9 a record and its extension: slots 1, 2 and 4, 5.
        let slots = slots(&[(2, 1), (4, WIDE), (7, 1), (9, WIDE)]);
        assert_eq!(slots.len(), 6);
        let expected =
            [(0, 0), (1, 0), (2, 0), (3, 1), (4, 1), (5, 3), (7, 3), (8, 4), (9, 4), (10, 6), (11, 6), (u32::MAX, 6)];
        for (ordinal, position) in expected {
            assert_eq!(first_from(&slots, ordinal), position, "ordinal {ordinal}");
        }
        assert_eq!(first_from(&[], 1), 0);
    }
}
