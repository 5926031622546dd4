//! Time of an obligation's day that counts neither for it nor against it.

use quoteclock_model::Span;
use quoteclock_obligation::ObligationIndex;

/// A stretch of one obligation's day that counts for nothing: no quote was required, or it is not known what was quoted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Uncounted {
    pub(crate) obligation: ObligationIndex,
    pub(crate) span: Span,
    pub(crate) is_unknown: bool,
}
