//! One input of a run, and how it is measured.

use crate::again::Found;
use crate::how::How;
use jiff::civil::Date;
use quoteclock_replay::{Beside, Input};
use quoteclock_store::Digest;

/// One input, and how it is measured.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) input: Input,
    pub(super) how: How,
    /// What it is measured from besides.
    pub(super) opened: Beside,
    pub(super) date: Option<Date>,
    /// What the database calls an input that was measured before, and its hash.
    pub(super) stored_as: Option<StoredAs>,
}

#[derive(Clone, Debug)]
pub(super) struct StoredAs {
    pub(super) input: String,
    pub(super) input_sha256: Digest,
    /// Whether that is the hash of a journal's messages, not of its bytes.
    pub(super) is_journal: bool,
}

impl Job {
    /// A stored day that is measured again.
    pub(super) fn again(Found { day, path, is_journal, how }: Found) -> Job {
        // Of a journal the database has the feed; a file that has moved is called by its new name.
        let input = if is_journal { day.input } else { path.display().to_string() };
        let stored_as = Some(StoredAs { input, input_sha256: day.input_sha256, is_journal });
        Job { input: Input::File(path), how, opened: Beside::default(), date: Some(day.date), stored_as }
    }
}
