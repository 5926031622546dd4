//! Tasks that may run at once, and what runs them: groups of different issues share nothing that changes.

use std::fmt::Debug;

/// One piece of the work.
pub type Task<'a> = Box<dyn FnOnce() + Send + 'a>;

/// Runs tasks.
pub trait Executor: Debug + Send {
    /// How many tasks may run at once, at least 1.
    fn size(&self) -> usize;

    /// Runs each task, in any order, on any thread; all have ended when it returns.
    fn run_all(&self, tasks: Vec<Task<'_>>);
}

/// The thread that reads, and no other.
#[derive(Clone, Copy, Debug)]
pub struct SingleThread;

impl Executor for SingleThread {
    fn size(&self) -> usize {
        1
    }

    fn run_all(&self, tasks: Vec<Task<'_>>) {
        tasks.into_iter().for_each(|task| task());
    }
}

/// Runs `work` on all `items`, in chunks of neighbours.
pub(crate) fn run_chunks<T: Send>(executor: &dyn Executor, items: &mut [T], work: impl Fn(&mut [T]) + Sync) {
    run_chunks_into(executor, items, &mut Vec::new(), |items, &mut ()| work(items));
}

/// The same of work with a result: each chunk adds its own to one of `buffers`, which are in the order of the chunks.
pub(crate) fn run_chunks_into<T: Send, U: Send + Default>(
    executor: &dyn Executor,
    items: &mut [T],
    buffers: &mut Vec<U>,
    work: impl Fn(&mut [T], &mut U) + Sync,
) {
    // Even load, and most items prefetched while the one before them is worked on.
    const TASKS_PER_THREAD: usize = 64;
    let tasks = if executor.size() == 1 { 1 } else { executor.size() * TASKS_PER_THREAD };
    let taken = items.len().div_ceil(tasks).max(1);
    if buffers.len() < tasks {
        buffers.resize_with(tasks, U::default);
    }
    let chunks = items.chunks_mut(taken).zip(buffers);
    if executor.size() == 1 {
        return chunks.for_each(|(items, buffer)| work(items, buffer));
    }
    let work = &work;
    executor.run_all(chunks.map(|(items, buffer)| -> Task<'_> { Box::new(move || work(items, buffer)) }).collect());
}
