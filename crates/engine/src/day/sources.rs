//! A day of several inputs: each has sequence numbers of its own, and a record before the last of another one's may be missing.

use super::{Day, RejectSink};
use crate::order_checks::Sequencer;
use quoteclock_feed::{RawRecord, Stop};
use quoteclock_model::Timestamp;
use quoteclock_obligation::DaySink;

/// The inputs of a day, where it has several.
#[derive(Debug, Default)]
pub(super) struct Sources {
    /// The one that records come from.
    at: usize,
    /// How each of the others stands: its numbers, and the time of its last record.
    kept: Vec<Option<(Sequencer, Option<Timestamp>)>>,
    /// The time of the last record of an input that has just been gone on with.
    resumed: Option<Timestamp>,
}

impl Sources {
    /// The time since which records may be missing before one, given that of the last record of all.
    pub(super) fn since(&self, before: Option<Timestamp>) -> Option<Timestamp> {
        self.resumed.or(before)
    }
}

impl<S: DaySink, R: RejectSink> Day<S, R> {
    /// Takes note that the next record is of the input at `index`, of several whose records come merged by time. To be told
    /// before each record; without it a day has one input.
    pub fn source(&mut self, index: usize) {
        let last = self.last_time();
        self.sources.resumed = None;
        if index == self.sources.at {
            return;
        }
        let allow_gaps = self.options.allow_gaps;
        let kept = &mut self.sources.kept;
        kept.resize_with(kept.len().max(index.max(self.sources.at) + 1), || None);
        let (next, resumed) = kept[index].take().unwrap_or_else(|| (Sequencer::new(allow_gaps), None));
        kept[self.sources.at] = Some((std::mem::replace(&mut self.sequencer, next), last));
        (self.sources.at, self.sources.resumed) = (index, resumed);
        self.rejects.source(index);
    }

    /// Judges the place of a record in its input, and applies nothing: of an input of which other records are taken.
    ///
    /// # Errors
    /// [`Stop`] if it is bad in a strict run.
    pub fn pass(&mut self, record: &RawRecord<'_>) -> Result<(), Stop> {
        if self.error.is_some() {
            return Err(Stop);
        }
        self.last_was_bad = false;
        if self.follows(record) {
            self.pass_over(record);
            return Ok(());
        }
        self.record_count += 1;
        self.judge_passed(record)
    }
}
