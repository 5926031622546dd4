//! Several threads that do the work of a day's engine.

use quoteclock_engine::{BlockCheck, Crew, Group};
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
    /// How often a thread takes items, about: often enough that all end at about the same time, and seldom enough that most
    /// items follow another, while which they were fetched.
    const TIMES_TAKEN: usize = 64;

    fn share<T: Send>(&self, items: &mut [T], work: impl Fn(&mut [T]) + Sync) {
        let Some(others) = &self.others else { return work(items) };
        let threads = 1 + others.current_num_threads();
        let taken = items.len().div_ceil(threads * Self::TIMES_TAKEN).max(1);
        let parts = Mutex::new(items.chunks_mut(taken));
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

    fn check(&self, checks: &mut [BlockCheck<'_>]) {
        self.share(checks, BlockCheck::check_all);
    }

    fn apply(&self, groups: &mut [Group<'_>]) {
        self.share(groups, Group::apply_all);
    }
}
