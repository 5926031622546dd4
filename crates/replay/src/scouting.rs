//! Chunks that several threads read before their turn, and that are taken in their order.
//!
//! One thread takes: it hands records to the day, which is serial and short. What is long, reading them, is done by whichever
//! thread has time, the one that takes among them: nobody waits while there is a chunk that nobody has begun. Few chunks are
//! read before their turn, so that memory is bounded whatever the input.

use crate::chunks::{Chunk, ChunkError, Chunks};
use crate::format::{Decoder, Scout};
use quoteclock_engine::InputRun;
use quoteclock_feed::{FeedError, Scouted};
use rayon::{Scope, ThreadPool};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// So many chunks for each thread are on their way at once.
const CHUNKS_PER_THREAD: usize = 3;

/// A chunk, and who reads it.
#[derive(Debug)]
struct Job {
    chunk: Chunk,
    scout: Option<Arc<Scout>>,
    scouted: Scouted,
}

impl Job {
    fn read(&mut self) {
        if let Some(scout) = &self.scout {
            scout.read(self.chunk.bytes(), &mut self.scouted);
        }
    }
}

/// How far a job is.
#[derive(Debug)]
enum Stage {
    Waiting(Job),
    /// Some thread has it.
    UnderWay,
    Done(Job),
}

/// A job that several threads may come to.
#[derive(Debug)]
struct Shared {
    stage: Mutex<Stage>,
    done: Condvar,
}

impl Shared {
    fn new(job: Job) -> Shared {
        Shared { stage: Mutex::new(Stage::Waiting(job)), done: Condvar::new() }
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does it, if nobody has begun to; says whether it has.
    fn work(&self) -> bool {
        let mut stage = self.stage();
        match std::mem::replace(&mut *stage, Stage::UnderWay) {
            Stage::Waiting(mut job) => {
                drop(stage);
                job.read();
                *self.stage() = Stage::Done(job);
                self.done.notify_all();
                true
            }
            other => {
                *stage = other;
                false
            }
        }
    }

    /// The job, once it is done, whoever does it.
    fn finished(&self) -> Job {
        self.work();
        let mut stage = self.stage();
        loop {
            match std::mem::replace(&mut *stage, Stage::UnderWay) {
                Stage::Done(job) => return job,
                other => *stage = other,
            }
            stage = self.done.wait(stage).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Where the next chunk comes from.
enum End {
    /// There may be one.
    NotYet,
    /// There is none.
    Input,
    /// There is none, because of that.
    Error(ChunkError),
}

/// Pushes all of `chunks` through `decoder` into `pass`, read by `others` and by this thread.
///
/// # Errors
/// Those of the decoder; what ended the input comes last, as the inner error.
pub(crate) fn push_all(
    chunks: &mut Chunks<'_>,
    decoder: &mut Decoder,
    pass: &mut impl InputRun,
    others: &ThreadPool,
) -> Result<Result<(), ChunkError>, FeedError> {
    others.in_place_scope(|scope| Scouting::new(chunks, others).push_all(decoder, pass, scope))
}

struct Scouting<'a, 'c> {
    chunks: &'a mut Chunks<'c>,
    /// In the order of the input.
    jobs: VecDeque<Arc<Shared>>,
    jobs_max: usize,
    scout: Option<Arc<Scout>>,
    /// To be used again.
    spare_chunks: Vec<Chunk>,
    spare_room: Vec<Scouted>,
    end: End,
}

impl<'a, 'c> Scouting<'a, 'c> {
    fn new(chunks: &'a mut Chunks<'c>, others: &ThreadPool) -> Scouting<'a, 'c> {
        let jobs_max = CHUNKS_PER_THREAD * (1 + others.current_num_threads());
        let (spare_chunks, spare_room) = (Vec::new(), Vec::new());
        Scouting { chunks, jobs: VecDeque::new(), jobs_max, scout: None, spare_chunks, spare_room, end: End::NotYet }
    }

    fn push_all(
        mut self,
        decoder: &mut Decoder,
        pass: &mut impl InputRun,
        scope: &Scope<'_>,
    ) -> Result<Result<(), ChunkError>, FeedError> {
        loop {
            decoder.instruct(&mut self.scout);
            self.begin_jobs(scope);
            let Some(next) = self.jobs.pop_front() else { break };
            let Job { chunk, scout, scouted } = self.finished(&next);
            match scout {
                Some(_) => decoder.push_scouted(chunk.bytes(), &scouted, pass)?,
                None => decoder.push(chunk.bytes(), pass)?,
            }
            self.spare_chunks.push(chunk);
            self.spare_room.push(scouted);
        }
        match self.end {
            End::Error(error) => Ok(Err(error)),
            End::Input | End::NotYet => Ok(Ok(())),
        }
    }

    /// Hands out the chunks that are there already, at least one, if there is any.
    fn begin_jobs(&mut self, scope: &Scope<'_>) {
        while self.jobs.len() < self.jobs_max && matches!(self.end, End::NotYet) {
            match self.chunks.take(&mut self.spare_chunks, self.jobs.is_empty()) {
                Ok(Some(chunk)) if chunk.bytes().is_empty() => self.end = End::Input,
                Ok(Some(chunk)) => {
                    let scouted = self.spare_room.pop().unwrap_or_default();
                    let job = Arc::new(Shared::new(Job { chunk, scout: self.scout.clone(), scouted }));
                    self.jobs.push_back(Arc::clone(&job));
                    // Without a scout there is nothing to do.
                    if self.scout.is_some() {
                        scope.spawn(move |_| {
                            job.work();
                        });
                    }
                }
                Ok(None) => return,
                Err(error) => self.end = End::Error(error),
            }
        }
    }

    /// The next job, done; while another thread is at it, others are done here.
    fn finished(&self, next: &Shared) -> Job {
        let is_under_way = || matches!(*next.stage(), Stage::UnderWay);
        while is_under_way() && self.jobs.iter().any(|job| job.work()) {}
        next.finished()
    }
}
