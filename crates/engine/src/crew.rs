//! Work that may be done at once, and whoever does it: groups of different issues touch nothing that is common to them.

use std::fmt::Debug;

/// Some of the work.
pub type Part<'a> = Box<dyn FnOnce() + Send + 'a>;

/// Does work in parts.
pub trait Crew: Debug + Send {
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
    share_telling(crew, items, &mut Vec::new(), |items, &mut ()| work(items));
}

/// The same of work that tells something: what each part tells is added to the one of `told` that has its place in the
/// order of the items.
pub(crate) fn share_telling<T: Send, U: Send + Default>(
    crew: &dyn Crew,
    items: &mut [T],
    told: &mut Vec<U>,
    work: impl Fn(&mut [T], &mut U) + Sync,
) {
    // Often enough that all end at about the same time, and seldom enough that most items follow another, while which they
    // were fetched.
    const TIMES_TAKEN: usize = 64;
    let parts = if crew.size() == 1 { 1 } else { crew.size() * TIMES_TAKEN };
    let taken = items.len().div_ceil(parts).max(1);
    if told.len() < parts {
        told.resize_with(parts, U::default);
    }
    let parts = items.chunks_mut(taken).zip(told);
    if crew.size() == 1 {
        return parts.for_each(|(items, told)| work(items, told));
    }
    let work = &work;
    crew.share(parts.map(|(items, told)| -> Part<'_> { Box::new(move || work(items, told)) }).collect());
}
