//! Whole blocks of the binary form: checked, then applied as they stand, group by group.

use crate::day::{Day, RejectSink, Stage};
use crate::executor::run_chunks;
use crate::group::Events;
use quoteclock_book::prefetch_all;
use quoteclock_feed::Stop;
use quoteclock_feed::binary::{EventSlot, TimesInOrder, UnverifiedGroup, WholeBlock};
use quoteclock_model::{IssueIndex, Span};
use quoteclock_obligation::DaySink;

impl<S: DaySink, R: RejectSink> Day<S, R> {
    /// Applies a whole block, if it is undamaged, in order, and follows what has been read so far; says whether it is.
    pub(crate) fn apply_block(&mut self, block: &WholeBlock<'_>) -> Result<bool, Stop> {
        let Some(groups) = self.check_block(block) else { return Ok(false) };
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
        let events = block.market().iter().map(|(_, record)| Some(record));
        for (stretch, record) in events.chain([None]).enumerate() {
            let own: Vec<(IssueIndex, BlockGroup<'_>)> =
                groups.iter().filter_map(|group| group.in_stretch(stretch)).collect();
            if let Some(fault) = engine.apply_groups(block.start(), &own, &*self.executor, &mut self.sink) {
                let place = block.place(fault.ordinal).expect("the ordinal is that of a record");
                return self.refuse(place, fault).map(|()| true);
            }
            if let Some(record) = record {
                engine.apply(record, &mut self.sink).expect("a market-wide event names no order");
            }
        }
        engine.groups_end(block.last());
        progress.check(Some(block.last()));
        self.record_count += u64::from(block.record_count());
        Ok(true)
    }

    /// The groups of a block, if it is undamaged and in order.
    fn check_block<'a>(&mut self, block: &WholeBlock<'a>) -> Option<Vec<CutGroup<'a>>> {
        self.times.begin(block);
        let times = &self.times;
        let cuts: Vec<u32> = block.market().iter().map(|(ordinal, _)| *ordinal).collect();
        // How many records each group has, if nothing is wrong with them.
        let mut groups: Vec<(CutGroup<'_>, Option<usize>)> =
            block.all_groups().map(|group| (CutGroup { group, cuts: Vec::with_capacity(cuts.len()) }, None)).collect();
        run_chunks(&*self.executor, &mut groups, |groups| {
            for (CutGroup { group, cuts: places }, count) in groups {
                *count = times.note(group, &cuts, places);
            }
        });
        // The first and last of some times, if they are in order.
        let mut parts: Vec<(TimesInOrder<'_>, Option<_>)> =
            self.times.parts(self.executor.size()).map(|times| (times, None)).collect();
        run_chunks(&*self.executor, &mut parts, |parts| {
            parts.iter_mut().for_each(|(times, ends)| *ends = times.take())
        });
        let count: usize = groups.iter().map(|(_, count)| *count).sum::<Option<usize>>()?;
        let is_in_order = block.is_in_order(count, parts.into_iter().map(|(_, ends)| ends));
        is_in_order.then(|| groups.into_iter().map(|(group, _)| group).collect())
    }
}

/// A group of a block, cut at each market-wide event.
struct CutGroup<'a> {
    group: UnverifiedGroup<'a>,
    /// Where among its slots.
    cuts: Vec<usize>,
}

impl<'a> CutGroup<'a> {
    /// The issue, and its records between two cuts, counted from the start; `None` if there are none, or it has no issue.
    fn in_stretch(&self, stretch: usize) -> Option<(IssueIndex, BlockGroup<'a>)> {
        let slots = self.group.slots();
        let from = stretch.checked_sub(1).map_or(0, |before| self.cuts[before]);
        let to = self.cuts.get(stretch).copied().unwrap_or(slots.len());
        let issue = IssueIndex(self.group.issue()?);
        (from < to).then(|| (issue, BlockGroup(&slots[from..to])))
    }
}

/// Records of one issue in a block that follow each other.
struct BlockGroup<'a>(&'a [EventSlot]);

impl Events for BlockGroup<'_> {
    fn each_part<'e>(&'e self, take: &mut dyn FnMut(&'e [EventSlot], &'e [EventSlot]) -> bool) {
        take(self.0, &[]);
    }

    fn prefetch(&self) {
        const EVENTS: usize = 32;
        prefetch_all(&self.0[..self.0.len().min(EVENTS)]);
    }
}
