//! Several threads that do the work of a day's engine.

use crate::input::{Input, Reading};
use crate::stored::Progress;
use quoteclock_engine::{Executor, SingleThread, Task};
use rayon::ThreadPool;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};

/// So many threads, the one that reads among them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Threads(pub NonZeroUsize);

impl Threads {
    /// Whether the machine has a second core to read on.
    pub(crate) fn cores_to_spare() -> bool {
        std::thread::available_parallelism().is_ok_and(|cores| 1 < cores.get())
    }

    /// How a day is read that is measured by so many.
    pub(crate) fn reading(self, progress: Progress<'_>) -> Reading<'_> {
        Reading { progress, is_hashed: false, is_ahead: 1 < self.0.get(), pool: None }
    }

    /// So many, less one that does nothing but decompress `input`, where that takes as long as all that comes after: on as many
    /// cores as there are threads, one more would keep it waiting, and what waits for it.
    pub(crate) fn beside_decompression(self, input: &Input) -> Threads {
        let is_slow = 1 < self.0.get() && input.is_gzip();
        Threads(NonZeroUsize::new(self.0.get() - usize::from(is_slow)).unwrap_or(self.0))
    }

    /// Starts the others, or as many of them as the system permits: what is measured is the same with any number.
    pub fn start(self) -> Pool {
        let start = |others: &usize| rayon::ThreadPoolBuilder::new().num_threads(*others).build().ok();
        let fewer_and_fewer = std::iter::successors(Some(self.0.get() - 1), |others| Some(others / 2));
        Pool {
            others: fewer_and_fewer.take_while(|others| 0 < *others).find_map(|others| start(&others)).map(Arc::new),
        }
    }
}

/// Threads that have been started. Clones are the same threads.
#[derive(Clone, Debug)]
pub struct Pool {
    others: Option<Arc<ThreadPool>>,
}

impl Pool {
    /// Those beside the one that asks, if there are any.
    pub(crate) fn others(&self) -> Option<&ThreadPool> {
        self.others.as_deref()
    }
}

impl Executor for Pool {
    fn size(&self) -> usize {
        1 + self.others().map_or(0, ThreadPool::current_num_threads)
    }

    fn run_all(&self, tasks: Vec<Task<'_>>) {
        let Some(others) = &self.others else { return SingleThread.run_all(tasks) };
        let tasks = Mutex::new(tasks.into_iter());
        let next = || tasks.lock().expect("no thread panics with the lock").next();
        let work = || {
            while let Some(task) = next() {
                task();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_several_threads_is_left_to_a_gzip_stream() {
        let (gzip, zstd, plain) = (&[0x1f, 0x8b, 8][..], &[0x28, 0xb5, 0x2f, 0xfd][..], &b"time,issue"[..]);
        for (bytes, threads, left) in
            [(gzip, 1, 1), (gzip, 2, 1), (gzip, 3, 2), (zstd, 2, 2), (plain, 2, 2), (&[0x1f][..], 2, 2), (&[], 2, 2)]
        {
            let of = |count| Threads(NonZeroUsize::new(count).unwrap());
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), bytes).unwrap();
            for input in [Input::memory("day", bytes), Input::File(file.path().to_owned())] {
                assert_eq!(of(threads).beside_decompression(&input), of(left), "{bytes:?} {threads}");
            }
        }
    }
}
