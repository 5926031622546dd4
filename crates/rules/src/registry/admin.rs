//! Administrative warnings.
use super::load::Rows;
use crate::finding::Findings;
pub(super) fn warn(_: &Rows, _: &mut Findings) {}
