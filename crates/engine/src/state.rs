//! What a day knows at some time, as plain data, so that whoever runs it can keep that and go on from it after a restart.
//!
//! A day is saved as of one instant, however long that takes: [`Day::begin_save`](crate::Day::begin_save) gives what is small and belongs to no
//! issue, and then each call of [`Day::save_next`](crate::Day::save_next) gives one issue, while records may be pushed in between. An issue that a
//! record is about to change is saved before it changes. So no single call takes longer than the largest issue does.
//!
//! Beside it whoever saves keeps, as of the same instant: what the day's own sink holds (of a ledger its totals
//! and its log), what the rejects sink holds, the decoder's state, and how far the
//! input was read.
//!
//! Invariant: a state taken anywhere, restored, and pushed the rest of the input, tells the same intervals from there on, and
//! ends with the same sums, as the day that went on. Deliberately absent: bytes. How a state is written down belongs to
//! whoever owns the file.

use crate::faults::DayError;
use crate::market::MarketChange;
use crate::retroactive::UnknownWindow;
use jiff::civil::Date;
use quoteclock_model::{IssueCode, IssueIndex, Phase, SequenceNo, Timestamp};
use quoteclock_obligation::{MeasureState, StateError};
use thiserror::Error;

/// A day at some time, without its issues.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DayState {
    /// The issues that the input has named, by index; `None` for one that is only known by its index.
    pub issues: Vec<Option<IssueCode>>,
    /// The servers that the input has named, by index.
    pub servers: Vec<Box<str>>,
    /// The highest sequence number, if there has been one.
    pub last_sequence: Option<SequenceNo>,
    /// Records since then whose number could not be read.
    pub unread_sequences: u64,
    /// Records read.
    pub record_count: u64,
    /// Records set aside.
    pub reject_count: u64,
    /// Time that was found to be unknown after it had been measured.
    pub retroactive: Vec<UnknownWindow>,
    /// Issues in doubt whose code is not known, and since when.
    pub unnamed_doubts: Vec<(IssueIndex, Timestamp)>,
    /// Issues of records set aside whose code is not known.
    pub unnamed_rejects: Vec<IssueIndex>,
    /// Those of them whose code has come since.
    pub late_names: Vec<(IssueIndex, IssueCode)>,
    /// Whether the last record was bad, so that more of it belongs to it.
    pub last_was_bad: bool,
    /// Whether the number of the last record could not be read.
    pub last_was_unnumbered: bool,
    /// The measure, or what is known before the date is.
    pub stage: StageState,
}

/// How far a day has come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StageState {
    /// No time has been read yet.
    Waiting {
        /// What will be in doubt from the start of the day: issues by their codes, `None` for every issue.
        doubts: Vec<Option<IssueCode>>,
        /// Issues whose codes are not known.
        unnamed: Vec<IssueIndex>,
    },
    /// The day is being measured.
    Open(EngineState),
}

/// The measure of a day at some time, without its issues.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EngineState {
    /// The date.
    pub date: Date,
    /// The latest good time.
    pub last: Timestamp,
    /// The time of the last event.
    pub now: Timestamp,
    /// The latest time that an issue has been taken on to by looking at it.
    pub looked: Timestamp,
    /// For each issue of the input, the number of its [`IssueState`], if it has one.
    pub number_of_issue: Vec<Option<u32>>,
    /// How many orders each server of the input has added.
    pub orders_of_server: Vec<u64>,
    /// How many [`IssueState`]s belong to this state, numbered from 0.
    pub issue_count: u32,
    /// What has changed for the whole market and not been seen by all issues, with its time.
    pub market_changes: Vec<(Timestamp, MarketChange)>,
    /// How many changes came before those.
    pub market_forgotten: usize,
    /// The last phase of the market, and its number among the changes.
    pub market_phase: Option<(usize, Phase)>,
    /// The number of the last clear of the market.
    pub market_clear: Option<usize>,
}

/// One issue of a day.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IssueState {
    /// Its number.
    pub number: u32,
    /// Its code, once it is known.
    pub code: Option<IssueCode>,
    /// Whether an issue of the input has it.
    pub is_bound: bool,
    /// Whether any event has named it.
    pub has_events: bool,
    /// How many changes of the market it has seen.
    pub seen: usize,
    /// What it has measured.
    pub measure: MeasureState,
}

/// All that a save gives, to go on from.
#[derive(Clone, Copy, Debug)]
pub struct SavedDay<'a> {
    /// What belongs to no issue.
    pub state: &'a DayState,
    /// The issues, in the order of their numbers.
    pub issues: &'a [IssueState],
}

/// Why a day cannot go on from a state.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// The date cannot be measured.
    #[error(transparent)]
    Day(#[from] DayError),
    /// An issue's state is not one of the plan.
    #[error("issue {}: {source}", .issue.as_ref().map_or("without a code", IssueCode::as_str))]
    Issue {
        /// The issue.
        issue: Option<IssueCode>,
        /// Why not.
        source: StateError,
    },
    /// The times of the states do not fit each other.
    #[error("the times of the market's and the issues' states, expected those of one save")]
    Times,
    /// The states are not each issue's once.
    #[error("{found} states of issues, expected each of {expected} once, in order")]
    Issues {
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
}

/// A save that has begun.
#[derive(Debug)]
pub(crate) struct Saving {
    /// Which issues have been saved.
    pub(crate) saved: Vec<bool>,
    /// Those saved before a record changed them, not handed out yet.
    pub(crate) early: Vec<IssueState>,
    /// The first that may not have been saved.
    pub(crate) next: usize,
}
