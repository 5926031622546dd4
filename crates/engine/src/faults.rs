//! What can be wrong with a record, or with a day's input as a whole.

use jiff::civil::Date;
use quoteclock_book::BookError;
use quoteclock_feed::{Malformed, Place};
use quoteclock_model::{IssueCode, SequenceNo};
use thiserror::Error;

/// Why a record is bad (REFERENCE section 2).
///
/// ```
/// use quoteclock_engine::Fault;
/// use quoteclock_model::SequenceNo;
///
/// let fault = Fault::SequenceGap { found: SequenceNo(9), expected: SequenceNo(7) };
/// assert_eq!(fault.to_string(), "seq: found 9, expected 7: records are missing");
/// assert_eq!(fault.column(), Some("seq"));
/// ```
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

impl Fault {
    /// What it is an instance of.
    pub fn kind(&self) -> FaultKind {
        match self {
            Fault::Malformed(Malformed { field, expected, .. }) => FaultKind::Malformed { field, expected },
            Fault::TimeBackwards { .. } => FaultKind::TimeBackwards,
            Fault::OtherDate { .. } => FaultKind::OtherDate,
            Fault::SequenceGap { .. } => FaultKind::SequenceGap,
            Fault::SequenceRepeat { .. } => FaultKind::SequenceRepeat,
            Fault::Book(BookError::AlreadyLive { .. }) => FaultKind::OrderAlreadyLive,
            Fault::Book(BookError::Unknown { .. }) => FaultKind::OrderUnknown,
            Fault::Book(BookError::BeyondRemaining { .. }) => FaultKind::BeyondRemaining,
            Fault::Book(_) => FaultKind::Book,
            Fault::Broken { .. } => FaultKind::Broken,
        }
    }
}

impl Fault {
    /// The column that is wrong, where it is one.
    pub fn column(&self) -> Option<&'static str> {
        match self {
            Fault::Malformed(malformed) => malformed.column(),
            Fault::TimeBackwards { .. } | Fault::OtherDate { .. } => Some("time"),
            Fault::SequenceGap { .. } | Fault::SequenceRepeat { .. } => Some("seq"),
            Fault::Book(_) | Fault::Broken { .. } => None,
        }
    }
}

impl DayError {
    /// Where the bad record stands, if it is one's fault.
    pub fn place(&self) -> Option<Place> {
        if let DayError::Bad(bad) = self { Some(bad.place) } else { None }
    }

    /// Which column of it is wrong, where it is one.
    pub fn column(&self) -> Option<&'static str> {
        if let DayError::Bad(bad) = self { bad.fault.column() } else { None }
    }
}

/// What is wrong, without what was found: of which there are few, however many records are bad.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Error)]
#[non_exhaustive]
pub enum FaultKind {
    /// A field has not the right form.
    #[error("{field}: expected {expected}")]
    Malformed {
        /// The field, or `record` where the record as a whole is wrong.
        field: &'static str,
        /// What was expected.
        expected: &'static str,
    },
    /// See [`Fault::TimeBackwards`].
    #[error("time: expected that of a record before it or later")]
    TimeBackwards,
    /// See [`Fault::OtherDate`].
    #[error("time: expected a time of the file's date: a file is one trading date")]
    OtherDate,
    /// See [`Fault::SequenceGap`].
    #[error("seq: records are missing")]
    SequenceGap,
    /// See [`Fault::SequenceRepeat`].
    #[error("seq: the record is a repeat or out of order")]
    SequenceRepeat,
    /// See [`BookError::AlreadyLive`].
    #[error("an order is already in the issue's book, expected a number that is not")]
    OrderAlreadyLive,
    /// See [`BookError::Unknown`].
    #[error("an order is not in the issue's book, expected one that was added before")]
    OrderUnknown,
    /// See [`BookError::BeyondRemaining`].
    #[error("shares are taken off an order, expected at most those that remain")]
    BeyondRemaining,
    /// It does not fit the book otherwise.
    #[error("the record does not fit the issue's book")]
    Book,
    /// See [`Fault::Broken`].
    #[error("expected an input that is whole")]
    Broken,
}

/// What a bad record is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum About {
    /// Nothing that could be read, or an issue whose code is not known.
    Nothing,
    /// The whole market.
    Market,
    /// One issue.
    Issue(IssueCode),
}

impl About {
    /// As events write it: `*` for the whole market, the code of an issue; nothing where nothing is known.
    ///
    /// ```
    /// use quoteclock_engine::About;
    ///
    /// assert_eq!([About::Nothing.text(), About::Market.text()], [None, Some("*")]);
    /// ```
    pub fn text(&self) -> Option<&str> {
        match self {
            About::Nothing => None,
            About::Market => Some("*"),
            About::Issue(code) => Some(code.as_str()),
        }
    }
}

/// A bad record, with its place.
///
/// ```
/// use quoteclock_engine::{About, BadRecord, Fault};
/// use quoteclock_feed::Place;
///
/// let fault = Fault::Broken { problem: "the input ends inside a record".to_owned() };
/// let bad = BadRecord { place: Place::Line(7), about: About::Market, fault };
/// assert_eq!(bad.to_string(), "line 7: the input ends inside a record, expected an input that is whole");
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("{place}: {fault}")]
pub struct BadRecord {
    /// Where it stands.
    pub place: Place,
    /// What it is about.
    pub about: About,
    /// What is wrong: the first thing, if several are.
    pub fault: Fault,
}

/// Why a day cannot be measured.
///
/// ```
/// use quoteclock_engine::{About, BadRecord, DayError, Fault};
/// use quoteclock_feed::Place;
/// use quoteclock_model::SequenceNo;
///
/// let fault = Fault::SequenceRepeat { found: SequenceNo(7), last: SequenceNo(7) };
/// let error = DayError::from(BadRecord { place: Place::Line(9), about: About::Nothing, fault });
/// assert_eq!((error.place(), error.column()), (Some(Place::Line(9)), Some("seq")));
/// assert_eq!(DayError::NoDate.place(), None, "the whole input is to blame");
/// ```
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
