//! Days to measure: small, and near everything that decides.
//!
//! A day is made from lists of numbers that are read as choices, one list for the registry, one per group of events and
//! one for the way of writing. It is valid by construction: the registry is made from values, never from text, and each
//! event is tried on the book that those before it leave. Prices and quantities are chosen at the obligation's limits and
//! one unit beside them, times at the edges of windows and exemptions and one microsecond beside them.

mod choices;
mod damage;
pub mod etf;
mod flow;
pub mod money;
mod setup;
mod times;
mod types;
mod write;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::Case;
use choices::Choices;

/// How many choices a registry may take, and the writing of a file.
const SETUP_CHOICES: usize = 800;
const WRITING_CHOICES: usize = 900;
/// How many choices one group of events may take.
const GROUP_CHOICES: usize = 24;
/// At most so many groups of events.
const GROUPS_MAX: usize = 26;

/// Valid days: a strict run measures them.
pub fn day() -> impl Strategy<Value = Case> {
    numbers().prop_map(|(setup, writing, groups)| build(&setup, &writing, &groups, false))
}

/// Days with 1 to 4 places damaged in the events, strict and lenient, often with a `clear` somewhere after them. A few are
/// good all the same: what was damaged was not there, or was as good as before.
pub fn damaged_day() -> impl Strategy<Value = Case> {
    numbers().prop_map(|(setup, writing, groups)| build(&setup, &writing, &groups, true))
}

/// The lists of numbers of one day: for the registry, for the writing, and for each group of events.
fn numbers() -> impl Strategy<Value = (Vec<u16>, Vec<u16>, Vec<Vec<u16>>)> {
    let list = |count| vec(any::<u16>(), count);
    (list(SETUP_CHOICES), list(WRITING_CHOICES), vec(list(GROUP_CHOICES), 0..=GROUPS_MAX))
}

/// The day that the choices make.
fn build(setup: &[u16], writing: &[u16], groups: &[Vec<u16>], damaged: bool) -> Case {
    let setup = setup::setup(&mut Choices::new(setup)).expect("every generated registry can be read");
    let mut choices = Choices::new(writing);
    let clears = if damaged { 10 } else { 0 };
    let mut drafts = flow::drafts(&setup, groups, &mut choices.part(110), clears);
    let mut head = choices.part(90);
    if damaged {
        drafts = damage::with_clears(&mut head.part(16), drafts);
    }
    let lenient = if damaged { !head.percent(25) } else { head.percent(25) };
    let date = (drafts.is_empty() || head.percent(20)).then(|| setup.date.to_string());
    let mut file_choices = head.part(4);
    let mut sheet = write::sheet(&mut choices, &setup, &drafts);
    if damaged {
        damage::damage(&mut head, &setup, &drafts, &mut sheet);
    }
    let events = sheet.text(&mut file_choices);
    Case { registry: setup.files, events, date, lenient, allow_gaps: sheet.allow_gaps }
}
