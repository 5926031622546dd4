//! The papers that go out for a month: TM-2 to each market maker and its participants, TA-1 to each asset manager, TM-1 and
//! TM-3 to whoever is designated or gives it up.
//!
//! The idea: [`Documents`] are told the month's stored rows, each goes to the papers of those who may read it, and nothing
//! else ever reaches a [`Document`]; so no paper can hold another party's figures. It comes out as CSV, as a spreadsheet and as one page that needs
//! nothing but itself. The same rows give the same bytes.
//!
//! Deliberately absent: files, and any judgement (that is the settlement's).

mod about;
mod changes;
mod document;
mod folder;
mod limits;
mod notice;
mod recipient;
mod sheet;
mod tables;

pub use changes::{Change, changes};
pub use document::{CHANGES_HEADING, Document, Documents, Month, Rendered};
pub use folder::folder_names;
pub use notice::{Notice, notices};
pub use recipient::{Recipient, recipients};
pub use sheet::DocumentError;
