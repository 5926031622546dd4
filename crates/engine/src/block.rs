//! Whole blocks of the binary form: checked, then applied as they stand, group by group.

use crate::crew::share;
use crate::day::{Day, RejectSink, Stage};
use crate::group::Events;
use quoteclock_book::prefetch_all;
use quoteclock_feed::Stop;
use quoteclock_feed::binary::{Slot, UnverifiedGroup, WholeBlock};
use quoteclock_model::{IssueIndex, Span};
use quoteclock_obligation::DaySink;
use std::ops::Range;

impl<S: DaySink, R: RejectSink> Day<'_, S, R> {
    /// Applies a whole block, if it is undamaged, in order, and follows what has been read so far; says whether it is.
    pub(crate) fn apply_block(&mut self, block: &WholeBlock<'_>) -> Result<bool, Stop> {
        if !self.check_block(block) {
            return Ok(false);
        }
        self.open_at(block.start())?;
        let Stage::Open { progress, .. } = &self.stage else { return Ok(false) };
        if !progress.holds(Span { start: block.start(), end: block.last() })
            || !block.sequence().is_none_or(|first| self.sequencer.check_run(first, block.record_count()))
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
            if let Some(fault) = engine.apply_groups(block.start(), &groups, &*self.crew, &mut self.sink) {
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
        share(&*self.crew, &mut groups, |groups| {
            groups.iter_mut().for_each(|(group, count)| *count = times.note(group));
        });
        // The first and last time at some ordinals, if they are in order.
        let records = block.record_count() as usize;
        let length = records.div_ceil(self.crew.size());
        let starts = (0..records).step_by(length);
        let mut parts: Vec<(Range<usize>, Option<_>)> =
            starts.map(|start| (start..(start + length).min(records), None)).collect();
        share(&*self.crew, &mut parts, |parts| {
            parts.iter_mut().for_each(|(ordinals, ends)| *ends = times.take(ordinals.clone()));
        });
        let count: Option<usize> = groups.into_iter().map(|(_, count)| count).sum();
        count.is_some_and(|count| block.is_in_order(count, parts.into_iter().map(|(_, ends)| ends)))
    }
}

/// Where the first record stands whose ordinal is at least so much; ordinals rise from record to record.
fn first_from(slots: &[Slot], ordinal: u32) -> usize {
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
        let record = if slots[middle].kind() == 0 && low < middle { middle - 1 } else { middle };
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
    fn each_part<'e>(&'e self, take: &mut dyn FnMut(&'e [Slot], &'e [Slot]) -> bool) {
        let slots = self.group.slots();
        take(&slots[first_from(slots, self.ordinals.start)..first_from(slots, self.ordinals.end)], &[]);
    }

    fn prefetch(&self) {
        const EVENTS: usize = 32;
        let slots = self.group.slots();
        prefetch_all(&slots[..slots.len().min(EVENTS)]);
    }
}
