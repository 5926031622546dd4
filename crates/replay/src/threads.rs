//! Several threads that do the work of a day's engine.

use quoteclock_engine::{Crew, Group, GroupCheck};
use rayon::ThreadPool;
use std::num::NonZeroUsize;
use std::sync::Mutex;

/// So many threads, the one that reads among them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Threads(pub NonZeroUsize);

impl Threads {
    /// Starts the others.
    ///
    /// # Panics
    /// If the system refuses to start a thread.
    pub fn start(self) -> Pool {
        let others = self.0.get() - 1;
        let start = |others| rayon::ThreadPoolBuilder::new().num_threads(others).build();
        Pool { others: (0 < others).then(|| start(others).expect("the system can start a few threads")) }
    }
}

/// Threads that have been started.
#[derive(Debug)]
pub struct Pool {
    others: Option<ThreadPool>,
}

impl Pool {
    /// How many items a thread takes at once: so few that all end at about the same time.
    const TAKEN_AT_ONCE: usize = 8;

    fn share<T: Send>(&self, items: &mut [T], work: impl Fn(&mut [T]) + Sync) {
        let Some(others) = &self.others else { return work(items) };
        let parts = Mutex::new(items.chunks_mut(Self::TAKEN_AT_ONCE));
        let next = || parts.lock().expect("no thread panics with the lock").next();
        let work = || {
            while let Some(part) = next() {
                work(part);
            }
        };
        others.in_place_scope(|scope| {
            for _ in 0..others.current_num_threads() {
                scope.spawn(|_| work());
            }
            work();
        });
    }
}

impl Crew for Pool {
    fn size(&self) -> usize {
        1 + self.others.as_ref().map_or(0, ThreadPool::current_num_threads)
    }

    fn check(&self, checks: &mut [GroupCheck<'_>]) {
        self.share(checks, GroupCheck::check_all);
    }

    fn apply(&self, groups: &mut [Group<'_>]) {
        self.share(groups, Group::apply_all);
    }
}
