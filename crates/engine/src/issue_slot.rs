//! The place of one issue in a day.

use quoteclock_model::IssueCode;
use quoteclock_obligation::IssueMeasure;

/// One issue of a day.
#[derive(Debug)]
pub(crate) struct IssueSlot {
    pub(crate) measure: IssueMeasure,
    /// The issue, once it is known.
    pub(crate) code: Option<IssueCode>,
    /// Whether an issue of the input has it.
    pub(crate) bound: bool,
    /// Whether it has had an event of its own.
    pub(crate) has_events: bool,
    /// Whether it is measured elsewhere: its orders and trades are none of this day's figures.
    pub(crate) is_elsewhere: bool,
    /// How many changes of the market log it has seen.
    pub(crate) seen: usize,
}
