//! Events held back for a while, grouped by issue.
//!
//! Issues are independent of each other, so the events of a stretch of time may be applied one issue after the other:
//! each book is then warm while its events come, instead of being fetched from memory for every single one. An event is
//! held in the 32 bytes that it has in the binary form.

use crate::group::Events;
use quoteclock_book::{prefetch, prefetch_all};
use quoteclock_feed::binary::EventSlot;
use quoteclock_feed::{CompactRun, Place};
use quoteclock_model::{IssueIndex, MarketEvent, Span, Timestamp};

/// Events of all issues, in groups.
#[derive(Debug)]
pub(crate) struct EventBatch {
    /// The time of the first event.
    base: Timestamp,
    /// More events than this are not held.
    events_max: usize,
    /// Where each event stands in the input, a number of the same kind for all.
    places: Vec<u64>,
    are_lines: bool,
    /// How many events are held before they are applied; told anew with the first event of each issue.
    wanted: usize,
    /// The first of them are in use; the others are kept for the next batch.
    chunks: Chunks,
    /// Of each chunk in use.
    links: Vec<Link>,
    /// For each issue, where its events end so far.
    tails: Vec<GroupTail>,
    /// Issues that have any, and their first chunk, in the order of their first event.
    groups: Vec<(IssueIndex, u32)>,
}

/// A part of the events of one issue, in their order: whole cache lines.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Chunk([EventSlot; Chunk::SLOTS as usize]);

/// What follows a chunk, apart from it so that looking for it fetches no more than that.
#[derive(Clone, Copy, Debug)]
struct Link {
    /// How many of the chunk's slots hold something; for the last part of an issue its tail knows.
    length: u32,
    /// The next part; [`NONE`] for the last.
    next: u32,
}

/// Where an issue's next event goes.
#[derive(Clone, Copy, Debug)]
struct GroupTail {
    /// [`NONE`] if the issue has no events in the batch.
    chunk: u32,
    length: u32,
}

const NONE: u32 = u32::MAX;

/// Chunks by number, in slabs, so that having more of them moves none.
#[derive(Debug, Default)]
struct Chunks(Vec<Box<[Chunk; Chunks::OF_SLAB]>>);

impl Chunks {
    const OF_SLAB: usize = 256;

    /// How many there are.
    fn len(&self) -> usize {
        self.0.len() * Self::OF_SLAB
    }

    /// Makes room for more.
    fn grow(&mut self) {
        let slab = vec![Chunk::EMPTY; Self::OF_SLAB].into_boxed_slice();
        self.0.push(slab.try_into().expect("as long"));
    }

    #[inline(always)]
    fn slots(&self, number: u32) -> &[EventSlot; Chunk::SLOTS as usize] {
        let number = number as usize;
        &self.0[number / Self::OF_SLAB][number % Self::OF_SLAB].0
    }

    #[inline(always)]
    fn slots_mut(&mut self, number: u32) -> &mut [EventSlot; Chunk::SLOTS as usize] {
        let number = number as usize;
        &mut self.0[number / Self::OF_SLAB][number % Self::OF_SLAB].0
    }
}

impl GroupTail {
    /// No events; a chunk without room, so that whoever looks for some needs no second question.
    const NONE: GroupTail = GroupTail { chunk: NONE, length: Chunk::SLOTS };
}

impl Chunk {
    /// An odd number of cache lines, so that the chunks do not fall on a few sets of the cache.
    const SLOTS: u32 = 34;
    const EMPTY: Chunk = Chunk([EventSlot::EMPTY; Self::SLOTS as usize]);
}

impl Default for EventBatch {
    fn default() -> Self {
        EventBatch {
            base: Timestamp::MIN,
            events_max: Self::EVENTS_MAX,
            places: Vec::new(),
            are_lines: false,
            wanted: Self::EVENTS_MIN,
            chunks: Chunks::default(),
            links: Vec::new(),
            tails: Vec::new(),
            groups: Vec::new(),
        }
    }
}

impl EventBatch {
    /// More events than this are never held: an ordinal has 22 bits.
    const EVENTS_MAX: usize = 1 << 22;

    /// How many events of each issue are to come together.
    const EVENTS_PER_ISSUE: usize = 512;

    /// However few issues there are.
    const EVENTS_MIN: usize = 1 << 18;

    /// The same, but never more than so many events.
    pub(crate) fn of_events(events_max: usize) -> EventBatch {
        EventBatch { events_max: events_max.clamp(1, Self::EVENTS_MAX), ..EventBatch::default() }
    }

    /// Whether nothing is held.
    pub(crate) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The time from which the slots count.
    pub(crate) fn base(&self) -> Timestamp {
        self.base
    }

    /// Whether events of `issue` are held.
    pub(crate) fn holds(&self, issue: IssueIndex) -> bool {
        self.tails.get(issue.index()).is_some_and(|tail| tail.chunk != NONE)
    }

    /// Whether an event at `time` has to wait until the batch has been applied.
    #[inline]
    pub(crate) fn is_full(&self, time: Timestamp) -> bool {
        self.wanted <= self.places.len() || self.is_far(time)
    }

    #[inline(always)]
    fn is_far(&self, time: Timestamp) -> bool {
        !self.is_empty() && u32::try_from(time.as_micros() - self.base.as_micros()).is_err()
    }

    /// Holds an event of `issue`, at or after those before it, and where it stands in the input.
    #[inline]
    pub(crate) fn push(&mut self, issue: IssueIndex, time: Timestamp, event: &MarketEvent, place: Place) {
        if self.places.is_empty() {
            self.base = time;
            self.are_lines = matches!(place, Place::Line(_));
        }
        let micros = u32::try_from(time.as_micros() - self.base.as_micros()).expect("asked before");
        let ordinal = u32::try_from(self.places.len()).expect("fewer events than 22 bits count");
        let (Place::Line(at) | Place::Byte(at)) = place;
        self.places.push(at);
        let server = event.server().map(|server| server.0);
        let (slot, extension) = EventSlot::write(event, server, ordinal, micros);
        let tail = self.tail_with_room(issue, 1 + u32::from(extension.is_some()));
        let slots = self.chunks.slots_mut(tail.chunk);
        slots[tail.length as usize] = slot;
        if let Some(extension) = extension {
            slots[tail.length as usize + 1] = extension;
        }
    }

    /// The same of compact records, if all of their times lie in what is `left` of the day and do not go back. Says how many it
    /// has been: none where the batch is empty, and not those that have to wait until it has been applied.
    pub(crate) fn hold_run(&mut self, run: &CompactRun<'_>, left: Span) -> usize {
        let before = self.places.len();
        let ([first, ..], [.., last]) = (run.records, run.records) else { return 0 };
        let (first, last) = (run.time(first), run.time(last));
        if before == 0 || !run.in_order || first < left.start || left.end <= last || self.is_far(last) {
            return 0;
        }
        let Ok(ordinal) = u32::try_from(before) else { return 0 };
        let room = self.wanted.saturating_sub(before);
        let records = &run.records[..room.min(run.records.len())];
        prefetch_all(run.ahead);
        // From the run's origin to the batch's, which may be before it.
        let origin = self.base.as_micros().wrapping_sub(run.origin.as_micros()).cast_unsigned();
        for (record, ordinal) in records.iter().zip(ordinal..) {
            #[allow(clippy::cast_possible_truncation, reason = "not far from the base")]
            let micros = record.micros.wrapping_sub(origin) as u32;
            let tail = self.tail_with_room(record.issue, 1);
            let slots = self.chunks.slots_mut(tail.chunk);
            slots[tail.length as usize] = record.slot.placed(ordinal, micros);
            // With many issues each record goes to a line of its own: long before the next of this one comes, it is fetched.
            if let Some(next) = slots.get(tail.length as usize + 1) {
                prefetch(next);
            }
        }
        self.places.extend(run.places(records.len()));
        records.len()
    }

    /// Where the next `wanted` slots of an issue go, which are taken by that.
    #[inline(always)]
    fn tail_with_room(&mut self, issue: IssueIndex, wanted: u32) -> GroupTail {
        match self.tails.get_mut(issue.index()) {
            Some(tail) if tail.length + wanted <= Chunk::SLOTS => {
                let before = *tail;
                tail.length += wanted;
                before
            }
            _ => self.add_chunk(issue, wanted),
        }
    }

    #[cold]
    fn add_chunk(&mut self, issue: IssueIndex, wanted: u32) -> GroupTail {
        if self.tails.len() <= issue.index() {
            self.tails.resize(issue.index() + 1, GroupTail::NONE);
        }
        let number = u32::try_from(self.links.len()).expect("fewer chunks than 32 bits count");
        match std::mem::replace(&mut self.tails[issue.index()], GroupTail { chunk: number, length: wanted }) {
            GroupTail { chunk: NONE, .. } => {
                self.groups.push((issue, number));
                let suited = self.groups.len() * Self::EVENTS_PER_ISSUE;
                self.wanted = suited.max(Self::EVENTS_MIN).min(self.events_max);
            }
            GroupTail { chunk, length } => self.links[chunk as usize] = Link { length, next: number },
        }
        if self.chunks.len() == self.links.len() {
            self.chunks.grow();
        }
        self.links.push(Link { length: 0, next: NONE });
        GroupTail { chunk: number, length: 0 }
    }

    /// The issues that have events, and those.
    pub(crate) fn groups(&self) -> Vec<(IssueIndex, BatchGroup<'_>)> {
        let group = |&(issue, first): &(IssueIndex, u32)| {
            let last_length = self.tails[issue.index()].length;
            (issue, BatchGroup { batch: self, first, last_length })
        };
        self.groups.iter().map(group).collect()
    }

    /// Where the event with this ordinal stands in the input.
    pub(crate) fn place(&self, ordinal: u32) -> Place {
        let at = self.places[ordinal as usize];
        if self.are_lines { Place::Line(at) } else { Place::Byte(at) }
    }

    /// Forgets all events.
    pub(crate) fn clear(&mut self) {
        self.places.clear();
        self.links.clear();
        for (issue, _) in self.groups.drain(..) {
            self.tails[issue.index()] = GroupTail::NONE;
        }
    }
}

/// The events of one issue in a batch.
pub(crate) struct BatchGroup<'a> {
    batch: &'a EventBatch,
    /// The chunk where they begin.
    first: u32,
    /// How much of the last chunk is theirs.
    last_length: u32,
}

impl Events for BatchGroup<'_> {
    fn each_part<'e>(&'e self, take: &mut dyn FnMut(&'e [EventSlot], &'e [EventSlot]) -> bool) {
        let part = |number: u32| {
            let Link { length, next } = *self.batch.links.get(number as usize)?;
            let length = if next == NONE { self.last_length } else { length };
            Some((&self.batch.chunks.slots(number)[..length as usize], next))
        };
        let mut this = part(self.first);
        while let Some((slots, next)) = this {
            let next = part(next);
            let go_on = take(slots, next.map_or(&[], |(slots, _)| slots));
            this = next.filter(|_| go_on);
        }
    }

    fn prefetch(&self) {
        prefetch_all(self.batch.chunks.slots(self.first));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quoteclock_model::{OrderAction, OrderCondition, OrderId, Scope, Shares, Side};

    fn add(issue: u32, order: u64, shares: u64) -> MarketEvent {
        let (quantity, condition) = (Shares(shares), OrderCondition::None);
        let action =
            OrderAction::Add { order: OrderId(order), server: None, side: Side::Bid, price: None, quantity, condition };
        MarketEvent::Order { issue: IssueIndex(issue), action }
    }

    /// The ordinals and events of an issue, as they are applied.
    fn events(issue: IssueIndex, group: &dyn Events) -> Vec<(u32, u32, MarketEvent)> {
        let mut all = Vec::new();
        group.each_part(&mut |part, _| {
            let mut rest = part.iter();
            while let Some(slot) = rest.next() {
                let extension = if slot.is_wide() { rest.next() } else { None };
                let event = slot.event(extension, Scope::Issue(issue), |_| None).unwrap();
                all.push((slot.ordinal(), slot.micros(), event));
            }
            true
        });
        all
    }

    #[test]
    fn events_of_many_issues_come_back_issue_by_issue_in_their_order() {
        // More issues than a slab has chunks, more events of each than a chunk has slots, and every third takes two of them.
        let (issues, rounds) = (300, 50);
        let mut batch = EventBatch::default();
        // Twice: what a batch has been cleared of does not come again.
        for start in [0, 1_000_000] {
            let mut expected = vec![Vec::new(); issues as usize];
            for ordinal in 0..issues * rounds {
                let issue = ordinal % issues;
                let shares = if ordinal % 3 == 0 { 1 << 33 } else { 100 };
                let event = add(issue, u64::from(ordinal), shares);
                let time = Timestamp::from_micros(start + i64::from(ordinal));
                batch.push(IssueIndex(issue), time, &event, Place::Byte(u64::from(ordinal) * 2));
                expected[issue as usize].push((ordinal, ordinal, event));
            }
            let groups = batch.groups();
            assert_eq!(groups.len(), issues as usize);
            for ((issue, group), expected) in groups.iter().zip(&expected) {
                assert_eq!(&events(*issue, group), expected, "{issue:?}");
            }
            assert_eq!(batch.links.len(), 200 * 2 + 100 * 3, "a chunk is filled before there is another");
            assert_eq!((batch.place(7), batch.base()), (Place::Byte(14), Timestamp::from_micros(start)));
            batch.clear();
            assert!(batch.is_empty() && batch.groups().is_empty());
        }
    }

    #[test]
    fn a_batch_is_full_with_as_many_events_as_are_wanted_or_as_far_as_32_bits_reach() {
        let at = |micros: u64| Timestamp::from_micros(micros.try_into().unwrap());
        let mut batch = EventBatch::of_events(2);
        assert!(!batch.is_full(at(1 << 50)), "the first begins it");
        for (count, (order, full)) in (1..).zip([(1, false), (2, true)]) {
            batch.push(IssueIndex(0), at(5), &add(0, order, 100), Place::Line(order));
            assert_eq!((batch.places.len(), batch.is_full(at(5))), (count, full));
        }
        let mut batch = EventBatch::default();
        batch.push(IssueIndex(1), at(5), &add(1, 1, 100), Place::Line(1));
        assert!(!batch.is_full(at(5 + u64::from(u32::MAX))) && batch.is_full(at(6 + u64::from(u32::MAX))));
        assert!(batch.holds(IssueIndex(1)) && !batch.holds(IssueIndex(0)) && !batch.holds(IssueIndex(2)));
    }

    #[test]
    fn more_events_are_wanted_with_more_issues_and_never_more_than_so_many() {
        // 512 of each are to come together: with the 513th issue that is more than 2^18 in all.
        for (events_max, issues, wanted) in
            [(usize::MAX, 512, 1 << 18), (usize::MAX, 513, 513 * 512), (1 << 18, 513, 1 << 18), (3, 513, 3), (0, 1, 1)]
        {
            let mut batch = EventBatch::of_events(events_max);
            for issue in 0..issues {
                batch.push(IssueIndex(issue), Timestamp::from_micros(0), &add(issue, 1, 100), Place::Line(1));
            }
            assert_eq!(batch.wanted, wanted, "{events_max} {issues}");
        }
    }
}
