//! Records that a running day sets aside: how many, and what of the first is wrong.

use quoteclock_engine::{BadRecord, Fault, RejectSink};

/// Of the records set aside, so many are told in the log.
const TOLD_MAX: u64 = 20;

/// Counts records set aside, and tells the first of them.
#[derive(Debug, Default)]
pub(crate) struct Told(pub(super) u64);

impl RejectSink for Told {
    fn reject(&mut self, bad: &BadRecord, _: &[u8]) {
        self.0 += 1;
        // What is wrong is told, not whose order it was: no name and no number of the record is in the log.
        if self.0 <= TOLD_MAX {
            tracing::warn!(place = %bad.place, kind = fault_kind(bad), "a bad record was set aside");
        }
    }

    fn again(&mut self, count: u64) -> bool {
        let is_enough = TOLD_MAX < self.0;
        self.0 += if is_enough { count } else { 0 };
        is_enough
    }

    fn rest(&mut self, _: &[u8]) {}
}

fn fault_kind(bad: &BadRecord) -> &'static str {
    match &bad.fault {
        Fault::Malformed(malformed) => malformed.expected,
        Fault::TimeBackwards { .. } => "time goes backwards",
        Fault::OtherDate { .. } => "another date",
        Fault::SequenceGap { .. } => "records are missing before it",
        Fault::SequenceRepeat { .. } => "its number has been there",
        Fault::Book(_) => "it does not fit the book",
        _ => "the input is damaged",
    }
}
