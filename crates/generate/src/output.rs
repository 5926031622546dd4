//! Where events go: the writer, the clock, the number of events still to be made, and the counts for the summary.
//!
//! Once that number is reached, or writing has failed, nothing is written any more, and whoever makes events need not
//! look before each; the main loop does from time to time.

use quoteclock_feed::EventWriter;
use quoteclock_model::{IssueIndex, MarketEvent, OrderAction, Record, SequenceNo, Timestamp};
use std::io;

/// How many events there are of each kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Orders added.
    pub adds: u64,
    /// Orders replaced.
    pub replaces: u64,
    /// Orders reduced.
    pub reduces: u64,
    /// Orders cancelled.
    pub cancels: u64,
    /// Executions.
    pub trades: u64,
    /// Trading phases.
    pub phases: u64,
    /// Books emptied.
    pub clears: u64,
}

#[derive(Debug)]
pub(crate) struct Output<'w, W> {
    writer: &'w mut W,
    error: Option<io::Error>,
    /// Local midnight in microseconds since the Unix epoch.
    midnight: i64,
    /// The time of the next event, in microseconds since midnight.
    pub(crate) now: u64,
    /// Events to be made yet.
    pub(crate) left: u64,
    pub(crate) made: u64,
    pub(crate) counts: Counts,
}

impl<'w, W: EventWriter> Output<'w, W> {
    pub(crate) fn new(writer: &'w mut W, midnight: i64, events: u64) -> Output<'w, W> {
        let counts = Counts::default();
        Output { writer, error: None, midnight, now: 0, left: events, made: 0, counts }
    }

    /// What went wrong, if anything.
    pub(crate) fn into_result(self) -> io::Result<()> {
        self.error.map_or(Ok(()), Err)
    }

    /// An event of one issue's orders.
    #[inline]
    pub(crate) fn order(&mut self, issue: u32, action: OrderAction) {
        let count = match action {
            OrderAction::Add { .. } => &mut self.counts.adds,
            OrderAction::Replace { .. } => &mut self.counts.replaces,
            OrderAction::Reduce { .. } => &mut self.counts.reduces,
            OrderAction::Cancel { .. } => &mut self.counts.cancels,
            OrderAction::Trade { .. } => &mut self.counts.trades,
        };
        *count += u64::from(0 < self.left);
        self.put(MarketEvent::Order { issue: IssueIndex(issue), action });
    }

    /// Any other event.
    pub(crate) fn other(&mut self, event: MarketEvent) {
        let count = match event {
            MarketEvent::Phase { .. } => &mut self.counts.phases,
            MarketEvent::Clear { .. } => &mut self.counts.clears,
            MarketEvent::Order { .. } => unreachable!("orders have their own way"),
        };
        *count += u64::from(0 < self.left);
        self.put(event);
    }

    #[inline]
    fn put(&mut self, event: MarketEvent) {
        if self.left == 0 {
            return;
        }
        self.left -= 1;
        self.made += 1;
        let ts_event = Timestamp::from_micros(self.midnight + self.now.cast_signed());
        if let Err(error) = self.writer.event(Some(SequenceNo(self.made)), &Record { ts_event, event }) {
            self.error = Some(error);
            self.left = 0;
        }
    }
}
