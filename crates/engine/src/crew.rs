//! Work that may be done at once, and whoever does it: groups of different issues touch nothing that is common to them.

use std::fmt::Debug;

/// Some of the work.
pub type Part<'a> = Box<dyn FnOnce() + Send + 'a>;

/// Does work in parts.
pub trait Crew: Debug {
    /// How many parts may be done at once, at least 1.
    fn size(&self) -> usize;

    /// Does each part, in any order, on any thread; all have been done when it returns.
    fn share(&self, parts: Vec<Part<'_>>);
}

/// Nobody besides the thread that reads.
#[derive(Clone, Copy, Debug)]
pub struct Alone;

impl Crew for Alone {
    fn size(&self) -> usize {
        1
    }

    fn share(&self, parts: Vec<Part<'_>>) {
        parts.into_iter().for_each(|part| part());
    }
}

/// Lets a crew do `work` with all `items`, neighbours together.
pub(crate) fn share<T: Send>(crew: &dyn Crew, items: &mut [T], work: impl Fn(&mut [T]) + Sync) {
    // Often enough that all end at about the same time, and seldom enough that most items follow another, while which they
    // were fetched.
    const TIMES_TAKEN: usize = 64;
    if crew.size() == 1 {
        return work(items);
    }
    let taken = items.len().div_ceil(crew.size() * TIMES_TAKEN).max(1);
    let work = &work;
    crew.share(items.chunks_mut(taken).map(|part| -> Part<'_> { Box::new(move || work(part)) }).collect());
}
