//! Events held back for a while, grouped by issue.
//!
//! Issues are independent of each other, so the events of a stretch of time may be applied one issue after the other:
//! each book is then warm while its events come, instead of being fetched from memory for every single one. An event is
//! held in the 32 bytes that it has in the binary form.

use crate::group::Events;
use quoteclock_feed::Place;
use quoteclock_feed::binary::Slot;
use quoteclock_model::{IssueIndex, MarketEvent, ServerIndex, Timestamp};

/// Events of all issues, in groups.
#[derive(Debug)]
pub(crate) struct Batch {
    /// The time of the first event.
    base: Timestamp,
    /// More events than this are not held.
    events_max: usize,
    places: Vec<Place>,
    /// The first of them are in use; the others are kept for the next batch.
    chunks: Vec<Chunk>,
    used: usize,
    /// For each issue, where its events end so far.
    tails: Vec<Tail>,
    /// Issues that have any, and their first chunk, in the order of their first event.
    groups: Vec<(IssueIndex, u32)>,
}

/// A part of the events of one issue, in their order.
#[derive(Clone, Copy, Debug)]
struct Chunk {
    slots: [Slot; Chunk::SLOTS],
    length: u32,
    /// The next part; [`NONE`] for the last.
    next: u32,
}

/// The chunk to which an issue's next event goes; [`NONE`] if it has no events in the batch.
#[derive(Clone, Copy, Debug)]
struct Tail(u32);

const NONE: u32 = u32::MAX;

impl Chunk {
    const SLOTS: usize = 32;
    const EMPTY: Chunk = Chunk { slots: [Slot::EMPTY; Self::SLOTS], length: 0, next: NONE };
}

impl Default for Batch {
    fn default() -> Self {
        let (places, chunks, tails, groups) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Batch { base: Timestamp::MIN, events_max: Self::EVENTS_MAX, places, chunks, used: 0, tails, groups }
    }
}

impl Batch {
    /// More events than this are never held: an ordinal has 20 bits.
    const EVENTS_MAX: usize = 1 << 20;

    /// How many events of each issue are to come together.
    const EVENTS_PER_ISSUE: usize = 256;

    /// However few issues there are.
    const EVENTS_MIN: usize = 1 << 16;

    /// The same, but never more than so many events.
    pub(crate) fn of_events(events_max: usize) -> Batch {
        Batch { events_max: events_max.clamp(1, Self::EVENTS_MAX), ..Batch::default() }
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
        self.tails.get(issue.index()).is_some_and(|tail| tail.0 != NONE)
    }

    /// Whether an event at `time` has to wait until the batch has been applied.
    #[inline]
    pub(crate) fn is_full(&self, time: Timestamp) -> bool {
        let count = self.places.len();
        let wanted = (self.groups.len() * Self::EVENTS_PER_ISSUE).max(Self::EVENTS_MIN).min(self.events_max);
        count != 0 && (wanted <= count || u32::try_from(time.as_micros() - self.base.as_micros()).is_err())
    }

    /// Holds an event of `issue`, at or after those before it, and where it stands in the input.
    #[inline]
    pub(crate) fn push(&mut self, issue: IssueIndex, time: Timestamp, event: &MarketEvent, place: Place) {
        if self.places.is_empty() {
            self.base = time;
        }
        let micros = u32::try_from(time.as_micros() - self.base.as_micros()).expect("asked before");
        let ordinal = u32::try_from(self.places.len()).expect("fewer events than 20 bits count");
        self.places.push(place);
        let server = server_of(event).map(|server| server.0);
        let (slot, extension) = Slot::write(event, server, ordinal, micros);
        let chunk = self.chunk_with_room(issue, 1 + usize::from(extension.is_some()));
        chunk.slots[chunk.length as usize] = slot;
        chunk.length += 1;
        if let Some(extension) = extension {
            chunk.slots[chunk.length as usize] = extension;
            chunk.length += 1;
        }
    }

    #[inline]
    fn chunk_with_room(&mut self, issue: IssueIndex, wanted: usize) -> &mut Chunk {
        match self.tails.get(issue.index()) {
            Some(&Tail(tail))
                if tail != NONE && self.chunks[tail as usize].length as usize + wanted <= Chunk::SLOTS =>
            {
                &mut self.chunks[tail as usize]
            }
            _ => self.add_chunk(issue),
        }
    }

    #[cold]
    fn add_chunk(&mut self, issue: IssueIndex) -> &mut Chunk {
        if self.tails.len() <= issue.index() {
            self.tails.resize(issue.index() + 1, Tail(NONE));
        }
        let number = u32::try_from(self.used).expect("fewer chunks than 32 bits count");
        match std::mem::replace(&mut self.tails[issue.index()], Tail(number)) {
            Tail(NONE) => self.groups.push((issue, number)),
            Tail(before) => self.chunks[before as usize].next = number,
        }
        if self.chunks.len() == self.used {
            self.chunks.push(Chunk::EMPTY);
        }
        self.used += 1;
        let chunk = &mut self.chunks[number as usize];
        (chunk.length, chunk.next) = (0, NONE);
        chunk
    }

    /// The issues that have events, and those.
    pub(crate) fn groups(&self) -> Vec<(IssueIndex, BatchGroup<'_>)> {
        self.groups.iter().map(|&(issue, first)| (issue, BatchGroup { batch: self, first })).collect()
    }

    /// Where the event with this ordinal stands in the input.
    pub(crate) fn place(&self, ordinal: u32) -> Place {
        self.places[ordinal as usize]
    }

    /// Forgets all events.
    pub(crate) fn clear(&mut self) {
        self.places.clear();
        self.used = 0;
        for (issue, _) in self.groups.drain(..) {
            self.tails[issue.index()] = Tail(NONE);
        }
    }
}

/// The events of one issue in a batch.
pub(crate) struct BatchGroup<'a> {
    batch: &'a Batch,
    /// The chunk where they begin.
    first: u32,
}

impl Events for BatchGroup<'_> {
    fn each_part<'e>(&'e self, take: &mut dyn FnMut(&'e [Slot]) -> bool) -> bool {
        let mut next = self.first;
        while let Some(chunk) = self.batch.chunks.get(next as usize) {
            next = if take(&chunk.slots[..chunk.length as usize]) { chunk.next } else { NONE };
        }
        true
    }
}

/// The server that an event names.
#[inline]
fn server_of(event: &MarketEvent) -> Option<ServerIndex> {
    use quoteclock_model::OrderAction;
    match event {
        MarketEvent::Order { action: OrderAction::Add { server, .. }, .. } => *server,
        _ => None,
    }
}
