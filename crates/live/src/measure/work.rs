//! What the engine's thread is given to do, and what it knows beside its day.

use super::{LiveDay, Source};
use crate::checkpoint::Keeper;
use anyhow::Result;
use crossbeam_channel::Sender;
use quoteclock_rules::Registry;
use std::time::Duration;
use tokio::sync::oneshot;

/// What the engine's thread is given.
pub(crate) enum Work {
    /// A frame that is in the journal, and when its bytes were read from the socket.
    Frame(Vec<u8>, Duration),
    /// The journal has grown to so many bytes: read it up to there.
    ReadTo(u64),
    /// Somebody wants to look at the day as it stands.
    Look(Look),
    /// From now on checkpoints are to be made.
    Keep(Keep),
    /// Somebody wants to read the journal again, as far as it is measured.
    Journal(oneshot::Sender<Source>),
    /// Another registry, if the day as it stands can go on under it; whether it does is told.
    Take(Registry, Sender<Result<bool>>),
}

/// Somebody's look at the day as it stands. It is asked again, after the next frame, until it says that it has seen enough: so
/// no look makes the engine stop for long.
pub(crate) type Look = Box<dyn FnMut(&mut LiveDay, &Facts) -> bool + Send>;

/// A look that needs no second one.
pub(crate) fn at_once(look: impl FnOnce(&mut LiveDay, &Facts) + Send + 'static) -> Look {
    let mut look = Some(look);
    Box::new(move |day, facts| {
        if let Some(look) = look.take() {
            look(day, facts);
        }
        true
    })
}

/// What the engine's thread knows beside its day.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Facts {
    /// Microseconds from socket to verdict: half of the messages, 99 %, 99.9 %, all.
    pub(crate) latency_us: [u64; 4],
    /// The same of the last.
    pub(crate) lag_us: u64,
    /// Messages that have come since the thread began.
    pub(crate) messages: u64,
    /// The number of the next message, or of a pipe's next byte.
    pub(crate) next: u64,
    /// Gaps that have come since the thread began.
    pub(crate) gaps: u64,
}

/// Where checkpoints go, how often, and which program they name.
#[derive(Clone, Debug)]
pub(crate) struct Keep {
    pub(crate) keeper: Keeper,
    pub(crate) every: Duration,
    pub(crate) program: String,
}

impl std::fmt::Debug for Work {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Work::Frame(bytes, _) => write!(f, "Frame of {} bytes", bytes.len()),
            Work::ReadTo(length) => write!(f, "ReadTo {length}"),
            Work::Look(_) => f.write_str("Look"),
            Work::Keep(_) => f.write_str("Keep"),
            Work::Journal(_) => f.write_str("Journal"),
            Work::Take(..) => f.write_str("Take"),
        }
    }
}
