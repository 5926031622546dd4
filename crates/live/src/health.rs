//! How the feed is: told by whatever follows it, asked by whoever wants to know.

use crate::clock;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

/// A source that has said nothing for so long, not even that it is there, is silent.
const SILENT_AFTER: Duration = Duration::from_secs(15);
/// A source that has said nothing for so long is late; one that is there says so every second.
const LATE_AFTER: Duration = Duration::from_secs(3);
/// An engine that is so far behind makes the feed late.
const LAG_US_MAX: u64 = 1_000_000;

/// How the program is.
#[derive(Debug, Default)]
pub(crate) struct Health {
    following: AtomicBool,
    /// When the source was last heard of, in microseconds of the steady clock; 0 for never.
    heard: AtomicU64,
    /// Since when the source is connected, in microseconds of the wall clock; 0 where it is not.
    connected_since: AtomicI64,
}

/// The feed in a word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FeedHealth {
    /// What comes is measured at once.
    Ok,
    /// The source has not been heard of for some seconds, or the engine is behind.
    Late,
    /// Nothing comes.
    Silent,
}

impl FeedHealth {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            FeedHealth::Ok => "ok",
            FeedHealth::Late => "late",
            FeedHealth::Silent => "silent",
        }
    }
}

impl Health {
    pub(crate) fn set_following(&self, following: bool) {
        self.following.store(following, Ordering::Relaxed);
        if !following {
            self.lost();
        }
    }

    pub(crate) fn is_following(&self) -> bool {
        self.following.load(Ordering::Relaxed)
    }

    /// The source has said something.
    pub(crate) fn heard(&self) {
        self.heard.store(micros(clock::now()).max(1), Ordering::Relaxed);
        if self.connected_since.load(Ordering::Relaxed) == 0 {
            self.connected_since.store(jiff::Timestamp::now().as_microsecond(), Ordering::Relaxed);
        }
    }

    /// The connection to the source is gone.
    pub(crate) fn lost(&self) {
        self.connected_since.store(0, Ordering::Relaxed);
    }

    /// Since when the source is connected.
    pub(crate) fn connected_since(&self) -> Option<jiff::Timestamp> {
        let since = self.connected_since.load(Ordering::Relaxed);
        (since != 0).then(|| jiff::Timestamp::from_microsecond(since).ok()).flatten()
    }

    /// How long ago the source was last heard of, in whole seconds.
    pub(crate) fn silent_for(&self) -> Option<u64> {
        let heard = self.heard.load(Ordering::Relaxed);
        (heard != 0).then(|| micros(clock::now()).saturating_sub(heard) / 1_000_000)
    }

    /// The same; of a source that was never heard of, since the process began.
    pub(crate) fn silent_for_s(&self) -> u64 {
        self.silent_for().unwrap_or_else(|| clock::now().as_secs())
    }

    /// The feed in a word, where the engine's last message waited so long for its verdict.
    pub(crate) fn feed(&self, lag_us: u64) -> FeedHealth {
        match self.silent_for() {
            _ if self.connected_since().is_none() => FeedHealth::Silent,
            Some(silent) if silent < LATE_AFTER.as_secs() && lag_us <= LAG_US_MAX => FeedHealth::Ok,
            Some(silent) if silent < SILENT_AFTER.as_secs() => FeedHealth::Late,
            _ => FeedHealth::Silent,
        }
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_that_was_heard_of_just_now_is_ok_and_one_that_is_lost_is_silent() {
        let health = Health::default();
        assert_eq!((health.feed(0), health.silent_for()), (FeedHealth::Silent, None));
        health.heard();
        assert_eq!(health.feed(0), FeedHealth::Ok);
        assert_eq!((health.feed(LAG_US_MAX), health.feed(LAG_US_MAX + 1)), (FeedHealth::Ok, FeedHealth::Late));
        health.lost();
        assert_eq!((health.feed(0), health.connected_since()), (FeedHealth::Silent, None));
    }
}
