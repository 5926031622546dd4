//! Several threads that apply groups.

use quoteclock_engine::{Crew, Group};
use std::num::NonZeroUsize;
use std::sync::Mutex;

/// So many threads, the one that reads among them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Threads(pub NonZeroUsize);

impl Threads {
    /// How many groups a thread takes at once: so few that all end at about the same time.
    const TAKEN_AT_ONCE: usize = 8;
}

impl Crew for Threads {
    fn size(&self) -> usize {
        self.0.get()
    }

    fn apply(&self, groups: &mut [Group<'_>]) {
        let parts = Mutex::new(groups.chunks_mut(Self::TAKEN_AT_ONCE));
        let next = || parts.lock().expect("no thread panics with the lock").next();
        let work = || {
            while let Some(part) = next() {
                Group::apply_all(part);
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..self.0.get() {
                scope.spawn(work);
            }
            work();
        });
    }
}
