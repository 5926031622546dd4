//! What can be wrong with a record, or with a day's input as a whole.

use jiff::civil::Date;
use quoteclock_book::BookError;
use quoteclock_feed::{Malformed, Place};
use quoteclock_model::SequenceNo;
use thiserror::Error;

/// Why a record is bad (SPEC section 2).
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum Fault {
    /// A field, or the record as a whole, has not the right form.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// Its time lies before that of a record before it.
    #[error("time: found {found}, expected {last} (that of a record before it) or later")]
    TimeBackwards {
        /// Its time, as local time of the scheme.
        found: String,
        /// The latest time so far.
        last: String,
    },
    /// It belongs to another trading date.
    #[error("time: found {found}, expected a time of {date}: a file is one trading date")]
    OtherDate {
        /// Its time, as local time of the scheme.
        found: String,
        /// The file's date.
        date: Date,
    },
    /// Sequence numbers are missing before it.
    #[error("seq: found {}, expected {}: records are missing", found.0, expected.0)]
    SequenceGap {
        /// Its number.
        found: SequenceNo,
        /// The number that should come.
        expected: SequenceNo,
    },
    /// Its sequence number has been there before.
    #[error("seq: found {}, expected a number above {}: the record is a repeat or out of order", found.0, last.0)]
    SequenceRepeat {
        /// Its number.
        found: SequenceNo,
        /// The highest number so far.
        last: SequenceNo,
    },
    /// It does not fit the book.
    #[error(transparent)]
    Book(#[from] BookError),
    /// The input breaks off or is corrupted from here on.
    #[error("{problem}, expected an input that is whole")]
    Broken {
        /// How.
        problem: String,
    },
}

/// A bad record, with its place.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("{place}: {fault}")]
pub struct BadRecord {
    /// Where it stands.
    pub place: Place,
    /// The issue that it names; empty if it names none.
    pub issue: String,
    /// What is wrong: the first thing, if several are.
    pub fault: Fault,
}

/// Why a day cannot be measured.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum DayError {
    /// A bad record, in a strict run.
    #[error(transparent)]
    Bad(#[from] BadRecord),
    /// The date is not given and no record tells it.
    #[error("no record with a readable time, expected at least one (an empty day needs its date to be given)")]
    NoDate,
    /// The date cannot be measured.
    #[error("date {date}: {problem}")]
    Plan {
        /// The date.
        date: Date,
        /// Why not.
        problem: String,
    },
}
